#include "broker/fhir_consent.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/json.h"

#define HL7 "http://terminology.hl7.org/CodeSystem/"

/* ---- where we are ---- */

/* A value and how it was reached. */
struct place {
    const struct place *parent; /* NULL: the resource */
    const char *name;           /* of the member, or of the list it is in */
    size_t index;               /* in that list */
    bool in_list;
    const struct json_value *value;
};

struct path {
    char text[CONSENT_PATH_MAX];
};

/* "provision.actor[2].role".  Lists of lists are not FHIR. */
static size_t path_write(const struct place *place, char *text)
{
    size_t used = 0;
    int added;

    if (place->parent != NULL) {
        used = path_write(place->parent, text);
        if (used > 0)
            text[used++] = '.';
    }
    if (place->name == NULL)
        return used;
    added = place->in_list ? snprintf(text + used, CONSENT_PATH_MAX - used,
                                      "%s[%zu]", place->name, place->index)
                           : snprintf(text + used, CONSENT_PATH_MAX - used,
                                      "%s", place->name);
    /* As deep as rules go, and names are ours. */
    assert(added > 0 && used + (size_t)added + 1 < CONSENT_PATH_MAX);
    return used + (size_t)added;
}

static struct path path_of(const struct place *place)
{
    struct path path = {""};

    path_write(place, path.text);
    return path;
}

static struct place member_place(const struct place *parent, const char *name,
                                 const struct json_value *value)
{
    return (struct place){.parent = parent, .name = name, .value = value};
}

static enum status malformed(const struct place *place, const char *expected,
                             struct error *err)
{
    return error_set(err, E_INPUT, "line %u: %s: something else, expected %s",
                     json_line(place->value), path_of(place).text, expected);
}

static enum status refused(const struct place *place, const char *expected,
                           struct error *err)
{
    return error_set(err, E_REFUSED, "line %u: %s: not evaluated, expected %s",
                     json_line(place->value), path_of(place).text, expected);
}

/* ---- members ---- */

struct field {
    const char *name;
    enum json_kind kind;
    bool required;
    bool carried; /* of any kind, and not looked at */
};

#define FIELDS_MAX 24

/* A modifier in what is carried could change what we rely on.  As deep as
 * common/json.h reads. */
static const char *find_modifier(const struct json_value *value)
{
    const char *name = json_key(value);

    if (name != NULL && (strcmp(name, "modifierExtension") == 0 ||
                         strcmp(name, "implicitRules") == 0))
        return name;
    if (json_kind(value) != JSON_OBJECT && json_kind(value) != JSON_ARRAY)
        return NULL;
    for (const struct json_value *child = json_first(value); child != NULL;
         child = json_next(child))
        if ((name = find_modifier(child)) != NULL)
            return name;
    return NULL;
}

static bool is_empty(const struct json_value *value)
{
    switch (json_kind(value)) {
    case JSON_STRING:
        return json_string(value)[0] == '\0';
    case JSON_ARRAY:
    case JSON_OBJECT:
        return json_length(value) == 0;
    case JSON_NULL:
        return true;
    case JSON_BOOLEAN:
    case JSON_NUMBER:
        break;
    }
    return false;
}

/* A name of FHIR's kind may stand in a path; the resource's own may be
 * anything. */
static bool is_plain(const char *name)
{
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    return size > 0 && size <= JSON_QUOTE_MAX && name[size] == '\0';
}

static enum status refuse_unknown(const struct place *object,
                                  const struct json_value *member,
                                  struct error *err)
{
    struct path path = path_of(object);
    const char *name = json_key(member);

    return error_set(
        err, E_REFUSED, "line %u: %s%s%s: not evaluated, expected none",
        json_line(member), path.text, path.text[0] != '\0' ? "." : "",
        is_plain(name) ? name : json_quote(name).text);
}

static enum status refuse_empty(const struct place *place, struct error *err)
{
    return error_set(err, E_INPUT,
                     "line %u: %s: empty, expected something or no such field",
                     json_line(place->value), path_of(place).text);
}

