#include "cli/network_files.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/network_files_internal.h"
#include "common/clock.h"
#include "common/encoding.h"
#include "common/endpoint.h"
#include "common/files.h"
#include "common/json.h"
#include "common/network.h"
#include "common/proof.h"

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)
/* Clocks of the machine before its time was set. */
#define BACKDATED_MS (INT64_C(5) * 60 * 1000)
#define AUTHORITY_MS (3650 * DAY_MS)
#define HOLDER_MS (365 * DAY_MS)

#define ORIGIN_RANDOM_SIZE 16
/* Below are ports of well-known services. */
#define PORT_FIRST 10000
/* By default three in eight will do; where 300 are left, these draws find one
 * of them 99 times in 100. */
#define PORT_DRAWS 1000
#define INSTITUTE "institute"

static const char *const organisations[NETWORK_NODES_MAX] = {
    "north", "south", "east",  "west",   "center", "harbor", "valley", "hill",
    "lake",  "coast", "river", "island", "forest", "meadow", "bridge",
};

/* In each organisation with a node: the two who administer, and those whose
 * work the demonstration shows. */
static const enum identity_role node_users[] = {
    IDENTITY_HOSPITAL_MANAGER, IDENTITY_GOVERNOR,   IDENTITY_CUSTODIAN,
    IDENTITY_BROKER,           IDENTITY_ANONYMIZER, IDENTITY_PRIVACY_OFFICER,
    IDENTITY_AUDITOR,
};
static const enum identity_role institute_users[] = {
    IDENTITY_HOSPITAL_MANAGER,
    IDENTITY_RESEARCH_INSTITUTE,
};

static const char *organisation_name(const struct maker *maker, size_t index)
{
    return index < maker->node_count ? organisations[index] : INSTITUTE;
}

/* ---- files ---- */

enum status network_files_folder(const struct maker *maker, const char *name,
                                 struct error *err)
{
    struct text path;
    enum status status;

    text_init(&path);
    status = network_path(maker->folder, name, &path, err);
    if (status == OK && mkdir(path.data, 0700) != 0)
        status = error_set_errno(err, E_IO, errno, "%s", path.data);
    text_clear(&path);
    return status;
}

/* "<folder>/<name>/<file>", or without the middle when `name` is NULL. */
static enum status file_path(const struct maker *maker, const char *name,
                             const char *file, struct text *out,
                             struct error *err)
{
    if (name == NULL)
        return network_path(maker->folder, file, out, err);
    return text_printf(out, err, "%s/%s/%s", maker->folder, name, file);
}

static enum status write_file(const struct maker *maker, const char *name,
                              const char *file, struct bytes bytes,
                              struct error *err)
{
    struct new_file *new_file = NULL;
    struct text path;
    enum status status;

    text_init(&path);
    status = file_path(maker, name, file, &path, err);
    if (status == OK)
        status = new_file_create(&new_file, path.data, 0600, err);
    if (status == OK)
        status = descriptor_write(new_file_descriptor(new_file), bytes,
                                  path.data, err);
    if (status == OK)
        status = new_file_publish_fresh(&new_file, err);
    new_file_discard(&new_file);
    text_clear(&path);
    return status;
}

enum status network_files_json(const struct maker *maker, const char *name,
                               const char *file, const struct json *json,
                               struct error *err)
{
    struct text text;
    enum status status;

    text_init(&text);
    status = json_print(json_root(json), &text, err);
    if (status == OK)
        status = text_append_string(&text, "\n", err);
    if (status == OK)
        status = write_file(maker, name, file, text_bytes(&text), err);
    text_clear(&text);
    return status;
}

static enum status save_key(const struct maker *maker, const char *name,
                            const char *file, const struct private_key *key,
                            struct error *err)
{
    struct text path;
    enum status status;

    text_init(&path);
    status = file_path(maker, name, file, &path, err);
    if (status == OK)
        status = private_key_save(key, path.data, err);
    text_clear(&path);
    return status;
}

enum status network_files_curve(const struct maker *maker, const char *name,
                                struct curve_key *key, struct error *err)
{
    struct curve_pair pair = {.secret = ""};
    struct text path;
    enum status status;

