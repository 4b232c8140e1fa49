#include "datasets/hospital_consents.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/number.h"

/* Consents are given on one of the first 912 days of the period, until
 * 2024-06-30; 180 days later all of 2024 is not over yet. */
enum { GIVEN_DAYS = 912, EXPIRY_DAYS = 180 };

#define SYSTEM_HL7 "http://terminology.hl7.org/CodeSystem/"
#define PURPOSE_HRESCH                                                         \
    "{\"system\":\"" SYSTEM_HL7 "v3-ActReason\",\"code\":\"HRESCH\"}"
#define PURPOSE_DUO(number)                                                    \
    "{\"system\":\"http://purl.obolibrary.org/obo/duo.owl\","                  \
    "\"code\":\"DUO:" number "\"}"

static const char broad[] = PURPOSE_HRESCH "," PURPOSE_DUO("0000042");
static const char *const limited[] = {PURPOSE_HRESCH, PURPOSE_DUO("0000006"),
                                      PURPOSE_DUO("0000011"),
                                      PURPOSE_DUO("0000043")};
#define LIMITED_COUNT (sizeof limited / sizeof limited[0])

static const char *const kind_names[] = {
#define CONSENT_KIND_NAME(id, name) name,
    CONSENT_KIND_TABLE(CONSENT_KIND_NAME)
#undef CONSENT_KIND_NAME
};

const char *consent_kind_name(enum consent_kind kind)
{
    assert(kind < CONSENT_KIND_COUNT);
    return kind_names[kind];
}

/* ---- the mix ---- */

/* One "kind=percent". */
static enum status mix_add(struct consent_mix *mix, bool named[],
                           struct bytes entry, struct error *err)
{
    const uint8_t *sign = memchr(entry.data, '=', entry.size);
    struct bytes name, number;
    uint64_t percent;
    size_t kind = 0;

    if (sign == NULL)
        return error_set(err, E_USAGE, "expected kind=percent");
    name = bytes_of(entry.data, (size_t)(sign - entry.data));
    number = bytes_of(sign + 1, entry.size - name.size - 1);
    while (kind < CONSENT_KIND_COUNT &&
           !bytes_equal_string(name, kind_names[kind]))
        kind++;
    if (kind == CONSENT_KIND_COUNT)
        return error_set(err, E_USAGE,
                         "there is no kind of consent \"%.*s\", only permit, "
                         "limited, deny, expired, withdrawn and none",
                         (int)name.size, (const char *)name.data);
    if (named[kind])
        return error_set(err, E_USAGE, "%s stands there twice",
                         kind_names[kind]);
    if (!number_parse_unsigned(number, 0, 100, &percent))
        return error_set(err, E_USAGE,
                         "%s: expected a whole number from 0 to 100",
                         kind_names[kind]);
    named[kind] = true;
    mix->percent[kind] = (uint32_t)percent;
    return OK;
}

enum status consent_mix_parse(const char *list, struct consent_mix *mix,
                              struct error *err)
{
    struct consent_mix read = {{0}};
    bool named[CONSENT_KIND_COUNT] = {false};
    uint32_t sum = 0;
    const char *next = list;

    for (;;) {
        size_t size = strcspn(next, ",");

        if (mix_add(&read, named, bytes_of(next, size), err) != OK)
            return err->status;
        if (next[size] == '\0')
            break;
        next += size + 1;
    }
    for (size_t kind = 0; kind < CONSENT_KIND_COUNT; kind++)
        sum += read.percent[kind];
    if (sum != 100)
        return error_set(err, E_USAGE,
                         "the shares sum up to %u percent, expected 100",
                         (unsigned)sum);
    *mix = read;
    return OK;
}

/* ---- drawing ---- */

static enum consent_kind draw_kind(struct random *random,
                                   const struct consent_mix *mix)
{
    uint64_t drawn = random_below(random, 100);
    uint64_t sum = mix->percent[0];
    size_t kind = 0;

    while (drawn >= sum) {
        kind++;
        assert(kind < CONSENT_KIND_COUNT);
        sum += mix->percent[kind];
    }
    return (enum consent_kind)kind;
}

enum consent_kind hospital_consent_kind(const struct hospital *hospital,
                                        const struct consent_mix *mix,
                                        uint32_t number)
{
    struct random random;

    hospital_random(hospital, number, &random);
    return draw_kind(&random, mix);
}

/* ---- writing ---- */

