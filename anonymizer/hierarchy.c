#include "anonymizer/hierarchy.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/csv_internal.h"
#include "common/files.h"
#include "common/hash.h"
#include "common/limits.h"
#include "common/text.h"

/* Offsets into the texts are 32 bit. */
_Static_assert(HIERARCHY_SIZE_MAX <= UINT32_MAX, "a label's offset overflows");
_Static_assert(HIERARCHY_ROWS_MAX < HIERARCHY_NONE / 2, "a row overflows");

/* A run of bytes in hierarchy.texts. */
struct label {
    uint32_t offset;
    uint32_t size;
};

/* Open addressing, at most half full, from labels to their ids.  A slot keeps
 * 32 bits of the hash: growing needs no label, and a look-up compares the
 * bytes of almost none but the right one. */
struct slot {
    uint32_t hash;
    uint32_t after; /* id + 1; 0: free */
};

struct label_index {
    struct slot *slot;
    unsigned bits; /* 2^bits slots; 0: none yet */
    uint32_t count;
};

struct level {
    uint32_t nodes;
    uint32_t capacity;
    struct label *label; /* by node, like the next two */
    uint32_t *parent;
    uint32_t *leaves;
    uint32_t *node; /* by row; NULL on level 0, where it is the row */
};

struct hierarchy {
    uint32_t levels;
    uint32_t rows;
    struct level level[HIERARCHY_LEVELS_MAX];
    struct text texts;
    struct hash_key key;
    struct label_index values; /* labels of level 0 */
};

/* What only the making of a hierarchy needs. */
struct draft {
    struct hierarchy *hierarchy;
    struct label_index index[HIERARCHY_LEVELS_MAX]; /* not of level 0 */
    uint32_t *first[HIERARCHY_LEVELS_MAX]; /* row where a node is first met */
    uint32_t *line;                        /* of a row in the file */
    uint32_t row_capacity;
};

/* ---- labels and their index ---- */

static struct bytes label_bytes(const struct hierarchy *hierarchy,
                                struct label label)
{
    return bytes_of(hierarchy->texts.data + label.offset, label.size);
}

static uint32_t label_hash(const struct hierarchy *hierarchy,
                           struct bytes value)
{
    return (uint32_t)(hash_bytes(&hierarchy->key, value) >> 32);
}

/* `labels` by id. */
static uint32_t index_find(const struct label_index *index,
                           const struct hierarchy *hierarchy,
                           const struct label *labels, struct bytes value,
                           uint32_t hash)
{
    uint32_t last = (UINT32_C(1) << index->bits) - 1;

    if (index->bits == 0)
        return HIERARCHY_NONE;
    for (uint32_t at = hash >> (32 - index->bits);; at = (at + 1) & last) {
        struct slot slot = index->slot[at];

        if (slot.after == 0)
            return HIERARCHY_NONE;
        if (slot.hash == hash &&
            bytes_equal(label_bytes(hierarchy, labels[slot.after - 1]), value))
            return slot.after - 1;
    }
}

static void index_place(struct label_index *index, struct slot slot)
{
    uint32_t last = (UINT32_C(1) << index->bits) - 1;
    uint32_t at = slot.hash >> (32 - index->bits);

    while (index->slot[at].after != 0)
        at = (at + 1) & last;
    index->slot[at] = slot;
}

static enum status index_grow(struct label_index *index, struct error *err)
{
    struct label_index grown = {.bits = index->bits == 0 ? 4 : index->bits + 1,
                                .count = index->count};
    size_t slots = (size_t)1 << grown.bits;

    assert(grown.bits < 32);
    grown.slot = calloc(slots, sizeof *grown.slot);
    if (grown.slot == NULL)
        return error_memory(err, "a hierarchy");
    for (size_t i = 0; index->bits > 0 && i < slots / 2; i++)
        if (index->slot[i].after != 0)
            index_place(&grown, index->slot[i]);
    free(index->slot);
    *index = grown;
    return OK;
}

/* The label must not be there yet. */
static enum status index_add(struct label_index *index, uint32_t hash,
                             uint32_t id, struct error *err)
{
    if (index->bits == 0 || index->count >= UINT32_C(1) << (index->bits - 1)) {
        enum status status = index_grow(index, err);

        if (status != OK)
            return status;
    }
    index_place(index, (struct slot){hash, id + 1});
    index->count++;
    return OK;
}

/* ---- growing ---- */

