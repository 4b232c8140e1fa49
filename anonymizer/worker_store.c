#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "anonymizer/worker_store_internal.h"

/* Order of a job's columns, in all statements below. */
#define JOB_COLUMNS                                                            \
    "permit, state, broker, approve, request, package, members, release, "     \
    "sealed, dataset, policy, recipient, organisation, expires, size, "        \
    "output, statement, delimiter, entry, status, why"
enum {
    AT_PERMIT,
    AT_STATE,
    AT_BROKER,
    AT_APPROVE,
    AT_REQUEST,
    AT_PACKAGE,
    AT_MEMBERS,
    AT_RELEASE,
    AT_SEALED,
    AT_DATASET,
    AT_POLICY,
    AT_RECIPIENT,
    AT_ORGANISATION,
    AT_EXPIRES,
    AT_SIZE,
    AT_OUTPUT,
    AT_STATEMENT,
    AT_DELIMITER,
    AT_ENTRY,
    AT_STATUS,
    AT_WHY,
    JOB_COLUMN_COUNT
};

static const char *const schema[] = {
    "CREATE TABLE job (number INTEGER PRIMARY KEY, permit BLOB NOT NULL UNIQUE,"
    " state INTEGER NOT NULL, broker TEXT NOT NULL, approve BLOB NOT NULL,"
    " request BLOB NOT NULL, package BLOB NOT NULL, members BLOB NOT NULL,"
    " release TEXT NOT NULL UNIQUE, sealed BLOB NOT NULL, dataset BLOB NOT"
    " NULL, policy BLOB NOT NULL, recipient TEXT NOT NULL, organisation TEXT"
    " NOT NULL, expires INTEGER NOT NULL, size INTEGER NOT NULL, output BLOB"
    " NOT NULL, statement TEXT NOT NULL, delimiter INTEGER NOT NULL, entry BLOB"
    " NOT NULL, status INTEGER NOT NULL, why TEXT NOT NULL)",
    "CREATE TABLE signed (entry BLOB PRIMARY KEY, permit BLOB NOT NULL)"
    " WITHOUT ROWID",
    "CREATE TABLE dataset (id BLOB PRIMARY KEY, ingest BLOB NOT NULL UNIQUE,"
    " entry BLOB UNIQUE, subjects BLOB NOT NULL)",
    "CREATE TABLE erased (subject BLOB PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE act (number INTEGER PRIMARY KEY, text TEXT NOT NULL,"
    " members BLOB NOT NULL, count INTEGER NOT NULL, leaf BLOB NOT NULL,"
    " handle BLOB NOT NULL, UNIQUE (handle, number))",
    "CREATE TABLE list (number INTEGER PRIMARY KEY, act INTEGER NOT NULL,"
    " first BLOB NOT NULL, handles BLOB NOT NULL, digest BLOB NOT NULL,"
    " UNIQUE (act, first))",
    "CREATE TABLE chain (part INTEGER PRIMARY KEY, act INTEGER NOT NULL,"
    " count INTEGER NOT NULL, ends BLOB NOT NULL, digest BLOB NOT NULL)",
    "CREATE TABLE anchor (last INTEGER PRIMARY KEY, statement TEXT NOT NULL,"
    " salt BLOB NOT NULL, entry BLOB NOT NULL, signatures BLOB NOT NULL,"
    " done INTEGER NOT NULL)",
};

