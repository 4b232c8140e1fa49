#include "cli/kept_entry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/encoding.h"
#include "common/files.h"
#include "common/json_keys.h"
#include "common/sign.h"

void kept_entry_init(struct kept_entry *kept)
{
    signed_entry_init(&kept->entry);
    kept->salt = (struct commitment_salt){{0}};
    text_init(&kept->statement);
    text_init(&kept->bundle);
}

void kept_entry_clear(struct kept_entry *kept)
{
    text_clear(&kept->bundle);
    text_clear(&kept->statement);
    secret_wipe(&kept->salt, sizeof kept->salt);
    signed_entry_clear(&kept->entry);
}

static enum status kept_path(const struct session *session, const char *folder,
                             const char *id, struct text *out,
                             struct error *err)
{
    enum status status = session_path(session, folder, out, err);

    return status == OK ? text_printf(out, err, "/%s.json", id) : status;
}

/* ---- saving ---- */

static enum status make_folder(const struct session *session,
                               const char *folder, struct error *err)
{
    struct text path;
    enum status status;

    text_init(&path);
    status = session_path(session, folder, &path, err);
    if (status == OK && mkdir(path.data, 0700) != 0 && errno != EEXIST)
        status = error_set_errno(err, E_IO, errno, "%s", path.data);
    /* It may be new: what is kept in it is there as soon as it is. */
    if (status == OK)
        status = file_sync_folder(path.data, err);
    text_clear(&path);
    return status;
}

static enum status add_all(struct json_value *root,
                           const struct kept_entry *kept, struct error *err)
{
    enum status status =
        json_add_string(root, "bundle", kept->bundle.data, err);

    if (status == OK)
        status = json_add_string(root, "entry", kept->entry.entry.data, err);
    if (status == OK)
        status = json_add_integer(root, "kept", 1, err);
    if (status == OK)
        status = json_add_hex(root, "salt",
                              bytes_of(kept->salt.byte, sizeof kept->salt.byte),
                              err);
    if (status == OK)
        status = json_add_string(root, "signatures",
                                 kept->entry.signatures.data, err);
    if (status == OK)
        status = json_add_string(root, "statement", kept->statement.data, err);
    return status;
}

static enum status write_file(const char *path, const struct text *text,
                              struct error *err)
{
    struct new_file *file = NULL;
    enum status status = new_file_create(&file, path, 0600, err);

    if (status == OK)
        status = descriptor_write(new_file_descriptor(file), text_bytes(text),
                                  path, err);
    if (status == OK)
        status = new_file_publish(&file, err);
    new_file_discard(&file);
    return status;
}

enum status kept_entry_save(const struct kept_entry *kept,
                            const struct session *session, const char *folder,
                            struct error *err)
{
    char id[DIGEST_HEX_SIZE];
    struct json *json = NULL;
    struct text path, text;
    enum status status;

    text_init(&path);
    text_init(&text);
    digest_hex(&kept->entry.id, id);
    status = json_create(&json, err);
    if (status == OK)
        status = add_all(json_edit_root(json), kept, err);
    if (status == OK)
        status = json_print_canonical(json_root(json), &text, err);
    if (status == OK)
        status = make_folder(session, folder, err);
    if (status == OK)
        status = kept_path(session, folder, id, &path, err);
    if (status == OK)
        status = write_file(path.data, &text, err);
    text_clear(&text);
    text_clear(&path);
    json_destroy(&json);
    return status;
}

/* ---- loading ---- */

/* As the file has them; each is NULL until it was read. */
struct members {
    char *bundle, *entry, *signatures, *statement;
    char salt[2 * COMMITMENT_SALT_SIZE + 1];
};

static bool salt_valid(struct bytes text)
{
    struct commitment_salt salt;

    return hex_decode(text, salt.byte, sizeof salt.byte);
}

#define TEXT_KEY(member, what)                                                 \
    {                                                                          \
        .name = #member, .kind = JSON_STRING, .expected = (what),              \
        .take = json_take_string, .required = true,                            \
        .offset = offsetof(struct members, member)                             \
    }

static const struct json_key keys[] = {
    {.name = "kept",
     .kind = JSON_NUMBER,
     .expected = "the version of the format, 1",
     .take = json_take_version,
     .required = true,
     .min = 1},
    TEXT_KEY(bundle, "a policy or nothing"),
    TEXT_KEY(entry, "an entry"),
    TEXT_KEY(signatures, "signatures"),
    TEXT_KEY(statement, "a statement"),
    {.name = "salt",
     .kind = JSON_STRING,
     .expected = "64 hex digits",
     .take = json_take_name,
     .required = true,
     .offset = offsetof(struct members, salt),
     .valid = salt_valid,
     .size = 2 * COMMITMENT_SALT_SIZE + 1},
};

static enum status take_members(struct kept_entry *kept,
                                const struct members *members,
                                struct error *err)
{
    bool is_salt = hex_decode(bytes_of_string(members->salt), kept->salt.byte,
                              sizeof kept->salt.byte);
    enum status status =
        is_salt ? OK : error_set(err, E_INPUT, "the salt is none");

    if (status == OK)
        status = text_append_string(&kept->entry.entry, members->entry, err);
    if (status == OK)
        status = text_append_string(&kept->entry.signatures,
                                    members->signatures, err);
    if (status == OK)
        status = text_append_string(&kept->statement, members->statement, err);
    if (status == OK)
        status = text_append_string(&kept->bundle, members->bundle, err);
    return status;
}

static enum status take_file(struct kept_entry *kept, const struct text *text,
                             struct error *err)
{
    struct members members = {.bundle = NULL};
    struct json *json = NULL;
    enum status status = json_parse(&json, text_bytes(text), err);

    if (status == OK)
        status = json_take_root(json_root(json), keys,
                                sizeof keys / sizeof *keys, &members, err);
    if (status == OK)
        status = take_members(kept, &members, err);
    free(members.bundle);
    free(members.entry);
    free(members.signatures);
    free(members.statement);
    json_destroy(&json);
    return status;
}

enum status kept_entry_load(struct kept_entry *kept,
                            const struct session *session, const char *folder,
                            const char *id, struct error *err)
{
    struct text path, text;
    struct digest wanted;
    enum status status;

    if (!hex_decode(bytes_of_string(id), wanted.byte, DIGEST_SIZE))
        return error_set(err, E_USAGE,
                         "expected an entry's id, 64 lower-case hex digits");
    text_init(&path);
    text_init(&text);
    status = kept_path(session, folder, id, &path, err);
    if (status == OK)
        status = file_read(path.data, JSON_SIZE_MAX, &text, err);
    if (status == OK && (status = take_file(kept, &text, err)) != OK)
        status = error_wrap(err, "%s", path.data);
    if (status == OK)
        status =
            digest_bytes(&kept->entry.id, text_bytes(&kept->entry.entry), err);
    if (status == OK && memcmp(&kept->entry.id, &wanted, sizeof wanted) != 0)
        status = error_set(err, E_INPUT, "%s: holds another entry", path.data);
    text_clear(&text);
    text_clear(&path);
    return status;
}
