#include "anonymizer/attestation.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/attestation_internal.h"
#include "common/encoding.h"
#include "common/files.h"

#define STATEMENT_TYPE "https://in-toto.io/Statement/v1"
#define PREDICATE_TYPE "urn:anchorite:release:1"

/* A line behind the envelope; editors add it. */
#define CERTIFICATE_FILE_SIZE_MAX (DSSE_SIZE_MAX + 1)

const char *attestation_step_name(enum attestation_step step)
{
    static const char *const name[ATTESTATION_STEPS] = {"request", "approve",
                                                        "permit", "release"};

    assert((unsigned)step < ATTESTATION_STEPS);
    return name[step];
}

/* ---- writing ---- */

/* As a JSON string, which ends at a NUL: E_INPUT if there is one. */
static enum status add_bytes(struct json_value *object, const char *key,
                             struct bytes bytes, struct error *err)
{
    struct text text;
    enum status status;

    text_init(&text);
    status = text_append(&text, bytes.data, bytes.size, err);
    if (status == OK && strlen(text.data) != text.size)
        status = error_set(err, E_INPUT, "%s: has a NUL", key);
    if (status == OK)
        status = json_add_string(object, key, text.data, err);
    text_clear(&text);
    return status;
}

static enum status add_statement(struct json_value *predicate, const char *key,
                                 const struct attested_statement *statement,
                                 struct error *err)
{
    char salt[2 * COMMITMENT_SALT_SIZE + 1];
    struct json_value *object;
    enum status status = json_add_object(predicate, key, &object, err);

    hex_encode(bytes_of(statement->salt.byte, COMMITMENT_SALT_SIZE), salt);
    if (status == OK)
        status = json_add_string(object, "salt", salt, err);
    if (status == OK)
        status = add_bytes(object, "statement", statement->text, err);
    return status;
}

static enum status add_proofs(struct json_value *predicate,
                              const struct attestation_parts *parts,
                              struct error *err)
{
    struct json_value *object;
    enum status status = json_add_object(predicate, "proofs", &object, err);

    for (size_t i = 0; status == OK && i < ATTESTATION_STEPS; i++) {
        const char *name = attestation_step_name((enum attestation_step)i);
        struct json *json = NULL;

        status = json_parse(&json, parts->proof[i], err);
        if (status == OK)
            status = json_add_copy(object, name, json_root(json), err);
        json_destroy(&json);
        if (status != OK)
            return error_wrap(err, "proof of the %s", name);
    }
    return status;
}

static enum status
add_certificates(struct json_value *predicate, const char *key,
                 const struct certificate *const *certificate, size_t count,
                 struct error *err)
{
    struct json_value *list;
    struct text pem;
    enum status status = json_add_array(predicate, key, &list, err);

    text_init(&pem);
    for (size_t i = 0; status == OK && i < count; i++) {
        text_reset(&pem);
        status = certificate_append_pem(certificate[i], &pem, err);
        if (status == OK)
            status = json_add_string(list, NULL, pem.data, err);
    }
    text_clear(&pem);
    return status;
}

static enum status add_predicate(struct json_value *root,
                                 const struct attestation_parts *parts,
                                 struct error *err)
{
    const char delimiter[2] = {parts->delimiter};
    struct json_value *predicate;
    enum status status = json_add_object(root, "predicate", &predicate, err);

    if (status == OK)
        status = json_add_integer(predicate, "certificate", 1, err);
    if (status == OK)
        status = json_add_string(predicate, "release", parts->release, err);
    if (status == OK)
        status = json_add_string(predicate, "delimiter", delimiter, err);
    if (status == OK)
        status = add_bytes(predicate, "policy", parts->policy, err);
    if (status == OK)
        status = add_statement(predicate, "terms", &parts->terms, err);
    if (status == OK)
        status = add_statement(predicate, "permit", &parts->permit, err);
    if (status == OK)
        status = add_statement(predicate, "outcome", &parts->outcome, err);
    if (status == OK)
        status = add_proofs(predicate, parts, err);
    if (status == OK)
        status = add_certificates(predicate, "signers", parts->signer,
                                  parts->signer_count, err);
    if (status == OK)
        status = add_certificates(predicate, "authorities", parts->authority,
                                  parts->authority_count, err);
    return status;
}

/* The digest that stands in the release statement, so that the two cannot come
 * apart. */
static enum status add_subject(struct json_value *root,
                               const struct attestation_parts *parts,
                               struct error *err)
{
    struct json_value *list, *subject, *digest;
    const struct json_value *output = NULL;
    struct json *json = NULL;
    char name[RELEASE_ID_HEX_SIZE + 4];
    enum status status = json_parse(&json, parts->outcome.text, err);

