#include "anonymizer/anonymize.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "anonymizer/builder.h"
#include "common/files.h"
#include "common/json.h"
#include "common/limits.h"
#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_anonymize(void);

static const struct shuffle_seed seed = {{42}};
static struct error err;

/* ---- a file as a stream, a few bytes at a time ---- */

struct tape {
    int fd;
    uint64_t at;
    unsigned rewinds;
};

static enum status tape_read(void *context, void *data, size_t size,
                             size_t *got, struct error *why)
{
    struct tape *tape = context;
    ssize_t more =
        pread(tape->fd, data, size < 1000 ? size : 1000, (off_t)tape->at);

    (void)why;
    CU_ASSERT_FATAL(more >= 0);
    *got = (size_t)more;
    tape->at += (size_t)more;
    return OK;
}

static enum status tape_rewind(void *context, struct error *why)
{
    struct tape *tape = context;

    (void)why;
    tape->at = 0;
    tape->rewinds++;
    return OK;
}

static struct csv_stream stream_of(struct tape *tape, char delimiter)
{
    return (struct csv_stream){.delimiter = delimiter,
                               .read = tape_read,
                               .rewind = tape_rewind,
                               .context = tape};
}

/* ---- one run ---- */

struct run {
    enum status status;
    struct anonymize_result *result;
    struct text release;
    bool rechecked; /* it came to that */
};

static void note_stage(enum anonymize_stage stage, void *context)
{
    struct run *run = context;

    run->rechecked |= stage == STAGE_RECHECK;
}

static int memory_file(void)
{
    int fd = memfd_create("table", MFD_CLOEXEC);

    CU_ASSERT_FATAL(fd >= 0);
    return fd;
}

static void read_back(int fd, struct text *out)
{
    off_t size = lseek(fd, 0, SEEK_END);

    CU_ASSERT_FATAL(size >= 0);
    CU_ASSERT_EQUAL_FATAL(text_reserve(out, (size_t)size, &err), OK);
    CU_ASSERT_EQUAL(
        descriptor_read_at(fd, 0, out->data, (size_t)size, "out", &err), OK);
    out->size = (size_t)size;
    out->data[size] = '\0';
}

static void run_clear(struct run *run)
{
    anonymize_destroy(&run->result);
    text_clear(&run->release);
}

static void run_table(struct run *run, const struct fixture *fixture)
{
    struct anonymize_options options = {
        .threads = 1, .on_stage = note_stage, .context = run};
    int output = memory_file();

    *run = (struct run){0};
    text_init(&run->release);
    CU_ASSERT_EQUAL(lseek(fixture->fd, 0, SEEK_SET), 0);
    run->status = anonymize_table(&run->result, &fixture->policy, fixture->fd,
                                  "in", output, "out", &options, &err);
    read_back(output, &run->release);
    close(output);
}

static void run_stream(struct run *run, const struct fixture *fixture,
                       const struct csv_stream *stream, unsigned threads)
{
    struct anonymize_options options = {
        .threads = threads, .on_stage = note_stage, .context = run};
    int scratch = memory_file(), output = memory_file();

    *run = (struct run){0};
    text_init(&run->release);
    error_init(&err);
    run->status =
        anonymize_stream(&run->result, &fixture->policy, stream, "vault",
                         scratch, output, "release", &seed, &options, &err);
    read_back(output, &run->release);
    close(scratch);
    close(output);
}

/* ---- stream and file ---- */

/* The table, and its lines behind the header in the seed's order; cells have no
 * line ends here. */
static void shuffle_lines(const struct text *table, struct text *out)
{
    uint64_t *line = calloc(table->size + 1, sizeof *line);
    const char *at = strchr(table->data, '\n') + 1;
    size_t count = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(line);
    CU_ASSERT_EQUAL(
        text_append(out, table->data, (size_t)(at - table->data), &err), OK);
    while (*at != '\0') {
        line[count++] = (uint64_t)(at - table->data);
        at = strchr(at, '\n') + 1;
    }
    CU_ASSERT_EQUAL(shuffle_items(&seed, line, count, &err), OK);
    for (size_t i = 0; i < count; i++) {
        const char *from = table->data + line[i];

        CU_ASSERT_EQUAL(text_append(out, from, strcspn(from, "\n") + 1, &err),
                        OK);
    }
    free(line);
}

