/* Tests app/gateway_limits: what budgets used outlives the gateway, in a real
 * store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/gateway_limits.h"
#include "base/attr.h"
#include "base/container.h"
#include "ledger/ledger_client.h"
#include "ledger/ledger_proto.h"
#include "limit/limit.h"
#include "os/channel.h"
#include "os/loop.h"
#include "os/timer.h"
#include "store/store.h"

enum { PATIENCE_MS = 20000, KEEP_MS = 100 };
/* A window that no test outlives. */
#define WINDOW_MS (INT64_C(3650) * 86400000)

static const struct limit_settings rule = {
    .name = STR_INIT("tokens"),
    .per = LIMIT_PER_SESSION,
    .budget_tokens = 1000000,
    .budget_window_ms = WINDOW_MS,
};

/* One life of a gateway, as far as its budgets go. */
struct life {
    struct loop *loop;
    struct limit_counters *counters;
    struct limit_rules *rules;
    struct ledger_client *ledger;
    struct channel *fake; /* the ledger's end */
    uint64_t entries;     /* that it says it has */
    unsigned asked;
    struct store *store;
    struct gateway_limits *limits;
    struct timer patience, pause;
    unsigned loaded, stopped;
    enum err err;
    uint64_t generation, from;
};

static void too_late(struct timer *t)
{
    (void)t;
    fail_msg("nothing came");
}

static void on_loaded(void *user, enum err e, uint64_t generation,
                      uint64_t from_index)
{
    struct life *l = user;
    l->loaded++;
    l->err = e;
    l->generation = generation;
    l->from = from_index;
    loop_stop(l->loop);
}

static void on_stopped(void *user)
{
    struct life *l = user;
    l->stopped++;
    loop_stop(l->loop);
}

static void on_opened(void *user, enum err e, struct str why)
{
    struct life *l = user;
    (void)why;
    gateway_limits_opened(l->limits, e == ERR_OK ? l->store : NULL);
}

/* ---- a ledger that has nothing but a size ---- */

static void on_hello(void *user, struct frame_hello peer)
{
    (void)user;
    (void)peer;
}

static enum err on_frame(void *user, const struct frame *f, int fd)
{
    struct life *l = user;
    (void)fd;
    if (f->type != LEDGER_ASK_STATS)
        return ERR_OK;
    const struct ledger_stats s = {.entries = l->entries};
    l->asked++;
    ledger_proto_put_stats(channel_out(l->fake), &s);
    return ERR_OK;
}

static void on_closed(void *user, enum err why)
{
    (void)user;
    (void)why;
}

static void open_ledger(struct life *l)
{
    static const struct frame_hello own = {FRAME_PROTOCOL_VERSION,
                                           FRAME_ROLE_LEDGER, 0};
    static const struct channel_events events = {on_hello, on_frame, on_closed};
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX,
                                SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                                fds),
                     0);
    assert_int_equal(channel_new(l->loop, fds[0], own, FRAME_ROLE_WORKER,
                                 &events, l, &l->fake),
                     ERR_OK);
    assert_int_equal(ledger_client_new(l->loop, 1, &l->ledger), ERR_OK);
    assert_int_equal(ledger_client_connect(l->ledger, fds[1]), ERR_OK);
}

/* ---- a life ---- */

static void begin(struct life *l, const char *node)
{
    const struct settings s = {.limits = &rule, .limit_count = 1};
    *l = (struct life){.entries = 1};
    assert_int_equal(loop_new(&l->loop), ERR_OK);
    assert_int_equal(limit_counters_new(&l->counters), ERR_OK);
    assert_int_equal(limit_rules_new(&s, &l->rules), ERR_OK);
    open_ledger(l);
    const struct gateway_limits_options o = {l->loop, l->counters, l->ledger,
                                             str_from(node), KEEP_MS};
    assert_int_equal(gateway_limits_new(&o, &l->limits), ERR_OK);
    timer_set(l->loop, &l->patience, PATIENCE_MS, too_late);
    gateway_limits_load(l->limits, on_loaded, l);
}

static void start(struct life *l, const char *dir, const char *node)
{
    const struct store_options o = {.url = STR("sqlite"), .data_dir = dir};
    const struct store_events events = {on_opened, NULL, l};
    const char *why = "";
    begin(l, node);
    assert_int_equal(store_open(l->loop, &o, &events, &l->store, &why), ERR_OK);
    loop_run(l->loop);
    assert_int_equal(l->loaded, 1);
    assert_int_equal(l->err, ERR_OK);
}

/* As a crash ends it: nothing more is written. */
static void crash(struct life *l)
{
    timer_cancel(&l->patience);
    timer_cancel(&l->pause);
    ledger_client_free(l->ledger);
    gateway_limits_free(l->limits);
    channel_free(l->fake);
    store_close(l->store);
    limit_rules_free(l->rules);
    limit_counters_free(l->counters);
    loop_free(l->loop);
}

