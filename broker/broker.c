#include "broker/broker.h"

#include "common/sign.h"

void job_progress_init(struct job_progress *progress)
{
    *progress = (struct job_progress){.status = OK};
    text_init(&progress->statement);
    text_init(&progress->why);
}

void job_progress_clear(struct job_progress *progress)
{
    text_clear(&progress->statement);
    text_clear(&progress->why);
    secret_wipe(&progress->salt, sizeof progress->salt);
    job_progress_init(progress);
}

const char *broker_organisation(const struct broker *broker)
{
    return certificate_subject(broker->author.certificate)->organisation;
}

enum status broker_check_resolved(const struct broker *broker,
                                  struct error *err)
{
    struct unresolved unresolved;
    char hex[DIGEST_HEX_SIZE];
    bool found = false;
    enum status status =
        broker_store_first_unresolved(broker->store, &unresolved, &found, err);

    if (status != OK || !found)
        return status;
    digest_hex(&unresolved.id, hex);
    return error_set(err, E_REFUSED,
                     "the %s entry %s, at position %ju of the log, is not the "
                     "broker's own, and whom it is about is not known here; "
                     "nothing is released until its statement and salt are "
                     "handed in",
                     entry_type_name(unresolved.type), hex,
                     (uintmax_t)unresolved.position);
}
