#include "tests/lib/released.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"
#include "common/merkle.h"
#include "common/note.h"

static void demand(enum status status, const struct error *err)
{
    if (status == OK)
        return;
    fprintf(stderr, "tests/lib/released: %s\n", err->text);
    abort();
}

/* ---- as it should be ---- */

static void make_trust(struct released *world)
{
    const struct network *network = world->network;
    struct error err;

    error_init(&err);
    snprintf(world->trust.origin, sizeof world->trust.origin, "%s",
             network->genesis->origin);
    for (size_t i = 0; i < NETWORK_ORGANISATIONS; i++)
        demand(note_verifier_parse(&world->trust.node[i],
                                   bytes_of_string(network->cosigner_text[i]),
                                   &err),
               &err);
    world->trust.node_count = NETWORK_ORGANISATIONS;
    world->trust.quorum = 2;
    world->trust.root[0] = network->root.certificate;
    world->trust.root_count = 1;
    world->trust.minimum_size = RELEASED_LEAVES;
}

static void plan_people(struct released *world)
{
    const struct network *network = world->network;

    world->author[STEP_REQUEST] =
        network_who(network, SOUTH, IDENTITY_RESEARCH_INSTITUTE);
    world->author[STEP_APPROVE] =
        network_who(network, NORTH, IDENTITY_CUSTODIAN);
    world->author[STEP_PERMIT] = network_who(network, NORTH, IDENTITY_BROKER);
    world->author[STEP_RELEASE] = world->author[STEP_PERMIT];
    world->endorser[0] = world->author[STEP_APPROVE];
    world->endorser[1] = network_who(network, NORTH, IDENTITY_ANONYMIZER);
    world->certifier = world->endorser[1];
    world->recipient = certificate_id(world->author[STEP_REQUEST]->certificate);
    world->organisation = "south";
}

static void plan_log(struct released *world)
{
    static const struct {
        enum entry_type type;
        uint64_t position, block;
    } step[ATTESTATION_STEPS] = {[STEP_REQUEST] = {ENTRY_REQUEST, 2, 1},
                                 [STEP_APPROVE] = {ENTRY_APPROVE, 4, 2},
                                 [STEP_PERMIT] = {ENTRY_PERMIT, 5, 3},
                                 [STEP_RELEASE] = {ENTRY_RELEASE, 8, 3}};

    for (size_t i = 0; i < ATTESTATION_STEPS; i++) {
        world->type[i] = step[i].type;
        world->verdict[i] = VERDICT_VALID;
        world->position[i] = step[i].position;
        world->block[i] = step[i].block;
    }
    world->origin = world->trust.origin;
    world->cosigners = 2;
    world->cosigned_at = NETWORK_TIME / 1000 + 60;
}

/* By hand: (20-29, A) has 3 rows, (30-39, B) 2, the sixth is dropped; before,
 * (20, A) had 2 rows and four classes one. */
static void plan_figures(struct released *world)
{
    world->after = (struct class_figures){.rows = 5,
                                          .count = 2,
                                          .min = 2,
                                          .max = 3,
                                          .average = 2.5,
                                          .risk_highest = 0.5,
                                          .risk_average = 0.4};
    world->before = (struct class_figures){.rows = 6,
                                           .count = 5,
                                           .min = 1,
                                           .max = 2,
                                           .average = 1.2,
                                           .uniques = 4,
                                           .risk_highest = 1,
                                           .risk_average = 5.0 / 6};
    world->facts = (struct release_facts){.release = RELEASED_ID,
                                          .permit = &world->permit_id,
                                          .output = &world->output,
                                          .level = world->level,
                                          .rows = 6,
                                          .suppressed = 1,
                                          .before = &world->before,
                                          .after = &world->after};
    world->level[0] = 1; /* age */
}

void released_open(struct released *world, struct network *network)
{
    struct text *const texts[] = {&world->terms, &world->permit,
                                  &world->outcome, &world->note,
                                  &world->certificate};

    memset(world, 0, sizeof *world);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        text_init(texts[i]);
    for (size_t i = 0; i < ATTESTATION_STEPS; i++)
        text_init(&world->proof[i]);
    world->network = network;
    make_trust(world);
    plan_people(world);
    plan_log(world);
    plan_figures(world);
    world->dataset = NETWORK_HEX;
    world->requested_dataset = NETWORK_HEX;
    world->count = 7;
    world->list_root = NETWORK_OTHER_HEX;
    world->size = world->payload_size = 5;
    world->checked = 7;
    world->expires = world->payload_expires =
        (uint64_t)NETWORK_TIME + UINT64_C(3600000);
    world->policy_text = RELEASED_POLICY;
    world->table = RELEASED_TABLE;
}

/* ---- statements ---- */

static void draw(struct attested_statement *statement, const struct text *text)
{
    struct error err;

    error_init(&err);
    demand(commitment_draw(&statement->salt, &err), &err);
    statement->text = text_bytes(text);
}

