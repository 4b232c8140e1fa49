#include "tests/lib/fixture.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "anonymizer/classes.h"
#include "anonymizer/hierarchy.h"
#include "anonymizer/subset.h"
#include "common/number.h"
#include "common/text.h"

#define SEED_DEFAULT 20261120

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "\nfixture: %s\n", what);
    abort();
}

void fixture_init(struct fixture *fixture)
{
    static char path[] = "policy.json", name[] = "";

    *fixture = (struct fixture){.fd = -1};
    fixture->policy.path = path;
    fixture->policy.name = name;
    fixture->policy.gs_factor = 0.5;
    fixture->policy.aggregate = AGGREGATE_ARITHMETIC_MEAN;
}

static void unbuild(struct fixture *fixture)
{
    classes_clear(&fixture->problem.bottom);
    metric_destroy(&fixture->metric);
    criteria_destroy(&fixture->criteria);
    lattice_destroy(&fixture->lattice);
}

static void unread(struct fixture *fixture)
{
    unbuild(fixture);
    table_destroy(&fixture->table);
    if (fixture->fd >= 0)
        close(fixture->fd);
    fixture->fd = -1;
}

void fixture_clear(struct fixture *fixture)
{
    unread(fixture);
    for (size_t a = 0; a < fixture->policy.attribute_count; a++) {
        free(fixture->attribute[a].name);
        hierarchy_close(&fixture->attribute[a].hierarchy);
    }
    fixture->policy.attribute_count = 0;
    subset_close(&fixture->policy.subset);
    fixture->policy.has_subset = false;
}

size_t fixture_attribute(struct fixture *fixture, const char *name,
                         enum role role, const char *hierarchy)
{
    size_t index = fixture->policy.attribute_count++;
    struct policy_attribute *attribute = &fixture->attribute[index];
    struct error err;

    must(index < FIXTURE_ATTRIBUTES_MAX, "too many attributes");
    *attribute = (struct policy_attribute){.name = strdup(name),
                                           .role = role,
                                           .level_max = LEVEL_UNLIMITED,
                                           .weight = 1,
                                           .line = (unsigned)index + 1};
    must(attribute->name != NULL, "out of memory");
    if (hierarchy != NULL)
        must(hierarchy_parse(&attribute->hierarchy, bytes_of_string(hierarchy),
                             name, &err) == OK,
             err.text);
    fixture->policy.attribute = fixture->attribute;
    return index;
}

void fixture_model(struct fixture *fixture,
                   const struct privacy_criterion *model)
{
    size_t index = fixture->policy.criterion_count++;

    must(index < FIXTURE_MODELS_MAX, "too many models");
    fixture->criterion[index] = *model;
    fixture->policy.criterion = fixture->criterion;
}

void fixture_k(struct fixture *fixture, uint32_t k)
{
    fixture_model(fixture,
                  &(struct privacy_criterion){.model = MODEL_K_ANONYMITY,
                                              .attribute = NO_ATTRIBUTE,
                                              .k = k});
}

void fixture_subset(struct fixture *fixture, const char *rule)
{
    struct error err;

    must(subset_parse_rule(&fixture->policy.subset, rule, &err) == OK,
         err.text);
    fixture->policy.has_subset = true;
}

void fixture_open(struct fixture *fixture, const char *csv)
{
    size_t size = strlen(csv);

    unread(fixture);
    fixture->fd = memfd_create("table", MFD_CLOEXEC);
    must(fixture->fd >= 0 && write(fixture->fd, csv, size) == (ssize_t)size &&
             lseek(fixture->fd, 0, SEEK_SET) == 0,
         "no file in memory");
}

enum status fixture_read(struct fixture *fixture, const char *csv,
                         struct error *err)
{
    fixture_open(fixture, csv);
    return table_read(&fixture->table, &fixture->policy, fixture->fd,
                      "table.csv", 2, NULL, err);
}

void fixture_build(struct fixture *fixture)
{
    const struct policy *policy = &fixture->policy;
    const struct table *table = fixture->table;
    struct error err;

    unbuild(fixture);
    must(lattice_create(&fixture->lattice, policy, table, &err) == OK,
         err.text);
    must(criteria_create(&fixture->criteria, policy, table, &err) == OK,
         err.text);
    must(metric_create(&fixture->metric, policy, table, fixture->lattice,
                       fixture->criteria->class_size_min, &err) == OK,
         err.text);
    fixture->problem =
        (struct problem){.table = table,
                         .lattice = fixture->lattice,
                         .criteria = fixture->criteria,
                         .metric = fixture->metric,
                         .suppressed_max = (uint64_t)floor(
                             policy->suppression_limit * (double)table->rows)};
    must(classes_bottom(&fixture->problem.bottom, table, fixture->lattice,
                        &err) == OK,
         err.text);
}

