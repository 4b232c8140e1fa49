/*
 * cli/request_review.h - a request as the broker tells of it, checked against
 * the log.
 *
 * What the broker tells counts only as far as the request's entry, in the log
 * and valid, commits to it.
 */
#ifndef CLI_REQUEST_REVIEW_H
#define CLI_REQUEST_REVIEW_H

#include "broker/request_terms.h"
#include "cli/session.h"
#include "common/error.h"
#include "common/json.h"

struct request_review {
    struct json *json;   /* of the answer; the strings below are in it */
    const char *id;      /* of the request's entry, in hex */
    const char *approve; /* of what answered it, or "" */
    const char *state;
    const char *release; /* "" before there is one */
    struct request_terms terms;
    char commitment[DIGEST_HEX_SIZE]; /* "terms" of the entry */
};

/* `id` is 64 hex digits, E_USAGE if not.  E_REFUSED if what the broker tells is
 * not what the log's entry stands for. */
MUST_USE enum status request_review_open(struct request_review *review,
                                         const struct session *session,
                                         struct client *broker, const char *id,
                                         struct error *err);
/* All zero is as good as closed. */
void request_review_close(struct request_review *review);

/* Print what is asked for, as lines for people. */
void request_review_print(const struct request_review *review);

/* How a request was answered, as the log has it. */
struct request_answer {
    bool approved; /* or rejected */
    char id[DIGEST_HEX_SIZE];
    char author[CERTIFICATE_ID_SIZE];
    uint64_t position;
};

/* E_NO if it was not. */
MUST_USE enum status request_answer_ask(struct request_answer *answer,
                                        const struct session *session,
                                        const char *id, struct error *err);

/* E_USAGE if the word is no id. */
MUST_USE enum status request_id_read(const char *id, struct digest *digest,
                                     struct error *err);

/* Ask the broker for one (NULL: all that the user may see).  *list is in *json:
 * objects as in docs/protocol.md. */
MUST_USE enum status requests_ask(struct client *broker,
                                  const struct digest *id, struct json **json,
                                  const struct json_value **list,
                                  struct error *err);

#endif
