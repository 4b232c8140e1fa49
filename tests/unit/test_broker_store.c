#include "broker/broker_store.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_broker_store(void);

static struct scratch scratch;
static struct broker_store *store;
static struct error err;
static const struct digest network = {.byte = {1, 2, 3}};

static enum status open_as(const struct digest *of, bool *fresh)
{
    error_init(&err);
    return broker_store_open(&store, scratch_path(&scratch, "state.db"), of,
                             fresh, &err);
}

static void begin(void)
{
    bool fresh = false;

    scratch_open(&scratch);
    CU_ASSERT_EQUAL_FATAL(open_as(&network, &fresh), OK);
    CU_ASSERT(fresh);
}

static void again(void)
{
    bool fresh = true;

    broker_store_close(&store);
    CU_ASSERT_EQUAL_FATAL(open_as(&network, &fresh), OK);
    CU_ASSERT_FALSE(fresh);
}

static void end(void)
{
    broker_store_close(&store);
    scratch_close(&scratch);
}

/* An entry whose bytes are this word: the store looks at no more. */
static void make_own(struct own_entry *own, const char *word, bool is_signed)
{
    own_entry_init(own);
    own->type = ENTRY_WITHDRAW;
    memset(own->salt.byte, 9, sizeof own->salt.byte);
    CU_ASSERT_EQUAL(text_append_string(&own->bytes, word, &err), OK);
    CU_ASSERT_EQUAL(text_append_string(&own->statement, "{}", &err), OK);
    if (is_signed)
        CU_ASSERT_EQUAL(text_append_string(&own->signatures, "[]", &err), OK);
    CU_ASSERT_EQUAL(digest_bytes(&own->id, text_bytes(&own->bytes), &err), OK);
}

/* ---- the file ---- */

static void another_networks_database_is_refused(void)
{
    static const struct digest other = {.byte = {1, 2, 4}};
    bool fresh;

    begin();
    broker_store_close(&store);
    CU_ASSERT_EQUAL(open_as(&other, &fresh), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "belongs to another network"));
    CU_ASSERT_PTR_NULL(store);
    end();
}

static void a_file_that_others_may_read_is_refused(void)
{
    bool fresh;

    begin();
    broker_store_close(&store);
    CU_ASSERT_EQUAL(chmod(scratch_path(&scratch, "state.db"), 0640), 0);
    CU_ASSERT_EQUAL(open_as(&network, &fresh), E_INPUT);
    end();
}

/* ---- pending ---- */

static void pending_entries_come_in_the_order_in_which_they_were_made(void)
{
    static const char *const word[] = {"zz", "aa", "mm"};
    struct own_entry own, found;
    bool any = true;

    begin();
    own_entry_init(&found);
    for (unsigned i = 0; i < 3; i++) {
        make_own(&own, word[i], true);
        CU_ASSERT_EQUAL(
            broker_store_add_own(store, &own, bytes_of(NULL, 0), &err), OK);
        own_entry_clear(&own);
    }
    again();
    for (unsigned i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(broker_store_first_pending(store, &found, &any, &err),
                        OK);
        CU_ASSERT(any);
        CU_ASSERT_STRING_EQUAL(found.bytes.data, word[i]);
        CU_ASSERT_FALSE(found.settled);
        if (i == 1)
            CU_ASSERT_EQUAL(broker_store_drop_pending(store, &found.id, &err),
                            OK)
        else
            CU_ASSERT_EQUAL(broker_store_settle(store, &found.id, 7 + i,
                                                VERDICT_STALE, &err),
                            OK);
    }
    CU_ASSERT_EQUAL(broker_store_first_pending(store, &found, &any, &err), OK);
    CU_ASSERT_FALSE(any);
    CU_ASSERT_EQUAL(broker_store_find_own(store, &found.id, &found, &any, &err),
                    OK);
    CU_ASSERT(any && found.settled);
    CU_ASSERT_EQUAL(found.position, 9);
    CU_ASSERT_EQUAL(found.verdict, VERDICT_STALE);
    CU_ASSERT_EQUAL(found.salt.byte[0], 9);
    own_entry_clear(&found);
    end();
}

