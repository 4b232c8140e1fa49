#include "anonymizer/keyring.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "anonymizer/keyring_crew.h"
#include "common/encoding.h"
#include "common/files.h"
#include "common/limits.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_keyring(void);

/* A folder and a name in it. */
#define PATH_SIZE 1024

static struct scratch scratch;
static struct keyring *keyring;
static struct error err;
static char database[SCRATCH_PATH_MAX], epochs[SCRATCH_PATH_MAX];
static const struct keyring_place place = {database, epochs};

static const struct subject_id ada = {{0xad}}, bo = {{0xb0}}, cy = {{0xc0}},
                               di = {{0xd1}};

static void open_it(void)
{
    error_init(&err);
    CU_ASSERT_EQUAL_FATAL(keyring_open(&keyring, &place, &err), OK);
}

static void begin(void)
{
    scratch_open(&scratch);
    error_init(&err);
    snprintf(database, sizeof database, "%s/keys.db", scratch.path);
    snprintf(epochs, sizeof epochs, "%s/epochs", scratch.path);
    CU_ASSERT_EQUAL_FATAL(mkdir(epochs, 0700), 0);
    CU_ASSERT_EQUAL_FATAL(keyring_create(&place, &err), OK);
    open_it();
}

static void end(void)
{
    keyring_close(&keyring);
    CU_ASSERT_PTR_NULL(keyring);
    scratch_close(&scratch);
}

static void add(struct subject_id subject)
{
    CU_ASSERT_EQUAL_FATAL(keyring_add(keyring, &subject, 1, &err), OK);
}

/* *id may be NULL. */
static struct subject_key key_of(struct subject_id subject, uint8_t *id)
{
    struct wrapped_key wrapped;
    struct subject_key key;
    bool found = false;

    memset(&key, 0, sizeof key);
    CU_ASSERT_EQUAL(keyring_find(keyring, &subject, &wrapped, &found, &err),
                    OK);
    CU_ASSERT_FATAL(found);
    CU_ASSERT_EQUAL(keyring_unwrap(keyring, &subject, &wrapped, &key, &err),
                    OK);
    if (id != NULL)
        memcpy(id, wrapped.id, KEY_ID_SIZE);
    return key;
}

