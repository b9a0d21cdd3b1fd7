/*
 * store.h - durable rows: one interface, SQLite or PostgreSQL behind it.
 *
 * Work is a batch: statements that are applied together or not at all.  Rows
 * and the result come on the caller's loop, in a later turn, and rows only
 * when the whole batch was applied.
 *
 *     struct store_batch *b;
 *     e = store_batch_new(&b);
 *     e = table_node_start(b, name, now_us);     // table_*.h name statements
 *     e = store_run(s, loop, b, &ask, &call);    // takes `b`
 *     -> ask.row(...) for each row, then ask.done(...), once
 *
 * The store is a projection of the evidence: what has to happen once though
 * an answer may get lost is marked with store_batch_once().
 *
 * A batch waits at most until its deadline, also while there is no database;
 * then it fails.  Nothing is written later than that by surprise: what was
 * not begun by then is dropped.
 *
 * A call keeps its loop running; a store that opens or waits does not.
 *
 * Threads: a store is opened and closed on its home loop; store_run() and
 * store_call_cancel() may be called from any loop, each call from its own.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

struct loop;
struct resolver;
struct store;
struct store_batch;
struct store_call;

enum {
    STORE_STATEMENTS_MAX = 256, /* in one batch */
    STORE_PARAMS_MAX = 32,      /* of one statement, and columns of a row */
    STORE_CALLS_MAX = 4096,     /* that wait */
    STORE_WHY_MAX = 192,        /* bytes of a reason, with its NUL */
};
#define STORE_BATCH_MAX (1 * MIB)  /* bytes of a batch */
#define STORE_RESULT_MAX (8 * MIB) /* bytes of the rows of a batch */
#define STORE_WAITING_MAX (64 * MIB)

/* One parameter or column. */
enum store_type { STORE_NULL = 0, STORE_INT, STORE_TEXT, STORE_BLOB };
struct store_value {
    enum store_type type;
    int64_t number;   /* STORE_INT */
    struct str bytes; /* STORE_TEXT (UTF-8 without NUL), STORE_BLOB */
};
static inline struct store_value store_int(int64_t v)
{
    return (struct store_value){STORE_INT, v, {NULL, 0}};
}
static inline struct store_value store_text(struct str s)
{
    return (struct store_value){STORE_TEXT, 0, s};
}
static inline struct store_value store_blob(struct str s)
{
    return (struct store_value){STORE_BLOB, 0, s};
}

/*
 * A statement in SQL that both understand; lives as long as the program.
 * Parameters are $1, $2, ... and typed by the values given: BIGINT, TEXT,
 * BYTEA.  Columns of other types do not exist.
 */
struct store_sql {
    const char *text;
    unsigned params;
};

/* ERR_NO_MEMORY. */
MUST_CHECK enum err store_batch_new(struct store_batch **ret);
/* Only of a batch that was not run; NULL is allowed. */
void store_batch_free(struct store_batch *b);

/*
 * Adds a statement; values are copied.  `n` is sql->params.  ERR_LIMIT: one
 * of the limits above.  ERR_MALFORMED: a text is not UTF-8 or has a NUL.
 */
MUST_CHECK enum err store_batch_add(struct store_batch *b,
                                    const struct store_sql *sql,
                                    const struct store_value *params, size_t n);

/*
 * Before any statement: the batch is what `name` does at `index` (of the
 * ledger, from 0) and is applied at most once, in rising order.  Only such a
 * batch is tried again after a connection broke while it was on its way.
 */
MUST_CHECK enum err store_batch_once(struct store_batch *b, struct str name,
                                     int64_t index);

enum store_outcome {
    STORE_FAILED = 0, /* nothing was applied */
    STORE_UNKNOWN,    /* nobody knows: the connection or the disk failed */
    STORE_CONFLICT,   /* a constraint said no; nothing was applied */
    STORE_ALREADY,    /* store_batch_once(): applied before; no rows */
    STORE_DONE,
};

struct store_result {
    enum store_outcome outcome;
    enum err err;   /* ERR_OK for DONE and ALREADY; ERR_LIMIT: too many rows;
                       else ERR_STORE */
    struct str why; /* for a log; borrowed */
};

struct store_ask {
    /* `statement` counts from 0; columns are borrowed.  May be NULL. */
    void (*row)(void *user, size_t statement, const struct store_value *columns,
                size_t n);
    void (*done)(void *user, const struct store_result *r);
    void *user;
    int64_t timeout_ms; /* until the deadline; more than 0 */
};

/*
 * Takes `b`, also on failure.  On success `done` runs once, unless the call
 * is cancelled; `*ret_call` is valid until then (NULL is allowed).
 * ERR_STORE: not opened, or broken for good.  ERR_OVERLOAD: too much waits.
 */
MUST_CHECK enum err store_run(struct store *s, struct loop *l,
                              struct store_batch *b,
                              const struct store_ask *ask,
                              struct store_call **ret_call);

/* The caller goes away: neither `row` nor `done` runs.  The batch may still
 * be applied.  NULL is allowed. */
void store_call_cancel(struct store_call *c);

struct store_options {
    struct str url;            /* "sqlite" or postgres://... */
    const char *data_dir;      /* SQLite: holds store.db */
    struct resolver *resolver; /* PostgreSQL: for names; NULL: addresses only */
};

struct store_events {
    /*
     * Once: the tables are there in the version that we know (ERR_OK), or
     * the store is of no use.  ERR_CONFIG: the URL, or tables of a newer
     * version.  ERR_STORE.  A PostgreSQL that does not answer is no error:
     * it is waited for.
     */
    void (*opened)(void *user, enum err e, struct str why);
    /* The database went away or came back; for a log.  May be NULL. */
    void (*changed)(void *user, bool usable, struct str why);
    void *user;
};

/*
 * Begins to open; `opened` runs in a later turn of `home`.  ERR_CONFIG: the
 * URL names no store that we know, or libpq is not there.  ERR_NO_MEMORY.
 * ERR_LIMIT: no thread.  On failure *ret_why says what, for a log.
 */
MUST_CHECK enum err store_open(struct loop *home, const struct store_options *o,
                               const struct store_events *events,
                               struct store **ret, const char **ret_why);

/*
 * Closes; no event follows.  Every call has been answered or cancelled.
 * Waits for a SQLite statement that runs.  NULL is allowed.
 */
void store_close(struct store *s);

/* Opened and, as far as is known, able to answer.  Any thread. */
bool store_usable(const struct store *s);

#endif