/* What one resource says. */
struct resource {
    uint32_t patient;
    unsigned index; /* of the resource among the patient's, from 1 */
    int32_t given;
    const char *purposes; /* NULL: a denial */
    int32_t end;          /* last day; of a permit */
};

/* A date as a string of C. */
static const char *date_text(int32_t day, char text[CALENDAR_TEXT_SIZE + 1])
{
    calendar_write(calendar_date(day), text);
    text[CALENDAR_TEXT_SIZE] = '\0';
    return text;
}

/* Text here needs no escapes: there is none but ours. */
static enum status put_resource(struct output *output,
                                const struct resource *resource,
                                struct error *err)
{
    char psn[PSN_SIZE + 1] = "";
    char given[CALENDAR_TEXT_SIZE + 1], end[CALENDAR_TEXT_SIZE + 1];
    bool permit = resource->purposes != NULL;
    size_t size;
    char *room;

    psn_write(resource->patient, psn);
    date_text(resource->given, given);
    if (output_room(output, OUTPUT_ROOM_MAX, &room, err) != OK)
        return err->status;
    size = (size_t)snprintf(
        room, OUTPUT_ROOM_MAX,
        "{\"resourceType\":\"Consent\",\"id\":\"%s-%u\",\"status\":\"active\","
        "\"scope\":{\"coding\":[{\"system\":\"" SYSTEM_HL7 "consentscope\","
        "\"code\":\"research\"}]},"
        "\"category\":[{\"coding\":[{\"system\":\"" SYSTEM_HL7
        "consentcategorycodes\",\"code\":\"research\"}]}],"
        "\"patient\":{\"identifier\":{\"system\":\"" HOSPITAL_PSN_SYSTEM
        "\",\"value\":\"%s\"}},\"dateTime\":\"%s\","
        "\"organization\":[{\"display\":\"Synthetic Hospital\"}],"
        "\"policyRule\":{\"coding\":[{\"system\":\"" SYSTEM_HL7
        "v3-ActCode\",\"code\":\"%s\"}]},",
        psn, resource->index, psn, given, permit ? "OPTIN" : "OPTOUT");
    if (permit)
        size += (size_t)snprintf(
            room + size, OUTPUT_ROOM_MAX - size,
            "\"provision\":{\"type\":\"permit\",\"period\":{\"start\":\"%s\","
            "\"end\":\"%s\"},\"purpose\":[%s]}}\n",
            given, date_text(resource->end, end), resource->purposes);
    else
        size += (size_t)snprintf(room + size, OUTPUT_ROOM_MAX - size,
                                 "\"provision\":{\"type\":\"deny\"}}\n");
    assert(size < OUTPUT_ROOM_MAX);
    output_advance(output, size);
    return OK;
}

static enum status write_patient(const struct hospital *hospital,
                                 const struct consent_mix *mix, uint32_t number,
                                 struct output *output, struct error *err)
{
    int32_t first = calendar_day((struct date){HOSPITAL_FIRST_YEAR, 1, 1});
    struct random random;
    enum consent_kind kind;
    struct resource said = {.patient = number, .index = 1, .purposes = broad};

    hospital_random(hospital, number, &random);
    kind = draw_kind(&random, mix);
    if (kind == CONSENT_NONE)
        return OK;
    said.given = first + (int32_t)random_below(&random, GIVEN_DAYS);
    said.end = kind == CONSENT_EXPIRED
                   ? said.given + EXPIRY_DAYS
                   : calendar_day((struct date){2034, 12, 31});
    if (kind == CONSENT_LIMITED)
        said.purposes = limited[random_below(&random, LIMITED_COUNT)];
    if (kind == CONSENT_DENY)
        said.purposes = NULL;
    if (put_resource(output, &said, err) != OK)
        return err->status;
    if (kind != CONSENT_WITHDRAWN)
        return OK;
    said.index = 2;
    said.given += 1 + (int32_t)random_below(&random, EXPIRY_DAYS);
    said.purposes = NULL;
    return put_resource(output, &said, err);
}

enum status hospital_consents_write(const struct hospital *hospital,
                                    const struct consent_mix *mix,
                                    struct patient_range range,
                                    struct output *output, struct error *err)
{
    enum status status = OK;

    assert(range.first >= 1 && range.count >= 1);
    assert(range.count <= HOSPITAL_PATIENTS_MAX - range.first + 1);

    for (uint32_t i = 0; status == OK && i < range.count; i++)
        status = write_patient(hospital, mix, range.first + i, output, err);
    return status;
}
