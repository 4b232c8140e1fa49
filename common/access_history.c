#include "common/access_history.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"
#include "common/json.h"
#include "common/json_keys.h"
#include "common/limits.h"

/* Releases in the order in which events name them, each once. */
struct releases {
    char (*id)[ACCESS_RELEASE_SIZE];
    size_t count;
};

static enum status add_release(struct releases *releases, const char *id,
                               struct error *err)
{
    void *more;

    if (strlen(id) != ACCESS_RELEASE_SIZE - 1)
        return error_set(err, E_INPUT, "an event names what is no release");
    for (size_t i = 0; i < releases->count; i++)
        if (strcmp(releases->id[i], id) == 0)
            return OK;
    if (releases->count == ACCESS_CHAINS_MAX - 1)
        return error_set(err, E_LIMIT, "a history with more than %d chains",
                         ACCESS_CHAINS_MAX);
    more = realloc(releases->id, (releases->count + 1) * sizeof *releases->id);
    if (more == NULL)
        return error_memory(err, "a history");
    releases->id = more;
    memcpy(releases->id[releases->count++], id, ACCESS_RELEASE_SIZE);
    return OK;
}

/* The release that an event names, if it does. */
static enum status gather_release(struct releases *releases, struct bytes text,
                                  struct error *err)
{
    struct json *event = NULL;
    const struct json_value *root, *release = NULL;
    enum status status = json_parse(&event, text, err);

    if (status != OK)
        return error_wrap(err, "an access event");
    root = json_root(event);
    if (json_kind(root) == JSON_OBJECT)
        release = json_member(root, "release");
    if (release != NULL)
        status =
            json_kind(release) == JSON_STRING
                ? add_release(releases, json_string(release), err)
                : error_set(err, E_INPUT, "an event names what is no release");
    json_destroy(&event);
    return status;
}

/* ---- writing ---- */

struct access_writer {
    struct json *json;
    struct json_value *chains, *events;
    bool of_subject; /* the chain that is being written */
    size_t event_count;
    struct releases releases;
};

static enum status begin(struct access_writer *writer,
                         const uint8_t key[ACCESS_KEY_SIZE], struct error *err)
{
    char hex[2 * ACCESS_KEY_SIZE + 1];
    enum status status = json_create(&writer->json, err);

    if (status != OK)
        return status;
    hex_encode(bytes_of(key, ACCESS_KEY_SIZE), hex);
    status = json_add_integer(json_edit_root(writer->json), "history", 1, err);
    if (status == OK)
        status = json_add_string(json_edit_root(writer->json), "key", hex, err);
    if (status == OK)
        status = json_add_array(json_edit_root(writer->json), "chains",
                                &writer->chains, err);
    return status;
}

enum status access_writer_create(struct access_writer **out,
                                 const uint8_t key[ACCESS_KEY_SIZE],
                                 struct error *err)
{
    struct access_writer *writer = calloc(1, sizeof *writer);
    enum status status;

    *out = NULL;
    if (writer == NULL)
        return error_memory(err, "a history");
    status = begin(writer, key, err);
    if (status != OK)
        access_writer_destroy(&writer);
    *out = writer;
    return status;
}

void access_writer_destroy(struct access_writer **handle)
{
    struct access_writer *writer = *handle;

    if (writer == NULL)
        return;
    json_destroy(&writer->json);
    free(writer->releases.id);
    free(writer);
    *handle = NULL;
}

static enum status add_digest(struct json_value *parent, const char *key,
                              const struct digest *digest, struct error *err)
{
    char hex[DIGEST_HEX_SIZE];

    digest_hex(digest, hex);
    return json_add_string(parent, key, hex, err);
}

static enum status add_other(struct json_value *chain,
                             const struct access_end *other, struct error *err)
{
    char hex[2 * ACCESS_HANDLE_SIZE + 1];
    struct json_value *object;
    enum status status = json_add_object(chain, "other", &object, err);

    if (status != OK)
        return status;
    hex_encode(bytes_of(other->handle.byte, ACCESS_HANDLE_SIZE), hex);
    status = json_add_string(object, "handle", hex, err);
    if (status == OK)
        status = add_digest(object, "head", &other->head, err);
    if (status == OK)
        status =
            json_add_integer(object, "length", (int64_t)other->length, err);
    return status;
}

