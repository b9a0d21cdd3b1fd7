/*
 * sqlite_batch.c - BEGIN IMMEDIATE, the statements, COMMIT.
 *
 * An I/O error is final: after a failed sync the kernel may report success
 * for pages that it has dropped, so nothing on this file can be believed
 * until the process has started anew and SQLite has recovered the file.
 */
#include "store/sqlite_batch.h"

#include <assert.h>
#include <stdio.h>

#include "os/clock.h"

enum { OPS_BETWEEN_CHECKS = 10000 }; /* of SQLite's machine; about 1 ms */

void sqlite_batch_release(struct sqlite_batch_cache *cache)
{
    for (unsigned i = 0; i < cache->count; i++)
        (void)sqlite3_finalize(cache->kept[i].statement);
    cache->count = 0;
}

/* Finds or makes the statement; *ret_kept says that it stays in the cache. */
static int prepare(struct sqlite_batch_cache *cache,
                   const struct store_sql *sql, sqlite3_stmt **ret,
                   bool *ret_kept)
{
    for (unsigned i = 0; i < cache->count; i++) {
        if (cache->kept[i].sql == sql) {
            *ret = cache->kept[i].statement;
            *ret_kept = true;
            return SQLITE_OK;
        }
    }
    *ret_kept = cache->count < SQLITE_BATCH_CACHED_MAX;
    int rc = sqlite3_prepare_v3(cache->db, sql->text, -1,
                                *ret_kept ? SQLITE_PREPARE_PERSISTENT : 0, ret,
                                NULL);
    if (rc == SQLITE_OK && *ret_kept) {
        cache->kept[cache->count].sql = sql;
        cache->kept[cache->count++].statement = *ret;
    }
    return rc;
}

/* $1 is a name to SQLite, numbered by where it appears first. */
static int bind(sqlite3_stmt *st, const struct store_statement *s)
{
    int rc = SQLITE_OK;
    for (unsigned i = 0; i < s->sql->params && rc == SQLITE_OK; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "$%u", i + 1);
        int at = sqlite3_bind_parameter_index(st, name);
        assert(at > 0);
        const struct store_value *v = &s->params[i];
        switch (v->type) {
        case STORE_INT:
            rc = sqlite3_bind_int64(st, at, v->number);
            break;
        case STORE_TEXT:
            rc = sqlite3_bind_text(st, at, v->bytes.ptr, (int)v->bytes.len,
                                   SQLITE_STATIC);
            break;
        case STORE_BLOB:
            rc = sqlite3_bind_blob(st, at, v->bytes.ptr, (int)v->bytes.len,
                                   SQLITE_STATIC);
            break;
        case STORE_NULL:
            rc = sqlite3_bind_null(st, at);
            break;
        }
    }
    return rc;
}

static bool copy_column(struct store_call *c, sqlite3_stmt *st, int i,
                        struct store_value *to)
{
    const char *bytes;
    switch (sqlite3_column_type(st, i)) {
    case SQLITE_NULL:
        *to = (struct store_value){0};
        return true;
    case SQLITE_INTEGER:
        *to = store_int(sqlite3_column_int64(st, i));
        return true;
    case SQLITE_BLOB:
        bytes = sqlite3_column_blob(st, i);
        to->type = STORE_BLOB;
        break;
    default: /* a number with a fraction does not exist here */
        bytes = (const char *)sqlite3_column_text(st, i);
        to->type = STORE_TEXT;
        break;
    }
    to->bytes =
        store_call_copy(c, (struct str){bytes,
                                        (size_t)sqlite3_column_bytes(st, i)});
    return to->bytes.ptr != NULL;
}

static bool copy_row(struct store_call *c, sqlite3_stmt *st, unsigned statement)
{
    int n = sqlite3_column_count(st);
    struct store_row *r =
        n > STORE_PARAMS_MAX ? NULL : store_call_row(c, statement, (unsigned)n);
    if (r == NULL)
        return false;
    for (int i = 0; i < n; i++) {
        if (!copy_column(c, st, i, &r->columns[i]))
            return false;
    }
    return true;
}