    if (status == OK && json_kind(json_root(json)) == JSON_OBJECT)
        output = json_member(json_root(json), "output");
    if (status == OK && (output == NULL || json_kind(output) != JSON_STRING))
        status = error_set(err, E_INPUT,
                           "a release statement has an "
                           "\"output\"");
    snprintf(name, sizeof name, "%s.csv", parts->release);
    if (status == OK)
        status = json_add_array(root, "subject", &list, err);
    if (status == OK)
        status = json_add_object(list, NULL, &subject, err);
    if (status == OK)
        status = json_add_string(subject, "name", name, err);
    if (status == OK)
        status = json_add_object(subject, "digest", &digest, err);
    if (status == OK)
        status = json_add_string(digest, "sha256", json_string(output), err);
    json_destroy(&json);
    return status;
}

static enum status write_statement(const struct attestation_parts *parts,
                                   struct text *out, struct error *err)
{
    struct json *json = NULL;
    struct json_value *root;
    enum status status = json_create(&json, err);

    if (status != OK)
        return status;
    root = json_edit_root(json);
    status = json_add_string(root, "_type", STATEMENT_TYPE, err);
    if (status == OK)
        status = add_subject(root, parts, err);
    if (status == OK)
        status = json_add_string(root, "predicateType", PREDICATE_TYPE, err);
    if (status == OK)
        status = add_predicate(root, parts, err);
    if (status == OK)
        status = json_print_canonical(json_root(json), out, err);
    json_destroy(&json);
    return status;
}

enum status attestation_write(const struct attestation_parts *parts,
                              struct text *out, struct error *err)
{
    struct attestation *again = NULL;
    struct dsse_signature signature;
    struct text statement, envelope;
    enum status status;

    assert(strlen(parts->release) == RELEASE_ID_HEX_SIZE - 1);
    assert(parts->signer_count <= ATTESTATION_SIGNERS_MAX);
    assert(parts->authority_count <= ATTESTATION_SIGNERS_MAX);
    text_init(&statement);
    text_init(&envelope);
    status = write_statement(parts, &statement, err);
    if (status == OK)
        status =
            dsse_sign(text_bytes(&statement), certificate_id(parts->anonymizer),
                      parts->key, &signature, err);
    if (status == OK)
        status =
            dsse_write(text_bytes(&statement), &signature, 1, &envelope, err);
    /* Nobody publishes what nobody can read. */
    if (status == OK)
        status = attestation_parse(&again, text_bytes(&envelope), err);
    if (status == OK)
        status = text_append_string(&envelope, "\n", err);
    if (status == OK)
        status = text_append(out, envelope.data, envelope.size, err);
    attestation_destroy(&again);
    text_clear(&envelope);
    text_clear(&statement);
    return status;
}

/* ---- reading: takers ---- */

/* key->word[0] is what it must be. */
static enum status take_type(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    (void)target;
    if (strcmp(json_string(value), key->word[0].name) != 0)
        return error_set(err, E_VERSION, "line %u: \"%s\" is another than %s",
                         json_line(value), key->name, key->expected);
    return OK;
}

static enum status take_delimiter(const struct json_key *key,
                                  const struct json_value *value, void *target,
                                  struct error *err)
{
    const char *text = json_string(value);

    if (strlen(text) != 1 || (unsigned char)text[0] > 0x7f ||
        strchr("\"\r\n", text[0]) != NULL)
        return json_refuse(key, value, "is none", err);
    ((struct attestation *)target)->delimiter = text[0];
    return OK;
}

static enum status take_policy(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    struct attestation *made = target;

    made->policy_text = bytes_of_string(json_string(value));
    if (policy_parse_canonical(&made->policy, made->policy_text, err) != OK)
        return error_wrap(err, "\"%s\"", key->name);
    return OK;
}

static enum status take_salt(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    struct attested_statement *statement = target;

    if (!hex_decode(bytes_of_string(json_string(value)), statement->salt.byte,
                    COMMITMENT_SALT_SIZE))
        return json_refuse(key, value, "is none", err);
    return OK;
}

static enum status take_text(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    (void)key;
    (void)err;
    ((struct attested_statement *)target)->text =
        bytes_of_string(json_string(value));
    return OK;
}

static enum status take_statement(const struct json_key *key,
                                  const struct json_value *value, void *target,
                                  struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "salt",
         .kind = JSON_STRING,
         .expected = "64 lower-case hex digits",
         .take = take_salt,
         .required = true},
        {.name = "statement",
         .kind = JSON_STRING,
         .expected = "a statement's text",
         .take = take_text,
         .required = true},
    };

    return json_take_object(value, keys, COUNT_OF(keys),
                            (char *)target + key->offset, err);
}

/* At the offset: a struct proof *. */
static enum status take_proof(const struct json_key *key,
                              const struct json_value *value, void *target,
                              struct error *err)
{
    struct proof *proof = NULL;
    struct text text;
    enum status status;

