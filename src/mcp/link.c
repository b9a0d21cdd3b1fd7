/* link.c - the life of a link, and what its user may ask of it; see link.h. */
#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "mcp/link_core.h"
#include "mcp/link_words.h"
#include "os/loop.h"

enum {
    HELLO_NUMBER = 0,
    HANDSHAKE_MAX = 1024 * 1024,
    TEXT_MAX = 4096,
    /* A client's capabilities. */
    OURS = METHOD_HAS_ROOTS | METHOD_HAS_SAMPLING | METHOD_HAS_ELICITATION |
           METHOD_HAS_ELICITATION_URL,
};

static void destroy(struct link *l)
{
    assert(list_empty(&l->requests));
    link_requests_reap(l);
    l->transport->release(l);
    link_asks_release(l);
    timer_cancel(&l->soon);
    map_release(&l->by_number);
    arena_release(&l->memory);
    buf_release(&l->version);
    buf_release(&l->text);
    free(l);
}

void link_enter(struct link *l)
{
    l->busy++;
}

/* Where the user is on the stack, who is told in a later turn. */
static void leave_quietly(struct link *l)
{
    assert(l->busy > 0);
    l->busy--;
    if (l->busy > 0)
        return;
    if (l->freed)
        destroy(l);
    else
        link_requests_reap(l);
}

/* --- the end --- */

static void tell_broken(struct link *l)
{
    timer_cancel(&l->soon);
    while (!l->freed && !list_empty(&l->requests)) {
        struct link_request *r =
            CONTAINER_OF(list_first(&l->requests), struct link_request, node);
        link_requests_fail(r, l->why, l->transport->was_sent(l, r));
    }
    if (!l->freed && !l->told) {
        l->told = true;
        l->events.closed(l->user, l->why, buf_str(&l->text));
    }
}

void link_leave(struct link *l)
{
    if (l->busy == 1 && l->state == LINK_BROKEN)
        tell_broken(l);
    leave_quietly(l);
}

static void on_soon(struct timer *t)
{
    struct link *l = CONTAINER_OF(t, struct link, soon);
    link_enter(l);
    link_leave(l);
}

void link_break(struct link *l, enum err why, struct str text)
{
    if (!link_works(l))
        return;
    l->state = LINK_BROKEN;
    l->why = why;
    (void)buf_add(&l->text, str_first(text, TEXT_MAX));
    l->transport->stop(l);
    timer_set(l->loop, &l->soon, 0, on_soon);
}

void link_close(struct link *l)
{
    if (l == NULL)
        return;
    assert(!l->freed);
    link_enter(l);
    if (link_works(l))
        l->transport->part(l);
    l->freed = true;
    l->transport->stop(l);
    while (!list_empty(&l->requests))
        link_requests_end(
            CONTAINER_OF(list_first(&l->requests), struct link_request, node));
    timer_cancel(&l->soon);
    leave_quietly(l);
}

bool link_is_open(const struct link *l)
{
    return l->state == LINK_OPEN;
}

/* --- the handshake --- */

void link_text_init(struct buf *text)
{
    buf_init(text, LINK_OUT_MAX);
}

static bool keep(struct link *l, struct str *s)
{
    return arena_copy(&l->memory, *s, s);
}

/* On an error the fault's text lies in the link's memory, too. */
static enum err keep_handshake(struct link *l, const struct message *m,
                               struct fault *ret_fault)
{
    struct handshake h;
    enum err e = handshake_read(&l->memory, m->result, &h, ret_fault);
    if (e != ERR_OK)
        return e;
    if (!keep(l, &h.name) || !keep(l, &h.version) || !keep(l, &h.instructions))
        return ERR_NO_MEMORY;
    h.has &= ~(unsigned)OURS; /* it cannot offer what is ours to offer */
    l->handshake = h;
    l->revision = h.revision;
    l->has = (l->offers & OURS) | h.has;
    return ERR_OK;
}

static void break_greeting(struct link *l, const char *what, struct str where,
                           struct str detail)
{
    char room[TEXT_MAX];
    struct buf text;
    buf_init_lent(&text, room, sizeof(room));
    (void)buf_add(&text, str_from(what));
    link_words_add(&text, where);
    (void)BUF_LIT(&text, ": ");
    link_words_add(&text, detail);
    link_break(l, ERR_UPSTREAM, buf_str(&text));
}

