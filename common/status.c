#include "common/status.h"

#include <assert.h>
#include <stddef.h>

static const struct {
    int exit_code;
    const char *words;
} table[] = {
#define STATUS_ROW(name, exit_code, words) [name] = {exit_code, words},
    STATUS_TABLE(STATUS_ROW)
#undef STATUS_ROW
};

int status_exit_code(enum status status)
{
    assert((size_t)status < sizeof table / sizeof table[0]);
    return table[status].exit_code;
}

const char *status_words(enum status status)
{
    assert((size_t)status < sizeof table / sizeof table[0]);
    return table[status].words;
}

enum status status_of_failure(uint64_t number)
{
    enum status status = E_SYSTEM;

    switch (number) {
#define STATUS_CASE(name, exit_code, words)                                    \
    case name:                                                                 \
        status = name;                                                         \
        break;
        STATUS_TABLE(STATUS_CASE)
#undef STATUS_CASE
    default:
        break;
    }
    return status != OK ? status : E_SYSTEM;
}
