#include "tests/lib/fake_ledger.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "common/bus.h"
#include "common/clock.h"
#include "common/encoding.h"

struct fact {
    char key[64];
    struct text entry, signatures;
    enum entry_verdict verdict;
};

struct fake_ledger {
    struct network *network;
    struct network_user node, author;
    uv_loop_t loop;
    uv_async_t ending;
    struct bus *bus; /* of the thread */
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    struct fact fact[FAKE_LEDGER_ENTRIES_MAX];
    size_t count, hidden; /* the last ones, which it does not have yet */
    unsigned asked;
    bool is_silent, forgets, is_shut;
};

static void demand(enum status status, const struct error *err)
{
    if (status == OK)
        return;
    fprintf(stderr, "\nfake ledger: %s\n", err->text);
    abort();
}

/* ---- answers, on its thread ---- */

/* The answer borrows the words. */
static void answer_no(struct message *answer, const struct message *request)
{
    static const struct error why = {E_NO, "there is none"};

    message_fail(answer, request->request_id, &why, false, "");
}

/* Positions go to `memory`, which the answer borrows. */
static void answer_history(struct fake_ledger *ledger,
                           const struct message *request,
                           struct message *answer, uint8_t *memory)
{
    struct bytes key = message_bytes(request, HISTORY_KEY);
    size_t count = 0;

    ledger->asked++;
    for (size_t i = 0; i < ledger->count - ledger->hidden; i++)
        if (bytes_equal_string(key, ledger->fact[i].key))
            put_be64(memory + 8 * count++, i);
    if (count == 0) {
        answer_no(answer, request);
        return;
    }
    message_init(answer, MESSAGE_POSITIONS, request->request_id);
    message_set_bytes(answer, POSITIONS_POSITIONS, bytes_of(memory, 8 * count));
    message_set_number(answer, POSITIONS_MORE, 0);
}

/* Where it is; behind all others if nowhere. */
static uint64_t position_of(const struct fake_ledger *ledger, struct bytes id)
{
    uint64_t at = 0;

    for (; at < ledger->count; at++) {
        struct digest own;
        struct error err;

        error_init(&err);
        demand(digest_bytes(&own, text_bytes(&ledger->fact[at].entry), &err),
               &err);
        if (bytes_equal(id, bytes_of(own.byte, DIGEST_SIZE)))
            break;
    }
    return at;
}

static void answer_shown(struct fake_ledger *ledger,
                         const struct message *request, struct message *answer)
{
    uint64_t position =
        request->type == MESSAGE_FIND
            ? message_number(request, FIND_POSITION)
            : position_of(ledger, message_bytes(request, SHOW_ID));
    const struct fact *fact;

    if (position >= ledger->count - ledger->hidden || ledger->forgets) {
        answer_no(answer, request);
        return;
    }
    fact = &ledger->fact[position];
    message_init(answer, MESSAGE_SHOWN, request->request_id);
    message_set_number(answer, SHOWN_POSITION, position);
    message_set_number(answer, SHOWN_BLOCK, position);
    message_set_number(answer, SHOWN_VERDICT, (uint64_t)fact->verdict);
    message_set_bytes(answer, SHOWN_ENTRY, text_bytes(&fact->entry));
    message_set_bytes(answer, SHOWN_SIGNATURES, text_bytes(&fact->signatures));
}

static void answer_status(const struct fake_ledger *ledger,
                          const struct message *request, struct message *answer)
{
    static const uint8_t root[DIGEST_SIZE];
    uint64_t size = ledger->count - ledger->hidden;

    message_init(answer, MESSAGE_STATE, request->request_id);
    message_set_string(answer, STATE_ROLE, "follower");
    message_set_string(answer, STATE_LEADER, "");
    message_set_number(answer, STATE_TERM, 1);
    message_set_number(answer, STATE_SIZE, size);
    message_set_number(answer, STATE_BLOCK, size);
    message_set_bytes(answer, STATE_ROOT, bytes_of(root, sizeof root));
    message_set_number(answer, STATE_ANCHORED, size);
    message_set_number(answer, STATE_BEHIND, 0);
}

static void on_question(struct bus *bus, const struct bus_sender *sender,
                        const struct message *request, void *context)
{
    struct fake_ledger *ledger = context;
    uint8_t memory[8 * FAKE_LEDGER_ENTRIES_MAX];
    struct message answer;
    struct error err;

    error_init(&err);
    pthread_mutex_lock(&ledger->lock);
    if (request->type == MESSAGE_HISTORY)
        answer_history(ledger, request, &answer, memory);
    else if (request->type == MESSAGE_STATUS)
        answer_status(ledger, request, &answer);
    else
        answer_shown(ledger, request, &answer);
    /* Whoever asked may have gone. */
    if (!ledger->is_silent &&
        bus_send(bus, sender->peer, &answer, &err) == E_LIMIT)
        demand(err.status, &err);
    pthread_mutex_unlock(&ledger->lock);
}

