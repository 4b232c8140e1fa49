#include "anonymizer/lattice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/hierarchy.h"
#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_lattice(void);

/*
 * By hand.  Only 31, 36, 38 and 47 occur; 40-49 stands first in the file:
 *
 *     *  -  40-49  -  45-49  -  47        0 | 0 | 0 | 0    000   leaf 0
 *        -  30-39  -  30-34  -  31        0 | 1 | 0 | 0    100   leaf 1
 *                  -  35-39  -  36        0 | 1 | 1 | 0    110   leaf 2
 *                            -  38        0 | 1 | 1 | 1    111   leaf 3
 *
 * One bit each for the child at levels 0, 1 and 2, none at the top.  33 and 41
 * would make more children, but do not occur.
 */
#define AGES                                                                   \
    "41;40-44;40-49;*\n31;30-34;30-39;*\n33;30-34;30-39;*\n"                   \
    "36;35-39;30-39;*\n38;35-39;30-39;*\n47;45-49;40-49;*\n"

static void ages(struct fixture *fixture)
{
    fixture_init(fixture);
    fixture_attribute(fixture, "age", ROLE_QUASI_IDENTIFYING, AGES);
    fixture_k(fixture, 1);
    fixture_load(fixture, "age\n38\n47\n31\n36\n");
}

static void codes_are_paths_from_the_top(void)
{
    static const unsigned dropped[] = {0, 1, 2, 3};
    struct fixture fixture;
    const struct dimension *age;

    ages(&fixture);
    age = &fixture.lattice->dimension[0];
    CU_ASSERT_EQUAL(fixture.lattice->dimension_count, 1);
    CU_ASSERT_EQUAL(fixture.lattice->words, 1);
    CU_ASSERT_EQUAL(fixture.lattice->size, 4);
    CU_ASSERT_EQUAL(age->levels, 4);
    CU_ASSERT_EQUAL(age->bits, 3);
    CU_ASSERT_EQUAL(age->domain_size, 6);
    CU_ASSERT_EQUAL_FATAL(age->leaf_count, 4);
    CU_ASSERT_EQUAL(memcmp(age->dropped, dropped, sizeof dropped), 0);
    static const uint64_t code[] = {0, 4, 6, 7};
    static const uint32_t value[] = {1, 2, 3, 0};
    static const uint32_t leaf[] = {3, 0, 1, 2};
    CU_ASSERT_EQUAL(memcmp(age->code, code, sizeof code), 0);
    CU_ASSERT_EQUAL(memcmp(age->value, value, sizeof value), 0);
    CU_ASSERT_EQUAL(memcmp(age->leaf, leaf, sizeof leaf), 0);
    /* Keys of 38, 47, 31, 36. */
    static const uint64_t key[] = {7, 0, 4, 6};
    CU_ASSERT_EQUAL(memcmp(fixture.lattice->key, key, sizeof key), 0);
    fixture_clear(&fixture);
}

static void masks_clear_the_bits_below_a_level(void)
{
    static const uint64_t masks[] = {7, 6, 4, 0};
    struct fixture fixture;

    ages(&fixture);
    for (uint8_t level = 0; level < 4; level++) {
        uint64_t mask = 99;

        lattice_mask(fixture.lattice, &level, &mask);
        CU_ASSERT_EQUAL(mask, masks[level]);
    }
    fixture_clear(&fixture);
}

/* Rows of the hierarchy, not of the table: 30-39 has 31, 33, 36, 38. */
static void domain_counts_the_rows_of_the_hierarchy(void)
{
    static const uint32_t domain[] = {1, 1, 1, 1, 1, 2, 2, 2,
                                      2, 4, 4, 4, 6, 6, 6, 6};
    struct fixture fixture;
    const struct dimension *age;

    ages(&fixture);
    age = &fixture.lattice->dimension[0];
    CU_ASSERT_EQUAL(memcmp(age->domain, domain, sizeof domain), 0);
    for (size_t cell = 0; cell < 16; cell++)
        CU_ASSERT_EQUAL(age->star[cell], cell >= 12);
    CU_ASSERT(!age->star_at[0] && !age->star_at[1] && !age->star_at[2]);
    CU_ASSERT(age->star_at[3]);
    fixture_clear(&fixture);
}

