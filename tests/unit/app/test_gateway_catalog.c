/* Tests app/gateway_catalog with real threads: workers offer what they see,
 * the control thread pins it, every worker gets the view.  The test stands in
 * for ledger_client.c, gateway.c and gateway_worker.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/gateway_catalog.h"
#include "app/gateway_state.h"
#include "base/attr.h"
#include "base/container.h"
#include "base/limits.h"
#include "evidence/evidence.h"
#include "mcp/catalog.h"

enum { WORKERS = 3, ROUNDS = 40, TOOLS = 12, PATIENCE_MS = 30000 };

/* --- the control thread's surroundings ------------------------------------ */

struct ledger_client {
    struct ledger_wait *wait;
    struct timer timer;
    struct loop *loop;
};

static struct ledger_client ledger;
static struct role_options options = {.node = "n1"};
static struct gateway gateway;
static unsigned workers_left;
static bool open_for_all;
static struct timer patience;

static void on_answer(struct timer *t)
{
    static const struct ledger_receipt receipt;
    struct ledger_wait *w = ledger.wait;
    (void)t;
    ledger.wait = NULL;
    if (w != NULL)
        w->done(w, ERR_OK, &receipt);
}

enum err ledger_client_append(struct ledger_client *c,
                              const struct ledger_append *a,
                              struct ledger_wait *w)
{
    assert_true(a->entry.len > 0);
    if (w != NULL) {
        c->wait = w;
        timer_set(c->loop, &c->timer, 1, on_answer);
    }
    return ERR_OK;
}

void ledger_wait_cancel(struct ledger_wait *w)
{
    if (ledger.wait == w)
        ledger.wait = NULL;
}

void gateway_loaded(struct gateway *g)
{
    open_for_all = true;
    loop_stop(g->loop);
}

void gateway_begin_again(struct gateway *g)
{
    (void)g;
    fail_msg("the tools are not loaded");
}

/* --- workers ---------------------------------------------------------------
 */

struct swap {
    struct gateway_worker *to;
    struct catalog *catalog;
};

static void on_swap(void *arg)
{
    struct swap *s = arg;
    if (s->to->ended) {
        catalog_unref(s->catalog);
    } else {
        catalog_unref(s->to->worker.catalog);
        s->to->worker.catalog = s->catalog;
    }
    free(s);
}

void gateway_worker_catalog(struct gateway_worker *gw, struct catalog *c)
{
    struct swap *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    *s = (struct swap){gw, c};
    if (loop_post_surely(gw->worker.loop, on_swap, s))
        return;
    catalog_unref(c);
    free(s);
}

/* What one worker does: offers, waits, offers something else.  Every third
 * time whoever waits goes away at once. */
struct user {
    struct gateway_worker *gw;
    struct catalog_wait wait;
    struct arena arena;
    struct tool offered[TOOLS];
    struct timer next, patience; /* which keeps the loop running */
    unsigned round, wrong, overloaded;
};

static struct user users[WORKERS];

static void make_tools(struct user *u)
{
    arena_release(&u->arena);
    for (unsigned i = 0; i < TOOLS; i++) {
        char text[160];
        const struct json *v;
        struct fault fault;
        /* Some of all workers, some of one, some that change. */
        (void)snprintf(text, sizeof(text),
                       "{\"name\":\"t%u-%u\",\"description\":\"%u\","
                       "\"inputSchema\":{\"type\":\"object\"}}",
                       i, i % 3 == 0 ? 99 : u->gw->worker.number,
                       i % 4 == 1 ? u->round / 4 : 0);
        if (json_read(&u->arena, str_from(text), &v, NULL) != ERR_OK ||
            tool_read(&u->arena, STR(""), v, &u->offered[i], &fault) != ERR_OK)
            abort();
    }
}

static void on_tell_left(void *arg)
{
    (void)arg;
    if (--workers_left == 0)
        loop_stop(gateway.loop);
}

static void leave(struct user *u)
{
    timer_cancel(&u->patience);
    u->gw->ended = true;
    loop_stop(u->gw->worker.loop);
    if (!loop_post(gateway.loop, on_tell_left, NULL))
        abort();
}

static void on_next(struct timer *t);

static void on_pinned(struct catalog_wait *wait, enum err e)
{
    struct user *u = CONTAINER_OF(wait, struct user, wait);
    bool settled = catalog_is_settled(u->gw->worker.catalog, STR("crm"),
                                      u->offered, TOOLS);
    if (e != ERR_OK || !settled || wait->held != NULL)
        u->wrong++;
    timer_set(u->gw->worker.loop, &u->next, 1, on_next);
}

