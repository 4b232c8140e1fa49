#include "common/upload.h"

#include <errno.h>
#include <string.h>

#include "tests/fault/fault.h"
#include "tests/lib/suite.h"

void suite_upload(void);

static const char owner[] = "00000000000000000000000000000001";

static enum status take(struct uploads *uploads, struct bytes id,
                        uint64_t offset, const char *text, struct error *err)
{
    static const uint8_t none[MESSAGE_REQUEST_ID_SIZE];
    struct message part;
    uint64_t size;

    message_init(&part, MESSAGE_PART, none);
    message_set_bytes(&part, PART_UPLOAD, id);
    message_set_number(&part, PART_OFFSET, offset);
    message_set_bytes(&part, PART_BYTES, bytes_of_string(text));
    return uploads_take(uploads, owner, &part, 0, &size, err);
}

static void an_upload_is_as_it_was_without_memory(void)
{
    static const char *const texts[] = {"one ", "after ", "the other"};
    const struct bytes id = bytes_of("0123456789abcdef", UPLOAD_ID_SIZE);
    struct error err;

    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct uploads *uploads = NULL;
        char expected[32] = "";
        enum status status;
        struct bytes bytes;

        error_init(&err);
        fault_on();
        status = uploads_create(&uploads, &err);
        for (size_t i = 0; status == OK && i < 3; i++) {
            status = take(uploads, id, strlen(expected), texts[i], &err);
            if (status == OK)
                snprintf(expected + strlen(expected),
                         sizeof expected - strlen(expected), "%s", texts[i]);
        }
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        if (uploads != NULL && expected[0] != '\0') {
            CU_ASSERT_EQUAL(uploads_find(uploads, owner, id, &bytes, &err), OK);
            CU_ASSERT(bytes_equal_string(bytes, expected));
        } else if (uploads != NULL) {
            CU_ASSERT_EQUAL(uploads_find(uploads, owner, id, &bytes, &err),
                            E_INPUT);
        }
        uploads_destroy(&uploads);
    }
}

void suite_upload(void)
{
    static const struct test tests[] = {
        {"an upload is as it was without memory",
         an_upload_is_as_it_was_without_memory},
    };

    suite_add("upload", tests, sizeof tests / sizeof *tests);
}
