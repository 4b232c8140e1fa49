#include "common/files.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROC_FD_SIZE (sizeof "/proc/self/fd/" + 3 * sizeof(int))
#define HIDDEN_NAME_SIZE (sizeof ".anchorite-" + 2 * sizeof(uint64_t))

struct new_file {
    int fd;
    int folder;
    struct text path;              /* as the caller calls it, for messages */
    struct text name;              /* in the folder */
    char hidden[HIDDEN_NAME_SIZE]; /* temporary name; "" while it has none */
};

/* What to tell the caller when a file could not be opened or made: most
 * reasons lie in the path that a person gave. */
static enum status open_failure(int errno_value)
{
    switch (errno_value) {
    case EIO:
    case ENOSPC:
    case EDQUOT:
        return E_IO;
    case ENOMEM:
        return E_MEMORY;
    case EMFILE:
    case ENFILE:
        return E_SYSTEM;
    default:
        return E_INPUT;
    }
}

/* openat(2) that is not interrupted: opening a pipe may wait. */
static int open_at(int folder, const char *name, int flags, mode_t mode)
{
    int fd;

    do
        fd = openat(folder, name, flags | O_CLOEXEC | O_NOCTTY, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

static void descriptor_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ---- whole runs of bytes ---- */

bool descriptor_can_go_on(int fd, short events)
{
    struct pollfd ready = {.fd = fd, .events = events};

    if (errno == EINTR)
        return true;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return false;
    return poll(&ready, 1, -1) >= 0 || errno == EINTR;
}

enum status descriptor_write(int fd, struct bytes data, const char *name,
                             struct error *err)
{
    size_t done = 0;

    while (done < data.size) {
        ssize_t got = write(fd, data.data + done, data.size - done);

        if (got > 0)
            done += (size_t)got;
        else if (got == 0)
            return error_set(err, E_IO, "%s: cannot be written further", name);
        else if (!descriptor_can_go_on(fd, POLLOUT))
            return error_set_errno(err, E_IO, errno, "%s: writing failed",
                                   name);
    }
    return OK;
}

enum status descriptor_write_at(int fd, uint64_t offset, struct bytes data,
                                const char *name, struct error *err)
{
    size_t done = 0;

    while (done < data.size) {
        ssize_t got = pwrite(fd, data.data + done, data.size - done,
                             (off_t)(offset + done));

        if (got > 0)
            done += (size_t)got;
        else if (got == 0)
            return error_set(err, E_IO, "%s: cannot be written further", name);
        else if (!descriptor_can_go_on(fd, POLLOUT))
            return error_set_errno(err, E_IO, errno, "%s: writing failed",
                                   name);
    }
    return OK;
}

enum status descriptor_read(int fd, void *data, size_t size, size_t *got,
                            const char *name, struct error *err)
{
    size_t done = 0;

    while (done < size) {
        ssize_t more = read(fd, (uint8_t *)data + done, size - done);

        if (more > 0)
            done += (size_t)more;
        else if (more == 0)
            break;
        else if (!descriptor_can_go_on(fd, POLLIN))
            return error_set_errno(err, E_IO, errno, "%s: reading failed",
                                   name);
    }
    *got = done;
    return OK;
}

enum status descriptor_read_at(int fd, uint64_t offset, void *data, size_t size,
                               const char *name, struct error *err)
{
    size_t done = 0;

    while (done < size) {
        ssize_t more = pread(fd, (uint8_t *)data + done, size - done,
                             (off_t)(offset + done));

        if (more > 0)
            done += (size_t)more;
        else if (more == 0)
            return error_set(err, E_IO, "%s: ends at byte %ju", name,
                             (uintmax_t)(offset + done));
        else if (!descriptor_can_go_on(fd, POLLIN))
            return error_set_errno(err, E_IO, errno, "%s: reading failed",
                                   name);
    }
    return OK;
}

/* ---- files that are read whole ---- */

/* Append all that fd still has.  One byte more than size_max is asked for, to
 * see that there is none. */
static enum status read_all(int fd, const char *path, size_t expected,
                            size_t size_max, struct text *out,
                            struct error *err)
{
    size_t start = out->size, block = expected < 4096 ? 4096 : expected + 1;
    enum status status;

    assert(size_max < SIZE_MAX && expected <= size_max);
    do {
        size_t room = size_max + 1 - (out->size - start), got;

        if (block > room)
            block = room;
        if ((status = text_reserve(out, block, err)) != OK)
            return error_wrap(err, "%s", path);
        status =
            descriptor_read(fd, out->data + out->size, block, &got, path, err);
        if (status != OK)
            return status;
        out->size += got;
        out->data[out->size] = '\0';
        if (out->size - start > size_max)
            return error_set(err, E_LIMIT,
                             "%s: longer than the limit of %zu bytes", path,
                             size_max);
        if (got < block)
            return OK;
        block = out->size - start; /* the size doubles from round to round */
    } while (true);
}

enum status file_read(const char *path, size_t size_max, struct text *out,
                      struct error *err)
{
    size_t start = out->size;
    struct stat is;
    enum status status;
    int fd = open_at(AT_FDCWD, path, O_RDONLY, 0);

    if (fd < 0)
        return error_set_errno(err, open_failure(errno), errno,
                               "%s: cannot be opened", path);
    if (fstat(fd, &is) != 0)
        status = error_set_errno(err, E_IO, errno, "%s: reading failed", path);
    else if (S_ISDIR(is.st_mode))
        status = error_set(err, E_INPUT, "%s: is a folder", path);
    else if (!S_ISREG(is.st_mode) && !S_ISFIFO(is.st_mode))
        status =
            error_set(err, E_INPUT, "%s: is not a regular file or pipe", path);
    else if (S_ISREG(is.st_mode) && (uintmax_t)is.st_size > size_max)
        status = error_set(err, E_LIMIT, "%s: has %jd bytes, the limit is %zu",
                           path, (intmax_t)is.st_size, size_max);
    else
        status = read_all(fd, path, (size_t)is.st_size, size_max, out, err);
    descriptor_close(&fd);
    if (status != OK && out->capacity > 0) {
        out->size = start;
        out->data[start] = '\0';
    }
    return status;
}

enum status file_load(const char *path, size_t size_max, file_taker *take,
                      void *target, struct error *err)
{
    struct text content;
    enum status status;

    text_init(&content);
    status = file_read(path, size_max, &content, err);
    if (status == OK && take(text_bytes(&content), target, err) != OK)
        status = error_wrap(err, "%s", path);
    text_clear(&content);
    return status;
}

/* ---- files that appear whole ---- */

/* A name that nobody else has: 64 random bits.  One that is taken all the
 * same is worth another try, up to HIDDEN_NAME_TRIES. */
static bool draw_hidden(char hidden[HIDDEN_NAME_SIZE])
{
    uint64_t number;
    ssize_t got;

    do
        got = getrandom(&number, sizeof number, 0);
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof number)
        return false;
    snprintf(hidden, HIDDEN_NAME_SIZE, ".anchorite-%016jx", (uintmax_t)number);
    return true;
}

static int open_hidden(int folder, char hidden[HIDDEN_NAME_SIZE], mode_t mode)
{
    for (int tries = 0; tries < HIDDEN_NAME_TRIES; tries++) {
        int fd;

        if (!draw_hidden(hidden))
            break;
        fd = open_at(folder, hidden, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW,
                     mode);
        if (fd >= 0)
            return fd;
        if (errno != EEXIST)
            break;
    }
    hidden[0] = '\0';
    return -1;
}

/* Make a file in `folder` that has no name, or where the system cannot do
 * that, one with a hidden name.  `nameable`: it shall get a name later, which
 * goes through /proc. */
static int open_unseen(int folder, char hidden[HIDDEN_NAME_SIZE], mode_t mode,
                       bool nameable)
{
    char link[PROC_FD_SIZE];
    int fd = open_at(folder, ".", O_RDWR | O_TMPFILE | (nameable ? 0 : O_EXCL),
                     mode);

    hidden[0] = '\0';
    if (fd < 0) {
        /* The file system says the first, an old kernel one of the others. */
        if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL ||
            errno == ENOSYS)
            return open_hidden(folder, hidden, mode);
        return -1;
    }
    if (!nameable)
        return fd;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (access(link, F_OK) == 0)
        return fd;
    descriptor_close(&fd); /* no /proc here: better to know it now */
    return open_hidden(folder, hidden, mode);
}