static void on_next(struct timer *t)
{
    struct user *u = CONTAINER_OF(t, struct user, next);
    struct worker *w = &u->gw->worker;

    if (u->round++ == ROUNDS) {
        leave(u);
        return;
    }
    make_tools(u);
    const struct worker_offer o = {.server = STR("crm"),
                                   .offered = u->offered,
                                   .count = TOOLS};
    u->wait.done = on_pinned;
    enum err e = gateway_catalog_offer(w, &o, &u->wait);
    u->overloaded += e != ERR_OK ? 1 : 0;
    if (e == ERR_OK && u->round % 3 != 0)
        return;
    catalog_wait_cancel(&u->wait);
    timer_set(w->loop, &u->next, 1, on_next);
}

static void too_late(struct timer *t)
{
    (void)t;
    abort();
}

static void worker_thread(void *arg)
{
    struct user *u = arg;
    timer_set(u->gw->worker.loop, &u->patience, PATIENCE_MS, too_late);
    timer_set(u->gw->worker.loop, &u->next, 1, on_next);
    loop_run(u->gw->worker.loop);
    catalog_unref(u->gw->worker.catalog);
    arena_release(&u->arena);
}

static void start_workers(void)
{
    gateway.workers = calloc(WORKERS, sizeof(*gateway.workers));
    assert_non_null(gateway.workers);
    gateway.worker_count = WORKERS;
    workers_left = WORKERS;
    for (unsigned i = 0; i < WORKERS; i++) {
        struct gateway_worker *gw = &gateway.workers[i];
        struct user *u = &users[i];
        *u = (struct user){.gw = gw};
        arena_init(&u->arena, 1 * MIB);
        gw->gateway = &gateway;
        gw->worker.number = i;
        gw->worker.owner = gw;
        assert_int_equal(loop_new(&gw->worker.loop), ERR_OK);
        gw->worker.catalog = catalog_ref(gateway.control.catalog);
        gw->started = true;
    }
    for (unsigned i = 0; i < WORKERS; i++)
        assert_int_equal(thread_start(&gateway.workers[i].thread, "worker",
                                      worker_thread, &users[i]),
                         ERR_OK);
}

/* --- the test ----------------------------------------------------------------
 */

static void on_opened(void *user, enum err e, struct str why)
{
    (void)user;
    (void)why;
    assert_int_equal(e, ERR_OK);
    gateway_catalog_load(&gateway);
}

static void open_node(const char *dir)
{
    gateway.options = &options;
    assert_int_equal(loop_new(&gateway.loop), ERR_OK);
    ledger.loop = gateway.loop;
    assert_int_equal(evidence_new(gateway.loop, &ledger, STR("n1"),
                                  &gateway.control.evidence),
                     ERR_OK);
    gateway.control.snapshot = calloc(1, sizeof(struct snapshot));
    assert_non_null(gateway.control.snapshot);
    assert_int_equal(gateway_catalog_new(&gateway), ERR_OK);
    const struct store_options o = {.url = STR("sqlite"), .data_dir = dir};
    const struct store_events events = {on_opened, NULL, NULL};
    const char *why = "";
    assert_int_equal(store_open(gateway.loop, &o, &events, &gateway.store,
                                &why),
                     ERR_OK);
    timer_set(gateway.loop, &patience, PATIENCE_MS, too_late);
    loop_run(gateway.loop);
    assert_true(open_for_all);
}

/* In the order of the real one. */
static void close_node(void)
{
    for (unsigned i = 0; i < WORKERS; i++)
        thread_join(&gateway.workers[i].thread);
    for (unsigned i = 0; i < WORKERS; i++)
        loop_free(gateway.workers[i].worker.loop);
    timer_cancel(&ledger.timer);
    timer_cancel(&patience);
    gateway_catalog_free(&gateway);
    store_close(gateway.store);
    evidence_free(gateway.control.evidence);
    loop_free(gateway.loop);
    free(gateway.control.snapshot);
    free(gateway.workers);
}

static void workers_offer_and_get_what_follows(void **state)
{
    char dir[] = "/tmp/writ-catalog-XXXXXX", path[64];
    static const char *const files[] = {"store.db", "store.db-wal",
                                        "store.db-shm"};
    (void)state;
    assert_non_null(mkdtemp(dir));
    open_node(dir);
    start_workers();
    loop_run(gateway.loop); /* until the workers have left */
    size_t count = catalog_count(gateway.control.catalog, STR("crm"));
    close_node();
    for (unsigned i = 0; i < WORKERS; i++) {
        assert_int_equal(users[i].overloaded, 0);
        assert_int_equal(users[i].wrong, 0);
    }
    assert_int_equal(count, TOOLS / 3 + WORKERS * (TOOLS - TOOLS / 3));
    assert_int_equal(gateway.notes, 0);
    assert_int_equal(gateway.offered, 0);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_offer_and_get_what_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
