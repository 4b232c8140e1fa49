#include "anonymizer/csv.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "anonymizer/csv_internal.h"
#include "common/limits.h"
#include "common/random.h"
#include "tests/lib/suite.h"

void suite_csv(void);

static const struct csv_options automatic;
static const struct csv_options headless = {.no_header = true};

/* "1:age|sex\n2:39|m\n" for two records that begin on lines 1 and 2, values
 * in brackets where raw is another text; or the text of the error. */
static void append_record(struct text *out, const struct csv_record *record)
{
    struct error err;

    CU_ASSERT_EQUAL(text_printf(out, &err, "%ju:", (uintmax_t)record->line),
                    OK);
    for (size_t i = 0; i < record->count; i++) {
        struct bytes value = record->field[i].value;
        bool quoted = !bytes_equal(value, record->field[i].raw);

        if (i > 0)
            CU_ASSERT_EQUAL(text_append_string(out, "|", &err), OK);
        if (quoted)
            CU_ASSERT_EQUAL(text_append_string(out, "[", &err), OK);
        CU_ASSERT_EQUAL(text_append(out, value.data, value.size, &err), OK);
        if (quoted)
            CU_ASSERT_EQUAL(text_append_string(out, "]", &err), OK);
    }
    CU_ASSERT_EQUAL(text_append_string(out, "\n", &err), OK);
}

/* Empty: read to the end without an error. */
static enum status read_all(struct csv_source source,
                            struct csv_options options,
                            struct csv_tuning tuning, struct text *out,
                            struct error *err)
{
    struct csv_reader *reader = (void *)&source; /* must be nulled */
    const struct csv_record *record;
    enum status status;

    status = csv_open_source(&reader, source, "t.csv", options, tuning, err);
    if (status != OK) {
        CU_ASSERT_PTR_NULL(reader);
        return status;
    }
    if (csv_header(reader)->count > 0)
        append_record(out, csv_header(reader));
    while ((status = csv_next(reader, &record, err)) == OK && record != NULL)
        append_record(out, record);
    if (status == OK) { /* the end stays the end */
        CU_ASSERT_EQUAL(csv_next(reader, &record, err), OK);
        CU_ASSERT_PTR_NULL(record);
    } else { /* and an error stays the same error */
        struct error again;

        CU_ASSERT_EQUAL(csv_next(reader, &record, &again), status);
        CU_ASSERT_STRING_EQUAL(again.text, err->text);
    }
    csv_close(&reader);
    CU_ASSERT_PTR_NULL(reader);
    return status;
}

static const size_t block_sizes[] = {4, 5, 7, 16, 63, 64, 65, 200, 1 << 20};
#define BLOCK_SIZE_COUNT (sizeof block_sizes / sizeof block_sizes[0])

static void report(const char *what, size_t block_size, const char *got,
                   const char *expected)
{
    fprintf(stderr, "%s, blocks of %zu:\n got      %s\n expected %s\n", what,
            block_size, got, expected);
}

/* Read it in blocks of many sizes, with both scans: always the same. */
static void expect_bytes(struct bytes input, struct csv_options options,
                         enum status status, const char *expected)
{
    csv_scan *const scans[] = {csv_scan_plain, csv_scan_best()};

    for (size_t i = 0; i < 2 * BLOCK_SIZE_COUNT; i++) {
        struct csv_tuning tuning = {block_sizes[i / 2], scans[i % 2]};
        struct csv_source source = {.fd = -1, .memory = input};
        struct text got;
        struct error err;
        enum status answer;

        text_init(&got);
        answer = read_all(source, options, tuning, &got, &err);
        CU_ASSERT_EQUAL(answer, status);
        if (answer != OK) {
            CU_ASSERT_EQUAL(err.status, status);
            if (strcmp(err.text, expected) != 0)
                report("error", tuning.block_size, err.text, expected);
            CU_ASSERT_STRING_EQUAL(err.text, expected);
        } else {
            if (strcmp(got.data, expected) != 0)
                report("table", tuning.block_size, got.data, expected);
            CU_ASSERT_STRING_EQUAL(got.data, expected);
        }
        text_clear(&got);
    }
}

