/* Tests limit/limit_replay and the checkpoints: a crash at any point, and the
 * numbers are those that the evidence says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/attr.h"
#include "base/limits.h"
#include "bench_limit.h"
#include "domain/outcome.h"
#include "limit/limit_replay.h"

/* ---- entries ---- */

static void add_intent(struct buf *to, const struct limit_note *notes, size_t n)
{
    buf_addf(to, "{\"kind\":\"intent\"");
    for (size_t i = 0; i < n; i++) {
        buf_addf(to,
                 "%s{\"generation\":%llu,\"limit\":\"%.*s\",\"requests\":%llu,"
                 "\"tokens\":%llu,\"whom\":\"%.*s\",\"window_start_us\":%lld,"
                 "\"window_us\":%lld}",
                 i == 0 ? ",\"limits\":[" : ",",
                 (unsigned long long)notes[i].generation,
                 STR_FMT(notes[i].limit), (unsigned long long)notes[i].requests,
                 (unsigned long long)notes[i].tokens, STR_FMT(notes[i].whom),
                 (long long)notes[i].window_start_us,
                 (long long)notes[i].window_us);
    }
    buf_addf(to, "%s}", n > 0 ? "]" : "");
}

static void add_outcome(struct buf *to, uint64_t intent,
                        enum outcome_status status, int64_t tokens)
{
    buf_addf(to, "{\"intent\":%llu,\"kind\":\"outcome\"",
             (unsigned long long)intent);
    if (tokens >= 0)
        buf_addf(to,
                 ",\"response\":{\"status\":200,\"usage\":{"
                 "\"input_tokens\":%lld,\"output_tokens\":%lld}}",
                 (long long)(tokens / 3), (long long)(tokens - tokens / 3));
    buf_addf(to, ",\"status\":\"%.*s\"}", STR_FMT(outcome_status_name(status)));
}

static enum err replay(const struct limit_replay *r, struct str text,
                       uint64_t index)
{
    struct arena a;
    const struct json *entry;
    arena_init(&a, MIB);
    assert_int_equal(json_read(&a, text, &entry, NULL), ERR_OK);
    enum err e = limit_replay_entry(r, entry, index);
    arena_release(&a);
    return e;
}

static void test_outcomes_say_what_is_booked(void **state)
{
    (void)state;
    static const struct {
        enum outcome_status status;
        int64_t tokens;
        uint64_t used_requests, used_tokens;
    } rows[] = {
        {OUTCOME_OK, 30, 1, 30},          {OUTCOME_OK, 0, 1, 0},
        {OUTCOME_OK, 3000, 1, 3000},      {OUTCOME_OK, -1, 1, 100},
        {OUTCOME_ERROR, -1, 1, 0},        {OUTCOME_ERROR, 10, 1, 10},
        {OUTCOME_FAILED, -1, 1, 100},     {OUTCOME_FAILED, 7, 1, 7},
        {OUTCOME_INTERRUPTED, 12, 1, 12}, {OUTCOME_INTERRUPTED, -1, 1, 100},
        {OUTCOME_NOT_SENT, -1, 0, 0},     {OUTCOME_NOT_SENT, 5, 0, 0},
        {OUTCOME_UNKNOWN, -1, 1, 100},    {OUTCOME_UNKNOWN, 5, 1, 100},
    };
    const struct limit_note note = {STR("t"),   STR("acme"), BENCH_START,
                                    BENCH_HOUR, 1,           100,
                                    3};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct limit_counters *c = bench_limit_counters();
        struct limit_replay r = {c, 0, BENCH_START};
        struct buf b;
        buf_init(&b, MIB);
        add_intent(&b, &note, 1);
        assert_int_equal(replay(&r, buf_str(&b), 41), ERR_OK);
        struct limit_row row =
            bench_limit_find(c, NULL, "t", "acme", BENCH_START);
        assert_int_equal(row.used_tokens, 0);
        assert_int_equal(row.reserved_tokens, 100);
        buf_clear(&b);
        add_outcome(&b, 40, rows[i].status, rows[i].tokens); /* another's */
        assert_int_equal(replay(&r, buf_str(&b), 42), ERR_OK);
        buf_clear(&b);
        add_outcome(&b, 41, rows[i].status, rows[i].tokens);
        assert_int_equal(replay(&r, buf_str(&b), 43), ERR_OK);
        assert_int_equal(replay(&r, buf_str(&b), 44), ERR_OK); /* once */
        limit_replay_end(c);
        row = bench_limit_find(c, NULL, "t", "acme", BENCH_START);
        assert_int_equal(row.used_requests, rows[i].used_requests);
        assert_int_equal(row.used_tokens, rows[i].used_tokens);
        assert_int_equal(row.reserved_tokens, 0);
        buf_release(&b);
        limit_counters_free(c);
    }
}

