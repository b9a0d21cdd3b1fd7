/* Tests store/postgres: what happens when the server does not behave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "net/resolver.h"
#include "os/clock.h"
#include "proxy.h"
#include "store/table_projection.h"

static struct postgres_server server;
static bool have_server;

static int set_up(void **state)
{
    static struct bench b;
    if (!have_server)
        skip();
    bench_init(&b, &server);
    *state = &b;
    return 0;
}

static int tear_down(void **state)
{
    bench_release(*state);
    if (server.pid == 0)
        postgres_server_start(&server);
    return 0;
}

static const struct store_sql make_counter = {
    "CREATE TABLE counter (id BIGINT NOT NULL PRIMARY KEY, n BIGINT)", 0};
static const struct store_sql fill_counter = {
    "INSERT INTO counter (id, n) VALUES (1, 0), (2, 0)", 0};
static const struct store_sql count_1 = {
    "UPDATE counter SET n = n + 1 WHERE id = 1", 0};
static const struct store_sql count_2 = {
    "UPDATE counter SET n = n + 1 WHERE id = 2", 0};
static const struct store_sql counts = {"SELECT n FROM counter ORDER BY id", 0};
static const struct store_sql nap = {
    "SELECT COUNT(pg_sleep(0.4)) FROM counter WHERE id = 1", 0};
static const struct store_sql my_pid = {
    "SELECT pg_backend_pid(), 0 FROM counter WHERE id = 1", 0};

static void open_with_counter(struct bench *b)
{
    bench_open(b);
    assert_int_equal(b->open_err, ERR_OK);
    struct store_batch *batch = bench_batch(&make_counter);
    bench_add(batch, &fill_counter, NULL, 0);
    assert_int_equal(bench_run(b, batch), STORE_DONE);
}

static void assert_counts(struct bench *b, const char *want)
{
    assert_int_equal(bench_run(b, bench_batch(&counts)), STORE_DONE);
    assert_string_equal(b->rows, want);
}

static struct store_batch *count_once(int64_t index)
{
    struct store_batch *batch = bench_batch_new();
    assert_int_equal(store_batch_once(batch, STR("p"), index), ERR_OK);
    bench_add(batch, &count_1, NULL, 0);
    return batch;
}

static void test_calls_wait_for_a_server_that_comes_back(void **state)
{
    struct bench *b = *state;
    open_with_counter(b);
    postgres_server_kill(&server);
    bench_pass(b, 100);
    assert_false(store_usable(b->store));
    assert_int_equal(b->change_count, 1);
    assert_false(b->changes[0]);
    bench_start(b, bench_batch(&count_1), 8000);
    bench_pass(b, 200);
    assert_int_equal(b->done_count, 0);
    postgres_server_start(&server);
    bench_wait(b);
    assert_int_equal(b->outcome, STORE_DONE);
    assert_true(store_usable(b->store));
    assert_int_equal(b->change_count, 2);
    assert_true(b->changes[1]);
    assert_counts(b, "0:1;0:0;");
}

static void test_without_a_server_calls_fail_at_their_deadline(void **state)
{
    struct bench *b = *state;
    open_with_counter(b);
    postgres_server_kill(&server);
    bench_pass(b, 100);
    int64_t from_ms = clock_monotonic_ms();
    bench_start(b, bench_batch(&count_1), 300);
    bench_wait(b);
    int64_t took_ms = clock_monotonic_ms() - from_ms;
    assert_int_equal(b->outcome, STORE_FAILED);
    assert_int_equal(b->err, ERR_STORE);
    assert_in_range(took_ms, 300, 1000);
    postgres_server_start(&server);
    while (!store_usable(b->store))
        bench_pass(b, 50);
    assert_counts(b, "0:0;0:0;"); /* and nothing is written later */
}

static void test_a_server_that_is_down_at_start_is_waited_for(void **state)
{
    struct bench *b = *state;
    postgres_server_kill(&server);
    bench_begin_open(b);
    bench_pass(b, 300);
    assert_false(b->opened);
    assert_int_equal(b->change_count, 1); /* said once, not at each try */
    assert_false(b->changes[0]);
    postgres_server_start(&server);
    for (int i = 0; i < 100 && !b->opened; i++)
        bench_pass(b, 50);
    assert_true(b->opened);
    assert_int_equal(b->open_err, ERR_OK);
}

