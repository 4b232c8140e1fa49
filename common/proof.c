#include "common/proof.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"
#include "common/files.h"
#include "common/json.h"
#include "common/json_keys.h"

/* Whole numbers that JSON holds exactly. */
#define JSON_WHOLE_MAX (INT64_C(1) << 53)

/* ---- takers of both formats ---- */

/* A text that stays in the document. */
static enum status take_borrowed(const struct json_key *key,
                                 const struct json_value *value, void *target,
                                 struct error *err)
{
    struct bytes bytes = bytes_of_string(json_string(value));

    (void)err;
    memcpy((char *)target + key->offset, &bytes, sizeof bytes);
    return OK;
}

/* ---- trust: reading ---- */

struct node_keys {
    struct bytes name;
    struct bytes key;
};

/* One signer must not count twice, and a name must say who it is. */
static bool node_is_new(const struct trust *trust,
                        const struct note_verifier *node)
{
    for (size_t i = 0; i < trust->node_count; i++)
        if (strcmp(trust->node[i].name, node->name) == 0 ||
            memcmp(trust->node[i].key, node->key, sizeof node->key) == 0)
            return false;
    return true;
}

static enum status take_node(const struct json_value *value, void *target,
                             struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "name",
         .kind = JSON_STRING,
         .expected = "the name in its key",
         .take = take_borrowed,
         .required = true,
         .offset = offsetof(struct node_keys, name)},
        {.name = "key",
         .kind = JSON_STRING,
         .expected = "a verifier key",
         .take = take_borrowed,
         .required = true,
         .offset = offsetof(struct node_keys, key)},
    };
    struct trust *trust = target;
    struct note_verifier *node = &trust->node[trust->node_count];
    struct node_keys taken;

    if (json_kind(value) != JSON_OBJECT)
        return error_set(err, E_INPUT, "line %u: a node is an object",
                         json_line(value));
    if (json_take_object(value, keys, sizeof keys / sizeof *keys, &taken,
                         err) != OK)
        return err->status;
    if (note_verifier_parse(node, taken.key, err) != OK)
        return error_wrap(err, "line %u", json_line(value));
    if (!bytes_equal_string(taken.name, node->name) ||
        !node_is_new(trust, node)) {
        note_verifier_clear(node);
        return error_set(err, E_INPUT,
                         "line %u: a node has the name of its key, and name "
                         "and key for itself alone",
                         json_line(value));
    }
    trust->node_count++;
    return OK;
}

static enum status take_root(const struct json_value *value, void *target,
                             struct error *err)
{
    struct trust *trust = target;
    struct certificate **root = &trust->root[trust->root_count];

    if (json_kind(value) != JSON_STRING)
        return error_set(err, E_INPUT, "line %u: a root is a PEM text",
                         json_line(value));
    if (certificate_parse_pem(root, bytes_of_string(json_string(value)), err) !=
        OK)
        return error_wrap(err, "line %u", json_line(value));
    trust->root_count++;
    if (!certificate_subject(*root)->is_authority)
        return error_set(err, E_INPUT,
                         "line %u: a root is an authority's certificate",
                         json_line(value));
    return OK;
}

static enum status take_demo(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    (void)key;
    (void)err;
    ((struct trust *)target)->demo = json_boolean(value);
    return OK;
}

static const struct json_key trust_keys[] = {
    JSON_KEY_KNOWN_VERSION("trust"),
    JSON_KEY_NAME("origin", struct trust, origin, note_name_valid,
                  "the name of a log"),
    {.name = "nodes",
     .kind = JSON_ARRAY,
     .expected = "1 to 15 nodes",
     .take = json_take_items,
     .required = true,
     .min = 1,
     .max = TRUST_NODES_MAX,
     .item = take_node},
    {.name = "quorum",
     .kind = JSON_NUMBER,
     .expected = "how many nodes must have signed, 1 to 15",
     .take = json_take_count,
     .required = true,
     .offset = offsetof(struct trust, quorum),
     .min = 1,
     .max = TRUST_NODES_MAX},
    {.name = "roots",
     .kind = JSON_ARRAY,
     .expected = "1 to 32 certificates in PEM",
     .take = json_take_items,
     .required = true,
     .min = 1,
     .max = TRUST_ROOTS_MAX,
     .item = take_root},
    {.name = "minimum_size",
     .kind = JSON_NUMBER,
     .expected = "the size of a log",
     .take = json_take_u64,
     .required = true,
     .offset = offsetof(struct trust, minimum_size)},
    {.name = "demo",
     .kind = JSON_BOOLEAN,
     .expected = "true if all keys were made on one machine",
     .take = take_demo},
};

