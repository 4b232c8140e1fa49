#include "tests/lib/broker_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/consent_batch.h"
#include "broker/follower.h"
#include "broker/reception.h"
#include "broker/withdrawal.h"
#include "common/encoding.h"
#include "common/log.h"

static void demand(enum status status, const struct error *err)
{
    if (status != OK) {
        fprintf(stderr, "broker_world: %s\n", err->text);
        abort();
    }
}

/* ---- the log ---- */

static enum status size_of(void *context, uint64_t *size, struct error *err)
{
    const struct broker_world *world = context;

    (void)err;
    *size = log_world_size(world->log);
    *size = *size < world->hidden + world->unsaid
                ? 0
                : *size - world->hidden - world->unsaid;
    return OK;
}

/* An answer's memory holds entry and signatures, as a node's does. */
static enum status show(void *context, const char *which, struct shown *shown,
                        struct error *err)
{
    struct broker_world *world = context;
    struct log_item item;
    struct digest id;
    bool by_id = hex_decode(bytes_of_string(which), id.byte, DIGEST_SIZE);
    uint64_t position = by_id ? 0 : strtoull(which, NULL, 10);
    size_t size;

    *shown = (struct shown){.position = 0};
    if (!by_id && position + world->hidden >= log_world_size(world->log))
        return error_set(err, E_NO, "there is no such entry");
    if (!log_world_find(world->log, position, by_id ? &id : NULL, &item))
        return error_set(err, E_NO, "there is no such entry");
    size = item.bytes.size;
    shown->answer.memory = malloc(size + item.signatures.size);
    if (shown->answer.memory == NULL)
        abort();
    memcpy(shown->answer.memory, item.bytes.data, size);
    memcpy(shown->answer.memory + size, item.signatures.data,
           item.signatures.size);
    shown->position = item.position;
    shown->block = item.block;
    shown->verdict = item.verdict;
    demand(
        entry_parse(&shown->entry, bytes_of(shown->answer.memory, size),
                    bytes_of(shown->answer.memory + size, item.signatures.size),
                    err),
        err);
    log_item_clear(&item);
    return OK;
}

static bool is_of_type(struct bytes bytes, struct bytes signatures,
                       enum entry_type type)
{
    struct entry entry;
    struct error err;
    bool is;

    error_init(&err);
    demand(entry_parse(&entry, bytes, signatures, &err), &err);
    is = entry.type == type;
    entry_clear(&entry);
    return is;
}

static enum status submit(void *context, struct bytes entry,
                          struct bytes signatures, struct receipt *receipt,
                          struct error *err)
{
    struct broker_world *world = context;
    struct log_answer answer = {.position = 0};
    void (*before)(struct broker_world *) = world->before;

    world->submitted++;
    if (world->turn_away > 0) {
        world->turn_away--;
        return error_set(err, E_REFUSED, "an unknown signer");
    }
    if (world->lose > 0) {
        world->lose--;
        return error_set(err, E_SYSTEM, "no quorum");
    }
    if (before != NULL && is_of_type(entry, signatures, world->before_type)) {
        world->before = NULL;
        before(world);
    }
    if (!log_world_submit(world->log, entry, signatures, &answer))
        return error_set(err, E_REFUSED, "an unknown signer");
    if (world->lose_after > 0) {
        world->lose_after--;
        return error_set(err, E_SYSTEM, "no quorum");
    }
    *receipt = (struct receipt){.id = answer.id,
                                .position = answer.position,
                                .block = answer.block,
                                .verdict = answer.verdict};
    return OK;
}

static enum status anchored(void *context, uint64_t position, struct error *err)
{
    const struct broker_world *world = context;

    if (world->not_anchored || position >= log_world_size(world->log))
        return error_set(err, E_NO, "not anchored yet");
    return OK;
}

static void pause_a_while(void *context)
{
    struct broker_world *world = context;

    world->pauses++;
    if (world->hidden > 0)
        world->hidden--;
}

/* ---- the anonymizer ---- */