static void expect(const char *input, const char *expected)
{
    expect_bytes(bytes_of_string(input), automatic, OK, expected);
}

static void refuse(const char *input, const char *expected)
{
    expect_bytes(bytes_of_string(input), automatic, E_INPUT, expected);
}

#define REFUSE_BYTES(input, expected)                                          \
    expect_bytes(bytes_of(input, sizeof(input) - 1), automatic, E_INPUT,       \
                 expected)

static void reads_records(void)
{
    expect("a;b\n1;2\n3;4\n", "1:a|b\n2:1|2\n3:3|4\n");
    expect("a;b\n1;2\n3;4", "1:a|b\n2:1|2\n3:3|4\n");
    expect("a;b\n;\n x; y \n", "1:a|b\n2:|\n3: x| y \n");
    expect("a\n1\n", "1:a\n2:1\n");
    expect("a;b", "1:a|b\n");
}

static void accepts_both_line_ends(void)
{
    expect("a;b\r\n1;2\r\n", "1:a|b\n2:1|2\n");
    expect("a;b\r\n1;2\n3;4\r\n5;6", "1:a|b\n2:1|2\n3:3|4\n4:5|6\n");
    expect("a;b\n1;\"2\"\r\n", "1:a|b\n2:1|[2]\n");
}

static void skips_the_mark(void)
{
    expect("\xef\xbb\xbf"
           "a;b\n1;2\n",
           "1:a|b\n2:1|2\n");
    expect("\xef\xbb\xbf\"a\";b\n", "1:[a]|b\n");
    /* A second one is a character of the name. */
    expect("\xef\xbb\xbf\xef\xbb\xbf"
           "a\n",
           "1:\xef\xbb\xbf"
           "a\n");
}

static void unquotes(void)
{
    expect("a;b\n\"1\";\"\"\n", "1:a|b\n2:[1]|[]\n");
    expect("a;b\n\"x\"\"y\";\"\"\"\"\n", "1:a|b\n2:[x\"y]|[\"]\n");
    expect("a;b\n\"\"\"\"\"\";\"\"\"z\"\n", "1:a|b\n2:[\"\"]|[\"z]\n");
    expect("a;b\n\"p;q\";\"r\ns\"\n7;8\n", "1:a|b\n2:[p;q]|[r\ns]\n4:7|8\n");
    expect("a;b\n\"r\r\ns\rt\";\"\r\n\"\r\n7;8\n",
           "1:a|b\n2:[r\r\ns\rt]|[\r\n]\n5:7|8\n");
    expect("\"a;\n\"\"b\";c\n1;2\n", "1:[a;\n\"b]|c\n3:1|2\n");
}

static void ignores_empty_lines_at_the_end(void)
{
    expect("a;b\n1;2\n\n\r\n\n", "1:a|b\n2:1|2\n");
    expect("a;b\n\n", "1:a|b\n");
    expect("a\n1\n\n", "1:a\n2:1\n");
}

static void refuses_empty_lines_elsewhere(void)
{
    refuse("a;b\n1;2\n\n\n3;4\n", "t.csv: line 3: an empty line; only the end "
                                  "of the file may have them");
    refuse("\na;b\n", "t.csv: line 1: an empty line; only the end of the file "
                      "may have them");
    refuse("a\n1\n\n2\n",
           "t.csv: line 3: an empty line; only the end of the file may have "
           "them (an empty value is \"\")");
    expect("a\n1\n\"\"\n2\n", "1:a\n2:1\n3:[]\n4:2\n");
}

static void refuses_an_empty_file(void)
{
    static const char text[] = "t.csv: the file is empty; a line with the "
                               "names of the columns was expected";

    refuse("", text);
    refuse("\n\r\n", text);
    refuse("\xef\xbb\xbf", text);
}

