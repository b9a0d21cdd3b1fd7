/* Tests session: whose session it is, when it ends, how its key arrives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "base/attr.h"
#include "base/container.h"
#include "os/loop.h"
#include "os/thread.h"
#include "os/timer.h"
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

static void rule_07_a_session_follows_from_who_acts_for_whom(void **state)
{
    (void)state;
    static const struct session_owner others[] = {
        {STR_INIT("other"), STR_INIT("corp"), STR_INIT("corp|ann"),
         STR_INIT("")},
        {STR_INIT("acme"), STR_INIT("keys"), STR_INIT("corp|ann"),
         STR_INIT("")},
        {STR_INIT("acme"), STR_INIT("corp"), STR_INIT("corp|bob"),
         STR_INIT("")},
        {STR_INIT("acme"), STR_INIT("corp"), STR_INIT("corp|ann"),
         STR_INIT("acme/writer")},
        {STR_INIT("acme"), STR_INIT("corp"), STR_INIT(""),
         STR_INIT("corp|ann")},
        {STR_INIT("acmecorp"), STR_INIT(""), STR_INIT("corp|ann"),
         STR_INIT("")},
    };
    struct session_table *t;
    bool is_new;
    assert_int_equal(session_table_new(&t), ERR_OK);
    struct session *first = find(t, &ann, 0, &is_new);
    assert_true(is_new);
    struct session *again = find(t, &ann, 10, &is_new);
    assert_false(is_new);
    assert_ptr_equal(first, again);
    session_unref(again);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        struct session *other = find(t, &others[i], 10, &is_new);
        assert_true(is_new);
        assert_memory_not_equal(session_id(other), session_id(first),
                                SESSION_ID_LEN);
        session_unref(other);
    }
    assert_int_equal(session_table_count(t), 1 + ARRAY_LEN(others));
    assert_memory_equal(session_root(first), session_id(first), SESSION_ID_LEN);
    session_unref(first);
    session_table_free(t);
    session_table_free(NULL);
    session_unref(NULL);
}

static void rule_07_it_ends_when_idle_or_old(void **state)
{
    (void)state;
    struct session_table *t;
    bool is_new;
    assert_int_equal(session_table_new(&t), ERR_OK);
    struct session *s = find(t, &ann, 0, &is_new);
    session_unref(find(t, &ann, 999, &is_new));
    assert_false(is_new);
    session_unref(find(t, &ann, 999 + 999, &is_new));
    assert_false(is_new); /* use keeps it open */
    struct session *next = find(t, &ann, 999 + 999 + 1000, &is_new);
    assert_true(is_new); /* idle */
    assert_memory_not_equal(session_id(next), session_id(s), SESSION_ID_LEN);
    session_unref(s);
    int64_t opened = 2998;
    int64_t now = opened;
    while (now + 900 < opened + limits.max_ms) {
        now += 900;
        session_unref(find(t, &ann, now, &is_new));
        assert_false(is_new);
    }
    session_unref(find(t, &ann, opened + limits.max_ms, &is_new));
    assert_true(is_new); /* old */
    session_unref(next);

    /* The sweep closes both kinds, and nothing else. */
    session_table_free(t);
    assert_int_equal(session_table_new(&t), ERR_OK);
    for (int i = 0; i < 1000; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "user%d", i);
        const struct session_owner who = {.tenant = STR("acme"),
                                          .subject = str_from(name)};
        session_unref(find(t, &who, i, &is_new));
    }
    session_table_sweep(t, 999);
    assert_int_equal(session_table_count(t), 1000);
    session_table_sweep(t, 1499);
    assert_int_equal(session_table_count(t), 500);
    session_table_sweep(t, 5000);
    assert_int_equal(session_table_count(t), 0);
    session_unref(find(t, &ann, 6000, NULL));
    for (now = 6000; now < 11000; now += 500)
        session_unref(find(t, &ann, now, NULL));
    session_table_sweep(t, 11000);
    assert_int_equal(session_table_count(t), 0);
    session_table_free(t);
}

static void test_the_key_is_set_once_and_outlives_the_table(void **state)
{
    (void)state;
    struct session_table *t;
    assert_int_equal(session_table_new(&t), ERR_OK);
    struct session *s = find(t, &ann, 0, NULL);
    assert_false(session_has_key(s));
    session_set_key(s, KEY);
    assert_true(session_has_key(s));
    session_table_free(t);
    assert_true(str_eq(session_payload_key(s), KEY));
    session_unref(s);
}

