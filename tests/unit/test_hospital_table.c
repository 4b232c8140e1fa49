#include "datasets/hospital_table.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anonymizer/csv.h"
#include "common/digest.h"
#include "datasets/output.h"
#include "tests/lib/hospital_capture.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_hospital_table(void);

/* ---- the same bytes ---- */

/* Recorded with sha256sum(1), from builds of gcc and of clang. */
#define GOLDEN_PLAIN                                                           \
    "52c4117c9a9b2eb41cc094ba548b72f8f325cab6988164ae6ef569829e1c10e7"
#define GOLDEN_BUSY                                                            \
    "35e3b490c956b78ec6cc1296a64da0bfdea697283f75891702ace93096bac67e"

static void digest_of_table(struct hospital_options options,
                            struct patient_range range,
                            char hex[DIGEST_HEX_SIZE])
{
    struct digest digest;
    struct text text;
    struct error err;

    text_init(&text);
    capture_table(&text, options, range);
    CU_ASSERT_EQUAL_FATAL(digest_bytes(&digest, text_bytes(&text), &err), OK);
    digest_hex(&digest, hex);
    text_clear(&text);
}

static void bytes_are_the_recorded_ones(void)
{
    struct hospital_options busy = {.seed = 42, .days = 90, .visits = 5};
    char hex[DIGEST_HEX_SIZE];

    digest_of_table(hospital_plain(1), (struct patient_range){1, 1000}, hex);
    CU_ASSERT_STRING_EQUAL(hex, GOLDEN_PLAIN);
    digest_of_table(busy, (struct patient_range){1, 1000}, hex);
    CU_ASSERT_STRING_EQUAL(hex, GOLDEN_BUSY);
}

static void other_seeds_give_other_tables(void)
{
    struct patient_range range = {1, 100};
    char one[DIGEST_HEX_SIZE], two[DIGEST_HEX_SIZE];

    digest_of_table(hospital_plain(1), range, one);
    digest_of_table(hospital_plain(2), range, two);
    CU_ASSERT_STRING_NOT_EQUAL(one, two);
    digest_of_table(hospital_plain(UINT64_MAX), range, two);
    CU_ASSERT_STRING_NOT_EQUAL(one, two);
}

/* Append what stands behind the header. */
static void append_rows(struct text *to, struct hospital_options options,
                        struct patient_range range)
{
    struct text text;
    struct error err;
    const char *rows;

    text_init(&text);
    capture_table(&text, options, range);
    rows = strchr(text.data, '\n') + 1;
    CU_ASSERT_EQUAL_FATAL(text_append_string(to, rows, &err), OK);
    text_clear(&text);
}

static void slices_make_up_the_whole(void)
{
    struct hospital_options options = {.seed = 9, .days = 500, .visits = 3};
    struct text whole, parts;

    text_init(&whole);
    text_init(&parts);
    append_rows(&whole, options, (struct patient_range){1, 1000});
    append_rows(&parts, options, (struct patient_range){1, 333});
    append_rows(&parts, options, (struct patient_range){334, 1});
    append_rows(&parts, options, (struct patient_range){335, 666});
    CU_ASSERT_STRING_EQUAL(whole.data, parts.data);
    text_clear(&whole);
    text_clear(&parts);
}

/* ---- read by the CSV reader of the anonymizer ---- */

enum column {
    PSN,
    NAME,
    GENDER,
    BIRTH_DATE,
    AGE,
    CITY,
    MSN,
    DATE,
    DEPARTMENT,
    DOCTOR,
    DIAGNOSIS,
    DISEASE_CODE,
    COLUMN_COUNT
};

/* Called for each record. */
typedef void look_at(const struct csv_record *record, void *context);

static uint64_t read_table(int fd, look_at *look, void *context)
{
    struct csv_options options = {.delimiter = ','};
    const struct csv_record *record;
    struct csv_reader *reader;
    struct error err;
    uint64_t rows = 0;

    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(csv_open(&reader, fd, "table", options, &err), OK);
    for (;;) {
        enum status status = csv_next(reader, &record, &err);

        CU_ASSERT_EQUAL_FATAL(status, OK);
        if (record == NULL)
            break;
        CU_ASSERT_EQUAL_FATAL(record->count, COLUMN_COUNT);
        look(record, context);
        rows++;
    }
    csv_close(&reader);
    close(fd);
    return rows;
}

