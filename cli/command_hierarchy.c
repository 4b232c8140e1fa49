#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/hierarchy.h"
#include "cli/command.h"
#include "cli/options.h"
#include "common/limits.h"
#include "common/utf8.h"

/* Children of a node that are shown without --all. */
#define CHILDREN_SHOWN 12

static const char help[] =
    "usage: anchorite hierarchy show FILE [--all] [--json]\n\n"
    "Checks a generalization hierarchy and shows it: for each level the nodes "
    "and the\nsmallest and largest number of values below one, then the tree "
    "from the top, with\nthe number of values below each node.  \"-\" is "
    "standard input.\n\n"
    "  -a, --all    the whole tree; else at most 12 children of a node\n"
    "  -j, --json   print one JSON object with the figures of the levels\n"
    "  -h, --help   this text\n\n"
    "Example:\n"
    "  anchorite hierarchy show policies/hierarchies/age.csv\n";

struct options {
    const char *file;
    bool all;
    bool json;
};

/* Nodes below each node in the order of the file, as lists.  Nodes of all
 * levels are counted on: node n of level l is base[l] + n here. */
struct tree {
    const struct hierarchy *hierarchy;
    bool all;
    uint32_t levels;
    size_t base[HIERARCHY_LEVELS_MAX + 1];
    uint32_t root;     /* first of the top level */
    uint32_t *child;   /* first one of a node; within its level */
    uint32_t *sibling; /* the next one of the same parent */
};

/* ---- figures of the levels ---- */

struct level_figures {
    uint32_t nodes;
    uint32_t smallest;
    uint32_t largest;
};

static struct level_figures measure_level(const struct hierarchy *hierarchy,
                                          uint32_t level)
{
    struct level_figures figures = {.nodes = hierarchy_nodes(hierarchy, level),
                                    .smallest = UINT32_MAX};

    for (uint32_t node = 0; node < figures.nodes; node++) {
        uint32_t leaves = hierarchy_leaves(hierarchy, level, node);

        if (leaves < figures.smallest)
            figures.smallest = leaves;
        if (leaves > figures.largest)
            figures.largest = leaves;
    }
    return figures;
}

static void print_levels(const struct hierarchy *hierarchy, const char *file)
{
    uint32_t rows = hierarchy_rows(hierarchy);
    uint32_t levels = hierarchy_levels(hierarchy);

    command_print_harmless(stdout, file);
    printf(": %u value%s, %u level%s\n\n", rows, rows == 1 ? "" : "s", levels,
           levels == 1 ? "" : "s");
    printf("level       nodes    smallest     largest\n");
    for (uint32_t level = 0; level < levels; level++) {
        struct level_figures figures = measure_level(hierarchy, level);

        printf("%5u  %10u  %10u  %10u\n", level, figures.nodes,
               figures.smallest, figures.largest);
    }
}

static enum status add_level(struct json_value *levels,
                             const struct hierarchy *hierarchy, uint32_t level,
                             struct error *err)
{
    struct level_figures figures = measure_level(hierarchy, level);
    struct json_value *object;

    if (json_add_object(levels, NULL, &object, err) != OK ||
        json_add_integer(object, "level", level, err) != OK ||
        json_add_integer(object, "nodes", figures.nodes, err) != OK ||
        json_add_integer(object, "smallest", figures.smallest, err) != OK ||
        json_add_integer(object, "largest", figures.largest, err) != OK)
        return err->status;
    return OK;
}

