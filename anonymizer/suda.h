/*
 * anonymizer/suda.h - special uniques: what makes a record stand out.
 *
 * A minimal sample unique (MSU) of a record is a set of keys on which it is
 * alone in the table, and on no proper subset of which it is.  The fewer keys
 * there are in it, and the more of them a record has, the easier it is found
 * with partial knowledge.  With M keys, an MSU of s of them counts
 *
 *     factorial    (M - s)!                            [Elliot 2002]
 *     normalised   (2^(M-s) - 1) s! (M-s)! / M!        [IHSN, sdcMicro]
 *
 * and a record's score is the sum over its MSUs.  A missing value is no key of
 * any MSU.
 *
 * The DIS score says how likely a match on the keys of a record is a right one,
 * from the number of unique records U, of records in pairs P, and the share f
 * of the population that the table is:
 *
 *     D = U f / (U f + P (1 - f))            Q = 1 + (8 - M) / 20
 *     A = sum over scored records of score^-Q
 *     dis = 1 / (1 + (U / D - U) / (score^Q A))      0 without a score
 *
 * M. J. Elliot, A. M. Manning, R. W. Ford, "A computational algorithm for
 * handling the special uniques problem", 2002; DIS: M. J. Elliot, C. J.
 * Skinner, "Identifying population uniques using limited information", 2000.
 *
 * Sets of keys are walked through depth first, each by refining the groups of
 * the one before by a key more (key_table.h).  Who is alone is taken out of the
 * walk: they are alone in all larger sets, and keep nobody else company.
 */
#ifndef ANONYMIZER_SUDA_H
#define ANONYMIZER_SUDA_H

#include <stdatomic.h>
#include <stdint.h>

#include "anonymizer/key_table.h"
#include "anonymizer/policy_risk.h"
#include "common/error.h"

/* MSUs that are held at once: some 4 GiB. */
#define SUDA_SETS_MAX (UINT64_C(1) << 28)

struct suda_options {
    enum suda_form form;
    double fraction;     /* f, 0 < f < 1 */
    atomic_bool *cancel; /* may be NULL */
};

struct suda {
    uint64_t records; /* with a score above 0 */
    double score_sum, score_highest;
    double dis_sum, dis_highest;
    double *contribution; /* [column]: share of score_sum that comes from MSUs
                             with it; they sum up to more than 1 */
    double *score, *dis;  /* [tuple]; only of tuples of one row above 0 */
};

/* E_LIMIT if there are more MSUs than can be held. */
MUST_USE enum status suda_compute(struct suda **suda,
                                  const struct key_table *table,
                                  const struct suda_options *options,
                                  struct error *err);
void suda_destroy(struct suda **suda);

#endif
