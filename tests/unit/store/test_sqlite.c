/* Tests store/sqlite: disks that are full or broken, and other threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/container.h"
#include "bench.h"
#include "faulty_vfs.h"
#include "os/timer.h"
#include "store/table_node.h"

static int set_up(void **state)
{
    static struct bench b;
    faulty_vfs_plan(FAULTY_ALL, 0, 0, false);
    bench_init(&b, NULL);
    *state = &b;
    return 0;
}

static int tear_down(void **state)
{
    faulty_vfs_plan(FAULTY_ALL, 0, 0, false);
    bench_release(*state);
    return 0;
}

static void path_of(const struct bench *b, const char *name, char to[128])
{
    (void)snprintf(to, 128, "%s/%s", b->dir, name);
}

static enum store_outcome start_node(struct bench *b, const char *name)
{
    struct store_batch *batch = bench_batch_new();
    assert_int_equal(table_node_start(batch, str_from(name), 1), ERR_OK);
    return bench_run(b, batch);
}

static bool has_node(struct bench *b, const char *name)
{
    struct store_batch *batch = bench_batch_new();
    assert_int_equal(table_node_list(batch), ERR_OK);
    assert_int_equal(bench_run(b, batch), STORE_DONE);
    char want[64];
    (void)snprintf(want, sizeof(want), ":'%s',", name);
    return strstr(b->rows, want) != NULL;
}

static void test_the_file_is_ours_alone_and_in_wal_mode(void **state)
{
    struct bench *b = *state;
    static const struct store_sql modes = {
        "SELECT journal_mode FROM pragma_journal_mode", 0};
    static const struct store_sql sync = {
        "SELECT synchronous FROM pragma_synchronous", 0};
    static const struct store_sql keys = {
        "SELECT foreign_keys FROM pragma_foreign_keys", 0};
    bench_open(b);
    assert_int_equal(start_node(b, "n"), STORE_DONE);
    static const char *const names[] = {"store.db", "store.db-wal",
                                        "store.db-shm"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[128];
        struct stat st = {0};
        path_of(b, names[i], path);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    struct store_batch *batch = bench_batch(&modes);
    bench_add(batch, &sync, NULL, 0);
    bench_add(batch, &keys, NULL, 0);
    assert_int_equal(bench_run(b, batch), STORE_DONE);
    assert_string_equal(b->rows, "0:'wal';1:2;2:1;"); /* 2: FULL */
}

static void test_a_full_disk_fails_a_batch_and_no_more(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    assert_int_equal(start_node(b, "before"), STORE_DONE);
    faulty_vfs_plan(FAULTY_WRITES, 1, SQLITE_FULL, true);
    assert_int_equal(start_node(b, "during"), STORE_FAILED);
    assert_int_equal(b->err, ERR_STORE);
    assert_true(faulty_vfs_failed() > 0);
    assert_true(store_usable(b->store));
    assert_true(has_node(b, "before")); /* reading goes on */
    faulty_vfs_plan(FAULTY_ALL, 0, 0, false);
    assert_int_equal(start_node(b, "after"), STORE_DONE);
    assert_false(has_node(b, "during"));
    assert_true(has_node(b, "after"));
}

static void test_a_failed_sync_is_final(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    assert_int_equal(start_node(b, "before"), STORE_DONE);
    faulty_vfs_plan(FAULTY_SYNCS, 1, SQLITE_IOERR_FSYNC, false);
    assert_int_equal(start_node(b, "during"), STORE_UNKNOWN);
    assert_int_equal(faulty_vfs_failed(), 1);
    bench_pass(b, 20);
    assert_int_equal(b->change_count, 1);
    assert_false(b->changes[0]);
    assert_false(store_usable(b->store));
    /* The disk says yes again, and is not believed. */
    const struct store_ask ask = {NULL, NULL, NULL, 100};
    assert_int_equal(store_run(b->store, b->loop, bench_batch_new(), &ask,
                               NULL),
                     ERR_STORE);
    bench_close(b);
    bench_open(b);
    assert_true(has_node(b, "before"));
}

/* Opens and writes with the n-th operation failing; true: one did. */
static bool survive(struct bench *b, enum faulty_vfs_ops ops, int n, int code)
{
    enum store_outcome outcome = STORE_FAILED;
    faulty_vfs_plan(ops, n, code, n % 2 == 0);
    bench_open(b);
    if (b->open_err == ERR_OK)
        outcome = start_node(b, "x");
    else
        assert_int_equal(b->open_err, ERR_STORE);
    bool failed = faulty_vfs_failed() > 0;
    assert_true(failed || outcome == STORE_DONE);
    bench_close(b);
    faulty_vfs_plan(FAULTY_ALL, 0, 0, false);
    bench_open(b);
    assert_int_equal(b->open_err, ERR_OK);
    bool there = has_node(b, "x");
    if (outcome == STORE_DONE)
        assert_true(there);
    if (outcome == STORE_FAILED)
        assert_false(there);
    return failed;
}

static void sweep(enum faulty_vfs_ops ops, int code)
{
    int n = 0;
    bool failed = true;
    while (failed) {
        struct bench b;
        assert_true(++n < 200);
        bench_init(&b, NULL);
        failed = survive(&b, ops, n, code);
        bench_release(&b);
    }
    assert_true(n > 2);
}

static void test_every_write_may_find_a_full_disk(void **state)
{
    (void)state;
    sweep(FAULTY_WRITES, SQLITE_FULL);
}

