#include "cli/release_fetch.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/encoding.h"
#include "common/files.h"
#include "common/ledger_questions.h"

#define RELEASE_ID_DIGITS 32

enum release_file { FILE_TABLE, FILE_CERTIFICATE };

/* A file that is on its way. */
struct incoming {
    struct client *client;
    const char *release;
    enum release_file which;
    const char *path;
    struct new_file *file;
    uint64_t size, got;
};

/* The next piece; the first says how large the whole is, and all agree. */
static enum status take_piece(struct incoming *incoming,
                              const struct message *piece, struct error *err)
{
    struct bytes bytes = message_bytes(piece, PIECE_BYTES);
    uint64_t size = message_number(piece, PIECE_SIZE);

    if (incoming->got == 0)
        incoming->size = size;
    if (size != incoming->size || bytes.size > size - incoming->got ||
        (bytes.size == 0 && incoming->got < size))
        return error_set(err, E_SYSTEM,
                         "the anonymizer sent a piece that does not fit");
    incoming->got += bytes.size;
    return descriptor_write(new_file_descriptor(incoming->file), bytes,
                            incoming->path, err);
}

static enum status fetch_piece(struct incoming *incoming, struct error *err)
{
    struct client_answer answer;
    struct message request;
    enum status status;

    question_init(&request, MESSAGE_FETCH);
    message_set_string(&request, FETCH_RELEASE, incoming->release);
    message_set_number(&request, FETCH_FILE, incoming->which);
    message_set_number(&request, FETCH_OFFSET, incoming->got);
    status =
        client_ask(incoming->client, &request, MESSAGE_PIECE, &answer, err);
    if (status == OK)
        status = take_piece(incoming, &answer.message, err);
    client_answer_clear(&answer);
    return status;
}

/* For its owner alone, since it comes from patients' records; what is replaced
 * may have been made for others, too, and stays so. */
static mode_t mode_of(const char *path)
{
    struct stat is;

    return stat(path, &is) == 0 && S_ISREG(is.st_mode) ? is.st_mode & 0666
                                                       : 0600;
}

static enum status fetch_file(struct incoming *incoming, struct error *err)
{
    enum status status = new_file_create(&incoming->file, incoming->path,
                                         mode_of(incoming->path), err);

    do {
        if (status == OK)
            status = fetch_piece(incoming, err);
    } while (status == OK && incoming->got < incoming->size);
    if (status == OK)
        status = new_file_sync(incoming->file, err);
    return status;
}

/* A table without its certificate proves nothing: it goes again if that cannot
 * be put in its place. */
static enum status publish(struct incoming *table, struct incoming *certificate,
                           struct error *err)
{
    enum status status = new_file_publish(&table->file, err);

    if (status != OK)
        return status;
    status = new_file_publish(&certificate->file, err);
    if (status != OK && unlink(table->path) != 0)
        status = error_wrap(err, "%s stays without a certificate", table->path);
    return status;
}

enum status release_fetch(const struct session *session,
                          const char *organisation, const char *release,
                          const char *output, const char *certificate,
                          struct error *err)
{
    struct service_session anonymizer = {.client = NULL};
    struct incoming table = {
        .release = release, .which = FILE_TABLE, .path = output};
    struct incoming proof = {
        .release = release, .which = FILE_CERTIFICATE, .path = certificate};
    uint8_t id[RELEASE_ID_DIGITS / 2];
    enum status status;

    if (!hex_decode(bytes_of_string(release), id, sizeof id))
        return error_set(err, E_USAGE,
                         "expected a release's id, 32 lower-case hex digits, "
                         "not %zu characters; \"anchorite requests\" has it "
                         "behind its request",
                         strlen(release));
    status = service_session_open(&anonymizer, session, organisation,
                                  IDENTITY_ANONYMIZER, err);
    table.client = proof.client = anonymizer.client;
    if (status == OK)
        status = fetch_file(&table, err);
    if (status == OK)
        status = fetch_file(&proof, err);
    if (status == OK)
        status = publish(&table, &proof, err);
    new_file_discard(&table.file);
    new_file_discard(&proof.file);
    service_session_close(&anonymizer);
    return status;
}