static void refuses_misplaced_quotes(void)
{
    refuse("name;age\nx;1\ny;2\"\n",
           "t.csv: line 3, column \"age\": a quote inside an unquoted field; "
           "write \"\" inside quotes");
    refuse("name;age\n \"x\";1\n",
           "t.csv: line 2, column \"name\": a quote inside an unquoted field; "
           "write \"\" inside quotes");
    refuse("name;age\n\"x\n\"y;1\n",
           "t.csv: line 3, column \"name\": text behind the closing quote; a "
           "quote inside quotes is written \"\"");
    refuse("name;age\n\"x\" ;1\n",
           "t.csv: line 2, column \"name\": text behind the closing quote; a "
           "quote inside quotes is written \"\"");
    refuse("name;age\n1;\"x\"y\"\n",
           "t.csv: line 2, column \"age\": text behind the closing quote; a "
           "quote inside quotes is written \"\"");
}

static void refuses_an_unclosed_quote(void)
{
    refuse("name;age\nx;1\n\"a\nb\";\"z\n9;9\n",
           "t.csv: line 4, column \"age\": the quote that opens here is never "
           "closed");
    refuse("name;age\n\"", "t.csv: line 2, column \"name\": the quote that "
                           "opens here is never closed");
    refuse("\"a;b\n", "t.csv: line 1, column 1: the quote that opens here is "
                      "never closed");
}

static void refuses_other_widths(void)
{
    refuse("a;b\n1;2\n3\n4;5\n", "t.csv: line 3: 1 field, the header has 2");
    refuse("a;b\n1;2;3\n", "t.csv: line 2: 3 fields, the header has 2");
    refuse("a;b;c\n1;2\n", "t.csv: line 2: 2 fields, the header has 3");
    refuse("a;b;c\n1;2",
           "t.csv: line 2: 2 fields, the header has 3; the file ends here "
           "without a newline, it may be cut off");
    refuse("a;b\n1;2;3", "t.csv: line 2: 3 fields, the header has 2");
    expect_bytes(bytes_of_string("1;2\n3\n"), headless, E_INPUT,
                 "t.csv: line 2: 1 field, the first line has 2");
}

static void refuses_a_lone_return(void)
{
    refuse("a;b\n1;2\r3;4\n",
           "t.csv: line 2, column \"b\": a carriage return without a line "
           "feed; lines end in LF or CRLF, other carriage returns need quotes");
    refuse("a;b\r1;2\r", "t.csv: line 1, column 2: a carriage return without "
                         "a line feed; lines end in LF or CRLF, other "
                         "carriage returns need quotes");
    refuse("a;b\n1;2\r", "t.csv: line 2, column \"b\": a carriage return "
                         "without a line feed; lines end in LF or CRLF, other "
                         "carriage returns need quotes");
}

static void refuses_nul(void)
{
    REFUSE_BYTES("a;b\n1;2\n3;4\0\n",
                 "t.csv: line 3, column \"b\": a NUL byte");
    REFUSE_BYTES("a;b\n\"\n\n\0\";2\n", "t.csv: line 4, column \"a\": a NUL "
                                        "byte");
    REFUSE_BYTES("\0", "t.csv: line 1, column 1: a NUL byte");
    REFUSE_BYTES("a;b\n1;2\0", "t.csv: line 2, column \"b\": a NUL byte");
}

#define NOT_UTF8                                                               \
    "bytes that are not UTF-8; convert the file, for example with iconv"

static void refuses_other_encodings(void)
{
    /* Latin-1, UTF-16 with its mark, a character cut by the end. */
    refuse("a;b\n1;2\nJos\xe9;4\n", "t.csv: line 3, column \"a\": " NOT_UTF8);
    REFUSE_BYTES("\xff\xfe"
                 "a\0;\0b\0\n\0",
                 "t.csv: line 1, column 1: " NOT_UTF8);
    refuse("a;b\n1;\xe2\x82", "t.csv: line 2, column \"b\": " NOT_UTF8);
    refuse("a;b\n1;\"\xe2\x82", "t.csv: line 2, column \"b\": " NOT_UTF8);
    expect("a;b\n\xe2\x82\xac;\xf0\x9d\x84\x9e\n",
           "1:a|b\n2:\xe2\x82\xac|\xf0\x9d\x84\x9e\n");
}

static void the_first_error_is_told(void)
{
    refuse("a;b\n1\n\xff;2\n", "t.csv: line 2: 1 field, the header has 2");
    refuse("a;b\n\xff;2\n1\n", "t.csv: line 2, column \"a\": " NOT_UTF8);
}

