/* Tests limit/limit under threads: exactly as many pass as there is room for,
 * and nothing is lost or left over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "base/attr.h"
#include "bench_limit.h"
#include "os/thread.h"

enum { THREADS = 8, ROUNDS = 3000 };

static const struct limit_link agents[] = {
    {STR_INIT("agent"), STR_INIT("acme/a"), STR_INIT("corp|alice")},
    {STR_INIT("agent"), STR_INIT("acme/b"), STR_INIT("corp|alice")},
    {STR_INIT("agent"), STR_INIT("acme/c"), STR_INIT("corp|bob")},
    {STR_INIT("agent"), STR_INIT("acme/d"), STR_INIT("corp|bob")},
};

struct team {
    struct limit_counters *counters;
    const struct limit_rules *rules;
    _Atomic uint64_t passed, refused, booked, wrong;
    _Atomic int64_t active, most;
    _Atomic bool stop;
    atomic_uint number;
};

static void start(struct team *t, struct thread threads[THREADS],
                  void (*run)(void *))
{
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(thread_start(&threads[i], "t", run, t), ERR_OK);
}

static void join(struct thread threads[THREADS])
{
    for (unsigned i = 0; i < THREADS; i++)
        thread_join(&threads[i]);
}

/* Everybody asks for all that there is, and keeps it. */
static void grab(void *arg)
{
    struct team *t = arg;
    unsigned me = atomic_fetch_add(&t->number, 1);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct limit_reservation hold = {0};
        struct limit_answer answer;
        struct limit_ask ask =
            bench_limit_ask(&agents[(me + i) % ARRAY_LEN(agents)], 1,
                            BENCH_START + i);
        if (limit_reserve(t->counters, t->rules, &ask, &hold, &answer) !=
            ERR_OK) {
            atomic_fetch_add(&t->refused, 1);
            continue;
        }
        atomic_fetch_add(&t->passed, 1);
        limit_settle(t->counters, &hold, true, 1);
    }
}

static void test_exactly_as_many_pass_as_there_is_room_for(void **state)
{
    (void)state;
    static const struct {
        struct limit_settings rules[3];
        size_t count;
        uint64_t want;
    } rows[] = {
        {{{.name = STR_INIT("n"),
           .per = LIMIT_PER_TENANT,
           .budget_requests = 100,
           .budget_window_ms = 3600000}},
         1,
         100},
        {{{.name = STR_INIT("n"),
           .per = LIMIT_PER_TENANT,
           .rate_requests = 100,
           .rate_window_ms = 86400000}},
         1,
         100},
        /* Both owners together, and each by itself. */
        {{{.name = STR_INIT("n"),
           .per = LIMIT_PER_OWNER,
           .budget_tokens = 70,
           .budget_window_ms = 3600000},
          {.name = STR_INIT("all"),
           .per = LIMIT_PER_TENANT,
           .budget_requests = 100,
           .budget_window_ms = 3600000}},
         2,
         100},
        /* What the second refuses leaves nothing in the first. */
        {{{.name = STR_INIT("n"),
           .per = LIMIT_PER_PRINCIPAL,
           .budget_tokens = 25,
           .budget_window_ms = 3600000},
          {.name = STR_INIT("o"),
           .per = LIMIT_PER_OWNER,
           .budget_tokens = 49,
           .budget_window_ms = 3600000},
          {.name = STR_INIT("all"),
           .per = LIMIT_PER_TENANT,
           .rate_requests = 98,
           .rate_window_ms = 86400000}},
         3,
         98},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct thread threads[THREADS];
        struct limit_rules *rules =
            bench_limit_rules(rows[i].rules, rows[i].count);
        struct team t = {.counters = bench_limit_counters(), .rules = rules};
        start(&t, threads, grab);
        join(threads);
        assert_int_equal(t.passed, rows[i].want);
        assert_int_equal(t.passed + t.refused, THREADS * ROUNDS);
        limit_counters_free(t.counters);
        limit_rules_free(rules);
    }
}

static void note_most(struct team *t)
{
    int64_t now = atomic_fetch_add(&t->active, 1) + 1;
    int64_t most = atomic_load(&t->most);
    while (now > most && !atomic_compare_exchange_weak(&t->most, &most, now)) {
    }
}

