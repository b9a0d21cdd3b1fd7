/*
 * hub_links.c - the links of a worker: made when somebody needs one, closed
 * when nobody does, and remembered for a while when they have failed.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/container.h"
#include "mcp/hub_link.h"
#include "os/loop.h"

/* ---- keys ---- */

struct str hub_links_key(const struct hub_to *to, const struct hash *digest,
                         char room[HUB_KEY_MAX])
{
    struct str name = to->server->name;
    size_t n = 0;
    assert(name.len <= NAME_MAX_LEN);
    room[n++] = to->server->shared ? 's' : 'o';
    if (!to->server->shared) {
        struct str id = mcp_session_id(to->session);
        memcpy(room + n, id.ptr, id.len);
        n += id.len;
    }
    room[n++] = (char)name.len;
    if (name.len > 0)
        memcpy(room + n, name.ptr, name.len);
    n += name.len;
    memcpy(room + n, digest->bytes, HASH_LEN);
    return (struct str){room, n + HASH_LEN};
}

static struct str name_of(const struct hub_link *l)
{
    return (struct str){l->key, l->key_len - HASH_LEN};
}

static bool is_busy(const struct hub_link *l)
{
    return !list_empty(&l->waiting) || !list_empty(&l->calls);
}

static void add_listener(struct hub_link *l, struct hub_far *f)
{
    LIST_EACH(it, next_it, &l->listeners)
    {
        struct hub_far *before = CONTAINER_OF(it, struct hub_far, node);
        if (before->to.session == f->to.session)
            hub_far_fail(before, ERR_CONFLICT, false,
                         STR("somebody else listens now"));
    }
    list_push(&l->listeners, &f->node);
}

/* ---- the set ---- */

static void link_free(struct hub_link *l)
{
    struct hub *h = l->hub;
    hub_link_close(l);
    (void)map_take(&h->links, hub_link_key(l));
    if (map_get(&h->newest, name_of(l)) == l)
        (void)map_take(&h->newest, name_of(l));
    list_remove(&l->node);
    mcp_session_unref(l->session);
    free(l);
}

/* Whoever is on it is told. */
static void end(struct hub_link *l, enum err why, struct str text)
{
    hub_link_close(l);
    hub_link_fail_all(&l->calls, why, true, text);
    hub_link_fail_all(&l->waiting, why, false, text);
    hub_link_fail_all(&l->listeners, why, false, text);
    link_free(l);
}

/* Makes room: the link that was not used for longest goes. */
static bool evict(struct hub *h)
{
    LIST_EACH(it, next_it, &h->by_use)
    {
        struct hub_link *l = CONTAINER_OF(it, struct hub_link, node);
        if (is_busy(l))
            continue;
        end(l, ERR_OVERLOAD, STR("others need the room"));
        return true;
    }
    return false;
}

static struct hub_link *link_new(struct hub *h, const struct hub_far *f,
                                 struct str key)
{
    struct hub_link *l = calloc(1, sizeof(*l) + key.len);
    if (l == NULL)
        return NULL;
    l->hub = h;
    list_init(&l->node);
    list_init(&l->waiting);
    list_init(&l->calls);
    list_init(&l->listeners);
    l->key_len = key.len;
    memcpy(l->key, key.ptr, key.len);
    struct hub_link *before = map_get(&h->newest, name_of(l));
    if (map_set(&h->links, hub_link_key(l), l) != ERR_OK) {
        free(l);
        return NULL;
    }
    if (before != NULL) {
        before->replaced = true;
        (void)map_take(&h->newest, name_of(before));
    }
    /* Without it, one that is replaced later idles a little longer. */
    (void)!map_set(&h->newest, name_of(l), l);
    list_push(&h->by_use, &l->node);
    if (!f->to.server->shared)
        l->session = mcp_session_ref(f->to.session);
    return l;
}