static bool same(struct subject_key a, struct subject_key b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static bool has(struct subject_id subject)
{
    struct wrapped_key wrapped;
    bool found = false;

    CU_ASSERT_EQUAL(keyring_find(keyring, &subject, &wrapped, &found, &err),
                    OK);
    return found;
}

/* Name of the only epoch file; "" if there is not exactly one. */
static void only_epoch(char name[PATH_SIZE])
{
    DIR *folder = opendir(epochs);
    const struct dirent *entry;
    unsigned count = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(folder);
    while ((entry = readdir(folder)) != NULL)
        if (entry->d_name[0] != '.') {
            snprintf(name, PATH_SIZE, "%s/%s", epochs, entry->d_name);
            count++;
        }
    closedir(folder);
    CU_ASSERT_EQUAL(count, 1);
    if (count != 1)
        name[0] = '\0';
}

static void copy_file(const char *from, const char *to)
{
    struct new_file *file = NULL;
    struct text text;

    text_init(&text);
    CU_ASSERT_EQUAL_FATAL(file_read(from, 1u << 24, &text, &err), OK);
    CU_ASSERT_EQUAL_FATAL(new_file_create(&file, to, 0600, &err), OK);
    CU_ASSERT_EQUAL_FATAL(descriptor_write(new_file_descriptor(file),
                                           text_bytes(&text), to, &err),
                          OK);
    CU_ASSERT_EQUAL_FATAL(new_file_publish(&file, &err), OK);
    text_clear(&text);
}

static void sql(const char *statement)
{
    sqlite3 *db = NULL;

    CU_ASSERT_EQUAL_FATAL(sqlite3_open(database, &db), SQLITE_OK);
    CU_ASSERT_EQUAL_FATAL(sqlite3_exec(db, statement, NULL, NULL, NULL),
                          SQLITE_OK);
    sqlite3_close(db);
}

static void expect_refused_open(const char *words)
{
    struct keyring *none = NULL;

    error_init(&err);
    CU_ASSERT_EQUAL(keyring_open(&none, &place, &err), E_INPUT);
    CU_ASSERT_PTR_NULL(none);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
    keyring_close(&none);
}

/* ---- keys ---- */

static void each_subject_has_a_key_of_its_own_that_stays(void)
{
    const struct subject_id both[] = {ada, bo, ada};
    struct subject_key first, second;
    uint64_t count = 0;

    begin();
    CU_ASSERT(!has(ada));
    CU_ASSERT_EQUAL(keyring_add(keyring, both, 3, &err), OK);
    first = key_of(ada, NULL);
    second = key_of(bo, NULL);
    CU_ASSERT_NOT_EQUAL(memcmp(first.key, second.key, sizeof first.key), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(first.salt, second.salt, sizeof first.salt), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(first.key, first.salt, sizeof first.key), 0);
    CU_ASSERT(!has(cy));
    add(ada);
    keyring_close(&keyring);
    open_it();
    CU_ASSERT(same(key_of(ada, NULL), first));
    CU_ASSERT(same(key_of(bo, NULL), second));
    CU_ASSERT_EQUAL(keyring_count(keyring, &count, &err), OK);
    CU_ASSERT_EQUAL(count, 2);
    end();
}

static bool file_holds(const char *path, struct bytes needle)
{
    struct text text;
    bool found;

    text_init(&text);
    CU_ASSERT_EQUAL_FATAL(file_read(path, 1u << 24, &text, &err), OK);
    found = memmem(text.data, text.size, needle.data, needle.size) != NULL;
    text_clear(&text);
    return found;
}

static void keys_db_holds_neither_keys_nor_salts_nor_the_epoch_key(void)
{
    char epoch[PATH_SIZE];
    struct subject_key key;
    struct text text;
    struct stat is;

    begin();
    add(ada);
    key = key_of(ada, NULL);
    CU_ASSERT_EQUAL(stat(database, &is), 0);
    CU_ASSERT_EQUAL(is.st_mode & 07777, 0600);
    only_epoch(epoch);
    CU_ASSERT_EQUAL(stat(epoch, &is), 0);
    CU_ASSERT_EQUAL(is.st_mode & 07777, 0600);
    text_init(&text);
    CU_ASSERT_EQUAL(file_read(epoch, 64, &text, &err), OK);
    keyring_close(&keyring);
    CU_ASSERT(file_holds(database, bytes_of(ada.byte, 16)));
    CU_ASSERT(!file_holds(database, bytes_of(key.key, 16)));
    CU_ASSERT(!file_holds(database, bytes_of(key.salt, 16)));
    CU_ASSERT(!file_holds(database, bytes_of(text.data, 16)));
    CU_ASSERT(!file_holds(database, bytes_of(text.data + 16, 16)));
    text_clear(&text);
    end();
}

static void wrapped_key_opens_in_no_other_place(void)
{
    struct wrapped_key wrapped, changed;
    struct subject_key key;
    bool found;

    begin();
    add(ada);
    add(bo);
    CU_ASSERT_EQUAL(keyring_find(keyring, &ada, &wrapped, &found, &err), OK);
    CU_ASSERT_EQUAL(keyring_unwrap(keyring, &bo, &wrapped, &key, &err),
                    E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "a wrapped key is damaged"));
    for (size_t bit = 0; bit < 8 * sizeof wrapped; bit++) {
        changed = wrapped;
        ((uint8_t *)&changed)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_EQUAL(keyring_unwrap(keyring, &ada, &changed, &key, &err),
                        E_INPUT);
    }
    CU_ASSERT_EQUAL(keyring_unwrap(keyring, &ada, &wrapped, &key, &err), OK);
    end();
}

static void too_many_subjects_in_one_call_are_refused(void)
{
    uint64_t erased;

    begin();
    CU_ASSERT_EQUAL(keyring_add(keyring, &ada, KEYRING_BATCH_MAX + 1, &err),
                    E_LIMIT);
    CU_ASSERT_EQUAL(
        keyring_erase(keyring, &ada, KEYRING_BATCH_MAX + 1, &erased, &err),
        E_LIMIT);
    CU_ASSERT(!has(ada));
    end();
}

