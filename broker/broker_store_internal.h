/*
 * broker/broker_store_internal.h - statements and helpers that the parts of
 * broker/broker_store.h share.
 */
#ifndef BROKER_BROKER_STORE_INTERNAL_H
#define BROKER_BROKER_STORE_INTERNAL_H

#include "broker/broker_store.h"
#include "common/sql_store.h"

/* Name in the code, and its SQL. */
#define BROKER_STATEMENTS(X)                                                   \
    X(GET_META, "SELECT value FROM meta WHERE key = ?1")                       \
    X(PUT_META, "INSERT INTO meta(key, value) VALUES(?1, ?2) ON CONFLICT(key)" \
                " DO UPDATE SET value = ?2")                                   \
    X(ADD_OWN, "INSERT INTO own(id, type, entry, signatures, statement, salt," \
               " asked, settled, position, verdict) VALUES(?1, ?2, ?3, ?4, "   \
               "?5, ?6, ?7, 0, 0, 0)")                                         \
    X(SIGN_OWN, "UPDATE own SET signatures = ?2 WHERE id = ?1")                \
    X(FIND_OWN, OWN_COLUMNS " WHERE id = ?1")                                  \
    X(FIND_ASKED, OWN_COLUMNS " WHERE asked = ?1")                             \
    X(ADD_PENDING, "INSERT INTO pending(number) SELECT number FROM own WHERE"  \
                   " id = ?1")                                                 \
    X(FIRST_PENDING, OWN_COLUMNS " WHERE number = (SELECT min(number) FROM"    \
                                 " pending)")                                  \
    X(SETTLE_OWN,                                                              \
      "UPDATE own SET settled = 1, position = ?2, verdict = ?3 WHERE id = ?1") \
    X(DROP_PENDING, "DELETE FROM pending WHERE number = (SELECT number FROM"   \
                    " own WHERE id = ?1)")                                     \
    X(ADD_PERSON, "INSERT INTO person(certificate, organisation, role,"        \
                  " revoked) VALUES(?1, ?2, ?3, 0) ON CONFLICT DO NOTHING")    \
    X(FIND_PERSON, "SELECT organisation, role, revoked FROM person WHERE"      \
                   " certificate = ?1")                                        \
    X(REVOKE_PERSON, "UPDATE person SET revoked = 1 WHERE certificate = ?1")   \
    X(FIND_WISH, "SELECT number FROM wish WHERE says = ?1")                    \
    X(ADD_WISH, "INSERT INTO wish(number, says) VALUES((SELECT"                \
                " coalesce(max(number), 0) + 1 FROM wish), ?1) RETURNING"      \
                " number")                                                     \
    X(GET_WISH, "SELECT says FROM wish WHERE number = ?1")                     \
    X(EACH_WISH, "SELECT number, says FROM wish ORDER BY number")              \
    X(ADD_SAID, "INSERT INTO said(subject, position, wish) VALUES(?1, ?2, ?3)" \
                " ON CONFLICT DO NOTHING")                                     \
    X(ADD_SAID_AT, "INSERT INTO said_at(position, subject) VALUES(?1, ?2)"     \
                   " ON CONFLICT DO NOTHING")                                  \
    X(EACH_SAID, "SELECT subject, position, wish FROM said ORDER BY subject,"  \
                 " position, wish")                                            \
    X(SAID_BY, "SELECT subject, position, wish FROM said WHERE subject = ?1"   \
               " ORDER BY position, wish")                                     \
    X(SAID_SINCE, "SELECT subject, position, 0 FROM said_at WHERE position >=" \
                  " ?1 ORDER BY position, subject")                            \
    X(ADD_UNRESOLVED, "INSERT INTO unresolved(id, position, type, commitment)" \
                      " VALUES(?1, ?2, ?3, ?4)")                               \
    X(FIRST_UNRESOLVED, "SELECT id, position, type, commitment FROM"           \
                        " unresolved ORDER BY position LIMIT 1")               \
    X(FIND_UNRESOLVED, "SELECT id, position, type, commitment FROM"            \
                       " unresolved WHERE id = ?1")                            \
    X(DROP_UNRESOLVED, "DELETE FROM unresolved WHERE id = ?1")                 \
    X(ADD_REQUEST, "INSERT INTO request(id, position, author, salt, terms,"    \
                   " bundle) VALUES(?1, ?2, ?3, ?4, ?5, ?6)")                  \
    X(FIND_REQUEST, REQUEST_COLUMNS " WHERE id = ?1")                          \
    X(NEXT_REQUEST,                                                            \
      REQUEST_COLUMNS " WHERE position >= ?1 ORDER BY position LIMIT 1")       \
    X(GET_BUNDLE, "SELECT bundle FROM request WHERE id = ?1")                  \
    X(DROP_BUNDLE, "UPDATE request SET bundle = x'' WHERE id = ?1")            \
    X(DROP_LIST, "UPDATE permit SET list = x'' WHERE id = ?1")                 \
    X(DROP_STATEMENT,                                                          \
      "UPDATE own SET statement = x'', salt = zeroblob(32) WHERE id = ?1")     \
    X(ADD_ANSWER, "INSERT INTO answer(request, id, approved, author)"          \
                  " VALUES(?1, ?2, ?3, ?4)")                                   \
    X(FIND_ANSWER, "SELECT id, approved, author FROM answer WHERE request ="   \
                   " ?1")                                                      \
    X(ADD_PERMIT, "INSERT INTO permit(id, request, size, expires, seed, list)" \
                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6)")                           \
    X(GET_PERMIT, "SELECT request, size, expires, seed FROM permit WHERE id =" \
                  " ?1")                                                       \
    X(GET_PERMIT_LIST, "SELECT list FROM permit WHERE id = ?1")                \
    X(PUT_RELEASE,                                                             \
      "INSERT INTO release(request, state, restarts, drafts, permit, draft,"   \
      " checked, name, salt, statement, status, why) VALUES(?1, ?2, ?3, ?4,"   \
      " ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT(request) DO UPDATE SET" \
      " state = ?2, restarts = ?3, drafts = ?4, permit = ?5, draft = ?6,"      \
      " checked = ?7, name = ?8, salt = ?9, statement = ?10, status = ?11,"    \
      " why = ?12")                                                            \
    X(FIND_RELEASE, "SELECT state, restarts, drafts, permit, draft, checked,"  \
                    " name, salt, statement, status, why FROM release WHERE"   \
                    " request = ?1")

#define OWN_COLUMNS                                                            \
    "SELECT id, type, entry, signatures, statement, salt, settled, position, " \
    "verdict"                                                                  \
    " FROM own"
#define REQUEST_COLUMNS "SELECT id, position, author, salt, terms FROM request"

enum {
#define BROKER_STATEMENT(name, sql) BROKER_##name,
    BROKER_STATEMENTS(BROKER_STATEMENT)
#undef BROKER_STATEMENT
        BROKER_STATEMENT_COUNT
};

struct broker_store {
    struct sql_store *sql;
};

/* A row that is not as it was written. */
MUST_USE enum status broker_store_altered(const struct broker_store *store,
                                          const char *what, struct error *err);

/* Text of a column, which must fit with its NUL. */
MUST_USE bool broker_store_string(struct sql_statement *row, int at, char *out,
                                  size_t size);

#endif