static void columns_have_the_papers_names(void)
{
    static const char header[] = "psn,name,gender,birth_date,age,city,msn,"
                                 "date,department,doctor,diagnosis,"
                                 "disease_code\n";
    struct text text;

    text_init(&text);
    capture_table(&text, hospital_plain(1), (struct patient_range){1, 1});
    CU_ASSERT_EQUAL(strncmp(text.data, header, strlen(header)), 0);
    text_clear(&text);
}

struct numbers {
    char last_psn[16], last_msn[16];
    int wrong, repeated;
};

static void look_at_numbers(const struct csv_record *record, void *context)
{
    struct numbers *numbers = context;
    struct bytes psn = record->field[PSN].value, msn = record->field[MSN].value;
    int order;

    if (psn.size != 10 || psn.data[0] != 'P' || msn.size != 12 ||
        msn.data[0] != 'M' || memcmp(psn.data + 1, msn.data + 1, 9) != 0) {
        numbers->wrong++;
        return;
    }
    /* Growing means unique. */
    order = memcmp(psn.data, numbers->last_psn, 10);
    numbers->repeated += order == 0;
    numbers->wrong += order < 0;
    numbers->wrong += memcmp(msn.data, numbers->last_msn, 12) <= 0;
    memcpy(numbers->last_psn, psn.data, 10);
    memcpy(numbers->last_msn, msn.data, 12);
}

static void every_patient_and_visit_has_its_number(void)
{
    struct hospital_options busy = {.seed = 4, .days = 1096, .visits = 99};
    struct numbers numbers = {.wrong = 0};
    uint64_t rows;

    rows = read_table(
        capture_table_file(hospital_plain(4), (struct patient_range){1, 5000}),
        look_at_numbers, &numbers);
    CU_ASSERT_EQUAL(rows, 5000);
    CU_ASSERT_EQUAL(numbers.wrong, 0);
    CU_ASSERT_EQUAL(numbers.repeated, 0);

    numbers = (struct numbers){.wrong = 0};
    rows = read_table(capture_table_file(busy, (struct patient_range){1, 5000}),
                      look_at_numbers, &numbers);
    CU_ASSERT_EQUAL(numbers.wrong, 0);
    CU_ASSERT(numbers.repeated > 4500);
    CU_ASSERT_EQUAL(rows, 5000 + (uint64_t)numbers.repeated);
}

/* The department that each doctor was seen in. */
struct duties {
    struct {
        char doctor[64], department[64];
    } seen[128];
    size_t count;
    int moved;
};

static void copy(char to[64], struct bytes from)
{
    CU_ASSERT_FATAL(from.size < 64);
    memcpy(to, from.data, from.size);
    to[from.size] = '\0';
}

static void look_at_duties(const struct csv_record *record, void *context)
{
    struct duties *duties = context;
    char doctor[64], department[64];
    size_t i = 0;

    copy(doctor, record->field[DOCTOR].value);
    copy(department, record->field[DEPARTMENT].value);
    while (i < duties->count && strcmp(duties->seen[i].doctor, doctor) != 0)
        i++;
    if (i == duties->count) {
        CU_ASSERT_FATAL(duties->count < 128);
        copy(duties->seen[i].doctor, record->field[DOCTOR].value);
        copy(duties->seen[i].department, record->field[DEPARTMENT].value);
        duties->count++;
    }
    duties->moved += strcmp(duties->seen[i].department, department) != 0;
}

static void doctors_keep_their_department(void)
{
    static struct duties duties;
    struct patient_range range = {1, 20000};

    memset(&duties, 0, sizeof duties);
    read_table(capture_table_file(hospital_plain(6), range), look_at_duties,
               &duties);
    CU_ASSERT_EQUAL(duties.moved, 0);
    CU_ASSERT_EQUAL(duties.count, 46);
}

static void look_at_quoting(const struct csv_record *record, void *context)
{
    int *quoted = context;

    for (size_t i = 0; i < record->count; i++) {
        struct bytes value = record->field[i].value;
        bool needed = memchr(value.data, ',', value.size) != NULL ||
                      memchr(value.data, '"', value.size) != NULL;

        CU_ASSERT(value.size > 0);
        CU_ASSERT_EQUAL(record->field[i].raw.data[0] == '"', needed);
        if (needed)
            quoted[i]++;
    }
}

