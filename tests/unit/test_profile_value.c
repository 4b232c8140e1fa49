#include "anonymizer/profile_value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/profile_date.h"
#include "tests/lib/suite.h"

void suite_profile_value(void);

/* Right ones are published examples, of the issuer or of the standard, unless a
 * line says otherwise; none is anybody's.  Wrong ones are these, altered. */
static const struct {
    enum value_form form;
    const char *right[5];
    const char *wrong[8];
} cases[] = {
    {FORM_email,
     {"a.b+c@example.org", "x@sub.example.co.uk"},
     {"a@b", "@example.org", "a..b@example.org", ".a@example.org",
      "a b@example.org", "a@example.o1", "a@-x.org", "a@example."}},
    {FORM_url,
     {"http://example.org", "https://example.org:8080/a?b#c", "www.example.org",
      "HTTP://EXAMPLE.ORG"},
     {"http://", "example.org", "http://a", "http://a b.org",
      "mailto:a@b.org"}},
    {FORM_ipv4,
     {"192.0.2.1", "0.0.0.0", "255.255.255.255"},
     {"256.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.", "1..2.3",
      "1.2.3.4 "}},
    /* RFC 4291, section 2.2 */
    {FORM_ipv6,
     {"2001:DB8:0:0:8:800:200C:417A", "::1", "::", "FF01::101",
      "::FFFF:129.144.52.38"},
     {"1:2:3:4:5:6:7", "1::2::3", "12345::", ":1::2", "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7:", "::256.1.1.1", "10:30"}},
    {FORM_mac,
     {"00:1b:63:84:45:e6", "00-1B-63-84-45-E6"},
     {"00:1b:63:84:45", "00:1b:63:84:45:g6", "001b638445e6"}},
    {FORM_telephone,
     {"+82 2-312-3456", "+12025550123", "(202) 555-0123", "010-1234-5678",
      "030 901820-00"},
     {"2025550123", "12.5", "01.02.2003", "2003-04-05", "+1", "0123456789",
      "+-12345678", "123-456"}},
    {FORM_ssn,
     {"219-09-9999", "078-05-1120", "912-70-1234"},
     {"000-12-3456", "666-12-3456", "999-49-3983", "123-00-4567", "123-45-0000",
      "123456789"}},
    /* By hand: 18 + 5 + 7 + 8 + 18 + 6 + 12 + 20 + 30 = 124, 11 - 124 % 11 = 8;
     * and of Corsica 97 - 1850519003001 % 97, 97 - 1850518003001 % 97. */
    {FORM_rrn, {"900101-1234568"}, {"900101-1234567", "901301-1234568"}},
    {FORM_nir,
     {"2 55 08 14 168 025 38", "255081416802538", "185052A00300114",
      "185052B00300141"},
     {"255081416802539", "355081416802538", "255131416802538"}},
    {FORM_dni,
     {"12345678Z", "X1234567L"},
     {"12345678A", "A1234567L", "1234567Z"}},
    {FORM_codice_fiscale,
     {"MRTMTT25D09F205Z", "RSSMRA85T10A562S"},
     {"MRTMTT25D09F205A", "MRTMTT25F09F205Z", "MRTMTT25D09F205"}},
    {FORM_pesel,
     {"44051401359", "02070803628"},
     {"44051401358", "44131401359", "4405140135"}},
    {FORM_hetu,
     {"131052-308T", "010594Y9032"},
     {"131052-308U", "321052-308T", "131052.308T"}},
    {FORM_personnummer,
     {"640823-3234", "811218-9876", "19640823-3234"},
     {"640823-3235", "641323-3234", "6408233234"}},
    {FORM_cpf,
     {"111.444.777-35", "529.982.247-25"},
     {"111.444.777-36", "111.111.111-11", "11144477735"}},
    {FORM_ahv,
     {"756.9217.0769.85", "7569217076985"},
     {"756.9217.0769.84", "757.9217.0769.85"}},
    {FORM_nhs,
     {"943 476 5919", "9434765919", "401-023-2137"},
     {"9434765918", "1111111111", "943476591"}},
    {FORM_kvnr, {"A123456780"}, {"A123456781", "1123456780", "a123456780"}},
    {FORM_iban,
     {"GB82 WEST 1234 5698 7654 32", "DE89370400440532013000",
      "CH9300762011623852957"},
     {"DE88370400440532013000", "DE8937040044", "de89370400440532013000"}},
    {FORM_card,
     {"4111111111111111", "5555 5555 5555 4444", "378282246310005"},
     {"4111111111111112", "1111111111111117", "0000000000000000"}},
    {FORM_dea, {"AB1234563"}, {"AB1234564", "A11234563"}},
    {FORM_npi, {"1234567893"}, {"1234567894", "3234567893"}},
    {FORM_vin,
     {"1M8GDM9AXKP042788", "1HGCM82633A004352"},
     {"1M8GDM9A1KP042788", "1M8GDM9AXKP04278", "IM8GDM9AXKP042788",
      "11111111111111111"}},
    {FORM_imei, {"490154203237518"}, {"490154203237519", "49015420323751"}},
    {FORM_udi,
     {"(01)00844588003288(17)141120(10)7654321D(21)10987654d321",
      "(01)00844588003288"},
     {"(01)00844588003289", "00844588003288", "(01)008445880032881"}},
    {FORM_image,
     {"face.JPG", "data:image/png;base64,AA", "a/b.dcm"},
     {".jpg", "jpg", "a.txt"}},
    /* RFC 9562, appendix A.4 */
    {FORM_uuid,
     {"919108f7-52d1-4320-9bac-f847db4148a8"},
     {"919108f7-52d1-4320-9bac-f847db4148a",
      "919108f752d143209bacf847db4148a8"}},
    {FORM_dicom,
     {"1.2.840.10008.1.2.4.50", "2.25.329800735698586629295641978511506172918"},
     {"1.2.3", "1.2.840..10008.1.2", "1.2.840.10008.1.", "1.2.840.10008.a.b"}},
    /* of the empty text: MD5, SHA-1 */
    {FORM_digest,
     {"d41d8cd98f00b204e9800998ecf8427e",
      "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
     {"d41d8cd98f00b204e9800998ecf8427", "g41d8cd98f00b204e9800998ecf8427e"}},
    {FORM_address,
     {"221 Baker Street", "Hauptstr. 5", "Lange Strasse 12a", "5 Rue X 3",
      "세종대로 209"},
     {"Street", "Baker Street", "12 apples", "Weg", "2003"}},
    {FORM_postcode,
     {"12345-6789", "SW1A 1AA", "K1A 0B1", "1012 JS"},
     {"12345", "SW1A1AA", "1012JS"}},
    {FORM_icd10,
     {"E11.9", "I10", "C50", "S52.521A"},
     {"E11.", "E1", "250.83", "E11.12345", "Drug"}},
    /* SNOMED CT: diabetes mellitus, clinical finding */
    {FORM_snomed, {"73211009", "404684003"}, {"73211008", "12345", "73211019"}},
};

static void check(enum value_form form, const char *value, bool expected)
{
    if (profile_value_has_form(form, bytes_of_string(value)) != expected) {
        printf("\n    %s: %s\n", value_form_about(form)->words, value);
        CU_FAIL("a value is taken for what it is not");
    }
}

static void values_are_of_their_form_alone(void)
{
    bool seen[VALUE_FORM_COUNT] = {false};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        seen[cases[i].form] = true;
        for (size_t j = 0; j < 5 && cases[i].right[j] != NULL; j++)
            check(cases[i].form, cases[i].right[j], true);
        for (size_t j = 0; j < 8 && cases[i].wrong[j] != NULL; j++)
            check(cases[i].form, cases[i].wrong[j], false);
    }
    for (size_t i = 0; i < VALUE_FORM_COUNT; i++)
        CU_ASSERT_TRUE(seen[i]);
}