static void refuses_bad_headers(void)
{
    refuse("a;;c\n", "t.csv: line 1: column 2 of the header has no name");
    refuse("a;\"\"\n", "t.csv: line 1: column 2 of the header has no name");
    /* Their name is not told: without a header it is a value of a record. */
    refuse("b;a;c;\"a\"\n", "t.csv: line 1: columns 2 and 4 of the header have "
                            "the same name; is this line a header?");
    /* Names that are no line of text are told by number. */
    refuse("a;\"x\ny\"\n1;2\"\n",
           "t.csv: line 3, column 2: a quote inside an unquoted field; write "
           "\"\" inside quotes");
}

static void reads_without_header(void)
{
    expect_bytes(bytes_of_string("1;2\n1;2\n"), headless, OK, "1:1|2\n2:1|2\n");
    expect_bytes(bytes_of_string("\"\";\n"), headless, OK, "1:[]|\n");
    expect_bytes(bytes_of_string(""), headless, OK, "");
    expect_bytes(bytes_of_string("1;2\n3;\"\n"), headless, E_INPUT,
                 "t.csv: line 2, column 2: the quote that opens here is never "
                 "closed");
}

static void detects_the_delimiter(void)
{
    static const struct {
        const char *input;
        char delimiter;
    } cases[] = {
        {"a;b\n", ';'},
        {"a,b\n", ','},
        {"a\tb\n", '\t'},
        {"a|b\n", '|'},
        {"a\n", ','},
        {"a,b;c\n", ';'},
        {"a|b\tc\n", '\t'},
        {"a,b,c;d\n", ','},
        {"\"a;b;c\",d\n", ','},
        {"\"a\n;;\"|d\n", '|'},
        {"a\n1;2;3\n", ','},
        {"\"x\"\";;\"\"\",d\n", ','},
        {"a,b|c\td,e|f\tg\n", ','},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t j = 0; j < BLOCK_SIZE_COUNT; j++) {
            struct csv_tuning tuning = {block_sizes[j], csv_scan_plain};
            struct csv_source source = {
                .fd = -1, .memory = bytes_of_string(cases[i].input)};
            struct csv_reader *reader;
            struct error err;

            CU_ASSERT_EQUAL_FATAL(csv_open_source(&reader, source, "t.csv",
                                                  automatic, tuning, &err),
                                  OK);
            CU_ASSERT_EQUAL(csv_delimiter(reader), cases[i].delimiter);
            csv_close(&reader);
        }
}

static void a_given_delimiter_holds(void)
{
    struct csv_options options = {.delimiter = ' '};

    expect_bytes(bytes_of_string("a b;c\n1 2\n"), options, OK,
                 "1:a|b;c\n2:1|2\n");
    options.delimiter = '\x1f';
    expect_bytes(bytes_of_string("a\x1f"
                                 "b\n"),
                 options, OK, "1:a|b\n");
    for (const char *bad = "\"\r\n\xe9"; *bad != '\0'; bad++) {
        options.delimiter = *bad;
        expect_bytes(bytes_of_string("a;b\n"), options, E_INPUT,
                     "t.csv: a delimiter is one ASCII character, but no quote "
                     "and no line end");
    }
}

static void tells_the_newline(void)
{
    static const struct {
        const char *input, *newline;
    } cases[] = {
        {"a;b\n1;2\r\n", "\n"}, {"a;b\r\n1;2\n", "\r\n"},
        {"a;b", "\n"},          {"a;\"\r\n\"", "\n"},
        {"\"\r\na\"\n", "\n"},  {"\"\na\"\r\n", "\r\n"},
    };

    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        struct csv_source source = {
            .fd = -1, .memory = bytes_of_string(cases[i / 2].input)};
        struct csv_reader *reader;
        struct error err;

        CU_ASSERT_EQUAL_FATAL(csv_open_source(&reader, source, "t.csv",
                                              i % 2 == 0 ? automatic : headless,
                                              csv_tuning_default(), &err),
                              OK);
        CU_ASSERT_STRING_EQUAL(csv_newline(reader), cases[i / 2].newline);
        csv_close(&reader);
    }
}

