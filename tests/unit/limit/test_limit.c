/* Tests limit/limit: whom limits count, all or nothing, windows, settling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "bench_limit.h"
#include "limit/limit_table.h"

#define NAMES(...)                                                             \
    {.at = (const struct str[]){__VA_ARGS__},                                  \
     .count = sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str)}

static const struct limit_link writer = {STR_INIT("agent"),
                                         STR_INIT("acme/writer"),
                                         STR_INIT("corp|alice")};
static const struct limit_link reader = {STR_INIT("agent"),
                                         STR_INIT("acme/reader"),
                                         STR_INIT("corp|alice")};
static const struct limit_link alice = {STR_INIT("human"),
                                        STR_INIT("corp|alice"),
                                        {NULL, 0}};
static const struct limit_link app = {STR_INIT("application"),
                                      STR_INIT("corp|alice"),
                                      STR_INIT("corp|bob")};

/* ---- whom ---- */

struct whom {
    struct limit_settings rule;
    const char *want; /* "whom whom", or "" where it does not apply */
};

static struct str wanted(const char **at)
{
    struct str s = str_from(*at);
    s = str_first(s, str_find(s, ' '));
    *at += s.len + ((*at)[s.len] == ' ' ? 1 : 0);
    return s;
}

/* The chain is alice, her application, writer, reader. */
static void check_whom(const struct whom *row)
{
    const struct limit_link chain[] = {alice, app, writer, reader};
    struct limit_rules *r = bench_limit_rules(&row->rule, 1);
    struct limit_counters *c = bench_limit_counters();
    struct limit_ask ask = bench_limit_ask(chain, 10, BENCH_START);
    ask.link_count = ARRAY_LEN(chain);
    struct limit_reservation hold = {0};
    struct limit_answer answer;
    struct limit_note notes[LIMIT_HOLDS_MAX];
    assert_int_equal(limit_reserve(c, r, &ask, &hold, &answer), ERR_OK);
    size_t n = limit_notes(&hold, notes, LIMIT_HOLDS_MAX);
    const char *at = row->want;
    size_t want = 0;
    for (struct str s = wanted(&at); s.len > 0; s = wanted(&at)) {
        bool found = false;
        for (size_t i = 0; i < n; i++)
            found = found || str_eq(notes[i].whom, s);
        if (!found)
            print_error("%s: no %.*s\n", row->want, STR_FMT(s));
        assert_true(found);
        want++;
    }
    assert_int_equal(n, want);
    assert_int_equal(answer.requests.present, want > 0);
    limit_settle(c, &hold, true, 10);
    assert_int_equal(hold.count, 0);
    limit_counters_free(c);
    limit_rules_free(r);
}

#define RULE(...)                                                              \
    {.name = STR_INIT("r"),                                                    \
     .budget_requests = 5,                                                     \
     .budget_window_ms = 1000,                                                 \
     __VA_ARGS__}

/* Out here, where the lists in them live long enough. */
static const struct whom whoms[] = {
    {RULE(.per = LIMIT_PER_PRINCIPAL),
     "human:corp|alice application:corp|alice agent:acme/writer "
     "agent:acme/reader"},
    {RULE(.match.kinds = NAMES(STR_INIT("agent"))),
     "agent:acme/writer agent:acme/reader"},
    {RULE(.match.kinds = NAMES(STR_INIT("human"), STR_INIT("application"))),
     "human:corp|alice application:corp|alice"},
    {RULE(.match.kinds = NAMES(STR_INIT("workload"))), ""},
    {RULE(.match.principals = NAMES(STR_INIT("acme/reader"))),
     "agent:acme/reader"},
    {RULE(.match.principals = NAMES(STR_INIT("corp|alice")),
          .match.kinds = NAMES(STR_INIT("application"))),
     "application:corp|alice"},
    {RULE(.match.principals = NAMES(STR_INIT("acme/nobody"))), ""},
    {RULE(.per = LIMIT_PER_OWNER), "corp|alice corp|bob"},
    {RULE(.per = LIMIT_PER_OWNER, .match.kinds = NAMES(STR_INIT("agent"))),
     "corp|alice"},
    {RULE(.per = LIMIT_PER_OWNER, .match.kinds = NAMES(STR_INIT("human"))), ""},
    {RULE(.per = LIMIT_PER_TENANT), "acme"},
    {RULE(.per = LIMIT_PER_MODEL), "acme/small"},
    {RULE(.per = LIMIT_PER_SESSION), "s1"},
    {RULE(.per = LIMIT_PER_TENANT, .match.kinds = NAMES(STR_INIT("workload"))),
     ""},
    {RULE(.per = LIMIT_PER_TENANT,
          .match.tenants = NAMES(STR_INIT("other"), STR_INIT("acme"))),
     "acme"},
    {RULE(.per = LIMIT_PER_TENANT, .match.tenants = NAMES(STR_INIT("other"))),
     ""},
    {RULE(.per = LIMIT_PER_TENANT, .match.models = NAMES(STR_INIT("large"))),
     ""},
    {RULE(.per = LIMIT_PER_MODEL, .match.models = NAMES(STR_INIT("small"))),
     "acme/small"},
};