static void compare(const struct fixture *fixture, const struct run *table,
                    const struct run *stream)
{
    const struct anonymize_result *a = table->result, *b = stream->result;
    size_t count = fixture->policy.attribute_count;
    struct digest digest;
    struct text expected;

    CU_ASSERT_EQUAL(a->rows, b->rows);
    CU_ASSERT_EQUAL(a->suppressed, b->suppressed);
    CU_ASSERT_EQUAL(memcmp(a->level, b->level, count * sizeof *a->level), 0);
    CU_ASSERT_EQUAL(memcmp(a->attribute_score, b->attribute_score,
                           count * sizeof *a->attribute_score),
                    0);
    CU_ASSERT_EQUAL_FATAL(a->score_count, b->score_count);
    CU_ASSERT_EQUAL(
        memcmp(a->score, b->score, a->score_count * sizeof *a->score), 0);
    CU_ASSERT_EQUAL(a->lattice_size, b->lattice_size);
    CU_ASSERT_EQUAL(a->before.rows, b->before.rows);
    CU_ASSERT_EQUAL(a->before.suppressed, b->before.suppressed);
    CU_ASSERT_EQUAL(a->before.count, b->before.count);
    CU_ASSERT_EQUAL(a->before.uniques, b->before.uniques);
    CU_ASSERT_EQUAL(b->after.rows, b->rows - b->suppressed);
    CU_ASSERT_EQUAL(b->after.suppressed, 0);
    CU_ASSERT_EQUAL(b->after.count, a->after.count);
    CU_ASSERT_EQUAL(b->after.min, a->after.min);
    CU_ASSERT(b->rechecked && !b->kept_sensitive);
    text_init(&expected);
    shuffle_lines(&table->release, &expected);
    CU_ASSERT(bytes_equal(text_bytes(&expected), text_bytes(&stream->release)));
    CU_ASSERT_EQUAL(digest_bytes(&digest, text_bytes(&expected), &err), OK);
    CU_ASSERT_EQUAL(memcmp(&digest, &b->output_digest, sizeof digest), 0);
    text_clear(&expected);
}

/* What a file gives when the policy drops suppressed rows, a stream gives in
 * the seed's order, even if the policy keeps them. */
static void stream_is_the_file_dropped_and_shuffled(void)
{
    static const struct fixture_shape shape = {.quasi_max = 4,
                                               .domain_max = 12,
                                               .levels_max = 4,
                                               .rows_max = 200,
                                               .sensitive_max = 2};
    struct random random;
    unsigned released = 0;

    random_init(&random, fixture_seed("anonymize"));
    for (unsigned round = 0; round < 200; round++) {
        struct fixture fixture;
        struct run table, first, second;
        struct tape tape = {0};
        struct csv_stream stream;

        fixture_random(&fixture, &random, &shape);
        tape.fd = fixture.fd;
        stream = stream_of(&tape, fixture.table->delimiter);
        fixture.policy.drop_suppressed = true;
        run_table(&table, &fixture);
        fixture.policy.drop_suppressed = false;
        run_stream(&first, &fixture, &stream, 1);
        CU_ASSERT_EQUAL(tape_rewind(&tape, &err), OK);
        run_stream(&second, &fixture, &stream, 2);
        if (table.status == OK &&
            table.result->suppressed == table.result->rows)
            table.status = E_NO;
        CU_ASSERT_EQUAL(first.status, table.status);
        CU_ASSERT_EQUAL(second.status, table.status);
        if (first.status == OK) {
            released++;
            compare(&fixture, &table, &first);
            compare(&fixture, &table, &second);
        }
        CU_ASSERT_EQUAL(fixture.policy.drop_suppressed, false);
        run_clear(&table);
        run_clear(&first);
        run_clear(&second);
        fixture_clear(&fixture);
    }
    CU_ASSERT(released > 50);
}

/* ---- hierarchies that are built ---- */

static void describe_hierarchy(struct fixture *fixture, size_t index,
                               enum value_type type, const char *description)
{
    struct policy_attribute *attribute = &fixture->attribute[index];
    struct json *json = NULL;

    attribute->type = type;
    attribute->has_hierarchy = true;
    CU_ASSERT_EQUAL_FATAL(json_parse(&json, bytes_of_string(description), &err),
                          OK);
    CU_ASSERT_EQUAL_FATAL(builder_read(&attribute->builder, json_root(json),
                                       &fixture->policy, attribute, &err),
                          OK);
    json_destroy(&json);
}

/* The release of a vault's stream by hierarchies that are built is that of the
 * file, and its recheck knows their labels. */
