#include "tests/lib/federation.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"
#include "common/json.h"
#include "common/note.h"
#include "ledger/block.h"

static void demand(enum status status, const struct error *err)
{
    if (status == OK)
        return;
    fprintf(stderr, "tests/lib/federation: %s\n", err->text);
    abort();
}

const char *network_organisation_name(enum network_organisation organisation)
{
    static const char *const name[] = {"north", "south", "east"};

    return name[organisation];
}

/* ---- certificates ---- */

static struct certificate_terms terms_of(const struct certificate_subject *who)
{
    return (struct certificate_terms){
        .subject = who,
        .not_before_ms = NETWORK_TIME - NETWORK_DAY,
        .not_after_ms = NETWORK_TIME + 365 * NETWORK_DAY};
}

static void make_root(struct network *network)
{
    struct certificate_subject subject = {"roots", "root", IDENTITY_PATIENT,
                                          true};
    struct certificate_terms terms = terms_of(&subject);
    struct error err;

    error_init(&err);
    demand(private_key_generate(&network->root.key, KEY_P256, &err), &err);
    demand(certificate_create_root(&network->root.certificate,
                                   network->root.key, &terms, &err),
           &err);
}

static void issue(struct network_identity *identity,
                  const struct certificate_terms *terms,
                  const struct network_identity *issuer)
{
    struct public_key *public_key = NULL;
    struct error err;

    error_init(&err);
    demand(private_key_generate(&identity->key, KEY_P256, &err), &err);
    demand(private_key_public(identity->key, &public_key, &err), &err);
    demand(certificate_issue(&identity->certificate, public_key, terms,
                             issuer->certificate, issuer->key, &err),
           &err);
    public_key_destroy(&public_key);
}

static void make_authority(struct network *network,
                           enum network_organisation organisation)
{
    struct certificate_subject subject = {.name = "authority",
                                          .is_authority = true};
    struct certificate_terms terms = terms_of(&subject);

    snprintf(subject.organisation, sizeof subject.organisation, "%s",
             network_organisation_name(organisation));
    issue(&network->authority[organisation], &terms, &network->root);
}

void network_person_make(struct network_identity *identity,
                         const struct network *network,
                         struct network_person person)
{
    struct certificate_subject subject = {.role = person.role};
    struct certificate_terms terms = terms_of(&subject);

    *identity = (struct network_identity){0};
    snprintf(subject.organisation, sizeof subject.organisation, "%s",
             network_organisation_name(person.organisation));
    snprintf(subject.name, sizeof subject.name, "%s", person.name);
    if (person.from_ms != 0)
        terms.not_before_ms = person.from_ms;
    if (person.to_ms != 0)
        terms.not_after_ms = person.to_ms;
    issue(identity, &terms, &network->authority[person.organisation]);
}

void network_person_clear(struct network_identity *identity)
{
    certificate_destroy(&identity->certificate);
    private_key_destroy(&identity->key);
}

static void make_members(struct network *network,
                         enum network_organisation organisation)
{
    for (unsigned role = 0; role < IDENTITY_ROLE_COUNT; role++) {
        char name[IDENTITY_NAME_MAX + 1];

        /* Nodes are node1, node2, node3. */
        if (role == IDENTITY_NODE)
            snprintf(name, sizeof name, "node%d", (int)organisation + 1);
        else
            snprintf(name, sizeof name, "%s-of-%s",
                     identity_role_name((enum identity_role)role),
                     network_organisation_name(organisation));
        network_person_make(
            &network->member[organisation][role], network,
            (struct network_person){.organisation = organisation,
                                    .role = (enum identity_role)role,
                                    .name = name});
    }
}

const struct network_identity *
network_who(const struct network *network,
            enum network_organisation organisation, enum identity_role role)
{
    return &network->member[organisation][role];
}

/* ---- genesis.json ---- */

static void add_pem(struct json_value *parent, const char *key,
                    const struct network_identity *identity)
{
    struct text pem;
    struct error err;

    error_init(&err);
    text_init(&pem);
    demand(certificate_append_pem(identity->certificate, &pem, &err), &err);
    demand(json_add_string(parent, key, pem.data, &err), &err);
    text_clear(&pem);
}

