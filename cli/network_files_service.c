#include <stdio.h>
#include <string.h>

#include "cli/network_files_internal.h"
#include "common/subject_id.h"

/* "<organisation>.<role>" and a NUL. */
#define SERVICE_NAME_SIZE (2 * IDENTITY_NAME_MAX + 2)

/* Where each stands among the maker's services and what its folder holds from
 * the beginning. */
static const enum identity_role services[NETWORK_FILES_SERVICES] = {
    IDENTITY_BROKER,
    IDENTITY_ANONYMIZER,
};
static const char *const vault_folders[] = {
    "anonymizer/keys",
    "anonymizer/epoch",
    "anonymizer/jobs",
    "anonymizer/releases",
};

struct setting {
    const char *key, *value;
};

/* What both services are told. */
static const struct setting common_settings[] = {
    {"network", ".."},        {"genesis", "../genesis.json"},
    {"key", "key.pem"},       {"certificate", "certificate.pem"},
    {"curve", "curve.key"},   {"listen", "ipc://socket"},
    {"database", "state.db"}, {"log", "info"},
};
static const struct setting vault_settings[] = {
    {"trust", "../trust.json"}, {"vault", "vault.db"}, {"keys", "keys/keys.db"},
    {"epoch", "epoch"},         {"jobs", "jobs"},      {"releases", "releases"},
};

static enum status add_settings(struct json_value *root,
                                const struct setting *setting, size_t count,
                                struct error *err)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < count; i++)
        status = json_add_string(root, setting[i].key, setting[i].value, err);
    return status;
}

/* "north.broker" */
static void service_name(const char *organisation, enum identity_role role,
                         char out[SERVICE_NAME_SIZE])
{
    snprintf(out, SERVICE_NAME_SIZE, "%s.%s", organisation,
             identity_role_name(role));
}

static enum status add_config(struct json_value *root,
                              const struct certificate_subject *subject,
                              struct error *err)
{
    bool is_broker = subject->role == IDENTITY_BROKER;
    char name[SERVICE_NAME_SIZE];
    enum status status =
        json_add_integer(root, identity_role_name(subject->role), 1, err);

    service_name(subject->organisation, subject->role, name);
    if (status == OK)
        status = json_add_string(root, "name", name, err);
    if (status == OK)
        status =
            add_settings(root, common_settings,
                         sizeof common_settings / sizeof *common_settings, err);
    if (status == OK && is_broker) {
        service_name(subject->organisation, IDENTITY_ANONYMIZER, name);
        status = json_add_string(root, "anonymizer", name, err);
    } else if (status == OK) {
        status =
            add_settings(root, vault_settings,
                         sizeof vault_settings / sizeof *vault_settings, err);
        if (status == OK)
            status = json_add_integer(root, "threads", 0, err);
    }
    return status;
}

static enum status make_service(const struct maker *maker,
                                struct made_service *service,
                                const struct party *party, struct error *err)
{
    const struct certificate_subject *subject =
        certificate_subject(party->certificate);
    const char *folder = identity_role_name(subject->role);
    struct json *json = NULL;
    enum status status = network_files_folder(maker, folder, err);

    if (status == OK)
        status = network_files_party(maker, folder, party, err);
    if (status == OK)
        status = network_files_curve(maker, folder, &service->curve, err);
    if (status == OK)
        status = json_create(&json, err);
    if (status == OK)
        status = add_config(json_edit_root(json), subject, err);
    if (status == OK)
        status = network_files_json(maker, folder, "config.json", json, err);
    for (size_t i = 0; status == OK && subject->role == IDENTITY_ANONYMIZER &&
                       i < sizeof vault_folders / sizeof *vault_folders;
         i++)
        status = network_files_folder(maker, vault_folders[i], err);
    json_destroy(&json);
    memcpy(service->certificate, certificate_id(party->certificate),
           sizeof service->certificate);
    return status;
}

static enum status make_custodian(const struct maker *maker, const char *name,
                                  struct error *err)
{
    struct text path;
    enum status status;

    text_init(&path);
    status = text_printf(&path, err, "%s/consents", name);
    if (status == OK)
        status = network_files_folder(maker, path.data, err);
    text_reset(&path);
    if (status == OK)
        status =
            text_printf(&path, err, "%s/%s/subject.key", maker->folder, name);
    if (status == OK)
        status = subject_id_key_create(path.data, err);
    text_clear(&path);
    return status;
}

enum status network_files_service(struct maker *maker, const char *name,
                                  const struct party *party, struct error *err)
{
    enum identity_role role = certificate_subject(party->certificate)->role;

    if (role == IDENTITY_CUSTODIAN)
        return make_custodian(maker, name, err);
    for (size_t i = 0; i < NETWORK_FILES_SERVICES; i++)
        if (role == services[i])
            return make_service(maker, &maker->service[i], party, err);
    return OK;
}

enum status network_files_list_services(const struct maker *maker,
                                        const char *organisation,
                                        struct json_value *root,
                                        struct error *err)
{
    struct json_value *list, *object;
    enum status status = json_add_array(root, "services", &list, err);

    for (size_t i = 0; status == OK && i < NETWORK_FILES_SERVICES; i++) {
        const char *role = identity_role_name(services[i]);
        char name[SERVICE_NAME_SIZE];
        char endpoint[ENDPOINT_SIZE_MAX];

        service_name(organisation, services[i], name);
        snprintf(endpoint, sizeof endpoint, "ipc://%s/socket", role);
        status = json_add_object(list, NULL, &object, err);
        if (status == OK)
            status = json_add_string(object, "name", name, err);
        if (status == OK)
            status = json_add_string(object, "role", role, err);
        if (status == OK)
            status = json_add_string(object, "organisation", organisation, err);
        if (status == OK)
            status = json_add_string(object, "endpoint", endpoint, err);
        if (status == OK)
            status = json_add_string(object, "curve",
                                     maker->service[i].curve.text, err);
        if (status == OK)
            status = json_add_string(object, "certificate",
                                     maker->service[i].certificate, err);
    }
    return status;
}