static enum status take_field(const struct place *object,
                              const struct field *field,
                              const struct json_value *member,
                              struct error *err)
{
    struct place place = member_place(object, field->name, member);
    const char *modifier;

    if (field->carried) {
        if ((modifier = find_modifier(member)) == NULL)
            return OK;
        return error_set(err, E_REFUSED,
                         "line %u: %s: %s in it is not evaluated, expected "
                         "none",
                         json_line(member), path_of(&place).text, modifier);
    }
    if (json_kind(member) != field->kind)
        return malformed(&place, json_kind_name(field->kind), err);
    if (is_empty(member))
        return refuse_empty(&place, err);
    return OK;
}

/* Put the members of an object into value[i], NULL for those that are not
 * there; refuse what no field names. */
static enum status take_fields(const struct place *object,
                               const struct field *field, size_t count,
                               const struct json_value **value,
                               struct error *err)
{
    assert(count <= FIELDS_MAX);
    if (json_kind(object->value) != JSON_OBJECT)
        return malformed(object, "an object", err);
    if (is_empty(object->value))
        return refuse_empty(object, err);
    for (size_t i = 0; i < count; i++)
        value[i] = NULL;
    for (const struct json_value *member = json_first(object->value);
         member != NULL; member = json_next(member)) {
        size_t i = 0;

        while (i < count && strcmp(field[i].name, json_key(member)) != 0)
            i++;
        if (i == count)
            return refuse_unknown(object, member, err);
        if (take_field(object, &field[i], member, err) != OK)
            return err->status;
        value[i] = member;
    }
    for (size_t i = 0; i < count; i++) {
        struct place place = member_place(object, field[i].name, object->value);

        if (field[i].required && value[i] == NULL)
            return error_set(err, E_INPUT, "line %u: %s: missing, expected %s",
                             json_line(object->value), path_of(&place).text,
                             json_kind_name(field[i].kind));
    }
    return OK;
}

static const char *string_or_null(const struct json_value *value)
{
    return value != NULL ? json_string(value) : NULL;
}

/* ---- codes ---- */

struct coding {
    const char *system, *code; /* NULL: not said */
};

static enum status read_coding(const struct place *place, struct coding *coding,
                               struct error *err)
{
    enum { SYSTEM, CODE, COUNT = 6 };
    static const struct field fields[COUNT] = {
        [SYSTEM] = {"system", JSON_STRING, false, false},
        [CODE] = {"code", JSON_STRING, false, false},
        {"id", JSON_STRING, false, true},
        {"version", JSON_STRING, false, true},
        {"display", JSON_STRING, false, true},
        {"userSelected", JSON_BOOLEAN, false, true},
    };
    const struct json_value *value[COUNT];

    if (take_fields(place, fields, COUNT, value, err) != OK)
        return err->status;
    coding->system = string_or_null(value[SYSTEM]);
    coding->code = string_or_null(value[CODE]);
    return OK;
}

/* A CodeableConcept of exactly one coding; more of them would be the same in
 * other words, or not. */
static enum status read_concept(const struct place *place,
                                struct coding *coding, struct error *err)
{
    enum { CODING, COUNT = 3 };
    static const struct field fields[COUNT] = {
        [CODING] = {"coding", JSON_ARRAY, true, false},
        {"id", JSON_STRING, false, true},
        {"text", JSON_STRING, false, true},
    };
    const struct json_value *value[COUNT];
    struct place item;

    if (take_fields(place, fields, COUNT, value, err) != OK)
        return err->status;
    item = (struct place){.parent = place,
                          .name = "coding",
                          .in_list = true,
                          .value = json_first(value[CODING])};
    if (read_coding(&item, coding, err) != OK)
        return err->status;
    item.value = json_next(item.value);
    item.index = 1;
    return item.value == NULL ? OK : refused(&item, "one coding", err);
}