enum status trust_parse(struct trust **out, struct bytes text,
                        struct error *err)
{
    struct trust *trust = calloc(1, sizeof *trust);
    enum status status;

    *out = NULL;
    if (trust == NULL)
        return error_memory(err, "what to trust");
    status = json_take_text(text, trust_keys,
                            sizeof trust_keys / sizeof *trust_keys, trust, err);
    if (status == OK && trust->quorum > trust->node_count)
        status = error_set(err, E_INPUT, "a quorum of %u among %zu nodes",
                           (unsigned)trust->quorum, trust->node_count);
    if (status != OK)
        trust_destroy(&trust);
    *out = trust;
    return status;
}

static enum status take_trust(struct bytes content, void *target,
                              struct error *err)
{
    return trust_parse(target, content, err);
}

enum status trust_load(struct trust **trust, const char *path,
                       struct error *err)
{
    *trust = NULL;
    return file_load(path, TRUST_SIZE_MAX, take_trust, trust, err);
}

void trust_destroy(struct trust **handle)
{
    struct trust *trust = *handle;

    if (trust == NULL)
        return;
    for (size_t i = 0; i < trust->node_count; i++)
        note_verifier_clear(&trust->node[i]);
    for (size_t i = 0; i < trust->root_count; i++)
        certificate_destroy(&trust->root[i]);
    free(trust);
    *handle = NULL;
}

/* ---- trust: writing ---- */

static enum status add_nodes(const struct trust *trust, struct json_value *list,
                             struct error *err)
{
    struct json_value *object;
    struct text key;
    enum status status = OK;

    text_init(&key);
    for (size_t i = 0; status == OK && i < trust->node_count; i++) {
        text_reset(&key);
        status = note_verifier_append(&trust->node[i], &key, err);
        if (status == OK)
            status = json_add_object(list, NULL, &object, err);
        if (status == OK)
            status = json_add_string(object, "name", trust->node[i].name, err);
        if (status == OK)
            status = json_add_string(object, "key", key.data, err);
    }
    text_clear(&key);
    return status;
}

static enum status add_roots(const struct trust *trust, struct json_value *list,
                             struct error *err)
{
    struct text pem;
    enum status status = OK;

    text_init(&pem);
    for (size_t i = 0; status == OK && i < trust->root_count; i++) {
        text_reset(&pem);
        status = certificate_append_pem(trust->root[i], &pem, err);
        if (status == OK)
            status = json_add_string(list, NULL, pem.data, err);
    }
    text_clear(&pem);
    return status;
}

enum status trust_write(const struct trust *trust, struct text *out,
                        struct error *err)
{
    struct json *json = NULL;
    struct json_value *root, *list;
    enum status status = json_create(&json, err);

    assert(trust->minimum_size <= JSON_WHOLE_MAX);
    if (status != OK)
        return status;
    root = json_edit_root(json);
    status = json_add_integer(root, "trust", 1, err);
    if (status == OK)
        status = json_add_string(root, "origin", trust->origin, err);
    if (status == OK)
        status = json_add_array(root, "nodes", &list, err);
    if (status == OK)
        status = add_nodes(trust, list, err);
    if (status == OK)
        status = json_add_integer(root, "quorum", trust->quorum, err);
    if (status == OK)
        status = json_add_array(root, "roots", &list, err);
    if (status == OK)
        status = add_roots(trust, list, err);
    if (status == OK)
        status = json_add_integer(root, "minimum_size",
                                  (int64_t)trust->minimum_size, err);
    if (status == OK && trust->demo)
        status = json_add_boolean(root, "demo", true, err);
    if (status == OK)
        status = json_print(json_root(json), out, err);
    json_destroy(&json);
    return status;
}

