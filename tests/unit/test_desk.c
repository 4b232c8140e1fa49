#include "common/desk.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/network_files.h"
#include "common/clock.h"
#include "common/ledger_questions.h"
#include "common/standing.h"
#include "common/upload.h"
#include "tests/lib/desk_world.h"
#include "tests/lib/suite.h"

void suite_desk(void);

#define SUBJECT "00112233445566778899aabbccddeeff"
/* The handler of `said` waits as long as `office.is_held` for this one. */
#define HELD "11111111111111111111111111111111"
/* Its handler asks the ledger. */
#define ASKS "22222222222222222222222222222222"

/* What handlers see and count. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_held;
    unsigned said, idled, idled_meanwhile;
    bool is_working;
    enum status idle_status;
    unsigned denied;
    enum status denied_status; /* OK: it is recorded */
    char denied_by[CERTIFICATE_ID_SIZE], denied_why[ERROR_TEXT_MAX];
    enum message_type denied_type;
} office = {.lock = PTHREAD_MUTEX_INITIALIZER,
            .changed = PTHREAD_COND_INITIALIZER};

static struct error err;

static void hold(bool is_held)
{
    pthread_mutex_lock(&office.lock);
    office.is_held = is_held;
    pthread_cond_broadcast(&office.changed);
    pthread_mutex_unlock(&office.lock);
}

static unsigned count_of(const unsigned *count)
{
    unsigned value;

    pthread_mutex_lock(&office.lock);
    value = *count;
    pthread_mutex_unlock(&office.lock);
    return value;
}

/* Until it has come so far, in good time. */
static void wait_for(const unsigned *count, unsigned least)
{
    const struct timespec pause = {0, 5000000};
    uint64_t end_ms = clock_steady_ms() + 20000;

    while (count_of(count) < least && clock_steady_ms() < end_ms)
        nanosleep(&pause, NULL);
    CU_ASSERT_FATAL(count_of(count) >= least);
}

/* ---- handlers ---- */

static enum status tell(struct desk_answer *answer, struct bytes text,
                        struct error *why)
{
    static const uint8_t none[MESSAGE_REQUEST_ID_SIZE];
    enum status status =
        text_append(&answer->memory, text.data, text.size, why);

    message_init(&answer->message, MESSAGE_TOLD, none);
    message_set_bytes(&answer->message, TOLD_JSON, text_bytes(&answer->memory));
    return status;
}

static enum status on_said(void *context, const struct desk_request *request,
                           struct desk_answer *answer, struct error *why)
{
    struct bytes subject = message_bytes(request->message, SAID_SUBJECT);
    enum status status = OK;

    CU_ASSERT_PTR_EQUAL(context, &office);
    pthread_mutex_lock(&office.lock);
    office.said++;
    office.is_working = true;
    while (office.is_held && bytes_equal_string(subject, HELD))
        pthread_cond_wait(&office.changed, &office.lock);
    pthread_mutex_unlock(&office.lock);
    if (bytes_equal_string(subject, ASKS))
        status = standing_check(request->ledger, desks.genesis,
                                desks.self.certificate, why);
    if (status == OK)
        status = tell(answer, subject, why);
    pthread_mutex_lock(&office.lock);
    office.is_working = false;
    pthread_mutex_unlock(&office.lock);
    return status;
}

static enum status on_requests(void *context,
                               const struct desk_request *request,
                               struct desk_answer *answer, struct error *why)
{
    (void)context;
    return tell(answer,
                bytes_of_string(
                    certificate_subject(request->certificate)->organisation),
                why);
}

static enum status on_consents(void *context,
                               const struct desk_request *request,
                               struct desk_answer *answer, struct error *why)
{
    struct bytes id = message_bytes(request->message, CONSENTS_UPLOAD);
    struct bytes bytes;
    enum status status =
        uploads_find(request->uploads, certificate_id(request->certificate), id,
                     &bytes, why);

    (void)context;
    if (status != OK)
        return status;
    message_init(&answer->message, MESSAGE_RECORDED,
                 request->message->request_id);
    status = text_append(&answer->memory, bytes.data, DIGEST_SIZE, why);
    message_set_bytes(&answer->message, RECORDED_ID,
                      text_bytes(&answer->memory));
    message_set_number(&answer->message, RECORDED_POSITION, 0);
    message_set_number(&answer->message, RECORDED_COUNT, bytes.size);
    uploads_drop(request->uploads, id);
    return status;
}

