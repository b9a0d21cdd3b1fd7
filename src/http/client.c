/* client.c - see client.h: origins, their connections, who waits for one. */
#include <assert.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/limits.h"
#include "http/client_conn.h"
#include "http/client_h1.h"
#include "http/client_h2.h"

enum { KEY_MAX = 4096, H2_OUT_MAX = 256 * 1024 };

/* --- connections --- */

void client_close(struct client_conn *c)
{
    if (c->closing)
        return;
    c->closing = true;
    timer_cancel(&c->idle);
    if (c->is_idle)
        c->pool->idle_count--;
    c->is_idle = false;
    list_remove(&c->node);
    list_push(&c->pool->rest, &c->node);
    stream_close(c->stream);
}

static void on_idle(struct timer *t)
{
    client_close(CONTAINER_OF(t, struct client_conn, idle));
}

static void run_queue(struct client_pool *p);

static void take_off_queue(struct http_call *call)
{
    list_remove(&call->place);
    call->pool->queued--;
}

static void keep_idle(struct client_conn *c)
{
    struct client_pool *p = c->pool;
    int64_t idle_ms = p->client->options.idle_timeout_ms;
    if (p->queued == 0 && p->idle_count >= p->client->options.pool_max) {
        client_close(c);
        return;
    }
    c->is_idle = true;
    p->idle_count++;
    list_remove(&c->node);
    list_push_front(&p->idle, &c->node);
    timer_set(p->client->loop, &c->idle, idle_ms, on_idle);
}

/* What is wrong is the request, not the connection. */
static bool is_refused(enum err e)
{
    return e == ERR_MALFORMED || e == ERR_LIMIT;
}

/* Hands `call`, which is in no queue, to `c`. */
static enum err assign(struct client_conn *c, struct http_call *call)
{
    timer_cancel(&c->idle);
    call->conn = c;
    enum err e = c->protocol->start(c, call);
    if (e != ERR_OK) {
        call->conn = NULL;
        if (e == ERR_OVERLOAD)
            client_share(c, false, false);
        else if (!is_refused(e))
            client_close(c);
        else if (c->protocol == &client_h1_protocol)
            keep_idle(c);
        return e;
    }
    call->state = CALL_SENT;
    call_await_head(call);
    return ERR_OK;
}

void client_release(struct client_conn *c)
{
    struct client_pool *p = c->pool;
    if (c->closing || p->client == NULL)
        return;
    keep_idle(c);
    run_queue(p);
}

/* True when it may take a call that waits. */
static bool share(struct client_conn *c, bool may_request, bool is_idle)
{
    struct client_pool *p = c->pool;
    if (c->closing || p->client == NULL)
        return false;
    list_remove(&c->node);
    list_push_front(may_request ? &p->shared : &p->rest, &c->node);
    if (!is_idle)
        timer_cancel(&c->idle);
    else if (!may_request)
        client_close(c);
    else
        timer_set(p->client->loop, &c->idle, p->client->options.idle_timeout_ms,
                  on_idle);
    return may_request;
}

void client_share(struct client_conn *c, bool may_request, bool is_idle)
{
    if (share(c, may_request, is_idle))
        run_queue(c->pool);
}

static void on_turn(struct timer *t)
{
    struct client_pool *p = CONTAINER_OF(t, struct client_pool, turn);
    p->holds++;
    run_queue(p);
    p->holds--;
    client_pool_check(p);
}

void client_share_later(struct client_conn *c, bool may_request, bool is_idle)
{
    struct client_pool *p = c->pool;
    if (share(c, may_request, is_idle) && p->queued > 0)
        timer_set(p->client->loop, &p->turn, 0, on_turn);
}

struct str client_slice(struct http_call *call)
{
    struct str slice =
        str_first(str_skip(call->body, call->body_sent), CLIENT_SLICE_MAX);
    call->body_sent += slice.len;
    return slice;
}

void client_detach(struct http_call *call)
{
    struct client_pool *p = call->pool;
    if (call->state == CALL_QUEUED) {
        take_off_queue(call);
        client_pool_check(p);
    }
    call->conn = NULL;
}

/* The connection takes calls as it will from now on. */
static void dialled(struct client_conn *c)
{
    if (c->is_dialled)
        return;
    c->is_dialled = true;
    c->pool->dialling--;
}

static void on_opened(void *user)
{
    struct client_conn *c = user;
    struct client_pool *p = c->pool;
    if (c->closing)
        return;
    p->protocol_known = true;
    p->is_shared = str_eq(stream_alpn(c->stream), STR("h2"));
    if (!p->is_shared) {
        c->protocol = &client_h1_protocol;
        http1_init(&c->parser, HTTP1_RESPONSE);
        dialled(c);
        client_release(c);
        return;
    }
    c->protocol = &client_h2_protocol;
    if (client_h2_start(c) != ERR_OK)
        client_close(c);
    else
        client_share(c, true, true);
}