static enum status level_reserve(struct draft *draft, uint32_t number,
                                 struct error *err)
{
    struct level *level = &draft->hierarchy->level[number];
    uint32_t capacity = level->capacity == 0 ? 16 : 2 * level->capacity;
    struct label *label;
    uint32_t *parent, *leaves, *first;

    if (level->nodes < level->capacity)
        return OK;
    label = realloc(level->label, capacity * sizeof *label);
    if (label == NULL)
        return error_memory(err, "a hierarchy");
    level->label = label;
    parent = realloc(level->parent, capacity * sizeof *parent);
    if (parent == NULL)
        return error_memory(err, "a hierarchy");
    level->parent = parent;
    leaves = realloc(level->leaves, capacity * sizeof *leaves);
    if (leaves == NULL)
        return error_memory(err, "a hierarchy");
    level->leaves = leaves;
    first = realloc(draft->first[number], capacity * sizeof *first);
    if (first == NULL)
        return error_memory(err, "a hierarchy");
    draft->first[number] = first;
    level->capacity = capacity;
    return OK;
}

/* A new node without leaves, first met in the row that is being added. */
static enum status level_add(struct draft *draft, uint32_t number,
                             struct bytes label, uint32_t *node,
                             struct error *err)
{
    struct hierarchy *hierarchy = draft->hierarchy;
    struct level *level = &hierarchy->level[number];
    enum status status = level_reserve(draft, number, err);

    if (status != OK)
        return status;
    if (label.size > HIERARCHY_SIZE_MAX - hierarchy->texts.size)
        return error_set(err, E_LIMIT, "labels of more than %u bytes",
                         HIERARCHY_SIZE_MAX);
    assert(level->label != NULL && level->parent != NULL &&
           level->leaves != NULL && draft->first[number] != NULL);
    *node = level->nodes;
    level->label[*node] =
        (struct label){(uint32_t)hierarchy->texts.size, (uint32_t)label.size};
    level->parent[*node] = HIERARCHY_NONE;
    level->leaves[*node] = 0;
    draft->first[number][*node] = hierarchy->rows;
    status = text_append(&hierarchy->texts, label.data, label.size, err);
    if (status == OK)
        level->nodes++;
    return status;
}

static enum status rows_reserve(struct draft *draft, struct error *err)
{
    struct hierarchy *hierarchy = draft->hierarchy;
    uint32_t capacity = draft->row_capacity == 0 ? 16 : 2 * draft->row_capacity;
    uint32_t *line;

    if (hierarchy->rows == HIERARCHY_ROWS_MAX)
        return error_set(err, E_LIMIT, "more than %u rows", HIERARCHY_ROWS_MAX);
    if (hierarchy->rows < draft->row_capacity)
        return OK;
    line = realloc(draft->line, capacity * sizeof *line);
    if (line == NULL)
        return error_memory(err, "a hierarchy");
    draft->line = line;
    for (uint32_t i = 1; i < hierarchy->levels; i++) {
        uint32_t *node =
            realloc(hierarchy->level[i].node, capacity * sizeof *node);

        if (node == NULL)
            return error_memory(err, "a hierarchy");
        hierarchy->level[i].node = node;
    }
    draft->row_capacity = capacity;
    return OK;
}

/* ---- rows ---- */

/* Line where a node is first met. */
static uint32_t first_line(const struct draft *draft, uint32_t level,
                           uint32_t node)
{
    assert(draft->line != NULL && draft->first[level] != NULL);
    return draft->line[draft->first[level][node]];
}

/* The node of level 0 for a value that must be new. */
static enum status add_value(struct draft *draft, struct bytes value,
                             struct error *err)
{
    struct hierarchy *hierarchy = draft->hierarchy;
    uint32_t hash = label_hash(hierarchy, value);
    uint32_t node = index_find(&hierarchy->values, hierarchy,
                               hierarchy->level[0].label, value, hash);

    if (node != HIERARCHY_NONE)
        return error_set(err, E_INPUT,
                         "line %ju: the value of line %ju again; each value "
                         "stands once",
                         (uintmax_t)draft->line[hierarchy->rows],
                         (uintmax_t)first_line(draft, 0, node));
    if (level_add(draft, 0, value, &node, err) != OK)
        return err->status;
    assert(node == hierarchy->rows);
    return index_add(&hierarchy->values, hash, node, err);
}

/* The node with this label on a level above 0, which is made if need be. */
static enum status intern(struct draft *draft, uint32_t number,
                          struct bytes label, uint32_t *node, struct error *err)
{
    struct hierarchy *hierarchy = draft->hierarchy;
    struct level *level = &hierarchy->level[number];
    uint32_t hash;