static enum status on_events(void *context, const struct desk_request *request,
                             struct desk_answer *answer, struct error *why)
{
    (void)context;
    (void)request;
    if (text_append_string(&answer->memory, "half an answer", why) != OK)
        return why->status;
    return error_set(why, E_NO, "there are no events");
}

static enum status on_erase(void *context, const struct desk_request *request,
                            struct desk_answer *answer, struct error *why)
{
    char *large = calloc(1, TOLD_SIZE_MAX + 1);
    enum status status;

    (void)context;
    (void)request;
    if (large == NULL)
        return error_memory(why, "the test");
    memset(large, 'x', TOLD_SIZE_MAX + 1);
    status = tell(answer, bytes_of(large, TOLD_SIZE_MAX + 1), why);
    free(large);
    return status;
}

static enum status on_idle(void *context, struct client *ledger,
                           struct error *why)
{
    enum status status;

    CU_ASSERT_PTR_EQUAL(context, &office);
    CU_ASSERT_PTR_NOT_NULL(ledger);
    pthread_mutex_lock(&office.lock);
    office.idled++;
    office.idled_meanwhile += office.is_working;
    status = office.idle_status;
    pthread_mutex_unlock(&office.lock);
    return status == OK ? OK : error_set(why, status, "nothing goes on");
}

static enum status on_withdraw(void *context,
                               const struct desk_request *request,
                               struct desk_answer *answer, struct error *why)
{
    (void)context;
    (void)request;
    (void)answer;
    return error_set(why, E_REFUSED, "this one has no right to it");
}

static enum status on_denied(void *context, const struct desk_request *request,
                             const struct error *refusal, struct error *why)
{
    enum status status;

    CU_ASSERT_PTR_EQUAL(context, &office);
    CU_ASSERT_EQUAL(refusal->status, E_REFUSED);
    pthread_mutex_lock(&office.lock);
    status = office.denied_status;
    office.denied += status == OK;
    office.denied_type = request->message->type;
    snprintf(office.denied_by, sizeof office.denied_by, "%s",
             certificate_id(request->certificate));
    snprintf(office.denied_why, sizeof office.denied_why, "%s", refusal->text);
    pthread_mutex_unlock(&office.lock);
    return status == OK ? OK : error_set(why, status, "the disk is full");
}

static const struct desk_row rows[] = {
    {MESSAGE_WITHDRAW, DESK_ROLE(IDENTITY_GOVERNOR), true, on_withdraw},
    {MESSAGE_SAID, DESK_ROLE(IDENTITY_CUSTODIAN) | DESK_ROLE(IDENTITY_GOVERNOR),
     true, on_said},
    {MESSAGE_REQUESTS,
     DESK_ROLE(IDENTITY_CUSTODIAN) | DESK_ROLE(IDENTITY_RESEARCH_INSTITUTE),
     false, on_requests},
    {MESSAGE_CONSENTS, DESK_ROLE(IDENTITY_CUSTODIAN), true, on_consents},
    {MESSAGE_EVENTS, DESK_ROLE(IDENTITY_CUSTODIAN), true, on_events},
    {MESSAGE_ERASE, DESK_ROLE(IDENTITY_CUSTODIAN), true, on_erase},
};

/* ---- the test's side ---- */

static void prepare(void)
{
    office.is_held = false;
    office.said = office.idled = office.idled_meanwhile = 0;
    office.idle_status = OK;
    office.denied = 0;
    office.denied_status = OK;
    error_init(&err);
    desk_world_open(rows, sizeof rows / sizeof *rows);
    desks.settings.context = &office;
}

static void begin(void)
{
    prepare();
    desk_world_serve();
}

static enum status ask_text(struct asker *asker, enum message_type type,
                            enum message_field field, struct bytes bytes,
                            char said[64])
{
    struct client_answer answer;
    struct message request;
    enum status status;

    error_init(&err);
    question_init(&request, type);
    message_set_bytes(&request, field, bytes);
    status = client_ask(asker->client, &request, MESSAGE_TOLD, &answer, &err);
    if (status == OK) {
        struct bytes json = message_bytes(&answer.message, TOLD_JSON);

        snprintf(said, 64, "%.*s", (int)json.size, (const char *)json.data);
    }
    client_answer_clear(&answer);
    return status;
}

