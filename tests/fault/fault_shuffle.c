#include "anonymizer/shuffle.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <unistd.h>

#include "tests/fault/fault.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_shuffle(void);

static struct scratch scratch;
static struct error err;

static enum status run(size_t held_max)
{
    static const struct shuffle_seed seed = {{7}};
    struct shuffle_input input = {
        .name = "in.csv", .delimiter = ',', .held_max = held_max};
    int output = open(scratch_path(&scratch, "out.csv"),
                      O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct digest digest;
    enum status status;

    input.fd = open(scratch_path(&scratch, "in.csv"), O_RDONLY | O_CLOEXEC);
    error_init(&err);
    fault_on();
    status =
        shuffle_table(&seed, &input, output, "out.csv", NULL, &digest, &err);
    fault_off();
    ERR_clear_error();
    close(input.fd);
    close(output);
    return status;
}

static void prepare(void)
{
    scratch_open(&scratch);
    scratch_write(&scratch, "in.csv", "age,note\n1,\"a\nb\"\n2,c\n3,d\n");
}

static void shuffling_without_memory_ends(void)
{
    prepare();
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        enum status status = run(1024);

        CU_ASSERT(status == OK || fault_happened());
        CU_ASSERT(status == OK || status == E_MEMORY || status == E_SYSTEM);
        CU_ASSERT_EQUAL(err.status, status);
    }
    scratch_close(&scratch);
}

static void failing_input_or_output_ends_it(void)
{
    prepare();
    for (size_t held_max = 0; held_max <= 1024; held_max += 1024)
        FAULT_LOOP(FAULT_READ | FAULT_WRITE | FAULT_SEEK | FAULT_STAT, EIO)
        {
            fault_expect(run(held_max), &err, E_IO);
        }
    scratch_close(&scratch);
}

static void interruptions_and_short_transfers_do_no_harm(void)
{
    static char first[64];
    int fd;

    prepare();
    CU_ASSERT_EQUAL(run(0), OK);
    fd = open(scratch_path(&scratch, "out.csv"), O_RDONLY | O_CLOEXEC);
    CU_ASSERT(read(fd, first, sizeof first - 1) > 0);
    close(fd);
    fault_short_transfers(true);
    for (size_t held_max = 0; held_max <= 1024; held_max += 1024)
        FAULT_LOOP(FAULT_READ | FAULT_WRITE, EINTR)
        {
            fault_expect(run(held_max), &err, OK);
            CU_ASSERT(scratch_holds(&scratch, "out.csv", first));
        }
    fault_short_transfers(false);
    scratch_close(&scratch);
}

void suite_shuffle(void)
{
    static const struct test tests[] = {
        {"shuffling without memory ends", shuffling_without_memory_ends},
        {"failing input or output ends it", failing_input_or_output_ends_it},
        {"interruptions and short transfers do no harm",
         interruptions_and_short_transfers_do_no_harm},
    };

    suite_add("shuffle", tests, sizeof tests / sizeof tests[0]);
}