static void levels_follow_the_policy(void)
{
    struct fixture fixture;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "age", ROLE_QUASI_IDENTIFYING, AGES);
    fixture_attribute(&fixture, "sex", ROLE_QUASI_IDENTIFYING, NULL);
    fixture.attribute[0].level_min = 1;
    fixture.attribute[0].level_max = 2;
    fixture_k(&fixture, 1);
    fixture_load(&fixture, "sex;age\nF;31\nM;47\nD;47\n");
    CU_ASSERT_EQUAL(fixture.lattice->size, 4);
    /* In the order of the table: sex, then age. */
    CU_ASSERT_EQUAL(fixture.lattice->dimension[0].level_min, 0);
    CU_ASSERT_EQUAL(fixture.lattice->dimension[0].level_max, 1);
    CU_ASSERT_EQUAL(fixture.lattice->dimension[0].bits, 2);
    CU_ASSERT_EQUAL(fixture.lattice->dimension[1].level_min, 1);
    CU_ASSERT_EQUAL(fixture.lattice->dimension[1].level_max, 2);
    CU_ASSERT_EQUAL(fixture.lattice->dimension[1].shift, 2);
    fixture_clear(&fixture);
}

static void order_of_nodes(void)
{
    static const uint8_t low[] = {1, 2}, high[] = {3, 2}, other[] = {0, 3};
    struct fixture fixture;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "a", ROLE_QUASI_IDENTIFYING, AGES);
    fixture_attribute(&fixture, "b", ROLE_QUASI_IDENTIFYING, AGES);
    fixture_k(&fixture, 1);
    fixture_load(&fixture, "a;b\n31;31\n");
    CU_ASSERT_EQUAL(lattice_height(fixture.lattice, high), 5);
    CU_ASSERT(lattice_below(fixture.lattice, low, high));
    CU_ASSERT(lattice_below(fixture.lattice, low, low));
    CU_ASSERT_FALSE(lattice_below(fixture.lattice, high, low));
    CU_ASSERT_FALSE(lattice_below(fixture.lattice, other, high));
    CU_ASSERT_FALSE(lattice_below(fixture.lattice, high, other));
    fixture_clear(&fixture);
}

/* At level 1 of a, x says nothing, y does; b is `*` from its level 1 on. */
static void all_star_looks_at_every_label(void)
{
    struct fixture fixture;
    const struct lattice *lattice;
    uint64_t mask;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "a", ROLE_QUASI_IDENTIFYING,
                      "x;*;*\ny;Y;*\nw;Y;*\n");
    fixture_attribute(&fixture, "b", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_k(&fixture, 1);
    fixture_load(&fixture, "a;b\nx;1\ny;1\nx;2\n");
    lattice = fixture.lattice;
    static const struct {
        uint8_t level[2];
        bool may, first, second;
    } expected[] = {
        {{0, 0}, false, false, false}, {{0, 1}, false, false, false},
        {{1, 0}, false, false, false}, {{1, 1}, true, true, false},
        {{2, 0}, false, false, false}, {{2, 1}, true, true, true},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const uint8_t *level = expected[i].level;
        uint64_t first, second;

        lattice_mask(lattice, level, &mask);
        first = lattice->key[0] & mask;
        second = lattice->key[1] & mask;
        CU_ASSERT_EQUAL(lattice_may_be_all_star(lattice, level),
                        expected[i].may);
        CU_ASSERT_EQUAL(lattice_all_star(lattice, level, &first),
                        expected[i].first);
        CU_ASSERT_EQUAL(lattice_all_star(lattice, level, &second),
                        expected[i].second);
    }
    fixture_clear(&fixture);
}

/* ---- wide ones ---- */

/* A comb: at each level the first node has `children` children, so that the
 * path needs bits at every level: levels * bits_for(children). */
static void comb(struct text *text, uint32_t levels, uint32_t children)
{
    struct error err;

    for (uint32_t tooth = 1; tooth <= levels; tooth++)
        for (uint32_t c = tooth == 1 ? 0 : 1; c < children; c++) {
            for (uint32_t level = 0; level < levels; level++)
                /* Below the tooth's level the path is its own, above it is
                 * the first node of each level. */
                CU_ASSERT_EQUAL(text_printf(text, &err, "%sn%u.%u.%u",
                                            level == 0 ? "" : ";", level,
                                            level < tooth ? tooth : 0,
                                            level < tooth ? c : 0),
                                OK);
            CU_ASSERT_EQUAL(text_append_string(text, ";*\n", &err), OK);
        }
}

/* All values of the comb, a row each, 2 columns wide. */
static void comb_table(struct text *csv, uint32_t levels, uint32_t children)
{
    struct error err;

    CU_ASSERT_EQUAL(text_append_string(csv, "c;n\n", &err), OK);
    for (uint32_t tooth = 1; tooth <= levels; tooth++)
        for (uint32_t c = tooth == 1 ? 0 : 1; c < children; c++)
            CU_ASSERT_EQUAL(text_printf(csv, &err, "n0.%u.%u;1\n", tooth, c),
                            OK);
}

