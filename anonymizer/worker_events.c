#include "anonymizer/worker_events.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/worker_chains.h"
#include "common/access_history.h"
#include "common/clock.h"
#include "common/encoding.h"
#include "common/entry.h"
#include "common/json.h"
#include "common/ledger_questions.h"
#include "common/merkle.h"
#include "common/sign.h"

/* Inside an event, so that its digest cannot be guessed. */
#define EVENT_SALT_SIZE 16

/* How often a history is tried while events come in between. */
#define HISTORY_TRIES 20

static const char salt_tag[] = "anchorite access salt 1";

struct worker_events {
    struct worker_events_settings settings;
    pthread_mutex_t lock; /* of what follows, and of writing acts */
    struct worker_chains *chains;
    pthread_mutex_t anchor; /* one anchors at a time; taken before `lock` */
};

static const uint8_t *handle_key(const struct worker_events *events)
{
    return worker_secret_handles(events->settings.secret);
}

/* ---- opening ---- */

enum status worker_events_open(struct worker_events **out,
                               const struct worker_events_settings *settings,
                               struct error *err)
{
    struct worker_events *events = calloc(1, sizeof *events);
    enum status status;

    *out = NULL;
    if (events == NULL)
        return error_memory(err, "access events");
    events->settings = *settings;
    pthread_mutex_init(&events->lock, NULL);
    pthread_mutex_init(&events->anchor, NULL);
    status = worker_chains_open(&events->chains, settings->store, err);
    if (status != OK)
        worker_events_close(&events);
    *out = events;
    return status;
}

void worker_events_close(struct worker_events **handle)
{
    struct worker_events *events = *handle;

    if (events == NULL)
        return;
    worker_chains_close(&events->chains);
    pthread_mutex_destroy(&events->anchor);
    pthread_mutex_destroy(&events->lock);
    free(events);
    *handle = NULL;
}

/* ---- an event ---- */

static const char *act_name(enum access_act act)
{
    static const char *const names[] = {
#define ACCESS_ACT_NAME(name, id) [ACCESS_##id] = (name),
        ACCESS_ACTS(ACCESS_ACT_NAME)
#undef ACCESS_ACT_NAME
    };

    return names[act];
}

static enum status add_ids(struct json_value *root,
                           const struct access_told *told, struct error *err)
{
    char dataset[DATASET_ID_HEX_SIZE], permit[DIGEST_HEX_SIZE];
    enum status status = OK;

    if (told->dataset != NULL) {
        dataset_id_hex(told->dataset, dataset);
        status = json_add_string(root, "dataset", dataset, err);
    }
    if (status == OK && told->permit != NULL) {
        digest_hex(told->permit, permit);
        status = json_add_string(root, "permit", permit, err);
    }
    if (status == OK && told->release != NULL)
        status = json_add_string(root, "release", told->release, err);
    return status;
}

static enum status add_text(struct json_value *root, const char *key,
                            const char *text, struct error *err)
{
    return text == NULL ? OK : json_add_string(root, key, text, err);
}

/* What denials alone have. */
static enum status add_denied(struct json_value *root,
                              const struct access_told *told, struct error *err)
{
    char request[DIGEST_HEX_SIZE];
    enum status status = add_text(root, "asked", told->asked, err);

    if (status == OK && told->count > 0)
        status = json_add_integer(root, "count", (int64_t)told->count, err);
    if (status == OK && told->request != NULL) {
        digest_hex(told->request, request);
        status = json_add_string(root, "request", request, err);
    }
    if (status == OK)
        status = add_text(root, "via", told->via, err);
    return status == OK ? add_text(root, "why", told->why, err) : status;
}

static enum status write_event(const struct access_told *told, struct text *out,
                               struct error *err)
{
    uint8_t salt[EVENT_SALT_SIZE];
    char hex[2 * EVENT_SALT_SIZE + 1];
    struct json *json = NULL;
    struct json_value *root;
    enum status status = random_secret(salt, sizeof salt, err);

