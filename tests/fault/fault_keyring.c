#include "anonymizer/keyring.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fault/fault.h"
#include "tests/lib/child.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_keyring(void);

/* Everything that changes a disk. */
#define CHANGES                                                                \
    (FAULT_WRITE | FAULT_SYNC | FAULT_LINK | FAULT_RENAME | FAULT_UNLINK |     \
     FAULT_OPEN)

static struct scratch scratch;
static char database[SCRATCH_PATH_MAX], epochs[SCRATCH_PATH_MAX];
static const struct keyring_place place = {database, epochs};
static struct error err;

static const struct subject_id subjects[] = {
    {{0x11}}, {{0x22}}, {{0x33}}, {{0x44}}};
#define SUBJECTS (sizeof subjects / sizeof subjects[0])
#define GONE 1 /* the one that is erased */

static struct subject_key keys[SUBJECTS];

static void begin(void)
{
    scratch_open(&scratch);
    error_init(&err);
    snprintf(database, sizeof database, "%s/keys.db", scratch.path);
    snprintf(epochs, sizeof epochs, "%s/epochs", scratch.path);
    CU_ASSERT_EQUAL_FATAL(mkdir(epochs, 0700), 0);
}

static struct keyring *open_it(void)
{
    struct keyring *keyring = NULL;

