#include "cli/ledger_requests.h"

#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/session.h"
#include "common/encoding.h"
#include "common/files.h"
#include "common/ledger_questions.h"

/* A list of the command line: "north.broker,north.anonymizer". */
#define USER_NAME_MAX (2 * IDENTITY_NAME_MAX + 1)
/* Positions that are collected before they are printed. */
#define HISTORY_SHOWN_MAX (1u << 19)

/* ---- submit: making the entry ---- */

static enum status load_payload(const char *path, struct json **json,
                                struct error *err)
{
    bool standard = strcmp(path, "-") == 0;
    struct text text;
    enum status status;

    text_init(&text);
    status =
        file_read(standard ? "/dev/stdin" : path, ENTRY_SIZE_MAX, &text, err);
    if (status == OK) {
        status = json_parse(json, text_bytes(&text), err);
        if (status == OK && json_kind(json_root(*json)) != JSON_OBJECT)
            status = error_set(err, E_INPUT, "expected an object, found %s",
                               json_kind_name(json_kind(json_root(*json))));
        if (status != OK)
            status = error_wrap(err, "%s", standard ? "standard input" : path);
    }
    text_clear(&text);
    return status;
}

static enum status write_entry(const struct ledger_request *request,
                               const struct session *session, struct text *out,
                               struct error *err)
{
    uint8_t nonce[ENTRY_NONCE_SIZE];
    struct entry_draft draft = {.origin = session->network->origin,
                                .channel = session->network->channel,
                                .author =
                                    certificate_id(session->user.certificate),
                                .nonce = nonce};
    struct json *payload = NULL;
    unsigned type = 0;
    enum status status = OK;

    while (type < ENTRY_TYPE_COUNT &&
           strcmp(entry_type_name(type), request->type) != 0)
        type++;
    if (type == ENTRY_TYPE_COUNT)
        return error_set(err, E_USAGE, "--type: there is no type \"%s\"",
                         request->type);
    draft.type = type;
    status = load_payload(request->payload, &payload, err);
    if (status == OK)
        status = random_secret(nonce, sizeof nonce, err);
    if (status == OK) {
        draft.payload = json_root(payload);
        status = entry_write(&draft, out, err);
    }
    json_destroy(&payload);
    return status;
}

static enum status sign_as(const char *folder, const char *name,
                           struct bytes entry,
                           struct entry_signature *signature, struct error *err)
{
    struct network_user user;
    enum status status = network_user_load(&user, folder, name, err);

    if (status == OK)
        status = entry_sign(entry, certificate_id(user.certificate), user.key,
                            signature, err);
    network_user_clear(&user);
    return status;
}

/* The author's, and those of the list. */
static enum status sign_all(const struct ledger_request *request,
                            const struct session *session, struct bytes entry,
                            struct text *out, struct error *err)
{
    struct entry_signature signature[ENTRY_SIGNATURES_MAX];
    const char *at = request->endorsers;
    size_t count = 1;
    enum status status =
        entry_sign(entry, certificate_id(session->user.certificate),
                   session->user.key, &signature[0], err);

    while (status == OK && at != NULL) {
        char name[USER_NAME_MAX + 1];
        size_t size = strcspn(at, ",");

        if (count == ENTRY_SIGNATURES_MAX)
            return error_set(err, E_USAGE, "--endorse: at most %d may be",
                             ENTRY_SIGNATURES_MAX - 1);
        if (size == 0 || size >= sizeof name)
            return error_set(err, E_USAGE,
                             "--endorse: expected users, separated by commas");
        memcpy(name, at, size);
        name[size] = '\0';
        status =
            sign_as(request->folder, name, entry, &signature[count++], err);
        at = at[size] == ',' ? at + size + 1 : NULL;
    }
    if (status == OK)
        status = entry_write_signatures(signature, count, out, err);
    return status;
}

/* ---- submit: what became of it ---- */

/* Numbers of the log stay below 2^53, which JSON holds exactly. */
static enum status add_number(struct json_value *object, const char *key,
                              uint64_t number, struct error *err)
{
    if (number > (UINT64_C(1) << 53))
        return error_set(err, E_SYSTEM, "a number of the node is beyond 2^53");
    return json_add_integer(object, key, (int64_t)number, err);
}

static enum status add_place(struct json_value *object, const struct digest *id,
                             uint64_t position, uint64_t block,
                             enum entry_verdict verdict, struct error *err)
{
    char hex[DIGEST_HEX_SIZE];
    enum status status;

    digest_hex(id, hex);
    status = json_add_string(object, "id", hex, err);
    if (status == OK)
        status = add_number(object, "position", position, err);
    if (status == OK)
        status = add_number(object, "block", block, err);
    if (status == OK)
        status = json_add_string(object, "verdict", entry_verdict_name(verdict),
                                 err);
    return status;
}

static void print_place(const struct digest *id, uint64_t position,
                        uint64_t block, enum entry_verdict verdict)
{
    char hex[DIGEST_HEX_SIZE];

    digest_hex(id, hex);
    printf("id        %s\nposition  %ju\nblock     %ju\nverdict   %s\n", hex,
           (uintmax_t)position, (uintmax_t)block, entry_verdict_name(verdict));
}

static enum status print_receipt(const struct receipt *receipt, bool as_json,
                                 struct error *err)
{
    struct json *json = NULL;
    enum status status;

