/*
 * anonymizer/anonymize.h - one de-identification, from table to table.
 *
 *     read -> search -> write -> recheck
 *
 * A table on disk keeps its order.  One that comes as a stream, from the vault,
 * becomes a release: suppressed rows dropped, the others in random order.
 *
 * The caller opens input and output and decides whether the output becomes
 * visible; this only fills it.  Nothing here knows of options, clocks on the
 * wall, logs or processes.
 */
#ifndef ANONYMIZER_ANONYMIZE_H
#define ANONYMIZER_ANONYMIZE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "anonymizer/csv.h"
#include "anonymizer/policy.h"
#include "anonymizer/recheck.h"
#include "anonymizer/search.h"
#include "anonymizer/shuffle.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/states.h"

#define ANONYMIZE_STAGES(X)                                                    \
    X(STAGE_READ, "read", STATES_TO(STAGE_SEARCH) | STATES_TO(STAGE_FAILED))   \
    X(STAGE_SEARCH, "search",                                                  \
      STATES_TO(STAGE_WRITE) | STATES_TO(STAGE_FAILED))                        \
    X(STAGE_WRITE, "write",                                                    \
      STATES_TO(STAGE_RECHECK) | STATES_TO(STAGE_WRITTEN) |                    \
          STATES_TO(STAGE_FAILED))                                             \
    X(STAGE_RECHECK, "recheck",                                                \
      STATES_TO(STAGE_RECHECKED) | STATES_TO(STAGE_FAILED))                    \
    X(STAGE_WRITTEN, "written", 0)                                             \
    X(STAGE_RECHECKED, "rechecked", 0)                                         \
    X(STAGE_FAILED, "failed", 0)

enum anonymize_stage { ANONYMIZE_STAGES(STATES_ENUM) };

/* "read", "search", ... */
const char *anonymize_stage_name(enum anonymize_stage stage);

struct anonymize_options {
    unsigned threads; /* >= 1 */
    bool no_recheck;
    atomic_bool *cancel; /* may be NULL */
    /* Called at the beginning of each stage, the last ones included; may be
     * NULL. */
    void (*on_stage)(enum anonymize_stage stage, void *context);
    /* Called while the search goes on, often; may be NULL. */
    void (*on_progress)(const struct search_progress *progress, void *context);
    void *context;
    /* For a time-limited search: what it draws from, and the seconds since it
     * began.  Without a clock (NULL) its work alone ends it, which is the same
     * in every run. */
    uint64_t seed;
    double (*elapsed)(void *context);
};

struct anonymize_result {
    uint64_t rows;
    uint64_t suppressed;
    struct class_figures before; /* of the input */
    struct class_figures after;  /* of the output; taken from the finished
                                    file unless no_recheck */
    uint32_t *level;             /* per policy.attribute; 0 for other roles */
    double *attribute_score;     /* per policy.attribute; 0 for other roles */
    double *score; /* score_count numbers: 1, or for the rank aggregate
                      one per quasi-identifier, descending */
    size_t score_count;
    bool optimal;   /* no transformation has a better score */
    bool timed_out; /* the clock ended the search: not the same in every run */
    double *bound;  /* score_count numbers: none has a better score than this */
    uint64_t checked;    /* transformations that were counted out */
    double lattice_size; /* transformations there are; may exceed 2^64 */
    bool rechecked;
    bool kept_sensitive; /* suppressed rows keep their sensitive cells */
    struct digest output_digest;
};

/* Read the table at `input` (a descriptor that can be read twice: a regular
 * file at offset 0), write the release to `output` (a regular file open for
 * reading and writing, empty).  Names are for errors.  E_NO if no
 * transformation satisfies the policy; the text says what stands in the way. */
MUST_USE enum status anonymize_table(struct anonymize_result **result,
                                     const struct policy *policy, int input,
                                     const char *input_name, int output,
                                     const char *output_name,
                                     const struct anonymize_options *options,
                                     struct error *err);

/* The same of a table that is a stream, which is read twice.  Suppressed rows
 * are dropped, whatever the policy says of them; E_NO if that are all.
 * `scratch` takes the release in the order of the stream, `output` in the
 * seed's; both are regular files open for reading and writing, empty.  The
 * recheck, which options cannot leave out, reads `output`.  The same stream,
 * policy and seed give the same bytes, for any number of threads. */
MUST_USE enum status
anonymize_stream(struct anonymize_result **result, const struct policy *policy,
                 const struct csv_stream *input, const char *input_name,
                 int scratch, int output, const char *output_name,
                 const struct shuffle_seed *seed,
                 const struct anonymize_options *options, struct error *err);

void anonymize_destroy(struct anonymize_result **result);

#endif
