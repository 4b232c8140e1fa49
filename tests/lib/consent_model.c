#include "tests/lib/consent_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/fhir_words.h"

/* Word, and what it is: u a use, r a restriction, - neither. */
static const struct {
    const char *word;
    char kind;
} purposes[MODEL_PURPOSES] = {{"H", '-'},  {"o", '-'},  {"?", '-'},
                              {"04", 'u'}, {"06", 'u'}, {"07", 'u'},
                              {"11", 'u'}, {"42", 'u'}, {"43", 'u'},
                              {"18", 'r'}, {"25", 'r'}, {"44", 'r'}};

static const char *const actors[MODEL_ACTORS] = {"to(a)", "to(b)", "author",
                                                 "literal"};

const char *model_purpose_code(size_t purpose)
{
    return purposes[purpose].kind == '-' ? NULL : purposes[purpose].word;
}

bool model_purpose_is_use(size_t purpose)
{
    return purposes[purpose].kind == 'u';
}

/* ---- at random ---- */

static bool chance(struct random *random, unsigned percent)
{
    return random_below(random, 100) < percent;
}

static unsigned day_random(struct random *random)
{
    return 1 + (unsigned)random_below(random, MODEL_DAYS);
}

/* Few of many, at least one. */
static void choose(bool *chosen, size_t count, unsigned percent,
                   struct random *random)
{
    for (size_t i = 0; i < count; i++)
        chosen[i] = chance(random, percent);
    chosen[random_below(random, count)] = true;
}

/* A rule that may have rules below it: the broker reads eight levels. */
static size_t parent_random(const struct model *model, size_t index,
                            struct random *random)
{
    size_t parent = (size_t)random_below(random, index);
    unsigned depth = 1;

    for (size_t above = parent; above != 0; above = model->rule[above].parent)
        depth++;
    return depth < 8 ? parent : 0;
}

static void rule_random(struct model *model, size_t index,
                        struct random *random)
{
    struct model_rule *rule = &model->rule[index];
    bool is_root = index == 0;

    *rule = (struct model_rule){.any_purpose = chance(random, 45),
                                .any_actor = chance(random, 60)};
    rule->parent = is_root ? 0 : parent_random(model, index, random);
    rule->permits =
        is_root ? chance(random, 50) : !model->rule[rule->parent].permits;
    rule->type_written = chance(random, 70);
    if (is_root && (rule->permits != model->opt_in || !rule->any_purpose ||
                    !rule->any_actor))
        rule->type_written = true;
    if (!rule->any_purpose)
        choose(rule->purpose, MODEL_PURPOSES, 18, random);
    /* Mostly decidable, so that something is permitted at times. */
    if (chance(random, 70))
        rule->purpose[2] = false;
    if (!rule->any_actor)
        choose(rule->actor, MODEL_ACTORS, 30, random);
    rule->any_purpose = true;
    for (size_t i = 0; i < MODEL_PURPOSES; i++)
        if (rule->purpose[i])
            rule->any_purpose = false;
    if (chance(random, 40))
        rule->first_day = day_random(random);
    if (chance(random, 40))
        rule->last_day = day_random(random);
    if (rule->first_day != 0 && rule->last_day != 0 &&
        rule->first_day > rule->last_day) {
        unsigned first_day = rule->last_day;

        rule->last_day = rule->first_day;
        rule->first_day = first_day;
    }
}

void model_random(struct model *model, struct random *random)
{
    model->opt_in = chance(random, 50);
    model->count = 1 + (size_t)random_below(random, MODEL_RULES_MAX);
    for (size_t i = 0; i < model->count; i++)
        rule_random(model, i, random);
}

void model_request_random(struct model_request *request, struct random *random)
{
    bool has_use = false;

    while (!has_use)
        for (size_t i = 0; i < MODEL_PURPOSES; i++) {
            request->purpose[i] = purposes[i].kind != '-' && chance(random, 20);
            has_use =
                has_use || (request->purpose[i] && purposes[i].kind == 'u');
        }
    memcpy(request->recipient, chance(random, 50) ? "a" : "b", 2);
    request->day = day_random(random);
}

/* ---- as FHIR ---- */

static void append(struct text *out, const char *string)
{
    struct error err;

    if (text_append_string(out, string, &err) != OK)
        abort();
}

static void put(struct text *out, const char *format, const char *word)
{
    struct error err;

    /* The formats are ours, a word each. */
    while (*format != '\0') {
        if (*format == '%')
            append(out, word);
        else if (text_append(out, format, 1, &err) != OK)
            abort();
        format++;
    }
}

static void put_period(const struct model_rule *rule, struct text *out)
{
    char day[24];

    if (rule->first_day == 0 && rule->last_day == 0)
        return;
    append(out, "\"period\":{");
    if (rule->first_day != 0) {
        snprintf(day, sizeof day, "2024-03-%02u", rule->first_day);
        put(out, "\"start\":\"%\"", day);
    }
    if (rule->first_day != 0 && rule->last_day != 0)
        append(out, ",");
    if (rule->last_day != 0) {
        snprintf(day, sizeof day, "2024-03-%02u", rule->last_day);
        put(out, "\"end\":\"%\"", day);
    }
    append(out, "},");
}