static void test_a_lost_answer_does_not_apply_twice(void **state)
{
    struct bench *b = *state;
    struct proxy p;
    proxy_start(&p, &server);
    (void)snprintf(b->url, sizeof(b->url), "%s", p.url);
    open_with_counter(b);

    proxy_arm(&p, PROXY_CUT_ANSWER); /* applied, and nobody hears of it */
    assert_int_equal(bench_run(b, count_once(7)), STORE_ALREADY);
    assert_int_equal(b->err, ERR_OK);
    assert_counts(b, "0:1;0:0;");

    proxy_arm(&p, PROXY_CUT_ASK); /* never got there */
    assert_int_equal(bench_run(b, count_once(8)), STORE_DONE);
    assert_counts(b, "0:2;0:0;");
    bench_close(b);
    proxy_stop(&p);
}

static void test_what_could_apply_twice_is_not_tried_again(void **state)
{
    struct bench *b = *state;
    struct proxy p;
    proxy_start(&p, &server);
    (void)snprintf(b->url, sizeof(b->url), "%s", p.url);
    open_with_counter(b);

    proxy_arm(&p, PROXY_CUT_ANSWER);
    assert_int_equal(bench_run(b, bench_batch(&count_1)), STORE_UNKNOWN);
    assert_int_equal(b->err, ERR_STORE);
    assert_counts(b, "0:1;0:0;");
    proxy_arm(&p, PROXY_CUT_ASK);
    assert_int_equal(bench_run(b, bench_batch(&count_1)), STORE_UNKNOWN);
    assert_counts(b, "0:1;0:0;");
    bench_close(b);
    proxy_stop(&p);
}