static const char *const statement[WORKER_STATEMENT_COUNT] = {
    [WORKER_ADD_JOB] = "INSERT INTO job (" JOB_COLUMNS ") VALUES (?1, ?2, ?3,"
                       " ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,"
                       " ?16, ?17, ?18, ?19, ?20, ?21)",
    [WORKER_COUNT_JOBS] = "SELECT count(*) FROM job WHERE state < ?1",
    [WORKER_FIND_JOB] = "SELECT " JOB_COLUMNS " FROM job WHERE permit = ?1",
    [WORKER_FIND_RELEASE] =
        "SELECT " JOB_COLUMNS " FROM job WHERE release = ?1",
    [WORKER_MOVE_JOB] =
        "UPDATE job SET state = ?2, members = ?7, dataset = ?10, policy = ?11, "
        "recipient ="
        " ?12, organisation = ?13, expires = ?14, size = ?15, output = ?16,"
        " statement = ?17, delimiter = ?18, entry = ?19, status = ?20, why ="
        " ?21 WHERE permit = ?1 AND state = ?22",
    [WORKER_JOBS_UNDER_WAY] =
        "SELECT permit FROM job WHERE state < ?1 ORDER BY number",
    [WORKER_JOBS_OF_APPROVE] = "SELECT permit FROM job WHERE state < ?1 AND"
                               " approve = ?2 ORDER BY number",
    [WORKER_JOBS_OF_DATASET] =
        "SELECT permit FROM job WHERE state IN (?1, ?2, ?3) AND dataset = ?4"
        " ORDER BY number",
    [WORKER_ADD_SIGNED] =
        "INSERT OR IGNORE INTO signed (entry, permit) VALUES (?1, ?2)",
    [WORKER_SIGNED] = "SELECT entry FROM signed WHERE permit = ?1",
    [WORKER_ADD_DATASET] =
        "INSERT INTO dataset (id, ingest, subjects) VALUES (?1, ?2, ?3)",
    [WORKER_DROP_DATASET] =
        "DELETE FROM dataset WHERE id = ?1 AND entry IS NULL",
    [WORKER_DATASETS] = "SELECT id, entry FROM dataset ORDER BY id",
    [WORKER_NAME_DATASET] =
        "UPDATE dataset SET entry = ?2 WHERE id = ?1 AND entry IS NULL",
    [WORKER_DATASET_BY_ID] =
        "SELECT id, ingest, entry, subjects FROM dataset WHERE id ="
        " ?1",
    [WORKER_DATASET_BY_ENTRY] =
        "SELECT id, ingest, entry, subjects FROM dataset WHERE entry ="
        " ?1",
    [WORKER_DATASET_BY_INGEST] = "SELECT id, ingest, entry, subjects "
                                 "FROM dataset WHERE ingest ="
                                 " ?1",
    [WORKER_ADD_ERASED] = "INSERT OR IGNORE INTO erased (subject) VALUES (?1)",
    [WORKER_ERASED] = "SELECT subject FROM erased ORDER BY subject",
    [WORKER_ADD_ACT] =
        "INSERT INTO act (number, text, members, count, leaf, handle)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [WORKER_ADD_LIST] = "INSERT INTO list (act, first, handles, digest)"
                        " VALUES (?1, ?2, ?3, ?4)",
    [WORKER_ACTS] = "SELECT number, text, members, count, leaf, handle FROM act"
                    " WHERE number > ?1 ORDER BY number",
    /* Those of several handles have an empty one. */
    [WORKER_ACTS_OF] =
        "SELECT number, text, members, count, leaf, handle FROM act WHERE"
        " handle IN (?1, x'') ORDER BY number",
    [WORKER_LISTS] = "SELECT handles, digest FROM list WHERE act = ?1 ORDER BY"
                     " first",
    [WORKER_LIST_WITH] = "SELECT handles, digest FROM list WHERE act = ?1 AND"
                         " first <= ?2 ORDER BY first DESC LIMIT 1",
    [WORKER_LAST_ACT] = "SELECT coalesce(max(number), 0) FROM act",
    [WORKER_CLEAR_ENDS] = "DELETE FROM chain",
    [WORKER_ADD_ENDS] = "INSERT INTO chain (part, act, count, ends, digest)"
                        " VALUES (?1, ?2, ?3, ?4, ?5)",
    [WORKER_ENDS] = "SELECT part, act, count, ends, digest FROM chain ORDER BY"
                    " part",
    [WORKER_ADD_ANCHOR] = "INSERT INTO anchor (last, statement, salt, entry,"
                          " signatures, done) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [WORKER_LAST_ANCHOR] = "SELECT last, statement, salt, entry, signatures,"
                           " done FROM anchor ORDER BY last DESC LIMIT 1",
    [WORKER_ANCHORED] = "UPDATE anchor SET done = 1 WHERE last = ?1",
    [WORKER_DROP_ANCHOR] = "DELETE FROM anchor WHERE last = ?1 AND done = 0",
};

static const struct sql_plan plan = {
    .what = "the anonymizer's state",
    .schema = schema,
    .table_count = sizeof schema / sizeof *schema,
    .statement = statement,
    .statement_count = WORKER_STATEMENT_COUNT,
    .cache_kib = WORKER_CACHE_KIB,
    .write_ahead = true,
};

/* ---- states ---- */

