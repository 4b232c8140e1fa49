#include "common/entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/cases.h"
#include "tests/lib/child.h"
#include "tests/lib/suite.h"

void suite_entry(void);

#define AUTHOR "00112233445566778899aabbccddeeff"
#define OTHER "ffeeddccbbaa99887766554433221100"
#define NONCE "0f1e2d3c4b5a69788796a5b4c3d2e1f0"

#define PAYLOAD                                                                \
    "{\"count\":3,\"items\":[\"a\",true,-9007199254740992,9007199254740992,"   \
    "{}],\"text\":\"\xC3\xA9\"}"
static const char base[] =
    "{\"author\":\"" AUTHOR "\",\"channel\":\"research\",\"nonce\":\"" NONCE
    "\",\"origin\":\"log.example/demo\",\"payload\":" PAYLOAD
    ",\"type\":\"request\"}";

/* SHA-256 of base, by Python's hashlib. */
static const char base_id[] =
    "63315b1c728a3f7b2c46f2cbadcb0fee0aef7e0a149e51dec4ccf59003ff4bba";

/* r = s = 1 and r = s = 2: 30 06 02 01 01 02 01 01 in base64. */
static const char base_signatures[] =
    "[{\"by\":\"" AUTHOR "\",\"signature\":\"MAYCAQECAQE=\"},"
    "{\"by\":\"" OTHER "\",\"signature\":\"MAYCAQICAQI=\"}]";
static const char one_signature[] =
    "[{\"by\":\"" AUTHOR "\",\"signature\":\"MAYCAQECAQE=\"}]";

static struct entry entry_of(struct bytes bytes, struct bytes signatures)
{
    struct entry entry;
    struct error err;

    error_init(&err);
    if (entry_parse(&entry, bytes, signatures, &err) != OK) {
        fprintf(stderr, "\n%s\n", err.text);
        CU_FAIL_FATAL("the entry is refused");
    }
    CU_ASSERT_STRING_EQUAL(err.text, "");
    return entry;
}

static void is_clear(const struct entry *entry)
{
    CU_ASSERT_PTR_NULL(entry->json);
    CU_ASSERT_PTR_NULL(entry->payload);
    CU_ASSERT_PTR_NULL(entry->origin);
    CU_ASSERT_PTR_NULL(entry->channel);
    CU_ASSERT_EQUAL(entry->signature_count, 0);
}

/* ---- reading ---- */

static void entry_is_taken_apart(void)
{
    static const uint8_t der[] = {0x30, 6, 2, 1, 2, 2, 1, 2};
    struct entry entry =
        entry_of(bytes_of_string(base), bytes_of_string(base_signatures));
    char id[DIGEST_HEX_SIZE];

    CU_ASSERT_PTR_EQUAL(entry.bytes.data, base);
    CU_ASSERT_PTR_EQUAL(entry.signature_bytes.data, base_signatures);
    digest_hex(&entry.id, id);
    CU_ASSERT_STRING_EQUAL(id, base_id);
    CU_ASSERT_EQUAL(entry.type, ENTRY_REQUEST);
    CU_ASSERT_STRING_EQUAL(entry.author, AUTHOR);
    CU_ASSERT_STRING_EQUAL(entry.nonce, NONCE);
    CU_ASSERT_STRING_EQUAL(entry.origin, "log.example/demo");
    CU_ASSERT_STRING_EQUAL(entry.channel, "research");
    CU_ASSERT_EQUAL(json_length(entry.payload), 3);
    CU_ASSERT_EQUAL(json_number(json_member(entry.payload, "count")), 3);
    CU_ASSERT_EQUAL(entry.signature_count, 2);
    CU_ASSERT_STRING_EQUAL(entry.signature[0].by, AUTHOR);
    CU_ASSERT_STRING_EQUAL(entry.signature[1].by, OTHER);
    CU_ASSERT_EQUAL_FATAL(entry.signature[1].size, sizeof der);
    CU_ASSERT_EQUAL(memcmp(entry.signature[1].bytes, der, sizeof der), 0);
    entry_clear(&entry);
    is_clear(&entry);
    entry_clear(&entry);
}