static void test_without_a_key_the_next_call_opens_another(void **state)
{
    (void)state;
    struct session_table *t;
    bool is_new;
    assert_int_equal(session_table_new(&t), ERR_OK);
    struct session *s = find(t, &ann, 0, NULL);
    session_fail(s, ERR_KEEPER);
    assert_false(session_has_key(s));
    struct session *next = find(t, &ann, 1, &is_new);
    assert_true(is_new);
    assert_ptr_not_equal(next, s);
    session_unref(s);
    session_unref(next);
    session_table_free(t);
}

static void test_names_that_are_too_long_are_refused(void **state)
{
    (void)state;
    static char name[600];
    struct session_table *t;
    struct session *s = NULL;
    bool is_new = true;
    memset(name, 'n', sizeof(name));
    const struct session_owner who = {.tenant = {name, sizeof(name)}};
    assert_int_equal(session_table_new(&t), ERR_OK);
    assert_int_equal(session_find(t, &who, &limits, 0, &s, &is_new), ERR_LIMIT);
    assert_null(s);
    session_table_free(t);
}

static void rule_07_a_session_is_never_chosen_by_the_caller(void **state)
{
    (void)state;
    /* Nothing but the owner leads to a session: not even its id, unless the
     * node itself puts it back, and then for its owner alone. */
    struct session_table *t;
    bool is_new;
    assert_int_equal(session_table_new(&t), ERR_OK);
    struct session *s = find(t, &ann, 0, NULL);
    struct session_owner eve = ann;
    eve.subject = (struct str){(const char *)session_id(s), SESSION_ID_LEN};
    struct session *other = find(t, &eve, 0, &is_new);
    assert_true(is_new);
    assert_ptr_not_equal(other, s);
    struct session_row row = {.owner = eve, .opened_us = 1, .used_us = 1};
    memcpy(row.id, session_id(s), sizeof(row.id));
    memcpy(row.root, row.id, sizeof(row.root));
    row.owner.subject = STR("corp|eve");
    assert_int_equal(session_table_restore(t, &row, &limits, 1, 0),
                     ERR_OVERLOAD); /* that id is taken */
    assert_int_equal(session_table_count(t), 2);
    session_unref(other);
    session_unref(s);
    session_table_free(t);
}

static void test_what_a_session_did_is_counted(void **state)
{
    (void)state;
    struct session_table *t;
    assert_int_equal(session_table_new(&t), ERR_OK);
    struct session *s = find(t, &ann, 7, NULL);
    session_count(s, 1, 100);
    session_count(s, 1, 0);
    struct session_state now = session_state_of(s);
    assert_int_equal(now.calls, 2);
    assert_int_equal(now.tokens, 100);
    assert_int_equal(now.opened_ms, 7);
    session_unref(s);
    session_table_free(t);
}

static void test_an_ended_session_stays_a_handle_and_is_found_no_more(void **st)
{
    (void)st;
    static const unsigned char nobody[SESSION_ID_LEN];
    struct session_table *t;
    bool is_new;
    assert_int_equal(session_table_new(&t), ERR_OK);
    struct session *s = find(t, &ann, 0, NULL);
    session_set_key(s, KEY);
    assert_false(session_is_ended(s));
    assert_false(session_table_end(t, nobody));
    assert_true(session_table_end(t, session_id(s)));
    assert_false(session_table_end(t, session_id(s)));
    assert_true(session_is_ended(s));
    assert_int_equal(session_table_count(t), 0);
    struct session *next = find(t, &ann, 1, &is_new);
    assert_true(is_new);
    assert_false(session_is_ended(next));
    assert_memory_not_equal(session_id(next), session_id(s), SESSION_ID_LEN);
    assert_true(str_eq(session_payload_key(s), KEY));
    session_unref(s);
    session_unref(next);
    session_table_free(t);
}

/* --- waiting -------------------------------------------------------------- */

struct waiter {
    struct session_wait wait;
    struct loop *loop;
    unsigned runs;
    enum err result;
};

static void on_done(struct session_wait *w, enum err e)
{
    struct waiter *me = CONTAINER_OF(w, struct waiter, wait);
    me->runs++;
    me->result = e;
    assert_null(w->ticket);
}