static enum status fails(const struct broker_world *world, struct error *err)
{
    return world->anonymizer_fails == OK
               ? OK
               : error_set(err, world->anonymizer_fails, "the anonymizer");
}

static enum status tell_job(const struct broker_world *world,
                            struct job_progress *progress, struct error *err)
{
    char permit[DIGEST_HEX_SIZE];
    const char *name = world->name != NULL ? world->name : BROKER_WORLD_RELEASE;
    bool done = strcmp(world->job, "rechecked") == 0 ||
                strcmp(world->job, "proposed") == 0;

    snprintf(progress->state, sizeof progress->state, "%s", world->job);
    progress->status = world->job_status;
    if (world->job_status != OK)
        demand(text_append_string(&progress->why, "k cannot be met", err), err);
    if (!done)
        return OK;
    digest_hex(&world->permit, permit);
    snprintf(progress->release, sizeof progress->release, "%s", name);
    memset(progress->salt.byte, 7, sizeof progress->salt.byte);
    demand(text_printf(&progress->statement, err,
                       "{\"output\":\"aa\",\"permit\":\"%s\",\"policy\":\"%s\","
                       "\"release\":\"%s\",\"rows\":3,\"statement\":"
                       "\"release 1\",\"suppressed\":0}",
                       world->statement_permit != NULL ? world->statement_permit
                                                       : permit,
                       world->statement_policy != NULL ? world->statement_policy
                                                       : BROKER_WORLD_POLICY,
                       name),
           err);
    return OK;
}

static enum status take_permit(void *context,
                               const struct permit_delivery *delivery,
                               struct job_progress *progress, struct error *err)
{
    struct broker_world *world = context;

    if (fails(world, err) != OK)
        return err->status;
    world->permits++;
    world->permit = *delivery->id;
    text_reset(&world->list);
    text_reset(&world->package);
    demand(text_append(&world->list, delivery->list.data, delivery->list.size,
                       err),
           err);
    demand(text_append(&world->package, delivery->package.data,
                       delivery->package.size, err),
           err);
    return tell_job(world, progress, err);
}

static enum status ask_job(void *context, const struct digest *permit,
                           struct job_progress *progress, struct error *err)
{
    struct broker_world *world = context;

    if (fails(world, err) != OK)
        return err->status;
    if (memcmp(permit, &world->permit, sizeof *permit) != 0)
        return error_set(err, E_INPUT, "there is no such job");
    return tell_job(world, progress, err);
}

static enum status sign(void *context, const struct digest *permit,
                        struct bytes entry, struct entry_signature *signature,
                        struct error *err)
{
    struct broker_world *world = context;

    (void)permit;
    if (fails(world, err) != OK)
        return err->status;
    world->signs++;
    demand(entry_sign(world->signs_badly ? bytes_of_string("{}") : entry,
                      certificate_id(log_world_certificate(
                          world->log, LOG_NORTH, IDENTITY_ANONYMIZER)),
                      log_world_key(world->log, LOG_NORTH, IDENTITY_ANONYMIZER),
                      signature, err),
           err);
    return OK;
}

static enum status publish(void *context, const struct digest *permit,
                           const struct digest *entry,
                           struct job_progress *progress, struct error *err)
{
    struct broker_world *world = context;

    (void)permit;
    if (fails(world, err) != OK)
        return err->status;
    world->publications++;
    world->published = *entry;
    snprintf(progress->state, sizeof progress->state, "%s",
             world->publishing != NULL ? world->publishing : "published");
    return OK;
}

static enum status take_denied(void *context,
                               const struct broker_denial *denial,
                               struct error *err)
{
    struct broker_world *world = context;

    if (fails(world, err) != OK)
        return err->status;
    world->denials++;
    snprintf(world->denied_by, sizeof world->denied_by, "%s", denial->by);
    snprintf(world->denied_asked, sizeof world->denied_asked, "%s",
             denial->asked);
    snprintf(world->denied_why, sizeof world->denied_why, "%s", denial->why);
    world->denied_request = (struct digest){{0}};
    world->denied_subject = (struct subject_id){{0}};
    if (denial->request != NULL)
        world->denied_request = *denial->request;
    if (denial->subject != NULL)
        world->denied_subject = *denial->subject;
    return OK;
}