static void fields_are_quoted_where_they_must_be(void)
{
    int quoted[COLUMN_COUNT] = {0};

    read_table(
        capture_table_file(hospital_plain(8), (struct patient_range){1, 5000}),
        look_at_quoting, quoted);
    CU_ASSERT(quoted[NAME] > 0);
    CU_ASSERT(quoted[DIAGNOSIS] > 0);
    CU_ASSERT_EQUAL(quoted[PSN] + quoted[CITY] + quoted[DISEASE_CODE], 0);
}

static void numbers_end_at_nine_digits(void)
{
    struct patient_range range = {HOSPITAL_PATIENTS_MAX - 1, 2};
    struct text text;

    text_init(&text);
    capture_table(&text, hospital_plain(1), range);
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "\nP999999998,"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "\nP999999999,"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, ",M99999999901,"));
    text_clear(&text);
}

/* ---- outputs ---- */

static void full_disk_is_reported(void)
{
    struct hospital *hospital = hospital_make(hospital_plain(1));
    struct output *output;
    struct error err;
    int fd = open("/dev/full", O_WRONLY);
    enum status status;

    CU_ASSERT_FATAL(fd >= 0);
    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(output_attach(&output, fd, "full", &err), OK);
    status = hospital_table_write(hospital, (struct patient_range){1, 10000},
                                  output, &err);
    CU_ASSERT_EQUAL(status, E_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "full"));
    output_discard(&output);
    close(fd);
    hospital_destroy(&hospital);
}

static void output_takes_pieces_larger_than_its_room(void)
{
    enum { SIZE = 3 * OUTPUT_ROOM_MAX + 17 };
    static char data[SIZE + 1];
    struct scratch scratch;
    struct output *output;
    struct error err;

    memset(data, 'x', SIZE);
    scratch_open(&scratch);
    CU_ASSERT_EQUAL_FATAL(
        output_open(&output, scratch_path(&scratch, "out"), &err), OK);
    CU_ASSERT_EQUAL(output_append(output, data, SIZE, &err), OK);
    CU_ASSERT_EQUAL(output_publish(&output, &err), OK);
    CU_ASSERT_PTR_NULL(output);
    CU_ASSERT(scratch_holds(&scratch, "out", data));
    scratch_close(&scratch);
}

static void discarded_output_leaves_nothing(void)
{
    struct scratch scratch;
    struct output *output;
    struct error err;

    scratch_open(&scratch);
    CU_ASSERT_EQUAL_FATAL(
        output_open(&output, scratch_path(&scratch, "out"), &err), OK);
    CU_ASSERT_EQUAL(output_append(output, "abc", 3, &err), OK);
    output_discard(&output);
    CU_ASSERT_PTR_NULL(output);
    CU_ASSERT_EQUAL(scratch_count(&scratch), 0);
    scratch_close(&scratch);
}

static void missing_folder_is_refused(void)
{
    struct scratch scratch;
    struct output *output = NULL;
    struct error err;

    scratch_open(&scratch);
    CU_ASSERT_EQUAL(
        output_open(&output, scratch_path(&scratch, "none/out"), &err),
        E_INPUT);
    CU_ASSERT_PTR_NULL(output);
    scratch_close(&scratch);
}

void suite_hospital_table(void)
{
    static const struct test tests[] = {
        {"bytes are the recorded ones", bytes_are_the_recorded_ones},
        {"other seeds give other tables", other_seeds_give_other_tables},
        {"slices make up the whole", slices_make_up_the_whole},
        {"columns have the papers' names", columns_have_the_papers_names},
        {"every patient and visit has its number",
         every_patient_and_visit_has_its_number},
        {"doctors keep their department", doctors_keep_their_department},
        {"fields are quoted where they must be",
         fields_are_quoted_where_they_must_be},
        {"numbers end at nine digits", numbers_end_at_nine_digits},
        {"full disk is reported", full_disk_is_reported},
        {"output takes pieces larger than its room",
         output_takes_pieces_larger_than_its_room},
        {"discarded output leaves nothing", discarded_output_leaves_nothing},
        {"missing folder is refused", missing_folder_is_refused},
    };
    suite_add("hospital_table", tests, sizeof tests / sizeof *tests);
}
