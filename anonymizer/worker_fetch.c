#include "anonymizer/worker_fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/encoding.h"
#include "common/limits.h"

/* A fetch that goes on. */
struct fetch {
    char release[RELEASE_TEXT_SIZE];
    char by[CERTIFICATE_ID_SIZE];
    uint64_t file;
    uint64_t next; /* offset */
    uint64_t used; /* when, in calls */
};

struct worker_fetches {
    struct worker_store *store;
    struct worker_events *events;
    const char *folder;
    uint64_t calls;
    struct fetch fetch[WORKER_FETCHES_MAX];
};

enum status worker_fetches_create(struct worker_fetches **out,
                                  struct worker_store *store,
                                  struct worker_events *events,
                                  const char *folder, struct error *err)
{
    struct worker_fetches *fetches = calloc(1, sizeof *fetches);

    *out = fetches;
    if (fetches == NULL)
        return error_memory(err, "fetches");
    fetches->store = store;
    fetches->events = events;
    fetches->folder = folder;
    return OK;
}

void worker_fetches_destroy(struct worker_fetches **fetches)
{
    free(*fetches);
    *fetches = NULL;
}

/* ---- whose it is ---- */

static bool is_recipient(const struct job_record *record,
                         const struct certificate *certificate)
{
    return strcmp(record->recipient, certificate_id(certificate)) == 0 &&
           strcmp(record->organisation,
                  certificate_subject(certificate)->organisation) == 0;
}

static enum status tell(struct worker_fetches *fetches,
                        const struct job_record *record,
                        const struct certificate *by, struct error *err)
{
    const struct access_told told = {.act = ACCESS_FETCH,
                                     .by = certificate_id(by),
                                     .dataset = &record->dataset,
                                     .permit = &record->permit,
                                     .release = record->release};

    return worker_events_release(fetches->events, &told, err);
}

static enum status find_release(struct worker_fetches *fetches,
                                const struct fetch_call *call,
                                struct job_record *record, struct error *err)
{
    uint8_t id[(RELEASE_TEXT_SIZE - 1) / 2];
    char release[RELEASE_TEXT_SIZE];
    bool found = false;
    enum status status = OK;

    if (hex_decode(call->release, id, sizeof id)) {
        hex_encode(bytes_of(id, sizeof id), release);
        status = worker_store_find_release(fetches->store, release, record,
                                           &found, err);
    }
    if (status != OK)
        return status;
    if (!found || record->state != JOB_PUBLISHED ||
        !is_recipient(record, call->certificate))
        return error_set(err, E_REFUSED,
                         "there is no such release for this certificate");
    return OK;
}

/* ---- a piece ---- */

/* The fetch that this piece goes on with, or a place for a new one. */
static struct fetch *find_fetch(struct worker_fetches *fetches,
                                const struct job_record *record,
                                const struct fetch_call *call, bool *goes_on)
{
    const char *by = certificate_id(call->certificate);
    struct fetch *oldest = &fetches->fetch[0];

    *goes_on = false;
    for (size_t i = 0; i < WORKER_FETCHES_MAX; i++) {
        struct fetch *fetch = &fetches->fetch[i];

        if (strcmp(fetch->release, record->release) == 0 &&
            strcmp(fetch->by, by) == 0 && fetch->file == call->file) {
            *goes_on = call->offset > 0 && call->offset == fetch->next;
            return fetch;
        }
        if (fetch->used < oldest->used)
            oldest = fetch;
    }
    return oldest;
}

static enum status begin_fetch(struct worker_fetches *fetches,
                               const struct job_record *record,
                               const struct fetch_call *call,
                               struct fetch *fetch, struct error *err)
{
    const char *by = certificate_id(call->certificate);
    enum status status = tell(fetches, record, call->certificate, err);

    if (status != OK)
        return status;
    memcpy(fetch->release, record->release, sizeof fetch->release);
    memcpy(fetch->by, by, strlen(by) + 1);
    fetch->file = call->file;
    return OK;
}

static enum status read_at(int fd, uint64_t offset, struct text *out,
                           const char *name, struct error *err)
{
    ssize_t got = 0;
    enum status status = text_reserve(out, PIECE_SIZE_MAX, err);

    if (status != OK)
        return status;
    do
        got = pread(fd, out->data + out->size, PIECE_SIZE_MAX, (off_t)offset);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return error_set_errno(err, E_IO, errno, "%s", name);
    out->size += (size_t)got;
    out->data[out->size] = '\0';
    return OK;
}

static enum status read_piece(const struct worker_fetches *fetches,
                              const struct job_record *record,
                              const struct fetch_call *call, uint64_t *size,
                              struct text *out, struct error *err)
{
    static const char *const name[] = {
        [FETCH_TABLE] = "release.csv",
        [FETCH_CERTIFICATE] = "certificate.json",
    };
    struct text path;
    struct stat found;
    int fd = -1;
    enum status status;

    text_init(&path);
    status = text_printf(&path, err, "%s/%s/%s", fetches->folder,
                         record->release, name[call->file]);
    if (status == OK) {
        fd = open(path.data, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 || fstat(fd, &found) != 0)
            status = error_set_errno(err, E_IO, errno, "%s", path.data);
    }
    if (status == OK && call->offset > (uint64_t)found.st_size)
        status = error_set(err, E_INPUT, "the offset is behind the end");
    if (status == OK) {
        *size = (uint64_t)found.st_size;
        status = read_at(fd, call->offset, out, path.data, err);
    }
    if (fd >= 0)
        close(fd);
    text_clear(&path);
    return status;
}

enum status worker_fetches_piece(struct worker_fetches *fetches,
                                 const struct fetch_call *call, uint64_t *size,
                                 struct text *out, struct error *err)
{
    size_t before = out->size;
    struct job_record record;
    struct fetch *fetch = NULL;
    bool goes_on = false;
    enum status status;

    if (call->file > FETCH_CERTIFICATE)
        return error_set(err, E_INPUT,
                         "there are file 0, the table, and file 1, its "
                         "certificate");
    job_record_init(&record);
    status = find_release(fetches, call, &record, err);
    if (status == OK) {
        fetch = find_fetch(fetches, &record, call, &goes_on);
        if (!goes_on)
            status = begin_fetch(fetches, &record, call, fetch, err);
    }
    if (status == OK)
        status = read_piece(fetches, &record, call, size, out, err);
    if (status == OK) {
        fetch->next = call->offset + (out->size - before);
        fetch->used = ++fetches->calls;
    }
    job_record_clear(&record);
    return status;
}
