/*
 * tests/tools/vault_load.c - puts rows into a vault and reads them, and says
 * how long that took; for eval/vault/run.sh.
 *
 *     vault_load FOLDER ROWS THREADS SEED
 *
 * prints a line for each step: its name, seconds of wall time, seconds of
 * processor time.  ingest; first (the first row: with it, the keys are found);
 * read, from then on to the end; again, all rows in a second pass; table, the
 * engine's coding of the same rows, from the beginning.  FOLDER must be empty.
 *
 * Rows are invented: eight cells of 50 bytes together, subjects in random
 * order, one row each, all of them permitted.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "anonymizer/table.h"
#include "anonymizer/vault_stream.h"
#include "common/encoding.h"
#include "common/random.h"

#define COLUMNS 8

static struct error err;

static void must(enum status status)
{
    if (status == OK)
        return;
    fprintf(stderr, "vault_load: %s\n", err.text);
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

    if (*text == '\0' || *end != '\0') {
        fprintf(stderr, "vault_load: not a number: %s\n", text);
        exit(2);
    }
    return number;
}

/* ---- putting in ---- */

static char *columns[COLUMNS] = {"age",  "sex",     "zip",  "diagnosis",
                                 "ward", "arrival", "days", "department"};

static const struct vault_schema schema = {.subject = "patient",
                                           .column = columns,
                                           .column_count = COLUMNS,
                                           .delimiter = ';',
                                           .newline = "\n"};

static void make_cells(struct random *random, char cell[COLUMNS][24])
{
    snprintf(cell[0], 24, "%u", (unsigned)random_below(random, 100));
    snprintf(cell[1], 24, "%s", random_below(random, 2) == 0 ? "F" : "M");
    snprintf(cell[2], 24, "%05u", (unsigned)random_below(random, 1000));
    snprintf(cell[3], 24, "%c%02u.%u", (int)('A' + random_below(random, 20)),
             (unsigned)random_below(random, 100),
             (unsigned)random_below(random, 10));
    snprintf(cell[4], 24, "ward %02u", (unsigned)random_below(random, 40));
    snprintf(cell[5], 24, "2025-%02u-%02u",
             1 + (unsigned)random_below(random, 12),
             1 + (unsigned)random_below(random, 28));
    snprintf(cell[6], 24, "%u", (unsigned)random_below(random, 30));
    snprintf(cell[7], 24, "department %02u",
             (unsigned)random_below(random, 20));
}

static void ingest(struct vault *vault, struct keyring *keyring,
                   struct random *random, const struct subject_id *subject,
                   uint64_t rows, struct vault_dataset *dataset)
{
    struct vault_ingest *running = NULL;

    must(vault_ingest_begin(&running, vault, keyring, &schema, &err));
    for (uint64_t i = 0; i < rows; i++) {
        char cell[COLUMNS][24];
        struct bytes bytes[COLUMNS];

        make_cells(random, cell);
        for (size_t c = 0; c < COLUMNS; c++)
            bytes[c] = bytes_of_string(cell[c]);
        must(vault_ingest_add(running, &subject[i], bytes, COLUMNS, &err));
    }
    must(vault_ingest_finish(&running, dataset, &err));
}

/* ---- reading ---- */

static enum status record(void *context, const struct dataset_id *dataset,
                          const struct subject_id *subject, size_t count,
                          struct error *why)
{
    (void)dataset, (void)subject, (void)why;
    *(uint64_t *)context += count;
    return OK;
}

static int compare(const void *a, const void *b)
{
    return subject_id_compare(a, b);
}

static void read_rows(struct vault_reader *reader, uint64_t expected)
{
    const struct vault_row *row;
    uint64_t count = 0;

    for (;; count++) {
        must(vault_reader_next(reader, &row, &err));
        if (row == NULL)
            break;
    }
    if (count != expected) {
        fprintf(stderr, "vault_load: %" PRIu64 " rows were read\n", count);
        exit(3);
    }
}

static void read_table(struct vault_reader *reader)
{
    static const char text[] =
        "{\"policy\":1,\"attributes\":{\"patient\":{\"role\":\"subject\"},"
        "\"age\":{\"role\":\"quasi-identifying\"},"
        "\"sex\":{\"role\":\"quasi-identifying\"},"
        "\"zip\":{\"role\":\"quasi-identifying\"},"
        "\"diagnosis\":{\"role\":\"sensitive\"}},\"unlisted\":\"remove\","
        "\"privacy\":[{\"model\":\"k-anonymity\",\"k\":5}]}";
    struct vault_stream *stream = NULL;
    struct policy *policy = NULL;
    struct table *table = NULL;

    must(policy_parse(&policy, bytes_of_string(text), "policy.json", &err));
    must(vault_stream_create(&stream, reader, &schema, &err));
    must(table_read_stream(&table, policy, vault_stream_csv(stream), "vault",
                           NULL, &err));
    table_destroy(&table);
    vault_stream_destroy(&stream);
    policy_close(&policy);
}

static void measure(struct vault *vault, struct keyring *keyring, uint64_t rows,
                    uint64_t seed)
{
    struct subject_id *subject = calloc(rows, sizeof *subject);
    struct vault_dataset dataset;
    struct vault_reader *reader = NULL;
    struct random random;
    uint64_t accesses = 0;
    struct vault_request request = {.permitted = subject,
                                    .permitted_count = rows,
                                    .access = record,
                                    .context = &accesses};
    const struct vault_row *row;
    struct stopwatch watch;

    if (subject == NULL)
        must(error_memory(&err, "subjects"));
    random_init(&random, seed);
    for (uint64_t i = 0; i < rows; i++) {
        put_be64(subject[i].byte, random_next(&random));
        put_be64(subject[i].byte + 8, i);
    }
    start(&watch);
    ingest(vault, keyring, &random, subject, rows, &dataset);
    lap(&watch, "ingest");
    qsort(subject, rows, sizeof *subject, compare);
    request.dataset = dataset.id;
    must(vault_reader_open(&reader, vault, keyring, &request, &err));
    start(&watch);
    must(vault_reader_next(reader, &row, &err));
    lap(&watch, "first");
    read_rows(reader, rows - 1);
    lap(&watch, "read");
    vault_reader_rewind(reader);
    read_rows(reader, rows);
    lap(&watch, "again");
    vault_reader_close(&reader);
    must(vault_reader_open(&reader, vault, keyring, &request, &err));
    start(&watch);
    read_table(reader);
    lap(&watch, "table");
    vault_reader_close(&reader);
    free(subject);
}

int main(int argc, char **argv)
{
    char keys[512], epochs[512], database[512];
    const struct keyring_place place = {keys, epochs};
    struct keyring *keyring = NULL;
    struct vault *vault = NULL;

    if (argc != 5 || number_of(argv[2]) == 0) {
        fprintf(stderr, "usage: vault_load FOLDER ROWS THREADS SEED\n");
        return 2;
    }
    snprintf(keys, sizeof keys, "%s/keys.db", argv[1]);
    snprintf(epochs, sizeof epochs, "%s/epoch", argv[1]);
    snprintf(database, sizeof database, "%s/vault.db", argv[1]);
    if (mkdir(epochs, 0700) != 0) {
        perror(epochs);
        return 2;
    }
    error_init(&err);
    must(keyring_create(&place, &err));
    must(keyring_open(&keyring, &place, &err));
    must(vault_open(&vault, database, &err));
    vault_use_threads(vault, (unsigned)number_of(argv[3]));
    measure(vault, keyring, number_of(argv[2]), number_of(argv[4]));
    vault_close(&vault);
    keyring_close(&keyring);
    return 0;
}
