#include "common/endorsement.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A part is a principal, or a threshold over the parts that follow it: AND is
 * all of them, OR is one. */
struct part {
    size_t children; /* 0: a principal */
    size_t needed;
    size_t end; /* behind its last descendant */
    char organisation[IDENTITY_NAME_MAX + 1];
    enum identity_role role;
};

struct endorsement {
    struct part part[ENDORSEMENT_PARTS_MAX];
    size_t count;
};

struct reader {
    struct bytes text;
    size_t at;
    struct endorsement *endorsement;
    struct error *err;
};

static enum status refuse(struct reader *reader, const char *expected)
{
    return error_set(reader->err, E_INPUT,
                     "endorsement policy: column %zu: expected %s",
                     reader->at + 1, expected);
}

static void skip_spaces(struct reader *reader)
{
    while (reader->at < reader->text.size &&
           reader->text.data[reader->at] == ' ')
        reader->at++;
}

static bool take(struct reader *reader, const char *token)
{
    size_t size = strlen(token);

    skip_spaces(reader);
    if (reader->text.size - reader->at < size ||
        memcmp(reader->text.data + reader->at, token, size) != 0)
        return false;
    reader->at += size;
    return true;
}

static struct part *add_part(struct reader *reader)
{
    struct endorsement *endorsement = reader->endorsement;

    if (endorsement->count == ENDORSEMENT_PARTS_MAX)
        return NULL;
    endorsement->part[endorsement->count] = (struct part){0};
    return &endorsement->part[endorsement->count++];
}

/* Behind the opening quote. */
static enum status read_principal(struct reader *reader)
{
    struct part *part = add_part(reader);
    const uint8_t *from = reader->text.data + reader->at;
    const uint8_t *end, *dot = NULL;
    struct bytes organisation;

    if (part == NULL)
        return refuse(reader, "fewer parts");
    end = memchr(from, '\'', reader->text.size - reader->at);
    if (end == NULL)
        return refuse(reader, "a closing quote");
    for (const uint8_t *at = from; at < end; at++)
        if (*at == '.')
            dot = at;
    if (dot == NULL)
        return refuse(reader, "'organisation.role'");
    organisation = bytes_of(from, (size_t)(dot - from));
    if (!bytes_equal_string(organisation, "$") &&
        !identity_name_valid(organisation))
        return refuse(reader, "the name of an organisation, or $");
    if (!identity_role_parse(bytes_of(dot + 1, (size_t)(end - dot - 1)),
                             &part->role))
        return refuse(reader, "a role");
    memcpy(part->organisation, organisation.data, organisation.size);
    part->end = reader->endorsement->count;
    reader->at += (size_t)(end - from) + 1;
    return OK;
}

static bool read_number(struct reader *reader, size_t *number)
{
    size_t begin;

    skip_spaces(reader);
    begin = reader->at;
    *number = 0;
    while (reader->at < reader->text.size && reader->at - begin < 4 &&
           reader->text.data[reader->at] >= '0' &&
           reader->text.data[reader->at] <= '9')
        *number = 10 * *number + (reader->text.data[reader->at++] - '0');
    return reader->at > begin;
}

static enum status read_policy(struct reader *reader, unsigned depth);

/* Behind the opening parenthesis, and the number of an OutOf. */
static enum status read_children(struct reader *reader, struct part *part,
                                 unsigned depth)
{
    enum status status;

    do {
        status = read_policy(reader, depth + 1);
        if (status != OK)
            return status;
        part->children++;
    } while (take(reader, ","));
    if (!take(reader, ")"))
        return refuse(reader, "a comma or a closing parenthesis");
    part->end = reader->endorsement->count;
    return OK;
}

static enum status read_policy(struct reader *reader, unsigned depth)
{
    struct part *part;
    enum status status;
    bool all, out_of;

    if (depth > ENDORSEMENT_DEPTH_MAX)
        return refuse(reader, "less nesting");
    if (take(reader, "'"))
        return read_principal(reader);
    all = take(reader, "AND(");
    out_of = !all && take(reader, "OutOf(");
    if (!all && !out_of && !take(reader, "OR("))
        return refuse(reader, "AND(, OR(, OutOf( or 'organisation.role'");
    part = add_part(reader);
    if (part == NULL)
        return refuse(reader, "fewer parts");
    part->needed = 1;
    if (out_of && (!read_number(reader, &part->needed) || !take(reader, ",")))
        return refuse(reader, "a number and a comma");
    status = read_children(reader, part, depth);
    if (status != OK)
        return status;
    if (all)
        part->needed = part->children;
    if (part->needed < 1 || part->needed > part->children)
        return refuse(reader, "a number from 1 to that of the parts before");
    return OK;
}

enum status endorsement_parse(struct endorsement **out, struct bytes text,
                              struct error *err)
{
    struct endorsement *endorsement = calloc(1, sizeof *endorsement);
    struct reader reader = {
        .text = text, .endorsement = endorsement, .err = err};
    enum status status;

    *out = NULL;
    if (endorsement == NULL)
        return error_memory(err, "an endorsement policy");
    status = read_policy(&reader, 0);
    skip_spaces(&reader);
    if (status == OK && reader.at != text.size)
        status = refuse(&reader, "nothing more");
    if (status != OK)
        endorsement_destroy(&endorsement);
    *out = endorsement;
    return status;
}

void endorsement_destroy(struct endorsement **endorsement)
{
    free(*endorsement);
    *endorsement = NULL;
}

static bool principal_met(const struct part *part,
                          const struct certificate_subject *const *signer,
                          size_t signer_count)
{
    const char *organisation = strcmp(part->organisation, "$") == 0
                                   ? signer[0]->organisation
                                   : part->organisation;

    for (size_t i = 0; i < signer_count; i++)
        if (signer[i]->role == part->role &&
            strcmp(signer[i]->organisation, organisation) == 0)
            return true;
    return false;
}

static bool part_met(const struct endorsement *endorsement, size_t at,
                     const struct certificate_subject *const *signer,
                     size_t signer_count)
{
    const struct part *part = &endorsement->part[at];
    size_t met = 0;

    if (part->children == 0)
        return principal_met(part, signer, signer_count);
    for (size_t child = at + 1; child < part->end;
         child = endorsement->part[child].end)
        met += part_met(endorsement, child, signer, signer_count);
    return met >= part->needed;
}

bool endorsement_met(const struct endorsement *endorsement,
                     const struct certificate_subject *const *signer,
                     size_t signer_count)
{
    assert(signer_count > 0);
    return part_met(endorsement, 0, signer, signer_count);
}