/* The place that `path` means, behind all symbolic links: the file behind a
 * link is replaced and the link stays, as a shell's `>` does it.  stat(2)
 * follows the links first, so that the kernel refuses those that somebody
 * else laid into a shared folder (protected_symlinks). */
static enum status find_place(const char *path, char place[PATH_MAX],
                              mode_t *mode, struct error *err)
{
    struct stat is;
    size_t size = strlen(path);

    if (size == 0)
        return error_set(err, E_INPUT, "the name of the new file is empty");
    if (stat(path, &is) == 0) {
        if (S_ISDIR(is.st_mode))
            return error_set(err, E_INPUT, "%s: is a folder", path);
        if (!S_ISREG(is.st_mode))
            return error_set(err, E_INPUT, "%s: is not a regular file", path);
        /* rename(2) would not ask, but who protects a file means it. */
        if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0 ||
            realpath(path, place) == NULL)
            return error_set_errno(err, open_failure(errno), errno,
                                   "%s: cannot be replaced", path);
        /* What was kept from others stays so. */
        *mode &= is.st_mode;
        return OK;
    }
    if (errno != ENOENT)
        return error_set_errno(err, open_failure(errno), errno,
                               "%s: cannot be written", path);
    if (lstat(path, &is) == 0)
        return error_set(err, E_INPUT,
                         "%s: is a symbolic link to nothing; remove it or "
                         "name the file that is meant",
                         path);
    if (path[size - 1] == '/')
        return error_set(err, E_INPUT, "%s: names a folder, not a file", path);
    assert(size < PATH_MAX); /* or stat(2) had said ENAMETOOLONG */
    memcpy(place, path, size + 1);
    return OK;
}