static enum status ask_said(struct asker *asker, const char *subject)
{
    char said[64] = "";
    enum status status = ask_text(asker, MESSAGE_SAID, SAID_SUBJECT,
                                  bytes_of_string(subject), said);

    if (status == OK)
        CU_ASSERT_STRING_EQUAL(said, subject);
    return status;
}

static enum status ask_requests(struct asker *asker, char said[64])
{
    return ask_text(asker, MESSAGE_REQUESTS, REQUESTS_ID, bytes_of(NULL, 0),
                    said);
}

static void expect_words(const char *words)
{
    if (strstr(err.text, words) != NULL)
        return;
    fprintf(stderr, "\n%s\n", err.text);
    CU_FAIL("other words");
}

static void requests_are_answered_one_after_the_other(void)
{
    struct asker custodian = {.client = NULL};

    begin();
    asker_open(&custodian, "north.custodian");
    for (int i = 0; i < 20; i++)
        CU_ASSERT_EQUAL(ask_said(&custodian, SUBJECT), OK);
    CU_ASSERT_EQUAL(count_of(&office.said), 20);
    /* The ledger was not asked for each of them. */
    CU_ASSERT(fake_ledger_asked(desks.ledger) <= 10);
    asker_close(&custodian);
    desk_world_close();
}

/* ---- who may not ---- */

static void a_role_that_may_not_ask_is_refused(void)
{
    struct asker auditor = {.client = NULL}, institute = {.client = NULL};
    char said[64] = "";

    begin();
    asker_open(&auditor, "north.auditor");
    asker_open(&institute, "institute.research-institute");
    CU_ASSERT_EQUAL(ask_said(&auditor, SUBJECT), E_REFUSED);
    expect_words("the auditor of north may not ask for \"said\" here");
    CU_ASSERT_EQUAL(ask_requests(&auditor, said), E_REFUSED);
    CU_ASSERT_EQUAL(ask_said(&institute, SUBJECT), E_REFUSED);
    expect_words("the research-institute of institute may not ask for "
                 "\"said\" here");
    CU_ASSERT_EQUAL(ask_requests(&institute, said), OK);
    CU_ASSERT_STRING_EQUAL(said, "institute");
    CU_ASSERT_EQUAL(count_of(&office.said), 0);
    asker_close(&institute);
    asker_close(&auditor);
    desk_world_close();
}

static void another_organisation_may_not_ask_for_ours(void)
{
    struct asker other = {.client = NULL};
    char said[64] = "";

    begin();
    fake_ledger_newcomer(&other.user, desk_world_folder(), "institute",
                         IDENTITY_CUSTODIAN);
    fake_ledger_enrol(desks.ledger, other.user.certificate);
    asker_open_user(&other);
    CU_ASSERT_EQUAL(ask_said(&other, SUBJECT), E_REFUSED);
    expect_words("the custodian of institute may not ask for \"said\" here");
    CU_ASSERT_EQUAL(ask_requests(&other, said), OK);
    CU_ASSERT_STRING_EQUAL(said, "institute");
    CU_ASSERT_EQUAL(count_of(&office.said), 0);
    asker_close(&other);
    desk_world_close();
}

static void a_stranger_is_not_let_in(void)
{
    struct asker stranger = {.client = NULL};
    atomic_bool cancel = false;
    char said[64] = "";

    begin();
    /* Who calls itself the same, by an authority of its own. */
    desk_world_must(network_files_make(scratch_path(&desks.scratch, "other"), 1,
                                       false, &cancel, &desks.err));
    desk_world_must(network_user_load(&stranger.user,
                                      scratch_path(&desks.scratch, "other"),
                                      "north.custodian", &desks.err));
    asker_open_user(&stranger);
    CU_ASSERT_EQUAL(ask_said(&stranger, SUBJECT), E_REFUSED);
    CU_ASSERT_EQUAL(ask_requests(&stranger, said), E_REFUSED);
    CU_ASSERT_EQUAL(count_of(&office.said), 0);
    CU_ASSERT_EQUAL(fake_ledger_asked(desks.ledger), 0);
    asker_close(&stranger);
    desk_world_close();
}

