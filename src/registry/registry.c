/*
 * registry.c - the one writer: a new view per change, and what follows.
 *
 * The base is folded while changes go on: what the new base does not have
 * yet stays in the overlay.  An old base is freed by the next fold's thread,
 * not by the worker that happens to drop the last view of it.
 */
#include "registry/registry.h"

#include <assert.h>
#include <stdlib.h>

#include "registry/registry_entry.h"
#include "registry/registry_fold.h"
#include "registry/registry_load.h"
#include "registry/registry_view.h"
#include "registry/registry_writer.h"

/* Half of what an overlay is to have at most: the other half comes while the
 * fold runs. */
enum { FOLD_FROM = 2048 };

struct registry {
    struct loop *loop;
    struct registry_events events;
    struct registry_view *now;
    struct registry_writer writer;
    struct registry_load *load; /* NULL: not under way */
    struct registry_fold *fold; /* the same */
    struct registry_table *old; /* bases that views may still have */
    size_t discovered;
    bool opened;
};

struct registry_view *registry_now(const struct registry *r)
{
    return r->now;
}

int64_t registry_applied(const struct registry *r)
{
    return r->writer.applied;
}

/* ---- views ---- */

static struct registry_table *empty_table(void)
{
    return registry_table_make(NULL, 0);
}

static void maybe_fold(struct registry *r);

static void publish(struct registry *r, struct registry_view *v)
{
    registry_view_unref(r->now);
    r->now = v;
    r->events.changed(r->events.user, registry_view_ref(v));
    maybe_fold(r);
}

/* The old bases that nobody has any more. */
static struct registry_table *take_garbage(struct registry *r)
{
    struct registry_table *garbage = NULL;
    struct registry_table **at = &r->old;
    while (*at != NULL) {
        struct registry_table *t = *at;
        if (registry_table_is_last(t)) {
            *at = t->next;
            t->next = garbage;
            garbage = t;
        } else {
            at = &t->next;
        }
    }
    return garbage;
}

static void on_folded(void *user, struct registry_table *base)
{
    struct registry *r = user;
    struct registry_table *old = r->now->base;
    r->fold = NULL;
    if (base == NULL)
        return; /* no memory: the next change tries again */
    struct registry_view *v =
        registry_view_new(r->now, base,
                          registry_table_without(r->now->overlay, base));
    if (v == NULL)
        return;
    (void)registry_table_ref(old);
    old->next = r->old;
    r->old = old;
    publish(r, v);
}

/* Without a thread or memory it is tried again at the next change. */
static void maybe_fold(struct registry *r)
{
    if (r->fold != NULL || r->now->overlay->count < FOLD_FROM)
        return;
    const struct registry_fold_input in = {
        .base = registry_table_ref(r->now->base),
        .overlay = registry_table_ref(r->now->overlay),
        .garbage = take_garbage(r),
    };
    const struct registry_fold_events events = {on_folded, r};
    if (registry_fold_start(r->loop, &in, &events, &r->fold) == ERR_OK)
        return;
    r->fold = NULL;
    registry_table_unref(in.base);
    registry_table_unref(in.overlay);
    for (struct registry_table *t = in.garbage, *next; t != NULL; t = next) {
        next = t->next;
        t->next = r->old;
        r->old = t;
    }
}

/* A view with `record` in it; NULL: no memory. */
static struct registry_view *view_with(struct registry *r,
                                       struct registry_record *record)
{
    struct registry_record **one =
        (struct registry_record **)malloc(sizeof(struct registry_record *));
    if (one == NULL)
        return NULL;
    one[0] = registry_record_ref(record);
    struct registry_table *change = registry_table_make(one, 1);
    if (change == NULL)
        return NULL;
    struct registry_table *overlay =
        registry_table_merge(r->now->overlay, change);
    registry_table_unref(change);
    struct registry_view *v =
        registry_view_new(r->now, registry_table_ref(r->now->base), overlay);
    if (v != NULL && registry_view_find(r->now, record->entry.who.kind,
                                        record->entry.who.id) == NULL)
        v->count++;
    return v;
}

