#include "cli/network_files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/genesis.h"
#include "common/network.h"
#include "common/proof.h"
#include "common/subject_id.h"
#include "ledger/config.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_network_files(void);

static atomic_bool never;

static void make_with(const struct scratch *scratch, size_t nodes,
                      bool has_services)
{
    struct error err;

    error_init(&err);
    if (network_files_make(scratch_path(scratch, "net"), nodes, has_services,
                           &never, &err) != OK) {
        fprintf(stderr, "\n%s\n", err.text);
        CU_FAIL_FATAL("no network was made");
    }
}

static void make(const struct scratch *scratch, size_t nodes)
{
    make_with(scratch, nodes, false);
}

/* The ledger's own reader says whether genesis.json is one. */
static void the_ledger_accepts_the_genesis(void)
{
    struct genesis *genesis = NULL;
    struct scratch scratch;
    struct error err;
    int64_t now_ms = (int64_t)time(NULL) * 1000;

    scratch_open(&scratch);
    make(&scratch, 3);
    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(
        genesis_load(&genesis, scratch_path(&scratch, "net/genesis.json"),
                     &err),
        OK);
    CU_ASSERT_EQUAL(genesis->node_count, 3);
    CU_ASSERT_EQUAL(genesis_quorum(genesis), 2);
    CU_ASSERT_EQUAL(genesis->roots.count, 1);
    CU_ASSERT_EQUAL(genesis->authorities.count, 4);
    /* 7 users in each of 3 organisations, 2 of the institute, 3 nodes. */
    CU_ASSERT_EQUAL(genesis->members.count, 26);
    for (size_t i = 0; i < genesis->members.count; i++)
        CU_ASSERT_EQUAL(genesis_check_certificate(
                            genesis, genesis->members.item[i], now_ms, &err),
                        OK);
    CU_ASSERT_STRING_EQUAL(genesis->node[2].name, "node3");
    CU_ASSERT_STRING_EQUAL(genesis->node[2].organisation, "east");
    CU_ASSERT_PTR_NOT_NULL(genesis->endorsement[ENTRY_RELEASE]);
    CU_ASSERT_STRING_EQUAL(err.text, "");
    genesis_destroy(&genesis);
    scratch_close(&scratch);
}

static void every_node_has_a_configuration_and_all_fit_together(void)
{
    struct config *config[3] = {NULL};
    struct scratch scratch;
    struct error err;
    char name[64];

    scratch_open(&scratch);
    make(&scratch, 3);
    error_init(&err);
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "net/node%zu/config.json", i + 1);
        CU_ASSERT_EQUAL_FATAL(
            config_load(&config[i], scratch_path(&scratch, name), &err), OK);
        CU_ASSERT_EQUAL(config[i]->node, i + 1);
        CU_ASSERT_EQUAL(config[i]->peer_count, 2);
        CU_ASSERT_EQUAL(access(config[i]->key, R_OK), 0);
        CU_ASSERT_EQUAL(access(config[i]->cosign, R_OK), 0);
        CU_ASSERT_EQUAL(access(config[i]->raft_folder, X_OK), 0);
    }
    /* What node 1 says of node 3 is what node 3 says of itself. */
    CU_ASSERT_EQUAL(config[0]->peer[1].id, 3);
    CU_ASSERT_STRING_EQUAL(config[0]->peer[1].raft, config[2]->raft);
    CU_ASSERT_STRING_NOT_EQUAL(config[0]->raft, config[2]->raft);
    for (size_t i = 0; i < 3; i++)
        config_destroy(&config[i]);
    scratch_close(&scratch);
}

/* What the system hands out to others, a node would not find free again. */
static void ports_are_none_that_the_system_hands_out(void)
{
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
    unsigned long first = 1, last = 0;
    struct config *config = NULL;
    struct scratch scratch;
    struct error err;
    char name[64];

    if (file != NULL) {
        char line[64] = "", *end;

        CU_ASSERT_PTR_NOT_NULL(fgets(line, sizeof line, file));
        fclose(file);
        first = strtoul(line, &end, 10);
        last = strtoul(end, NULL, 10);
        CU_ASSERT(first > 0 && first < last);
    }
    scratch_open(&scratch);
    make(&scratch, 15);
    error_init(&err);
    for (size_t i = 0; i < 15; i++) {
        const char *colon;
        unsigned long port;

        snprintf(name, sizeof name, "net/node%zu/config.json", i + 1);
        CU_ASSERT_EQUAL_FATAL(
            config_load(&config, scratch_path(&scratch, name), &err), OK);
        colon = strrchr(config->raft, ':');
        CU_ASSERT_PTR_NOT_NULL_FATAL(colon);
        port = strtoul(colon + 1, NULL, 10);
        CU_ASSERT(port >= 1024 && port <= 65535);
        /* Nothing is left where it hands out nearly all. */
        if (last - first < 50000)
            CU_ASSERT(port < first || port > last);
        config_destroy(&config);
    }
    scratch_close(&scratch);
}