static void test_a_limit_counts_whom_it_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(whoms); i++)
        check_whom(&whoms[i]);
}

static void test_no_session_is_not_counted_as_one(void **state)
{
    (void)state;
    const struct limit_settings s = RULE(.per = LIMIT_PER_SESSION);
    struct limit_rules *r = bench_limit_rules(&s, 1);
    struct limit_counters *c = bench_limit_counters();
    struct limit_ask ask = bench_limit_ask(&writer, 10, BENCH_START);
    ask.session = (struct str){NULL, 0};
    struct limit_reservation hold = {0};
    struct limit_answer answer;
    assert_int_equal(limit_reserve(c, r, &ask, &hold, &answer), ERR_OK);
    assert_int_equal(hold.count, 0);
    assert_false(answer.requests.present);
    limit_counters_free(c);
    limit_rules_free(r);
}

static void test_rules_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static const char name[NAME_MAX_LEN + 2] = {0};
    const struct limit_settings bad[][2] = {
        {{.name = STR("a"), .concurrency = 1},
         {.name = STR("a"), .concurrency = 2}},
        {{.name = STR("a"), .rate_requests = 1}, {.name = STR("b")}},
        {{.name = STR("a"), .budget_tokens = 1}, {.name = STR("b")}},
        {{.name = STR("a"), .rate_requests = 1, .rate_window_ms = INT64_MAX},
         {.name = STR("b")}},
        {{.name = {name, sizeof(name)}}, {.name = STR("b")}},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const struct settings s = {.limits = bad[i], .limit_count = 2};
        struct limit_rules *r = NULL;
        assert_int_equal(limit_rules_new(&s, &r), ERR_CONFIG);
        assert_null(r);
    }
    limit_rules_free(NULL);
    limit_counters_free(NULL);
}

static void test_too_many_limits_or_too_long_a_name_refuse(void **state)
{
    (void)state;
    static char names[LIMIT_HOLDS_MAX + 1][3];
    struct limit_settings many[LIMIT_HOLDS_MAX + 1];
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        names[i][0] = (char)('a' + i);
        many[i] = (struct limit_settings){.name = {names[i], 1},
                                          .per = LIMIT_PER_TENANT,
                                          .concurrency = 1};
    }
    struct limit_counters *c = bench_limit_counters();
    struct limit_reservation hold = {0};
    struct limit_answer answer;
    struct limit_ask ask = bench_limit_ask(&writer, 10, BENCH_START);
    struct limit_rules *r = bench_limit_rules(many, ARRAY_LEN(many));
    assert_int_equal(limit_reserve(c, r, &ask, &hold, &answer), ERR_LIMIT);
    assert_int_equal(hold.count, 0);
    limit_rules_free(r);

    r = bench_limit_rules(many, LIMIT_HOLDS_MAX);
    assert_int_equal(limit_reserve(c, r, &ask, &hold, &answer), ERR_OK);
    assert_int_equal(hold.count, LIMIT_HOLDS_MAX);
    limit_settle(c, &hold, true, 0);
    static char tenant[LIMIT_KEY_MAX + 1];
    memset(tenant, 'x', sizeof(tenant));
    ask.tenant = (struct str){tenant, LIMIT_KEY_MAX};
    assert_int_equal(limit_reserve(c, r, &ask, &hold, &answer), ERR_OK);
    limit_settle(c, &hold, true, 0);
    ask.tenant.len++;
    assert_int_equal(limit_reserve(c, r, &ask, &hold, &answer), ERR_LIMIT);
    limit_rules_free(r);
    limit_counters_free(c);
}