/* "before => after": the first place of `text` that is `before`. */
static void change(struct text *out, const char *text,
                   const struct test_case *test)
{
    char *row = strndup((const char *)test->input.data, test->input.size);
    char *after = row != NULL ? strstr(row, " =>") : NULL;
    const char *at;
    struct error err;

    CU_ASSERT_PTR_NOT_NULL_FATAL(after);
    *after = '\0';
    after += after[3] == ' ' ? 4 : 3;
    at = strstr(text, row);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    CU_ASSERT_EQUAL(text_append(out, text, (size_t)(at - text), &err), OK);
    CU_ASSERT_EQUAL(text_append_string(out, after, &err), OK);
    CU_ASSERT_EQUAL(text_append_string(out, at + strlen(row), &err), OK);
    free(row);
}

static void expect_refusal(struct bytes bytes, struct bytes signatures,
                           enum status status, const char *expected)
{
    struct entry entry;
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(entry_parse(&entry, bytes, signatures, &err), status);
    if (strcmp(err.text, expected) != 0)
        fprintf(stderr, "\n  expected: %s\n  got:      %s\n", expected,
                err.text);
    CU_ASSERT_STRING_EQUAL(err.text, expected);
    is_clear(&entry);
}

static void refuse_entry(const struct test_case *test)
{
    struct entry entry;
    struct text text;
    struct error err;

    error_init(&err);
    text_init(&text);
    change(&text, base, test);
    CU_ASSERT_EQUAL(entry_parse(&entry, text_bytes(&text),
                                bytes_of_string(base_signatures), &err),
                    E_INPUT);
    case_expect(test, err.text);
    is_clear(&entry);
    text_clear(&text);
}

static void other_forms_are_refused(void)
{
    cases_run("tests/data/entry/entries.cases", refuse_entry);
}

static void refuse_signatures(const struct test_case *test)
{
    struct entry entry;
    struct text text;
    struct error err;

    error_init(&err);
    text_init(&text);
    change(&text, base_signatures, test);
    CU_ASSERT_EQUAL(
        entry_parse(&entry, bytes_of_string(base), text_bytes(&text), &err),
        E_INPUT);
    case_expect(test, err.text);
    is_clear(&entry);
    text_clear(&text);
}

static void other_forms_of_signatures_are_refused(void)
{
    cases_run("tests/data/entry/signatures.cases", refuse_signatures);
}

static void what_is_no_object_is_refused(void)
{
    struct bytes signatures = bytes_of_string(base_signatures);

    expect_refusal(bytes_of(NULL, 0), signatures, E_INPUT,
                   "entry: line 1, column 1: the text ends here, expected a "
                   "value");
    expect_refusal(bytes_of_string("[]"), signatures, E_INPUT,
                   "entry: an array, expected an object");
    expect_refusal(bytes_of_string("null"), signatures, E_INPUT,
                   "entry: null, expected an object");
    expect_refusal(bytes_of_string("\"\xFF\""), signatures, E_INPUT,
                   "entry: line 1, column 2: byte 0xFF that does not belong "
                   "there, expected UTF-8");
    expect_refusal(bytes_of(base, sizeof base), signatures, E_INPUT,
                   "entry: line 1, column 245: byte 0x00, expected nothing "
                   "behind the value");
    expect_refusal(bytes_of_string(base), bytes_of(NULL, 0), E_INPUT,
                   "signatures of an entry: another form, expected [");
}

/* ---- every byte counts ---- */

/* Exactly as long, so that a sanitizer sees who reads on. */
static uint8_t *copy_of(const char *text, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, text, size);
    return copy;
}

static void what_is_cut_short_is_refused(void)
{
    struct entry entry;
    struct error err;

    for (size_t size = 0; size < strlen(base); size++) {
        uint8_t *copy = copy_of(base, size);

        CU_ASSERT_EQUAL(entry_parse(&entry, bytes_of(copy, size),
                                    bytes_of_string(base_signatures), &err),
                        E_INPUT);
        free(copy);
    }
    for (size_t size = 0; size < strlen(base_signatures); size++) {
        uint8_t *copy = copy_of(base_signatures, size);

        CU_ASSERT_EQUAL(entry_parse(&entry, bytes_of_string(base),
                                    bytes_of(copy, size), &err),
                        E_INPUT);
        free(copy);
    }
}

/* What a byte is changed into: all that JSON, hex and base64 tell apart. */
static const char tried[] =
    "\0\t\n\r \"\\/bfnrtu,:{}[]019-+.eEagGzAFZ=\x1f\x7f\x80\xa9\xc2\xc3\xff";

