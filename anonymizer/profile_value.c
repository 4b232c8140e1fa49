#include "anonymizer/profile_value.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "anonymizer/profile_value_internal.h"
#include "common/number.h"

static const struct value_form_about about[VALUE_FORM_COUNT] = {
#define VALUE_FORM_ABOUT(id, kind, strength, distinct, words)                  \
    {words, KIND_##kind, strength, distinct},
    VALUE_FORM_TABLE(VALUE_FORM_ABOUT)
#undef VALUE_FORM_ABOUT
};

static bool (*const is_form[VALUE_FORM_COUNT])(struct bytes) = {
#define VALUE_FORM_FUNCTION(id, kind, strength, distinct, words) value_is_##id,
    VALUE_FORM_TABLE(VALUE_FORM_FUNCTION)
#undef VALUE_FORM_FUNCTION
};

const struct value_form_about *value_form_about(enum value_form form)
{
    assert(form < VALUE_FORM_COUNT);
    return &about[form];
}

bool profile_value_has_form(enum value_form form, struct bytes value)
{
    assert(form < VALUE_FORM_COUNT);
    return is_form[form](value);
}

static bool fits_class(uint8_t byte, char class)
{
    switch (class) {
    case '9':
        return value_digit(byte);
    case 'A':
        return value_upper(byte);
    case 'a':
        return value_letter(byte);
    case 'x':
        return value_hex(byte);
    case 'N':
        return value_digit(byte) || value_upper(byte);
    default:
        return byte == (uint8_t) class;
    }
}

bool value_begins(struct bytes value, const char *pattern)
{
    for (size_t i = 0; pattern[i] != '\0'; i++)
        if (i == value.size || !fits_class(value.data[i], pattern[i]))
            return false;
    return true;
}

bool value_fits(struct bytes value, const char *pattern)
{
    return value.size == strlen(pattern) && value_begins(value, pattern);
}

/* ---- addresses of machines ---- */

static bool is_label_byte(uint8_t byte)
{
    return value_letter(byte) || value_digit(byte) || byte == '-';
}

/* Two labels or more, the last one of letters (RFC 1123, section 2.1). */
static bool is_domain(struct bytes text)
{
    size_t begin = 0, dots = 0;

    if (text.size == 0 || text.size > 253)
        return false;
    for (size_t i = 0; i <= text.size; i++) {
        if (i < text.size && text.data[i] != '.') {
            if (!is_label_byte(text.data[i]))
                return false;
            continue;
        }
        if (i == begin || i - begin > 63 || text.data[begin] == '-' ||
            text.data[i - 1] == '-')
            return false;
        if (i < text.size) {
            dots++;
            begin = i + 1;
        }
    }
    for (size_t i = begin; i < text.size; i++)
        if (!value_letter(text.data[i]))
            return false;
    return dots > 0 && text.size - begin >= 2;
}

/* A dot-atom in front of the @ (RFC 5322, section 3.4.1). */
bool value_is_email(struct bytes value)
{
    const uint8_t *at =
        value.size > 0 ? memchr(value.data, '@', value.size) : NULL;
    size_t size = at == NULL ? 0 : (size_t)(at - value.data);

    if (size == 0 || size > 64 || value.data[0] == '.' ||
        value.data[size - 1] == '.')
        return false;
    for (size_t i = 0; i < size; i++)
        if (value.data[i] <= ' ' || value.data[i] >= 0x7F ||
            strchr("()<>[]:;,\\\"", value.data[i]) != NULL ||
            (value.data[i] == '.' && value.data[i + 1] == '.'))
            return false;
    return is_domain(bytes_of(at + 1, value.size - size - 1));
}

static bool begins_with(struct bytes value, const char *string)
{
    size_t size = strlen(string);

    if (value.size < size)
        return false;
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = value.data[i];

        if ((value_upper(byte) ? byte + 'a' - 'A' : byte) != string[i])
            return false;
    }
    return true;
}