/* What the log says changes; the desk has heard of it a second later. */
static void expect_soon(struct asker *asker, enum status status)
{
    const struct timespec pause = {0, 50000000};
    uint64_t end_ms = clock_steady_ms() + 10000;

    while (ask_said(asker, SUBJECT) != status && clock_steady_ms() < end_ms)
        nanosleep(&pause, NULL);
    CU_ASSERT_EQUAL(err.status, status);
}

static void who_is_not_enrolled_or_was_revoked_is_refused(void)
{
    struct asker newcomer = {.client = NULL};
    unsigned said;

    begin();
    fake_ledger_newcomer(&newcomer.user, desk_world_folder(), "north",
                         IDENTITY_CUSTODIAN);
    asker_open_user(&newcomer);
    CU_ASSERT_EQUAL(ask_said(&newcomer, SUBJECT), E_REFUSED);
    expect_words("the certificate is not enrolled");
    CU_ASSERT_EQUAL(count_of(&office.said), 0);
    fake_ledger_enrol(desks.ledger, newcomer.user.certificate);
    expect_soon(&newcomer, OK);
    fake_ledger_revoke(desks.ledger, certificate_id(newcomer.user.certificate));
    expect_soon(&newcomer, E_REFUSED);
    expect_words("the certificate is revoked");
    /* From then on, without the ledger's being asked each time. */
    said = count_of(&office.said);
    for (int i = 0; i < 20; i++)
        CU_ASSERT_EQUAL(ask_said(&newcomer, SUBJECT), E_REFUSED);
    CU_ASSERT_EQUAL(count_of(&office.said), said);
    asker_close(&newcomer);
    desk_world_close();
}

static void nobody_is_served_without_the_ledger(void)
{
    struct asker custodian = {.client = NULL};

    prepare();
    desks.settings.ledger_timeout_ms = 300;
    fake_ledger_hush(desks.ledger, true);
    desk_world_serve();
    asker_open(&custodian, "north.custodian");
    CU_ASSERT_EQUAL(ask_said(&custodian, SUBJECT), E_SYSTEM);
    expect_words("no quorum");
    CU_ASSERT_EQUAL(count_of(&office.said), 0);
    fake_ledger_hush(desks.ledger, false);
    CU_ASSERT_EQUAL(ask_said(&custodian, SUBJECT), OK);
    asker_close(&custodian);
    desk_world_close();
}

/* ---- denials ---- */

static void expect_denied(const struct asker *asker, unsigned count,
                          enum message_type type, const char *words)
{
    CU_ASSERT_EQUAL(count_of(&office.denied), count);
    CU_ASSERT_EQUAL(office.denied_type, type);
    CU_ASSERT_STRING_EQUAL(office.denied_by,
                           certificate_id(asker->user.certificate));
    if (strstr(office.denied_why, words) == NULL) {
        fprintf(stderr, "\n%s\n", office.denied_why);
        CU_FAIL("other words");
    }
}

static enum status ask_withdraw(struct asker *asker)
{
    char said[64];

    return ask_text(asker, MESSAGE_WITHDRAW, WITHDRAW_SUBJECT,
                    bytes_of_string(SUBJECT), said);
}

static void begin_watched(void)
{
    prepare();
    desks.settings.denied = on_denied;
    desk_world_serve();
}

