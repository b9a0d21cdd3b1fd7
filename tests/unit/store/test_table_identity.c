/* Tests store/table_identity and table_identity_key, on SQLite and on
 * PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/attr.h"
#include "bench.h"
#include "store/table_identity.h"
#include "store/table_identity_key.h"

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

static struct table_identity row(const char *id, const char *kind)
{
    return (struct table_identity){
        .id = str_from(id),
        .kind = str_from(kind),
        .tenant = STR("acme"),
        .issuer = STR("keys"),
        .name = STR("w\xc3\xa9"),
        .owner = STR("keys|alice"),
        .purposes = STR("[\"a \\\"b\\\"\"]"),
        .mode = STR("both"),
        .risk = 511,
        .state = STR("active"),
        .created_us = INT64_C(1795132800000000),
        .expires_us = INT64_C(253402300799999999),
        .revision = 1,
    };
}

static struct table_identity_key key(const char *hmac, const char *id,
                                     const char *kind)
{
    return (struct table_identity_key){str_from(hmac), str_from(id),
                                       str_from(kind), STR("0123456789abcdef"),
                                       7};
}

static void put(struct bench *b, const struct table_identity *r)
{
    struct store_batch *batch = bench_batch_new();
    assert_int_equal(table_identity_put(batch, r), ERR_OK);
    assert_int_equal(bench_run(b, batch), STORE_DONE);
}

static void put_key(struct bench *b, const struct table_identity_key *k)
{
    struct store_batch *batch = bench_batch_new();
    assert_int_equal(table_identity_key_put(batch, k), ERR_OK);
    assert_int_equal(bench_run(b, batch), STORE_DONE);
}

/* Both pages behind (id, kind), as the registry asks for them. */
static void page(struct bench *b, const char *id, const char *kind, int64_t max)
{
    struct store_batch *batch = bench_batch_new();
    assert_int_equal(table_identity_page(batch, str_from(id), str_from(kind),
                                         max),
                     ERR_OK);
    assert_int_equal(table_identity_key_page(batch, str_from(id),
                                             str_from(kind), max),
                     ERR_OK);
    assert_int_equal(bench_run(b, batch), STORE_DONE);
}

static const char whole[] =
    "0:'acme/bot','agent','acme','keys','w\xc3\xa9','keys|alice',"
    "'[\"a \\\"b\\\"\"]','both','active',511,"
    "1795132800000000,253402300799999999,1;";

static void an_identity_comes_back_as_it_was_put(void **state)
{
    struct bench *b = *state;
    struct table_identity r = row("acme/bot", "agent");
    put(b, &r);
    page(b, "", "", 10);
    assert_string_equal(b->rows, whole);
}

static void a_put_replaces_and_an_add_does_not(void **state)
{
    struct bench *b = *state;
    struct table_identity r = row("acme/bot", "agent");
    r.tenant = r.issuer = r.name = r.owner = r.purposes = STR("old");
    r.mode = r.state = STR("old");
    r.risk = r.created_us = r.expires_us = r.revision = 0;
    put(b, &r);
    r = row("acme/bot", "agent");
    put(b, &r);
    struct store_batch *batch = bench_batch_new();
    struct table_identity other = row("acme/bot", "agent");
    other.state = STR("discovered");
    assert_int_equal(table_identity_add(batch, &other), ERR_OK);
    assert_int_equal(bench_run(b, batch), STORE_DONE);
    page(b, "", "", 10);
    assert_string_equal(b->rows, whole);
}

/* The ids of statement 0 in what was answered, each with a blank. */
static void assert_ids(const struct bench *b, const char *want)
{
    char ids[512] = "";
    const char *at = b->rows;
    while ((at = strstr(at, "0:'")) != NULL) {
        const char *end = strchr(at + 3, '\'');
        assert_non_null(end);
        size_t len = strlen(ids);
        assert_true(len + (size_t)(end - at) < sizeof(ids));
        memcpy(ids + len, at + 3, (size_t)(end - at) - 3);
        memcpy(ids + len + (size_t)(end - at) - 3, " ", 2);
        at = end;
    }
    assert_string_equal(ids, want);
}