static void on_data(void *user, struct str bytes)
{
    struct client_conn *c = user;
    if (c->closing || c->protocol == NULL || bytes.len == 0)
        return;
    dialled(c); /* HTTP/2: its settings are known */
    c->protocol->data(c, bytes);
}

static void on_ended(void *user)
{
    struct client_conn *c = user;
    if (!c->closing && c->protocol != NULL)
        c->protocol->ended(c);
    else
        client_close(c);
}

static void on_drained(void *user)
{
    struct client_conn *c = user;
    if (!c->closing && c->protocol != NULL)
        c->protocol->drained(c);
}

/* Nothing came of a connection: of the calls that wait, those for which no
 * other is under way fail with it.  Not those that they start anew. */
static void dial_failed(struct client_pool *p, enum err why)
{
    size_t n = p->queued > p->dialling ? p->queued - p->dialling : 0;
    for (; n > 0 && p->queued > 0; n--) {
        struct http_call *call =
            CONTAINER_OF(p->queue.next, struct http_call, place);
        take_off_queue(call);
        call_fail(call, why == ERR_TIMEOUT ? ERR_TIMEOUT : ERR_CONNECT, false);
    }
}

static void on_closed(void *user, enum err why)
{
    struct client_conn *c = user;
    struct client_pool *p = c->pool;
    timer_cancel(&c->idle);
    if (c->is_idle)
        p->idle_count--;
    c->closing = true;
    c->is_idle = false;
    list_remove(&c->node);
    p->open_count--;

    p->holds++;
    if (c->protocol != NULL) {
        c->protocol->closed(c);
        dialled(c);
    } else {
        dialled(c);
        dial_failed(p, why);
    }
    if (p->client != NULL)
        run_queue(p);
    p->holds--;
    client_pool_check(p);
    free(c);
}

static const struct stream_events conn_events = {
    .opened = on_opened,
    .data = on_data,
    .ended = on_ended,
    .drained = on_drained,
    .closed = on_closed,
};

static enum err dial(struct client_pool *p)
{
    struct http_client *client = p->client;
    struct client_conn *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ERR_NO_MEMORY;
    c->pool = p;
    const struct stream_target target = {
        .host = str_from(p->host),
        .port = p->port,
        .tls = p->tls,
        .allow_local = p->allow_local,
    };
    enum err e =
        stream_dial(client->loop, client->resolver, &target,
                    p->connect_timeout_ms, &conn_events, c, &c->stream);
    if (e != ERR_OK) {
        free(c);
        return e;
    }
    list_push(&p->rest, &c->node);
    p->open_count++;
    p->dialling++;
    return ERR_OK;
}

/* --- calls --- */

/*
 * Starts `call` on a connection that is there.  One that turns out to be
 * dead before a byte was sent is passed over; that is the only repetition
 * there is.  ERR_CONNECT: there is none.  ERR_MALFORMED, ERR_LIMIT.
 */
static enum err start_now(struct client_pool *p, struct http_call *call)
{
    enum err e = ERR_CONNECT;
    while (e != ERR_OK && !is_refused(e) && !list_empty(&p->shared))
        e = assign(CONTAINER_OF(p->shared.next, struct client_conn, node),
                   call);
    while (e != ERR_OK && !is_refused(e) && !list_empty(&p->idle)) {
        struct client_conn *c =
            CONTAINER_OF(p->idle.next, struct client_conn, node);
        c->is_idle = false;
        p->idle_count--;
        list_remove(&c->node);
        list_push(&p->rest, &c->node);
        e = assign(c, call);
    }
    return e == ERR_OK || is_refused(e) ? e : ERR_CONNECT;
}

/* Are more connections wanted than are under way? */
static bool wants_dial(const struct client_pool *p)
{
    bool one = p->is_shared || !p->protocol_known;
    size_t wanted = one ? p->queued > 0 : p->queued;
    return p->dialling < wanted &&
           p->open_count < p->client->options.connections_max;
}

static void run_queue(struct client_pool *p)
{
    while (p->queued > 0 && !(list_empty(&p->shared) && list_empty(&p->idle))) {
        struct http_call *call =
            CONTAINER_OF(p->queue.next, struct http_call, place);
        take_off_queue(call); /* HTTP/2 has another list for it */
        enum err e = start_now(p, call);
        if (e == ERR_CONNECT) {
            list_push_front(&p->queue, &call->place);
            p->queued++;
            break;
        }
        if (e != ERR_OK)
            call_fail(call, e, false);
    }
    while (wants_dial(p)) {
        enum err e = dial(p);
        if (e != ERR_OK) {
            dial_failed(p, e);
            break;
        }
    }
}