/* ---- opening ---- */

static void opened(struct registry *r, enum err e, struct str why)
{
    r->opened = e == ERR_OK;
    r->events.opened(r->events.user, e, why);
}

static void on_built(void *user, struct registry_table *base)
{
    struct registry *r = user;
    r->fold = NULL;
    if (base == NULL) {
        opened(r, ERR_CORRUPT,
               STR("no memory, or an identity is twice in the store"));
        return;
    }
    size_t count = base->count;
    for (size_t i = 0; i < count; i++)
        r->discovered +=
            base->sorted[i]->entry.state == REGISTRY_DISCOVERED ? 1 : 0;
    struct registry_view *v = registry_view_new(r->now, base, empty_table());
    if (v == NULL) {
        opened(r, ERR_NO_MEMORY, STR("out of memory"));
        return;
    }
    v->count = count;
    v->keys_number++;
    registry_view_unref(r->now);
    r->now = v;
    opened(r, ERR_OK, STR(""));
    r->events.changed(r->events.user, registry_view_ref(r->now));
}

static void on_loaded(void *user, const struct registry_loaded *got)
{
    struct registry *r = user;
    r->load = NULL;
    if (got->err != ERR_OK) {
        opened(r, got->err, got->why);
        return;
    }
    registry_writer_set_applied(&r->writer, got->applied);
    const struct registry_fold_input in = {.records = got->records,
                                           .count = got->count};
    const struct registry_fold_events events = {on_built, r};
    enum err e = registry_fold_start(r->loop, &in, &events, &r->fold);
    if (e == ERR_OK)
        return;
    r->fold = NULL;
    for (size_t i = 0; i < got->count; i++)
        registry_record_unref(got->records[i]);
    free((void *)got->records);
    opened(r, e, STR("no thread can be started"));
}

enum err registry_open(struct loop *l, struct store *store, struct str name,
                       const struct registry_events *events,
                       struct registry **ret)
{
    struct registry *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return ERR_NO_MEMORY;
    r->loop = l;
    r->events = *events;
    enum err e = registry_writer_init(&r->writer, l, store, name);
    if (e != ERR_OK) {
        free(r);
        return e;
    }
    const struct registry_view nothing = {.seed = hash_random_seed()};
    r->now = registry_view_new(&nothing, empty_table(), empty_table());
    e = ERR_NO_MEMORY;
    if (r->now != NULL) {
        const struct registry_load_plan plan = {
            l,         store, nothing.seed, registry_writer_name(&r->writer),
            on_loaded, r};
        e = registry_load_start(&plan, &r->load);
    }
    if (e != ERR_OK) {
        r->load = NULL;
        registry_close(r);
        return e;
    }
    *ret = r;
    return ERR_OK;
}

void registry_close(struct registry *r)
{
    if (r == NULL)
        return;
    registry_load_abandon(r->load);
    registry_fold_abandon(r->fold);
    registry_writer_release(&r->writer);
    for (struct registry_table *t = r->old, *next; t != NULL; t = next) {
        next = t->next;
        registry_table_unref(t);
    }
    registry_view_unref(r->now);
    free(r);
}

/* ---- changes ---- */

static bool is_known(const struct registry_entry *there)
{
    return there != NULL && there->state != REGISTRY_DISCOVERED;
}

/* What is written after it was in memory may be older than memory by then. */
static bool is_news(const struct registry_entry *there,
                    const struct registry_entry *e, int64_t index)
{
    if (!is_known(there) || index < 0)
        return true;
    return e->revision > there->revision ||
           (e->revision == there->revision && !registry_record_same(e, there));
}

static bool moves_keys(const struct registry_entry *there,
                       const struct registry_entry *e)
{
    if (there == NULL)
        return e->key_count > 0;
    return (e->key_count > 0 || there->key_count > 0) &&
           (e->state != there->state || e->expires_us != there->expires_us ||
            !registry_record_same_keys(e, there));
}

