#include "cli/consent_archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/encoding.h"
#include "common/files.h"
#include "common/limits.h"
#include "common/process.h"
#include "common/sign.h"

/* A hash table of digests, which are as good as random already: open
 * addressing, at most half full. */
#define SLOTS_MIN 1024
#define UNANSWERED_RANDOM_SIZE 16

struct consent_archive {
    struct text folder;
    struct digest *slot; /* all zeros: empty */
    size_t slot_count;   /* a power of two */
    size_t known_count;
    struct digest batch[CONSENTS_BATCH_MAX];
    size_t batch_count;
};

static enum status archive_path(const struct consent_archive *archive,
                                const char *name, struct text *out,
                                struct error *err)
{
    return network_path(archive->folder.data, name, out, err);
}

/* ---- what is known ---- */

/* Where it is, or where it would go. */
static size_t find_slot(const struct digest *slots, size_t count,
                        const struct digest *resource)
{
    static const struct digest none;
    size_t at = (size_t)get_be64(resource->byte) & (count - 1);

    while (memcmp(&slots[at], &none, sizeof none) != 0 &&
           memcmp(&slots[at], resource, sizeof *resource) != 0)
        at = (at + 1) & (count - 1);
    return at;
}

static enum status grow(struct consent_archive *archive, struct error *err)
{
    size_t count =
        archive->slot_count > 0 ? 2 * archive->slot_count : SLOTS_MIN;
    struct digest *slots = calloc(count, sizeof *slots);

    if (slots == NULL)
        return error_memory(err, "the known consents");
    for (size_t i = 0; i < archive->slot_count; i++)
        slots[find_slot(slots, count, &archive->slot[i])] = archive->slot[i];
    free(archive->slot);
    archive->slot = slots;
    archive->slot_count = count;
    return OK;
}

static enum status learn(struct consent_archive *archive,
                         const struct digest *resource, struct error *err)
{
    size_t at;

    if (2 * (archive->known_count + 1) > archive->slot_count &&
        grow(archive, err) != OK)
        return err->status;
    at = find_slot(archive->slot, archive->slot_count, resource);
    if (memcmp(&archive->slot[at], resource, sizeof *resource) != 0)
        archive->known_count++;
    archive->slot[at] = *resource;
    return OK;
}

bool consent_archive_knows(const struct consent_archive *archive,
                           const struct digest *resource)
{
    size_t at = find_slot(archive->slot, archive->slot_count, resource);

    return memcmp(&archive->slot[at], resource, sizeof *resource) == 0;
}

/* What a crash has cut off at the end belongs to a batch that is not settled,
 * and goes when the next one is. */
static enum status read_known(struct consent_archive *archive, const char *path,
                              struct error *err)
{
    struct digest block[CONSENTS_BATCH_MAX];
    size_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum status status = OK;

    if (fd < 0)
        return errno == ENOENT
                   ? OK
                   : error_set_errno(err, E_INPUT, errno, "%s", path);
    do {
        status = descriptor_read(fd, block, sizeof block, &got, path, err);
        for (size_t i = 0; status == OK && i < got / sizeof *block; i++)
            status = learn(archive, &block[i], err);
    } while (status == OK && got == sizeof block);
    close(fd);
    return status;
}

enum status consent_archive_open(struct consent_archive **out,
                                 const struct session *session,
                                 struct error *err)
{
    struct consent_archive *archive = calloc(1, sizeof *archive);
    struct text path;
    enum status status;

    *out = NULL;
    if (archive == NULL)
        return error_memory(err, "the archive of consents");
    text_init(&path);
    text_init(&archive->folder);
    status = session_path(session, "consents", &archive->folder, err);
    if (status == OK)
        status = process_check_folder(archive->folder.data, err);
    if (status == OK)
        status = grow(archive, err);
    if (status == OK)
        status = archive_path(archive, "known", &path, err);
    if (status == OK)
        status = read_known(archive, path.data, err);
    text_clear(&path);
    if (status != OK)
        consent_archive_close(&archive);
    *out = archive;
    return status;
}