/* Puts `call` where the next connection will find it. */
static enum err enqueue(struct client_pool *p, struct http_call *call)
{
    enum err e = call_keep_request(call);
    if (e != ERR_OK)
        return e;
    list_push(&p->queue, &call->place);
    p->queued++;
    if (wants_dial(p))
        e = dial(p);
    if (e != ERR_OK)
        take_off_queue(call);
    else
        call_await_connection(call);
    return e;
}

/*
 * Asks for replies that can be read (identity), unless the caller asks for
 * something else itself.  `room` has the fields then.  False: too many.
 */
static bool ask_for_identity(struct http_fields *f,
                             struct http_field room[HTTP_FIELDS_MAX])
{
    if (http_fields_count(*f, STR("accept-encoding")) > 0)
        return true;
    if (f->count >= HTTP_FIELDS_MAX)
        return false;
    if (f->count > 0)
        memcpy(room, f->at, f->count * sizeof(*room));
    room[f->count] =
        (struct http_field){STR("accept-encoding"), STR("identity")};
    *f = (struct http_fields){room, f->count + 1};
    return true;
}

enum err http_client_send(struct http_client *c,
                          const struct http_call_request *r,
                          const struct http_call_events *events, void *user,
                          struct http_call **ret)
{
    struct client_pool *p;
    struct http_field room[HTTP_FIELDS_MAX] UNINITIALIZED;
    struct http_fields fields = r->fields;
    if (!ask_for_identity(&fields, room))
        return ERR_LIMIT;
    enum err e = client_pool_get(c, r->origin, &p);
    if (e != ERR_OK)
        return e;
    struct http_call *call = call_new(c, r, events, user);
    if (call == NULL) {
        client_pool_check(p);
        return ERR_NO_MEMORY;
    }
    call->pool = p;
    call->fields = fields; /* until it is sent, or kept */
    p->holds++;
    e = start_now(p, call);
    if (e == ERR_CONNECT)
        e = enqueue(p, call);
    if (e == ERR_OK)
        *ret = call;
    else
        call_free(call);
    p->holds--;
    client_pool_check(p);
    return e;
}

static void on_left_head(void *user, const struct http_response_head *head)
{
    (void)head;
    http_call_cancel(user);
}

static void on_left_failed(void *user, enum err why, bool sent)
{
    (void)user, (void)why, (void)sent;
}

enum err http_client_leave(struct http_client *c,
                           const struct http_call_request *r)
{
    static const struct http_call_events events = {on_left_head,
                                                   on_left_failed};
    struct http_call *call;
    assert(r->body.len == 0);
    enum err e = http_client_send(c, r, &events, NULL, &call);
    if (e == ERR_OK)
        call->user = call; /* events come in later turns */
    return e;
}

/* --- the client --- */

enum err http_client_new(struct loop *l, struct resolver *resolver,
                         const struct http_client_options *o,
                         struct http_client **ret)
{
    struct http_client *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ERR_NO_MEMORY;
    c->loop = l;
    c->resolver = resolver;
    c->options = *o;
    map_init(&c->pools, loop_seed(l), CLIENT_ORIGINS_MAX);
    list_init(&c->calls);
    buf_init(&c->key, KEY_MAX);
    buf_init(&c->out, HTTP_RESPONSE_HEAD_MAX);
    buf_init(&c->h2_out, H2_OUT_MAX);
    *ret = c;
    return ERR_OK;
}

static void orphan(struct list *conns)
{
    LIST_EACH(it, next, conns)
    client_close(CONTAINER_OF(it, struct client_conn, node));
}

void http_client_free(struct http_client *c)
{
    if (c == NULL)
        return;
    while (!list_empty(&c->calls))
        http_call_cancel(CONTAINER_OF(c->calls.next, struct http_call, node));

    size_t at = 0;
    struct str key;
    void *value;
    while (map_next(&c->pools, &at, &key, &value)) {
        struct client_pool *p = value;
        p->client = NULL; /* it goes with its last connection */
        timer_cancel(&p->turn);
        orphan(&p->idle);
        orphan(&p->shared);
        orphan(&p->rest);
    }
    map_release(&c->pools);
    buf_release(&c->key);
    buf_release(&c->out);
    buf_release(&c->h2_out);
    pool_release(&c->spare_calls);
    arena_spare_release(&c->spare);
    free(c);
}
