#include "common/suggestion.h"

#include <string.h>

#include "common/limits.h"

void suggestion_init(struct suggestion *suggestion, const char *name)
{
    *suggestion = (struct suggestion){name, NULL, strlen(name) / 3 + 1};
}

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t smaller = a < b ? a : b;

    return smaller < c ? smaller : c;
}

/* Damerau's distance in the restricted form, where no piece is edited twice:
 *
 *     d[i][j] = distance of the first i bytes of a from the first j of b
 *
 * of which three rows are kept.  Both are at most SUGGESTION_NAME_MAX long. */
static size_t distance(const char *a, const char *b)
{
    size_t row[3][SUGGESTION_NAME_MAX + 1];
    size_t *before = row[0], *above = row[1], *here = row[2];
    size_t length = strlen(b);

    for (size_t j = 0; j <= length; j++)
        here[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t *oldest = before;

        before = above;
        above = here;
        here = oldest;
        here[0] = i;
        for (size_t j = 1; j <= length; j++) {
            here[j] = smallest(above[j] + 1, here[j - 1] + 1,
                               above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1] && before[j - 2] + 1 < here[j])
                here[j] = before[j - 2] + 1;
        }
    }
    return here[length];
}

void suggestion_consider(struct suggestion *suggestion, const char *known)
{
    size_t found;

    if (strlen(suggestion->name) > SUGGESTION_NAME_MAX ||
        strlen(known) > SUGGESTION_NAME_MAX)
        return;
    found = distance(suggestion->name, known);
    if (found < suggestion->distance) {
        suggestion->best = known;
        suggestion->distance = found;
    }
}
