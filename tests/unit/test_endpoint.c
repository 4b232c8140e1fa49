#include "common/endpoint.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/suite.h"

void suite_endpoint(void);

static void local_sockets_are_beside_the_file(void)
{
    char out[ENDPOINT_SIZE_MAX];
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(endpoint_beside("/a/b/c.json", "ipc://socket", out, &err),
                    OK);
    CU_ASSERT_STRING_EQUAL(out, "ipc:///a/b/socket");
    CU_ASSERT_STRING_EQUAL(err.text, "");
}

/* The bus takes no others, and a command is given "demo" as often as
 * "/srv/demo". */
static void a_path_from_the_working_folder_becomes_absolute(void)
{
    char out[ENDPOINT_SIZE_MAX], before[PATH_MAX];
    struct error err;

    error_init(&err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(getcwd(before, sizeof before));
    CU_ASSERT_EQUAL_FATAL(chdir("/usr"), 0);
    CU_ASSERT_EQUAL(endpoint_beside("b/c.json", "ipc://../d/socket", out, &err),
                    OK);
    CU_ASSERT_STRING_EQUAL(out, "ipc:///usr/b/../d/socket");
    CU_ASSERT_EQUAL(endpoint_beside("c.json", "ipc://socket", out, &err), OK);
    CU_ASSERT_STRING_EQUAL(out, "ipc:///usr/socket");
    CU_ASSERT_EQUAL(chdir(before), 0);
    CU_ASSERT_STRING_EQUAL(err.text, "");
}

static void absolute_paths_and_tcp_stay_as_they_are(void)
{
    char out[ENDPOINT_SIZE_MAX];
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(endpoint_beside("/a/b", "ipc:///run/s", out, &err), OK);
    CU_ASSERT_STRING_EQUAL(out, "ipc:///run/s");
    CU_ASSERT_EQUAL(endpoint_beside("/a/b", "tcp://10.0.0.7:1", out, &err), OK);
    CU_ASSERT_STRING_EQUAL(out, "tcp://10.0.0.7:1");
    CU_ASSERT_STRING_EQUAL(err.text, "");
}

/* sun_path of Linux has 108 bytes, the last is the NUL. */
static void a_path_of_107_bytes_fits_and_one_more_is_refused(void)
{
    char file[128], out[ENDPOINT_SIZE_MAX];
    struct error err;

    error_init(&err);
    memset(file, 'f', sizeof file);
    file[0] = '/';
    memcpy(file + 100, "/c.json", 8); /* folder of 100 bytes, "/", 6 bytes */
    CU_ASSERT_EQUAL(endpoint_beside(file, "ipc://socket", out, &err), OK);
    CU_ASSERT_EQUAL(strlen(out), strlen("ipc://") + 107);
    CU_ASSERT_EQUAL(endpoint_beside(file, "ipc://sockets", out, &err), E_LIMIT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "has 108 bytes and at most 107"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "shorter name"));
}

static void an_endpoint_longer_than_any_is_refused(void)
{
    char endpoint[ENDPOINT_SIZE_MAX + 1], out[ENDPOINT_SIZE_MAX];
    struct error err;

    error_init(&err);
    memset(endpoint, 'x', sizeof endpoint);
    endpoint[ENDPOINT_SIZE_MAX] = '\0';
    CU_ASSERT_EQUAL(endpoint_beside("/a", endpoint, out, &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "256 bytes, at most 255"));
    endpoint[ENDPOINT_SIZE_MAX - 1] = '\0';
    CU_ASSERT_EQUAL(endpoint_beside("/a", endpoint, out, &err), OK);
}

void suite_endpoint(void)
{
    static const struct test tests[] = {
        {"local sockets are beside the file",
         local_sockets_are_beside_the_file},
        {"a path from the working folder becomes absolute",
         a_path_from_the_working_folder_becomes_absolute},
        {"absolute paths and tcp stay as they are",
         absolute_paths_and_tcp_stay_as_they_are},
        {"a path of 107 bytes fits and one more is refused",
         a_path_of_107_bytes_fits_and_one_more_is_refused},
        {"an endpoint longer than any is refused",
         an_endpoint_longer_than_any_is_refused},
    };

    suite_add("endpoint", tests, sizeof tests / sizeof *tests);
}
