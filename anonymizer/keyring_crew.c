#include "anonymizer/keyring_crew.h"

#include <stdlib.h>

#include "anonymizer/keyring.h"
#include "common/crew.h"
#include "common/limits.h"
#include "common/sign.h"

struct run {
    struct keyring_share share;
    enum status status;
    struct error err;
};

struct keyring_crew {
    struct crew *crew;
    keyring_work *work;
    void *context;
    size_t count;
    struct run run[KEYRING_SHARES];
};

enum status keyring_crew_create(struct keyring_crew **out, unsigned threads,
                                struct error *err)
{
    struct keyring_crew *crew = calloc(1, sizeof *crew);
    enum status status;

    *out = NULL;
    if (crew == NULL)
        return error_memory(err, "threads");
    status = crew_create(&crew->crew, threads > 1 ? threads - 1 : 0, err);
    for (size_t i = 0; status == OK && i < KEYRING_SHARES; i++) {
        struct keyring_share *share = &crew->run[i].share;

        share->key = secret_allocate(sizeof *share->key);
        status = share->key == NULL ? error_memory(err, "a subject's key")
                                    : seal_create(&share->seal, err);
    }
    if (status != OK)
        keyring_crew_destroy(&crew);
    *out = crew;
    return status;
}

void keyring_crew_destroy(struct keyring_crew **handle)
{
    struct keyring_crew *crew = *handle;

    if (crew == NULL)
        return;
    crew_destroy(&crew->crew);
    for (size_t i = 0; i < KEYRING_SHARES; i++) {
        seal_destroy(&crew->run[i].share.seal);
        secret_release(crew->run[i].share.key, sizeof(struct subject_key));
    }
    free(crew);
    *handle = NULL;
}

static void run_share(void *context, size_t i)
{
    struct keyring_crew *crew = context;
    struct run *run = &crew->run[i];
    size_t end = (i + 1) * crew->count / KEYRING_SHARES;

    run->status = OK;
    for (size_t item = i * crew->count / KEYRING_SHARES;
         run->status == OK && item < end; item++)
        run->status = crew->work(crew->context, &run->share, item, &run->err);
    secret_wipe(run->share.key, sizeof *run->share.key);
}

enum status keyring_crew_run(struct keyring_crew *crew, size_t count,
                             keyring_work *work, void *context,
                             struct error *err)
{
    crew->work = work;
    crew->context = context;
    crew->count = count;
    crew_run(crew->crew, KEYRING_SHARES, run_share, crew);
    for (size_t i = 0; i < KEYRING_SHARES; i++)
        if (crew->run[i].status != OK) {
            *err = crew->run[i].err;
            return err->status;
        }
    return OK;
}
