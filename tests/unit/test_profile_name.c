#include "anonymizer/profile_name.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/suite.h"

void suite_profile_name(void);

static double confidence(const char *name, enum profile_kind kind)
{
    double all[KIND_COUNT];

    profile_name_judge(bytes_of_string(name), all);
    return all[kind];
}

/* The surest kind of a name, KIND_COUNT for none. */
static enum profile_kind surest(const char *name)
{
    double all[KIND_COUNT];
    enum profile_kind best = KIND_COUNT;

    profile_name_judge(bytes_of_string(name), all);
    for (enum profile_kind i = 0; i < KIND_COUNT; i++)
        if (all[i] > 0 && (best == KIND_COUNT || all[i] > all[best]))
            best = i;
    return best;
}

static void check_fold(const char *name, const char *expected)
{
    char folded[64];

    profile_name_fold(bytes_of_string(name), folded, sizeof folded);
    CU_ASSERT_STRING_EQUAL(folded, expected);
}

static void names_are_taken_apart_into_words(void)
{
    check_fold("patientFirst_Name2", "patient first name");
    check_fold("Age code (5 year old unit)", "age code year old unit");
    check_fold("  DATE-of.birth ", "date of birth");
    check_fold("SSNumber", "ss number");
    check_fold("Stra\xc3\x9f"
               "e",
               "strasse");
    check_fold("\xc3\x84rztin", "aerztin");
    check_fold("성별 코드", "성별 코드");
    check_fold("a1", "a1");
    check_fold("123", "");
    check_fold("", "");
}

static void long_names_are_cut(void)
{
    char folded[5];

    profile_name_fold(bytes_of_string("abcdefgh"), folded, sizeof folded);
    CU_ASSERT_STRING_EQUAL(folded, "abcd");
}

static void whole_names_are_surer_than_parts(void)
{
    CU_ASSERT_EQUAL(confidence("E-Mail", KIND_EMAIL), 0.95);
    CU_ASSERT_EQUAL(confidence("contact_email_2", KIND_EMAIL), 0.8);
    CU_ASSERT_EQUAL(confidence("firstName", KIND_NAME), 0.95);
    CU_ASSERT_EQUAL(confidence("first visit", KIND_NAME), 0);
    CU_ASSERT_EQUAL(confidence("chip", KIND_IP), 0);
    CU_ASSERT_EQUAL(confidence("percentage", KIND_AGE), 0);
}

static void slips_are_forgiven_in_long_names(void)
{
    CU_ASSERT_EQUAL(confidence("adress", KIND_ADDRESS), 0.6);
    CU_ASSERT_EQUAL(confidence("Telehpone", KIND_TELEPHONE), 0.6);
    CU_ASSERT_EQUAL(confidence("geburtsdattun", KIND_DATE), 0.6);
    CU_ASSERT_EQUAL(confidence("sax", KIND_DEMOGRAPHIC), 0);
    /* Another syllable is another word. */
    CU_ASSERT_EQUAL(confidence("전화번지", KIND_TELEPHONE), 0);
}

static void the_longer_label_wins(void)
{
    CU_ASSERT_EQUAL(surest("sampling_weight"), KIND_NOTHING);
    CU_ASSERT_EQUAL(surest("weight"), KIND_DEMOGRAPHIC);
    CU_ASSERT_EQUAL(surest("drug name"), KIND_HEALTH);
    CU_ASSERT_EQUAL(surest("license plate"), KIND_VEHICLE);
    CU_ASSERT_EQUAL(surest("birth weight"), KIND_DEMOGRAPHIC);
    CU_ASSERT_EQUAL(surest("가입자 일련번호"), KIND_RECORD);
    CU_ASSERT_EQUAL(confidence("가입자 일련번호", KIND_DEVICE), 0);
}

/* A name for each of the 18 kinds, in English, German and Korean. */
static void all_eighteen_kinds_are_known_by_name(void)
{
    static const struct {
        char letter;
        const char *name[4];
    } kinds[] = {
        {'A', {"last_name", "Nachname", "환자명", "seongmyeong"}},
        {'B', {"zip code", "Postleitzahl", "우편번호", "sigungu"}},
        {'C', {"DOB", "Geburtsdatum", "생년월일", "admission date"}},
        {'D', {"phone", "Telefonnummer", "휴대폰", "jeonhwa"}},
        {'E', {"fax", "Faxnummer", "팩스", "telefax"}},
        {'F', {"email", "Mailadresse", "이메일", "e_mail"}},
        {'G', {"SSN", "Sozialversicherungsnummer", "주민등록번호", "jumin"}},
        {'H', {"MRN", "Patientennummer", "환자번호", "PatientID"}},
        {'I', {"member id", "Versichertennummer", "보험증번호", "NHS number"}},
        {'J', {"account number", "Kontonummer", "계좌번호", "IBAN"}},
        {'K', {"passport", "Fuehrerschein", "여권번호", "License Number"}},
        {'L', {"VIN", "Kennzeichen", "차량번호", "plate_number"}},
        {'M', {"device id", "Seriennummer", "기기번호", "IMEI"}},
        {'N', {"url", "Webseite", "홈페이지", "web site"}},
        {'O', {"IP address", "ip_adresse", "아이피", "ipv6"}},
        {'P', {"fingerprint", "Fingerabdruck", "지문", "voiceprint"}},
        {'Q', {"photo", "Lichtbild", "사진", "face_image"}},
        {'R', {"uuid", "Kennung", "식별자", "barcode"}},
    };

    CU_ASSERT_EQUAL(sizeof kinds / sizeof *kinds, 18);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (size_t j = 0; j < 4; j++) {
            enum profile_kind kind = surest(kinds[i].name[j]);

            if (kind == KIND_COUNT ||
                profile_kind_letter(kind) != kinds[i].letter) {
                printf("\n    %s is no %c\n", kinds[i].name[j],
                       kinds[i].letter);
                CU_FAIL("a kind is not known by this name");
            }
        }
}

void suite_profile_name(void)
{
    static const struct test tests[] = {
        {"names are taken apart into words", names_are_taken_apart_into_words},
        {"long names are cut", long_names_are_cut},
        {"whole names are surer than parts", whole_names_are_surer_than_parts},
        {"slips are forgiven in long names", slips_are_forgiven_in_long_names},
        {"the longer label wins", the_longer_label_wins},
        {"all eighteen kinds are known by name",
         all_eighteen_kinds_are_known_by_name},
    };

    suite_add("profile_name", tests, sizeof tests / sizeof *tests);
}
