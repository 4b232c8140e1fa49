#include "common/subject_id.h"

#include <assert.h>

#include "common/encoding.h"
#include "common/identity.h"
#include "common/secret_file.h"
#include "common/sign.h"

#define KEY_SIZE 32

struct subject_id_key {
    uint8_t byte[KEY_SIZE];
};

enum status subject_id_key_create(const char *path, struct error *err)
{
    struct subject_id_key *key = secret_allocate(sizeof *key);
    enum status status;

    if (key == NULL)
        return error_memory(err, "a key");
    status = random_secret(key->byte, KEY_SIZE, err);
    if (status == OK)
        status = secret_file_create(path, bytes_of(key->byte, KEY_SIZE), err);
    subject_id_key_close(&key);
    return status;
}

enum status subject_id_key_open(struct subject_id_key **out, const char *path,
                                struct error *err)
{
    struct subject_id_key *key = secret_allocate(sizeof *key);
    enum status status;

    if (key == NULL)
        return error_memory(err, "a key");
    status = secret_file_read(path, key->byte, KEY_SIZE, err);
    if (status != OK)
        subject_id_key_close(&key);
    *out = key;
    return status;
}

void subject_id_key_close(struct subject_id_key **key)
{
    if (*key != NULL)
        secret_release(*key, sizeof **key);
    *key = NULL;
}

enum status subject_id_derive(const struct subject_id_key *key,
                              const char *organisation,
                              struct bytes patient_number,
                              struct subject_id *id, struct error *err)
{
    size_t name_size = strlen(organisation);
    uint8_t message[IDENTITY_NAME_MAX + 1 + PATIENT_NUMBER_MAX], out[HMAC_SIZE];
    size_t size = name_size + 1 + patient_number.size;
    enum status status;

    assert(name_size > 0);
    if (name_size > IDENTITY_NAME_MAX)
        return error_set(err, E_LIMIT,
                         "the organisation's name has %zu bytes, the limit is "
                         "%d",
                         name_size, IDENTITY_NAME_MAX);
    if (patient_number.size == 0)
        return error_set(err, E_INPUT, "the patient's number is empty");
    if (patient_number.size > PATIENT_NUMBER_MAX)
        return error_set(err, E_LIMIT,
                         "a patient's number has %zu bytes, the limit is %d",
                         patient_number.size, PATIENT_NUMBER_MAX);
    /* The NUL behind the name goes along; no name holds one. */
    memcpy(message, organisation, name_size + 1);
    memcpy(message + name_size + 1, patient_number.data, patient_number.size);
    status = hmac_sha256(bytes_of(key->byte, KEY_SIZE), bytes_of(message, size),
                         out, err);
    if (status == OK)
        memcpy(id->byte, out, SUBJECT_ID_SIZE);
    secret_wipe(message, sizeof message);
    secret_wipe(out, sizeof out);
    return status;
}

int subject_id_compare(const struct subject_id *a, const struct subject_id *b)
{
    return memcmp(a->byte, b->byte, SUBJECT_ID_SIZE);
}

void subject_id_hex(const struct subject_id *id, char hex[SUBJECT_ID_HEX_SIZE])
{
    hex_encode(bytes_of(id->byte, SUBJECT_ID_SIZE), hex);
}

bool subject_id_parse(struct subject_id *id, struct bytes text)
{
    return hex_decode(text, id->byte, SUBJECT_ID_SIZE);
}
