/* Tests registry/: what reaches the store, what comes back, what is replayed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "codec/json.h"
#include "domain/risk.h"
#include "fixture.h"
#include "registry/registry_writer.h"

static int set_up(void **state)
{
    static struct fixture f;
    fixture_init(&f);
    fixture_open_store(&f);
    fixture_open(&f);
    assert_int_equal(f.open_err, ERR_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_release(*state);
    return 0;
}

/* Every entry, whole, a line each. */
static void write_all(struct fixture *f, struct buf *to)
{
    const struct registry_entry *list[256];
    size_t n = registry_view_list(f->view, STR(""), list, 256);
    assert_int_equal(n, registry_view_count(f->view));
    buf_init(to, 1 * MIB);
    for (size_t i = 0; i < n; i++) {
        registry_entry_write(to, list[i], true);
        (void)buf_add_char(to, '\n');
    }
    assert_true(buf_ok(to));
}

static void assert_state(struct fixture *f, const struct registry_entry *e,
                         enum registry_state want)
{
    const struct registry_entry *there =
        registry_view_find(f->view, e->who.kind, e->who.id);
    assert_int_equal(there == NULL ? REGISTRY_NONE : there->state, want);
}

static const struct store_sql hide = {
    "ALTER TABLE identity RENAME TO identity_gone", 0};
static const struct store_sql show = {
    "ALTER TABLE identity_gone RENAME TO identity", 0};

/* ---- there and back ---- */

static void a_mark_is_where_the_next_replay_begins(void **state)
{
    struct fixture *f = *state;
    const struct registry_entry alice = fixture_entry(PRINCIPAL_USER, "alice");

    fixture_put(f, &alice, 7);
    registry_mark(f->registry, 5); /* it is further than that already */
    registry_mark(f->registry, 4711);
    fixture_wait_applied(f, 4711);
    fixture_reopen(f);
    assert_int_equal(registry_applied(f->registry), 4711);
    assert_non_null(registry_view_find(f->view, PRINCIPAL_USER, alice.who.id));
}

static void what_is_not_put_yet_is_found_by_a_replay(void **state)
{
    struct fixture *f = *state;
    const struct registry_entry alice = fixture_entry(PRINCIPAL_USER, "alice");
    const struct registry_entry bob = fixture_entry(PRINCIPAL_USER, "bob");

    fixture_put(f, &alice, 7);
    fixture_wait_applied(f, 7);
    registry_hold(f->registry, true); /* the entry 8 may stand there */
    fixture_put(f, &bob, 9);
    registry_mark(f->registry, 12);
    fixture_wait(f, &f->stored_count, 2);
    fixture_reopen(f);
    assert_int_equal(registry_applied(f->registry), 7);
    assert_non_null(registry_view_find(f->view, PRINCIPAL_USER, bob.who.id));
}

static void what_was_put_is_there_after_reopening(void **state)
{
    struct fixture *f = *state;
    static const struct str purposes[] = {STR_INIT("support"),
                                          STR_INIT("\"quoted\" \\ purpose"),
                                          STR_INIT("\xc3\xa4\xe2\x82\xac")};
    static const enum principal_kind kinds[] = {PRINCIPAL_USER,
                                                PRINCIPAL_APPLICATION,
                                                PRINCIPAL_WORKLOAD,
                                                PRINCIPAL_AGENT};
    static const char *const names[] = {"alice", "a shop",
                                        "spiffe://acme/batch", "bot"};
    struct registry_key keys[REGISTRY_KEYS_MAX];
    int64_t index = 0;
    for (unsigned i = 0; i < 40; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "%s%u", names[i % 4], i / 4);
        struct registry_entry e = fixture_entry(kinds[i % 4], name);
        e.purposes = purposes;
        e.purpose_count = i % 4;
        e.mode = (enum registry_mode)(i % 3);
        e.risk = i * 7 % (RISK_ALL + 1);
        e.state = (enum registry_state)(REGISTRY_PROPOSED + i % 4);
        e.created_us = NOW_US + (int64_t)i;
        e.revision = i + 1;
        e.key_count = i % (REGISTRY_KEYS_MAX + 1);
        for (unsigned k = 0; k < e.key_count; k++) {
            keys[k] = fixture_key(100 + 8 * i + k);
            keys[k].expires_us += (int64_t)k;
        }
        e.keys = keys;
        fixture_put(f, &e, index);
        index += 3; /* not every entry is about the registry */
    }
    fixture_wait_applied(f, index - 3);
    fixture_wait(f, &f->stored_count, 40);
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(f->stored[i], ERR_OK);
    struct buf before;
    struct buf after;
    write_all(f, &before);
    fixture_reopen(f);
    write_all(f, &after);
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.ptr, after.ptr, before.len);
    assert_int_equal(registry_applied(f->registry), index - 3);
    buf_release(&before);
    buf_release(&after);
}