bool value_is_url(struct bytes value)
{
    static const char *const schemes[] = {"http://", "https://", "ftp://",
                                          "www."};

    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t from = schemes[i][0] == 'w' ? 0 : strlen(schemes[i]), end;

        if (!begins_with(value, schemes[i]))
            continue;
        for (size_t at = 0; at < value.size; at++)
            if (value.data[at] <= ' ')
                return false;
        for (end = from; end < value.size; end++)
            if (strchr("/:?#", value.data[end]) != NULL)
                break;
        return is_domain(bytes_of(value.data + from, end - from));
    }
    return false;
}

bool value_is_ipv4(struct bytes value)
{
    unsigned parts = 0, number = 0;
    size_t digits = 0;

    for (size_t i = 0; i <= value.size; i++) {
        if (i < value.size && value_digit(value.data[i])) {
            if (digits > 0 && number == 0)
                return false; /* 010 is eight to some and ten to others */
            number = number * 10 + (value.data[i] - '0');
            if (++digits > 3 || number > 255)
                return false;
            continue;
        }
        if (digits == 0 || (i < value.size && value.data[i] != '.'))
            return false;
        parts++;
        digits = number = 0;
    }
    return parts == 4;
}

/* RFC 4291, section 2.2; an IPv4 address may stand for the last two groups. */
bool value_is_ipv6(struct bytes value)
{
    size_t groups = 0, digits = 0, begin = 0;
    bool gap = false;

    if (value.size < 2 || value.size > 45)
        return false;
    if (value.data[0] == ':' && value.data[1] != ':')
        return false;
    for (size_t i = 0; i < value.size; i++) {
        if (value_hex(value.data[i])) {
            if (digits++ == 0)
                begin = i;
            if (digits > 4)
                return false;
        } else if (value.data[i] == ':') {
            groups += digits > 0;
            digits = 0;
            if (i + 1 == value.size)
                return gap && value.data[i - 1] == ':' && groups < 8;
            if (value.data[i + 1] == ':') {
                if (gap || (i > 0 && value.data[i - 1] == ':'))
                    return false;
                gap = true;
            }
        } else
            return value.data[i] == '.' && digits > 0 &&
                   value_is_ipv4(
                       bytes_of(value.data + begin, value.size - begin)) &&
                   (gap ? groups < 6 : groups == 6);
    }
    groups += digits > 0;
    return gap ? groups < 8 : groups == 8;
}

bool value_is_mac(struct bytes value)
{
    return value_fits(value, "xx:xx:xx:xx:xx:xx") ||
           value_fits(value, "xx-xx-xx-xx-xx-xx");
}

/* ---- numbers without check digits ---- */

/* International: + and 8 to 15 digits (ITU-T E.164).  National: North American
 * with a separator, or one that begins with 0 and has separators.  A date in
 * digits and points is none. */
bool value_is_telephone(struct bytes value)
{
    static const char *const american[] = {"999-999-9999", "(999) 999-9999",
                                           "(999)999-9999", "999.999.9999",
                                           "1-999-999-9999"};
    size_t digits = 0, separators = 0;

    for (size_t i = 0; i < sizeof american / sizeof *american; i++)
        if (value_fits(value, american[i]))
            return true;
    if (value.size < 9 || value.size > 22 ||
        (value.data[0] != '+' && value.data[0] != '0' && value.data[0] != '('))
        return false;
    for (size_t i = 0; i < value.size; i++) {
        uint8_t byte = value.data[i];

        if (value_digit(byte)) {
            digits++;
            continue;
        }
        if (byte == '+' ? i > 0 : memchr(" -/()", byte, 5) == NULL)
            return false;
        if (byte == '-' && !value_digit(value.data[i - 1]) &&
            value.data[i - 1] != ')')
            return false;
        separators += byte != '+';
    }
    if (value.data[0] == '+')
        return digits >= 8 && digits <= 15;
    return separators > 0 && digits >= 8 && digits <= 12;
}

/* Areas 000, 666 and 900 to 999, group 00 and serial 0000 were never issued;
 * with 900 to 999 begin taxpayers' numbers (ITIN), in some groups. */
