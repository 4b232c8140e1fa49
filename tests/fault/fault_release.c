#include "anonymizer/release.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fault/fault.h"
#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_release(void);

#define RELEASE "age,note,city\n30-39,\"a\"\"b\",Rome\n*,x,*\n30-39,,Bern\n"

static struct fixture fixture;
static struct error err;

static void prepare(void)
{
    fixture_init(&fixture);
    fixture_attribute(&fixture, "age", ROLE_QUASI_IDENTIFYING,
                      "31,30-39,*\n35,30-39,*\n47,40-49,*\n");
    fixture_attribute(&fixture, "city", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_attribute(&fixture, "note", ROLE_INSENSITIVE, NULL);
    fixture_k(&fixture, 1);
    fixture_load(&fixture, "age,note,city\n31,\"a\"\"b\",Rome\n47,x,Rome\n"
                           "35,,Bern\n");
}

static enum status write_again(void)
{
    static const uint8_t level[] = {1, 0};
    static const bool suppressed[] = {false, true, false};
    struct release_plan plan = {.policy = &fixture.policy,
                                .table = fixture.table,
                                .lattice = fixture.lattice,
                                .level = level,
                                .suppressed = suppressed};
    int output = memfd_create("release", MFD_CLOEXEC);
    struct digest digest, expected;
    char written[256] = "";
    enum status status;

    error_init(&err);
    fault_on();
    status = release_write(&plan, fixture.fd, "table.csv", output,
                           "release.csv", NULL, &digest, &err);
    fault_off();
    ERR_clear_error();
    if (status == OK) {
        size_t size = 0;
        ssize_t got;

        /* Short ones are short here, too. */
        while ((got = pread(output, written + size, sizeof written - 1 - size,
                            (off_t)size)) > 0)
            size += (size_t)got;
        CU_ASSERT_STRING_EQUAL(written, RELEASE);
        CU_ASSERT_EQUAL(digest_bytes(&expected, bytes_of_string(RELEASE), &err),
                        OK);
        CU_ASSERT_EQUAL(memcmp(&digest, &expected, sizeof digest), 0);
    }
    close(output);
    return status;
}

/* OpenSSL does not tell a lack of memory from other failures. */
static void without_memory_there_is_no_release(void)
{
    prepare();
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        enum status status = write_again();

        CU_ASSERT(status == OK || fault_happened());
        CU_ASSERT(status == OK || status == E_MEMORY || status == E_SYSTEM);
        CU_ASSERT_EQUAL(err.status, status);
    }
    fixture_clear(&fixture);
}

static void failing_files_are_told(void)
{
    prepare();
    FAULT_LOOP(FAULT_READ, EIO)
    {
        fault_expect(write_again(), &err, E_IO);
        CU_ASSERT(!fault_happened() || strstr(err.text, "table.csv") != NULL);
    }
    FAULT_LOOP(FAULT_SEEK, EIO)
    {
        fault_expect(write_again(), &err, E_IO);
        CU_ASSERT(!fault_happened() || strstr(err.text, ".csv") != NULL);
    }
    FAULT_LOOP(FAULT_WRITE, ENOSPC)
    {
        fault_expect(write_again(), &err, E_IO);
        CU_ASSERT(!fault_happened() || strstr(err.text, "release.csv") != NULL);
    }
    fixture_clear(&fixture);
}

static void short_transfers_are_whole(void)
{
    prepare();
    fault_short_transfers(true);
    CU_ASSERT_EQUAL(write_again(), OK);
    fault_short_transfers(false);
    fixture_clear(&fixture);
}

void suite_release(void)
{
    static const struct test tests[] = {
        {"without memory there is no release",
         without_memory_there_is_no_release},
        {"failing files are told, by name", failing_files_are_told},
        {"short transfers are whole", short_transfers_are_whole},
    };

    suite_add("release", tests, sizeof tests / sizeof tests[0]);
}