    text_init(&path);
    status = curve_pair_generate(&pair, err);
    if (status == OK)
        status = file_path(maker, name, "curve.key", &path, err);
    if (status == OK)
        status = curve_pair_save(&pair, path.data, err);
    if (status == OK && key != NULL)
        *key = pair.key;
    curve_pair_clear(&pair);
    text_clear(&path);
    return status;
}

/* ---- parties ---- */

static void party_clear(struct party *party)
{
    private_key_destroy(&party->key);
    certificate_destroy(&party->certificate);
}

/* PEM into `list` of a document. */
static enum status add_certificate(struct json_value *list, const char *key,
                                   const struct certificate *certificate,
                                   struct error *err)
{
    struct text pem;
    enum status status;

    text_init(&pem);
    status = certificate_append_pem(certificate, &pem, err);
    if (status == OK)
        status = json_add_string(list, key, pem.data, err);
    text_clear(&pem);
    return status;
}

enum status network_files_party(const struct maker *maker, const char *name,
                                const struct party *party, struct error *err)
{
    struct text pem;
    enum status status;

    text_init(&pem);
    status = certificate_append_pem(party->certificate, &pem, err);
    if (status == OK)
        status =
            write_file(maker, name, "certificate.pem", text_bytes(&pem), err);
    if (status == OK)
        status = save_key(maker, name, "key.pem", party->key, err);
    text_clear(&pem);
    return status;
}

/* A folder `name` with a key and a certificate by `issuer`; the root when that
 * is NULL. */
static enum status make_party(const struct maker *maker, const char *name,
                              const struct certificate_subject *subject,
                              const struct party *issuer, struct party *party,
                              struct error *err)
{
    struct certificate_terms terms = {
        .subject = subject,
        .not_before_ms = maker->now_ms - BACKDATED_MS,
        .not_after_ms =
            maker->now_ms + (subject->is_authority ? AUTHORITY_MS : HOLDER_MS)};
    struct public_key *key = NULL;
    enum status status;

    if (atomic_load(maker->cancel))
        return error_set(err, E_CANCELLED, "interrupted");
    status = network_files_folder(maker, name, err);
    if (status == OK)
        status = private_key_generate(&party->key, KEY_P256, err);
    if (status == OK)
        status = private_key_public(party->key, &key, err);
    if (status == OK && issuer == NULL)
        status = certificate_create_root(&party->certificate, party->key,
                                         &terms, err);
    else if (status == OK)
        status = certificate_issue(&party->certificate, key, &terms,
                                   issuer->certificate, issuer->key, err);
    if (status == OK)
        status = network_files_party(maker, name, party, err);
    public_key_destroy(&key);
    return status;
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

static enum status make_authorities(struct maker *maker, struct error *err)
{
    struct certificate_subject subject = subject_of("network", "root");
    char name[IDENTITY_NAME_MAX + 8];
    enum status status =
        make_party(maker, "ca/root", &subject, NULL, &maker->root, err);

    for (size_t i = 0; status == OK && i <= maker->node_count; i++) {
        const char *organisation = organisation_name(maker, i);

        snprintf(name, sizeof name, "ca/%s", organisation);
        subject = subject_of(organisation, "authority");
        status = make_party(maker, name, &subject, &maker->root,
                            &maker->authority[i], err);
        if (status == OK)
            status = add_certificate(maker->authorities, NULL,
                                     maker->authority[i].certificate, err);
    }
    return status;
}

static enum status make_user(struct maker *maker, size_t organisation,
                             enum identity_role role, struct error *err)
{
    struct certificate_subject subject =
        subject_of(organisation_name(maker, organisation), "");
    struct party party = {.key = NULL};
    char name[2 * IDENTITY_NAME_MAX + 8];
    enum status status;

    subject.is_authority = false;
    subject.role = role;
    snprintf(subject.name, sizeof subject.name, "%s", identity_role_name(role));
    snprintf(name, sizeof name, "users/%s.%s", subject.organisation,
             subject.name);
    status = make_party(maker, name, &subject, &maker->authority[organisation],
                        &party, err);
    if (status == OK)
        status = network_files_curve(maker, name, NULL, err);
    if (status == OK)
        status = add_certificate(maker->members, NULL, party.certificate, err);
    if (status == OK && maker->has_services && organisation == 0)
        status = network_files_service(maker, name, &party, err);
    party_clear(&party);
    return status;
}

static enum status make_users(struct maker *maker, struct error *err)
{
    enum status status = OK;

