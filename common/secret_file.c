#include "common/secret_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/digest.h"
#include "common/files.h"
#include "common/sign.h"

#define OTHERS (S_IRWXG | S_IRWXO)

static void check_of(struct digest *digest, struct bytes secret)
{
    static const char tag[] = "anchorite secret file 1"; /* with its NUL */
    const struct bytes part[] = {bytes_of(tag, sizeof tag), secret};

    digest_parts(digest, part, 2);
}

enum status secret_folder_check(const char *path, struct error *err)
{
    struct stat is;

    if (stat(path, &is) != 0)
        return error_set_errno(err, E_INPUT, errno, "%s", path);
    if (!S_ISDIR(is.st_mode))
        return error_set(err, E_INPUT, "%s: is no folder", path);
    if (is.st_uid != geteuid())
        return error_set(err, E_INPUT,
                         "%s: belongs to another user; who owns a folder can "
                         "exchange what is in it",
                         path);
    if ((is.st_mode & OTHERS) != 0)
        return error_set(err, E_INPUT,
                         "%s: has mode %04o; a folder with keys is for its "
                         "owner alone: chmod 700",
                         path, (unsigned)(is.st_mode & 07777));
    return OK;
}

enum status secret_file_create(const char *path, struct bytes secret,
                               struct error *err)
{
    struct new_file *file = NULL;
    struct digest check;
    struct stat is;
    enum status status;

    assert(secret.size >= SECRET_SIZE_MIN);
    if (lstat(path, &is) == 0)
        return error_set(err, E_INPUT,
                         "%s: exists already, and is not overwritten", path);
    status = new_file_create(&file, path, 0600, err);
    if (status != OK)
        return status;
    check_of(&check, secret);
    status = descriptor_write(new_file_descriptor(file), secret, path, err);
    if (status == OK)
        status = descriptor_write(new_file_descriptor(file),
                                  bytes_of(check.byte, DIGEST_SIZE), path, err);
    if (status == OK)
        status = new_file_publish_fresh(&file, err);
    new_file_discard(&file);
    return status;
}

/* ---- reading ---- */

static int open_file(const char *path, int flags)
{
    int fd;

    do
        fd = openat(AT_FDCWD, path,
                    flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW, 0);
    while (fd < 0 && errno == EINTR);
    return fd;
}

static enum status check_file(int fd, const char *path, size_t size,
                              struct error *err)
{
    struct stat is;

    if (fstat(fd, &is) != 0)
        return error_set_errno(err, E_IO, errno, "%s: reading failed", path);
    if (!S_ISREG(is.st_mode))
        return error_set(err, E_INPUT, "%s: is not a regular file", path);
    if ((is.st_mode & OTHERS) != 0)
        return error_set(err, E_INPUT,
                         "%s: has mode %04o; a secret is for its owner alone: "
                         "chmod 600",
                         path, (unsigned)(is.st_mode & 07777));
    if (is.st_size != (off_t)(size + DIGEST_SIZE))
        return error_set(err, E_INPUT, "%s: has %jd bytes, expected %zu", path,
                         (intmax_t)is.st_size, size + DIGEST_SIZE);
    return OK;
}

enum status secret_file_read(const char *path, void *secret, size_t size,
                             struct error *err)
{
    struct digest stored, check;
    size_t got = 0, more = 0;
    enum status status;
    int fd = open_file(path, O_RDONLY);

    assert(size >= SECRET_SIZE_MIN);
    if (fd < 0)
        return error_set_errno(err, E_INPUT, errno, "%s: cannot be opened",
                               path);
    if ((status = check_file(fd, path, size, err)) == OK)
        status = descriptor_read(fd, secret, size, &got, path, err);
    if (status == OK)
        status =
            descriptor_read(fd, stored.byte, DIGEST_SIZE, &more, path, err);
    close(fd);
    if (status == OK) {
        check_of(&check, bytes_of(secret, got));
        if (got != size || more != DIGEST_SIZE ||
            memcmp(&check, &stored, sizeof check) != 0)
            status = error_set(err, E_INPUT, "%s: is damaged", path);
    }
    if (status != OK)
        secret_wipe(secret, size);
    return status;
}

/* ---- destroying ---- */

static enum status overwrite(int fd, const char *path, struct error *err)
{
    static const uint8_t zeros[512];
    struct stat is;
    off_t left = 0;
    enum status status = OK;

    if (fstat(fd, &is) != 0)
        return error_set_errno(err, E_IO, errno, "%s", path);
    if (!S_ISREG(is.st_mode))
        return error_set(err, E_INPUT, "%s: is not a regular file", path);
    for (left = is.st_size; status == OK && left > 0;) {
        size_t size = left < (off_t)sizeof zeros ? (size_t)left : sizeof zeros;

        status = descriptor_write(fd, bytes_of(zeros, size), path, err);
        left -= (off_t)size;
    }
    if (status == OK && fsync(fd) != 0)
        status =
            error_set_errno(err, E_IO, errno, "%s: cannot be synced", path);
    return status;
}

static enum status sync_folder(const char *path, struct error *err)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t size = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    enum status status = OK;
    int fd;

    if (size >= sizeof folder)
        return error_set(err, E_LIMIT, "%s: is too long a path", path);
    memcpy(folder, path, size);
    memcpy(folder + size, ".", 2);
    fd = openat(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return error_set_errno(err, E_IO, errno, "%s: its folder", path);
    /* A file system that cannot sync folders says EINVAL. */
    if (fsync(fd) != 0 && errno != EINVAL)
        status = error_set_errno(err, E_IO, errno,
                                 "%s: its folder cannot be synced", path);
    close(fd);
    return status;
}

enum status secret_file_destroy(const char *path, struct error *err)
{
    enum status status;
    int fd = open_file(path, O_WRONLY);

    if (fd < 0 && errno == ENOENT)
        return sync_folder(path, err);
    if (fd < 0)
        return error_set_errno(err, E_IO, errno, "%s: cannot be overwritten",
                               path);
    status = overwrite(fd, path, err);
    close(fd);
    if (status == OK && unlink(path) != 0)
        status =
            error_set_errno(err, E_IO, errno, "%s: cannot be removed", path);
    return status == OK ? sync_folder(path, err) : status;
}
