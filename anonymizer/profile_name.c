#include "anonymizer/profile_name.h"

#include <assert.h>
#include <string.h>

#include "common/limits.h"
#include "common/suggestion.h"

static const struct {
    const char *name;
    const char *words;
    char letter;
} kinds[KIND_COUNT] = {
#define KIND(id, letter, name, role, words) {name, words, letter},
#include "anonymizer/profile_kinds.def"
#undef KIND
};

struct label {
    enum profile_kind kind;
    bool whole;
    const char *words;
};

static const struct label labels[] = {
#define WORDS(kind, words) {KIND_##kind, false, words},
#define WHOLE(kind, words) {KIND_##kind, true, words},
#include "anonymizer/profile_labels.def"
#undef WORDS
#undef WHOLE
};

#define LABEL_COUNT (sizeof labels / sizeof *labels)

#define CONFIDENCE_WHOLE 0.95
#define CONFIDENCE_WORDS 0.8
#define CONFIDENCE_SLIP 0.6

/* Letters of a name that needs to be for one slip, for two. */
#define ONE_SLIP_SIZE 6
#define TWO_SLIPS_SIZE 10

/* Bytes of a name that are looked at, and words of it. */
#define FOLDED_SIZE (SUGGESTION_NAME_MAX + 1)
#define WORDS_MAX 16

const char *profile_kind_name(enum profile_kind kind)
{
    assert(kind < KIND_COUNT);
    return kinds[kind].name;
}

char profile_kind_letter(enum profile_kind kind)
{
    assert(kind < KIND_COUNT);
    return kinds[kind].letter;
}

const char *profile_kind_words(enum profile_kind kind)
{
    assert(kind < KIND_COUNT);
    return kinds[kind].words;
}

/* ---- folding ---- */

static bool is_upper(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z';
}
static bool is_lower(uint8_t byte)
{
    return byte >= 'a' && byte <= 'z';
}
static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* Of U+00C0 to U+00FF, whose UTF-8 begins with C3, by the second byte's lower
 * six bits; both cases alike.  "" for the two that are no letters. */
static const char *const latin[64] = {
    "a", "a", "a",  "a", "ae", "a",  "ae", "c", "e",  "e",  "e",  "e",  "i",
    "i", "i", "i",  "d", "n",  "o",  "o",  "o", "o",  "oe", "",   "oe", "u",
    "u", "u", "ue", "y", "th", "ss", "a",  "a", "a",  "a",  "ae", "a",  "ae",
    "c", "e", "e",  "e", "e",  "i",  "i",  "i", "i",  "d",  "n",  "o",  "o",
    "o", "o", "oe", "",  "oe", "u",  "u",  "u", "ue", "y",  "th", "y"};

struct folding {
    char *out;
    size_t size; /* of out, NUL included */
    size_t used;
    size_t word; /* where the last word begins */
};

static void put(struct folding *folding, const char *letters, size_t size)
{
    if (folding->used + size < folding->size) {
        memcpy(folding->out + folding->used, letters, size);
        folding->used += size;
    }
}

/* "diag1" is another "diag", but "a1" is no "a"; a number is no word. */
static void end_word(struct folding *folding)
{
    size_t end = folding->used;

    while (end > folding->word && is_digit((uint8_t)folding->out[end - 1]))
        end--;
    if (end == folding->word || end - folding->word >= 3)
        folding->used = end;
    if (folding->used > folding->word) {
        put(folding, " ", 1);
        folding->word = folding->used;
    }
}

/* Bytes of the character at `at` that have been taken. */
static size_t take_character(struct folding *folding, struct bytes text,
                             size_t at)
{
    uint8_t byte = text.data[at];
    size_t more = at + 1;

    if (byte < 0x80) {
        char small = (char)(is_upper(byte) ? byte + 'a' - 'A' : byte);

        if (is_upper(byte) && at > 0 &&
            (is_lower(text.data[at - 1]) ||
             (at + 1 < text.size && is_lower(text.data[at + 1]))))
            end_word(folding);
        if (is_lower((uint8_t)small) || is_digit(byte))
            put(folding, &small, 1);
        else if (byte != '\'')
            end_word(folding);
        return 1;
    }
    while (more < text.size && (text.data[more] & 0xC0) == 0x80)
        more++;
    if (byte == 0xC3 && more == at + 2) {
        const char *plain = latin[text.data[at + 1] & 0x3F];

        put(folding, plain, strlen(plain));
    } else /* Hangul and others as they are */
        put(folding, (const char *)text.data + at, more - at);
    return more - at;
}

