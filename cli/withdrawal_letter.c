#include "cli/withdrawal_letter.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "broker/statement.h"
#include "cli/command.h"
#include "common/commitment.h"
#include "common/encoding.h"

/* Append the statement that the subject's withdrawal stands for. */
static enum status write_statement(const char *subject, struct text *out,
                                   struct error *err)
{
    struct json *statement = NULL;
    struct subject_id id;
    bool is_id = subject_id_parse(&id, bytes_of_string(subject));
    enum status status;

    assert(is_id);
    (void)is_id;
    status = statement_of_withdrawal(&statement, &id, err);
    if (status == OK)
        status = json_print_canonical(json_root(statement), out, err);
    json_destroy(&statement);
    return status;
}

static enum status print_letter(const char *commitment, const char *salt,
                                bool as_json, struct error *err)
{
    struct json *json = NULL;
    enum status status;

    if (!as_json) {
        printf("commitment  %s\nsalt        %s\n", commitment, salt);
        return command_finish_output(err);
    }
    status = json_create(&json, err);
    if (status == OK)
        status = json_add_string(json_edit_root(json), "commitment", commitment,
                                 err);
    if (status == OK)
        status = json_add_string(json_edit_root(json), "salt", salt, err);
    if (status == OK)
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

enum status withdrawal_letter_print(const char *subject, bool as_json,
                                    struct error *err)
{
    char commitment_hex[DIGEST_HEX_SIZE],
        salt_hex[2 * COMMITMENT_SALT_SIZE + 1];
    struct commitment_salt salt;
    struct digest commitment;
    struct text statement;
    enum status status = commitment_draw(&salt, err);

    text_init(&statement);
    if (status == OK)
        status = write_statement(subject, &statement, err);
    if (status == OK)
        status =
            commitment_make(&salt, text_bytes(&statement), &commitment, err);
    if (status == OK) {
        digest_hex(&commitment, commitment_hex);
        hex_encode(bytes_of(salt.byte, sizeof salt.byte), salt_hex);
        status = print_letter(commitment_hex, salt_hex, as_json, err);
    }
    text_clear(&statement);
    return status;
}

enum status withdrawal_letter_open(struct message *resolve, const char *entry,
                                   const char *salt, const char *subject,
                                   struct text *memory, struct error *err)
{
    uint8_t bytes[DIGEST_SIZE + COMMITMENT_SALT_SIZE];
    enum status status;

    if (!hex_decode(bytes_of_string(entry), bytes, DIGEST_SIZE))
        return error_set(
            err, E_USAGE,
            "resolve: expected the id of an entry, 64 lower-case hex "
            "digits, not %zu characters",
            strlen(entry));
    if (!hex_decode(bytes_of_string(salt), bytes + DIGEST_SIZE,
                    COMMITMENT_SALT_SIZE))
        return error_set(err, E_USAGE,
                         "resolve: --salt: expected what the patient's letter "
                         "says, 64 lower-case hex digits");
    status = text_append(memory, bytes, sizeof bytes, err);
    if (status == OK)
        status = write_statement(subject, memory, err);
    if (status != OK)
        return status;
    message_set_bytes(resolve, RESOLVE_ENTRY,
                      bytes_of(memory->data, DIGEST_SIZE));
    message_set_bytes(
        resolve, RESOLVE_SALT,
        bytes_of(memory->data + DIGEST_SIZE, COMMITMENT_SALT_SIZE));
    message_set_bytes(
        resolve, RESOLVE_STATEMENT,
        bytes_of(memory->data + sizeof bytes, memory->size - sizeof bytes));
    return OK;
}