/* ---- the world ---- */

static struct broker_world *present; /* for the clock, which has no context */

static uint64_t now_ms(void)
{
    return log_world_time(present->log);
}

static void open_store(struct broker_world *world)
{
    struct error err;
    bool fresh;

    error_init(&err);
    demand(broker_store_open(
               &world->broker.store, scratch_path(&world->scratch, "state.db"),
               &log_world_genesis(world->log)->digest, &fresh, &err),
           &err);
    demand(follower_begin(&world->broker, &err), &err);
}

/* All but scratch and log. */
static void fill(struct broker_world *world)
{
    struct scratch scratch = world->scratch;
    struct log_world *log = world->log;

    *world =
        (struct broker_world){.scratch = scratch, .log = log, .job = "loaded"};
    text_init(&world->list);
    text_init(&world->package);
    world->broker = (struct broker){
        .genesis = log_world_genesis(log),
        .author = {.origin = log_world_genesis(log)->origin,
                   .channel = log_world_genesis(log)->channel,
                   .certificate =
                       log_world_certificate(log, LOG_NORTH, IDENTITY_BROKER),
                   .key = log_world_key(log, LOG_NORTH, IDENTITY_BROKER)},
        .ledger = {.size = size_of,
                   .show = show,
                   .submit = submit,
                   .anchored = anchored,
                   .pause = pause_a_while,
                   .context = world},
        .anonymizer = {.permit = take_permit,
                       .job = ask_job,
                       .sign = sign,
                       .publish = publish,
                       .denied = take_denied,
                       .context = world},
        .now_ms = now_ms};
    open_store(world);
}

void broker_world_open(struct broker_world *world)
{
    log_open("broker_world", LOG_LEVEL_ERROR);
    present = world;
    scratch_open(&world->scratch);
    world->log = log_world_open(scratch_path(&world->scratch, "log.db"));
    fill(world);
}

void broker_world_again(struct broker_world *world)
{
    broker_store_close(&world->broker.store);
    text_clear(&world->list);
    text_clear(&world->package);
    scratch_close(&world->scratch);
    scratch_open(&world->scratch);
    log_world_again(world->log, scratch_path(&world->scratch, "log.db"));
    fill(world);
}

void broker_world_close(struct broker_world *world)
{
    broker_store_close(&world->broker.store);
    log_world_close(world->log);
    text_clear(&world->list);
    text_clear(&world->package);
    scratch_close(&world->scratch);
}

void broker_world_restart(struct broker_world *world)
{
    broker_store_close(&world->broker.store);
    open_store(world);
}

/* ---- people ---- */

struct subject_id broker_world_subject(unsigned number)
{
    struct subject_id subject = {.byte = {0}};

    put_be32(subject.byte, number * 2654435761u); /* in no order */
    put_be32(subject.byte + 4, number);
    return subject;
}

void broker_world_item(struct text *batch, unsigned number, const char *says)
{
    struct subject_id subject = broker_world_subject(number);
    char hex[SUBJECT_ID_HEX_SIZE];
    struct json *json = NULL;
    struct text reduced;
    struct error err;

    error_init(&err);
    text_init(&reduced);
    subject_id_hex(&subject, hex);
    demand(text_printf(&reduced, &err,
                       "{\"consent\":1,\"says\":%s,\"subject\":\"%s\"}", says,
                       hex),
           &err);
    demand(json_create(&json, &err), &err);
    demand(json_add_string(json_edit_root(json), "original", "", &err), &err);
    demand(json_add_string(json_edit_root(json), "reduced", reduced.data, &err),
           &err);
    demand(json_print_canonical(json_root(json), batch, &err), &err);
    json_destroy(&json);
    text_clear(&reduced);
}