    if (status == OK)
        status = json_create(&json, err);
    if (status != OK)
        return status;
    hex_encode(bytes_of(salt, sizeof salt), hex);
    root = json_edit_root(json);
    status = json_add_string(root, "act", act_name(told->act), err);
    if (status == OK)
        status = json_add_integer(root, "at", (int64_t)clock_now_ms(), err);
    if (status == OK)
        status = add_text(root, "by", told->by, err);
    if (status == OK)
        status = add_ids(root, told, err);
    if (status == OK)
        status = add_denied(root, told, err);
    if (status == OK)
        status = json_add_string(root, "salt", hex, err);
    if (status == OK)
        status = json_print_canonical(json_root(json), out, err);
    json_destroy(&json);
    return status;
}

static enum status tell(struct worker_events *events,
                        const struct access_told *told,
                        const struct access_handle *handle, size_t count,
                        struct error *err)
{
    struct text text;
    enum status status;

    text_init(&text);
    status = write_event(told, &text, err);
    if (status == OK) {
        pthread_mutex_lock(&events->lock);
        status = worker_chains_tell(events->chains, text_bytes(&text), handle,
                                    count, err);
        pthread_mutex_unlock(&events->lock);
    }
    text_clear(&text);
    return status;
}

static int compare_handles(const void *a, const void *b)
{
    return access_handle_compare(a, b);
}

enum status worker_events_subjects(struct worker_events *events,
                                   const struct access_told *told,
                                   const struct subject_id *subject,
                                   size_t count, struct error *err)
{
    struct access_handle *handle = calloc(count, sizeof *handle);
    enum status status;

    assert(count > 0);
    if (handle == NULL)
        return error_memory(err, "access events");
    for (size_t i = 0; i < count; i++)
        access_handle_make(handle_key(events), ACCESS_SUBJECT,
                           bytes_of(subject[i].byte, SUBJECT_ID_SIZE),
                           &handle[i]);
    qsort(handle, count, sizeof *handle, compare_handles);
    status = tell(events, told, handle, count, err);
    free(handle);
    return status;
}

enum status worker_events_release(struct worker_events *events,
                                  const struct access_told *told,
                                  struct error *err)
{
    struct access_handle handle;

    access_handle_make(handle_key(events), ACCESS_RELEASE,
                       bytes_of_string(told->release), &handle);
    return tell(events, told, &handle, 1, err);
}

enum status worker_events_denial(struct worker_events *events,
                                 const struct access_told *told,
                                 const struct access_concern *concern,
                                 struct error *err)
{
    const uint8_t *key = handle_key(events);
    struct access_handle handle[3];
    size_t count = 0;

    access_handle_make(key, ACCESS_DENIALS, bytes_of_string(concern->day),
                       &handle[count++]);
    if (concern->subject != NULL)
        access_handle_make(key, ACCESS_SUBJECT,
                           bytes_of(concern->subject->byte, SUBJECT_ID_SIZE),
                           &handle[count++]);
    if (concern->release != NULL)
        access_handle_make(key, ACCESS_RELEASE,
                           bytes_of_string(concern->release), &handle[count++]);
    qsort(handle, count, sizeof *handle, compare_handles);
    return tell(events, told, handle, count, err);
}

/* ---- a batch ---- */

struct batch {
    struct merkle_tree tree;
    uint64_t first; /* act */
    uint64_t count; /* events */
};

static enum status add_to_batch(void *context, const struct act_record *act,
                                struct error *err)
{
    struct batch *batch = context;

    if (batch->first == 0)
        batch->first = act->number;
    batch->count += act->count;
    return merkle_append(&batch->tree, &act->leaf, NULL, NULL, err);
}

static enum status write_statement(const struct worker_events *events,
                                   const struct batch *batch, struct text *out,
                                   struct error *err)
{
    struct worker_map *map = worker_chains_map(events->chains);
    uint64_t handles = worker_map_size(map);
    char batch_hex[DIGEST_HEX_SIZE], map_hex[DIGEST_HEX_SIZE];
    struct digest root, trie;
    struct json *json = NULL;
    struct json_value *object;
    enum status status = json_create(&json, err);

