/* Tests mcp/mcp_session: who finds a session, and when it is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "base/attr.h"
#include "mcp/mcp_session.h"
#include "mcp/method.h"
#include "os/thread.h"

enum { IDLE_MS = 1000 };

static struct hash binding_of(unsigned n)
{
    struct str text = {(const char *)&n, sizeof(n)};
    return hash_sha256(&text, 1);
}

static struct mcp_session *open_at(struct mcp_sessions *t, unsigned who,
                                   int64_t now_ms)
{
    struct mcp_session *s = NULL;
    struct mcp_session_about about = {
        .binding = binding_of(who),
        .server = STR("files"),
        .owner = 1,
        .revision = REVISION_NEWEST,
        .client_has = METHOD_HAS_SAMPLING,
    };
    assert_int_equal(mcp_sessions_open(t, &about, IDLE_MS, now_ms, &s), ERR_OK);
    return s;
}

static bool is_found(struct mcp_sessions *t, struct str id, unsigned who,
                     int64_t now_ms)
{
    struct mcp_session *s = NULL;
    struct hash binding = binding_of(who);
    enum err e = mcp_sessions_find(t, id, &binding, now_ms, &s);
    assert_true(e == ERR_OK || e == ERR_NOT_FOUND);
    assert_int_equal(e == ERR_OK, s != NULL); /* written on success only */
    mcp_session_unref(s);
    return e == ERR_OK;
}

static struct message_id word(const char *s)
{
    return (struct message_id){MESSAGE_ID_STRING, str_from(s)};
}

static void rule_07_an_id_proves_nothing(void **state)
{
    (void)state;
    struct mcp_sessions *t;
    assert_int_equal(mcp_sessions_new(&t), ERR_OK);
    struct mcp_session *s = open_at(t, 1, 0);
    struct mcp_session *of_other = open_at(t, 2, 0);
    struct str id = mcp_session_id(s);
    assert_int_equal(id.len, MCP_SESSION_ID_LEN);
    for (size_t i = 0; i < id.len; i++)
        assert_non_null(memchr("0123456789abcdef", id.ptr[i], 16));
    assert_false(str_eq(id, mcp_session_id(of_other)));

    assert_true(is_found(t, id, 1, 1));
    /* Whatever stripe a foreign binding looks into, there is nothing. */
    for (unsigned who = 2; who < 200; who++)
        assert_false(is_found(t, id, who, 1));
    assert_false(is_found(t, STR(""), 1, 1));
    assert_false(is_found(t, str_first(id, id.len - 1), 1, 1));
    assert_false(is_found(t, STR("00000000000000000000000000000000"), 1, 1));
    /* Trying has not harmed it. */
    assert_true(is_found(t, id, 1, 2));

    mcp_session_unref(of_other);
    mcp_session_unref(s);
    mcp_sessions_free(t);
    mcp_sessions_free(NULL);
    mcp_session_unref(NULL);
}

static void test_it_keeps_what_it_is_about(void **state)
{
    (void)state;
    struct mcp_sessions *t;
    char server[] = "files";
    struct mcp_session *s;
    struct mcp_session_about about = {.binding = binding_of(1),
                                      .server = {server, 5},
                                      .owner = 3,
                                      .revision = REVISION_2025_06_18,
                                      .client_has = METHOD_HAS_ELICITATION};
    assert_int_equal(mcp_sessions_new(&t), ERR_OK);
    assert_int_equal(mcp_sessions_open(t, &about, IDLE_MS, 0, &s), ERR_OK);
    memset(server, 'x', 5);
    const struct mcp_session_about *kept = mcp_session_about(s);
    assert_true(str_eq(kept->server, STR("files")));
    assert_int_equal(kept->owner, 3);
    assert_int_equal(kept->revision, REVISION_2025_06_18);
    assert_int_equal(kept->client_has, METHOD_HAS_ELICITATION);
    assert_int_equal(mcp_session_level(s), -1);
    mcp_session_set_level(s, 4);
    assert_int_equal(mcp_session_level(s), 4);
    mcp_sessions_free(t); /* handles outlive the table */
    assert_true(mcp_session_is_ended(s));
    mcp_session_end(s);
    mcp_session_unref(s);
}