static void stop(void *arg)
{
    loop_stop(arg);
}

/* Runs what was posted so far. */
static void turn(struct loop *l)
{
    assert_true(loop_post(l, stop, l));
    loop_run(l);
}

static struct waiter waiter(struct loop *l)
{
    return (struct waiter){.wait = {.done = on_done},
                           .loop = l,
                           .result = ERR_INTERNAL};
}

static void test_all_who_wait_are_told_once(void **state)
{
    (void)state;
    struct session_table *t;
    struct loop *l;
    assert_int_equal(session_table_new(&t), ERR_OK);
    assert_int_equal(loop_new(&l), ERR_OK);
    struct session *s = find(t, &ann, 0, NULL);
    struct waiter w[3] = {waiter(l), waiter(l), waiter(l)};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(session_await(s, l, &w[i].wait), ERR_OK);
    session_wait_cancel(&w[1].wait);
    session_wait_cancel(&w[1].wait); /* twice is fine */
    turn(l);
    assert_int_equal(w[0].runs, 0);
    session_set_key(s, KEY);
    assert_int_equal(w[0].runs, 0); /* in a later turn */
    turn(l);
    assert_int_equal(w[0].runs, 1);
    assert_int_equal(w[0].result, ERR_OK);
    assert_int_equal(w[1].runs, 0);
    assert_int_equal(w[2].runs, 1);

    /* When the key is there already. */
    struct waiter late = waiter(l);
    assert_int_equal(session_await(s, l, &late.wait), ERR_OK);
    assert_int_equal(late.runs, 0);
    turn(l);
    assert_int_equal(late.runs, 1);
    assert_int_equal(late.result, ERR_OK);

    /* Cancelled while the wake-up is on its way. */
    late = waiter(l);
    assert_int_equal(session_await(s, l, &late.wait), ERR_OK);
    session_wait_cancel(&late.wait);
    turn(l);
    assert_int_equal(late.runs, 0);
    session_unref(s);
    session_table_free(t);
    loop_free(l);
}

static void test_failure_reaches_all_who_wait(void **state)
{
    (void)state;
    struct session_table *t;
    struct loop *l;
    assert_int_equal(session_table_new(&t), ERR_OK);
    assert_int_equal(loop_new(&l), ERR_OK);
    struct session *s = find(t, &ann, 0, NULL);
    struct waiter w[2] = {waiter(l), waiter(l)};
    assert_int_equal(session_await(s, l, &w[0].wait), ERR_OK);
    session_fail(s, ERR_KEEPER);
    assert_int_equal(session_await(s, l, &w[1].wait), ERR_OK);
    session_unref(s);
    session_table_free(t);
    turn(l);
    assert_int_equal(w[0].result, ERR_KEEPER);
    assert_int_equal(w[1].result, ERR_KEEPER);
    loop_free(l);
}

/* --- threads -------------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 5000, OWNERS = 8, WAITERS = 3 };

struct worker {
    struct thread thread;
    struct session_table *table;
    struct loop *loop;
    struct timer alive; /* a loop without anything to wait for ends */
    unsigned seed;
    int64_t round;
    bool stores;
    _Atomic unsigned *opened;
    struct {
        struct waiter w;
        struct session *s;
    } waits[WAITERS];
};

static unsigned dice(struct worker *me)
{
    me->seed = me->seed * 1664525u + 1013904223u;
    return me->seed >> 16;
}

static void next_round(void *arg);

static void again(struct worker *me)
{
    assert_true(loop_post(me->loop, next_round, me));
}

static void on_key(struct session_wait *w, enum err e)
{
    struct waiter *me = CONTAINER_OF(w, struct waiter, wait);
    me->runs++;
    assert_int_equal(me->runs, 1);
    me->result = e;
}

/* Gives up what was waited for in an earlier round, told or not. */
static void drop(struct worker *me, unsigned i)
{
    if (me->waits[i].s == NULL)
        return;
    session_wait_cancel(&me->waits[i].w.wait);
    if (me->waits[i].w.runs == 1 && me->waits[i].w.result == ERR_OK)
        assert_true(str_eq(session_payload_key(me->waits[i].s), KEY));
    session_unref(me->waits[i].s);
    me->waits[i].s = NULL;
}