static void on_hello_answered(struct link_call *c, const struct message *m)
{
    struct link *l = CONTAINER_OF(c, struct link, hello);
    struct fault fault = {.err = ERR_OK};
    struct buf text;
    if (m->kind == MESSAGE_ERROR) {
        break_greeting(l, "the server refuses `initialize`", STR(""),
                       m->error.text);
        return;
    }
    if (keep_handshake(l, m, &fault) != ERR_OK) {
        break_greeting(l,
                       "the server's answer to `initialize` is not valid at ",
                       fault.pointer, fault.text);
        return;
    }
    link_text_init(&text);
    message_write_call(&text, (struct message_id){.type = MESSAGE_ID_NONE},
                       method_row(METHOD_INITIALIZED)->name, STR(""));
    if (buf_ok(&text))
        l->transport->greeted(l, &text);
    else
        link_break(l, ERR_NO_MEMORY, STR("out of memory"));
    buf_release(&text);
}

static void on_hello_failed(struct link_call *c, enum err why, bool sent)
{
    struct link *l = CONTAINER_OF(c, struct link, hello);
    (void)sent;
    if (why == ERR_TIMEOUT)
        link_break(l, why,
                   STR("the server did not answer `initialize` in time"));
    else if (why == ERR_CONNECT)
        link_break(l, why, STR("the server cannot be reached"));
    else
        link_break(l, why,
                   STR("the server gave no usable answer to `initialize`"));
}

static void ignore(struct link_call *c, enum method m,
                   const struct message *msg)
{
    (void)c, (void)m, (void)msg;
}

void link_greet(struct link *l)
{
    static const struct link_call_events events = {ignore, ignore,
                                                   on_hello_answered,
                                                   on_hello_failed};
    const struct handshake_self self = {
        .revision = REVISION_NEWEST,
        .has = l->offers,
        .name = STR("writ"),
        .version = buf_str(&l->version),
    };
    struct buf params;
    buf_init(&params, HANDSHAKE_MAX);
    handshake_write_params(&params, &self);
    l->hello.events = &events;
    enum err e = buf_ok(&params) ? ERR_OK : ERR_NO_MEMORY;
    if (e == ERR_OK)
        e = link_requests_add(l, &l->hello, HELLO_NUMBER, METHOD_INITIALIZE,
                              buf_str(&params));
    if (e == ERR_OK) {
        e = link_requests_send(l->hello.request);
        if (e != ERR_OK)
            link_requests_end(l->hello.request);
    }
    buf_release(&params);
    if (e != ERR_OK)
        link_break(l, e, str_from(err_text(e)));
}

static void on_probe_answered(struct link_call *c, const struct message *m)
{
    (void)c, (void)m; /* the server knows us, whatever it says */
}

static void on_probe_failed(struct link_call *c, enum err why, bool sent)
{
    struct link *l = CONTAINER_OF(c, struct link, hello);
    (void)sent;
    if (why == ERR_UPSTREAM)
        l->transport->forgotten(l);
}

void link_probe(struct link *l)
{
    static const struct link_call_events events = {ignore, ignore,
                                                   on_probe_answered,
                                                   on_probe_failed};
    if (l->state != LINK_OPEN || l->freed || l->hello.link != NULL)
        return;
    l->hello.events = &events;
    if (link_requests_add(l, &l->hello, HELLO_NUMBER, METHOD_PING, STR("")) !=
        ERR_OK)
        return;
    if (link_requests_send(l->hello.request) != ERR_OK)
        link_requests_end(l->hello.request);
}

/* Those that have waited go out, in their order. */
static void send_waiting(struct link *l)
{
    LIST_EACH(it, next, &l->requests)
    {
        struct link_request *r = CONTAINER_OF(it, struct link_request, node);
        if (!r->waiting)
            continue;
        enum err e = link_requests_send(r);
        if (e == ERR_OK)
            continue;
        /* Not told from here, where the list could change. */
        r->waiting = true;
        link_break(l, e, str_from(err_text(e)));
        return;
    }
}

