/* Tests store/table_budget: checkpoints of budgets, on SQLite and on
 * PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "bench.h"
#include "store/table_budget.h"

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

static struct table_budget row(int64_t number)
{
    return (struct table_budget){
        .number = number,
        .limit = STR("agent \"tokens\""),
        .whom = STR("agent:acme/w\xc3\xa9"),
        .window_start_us = INT64_C(1795132800000000),
        .window_us = INT64_C(86400000000),
        .used_requests = number + 1,
        .used_tokens = INT64_C(9007199254740991) - number,
    };
}

/* Rows `first` to `first + n - 1` of a generation. */
static void add(struct store_batch *batch, struct str node, int64_t generation,
                int64_t first, size_t n)
{
    struct table_budget rows[TABLE_BUDGET_GROUP];
    for (size_t i = 0; i < n; i++)
        rows[i] = row(first + (int64_t)i);
    assert_int_equal(table_budget_add(batch, node, generation, rows, n),
                     ERR_OK);
}

static void commit(struct store_batch *batch, struct str node,
                   int64_t generation, int64_t from)
{
    const struct table_budget_checkpoint c = {generation, from};
    assert_int_equal(table_budget_commit(batch, node, &c), ERR_OK);
}

static void assert_rows(struct bench *b, struct store_batch *batch,
                        const char *want)
{
    assert_int_equal(bench_run(b, batch), STORE_DONE);
    assert_string_equal(b->rows, want);
}

#define REST "1795132800000000,86400000000,"
#define NAMES "'agent \"tokens\"','agent:acme/w\xc3\xa9',"

static void test_a_checkpoint_comes_back_as_it_was_written(void **state)
{
    struct bench *b = *state;
    struct store_batch *batch = bench_batch_new();
    assert_int_equal(table_budget_last(batch, STR("gw-1")), ERR_OK);
    assert_rows(b, batch, "");
    for (size_t n = 1; n <= TABLE_BUDGET_GROUP; n++) {
        int64_t generation = (int64_t)n;
        batch = bench_batch_new();
        assert_int_equal(table_budget_clear(batch, STR("gw-1")), ERR_OK);
        add(batch, STR("gw-1"), generation, 0, n);
        commit(batch, STR("gw-1"), generation, 41 + generation);
        assert_rows(b, batch, "");
    }
    batch = bench_batch_new();
    assert_int_equal(table_budget_last(batch, STR("gw-1")), ERR_OK);
    assert_rows(b, batch, "0:4,45;");
    batch = bench_batch_new();
    assert_int_equal(table_budget_page(batch, STR("gw-1"), 4, 1), ERR_OK);
    assert_rows(b, batch,
                "0:1," NAMES REST "2,9007199254740990;"
                "0:2," NAMES REST "3,9007199254740989;"
                "0:3," NAMES REST "4,9007199254740988;");
}

static void count(struct bench *b, const char *want)
{
    static const struct store_sql all = {
        "SELECT node, generation, COUNT(*) FROM budget"
        " GROUP BY node, generation ORDER BY node, generation",
        0};
    assert_rows(b, bench_batch(&all), want);
}

static void test_what_was_not_committed_is_cleared(void **state)
{
    struct bench *b = *state;
    struct store_batch *batch = bench_batch_new();
    add(batch, STR("gw-1"), 1, 0, 4); /* and then it died */
    add(batch, STR("gw-2"), 1, 0, 1);
    assert_rows(b, batch, "");
    count(b, "0:'gw-1',1,4;0:'gw-2',1,1;");

    batch = bench_batch_new();
    assert_int_equal(table_budget_clear(batch, STR("gw-1")), ERR_OK);
    add(batch, STR("gw-1"), 1, 0, 2);
    commit(batch, STR("gw-1"), 1, 10);
    assert_rows(b, batch, "");
    batch = bench_batch_new();
    assert_int_equal(table_budget_clear(batch, STR("gw-1")), ERR_OK);
    add(batch, STR("gw-1"), 2, 0, 3); /* and died again */
    assert_rows(b, batch, "");
    count(b, "0:'gw-1',1,2;0:'gw-1',2,3;0:'gw-2',1,1;");

    batch = bench_batch_new();
    assert_int_equal(table_budget_last(batch, STR("gw-1")), ERR_OK);
    assert_int_equal(table_budget_clear(batch, STR("gw-1")), ERR_OK);
    commit(batch, STR("gw-1"), 3, 11); /* one without any counter */
    assert_rows(b, batch, "0:1,10;");
    count(b, "0:'gw-1',1,2;0:'gw-2',1,1;");
    batch = bench_batch_new();
    assert_int_equal(table_budget_clear(batch, STR("gw-1")), ERR_OK);
    assert_rows(b, batch, "");
    count(b, "0:'gw-2',1,1;");
}

static void test_a_page_ends_where_the_next_begins(void **state)
{
    struct bench *b = *state;
    struct store_batch *batch = bench_batch_new();
    add(batch, STR("gw-1"), 1, TABLE_BUDGET_PAGE - 1, 2);
    assert_rows(b, batch, "");
    batch = bench_batch_new();
    assert_int_equal(table_budget_page(batch, STR("gw-1"), 1, 0), ERR_OK);
    assert_rows(b, batch, "0:4095," NAMES REST "4096,9007199254736896;");
    batch = bench_batch_new();
    assert_int_equal(table_budget_page(batch, STR("gw-1"), 1,
                                       TABLE_BUDGET_PAGE),
                     ERR_OK);
    assert_rows(b, batch, "0:4096," NAMES REST "4097,9007199254736895;");
}

static void test_rows_are_read_only_when_they_are_whole(void **state)
{
    (void)state;
    const struct store_value good[] = {
        store_int(1), store_text(STR("t")), store_text(STR("w")), store_int(2),
        store_int(3), store_int(4),         store_int(5)};
    struct table_budget r;
    assert_true(table_budget_read(good, 7, &r));
    assert_int_equal(r.number, 1);
    assert_true(str_eq(r.limit, STR("t")));
    assert_true(str_eq(r.whom, STR("w")));
    assert_int_equal(r.window_start_us, 2);
    assert_int_equal(r.window_us, 3);
    assert_int_equal(r.used_requests, 4);
    assert_int_equal(r.used_tokens, 5);
    assert_false(table_budget_read(good, 6, &r));
    for (size_t i = 0; i < 7; i++) {
        struct store_value bad[7];
        memcpy(bad, good, sizeof(good));
        bad[i] = (struct store_value){0};
        assert_false(table_budget_read(bad, 7, &r));
    }
    struct table_budget_checkpoint c;
    assert_true(table_budget_last_read(good + 3, 2, &c));
    assert_int_equal(c.generation, 2);
    assert_int_equal(c.from_index, 3);
    assert_false(table_budget_last_read(good + 3, 1, &c));
    assert_false(table_budget_last_read(good, 2, &c));
    assert_false(table_budget_last_read(good + 2, 2, &c));
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
        ON_BOTH(test_a_checkpoint_comes_back_as_it_was_written),
        ON_BOTH(test_what_was_not_committed_is_cleared),
        ON_BOTH(test_a_page_ends_where_the_next_begins),
        cmocka_unit_test(test_rows_are_read_only_when_they_are_whole),
    };
    have_server = postgres_server_set_up(&server);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    postgres_server_tear_down(&server);
    return failed;
}