#define NOTE(generation, tokens, start)                                        \
    "{\"kind\":\"intent\",\"limits\":[{\"generation\":" generation             \
    ",\"limit\":\"t\",\"requests\":1,\"tokens\":" tokens                       \
    ",\"whom\":\"acme\",\"window_start_us\":" start                            \
    ",\"window_us\":3600000000}]}"

static void test_older_generations_and_ended_windows_are_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *entry;
        uint64_t reserved;
        enum err err;
    } rows[] = {
        {NOTE("5", "10", "1795132800000000"), 10, ERR_OK},
        {NOTE("6", "10", "1795132800000000"), 10, ERR_OK},
        {NOTE("4", "10", "1795132800000000"), 0, ERR_OK},
        {NOTE("5", "10", "1795129200000000"), 0, ERR_OK},
        {"{\"kind\":\"intent\"}", 0, ERR_OK},
        {"{\"kind\":\"refusal\",\"limits\":7}", 0, ERR_OK},
        {"{}", 0, ERR_OK},
        {"[]", 0, ERR_OK},
        {NOTE("-1", "10", "1795132800000000"), 0, ERR_CORRUPT},
        {NOTE("5", "\"10\"", "1795132800000000"), 0, ERR_CORRUPT},
        {NOTE("5", "9007199254740992", "1795132800000000"), 0, ERR_CORRUPT},
        {NOTE("5", "10", "-1"), 0, ERR_CORRUPT},
        {"{\"kind\":\"intent\",\"limits\":[{}]}", 0, ERR_CORRUPT},
        {"{\"kind\":\"outcome\",\"intent\":1}", 0, ERR_CORRUPT},
        {"{\"kind\":\"outcome\",\"intent\":-1,\"status\":\"ok\"}", 0,
         ERR_CORRUPT},
        {"{\"kind\":\"outcome\",\"intent\":1,\"status\":\"fine\"}", 0,
         ERR_CORRUPT},
        {"{\"kind\":\"intent\",\"limits\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,"
         "16,17]}",
         0, ERR_CORRUPT},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct limit_counters *c = bench_limit_counters();
        struct limit_replay r = {c, 5, BENCH_START};
        enum err e = replay(&r, str_from(rows[i].entry), 9);
        struct limit_row row =
            bench_limit_find(c, NULL, "t", "acme", BENCH_START);
        if (e != rows[i].err || row.reserved_tokens != rows[i].reserved)
            print_error("%s\n", rows[i].entry);
        assert_int_equal(e, rows[i].err);
        assert_int_equal(row.reserved_tokens, rows[i].reserved);
        limit_counters_free(c); /* also with something open */
    }
}

static void test_an_index_stands_for_one_intent(void **state)
{
    (void)state;
    struct limit_counters *c = bench_limit_counters();
    struct limit_replay r = {c, 0, BENCH_START};
    struct str entry = STR(NOTE("0", "10", "1795132800000000"));
    assert_int_equal(replay(&r, entry, 9), ERR_OK);
    assert_int_equal(replay(&r, entry, 9), ERR_CORRUPT);
    struct limit_row row = bench_limit_find(c, NULL, "t", "acme", BENCH_START);
    assert_int_equal(row.reserved_tokens, 10);
    limit_counters_free(c);
}

