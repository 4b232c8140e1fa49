/*
 * tests/tools/fetch_often.c - for measurements: so many access events.
 *
 *     fetch_often DIR RELEASE COUNT
 *         the institute begins to fetch a release's certificate, COUNT times
 */
#include <stdio.h>
#include <stdlib.h>

#include "cli/session.h"
#include "common/ledger_questions.h"

#define CERTIFICATE 1 /* which file, as `fetch` has it */

int main(int argc, char **argv)
{
    struct service_session anonymizer = {.client = NULL};
    struct session session;
    struct error err;
    unsigned long count;
    enum status status;

    error_init(&err);
    if (argc != 4) {
        fputs("usage: fetch_often DIR RELEASE COUNT\n", stderr);
        return status_exit_code(E_USAGE);
    }
    count = strtoul(argv[3], NULL, 10);
    status =
        session_open_as(&session, argv[1], NULL, IDENTITY_RESEARCH_INSTITUTE,
                        SESSION_TIMEOUT_MS, &err);
    if (status == OK)
        status = service_session_open(&anonymizer, &session, NULL,
                                      IDENTITY_ANONYMIZER, &err);
    for (unsigned long i = 0; status == OK && i < count; i++) {
        struct client_answer answer = {.memory = NULL};
        struct message request;

        question_init(&request, MESSAGE_FETCH);
        message_set_string(&request, FETCH_RELEASE, argv[2]);
        message_set_number(&request, FETCH_FILE, CERTIFICATE);
        message_set_number(&request, FETCH_OFFSET, 0);
        status = client_ask(anonymizer.client, &request, MESSAGE_PIECE, &answer,
                            &err);
        client_answer_clear(&answer);
    }
    service_session_close(&anonymizer);
    session_close(&session);
    if (status != OK)
        fprintf(stderr, "fetch_often: %s\n", err.text);
    return status_exit_code(status);
}
