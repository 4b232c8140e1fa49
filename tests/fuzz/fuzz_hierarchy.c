/*
 * tests/fuzz/fuzz_hierarchy.c - whatever bytes: what is accepted holds the
 * invariants of anonymizer/hierarchy.h, counted again from the rows.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/hierarchy.h"
#include "common/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Rows up to which pairs of them, and of nodes, are compared. */
#define PAIRS_MAX 64
#define LABELS_MAX 256

static void demand(bool truth)
{
    if (!truth)
        abort();
}

static void check_level(const struct hierarchy *h, uint32_t level)
{
    uint32_t rows = hierarchy_rows(h), nodes = hierarchy_nodes(h, level);
    uint32_t *below = calloc(nodes, sizeof *below);
    uint32_t next = 0;

    demand(below != NULL);
    demand(level == 0 || nodes <= hierarchy_nodes(h, level - 1));
    for (uint32_t row = 0; row < rows; row++) {
        uint32_t node = hierarchy_node(h, level, row);

        demand(node <= next && node < nodes); /* by first appearance */
        next += node == next;
        below[node]++;
        demand(hierarchy_parent(h, level, node) ==
               (level + 1 < hierarchy_levels(h)
                    ? hierarchy_node(h, level + 1, row)
                    : HIERARCHY_NONE));
    }
    demand(next == nodes);
    for (uint32_t node = 0; node < nodes; node++)
        demand(below[node] == hierarchy_leaves(h, level, node));
    for (uint32_t a = 0; a < nodes && nodes <= PAIRS_MAX; a++)
        for (uint32_t b = 0; b < a; b++)
            demand(!bytes_equal(hierarchy_label(h, level, a),
                                hierarchy_label(h, level, b)));
    free(below);
}

static size_t label_number(struct bytes *labels, size_t *count,
                           struct bytes label)
{
    for (size_t i = 0; i < *count; i++)
        if (bytes_equal(labels[i], label))
            return i;
    labels[*count] = label;
    return (*count)++;
}

/* The closure of "stands below": Warshall, JACM 9 (1), 1962. */
static void check_cycles(const struct hierarchy *h)
{
    static bool above[LABELS_MAX][LABELS_MAX];
    struct bytes labels[LABELS_MAX];
    size_t count = 0, nodes = 0;

    for (uint32_t level = 0; level < hierarchy_levels(h); level++)
        nodes += hierarchy_nodes(h, level);
    if (nodes > LABELS_MAX)
        return;
    memset(above, 0, sizeof above);
    for (uint32_t level = 0; level + 1 < hierarchy_levels(h); level++)
        for (uint32_t node = 0; node < hierarchy_nodes(h, level); node++) {
            uint32_t parent = hierarchy_parent(h, level, node);
            size_t from =
                label_number(labels, &count, hierarchy_label(h, level, node));
            size_t to = label_number(labels, &count,
                                     hierarchy_label(h, level + 1, parent));

            above[from][to] |= from != to;
        }
    for (size_t via = 0; via < count; via++)
        for (size_t from = 0; from < count; from++)
            for (size_t to = 0; to < count; to++)
                above[from][to] |= above[from][via] && above[via][to];
    for (size_t label = 0; label < count; label++)
        demand(!above[label][label]);
}

static void check_flat(const struct hierarchy *h)
{
    uint32_t rows = hierarchy_rows(h);
    struct bytes *values = calloc(rows, sizeof *values);
    struct hierarchy *flat = NULL;
    struct error err;

    demand(values != NULL);
    for (uint32_t row = 0; row < rows; row++)
        values[row] = hierarchy_label(h, 0, row);
    demand(hierarchy_flat(&flat, values, rows, &err) == OK);
    demand(hierarchy_levels(flat) == 2 && hierarchy_rows(flat) == rows);
    demand(hierarchy_nodes(flat, 1) == 1);
    check_level(flat, 0);
    check_level(flat, 1);
    for (uint32_t row = 0; row < rows; row++)
        demand(hierarchy_find(flat, values[row]) == row);
    hierarchy_close(&flat);
    free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hierarchy *h = NULL;
    struct error err;

    error_init(&err);
    if (hierarchy_parse(&h, bytes_of(data, size), "h", &err) != OK) {
        demand(h == NULL && err.status != OK && err.text[0] != '\0');
        return 0;
    }
    demand(err.status == OK);
    demand(hierarchy_rows(h) > 0 && hierarchy_levels(h) > 0);
    demand(hierarchy_nodes(h, 0) == hierarchy_rows(h));
    for (uint32_t level = 0; level < hierarchy_levels(h); level++)
        check_level(h, level);
    for (uint32_t row = 0; row < hierarchy_rows(h); row++)
        demand(hierarchy_find(h, hierarchy_label(h, 0, row)) == row);
    check_cycles(h);
    check_flat(h);
    hierarchy_close(&h);
    return 0;
}