static void test_rows_that_no_checkpoint_has_are_refused(void **state)
{
    (void)state;
    static char name[NAME_MAX_LEN + 1], whom[LIMIT_KEY_MAX + 1];
    memset(name, 'n', sizeof(name));
    memset(whom, 'w', sizeof(whom));
    const struct limit_row good = {.limit = STR("t"),
                                   .whom = STR("acme"),
                                   .window_start_us = BENCH_START,
                                   .window_us = BENCH_HOUR,
                                   .used_requests = 3,
                                   .used_tokens = 4};
    struct limit_row bad[6] = {good, good, good, good, good, good};
    bad[0].window_us = 0;
    bad[1].window_start_us = -1;
    bad[2].used_tokens = LIMIT_AMOUNT_MAX + 1;
    bad[3].used_requests = UINT64_MAX;
    bad[4].limit = (struct str){name, sizeof(name)};
    bad[5].whom = (struct str){whom, sizeof(whom)};
    struct limit_counters *c = bench_limit_counters();
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(limit_restore(c, &bad[i]), ERR_CORRUPT);
    assert_int_equal(limit_restore(c, &good), ERR_OK);
    struct limit_row row = bench_limit_find(c, NULL, "t", "acme", BENCH_START);
    assert_int_equal(row.used_requests, 3);
    assert_int_equal(row.used_tokens, 4);
    limit_counters_free(c);
}

/* ---- checkpoints ---- */

static void sum_tokens(void *user, const struct limit_row *row)
{
    *(uint64_t *)user += row->used_tokens;
    assert_int_equal(row->reserved_tokens, 0);
    assert_int_equal(row->limit_tokens, 0);
}

static uint64_t checkpointed(struct limit_counters *c)
{
    uint64_t sum = 0;
    limit_each_checkpoint(c, BENCH_START, sum_tokens, &sum);
    return sum;
}

static void test_a_checkpoint_waits_for_what_began_before_it(void **state)
{
    (void)state;
    static const struct limit_settings rules[] = {
        {.name = STR_INIT("slots"), .concurrency = 100},
        {.name = STR_INIT("t"),
         .budget_tokens = 1000,
         .budget_window_ms = 3600000},
    };
    static const struct limit_link agent = {STR_INIT("agent"),
                                            STR_INIT("acme/writer"),
                                            {NULL, 0}};
    struct limit_rules *r = bench_limit_rules(rules, ARRAY_LEN(rules));
    struct limit_counters *c = bench_limit_counters();
    struct limit_reservation done = {0}, stream = {0}, later = {0}, open = {0};
    struct limit_answer answer;
    struct limit_ask ask = bench_limit_ask(&agent, 100, BENCH_START);
    assert_int_equal(limit_reserve(c, r, &ask, &done, &answer), ERR_OK);
    limit_settle(c, &done, true, 1);
    assert_int_equal(limit_reserve(c, r, &ask, &stream, &answer), ERR_OK);

    uint64_t generation = limit_checkpoint_begin(c);
    assert_false(limit_checkpoint_ready(c)); /* the stream is open */
    assert_int_equal(limit_reserve(c, r, &ask, &later, &answer), ERR_OK);
    limit_settle(c, &later, true, 10);
    assert_int_equal(limit_reserve(c, r, &ask, &open, &answer), ERR_OK);
    struct limit_note note;
    assert_int_equal(limit_notes(&open, &note, 1), 1);
    assert_int_equal(note.generation, generation);
    assert_int_equal(limit_notes(&stream, &note, 1), 1);
    assert_int_equal(note.generation, generation - 1);
    assert_false(limit_checkpoint_ready(c));
    limit_settle(c, &stream, true, 50);
    assert_true(limit_checkpoint_ready(c));
    assert_int_equal(checkpointed(c), 51); /* not what began later */
    limit_settle(c, &open, true, 20);
    assert_int_equal(checkpointed(c), 51);

    assert_int_equal(limit_checkpoint_begin(c), generation + 1);
    assert_true(limit_checkpoint_ready(c));
    assert_int_equal(checkpointed(c), 81);
    /* A stream through two checkpoints: the second begins without the first. */
    assert_int_equal(limit_reserve(c, r, &ask, &stream, &answer), ERR_OK);
    (void)limit_checkpoint_begin(c);
    assert_int_equal(limit_reserve(c, r, &ask, &later, &answer), ERR_OK);
    (void)limit_checkpoint_begin(c);
    limit_settle(c, &stream, true, 5);
    assert_false(limit_checkpoint_ready(c));
    limit_settle(c, &later, true, 6);
    assert_true(limit_checkpoint_ready(c));
    assert_int_equal(checkpointed(c), 92);
    limit_counters_free(c);
    limit_rules_free(r);
}