static const struct states_row job_rows[] = {JOB_STATES(STATES_ROW)};
static const struct states_table job_table = STATES_TABLE("job", job_rows);

const char *job_state_name(enum job_state state)
{
    return job_rows[state].name;
}

bool job_state_may_move(enum job_state from, enum job_state to)
{
    struct states states;

    states_init(&states, &job_table, from, NULL, NULL);
    return states_may_move(&states, to);
}

/* ---- opening ---- */

enum status worker_store_open(struct worker_store **out, const char *path,
                              bool *fresh, struct error *err)
{
    struct worker_store *store = calloc(1, sizeof *store);
    enum status status;

    *out = NULL;
    if (store == NULL)
        return error_memory(err, "the anonymizer's state");
    pthread_mutex_init(&store->lock, NULL);
    status = sql_store_open(&store->sql, path, &plan, SQL_OPEN_OR_CREATE, fresh,
                            err);
    if (status != OK)
        worker_store_close(&store);
    *out = store;
    return status;
}

enum status worker_store_begun(struct worker_store *store, struct error *err)
{
    return sql_store_commit(store->sql, err);
}

void worker_store_close(struct worker_store **handle)
{
    struct worker_store *store = *handle;

    if (store == NULL)
        return;
    sql_store_close(&store->sql);
    pthread_mutex_destroy(&store->lock);
    free(store);
    *handle = NULL;
}

enum status worker_store_take(struct worker_store *store,
                              enum worker_statement which,
                              struct sql_statement **taken, struct error *err)
{
    enum status status;

    pthread_mutex_lock(&store->lock);
    status = sql_store_prepare(store->sql, which, taken, err);
    if (status != OK)
        pthread_mutex_unlock(&store->lock);
    return status;
}

enum status worker_store_give(struct worker_store *store,
                              struct sql_statement *taken, enum status status)
{
    sql_store_reset(taken);
    pthread_mutex_unlock(&store->lock);
    return status;
}

enum status worker_store_altered(const struct worker_store *store,
                                 const char *what, struct error *err)
{
    return error_set(err, E_INPUT, "%s: %s was altered",
                     sql_store_path(store->sql), what);
}

enum status worker_store_end(struct worker_store *store, enum status status,
                             struct error *err)
{
    if (status == OK)
        status = sql_store_commit(store->sql, err);
    if (status != OK)
        sql_store_rollback(store->sql);
    return status;
}

/* ---- a job's row ---- */

void job_record_init(struct job_record *record)
{
    *record = (struct job_record){.state = JOB_RECEIVED};
    text_init(&record->statement);
}

void job_record_clear(struct job_record *record)
{
    text_clear(&record->statement);
    job_record_init(record);
}

static struct bytes digest_of(const struct digest *digest)
{
    return bytes_of(digest->byte, DIGEST_SIZE);
}

static void bind_job(struct sql_statement *row, const struct job_record *job)
{
    sql_bind_bytes(row, AT_PERMIT + 1, digest_of(&job->permit));
    sql_bind_number(row, AT_STATE + 1, job->state);
    sql_bind_bytes(row, AT_MEMBERS + 1, digest_of(&job->members));
    sql_bind_bytes(row, AT_DATASET + 1,
                   bytes_of(job->dataset.byte, DATASET_ID_SIZE));
    sql_bind_bytes(row, AT_POLICY + 1, digest_of(&job->policy));
    sql_bind_text(row, AT_RECIPIENT + 1, job->recipient);
    sql_bind_text(row, AT_ORGANISATION + 1, job->organisation);
    sql_bind_number(row, AT_EXPIRES + 1, job->expires);
    sql_bind_number(row, AT_SIZE + 1, job->size);
    sql_bind_bytes(row, AT_OUTPUT + 1, digest_of(&job->output));
    sql_bind_text(row, AT_STATEMENT + 1, job->statement.data);
    sql_bind_number(row, AT_DELIMITER + 1, (unsigned char)job->delimiter);
    sql_bind_bytes(row, AT_ENTRY + 1,
                   bytes_of(job->entry.byte, job->has_entry ? DIGEST_SIZE : 0));
    sql_bind_number(row, AT_STATUS + 1, job->status);
    sql_bind_text(row, AT_WHY + 1, job->why);
}

