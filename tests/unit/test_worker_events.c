#include "anonymizer/worker_events.h"

#include <stdio.h>
#include <string.h>

#include "anonymizer/worker_chains.h"
#include "common/encoding.h"
#include "common/sign.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_worker_events(void);

#define WHO "0123456789abcdef0123456789abcdef"
#define RELEASE "11112222333344445555666677778888"

static struct scratch scratch;
static struct worker_store *store;
static struct worker_secret *secret;
static struct worker_events *events;
static struct error err;

static void open_all(void)
{
    struct worker_events_settings settings;
    bool fresh = false;

    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(worker_store_open(&store,
                                            scratch_path(&scratch, "state.db"),
                                            &fresh, &err),
                          OK);
    if (fresh) {
        CU_ASSERT_EQUAL_FATAL(
            worker_secret_create(scratch_path(&scratch, "secret.key"), &err),
            OK);
        CU_ASSERT_EQUAL_FATAL(worker_store_begun(store, &err), OK);
    }
    CU_ASSERT_EQUAL_FATAL(
        worker_secret_open(&secret, scratch_path(&scratch, "secret.key"), &err),
        OK);
    settings =
        (struct worker_events_settings){.store = store, .secret = secret};
    CU_ASSERT_EQUAL_FATAL(worker_events_open(&events, &settings, &err), OK);
}

static void close_all(void)
{
    worker_events_close(&events);
    worker_secret_close(&secret);
    worker_store_close(&store);
}

static struct subject_id subject_of(uint8_t number)
{
    struct subject_id subject = {{number}};

    return subject;
}

static void tell(enum access_act act, const struct subject_id *subject,
                 size_t count)
{
    const struct access_told told = {.act = act, .by = WHO, .release = RELEASE};

    CU_ASSERT_EQUAL(worker_events_subjects(events, &told, subject, count, &err),
                    OK);
}

/* ---- a chain, recomputed from what the header says ---- */

struct chain {
    uint8_t handle[ACCESS_HANDLE_SIZE];
    uint64_t length;
    uint8_t head[DIGEST_SIZE];
    char last[512]; /* event's text */
};

static enum status extend(void *context, const struct act_record *act,
                          struct error *ignored)
{
    static const char tag[] = "anchorite access chain 1";
    struct chain *chain = context;
    uint8_t
        bytes[sizeof tag + ACCESS_HANDLE_SIZE + 8 + DIGEST_SIZE + DIGEST_SIZE];
    uint8_t *to = bytes;
    struct digest event, head;
    struct bytes part;

    digest_parts(&event, &act->text, 1);
    memcpy(to, tag, sizeof tag);
    to += sizeof tag;
    memcpy(to, chain->handle, ACCESS_HANDLE_SIZE);
    to += ACCESS_HANDLE_SIZE;
    chain->length++;
    for (int i = 0; i < 8; i++)
        *to++ = (uint8_t)(chain->length >> (56 - 8 * i));
    memcpy(to, chain->head, DIGEST_SIZE);
    memcpy(to + DIGEST_SIZE, event.byte, DIGEST_SIZE);
    part = bytes_of(bytes, sizeof bytes);
    digest_parts(&head, &part, 1);
    memcpy(chain->head, head.byte, DIGEST_SIZE);
    snprintf(chain->last, sizeof chain->last, "%.*s", (int)act->text.size,
             (const char *)act->text.data);
    (void)ignored;
    return OK;
}

static struct chain recompute(const struct subject_id *subject)
{
    uint8_t message[8 + SUBJECT_ID_SIZE], mac[HMAC_SIZE];
    struct access_handle handle;
    struct chain chain = {.length = 0};

    memcpy(message, "subject\0", 8);
    memcpy(message + 8, subject->byte, SUBJECT_ID_SIZE);
    CU_ASSERT_EQUAL_FATAL(
        hmac_sha256(bytes_of(worker_secret_handles(secret), ACCESS_KEY_SIZE),
                    bytes_of(message, sizeof message), mac, &err),
        OK);
    memcpy(chain.handle, mac, ACCESS_HANDLE_SIZE);
    memcpy(handle.byte, mac, ACCESS_HANDLE_SIZE);
    CU_ASSERT_EQUAL(worker_store_history(store, &handle, extend, &chain, &err),
                    OK);
    return chain;
}

