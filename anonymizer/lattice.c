#include "anonymizer/lattice.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/hierarchy.h"

/* ---- codes of one dimension ---- */

/* A value on its way to becoming a leaf: its path from the top. */
struct path {
    const struct hierarchy *hierarchy;
    uint32_t value;
    uint32_t row;
    uint64_t code;
};

/* Order by the nodes from the top down, so that the values below any node
 * stand together.  Nodes are numbered by first appearance in the file. */
static int compare_paths(const void *a, const void *b)
{
    const struct path *x = a, *y = b;

    for (uint32_t level = hierarchy_levels(x->hierarchy); level-- > 0;) {
        uint32_t i = hierarchy_node(x->hierarchy, level, x->row);
        uint32_t j = hierarchy_node(y->hierarchy, level, y->row);

        if (i != j)
            return i < j ? -1 : 1;
    }
    return 0;
}

static unsigned bits_for(uint32_t count)
{
    unsigned bits = 0;

    while (bits < 32 && (UINT64_C(1) << bits) < count)
        bits++;
    return bits;
}

/* The node above `level`, one for all at the top. */
static uint32_t node_above(const struct path *path, uint32_t level)
{
    if (level + 1 == hierarchy_levels(path->hierarchy))
        return 0;
    return hierarchy_node(path->hierarchy, level + 1, path->row);
}

/* Number the children at `level` within each parent, in the order of the
 * sorted paths: *child[i] for path i.  Returns the largest number of
 * children. */
static uint32_t number_children(const struct path *path, uint32_t count,
                                uint32_t level, uint32_t *child)
{
    uint32_t most = 1;

    child[0] = 0;
    for (uint32_t i = 1; i < count; i++) {
        if (node_above(&path[i], level) != node_above(&path[i - 1], level))
            child[i] = 0;
        else if (hierarchy_node(path[i].hierarchy, level, path[i].row) !=
                 hierarchy_node(path[i].hierarchy, level, path[i - 1].row))
            child[i] = child[i - 1] + 1;
        else
            child[i] = child[i - 1];
        if (child[i] >= most)
            most = child[i] + 1;
    }
    return most;
}

/* Give the sorted paths their codes, from level 0 up: each level's child
 * number goes left of what is there. */
static enum status assign_codes(struct dimension *dimension, struct path *path,
                                struct error *err)
{
    uint32_t count = dimension->leaf_count;
    uint32_t *child = calloc(count, sizeof *child);
    unsigned used = 0;
    enum status status = OK;

    if (child == NULL)
        return error_memory(err, "the codes of an attribute");
    for (uint32_t level = 0; level < dimension->levels; level++) {
        unsigned bits = bits_for(number_children(path, count, level, child));

        dimension->dropped[level] = used;
        if (used + bits > 64) {
            status = error_set(err, E_LIMIT,
                               "its hierarchy is too irregular: paths need "
                               "more than 64 bits");
            break;
        }
        for (uint32_t i = 0; i < count && bits > 0; i++)
            path[i].code |= (uint64_t)child[i] << used;
        used += bits;
    }
    dimension->bits = used;
    free(child);
    return status;
}

/* The code without the bits below a level. */
static uint64_t code_at(const struct dimension *dimension, uint64_t code,
                        uint32_t level)
{
    unsigned dropped = dimension->dropped[level];

    return dropped == 64 ? 0 : code >> dropped << dropped;
}

static bool label_is_star(const struct hierarchy *hierarchy, uint32_t level,
                          uint32_t row)
{
    uint32_t node = hierarchy_node(hierarchy, level, row);

    return bytes_equal_string(hierarchy_label(hierarchy, level, node),
                              HIERARCHY_STAR);
}

/* first_leaf[code] for each code that is a leaf's or a node's. */
static enum status index_leaves(struct dimension *dimension, struct error *err)
{
    if (dimension->bits > LATTICE_INDEX_BITS)
        return OK;
    dimension->first_leaf =
        calloc(UINT64_C(1) << dimension->bits, sizeof *dimension->first_leaf);
    if (dimension->first_leaf == NULL)
        return error_memory(err, "the codes of an attribute");
    for (uint32_t i = dimension->leaf_count; i-- > 0;)
        for (uint32_t level = 0; level < dimension->levels; level++)
            dimension
                ->first_leaf[code_at(dimension, dimension->code[i], level)] = i;
    return OK;
}