/* ---- finding many, drafts ---- */

/* By hand: of 0, 3, 6, ... up to 30,000 every third has a key; asked for are
 * stretches that are dense, sparse, before the first and behind the last. */
struct expected_keys {
    const struct subject_id *subject;
    size_t count, taken, wrong, last;
};

static void count_key(void *context, size_t i, const struct wrapped_key *key)
{
    struct expected_keys *expected = context;
    struct wrapped_key single;
    bool found = false;

    expected->wrong += expected->taken > 0 && i <= expected->last;
    expected->last = i;
    expected->taken++;
    /* Not through the same statement, which is in use. */
    CU_ASSERT_EQUAL(
        keyring_find(keyring, &expected->subject[i], &single, &found, &err),
        OK);
    expected->wrong += !found || memcmp(&single, key, sizeof single) != 0;
}

static void check_many(const uint32_t *number, size_t count, size_t with_key)
{
    struct subject_id *subject = calloc(count + 1, sizeof *subject);
    struct expected_keys expected = {.subject = subject, .count = count};

    CU_ASSERT_PTR_NOT_NULL_FATAL(subject);
    for (size_t i = 0; i < count; i++)
        put_be32(subject[i].byte, number[i]);
    CU_ASSERT_EQUAL(
        keyring_find_many(keyring, subject, count, count_key, &expected, &err),
        OK);
    CU_ASSERT_EQUAL(expected.taken, with_key);
    CU_ASSERT_EQUAL(expected.wrong, 0);
    free(subject);
}

static void many_are_found_in_one_walk(void)
{
    enum { KEYS = 10000 };
    static const uint32_t sparse[] = {0,     1,     2,     3,     4,
                                      5,     3000,  3001,  9000,  29995,
                                      29997, 29998, 29999, 30000, 40000};
    struct subject_id *subject = calloc(KEYS, sizeof *subject);
    uint32_t *number = calloc(KEYS, sizeof *number);

    begin();
    CU_ASSERT_FATAL(subject != NULL && number != NULL);
    check_many(sparse, 15, 0);
    for (uint32_t i = 0; i < KEYS; i++)
        put_be32(subject[i].byte, 3 * i);
    CU_ASSERT_EQUAL(keyring_add(keyring, subject, KEYS, &err), OK);
    /* 0, 3, 3000, 9000, 29997 */
    check_many(sparse, 15, 5);
    check_many(sparse, 0, 0);
    for (uint32_t i = 0; i < KEYS; i++)
        number[i] = i;
    check_many(number, KEYS, 3334);
    for (uint32_t i = 0; i < KEYS / 100; i++)
        number[i] = 300 * i;
    check_many(number, KEYS / 100, KEYS / 100);
    free(number);
    free(subject);
    end();
}

static void draft(const struct subject_id *subject, size_t count,
                  struct wrapped_key *key)
{
    struct keyring_crew *crew = NULL;

    CU_ASSERT_EQUAL_FATAL(keyring_crew_create(&crew, 3, &err), OK);
    CU_ASSERT_EQUAL_FATAL(
        keyring_draft(keyring, crew, subject, count, key, &err), OK);
    keyring_crew_destroy(&crew);
}

static void drafts_are_kept_once_saved(void)
{
    const struct subject_id first[] = {cy, ada, cy}, second[] = {ada, bo};
    struct wrapped_key key[3], again[2];
    struct subject_key open;
    uint64_t count = 0;

    begin();
    add(bo);
    draft(first, 3, key);
    CU_ASSERT_EQUAL(memcmp(&key[0], &key[2], sizeof key[0]), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(key[0].id, key[1].id, KEY_ID_SIZE), 0);
    /* Whoever comes next gets the same, and the one that bo has. */
    draft(second, 2, again);
    CU_ASSERT_EQUAL(memcmp(&again[0], &key[1], sizeof again[0]), 0);
    CU_ASSERT_EQUAL(keyring_unwrap(keyring, &bo, &again[1], &open, &err), OK);
    CU_ASSERT(same(key_of(bo, NULL), open));
    CU_ASSERT(!has(ada) && !has(cy));
    CU_ASSERT_EQUAL(keyring_count(keyring, &count, &err), OK);
    CU_ASSERT_EQUAL(count, 1);
    CU_ASSERT_EQUAL(keyring_save(keyring, &err), OK);
    CU_ASSERT_EQUAL(keyring_save(keyring, &err), OK);
    CU_ASSERT_EQUAL(keyring_unwrap(keyring, &ada, &key[1], &open, &err), OK);
    keyring_close(&keyring);
    open_it();
    CU_ASSERT(same(key_of(ada, NULL), open));
    CU_ASSERT(has(bo) && has(cy));
    end();
}

