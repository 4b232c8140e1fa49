/*
 * tests/fuzz/fuzz_bundle.c - whatever policy bundle: what is refused is refused
 * with words, and what is accepted is the policy that its canonical text is.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/hierarchy.h"
#include "anonymizer/policy_bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
    if (!truth)
        abort();
}

/* The canonical text gives the same policy, but for the hierarchies. */
static void check_canonical(const struct policy *policy)
{
    struct policy *again = NULL;
    struct digest digest;
    struct error err;

    demand(digest_bytes(&digest, text_bytes(&policy->canonical), &err) == OK);
    demand(memcmp(&digest, &policy->digest, sizeof digest) == 0);
    demand(policy_parse_canonical(&again, text_bytes(&policy->canonical),
                                  &err) == OK);
    demand(memcmp(&digest, &again->digest, sizeof digest) == 0);
    demand(again->without_hierarchies && !policy->without_hierarchies);
    demand(policy->attribute_count == again->attribute_count);
    demand(policy->criterion_count == again->criterion_count);
    /* The canonical text has them in the order of their names. */
    for (size_t i = 0; i < policy->attribute_count; i++) {
        const struct policy_attribute *attribute = &policy->attribute[i];
        const struct policy_attribute *same =
            policy_find(again, bytes_of_string(attribute->name));

        demand(same != NULL && same->hierarchy == NULL);
        demand(same->role == attribute->role && same->type == attribute->type);
        demand(same->level_min == attribute->level_min);
        demand(same->level_max == attribute->level_max);
        demand((attribute->hierarchy == NULL) ==
               (attribute->hierarchy_path == NULL));
        demand(attribute->hierarchy == NULL ||
               hierarchy_rows(attribute->hierarchy) > 0);
    }
    policy_close(&again);
}

/* Input that is the canonical text of a policy itself. */
static void try_canonical(struct bytes text)
{
    struct policy *policy = NULL;
    struct error err;
    enum status status;

    error_init(&err);
    status = policy_parse_canonical(&policy, text, &err);
    if (status != OK) {
        demand(status == E_INPUT || status == E_LIMIT || status == E_VERSION);
        demand(policy == NULL && err.text[0] != '\0');
        return;
    }
    demand(bytes_equal(text_bytes(&policy->canonical), text));
    policy_close(&policy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char words[] = "policy bundle: ";
    struct policy *policy = NULL;
    struct error err;
    enum status status;

    try_canonical(bytes_of(data, size));
    error_init(&err);
    status = policy_bundle_open(&policy, bytes_of(data, size), &err);
    if (status != OK) {
        demand(status == E_INPUT || status == E_LIMIT || status == E_VERSION);
        demand(policy == NULL);
        demand(size > POLICY_BUNDLE_SIZE_MAX ||
               strncmp(err.text, words, sizeof words - 1) == 0);
        return 0;
    }
    demand(err.text[0] == '\0');
    check_canonical(policy);
    policy_close(&policy);
    return 0;
}