/* Whatever a form reads, every front of it is within bounds. */
static void no_form_reads_beyond_its_value(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t j = 0; j < 5 && cases[i].right[j] != NULL; j++) {
            struct bytes whole = bytes_of_string(cases[i].right[j]);

            for (size_t size = 0; size < whole.size; size++) {
                uint8_t *front = malloc(size + 1);

                CU_ASSERT_PTR_NOT_NULL_FATAL(front);
                front = realloc(front, size > 0 ? size : 1);
                memcpy(front, whole.data, size);
                for (enum value_form form = 0; form < VALUE_FORM_COUNT; form++)
                    (void)profile_value_has_form(form, bytes_of(front, size));
                free(front);
            }
        }
}

static void names_of_people_are_seen(void)
{
    CU_ASSERT_TRUE(profile_value_names_person(bytes_of_string("Anna Kim")));
    CU_ASSERT_TRUE(profile_value_names_person(bytes_of_string("Alice368")));
    CU_ASSERT_TRUE(profile_value_names_person(bytes_of_string("SMITH, J.")));
    CU_ASSERT_TRUE(
        profile_value_names_person(bytes_of_string("M\xc3\xbcller")));
    CU_ASSERT_FALSE(profile_value_names_person(bytes_of_string("White")));
    CU_ASSERT_FALSE(profile_value_names_person(bytes_of_string("")));
}

