/*
 * link_http.c - a link over Streamable HTTP: what goes out.
 *
 * Source: MCP 2025-11-25, "Streamable HTTP".  Each message is a POST of its
 * own; what is not waited for (a notification, an answer) is a `post` here, a
 * request is read by link_stream.c.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "mcp/link_core.h"
#include "os/loop.h"

enum {
    SESSION_MAX = 256,   /* bytes of its id */
    POSTS_MAX = 256,     /* under way */
    DISCARD_MAX = 65536, /* of what answers a notification */
    PART_MS = 2000,      /* for DELETE */
    FIELDS_MAX = 8,
    SLACK_MS = 1000,
};

/* --- sending --- */

static void add(struct http_fields *f, struct http_field *room, struct str name,
                struct str value)
{
    if (value.len > 0)
        room[f->count++] = (struct http_field){name, value};
}

struct outgoing {
    struct http_origin origin;
    struct http_field room[FIELDS_MAX];
    struct http_call_request request;
};

/* `ms` bounds the wait for the head, and between two pieces of the body. */
static void compose(const struct link *l, struct outgoing *o, struct str method,
                    struct str body, struct str last_id, int64_t ms)
{
    const struct tool_server_settings *s = l->server;
    struct http_fields f = {o->room, 0};
    add(&f, o->room, STR("accept"),
        str_eq(method, STR("POST")) ? STR("application/json, text/event-stream")
                                    : STR("text/event-stream"));
    add(&f, o->room, STR("authorization"), buf_str(&l->http.authorization));
    add(&f, o->room, STR("content-type"),
        body.len > 0 ? STR("application/json") : STR(""));
    add(&f, o->room, STR("last-event-id"), last_id);
    add(&f, o->room, STR("mcp-protocol-version"), revision_name(l->revision));
    add(&f, o->room, STR("mcp-session-id"), buf_str(&l->http.session));
    add(&f, o->room, STR("user-agent"), STR("writ"));
    o->origin = (struct http_origin){
        .host = s->http.host,
        .port = s->http.port,
        .tls = l->http.tls,
        .partition = buf_str(&l->http.partition),
        .allow_local = s->http.local,
        .connect_timeout_ms = s->http.connect_ms,
    };
    o->request = (struct http_call_request){
        .origin = &o->origin,
        .method = method,
        .target = s->http.path,
        .fields = f,
        .body = body,
        .head_timeout_ms = ms,
        .body_idle_ms = ms,
    };
}

/* A request's own time limits come first; a listener that is silent for longer
 * may have lost its connection, and is opened anew. */
static int64_t patience(const struct link *l)
{
    return l->server->call_max_ms + SLACK_MS;
}

enum err link_http_post(struct link *l, struct str body,
                        const struct http_call_events *events, void *user,
                        struct http_call **ret)
{
    struct outgoing o;
    compose(l, &o, STR("POST"), body, STR(""), patience(l));
    return http_client_send(l->http.client, &o.request, events, user, ret);
}

enum err link_http_get(struct link *l, struct str last_id,
                       const struct http_call_events *events, void *user,
                       struct http_call **ret)
{
    struct outgoing o;
    compose(l, &o, STR("GET"), STR(""), last_id, patience(l));
    return http_client_send(l->http.client, &o.request, events, user, ret);
}

void link_http_forgotten(struct link *l)
{
    buf_clear(&l->http.session); /* there is nothing to delete */
    link_break(l, ERR_NOT_FOUND, STR("the server has forgotten the session"));
}

/* --- the session --- */

bool link_http_take_session(struct link *l,
                            const struct http_response_head *head)
{
    static const char name[] = "mcp-session-id";
    struct str id = http_fields_get(head->fields, str_from(name));
    if (http_fields_count(head->fields, str_from(name)) == 0)
        return true;
    if (id.len == 0 || id.len > SESSION_MAX)
        return false;
    for (size_t i = 0; i < id.len; i++) {
        if (id.ptr[i] <= ' ' || id.ptr[i] > '~')
            return false;
    }
    buf_clear(&l->http.session);
    return buf_add(&l->http.session, id);
}

/* --- what nobody waits for --- */

struct post {
    struct list node;
    struct link *link;
    struct http_call *call;   /* before its head, */
    struct body_source *body; /* and after it */
    size_t seen;              /* bytes of the body */
    struct buf text;
    bool opens; /* `initialized` */
};

static void free_post(struct post *p)
{
    struct link_http *h = &p->link->http;
    if (p->body != NULL)
        p->body->cancel(p->body);
    if (p->call != NULL)
        http_call_cancel(p->call);
    list_remove(&p->node);
    h->post_count--;
    h->post_bytes -= p->text.len;
    buf_release(&p->text);
    free(p);
}

/* What became of it; the post is gone already. */
static void settle(struct link *l, bool opens, bool ok)
{
    if (!opens)
        return;
    if (!ok) {
        link_break(l, ERR_UPSTREAM,
                   STR("the server does not take `initialized`"));
        return;
    }
    link_opened(l);
    if (link_works(l) &&
        link_stream_start(l, NULL, &l->http.listener) != ERR_OK)
        l->http.listener = NULL; /* it is of use, but not needed */
}

