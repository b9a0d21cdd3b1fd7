/* fetch.c - see fetch.h. */
#include "trust/fetch.h"

#include <assert.h>

#include "http/client.h"

enum { STATUS_OK = 200 };

static void finish(struct fetch *f, enum err e)
{
    f->call = NULL;
    f->body = NULL;
    f->done(f, e);
}

static void on_piece(void *reader, struct str piece, bool last, enum err e)
{
    struct fetch *f = reader;
    if (e == ERR_OK && !buf_add(&f->bytes, piece)) {
        if (!last)
            f->body->cancel(f->body);
        finish(f, ERR_LIMIT);
    } else if (last || e != ERR_OK) {
        finish(f, e);
    } else {
        f->body->pull(f->body, on_piece, f);
    }
}

static void on_head(void *user, const struct http_response_head *head)
{
    struct fetch *f = user;
    struct http_call *call = f->call;
    f->status = head->status;
    if (f->status != STATUS_OK) {
        http_call_cancel(call);
        finish(f, ERR_OK);
        return;
    }
    f->call = NULL;
    f->body = http_call_body(call);
    f->body->pull(f->body, on_piece, f);
}

static void on_failed(void *user, enum err why, bool sent)
{
    (void)sent;
    finish(user, why);
}

void fetch_init(struct fetch *f, struct http_client *client,
                void (*done)(struct fetch *f, enum err e))
{
    *f = (struct fetch){.client = client, .done = done};
    buf_init(&f->bytes, 0);
}

enum err fetch_start(struct fetch *f, const struct location *at,
                     const struct fetch_options *o)
{
    static const struct http_call_events events = {on_head, on_failed};
    const struct http_field fields[] = {
        {STR("accept"), STR("application/json")},
        {STR("user-agent"), STR("writ")},
    };
    const struct http_origin origin = {
        .host = at->host,
        .port = at->port,
        .tls = at->tls ? o->tls : NULL,
        .partition = STR("trust"),
        .allow_local = o->allow_local,
        .connect_timeout_ms = o->timeout_ms,
    };
    const struct http_call_request request = {
        .origin = &origin,
        .method = STR("GET"),
        .target = at->target,
        .fields = {fields, ARRAY_LEN(fields)},
        .head_timeout_ms = o->timeout_ms,
        .body_idle_ms = o->timeout_ms,
    };
    assert(f->call == NULL && f->body == NULL);
    assert(!at->tls || o->tls != NULL); /* never plain by accident */
    buf_release(&f->bytes);
    buf_init(&f->bytes, o->bytes_max);
    f->status = 0;
    return http_client_send(f->client, &request, &events, f, &f->call);
}

void fetch_cancel(struct fetch *f)
{
    if (f->body != NULL)
        f->body->cancel(f->body);
    else if (f->call != NULL)
        http_call_cancel(f->call);
    f->call = NULL;
    f->body = NULL;
}

void fetch_release(struct fetch *f)
{
    fetch_cancel(f);
    buf_release(&f->bytes);
}
