#include "ledger/genesis.h"

#include <stdlib.h>
#include <string.h>

#include "common/files.h"
#include "common/json.h"

/* A file of 15 nodes and some hundred certificates is far below. */
#define GENESIS_SIZE_MAX (4u << 20)

static enum status wrong(const struct json_value *value, const char *what,
                         struct error *err)
{
    return error_set(err, E_INPUT, "line %u: %s", json_line(value), what);
}

/* A member that must be there, of a kind. */
static enum status member(const struct json_value *object, const char *key,
                          enum json_kind kind, const struct json_value **value,
                          struct error *err)
{
    *value = json_member(object, key);
    if (*value == NULL)
        return error_set(err, E_INPUT, "line %u: \"%s\" is missing",
                         json_line(object), key);
    if (json_kind(*value) != kind)
        return error_set(err, E_INPUT, "line %u: \"%s\" is not %s",
                         json_line(*value), key, json_kind_name(kind));
    return OK;
}

static enum status member_text(const struct json_value *object, const char *key,
                               char *out, size_t size_max, struct error *err)
{
    const struct json_value *value;
    enum status status = member(object, key, JSON_STRING, &value, err);
    size_t size;

    if (status != OK)
        return status;
    size = strlen(json_string(value));
    if (size == 0 || size > size_max)
        return error_set(err, E_INPUT,
                         "line %u: \"%s\" has %zu bytes, 1 to %zu may be",
                         json_line(value), key, size, size_max);
    memcpy(out, json_string(value), size + 1);
    return OK;
}

static enum status member_name(const struct json_value *object, const char *key,
                               char out[IDENTITY_NAME_MAX + 1],
                               struct error *err)
{
    enum status status = member_text(object, key, out, IDENTITY_NAME_MAX, err);

    if (status == OK && !identity_name_valid(bytes_of_string(out)))
        return error_set(err, E_INPUT, "line %u: \"%s\" is no name",
                         json_line(json_member(object, key)), key);
    return status;
}

static enum status take_certificate(const struct json_value *value,
                                    struct certificate **certificate,
                                    struct error *err)
{
    if (json_kind(value) != JSON_STRING)
        return wrong(value, "a certificate is a PEM text", err);
    if (certificate_parse_pem(certificate, bytes_of_string(json_string(value)),
                              err) != OK)
        return error_wrap(err, "line %u", json_line(value));
    return OK;
}

static enum status take_certificates(const struct json_value *root,
                                     const char *key,
                                     struct genesis_certificates *out,
                                     struct error *err)
{
    const struct json_value *list;
    enum status status = member(root, key, JSON_ARRAY, &list, err);

    if (status != OK)
        return status;
    if (json_length(list) > GENESIS_CERTIFICATES_MAX)
        return wrong(list, "too many certificates", err);
    out->item = calloc(json_length(list) + 1, sizeof(struct certificate *));
    if (out->item == NULL)
        return error_memory(err, "the certificates");
    for (const struct json_value *value = json_first(list); value != NULL;
         value = json_next(value)) {
        status = take_certificate(value, &out->item[out->count], err);
        if (status != OK)
            return status;
        out->count++;
    }
    return OK;
}

static enum status take_node(struct genesis *genesis,
                             const struct json_value *value, struct error *err)
{
    struct genesis_node *node = &genesis->node[genesis->node_count];
    const struct json_value *id, *certificate, *cosigner;
    int64_t number = 0;
    enum status status;

    if (json_kind(value) != JSON_OBJECT)
        return wrong(value, "a node is an object", err);
    if (json_length(value) != 5)
        return wrong(value,
                     "a node has id, name, organisation, certificate "
                     "and cosigner, nothing else",
                     err);
    status = member(value, "id", JSON_NUMBER, &id, err);
    if (status == OK && (!json_integer(id, &number) || number < 1 ||
                         genesis_node(genesis, (uint64_t)number) != NULL))
        status =
            wrong(id, "a node's id is a whole number from 1 of its own", err);
    if (status == OK)
        status = member_name(value, "name", node->name, err);
    if (status == OK)
        status = member_name(value, "organisation", node->organisation, err);
    if (status == OK)
        status = member(value, "certificate", JSON_STRING, &certificate, err);
    if (status == OK)
        status = member(value, "cosigner", JSON_STRING, &cosigner, err);
    if (status == OK)
        status = take_certificate(certificate, &node->certificate, err);
    if (status != OK)
        return status;
    node->id = (uint64_t)number;
    genesis->node_count++;
    if (note_verifier_parse(&node->cosigner,
                            bytes_of_string(json_string(cosigner)), err) != OK)
        return error_wrap(err, "line %u: \"cosigner\"", json_line(cosigner));
    return OK;
}