/* SQLITE_DONE, SQLITE_TOOBIG for too many rows, or SQLite's own error. */
static int run(struct sqlite_batch_cache *cache, struct store_call *c,
               unsigned i)
{
    const struct store_statement *s = &c->batch->statements[i];
    sqlite3_stmt *st = NULL;
    bool kept;
    int rc = prepare(cache, s->sql, &st, &kept);
    if (rc != SQLITE_OK)
        return rc;
    rc = bind(st, s);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    while (rc == SQLITE_ROW) {
        rc = copy_row(c, st, i) ? sqlite3_step(st) : SQLITE_TOOBIG;
    }
    if (kept) {
        (void)sqlite3_reset(st); /* repeats the error that we have */
        (void)sqlite3_clear_bindings(st);
    } else {
        (void)sqlite3_finalize(st);
    }
    return rc;
}

static int control(struct sqlite_batch_cache *cache,
                   const struct store_sql *word)
{
    struct store_batch batch = {.count = 1, .statements[0] = {.sql = word}};
    struct store_call nobody = {.batch = &batch};
    return run(cache, &nobody, 0);
}

static const struct store_sql begin = {"BEGIN IMMEDIATE", 0};
static const struct store_sql commit = {"COMMIT", 0};
static const struct store_sql rollback = {"ROLLBACK", 0};

/* What SQLite says of the disk or of the file itself. */
static bool is_broken(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
    case SQLITE_MISUSE:
        return true;
    default:
        return false;
    }
}

/* Names the failure of statement `i` (or of a control word at `count`). */
static void fail(struct sqlite_batch_cache *cache, struct store_call *c, int rc,
                 unsigned i)
{
    char why[STORE_WHY_MAX];
    (void)snprintf(why, sizeof(why), "%s (%d)", sqlite3_errmsg(cache->db),
                   sqlite3_extended_errcode(cache->db));
    bool constraint = (rc & 0xff) == SQLITE_CONSTRAINT;
    if (rc == SQLITE_TOOBIG)
        store_call_end(c, STORE_FAILED, ERR_LIMIT, "too many rows");
    else if (constraint && c->batch->claims > 0 && i == STORE_CLAIM_STATEMENT)
        store_call_end(c, STORE_ALREADY, ERR_OK, "");
    else if (constraint)
        store_call_end(c, STORE_CONFLICT, ERR_STORE, why);
    else if (is_broken(rc) && i > c->batch->count)
        store_call_end(c, STORE_UNKNOWN, ERR_STORE, why);
    else
        store_call_end(c, STORE_FAILED, ERR_STORE, why);
}

/* A statement that runs past the call's deadline ends with an error. */
static int past_deadline(void *arg)
{
    const struct store_call *c = arg;
    return clock_monotonic_ms() > c->deadline_ms ? 1 : 0;
}

static bool roll_back(struct sqlite_batch_cache *cache)
{
    if (sqlite3_get_autocommit(cache->db))
        return true; /* SQLite has done so by itself */
    return control(cache, &rollback) == SQLITE_DONE;
}

bool sqlite_batch_apply(struct sqlite_batch_cache *cache, struct store_call *c)
{
    sqlite3_progress_handler(cache->db, OPS_BETWEEN_CHECKS, past_deadline, c);
    int rc = control(cache, &begin);
    unsigned i = 0;
    while (rc == SQLITE_DONE && i < c->batch->count) {
        rc = run(cache, c, i);
        i += rc == SQLITE_DONE ? 1 : 0;
    }
    sqlite3_progress_handler(cache->db, 0, NULL, NULL);
    if (rc == SQLITE_DONE) {
        i = c->batch->count + 1;
        rc = control(cache, &commit);
    }
    if (rc == SQLITE_DONE) {
        store_call_end(c, STORE_DONE, ERR_OK, "");
        return true;
    }
    bool usable = !is_broken(rc);
    fail(cache, c, rc, i);
    return roll_back(cache) && usable;
}
