#include "tests/lib/fhir_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HL7 "http://terminology.hl7.org/CodeSystem/"
#define CODING(system, code) "{\"system\":\"" system "\",\"code\":\"" code "\"}"
#define CONCEPT(system, code) "{\"coding\":[" CODING(system, code) "]}"
#define ACTOR(role, reference)                                                 \
    "{\"role\":" CONCEPT(HL7 "v3-ParticipationType",                           \
                         role) ",\"reference\":{" reference "}}"
#define IDENTIFIER(value)                                                      \
    "\"identifier\":{\"system\":\"urn:anchorite:organisation\",\"value\":"     \
    "\"" value "\"}"

static void append(struct text *out, const char *string)
{
    struct error err;

    if (text_append_string(out, string, &err) != OK)
        abort();
}

static const struct {
    const char *word, *means;
} words_table[] = {
    {"OPTIN", CONCEPT(HL7 "v3-ActCode", "OPTIN")},
    {"OPTOUT", CONCEPT(HL7 "v3-ActCode", "OPTOUT")},
    {"H", CODING(HL7 "v3-ActReason", "HRESCH")},
    {"o", CODING(HL7 "v3-ActReason", "TREAT")},
    {"?", CODING("urn:example:purposes", "PURPOSE")},
    {"author", ACTOR("AUT", IDENTIFIER("clinic"))},
    {"literal", ACTOR("PRCP", "\"reference\":\"Organization/f001\"")},
};

/* Append what the word behind an @ means; its length is returned. */
static size_t expand_word(struct text *out, const char *word)
{
    struct error err;
    int size = 0;

    for (size_t i = 0; i < sizeof words_table / sizeof words_table[0]; i++)
        if (strncmp(word, words_table[i].word, strlen(words_table[i].word)) ==
            0) {
            append(out, words_table[i].means);
            return strlen(words_table[i].word);
        }
    if (strncmp(word, "to(", 3) == 0) {
        size = (int)strcspn(word + 3, ")");
        if (text_printf(out, &err, ACTOR("IRCP", IDENTIFIER("%.*s")), size,
                        word + 3) != OK)
            abort();
        return (size_t)size + 4;
    }
    if (strspn(word, "0123456789") < 2) {
        fprintf(stderr, "no such word: @%s\n", word);
        abort();
    }
    if (text_printf(
            out, &err,
            CODING("http://purl.obolibrary.org/obo/duo.owl", "DUO:00000%.2s"),
            word) != OK)
        abort();
    return 2;
}

void fhir_expand(struct text *out, const char *words)
{
    struct error err;

    while (*words != '\0') {
        if (*words == '@')
            words += 1 + expand_word(out, words + 1);
        else if (text_append(out, words++, 1, &err) != OK)
            abort();
    }
}

void fhir_consent(struct text *out, const char *members)
{
    append(out, "{\"resourceType\":\"Consent\",\"id\":\"c1\","
                "\"status\":\"active\",\"scope\":" CONCEPT(
                    HL7 "consentscope",
                    "research") ",\"patient\":{\"reference\":\"Patient/p1\"}");
    if (members[0] != '\0')
        append(out, ",");
    fhir_expand(out, members);
    append(out, "}");
}