static void an_empty_store_is_an_empty_registry(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(registry_view_count(f->view), 0);
    assert_int_equal(registry_applied(f->registry), -1);
    const struct registry_entry *list[4];
    assert_int_equal(registry_view_list(f->view, STR(""), list, 4), 0);
}

static void a_suspension_is_stored_with_its_index_only(void **state)
{
    struct fixture *f = *state;
    struct registry_entry alice = fixture_entry(PRINCIPAL_USER, "alice");
    fixture_put(f, &alice, 0);
    fixture_wait_applied(f, 0);
    alice.state = REGISTRY_SUSPENDED;
    alice.revision++;
    fixture_put(f, &alice, -1);
    assert_state(f, &alice, REGISTRY_SUSPENDED);
    struct registry_entry bob = fixture_entry(PRINCIPAL_USER, "bob");
    fixture_put(f, &bob, 1);
    fixture_wait_applied(f, 1);
    fixture_reopen(f); /* before its entry was durable */
    assert_state(f, &alice, REGISTRY_ACTIVE);

    fixture_put(f, &alice, -1);
    fixture_put(f, &alice, 2);
    fixture_wait_applied(f, 2);
    fixture_reopen(f);
    assert_state(f, &alice, REGISTRY_SUSPENDED);
}

static void what_is_written_late_does_not_undo_what_came_after(void **state)
{
    struct fixture *f = *state;
    struct registry_entry alice = fixture_entry(PRINCIPAL_USER, "alice");
    fixture_put(f, &alice, 0);
    struct registry_entry suspended = alice;
    suspended.state = REGISTRY_SUSPENDED;
    suspended.revision = 2;
    fixture_put(f, &suspended, -1);
    struct registry_entry retired = alice;
    retired.state = REGISTRY_RETIRED;
    retired.revision = 3;
    fixture_put(f, &retired, -1);
    fixture_put(f, &suspended, 1);
    assert_state(f, &alice, REGISTRY_RETIRED);
    fixture_put(f, &retired, 2);
    assert_state(f, &alice, REGISTRY_RETIRED);
    fixture_wait_applied(f, 2);
    fixture_reopen(f);
    assert_state(f, &alice, REGISTRY_RETIRED);
}

static void keys_that_were_dropped_are_gone_from_the_store(void **state)
{
    struct fixture *f = *state;
    struct registry_key keys[] = {fixture_key(1), fixture_key(2)};
    const struct registry_key *got;
    struct registry_entry alice = fixture_entry(PRINCIPAL_USER, "alice");
    alice.keys = keys;
    alice.key_count = 2;
    fixture_put(f, &alice, 0);
    alice.key_count = 1;
    alice.revision++;
    fixture_put(f, &alice, 1);
    fixture_wait_applied(f, 1);
    fixture_reopen(f);
    assert_non_null(registry_view_by_key(f->view, &keys[0].hmac, &got));
    assert_null(registry_view_by_key(f->view, &keys[1].hmac, &got));
}

/* ---- a store that fails ---- */