static struct hub_link *get(struct hub *h, const struct hub_far *f)
{
    char room[HUB_KEY_MAX] UNINITIALIZED;
    struct str key = hub_links_key(&f->to, &f->digest, room);
    struct hub_link *l = map_get(&h->links, key);
    if (l != NULL)
        return l;
    if (map_count(&h->links) >= HUB_LINKS_MAX && !evict(h))
        return NULL;
    return link_new(h, f, key);
}

void hub_links_join(struct hub *h, struct hub_far *f)
{
    if (f->to.session != NULL && mcp_session_is_ended(f->to.session)) {
        hub_far_fail(f, ERR_NOT_FOUND, false, STR("the session has ended"));
        return;
    }
    struct hub_link *l = get(h, f);
    if (l == NULL) {
        hub_far_fail(f, ERR_OVERLOAD, false, STR("there are too many links"));
        return;
    }
    f->on = l;
    l->used_ms = loop_now_ms(h->loop);
    list_remove(&l->node);
    list_push(&h->by_use, &l->node);
    if (f->kind == HUB_LISTEN) {
        hub_far_forget(f);
        add_listener(l, f);
        return;
    }
    /* A credential that was replaced is used no longer than it has to be;
     * those of a shared link's callers may differ. */
    if (l->session != NULL && !is_busy(l) && hub_link_differs(l, f)) {
        hub_link_close(l);
        hub_link_fail_all(&l->listeners, ERR_CONNECT, false,
                          STR("the credential was replaced"));
    }
    if (!f->has_tools && l->has_told) {
        f->has_tools = true;
        f->tools = l->told;
    }
    list_push(&l->waiting, &f->node);
    hub_link_serve(l);
}

void hub_links_notify(struct hub *h, const struct mcp_session *s, enum method m,
                      struct str params)
{
    LIST_EACH(it, next_it, &h->by_use)
    {
        struct hub_link *l = CONTAINER_OF(it, struct hub_link, node);
        if (l->session == s && l->link != NULL)
            link_notify(l->link, m, params);
    }
}

/* Those on a shared link whose sessions are over. */
static void end_listeners(struct hub_link *l)
{
    LIST_EACH(it, next_it, &l->listeners)
    {
        struct hub_far *f = CONTAINER_OF(it, struct hub_far, node);
        if (mcp_session_is_ended(f->to.session))
            hub_far_fail(f, ERR_NOT_FOUND, false, STR("the session has ended"));
    }
}

/* Nobody uses it, and nobody needs what it remembers. */
static bool is_idle(const struct hub_link *l, int64_t now_ms)
{
    int64_t from_ms = l->used_ms > l->retry_ms ? l->used_ms : l->retry_ms;
    if (is_busy(l) || l->listing.pages != NULL)
        return false;
    if (l->link != NULL && l->replaced)
        return true;
    if (!list_empty(&l->listeners))
        return false; /* who listens uses it */
    return now_ms - (l->link != NULL ? l->used_ms : from_ms) >=
           (l->link != NULL ? l->idle_ms : HUB_FORGET_MS);
}

void hub_links_sweep(struct hub *h)
{
    int64_t now_ms = loop_now_ms(h->loop);
    LIST_EACH(it, next_it, &h->by_use)
    {
        struct hub_link *l = CONTAINER_OF(it, struct hub_link, node);
        if (l->session != NULL && mcp_session_is_ended(l->session)) {
            end(l, ERR_NOT_FOUND, STR("the session has ended"));
            continue;
        }
        end_listeners(l);
        if (is_idle(l, now_ms))
            end(l, ERR_CONNECT, STR("the link was closed"));
    }
}

void hub_links_free(struct hub *h)
{
    size_t at = 0;
    struct str key;
    void *value;

    LIST_EACH(it, next_it, &h->by_use)
    {
        hub_link_close(CONTAINER_OF(it, struct hub_link, node));
    }
    while (map_next(&h->far, &at, &key, &value))
        hub_far_free(value);
    LIST_EACH(at_link, next_link, &h->by_use)
    {
        link_free(CONTAINER_OF(at_link, struct hub_link, node));
    }
}
