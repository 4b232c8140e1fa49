#include "cli/entry_maker.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/encoding.h"
#include "common/entry.h"
#include "common/json.h"
#include "common/sign.h"

/* How often maker_wait looks at the cancel flag. */
#define LOOK_MS 50

struct maker {
    struct maker_options options;

    /* An entry with these two at fixed places, both in hex: its other bytes are
     * the same in all of them. */
    struct text pattern;
    size_t nonce_at, commitment_at;

    pthread_t thread[THREADS_MAX];
    unsigned thread_count;

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t room, news;
    struct made_entry *first, *last;
    size_t ready;
    size_t begun;   /* by a thread, not ready yet */
    uint64_t to_go; /* not begun */
    bool stopped;
    struct error failed; /* of the first thread that did */
};

/* ---- the pattern ---- */

static enum status write_pattern(struct maker *maker, struct json *payload,
                                 struct error *err)
{
    static const uint8_t nonce[ENTRY_NONCE_SIZE];
    char commitment[DIGEST_HEX_SIZE];
    const struct network *network = maker->options.network;
    struct entry_draft draft = {
        .type = ENTRY_DATASET,
        .origin = network->origin,
        .channel = network->channel,
        .author = certificate_id(maker->options.user->certificate),
        .nonce = nonce,
        .payload = json_root(payload)};
    enum status status;

    memset(commitment, '0', sizeof commitment - 1);
    commitment[sizeof commitment - 1] = '\0';
    status =
        json_add_string(json_edit_root(payload), "commitment", commitment, err);
    if (status == OK)
        status = entry_write(&draft, &maker->pattern, err);
    return status;
}

/* Where the value of a member with this key begins: names of a network hold no
 * quote, so that the first place is the right one. */
static size_t value_at(const struct text *pattern, const char *key)
{
    const char *at = strstr(pattern->data, key);

    assert(at != NULL);
    return (size_t)(at - pattern->data) + strlen(key);
}

static enum status make_pattern(struct maker *maker, struct error *err)
{
    struct json *payload = NULL;
    enum status status = json_create(&payload, err);

    if (status == OK)
        status = write_pattern(maker, payload, err);
    if (status == OK) {
        maker->nonce_at = value_at(&maker->pattern, "\"nonce\":\"");
        maker->commitment_at = value_at(&maker->pattern, "\"commitment\":\"");
    }
    json_destroy(&payload);
    return status;
}

/* ---- one entry ---- */

static enum status write_entry(const struct maker *maker, struct text *entry,
                               struct error *err)
{
    uint8_t random[ENTRY_NONCE_SIZE + DIGEST_SIZE];
    char hex[2 * sizeof random + 1];
    enum status status = random_secret(random, sizeof random, err);

    if (status == OK)
        status =
            text_append(entry, maker->pattern.data, maker->pattern.size, err);
    if (status != OK)
        return status;
    hex_encode(bytes_of(random, sizeof random), hex);
    memcpy(entry->data + maker->nonce_at, hex, 2 * (size_t)ENTRY_NONCE_SIZE);
    memcpy(entry->data + maker->commitment_at,
           hex + 2 * (size_t)ENTRY_NONCE_SIZE, 2 * (size_t)DIGEST_SIZE);
    return OK;
}

static enum status wrap_up(const struct text *entry,
                           const struct text *signatures,
                           struct made_entry **out, struct error *err)
{
    struct made_entry *made =
        malloc(sizeof *made + entry->size + signatures->size);
    enum status status;

    if (made == NULL)
        return error_memory(err, "an entry");
    made->next = NULL;
    made->entry_size = entry->size;
    made->signatures_size = signatures->size;
    memcpy(made->bytes, entry->data, entry->size);
    memcpy(made->bytes + entry->size, signatures->data, signatures->size);
    status = digest_bytes(&made->id, made_entry_bytes(made), err);
    if (status != OK) {
        free(made);
        return status;
    }
    *out = made;
    return OK;
}

static enum status make(const struct maker *maker, struct made_entry **made,
                        struct error *err)
{
    const struct network_user *user = maker->options.user;
    struct entry_signature signature;
    struct text entry, signatures;
    enum status status;

    text_init(&entry);
    text_init(&signatures);
    status = write_entry(maker, &entry, err);
    if (status == OK)
        status =
            entry_sign(text_bytes(&entry), certificate_id(user->certificate),
                       user->key, &signature, err);
    if (status == OK)
        status = entry_write_signatures(&signature, 1, &signatures, err);
    if (status == OK)
        status = wrap_up(&entry, &signatures, made, err);
    text_clear(&signatures);
    text_clear(&entry);
    return status;
}

/* ---- the threads ---- */

static bool may_begin(const struct maker *maker)
{
    return maker->ready + maker->begun < maker->options.ready_max;
}