static enum status add_path(struct json_value *chain,
                            const struct access_path *path, struct error *err)
{
    struct json_value *list;
    enum status status = json_add_array(chain, "path", &list, err);

    for (size_t i = 0; status == OK && i < path->depth; i++)
        status = add_digest(list, NULL, &path->beside[i], err);
    if (status == OK && path->other.length > 0)
        status = add_other(chain, &path->other, err);
    return status;
}

enum status access_writer_chain(struct access_writer *writer, const char *kind,
                                struct bytes id, const struct access_path *path,
                                struct error *err)
{
    char text[ACCESS_ID_MAX + 1];
    struct json_value *chain;
    enum status status = json_add_object(writer->chains, NULL, &chain, err);

    if (status != OK)
        return status;
    writer->of_subject = strcmp(kind, ACCESS_SUBJECT) == 0;
    if (writer->of_subject) {
        assert(id.size == SUBJECT_ID_SIZE);
        hex_encode(id, text);
    } else {
        assert(id.size < sizeof text);
        memcpy(text, id.data, id.size);
        text[id.size] = '\0';
    }
    status = json_add_string(chain, "about", kind, err);
    if (status == OK)
        status = json_add_string(chain, "id", text, err);
    if (status == OK)
        status = add_path(chain, path, err);
    if (status == OK)
        status = json_add_array(chain, "events", &writer->events, err);
    return status;
}

enum status access_writer_event(struct access_writer *writer, struct bytes text,
                                struct error *err)
{
    struct text copy; /* with a NUL behind */
    enum status status;

    if (writer->event_count == ACCESS_EVENTS_MAX)
        return error_set(err, E_LIMIT, "a history with more than %u events",
                         ACCESS_EVENTS_MAX);
    text_init(&copy);
    status = text_append(&copy, text.data, text.size, err);
    if (status == OK)
        status = json_add_string(writer->events, NULL, copy.data, err);
    if (status == OK && writer->of_subject)
        status = gather_release(&writer->releases, text, err);
    writer->event_count++;
    text_clear(&copy);
    return status;
}

size_t access_writer_release_count(const struct access_writer *writer)
{
    return writer->releases.count;
}

void access_writer_release(const struct access_writer *writer, size_t index,
                           char release[ACCESS_RELEASE_SIZE])
{
    assert(index < writer->releases.count);
    memcpy(release, writer->releases.id[index], ACCESS_RELEASE_SIZE);
}

static enum status add_text(struct json_value *root, const char *key,
                            struct bytes bytes, struct error *err)
{
    struct text copy;
    enum status status;

    text_init(&copy);
    status = text_append(&copy, bytes.data, bytes.size, err);
    if (status == OK)
        status = json_add_string(root, key, copy.data, err);
    text_clear(&copy);
    return status;
}

enum status access_writer_finish(struct access_writer *writer,
                                 const struct commitment_salt *salt,
                                 struct bytes statement, struct bytes proof,
                                 struct error *err)
{
    struct json_value *root = json_edit_root(writer->json);
    char hex[2 * COMMITMENT_SALT_SIZE + 1];
    enum status status;

    hex_encode(bytes_of(salt->byte, sizeof salt->byte), hex);
    status = json_add_string(root, "salt", hex, err);
    if (status == OK)
        status = add_text(root, "statement", statement, err);
    if (status == OK)
        status = add_text(root, "proof", proof, err);
    return status;
}

enum status access_writer_print(const struct access_writer *writer,
                                struct text *out, struct error *err)
{
    return json_print_canonical(json_root(writer->json), out, err);
}

/* ---- reading: the form ---- */

struct read_chain {
    char *about, *id;
    const struct json_value *events;
    struct access_path path;
};

struct access_history {
    struct json *json;
    char *key_text, *salt_text, *statement, *proof_text;
    uint8_t key[ACCESS_KEY_SIZE];
    struct commitment_salt salt;
    struct proof *proof;
    struct trusted_checkpoint checkpoint;
    struct digest map; /* that the statement names */
    uint64_t handles;
    struct read_chain *chain;
    size_t chain_count;
    struct releases releases;
};

static enum status take_hash(const struct json_value *item, void *target,
                             struct error *err)
{
    struct read_chain *chain = target;
    struct access_path *path = &chain->path;

