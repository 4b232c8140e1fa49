/*
 * tests/tools/hand_in.c - for end-to-end tests: what the command line would not
 * say to a node.
 *
 *     hand_in sign DIR USER ENTRY
 *         signatures over a file's bytes, by the user's key, on stdout
 *     hand_in submit DIR USER ENTRY SIGNATURES
 *         hand in both files' bytes as they are; says the verdict, or why not
 *     hand_in expiring CA-DIR KEY ROLE NAME SECONDS
 *         a certificate for that key that ends so soon, on stdout
 *     hand_in garbage ENDPOINT SEED
 *         write random bytes, on connections one after the other
 *     hand_in crowd ENDPOINT COUNT
 *         so many connections at once, each with the beginning of a greeting;
 *         says "ready" and keeps them, without a word or a read, until killed
 *
 * DIR is a network's folder, USER as in `anchorite ledger --as`, ENDPOINT
 * ipc://PATH or tcp://HOST:PORT.
 */
#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cli/session.h"
#include "common/entry.h"
#include "common/files.h"

#define TIMEOUT_MS 10000
#define SECOND_MS 1000
#define FILE_MAX ((size_t)1 << 20)
#define CONNECTIONS 20
#define GARBAGE_MAX 4096

static int fail(const struct error *err)
{
    fprintf(stderr, "hand_in: %s\n", err->text);
    return status_exit_code(err->status);
}

static enum status sign(const char *folder, const char *name,
                        const struct text *entry, struct error *err)
{
    struct network_user user = {0};
    struct entry_signature signature;
    struct text out;
    enum status status = network_user_load(&user, folder, name, err);

    text_init(&out);
    if (status == OK)
        status = entry_sign(text_bytes(entry), certificate_id(user.certificate),
                            user.key, &signature, err);
    if (status == OK)
        status = entry_write_signatures(&signature, 1, &out, err);
    if (status == OK)
        fwrite(out.data, 1, out.size, stdout);
    text_clear(&out);
    network_user_clear(&user);
    return status;
}

static enum status submit(const char *folder, const char *name,
                          const struct text *entry,
                          const struct text *signatures, struct error *err)
{
    static const uint8_t no_id[MESSAGE_REQUEST_ID_SIZE];
    struct client_answer answer = {0};
    struct session session;
    struct message request;
    enum status status = session_open(&session, folder, name, TIMEOUT_MS, err);

    message_init(&request, MESSAGE_SUBMIT, no_id);
    message_set_bytes(&request, SUBMIT_ENTRY, text_bytes(entry));
    message_set_bytes(&request, SUBMIT_SIGNATURES, text_bytes(signatures));
    if (status == OK)
        status = client_ask(session.client, &request, MESSAGE_SUBMITTED,
                            &answer, err);
    if (status == OK)
        printf("%s %ju\n",
               entry_verdict_name((enum entry_verdict)message_number(
                   &answer.message, SUBMITTED_VERDICT)),
               (uintmax_t)message_number(&answer.message, SUBMITTED_POSITION));
    client_answer_clear(&answer);
    session_close(&session);
    return status;
}

static enum status issue(const struct certificate *authority,
                         const struct private_key *authority_key,
                         const struct private_key *holder,
                         struct certificate_subject *subject, long seconds,
                         struct error *err)
{
    int64_t now_ms = (int64_t)time(NULL) * SECOND_MS, last_ms;
    struct certificate_terms terms = {.subject = subject};
    struct certificate *certificate = NULL;
    struct public_key *key = NULL;
    struct text pem;
    enum status status = private_key_public(holder, &key, err);

    memcpy(subject->organisation, certificate_subject(authority)->organisation,
           sizeof subject->organisation);
    text_init(&pem);
    certificate_validity(authority, &terms.not_before_ms, &last_ms);
    terms.not_after_ms = now_ms + seconds * SECOND_MS;
    if (status == OK)
        status = certificate_issue(&certificate, key, &terms, authority,
                                   authority_key, err);
    if (status == OK)
        status = certificate_append_pem(certificate, &pem, err);
    if (status == OK)
        fwrite(pem.data, 1, pem.size, stdout);
    text_clear(&pem);
    public_key_destroy(&key);
    certificate_destroy(&certificate);
    return status;
}

static enum status expiring(char **argument, struct error *err)
{
    struct certificate_subject subject = {.is_authority = false};
    struct certificate *authority = NULL;
    struct private_key *authority_key = NULL, *holder = NULL;
    char path[4096];
    enum status status;

