/*
 * tests/fuzz/fuzz_note.c - whatever bytes: as a note, a checkpoint and a
 * verifier key, what is accepted is written again as it was.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Keys of tests 1 and 2 in RFC 8032, section 7.1; the corpus has notes signed
 * with them. */
static const char *const keys[] = {
    "node.example/a+20c3152d+BNdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea",
    "node.example/b+1930b2a1+BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM",
};

static void demand(bool truth)
{
    if (!truth)
        abort();
}

static void refused(enum status status, const struct error *err)
{
    demand(status == E_INPUT || status == E_LIMIT || status == E_REFUSED);
    demand(err->text[0] != '\0');
}

static void check_checkpoint(struct bytes bytes)
{
    struct checkpoint checkpoint;
    struct text again;
    struct error err;
    enum status status;

    error_init(&err);
    status = checkpoint_parse(&checkpoint, bytes, &err);
    if (status != OK) {
        refused(status, &err);
        return;
    }
    text_init(&again);
    demand(checkpoint_append(&checkpoint, &again, &err) == OK);
    demand(bytes_equal(text_bytes(&again), bytes));
    text_clear(&again);
}

static void check_verifier(struct bytes bytes)
{
    struct note_verifier verifier;
    struct text again;
    struct error err;
    enum status status;

    error_init(&err);
    status = note_verifier_parse(&verifier, bytes, &err);
    if (status != OK) {
        refused(status, &err);
        return;
    }
    text_init(&again);
    demand(note_verifier_append(&verifier, &again, &err) == OK);
    demand(bytes_equal(text_bytes(&again), bytes));
    text_clear(&again);
    note_verifier_clear(&verifier);
}

/* The one text that the corpus has signed with these keys; the fuzzer cannot
 * sign others. */
static const char signed_text[] =
    "log.example/demo\n42\nSBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=\n";

static void check_signatures(const struct note *note)
{
    static struct note_verifier verifier[2];
    bool signed_by[2];
    uint64_t time_seconds[2];
    struct error err;
    enum status status;

    error_init(&err);
    for (size_t i = 0; i < 2 && verifier[i].public_key == NULL; i++)
        demand(note_verifier_parse(&verifier[i], bytes_of_string(keys[i]),
                                   &err) == OK);
    status = note_verify(note, verifier, 2, signed_by, time_seconds, &err);
    if (status == OK) {
        if (signed_by[0] || signed_by[1])
            demand(bytes_equal_string(note->text, signed_text));
        return;
    }
    refused(status, &err);
    demand(!signed_by[0] && !signed_by[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = bytes_of(data, size);
    struct note note;
    struct error err;
    enum status status;

    check_checkpoint(bytes);
    check_verifier(bytes);
    error_init(&err);
    status = note_parse(&note, bytes, &err);
    if (status != OK) {
        refused(status, &err);
        return 0;
    }
    demand(note.text.data == data && note.text.size > 0);
    demand(note.text.data[note.text.size - 1] == '\n');
    demand(note.signatures.data == data + note.text.size + 1);
    demand(note.text.size + 1 + note.signatures.size == size);
    demand(memmem(note.signatures.data, note.signatures.size, "\n\n", 2) ==
           NULL);
    check_checkpoint(note.text);
    check_signatures(&note);
    return 0;
}