static enum status fill_leaves(struct dimension *dimension,
                               const struct path *path, struct error *err)
{
    const struct hierarchy *hierarchy = dimension->quasi->hierarchy;
    uint32_t count = dimension->leaf_count;
    size_t cells = (size_t)count * dimension->levels;

    dimension->code = calloc(count, sizeof *dimension->code);
    dimension->value = calloc(count, sizeof *dimension->value);
    dimension->leaf = calloc(count, sizeof *dimension->leaf);
    dimension->domain = calloc(cells, sizeof *dimension->domain);
    dimension->star = calloc(cells, sizeof *dimension->star);
    if (dimension->code == NULL || dimension->value == NULL ||
        dimension->leaf == NULL || dimension->domain == NULL ||
        dimension->star == NULL)
        return error_memory(err, "the codes of an attribute");
    for (uint32_t i = 0; i < count; i++) {
        dimension->code[i] = path[i].code;
        dimension->value[i] = path[i].value;
        dimension->leaf[path[i].value] = i;
    }
    for (uint32_t level = 0; level < dimension->levels; level++)
        for (uint32_t i = 0; i < count; i++) {
            size_t cell = (size_t)level * count + i;
            uint32_t node = hierarchy_node(hierarchy, level, path[i].row);

            dimension->domain[cell] = hierarchy_leaves(hierarchy, level, node);
            dimension->star[cell] =
                label_is_star(hierarchy, level, path[i].row);
            dimension->star_at[level] |= dimension->star[cell];
        }
    return index_leaves(dimension, err);
}

static enum status dimension_fill(struct dimension *dimension,
                                  const struct policy_attribute *attribute,
                                  const struct quasi_identifier *quasi,
                                  struct error *err)
{
    uint32_t count = quasi->value_count;
    struct path *path = calloc(count, sizeof *path);
    enum status status;

    if (path == NULL)
        return error_memory(err, "the codes of an attribute");
    dimension->quasi = quasi;
    dimension->levels = hierarchy_levels(quasi->hierarchy);
    dimension->level_min = attribute->level_min;
    dimension->level_max = attribute->level_max;
    if (dimension->level_max == LEVEL_UNLIMITED)
        dimension->level_max = dimension->levels - 1;
    assert(dimension->level_min <= dimension->level_max);
    assert(dimension->level_max < dimension->levels);
    dimension->leaf_count = count;
    dimension->domain_size = hierarchy_rows(quasi->hierarchy);
    for (uint32_t v = 0; v < count; v++)
        path[v] = (struct path){quasi->hierarchy, v, quasi->row[v], 0};
    qsort(path, count, sizeof *path, compare_paths);
    status = assign_codes(dimension, path, err);
    if (status == OK)
        status = fill_leaves(dimension, path, err);
    free(path);
    if (status != OK)
        return error_wrap(err, "attribute \"%s\"", attribute->name);
    return OK;
}

/* ---- the lattice ---- */

/* Each dimension goes into the first word that has room for it. */
static void pack(struct lattice *lattice)
{
    unsigned used[QUASI_IDENTIFIERS_MAX] = {0};

    lattice->words = 1;
    for (size_t d = 0; d < lattice->dimension_count; d++) {
        struct dimension *dimension = &lattice->dimension[d];
        unsigned word = 0;

        while (used[word] + dimension->bits > 64)
            word++;
        dimension->word = word;
        /* A dimension of no bits in a full word: any place will do. */
        dimension->shift = used[word] < 64 ? used[word] : 0;
        used[word] += dimension->bits;
        if (word + 1 > lattice->words)
            lattice->words = word + 1;
    }
}

static enum status fill_keys(struct lattice *lattice, const struct table *table,
                             struct error *err)
{
    size_t count = lattice->dimension_count;

    lattice->key =
        calloc(table->tuple_count, lattice->words * sizeof *lattice->key);
    if (lattice->key == NULL)
        return error_memory(err, "the keys");
    for (uint32_t t = 0; t < table->tuple_count; t++)
        for (size_t d = 0; d < count; d++) {
            const struct dimension *dimension = &lattice->dimension[d];
            uint32_t leaf = dimension->leaf[table->value[t * count + d]];

            lattice->key[t * lattice->words + dimension->word] |=
                dimension->code[leaf] << dimension->shift;
        }
    return OK;
}