static void test_what_the_server_undid_is_tried_again(void **state)
{
    struct bench *b = *state;
    open_with_counter(b);
    struct store_batch *batch = bench_batch(&count_1);
    bench_add(batch, &nap, NULL, 0);
    bench_start(b, batch, 8000);
    bench_pass(b, 150); /* it sleeps now, and is thrown out */
    postgres_server_sql(&server,
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE application_name = 'writ'");
    bench_wait(b);
    assert_int_equal(b->outcome, STORE_DONE);
    assert_counts(b, "0:1;0:0;");
}

static void count_done(void *user, const struct store_result *r)
{
    unsigned *done = user;
    assert_int_equal(r->outcome, STORE_DONE);
    (*done)++;
}

static void test_the_loser_of_a_deadlock_tries_again(void **state)
{
    struct bench *b = *state;
    struct bench other = {.server = &server};
    open_with_counter(b);
    (void)snprintf(other.url, sizeof(other.url), "%s", server.url);
    assert_int_equal(loop_new(&other.loop), ERR_OK);
    bench_open(&other);
    /* Both on one loop from here, so that they run at the same time. */
    unsigned done = 0;
    const struct store_ask ask = {NULL, count_done, &done, 9000};
    struct store_batch *there = bench_batch(&count_1),
                       *back = bench_batch(&count_2);
    bench_add(there, &nap, NULL, 0);
    bench_add(there, &count_2, NULL, 0);
    bench_add(back, &nap, NULL, 0);
    bench_add(back, &count_1, NULL, 0);
    assert_int_equal(store_run(b->store, b->loop, there, &ask, NULL), ERR_OK);
    assert_int_equal(store_run(other.store, other.loop, back, &ask, NULL),
                     ERR_OK);
    for (int i = 0; i < 400 && done < 2; i++) {
        bench_pass(b, 10);
        bench_pass(&other, 10);
    }
    assert_int_equal(done, 2);
    assert_counts(b, "0:2;0:2;");
    bench_close(&other);
    loop_free(other.loop);
}

static void test_a_server_that_hangs_is_given_up(void **state)
{
    struct bench *b = *state;
    open_with_counter(b);
    assert_int_equal(bench_run(b, bench_batch(&my_pid)), STORE_DONE);
    pid_t pid = (pid_t)strtol(b->rows + 2, NULL, 10);
    assert_true(pid > 1);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    bench_start(b, bench_batch(&count_1), 300);
    bench_wait(b);
    assert_int_equal(b->outcome, STORE_UNKNOWN);
    /* The next one waits for a new connection, which is made. */
    bench_start(b, bench_batch(&counts), 8000);
    bench_wait(b);
    assert_int_equal(b->outcome, STORE_DONE);
    assert_int_equal(kill(pid, SIGCONT), 0);
}

static void test_a_server_that_is_read_only_is_not_used(void **state)
{
    struct bench *b = *state;
    open_with_counter(b);
    postgres_server_sql(&server, "ALTER DATABASE postgres SET"
                                 " default_transaction_read_only = on");
    postgres_server_sql(&server,
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE application_name = 'writ'");
    for (int i = 0; i < 200 && store_usable(b->store); i++)
        bench_pass(b, 20);
    bench_start(b, bench_batch(&count_1), 8000);
    bench_pass(b, 300);
    bool waits = b->done_count == 0 && !store_usable(b->store);
    postgres_server_sql(&server, "ALTER DATABASE postgres RESET"
                                 " default_transaction_read_only");
    assert_true(waits);
    bench_wait(b);
    assert_int_equal(b->outcome, STORE_DONE);
    assert_counts(b, "0:1;0:0;");
}

static void test_the_next_host_is_tried(void **state)
{
    struct bench *b = *state;
    (void)snprintf(b->url, sizeof(b->url),
                   "postgres:///postgres?host=/nowhere,127.0.0.1,%s"
                   "&port=5432,1,5432&user=writ",
                   server.dir);
    bench_open(b);
    assert_int_equal(b->open_err, ERR_OK);
}

static void test_names_are_looked_up_without_waiting(void **state)
{
    struct bench *b = *state;
    struct resolver *r = NULL;
    assert_int_equal(resolver_new(b->loop, &r), ERR_OK);
    static const char *const want[] = {"looked up", "refused"};
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(b->url, sizeof(b->url),
                       "postgres://writ@localhost:1/postgres");
        bench_begin_open_with(b, i == 0 ? NULL : r);
        for (int n = 0; n < 100 && b->change_count == 0; n++)
            bench_pass(b, 20);
        assert_non_null(strstr(b->why, want[i]));
        bench_close(b);
    }
    resolver_free(r);
}

static void test_urls_that_are_none_are_refused(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *url;
        enum err want;
    } cases[] = {
        {"", ERR_CONFIG},
        {"mysql://x", ERR_CONFIG},
        {"sqlite3", ERR_CONFIG},
        {"postgres://host:port/db?nonsense=1", ERR_CONFIG},
        {"postgres://[::1/db", ERR_CONFIG},
        {"postgresql:///db?host=a,b&port=1,2,3", ERR_CONFIG},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct store_options o = {str_from(cases[i].url), "/tmp", NULL};
        const struct store_events none = {NULL, NULL, NULL};
        const char *why = NULL;
        struct store *s = NULL;
        assert_int_equal(store_open(b->loop, &o, &none, &s, &why),
                         cases[i].want);
        assert_non_null(why);
        assert_null(s);
    }
    store_close(NULL);
}

static void test_closing_while_connecting_is_quiet(void **state)
{
    struct bench *b = *state;
    for (int64_t ms = 0; ms < 40; ms += 3) {
        bench_begin_open(b);
        if (ms > 0)
            bench_pass(b, ms);
        bench_close(b);
    }
}

#define WITH_SERVER(test)                                                      \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(test_calls_wait_for_a_server_that_comes_back),
        WITH_SERVER(test_without_a_server_calls_fail_at_their_deadline),
        WITH_SERVER(test_a_server_that_is_down_at_start_is_waited_for),
        WITH_SERVER(test_a_lost_answer_does_not_apply_twice),
        WITH_SERVER(test_what_could_apply_twice_is_not_tried_again),
        WITH_SERVER(test_what_the_server_undid_is_tried_again),
        WITH_SERVER(test_the_loser_of_a_deadlock_tries_again),
        WITH_SERVER(test_a_server_that_hangs_is_given_up),
        WITH_SERVER(test_a_server_that_is_read_only_is_not_used),
        WITH_SERVER(test_the_next_host_is_tried),
        WITH_SERVER(test_names_are_looked_up_without_waiting),
        WITH_SERVER(test_urls_that_are_none_are_refused),
        WITH_SERVER(test_closing_while_connecting_is_quiet),
    };
    have_server = postgres_server_set_up(&server);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    postgres_server_tear_down(&server);
    return failed;
}
