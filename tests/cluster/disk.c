#include "tests/cluster/disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { APPEND, TRUNCATE, PUT, GET };

struct disk_write {
    struct disk_write *next;
    enum kind kind;
    raft_time due;
    void *request;
    raft_index index;         /* TRUNCATE */
    struct disk_entry *entry; /* APPEND */
    size_t count;
    struct raft_snapshot snapshot; /* PUT */
    struct raft_buffer snapshot_data;
    unsigned trailing;
};

static void *need(void *memory)
{
    if (memory != NULL)
        return memory;
    fprintf(stderr, "cluster: out of memory\n");
    exit(2);
}

static void demand(bool truth, const char *what)
{
    if (truth)
        return;
    fprintf(stderr, "cluster: libraft asks its disk for %s\n", what);
    abort();
}

/* ---- snapshots -------------------------------------------------------------
 */

static void copy_configuration(const struct raft_configuration *from,
                               struct raft_configuration *to)
{
    raft_configuration_init(to);
    for (unsigned i = 0; i < from->n; i++)
        demand(raft_configuration_add(to, from->servers[i].id,
                                      from->servers[i].address,
                                      from->servers[i].role) == 0,
               "an impossible configuration");
}

/* `to` has its own configuration and data, the latter in one buffer. */
static void copy_snapshot(const struct raft_snapshot *from,
                          struct raft_snapshot *to, struct raft_buffer *data)
{
    size_t size = 0;

    *to = *from;
    copy_configuration(&from->configuration, &to->configuration);
    for (unsigned i = 0; i < from->n_bufs; i++)
        size += from->bufs[i].len;
    *data = (struct raft_buffer){need(raft_malloc(size)), 0};
    for (unsigned i = 0; i < from->n_bufs; i++) {
        memcpy((char *)data->base + data->len, from->bufs[i].base,
               from->bufs[i].len);
        data->len += from->bufs[i].len;
    }
}

static void clear_snapshot(struct raft_snapshot *snapshot,
                           struct raft_buffer *data)
{
    raft_configuration_close(&snapshot->configuration);
    raft_free(data->base);
    *snapshot = (struct raft_snapshot){0};
    *data = (struct raft_buffer){0};
}

/* As libraft wants it: all of it, and its one buffer, from raft_malloc. */
static struct raft_snapshot *give_snapshot(const struct disk *disk)
{
    struct raft_snapshot *given = need(raft_malloc(sizeof *given));
    struct raft_buffer *data = need(raft_malloc(sizeof *data));
    struct raft_buffer source = disk->snapshot_data;
    struct raft_snapshot snapshot = disk->snapshot;

    snapshot.bufs = &source;
    snapshot.n_bufs = 1;
    copy_snapshot(&snapshot, given, data);
    given->bufs = data;
    return given;
}

/* ---- what reaches the disk -------------------------------------------------
 */

static void drop_entries(struct disk_entry *entry, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(entry[i].data);
}

static void truncate_from(struct disk *disk, raft_index index)
{
    size_t keep;

    demand(index >= disk->first && index <= disk->first + disk->count,
           "a truncation beyond its log");
    keep = (size_t)(index - disk->first);
    drop_entries(disk->entry + keep, disk->count - keep);
    disk->count = keep;
}

static void truncate_before(struct disk *disk, raft_index index)
{
    size_t drop;

    if (index <= disk->first)
        return;
    drop = (size_t)(index - disk->first);
    if (drop > disk->count)
        drop = disk->count;
    drop_entries(disk->entry, drop);
    memmove(disk->entry, disk->entry + drop,
            (disk->count - drop) * sizeof *disk->entry);
    disk->count -= drop;
    disk->first = index;
}

static void append_entries(struct disk *disk, struct disk_write *write)
{
    disk->entry = need(realloc(disk->entry, (disk->count + write->count) *
                                                sizeof *disk->entry));
    memcpy(disk->entry + disk->count, write->entry,
           write->count * sizeof *write->entry);
    disk->count += write->count;
    write->count = 0; /* the disk's now */
}