static enum status take_nodes(struct genesis *genesis,
                              const struct json_value *root, struct error *err)
{
    const struct json_value *list;
    enum status status = member(root, "nodes", JSON_ARRAY, &list, err);

    if (status != OK)
        return status;
    if (json_length(list) < 1 || json_length(list) > GENESIS_NODES_MAX)
        return error_set(err, E_INPUT, "line %u: 1 to %d nodes may be",
                         json_line(list), GENESIS_NODES_MAX);
    for (const struct json_value *value = json_first(list);
         status == OK && value != NULL; value = json_next(value))
        status = take_node(genesis, value, err);
    return status;
}

static enum status take_endorsements(struct genesis *genesis,
                                     const struct json_value *root,
                                     struct error *err)
{
    const struct json_value *object;
    enum status status = member(root, "endorsement", JSON_OBJECT, &object, err);

    for (const struct json_value *value = status == OK ? json_first(object)
                                                       : NULL;
         status == OK && value != NULL; value = json_next(value)) {
        enum entry_type type;

        if (!entry_type_parse(bytes_of_string(json_key(value)), &type))
            return wrong(value, "no type of entries", err);
        if (json_kind(value) != JSON_STRING)
            return wrong(value, "an endorsement policy is a text", err);
        status = endorsement_parse(&genesis->endorsement[type],
                                   bytes_of_string(json_string(value)), err);
        if (status != OK)
            return error_wrap(err, "line %u", json_line(value));
    }
    return status;
}

/* ---- what must hold of all of it ---- */

static bool same_certificate(const struct certificate *a,
                             const struct certificate *b)
{
    return strcmp(certificate_id(a), certificate_id(b)) == 0;
}

static bool has_twin(const struct genesis_certificates *certificates, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (same_certificate(certificates->item[i], certificates->item[at]))
            return true;
    return false;
}

static enum status check_authorities(const struct genesis *genesis,
                                     struct error *err)
{
    const struct genesis_certificates *all = &genesis->authorities;

    for (size_t i = 0; i < genesis->roots.count; i++)
        if (has_twin(&genesis->roots, i))
            return error_set(err, E_INPUT, "root %zu is there twice", i + 1);
    for (size_t i = 0; i < all->count; i++) {
        const struct certificate_subject *subject =
            certificate_subject(all->item[i]);

        if (!subject->is_authority)
            return error_set(err, E_INPUT, "authority %zu is no authority",
                             i + 1);
        if (genesis_authority(genesis, subject->organisation) != all->item[i])
            return error_set(err, E_INPUT,
                             "authority %zu: organisation %s has another one",
                             i + 1, subject->organisation);
    }
    return OK;
}

/* A genesis is input: what is refused in it is E_INPUT. */
static enum status check_issued(const struct genesis *genesis,
                                const struct certificate *certificate,
                                struct error *err)
{
    struct genesis_validity ignored;
    enum status status = genesis_validity(genesis, certificate, &ignored, err);

    if (status != E_REFUSED)
        return status;
    err->status = E_INPUT;
    return E_INPUT;
}

static enum status check_members(const struct genesis *genesis,
                                 struct error *err)
{
    for (size_t i = 0; i < genesis->members.count; i++) {
        if (has_twin(&genesis->members, i))
            return error_set(err, E_INPUT, "member %zu is there twice", i + 1);
        if (check_issued(genesis, genesis->members.item[i], err) != OK)
            return error_wrap(err, "member %zu", i + 1);
    }
    return OK;
}

/* Two nodes that are one would be counted as two. */
static bool are_one(const struct genesis_node *a, const struct genesis_node *b)
{
    return strcmp(a->name, b->name) == 0 ||
           same_certificate(a->certificate, b->certificate) ||
           memcmp(a->cosigner.key, b->cosigner.key, sizeof a->cosigner.key) ==
               0;
}

