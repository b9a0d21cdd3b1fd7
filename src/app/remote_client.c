/* remote_client.c - see remote_client.h: a loop of its own for one call. */
#include "app/remote_client.h"

#include "base/attr.h"
#include "base/limits.h"
#include "codec/uri.h"
#include "http/client.h"
#include "net/resolver.h"
#include "net/tls.h"
#include "os/loop.h"

#define BODY_MAX (8 * MIB)

enum { CONNECT_MS = 5000, FIELDS_MAX = 3, TOKEN_FIELD_MAX = 512 };

struct asking {
    struct loop *loop;
    struct resolver *resolver;
    struct http_client *client;
    struct tls_context *tls;
    struct http_call *call;
    struct body_source *body;
    struct buf text;
    int status;
    enum err err;
};

static void on_piece(void *reader, struct str piece, bool last, enum err e)
{
    struct asking *q = reader;

    if (e == ERR_OK && !buf_add(&q->text, piece))
        e = ERR_LIMIT;
    if (e == ERR_OK && !last) {
        q->body->pull(q->body, on_piece, q);
        return;
    }
    q->err = e;
    loop_stop(q->loop);
}

static void on_head(void *user, const struct http_response_head *head)
{
    struct asking *q = user;

    q->status = head->status;
    q->body = http_call_body(q->call);
    q->body->pull(q->body, on_piece, q);
}

static void on_failed(void *user, enum err why, bool sent)
{
    struct asking *q = user;

    (void)sent;
    q->err = why;
    loop_stop(q->loop);
}

static enum err open_tls(struct asking *q, const struct uri *u, struct str ca,
                         const char **ret_why)
{
    const struct tls_client_options o = {.ca_file = ca};

    if (str_eq(u->scheme, STR("http")))
        return ERR_OK;
    if (str_eq(u->scheme, STR("https")))
        return tls_context_client(&o, &q->tls, ret_why);
    *ret_why = "expected http:// or https://";
    return ERR_MALFORMED;
}

static enum err open_all(struct asking *q)
{
    static const struct http_client_options o = {
        .connect_timeout_ms = CONNECT_MS,
        .idle_timeout_ms = 1000,
        .pool_max = 1,
        .connections_max = 1,
    };
    enum err e = loop_new(&q->loop);
    if (e == ERR_OK)
        e = resolver_new(q->loop, &q->resolver);
    if (e == ERR_OK)
        e = http_client_new(q->loop, q->resolver, &o, &q->client);
    return e;
}

static void close_all(struct asking *q)
{
    http_client_free(q->client);
    resolver_free(q->resolver);
    loop_free(q->loop);
    tls_context_unref(q->tls);
    buf_release(&q->text);
}

static size_t make_fields(const struct remote_client_target *to,
                          const struct control_client_request *r,
                          struct buf *bearer, struct http_field *fields)
{
    size_t n = 0;

    BUF_LIT(bearer, "Bearer ");
    buf_add(bearer, to->token);
    if (to->token.len > 0)
        fields[n++] =
            (struct http_field){STR("authorization"), buf_str(bearer)};
    if (r->post)
        fields[n++] =
            (struct http_field){STR("content-type"), STR("application/json")};
    return n;
}

static enum err send_and_wait(struct asking *q, const struct uri *u,
                              const struct remote_client_target *to,
                              const struct control_client_request *r)
{
    static const struct http_call_events events = {on_head, on_failed};
    char room[TOKEN_FIELD_MAX];
    struct http_field fields[FIELDS_MAX];
    struct buf bearer;

    buf_init_lent(&bearer, room, sizeof(room));
    size_t n = make_fields(to, r, &bearer, fields);
    const struct http_origin origin = {.host = u->host,
                                       .port = u->port,
                                       .tls = q->tls,
                                       .allow_local = true};
    const struct http_call_request request = {
        .origin = &origin,
        .method = r->post ? STR("POST") : STR("GET"),
        .target = str_from(r->target),
        .fields = {fields, n},
        .body = r->post ? r->body : (struct str){NULL, 0},
        .head_timeout_ms = CONTROL_CLIENT_TIMEOUT_S * INT64_C(1000),
        .body_idle_ms = CONTROL_CLIENT_TIMEOUT_S * INT64_C(1000),
    };
    enum err e = buf_ok(&bearer) ? http_client_send(q->client, &request,
                                                    &events, q, &q->call)
                                 : ERR_LIMIT;
    if (e != ERR_OK)
        return e;
    q->err = ERR_UPSTREAM;
    loop_run(q->loop);
    return q->err;
}

enum err remote_client_ask(struct arena *a,
                           const struct remote_client_target *to,
                           const struct control_client_request *r,
                           struct control_client_reply *ret,
                           const char **ret_why)
{
    struct asking q = {0};
    struct uri u;

    *ret_why = NULL;
    buf_init(&q.text, BODY_MAX);
    enum err e = uri_split(a, to->url, &u, ret_why);
    if (e == ERR_OK)
        e = open_tls(&q, &u, to->ca, ret_why);
    if (e == ERR_OK)
        e = open_all(&q);
    if (e == ERR_OK)
        e = send_and_wait(&q, &u, to, r);
    if (e == ERR_OK && !arena_copy(a, buf_str(&q.text), &ret->body))
        e = ERR_LIMIT;
    if (e == ERR_OK)
        ret->status = q.status;
    close_all(&q);
    return e;
}