static enum status load_comb(struct fixture *fixture, uint32_t levels,
                             uint32_t children, struct error *err)
{
    struct lattice *lattice;
    struct text hierarchy, csv;
    enum status status;

    text_init(&hierarchy);
    text_init(&csv);
    comb(&hierarchy, levels, children);
    comb_table(&csv, levels, children);
    fixture_init(fixture);
    fixture_attribute(fixture, "c", ROLE_QUASI_IDENTIFYING, hierarchy.data);
    fixture_attribute(fixture, "n", ROLE_INSENSITIVE, NULL);
    fixture_k(fixture, 1);
    CU_ASSERT_EQUAL_FATAL(fixture_read(fixture, csv.data, err), OK);
    text_clear(&hierarchy);
    text_clear(&csv);
    status = lattice_create(&lattice, &fixture->policy, fixture->table, err);
    CU_ASSERT_EQUAL(lattice == NULL, status != OK);
    lattice_destroy(&lattice);
    return status;
}

/* 32 levels of 2 bits fill a word to its last bit; one more level of one bit
 * does not go in. */
static void path_of_64_bits_fits_and_of_65_does_not(void)
{
    struct fixture fixture;
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL(load_comb(&fixture, 32, 4, &err), OK);
    fixture_build(&fixture);
    CU_ASSERT_EQUAL(fixture.lattice->dimension[0].bits, 64);
    CU_ASSERT_EQUAL(fixture.lattice->dimension[0].dropped[32], 64);
    fixture_clear(&fixture);
    CU_ASSERT_EQUAL(load_comb(&fixture, 22, 8, &err), E_LIMIT);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "attribute \"c\": its hierarchy is too irregular: "
                           "paths need more than 64 bits");
    fixture_clear(&fixture);
    CU_ASSERT_EQUAL(load_comb(&fixture, 33, 4, &err), E_LIMIT);
    fixture_clear(&fixture);
}

/* The first value in the file's order of nodes that shares the node of `leaf`
 * at `level`. */
static uint32_t first_of_node(const struct dimension *dimension, uint32_t level,
                              uint32_t leaf)
{
    const struct quasi_identifier *quasi = dimension->quasi;
    uint32_t node = hierarchy_node(quasi->hierarchy, level,
                                   quasi->row[dimension->value[leaf]]);

    for (uint32_t i = 0; i < dimension->leaf_count; i++)
        if (hierarchy_node(quasi->hierarchy, level,
                           quasi->row[dimension->value[i]]) == node)
            return i;
    return UINT32_MAX;
}

/* dimension_leaf of every masked key of a fixture, against its definition;
 * returns how many are wrong. */
static unsigned wrong_leaves(const struct fixture *fixture)
{
    const struct lattice *lattice = fixture->lattice;
    uint8_t level[QUASI_IDENTIFIERS_MAX];
    uint64_t mask[QUASI_IDENTIFIERS_MAX], key[QUASI_IDENTIFIERS_MAX];
    unsigned wrong = 0;

    for (size_t d = 0; d < lattice->dimension_count; d++)
        level[d] = 0;
    for (uint32_t step = 0; step < HIERARCHY_LEVELS_MAX; step++) {
        for (size_t d = 0; d < lattice->dimension_count; d++)
            level[d] = (uint8_t)(step % lattice->dimension[d].levels);
        lattice_mask(lattice, level, mask);
        for (uint32_t t = 0; t < fixture->table->tuple_count; t++) {
            for (size_t w = 0; w < lattice->words; w++)
                key[w] = lattice->key[t * lattice->words + w] & mask[w];
            for (size_t d = 0; d < lattice->dimension_count; d++) {
                const struct dimension *dimension = &lattice->dimension[d];
                uint32_t value =
                    fixture->table->value[t * lattice->dimension_count + d];

                wrong +=
                    dimension_leaf(dimension, key) !=
                    first_of_node(dimension, level[d], dimension->leaf[value]);
            }
        }
    }
    return wrong;
}

static void masked_keys_lead_to_the_first_leaf(void)
{
    static const struct fixture_shape shape = {.quasi_max = 6,
                                               .domain_max = 40,
                                               .levels_max = 7,
                                               .rows_max = 60,
                                               .sensitive_max = 0};
    struct fixture fixture;
    struct random random;
    struct error err;

    /* 64 bits: searched, and one of 20 that is looked up. */
    CU_ASSERT_EQUAL(load_comb(&fixture, 32, 4, &err), OK);
    fixture_build(&fixture);
    CU_ASSERT_PTR_NULL(fixture.lattice->dimension[0].first_leaf);
    CU_ASSERT_EQUAL(wrong_leaves(&fixture), 0);
    fixture_clear(&fixture);
    CU_ASSERT_EQUAL(load_comb(&fixture, 10, 4, &err), OK);
    fixture_build(&fixture);
    CU_ASSERT_EQUAL(fixture.lattice->dimension[0].bits, LATTICE_INDEX_BITS);
    CU_ASSERT_PTR_NOT_NULL(fixture.lattice->dimension[0].first_leaf);
    CU_ASSERT_EQUAL(wrong_leaves(&fixture), 0);
    /* The same by searching. */
    free(fixture.lattice->dimension[0].first_leaf);
    fixture.lattice->dimension[0].first_leaf = NULL;
    CU_ASSERT_EQUAL(wrong_leaves(&fixture), 0);
    fixture_clear(&fixture);
    random_init(&random, fixture_seed(__func__));
    for (int i = 0; i < 100; i++) {
        fixture_random(&fixture, &random, &shape);
        CU_ASSERT_EQUAL(wrong_leaves(&fixture), 0);
        for (size_t d = 0; d < fixture.lattice->dimension_count; d++) {
            free(fixture.lattice->dimension[d].first_leaf);
            fixture.lattice->dimension[d].first_leaf = NULL;
        }
        CU_ASSERT_EQUAL(wrong_leaves(&fixture), 0);
        fixture_clear(&fixture);
    }
}