/* No two texts may mean the same entry. */
static void changed_byte_is_refused_or_another_entry(void)
{
    size_t size = strlen(base);
    uint8_t *copy = copy_of(base, size);
    struct entry entry, changed;
    struct error err;

    entry = entry_of(bytes_of_string(base), bytes_of_string(base_signatures));
    for (size_t i = 0; i < size; i++) {
        for (size_t j = 0; j < sizeof tried - 1; j++) {
            if (tried[j] == base[i])
                continue;
            copy[i] = (uint8_t)tried[j];
            if (entry_parse(&changed, bytes_of(copy, size),
                            bytes_of_string(base_signatures), &err) != OK)
                continue;
            CU_ASSERT(changed.type != entry.type ||
                      strcmp(changed.author, entry.author) != 0 ||
                      strcmp(changed.nonce, entry.nonce) != 0 ||
                      strcmp(changed.origin, entry.origin) != 0 ||
                      strcmp(changed.channel, entry.channel) != 0 ||
                      strncmp(PAYLOAD,
                              (char *)copy + (strstr(base, "{\"cou") - base),
                              strlen(PAYLOAD)) != 0);
            CU_ASSERT(memcmp(&changed.id, &entry.id, sizeof entry.id) != 0);
            entry_clear(&changed);
        }
        copy[i] = (uint8_t)base[i];
    }
    entry_clear(&entry);
    free(copy);
}

static void changed_byte_is_no_signature_or_another_one(void)
{
    size_t size = strlen(base_signatures);
    uint8_t *copy = copy_of(base_signatures, size);
    struct entry entry, changed;
    struct error err;
    bool differs;

    entry = entry_of(bytes_of_string(base), bytes_of_string(base_signatures));
    for (size_t i = 0; i < size; i++) {
        for (size_t j = 0; j < sizeof tried - 1; j++) {
            if (tried[j] == base_signatures[i])
                continue;
            copy[i] = (uint8_t)tried[j];
            if (entry_parse(&changed, bytes_of_string(base),
                            bytes_of(copy, size), &err) != OK)
                continue;
            differs = false;
            for (size_t k = 0; k < 2; k++)
                differs = differs ||
                          strcmp(changed.signature[k].by,
                                 entry.signature[k].by) != 0 ||
                          memcmp(changed.signature[k].bytes,
                                 entry.signature[k].bytes, 8) != 0;
            CU_ASSERT(differs);
            entry_clear(&changed);
        }
        copy[i] = (uint8_t)base_signatures[i];
    }
    entry_clear(&entry);
    free(copy);
}

/* ---- limits ---- */

static void size_is_limited(void)
{
    static const char front[] =
        "{\"author\":\"" AUTHOR "\",\"channel\":\"c\",\"nonce\":\"" NONCE
        "\",\"origin\":\"o\",\"payload\":{\"a\":\"";
    static const char back[] = "\"},\"type\":\"access\"}";
    struct entry entry;
    struct text text;
    struct error err;

    text_init(&text);
    for (size_t size = 65536; size <= 65537; size++) {
        size_t fill = size - strlen(front) - strlen(back);

        text_reset(&text);
        CU_ASSERT_EQUAL(text_append_string(&text, front, &err), OK);
        CU_ASSERT_EQUAL_FATAL(text_reserve(&text, fill, &err), OK);
        memset(text.data + text.size, 'x', fill);
        text.size += fill;
        CU_ASSERT_EQUAL(text_append_string(&text, back, &err), OK);
        CU_ASSERT_EQUAL(text.size, size);
        if (size == 65536) {
            entry = entry_of(text_bytes(&text), bytes_of_string(one_signature));
            entry_clear(&entry);
        } else {
            expect_refusal(text_bytes(&text), bytes_of_string(one_signature),
                           E_LIMIT,
                           "entry: 65537 bytes, expected at most 65536");
        }
    }
    text_clear(&text);
}

static void append_signatures(struct text *out, unsigned count)
{
    struct error err;

    for (unsigned i = 0; i < count; i++)
        CU_ASSERT_EQUAL(text_printf(out, &err,
                                    "%s{\"by\":\"00112233445566778899aabbccddee"
                                    "%02x\",\"signature\":\"MAYCAQECAQE=\"}",
                                    i == 0 ? "[" : ",", 0xff + i - count + 1),
                        OK);
    CU_ASSERT_EQUAL(text_append_string(out, "]", &err), OK);
}

