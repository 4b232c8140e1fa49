/*
 * tests/fault/main.c - runs the fault test suites named on the command line,
 * or all of them.  See tests/fault/fault.h.
 */
#include <cjson/cJSON.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>

#include "common/digest.h"
#include "tests/lib/suite.h"

#define X(name) void suite_##name(void);
#include "suites.def"
#undef X

static void *openssl_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return size == 0 ? NULL : malloc(size);
}

static void *openssl_realloc(void *piece, size_t size, const char *file,
                             int line)
{
    (void)file;
    (void)line;
    if (size > 0)
        return realloc(piece, size);
    free(piece);
    return NULL;
}

static void openssl_free(void *piece, const char *file, int line)
{
    (void)file;
    (void)line;
    free(piece);
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
    ERR_clear_error();
    return digest_bytes(&digest, bytes_of_string("x"), &err) == OK ? 0 : -1;
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
