#include "anonymizer/profile.h"

#include <stdlib.h>

#include "common/limits.h"

static size_t find_column(const struct profile_columns *columns,
                          const char *name)
{
    size_t i = 0;

    while (i < columns->count && strcmp(columns->at[i].name, name) != 0)
        i++;
    return i;
}

/* Columns, ascending and each once. */
struct chosen {
    uint32_t column[PROFILE_SUBSET_COLUMNS_MAX];
    uint32_t count;
};

static int compare_columns(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static enum status choose_measured(const struct profile *profile,
                                   const char *const *names,
                                   struct chosen *chosen, struct error *err)
{
    chosen->count = 0;
    for (; *names != NULL; names++) {
        size_t found = find_column(&profile->columns, *names);

        if (found == profile->columns.count)
            return error_set(err, E_INPUT, "the table has no column %s",
                             json_quote(*names).text);
        if (profile->columns.at[found].exceeded)
            return error_set(err, E_LIMIT,
                             "column %s has more than %u distinct values: its "
                             "subsets cannot be measured",
                             json_quote(*names).text, PROFILE_DISTINCT_MAX);
        for (uint32_t i = 0; i < chosen->count; i++)
            if (chosen->column[i] == found)
                return error_set(err, E_USAGE, "column %s is named twice",
                                 json_quote(*names).text);
        if (chosen->count == PROFILE_SUBSET_COLUMNS_MAX)
            return error_set(err, E_LIMIT, "at most %u columns are measured",
                             PROFILE_SUBSET_COLUMNS_MAX);
        chosen->column[chosen->count++] = (uint32_t)found;
    }
    qsort(chosen->column, chosen->count, sizeof *chosen->column,
          compare_columns);
    return OK;
}

/* Those with one of two roles; how many there was no room for. */
static size_t choose_roles(const struct profile *profile, enum role one,
                           enum role other, struct chosen *chosen)
{
    size_t left_out = 0;

    chosen->count = 0;
    for (size_t i = 0; i < profile->columns.count; i++) {
        enum role role = profile->roles.at[i].role;

        if ((role != one && role != other) || profile->columns.at[i].exceeded)
            continue;
        if (chosen->count < PROFILE_SUBSET_COLUMNS_MAX)
            chosen->column[chosen->count++] = (uint32_t)i;
        else
            left_out++;
    }
    return left_out;
}

static enum status measure(struct profile *profile,
                           const struct profile_options *options,
                           struct error *err)
{
    struct profile_subsets kept;
    struct chosen chosen;

    if (options->measured == NULL)
        profile->left_out = choose_roles(profile, ROLE_QUASI_IDENTIFYING,
                                         ROLE_QUASI_IDENTIFYING, &chosen);
    else if (choose_measured(profile, options->measured, &chosen, err) != OK)
        return err->status;
    if (profile_subsets_measure(&profile->subsets, &profile->columns,
                                chosen.column, chosen.count,
                                options->subset_size, err) != OK)
        return err->status;
    choose_roles(profile, ROLE_SENSITIVE, ROLE_INSENSITIVE, &chosen);
    if (profile_subsets_measure(&kept, &profile->columns, chosen.column,
                                chosen.count, 0, err) != OK)
        return err->status;
    profile->kept = kept.all;
    profile->kept_count = chosen.count;
    profile_subsets_clear(&kept);
    return OK;
}

enum status profile_make(struct profile **profile, int fd, const char *name,
                         const struct profile_options *options,
                         struct error *err)
{
    struct profile_columns_options reading = {.any_header =
                                                  options->any_header};
    struct profile *made = calloc(1, sizeof *made);
    enum status status;

    *profile = NULL;
    if (made == NULL)
        return error_memory(err, "a profile");
    status = profile_columns_read(&made->columns, fd, name, reading, err);
    if (status == OK) {
        made->about = calloc(made->columns.count, sizeof *made->about);
        if (made->about == NULL)
            status = error_memory(err, "a profile");
    }
    for (size_t i = 0; i < made->columns.count && status == OK; i++)
        profile_about_judge(&made->about[i], &made->columns.at[i],
                            made->columns.rows);
    if (status == OK)
        status = profile_roles_propose(&made->roles, &made->columns,
                                       made->about, err);
    if (status == OK && (status = measure(made, options, err)) != OK)
        status = error_wrap(err, "%s", name);
    if (status == OK)
        status = profile_draft_make(&made->draft, &made->columns, made->about,
                                    &made->roles, err);
    if (status != OK)
        profile_destroy(&made);
    *profile = made;
    return status;
}

void profile_destroy(struct profile **profile)
{
    struct profile *old = *profile;

    if (old == NULL)
        return;
    profile_draft_clear(&old->draft);
    profile_subsets_clear(&old->subsets);
    profile_roles_clear(&old->roles);
    free(old->about);
    profile_columns_clear(&old->columns);
    free(old);
    *profile = NULL;
}
