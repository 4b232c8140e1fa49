#include "common/entry.h"

#include <errno.h>
#include <string.h>

#include "tests/fault/fault.h"
#include "tests/lib/suite.h"

void suite_entry(void);

#define AUTHOR "00112233445566778899aabbccddeeff"
static const char entry_text[] =
    "{\"author\":\"" AUTHOR "\",\"channel\":\"research\",\"nonce\":"
    "\"0f1e2d3c4b5a69788796a5b4c3d2e1f0\",\"origin\":\"log.example/demo\","
    "\"payload\":{\"a\":[1,true],\"b\":\"x\"},\"type\":\"request\"}";
static const char signatures_text[] =
    "[{\"by\":\"" AUTHOR "\",\"signature\":\"MAYCAQECAQE=\"},"
    "{\"by\":\"ffeeddccbbaa99887766554433221100\","
    "\"signature\":\"MAYCAQICAQI=\"}]";
static const uint8_t nonce[ENTRY_NONCE_SIZE] = {
    0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5a, 0x69, 0x78,
    0x87, 0x96, 0xa5, 0xb4, 0xc3, 0xd2, 0xe1, 0xf0};

static void entry_is_not_taken_for_malformed(void)
{
    struct error err;

    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct entry entry;
        enum status status;

        error_init(&err);
        fault_on();
        status = entry_parse(&entry, bytes_of_string(entry_text),
                             bytes_of_string(signatures_text), &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        CU_ASSERT_EQUAL(entry.json != NULL, status == OK);
        CU_ASSERT_EQUAL(entry.signature_count, status == OK ? 2 : 0);
        entry_clear(&entry);
    }
}

static void entry_is_written_whole_or_not(void)
{
    struct json *payload = NULL;
    struct error err;

    CU_ASSERT_EQUAL_FATAL(
        json_parse(&payload, bytes_of_string("{\"b\":\"x\",\"a\":[1,true]}"),
                   &err),
        OK);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct entry_draft draft = {.type = ENTRY_REQUEST,
                                    .origin = "log.example/demo",
                                    .channel = "research",
                                    .author = AUTHOR,
                                    .nonce = nonce,
                                    .payload = json_root(payload)};
        struct text out;
        enum status status;

        error_init(&err);
        text_init(&out);
        fault_on();
        status = entry_write(&draft, &out, &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        CU_ASSERT_STRING_EQUAL(out.data, status == OK ? entry_text : "");
        text_clear(&out);
    }
    json_destroy(&payload);
}

static void signatures_are_written_whole_or_not(void)
{
    const struct entry_signature signature[] = {
        {"ffeeddccbbaa99887766554433221100", {0x30, 6, 2, 1, 2, 2, 1, 2}, 8},
        {AUTHOR, {0x30, 6, 2, 1, 1, 2, 1, 1}, 8},
    };
    struct error err;

    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct text out;
        enum status status;

        error_init(&err);
        text_init(&out);
        fault_on();
        status = entry_write_signatures(signature, 2, &out, &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        CU_ASSERT_STRING_EQUAL(out.data, status == OK ? signatures_text : "");
        text_clear(&out);
    }
}

static void leaf_is_written_whole_or_not(void)
{
    struct error err;

    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct text out;
        enum status status;

        error_init(&err);
        text_init(&out);
        fault_on();
        status = entry_leaf(bytes_of_string(entry_text),
                            bytes_of_string(signatures_text), VERDICT_VALID, 1,
                            &out, &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        CU_ASSERT_EQUAL(out.size,
                        status == OK ? 4 + strlen(entry_text) + 32 + 1 + 8 : 0);
        text_clear(&out);
    }
}

void suite_entry(void)
{
    static const struct test tests[] = {
        {"entry is not taken for malformed without memory",
         entry_is_not_taken_for_malformed},
        {"entry is written whole or not", entry_is_written_whole_or_not},
        {"signatures are written whole or not",
         signatures_are_written_whole_or_not},
        {"leaf is written whole or not", leaf_is_written_whole_or_not},
    };

    suite_add("entry", tests, sizeof tests / sizeof tests[0]);
}