    /* Rows are mostly sorted: the node of the row before, often. */
    if (hierarchy->rows > 0) {
        *node = level->node[hierarchy->rows - 1];
        if (bytes_equal(label_bytes(hierarchy, level->label[*node]), label))
            return OK;
    }
    hash = label_hash(hierarchy, label);
    *node =
        index_find(&draft->index[number], hierarchy, level->label, label, hash);
    if (*node != HIERARCHY_NONE)
        return OK;
    if (level_add(draft, number, label, node, err) != OK)
        return err->status;
    return index_add(&draft->index[number], hash, *node, err);
}

/* Add a row.  From below to above: as long as nodes are new their parents are
 * looked up by label; from the first known node on the labels must be those
 * of the path that is there already. */
static enum status add_row(struct draft *draft, const struct csv_record *record,
                           struct error *err)
{
    struct hierarchy *hierarchy = draft->hierarchy;
    uint32_t row = hierarchy->rows, below = row;
    bool known = false;

    assert(record->count == hierarchy->levels);
    if (rows_reserve(draft, err) != OK)
        return err->status;
    draft->line[row] = (uint32_t)record->line;
    if (add_value(draft, record->field[0].value, err) != OK)
        return err->status;
    hierarchy->level[0].leaves[row] = 1;

    for (uint32_t i = 1; i < record->count; i++) {
        struct level *level = &hierarchy->level[i];
        struct bytes label = record->field[i].value;
        uint32_t nodes = level->nodes, node;

        if (known) {
            node = level[-1].parent[below];
            if (!bytes_equal(label_bytes(hierarchy, level->label[node]), label))
                return error_set(err, E_INPUT,
                                 "line %ju: level %u agrees with line %ju but "
                                 "level %u does not; a hierarchy must be a "
                                 "tree",
                                 (uintmax_t)record->line, i - 1,
                                 (uintmax_t)first_line(draft, i - 1, below), i);
        } else {
            if (intern(draft, i, label, &node, err) != OK)
                return err->status;
            level[-1].parent[below] = node;
            known = level->nodes == nodes;
        }
        level->node[row] = node;
        level->leaves[node]++;
        below = node;
    }
    hierarchy->rows++;
    return OK;
}

/* ---- cycles ----
 *
 * Labels as the nodes of a graph: an edge leads from the label of each node to
 * that of its parent, unless they are the same.  Edges go up by one level, so
 * a cycle needs a label that stands on several levels. */

struct label_graph {
    uint32_t nodes;  /* of all levels */
    uint32_t labels; /* distinct ones; the first are the rows */
    uint32_t base[HIERARCHY_LEVELS_MAX + 1]; /* of a level's nodes */
    uint32_t *id;                            /* of a node's label */
    uint32_t *next;           /* node with the same label, or NONE */
    uint32_t *to_do;          /* by label: node whose edge is next, or NONE */
    uint32_t *path;           /* of the search: labels that it came through */
    uint8_t *state;           /* by label */
    struct label *upper;      /* labels that no row has, by id - rows */
    struct label_index index; /* of these */
};

enum { LABEL_NEW, LABEL_ON_PATH, LABEL_DONE };

static void graph_clear(struct label_graph *graph)
{
    free(graph->id);
    free(graph->next);
    free(graph->to_do);
    free(graph->path);
    free(graph->state);
    free(graph->upper);
    free(graph->index.slot);
}

static enum status graph_create(struct label_graph *graph,
                                const struct hierarchy *hierarchy,
                                struct error *err)
{
    uint64_t nodes = 0;

    *graph = (struct label_graph){.labels = hierarchy->rows};
    for (uint32_t i = 0; i < hierarchy->levels; i++) {
        graph->base[i] = (uint32_t)nodes;
        nodes += hierarchy->level[i].nodes;
    }
    /* Each cell but one has a delimiter or a newline of its own. */
    assert(nodes > 0 && nodes <= HIERARCHY_SIZE_MAX + 1);
    graph->base[hierarchy->levels] = graph->nodes = (uint32_t)nodes;
    graph->id = malloc(nodes * sizeof *graph->id);
    graph->next = malloc(nodes * sizeof *graph->next);
    graph->to_do = malloc(nodes * sizeof *graph->to_do);
    graph->path = malloc(nodes * sizeof *graph->path);
    graph->state = calloc(nodes, sizeof *graph->state);
    graph->upper = malloc((nodes - hierarchy->rows + 1) * sizeof *graph->upper);
    if (graph->id == NULL || graph->next == NULL || graph->to_do == NULL ||
        graph->path == NULL || graph->state == NULL || graph->upper == NULL)
        return error_memory(err, "a hierarchy");
    return OK;
}