    if (!as_json) {
        print_place(&receipt->id, receipt->position, receipt->block,
                    receipt->verdict);
        return command_finish_output(err);
    }
    status = json_create(&json, err);
    if (status == OK)
        status =
            add_place(json_edit_root(json), &receipt->id, receipt->position,
                      receipt->block, receipt->verdict, err);
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

enum status ledger_submit(const struct ledger_request *request,
                          struct error *err)
{
    struct receipt receipt;
    struct session session;
    struct text entry, signatures;
    enum status status = session_open(&session, request->folder, request->user,
                                      request->timeout_ms, err);

    text_init(&entry);
    text_init(&signatures);
    if (status == OK)
        status = write_entry(request, &session, &entry, err);
    if (status == OK)
        status =
            sign_all(request, &session, text_bytes(&entry), &signatures, err);
    if (status == OK)
        status = receipt_ask(&receipt, session.client, text_bytes(&entry),
                             text_bytes(&signatures), err);
    if (status == OK)
        status = print_receipt(&receipt, request->json, err);
    if (status == OK && receipt.verdict != VERDICT_VALID)
        status = error_set(err, E_REFUSED, "the entry is recorded as %s",
                           entry_verdict_name(receipt.verdict));
    text_clear(&signatures);
    text_clear(&entry);
    session_close(&session);
    return status;
}

/* ---- show ---- */

static enum status print_shown(const struct shown *shown, struct error *err)
{
    const struct entry *entry = &shown->entry;
    struct text text;
    enum status status;

    text_init(&text);
    status = json_print(json_root(entry->json), &text, err);
    if (status == OK) {
        print_place(&entry->id, shown->position, shown->block, shown->verdict);
        printf("signed by");
        for (size_t i = 0; i < entry->signature_count; i++)
            printf(" %s", entry->signature[i].by);
        putchar('\n');
        /* Whatever a member wrote into it. */
        command_print_lines(stdout, text.data);
        putchar('\n');
        status = command_finish_output(err);
    }
    text_clear(&text);
    return status;
}

static enum status print_shown_json(const struct shown *shown,
                                    struct error *err)
{
    const struct entry *entry = &shown->entry;
    struct json *json = NULL, *signatures = NULL;
    struct json_value *root;
    enum status status = json_create(&json, err);

    if (status != OK)
        return status;
    root = json_edit_root(json);
    status = add_place(root, &entry->id, shown->position, shown->block,
                       shown->verdict, err);
    if (status == OK)
        status = json_add_copy(root, "entry", json_root(entry->json), err);
    if (status == OK)
        status = json_parse(&signatures, entry->signature_bytes, err);
    if (status == OK)
        status = json_add_copy(root, "signatures", json_root(signatures), err);
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&signatures);
    json_destroy(&json);
    return status;
}

enum status ledger_show(const struct ledger_request *request, struct error *err)
{
    struct session session;
    struct shown shown = {.position = 0};
    enum status status = session_open(&session, request->folder, request->user,
                                      request->timeout_ms, err);

    if (status == OK)
        status = shown_ask(&shown, session.client, request->operand, err);
    if (status == OK)
        status = request->json ? print_shown_json(&shown, err)
                               : print_shown(&shown, err);
    shown_clear(&shown);
    session_close(&session);
    return status;
}

/* ---- history ---- */

/* Some more of them, behind those that came before. */
static enum status add_positions(const struct text *part, struct text *all,
                                 struct error *err)
{
    if (all->size / 8 + part->size / 8 > HISTORY_SHOWN_MAX)
        return error_set(err, E_LIMIT, "more than %u positions",
                         HISTORY_SHOWN_MAX);
    return text_append(all, part->data, part->size, err);
}

static enum status ask_history(struct client *client, const char *key,
                               struct text *all, struct error *err)
{
    uint64_t next = 0;
    bool more = true;
    enum status status = OK;
    struct text part;

    text_init(&part);
    while (status == OK && more) {
        status = history_ask(client, key, next, &part, &more, err);
        if (status == OK)
            status = add_positions(&part, all, err);
        if (status == OK && part.size > 0)
            next = get_be64(text_bytes(&part).data + part.size - 8) + 1;
    }
    text_clear(&part);
    return status;
}

static enum status print_history(const struct ledger_request *request,
                                 const struct text *all, struct error *err)
{
    const uint8_t *data = (const uint8_t *)all->data;
    struct json *json = NULL;
    struct json_value *list;
    enum status status;

    if (!request->json) {
        for (size_t i = 0; i < all->size; i += 8)
            printf("%ju\n", (uintmax_t)get_be64(data + i));
        return command_finish_output(err);
    }
    status = json_create(&json, err);
    if (status == OK)
        status =
            json_add_string(json_edit_root(json), "key", request->operand, err);
    if (status == OK)
        status = json_add_array(json_edit_root(json), "positions", &list, err);
    for (size_t i = 0; status == OK && i < all->size; i += 8)
        status = add_number(list, NULL, get_be64(data + i), err);
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

enum status ledger_history(const struct ledger_request *request,
                           struct error *err)
{
    struct session session;
    struct text all;
    enum status status;

    if (request->operand[0] == '\0' || strlen(request->operand) > STATE_KEY_MAX)
        return error_set(err, E_USAGE, "a key has 1 to %d bytes",
                         STATE_KEY_MAX);
    text_init(&all);
    status = session_open(&session, request->folder, request->user,
                          request->timeout_ms, err);
    if (status == OK)
        status = ask_history(session.client, request->operand, &all, err);
    if (status == OK)
        status = print_history(request, &all, err);
    text_clear(&all);
    session_close(&session);
    return status;
}
