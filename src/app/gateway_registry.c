/* gateway_registry.c - see gateway_registry.h. */
#include "app/gateway_registry.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/gateway_admin.h"
#include "app/gateway_state.h"
#include "base/container.h"
#include "base/log.h"
#include "ledger/ledger_reader.h"
#include "os/file.h"
#include "registry/registry.h"

/* What a crash can leave behind are a few entries; more than this is another
 * ledger's. */
#define MISSED_MAX (64 * MIB)
#define MISSED_ARENA_MAX (1 * MIB)

/* One entry that the store missed. */
struct missed {
    struct list node;
    int64_t index;
    struct str text;
};

/* Reads the evidence behind what the store has. */
struct catching_up {
    struct thread thread;
    struct gateway_registry *of;
    uint64_t from;
    struct list missed;
    struct arena arena; /* they live here */
    enum err err;
    bool running;
};

struct gateway_registry {
    struct gateway *gateway;
    struct registry *registry;
    bool ready;
    bool closed; /* what is still posted, frees it */
    struct catching_up catching_up;
    struct list spreads; /* under way */
    uint64_t marked;     /* entries of the ledger that the store knows of */
    int64_t marked_ms;
};

/* ---- telling the workers ---- */

struct spread {
    struct list node;
    struct gateway *gateway;
    bool again;              /* the second time; see on_told() */
    unsigned left;           /* workers that have not answered */
    void (*done)(void *arg); /* NULL: the gateway ends */
    void *arg;
};

struct spread_note {
    struct spread *spread;
    struct gateway_worker *to;
    struct registry_view *view; /* +1; NULL: the second time */
};

static void tell_all(struct spread *s);

/*
 * All have ended what may not go on.  What one of them had with another, and
 * took back (a call whose link is another worker's), may still be on its way
 * there: so all are asked once more, behind that.
 */
static void on_told(void *arg)
{
    struct spread *s = arg;

    if (--s->left > 0)
        return;
    if (!s->again && s->done != NULL) {
        s->again = true;
        tell_all(s);
        return;
    }
    list_remove(&s->node);
    if (s->done != NULL)
        s->done(s->arg);
    free(s);
}

/* On the worker's thread. */
static void on_spread(void *arg)
{
    struct spread_note *n = arg;

    if (n->to->ended) {
        registry_view_unref(n->view);
    } else if (n->view != NULL) {
        struct worker *w = &n->to->worker;
        struct registry_view *old = w->registry;
        w->registry = n->view;
        worker_revoked(w);
        registry_view_unref(old);
    }
    /* When this cannot be posted the control loop has ended. */
    (void)!loop_post_surely(n->to->gateway->loop, on_told, n->spread);
    free(n);
}

static bool tell_worker(struct spread *s, struct gateway_worker *w)
{
    struct spread_note *n = calloc(1, sizeof(*n));
    if (n == NULL)
        abort(); /* a worker would go on with what was revoked */
    *n = (struct spread_note){.spread = s, .to = w};
    if (!s->again)
        n->view = registry_view_ref(s->gateway->control.registry);
    if (loop_post_surely(w->worker.loop, on_spread, n))
        return true;
    registry_view_unref(n->view); /* it has ended */
    free(n);
    return false;
}

static void tell_all(struct spread *s)
{
    struct gateway *g = s->gateway;

    s->left = 1; /* ourselves: so the last answer comes in a later turn */
    for (unsigned i = 0; i < g->worker_count; i++) {
        if (g->workers[i].started && tell_worker(s, &g->workers[i]))
            s->left++;
    }
    if (!loop_post(g->loop, on_told, s))
        abort(); /* it runs: this is its thread */
}

void gateway_spread(struct gateway *g, void (*done)(void *arg), void *arg)
{
    struct spread *s = calloc(1, sizeof(*s));

    if (s == NULL)
        abort();
    s->gateway = g;
    s->done = done;
    s->arg = arg;
    list_push(&g->registry->spreads, &s->node);
    tell_all(s);
}

/* ---- loading ---- */

/* It stays closed: nobody is told that they may. */
static void fail(struct gateway *g, struct str why)
{
    log_error("registry", {"why", why});
    gateway_begin_again(g);
}

static void open_for_all(struct gateway_registry *r)
{
    r->ready = true;
    gateway_loaded(r->gateway);
}

static enum err replay_one(struct gateway_registry *r, const struct missed *m)
{
    struct arena arena;
    const struct json *v;

    arena_init(&arena, MISSED_ARENA_MAX);
    enum err e = json_read(&arena, m->text, &v, NULL);
    if (e == ERR_OK)
        e = registry_replay(r->registry, v, m->index);
    arena_release(&arena);
    return e;
}

/* On the control thread: what was read takes effect. */
static void on_caught_up(void *arg)
{
    struct gateway_registry *r = arg;
    struct catching_up *c = &r->catching_up;
    enum err e = c->err;

    if (r->closed) {
        arena_release(&c->arena);
        free(r);
        return;
    }
    thread_join(&c->thread);
    c->running = false;
    LIST_EACH(it, next, &c->missed)
    {
        if (e == ERR_OK)
            e = replay_one(r, CONTAINER_OF(it, struct missed, node));
    }
    arena_release(&c->arena);
    if (e == ERR_OK)
        open_for_all(r);
    else
        fail(r->gateway, str_from(err_text(e)));
}

static enum err keep(struct catching_up *c, const struct ledger_entry *e)
{
    static const char member[] = "\"registry\":{";

    if (memmem(e->text.ptr, e->text.len, member, sizeof(member) - 1) == NULL)
        return ERR_OK;
    struct missed *m = ARENA_NEW(&c->arena, struct missed, 1);
    if (m == NULL || !arena_copy(&c->arena, e->text, &m->text))
        return ERR_LIMIT;
    m->index = (int64_t)e->index;
    list_push(&c->missed, &m->node);
    return ERR_OK;
}