static void network_users_and_trust_can_be_read(void)
{
    struct network *network = NULL;
    struct network_user user;
    struct trust *trust = NULL;
    struct scratch scratch;
    struct error err;

    scratch_open(&scratch);
    make(&scratch, 4);
    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(
        network_load(&network, scratch_path(&scratch, "net"), &err), OK);
    CU_ASSERT_EQUAL(network->node_count, 4);
    CU_ASSERT_EQUAL_FATAL(
        trust_load(&trust, scratch_path(&scratch, "net/trust.json"), &err), OK);
    CU_ASSERT_STRING_EQUAL(trust->origin, network->origin);
    CU_ASSERT_EQUAL(trust->quorum, 3); /* floor(4 / 2) + 1 */
    CU_ASSERT_TRUE(trust->demo);
    CU_ASSERT_EQUAL_FATAL(
        network_user_load(&user, scratch_path(&scratch, "net"),
                          "institute.research-institute", &err),
        OK);
    CU_ASSERT_EQUAL(certificate_subject(user.certificate)->role,
                    IDENTITY_RESEARCH_INSTITUTE);
    network_user_clear(&user);
    trust_destroy(&trust);
    network_destroy(&network);
    scratch_close(&scratch);
}

/* Folders 0700, files 0600, all the way down. */
static size_t check_modes(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    size_t files = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(folder);
    while ((entry = readdir(folder)) != NULL) {
        char inner[1024];
        struct stat about;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        CU_ASSERT_EQUAL(lstat(inner, &about), 0);
        if (S_ISDIR(about.st_mode)) {
            CU_ASSERT_EQUAL(about.st_mode & 07777, 0700);
            files += check_modes(inner);
        } else {
            CU_ASSERT_EQUAL(about.st_mode & 07777, 0600);
            files++;
        }
    }
    closedir(folder);
    return files;
}

static void nobody_else_may_read_any_of_it(void)
{
    struct scratch scratch;
    struct stat about;
    mode_t before = umask(0);

    scratch_open(&scratch);
    make(&scratch, 1);
    CU_ASSERT_EQUAL(stat(scratch_path(&scratch, "net"), &about), 0);
    CU_ASSERT_EQUAL(about.st_mode & 07777, 0700);
    /* 3 on top; 2 for root and two authorities; 3 for each of 9 users; 6 of
     * the node. */
    CU_ASSERT_EQUAL(check_modes(scratch_path(&scratch, "net")),
                    3 + 3 * 2 + 9 * 3 + 6);
    umask(before);
    scratch_close(&scratch);
}

static void services_are_those_of_the_first_organisation(void)
{
    static const enum identity_role roles[] = {IDENTITY_BROKER,
                                               IDENTITY_ANONYMIZER};
    struct network *network = NULL;
    struct subject_id_key *key = NULL;
    struct scratch scratch;
    struct error err;

    scratch_open(&scratch);
    make_with(&scratch, 2, true);
    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(
        network_load(&network, scratch_path(&scratch, "net"), &err), OK);
    CU_ASSERT_EQUAL(network->service_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const char *role = identity_role_name(roles[i]);
        struct certificate *certificate = NULL;
        struct network service;
        struct curve_pair pair;
        char name[64];

        CU_ASSERT_EQUAL_FATAL(
            network_service(network, NULL, roles[i], &service, &err), OK);
        CU_ASSERT_STRING_EQUAL(service.node[0].organisation, "north");
        snprintf(name, sizeof name, "net/%s/certificate.pem", role);
        CU_ASSERT_EQUAL_FATAL(
            certificate_load(&certificate, scratch_path(&scratch, name), &err),
            OK);
        CU_ASSERT_STRING_EQUAL(certificate_id(certificate),
                               service.node[0].certificate);
        CU_ASSERT_EQUAL(certificate_subject(certificate)->role, roles[i]);
        /* Where clients look for it is where it listens. */
        snprintf(name, sizeof name, "net/%s/curve.key", role);
        CU_ASSERT_EQUAL_FATAL(
            curve_pair_load(&pair, scratch_path(&scratch, name), &err), OK);
        CU_ASSERT_STRING_EQUAL(pair.key.text, service.node[0].curve.text);
        snprintf(name, sizeof name, "/net/%s/socket", role);
        CU_ASSERT_PTR_NOT_NULL(strstr(service.node[0].endpoint, name));
        curve_pair_clear(&pair);
        certificate_destroy(&certificate);
    }
    CU_ASSERT_EQUAL(
        subject_id_key_open(
            &key,
            scratch_path(&scratch, "net/users/north.custodian/subject.key"),
            &err),
        OK);
    CU_ASSERT_NOT_EQUAL(
        access(scratch_path(&scratch, "net/users/south.custodian/subject.key"),
               F_OK),
        0);
    subject_id_key_close(&key);
    network_destroy(&network);
    scratch_close(&scratch);
}