static void commit(const struct attested_statement *statement,
                   char hex[DIGEST_HEX_SIZE])
{
    struct digest commitment;
    struct error err;

    error_init(&err);
    demand(
        commitment_make(&statement->salt, statement->text, &commitment, &err),
        &err);
    digest_hex(&commitment, hex);
}

static void write_terms(struct released *world)
{
    struct error err;

    error_init(&err);
    demand(policy_parse_canonical(&world->policy,
                                  bytes_of_string(world->policy_text), &err),
           &err);
    if (world->policy_digest[0] == '\0')
        digest_hex(&world->policy->digest, world->policy_digest);
    demand(text_printf(&world->terms, &err,
                       "{\"dataset\":\"%s\",\"organisation\":\"%s\","
                       "\"policy\":\"%s\",\"purposes\":[\"DUO:0000042\"],"
                       "\"recipient\":\"%s\",\"statement\":\"terms 1\"}",
                       world->dataset, world->organisation,
                       world->policy_digest, world->recipient),
           &err);
    draw(&world->parts.terms, &world->terms);
}

static void write_permit(struct released *world)
{
    struct error err;

    error_init(&err);
    demand(text_printf(&world->permit, &err,
                       "{\"count\":%ju,\"expires\":%ju,\"root\":"
                       "\"%s\",\"size\":%ju,"
                       "\"statement\":\"permit 1\"}",
                       (uintmax_t)world->count, (uintmax_t)world->expires,
                       world->list_root, (uintmax_t)world->size),
           &err);
    draw(&world->parts.permit, &world->permit);
}

static void write_outcome(struct released *world)
{
    struct error err;

    error_init(&err);
    world->permit_id = world->entry[STEP_PERMIT].id;
    if (world->other_permit != NULL &&
        !hex_decode(bytes_of_string(world->other_permit), world->permit_id.byte,
                    DIGEST_SIZE))
        abort();
    if (world->table != NULL)
        demand(
            digest_bytes(&world->output, bytes_of_string(world->table), &err),
            &err);
    world->facts.policy = world->policy;
    demand(release_statement_write(&world->facts, &world->outcome, &err), &err);
    draw(&world->parts.outcome, &world->outcome);
}

/* ---- entries ---- */

static void make_entry(struct released *world, enum attestation_step step,
                       const char *commitment)
{
    struct network_entry *entry = &world->entry[step];
    char terms[DIGEST_HEX_SIZE];
    const char *before = step > 0 ? world->entry[step - 1].hex : NULL;
    const char *shown = terms;

    commit(&world->parts.terms, terms);
    if (world->names[step] != NULL)
        before = world->names[step];
    if (world->terms_of[step] != NULL)
        shown = world->terms_of[step];
    switch (step) {
    case STEP_REQUEST:
        network_entry_format(entry, world->network, world->type[step],
                             world->author[step],
                             "{\"dataset\":\"%s\",\"terms\":\"%s\"}",
                             world->requested_dataset, shown);
        break;
    case STEP_APPROVE:
        network_entry_format(
            entry, world->network, world->type[step], world->author[step],
            "{\"request\":\"%s\",\"terms\":\"%s\"}", before, shown);
        break;
    case STEP_PERMIT:
        network_entry_format(
            entry, world->network, world->type[step], world->author[step],
            "{\"approve\":\"%s\",\"commitment\":\"%s\","
            "\"expires\":%ju,\"size\":%ju,\"terms\":\"%s\"}",
            before, commitment, (uintmax_t)world->payload_expires,
            (uintmax_t)world->payload_size, shown);
        break;
    case STEP_RELEASE:
    default:
        network_entry_format(
            entry, world->network, world->type[step], world->author[step],
            "{\"checked\":%ju,\"commitment\":\"%s\","
            "\"permit\":\"%s\",\"terms\":\"%s\"}",
            (uintmax_t)world->checked, commitment, before, shown);
        break;
    }
}

static void endorse(struct released *world)
{
    const struct network_identity *signer[6] = {world->author[STEP_RELEASE]};
    size_t count = 1;

    for (size_t i = 0; i < 4 && world->endorser[i] != NULL; i++)
        signer[count++] = world->endorser[i];
    network_entry_sign(&world->entry[STEP_RELEASE], signer);
}

static void make_entries(struct released *world)
{
    char commitment[DIGEST_HEX_SIZE];

    write_terms(world);
    make_entry(world, STEP_REQUEST, NULL);
    make_entry(world, STEP_APPROVE, NULL);
    write_permit(world);
    commit(&world->parts.permit, commitment);
    make_entry(world, STEP_PERMIT, commitment);
    write_outcome(world);
    commit(&world->parts.outcome, commitment);
    make_entry(world, STEP_RELEASE, commitment);
    endorse(world);
}

/* ---- the log ---- */

#define LEVELS 8

struct log {
    struct merkle_tree tree;
    struct digest node[LEVELS][RELEASED_LEAVES];
};

