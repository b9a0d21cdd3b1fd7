/* Tests store/store: one contract, on SQLite and on PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "store/table_node.h"
#include "store/table_projection.h"
#include "store/table_schema.h"
#include "store/table_session.h"

/* Which database a test runs on: &on_sqlite or &on_postgres. */
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

static const struct store_sql make_things = {
    "CREATE TABLE thing (id BIGINT NOT NULL PRIMARY KEY, t TEXT, b BYTEA,"
    " n BIGINT)",
    0};
static const struct store_sql add_thing = {
    "INSERT INTO thing (id, t, b, n) VALUES ($1, $2, $3, $4)", 4};
static const struct store_sql all_things = {
    "SELECT id, t, b, n FROM thing ORDER BY id", 0};
static const struct store_sql one_more = {
    "UPDATE thing SET n = n + 1 WHERE id = $1", 1};

static void things(struct bench *b)
{
    assert_int_equal(bench_run(b, bench_batch(&make_things)), STORE_DONE);
}

static void add_simple(struct store_batch *batch, int64_t id, const char *t)
{
    const struct store_value v[] = {store_int(id),
                                    store_text(str_from(t)),
                                    {0},
                                    store_int(0)};
    bench_add(batch, &add_thing, v, 4);
}

static void assert_things(struct bench *b, const char *want)
{
    assert_int_equal(bench_run(b, bench_batch(&all_things)), STORE_DONE);
    assert_string_equal(b->rows, want);
}

static void test_values_of_every_type_come_back_as_they_went(void **state)
{
    struct bench *b = *state;
    things(b);
    static const struct str texts[] = {
        STR_INIT(""), STR_INIT("plain"), STR_INIT("'quoted'; --"),
        STR_INIT("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")};
    static const int64_t numbers[] = {0, -1, INT64_MAX, INT64_MIN};
    struct store_batch *batch = bench_batch_new();
    for (size_t i = 0; i < 4; i++) {
        const struct store_value v[] = {
            store_int((int64_t)i), store_text(texts[i]),
            store_blob((struct str){"\0\xff\0\x80", i}), store_int(numbers[i])};
        bench_add(batch, &add_thing, v, 4);
    }
    const struct store_value nothing[] = {store_int(4), {0}, {0}, {0}};
    bench_add(batch, &add_thing, nothing, 4);
    assert_int_equal(bench_run(b, batch), STORE_DONE);
    assert_things(b, "0:0,'',x0,0;"
                     "0:1,'plain',x1,-1;"
                     "0:2,''quoted'; --',x2,9223372036854775807;"
                     "0:3,'\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80',x3,"
                     "-9223372036854775808;"
                     "0:4,null,null,null;");
}

static void test_a_blob_keeps_every_byte(void **state)
{
    struct bench *b = *state;
    static const struct store_sql same = {
        "SELECT COUNT(*) FROM thing WHERE b = $1", 1};
    char bytes[256];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)i;
    const struct store_value blob = store_blob((struct str){bytes, 256});
    const struct store_value v[] = {store_int(1), {0}, blob, {0}};
    things(b);
    struct store_batch *batch = bench_batch_new();
    bench_add(batch, &add_thing, v, 4);
    bench_add(batch, &same, &blob, 1);
    assert_int_equal(bench_run(b, batch), STORE_DONE);
    assert_string_equal(b->rows, "1:1;");
}

static void test_a_batch_is_applied_whole_or_not_at_all(void **state)
{
    struct bench *b = *state;
    things(b);
    struct store_batch *batch = bench_batch_new();
    add_simple(batch, 1, "first");
    assert_int_equal(bench_run(b, batch), STORE_DONE);

    batch = bench_batch_new();
    add_simple(batch, 2, "second");
    bench_add(batch, &all_things, NULL, 0);
    add_simple(batch, 1, "again"); /* the key is taken */
    add_simple(batch, 3, "third");
    assert_int_equal(bench_run(b, batch), STORE_CONFLICT);
    assert_int_equal(b->err, ERR_STORE);
    assert_string_equal(b->rows, ""); /* not even what was read */
    assert_things(b, "0:1,'first',null,0;");
}

