#include "common/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/child.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_process(void);

static struct error err;

static int is_protected(void)
{
    struct rlimit core;
    struct sigaction pipe, size;

    process_protect();
    if (getrlimit(RLIMIT_CORE, &core) != 0 ||
        sigaction(SIGPIPE, NULL, &pipe) != 0 ||
        sigaction(SIGXFSZ, NULL, &size) != 0)
        return 1;
    return core.rlim_cur != 0 || core.rlim_max != 0 ||
           prctl(PR_GET_DUMPABLE) != 0 || pipe.sa_handler != SIG_IGN ||
           size.sa_handler != SIG_IGN;
}

static void protected_process_leaves_no_core(void)
{
    CU_ASSERT_EQUAL(child_run(is_protected), 0);
}

/* Every mode that lets a second person in, in any way. */
static void secrets_for_others_are_refused(void)
{
    struct scratch scratch;

    scratch_open(&scratch);
    scratch_write(&scratch, "key", "x");
    for (mode_t mode = 0; mode <= 0777; mode++) {
        const char *path = scratch_path(&scratch, "key");
        enum status expected = (mode & 077) == 0 ? OK : E_REFUSED;
        char text[8];

        CU_ASSERT_EQUAL_FATAL(chmod(path, mode), 0);
        CU_ASSERT_EQUAL(process_check_secret(path, &err), expected);
        snprintf(text, sizeof text, "%04o", (unsigned)mode);
        CU_ASSERT(expected == OK || (strstr(err.text, text) != NULL &&
                                     strstr(err.text, path) != NULL));
    }
    scratch_close(&scratch);
}

static void folders_for_others_are_refused(void)
{
    struct scratch scratch;

    scratch_open(&scratch);
    CU_ASSERT_EQUAL_FATAL(chmod(scratch.path, 0700), 0);
    CU_ASSERT_EQUAL(process_check_folder(scratch.path, &err), OK);
    CU_ASSERT_EQUAL_FATAL(chmod(scratch.path, 0710), 0);
    CU_ASSERT_EQUAL(process_check_folder(scratch.path, &err), E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "chmod 700"));
    CU_ASSERT_EQUAL_FATAL(chmod(scratch.path, 0701), 0);
    CU_ASSERT_EQUAL(process_check_folder(scratch.path, &err), E_REFUSED);
    scratch_close(&scratch);
}

static void what_is_missing_or_of_another_kind_is_refused(void)
{
    struct scratch scratch;

    scratch_open(&scratch);
    scratch_write(&scratch, "file", "x");
    CU_ASSERT_EQUAL(process_check_secret(scratch_path(&scratch, "none"), &err),
                    E_INPUT);
    CU_ASSERT_EQUAL(process_check_secret(scratch.path, &err), E_INPUT);
    CU_ASSERT_EQUAL(process_check_folder(scratch_path(&scratch, "file"), &err),
                    E_INPUT);
    scratch_close(&scratch);
}

static struct scratch of_another;
static int look_as_nobody(void)
{
    if (setgid(65534) != 0 || setuid(65534) != 0)
        return 1;
    return process_check_secret(scratch_path(&of_another, "key"), &err) !=
               E_REFUSED ||
           strstr(err.text, "belongs to user 0") == NULL;
}
static void what_is_anothers_is_refused(void)
{
    if (geteuid() != 0)
        return; /* only root can become somebody else */
    scratch_open(&of_another);
    scratch_write(&of_another, "key", "x");
    CU_ASSERT_EQUAL_FATAL(chmod(scratch_path(&of_another, "key"), 0600), 0);
    CU_ASSERT_EQUAL(child_run(look_as_nobody), 0);
    scratch_close(&of_another);
}

void suite_process(void)
{
    static const struct test tests[] = {
        {"a protected process leaves no core",
         protected_process_leaves_no_core},
        {"secrets for others are refused", secrets_for_others_are_refused},
        {"folders for others are refused", folders_for_others_are_refused},
        {"what is missing or of another kind is refused",
         what_is_missing_or_of_another_kind_is_refused},
        {"what is another's is refused", what_is_anothers_is_refused},
    };

    suite_add("process", tests, sizeof tests / sizeof tests[0]);
}
