/* bench.c - see bench.h. */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/timer.h"

enum { PATIENCE_MS = 10000 };

void bench_init(struct bench *b, struct postgres_server *server)
{
    *b = (struct bench){.server = server};
    assert_int_equal(loop_new(&b->loop), ERR_OK);
    if (server != NULL) {
        postgres_server_empty(server);
        (void)snprintf(b->url, sizeof(b->url), "%s", server->url);
        return;
    }
    (void)snprintf(b->url, sizeof(b->url), "sqlite");
    (void)snprintf(b->dir, sizeof(b->dir), "/tmp/writ-store-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
}

void bench_release(struct bench *b)
{
    bench_close(b);
    loop_free(b->loop);
    if (b->server != NULL)
        return;
    static const char *const names[] = {"store.db", "store.db-wal",
                                        "store.db-shm"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "%s/%s", b->dir, names[i]);
        (void)remove(path);
    }
    assert_int_equal(rmdir(b->dir), 0);
}

static void note_why(struct bench *b, struct str why)
{
    why = str_first(why, sizeof(b->why) - 1);
    if (why.len > 0)
        memcpy(b->why, why.ptr, why.len);
    b->why[why.len] = '\0';
}

static void on_opened(void *user, enum err e, struct str why)
{
    struct bench *b = user;
    assert_false(b->opened); /* once */
    b->opened = true;
    b->open_err = e;
    note_why(b, why);
    loop_stop(b->loop);
}

static void on_changed(void *user, bool usable, struct str why)
{
    struct bench *b = user;
    note_why(b, why);
    if (b->change_count < BENCH_CHANGES_MAX)
        b->changes[b->change_count++] = usable;
}

void bench_begin_open(struct bench *b)
{
    bench_begin_open_with(b, NULL);
}

void bench_begin_open_with(struct bench *b, struct resolver *r)
{
    const struct store_options o = {str_from(b->url), b->dir, r};
    const struct store_events events = {on_opened, on_changed, b};
    const char *why = NULL;
    b->opened = false;
    b->change_count = 0;
    assert_int_equal(store_open(b->loop, &o, &events, &b->store, &why), ERR_OK);
}

static void never(struct timer *t)
{
    (void)t;
    fail_msg("the store did not answer");
}

void bench_open(struct bench *b)
{
    struct timer patience = {0};
    bench_begin_open(b);
    timer_set(b->loop, &patience, PATIENCE_MS, never);
    while (!b->opened)
        loop_run(b->loop);
    timer_cancel(&patience);
}

void bench_close(struct bench *b)
{
    store_close(b->store);
    b->store = NULL;
}

static void write_value(struct bench *b, const struct store_value *v)
{
    char *to = b->rows + b->rows_len;
    size_t room = sizeof(b->rows) - b->rows_len;
    int n = 0;
    switch (v->type) {
    case STORE_NULL:
        n = snprintf(to, room, "null");
        break;
    case STORE_INT:
        n = snprintf(to, room, "%" PRId64, v->number);
        break;
    case STORE_TEXT:
        n = snprintf(to, room, "'%.*s'", STR_FMT(v->bytes));
        break;
    case STORE_BLOB:
        n = snprintf(to, room, "x%zu", v->bytes.len);
        break;
    }
    assert_true(n > 0 && (size_t)n < room);
    b->rows_len += (size_t)n;
}

static void on_row(void *user, size_t statement,
                   const struct store_value *columns, size_t n)
{
    struct bench *b = user;
    if (b->rows_len > sizeof(b->rows) - 1024)
        return;
    b->rows_len +=
        (size_t)snprintf(b->rows + b->rows_len, 32, "%zu:", statement);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            b->rows[b->rows_len++] = ',';
        write_value(b, &columns[i]);
    }
    b->rows[b->rows_len++] = ';';
    b->rows[b->rows_len] = '\0';
}

static void on_done(void *user, const struct store_result *r)
{
    struct bench *b = user;
    b->outcome = r->outcome;
    b->err = r->err;
    note_why(b, r->why);
    b->done_count++;
    loop_stop(b->loop);
}

void bench_start(struct bench *b, struct store_batch *batch, int64_t timeout_ms)
{
    const struct store_ask ask = {on_row, on_done, b, timeout_ms};
    b->rows_len = 0;
    b->rows[0] = '\0';
    b->done_count = 0;
    assert_int_equal(store_run(b->store, b->loop, batch, &ask, NULL), ERR_OK);
}

void bench_wait(struct bench *b)
{
    struct timer patience = {0};
    timer_set(b->loop, &patience, PATIENCE_MS, never);
    while (b->done_count == 0)
        loop_run(b->loop);
    timer_cancel(&patience);
    assert_int_equal(b->done_count, 1);
}

enum store_outcome bench_run(struct bench *b, struct store_batch *batch)
{
    bench_start(b, batch, PATIENCE_MS);
    bench_wait(b);
    return b->outcome;
}

struct store_batch *bench_batch_new(void)
{
    struct store_batch *batch = NULL;
    assert_int_equal(store_batch_new(&batch), ERR_OK);
    return batch;
}

void bench_add(struct store_batch *batch, const struct store_sql *sql,
               const struct store_value *values, size_t n)
{
    assert_int_equal(store_batch_add(batch, sql, values, n), ERR_OK);
}

struct store_batch *bench_batch(const struct store_sql *sql)
{
    struct store_batch *batch = bench_batch_new();
    bench_add(batch, sql, NULL, 0);
    return batch;
}

struct pause {
    struct timer timer;
    struct loop *loop;
    bool over;
};

static void on_pause_over(struct timer *t)
{
    struct pause *p = (struct pause *)(void *)t; /* its first member */
    p->over = true;
    loop_stop(p->loop);
}

void bench_pass(struct bench *b, int64_t ms)
{
    struct pause p = {.loop = b->loop};
    timer_set(b->loop, &p.timer, ms, on_pause_over);
    while (!p.over)
        loop_run(b->loop);
}