/* What never changes again. */
static void bind_origin(struct sql_statement *row, const struct job_record *job)
{
    sql_bind_text(row, AT_BROKER + 1, job->broker);
    sql_bind_bytes(row, AT_APPROVE + 1, digest_of(&job->approve));
    sql_bind_bytes(row, AT_REQUEST + 1, digest_of(&job->request));
    sql_bind_bytes(row, AT_PACKAGE + 1, digest_of(&job->package));
    sql_bind_text(row, AT_RELEASE + 1, job->release);
    sql_bind_bytes(row, AT_SEALED + 1,
                   bytes_of(job->sealed, sizeof job->sealed));
}

static bool take_text(struct sql_statement *row, int at, char *out, size_t size)
{
    struct bytes bytes = sql_column_bytes(row, at);

    if (bytes.size >= size ||
        (bytes.size > 0 && memchr(bytes.data, '\0', bytes.size) != NULL))
        return false;
    if (bytes.size > 0)
        memcpy(out, bytes.data, bytes.size);
    out[bytes.size] = '\0';
    return true;
}

static bool take_digest(struct sql_statement *row, int at, struct digest *out)
{
    return sql_column_fixed(row, at, out->byte, DIGEST_SIZE);
}

static bool take_numbers(struct sql_statement *row, struct job_record *job)
{
    uint64_t state = 0, delimiter = 0, status = 0;

    if (!sql_column_number(row, AT_STATE, &state) || state > JOB_REFUSED ||
        !sql_column_number(row, AT_EXPIRES, &job->expires) ||
        !sql_column_number(row, AT_SIZE, &job->size) ||
        !sql_column_number(row, AT_DELIMITER, &delimiter) || delimiter > 127 ||
        !sql_column_number(row, AT_STATUS, &status) || status > E_REFUSED)
        return false;
    job->state = (enum job_state)state;
    job->delimiter = (char)delimiter;
    job->status = (enum status)status;
    return true;
}

static bool take_job(struct sql_statement *row, struct job_record *job)
{
    job->has_entry = sql_column_bytes(row, AT_ENTRY).size > 0;
    return take_numbers(row, job) &&
           take_digest(row, AT_PERMIT, &job->permit) &&
           take_text(row, AT_BROKER, job->broker, sizeof job->broker) &&
           take_digest(row, AT_APPROVE, &job->approve) &&
           take_digest(row, AT_REQUEST, &job->request) &&
           take_digest(row, AT_PACKAGE, &job->package) &&
           take_digest(row, AT_MEMBERS, &job->members) &&
           take_text(row, AT_RELEASE, job->release, sizeof job->release) &&
           sql_column_fixed(row, AT_SEALED, job->sealed, sizeof job->sealed) &&
           sql_column_fixed(row, AT_DATASET, job->dataset.byte,
                            DATASET_ID_SIZE) &&
           take_digest(row, AT_POLICY, &job->policy) &&
           take_text(row, AT_RECIPIENT, job->recipient,
                     sizeof job->recipient) &&
           take_text(row, AT_ORGANISATION, job->organisation,
                     sizeof job->organisation) &&
           take_digest(row, AT_OUTPUT, &job->output) &&
           (!job->has_entry || take_digest(row, AT_ENTRY, &job->entry)) &&
           take_text(row, AT_WHY, job->why, sizeof job->why);
}

static enum status find_job(struct worker_store *store,
                            struct sql_statement *find,
                            struct job_record *record, bool *found,
                            struct error *err)
{
    enum status status = sql_store_step(store->sql, find, found, err);

    if (status != OK || !*found)
        return status;
    job_record_clear(record);
    if (!take_job(find, record)) {
        status = worker_store_altered(store, "a job", err);
    } else {
        struct bytes text = sql_column_bytes(find, AT_STATEMENT);

        status = text_append(&record->statement, text.data, text.size, err);
    }
    if (status != OK)
        job_record_clear(record);
    return status;
}

/* ---- jobs ---- */

enum status worker_store_add_job(struct worker_store *store,
                                 const struct job_record *record,
                                 struct error *err)
{
    struct sql_statement *row;
    uint64_t under_way = 0;
    bool found = false;
    enum status status = worker_store_take(store, WORKER_COUNT_JOBS, &row, err);