/* ---- all or nothing ---- */

static void test_a_refusal_leaves_nothing_taken(void **state)
{
    (void)state;
    static const struct limit_settings rules[] = {
        {.name = STR_INIT("slots"), .concurrency = 2},
        {.name = STR_INIT("rate"),
         .per = LIMIT_PER_TENANT,
         .rate_requests = 100,
         .rate_window_ms = 1000},
        {.name = STR_INIT("tokens"),
         .per = LIMIT_PER_OWNER,
         .budget_tokens = 100,
         .budget_window_ms = 60000},
    };
    struct limit_rules *r = bench_limit_rules(rules, ARRAY_LEN(rules));
    struct limit_counters *c = bench_limit_counters();
    struct limit_reservation hold = {0}, other = {0};
    struct limit_answer answer;
    struct limit_ask ask = bench_limit_ask(&writer, 101, BENCH_START);

    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(limit_reserve(c, r, &ask, &hold, &answer), ERR_BUDGET);
        assert_true(str_eq(answer.refused_by, STR("tokens")));
        assert_int_equal(answer.retry_ms, 60000);
        assert_int_equal(hold.count, 0);
    }
    ask.tokens = 60;
    assert_int_equal(limit_reserve(c, r, &ask, &hold, &answer), ERR_OK);
    assert_int_equal(answer.requests.remaining, 99);
    assert_int_equal(answer.tokens.remaining, 40);
    ask.links = &reader; /* the same owner */
    assert_int_equal(limit_reserve(c, r, &ask, &other, &answer), ERR_BUDGET);
    assert_int_equal(answer.tokens.remaining, 40);
    assert_int_equal(answer.requests.remaining, 99);
    ask.tokens = 40;
    assert_int_equal(limit_reserve(c, r, &ask, &other, &answer), ERR_OK);
    assert_int_equal(answer.tokens.remaining, 0);
    limit_settle(c, &hold, false, 0);
    limit_settle(c, &other, false, 0);

    /* Nothing was sent: all of it is back. */
    ask.tokens = 100;
    assert_int_equal(limit_reserve(c, r, &ask, &hold, &answer), ERR_OK);
    assert_int_equal(answer.requests.remaining, 99);
    limit_settle(c, &hold, true, 100);
    limit_counters_free(c);
    limit_rules_free(r);
}

static void test_what_is_refused_longest_says_when_to_come_back(void **state)
{
    (void)state;
    static const struct limit_settings rules[] = {
        {.name = STR_INIT("rate"), .rate_requests = 1, .rate_window_ms = 2500},
        {.name = STR_INIT("slots"), .per = LIMIT_PER_TENANT, .concurrency = 1},
        {.name = STR_INIT("day"),
         .per = LIMIT_PER_MODEL,
         .budget_requests = 1,
         .budget_window_ms = 86400000},
    };
    static const struct {
        size_t count;
        const char *by;
        enum err err;
        int64_t retry_ms;
    } rows[] = {{1, "rate", ERR_RATE, 2500},
                {2, "rate", ERR_RATE, 2500},
                {3, "day", ERR_BUDGET, 86400000}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct limit_rules *r = bench_limit_rules(rules, rows[i].count);
        struct limit_counters *c = bench_limit_counters();
        struct limit_reservation a = {0}, b = {0};
        struct limit_answer answer;
        struct limit_ask ask = bench_limit_ask(&writer, 1, BENCH_START);
        assert_int_equal(limit_reserve(c, r, &ask, &a, &answer), ERR_OK);
        assert_int_equal(limit_reserve(c, r, &ask, &b, &answer), rows[i].err);
        assert_true(str_eq(answer.refused_by, str_from(rows[i].by)));
        assert_int_equal(answer.retry_ms, rows[i].retry_ms);
        limit_settle(c, &a, true, 1);
        limit_counters_free(c);
        limit_rules_free(r);
    }
}

