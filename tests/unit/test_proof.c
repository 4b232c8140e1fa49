#include "common/proof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/encoding.h"
#include "common/json.h"
#include "tests/lib/suite.h"

void suite_proof(void);

#define NODES 3
#define ORIGIN "log.example/1"
#define AUTHOR "0123456789abcdef0123456789abcdef"
#define ENTRY                                                                  \
    "{\"author\":\"" AUTHOR "\",\"channel\":\"main\",\"nonce\":"               \
    "\"00112233445566778899aabbccddeeff\",\"origin\":\"" ORIGIN "\","          \
    "\"payload\":{},\"type\":\"dataset\"}"

/* A trust file's nodes with their keys, and a proof of a log of two entries:
 * the other leaf is the one byte 'x'. */
struct world {
    struct private_key *key[NODES];
    struct private_key *root_key;
    struct trust trust;
    struct text signatures;
    struct text note;
    struct digest left, root;
    struct proof_parts parts;
};

static void demand(enum status status, const struct error *err)
{
    if (status == OK)
        return;
    fprintf(stderr, "\n%s\n", err->text);
    abort();
}

/* By RFC 6962's words and nothing else of ours but SHA-256. */
static void hash_leaf(struct digest *hash, const char *leaf, size_t size)
{
    struct bytes parts[] = {bytes_of("\0", 1), bytes_of(leaf, size)};

    digest_parts(hash, parts, 2);
}
static void hash_node(struct digest *hash, const struct digest *left,
                      const struct digest *right)
{
    struct bytes parts[] = {bytes_of("\1", 1), bytes_of(left->byte, 32),
                            bytes_of(right->byte, 32)};

    digest_parts(hash, parts, 3);
}

/* The leaf as common/entry.h draws it: block 7, verdict `verdict`. */
static void hash_entry(struct digest *hash, const struct text *signatures,
                       uint8_t verdict)
{
    char leaf[1024];
    uint8_t size[4] = {0, 0, (uint8_t)((sizeof ENTRY - 1) >> 8),
                       (uint8_t)((sizeof ENTRY - 1) & 255)};
    static const uint8_t block[8] = {0, 0, 0, 0, 0, 0, 0, 7};
    struct digest digest;
    struct bytes part = text_bytes(signatures);
    size_t at = 0;

    digest_parts(&digest, &part, 1);
    memcpy(leaf, size, 4);
    memcpy(leaf + 4, ENTRY, sizeof ENTRY - 1);
    at = 4 + sizeof ENTRY - 1;
    memcpy(leaf + at, digest.byte, 32);
    leaf[at + 32] = (char)verdict;
    memcpy(leaf + at + 33, block, 8);
    hash_leaf(hash, leaf, at + 41);
}

static void write_note(struct world *world, const char *origin, uint64_t size,
                       size_t signers)
{
    struct checkpoint checkpoint = {.size = size, .root = world->root};
    struct text text;
    struct error err;

    error_init(&err);
    text_init(&text);
    text_reset(&world->note);
    snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", origin);
    demand(checkpoint_append(&checkpoint, &text, &err), &err);
    demand(text_append(&world->note, text.data, text.size, &err), &err);
    demand(text_append_string(&world->note, "\n", &err), &err);
    for (size_t i = 0; i < signers; i++)
        demand(note_cosign(world->trust.node[i].name, world->key[i],
                           text_bytes(&text), 1700000000, &world->note, &err),
               &err);
    text_clear(&text);
    world->parts.note = text_bytes(&world->note);
}

static void world_trust(struct world *world, struct error *err)
{
    struct certificate_subject subject = {
        .organisation = "network", .name = "root", .is_authority = true};
    int64_t now_ms = (int64_t)time(NULL) * 1000;
    struct certificate_terms terms = {.subject = &subject,
                                      .not_before_ms = now_ms,
                                      .not_after_ms = now_ms + 86400000};

    snprintf(world->trust.origin, sizeof world->trust.origin, "%s", ORIGIN);
    world->trust.quorum = 2;
    for (size_t i = 0; i < NODES; i++) {
        struct public_key *key = NULL;
        char name[16];

        snprintf(name, sizeof name, "node%zu", i + 1);
        demand(private_key_generate(&world->key[i], KEY_ED25519, err), err);
        demand(private_key_public(world->key[i], &key, err), err);
        demand(note_verifier_create(&world->trust.node[i], name, key, err),
               err);
        world->trust.node_count++;
        public_key_destroy(&key);
    }
    demand(private_key_generate(&world->root_key, KEY_P256, err), err);
    demand(certificate_create_root(&world->trust.root[0], world->root_key,
                                   &terms, err),
           err);
    world->trust.root_count = 1;
}