/* ---- checkpoints ---- */

/* What is wrong with the evidence makes the answer no; what is wrong with us
 * does not. */
static enum status to_no(struct error *err, const char *check)
{
    if (err->status == E_INPUT || err->status == E_REFUSED ||
        err->status == E_LIMIT)
        err->status = E_NO;
    return error_wrap(err, "%s", check);
}

static enum status check_note(const struct trust *trust, struct bytes bytes,
                              struct trusted_checkpoint *trusted,
                              struct error *err)
{
    const struct checkpoint *checkpoint = &trusted->checkpoint;
    struct note note;

    *trusted = (struct trusted_checkpoint){.signed_count = 0};
    if (note_parse(&note, bytes, err) != OK ||
        checkpoint_parse(&trusted->checkpoint, note.text, err) != OK)
        return to_no(err, "checkpoint");
    if (strcmp(checkpoint->origin, trust->origin) != 0)
        return error_set(err, E_NO,
                         "checkpoint: it is of another log than the trusted "
                         "one");
    if (note_verify(&note, trust->node, trust->node_count, trusted->signed_by,
                    trusted->signed_at, err) != OK)
        return to_no(err, "cosignatures");
    for (size_t i = 0; i < trust->node_count; i++)
        trusted->signed_count += trusted->signed_by[i];
    if (trusted->signed_count < trust->quorum)
        return error_set(err, E_NO,
                         "cosignatures: %zu of the trusted nodes have signed, "
                         "%u must have",
                         trusted->signed_count, (unsigned)trust->quorum);
    if (checkpoint->size < trust->minimum_size)
        return error_set(err, E_NO,
                         "checkpoint: it is of %ju entries, at least %ju are "
                         "trusted",
                         (uintmax_t)checkpoint->size,
                         (uintmax_t)trust->minimum_size);
    return OK;
}

enum status trust_check_note(const struct trust *trust, struct bytes bytes,
                             struct trusted_checkpoint *trusted,
                             struct error *err)
{
    enum status status = check_note(trust, bytes, trusted, err);

    if (status == OK)
        digest_parts(&trusted->note, &bytes, 1);
    return status;
}

/* ---- proofs: writing ---- */

static enum status add_text(struct json_value *object, const char *key,
                            struct bytes bytes, struct error *err)
{
    struct text text;
    enum status status;

    text_init(&text);
    status = text_append(&text, bytes.data, bytes.size, err);
    /* A string ends at a NUL: what lies behind would be lost unseen. */
    if (status == OK && strlen(text.data) != text.size)
        status = error_set(err, E_INPUT, "%s: has a NUL", key);
    if (status == OK)
        status = json_add_string(object, key, text.data, err);
    text_clear(&text);
    return status;
}

static enum status add_u64(struct json_value *object, const char *key,
                           uint64_t number, struct error *err)
{
    if (number > (uint64_t)JSON_WHOLE_MAX)
        return error_set(err, E_LIMIT, "%s: beyond 2^53", key);
    return json_add_integer(object, key, (int64_t)number, err);
}

static enum status add_hashes(struct json_value *list,
                              const struct merkle_proof *path,
                              struct error *err)
{
    struct text base64;
    enum status status = OK;

    text_init(&base64);
    for (size_t i = 0; status == OK && i < path->count; i++) {
        text_reset(&base64);
        status = base64_append(&base64,
                               bytes_of(path->hash[i].byte, DIGEST_SIZE), err);
        if (status == OK)
            status = json_add_string(list, NULL, base64.data, err);
    }
    text_clear(&base64);
    return status;
}

enum status proof_write(const struct proof_parts *parts, struct text *out,
                        struct error *err)
{
    struct json *json = NULL;
    struct json_value *root, *list;
    enum status status = json_create(&json, err);