    assert(record->state == JOB_RECEIVED);
    if (status != OK)
        return status;
    sql_bind_number(row, 1, JOB_PUBLISHED);
    status = sql_store_step(store->sql, row, &found, err);
    if (status == OK && (!found || !sql_column_number(row, 0, &under_way)))
        status = worker_store_altered(store, "the number of jobs", err);
    sql_store_reset(row);
    if (status == OK && under_way >= WORKER_JOBS_MAX)
        status =
            error_set(err, E_LIMIT, "%d jobs are under way", WORKER_JOBS_MAX);
    if (status == OK)
        status = sql_store_prepare(store->sql, WORKER_ADD_JOB, &row, err);
    if (status == OK) {
        bind_job(row, record);
        bind_origin(row, record);
        status = sql_store_run(store->sql, row, err);
    }
    pthread_mutex_unlock(&store->lock);
    return status;
}

enum status worker_store_find_job(struct worker_store *store,
                                  const struct digest *permit,
                                  struct job_record *record, bool *found,
                                  struct error *err)
{
    struct sql_statement *find;
    enum status status = worker_store_take(store, WORKER_FIND_JOB, &find, err);

    *found = false;
    if (status != OK)
        return status;
    sql_bind_bytes(find, 1, digest_of(permit));
    status = find_job(store, find, record, found, err);
    return worker_store_give(store, find, status);
}

enum status worker_store_find_release(struct worker_store *store,
                                      const char *release,
                                      struct job_record *record, bool *found,
                                      struct error *err)
{
    struct sql_statement *find;
    enum status status =
        worker_store_take(store, WORKER_FIND_RELEASE, &find, err);

    *found = false;
    if (status != OK)
        return status;
    sql_bind_text(find, 1, release);
    status = find_job(store, find, record, found, err);
    return worker_store_give(store, find, status);
}

/* Under the lock. */
static enum status move_job(struct worker_store *store, enum job_state from,
                            const struct job_record *record, bool *moved,
                            struct error *err)
{
    struct sql_statement *move;
    enum status status =
        sql_store_prepare(store->sql, WORKER_MOVE_JOB, &move, err);

    assert(from == record->state || job_state_may_move(from, record->state));
    if (status != OK)
        return status;
    bind_job(move, record);
    sql_bind_number(move, JOB_COLUMN_COUNT + 1, from);
    status = sql_store_run(store->sql, move, err);
    if (status == OK)
        *moved = sql_store_changes(store->sql) == 1;
    return status;
}

enum status worker_store_move_job(struct worker_store *store,
                                  enum job_state from,
                                  const struct job_record *record, bool *moved,
                                  struct error *err)
{
    enum status status;

    *moved = false;
    pthread_mutex_lock(&store->lock);
    status = move_job(store, from, record, moved, err);
    pthread_mutex_unlock(&store->lock);
    return status;
}

/* The digests that the rows begin with. */
static enum status gather(struct worker_store *store,
                          struct sql_statement *rows, struct digest **out,
                          size_t *count, struct error *err)
{
    struct text list;
    bool found = true;
    enum status status = OK;

    text_init(&list);
    *count = 0;
    while (status == OK) {
        struct digest digest;

        status = sql_store_step(store->sql, rows, &found, err);
        if (status != OK || !found)
            break;
        status = take_digest(rows, 0, &digest)
                     ? text_append(&list, digest.byte, DIGEST_SIZE, err)
                     : worker_store_altered(store, "an id", err);
        ++*count;
    }
    *out = NULL;
    if (status == OK && *count > 0) {
        *out = malloc(list.size);
        if (*out == NULL)
            status = error_memory(err, "a list of jobs");
        else
            memcpy(*out, list.data, list.size);
    }
    text_clear(&list);
    return status;
}

enum status worker_store_jobs(struct worker_store *store,
                              enum job_choice choice, struct bytes of,
                              struct digest **permit, size_t *count,
                              struct error *err)
{
    static const enum worker_statement which[] = {
        [JOBS_UNDER_WAY] = WORKER_JOBS_UNDER_WAY,
        [JOBS_OF_APPROVE] = WORKER_JOBS_OF_APPROVE,
        [JOBS_OF_DATASET] = WORKER_JOBS_OF_DATASET,
    };
    struct sql_statement *rows;
    enum status status = worker_store_take(store, which[choice], &rows, err);

