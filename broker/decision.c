#include "broker/decision.h"

#include <assert.h>
#include <string.h>

const char *decision_reason_name(enum decision_reason reason)
{
    static const char *const names[] = {
#define DECISION_NAME(id, name) [DECISION_##id] = (name),
        DECISION_TABLE(DECISION_NAME)
#undef DECISION_NAME
    };

    assert(reason < DECISION_REASON_COUNT);
    return names[reason];
}

/* ---- one rule ---- */

static bool purposes_match(const struct consent_rule *rule,
                           enum consent_type as,
                           const struct decision_request *request)
{
    if (!rule->purposes_listed)
        return true;
    return as == CONSENT_TYPE_PERMIT
               ? purposes_permit(rule->purposes, request->purposes)
               : purposes_deny(rule->purposes, request->purposes);
}

static bool actors_match(const struct consent_rule *rule, enum consent_type as,
                         const struct decision_request *request)
{
    if (!rule->actors_listed)
        return true;
    for (size_t i = 0; i < rule->recipient_count; i++)
        if (strcmp(rule->recipient[i], request->recipient) == 0)
            return true;
    return as == CONSENT_TYPE_DENY && rule->other_actors;
}

static bool exception_holds(const struct consent_rule *rule,
                            const struct decision_request *request,
                            int64_t instant_ms);

/* As deep as rules are, CONSENT_DEPTH_MAX. */
static bool rule_holds(const struct consent_rule *rule,
                       const struct decision_request *request,
                       int64_t instant_ms)
{
    return period_contains(rule->period, instant_ms) &&
           purposes_match(rule, rule->type, request) &&
           actors_match(rule, rule->type, request) &&
           !exception_holds(rule, request, instant_ms);
}

static bool exception_holds(const struct consent_rule *rule,
                            const struct decision_request *request,
                            int64_t instant_ms)
{
    for (rule = rule->exception; rule != NULL; rule = rule->next)
        if (rule_holds(rule, request, instant_ms))
            return true;
    return false;
}

/* ---- one consent at one instant ---- */

static enum decision_reason judge_permit(const struct consent_rule *root,
                                         const struct decision_request *request,
                                         int64_t instant_ms)
{
    if (!purposes_match(root, CONSENT_TYPE_PERMIT, request))
        return DECISION_OTHER_PURPOSE;
    if (!actors_match(root, CONSENT_TYPE_PERMIT, request))
        return DECISION_OTHER_RECIPIENT;
    return exception_holds(root, request, instant_ms) ? DECISION_EXCEPTED
                                                      : DECISION_PERMITTED;
}

static enum decision_reason judge_denial(const struct consent *consent,
                                         const struct decision_request *request,
                                         int64_t instant_ms)
{
    const struct consent_rule *root = consent->rule;
    bool permits;

    if (consent->base == CONSENT_TYPE_PERMIT)
        permits = !rule_holds(root, request, instant_ms);
    else
        /* Where the root does not surely apply, its exceptions do not, and the
         * base denies: here its match works for a permit. */
        permits = purposes_match(root, CONSENT_TYPE_PERMIT, request) &&
                  actors_match(root, CONSENT_TYPE_PERMIT, request) &&
                  exception_holds(root, request, instant_ms);
    return permits ? DECISION_PERMITTED : DECISION_DENIED;
}

static enum decision_reason judge(const struct consent *consent,
                                  const struct decision_request *request,
                                  int64_t instant_ms)
{
    const struct consent_rule *root = consent->rule;

    assert(root != NULL);
    if (consent->status != CONSENT_STATUS_ACTIVE)
        return DECISION_NOT_ACTIVE;
    if (instant_ms < root->period.start_ms)
        return DECISION_NOT_BEGUN;
    if (instant_ms >= root->period.end_ms)
        return DECISION_ENDED;
    return root->type == CONSENT_TYPE_PERMIT
               ? judge_permit(root, request, instant_ms)
               : judge_denial(consent, request, instant_ms);
}

/* ---- until when ---- */

/* The first start or end of a rule's period behind the instant. */
static int64_t next_change(const struct consent_rule *rule, int64_t instant_ms)
{
    int64_t change_ms = PERIOD_ENDLESS;

    if (rule->period.start_ms > instant_ms)
        change_ms = rule->period.start_ms;
    else if (rule->period.end_ms > instant_ms)
        change_ms = rule->period.end_ms;
    for (rule = rule->exception; rule != NULL; rule = rule->next) {
        int64_t deeper_ms = next_change(rule, instant_ms);

        if (deeper_ms < change_ms)
            change_ms = deeper_ms;
    }
    return change_ms;
}

/* Between two changes the answer is the same: so ask at each of them, of which
 * there are two a rule. */
static int64_t permitted_until(const struct consent *consent,
                               const struct decision_request *request)
{
    int64_t instant_ms = request->instant_ms;

    for (size_t changes = 0;; changes++) {
        assert(changes <= 2 * consent->rule_count);
        instant_ms = next_change(consent->rule, instant_ms);
        if (instant_ms == PERIOD_ENDLESS ||
            judge(consent, request, instant_ms) != DECISION_PERMITTED)
            return instant_ms;
    }
}

/* ---- all consents of a subject ---- */

struct decision decision_make(const struct decision_consent *said, size_t count,
                              const struct decision_request *request)
{
    struct decision decision = {.reason = DECISION_NO_CONSENT,
                                .until_ms = PERIOD_ENDLESS};

    for (size_t i = 0; i < count; i++) {
        assert(strcmp(said[i].consent->subject, said[0].consent->subject) == 0);
        if (said[i].position > decision.position)
            decision.position = said[i].position;
    }
    for (size_t i = 0; i < count; i++) {
        int64_t until_ms;

        if (said[i].position != decision.position)
            continue;
        decision.reason = judge(said[i].consent, request, request->instant_ms);
        if (!decision_permits(&decision))
            break;
        until_ms = permitted_until(said[i].consent, request);
        if (until_ms < decision.until_ms)
            decision.until_ms = until_ms;
    }
    if (!decision_permits(&decision))
        decision.until_ms = request->instant_ms;
    return decision;
}
