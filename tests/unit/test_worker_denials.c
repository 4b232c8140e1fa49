#include "anonymizer/worker_denials.h"

#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_worker_denials(void);

#define WHO "0123456789abcdef0123456789abcdef"
#define RELEASE "11112222333344445555666677778888"

/* 2025-01-31T23:00:00Z, by `date -u -d 2025-01-31T23:00:00Z +%s`. */
#define EVENING UINT64_C(1738364400000)
#define HOUR UINT64_C(3600000)
#define DAY_ONE "2025-01-31"
#define DAY_TWO "2025-02-01"

static struct scratch scratch;
static struct worker_store *store;
static struct worker_secret *secret;
static struct worker_events *events;
static struct worker_denials *denials;
static struct error err;

static void begin(void)
{
    struct worker_events_settings settings;
    bool fresh = false;

    error_init(&err);
    scratch_open(&scratch);
    CU_ASSERT_EQUAL_FATAL(worker_store_open(&store,
                                            scratch_path(&scratch, "state.db"),
                                            &fresh, &err),
                          OK);
    CU_ASSERT_EQUAL_FATAL(
        worker_secret_create(scratch_path(&scratch, "secret.key"), &err), OK);
    CU_ASSERT_EQUAL_FATAL(worker_store_begun(store, &err), OK);
    CU_ASSERT_EQUAL_FATAL(
        worker_secret_open(&secret, scratch_path(&scratch, "secret.key"), &err),
        OK);
    settings =
        (struct worker_events_settings){.store = store, .secret = secret};
    CU_ASSERT_EQUAL_FATAL(worker_events_open(&events, &settings, &err), OK);
    CU_ASSERT_EQUAL_FATAL(worker_denials_create(&denials, events, &err), OK);
}

static void end(void)
{
    worker_denials_destroy(&denials);
    worker_events_close(&events);
    worker_secret_close(&secret);
    worker_store_close(&store);
    scratch_close(&scratch);
}

/* Of somebody who fetches; `number` tells certificates apart. */
static struct denial denial_of(unsigned number, const char *asked)
{
    struct denial denial = {.by = ""};

    snprintf(denial.by, sizeof denial.by, "%032x", number);
    snprintf(denial.asked, sizeof denial.asked, "%s", asked);
    denial_explain(&denial, bytes_of_string("no right"));
    return denial;
}

static void deny(const struct denial *denial, uint64_t now_ms)
{
    CU_ASSERT_EQUAL(worker_denials_tell(denials, denial, now_ms, &err), OK);
}

/* ---- what a chain has ---- */

struct found {
    unsigned events;
    int64_t counted; /* denials that they stand for */
    char last[1024];
};

static enum status take(void *context, const struct act_record *act,
                        struct error *why)
{
    struct found *found = context;
    struct json *json = NULL;
    const struct json_value *member;
    int64_t count = 0;

    CU_ASSERT_EQUAL_FATAL(json_parse(&json, act->text, why), OK);
    member = json_member(json_root(json), "count");
    CU_ASSERT_PTR_NOT_NULL_FATAL(member);
    CU_ASSERT(json_integer(member, &count));
    CU_ASSERT_STRING_EQUAL(json_string(json_member(json_root(json), "act")),
                           "deny");
    json_destroy(&json);
    found->events++;
    found->counted += count;
    snprintf(found->last, sizeof found->last, "%.*s", (int)act->text.size,
             (const char *)act->text.data);
    return OK;
}

static struct found look(const char *kind, struct bytes id)
{
    struct access_handle handle;
    struct found found = {.events = 0};

    access_handle_make(worker_secret_handles(secret), kind, id, &handle);
    CU_ASSERT_EQUAL(worker_store_history(store, &handle, take, &found, &err),
                    OK);
    return found;
}

static struct found look_at(const char *day)
{
    return look(ACCESS_DENIALS, bytes_of_string(day));
}

static void expect(const char *day, unsigned count, int64_t counted)
{
    struct found found = look_at(day);

    CU_ASSERT_EQUAL(found.events, count);
    CU_ASSERT_EQUAL(found.counted, counted);
}

static bool has(const struct found *found, const char *words)
{
    return strstr(found->last, words) != NULL;
}

/* ---- tests ---- */

