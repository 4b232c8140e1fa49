/*
 * cli/command_ingest.c - `anchorite ingest`: a table into the vault, by the
 * custodian's hand.
 *
 *     1. rows to the anonymizer, by subject id: it tells the dataset's
 * statement
 *     2. a `dataset` entry in the custodian's name, which commits to it
 *     3. the anonymizer learns which entry that is: now it can be asked for
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "anonymizer/ingest_reader.h"
#include "anonymizer/policy.h"
#include "anonymizer/vault.h"
#include "cli/command.h"
#include "cli/kept_entry.h"
#include "cli/options.h"
#include "cli/patient.h"
#include "cli/service_answer.h"
#include "cli/session.h"
#include "common/encoding.h"
#include "common/ledger_questions.h"
#include "common/upload.h"

static const char help[] =
    "usage: anchorite ingest TABLE.csv --policy P --dir DIR [--json]\n"
    "       anchorite ingest --resume DATASET --dir DIR [--json]\n\n"
    "Puts a table of patients' records, one row each, into the anonymizer's "
    "vault.  The\npolicy says by its roles which column is the patient's "
    "number: in its place goes a\nsubject id that only the custodian can "
    "make.  Identifying columns are left out.  The\nledger gets a commitment; "
    "the dataset's id is that of its entry.  An ingest that is\ninterrupted "
    "behind the last row goes on by --resume.  \"-\" is standard input.\n\n"
    "  -p, --policy P           the roles of the columns (JSON)\n"
    "      --resume DATASET     hand in again what was "
    "kept\n" SESSION_OPTION_HELP(
        SESSION_CUSTODIAN) "  -j, --json               print one JSON object\n"
                           "  -h, --help               this text\n\n"
                           "Example:\n"
                           "  anchorite ingest patients.csv --policy "
                           "policies/hospital-k5.json --dir "
                           "/tmp/demo\n";

struct options {
    struct session_options session;
    const char *policy;
    const char *table;
    const char *resume;
    bool json;
};

/* What was named in the end. */
struct result {
    struct receipt receipt;
    uint64_t rows;
};

/* ---- rows ---- */

/* Rows on their way to the anonymizer. */
struct sending {
    struct client *client;
    struct upload_id id;
    struct text rows; /* not sent yet */
    uint64_t first;   /* number of the first of them */
    uint64_t count;   /* all, sent or not */
    bool terminal;
};

static struct bytes sending_id(const struct sending *sending)
{
    return bytes_of(sending->id.byte, sizeof sending->id.byte);
}

static enum status ask_taken(const struct sending *sending,
                             struct message *request, struct error *err)
{
    struct client_answer answer;
    enum status status =
        client_ask(sending->client, request, MESSAGE_TAKEN, &answer, err);

    client_answer_clear(&answer);
    return status;
}

static enum status begin(struct sending *sending,
                         const struct vault_schema *schema, struct error *err)
{
    struct message request;
    struct text json;
    enum status status =
        random_secret(sending->id.byte, sizeof sending->id.byte, err);

    text_init(&json);
    if (status == OK)
        status = vault_schema_encode(schema, &json, err);
    if (status == OK) {
        question_init(&request, MESSAGE_INGEST);
        message_set_bytes(&request, INGEST_INGEST, sending_id(sending));
        message_set_bytes(&request, INGEST_SCHEMA, text_bytes(&json));
        status = ask_taken(sending, &request, err);
    }
    text_clear(&json);
    return status;
}

static enum status flush(struct sending *sending, struct error *err)
{
    struct message request;
    enum status status;

    if (sending->rows.size == 0)
        return OK;
    question_init(&request, MESSAGE_ROWS);
    message_set_bytes(&request, ROWS_INGEST, sending_id(sending));
    message_set_number(&request, ROWS_NUMBER, sending->first);
    message_set_bytes(&request, ROWS_ROWS, text_bytes(&sending->rows));
    status = ask_taken(sending, &request, err);
    if (status != OK)
        return status;
    sending->first = sending->count;
    text_reset(&sending->rows);
    if (sending->terminal)
        fprintf(stderr, "\r\033[K%ju rows", (uintmax_t)sending->count);
    return OK;
}

static size_t row_size(const struct ingest_row *row)
{
    size_t size = SUBJECT_ID_SIZE;

    for (size_t i = 0; i < row->cell_count; i++)
        size += 4 + row->cell[i].size;
    return size;
}

static enum status append_row(struct sending *sending,
                              const struct ingest_row *row, struct error *err)
{
    enum status status =
        text_append(&sending->rows, row->subject.byte, SUBJECT_ID_SIZE, err);

    for (size_t i = 0; status == OK && i < row->cell_count; i++) {
        uint8_t size[4];

        put_be32(size, (uint32_t)row->cell[i].size);
        status = text_append(&sending->rows, size, sizeof size, err);
        if (status == OK)
            status = text_append(&sending->rows, row->cell[i].data,
                                 row->cell[i].size, err);
    }
    return status;
}