static void number_of_signatures_is_limited(void)
{
    struct entry entry;
    struct text text;
    struct error err;

    text_init(&text);
    append_signatures(&text, 16);
    entry = entry_of(bytes_of_string(base), text_bytes(&text));
    CU_ASSERT_EQUAL(entry.signature_count, 16);
    CU_ASSERT_STRING_EQUAL(entry.signature[15].by, AUTHOR);
    entry_clear(&entry);
    text_reset(&text);
    append_signatures(&text, 17);
    expect_refusal(bytes_of_string(base), text_bytes(&text), E_LIMIT,
                   "signatures of an entry: number 17: one more, expected at "
                   "most 16");
    CU_ASSERT_EQUAL_FATAL(text_reserve(&text, 4097, &err), OK);
    text.size = 4097;
    expect_refusal(bytes_of_string(base), text_bytes(&text), E_LIMIT,
                   "signatures of an entry: 4097 bytes, expected at most 4096");
    text_clear(&text);
}

static void longest_signature_is_accepted(void)
{
    /* r is 33 bytes of DER, s the largest low one (by Python). */
    static const uint8_t r[] = {0x30, 0x45, 0x02, 0x21, 0x00};
    uint8_t der[71];
    struct entry_signature signature = {.by = AUTHOR, .size = sizeof der};
    struct entry entry;
    struct text text;
    struct error err;

    memset(der, 0xff, sizeof der);
    memcpy(der, r, sizeof r);
    der[37] = 0x02;
    der[38] = 0x20;
    memset(der + 39, 0x7f, 32);
    memcpy(signature.bytes, der, sizeof der);
    text_init(&text);
    CU_ASSERT_EQUAL(entry_write_signatures(&signature, 1, &text, &err), OK);
    entry = entry_of(bytes_of_string(base), text_bytes(&text));
    CU_ASSERT_EQUAL(entry.signature[0].size, sizeof der);
    CU_ASSERT_EQUAL(memcmp(entry.signature[0].bytes, der, sizeof der), 0);
    entry_clear(&entry);
    text_clear(&text);
}

static void depth_of_the_payload_is_limited(void)
{
    struct text text;
    struct error err;

    text_init(&text);
    CU_ASSERT_EQUAL(text_append_string(&text, "{\"author\":", &err), OK);
    for (int i = 0; i < 64; i++)
        CU_ASSERT_EQUAL(text_append_string(&text, "[", &err), OK);
    expect_refusal(text_bytes(&text), bytes_of_string(one_signature), E_LIMIT,
                   "entry: line 1, column 74: one level more, expected at most "
                   "64");
    text_clear(&text);
}

/* ---- names ---- */