/* Open the folder of `place` and keep the name in it. */
static enum status open_folder(struct new_file *file, const char *place,
                               struct error *err)
{
    const char *slash = strrchr(place, '/');
    const char *name = slash == NULL ? place : slash + 1;
    char folder[PATH_MAX] = ".";

    if (slash != NULL) {
        size_t size = slash == place ? 1 : (size_t)(slash - place);

        memcpy(folder, place, size);
        folder[size] = '\0';
    }
    file->folder = open_at(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0);
    if (file->folder < 0)
        return error_set_errno(err, open_failure(errno), errno,
                               "%s: folder %s cannot be opened",
                               file->path.data, folder);
    return text_append_string(&file->name, name, err);
}

enum status new_file_create(struct new_file **file, const char *path,
                            mode_t mode, struct error *err)
{
    char place[PATH_MAX];
    struct new_file *made = NULL;
    enum status status = find_place(path, place, &mode, err);

    if (status != OK)
        return status;
    if ((made = calloc(1, sizeof *made)) == NULL)
        return error_memory(err, "a new file");
    made->fd = made->folder = -1;
    text_init(&made->path);
    text_init(&made->name);
    if ((status = text_append_string(&made->path, path, err)) != OK ||
        (status = open_folder(made, place, err)) != OK)
        goto done;
    made->fd = open_unseen(made->folder, made->hidden, mode, true);
    if (made->fd < 0) {
        status = error_set_errno(err, open_failure(errno), errno,
                                 "%s: its folder takes no new file", path);
        goto done;
    }
    *file = made;
    made = NULL;
done:
    new_file_discard(&made);
    return status;
}

int new_file_descriptor(const struct new_file *file)
{
    return file->fd;
}