static void make_cosigner(struct network *network, size_t at)
{
    struct public_key *public_key = NULL;
    struct note_verifier verifier = {0};
    struct error err;
    struct text text;
    char name[16];

    error_init(&err);
    text_init(&text);
    snprintf(name, sizeof name, "node%zu", at + 1);
    demand(private_key_generate(&network->cosigner[at], KEY_ED25519, &err),
           &err);
    demand(private_key_public(network->cosigner[at], &public_key, &err), &err);
    demand(note_verifier_create(&verifier, name, public_key, &err), &err);
    demand(note_verifier_append(&verifier, &text, &err), &err);
    snprintf(network->cosigner_text[at], sizeof network->cosigner_text[at],
             "%s", text.data);
    note_verifier_clear(&verifier);
    public_key_destroy(&public_key);
    text_clear(&text);
}

static void add_node(struct network *network, struct json_value *nodes,
                     size_t at)
{
    struct json_value *node;
    struct error err;
    char name[16];

    make_cosigner(network, at);
    error_init(&err);
    snprintf(name, sizeof name, "node%zu", at + 1);
    demand(json_add_object(nodes, NULL, &node, &err), &err);
    demand(json_add_integer(node, "id", (int64_t)at + 1, &err), &err);
    demand(json_add_string(node, "name", name, &err), &err);
    demand(json_add_string(
               node, "organisation",
               network_organisation_name((enum network_organisation)at), &err),
           &err);
    add_pem(node, "certificate", &network->member[at][IDENTITY_NODE]);
    demand(json_add_string(node, "cosigner", network->cosigner_text[at], &err),
           &err);
}

static void write_genesis(struct network *network)
{
    struct json_value *root, *roots, *authorities, *members, *nodes, *policies;
    struct json *json = NULL;
    struct error err;

    error_init(&err);
    demand(json_create(&json, &err), &err);
    root = json_edit_root(json);
    demand(json_add_integer(root, "genesis", 1, &err), &err);
    demand(json_add_string(root, "origin", "log.example/test", &err), &err);
    demand(json_add_string(root, "channel", "main", &err), &err);
    demand(json_add_array(root, "roots", &roots, &err), &err);
    demand(json_add_array(root, "authorities", &authorities, &err), &err);
    demand(json_add_array(root, "members", &members, &err), &err);
    demand(json_add_array(root, "nodes", &nodes, &err), &err);
    demand(json_add_object(root, "endorsement", &policies, &err), &err);
    demand(json_add_string(policies, "release", NETWORK_RELEASE_POLICY, &err),
           &err);
    add_pem(roots, NULL, &network->root);
    for (size_t i = 0; i < NETWORK_ORGANISATIONS; i++) {
        add_pem(authorities, NULL, &network->authority[i]);
        for (size_t role = 0; role < IDENTITY_ROLE_COUNT; role++)
            add_pem(members, NULL, &network->member[i][role]);
        add_node(network, nodes, i);
    }
    demand(json_print(json_root(json), &network->genesis_text, &err), &err);
    json_destroy(&json);
}

void network_open(struct network *network)
{
    struct error err;

    error_init(&err);
    *network = (struct network){0};
    text_init(&network->genesis_text);
    make_root(network);
    for (unsigned i = 0; i < NETWORK_ORGANISATIONS; i++) {
        make_authority(network, (enum network_organisation)i);
        make_members(network, (enum network_organisation)i);
    }
    write_genesis(network);
    demand(genesis_parse(&network->genesis, text_bytes(&network->genesis_text),
                         &err),
           &err);
}

void network_close(struct network *network)
{
    genesis_destroy(&network->genesis);
    text_clear(&network->genesis_text);
    for (size_t i = 0; i < NETWORK_ORGANISATIONS; i++) {
        for (size_t role = 0; role < IDENTITY_ROLE_COUNT; role++)
            network_person_clear(&network->member[i][role]);
        network_person_clear(&network->authority[i]);
        private_key_destroy(&network->cosigner[i]);
    }
    network_person_clear(&network->root);
}

/* ---- entries ---- */

