#include "anonymizer/release.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/lib/fixture.h"
#include "tests/lib/suite.h"

void suite_release(void);

/* What was written, and how it ended. */
struct written {
    enum status status;
    struct error err;
    struct digest digest;
    char text[4096];
};

/* Write the fixture's table at `level`, without the tuples whose bit is set
 * in `suppressed`. */
static void write_release(struct fixture *fixture, const uint8_t *level,
                          unsigned suppressed, atomic_bool *cancel,
                          struct written *written)
{
    bool lost[32];
    struct release_plan plan = {.policy = &fixture->policy,
                                .table = fixture->table,
                                .lattice = fixture->lattice,
                                .level = level,
                                .suppressed = lost};
    int fd = memfd_create("release", MFD_CLOEXEC);
    ssize_t size;

    CU_ASSERT_FATAL(fd >= 0 && fixture->table->tuple_count <= 32);
    for (uint32_t t = 0; t < fixture->table->tuple_count; t++)
        lost[t] = suppressed >> t & 1;
    error_init(&written->err);
    written->status =
        release_write(&plan, fixture->fd, "table.csv", fd, "release.csv",
                      cancel, &written->digest, &written->err);
    size = pread(fd, written->text, sizeof written->text - 1, 0);
    CU_ASSERT_FATAL(size >= 0);
    written->text[size] = '\0';
    close(fd);
}

/* Subject, name and two quasi-identifiers around what is kept. */
static void five_columns(struct fixture *fixture, const char *csv)
{
    fixture_init(fixture);
    fixture_attribute(fixture, "id", ROLE_SUBJECT, NULL);
    fixture_attribute(fixture, "name", ROLE_IDENTIFYING, NULL);
    fixture_attribute(fixture, "age", ROLE_QUASI_IDENTIFYING,
                      "31,30-39,*\n35,30-39,*\n47,40-49,*\n");
    fixture_attribute(fixture, "note", ROLE_INSENSITIVE, NULL);
    fixture_attribute(fixture, "city", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_k(fixture, 1);
    fixture_load(fixture, csv);
}

static void cells_are_copied_as_they_stand(void)
{
    static const uint8_t level[] = {1, 0};
    struct fixture fixture;
    struct written written;

    five_columns(&fixture, "\xEF\xBB\xBFid;name;age;\"note\";city\r\n"
                           "1;Ann;31;\"say \"\"no\"\"; or\r\nnot\";Rome\r\n"
                           "2;\"B;ob\";47; plain ;\"Be;rn\"\r\n"
                           "3;\"Eve\";\"35\";\"needless\";\"Rome\"");
    write_release(&fixture, level, 0, NULL, &written);
    CU_ASSERT_EQUAL(written.status, OK);
    CU_ASSERT_STRING_EQUAL(written.text,
                           "age;\"note\";city\r\n"
                           "30-39;\"say \"\"no\"\"; or\r\nnot\";Rome\r\n"
                           "40-49; plain ;\"Be;rn\"\r\n"
                           "30-39;\"needless\";Rome\r\n");
    fixture_clear(&fixture);
}

static void suppressed_rows_are_stars_or_dropped(void)
{
    static const uint8_t level[] = {0, 0};
    struct fixture fixture;
    struct written written;

    five_columns(&fixture, "id,name,age,note,city\n1,A,31,x,Rome\n"
                           "2,B,47,y,Bern\n3,C,31,z,Rome\n");
    write_release(&fixture, level, 1, NULL, &written);
    CU_ASSERT_EQUAL(written.status, OK);
    CU_ASSERT_STRING_EQUAL(written.text,
                           "age,note,city\n*,x,*\n47,y,Bern\n*,z,*\n");
    fixture.policy.drop_suppressed = true;
    write_release(&fixture, level, 1, NULL, &written);
    CU_ASSERT_EQUAL(written.status, OK);
    CU_ASSERT_STRING_EQUAL(written.text, "age,note,city\n47,y,Bern\n");
    fixture_clear(&fixture);
}

/* printf 'age,note,city\n47,y,Bern\n' | sha256sum */
static void digest_is_that_of_the_bytes(void)
{
    static const uint8_t level[] = {0, 0};
    struct fixture fixture;
    struct written written;
    char hex[DIGEST_HEX_SIZE];

    five_columns(&fixture, "id,name,age,note,city\n2,B,47,y,Bern\n");
    write_release(&fixture, level, 0, NULL, &written);
    CU_ASSERT_EQUAL(written.status, OK);
    digest_hex(&written.digest, hex);
    CU_ASSERT_STRING_EQUAL(
        hex,
        "594c274d84fbb788fa79ce79946facaeca4ac3979851135df515d553fb3eb436");
    fixture_clear(&fixture);
}

/* A line without a byte is no record: a lone empty cell is written "". */
static void lone_empty_cell_is_quoted(void)
{
    static const uint8_t level[] = {0};
    struct fixture fixture;
    struct written written;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "id", ROLE_SUBJECT, NULL);
    fixture_attribute(&fixture, "city", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_k(&fixture, 1);
    fixture_load(&fixture, "id,city\n1,\n2,Rome\n3,\n");
    write_release(&fixture, level, 0, NULL, &written);
    CU_ASSERT_EQUAL(written.status, OK);
    CU_ASSERT_STRING_EQUAL(written.text, "city\n\"\"\nRome\n\"\"\n");
    fixture_clear(&fixture);
}

/* What is left of a header decides how the file is read: its delimiter is
 * detected, and a byte order mark at its beginning is taken off. */
static void misleading_names_are_quoted(void)
{
    static const uint8_t level[] = {0};
    struct fixture fixture;
    struct written written;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "id", ROLE_SUBJECT, NULL);
    fixture_attribute(&fixture, "age, years", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_k(&fixture, 1);
    fixture_load(&fixture, "id;age, years\n1;47\n");
    write_release(&fixture, level, 0, NULL, &written);
    CU_ASSERT_EQUAL(written.status, OK);
    CU_ASSERT_STRING_EQUAL(written.text, "\"age, years\"\n47\n");
    fixture_clear(&fixture);

    fixture_init(&fixture);
    fixture_attribute(&fixture, "id", ROLE_SUBJECT, NULL);
    fixture_attribute(&fixture,
                      "\xef\xbb\xbf"
                      "age",
                      ROLE_QUASI_IDENTIFYING, NULL);
    fixture_k(&fixture, 1);
    fixture_load(&fixture, "id,\xef\xbb\xbf"
                           "age\n1,47\n");
    write_release(&fixture, level, 0, NULL, &written);
    CU_ASSERT_EQUAL(written.status, OK);
    CU_ASSERT_STRING_EQUAL(written.text, "\"\xef\xbb\xbf"
                                         "age\"\n47\n");
    fixture_clear(&fixture);
}

static void labels_are_quoted_for_the_delimiter(void)
{
    static const uint8_t level[] = {1};
    struct fixture fixture;
    struct written written;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "city", ROLE_QUASI_IDENTIFYING,
                      "Rome;\"south, east\"\nBern;west\n");
    fixture_attribute(&fixture, "n", ROLE_INSENSITIVE, NULL);
    fixture_k(&fixture, 1);
    fixture_load(&fixture, "n,city\n1,Rome\n2,Bern\n");
    write_release(&fixture, level, 0, NULL, &written);
    CU_ASSERT_EQUAL(written.status, OK);
    CU_ASSERT_STRING_EQUAL(written.text, "n,city\n1,\"south, east\"\n2,west\n");
    fixture_clear(&fixture);
}

