#include "tests/fault/fault.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/suite.h"

/* A loop that runs longer does not end by itself. */
#define ROUNDS_MAX 100000

/* The present loop.  Calls come from several threads: what they touch is
 * atomic. */
static struct {
    unsigned calls;
    int errno_value;
    unsigned target; /* the call that fails, from 0 */
    bool lasting;    /* all later ones fail too */
    bool kills;      /* instead of failing */
    unsigned round;
    unsigned failures; /* rounds in which a call failed */
    long live_before;
    int free_descriptor_before;
    atomic_bool on;
    atomic_uint count; /* of the chosen calls in this round */
    atomic_bool happened;
} loop;

static atomic_long live; /* pieces of memory */

static struct {
    bool without_tmpfile;
    bool without_proc;
    int folder_sync;
    bool one_byte;
    bool spare_openssl;
} world;

static _Thread_local bool within_openssl;

/* Shall this call fail? */
static bool fails(unsigned call)
{
    unsigned number;

    if (!atomic_load(&loop.on) || (loop.calls & call) == 0 ||
        (within_openssl && world.spare_openssl))
        return false;
    number = atomic_fetch_add(&loop.count, 1);
    if (number != loop.target && !(loop.lasting && number > loop.target))
        return false;
    if (loop.kills)
        raise(SIGKILL);
    atomic_store(&loop.happened, true);
    errno = loop.errno_value;
    return true;
}

/* ---- the loop ---- */

/* The lowest number that is free: one more when a descriptor was left open. */
static int free_descriptor(void)
{
    int fd = dup(STDERR_FILENO);

    close(fd);
    return fd;
}

void fault_loop_begin(unsigned calls, int errno_value)
{
    assert(!atomic_load(&loop.on));
    loop.calls = calls;
    loop.errno_value = errno_value;
    loop.target = loop.round = loop.failures = 0;
    loop.lasting = false;
}

/* Of the round that ended: nothing is left over. */
static void check_leftovers(void)
{
    long left = atomic_load(&live) - loop.live_before;
    int descriptor = free_descriptor();

    if (left != 0 || descriptor != loop.free_descriptor_before)
        fprintf(stderr,
                "\nfault: call %u failing %s: %ld pieces of memory left, "
                "descriptor %d free, was %d\n",
                loop.target, loop.lasting ? "from then on" : "once", left,
                descriptor, loop.free_descriptor_before);
    CU_ASSERT_EQUAL(left, 0);
    CU_ASSERT_EQUAL(descriptor, loop.free_descriptor_before);
}

bool fault_loop_next(void)
{
    assert(!atomic_load(&loop.on));
    if (loop.round > 0) {
        check_leftovers();
        if (!atomic_load(&loop.happened)) {
            CU_ASSERT(loop.failures > 0);
            loop.calls = 0; /* outside of loops nothing fails */
            return false;
        }
        loop.failures++;
        if (!loop.lasting && loop.errno_value != EINTR) {
            loop.lasting = true;
        } else {
            loop.lasting = false;
            loop.target++;
        }
    }
    loop.round++;
    CU_ASSERT_FATAL(loop.round < ROUNDS_MAX);
    loop.live_before = atomic_load(&live);
    loop.free_descriptor_before = free_descriptor();
    atomic_store(&loop.count, 0);
    atomic_store(&loop.happened, false);
    return true;
}

void fault_on(void)
{
    atomic_store(&loop.on, true);
}

void fault_off(void)
{
    atomic_store(&loop.on, false);
}

bool fault_happened(void)
{
    return atomic_load(&loop.happened);
}

void fault_expect(enum status status, const struct error *err,
                  enum status expected)
{
    if (!fault_happened())
        expected = OK;
    if (status != expected)
        fprintf(stderr, "\nfault: call %u failing %s: status %d, not %d: %s\n",
                loop.target, loop.lasting ? "from then on" : "once",
                (int)status, (int)expected, err->text);
    CU_ASSERT_EQUAL(status, expected);
    CU_ASSERT_EQUAL(err->status, status);
    CU_ASSERT_EQUAL(strlen(err->text) > 0, status != OK);
}

void fault_kill_at(unsigned calls, unsigned n)
{
    fault_loop_begin(calls, 0);
    loop.target = n;
    loop.kills = true;
    atomic_store(&loop.count, 0);
}

void fault_spare_openssl(bool spare)
{
    world.spare_openssl = spare;
}