static void put_in(struct maker *maker, struct made_entry *made)
{
    if (maker->last != NULL)
        maker->last->next = made;
    else
        maker->first = made;
    maker->last = made;
    maker->ready++;
}

static void *work(void *context)
{
    struct maker *maker = context;

    pthread_mutex_lock(&maker->lock);
    while (!maker->stopped && maker->to_go > 0) {
        struct made_entry *made = NULL;
        struct error err;
        enum status status;

        if (!may_begin(maker)) {
            pthread_cond_wait(&maker->room, &maker->lock);
            continue;
        }
        maker->to_go--;
        maker->begun++;
        pthread_mutex_unlock(&maker->lock);
        status = make(maker, &made, &err);
        pthread_mutex_lock(&maker->lock);
        maker->begun--;
        if (status == OK) {
            put_in(maker, made);
        } else {
            maker->stopped = true;
            maker->failed = err;
        }
        if (!may_begin(maker) || maker->to_go == 0 || maker->stopped)
            pthread_cond_signal(&maker->news);
    }
    pthread_mutex_unlock(&maker->lock);
    return NULL;
}

static enum status start_threads(struct maker *maker, struct error *err)
{
    for (unsigned i = 0; i < maker->options.threads; i++) {
        int result = pthread_create(&maker->thread[i], NULL, work, maker);

        if (result != 0)
            return error_set_errno(err, E_SYSTEM, result, "a signing thread");
        maker->thread_count++;
    }
    return OK;
}

/* ---- for who sends ---- */

enum status maker_create(struct maker **out,
                         const struct maker_options *options, struct error *err)
{
    struct maker *maker = calloc(1, sizeof *maker);
    enum status status;

    assert(options->threads > 0 && options->threads <= THREADS_MAX);
    assert(options->ready_max > 0);
    *out = NULL;
    if (maker == NULL)
        return error_memory(err, "the signing threads");
    maker->options = *options;
    maker->to_go = options->count;
    text_init(&maker->pattern);
    error_init(&maker->failed);
    pthread_mutex_init(&maker->lock, NULL);
    pthread_cond_init(&maker->room, NULL);
    pthread_cond_init(&maker->news, NULL);
    status = make_pattern(maker, err);
    if (status == OK)
        status = start_threads(maker, err);
    if (status != OK)
        maker_destroy(&maker);
    *out = maker;
    return status;
}

void maker_destroy(struct maker **handle)
{
    struct maker *maker = *handle;

    if (maker == NULL)
        return;
    pthread_mutex_lock(&maker->lock);
    maker->stopped = true;
    pthread_cond_broadcast(&maker->room);
    pthread_mutex_unlock(&maker->lock);
    for (unsigned i = 0; i < maker->thread_count; i++)
        pthread_join(maker->thread[i], NULL);
    while (maker->first != NULL) {
        struct made_entry *next = maker->first->next;

        free(maker->first);
        maker->first = next;
    }
    pthread_cond_destroy(&maker->news);
    pthread_cond_destroy(&maker->room);
    pthread_mutex_destroy(&maker->lock);
    text_clear(&maker->pattern);
    free(maker);
    *handle = NULL;
}

static bool is_ready(const struct maker *maker)
{
    return maker->begun == 0 && (maker->to_go == 0 || !may_begin(maker));
}

enum status maker_wait(struct maker *maker, const atomic_bool *cancel,
                       struct error *err)
{
    enum status status = OK;

    pthread_mutex_lock(&maker->lock);
    while (status == OK && !is_ready(maker)) {
        struct timespec until;

        if (maker->failed.status != OK) {
            *err = maker->failed;
            status = err->status;
        } else if (atomic_load(cancel)) {
            status = error_set(err, E_CANCELLED, "interrupted");
        } else {
            clock_gettime(CLOCK_REALTIME, &until);
            until.tv_nsec += LOOK_MS * 1000000L;
            until.tv_sec += until.tv_nsec / 1000000000L;
            until.tv_nsec %= 1000000000L;
            pthread_cond_timedwait(&maker->news, &maker->lock, &until);
        }
    }
    pthread_mutex_unlock(&maker->lock);
    return status;
}

enum status maker_take(struct maker *maker, struct made_entry **made,
                       struct error *err)
{
    enum status status = OK;

    pthread_mutex_lock(&maker->lock);
    *made = maker->first;
    if (*made != NULL) {
        maker->first = (*made)->next;
        if (maker->first == NULL)
            maker->last = NULL;
        maker->ready--;
        pthread_cond_signal(&maker->room);
    } else if (maker->failed.status != OK) {
        *err = maker->failed;
        status = err->status;
    }
    pthread_mutex_unlock(&maker->lock);
    return status;
}
