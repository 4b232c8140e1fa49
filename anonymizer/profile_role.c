#include "anonymizer/profile_role.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/limits.h"

static const enum role kind_role[KIND_COUNT] = {
#define KIND(id, letter, name, role, words) ROLE_##role,
#include "anonymizer/profile_kinds.def"
#undef KIND
};

static void set(struct profile_role *role, enum role is, bool recognised,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

static void set(struct profile_role *role, enum role is, bool recognised,
                const char *format, ...)
{
    va_list arguments;

    role->role = is;
    role->recognised = recognised;
    va_start(arguments, format);
    vsnprintf(role->reason, sizeof role->reason, format, arguments);
    va_end(arguments);
}

static const char *evidence(const struct profile_finding *finding)
{
    if (finding->by_name > 0 && finding->by_values > 0)
        return "by name and values";
    return finding->by_name > 0 ? "by name" : "by values";
}

/* Safe Harbor's age rule, and days that a decade would do for. */
static const char *advice(const struct profile_about *about,
                          enum profile_kind kind)
{
    if (kind == KIND_AGE && about->over_89)
        return "; ages over 89 occur, which Safe Harbor wants in one group";
    if (kind == KIND_DATE)
        return "; Safe Harbor leaves the year alone";
    if (kind == KIND_AREA)
        return "; Safe Harbor leaves the state, or three digits of a ZIP code "
               "with 20,000 people";
    return "";
}

static void by_finding(struct profile_role *role,
                       const struct profile_about *about,
                       const struct profile_finding *finding)
{
    char letter = profile_kind_letter(finding->kind);

    if (letter != 0)
        set(role, kind_role[finding->kind], true,
            "%s, %s (Safe Harbor %c, %.2f)%s",
            profile_kind_words(finding->kind), evidence(finding), letter,
            finding->confidence, advice(about, finding->kind));
    else
        set(role, kind_role[finding->kind], true, "%s, %s (%.2f)",
            profile_kind_words(finding->kind), evidence(finding),
            finding->confidence);
}

static const struct profile_finding *
some_identifiers(const struct profile_about *about)
{
    for (size_t i = 0; i < about->findings; i++)
        if (about->finding[i].some)
            return &about->finding[i];
    return NULL;
}

/* Whatever it is about: can it stay in a table? */
static void take_back(struct profile_role *role,
                      const struct profile_about *about,
                      const struct profile_column *column)
{
    if (role->role == ROLE_IDENTIFYING || role->role == ROLE_SUBJECT)
        return;
    if (column->exceeded ||
        profile_column_distinct(column) > PROFILE_HIERARCHY_MAX)
        set(role, ROLE_IDENTIFYING, role->recognised,
            "more than %u distinct values: too many to be generalized one by "
            "one",
            column->exceeded ? PROFILE_DISTINCT_MAX : PROFILE_HIERARCHY_MAX);
    else if (role->role == ROLE_SENSITIVE && about->type == PROFILE_STRING &&
             about->mostly_own)
        set(role, ROLE_IDENTIFYING, role->recognised,
            "text that mostly stands in a single row: it singles patients out");
    else if (role->role == ROLE_SENSITIVE && about->type == PROFILE_DECIMAL &&
             about->mostly_own)
        set(role, ROLE_QUASI_IDENTIFYING, role->recognised,
            "numbers so exact that most stand in a single row");
}

/* A town that is the same for all is one all the same; of what is no identifier
 * nothing is learnt that tells patients apart. */
static bool is_same_for_all(const struct profile_about *about,
                            const struct profile_column *column, uint64_t rows)
{
    if (rows < 2 || column->missing > 0 || column->exceeded ||
        profile_column_distinct(column) != 1)
        return false;
    return about->findings == 0 ||
           profile_kind_letter(about->finding[0].kind) == 0;
}

static void propose(struct profile_role *role,
                    const struct profile_about *about,
                    const struct profile_column *column, uint64_t rows)
{
    const struct profile_finding *some = some_identifiers(about);
    const struct profile_finding *surest =
        about->findings > 0 && about->finding[0].confidence >= FINDING_DECIDES
            ? &about->finding[0]
            : NULL;

    if (about->type == PROFILE_EMPTY)
        set(role, ROLE_INSENSITIVE, true, "there is no value in it");
    else if (some != NULL &&
             (surest == NULL || kind_role[surest->kind] != ROLE_IDENTIFYING))
        set(role, ROLE_IDENTIFYING, true, "some of its values are %s",
            value_form_about(some->form)->words);
    else if (is_same_for_all(about, column, rows))
        set(role, ROLE_INSENSITIVE, true, "the same in every row");
    else if (surest != NULL)
        by_finding(role, about, surest);
    else
        set(role, ROLE_IDENTIFYING, false,
            "not recognised: removed until somebody says what it is");
    take_back(role, about, column);
}

/* ---- the patient's number ---- */

static bool is_surely(const struct profile_about *about, enum profile_kind kind)
{
    return about->findings > 0 && about->finding[0].kind == kind &&
           about->finding[0].by_name >= FINDING_DECIDES;
}

static size_t first_of(const struct profile_about *about, size_t count,
                       enum profile_kind kind)
{
    for (size_t i = 0; i < count; i++)
        if (is_surely(&about[i], kind))
            return i;
    return SIZE_MAX;
}

static void propose_subject(struct profile_roles *roles,
                            const struct profile_columns *columns,
                            const struct profile_about *about)
{
    size_t record = first_of(about, columns->count, KIND_RECORD);
    size_t number = first_of(about, columns->count, KIND_OTHER);

    if (record != SIZE_MAX && columns->at[record].repeats)
        roles->subject_repeats = record;
    else if (record != SIZE_MAX && about[record].each_row_own)
        set(&roles->at[record], ROLE_SUBJECT, true,
            "the patient's number (Safe Harbor H): each row has its own");
    else if (record == SIZE_MAX && number != SIZE_MAX &&
             about[number].each_row_own)
        set(&roles->at[number], ROLE_SUBJECT, true,
            "each row has its own (Safe Harbor R): taken for the patient's "
            "number");
}

/* ---- all roles together ---- */

/* Can it stand in a policy as a quasi-identifier? */
static bool can_be_quasi(const struct profile_column *column)
{
    return !column->exceeded && profile_column_distinct(column) > 0 &&
           profile_column_distinct(column) <= PROFILE_HIERARCHY_MAX;
}

static size_t count_roles(const struct profile_roles *roles, size_t count,
                          enum role role)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++)
        found += roles->at[i].role == role;
    return found;
}