void broker_world_says(struct broker_world *world, unsigned number,
                       const char *says)
{
    uint8_t upload[UPLOAD_ID_SIZE];
    struct consent_batch batch;
    struct text list;
    struct error err;

    error_init(&err);
    text_init(&list);
    demand(random_secret(upload, sizeof upload, &err), &err);
    demand(text_append_string(&list, "[", &err), &err);
    broker_world_item(&list, number, says);
    demand(text_append_string(&list, "]", &err), &err);
    demand(consent_batch_record(&world->broker, bytes_of(upload, sizeof upload),
                                text_bytes(&list), &batch, &err),
           &err);
    text_clear(&list);
}

void broker_world_withdraws(struct broker_world *world, unsigned number)
{
    struct subject_id subject = broker_world_subject(number);
    struct withdrawal withdrawal;
    struct error err;

    error_init(&err);
    demand(withdrawal_make(&world->broker, &subject, &withdrawal, &err), &err);
}

/* ---- a request ---- */

void broker_world_ask(struct broker_world *world, struct digest *request)
{
    const struct certificate *institute = log_world_certificate(
        world->log, LOG_EAST, IDENTITY_RESEARCH_INSTITUTE);
    struct commitment_salt salt = {.byte = {5}};
    struct arrival arrival = {.from = institute,
                              .id = request,
                              .salt = &salt,
                              .bundle = bytes_of_string("{\"policy\":1}")};
    char payload[512], dataset[DIGEST_HEX_SIZE], commitment[DIGEST_HEX_SIZE];
    struct log_answer answer;
    struct digest digest;
    struct text terms;
    struct error err;
    uint64_t position;

    error_init(&err);
    text_init(&terms);
    answer =
        log_world_add(world->log, ENTRY_DATASET, LOG_NORTH, IDENTITY_CUSTODIAN,
                      "{\"commitment\":\"" BROKER_WORLD_POLICY "\"}");
    digest_hex(&answer.id, dataset);
    demand(text_printf(&terms, &err,
                       "{\"dataset\":\"%s\",\"organisation\":\"east\","
                       "\"policy\":\"" BROKER_WORLD_POLICY
                       "\",\"purposes\":[\"DUO:0000042\"],\"recipient\":\"%s\","
                       "\"statement\":\"terms 1\"}",
                       dataset, certificate_id(institute)),
           &err);
    demand(commitment_make(&salt, text_bytes(&terms), &digest, &err), &err);
    digest_hex(&digest, commitment);
    snprintf(payload, sizeof payload, "{\"dataset\":\"%s\",\"terms\":\"%s\"}",
             dataset, commitment);
    *request = log_world_add(world->log, ENTRY_REQUEST, LOG_EAST,
                             IDENTITY_RESEARCH_INSTITUTE, payload)
                   .id;
    arrival.terms = text_bytes(&terms);
    demand(reception_take(&world->broker, &arrival, &position, &err), &err);
    text_clear(&terms);
}

void broker_world_approve(struct broker_world *world,
                          const struct digest *request)
{
    char payload[512], hex[DIGEST_HEX_SIZE];
    struct log_item item;
    struct entry entry;
    struct error err;

    error_init(&err);
    if (!log_world_find(world->log, 0, request, &item))
        abort();
    demand(entry_parse(&entry, text_bytes(&item.bytes),
                       text_bytes(&item.signatures), &err),
           &err);
    digest_hex(request, hex);
    snprintf(payload, sizeof payload, "{\"request\":\"%s\",\"terms\":\"%s\"}",
             hex, json_string(json_member(entry.payload, "terms")));
    entry_clear(&entry);
    log_item_clear(&item);
    if (log_world_add(world->log, ENTRY_APPROVE, LOG_NORTH, IDENTITY_CUSTODIAN,
                      payload)
            .verdict != VERDICT_VALID)
        abort();
}

void broker_world_request(struct broker_world *world, struct digest *request)
{
    broker_world_ask(world, request);
    broker_world_approve(world, request);
}

bool broker_world_listed(const struct broker_world *world, unsigned number)
{
    struct subject_id subject = broker_world_subject(number);

    for (size_t at = 0; at < world->list.size; at += PERMITTED_ITEM_SIZE)
        if (memcmp(world->list.data + at, subject.byte, SUBJECT_ID_SIZE) == 0)
            return true;
    return false;
}