void network_entry_with_nonce(struct network_entry *entry,
                              const struct network *network,
                              enum entry_type type,
                              const struct network_identity *author,
                              uint64_t nonce, const char *payload)
{
    const struct network_identity *signer[] = {author, NULL};
    uint8_t nonce_bytes[ENTRY_NONCE_SIZE] = {0};
    struct json *json = NULL;
    struct error err;

    error_init(&err);
    *entry = (struct network_entry){0};
    text_init(&entry->bytes);
    text_init(&entry->signatures);
    put_be64(nonce_bytes + 8, nonce);
    demand(json_parse(&json, bytes_of_string(payload), &err), &err);
    demand(
        entry_write(
            &(struct entry_draft){.type = type,
                                  .origin = network->genesis->origin,
                                  .channel = network->genesis->channel,
                                  .author = certificate_id(author->certificate),
                                  .nonce = nonce_bytes,
                                  .payload = json_root(json)},
            &entry->bytes, &err),
        &err);
    json_destroy(&json);
    demand(digest_bytes(&entry->id, text_bytes(&entry->bytes), &err), &err);
    digest_hex(&entry->id, entry->hex);
    network_entry_sign(entry, signer);
}

void network_entry_make(struct network_entry *entry, struct network *network,
                        enum entry_type type,
                        const struct network_identity *author,
                        const char *payload)
{
    network_entry_with_nonce(entry, network, type, author, ++network->nonce,
                             payload);
}

void network_entry_format(struct network_entry *entry, struct network *network,
                          enum entry_type type,
                          const struct network_identity *author,
                          const char *format, ...)
{
    char *payload = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&payload, format, args) < 0)
        abort();
    va_end(args);
    network_entry_make(entry, network, type, author, payload);
    free(payload);
}

void network_entry_sign(struct network_entry *entry,
                        const struct network_identity *const *signer)
{
    struct entry_signature signature[8];
    struct error err;
    size_t count = 0;

    error_init(&err);
    for (; signer[count] != NULL; count++) {
        if (count == sizeof signature / sizeof signature[0])
            abort();
        demand(entry_sign(text_bytes(&entry->bytes),
                          certificate_id(signer[count]->certificate),
                          signer[count]->key, &signature[count], &err),
               &err);
    }
    text_reset(&entry->signatures);
    demand(entry_write_signatures(signature, count, &entry->signatures, &err),
           &err);
}

void network_entry_clear(struct network_entry *entry)
{
    text_clear(&entry->bytes);
    text_clear(&entry->signatures);
}

char *network_enrol_payload(const struct network_identity *identity)
{
    struct json *json = NULL;
    struct error err;
    struct text out;

    error_init(&err);
    text_init(&out);
    demand(json_create(&json, &err), &err);
    add_pem(json_edit_root(json), "certificate", identity);
    demand(json_print_canonical(json_root(json), &out, &err), &err);
    json_destroy(&json);
    return out.data; /* text's memory is malloc's */
}

/* ---- a node ---- */

void network_node_open(struct network_node *node, const struct network *network,
                       const char *path, unsigned threads)
{
    struct error err;

    error_init(&err);
    *node = (struct network_node){.network = network, .time_ms = NETWORK_TIME};
    demand(
        ledger_store_open(&node->store, path, &network->genesis->digest, &err),
        &err);
    demand(crew_create(&node->crew, threads, &err), &err);
    demand(executor_create(&node->executor, network->genesis, node->store,
                           node->crew, &err),
           &err);
    node->raft_index = executor_raft_index(node->executor);
}

void network_node_close(struct network_node *node)
{
    executor_destroy(&node->executor);
    crew_destroy(&node->crew);
    ledger_store_close(&node->store);
}

void network_batch(struct text *out, int64_t time_ms,
                   const struct network_entry *const *entry, size_t count)
{
    struct error err;

    error_init(&err);
    demand(batch_begin(out, &err), &err);
    for (size_t i = 0; i < count; i++)
        demand(batch_add(out, text_bytes(&entry[i]->bytes),
                         text_bytes(&entry[i]->signatures), &err),
               &err);
    demand(batch_end(out, (uint64_t)time_ms, (uint32_t)count, &err), &err);
}

const struct executed *
network_apply_all(struct network_node *node,
                  const struct network_entry *const *entry, size_t count)
{
    const struct executed *executed = NULL;
    struct text batch;
    struct error err;

    error_init(&err);
    text_init(&batch);
    network_batch(&batch, node->time_ms, entry, count);
    demand(executor_apply(node->executor, ++node->raft_index,
                          text_bytes(&batch), &executed, &err),
           &err);
    text_clear(&batch);
    node->time_ms += 1000;
    return executed;
}

enum entry_verdict network_apply(struct network_node *node,
                                 const struct network_entry *entry)
{
    const struct executed *executed = network_apply_all(node, &entry, 1);

    node->outcome = executed->outcome[0];
    return node->outcome.verdict;
}