static void drafts_that_were_not_saved_are_gone(void)
{
    struct wrapped_key key;

    begin();
    draft(&ada, 1, &key);
    keyring_close(&keyring);
    open_it();
    CU_ASSERT(!has(ada));
    end();
}

/* Or they would be wrapped under the key that it destroys. */
static void erasure_saves_drafts_first(void)
{
    const struct subject_id both[] = {ada, bo};
    struct wrapped_key key[2];
    struct subject_key open;
    uint64_t erased = 0, generation;

    begin();
    draft(both, 2, key);
    CU_ASSERT_EQUAL(keyring_unwrap(keyring, &ada, &key[0], &open, &err), OK);
    generation = keyring_generation(keyring);
    CU_ASSERT_EQUAL(keyring_erase(keyring, &bo, 1, &erased, &err), OK);
    CU_ASSERT_EQUAL(erased, 1);
    CU_ASSERT_NOT_EQUAL(keyring_generation(keyring), generation);
    CU_ASSERT(same(key_of(ada, NULL), open));
    CU_ASSERT(!has(bo));
    /* As it was, it opens no more. */
    CU_ASSERT_EQUAL(keyring_unwrap(keyring, &ada, &key[0], &open, &err),
                    E_INPUT);
    end();
}

/* ---- erasing ---- */

static void erased_subject_has_no_key_and_the_others_keep_theirs(void)
{
    const struct subject_id gone[] = {bo, di};
    char before[PATH_SIZE], after[PATH_SIZE];
    struct subject_key first, last;
    uint64_t erased = 0;

    begin();
    add(ada);
    add(bo);
    add(cy);
    first = key_of(ada, NULL);
    last = key_of(cy, NULL);
    only_epoch(before);
    CU_ASSERT_EQUAL(keyring_erase(keyring, gone, 2, &erased, &err), OK);
    CU_ASSERT_EQUAL(erased, 1);
    CU_ASSERT(!has(bo));
    CU_ASSERT(same(key_of(ada, NULL), first));
    CU_ASSERT(same(key_of(cy, NULL), last));
    only_epoch(after);
    CU_ASSERT_STRING_NOT_EQUAL(before, after);
    keyring_close(&keyring);
    CU_ASSERT(!file_holds(database, bytes_of(bo.byte, 16)));
    open_it();
    CU_ASSERT(!has(bo));
    CU_ASSERT(same(key_of(ada, NULL), first));
    CU_ASSERT_EQUAL(keyring_erase(keyring, gone, 2, &erased, &err), OK);
    CU_ASSERT_EQUAL(erased, 0);
    end();
}

static void subject_who_comes_back_has_another_key_and_key_id(void)
{
    struct subject_key key, later;
    uint8_t id[KEY_ID_SIZE], later_id[KEY_ID_SIZE];
    uint64_t erased;

    begin();
    add(ada);
    key = key_of(ada, id);
    CU_ASSERT_EQUAL(keyring_erase(keyring, &ada, 1, &erased, &err), OK);
    add(ada);
    later = key_of(ada, later_id);
    CU_ASSERT(!same(key, later));
    CU_ASSERT_NOT_EQUAL(memcmp(id, later_id, sizeof id), 0);
    end();
}

