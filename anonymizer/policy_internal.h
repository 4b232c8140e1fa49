/*
 * anonymizer/policy_internal.h - the parts of which policy.c is put together.
 *
 *     policy.c              the file as a whole, and its digest
 *     policy_attributes.c   "attributes": roles, hierarchies, levels
 *     policy_criteria.c     "privacy": the models and their parameters
 */
#ifndef ANONYMIZER_POLICY_INTERNAL_H
#define ANONYMIZER_POLICY_INTERNAL_H

#include "anonymizer/policy.h"
#include "common/json_keys.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* Its kind is checked; what it says matters to nobody, or is read elsewhere. */
json_take policy_take_nothing;

/* Fill policy->attribute from the object.  digest[i], room for all of them, is
 * of the file of attribute i's hierarchy, where it has one. */
MUST_USE enum status policy_read_attributes(struct policy *policy,
                                            const struct json_value *attributes,
                                            struct digest *digest,
                                            struct error *err);

/* Fill policy->criterion from the array, when all attributes are known. */
MUST_USE enum status policy_read_criteria(struct policy *policy,
                                          const struct json_value *privacy,
                                          struct error *err);

#endif