static void test_concurrency_is_given_back_at_the_end(void **state)
{
    (void)state;
    static const struct limit_settings rule = {.name = STR_INIT("slots"),
                                               .concurrency = 2};
    struct limit_rules *r = bench_limit_rules(&rule, 1);
    struct limit_counters *c = bench_limit_counters();
    struct limit_reservation a = {0}, b = {0}, d = {0};
    struct limit_answer answer;
    struct limit_ask ask = bench_limit_ask(&writer, 1, BENCH_START);
    assert_int_equal(limit_reserve(c, r, &ask, &a, &answer), ERR_OK);
    assert_int_equal(limit_reserve(c, r, &ask, &b, &answer), ERR_OK);
    assert_int_equal(limit_reserve(c, r, &ask, &d, &answer), ERR_RATE);
    assert_true(answer.retry_ms > 0);
    limit_sweep(c, BENCH_START + BENCH_DAY); /* not what is under way */
    assert_int_equal(limit_reserve(c, r, &ask, &d, &answer), ERR_RATE);
    limit_settle(c, &a, true, 1);
    limit_settle(c, &a, true, 1); /* empty: does nothing */
    assert_int_equal(limit_reserve(c, r, &ask, &d, &answer), ERR_OK);
    assert_int_equal(limit_reserve(c, r, &ask, &a, &answer), ERR_RATE);
    limit_settle(c, &b, false, 0);
    limit_settle(c, &d, true, 1);
    limit_counters_free(c);
    limit_rules_free(r);
}

/* ---- windows and settling ---- */

struct step {
    enum { RESERVE, SETTLE, UNSENT } what;
    unsigned slot;
    int64_t at_us; /* after BENCH_START */
    uint64_t tokens;
    enum err want;
    int64_t used, reserved; /* afterwards; -1: no counter is listed */
};

static void walk(const struct step *steps, size_t n)
{
    static const struct limit_settings rule = {.name = STR_INIT("t"),
                                               .budget_tokens = 100,
                                               .budget_window_ms = 3600000};
    struct limit_rules *r = bench_limit_rules(&rule, 1);
    struct limit_counters *c = bench_limit_counters();
    struct limit_reservation holds[4] = {0};
    struct limit_answer answer;
    for (size_t i = 0; i < n; i++) {
        const struct step *s = &steps[i];
        int64_t now = BENCH_START + s->at_us;
        struct limit_ask ask = bench_limit_ask(&writer, s->tokens, now);
        enum err e = ERR_OK;
        if (s->what == RESERVE)
            e = limit_reserve(c, r, &ask, &holds[s->slot], &answer);
        else
            limit_settle(c, &holds[s->slot], s->what == SETTLE, s->tokens);
        struct limit_row row =
            bench_limit_find(c, r, "t", "agent:acme/writer", now);
        if (e != s->want || row.used_tokens != (uint64_t)s->used ||
            row.reserved_tokens != (uint64_t)s->reserved)
            print_error("step %zu\n", i);
        assert_int_equal(e, s->want);
        assert_int_equal(row.used_tokens, s->used);
        assert_int_equal(row.reserved_tokens, s->reserved);
    }
    for (size_t i = 0; i < ARRAY_LEN(holds); i++)
        limit_settle(c, &holds[i], true, 0);
    limit_counters_free(c);
    limit_rules_free(r);
}

static void test_what_was_used_is_booked_also_beyond(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {RESERVE, 0, 0, 60, ERR_OK, 0, 60},
        {RESERVE, 1, 0, 41, ERR_BUDGET, 0, 60},
        {SETTLE, 0, 1, 20, ERR_OK, 20, 0},
        {RESERVE, 1, 2, 80, ERR_OK, 20, 80},
        {SETTLE, 1, 3, 500, ERR_OK, 520, 0},
        {RESERVE, 1, 4, 0, ERR_BUDGET, 520, 0},
        {RESERVE, 1, BENCH_HOUR, 100, ERR_OK, 0, 100},
        {SETTLE, 1, BENCH_HOUR, LIMIT_TOKENS_RESERVED, ERR_OK, 100, 0},
    };
    walk(steps, ARRAY_LEN(steps));
}

static void test_a_window_that_has_ended_is_not_touched(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {RESERVE, 0, BENCH_HOUR - 1, 90, ERR_OK, 0, 90},
        {RESERVE, 1, BENCH_HOUR, 90, ERR_OK, 0, 90},
        {SETTLE, 0, BENCH_HOUR, 90, ERR_OK, 0, 90},
        {RESERVE, 2, BENCH_HOUR, 10, ERR_OK, 0, 100},
        {UNSENT, 1, BENCH_HOUR, 0, ERR_OK, 0, 10},
        {SETTLE, 2, 2 * BENCH_HOUR - 1, 11, ERR_OK, 11, 0},
    };
    walk(steps, ARRAY_LEN(steps));
}