/* ---- descriptors ---- */

static void expect_descriptor(int fd, const char *expected)
{
    struct csv_reader *reader;
    const struct csv_record *record;
    struct text got;
    struct error err;

    text_init(&got);
    CU_ASSERT_EQUAL_FATAL(csv_open(&reader, fd, "t.csv", automatic, &err), OK);
    append_record(&got, csv_header(reader));
    while (csv_next(reader, &record, &err) == OK && record != NULL)
        append_record(&got, record);
    CU_ASSERT_STRING_EQUAL(got.data, expected);
    csv_close(&reader);
    text_clear(&got);
}

static void reads_a_pipe(void)
{
    int ends[2];

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    CU_ASSERT_EQUAL(write(ends[1], "a;b\n1;2\n", 8), 8);
    close(ends[1]);
    expect_descriptor(ends[0], "1:a|b\n2:1|2\n");
    close(ends[0]);
}

static void reads_from_the_current_offset(void)
{
    FILE *file = tmpfile();

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(write(fileno(file), "xxa;b\n1;2\n", 10), 10);
    CU_ASSERT_EQUAL(lseek(fileno(file), 2, SEEK_SET), 2);
    expect_descriptor(fileno(file), "1:a|b\n2:1|2\n");
    fclose(file);
}

static void tells_failing_descriptors_apart(void)
{
    struct csv_reader *reader;
    struct error err;
    int folder = open("/", O_RDONLY | O_DIRECTORY);
    int unreadable = open("/dev/null", O_WRONLY);

    CU_ASSERT_EQUAL(csv_open(&reader, folder, "f", automatic, &err), E_INPUT);
    CU_ASSERT_STRING_EQUAL(err.text, "f: reading failed: Is a directory");
    CU_ASSERT_EQUAL(csv_open(&reader, unreadable, "f", automatic, &err), E_IO);
    CU_ASSERT_STRING_EQUAL(err.text, "f: reading failed: Bad file descriptor");
    close(folder);
    close(unreadable);
}

/* ---- limits ---- */

/* `prefix`, `count` times `byte`, `suffix`. */
static void build(struct text *text, const char *prefix, char byte,
                  size_t count, const char *suffix)
{
    struct error err;

    CU_ASSERT_EQUAL_FATAL(text_append_string(text, prefix, &err), OK);
    CU_ASSERT_EQUAL_FATAL(text_reserve(text, count, &err), OK);
    memset(text->data + text->size, byte, count);
    text->size += count;
    CU_ASSERT_EQUAL_FATAL(text_append_string(text, suffix, &err), OK);
}

/* "" if it can be read. */
static void expect_answer(struct text *input, enum status status,
                          const char *expected)
{
    struct csv_source source = {.fd = -1, .memory = text_bytes(input)};
    struct text got;
    struct error err = {.text = ""};

    text_init(&got);
    CU_ASSERT_EQUAL(
        read_all(source, automatic, csv_tuning_default(), &got, &err), status);
    CU_ASSERT_STRING_EQUAL(err.text, expected);
    text_clear(&got);
    text_clear(input);
}

static void limits_fields(void)
{
    struct text input;

    text_init(&input);
    build(&input, "a;b\n1;", 'x', CSV_FIELD_MAX, "\n");
    expect_answer(&input, OK, "");
    build(&input, "a;b\n1;", 'x', CSV_FIELD_MAX + 1, "\n");
    expect_answer(&input, E_LIMIT,
                  "t.csv: line 2, column \"b\": a field of "
                  "more than 1048576 bytes");
    build(&input, "a;b\n1;\"", 'x', CSV_FIELD_MAX, "\"\n");
    expect_answer(&input, OK, "");
    /* Each value byte is written twice. */
    build(&input, "a;b\n1;\"", '"', (size_t)2 * CSV_FIELD_MAX, "\"\n");
    expect_answer(&input, OK, "");
    build(&input, "a;b\n1;\"", '"', (size_t)2 * CSV_FIELD_MAX + 2, "\"\n");
    expect_answer(&input, E_LIMIT,
                  "t.csv: line 2, column \"b\": a field of "
                  "more than 1048576 bytes; is the quote that "
                  "opens here closed?");
    build(&input, "a;b\n1;\"", '\n', CSV_FIELD_MAX + 1, "\"\n");
    expect_answer(&input, E_LIMIT,
                  "t.csv: line 2, column \"b\": a field of "
                  "more than 1048576 bytes; is the quote that "
                  "opens here closed?");
}