static void many_keys_are_wrapped_anew(void)
{
    enum { MANY = 2500 }; /* more than two runs of 1,024 */
    struct subject_id *subject = calloc(MANY, sizeof *subject);
    struct subject_key *key = calloc(MANY, sizeof *key);
    uint64_t erased = 0, count = 0;

    begin();
    CU_ASSERT_PTR_NOT_NULL_FATAL(subject);
    CU_ASSERT_PTR_NOT_NULL_FATAL(key);
    for (unsigned i = 0; i < MANY; i++) {
        subject[i].byte[0] = (uint8_t)(i >> 8);
        subject[i].byte[15] = (uint8_t)i;
    }
    CU_ASSERT_EQUAL(keyring_add(keyring, subject, MANY, &err), OK);
    for (unsigned i = 0; i < MANY; i++)
        key[i] = key_of(subject[i], NULL);
    CU_ASSERT_EQUAL(keyring_erase(keyring, subject, 100, &erased, &err), OK);
    CU_ASSERT_EQUAL(erased, 100);
    CU_ASSERT_EQUAL(keyring_count(keyring, &count, &err), OK);
    CU_ASSERT_EQUAL(count, MANY - 100);
    for (unsigned i = 0; i < MANY; i++) {
        if (i < 100)
            CU_ASSERT(!has(subject[i]));
        if (i >= 100)
            CU_ASSERT(same(key_of(subject[i], NULL), key[i]));
    }
    free(subject);
    free(key);
    end();
}

/* A thief who kept keys.db from before, and gets the epoch folder of today. */
static void old_copy_of_keys_db_opens_nothing_after_an_erasure(void)
{
    const struct subject_id all[] = {ada, bo, cy};
    char now[PATH_SIZE], old[PATH_SIZE];
    char graft[3 * PATH_SIZE];
    uint64_t erased;

    begin();
    snprintf(now, sizeof now, "%s/now.db", scratch.path);
    snprintf(old, sizeof old, "%s/old.db", scratch.path);
    CU_ASSERT_EQUAL(keyring_add(keyring, all, 3, &err), OK);
    keyring_close(&keyring);
    copy_file(database, old);
    open_it();
    CU_ASSERT_EQUAL(keyring_erase(keyring, &bo, 1, &erased, &err), OK);
    keyring_close(&keyring);
    copy_file(database, now);

    copy_file(old, database);
    expect_refused_open("cannot be opened"); /* its epoch key is gone */
    only_epoch(graft);                       /* and today's was not touched */

    /* With today's epoch written into it, it opens, but no key in it does. */
    snprintf(graft, sizeof graft,
             "ATTACH '%s' AS now; UPDATE meta SET value = (SELECT value FROM"
             " now.meta AS n WHERE n.key = meta.key)",
             now);
    sql(graft);
    open_it();
    for (size_t i = 0; i < 3; i++) {
        struct wrapped_key wrapped;
        struct subject_key key;
        bool found = false;

        CU_ASSERT_EQUAL(keyring_find(keyring, &all[i], &wrapped, &found, &err),
                        OK);
        CU_ASSERT(found);
        CU_ASSERT_EQUAL(keyring_unwrap(keyring, &all[i], &wrapped, &key, &err),
                        E_INPUT);
    }
    end();
}

/* A crash behind step 1, made by hand. */
static void erasure_that_was_interrupted_is_finished_at_the_next_open(void)
{
    struct subject_key key;
    char path[PATH_SIZE];

    begin();
    add(ada);
    add(bo);
    key = key_of(ada, NULL);
    keyring_close(&keyring);
    sql("INSERT INTO marked SELECT id FROM subject WHERE hex(id) LIKE 'B0%'");
    open_it();
    CU_ASSERT(!has(bo));
    CU_ASSERT(same(key_of(ada, NULL), key));
    only_epoch(path);
    end();
}

/* Of this keyring only. */
static void left_over_epoch_keys_are_destroyed_and_others_left(void)
{
    char epoch[PATH_SIZE], left[PATH_SIZE];
    char other[PATH_SIZE];

    begin();
    only_epoch(epoch);
    keyring_close(&keyring);
    memcpy(left, epoch, sizeof left);
    memcpy(other, epoch, sizeof other);
    /* The last digit before ".epoch" is the epoch's, the first the keyring's.
     */
    left[strlen(left) - 7] = left[strlen(left) - 7] == '0' ? '1' : '0';
    other[strlen(epochs) + 1] = other[strlen(epochs) + 1] == '0' ? '1' : '0';
    copy_file(epoch, left);
    copy_file(epoch, other);
    open_it();
    CU_ASSERT_EQUAL(access(left, F_OK), -1);
    CU_ASSERT_EQUAL(access(other, F_OK), 0);
    CU_ASSERT_EQUAL(access(epoch, F_OK), 0);
    end();
}

