/*
 * cli/options.h - the options of a command, by a table.
 *
 *     static const struct option_row rows[] = {
 *         {"policy", 'p', OPTION_AT(TEXT, struct options, policy)},
 *         {"threads", 't', OPTION_AT(NUMBER, struct options, threads),
 *          .min = 1, .max = THREADS_MAX, .words = " wants"},
 *     };
 *
 * Each value goes to its place in the command's own struct; what is not given
 * stays there as it was.  --help (-h) is known to every command.  A wrong call
 * is told as command_misuse() does.  Operands may stand anywhere; what they
 * are, and which options fit together, is for the command to say.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,   /* a bool becomes true */
    OPTION_TEXT,   /* a const char *, borrowed from argv */
    OPTION_NUMBER, /* a uint64_t */
    OPTION_LIST    /* a struct option_list: it may be given several times */
};

/* Values that were given, borrowed from argv. */
#define OPTION_LIST_MAX 16

struct option_list {
    const char *at[OPTION_LIST_MAX];
    size_t count;
};

struct option_row {
    const char *name;
    char letter; /* 0: it has a long name only */
    enum option_kind kind;
    size_t offset;
    uint64_t min, max;
    uint64_t unit;     /* what a number is multiplied by; 0: 1 */
    const char *words; /* refusing one, "--<name><words> a whole number from
                          ..."; NULL: ": expected" */
};

/* Kind and place of a row. */
#define OPTION_AT(kind_name, type, member)                                     \
    .kind = OPTION_##kind_name, .offset = offsetof(type, member)

/* As many as `given` has bits. */
#define OPTIONS_MAX 32

struct options_table {
    const char *help;
    const struct option_row *row;
    size_t count;
};

/* What there is behind the options. */
struct operands {
    char **at;
    int count;
    uint32_t given; /* options that were there: bit i for row i */
};

/* True: go on.  False: all has been said, *exit_code is to be returned.  It is
 * that of a wrong call as well when true, for what the command refuses itself.
 */
bool options_parse(const struct options_table *table, int argc, char **argv,
                   void *target, struct operands *operands, int *exit_code);

/* For commands that hold one table against a policy: are both named?  False: it
 * has been said what is missing, or too much. */
bool options_name_table(const char *command, const char *policy,
                        const struct operands *operands);

#endif