    if (json_kind(item) != JSON_STRING ||
        !hex_decode(bytes_of_string(json_string(item)),
                    path->beside[path->depth].byte, DIGEST_SIZE))
        return error_set(err, E_INPUT, "line %u: a hash is 64 hex digits",
                         json_line(item));
    path->depth++;
    return OK;
}

static enum status take_events(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    struct read_chain *chain = target;

    if (json_length(value) > ACCESS_EVENTS_MAX)
        return json_refuse(key, value, "has too many", err);
    chain->events = value;
    return OK;
}

/* Another's end, before it is decoded. */
struct other {
    char *handle, *head;
    uint64_t length;
};

static enum status take_other(const struct json_key *key,
                              const struct json_value *value, void *target,
                              struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "handle",
         .kind = JSON_STRING,
         .expected = "32 hex digits",
         .take = json_take_string,
         .required = true,
         .offset = offsetof(struct other, handle)},
        {.name = "head",
         .kind = JSON_STRING,
         .expected = "64 hex digits",
         .take = json_take_string,
         .required = true,
         .offset = offsetof(struct other, head)},
        {.name = "length",
         .kind = JSON_NUMBER,
         .expected = "a whole number from 1",
         .take = json_take_u64,
         .required = true,
         .offset = offsetof(struct other, length),
         .min = 1},
    };
    struct read_chain *chain = target;
    struct access_end *end = &chain->path.other;
    struct other other = {.length = 0};
    enum status status =
        json_take_object(value, keys, sizeof keys / sizeof *keys, &other, err);

    if (status == OK &&
        (!hex_decode(bytes_of_string(other.handle), end->handle.byte,
                     ACCESS_HANDLE_SIZE) ||
         !hex_decode(bytes_of_string(other.head), end->head.byte, DIGEST_SIZE)))
        status = json_refuse(key, value, "is no end of a chain", err);
    end->length = other.length;
    free(other.handle);
    free(other.head);
    return status;
}

static enum status take_chain(const struct json_value *item, void *target,
                              struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "about",
         .kind = JSON_STRING,
         .expected = "\"subject\", \"release\" or \"denials\"",
         .take = json_take_string,
         .required = true,
         .offset = offsetof(struct read_chain, about)},
        {.name = "id",
         .kind = JSON_STRING,
         .expected = "32 hex digits, or a day",
         .take = json_take_string,
         .required = true,
         .offset = offsetof(struct read_chain, id)},
        {.name = "events",
         .kind = JSON_ARRAY,
         .expected = "a list of texts",
         .take = take_events,
         .required = true},
        {.name = "path",
         .kind = JSON_ARRAY,
         .expected = "at most 128 hashes",
         .take = json_take_items,
         .required = true,
         .max = ACCESS_HANDLE_BITS,
         .item = take_hash},
        {.name = "other",
         .kind = JSON_OBJECT,
         .expected = "the end of another chain",
         .take = take_other},
    };
    struct access_history *history = target;
    struct read_chain *chain = &history->chain[history->chain_count++];

    if (json_kind(item) != JSON_OBJECT)
        return error_set(err, E_INPUT, "line %u: a chain is an object",
                         json_line(item));
    return json_take_object(item, keys, sizeof keys / sizeof *keys, chain, err);
}

static enum status take_chains(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    struct access_history *history = target;
    size_t count = json_length(value);

    if (count == 0 || count > ACCESS_CHAINS_MAX)
        return json_refuse(key, value, "has too few or too many", err);
    history->chain = calloc(count, sizeof *history->chain);
    if (history->chain == NULL)
        return error_memory(err, "a history");
    return json_take_items(key, value, target, err);
}

static enum status decode(struct access_history *history, struct error *err)
{
    if (!hex_decode(bytes_of_string(history->key_text), history->key,
                    ACCESS_KEY_SIZE))
        return error_set(err, E_INPUT, "\"key\": expected 64 hex digits");
    if (!hex_decode(bytes_of_string(history->salt_text), history->salt.byte,
                    COMMITMENT_SALT_SIZE))
        return error_set(err, E_INPUT, "\"salt\": expected 64 hex digits");
    return proof_parse(&history->proof, bytes_of_string(history->proof_text),
                       err);
}

#define TEXT(member, field)                                                    \
    {                                                                          \
        .name = (member), .kind = JSON_STRING, .expected = "a text",           \
        .take = json_take_string, .required = true,                            \
        .offset = offsetof(struct access_history, field)                       \
    }

