#include "common/merkle.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/encoding.h"
#include "common/files.h"
#include "common/json.h"
#include "common/number.h"
#include "tests/lib/cases.h"
#include "tests/lib/suite.h"

void suite_merkle_vectors(void);

static struct error err;

/* A proof that stands in a file: numbers and hashes in its order. */
struct vector {
    bool inclusion;
    bool complete; /* no hash is missing */
    uint64_t number[2];
    struct digest hash[2]; /* leaf and root, or both roots */
    struct merkle_proof proof;
};

static bool vector_verifies(const struct vector *vector)
{
    if (!vector->complete)
        return false;
    if (vector->inclusion)
        return merkle_verify_inclusion(&vector->hash[0], vector->number[0],
                                       vector->number[1], vector->proof.hash,
                                       vector->proof.count, &vector->hash[1]);
    return merkle_verify_consistency(vector->number[0], vector->number[1],
                                     vector->proof.hash, vector->proof.count,
                                     &vector->hash[0], &vector->hash[1]);
}

/* The next word of *text, without the space behind it. */
static struct bytes next_word(struct bytes *text)
{
    struct bytes word = *text;
    const uint8_t *space = memchr(text->data, ' ', text->size);

    if (space != NULL)
        word.size = (size_t)(space - text->data);
    text->data += word.size + (space != NULL);
    text->size -= word.size + (space != NULL);
    return word;
}

static void run_proof_case(const struct test_case *test)
{
    struct vector vector = {.complete = true, .proof = {.count = 0}};
    struct bytes left = test->input, word = next_word(&left);

    vector.inclusion = bytes_equal_string(word, "inclusion");
    CU_ASSERT(vector.inclusion || bytes_equal_string(word, "consistency"));
    for (size_t i = 0; i < 2; i++)
        CU_ASSERT(number_parse_unsigned(next_word(&left), 0, UINT64_MAX,
                                        &vector.number[i]));
    for (size_t i = 0; i < 2; i++)
        CU_ASSERT(
            hex_decode(next_word(&left), vector.hash[i].byte, DIGEST_SIZE));
    while (left.size > 0) {
        CU_ASSERT_FATAL(vector.proof.count < MERKLE_PROOF_MAX);
        CU_ASSERT(hex_decode(next_word(&left),
                             vector.proof.hash[vector.proof.count++].byte,
                             DIGEST_SIZE));
    }
    case_expect(test, vector_verifies(&vector) ? "yes" : "no");
}

static void proofs_of_our_own_are_answered(void)
{
    cases_run("tests/data/merkle/proofs.cases", run_proof_case);
}

/* Common JSON stops at 2^53, some numbers here do not: put each of them in
 * quotes. */
static void quote_numbers(const struct text *in, struct text *out)
{
    bool in_string = false, in_number = false;

    for (size_t i = 0; i < in->size; i++) {
        char c = in->data[i];
        bool digit = !in_string && c >= '0' && c <= '9';

        CU_ASSERT_FATAL(c != '\\');
        if (c == '"')
            in_string = !in_string;
        if (digit != in_number)
            CU_ASSERT_EQUAL(text_append(out, "\"", 1, &err), OK);
        in_number = digit;
        CU_ASSERT_EQUAL(text_append(out, &c, 1, &err), OK);
    }
}

/* Some hashes there are too short on purpose, even the roots of a proof that is
 * to be accepted (equal sizes, equal roots, no hash), and a struct digest
 * cannot be short.  Zeros behind them, so that they are judged by the
 * verification. */
static void read_hash(const struct json_value *value, struct digest *hash)
{
    struct text decoded;

    memset(hash, 0, sizeof *hash);
    text_init(&decoded);
    CU_ASSERT_EQUAL(
        base64_decode(&decoded, bytes_of_string(json_string(value)), &err), OK);
    CU_ASSERT_FATAL(decoded.size <= sizeof *hash);
    memcpy(hash->byte, decoded.data, decoded.size);
    text_clear(&decoded);
}

static void read_vector(const struct json_value *root, struct vector *vector)
{
    static const char *const names[2][4] = {
        {"size1", "size2", "root1", "root2"},
        {"leafIdx", "treeSize", "leafHash", "root"},
    };
    const struct json_value *proof = json_member(root, "proof");
    const char *const *name;

    vector->inclusion = json_member(root, "leafIdx") != NULL;
    vector->complete = true;
    vector->proof.count = 0;
    name = names[vector->inclusion];
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT(number_parse_unsigned(
            bytes_of_string(json_string(json_member(root, name[i]))), 0,
            UINT64_MAX, &vector->number[i]));
        read_hash(json_member(root, name[2 + i]), &vector->hash[i]);
        /* An empty leaf hash equals an empty root: where one is missing there
         * is nothing to verify. */
        if (json_string(json_member(root, name[2 + i]))[0] == '\0')
            vector->complete = false;
    }
    if (json_kind(proof) == JSON_NULL)
        return;
    for (const struct json_value *hash = json_first(proof); hash != NULL;
         hash = json_next(hash)) {
        CU_ASSERT_FATAL(vector->proof.count < MERKLE_PROOF_MAX);
        read_hash(hash, &vector->proof.hash[vector->proof.count++]);
    }
}

static unsigned vectors_passed, vectors_failed;

static int run_vector_file(const char *path, const struct stat *is, int kind)
{
    struct text text, quoted;
    struct json *json = NULL;
    struct vector vector;
    bool refused;

    (void)is;
    if (kind != FTW_F)
        return 0;
    text_init(&text);
    text_init(&quoted);
    CU_ASSERT_EQUAL_FATAL(file_read(path, 1u << 20, &text, &err), OK);
    quote_numbers(&text, &quoted);
    CU_ASSERT_EQUAL_FATAL(json_parse(&json, text_bytes(&quoted), &err), OK);
    read_vector(json_root(json), &vector);
    refused = !vector_verifies(&vector);
    if (refused == json_boolean(json_member(json_root(json), "wantErr")))
        vectors_passed++;
    else {
        vectors_failed++;
        fprintf(stderr, "%s: %s\n", path, refused ? "refused" : "accepted");
    }
    json_destroy(&json);
    text_clear(&quoted);
    text_clear(&text);
    return 0;
}

/* The published vectors of the Go implementation of these proofs.  They lie
 * beside the main checkout, or where ANCHORITE_SHARED says. */
static void published_proofs_are_answered(void)
{
    const char *shared = getenv("ANCHORITE_SHARED");
    struct text folder;

    text_init(&folder);
    CU_ASSERT_EQUAL(text_printf(&folder, &err, "%s/vectors/merkle",
                                shared != NULL ? shared : "../shared"),
                    OK);
    vectors_passed = vectors_failed = 0;
    if (access(folder.data, R_OK) != 0)
        printf("skipped, no %s ", folder.data);
    else {
        CU_ASSERT_EQUAL(ftw(folder.data, run_vector_file, 8), 0);
        printf("%u of %u ", vectors_passed, vectors_passed + vectors_failed);
        CU_ASSERT_EQUAL(vectors_failed, 0);
        CU_ASSERT_EQUAL(vectors_passed, 196);
    }
    text_clear(&folder);
}

void suite_merkle_vectors(void)
{
    static const struct test tests[] = {
        {"proofs of our own are answered", proofs_of_our_own_are_answered},
        {"published proofs are answered", published_proofs_are_answered},
    };

    suite_add("merkle_vectors", tests, sizeof tests / sizeof tests[0]);
}
