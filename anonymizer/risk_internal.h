/*
 * anonymizer/risk_internal.h - the parts of which risk.c is put together.
 *
 *     risk.c               classes and attackers
 *     risk_individuals.c   record by record, and by household
 *     risk_diversity.c     sensitive values in the class of each record
 */
#ifndef ANONYMIZER_RISK_INTERNAL_H
#define ANONYMIZER_RISK_INTERNAL_H

#include "anonymizer/risk.h"

MUST_USE enum status risk_individuals(struct risk *risk,
                                      const struct policy *policy,
                                      const struct risk_table *table,
                                      struct error *err);

MUST_USE enum status risk_diversity(struct risk *risk,
                                    const struct policy *policy,
                                    const struct risk_table *table,
                                    struct error *err);

#endif