static void world_open(struct world *world)
{
    struct entry_signature signature;
    struct digest entry;
    struct error err;

    error_init(&err);
    memset(world, 0, sizeof *world);
    text_init(&world->signatures);
    text_init(&world->note);
    world_trust(world, &err);
    demand(entry_sign(bytes_of_string(ENTRY), AUTHOR, world->root_key,
                      &signature, &err),
           &err);
    demand(entry_write_signatures(&signature, 1, &world->signatures, &err),
           &err);
    hash_leaf(&world->left, "x", 1);
    hash_entry(&entry, &world->signatures, 0);
    hash_node(&world->root, &world->left, &entry);
    world->parts =
        (struct proof_parts){.entry = bytes_of_string(ENTRY),
                             .signatures = text_bytes(&world->signatures),
                             .verdict = VERDICT_VALID,
                             .block = 7,
                             .index = 1,
                             .path = {.count = 1, .hash = {world->left}}};
    write_note(world, ORIGIN, 2, 2);
}

static void world_close(struct world *world)
{
    for (size_t i = 0; i < NODES; i++) {
        private_key_destroy(&world->key[i]);
        note_verifier_clear(&world->trust.node[i]);
    }
    private_key_destroy(&world->root_key);
    certificate_destroy(&world->trust.root[0]);
    text_clear(&world->signatures);
    text_clear(&world->note);
}

/* Written, read again, verified. */
static enum status verify(const struct world *world,
                          struct trusted_checkpoint *checkpoint,
                          struct error *err)
{
    struct proof *proof = NULL;
    struct text text;
    enum status status;

    error_init(err);
    text_init(&text);
    status = proof_write(&world->parts, &text, err);
    if (status == OK)
        status = proof_parse(&proof, text_bytes(&text), err);
    if (status == OK)
        status = proof_verify(proof, &world->trust, checkpoint, err);
    proof_destroy(&proof);
    text_clear(&text);
    return status;
}

static void expect_no(const struct world *world, const char *words)
{
    struct trusted_checkpoint checkpoint;
    struct error err;

    CU_ASSERT_EQUAL(verify(world, &checkpoint, &err), E_NO);
    if (strncmp(err.text, words, strlen(words)) != 0) {
        fprintf(stderr, "\nnot \"%s\": %s\n", words, err.text);
        CU_FAIL("another check");
    }
}

/* ---- proofs ---- */

static void a_proof_made_by_hand_holds(void)
{
    struct trusted_checkpoint trusted;
    struct world world;
    struct error err;

    world_open(&world);
    CU_ASSERT_EQUAL(verify(&world, &trusted, &err), OK);
    CU_ASSERT_STRING_EQUAL(err.text, "");
    CU_ASSERT_EQUAL(trusted.checkpoint.size, 2);
    CU_ASSERT_EQUAL(trusted.signed_count, 2);
    CU_ASSERT_TRUE(trusted.signed_by[0] && trusted.signed_by[1]);
    CU_ASSERT_FALSE(trusted.signed_by[2]);
    CU_ASSERT_EQUAL(trusted.signed_at[1], 1700000000);
    world.trust.minimum_size = 2;
    CU_ASSERT_EQUAL(verify(&world, &trusted, &err), OK);
    world_close(&world);
}

static void whatever_is_altered_is_named(void)
{
    static const char inclusion[] = "inclusion: ";
    struct world world;

    world_open(&world);
    world.parts.verdict = VERDICT_FORBIDDEN;
    expect_no(&world, inclusion);
    world.parts.verdict = VERDICT_VALID;
    world.parts.block = 8;
    expect_no(&world, inclusion);
    world.parts.block = 7;
    world.parts.index = 0;
    expect_no(&world, inclusion);
    world.parts.index = 2;
    expect_no(&world, inclusion);
    world.parts.index = 1;
    world.parts.path.hash[0].byte[31] ^= 1;
    expect_no(&world, inclusion);
    world.parts.path.hash[0].byte[31] ^= 1;
    world.parts.path.count = 0;
    expect_no(&world, inclusion);
    world.parts.path.count = 2;
    expect_no(&world, inclusion);
    world.parts.path.count = 1;
    write_note(&world, ORIGIN, 3, 2);
    expect_no(&world, inclusion);
    world_close(&world);
}

