#include "anonymizer/worker_chains.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"
#include "common/limits.h"

/* Of one handle in what members are the digest of. */
#define MEMBER_SIZE (ACCESS_HANDLE_SIZE + 8)
/* Handles that are hashed at once. */
#define MEMBERS_AT_ONCE 256

struct worker_chains {
    struct worker_store *store;
    struct worker_map *map;
    uint64_t last;   /* act */
    uint64_t retell; /* what telling acts once more costs, in handles */
};

uint64_t worker_chains_last(const struct worker_chains *chains)
{
    return chains->last;
}

struct worker_map *worker_chains_map(struct worker_chains *chains)
{
    return chains->map;
}

/* ---- what an act makes of its chains ---- */

static enum status hash_members(const struct access_end *end, size_t count,
                                struct digest *members, struct error *err)
{
    struct digest_stream *stream = NULL;
    enum status status = digest_open(&stream, err);

    for (size_t i = 0; status == OK && i < count;) {
        uint8_t bytes[MEMBERS_AT_ONCE * MEMBER_SIZE], *to = bytes;

        for (; i < count && to < bytes + sizeof bytes; to += MEMBER_SIZE, i++) {
            memcpy(to, end[i].handle.byte, ACCESS_HANDLE_SIZE);
            put_be64(to + ACCESS_HANDLE_SIZE, end[i].length);
        }
        status =
            digest_update(stream, bytes_of(bytes, (size_t)(to - bytes)), err);
    }
    if (status == OK)
        status = digest_finish(&stream, members, err);
    digest_discard(&stream);
    return status;
}

/* The ends that the chains of these handles get, to be freed, with room for
 * them in the map, so that what is durable fits into memory. */
static enum status extend(struct worker_chains *chains, struct bytes text,
                          const struct access_handle *handle, size_t count,
                          struct access_end **end, struct digest *members,
                          struct error *err)
{
    struct digest event;
    enum status status = worker_map_reserve(chains->map, count, err);

    *end = NULL;
    if (status != OK)
        return status;
    *end = malloc(count * sizeof **end);
    if (*end == NULL)
        return error_memory(err, "the ends of chains");
    digest_parts(&event, &text, 1);
    worker_map_look_up(chains->map, handle, count, *end);
    for (size_t i = 0; i < count; i++)
        access_chain_extend(&(*end)[i], &event);
    return hash_members(*end, count, members, err);
}

/* It is durable. */
static void take(struct worker_chains *chains, const struct act_record *act,
                 const struct access_end *end)
{
    worker_map_put(chains->map, end, act->count);
    chains->last = act->number;
    chains->retell += WORKER_RETELL_ACT + act->count;
}

enum status worker_chains_tell(struct worker_chains *chains, struct bytes text,
                               const struct access_handle *handle, size_t count,
                               struct error *err)
{
    struct act_record act = {
        .number = chains->last + 1, .text = text, .count = count};
    struct access_end *end = NULL;
    enum status status =
        extend(chains, text, handle, count, &end, &act.members, err);

    assert(count > 0);
    if (status == OK)
        status = worker_store_add_act(chains->store, &act, handle, err);
    if (status == OK)
        take(chains, &act, end);
    free(end);
    return status;
}

/* ---- opening ---- */

static enum status altered(const char *what, struct error *err)
{
    return error_set(err, E_INPUT, "access events: %s was altered", what);
}

static enum status load_ends(void *context, const struct access_end *end,
                             size_t count, struct error *err)
{
    struct worker_chains *chains = context;
    enum status status = worker_map_reserve(chains->map, count, err);

    if (status == OK)
        worker_map_put(chains->map, end, count);
    return status;
}

static bool ascend(const struct access_handle *handle, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (access_handle_compare(&handle[i - 1], &handle[i]) >= 0)
            return false;
    return true;
}

static enum status retell(void *context, const struct act_record *act,
                          const struct access_handle *handle, struct error *err)
{
    struct worker_chains *chains = context;
    struct access_end *end = NULL;
    struct digest members;
    enum status status;

    if (act->number != chains->last + 1 || !ascend(handle, act->count))
        return altered("the list of an event", err);
    status = extend(chains, act->text, handle, act->count, &end, &members, err);
    if (status == OK && memcmp(&members, &act->members, sizeof members) != 0)
        status = altered("the list of an event", err);
    if (status == OK)
        take(chains, act, end);
    free(end);
    return status;
}

static enum status load(struct worker_chains *chains, struct error *err)
{
    uint64_t last = 0;
    enum status status = worker_map_create(&chains->map, err);

    if (status == OK)
        status = worker_store_ends(chains->store, load_ends, chains,
                                   &chains->last, err);
    if (status == OK)
        status =
            worker_store_told(chains->store, chains->last, retell, chains, err);
    if (status == OK)
        status = worker_store_last_act(chains->store, &last, err);
    if (status == OK && last != chains->last)
        status = altered("the last event", err);
    return status == OK ? worker_chains_save_some(chains, err) : status;
}

enum status worker_chains_open(struct worker_chains **out,
                               struct worker_store *store, struct error *err)
{
    struct worker_chains *chains = calloc(1, sizeof *chains);
    enum status status;

    *out = NULL;
    if (chains == NULL)
        return error_memory(err, "access chains");
    chains->store = store;
    status = load(chains, err);
    if (status != OK)
        worker_chains_close(&chains);
    *out = chains;
    return status;
}

void worker_chains_close(struct worker_chains **handle)
{
    struct worker_chains *chains = *handle;

    if (chains == NULL)
        return;
    worker_map_destroy(&chains->map);
    free(chains);
    *handle = NULL;
}

/* ---- saving ---- */

enum status worker_chains_save(struct worker_chains *chains, struct error *err)
{
    enum status status = worker_store_save_ends(
        chains->store, chains->last, worker_map_ends(chains->map),
        (size_t)worker_map_size(chains->map), err);

    if (status == OK)
        chains->retell = 0;
    return status;
}

enum status worker_chains_save_some(struct worker_chains *chains,
                                    struct error *err)
{
    if (chains->retell < WORKER_RETELL_MAX ||
        chains->retell < worker_map_size(chains->map))
        return OK;
    return worker_chains_save(chains, err);
}

/* ---- a history ---- */

struct reading {
    struct access_end end;
    worker_store_each_act *each;
    void *context;
};

static enum status read_act(void *context, const struct act_record *act,
                            struct error *err)
{
    struct reading *reading = context;
    struct digest event;

    digest_parts(&event, &act->text, 1);
    access_chain_extend(&reading->end, &event);
    return reading->each(reading->context, act, err);
}

enum status worker_chains_history(struct worker_chains *chains,
                                  const struct access_handle *handle,
                                  worker_store_each_act *each, void *context,
                                  struct error *err)
{
    struct reading reading = {
        .end = {.handle = *handle}, .each = each, .context = context};
    struct access_end end;
    enum status status =
        worker_store_history(chains->store, handle, read_act, &reading, err);

    worker_map_look_up(chains->map, handle, 1, &end);
    if (status == OK &&
        (end.length != reading.end.length ||
         memcmp(&end.head, &reading.end.head, sizeof end.head) != 0))
        status = altered("a chain", err);
    return status;
}