    text_init(&text);
    status = json_print_canonical(value, &text, err);
    if (status == OK)
        status = proof_parse(&proof, text_bytes(&text), err);
    if (status != OK)
        status = error_wrap(err, "proof of the %s", key->name);
    memcpy((char *)target + key->offset, &proof, sizeof proof);
    text_clear(&text);
    return status;
}

#define PROOF(key, step)                                                       \
    {                                                                          \
        .name = (key), .kind = JSON_OBJECT, .expected = "a proof",             \
        .take = take_proof, .required = true,                                  \
        .offset = offsetof(struct attestation, proof) +                        \
                  (step) * sizeof(struct proof *)                              \
    }

static enum status take_proofs(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    static const struct json_key keys[] = {
        PROOF("approve", STEP_APPROVE),
        PROOF("permit", STEP_PERMIT),
        PROOF("release", STEP_RELEASE),
        PROOF("request", STEP_REQUEST),
    };
    struct attestation *made = target;

    if (json_take_object(value, keys, COUNT_OF(keys), made, err) != OK)
        return err->status;
    for (size_t i = 1; i < ATTESTATION_STEPS; i++)
        if (!bytes_equal(made->proof[0]->parts.note,
                         made->proof[i]->parts.note))
            return json_refuse(key, value, "are from two checkpoints", err);
    return OK;
}

static enum status take_certificate(const struct json_value *item,
                                    struct certificate **list, size_t *count,
                                    struct error *err)
{
    if (json_kind(item) != JSON_STRING)
        return error_set(err, E_INPUT, "line %u: a certificate is a PEM text",
                         json_line(item));
    if (certificate_parse_pem(&list[*count], bytes_of_string(json_string(item)),
                              err) != OK)
        return error_wrap(err, "line %u", json_line(item));
    ++*count;
    return OK;
}

static enum status take_signer(const struct json_value *item, void *target,
                               struct error *err)
{
    struct attestation *made = target;

    return take_certificate(item, made->signer, &made->signer_count, err);
}

static enum status take_authority(const struct json_value *item, void *target,
                                  struct error *err)
{
    struct attestation *made = target;

    return take_certificate(item, made->authority, &made->authority_count, err);
}

/* ---- reading: the whole ---- */

#define STATEMENT(key, member)                                                 \
    {                                                                          \
        .name = (key), .kind = JSON_OBJECT,                                    \
        .expected = "a statement with its salt", .take = take_statement,       \
        .required = true, .offset = offsetof(struct attestation, member)       \
    }
#define CERTIFICATES(key, taker)                                               \
    {                                                                          \
        .name = (key), .kind = JSON_ARRAY,                                     \
        .expected = "1 to 16 certificates in PEM", .take = json_take_items,    \
        .required = true, .min = 1, .max = ATTESTATION_SIGNERS_MAX,            \
        .item = (taker)                                                        \
    }

static enum status take_predicate(const struct json_key *key,
                                  const struct json_value *value, void *target,
                                  struct error *err)
{
    static const struct json_key version =
        JSON_KEY_KNOWN_VERSION("certificate");
    const struct json_key keys[] = {
        version,
        {.name = "release",
         .kind = JSON_STRING,
         .expected = "the id of a release, 32 lower-case hex digits",
         .take = attestation_take_hex,
         .required = true,
         .offset = offsetof(struct attestation, release),
         .size = RELEASE_ID_HEX_SIZE},
        {.name = "delimiter",
         .kind = JSON_STRING,
         .expected = "one ASCII character, no quote and no line end",
         .take = take_delimiter,
         .required = true},
        {.name = "policy",
         .kind = JSON_STRING,
         .expected = "a policy in canonical form",
         .take = take_policy,
         .required = true},
        STATEMENT("terms", terms),
        STATEMENT("permit", permit),
        STATEMENT("outcome", outcome),
        {.name = "proofs",
         .kind = JSON_OBJECT,
         .expected = "proofs of four entries, under one checkpoint",
         .take = take_proofs,
         .required = true},
        CERTIFICATES("signers", take_signer),
        CERTIFICATES("authorities", take_authority),
    };

    (void)key;
    /* First: the keys of another format are not ours to judge. */
    if (json_take_member(value, &version, target, err) != OK)
        return err->status;
    return json_take_object(value, keys, COUNT_OF(keys), target, err);
}

static enum status take_digest(const struct json_key *key,
                               const struct json_value *value, void *target,
                               struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "sha256",
         .kind = JSON_STRING,
         .expected = "64 lower-case hex digits",
         .take = attestation_take_hex,
         .required = true,
         .offset = offsetof(struct attestation, output),
         .size = DIGEST_HEX_SIZE},
    };

    (void)key;
    return json_take_object(value, keys, COUNT_OF(keys), target, err);
}