/* The view after `record`; NULL: no memory. */
static struct registry_view *view_after(struct registry *r,
                                        struct registry_record *record,
                                        const struct registry_entry *there)
{
    struct registry_view *v = view_with(r, record);
    if (v == NULL)
        return NULL;
    v->epoch += is_known(there) ? 1 : 0;
    v->keys_number += moves_keys(there, &record->entry) ? 1 : 0;
    return v;
}

enum err registry_put(struct registry *r, const struct registry_entry *e,
                      int64_t index, const struct registry_put *then)
{
    assert(r->opened && registry_entry_fault(e) == NULL &&
           e->state != REGISTRY_DISCOVERED);
    const struct registry_entry *there =
        registry_view_find(r->now, e->who.kind, e->who.id);
    bool replaces_discovered = there != NULL && !is_known(there);
    struct registry_view *v = NULL;
    enum err got = ERR_NO_MEMORY;
    struct registry_record *record = registry_record_new(r->now->seed, e);
    if (record == NULL)
        return ERR_NO_MEMORY;
    bool news = is_news(there, &record->entry, index);
    if (news) {
        v = view_after(r, record, there);
        if (v == NULL)
            goto out;
    }
    if (index >= 0) {
        got = registry_writer_add(&r->writer, record, index, then);
        if (got != ERR_OK)
            goto out;
    }
    got = ERR_OK;
    if (v != NULL) {
        r->discovered -= replaces_discovered ? 1 : 0;
        publish(r, v);
        v = NULL;
    }
out:
    registry_view_unref(v);
    registry_record_unref(record);
    return got;
}

/* Behind what joins the parts of an id. */
static struct str name_of(const struct principal *who)
{
    char joint = who->kind == PRINCIPAL_AGENT ? '/' : '|';
    size_t at = str_find(who->id, joint);
    return at == who->id.len ? who->id : str_skip(who->id, at + 1);
}

bool registry_discover(struct registry *r, const struct principal *who,
                       int64_t now_us)
{
    const struct registry_entry e = {.who = *who,
                                     .name = name_of(who),
                                     .state = REGISTRY_DISCOVERED,
                                     .created_us = now_us};
    if (!r->opened || r->discovered >= REGISTRY_DISCOVERED_MAX ||
        registry_entry_fault(&e) != NULL ||
        registry_view_find(r->now, who->kind, who->id) != NULL)
        return false;
    struct registry_record *record = registry_record_new(r->now->seed, &e);
    if (record == NULL)
        return false;
    struct registry_view *v = view_after(r, record, NULL);
    bool noted = v != NULL &&
                 registry_writer_add(&r->writer, record, -1, NULL) == ERR_OK;
    registry_record_unref(record);
    if (!noted) {
        registry_view_unref(v);
        return false;
    }
    r->discovered++;
    publish(r, v);
    return true;
}

void registry_hold(struct registry *r, bool hold)
{
    assert(hold || r->writer.held > 0);
    r->writer.held += hold ? 1 : -1;
}

void registry_mark(struct registry *r, int64_t index)
{
    /* Lost, it costs time at the next start and nothing else. */
    if (index > r->writer.applied)
        (void)!registry_writer_add(&r->writer, NULL, index, NULL);
}

enum err registry_replay(struct registry *r, const struct json *entry,
                         int64_t index)
{
    const struct json *v = json_get(entry, STR("registry"));
    struct registry_draft draft;
    if (v == NULL || index <= registry_applied(r))
        return ERR_OK;
    enum err e = registry_entry_read(v, &draft);
    if (e != ERR_OK)
        return e;
    if (draft.entry.state == REGISTRY_DISCOVERED)
        return ERR_OK; /* what the store misses will be discovered anew */
    return registry_put(r, &draft.entry, index, NULL);
}
