/* server.c - see server.h: listeners, connections and which protocol each
 * speaks; what HTTP/1 and HTTP/2 are is in server_h1.c and server_h2.c. */
#include "http/server.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "http/server_conn.h"
#include "http/server_h1.h"
#include "http/server_h2.h"
#include "net/listener.h"
#include "net/tls.h"

static const unsigned char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
static_assert(sizeof(preface) - 1 == SERVER_PREFACE_LEN, "RFC 9113, 3.4");

struct server_listener {
    struct list node;
    struct http_server *server;
    struct listener *listener;
    struct tls_context *tls; /* NULL: plain */
};

/* --- connections --- */

void server_close(struct server_conn *c)
{
    if (c->closing)
        return;
    c->closing = true;
    timer_cancel(&c->timer);
    stream_close(c->stream);
}

static void on_timer(struct timer *t)
{
    struct server_conn *c = CONTAINER_OF(t, struct server_conn, timer);
    if (c->protocol == NULL)
        server_close(c); /* no byte of a request: nobody to answer */
    else
        c->protocol->timeout(c);
}

void server_deadline(struct server_conn *c, int64_t in_ms)
{
    if (in_ms <= 0 || c->closing) {
        timer_cancel(&c->timer);
        return;
    }
    c->queued_seen = stream_queued(c->stream);
    timer_set(c->loop, &c->timer, in_ms, on_timer);
}

static enum err set_protocol(struct server_conn *c, bool h2)
{
    c->protocol = h2 ? &server_h2_protocol : &server_h1_protocol;
    enum err e = h2 ? server_h2_start(c) : server_h1_start(c);
    if (e != ERR_OK)
        c->protocol = NULL;
    return e;
}

/*
 * A plain connection tells by its first bytes.  They are held back only as
 * long as they may become the preface, since "P" may also be a POST.
 */
static void detect(struct server_conn *c, struct str bytes)
{
    size_t n = SERVER_PREFACE_LEN - c->preface_len;
    n = n < bytes.len ? n : bytes.len;
    const unsigned char *expected = preface + c->preface_len;
    bool h2 = memcmp(bytes.ptr, expected, n) == 0;
    if (h2 && c->preface_len + n < SERVER_PREFACE_LEN) {
        memcpy(c->preface + c->preface_len, bytes.ptr, n);
        c->preface_len = (uint8_t)(c->preface_len + n);
        return;
    }
    if (set_protocol(c, h2) != ERR_OK) {
        server_close(c);
        return;
    }
    struct str held = {(const char *)c->preface, c->preface_len};
    if (held.len > 0)
        c->protocol->data(c, held);
    if (!c->closing)
        c->protocol->data(c, bytes);
}

static void on_opened(void *user)
{
    struct server_conn *c = user;
    if (c->closing || c->protocol != NULL)
        return;
    bool h2 = str_eq(stream_alpn(c->stream), STR("h2"));
    if (set_protocol(c, h2) != ERR_OK)
        server_close(c);
}

static void on_data(void *user, struct str bytes)
{
    struct server_conn *c = user;
    if (c->closing || bytes.len == 0)
        return;
    if (c->protocol == NULL)
        detect(c, bytes);
    else
        c->protocol->data(c, bytes);
}

static void on_ended(void *user)
{
    struct server_conn *c = user;
    if (c->protocol == NULL)
        server_close(c);
    else if (!c->closing)
        c->protocol->ended(c);
}

static void on_drained(void *user)
{
    struct server_conn *c = user;
    LIST_EACH(it, next, &c->unsent)
    {
        list_remove(it);
        server_done_later(CONTAINER_OF(it, struct http_request, later));
    }
    if (c->protocol != NULL && !c->closing)
        c->protocol->drained(c);
}

static void check_drained(struct http_server *s)
{
    if (s->draining && s->conn_count == 0 && s->drained != NULL) {
        void (*drained)(void *user) = s->drained;
        s->drained = NULL;
        drained(s->user);
    }
}

/* While as many connections are open as may be, the rest wait in the kernel. */
static void pause_listeners(struct http_server *s, bool pause)
{
    LIST_EACH(it, next, &s->listeners)
    {
        struct server_listener *sl =
            CONTAINER_OF(it, struct server_listener, node);
        if (pause)
            listener_pause(sl->listener);
        else
            listener_resume(sl->listener);
    }
}

/* Out of the server's sight; the connection itself lives until `closed`. */
static void leave(struct server_conn *c)
{
    if (c->server == NULL)
        return;
    list_remove(&c->node);
    list_remove(&c->dirty);
    c->server->conn_count--;
    c->server = NULL;
}

static void on_closed(void *user, enum err why)
{
    (void)why;
    struct server_conn *c = user;
    struct http_server *s = c->server;
    c->closing = true;
    timer_cancel(&c->timer);
    if (c->protocol != NULL)
        c->protocol->closed(c);
    leave(c);
    free(c);
    if (s == NULL)
        return;
    if (s->conn_count + 1 == s->options.connections_max)
        pause_listeners(s, false);
    check_drained(s);
}

static const struct stream_events conn_events = {
    .opened = on_opened,
    .data = on_data,
    .ended = on_ended,
    .drained = on_drained,
    .closed = on_closed,
};