static enum err read_missed(struct catching_up *c, const char *dir)
{
    struct ledger_reader *reader;
    struct ledger_entry entry;

    enum err e = ledger_reader_open(dir, &reader);
    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    e = ledger_reader_seek(reader, c->from);
    while (e == ERR_OK) {
        e = ledger_reader_next(reader, &entry);
        if (e == ERR_OK)
            e = keep(c, &entry);
    }
    ledger_reader_close(reader);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static void catch_up_thread(void *arg)
{
    struct gateway_registry *r = arg;
    struct catching_up *c = &r->catching_up;
    char dir[FILE_PATH_MAX];

    c->err = snprintf(dir, sizeof(dir), "%s/ledger",
                      r->gateway->options->data) >= (int)sizeof(dir)
                 ? ERR_LIMIT
                 : read_missed(c, dir);
    (void)!loop_post(r->gateway->loop, on_caught_up, r);
}

static void on_opened(void *user, enum err e, struct str why)
{
    struct gateway_registry *r = user;
    struct catching_up *c = &r->catching_up;

    if (e != ERR_OK) {
        fail(r->gateway, why);
        return;
    }
    c->from = (uint64_t)(registry_applied(r->registry) + 1);
    c->running = true;
    if (thread_start(&c->thread, "registry", catch_up_thread, r) == ERR_OK)
        return;
    c->running = false;
    fail(r->gateway, STR("no thread for it"));
}

static void on_changed(void *user, struct registry_view *v)
{
    struct gateway_registry *r = user;
    struct worker *control = &r->gateway->control;

    registry_view_unref(control->registry);
    control->registry = v;
}

/* What a start reads again is at most this much older than the end. */
enum { MARK_ENTRIES = 20000, MARK_MS = 10000 };

void gateway_registry_mark(struct gateway *g, uint64_t entries)
{
    struct registry *registry = gateway_registry_get(g);
    int64_t now_ms = loop_now_ms(g->loop);

    if (registry == NULL || gateway_admin_is_changing(g))
        return;
    struct gateway_registry *r = g->registry;
    if (entries == r->marked ||
        (entries - r->marked < MARK_ENTRIES && now_ms - r->marked_ms < MARK_MS))
        return;
    r->marked = entries;
    r->marked_ms = now_ms;
    registry_mark(registry, (int64_t)entries - 1);
}

/* ---- who is not registered ---- */

struct discovered_note {
    struct gateway *gateway;
    struct principal who; /* its texts follow */
    char text[];
};

static void on_nothing(void *arg)
{
    (void)arg;
}

static void on_discovered(void *arg)
{
    struct discovered_note *n = arg;
    struct gateway *g = n->gateway;
    struct registry *r = gateway_registry_get(g);

    g->notes--;
    if (r != NULL && registry_discover(r, &n->who, loop_wall_us(g->loop))) {
        log_warn("registry.discovered",
                 {"kind", principal_kind_name(n->who.kind)}, {"id", n->who.id},
                 {"tenant", n->who.tenant});
        gateway_spread(g, on_nothing, NULL);
    }
    free(n);
}

static struct str put(char **at, struct str s)
{
    struct str copy = {*at, s.len};
    if (s.len > 0)
        memcpy(*at, s.ptr, s.len);
    *at += s.len;
    return copy;
}

void gateway_registry_discovered(struct worker *w, const struct principal *who)
{
    const struct gateway_worker *gw = w->owner;
    struct gateway *g = gw->gateway;
    struct discovered_note *n = NULL;

    if (g->notes < GATEWAY_NOTES_MAX)
        n = malloc(sizeof(*n) + who->issuer.len + who->id.len +
                   who->tenant.len);
    if (n == NULL)
        return; /* it is denied all the same */
    char *at = n->text;
    n->gateway = g;
    n->who.kind = who->kind;
    n->who.issuer = put(&at, who->issuer);
    n->who.id = put(&at, who->id);
    n->who.tenant = put(&at, who->tenant);
    g->notes++;
    if (!loop_post(g->loop, on_discovered, n)) {
        g->notes--;
        free(n);
    }
}

/* ---- from start to end ---- */

enum err gateway_registry_new(struct gateway *g)
{
    struct gateway_registry *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return ERR_NO_MEMORY;
    r->gateway = g;
    list_init(&r->spreads);
    list_init(&r->catching_up.missed);
    arena_init(&r->catching_up.arena, MISSED_MAX);
    g->registry = r;
    return ERR_OK;
}

void gateway_registry_load(struct gateway *g)
{
    struct gateway_registry *r = g->registry;
    const struct registry_events events = {on_opened, on_changed, r};

    enum err e = registry_open(g->loop, g->store, str_from(g->options->node),
                               &events, &r->registry);
    if (e != ERR_OK)
        fail(g, str_from(err_text(e)));
}

struct registry *gateway_registry_get(const struct gateway *g)
{
    return g->registry != NULL && g->registry->ready ? g->registry->registry
                                                     : NULL;
}

void gateway_registry_free(struct gateway *g)
{
    struct gateway_registry *r = g->registry;

    if (r == NULL)
        return;
    /* What was posted runs when the loop is freed, and frees the rest. */
    LIST_EACH(it, next, &r->spreads)
    {
        list_remove(it);
        CONTAINER_OF(it, struct spread, node)->done = NULL;
    }
    registry_close(r->registry);
    registry_view_unref(g->control.registry);
    g->control.registry = NULL;
    g->registry = NULL;
    r->closed = true;
    if (!r->catching_up.running) {
        free(r);
        return;
    }
    thread_join(&r->catching_up.thread);
}
