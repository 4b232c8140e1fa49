#include "cli/permit_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "broker/permit_audit.h"
#include "broker/ports.h"
#include "cli/command.h"
#include "common/clock.h"
#include "common/encoding.h"
#include "common/proof.h"

/* So often, and after such a pause, is asked whether the log is anchored. */
#define ANCHORED_TRIES 60
#define ANCHORED_PAUSE_MS 50

/* All that an audit borrows. */
struct evidence {
    struct session session;
    struct trust *trust;
    struct genesis *genesis;
    struct broker_store *store;
    struct network broker;
    struct digest permit;
    struct ledger_port ledger;
    struct trusted_checkpoint checkpoint;
    bool has_checkpoint;
    struct error untrusted; /* why a node's was none */
};

static enum status path_of(const struct permit_check *check, const char *said,
                           const char *usual, struct text *path,
                           struct error *err)
{
    text_reset(path);
    return said != NULL ? text_append_string(path, said, err)
                        : network_path(check->session.folder, usual, path, err);
}

/* Of what several nodes have the newest.  One that proves nothing does not
 * stand in the way of the others. */
static enum status take_checkpoint(void *context, const struct message *answer,
                                   struct error *err)
{
    struct evidence *evidence = context;
    struct trusted_checkpoint trusted;
    struct error why;

    error_init(&why);
    if (trust_check_note(evidence->trust, message_bytes(answer, ANCHORED_NOTE),
                         &trusted, &why) != OK) {
        evidence->untrusted = why;
        if (why.status != E_MEMORY)
            return OK;
        *err = why;
        return E_MEMORY;
    }
    if (trusted.checkpoint.size >= evidence->checkpoint.checkpoint.size)
        evidence->checkpoint = trusted;
    evidence->has_checkpoint = true;
    return OK;
}

/* The newest that the nodes have signed, by those whom the auditor trusts. */
static enum status ask_checkpoint(struct evidence *evidence, struct error *err)
{
    struct message request;
    enum status status;

    question_init(&request, MESSAGE_CHECKPOINT);
    status = client_ask_most(evidence->session.client, &request,
                             MESSAGE_ANCHORED, take_checkpoint, evidence, err);
    if (status != OK || evidence->has_checkpoint)
        return status;
    *err = evidence->untrusted;
    return err->status;
}

/* What is in the log by now has to be looked at, too: where a quorum cosigns it
 * soon is anchored. */
static enum status await_checkpoint(struct evidence *evidence,
                                    struct error *err)
{
    const struct timespec pause = {0, ANCHORED_PAUSE_MS * 1000000L};
    uint64_t size;
    enum status status =
        evidence->ledger.size(evidence->ledger.context, &size, err);

    for (int i = 0; status == OK && i < ANCHORED_TRIES; i++) {
        if (i > 0)
            nanosleep(&pause, NULL);
        status = ask_checkpoint(evidence, err);
        if (status == OK && evidence->checkpoint.checkpoint.size >= size)
            return OK;
    }
    return status != OK
               ? status
               : error_set(err, E_SYSTEM,
                           "the log has %ju entries, and the nodes have "
                           "cosigned %ju of them",
                           (uintmax_t)size,
                           (uintmax_t)evidence->checkpoint.checkpoint.size);
}

static enum status open_database(struct evidence *evidence, const char *path,
                                 struct error *err)
{
    enum status status = broker_store_open_to_read(
        &evidence->store, path, &evidence->genesis->digest, err);

    return status == OK ? OK
                        : error_wrap(err, "the broker's database (--database)");
}

static enum status evidence_open(struct evidence *evidence,
                                 const struct permit_check *check,
                                 struct error *err)
{
    struct text path;
    enum status status = session_open_with(&evidence->session, &check->session,
                                           IDENTITY_AUDITOR, err);