void profile_name_fold(struct bytes text, char *out, size_t size)
{
    struct folding folding = {.out = out, .size = size};

    assert(size > 0);
    for (size_t at = 0; at < text.size;)
        at += take_character(&folding, text, at);
    end_word(&folding);
    if (folding.used > 0 && out[folding.used - 1] == ' ')
        folding.used--;
    out[folding.used] = '\0';
}

/* ---- comparing ---- */

/* Letters without the blanks, and where words begin. */
struct squeezed {
    char text[FOLDED_SIZE];
    size_t begin[WORDS_MAX + 1];
    size_t words;
};

static struct squeezed squeeze(const char *folded)
{
    struct squeezed squeezed = {.words = 0};
    size_t used = 0;
    bool inside = false;

    for (; *folded != '\0'; folded++) {
        if (*folded == ' ') {
            inside = false;
            continue;
        }
        if (!inside && squeezed.words == WORDS_MAX)
            break;
        if (!inside)
            squeezed.begin[squeezed.words++] = used;
        inside = true;
        squeezed.text[used++] = *folded;
    }
    squeezed.begin[squeezed.words] = used;
    return squeezed;
}

struct match {
    double confidence;
    size_t begin, end; /* of the name's letters */
};

static bool is_better(const struct match *match, const struct match *than)
{
    if (match->confidence != than->confidence)
        return match->confidence > than->confidence;
    return match->end - match->begin > than->end - than->begin;
}

static void keep_better(struct match *best, struct match match)
{
    if (is_better(&match, best))
        *best = match;
}

/* The label as a run of the name's words. */
static void look_for(const struct squeezed *name, const struct label *label,
                     struct match best[KIND_COUNT])
{
    char folded[FOLDED_SIZE];
    struct squeezed wanted;
    size_t size;

    profile_name_fold(bytes_of_string(label->words), folded, sizeof folded);
    wanted = squeeze(folded);
    size = wanted.begin[wanted.words];
    for (size_t first = 0; first < name->words; first++)
        for (size_t end = first + 1; end <= name->words; end++) {
            size_t begin = name->begin[first];
            bool whole = first == 0 && end == name->words;

            if (name->begin[end] - begin != size ||
                memcmp(name->text + begin, wanted.text, size) != 0 ||
                (label->whole && !whole))
                continue;
            keep_better(
                &best[label->kind],
                (struct match){whole ? CONFIDENCE_WHOLE : CONFIDENCE_WORDS,
                               begin, begin + size});
        }
}

static void look_for_slips(const struct squeezed *name,
                           struct match best[KIND_COUNT])
{
    size_t size = name->begin[name->words];
    size_t allowed = size >= TWO_SLIPS_SIZE ? 2 : 1;

    if (size < ONE_SLIP_SIZE)
        return;
    for (size_t i = 0; i < LABEL_COUNT; i++) {
        struct suggestion suggestion;
        struct squeezed wanted;
        char folded[FOLDED_SIZE];

        profile_name_fold(bytes_of_string(labels[i].words), folded,
                          sizeof folded);
        wanted = squeeze(folded);
        /* A slip in one of Hangul's syllables is another word. */
        if (wanted.begin[wanted.words] < ONE_SLIP_SIZE ||
            (wanted.text[0] & 0x80) != 0)
            continue;
        suggestion_init(&suggestion, name->text);
        suggestion_consider(&suggestion, wanted.text);
        if (suggestion.best != NULL && suggestion.distance <= allowed)
            keep_better(&best[labels[i].kind],
                        (struct match){CONFIDENCE_SLIP, 0, size});
    }
}

static bool is_within(const struct match *match, const struct match *other)
{
    return other->confidence > 0 && other->begin <= match->begin &&
           other->end >= match->end &&
           other->end - other->begin > match->end - match->begin;
}

void profile_name_judge(struct bytes name, double confidence[KIND_COUNT])
{
    struct match best[KIND_COUNT] = {{0, 0, 0}};
    char folded[FOLDED_SIZE];
    struct squeezed squeezed;
    bool found = false;

    profile_name_fold(name, folded, sizeof folded);
    squeezed = squeeze(folded);
    for (size_t i = 0; i < LABEL_COUNT; i++)
        look_for(&squeezed, &labels[i], best);
    for (size_t i = 0; i < KIND_COUNT; i++)
        found = found || best[i].confidence > 0;
    if (!found)
        look_for_slips(&squeezed, best);
    for (size_t i = 0; i < KIND_COUNT; i++) {
        confidence[i] = best[i].confidence;
        for (size_t j = 0; j < KIND_COUNT; j++)
            if (is_within(&best[i], &best[j]))
                confidence[i] = 0;
    }
}
