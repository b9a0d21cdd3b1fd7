/* Tests session/session_rows: what is listed, stored and put back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/attr.h"
#include "session/session.h"

static const struct session_limits limits = {.idle_ms = 1000, .max_ms = 5000};
static const struct session_owner ann = {STR_INIT("acme"), STR_INIT("corp"),
                                         STR_INIT("corp|ann"), STR_INIT("")};
static const char key_bytes[SESSION_KEY_LEN] =
    "0123456789abcdef0123456789abcde";
#define KEY ((struct str){key_bytes, SESSION_KEY_LEN})

static struct session *find(struct session_table *t,
                            const struct session_owner *who, int64_t now_ms,
                            bool *ret_is_new)
{
    struct session *s = NULL;
    bool is_new = false;
    assert_int_equal(session_find(t, who, &limits, now_ms, &s, &is_new),
                     ERR_OK);
    if (ret_is_new != NULL)
        *ret_is_new = is_new;
    return s;
}

enum { NOTES_MAX = 64 };

/* What was listed or told. */
struct notes {
    struct session_row rows[NOTES_MAX];
    char names[NOTES_MAX][16]; /* of the subjects */
    size_t row_count;
    unsigned char closed[NOTES_MAX][SESSION_ID_LEN];
    size_t closed_count;
};

static void note_row(void *user, const struct session_row *row)
{
    struct notes *n = user;
    assert_true(n->row_count < NOTES_MAX);
    assert_true(row->owner.subject.len < sizeof(n->names[0]));
    memcpy(n->names[n->row_count], row->owner.subject.ptr,
           row->owner.subject.len);
    n->rows[n->row_count++] = *row;
}

static void note_closed(void *user, const unsigned char id[SESSION_ID_LEN])
{
    struct notes *n = user;
    assert_true(n->closed_count < NOTES_MAX);
    memcpy(n->closed[n->closed_count++], id, SESSION_ID_LEN);
}

/* Unix time is `now_ms` after an hour. */
#define EPOCH_US INT64_C(3600000000)
static int64_t us(int64_t now_ms)
{
    return EPOCH_US + now_ms * 1000;
}

static struct notes drain(struct session_table *t, size_t max, int64_t now_ms,
                          int64_t used_for_ms)
{
    struct notes n = {0};
    const struct session_changes to = {note_row, note_closed, &n, used_for_ms};
    size_t told = session_table_drain(t, max, us(now_ms), now_ms, &to);
    assert_int_equal(told, n.row_count + n.closed_count);
    return n;
}

static void test_open_sessions_are_listed_as_they_are(void **state)
{
    (void)state;
    struct session_table *t;
    struct notes n = {0};
    assert_int_equal(session_table_new(&t), ERR_OK);
    session_table_each(t, us(0), 0, note_row, &n);
    assert_int_equal(n.row_count, 0);
    struct session *s = find(t, &ann, 100, NULL);
    session_count(s, 3, 50);
    session_unref(find(t, &ann, 400, NULL));
    session_table_each(t, us(500), 500, note_row, &n);
    assert_int_equal(n.row_count, 1);
    assert_memory_equal(n.rows[0].id, session_id(s), SESSION_ID_LEN);
    assert_memory_equal(n.rows[0].root, session_root(s), SESSION_ID_LEN);
    assert_true(str_eq(n.rows[0].owner.tenant, ann.tenant));
    assert_true(str_eq(n.rows[0].owner.issuer, ann.issuer));
    assert_true(str_eq(n.rows[0].owner.subject, ann.subject));
    assert_int_equal(n.rows[0].owner.actor.len, 0);
    assert_int_equal(n.rows[0].opened_us, us(100));
    assert_int_equal(n.rows[0].used_us, us(400));
    assert_int_equal(n.rows[0].calls, 3);
    assert_int_equal(n.rows[0].tokens, 50);
    n.row_count = 0; /* what is over is open no more, swept or not */
    session_table_each(t, us(1400), 1400, note_row, &n);
    assert_int_equal(n.row_count, 0);
    session_unref(s);
    session_table_free(t);
}