static void stop_cleanly(struct life *l)
{
    gateway_limits_stop(l->limits, on_stopped, l);
    assert_int_equal(l->stopped, 0); /* in a later turn */
    loop_run(l->loop);
    assert_int_equal(l->stopped, 1);
    crash(l);
}

static struct limit_ask asking(char id[12], unsigned session, uint64_t tokens,
                               int64_t now_us)
{
    int n = snprintf(id, 12, "%u", session);
    return (struct limit_ask){.tenant = STR("acme"),
                              .model = STR("small"),
                              .session = {id, (size_t)n},
                              .tokens = tokens,
                              .now_us = now_us};
}

static void reserve(struct life *l, unsigned session,
                    struct limit_reservation *hold)
{
    char id[12];
    struct limit_answer answer;
    struct limit_ask ask = asking(id, session, 100, loop_wall_us(l->loop));
    assert_int_equal(limit_reserve(l->counters, l->rules, &ask, hold, &answer),
                     ERR_OK);
}

static void use(struct life *l, unsigned session, uint64_t tokens)
{
    struct limit_reservation hold = {0};
    reserve(l, session, &hold);
    l->entries += 2;
    limit_settle(l->counters, &hold, true, tokens);
}

struct totals {
    uint64_t rows, requests, tokens;
};

static void add_row(void *user, const struct limit_row *row)
{
    struct totals *t = user;
    t->rows++;
    t->requests += row->used_requests;
    t->tokens += row->used_tokens;
    assert_int_equal(row->window_us, WINDOW_MS * 1000);
}

static struct totals total(struct life *l)
{
    struct totals t = {0};
    limit_each(l->counters, l->rules, loop_wall_us(l->loop), add_row, &t);
    return t;
}

static void on_pause(struct timer *t)
{
    loop_stop(CONTAINER_OF(t, struct life, pause)->loop);
}

/* Until the ledger was asked so often, and a little longer. */
static void pass_until_asked(struct life *l, unsigned times)
{
    while (l->asked < times) {
        timer_set(l->loop, &l->pause, KEEP_MS / 4, on_pause);
        loop_run(l->loop);
    }
}

static int set_up(void **state)
{
    static char dir[32];
    (void)snprintf(dir, sizeof(dir), "/tmp/writ-limits-XXXXXX");
    assert_non_null(mkdtemp(dir));
    *state = dir;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"store.db", "store.db-wal",
                                        "store.db-shm"};
    char path[64];
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", (char *)*state, names[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(*state), 0);
    return 0;
}

static void test_a_clean_stop_leaves_nothing_to_replay(void **state)
{
    struct life l;
    start(&l, *state, "gw-1");
    assert_int_equal(l.generation, 0);
    assert_int_equal(l.from, 0);
    gateway_limits_keep(l.limits);
    use(&l, 1, 30);
    use(&l, 1, 12);
    use(&l, 2, 7);
    uint64_t entries = l.entries;
    stop_cleanly(&l);

    start(&l, *state, "gw-1");
    assert_true(l.generation > 0);
    assert_int_equal(l.from, entries);
    struct totals t = total(&l);
    assert_int_equal(t.rows, 2);
    assert_int_equal(t.requests, 3);
    assert_int_equal(t.tokens, 49);
    /* What comes now is of that generation, so that a replay counts it. */
    struct limit_reservation hold = {0};
    struct limit_note note;
    reserve(&l, 1, &hold);
    assert_int_equal(limit_notes(&hold, &note, 1), 1);
    assert_true(note.generation >= l.generation);
    limit_settle(l.counters, &hold, false, 0);
    crash(&l);
}

static void test_another_node_has_its_own(void **state)
{
    struct life l;
    start(&l, *state, "gw-1");
    gateway_limits_keep(l.limits);
    use(&l, 1, 30);
    stop_cleanly(&l);
    start(&l, *state, "gw-2");
    assert_int_equal(l.generation, 0);
    assert_int_equal(total(&l).rows, 0);
    stop_cleanly(&l); /* without having been through the replay */
    start(&l, *state, "gw-2");
    assert_int_equal(l.generation, 0);
    crash(&l);
}

static void test_many_counters_come_back_page_by_page(void **state)
{
    enum { COUNTERS = 9001 };
    struct life l;
    start(&l, *state, "gw-1");
    gateway_limits_keep(l.limits);
    for (unsigned i = 0; i < COUNTERS; i++)
        use(&l, i, i);
    stop_cleanly(&l);
    for (unsigned life = 0; life < 2; life++) {
        start(&l, *state, "gw-1");
        gateway_limits_keep(l.limits);
        struct totals t = total(&l);
        assert_int_equal(t.rows, COUNTERS);
        assert_int_equal(t.requests, COUNTERS + life);
        assert_int_equal(t.tokens, COUNTERS * (COUNTERS - 1) / 2);
        use(&l, 0, 0); /* something changed: all is written again */
        stop_cleanly(&l);
    }
}