/* fsync(2) to the end.  A file system that cannot sync folders says EINVAL or
 * EBADF and leaves us nothing better to do; for a file both are failures. */
static int sync_descriptor(int fd, bool folder)
{
    int result;

    do
        result = fsync(fd);
    while (result != 0 && errno == EINTR);
    if (result != 0 && folder && (errno == EINVAL || errno == EBADF))
        return 0;
    return result;
}

enum status new_file_sync(const struct new_file *file, struct error *err)
{
    if (sync_descriptor(file->fd, false) != 0)
        return error_set_errno(err, E_IO, errno, "%s: cannot be synced",
                               file->path.data);
    return OK;
}

enum status file_sync(const char *path, struct error *err)
{
    int fd = open_at(AT_FDCWD, path, O_RDONLY, 0), result;
    enum status status = OK;

    if (fd < 0)
        return error_set_errno(err, E_IO, errno, "%s: cannot be opened", path);
    do
        result = fdatasync(fd);
    while (result != 0 && errno == EINTR);
    if (result != 0)
        status =
            error_set_errno(err, E_IO, errno, "%s: cannot be synced", path);
    descriptor_close(&fd);
    return status;
}

enum status file_sync_folder(const char *path, struct error *err)
{
    enum status status;
    struct text folder;
    int fd = -1;

    text_init(&folder);
    status = path_beside(path, ".", &folder, err);
    if (status == OK) {
        fd = open_at(AT_FDCWD, folder.data, O_RDONLY | O_DIRECTORY, 0);
        if (fd < 0 || sync_descriptor(fd, true) != 0)
            status = error_set_errno(err, E_IO, errno,
                                     "%s: the folder cannot be synced", path);
    }
    descriptor_close(&fd);
    text_clear(&folder);
    return status;
}

static int link_as(const struct new_file *file, const char *name)
{
    char link[PROC_FD_SIZE];

    snprintf(link, sizeof link, "/proc/self/fd/%d", file->fd);
    return linkat(AT_FDCWD, link, file->folder, name, AT_SYMLINK_FOLLOW);
}

/* Give an unnamed file a hidden name. */
static int link_hidden(struct new_file *file)
{
    for (int tries = 0; tries < HIDDEN_NAME_TRIES; tries++) {
        if (!draw_hidden(file->hidden))
            break;
        if (link_as(file, file->hidden) == 0)
            return 0;
        if (errno != EEXIST)
            break;
    }
    file->hidden[0] = '\0';
    return -1;
}

/* Where nothing stands, a link is enough and the file never bears another
 * name; linkat(2) does not replace, so otherwise it needs a name to be renamed
 * from. */
static int put_in_place(struct new_file *file)
{
    if (file->hidden[0] == '\0') {
        if (link_as(file, file->name.data) == 0)
            return 0;
        if (errno != EEXIST || link_hidden(file) != 0)
            return -1;
    }
    if (renameat(file->folder, file->hidden, file->folder, file->name.data) !=
        0)
        return -1;
    file->hidden[0] = '\0';
    return 0;
}

/* The same where nothing may stand: link(2) never replaces.  A hidden name
 * that is left over goes when the file is discarded. */
static int put_in_fresh_place(const struct new_file *file)
{
    if (file->hidden[0] == '\0')
        return link_as(file, file->name.data);
    return linkat(file->folder, file->hidden, file->folder, file->name.data, 0);
}

static enum status publish(struct new_file **file, bool fresh,
                           struct error *err)
{
    struct new_file *made = *file;
    enum status status = OK;
    struct stat is;
    bool replaces = !fresh && fstatat(made->folder, made->name.data, &is,
                                      AT_SYMLINK_NOFOLLOW) == 0;

