/*
 * hub_near.c - the caller's half of a call: what hub.h says of one.
 *
 * Events are always posted, also where both halves are on one worker: so they
 * come in later turns, and never from inside of a link.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/container.h"
#include "mcp/hub_link.h"

enum order_kind { ORDER_NEXT = 1, ORDER_CANCEL, ORDER_REPLY };

/* What the near half says to the far one. */
struct order {
    struct hub_note note;
    enum order_kind kind;
    uint64_t key;
    struct hub_reply reply; /* a cancel's `text` is its reason */
    char texts[];
};

struct hub_near {
    uint64_t key;
    unsigned owner; /* of the far half */
    enum hub_kind kind;
    struct hub_call *call;
    struct order *cancel; /* allocated before it is needed */
};

/* ---- orders ---- */

static void obey(struct hub *h, const struct order *o)
{
    switch (o->kind) {
    case ORDER_NEXT:
        hub_far_next(h, o->key);
        break;
    case ORDER_CANCEL:
        hub_far_cancel(h, o->key, o->reply.text);
        break;
    case ORDER_REPLY:
        hub_far_reply(h, o->key, &o->reply);
        break;
    }
}

static void run_order(struct hub *h, struct hub_note *n)
{
    struct order *o = CONTAINER_OF(n, struct order, note);
    obey(h, o);
    free(o);
}

static void drop_order(struct hub_note *n)
{
    free(CONTAINER_OF(n, struct order, note));
}

static struct order *order_new(enum order_kind kind, uint64_t key,
                               const struct hub_reply *like)
{
    size_t id_len = like->id.text.len;
    struct order *o = calloc(1, sizeof(*o) + id_len + like->text.len);
    if (o == NULL)
        return NULL;
    o->note.run = run_order;
    o->note.drop = drop_order;
    o->kind = kind;
    o->key = key;
    o->reply = *like;
    if (id_len > 0)
        memcpy(o->texts, like->id.text.ptr, id_len);
    if (like->text.len > 0)
        memcpy(o->texts + id_len, like->text.ptr, like->text.len);
    o->reply.id.text.ptr = o->texts;
    o->reply.text.ptr = o->texts + id_len;
    return o;
}

/* Takes `o`. */
static void give(struct hub *h, unsigned owner, struct order *o)
{
    if (!hub_net_post(h->net, owner, &o->note, true))
        free(o); /* the worker has gone, and says so */
}

/* ---- the near half ---- */

static void forget(struct hub *h, struct hub_near *n)
{
    (void)map_take(&h->near, hub_key(&n->key));
    free(n->cancel);
    free(n);
}

/* The last event of a call. */
static void finish(struct hub *h, struct hub_near *n, const struct hub_event *e)
{
    struct hub_call *c = n->call;
    c->state = NULL;
    forget(h, n);
    c->event(c, e);
}

static bool is_last(enum hub_event_kind kind)
{
    return kind == HUB_OPENED || kind == HUB_ANSWERED || kind == HUB_FAILED;
}

void hub_near_event(struct hub *h, struct hub_mail *m)
{
    struct hub_near *n = map_get(&h->near, hub_key(&m->key));
    if (n != NULL && is_last(m->event.kind))
        finish(h, n, &m->event);
    else if (n != NULL)
        n->call->event(n->call, &m->event);
    hub_mail_free(m);
}

static unsigned owner_of(const struct hub *h, const struct hub_to *to)
{
    if (to->server->shared)
        return hub_net_owner(h->net, to->server->name);
    unsigned owner = mcp_session_about(to->session)->owner;
    assert(owner < hub_net_workers(h->net));
    return owner;
}

static struct hub_near *near_new(struct hub *h, struct hub_call *c)
{
    struct hub_near *n = calloc(1, sizeof(*n));
    if (n == NULL)
        return NULL;
    n->key = hub_number(h);
    n->call = c;
    n->cancel =
        order_new(ORDER_CANCEL, n->key, &(struct hub_reply){.text = STR("")});
    if (n->cancel == NULL || map_set(&h->near, hub_key(&n->key), n) != ERR_OK) {
        free(n->cancel);
        free(n);
        return NULL;
    }
    return n;
}

/* `f` is a far half that knows what it is for; takes it. */
static enum err start(struct hub *h, struct hub_call *c,
                      const struct hub_to *to, struct hub_far *f)
{
    assert(c->state == NULL && c->event != NULL);
    if (f == NULL)
        return ERR_NO_MEMORY;
    struct hub_near *n = NULL;
    enum err e = map_count(&h->near) < HUB_CALLS_MAX ? ERR_OK : ERR_OVERLOAD;
    if (e == ERR_OK) {
        n = near_new(h, c);
        e = n == NULL ? ERR_NO_MEMORY : ERR_OK;
    }
    if (e != ERR_OK) {
        hub_far_free(f);
        return e;
    }
    n->owner = owner_of(h, to);
    n->kind = f->kind;
    f->key = n->key;
    f->number = c->number;
    f->from = h->number;
    if (n->owner == h->number) {
        hub_far_start(h, f);
    } else if (!hub_net_post(h->net, n->owner, &f->note, false)) {
        hub_far_free(f);
        forget(h, n);
        return ERR_OVERLOAD;
    }
    c->state = n;
    return ERR_OK;
}