/* Classes are made of something: where nothing was recognised as what others
 * know, what was not recognised at all is taken for it, or what is sensitive.
 */
static void find_some_quasi(struct profile_roles *roles,
                            const struct profile_columns *columns,
                            const struct profile_about *about)
{
    bool found = count_roles(roles, columns->count, ROLE_QUASI_IDENTIFYING) > 0;

    for (size_t i = 0; i < columns->count && !found; i++)
        if (!roles->at[i].recognised && can_be_quasi(&columns->at[i]) &&
            !about[i].mostly_own)
            set(&roles->at[i], ROLE_QUASI_IDENTIFYING, false,
                "not recognised, and no other column is what others may know: "
                "taken for it");
    found = count_roles(roles, columns->count, ROLE_QUASI_IDENTIFYING) > 0;
    for (size_t i = 0; i < columns->count && !found; i++)
        if (roles->at[i].role == ROLE_SENSITIVE)
            set(&roles->at[i], ROLE_QUASI_IDENTIFYING, true,
                "no column is what others may know: they may know this one");
}

/* What a policy has no room for goes. */
static void keep_limit(struct profile_roles *roles, size_t count,
                       enum role role, size_t most)
{
    for (size_t i = 0, found = 0; i < count; i++)
        if (roles->at[i].role == role && ++found > most)
            set(&roles->at[i], ROLE_IDENTIFYING, roles->at[i].recognised,
                "a policy has at most %zu %s columns", most,
                attribute_role_name(role));
}

enum status profile_roles_propose(struct profile_roles *roles,
                                  const struct profile_columns *columns,
                                  const struct profile_about *about,
                                  struct error *err)
{
    roles->subject_repeats = SIZE_MAX;
    roles->at = calloc(columns->count, sizeof *roles->at);
    if (roles->at == NULL)
        return error_memory(err, "the roles of a profile");
    for (size_t i = 0; i < columns->count; i++)
        propose(&roles->at[i], &about[i], &columns->at[i], columns->rows);
    propose_subject(roles, columns, about);
    find_some_quasi(roles, columns, about);
    keep_limit(roles, columns->count, ROLE_QUASI_IDENTIFYING,
               QUASI_IDENTIFIERS_MAX);
    keep_limit(roles, columns->count, ROLE_SENSITIVE, SENSITIVE_MAX);
    return OK;
}

void profile_roles_clear(struct profile_roles *roles)
{
    free(roles->at);
    roles->at = NULL;
}
