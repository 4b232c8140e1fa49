#include "common/process.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

void process_protect(void)
{
    struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
}

/* `kind` is S_IFDIR or S_IFREG, `mode` what it should have. */
static enum status check(const char *path, mode_t kind, const char *kind_name,
                         const char *mode, struct error *err)
{
    struct stat is;

    if (stat(path, &is) != 0)
        return error_set_errno(err, E_INPUT, errno, "%s", path);
    if ((is.st_mode & S_IFMT) != kind)
        return error_set(err, E_INPUT, "%s: is no %s", path, kind_name);
    if (is.st_uid != geteuid())
        return error_set(err, E_REFUSED,
                         "%s: belongs to user %ju, and this is run by %ju",
                         path, (uintmax_t)is.st_uid, (uintmax_t)geteuid());
    if ((is.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return error_set(err, E_REFUSED,
                         "%s: has mode %04o; it is for its owner alone: chmod "
                         "%s",
                         path, (unsigned)(is.st_mode & 07777), mode);
    return OK;
}

enum status process_check_folder(const char *path, struct error *err)
{
    return check(path, S_IFDIR, "folder", "700", err);
}

enum status process_check_secret(const char *path, struct error *err)
{
    return check(path, S_IFREG, "regular file", "600", err);
}

unsigned process_cores(unsigned max)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (cores < 1)
        return 1;
    return cores < (long)max ? (unsigned)cores : max;
}