static void an_entry_of_other_signatures_is_not_proven(void)
{
    struct entry_signature signature;
    struct world world;
    struct text again;
    struct error err;

    error_init(&err);
    world_open(&world);
    text_init(&again);
    /* ECDSA draws a nonce: a second signature of the same key is another. */
    demand(entry_sign(bytes_of_string(ENTRY), AUTHOR, world.root_key,
                      &signature, &err),
           &err);
    signature.bytes[signature.size - 1] ^= 1;
    demand(entry_write_signatures(&signature, 1, &again, &err), &err);
    world.parts.signatures = text_bytes(&again);
    expect_no(&world, "inclusion: ");
    text_clear(&again);
    world_close(&world);
}

static void a_checkpoint_that_is_not_trusted_proves_nothing(void)
{
    struct world world;
    char *at;

    world_open(&world);
    write_note(&world, ORIGIN, 2, 1);
    expect_no(&world, "cosignatures: 1 of the trusted nodes have signed, 2 ");
    write_note(&world, "log.example/2", 2, 3);
    expect_no(&world, "checkpoint: it is of another log");
    write_note(&world, ORIGIN, 2, 2);
    world.trust.minimum_size = 3;
    expect_no(&world, "checkpoint: it is of 2 entries, at least 3");
    world.trust.minimum_size = 0;
    /* A signature that is wrong, though there are enough others. */
    write_note(&world, ORIGIN, 2, 3);
    at = &world.note.data[world.note.size - 8];
    *at = *at == 'A' ? 'B' : 'A'; /* base64 still */
    expect_no(&world, "cosignatures: ");
    world.parts.note = bytes_of_string("no note");
    expect_no(&world, "checkpoint: ");
    world_close(&world);
}

static enum status verify_next(const struct world *world,
                               struct trusted_checkpoint *last,
                               struct error *err)
{
    struct proof *proof = NULL;
    struct text text;

    error_init(err);
    text_init(&text);
    demand(proof_write(&world->parts, &text, err), err);
    demand(proof_parse(&proof, text_bytes(&text), err), err);
    if (proof_verify_next(proof, &world->trust, last, err) != OK)
        CU_ASSERT_EQUAL(err->status, E_NO);
    proof_destroy(&proof);
    text_clear(&text);
    return err->status;
}

static bool same_belief(const struct trusted_checkpoint *a,
                        const struct trusted_checkpoint *b)
{
    return strcmp(a->checkpoint.origin, b->checkpoint.origin) == 0 &&
           a->checkpoint.size == b->checkpoint.size &&
           memcmp(&a->checkpoint.root, &b->checkpoint.root, DIGEST_SIZE) == 0 &&
           memcmp(a->signed_by, b->signed_by, sizeof a->signed_by) == 0 &&
           memcmp(a->signed_at, b->signed_at, sizeof a->signed_at) == 0 &&
           a->signed_count == b->signed_count &&
           memcmp(&a->note, &b->note, DIGEST_SIZE) == 0;
}

/* The checkpoint before is believed for its very bytes, and for no others. */
static void one_of_many_is_verified_as_if_it_were_alone(void)
{
    struct trusted_checkpoint last = {.signed_count = 0}, before;
    struct world world;
    struct error err;
    char *at;

    world_open(&world);
    CU_ASSERT_EQUAL(verify_next(&world, &last, &err), OK);
    before = last;
    CU_ASSERT_EQUAL(verify_next(&world, &last, &err), OK);
    CU_ASSERT(same_belief(&before, &last));
    world.parts.verdict = VERDICT_FORBIDDEN;
    CU_ASSERT_EQUAL(verify_next(&world, &last, &err), E_NO);
    world.parts.verdict = VERDICT_VALID;
    for (size_t i = 0; i < world.note.size; i++) {
        char byte = world.note.data[i];

        if (byte == '\n' || (unsigned char)byte >= 0x80)
            continue;
        world.note.data[i] = byte == 'A' ? 'B' : 'A';
        last = before;
        if (byte != world.note.data[i])
            CU_ASSERT_EQUAL(verify_next(&world, &last, &err), E_NO);
        world.note.data[i] = byte;
    }
    last = before;
    write_note(&world, ORIGIN, 2, 1);
    CU_ASSERT_EQUAL(verify_next(&world, &last, &err), E_NO);
    /* Nor is what was refused before. */
    CU_ASSERT_EQUAL(verify_next(&world, &last, &err), E_NO);
    write_note(&world, ORIGIN, 2, 2);
    at = &world.note.data[world.note.size - 8];
    *at = *at == 'A' ? 'B' : 'A';
    CU_ASSERT_EQUAL(verify_next(&world, &last, &err), E_NO);
    CU_ASSERT_EQUAL(verify_next(&world, &last, &err), E_NO);
    world_close(&world);
}