static void each_refusal_is_told_before_it_leaves(void)
{
    struct asker auditor = {.client = NULL}, newcomer = {.client = NULL},
                 governor = {.client = NULL}, custodian = {.client = NULL};
    struct upload_id id;

    begin_watched();
    asker_open(&auditor, "north.auditor");
    asker_open(&governor, "north.governor");
    asker_open(&custodian, "north.custodian");
    fake_ledger_newcomer(&newcomer.user, desk_world_folder(), "north",
                         IDENTITY_CUSTODIAN);
    asker_open_user(&newcomer);
    CU_ASSERT_EQUAL(ask_said(&auditor, SUBJECT), E_REFUSED);
    expect_words("the auditor of north may not ask for \"said\" here");
    expect_denied(&auditor, 1, MESSAGE_SAID, "the auditor of north");
    CU_ASSERT_EQUAL(ask_said(&newcomer, SUBJECT), E_REFUSED);
    expect_denied(&newcomer, 2, MESSAGE_SAID, "not enrolled");
    CU_ASSERT_EQUAL(ask_withdraw(&governor), E_REFUSED);
    expect_words("this one has no right to it");
    expect_denied(&governor, 3, MESSAGE_WITHDRAW, "no right to it");
    CU_ASSERT_EQUAL(
        upload_send(auditor.client, bytes_of_string("bytes"), &id, &err),
        E_REFUSED);
    expect_denied(&auditor, 4, MESSAGE_PART, "the auditor of north");
    /* Nothing else is one. */
    CU_ASSERT_EQUAL(ask_said(&custodian, SUBJECT), OK);
    CU_ASSERT_EQUAL(count_of(&office.denied), 4);
    asker_close(&custodian);
    asker_close(&governor);
    asker_close(&newcomer);
    asker_close(&auditor);
    desk_world_close();
}

static void a_refusal_that_nobody_can_record_is_none(void)
{
    static const enum status reasons[] = {E_IO, E_SYSTEM, E_REFUSED, E_INPUT};
    struct asker auditor = {.client = NULL};

    begin_watched();
    asker_open(&auditor, "north.auditor");
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        pthread_mutex_lock(&office.lock);
        office.denied_status = reasons[i];
        pthread_mutex_unlock(&office.lock);
        CU_ASSERT_EQUAL(ask_said(&auditor, SUBJECT), E_SYSTEM);
        expect_words("a refusal could not be recorded: the disk is full");
    }
    pthread_mutex_lock(&office.lock);
    office.denied_status = OK;
    pthread_mutex_unlock(&office.lock);
    CU_ASSERT_EQUAL(ask_said(&auditor, SUBJECT), E_REFUSED);
    CU_ASSERT_EQUAL(count_of(&office.denied), 1);
    CU_ASSERT_EQUAL(count_of(&office.said), 0);
    asker_close(&auditor);
    desk_world_close();
}

/* ---- answers ---- */

static void errors_of_handlers_reach_whoever_asked(void)
{
    struct asker custodian = {.client = NULL};
    char said[64];

    begin();
    asker_open(&custodian, "north.custodian");
    CU_ASSERT_EQUAL(ask_text(&custodian, MESSAGE_EVENTS, EVENTS_SUBJECT,
                             bytes_of_string(SUBJECT), said),
                    E_NO);
    expect_words("north.broker: there are no events");
    /* Nobody waits for an answer that cannot be sent. */
    CU_ASSERT_EQUAL(ask_text(&custodian, MESSAGE_ERASE, ERASE_SUBJECT,
                             bytes_of_string(SUBJECT), said),
                    E_LIMIT);
    asker_close(&custodian);
    desk_world_close();
}

static void what_nobody_handles_is_refused(void)
{
    struct asker custodian = {.client = NULL};
    char said[64];

    begin();
    asker_open(&custodian, "north.custodian");
    custodian.options.timeout_ms = 1000;
    CU_ASSERT_NOT_EQUAL(ask_text(&custodian, MESSAGE_DENIALS, DENIALS_DAY,
                                 bytes_of_string("2025-01-31"), said),
                        OK);
    CU_ASSERT_EQUAL(ask_said(&custodian, SUBJECT), OK);
    asker_close(&custodian);
    desk_world_close();
}

/* ---- uploads ---- */

static enum status ask_consents(struct asker *asker, const struct upload_id *id,
                                uint64_t *count)
{
    struct client_answer answer;
    struct message request;
    enum status status;

    error_init(&err);
    question_init(&request, MESSAGE_CONSENTS);
    message_set_bytes(&request, CONSENTS_UPLOAD,
                      bytes_of(id->byte, sizeof id->byte));
    status =
        client_ask(asker->client, &request, MESSAGE_RECORDED, &answer, &err);
    if (status == OK)
        *count = message_number(&answer.message, RECORDED_COUNT);
    client_answer_clear(&answer);
    return status;
}