/* Between the two passes the file gets another content. */
static void changed_input_is_refused(void)
{
    static const char *others[] = {
        "id,name,age,note,city\n1,A,31,x,Rome\n",
        "id,name,age,note,city\n1,A,31,x,Rome\n2,B,47,y,Bern\n3,C,31,z,X\n",
        "id,name,age,note\n1,A,31,x\n2,B,47,y\n",
        ("id,name,age,note,city,a,b,c,d\n1,A,31,x,Rome,1,2,3,4\n"
         "2,B,47,y,Bern,1,2,3,4\n"),
    };
    static const uint8_t level[] = {0, 0};
    struct fixture fixture;
    struct written written;

    five_columns(&fixture,
                 "id,name,age,note,city\n1,A,31,x,Rome\n2,B,47,y,Bern\n");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        ssize_t size = (ssize_t)strlen(others[i]);

        CU_ASSERT_EQUAL(ftruncate(fixture.fd, 0), 0);
        CU_ASSERT_EQUAL(pwrite(fixture.fd, others[i], (size_t)size, 0), size);
        write_release(&fixture, level, 0, NULL, &written);
        CU_ASSERT_EQUAL(written.status, E_INPUT);
        CU_ASSERT_STRING_EQUAL(written.err.text,
                               "table.csv: changed while it was being read");
    }
    fixture_clear(&fixture);
}

static void cancel_flag_ends_writing(void)
{
    static const uint8_t level[] = {0, 0};
    atomic_bool cancel = true;
    struct fixture fixture;
    struct written written;

    five_columns(&fixture, "id,name,age,note,city\n1,A,31,x,Rome\n");
    write_release(&fixture, level, 0, &cancel, &written);
    CU_ASSERT_EQUAL(written.status, E_CANCELLED);
    fixture_clear(&fixture);
}

/* More than one write: 20,000 lines of 16 bytes pass the 256 KiB that are
 * collected. */
