#include "anonymizer/worker_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"
#include "common/random.h"
#include "tests/lib/suite.h"

void suite_worker_map(void);

/* The map as its definition has it (common/access_chain.h), by OpenSSL's hash
 * of bytes that are put together here: no run, no bucket, no module under
 * test. */
struct naive {
    const struct access_end *end;
    size_t count;
};

static void naive_hash(const uint8_t *bytes, size_t size, uint8_t out[32])
{
    struct bytes part = bytes_of(bytes, size);
    struct digest digest;

    digest_parts(&digest, &part, 1);
    memcpy(out, digest.byte, 32);
}

static unsigned naive_bit(const struct access_end *end, unsigned bit)
{
    return end->handle.byte[bit / 8] & (0x80u >> bit % 8) ? 1 : 0;
}

/* Of those that have these first bits, told by one that has. */
static void naive_trie(const struct naive *all, const struct access_end *like,
                       unsigned bits, uint8_t out[32])
{
    const struct access_end *only = NULL;
    struct access_end zero = *like, one = *like;
    uint8_t bytes[1 + 64];
    size_t found = 0;

    for (size_t i = 0; i < all->count; i++) {
        unsigned same = 0;

        while (same < bits &&
               naive_bit(&all->end[i], same) == naive_bit(like, same))
            same++;
        if (same == bits) {
            only = &all->end[i];
            found++;
        }
    }
    memset(out, 0, 32);
    if (found == 0)
        return;
    if (found == 1) {
        bytes[0] = 0x00;
        memcpy(bytes + 1, only->handle.byte, 16);
        for (int i = 0; i < 8; i++)
            bytes[17 + i] = (uint8_t)(only->length >> (56 - 8 * i));
        memcpy(bytes + 25, only->head.byte, 32);
        naive_hash(bytes, 57, out);
        return;
    }
    zero.handle.byte[bits / 8] &= (uint8_t) ~(0x80u >> bits % 8);
    one.handle.byte[bits / 8] |= (uint8_t)(0x80u >> bits % 8);
    bytes[0] = 0x01;
    naive_trie(all, &zero, bits + 1, bytes + 1);
    naive_trie(all, &one, bits + 1, bytes + 33);
    naive_hash(bytes, 65, out);
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, ACCESS_HANDLE_SIZE);
}

static struct access_end draw_end(struct random *random, unsigned shared)
{
    struct access_end end = {.length = 1 + random_below(random, 5)};

    for (size_t i = 0; i < ACCESS_HANDLE_SIZE; i++)
        end.handle.byte[i] =
            i < shared ? 0xa7 : (uint8_t)random_below(random, 256);
    for (size_t i = 0; i < DIGEST_SIZE; i++)
        end.head.byte[i] = (uint8_t)random_below(random, 256);
    return end;
}

static struct worker_map *open_map(void)
{
    struct worker_map *map = NULL;
    struct error err;

    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(worker_map_create(&map, &err), OK);
    return map;
}

static void put(struct worker_map *map, struct access_end *end, size_t count)
{
    struct error err;

    error_init(&err);
    qsort(end, count, sizeof *end, compare);
    CU_ASSERT_EQUAL_FATAL(worker_map_reserve(map, count, &err), OK);
    worker_map_put(map, end, count);
}

static void expect_trie(struct worker_map *map, const struct naive *all)
{
    const struct access_end any = {.length = 0};
    struct digest trie;
    uint8_t expected[32];

    worker_map_trie(map, &trie);
    naive_trie(all, &any, 0, expected);
    CU_ASSERT_EQUAL(memcmp(trie.byte, expected, 32), 0);
}

/* ---- tests ---- */

static void empty_map_has_a_trie_of_zeros(void)
{
    struct worker_map *map = open_map();
    struct digest trie;
    static const uint8_t zeros[DIGEST_SIZE];

    worker_map_trie(map, &trie);
    CU_ASSERT_EQUAL(memcmp(trie.byte, zeros, DIGEST_SIZE), 0);
    CU_ASSERT_EQUAL(worker_map_size(map), 0);
    worker_map_destroy(&map);
}

/* The map has exactly these, whether they are looked up together or one by one.
 */
static void expect_ends(struct worker_map *map, struct access_end *all,
                        size_t count)
{
    struct access_handle *handle = calloc(count, sizeof *handle);
    struct access_end *found = calloc(count, sizeof *found);

    CU_ASSERT_FATAL(handle != NULL && found != NULL);
    qsort(all, count, sizeof *all, compare);
    for (size_t i = 0; i < count; i++)
        handle[i] = all[i].handle;
    worker_map_look_up(map, handle, count, found);
    CU_ASSERT_EQUAL(memcmp(found, all, count * sizeof *all), 0);
    for (size_t i = 0; i < count; i++) {
        worker_map_look_up(map, &handle[i], 1, found);
        CU_ASSERT_EQUAL(memcmp(found, &all[i], sizeof *all), 0);
    }
    CU_ASSERT_EQUAL_FATAL(worker_map_size(map), count);
    CU_ASSERT_EQUAL(memcmp(worker_map_ends(map), all, count * sizeof *all), 0);
    free(found);
    free(handle);
}