static bool coding_is(const struct coding *coding, const char *system,
                      const char *code)
{
    return coding->system != NULL && coding->code != NULL &&
           strcmp(coding->system, system) == 0 &&
           strcmp(coding->code, code) == 0;
}

/* ---- references ---- */

static enum status read_identifier(const struct place *place,
                                   struct fhir_patient *named,
                                   struct error *err)
{
    enum { SYSTEM, VALUE, COUNT = 4 };
    static const struct field fields[COUNT] = {
        [SYSTEM] = {"system", JSON_STRING, true, false},
        [VALUE] = {"value", JSON_STRING, true, false},
        {"id", JSON_STRING, false, true},
        {"type", JSON_OBJECT, false, true},
    };
    const struct json_value *value[COUNT];

    if (take_fields(place, fields, COUNT, value, err) != OK)
        return err->status;
    named->system = json_string(value[SYSTEM]);
    named->value = json_string(value[VALUE]);
    return OK;
}

static enum status read_reference(const struct place *place,
                                  struct fhir_patient *named, struct error *err)
{
    enum { REFERENCE, IDENTIFIER, COUNT = 5 };
    static const struct field fields[COUNT] = {
        [REFERENCE] = {"reference", JSON_STRING, false, false},
        [IDENTIFIER] = {"identifier", JSON_OBJECT, false, false},
        {"id", JSON_STRING, false, true},
        {"type", JSON_STRING, false, true},
        {"display", JSON_STRING, false, true},
    };
    const struct json_value *value[COUNT];
    struct place identifier;

    *named = (struct fhir_patient){"", "", ""};
    if (take_fields(place, fields, COUNT, value, err) != OK)
        return err->status;
    if (value[REFERENCE] != NULL)
        named->reference = json_string(value[REFERENCE]);
    if (value[IDENTIFIER] == NULL)
        return OK;
    identifier = member_place(place, "identifier", value[IDENTIFIER]);
    return read_identifier(&identifier, named, err);
}

/* ---- a provision ---- */

/* Call `read` for each item of a list. */
static enum status read_list(const struct place *parent, const char *name,
                             const struct json_value *list, size_t count_max,
                             enum status (*read)(const struct place *item,
                                                 void *target,
                                                 struct error *err),
                             void *target, struct error *err)
{
    struct place item = {.parent = parent, .name = name, .in_list = true};

    if (list == NULL)
        return OK;
    if (json_length(list) > count_max) {
        struct place place = member_place(parent, name, list);

        return error_set(err, E_LIMIT,
                         "line %u: %s: %zu items, expected at most %zu",
                         json_line(list), path_of(&place).text,
                         json_length(list), count_max);
    }
    for (item.value = json_first(list); item.value != NULL;
         item.value = json_next(item.value)) {
        if (read(&item, target, err) != OK)
            return err->status;
        item.index++;
    }
    return OK;
}

static enum status read_period(const struct place *parent,
                               const struct json_value *object,
                               struct period *period, struct error *err)
{
    enum { START, END, COUNT = 3 };
    static const struct field fields[COUNT] = {
        [START] = {"start", JSON_STRING, false, false},
        [END] = {"end", JSON_STRING, false, false},
        {"id", JSON_STRING, false, true},
    };
    const struct json_value *value[COUNT];
    struct place place;

    if (object == NULL)
        return OK;
    place = member_place(parent, "period", object);
    if (take_fields(&place, fields, COUNT, value, err) != OK)
        return err->status;
    if (period_parse(string_or_null(value[START]), string_or_null(value[END]),
                     period, err) != OK)
        return error_wrap(err, "line %u: %s", json_line(object),
                          path_of(&place).text);
    return OK;
}

/* The rule that is being read, for read_list. */
struct target {
    struct consent *consent;
    struct consent_rule *rule;
    struct consent_rule **next; /* where the next exception goes */
    size_t depth;
};

static enum status read_purpose(const struct place *place, void *target,
                                struct error *err)
{
    struct consent_rule *rule = ((struct target *)target)->rule;
    struct coding coding;

