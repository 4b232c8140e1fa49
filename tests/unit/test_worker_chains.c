#include "anonymizer/worker_chains.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"
#include "common/limits.h"
#include "common/random.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_worker_chains(void);

static struct scratch scratch;
static struct worker_store *store;
static struct worker_chains *chains;
static struct error err;

static enum status try_open(void)
{
    bool fresh = false;

    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(worker_store_open(&store,
                                            scratch_path(&scratch, "state.db"),
                                            &fresh, &err),
                          OK);
    if (fresh)
        CU_ASSERT_EQUAL_FATAL(worker_store_begun(store, &err), OK);
    return worker_chains_open(&chains, store, &err);
}

static void close_all(void)
{
    worker_chains_close(&chains);
    worker_store_close(&store);
}

static void begin(void)
{
    scratch_open(&scratch);
    CU_ASSERT_EQUAL_FATAL(try_open(), OK);
}

static void reopen(void)
{
    close_all();
    CU_ASSERT_EQUAL_FATAL(try_open(), OK);
}

static void end(void)
{
    close_all();
    scratch_close(&scratch);
}

/* ---- a model: chains as their definition has them (common/access_chain.h),
 * with SHA-256 of bytes that are put together here, and all events of each
 * handle in the order in which it was told ---- */

#define HANDLES 3000 /* some rows of a list */
#define EVENTS_MAX 64

struct model {
    uint8_t handle[ACCESS_HANDLE_SIZE];
    uint64_t length;
    uint8_t head[DIGEST_SIZE];
    unsigned event[EVENTS_MAX];
};

static struct model model[HANDLES]; /* ascending */
static unsigned told;               /* events */

static void sha256(const uint8_t *bytes, size_t size, uint8_t out[DIGEST_SIZE])
{
    struct bytes part = bytes_of(bytes, size);
    struct digest digest;

    digest_parts(&digest, &part, 1);
    memcpy(out, digest.byte, DIGEST_SIZE);
}

static void write_text(unsigned event, char text[64])
{
    snprintf(text, 64, "{\"act\":\"open\",\"at\":%u}", event);
}

static void model_extend(struct model *one, unsigned event)
{
    static const char tag[] = "anchorite access chain 1";
    uint8_t
        bytes[sizeof tag + ACCESS_HANDLE_SIZE + 8 + DIGEST_SIZE + DIGEST_SIZE];
    uint8_t *to = bytes;
    char text[64];

    CU_ASSERT_FATAL(one->length < EVENTS_MAX);
    one->event[one->length++] = event;
    write_text(event, text);
    memcpy(to, tag, sizeof tag);
    to += sizeof tag;
    memcpy(to, one->handle, ACCESS_HANDLE_SIZE);
    to += ACCESS_HANDLE_SIZE;
    for (int i = 0; i < 8; i++)
        *to++ = (uint8_t)(one->length >> (56 - 8 * i));
    memcpy(to, one->head, DIGEST_SIZE);
    sha256((const uint8_t *)text, strlen(text), to + DIGEST_SIZE);
    sha256(bytes, sizeof bytes, one->head);
}

static int compare_models(const void *a, const void *b)
{
    return memcmp(a, b, ACCESS_HANDLE_SIZE);
}

static void draw_model(struct random *random)
{
    memset(model, 0, sizeof model);
    told = 0;
    for (size_t i = 0; i < HANDLES; i++) {
        put_be64(model[i].handle, random_next(random));
        put_be64(model[i].handle + 8, i);
    }
    qsort(model, HANDLES, sizeof *model, compare_models);
}

/* Both are told of one event, of every `step`th handle from `first` on, at most
 * `most`. */
static void tell(size_t first, size_t step, size_t most)
{
    static struct access_handle handle[HANDLES];
    size_t count = 0;
    char text[64];

    write_text(++told, text);
    for (size_t i = first; i < HANDLES && count < most; i += step) {
        memcpy(handle[count++].byte, model[i].handle, ACCESS_HANDLE_SIZE);
        model_extend(&model[i], told);
    }
    CU_ASSERT_EQUAL(
        worker_chains_tell(chains, bytes_of_string(text), handle, count, &err),
        OK);
}

static void expect_ends(void)
{
    const struct access_end *found = worker_map_ends(worker_chains_map(chains));
    size_t at = 0, differ = 0;

    for (size_t i = 0; i < HANDLES; i++) {
        if (model[i].length == 0)
            continue;
        CU_ASSERT_FATAL(at < worker_map_size(worker_chains_map(chains)));
        differ += found[at].length != model[i].length ||
                  memcmp(found[at].handle.byte, model[i].handle,
                         ACCESS_HANDLE_SIZE) != 0 ||
                  memcmp(found[at].head.byte, model[i].head, DIGEST_SIZE) != 0;
        at++;
    }
    CU_ASSERT_EQUAL(differ, 0);
    CU_ASSERT_EQUAL(worker_map_size(worker_chains_map(chains)), at);
    CU_ASSERT_EQUAL(worker_chains_last(chains), told);
}

