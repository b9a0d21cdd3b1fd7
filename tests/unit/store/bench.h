/*
 * bench.h - a store on a loop, used as if it were synchronous, on either
 * database.
 */
#ifndef TESTS_STORE_BENCH_H
#define TESTS_STORE_BENCH_H

#include <stdbool.h>
#include <stddef.h>

#include "os/loop.h"
#include "postgres_server.h"
#include "store/store.h"

enum { BENCH_ROWS_BYTES = 1 << 16, BENCH_CHANGES_MAX = 64 };

struct bench {
    struct postgres_server *server; /* NULL: SQLite */
    char dir[64];                   /* of SQLite */
    char url[256];
    struct loop *loop;
    struct store *store;

    bool opened; /* and how: */
    enum err open_err;
    char why[256];
    bool changes[BENCH_CHANGES_MAX]; /* what `changed` said */
    unsigned change_count;

    /* Of the last batch: each row as "statement:a,b;". */
    char rows[BENCH_ROWS_BYTES];
    size_t rows_len;
    enum store_outcome outcome;
    enum err err;
    unsigned done_count;
};

/* A database that is empty; NULL `server`: a new SQLite file. */
void bench_init(struct bench *b, struct postgres_server *server);
/* Also closes. */
void bench_release(struct bench *b);

/* Opens and waits until that is decided. */
void bench_open(struct bench *b);
/* Begins to open, without waiting. */
void bench_begin_open(struct bench *b);
void bench_begin_open_with(struct bench *b, struct resolver *r);
void bench_close(struct bench *b);

/* Runs a batch to its end. */
enum store_outcome bench_run(struct bench *b, struct store_batch *batch);
/* Begins; the result comes with bench_wait(). */
void bench_start(struct bench *b, struct store_batch *batch,
                 int64_t timeout_ms);
void bench_wait(struct bench *b);

/* A batch of one statement without parameters. */
struct store_batch *bench_batch(const struct store_sql *sql);
struct store_batch *bench_batch_new(void);
void bench_add(struct store_batch *batch, const struct store_sql *sql,
               const struct store_value *values, size_t n);

/* Runs the loop for that long. */
void bench_pass(struct bench *b, int64_t ms);

#endif