/* The id of a label above level 0, which is given one if it has none. */
static enum status graph_intern(struct label_graph *graph,
                                const struct hierarchy *hierarchy,
                                struct label label, uint32_t *id,
                                struct error *err)
{
    struct bytes value = label_bytes(hierarchy, label);
    uint32_t hash = label_hash(hierarchy, value);
    uint32_t found = index_find(&hierarchy->values, hierarchy,
                                hierarchy->level[0].label, value, hash);

    if (found != HIERARCHY_NONE) {
        *id = found;
        return OK;
    }
    found = index_find(&graph->index, hierarchy, graph->upper, value, hash);
    if (found != HIERARCHY_NONE) {
        *id = hierarchy->rows + found;
        return OK;
    }
    *id = graph->labels++;
    graph->upper[*id - hierarchy->rows] = label;
    return index_add(&graph->index, hash, *id - hierarchy->rows, err);
}

static enum status graph_fill(struct label_graph *graph,
                              const struct hierarchy *hierarchy,
                              struct error *err)
{
    for (uint32_t node = 0; node < hierarchy->rows; node++)
        graph->id[node] = node;
    for (uint32_t i = 1; i < hierarchy->levels; i++)
        for (uint32_t node = 0; node < hierarchy->level[i].nodes; node++)
            if (graph_intern(graph, hierarchy, hierarchy->level[i].label[node],
                             &graph->id[graph->base[i] + node], err) != OK)
                return err->status;

    for (uint32_t label = 0; label < graph->labels; label++)
        graph->to_do[label] = HIERARCHY_NONE;
    for (uint32_t node = graph->nodes; node-- > 0;) {
        graph->next[node] = graph->to_do[graph->id[node]];
        graph->to_do[graph->id[node]] = node;
    }
    return OK;
}

static uint32_t graph_level(const struct label_graph *graph, uint32_t node)
{
    uint32_t level = 0;

    while (node >= graph->base[level + 1])
        level++;
    return level;
}

/* The next label above `label`, NONE if all were given; *node is the node
 * whose edge leads there. */
static uint32_t graph_step(struct label_graph *graph,
                           const struct hierarchy *hierarchy, uint32_t label,
                           uint32_t *node)
{
    uint32_t next;

    /* In a local: clang 14 -O2 loses the end of the loop where the condition
     * reads memory. */
    while ((next = graph->to_do[label]) != HIERARCHY_NONE) {
        uint32_t level = graph_level(graph, next);
        uint32_t parent =
            hierarchy->level[level].parent[next - graph->base[level]];

        graph->to_do[label] = graph->next[next];
        *node = next;
        if (parent == HIERARCHY_NONE)
            continue;
        parent = graph->id[graph->base[level + 1] + parent];
        if (parent != label)
            return parent;
    }
    return HIERARCHY_NONE;
}

/* Depth first from `start`.  An edge that leads back to the path closes a
 * cycle: its node, or NONE. */
static uint32_t graph_search(struct label_graph *graph,
                             const struct hierarchy *hierarchy, uint32_t start)
{
    uint32_t depth = 0, node;

    graph->path[depth++] = start;
    graph->state[start] = LABEL_ON_PATH;
    while (depth > 0) {
        uint32_t label = graph->path[depth - 1];
        uint32_t above = graph_step(graph, hierarchy, label, &node);

        if (above == HIERARCHY_NONE) {
            graph->state[label] = LABEL_DONE;
            depth--;
        } else if (graph->state[above] == LABEL_ON_PATH) {
            return node;
        } else if (graph->state[above] == LABEL_NEW) {
            graph->state[above] = LABEL_ON_PATH;
            graph->path[depth++] = above;
        }
    }
    return HIERARCHY_NONE;
}

static enum status check_cycles(const struct draft *draft, struct error *err)
{
    const struct hierarchy *hierarchy = draft->hierarchy;
    struct label_graph graph;
    enum status status = graph_create(&graph, hierarchy, err);

