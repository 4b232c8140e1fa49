/*
 * tests/fault/main.c - runs the fault test suites named on the command line,
 * or all of them.  See tests/fault/fault.h.
 */
#include <cjson/cJSON.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "common/digest.h"
#include "common/identity.h"
#include "common/sign.h"
#include "tests/fault/fault.h"
#include "tests/lib/suite.h"

#define X(name) void suite_##name(void);
#include "suites.def"
#undef X

static void *openssl_malloc(size_t size, const char *file, int line)
{
    void *piece;

    (void)file;
    (void)line;
    if (size == 0)
        return NULL;
    fault_within_openssl(true);
    piece = malloc(size);
    fault_within_openssl(false);
    return piece;
}

static void *openssl_realloc(void *piece, size_t size, const char *file,
                             int line)
{
    void *moved;

    (void)file;
    (void)line;
    if (size == 0) {
        free(piece);
        return NULL;
    }
    fault_within_openssl(true);
    moved = realloc(piece, size);
    fault_within_openssl(false);
    return moved;
}

static void openssl_free(void *piece, const char *file, int line)
{
    (void)file;
    (void)line;
    free(piece);
}

/* Both kinds of keys, from their making to a chain. */
static enum status use_openssl(struct error *err)
{
    struct certificate_subject subject = {
        .organisation = "x", .name = "x", .is_authority = true};
    struct certificate_terms terms = {&subject, 0, 0};
    uint8_t bytes[SIGNATURE_SIZE_MAX];
    enum status status =
        hmac_sha256(bytes_of("", 0), bytes_of("", 0), bytes, err);

    for (int type = KEY_P256; type <= KEY_ED25519 && status == OK; type++) {
        struct private_key *key = NULL;
        struct public_key *public_key = NULL;
        struct certificate *root = NULL;
        size_t size;

        status = private_key_generate(&key, (enum key_type)type, err);
        if (status == OK)
            status = private_key_public(key, &public_key, err);
        if (status == OK)
            status = private_key_sign(key, bytes_of("", 0), bytes, &size, err);
        if (status == OK)
            status = public_key_verify(public_key, bytes_of("", 0),
                                       bytes_of(bytes, size), err);
        if (status == OK && type == KEY_P256)
            status = certificate_create_root(&root, key, &terms, err);
        certificate_destroy(&root);
        public_key_destroy(&public_key);
        private_key_destroy(&key);
    }
    return status;
}

/* OpenSSL keeps the words of each of its last errors to write the next ones
 * into: let all of them have some. */
static void fill_errors(void)
{
    for (int i = 0; i < 2 * ERR_NUM_ERRORS; i++)
        ERR_raise_data(ERR_LIB_USER, 1, "%100s", "");
    ERR_clear_error();
}

static void *sqlite_malloc(int size)
{
    return malloc((size_t)size);
}

static void *sqlite_realloc(void *piece, int size)
{
    return realloc(piece, (size_t)size);
}

static int sqlite_size(void *piece)
{
    return (int)malloc_usable_size(piece);
}

static int sqlite_roundup(int size)
{
    return (size + 7) & ~7;
}

static int sqlite_init(void *unused)
{
    (void)unused;
    return SQLITE_OK;
}

static void sqlite_shutdown(void *unused)
{
    (void)unused;
}

static bool prepare_sqlite(void)
{
    static const sqlite3_mem_methods methods = {
        sqlite_malloc,  free,        sqlite_realloc,  sqlite_size,
        sqlite_roundup, sqlite_init, sqlite_shutdown, NULL};

    return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK &&
           sqlite3_initialize() == SQLITE_OK;
}

/* Send the libraries' allocations through ours.  What OpenSSL sets up once
 * and keeps is set up here, or a test would take it for a leak. */
static int prepare_libraries(void)
{
    cJSON_Hooks hooks = {malloc, free};
    struct digest digest;
    struct error err;

    cJSON_InitHooks(&hooks);
    if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc,
                                 openssl_free) != 1)
        return -1;
    if (!prepare_sqlite())
        return -1;
    ERR_clear_error();
    if (digest_bytes(&digest, bytes_of_string("x"), &err) != OK ||
        use_openssl(&err) != OK)
        return -1;
    fill_errors();
    return 0;
}

int main(int argc, char **argv)
{
    static const struct suite suites[] = {
#define X(name) {#name, suite_##name},
#include "suites.def"
#undef X
    };

    if (prepare_libraries() != 0)
        return 2;
    return suite_main(suites, sizeof suites / sizeof suites[0], argc, argv);
}
