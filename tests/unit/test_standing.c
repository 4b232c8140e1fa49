#include "common/standing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/network_files.h"
#include "common/clock.h"
#include "common/log.h"
#include "tests/lib/fake_ledger.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_standing(void);

/* A network of one node, and who asks it. */
static struct scratch scratch;
static struct network *network;
static struct network_user asker, custodian;
static struct genesis *genesis;
static struct fake_ledger *ledger;
static struct client *client;
static atomic_bool cancel;
static struct client_options options;
static struct error err;

static void demand(enum status status)
{
    if (status == OK)
        return;
    fprintf(stderr, "\n%s\n", err.text);
    abort();
}

static const char *folder(void)
{
    return scratch_path(&scratch, "net");
}

static void begin(void)
{
    log_open("test", LOG_LEVEL_ERROR);
    error_init(&err);
    scratch_open(&scratch);
    demand(network_files_make(folder(), 1, false, &cancel, &err));
    demand(network_load(&network, folder(), &err));
    demand(genesis_load(&genesis, scratch_path(&scratch, "net/genesis.json"),
                        &err));
    demand(network_user_load(&asker, folder(), "north.broker", &err));
    demand(network_user_load(&custodian, folder(), "north.custodian", &err));
    fake_ledger_open(&ledger, folder());
    options = (struct client_options){.network = network,
                                      .user = &asker,
                                      .timeout_ms = 10000,
                                      .cancel = &cancel};
    demand(client_open(&client, &options, &err));
}

static void end(void)
{
    client_close(&client);
    fake_ledger_close(&ledger);
    network_user_clear(&custodian);
    network_user_clear(&asker);
    genesis_destroy(&genesis);
    network_destroy(&network);
    scratch_close(&scratch);
}

static void expect(const struct certificate *certificate, enum status status,
                   const char *words)
{
    error_init(&err);
    CU_ASSERT_EQUAL(standing_check(client, genesis, certificate, &err), status);
    CU_ASSERT_EQUAL(err.status, status);
    if (strstr(err.text, words) == NULL || (status == OK && err.text[0] != 0)) {
        fprintf(stderr, "\n%s\n", err.text);
        CU_FAIL("other words");
    }
}

static void a_founder_stands_until_it_is_revoked(void)
{
    begin();
    expect(custodian.certificate, OK, "");
    fake_ledger_revoke(ledger, certificate_id(custodian.certificate));
    expect(custodian.certificate, E_REFUSED, "the certificate is revoked");
    expect(asker.certificate, OK, "");
    end();
}

static void a_newcomer_stands_from_its_enrolment_to_its_revocation(void)
{
    struct network_user newcomer = {.key = NULL};

    begin();
    fake_ledger_newcomer(&newcomer, folder(), "north", IDENTITY_CUSTODIAN);
    expect(newcomer.certificate, E_REFUSED, "the certificate is not enrolled");
    /* Others' entries say nothing of it. */
    fake_ledger_revoke(ledger, certificate_id(custodian.certificate));
    fake_ledger_enrol(ledger, newcomer.certificate);
    expect(newcomer.certificate, OK, "");
    fake_ledger_revoke(ledger, certificate_id(newcomer.certificate));
    expect(newcomer.certificate, E_REFUSED, "the certificate is revoked");
    network_user_clear(&newcomer);
    end();
}

/* An entry of the node's invention, or misplaced, is no reason to let anybody
 * in. */
static void expect_nothing_said(const struct fake_entry *entry)
{
    struct network_user newcomer = {.key = NULL};

    begin();
    fake_ledger_newcomer(&newcomer, folder(), "north", IDENTITY_CUSTODIAN);
    fake_ledger_write(ledger, certificate_id(newcomer.certificate), entry);
    expect(newcomer.certificate, E_SYSTEM,
           "the node answered with an entry that says nothing of the "
           "certificate");
    network_user_clear(&newcomer);
    end();
}

static void an_entry_about_something_else_lets_nobody_in(void)
{
    expect_nothing_said(&(struct fake_entry){
        .type = ENTRY_CONSENT, .payload = "{\"commitment\": \"00\"}"});
    expect_nothing_said(&(struct fake_entry){
        .type = ENTRY_REVOKE,
        .payload = "{\"certificate\": \"00000000000000000000000000000000\"}"});
    expect_nothing_said(&(struct fake_entry){
        .type = ENTRY_ENROL, .payload = "{\"certificate\": \"no PEM\"}"});
    expect_nothing_said(&(struct fake_entry){
        .type = ENTRY_ENROL, .payload = "{\"certificate\": true}"});
    expect_nothing_said(
        &(struct fake_entry){.type = ENTRY_ENROL, .payload = "{}"});
}