static void put_snapshot(struct disk *disk, struct disk_write *write)
{
    raft_index next = write->snapshot.index + 1;

    clear_snapshot(&disk->snapshot, &disk->snapshot_data);
    disk->snapshot = write->snapshot;
    disk->snapshot_data = write->snapshot_data;
    write->snapshot = (struct raft_snapshot){0};
    write->snapshot_data = (struct raft_buffer){0};
    if (write->trailing == 0) {
        drop_entries(disk->entry, disk->count);
        disk->count = 0;
        disk->first = next;
    } else if (next > write->trailing) {
        truncate_before(disk, next - write->trailing);
    }
}

static void perform(struct disk *disk, struct disk_write *write)
{
    switch (write->kind) {
    case APPEND:
        append_entries(disk, write);
        break;
    case TRUNCATE:
        truncate_from(disk, write->index);
        break;
    case PUT:
        put_snapshot(disk, write);
        break;
    case GET:
        break;
    }
}

/* Tell libraft of the oldest one, which is gone then. */
static void answer(struct disk *disk, int status)
{
    struct disk_write *write = disk->oldest;

    disk->oldest = write->next;
    if (disk->oldest == NULL)
        disk->newest = NULL;
    if (write->kind == APPEND) {
        struct raft_io_append *request = write->request;

        request->cb(request, status);
    } else if (write->kind == PUT) {
        struct raft_io_snapshot_put *request = write->request;

        request->cb(request, status);
    } else if (write->kind == GET) {
        struct raft_io_snapshot_get *request = write->request;

        /* Also when closing: libraft does not free what it would send if this
         * is cancelled. */
        request->cb(request, give_snapshot(disk), 0);
    }
    drop_entries(write->entry, write->count);
    free(write->entry);
    clear_snapshot(&write->snapshot, &write->snapshot_data);
    free(write);
}

void disk_turn(struct disk *disk)
{
    while (disk->oldest != NULL && !disk->is_full &&
           disk->oldest->due <= *disk->now) {
        perform(disk, disk->oldest);
        answer(disk, 0);
    }
}

void disk_crash(struct disk *disk, struct random *random)
{
    for (struct disk_write *write = disk->oldest; write != NULL;
         write = write->next) {
        if (disk->is_full || random_below(random, 2) == 0)
            return;
        perform(disk, write);
    }
}

/* ---- what libraft calls ----------------------------------------------------
 */

/* The io's own data is the fixture's, and libraft's. */
static struct disk *disk_of(struct raft_io *io)
{
    const struct raft *raft = io->data;

    return raft->data;
}

static struct disk_write *begin(struct disk *disk, enum kind kind,
                                void *request)
{
    struct disk_write *write = need(calloc(1, sizeof *write));

    write->kind = kind;
    write->request = request;
    write->due = *disk->now + disk->latency_ms;
    if (disk->newest == NULL) {
        disk->oldest = write;
    } else {
        if (disk->newest->due > write->due)
            write->due = disk->newest->due;
        disk->newest->next = write;
    }
    disk->newest = write;
    return write;
}

static struct disk_entry copy_entry(const struct raft_entry *entry)
{
    struct disk_entry copy = {entry->term, entry->type, entry->buf.len,
                              need(malloc(entry->buf.len))};

    memcpy(copy.data, entry->buf.base, entry->buf.len);
    return copy;
}

static int on_append(struct raft_io *io, struct raft_io_append *request,
                     const struct raft_entry entries[], unsigned count,
                     raft_io_append_cb done)
{
    struct disk *disk = disk_of(io);
    struct disk_write *write = begin(disk, APPEND, request);

    request->cb = done;
    write->entry = need(calloc(count, sizeof *write->entry));
    for (write->count = 0; write->count < count; write->count++)
        write->entry[write->count] = copy_entry(&entries[write->count]);
    return 0;
}

static int on_truncate(struct raft_io *io, raft_index index)
{
    begin(disk_of(io), TRUNCATE, NULL)->index = index;
    return 0;
}