static void a_denial_says_who_asked_what_and_why(void)
{
    struct denial denial = denial_of(7, "fetch");
    struct found found;

    begin();
    memcpy(denial.release, RELEASE, sizeof RELEASE);
    denial.request.byte[0] = 0xab;
    denial.has_request = true;
    memcpy(denial.via, WHO, sizeof WHO);
    deny(&denial, EVENING);
    found = look_at(DAY_ONE);
    CU_ASSERT_EQUAL(found.events, 1);
    CU_ASSERT(has(&found, "\"asked\":\"fetch\""));
    CU_ASSERT(has(&found, "\"by\":\"00000000000000000000000000000007\""));
    CU_ASSERT(has(&found, "\"count\":1"));
    CU_ASSERT(has(&found, "\"release\":\"" RELEASE "\""));
    CU_ASSERT(has(&found, "\"request\":\"ab000000"));
    CU_ASSERT(has(&found, "\"via\":\"" WHO "\""));
    CU_ASSERT(has(&found, "\"why\":\"no right\""));
    /* No release of that name: there is no chain of one. */
    CU_ASSERT_EQUAL(look(ACCESS_RELEASE, bytes_of_string(RELEASE)).events, 0);
    end();
}

static void whom_it_is_about_is_told_and_not_named(void)
{
    struct subject_id subject = {{0x5a, 0x5b, 0x5c}};
    struct denial about_subject = denial_of(1, "events"),
                  about_release = denial_of(1, "fetch");
    struct found found;

    begin();
    about_subject.subject = subject;
    about_subject.has_subject = true;
    memcpy(about_release.release, RELEASE, sizeof RELEASE);
    about_release.is_release = true;
    deny(&about_subject, EVENING);
    deny(&about_release, EVENING);
    expect(DAY_ONE, 2, 2);
    found = look(ACCESS_SUBJECT, bytes_of(subject.byte, sizeof subject.byte));
    CU_ASSERT_EQUAL(found.events, 1);
    CU_ASSERT(has(&found, "\"asked\":\"events\""));
    CU_ASSERT(!has(&found, "5a5b5c"));
    found = look(ACCESS_RELEASE, bytes_of_string(RELEASE));
    CU_ASSERT_EQUAL(found.events, 1);
    CU_ASSERT(has(&found, "\"asked\":\"fetch\""));
    end();
}

/* Told are the 1st to the 8th, then the 16th, 32nd, 64th. */
static void equal_ones_are_told_as_they_double(void)
{
    struct denial denial = denial_of(1, "fetch");

    begin();
    for (int i = 0; i < 8; i++)
        deny(&denial, EVENING);
    expect(DAY_ONE, 8, 8);
    for (int i = 8; i < 15; i++)
        deny(&denial, EVENING);
    expect(DAY_ONE, 8, 8);
    deny(&denial, EVENING);
    expect(DAY_ONE, 9, 16);
    for (int i = 16; i < 100; i++)
        deny(&denial, EVENING);
    expect(DAY_ONE, 11, 64);
    end();
}

static void what_is_left_is_told_at_the_days_end(void)
{
    struct denial denial = denial_of(1, "fetch");

    begin();
    for (int i = 0; i < 100; i++)
        deny(&denial, EVENING);
    CU_ASSERT_EQUAL(worker_denials_turn(denials, EVENING + HOUR / 2, &err), OK);
    expect(DAY_ONE, 11, 64);
    CU_ASSERT_EQUAL(worker_denials_turn(denials, EVENING + HOUR, &err), OK);
    expect(DAY_ONE, 12, 100);
    /* It begins anew. */
    deny(&denial, EVENING + HOUR);
    expect(DAY_TWO, 1, 1);
    expect(DAY_ONE, 12, 100);
    end();
}

static void what_is_left_is_told_when_the_service_ends(void)
{
    struct denial denial = denial_of(1, "fetch");

    begin();
    for (int i = 0; i < 12; i++)
        deny(&denial, EVENING);
    expect(DAY_ONE, 8, 8);
    worker_denials_destroy(&denials);
    expect(DAY_ONE, 9, 12);
    end();
}

/* Anything that differs is another kind: each first one is told at once. */
static void others_are_not_counted_with_it(void)
{
    struct denial denial = denial_of(1, "fetch"), other;

    begin();
    for (int i = 0; i < 9; i++)
        deny(&denial, EVENING);
    expect(DAY_ONE, 8, 8);
    other = denial_of(2, "fetch");
    deny(&other, EVENING);
    other = denial_of(1, "erase");
    deny(&other, EVENING);
    other = denial;
    denial_explain(&other, bytes_of_string("another reason"));
    deny(&other, EVENING);
    other = denial;
    memcpy(other.release, RELEASE, sizeof RELEASE);
    deny(&other, EVENING);
    other.is_release = true;
    deny(&other, EVENING);
    other = denial;
    other.has_subject = true;
    deny(&other, EVENING);
    other.subject.byte[3] = 1;
    deny(&other, EVENING);
    other = denial;
    memcpy(other.via, WHO, sizeof WHO);
    deny(&other, EVENING);
    expect(DAY_ONE, 16, 16);
    end();
}

