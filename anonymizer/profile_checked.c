/*
 * Numbers that carry their own check, each by its issuer's rule:
 *
 *     Luhn (cards, IMEI, NPI behind 80840, personnummer)   ISO/IEC 7812-1
 *     mod 97 (IBAN, NIR)                                   ISO 7064, INSEE
 *     GS1 mod 10 (UDI's GTIN-14, AHV)                      GS1 General Specs
 *     VIN                                                  49 CFR 565.15(c)
 *     RRN, PESEL, CPF, NHS, HETU, DNI/NIE, codice fiscale, KVNR, DEA
 *                                                          see each
 *     SNOMED CT: Verhoeff                                  SNOMED TIG 5.5
 */
#include <string.h>

#include "anonymizer/profile_date.h"
#include "anonymizer/profile_value_internal.h"

/* Longest number with a check that is looked at, without its separators. */
#define DIGITS_MAX 34

/* Digits of a value; others than these and `separators` make it none. */
struct digits {
    uint8_t at[DIGITS_MAX];
    size_t count;
};

static bool read_digits(struct bytes value, const char *separators,
                        struct digits *digits)
{
    digits->count = 0;
    for (size_t i = 0; i < value.size; i++) {
        uint8_t byte = value.data[i];

        if (value_digit(byte) && digits->count < DIGITS_MAX)
            digits->at[digits->count++] = (uint8_t)(byte - '0');
        else if (value_digit(byte) || byte == '\0' ||
                 strchr(separators, byte) == NULL)
            return false;
    }
    return true;
}

static bool all_equal(const struct digits *digits)
{
    for (size_t i = 1; i < digits->count; i++)
        if (digits->at[i] != digits->at[0])
            return false;
    return true;
}

static unsigned weighted(const uint8_t *digit, const char *weights)
{
    unsigned sum = 0;

    for (size_t i = 0; weights[i] != '\0'; i++)
        sum += digit[i] * (unsigned)(weights[i] - '0');
    return sum;
}

/* Every second digit from the right but one is doubled. */
static unsigned luhn(const uint8_t *digit, size_t count)
{
    unsigned sum = 0;

    for (size_t i = 0; i < count; i++) {
        unsigned add = digit[count - 1 - i] * (i % 2 == 1 ? 2u : 1u);

        sum += add > 9 ? add - 9 : add;
    }
    return sum % 10;
}

/* Three and one in turn, the last digit times one. */
static unsigned gs1(const uint8_t *digit, size_t count)
{
    unsigned sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += digit[count - 1 - i] * (i % 2 == 1 ? 3u : 1u);
    return sum % 10;
}

static bool is_day(unsigned year, const uint8_t *month_day)
{
    char text[9];
    struct profile_date date;

    for (size_t i = 0; i < 4; i++) {
        text[3 - i] = (char)('0' + year % 10);
        text[4 + i] = (char)('0' + month_day[i]);
        year /= 10;
    }
    return profile_date_parse(DATE_FORMAT_BASIC, bytes_of(text, 8), &date);
}

static unsigned two(const uint8_t *digit)
{
    return digit[0] * 10u + digit[1];
}

bool value_is_card(struct bytes value)
{
    struct digits digits;

    return read_digits(value, " -", &digits) && digits.count >= 14 &&
           digits.count <= 19 && digits.at[0] >= 2 && digits.at[0] <= 6 &&
           luhn(digits.at, digits.count) == 0 && !all_equal(&digits);
}

bool value_is_imei(struct bytes value)
{
    struct digits digits;

    return value_fits(value, "999999999999999") &&
           read_digits(value, "", &digits) && luhn(digits.at, 15) == 0 &&
           !all_equal(&digits);
}

bool value_is_npi(struct bytes value)
{
    struct digits digits, whole = {{8, 0, 8, 4, 0}, 15};

    if (!value_fits(value, "9999999999") || !read_digits(value, "", &digits) ||
        digits.at[0] < 1 || digits.at[0] > 2)
        return false;
    memcpy(whole.at + 5, digits.at, 10);
    return luhn(whole.at, 15) == 0;
}