/* 40 columns of 5 values take 3 bits each, 21 go into a word of 64: words of
 * 63, 57.  Columns after a full word go on in the next. */
static void many_columns_take_several_words(void)
{
    struct fixture fixture;
    struct text csv;
    struct error err;
    char name[8];

    fixture_init(&fixture);
    text_init(&csv);
    for (int a = 0; a < 40; a++) {
        snprintf(name, sizeof name, "a%d", a);
        fixture_attribute(&fixture, name, ROLE_QUASI_IDENTIFYING, NULL);
        CU_ASSERT_EQUAL(
            text_printf(&csv, &err, "%s%s", a == 0 ? "" : ";", name), OK);
    }
    for (int i = 0; i < 5 * 40; i++)
        CU_ASSERT_EQUAL(
            text_printf(&csv, &err, "%s%d", i % 40 == 0 ? "\n" : ";", i / 40),
            OK);
    fixture_k(&fixture, 1);
    fixture_load(&fixture, csv.data);
    text_clear(&csv);
    CU_ASSERT_EQUAL(fixture.lattice->words, 2);
    for (size_t d = 0; d < 40; d++) {
        const struct dimension *dimension = &fixture.lattice->dimension[d];

        CU_ASSERT_EQUAL(dimension->bits, 3);
        CU_ASSERT_EQUAL(dimension->word, d / 21);
        CU_ASSERT_EQUAL(dimension->shift, d % 21 * 3);
    }
    CU_ASSERT_EQUAL(wrong_leaves(&fixture), 0);
    fixture_clear(&fixture);
}

/* The comb fills the first word; a column of one value needs no bit. */
static void dimension_of_no_bits_goes_anywhere(void)
{
    struct fixture fixture;
    struct text hierarchy, csv;
    uint8_t level[] = {0, 0};
    uint64_t mask[2];

    text_init(&hierarchy);
    text_init(&csv);
    comb(&hierarchy, 32, 4);
    comb_table(&csv, 32, 4);
    fixture_init(&fixture);
    fixture_attribute(&fixture, "c", ROLE_QUASI_IDENTIFYING, hierarchy.data);
    fixture_attribute(&fixture, "n", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_k(&fixture, 1);
    fixture_load(&fixture, csv.data);
    text_clear(&hierarchy);
    text_clear(&csv);
    CU_ASSERT_EQUAL(fixture.lattice->words, 1);
    CU_ASSERT_EQUAL(fixture.lattice->dimension[1].bits, 0);
    lattice_mask(fixture.lattice, level, mask);
    CU_ASSERT_EQUAL(mask[0], UINT64_MAX);
    level[0] = 32;
    lattice_mask(fixture.lattice, level, mask);
    CU_ASSERT_EQUAL(mask[0], 0);
    CU_ASSERT_EQUAL(wrong_leaves(&fixture), 0);
    fixture_clear(&fixture);
}

void suite_lattice(void)
{
    static const struct test tests[] = {
        {"codes are paths from the top", codes_are_paths_from_the_top},
        {"masks clear the bits below a level",
         masks_clear_the_bits_below_a_level},
        {"the domain counts the rows of the hierarchy",
         domain_counts_the_rows_of_the_hierarchy},
        {"levels follow the policy", levels_follow_the_policy},
        {"height and order of nodes", order_of_nodes},
        {"all star looks at every label", all_star_looks_at_every_label},
        {"a path of 64 bits fits, of 65 does not",
         path_of_64_bits_fits_and_of_65_does_not},
        {"masked keys lead to the first leaf of their node",
         masked_keys_lead_to_the_first_leaf},
        {"many columns take several words", many_columns_take_several_words},
        {"a dimension of no bits goes anywhere",
         dimension_of_no_bits_goes_anywhere},
    };

    suite_add("lattice", tests, sizeof tests / sizeof tests[0]);
}