    if (status == OK)
        status = graph_fill(&graph, hierarchy, err);
    if (status != OK || graph.labels == graph.nodes)
        goto done; /* or no label stands on two levels */
    for (uint32_t label = 0; label < graph.labels; label++) {
        uint32_t node, level;

        if (graph.state[label] != LABEL_NEW)
            continue;
        node = graph_search(&graph, hierarchy, label);
        if (node == HIERARCHY_NONE)
            continue;
        level = graph_level(&graph, node);
        status = error_set(
            err, E_INPUT,
            "line %ju: the step from level %u to level %u closes a cycle; a "
            "label must not be its own ancestor by way of others",
            (uintmax_t)first_line(draft, level, node - graph.base[level]),
            level, level + 1);
        break;
    }
done:
    graph_clear(&graph);
    return status;
}

/* ---- open and close ---- */

static enum status draft_create(struct draft *draft, struct error *err)
{
    *draft = (struct draft){0};
    draft->hierarchy = calloc(1, sizeof *draft->hierarchy);
    if (draft->hierarchy == NULL)
        return error_memory(err, "a hierarchy");
    text_init(&draft->hierarchy->texts);
    return hash_key_draw(&draft->hierarchy->key, err);
}

/* Hand out the hierarchy if all went well, release the rest. */
static void draft_finish(struct draft *draft, enum status status,
                         struct hierarchy **out)
{
    for (uint32_t i = 0; i < HIERARCHY_LEVELS_MAX; i++) {
        free(draft->index[i].slot);
        free(draft->first[i]);
    }
    free(draft->line);
    if (status != OK)
        hierarchy_close(&draft->hierarchy);
    *out = draft->hierarchy;
}

/* `;` if the first line has one outside quotes. */
static char choose_delimiter(struct bytes text)
{
    bool quoted = false;

    for (size_t i = 0; i < text.size; i++) {
        quoted ^= text.data[i] == '"';
        if (quoted)
            continue;
        if (text.data[i] == ';')
            return ';';
        if (text.data[i] == '\n')
            break;
    }
    return ',';
}

/* Errors of the reader come with its file's name, ours get it here. */
static enum status read_rows(struct draft *draft, struct csv_reader *reader,
                             const char *name, struct error *err)
{
    struct hierarchy *hierarchy = draft->hierarchy;
    const struct csv_record *record;

    for (;;) {
        if (csv_next(reader, &record, err) != OK)
            return err->status;
        if (record == NULL)
            break;
        if (record->count > HIERARCHY_LEVELS_MAX)
            return error_set(err, E_LIMIT,
                             "%s: line %ju: %zu columns, a hierarchy has at "
                             "most %d levels",
                             name, (uintmax_t)record->line, record->count,
                             HIERARCHY_LEVELS_MAX);
        hierarchy->levels = (uint32_t)record->count;
        if (add_row(draft, record, err) != OK)
            return error_wrap(err, "%s", name);
    }
    if (hierarchy->rows == 0)
        return error_set(err, E_INPUT,
                         "%s: no rows; a row for each value was expected",
                         name);
    if (check_cycles(draft, err) != OK)
        return error_wrap(err, "%s", name);
    return OK;
}

enum status hierarchy_parse(struct hierarchy **out, struct bytes text,
                            const char *name, struct error *err)
{
    struct csv_options options = {.no_header = true};
    struct csv_source source = {.fd = -1, .memory = text};
    struct csv_reader *reader = NULL;
    struct draft draft;
    enum status status;

    assert(out != NULL && name != NULL);
    status = draft_create(&draft, err);
    if (status != OK)
        goto done;
    if (text.size > HIERARCHY_SIZE_MAX) {
        status = error_set(err, E_LIMIT, "%s: %zu bytes, the limit is %u", name,
                           text.size, HIERARCHY_SIZE_MAX);
        goto done;
    }
    options.delimiter = choose_delimiter(text);
    status = csv_open_source(&reader, source, name, options,
                             csv_tuning_default(), err);
    if (status == OK)
        status = read_rows(&draft, reader, name, err);
done:
    csv_close(&reader);
    draft_finish(&draft, status, out);
    return status;
}

enum status hierarchy_open(struct hierarchy **out, const char *path,
                           struct error *err)
{
    struct text text;
    enum status status;

    *out = NULL;
    text_init(&text);
    status = file_read(path, HIERARCHY_SIZE_MAX, &text, err);
    if (status == OK)
        status = hierarchy_parse(out, text_bytes(&text), path, err);
    text_clear(&text);
    return status;
}

