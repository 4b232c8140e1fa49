#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fault/fault.h"
#include "tests/lib/child.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_files(void);

#define ALL_IO                                                                 \
    (FAULT_READ | FAULT_WRITE | FAULT_STAT | FAULT_OPEN | FAULT_SYNC |         \
     FAULT_LINK | FAULT_RENAME)

static struct scratch scratch;
static struct error err;

/* The whole road of a new file, under faults. */
static enum status write_file(const char *name)
{
    const char *path = scratch_path(&scratch, name);
    struct new_file *file = NULL;
    enum status status;

    error_init(&err);
    fault_on();
    status = new_file_create(&file, path, 0644, &err);
    if (status == OK)
        status = descriptor_write(new_file_descriptor(file),
                                  bytes_of_string("new"), path, &err);
    if (status == OK)
        status = new_file_publish(&file, &err);
    fault_off();
    CU_ASSERT(status == OK || strstr(err.text, "out of memory") != NULL ||
              strncmp(err.text, path, strlen(path)) == 0);
    new_file_discard(&file);
    return status;
}

/* A round of a loop: the file is there and whole, or nothing is. */
static void write_fresh(enum status expected)
{
    scratch_open(&scratch);
    fault_expect(write_file("out"), &err, expected);
    if (err.status == OK)
        CU_ASSERT(scratch_holds(&scratch, "out", "new"));
    CU_ASSERT_EQUAL(scratch_count(&scratch), err.status == OK);
    scratch_close(&scratch);
}

/* The same over an old file, which stays on failure. */
static void write_over_old(enum status expected)
{
    scratch_open(&scratch);
    scratch_write(&scratch, "out", "old");
    fault_expect(write_file("out"), &err, expected);
    CU_ASSERT(scratch_holds(&scratch, "out", err.status == OK ? "new" : "old"));
    CU_ASSERT_EQUAL(scratch_count(&scratch), 1);
    scratch_close(&scratch);
}

static void without_memory_nothing_appears(void)
{
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        write_fresh(E_MEMORY);
    }
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        write_over_old(E_MEMORY);
    }
}

static void failing_io_leaves_what_was_there(void)
{
    FAULT_LOOP(ALL_IO, EIO)
    {
        write_fresh(E_IO);
    }
    FAULT_LOOP(ALL_IO & ~FAULT_SYNC, ENOSPC)
    {
        write_over_old(E_IO);
    }
}

static void same_without_nameless_files(void)
{
    fault_without_tmpfile(true);
    failing_io_leaves_what_was_there();
    without_memory_nothing_appears();
    fault_without_tmpfile(false);
}

static void same_without_proc(void)
{
    fault_without_proc(true);
    failing_io_leaves_what_was_there();
    fault_without_proc(false);
}

static void interruptions_do_no_harm(void)
{
    fault_without_tmpfile(true); /* then it takes a name, by getrandom */
    FAULT_LOOP(FAULT_WRITE | FAULT_OPEN | FAULT_SYNC | FAULT_RANDOM, EINTR)
    {
        write_fresh(OK);
    }
    fault_without_tmpfile(false);
}

static void transfers_byte_by_byte_are_whole(void)
{
    char back[4] = "";
    size_t got = 0;
    int fd;

    fault_short_transfers(true);
    scratch_open(&scratch);
    CU_ASSERT_EQUAL(write_file("out"), OK);
    fd = open(scratch_path(&scratch, "out"), O_RDONLY);
    CU_ASSERT_EQUAL(descriptor_read(fd, back, 4, &got, "out", &err), OK);
    CU_ASSERT_EQUAL(got, 3);
    CU_ASSERT_STRING_EQUAL(back, "new");
    close(fd);
    scratch_close(&scratch);
    fault_short_transfers(false);
}

/* The first fsync is that of the file: both files survive its failure.  The
 * second is that of the folder, after the old file was replaced. */
