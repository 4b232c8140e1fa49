#include "common/secret_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/files.h"
#include "tests/lib/child.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_secret_file(void);

static struct scratch scratch;
static struct error err;
static const uint8_t secret[32] = "thirty-two bytes that nobody has";

static const char *path(void)
{
    return scratch_path(&scratch, "secret");
}

static void begin(void)
{
    scratch_open(&scratch);
    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(
        secret_file_create(path(), bytes_of(secret, sizeof secret), &err), OK);
}

static void end(void)
{
    scratch_close(&scratch);
}

static enum status read_it(uint8_t out[32])
{
    error_init(&err);
    memset(out, 0x55, 32);
    return secret_file_read(path(), out, 32, &err);
}

/* Refused with these words, and no byte of it given away. */
static void expect_refusal(const char *words)
{
    static const uint8_t untouched[32] = {0};
    uint8_t out[32];

    CU_ASSERT_EQUAL(read_it(out), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
    if (memcmp(out, untouched, sizeof out) != 0)
        CU_ASSERT_EQUAL(out[0], 0x55);
    CU_ASSERT_PTR_NULL(strstr(err.text, "thirty"));
}

static void secret_reads_back_from_a_file_for_its_owner_alone(void)
{
    uint8_t out[32];
    struct stat is;

    begin();
    CU_ASSERT_EQUAL(stat(path(), &is), 0);
    CU_ASSERT_EQUAL(is.st_mode & 07777, 0600);
    CU_ASSERT_EQUAL(is.st_size, 64);
    CU_ASSERT_EQUAL(read_it(out), OK);
    CU_ASSERT_EQUAL(memcmp(out, secret, sizeof out), 0);
    end();
}

static void file_that_is_there_is_not_overwritten(void)
{
    uint8_t out[32];

    begin();
    CU_ASSERT_EQUAL(secret_file_create(path(), bytes_of(out, 32), &err),
                    E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "exists already"));
    CU_ASSERT_EQUAL(read_it(out), OK);
    end();
}

static void wider_files_and_other_kinds_are_refused(void)
{
    static const mode_t wide[] = {0640, 0604, 0620, 0602, 0610, 0601};

    begin();
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++) {
        CU_ASSERT_EQUAL(chmod(path(), wide[i]), 0);
        expect_refusal("chmod 600");
    }
    CU_ASSERT_EQUAL(chmod(path(), 0600), 0);
    CU_ASSERT_EQUAL(rename(path(), scratch_path(&scratch, "real")), 0);
    expect_refusal("cannot be opened");
    CU_ASSERT_EQUAL(symlink("real", path()), 0);
    expect_refusal("cannot be opened");
    CU_ASSERT_EQUAL(unlink(path()), 0);
    CU_ASSERT_EQUAL(mkdir(path(), 0700), 0);
    expect_refusal("regular file");
    end();
}

static void every_flipped_bit_is_damage(void)
{
    struct text file;
    uint8_t out[32];

    begin();
    text_init(&file);
    CU_ASSERT_EQUAL(file_read(path(), 64, &file, &err), OK);
    for (size_t bit = 0; bit < (size_t)8 * 64; bit++) {
        FILE *to = fopen(path(), "r+");

        CU_ASSERT_PTR_NOT_NULL_FATAL(to);
        file.data[bit / 8] = (char)(file.data[bit / 8] ^ 1 << bit % 8);
        CU_ASSERT_EQUAL(fwrite(file.data, 1, 64, to), 64);
        CU_ASSERT_EQUAL(fclose(to), 0);
        CU_ASSERT_EQUAL(read_it(out), E_INPUT);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "is damaged"));
        CU_ASSERT_EQUAL(out[31], 0);
        file.data[bit / 8] = (char)(file.data[bit / 8] ^ 1 << bit % 8);
    }
    text_clear(&file);
    CU_ASSERT_EQUAL(truncate(path(), 63), 0);
    expect_refusal("has 63 bytes, expected 64");
    CU_ASSERT_EQUAL(truncate(path(), 65), 0);
    expect_refusal("has 65 bytes, expected 64");
    end();
}

static void destroyed_file_is_zero_under_every_name(void)
{
    struct text file;

    begin();
    text_init(&file);
    CU_ASSERT_EQUAL(link(path(), scratch_path(&scratch, "copy")), 0);
    CU_ASSERT_EQUAL(secret_file_destroy(path(), &err), OK);
    CU_ASSERT_EQUAL(access(path(), F_OK), -1);
    CU_ASSERT_EQUAL(file_read(scratch_path(&scratch, "copy"), 64, &file, &err),
                    OK);
    CU_ASSERT_EQUAL(file.size, 64);
    for (size_t i = 0; i < file.size; i++)
        CU_ASSERT_EQUAL(file.data[i], 0);
    text_clear(&file);
    /* Again, as after a crash behind the unlink. */
    CU_ASSERT_EQUAL(secret_file_destroy(path(), &err), OK);
    end();
}

static void what_is_no_file_is_not_destroyed(void)
{
    begin();
    CU_ASSERT_EQUAL(mkdir(scratch_path(&scratch, "folder"), 0700), 0);
    CU_ASSERT_EQUAL(secret_file_destroy(scratch_path(&scratch, "folder"), &err),
                    E_IO);
    CU_ASSERT_EQUAL(symlink("secret", scratch_path(&scratch, "link")), 0);
    CU_ASSERT_EQUAL(secret_file_destroy(scratch_path(&scratch, "link"), &err),
                    E_IO);
    CU_ASSERT_EQUAL(access(path(), F_OK), 0);
    CU_ASSERT_EQUAL(
        secret_file_destroy(scratch_path(&scratch, "none/secret"), &err), E_IO);
    end();
}

static int folder_of_another_is_refused(void)
{
    /* A test of root may be anybody. */
    if (geteuid() == 0 && seteuid(65534) != 0)
        return 2;
    error_init(&err);
    return secret_folder_check("/", &err) == E_INPUT &&
                   strstr(err.text, "belongs to another user") != NULL
               ? 0
               : 1;
}

static void folder_is_ours_alone_or_refused(void)
{
    begin();
    CU_ASSERT_EQUAL(chmod(scratch.path, 0700), 0);
    CU_ASSERT_EQUAL(secret_folder_check(scratch.path, &err), OK);
    CU_ASSERT_EQUAL(chmod(scratch.path, 0710), 0);
    CU_ASSERT_EQUAL(secret_folder_check(scratch.path, &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "chmod 700"));
    CU_ASSERT_EQUAL(secret_folder_check(path(), &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "is no folder"));
    CU_ASSERT_EQUAL(secret_folder_check(scratch_path(&scratch, "none"), &err),
                    E_INPUT);
    CU_ASSERT_EQUAL(child_run(folder_of_another_is_refused), 0);
    end();
}

void suite_secret_file(void)
{
    static const struct test tests[] = {
        {"a secret reads back from a file for its owner alone",
         secret_reads_back_from_a_file_for_its_owner_alone},
        {"a file that is there is not overwritten",
         file_that_is_there_is_not_overwritten},
        {"wider files and other kinds are refused",
         wider_files_and_other_kinds_are_refused},
        {"every flipped bit is damage", every_flipped_bit_is_damage},
        {"a destroyed file is zero under every name",
         destroyed_file_is_zero_under_every_name},
        {"what is no file is not destroyed", what_is_no_file_is_not_destroyed},
        {"a folder is ours alone, or refused", folder_is_ours_alone_or_refused},
    };

    suite_add("secret_file", tests, sizeof tests / sizeof tests[0]);
}
