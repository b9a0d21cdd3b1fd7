/* Tests store/table_account, on SQLite and on PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/attr.h"
#include "bench.h"
#include "store/table_account.h"

static struct postgres_server server;
static bool have_server;
static int on_sqlite, on_postgres;

static int set_up(void **state)
{
    static struct bench b;
    bool postgres = *state == &on_postgres;
    if (postgres && !have_server)
        skip();
    bench_init(&b, postgres ? &server : NULL);
    bench_open(&b);
    assert_int_equal(b.open_err, ERR_OK);
    *state = &b;
    return 0;
}

static int tear_down(void **state)
{
    if (*state != &on_postgres)
        bench_release(*state);
    return 0;
}

static enum store_outcome add(struct bench *b, const char *name)
{
    const struct table_account a = {
        .name = str_from(name),
        .created_us = 7,
        .salt = STR("s\x01"),
        .hash = STR("h"),
        .totp = STR("t"),
        .totp_step = 100,
    };
    struct store_batch *batch = bench_batch_new();
    assert_int_equal(table_account_add(batch, &a), ERR_OK);
    return bench_run(b, batch);
}

static void assert_rows(struct bench *b, const char *want)
{
    const struct str rows = {b->rows, b->rows_len};
    print_message("  rows: %.*s\n", STR_FMT(rows));
    assert_true(str_eq(rows, str_from(want)));
}

static void get(struct bench *b, const char *name)
{
    struct store_batch *batch = bench_batch_new();
    assert_int_equal(table_account_get(batch, str_from(name)), ERR_OK);
    assert_int_equal(bench_run(b, batch), STORE_DONE);
}

static void take(struct bench *b, const char *name, int64_t step)
{
    struct store_batch *batch = bench_batch_new();
    assert_int_equal(table_account_take_step(batch, str_from(name), step),
                     ERR_OK);
    assert_int_equal(bench_run(b, batch), STORE_DONE);
}

static void an_account_comes_back_and_is_added_once(void **state)
{
    struct bench *b = *state;
    assert_int_equal(add(b, "ada"), STORE_DONE);
    assert_int_equal(add(b, "ada"), STORE_CONFLICT);
    get(b, "ada");
    assert_rows(b, "0:'ada',7,x2,x1,x1,100;");
    get(b, "bob");
    assert_rows(b, "");
}

static void a_step_is_taken_once_and_never_goes_back(void **state)
{
    struct bench *b = *state;
    assert_int_equal(add(b, "ada"), STORE_DONE);
    take(b, "ada", 100);
    assert_rows(b, "");
    take(b, "ada", 101);
    assert_rows(b, "0:'ada';");
    take(b, "ada", 101);
    assert_rows(b, "");
    take(b, "ada", 99);
    assert_rows(b, "");
    take(b, "bob", 200);
    assert_rows(b, "");
}

static void rows_are_read_only_when_they_are_whole(void **state)
{
    (void)state;
    struct store_value v[] = {store_text(STR("n")), store_int(1),
                              store_blob(STR("s")), store_blob(STR("h")),
                              store_blob(STR("t")), store_int(9)};
    struct table_account a;
    assert_true(table_account_read(v, 6, &a));
    assert_int_equal(a.totp_step, 9);
    assert_false(table_account_read(v, 5, &a));
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct store_value was = v[i];
        v[i] = (struct store_value){0};
        assert_false(table_account_read(v, 6, &a));
        v[i] = was;
    }
}

#define ON(test, where)                                                        \
    {.name = #test " on " #where,                                              \
     .test_func = (test),                                                      \
     .setup_func = set_up,                                                     \
     .teardown_func = tear_down,                                               \
     .initial_state = &on_##where}
#define ON_BOTH(test) ON(test, sqlite), ON(test, postgres)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(an_account_comes_back_and_is_added_once),
        ON_BOTH(a_step_is_taken_once_and_never_goes_back),
        cmocka_unit_test(rows_are_read_only_when_they_are_whole),
    };
    have_server = postgres_server_set_up(&server);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    postgres_server_tear_down(&server);
    return failed;
}
