/* registry_view.c - what readers ask. */
#include "registry/registry_view.h"

#include <assert.h>
#include <stdlib.h>

struct registry_view *registry_view_new(const struct registry_view *like,
                                        struct registry_table *base,
                                        struct registry_table *overlay)
{
    struct registry_view *v = NULL;
    if (base != NULL && overlay != NULL)
        v = malloc(sizeof(*v));
    if (v == NULL) {
        registry_table_unref(base);
        registry_table_unref(overlay);
        return NULL;
    }
    atomic_init(&v->refs, 1);
    v->seed = like->seed;
    v->base = base;
    v->overlay = overlay;
    v->epoch = like->epoch;
    v->keys_number = like->keys_number;
    v->count = like->count;
    return v;
}

struct registry_view *registry_view_ref(struct registry_view *v)
{
    (void)atomic_fetch_add_explicit(&v->refs, 1, memory_order_relaxed);
    return v;
}

void registry_view_unref(struct registry_view *v)
{
    if (v == NULL ||
        atomic_fetch_sub_explicit(&v->refs, 1, memory_order_acq_rel) != 1)
        return;
    registry_table_unref(v->base);
    registry_table_unref(v->overlay);
    free(v);
}

struct registry_record *registry_view_record(const struct registry_view *v,
                                             enum principal_kind kind,
                                             struct str id)
{
    uint64_t hash = registry_record_hash(v->seed, kind, id);
    struct registry_record *r = registry_table_find(v->overlay, hash, kind, id);
    return r != NULL ? r : registry_table_find(v->base, hash, kind, id);
}

const struct registry_entry *registry_view_find(const struct registry_view *v,
                                                enum principal_kind kind,
                                                struct str id)
{
    const struct registry_record *r = registry_view_record(v, kind, id);
    return r == NULL ? NULL : &r->entry;
}

const struct registry_entry *
registry_view_by_key(const struct registry_view *v, const struct hash *hmac,
                     const struct registry_key **ret_key)
{
    const struct registry_record *r =
        registry_table_by_key(v->overlay, hmac, ret_key);
    if (r != NULL)
        return &r->entry;
    const struct registry_key *key = NULL;
    r = registry_table_by_key(v->base, hmac, &key);
    /* What the overlay has of that identity no longer has this key. */
    if (r == NULL || registry_table_find(v->overlay, r->hash, r->entry.who.kind,
                                         r->entry.who.id) != NULL)
        return NULL;
    *ret_key = key;
    return &r->entry;
}

static bool is_live(const struct registry_entry *e, int64_t now_us)
{
    return e->state == REGISTRY_ACTIVE && now_us < e->expires_us;
}

static enum err check_owner(const struct registry_view *v,
                            const struct registry_entry *e, int64_t now_us)
{
    if (e->who.kind == PRINCIPAL_USER)
        return ERR_OK;
    const struct registry_entry *owner =
        registry_view_find(v, PRINCIPAL_USER, e->owner);
    return owner != NULL && is_live(owner, now_us) ? ERR_OK : ERR_INACTIVE;
}

enum err registry_view_check(const struct registry_view *v,
                             const struct principal *who, int64_t now_us,
                             const struct registry_entry **ret)
{
    const struct registry_entry *e = registry_view_find(v, who->kind, who->id);
    if (e == NULL || !str_eq(e->who.tenant, who->tenant) ||
        !str_eq(e->who.issuer, who->issuer))
        return ERR_UNREGISTERED;

    enum err got = ERR_UNREGISTERED;
    switch (e->state) {
    case REGISTRY_NONE:
    case REGISTRY_DISCOVERED:
        break;
    case REGISTRY_SUSPENDED:
    case REGISTRY_RETIRED:
        got = ERR_REVOKED;
        break;
    case REGISTRY_PROPOSED:
        got = ERR_INACTIVE;
        break;
    case REGISTRY_ACTIVE:
        got = is_live(e, now_us) ? check_owner(v, e, now_us) : ERR_INACTIVE;
        break;
    }
    if (got == ERR_OK)
        *ret = e;
    return got;
}

uint64_t registry_view_epoch(const struct registry_view *v)
{
    return v->epoch;
}

uint64_t registry_view_keys_number(const struct registry_view *v)
{
    return v->keys_number;
}

size_t registry_view_count(const struct registry_view *v)
{
    return v->count;
}

/* ---- lists ---- */

struct cursor {
    const struct registry_table *base, *overlay;
    size_t in_base, in_overlay;
};

/* Both are sorted; where they name the same one, the overlay's counts. */
static const struct registry_record *next_of(struct cursor *c)
{
    const struct registry_record *b =
        c->in_base < c->base->count ? c->base->sorted[c->in_base] : NULL;
    const struct registry_record *o = c->in_overlay < c->overlay->count
                                          ? c->overlay->sorted[c->in_overlay]
                                          : NULL;
    if (b == NULL && o == NULL)
        return NULL;
    int order = b == NULL ? 1 : o == NULL ? -1 : registry_record_compare(b, o);
    c->in_base += order <= 0 ? 1 : 0;
    c->in_overlay += order >= 0 ? 1 : 0;
    return order < 0 ? b : o;
}

size_t registry_view_list(const struct registry_view *v, struct str after,
                          const struct registry_entry **to, size_t max)
{
    assert(max >= PRINCIPAL_AGENT); /* as many kinds may share an id */
    struct cursor c = {v->base, v->overlay,
                       registry_table_after(v->base, after),
                       registry_table_after(v->overlay, after)};
    size_t n = 0;
    const struct registry_record *r = next_of(&c);
    for (; r != NULL && n < max; r = next_of(&c))
        to[n++] = &r->entry;
    if (r == NULL)
        return n;
    /* The next one has to have an id of its own. */
    while (n > 0 && str_eq(to[n - 1]->who.id, r->entry.who.id))
        n--;
    return n;
}