static void types_and_verdicts_have_names(void)
{
    static const char *const types[] = {
        "dataset", "consent", "withdraw", "erase",   "request",
        "approve", "reject",  "permit",   "release", "access",
        "enrol",   "revoke",  "member",
    };
    static const char *const verdicts[] = {
        "valid",   "unknown-signer", "bad-signature", "expired",
        "revoked", "forbidden",      "not-endorsed",  "conflict",
        "stale",   "against-rule",
    };

    CU_ASSERT_EQUAL(ENTRY_TYPE_COUNT, sizeof types / sizeof types[0]);
    for (unsigned i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct entry entry;
        struct text text;
        struct error err;

        CU_ASSERT_STRING_EQUAL(entry_type_name((enum entry_type)i), types[i]);
        text_init(&text);
        CU_ASSERT_EQUAL(text_append(&text, base, strlen(base) - 9, &err), OK);
        CU_ASSERT_EQUAL(text_printf(&text, &err, "%s\"}", types[i]), OK);
        entry = entry_of(text_bytes(&text), bytes_of_string(base_signatures));
        CU_ASSERT_EQUAL(entry.type, i);
        entry_clear(&entry);
        text_clear(&text);
    }
    for (unsigned i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
        CU_ASSERT_STRING_EQUAL(entry_verdict_name((enum entry_verdict)i),
                               verdicts[i]);
}

static void channels_are_names_of_folders(void)
{
    static const char *const good[] = {"a", "research", "a-1", "z9-"};
    static const char *const bad[] = {"",    "A",   "1a",  "-a", ".",  "..",
                                      "a.b", "a/b", "a_b", "a ", "a\n"};
    char longest[ENTRY_CHANNEL_MAX + 1];

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CU_ASSERT(entry_channel_valid(bytes_of_string(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT(!entry_channel_valid(bytes_of_string(bad[i])));
    memset(longest, 'a', sizeof longest);
    CU_ASSERT(entry_channel_valid(bytes_of(longest, 64)));
    CU_ASSERT(!entry_channel_valid(bytes_of(longest, 65)));
}

/* ---- writing ---- */

static const uint8_t nonce[ENTRY_NONCE_SIZE] = {
    0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5a, 0x69, 0x78,
    0x87, 0x96, 0xa5, 0xb4, 0xc3, 0xd2, 0xe1, 0xf0};

static struct json *payload_of(const char *text)
{
    struct json *json = NULL;
    struct error err;

    CU_ASSERT_EQUAL_FATAL(json_parse(&json, bytes_of_string(text), &err), OK);
    return json;
}

static struct entry_draft draft_of(const struct json *payload)
{
    return (struct entry_draft){
        .type = ENTRY_REQUEST,
        .origin = "log.example/demo",
        .channel = "research",
        .author = AUTHOR,
        .nonce = nonce,
        .payload = json_root(payload),
    };
}

static void written_entry_is_in_its_form(void)
{
    struct json *payload = payload_of(
        "{ \"text\": \"\\u00e9\", \"items\": [\"a\", true, -9007199254740992, "
        "9007199254740992, {}],\n \"count\": 3.0 }");
    struct entry_draft draft = draft_of(payload);
    struct text text;
    struct error err;

    text_init(&text);
    CU_ASSERT_EQUAL(text_append_string(&text, "before", &err), OK);
    CU_ASSERT_EQUAL(entry_write(&draft, &text, &err), OK);
    CU_ASSERT_EQUAL(strncmp(text.data, "before", 6), 0);
    CU_ASSERT_STRING_EQUAL(text.data + 6, base);
    text_clear(&text);
    json_destroy(&payload);
}

static void refuse_draft(const struct entry_draft *draft, enum status status,
                         const char *expected)
{
    struct text text;
    struct error err;

    error_init(&err);
    text_init(&text);
    CU_ASSERT_EQUAL(text_append_string(&text, "kept", &err), OK);
    CU_ASSERT_EQUAL(entry_write(draft, &text, &err), status);
    CU_ASSERT_STRING_EQUAL(err.text, expected);
    CU_ASSERT_STRING_EQUAL(text.data, "kept");
    text_clear(&text);
}

/* As deep as a document may be, so that no entry can hold it. */
static struct json *deep_payload(void)
{
    struct json *json;
    struct text text;
    struct error err;

    text_init(&text);
    CU_ASSERT_EQUAL(text_append_string(&text, "{\"a\":", &err), OK);
    for (int i = 1; i < 64; i++)
        CU_ASSERT_EQUAL(text_append_string(&text, "[", &err), OK);
    for (int i = 1; i < 64; i++)
        CU_ASSERT_EQUAL(text_append_string(&text, "]", &err), OK);
    CU_ASSERT_EQUAL(text_append_string(&text, "}", &err), OK);
    json = payload_of(text.data);
    text_clear(&text);
    return json;
}

static void impossible_entries_are_not_written(void)
{
    struct json *payload = payload_of("{\"a\": 0.5}"), *list = payload_of("[]");
    struct json *large = NULL, *deep = deep_payload();
    struct entry_draft draft = draft_of(payload);
    char *string = malloc(65537);
    struct error err;

    refuse_draft(&draft, E_INPUT,
                 "a new entry: a number at \"a\" in the payload, expected a "
                 "whole one within +-2^53, or a string");
    draft.payload = json_root(list);
    refuse_draft(&draft, E_INPUT,
                 "a new entry: line 1: \"payload\" is an array, expected an "
                 "object");
    draft.channel = "..";
    refuse_draft(&draft, E_INPUT,
                 "a new entry: line 1: \"channel\" is something else, expected "
                 "1 to 64 lower-case letters, digits and dashes, a letter "
                 "first");
    draft.payload = json_root(deep);
    draft.channel = "research";
    refuse_draft(&draft, E_LIMIT,
                 "a new entry: line 1, column 215: one level more, expected at "
                 "most 64");
    draft = draft_of(payload);
    draft.author = "me";
    refuse_draft(&draft, E_INPUT,
                 "a new entry: line 1: \"author\" is something else, expected "
                 "a certificate id, 32 lower-case hex digits");
    CU_ASSERT_PTR_NOT_NULL_FATAL(string);
    memset(string, 'x', 65536);
    string[65536] = '\0';
    CU_ASSERT_EQUAL_FATAL(json_create(&large, &err), OK);
    CU_ASSERT_EQUAL(json_add_string(json_edit_root(large), "a", string, &err),
                    OK);
    draft = draft_of(large);
    /* 165 bytes of base without its payload, 8 of {"a":""}. */
    refuse_draft(&draft, E_LIMIT,
                 "a new entry: 65709 bytes, expected at most 65536");
    free(string);
    json_destroy(&large);
    json_destroy(&deep);
    json_destroy(&list);
    json_destroy(&payload);
}

static struct entry_signature signature_of(const char *by, uint8_t number)
{
    const uint8_t der[] = {0x30, 6, 2, 1, number, 2, 1, number};
    struct entry_signature signature = {.size = sizeof der};

    snprintf(signature.by, sizeof signature.by, "%s", by);
    memcpy(signature.bytes, der, sizeof der);
    return signature;
}

static void signatures_are_written_in_order(void)
{
    struct entry_signature signature[] = {signature_of(OTHER, 2),
                                          signature_of(AUTHOR, 1)};
    struct text text;
    struct error err;

    text_init(&text);
    CU_ASSERT_EQUAL(entry_write_signatures(signature, 2, &text, &err), OK);
    CU_ASSERT_STRING_EQUAL(text.data, base_signatures);
    text_reset(&text);
    CU_ASSERT_EQUAL(entry_write_signatures(signature + 1, 1, &text, &err), OK);
    CU_ASSERT_STRING_EQUAL(text.data, one_signature);
    text_clear(&text);
}

/* All orders of four give the same. */
static void any_order_of_signatures_is_the_same(void)
{
    static const char *const by[] = {
        "10000000000000000000000000000000", "20000000000000000000000000000000",
        "30000000000000000000000000000000", "40000000000000000000000000000000"};
    struct text first, text;
    struct error err;

    text_init(&first);
    text_init(&text);
    for (unsigned code = 0; code < 256; code++) {
        struct entry_signature signature[4];
        unsigned seen = 0;

        for (unsigned i = 0; i < 4; i++) {
            unsigned which = code >> (2 * i) & 3;

            seen |= 1u << which;
            signature[i] = signature_of(by[which], (uint8_t)(which + 1));
        }
        if (seen != 15)
            continue;
        text_reset(&text);
        CU_ASSERT_EQUAL(entry_write_signatures(signature, 4, &text, &err), OK);
        if (first.size == 0)
            CU_ASSERT_EQUAL(text_append_string(&first, text.data, &err), OK);
        CU_ASSERT_STRING_EQUAL(text.data, first.data);
    }
    CU_ASSERT_EQUAL(strncmp(first.data, "[{\"by\":\"1000", 12), 0);
    text_clear(&first);
    text_clear(&text);
}

static void impossible_signatures_are_not_written(void)
{
    struct entry_signature signature[] = {signature_of(AUTHOR, 1),
                                          signature_of(OTHER, 1),
                                          signature_of(AUTHOR, 2)};
    struct text text;
    struct error err;

    text_init(&text);
    CU_ASSERT_EQUAL(entry_write_signatures(signature, 3, &text, &err), E_INPUT);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "signatures of a new entry: number 3: a second one "
                           "by the same, expected one");
    signature[1].bytes[0] = 0x31;
    CU_ASSERT_EQUAL(entry_write_signatures(signature, 2, &text, &err), E_INPUT);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "signatures of a new entry: number 2: 8 bytes, "
                           "expected DER of an ECDSA P-256 signature with a "
                           "low s");
    signature[0].by[0] = 'x';
    CU_ASSERT_EQUAL(entry_write_signatures(signature, 1, &text, &err), E_INPUT);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "signatures of a new entry: number 1: \"by\" is "
                           "something else, expected a certificate id");
    CU_ASSERT_EQUAL(text.size, 0);
    text_clear(&text);
}

static void signed_entry_is_read_and_verified(void)
{
    struct private_key *key = NULL;
    struct public_key *public_key = NULL;
    struct entry_signature signature;
    struct entry entry;
    struct text text;
    struct error err;

    text_init(&text);
    CU_ASSERT_EQUAL_FATAL(private_key_generate(&key, KEY_P256, &err), OK);
    CU_ASSERT_EQUAL_FATAL(private_key_public(key, &public_key, &err), OK);
    CU_ASSERT_EQUAL_FATAL(
        entry_sign(bytes_of_string(base), AUTHOR, key, &signature, &err), OK);
    CU_ASSERT_EQUAL(entry_write_signatures(&signature, 1, &text, &err), OK);
    entry = entry_of(bytes_of_string(base), text_bytes(&text));
    CU_ASSERT_EQUAL(public_key_verify(public_key, entry.bytes,
                                      bytes_of(entry.signature[0].bytes,
                                               entry.signature[0].size),
                                      &err),
                    OK);
    entry_clear(&entry);
    public_key_destroy(&public_key);
    private_key_destroy(&key);
    text_clear(&text);
}

/* ---- leaves ---- */

static void leaf_is_what_the_header_says(void)
{
    /* SHA-256 of "[]" by sha256sum. */
    static const char expected[] =
        "\x00\x00\x00\x03"
        "abc"
        "\x4f\x53\xcd\xa1\x8c\x2b\xaa\x0c\x03\x54\xbb\x5f\x9a\x3e\xcb\xe5"
        "\xed\x12\xab\x4d\x8e\x11\xba\x87\x3c\x2f\x11\x16\x12\x02\xb9\x45"
        "\x07"
        "\x01\x02\x03\x04\x05\x06\x07\x08";
    struct text text;
    struct error err;

    text_init(&text);
    CU_ASSERT_EQUAL(text_append_string(&text, "x", &err), OK);
    CU_ASSERT_EQUAL(entry_leaf(bytes_of_string("abc"), bytes_of_string("[]"),
                               VERDICT_CONFLICT, UINT64_C(0x0102030405060708),
                               &text, &err),
                    OK);
    CU_ASSERT_EQUAL_FATAL(text.size, 1 + 4 + 3 + 32 + 1 + 8);
    CU_ASSERT_EQUAL(memcmp(text.data + 1, expected, 48), 0);
    CU_ASSERT_EQUAL(text.data[text.size], '\0');
    text_clear(&text);
}

static int leaf_of_no_verdict(void)
{
    struct text text;
    struct error err;

    text_init(&text);
    return entry_leaf(bytes_of_string("{}"), bytes_of_string("[]"),
                      (enum entry_verdict)10, 1, &text, &err) == OK
               ? 0
               : 1;
}

static int write_no_signatures(void)
{
    struct entry_signature none = {.size = 0};
    struct text text;
    struct error err;

    text_init(&text);
    return entry_write_signatures(&none, 0, &text, &err) == OK ? 0 : 1;
}

static void mistakes_of_ours_stop_us(void)
{
    CU_ASSERT(child_aborts(leaf_of_no_verdict));
    CU_ASSERT(child_aborts(write_no_signatures));
}

void suite_entry(void)
{
    static const struct test tests[] = {
        {"entry is taken apart", entry_is_taken_apart},
        {"other forms of an entry are refused", other_forms_are_refused},
        {"other forms of signatures are refused",
         other_forms_of_signatures_are_refused},
        {"what is no object is refused", what_is_no_object_is_refused},
        {"what is cut short is refused", what_is_cut_short_is_refused},
        {"changed byte is refused or makes another entry",
         changed_byte_is_refused_or_another_entry},
        {"changed byte is no signature or another one",
         changed_byte_is_no_signature_or_another_one},
        {"size is limited", size_is_limited},
        {"number of signatures is limited", number_of_signatures_is_limited},
        {"longest signature is accepted", longest_signature_is_accepted},
        {"depth of the payload is limited", depth_of_the_payload_is_limited},
        {"types and verdicts have names", types_and_verdicts_have_names},
        {"channels are names of folders", channels_are_names_of_folders},
        {"written entry is in its form", written_entry_is_in_its_form},
        {"impossible entries are not written",
         impossible_entries_are_not_written},
        {"signatures are written in order", signatures_are_written_in_order},
        {"any order of signatures is the same",
         any_order_of_signatures_is_the_same},
        {"impossible signatures are not written",
         impossible_signatures_are_not_written},
        {"signed entry is read and verified",
         signed_entry_is_read_and_verified},
        {"leaf is what the header says", leaf_is_what_the_header_says},
        {"mistakes of ours stop us", mistakes_of_ours_stop_us},
    };

    suite_add("entry", tests, sizeof tests / sizeof tests[0]);
}
