/* fixture.c - see fixture.h. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/accounts.h"
#include "admin/api.h"
#include "admin/changes.h"
#include "admin/enrolment.h"
#include "admin/lockout.h"
#include "admin/logins.h"
#include "admin/metrics.h"
#include "admin/people_enrolment.h"
#include "admin/tickets.h"
#include "base/container.h"
#include "base/limits.h"
#include "evidence/evidence.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/timer.h"
#include "session/session.h"
#include "store/store.h"

enum { PATIENCE_MS = 20000, TURN_MS = 5 };

#define CALLER_KEY STR("0123456789abcdef0123456789abcdef")

/* ---- in the place of the ledger's client ---- */

enum err ledger_client_append(struct ledger_client *c,
                              const struct ledger_append *a,
                              struct ledger_wait *w)
{
    if (c->answer != ERR_OK)
        return c->answer;
    assert_true(c->count < FIXTURE_ENTRIES_MAX);
    buf_init(&c->entries[c->count], ENTRY_MAX);
    buf_add(&c->entries[c->count], a->entry);
    c->waits[c->count++] = w;
    return ERR_OK;
}

static struct fixture *current; /* ledger_wait_cancel() knows no client */

void ledger_wait_cancel(struct ledger_wait *w)
{
    struct ledger_client *c = &current->ledger;
    for (size_t i = 0; i < c->count; i++) {
        if (c->waits[i] == w)
            c->waits[i] = NULL;
    }
}

void fixture_ack(struct fixture *f, enum err e)
{
    for (size_t i = 0; i < f->ledger.count; i++) {
        struct ledger_wait *w = f->ledger.waits[i];
        const struct ledger_receipt receipt = {.index = i};
        f->ledger.waits[i] = NULL;
        if (w != NULL)
            w->done(w, e, e == ERR_OK ? &receipt : NULL);
    }
}

/* ---- in the place of the process ---- */

static const struct settings *settings_of(void *user)
{
    const struct fixture *f = user;
    return &f->settings;
}

static const struct limit_rules *no_limits(void *user)
{
    (void)user;
    return NULL;
}

static void spread(void *user, void (*done)(void *arg), void *arg)
{
    struct fixture *f = user;
    assert_true(f->spread_count < FIXTURE_SPREADS_MAX);
    f->spreads[f->spread_count].done = done;
    f->spreads[f->spread_count++].arg = arg;
    f->spread_total++;
}

void fixture_spread(struct fixture *f)
{
    size_t n = f->spread_count;
    f->spread_count = 0;
    for (size_t i = 0; i < n; i++)
        f->spreads[i].done(f->spreads[i].arg);
}

static void status(void *user, struct buf *to)
{
    (void)user;
    BUF_LIT(to, "{\"node\":\"gw-1\"}");
}

static void figures(void *user, struct metrics_figures *ret)
{
    (void)user;
    *ret = (struct metrics_figures){.version = "1", .calls = 7};
}

/* ---- turns ---- */

struct tick {
    struct timer timer;
    struct loop *loop;
    bool over;
};

static void on_tick(struct timer *t)
{
    struct tick *tick = CONTAINER_OF(t, struct tick, timer);
    tick->over = true;
    loop_stop(tick->loop);
}

static void turn(struct fixture *f)
{
    struct tick t = {.loop = f->loop};
    timer_set(f->loop, &t.timer, TURN_MS, on_tick);
    while (!t.over)
        loop_run(f->loop);
}

void fixture_run(struct fixture *f, const bool *done)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    turn(f);
    while (done != NULL && !*done && clock_monotonic_ms() < until)
        turn(f);
    assert_true(done == NULL || *done);
}

/* ---- asking ---- */

static void reply(struct admin_call *c, int code, struct str type,
                  struct str body)
{
    struct fixture *f = c->user;
    assert_true(type.len > 0);
    f->replies++;
    f->status = code;
    buf_clear(&f->text);
    buf_add(&f->text, body);
}

static void ask(struct fixture *f, const char *method, const char *path,
                const char *body)
{
    struct str target = str_from(path);
    size_t mark = str_find(target, '?');
    struct admin_author author = f->call.author;

    arena_release(&f->arena);
    f->replies = 0;
    f->status = 0;
    buf_clear(&f->text);
    f->call = (struct admin_call){
        .host = &f->host,
        .method = str_from(method),
        .path = str_first(target, mark),
        .query = str_skip(target, mark + 1),
        .body = str_from(body),
        .source = STR("192.0.2.1:5000"),
        .author = author,
        .arena = &f->arena,
        .reply = reply,
        .user = f,
    };
    api_handle(&f->call);
}

void fixture_ask(struct fixture *f, const char *method, const char *path,
                 const char *body)
{
    if (f->replies == 0)
        api_cancel(&f->call);
    f->call.author =
        (struct admin_author){.id = STR("local|ada"), .method = AUTH_LOGIN};
    ask(f, method, path, body);
}

void fixture_ask_as(struct fixture *f, struct admin_author author,
                    const char *method, const char *path, const char *body)
{
    if (f->replies == 0)
        api_cancel(&f->call);
    f->call.author = author;
    ask(f, method, path, body);
}

void fixture_ask_unknown(struct fixture *f, const char *method,
                         const char *path, const char *body)
{
    if (f->replies == 0)
        api_cancel(&f->call);
    f->call.author = (struct admin_author){.id = {NULL, 0}};
    ask(f, method, path, body);
}

