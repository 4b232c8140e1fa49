#include "tests/lib/hospital_capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/files.h"
#include "datasets/hospital_hierarchies.h"
#include "datasets/output.h"

static void must(enum status status, const struct error *err)
{
    if (status != OK) {
        fprintf(stderr, "hospital capture: %s\n", err->text);
        exit(2);
    }
}

/* Where an output goes: a file without a name. */
struct capture {
    int fd;
    struct output *output;
};

static void capture_begin(struct capture *capture)
{
    struct error err;

    must(temporary_open(&capture->fd, &err), &err);
    must(output_attach(&capture->output, capture->fd, "capture", &err), &err);
}

/* All is written; the file is at its beginning again. */
static int capture_end(struct capture *capture)
{
    struct error err;

    must(output_publish(&capture->output, &err), &err);
    if (lseek(capture->fd, 0, SEEK_SET) != 0)
        exit(2);
    return capture->fd;
}

static void read_all(int fd, struct text *text)
{
    struct error err;
    struct stat stat;
    size_t got;

    if (fstat(fd, &stat) != 0)
        exit(2);
    must(text_reserve(text, (size_t)stat.st_size, &err), &err);
    for (;;) {
        char part[4096];

        must(descriptor_read(fd, part, sizeof part, &got, "capture", &err),
             &err);
        if (got == 0)
            break;
        must(text_append(text, part, got, &err), &err);
    }
    close(fd);
}

struct hospital_options hospital_plain(uint64_t seed)
{
    return (struct hospital_options){
        .seed = seed, .days = HOSPITAL_DAYS, .visits = 1};
}

struct hospital *hospital_make(struct hospital_options options)
{
    struct hospital *hospital;
    struct error err;

    must(hospital_create(&hospital, options, &err), &err);
    return hospital;
}

int capture_table_file(struct hospital_options options,
                       struct patient_range range)
{
    struct hospital *hospital = hospital_make(options);
    struct capture capture;
    struct error err;

    capture_begin(&capture);
    must(hospital_table_write(hospital, range, capture.output, &err), &err);
    hospital_destroy(&hospital);
    return capture_end(&capture);
}

void capture_table(struct text *text, struct hospital_options options,
                   struct patient_range range)
{
    read_all(capture_table_file(options, range), text);
}

void capture_hierarchy(struct text *text, size_t index)
{
    struct capture capture;
    struct error err;

    capture_begin(&capture);
    must(hospital_hierarchy_write(index, capture.output, &err), &err);
    read_all(capture_end(&capture), text);
}

void capture_consents(struct text *text, uint64_t seed,
                      const struct consent_mix *mix, struct patient_range range)
{
    struct hospital *hospital = hospital_make(hospital_plain(seed));
    struct capture capture;
    struct error err;

    capture_begin(&capture);
    must(hospital_consents_write(hospital, mix, range, capture.output, &err),
         &err);
    hospital_destroy(&hospital);
    read_all(capture_end(&capture), text);
}