static void test_a_clock_that_goes_back_renews_no_budget(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {RESERVE, 0, 5 * BENCH_HOUR, 60, ERR_OK, 0, 60},
        {SETTLE, 0, 5 * BENCH_HOUR, 60, ERR_OK, 60, 0},
        /* One window back: it stays where it is. */
        {RESERVE, 0, 4 * BENCH_HOUR, 41, ERR_BUDGET, 60, 0},
        {RESERVE, 0, 4 * BENCH_HOUR, 40, ERR_OK, 60, 40},
        {SETTLE, 0, 4 * BENCH_HOUR, 10, ERR_OK, 70, 0},
        {RESERVE, 1, 5 * BENCH_HOUR, 20, ERR_OK, 70, 20},
        /* A long way back: what was taken goes along, and ends there. */
        {RESERVE, 0, BENCH_HOUR, 11, ERR_BUDGET, 90, 0},
        {RESERVE, 0, BENCH_HOUR, 10, ERR_OK, 90, 10},
        {SETTLE, 1, BENCH_HOUR, 1, ERR_OK, 90, 10},
        {SETTLE, 0, BENCH_HOUR, 10, ERR_OK, 100, 0},
        {RESERVE, 0, 2 * BENCH_HOUR, 100, ERR_OK, 0, 100},
    };
    walk(steps, ARRAY_LEN(steps));
}

static void
test_a_clock_that_leaps_and_comes_back_renews_no_budget(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {RESERVE, 0, 50 * BENCH_HOUR, 60, ERR_OK, 0, 60},
        {SETTLE, 0, 50 * BENCH_HOUR, 60, ERR_OK, 60, 0},
        /* A day back, and right again. */
        {RESERVE, 0, 26 * BENCH_HOUR, 10, ERR_OK, 60, 10},
        {SETTLE, 0, 26 * BENCH_HOUR, 10, ERR_OK, 70, 0},
        {RESERVE, 0, 50 * BENCH_HOUR, 41, ERR_BUDGET, 60, 0},
        {RESERVE, 0, 50 * BENCH_HOUR, 20, ERR_OK, 60, 20},
        {SETTLE, 0, 50 * BENCH_HOUR, 20, ERR_OK, 80, 0},
        {RESERVE, 0, 50 * BENCH_HOUR, 5, ERR_OK, 80, 5},
        /* A day ahead: that has a budget of its own.  What is under way
         * counts as used in the window that is left. */
        {RESERVE, 1, 74 * BENCH_HOUR, 100, ERR_OK, 0, 100},
        {SETTLE, 0, 74 * BENCH_HOUR, 1, ERR_OK, 0, 100},
        {RESERVE, 0, 50 * BENCH_HOUR, 16, ERR_BUDGET, 85, 0},
        {RESERVE, 0, 50 * BENCH_HOUR, 15, ERR_OK, 85, 15},
        {SETTLE, 0, 50 * BENCH_HOUR, 15, ERR_OK, 100, 0},
        {SETTLE, 1, 50 * BENCH_HOUR, 1, ERR_OK, 100, 0},
        {RESERVE, 0, 74 * BENCH_HOUR, 1, ERR_BUDGET, 100, 0},
    };
    walk(steps, ARRAY_LEN(steps));
}