static void on_accepted(void *user, int fd)
{
    struct server_listener *sl = user;
    struct http_server *s = sl->server;
    struct server_conn *c = calloc(1, sizeof(*c));
    if (c == NULL) {
        (void)close(fd);
        return;
    }
    list_init(&c->node);
    list_init(&c->dirty);
    list_init(&c->unsent);
    c->loop = s->loop;
    c->tls = sl->tls != NULL;
    if (stream_accept(s->loop, fd, sl->tls, &conn_events, c, &c->stream) !=
        ERR_OK) {
        free(c);
        return;
    }
    c->server = s;
    list_push(&s->conns, &c->node);
    server_deadline(c, s->options.head_timeout_ms);
    if (++s->conn_count == s->options.connections_max)
        pause_listeners(s, true);
}

/* --- requests --- */

void server_done_later(struct http_request *r)
{
    struct http_server *s = r->conn->server;
    if (s == NULL || !list_empty(&r->later))
        return;
    list_push(&s->later, &r->later);
    loop_hook_again(s->loop);
}

void server_flush_later(struct server_conn *c)
{
    if (c->server == NULL || c->closing || !list_empty(&c->dirty))
        return;
    list_push(&c->server->dirty, &c->dirty);
    loop_hook_again(c->loop);
}

void server_done(struct http_request *r, enum err why)
{
    list_remove(&r->later);
    request_drop_source(r);
    struct http_server *s = r->conn->server;
    if (s != NULL)
        s->events.done(s->user, r, why);
}

static void on_turn_end(struct loop_hook *h)
{
    struct http_server *s = CONTAINER_OF(h, struct http_server, hook);
    struct list *first;
    while ((first = list_first(&s->later)) != NULL) {
        struct http_request *r =
            CONTAINER_OF(first, struct http_request, later);
        if (r->why == ERR_OK && stream_queued(r->conn->stream) > 0) {
            list_remove(first); /* its last bytes may be among them */
            list_push(&r->conn->unsent, first);
            continue;
        }
        server_done(r, r->why);
        r->protocol->after_done(r);
    }
    while ((first = list_first(&s->dirty)) != NULL) {
        struct server_conn *c = CONTAINER_OF(first, struct server_conn, dirty);
        list_remove(&c->dirty);
        c->protocol->flush(c);
    }
    check_drained(s);
}

struct str server_date(struct http_server *s)
{
    int64_t now_s = loop_wall_us(s->loop) / 1000000;
    if (now_s != s->date_s) {
        s->date_s = now_s;
        http1_write_date(now_s, s->date);
    }
    return (struct str){s->date, HTTP1_DATE_LEN};
}

bool server_rate_ok(const struct server_conn *c, int64_t since_ms,
                    int64_t received)
{
    int64_t ms = loop_now_ms(c->loop) - since_ms;
    int64_t grace = c->server->options.body_idle_ms;
    return ms <= grace + received * 1000 / SERVER_BODY_RATE_MIN;
}

/* --- the server --- */

enum err http_server_new(struct loop *l, const struct http_server_options *o,
                         const struct http_server_events *events, void *user,
                         struct http_server **ret)
{
    struct http_server *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return ERR_NO_MEMORY;
    s->loop = l;
    s->options = *o;
    s->events = *events;
    s->user = user;
    s->date_s = -1;
    list_init(&s->listeners);
    list_init(&s->conns);
    list_init(&s->later);
    list_init(&s->dirty);
    buf_init(&s->out, HTTP_RESPONSE_HEAD_MAX);
    buf_init(&s->h2_out, SERVER_GATHER_MAX);
    s->hook.run = on_turn_end;
    loop_hook_add(l, &s->hook);
    *ret = s;
    return ERR_OK;
}

enum err http_server_listen(struct http_server *s, int fd,
                            struct tls_context *tls)
{
    struct server_listener *sl = calloc(1, sizeof(*sl));
    if (sl == NULL) {
        (void)close(fd);
        return ERR_NO_MEMORY;
    }
    sl->server = s;
    enum err e = listener_open(s->loop, fd, on_accepted, sl, &sl->listener);
    if (e != ERR_OK) {
        free(sl);
        return e;
    }
    sl->tls = tls == NULL ? NULL : tls_context_ref(tls);
    list_push(&s->listeners, &sl->node);
    return ERR_OK;
}

static void close_listeners(struct http_server *s)
{
    LIST_EACH(it, next, &s->listeners)
    {
        struct server_listener *sl =
            CONTAINER_OF(it, struct server_listener, node);
        list_remove(&sl->node);
        listener_close(sl->listener);
        tls_context_unref(sl->tls);
        free(sl);
    }
}

void http_server_drain(struct http_server *s, void (*drained)(void *user))
{
    s->draining = true;
    s->drained = drained;
    close_listeners(s);
    LIST_EACH(it, next, &s->conns)
    {
        struct server_conn *c = CONTAINER_OF(it, struct server_conn, node);
        if (c->protocol == NULL)
            server_close(c);
        else if (!c->closing)
            c->protocol->drain(c);
    }
    loop_hook_again(s->loop); /* on_turn_end() looks whether that was all */
}

void http_server_free(struct http_server *s)
{
    if (s == NULL)
        return;
    close_listeners(s);
    while (!list_empty(&s->conns)) {
        struct server_conn *c =
            CONTAINER_OF(s->conns.next, struct server_conn, node);
        server_close(c);
        if (c->protocol != NULL)
            c->protocol->closed(c);
        c->protocol = NULL;
        leave(c);
    }
    loop_hook_remove(&s->hook);
    buf_release(&s->out);
    buf_release(&s->h2_out);
    buf_release(&s->spare_body);
    arena_spare_release(&s->spare);
    free(s);
}

size_t http_server_connections(const struct http_server *s)
{
    return s->conn_count;
}