    snprintf(subject.name, sizeof subject.name, "%s", argument[3]);
    if (!identity_role_parse(bytes_of_string(argument[2]), &subject.role))
        return error_set(err, E_USAGE, "there is no such role");
    snprintf(path, sizeof path, "%s/certificate.pem", argument[0]);
    status = certificate_load(&authority, path, err);
    snprintf(path, sizeof path, "%s/key.pem", argument[0]);
    if (status == OK)
        status = private_key_load(&authority_key, path, err);
    if (status == OK)
        status = private_key_load(&holder, argument[1], err);
    if (status == OK)
        status = issue(authority, authority_key, holder, &subject,
                       strtol(argument[4], NULL, 10), err);
    private_key_destroy(&holder);
    private_key_destroy(&authority_key);
    certificate_destroy(&authority);
    return status;
}

/* xorshift64: any bytes do, the same for a seed. */
static uint64_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static int connect_to(const char *endpoint)
{
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    struct sockaddr_in address = {.sin_family = AF_INET};
    const char *colon = strrchr(endpoint, ':');
    char host[64] = {0};
    int fd;

    if (strncmp(endpoint, "ipc://", 6) == 0) {
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        snprintf(path.sun_path, sizeof path.sun_path, "%s", endpoint + 6);
        if (fd >= 0 && connect(fd, (struct sockaddr *)&path, sizeof path) == 0)
            return fd;
    } else if (strncmp(endpoint, "tcp://", 6) == 0 &&
               (size_t)(colon - endpoint) < sizeof host) {
        memcpy(host, endpoint + 6, (size_t)(colon - endpoint) - 6);
        address.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && inet_pton(AF_INET, host, &address.sin_addr) == 1 &&
            connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
            return fd;
    } else {
        return -1;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

static enum status garbage(const char *endpoint, const char *seed,
                           struct error *err)
{
    uint64_t state = strtoull(seed, NULL, 10) * 2 + 1;
    uint8_t bytes[GARBAGE_MAX];

    for (int i = 0; i < CONNECTIONS; i++) {
        int fd = connect_to(endpoint);
        size_t size = draw(&state) % sizeof bytes + 1;

        if (fd < 0)
            return error_set(err, E_IO, "%s: nobody listens", endpoint);
        for (size_t at = 0; at < size; at++)
            bytes[at] = (uint8_t)(draw(&state) >> 32);
        /* Every other one begins as ZeroMQ does. */
        if (i % 2 == 0 && size >= 10)
            memcpy(bytes, "\xff\0\0\0\0\0\0\0\x01\x7f", 10);
        /* It may well hang up before it has read all. */
        (void)!send(fd, bytes, size, MSG_NOSIGNAL);
        close(fd);
    }
    return OK;
}

static enum status crowd(const char *endpoint, const char *count,
                         struct error *err)
{
    unsigned long left = strtoul(count, NULL, 10);

    for (; left > 0; left--) {
        int fd = connect_to(endpoint);

        if (fd < 0)
            return error_set(err, E_IO, "%s: %lu of %s do not get in", endpoint,
                             left, count);
        /* As ZeroMQ begins; the rest never comes. */
        (void)!send(fd, "\xff\0\0\0\0\0\0\0\x01\x7f", 10, MSG_NOSIGNAL);
    }
    puts("ready");
    fflush(stdout);
    for (;;)
        pause();
}

int main(int argc, char **argv)
{
    struct text entry, signatures;
    struct error err;
    enum status status = OK;

    error_init(&err);
    text_init(&entry);
    text_init(&signatures);
    if (argc == 4 && strcmp(argv[1], "garbage") == 0) {
        status = garbage(argv[2], argv[3], &err);
    } else if (argc == 4 && strcmp(argv[1], "crowd") == 0) {
        status = crowd(argv[2], argv[3], &err);
    } else if (argc == 7 && strcmp(argv[1], "expiring") == 0) {
        status = expiring(argv + 2, &err);
    } else if (argc == 5 && strcmp(argv[1], "sign") == 0) {
        status = file_read(argv[4], FILE_MAX, &entry, &err);
        if (status == OK)
            status = sign(argv[2], argv[3], &entry, &err);
    } else if (argc == 6 && strcmp(argv[1], "submit") == 0) {
        status = file_read(argv[4], FILE_MAX, &entry, &err);
        if (status == OK)
            status = file_read(argv[5], FILE_MAX, &signatures, &err);
        if (status == OK)
            status = submit(argv[2], argv[3], &entry, &signatures, &err);
    } else {
        status = error_set(&err, E_USAGE, "see its source");
    }
    text_clear(&entry);
    text_clear(&signatures);
    return status == OK ? status_exit_code(OK) : fail(&err);
}