static enum status check_node(const struct genesis *genesis, size_t at,
                              struct error *err)
{
    const struct genesis_node *node = &genesis->node[at];
    const struct certificate_subject *subject =
        certificate_subject(node->certificate);

    for (size_t i = 0; i < at; i++)
        if (are_one(&genesis->node[i], node))
            return error_set(err, E_INPUT,
                             "node %s has the name, certificate or cosigner of "
                             "another node",
                             node->name);
    if (strcmp(node->cosigner.name, node->name) != 0)
        return error_set(err, E_INPUT, "node %s: its cosigner has another name",
                         node->name);
    if (subject->is_authority || subject->role != IDENTITY_NODE ||
        strcmp(subject->name, node->name) != 0 ||
        strcmp(subject->organisation, node->organisation) != 0)
        return error_set(err, E_INPUT,
                         "node %s: its certificate has another name, "
                         "organisation or role",
                         node->name);
    if (check_issued(genesis, node->certificate, err) != OK)
        return error_wrap(err, "node %s", node->name);
    return OK;
}

static enum status check_all(const struct genesis *genesis, struct error *err)
{
    enum status status;

    if (!note_name_valid(bytes_of_string(genesis->origin)))
        return error_set(err, E_INPUT,
                         "\"origin\" has white space, control characters or "
                         "plus signs");
    if (!entry_channel_valid(bytes_of_string(genesis->channel)))
        return error_set(err, E_INPUT,
                         "\"channel\" is lower-case letters, digits and "
                         "dashes, a letter first");
    status = check_authorities(genesis, err);
    if (status == OK)
        status = check_members(genesis, err);
    for (size_t i = 0; status == OK && i < genesis->node_count; i++)
        status = check_node(genesis, i, err);
    return status;
}

static enum status take_digest(struct genesis *genesis,
                               const struct json_value *root, struct error *err)
{
    struct text canonical;
    enum status status;

    text_init(&canonical);
    status = json_print_canonical(root, &canonical, err);
    if (status == OK)
        status = digest_bytes(&genesis->digest, text_bytes(&canonical), err);
    text_clear(&canonical);
    return status;
}

static enum status take_all(struct genesis *genesis,
                            const struct json_value *root, struct error *err)
{
    const struct json_value *version;
    int64_t number = 0;
    enum status status;

    if (json_kind(root) != JSON_OBJECT || json_length(root) != 8)
        return wrong(root,
                     "genesis, origin, channel, roots, authorities, "
                     "members, nodes and endorsement are expected, "
                     "nothing else",
                     err);
    status = member(root, "genesis", JSON_NUMBER, &version, err);
    if (status == OK && (!json_integer(version, &number) || number != 1))
        status =
            wrong(version, "\"genesis\" is the version of the format, 1", err);
    if (status == OK)
        status =
            member_text(root, "origin", genesis->origin, NOTE_NAME_MAX, err);
    if (status == OK)
        status = member_text(root, "channel", genesis->channel,
                             ENTRY_CHANNEL_MAX, err);
    if (status == OK)
        status = take_certificates(root, "roots", &genesis->roots, err);
    if (status == OK)
        status =
            take_certificates(root, "authorities", &genesis->authorities, err);
    if (status == OK)
        status = take_certificates(root, "members", &genesis->members, err);
    if (status == OK)
        status = take_nodes(genesis, root, err);
    if (status == OK)
        status = take_endorsements(genesis, root, err);
    if (status == OK)
        status = check_all(genesis, err);
    if (status == OK)
        status = take_digest(genesis, root, err);
    return status;
}

enum status genesis_parse(struct genesis **out, struct bytes text,
                          struct error *err)
{
    struct genesis *genesis = calloc(1, sizeof *genesis);
    struct json *json = NULL;
    enum status status;

    *out = NULL;
    if (genesis == NULL)
        return error_memory(err, "the genesis");
    status = json_parse(&json, text, err);
    if (status == OK)
        status = take_all(genesis, json_root(json), err);
    json_destroy(&json);
    if (status != OK)
        genesis_destroy(&genesis);
    *out = genesis;
    return status;
}