/* ---- a crash at any point ---- */

enum { CALLS_MAX = 4000, OPEN_MAX = 24, WHOM = 3, LOG_MAX = 3 * CALLS_MAX };

static const struct limit_settings limits[] = {
    {.name = STR_INIT("mine"),
     .budget_tokens = 100000,
     .budget_requests = 100000,
     .budget_window_ms = 3600000},
    {.name = STR_INIT("all"),
     .per = LIMIT_PER_TENANT,
     .budget_tokens = 1000000,
     .budget_window_ms = 600000},
};
static const struct limit_link agents[WHOM] = {
    {STR_INIT("agent"), STR_INIT("acme/a"), {NULL, 0}},
    {STR_INIT("agent"), STR_INIT("acme/b"), {NULL, 0}},
    {STR_INIT("agent"), STR_INIT("acme/c"), {NULL, 0}},
};

struct call {
    struct limit_reservation hold;
    int64_t intent; /* index in the log; -1: not recorded yet */
    unsigned agent;
};

/* What the model knows of an intent, apart from its text. */
struct fact {
    char *entry;
    int64_t starts[ARRAY_LEN(limits)]; /* of windows; intents only */
    unsigned agent;
    uint64_t reserved;
    int64_t closes; /* outcomes: the intent; else -1 */
    bool sent;
    uint64_t used;
};

struct world {
    uint64_t random;
    int64_t now_us;
    struct limit_rules *rules;
    struct limit_counters *counters;
    struct call open[OPEN_MAX];
    unsigned open_count;
    struct fact log[LOG_MAX];
    size_t log_size;
    /* A checkpoint under way, and the one that the store has. */
    bool begun;
    uint64_t begun_generation;
    size_t begun_size;
    uint64_t generation;
    size_t from, kept_size; /* what of the log cannot be lost */
    struct limit_row rows[16];
    char whoms[16][32];
    size_t row_count;
};

static uint64_t draw(struct world *w, uint64_t below)
{
    w->random = w->random * UINT64_C(6364136223846793005) +
                UINT64_C(1442695040888963407);
    return (w->random >> 33) % below;
}

static struct fact *append(struct world *w, const struct buf *text)
{
    assert_true(w->log_size < LOG_MAX);
    struct fact *f = &w->log[w->log_size++];
    *f = (struct fact){.entry = strndup(text->ptr, text->len), .closes = -1};
    assert_non_null(f->entry);
    return f;
}

static void do_reserve(struct world *w)
{
    if (w->open_count == OPEN_MAX)
        return;
    struct call *call = &w->open[w->open_count];
    struct limit_answer answer;
    *call = (struct call){.intent = -1, .agent = (unsigned)draw(w, WHOM)};
    struct limit_ask ask =
        bench_limit_ask(&agents[call->agent], draw(w, 50), w->now_us);
    enum err e =
        limit_reserve(w->counters, w->rules, &ask, &call->hold, &answer);
    assert_int_equal(e, ERR_OK);
    w->open_count++;
}

static void do_record(struct world *w, struct call *call)
{
    struct limit_note notes[LIMIT_HOLDS_MAX];
    struct buf b;
    if (call->intent >= 0)
        return;
    size_t n = limit_notes(&call->hold, notes, LIMIT_HOLDS_MAX);
    assert_int_equal(n, ARRAY_LEN(limits));
    buf_init(&b, MIB);
    add_intent(&b, notes, n);
    call->intent = (int64_t)w->log_size;
    struct fact *f = append(w, &b);
    buf_release(&b);
    f->agent = call->agent;
    f->reserved = notes[0].tokens;
    for (size_t i = 0; i < n; i++)
        f->starts[str_eq(notes[i].limit, STR("mine")) ? 0 : 1] =
            notes[i].window_start_us;
}

