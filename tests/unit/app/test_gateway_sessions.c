/* Tests app/gateway_sessions: sessions outlive the gateway, in a real store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/gateway_sessions.h"
#include "base/attr.h"
#include "base/container.h"
#include "os/loop.h"
#include "os/timer.h"
#include "session/session.h"
#include "store/store.h"

enum { PATIENCE_MS = 20000, WRITE_MS = 20, NAME_ROOM = 24 };

static const struct session_limits limits = {.idle_ms = 1800000,
                                             .max_ms = 28800000};

/* One life of a gateway, as far as its sessions go. */
struct life {
    const char *dir; /* of the store */
    struct loop *loop;
    struct session_table *table;
    struct store *store;
    struct gateway_sessions *sessions;
    struct timer patience, pause;
    bool usable;
    unsigned loaded, stopped, answered;
    bool kept;
};

static void too_late(struct timer *t)
{
    (void)t;
    fail_msg("nothing came");
}

static void on_loaded(void *user)
{
    struct life *l = user;
    l->loaded++;
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
    l->usable = e == ERR_OK;
    gateway_sessions_opened(l->sessions, l->usable ? l->store : NULL);
}

static void begin(struct life *l, const char *dir, const char *node,
                  int64_t write_ms)
{
    *l = (struct life){.dir = dir};
    assert_int_equal(loop_new(&l->loop), ERR_OK);
    assert_int_equal(session_table_new(&l->table), ERR_OK);
    const struct gateway_sessions_options o = {l->loop, l->table,
                                               str_from(node), write_ms};
    assert_int_equal(gateway_sessions_new(&o, &l->sessions), ERR_OK);
    timer_set(l->loop, &l->patience, PATIENCE_MS, too_late);
}

static void open_store(struct life *l)
{
    const struct store_options o = {.url = STR("sqlite"), .data_dir = l->dir};
    const struct store_events events = {on_opened, NULL, l};
    const char *why = "";
    assert_int_equal(store_open(l->loop, &o, &events, &l->store, &why), ERR_OK);
}

/* Until the sessions are loaded. */
static void start_with(struct life *l, const char *dir, const char *node,
                       int64_t write_ms)
{
    begin(l, dir, node, write_ms);
    gateway_sessions_load(l->sessions, &limits, on_loaded, l);
    open_store(l);
    loop_run(l->loop);
    assert_true(l->usable);
    assert_int_equal(l->loaded, 1);
}

static void start(struct life *l, const char *dir, const char *node)
{
    start_with(l, dir, node, WRITE_MS);
}

static void start_slowly(struct life *l, const char *dir, const char *node)
{
    start_with(l, dir, node, 60000);
}

/* As a crash ends it: nothing more is written. */
static void crash(struct life *l)
{
    timer_cancel(&l->patience);
    gateway_sessions_free(l->sessions);
    store_close(l->store);
    session_table_free(l->table);
    loop_free(l->loop);
}

static void stop_cleanly(struct life *l)
{
    gateway_sessions_stop(l->sessions, on_stopped, l);
    assert_int_equal(l->stopped, 0); /* in a later turn */
    loop_run(l->loop);
    assert_int_equal(l->stopped, 1);
    crash(l);
}

static struct session *find(struct life *l, unsigned n, bool *ret_is_new)
{
    char name[NAME_ROOM];
    struct session *s = NULL;
    bool is_new = false;
    (void)snprintf(name, sizeof(name), "corp|user%u", n);
    const struct session_owner who = {.tenant = STR("acme"),
                                      .issuer = STR("corp"),
                                      .subject = str_from(name)};
    assert_int_equal(session_find(l->table, &who, &limits, loop_now_ms(l->loop),
                                  &s, &is_new),
                     ERR_OK);
    if (ret_is_new != NULL)
        *ret_is_new = is_new;
    return s;
}

static void take_id(struct session *s, unsigned char to[SESSION_ID_LEN])
{
    memcpy(to, session_id(s), SESSION_ID_LEN);
    session_unref(s);
}

