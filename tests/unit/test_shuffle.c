#include "anonymizer/shuffle.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/encoding.h"
#include "common/files.h"
#include "common/random.h"
#include "tests/lib/fixture.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_shuffle(void);

static struct scratch scratch;
static struct error err;

/* 00 01 02 ... 1f */
static struct shuffle_seed counting_seed(void)
{
    struct shuffle_seed seed;

    for (unsigned i = 0; i < SHUFFLE_SEED_SIZE; i++)
        seed.byte[i] = (uint8_t)i;
    return seed;
}

static void order_of(const struct shuffle_seed *seed, uint64_t *item,
                     size_t count)
{
    for (size_t i = 0; i < count; i++)
        item[i] = i;
    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(shuffle_items(seed, item, count, &err), OK);
}

/* ---- the order ----
 *
 * Orders by a script: Fisher-Yates over the words that `openssl enc
 * -aes-256-ctr -K 00..1f -iv 0` makes of zeros. */

static void order_is_known(void)
{
    static const uint64_t of_two[] = {1, 0};
    static const uint64_t of_five[] = {1, 2, 4, 0, 3};
    static const uint64_t of_ten[] = {3, 5, 6, 1, 7, 4, 0, 9, 2, 8};
    const struct shuffle_seed seed = counting_seed();
    uint64_t item[10];

    order_of(&seed, item, 0);
    order_of(&seed, item, 1);
    CU_ASSERT_EQUAL(item[0], 0);
    order_of(&seed, item, 2);
    CU_ASSERT_EQUAL(memcmp(item, of_two, sizeof of_two), 0);
    order_of(&seed, item, 5);
    CU_ASSERT_EQUAL(memcmp(item, of_five, sizeof of_five), 0);
    order_of(&seed, item, 10);
    CU_ASSERT_EQUAL(memcmp(item, of_ten, sizeof of_ten), 0);
}

/* 64 words of the stream are passed over on the way. */
static void order_of_a_million_is_known(void)
{
    static const char expected[] =
        "7943458660440de6077d0481a6a331b8f1a0097f420965d0bbf8a917414cc182";
    const struct shuffle_seed seed = counting_seed();
    const size_t count = 1000000;
    uint64_t *item = calloc(count, sizeof *item);
    uint8_t *text = calloc(count, 4);
    struct digest digest;
    char hex[DIGEST_HEX_SIZE];
    struct bytes bytes;

    CU_ASSERT_FATAL(item != NULL && text != NULL);
    order_of(&seed, item, count);
    CU_ASSERT(item[0] == 947019 && item[999999] == 523638);
    for (size_t i = 0; i < count; i++)
        put_be32(text + 4 * i, (uint32_t)item[i]);
    bytes = bytes_of(text, 4 * count);
    digest_parts(&digest, &bytes, 1);
    digest_hex(&digest, hex);
    CU_ASSERT_STRING_EQUAL(hex, expected);
    free(text);
    free(item);
}

/* Which of the 120 orders of five this is: its digits by the factorials. */
static unsigned rank_of_five(const uint64_t item[5])
{
    unsigned rank = 0;

    for (unsigned i = 0; i < 5; i++) {
        unsigned smaller = 0;

        for (unsigned j = i + 1; j < 5; j++)
            smaller += item[j] < item[i];
        rank = rank * (5 - i) + smaller;
    }
    return rank;
}

/* Chi-square over 120 orders, 119 degrees of freedom: above 207.5 with
 * probability 10^-6 (Wilson-Hilferty: 119 (1 - 2/1071 + 4.7534 sqrt(2/1071))^3
 * = 207.5). */