void fault_within_openssl(bool within)
{
    within_openssl = within;
}

void fault_without_tmpfile(bool without)
{
    world.without_tmpfile = without;
}

void fault_without_proc(bool without)
{
    world.without_proc = without;
}

void fault_folder_sync(int errno_value)
{
    world.folder_sync = errno_value;
}

void fault_short_transfers(bool one_byte)
{
    world.one_byte = one_byte;
}

/* ---- the calls ----
 *
 * The linker turns a call of f into one of __wrap_f, and __real_f into the
 * library's f. */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *piece, size_t size);
void *__real_reallocarray(void *piece, size_t count, size_t size);
void __real_free(void *piece);
char *__real_strdup(const char *string);
char *__real_strndup(const char *string, size_t size);
ssize_t __real_read(int fd, void *data, size_t size);
ssize_t __real_pread(int fd, void *data, size_t size, off_t offset);
ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __real_pwrite(int fd, const void *data, size_t size, off_t offset);
off_t __real_lseek(int fd, off_t offset, int whence);
int __real_fstat(int fd, struct stat *is);
int __real_openat(int folder, const char *name, int flags, ...);
int __real_access(const char *name, int mode);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_linkat(int from_folder, const char *from, int to_folder,
                  const char *to, int flags);
int __real_renameat(int from_folder, const char *from, int to_folder,
                    const char *to);
int __real_unlink(const char *name);
ssize_t __real_getrandom(void *data, size_t size, unsigned flags);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*body)(void *), void *context);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *piece, size_t size);
void *__wrap_reallocarray(void *piece, size_t count, size_t size);
void __wrap_free(void *piece);
char *__wrap_strdup(const char *string);
char *__wrap_strndup(const char *string, size_t size);
ssize_t __wrap_read(int fd, void *data, size_t size);
ssize_t __wrap_pread(int fd, void *data, size_t size, off_t offset);
ssize_t __wrap_write(int fd, const void *data, size_t size);
ssize_t __wrap_pwrite(int fd, const void *data, size_t size, off_t offset);
off_t __wrap_lseek(int fd, off_t offset, int whence);
int __wrap_fstat(int fd, struct stat *is);
int __wrap_openat(int folder, const char *name, int flags, ...);
int __wrap_access(const char *name, int mode);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
    return fails(FAULT_SYNC) ? -1 : __real_fdatasync(fd);
}

int __wrap_linkat(int from_folder, const char *from, int to_folder,
                  const char *to, int flags);
int __wrap_renameat(int from_folder, const char *from, int to_folder,
                    const char *to);
int __wrap_unlink(const char *name);
ssize_t __wrap_getrandom(void *data, size_t size, unsigned flags);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*body)(void *), void *context);

static void *counted(void *piece)
{
    if (piece != NULL)
        atomic_fetch_add(&live, 1);
    return piece;
}

void *__wrap_malloc(size_t size)
{
    return fails(FAULT_MEMORY) ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails(FAULT_MEMORY) ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *piece, size_t size)
{
    void *grown;

    assert(size > 0); /* what size 0 does is nobody's promise */
    if (fails(FAULT_MEMORY))
        return NULL;
    grown = __real_realloc(piece, size);
    return piece == NULL ? counted(grown) : grown;
}

void *__wrap_reallocarray(void *piece, size_t count, size_t size)
{
    void *grown;

    assert(count > 0 && size > 0);
    if (fails(FAULT_MEMORY))
        return NULL;
    grown = __real_reallocarray(piece, count, size);
    return piece == NULL ? counted(grown) : grown;
}

char *__wrap_strdup(const char *string)
{
    return fails(FAULT_MEMORY) ? NULL : counted(__real_strdup(string));
}

char *__wrap_strndup(const char *string, size_t size)
{
    return fails(FAULT_MEMORY) ? NULL : counted(__real_strndup(string, size));
}

void __wrap_free(void *piece)
{
    if (piece != NULL)
        atomic_fetch_sub(&live, 1);
    __real_free(piece);
}

ssize_t __wrap_read(int fd, void *data, size_t size)
{
    if (fails(FAULT_READ))
        return -1;
    return __real_read(fd, data, world.one_byte && size > 1 ? 1 : size);
}

ssize_t __wrap_pread(int fd, void *data, size_t size, off_t offset)
{
    if (fails(FAULT_READ))
        return -1;
    return __real_pread(fd, data, world.one_byte && size > 1 ? 1 : size,
                        offset);
}