static enum status print_json(const struct hierarchy *hierarchy,
                              const char *file, struct error *err)
{
    struct json *json = NULL;
    struct json_value *root, *levels;
    enum status status = json_create(&json, err);

    if (status != OK)
        return status;
    root = json_edit_root(json);
    status = json_add_string(root, "file", file, err);
    if (status == OK)
        status = json_add_integer(root, "rows", hierarchy_rows(hierarchy), err);
    if (status == OK)
        status = json_add_array(root, "levels", &levels, err);
    for (uint32_t i = 0; i < hierarchy_levels(hierarchy) && status == OK; i++)
        status = add_level(levels, hierarchy, i, err);
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

/* ---- the tree ---- */

static void tree_clear(struct tree *tree)
{
    free(tree->child);
    free(tree->sibling);
}

/* From the last node to the first, so that lists begin with the first. */
static void tree_link(struct tree *tree, uint32_t level)
{
    for (uint32_t node = hierarchy_nodes(tree->hierarchy, level); node-- > 0;) {
        uint32_t parent = hierarchy_parent(tree->hierarchy, level, node);
        uint32_t *first = &tree->root;

        if (parent != HIERARCHY_NONE)
            first = &tree->child[tree->base[level + 1] + parent];
        tree->sibling[tree->base[level] + node] = *first;
        *first = node;
    }
}

static enum status tree_create(struct tree *tree,
                               const struct hierarchy *hierarchy, bool all,
                               struct error *err)
{
    size_t nodes = 0;

    *tree = (struct tree){.hierarchy = hierarchy,
                          .all = all,
                          .levels = hierarchy_levels(hierarchy),
                          .root = HIERARCHY_NONE};
    for (uint32_t i = 0; i < tree->levels; i++) {
        tree->base[i] = nodes;
        nodes += hierarchy_nodes(hierarchy, i);
    }
    tree->child = calloc(nodes, sizeof *tree->child);
    tree->sibling = calloc(nodes, sizeof *tree->sibling);
    if (tree->child == NULL || tree->sibling == NULL)
        return error_memory(err, "the tree of the hierarchy");
    for (size_t i = 0; i < nodes; i++)
        tree->child[i] = HIERARCHY_NONE;
    for (uint32_t i = 0; i < tree->levels; i++)
        tree_link(tree, i);
    return OK;
}

static void print_indent(uint32_t depth)
{
    for (uint32_t i = 0; i < depth; i++)
        fputs("  ", stdout);
}

/* A file must not be able to move the terminal's cursor: control characters
 * (in UTF-8: bytes below 20, 7F, and C2 80 to C2 9F) come out as \xNN. */
static void print_label(struct bytes label)
{
    if (label.size == 0)
        fputs("\"\"", stdout);
    for (size_t i = 0; i < label.size; i++) {
        uint8_t byte = label.data[i];
        bool second = i > 0 && label.data[i - 1] == 0xc2;

        if (byte < 0x20 || byte == 0x7f)
            printf("\\x%02x", byte);
        else if (byte == 0xc2 && label.data[i + 1] < 0xa0)
            continue; /* told with the byte behind it */
        else if (second && byte < 0xa0)
            printf("\\xc2\\x%02x", byte);
        else
            putchar(byte);
    }
}

/* The nodes of a list and what is below them; levels bound the recursion. */
static void print_list(const struct tree *tree, uint32_t level, uint32_t node)
{
    uint32_t depth = tree->levels - 1 - level;
    size_t base = tree->base[level];
    uint32_t shown = 0, more = 0;

    for (; node != HIERARCHY_NONE; node = tree->sibling[base + node]) {
        if (shown == CHILDREN_SHOWN && !tree->all) {
            more++;
            continue;
        }
        shown++;
        print_indent(depth);
        print_label(hierarchy_label(tree->hierarchy, level, node));
        if (level > 0)
            printf(" (%u)", hierarchy_leaves(tree->hierarchy, level, node));
        putchar('\n');
        if (level > 0)
            print_list(tree, level - 1, tree->child[base + node]);
    }
    if (more > 0) {
        print_indent(depth);
        printf("... %u more\n", more);
    }
}

static enum status print_tree(const struct hierarchy *hierarchy, bool all,
                              struct error *err)
{
    struct tree tree;
    enum status status = tree_create(&tree, hierarchy, all, err);

    if (status == OK) {
        putchar('\n');
        print_list(&tree, tree.levels - 1, tree.root);
        status = command_finish_output(err);
    }
    tree_clear(&tree);
    return status;
}

/* ---- the command ---- */

static enum status show(const struct options *options, struct error *err)
{
    bool standard = strcmp(options->file, "-") == 0;
    struct hierarchy *hierarchy = NULL;
    enum status status;

    if (options->json && !utf8_valid(bytes_of_string(options->file)))
        return error_set(err, E_INPUT,
                         "the name of the file is not UTF-8 and cannot stand "
                         "in JSON");
    status = hierarchy_open(&hierarchy, standard ? "/dev/stdin" : options->file,
                            err);
    if (status != OK)
        return status;
    if (options->json) {
        status = print_json(hierarchy, options->file, err);
    } else {
        print_levels(hierarchy, standard ? "standard input" : options->file);
        status = print_tree(hierarchy, options->all, err);
    }
    hierarchy_close(&hierarchy);
    return status;
}

static const struct option_row rows[] = {
    {"all", 'a', OPTION_AT(FLAG, struct options, all)},
    {"json", 'j', OPTION_AT(FLAG, struct options, json)},
};

static const struct options_table known = {help, rows,
                                           sizeof rows / sizeof *rows};

/* False: *exit_code is to be returned, all has been said. */
static bool parse_options(int argc, char **argv, struct options *options,
                          int *exit_code)
{
    struct operands operands;
    char **words;

    *options = (struct options){.file = NULL};
    if (!options_parse(&known, argc, argv, options, &operands, exit_code))
        return false;
    words = operands.at;
    if (operands.count == 0)
        command_misuse(argv[0], "what to do is missing: show");
    else if (strcmp(words[0], "build") == 0)
        command_misuse(argv[0], "build: not in this version");
    else if (strcmp(words[0], "show") != 0)
        command_misuse(argv[0], "show is known, \"%s\" is not", words[0]);
    else if (operands.count == 1)
        command_misuse(argv[0], "show: the file is missing");
    else if (operands.count > 2)
        command_misuse(argv[0], "show: one file, not %d", operands.count - 1);
    else
        options->file = words[1];
    return options->file != NULL;
}

int command_hierarchy(int argc, char **argv)
{
    struct options options;
    struct error err;
    int exit_code;

    if (!parse_options(argc, argv, &options, &exit_code))
        return exit_code;
    error_init(&err);
    if (show(&options, &err) != OK)
        return command_fail(&err);
    return status_exit_code(OK);
}