    if (status != OK)
        return status;
    root = json_edit_root(json);
    status = json_add_integer(root, "proof", 1, err);
    if (status == OK)
        status = add_text(root, "entry", parts->entry, err);
    if (status == OK)
        status = add_text(root, "signatures", parts->signatures, err);
    if (status == OK)
        status = json_add_string(root, "verdict",
                                 entry_verdict_name(parts->verdict), err);
    if (status == OK)
        status = add_u64(root, "block", parts->block, err);
    if (status == OK)
        status = add_u64(root, "index", parts->index, err);
    if (status == OK)
        status = json_add_array(root, "hashes", &list, err);
    if (status == OK)
        status = add_hashes(list, &parts->path, err);
    if (status == OK)
        status = add_text(root, "note", parts->note, err);
    if (status == OK)
        status = json_print(json_root(json), out, err);
    json_destroy(&json);
    return status;
}

/* ---- proofs: reading ---- */

static const struct json_word verdict_words[] = {
#define VERDICT_WORD(byte, id, text) {.name = (text)},
    VERDICT_TABLE(VERDICT_WORD)
#undef VERDICT_WORD
        {.name = NULL},
};

static enum status take_verdict(const struct json_key *key,
                                const struct json_value *value, void *target,
                                struct error *err)
{
    /* In the order of the table above. */
    static const enum entry_verdict verdicts[] = {
#define VERDICT_VALUE(byte, id, text) VERDICT_##id,
        VERDICT_TABLE(VERDICT_VALUE)
#undef VERDICT_VALUE
    };
    unsigned index = 0;
    enum status status = json_find_word(key, value, &index, err);

    if (status == OK)
        ((struct proof_parts *)target)->verdict = verdicts[index];
    return status;
}

static enum status take_hash(const struct json_value *value,
                             struct digest *hash, struct error *err)
{
    struct text raw;
    enum status status;

    if (json_kind(value) != JSON_STRING)
        return error_set(err, E_INPUT, "line %u: a hash is a base64 text",
                         json_line(value));
    text_init(&raw);
    status = base64_decode(&raw, bytes_of_string(json_string(value)), err);
    if (status == OK && raw.size != DIGEST_SIZE)
        status = error_set(err, E_INPUT, "a hash of %zu bytes, expected %d",
                           raw.size, DIGEST_SIZE);
    if (status == OK)
        memcpy(hash->byte, raw.data, DIGEST_SIZE);
    else
        status = error_wrap(err, "line %u", json_line(value));
    text_clear(&raw);
    return status;
}

static enum status take_hashes(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    struct merkle_proof *path = &((struct proof_parts *)target)->path;
    enum status status = OK;

    if (json_length(value) > MERKLE_DEPTH_MAX)
        return json_refuse(key, value, "are more", err);
    for (const struct json_value *item = json_first(value);
         status == OK && item != NULL; item = json_next(item)) {
        status = take_hash(item, &path->hash[path->count], err);
        path->count += status == OK;
    }
    return status;
}

static const struct json_key proof_keys[] = {
    JSON_KEY_KNOWN_VERSION("proof"),
    {.name = "entry",
     .kind = JSON_STRING,
     .expected = "the text of an entry",
     .take = take_borrowed,
     .required = true,
     .offset = offsetof(struct proof_parts, entry)},
    {.name = "signatures",
     .kind = JSON_STRING,
     .expected = "the text of its signatures",
     .take = take_borrowed,
     .required = true,
     .offset = offsetof(struct proof_parts, signatures)},
    {.name = "verdict",
     .kind = JSON_STRING,
     .expected = "what the nodes found",
     .take = take_verdict,
     .required = true,
     .word = verdict_words},
    {.name = "block",
     .kind = JSON_NUMBER,
     .expected = "the number of a block",
     .take = json_take_u64,
     .required = true,
     .offset = offsetof(struct proof_parts, block)},
    {.name = "index",
     .kind = JSON_NUMBER,
     .expected = "a position in the log",
     .take = json_take_u64,
     .required = true,
     .offset = offsetof(struct proof_parts, index)},
    {.name = "hashes",
     .kind = JSON_ARRAY,
     .expected = "at most 63 hashes",
     .take = take_hashes,
     .required = true},
    {.name = "note",
     .kind = JSON_STRING,
     .expected = "the text of a signed note",
     .take = take_borrowed,
     .required = true,
     .offset = offsetof(struct proof_parts, note)},
};

