/* sqlite_batch.h - one batch applied to a SQLite database, synchronously. */
#ifndef STORE_SQLITE_BATCH_H
#define STORE_SQLITE_BATCH_H

#include <sqlite3.h>

#include "store/store_call.h"

enum { SQLITE_BATCH_CACHED_MAX = 64 };

/* Statements that were prepared before, by the address of their text. */
struct sqlite_batch_cache {
    sqlite3 *db;
    struct {
        const struct store_sql *sql;
        sqlite3_stmt *statement;
    } kept[SQLITE_BATCH_CACHED_MAX];
    unsigned count;
};

void sqlite_batch_release(struct sqlite_batch_cache *cache);

/*
 * Applies the call's batch and sets its result.  True: the database can be
 * used again.  False: the disk or the file is broken, and what it holds of
 * this batch is not known.
 */
MUST_CHECK bool sqlite_batch_apply(struct sqlite_batch_cache *cache,
                                   struct store_call *c);

#endif