static void on_post_piece(void *reader, struct str piece, bool last, enum err e)
{
    struct post *p = reader;
    p->seen += piece.len;
    if (last || e != ERR_OK)
        p->body = NULL;
    if (p->body == NULL || p->seen > DISCARD_MAX)
        free_post(p);
    else
        p->body->pull(p->body, on_post_piece, p);
}

static void on_post_head(void *user, const struct http_response_head *head)
{
    struct post *p = user;
    struct link *l = p->link;
    bool ok = head->status >= 200 && head->status < 300;
    bool forgotten = head->status == 404 && l->http.session.len > 0;
    bool opens = p->opens;
    link_enter(l);
    if (ok) { /* read to its end, for the connection's sake */
        p->body = http_call_body(p->call);
        p->call = NULL;
        p->body->pull(p->body, on_post_piece, p);
    } else {
        free_post(p);
    }
    if (forgotten)
        link_http_forgotten(l);
    else
        settle(l, opens, ok);
    link_leave(l);
}

static void on_post_failed(void *user, enum err why, bool sent)
{
    struct post *p = user;
    struct link *l = p->link;
    bool opens = p->opens;
    (void)why, (void)sent;
    link_enter(l);
    p->call = NULL;
    free_post(p);
    settle(l, opens, false);
    link_leave(l);
}

static void post(struct link *l, struct buf *text, bool opens)
{
    static const struct http_call_events events = {on_post_head,
                                                   on_post_failed};
    struct link_http *h = &l->http;
    struct outgoing o;
    struct post *p = NULL;
    if (h->post_count < POSTS_MAX && h->post_bytes + text->len <= LINK_OUT_MAX)
        p = calloc(1, sizeof(*p));
    if (p == NULL) {
        link_break(l, ERR_UPSTREAM,
                   STR("the server does not take what it is told"));
        return;
    }
    p->link = l;
    p->opens = opens;
    p->text = *text;
    buf_init(text, text->max);
    h->post_count++;
    h->post_bytes += p->text.len;
    list_push(&h->posts, &p->node);
    compose(l, &o, STR("POST"), buf_str(&p->text), STR(""), l->server->call_ms);
    enum err e = http_client_send(h->client, &o.request, &events, p, &p->call);
    if (e == ERR_OK)
        return;
    free_post(p);
    link_break(l, e, str_from(err_text(e)));
}

static void http_tell(struct link *l, struct buf *text)
{
    post(l, text, false);
}

static void http_greeted(struct link *l, struct buf *text)
{
    post(l, text, true);
}

/* --- the link's --- */

static enum err http_send(struct link *l, struct link_request *r)
{
    return link_stream_start(l, r, &r->stream);
}

static void http_drop(struct link *l, struct link_request *r)
{
    (void)l;
    link_stream_stop(r->stream);
}

static void http_pause(struct link *l, struct link_request *r)
{
    (void)l;
    if (!r->call->paused && r->stream != NULL)
        link_stream_continue(r->stream);
}

static bool http_was_sent(const struct link *l, const struct link_request *r)
{
    (void)l;
    return !r->waiting;
}

/* Best effort: a session that is not deleted ends by itself some time. */
static void http_part(struct link *l)
{
    struct outgoing o;
    if (l->http.session.len == 0)
        return;
    compose(l, &o, STR("DELETE"), STR(""), STR(""), PART_MS);
    (void)!http_client_leave(l->http.client, &o.request);
}

static void http_stop(struct link *l)
{
    struct link_http *h = &l->http;
    while (!list_empty(&h->posts))
        free_post(CONTAINER_OF(list_first(&h->posts), struct post, node));
    link_stream_stop(h->listener);
    LIST_EACH(it, next, &l->requests)
    {
        link_stream_stop(CONTAINER_OF(it, struct link_request, node)->stream);
    }
}

static void wipe(struct buf *b)
{
    if (b->ptr != NULL)
        explicit_bzero(b->ptr, b->room);
    buf_release(b);
}

static void http_release(struct link *l)
{
    link_stream_free(l->http.listener);
    buf_release(&l->http.partition);
    buf_release(&l->http.session);
    wipe(&l->http.authorization);
}

enum err link_http_init(struct link *l, const struct link_options *o)
{
    struct link_http *h = &l->http;
    assert(!o->server->http.tls ||
           o->tls != NULL); /* never plain by accident */
    h->client = o->http;
    h->tls = o->tls;
    buf_init(&h->session, SESSION_MAX);
    buf_init(&h->partition, HTTP_HEAD_MAX);
    buf_init(&h->authorization, HTTP_HEAD_MAX);
    bool ok = buf_add(&h->partition, o->partition) &&
              buf_add(&h->authorization, o->authorization);
    return ok ? ERR_OK : ERR_NO_MEMORY;
}

const struct link_transport link_http_transport = {
    .send = http_send,
    .tell = http_tell,
    .greeted = http_greeted,
    .drop = http_drop,
    .pause = http_pause,
    .forgotten = link_http_forgotten,
    .was_sent = http_was_sent,
    .part = http_part,
    .stop = http_stop,
    .release = http_release,
};
