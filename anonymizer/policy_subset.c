#include "anonymizer/policy_internal.h"

#include <stdlib.h>

#include "anonymizer/subset.h"

/* Errors of a subset say where it stands; those of its list say more. */
static enum status read_list(struct policy *policy, const char *name,
                             const struct policy_files *files,
                             struct digest *digest, struct error *err)
{
    struct text path, bytes;
    enum status status;

    if (name[0] == '\0')
        return error_set(err, E_INPUT, "no name, expected that of a file");
    text_init(&path);
    text_init(&bytes);
    /* Read once: what is digested is what is used. */
    status = files->read(files->context, name, &path, &bytes, err);
    if (status == OK)
        status = digest_bytes(digest, text_bytes(&bytes), err);
    if (status == OK)
        status = subset_parse_list(&policy->subset, text_bytes(&bytes),
                                   path.data, err);
    if (status == OK) {
        policy->subset_path = string_copy(path.data);
        if (policy->subset_path == NULL)
            status = error_memory(err, "the name of a file");
    }
    text_clear(&bytes);
    text_clear(&path);
    return status;
}

static enum status read_file(struct policy *policy,
                             const struct json_value *file,
                             const struct policy_files *files,
                             struct digest *digest, struct error *err)
{
    enum status status =
        files->read == NULL
            ? policy_read_digest(file, digest, err)
            : read_list(policy, json_string(file), files, digest, err);

    return status == OK ? OK
                        : error_wrap(err, "line %u: file of the subset",
                                     json_line(file));
}

enum status policy_read_subset(struct policy *policy,
                               const struct json_value *subset,
                               const struct policy_files *files,
                               struct digest *digest, struct error *err)
{
    const struct json_key keys[] = {
        {.name = "file",
         .kind = files->read == NULL ? JSON_OBJECT : JSON_STRING,
         .expected = files->read == NULL
                         ? "an object with the digest of a list of rows"
                         : "the name of a file that lists rows",
         .take = policy_take_nothing},
        {.name = "rows",
         .kind = JSON_STRING,
         .expected = "a condition on the number of a row, i",
         .take = policy_take_nothing},
    };
    const struct json_value *file, *rows;

    if (json_take_object(subset, keys, COUNT_OF(keys), policy, err) != OK)
        return err->status;
    file = json_member(subset, "file");
    rows = json_member(subset, "rows");
    if ((file == NULL) == (rows == NULL))
        return error_set(err, E_INPUT,
                         "line %u: \"subset\" has %s, expected either "
                         "\"file\" or \"rows\"",
                         json_line(subset), file == NULL ? "neither" : "both");
    policy->has_subset = true;
    if (file != NULL)
        return read_file(policy, file, files, digest, err);
    if (subset_parse_rule(&policy->subset, json_string(rows), err) != OK)
        return error_wrap(err, "line %u: rows of the subset", json_line(rows));
    return OK;
}