/* Whoever invents names of releases fills no disk, and hides nobody else. */
static void one_certificate_has_so_many_kinds(void)
{
    struct denial other = denial_of(2, "fetch");
    struct found found;

    begin();
    for (unsigned i = 0; i < 1000; i++) {
        struct denial denial = denial_of(1, "fetch");

        snprintf(denial.release, sizeof denial.release, "%032x", i);
        deny(&denial, EVENING);
    }
    /* 31 kinds, then 969 together: the first 8, and 16, 32, ... 512. */
    found = look_at(DAY_ONE);
    CU_ASSERT_EQUAL(found.events, DENIALS_OWN_MAX - 1 + 8 + 6);
    CU_ASSERT_EQUAL(found.counted, DENIALS_OWN_MAX - 1 + 512);
    CU_ASSERT(has(&found, "\"by\":\"00000000000000000000000000000001\""));
    CU_ASSERT(!has(&found, "asked"));
    CU_ASSERT(!has(&found, "release"));
    deny(&other, EVENING);
    found = look_at(DAY_ONE);
    CU_ASSERT(has(&found, "\"by\":\"00000000000000000000000000000002\""));
    CU_ASSERT(has(&found, "\"asked\":\"fetch\""));
    CU_ASSERT_EQUAL(worker_denials_turn(denials, EVENING + HOUR, &err), OK);
    CU_ASSERT_EQUAL(look_at(DAY_ONE).counted, 1001);
    end();
}

static void a_day_has_so_many_kinds(void)
{
    struct found found;

    begin();
    for (unsigned i = 0; i < DENIALS_KINDS_MAX + 100; i++) {
        struct denial denial = denial_of(i, "fetch");

        deny(&denial, EVENING);
    }
    /* The last hundred together: the first 8, then 16, 32 and 64. */
    found = look_at(DAY_ONE);
    CU_ASSERT_EQUAL(found.events, DENIALS_KINDS_MAX + 11);
    CU_ASSERT_EQUAL(found.counted, DENIALS_KINDS_MAX + 64);
    CU_ASSERT(!has(&found, "\"by\""));
    CU_ASSERT(!has(&found, "asked"));
    CU_ASSERT_EQUAL(worker_denials_turn(denials, EVENING + HOUR, &err), OK);
    CU_ASSERT_EQUAL(look_at(DAY_ONE).counted, DENIALS_KINDS_MAX + 100);
    end();
}

/* The bound that limits.h gives, of the longest event there can be. */
static void an_event_is_as_long_as_a_day_has_room_for(void)
{
    struct denial denial = denial_of(1, "checkpoint");
    char why[DENIAL_WHY_MAX + 50];
    struct found found;

    begin();
    memset(why, 'x', sizeof why);
    denial_explain(&denial, bytes_of(why, sizeof why));
    CU_ASSERT_EQUAL(strlen(denial.why), DENIAL_WHY_MAX);
    memcpy(denial.release, RELEASE, sizeof RELEASE);
    memcpy(denial.via, WHO, sizeof WHO);
    denial.has_dataset = denial.has_permit = true;
    deny(&denial, EVENING);
    found = look_at(DAY_ONE);
    CU_ASSERT(strlen(found.last) < 600);
    end();
}

static void a_reason_is_printable(void)
{
    struct denial denial = {.by = ""};

    denial_explain(&denial, bytes_of_string("a \"b\"\n\x1b[2Jc\xc3\xa4"));
    CU_ASSERT_STRING_EQUAL(denial.why, "a \"b\"??[2Jc??");
    denial_explain(&denial, bytes_of_string(""));
    CU_ASSERT_STRING_EQUAL(denial.why, "");
}

void suite_worker_denials(void)
{
    static const struct test tests[] = {
        {"a denial says who asked, what, and why",
         a_denial_says_who_asked_what_and_why},
        {"whom it is about is told, and not named",
         whom_it_is_about_is_told_and_not_named},
        {"equal ones are told as they double",
         equal_ones_are_told_as_they_double},
        {"what is left is told at the day's end",
         what_is_left_is_told_at_the_days_end},
        {"what is left is told when the service ends",
         what_is_left_is_told_when_the_service_ends},
        {"others are not counted with it", others_are_not_counted_with_it},
        {"one certificate has so many kinds",
         one_certificate_has_so_many_kinds},
        {"a day has so many kinds", a_day_has_so_many_kinds},
        {"an event is as long as a day has room for",
         an_event_is_as_long_as_a_day_has_room_for},
        {"a reason is printable", a_reason_is_printable},
    };

    suite_add("worker_denials", tests, sizeof tests / sizeof *tests);
}
