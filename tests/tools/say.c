/*
 * tests/tools/say.c - for end-to-end tests: any message to a service, by
 * anybody who has keys.
 *
 *     say DIR USER ROLE MESSAGE [FIELD]...
 *
 * USER as in `anchorite ledger --as`, ROLE broker or anonymizer, MESSAGE and
 * its fields in the order of common/messages.def:
 *
 *     text:WORDS   hex:DIGITS   number:N   file:PATH, its bytes
 *     upload:PATH  the file is sent ahead; the field is the upload's id
 *
 * Prints the answer's fields, "name value", bytes in hex; exit codes and words
 * of a refusal are as those of `anchorite`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/session.h"
#include "common/encoding.h"
#include "common/files.h"
#include "common/ledger_questions.h"
#include "common/upload.h"

#define TIMEOUT_MS 20000

enum kind { BYTES, TEXT, U64 };

/* All messages, and all fields in the order of their numbers. */
static const struct {
    enum message_type type;
    enum message_field first;
    const char *name;
} messages[] = {
#define MESSAGE(id, name, direction) {MESSAGE_##id, id##_FIRST, name},
#define FIELD(message, id, name, kind, size_min, size_max)
#include "common/messages.def"
};

static const struct {
    enum message_field field;
    enum message_type message;
    const char *name;
    enum kind kind;
} fields[] = {
#define MESSAGE(id, name, direction)
#define FIELD(message, id, name, kind, size_min, size_max)                     \
    {message##_##id, MESSAGE_##message, name, kind},
#include "common/messages.def"
};

#define FIELDS (sizeof fields / sizeof *fields)

/* docs/protocol.md, Messages. */
static const struct {
    enum message_type request, answer;
} answers[] = {
    {MESSAGE_PART, MESSAGE_TAKEN},        {MESSAGE_CONSENTS, MESSAGE_RECORDED},
    {MESSAGE_WITHDRAW, MESSAGE_RECORDED}, {MESSAGE_RESOLVE, MESSAGE_RECORDED},
    {MESSAGE_SAID, MESSAGE_TOLD},         {MESSAGE_REQUEST, MESSAGE_RECORDED},
    {MESSAGE_REQUESTS, MESSAGE_TOLD},     {MESSAGE_RELEASE, MESSAGE_PROGRESS},
    {MESSAGE_ENDORSE, MESSAGE_PROGRESS},  {MESSAGE_INGEST, MESSAGE_TAKEN},
    {MESSAGE_ROWS, MESSAGE_TAKEN},        {MESSAGE_INGESTED, MESSAGE_TOLD},
    {MESSAGE_NAME, MESSAGE_TAKEN},        {MESSAGE_PERMIT, MESSAGE_PROGRESS},
    {MESSAGE_JOB, MESSAGE_PROGRESS},      {MESSAGE_SIGN, MESSAGE_SIGNED},
    {MESSAGE_PUBLISH, MESSAGE_PROGRESS},  {MESSAGE_FETCH, MESSAGE_PIECE},
    {MESSAGE_EVENTS, MESSAGE_TOLD},       {MESSAGE_ERASE, MESSAGE_RECORDED},
    {MESSAGE_DENIED, MESSAGE_TAKEN},      {MESSAGE_DENIALS, MESSAGE_TOLD},
};

struct saying {
    struct session session;
    struct service_session service;
    struct message message;
    struct text memory[MESSAGE_FIELDS_MAX];
    size_t count;
};

/* ---- what is said ---- */

static enum status set_hex(struct text *memory, const char *digits,
                           struct error *err)
{
    size_t size = strlen(digits) / 2;
    uint8_t *bytes = malloc(size + 1);
    enum status status = OK;

    if (bytes == NULL)
        return error_memory(err, "a field");
    if (!hex_decode(bytes_of_string(digits), bytes, size))
        status = error_set(err, E_USAGE, "expected hex digits");
    if (status == OK)
        status = text_append(memory, bytes, size, err);
    free(bytes);
    return status;
}

static enum status set_upload(struct saying *saying, struct text *memory,
                              const char *path, struct error *err)
{
    struct upload_id id;
    struct text file;
    enum status status;

    text_init(&file);
    status = file_read(path, UPLOAD_SIZE_MAX, &file, err);
    if (status == OK)
        status =
            upload_send(saying->service.client, text_bytes(&file), &id, err);
    if (status == OK)
        status = text_append(memory, id.byte, sizeof id.byte, err);
    text_clear(&file);
    return status;
}

static enum status set_field(struct saying *saying, enum message_field field,
                             const char *said, struct error *err)
{
    struct text *memory = &saying->memory[saying->count++];
    const char *colon = strchr(said, ':');
    enum status status;

    if (colon == NULL)
        return error_set(err, E_USAGE, "expected KIND:VALUE");
    if (strncmp(said, "number:", 7) == 0) {
        message_set_number(&saying->message, field,
                           strtoull(colon + 1, NULL, 10));
        return OK;
    }
    if (strncmp(said, "hex:", 4) == 0)
        status = set_hex(memory, colon + 1, err);
    else if (strncmp(said, "file:", 5) == 0)
        status = file_read(colon + 1, UPLOAD_SIZE_MAX, memory, err);
    else if (strncmp(said, "upload:", 7) == 0)
        status = set_upload(saying, memory, colon + 1, err);
    else
        status = text_append_string(memory, colon + 1, err);
    if (status == OK)
        message_set_bytes(&saying->message, field, text_bytes(memory));
    return status;
}

static enum status find_message(const char *name, size_t *at, struct error *err)
{
    for (*at = 0; *at < sizeof messages / sizeof *messages; ++*at)
        if (strcmp(messages[*at].name, name) == 0 &&
            message_direction(messages[*at].type) == MESSAGE_IS_REQUEST)
            return OK;
    return error_set(err, E_USAGE, "there is no request %s", name);
}

static enum status set_fields(struct saying *saying, const char *name,
                              char **said, size_t count, struct error *err)
{
    size_t at, wanted = 0;
    enum status status = find_message(name, &at, err);

    if (status != OK)
        return status;
    question_init(&saying->message, messages[at].type);
    for (size_t i = 0; i < FIELDS; i++)
        wanted += fields[i].message == messages[at].type;
    if (wanted != count)
        return error_set(err, E_USAGE, "%s has %zu fields", name, wanted);
    for (size_t i = 0; status == OK && i < count; i++)
        status = set_field(saying, messages[at].first + (enum message_field)i,
                           said[i], err);
    return status;
}

/* ---- what is answered ---- */

static void print_answer(const struct message *answer)
{
    for (size_t i = 0; i < FIELDS; i++) {
        struct bytes bytes;

        if (fields[i].message != answer->type)
            continue;
        printf("%s ", fields[i].name);
        if (fields[i].kind == U64) {
            printf("%ju\n", (uintmax_t)message_number(answer, fields[i].field));
            continue;
        }
        bytes = message_bytes(answer, fields[i].field);
        if (fields[i].kind == TEXT)
            fwrite(bytes.data, 1, bytes.size, stdout);
        for (size_t at = 0; fields[i].kind == BYTES && at < bytes.size; at++)
            printf("%02x", (unsigned)((const uint8_t *)bytes.data)[at]);
        putchar('\n');
    }
}

static enum status ask(struct saying *saying, struct error *err)
{
    struct client_answer answer = {.memory = NULL};
    enum status status = OK;
    size_t at = 0;

    while (at < sizeof answers / sizeof *answers &&
           answers[at].request != saying->message.type)
        at++;
    if (at == sizeof answers / sizeof *answers)
        return error_set(err, E_USAGE, "that is no message to a service");
    status = client_ask(saying->service.client, &saying->message,
                        answers[at].answer, &answer, err);
    if (status == OK)
        print_answer(&answer.message);
    client_answer_clear(&answer);
    return status;
}

int main(int argc, char **argv)
{
    static struct saying saying;
    enum identity_role role;
    struct error err;
    enum status status = OK;

    error_init(&err);
    for (size_t i = 0; i < MESSAGE_FIELDS_MAX; i++)
        text_init(&saying.memory[i]);
    if (argc < 5 || argc - 5 > MESSAGE_FIELDS_MAX ||
        !identity_role_parse(bytes_of_string(argv[3]), &role))
        status = error_set(&err, E_USAGE, "see its source");
    if (status == OK)
        status =
            session_open(&saying.session, argv[1], argv[2], TIMEOUT_MS, &err);
    if (status == OK)
        status = service_session_open_near(&saying.service, &saying.session,
                                           role, &err);
    if (status == OK)
        status =
            set_fields(&saying, argv[4], argv + 5, (size_t)(argc - 5), &err);
    if (status == OK)
        status = ask(&saying, &err);
    if (status != OK)
        fprintf(stderr, "say: %s\n", err.text);
    service_session_close(&saying.service);
    session_close(&saying.session);
    for (size_t i = 0; i < MESSAGE_FIELDS_MAX; i++)
        text_clear(&saying.memory[i]);
    return status_exit_code(status);
}