    if (read_coding(place, &coding, err) != OK)
        return err->status;
    purposes_add(&rule->purposes,
                 purpose_of_coding(coding.system, coding.code));
    rule->purposes_listed = true;
    return OK;
}

static bool is_recipient(const struct coding *role,
                         const struct fhir_patient *who)
{
    static const char participation[] = HL7 "v3-ParticipationType";

    return (coding_is(role, participation, "PRCP") ||
            coding_is(role, participation, "IRCP")) &&
           strcmp(who->system, CONSENT_ORGANISATION_SYSTEM) == 0;
}

static enum status read_actor(const struct place *place, void *target,
                              struct error *err)
{
    enum { ROLE, REFERENCE, COUNT = 3 };
    static const struct field fields[COUNT] = {
        [ROLE] = {"role", JSON_OBJECT, true, false},
        [REFERENCE] = {"reference", JSON_OBJECT, true, false},
        {"id", JSON_STRING, false, true},
    };
    struct consent *consent = ((struct target *)target)->consent;
    struct consent_rule *rule = ((struct target *)target)->rule;
    const struct json_value *value[COUNT];
    struct place role_place, reference_place;
    struct fhir_patient who;
    struct coding role;

    if (take_fields(place, fields, COUNT, value, err) != OK)
        return err->status;
    role_place = member_place(place, "role", value[ROLE]);
    reference_place = member_place(place, "reference", value[REFERENCE]);
    if (read_concept(&role_place, &role, err) != OK ||
        read_reference(&reference_place, &who, err) != OK)
        return err->status;
    if (!is_recipient(&role, &who)) {
        rule->actors_listed = true;
        rule->other_actors = true;
        return OK;
    }
    if (!identity_name_valid(bytes_of_string(who.value)))
        return malformed(&reference_place,
                         "the name of an organisation in its identifier", err);
    return consent_add_recipient(consent, rule, who.value, err);
}

static enum status read_provision(const struct place *place, void *target,
                                  struct error *err);

enum { TYPE, PERIOD, PURPOSE, ACTOR, PROVISION, PROVISION_FIELDS = 6 };

/* What follows the type. */
static enum status fill_rule(const struct place *place,
                             const struct json_value *const *value,
                             struct target *target, struct error *err)
{
    if (read_period(place, value[PERIOD], &target->rule->period, err) != OK ||
        read_list(place, "purpose", value[PURPOSE], CONSENT_PURPOSES_MAX,
                  read_purpose, target, err) != OK)
        return err->status;
    if (value[ACTOR] != NULL &&
        consent_reserve_recipients(target->consent, target->rule,
                                   json_length(value[ACTOR]), err) != OK) {
        struct place actors = member_place(place, "actor", value[ACTOR]);

        return error_wrap(err, "line %u: %s", json_line(value[ACTOR]),
                          path_of(&actors).text);
    }
    if (read_list(place, "actor", value[ACTOR], CONSENT_ACTORS_MAX, read_actor,
                  target, err) != OK)
        return err->status;
    return read_list(place, "provision", value[PROVISION], CONSENT_RULES_MAX,
                     read_provision, target, err);
}

/* The type of a rule from its member `type`, which need not be there; `above`
 * is the type of the rule around it, or of the base for the root. */
static enum status read_type(const struct place *parent,
                             const struct json_value *value,
                             enum consent_type above, bool is_root,
                             enum consent_type *type, struct error *err)
{
    struct place place = member_place(parent, "type", value);

    *type = is_root ? above : consent_type_other(above);
    if (value == NULL)
        return OK;
    if (!consent_type_parse(bytes_of_string(json_string(value)), type))
        return malformed(&place, "\"deny\" or \"permit\"", err);
    if (!is_root && *type == above)
        return refused(&place,
                       "the other type than that of the provision "
                       "around it",
                       err);
    return OK;
}