void fixture_load(struct fixture *fixture, const char *csv)
{
    struct error err;

    must(fixture_read(fixture, csv, &err) == OK, err.text);
    fixture_build(fixture);
}

/* ---- random ones ---- */

uint64_t fixture_seed(const char *test)
{
    const char *given = getenv("ANCHORITE_TEST_SEED");
    uint64_t seed = SEED_DEFAULT;

    if (given != NULL)
        must(
            number_parse_unsigned(bytes_of_string(given), 0, UINT64_MAX, &seed),
            "ANCHORITE_TEST_SEED is no number");
    fprintf(stderr, "\n    %s: seed %" PRIu64 " ", test, seed);
    return seed;
}

static uint32_t below(struct random *random, uint32_t bound)
{
    return (uint32_t)random_below(random, bound);
}

#define DOMAIN_MAX 256

__attribute__((format(printf, 2, 3))) static void
append(struct text *text, const char *format, ...)
{
    char piece[64];
    struct error err;
    va_list args;

    va_start(args, format);
    vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    must(text_append_string(text, piece, &err) == OK, "out of memory");
}

/* A tree from the rows up: each node of a level falls below a random node of
 * the next.  Node 0 is on the right edge of the tree, so that it may be called
 * `*` from some level on without a cycle. */
static void random_hierarchy(struct random *random, uint32_t rows,
                             uint32_t levels, struct text *text)
{
    uint32_t node[DOMAIN_MAX], parent[DOMAIN_MAX];
    uint32_t count = rows, star_from = levels - 1 - below(random, 2);
    char line[DOMAIN_MAX][256];
    struct error err;

    must(rows <= DOMAIN_MAX && levels <= 16, "too large a hierarchy");
    if (below(random, 5) == 0)
        star_from = levels; /* never */
    for (uint32_t r = 0; r < rows; r++) {
        node[r] = r;
        snprintf(line[r], sizeof line[r], "v%u", r);
    }
    for (uint32_t level = 1; level < levels; level++) {
        uint32_t above = 1 + below(random, count);

        if (level + 1 == levels && below(random, 4) > 0)
            above = 1;
        parent[0] = 0;
        for (uint32_t n = 1; n < count; n++)
            parent[n] = below(random, above);
        for (uint32_t r = 0; r < rows; r++) {
            size_t used = strlen(line[r]);

            node[r] = parent[node[r]];
            if (node[r] == 0 && level >= star_from && level > 0)
                snprintf(line[r] + used, sizeof line[r] - used, ";*");
            else
                snprintf(line[r] + used, sizeof line[r] - used, ";n%u.%u",
                         level, node[r]);
        }
        count = above;
    }
    for (uint32_t r = 0; r < rows; r++)
        must(text_append_string(text, line[r], &err) == OK &&
                 text_append_string(text, "\n", &err) == OK,
             "out of memory");
}

static void random_model(struct fixture *fixture, struct random *random,
                         size_t attribute)
{
    struct privacy_criterion model = {.attribute = attribute};

    switch (below(random, 5)) {
    case 4:
        model.model = below(random, 2) == 0 ? MODEL_T_CLOSENESS_EQUAL
                                            : MODEL_T_CLOSENESS_ORDERED;
        model.t = random_double(random);
        break;
    case 0:
        model.model = MODEL_DISTINCT_L_DIVERSITY;
        model.l = 1 + (double)below(random, 4);
        break;
    case 1:
        model.model = MODEL_RECURSIVE_CL_DIVERSITY;
        model.l = 1 + (double)below(random, 3);
        model.c = 0.5 + random_double(random) * 4;
        break;
    default:
        model.model = MODEL_ENTROPY_L_DIVERSITY;
        model.l = 1 + random_double(random) * 3;
        model.estimator =
            below(random, 2) == 0 ? ESTIMATOR_SHANNON : ESTIMATOR_GRASSBERGER;
        break;
    }
    fixture_model(fixture, &model);
}

/* About a third of each class is in the subset. */
static void random_population_model(struct fixture *fixture,
                                    struct random *random)
{
    static const double max[] = {0.25, 0.4, 0.5, 0.6, 0.75, 1};
    struct privacy_criterion model = {.attribute = NO_ATTRIBUTE};

    switch (below(random, 4)) {
    case 0:
        return;
    case 1:
        model.model = MODEL_K_MAP;
        model.map = K_MAP_SUBSET;
        model.k = 1 + below(random, 12);
        break;
    default:
        model.model = MODEL_DELTA_PRESENCE;
        model.min = below(random, 3) == 0 ? 0.2 : 0;
        model.max = max[below(random, 6)];
        break;
    }
    fixture_model(fixture, &model);
}

