#include "anonymizer/worker_secret.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/secret_file.h"
#include "common/sign.h"

struct keys {
    uint8_t seal[SEAL_KEY_SIZE];
    uint8_t handles[ACCESS_KEY_SIZE];
};

struct worker_secret {
    struct keys *keys; /* of secret_allocate */
    struct seal *seal;
    pthread_mutex_t lock; /* of seal */
};

enum status worker_secret_create(const char *path, struct error *err)
{
    struct keys *keys = secret_allocate(sizeof *keys);
    enum status status;

    if (keys == NULL)
        return error_memory(err, "the anonymizer's secret");
    status = random_secret(keys, sizeof *keys, err);
    if (status == OK)
        status = secret_file_create(path, bytes_of(keys, sizeof *keys), err);
    secret_release(keys, sizeof *keys);
    return status;
}

enum status worker_secret_open(struct worker_secret **out, const char *path,
                               struct error *err)
{
    struct worker_secret *secret = calloc(1, sizeof *secret);
    enum status status;

    *out = NULL;
    if (secret == NULL)
        return error_memory(err, "the anonymizer's secret");
    pthread_mutex_init(&secret->lock, NULL);
    secret->keys = secret_allocate(sizeof *secret->keys);
    status = secret->keys == NULL ? error_memory(err, "the anonymizer's secret")
                                  : secret_file_read(path, secret->keys,
                                                     sizeof *secret->keys, err);
    if (status == OK)
        status = seal_create(&secret->seal, err);
    if (status != OK)
        worker_secret_close(&secret);
    *out = secret;
    return status;
}

void worker_secret_close(struct worker_secret **handle)
{
    struct worker_secret *secret = *handle;

    if (secret == NULL)
        return;
    seal_destroy(&secret->seal);
    secret_release(secret->keys, sizeof *secret->keys);
    pthread_mutex_destroy(&secret->lock);
    free(secret);
    *handle = NULL;
}

const uint8_t *worker_secret_handles(const struct worker_secret *secret)
{
    return secret->keys->handles;
}

enum status worker_secret_seal(struct worker_secret *secret, struct bytes about,
                               struct bytes plain, uint8_t *sealed,
                               struct error *err)
{
    enum status status;

    pthread_mutex_lock(&secret->lock);
    status =
        seal_close(secret->seal, secret->keys->seal, about, plain, sealed, err);
    pthread_mutex_unlock(&secret->lock);
    return status;
}

enum status worker_secret_reveal(struct worker_secret *secret,
                                 struct bytes about, struct bytes sealed,
                                 void *plain, size_t size, struct error *err)
{
    enum status status;

    if (sealed.size != size + SEAL_EXTRA)
        return error_set(err, E_INPUT, "a sealed secret was altered");
    pthread_mutex_lock(&secret->lock);
    status =
        seal_open(secret->seal, secret->keys->seal, about, sealed, plain, err);
    pthread_mutex_unlock(&secret->lock);
    if (status == E_REFUSED)
        status = error_set(err, E_INPUT, "a sealed secret was altered");
    return status;
}