static int set_up(void **state)
{
    static char dir[32];
    (void)snprintf(dir, sizeof(dir), "/tmp/writ-sessions-XXXXXX");
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

static void rule_07_a_session_outlives_its_gateway(void **state)
{
    struct life l;
    unsigned char id[SESSION_ID_LEN];
    start(&l, *state, "gw-1");
    struct session *s = find(&l, 1, NULL);
    session_count(s, 2, 30);
    take_id(s, id);
    stop_cleanly(&l);

    start(&l, *state, "gw-1");
    assert_int_equal(session_table_count(l.table), 1);
    s = find(&l, 1, NULL);
    assert_true(session_is_restored(s));
    assert_memory_equal(session_id(s), id, SESSION_ID_LEN);
    assert_int_equal(session_state_of(s).calls, 2);
    assert_int_equal(session_state_of(s).tokens, 30);
    session_count(s, 1, 0);
    session_unref(s);
    stop_cleanly(&l);

    start(&l, *state, "gw-1"); /* and the next one, with what was added */
    s = find(&l, 1, NULL);
    assert_memory_equal(session_id(s), id, SESSION_ID_LEN);
    assert_int_equal(session_state_of(s).calls, 3);
    session_unref(s);
    crash(&l);
}

static void test_another_node_has_its_own(void **state)
{
    struct life l;
    start(&l, *state, "gw-1");
    session_unref(find(&l, 1, NULL));
    stop_cleanly(&l);
    start(&l, *state, "gw-2");
    assert_int_equal(session_table_count(l.table), 0);
    stop_cleanly(&l);
}

static void test_an_ended_session_stays_ended(void **state)
{
    struct life l;
    start(&l, *state, "gw-1");
    session_unref(find(&l, 1, NULL));
    session_unref(find(&l, 2, NULL));
    stop_cleanly(&l);

    start(&l, *state, "gw-1");
    struct session *s = find(&l, 1, NULL);
    assert_true(session_table_end(l.table, session_id(s)));
    session_unref(s);
    stop_cleanly(&l);

    start(&l, *state, "gw-1");
    assert_int_equal(session_table_count(l.table), 1);
    s = find(&l, 1, NULL);
    assert_false(session_is_restored(s));
    session_unref(s);
    crash(&l);
}

static void on_kept(void *user, bool stored)
{
    struct life *l = user;
    l->kept = stored;
    l->answered++;
    loop_stop(l->loop);
}

/* The round of writing is a minute away: nothing but this writes. */
static void test_an_end_that_was_kept_survives_a_crash(void **state)
{
    struct life l;
    start(&l, *state, "gw-1");
    session_unref(find(&l, 1, NULL));
    stop_cleanly(&l);

    start_slowly(&l, *state, "gw-1");
    struct session *s = find(&l, 1, NULL);
    assert_true(session_table_end(l.table, session_id(s)));
    session_unref(s);
    gateway_sessions_keep(l.sessions, on_kept, &l);
    if (l.answered == 0)
        loop_run(l.loop);
    assert_int_equal(l.answered, 1);
    assert_true(l.kept);
    crash(&l);

    start(&l, *state, "gw-1");
    assert_int_equal(session_table_count(l.table), 0);
    crash(&l);
}

static void test_nothing_is_kept_without_a_store(void **state)
{
    struct life l;
    begin(&l, *state, "gw-1", WRITE_MS);
    gateway_sessions_load(l.sessions, &limits, on_loaded, &l);
    gateway_sessions_opened(l.sessions, NULL);
    loop_run(l.loop);
    gateway_sessions_keep(l.sessions, on_kept, &l);
    assert_int_equal(l.answered, 1);
    assert_false(l.kept);
    crash(&l);
}

static void on_break(struct timer *t)
{
    loop_stop(CONTAINER_OF(t, struct life, pause)->loop);
}

/* How many sessions another gateway would find. */
static size_t stored(const char *dir)
{
    struct life l;
    start(&l, dir, "gw-1");
    size_t n = session_table_count(l.table);
    crash(&l);
    return n;
}

/* Several pages and batches, written while it serves, not at the end. */
static void test_many_sessions_come_back_after_a_crash(void **state)
{
    enum { SESSIONS = 2500 };
    static unsigned char ids[SESSIONS][SESSION_ID_LEN];
    struct life l;
    start(&l, *state, "gw-1");
    for (unsigned i = 0; i < SESSIONS; i++)
        take_id(find(&l, i, NULL), ids[i]);
    do { /* `patience` ends it */
        timer_set(l.loop, &l.pause, WRITE_MS, on_break);
        loop_run(l.loop);
    } while (stored(*state) < SESSIONS);
    crash(&l);

    start(&l, *state, "gw-1");
    assert_int_equal(session_table_count(l.table), SESSIONS);
    for (unsigned i = 0; i < SESSIONS; i++) {
        struct session *s = find(&l, i, NULL);
        assert_memory_equal(session_id(s), ids[i], SESSION_ID_LEN);
        session_unref(s);
    }
    crash(&l);
}

static void test_without_a_store_calls_need_not_wait(void **state)
{
    struct life l;
    begin(&l, *state, "gw-1", WRITE_MS);
    gateway_sessions_load(l.sessions, &limits, on_loaded, &l);
    gateway_sessions_opened(l.sessions, NULL);
    assert_int_equal(l.loaded, 0);
    loop_run(l.loop);
    assert_int_equal(l.loaded, 1);
    session_unref(find(&l, 1, NULL));
    stop_cleanly(&l);
}

static void test_it_may_stop_while_it_loads(void **state)
{
    struct life l;
    start(&l, *state, "gw-1");
    session_unref(find(&l, 1, NULL));
    stop_cleanly(&l);

    begin(&l, *state, "gw-1", WRITE_MS);
    gateway_sessions_load(l.sessions, &limits, on_loaded, &l);
    open_store(&l);
    stop_cleanly(&l);
    assert_int_equal(l.loaded, 0);

    start(&l, *state, "gw-1"); /* and nothing was lost by that */
    assert_int_equal(session_table_count(l.table), 1);
    crash(&l);
}

#define IN_A_FOLDER(test)                                                      \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(rule_07_a_session_outlives_its_gateway),
        IN_A_FOLDER(test_another_node_has_its_own),
        IN_A_FOLDER(test_an_ended_session_stays_ended),
        IN_A_FOLDER(test_an_end_that_was_kept_survives_a_crash),
        IN_A_FOLDER(test_nothing_is_kept_without_a_store),
        IN_A_FOLDER(test_many_sessions_come_back_after_a_crash),
        IN_A_FOLDER(test_without_a_store_calls_need_not_wait),
        IN_A_FOLDER(test_it_may_stop_while_it_loads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