/* YYMMDD-NNNC or with the century; the check leaves that out. */
bool value_is_personnummer(struct bytes value)
{
    struct digits digits;
    size_t skip = value.size == 13 ? 2 : 0;

    if (!(value_fits(value, "999999-9999") ||
          value_fits(value, "999999+9999") ||
          value_fits(value, "99999999-9999")) ||
        !read_digits(value, "-+", &digits))
        return false;
    return is_day(skip > 0 ? two(digits.at) * 100 + two(digits.at + 2)
                           : 1900 + two(digits.at),
                  digits.at + 2 + skip) &&
           luhn(digits.at + skip, 10) == 0;
}

/* Remainder of a number that is written down, letters as 10 to 35. */
static bool mod97(struct bytes text, unsigned *remainder)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];

        if (value_digit(byte))
            *remainder = (*remainder * 10 + (byte - '0')) % 97;
        else if (value_upper(byte))
            *remainder = (*remainder * 100 + (byte - 'A' + 10u)) % 97;
        else if (byte != ' ')
            return false;
    }
    return true;
}

bool value_is_iban(struct bytes value)
{
    unsigned remainder = 0;

    if (value.size < 15 || value.size > 42 || !value_begins(value, "AA99"))
        return false;
    return mod97(bytes_of(value.data + 4, value.size - 4), &remainder) &&
           mod97(bytes_of(value.data, 4), &remainder) && remainder == 1;
}

/* Sex, year, month, department (2A and 2B in Corsica), commune, number, and
 * 97 less the remainder of all that. */
bool value_is_nir(struct bytes value)
{
    char plain[16];
    size_t size = 0;
    unsigned long long number = 0;
    unsigned month;

    for (size_t i = 0; i < value.size; i++)
        if (value.data[i] != ' ') {
            if (size == 15)
                return false;
            plain[size++] = (char)value.data[i];
        }
    if (size != 15 || plain[0] < '1' || plain[0] > '2')
        return false;
    for (size_t i = 0; i < 13; i++) {
        char digit = plain[i];

        /* Corsica's 2A and 2B count as 19 and 18. */
        if (i == 6 && (digit == 'A' || digit == 'B') && plain[5] == '2')
            number = (number - 1) * 10 + (digit == 'A' ? 9 : 8);
        else if (!value_digit((uint8_t)digit))
            return false;
        else
            number = number * 10 + (unsigned)(digit - '0');
    }
    if (!value_digit((uint8_t)plain[13]) || !value_digit((uint8_t)plain[14]))
        return false;
    month = (unsigned)(plain[3] - '0') * 10 + (unsigned)(plain[4] - '0');
    return month >= 1 && month <= 12 &&
           97 - number % 97 ==
               (unsigned)(plain[13] - '0') * 10 + (unsigned)(plain[14] - '0');
}

/* YYMMDD-SNNNNNC: century and sex in S; C is 11 less the weighted sum. */
bool value_is_rrn(struct bytes value)
{
    static const unsigned century[10] = {1800, 1900, 1900, 2000, 2000,
                                         1900, 1900, 2000, 2000, 1800};
    struct digits digits;

    if (!value_fits(value, "999999-9999999") ||
        !read_digits(value, "-", &digits))
        return false;
    return is_day(century[digits.at[6]] + two(digits.at), digits.at + 2) &&
           (11 - weighted(digits.at, "234567892345") % 11) % 10 ==
               digits.at[12];
}

/* The letter is the number's remainder by 23. */
bool value_is_dni(struct bytes value)
{
    static const char letters[] = "TRWAGMYFPDXBNJZSQVHLCKE";
    unsigned number = 0;
    size_t begin = 0;

    if (!value_fits(value, "99999999A") && !value_fits(value, "A9999999A"))
        return false;
    if (value_upper(value.data[0])) {
        if (value.data[0] < 'X')
            return false;
        number = value.data[0] - (unsigned)'X';
        begin = 1;
    }
    for (size_t i = begin; i < 8; i++)
        number = number * 10 + (value.data[i] - '0');
    return (uint8_t)letters[number % 23] == value.data[8];
}

/* Six letters, year, month, day (women's + 40), place, check (D.M. of
 * 23 December 1976): odd places by a table, even ones by their value. */