static void pages_follow_each_other_without_gap_or_overlap(void **state)
{
    struct bench *b = *state;
    static const char *const ids[] = {"a/1", "a/2", "a/2", "a/3", "a/4"};
    static const char *const kinds[] = {"agent", "agent", "workload", "agent",
                                        "agent"};
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        struct table_identity r = row(ids[i], kinds[i]);
        put(b, &r);
    }
    page(b, "", "", 2);
    assert_ids(b, "a/1 a/2 ");
    page(b, "a/2", "agent", 2); /* the same id, of another kind */
    assert_ids(b, "a/2 a/3 ");
    page(b, "a/3", "agent", 2);
    assert_ids(b, "a/4 ");
    page(b, "a/4", "agent", 2);
    assert_ids(b, "");
    page(b, "a/2x", "", 9); /* which is not there */
    assert_ids(b, "a/3 a/4 ");
}

/* The keys of statement 1, as id and expiry. */
static void assert_keys(const struct bench *b, const char *want)
{
    const char *at = strstr(b->rows, "1:x32,");
    assert_string_equal(at == NULL ? "" : at, want);
}

static void keys_come_with_their_identities(void **state)
{
    struct bench *b = *state;
    static const char *const ids[] = {"a/1", "a/2", "a/3"};
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        struct table_identity r = row(ids[i], "agent");
        put(b, &r);
    }
    struct table_identity_key k =
        key("aaaaaaaabbbbbbbbccccccccdddddddd", "a/3", "agent");
    put_key(b, &k);
    k = key("baaaaaaabbbbbbbbccccccccdddddddd", "a/1", "agent");
    put_key(b, &k);
    k = key("caaaaaaabbbbbbbbccccccccdddddddd", "a/1", "agent");
    k.expires_us = 5;
    put_key(b, &k);
    k = key("daaaaaaabbbbbbbbccccccccdddddddd", "a/1", "workload");
    put_key(b, &k); /* of nobody: it leads nowhere */
    page(b, "", "", 2);
    assert_keys(b, "1:x32,'a/1','agent','0123456789abcdef',5;"
                   "1:x32,'a/1','agent','0123456789abcdef',7;");
    page(b, "a/2", "agent", 2);
    assert_keys(b, "1:x32,'a/3','agent','0123456789abcdef',7;");

    struct store_batch *batch = bench_batch_new();
    assert_int_equal(table_identity_key_clear(batch, STR("a/1"), STR("agent")),
                     ERR_OK);
    assert_int_equal(bench_run(b, batch), STORE_DONE);
    page(b, "", "", 9);
    assert_keys(b, "1:x32,'a/3','agent','0123456789abcdef',7;");
}

static void a_key_has_one_holder(void **state)
{
    struct bench *b = *state;
    static const char *const ids[] = {"a/1", "a/2"};
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        struct table_identity r = row(ids[i], "agent");
        put(b, &r);
        struct table_identity_key k =
            key("aaaaaaaabbbbbbbbccccccccdddddddd", ids[i], "agent");
        put_key(b, &k);
    }
    page(b, "", "", 9);
    assert_keys(b, "1:x32,'a/2','agent','0123456789abcdef',7;");
}

static void rows_are_read_only_when_they_are_whole(void **state)
{
    (void)state;
    struct store_value v[13];
    struct table_identity r;
    for (size_t i = 0; i < 13; i++)
        v[i] = i < 9 ? store_text(STR("t")) : store_int((int64_t)i);
    assert_true(table_identity_read(v, 13, &r));
    assert_int_equal(r.risk, 9);
    assert_int_equal(r.revision, 12);
    assert_false(table_identity_read(v, 12, &r));
    assert_false(table_identity_read(v + 1, 12, &r));
    for (size_t i = 0; i < 13; i++) {
        struct store_value was = v[i];
        v[i] = (struct store_value){0};
        assert_false(table_identity_read(v, 13, &r));
        v[i] = was;
    }
    struct table_identity_key k;
    struct store_value w[] = {store_blob(STR("h")), store_text(STR("i")),
                              store_text(STR("k")), store_text(STR("f")),
                              store_int(3)};
    assert_true(table_identity_key_read(w, 5, &k));
    assert_int_equal(k.expires_us, 3);
    assert_false(table_identity_key_read(w, 4, &k));
    assert_false(table_identity_key_read(w + 1, 4, &k));
    w[0] = store_text(STR("h"));
    assert_false(table_identity_key_read(w, 5, &k));
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
        ON_BOTH(an_identity_comes_back_as_it_was_put),
        ON_BOTH(a_put_replaces_and_an_add_does_not),
        ON_BOTH(pages_follow_each_other_without_gap_or_overlap),
        ON_BOTH(keys_come_with_their_identities),
        ON_BOTH(a_key_has_one_holder),
        cmocka_unit_test(rows_are_read_only_when_they_are_whole),
    };
    have_server = postgres_server_set_up(&server);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    postgres_server_tear_down(&server);
    return failed;
}