static void test_a_stream_that_is_open_is_left_to_the_replay(void **state)
{
    struct life l;
    struct limit_reservation stream = {0};
    start(&l, *state, "gw-1");
    gateway_limits_keep(l.limits);
    use(&l, 1, 10);
    reserve(&l, 1, &stream);
    pass_until_asked(&l, 1); /* begun, and not ready */
    use(&l, 1, 5);
    gateway_limits_stop(l.limits, on_stopped, &l);
    loop_run(l.loop);
    limit_settle(l.counters, &stream, true, 100);
    crash(&l);

    start(&l, *state, "gw-1");
    assert_int_equal(l.generation, 0); /* no checkpoint, all is replayed */
    assert_int_equal(l.from, 0);
    crash(&l);
}

static void test_a_checkpoint_comes_by_itself_when_it_is_ready(void **state)
{
    struct life l;
    struct limit_reservation stream = {0};
    start(&l, *state, "gw-1");
    gateway_limits_keep(l.limits);
    use(&l, 1, 10);
    reserve(&l, 1, &stream);
    uint64_t from = l.entries;
    pass_until_asked(&l, 1);
    use(&l, 1, 5); /* younger: it will be replayed */
    limit_settle(l.counters, &stream, true, 100);
    pass_until_asked(&l, 2); /* the first one is through */
    (void)from;
    crash(&l);

    start(&l, *state, "gw-1");
    assert_true(l.generation > 0);
    struct totals t = total(&l);
    if (l.from == from) /* or the second was through, too */
        assert_int_equal(t.tokens, 110);
    else
        assert_int_equal(t.tokens, 115);
    crash(&l);
}

static void test_without_changes_nothing_is_written(void **state)
{
    struct life l;
    start(&l, *state, "gw-1");
    l.entries = 0;
    gateway_limits_keep(l.limits);
    pass_until_asked(&l, 2);
    stop_cleanly(&l);
    start(&l, *state, "gw-1");
    assert_int_equal(l.generation, 0);
    crash(&l);
}

static void test_without_a_store_all_is_replayed(void **state)
{
    (void)state;
    struct life l;
    begin(&l, "gw-1");
    int64_t now_ms = loop_wall_us(l.loop) / 1000;
    gateway_limits_opened(l.limits, NULL);
    loop_run(l.loop);
    assert_int_equal(l.loaded, 1);
    assert_int_equal(l.err, ERR_OK);
    assert_int_equal(l.generation, 0);
    assert_int_equal(l.from, 0);
    /* Beyond any generation that a store may have. */
    struct limit_reservation hold = {0};
    struct limit_note note;
    reserve(&l, 1, &hold);
    assert_int_equal(limit_notes(&hold, &note, 1), 1);
    assert_true(note.generation >= (uint64_t)now_ms);
    limit_settle(l.counters, &hold, false, 0);
    gateway_limits_keep(l.limits);
    stop_cleanly(&l);
}

static void test_a_clock_that_leapt_is_not_steady_for_an_hour(void **state)
{
    (void)state;
    enum { MINUTE = 60000, HOUR = 60 * MINUTE };
    const int64_t day = INT64_C(24) * HOUR, start = 20000 * day;
    struct gateway_limits_clock c = {0};

    assert_false(gateway_limits_is_steady(&c, start, MINUTE));
    assert_false(gateway_limits_is_steady(&c, start + HOUR / 2, HOUR / 2));
    assert_true(gateway_limits_is_steady(&c, start + HOUR, HOUR + MINUTE));
    /* A day ahead, and right again. */
    assert_false(
        gateway_limits_is_steady(&c, start + day + HOUR, HOUR + MINUTE));
    assert_false(gateway_limits_is_steady(&c, start + day + 2 * HOUR - MINUTE,
                                          2 * HOUR));
    assert_false(
        gateway_limits_is_steady(&c, start + 2 * HOUR, 2 * HOUR + MINUTE));
    assert_true(
        gateway_limits_is_steady(&c, start + 3 * HOUR, 3 * HOUR + MINUTE));
    assert_false(gateway_limits_is_steady(&c, start, 3 * HOUR + MINUTE));
}

#define LIFE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIFE_TEST(test_a_clean_stop_leaves_nothing_to_replay),
        LIFE_TEST(test_another_node_has_its_own),
        LIFE_TEST(test_many_counters_come_back_page_by_page),
        LIFE_TEST(test_a_stream_that_is_open_is_left_to_the_replay),
        LIFE_TEST(test_a_checkpoint_comes_by_itself_when_it_is_ready),
        LIFE_TEST(test_without_changes_nothing_is_written),
        cmocka_unit_test(test_a_clock_that_leapt_is_not_steady_for_an_hour),
        cmocka_unit_test(test_without_a_store_all_is_replayed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