bool value_is_codice_fiscale(struct bytes value)
{
    static const uint8_t odd[26] = {1,  0,  5,  7,  9,  13, 15, 17, 19,
                                    21, 2,  4,  18, 20, 11, 3,  6,  8,
                                    12, 14, 16, 10, 22, 25, 24, 23};
    unsigned sum = 0;

    if (!value_fits(value, "AAAAAA99A99A999A") ||
        strchr("ABCDEHLMPRST", value.data[8]) == NULL)
        return false;
    for (size_t i = 0; i < 15; i++) {
        uint8_t byte = value.data[i];
        unsigned place =
            value_digit(byte) ? byte - (unsigned)'0' : byte - (unsigned)'A';

        sum += i % 2 == 0 ? odd[place] : place;
    }
    return sum % 26 == value.data[15] - (unsigned)'A';
}

/* The month holds the century: + 80, 0, 20, 40, 60 from 1800 on. */
bool value_is_pesel(struct bytes value)
{
    static const unsigned century[5] = {1900, 2000, 2100, 2200, 1800};
    struct digits digits;
    uint8_t month_day[4];

    if (!value_fits(value, "99999999999") || !read_digits(value, "", &digits))
        return false;
    memcpy(month_day, digits.at + 2, 4);
    month_day[0] %= 2;
    return digits.at[2] / 2 < 5 &&
           is_day(century[digits.at[2] / 2] + two(digits.at), month_day) &&
           (10 - weighted(digits.at, "1379137913") % 10) % 10 == digits.at[10];
}

/* DDMMYY, a sign for the century, three digits, and one of 31 characters. */
bool value_is_hetu(struct bytes value)
{
    static const char characters[] = "0123456789ABCDEFHJKLMNPRSTUVWXY";
    uint8_t month_day[4];
    unsigned number = 0;

    if (value.size != 11 || !value_begins(value, "999999") ||
        strchr("+-ABCDEFUVWXY", value.data[6]) == NULL)
        return false;
    for (size_t i = 0; i < 10; i++) {
        if (i == 6)
            continue;
        if (!value_digit(value.data[i]))
            return false;
        number = number * 10 + (value.data[i] - '0');
    }
    for (size_t i = 0; i < 2; i++) {
        month_day[i] = (uint8_t)(value.data[2 + i] - '0');
        month_day[2 + i] = (uint8_t)(value.data[i] - '0');
    }
    /* 29 February: the century's sign decides, and any leap year will do. */
    return is_day(2000 + (value.data[4] - '0') * 10u + (value.data[5] - '0'),
                  month_day) &&
           (uint8_t)characters[number % 31] == value.data[10];
}

static unsigned cpf_digit(const uint8_t *digit, size_t count)
{
    unsigned sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += digit[i] * (unsigned)(count + 1 - i);
    return sum * 10 % 11 % 10;
}

bool value_is_cpf(struct bytes value)
{
    struct digits digits;

    return value_fits(value, "999.999.999-99") &&
           read_digits(value, ".-", &digits) && !all_equal(&digits) &&
           cpf_digit(digits.at, 9) == digits.at[9] &&
           cpf_digit(digits.at, 10) == digits.at[10];
}

bool value_is_ahv(struct bytes value)
{
    struct digits digits;

    return (value_fits(value, "756.9999.9999.99") ||
            value_fits(value, "7569999999999")) &&
           read_digits(value, ".", &digits) && digits.count == 13 &&
           memcmp(digits.at, "\7\5\6", 3) == 0 && gs1(digits.at, 13) == 0;
}

/* Ten digits, weights 10 to 2, 11 less the remainder; 10 is never issued. */
bool value_is_nhs(struct bytes value)
{
    struct digits digits;
    unsigned sum = 0;

    if (!(value_fits(value, "9999999999") ||
          value_fits(value, "999 999 9999") ||
          value_fits(value, "999-999-9999")) ||
        !read_digits(value, " -", &digits) || all_equal(&digits))
        return false;
    for (unsigned i = 0; i < 9; i++)
        sum += digits.at[i] * (10 - i);
    return (11 - sum % 11) % 11 == digits.at[9];
}

/* A letter as two digits, eight digits, times 1 and 2 in turn, cross sums
 * (section 290 SGB V). */
