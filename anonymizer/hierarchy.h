/*
 * anonymizer/hierarchy.h - how the values of one attribute generalize.
 *
 * A hierarchy is a CSV file without header, `;` or `,` (whichever the first
 * line has, `;` first), a row per value of the domain and a column per level:
 *
 *     39;35-39;30-39;*         level 0 is the value itself
 *     41;40-44;40-49;*
 *
 * It is a forest: rows that agree at one level agree at all levels above.
 * Nodes of a level are numbered by first appearance in the file:
 *
 *     node[level][row]      0 <= row < rows, node[0][row] == row
 *     parent[level][node]   the node one level up
 *     leaves[level][node]   rows below it (the size of its part of the domain)
 *     label[level][node]    its text
 *
 * Invariants: every value stands once; the number of nodes never grows from a
 * level to the next; leaves of a level sum up to rows; labels of a level are
 * distinct; no label is, by way of others, its own ancestor (a label that
 * repeats itself from one level to the next is no cycle).
 *
 * A label may occur on several levels; it is a different node there.
 *
 * Elsewhere: values of a table (anonymizer/table.h).
 */
#ifndef ANONYMIZER_HIERARCHY_H
#define ANONYMIZER_HIERARCHY_H

#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"

/* The label of a value that says nothing any more. */
#define HIERARCHY_STAR "*"

struct hierarchy;

#define HIERARCHY_NONE UINT32_MAX

/* Read the file at `path` (borrowed for the call).  Errors name path and
 * line, and say what was expected; never a value.  Rows with too many or few
 * columns, no rows, a value that stands twice, no tree, a cycle, more than
 * HIERARCHY_LEVELS_MAX levels: E_INPUT or E_LIMIT. */
MUST_USE enum status hierarchy_open(struct hierarchy **hierarchy,
                                    const char *path, struct error *err);
void hierarchy_close(struct hierarchy **hierarchy);

/* The same from bytes; `name` stands in errors. */
MUST_USE enum status hierarchy_parse(struct hierarchy **hierarchy,
                                     struct bytes text, const char *name,
                                     struct error *err);

/* The hierarchy of an attribute that has none: `values` and `*`.  The values
 * are distinct and copied. */
MUST_USE enum status hierarchy_flat(struct hierarchy **hierarchy,
                                    const struct bytes *values, uint32_t count,
                                    struct error *err);

/* The labels of row `row`, from level 0 up, which are borrowed until the next
 * call. */
typedef enum status hierarchy_row(void *context, uint32_t row,
                                  struct bytes *label, struct error *err);

/* A hierarchy of rows that are made one after the other, all values distinct.
 * E_INPUT if it is no tree or has a cycle. */
MUST_USE enum status hierarchy_make(struct hierarchy **hierarchy,
                                    uint32_t levels, uint32_t rows,
                                    hierarchy_row *make, void *context,
                                    struct error *err);

uint32_t hierarchy_levels(const struct hierarchy *hierarchy);
uint32_t hierarchy_rows(const struct hierarchy *hierarchy);
uint32_t hierarchy_nodes(const struct hierarchy *hierarchy, uint32_t level);

/* Row of a value, HIERARCHY_NONE if it has no place here.  Safe from several
 * threads at once. */
uint32_t hierarchy_find(const struct hierarchy *hierarchy, struct bytes value);

uint32_t hierarchy_node(const struct hierarchy *hierarchy, uint32_t level,
                        uint32_t row);
/* HIERARCHY_NONE at the top level. */
uint32_t hierarchy_parent(const struct hierarchy *hierarchy, uint32_t level,
                          uint32_t node);
uint32_t hierarchy_leaves(const struct hierarchy *hierarchy, uint32_t level,
                          uint32_t node);
struct bytes hierarchy_label(const struct hierarchy *hierarchy, uint32_t level,
                             uint32_t node);

#endif