static void stream_is_generalized_by_what_is_built(void)
{
    struct privacy_criterion model = {
        .model = MODEL_T_CLOSENESS_HIERARCHICAL, .attribute = 2, .t = 0.9};
    struct fixture fixture;
    struct tape tape = {0};
    struct csv_stream stream;
    struct run table, run;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "patient", ROLE_SUBJECT, NULL);
    fixture_attribute(&fixture, "age", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_attribute(&fixture, "ill", ROLE_SENSITIVE, NULL);
    describe_hierarchy(&fixture, 1, TYPE_INTEGER,
                       "{\"build\":\"interval\",\"label\":\"bounds\","
                       "\"intervals\":[{\"min\":0,\"max\":10}]}");
    describe_hierarchy(&fixture, 2, TYPE_STRING,
                       "{\"build\":\"order\",\"groups\":[[2]]}");
    fixture_k(&fixture, 2);
    fixture_model(&fixture, &model);
    fixture_open(&fixture, "patient,age,ill\n1,31,flu\n2,39,cold\n3,47,gout\n"
                           "4,41,flu\n5,95,cold\n");
    fixture.policy.suppression_limit = 0.2;
    tape.fd = fixture.fd;
    stream = stream_of(&tape, ',');
    fixture.policy.drop_suppressed = true;
    run_table(&table, &fixture);
    run_stream(&run, &fixture, &stream, 2);
    CU_ASSERT_EQUAL_FATAL(table.status, OK);
    CU_ASSERT_EQUAL_FATAL(run.status, OK);
    CU_ASSERT_STRING_EQUAL(table.release.data,
                           "age,ill\n30-39,flu\n30-39,cold\n40-49,gout\n"
                           "40-49,flu\n");
    compare(&fixture, &table, &run);
    run_clear(&table);
    run_clear(&run);
    builder_destroy(&fixture.attribute[1].builder);
    builder_destroy(&fixture.attribute[2].builder);
    fixture_clear(&fixture);
}

/* ---- what is refused ---- */

static void describe(struct fixture *fixture, enum role patient)
{
    fixture_init(fixture);
    fixture_attribute(fixture, "patient", patient, NULL);
    fixture_attribute(fixture, "age", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_k(fixture, 2);
    fixture_open(fixture, "patient,age\n1,31\n2,31\n3,47\n");
}

static void nothing_left_is_an_honest_no(void)
{
    struct fixture fixture;
    struct tape tape = {0};
    struct csv_stream stream;
    struct run run;

    describe(&fixture, ROLE_SUBJECT);
    fixture.policy.suppression_limit = 1;
    /* k = 4 of three rows: all are suppressed. */
    fixture.criterion[0].k = 4;
    tape.fd = fixture.fd;
    stream = stream_of(&tape, ',');
    run_stream(&run, &fixture, &stream, 1);
    CU_ASSERT_EQUAL(run.status, E_NO);
    CU_ASSERT_STRING_EQUAL(err.text, "vault: all 3 rows would be suppressed, "
                                     "and nothing be left to release");
    CU_ASSERT_PTR_NULL(run.result);
    CU_ASSERT_EQUAL(run.release.size, 0);
    CU_ASSERT_FALSE(run.rechecked);
    run_clear(&run);
    fixture_clear(&fixture);
}

static void subject_of_stream_and_policy_is_one(void)
{
    static const struct {
        const char *subject;
        enum role role;
        enum status status;
        const char *words;
    } cases[] = {
        {"patient", ROLE_SUBJECT, OK, ""},
        {NULL, ROLE_INSENSITIVE, OK, ""},
        {"patient", ROLE_INSENSITIVE, E_INPUT,
         "policy.json: the subject of vault is the column \"patient\"; the "
         "policy has it in another role"},
        {"patient", ROLE_IDENTIFYING, E_INPUT,
         "policy.json: the subject of vault is the column \"patient\"; the "
         "policy has it in another role"},
        {"person", ROLE_SUBJECT, E_INPUT,
         "policy.json: the subject of vault is the column \"person\"; the "
         "policy has no such attribute"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fixture;
        struct tape tape = {0};
        struct csv_stream stream;
        struct run run;

        describe(&fixture, cases[i].role);
        fixture.policy.suppression_limit = 0.4;
        tape.fd = fixture.fd;
        stream = stream_of(&tape, ',');
        stream.subject = cases[i].subject;
        run_stream(&run, &fixture, &stream, 1);
        CU_ASSERT_EQUAL(run.status, cases[i].status);
        CU_ASSERT_STRING_EQUAL(err.text, cases[i].words);
        CU_ASSERT_EQUAL(run.rechecked, run.status == OK);
        run_clear(&run);
        fixture_clear(&fixture);
    }
}

void suite_anonymize(void)
{
    static const struct test tests[] = {
        {"a stream is the file, dropped and shuffled",
         stream_is_the_file_dropped_and_shuffled},
        {"a stream is generalized by what is built",
         stream_is_generalized_by_what_is_built},
        {"nothing left is an honest no", nothing_left_is_an_honest_no},
        {"the subject of stream and policy is one",
         subject_of_stream_and_policy_is_one},
    };

    suite_add("anonymize", tests, sizeof tests / sizeof tests[0]);
}
