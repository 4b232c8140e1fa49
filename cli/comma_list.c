#include "cli/comma_list.h"

#include <string.h>

enum status comma_list_each(const char *list, comma_visit *visit, void *context,
                            const char *option, struct error *err)
{
    const char *at = list;

    for (size_t count = 0; at != NULL; count++) {
        char item[COMMA_ITEM_SIZE_MAX + 1];
        size_t size = strcspn(at, ",");

        if (count == COMMA_ITEMS_MAX)
            return error_set(err, E_USAGE, "%s: at most %d may be", option,
                             COMMA_ITEMS_MAX);
        if (size == 0 || size > COMMA_ITEM_SIZE_MAX)
            return error_set(err, E_USAGE,
                             "%s: expected names, separated by commas", option);
        memcpy(item, at, size);
        item[size] = '\0';
        if (visit(context, item, err) != OK)
            return err->status;
        at = at[size] == ',' ? at + size + 1 : NULL;
    }
    return OK;
}