/* ---- what is refused ---- */

static void keyring_that_is_there_is_not_made_again(void)
{
    struct subject_key key;

    begin();
    add(ada);
    key = key_of(ada, NULL);
    keyring_close(&keyring);
    CU_ASSERT_EQUAL(keyring_create(&place, &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "exists already"));
    open_it();
    CU_ASSERT(same(key_of(ada, NULL), key));
    end();
}

static void wide_files_and_folders_are_refused(void)
{
    char epoch[PATH_SIZE];

    begin();
    only_epoch(epoch);
    keyring_close(&keyring);
    CU_ASSERT_EQUAL(chmod(epochs, 0750), 0);
    expect_refused_open("chmod 700");
    CU_ASSERT_EQUAL(chmod(epochs, 0700), 0);
    CU_ASSERT_EQUAL(chmod(epoch, 0640), 0);
    expect_refused_open("chmod 600");
    CU_ASSERT_EQUAL(chmod(epoch, 0600), 0);
    CU_ASSERT_EQUAL(chmod(database, 0604), 0);
    expect_refused_open("chmod 600");
    CU_ASSERT_EQUAL(chmod(database, 0600), 0);
    open_it();
    end();
}

static void missing_parts_are_refused(void)
{
    char epoch[PATH_SIZE], aside[PATH_SIZE];

    begin();
    snprintf(aside, sizeof aside, "%s/aside", scratch.path);
    add(ada);
    only_epoch(epoch);
    keyring_close(&keyring);
    CU_ASSERT_EQUAL(rename(epoch, aside), 0);
    expect_refused_open("cannot be opened");
    CU_ASSERT_EQUAL(rename(aside, epoch), 0);
    CU_ASSERT_EQUAL(rename(database, aside), 0);
    expect_refused_open("No such file");
    CU_ASSERT_EQUAL(access(database, F_OK), -1);
    CU_ASSERT_EQUAL(rename(aside, database), 0);
    CU_ASSERT_EQUAL(rename(epochs, aside), 0);
    expect_refused_open("No such file");
    CU_ASSERT_EQUAL(rename(aside, epochs), 0);
    open_it();
    CU_ASSERT(has(ada));
    end();
}

static void altered_databases_are_refused(void)
{
    static const struct {
        const char *change, *words;
    } changes[] = {
        {"UPDATE meta SET value = x'02' WHERE key = 'schema'",
         "another version"},
        {"DELETE FROM meta WHERE key = 'schema'", "another version"},
        {"DELETE FROM meta WHERE key = 'keyring'", "name is missing"},
        {"DELETE FROM meta WHERE key = 'epoch'", "the epoch is missing"},
        {"DELETE FROM meta WHERE key = 'check'", "the epoch is missing"},
        {"DELETE FROM meta WHERE key IN ('epoch', 'check')",
         "the epoch is missing"},
        {"UPDATE meta SET value = zeroblob(28) WHERE key = 'check'",
         "is not the epoch key of"},
        {"UPDATE meta SET value = zeroblob(15) WHERE key = 'epoch'",
         "a wrong size"},
        {"CREATE TRIGGER t AFTER DELETE ON subject BEGIN SELECT 1; END",
         "does not have the tables"},
        {"INSERT INTO marked VALUES(x'00');"
         "UPDATE subject SET wrapped = zeroblob(92)",
         "a wrapped key is damaged"},
        {"INSERT INTO marked VALUES(x'00');"
         "UPDATE subject SET wrapped = zeroblob(91)",
         "a wrong size"},
    };

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        begin();
        add(ada);
        keyring_close(&keyring);
        sql(changes[i].change);
        expect_refused_open(changes[i].words);
        end();
    }
}