static void limits_records(void)
{
    struct text input;

    /* 16 fields with 15 delimiters and a newline: exactly the limit. */
    for (size_t more = 0; more < 2; more++) {
        text_init(&input);
        build(&input, "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p", '\n', 1, "");
        for (size_t i = 0; i < 15; i++)
            build(&input, "", 'x', CSV_FIELD_MAX - 1, ",");
        build(&input, "", 'x', CSV_FIELD_MAX - 1 + more, "\n");
        if (more == 0)
            expect_answer(&input, OK, "");
        else
            expect_answer(&input, E_LIMIT,
                          "t.csv: line 2: a record of more than 16777216 "
                          "bytes");
    }
}

static void limits_columns(void)
{
    for (int count = TABLE_COLUMNS_MAX; count <= TABLE_COLUMNS_MAX + 1;
         count++) {
        struct text input;
        struct error err;

        text_init(&input);
        for (int i = 0; i < count; i++)
            CU_ASSERT_EQUAL(
                text_printf(&input, &err, "%sc%d", i == 0 ? "" : ";", i), OK);
        if (count == TABLE_COLUMNS_MAX)
            expect_answer(&input, OK, "");
        else
            expect_answer(&input, E_LIMIT,
                          "t.csv: line 1: 4097 columns, the limit is 4096");
    }
}

static void counts_fields_beyond_the_limit(void)
{
    struct text input;

    text_init(&input);
    build(&input, "a;b\n", ';', 5000, "\n");
    expect_answer(&input, E_INPUT,
                  "t.csv: line 2: 5001 fields, the header has 2");
}

/* ---- random tables against a reader that goes byte by byte ---- */

static struct random random_numbers;

static void draw_init(void)
{
    uint64_t seed = (uint64_t)time(NULL);

    random_init(&random_numbers, seed);
    printf("(seed %ju) ", (uintmax_t)seed);
}

static uint32_t draw(uint32_t below)
{
    return (uint32_t)random_below(&random_numbers, below);
}

/* What RFC 4180 and csv.h say, one byte at a time.  Returns false where the
 * table is to be refused.  `delimiter` is ';', no header, ASCII only. */
static bool naive_read(struct bytes input, struct text *out)
{
    size_t at = 0, width = 0;
    uintmax_t line = 1, empty = 0;
    struct error err;

    while (at < input.size) {
        uintmax_t begin = line;
        size_t count = 0, begin_at = at;
        struct text record;
        bool more = true;

        text_init(&record);
        while (more) {
            struct text value;
            bool quoted = at < input.size && input.data[at] == '"';
            bool good = true;

            text_init(&value);
            at += quoted;
            for (;; at++) {
                int byte = at < input.size ? input.data[at] : -1;

                if (quoted && byte == -1) {
                    good = false;
                    break;
                }
                if (quoted && byte == '"') {
                    if (at + 1 < input.size && input.data[at + 1] == '"') {
                        at++;
                    } else {
                        at++;
                        break;
                    }
                } else if (!quoted && (byte == -1 || byte == ';' ||
                                       byte == '\n' || byte == '\r')) {
                    break;
                } else if (byte == '"') {
                    good = false;
                    break;
                }
                line += byte == '\n';
                CU_ASSERT_EQUAL(
                    text_append(&value, &(char){(char)byte}, 1, &err), OK);
            }
            CU_ASSERT_EQUAL(text_printf(&record, &err,
                                        quoted ? "%s[%s]" : "%s%s",
                                        count > 0 ? "|" : "", value.data),
                            OK);
            text_clear(&value);
            count++;
            if (at < input.size && input.data[at] == '\r') {
                at++;
                good &= at < input.size && input.data[at] == '\n';
            }
            more = at < input.size && input.data[at] == ';';
            if (at < input.size && !more && input.data[at] != '\n')
                good = false;
            if (!good) {
                text_clear(&record);
                return false;
            }
            at++;
        }
        line++;
        if (input.data[begin_at] == '\n' || input.data[begin_at] == '\r') {
            empty = empty > 0 ? empty : begin;
        } else if (empty > 0 || (width > 0 && count != width)) {
            text_clear(&record);
            return false;
        } else {
            width = count;
            CU_ASSERT_EQUAL(
                text_printf(out, &err, "%ju:%s\n", begin, record.data), OK);
        }
        text_clear(&record);
    }
    return true;
}

