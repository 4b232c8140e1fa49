#include <assert.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "common/identity_internal.h"

static const char *const role_names[] = {
#define ROLE_NAME(name, id) name,
    ROLE_TABLE(ROLE_NAME)
#undef ROLE_NAME
};

const char *identity_role_name(enum identity_role role)
{
    assert((unsigned)role < IDENTITY_ROLE_COUNT);
    return role_names[role];
}

bool identity_role_parse(struct bytes name, enum identity_role *role)
{
    for (int i = 0; i < IDENTITY_ROLE_COUNT; i++)
        if (bytes_equal_string(name, role_names[i])) {
            *role = (enum identity_role)i;
            return true;
        }
    return false;
}

static bool is_alphanumeric(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9');
}

bool identity_name_valid(struct bytes name)
{
    if (name.size == 0 || name.size > IDENTITY_NAME_MAX ||
        !is_alphanumeric(name.data[0]))
        return false;
    for (size_t i = 1; i < name.size; i++)
        if (!is_alphanumeric(name.data[i]) && name.data[i] != '.' &&
            name.data[i] != '-' && name.data[i] != '_')
            return false;
    return true;
}

enum status identity_check_subject(const struct certificate_subject *subject,
                                   struct error *err)
{
    if (!identity_name_valid(bytes_of_string(subject->organisation)))
        return error_set(err, E_INPUT,
                         "the organisation's name needs 1 to %d letters, "
                         "digits, dots, dashes or underscores, a letter or "
                         "digit first",
                         IDENTITY_NAME_MAX);
    if (!identity_name_valid(bytes_of_string(subject->name)))
        return error_set(err, E_INPUT,
                         "the name needs 1 to %d letters, digits, dots, dashes "
                         "or underscores, a letter or digit first",
                         IDENTITY_NAME_MAX);
    assert(subject->is_authority ||
           (unsigned)subject->role < IDENTITY_ROLE_COUNT);
    return OK;
}

static bool put_attribute(X509_NAME *name, int nid, const char *value)
{
    return X509_NAME_add_entry_by_NID(name, nid, V_ASN1_UTF8STRING,
                                      (const unsigned char *)value, -1, -1,
                                      0) == 1;
}

X509_NAME *identity_name_create(const struct certificate_subject *subject)
{
    X509_NAME *name = X509_NAME_new();

    if (name == NULL)
        return NULL;
    if (put_attribute(name, NID_organizationName, subject->organisation) &&
        (subject->is_authority ||
         put_attribute(name, NID_organizationalUnitName,
                       identity_role_name(subject->role))) &&
        put_attribute(name, NID_commonName, subject->name))
        return name;
    X509_NAME_free(name);
    return NULL;
}

/* The three parts of a name as they are read. */
struct name_parts {
    char organisation[IDENTITY_NAME_MAX + 1];
    char unit[IDENTITY_NAME_MAX + 1];
    char name[IDENTITY_NAME_MAX + 1];
};

/* Copy the value of an attribute to its part; what is wrong, or NULL. */
static const char *read_attribute(const X509_NAME_ENTRY *entry, int place,
                                  struct name_parts *parts)
{
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
    struct bytes bytes = bytes_of(ASN1_STRING_get0_data(value),
                                  (size_t)ASN1_STRING_length(value));
    char *part;

    switch (OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry))) {
    case NID_organizationName:
        part = parts->organisation;
        break;
    case NID_organizationalUnitName:
        part = parts->unit;
        break;
    case NID_commonName:
        part = parts->name;
        break;
    default:
        return "has another attribute than O, OU and CN";
    }
    if (X509_NAME_ENTRY_set(entry) != place)
        return "has two attributes in one place";
    if (part[0] != '\0')
        return "has an attribute twice";
    if (ASN1_STRING_type(value) != V_ASN1_UTF8STRING)
        return "has an attribute that is no UTF8String";
    if (!identity_name_valid(bytes))
        return "has an attribute that is not of 1 to 64 letters, digits, dots, "
               "dashes and underscores";
    memcpy(part, bytes.data, bytes.size);
    part[bytes.size] = '\0';
    return NULL;
}

enum status identity_name_read(const X509_NAME *name, const char *whose,
                               struct certificate_subject *subject,
                               struct error *err)
{
    struct name_parts parts = {"", "", ""};
    const char *wrong = NULL;

    *subject = (struct certificate_subject){.organisation = ""};
    for (int i = 0; i < X509_NAME_entry_count(name) && wrong == NULL; i++)
        wrong = read_attribute(X509_NAME_get_entry(name, i), i, &parts);
    if (wrong == NULL &&
        (parts.organisation[0] == '\0' || parts.name[0] == '\0'))
        wrong = "lacks O or CN";
    else if (wrong == NULL && parts.unit[0] != '\0' &&
             !identity_role_parse(bytes_of_string(parts.unit), &subject->role))
        wrong = "has an unknown role in OU";
    if (wrong != NULL)
        return error_set(err, E_INPUT, "the %s %s", whose, wrong);
    memcpy(subject->organisation, parts.organisation,
           sizeof parts.organisation);
    memcpy(subject->name, parts.name, sizeof parts.name);
    subject->is_authority = parts.unit[0] == '\0';
    return OK;
}

bool identity_same_authority(const struct certificate_subject *a,
                             const struct certificate_subject *b)
{
    return a->is_authority && b->is_authority &&
           strcmp(a->organisation, b->organisation) == 0 &&
           strcmp(a->name, b->name) == 0;
}