static enum status add(struct sending *sending, const struct ingest_row *row,
                       struct error *err)
{
    size_t size = row_size(row);
    enum status status = OK;

    if (size > PART_SIZE_MAX)
        return error_set(err, E_LIMIT,
                         "line %ju: a row of %zu bytes, at most %u may be",
                         (uintmax_t)row->line, size, PART_SIZE_MAX);
    if (sending->rows.size + size > PART_SIZE_MAX)
        status = flush(sending, err);
    if (status == OK)
        status = append_row(sending, row, err);
    sending->count += status == OK;
    return status;
}

static enum status finish(struct sending *sending, struct text *statement,
                          struct error *err)
{
    struct client_answer answer = {.memory = NULL};
    struct message request;
    enum status status = flush(sending, err);

    if (sending->terminal)
        fputs("\r\033[K", stderr);
    if (status == OK) {
        question_init(&request, MESSAGE_INGESTED);
        message_set_bytes(&request, INGESTED_INGEST, sending_id(sending));
        message_set_number(&request, INGESTED_COUNT, sending->count);
        status =
            client_ask(sending->client, &request, MESSAGE_TOLD, &answer, err);
    }
    if (status == OK) {
        struct bytes told = message_bytes(&answer.message, TOLD_JSON);

        status = text_append(statement, told.data, told.size, err);
    }
    client_answer_clear(&answer);
    return status;
}

static enum status send_table(struct client *client,
                              struct ingest_reader *reader,
                              struct text *statement, struct error *err)
{
    struct sending sending = {.client = client,
                              .terminal = isatty(STDERR_FILENO) == 1};
    const struct ingest_row *row = NULL;
    enum status status;

    text_init(&sending.rows);
    status = begin(&sending, ingest_reader_schema(reader), err);
    if (status == OK)
        status = ingest_reader_next(reader, &row, err);
    while (status == OK && row != NULL) {
        status = add(&sending, row, err);
        if (status == OK && atomic_load(command_cancel()))
            status = error_set(err, E_CANCELLED, "interrupted");
        if (status == OK)
            status = ingest_reader_next(reader, &row, err);
    }
    if (status == OK)
        status = finish(&sending, statement, err);
    text_clear(&sending.rows);
    return status;
}

/* Whose ids the reader wants. */
struct identifying {
    const struct session *session;
    struct subject_id_key *key;
};

static enum status identify(void *context, struct bytes number,
                            struct subject_id *subject, struct error *err)
{
    const struct identifying *identifying = context;

    return patient_subject(identifying->session, identifying->key, number,
                           subject, err);
}

static enum status send_file(const struct options *options,
                             const struct session *session,
                             struct client *client, struct text *statement,
                             struct error *err)
{
    struct identifying identifying = {.session = session};
    struct ingest_source source = {
        .fd = -1, .identify = identify, .context = &identifying};
    struct ingest_reader *reader = NULL;
    struct policy *policy = NULL;
    enum status status = policy_open(&policy, options->policy, err);

    if (status == OK)
        status = patient_key_open(&identifying.key, session, err);
    if (status == OK)
        status = command_open_input(options->table, false, &source.fd,
                                    &source.name, err);
    if (status == OK)
        status = ingest_reader_open(&reader, policy, &source, err);
    if (status == OK)
        status = send_table(client, reader, statement, err);
    ingest_reader_close(&reader);
    if (source.fd >= 0)
        close(source.fd);
    subject_id_key_close(&identifying.key);
    policy_close(&policy);
    return status;
}

/* ---- the entry ---- */

static enum status make_entry(const struct session *session,
                              struct kept_entry *kept, struct error *err)
{
    struct json *payload = NULL;
    enum status status = json_create(&payload, err);

    if (status == OK)
        status =
            statement_commit(json_edit_root(payload), "commitment",
                             text_bytes(&kept->statement), &kept->salt, err);
    if (status == OK)
        status = signed_entry_make(&kept->entry, session, ENTRY_DATASET,
                                   payload, err);
    if (status == OK)
        status = kept_entry_save(kept, session, KEPT_DATASETS, err);
    json_destroy(&payload);
    return status;
}

/* "dataset" and "rows" of the statement. */
static enum status read_statement(const struct text *statement,
                                  char dataset[DATASET_ID_HEX_SIZE],
                                  uint64_t *rows, struct error *err)
{
    const struct json_value *number;
    const char *name;
    struct json *json = NULL;
    struct dataset_id id;
    int64_t count = 0;
    enum status status = json_parse(&json, text_bytes(statement), err);

    if (status == OK)
        status = told_string(json_root(json), "dataset", &name, err);
    if (status == OK) {
        number = json_member(json_root(json), "rows");
        if (!dataset_id_parse(&id, bytes_of_string(name)) || number == NULL ||
            json_kind(number) != JSON_NUMBER || !json_integer(number, &count) ||
            count < 1)
            status = error_set(err, E_SYSTEM,
                               "the anonymizer tells no dataset's statement");
    }
    if (status == OK) {
        dataset_id_hex(&id, dataset);
        *rows = (uint64_t)count;
    }
    json_destroy(&json);
    return status;
}