bool value_is_ssn(struct bytes value)
{
    unsigned area, group;

    if (!value_fits(value, "999-99-9999") && !value_fits(value, "999 99 9999"))
        return false;
    area = (value.data[0] - '0') * 100u + (value.data[1] - '0') * 10u +
           (value.data[2] - '0');
    group = (value.data[4] - '0') * 10u + (value.data[5] - '0');
    if (memcmp(value.data + 7, "0000", 4) == 0 || group == 0)
        return false;
    if (area >= 900)
        return (group >= 50 && group <= 65) || (group >= 70 && group <= 88) ||
               (group >= 90 && group <= 99 && group != 93);
    return area != 0 && area != 666;
}

bool value_is_uuid(struct bytes value)
{
    return value_fits(value, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
}

/* SHA-1 or longer, MD5: 32, 40, 64 or 128 hexadecimal digits. */
bool value_is_digest(struct bytes value)
{
    if (value.size != 32 && value.size != 40 && value.size != 64 &&
        value.size != 128)
        return false;
    for (size_t i = 0; i < value.size; i++)
        if (!value_hex(value.data[i]))
            return false;
    return true;
}

/* Numbers and points, at most 64 bytes (DICOM PS3.5, section 9.1), below the
 * roots that are in use and so long that no version number is meant. */
bool value_is_dicom(struct bytes value)
{
    size_t points = 0;

    if (value.size < 16 || value.size > 64 ||
        !(value_begins(value, "1.2.") || value_begins(value, "1.3.") ||
          value_begins(value, "2.25.")))
        return false;
    for (size_t i = 0; i < value.size; i++) {
        bool point = value.data[i] == '.';

        if (!point && !value_digit(value.data[i]))
            return false;
        if (point && (i + 1 == value.size || value.data[i + 1] == '.'))
            return false;
        points += point;
    }
    return points >= 2;
}

bool value_is_image(struct bytes value)
{
    static const char *const endings[] = {".jpg",  ".jpeg", ".png",  ".gif",
                                          ".bmp",  ".tif",  ".tiff", ".heic",
                                          ".webp", ".dcm"};

    if (begins_with(value, "data:image/"))
        return true;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t size = strlen(endings[i]);

        if (value.size > size &&
            begins_with(bytes_of(value.data + value.size - size, size),
                        endings[i]))
            return true;
    }
    return false;
}

/* ---- places ---- */

static bool is_word_of(const char *const *list, size_t count, const char *word,
                       size_t size)
{
    for (size_t i = 0; i < count; i++)
        if (list[i][0] == word[0] && strlen(list[i]) == size &&
            memcmp(list[i], word, size) == 0)
            return true;
    return false;
}

static const char *const streets[] = {
#define PERSON(name)
#define STREET(word) word,
#include "anonymizer/profile_words.def"
#undef PERSON
#undef STREET
};

static const char *const persons[] = {
#define PERSON(name) name,
#define STREET(word)
#include "anonymizer/profile_words.def"
#undef PERSON
#undef STREET
};

/* Bytes of a value that are looked at for words. */
#define FOLDED_SIZE 129

static bool ends_with(const char *word, size_t size, const char *end)
{
    size_t length = strlen(end);

    return size > length && memcmp(word + size - length, end, length) == 0;
}

/* A word for a street, or a name that ends like one; "-ro" and "-gil" are
 * Korean. */
static bool is_street(const char *word, size_t size)
{
    return is_word_of(streets, sizeof streets / sizeof *streets, word, size) ||
           ends_with(word, size, "strasse") || ends_with(word, size, "str") ||
           ends_with(word, size, "weg") || ends_with(word, size, "platz") ||
           ends_with(word, size, "straat") || ends_with(word, size, "로") ||
           ends_with(word, size, "길") || ends_with(word, size, "동");
}

typedef bool word_test(const char *word, size_t size);

static size_t count_words(struct bytes value, word_test *test)
{
    char folded[FOLDED_SIZE];
    size_t count = 0;

    profile_name_fold(value, folded, sizeof folded);
    for (const char *at = folded; *at != '\0';) {
        size_t size = strcspn(at, " ");

        count += size > 0 && test(at, size);
        at += size + (at[size] == ' ');
    }
    return count;
}