    for (size_t i = 0; i < maker->node_count; i++)
        for (size_t r = 0;
             status == OK && r < sizeof node_users / sizeof *node_users; r++)
            status = make_user(maker, i, node_users[r], err);
    for (size_t r = 0;
         status == OK && r < sizeof institute_users / sizeof *institute_users;
         r++)
        status = make_user(maker, maker->node_count, institute_users[r], err);
    return status;
}

/* ---- nodes ---- */

/* The ports that the system hands out to whoever connects or asks for any; none
 * when that cannot be read. */
static void read_handed_out(unsigned *first, unsigned *last)
{
    static const char path[] = "/proc/sys/net/ipv4/ip_local_port_range";
    struct text text;
    struct error unread;

    *first = 1, *last = 0;
    text_init(&text);
    if (file_read(path, 64, &text, &unread) == OK) {
        unsigned long from, to;
        char *space, *end;

        from = strtoul(text.data, &space, 10);
        to = strtoul(space, &end, 10);
        if (space != text.data && end != space && from <= to &&
            to <= UINT16_MAX)
            *first = (unsigned)from, *last = (unsigned)to;
    }
    text_clear(&text);
}

/* E_NO if it is taken; 0 is any that the system likes. */
static enum status take_port(struct node *node, uint16_t port,
                             struct error *err)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons(port)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int code = 0;

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        code = errno;
    if (code != 0 && fd >= 0)
        close(fd);
    if (code != 0)
        return error_set_errno(err, code == EADDRINUSE ? E_NO : E_SYSTEM, code,
                               "a free port");
    node->port_socket = fd;
    node->port = ntohs(address.sin_port);
    return OK;
}

/* Held until every node has one, so that all differ.  Later on a node finds its
 * port again only if nobody has taken it while the node was down: so it is none
 * of those that the system hands out, if there are others. */
static enum status draw_port(struct node *node, struct error *err)
{
    unsigned first, last;
    uint16_t port;

    read_handed_out(&first, &last);
    for (int i = 0; i < PORT_DRAWS; i++) {
        enum status status = random_secret((uint8_t *)&port, sizeof port, err);

        if (status != OK)
            return status;
        if (port < PORT_FIRST || (port >= first && port <= last))
            continue;
        status = take_port(node, port, err);
        if (status != E_NO)
            return status;
    }
    return take_port(node, 0, err);
}

/* The key that cosigns: to genesis as text, to trust.json as a verifier. */
static enum status make_cosigner(struct maker *maker, const char *name,
                                 struct json_value *object, struct error *err)
{
    struct note_verifier *verifier =
        &maker->trust->node[maker->trust->node_count];
    struct private_key *key = NULL;
    struct public_key *public_key = NULL;
    struct text text;
    enum status status;

    text_init(&text);
    status = private_key_generate(&key, KEY_ED25519, err);
    if (status == OK)
        status = save_key(maker, name, "cosign.pem", key, err);
    if (status == OK)
        status = private_key_public(key, &public_key, err);
    if (status == OK)
        status = note_verifier_create(verifier, name, public_key, err);
    if (status == OK) {
        maker->trust->node_count++;
        status = note_verifier_append(verifier, &text, err);
    }
    if (status == OK)
        status = json_add_string(object, "cosigner", text.data, err);
    text_clear(&text);
    public_key_destroy(&public_key);
    private_key_destroy(&key);
    return status;
}

static void node_name(size_t index, char name[IDENTITY_NAME_MAX + 1])
{
    snprintf(name, IDENTITY_NAME_MAX + 1, "node%zu", index + 1);
}

static enum status make_node(struct maker *maker, size_t index,
                             struct error *err)
{
    struct certificate_subject subject =
        subject_of(organisation_name(maker, index), "");
    struct node *node = &maker->node[index];
    struct party party = {.key = NULL};
    struct json_value *object = NULL;
    char folder[IDENTITY_NAME_MAX + 8];
    enum status status;