static void test_a_statement_that_fails_undoes_the_batch(void **state)
{
    struct bench *b = *state;
    static const struct store_sql wrong = {"SELECT x FROM no_such_table", 0};
    things(b);
    struct store_batch *batch = bench_batch_new();
    add_simple(batch, 1, "first");
    bench_add(batch, &wrong, NULL, 0);
    assert_int_equal(bench_run(b, batch), STORE_FAILED);
    assert_int_equal(b->err, ERR_STORE);
    assert_true(strlen(b->why) > 0);
    assert_things(b, "");
}

static void test_rows_name_their_statement(void **state)
{
    struct bench *b = *state;
    things(b);
    struct store_batch *batch = bench_batch_new();
    bench_add(batch, &all_things, NULL, 0);
    add_simple(batch, 1, "x");
    bench_add(batch, &all_things, NULL, 0);
    add_simple(batch, 2, "y");
    bench_add(batch, &all_things, NULL, 0);
    assert_int_equal(bench_run(b, batch), STORE_DONE);
    assert_string_equal(b->rows, "2:1,'x',null,0;"
                                 "4:1,'x',null,0;4:2,'y',null,0;");
}

static void test_an_empty_batch_is_done(void **state)
{
    struct bench *b = *state;
    assert_int_equal(bench_run(b, bench_batch_new()), STORE_DONE);
}

static struct store_batch *counting_once(struct str name, int64_t index)
{
    struct store_batch *batch = bench_batch_new();
    const struct store_value id = store_int(1);
    assert_int_equal(store_batch_once(batch, name, index), ERR_OK);
    bench_add(batch, &one_more, &id, 1);
    bench_add(batch, &all_things, NULL, 0);
    return batch;
}

static void test_an_index_is_applied_once_and_in_rising_order(void **state)
{
    struct bench *b = *state;
    things(b);
    struct store_batch *batch = bench_batch_new();
    add_simple(batch, 1, "count");
    assert_int_equal(bench_run(b, batch), STORE_DONE);
    static const struct {
        int64_t index;
        enum store_outcome want;
    } steps[] = {{0, STORE_DONE}, {0, STORE_ALREADY}, {1, STORE_DONE},
                 {5, STORE_DONE}, {4, STORE_ALREADY}, {5, STORE_ALREADY},
                 {6, STORE_DONE}};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        batch = counting_once(STR("audit/gw-1"), steps[i].index);
        assert_int_equal(bench_run(b, batch), steps[i].want);
        assert_int_equal(b->err, ERR_OK);
        /* Statements are counted without the ones that were added. */
        assert_int_equal(strncmp(b->rows, "1:1,", 4) == 0,
                         steps[i].want == STORE_DONE);
    }
    batch = counting_once(STR("audit/gw-2"), 0); /* another one's index */
    assert_int_equal(bench_run(b, batch), STORE_DONE);
    assert_things(b, "0:1,'count',null,5;");

    batch = bench_batch_new();
    assert_int_equal(table_projection_get(batch, STR("audit/gw-1")), ERR_OK);
    assert_int_equal(table_projection_get(batch, STR("none")), ERR_OK);
    assert_int_equal(bench_run(b, batch), STORE_DONE);
    assert_string_equal(b->rows, "0:'audit/gw-1',6;");
}

static void test_a_conflict_in_a_batch_once_is_no_repetition(void **state)
{
    struct bench *b = *state;
    static const struct store_sql null_key = {
        "INSERT INTO thing (id) VALUES (NULL)", 0};
    things(b);
    struct store_batch *batch = bench_batch_new();
    assert_int_equal(store_batch_once(batch, STR("p"), 3), ERR_OK);
    bench_add(batch, &null_key, NULL, 0);
    assert_int_equal(bench_run(b, batch), STORE_CONFLICT);
    batch = bench_batch_new();
    assert_int_equal(table_projection_get(batch, STR("p")), ERR_OK);
    assert_int_equal(bench_run(b, batch), STORE_DONE);
    assert_string_equal(b->rows, ""); /* and the index did not move */
}

static void test_a_node_counts_its_starts(void **state)
{
    struct bench *b = *state;
    for (int64_t i = 1; i <= 3; i++) {
        struct store_batch *batch = bench_batch_new();
        assert_int_equal(table_node_start(batch, STR("gw-1"), i * 1000),
                         ERR_OK);
        assert_int_equal(bench_run(b, batch), STORE_DONE);
    }
    assert_string_equal(b->rows, "0:'gw-1',1000,3000,3;");
    struct store_batch *batch = bench_batch_new();
    assert_int_equal(table_node_start(batch, STR("gw-0"), 5000), ERR_OK);
    assert_int_equal(table_node_list(batch), ERR_OK);
    assert_int_equal(bench_run(b, batch), STORE_DONE);
    assert_string_equal(b->rows, "0:'gw-0',5000,5000,1;"
                                 "1:'gw-0',5000,5000,1;"
                                 "1:'gw-1',1000,3000,3;");
}

