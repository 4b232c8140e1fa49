/*
 * cli/service_answer.h - what a service answers, for who reads it.
 */
#ifndef CLI_SERVICE_ANSWER_H
#define CLI_SERVICE_ANSWER_H

#include <stdbool.h>

#include "common/error.h"
#include "common/json.h"
#include "common/message.h"

/* Print a `recorded`: id and position of the entry. */
MUST_USE enum status recorded_print(const struct message *recorded,
                                    bool as_json, struct error *err);

/* The JSON of a `told`, and a list in it (borrowed from *json).  E_SYSTEM if
 * there is none. */
MUST_USE enum status told_list(const struct message *told, const char *key,
                               struct json **json,
                               const struct json_value **list,
                               struct error *err);

/* A string member.  E_SYSTEM if there is none. */
MUST_USE enum status told_string(const struct json_value *object,
                                 const char *key, const char **string,
                                 struct error *err);

#endif