static void long_tables_are_whole(void)
{
    static const uint8_t level[] = {0};
    bool lost[2] = {false, true};
    struct fixture fixture;
    struct release_plan plan;
    struct digest digest, expected;
    struct text csv, out;
    struct error err;
    int fd = memfd_create("release", MFD_CLOEXEC);

    fixture_init(&fixture);
    fixture_attribute(&fixture, "a", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_attribute(&fixture, "n", ROLE_INSENSITIVE, NULL);
    fixture_k(&fixture, 1);
    text_init(&csv);
    text_init(&out);
    CU_ASSERT_EQUAL(text_append_string(&csv, "n;a\n", &err), OK);
    CU_ASSERT_EQUAL(text_append_string(&out, "n;a\n", &err), OK);
    for (int i = 0; i < 20000; i++) {
        CU_ASSERT_EQUAL(
            text_printf(&csv, &err, "%013d;%c\n", i, i % 3 == 1 ? 'y' : 'x'),
            OK);
        CU_ASSERT_EQUAL(
            text_printf(&out, &err, "%013d;%c\n", i, i % 3 == 1 ? '*' : 'x'),
            OK);
    }
    fixture_load(&fixture, csv.data);
    plan = (struct release_plan){.policy = &fixture.policy,
                                 .table = fixture.table,
                                 .lattice = fixture.lattice,
                                 .level = level,
                                 .suppressed = lost};
    CU_ASSERT_EQUAL(release_write(&plan, fixture.fd, "table.csv", fd,
                                  "release.csv", NULL, &digest, &err),
                    OK);
    CU_ASSERT_EQUAL(lseek(fd, 0, SEEK_END), (off_t)out.size);
    CU_ASSERT_EQUAL(digest_bytes(&expected, text_bytes(&out), &err), OK);
    CU_ASSERT_EQUAL(memcmp(&digest, &expected, sizeof digest), 0);
    close(fd);
    text_clear(&csv);
    text_clear(&out);
    fixture_clear(&fixture);
}

static void full_disk_is_an_error(void)
{
    static const uint8_t level[] = {0, 0};
    bool lost[1] = {false};
    struct fixture fixture;
    struct release_plan plan;
    struct digest digest;
    struct error err;
    FILE *full = fopen("/dev/full", "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(full);
    five_columns(&fixture, "id,name,age,note,city\n1,A,31,x,Rome\n");
    plan = (struct release_plan){.policy = &fixture.policy,
                                 .table = fixture.table,
                                 .lattice = fixture.lattice,
                                 .level = level,
                                 .suppressed = lost};
    CU_ASSERT_EQUAL(release_write(&plan, fixture.fd, "table.csv", fileno(full),
                                  "release.csv", NULL, &digest, &err),
                    E_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "release.csv"));
    fclose(full);
    fixture_clear(&fixture);
}

/* Rows 0 and 2 of three; the first is suppressed. */
static void rows_outside_a_subset_are_not_written(void)
{
    static const uint8_t level[] = {1, 0};
    struct fixture fixture;
    struct written written;

    fixture_init(&fixture);
    fixture_attribute(&fixture, "age", ROLE_QUASI_IDENTIFYING,
                      "31,30-39,*\n35,30-39,*\n47,40-49,*\n");
    fixture_attribute(&fixture, "note", ROLE_INSENSITIVE, NULL);
    fixture_attribute(&fixture, "city", ROLE_QUASI_IDENTIFYING, NULL);
    fixture_k(&fixture, 1);
    fixture_subset(&fixture, "i % 2 == 0");
    fixture_load(&fixture, "age,note,city\n31,a,x\n35,b,x\n47,c,y\n");
    write_release(&fixture, level, 1, NULL, &written);
    CU_ASSERT_EQUAL(written.status, OK);
    CU_ASSERT_STRING_EQUAL(written.text, "age,note,city\n*,a,*\n40-49,c,y\n");
    fixture.policy.drop_suppressed = true;
    write_release(&fixture, level, 1, NULL, &written);
    CU_ASSERT_STRING_EQUAL(written.text, "age,note,city\n40-49,c,y\n");
    fixture_clear(&fixture);
}

void suite_release(void)
{
    static const struct test tests[] = {
        {"cells that are kept are copied as they stand",
         cells_are_copied_as_they_stand},
        {"suppressed rows are stars, or dropped",
         suppressed_rows_are_stars_or_dropped},
        {"the digest is that of the bytes written",
         digest_is_that_of_the_bytes},
        {"a lone empty cell is quoted", lone_empty_cell_is_quoted},
        {"names that would mislead a reader are quoted",
         misleading_names_are_quoted},
        {"labels are quoted for the table's delimiter",
         labels_are_quoted_for_the_delimiter},
        {"an input that changed between two passes is refused",
         changed_input_is_refused},
        {"the cancel flag ends writing", cancel_flag_ends_writing},
        {"a table longer than the buffer is written whole",
         long_tables_are_whole},
        {"a full disk is an error", full_disk_is_an_error},
        {"rows outside a subset are not written",
         rows_outside_a_subset_are_not_written},
    };

    suite_add("release", tests, sizeof tests / sizeof tests[0]);
}