    text_init(&path);
    if (status == OK)
        status = network_service(evidence->session.network, check->organisation,
                                 IDENTITY_BROKER, &evidence->broker, err);
    if (status == OK)
        status = path_of(check, check->trust, "trust.json", &path, err);
    if (status == OK)
        status = trust_load(&evidence->trust, path.data, err);
    if (status == OK)
        status = path_of(check, NULL, "genesis.json", &path, err);
    if (status == OK)
        status = genesis_load(&evidence->genesis, path.data, err);
    if (status == OK)
        status = path_of(check, check->database, "broker/state.db", &path, err);
    if (status == OK)
        status = open_database(evidence, path.data, err);
    if (status == OK) {
        evidence->ledger = ports_ledger(evidence->session.client);
        status = await_checkpoint(evidence, err);
    }
    text_clear(&path);
    return status;
}

static void evidence_close(struct evidence *evidence)
{
    broker_store_close(&evidence->store);
    genesis_destroy(&evidence->genesis);
    trust_destroy(&evidence->trust);
    session_close(&evidence->session);
}

static enum status add_number(struct json_value *root, const char *key,
                              uint64_t number, struct error *err)
{
    return number == PERMIT_AUDIT_NONE
               ? OK
               : json_add_integer(root, key, (int64_t)number, err);
}

static enum status print_json(const struct permit_audit_result *result,
                              struct error *err)
{
    char id[DIGEST_HEX_SIZE];
    struct json *json = NULL;
    struct json_value *root;
    enum status status = json_create(&json, err);

    if (status != OK)
        return status;
    digest_hex(&result->permit, id);
    root = json_edit_root(json);
    status = json_add_boolean(root, "good", result->good, err);
    if (status == OK)
        status = add_number(root, "entries", result->entries, err);
    if (status == OK)
        status = add_number(root, "permits", result->permits, err);
    if (status == OK)
        status = add_number(root, "subjects", result->subjects, err);
    if (status == OK && !result->good)
        status = json_add_string(root, "finding", result->finding, err);
    if (status == OK && !result->good)
        status = json_add_string(root, "permit", id, err);
    if (status == OK)
        status =
            add_number(root, "permit_position", result->permit_position, err);
    if (status == OK)
        status = add_number(root, "index", result->index, err);
    if (status == OK)
        status = add_number(root, "position", result->position, err);
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

static enum status print_text(const struct permit_audit_result *result,
                              struct error *err)
{
    char id[DIGEST_HEX_SIZE];

    if (result->good) {
        printf(
            "%" PRIu64 " permits for %" PRIu64
            " subjects: each rests on a consent that is in the log of %" PRIu64
            " entries\n",
            result->permits, result->subjects, result->entries);
        return command_finish_output(err);
    }
    digest_hex(&result->permit, id);
    printf("permit    %s\nposition  %" PRIu64 "\nwrong     ", id,
           result->permit_position);
    command_print_harmless(stdout, result->finding);
    putchar('\n');
    return command_finish_output(err);
}

enum status permit_check_run(const struct permit_check *check, bool *good,
                             struct error *err)
{
    struct evidence evidence = {.trust = NULL};
    struct permit_audit_options options = {.now_ms = (int64_t)clock_now_ms()};
    struct permit_audit_result result;
    enum status status;

    if (check->permit != NULL) {
        if (!hex_decode(bytes_of_string(check->permit), evidence.permit.byte,
                        DIGEST_SIZE))
            return error_set(err, E_USAGE,
                             "expected a permit's id, 64 lower-case hex "
                             "digits, not %zu characters; without one all "
                             "permits are looked at",
                             strlen(check->permit));
        options.permit = &evidence.permit;
    }
    status = evidence_open(&evidence, check, err);
    if (status == OK) {
        options.source = (struct testimony_source){
            .ledger = &evidence.ledger,
            .store = evidence.store,
            .genesis = evidence.genesis,
            .organisation = evidence.broker.node[0].organisation,
            .size = evidence.checkpoint.checkpoint.size,
            .root = evidence.checkpoint.checkpoint.root};
        status = permit_audit_run(&result, &options, err);
    }
    if (status == OK)
        status =
            check->json ? print_json(&result, err) : print_text(&result, err);
    *good = status == OK && result.good;
    evidence_close(&evidence);
    return status;
}