static enum status read_form(struct access_history *history, struct bytes text,
                             struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "history",
         .kind = JSON_NUMBER,
         .expected = "the version of the format, 1",
         .take = json_take_version,
         .required = true,
         .min = 1},
        TEXT("key", key_text),
        TEXT("proof", proof_text),
        TEXT("salt", salt_text),
        TEXT("statement", statement),
        {.name = "chains",
         .kind = JSON_ARRAY,
         .expected = "1 to 4096 chains",
         .take = take_chains,
         .required = true,
         .min = 1,
         .max = ACCESS_CHAINS_MAX,
         .item = take_chain},
    };
    enum status status = json_parse(&history->json, text, err);

    if (status == OK)
        status = json_take_root(json_root(history->json), keys,
                                sizeof keys / sizeof *keys, history, err);
    if (status == OK)
        status = decode(history, err);
    return status;
}

/* ---- reading: what is proven ---- */

static const char *member_text(const struct json_value *object, const char *key)
{
    const struct json_value *member = json_member(object, key);

    return member != NULL && json_kind(member) == JSON_STRING
               ? json_string(member)
               : "";
}

static bool member_number(const struct json_value *object, const char *key,
                          int64_t *number)
{
    const struct json_value *member = json_member(object, key);

    return member != NULL && json_kind(member) == JSON_NUMBER &&
           json_integer(member, number) && *number >= 0;
}

/* The statement: which map, and that it says as many events as the entry. */
static enum status check_statement(struct access_history *history,
                                   const struct json_value *root,
                                   struct error *err)
{
    int64_t count = 0, told = 0, handles = 0;

    if (json_kind(root) != JSON_OBJECT ||
        strcmp(member_text(root, "statement"), ACCESS_STATEMENT) != 0 ||
        !member_number(root, "count", &count) ||
        !member_number(root, "subjects", &handles) ||
        !hex_decode(bytes_of_string(member_text(root, "map")),
                    history->map.byte, DIGEST_SIZE))
        return error_set(err, E_NO, "the statement is not about accesses");
    if (!member_number(history->proof->entry.payload, "count", &told) ||
        told != count)
        return error_set(err, E_NO,
                         "the statement counts other events than its entry");
    history->handles = (uint64_t)handles;
    return OK;
}

static enum status check_entry(struct access_history *history,
                               const struct trust *trust, struct error *err)
{
    const struct entry *entry = &history->proof->entry;
    struct json *statement = NULL;
    enum status status =
        proof_verify(history->proof, trust, &history->checkpoint, err);

    if (status != OK)
        return status;
    if (entry->type != ENTRY_ACCESS ||
        history->proof->parts.verdict != VERDICT_VALID)
        return error_set(err, E_NO, "the entry is no valid one of accesses");
    status =
        commitment_check(&history->salt, bytes_of_string(history->statement),
                         member_text(entry->payload, "commitment"), err);
    if (status == OK)
        status =
            json_parse(&statement, bytes_of_string(history->statement), err);
    if (status == OK)
        status = check_statement(history, json_root(statement), err);
    json_destroy(&statement);
    return status;
}

/* The chain as its events make it. */
static enum status extend(struct access_history *history,
                          struct read_chain *chain, bool is_subject,
                          struct error *err)
{
    const struct json_value *event = json_first(chain->events);
    enum status status = OK;

    for (; status == OK && event != NULL; event = json_next(event)) {
        struct bytes text;
        struct digest digest;

        if (json_kind(event) != JSON_STRING)
            return error_set(err, E_INPUT, "line %u: an event is a text",
                             json_line(event));
        text = bytes_of_string(json_string(event));
        status = digest_bytes(&digest, text, err);
        if (status == OK)
            access_chain_extend(&chain->path.end, &digest);
        if (status == OK && is_subject)
            status = gather_release(&history->releases, text, err);
    }
    return status;
}

static enum status check_chain(struct access_history *history,
                               struct read_chain *chain, const char *kind,
                               struct bytes id, struct error *err)
{
    bool is_subject = strcmp(kind, ACCESS_SUBJECT) == 0;
    struct digest trie, root;
    enum status status;

