#include <assert.h>
#include <string.h>

#include "anonymizer/keyring_internal.h"

#define TAG_SIZE ((size_t)24)

struct association {
    uint8_t tag[TAG_SIZE];
    uint8_t keyring[NAME_SIZE];
    uint8_t epoch[NAME_SIZE];
    uint8_t subject[SUBJECT_ID_SIZE];
    uint8_t key_id[KEY_ID_SIZE];
};

/* What a wrapped key belongs to.  Without a subject: the epoch's own check. */
static struct association associate(const struct keyring *keyring,
                                    const struct epoch *epoch,
                                    const struct subject_id *subject,
                                    const uint8_t key_id[KEY_ID_SIZE])
{
    static const char wrap_tag[TAG_SIZE] = "anchorite wrapped key 1";
    static const char check_tag[TAG_SIZE] = "anchorite epoch check 1";
    struct association out;

    memset(&out, 0, sizeof out);
    memcpy(out.tag, subject == NULL ? check_tag : wrap_tag, TAG_SIZE);
    memcpy(out.keyring, keyring->name, NAME_SIZE);
    memcpy(out.epoch, epoch->name, NAME_SIZE);
    if (subject != NULL) {
        memcpy(out.subject, subject->byte, SUBJECT_ID_SIZE);
        memcpy(out.key_id, key_id, KEY_ID_SIZE);
    }
    return out;
}

static struct bytes association_bytes(const struct association *association)
{
    return bytes_of(association, sizeof *association);
}

enum status keyring_wrap(const struct keyring *keyring, struct seal *seal,
                         const struct epoch *epoch,
                         const struct subject_id *subject,
                         const struct subject_key *key,
                         struct wrapped_key *wrapped, struct error *err)
{
    struct association associated =
        associate(keyring, epoch, subject, wrapped->id);

    static_assert(sizeof *key == SEAL_KEY_SIZE + SALT_SIZE, "no padding");
    return seal_close(seal, epoch->key, association_bytes(&associated),
                      bytes_of(key, sizeof *key), wrapped->wrapped, err);
}

enum status keyring_unwrap_by(const struct keyring *keyring, struct seal *seal,
                              const struct subject_id *subject,
                              const struct wrapped_key *wrapped,
                              struct subject_key *key, struct error *err)
{
    struct association associated =
        associate(keyring, keyring->epoch, subject, wrapped->id);
    enum status status = seal_open(
        seal, keyring->epoch->key, association_bytes(&associated),
        bytes_of(wrapped->wrapped, WRAPPED_SIZE), (uint8_t *)key, err);

    return status == E_REFUSED
               ? keyring_altered(keyring, "a wrapped key is damaged", err)
               : status;
}

enum status keyring_unwrap(struct keyring *keyring,
                           const struct subject_id *subject,
                           const struct wrapped_key *wrapped,
                           struct subject_key *key, struct error *err)
{
    return keyring_unwrap_by(keyring, keyring->seal, subject, wrapped, key,
                             err);
}

enum status keyring_check_close(const struct keyring *keyring,
                                const struct epoch *epoch,
                                uint8_t check[SEAL_EXTRA], struct error *err)
{
    struct association associated = associate(keyring, epoch, NULL, NULL);

    return seal_close(keyring->seal, epoch->key, association_bytes(&associated),
                      bytes_of(NULL, 0), check, err);
}

enum status keyring_check_open(const struct keyring *keyring,
                               const struct epoch *epoch,
                               const uint8_t check[SEAL_EXTRA],
                               struct error *err)
{
    struct association associated = associate(keyring, epoch, NULL, NULL);
    uint8_t nothing[1];

    return seal_open(keyring->seal, epoch->key, association_bytes(&associated),
                     bytes_of(check, SEAL_EXTRA), nothing, err);
}
