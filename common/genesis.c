#include "common/genesis.h"

#include <stdlib.h>
#include <string.h>

#include "common/files.h"
#include "common/json_keys.h"

/* A file of 15 nodes and some hundred certificates is far below. */
#define GENESIS_SIZE_MAX (4u << 20)

static enum status wrong(const struct json_value *value, const char *what,
                         struct error *err)
{
    return error_set(err, E_INPUT, "line %u: %s", json_line(value), what);
}

/* ---- takers ---- */

static enum status read_certificate(const struct json_value *value,
                                    struct certificate **certificate,
                                    struct error *err)
{
    if (certificate_parse_pem(certificate, bytes_of_string(json_string(value)),
                              err) != OK)
        return error_wrap(err, "line %u", json_line(value));
    return OK;
}

static enum status take_certificates(const struct json_key *key,
                                     const struct json_value *value,
                                     void *target, struct error *err)
{
    struct genesis_certificates *out =
        (struct genesis_certificates *)(void *)((char *)target + key->offset);

    if (json_length(value) > GENESIS_CERTIFICATES_MAX)
        return wrong(value, "too many certificates", err);
    out->item = calloc(json_length(value) + 1, sizeof(struct certificate *));
    if (out->item == NULL)
        return error_memory(err, "the certificates");
    for (const struct json_value *item = json_first(value); item != NULL;
         item = json_next(item)) {
        if (json_kind(item) != JSON_STRING)
            return wrong(item, "a certificate is a PEM text", err);
        if (read_certificate(item, &out->item[out->count], err) != OK)
            return err->status;
        out->count++;
    }
    return OK;
}

static enum status take_certificate(const struct json_key *key,
                                    const struct json_value *value,
                                    void *target, struct error *err)
{
    struct genesis_node *node = target;

    (void)key;
    return read_certificate(value, &node->certificate, err);
}

static enum status take_cosigner(const struct json_key *key,
                                 const struct json_value *value, void *target,
                                 struct error *err)
{
    struct genesis_node *node = target;

    if (note_verifier_parse(&node->cosigner,
                            bytes_of_string(json_string(value)), err) != OK)
        return error_wrap(err, "line %u: \"%s\"", json_line(value), key->name);
    return OK;
}

static const struct json_key node_keys[] = {
    {.name = "id",
     .kind = JSON_NUMBER,
     .expected = "a node's id, a whole number from 1",
     .take = json_take_u64,
     .required = true,
     .offset = offsetof(struct genesis_node, id),
     .min = 1},
    JSON_KEY_NAME("name", struct genesis_node, name, identity_name_valid,
                  "the name of a node"),
    JSON_KEY_NAME("organisation", struct genesis_node, organisation,
                  identity_name_valid, "the name of an organisation"),
    {.name = "certificate",
     .kind = JSON_STRING,
     .expected = "a certificate in PEM",
     .take = take_certificate,
     .required = true},
    {.name = "cosigner",
     .kind = JSON_STRING,
     .expected = "a verifier key",
     .take = take_cosigner,
     .required = true},
};

/* What a node owns is released with the genesis, counted or not. */
static enum status take_node(const struct json_value *value, void *target,
                             struct error *err)
{
    struct genesis *genesis = target;
    struct genesis_node *node = &genesis->node[genesis->node_count];

    if (json_kind(value) != JSON_OBJECT)
        return wrong(value, "a node is an object", err);
    if (json_take_object(value, node_keys, sizeof node_keys / sizeof *node_keys,
                         node, err) != OK)
        return err->status;
    if (genesis_node(genesis, node->id) != NULL)
        return wrong(value, "a node has an id of its own", err);
    genesis->node_count++;
    return OK;
}

static enum status take_endorsements(const struct json_key *key,
                                     const struct json_value *object,
                                     void *target, struct error *err)
{
    struct genesis *genesis = target;

    (void)key;
    for (const struct json_value *value = json_first(object); value != NULL;
         value = json_next(value)) {
        enum entry_type type;

        if (!entry_type_parse(bytes_of_string(json_key(value)), &type))
            return wrong(value, "no type of entries", err);
        if (json_kind(value) != JSON_STRING)
            return wrong(value, "an endorsement policy is a text", err);
        if (endorsement_parse(&genesis->endorsement[type],
                              bytes_of_string(json_string(value)), err) != OK)
            return error_wrap(err, "line %u", json_line(value));
    }
    return OK;
}

static const struct json_key genesis_keys[] = {
    JSON_KEY_VERSION("genesis"),
    JSON_KEY_NAME("origin", struct genesis, origin, note_name_valid,
                  "the name of a log, without white space, control characters "
                  "or plus signs"),
    JSON_KEY_NAME("channel", struct genesis, channel, entry_channel_valid,
                  "1 to 64 lower-case letters, digits and dashes, a letter "
                  "first"),
    {.name = "roots",
     .kind = JSON_ARRAY,
     .expected = "certificates in PEM",
     .take = take_certificates,
     .required = true,
     .offset = offsetof(struct genesis, roots)},
    {.name = "authorities",
     .kind = JSON_ARRAY,
     .expected = "certificates in PEM",
     .take = take_certificates,
     .required = true,
     .offset = offsetof(struct genesis, authorities)},
    {.name = "members",
     .kind = JSON_ARRAY,
     .expected = "certificates in PEM",
     .take = take_certificates,
     .required = true,
     .offset = offsetof(struct genesis, members)},
    {.name = "nodes",
     .kind = JSON_ARRAY,
     .expected = "1 to 15 nodes",
     .take = json_take_items,
     .required = true,
     .min = 1,
     .max = GENESIS_NODES_MAX,
     .item = take_node},
    {.name = "endorsement",
     .kind = JSON_OBJECT,
     .expected = "policies by type of entry",
     .take = take_endorsements,
     .required = true},
};

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
    enum status status = check_authorities(genesis, err);

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
    enum status status = json_take_root(
        root, genesis_keys, sizeof genesis_keys / sizeof *genesis_keys, genesis,
        err);

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

static enum status take_genesis(struct bytes content, void *target,
                                struct error *err)
{
    return genesis_parse(target, content, err);
}

enum status genesis_load(struct genesis **genesis, const char *path,
                         struct error *err)
{
    *genesis = NULL;
    return file_load(path, GENESIS_SIZE_MAX, take_genesis, genesis, err);
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