    subject.is_authority = false;
    subject.role = IDENTITY_NODE;
    node_name(index, subject.name);
    status = make_party(maker, subject.name, &subject, &maker->authority[index],
                        &party, err);
    snprintf(folder, sizeof folder, "%s/raft", subject.name);
    if (status == OK)
        status = network_files_folder(maker, folder, err);
    if (status == OK)
        status = network_files_curve(maker, subject.name, &node->curve, err);
    if (status == OK)
        status = draw_port(node, err);
    if (status == OK)
        status = add_certificate(maker->members, NULL, party.certificate, err);
    if (status == OK)
        status = json_add_object(maker->nodes, NULL, &object, err);
    if (status == OK)
        status = json_add_integer(object, "id", (int64_t)index + 1, err);
    if (status == OK)
        status = json_add_string(object, "name", subject.name, err);
    if (status == OK)
        status =
            json_add_string(object, "organisation", subject.organisation, err);
    if (status == OK)
        status = add_certificate(object, "certificate", party.certificate, err);
    if (status == OK)
        status = make_cosigner(maker, subject.name, object, err);
    if (status == OK)
        snprintf(node->certificate, sizeof node->certificate, "%s",
                 certificate_id(party.certificate));
    party_clear(&party);
    return status;
}

/* ---- config.json ---- */

static enum status add_peer(const struct maker *maker, size_t index,
                            struct json_value *list, struct error *err)
{
    const struct node *node = &maker->node[index];
    struct json_value *object;
    char name[IDENTITY_NAME_MAX + 1];
    char text[ENDPOINT_SIZE_MAX];
    enum status status = json_add_object(list, NULL, &object, err);

    node_name(index, name);
    if (status == OK)
        status = json_add_integer(object, "id", (int64_t)index + 1, err);
    snprintf(text, sizeof text, "127.0.0.1:%u", (unsigned)node->port);
    if (status == OK)
        status = json_add_string(object, "raft", text, err);
    snprintf(text, sizeof text, "ipc://../%s/socket", name);
    if (status == OK)
        status = json_add_string(object, "bus", text, err);
    if (status == OK)
        status = json_add_string(object, "curve", node->curve.text, err);
    return status;
}

static enum status add_settings(const struct maker *maker, size_t index,
                                struct json_value *root, struct error *err)
{
    static const struct {
        const char *key;
        const char *value;
    } files[] = {
        {"genesis", "genesis.json"},
        {"database", "state.db"},
        {"raft_folder", "raft"},
        {"key", "key.pem"},
        {"certificate", "certificate.pem"},
        {"cosign", "cosign.pem"},
        {"curve", "curve.key"},
        {"listen", "ipc://socket"},
    };
    struct json_value *peers = NULL;
    char raft[ENDPOINT_SIZE_MAX];
    enum status status = json_add_integer(root, "ledger", 1, err);

    if (status == OK)
        status = json_add_integer(root, "node", (int64_t)index + 1, err);
    for (size_t i = 0; status == OK && i < sizeof files / sizeof *files; i++)
        status = json_add_string(root, files[i].key, files[i].value, err);
    snprintf(raft, sizeof raft, "127.0.0.1:%u",
             (unsigned)maker->node[index].port);
    if (status == OK)
        status = json_add_string(root, "raft", raft, err);
    if (status == OK)
        status = json_add_array(root, "peers", &peers, err);
    for (size_t i = 0; status == OK && i < maker->node_count; i++)
        if (i != index)
            status = add_peer(maker, i, peers, err);
    return status;
}

static enum status write_configs(const struct maker *maker, struct error *err)
{
    char name[IDENTITY_NAME_MAX + 1];
    enum status status = OK;

    for (size_t i = 0; status == OK && i < maker->node_count; i++) {
        struct json *json = NULL;

        node_name(i, name);
        status = json_create(&json, err);
        if (status == OK)
            status = add_settings(maker, i, json_edit_root(json), err);
        if (status == OK)
            status = network_files_json(maker, name, "config.json", json, err);
        if (status == OK)
            status = network_files_json(maker, name, "genesis.json",
                                        maker->genesis, err);
        json_destroy(&json);
    }
    return status;
}

/* ---- network.json ---- */

static enum status add_network_node(const struct maker *maker, size_t index,
                                    struct json_value *list, struct error *err)
{
    const struct node *node = &maker->node[index];
    struct json_value *object;
    char name[IDENTITY_NAME_MAX + 1];
    char endpoint[ENDPOINT_SIZE_MAX];
    enum status status = json_add_object(list, NULL, &object, err);