static void nobody_else_may_read_what_services_have(void)
{
    struct scratch scratch;
    mode_t before = umask(0);

    scratch_open(&scratch);
    make_with(&scratch, 1, true);
    /* As without services, and 4 of each service, and K_subject. */
    CU_ASSERT_EQUAL(check_modes(scratch_path(&scratch, "net")),
                    3 + 3 * 2 + 9 * 3 + 6 + 2 * 4 + 1);
    umask(before);
    scratch_close(&scratch);
}

static void what_is_there_is_not_touched(void)
{
    struct scratch scratch;
    struct error err;

    scratch_open(&scratch);
    error_init(&err);
    scratch_write(&scratch, "net", "mine");
    CU_ASSERT_EQUAL(network_files_make(scratch_path(&scratch, "net"), 1, false,
                                       &never, &err),
                    E_INPUT);
    CU_ASSERT_TRUE(scratch_holds(&scratch, "net", "mine"));
    CU_ASSERT_EQUAL(scratch_count(&scratch), 1);
    CU_ASSERT_EQUAL(unlink(scratch_path(&scratch, "net")), 0);
    CU_ASSERT_EQUAL(mkdir(scratch_path(&scratch, "net"), 0755), 0);
    scratch_write(&scratch, "net/file", "mine");
    CU_ASSERT_EQUAL(network_files_make(scratch_path(&scratch, "net"), 1, false,
                                       &never, &err),
                    E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "is there already"));
    CU_ASSERT_TRUE(scratch_holds(&scratch, "net/file", "mine"));
    CU_ASSERT_EQUAL(scratch_count(&scratch), 1);
    scratch_close(&scratch);
}

static void an_empty_folder_is_taken(void)
{
    struct scratch scratch;

    scratch_open(&scratch);
    CU_ASSERT_EQUAL(mkdir(scratch_path(&scratch, "net"), 0700), 0);
    make(&scratch, 1);
    CU_ASSERT_EQUAL(access(scratch_path(&scratch, "net/network.json"), F_OK),
                    0);
    scratch_close(&scratch);
}

static void interrupted_it_leaves_nothing(void)
{
    static atomic_bool set;
    struct scratch scratch;
    struct error err;

    atomic_store(&set, true);
    scratch_open(&scratch);
    error_init(&err);
    CU_ASSERT_EQUAL(
        network_files_make(scratch_path(&scratch, "net"), 3, true, &set, &err),
        E_CANCELLED);
    CU_ASSERT_EQUAL(scratch_count(&scratch), 0);
    scratch_close(&scratch);
}

static void a_folder_too_deep_for_sockets_is_refused_before_anything(void)
{
    struct scratch scratch;
    struct error err;
    char name[100];

    memset(name, 'd', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    scratch_open(&scratch);
    error_init(&err);
    CU_ASSERT_EQUAL(
        network_files_make(scratch_path(&scratch, name), 3, true, &never, &err),
        E_LIMIT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "at most 107 may be"));
    CU_ASSERT_EQUAL(scratch_count(&scratch), 0);
    scratch_close(&scratch);
}

static void users_that_are_none_are_refused(void)
{
    static const struct {
        const char *name;
        enum status status;
    } cases[] = {
        {"north", E_USAGE},           {"../ca/north", E_USAGE},
        {".north", E_USAGE},          {"north.king", E_INPUT},
        {"north/custodian", E_USAGE}, {"", E_USAGE},
    };
    struct network_user user;
    struct scratch scratch;
    struct error err;

    scratch_open(&scratch);
    make(&scratch, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_init(&err);
        CU_ASSERT_EQUAL(network_user_load(&user, scratch_path(&scratch, "net"),
                                          cases[i].name, &err),
                        cases[i].status);
    }
    /* A key of somebody else's. */
    CU_ASSERT_EQUAL(rename(scratch_path(&scratch, "net/users/north.broker/"
                                                  "key.pem"),
                           scratch_path(&scratch, "net/users/north.auditor/"
                                                  "key.pem")),
                    0);
    CU_ASSERT_EQUAL(network_user_load(&user, scratch_path(&scratch, "net"),
                                      "north.auditor", &err),
                    E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "not that of the certificate"));
    scratch_close(&scratch);
}