enum status hierarchy_flat(struct hierarchy **out, const struct bytes *values,
                           uint32_t count, struct error *err)
{
    struct csv_field field[2] = {{.value = bytes_of_string(HIERARCHY_STAR)},
                                 {.value = bytes_of_string(HIERARCHY_STAR)}};
    struct csv_record record = {.field = field, .count = 2};
    struct draft draft;
    enum status status;

    assert(out != NULL && count > 0);
    status = draft_create(&draft, err);
    if (status != OK)
        goto done;
    draft.hierarchy->levels = 2;
    for (uint32_t i = 0; i < count && status == OK; i++) {
        field[0].value = values[i];
        status = add_row(&draft, &record, err);
        assert(status != E_INPUT); /* a value that the caller gave twice */
    }
done:
    draft_finish(&draft, status, out);
    return status;
}

/* Lines, by which add_row and check_cycles tell of what is wrong, mean nothing
 * to who made no file. */
static enum status in_labels_words(enum status status, struct error *err)
{
    if (status != E_INPUT)
        return status;
    return error_set(err, E_INPUT,
                     "two groups have the same label where those above have "
                     "not, or a label is its own ancestor; a hierarchy must "
                     "be a tree");
}

enum status hierarchy_make(struct hierarchy **out, uint32_t levels,
                           uint32_t rows, hierarchy_row *make, void *context,
                           struct error *err)
{
    struct csv_field field[HIERARCHY_LEVELS_MAX] = {0};
    struct bytes label[HIERARCHY_LEVELS_MAX];
    struct csv_record record = {.field = field, .count = levels};
    struct draft draft;
    enum status status;

    assert(levels >= 1 && levels <= HIERARCHY_LEVELS_MAX && rows > 0);
    status = draft_create(&draft, err);
    if (status != OK)
        goto done;
    draft.hierarchy->levels = levels;
    for (uint32_t row = 0; row < rows && status == OK; row++) {
        status = make(context, row, label, err);
        if (status != OK)
            break;
        for (uint32_t i = 0; i < levels; i++)
            field[i].value = label[i];
        status = in_labels_words(add_row(&draft, &record, err), err);
    }
    if (status == OK)
        status = in_labels_words(check_cycles(&draft, err), err);
done:
    draft_finish(&draft, status, out);
    return status;
}

void hierarchy_close(struct hierarchy **hierarchy)
{
    if (*hierarchy == NULL)
        return;
    for (uint32_t i = 0; i < (*hierarchy)->levels; i++) {
        free((*hierarchy)->level[i].label);
        free((*hierarchy)->level[i].parent);
        free((*hierarchy)->level[i].leaves);
        free((*hierarchy)->level[i].node);
    }
    free((*hierarchy)->values.slot);
    text_clear(&(*hierarchy)->texts);
    free(*hierarchy);
    *hierarchy = NULL;
}

/* ---- queries ---- */

uint32_t hierarchy_levels(const struct hierarchy *hierarchy)
{
    return hierarchy->levels;
}

uint32_t hierarchy_rows(const struct hierarchy *hierarchy)
{
    return hierarchy->rows;
}

uint32_t hierarchy_nodes(const struct hierarchy *hierarchy, uint32_t level)
{
    assert(level < hierarchy->levels);
    return hierarchy->level[level].nodes;
}

uint32_t hierarchy_find(const struct hierarchy *hierarchy, struct bytes value)
{
    return index_find(&hierarchy->values, hierarchy, hierarchy->level[0].label,
                      value, label_hash(hierarchy, value));
}

uint32_t hierarchy_node(const struct hierarchy *hierarchy, uint32_t level,
                        uint32_t row)
{
    assert(level < hierarchy->levels && row < hierarchy->rows);
    return level == 0 ? row : hierarchy->level[level].node[row];
}

uint32_t hierarchy_parent(const struct hierarchy *hierarchy, uint32_t level,
                          uint32_t node)
{
    assert(level < hierarchy->levels);
    assert(node < hierarchy->level[level].nodes);
    return hierarchy->level[level].parent[node];
}

uint32_t hierarchy_leaves(const struct hierarchy *hierarchy, uint32_t level,
                          uint32_t node)
{
    assert(level < hierarchy->levels);
    assert(node < hierarchy->level[level].nodes);
    return hierarchy->level[level].leaves[node];
}

struct bytes hierarchy_label(const struct hierarchy *hierarchy, uint32_t level,
                             uint32_t node)
{
    assert(level < hierarchy->levels);
    assert(node < hierarchy->level[level].nodes);
    return label_bytes(hierarchy, hierarchy->level[level].label[node]);
}