void fixture_do(struct fixture *f, const char *method, const char *path,
                const char *body)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    fixture_ask(f, method, path, body);
    while (f->replies == 0 && clock_monotonic_ms() < until) {
        fixture_ack(f, ERR_OK);
        fixture_spread(f);
        if (f->replies == 0)
            turn(f);
    }
    assert_int_equal(f->replies, 1);
}

bool fixture_says(const struct fixture *f, const char *part)
{
    return memmem(f->text.ptr, f->text.len, part, strlen(part)) != NULL;
}

size_t fixture_entries(const struct fixture *f, const char *part)
{
    size_t n = 0;
    for (size_t i = 0; i < f->ledger.count; i++) {
        const struct buf *e = &f->ledger.entries[i];
        n += memmem(e->ptr, e->len, part, strlen(part)) != NULL;
    }
    return n;
}

enum registry_state fixture_state(const struct fixture *f, const char *name)
{
    char id[64];
    int n = snprintf(id, sizeof(id), "acme/%s", name);
    const struct registry_entry *e =
        registry_view_find(registry_now(f->host.registry), PRINCIPAL_AGENT,
                           (struct str){id, (size_t)n});
    return e == NULL ? REGISTRY_NONE : e->state;
}

/* ---- from start to end ---- */

static void on_store_opened(void *user, enum err e, struct str why)
{
    struct fixture *f = user;
    (void)why;
    assert_int_equal(e, ERR_OK);
    f->opened = true;
}

static void on_registry_opened(void *user, enum err e, struct str why)
{
    on_store_opened(user, e, why);
}

static void on_changed(void *user, struct registry_view *v)
{
    struct fixture *f = user;
    registry_view_unref(f->view);
    f->view = v;
}

static void open_store(struct fixture *f)
{
    const struct store_options o = {STR("sqlite"), f->dir, NULL};
    const struct store_events events = {on_store_opened, NULL, f};
    const struct registry_events registry = {on_registry_opened, on_changed, f};
    const char *why = NULL;

    assert_int_equal(store_open(f->loop, &o, &events, &f->store, &why), ERR_OK);
    fixture_run(f, &f->opened);
    f->opened = false;
    assert_int_equal(registry_open(f->loop, f->store, STR("gw-1"), &registry,
                                   &f->host.registry),
                     ERR_OK);
    fixture_run(f, &f->opened);
}

static void fill_host(struct fixture *f)
{
    static const struct tenant_settings tenants[] = {
        {.name = STR_INIT("acme")}};
    static const struct issuer_settings issuers[] = {
        {.alias = STR_INIT("corp")}};
    struct admin_host *h = &f->host;

    f->settings = (struct settings){.tenants = tenants,
                                    .tenant_count = 1,
                                    .issuers = issuers,
                                    .issuer_count = 1};
    h->loop = f->loop;
    h->data = f->dir;
    h->caller_key = CALLER_KEY;
    h->hooks = (struct admin_hooks){.settings = settings_of,
                                    .limit_rules = no_limits,
                                    .spread = spread,
                                    .status = status,
                                    .figures = figures,
                                    .user = f};
    list_init(&h->changes);
    list_init(&h->sayings);
    assert_int_equal(approvals_new(&h->approvals), ERR_OK);
    assert_int_equal(evidence_new(f->loop, &f->ledger, STR("gw-1"),
                                  &h->evidence),
                     ERR_OK);
    assert_int_equal(session_table_new(&h->sessions), ERR_OK);
    assert_int_equal(logins_new(loop_seed(f->loop), &h->logins), ERR_OK);
    assert_int_equal(lockout_new(loop_seed(f->loop), &h->lockout), ERR_OK);
    assert_int_equal(accounts_new(f->loop, f->store, CALLER_KEY, &h->accounts),
                     ERR_OK);
}

int fixture_open(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    *state = current = f;
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/writ-admin-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    arena_init(&f->arena, 4 * MIB);
    buf_init(&f->text, 4 * MIB);
    assert_int_equal(loop_new(&f->loop), ERR_OK);
    open_store(f);
    fill_host(f);
    fixture_do(f, "POST", "agents",
               "{\"name\":\"alice\",\"kind\":\"human\",\"expires\":\"90d\"}");
    assert_int_equal(f->status, 201);
    return 0;
}

static void remove_files(const struct fixture *f)
{
    static const char *const names[] = {"store.db", "store.db-wal",
                                        "store.db-shm", ENROLMENT_FILE};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
        (void)remove(path);
    }
    assert_int_equal(rmdir(f->dir), 0);
}

int fixture_close(void **state)
{
    struct fixture *f = *state;
    struct admin_host *h = &f->host;

    if (f->replies == 0)
        api_cancel(&f->call);
    f->spread_count = 0;
    changes_close(h);
    tickets_close(h);
    approvals_free(h->approvals);
    accounts_free(h->accounts);
    logins_free(h->logins);
    lockout_free(h->lockout);
    people_enrolment_free(h->enrolment);
    registry_view_unref(f->view);
    registry_close(h->registry);
    store_close(f->store);
    evidence_free(h->evidence);
    session_table_free(h->sessions);
    for (size_t i = 0; i < f->ledger.count; i++)
        buf_release(&f->ledger.entries[i]);
    loop_free(f->loop);
    arena_release(&f->arena);
    buf_release(&f->text);
    remove_files(f);
    free(f);
    return 0;
}
