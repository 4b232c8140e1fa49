#include "common/access_history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/worker_map.h"
#include "common/encoding.h"
#include "common/json.h"
#include "common/merkle.h"
#include "common/note.h"
#include "tests/lib/federation.h"
#include "tests/lib/suite.h"

void suite_access_history(void);

#define RELEASE "11112222333344445555666677778888"
#define OPENED                                                                 \
    "{\"act\":\"open\",\"at\":1,\"by\":\"x\",\"release\":\"" RELEASE           \
    "\",\"salt\":\"00\"}"
#define ERASED "{\"act\":\"erase\",\"at\":2,\"by\":\"y\",\"salt\":\"01\"}"
#define FETCHED                                                                \
    "{\"act\":\"fetch\",\"at\":3,\"by\":\"x\",\"release\":\"" RELEASE          \
    "\",\"salt\":\"02\"}"

#define DAY "2025-01-31"
#define DENIED                                                                 \
    "{\"act\":\"deny\",\"at\":4,\"by\":\"z\",\"count\":1,\"release\":"         \
    "\"" RELEASE "\",\"salt\":\"03\"}"
#define DENIED_TWICE                                                           \
    "{\"act\":\"deny\",\"at\":5,\"by\":\"z\",\"count\":2,\"salt\":\"04\"}"

static const uint8_t key[ACCESS_KEY_SIZE] = "the key of the test's handles...";
static const struct subject_id subject = {{7}}, stranger = {{8}};
static struct network network;
static struct trust trust;
static struct worker_map *map;
static struct error err;

/* What a world may have otherwise. */
struct wish {
    const char *statement_count; /* NULL: the right one */
    enum entry_verdict verdict;
    enum entry_type type;
    bool no_release, twice_release, no_erase, empty;
    const char *day; /* its denials instead of a subject's history */
    size_t cosigners;
};
static const struct wish right = {.type = ENTRY_ACCESS, .cosigners = 2};

static void demand(enum status status)
{
    if (status == OK)
        return;
    fprintf(stderr, "\n%s\n", err.text);
    abort();
}

static void begin(void)
{
    error_init(&err);
    network_open(&network);
    trust = (struct trust){.quorum = 2,
                           .node_count = NETWORK_ORGANISATIONS,
                           .root = {network.root.certificate},
                           .root_count = 1};
    snprintf(trust.origin, sizeof trust.origin, "%s", network.genesis->origin);
    for (size_t i = 0; i < NETWORK_ORGANISATIONS; i++)
        demand(note_verifier_parse(
            &trust.node[i], bytes_of_string(network.cosigner_text[i]), &err));
    demand(worker_map_create(&map, &err));
}

static void end(void)
{
    worker_map_destroy(&map);
    for (size_t i = 0; i < trust.node_count; i++)
        note_verifier_clear(&trust.node[i]);
    network_close(&network);
}

/* ---- a map with the chains of it ---- */

static struct access_end chain_of(const char *kind, struct bytes id,
                                  const char *first, const char *second)
{
    const char *text[] = {first, second};
    struct access_end end = {.length = 0};

    access_handle_make(key, kind, id, &end.handle);
    for (size_t i = 0; i < 2 && text[i] != NULL; i++) {
        struct digest event;

        demand(digest_bytes(&event, bytes_of_string(text[i]), &err));
        access_chain_extend(&end, &event);
    }
    return end;
}

static void put(struct access_end end)
{
    demand(worker_map_reserve(map, 1, &err));
    worker_map_put(map, &end, 1);
}

static struct bytes subject_bytes(const struct subject_id *whose)
{
    return bytes_of(whose->byte, SUBJECT_ID_SIZE);
}

static void fill_map(void)
{
    put(chain_of(ACCESS_SUBJECT, subject_bytes(&subject), OPENED, ERASED));
    put(chain_of(ACCESS_RELEASE, bytes_of_string(RELEASE), FETCHED, NULL));
    put(chain_of(ACCESS_DENIALS, bytes_of_string(DAY), DENIED, DENIED_TWICE));
    for (uint8_t i = 20; i < 60; i++) {
        struct subject_id other = {{i}};

        put(chain_of(ACCESS_SUBJECT, subject_bytes(&other), OPENED, NULL));
    }
}