    access_handle_make(history->key, kind, id, &chain->path.end.handle);
    status = extend(history, chain, is_subject, err);
    if (status != OK)
        return status;
    if (!access_path_trie(&chain->path, &trie))
        return error_set(err, E_NO, "the chain of a %s has no place in a map",
                         kind);
    access_root(&root, history->key, history->handles, &trie);
    if (memcmp(&root, &history->map, sizeof root) != 0)
        return error_set(err, E_NO,
                         "the chain of a %s is not the anchored map's", kind);
    return OK;
}

/* Whose history it has to be: the id in the text, and in the handle. */
struct topic {
    const char *kind, *text;
    struct bytes id;
};

static enum status check_first(struct access_history *history,
                               const struct topic *topic, struct error *err)
{
    struct read_chain *chain = &history->chain[0];

    if (strcmp(chain->about, topic->kind) != 0 ||
        strcmp(chain->id, topic->text) != 0)
        return error_set(err, E_NO, "the history is about something else");
    return check_chain(history, chain, topic->kind, topic->id, err);
}

/* Of each release that the subject's events name, and of no other. */
static enum status check_releases(struct access_history *history,
                                  struct error *err)
{
    enum status status = OK;

    if (history->chain_count != history->releases.count + 1)
        return error_set(err, E_NO,
                         "%zu chains of releases, its events name %zu",
                         history->chain_count - 1, history->releases.count);
    for (size_t i = 1; status == OK && i < history->chain_count; i++) {
        struct read_chain *chain = &history->chain[i];

        if (strcmp(chain->about, ACCESS_RELEASE) != 0 ||
            strcmp(chain->id, history->releases.id[i - 1]) != 0)
            return error_set(err, E_NO,
                             "chain %zu is not about the release that the "
                             "events name",
                             i);
        status = check_chain(history, chain, ACCESS_RELEASE,
                             bytes_of_string(chain->id), err);
    }
    return status;
}

static enum status verify(struct access_history **out, struct bytes text,
                          const struct trust *trust, const struct topic *topic,
                          struct error *err)
{
    struct access_history *history = calloc(1, sizeof *history);
    enum status status;

    *out = NULL;
    if (history == NULL)
        return error_memory(err, "a history");
    status = read_form(history, text, err);
    if (status == OK)
        status = check_entry(history, trust, err);
    if (status == OK)
        status = check_first(history, topic, err);
    if (status == OK)
        status = check_releases(history, err);
    if (status != OK)
        access_history_destroy(&history);
    *out = history;
    return status == OK ? OK : error_wrap(err, "history");
}

enum status access_history_verify(struct access_history **out,
                                  struct bytes text, const struct trust *trust,
                                  const struct subject_id *subject,
                                  struct error *err)
{
    char hex[SUBJECT_ID_HEX_SIZE];
    const struct topic topic = {ACCESS_SUBJECT, hex,
                                bytes_of(subject->byte, SUBJECT_ID_SIZE)};

    subject_id_hex(subject, hex);
    return verify(out, text, trust, &topic, err);
}

enum status access_history_verify_denials(struct access_history **out,
                                          struct bytes text,
                                          const struct trust *trust,
                                          const char *day, struct error *err)
{
    const struct topic topic = {ACCESS_DENIALS, day, bytes_of_string(day)};

    return verify(out, text, trust, &topic, err);
}

void access_history_destroy(struct access_history **handle)
{
    struct access_history *history = *handle;

    if (history == NULL)
        return;
    for (size_t i = 0; i < history->chain_count; i++) {
        free(history->chain[i].about);
        free(history->chain[i].id);
    }
    free(history->chain);
    free(history->releases.id);
    free(history->key_text);
    free(history->salt_text);
    free(history->statement);
    free(history->proof_text);
    proof_destroy(&history->proof);
    json_destroy(&history->json);
    free(history);
    *handle = NULL;
}

size_t access_history_chain_count(const struct access_history *history)
{
    return history->chain_count;
}

struct access_chain access_history_chain(const struct access_history *history,
                                         size_t index)
{
    const struct read_chain *chain = &history->chain[index];

    assert(index < history->chain_count);
    return (struct access_chain){
        .is_subject = strcmp(chain->about, ACCESS_SUBJECT) == 0,
        .release = index == 0 ? NULL : chain->id,
        .events = chain->events,
    };
}

const char *access_history_author(const struct access_history *history)
{
    return history->proof->entry.author;
}

const struct checkpoint *
access_history_checkpoint(const struct access_history *history)
{
    return &history->checkpoint.checkpoint;
}
