#include "tests/lib/certified.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HOUR_MS (INT64_C(3600) * 1000)

static void check(enum status status, const struct error *err)
{
    if (status == OK)
        return;
    fprintf(stderr, "certified: %s\n", err->text);
    abort();
}

static int64_t now_ms(void)
{
    return (int64_t)time(NULL) * 1000;
}

static struct certificate_subject subject_of(const char *organisation,
                                             const char *name)
{
    struct certificate_subject subject = {.is_authority = true};

    snprintf(subject.organisation, sizeof subject.organisation, "%s",
             organisation);
    snprintf(subject.name, sizeof subject.name, "%s", name);
    return subject;
}

static struct certificate *issue(const struct private_key *key,
                                 const struct certificate_terms *terms,
                                 const struct certificate *issuer,
                                 const struct private_key *issuer_key)
{
    struct certificate *certificate = NULL;
    struct public_key *public_key = NULL;
    struct error err;

    check(private_key_public(key, &public_key, &err), &err);
    check(certificate_issue(&certificate, public_key, terms, issuer, issuer_key,
                            &err),
          &err);
    public_key_destroy(&public_key);
    return certificate;
}

static struct private_key *make_key(void)
{
    struct private_key *key = NULL;
    struct error err;

    check(private_key_generate(&key, KEY_P256, &err), &err);
    return key;
}

struct certificate *certified_issue(const struct certified *certified,
                                    const char *name, enum identity_role role,
                                    bool has_expired, struct private_key **key)
{
    struct certificate_subject subject = subject_of("north", name);
    struct certificate_terms terms = {&subject, now_ms() - HOUR_MS,
                                      now_ms() + HOUR_MS};

    subject.is_authority = false;
    subject.role = role;
    if (has_expired)
        terms.not_after_ms = now_ms() - HOUR_MS / 2;
    *key = make_key();
    return issue(*key, &terms, certified->authority, certified->authority_key);
}

void certified_open(struct certified *certified, size_t count)
{
    struct certificate_subject subject = subject_of("network", "root");
    struct certificate_terms terms = {&subject, now_ms() - 3 * HOUR_MS,
                                      now_ms() + 3 * HOUR_MS};
    struct error err;

    *certified = (struct certified){.count = count};
    certified->root_key = make_key();
    certified->authority_key = make_key();
    check(certificate_create_root(&certified->root, certified->root_key, &terms,
                                  &err),
          &err);
    subject = subject_of("north", "authority");
    terms.not_before_ms += HOUR_MS;
    terms.not_after_ms -= HOUR_MS;
    certified->authority = issue(certified->authority_key, &terms,
                                 certified->root, certified->root_key);
    for (size_t i = 0; i < count; i++) {
        char name[32];

        snprintf(name, sizeof name, "node%zu", i + 1);
        certified->certificate[i] = certified_issue(
            certified, name, IDENTITY_NODE, false, &certified->key[i]);
    }
}

void certified_close(struct certified *certified)
{
    for (size_t i = 0; i < certified->count; i++) {
        certificate_destroy(&certified->certificate[i]);
        private_key_destroy(&certified->key[i]);
    }
    certificate_destroy(&certified->authority);
    certificate_destroy(&certified->root);
    private_key_destroy(&certified->authority_key);
    private_key_destroy(&certified->root_key);
}

struct tls_credentials certified_credentials(const struct certified *certified,
                                             uint64_t id)
{
    return (struct tls_credentials){
        .key = certified->key[id - 1],
        .certificate = certified->certificate[id - 1],
        .authority = (const struct certificate *const *)&certified->authority,
        .authority_count = 1,
        .root = (const struct certificate *const *)&certified->root,
        .root_count = 1};
}

bool certified_is_member(void *context, uint64_t id, const char *address,
                         const struct certificate *certificate)
{
    const struct certified *certified = context;

    (void)address;
    return id >= 1 && id <= certified->count &&
           strcmp(certificate_id(certificate),
                  certificate_id(certified->certificate[id - 1])) == 0;
}

void certified_free_address(char address[32])
{
    struct sockaddr_in any = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof any;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&any, sizeof any) != 0 ||
        getsockname(fd, (struct sockaddr *)&any, &size) != 0)
        abort();
    close(fd);
    snprintf(address, 32, "127.0.0.1:%u", ntohs(any.sin_port));
}
