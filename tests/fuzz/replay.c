/*
 * tests/fuzz/replay.c - a fuzzer without its engine: run it once on each file
 * named on the command line, folders with all that is in them.
 *
 * So the corpus, with all that fuzzing ever found, is tested everywhere and by
 * every compiler.
 */
#include <ftw.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replayed;
static const char *current; /* input, while it runs */

/* A fuzzer aborts at what it finds: say which input that was.  Returning goes
 * on with the abort. */
static void name_current(int number)
{
    static const char words[] = "replay: aborted by the input ";

    (void)number;
    if (write(STDERR_FILENO, words, sizeof words - 1) < 0 ||
        write(STDERR_FILENO, current, strlen(current)) < 0 ||
        write(STDERR_FILENO, "\n", 1) < 0)
        _exit(1);
}

static int replay(const char *path, const struct stat *is, int kind)
{
    FILE *file;
    uint8_t *data;
    size_t size;

    if (kind == FTW_D)
        return 0;
    if (kind != FTW_F || (file = fopen(path, "rb")) == NULL) {
        perror(path);
        return 1;
    }
    /* Exactly as long as the input, so that a sanitizer sees who reads on. */
    size = (size_t)is->st_size;
    data = malloc(size > 0 ? size : 1);
    if (data == NULL || fread(data, 1, size, file) != size) {
        perror(path);
        return 1;
    }
    fclose(file);
    current = path;
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    replayed++;
    return 0;
}

int main(int argc, char **argv)
{
    signal(SIGABRT, name_current);
    for (int i = 1; i < argc; i++)
        if (ftw(argv[i], replay, 8) != 0)
            return 1;
    if (replayed == 0) {
        fprintf(stderr, "replay: there are no inputs\n");
        return 1;
    }
    printf("%s: %u inputs\n", argv[0], replayed);
    return 0;
}