static void an_upload_arrives_and_is_used_once(void)
{
    static uint8_t bytes[2 * PART_SIZE_MAX + 77];
    struct asker custodian = {.client = NULL};
    struct upload_id id;
    uint64_t count = 0;

    begin();
    asker_open(&custodian, "north.custodian");
    CU_ASSERT_EQUAL(
        upload_send(custodian.client, bytes_of(bytes, sizeof bytes), &id, &err),
        OK);
    CU_ASSERT_EQUAL(ask_consents(&custodian, &id, &count), OK);
    CU_ASSERT_EQUAL(count, sizeof bytes);
    CU_ASSERT_EQUAL(ask_consents(&custodian, &id, &count), E_INPUT);
    expect_words("there is no such upload of this certificate");
    CU_ASSERT_EQUAL(upload_send(custodian.client,
                                bytes_of(bytes, UPLOAD_SIZE_MAX + (size_t)1),
                                &id, &err),
                    E_LIMIT);
    asker_close(&custodian);
    desk_world_close();
}

static void the_upload_of_somebody_else_is_not_found(void)
{
    struct asker custodian = {.client = NULL}, other = {.client = NULL};
    static uint8_t bytes[100];
    struct upload_id id;
    uint64_t count = 0;

    begin();
    fake_ledger_newcomer(&other.user, desk_world_folder(), "north",
                         IDENTITY_CUSTODIAN);
    fake_ledger_enrol(desks.ledger, other.user.certificate);
    asker_open_user(&other);
    asker_open(&custodian, "north.custodian");
    CU_ASSERT_EQUAL(
        upload_send(custodian.client, bytes_of(bytes, sizeof bytes), &id, &err),
        OK);
    CU_ASSERT_EQUAL(ask_consents(&other, &id, &count), E_INPUT);
    CU_ASSERT_EQUAL(ask_consents(&custodian, &id, &count), OK);
    CU_ASSERT_EQUAL(count, sizeof bytes);
    asker_close(&custodian);
    asker_close(&other);
    desk_world_close();
}

static enum status send_part(struct asker *asker, uint64_t offset)
{
    static const uint8_t id[UPLOAD_ID_SIZE] = {1, 2, 3};
    struct client_answer answer;
    struct message part;
    enum status status;

    error_init(&err);
    question_init(&part, MESSAGE_PART);
    message_set_bytes(&part, PART_UPLOAD, bytes_of(id, sizeof id));
    message_set_number(&part, PART_OFFSET, offset);
    message_set_bytes(&part, PART_BYTES, bytes_of_string("part"));
    status = client_ask(asker->client, &part, MESSAGE_TAKEN, &answer, &err);
    client_answer_clear(&answer);
    return status;
}

static void parts_out_of_order_or_of_nobody_are_refused(void)
{
    struct asker custodian = {.client = NULL}, auditor = {.client = NULL};

    begin();
    asker_open(&custodian, "north.custodian");
    asker_open(&auditor, "north.auditor");
    CU_ASSERT_EQUAL(send_part(&custodian, 4), E_INPUT);
    CU_ASSERT_EQUAL(send_part(&custodian, 0), OK);
    CU_ASSERT_EQUAL(send_part(&custodian, 5), E_INPUT);
    expect_words("a part begins at byte 5 of an upload that has 4");
    CU_ASSERT_EQUAL(send_part(&custodian, 4), OK);
    CU_ASSERT_EQUAL(send_part(&auditor, 0), E_REFUSED);
    expect_words("the auditor of north may not ask for \"part\" here");
    asker_close(&auditor);
    asker_close(&custodian);
    desk_world_close();
}

/* ---- many requests ---- */

static void the_same_request_again_is_worked_once(void)
{
    struct caller caller;

    begin();
    caller_open(&caller, "north.custodian");
    hold(true);
    caller_say(&caller, 1, HELD);
    wait_for(&office.said, 1);
    caller_say(&caller, 1, HELD); /* it runs */
    caller_say(&caller, 2, SUBJECT);
    caller_say(&caller, 2, SUBJECT); /* it waits */
    caller_say(&caller, 3, SUBJECT);
    caller_knock(&caller);
    CU_ASSERT(caller_until(&caller, 1));
    CU_ASSERT_EQUAL(caller.failed, 1);
    hold(false);
    CU_ASSERT(caller_until(&caller, 4));
    caller_say(&caller, 4, SUBJECT);
    CU_ASSERT(caller_until(&caller, 5));
    CU_ASSERT_EQUAL(caller.told, 4);
    CU_ASSERT_EQUAL(count_of(&office.said), 4);
    /* After the answer it is a new one. */
    caller_say(&caller, 4, SUBJECT);
    CU_ASSERT(caller_until(&caller, 6));
    CU_ASSERT_EQUAL(count_of(&office.said), 5);
    caller_close(&caller);
    desk_world_close();
}