static void test_every_operation_may_fail(void **state)
{
    (void)state;
    sweep(FAULTY_ALL, SQLITE_IOERR_WRITE);
}

static void test_a_file_that_is_no_database_is_refused(void **state)
{
    struct bench *b = *state;
    char path[128];
    path_of(b, "store.db", path);
    FILE *f = fopen(path, "we");
    if (f == NULL) {
        fail_msg("cannot write");
        return;
    }
    for (int i = 0; i < 1000; i++)
        assert_true(fputs("this is not a database\n", f) >= 0);
    assert_int_equal(fclose(f), 0);
    bench_open(b);
    assert_int_equal(b->open_err, ERR_STORE);
    assert_non_null(strstr(b->why, "store.db"));
}

static void test_a_link_or_a_missing_folder_is_refused(void **state)
{
    struct bench *b = *state;
    char path[128];
    path_of(b, "store.db", path);
    assert_int_equal(symlink("/dev/null", path), 0);
    bench_open(b);
    assert_int_equal(b->open_err, ERR_STORE);
    bench_close(b);
    assert_int_equal(unlink(path), 0);

    char dir[sizeof(b->dir)];
    memcpy(dir, b->dir, sizeof(dir));
    (void)snprintf(b->dir, sizeof(b->dir), "/tmp/no/such/folder");
    bench_open(b);
    memcpy(b->dir, dir, sizeof(dir));
    assert_int_equal(b->open_err, ERR_STORE);
}

/* A loop on a thread of its own that writes rows through one store. */
enum { WRITERS = 4, ROWS_EACH = 50 };

struct writer {
    pthread_t thread;
    struct loop *loop;
    struct store *store;
    unsigned id, sent, done;
};

static void send_row(struct writer *w);

static void on_row_done(void *user, const struct store_result *r)
{
    struct writer *w = user;
    assert_int_equal(r->outcome, STORE_DONE);
    if (++w->done == ROWS_EACH)
        loop_stop(w->loop);
    else if (w->sent < ROWS_EACH)
        send_row(w);
}

static void send_row(struct writer *w)
{
    char name[32];
    struct store_batch *batch = bench_batch_new();
    const struct store_ask ask = {NULL, on_row_done, w, 10000};
    (void)snprintf(name, sizeof(name), "w%u-%u", w->id, w->sent++);
    assert_int_equal(table_node_start(batch, str_from(name), 1), ERR_OK);
    assert_int_equal(store_run(w->store, w->loop, batch, &ask, NULL), ERR_OK);
}

static void *run_writer(void *arg)
{
    struct writer *w = arg;
    send_row(w);
    send_row(w);
    loop_run(w->loop);
    return NULL;
}

static void test_many_loops_share_one_store(void **state)
{
    struct bench *b = *state;
    struct writer w[WRITERS];
    static const struct store_sql count = {"SELECT COUNT(*) FROM node", 0};
    bench_open(b);
    for (unsigned i = 0; i < WRITERS; i++) {
        w[i] = (struct writer){.store = b->store, .id = i};
        assert_int_equal(loop_new(&w[i].loop), ERR_OK);
        assert_int_equal(pthread_create(&w[i].thread, NULL, run_writer, &w[i]),
                         0);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_join(w[i].thread, NULL), 0);
        loop_free(w[i].loop);
    }
    assert_int_equal(bench_run(b, bench_batch(&count)), STORE_DONE);
    assert_string_equal(b->rows, "0:200;");
}

static void test_closing_at_any_moment_is_quiet(void **state)
{
    struct bench *b = *state;
    for (int64_t ms = 0; ms < 12; ms++) {
        bench_begin_open(b);
        if (ms > 0)
            bench_pass(b, ms);
        bench_close(b);
    }
    bench_pass(b, 5); /* what was posted meanwhile */
}

static void test_a_call_is_dropped_at_its_deadline(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    /* Another program holds the file: our writes wait for it. */
    sqlite3 *other = NULL;
    char path[128];
    path_of(b, "store.db", path);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
                     SQLITE_OK);
    struct store_batch *batch = bench_batch_new();
    assert_int_equal(table_node_start(batch, STR("first"), 1), ERR_OK);
    bench_start(b, batch, 100);
    bench_wait(b);
    assert_int_equal(b->outcome, STORE_UNKNOWN); /* it has been begun */
    batch = bench_batch_new();
    assert_int_equal(table_node_start(batch, STR("second"), 1), ERR_OK);
    bench_start(b, batch, 100);
    bench_wait(b);
    assert_int_equal(b->outcome, STORE_FAILED); /* it was still waiting */
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    assert_int_equal(start_node(b, "third"), STORE_DONE);
    assert_false(has_node(b, "second"));
}

#define WITH_BENCH(test)                                                       \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BENCH(test_the_file_is_ours_alone_and_in_wal_mode),
        WITH_BENCH(test_a_full_disk_fails_a_batch_and_no_more),
        WITH_BENCH(test_a_failed_sync_is_final),
        WITH_BENCH(test_every_write_may_find_a_full_disk),
        WITH_BENCH(test_every_operation_may_fail),
        WITH_BENCH(test_a_file_that_is_no_database_is_refused),
        WITH_BENCH(test_a_link_or_a_missing_folder_is_refused),
        WITH_BENCH(test_many_loops_share_one_store),
        WITH_BENCH(test_closing_at_any_moment_is_quiet),
        WITH_BENCH(test_a_call_is_dropped_at_its_deadline),
    };
    faulty_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
