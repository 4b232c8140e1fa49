/*
 * broker/withdrawal.h - a patient withdraws.
 *
 *     1. The custodian derives the subject id and sends `withdraw`.
 *     2. The broker stores a `withdraw` entry, with the statement that it
 *        stands for, and hands it in (broker/recording.h).
 *     3. It reads the entry back from the log: from here on the newest word of
 *        this subject is a withdrawal, and every decision is no
 *        (broker/follower.h, broker/permit.h).
 *     4. Only then the custodian gets his answer.
 *
 * A release that is under way, by where the withdrawal stands:
 *
 *     before the draft of its entry      the permitted list is looked at again,
 *                                        and misses the subject: a new permit,
 *                                        a new table without him
 *     between the draft and the entry    the nodes find the entry stale; the
 *                                        same then
 *     behind the entry                   it was released before he withdrew
 *
 * (broker/proposal.h).  Killed at any place, the entry is handed in again, the
 * same bytes, and nothing is doubled.
 */
#ifndef BROKER_WITHDRAWAL_H
#define BROKER_WITHDRAWAL_H

#include <stdint.h>

#include "broker/broker.h"
#include "common/subject_id.h"

/* Where it stands in the log; the entry before, if the subject has withdrawn
 * already and said nothing since. */
struct withdrawal {
    struct digest id;
    uint64_t position;
};

/* E_SYSTEM if the log did not answer in time: it is recorded as soon as it
 * does. */
MUST_USE enum status withdrawal_make(struct broker *broker,
                                     const struct subject_id *subject,
                                     struct withdrawal *withdrawal,
                                     struct error *err);

#endif