static int on_snapshot_put(struct raft_io *io, unsigned trailing,
                           struct raft_io_snapshot_put *request,
                           const struct raft_snapshot *snapshot,
                           raft_io_snapshot_put_cb done)
{
    struct disk_write *write = begin(disk_of(io), PUT, request);

    request->cb = done;
    write->trailing = trailing;
    copy_snapshot(snapshot, &write->snapshot, &write->snapshot_data);
    return 0;
}

static int on_snapshot_get(struct raft_io *io,
                           struct raft_io_snapshot_get *request,
                           raft_io_snapshot_get_cb done)
{
    demand(disk_of(io)->snapshot.index > 0, "a snapshot that it never gave");
    request->cb = done;
    begin(disk_of(io), GET, request);
    return 0;
}

static int on_set_term(struct raft_io *io, raft_term term)
{
    disk_of(io)->term = term;
    disk_of(io)->voted_for = 0;
    return 0;
}

static int on_set_vote(struct raft_io *io, raft_id id)
{
    disk_of(io)->voted_for = id;
    return 0;
}

static int on_bootstrap(struct raft_io *io,
                        const struct raft_configuration *configuration)
{
    struct disk *disk = disk_of(io);
    struct raft_entry entry = {.term = 1, .type = RAFT_CHANGE};

    demand(disk->term == 0, "a second beginning");
    demand(raft_configuration_encode(configuration, &entry.buf) == 0,
           "an impossible configuration");
    disk->entry = need(malloc(sizeof *disk->entry));
    disk->entry[0] = copy_entry(&entry);
    disk->count = 1;
    disk->term = 1;
    raft_free(entry.buf.base);
    return 0;
}

/* All entries in one piece of memory. */
static struct raft_entry *give_entries(const struct disk *disk)
{
    struct raft_entry *given;
    size_t size = 0;
    uint8_t *batch;

    if (disk->count == 0)
        return NULL;
    for (size_t i = 0; i < disk->count; i++)
        size += disk->entry[i].size;
    given = need(raft_calloc(disk->count, sizeof *given));
    batch = need(raft_malloc(size));
    size = 0;
    for (size_t i = 0; i < disk->count; i++) {
        const struct disk_entry *entry = &disk->entry[i];

        memcpy(batch + size, entry->data, entry->size);
        given[i] = (struct raft_entry){
            entry->term, entry->type, {batch + size, entry->size}, batch};
        size += entry->size;
    }
    return given;
}

static int on_load(struct raft_io *io, raft_term *term, raft_id *voted_for,
                   struct raft_snapshot **snapshot, raft_index *start_index,
                   struct raft_entry *entries[], size_t *count)
{
    const struct disk *disk = disk_of(io);

    *term = disk->term;
    *voted_for = disk->voted_for;
    *snapshot = disk->snapshot.index > 0 ? give_snapshot(disk) : NULL;
    *start_index = disk->first;
    *entries = give_entries(disk);
    *count = disk->count;
    return 0;
}

static void on_close(struct raft_io *io, raft_io_close_cb done)
{
    struct disk *disk = disk_of(io);

    while (disk->oldest != NULL)
        answer(disk, RAFT_CANCELED);
    if (done != NULL)
        done(io);
}

void disk_attach(struct disk *disk, struct raft_io *io)
{
    struct raft *raft = io->data;

    raft->data = disk;
    io->close = on_close;
    io->load = on_load;
    io->bootstrap = on_bootstrap;
    io->set_term = on_set_term;
    io->set_vote = on_set_vote;
    io->append = on_append;
    io->truncate = on_truncate;
    io->snapshot_put = on_snapshot_put;
    io->snapshot_get = on_snapshot_get;
}

void disk_open(struct disk *disk, const raft_time *now)
{
    *disk = (struct disk){.now = now, .latency_ms = 10, .first = 1};
}

void disk_close(struct disk *disk)
{
    demand(disk->oldest == NULL, "writes after its end");
    drop_entries(disk->entry, disk->count);
    free(disk->entry);
    clear_snapshot(&disk->snapshot, &disk->snapshot_data);
}