/* Mostly whole records of one width, so that many tables are good; then a few
 * bytes are changed in some. */
static void random_table(struct text *table)
{
    static const char *const fields[] = {
        "",         "x",      "abcdefghij", "\"\"",      "\"a;b\"",
        "\"\"\"\"", "\"\n\"", "\"c\r\nd\"", "\"\"\"x\"", "-1.5"};
    uint32_t width = 1 + draw(4), rows = draw(12);
    struct error err;

    for (uint32_t i = 0; i < rows; i++) {
        for (uint32_t j = 0; j < width; j++)
            CU_ASSERT_EQUAL(
                text_printf(table, &err, "%s%s", j > 0 ? ";" : "",
                            fields[draw(sizeof fields / sizeof fields[0])]),
                OK);
        if (i + 1 < rows || draw(2) == 0)
            CU_ASSERT_EQUAL(
                text_append_string(table, draw(3) == 0 ? "\r\n" : "\n", &err),
                OK);
    }
    for (uint32_t i = draw(3); i > 1 && table->size > 0; i--)
        table->data[draw((uint32_t)table->size)] = "\";\r\nx"[draw(5)];
}

static void random_tables_agree(void)
{
    struct csv_options options = {.delimiter = ';', .no_header = true};
    uint32_t accepted = 0, refused = 0;

    draw_init();
    for (int i = 0; i < 20000; i++) {
        struct csv_tuning fast = {4 + draw(100), csv_scan_best()};
        struct csv_tuning plain = {4 + draw(100), csv_scan_plain};
        struct text table, expected, got, again;
        struct error err = {.text = ""}, err_again = {.text = ""};
        struct csv_source source;
        bool good;

        text_init(&table);
        text_init(&expected);
        text_init(&got);
        text_init(&again);
        random_table(&table);
        source = (struct csv_source){.fd = -1, .memory = text_bytes(&table)};
        good = naive_read(source.memory, &expected);
        *(good ? &accepted : &refused) += 1;
        CU_ASSERT_EQUAL(read_all(source, options, fast, &got, &err),
                        good ? OK : E_INPUT);
        CU_ASSERT_EQUAL(read_all(source, options, plain, &again, &err_again),
                        good ? OK : E_INPUT);
        CU_ASSERT_STRING_EQUAL(got.data, again.data);
        CU_ASSERT_STRING_EQUAL(err.text, err_again.text);
        if (good)
            CU_ASSERT_STRING_EQUAL(got.data, expected.data);
        text_clear(&table);
        text_clear(&expected);
        text_clear(&got);
        text_clear(&again);
    }
    CU_ASSERT(accepted > 1000 && refused > 1000);
}

