/*
 * anonymizer/builder.h - a hierarchy that a policy describes, instead of a file
 * that lists it.
 *
 *     {"build": "interval", "intervals": [{"min": 0, "max": 5}],
 *      "groups": [[2], [5]]}
 *
 *     37  ->  35-39  ->  30-39  ->  *         over the values that there are
 *
 * The description is read with the policy; the hierarchy is built when all
 * values of the column are known, over these (an explicit order is its own
 * domain).  It does not depend on the order in which they are given.
 *
 *     interval   numbers and dates by intervals, these by groups
 *     order      values in their order, by groups
 *     redaction  texts, character after character
 *     date       dates by calendar
 *     priority   the least important values first
 *
 * All end in one `*`.  Missing values are a group of their own up to there.
 * What is built is checked like a file: it must be a tree, which groups with
 * labels of their own may fail to be.
 *
 * The builders are those of ARX (Prasser, Eicher, Spengler, Bild, Kuhn:
 * Flexible data anonymization using ARX, Software: Practice and Experience
 * 2020), options and labels our own; docs/formats.md describes them,
 * docs/decisions/025-builders.md says where they differ.
 */
#ifndef ANONYMIZER_BUILDER_H
#define ANONYMIZER_BUILDER_H

#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/policy.h"
#include "common/bytes.h"
#include "common/error.h"
#include "common/json.h"

struct builder;

/* The object `description` of an attribute, whose type and format are known
 * and outlive the builder.  Tokens of the policy's table.missing have no place
 * in it.  Errors name line and key. */
MUST_USE enum status builder_read(struct builder **builder,
                                  const struct json_value *description,
                                  const struct policy *policy,
                                  const struct policy_attribute *attribute,
                                  struct error *err);
void builder_destroy(struct builder **builder);

/* Why a value of the attribute's type that is not missing has no place, as the
 * end of a sentence that begins with "the value"; NULL if it has one. */
const char *builder_refuses(const struct builder *builder, struct bytes value);

/* A value and how many rows have it. */
struct builder_value {
    struct bytes text;
    uint64_t rows;
    bool missing;
};

/* Values are distinct and have a place; at most one is missing.  E_INPUT if
 * the groups make no tree, E_LIMIT if there are too many levels or bytes. */
MUST_USE enum status builder_build(struct hierarchy **hierarchy,
                                   const struct builder *builder,
                                   const struct builder_value *value,
                                   size_t count, struct error *err);

#endif