/* A provision at `place`: below target's rule, or the root if it has none. */
static enum status read_provision(const struct place *place, void *target,
                                  struct error *err)
{
    static const struct field fields[PROVISION_FIELDS] = {
        [TYPE] = {"type", JSON_STRING, false, false},
        [PERIOD] = {"period", JSON_OBJECT, false, false},
        [PURPOSE] = {"purpose", JSON_ARRAY, false, false},
        [ACTOR] = {"actor", JSON_ARRAY, false, false},
        [PROVISION] = {"provision", JSON_ARRAY, false, false},
        {"id", JSON_STRING, false, true},
    };
    struct target *above = target;
    struct target below = {.consent = above->consent};
    const struct json_value *value[PROVISION_FIELDS];
    bool is_root = above->rule == NULL;
    enum consent_type type;

    if (take_fields(place, fields, PROVISION_FIELDS, value, err) != OK)
        return err->status;
    if (is_root && value[TYPE] == NULL &&
        (value[PURPOSE] != NULL || value[ACTOR] != NULL)) {
        struct place missing = member_place(place, "type", place->value);

        return error_set(err, E_REFUSED,
                         "line %u: %s: missing where there are a purpose or "
                         "actors, expected \"deny\" or \"permit\"",
                         json_line(place->value), path_of(&missing).text);
    }
    if (read_type(place, value[TYPE],
                  is_root ? above->consent->base : above->rule->type, is_root,
                  &type, err) != OK)
        return err->status;
    below.depth = is_root ? 0 : above->depth + 1;
    below.rule = consent_add_rule(above->consent, type, below.depth, err);
    if (below.rule == NULL)
        return error_wrap(err, "line %u: %s", json_line(place->value),
                          path_of(place).text);
    *above->next = below.rule;
    above->next = &below.rule->next;
    below.next = &below.rule->exception;
    return fill_rule(place, value, &below, err);
}

/* ---- the resource ---- */

enum {
    RESOURCE_TYPE,
    STATUS,
    SCOPE,
    PATIENT,
    POLICY_RULE,
    ROOT_PROVISION,
    RESOURCE_FIELDS = 19
};

static const struct field resource_fields[RESOURCE_FIELDS] = {
    [RESOURCE_TYPE] = {"resourceType", JSON_STRING, true, false},
    [STATUS] = {"status", JSON_STRING, true, false},
    [SCOPE] = {"scope", JSON_OBJECT, true, false},
    [PATIENT] = {"patient", JSON_OBJECT, true, false},
    [POLICY_RULE] = {"policyRule", JSON_OBJECT, false, false},
    [ROOT_PROVISION] = {"provision", JSON_OBJECT, false, false},
    {"id", JSON_STRING, false, true},
    {"meta", JSON_OBJECT, false, true},
    {"text", JSON_OBJECT, false, true},
    {"language", JSON_STRING, false, true},
    {"identifier", JSON_ARRAY, false, true},
    {"category", JSON_ARRAY, false, true},
    {"dateTime", JSON_STRING, false, true},
    {"performer", JSON_ARRAY, false, true},
    {"organization", JSON_ARRAY, false, true},
    {"sourceAttachment", JSON_OBJECT, false, true},
    {"sourceReference", JSON_OBJECT, false, true},
    {"verification", JSON_ARRAY, false, true},
    {"policy", JSON_ARRAY, false, true},
};

static enum status read_status(const struct place *place,
                               struct consent *consent, struct error *err)
{
    if (!consent_status_parse(bytes_of_string(json_string(place->value)),
                              &consent->status))
        return malformed(place, "a status of FHIR R4's Consent", err);
    return OK;
}

static enum status read_scope(const struct place *place, struct error *err)
{
    struct coding scope;

    if (read_concept(place, &scope, err) != OK)
        return err->status;
    if (!coding_is(&scope, HL7 "consentscope", "research"))
        return refused(place, "research, of consentscope", err);
    return OK;
}

static enum status read_policy_rule(const struct place *place,
                                    struct consent *consent, struct error *err)
{
    static const char act_code[] = HL7 "v3-ActCode";
    struct coding rule;