bool value_is_kvnr(struct bytes value)
{
    uint8_t digit[10];
    unsigned sum = 0;

    if (!value_fits(value, "A999999999"))
        return false;
    digit[0] = (uint8_t)((value.data[0] - 'A' + 1) / 10);
    digit[1] = (uint8_t)((value.data[0] - 'A' + 1) % 10);
    for (size_t i = 1; i < 9; i++)
        digit[i + 1] = (uint8_t)(value.data[i] - '0');
    for (size_t i = 0; i < 10; i++) {
        unsigned add = digit[i] * (i % 2 == 1 ? 2u : 1u);

        sum += add > 9 ? add - 9 : add;
    }
    return sum % 10 == (unsigned)(value.data[9] - '0');
}

/* Two letters and seven digits: (1st + 3rd + 5th) + 2 (2nd + 4th + 6th). */
bool value_is_dea(struct bytes value)
{
    struct digits digits;

    return value_fits(value, "AA9999999") &&
           read_digits(bytes_of(value.data + 2, 7), "", &digits) &&
           weighted(digits.at, "121212") % 10 == digits.at[6];
}

/* North American ones, whose ninth place is a check digit or X. */
bool value_is_vin(struct bytes value)
{
    static const char letters[] = "ABCDEFGH.JKLMN.P.RSTUVWXYZ";
    static const char numbers[] = "12345678.12345.7.923456789";
    static const uint8_t weight[17] = {8, 7, 6, 5, 4, 3, 2, 10, 0,
                                       9, 8, 7, 6, 5, 4, 3, 2};
    unsigned sum = 0;
    bool letter = false;

    if (!value_fits(value, "NNNNNNNNNNNNNNNNN"))
        return false;
    for (size_t i = 0; i < 17; i++) {
        uint8_t byte = value.data[i];

        if (value_digit(byte)) {
            sum += (byte - (unsigned)'0') * weight[i];
            continue;
        }
        if ((uint8_t)letters[byte - 'A'] != byte)
            return false;
        letter = true;
        sum += (unsigned)(numbers[byte - 'A'] - '0') * weight[i];
    }
    return letter &&
           value.data[8] == (sum % 11 == 10 ? 'X' : (uint8_t)('0' + sum % 11));
}

/* GS1's: (01) and a GTIN of 14 digits first. */
bool value_is_udi(struct bytes value)
{
    struct digits digits;

    return value_begins(value, "(01)99999999999999") &&
           (value.size == 18 || value.data[18] == '(') &&
           read_digits(bytes_of(value.data + 4, 14), "", &digits) &&
           gs1(digits.at, 14) == 0;
}

/* Verhoeff's check is multiplication in the dihedral group D5; 6 to 18 digits,
 * and in front of the check 00 or 10 for a concept. */
bool value_is_snomed(struct bytes value)
{
    static const uint8_t permutation[8][10] = {
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 5, 7, 6, 2, 8, 3, 0, 9, 4},
        {5, 8, 0, 3, 7, 9, 6, 1, 4, 2}, {8, 9, 1, 6, 0, 4, 3, 5, 2, 7},
        {9, 4, 5, 3, 1, 2, 6, 8, 7, 0}, {4, 2, 8, 6, 5, 7, 3, 9, 0, 1},
        {2, 7, 9, 3, 8, 0, 6, 4, 1, 5}, {7, 0, 4, 6, 9, 1, 3, 2, 5, 8}};
    struct digits digits;
    unsigned check = 0;

    if (value.size < 6 || value.size > 18 || value.data[0] == '0' ||
        !read_digits(value, "", &digits) || digits.at[digits.count - 2] != 0 ||
        digits.at[digits.count - 3] > 1)
        return false;
    for (size_t i = 0; i < digits.count; i++) {
        unsigned by = permutation[i % 8][digits.at[digits.count - 1 - i]];

        /* 0-4 turn the pentagon, 5-9 flip it first. */
        if (check < 5)
            check = by < 5 ? (check + by) % 5 : 5 + (check + by - 5) % 5;
        else
            check = by < 5 ? 5 + (check - 5 + 5 - by) % 5
                           : (check - 5 + 5 - (by - 5)) % 5;
    }
    return check == 0;
}