/* ---- the entry and its proof ---- */

static void write_note(const struct digest *root, size_t cosigners,
                       struct text *note)
{
    struct checkpoint checkpoint = {.size = 1, .root = *root};
    struct text lines;

    text_init(&lines);
    snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", trust.origin);
    demand(checkpoint_append(&checkpoint, note, &err));
    for (size_t i = 0; i < cosigners; i++)
        demand(note_cosign(trust.node[i].name, network.cosigner[i],
                           text_bytes(note), 1800000000, &lines, &err));
    demand(text_printf(note, &err, "\n%s", lines.data));
    text_clear(&lines);
}

static void write_proof(const struct wish *wish, const char *payload,
                        struct text *out)
{
    struct network_entry entry;
    struct proof_parts parts = {.verdict = wish->verdict, .block = 1};
    struct digest hash;
    struct text leaf, note;

    text_init(&leaf);
    text_init(&note);
    network_entry_make(&entry, &network, wish->type,
                       network_who(&network, NORTH, IDENTITY_ANONYMIZER),
                       payload);
    demand(entry_leaf(text_bytes(&entry.bytes), text_bytes(&entry.signatures),
                      wish->verdict, parts.block, &leaf, &err));
    merkle_leaf(&hash, text_bytes(&leaf));
    write_note(&hash, wish->cosigners, &note);
    parts.entry = text_bytes(&entry.bytes);
    parts.signatures = text_bytes(&entry.signatures);
    parts.note = text_bytes(&note);
    demand(proof_write(&parts, out, &err));
    network_entry_clear(&entry);
    text_clear(&note);
    text_clear(&leaf);
}

static void write_statement(const struct wish *wish, struct text *out)
{
    struct digest trie, root;
    char hex[DIGEST_HEX_SIZE];

    worker_map_trie(map, &trie);
    access_root(&root, key, worker_map_size(map), &trie);
    digest_hex(&root, hex);
    demand(text_printf(
        out, &err,
        "{\"count\":%s,\"events\":\"" NETWORK_HEX
        "\",\"first\":1,\"map\":\"%s\",\"statement\":\"access 1\","
        "\"subjects\":%zu}",
        wish->statement_count == NULL ? "43" : wish->statement_count, hex,
        (size_t)worker_map_size(map)));
}

/* ---- a history ---- */

static void write_chain(struct access_writer *writer, const char *kind,
                        struct bytes id, const char *first, const char *second)
{
    struct access_end end = chain_of(kind, id, NULL, NULL);
    struct access_path path;

    worker_map_path(map, &end.handle, &path);
    demand(access_writer_chain(writer, kind, id, &path, &err));
    if (first != NULL)
        demand(access_writer_event(writer, bytes_of_string(first), &err));
    if (second != NULL)
        demand(access_writer_event(writer, bytes_of_string(second), &err));
}

static void write_history(const struct wish *wish,
                          const struct subject_id *whose, struct text *out)
{
    struct access_writer *writer = NULL;
    struct commitment_salt salt = {{5}};
    struct digest commitment;
    char payload[256], hex[DIGEST_HEX_SIZE];
    struct text statement, proof;

    text_init(&statement);
    text_init(&proof);
    demand(access_writer_create(&writer, key, &err));
    if (wish->day != NULL)
        write_chain(writer, ACCESS_DENIALS, bytes_of_string(wish->day),
                    wish->empty ? NULL : DENIED,
                    wish->empty || wish->no_erase ? NULL : DENIED_TWICE);
    else
        write_chain(writer, ACCESS_SUBJECT, subject_bytes(whose),
                    wish->empty ? NULL : OPENED,
                    wish->empty || wish->no_erase ? NULL : ERASED);
    /* A denial's release is not one that somebody's records were in. */
    CU_ASSERT_EQUAL(access_writer_release_count(writer),
                    wish->empty || wish->day != NULL ? 0 : 1);
    if (!wish->no_release)
        write_chain(writer, ACCESS_RELEASE, bytes_of_string(RELEASE), FETCHED,
                    NULL);
    if (wish->twice_release)
        write_chain(writer, ACCESS_RELEASE, bytes_of_string(RELEASE), FETCHED,
                    NULL);
    write_statement(wish, &statement);
    demand(commitment_make(&salt, text_bytes(&statement), &commitment, &err));
    digest_hex(&commitment, hex);
    snprintf(payload, sizeof payload, "{\"commitment\":\"%s\",\"count\":43}",
             hex);
    write_proof(wish, payload, &proof);
    demand(access_writer_finish(writer, &salt, text_bytes(&statement),
                                text_bytes(&proof), &err));
    demand(access_writer_print(writer, out, &err));
    access_writer_destroy(&writer);
    text_clear(&proof);
    text_clear(&statement);
}

