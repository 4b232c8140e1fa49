#include "anonymizer/worker_denials.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"

/* Denials of one kind, today. */
struct kind {
    struct denial denial;
    uint64_t count;
    uint64_t untold; /* of these */
};

struct worker_denials {
    struct worker_events *events;
    char day[ACCESS_DAY_SIZE]; /* empty: before the first */
    size_t kinds;
    struct kind kind[DENIALS_KINDS_MAX + 1]; /* the last: of everybody */
};

void denial_explain(struct denial *denial, struct bytes why)
{
    size_t size = why.size < DENIAL_WHY_MAX ? why.size : DENIAL_WHY_MAX;

    for (size_t i = 0; i < size; i++)
        denial->why[i] =
            why.data[i] >= ' ' && why.data[i] <= '~' ? (char)why.data[i] : '?';
    denial->why[size] = '\0';
}

enum status worker_denials_create(struct worker_denials **out,
                                  struct worker_events *events,
                                  struct error *err)
{
    struct worker_denials *denials = calloc(1, sizeof *denials);

    *out = denials;
    if (denials == NULL)
        return error_memory(err, "denials");
    denials->events = events;
    return OK;
}

/* ---- events ---- */

static const char *known(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

/* An event of all that were not told. */
static enum status tell(struct worker_denials *denials, struct kind *kind,
                        struct error *err)
{
    const struct denial *denial = &kind->denial;
    const struct access_told told = {
        .act = ACCESS_DENY,
        .by = known(denial->by),
        .via = known(denial->via),
        .asked = known(denial->asked),
        .why = known(denial->why),
        .release = known(denial->release),
        .dataset = denial->has_dataset ? &denial->dataset : NULL,
        .permit = denial->has_permit ? &denial->permit : NULL,
        .request = denial->has_request ? &denial->request : NULL,
        .count = kind->untold};
    struct access_concern concern = {
        .subject = denial->has_subject ? &denial->subject : NULL,
        .release = denial->is_release ? denial->release : NULL};
    enum status status;

    memcpy(concern.day, denials->day, sizeof concern.day);
    status = worker_events_denial(denials->events, &told, &concern, err);
    if (status == OK)
        kind->untold = 0;
    return status;
}

static enum status tell_rest(struct worker_denials *denials, struct error *err)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i <= DENIALS_KINDS_MAX; i++)
        if (denials->kind[i].untold > 0)
            status = tell(denials, &denials->kind[i], err);
    return status;
}

void worker_denials_destroy(struct worker_denials **handle)
{
    struct worker_denials *denials = *handle;
    struct error err;

    if (denials == NULL)
        return;
    error_init(&err);
    if (tell_rest(denials, &err) != OK)
        log_error("denials that were counted are not told: %s", err.text);
    free(denials);
    *handle = NULL;
}

/* ---- days ---- */

static void day_of(uint64_t now_ms, char day[ACCESS_DAY_SIZE])
{
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm parts;
    size_t size = 0;

    if (gmtime_r(&seconds, &parts) != NULL)
        size = strftime(day, ACCESS_DAY_SIZE, "%Y-%m-%d", &parts);
    assert(size == ACCESS_DAY_SIZE - 1); /* before the year 10000 */
}

enum status worker_denials_turn(struct worker_denials *denials, uint64_t now_ms,
                                struct error *err)
{
    char day[ACCESS_DAY_SIZE];
    enum status status;

    day_of(now_ms, day);
    if (strcmp(day, denials->day) == 0)
        return OK;
    status = tell_rest(denials, err);
    if (status != OK)
        return status;
    memset(denials->kind, 0, sizeof denials->kind);
    denials->kinds = 0;
    memcpy(denials->day, day, sizeof denials->day);
    return OK;
}

/* ---- counting ---- */

static bool same_id(bool has_a, const void *a, bool has_b, const void *b,
                    size_t size)
{
    return has_a == has_b && (!has_a || memcmp(a, b, size) == 0);
}

static bool is_equal(const struct denial *a, const struct denial *b)
{
    return strcmp(a->by, b->by) == 0 && strcmp(a->via, b->via) == 0 &&
           strcmp(a->asked, b->asked) == 0 &&
           strcmp(a->release, b->release) == 0 &&
           a->is_release == b->is_release && strcmp(a->why, b->why) == 0 &&
           same_id(a->has_subject, &a->subject, b->has_subject, &b->subject,
                   sizeof a->subject) &&
           same_id(a->has_dataset, &a->dataset, b->has_dataset, &b->dataset,
                   sizeof a->dataset) &&
           same_id(a->has_permit, &a->permit, b->has_permit, &b->permit,
                   sizeof a->permit) &&
           same_id(a->has_request, &a->request, b->has_request, &b->request,
                   sizeof a->request);
}

/* Its kind, a new one if there is room; NULL: there is none. */
static struct kind *find(struct worker_denials *denials,
                         const struct denial *denial, size_t own_max)
{
    size_t own = 0;

    for (size_t i = 0; i < denials->kinds; i++) {
        struct kind *kind = &denials->kind[i];

        if (is_equal(&kind->denial, denial))
            return kind;
        own += strcmp(kind->denial.by, denial->by) == 0;
    }
    if (own >= own_max || denials->kinds == DENIALS_KINDS_MAX)
        return NULL;
    denials->kind[denials->kinds].denial = *denial;
    return &denials->kind[denials->kinds++];
}

/* What one certificate was refused beyond its kinds, then everybody. */
static struct kind *find_kind(struct worker_denials *denials,
                              const struct denial *denial)
{
    struct kind *kind = find(denials, denial, DENIALS_OWN_MAX - 1);
    struct denial any = {.by = ""};

    if (kind != NULL)
        return kind;
    memcpy(any.by, denial->by, sizeof any.by);
    kind = find(denials, &any, DENIALS_OWN_MAX);
    return kind != NULL ? kind : &denials->kind[DENIALS_KINDS_MAX];
}

static bool is_due(uint64_t count)
{
    return count <= DENIALS_SINGLY_MAX || (count & (count - 1)) == 0;
}

enum status worker_denials_tell(struct worker_denials *denials,
                                const struct denial *denial, uint64_t now_ms,
                                struct error *err)
{
    struct kind *kind;
    enum status status = worker_denials_turn(denials, now_ms, err);

    if (status != OK)
        return status;
    kind = find_kind(denials, denial);
    kind->count++;
    kind->untold++;
    if (!is_due(kind->count))
        return OK;
    status = tell(denials, kind, err);
    if (status != OK) {
        kind->count--;
        kind->untold--;
    }
    return status;
}
