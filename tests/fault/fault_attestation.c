#include "anonymizer/attestation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/fault/fault.h"
#include "tests/lib/released.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_attestation(void);

static struct network network;
static struct released world;
static struct scratch scratch;

/* The certificate of a small release; both also as files. */
static void begin(void)
{
    struct error err;

    error_init(&err);
    network_open(&network);
    released_open(&world, &network);
    released_walk(&world);
    CU_ASSERT_EQUAL_FATAL(released_certify(&world, &err), OK);
    scratch_open(&scratch);
    scratch_write(&scratch, "certificate.json", world.certificate.data);
    scratch_write(&scratch, "release.csv", world.table);
    fault_spare_openssl(true);
}

static void end(void)
{
    fault_spare_openssl(false);
    scratch_close(&scratch);
    released_close(&world);
    network_close(&network);
}

static struct attestation *certificate(void)
{
    struct attestation *attestation = NULL;
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(
        attestation_parse(&attestation, text_bytes(&world.certificate), &err),
        OK);
    return attestation;
}

static void a_certificate_that_cannot_be_read_is_none(void)
{
    struct error err;

    begin();
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct attestation *attestation = NULL;
        enum status status;

        error_init(&err);
        fault_on();
        status = attestation_parse(&attestation, text_bytes(&world.certificate),
                                   &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        CU_ASSERT((attestation == NULL) == (status != OK));
        attestation_destroy(&attestation);
    }
    FAULT_LOOP(FAULT_READ, EIO)
    {
        struct attestation *attestation = NULL;
        enum status status;

        error_init(&err);
        fault_on();
        status = attestation_load(
            &attestation, scratch_path(&scratch, "certificate.json"), &err);
        fault_off();
        fault_expect(status, &err, E_IO);
        CU_ASSERT((attestation == NULL) == (status != OK));
        attestation_destroy(&attestation);
    }
    end();
}

/* A lack of memory is no "no". */
static void what_cannot_be_verified_is_not_refused(void)
{
    struct attestation *attestation;
    struct error err;

    begin();
    attestation = certificate();
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct attestation_findings findings;
        enum status status;

        error_init(&err);
        fault_on();
        status = attestation_verify(attestation, &world.trust, &findings, &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
    }
    attestation_destroy(&attestation);
    end();
}

static void recount(unsigned calls, int errno_value, enum status expected)
{
    struct attestation *attestation = certificate();
    struct error err;
    int fd = open(scratch_path(&scratch, "release.csv"), O_RDONLY);

    CU_ASSERT_FATAL(fd >= 0);
    FAULT_LOOP(calls, errno_value)
    {
        struct attestation_findings findings;
        struct recheck_result *result = NULL;
        enum status status;

        error_init(&err);
        fault_on();
        status = attestation_recount(attestation, fd, "release.csv", NULL,
                                     &findings, &result, &err);
        fault_off();
        fault_expect(status, &err, expected);
        CU_ASSERT(result != NULL || status != OK);
        recheck_destroy(&result);
    }
    close(fd);
    attestation_destroy(&attestation);
}

static void a_file_that_cannot_be_read_is_not_refused(void)
{
    begin();
    recount(FAULT_MEMORY, ENOMEM, E_MEMORY);
    recount(FAULT_READ, EIO, E_IO);
    recount(FAULT_SEEK, EIO, E_IO);
    end();
}

static void a_certificate_that_cannot_be_written_is_not_begun(void)
{
    struct error err;

    begin();
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct text out;
        enum status status;

        error_init(&err);
        text_init(&out);
        fault_on();
        status = attestation_write(&world.parts, &out, &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        CU_ASSERT_EQUAL(out.size > 0, status == OK);
        text_clear(&out);
    }
    end();
}

void suite_attestation(void)
{
    static const struct test tests[] = {
        {"a certificate that cannot be read is none",
         a_certificate_that_cannot_be_read_is_none},
        {"what cannot be verified is not refused",
         what_cannot_be_verified_is_not_refused},
        {"a file that cannot be read is not refused",
         a_file_that_cannot_be_read_is_not_refused},
        {"a certificate that cannot be written is not begun",
         a_certificate_that_cannot_be_written_is_not_begun},
    };

    suite_add("attestation", tests, sizeof tests / sizeof *tests);
}