static enum status verify(struct bytes text, const struct subject_id *whose)
{
    struct access_history *history = NULL;
    enum status status;

    error_init(&err);
    status = access_history_verify(&history, text, &trust, whose, &err);
    CU_ASSERT_EQUAL(history == NULL, status != OK);
    access_history_destroy(&history);
    return status;
}

static void expect_no(const struct wish *wish, const char *words)
{
    struct text text;

    begin();
    fill_map();
    text_init(&text);
    write_history(wish, &subject, &text);
    CU_ASSERT_EQUAL(verify(text_bytes(&text), &subject), E_NO);
    if (strstr(err.text, words) == NULL) {
        fprintf(stderr, "\nexpected \"%s\": %s\n", words, err.text);
        CU_FAIL("another reason");
    }
    text_clear(&text);
    end();
}

/* ---- tests ---- */

static void whole_history_is_proven(void)
{
    struct access_history *history = NULL;
    struct access_chain chain;
    struct text text;

    begin();
    fill_map();
    text_init(&text);
    write_history(&right, &subject, &text);
    CU_ASSERT_EQUAL_FATAL(access_history_verify(&history, text_bytes(&text),
                                                &trust, &subject, &err),
                          OK);
    CU_ASSERT_EQUAL(access_history_chain_count(history), 2);
    chain = access_history_chain(history, 0);
    CU_ASSERT(chain.is_subject);
    CU_ASSERT_EQUAL(json_length(chain.events), 2);
    chain = access_history_chain(history, 1);
    CU_ASSERT_STRING_EQUAL(chain.release, RELEASE);
    CU_ASSERT_EQUAL(json_length(chain.events), 1);
    CU_ASSERT_STRING_EQUAL(
        access_history_author(history),
        certificate_id(
            network_who(&network, NORTH, IDENTITY_ANONYMIZER)->certificate));
    CU_ASSERT_EQUAL(access_history_checkpoint(history)->size, 1);
    access_history_destroy(&history);
    text_clear(&text);
    end();
}

static void subject_that_nobody_has_seen_has_a_proof_of_that(void)
{
    const struct wish nothing = {.type = ENTRY_ACCESS,
                                 .cosigners = 2,
                                 .empty = true,
                                 .no_release = true};

    /* In a full map, and in an empty one. */
    for (int i = 0; i < 2; i++) {
        struct text text;

        begin();
        if (i == 0)
            fill_map();
        text_init(&text);
        write_history(&nothing, &stranger, &text);
        CU_ASSERT_EQUAL(verify(text_bytes(&text), &stranger), OK);
        CU_ASSERT_EQUAL(verify(text_bytes(&text), &subject), E_NO);
        text_clear(&text);
        end();
    }
}

static void subject_that_was_seen_cannot_be_said_not_to_be(void)
{
    struct wish wish = right;

    wish.empty = wish.no_release = true;
    expect_no(&wish, "not the anchored map's");
}

static void missing_event_is_found(void)
{
    struct wish wish = right;

    wish.no_erase = true;
    expect_no(&wish, "not the anchored map's");
}

static void missing_release_is_found(void)
{
    struct wish wish = right;

    wish.no_release = true;
    expect_no(&wish, "0 chains of releases, its events name 1");
    wish = right;
    wish.twice_release = true;
    expect_no(&wish, "2 chains of releases, its events name 1");
}

static void entry_that_proves_nothing_is_refused(void)
{
    struct wish wish = right;

    wish.cosigners = 1;
    expect_no(&wish, "");
    wish = right;
    wish.verdict = VERDICT_REVOKED;
    expect_no(&wish, "no valid one");
    wish = right;
    wish.type = ENTRY_DATASET;
    expect_no(&wish, "no valid one");
    wish = right;
    wish.statement_count = "42";
    expect_no(&wish, "other events");
}