static void a_write_that_fails_is_tried_again_in_order(void **state)
{
    struct fixture *f = *state;
    fixture_run_sql(f, &hide);
    struct registry_entry alice = fixture_entry(PRINCIPAL_USER, "alice");
    struct registry_entry bob = fixture_entry(PRINCIPAL_USER, "bob");
    fixture_put(f, &alice, 0);
    assert_state(f, &alice, REGISTRY_ACTIVE);
    fixture_wait(f, &f->stored_count, 1);
    assert_int_equal(f->stored[0], ERR_STORE); /* it will be replayed */
    fixture_put(f, &bob, 1);
    alice.state = REGISTRY_SUSPENDED;
    alice.revision++;
    fixture_put(f, &alice, 2);
    assert_int_equal(registry_applied(f->registry), -1);
    fixture_run_sql(f, &show);
    fixture_wait_applied(f, 2);
    fixture_wait(f, &f->stored_count, 3); /* each heard once */
    fixture_reopen(f);
    assert_state(f, &alice, REGISTRY_SUSPENDED);
    assert_state(f, &bob, REGISTRY_ACTIVE);
}

/* An entry of the evidence that says `e`. */
static enum err replay(struct fixture *f, const struct registry_entry *e,
                       int64_t index)
{
    struct buf text;
    struct arena a;
    const struct json *v = NULL;
    buf_init(&text, ENTRY_MAX);
    arena_init(&a, 1 * MIB);
    (void)BUF_LIT(&text, "{\"kind\":\"admin\",\"registry\":");
    registry_entry_write(&text, e, true);
    (void)BUF_LIT(&text, ",\"v\":1}");
    assert_true(buf_ok(&text));
    assert_int_equal(json_read(&a, buf_str(&text), &v, NULL), ERR_OK);
    enum err got = registry_replay(f->registry, v, index);
    arena_release(&a);
    buf_release(&text);
    return got;
}

static void a_write_that_was_lost_is_replayed(void **state)
{
    struct fixture *f = *state;
    const struct registry_key key = fixture_key(1);
    const struct registry_key *got;
    struct registry_entry alice = fixture_entry(PRINCIPAL_USER, "alice");
    fixture_put(f, &alice, 10);
    fixture_wait_applied(f, 10);
    struct registry_entry changed = alice;
    changed.keys = &key;
    changed.key_count = 1;
    changed.revision = 2;
    fixture_run_sql(f, &hide);
    fixture_put(f, &changed, 12);
    struct registry_entry bob = fixture_entry(PRINCIPAL_USER, "bob");
    fixture_put(f, &bob, 15);
    fixture_wait(f, &f->stored_count, 3);
    registry_close(f->registry); /* a crash: the store never heard of them */
    f->registry = NULL;
    fixture_run_sql(f, &show);

    fixture_reopen(f);
    assert_int_equal(registry_applied(f->registry), 10);
    assert_int_equal(registry_view_count(f->view), 1);
    struct registry_entry wrong = alice; /* what was applied is not again */
    wrong.state = REGISTRY_RETIRED;
    wrong.revision = 9;
    assert_int_equal(replay(f, &wrong, 9), ERR_OK);
    assert_int_equal(replay(f, &wrong, 10), ERR_OK);
    assert_state(f, &alice, REGISTRY_ACTIVE);
    assert_int_equal(replay(f, &changed, 12), ERR_OK);
    assert_int_equal(replay(f, &bob, 15), ERR_OK);
    assert_non_null(registry_view_by_key(f->view, &key.hmac, &got));
    fixture_wait_applied(f, 15);
    fixture_reopen(f);
    assert_non_null(registry_view_by_key(f->view, &key.hmac, &got));
    assert_state(f, &bob, REGISTRY_ACTIVE);
    assert_int_equal(registry_view_count(f->view), 2);
}

static void evidence_about_something_else_changes_nothing(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text;
        enum err want;
    } cases[] = {
        {"{\"kind\":\"intent\"}", ERR_OK},
        {"[]", ERR_OK},
        {"{\"registry\":{}}", ERR_MALFORMED},
        {"{\"registry\":null}", ERR_MALFORMED},
        {"{\"registry\":\"acme/bot\"}", ERR_MALFORMED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a;
        const struct json *v = NULL;
        arena_init(&a, 64 * KIB);
        assert_int_equal(json_read(&a, str_from(cases[i].text), &v, NULL),
                         ERR_OK);
        assert_int_equal(registry_replay(f->registry, v, 5), cases[i].want);
        arena_release(&a);
    }
    assert_int_equal(registry_view_count(f->view), 0);
}