static void test_states_tell_the_tightest(void **state)
{
    (void)state;
    static const struct limit_settings rules[] = {
        {.name = STR_INIT("wide"),
         .budget_tokens = 1000,
         .budget_requests = 50,
         .budget_window_ms = 3600000},
        {.name = STR_INIT("tight"),
         .per = LIMIT_PER_TENANT,
         .budget_tokens = 500,
         .budget_requests = 60,
         .budget_window_ms = 60000},
        {.name = STR_INIT("rate"),
         .per = LIMIT_PER_TENANT,
         .rate_requests = 55,
         .rate_window_ms = 55000},
    };
    struct limit_rules *r = bench_limit_rules(rules, ARRAY_LEN(rules));
    struct limit_counters *c = bench_limit_counters();
    struct limit_reservation hold = {0};
    struct limit_answer a;
    struct limit_ask ask = bench_limit_ask(&writer, 100, BENCH_START + 1);
    assert_int_equal(limit_reserve(c, r, &ask, &hold, &a), ERR_OK);
    assert_true(a.requests.present && !a.requests.tokens);
    assert_true(str_eq(a.requests.name, STR("wide")));
    assert_int_equal(a.requests.limit, 50);
    assert_int_equal(a.requests.remaining, 49);
    assert_int_equal(a.requests.reset_ms, 3600000);
    assert_true(a.tokens.present && a.tokens.tokens);
    assert_true(str_eq(a.tokens.name, STR("tight")));
    assert_int_equal(a.tokens.limit, 500);
    assert_int_equal(a.tokens.remaining, 400);
    assert_int_equal(a.tokens.reset_ms, 60000);
    assert_int_equal(a.refused_by.len, 0);
    limit_settle(c, &hold, true, 100);

    ask.links = &reader;
    unsigned n = 0;
    while (limit_reserve(c, r, &ask, &hold, &a) == ERR_OK) {
        limit_settle(c, &hold, true, 0);
        n++;
    }
    assert_int_equal(n, 50); /* "wide" counts the reader by itself */
    assert_true(str_eq(a.requests.name, STR("wide")));
    assert_int_equal(a.requests.remaining, 0);
    limit_counters_free(c);
    limit_rules_free(r);
}

static void test_counters_outlive_the_rules(void **state)
{
    (void)state;
    static const struct limit_settings small = {.name = STR_INIT("t"),
                                                .budget_tokens = 100,
                                                .budget_window_ms = 3600000};
    static const struct limit_settings large = {.name = STR_INIT("t"),
                                                .budget_tokens = 150,
                                                .budget_requests = 10,
                                                .budget_window_ms = 3600000};
    struct limit_counters *c = bench_limit_counters();
    struct limit_rules *r = bench_limit_rules(&small, 1);
    struct limit_reservation hold = {0};
    struct limit_answer a;
    struct limit_ask ask = bench_limit_ask(&writer, 100, BENCH_START);
    assert_int_equal(limit_reserve(c, r, &ask, &hold, &a), ERR_OK);
    limit_rules_free(r); /* a reload in the middle of a call */
    r = bench_limit_rules(&large, 1);
    limit_settle(c, &hold, true, 100);
    assert_int_equal(limit_reserve(c, r, &ask, &hold, &a), ERR_BUDGET);
    ask.tokens = 50;
    assert_int_equal(limit_reserve(c, r, &ask, &hold, &a), ERR_OK);
    assert_int_equal(a.requests.remaining, 8);
    limit_settle(c, &hold, true, 50);
    struct limit_row row =
        bench_limit_find(c, r, "t", "agent:acme/writer", BENCH_START);
    assert_int_equal(row.used_tokens, 150);
    assert_int_equal(row.used_requests, 2);
    assert_int_equal(row.limit_tokens, 150);
    assert_int_equal(row.limit_requests, 10);
    assert_int_equal(row.window_us, BENCH_HOUR);
    assert_int_equal(row.window_start_us, BENCH_START);
    limit_rules_free(r);
    r = bench_limit_rules(NULL, 0);
    row = bench_limit_find(c, r, "t", "agent:acme/writer", BENCH_START);
    assert_int_equal(row.used_tokens, 150);
    assert_int_equal(row.limit_tokens, 0);
    limit_rules_free(r);
    limit_counters_free(c);
}

/* ---- bounded memory ---- */

static void count_rows(void *user, const struct limit_row *row)
{
    (void)row;
    ++*(size_t *)user;
}