/* A session whose id is `n` sixteen times. */
static struct table_session session(char ids[TABLE_SESSION_ID_LEN], char n,
                                    int64_t opened_us)
{
    memset(ids, n, TABLE_SESSION_ID_LEN);
    const struct str id = {ids, TABLE_SESSION_ID_LEN};
    return (struct table_session){
        .id = id,
        .root = id,
        .tenant = STR("acme"),
        .issuer = STR("corp"),
        .subject = (struct str){ids, 1},
        .actor = STR(""),
        .opened_us = opened_us,
        .used_us = opened_us,
    };
}

static void put_session(struct bench *b, const char *node, char n,
                        int64_t opened_us, uint64_t calls)
{
    char ids[TABLE_SESSION_ID_LEN];
    struct table_session s = session(ids, n, opened_us);
    struct store_batch *batch = bench_batch_new();
    s.used_us = opened_us + (int64_t)calls;
    s.calls = calls;
    s.tokens = calls == 0 ? 0 : UINT64_MAX; /* more than a column holds */
    assert_int_equal(table_session_put(batch, str_from(node), &s), ERR_OK);
    assert_int_equal(bench_run(b, batch), STORE_DONE);
}

static void close_session(struct bench *b, char n, int64_t now_us)
{
    char ids[TABLE_SESSION_ID_LEN];
    struct table_session s = session(ids, n, 0);
    struct store_batch *batch = bench_batch_new();
    assert_int_equal(table_session_close(batch, s.id, now_us), ERR_OK);
    assert_int_equal(bench_run(b, batch), STORE_DONE);
}

/* The page after the session `n` that was opened then; 0: the first. */
static void assert_sessions(struct bench *b, char n, int64_t opened_us,
                            int64_t limit, const char *want)
{
    char ids[TABLE_SESSION_ID_LEN];
    struct table_session after = session(ids, n, opened_us);
    struct store_batch *batch = bench_batch_new();
    if (n == 0)
        after.id = (struct str){NULL, 0};
    assert_int_equal(table_session_list(batch, STR("gw-1"), opened_us, after.id,
                                        limit),
                     ERR_OK);
    assert_int_equal(bench_run(b, batch), STORE_DONE);
    assert_string_equal(b->rows, want);
}

#define SESSION_ROW(n, rest) "0:x16,x16,'acme','corp','" n "',''," rest ";"

static void test_open_sessions_are_listed_in_pages(void **state)
{
    struct bench *b = *state;
    assert_sessions(b, 0, INT64_MIN, 10, "");
    put_session(b, "gw-1", 'c', 100, 0);
    put_session(b, "gw-1", 'b', 200, 0);
    put_session(b, "gw-1", 'a', 200, 0);
    put_session(b, "gw-2", 'd', 150, 0); /* another node's */
    assert_sessions(b, 0, INT64_MIN, 2,
                    SESSION_ROW("c", "100,100,0,0")
                        SESSION_ROW("a", "200,200,0,0"));
    assert_sessions(b, 'a', 200, 2, SESSION_ROW("b", "200,200,0,0"));
    assert_sessions(b, 'b', 200, 2, "");
}

static void test_a_session_is_renewed_until_it_closes(void **state)
{
    struct bench *b = *state;
    put_session(b, "gw-1", 'a', 100, 0);
    put_session(b, "gw-1", 'a', 100, 3);
    assert_sessions(b, 0, INT64_MIN, 10,
                    SESSION_ROW("a", "100,103,3,9223372036854775807"));
    close_session(b, 'a', 500);
    close_session(b, 'z', 500); /* of which nothing is known */
    assert_sessions(b, 0, INT64_MIN, 10, "");
    put_session(b, "gw-1", 'a', 100, 4); /* too late */
    close_session(b, 'a', 900);
    assert_sessions(b, 0, INT64_MIN, 10, "");
    static const struct store_sql closed = {
        "SELECT closed_us, calls FROM session", 0};
    assert_int_equal(bench_run(b, bench_batch(&closed)), STORE_DONE);
    assert_string_equal(b->rows, "0:500,4;");
}