static void what_is_not_signed_is_not_pending(void)
{
    struct own_entry own;
    bool any = true;

    begin();
    make_own(&own, "draft", false);
    CU_ASSERT_EQUAL(broker_store_add_own(store, &own, bytes_of(NULL, 0), &err),
                    OK);
    CU_ASSERT_EQUAL(broker_store_first_pending(store, &own, &any, &err), OK);
    CU_ASSERT_FALSE(any);
    CU_ASSERT_EQUAL(text_append_string(&own.signatures, "[1]", &err), OK);
    CU_ASSERT_EQUAL(broker_store_sign_own(store, &own, &err), OK);
    again();
    CU_ASSERT_EQUAL(broker_store_first_pending(store, &own, &any, &err), OK);
    CU_ASSERT(any);
    CU_ASSERT_STRING_EQUAL(own.signatures.data, "[1]");
    own_entry_clear(&own);
    end();
}

static void who_asked_finds_his_entry(void)
{
    static const uint8_t upload[16] = {4};
    struct own_entry own;
    bool any = true;

    begin();
    make_own(&own, "asked", true);
    CU_ASSERT_EQUAL(
        broker_store_find_asked(store, bytes_of(upload, 16), &own, &any, &err),
        OK);
    CU_ASSERT_FALSE(any);
    CU_ASSERT_EQUAL(
        broker_store_add_own(store, &own, bytes_of(upload, 16), &err), OK);
    CU_ASSERT_EQUAL(
        broker_store_find_asked(store, bytes_of(upload, 16), &own, &any, &err),
        OK);
    CU_ASSERT(any);
    /* No upload is an answer to two things. */
    own_entry_clear(&own);
    make_own(&own, "other", true);
    CU_ASSERT_EQUAL(
        broker_store_add_own(store, &own, bytes_of(upload, 16), &err), E_INPUT);
    own_entry_clear(&own);
    end();
}

/* ---- what was said ---- */

struct heard {
    struct said said[16];
    unsigned count;
};

static enum status hear(void *context, const struct said *said,
                        struct error *error)
{
    struct heard *heard = context;

    if (heard->count == 16)
        return error_set(error, E_LIMIT, "more was said than can be");
    heard->said[heard->count++] = *said;
    return OK;
}

static void each_wish_is_there_once(void)
{
    static const struct subject_id a = {{0xaa}}, b = {{0x0b}};
    struct heard heard = {.count = 0};
    struct text says;

    begin();
    text_init(&says);
    CU_ASSERT_EQUAL(
        broker_store_say(store, &a, 5, bytes_of_string("yes"), &err), OK);
    CU_ASSERT_EQUAL(
        broker_store_say(store, &b, 5, bytes_of_string("yes"), &err), OK);
    CU_ASSERT_EQUAL(broker_store_say(store, &b, 4, bytes_of_string("no"), &err),
                    OK);
    CU_ASSERT_EQUAL(broker_store_say(store, &a, 6, bytes_of(NULL, 0), &err),
                    OK);
    /* The same again changes nothing. */
    CU_ASSERT_EQUAL(
        broker_store_say(store, &b, 5, bytes_of_string("yes"), &err), OK);
    again();
    CU_ASSERT_EQUAL(broker_store_each_said(store, hear, &heard, &err), OK);
    CU_ASSERT_EQUAL_FATAL(heard.count, 4);
    CU_ASSERT_EQUAL(subject_id_compare(&heard.said[0].subject, &b), 0);
    CU_ASSERT_EQUAL(heard.said[0].position, 4);
    CU_ASSERT_EQUAL(heard.said[0].wish, 2);
    CU_ASSERT_EQUAL(heard.said[1].wish, 1);
    CU_ASSERT_EQUAL(heard.said[2].wish, 1);
    CU_ASSERT_EQUAL(heard.said[3].wish, WISH_WITHDRAWN);
    CU_ASSERT_EQUAL(broker_store_wish(store, 2, &says, &err), OK);
    CU_ASSERT_STRING_EQUAL(says.data, "no");
    CU_ASSERT_EQUAL(broker_store_wish(store, 3, &says, &err), E_INPUT);
    text_clear(&says);
    heard.count = 0;
    CU_ASSERT_EQUAL(broker_store_said_since(store, 5, hear, &heard, &err), OK);
    CU_ASSERT_EQUAL(heard.count, 3);
    heard.count = 0;
    CU_ASSERT_EQUAL(broker_store_said_by(store, &a, hear, &heard, &err), OK);
    CU_ASSERT_EQUAL(heard.count, 2);
    end();
}