static void test_a_sweep_forgets_what_has_ended(void **state)
{
    (void)state;
    static const struct limit_settings rules[] = {
        {.name = STR_INIT("t"),
         .per = LIMIT_PER_SESSION,
         .budget_tokens = 100,
         .budget_window_ms = 3600000},
        {.name = STR_INIT("r"),
         .per = LIMIT_PER_SESSION,
         .rate_requests = 1,
         .rate_window_ms = 7200000},
    };
    struct limit_rules *r = bench_limit_rules(rules, ARRAY_LEN(rules));
    struct limit_counters *c = bench_limit_counters();
    struct limit_answer a;
    char id[16];
    for (unsigned i = 0; i < 5000; i++) {
        struct limit_reservation hold = {0};
        struct limit_ask ask = bench_limit_ask(&writer, 10, BENCH_START);
        ask.session.len = (size_t)snprintf(id, sizeof(id), "%u", i);
        ask.session.ptr = id;
        assert_int_equal(limit_reserve(c, r, &ask, &hold, &a), ERR_OK);
        limit_settle(c, &hold, true, 10);
    }
    size_t n = 0;
    limit_each(c, r, BENCH_START, count_rows, &n);
    assert_int_equal(n, 5000);
    limit_sweep(c, BENCH_START + BENCH_HOUR - 1);
    n = 0;
    limit_each(c, r, BENCH_START, count_rows, &n);
    assert_int_equal(n, 5000);
    n = 0;
    limit_each(c, r, BENCH_START + BENCH_HOUR, count_rows, &n);
    assert_int_equal(n, 0);
    limit_sweep(c, BENCH_START + BENCH_HOUR);
    n = 0;
    limit_each(c, r, BENCH_START, count_rows, &n);
    assert_int_equal(n, 0);
    /* The buckets are still there. */
    struct limit_reservation hold = {0};
    struct limit_ask ask =
        bench_limit_ask(&writer, 10, BENCH_START + BENCH_HOUR);
    ask.session = (struct str){id, 4};
    assert_int_equal(limit_reserve(c, r, &ask, &hold, &a), ERR_RATE);
    limit_sweep(c, BENCH_START + 2 * BENCH_HOUR);
    ask.now_us = BENCH_START + BENCH_HOUR;
    assert_int_equal(limit_reserve(c, r, &ask, &hold, &a), ERR_OK);
    limit_settle(c, &hold, true, 0);
    limit_counters_free(c);
    limit_rules_free(r);
}

static void test_a_full_table_refuses_whom_it_does_not_know(void **state)
{
    (void)state;
    static const struct limit_settings rules[] = {
        {.name = STR_INIT("p"), .concurrency = 10},
        {.name = STR_INIT("t"),
         .per = LIMIT_PER_TENANT,
         .budget_requests = 10,
         .budget_window_ms = 3600000},
    };
    struct limit_rules *r = bench_limit_rules(rules, ARRAY_LEN(rules));
    struct limit_counters *c = bench_limit_counters();
    struct limit_reservation a = {0}, b = {0};
    struct limit_answer answer;
    struct limit_ask ask = bench_limit_ask(&writer, 10, BENCH_START);
    assert_int_equal(limit_reserve(c, r, &ask, &a, &answer), ERR_OK);
    size_t used = atomic_exchange(&c->count, LIMIT_COUNTERS_MAX);
    ask.links = &reader;
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(limit_reserve(c, r, &ask, &b, &answer), ERR_LIMIT);
    assert_int_equal(b.count, 0);
    ask.links = &writer; /* whom it knows, and nothing was taken */
    assert_int_equal(limit_reserve(c, r, &ask, &b, &answer), ERR_OK);
    assert_int_equal(answer.requests.remaining, 8);
    assert_int_equal(atomic_load(&c->count), LIMIT_COUNTERS_MAX);
    atomic_store(&c->count, used);
    limit_settle(c, &a, true, 0);
    limit_settle(c, &b, true, 0);
    limit_sweep(c, BENCH_START + BENCH_HOUR);
    assert_int_equal(atomic_load(&c->count), 0);
    limit_counters_free(c);
    limit_rules_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_limit_counts_whom_it_names),
        cmocka_unit_test(test_no_session_is_not_counted_as_one),
        cmocka_unit_test(test_rules_that_make_no_sense_are_refused),
        cmocka_unit_test(test_too_many_limits_or_too_long_a_name_refuse),
        cmocka_unit_test(test_a_refusal_leaves_nothing_taken),
        cmocka_unit_test(test_what_is_refused_longest_says_when_to_come_back),
        cmocka_unit_test(test_concurrency_is_given_back_at_the_end),
        cmocka_unit_test(test_what_was_used_is_booked_also_beyond),
        cmocka_unit_test(test_a_window_that_has_ended_is_not_touched),
        cmocka_unit_test(test_a_clock_that_goes_back_renews_no_budget),
        cmocka_unit_test(
            test_a_clock_that_leaps_and_comes_back_renews_no_budget),
        cmocka_unit_test(test_states_tell_the_tightest),
        cmocka_unit_test(test_counters_outlive_the_rules),
        cmocka_unit_test(test_a_sweep_forgets_what_has_ended),
        cmocka_unit_test(test_a_full_table_refuses_whom_it_does_not_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