static void every_order_is_equally_likely(void)
{
    const unsigned draws = 60000;
    unsigned count[120] = {0};
    double chi = 0, expected = draws / 120.0;
    struct random random;

    random_init(&random, fixture_seed("shuffle"));
    for (unsigned i = 0; i < draws; i++) {
        struct shuffle_seed seed;
        uint64_t item[5];

        for (size_t w = 0; w < SHUFFLE_SEED_SIZE; w += 8)
            put_be64(seed.byte + w, random_next(&random));
        order_of(&seed, item, 5);
        count[rank_of_five(item)]++;
    }
    for (unsigned i = 0; i < 120; i++)
        chi += (count[i] - expected) * (count[i] - expected) / expected;
    if (chi > 207.5)
        fprintf(stderr, "\nshuffle: chi-square %f\n", chi);
    CU_ASSERT(chi <= 207.5);
}

/* ---- a file ---- */

static enum status shuffle(const char *table, char delimiter, size_t held_max,
                           struct digest *digest)
{
    const struct shuffle_seed seed = counting_seed();
    struct shuffle_input input = {
        .name = "in.csv", .delimiter = delimiter, .held_max = held_max};
    enum status status;
    int output;

    scratch_write(&scratch, "in.csv", table);
    input.fd = open(scratch_path(&scratch, "in.csv"), O_RDONLY | O_CLOEXEC);
    output = open(scratch_path(&scratch, "out.csv"),
                  O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CU_ASSERT_FATAL(input.fd >= 0 && output >= 0);
    error_init(&err);
    status =
        shuffle_table(&seed, &input, output, "out.csv", NULL, digest, &err);
    close(input.fd);
    close(output);
    return status;
}

static void check_file(const char *table, char delimiter, const char *expected)
{
    struct digest digest, wanted;
    struct bytes bytes = bytes_of_string(expected);

    scratch_open(&scratch);
    digest_parts(&wanted, &bytes, 1);
    /* Held whole, at the border, and not. */
    for (size_t held_max = bytes.size + 1; held_max + 2 > bytes.size;
         held_max--) {
        CU_ASSERT_EQUAL_FATAL(shuffle(table, delimiter, held_max, &digest), OK);
        CU_ASSERT(scratch_holds(&scratch, "out.csv", expected));
        CU_ASSERT_EQUAL(memcmp(&digest, &wanted, sizeof digest), 0);
    }
    scratch_close(&scratch);
}

/* Five records come in the order 1 2 4 0 3, as above. */
static void records_move_as_they_stand(void)
{
    check_file("age;note\n0;a\n1;b\n2;c\n3;d\n4;e\n", ';',
               "age;note\n1;b\n2;c\n4;e\n0;a\n3;d\n");
    check_file("age,note\r\n0,\"\"\"x\"\" ,\r\n\"\r\n1,\"\r\n\"\r\n2,\r\n3,"
               "\xc3\xa9\r\n4,\"a\nb\"\r\n",
               ',',
               "age,note\r\n1,\"\r\n\"\r\n2,\r\n4,\"a\nb\"\r\n0,\"\"\"x\"\" ,"
               "\r\n\"\r\n3,\xc3\xa9\r\n");
    check_file("\"a\nge\"\n0\n\"\"\n2\n3\n4\n", ',',
               "\"a\nge\"\n\"\"\n2\n4\n0\n3\n");
    /* A delimiter that would not be detected. */
    check_file("a;b|c\n0|\n1|\n2|\n3|\n4|\n", '|',
               "a;b|c\n1|\n2|\n4|\n0|\n3|\n");
}

static void few_records_are_no_special_case(void)
{
    check_file("age\n", ',', "age\n");
    check_file("age\n31\n", ',', "age\n31\n");
    check_file("age\n31\n47\n", ',', "age\n47\n31\n");
}

static void refused(const char *table, const char *words)
{
    struct digest digest;

    scratch_open(&scratch);
    CU_ASSERT_EQUAL(shuffle(table, ',', SHUFFLE_HELD_MAX, &digest), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
    CU_ASSERT(scratch_holds(&scratch, "out.csv", ""));
    scratch_close(&scratch);
}

static void what_no_release_looks_like_is_refused(void)
{
    refused("age,a\n1,2\n3,4",
            "in.csv: 13 bytes, where header and rows, each ended as the first, "
            "have 14");
    refused("age,a\n1,2\r\n3,4\n", "15 bytes");
    refused("age,a\r\n1,2\n3,4\r\n", "16 bytes");
    refused("\xef\xbb\xbf"
            "age,a\n1,2\n",
            "13 bytes");
    refused("age,a\n1,2\n\n", "11 bytes");
    refused("age,a\n1\n", "line 2");
    refused("", "in.csv");
}

static void cancel_ends_it(void)
{
    const struct shuffle_seed seed = counting_seed();
    struct shuffle_input input = {.name = "in.csv", .delimiter = ','};
    atomic_bool cancel = true;
    struct digest digest;

    scratch_open(&scratch);
    scratch_write(&scratch, "in.csv", "age\n1\n");
    input.fd = open(scratch_path(&scratch, "in.csv"), O_RDONLY | O_CLOEXEC);
    CU_ASSERT_FATAL(input.fd >= 0);
    error_init(&err);
    CU_ASSERT_EQUAL(
        shuffle_table(&seed, &input, -1, "out.csv", &cancel, &digest, &err),
        E_CANCELLED);
    close(input.fd);
    scratch_close(&scratch);
}

/* Random tables, with each record of the input once in the output, and the
 * same bytes when it is done again, held in memory or not. */
static void tables_keep_their_records(void)
{
    static const char *const cell[] = {"a",        "\"\"", "\"x\ny\"",
                                       "\"\"\"\"", "42",   "\"a,b\""};
    struct random random;

    random_init(&random, fixture_seed("shuffle"));
    scratch_open(&scratch);
    for (unsigned round = 0; round < 50; round++) {
        unsigned rows = (unsigned)random_below(&random, 3000);
        struct digest first, second;
        struct text table, out;
        size_t seen = 0;

        text_init(&table);
        text_init(&out);
        CU_ASSERT_EQUAL(text_append_string(&table, "row,cell\n", &err), OK);
        for (unsigned i = 0; i < rows; i++)
            CU_ASSERT_EQUAL(text_printf(&table, &err, "#%06u#,%s\n", i,
                                        cell[random_below(&random, 6)]),
                            OK);
        CU_ASSERT_EQUAL_FATAL(
            shuffle(table.data, ',', SHUFFLE_HELD_MAX, &first), OK);
        CU_ASSERT_EQUAL_FATAL(shuffle(table.data, ',', 0, &second), OK);
        CU_ASSERT_EQUAL(memcmp(&first, &second, sizeof first), 0);
        CU_ASSERT_EQUAL(
            file_read(scratch_path(&scratch, "out.csv"), 1 << 20, &out, &err),
            OK);
        CU_ASSERT_EQUAL(out.size, table.size);
        for (unsigned i = 0; i < rows; i++) {
            char name[16];
            const char *in, *at;
            size_t size;

            snprintf(name, sizeof name, "\n#%06u#", i);
            in = strstr(table.data, name);
            at = strstr(out.data, name);
            CU_ASSERT_FATAL(in != NULL && at != NULL);
            snprintf(name, sizeof name, "\n#%06u#", i + 1);
            size = i + 1 < rows ? (size_t)(strstr(in, name) - in)
                                : (size_t)(table.data + table.size - 1 - in);
            seen += memcmp(in, at, size) == 0 &&
                    (at[size] == '\n' || at[size] == '\0');
        }
        CU_ASSERT_EQUAL(seen, rows);
        text_clear(&table);
        text_clear(&out);
    }
    scratch_close(&scratch);
}

void suite_shuffle(void)
{
    static const struct test tests[] = {
        {"the order is known", order_is_known},
        {"the order of a million is known", order_of_a_million_is_known},
        {"every order is equally likely", every_order_is_equally_likely},
        {"records move as they stand", records_move_as_they_stand},
        {"few records are no special case", few_records_are_no_special_case},
        {"what no release looks like is refused",
         what_no_release_looks_like_is_refused},
        {"cancel ends it", cancel_ends_it},
        {"tables keep their records", tables_keep_their_records},
    };

    suite_add("shuffle", tests, sizeof tests / sizeof tests[0]);
}