/* Z85 of 32 zero bytes. */
#define CURVE "0000000000000000000000000000000000000000"
#define NODE(id, name)                                                         \
    "{\"id\": " id ", \"name\": \"" name "\", \"organisation\": \"north\", "   \
    "\"endpoint\": \"ipc://s\", \"curve\": \"" CURVE "\", "                    \
    "\"certificate\": \"0123456789abcdef0123456789abcdef\"}"
#define NETWORK(nodes)                                                         \
    "{\"network\": 1, \"origin\": \"o\", \"channel\": \"c\", \"nodes\": "      \
    "[" nodes "]}"

static void a_network_file_that_is_wrong_is_refused(void)
{
    static const struct {
        const char *text;
        const char *words; /* NULL: accepted */
    } cases[] = {
        {NETWORK(NODE("1", "a")), NULL},
        {NETWORK(NODE("1", "a") "," NODE("2", "b")), NULL},
        {"1", "expected an object"},
        {NETWORK(""), "\"nodes\" has another number"},
        {NETWORK("1"), "expected an object, found a number"},
        {NETWORK(NODE("1", "a") "," NODE("1", "b")), "id is another node's"},
        {NETWORK(NODE("1", "a") "," NODE("2", "a")), "name is another's"},
        {NETWORK(NODE("0", "a")), "\"id\" is none"},
        {NETWORK(NODE("1", "../a")), "\"name\" is none"},
        {NETWORK(NODE("1", "")), "\"name\" is none"},
        {NETWORK("{\"curve\": \"x\"}"), "\"curve\" is none"},
        {NETWORK("{\"certificate\": \"12\"}"), "\"certificate\" is none"},
        {NETWORK("{\"endpoint\": \"x\"}"), "line 1"},
        {NETWORK("{\"socket\": \"x\"}"), "unknown key \"socket\""},
        {"{\"network\": 2}", "\"network\" is another"},
        {"{\"origin\": \"a b\"}", "\"origin\" is none"},
        {"{\"channel\": \"A\"}", "\"channel\" is none"},
        {"{}", "no \"network\""},
    };
    struct scratch scratch;
    struct error err;

    scratch_open(&scratch);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct network *network = NULL;

        error_init(&err);
        scratch_write(&scratch, "network.json", cases[i].text);
        CU_ASSERT_EQUAL(network_load(&network, scratch.path, &err),
                        cases[i].words != NULL ? E_INPUT : OK);
        if (cases[i].words != NULL &&
            strstr(err.text, cases[i].words) == NULL) {
            fprintf(stderr, "\nno \"%s\" in: %s\n", cases[i].words, err.text);
            CU_FAIL("another message");
        }
        network_destroy(&network);
    }
    scratch_close(&scratch);
}

void suite_network_files(void)
{
    static const struct test tests[] = {
        {"the ledger accepts the genesis", the_ledger_accepts_the_genesis},
        {"every node has a configuration and all fit together",
         every_node_has_a_configuration_and_all_fit_together},
        {"ports are none that the system hands out",
         ports_are_none_that_the_system_hands_out},
        {"network, users and trust can be read",
         network_users_and_trust_can_be_read},
        {"nobody else may read any of it", nobody_else_may_read_any_of_it},
        {"services are those of the first organisation",
         services_are_those_of_the_first_organisation},
        {"nobody else may read what services have",
         nobody_else_may_read_what_services_have},
        {"what is there is not touched", what_is_there_is_not_touched},
        {"an empty folder is taken", an_empty_folder_is_taken},
        {"interrupted it leaves nothing", interrupted_it_leaves_nothing},
        {"a folder too deep for sockets is refused before anything",
         a_folder_too_deep_for_sockets_is_refused_before_anything},
        {"users that are none are refused", users_that_are_none_are_refused},
        {"a network file that is wrong is refused",
         a_network_file_that_is_wrong_is_refused},
    };

    suite_add("network_files", tests, sizeof tests / sizeof *tests);
}