static void do_settle(struct world *w, struct call *call)
{
    static const enum outcome_status ends[] = {
        OUTCOME_OK,     OUTCOME_OK,          OUTCOME_OK,      OUTCOME_ERROR,
        OUTCOME_FAILED, OUTCOME_INTERRUPTED, OUTCOME_NOT_SENT};
    enum outcome_status status = ends[draw(w, ARRAY_LEN(ends))];
    int64_t tokens = draw(w, 3) == 0 ? -1 : (int64_t)draw(w, 90);
    struct usage usage = USAGE_UNKNOWN;
    struct buf b;
    if (call->intent < 0)
        status = OUTCOME_NOT_SENT;
    if (tokens >= 0) {
        usage.input_tokens = tokens / 3;
        usage.output_tokens = tokens - tokens / 3;
    }
    struct limit_use use = limit_replay_use(status, &usage);
    limit_settle(w->counters, &call->hold, use.sent, use.tokens);
    if (call->intent >= 0) {
        buf_init(&b, MIB);
        add_outcome(&b, (uint64_t)call->intent, status, tokens);
        struct fact *f = append(w, &b);
        buf_release(&b);
        f->closes = call->intent;
        f->sent = use.sent;
        f->used = use.tokens == LIMIT_TOKENS_RESERVED
                      ? w->log[call->intent].reserved
                      : use.tokens;
    }
    *call = w->open[--w->open_count];
}

static void keep_row(void *user, const struct limit_row *row)
{
    struct world *w = user;
    assert_true(w->row_count < ARRAY_LEN(w->rows));
    struct limit_row *to = &w->rows[w->row_count];
    char *whom = w->whoms[w->row_count++];
    *to = *row;
    memcpy(whom, row->whom.ptr, row->whom.len);
    to->whom.ptr = whom;
    to->limit = limits[str_eq(row->limit, STR("mine")) ? 0 : 1].name;
}

static void do_checkpoint(struct world *w)
{
    if (!w->begun) {
        w->begun = true;
        w->begun_size = w->log_size;
        w->begun_generation = limit_checkpoint_begin(w->counters);
    } else if (limit_checkpoint_ready(w->counters)) {
        w->row_count = 0;
        limit_each_checkpoint(w->counters, w->now_us, keep_row, w);
        w->generation = w->begun_generation;
        w->from = w->begun_size;
        w->kept_size = w->log_size;
        w->begun = false;
    }
}

static int64_t window_start(const struct world *w, unsigned limit)
{
    int64_t window = limits[limit].budget_window_ms * 1000;
    return w->now_us - w->now_us % window;
}

/* By the whole log, from its first entry on: used and reserved. */
static struct limit_row expect(const struct world *w, unsigned limit,
                               unsigned agent)
{
    static bool closed[LOG_MAX];
    struct limit_row sum = {0};
    memset(closed, 0, sizeof(closed));
    for (size_t i = w->log_size; i-- > 0;) {
        const struct fact *f = &w->log[i];
        const struct fact *of = f->closes < 0 ? f : &w->log[f->closes];
        if (f->closes >= 0)
            closed[f->closes] = true;
        if (of->starts[limit] != window_start(w, limit) ||
            (limit == 0 && of->agent != agent))
            continue;
        if (f->closes >= 0) {
            sum.used_requests += f->sent ? 1 : 0;
            sum.used_tokens += f->used;
        } else if (!closed[i]) {
            sum.used_requests += 1;
            sum.used_tokens += f->reserved;
        }
    }
    return sum;
}