static void expect_chain(const struct subject_id *subject, uint64_t length)
{
    struct chain chain = recompute(subject);
    struct worker_chains *chains = NULL;
    struct access_handle handle;
    struct access_end end;

    memcpy(handle.byte, chain.handle, ACCESS_HANDLE_SIZE);
    CU_ASSERT_EQUAL(chain.length, length);
    CU_ASSERT_EQUAL_FATAL(worker_chains_open(&chains, store, &err), OK);
    worker_map_look_up(worker_chains_map(chains), &handle, 1, &end);
    CU_ASSERT_EQUAL(end.length, chain.length);
    CU_ASSERT_EQUAL(memcmp(end.head.byte, chain.head, DIGEST_SIZE), 0);
    worker_chains_close(&chains);
}

/* ---- tests ---- */

static void chains_are_those_of_a_naive_computation(void)
{
    enum { SUBJECTS = 40 };
    struct subject_id all[SUBJECTS];

    scratch_open(&scratch);
    open_all();
    for (unsigned i = 0; i < SUBJECTS; i++)
        all[i] = subject_of((uint8_t)(SUBJECTS - i)); /* in no order */
    tell(ACCESS_OPEN, all, SUBJECTS);
    tell(ACCESS_OPEN, all, 10);
    close_all();
    open_all(); /* as after a crash */
    tell(ACCESS_REPEAT, all, 5);
    tell(ACCESS_ERASE, all, 1);
    for (unsigned i = 0; i < SUBJECTS; i++)
        expect_chain(&all[i], i == 0 ? 4 : i < 5 ? 3 : i < 10 ? 2 : 1);
    close_all();
    scratch_close(&scratch);
}

static void event_says_what_was_told(void)
{
    struct subject_id subject = subject_of(1);
    struct chain chain;

    scratch_open(&scratch);
    open_all();
    tell(ACCESS_OPEN, &subject, 1);
    chain = recompute(&subject);
    CU_ASSERT_PTR_NOT_NULL(strstr(chain.last, "{\"act\":\"open\",\"at\":1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(chain.last, "\"by\":\"" WHO "\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(chain.last, "\"release\":\"" RELEASE "\""));
    CU_ASSERT_PTR_NULL(strstr(chain.last, "subject"));
    CU_ASSERT_PTR_NULL(strstr(chain.last, "permit"));
    close_all();
    scratch_close(&scratch);
}

static void event_that_is_not_anchored_is_told_so(void)
{
    struct subject_id subject = subject_of(1);
    struct digest entry;

    scratch_open(&scratch);
    open_all();
    tell(ACCESS_OPEN, &subject, 1);
    CU_ASSERT_EQUAL(worker_events_entry(events, &entry, &err), E_NO);
    close_all();
    scratch_close(&scratch);
}

static void another_secret_opens_nothing(void)
{
    static const char about[] = "a salt";
    uint8_t sealed[16 + SEAL_EXTRA], plain[16] = "sixteen bytes..", out[16];

    scratch_open(&scratch);
    open_all();
    CU_ASSERT_EQUAL(worker_secret_seal(secret, bytes_of_string(about),
                                       bytes_of(plain, sizeof plain), sealed,
                                       &err),
                    OK);
    CU_ASSERT_EQUAL(worker_secret_reveal(secret, bytes_of_string(about),
                                         bytes_of(sealed, sizeof sealed), out,
                                         sizeof out, &err),
                    OK);
    CU_ASSERT_EQUAL(memcmp(out, plain, sizeof out), 0);
    CU_ASSERT_EQUAL(worker_secret_reveal(secret, bytes_of_string("another"),
                                         bytes_of(sealed, sizeof sealed), out,
                                         sizeof out, &err),
                    E_INPUT);
    sealed[20] ^= 1;
    CU_ASSERT_EQUAL(worker_secret_reveal(secret, bytes_of_string(about),
                                         bytes_of(sealed, sizeof sealed), out,
                                         sizeof out, &err),
                    E_INPUT);
    CU_ASSERT_EQUAL(worker_secret_reveal(secret, bytes_of_string(about),
                                         bytes_of(sealed, sizeof sealed - 1),
                                         out, sizeof out, &err),
                    E_INPUT);
    CU_ASSERT_EQUAL(
        worker_secret_create(scratch_path(&scratch, "secret.key"), &err),
        E_INPUT);
    close_all();
    scratch_close(&scratch);
}

void suite_worker_events(void)
{
    static const struct test tests[] = {
        {"chains are those of a naive computation",
         chains_are_those_of_a_naive_computation},
        {"an event says what was told", event_says_what_was_told},
        {"an event that is not anchored is told so",
         event_that_is_not_anchored_is_told_so},
        {"another secret opens nothing", another_secret_opens_nothing},
    };

    suite_add("worker_events", tests, sizeof tests / sizeof tests[0]);
}