static void test_who_stores_sessions_is_told_what_changed(void **state)
{
    (void)state;
    struct session_table *t;
    assert_int_equal(session_table_new(&t), ERR_OK);
    struct session *s = find(t, &ann, 0, NULL);
    struct notes n = drain(t, 10, 0, 600);
    assert_int_equal(n.row_count, 1); /* it is new */
    assert_string_equal(n.names[0], "corp|ann");
    n = drain(t, 10, 100, 600);
    assert_int_equal(n.row_count, 0);
    session_unref(find(t, &ann, 200, NULL));
    session_unref(find(t, &ann, 700, NULL));
    assert_int_equal(drain(t, 10, 799, 600).row_count, 0);
    n = drain(t, 10, 800, 600); /* the first of these uses is old enough */
    assert_int_equal(n.row_count, 1);
    assert_int_equal(n.rows[0].used_us, us(700));
    session_unref(find(t, &ann, 801, NULL));
    assert_int_equal(drain(t, 10, 802, 0).row_count, 1); /* at a clean stop */
    assert_int_equal(drain(t, 10, 803, 0).row_count, 0);

    /* Its end is told once, whoever made it. */
    assert_true(session_table_end(t, session_id(s)));
    n = drain(t, 10, 804, 600);
    assert_int_equal(n.closed_count, 1);
    assert_memory_equal(n.closed[0], session_id(s), SESSION_ID_LEN);
    session_unref(s);
    s = find(t, &ann, 900, NULL);
    assert_int_equal(drain(t, 10, 900, 600).row_count, 1);
    session_table_sweep(t, 1900);
    n = drain(t, 10, 1900, 600);
    assert_int_equal(n.closed_count, 1);
    assert_memory_equal(n.closed[0], session_id(s), SESSION_ID_LEN);
    session_unref(s);

    /* One that never got its key did not begin. */
    s = find(t, &ann, 1950, NULL);
    session_fail(s, ERR_KEEPER);
    session_unref(s);
    n = drain(t, 10, 1950, 0);
    assert_int_equal(n.row_count + n.closed_count, 0);

    /* What was never told as open has no end, either. */
    session_unref(find(t, &ann, 2000, NULL));
    session_table_sweep(t, 3000);
    n = drain(t, 10, 3000, 0);
    assert_int_equal(n.row_count + n.closed_count, 0);
    session_table_free(t);
}

static void test_the_changes_come_in_pieces_and_none_is_lost(void **state)
{
    (void)state;
    enum { SESSIONS = 1000, PIECE = 50 };
    static bool told[SESSIONS];
    struct session_table *t;
    assert_int_equal(session_table_new(&t), ERR_OK);
    for (int i = 0; i < SESSIONS; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "%d", i);
        const struct session_owner who = {.subject = str_from(name)};
        session_unref(find(t, &who, 0, NULL));
    }
    size_t pieces = 0;
    struct notes n;
    do {
        n = drain(t, PIECE, 0, 600);
        for (size_t i = 0; i < n.row_count; i++) {
            size_t which = strtoul(n.names[i], NULL, 10);
            assert_false(told[which]);
            told[which] = true;
        }
        pieces += n.row_count > 0;
    } while (n.row_count == PIECE);
    assert_int_equal(pieces, SESSIONS / PIECE);
    for (size_t i = 0; i < SESSIONS; i++)
        assert_true(told[i]);
    session_table_sweep(t, 1000);
    size_t closed = 0;
    do {
        n = drain(t, PIECE, 1000, 600);
        closed += n.closed_count;
    } while (n.closed_count == PIECE);
    assert_int_equal(closed, SESSIONS);
    session_table_free(t);
}

/* The rows of a node's sessions as a store would give them back. */
static struct notes stored(struct session_table *t, int64_t now_ms)
{
    struct notes n = drain(t, NOTES_MAX, now_ms, 0);
    for (size_t i = 0; i < n.row_count; i++) {
        n.rows[i].owner = ann; /* what was borrowed is gone */
        n.rows[i].owner.subject = str_from(n.names[i]);
    }
    return n;
}

static void rule_07_it_is_rebuilt_after_a_restart(void **state)
{
    (void)state;
    struct session_table *t;
    bool is_new;
    assert_int_equal(session_table_new(&t), ERR_OK);
    struct session *s = find(t, &ann, 100, NULL);
    session_count(s, 2, 30);
    session_unref(find(t, &ann, 500, NULL));
    struct notes n = stored(t, 600);
    n.rows[0].owner.subject = ann.subject;
    assert_int_equal(n.row_count, 1);
    session_table_free(t);

    /* Another process, 300 ms later; its monotonic clock is another one. */
    const int64_t shift = 1000000;
    assert_int_equal(session_table_new(&t), ERR_OK);
    assert_int_equal(session_table_restore(t, &n.rows[0], &limits, us(900),
                                           900 + shift),
                     ERR_OK);
    assert_int_equal(session_table_count(t), 1);
    struct session *again = find(t, &ann, 1000 + shift, &is_new);
    assert_true(is_new); /* whoever is first asks for the key it has */
    assert_true(session_is_restored(again));
    assert_false(session_is_restored(s));
    assert_false(session_has_key(again));
    assert_memory_equal(session_id(again), session_id(s), SESSION_ID_LEN);
    assert_int_equal(session_state_of(again).calls, 2);
    assert_int_equal(session_state_of(again).tokens, 30);
    assert_int_equal(session_state_of(again).opened_ms, 100 + shift);
    session_unref(find(t, &ann, 1001 + shift, &is_new));
    assert_false(is_new);
    session_set_key(again, KEY);

    /* It is as old as it was: use does not make it younger. */
    for (int64_t now = 1900; now < 100 + limits.max_ms; now += 900) {
        session_unref(find(t, &ann, now + shift, &is_new));
        assert_false(is_new);
    }
    struct session *next = find(t, &ann, 100 + limits.max_ms + shift, &is_new);
    assert_true(is_new);
    assert_false(session_is_restored(next));
    struct notes after = drain(t, 10, 100 + limits.max_ms + shift, 600);
    assert_int_equal(after.closed_count, 1);
    assert_memory_equal(after.closed[0], session_id(s), SESSION_ID_LEN);
    session_unref(next);
    session_unref(again);
    session_unref(s);
    session_table_free(t);
}