static enum status proof_take(struct proof *proof, struct error *err)
{
    const struct json_value *root = json_root(proof->json);

    if (json_take_root(root, proof_keys, sizeof proof_keys / sizeof *proof_keys,
                       &proof->parts, err) != OK)
        return err->status;
    if (entry_parse(&proof->entry, proof->parts.entry, proof->parts.signatures,
                    err) != OK)
        return error_wrap(err, "its entry");
    return OK;
}

enum status proof_parse(struct proof **out, struct bytes text,
                        struct error *err)
{
    struct proof *proof = calloc(1, sizeof *proof);
    enum status status;

    *out = NULL;
    if (proof == NULL)
        return error_memory(err, "a proof");
    status = text.size > PROOF_SIZE_MAX
                 ? error_set(err, E_LIMIT, "%zu bytes, a proof has at most %u",
                             text.size, PROOF_SIZE_MAX)
                 : json_parse(&proof->json, text, err);
    if (status == OK)
        status = proof_take(proof, err);
    if (status != OK)
        proof_destroy(&proof);
    *out = proof;
    return status;
}

static enum status take_proof(struct bytes content, void *target,
                              struct error *err)
{
    return proof_parse(target, content, err);
}

enum status proof_load(struct proof **proof, const char *path,
                       struct error *err)
{
    *proof = NULL;
    return file_load(path, PROOF_SIZE_MAX, take_proof, proof, err);
}

void proof_destroy(struct proof **handle)
{
    struct proof *proof = *handle;

    if (proof == NULL)
        return;
    entry_clear(&proof->entry);
    json_destroy(&proof->json);
    free(proof);
    *handle = NULL;
}

/* ---- proofs: verifying ---- */

static enum status verify_under(const struct proof *proof,
                                const struct checkpoint *checkpoint,
                                struct error *err)
{
    const struct proof_parts *parts = &proof->parts;
    struct digest hash;
    struct text leaf;
    enum status status;

    if (strcmp(proof->entry.origin, checkpoint->origin) != 0)
        return error_set(err, E_NO,
                         "entry: it was made for another log than the trusted "
                         "one");
    text_init(&leaf);
    status = entry_leaf(parts->entry, parts->signatures, parts->verdict,
                        parts->block, &leaf, err);
    if (status == OK) {
        merkle_leaf(&hash, text_bytes(&leaf));
        if (!merkle_verify_inclusion(&hash, parts->index, checkpoint->size,
                                     parts->path.hash, parts->path.count,
                                     &checkpoint->root))
            status = error_set(err, E_NO,
                               "inclusion: the path from entry, signatures, "
                               "verdict and block does not lead to the "
                               "checkpoint's root");
    }
    text_clear(&leaf);
    return status;
}

enum status proof_verify(const struct proof *proof, const struct trust *trust,
                         struct trusted_checkpoint *checkpoint,
                         struct error *err)
{
    enum status status =
        trust_check_note(trust, proof->parts.note, checkpoint, err);

    if (status != OK)
        return status;
    return verify_under(proof, &checkpoint->checkpoint, err);
}

enum status proof_verify_next(const struct proof *proof,
                              const struct trust *trust,
                              struct trusted_checkpoint *checkpoint,
                              struct error *err)
{
    struct digest note;

    digest_parts(&note, &proof->parts.note, 1);
    if (memcmp(&note, &checkpoint->note, sizeof note) != 0)
        return proof_verify(proof, trust, checkpoint, err);
    return verify_under(proof, &checkpoint->checkpoint, err);
}