    if (status != OK)
        return status;
    merkle_root(&batch->tree, &root);
    digest_hex(&root, batch_hex);
    worker_map_trie(map, &trie);
    access_root(&root, handle_key(events), handles, &trie);
    digest_hex(&root, map_hex);
    object = json_edit_root(json);
    status = json_add_integer(object, "count", (int64_t)batch->count, err);
    if (status == OK)
        status = json_add_string(object, "events", batch_hex, err);
    if (status == OK)
        status = json_add_integer(object, "first", (int64_t)batch->first, err);
    if (status == OK)
        status = json_add_string(object, "map", map_hex, err);
    if (status == OK)
        status = json_add_string(object, "statement", ACCESS_STATEMENT, err);
    if (status == OK)
        status = json_add_integer(object, "subjects", (int64_t)handles, err);
    if (status == OK)
        status = json_print_canonical(json_root(json), out, err);
    json_destroy(&json);
    return status;
}

static enum status write_payload(const struct batch *batch,
                                 const struct digest *commitment,
                                 struct json *json, struct error *err)
{
    char hex[DIGEST_HEX_SIZE];
    struct json_value *root = json_edit_root(json);
    enum status status;

    digest_hex(commitment, hex);
    status = json_add_string(root, "commitment", hex, err);
    if (status == OK)
        status = json_add_integer(root, "count", (int64_t)batch->count, err);
    return status;
}

static enum status write_entry(const struct worker_events *events,
                               const struct json *payload,
                               struct anchor_record *record, struct error *err)
{
    const struct worker_events_settings *settings = &events->settings;
    const char *self = certificate_id(settings->self->certificate);
    uint8_t nonce[ENTRY_NONCE_SIZE];
    struct entry_draft draft = {.type = ENTRY_ACCESS,
                                .origin = settings->genesis->origin,
                                .channel = settings->genesis->channel,
                                .author = self,
                                .nonce = nonce,
                                .payload = json_root(payload)};
    struct entry_signature signature;
    enum status status = random_secret(nonce, sizeof nonce, err);

    if (status == OK)
        status = entry_write(&draft, &record->entry, err);
    if (status == OK)
        status = entry_sign(text_bytes(&record->entry), self,
                            settings->self->key, &signature, err);
    if (status == OK)
        status =
            entry_write_signatures(&signature, 1, &record->signatures, err);
    return status;
}

/* Under the lock: the entry for all events behind `behind`. */
static enum status draft(struct worker_events *events, uint64_t behind,
                         struct anchor_record *record, struct error *err)
{
    struct worker_store *store = events->settings.store;
    struct batch batch = {.first = 0};
    struct commitment_salt salt;
    struct digest commitment;
    struct json *payload = NULL;
    enum status status;

    merkle_tree_init(&batch.tree);
    record->last = worker_chains_last(events->chains);
    status = worker_store_acts(store, behind, add_to_batch, &batch, err);
    if (status == OK)
        status = write_statement(events, &batch, &record->statement, err);
    if (status == OK)
        status = commitment_draw(&salt, err);
    if (status == OK)
        status = commitment_make(&salt, text_bytes(&record->statement),
                                 &commitment, err);
    if (status == OK)
        status = worker_secret_seal(
            events->settings.secret, bytes_of(salt_tag, sizeof salt_tag),
            bytes_of(salt.byte, sizeof salt.byte), record->salt, err);
    if (status == OK)
        status = json_create(&payload, err);
    if (status == OK)
        status = write_payload(&batch, &commitment, payload, err);
    if (status == OK)
        status = write_entry(events, payload, record, err);
    if (status == OK)
        status = worker_store_add_anchor(store, record, err);
    secret_wipe(&salt, sizeof salt);
    json_destroy(&payload);
    return status;
}

/* ---- anchoring ---- */

/* Whose entry is it?  After a new certificate the old one's entry may never be
 * valid, and has to be written anew. */
static enum status is_ours(const struct worker_events *events,
                           const struct anchor_record *record, bool *ours,
                           struct error *err)
{
    struct entry entry;
    enum status status = entry_parse(&entry, text_bytes(&record->entry),
                                     text_bytes(&record->signatures), err);

    if (status != OK)
        return status;
    *ours = strcmp(entry.author,
                   certificate_id(events->settings.self->certificate)) == 0;
    entry_clear(&entry);
    return OK;
}

static enum status hand_in(struct worker_events *events, struct client *client,
                           const struct anchor_record *record,
                           struct error *err)
{
    struct worker_store *store = events->settings.store;
    struct receipt receipt;
    bool ours = true;
    enum status status =
        receipt_ask(&receipt, client, text_bytes(&record->entry),
                    text_bytes(&record->signatures), err);