static void *release_later(void *argument)
{
    const struct timespec pause = {3, 500000000};

    (void)argument;
    nanosleep(&pause, NULL);
    hold(false);
    return NULL;
}

/* A client asks again after three seconds. */
static void a_slow_request_is_asked_twice_and_worked_once(void)
{
    struct asker custodian = {.client = NULL};
    pthread_t thread;

    begin();
    asker_open(&custodian, "north.custodian");
    hold(true);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, release_later, NULL),
                          0);
    CU_ASSERT_EQUAL(ask_said(&custodian, HELD), OK);
    pthread_join(thread, NULL);
    CU_ASSERT_EQUAL(count_of(&office.said), 1);
    asker_close(&custodian);
    desk_world_close();
}

static void too_many_requests_are_told_to_come_again(void)
{
    struct caller caller;
    struct asker governor = {.client = NULL};

    begin();
    caller_open(&caller, "north.custodian");
    asker_open(&governor, "north.governor");
    hold(true);
    caller_say(&caller, 0, HELD);
    wait_for(&office.said, 1);
    for (uint8_t i = 1; i <= DESK_WAITING_OWN_MAX; i++)
        caller_say(&caller, i, SUBJECT);
    caller_say(&caller, 200, SUBJECT);
    caller_say(&caller, 201, SUBJECT);
    CU_ASSERT(caller_until(&caller, 2));
    CU_ASSERT_EQUAL(caller.failed, 2);
    CU_ASSERT_EQUAL(caller.failed_retry, 2);
    CU_ASSERT_EQUAL(caller.status, E_SYSTEM);
    hold(false);
    /* Others are served meanwhile. */
    CU_ASSERT_EQUAL(ask_said(&governor, SUBJECT), OK);
    CU_ASSERT(caller_until(&caller, 3 + DESK_WAITING_OWN_MAX));
    CU_ASSERT_EQUAL(caller.told, 1 + DESK_WAITING_OWN_MAX);
    asker_close(&governor);
    caller_close(&caller);
    desk_world_close();
}

/* ---- closing ---- */

static void closing_ends_questions_and_answers_all(void)
{
    uint64_t began_ms;
    struct caller caller;

    prepare();
    desks.settings.ledger_timeout_ms = 3600000;
    desk_world_serve();
    caller_open(&caller, "north.custodian");
    caller_say(&caller, 1, SUBJECT);
    CU_ASSERT(caller_until(&caller, 1));
    fake_ledger_hush(desks.ledger, true);
    caller_say(&caller, 2, ASKS);
    wait_for(&office.said, 2);
    caller_say(&caller, 3, SUBJECT);
    caller_say(&caller, 4, SUBJECT);
    began_ms = clock_steady_ms();
    desk_world_stop_begin();
    CU_ASSERT(caller_until(&caller, 4));
    desk_world_stop_end();
    CU_ASSERT(clock_steady_ms() - began_ms < UINT64_C(5000) * suite_patience());
    CU_ASSERT_EQUAL(caller.told, 1);
    CU_ASSERT_EQUAL(caller.failed_retry, 3);
    CU_ASSERT_EQUAL(caller.status, E_CANCELLED);
    CU_ASSERT_EQUAL(count_of(&office.said), 2);
    caller_close(&caller);
    desk_world_close();
}

static void a_handler_that_runs_comes_to_its_end(void)
{
    struct caller caller;

    begin();
    caller_open(&caller, "north.custodian");
    hold(true);
    caller_say(&caller, 1, HELD);
    wait_for(&office.said, 1);
    caller_say(&caller, 2, SUBJECT);
    desk_world_stop_begin();
    CU_ASSERT(caller_until(&caller, 1)); /* the one that waited */
    CU_ASSERT_EQUAL(caller.failed_retry, 1);
    hold(false);
    CU_ASSERT(caller_until(&caller, 2));
    CU_ASSERT_EQUAL(caller.told, 1);
    desk_world_stop_end();
    caller_close(&caller);
    desk_world_close();
}