static void ask(struct worker *me, unsigned i)
{
    char name[16];
    bool is_new;
    (void)snprintf(name, sizeof(name), "user%u", dice(me) % OWNERS);
    const struct session_owner who = {.tenant = STR("acme"),
                                      .subject = str_from(name)};
    struct session *s = find(me->table, &who, me->round, &is_new);
    me->waits[i].s = s;
    me->waits[i].w = (struct waiter){.wait = {.done = on_key}};
    assert_int_equal(session_await(s, me->loop, &me->waits[i].w.wait), ERR_OK);
    if (!is_new)
        return;
    atomic_fetch_add(me->opened, 1);
    if (dice(me) % 4 == 0)
        session_fail(s, ERR_KEEPER);
    else
        session_set_key(s, KEY);
}

static void count_row(void *user, const struct session_row *row)
{
    unsigned *rows = user;
    assert_true(row->owner.subject.len > 0);
    (*rows)++;
}

static void count_closed(void *user, const unsigned char id[SESSION_ID_LEN])
{
    (void)id;
    (*(unsigned *)user)++;
}

/* One thread stores, as the table wants it; any may list. */
static void list_and_drain(struct worker *me)
{
    unsigned rows = 0;
    const struct session_changes to = {count_row, count_closed, &rows, 0};
    if (dice(me) % 64 == 0)
        session_table_each(me->table, me->round * 1000, me->round, count_row,
                           &rows);
    assert_true(rows <= OWNERS);
    if (!me->stores || dice(me) % 8 != 0)
        return;
    rows = 0;
    size_t told =
        session_table_drain(me->table, 4, me->round * 1000, me->round, &to);
    assert_int_equal(told, rows);
}

static void next_round(void *arg)
{
    struct worker *me = arg;
    unsigned i = dice(me) % WAITERS;
    drop(me, i);
    if (me->round++ == ROUNDS) {
        for (unsigned k = 0; k < WAITERS; k++)
            drop(me, k);
        timer_cancel(&me->alive);
        loop_stop(me->loop);
        return;
    }
    ask(me, i);
    if (dice(me) % 16 == 0)
        session_table_sweep(me->table, me->round * 20);
    if (dice(me) % 64 == 0)
        (void)session_table_end(me->table, session_id(me->waits[i].s));
    session_count(me->waits[i].s, 1, 1);
    if (me->seed % 2 == 0 && session_is_ended(me->waits[i].s))
        assert_true(session_state_of(me->waits[i].s).calls > 0);
    list_and_drain(me);
    again(me);
}

static void too_late(struct timer *t)
{
    (void)t;
    fail_msg("the threads have stopped moving");
}

static void run_worker(void *arg)
{
    struct worker *me = arg;
    timer_set(me->loop, &me->alive, 25000, too_late);
    again(me);
    loop_run(me->loop);
}

static void test_threads_share_the_table(void **state)
{
    (void)state;
    static struct worker workers[THREADS];
    _Atomic unsigned opened = 0;
    struct session_table *t;
    assert_int_equal(session_table_new(&t), ERR_OK);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.table = t, .seed = i, .opened = &opened};
        workers[i].stores = i == 0;
        assert_int_equal(loop_new(&workers[i].loop), ERR_OK);
        assert_int_equal(thread_start(&workers[i].thread, "worker", run_worker,
                                      &workers[i]),
                         ERR_OK);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        thread_join(&workers[i].thread);
        assert_int_equal(workers[i].round, ROUNDS + 1);
        loop_free(workers[i].loop);
    }
    assert_true(opened >= OWNERS);
    session_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_07_a_session_follows_from_who_acts_for_whom),
        cmocka_unit_test(rule_07_it_ends_when_idle_or_old),
        cmocka_unit_test(test_the_key_is_set_once_and_outlives_the_table),
        cmocka_unit_test(test_without_a_key_the_next_call_opens_another),
        cmocka_unit_test(test_names_that_are_too_long_are_refused),
        cmocka_unit_test(rule_07_a_session_is_never_chosen_by_the_caller),
        cmocka_unit_test(test_what_a_session_did_is_counted),
        cmocka_unit_test(
            test_an_ended_session_stays_a_handle_and_is_found_no_more),
        cmocka_unit_test(test_all_who_wait_are_told_once),
        cmocka_unit_test(test_failure_reaches_all_who_wait),
        cmocka_unit_test(test_threads_share_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