    *permit = NULL;
    *count = 0;
    if (status != OK)
        return status;
    if (choice == JOBS_OF_DATASET) {
        sql_bind_number(rows, 1, JOB_PROPOSED);
        sql_bind_number(rows, 2, JOB_ANCHORED);
        sql_bind_number(rows, 3, JOB_PUBLISHED);
        sql_bind_bytes(rows, 4, of);
    } else {
        sql_bind_number(rows, 1, JOB_PUBLISHED);
        if (choice == JOBS_OF_APPROVE)
            sql_bind_bytes(rows, 2, of);
    }
    status = gather(store, rows, permit, count, err);
    return worker_store_give(store, rows, status);
}

static enum status add_signed(struct worker_store *store,
                              const struct digest *permit,
                              const struct digest *entry, struct error *err)
{
    struct sql_statement *add;
    enum status status =
        sql_store_prepare(store->sql, WORKER_ADD_SIGNED, &add, err);

    if (status != OK)
        return status;
    sql_bind_bytes(add, 1, digest_of(entry));
    sql_bind_bytes(add, 2, digest_of(permit));
    return sql_store_run(store->sql, add, err);
}

enum status worker_store_propose(struct worker_store *store,
                                 const struct job_record *record,
                                 const struct digest *entry, bool *moved,
                                 struct error *err)
{
    struct job_record proposed = *record;
    enum status status;

    assert(record->state == JOB_RECHECKED || record->state == JOB_PROPOSED);
    proposed.state = JOB_PROPOSED;
    *moved = false;
    pthread_mutex_lock(&store->lock);
    status = sql_store_begin(store->sql, err);
    if (status == OK)
        status = move_job(store, record->state, &proposed, moved, err);
    if (status == OK && *moved)
        status = add_signed(store, &record->permit, entry, err);
    if (status == OK)
        status = sql_store_commit(store->sql, err);
    if (status != OK)
        sql_store_rollback(store->sql);
    pthread_mutex_unlock(&store->lock);
    return status;
}

enum status worker_store_signed(struct worker_store *store,
                                const struct digest *permit,
                                struct digest **entry, size_t *count,
                                struct error *err)
{
    struct sql_statement *rows;
    enum status status = worker_store_take(store, WORKER_SIGNED, &rows, err);

    *entry = NULL;
    *count = 0;
    if (status != OK)
        return status;
    sql_bind_bytes(rows, 1, digest_of(permit));
    status = gather(store, rows, entry, count, err);
    return worker_store_give(store, rows, status);
}

/* ---- datasets ---- */

void dataset_record_clear(struct dataset_record *record)
{
    text_clear(&record->subjects);
    *record = (struct dataset_record){.named = false};
    text_init(&record->subjects);
}

enum status worker_store_add_dataset(struct worker_store *store,
                                     const struct dataset_record *record,
                                     struct error *err)
{
    struct sql_statement *add;
    enum status status =
        worker_store_take(store, WORKER_ADD_DATASET, &add, err);

    if (status != OK)
        return status;
    sql_bind_bytes(add, 1, bytes_of(record->id.byte, DATASET_ID_SIZE));
    sql_bind_bytes(add, 2, bytes_of(record->ingest, UPLOAD_ID_SIZE));
    sql_bind_bytes(add, 3, text_bytes(&record->subjects));
    status = sql_store_run(store->sql, add, err);
    return worker_store_give(store, add, status);
}

enum status worker_store_drop_dataset(struct worker_store *store,
                                      const struct dataset_id *id,
                                      struct error *err)
{
    struct sql_statement *drop;
    enum status status =
        worker_store_take(store, WORKER_DROP_DATASET, &drop, err);

    if (status != OK)
        return status;
    sql_bind_bytes(drop, 1, bytes_of(id->byte, DATASET_ID_SIZE));
    status = sql_store_run(store->sql, drop, err);
    return worker_store_give(store, drop, status);
}

enum status worker_store_datasets(struct worker_store *store,
                                  struct text *datasets, struct error *err)
{
    struct sql_statement *rows;
    bool found = true;
    enum status status = worker_store_take(store, WORKER_DATASETS, &rows, err);

    if (status != OK)
        return status;
    while (status == OK) {
        struct dataset_name name;

        status = sql_store_step(store->sql, rows, &found, err);
        if (status != OK || !found)
            break;
        name.named = sql_column_bytes(rows, 1).size > 0;
        status = sql_column_fixed(rows, 0, name.id.byte, DATASET_ID_SIZE)
                     ? text_append(datasets, &name, sizeof name, err)
                     : worker_store_altered(store, "a dataset", err);
    }
    return worker_store_give(store, rows, status);
}