static void test_what_is_not_put_back_is_told_as_closed(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int64_t opened_ms, used_ms;
        bool owner_has_one, comes_back;
    } cases[] = {
        {"open", 9500, 9900, false, true},
        {"idle", 8000, 9000, false, false},
        {"old", 5000, 9900, false, false},
        {"from the future", 20000, 30000, false, true},
        {"its owner has one", 9500, 9900, true, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct session_table *t;
        assert_int_equal(session_table_new(&t), ERR_OK);
        if (cases[i].owner_has_one)
            session_unref(find(t, &ann, 9950, NULL));
        struct session_row row = {.id = {1},
                                  .root = {1},
                                  .owner = ann,
                                  .opened_us = us(cases[i].opened_ms),
                                  .used_us = us(cases[i].used_ms)};
        assert_int_equal(session_table_restore(t, &row, &limits, us(10000),
                                               10000),
                         ERR_OK);
        struct session *s = find(t, &ann, 10000, NULL);
        if (session_is_restored(s) != cases[i].comes_back)
            fail_msg("%s", cases[i].what);
        struct notes n = drain(t, 10, 10000, 0);
        assert_int_equal(n.closed_count, cases[i].comes_back ? 0 : 1);
        session_unref(s);
        session_table_free(t);
    }
}

static void test_a_row_that_is_not_ours_is_refused(void **state)
{
    (void)state;
    static char name[600];
    struct session_table *t;
    memset(name, 'n', sizeof(name));
    struct session_row row = {.id = {1}, .root = {2}, .owner = ann};
    row.opened_us = row.used_us = us(0);
    assert_int_equal(session_table_new(&t), ERR_OK);
    assert_int_equal(session_table_restore(t, &row, &limits, us(0), 0),
                     ERR_MALFORMED);
    memcpy(row.root, row.id, sizeof(row.root));
    row.owner.actor = (struct str){name, sizeof(name)};
    assert_int_equal(session_table_restore(t, &row, &limits, us(0), 0),
                     ERR_LIMIT);
    row.owner.actor = (struct str){0};
    row.opened_us = row.used_us = INT64_MIN;
    assert_int_equal(session_table_restore(t, &row, &limits, us(0), 0), ERR_OK);
    assert_int_equal(session_table_count(t), 0); /* long over */
    session_table_free(t);
}

static void test_without_its_key_a_restored_session_is_closed(void **state)
{
    (void)state;
    struct session_table *t;
    bool is_new;
    assert_int_equal(session_table_new(&t), ERR_OK);
    struct session_row row = {.id = {1}, .root = {1}, .owner = ann};
    row.opened_us = row.used_us = us(0);
    assert_int_equal(session_table_restore(t, &row, &limits, us(0), 0), ERR_OK);
    struct session *s = find(t, &ann, 1, &is_new);
    assert_true(is_new);
    session_fail(s, ERR_KEEPER); /* for now: it is asked for again */
    struct session *same = find(t, &ann, 1, &is_new);
    assert_ptr_equal(same, s);
    assert_true(is_new);
    session_unref(same);
    session_fail(s, ERR_NOT_FOUND);
    struct session *next = find(t, &ann, 2, &is_new);
    assert_true(is_new);
    assert_false(session_is_restored(next));
    assert_int_equal(drain(t, 10, 2, 600).closed_count, 1);
    session_unref(s);
    session_unref(next);
    session_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open_sessions_are_listed_as_they_are),
        cmocka_unit_test(test_who_stores_sessions_is_told_what_changed),
        cmocka_unit_test(test_the_changes_come_in_pieces_and_none_is_lost),
        cmocka_unit_test(rule_07_it_is_rebuilt_after_a_restart),
        cmocka_unit_test(test_what_is_not_put_back_is_told_as_closed),
        cmocka_unit_test(test_a_row_that_is_not_ours_is_refused),
        cmocka_unit_test(test_without_its_key_a_restored_session_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