    if (status != OK)
        return status;
    if (receipt.verdict == VERDICT_VALID)
        return worker_store_anchored(store, record->last, err);
    status = is_ours(events, record, &ours, err);
    if (status == OK && !ours)
        return worker_store_drop_anchor(store, record->last, err);
    return status == OK
               ? error_set(err, E_REFUSED, "the log finds our access events %s",
                           entry_verdict_name(receipt.verdict))
               : status;
}

/* Here nobody waits for the first row of a release. */
static enum status save_some(struct worker_events *events, struct error *err)
{
    enum status status;

    pthread_mutex_lock(&events->lock);
    status = worker_chains_save_some(events->chains, err);
    pthread_mutex_unlock(&events->lock);
    return status;
}

/* With `anchor` held.  Of a map that nobody has anchored an empty one may be
 * wanted, too: that nothing happened. */
static enum status anchor_all(struct worker_events *events,
                              struct client *client, bool even_empty,
                              struct error *err)
{
    struct worker_store *store = events->settings.store;
    struct anchor_record record;
    uint64_t behind = 0;
    bool found = false;
    enum status status = worker_store_last_anchor(store, &record, &found, err);

    if (status != OK)
        return status;
    if (found && !record.done) {
        status = hand_in(events, client, &record, err);
        anchor_record_clear(&record);
        if (status == OK)
            status = worker_store_last_anchor(store, &record, &found, err);
        if (status != OK)
            return status;
    }
    if (found)
        behind = record.last;
    anchor_record_clear(&record);
    pthread_mutex_lock(&events->lock);
    found =
        worker_chains_last(events->chains) > behind || (even_empty && !found);
    status = found ? draft(events, behind, &record, err) : OK;
    pthread_mutex_unlock(&events->lock);
    if (status == OK && found)
        status = hand_in(events, client, &record, err);
    anchor_record_clear(&record);
    return status == OK && found ? save_some(events, err) : status;
}

static enum status anchor(struct worker_events *events, struct client *client,
                          bool even_empty, struct error *err)
{
    enum status status;

    pthread_mutex_lock(&events->anchor);
    status = anchor_all(events, client, even_empty, err);
    pthread_mutex_unlock(&events->anchor);
    return status == OK ? OK
                        : error_wrap(err, "access events are not anchored");
}

enum status worker_events_anchor(struct worker_events *events,
                                 struct client *client, struct error *err)
{
    return anchor(events, client, false, err);
}

/* The last anchor, if it is in the log and covers all events.  `record` is to
 * be cleared in any case. */
static enum status find_covering(struct worker_events *events,
                                 struct anchor_record *record,
                                 struct error *err)
{
    bool found = false;
    enum status status =
        worker_store_last_anchor(events->settings.store, record, &found, err);

    if (status == OK && (!found || !record->done ||
                         record->last != worker_chains_last(events->chains)))
        status = error_set(err, E_NO, "the last event is not anchored");
    return status;
}

enum status worker_events_entry(struct worker_events *events,
                                struct digest *entry, struct error *err)
{
    struct anchor_record record;
    enum status status;

    pthread_mutex_lock(&events->lock);
    status = find_covering(events, &record, err);
    pthread_mutex_unlock(&events->lock);
    if (status == OK)
        status = digest_bytes(entry, text_bytes(&record.entry), err);
    anchor_record_clear(&record);
    return status;
}

/* ---- a history ---- */

static enum status take_event(void *context, const struct act_record *act,
                              struct error *err)
{
    return access_writer_event(context, act->text, err);
}

/* Under the lock. */
static enum status write_chain(struct worker_events *events,
                               struct access_writer *writer, const char *kind,
                               struct bytes id, struct error *err)
{
    struct access_handle handle;
    struct access_path path;
    enum status status;

    access_handle_make(handle_key(events), kind, id, &handle);
    worker_map_path(worker_chains_map(events->chains), &handle, &path);
    status = access_writer_chain(writer, kind, id, &path, err);
    if (status == OK)
        status = worker_chains_history(events->chains, &handle, take_event,
                                       writer, err);
    return status;
}

/* Whose history it is. */
struct topic {
    const char *kind;
    struct bytes id;
};

/* Under the lock: its chain, and if it is a subject's those of the releases
 * that it was opened for. */