static void test_it_ends_when_told_to_or_idle(void **state)
{
    (void)state;
    struct mcp_sessions *t;
    assert_int_equal(mcp_sessions_new(&t), ERR_OK);
    struct mcp_session *told = open_at(t, 1, 0);
    struct mcp_session *idle = open_at(t, 1, 0);
    struct mcp_session *busy = open_at(t, 1, 0);
    assert_int_equal(mcp_sessions_count(t), 3);

    mcp_session_end(told);
    mcp_session_end(told); /* twice is once */
    assert_true(mcp_session_is_ended(told));
    assert_false(is_found(t, mcp_session_id(told), 1, 1));
    assert_int_equal(mcp_sessions_count(t), 2);

    assert_int_equal(mcp_session_enter(busy, word("a"), 7), ERR_OK);
    mcp_sessions_sweep(t, IDLE_MS - 1);
    assert_int_equal(mcp_sessions_count(t), 2);
    mcp_sessions_sweep(t, IDLE_MS);
    assert_int_equal(mcp_sessions_count(t), 1);
    assert_true(mcp_session_is_ended(idle));
    assert_false(is_found(t, mcp_session_id(idle), 1, IDLE_MS));

    /* Work counts as use until it is over, and from then on it idles. */
    mcp_session_leave(busy, 7, 5 * IDLE_MS);
    mcp_sessions_sweep(t, 6 * IDLE_MS - 1);
    assert_false(mcp_session_is_ended(busy));
    /* Nobody has swept, and it is over all the same. */
    assert_false(is_found(t, mcp_session_id(busy), 1, 6 * IDLE_MS));
    assert_true(mcp_session_is_ended(busy));
    assert_int_equal(mcp_sessions_count(t), 0);

    mcp_session_unref(told);
    mcp_session_unref(idle);
    mcp_session_unref(busy);
    mcp_sessions_free(t);
}

static void test_a_caller_has_so_many_and_no_more(void **state)
{
    (void)state;
    struct mcp_sessions *t;
    struct mcp_session *mine[MCP_SESSIONS_PER_CALLER_MAX];
    assert_int_equal(mcp_sessions_new(&t), ERR_OK);
    struct mcp_session *other = open_at(t, 2, 0);
    for (unsigned i = 0; i < MCP_SESSIONS_PER_CALLER_MAX; i++)
        mine[i] = open_at(t, 1, i);
    /* The first is busy, the second was used: so the third goes. */
    assert_int_equal(mcp_session_enter(mine[0], word("a"), 1), ERR_OK);
    assert_true(is_found(t, mcp_session_id(mine[1]), 1, 500));
    struct mcp_session *one_more = open_at(t, 1, 501);
    assert_false(mcp_session_is_ended(mine[0]));
    assert_false(mcp_session_is_ended(mine[1]));
    assert_true(mcp_session_is_ended(mine[2]));
    assert_false(is_found(t, mcp_session_id(mine[2]), 1, 501));
    assert_true(is_found(t, mcp_session_id(other), 2, 501));
    assert_int_equal(mcp_sessions_count(t), MCP_SESSIONS_PER_CALLER_MAX + 1);

    /* When all are busy, none goes and none comes. */
    for (unsigned i = 1; i < MCP_SESSIONS_PER_CALLER_MAX; i++)
        assert_int_equal(mcp_session_enter(mine[i], word("a"), 1 + i), ERR_OK);
    assert_int_equal(mcp_session_enter(one_more, word("a"), 999), ERR_OK);
    struct mcp_session *none = NULL;
    struct mcp_session_about about = {.binding = binding_of(1)};
    assert_int_equal(mcp_sessions_open(t, &about, IDLE_MS, 502, &none),
                     ERR_OVERLOAD);
    assert_null(none);
    assert_int_equal(mcp_sessions_count(t), MCP_SESSIONS_PER_CALLER_MAX + 1);

    for (unsigned i = 0; i < MCP_SESSIONS_PER_CALLER_MAX; i++)
        mcp_session_unref(mine[i]);
    mcp_session_unref(one_more);
    mcp_session_unref(other);
    mcp_sessions_free(t);
}

static void test_a_request_is_found_by_its_id_while_it_runs(void **state)
{
    (void)state;
    struct mcp_sessions *t;
    struct message_id none = {.type = MESSAGE_ID_NONE};
    struct message_id one = {MESSAGE_ID_INTEGER, STR_INIT("1")};
    char text[] = "mine";
    assert_int_equal(mcp_sessions_new(&t), ERR_OK);
    struct mcp_session *s = open_at(t, 1, 0);
    assert_int_equal(mcp_session_enter(s, word(text), 7), ERR_OK);
    assert_int_equal(mcp_session_enter(s, one, 8), ERR_OK);
    memset(text, 'x', 4); /* it was copied */
    assert_int_equal(mcp_session_enter(s, word("mine"), 9), ERR_CONFLICT);
    assert_int_equal(mcp_session_enter(s, word("1"), 10), ERR_OK);
    assert_int_equal(mcp_session_enter(s, none, 11), ERR_OK);
    assert_int_equal(mcp_session_enter(s, none, 12), ERR_OK);
    assert_int_equal(mcp_session_number(s, word("mine")), 7);
    assert_int_equal(mcp_session_number(s, one), 8);
    assert_int_equal(mcp_session_number(s, word("1")), 10);
    assert_int_equal(mcp_session_number(s, none), 0);
    mcp_session_leave(s, 7, 1);
    mcp_session_leave(s, 7, 1);
    assert_int_equal(mcp_session_number(s, word("mine")), 0);
    assert_int_equal(mcp_session_enter(s, word("mine"), 13), ERR_OK);

    uint64_t n = 100;
    char room[MESSAGE_DIGITS_MAX];
    enum err e = ERR_OK;
    for (; e == ERR_OK && n < 1000; n++)
        e = mcp_session_enter(s, message_id_number(n, room), n);
    assert_int_equal(e, ERR_OVERLOAD);
    assert_int_equal(n - 1 - 100, MCP_SESSION_CALLS_MAX - 3);
    mcp_session_unref(s);
    mcp_sessions_free(t);
}