static void an_entry_for_another_log_proves_nothing(void)
{
    struct trusted_checkpoint trusted;
    struct world world;
    struct error err;

    world_open(&world);
    snprintf(world.trust.origin, sizeof world.trust.origin, "log.example/2");
    write_note(&world, "log.example/2", 2, 2);
    CU_ASSERT_EQUAL(verify(&world, &trusted, &err), E_NO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "entry: it was made for another"));
    world_close(&world);
}

static void every_byte_of_a_proof_counts(void)
{
    struct trusted_checkpoint trusted;
    struct world world;
    struct text text;
    struct error err;
    size_t accepted = 0;

    world_open(&world);
    text_init(&text);
    demand(proof_write(&world.parts, &text, &err), &err);
    for (size_t i = 0; i < text.size; i++) {
        struct proof *proof = NULL;
        char before = text.data[i];

        /* White space between members may become other white space. */
        if (before == ' ' || before == '\n')
            continue;
        text.data[i] = (char)(before ^ 1);
        error_init(&err);
        if (proof_parse(&proof, text_bytes(&text), &err) == OK &&
            proof_verify(proof, &world.trust, &trusted, &err) == OK)
            accepted++;
        else
            CU_ASSERT(err.status == E_INPUT || err.status == E_NO ||
                      err.status == E_VERSION);
        proof_destroy(&proof);
        text.data[i] = before;
    }
    CU_ASSERT_EQUAL(accepted, 0);
    text_clear(&text);
    world_close(&world);
}

static void a_proof_that_is_none_is_refused(void)
{
    static const struct {
        const char *text;
        enum status status;
        const char *words;
    } cases[] = {
        {"[]", E_INPUT, "expected an object"},
        {"{", E_INPUT, "line 1"},
        {"{}", E_INPUT, "no \"proof\""},
        {"{\"proof\": 2}", E_VERSION, "version 2"},
        {"{\"proof\": 1.5}", E_INPUT, "is not whole"},
        {"{\"proof\": 1, \"size\": 3}", E_INPUT, "unknown key \"size\""},
        {"{\"verdict\": \"good\"}", E_INPUT, "unknown \"verdict\""},
        {"{\"block\": -1}", E_INPUT, "\"block\" is none"},
        {"{\"index\": 0.5}", E_INPUT, "\"index\" is none"},
        {"{\"hashes\": [1]}", E_INPUT, "a hash is a base64 text"},
        {"{\"hashes\": [\"AA==\"]}", E_INPUT, "a hash of 1 bytes"},
        {"{\"hashes\": [\"*\"]}", E_INPUT, "line 1"},
        {"{\"entry\": 1}", E_INPUT, "\"entry\" is a number"},
        {"{\"proof\": 1, \"entry\": \"{}\", \"signatures\": \"[]\", "
         "\"verdict\": \"valid\", \"block\": 0, \"index\": 0, \"hashes\": [], "
         "\"note\": \"\"}",
         E_INPUT, "its entry: "},
    };
    struct error err;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct proof *proof = NULL;

        error_init(&err);
        CU_ASSERT_EQUAL(
            proof_parse(&proof, bytes_of_string(cases[i].text), &err),
            cases[i].status);
        CU_ASSERT_PTR_NULL(proof);
        if (strstr(err.text, cases[i].words) == NULL) {
            fprintf(stderr, "\nno \"%s\" in: %s\n", cases[i].words, err.text);
            CU_FAIL("another message");
        }
    }
}

static void more_hashes_than_any_tree_has_are_refused(void)
{
    struct proof *proof = NULL;
    struct text text;
    struct error err;

    error_init(&err);
    text_init(&text);
    demand(text_append_string(&text, "{\"hashes\": [", &err), &err);
    for (int i = 0; i < 64; i++)
        demand(text_printf(&text, &err, "%s\"\"", i > 0 ? "," : ""), &err);
    demand(text_append_string(&text, "]}", &err), &err);
    CU_ASSERT_EQUAL(proof_parse(&proof, text_bytes(&text), &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "expected at most 63 hashes"));
    text_clear(&text);
}

