/* Tests store/table_tool, on SQLite and on PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "bench.h"
#include "store/table_tool.h"

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

static struct table_tool row(const char *of, const char *name)
{
    return (struct table_tool){
        .server = str_from(of),
        .name = str_from(name),
        .state = STR("quarantined"),
        .pinned = STR("{\"name\":\"g\xc3\xa9\\u0000\"}"),
        .offered = STR("{}"),
        .first_us = 1,
        .changed_us = INT64_C(253402300799999999),
        .approved_by = STR("local|ada"),
    };
}

static void put(struct bench *b, const char *node, const struct table_tool *t)
{
    struct store_batch *batch = bench_batch_new();
    assert_int_equal(table_tool_put(batch, str_from(node), t), ERR_OK);
    assert_int_equal(bench_run(b, batch), STORE_DONE);
}

static void page(struct bench *b, const char *node, const char *of,
                 const char *name, int64_t max)
{
    struct store_batch *batch = bench_batch_new();
    assert_int_equal(table_tool_page(batch, str_from(node), str_from(of),
                                     str_from(name), max),
                     ERR_OK);
    assert_int_equal(bench_run(b, batch), STORE_DONE);
}

static void a_tool_comes_back_as_it_was_put(void **state)
{
    struct bench *b = *state;
    struct table_tool t = row("crm", "get");
    put(b, "n1", &t);
    page(b, "n1", "", "", 10);
    assert_string_equal(b->rows,
                        "0:'crm','get','quarantined',"
                        "'{\"name\":\"g\xc3\xa9\\u0000\"}','{}','local|ada',"
                        "1,253402300799999999;");
}

static void a_put_replaces(void **state)
{
    struct bench *b = *state;
    struct table_tool t = row("crm", "get");
    put(b, "n1", &t);
    t.state = STR("pinned");
    t.pinned = STR("{}");
    t.offered = t.approved_by = STR("");
    t.first_us = t.changed_us = 2;
    put(b, "n1", &t);
    page(b, "n1", "", "", 10);
    assert_string_equal(b->rows, "0:'crm','get','pinned','{}','','',2,2;");
}

static void a_pin_is_its_nodes(void **state)
{
    struct bench *b = *state;
    struct table_tool t = row("crm", "get");
    put(b, "n1", &t);
    t.pinned = STR("other");
    put(b, "n2", &t);
    page(b, "n3", "", "", 10);
    assert_string_equal(b->rows, "");
    page(b, "n2", "", "", 10);
    assert_non_null(strstr(b->rows, "other"));
    page(b, "n1", "", "", 10);
    assert_null(strstr(b->rows, "other"));
}

static void pages_follow_each_other(void **state)
{
    struct bench *b = *state;
    static const char *const names[][2] = {{"a", "x"},
                                           {"a", "y"},
                                           {"b", "x"},
                                           {"b", "y"}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct table_tool t = row(names[i][0], names[i][1]);
        t.state = t.pinned = t.offered = t.approved_by = STR("");
        t.first_us = t.changed_us = 0;
        put(b, "n1", &t);
    }
    page(b, "n1", "", "", 3);
    assert_string_equal(b->rows, "0:'a','x','','','','',0,0;"
                                 "0:'a','y','','','','',0,0;"
                                 "0:'b','x','','','','',0,0;");
    page(b, "n1", "b", "x", 3);
    assert_string_equal(b->rows, "0:'b','y','','','','',0,0;");
    page(b, "n1", "b", "y", 3);
    assert_string_equal(b->rows, "");
}

/* The longest that the catalog keeps, twice, fit one batch. */
static void long_definitions_fit(void **state)
{
    enum { LONGEST = 256 * 1024 };
    struct bench *b = *state;
    struct table_tool t = row("crm", "get");
    char *text = malloc(LONGEST);
    assert_non_null(text);
    memset(text, 'x', LONGEST);
    t.pinned = t.offered = (struct str){text, LONGEST};
    put(b, "n1", &t);
    free(text);
}

static void rows_are_read_only_when_they_are_whole(void **state)
{
    (void)state;
    struct store_value v[8];
    struct table_tool t;
    for (size_t i = 0; i < 8; i++)
        v[i] = i < 6 ? store_text(STR("t")) : store_int((int64_t)i);
    assert_true(table_tool_read(v, 8, &t));
    assert_int_equal(t.first_us, 6);
    assert_int_equal(t.changed_us, 7);
    assert_false(table_tool_read(v, 7, &t));
    for (size_t i = 0; i < 8; i++) {
        struct store_value was = v[i];
        v[i] = (struct store_value){0};
        assert_false(table_tool_read(v, 8, &t));
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
        ON_BOTH(a_tool_comes_back_as_it_was_put),
        ON_BOTH(a_put_replaces),
        ON_BOTH(a_pin_is_its_nodes),
        ON_BOTH(pages_follow_each_other),
        ON_BOTH(long_definitions_fit),
        cmocka_unit_test(rows_are_read_only_when_they_are_whole),
    };
    have_server = postgres_server_set_up(&server);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    postgres_server_tear_down(&server);
    return failed;
}