static void a_row_that_is_no_entry_stops_the_start(void **state)
{
    struct fixture *f = *state;
    static const struct store_sql spoil[] = {
        {"UPDATE identity SET state = 'omnipotent'", 0},
        {"UPDATE identity SET state = 'active', id = 'keys|bob'", 0},
        {"UPDATE identity SET id = 'keys|alice', purposes = '[1]'", 0},
        {"UPDATE identity SET purposes = '[]', risk = 4096", 0},
        {"UPDATE identity SET risk = 1, revision = -1", 0},
        {"UPDATE identity_key SET hmac = x'00'", 0},
    };
    const struct registry_key key = fixture_key(1);
    struct registry_entry alice = fixture_entry(PRINCIPAL_USER, "alice");
    alice.keys = &key;
    alice.key_count = 1;
    fixture_put(f, &alice, 0);
    fixture_wait_applied(f, 0);
    for (size_t i = 0; i < ARRAY_LEN(spoil); i++) {
        if (i == 5) {
            static const struct store_sql mend = {
                "UPDATE identity SET revision = 1", 0};
            fixture_run_sql(f, &mend);
        }
        fixture_run_sql(f, &spoil[i]);
        fixture_close(f);
        fixture_open_store(f);
        fixture_open(f);
        assert_int_equal(f->open_err, ERR_CORRUPT);
        assert_non_null(strstr(f->why, "a row of table identity"));
        /* What could not be read lets nobody in. */
        assert_int_equal(registry_view_count(registry_now(f->registry)), 0);
        assert_false(registry_discover(f->registry, &alice.who, NOW_US));
    }
}

static void a_store_without_its_table_is_of_no_use(void **state)
{
    struct fixture *f = *state;
    fixture_run_sql(f, &hide);
    fixture_close(f);
    fixture_open_store(f);
    fixture_open(f);
    assert_int_equal(f->open_err, ERR_STORE);
    assert_true(strlen(f->why) > 0);
}

/* 3000 of 4 KiB are more than a result may have. */
static void large_rows_are_loaded_in_smaller_pages(void **state)
{
    struct fixture *f = *state;
    static const struct store_sql many = {
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
        " WHERE i < 3000), p(j) AS (SELECT '[' ||"
        " group_concat('\"' || printf('%0250d', i) || '\"') || ']' FROM n"
        " WHERE i <= 16)"
        " INSERT INTO identity SELECT 'keys|x' || i, 'human', 'acme', 'keys',"
        " 'x' || i, 'keys|x' || i, j, 'both', 0, 'active', 1, 1, 1 FROM n, p",
        0};
    fixture_run_sql(f, &many);
    fixture_reopen(f);
    assert_int_equal(registry_view_count(f->view), 3000);
    const struct registry_entry *e =
        registry_view_find(f->view, PRINCIPAL_USER, STR("keys|x2999"));
    assert_non_null(e);
    assert_int_equal(e->purpose_count, REGISTRY_PURPOSES_MAX);
}

/* ---- discovered ---- */

static void who_was_discovered_is_remembered(void **state)
{
    struct fixture *f = *state;
    struct registry_entry eve = fixture_entry(PRINCIPAL_AGENT, "eve");
    struct registry_entry bob = fixture_entry(PRINCIPAL_USER, "bob");
    struct registry_entry last = fixture_entry(PRINCIPAL_USER, "last");
    assert_true(registry_discover(f->registry, &eve.who, NOW_US));
    assert_true(registry_discover(f->registry, &bob.who, NOW_US));
    fixture_put(f, &bob, 0); /* in the same turn; the discovery is older */
    fixture_put(f, &last, 1);
    fixture_wait_applied(f, 1);
    fixture_reopen(f);
    assert_state(f, &eve, REGISTRY_DISCOVERED);
    assert_state(f, &bob, REGISTRY_ACTIVE);
    assert_false(registry_discover(f->registry, &eve.who, NOW_US));
}