/* Reserves much and books something else, over many counters. */
static void work(void *arg)
{
    struct team *t = arg;
    unsigned me = atomic_fetch_add(&t->number, 1);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct limit_reservation hold = {0};
        struct limit_answer answer;
        char session[8];
        struct limit_ask ask =
            bench_limit_ask(&agents[(me + i) % ARRAY_LEN(agents)], 50,
                            BENCH_START + i);
        ask.session.len =
            (size_t)snprintf(session, sizeof(session), "%u", i % 40);
        ask.session.ptr = session;
        if (limit_reserve(t->counters, t->rules, &ask, &hold, &answer) !=
            ERR_OK)
            continue;
        note_most(t);
        uint64_t tokens = i % 7;
        bool sent = i % 5 != 0;
        atomic_fetch_add(&t->passed, sent ? 1 : 0);
        atomic_fetch_add(&t->booked, sent ? tokens : 0);
        atomic_fetch_sub(&t->active, 1);
        limit_settle(t->counters, &hold, sent, tokens);
    }
}

struct totals {
    uint64_t requests, tokens, reserved;
};

static void add_row(void *user, const struct limit_row *row)
{
    struct totals *to = user;
    if (!str_eq(row->limit, STR("s")))
        return;
    to->requests += row->used_requests;
    to->tokens += row->used_tokens;
    to->reserved += row->reserved_requests + row->reserved_tokens;
}

/* What the control thread does meanwhile. */
static void look_around(void *arg)
{
    struct team *t = arg;
    while (!atomic_load(&t->stop)) {
        struct totals all = {0};
        limit_sweep(t->counters, BENCH_START);
        (void)limit_checkpoint_begin(t->counters);
        while (!limit_checkpoint_ready(t->counters)) {
        }
        limit_each_checkpoint(t->counters, BENCH_START, add_row, &all);
        uint64_t cut = all.tokens;
        all = (struct totals){0};
        limit_each(t->counters, t->rules, BENCH_START, add_row, &all);
        if (cut > all.tokens)
            atomic_fetch_add(&t->wrong, 1);
    }
}

static void test_nothing_is_lost_while_others_look(void **state)
{
    (void)state;
    static const struct limit_settings rules[] = {
        {.name = STR_INIT("s"),
         .per = LIMIT_PER_SESSION,
         .budget_tokens = 1000000,
         .budget_requests = 1000000,
         .budget_window_ms = 3600000},
        {.name = STR_INIT("t"),
         .per = LIMIT_PER_TENANT,
         .budget_tokens = 1000000,
         .budget_window_ms = 3600000},
        {.name = STR_INIT("c"), .per = LIMIT_PER_TENANT, .concurrency = 5},
        {.name = STR_INIT("p"),
         .budget_tokens = 1000000,
         .budget_window_ms = 3600000},
    };
    struct thread threads[THREADS], control;
    struct limit_rules *r = bench_limit_rules(rules, ARRAY_LEN(rules));
    struct team t = {.counters = bench_limit_counters(), .rules = r};
    assert_int_equal(thread_start(&control, "control", look_around, &t),
                     ERR_OK);
    start(&t, threads, work);
    join(threads);
    atomic_store(&t.stop, true);
    thread_join(&control);
    struct totals all = {0};
    limit_each(t.counters, r, BENCH_START, add_row, &all);
    assert_int_equal(all.requests, t.passed);
    assert_int_equal(all.tokens, t.booked);
    assert_int_equal(all.reserved, 0);
    assert_int_equal(t.wrong, 0);
    assert_in_range(t.most, 1, 5);
    assert_true(t.passed > 0);
    (void)limit_checkpoint_begin(t.counters);
    assert_true(limit_checkpoint_ready(t.counters));
    all = (struct totals){0};
    limit_each_checkpoint(t.counters, BENCH_START, add_row, &all);
    assert_int_equal(all.tokens, t.booked);
    limit_counters_free(t.counters);
    limit_rules_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exactly_as_many_pass_as_there_is_room_for),
        cmocka_unit_test(test_nothing_is_lost_while_others_look),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