enum status worker_store_name_dataset(struct worker_store *store,
                                      const struct dataset_id *id,
                                      const struct digest *entry,
                                      struct error *err)
{
    struct sql_statement *name;
    enum status status =
        worker_store_take(store, WORKER_NAME_DATASET, &name, err);

    if (status != OK)
        return status;
    sql_bind_bytes(name, 1, bytes_of(id->byte, DATASET_ID_SIZE));
    sql_bind_bytes(name, 2, digest_of(entry));
    status = sql_store_run(store->sql, name, err);
    if (status == OK && sql_store_changes(store->sql) != 1)
        status = error_set(err, E_REFUSED,
                           "the dataset has the name of another entry");
    return worker_store_give(store, name, status);
}

static enum status take_dataset(struct worker_store *store,
                                struct sql_statement *row, bool subjects_wanted,
                                struct dataset_record *record,
                                struct error *err)
{
    struct bytes subjects = sql_column_bytes(row, 3);

    record->named = sql_column_bytes(row, 2).size > 0;
    if (!sql_column_fixed(row, 0, record->id.byte, DATASET_ID_SIZE) ||
        !sql_column_fixed(row, 1, record->ingest, UPLOAD_ID_SIZE) ||
        (record->named && !take_digest(row, 2, &record->entry)) ||
        subjects.size % SUBJECT_ID_SIZE != 0)
        return worker_store_altered(store, "a dataset", err);
    return subjects_wanted ? text_append(&record->subjects, subjects.data,
                                         subjects.size, err)
                           : OK;
}

enum status worker_store_find_dataset(struct worker_store *store,
                                      enum dataset_key key, struct bytes value,
                                      bool subjects_wanted,
                                      struct dataset_record *record,
                                      bool *found, struct error *err)
{
    static const enum worker_statement which[] = {
        [DATASET_BY_ID] = WORKER_DATASET_BY_ID,
        [DATASET_BY_ENTRY] = WORKER_DATASET_BY_ENTRY,
        [DATASET_BY_INGEST] = WORKER_DATASET_BY_INGEST,
    };
    struct sql_statement *find;
    enum status status = worker_store_take(store, which[key], &find, err);

    *found = false;
    *record = (struct dataset_record){.named = false};
    text_init(&record->subjects);
    if (status != OK)
        return status;
    sql_bind_bytes(find, 1, value);
    status = sql_store_step(store->sql, find, found, err);
    if (status == OK && *found)
        status = take_dataset(store, find, subjects_wanted, record, err);
    if (status != OK)
        dataset_record_clear(record);
    return worker_store_give(store, find, status);
}

/* ---- who was erased ---- */

enum status worker_store_add_erased(struct worker_store *store,
                                    const struct subject_id *subject,
                                    struct error *err)
{
    struct sql_statement *add;
    enum status status = worker_store_take(store, WORKER_ADD_ERASED, &add, err);

    if (status != OK)
        return status;
    sql_bind_bytes(add, 1, bytes_of(subject->byte, SUBJECT_ID_SIZE));
    status = sql_store_run(store->sql, add, err);
    return worker_store_give(store, add, status);
}

enum status worker_store_erased(struct worker_store *store,
                                struct subject_id **subject, size_t *count,
                                struct error *err)
{
    struct sql_statement *rows;
    struct text list;
    bool found = true;
    enum status status = worker_store_take(store, WORKER_ERASED, &rows, err);

    *subject = NULL;
    *count = 0;
    if (status != OK)
        return status;
    text_init(&list);
    while (status == OK) {
        struct subject_id id;

        status = sql_store_step(store->sql, rows, &found, err);
        if (status != OK || !found)
            break;
        status = sql_column_fixed(rows, 0, id.byte, SUBJECT_ID_SIZE)
                     ? text_append(&list, id.byte, SUBJECT_ID_SIZE, err)
                     : worker_store_altered(store, "who was erased", err);
    }
    *count = list.size / SUBJECT_ID_SIZE;
    if (status == OK && *count > 0) {
        *subject = malloc(list.size);
        if (*subject == NULL)
            status = error_memory(err, "who was erased");
        else
            memcpy(*subject, list.data, list.size);
    }
    text_clear(&list);
    return worker_store_give(store, rows, status);
}
