#include "ledger/registry.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"

#define STATE_ENROLLED 1
#define STATE_REVOKED 0

struct known {
    char id[CERTIFICATE_ID_SIZE];
    struct registered registered;
};

struct registry {
    const struct genesis *genesis;
    struct ledger_store *store;
    struct known **slot; /* hash table by id; NULL is empty */
    size_t slot_count, count;
    struct hash_key key;
};

enum status registry_create(struct registry **out,
                            const struct genesis *genesis,
                            struct ledger_store *store, struct error *err)
{
    struct registry *registry = calloc(1, sizeof *registry);
    enum status status;

    *out = NULL;
    if (registry == NULL)
        return error_memory(err, "the certificates");
    registry->genesis = genesis;
    registry->store = store;
    status = hash_key_draw(&registry->key, err);
    if (status != OK)
        registry_destroy(&registry);
    *out = registry;
    return status;
}

void registry_reset(struct registry *registry)
{
    for (size_t i = 0; i < registry->slot_count; i++) {
        if (registry->slot[i] == NULL)
            continue;
        certificate_destroy(&registry->slot[i]->registered.certificate);
        free(registry->slot[i]);
        registry->slot[i] = NULL;
    }
    registry->count = 0;
}

void registry_trim(struct registry *registry)
{
    if (registry->count > REGISTRY_KEPT_MAX)
        registry_reset(registry);
}

void registry_destroy(struct registry **registry)
{
    if (*registry == NULL)
        return;
    registry_reset(*registry);
    free((*registry)->slot);
    free(*registry);
    *registry = NULL;
}

static size_t slot_of(const struct registry *registry, const char *id)
{
    size_t at = hash_bytes(&registry->key, bytes_of_string(id)) &
                (registry->slot_count - 1);

    while (registry->slot[at] != NULL &&
           strcmp(registry->slot[at]->id, id) != 0)
        at = (at + 1) & (registry->slot_count - 1);
    return at;
}

static enum status grow(struct registry *registry, struct error *err)
{
    size_t count = registry->slot_count == 0 ? 64 : 2 * registry->slot_count;
    struct known **old = registry->slot;
    size_t old_count = registry->slot_count;
    struct known **slot = calloc(count, sizeof(struct known *));

    if (slot == NULL)
        return error_memory(err, "the certificates");
    registry->slot = slot;
    registry->slot_count = count;
    for (size_t i = 0; i < old_count; i++)
        if (old[i] != NULL)
            slot[slot_of(registry, old[i]->id)] = old[i];
    free(old);
    return OK;
}

/* What was enrolled has been looked at: if it is no good now, it is not what
 * was enrolled. */
static enum status check_altered(enum status status, struct error *err)
{
    if (status != E_INPUT && status != E_LIMIT && status != E_REFUSED)
        return status;
    return error_set(err, E_INPUT,
                     "the state of a certificate is not what was written; the "
                     "database was altered");
}

static enum status decode(const struct registry *registry, const char *id,
                          struct bytes der, struct known *known,
                          struct error *err)
{
    struct registered *registered = &known->registered;
    enum status status = certificate_decode(&registered->certificate, der, err);

    if (status == OK)
        status = genesis_validity(registry->genesis, registered->certificate,
                                  &registered->validity, err);
    if (status == OK &&
        strcmp(certificate_id(registered->certificate), id) != 0)
        status = error_set(err, E_INPUT, "another certificate");
    return check_altered(status, err);
}

static void set_revoked(struct registry *registry, const char *id,
                        uint64_t position)
{
    struct registered *registered =
        &registry->slot[slot_of(registry, id)]->registered;

    registered->revoked = true;
    registered->revoked_at = position;
}

static enum status remember(struct registry *registry, const char *id,
                            struct bytes der, const struct registered **found,
                            struct error *err)
{
    struct known *known;
    enum status status = OK;

    if (2 * (registry->count + 1) > registry->slot_count)
        status = grow(registry, err);
    if (status != OK)
        return status;
    known = calloc(1, sizeof *known);
    if (known == NULL)
        return error_memory(err, "the certificates");
    status = decode(registry, id, der, known, err);
    if (status != OK) {
        certificate_destroy(&known->registered.certificate);
        free(known);
        return status;
    }
    memcpy(known->id, certificate_id(known->registered.certificate),
           sizeof known->id);
    registry->slot[slot_of(registry, id)] = known;
    registry->count++;
    *found = &known->registered;
    return OK;
}

static const struct certificate *find_in_genesis(const struct genesis *genesis,
                                                 const char *id)
{
    for (size_t i = 0; i < genesis->members.count; i++)
        if (strcmp(certificate_id(genesis->members.item[i]), id) == 0)
            return genesis->members.item[i];
    for (size_t i = 0; i < genesis->node_count; i++)
        if (strcmp(certificate_id(genesis->node[i].certificate), id) == 0)
            return genesis->node[i].certificate;
    return NULL;
}

static void state_key(const char *id, char key[64])
{
    snprintf(key, 64, "certificate/%s", id);
}

enum status registry_find(struct registry *registry, const char *id,
                          const struct registered **found, struct error *err)
{
    const struct certificate *original;
    struct text value;
    uint64_t version;
    char key[64];
    enum status status;

    *found = NULL;
    if (registry->slot_count > 0 &&
        registry->slot[slot_of(registry, id)] != NULL) {
        *found = &registry->slot[slot_of(registry, id)]->registered;
        return OK;
    }
    text_init(&value);
    state_key(id, key);
    status = ledger_store_get(registry->store, key, &value, &version, err);
    original = find_in_genesis(registry->genesis, id);
    if (status == OK && version != STORE_NONE &&
        (value.size < 2 ||
         (value.data[0] != STATE_ENROLLED && value.data[0] != STATE_REVOKED)))
        status = check_altered(E_INPUT, err);
    else if (status == OK && version != STORE_NONE)
        status = remember(registry, id,
                          bytes_of(value.data + 1, value.size - 1), found, err);
    else if (status == OK && original != NULL)
        status = remember(registry, id, certificate_der(original), found, err);
    if (status == OK && version != STORE_NONE && value.data[0] == STATE_REVOKED)
        set_revoked(registry, id, version);
    text_clear(&value);
    return status;
}

static enum status write_state(struct registry *registry,
                               const struct certificate *certificate,
                               char state, uint64_t position, struct error *err)
{
    struct bytes der = certificate_der(certificate);
    struct text value;
    char key[64];
    enum status status;

    text_init(&value);
    state_key(certificate_id(certificate), key);
    status = text_append(&value, &state, 1, err);
    if (status == OK)
        status = text_append(&value, der.data, der.size, err);
    if (status == OK)
        status = ledger_store_put(registry->store, key, text_bytes(&value),
                                  position, err);
    text_clear(&value);
    return status;
}

enum status registry_enrol(struct registry *registry,
                           const struct certificate *certificate,
                           uint64_t position, struct error *err)
{
    return write_state(registry, certificate, STATE_ENROLLED, position, err);
}

enum status registry_revoke(struct registry *registry, const char *id,
                            uint64_t position, struct error *err)
{
    const struct registered *found;
    enum status status = registry_find(registry, id, &found, err);

    if (status != OK)
        return status;
    /* rules_judge found it. */
    assert(found != NULL);
    status =
        write_state(registry, found->certificate, STATE_REVOKED, position, err);
    if (status == OK)
        set_revoked(registry, id, position);
    return status;
}
