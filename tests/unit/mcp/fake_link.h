/*
 * fake_link.h - links without servers, for the tests of hubs: what is defined
 * here stands in for link.c, whose place in the library nobody asks for then.
 *
 * A fake does what `fake` says when it is opened, and otherwise what the test
 * says by fake_do(), on the loop that the link belongs to.
 */
#ifndef FAKE_LINK_H
#define FAKE_LINK_H

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/container.h"
#include "mcp/link.h"
#include "os/loop.h"

struct link_request {
    struct list node;
    struct link_call *call;
    uint64_t number;
};

struct link {
    struct list node; /* of all */
    struct loop *loop;
    const struct link_events *events;
    void *user;
    bool open, closed;
    unsigned on_way; /* events that are posted */
    struct list calls;
    unsigned page; /* of tools/list, the next */
};

static struct {
    pthread_mutex_t lock;
    struct list links;
    const char *pages[4];  /* answers to tools/list, one after the other */
    unsigned has;          /* of the server */
    _Atomic(bool) fails;   /* to open */
    _Atomic(bool) is_mute; /* tools/list is for the test to answer */
    _Atomic(bool) echoes;  /* all else is answered at once */
    _Atomic(int) opens, live, lists, calls, cancels, pauses, resumes;
    _Atomic(int) answers, refusals, notes;
    _Atomic(unsigned) offers; /* of the last one */
    _Atomic(bool) authorized; /* so was the last one */
} fake = {.lock = PTHREAD_MUTEX_INITIALIZER};

enum fake_kind {
    FAKE_OPENED = 1,
    FAKE_CLOSED,
    FAKE_ANSWER,
    FAKE_FAIL,
    FAKE_NOTICE,
    FAKE_ASK,
};

struct fake_event {
    struct link *link; /* NULL: the one that has the call, or any */
    struct loop *loop;
    enum fake_kind kind;
    uint64_t number; /* of a call; 0: none */
    enum err err;
    bool sent;
    enum method method;
    const char *text; /* a message; static */
};

