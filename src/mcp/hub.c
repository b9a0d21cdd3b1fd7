/*
 * hub.c - see hub.h: the near half of a call, and the hub itself.
 *
 * Events are always posted, also where both halves are on one worker: so they
 * come in later turns, and never from inside of a link.
 */
#include "mcp/hub.h"

#include <assert.h>
#include <stdlib.h>

#include "base/container.h"
#include "mcp/hub_link.h"
#include "os/loop.h"

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
    struct list node; /* while a worker's are collected */
    uint64_t key;
    unsigned owner; /* of the far half */
    enum hub_kind kind;
    struct hub_call *call;
    struct order *cancel; /* allocated before it is needed */
};

/* A worker has gone. */
struct farewell {
    struct hub_note note;
    unsigned number;
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

static void near_free(struct hub *h, struct hub_near *n)
{
    (void)map_take(&h->near, hub_key(&n->key));
    list_remove(&n->node);
    free(n->cancel);
    free(n);
}

/* The last event of a call. */
static void finish(struct hub *h, struct hub_near *n, const struct hub_event *e)
{
    struct hub_call *c = n->call;
    c->state = NULL;
    near_free(h, n);
    c->event(c, e);
}

static bool is_last(enum hub_event_kind kind)
{
    return kind == HUB_OPENED || kind == HUB_ANSWERED || kind == HUB_FAILED;
}

void hub_arrived(struct hub *h, struct hub_mail *m)
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
    list_init(&n->node);
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
        near_free(h, n);
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
    near_free(h, n);
}

/* ---- words for others ---- */

struct saying {
    struct hub_note note;
    enum method method; /* NONE: a word, else for all links of the session */
    struct hub_word word;
    char text[];
};

static void saying_free(struct saying *s)
{
    mcp_session_unref(s->word.session);
    hash_wipe(s->text, s->word.text.len);
    free(s);
}

static void run_saying(struct hub *h, struct hub_note *n)
{
    struct saying *s = CONTAINER_OF(n, struct saying, note);
    if (s->method != METHOD_NONE)
        hub_links_notify(h, s->word.session, s->method, s->word.text);
    else if (h->word != NULL)
        h->word(h->word_user, &s->word);
    saying_free(s);
}

static void drop_saying(struct hub_note *n)
{
    saying_free(CONTAINER_OF(n, struct saying, note));
}

static enum err post_saying(struct hub *h, unsigned to,
                            const struct hub_word *w, enum method m)
{
    struct saying *s = calloc(1, sizeof(*s) + w->text.len);
    if (s == NULL)
        return ERR_NO_MEMORY;
    s->note.run = run_saying;
    s->note.drop = drop_saying;
    s->method = m;
    s->word = *w;
    if (w->text.len > 0)
        memcpy(s->text, w->text.ptr, w->text.len);
    s->word.text.ptr = s->text;
    mcp_session_ref(w->session);
    if (hub_net_post(h->net, to, &s->note, false))
        return ERR_OK;
    saying_free(s);
    return ERR_OVERLOAD;
}

void hub_notify(struct hub *h, struct mcp_session *s, enum method m,
                struct str params)
{
    unsigned owner = mcp_session_about(s)->owner;
    assert(m != METHOD_NONE && owner < hub_net_workers(h->net));
    /* A notification that is lost is lost. */
    (void)!post_saying(h, owner,
                       &(struct hub_word){.session = s, .text = params}, m);
}

void hub_on_word(struct hub *h,
                 void (*word)(void *user, const struct hub_word *w), void *user)
{
    h->word = word;
    h->word_user = user;
}

enum err hub_say(struct hub *h, const struct hub_word *w)
{
    unsigned to = hub_number_worker(w->number);
    if (to >= hub_net_workers(h->net))
        return ERR_OK; /* nobody has that number */
    return post_saying(h, to, w, METHOD_NONE);
}

/* ---- the hub ---- */

uint64_t hub_number(struct hub *h)
{
    return ++h->next << HUB_WORKERS_BITS | h->number;
}

unsigned hub_number_worker(uint64_t number)
{
    return (unsigned)(number & ((1u << HUB_WORKERS_BITS) - 1));
}

enum err hub_new(const struct hub_options *o, struct hub **ret)
{
    assert(o->number < hub_net_workers(o->net));
    struct hub *h = calloc(1, sizeof(*h) + o->version.len);
    if (h == NULL)
        return ERR_NO_MEMORY;
    struct siphash_key seed = loop_seed(o->loop);
    h->net = o->net;
    h->number = o->number;
    h->loop = o->loop;
    h->http = o->http;
    h->runner = o->runner;
    h->version_len = o->version.len;
    if (o->version.len > 0)
        memcpy(h->version, o->version.ptr, o->version.len);
    map_init(&h->near, seed, HUB_CALLS_MAX);
    map_init(&h->far, seed, HUB_CALLS_MAX);
    map_init(&h->links, seed, HUB_LINKS_MAX);
    map_init(&h->newest, seed, HUB_LINKS_MAX);
    list_init(&h->by_use);
    hub_net_enter(h->net, h);
    *ret = h;
    return ERR_OK;
}

static void on_farewell(struct hub *h, struct hub_note *note)
{
    struct farewell *gone = CONTAINER_OF(note, struct farewell, note);
    const struct hub_event e = {.kind = HUB_FAILED, .err = ERR_SHUTDOWN};
    struct list lost;
    size_t at = 0;
    struct str key;
    void *value;

    list_init(&lost);
    while (map_next(&h->near, &at, &key, &value)) {
        struct hub_near *n = value;
        if (n->owner == gone->number)
            list_push(&lost, &n->node);
    }
    free(gone);
    while (!list_empty(&lost)) { /* whoever is told may cancel others */
        struct hub_near *n = CONTAINER_OF(lost.next, struct hub_near, node);
        struct hub_event its = e;
        its.sent = n->kind == HUB_SEND; /* nobody can say any more */
        finish(h, n, &its);
    }
}

static void drop_farewell(struct hub_note *n)
{
    free(CONTAINER_OF(n, struct farewell, note));
}

static void say_farewell(struct hub *h)
{
    for (unsigned i = 0; i < hub_net_workers(h->net); i++) {
        struct farewell *f = i == h->number ? NULL : calloc(1, sizeof(*f));
        if (f == NULL)
            continue;
        f->note.run = on_farewell;
        f->note.drop = drop_farewell;
        f->number = h->number;
        if (!hub_net_post(h->net, i, &f->note, true))
            free(f);
    }
}

void hub_free(struct hub *h)
{
    size_t at = 0;
    struct str key;
    void *value;

    if (h == NULL)
        return;
    hub_net_leave(h->net, h); /* from here on nothing comes */
    say_farewell(h);
    hub_links_free(h);
    while (map_next(&h->near, &at, &key, &value)) {
        struct hub_near *n = value;
        if (n->owner != h->number && n->cancel != NULL) {
            give(h, n->owner, n->cancel);
            n->cancel = NULL;
        }
        n->call->state = NULL;
        free(n->cancel);
        free(n);
    }
    map_release(&h->near);
    map_release(&h->far);
    map_release(&h->links);
    map_release(&h->newest);
    free(h);
}

void hub_sweep(struct hub *h)
{
    hub_links_sweep(h);
}