static void check_one(const struct world *w, unsigned limit, unsigned agent)
{
    char whom[32];
    struct limit_row want = expect(w, limit, agent);
    (void)snprintf(whom, sizeof(whom), limit == 0 ? "agent:%s" : "acme",
                   agents[agent].id.ptr);
    struct limit_row row =
        bench_limit_find(w->counters, w->rules, limits[limit].name.ptr, whom,
                         w->now_us);
    if (row.window_us != 0 && row.window_start_us != window_start(w, limit))
        row = (struct limit_row){0};
    assert_int_equal(row.used_tokens + row.reserved_tokens, want.used_tokens);
    assert_int_equal(row.used_requests + row.reserved_requests,
                     want.used_requests);
}

static void check(const struct world *w)
{
    for (unsigned agent = 0; agent < WHOM; agent++)
        check_one(w, 0, agent);
    check_one(w, 1, 0);
}

static void crash(struct world *w)
{
    /* What was not durable yet is lost, but for what the store has seen. */
    size_t lost = (size_t)draw(w, 6);
    while (lost-- > 0 && w->log_size > w->kept_size)
        free(w->log[--w->log_size].entry);
    limit_counters_free(w->counters);
    w->open_count = 0;
    w->begun = false;

    w->counters = bench_limit_counters();
    for (size_t i = 0; i < w->row_count; i++)
        assert_int_equal(limit_restore(w->counters, &w->rows[i]), ERR_OK);
    limit_restore_generation(w->counters, w->generation);
    struct limit_replay r = {w->counters, w->generation, w->now_us};
    static bool open[LOG_MAX];
    memset(open, 0, sizeof(open));
    for (size_t i = 0; i < w->log_size; i++) {
        const struct fact *f = &w->log[i];
        open[f->closes < 0 ? i : (size_t)f->closes] = f->closes < 0;
        if (i >= w->from)
            assert_int_equal(replay(&r, str_from(f->entry), i), ERR_OK);
    }
    limit_replay_end(w->counters);
    check(w);

    /* The new gateway closes what the old one left. */
    for (size_t i = 0, end = w->log_size; i < end; i++) {
        struct buf b;
        if (!open[i])
            continue;
        buf_init(&b, MIB);
        add_outcome(&b, i, OUTCOME_UNKNOWN, -1);
        struct fact *f = append(w, &b);
        buf_release(&b);
        f->closes = (int64_t)i;
        f->sent = true;
        f->used = w->log[i].reserved;
    }
}

static void live(struct world *w)
{
    for (unsigned step = 0; step < 400; step++) {
        struct call *call =
            w->open_count > 0 ? &w->open[draw(w, w->open_count)] : NULL;
        uint64_t what = draw(w, 100);
        if (what < 35)
            do_reserve(w);
        else if (what < 60 && call != NULL)
            do_record(w, call);
        else if (what < 85 && call != NULL)
            do_settle(w, call);
        else if (what < 92)
            do_checkpoint(w);
        else if (what < 94)
            limit_sweep(w->counters, w->now_us);
        else
            w->now_us += (int64_t)draw(w, 30) * BENCH_SEC;
        if (w->log_size + OPEN_MAX + 4 >= LOG_MAX)
            return;
    }
}

static void test_a_crash_at_any_point_changes_no_number(void **state)
{
    (void)state;
    static struct world w;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        w = (struct world){.random = seed, .now_us = BENCH_START + BENCH_HOUR};
        w.rules = bench_limit_rules(limits, ARRAY_LEN(limits));
        w.counters = bench_limit_counters();
        for (unsigned life = 0; life < 12; life++) {
            live(&w);
            crash(&w);
        }
        for (size_t i = 0; i < w.log_size; i++)
            free(w.log[i].entry);
        limit_counters_free(w.counters);
        limit_rules_free(w.rules);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outcomes_say_what_is_booked),
        cmocka_unit_test(test_older_generations_and_ended_windows_are_left_out),
        cmocka_unit_test(test_an_index_stands_for_one_intent),
        cmocka_unit_test(test_rows_that_no_checkpoint_has_are_refused),
        cmocka_unit_test(test_a_checkpoint_waits_for_what_began_before_it),
        cmocka_unit_test(test_a_crash_at_any_point_changes_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
