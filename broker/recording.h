/*
 * broker/recording.h - brings our own entries into the log, and back.
 *
 *     stored as pending --submit--> a node's answer --follower--> settled
 *
 * In the order in which they were made: a consent that no node has answered for
 * yet must not come in behind a withdrawal of the same subject.  So whatever is
 * done begins with what is pending.  Handing in the same bytes again is
 * harmless, so it does not matter where one was killed.
 */
#ifndef BROKER_RECORDING_H
#define BROKER_RECORDING_H

#include "broker/broker.h"

/* All that is pending is settled, and the log is applied to its end.  An entry
 * for which others signed, too, and that no node takes, is not pending any more
 * and stays unsettled: whoever proposed it drafts another.  Any other that no
 * node takes is tried again the next time. */
MUST_USE enum status recording_finish(struct broker *broker, struct error *err);

/* Store one, signed, and do the above; *own is then as it is in the log.
 * E_REFUSED if its verdict is not valid. */
MUST_USE enum status recording_record(struct broker *broker,
                                      struct own_entry *own, struct bytes asked,
                                      struct error *err);

/* OK if it is in the log and valid, else E_REFUSED with the verdict. */
MUST_USE enum status recording_check(const struct own_entry *own,
                                     struct error *err);

#endif
