#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/hierarchy.h"
#include "cli/command.h"
#include "cli/hierarchy_build.h"
#include "cli/options.h"
#include "common/limits.h"
#include "common/utf8.h"

/* Children of a node that are shown without --all. */
#define CHILDREN_SHOWN 12

static const char help[] =
    "usage: anchorite hierarchy show FILE [--all] [--json]\n"
    "       anchorite hierarchy build TABLE --column NAME --output FILE\n"
    "                 (--policy POLICY | --builder JSON [--type TYPE]\n"
    "                 [--format FORMAT])\n\n"
    "show checks a generalization hierarchy and shows it: for each level the "
    "nodes and\nthe smallest and largest number of values below one, then the "
    "tree from the top,\nwith the number of values below each node.\n\n"
    "build makes the hierarchy that a policy describes for a column of a "
    "table, "
    "or\nthat is described here, and writes it as a file.  It shows the values "
    "of the\ntable.  \"-\" is standard input or output.\n\n"
    "  -a, --all              the whole tree; else at most 12 children of a "
    "node\n"
    "  -j, --json             print one JSON object with the figures of the "
    "levels\n"
    "  -c, --column NAME      the column whose values generalize\n"
    "  -p, --policy POLICY    where the column's hierarchy is described\n"
    "  -b, --builder JSON     or the description itself; @FILE: there it is\n"
    "  -T, --type TYPE        string, ordinal, integer, decimal, date\n"
    "  -f, --format FORMAT    of dates, such as dd.MM.yyyy\n"
    "  -o, --output FILE      where the hierarchy goes\n"
    "  -h, --help             this text\n\n"
    "Example:\n"
    "  anchorite hierarchy show policies/hierarchies/age.csv\n"
    "  anchorite hierarchy build patients.csv --column age --type integer \\\n"
    "    --builder '{\"build\": \"interval\", \"groups\": [[2], [2]],\n"
    "      \"intervals\": [{\"min\": 0, \"max\": 5}]}' --output age.csv\n";

struct options {
    const char *file; /* a hierarchy; NULL: one is to be built */
    bool all;
    bool json;
    struct hierarchy_request build;
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

/* The first two are for show, the others for build. */
static const struct option_row rows[] = {
    {"all", 'a', OPTION_AT(FLAG, struct options, all)},
    {"json", 'j', OPTION_AT(FLAG, struct options, json)},
    {"column", 'c', OPTION_AT(TEXT, struct options, build.column)},
    {"policy", 'p', OPTION_AT(TEXT, struct options, build.policy)},
    {"builder", 'b', OPTION_AT(TEXT, struct options, build.builder)},
    {"type", 'T', OPTION_AT(TEXT, struct options, build.type)},
    {"format", 'f', OPTION_AT(TEXT, struct options, build.format)},
    {"output", 'o', OPTION_AT(TEXT, struct options, build.output)},
};

#define SHOW_OPTIONS 2

static const struct options_table known = {help, rows,
                                           sizeof rows / sizeof *rows};

/* An option of the other half, NULL if there is none. */
static const char *misplaced(bool building, uint32_t given)
{
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
        if ((given >> i & 1) != 0 && building == (i < SHOW_OPTIONS))
            return rows[i].name;
    return NULL;
}

/* False if something was wrong, and has been said. */
static bool check_build(const char *name, const struct options *options)
{
    const struct hierarchy_request *build = &options->build;

    if (build->column == NULL)
        command_misuse(name, "build: --column is missing");
    else if (build->output == NULL)
        command_misuse(name, "build: --output is missing");
    else if ((build->policy == NULL) == (build->builder == NULL))
        command_misuse(name, "build: --policy or --builder, one of them");
    else if (build->policy != NULL &&
             (build->type != NULL || build->format != NULL))
        command_misuse(name, "build: --type and --format are for --builder; "
                             "the policy says them itself");
    else
        return true;
    return false;
}

/* False: *exit_code is to be returned, all has been said. */
static bool parse_options(int argc, char **argv, struct options *options,
                          int *exit_code)
{
    struct operands operands;
    bool building;
    char **words;

    *options = (struct options){.file = NULL};
    if (!options_parse(&known, argc, argv, options, &operands, exit_code))
        return false;
    words = operands.at;
    building = operands.count > 0 && strcmp(words[0], "build") == 0;
    if (operands.count == 0) {
        command_misuse(argv[0], "what to do is missing: show or build");
    } else if (!building && strcmp(words[0], "show") != 0) {
        command_misuse(argv[0], "show and build are known, \"%s\" is not",
                       words[0]);
    } else if (operands.count == 1) {
        command_misuse(argv[0], "%s: the %s is missing", words[0],
                       building ? "table" : "file");
    } else if (operands.count > 2) {
        command_misuse(argv[0], "%s: one %s, not %d", words[0],
                       building ? "table" : "file", operands.count - 1);
    } else if (misplaced(building, operands.given) != NULL) {
        command_misuse(argv[0], "%s: --%s is not for it", words[0],
                       misplaced(building, operands.given));
    } else if (!building) {
        options->file = words[1];
        return true;
    } else {
        options->build.table = words[1];
        return check_build(argv[0], options);
    }
    return false;
}

int command_hierarchy(int argc, char **argv)
{
    struct options options;
    struct error err;
    int exit_code;
    enum status status;

    if (!parse_options(argc, argv, &options, &exit_code))
        return exit_code;
    error_init(&err);
    status = options.file != NULL ? show(&options, &err)
                                  : hierarchy_build(&options.build, &err);
    if (status != OK)
        return command_fail(&err);
    return status_exit_code(OK);
}