static void put_rule(const struct model *model, size_t index, struct text *out)
{
    const struct model_rule *rule = &model->rule[index];
    const char *comma = "\"purpose\":[";

    append(out, "{");
    if (rule->type_written)
        put(out, "\"type\":\"%\",", rule->permits ? "permit" : "deny");
    put_period(rule, out);
    for (size_t i = 0; !rule->any_purpose && i < MODEL_PURPOSES; i++)
        if (rule->purpose[i]) {
            append(out, comma);
            put(out, "@%", purposes[i].word);
            comma = ",";
        }
    append(out, rule->any_purpose ? "" : "],");
    comma = "\"actor\":[";
    for (size_t i = 0; !rule->any_actor && i < MODEL_ACTORS; i++)
        if (rule->actor[i]) {
            append(out, comma);
            put(out, "@%", actors[i]);
            comma = ",";
        }
    append(out, rule->any_actor ? "" : "],");
    comma = "\"provision\":[";
    for (size_t i = index + 1; i < model->count; i++)
        if (model->rule[i].parent == index) {
            append(out, comma);
            put_rule(model, i, out);
            comma = ",";
        }
    append(out, comma[0] == ',' ? "]," : "");
    append(out, "\"id\":\"r\"}");
}

void model_write(const struct model *model, struct text *out)
{
    struct text members;

    text_init(&members);
    put(&members,
        "\"policyRule\":@%,\"provision\":", model->opt_in ? "OPTIN" : "OPTOUT");
    put_rule(model, 0, &members);
    fhir_consent(out, members.data);
    text_clear(&members);
}

/* ---- the oracle ---- */

static bool is(size_t purpose, const char *word)
{
    return strcmp(purposes[purpose].word, word) == 0;
}

static bool covers(size_t said, size_t asked)
{
    return said == asked || (is(said, "H") && !is(asked, "43"));
}

/* Pairs of uses that have nothing in common. */
static bool touches(size_t said, size_t asked)
{
    static const char *const apart[][2] = {{"06", "11"}, {"07", "11"},
                                           {"06", "43"}, {"07", "43"},
                                           {"11", "43"}, {"42", "43"}};

    if (purposes[said].kind != 'u')
        return true;
    if (purposes[asked].kind != 'u')
        return false;
    for (size_t i = 0; i < sizeof apart / sizeof apart[0]; i++)
        if ((is(said, apart[i][0]) && is(asked, apart[i][1])) ||
            (is(said, apart[i][1]) && is(asked, apart[i][0])))
            return false;
    return true;
}

static bool all_covered(const struct model_rule *rule,
                        const struct model_request *request)
{
    if (rule->any_purpose)
        return true;
    for (size_t asked = 0; asked < MODEL_PURPOSES; asked++) {
        bool covered = !request->purpose[asked];

        for (size_t said = 0; said < MODEL_PURPOSES; said++)
            covered = covered || (rule->purpose[said] && covers(said, asked));
        if (!covered)
            return false;
    }
    for (size_t said = 0; said < MODEL_PURPOSES; said++)
        if (rule->purpose[said] &&
            (is(said, "?") ||
             (purposes[said].kind == 'r' && !request->purpose[said])))
            return false;
    return true;
}

static bool any_touched(const struct model_rule *rule,
                        const struct model_request *request)
{
    bool touched = rule->any_purpose;

    for (size_t said = 0; said < MODEL_PURPOSES; said++)
        for (size_t asked = 0; asked < MODEL_PURPOSES; asked++)
            touched =
                touched || (rule->purpose[said] && request->purpose[asked] &&
                            touches(said, asked));
    return touched;
}

static bool actor_fits(const struct model_rule *rule,
                       const struct model_request *request, bool doubt_counts)
{
    if (rule->any_actor || rule->actor[request->recipient[0] - 'a'])
        return true;
    return doubt_counts && (rule->actor[2] || rule->actor[3]);
}

static bool in_force(const struct model_rule *rule, unsigned day)
{
    return (rule->first_day == 0 || rule->first_day <= day) &&
           (rule->last_day == 0 || day <= rule->last_day);
}

static bool fits(const struct model_rule *rule,
                 const struct model_request *request, bool as_permit)
{
    return as_permit
               ? all_covered(rule, request) && actor_fits(rule, request, false)
               : any_touched(rule, request) && actor_fits(rule, request, true);
}

/* From the last rule to the first: one that is in force and fits, and that no
 * rule below has undone, undoes the rule above it. */
bool model_permits(const struct model *model,
                   const struct model_request *request)
{
    bool undone[MODEL_RULES_MAX] = {false};
    const struct model_rule *root = &model->rule[0];

    for (size_t i = model->count - 1; i > 0; i--) {
        const struct model_rule *rule = &model->rule[i];

        if (in_force(rule, request->day) && !undone[i] &&
            fits(rule, request, rule->permits))
            undone[rule->parent] = true;
    }
    if (!in_force(root, request->day))
        return false;
    if (root->permits)
        return fits(root, request, true) && !undone[0];
    if (model->opt_in)
        return undone[0] || !fits(root, request, false);
    return undone[0] && fits(root, request, true);
}

unsigned model_permits_until(const struct model *model,
                             const struct model_request *request)
{
    struct model_request later = *request;

    for (later.day++; later.day <= MODEL_DAYS + 1; later.day++)
        if (!model_permits(model, &later))
            return later.day;
    return 0;
}