    node_name(index, name);
    snprintf(endpoint, sizeof endpoint, "ipc://%s/socket", name);
    if (status == OK)
        status = json_add_integer(object, "id", (int64_t)index + 1, err);
    if (status == OK)
        status = json_add_string(object, "name", name, err);
    if (status == OK)
        status = json_add_string(object, "organisation",
                                 organisation_name(maker, index), err);
    if (status == OK)
        status = json_add_string(object, "endpoint", endpoint, err);
    if (status == OK)
        status = json_add_string(object, "curve", node->curve.text, err);
    if (status == OK)
        status = json_add_string(object, "certificate", node->certificate, err);
    return status;
}

static enum status write_network(const struct maker *maker, const char *channel,
                                 struct error *err)
{
    struct json *json = NULL;
    struct json_value *root, *list = NULL;
    enum status status = json_create(&json, err);

    if (status != OK)
        return status;
    root = json_edit_root(json);
    status = json_add_integer(root, "network", 1, err);
    if (status == OK)
        status = json_add_string(root, "origin", maker->origin, err);
    if (status == OK)
        status = json_add_string(root, "channel", channel, err);
    if (status == OK)
        status = json_add_array(root, "nodes", &list, err);
    for (size_t i = 0; status == OK && i < maker->node_count; i++)
        status = add_network_node(maker, i, list, err);
    if (status == OK && maker->has_services)
        status = network_files_list_services(maker, organisation_name(maker, 0),
                                             root, err);
    if (status == OK)
        status = network_files_json(maker, NULL, "network.json", json, err);
    json_destroy(&json);
    return status;
}

/* ---- genesis.json and trust.json ---- */

static enum status begin_genesis(struct maker *maker, const char *channel,
                                 struct json_value **roots, struct error *err)
{
    struct json_value *root = json_edit_root(maker->genesis);
    enum status status = json_add_integer(root, "genesis", 1, err);

    if (status == OK)
        status = json_add_string(root, "origin", maker->origin, err);
    if (status == OK)
        status = json_add_string(root, "channel", channel, err);
    if (status == OK)
        status = json_add_array(root, "roots", roots, err);
    if (status == OK)
        status = json_add_array(root, "authorities", &maker->authorities, err);
    if (status == OK)
        status = json_add_array(root, "members", &maker->members, err);
    if (status == OK)
        status = json_add_array(root, "nodes", &maker->nodes, err);
    return status;
}

static enum status end_genesis(struct maker *maker, struct json_value *roots,
                               struct error *err)
{
    struct json_value *root = json_edit_root(maker->genesis);
    struct json_value *endorsement;
    enum status status =
        add_certificate(roots, NULL, maker->root.certificate, err);

    if (status == OK)
        status = json_add_object(root, "endorsement", &endorsement, err);
    if (status == OK)
        status = json_add_string(
            endorsement, "release",
            "AND('$.custodian', '$.broker', '$.anonymizer')", err);
    if (status == OK)
        status = network_files_json(maker, NULL, "genesis.json", maker->genesis,
                                    err);
    return status;
}

static enum status write_trust(struct maker *maker, struct error *err)
{
    struct trust *trust = maker->trust;
    struct text text;
    enum status status;

    text_init(&text);
    memcpy(trust->origin, maker->origin, sizeof trust->origin);
    trust->quorum = (uint32_t)(maker->node_count / 2 + 1);
    trust->demo = true;
    status = certificate_decode(&trust->root[0],
                                certificate_der(maker->root.certificate), err);
    if (status == OK) {
        trust->root_count = 1;
        status = trust_write(trust, &text, err);
    }
    if (status == OK)
        status = text_append_string(&text, "\n", err);
    if (status == OK)
        status = write_file(maker, NULL, "trust.json", text_bytes(&text), err);
    text_clear(&text);
    return status;
}

/* ---- all of it ---- */

static enum status draw_origin(struct maker *maker, struct error *err)
{
    uint8_t random[ORIGIN_RANDOM_SIZE];
    char hex[2 * ORIGIN_RANDOM_SIZE + 1];
    enum status status = random_secret(random, sizeof random, err);

    if (status != OK)
        return status;
    hex_encode(bytes_of(random, sizeof random), hex);
    snprintf(maker->origin, sizeof maker->origin, "anchorite.example/%s", hex);
    return OK;
}

static enum status maker_start(struct maker *maker, struct error *err)
{
    enum status status;

