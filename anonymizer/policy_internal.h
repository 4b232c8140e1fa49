/*
 * anonymizer/policy_internal.h - the parts of which policy.c is put together.
 *
 *     policy.c              the file as a whole, and its digest
 *     policy_attributes.c   "attributes": roles, hierarchies, levels
 *     policy_criteria.c     "privacy": the models and their parameters
 *     policy_quality.c      "quality": the metric, and what it takes
 *     policy_subset.c       "subset": the research sample
 *     policy_risk.c         "risk": what `anchorite risk` computes
 *     policy_bundle.c       the policy and its files as one text
 */
#ifndef ANONYMIZER_POLICY_INTERNAL_H
#define ANONYMIZER_POLICY_INTERNAL_H

#include "anonymizer/policy.h"
#include "common/json_keys.h"
#include "common/text.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* Where the files are that a policy names: append the bytes of the one with
 * this name, as the policy writes it, and to `path` what messages call it. */
typedef enum status policy_file(void *context, const char *name,
                                struct text *path, struct text *bytes,
                                struct error *err);

struct policy_files {
    policy_file *read; /* NULL: there are none, only their digests */
    void *context;
};

/* In the folder of the policy; the context points to its path, a const char *.
 * At most HIERARCHY_SIZE_MAX long. */
policy_file policy_file_beside;

/* Read and check a policy; `path` is what messages call it. */
MUST_USE enum status policy_read(struct policy **policy, struct bytes text,
                                 const char *path,
                                 const struct policy_files *files,
                                 struct error *err);

/* Its kind is checked; what it says matters to nobody, or is read elsewhere. */
json_take policy_take_nothing;

/* Does an attribute's "hierarchy" describe one, instead of naming a file or
 * giving its digest? */
bool policy_hierarchy_is_built(const struct json_value *hierarchy);

/* Fill policy->attribute from the object.  digest[i], room for all of them, is
 * of the file of attribute i's hierarchy, where it has one. */
MUST_USE enum status policy_read_attributes(struct policy *policy,
                                            const struct json_value *attributes,
                                            const struct policy_files *files,
                                            struct digest *digest,
                                            struct error *err);

/* The metric, its aggregate and its gs-factor. */
json_take policy_take_quality;

/* When all of the above are known: no weight that has no part in the metric. */
MUST_USE enum status policy_check_weights(const struct policy *policy,
                                          struct error *err);

/* {"sha256": hex} in the place of a file. */
MUST_USE enum status policy_read_digest(const struct json_value *object,
                                        struct digest *digest,
                                        struct error *err);

/* Fill policy->subset from the object; *digest is of its file, where it has
 * one. */
MUST_USE enum status policy_read_subset(struct policy *policy,
                                        const struct json_value *subset,
                                        const struct policy_files *files,
                                        struct digest *digest,
                                        struct error *err);

/* Fill policy->criterion from the array, when all attributes are known. */
MUST_USE enum status policy_read_criteria(struct policy *policy,
                                          const struct json_value *privacy,
                                          struct error *err);

/* Fill policy->risk from the object, or from nothing (NULL), when all
 * attributes are known. */
MUST_USE enum status policy_read_risk(struct policy *policy,
                                      const struct json_value *risk,
                                      struct error *err);

#endif