enum err hub_open(struct hub *h, struct hub_call *c, const struct hub_to *to)
{
    struct hub_far *f = hub_far_new(h->net, to, STR(""));
    if (f != NULL)
        f->kind = HUB_OPEN;
    return start(h, c, to, f);
}

enum err hub_listen(struct hub *h, struct hub_call *c, const struct hub_to *to)
{
    assert(to->session != NULL);
    struct hub_far *f = hub_far_new(h->net, to, STR(""));
    if (f != NULL)
        f->kind = HUB_LISTEN;
    return start(h, c, to, f);
}

enum err hub_send(struct hub *h, struct hub_call *c, const struct hub_to *to,
                  enum method m, struct str params)
{
    assert(c->number != 0);
    struct hub_far *f = hub_far_new(h->net, to, params);
    if (f != NULL) {
        f->kind = HUB_SEND;
        f->method = m;
    }
    return start(h, c, to, f);
}

struct hub_offer *hub_known(struct hub *h, const struct hub_to *to)
{
    char room[HUB_KEY_MAX] UNINITIALIZED;
    return hub_net_known(h->net, hub_links_key(to, to->digest, room));
}

/* Says what it cannot do without memory; the call fails then. */
static void say(struct hub *h, struct hub_near *n, enum order_kind kind,
                const struct hub_reply *r)
{
    struct order *o = order_new(kind, n->key, r);
    if (o != NULL) {
        give(h, n->owner, o);
        return;
    }
    if (n->cancel == NULL)
        return; /* it fails already */
    give(h, n->owner, n->cancel);
    n->cancel = NULL;
    struct hub_mail *m = hub_mail_new();
    if (m == NULL)
        abort(); /* it would never hear of its end */
    hub_mail_failure(m, ERR_NO_MEMORY, n->kind == HUB_SEND, STR(""));
    m->key = n->key;
    hub_mail_post(h->net, h->number, m, true);
}

void hub_next(struct hub *h, struct hub_call *c)
{
    struct hub_near *n = c->state;
    if (n == NULL)
        return;
    if (n->owner == h->number)
        hub_far_next(h, n->key);
    else
        say(h, n, ORDER_NEXT, &(struct hub_reply){.text = STR("")});
}

void hub_answer(struct hub *h, struct hub_call *c, struct message_id id,
                bool is_error, struct str text)
{
    struct hub_near *n = c->state;
    const struct hub_reply r = {.id = id, .is_error = is_error, .text = text};
    if (n == NULL)
        return;
    if (n->owner == h->number)
        hub_far_reply(h, n->key, &r);
    else
        say(h, n, ORDER_REPLY, &r);
}

void hub_cancel(struct hub *h, struct hub_call *c, struct str reason)
{
    struct hub_near *n = c->state;
    if (n == NULL)
        return;
    c->state = NULL;
    if (n->owner == h->number) {
        hub_far_cancel(h, n->key, reason);
    } else if (n->cancel != NULL) { /* else it was said */
        struct order *o = order_new(ORDER_CANCEL, n->key,
                                    &(struct hub_reply){.text = reason});
        if (o == NULL) {
            o = n->cancel;
            n->cancel = NULL;
        }
        give(h, n->owner, o);
    }
    forget(h, n);
}

/* ---- the end of a worker ---- */

/* The keys of all calls whose far half is there, and how many: whoever is told
 * of one may give up others. */
static uint64_t *keys_at(const struct hub *h, unsigned owner, size_t *ret_count)
{
    uint64_t *keys = calloc(map_count(&h->near) + 1, sizeof(*keys));
    size_t at = 0;
    struct str key;
    void *value;
    if (keys == NULL)
        abort(); /* they would never hear of their end */
    *ret_count = 0;
    while (map_next(&h->near, &at, &key, &value)) {
        const struct hub_near *n = value;
        if (n->owner == owner)
            keys[(*ret_count)++] = n->key;
    }
    return keys;
}

void hub_near_lost(struct hub *h, unsigned owner)
{
    size_t count = 0;
    uint64_t *keys = keys_at(h, owner, &count);

    for (size_t i = 0; i < count; i++) {
        struct hub_near *n = map_get(&h->near, hub_key(&keys[i]));
        if (n == NULL)
            continue;
        const struct hub_event e = {
            .kind = HUB_FAILED,
            .err = ERR_SHUTDOWN,
            .sent = n->kind == HUB_SEND, /* nobody can say any more */
        };
        finish(h, n, &e);
    }
    free(keys);
}

void hub_near_free(struct hub *h)
{
    size_t at = 0;
    struct str key;
    void *value;

    while (map_next(&h->near, &at, &key, &value)) {
        struct hub_near *n = value;
        n->call->state = NULL;
        if (n->owner != h->number && n->cancel != NULL)
            give(h, n->owner, n->cancel);
        else
            free(n->cancel);
        free(n);
    }
}
