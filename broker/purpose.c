#include "broker/purpose.h"

#include <assert.h>
#include <string.h>

enum kind { KIND_USE, KIND_RESTRICTION, KIND_CLASS, KIND_OTHER };

static const struct {
    const char *code;
    enum kind kind;
    const char *name;
} table[] = {
#define PURPOSE_ROW(number, kind, name)                                        \
    [PURPOSE_DUO_##number] = {"DUO:" #number, KIND_##kind, name},
    PURPOSE_TABLE(PURPOSE_ROW)
#undef PURPOSE_ROW
        [PURPOSE_HRESCH] = {"HRESCH", KIND_OTHER, "health research"},
    [PURPOSE_OTHER_REASON] = {"other-reason", KIND_OTHER,
                              "a reason other than research"},
    [PURPOSE_UNDECIDED] = {"undecided", KIND_OTHER, "not known here"},
};

static_assert(PURPOSE_COUNT <= 32, "struct purposes has 32 bits");

/* ---- one purpose ---- */

const char *purpose_code(enum purpose purpose)
{
    assert(purpose < PURPOSE_COUNT);
    return table[purpose].code;
}

const char *purpose_name(enum purpose purpose)
{
    assert(purpose < PURPOSE_COUNT);
    return table[purpose].name;
}

bool purpose_find(struct bytes code, enum purpose *purpose)
{
    for (unsigned i = 0; i < PURPOSE_COUNT; i++)
        if (table[i].kind != KIND_CLASS &&
            bytes_equal_string(code, table[i].code)) {
            *purpose = (enum purpose)i;
            return true;
        }
    return false;
}

enum purpose purpose_of_coding(const char *system, const char *code)
{
    enum purpose purpose;

    if (system == NULL || code == NULL)
        return PURPOSE_UNDECIDED;
    if (strcmp(system, PURPOSE_REASON_SYSTEM) == 0)
        return strcmp(code, table[PURPOSE_HRESCH].code) == 0
                   ? PURPOSE_HRESCH
                   : PURPOSE_OTHER_REASON;
    if (strcmp(system, PURPOSE_DUO_SYSTEM) == 0 &&
        purpose_find(bytes_of_string(code), &purpose) &&
        table[purpose].kind != KIND_OTHER)
        return purpose;
    return PURPOSE_UNDECIDED;
}

/* ---- sets ---- */

#define BIT(purpose) ((uint32_t)1 << (purpose))

static uint32_t of_kind(enum kind kind)
{
    uint32_t set = 0;

    for (unsigned i = 0; i < PURPOSE_COUNT; i++)
        if (table[i].kind == kind)
            set |= BIT(i);
    return set;
}

void purposes_add(struct purposes *purposes, enum purpose purpose)
{
    assert(purpose < PURPOSE_COUNT && table[purpose].kind != KIND_CLASS);
    purposes->set |= BIT(purpose);
}

enum status purposes_add_requested(struct purposes *request, struct bytes code,
                                   struct error *err)
{
    enum purpose purpose;

    if (!purpose_find(code, &purpose) || table[purpose].kind == KIND_OTHER)
        return error_set(err, E_INPUT,
                         "no purpose that a request can have, expected a code "
                         "of DUO as \"DUO:0000042\"");
    if (purposes_have(*request, purpose))
        return error_set(err, E_INPUT, "%s stands there twice",
                         purpose_code(purpose));
    purposes_add(request, purpose);
    return OK;
}

enum status purposes_check_request(struct purposes request, struct error *err)
{
    if ((request.set & of_kind(KIND_USE)) == 0)
        return error_set(err, E_INPUT,
                         "%s, expected a use of the data, as DUO:0000042",
                         request.set == 0 ? "no purpose" : "restrictions only");
    return OK;
}

static bool is_request(struct purposes request)
{
    return (request.set & of_kind(KIND_USE)) != 0 &&
           (request.set & ~of_kind(KIND_USE) & ~of_kind(KIND_RESTRICTION)) == 0;
}

/* ---- matching ---- */

bool purposes_permit(struct purposes rule, struct purposes request)
{
    uint32_t covered = rule.set;
    uint32_t conditions = rule.set & of_kind(KIND_RESTRICTION);

    assert(rule.set != 0 && is_request(request));
    if (purposes_have(rule, PURPOSE_UNDECIDED))
        return false;
    if (purposes_have(rule, PURPOSE_HRESCH))
        covered |= (of_kind(KIND_USE) & ~BIT(PURPOSE_DUO_0000043)) |
                   of_kind(KIND_RESTRICTION);
    return (request.set & ~covered) == 0 && (conditions & ~request.set) == 0;
}

/* Uses that have nothing in common with this purpose, by their definitions:
 * health research leaves out ancestry, ancestry is not research on a disease,
 * and clinical care is no research.  "No restriction" and general research
 * overlap what is within them.  HRESCH, restrictions and what is undecided may
 * overlap everything. */
static uint32_t disjoint_from(enum purpose purpose)
{
    const uint32_t care = BIT(PURPOSE_DUO_0000043);
    const uint32_t ancestry = BIT(PURPOSE_DUO_0000011);
    const uint32_t health = BIT(PURPOSE_DUO_0000006) | BIT(PURPOSE_DUO_0000007);

    switch (purpose) {
    case PURPOSE_DUO_0000006:
    case PURPOSE_DUO_0000007:
        return care | ancestry;
    case PURPOSE_DUO_0000011:
        return care | health;
    case PURPOSE_DUO_0000042:
        return care;
    case PURPOSE_DUO_0000043:
        return health | ancestry | BIT(PURPOSE_DUO_0000042);
    default:
        return 0;
    }
}

bool purposes_deny(struct purposes rule, struct purposes request)
{
    uint32_t uses = of_kind(KIND_USE);

    assert(rule.set != 0 && is_request(request));
    for (unsigned i = 0; i < PURPOSE_COUNT; i++)
        if ((rule.set & BIT(i)) != 0 &&
            (request.set & uses & ~disjoint_from((enum purpose)i)) != 0)
            return true;
    return false;
}