static void unsynced_file_is_not_published(void)
{
    unsigned round = 0;

    FAULT_LOOP(FAULT_SYNC, EIO)
    {
        scratch_open(&scratch);
        scratch_write(&scratch, "out", "old");
        fault_expect(write_file("out"), &err, E_IO);
        CU_ASSERT(scratch_holds(&scratch, "out", round < 2 ? "old" : "new"));
        CU_ASSERT_EQUAL(scratch_count(&scratch), 1);
        scratch_close(&scratch);
        round++;
    }
    CU_ASSERT_EQUAL(round, 5); /* two calls, two rounds each, one without */
}

static void folder_that_cannot_be_synced(void)
{
    scratch_open(&scratch);
    fault_folder_sync(EINVAL); /* this file system never can */
    CU_ASSERT_EQUAL(write_file("a"), OK);
    fault_folder_sync(EBADF);
    CU_ASSERT_EQUAL(write_file("b"), OK);
    fault_folder_sync(EIO);
    CU_ASSERT_EQUAL(write_file("c"), E_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "c: its folder cannot be synced"));
    fault_folder_sync(0);
    CU_ASSERT_EQUAL(scratch_count(&scratch), 2);
    scratch_close(&scratch);
}

static unsigned kill_at;

static int write_and_be_killed(void)
{
    fault_kill_at(ALL_IO | FAULT_RANDOM, kill_at);
    return write_file("out") == OK ? 0 : 1;
}

/* Kill the writer at each call in turn; returns how many there are.  What it
 * may leave is the old file or the new one, whole, and `hidden_max` files with
 * a hidden name. */
static unsigned kill_writer(const char *old, size_t hidden_max)
{
    for (kill_at = 0;; kill_at++) {
        bool is_old, is_new;
        size_t count;
        int result;

        scratch_open(&scratch);
        if (old != NULL)
            scratch_write(&scratch, "out", old);
        result = child_run(write_and_be_killed);
        count = scratch_count(&scratch);
        is_old = old != NULL && scratch_holds(&scratch, "out", old);
        is_new = scratch_holds(&scratch, "out", "new");
        if (old != NULL || is_new)
            CU_ASSERT(is_old != is_new);
        CU_ASSERT(count - (is_old || is_new) <= hidden_max);
        scratch_close(&scratch);
        if (result != CHILD_KILLED + SIGKILL) {
            CU_ASSERT(result == 0 && is_new && count == 1);
            return kill_at;
        }
    }
}

/* A fresh file never has another name than its own.  One that replaces has a
 * second name between link and rename, and all the time where the file system
 * knows no nameless files. */
static void killed_writer_leaves_old_or_new(void)
{
    CU_ASSERT(kill_writer(NULL, 0) > 4);
    CU_ASSERT(kill_writer("old", 1) > 6);
    fault_without_tmpfile(true);
    CU_ASSERT(kill_writer(NULL, 1) > 4);
    CU_ASSERT(kill_writer("old", 1) > 4);
    fault_without_tmpfile(false);
}

/* Names that are always taken: the file system claims EEXIST. */
static void taken_names_are_tried_again(void)
{
    fault_without_tmpfile(true);
    scratch_open(&scratch);
    scratch_write(&scratch, "out", "old");
    FAULT_LOOP(FAULT_RANDOM, ENOSYS)
    {
        fault_expect(write_file("out"), &err, E_INPUT);
        CU_ASSERT_EQUAL(scratch_count(&scratch), 1);
    }
    fault_without_tmpfile(false);
    FAULT_LOOP(FAULT_LINK, EEXIST)
    {
        enum status status = write_file("out");

        /* Once: the next name is free.  Always: we give up. */
        CU_ASSERT(status == OK || status == E_IO);
        CU_ASSERT_EQUAL(scratch_count(&scratch), 1);
    }
    scratch_close(&scratch);
}