/* The name is for people: nothing rests on it, but nothing may hide in it. */
static enum status take_name(const struct json_key *key,
                             const struct json_value *value, void *target,
                             struct error *err)
{
    struct attestation *made = target;
    const char *name = json_string(value);
    char id[RELEASE_ID_HEX_SIZE];
    const size_t digits = sizeof id - 1;

    if (strlen(name) != digits + 4 || strcmp(name + digits, ".csv") != 0)
        return json_refuse(key, value, "is another", err);
    memcpy(id, name, digits);
    id[digits] = '\0';
    if (strspn(id, "0123456789abcdef") != digits)
        return json_refuse(key, value, "is another", err);
    memcpy(made->subject, id, sizeof id);
    return OK;
}

static enum status take_subject(const struct json_value *item, void *target,
                                struct error *err)
{
    static const struct json_key keys[] = {
        {.name = "digest",
         .kind = JSON_OBJECT,
         .expected = "a SHA-256",
         .take = take_digest,
         .required = true},
        {.name = "name",
         .kind = JSON_STRING,
         .expected = "the id of a release and \".csv\"",
         .take = take_name,
         .required = true},
    };

    if (json_kind(item) != JSON_OBJECT)
        return error_set(err, E_INPUT, "line %u: a subject is an object",
                         json_line(item));
    return json_take_object(item, keys, COUNT_OF(keys), target, err);
}

static enum status take_root(struct attestation *made,
                             const struct json_value *root, struct error *err)
{
    static const struct json_word statement[] = {{.name = STATEMENT_TYPE}, {0}};
    static const struct json_word predicate[] = {{.name = PREDICATE_TYPE}, {0}};
    static const struct json_key type = {.name = "predicateType",
                                         .kind = JSON_STRING,
                                         .expected = "\"" PREDICATE_TYPE "\"",
                                         .take = take_type,
                                         .required = true,
                                         .word = predicate};
    const struct json_key keys[] = {
        {.name = "_type",
         .kind = JSON_STRING,
         .expected = "\"" STATEMENT_TYPE "\"",
         .take = take_type,
         .required = true,
         .word = statement},
        type,
        {.name = "subject",
         .kind = JSON_ARRAY,
         .expected = "one file",
         .take = json_take_items,
         .required = true,
         .min = 1,
         .max = 1,
         .item = take_subject},
        {.name = "predicate",
         .kind = JSON_OBJECT,
         .expected = "a certificate",
         .take = take_predicate,
         .required = true},
    };

    if (json_kind(root) == JSON_OBJECT &&
        json_take_member(root, &type, made, err) != OK)
        return err->status;
    return json_take_root(root, keys, COUNT_OF(keys), made, err);
}

enum status attestation_parse(struct attestation **out, struct bytes text,
                              struct error *err)
{
    struct attestation *made = calloc(1, sizeof *made);
    enum status status;

    *out = NULL;
    if (made == NULL)
        return error_memory(err, "a certificate");
    status = dsse_parse(&made->envelope, text, err);
    /* Others may sign such envelopes together; a certificate is one
     * anonymizer's word. */
    if (status == OK && made->envelope.signature_count != 1)
        status = error_set(err, E_INPUT, "%zu signatures, expected one",
                           made->envelope.signature_count);
    if (status == OK)
        status = json_parse(&made->statement,
                            text_bytes(&made->envelope.payload), err);
    if (status == OK)
        status = take_root(made, json_root(made->statement), err);
    if (status == OK)
        status = attestation_read_statements(made, err);
    if (status != OK)
        attestation_destroy(&made);
    *out = made;
    return status;
}

enum status attestation_load(struct attestation **attestation, const char *path,
                             struct error *err)
{
    struct text text;
    enum status status;

    *attestation = NULL;
    text_init(&text);
    status = file_read(path, CERTIFICATE_FILE_SIZE_MAX, &text, err);
    if (status == OK &&
        attestation_parse(attestation, text_bytes(&text), err) != OK)
        status = error_wrap(err, "%s", path);
    text_clear(&text);
    return status;
}

void attestation_destroy(struct attestation **handle)
{
    struct attestation *old = *handle;

    if (old == NULL)
        return;
    for (size_t i = 0; i < ATTESTATION_STEPS; i++)
        proof_destroy(&old->proof[i]);
    for (size_t i = 0; i < old->signer_count; i++)
        certificate_destroy(&old->signer[i]);
    for (size_t i = 0; i < old->authority_count; i++)
        certificate_destroy(&old->authority[i]);
    policy_close(&old->policy);
    json_destroy(&old->terms_json);
    json_destroy(&old->permit_json);
    json_destroy(&old->outcome_json);
    json_destroy(&old->statement);
    dsse_clear(&old->envelope);
    free(old);
    *handle = NULL;
}
