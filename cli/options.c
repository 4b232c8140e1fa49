#include "cli/options.h"

#include <assert.h>
#include <getopt.h>
#include <string.h>

#include "cli/command.h"
#include "common/number.h"

/* What getopt_long returns for row i, unless it has a letter: no character. */
#define ROW_VALUE(i) (256 + (int)(i))

/* The same table as getopt_long(3) wants it. */
struct known {
    struct option option[OPTIONS_MAX + 2]; /* --help and the end */
    char letters[2 * OPTIONS_MAX + 4];     /* ":", "h" and NUL */
};

static void known_fill(struct known *known, const struct options_table *table)
{
    size_t size = 0;

    assert(table->count <= OPTIONS_MAX);
    memset(known, 0, sizeof *known);
    known->letters[size++] = ':';
    known->letters[size++] = 'h';
    for (size_t i = 0; i < table->count; i++) {
        const struct option_row *row = &table->row[i];
        bool has_value = row->kind != OPTION_FLAG;

        known->option[i] = (struct option){
            .name = row->name,
            .has_arg = has_value ? required_argument : no_argument,
            .val = row->letter != '\0' ? row->letter : ROW_VALUE(i),
        };
        if (row->letter == '\0')
            continue;
        known->letters[size++] = row->letter;
        if (has_value)
            known->letters[size++] = ':';
    }
    known->option[table->count] =
        (struct option){.name = "help", .has_arg = no_argument, .val = 'h'};
}

/* Is `word` a flag of those known, the one for `value`, with "=..." behind it?
 * getopt tells it in no other way. */
static bool is_flag_with_value(const struct option *known, const char *word,
                               int value)
{
    size_t size = strcspn(word, "=");

    if (strncmp(word, "--", 2) != 0 || word[size] != '=')
        return false;
    for (; known->name != NULL; known++)
        if (known->val == value && known->has_arg == no_argument &&
            strncmp(word + 2, known->name, size - 2) == 0)
            return true;
    return false;
}

/* What getopt_long did not understand: it returned `result`, '?' or ':'. */
static void refuse_option(int result, char **argv, const struct option *known)
{
    /* Not the word in question where a short option has others behind it. */
    const char *word = argv[optind - 1];
    int size = (int)strcspn(word, "=");

    if (result == ':' && strncmp(word, "--", 2) == 0)
        command_misuse(argv[0], "%.*s wants a value", size, word);
    else if (result == ':')
        command_misuse(argv[0], "-%c wants a value", optopt);
    else if (is_flag_with_value(known, word, optopt))
        command_misuse(argv[0], "%.*s takes no value", size, word);
    else if (optopt != 0)
        command_misuse(argv[0], "there is no option -%c", optopt);
    else
        command_misuse(argv[0], "there is no option %.*s", size, word);
}

static bool take_number(const char *command, const struct option_row *row,
                        const char *value, void *place)
{
    uint64_t number;

    if (!number_parse_unsigned(bytes_of_string(value), row->min, row->max,
                               &number)) {
        command_misuse(command, "--%s%s a whole number from %ju to %ju",
                       row->name,
                       row->words != NULL ? row->words : ": expected",
                       (uintmax_t)row->min, (uintmax_t)row->max);
        return false;
    }
    if (row->unit > 0)
        number *= row->unit;
    memcpy(place, &number, sizeof number);
    return true;
}

static bool take_item(const char *command, const struct option_row *row,
                      const char *value, struct option_list *list)
{
    if (list->count == OPTION_LIST_MAX) {
        command_misuse(command, "--%s is there more than %d times", row->name,
                       OPTION_LIST_MAX);
        return false;
    }
    list->at[list->count++] = value;
    return true;
}

static bool take(const char *command, const struct option_row *row,
                 const char *value, void *target)
{
    static const bool yes = true;
    void *place = (char *)target + row->offset;

    switch (row->kind) {
    case OPTION_FLAG:
        memcpy(place, &yes, sizeof yes);
        return true;
    case OPTION_TEXT:
        memcpy(place, &value, sizeof value);
        return true;
    case OPTION_NUMBER:
        return take_number(command, row, value, place);
    case OPTION_LIST:
        return take_item(command, row, value, place);
    }
    assert(false);
    return false;
}

bool options_parse(const struct options_table *table, int argc, char **argv,
                   void *target, struct operands *operands, int *exit_code)
{
    struct known known;
    int option;

    known_fill(&known, table);
    *operands = (struct operands){.given = 0};
    *exit_code = status_exit_code(E_USAGE);
    optind = 1;
    opterr = 0;
    while ((option = getopt_long(argc, argv, known.letters, known.option,
                                 NULL)) != -1) {
        size_t at = 0;

        if (option == 'h') {
            *exit_code = command_help(table->help);
            return false;
        }
        while (at < table->count && known.option[at].val != option)
            at++;
        if (at == table->count) {
            refuse_option(option, argv, known.option);
            return false;
        }
        if (!take(argv[0], &table->row[at], optarg, target))
            return false;
        operands->given |= UINT32_C(1) << at;
    }
    operands->at = argv + optind;
    operands->count = argc - optind;
    return true;
}

bool options_name_table(const char *command, const char *policy,
                        const struct operands *operands)
{
    if (policy == NULL)
        command_misuse(command, "--policy is missing");
    else if (operands->count == 0)
        command_misuse(command, "the table is missing");
    else if (operands->count > 1)
        command_misuse(command, "one table, not %d", operands->count);
    else
        return true;
    return false;
}