    if (place->value == NULL)
        return OK;
    if (read_concept(place, &rule, err) != OK)
        return err->status;
    if (coding_is(&rule, act_code, "OPTIN"))
        consent->base = CONSENT_TYPE_PERMIT;
    else if (coding_is(&rule, act_code, "OPTOUT"))
        consent->base = CONSENT_TYPE_DENY;
    else
        return refused(place, "OPTIN or OPTOUT, of v3-ActCode", err);
    return OK;
}

static enum status read_patient(const struct place *place,
                                struct consent *consent,
                                struct fhir_patient *patient, struct error *err)
{
    const char **string[] = {&patient->reference, &patient->system,
                             &patient->value};

    if (read_reference(place, patient, err) != OK)
        return err->status;
    if (patient->reference[0] == '\0' && patient->value[0] == '\0')
        return malformed(place, "a reference or an identifier", err);
    for (size_t i = 0; i < sizeof string / sizeof string[0]; i++) {
        *string[i] = arena_string(&consent->arena, bytes_of_string(*string[i]),
                                  "patient", err);
        if (*string[i] == NULL)
            return err->status;
    }
    return OK;
}

/* Without a provision the base is all that is said. */
static enum status read_root(const struct place *place, struct consent *consent,
                             struct error *err)
{
    struct target above = {.consent = consent, .next = &consent->rule};

    if (place->value != NULL)
        return read_provision(place, &above, err);
    consent->rule = consent_add_rule(consent, consent->base, 0, err);
    return consent->rule == NULL ? err->status : OK;
}

static enum status read_resource(struct consent *consent,
                                 struct fhir_patient *patient,
                                 const struct json_value *root,
                                 struct error *err)
{
    const struct place resource = {.value = root};
    const struct json_value *value[RESOURCE_FIELDS];
    struct place place[RESOURCE_FIELDS];

    if (json_kind(root) != JSON_OBJECT || is_empty(root))
        return error_set(err, E_INPUT, "%s, expected a resource",
                         json_kind_name(json_kind(root)));
    if (take_fields(&resource, resource_fields, RESOURCE_FIELDS, value, err) !=
        OK)
        return err->status;
    for (size_t i = 0; i < RESOURCE_FIELDS; i++)
        place[i] = member_place(&resource, resource_fields[i].name, value[i]);
    if (strcmp(json_string(value[RESOURCE_TYPE]), "Consent") != 0)
        return malformed(&place[RESOURCE_TYPE], "\"Consent\"", err);
    if (value[POLICY_RULE] == NULL && value[ROOT_PROVISION] != NULL &&
        json_member(value[ROOT_PROVISION], "type") == NULL)
        return error_set(err, E_REFUSED,
                         "line %u: policyRule: missing where the provision has "
                         "no type, expected one of them",
                         json_line(root));
    if (read_status(&place[STATUS], consent, err) != OK ||
        read_scope(&place[SCOPE], err) != OK ||
        read_patient(&place[PATIENT], consent, patient, err) != OK ||
        read_policy_rule(&place[POLICY_RULE], consent, err) != OK)
        return err->status;
    return read_root(&place[ROOT_PROVISION], consent, err);
}

enum status fhir_consent_read(struct consent *consent,
                              struct fhir_patient *patient, struct bytes text,
                              struct error *err)
{
    struct json *json = NULL;
    enum status status = OK;

    assert(consent->rule == NULL);
    *patient = (struct fhir_patient){"", "", ""};
    if (text.size > CONSENT_RESOURCE_SIZE_MAX)
        status = error_set(err, E_LIMIT, "%zu bytes, expected at most %u",
                           text.size, CONSENT_RESOURCE_SIZE_MAX);
    if (status == OK)
        status = json_parse(&json, text, err);
    if (status == OK)
        status = read_resource(consent, patient, json_root(json), err);
    json_destroy(&json);
    if (status == OK)
        return OK;
    consent_clear(consent);
    *patient = (struct fhir_patient){"", "", ""};
    return error_wrap(err, "consent");
}