static void a_desk_that_cannot_listen_leaves_nothing(void)
{
    struct desk *desk = (struct desk *)&office;
    uv_loop_t loop;

    prepare();
    CU_ASSERT_EQUAL_FATAL(uv_loop_init(&loop), 0);
    desks.settings.loop = &loop;
    desks.settings.listen = "ipc:///nowhere/at/all";
    CU_ASSERT_NOT_EQUAL(desk_open(&desk, &desks.settings, &err), OK);
    CU_ASSERT_PTR_NULL(desk);
    desk_close(&desk, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    CU_ASSERT_EQUAL(uv_loop_close(&loop), 0);
    desk_world_close();
}

/* ---- idle ---- */

static void idle_comes_again_and_again_while_nothing_is_asked(void)
{
    struct caller caller;
    unsigned before;

    prepare();
    desks.settings.idle = on_idle;
    desks.settings.idle_ms = 10;
    desk_world_serve();
    wait_for(&office.idled, 3);
    caller_open(&caller, "north.custodian");
    hold(true);
    caller_say(&caller, 1, HELD);
    wait_for(&office.said, 1);
    before = count_of(&office.idled);
    const struct timespec pause = {0, 100000000};
    nanosleep(&pause, NULL);
    CU_ASSERT_EQUAL(count_of(&office.idled), before);
    hold(false);
    CU_ASSERT(caller_until(&caller, 1));
    /* A failure of its own is no end of it. */
    pthread_mutex_lock(&office.lock);
    office.idle_status = E_SYSTEM;
    pthread_mutex_unlock(&office.lock);
    wait_for(&office.idled, before + 3);
    caller_say(&caller, 2, SUBJECT);
    CU_ASSERT(caller_until(&caller, 2));
    CU_ASSERT_EQUAL(caller.told, 2);
    CU_ASSERT_EQUAL(count_of(&office.idled_meanwhile), 0);
    caller_close(&caller);
    desk_world_close();
}

void suite_desk(void)
{
    static const struct test tests[] = {
        {"requests are answered one after the other",
         requests_are_answered_one_after_the_other},
        {"a role that may not ask is refused",
         a_role_that_may_not_ask_is_refused},
        {"another organisation may not ask for ours",
         another_organisation_may_not_ask_for_ours},
        {"a stranger is not let in", a_stranger_is_not_let_in},
        {"who is not enrolled or was revoked is refused",
         who_is_not_enrolled_or_was_revoked_is_refused},
        {"nobody is served without the ledger",
         nobody_is_served_without_the_ledger},
        {"each refusal is told before it leaves",
         each_refusal_is_told_before_it_leaves},
        {"a refusal that nobody can record is none",
         a_refusal_that_nobody_can_record_is_none},
        {"errors of handlers reach whoever asked",
         errors_of_handlers_reach_whoever_asked},
        {"what nobody handles is refused", what_nobody_handles_is_refused},
        {"an upload arrives and is used once",
         an_upload_arrives_and_is_used_once},
        {"the upload of somebody else is not found",
         the_upload_of_somebody_else_is_not_found},
        {"parts out of order or of nobody are refused",
         parts_out_of_order_or_of_nobody_are_refused},
        {"the same request again is worked once",
         the_same_request_again_is_worked_once},
        {"a slow request is asked twice and worked once",
         a_slow_request_is_asked_twice_and_worked_once},
        {"too many requests are told to come again",
         too_many_requests_are_told_to_come_again},
        {"closing ends questions and answers all",
         closing_ends_questions_and_answers_all},
        {"a handler that runs comes to its end",
         a_handler_that_runs_comes_to_its_end},
        {"a desk that cannot listen leaves nothing",
         a_desk_that_cannot_listen_leaves_nothing},
        {"idle comes again and again while nothing is asked",
         idle_comes_again_and_again_while_nothing_is_asked},
    };

    suite_add("desk", tests, sizeof tests / sizeof *tests);
}