static enum status keep(void *context, unsigned level, uint64_t index,
                        const struct digest *hash, struct error *err)
{
    struct log *log = context;

    (void)err;
    log->node[level][index] = *hash;
    return OK;
}
static enum status fetch(void *context, unsigned level, uint64_t index,
                         struct digest *hash, struct error *err)
{
    const struct log *log = context;

    (void)err;
    *hash = log->node[level][index];
    return OK;
}

static void append_leaf(struct released *world, struct log *log, uint64_t at)
{
    struct digest hash;
    struct text leaf;
    struct error err;

    error_init(&err);
    text_init(&leaf);
    demand(text_printf(&leaf, &err, "leaf %ju", (uintmax_t)at), &err);
    for (size_t i = 0; i < ATTESTATION_STEPS; i++)
        if (world->position[i] == at) {
            text_reset(&leaf);
            demand(entry_leaf(text_bytes(&world->entry[i].bytes),
                              text_bytes(&world->entry[i].signatures),
                              world->verdict[i], world->block[i], &leaf, &err),
                   &err);
        }
    merkle_leaf(&hash, text_bytes(&leaf));
    demand(merkle_append(&log->tree, &hash, keep, log, &err), &err);
    text_clear(&leaf);
}

static void write_note(struct released *world, const struct log *log)
{
    struct checkpoint checkpoint = {.size = RELEASED_LEAVES};
    struct text text;
    struct error err;

    error_init(&err);
    text_init(&text);
    snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", world->origin);
    merkle_root(&log->tree, &checkpoint.root);
    demand(checkpoint_append(&checkpoint, &text, &err), &err);
    demand(text_append(&world->note, text.data, text.size, &err), &err);
    demand(text_append_string(&world->note, "\n", &err), &err);
    for (size_t i = 0; i < world->cosigners; i++)
        demand(note_cosign(world->trust.node[i].name,
                           world->network->cosigner[i], text_bytes(&text),
                           world->cosigned_at, &world->note, &err),
               &err);
    text_clear(&text);
}

static void prove(struct released *world)
{
    struct log *log = calloc(1, sizeof *log);
    struct error err;

    if (log == NULL)
        abort();
    error_init(&err);
    merkle_tree_init(&log->tree);
    for (uint64_t i = 0; i < RELEASED_LEAVES; i++)
        append_leaf(world, log, i);
    write_note(world, log);
    for (size_t i = 0; i < ATTESTATION_STEPS; i++) {
        struct proof_parts parts = {.entry = text_bytes(&world->entry[i].bytes),
                                    .signatures =
                                        text_bytes(&world->entry[i].signatures),
                                    .verdict = world->verdict[i],
                                    .block = world->block[i],
                                    .index = world->position[i],
                                    .note = text_bytes(&world->note)};

        demand(merkle_prove_inclusion(&parts.path, parts.index, RELEASED_LEAVES,
                                      fetch, log, &err),
               &err);
        demand(proof_write(&parts, &world->proof[i], &err), &err);
        world->parts.proof[i] = text_bytes(&world->proof[i]);
    }
    free(log);
}

/* ---- the certificate ---- */

static void add_signer(struct released *world,
                       const struct network_identity *identity)
{
    for (size_t i = 0; i < world->parts.signer_count; i++)
        if (world->signer[i] == identity->certificate)
            return;
    world->signer[world->parts.signer_count++] = identity->certificate;
}

void released_walk(struct released *world)
{
    struct attestation_parts *parts = &world->parts;

    make_entries(world);
    prove(world);
    for (size_t i = 0; i < ATTESTATION_STEPS; i++)
        add_signer(world, world->author[i]);
    for (size_t i = 0; i < 4 && world->endorser[i] != NULL; i++)
        add_signer(world, world->endorser[i]);
    for (size_t i = 0; i < NETWORK_ORGANISATIONS; i++)
        world->authority[i] = world->network->authority[i].certificate;
    parts->signer = world->signer;
    parts->authority = world->authority;
    parts->authority_count = NETWORK_ORGANISATIONS;
    parts->release =
        world->other_release != NULL ? world->other_release : RELEASED_ID;
    parts->delimiter = ';';
    parts->policy = bytes_of_string(world->policy_text);
    parts->anonymizer = world->certifier->certificate;
    parts->key = world->certifier->key;
}

enum status released_certify(struct released *world, struct error *err)
{
    return attestation_write(&world->parts, &world->certificate, err);
}

void released_close(struct released *world)
{
    for (size_t i = 0; i < ATTESTATION_STEPS; i++) {
        network_entry_clear(&world->entry[i]);
        text_clear(&world->proof[i]);
    }
    text_clear(&world->terms);
    text_clear(&world->permit);
    text_clear(&world->outcome);
    text_clear(&world->note);
    text_clear(&world->certificate);
    policy_close(&world->policy);
    for (size_t i = 0; i < world->trust.node_count; i++)
        note_verifier_clear(&world->trust.node[i]);
}
