#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "ledger/replica_internal.h"

/* What libraft's names say. */
struct listing {
    raft_index snapshot;   /* of the newest one that is whole; 0: none */
    raft_index last;       /* of the last closed segment; 0: none */
    bool is_being_written; /* an open segment has something in it */
};

/* Take the decimal number at *at, and `end` behind it. */
static bool take_number(const char **at, char end, raft_index *number)
{
    char *behind;

    if (!isdigit((unsigned char)**at))
        return false;
    errno = 0;
    *number = strtoull(*at, &behind, 10);
    if (errno != 0 || *behind != end)
        return false;
    *at = behind + (end != '\0');
    return true;
}

/* "0000000000000001-0000000000000090" */
static bool is_closed_segment(const char *name, raft_index *last)
{
    const char *at = name;
    raft_index first;

    return strlen(name) == 33 && take_number(&at, '-', &first) &&
           take_number(&at, '\0', last);
}

/* "snapshot-TERM-INDEX-TIME", and beside it the same with ".meta". */
static bool is_snapshot(int folder, const char *name, raft_index *index)
{
    static const char kind[] = "snapshot-";
    const char *at = name + sizeof kind - 1;
    char other[NAME_MAX + 1];
    raft_index term, time;

    if (strncmp(name, kind, sizeof kind - 1) != 0 ||
        !take_number(&at, '-', &term) || !take_number(&at, '-', index) ||
        !take_number(&at, '\0', &time))
        return false;
    snprintf(other, sizeof other, "%s.meta", name);
    return faccessat(folder, other, F_OK, 0) == 0;
}

/* libraft makes open segments ahead of their use, full of zeros. */
static enum status is_written(int folder, const char *name, bool *written,
                              struct error *err)
{
    static const char zeros[16];
    char head[sizeof zeros] = "";
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, head, sizeof head);

    if (fd >= 0)
        close(fd);
    if (got < 0)
        return error_set_errno(err, E_IO, errno, "%s: cannot be read", name);
    *written = memcmp(head, zeros, sizeof head) != 0;
    return OK;
}

/* Call `take` for each name in the folder. */
static enum status for_each(int folder,
                            enum status (*take)(int folder, const char *name,
                                                struct listing *listing,
                                                struct error *err),
                            struct listing *listing, struct error *err)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    enum status status = OK;

    if (stream == NULL) {
        status = error_set_errno(err, E_IO, errno, "cannot be listed");
        if (fd >= 0)
            close(fd);
        return status;
    }
    for (errno = 0; status == OK && (entry = readdir(stream)) != NULL;
         errno = 0)
        status = take(folder, entry->d_name, listing, err);
    if (status == OK && errno != 0)
        status = error_set_errno(err, E_IO, errno, "cannot be listed");
    closedir(stream);
    return status;
}

static enum status look_at(int folder, const char *name,
                           struct listing *listing, struct error *err)
{
    raft_index index;
    bool written = false;

    if (is_closed_segment(name, &index)) {
        if (index > listing->last)
            listing->last = index;
    } else if (is_snapshot(folder, name, &index)) {
        if (index > listing->snapshot)
            listing->snapshot = index;
    } else if (strncmp(name, "open-", 5) == 0) {
        if (is_written(folder, name, &written, err) != OK)
            return err->status;
        listing->is_being_written |= written;
    }
    return OK;
}

static enum status remove_segment(int folder, const char *name,
                                  struct listing *listing, struct error *err)
{
    raft_index index;

    if (!is_closed_segment(name, &index))
        return OK;
    assert(index < listing->snapshot);
    if (unlinkat(folder, name, 0) != 0)
        return error_set_errno(err, E_IO, errno, "%s: cannot be removed", name);
    return OK;
}

enum status replica_folder_settle(const char *path, struct error *err)
{
    struct listing listing = {.snapshot = 0};
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum status status;

    if (folder < 0)
        return error_set_errno(err, E_INPUT, errno, "%s: cannot be opened",
                               path);
    status = for_each(folder, look_at, &listing, err);
    if (status == OK && listing.last > 0 && listing.last < listing.snapshot &&
        !listing.is_being_written) {
        log_info("raft: all entries on the disk, up to %llu, are behind the "
                 "snapshot of %llu, and go",
                 listing.last, listing.snapshot);
        status = for_each(folder, remove_segment, &listing, err);
        if (status == OK && fsync(folder) != 0)
            status = error_set_errno(err, E_IO, errno, "cannot be synced");
    }
    close(folder);
    return status == OK ? OK : error_wrap(err, "%s", path);
}
