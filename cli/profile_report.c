#include "cli/profile_report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "cli/command.h"
#include "common/limits.h"

/* Subsets of each size that the text shows: those that tell most apart. */
#define SUBSETS_SHOWN 5

/* Share of rows that released columns may find alone before it is said. */
#define KEPT_TELLING 0.05

/* ---- notes: what to look at first ---- */

typedef enum status note_taker(void *context, const char *note,
                               struct error *err);

struct notes {
    note_taker *take;
    void *context;
    struct error *err;
    enum status status;
};

static void add_note(struct notes *notes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add_note(struct notes *notes, const char *format, ...)
{
    char note[ERROR_TEXT_MAX];
    va_list arguments;

    if (notes->status != OK)
        return;
    va_start(arguments, format);
    vsnprintf(note, sizeof note, format, arguments);
    va_end(arguments);
    notes->status = notes->take(notes->context, note, notes->err);
}

static void note_roles(const struct profile *profile, struct notes *notes)
{
    const struct profile_columns *columns = &profile->columns;
    size_t repeats = profile->roles.subject_repeats, unknown = 0;

    if (repeats != SIZE_MAX)
        add_note(
            notes,
            "column %s: some patients have several rows; k-anonymity would "
            "count rows, not patients: make a table with one row for each",
            json_quote(columns->at[repeats].name).text);
    for (size_t i = 0; i < columns->count; i++)
        unknown += !profile->roles.at[i].recognised;
    if (unknown > 0)
        add_note(notes,
                 "%zu column%s not recognised; the draft removes what nobody "
                 "has looked at",
                 unknown, unknown == 1 ? " was" : "s were");
    for (size_t i = 0; i < columns->count; i++)
        if (profile->about[i].date_ambiguous)
            add_note(notes,
                     "column %s: day and month cannot be told apart; read as "
                     "%s",
                     json_quote(columns->at[i].name).text,
                     date_format_pattern(profile->about[i].date));
}

static void note_draft(const struct profile *profile, struct notes *notes)
{
    if (profile->columns.rows < PROFILE_ROWS_SMALL)
        add_note(
            notes,
            "fewer than %d rows: the draft asks for k = 2, and may have no "
            "solution",
            PROFILE_ROWS_SMALL);
    if (profile->kept_count > 1 && profile->kept.distinction > KEPT_TELLING)
        add_note(notes,
                 "the %" PRIu32 " sensitive and insensitive columns stay as "
                 "they are, and together form %" PRIu64 " combinations in "
                 "%" PRIu64 " rows: whoever knows them of a patient may find "
                 "the row",
                 profile->kept_count, profile->kept.classes,
                 profile->columns.rows);
    if (profile->draft.narrowed > 0)
        add_note(notes,
                 "%" PRIu32 " quasi-identifiers begin at a higher level in the "
                 "draft, so that its search ends soon",
                 profile->draft.narrowed);
    if (profile->left_out > 0)
        add_note(notes,
                 "%zu quasi-identifiers are not among the measured subsets: at "
                 "most %u columns are",
                 profile->left_out, PROFILE_SUBSET_COLUMNS_MAX);
    if (profile->subsets.limited)
        add_note(notes,
                 "subsets of more than %" PRIu32 " columns were not measured: "
                 "it would have taken too long",
                 profile->subsets.size_measured);
}

static enum status take_notes(const struct profile *profile, note_taker *take,
                              void *context, struct error *err)
{
    struct notes notes = {take, context, err, OK};

    note_roles(profile, &notes);
    note_draft(profile, &notes);
    return notes.status;
}

/* The first column of a subset, or of what is left of one. */
static const char *member_name(const struct profile *profile, uint64_t subset)
{
    uint32_t column =
        profile->subsets.column[(unsigned)__builtin_ctzll(subset)];

    return profile->columns.at[column].name;
}

/* ---- JSON ---- */

static enum status add_finding(struct json_value *findings,
                               const struct profile_finding *finding,
                               struct error *err)
{
    char letter[2] = {profile_kind_letter(finding->kind), '\0'};
    struct json_value *object;

    if (json_add_object(findings, NULL, &object, err) != OK ||
        json_add_string(object, "kind", profile_kind_name(finding->kind),
                        err) != OK ||
        json_add_string(object, "safe_harbor", letter, err) != OK ||
        json_add_number(object, "confidence", finding->confidence, err) != OK ||
        json_add_number(object, "by_name", finding->by_name, err) != OK ||
        json_add_number(object, "by_values", finding->by_values, err) != OK)
        return err->status;
    if (finding->form == VALUE_FORM_COUNT)
        return OK;
    if (json_add_string(object, "form", value_form_about(finding->form)->words,
                        err) != OK)
        return err->status;
    return json_add_boolean(object, "some", finding->some, err);
}

static enum status add_findings(struct json_value *object,
                                const struct profile_about *about,
                                struct error *err)
{
    struct json_value *findings;

    if (json_add_array(object, "identifiers", &findings, err) != OK)
        return err->status;
    for (size_t i = 0; i < about->findings; i++)
        if (profile_kind_letter(about->finding[i].kind) != 0 &&
            add_finding(findings, &about->finding[i], err) != OK)
            return err->status;
    return OK;
}

static enum status add_separation(struct json_value *object, double distinction,
                                  double separation, struct error *err)
{
    if (json_add_number(object, "distinction", distinction, err) != OK)
        return err->status;
    return json_add_number(object, "separation", separation, err);
}

static enum status add_column(struct json_value *list,
                              const struct profile *profile, size_t index,
                              struct error *err)
{
    const struct profile_column *column = &profile->columns.at[index];
    const struct profile_about *about = &profile->about[index];
    const struct profile_role *role = &profile->roles.at[index];
    struct json_value *object;

    if (json_add_object(list, NULL, &object, err) != OK ||
        json_add_string(object, "name", column->name, err) != OK ||
        json_add_string(object, "type", profile_type_name(about->type), err) !=
            OK)
        return err->status;
    if (about->type == PROFILE_DATE &&
        (json_add_string(object, "format", date_format_pattern(about->date),
                         err) != OK ||
         json_add_boolean(object, "time", about->date_has_time, err) != OK))
        return err->status;
    if (json_add_integer(object, "distinct", profile_column_distinct(column),
                         err) != OK ||
        json_add_boolean(object, "distinct_exact", !column->exceeded, err) !=
            OK ||
        json_add_integer(object, "missing", (int64_t)column->missing, err) !=
            OK)
        return err->status;
    if (!column->exceeded) {
        struct profile_separation figures = profile_column_separation(column);

        if (add_separation(object, figures.distinction, figures.separation,
                           err) != OK)
            return err->status;
    }
    if (add_findings(object, about, err) != OK ||
        json_add_string(object, "role", attribute_role_name(role->role), err) !=
            OK)
        return err->status;
    return json_add_string(object, "reason", role->reason, err);
}

static enum status add_subset(struct json_value *list,
                              const struct profile *profile,
                              const struct attribute_subset *subset,
                              struct error *err)
{
    struct json_value *object, *names;

    if (json_add_object(list, NULL, &object, err) != OK ||
        json_add_array(object, "columns", &names, err) != OK)
        return err->status;
    for (uint64_t left = subset->columns; left != 0; left &= left - 1)
        if (json_add_string(names, NULL, member_name(profile, left), err) != OK)
            return err->status;
    return add_separation(object, subset->distinction, subset->separation, err);
}

static enum status add_subsets(struct json_value *root,
                               const struct profile *profile, struct error *err)
{
    const struct profile_subsets *subsets = &profile->subsets;
    struct json_value *object, *all, *list;

    if (json_add_object(root, "subsets", &object, err) != OK ||
        json_add_integer(object, "size", subsets->size_measured, err) != OK ||
        json_add_boolean(object, "limited", subsets->limited, err) != OK ||
        json_add_integer(object, "left_out", (int64_t)profile->left_out, err) !=
            OK ||
        json_add_object(object, "all", &all, err) != OK ||
        add_separation(all, subsets->all.distinction, subsets->all.separation,
                       err) != OK ||
        json_add_array(object, "list", &list, err) != OK)
        return err->status;
    for (size_t i = 0; i < subsets->count; i++)
        if (add_subset(list, profile, &subsets->at[i], err) != OK)
            return err->status;
    return OK;
}

static enum status note_to_json(void *context, const char *note,
                                struct error *err)
{
    struct json_value *list = context;

    return json_add_string(list, NULL, note, err);
}

enum status profile_report_json(const struct profile *profile,
                                struct json_value *root, struct error *err)
{
    struct json_value *list, *kept, *policy, *notes;

    if (json_add_integer(root, "rows", (int64_t)profile->columns.rows, err) !=
            OK ||
        json_add_array(root, "columns", &list, err) != OK)
        return err->status;
    for (size_t i = 0; i < profile->columns.count; i++)
        if (add_column(list, profile, i, err) != OK)
            return err->status;
    if (add_subsets(root, profile, err) != OK ||
        json_add_object(root, "kept", &kept, err) != OK ||
        json_add_integer(kept, "columns", profile->kept_count, err) != OK ||
        add_separation(kept, profile->kept.distinction,
                       profile->kept.separation, err) != OK ||
        json_add_array(root, "notes", &notes, err) != OK ||
        take_notes(profile, note_to_json, notes, err) != OK ||
        json_add_object(root, "draft", &policy, err) != OK)
        return err->status;
    return profile_draft_policy(&profile->draft, &profile->columns,
                                profile->about, &profile->roles, policy, err);
}

/* ---- text ---- */

static void print_column(const struct profile *profile, size_t index, FILE *out)
{
    const struct profile_column *column = &profile->columns.at[index];
    const struct profile_about *about = &profile->about[index];
    const struct profile_role *role = &profile->roles.at[index];

    command_print_harmless(out, column->name);
    fprintf(out, "\n    %s%s%s%s, %s%" PRIu32 " distinct, %" PRIu64 " missing",
            profile_type_name(about->type),
            about->type == PROFILE_DATE ? " " : "",
            about->type == PROFILE_DATE ? date_format_pattern(about->date) : "",
            about->date_has_time ? " with time" : "",
            column->exceeded ? "more than " : "",
            profile_column_distinct(column), column->missing);
    if (!column->exceeded) {
        struct profile_separation figures = profile_column_separation(column);

        fprintf(out, "; distinction %.6f, separation %.6f", figures.distinction,
                figures.separation);
    }
    fprintf(out, "\n    %s: %s\n", attribute_role_name(role->role),
            role->reason);
}

static void print_subset(const struct profile *profile,
                         const struct attribute_subset *subset, FILE *out)
{
    fprintf(out, "  %9.6f   %8.6f   ", subset->distinction, subset->separation);
    for (uint64_t left = subset->columns; left != 0; left &= left - 1) {
        if (left != subset->columns)
            fputs(" + ", out);
        command_print_harmless(out, member_name(profile, left));
    }
    fputc('\n', out);
}

/* The last ones of each size: the list ascends. */
static void print_subsets(const struct profile *profile, FILE *out)
{
    const struct profile_subsets *subsets = &profile->subsets;

    if (subsets->count == 0)
        return;
    fprintf(out, "\nWhat tells rows apart:\n\n"
                 "distinction  separation\n");
    for (size_t end = 0; end < subsets->count;) {
        size_t begin = end;

        while (end < subsets->count &&
               __builtin_popcountll(subsets->at[end].columns) ==
                   __builtin_popcountll(subsets->at[begin].columns))
            end++;
        for (size_t i = end; i > begin && i + SUBSETS_SHOWN > end; i--)
            print_subset(profile, &subsets->at[i - 1], out);
    }
    fprintf(out, "  %9.6f   %8.6f   all of them together\n",
            subsets->all.distinction, subsets->all.separation);
}

static enum status note_to_text(void *context, const char *note,
                                struct error *err)
{
    FILE *out = context;

    (void)err;
    fputs("- ", out);
    command_print_harmless(out, note);
    fputc('\n', out);
    return OK;
}

enum status profile_report_text(const struct profile *profile, const char *name,
                                FILE *out, struct error *err)
{
    size_t count = profile->columns.count;

    command_print_harmless(out, name);
    fprintf(out, ": %" PRIu64 " row%s, %zu column%s\n\n", profile->columns.rows,
            profile->columns.rows == 1 ? "" : "s", count,
            count == 1 ? "" : "s");
    for (size_t i = 0; i < count; i++)
        print_column(profile, i, out);
    print_subsets(profile, out);
    fputc('\n', out);
    return take_notes(profile, note_to_text, out, err);
}