static void test_closed_sessions_are_forgotten_in_time(void **state)
{
    struct bench *b = *state;
    static const struct store_sql left = {
        "SELECT node, closed_us FROM session ORDER BY closed_us, node", 0};
    for (char n = 'a'; n <= 'e'; n++) {
        put_session(b, n == 'e' ? "gw-2" : "gw-1", n, 10, 0);
        if (n != 'd')
            close_session(b, n, 100 * (n - 'a' + 1));
    }
    for (int i = 0; i < 2; i++) {
        struct store_batch *batch = bench_batch_new();
        assert_int_equal(table_session_forget(batch, STR("gw-1"), 300, 1),
                         ERR_OK);
        assert_int_equal(bench_run(b, batch), STORE_DONE);
        assert_int_equal(bench_run(b, bench_batch(&left)), STORE_DONE);
        assert_string_equal(b->rows, i == 0 ? "0:'gw-1',0;0:'gw-1',200;"
                                              "0:'gw-1',300;0:'gw-2',500;"
                                            : "0:'gw-1',0;0:'gw-1',300;"
                                              "0:'gw-2',500;");
    }
    struct store_batch *batch = bench_batch_new();
    assert_int_equal(table_session_forget(batch, STR("gw-1"), 300, 9), ERR_OK);
    assert_int_equal(bench_run(b, batch), STORE_DONE);
    assert_int_equal(bench_run(b, bench_batch(&left)), STORE_DONE);
    assert_string_equal(b->rows, "0:'gw-1',0;0:'gw-1',300;0:'gw-2',500;");
}

static void test_rows_are_read_by_their_tables(void **state)
{
    (void)state;
    const struct store_value good[] = {store_text(STR("n")), store_int(1),
                                       store_int(2), store_int(3)};
    struct table_node node;
    assert_true(table_node_read(good, 4, &node));
    assert_int_equal(node.generation, 3);
    assert_false(table_node_read(good, 3, &node));
    assert_false(table_node_read(good + 1, 4 - 1, &node));
    struct table_projection p;
    assert_true(table_projection_read(good, 2, &p));
    assert_int_equal(p.applied, 1);
    assert_false(table_projection_read(good + 1, 2, &p));
    int64_t version;
    assert_true(table_schema_read(good + 1, 1, &version));
    assert_false(table_schema_read(good, 1, &version));
}

static void test_a_session_is_read_only_when_it_is_whole(void **state)
{
    (void)state;
    static const char id[TABLE_SESSION_ID_LEN + 1] = "0123456789abcdef";
    const struct store_value text = store_text(STR("t"));
    const struct store_value good[] = {
        store_blob((struct str){id, TABLE_SESSION_ID_LEN}),
        store_blob((struct str){id, TABLE_SESSION_ID_LEN}),
        text,
        text,
        text,
        text,
        store_int(-1),
        store_int(2),
        store_int(3),
        store_int(4)};
    struct table_session s;
    assert_true(table_session_read(good, ARRAY_LEN(good), &s));
    assert_int_equal(s.opened_us, -1);
    assert_int_equal(s.tokens, 4);
    assert_false(table_session_read(good, ARRAY_LEN(good) - 1, &s));
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct store_value bad[ARRAY_LEN(good)];
        memcpy(bad, good, sizeof(bad));
        bad[i] = (struct store_value){0};
        assert_false(table_session_read(bad, ARRAY_LEN(bad), &s));
    }
    struct store_value bad[ARRAY_LEN(good)];
    memcpy(bad, good, sizeof(bad));
    bad[1].bytes.len--;
    assert_false(table_session_read(bad, ARRAY_LEN(bad), &s));
    memcpy(bad, good, sizeof(bad));
    bad[8].number = -1;
    assert_false(table_session_read(bad, ARRAY_LEN(bad), &s));
}

static void test_what_was_done_is_there_after_reopening(void **state)
{
    struct bench *b = *state;
    things(b);
    struct store_batch *batch = bench_batch_new();
    add_simple(batch, 1, "stays");
    assert_int_equal(bench_run(b, batch), STORE_DONE);
    bench_close(b);
    bench_open(b);
    assert_int_equal(b->open_err, ERR_OK);
    assert_true(store_usable(b->store));
    assert_things(b, "0:1,'stays',null,0;");
}