static enum status admit(const struct certificate *certificate,
                         const char *service, void *context, struct error *err)
{
    struct fake_ledger *ledger = context;
    bool is_shut;

    (void)certificate;
    (void)service;
    pthread_mutex_lock(&ledger->lock);
    is_shut = ledger->is_shut;
    pthread_mutex_unlock(&ledger->lock);
    return is_shut ? error_set(err, E_REFUSED, "you are nobody") : OK;
}

static void *run(void *argument)
{
    struct fake_ledger *ledger = argument;

    uv_run(&ledger->loop, UV_RUN_DEFAULT);
    return NULL;
}

static void on_ending(uv_async_t *ending)
{
    struct fake_ledger *ledger = ending->data;

    bus_close(&ledger->bus);
    uv_close((uv_handle_t *)ending, NULL);
}

/* ---- from the test's thread ---- */

static void load_node(struct fake_ledger *ledger, const char *folder,
                      unsigned number)
{
    struct network_user *node = &ledger->node;
    char path[512];
    struct error err;

    error_init(&err);
    snprintf(path, sizeof path, "%s/node%u/certificate.pem", folder, number);
    demand(certificate_load(&node->certificate, path, &err), &err);
    snprintf(path, sizeof path, "%s/node%u/key.pem", folder, number);
    demand(private_key_load(&node->key, path, &err), &err);
    snprintf(path, sizeof path, "%s/node%u/curve.key", folder, number);
    demand(curve_pair_load(&node->pair, path, &err), &err);
}

void fake_ledger_open(struct fake_ledger **out, const char *folder)
{
    fake_ledger_open_node(out, folder, 1);
}

void fake_ledger_open_node(struct fake_ledger **out, const char *folder,
                           unsigned number)
{
    struct fake_ledger *ledger = calloc(1, sizeof *ledger);
    char actual[ENDPOINT_SIZE_MAX];
    struct bus_settings settings;
    struct error err;

    error_init(&err);
    if (ledger == NULL || uv_loop_init(&ledger->loop) != 0 ||
        pthread_mutex_init(&ledger->lock, NULL) != 0 ||
        uv_async_init(&ledger->loop, &ledger->ending, on_ending) != 0)
        abort();
    ledger->ending.data = ledger;
    demand(network_load(&ledger->network, folder, &err), &err);
    demand(network_user_load(&ledger->author, folder, "north.hospital-manager",
                             &err),
           &err);
    load_node(ledger, folder, number);
    settings =
        (struct bus_settings){.loop = &ledger->loop,
                              .service = ledger->network->node[number - 1].name,
                              .pair = &ledger->node.pair,
                              .certificate = ledger->node.certificate,
                              .key = ledger->node.key,
                              .admit = admit,
                              .context = ledger};
    demand(bus_open(&ledger->bus, &settings, &err), &err);
    bus_handle(ledger->bus, MESSAGE_HISTORY, on_question, ledger);
    bus_handle(ledger->bus, MESSAGE_FIND, on_question, ledger);
    bus_handle(ledger->bus, MESSAGE_SHOW, on_question, ledger);
    bus_handle(ledger->bus, MESSAGE_STATUS, on_question, ledger);
    demand(bus_listen(ledger->bus, ledger->network->node[number - 1].endpoint,
                      actual, &err),
           &err);
    if (pthread_create(&ledger->thread, NULL, run, ledger) != 0)
        abort();
    *out = ledger;
}

void fake_ledger_close(struct fake_ledger **handle)
{
    struct fake_ledger *ledger = *handle;

    if (ledger == NULL)
        return;
    uv_async_send(&ledger->ending);
    pthread_join(ledger->thread, NULL);
    if (uv_loop_close(&ledger->loop) != 0)
        abort();
    for (size_t i = 0; i < ledger->count; i++) {
        text_clear(&ledger->fact[i].entry);
        text_clear(&ledger->fact[i].signatures);
    }
    pthread_mutex_destroy(&ledger->lock);
    network_user_clear(&ledger->author);
    network_user_clear(&ledger->node);
    network_destroy(&ledger->network);
    free(ledger);
    *handle = NULL;
}

/* Entry and signature, as somebody who may would make them. */
static void make_fact(const struct fake_ledger *ledger, struct fact *fact,
                      const struct fake_entry *entry)
{
    const char *author = certificate_id(ledger->author.certificate);
    uint8_t nonce[ENTRY_NONCE_SIZE] = {0};
    struct entry_signature signature;
    struct entry_draft draft = {.type = entry->type,
                                .origin = entry->origin != NULL
                                              ? entry->origin
                                              : ledger->network->origin,
                                .channel = ledger->network->channel,
                                .author = author,
                                .nonce = nonce};
    struct json *json = NULL;
    struct error err;

    error_init(&err);
    put_be64(nonce, ledger->count);
    demand(json_parse(&json, bytes_of_string(entry->payload), &err), &err);
    draft.payload = json_root(json);
    text_init(&fact->entry);
    text_init(&fact->signatures);
    demand(entry_write(&draft, &fact->entry, &err), &err);
    demand(entry_sign(text_bytes(&fact->entry), author, ledger->author.key,
                      &signature, &err),
           &err);
    demand(entry_write_signatures(&signature, 1, &fact->signatures, &err),
           &err);
    fact->verdict = entry->verdict;
    json_destroy(&json);
}