static void what_json_cannot_hold_is_not_written(void)
{
    struct world world;
    struct text text;
    struct error err;

    error_init(&err);
    world_open(&world);
    text_init(&text);
    world.parts.block = (UINT64_C(1) << 53) + 1;
    CU_ASSERT_EQUAL(proof_write(&world.parts, &text, &err), E_LIMIT);
    world.parts.block = 7;
    world.parts.note = bytes_of("a\0b", 3);
    CU_ASSERT_EQUAL(proof_write(&world.parts, &text, &err), E_INPUT);
    world.parts.note = bytes_of("\xff", 1);
    CU_ASSERT_EQUAL(proof_write(&world.parts, &text, &err), E_INPUT);
    CU_ASSERT_EQUAL(text.size, 0);
    text_clear(&text);
    world_close(&world);
}

static void too_large_a_proof_is_refused(void)
{
    char *large = malloc(PROOF_SIZE_MAX + 1);
    struct proof *proof = NULL;
    struct error err;

    CU_ASSERT_PTR_NOT_NULL_FATAL(large);
    error_init(&err);
    memset(large, ' ', PROOF_SIZE_MAX + 1);
    CU_ASSERT_EQUAL(
        proof_parse(&proof, bytes_of(large, PROOF_SIZE_MAX + 1), &err),
        E_LIMIT);
    free(large);
}

/* ---- trust ---- */

static void trust_is_written_as_it_is_read(void)
{
    struct trust *again = NULL;
    struct world world;
    struct text text, second;
    struct error err;

    error_init(&err);
    text_init(&text);
    text_init(&second);
    world_open(&world);
    world.trust.minimum_size = 17;
    world.trust.demo = true;
    CU_ASSERT_EQUAL(trust_write(&world.trust, &text, &err), OK);
    CU_ASSERT_EQUAL_FATAL(trust_parse(&again, text_bytes(&text), &err), OK);
    CU_ASSERT_EQUAL(again->node_count, NODES);
    CU_ASSERT_EQUAL(again->quorum, 2);
    CU_ASSERT_EQUAL(again->minimum_size, 17);
    CU_ASSERT_TRUE(again->demo);
    CU_ASSERT_STRING_EQUAL(certificate_id(again->root[0]),
                           certificate_id(world.trust.root[0]));
    CU_ASSERT_EQUAL(trust_write(again, &second, &err), OK);
    CU_ASSERT_STRING_EQUAL(text.data, second.data);
    trust_destroy(&again);
    CU_ASSERT_PTR_NULL(again);
    world_close(&world);
    text_clear(&second);
    text_clear(&text);
}

/* Keys of tests 1 and 2 in RFC 8032, section 7.1; key ids by Python's hashlib,
 * as in tests/unit/test_note.c. */
#define KEY_A                                                                  \
    "node.example/a+20c3152d+BNdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
#define KEY_B                                                                  \
    "node.example/b+1930b2a1+BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM"
#define NODE(name, key) "{\"name\": \"" name "\", \"key\": \"" key "\"}"
#define NODE_A NODE("node.example/a", KEY_A)
#define NODE_B NODE("node.example/b", KEY_B)
#define TRUST(nodes) "{\"trust\": 1, \"nodes\": [" nodes "]}"

static void a_trust_file_that_is_none_is_refused(void)
{
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        {"1", "expected an object"},
        {TRUST(NODE_A "," NODE_B), "no \"origin\""},
        {TRUST(""), "\"nodes\" has another number"},
        {TRUST("1"), "a node is an object"},
        {TRUST(NODE("node.example/b", KEY_A)), "the name of its key"},
        {TRUST(NODE_A "," NODE_A), "for itself alone"},
        {TRUST(NODE("x", "x")), "line 1"},
        {TRUST("{\"name\": \"x\"}"), "no \"key\""},
        {TRUST("{\"name\": \"x\", \"url\": \"y\"}"), "unknown key \"url\""},
        {"{\"origin\": \"a b\"}", "\"origin\" is none"},
        {"{\"quorum\": 0}", "\"quorum\" is out of range"},
        {"{\"quorum\": 16}", "\"quorum\" is out of range"},
        {"{\"roots\": []}", "\"roots\" has another number"},
        {"{\"roots\": [1]}", "a root is a PEM text"},
        {"{\"roots\": [\"PEM\"]}", "line 1"},
        {"{\"minimum_size\": -1}", "\"minimum_size\" is none"},
        {"{\"demo\": \"no\"}", "\"demo\" is a string"},
        {"{\"witnesses\": []}", "unknown key"},
    };
    struct error err;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trust *trust = NULL;

        error_init(&err);
        CU_ASSERT_EQUAL(
            trust_parse(&trust, bytes_of_string(cases[i].text), &err), E_INPUT);
        CU_ASSERT_PTR_NULL(trust);
        if (strstr(err.text, cases[i].words) == NULL) {
            fprintf(stderr, "\nno \"%s\" in: %s\n", cases[i].words, err.text);
            CU_FAIL("another message");
        }
    }
}