    for (size_t i = 0; i < NETWORK_NODES_MAX; i++)
        maker->node[i].port_socket = -1;
    /* Certificates count seconds. */
    maker->now_ms = (int64_t)(clock_now_ms() / 1000 * 1000);
    maker->trust = calloc(1, sizeof *maker->trust);
    if (maker->trust == NULL)
        return error_memory(err, "what to trust");
    status = draw_origin(maker, err);
    if (status == OK)
        status = json_create(&maker->genesis, err);
    return status;
}

static enum status make_all(struct maker *maker, struct error *err)
{
    static const char channel[] = "main";
    struct json_value *roots = NULL;
    enum status status = maker_start(maker, err);

    if (status == OK)
        status = begin_genesis(maker, channel, &roots, err);
    if (status == OK)
        status = network_files_folder(maker, "ca", err);
    if (status == OK)
        status = network_files_folder(maker, "users", err);
    if (status == OK)
        status = make_authorities(maker, err);
    if (status == OK)
        status = make_users(maker, err);
    for (size_t i = 0; status == OK && i < maker->node_count; i++)
        status = make_node(maker, i, err);
    if (status == OK)
        status = end_genesis(maker, roots, err);
    if (status == OK)
        status = write_trust(maker, err);
    if (status == OK)
        status = write_configs(maker, err);
    if (status == OK)
        status = write_network(maker, channel, err);
    return status;
}

static void maker_clear(struct maker *maker)
{
    party_clear(&maker->root);
    for (size_t i = 0; i <= maker->node_count; i++)
        party_clear(&maker->authority[i]);
    for (size_t i = 0; i < maker->node_count; i++)
        if (maker->node[i].port_socket >= 0)
            close(maker->node[i].port_socket);
    json_destroy(&maker->genesis);
    trust_destroy(&maker->trust);
}

/* ---- the folder ---- */

/* The longest path of a socket: the last node's, as another node's config.json
 * has it, or the anonymizer's, as the broker finds it. */
static enum status check_socket_path(const char *folder, size_t node_count,
                                     bool has_services, struct error *err)
{
    char endpoint[ENDPOINT_SIZE_MAX];
    char name[64] = "ipc://anonymizer/socket";
    struct text path;
    enum status status;

    text_init(&path);
    if (has_services) {
        status = text_printf(&path, err, "%s/broker/../network.json", folder);
    } else {
        status = text_printf(&path, err, "%s/node%zu/config.json", folder,
                             node_count);
        snprintf(name, sizeof name, "ipc://../node%zu/socket", node_count);
    }
    if (status == OK)
        status = endpoint_beside(path.data, name, endpoint, err);
    text_clear(&path);
    return status;
}

/* rename() replaces an empty folder and nothing else. */
static enum status put_in_place(const char *made, const char *folder,
                                struct error *err)
{
    if (rename(made, folder) == 0)
        return OK;
    if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR)
        return error_set(err, E_INPUT, "%s: is there already and is no network",
                         folder);
    return error_set_errno(err, E_INPUT, errno, "%s", folder);
}

enum status network_files_make(const char *folder, size_t node_count,
                               bool has_services, const atomic_bool *cancel,
                               struct error *err)
{
    struct maker *maker = NULL;
    struct text made;
    size_t size = strlen(folder);
    enum status status =
        check_socket_path(folder, node_count, has_services, err);

    assert(node_count >= 1 && node_count <= NETWORK_NODES_MAX);
    if (status != OK)
        return status;
    while (size > 1 && folder[size - 1] == '/')
        size--;
    text_init(&made);
    status = text_printf(&made, err, "%.*s.XXXXXX", (int)size, folder);
    if (status == OK && (maker = calloc(1, sizeof *maker)) == NULL)
        status = error_memory(err, "a network");
    if (status == OK && mkdtemp(made.data) == NULL)
        status = error_set_errno(err, E_INPUT, errno, "%s", folder);
    if (status == OK) {
        *maker = (struct maker){.folder = made.data,
                                .node_count = node_count,
                                .has_services = has_services,
                                .cancel = cancel};
        status = make_all(maker, err);
        maker_clear(maker);
        if (status == OK)
            status = put_in_place(made.data, folder, err);
        if (status != OK)
            folder_remove(made.data);
    }
    free(maker);
    text_clear(&made);
    return status;
}