enum status genesis_load(struct genesis **genesis, const char *path,
                         struct error *err)
{
    struct text text;
    enum status status;

    *genesis = NULL;
    text_init(&text);
    status = file_read(path, GENESIS_SIZE_MAX, &text, err);
    if (status == OK && genesis_parse(genesis, text_bytes(&text), err) != OK)
        status = error_wrap(err, "%s", path);
    text_clear(&text);
    return status;
}

static void certificates_clear(struct genesis_certificates *certificates)
{
    for (size_t i = 0; i < certificates->count; i++)
        certificate_destroy(&certificates->item[i]);
    free(certificates->item);
}

void genesis_destroy(struct genesis **handle)
{
    struct genesis *genesis = *handle;

    if (genesis == NULL)
        return;
    certificates_clear(&genesis->roots);
    certificates_clear(&genesis->authorities);
    certificates_clear(&genesis->members);
    for (size_t i = 0; i < GENESIS_NODES_MAX; i++) {
        certificate_destroy(&genesis->node[i].certificate);
        note_verifier_clear(&genesis->node[i].cosigner);
    }
    for (size_t type = 0; type < ENTRY_TYPE_COUNT; type++)
        endorsement_destroy(&genesis->endorsement[type]);
    free(genesis);
    *handle = NULL;
}

size_t genesis_quorum(const struct genesis *genesis)
{
    return genesis->node_count / 2 + 1;
}

const struct certificate *genesis_authority(const struct genesis *genesis,
                                            const char *organisation)
{
    for (size_t i = 0; i < genesis->authorities.count; i++) {
        const struct certificate *authority = genesis->authorities.item[i];

        if (strcmp(certificate_subject(authority)->organisation,
                   organisation) == 0)
            return authority;
    }
    return NULL;
}

static void narrow(struct genesis_validity *validity,
                   const struct certificate *certificate)
{
    int64_t from_ms, to_ms;

    certificate_validity(certificate, &from_ms, &to_ms);
    if (from_ms > validity->from_ms)
        validity->from_ms = from_ms;
    if (to_ms < validity->to_ms)
        validity->to_ms = to_ms;
}

enum status genesis_validity(const struct genesis *genesis,
                             const struct certificate *certificate,
                             struct genesis_validity *validity,
                             struct error *err)
{
    const char *organisation = certificate_subject(certificate)->organisation;
    const struct certificate *authority =
        genesis_authority(genesis, organisation);
    struct error refusal;

    if (authority == NULL)
        return error_set(err, E_REFUSED, "organisation %s has no authority",
                         organisation);
    error_init(&refusal);
    for (size_t i = 0; i < genesis->roots.count; i++) {
        const struct certificate *root = genesis->roots.item[i];
        struct genesis_validity all = {INT64_MIN, INT64_MAX};
        enum status status;

        narrow(&all, certificate);
        narrow(&all, authority);
        narrow(&all, root);
        /* If there is a time when all are valid, this is one. */
        status = certificate_check_chain(certificate, authority, root,
                                         all.from_ms, &refusal);
        if (status == OK) {
            *validity = all;
            return OK;
        }
        if (status != E_REFUSED)
            break;
    }
    if (refusal.status == OK)
        return error_set(err, E_REFUSED, "the network has no root");
    *err = refusal;
    return err->status;
}

enum status genesis_check_certificate(const struct genesis *genesis,
                                      const struct certificate *certificate,
                                      int64_t time_ms, struct error *err)
{
    struct genesis_validity validity;
    enum status status = genesis_validity(genesis, certificate, &validity, err);

    if (status == OK && time_ms < validity.from_ms)
        return error_set(err, E_REFUSED,
                         "the certificate or its authority is not valid yet");
    if (status == OK && time_ms > validity.to_ms)
        return error_set(err, E_REFUSED,
                         "the certificate or its authority has expired");
    return status;
}

const struct genesis_node *genesis_node(const struct genesis *genesis,
                                        uint64_t id)
{
    for (size_t i = 0; i < genesis->node_count; i++)
        if (genesis->node[i].id == id)
            return &genesis->node[i];
    return NULL;
}
