#include "anonymizer/subset.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/subset_rule.h"
#include "common/limits.h"
#include "common/number.h"

struct subset {
    struct subset_rule *rule; /* or a list: */
    uint8_t *member;          /* a bit for each row up to the last listed */
    uint64_t end;             /* behind the last row listed */
    uint64_t last_line;       /* where that is listed */
    char *name;               /* of the file */
};

enum status subset_parse_rule(struct subset **out, const char *rule,
                              struct error *err)
{
    struct subset *subset = calloc(1, sizeof *subset);
    enum status status;

    *out = NULL;
    if (subset == NULL)
        return error_memory(err, "a subset");
    status = subset_rule_parse(&subset->rule, rule, err);
    if (status != OK)
        subset_close(&subset);
    *out = subset;
    return status;
}

/* ---- lists ---- */

/* The next line, without its end. */
static struct bytes take_line(struct bytes *text)
{
    const uint8_t *end = memchr(text->data, '\n', text->size);
    size_t size = end == NULL ? text->size : (size_t)(end - text->data);
    struct bytes line = bytes_of(text->data, size);

    size += end != NULL;
    *text = bytes_of(text->data + size, text->size - size);
    if (line.size > 0 && line.data[line.size - 1] == '\r')
        line.size--;
    return line;
}

/* All lines.  A first pass finds where the list ends, so that a second one has
 * room for each row. */
static enum status read_lines(struct subset *subset, struct bytes text,
                              struct error *err)
{
    for (uint64_t line = 1; text.size > 0; line++) {
        struct bytes number = take_line(&text);
        uint64_t row;

        if (line == 1 && bytes_equal_string(number, "row"))
            continue;
        if (!number_parse_unsigned(number, 0, TABLE_ROWS_MAX - 1, &row))
            return error_set(err, E_INPUT,
                             "%s: line %" PRIu64
                             ": expected the number of a row, 0 to %u",
                             subset->name, line, TABLE_ROWS_MAX - 1);
        if (subset->member == NULL) {
            if (row >= subset->end) {
                subset->end = row + 1;
                subset->last_line = line;
            }
            continue;
        }
        if (subset_contains(subset, row))
            return error_set(err, E_INPUT,
                             "%s: line %" PRIu64
                             ": a row that an earlier line lists, expected "
                             "each once",
                             subset->name, line);
        subset->member[row / 8] |= (uint8_t)(1u << row % 8);
    }
    return OK;
}

enum status subset_parse_list(struct subset **out, struct bytes text,
                              const char *name, struct error *err)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    struct subset *subset = calloc(1, sizeof *subset);
    enum status status;

    *out = NULL;
    if (subset == NULL || (subset->name = strdup(name)) == NULL) {
        free(subset);
        return error_memory(err, "a subset");
    }
    /* A spreadsheet's byte order mark. */
    if (text.size >= sizeof mark && memcmp(text.data, mark, sizeof mark) == 0)
        text = bytes_of(text.data + sizeof mark, text.size - sizeof mark);
    status = read_lines(subset, text, err);
    if (status == OK && subset->end == 0)
        status = error_set(err, E_INPUT, "%s: lists no row", name);
    if (status == OK) {
        subset->member = calloc(subset->end / 8 + 1, 1);
        status = subset->member == NULL ? error_memory(err, "a subset")
                                        : read_lines(subset, text, err);
    }
    if (status != OK)
        subset_close(&subset);
    *out = subset;
    return status;
}

/* ---- from outside ---- */

void subset_close(struct subset **subset)
{
    struct subset *old = *subset;

    *subset = NULL;
    if (old == NULL)
        return;
    subset_rule_close(&old->rule);
    free(old->member);
    free(old->name);
    free(old);
}

bool subset_contains(const struct subset *subset, uint64_t row)
{
    if (subset->rule != NULL)
        return subset_rule_holds(subset->rule, row);
    return row < subset->end && (subset->member[row / 8] >> row % 8 & 1) != 0;
}

enum status subset_check(const struct subset *subset, uint64_t rows,
                         uint64_t members, const char *name, struct error *err)
{
    if (subset->end > rows)
        return error_set(err, E_INPUT,
                         "%s: line %" PRIu64
                         ": a row that %s does not have, whose %" PRIu64
                         " rows are counted from 0",
                         subset->name, subset->last_line, name, rows);
    if (members == 0)
        return error_set(err, E_INPUT,
                         "%s: none of its %" PRIu64 " rows is in the subset",
                         name, rows);
    return OK;
}
