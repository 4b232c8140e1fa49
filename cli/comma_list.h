/*
 * cli/comma_list.h - "a,b,c" of a command line, item by item.
 */
#ifndef CLI_COMMA_LIST_H
#define CLI_COMMA_LIST_H

#include "common/error.h"

/* More than any option of ours means. */
#define COMMA_ITEMS_MAX 64
#define COMMA_ITEM_SIZE_MAX 128

typedef enum status comma_visit(void *context, const char *item,
                                struct error *err);

/* Call `visit` with each.  E_USAGE, in the name of the option, for an item that
 * is empty or too long, or too many. */
MUST_USE enum status comma_list_each(const char *list, comma_visit *visit,
                                     void *context, const char *option,
                                     struct error *err);

#endif