static void a_visitor_can_end_the_visit(void)
{
    static const struct subject_id a = {{0xaa}};
    struct heard heard = {.count = 16};

    begin();
    CU_ASSERT_EQUAL(broker_store_say(store, &a, 6, bytes_of(NULL, 0), &err),
                    OK);
    CU_ASSERT_EQUAL(broker_store_each_said(store, hear, &heard, &err), E_LIMIT);
    error_init(&err);
    heard.count = 0;
    CU_ASSERT_EQUAL(broker_store_each_said(store, hear, &heard, &err), OK);
    CU_ASSERT_EQUAL(heard.count, 1);
    end();
}

/* ---- permits and releases ---- */

static void a_permit_and_a_release_are_as_they_were_put(void)
{
    struct permit_record permit, stored;
    struct release_record release, found;
    bool any = true;

    begin();
    permit_record_init(&permit);
    permit_record_init(&stored);
    release_record_init(&release);
    release_record_init(&found);
    memset(&permit.id, 1, sizeof permit.id);
    permit.size = 12;
    permit.expires_ms = 34;
    CU_ASSERT_EQUAL(text_append(&permit.list, "123456789012345678901234",
                                PERMITTED_ITEM_SIZE, &err),
                    OK);
    CU_ASSERT_EQUAL(broker_store_add_permit(store, &permit, &err), OK);
    CU_ASSERT_EQUAL(broker_store_permit(store, &permit.id, &stored, &err), OK);
    CU_ASSERT_EQUAL(stored.expires_ms, 34);
    CU_ASSERT_EQUAL(
        broker_store_permit_list(store, &permit.id, &stored.list, &err), OK);
    CU_ASSERT_EQUAL(stored.list.size, PERMITTED_ITEM_SIZE);
    permit.id.byte[0] = 2;
    CU_ASSERT_EQUAL(broker_store_permit(store, &permit.id, &stored, &err),
                    E_INPUT);
    CU_ASSERT_EQUAL(
        broker_store_permit_list(store, &permit.id, &stored.list, &err),
        E_INPUT);
    CU_ASSERT_EQUAL(
        broker_store_find_release(store, &release.request, &found, &any, &err),
        OK);
    CU_ASSERT_FALSE(any);
    for (unsigned i = 0; i < 2; i++) { /* the second in the first's place */
        release.state = i;
        release.restarts = 3 + i;
        CU_ASSERT_EQUAL(broker_store_put_release(store, &release, &err), OK);
    }
    again();
    CU_ASSERT_EQUAL(
        broker_store_find_release(store, &release.request, &found, &any, &err),
        OK);
    CU_ASSERT(any);
    CU_ASSERT_EQUAL(found.state, 1);
    CU_ASSERT_EQUAL(found.restarts, 4);
    permit_record_clear(&permit);
    permit_record_clear(&stored);
    release_record_clear(&release);
    release_record_clear(&found);
    end();
}

static void what_is_rolled_back_was_never_there(void)
{
    uint64_t cursor = 0;

    begin();
    CU_ASSERT_EQUAL(broker_store_begin(store, &err), OK);
    CU_ASSERT_EQUAL(broker_store_set_number(store, BROKER_CURSOR, 5, &err), OK);
    CU_ASSERT_EQUAL(broker_store_end(store, E_IO, &err), E_IO);
    CU_ASSERT_EQUAL(broker_store_number(store, BROKER_CURSOR, &cursor, &err),
                    OK);
    CU_ASSERT_EQUAL(cursor, 0);
    end();
}

void suite_broker_store(void)
{
    static const struct test tests[] = {
        {"another network's database is refused",
         another_networks_database_is_refused},
        {"a file that others may read is refused",
         a_file_that_others_may_read_is_refused},
        {"pending entries come in the order in which they were made",
         pending_entries_come_in_the_order_in_which_they_were_made},
        {"what is not signed is not pending",
         what_is_not_signed_is_not_pending},
        {"who asked finds his entry", who_asked_finds_his_entry},
        {"each wish is there once", each_wish_is_there_once},
        {"a visitor can end the visit", a_visitor_can_end_the_visit},
        {"a permit and a release are as they were put",
         a_permit_and_a_release_are_as_they_were_put},
        {"what is rolled back was never there",
         what_is_rolled_back_was_never_there},
    };

    suite_add("broker_store", tests, sizeof tests / sizeof *tests);
}