struct seen {
    const struct model *one;
    uint64_t count;
};

static enum status see(void *context, const struct act_record *act,
                       struct error *ignored)
{
    struct seen *seen = context;
    char text[64];

    (void)ignored;
    CU_ASSERT_FATAL(seen->count < seen->one->length);
    write_text(seen->one->event[seen->count++], text);
    CU_ASSERT(bytes_equal(act->text, bytes_of_string(text)));
    return OK;
}

static void expect_history(size_t index)
{
    struct seen seen = {.one = &model[index]};
    struct access_handle handle;

    memcpy(handle.byte, model[index].handle, ACCESS_HANDLE_SIZE);
    CU_ASSERT_EQUAL(worker_chains_history(chains, &handle, see, &seen, &err),
                    OK);
    CU_ASSERT_EQUAL(seen.count, model[index].length);
}

/* ---- tests ---- */

static void chains_are_those_of_a_naive_computation(void)
{
    const uint64_t first_seed = 20261121;

    for (uint64_t seed = first_seed; seed < first_seed + 3; seed++) {
        struct random random;

        random_init(&random, seed);
        begin();
        draw_model(&random);
        for (int i = 0; i < 30; i++) {
            size_t first = random_below(&random, HANDLES);

            switch (random_below(&random, 5)) {
            case 0:
                tell(first, 1, 1);
                break;
            case 1:
                tell(first, 1 + random_below(&random, 9), 2);
                break;
            case 2:
                tell(0, 1 + random_below(&random, 3), HANDLES);
                break;
            case 3:
                CU_ASSERT_EQUAL(worker_chains_save(chains, &err), OK);
                break;
            default:
                reopen();
            }
            expect_ends();
        }
        reopen();
        expect_ends();
        for (size_t i = 0; i < HANDLES; i += 7)
            expect_history(i);
        end();
        if (CU_get_number_of_failures() > 0)
            printf("seed %ju\n", (uintmax_t)seed);
    }
}

/* The sizes at which a row of a list is full. */
static void list_of_any_length_is_told_of_whole(void)
{
    static const size_t sizes[] = {1,
                                   2,
                                   WORKER_LIST_MAX - 1,
                                   WORKER_LIST_MAX,
                                   WORKER_LIST_MAX + 1,
                                   (size_t)2 * WORKER_LIST_MAX,
                                   (size_t)2 * WORKER_LIST_MAX + 1};
    struct random random;

    random_init(&random, 5);
    begin();
    draw_model(&random);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        tell(i, 1, sizes[i]);
        reopen();
        expect_ends();
        for (size_t j = 0; j < HANDLES; j += WORKER_LIST_MAX / 2 - 1)
            expect_history(j);
        expect_history(i + sizes[i] - 1);
        expect_history(i + sizes[i]);
    }
    end();
}

static void handle_that_nobody_was_told_of_has_no_history(void)
{
    struct random random;

    random_init(&random, 6);
    begin();
    draw_model(&random);
    expect_history(0);
    tell(1, 2, HANDLES);
    expect_history(0);
    expect_history(2);
    expect_history(HANDLES - 2);
    end();
}

static void saved_ends_are_replaced(void)
{
    struct random random;

    random_init(&random, 7);
    begin();
    draw_model(&random);
    CU_ASSERT_EQUAL(worker_chains_save(chains, &err), OK); /* of nothing */
    reopen();
    tell(0, 1, HANDLES);
    CU_ASSERT_EQUAL(worker_chains_save(chains, &err), OK);
    CU_ASSERT_EQUAL(worker_chains_save(chains, &err), OK);
    tell(0, 100, HANDLES);
    CU_ASSERT_EQUAL(worker_chains_save(chains, &err), OK);
    reopen();
    expect_ends();
    end();
}

/* ---- altered ---- */