    if (new_file_sync(made, err) != OK)
        status = err->status;
    else if ((fresh ? put_in_fresh_place(made) : put_in_place(made)) != 0)
        status = fresh && errno == EEXIST
                     ? error_set(err, E_INPUT,
                                 "%s: exists already, and is not overwritten",
                                 made->path.data)
                     : error_set_errno(err, E_IO, errno,
                                       "%s: cannot be put in its place",
                                       made->path.data);
    else if (sync_descriptor(made->folder, true) != 0) {
        status =
            error_set_errno(err, E_IO, errno, "%s: its folder cannot be synced",
                            made->path.data);
        /* What was replaced is gone; the new file is whole, so it stays. */
        if (!replaces)
            unlinkat(made->folder, made->name.data, 0);
    }
    new_file_discard(file);
    return status;
}

enum status new_file_publish(struct new_file **file, struct error *err)
{
    return publish(file, false, err);
}

enum status new_file_publish_fresh(struct new_file **file, struct error *err)
{
    return publish(file, true, err);
}

void new_file_discard(struct new_file **file)
{
    struct new_file *made = *file;

    if (made == NULL)
        return;
    if (made->hidden[0] != '\0')
        unlinkat(made->folder, made->hidden, 0);
    /* What close(2) could complain of, fsync(2) has told before. */
    descriptor_close(&made->fd);
    descriptor_close(&made->folder);
    text_clear(&made->name);
    text_clear(&made->path);
    free(made);
    *file = NULL;
}

enum status temporary_open(int *fd, struct error *err)
{
    const char *folder_path = secure_getenv("TMPDIR");
    char hidden[HIDDEN_NAME_SIZE];
    int made = -1, failure, folder;

    if (folder_path == NULL || folder_path[0] == '\0')
        folder_path = "/tmp";
    folder = open_at(AT_FDCWD, folder_path, O_PATH | O_DIRECTORY, 0);
    if (folder >= 0)
        made = open_unseen(folder, hidden, 0600, false);
    failure = errno;
    if (made >= 0 && hidden[0] != '\0')
        unlinkat(folder, hidden, 0);
    descriptor_close(&folder);
    if (made < 0)
        return error_set_errno(err, open_failure(failure), failure,
                               "%s: takes no temporary file", folder_path);
    *fd = made;
    return OK;
}

/* ---- paths ---- */

bool file_same(const char *a, const char *b)
{
    struct stat a_is, b_is;

    return stat(a, &a_is) == 0 && stat(b, &b_is) == 0 &&
           a_is.st_dev == b_is.st_dev && a_is.st_ino == b_is.st_ino;
}

bool file_is_open_as(const char *path, int fd)
{
    struct stat is, open_is;

    return stat(path, &is) == 0 && fstat(fd, &open_is) == 0 &&
           is.st_dev == open_is.st_dev && is.st_ino == open_is.st_ino;
}

/* ---- folders ---- */

/* So many levels have a descriptor of their own; below, one is opened anew. */
#define REMOVE_DESCRIPTORS 16

static int remove_one(const char *path, const struct stat *about, int type,
                      struct FTW *at)
{
    (void)about;
    (void)type;
    (void)at;
    return remove(path);
}

bool folder_remove(const char *path)
{
    return nftw(path, remove_one, REMOVE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS) ==
           0;
}

/* ---- standard descriptors ---- */

enum status standard_descriptors_occupy(struct error *err)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        /* The wrong way round, so that its use fails as it would have. */
        int flags = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        /* The lowest free one is given, which is this one. */
        if (open("/dev/null", flags) != fd)
            return error_set_errno(err, E_SYSTEM, errno,
                                   "descriptor %d is closed, and /dev/null "
                                   "cannot stand for it",
                                   fd);
    }
    return OK;
}

enum status path_beside(const char *beside, const char *name, struct text *out,
                        struct error *err)
{
    const char *slash = name[0] == '/' ? NULL : strrchr(beside, '/');
    size_t folder_size = slash == NULL ? 0 : (size_t)(slash - beside) + 1;
    enum status status = text_reserve(out, folder_size + strlen(name), err);

    if (status == OK)
        status = text_append(out, beside, folder_size, err);
    if (status == OK)
        status = text_append_string(out, name, err);
    return status;
}
