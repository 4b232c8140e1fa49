/*
 * tests/tools/events_load.c - tells many subjects of events, and says how long
 * that took; for eval/vault/run.sh.
 *
 *     events_load FOLDER SUBJECTS EVENTS SEED
 *
 * prints a line for each step: its name, seconds of wall time, seconds of
 * processor time.  told, all subjects of their first event; told-again, of
 * their second; map, the root over as many chains; reopened, the anonymizer's
 * chains made anew; told-few, EVENTS more events of one subject, every other
 * one with some thousand others; history, that subject's events read.  FOLDER
 * must be empty.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "anonymizer/worker_events.h"
#include "anonymizer/worker_map.h"
#include "common/encoding.h"
#include "common/random.h"

#define FEW 3000 /* a list of some rows */

static struct error err;

static void must(enum status status)
{
    if (status == OK)
        return;
    fprintf(stderr, "events_load: %s\n", err.text);
    exit(3);
}

struct stopwatch {
    struct timespec wall, processor;
};

static void start(struct stopwatch *watch)
{
    clock_gettime(CLOCK_MONOTONIC, &watch->wall);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &watch->processor);
}

static double seconds_between(const struct timespec *from,
                              const struct timespec *to)
{
    return (double)(to->tv_sec - from->tv_sec) +
           1e-9 * (double)(to->tv_nsec - from->tv_nsec);
}

/* Say how long it took, and begin the next step. */
static void lap(struct stopwatch *watch, const char *name)
{
    struct stopwatch here;

    start(&here);
    printf("%s %.3f %.3f\n", name, seconds_between(&watch->wall, &here.wall),
           seconds_between(&watch->processor, &here.processor));
    fflush(stdout);
    start(watch);
}

static uint64_t number_of(const char *text)
{
    char *end;
    uint64_t number = strtoull(text, &end, 10);

    if (*text == '\0' || *end != '\0' || number == 0) {
        fprintf(stderr, "events_load: not a number: %s\n", text);
        exit(2);
    }
    return number;
}

/* ---- the anonymizer's parts ---- */

struct parts {
    struct worker_store *store;
    struct worker_secret *secret;
    struct worker_events *events;
};

static void open_parts(struct parts *parts, const char *folder)
{
    struct worker_events_settings settings;
    char state[512], secret[512];
    bool fresh = false;

    snprintf(state, sizeof state, "%s/state.db", folder);
    snprintf(secret, sizeof secret, "%s/secret.key", folder);
    must(worker_store_open(&parts->store, state, &fresh, &err));
    if (fresh) {
        must(worker_secret_create(secret, &err));
        must(worker_store_begun(parts->store, &err));
    }
    must(worker_secret_open(&parts->secret, secret, &err));
    settings = (struct worker_events_settings){.store = parts->store,
                                               .secret = parts->secret};
    must(worker_events_open(&parts->events, &settings, &err));
}

static void close_parts(struct parts *parts)
{
    worker_events_close(&parts->events);
    worker_secret_close(&parts->secret);
    worker_store_close(&parts->store);
}

static void tell(const struct parts *parts, const struct subject_id *subject,
                 size_t count)
{
    const struct access_told told = {.act = ACCESS_OPEN,
                                     .by = "0123456789abcdef0123456789abcdef",
                                     .release =
                                         "11112222333344445555666677778888"};

    must(worker_events_subjects(parts->events, &told, subject, count, &err));
}

/* ---- steps ---- */

static int compare_ends(const void *a, const void *b)
{
    const struct access_end *one = a, *other = b;

    return access_handle_compare(&one->handle, &other->handle);
}

static void measure_map(uint64_t subjects, struct random *random)
{
    struct access_end *end = calloc(subjects, sizeof *end);
    struct worker_map *map = NULL;
    struct digest trie;
    struct stopwatch watch;

    if (end == NULL)
        must(error_memory(&err, "chains"));
    for (uint64_t i = 0; i < subjects; i++) {
        put_be64(end[i].handle.byte, random_next(random));
        put_be64(end[i].handle.byte + 8, i);
        end[i].length = 1;
    }
    qsort(end, subjects, sizeof *end, compare_ends);
    must(worker_map_create(&map, &err));
    must(worker_map_reserve(map, subjects, &err));
    worker_map_put(map, end, subjects);
    start(&watch);
    worker_map_trie(map, &trie);
    lap(&watch, "map");
    worker_map_destroy(&map);
    free(end);
}

static enum status count_event(void *context, const struct act_record *act,
                               struct error *ignored)
{
    (void)act, (void)ignored;
    ++*(uint64_t *)context;
    return OK;
}

static void read_history(const struct parts *parts,
                         const struct subject_id *subject, uint64_t expected)
{
    struct access_handle handle;
    uint64_t count = 0;

    access_handle_make(worker_secret_handles(parts->secret), ACCESS_SUBJECT,
                       bytes_of(subject->byte, SUBJECT_ID_SIZE), &handle);
    must(
        worker_store_history(parts->store, &handle, count_event, &count, &err));
    if (count != expected) {
        fprintf(stderr, "events_load: %" PRIu64 " events of one subject\n",
                count);
        exit(3);
    }
}

static void measure(const char *folder, uint64_t subjects, uint64_t events,
                    uint64_t seed)
{
    struct subject_id *subject = calloc(subjects, sizeof *subject);
    struct parts parts = {.store = NULL};
    struct random random;
    struct stopwatch watch;

    if (subject == NULL)
        must(error_memory(&err, "subjects"));
    random_init(&random, seed);
    for (uint64_t i = 0; i < subjects; i++) {
        put_be64(subject[i].byte, random_next(&random));
        put_be64(subject[i].byte + 8, i);
    }
    open_parts(&parts, folder);
    start(&watch);
    tell(&parts, subject, subjects);
    lap(&watch, "told");
    tell(&parts, subject, subjects);
    lap(&watch, "told-again");
    measure_map(subjects, &random);
    close_parts(&parts);
    start(&watch);
    open_parts(&parts, folder);
    lap(&watch, "reopened");
    for (uint64_t i = 0; i < events; i++)
        tell(&parts, subject, i % 2 == 0 || subjects < FEW ? 1 : FEW);
    lap(&watch, "told-few");
    read_history(&parts, subject, events + 2);
    lap(&watch, "history");
    close_parts(&parts);
    free(subject);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: events_load FOLDER SUBJECTS EVENTS SEED\n");
        return 2;
    }
    error_init(&err);
    measure(argv[1], number_of(argv[2]), number_of(argv[3]),
            number_of(argv[4]));
    return 0;
}