static void change(const char *sql)
{
    sqlite3 *db = NULL;

    CU_ASSERT_EQUAL_FATAL(sqlite3_open(scratch_path(&scratch, "state.db"), &db),
                          SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    CU_ASSERT(sqlite3_changes(db) > 0);
    sqlite3_close(db);
}

/* Two lists and an event by itself between them. */
static void fill(bool saved)
{
    struct random random;

    random_init(&random, 8);
    begin();
    draw_model(&random);
    tell(0, 1, HANDLES);
    tell(5, 1, 1);
    tell(0, 2, HANDLES);
    if (saved)
        CU_ASSERT_EQUAL(worker_chains_save(chains, &err), OK);
}

/* What one flipped bit, a row less or one too many does. */
#define FLIP_HANDLES                                                           \
    "UPDATE list SET handles = CAST(substr(handles, 1, 99) || x'00' ||"        \
    " substr(handles, 101) AS BLOB) WHERE number = 2"

#define FLIP_ENDS                                                              \
    "UPDATE chain SET ends = CAST(substr(ends, 1, 99) || x'00' ||"             \
    " substr(ends, 101) AS BLOB) WHERE part = 1"

static void altered_events_open_no_chains(void)
{
    static const char *const changes[] = {
        (FLIP_HANDLES),
        "DELETE FROM list WHERE number = 2",
        "UPDATE list SET act = 3 WHERE number = 2",
        "UPDATE list SET digest = zeroblob(32) WHERE number = 1",
        "UPDATE act SET text = replace(text, 'open', 'oqen') WHERE number = 2",
        "UPDATE act SET handle = zeroblob(16) WHERE number = 2",
        "UPDATE act SET handle = zeroblob(15) WHERE number = 2",
        "UPDATE act SET members = zeroblob(32) WHERE number = 1",
        "UPDATE act SET leaf = zeroblob(32) WHERE number = 1",
        "UPDATE act SET count = 1499 WHERE number = 3",
        "DELETE FROM act WHERE number = 2",
        "DELETE FROM act WHERE number = 1",
    };

    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        fill(false);
        close_all();
        change(changes[i]);
        CU_ASSERT_EQUAL(try_open(), E_INPUT);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "was altered"));
        CU_ASSERT_PTR_NULL(chains);
        end();
    }
}

static void altered_ends_open_no_chains(void)
{
    static const char *const changes[] = {
        (FLIP_ENDS),
        "UPDATE chain SET ends = substr(ends, 2) WHERE part = 1",
        "UPDATE chain SET digest = zeroblob(32) WHERE part = 2",
        "UPDATE chain SET act = 2",
        "UPDATE chain SET act = 2 WHERE part = 1",
        "UPDATE chain SET count = 3001",
        "UPDATE chain SET count = 3001 WHERE part = 2",
        "DELETE FROM chain WHERE part = 0",
        "DELETE FROM chain WHERE part = 2",
        "DELETE FROM act WHERE number = 3",
    };

    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        fill(true);
        close_all();
        change(changes[i]);
        CU_ASSERT_EQUAL(try_open(), E_INPUT);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "was altered"));
        end();
    }
    /* Without any they are made of the events once more. */
    fill(true);
    close_all();
    change("DELETE FROM chain");
    CU_ASSERT_EQUAL(try_open(), OK);
    expect_ends();
    end();
}

static enum status ignore(void *context, const struct act_record *act,
                          struct error *ignored)
{
    (void)context, (void)act, (void)ignored;
    return OK;
}

/* Behind saved ends, where an opening does not read it. */
static void altered_event_is_no_history(void)
{
    static const char *const changes[] = {
        "UPDATE act SET text = replace(text, 'open', 'oqen') WHERE number = 1",
        "UPDATE list SET digest = zeroblob(32) WHERE act = 1",
        "DELETE FROM list WHERE act = 1",
        "DELETE FROM act WHERE number = 2",
    };

    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct access_handle handle;

        fill(true);
        close_all();
        change(changes[i]);
        CU_ASSERT_EQUAL_FATAL(try_open(), OK);
        memcpy(handle.byte, model[5].handle, ACCESS_HANDLE_SIZE);
        CU_ASSERT_EQUAL(
            worker_chains_history(chains, &handle, ignore, NULL, &err),
            E_INPUT);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "was altered"));
        end();
    }
}

void suite_worker_chains(void)
{
    static const struct test tests[] = {
        {"chains are those of a naive computation",
         chains_are_those_of_a_naive_computation},
        {"a list of any length is told of whole",
         list_of_any_length_is_told_of_whole},
        {"a handle that nobody was told of has no history",
         handle_that_nobody_was_told_of_has_no_history},
        {"saved ends are replaced", saved_ends_are_replaced},
        {"altered events open no chains", altered_events_open_no_chains},
        {"altered ends open no chains", altered_ends_open_no_chains},
        {"an altered event is no history", altered_event_is_no_history},
    };

    suite_add("worker_chains", tests, sizeof tests / sizeof tests[0]);
}