static void discoveries_are_bounded(void **state)
{
    struct fixture *f = *state;
    static const struct store_sql many = {
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
        " WHERE i < 10000)"
        " INSERT INTO identity SELECT 'keys|x' || i, 'human', 'acme', 'keys',"
        " 'x' || i, '', '[]', 'both', 0, 'discovered', 1, 0, 0 FROM n",
        0};
    fixture_run_sql(f, &many);
    fixture_reopen(f);
    assert_int_equal(registry_view_count(f->view), REGISTRY_DISCOVERED_MAX);
    struct registry_entry eve = fixture_entry(PRINCIPAL_AGENT, "eve");
    assert_false(registry_discover(f->registry, &eve.who, NOW_US));
    struct registry_entry one = fixture_entry(PRINCIPAL_USER, "x17");
    fixture_put(f, &one, 0); /* one less */
    assert_true(registry_discover(f->registry, &eve.who, NOW_US));
    struct registry_entry dan = fixture_entry(PRINCIPAL_AGENT, "dan");
    assert_false(registry_discover(f->registry, &dan.who, NOW_US));
}

static void what_waits_is_dropped_with_the_registry(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 100; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "n%u", i);
        struct registry_entry e = fixture_entry(PRINCIPAL_USER, name);
        assert_int_equal(registry_put(f->registry, &e, (int64_t)i, NULL),
                         ERR_OK);
    }
    struct registry_view *held = registry_view_ref(f->view);
    fixture_reopen(f);
    assert_int_equal(registry_view_count(held), 100);
    assert_int_equal(registry_view_count(f->view), 0);
    registry_view_unref(held); /* after its registry */
}

static void count_stored(void *user, enum err e)
{
    unsigned *count = user;
    assert_int_equal(e, ERR_STORE);
    (*count)++;
}

/* Writing on behind a gap would let the next start replay too little. */
static void a_store_that_falls_behind_is_left_alone(void **state)
{
    struct fixture *f = *state;
    static struct registry_writer w;
    unsigned count = 0;
    const struct registry_put then = {count_stored, &count};
    const struct siphash_key seed = {1, 2};
    struct registry_entry alice = fixture_entry(PRINCIPAL_USER, "alice");
    struct registry_record *r = registry_record_new(seed, &alice);
    assert_non_null(r);
    assert_int_equal(registry_writer_init(&w, f->loop, f->store, STR("gw-2")),
                     ERR_OK);
    for (int64_t i = 0; i <= REGISTRY_WAITING_MAX; i++)
        assert_int_equal(registry_writer_add(&w, r, i, &then), ERR_OK);
    assert_int_equal(count, 0);
    fixture_wait(f, &count, REGISTRY_WAITING_MAX + 1);
    assert_int_equal(registry_writer_add(&w, r, REGISTRY_WAITING_MAX + 1,
                                         &then),
                     ERR_OK);
    fixture_wait(f, &count, REGISTRY_WAITING_MAX + 2);
    assert_int_equal(w.applied, -1);
    assert_int_equal(w.count, 0);
    registry_writer_release(&w);
    registry_record_unref(r);

    char name[REGISTRY_NODE_MAX + 1];
    memset(name, 'n', sizeof(name));
    assert_int_equal(registry_writer_init(&w, f->loop, f->store,
                                          (struct str){name, sizeof(name)}),
                     ERR_LIMIT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_mark_is_where_the_next_replay_begins),
        TEST(what_is_not_put_yet_is_found_by_a_replay),
        TEST(what_was_put_is_there_after_reopening),
        TEST(an_empty_store_is_an_empty_registry),
        TEST(a_suspension_is_stored_with_its_index_only),
        TEST(what_is_written_late_does_not_undo_what_came_after),
        TEST(keys_that_were_dropped_are_gone_from_the_store),
        TEST(a_write_that_fails_is_tried_again_in_order),
        TEST(a_write_that_was_lost_is_replayed),
        TEST(evidence_about_something_else_changes_nothing),
        TEST(a_row_that_is_no_entry_stops_the_start),
        TEST(a_store_without_its_table_is_of_no_use),
        TEST(large_rows_are_loaded_in_smaller_pages),
        TEST(who_was_discovered_is_remembered),
        TEST(discoveries_are_bounded),
        TEST(what_waits_is_dropped_with_the_registry),
        TEST(a_store_that_falls_behind_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