static void key_of_a_wrong_size_is_refused(void)
{
    struct wrapped_key wrapped;
    bool found;

    begin();
    add(ada);
    keyring_close(&keyring);
    sql("UPDATE subject SET wrapped = zeroblob(93)");
    open_it();
    CU_ASSERT_EQUAL(keyring_find(keyring, &ada, &wrapped, &found, &err),
                    E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "a wrong size"));
    end();
}

static void full_epoch_folder_is_refused(void)
{
    begin();
    keyring_close(&keyring);
    for (unsigned i = 0; i < EPOCH_FILES_MAX; i++) {
        char name[64];

        snprintf(name, sizeof name, "epochs/%u", i);
        scratch_write(&scratch, name, "");
    }
    error_init(&err);
    CU_ASSERT_EQUAL(keyring_open(&keyring, &place, &err), E_LIMIT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "more than 1024 files"));
    end();
}

static void erasure_that_fails_stops_the_keyring_until_it_is_opened(void)
{
    struct wrapped_key wrapped;
    struct subject_key key;
    uint64_t erased = 0, count;
    bool found;

    begin();
    add(ada);
    add(bo);
    key = key_of(ada, NULL);
    CU_ASSERT_EQUAL(rename(epochs, scratch_path(&scratch, "aside")), 0);
    CU_ASSERT_NOT_EQUAL(keyring_erase(keyring, &bo, 1, &erased, &err), OK);
    CU_ASSERT_EQUAL(keyring_find(keyring, &ada, &wrapped, &found, &err),
                    E_SYSTEM);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "opened anew"));
    CU_ASSERT_EQUAL(keyring_add(keyring, &cy, 1, &err), E_SYSTEM);
    CU_ASSERT_EQUAL(keyring_count(keyring, &count, &err), E_SYSTEM);
    CU_ASSERT_EQUAL(keyring_erase(keyring, &bo, 1, &erased, &err), E_SYSTEM);
    keyring_close(&keyring);
    CU_ASSERT_EQUAL(rename(scratch_path(&scratch, "aside"), epochs), 0);
    open_it();
    CU_ASSERT(!has(bo));
    CU_ASSERT(same(key_of(ada, NULL), key));
    end();
}

void suite_keyring(void)
{
    static const struct test tests[] = {
        {"each subject has a key of its own that stays",
         each_subject_has_a_key_of_its_own_that_stays},
        {"keys.db holds neither keys nor salts nor the epoch key",
         keys_db_holds_neither_keys_nor_salts_nor_the_epoch_key},
        {"a wrapped key opens in no other place",
         wrapped_key_opens_in_no_other_place},
        {"too many subjects in one call are refused",
         too_many_subjects_in_one_call_are_refused},
        {"many are found in one walk", many_are_found_in_one_walk},
        {"drafts are kept once saved", drafts_are_kept_once_saved},
        {"drafts that were not saved are gone",
         drafts_that_were_not_saved_are_gone},
        {"an erasure saves drafts first", erasure_saves_drafts_first},
        {"an erased subject has no key, and the others keep theirs",
         erased_subject_has_no_key_and_the_others_keep_theirs},
        {"a subject who comes back has another key and key id",
         subject_who_comes_back_has_another_key_and_key_id},
        {"many keys are wrapped anew", many_keys_are_wrapped_anew},
        {"an old copy of keys.db opens nothing after an erasure",
         old_copy_of_keys_db_opens_nothing_after_an_erasure},
        {"an erasure that was interrupted is finished at the next open",
         erasure_that_was_interrupted_is_finished_at_the_next_open},
        {"left over epoch keys are destroyed, and others left",
         left_over_epoch_keys_are_destroyed_and_others_left},
        {"a keyring that is there is not made again",
         keyring_that_is_there_is_not_made_again},
        {"wide files and folders are refused",
         wide_files_and_folders_are_refused},
        {"missing parts are refused", missing_parts_are_refused},
        {"altered databases are refused", altered_databases_are_refused},
        {"a key of a wrong size is refused", key_of_a_wrong_size_is_refused},
        {"a full epoch folder is refused", full_epoch_folder_is_refused},
        {"an erasure that fails stops the keyring until it is opened anew",
         erasure_that_fails_stops_the_keyring_until_it_is_opened},
    };

    suite_add("keyring", tests, sizeof tests / sizeof tests[0]);
}
