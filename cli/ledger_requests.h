/*
 * cli/ledger_requests.h - what `anchorite ledger` asks of a network, and what
 * it verifies without one.
 *
 * Each prints its result on standard output.  Errors have the exit code of the
 * contract: E_REFUSED for an entry whose verdict is a refusal, E_NO for a proof
 * that does not hold or an entry that is not there.
 */
#ifndef CLI_LEDGER_REQUESTS_H
#define CLI_LEDGER_REQUESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

#define LEDGER_TIMEOUT_MS 10000

/* Options; what an action does not need is NULL. */
struct ledger_request {
    const char *operand; /* id, position, key or file */
    const char *folder;  /* of the network */
    const char *user;    /* NULL: the first node's auditor */
    const char *type, *payload, *endorsers;
    const char *output;
    const char *trust;
    const char *from;
    uint64_t timeout_ms;
    uint64_t repeat; /* of a verification, at least 1 */
    uint64_t count, seconds, rate, in_flight,
        beforehand; /* cli/ledger_load.h */
    const char *keep;
    bool json;
};

MUST_USE enum status ledger_submit(const struct ledger_request *request,
                                   struct error *err);
MUST_USE enum status ledger_show(const struct ledger_request *request,
                                 struct error *err);
MUST_USE enum status ledger_history(const struct ledger_request *request,
                                    struct error *err);
MUST_USE enum status ledger_prove(const struct ledger_request *request,
                                  struct error *err);
/* Each entry of a file that `load --keep` wrote. */
MUST_USE enum status ledger_check(const struct ledger_request *request,
                                  struct error *err);
MUST_USE enum status ledger_verify(const struct ledger_request *request,
                                   struct error *err);
MUST_USE enum status ledger_checkpoint(const struct ledger_request *request,
                                       struct error *err);

#endif