ssize_t __wrap_write(int fd, const void *data, size_t size)
{
    if (fails(FAULT_WRITE))
        return -1;
    return __real_write(fd, data, world.one_byte && size > 1 ? 1 : size);
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t size, off_t offset)
{
    if (fails(FAULT_WRITE))
        return -1;
    return __real_pwrite(fd, data, world.one_byte && size > 1 ? 1 : size,
                         offset);
}

off_t __wrap_lseek(int fd, off_t offset, int whence)
{
    return fails(FAULT_SEEK) ? -1 : __real_lseek(fd, offset, whence);
}

int __wrap_fstat(int fd, struct stat *is)
{
    return fails(FAULT_STAT) ? -1 : __real_fstat(fd, is);
}

int __wrap_openat(int folder, const char *name, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = va_arg(args, mode_t); /* ours always gives it */
    va_end(args);
    if (fails(FAULT_OPEN))
        return -1;
    if (world.without_tmpfile && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return __real_openat(folder, name, flags, mode);
}

int __wrap_access(const char *name, int mode)
{
    if (world.without_proc && strncmp(name, "/proc/", 6) == 0) {
        errno = ENOENT;
        return -1;
    }
    return __real_access(name, mode);
}

int __wrap_fsync(int fd)
{
    struct stat is;

    if (fails(FAULT_SYNC))
        return -1;
    if (world.folder_sync != 0 && __real_fstat(fd, &is) == 0 &&
        S_ISDIR(is.st_mode)) {
        errno = world.folder_sync;
        return -1;
    }
    return __real_fsync(fd);
}

int __wrap_linkat(int from_folder, const char *from, int to_folder,
                  const char *to, int flags)
{
    if (world.without_proc && strncmp(from, "/proc/", 6) == 0) {
        errno = ENOENT;
        return -1;
    }
    return fails(FAULT_LINK)
               ? -1
               : __real_linkat(from_folder, from, to_folder, to, flags);
}

int __wrap_renameat(int from_folder, const char *from, int to_folder,
                    const char *to)
{
    return fails(FAULT_RENAME)
               ? -1
               : __real_renameat(from_folder, from, to_folder, to);
}

int __wrap_unlink(const char *name)
{
    return fails(FAULT_UNLINK) ? -1 : __real_unlink(name);
}

ssize_t __wrap_getrandom(void *data, size_t size, unsigned flags)
{
    return fails(FAULT_RANDOM) ? -1 : __real_getrandom(data, size, flags);
}

/* Returns its error instead of setting errno. */
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*body)(void *), void *context)
{
    return fails(FAULT_THREAD)
               ? loop.errno_value
               : __real_pthread_create(thread, attributes, body, context);
}

/* ---- SQLite's own ----
 *
 * A shared library's calls do not come here, but SQLite lets us exchange
 * them. */

static ssize_t sqlite_write(int fd, const void *data, size_t size)
{
    return fails(FAULT_WRITE) ? -1 : __real_write(fd, data, size);
}

static ssize_t sqlite_pwrite(int fd, const void *data, size_t size, off_t at)
{
    return fails(FAULT_WRITE) ? -1 : __real_pwrite(fd, data, size, at);
}

static int sqlite_truncate(int fd, off_t size)
{
    return fails(FAULT_WRITE) ? -1 : ftruncate(fd, size);
}

static int sqlite_unlink(const char *name)
{
    return fails(FAULT_UNLINK) ? -1 : __real_unlink(name);
}

void fault_with_sqlite(bool with)
{
    static const struct {
        const char *name;
        sqlite3_syscall_ptr ours;
    } calls[] = {
        {"write", (sqlite3_syscall_ptr)sqlite_write},
        {"pwrite", (sqlite3_syscall_ptr)sqlite_pwrite},
        {"pwrite64", (sqlite3_syscall_ptr)sqlite_pwrite},
        {"ftruncate", (sqlite3_syscall_ptr)sqlite_truncate},
        {"unlink", (sqlite3_syscall_ptr)sqlite_unlink},
    };
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

    assert(vfs != NULL && vfs->iVersion >= 3);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        /* Which of them there are depends on how it was built. */
        int code = vfs->xSetSystemCall(vfs, calls[i].name,
                                       with ? calls[i].ours : NULL);

        assert(code == SQLITE_OK || code == SQLITE_NOTFOUND);
    }
}