    error_init(&err);
    if (keyring_open(&keyring, &place, &err) != OK)
        fprintf(stderr, "\n%s\n", err.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(keyring);
    return keyring;
}

/* Does the subject have the key that it was given? */
static bool has_its_key(struct keyring *keyring, size_t i)
{
    struct wrapped_key wrapped;
    struct subject_key key;
    bool found = false;

    return keyring_find(keyring, &subjects[i], &wrapped, &found, &err) == OK &&
           found &&
           keyring_unwrap(keyring, &subjects[i], &wrapped, &key, &err) == OK &&
           memcmp(&key, &keys[i], sizeof key) == 0;
}

static bool has_key(struct keyring *keyring, size_t i)
{
    struct wrapped_key wrapped;
    bool found = false;

    CU_ASSERT_EQUAL(keyring_find(keyring, &subjects[i], &wrapped, &found, &err),
                    OK);
    return found;
}

static unsigned epoch_count(void)
{
    DIR *folder = opendir(epochs);
    const struct dirent *entry;
    unsigned count = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(folder);
    while ((entry = readdir(folder)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

/* A keyring of all subjects, in place of what was there. */
static void make_full(void)
{
    struct keyring *keyring;

    scratch_close(&scratch);
    begin();
    CU_ASSERT_EQUAL_FATAL(keyring_create(&place, &err), OK);
    keyring = open_it();
    CU_ASSERT_EQUAL_FATAL(keyring_add(keyring, subjects, SUBJECTS, &err), OK);
    for (size_t i = 0; i < SUBJECTS; i++) {
        struct wrapped_key wrapped;
        bool found;

        CU_ASSERT_EQUAL(
            keyring_find(keyring, &subjects[i], &wrapped, &found, &err), OK);
        CU_ASSERT_EQUAL(
            keyring_unwrap(keyring, &subjects[i], &wrapped, &keys[i], &err),
            OK);
    }
    keyring_close(&keyring);
}

/* ---- killed ---- */

static unsigned kill_at; /* for the child */

static int erase_and_be_killed(void)
{
    struct keyring *keyring = NULL;
    uint64_t erased;

    if (keyring_open(&keyring, &place, &err) != OK)
        return 1;
    fault_kill_at(CHANGES, kill_at);
    fault_on();
    if (keyring_erase(keyring, &subjects[GONE], 1, &erased, &err) != OK)
        return 2;
    fault_off();
    keyring_close(&keyring);
    return 0;
}

/* Killed before each single change of the disk in turn.  Whatever it had come
 * to: the next open leaves one epoch key, everybody else's keys, and, once the
 * mark was durable, not the erased one's. */
static void erasure_killed_at_any_step_is_finished_at_the_next_open(void)
{
    unsigned finished = 0, not_begun = 0;
    int ended = CHILD_KILLED + SIGKILL;

    begin();
    fault_with_sqlite(true);
    for (kill_at = 0; ended == CHILD_KILLED + SIGKILL; kill_at++) {
        struct keyring *keyring;

        CU_ASSERT_FATAL(kill_at < 1000);
        make_full();
        ended = child_run(erase_and_be_killed);
        CU_ASSERT_FATAL(ended == 0 || ended == CHILD_KILLED + SIGKILL);
        keyring = open_it();
        for (size_t i = 0; i < SUBJECTS; i++)
            if (i != GONE)
                CU_ASSERT(has_its_key(keyring, i));
        if (has_key(keyring, GONE)) {
            CU_ASSERT(has_its_key(keyring, GONE));
            CU_ASSERT_EQUAL(finished, 0); /* no way back from a mark */
            not_begun++;
        } else {
            finished++;
        }
        CU_ASSERT_EQUAL(epoch_count(), 1);
        keyring_close(&keyring);
    }
    fault_with_sqlite(false);
    /* Both sides of the mark were met, and steps 2, 3 and 4 behind it. */
    CU_ASSERT(not_begun > 0);
    CU_ASSERT(finished > 10);
    scratch_close(&scratch);
}

static int create_and_be_killed(void)
{
    fault_kill_at(CHANGES, kill_at);
    fault_on();
    if (keyring_create(&place, &err) != OK)
        return 1;
    fault_off();
    return 0;
}

static void keyring_killed_while_it_is_made_is_there_or_can_be_made(void)
{
    int ended = CHILD_KILLED + SIGKILL;

    begin();
    fault_with_sqlite(true);
    for (kill_at = 0; ended == CHILD_KILLED + SIGKILL; kill_at++) {
        struct keyring *keyring = NULL;

        CU_ASSERT_FATAL(kill_at < 1000);
        scratch_close(&scratch);
        begin();
        ended = child_run(create_and_be_killed);
        CU_ASSERT_FATAL(ended == 0 || ended == CHILD_KILLED + SIGKILL);
        if (keyring_open(&keyring, &place, &err) != OK)
            CU_ASSERT_EQUAL(keyring_create(&place, &err), OK);
        keyring_close(&keyring);
        keyring = open_it();
        CU_ASSERT_EQUAL(keyring_add(keyring, subjects, 1, &err), OK);
        CU_ASSERT(has_key(keyring, 0));
        CU_ASSERT_EQUAL(epoch_count(), 1);
        keyring_close(&keyring);
    }
    fault_with_sqlite(false);
    CU_ASSERT(kill_at > 10);
    scratch_close(&scratch);
}

/* ---- failing calls ---- */

/* A disk that fails: told, and put right by opening anew. */
static void erasure_that_fails_is_finished_at_the_next_open(void)
{
    begin();
    fault_with_sqlite(true);
    make_full(); /* or what is set up once would count */
    FAULT_LOOP(CHANGES, EIO)
    {
        struct keyring *keyring;
        uint64_t erased = 0;
        enum status status;

        make_full();
        keyring = open_it();
        fault_on();
        status = keyring_erase(keyring, &subjects[GONE], 1, &erased, &err);
        fault_off();
        CU_ASSERT((status == OK) == (err.text[0] == '\0'));
        CU_ASSERT(status == OK || fault_happened());
        CU_ASSERT(status == OK || status == E_IO || status == E_INPUT);
        keyring_close(&keyring);
        keyring = open_it();
        if (status == OK)
            CU_ASSERT(!has_key(keyring, GONE));
        for (size_t i = 0; i < SUBJECTS; i++)
            if (i != GONE)
                CU_ASSERT(has_its_key(keyring, i));
        CU_ASSERT_EQUAL(epoch_count(), 1);
        keyring_close(&keyring);
    }
    fault_with_sqlite(false);
    scratch_close(&scratch);
}

/* SQLite does without some of what it asks for: OK is right, too. */
static void expect(enum status status)
{
    if (status != OK && (status != E_MEMORY || !fault_happened()))
        fprintf(stderr, "\n%s\n", err.text);
    CU_ASSERT(status == OK || (status == E_MEMORY && fault_happened()));
    CU_ASSERT_EQUAL(status == OK, err.text[0] == '\0');
}

static void erasure_without_memory_is_finished_at_the_next_open(void)
{
    begin();
    fault_spare_openssl(true);
    make_full();
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct keyring *keyring;
        uint64_t erased = 0;
        enum status status;

        make_full();
        keyring = open_it();
        fault_on();
        status = keyring_erase(keyring, &subjects[GONE], 1, &erased, &err);
        fault_off();
        expect(status);
        keyring_close(&keyring);
        keyring = open_it();
        for (size_t i = 0; i < SUBJECTS; i++)
            if (i != GONE)
                CU_ASSERT(has_its_key(keyring, i));
        keyring_close(&keyring);
    }
    fault_spare_openssl(false);
    scratch_close(&scratch);
}

static void keyring_without_memory_opens_whole_or_not_at_all(void)
{
    begin();
    make_full();
    fault_spare_openssl(true);
    FAULT_LOOP(FAULT_MEMORY, ENOMEM)
    {
        struct keyring *keyring = NULL;
        enum status status;

        error_init(&err);
        fault_on();
        status = keyring_open(&keyring, &place, &err);
        fault_off();
        expect(status);
        CU_ASSERT_EQUAL(keyring == NULL, status != OK);
        if (keyring != NULL)
            CU_ASSERT(has_its_key(keyring, 0));
        keyring_close(&keyring);
    }
    fault_spare_openssl(false);
    scratch_close(&scratch);
}

void suite_keyring(void)
{
    static const struct test tests[] = {
        {"an erasure killed at any step is finished at the next open",
         erasure_killed_at_any_step_is_finished_at_the_next_open},
        {"a keyring killed while it is made is there or can be made",
         keyring_killed_while_it_is_made_is_there_or_can_be_made},
        {"an erasure that fails is finished at the next open",
         erasure_that_fails_is_finished_at_the_next_open},
        {"an erasure without memory is finished at the next open",
         erasure_without_memory_is_finished_at_the_next_open},
        {"a keyring without memory opens whole or not at all",
         keyring_without_memory_opens_whole_or_not_at_all},
    };

    suite_add("keyring", tests, sizeof tests / sizeof tests[0]);
}