static enum status write_chains(struct worker_events *events,
                                struct access_writer *writer,
                                const struct topic *topic, struct error *err)
{
    enum status status =
        write_chain(events, writer, topic->kind, topic->id, err);

    for (size_t i = 0; status == OK && i < access_writer_release_count(writer);
         i++) {
        char release[ACCESS_RELEASE_SIZE];

        access_writer_release(writer, i, release);
        status = write_chain(events, writer, ACCESS_RELEASE,
                             bytes_of_string(release), err);
    }
    return status;
}

/* As far as it is anchored: E_NO if it is not. */
static enum status write_snapshot(struct worker_events *events,
                                  struct access_writer *writer,
                                  struct anchor_record *record,
                                  const struct topic *topic, struct error *err)
{
    enum status status;

    pthread_mutex_lock(&events->lock);
    status = find_covering(events, record, err);
    if (status == OK)
        status = write_chains(events, writer, topic, err);
    pthread_mutex_unlock(&events->lock);
    return status;
}

/* What proves the map: entry, salt, statement. */
static enum status prove(struct worker_events *events, struct client *client,
                         struct access_writer *writer,
                         const struct anchor_record *record, struct error *err)
{
    struct commitment_salt salt;
    struct shown shown = {.position = 0};
    struct digest id;
    char hex[DIGEST_HEX_SIZE];
    struct text proof;
    enum status status = worker_secret_reveal(
        events->settings.secret, bytes_of(salt_tag, sizeof salt_tag),
        bytes_of(record->salt, sizeof record->salt), salt.byte,
        sizeof salt.byte, err);

    text_init(&proof);
    if (status == OK)
        status = digest_bytes(&id, text_bytes(&record->entry), err);
    if (status == OK) {
        digest_hex(&id, hex);
        status = shown_ask(&shown, client, hex, err);
    }
    if (status == OK)
        status = proof_ask(&shown, client, &proof, err);
    if (status == OK)
        status =
            access_writer_finish(writer, &salt, text_bytes(&record->statement),
                                 text_bytes(&proof), err);
    secret_wipe(&salt, sizeof salt);
    shown_clear(&shown);
    text_clear(&proof);
    return status;
}

static enum status try_history(struct worker_events *events,
                               struct client *client, const struct topic *topic,
                               struct text *out, struct error *err)
{
    struct access_writer *writer = NULL;
    struct anchor_record record;
    struct error why;
    enum status status = access_writer_create(&writer, handle_key(events), err);

    if (status != OK)
        return status;
    error_init(&why);
    status = anchor(events, client, true, &why);
    if (status == OK) {
        status = write_snapshot(events, writer, &record, topic, &why);
        /* E_NO of the snapshot: another event came; of a proof it is not. */
        if (status == OK && prove(events, client, writer, &record, &why) != OK)
            status = why.status == E_NO ? E_SYSTEM : why.status;
        anchor_record_clear(&record);
    }
    if (status == OK)
        status = access_writer_print(writer, out, &why);
    access_writer_destroy(&writer);
    if (status != OK) {
        *err = why;
        err->status = status;
    }
    return status;
}

static enum status write_history(struct worker_events *events,
                                 struct client *client,
                                 const struct topic *topic, struct text *out,
                                 struct error *err)
{
    enum status status = E_NO;
    struct error why;

    error_init(&why);
    for (int i = 0; i < HISTORY_TRIES && status == E_NO; i++)
        status = try_history(events, client, topic, out, &why);
    if (status == E_NO)
        status = error_set(&why, E_SYSTEM,
                           "events come faster than they are anchored");
    if (status != OK)
        *err = why;
    return status;
}

enum status worker_events_history(struct worker_events *events,
                                  struct client *client,
                                  const struct subject_id *subject,
                                  struct text *out, struct error *err)
{
    const struct topic topic = {ACCESS_SUBJECT,
                                bytes_of(subject->byte, SUBJECT_ID_SIZE)};

    return write_history(events, client, &topic, out, err);
}

enum status worker_events_denials(struct worker_events *events,
                                  struct client *client, const char *day,
                                  struct text *out, struct error *err)
{
    const struct topic topic = {ACCESS_DENIALS, bytes_of_string(day)};

    return write_history(events, client, &topic, out, err);
}