static void test_tables_of_a_newer_program_are_refused(void **state)
{
    struct bench *b = *state;
    static const struct store_sql newer = {
        "INSERT INTO schema_version (version, applied_us) VALUES (999, 0)", 0};
    assert_int_equal(bench_run(b, bench_batch(&newer)), STORE_DONE);
    bench_close(b);
    bench_open(b);
    assert_int_equal(b->open_err, ERR_CONFIG);
    assert_non_null(strstr(b->why, "999"));
    assert_false(store_usable(b->store));
    const struct store_ask ask = {.done = NULL, .timeout_ms = 1};
    assert_int_equal(store_run(b->store, b->loop, bench_batch_new(), &ask,
                               NULL),
                     ERR_STORE);
}

static void test_the_version_is_noted_once(void **state)
{
    struct bench *b = *state;
    static const struct store_sql count = {
        "SELECT COUNT(*), MAX(version) FROM schema_version", 0};
    bench_close(b);
    bench_open(b);
    assert_int_equal(bench_run(b, bench_batch(&count)), STORE_DONE);
    char want[64];
    (void)snprintf(want, sizeof(want), "0:%d,%d;", (int)table_schema_known(),
                   (int)table_schema_known());
    assert_string_equal(b->rows, want);
}

static void test_limits_of_a_batch_are_kept(void **state)
{
    struct bench *b = *state;
    (void)b;
    struct store_batch *batch = bench_batch_new();
    for (int i = 0; i < STORE_STATEMENTS_MAX; i++)
        bench_add(batch, &all_things, NULL, 0);
    assert_int_equal(store_batch_add(batch, &all_things, NULL, 0), ERR_LIMIT);
    store_batch_free(batch);

    static const struct store_sql wide = {"SELECT 1", STORE_PARAMS_MAX + 1};
    static const struct store_value many[STORE_PARAMS_MAX + 1];
    batch = bench_batch_new();
    assert_int_equal(store_batch_add(batch, &wide, many, STORE_PARAMS_MAX + 1),
                     ERR_LIMIT);
    char *large = calloc(1, STORE_BATCH_MAX);
    assert_non_null(large);
    const struct store_value v[] = {store_int(1),
                                    {0},
                                    store_blob(
                                        (struct str){large, STORE_BATCH_MAX}),
                                    {0}};
    assert_int_equal(store_batch_add(batch, &add_thing, v, 4), ERR_LIMIT);
    free(large);
    store_batch_free(batch);
    store_batch_free(NULL);
}

static void test_a_text_is_utf8_without_nul(void **state)
{
    (void)state;
    static const struct str bad[] = {STR_INIT("a\0b"), STR_INIT("\xff"),
                                     STR_INIT("\xed\xa0\x80")};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct store_batch *batch = bench_batch_new();
        const struct store_value v[] = {store_int(1),
                                        store_text(bad[i]),
                                        {0},
                                        {0}};
        assert_int_equal(store_batch_add(batch, &add_thing, v, 4),
                         ERR_MALFORMED);
        store_batch_free(batch);
    }
}

static void test_too_many_rows_are_refused(void **state)
{
    struct bench *b = *state;
    static const struct store_sql flood = {
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
        " WHERE i < 500000) SELECT i FROM n",
        0};
    enum store_outcome got = bench_run(b, bench_batch(&flood));
    assert_true(got == STORE_FAILED || got == STORE_UNKNOWN);
    assert_int_equal(b->err, ERR_LIMIT);
    assert_string_equal(b->rows, "");
    assert_int_equal(bench_run(b, bench_batch_new()), STORE_DONE);
}

static void test_a_slow_statement_ends_at_its_deadline(void **state)
{
    struct bench *b = *state;
    static const struct store_sql slow = {
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
        " WHERE i < 2000000000) SELECT MAX(i) FROM n",
        0};
    bench_start(b, bench_batch(&slow), 200);
    bench_wait(b);
    assert_int_equal(b->err, ERR_STORE);
    assert_int_equal(bench_run(b, bench_batch_new()), STORE_DONE);
}

static void unexpected(void *user, const struct store_result *r)
{
    (void)user;
    (void)r;
    fail_msg("the call was cancelled");
}