/* Whatever is changed in its text: it is refused, or says the same. */
static void every_changed_byte_is_noticed(void)
{
    struct text text;

    begin();
    fill_map();
    text_init(&text);
    write_history(&right, &subject, &text);
    for (size_t i = 0; i < text.size; i += 7) {
        char old = text.data[i];

        text.data[i] = (char)(old ^ 1);
        if (verify(text_bytes(&text), &subject) == OK)
            CU_FAIL("a changed byte was not noticed");
        text.data[i] = old;
    }
    CU_ASSERT_EQUAL(verify(text_bytes(&text), &subject), OK);
    text_clear(&text);
    end();
}

static enum status verify_day(const struct wish *wish, const char *day,
                              size_t *count)
{
    struct access_history *history = NULL;
    struct text text;
    enum status status;

    begin();
    fill_map();
    text_init(&text);
    write_history(wish, &subject, &text);
    status = access_history_verify_denials(&history, text_bytes(&text), &trust,
                                           day, &err);
    CU_ASSERT_EQUAL(history == NULL, status != OK);
    if (status == OK) {
        struct access_chain chain = access_history_chain(history, 0);

        CU_ASSERT_EQUAL(access_history_chain_count(history), 1);
        CU_ASSERT(!chain.is_subject);
        CU_ASSERT_PTR_NULL(chain.release);
        *count = json_length(chain.events);
    }
    /* It is nobody's history. */
    CU_ASSERT_EQUAL(verify(text_bytes(&text), &subject),
                    wish->day != NULL ? E_NO : OK);
    access_history_destroy(&history);
    text_clear(&text);
    end();
    return status;
}

static void a_days_denials_are_all_or_none(void)
{
    struct wish wish = right;
    size_t count = 0;

    wish.day = DAY;
    wish.no_release = true;
    CU_ASSERT_EQUAL(verify_day(&wish, DAY, &count), OK);
    CU_ASSERT_EQUAL(count, 2);
    CU_ASSERT_EQUAL(verify_day(&wish, "2025-02-01", &count), E_NO);
    wish.no_erase = true; /* the second one left out */
    CU_ASSERT_EQUAL(verify_day(&wish, DAY, &count), E_NO);
    wish.empty = true;
    CU_ASSERT_EQUAL(verify_day(&wish, DAY, &count), E_NO);
    /* Of a day without any that is proven. */
    wish.day = "2025-02-01";
    CU_ASSERT_EQUAL(verify_day(&wish, "2025-02-01", &count), OK);
    CU_ASSERT_EQUAL(count, 0);
    /* A release's chain is none of it, and neither is a subject's. */
    wish = right;
    CU_ASSERT_EQUAL(verify_day(&wish, DAY, &count), E_NO);
    wish.day = DAY;
    CU_ASSERT_EQUAL(verify_day(&wish, DAY, &count), E_NO);
}

static void what_is_no_history_is_refused(void)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{\"history\":2}",
        "{\"history\":1,\"chains\":[],\"key\":\"\",\"proof\":\"\","
        "\"salt\":\"\",\"statement\":\"\"}",
        "{\"history\":1,\"chains\":[1],\"key\":\"\",\"proof\":\"\","
        "\"salt\":\"\",\"statement\":\"\"}",
    };

    begin();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        CU_ASSERT_EQUAL(verify(bytes_of_string(texts[i]), &subject), E_INPUT);
    end();
}

void suite_access_history(void)
{
    static const struct test tests[] = {
        {"a whole history is proven", whole_history_is_proven},
        {"a subject that nobody has seen has a proof of that",
         subject_that_nobody_has_seen_has_a_proof_of_that},
        {"a subject that was seen cannot be said not to be",
         subject_that_was_seen_cannot_be_said_not_to_be},
        {"a missing event is found", missing_event_is_found},
        {"a missing release is found", missing_release_is_found},
        {"an entry that proves nothing is refused",
         entry_that_proves_nothing_is_refused},
        {"every changed byte is noticed", every_changed_byte_is_noticed},
        {"a day's denials are all or none", a_days_denials_are_all_or_none},
        {"what is no history is refused", what_is_no_history_is_refused},
    };

    suite_add("access_history", tests, sizeof tests / sizeof tests[0]);
}