void fake_ledger_write(struct fake_ledger *ledger, const char *id,
                       const struct fake_entry *entry)
{
    struct fact *fact;

    pthread_mutex_lock(&ledger->lock);
    if (ledger->count == FAKE_LEDGER_ENTRIES_MAX)
        abort();
    fact = &ledger->fact[ledger->count];
    make_fact(ledger, fact, entry);
    snprintf(fact->key, sizeof fact->key, "certificate/%s", id);
    ledger->count++;
    pthread_mutex_unlock(&ledger->lock);
}

void fake_ledger_enrol(struct fake_ledger *ledger,
                       const struct certificate *certificate)
{
    struct json *json = NULL;
    struct text pem, payload;
    struct error err;

    error_init(&err);
    text_init(&pem);
    text_init(&payload);
    demand(certificate_append_pem(certificate, &pem, &err), &err);
    demand(json_create(&json, &err), &err);
    demand(json_add_string(json_edit_root(json), "certificate", pem.data, &err),
           &err);
    demand(json_print_canonical(json_root(json), &payload, &err), &err);
    fake_ledger_write(
        ledger, certificate_id(certificate),
        &(struct fake_entry){.type = ENTRY_ENROL, .payload = payload.data});
    json_destroy(&json);
    text_clear(&payload);
    text_clear(&pem);
}

void fake_ledger_revoke(struct fake_ledger *ledger, const char *id)
{
    char payload[128];

    snprintf(payload, sizeof payload,
             "{\"certificate\": \"%s\", \"reason\": \"lost\"}", id);
    fake_ledger_write(
        ledger, id,
        &(struct fake_entry){.type = ENTRY_REVOKE, .payload = payload});
}

void fake_ledger_hush(struct fake_ledger *ledger, bool silent)
{
    pthread_mutex_lock(&ledger->lock);
    ledger->is_silent = silent;
    pthread_mutex_unlock(&ledger->lock);
}

void fake_ledger_hide(struct fake_ledger *ledger, size_t hidden)
{
    pthread_mutex_lock(&ledger->lock);
    ledger->hidden = hidden;
    pthread_mutex_unlock(&ledger->lock);
}

void fake_ledger_forget(struct fake_ledger *ledger, bool forgets)
{
    pthread_mutex_lock(&ledger->lock);
    ledger->forgets = forgets;
    pthread_mutex_unlock(&ledger->lock);
}

void fake_ledger_shut(struct fake_ledger *ledger, bool is_shut)
{
    pthread_mutex_lock(&ledger->lock);
    ledger->is_shut = is_shut;
    pthread_mutex_unlock(&ledger->lock);
}

unsigned fake_ledger_asked(struct fake_ledger *ledger)
{
    unsigned asked;

    pthread_mutex_lock(&ledger->lock);
    asked = ledger->asked;
    pthread_mutex_unlock(&ledger->lock);
    return asked;
}

void fake_ledger_newcomer(struct network_user *user, const char *folder,
                          const char *organisation, enum identity_role role)
{
    struct certificate_subject subject = {.name = "newcomer", .role = role};
    int64_t now_ms = (int64_t)clock_now_ms();
    struct certificate_terms terms = {&subject, now_ms - 1000,
                                      now_ms + INT64_C(3600000)};
    struct certificate *authority = NULL;
    struct private_key *authority_key = NULL;
    struct public_key *key = NULL;
    char path[512];
    struct error err;

    error_init(&err);
    snprintf(subject.organisation, sizeof subject.organisation, "%s",
             organisation);
    snprintf(path, sizeof path, "%s/ca/%s/certificate.pem", folder,
             organisation);
    demand(certificate_load(&authority, path, &err), &err);
    snprintf(path, sizeof path, "%s/ca/%s/key.pem", folder, organisation);
    demand(private_key_load(&authority_key, path, &err), &err);
    demand(private_key_generate(&user->key, KEY_P256, &err), &err);
    demand(private_key_public(user->key, &key, &err), &err);
    demand(certificate_issue(&user->certificate, key, &terms, authority,
                             authority_key, &err),
           &err);
    demand(curve_pair_generate(&user->pair, &err), &err);
    public_key_destroy(&key);
    private_key_destroy(&authority_key);
    certificate_destroy(&authority);
}
