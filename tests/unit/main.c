/*
 * tests/unit/main.c - runs the unit test suites named on the command line, or
 * all of them.
 */
#include <uv.h>

#include "tests/lib/suite.h"

#define X(name) void suite_##name(void);
#include "suites.def"
#undef X

int main(int argc, char **argv)
{
    int code;
    static const struct suite suites[] = {
#define X(name) {#name, suite_##name},
#include "suites.def"
#undef X
    };

    code = suite_main(suites, sizeof suites / sizeof suites[0], argc, argv);
    /* Its threads would look like memory that was lost. */
    uv_library_shutdown();
    return code;
}