static void test_there_are_so_many_sessions_and_no_more(void **state)
{
    (void)state;
    struct mcp_sessions *t;
    struct mcp_session *s = NULL;
    assert_int_equal(mcp_sessions_new(&t), ERR_OK);
    for (unsigned i = 0; i < MCP_SESSIONS_MAX; i++)
        mcp_session_unref(open_at(t, i / 4, 0));
    struct mcp_session_about about = {.binding = binding_of(1)};
    assert_int_equal(mcp_sessions_open(t, &about, IDLE_MS, 0, &s),
                     ERR_OVERLOAD);
    assert_null(s);
    mcp_sessions_sweep(t, IDLE_MS);
    assert_int_equal(mcp_sessions_count(t), 0);
    mcp_session_unref(open_at(t, 1, IDLE_MS));
    mcp_sessions_free(t);
}

/* ---- threads ---- */

enum { THREADS = 4, ROUNDS = 2000 };

struct player {
    struct thread thread;
    struct mcp_sessions *table;
    struct mcp_session *common;
    unsigned number;
    unsigned found;
};

static void play(void *arg)
{
    struct player *p = arg;
    struct hash common = binding_of(0);
    char room[MESSAGE_DIGITS_MAX];
    for (unsigned i = 0; i < ROUNDS; i++) {
        int64_t now_ms = i;
        uint64_t number = (uint64_t)p->number * ROUNDS + i + 1;
        struct message_id id = message_id_number(number, room);
        struct mcp_session *s = NULL;
        if (mcp_sessions_find(p->table, mcp_session_id(p->common), &common,
                              now_ms, &s) == ERR_OK) {
            p->found++;
            if (mcp_session_enter(s, id, number) == ERR_OK)
                mcp_session_leave(s, number, now_ms);
            mcp_session_unref(s);
        }
        /* A few bindings for all threads, so that bounds are met. */
        struct mcp_session_about about = {.binding = binding_of(i % 3)};
        if (mcp_sessions_open(p->table, &about, 50, now_ms, &s) == ERR_OK) {
            mcp_session_set_level(s, (int)i % 8);
            if (i % 2 == 0)
                mcp_session_end(s);
            mcp_session_unref(s);
        }
        if (i % 64 == 0)
            mcp_sessions_sweep(p->table, now_ms);
    }
}

static void test_threads_share_it(void **state)
{
    (void)state;
    static struct player players[THREADS];
    struct mcp_sessions *t;
    assert_int_equal(mcp_sessions_new(&t), ERR_OK);
    struct mcp_session *common = open_at(t, 0, 0);
    struct message_id id = word("keeps it busy");
    assert_int_equal(mcp_session_enter(common, id, 1 << 30), ERR_OK);
    for (unsigned i = 0; i < THREADS; i++) {
        players[i] = (struct player){.table = t, .common = common, .number = i};
        assert_int_equal(thread_start(&players[i].thread, "player", play,
                                      &players[i]),
                         ERR_OK);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        thread_join(&players[i].thread);
        assert_int_equal(players[i].found, ROUNDS);
    }
    assert_int_equal(mcp_session_number(common, id), 1 << 30);
    mcp_session_leave(common, 1 << 30, ROUNDS);
    mcp_sessions_sweep(t, (int64_t)10 * ROUNDS);
    assert_int_equal(mcp_sessions_count(t), 0);
    mcp_session_unref(common);
    mcp_sessions_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_07_an_id_proves_nothing),
        cmocka_unit_test(test_it_keeps_what_it_is_about),
        cmocka_unit_test(test_it_ends_when_told_to_or_idle),
        cmocka_unit_test(test_a_caller_has_so_many_and_no_more),
        cmocka_unit_test(test_a_request_is_found_by_its_id_while_it_runs),
        cmocka_unit_test(test_there_are_so_many_sessions_and_no_more),
        cmocka_unit_test(test_threads_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