void link_opened(struct link *l)
{
    if (!link_works(l))
        return;
    l->state = LINK_OPEN;
    l->events.opened(l->user, &l->handshake);
    l->handshake = (struct handshake){.revision = REVISION_NONE};
    arena_release(&l->memory);
    if (link_works(l))
        send_waiting(l);
}

static enum err start(struct link *l, const struct link_options *o)
{
    if (!buf_add(&l->version, o->version))
        return ERR_NO_MEMORY;
    if (o->server->transport == TRANSPORT_STDIO)
        return link_stdio_start(l, o->runner);
    enum err e = link_http_init(l, o);
    if (e == ERR_OK)
        link_greet(l);
    return e;
}

enum err link_open(const struct link_options *o,
                   const struct link_events *events, void *user,
                   struct link **ret)
{
    struct link *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return ERR_NO_MEMORY;
    assert(o->server->transport != TRANSPORT_NONE);
    l->loop = o->loop;
    l->server = o->server;
    l->transport = o->server->transport == TRANSPORT_STDIO
                       ? &link_stdio_transport
                       : &link_http_transport;
    l->events = *events;
    l->user = user;
    l->offers = l->has = o->offers;
    l->revision = REVISION_NONE;
    buf_init(&l->version, NAME_MAX_LEN);
    buf_init(&l->text, TEXT_MAX);
    arena_init(&l->memory, HANDSHAKE_MAX);
    list_init(&l->requests);
    list_init(&l->dead);
    list_init(&l->asks);
    list_init(&l->http.posts);
    map_init(&l->by_number, loop_seed(o->loop), LINK_CALLS_MAX + 1);
    link_enter(l);
    enum err e = start(l, o);
    if (e == ERR_OK) {
        *ret = l;
    } else {
        l->freed = true;
        l->transport->stop(l);
    }
    leave_quietly(l);
    return e;
}

/* --- the user's calls --- */

enum err link_send(struct link *l, struct link_call *c, uint64_t number,
                   enum method m, struct str params,
                   const struct link_call_events *events)
{
    assert(number != HELLO_NUMBER);
    if (!link_works(l))
        return ERR_CONNECT;
    *c = (struct link_call){.events = events};
    enum err e = link_requests_add(l, c, number, m, params);
    if (e != ERR_OK || l->state != LINK_OPEN)
        return e;
    e = link_requests_send(c->request);
    if (e != ERR_OK) {
        link_enter(l);
        link_requests_end(c->request);
        leave_quietly(l);
    }
    return e;
}

void link_cancel(struct link_call *c, struct str reason)
{
    struct link *l = c->link;
    if (l == NULL)
        return;
    link_enter(l);
    if (link_works(l) && !c->request->waiting)
        link_requests_withdraw(c->request, reason);
    link_requests_end(c->request);
    leave_quietly(l);
}

void link_pause(struct link_call *c, bool pause)
{
    struct link *l = c->link;
    if (l == NULL || c->paused == pause)
        return;
    c->paused = pause;
    link_requests_alive(c->request);
    if (link_works(l))
        l->transport->pause(l, c->request);
}

void link_answer(struct link *l, struct message_id id, bool is_error,
                 struct str text)
{
    struct link_request *r = link_works(l) ? link_asks_take(l, id) : NULL;
    struct buf out;
    if (r == NULL)
        return;
    link_requests_alive(r);
    link_text_init(&out);
    if (!is_error) {
        message_write_result(&out, id, text);
    } else {
        (void)BUF_LIT(&out, "{\"jsonrpc\":\"2.0\",\"id\":");
        message_id_write(&out, id);
        (void)BUF_LIT(&out, ",\"error\":");
        (void)buf_add(&out, text);
        (void)buf_add_char(&out, '}');
    }
    if (buf_ok(&out))
        l->transport->tell(l, &out);
    else
        link_asks_refuse(l, id, FAULT_INTERNAL, STR("the answer is too long"));
    buf_release(&out);
}

void link_notify(struct link *l, enum method m, struct str params)
{
    struct buf out;
    if (l->state != LINK_OPEN || l->freed)
        return;
    link_text_init(&out);
    message_write_call(&out, (struct message_id){.type = MESSAGE_ID_NONE},
                       method_row(m)->name, params);
    if (buf_ok(&out))
        l->transport->tell(l, &out);
    buf_release(&out);
}