/* As fake_ledger_enrol does, but for one thing each. */
static void expect_no_enrolment(enum entry_verdict verdict, const char *origin)
{
    struct network_user newcomer = {.key = NULL};
    char payload[CERTIFICATE_PEM_SIZE_MAX];
    size_t size = 0;
    struct text pem;

    begin();
    text_init(&pem);
    fake_ledger_newcomer(&newcomer, folder(), "north", IDENTITY_CUSTODIAN);
    demand(certificate_append_pem(newcomer.certificate, &pem, &err));
    size = (size_t)snprintf(payload, sizeof payload, "{\"certificate\": \"");
    for (size_t i = 0; i < pem.size; i++)
        size +=
            (size_t)snprintf(payload + size, sizeof payload - size,
                             pem.data[i] == '\n' ? "\\n" : "%c", pem.data[i]);
    snprintf(payload + size, sizeof payload - size, "\"}");
    fake_ledger_write(ledger, certificate_id(newcomer.certificate),
                      &(struct fake_entry){.type = ENTRY_ENROL,
                                           .payload = payload,
                                           .verdict = verdict,
                                           .origin = origin});
    if (verdict == VERDICT_VALID && origin == NULL)
        expect(newcomer.certificate, OK, "");
    else
        expect(newcomer.certificate, E_SYSTEM, "says nothing");
    text_clear(&pem);
    network_user_clear(&newcomer);
    end();
}

static void an_enrolment_that_is_none_lets_nobody_in(void)
{
    expect_no_enrolment(VERDICT_VALID, NULL); /* the test can tell */
    expect_no_enrolment(VERDICT_FORBIDDEN, NULL);
    expect_no_enrolment(VERDICT_VALID, "another.example/log");
}

static void a_node_without_an_answer_lets_nobody_in(void)
{
    begin();
    fake_ledger_revoke(ledger, certificate_id(custodian.certificate));
    fake_ledger_forget(ledger, true);
    expect(custodian.certificate, E_SYSTEM,
           "no node shows the entry that wrote of the certificate");
    options.timeout_ms = 300;
    fake_ledger_hush(ledger, true);
    expect(custodian.certificate, E_SYSTEM, "no quorum");
    atomic_store(&cancel, true);
    expect(custodian.certificate, E_CANCELLED, "interrupted");
    atomic_store(&cancel, false);
    end();
}

/* That the nodes refuse a service is no word about whoever asks it. */
static void a_service_that_is_refused_refuses_nobody(void)
{
    begin();
    client_close(&client);
    fake_ledger_shut(ledger, true);
    demand(client_open(&client, &options, &err));
    expect(custodian.certificate, E_SYSTEM, "the nodes do not answer us: ");
    end();
}

/* ---- at the door ---- */

static void who_has_a_certificate_of_an_authority_is_let_in(void)
{
    struct network_user newcomer = {.key = NULL};

    begin();
    fake_ledger_newcomer(&newcomer, folder(), "institute",
                         IDENTITY_RESEARCH_INSTITUTE);
    error_init(&err);
    CU_ASSERT_EQUAL(standing_admit(genesis, newcomer.certificate, &err), OK);
    CU_ASSERT_EQUAL(standing_admit(genesis, custodian.certificate, &err), OK);
    CU_ASSERT_STRING_EQUAL(err.text, "");
    network_user_clear(&newcomer);
    end();
}

static void a_stranger_is_not_let_in(void)
{
    struct network_user stranger = {.key = NULL};

    begin();
    demand(network_files_make(scratch_path(&scratch, "other"), 1, false,
                              &cancel, &err));
    demand(network_user_load(&stranger, scratch_path(&scratch, "other"),
                             "north.custodian", &err));
    CU_ASSERT_EQUAL(standing_admit(genesis, stranger.certificate, &err),
                    E_REFUSED);
    network_user_clear(&stranger);
    end();
}

void suite_standing(void)
{
    static const struct test tests[] = {
        {"a founder stands until it is revoked",
         a_founder_stands_until_it_is_revoked},
        {"a newcomer stands from its enrolment to its revocation",
         a_newcomer_stands_from_its_enrolment_to_its_revocation},
        {"an entry about something else lets nobody in",
         an_entry_about_something_else_lets_nobody_in},
        {"an enrolment that is none lets nobody in",
         an_enrolment_that_is_none_lets_nobody_in},
        {"a node without an answer lets nobody in",
         a_node_without_an_answer_lets_nobody_in},
        {"a service that is refused refuses nobody",
         a_service_that_is_refused_refuses_nobody},
        {"who has a certificate of an authority is let in",
         who_has_a_certificate_of_an_authority_is_let_in},
        {"a stranger is not let in", a_stranger_is_not_let_in},
    };

    suite_add("standing", tests, sizeof tests / sizeof *tests);
}