enum status lattice_create(struct lattice **out, const struct policy *policy,
                           const struct table *table, struct error *err)
{
    struct lattice *lattice = calloc(1, sizeof *lattice);
    enum status status = OK;

    *out = NULL;
    if (lattice == NULL)
        return error_memory(err, "the lattice");
    lattice->dimension = calloc(table->quasi_count, sizeof *lattice->dimension);
    if (lattice->dimension == NULL)
        status = error_memory(err, "the lattice");
    lattice->size = 1;
    for (size_t q = 0; status == OK && q < table->quasi_count; q++) {
        struct dimension *dimension = &lattice->dimension[q];

        lattice->dimension_count = q + 1;
        status = dimension_fill(dimension,
                                &policy->attribute[table->quasi[q].attribute],
                                &table->quasi[q], err);
        lattice->size *= dimension->level_max - dimension->level_min + 1;
    }
    if (status == OK) {
        pack(lattice);
        status = fill_keys(lattice, table, err);
    }
    if (status != OK)
        lattice_destroy(&lattice);
    *out = lattice;
    return status;
}

void lattice_destroy(struct lattice **handle)
{
    struct lattice *lattice = *handle;

    if (lattice == NULL)
        return;
    for (size_t d = 0; d < lattice->dimension_count; d++) {
        struct dimension *dimension = &lattice->dimension[d];

        free(dimension->code);
        free(dimension->value);
        free(dimension->leaf);
        free(dimension->first_leaf);
        free(dimension->domain);
        free(dimension->star);
    }
    free(lattice->dimension);
    free(lattice->key);
    free(lattice);
    *handle = NULL;
}

void lattice_mask(const struct lattice *lattice, const uint8_t *level,
                  uint64_t *mask)
{
    memset(mask, 0, lattice->words * sizeof *mask);
    for (size_t d = 0; d < lattice->dimension_count; d++) {
        const struct dimension *dimension = &lattice->dimension[d];
        uint64_t all = dimension->bits == 64
                           ? UINT64_MAX
                           : (UINT64_C(1) << dimension->bits) - 1;

        mask[dimension->word] |= code_at(dimension, all, level[d])
                                 << dimension->shift;
    }
}

uint32_t dimension_find_leaf(const struct dimension *dimension, uint64_t code)
{
    uint32_t low = 0, high = dimension->leaf_count;

    /* The first leaf whose code is not smaller: those below a node begin with
     * the node's code and zeros. */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (dimension->code[middle] < code)
            low = middle + 1;
        else
            high = middle;
    }
    assert(low < dimension->leaf_count);
    return low;
}

bool lattice_all_star(const struct lattice *lattice, const uint8_t *level,
                      const uint64_t *key)
{
    for (size_t d = 0; d < lattice->dimension_count; d++) {
        const struct dimension *dimension = &lattice->dimension[d];

        if (!dimension->star[(size_t)level[d] * dimension->leaf_count +
                             dimension_leaf(dimension, key)])
            return false;
    }
    return true;
}

bool lattice_may_be_all_star(const struct lattice *lattice,
                             const uint8_t *level)
{
    for (size_t d = 0; d < lattice->dimension_count; d++)
        if (!lattice->dimension[d].star_at[level[d]])
            return false;
    return true;
}

uint32_t lattice_height(const struct lattice *lattice, const uint8_t *level)
{
    uint32_t height = 0;

    for (size_t d = 0; d < lattice->dimension_count; d++)
        height += level[d];
    return height;
}

bool lattice_below(const struct lattice *lattice, const uint8_t *a,
                   const uint8_t *b)
{
    static const uint64_t high = UINT64_C(0x8080808080808080);
    size_t count = lattice->dimension_count, d = 0;

    /* Eight at once: levels are below 128, so that the high bit of each byte
     * of b is borrowed where a is larger, and nowhere else. */
    static_assert(HIERARCHY_LEVELS_MAX <= 128, "levels use the high bit");
    for (; d + sizeof high <= count; d += sizeof high) {
        uint64_t x, y;

        memcpy(&x, a + d, sizeof x);
        memcpy(&y, b + d, sizeof y);
        if ((((y | high) - x) & high) != high)
            return false;
    }
    for (; d < count; d++)
        if (a[d] > b[d])
            return false;
    return true;
}