static void random_policy(struct fixture *fixture, struct random *random)
{
    static const double factors[] = {0, 0.25, 0.5, 0.5, 0.5, 0.75, 1};
    static const double limits[] = {0, 0.05, 0.2, 0.5, 1};

    fixture->policy.metric =
        below(random, 3) == 0
            ? METRIC_LOSS
            : (enum quality_metric)below(random, METRIC_AMBIGUITY + 1);
    fixture->policy.aggregate =
        quality_metric_aggregate(fixture->policy.metric);
    if (fixture->policy.aggregate != AGGREGATE_NONE)
        fixture->policy.aggregate = (enum aggregate)below(random, 5);
    switch (quality_metric_gs(fixture->policy.metric)) {
    case GS_WHOLE:
        fixture->policy.gs_factor = factors[below(random, 7)];
        break;
    case GS_INNER:
        fixture->policy.gs_factor = factors[1 + below(random, 5)];
        break;
    case GS_NONE:
        break;
    }
    fixture->policy.suppression_limit = limits[below(random, 5)];
    for (size_t a = 0; a < fixture->policy.attribute_count; a++) {
        struct policy_attribute *attribute = &fixture->attribute[a];
        uint32_t levels;

        if (below(random, 3) == 0)
            attribute->weight = (double)below(random, 4) / 2;
        if (attribute->hierarchy == NULL || below(random, 4) > 0)
            continue;
        levels = hierarchy_levels(attribute->hierarchy);
        attribute->level_min = below(random, levels);
        attribute->level_max =
            attribute->level_min + below(random, levels - attribute->level_min);
    }
}

static void random_table(const struct fixture *fixture, struct random *random,
                         uint32_t rows, const uint32_t *domain,
                         struct text *csv)
{
    size_t count = fixture->policy.attribute_count;

    for (size_t a = 0; a < count; a++)
        append(csv, "%sa%zu", a == 0 ? "" : ";", a);
    append(csv, "\n");
    for (uint32_t r = 0; r < rows; r++) {
        for (size_t a = 0; a < count; a++) {
            /* Small values are frequent, as in life. */
            uint32_t value = below(random, 1 + below(random, domain[a]));

            append(csv, "%sv%u", a == 0 ? "" : ";", value);
        }
        append(csv, "\n");
    }
}

void fixture_random(struct fixture *fixture, struct random *random,
                    const struct fixture_shape *shape)
{
    uint32_t domain[FIXTURE_ATTRIBUTES_MAX];
    size_t quasi = 1 + below(random, (uint32_t)shape->quasi_max);
    size_t sensitive = below(random, (uint32_t)shape->sensitive_max + 1);
    struct text text;
    char name[16];

    fixture_init(fixture);
    text_init(&text);
    for (size_t a = 0; a < quasi; a++) {
        uint32_t levels = 2 + below(random, shape->levels_max - 1);

        domain[a] = 1 + below(random, shape->domain_max);
        random_hierarchy(random, domain[a], levels, &text);
        snprintf(name, sizeof name, "a%zu", a);
        fixture_attribute(fixture, name, ROLE_QUASI_IDENTIFYING,
                          below(random, 6) == 0 ? NULL : text.data);
        text_reset(&text);
    }
    for (size_t a = quasi; a < quasi + sensitive; a++) {
        domain[a] = 1 + below(random, 6);
        snprintf(name, sizeof name, "a%zu", a);
        fixture_attribute(fixture, name, ROLE_SENSITIVE, NULL);
        random_model(fixture, random, a);
        if (below(random, 3) == 0)
            random_model(fixture, random, a);
    }
    if (sensitive == 0 || below(random, 2) == 0)
        fixture_k(fixture, 1 + below(random, 6));
    random_policy(fixture, random);
    if (shape->subsets && below(random, 2) == 0) {
        fixture_subset(fixture, "i % 3 == 0");
        random_population_model(fixture, random);
    }
    random_table(fixture, random, 1 + below(random, shape->rows_max), domain,
                 &text);
    fixture_load(fixture, text.data);
    text_clear(&text);
}

/* ---- all nodes ---- */

void fixture_first_node(const struct fixture *fixture, uint8_t *level)
{
    for (size_t d = 0; d < fixture->lattice->dimension_count; d++)
        level[d] = (uint8_t)fixture->lattice->dimension[d].level_min;
}

bool fixture_next_node(const struct fixture *fixture, uint8_t *level)
{
    for (size_t d = fixture->lattice->dimension_count; d-- > 0;) {
        const struct dimension *dimension = &fixture->lattice->dimension[d];

        if (level[d] < dimension->level_max) {
            level[d]++;
            return true;
        }
        level[d] = (uint8_t)dimension->level_min;
    }
    return false;
}
