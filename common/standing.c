#include "common/standing.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/encoding.h"
#include "common/ledger_questions.h"

enum status standing_admit(const struct genesis *genesis,
                           const struct certificate *certificate,
                           struct error *err)
{
    return genesis_check_certificate(genesis, certificate,
                                     (int64_t)clock_now_ms(), err);
}

/* Enrolled without an entry? */
static bool is_founder(const struct genesis *genesis, const char *id)
{
    for (size_t i = 0; i < genesis->members.count; i++)
        if (strcmp(certificate_id(genesis->members.item[i]), id) == 0)
            return true;
    for (size_t i = 0; i < genesis->node_count; i++)
        if (strcmp(certificate_id(genesis->node[i].certificate), id) == 0)
            return true;
    return false;
}

/* The entry that wrote last about this certificate.  E_NO if none did. */
static enum status ask_last(struct client *client, const char *id,
                            uint64_t *position, struct error *err)
{
    char key[sizeof "certificate/" + CERTIFICATE_ID_SIZE];
    struct text positions;
    bool more = false;
    enum status status;

    text_init(&positions);
    snprintf(key, sizeof key, "certificate/%s", id);
    status = history_ask(client, key, 0, &positions, &more, err);
    /* Enrolled and revoked once each, at most. */
    if (status == OK && (positions.size < 8 || more))
        status = error_set(err, E_SYSTEM,
                           "the node answered with what is no history of a "
                           "certificate");
    if (status == OK)
        *position = get_be64(text_bytes(&positions).data + positions.size - 8);
    text_clear(&positions);
    return status;
}

/* Does its payload name this certificate, by PEM or by id? */
static enum status concerns(const struct entry *entry, const char *id,
                            bool *does, struct error *err)
{
    const struct json_value *value = json_member(entry->payload, "certificate");
    struct certificate *certificate = NULL;
    enum status status;

    *does = false;
    if (value == NULL || json_kind(value) != JSON_STRING)
        return OK;
    if (entry->type == ENTRY_REVOKE) {
        *does = strcmp(json_string(value), id) == 0;
        return OK;
    }
    status = certificate_parse_pem(&certificate,
                                   bytes_of_string(json_string(value)), err);
    if (status == OK)
        *does = strcmp(certificate_id(certificate), id) == 0;
    certificate_destroy(&certificate);
    return status;
}

static enum status judge(const struct shown *shown,
                         const struct genesis *genesis, const char *id,
                         struct error *err)
{
    const struct entry *entry = &shown->entry;
    bool does = false;
    enum status status = OK;

    if (entry->type == ENTRY_ENROL || entry->type == ENTRY_REVOKE)
        status = concerns(entry, id, &does, err);
    if (status == E_MEMORY)
        return status;
    if (!does || shown->verdict != VERDICT_VALID ||
        strcmp(entry->origin, genesis->origin) != 0 ||
        strcmp(entry->channel, genesis->channel) != 0)
        return error_set(err, E_SYSTEM,
                         "the node answered with an entry that says nothing "
                         "of the certificate");
    if (entry->type == ENTRY_REVOKE)
        return error_set(err, E_REFUSED, "the certificate is revoked");
    return OK;
}

enum status standing_check(struct client *client, const struct genesis *genesis,
                           const struct certificate *certificate,
                           struct error *err)
{
    const char *id = certificate_id(certificate);
    struct shown shown;
    struct error why;
    uint64_t position = 0;
    char which[24];
    enum status status;

    error_init(&why);
    status = ask_last(client, id, &position, &why);
    if (status == E_NO && is_founder(genesis, id))
        return OK;
    if (status == E_NO)
        return error_set(err, E_REFUSED, "the certificate is not enrolled");
    if (status == OK) {
        snprintf(which, sizeof which, "%ju", (uintmax_t)position);
        status = shown_ask(&shown, client, which, &why);
    }
    if (status == OK) {
        status = judge(&shown, genesis, id, &why);
        shown_clear(&shown);
    } else if (status == E_REFUSED) {
        /* It is us whom they refuse. */
        why.status = E_SYSTEM;
        status = error_wrap(&why, "the nodes do not answer us");
    } else if (status == E_NO) {
        status = error_set(&why, E_SYSTEM,
                           "no node shows the entry that wrote of the "
                           "certificate");
    }
    if (status != OK)
        *err = why;
    return status;
}