/* Batches of new and of changed ends; handles that share many bits, too. */
static void trie_is_that_of_a_naive_computation(void)
{
    enum { ENDS = 300 };
    static struct access_end all[ENDS], batch[ENDS];
    const uint64_t first_seed = 20261120;

    for (uint64_t seed = first_seed; seed < first_seed + 6; seed++) {
        struct worker_map *map = open_map();
        struct random random;
        size_t count = 0;

        random_init(&random, seed);
        while (count < ENDS) {
            size_t fresh = 1 + random_below(&random, 40), size = 0;

            for (size_t i = 0; i < count; i++)
                if (random_below(&random, 4) == 0) {
                    all[i].length++;
                    all[i].head.byte[3] ^= 0x55;
                    batch[size++] = all[i];
                }
            for (size_t i = 0; i < fresh && count < ENDS; i++) {
                all[count] =
                    draw_end(&random, random_below(&random, 3) == 0 ? 14 : 0);
                for (size_t j = 0; j < count; j++)
                    if (compare(&all[j], &all[count]) == 0)
                        goto again;
                batch[size++] = all[count++];
            again:;
            }
            put(map, batch, size);
            CU_ASSERT_EQUAL(worker_map_size(map), count);
            expect_trie(map, &(struct naive){all, count});
        }
        expect_ends(map, all, ENDS);
        worker_map_destroy(&map);
        if (CU_get_number_of_failures() > 0)
            printf("seed %ju\n", (uintmax_t)seed);
    }
}

static void path_leads_to_the_trie_from_every_handle(void)
{
    enum { ENDS = 200 };
    static struct access_end all[ENDS];
    const uint64_t seed = 7;
    struct worker_map *map = open_map();
    struct random random;
    struct digest trie, reached;
    struct access_path path;

    random_init(&random, seed);
    for (size_t i = 0; i < ENDS; i++)
        all[i] = draw_end(&random, i % 10 == 0 ? 15 : 0);
    for (size_t i = 0; i < ENDS; i += 10)
        all[i].handle.byte[15] = (uint8_t)i;
    qsort(all, ENDS, sizeof *all, compare);
    for (size_t i = 1; i < ENDS; i++)
        CU_ASSERT_FATAL(compare(&all[i - 1], &all[i]) != 0);
    put(map, all, ENDS);
    worker_map_trie(map, &trie);
    for (size_t i = 0; i < ENDS; i++) {
        worker_map_path(map, &all[i].handle, &path);
        CU_ASSERT_EQUAL(path.end.length, all[i].length);
        CU_ASSERT(access_path_trie(&path, &reached));
        CU_ASSERT_EQUAL(memcmp(&reached, &trie, sizeof trie), 0);
        /* An event less, or another head, is another trie. */
        path.end.length++;
        CU_ASSERT(access_path_trie(&path, &reached));
        CU_ASSERT_NOT_EQUAL(memcmp(&reached, &trie, sizeof trie), 0);
    }
    for (size_t i = 0; i < 100; i++) {
        struct access_end absent = draw_end(&random, i % 3 == 0 ? 15 : 0);
        struct access_end found;

        worker_map_look_up(map, &absent.handle, 1, &found);
        if (found.length > 0)
            continue;
        CU_ASSERT_EQUAL(compare(&found, &absent), 0);
        worker_map_path(map, &absent.handle, &path);
        CU_ASSERT_EQUAL(path.end.length, 0);
        CU_ASSERT(access_path_trie(&path, &reached));
        CU_ASSERT_EQUAL(memcmp(&reached, &trie, sizeof trie), 0);
    }
    worker_map_destroy(&map);
}

static void path_that_hides_a_chain_is_refused(void)
{
    struct worker_map *map = open_map();
    struct access_end all[2] = {{.length = 3}, {.length = 5}};
    struct access_path path;
    struct digest trie;

    all[1].handle.byte[0] = 0x80;
    put(map, all, 2);
    /* That of its own chain, said to be another's. */
    worker_map_path(map, &all[0].handle, &path);
    path.other = path.end;
    path.end.length = 0;
    CU_ASSERT(!access_path_trie(&path, &trie));
    /* Another's that does not belong at this place. */
    path.other.handle.byte[0] = 0x80;
    CU_ASSERT(!access_path_trie(&path, &trie));
    /* Two at one place. */
    worker_map_path(map, &all[0].handle, &path);
    path.other = all[1];
    CU_ASSERT(!access_path_trie(&path, &trie));
    path.other.length = 0;
    path.depth = ACCESS_HANDLE_BITS + 1;
    CU_ASSERT(!access_path_trie(&path, &trie));
    worker_map_destroy(&map);
}

void suite_worker_map(void)
{
    static const struct test tests[] = {
        {"an empty map has a trie of zeros", empty_map_has_a_trie_of_zeros},
        {"a trie is that of a naive computation",
         trie_is_that_of_a_naive_computation},
        {"a path leads to the trie from every handle",
         path_leads_to_the_trie_from_every_handle},
        {"a path that hides a chain is refused",
         path_that_hides_a_chain_is_refused},
    };

    suite_add("worker_map", tests, sizeof tests / sizeof tests[0]);
}
