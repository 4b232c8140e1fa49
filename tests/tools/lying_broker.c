/*
 * tests/tools/lying_broker.c - for end-to-end tests: a broker that permits a
 * subject who never consented.
 *
 *     lying_broker DIR REQUEST
 *         a permit for an approved request of the network in DIR, whose broker
 *         is stopped: everybody of the list of its first permit, and one more,
 *         at the position of the first one's consent; signed by the broker's
 *         key, handed in, and stored as the broker does; says its id
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/session.h"
#include "common/clock.h"
#include "common/encoding.h"
#include "common/genesis.h"
#include "common/ledger_questions.h"
#include "common/permitted.h"
#include "tests/lib/forged_permit.h"

#define TIMEOUT_MS 10000
#define HOUR_MS 3600000

static struct error err;

static void demand(enum status status)
{
    if (status == OK)
        return;
    fprintf(stderr, "lying_broker: %s\n", err.text);
    exit(status_exit_code(err.status));
}

/* Which permit is the first the store does not tell by its own statements. */
static struct digest first_permit(const char *path)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *find = NULL;
    struct digest id;

    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "SELECT id FROM permit ORDER BY rowid LIMIT 1",
                           -1, &find, NULL) != SQLITE_OK ||
        sqlite3_step(find) != SQLITE_ROW ||
        sqlite3_column_bytes(find, 0) != DIGEST_SIZE)
        demand(error_set(&err, E_INPUT, "%s: there is no permit", path));
    memcpy(id.byte, sqlite3_column_blob(find, 0), DIGEST_SIZE);
    sqlite3_finalize(find);
    sqlite3_close(db);
    return id;
}

/* The first subject's id plus one: nobody's. */
static void add_somebody(struct text *list)
{
    struct permitted item = permitted_item(text_bytes(list), 0);
    uint8_t bytes[PERMITTED_ITEM_SIZE];
    struct text more;

    text_init(&more);
    item.subject.byte[SUBJECT_ID_SIZE - 1] ^= 1;
    permitted_encode(&item, bytes);
    if (memcmp(bytes, list->data, SUBJECT_ID_SIZE) < 0) {
        demand(text_append(&more, bytes, sizeof bytes, &err));
        demand(text_append(&more, list->data, list->size, &err));
    } else {
        demand(text_append(&more, list->data, PERMITTED_ITEM_SIZE, &err));
        demand(text_append(&more, bytes, sizeof bytes, &err));
        demand(text_append(&more, list->data + PERMITTED_ITEM_SIZE,
                           list->size - PERMITTED_ITEM_SIZE, &err));
    }
    text_clear(list);
    *list = more;
}

static void hand_in(struct broker_store *store, const struct session *session,
                    const struct permit_record *permit,
                    const struct own_entry *own)
{
    char hex[DIGEST_HEX_SIZE];
    struct receipt receipt;

    demand(receipt_ask(&receipt, session->client, text_bytes(&own->bytes),
                       text_bytes(&own->signatures), &err));
    if (receipt.verdict != VERDICT_VALID)
        demand(error_set(&err, E_NO, "the nodes find it %s",
                         entry_verdict_name(receipt.verdict)));
    demand(broker_store_begin(store, &err));
    demand(broker_store_add_permit(store, permit, &err));
    demand(broker_store_add_own(store, own, bytes_of(NULL, 0), &err));
    demand(broker_store_settle(store, &own->id, receipt.position,
                               receipt.verdict, &err));
    demand(broker_store_commit(store, &err));
    digest_hex(&own->id, hex);
    puts(hex);
}

/* As it is approved in the log, and, since the broker is stopped, maybe not in
 * its store. */
static void lie(const char *folder, const struct digest *request)
{
    struct request_record asked;
    struct answer_record approval;
    struct permit_record permit;
    struct own_entry own;
    struct session session;
    struct genesis *genesis = NULL;
    struct broker_store *store = NULL;
    struct text path, list;
    struct digest first;
    bool found = false, fresh;
    struct forged_permit forged = {.request = &asked,
                                   .approval = &approval.id,
                                   .expires_ms = clock_now_ms() + HOUR_MS};

    text_init(&path);
    text_init(&list);
    request_record_init(&asked);
    permit_record_init(&permit);
    own_entry_init(&own);
    demand(session_open(&session, folder, "north.broker", TIMEOUT_MS, &err));
    demand(network_path(folder, "genesis.json", &path, &err));
    demand(genesis_load(&genesis, path.data, &err));
    text_reset(&path);
    demand(network_path(folder, "broker/state.db", &path, &err));
    first = first_permit(path.data);
    demand(
        broker_store_open(&store, path.data, &genesis->digest, &fresh, &err));
    demand(broker_store_find_request(store, request, &asked, &found, &err));
    if (found)
        demand(
            broker_store_find_answer(store, request, &approval, &found, &err));
    if (!found)
        demand(error_set(&err, E_INPUT, "the request is not approved"));
    demand(broker_store_permit_list(store, &first, &list, &err));
    add_somebody(&list);
    forged.list = text_bytes(&list);
    forged.count = list.size / PERMITTED_ITEM_SIZE;
    demand(broker_store_number(store, BROKER_CURSOR, &forged.size, &err));
    demand(forged_permit_make(
        &forged,
        &(struct own_author){.origin = genesis->origin,
                             .channel = genesis->channel,
                             .certificate = session.user.certificate,
                             .key = session.user.key},
        &permit, &own, &err));
    hand_in(store, &session, &permit, &own);
    own_entry_clear(&own);
    permit_record_clear(&permit);
    request_record_clear(&asked);
    broker_store_close(&store);
    genesis_destroy(&genesis);
    session_close(&session);
    text_clear(&list);
    text_clear(&path);
}

int main(int argc, char **argv)
{
    struct digest request;

    error_init(&err);
    if (argc != 3 ||
        !hex_decode(bytes_of_string(argv[2]), request.byte, DIGEST_SIZE)) {
        fputs("usage: lying_broker DIR REQUEST\n", stderr);
        return status_exit_code(E_USAGE);
    }
    lie(argv[1], &request);
    return status_exit_code(OK);
}
