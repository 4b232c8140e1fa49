/*
 * tests/lib/forged_permit.h - a permit as a lying broker signs it: any list,
 * any count.
 */
#ifndef TESTS_LIB_FORGED_PERMIT_H
#define TESTS_LIB_FORGED_PERMIT_H

#include <stdint.h>

#include "broker/broker_store.h"
#include "broker/own_entry.h"

struct forged_permit {
    const struct request_record *request;
    const struct digest *approval;
    struct bytes list;
    uint64_t count; /* that the statement says */
    uint64_t size, expires_ms;
    uint64_t size_more, expires_more; /* added to these in the statement */
};

/* Nothing is stored or handed in. */
MUST_USE enum status forged_permit_make(const struct forged_permit *forged,
                                        const struct own_author *author,
                                        struct permit_record *permit,
                                        struct own_entry *own,
                                        struct error *err);

#endif