static void a_quorum_of_more_than_there_are_is_refused(void)
{
    struct trust *again = NULL;
    struct world world;
    struct text text;
    struct error err;

    error_init(&err);
    text_init(&text);
    world_open(&world);
    world.trust.quorum = NODES + 1;
    demand(trust_write(&world.trust, &text, &err), &err);
    CU_ASSERT_EQUAL(trust_parse(&again, text_bytes(&text), &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "a quorum of 4 among 3 nodes"));
    world_close(&world);
    text_clear(&text);
}

static void a_root_that_is_no_authority_is_refused(void)
{
    struct certificate_subject subject = {
        .organisation = "north", .name = "n", .role = IDENTITY_NODE};
    struct certificate_subject north = {
        .organisation = "north", .name = "authority", .is_authority = true};
    struct certificate *authority = NULL, *leaf = NULL, *root;
    struct trust *again = NULL;
    struct private_key *authority_key = NULL, *leaf_key = NULL;
    struct public_key *key[2] = {NULL};
    struct certificate_terms terms[2];
    struct world world;
    struct text text;
    struct error err;
    int64_t first_ms, last_ms;

    error_init(&err);
    text_init(&text);
    world_open(&world);
    root = world.trust.root[0];
    certificate_validity(root, &first_ms, &last_ms);
    last_ms = last_ms / 1000 * 1000;
    demand(private_key_generate(&authority_key, KEY_P256, &err), &err);
    demand(private_key_generate(&leaf_key, KEY_P256, &err), &err);
    demand(private_key_public(authority_key, &key[0], &err), &err);
    demand(private_key_public(leaf_key, &key[1], &err), &err);
    terms[0] = (struct certificate_terms){&north, first_ms, last_ms};
    terms[1] = (struct certificate_terms){&subject, first_ms, last_ms};
    demand(certificate_issue(&authority, key[0], &terms[0], root,
                             world.root_key, &err),
           &err);
    demand(certificate_issue(&leaf, key[1], &terms[1], authority, authority_key,
                             &err),
           &err);
    world.trust.root[0] = leaf;
    demand(trust_write(&world.trust, &text, &err), &err);
    world.trust.root[0] = root;
    CU_ASSERT_EQUAL(trust_parse(&again, text_bytes(&text), &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "an authority's certificate"));
    certificate_destroy(&leaf);
    certificate_destroy(&authority);
    public_key_destroy(&key[0]);
    public_key_destroy(&key[1]);
    private_key_destroy(&authority_key);
    private_key_destroy(&leaf_key);
    world_close(&world);
    text_clear(&text);
}

void suite_proof(void)
{
    static const struct test tests[] = {
        {"a proof made by hand holds", a_proof_made_by_hand_holds},
        {"whatever is altered is named", whatever_is_altered_is_named},
        {"an entry of other signatures is not proven",
         an_entry_of_other_signatures_is_not_proven},
        {"a checkpoint that is not trusted proves nothing",
         a_checkpoint_that_is_not_trusted_proves_nothing},
        {"one of many is verified as if it were alone",
         one_of_many_is_verified_as_if_it_were_alone},
        {"an entry for another log proves nothing",
         an_entry_for_another_log_proves_nothing},
        {"every byte of a proof counts", every_byte_of_a_proof_counts},
        {"a proof that is none is refused", a_proof_that_is_none_is_refused},
        {"more hashes than any tree has are refused",
         more_hashes_than_any_tree_has_are_refused},
        {"what JSON cannot hold is not written",
         what_json_cannot_hold_is_not_written},
        {"too large a proof is refused", too_large_a_proof_is_refused},
        {"trust is written as it is read", trust_is_written_as_it_is_read},
        {"a trust file that is none is refused",
         a_trust_file_that_is_none_is_refused},
        {"a quorum of more than there are is refused",
         a_quorum_of_more_than_there_are_is_refused},
        {"a root that is no authority is refused",
         a_root_that_is_no_authority_is_refused},
    };

    suite_add("proof", tests, sizeof tests / sizeof *tests);
}