static enum status name_dataset(struct client *client,
                                const struct kept_entry *kept,
                                const char *dataset, struct error *err)
{
    struct client_answer answer;
    struct message request;
    enum status status;

    question_init(&request, MESSAGE_NAME);
    message_set_string(&request, NAME_DATASET, dataset);
    message_set_bytes(&request, NAME_ENTRY,
                      bytes_of(kept->entry.id.byte, DIGEST_SIZE));
    message_set_bytes(&request, NAME_SALT,
                      bytes_of(kept->salt.byte, sizeof kept->salt.byte));
    status = client_ask(client, &request, MESSAGE_TAKEN, &answer, err);
    client_answer_clear(&answer);
    return status;
}

/* From here on it can be resumed. */
static enum status hand_in(const struct session *session, struct client *client,
                           const struct kept_entry *kept, struct result *result,
                           struct error *err)
{
    char dataset[DATASET_ID_HEX_SIZE], hex[DIGEST_HEX_SIZE];
    enum status status =
        read_statement(&kept->statement, dataset, &result->rows, err);

    if (status == OK)
        status = signed_entry_submit(&kept->entry, session, ENTRY_DATASET,
                                     &result->receipt, err);
    if (status == OK)
        status = name_dataset(client, kept, dataset, err);
    if (status == E_SYSTEM || status == E_CANCELLED) {
        digest_hex(&kept->entry.id, hex);
        fprintf(stderr, "To go on: anchorite ingest --resume %s\n", hex);
    }
    return status;
}

/* ---- the command ---- */

static enum status print_result(const struct result *result, bool as_json,
                                struct error *err)
{
    char hex[DIGEST_HEX_SIZE];
    struct json *json = NULL;
    enum status status;

    if (!as_json) {
        digest_hex(&result->receipt.id, hex);
        printf("dataset   %s\nposition  %ju\nrows      %ju\n", hex,
               (uintmax_t)result->receipt.position, (uintmax_t)result->rows);
        return command_finish_output(err);
    }
    status = json_create(&json, err);
    if (status == OK)
        status = signed_entry_add_place(json_edit_root(json), "dataset",
                                        &result->receipt, err);
    if (status == OK)
        status = json_add_integer(json_edit_root(json), "rows",
                                  (int64_t)result->rows, err);
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

static enum status ingest(const struct options *options,
                          const struct session *session, struct result *result,
                          struct error *err)
{
    struct service_session anonymizer;
    struct kept_entry kept;
    enum status status = service_session_open_near(&anonymizer, session,
                                                   IDENTITY_ANONYMIZER, err);

    kept_entry_init(&kept);
    if (status == OK && options->resume != NULL) {
        status = kept_entry_load(&kept, session, KEPT_DATASETS, options->resume,
                                 err);
    } else if (status == OK) {
        status = send_file(options, session, anonymizer.client, &kept.statement,
                           err);
        if (status == OK)
            status = make_entry(session, &kept, err);
    }
    if (status == OK)
        status = hand_in(session, anonymizer.client, &kept, result, err);
    kept_entry_clear(&kept);
    service_session_close(&anonymizer);
    return status;
}

static enum status run(const struct options *options, struct error *err)
{
    struct session session;
    struct result result;
    enum status status =
        session_open_with(&session, &options->session, IDENTITY_CUSTODIAN, err);

    if (status == OK)
        status = ingest(options, &session, &result, err);
    if (status == OK)
        status = print_result(&result, options->json, err);
    session_close(&session);
    return status;
}

static const struct option_row rows[] = {
    {"policy", 'p', OPTION_AT(TEXT, struct options, policy)},
    {"resume", 0, OPTION_AT(TEXT, struct options, resume)},
    SESSION_OPTION_ROWS(struct options),
    {"json", 'j', OPTION_AT(FLAG, struct options, json)},
};

static const struct options_table known = {help, rows,
                                           sizeof rows / sizeof *rows};

static bool fits(const char *command, const struct options *options)
{
    if (options->resume != NULL &&
        (options->table != NULL || options->policy != NULL))
        command_misuse(command, "--resume says all that is to be handed in");
    else if (options->resume == NULL && options->table == NULL)
        command_misuse(command, "a table is expected");
    else if (options->resume == NULL && options->policy == NULL)
        command_misuse(command, "--policy is missing");
    else
        return session_options_fit(command, &options->session);
    return false;
}

int command_ingest(int argc, char **argv)
{
    struct options options = {.session.timeout_ms = SESSION_TIMEOUT_MS};
    struct operands operands;
    struct error err;
    int exit_code;

    if (!options_parse(&known, argc, argv, &options, &operands, &exit_code))
        return exit_code;
    if (operands.count > 1)
        return command_misuse(argv[0], "one table is expected");
    if (operands.count == 1)
        options.table = operands.at[0];
    if (!fits(argv[0], &options))
        return exit_code;
    error_init(&err);
    return run(&options, &err) == OK ? status_exit_code(OK)
                                     : command_fail(&err);
}