static void test_a_cancelled_call_says_nothing(void **state)
{
    struct bench *b = *state;
    things(b);
    const struct store_ask ask = {NULL, unexpected, NULL, 5000};
    struct store_call *calls[20];
    for (size_t i = 0; i < 20; i++) {
        struct store_batch *batch = bench_batch_new();
        add_simple(batch, (int64_t)i, "x");
        assert_int_equal(store_run(b->store, b->loop, batch, &ask, &calls[i]),
                         ERR_OK);
    }
    for (size_t i = 0; i < 20; i++)
        store_call_cancel(calls[i]);
    store_call_cancel(NULL);
    assert_int_equal(bench_run(b, bench_batch_new()), STORE_DONE);
}

static void count_done(void *user, const struct store_result *r)
{
    unsigned *left = user;
    assert_int_equal(r->outcome, STORE_DONE);
    (*left)--;
}

static void test_many_calls_are_applied_in_order(void **state)
{
    struct bench *b = *state;
    things(b);
    unsigned left = 300;
    const struct store_ask ask = {NULL, count_done, &left, 10000};
    struct store_batch *batch = bench_batch_new();
    add_simple(batch, 1, "count");
    assert_int_equal(bench_run(b, batch), STORE_DONE);
    static const struct store_sql shift = {
        "UPDATE thing SET n = (n * 31 + $1) % 1000003 WHERE id = 1", 1};
    int64_t want = 0;
    for (int64_t i = 0; i < 300; i++) {
        const struct store_value v = store_int(i);
        batch = bench_batch_new();
        bench_add(batch, &shift, &v, 1);
        assert_int_equal(store_run(b->store, b->loop, batch, &ask, NULL),
                         ERR_OK);
        want = (want * 31 + i) % 1000003;
    }
    char text[64];
    (void)snprintf(text, sizeof(text), "0:1,'count',null,%d;", (int)want);
    assert_things(b, text);
    assert_int_equal(left, 0);
}

static void test_what_waits_is_bounded(void **state)
{
    struct bench *b = *state;
    unsigned left = 0;
    const struct store_ask ask = {NULL, count_done, &left, 10000};
    enum err e = ERR_OK;
    for (unsigned i = 0; e == ERR_OK && i < 4U * STORE_CALLS_MAX; i++) {
        e = store_run(b->store, b->loop, bench_batch_new(), &ask, NULL);
        left += e == ERR_OK ? 1 : 0;
    }
    if (b->server != NULL) /* a thread may be as fast as we are */
        assert_int_equal(e, ERR_OVERLOAD);
    while (left > 0)
        bench_pass(b, 20);
}

#define ON(test, database)                                                     \
    {#test " (" #database ")", test, set_up, tear_down, &on_##database}
#define ON_BOTH(test) ON(test, sqlite), ON(test, postgres)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_values_of_every_type_come_back_as_they_went),
        ON_BOTH(test_a_blob_keeps_every_byte),
        ON_BOTH(test_a_batch_is_applied_whole_or_not_at_all),
        ON_BOTH(test_a_statement_that_fails_undoes_the_batch),
        ON_BOTH(test_rows_name_their_statement),
        ON_BOTH(test_an_empty_batch_is_done),
        ON_BOTH(test_an_index_is_applied_once_and_in_rising_order),
        ON_BOTH(test_a_conflict_in_a_batch_once_is_no_repetition),
        ON_BOTH(test_a_node_counts_its_starts),
        ON_BOTH(test_open_sessions_are_listed_in_pages),
        ON_BOTH(test_a_session_is_renewed_until_it_closes),
        ON_BOTH(test_closed_sessions_are_forgotten_in_time),
        ON_BOTH(test_what_was_done_is_there_after_reopening),
        ON_BOTH(test_tables_of_a_newer_program_are_refused),
        ON_BOTH(test_the_version_is_noted_once),
        ON_BOTH(test_limits_of_a_batch_are_kept),
        ON_BOTH(test_too_many_rows_are_refused),
        ON_BOTH(test_a_slow_statement_ends_at_its_deadline),
        ON_BOTH(test_a_cancelled_call_says_nothing),
        ON_BOTH(test_many_calls_are_applied_in_order),
        ON_BOTH(test_what_waits_is_bounded),
        cmocka_unit_test(test_rows_are_read_by_their_tables),
        cmocka_unit_test(test_a_session_is_read_only_when_it_is_whole),
        cmocka_unit_test(test_a_text_is_utf8_without_nul),
    };
    have_server = postgres_server_set_up(&server);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    postgres_server_tear_down(&server);
    return failed;
}