static void scans_agree(void)
{
    enum { WORDS = 40 };
    uint8_t data[64 * WORDS];
    uint64_t plain[WORDS], fast[WORDS];

    draw_init();
    for (int i = 0; i < 2000; i++) {
        /* Sometimes neither NUL nor high bytes, sometimes one of them. */
        uint32_t low = draw(2), span = draw(2) == 0 ? 127 : 255;
        size_t words = 1 + draw(WORDS);
        uint8_t delimiter = (uint8_t)(1 + draw(126));
        struct csv_seen a, b, expected = {false, false};

        for (size_t j = 0; j < 64 * words; j++) {
            data[j] = draw(4) == 0 ? (uint8_t) "\"\r\n;"[draw(4)]
                                   : (uint8_t)(low + draw(span));
            expected.nul |= data[j] == 0;
            expected.high |= data[j] > 0x7f;
        }
        a = csv_scan_plain(data, words, delimiter, plain);
        b = csv_scan_best()(data, words, delimiter, fast);
        CU_ASSERT_EQUAL(a.nul, expected.nul);
        CU_ASSERT_EQUAL(a.high, expected.high);
        CU_ASSERT_EQUAL(b.nul, expected.nul);
        CU_ASSERT_EQUAL(b.high, expected.high);
        CU_ASSERT_EQUAL(memcmp(plain, fast, words * sizeof plain[0]), 0);
        for (size_t j = 0; j < 64 * words; j++) {
            bool special = data[j] == delimiter || data[j] == '"' ||
                           data[j] == '\r' || data[j] == '\n';

            CU_ASSERT_EQUAL(plain[j / 64] >> (j % 64) & 1, special);
        }
    }
}

/* ---- writing ---- */

static void writes_fields(void)
{
    static const struct {
        const char *value, *expected;
    } cases[] = {
        {"", ""},
        {"abc", "abc"},
        {"a,b", "a,b"},
        {"a;b", "\"a;b\""},
        {"say \"x\"", "\"say \"\"x\"\"\""},
        {"\"", "\"\"\"\""},
        {"a\nb", "\"a\nb\""},
        {"a\rb", "\"a\rb\""},
        {" a", "\" a\""},
        {"a ", "\"a \""},
        {" ", "\" \""},
        {"a b", "a b"},
        {"\xef\xbb\xbfx", "\"\xef\xbb\xbfx\""},
        {"\xe2\x82\xac", "\xe2\x82\xac"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text out;
        struct error err;

        text_init(&out);
        CU_ASSERT_EQUAL(text_append_string(&out, "1;", &err), OK);
        CU_ASSERT_EQUAL(
            csv_append_field(&out, bytes_of_string(cases[i].value), ';', &err),
            OK);
        CU_ASSERT_EQUAL(out.size, 2 + strlen(cases[i].expected));
        CU_ASSERT_STRING_EQUAL(out.data + 2, cases[i].expected);
        text_clear(&out);
    }
}

void suite_csv(void)
{
    static const struct test tests[] = {
        {"records come with their lines", reads_records},
        {"LF and CRLF may be mixed", accepts_both_line_ends},
        {"a byte order mark is skipped", skips_the_mark},
        {"quotes, newlines and delimiters stand inside quotes", unquotes},
        {"empty lines at the end are ignored", ignores_empty_lines_at_the_end},
        {"empty lines elsewhere are refused", refuses_empty_lines_elsewhere},
        {"an empty file is refused", refuses_an_empty_file},
        {"misplaced quotes are refused", refuses_misplaced_quotes},
        {"an unclosed quote is refused with its line",
         refuses_an_unclosed_quote},
        {"records of another width are refused", refuses_other_widths},
        {"a lone carriage return is refused", refuses_a_lone_return},
        {"a NUL byte is refused", refuses_nul},
        {"other encodings are refused", refuses_other_encodings},
        {"the first of several errors is told", the_first_error_is_told},
        {"headers with empty or repeated names are refused",
         refuses_bad_headers},
        {"without header the first record is data", reads_without_header},
        {"the delimiter is what the header has most of", detects_the_delimiter},
        {"a given delimiter is not guessed at", a_given_delimiter_holds},
        {"the newline is that of the first record", tells_the_newline},
        {"a pipe is read", reads_a_pipe},
        {"reading starts at the current offset", reads_from_the_current_offset},
        {"a folder is bad input, a failing descriptor is not",
         tells_failing_descriptors_apart},
        {"too long fields are refused", limits_fields},
        {"too long records are refused", limits_records},
        {"too many columns are refused", limits_columns},
        {"fields are counted beyond the limit of columns",
         counts_fields_beyond_the_limit},
        {"random tables read as byte by byte", random_tables_agree},
        {"the fast scan finds what the plain one finds", scans_agree},
        {"fields are quoted where they must be", writes_fields},
    };

    suite_add("csv", tests, sizeof tests / sizeof tests[0]);
}