static inline void fake_reset(void)
{
    list_init(&fake.links);
    fake.pages[0] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[{"
                    "\"name\":\"echo\",\"inputSchema\":{\"type\":"
                    "\"object\"}}]}}";
    fake.pages[1] = fake.pages[2] = fake.pages[3] = NULL;
    fake.has = METHOD_HAS_TOOLS;
    fake.fails = fake.is_mute = fake.echoes = false;
    fake.opens = fake.live = fake.lists = fake.calls = fake.cancels = 0;
    fake.pauses = fake.resumes = fake.answers = fake.refusals = fake.notes = 0;
}

static inline struct link_call *fake_call(const struct link *l, uint64_t number)
{
    LIST_EACH(it, next_it, &l->calls)
    {
        struct link_request *r = CONTAINER_OF(it, struct link_request, node);
        if (r->number == number)
            return r->call;
    }
    return NULL;
}

/* The newest link of this loop that has the call. */
static inline struct link *fake_find(struct loop *loop, uint64_t number)
{
    struct link *found = NULL;
    (void)pthread_mutex_lock(&fake.lock);
    LIST_EACH(it, next_it, &fake.links)
    {
        struct link *l = CONTAINER_OF(it, struct link, node);
        if (l->loop == loop && (number == 0 || fake_call(l, number) != NULL))
            found = l;
    }
    (void)pthread_mutex_unlock(&fake.lock);
    return found;
}

static inline void fake_free(struct link *l)
{
    if (!l->closed || l->on_way > 0)
        return;
    fake.live--;
    free(l);
}

static inline void fake_over(struct link_call *c)
{
    list_remove(&c->request->node);
    free(c->request);
    c->request = NULL;
    c->link = NULL;
}

static inline struct link_call *fake_first(const struct link *l)
{
    return CONTAINER_OF(list_first(&l->calls), struct link_request, node)->call;
}

static inline void fake_tell(struct link *l, struct link_call *c,
                             const struct fake_event *e)
{
    static const struct handshake hello = {
        .revision = REVISION_NEWEST,
        .name = STR_INIT("fake"),
        .version = STR_INIT("1"),
        .instructions = STR_INIT("be kind"),
    };
    struct handshake h = hello;
    struct message msg = {.kind = MESSAGE_NONE};
    struct message_id id;
    struct fault fault;
    struct arena a;

    arena_init(&a, 64 * MIB);
    if (e->text != NULL)
        assert(message_read(&a, str_from(e->text), &msg, &id, &fault) ==
               ERR_OK);
    if (c != NULL && (e->kind == FAKE_ANSWER || e->kind == FAKE_FAIL))
        fake_over(c);
    h.has = fake.has;
    switch (e->kind) {
    case FAKE_OPENED:
        l->open = true;
        l->events->opened(l->user, &h);
        break;
    case FAKE_CLOSED:
        l->open = false;
        while (!l->closed && !list_empty(&l->calls)) {
            c = fake_first(l);
            fake_over(c);
            c->events->failed(c, e->err, e->sent);
        }
        if (!l->closed)
            l->events->closed(l->user, e->err, STR("it died of a fake"));
        break;
    case FAKE_ANSWER:
        c->events->answered(c, &msg);
        break;
    case FAKE_FAIL:
        c->events->failed(c, e->err, e->sent);
        break;
    case FAKE_NOTICE:
        if (c != NULL)
            c->events->notice(c, e->method, &msg);
        else
            l->events->notice(l->user, e->method, &msg);
        break;
    case FAKE_ASK:
        c->events->asked(c, e->method, &msg);
        break;
    }
    arena_release(&a);
}

static inline void fake_arrive(void *arg)
{
    struct fake_event *e = arg;
    struct link *l = e->link;

    if (l == NULL)
        l = fake_find(e->loop, e->number);
    else
        l->on_way--;
    if (l != NULL && !l->closed) {
        struct link_call *c = fake_call(l, e->number);
        l->on_way++; /* it may be closed inside */
        if (e->number == 0 || c != NULL)
            fake_tell(l, c, e);
        l->on_way--;
    }
    if (l != NULL)
        fake_free(l);
    free(e);
}

static inline void fake_do(struct loop *loop, struct fake_event like)
{
    struct fake_event *e = malloc(sizeof(*e));
    assert(e != NULL);
    *e = like;
    e->loop = loop;
    if (e->link != NULL)
        e->link->on_way++;
    assert(loop_post(loop, fake_arrive, e));
}

/* ---- what link.h says ---- */

enum err link_open(const struct link_options *o,
                   const struct link_events *events, void *user,
                   struct link **ret)
{
    struct link *l = calloc(1, sizeof(*l));
    assert(l != NULL);
    l->loop = o->loop;
    l->events = events;
    l->user = user;
    list_init(&l->calls);
    (void)pthread_mutex_lock(&fake.lock);
    list_push(&fake.links, &l->node);
    (void)pthread_mutex_unlock(&fake.lock);
    fake.opens++;
    fake.live++;
    fake.offers = o->offers;
    fake.authorized = str_eq(o->authorization, STR("Bearer secret"));
    if (fake.fails)
        fake_do(l->loop, (struct fake_event){.link = l,
                                             .kind = FAKE_CLOSED,
                                             .err = ERR_CONNECT});
    else
        fake_do(l->loop, (struct fake_event){.link = l, .kind = FAKE_OPENED});
    *ret = l;
    return ERR_OK;
}

void link_close(struct link *l)
{
    if (l == NULL)
        return;
    (void)pthread_mutex_lock(&fake.lock);
    list_remove(&l->node);
    (void)pthread_mutex_unlock(&fake.lock);
    while (!list_empty(&l->calls))
        fake_over(fake_first(l));
    l->closed = true;
    l->open = false;
    fake_free(l);
}

bool link_is_open(const struct link *l)
{
    return l->open;
}

enum err link_send(struct link *l, struct link_call *c, uint64_t number,
                   enum method m, struct str params,
                   const struct link_call_events *events)
{
    static const char *const echo =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[]}}";
    assert(number != 0);
    assert(params.len == 0 || params.ptr[0] == '{');
    if (!l->open)
        return ERR_CONNECT;
    struct link_request *r = calloc(1, sizeof(*r));
    assert(r != NULL);
    r->call = c;
    r->number = number;
    *c = (struct link_call){.link = l, .request = r, .events = events};
    list_push(&l->calls, &r->node);
    struct fake_event e = {.link = l, .kind = FAKE_ANSWER, .number = number};
    if (m == METHOD_TOOLS_LIST) {
        fake.lists++;
        e.text = fake.pages[l->page];
        l->page = fake.pages[l->page + 1] != NULL ? l->page + 1 : 0;
        if (!fake.is_mute)
            fake_do(l->loop, e);
        return ERR_OK;
    }
    fake.calls++;
    e.text = echo;
    if (fake.echoes)
        fake_do(l->loop, e);
    return ERR_OK;
}

void link_cancel(struct link_call *c, struct str reason)
{
    (void)reason;
    assert(c->link != NULL);
    fake_over(c);
    fake.cancels++;
}

void link_pause(struct link_call *c, bool pause)
{
    assert(c->paused != pause);
    c->paused = pause;
    if (pause)
        fake.pauses++;
    else
        fake.resumes++;
}

void link_answer(struct link *l, struct message_id id, bool is_error,
                 struct str text)
{
    (void)l;
    (void)id;
    assert(text.len > 0);
    if (is_error)
        fake.refusals++;
    else
        fake.answers++;
}

void link_notify(struct link *l, enum method m, struct str params)
{
    (void)l;
    (void)params;
    assert(m == METHOD_ROOTS_CHANGED);
    fake.notes++;
}

#endif