static void check_range(const char *text, double expected)
{
    double begin = 0;

    CU_ASSERT_TRUE(profile_value_range(bytes_of_string(text), &begin));
    CU_ASSERT_EQUAL(begin, expected);
}

static void ranges_begin_somewhere(void)
{
    static const char *const none[] = {
        "",      "55",         "a-b",      "55-", "10-5",   "[1,2",
        "older", "2003-04-05", "80 older", "<",   "1.2.3-4"};
    double begin;

    check_range("[10-20)", 10);
    check_range("55-59", 55);
    check_range("80 or older", 80);
    check_range("75+", 75);
    check_range(">=65", 65);
    check_range("> 65", 65);
    check_range("<20", -INFINITY);
    check_range("18.5 to 25", 18.5);
    check_range("(0, 5]", 0);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        CU_ASSERT_FALSE(profile_value_range(bytes_of_string(none[i]), &begin));
}

static void check_date(enum date_format format, const char *text, unsigned year,
                       unsigned month, unsigned day, bool has_time)
{
    struct profile_date date = {0, 0, 0, false};

    CU_ASSERT_TRUE(profile_date_parse(format, bytes_of_string(text), &date));
    CU_ASSERT_TRUE(date.year == year && date.month == month &&
                   date.day == day && date.has_time == has_time);
}

static void dates_are_days_that_exist(void)
{
    static const char *const none[] = {"2023-02-29",
                                       "1900-02-29",
                                       "2020-13-01",
                                       "2020-00-10",
                                       "2020-04-31",
                                       "2020-1-1",
                                       "1799-01-01",
                                       "2300-01-01",
                                       "2020-01-01x",
                                       "2020-01-01 24:00",
                                       "2020-01-01T10:00+",
                                       "2020-01-0",
                                       "",
                                       "2020-01-01T1:00",
                                       "2020-01-01 10:00:00."};
    struct profile_date date;

    check_date(DATE_FORMAT_ISO, "2024-02-29", 2024, 2, 29, false);
    check_date(DATE_FORMAT_ISO, "2000-02-29", 2000, 2, 29, false);
    check_date(DATE_FORMAT_ISO, "2022-07-20T07:13:55Z", 2022, 7, 20, true);
    check_date(DATE_FORMAT_ISO, "2022-07-20 07:13", 2022, 7, 20, true);
    check_date(DATE_FORMAT_ISO, "2022-07-20T07:13:55.123+09:00", 2022, 7, 20,
               true);
    check_date(DATE_FORMAT_GERMAN, "31.12.1999", 1999, 12, 31, false);
    check_date(DATE_FORMAT_AMERICAN, "12/31/1999", 1999, 12, 31, false);
    check_date(DATE_FORMAT_BRITISH, "31/12/1999", 1999, 12, 31, false);
    check_date(DATE_FORMAT_BASIC, "19991231", 1999, 12, 31, false);
    check_date(DATE_FORMAT_HANGUL, "1999년 12월 31일", 1999, 12, 31, false);
    check_date(DATE_FORMAT_MONTH, "1999-12", 1999, 12, 0, false);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        CU_ASSERT_FALSE(profile_date_parse(DATE_FORMAT_ISO,
                                           bytes_of_string(none[i]), &date));
}

void suite_profile_value(void)
{
    static const struct test tests[] = {
        {"values are of their form alone", values_are_of_their_form_alone},
        {"no form reads beyond its value", no_form_reads_beyond_its_value},
        {"names of people are seen", names_of_people_are_seen},
        {"ranges begin somewhere", ranges_begin_somewhere},
        {"dates are days that exist", dates_are_days_that_exist},
    };

    suite_add("profile_value", tests, sizeof tests / sizeof *tests);
}
