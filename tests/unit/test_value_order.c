#include "anonymizer/value_order.h"

#include <stdio.h>

#include "anonymizer/hierarchy.h"
#include "tests/lib/suite.h"

void suite_value_order(void);

static char *tokens[] = {"", "NA"};
static struct policy policy = {.missing = tokens, .missing_count = 2};

static struct value_order order_of(struct policy_attribute *attribute,
                                   enum value_type type, const char *hierarchy)
{
    struct error err;

    *attribute = (struct policy_attribute){.type = type};
    if (hierarchy != NULL)
        CU_ASSERT_EQUAL_FATAL(hierarchy_parse(&attribute->hierarchy,
                                              bytes_of_string(hierarchy),
                                              "h.csv", &err),
                              OK);
    return (struct value_order){&policy, attribute};
}

/* Each is before all that follow. */
static void check_ascending(const struct value_order *order,
                            const char *const *value, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CU_ASSERT_TRUE(value_is_ordered(order, bytes_of_string(value[i])));
        for (size_t j = 0; j < count; j++) {
            int got = value_compare(order, bytes_of_string(value[i]),
                                    bytes_of_string(value[j]));

            CU_ASSERT_EQUAL((got > 0) - (got < 0), (i > j) - (i < j));
        }
    }
}

static void refuse(const struct value_order *order, const char *const *value,
                   size_t count)
{
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_FALSE(value_is_ordered(order, bytes_of_string(value[i])));
}

#define ASCENDING(order, ...)                                                  \
    check_ascending((order), (const char *const[]){__VA_ARGS__},               \
                    sizeof(const char *[]){__VA_ARGS__} / sizeof(char *))
#define REFUSED(order, ...)                                                    \
    refuse((order), (const char *const[]){__VA_ARGS__},                        \
           sizeof(const char *[]){__VA_ARGS__} / sizeof(char *))

static void integers_go_by_size(void)
{
    struct policy_attribute attribute;
    struct value_order order = order_of(&attribute, TYPE_INTEGER, NULL);

    ASCENDING(&order, "-9223372036854775808", "-10", "-9", "-0", "0", "3", "20",
              "9223372036854775806", "9223372036854775807");
    REFUSED(&order, "", "NA", "1.0", "9223372036854775808", " 1", "+1", "a");
}

static void decimals_go_by_size(void)
{
    struct policy_attribute attribute;
    struct value_order order = order_of(&attribute, TYPE_DECIMAL, NULL);

    ASCENDING(&order, "-1e300", "-1.5", "-1.25", "0", "1", "1.0", "1.00", "9.5",
              "10");
    REFUSED(&order, "", "NA", "1,5", "nan", "inf", ".5", "1e999");
}

static void dates_go_by_time(void)
{
    struct policy_attribute attribute;
    struct value_order order = order_of(&attribute, TYPE_DATE, NULL);

    ASCENDING(&order, "0000-01-01", "1999-12-31", "2000-02-29", "2023-02-28",
              "2024-02-29", "2024-10-01");
    REFUSED(&order, "", "NA", "2023-02-29", "1900-02-29", "2024-13-01",
            "2024-00-10", "2024-04-31", "2024-04-00", "2024-4-01", "2024/04/01",
            "2024-04-011", "24-04-01", "20x4-04-01");
}

static void strings_go_by_bytes(void)
{
    struct policy_attribute attribute;
    struct value_order order = order_of(&attribute, TYPE_STRING, NULL);

    ASCENDING(&order, "10", "9", "B", "a", "aa", "b", "\xc3\xa4");
    REFUSED(&order, "", "NA");
}

static void ordinals_go_by_their_hierarchy(void)
{
    struct policy_attribute attribute;
    struct value_order order =
        order_of(&attribute, TYPE_ORDINAL, "mild;*\nsevere;*\nfatal;*\n");

    ASCENDING(&order, "mild", "severe", "fatal");
    REFUSED(&order, "", "NA", "*", "serious");
    hierarchy_close(&attribute.hierarchy);
    order = order_of(&attribute, TYPE_ORDINAL, "mild;*\nNA;*\nfatal;*\n");
    ASCENDING(&order, "mild", "NA", "fatal");
    ASCENDING(&order, "mild", "", "fatal");
    CU_ASSERT_EQUAL(
        value_compare(&order, bytes_of_string(""), bytes_of_string("NA")), 0);
    hierarchy_close(&attribute.hierarchy);
}

void suite_value_order(void)
{
    static const struct test tests[] = {
        {"integers go by size", integers_go_by_size},
        {"decimals go by size", decimals_go_by_size},
        {"dates go by time", dates_go_by_time},
        {"strings go by bytes", strings_go_by_bytes},
        {"ordinals go by their hierarchy", ordinals_go_by_their_hierarchy},
    };

    suite_add("value_order", tests, sizeof tests / sizeof tests[0]);
}