static void hidden_file_has_its_mode(void)
{
    mode_t before = umask(027);
    struct stat is;

    fault_without_tmpfile(true);
    scratch_open(&scratch);
    CU_ASSERT_EQUAL(write_file("out"), OK);
    CU_ASSERT_EQUAL(stat(scratch_path(&scratch, "out"), &is), 0);
    CU_ASSERT_EQUAL(is.st_mode & 07777, 0640);
    scratch_close(&scratch);
    fault_without_tmpfile(false);
    umask(before);
}

static void failing_read_leaves_the_text(void)
{
    struct text text;

    scratch_open(&scratch);
    scratch_write(&scratch, "in", "content");
    FAULT_LOOP(FAULT_READ | FAULT_STAT | FAULT_OPEN, EIO)
    {
        enum status status;

        error_init(&err);
        text_init(&text);
        CU_ASSERT_EQUAL(text_append_string(&text, "before ", &err), OK);
        fault_on();
        status = file_read(scratch_path(&scratch, "in"), 100, &text, &err);
        fault_off();
        fault_expect(status, &err, E_IO);
        CU_ASSERT_STRING_EQUAL(text.data,
                               status == OK ? "before content" : "before ");
        text_clear(&text);
    }
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        enum status status;

        error_init(&err);
        text_init(&text);
        fault_on();
        status = file_read(scratch_path(&scratch, "in"), 100, &text, &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        CU_ASSERT_STRING_EQUAL(text.data, status == OK ? "content" : "");
        text_clear(&text);
    }
    scratch_close(&scratch);
}

static void temporary_file_in_other_worlds(void)
{
    scratch_open(&scratch);
    setenv("TMPDIR", scratch.path, 1);
    for (int without = 0; without < 2; without++) {
        fault_without_tmpfile(without);
        FAULT_LOOP(FAULT_OPEN, EIO)
        {
            enum status status;
            int fd = -1;

            error_init(&err);
            fault_on();
            status = temporary_open(&fd, &err);
            fault_off();
            fault_expect(status, &err, E_IO);
            CU_ASSERT_EQUAL(fd >= 0, status == OK);
            if (fd >= 0)
                close(fd);
            CU_ASSERT_EQUAL(scratch_count(&scratch), 0);
        }
    }
    fault_without_tmpfile(false);
    unsetenv("TMPDIR");
    scratch_close(&scratch);
}

static void too_many_open_files_are_the_systems_fault(void)
{
    FAULT_LOOP(FAULT_OPEN, EMFILE)
    {
        write_fresh(E_SYSTEM);
    }
}

static void path_without_memory_changes_nothing(void)
{
    struct text text;

    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        enum status status;

        error_init(&err);
        text_init(&text);
        fault_on();
        status = path_beside("a/policy.json", "age.csv", &text, &err);
        fault_off();
        fault_expect(status, &err, E_MEMORY);
        CU_ASSERT_STRING_EQUAL(text.data, status == OK ? "a/age.csv" : "");
        text_clear(&text);
    }
}

void suite_files(void)
{
    static const struct test tests[] = {
        {"without memory nothing appears", without_memory_nothing_appears},
        {"failing input and output leave what was there",
         failing_io_leaves_what_was_there},
        {"the same without nameless files", same_without_nameless_files},
        {"the same without /proc", same_without_proc},
        {"interruptions do no harm", interruptions_do_no_harm},
        {"transfers byte by byte are whole", transfers_byte_by_byte_are_whole},
        {"an unsynced file is not published", unsynced_file_is_not_published},
        {"a folder that cannot be synced", folder_that_cannot_be_synced},
        {"a killed writer leaves the old file or the new",
         killed_writer_leaves_old_or_new},
        {"taken names are tried again", taken_names_are_tried_again},
        {"a hidden file has its mode", hidden_file_has_its_mode},
        {"a failing read leaves the text", failing_read_leaves_the_text},
        {"a temporary file in other worlds", temporary_file_in_other_worlds},
        {"too many open files are the system's fault",
         too_many_open_files_are_the_systems_fault},
        {"a path without memory changes nothing",
         path_without_memory_changes_nothing},
    };

    suite_add("files", tests, sizeof tests / sizeof tests[0]);
}