/* A house's number, and something that is called a street. */
bool value_is_address(struct bytes value)
{
    bool digit = false;

    if (value.size < 6 || value.size > 200)
        return false;
    for (size_t i = 0; i < value.size && !digit; i++)
        digit = value_digit(value.data[i]) &&
                (i == 0 || value.data[i - 1] == ' ' || i + 4 >= value.size);
    return digit && memchr(value.data, ' ', value.size) != NULL &&
           count_words(value, is_street) > 0;
}

/* Those that no other number looks like: British, Canadian, Dutch, and the
 * American one of nine digits.  Five digits alone need a name. */
bool value_is_postcode(struct bytes value)
{
    static const char *const forms[] = {"99999-9999", "A9A 9A9", "9999 AA",
                                        "A9 9AA",     "A99 9AA", "AA9 9AA",
                                        "AA99 9AA",   "A9A 9AA", "AA9A 9AA"};

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (value_fits(value, forms[i]))
            return true;
    return false;
}

static bool is_person(const char *word, size_t size)
{
    return is_word_of(persons, sizeof persons / sizeof *persons, word, size);
}

bool profile_value_names_person(struct bytes value)
{
    return value.size <= 64 && profile_value_words(value) <= 4 &&
           count_words(value, is_person) > 0;
}

/* ---- others ---- */

/* A letter, a digit, a letter or digit; behind a point up to four more. */
bool value_is_icd10(struct bytes value)
{
    if (value.size > 8 || !value_begins(value, "A9N"))
        return false;
    if (value.size > 3 && value.size < 5)
        return false;
    for (size_t i = 3; i < value.size; i++)
        if (i == 3 ? value.data[i] != '.'
                   : !value_upper(value.data[i]) && !value_digit(value.data[i]))
            return false;
    return true;
}

/* A number at the front, which is taken. */
static bool take_number(struct bytes *text, double *number)
{
    size_t size = 0;

    while (size < text->size &&
           (value_digit(text->data[size]) || text->data[size] == '.'))
        size++;
    if (!number_parse_double(bytes_of(text->data, size), 0, 1e9, number))
        return false;
    *text = bytes_of(text->data + size, text->size - size);
    return true;
}

static bool take_string(struct bytes *text, const char *string)
{
    if (!begins_with(*text, string))
        return false;
    *text = bytes_of(text->data + strlen(string), text->size - strlen(string));
    return true;
}

static bool take_any(struct bytes *text, const char *const *strings,
                     size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (take_string(text, strings[i]))
            return true;
    return false;
}

bool profile_value_range(struct bytes value, double *begin)
{
    static const char *const below[] = {"<=", "<", "under ", "below ",
                                        "up to "};
    static const char *const above[] = {">=", ">", "over ", "above "};
    static const char *const between[] = {"-", " - ", " to ", ",", ", ", "–"};
    static const char *const open[] = {"+",         " or older",  " or more",
                                       " and over", " and older", " or over"};
    static const char *const closing[] = {")", "]", "["};
    double from = -INFINITY, to;
    bool bracket;

    if (take_any(&value, below, sizeof below / sizeof *below)) {
        take_string(&value, " ");
        if (!take_number(&value, &to) || value.size > 0)
            return false;
        *begin = -INFINITY;
        return true;
    }
    if (take_any(&value, above, sizeof above / sizeof *above)) {
        take_string(&value, " ");
        if (!take_number(&value, &from) || value.size > 0)
            return false;
        *begin = from;
        return true;
    }
    bracket = take_string(&value, "[") || take_string(&value, "(") ||
              take_string(&value, "]");
    if (!take_number(&value, &from))
        return false;
    if (bracket || !take_any(&value, open, sizeof open / sizeof *open)) {
        if (!take_any(&value, between, sizeof between / sizeof *between) ||
            (take_string(&value, " "), !take_number(&value, &to)) || to < from)
            return false;
        if (bracket &&
            !take_any(&value, closing, sizeof closing / sizeof *closing))
            return false;
    }
    if (value.size > 0)
        return false;
    *begin = from;
    return true;
}

size_t profile_value_words(struct bytes value)
{
    size_t words = 0;

    for (size_t i = 0; i < value.size; i++)
        words += value.data[i] != ' ' && (i == 0 || value.data[i - 1] == ' ');
    return words;
}
