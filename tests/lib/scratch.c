#include "tests/lib/scratch.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void must(int good, const char *what)
{
    if (good)
        return;
    perror(what);
    abort();
}

void scratch_open(struct scratch *scratch)
{
    snprintf(scratch->path, sizeof scratch->path, "/tmp/anchorite-test-XXXXXX");
    must(mkdtemp(scratch->path) != NULL, "mkdtemp");
    must(chmod(scratch->path, 0755) == 0, "chmod");
}

static int remove_entry(const char *path, const struct stat *is, int kind,
                        struct FTW *place)
{
    (void)is;
    (void)kind;
    (void)place;
    return remove(path);
}

void scratch_close(struct scratch *scratch)
{
    must(nftw(scratch->path, remove_entry, 8, FTW_DEPTH | FTW_PHYS) == 0,
         scratch->path);
}

const char *scratch_path(const struct scratch *scratch, const char *name)
{
    static char ring[8][SCRATCH_PATH_MAX];
    static unsigned turn;
    char *path = ring[turn++ % 8];
    int size = snprintf(path, SCRATCH_PATH_MAX, "%s/%s", scratch->path, name);

    must(size > 0 && size < SCRATCH_PATH_MAX, "scratch_path");
    return path;
}

void scratch_write(const struct scratch *scratch, const char *name,
                   const char *string)
{
    FILE *file = fopen(scratch_path(scratch, name), "w");

    must(file != NULL && fputs(string, file) >= 0 && fclose(file) == 0, name);
}

bool scratch_holds(const struct scratch *scratch, const char *name,
                   const char *string)
{
    FILE *file = fopen(scratch_path(scratch, name), "r");
    size_t size = strlen(string);
    char *data = malloc(size + 1);
    bool same;

    must(data != NULL, "malloc");
    same = file != NULL && fread(data, 1, size + 1, file) == size &&
           memcmp(data, string, size) == 0;
    if (file != NULL)
        fclose(file);
    free(data);
    return same;
}

size_t scratch_count(const struct scratch *scratch)
{
    DIR *folder = opendir(scratch->path);
    struct dirent *entry;
    size_t count = 0;

    must(folder != NULL, "opendir");
    while ((entry = readdir(folder)) != NULL)
        count +=
            strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(folder);
    return count;
}