void consent_archive_close(struct consent_archive **handle)
{
    struct consent_archive *archive = *handle;

    if (archive == NULL)
        return;
    text_clear(&archive->folder);
    free(archive->slot);
    free(archive);
    *handle = NULL;
}

/* ---- a batch ---- */

enum status consent_archive_add(struct consent_archive *archive,
                                const struct digest *resource,
                                struct error *err)
{
    enum status status = learn(archive, resource, err);

    if (status == OK)
        archive->batch[archive->batch_count++] = *resource;
    return status;
}

/* Nobody knows whether the broker has what was not answered. */
static enum status put_aside(const struct consent_archive *archive,
                             const char *sending, struct error *err)
{
    uint8_t random[UNANSWERED_RANDOM_SIZE];
    char hex[2 * UNANSWERED_RANDOM_SIZE + 1];
    struct text path;
    enum status status = random_secret(random, sizeof random, err);

    if (status != OK)
        return status;
    hex_encode(bytes_of(random, sizeof random), hex);
    text_init(&path);
    status = text_printf(&path, err, "%s/unanswered-%s.ndjson",
                         archive->folder.data, hex);
    if (status == OK && rename(sending, path.data) != 0 && errno != ENOENT)
        status = error_set_errno(err, E_IO, errno, "%s", sending);
    text_clear(&path);
    return status;
}

enum status consent_archive_keep(struct consent_archive *archive,
                                 struct bytes lines, struct error *err)
{
    struct new_file *file = NULL;
    struct text path;
    enum status status;

    text_init(&path);
    status = archive_path(archive, "sending.ndjson", &path, err);
    if (status == OK)
        status = put_aside(archive, path.data, err);
    if (status == OK)
        status = new_file_create(&file, path.data, 0600, err);
    if (status == OK)
        status =
            descriptor_write(new_file_descriptor(file), lines, path.data, err);
    if (status == OK)
        status = new_file_publish(&file, err);
    new_file_discard(&file);
    text_clear(&path);
    return status;
}

/* Only whole batches count, so what a crash has cut off is overwritten. */
static enum status append_known(const struct consent_archive *archive,
                                struct error *err)
{
    struct bytes bytes =
        bytes_of(archive->batch, archive->batch_count * sizeof *archive->batch);
    struct stat about;
    struct text path;
    int fd = -1;
    enum status status;

    text_init(&path);
    status = archive_path(archive, "known", &path, err);
    if (status == OK)
        fd = open(path.data, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (status == OK &&
        (fd < 0 || fstat(fd, &about) != 0 ||
         lseek(fd, about.st_size - about.st_size % DIGEST_SIZE, SEEK_SET) < 0))
        status = error_set_errno(err, E_IO, errno, "%s", path.data);
    if (status == OK)
        status = descriptor_write(fd, bytes, path.data, err);
    if (status == OK && fsync(fd) != 0)
        status = error_set_errno(err, E_IO, errno, "%s", path.data);
    if (fd >= 0)
        close(fd);
    text_clear(&path);
    return status;
}

enum status consent_archive_settle(struct consent_archive *archive,
                                   struct bytes entry_id, struct error *err)
{
    char hex[DIGEST_HEX_SIZE];
    struct text from, to;
    enum status status;

    text_init(&from);
    text_init(&to);
    hex_encode(entry_id, hex);
    status = archive_path(archive, "sending.ndjson", &from, err);
    if (status == OK)
        status =
            text_printf(&to, err, "%s/%s.ndjson", archive->folder.data, hex);
    if (status == OK)
        status = append_known(archive, err);
    if (status == OK && rename(from.data, to.data) != 0)
        status = error_set_errno(err, E_IO, errno, "%s", to.data);
    if (status == OK)
        status = file_sync_folder(to.data, err);
    archive->batch_count = 0;
    text_clear(&to);
    text_clear(&from);
    return status;
}
