/*
 * link_stream.c - what a server answers over HTTP: to a request of ours, or on
 * the stream for what belongs to none.
 *
 * The reply to a request is one JSON text, or a stream of events with the
 * answer among them.  A stream may end before that: then it is taken up again
 * by GET, if its events had ids.  Bodies are pulled; while the user has no
 * room, what was pulled already waits in `rest`.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "codec/sse.h"
#include "mcp/link_core.h"
#include "os/loop.h"

enum {
    EVENT_ID_MAX = 1024,
    RESUMES_MAX = 3,    /* in a row that brought nothing */
    LISTENS_MAX = 5,    /* the same, of the listener */
    RETRY_MS = 1000,    /* where the server does not say */
    RETRY_MIN_MS = 100, /* whatever the server says */
    RETRY_MAX_MS = 30000,
    LASTED_MS = 10000, /* a listener that stood so long has worked */
};

struct link_stream {
    struct link *link;
    struct link_request *request; /* NULL: the listener */
    struct http_call *call;       /* until its head has come, */
    struct body_source *body;     /* and from there to its end */
    bool waiting;                 /* it was asked for a piece */
    bool is_events;               /* the body's form */
    bool ended;                   /* the body has; `rest` may not */
    bool stopped;
    bool resumes; /* this is no answer to a POST */
    bool stood;   /* a listener was there once */
    struct buf json;
    struct sse_reader events;
    struct buf rest;
    struct buf last_id; /* of the events read; empty: they have none */
    int64_t retry_ms;   /* as the server said, or -1 */
    int64_t began_ms;
    unsigned tries;
    struct timer again;
};

static void on_again(struct timer *t);
static void read_on(struct link_stream *s);

/* A message, after "data: ". */
static size_t line_max(const struct link *l)
{
    return l->server->result_max + 6;
}

/* --- the end --- */

void link_stream_stop(struct link_stream *s)
{
    if (s == NULL)
        return;
    s->stopped = true;
    timer_cancel(&s->again);
    if (s->body != NULL)
        s->body->cancel(s->body);
    if (s->call != NULL)
        http_call_cancel(s->call);
    s->body = NULL;
    s->call = NULL;
}

void link_stream_free(struct link_stream *s)
{
    if (s == NULL)
        return;
    link_stream_stop(s);
    buf_release(&s->json);
    buf_release(&s->rest);
    buf_release(&s->last_id);
    sse_reader_release(&s->events);
    free(s);
}

/* Of a call, or of the listener, which is not missed. */
static void fail(struct link_stream *s, enum err why, bool sent)
{
    if (s->stopped)
        return;
    if (s->request != NULL)
        link_requests_fail(s->request, why, sent);
    else
        link_stream_stop(s);
}

/* Longer each time, but where the server has said how long. */
static int64_t pause_of(const struct link_stream *s)
{
    bool said = s->retry_ms >= 0;
    int64_t ms = said ? s->retry_ms : RETRY_MS;
    if (ms < RETRY_MIN_MS)
        ms = RETRY_MIN_MS;
    if (!said || s->request == NULL)
        ms <<= s->tries - 1;
    return ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS;
}

/* The reply is over, and what was waited for has not come. */
static void take_up(struct link_stream *s)
{
    bool is_listener = s->request == NULL;
    int64_t now = loop_now_ms(s->link->loop);
    if (s->stopped)
        return;
    if (is_listener && s->stood && now - s->began_ms >= LASTED_MS)
        s->tries = 0;
    bool can = is_listener || s->last_id.len > 0;
    if (!can || s->tries >= (is_listener ? LISTENS_MAX : RESUMES_MAX)) {
        fail(s, ERR_UPSTREAM, true);
        return;
    }
    s->tries++;
    timer_set(s->link->loop, &s->again, pause_of(s), on_again);
}

/* --- events --- */

static bool is_paused(const struct link_stream *s)
{
    return s->request != NULL && s->request->call != NULL &&
           s->request->call->paused;
}

static bool on_event(void *user, const struct sse_event *e)
{
    struct link_stream *s = user;
    struct link *l = s->link;
    bool is_message = e->type.len == 0 || str_eq(e->type, STR("message"));
    s->tries = 0;
    if (!is_message || e->data.len == 0)
        return true;
    if (link_incoming_take(l, e->data, s->request, false) != ERR_OK) {
        if (s->request == NULL)
            link_break(l, ERR_UPSTREAM,
                       STR("what the server sent on its stream is no message "
                           "of MCP"));
        else
            fail(s, ERR_UPSTREAM, true);
    }
    return !s->stopped;
}

/* The first bytes up to the end of an event, or all. */
static struct str first_event(struct str bytes)
{
    size_t at = 0;
    while (at < bytes.len) {
        at += str_find(str_skip(bytes, at), '\n') + 1;
        struct str left = str_skip(bytes, at);
        if (str_starts(left, STR("\n")))
            return str_first(bytes, at + 1);
        if (str_starts(left, STR("\r\n")))
            return str_first(bytes, at + 2);
    }
    return bytes;
}

/* What a field of a request can hold; another id is none. */
static void keep_id(struct link_stream *s, struct str id)
{
    bool fits = id.len <= EVENT_ID_MAX;
    for (size_t i = 0; fits && i < id.len; i++)
        fits = id.ptr[i] >= ' ' && id.ptr[i] <= '~';
    if (id.len == 0 || str_eq(id, buf_str(&s->last_id)))
        return;
    s->tries = 0; /* something has come, if only a place to go on from */
    buf_clear(&s->last_id);
    if (fits)
        (void)buf_add(&s->last_id, id);
}

/* Event by event, so that what comes after a pause can be kept. */
static void feed(struct link_stream *s, struct str bytes)
{
    while (bytes.len > 0 && !s->stopped) {
        if (is_paused(s)) {
            if (!buf_add(&s->rest, bytes))
                fail(s, ERR_NO_MEMORY, true);
            return;
        }
        struct str first = first_event(bytes);
        bool whole = first.len < bytes.len || first.ptr[first.len - 1] == '\n';
        enum err e = sse_feed(&s->events, first, on_event, s);
        if (s->stopped)
            return;
        if (e != ERR_OK) {
            fail(s, e, true);
            return;
        }
        /* Not in the middle of an event, which would be lost. */
        if (whole && !s->events.has_data && s->events.line.len == 0)
            keep_id(s, buf_str(&s->events.id));
        s->retry_ms = s->events.retry_ms;
        bytes = str_skip(bytes, first.len);
    }
}

/* --- the body --- */

/* What is read and is no answer was not what this reply is for. */
static void read_json(struct link_stream *s)
{
    enum err e =
        link_incoming_take(s->link, buf_str(&s->json), s->request, false);
    if (e != ERR_OK || !s->stopped)
        fail(s, ERR_UPSTREAM, true);
}

static void on_piece(void *reader, struct str piece, bool last, enum err e)
{
    struct link_stream *s = reader;
    struct link *l = s->link;
    link_enter(l);
    s->waiting = false;
    s->ended = last || e != ERR_OK;
    if (s->ended)
        s->body = NULL;
    if (s->is_events)
        feed(s, piece);
    else if (!buf_add(&s->json, piece))
        fail(s, ERR_LIMIT, true);
    else if (e != ERR_OK)
        fail(s, ERR_UPSTREAM, true);
    else if (last)
        read_json(s);
    else if (s->request != NULL)
        link_requests_alive(s->request);
    if (!s->stopped)
        read_on(s);
    link_leave(l);
}

/* The next step of a reply that has begun. */
static void read_on(struct link_stream *s)
{
    if (s->waiting || s->rest.len > 0 || (s->is_events && is_paused(s)))
        return;
    if (s->ended) {
        s->ended = false;
        sse_reader_release(&s->events);
        sse_reader_init(&s->events, line_max(s->link));
        take_up(s);
    } else if (s->body != NULL) {
        s->waiting = true;
        s->body->pull(s->body, on_piece, s);
    }
}

void link_stream_continue(struct link_stream *s)
{
    /* In a later turn; while none is being read it waits for another. */
    if (!s->stopped && (s->body != NULL || s->ended || s->rest.len > 0))
        timer_set(s->link->loop, &s->again, 0, on_again);
}

static void read_rest(struct link_stream *s)
{
    struct buf rest = s->rest;
    buf_init(&s->rest, rest.max);
    feed(s, buf_str(&rest));
    buf_release(&rest);
    if (!s->stopped)
        read_on(s);
}

/* --- the head --- */

static bool is_type(const struct http_response_head *head, struct str name)
{
    struct str type = http_fields_get(head->fields, STR("content-type"));
    return str_eq_nocase(str_trim(str_first(type, str_find(type, ';'))), name);
}

static bool is_plain(const struct http_response_head *head)
{
    struct str coding = http_fields_get(head->fields, STR("content-encoding"));
    return http_fields_count(head->fields, STR("content-encoding")) == 0 ||
           str_eq_nocase(coding, STR("identity"));
}

/* Can this reply be read?  Then s->is_events says how. */
static bool is_readable(struct link_stream *s,
                        const struct http_response_head *head)
{
    s->is_events = is_type(head, STR("text/event-stream"));
    return head->status == 200 && is_plain(head) &&
           (s->is_events ||
            (!s->resumes && is_type(head, STR("application/json"))));
}

static void refuse_greeting(struct link *l, int status)
{
    char room[128];
    struct buf text;
    buf_init_lent(&text, room, sizeof(room));
    (void)buf_addf(&text,
                   "the server answers `initialize` with HTTP status %d, or in "
                   "no form of MCP's",
                   status);
    link_break(l, ERR_UPSTREAM, buf_str(&text));
}

/*
 * 404 says that the session is gone, and is the one case in which it is
 * certain that nothing was done.  Many servers say 400 then, which may mean
 * anything.
 */
static void refuse(struct link_stream *s, int status)
{
    struct link *l = s->link;
    bool is_listener = s->request == NULL;
    bool in_session = l->http.session.len > 0 && (!is_listener || s->stood);
    if (l->state == LINK_GREETING) {
        refuse_greeting(l, status);
    } else if (status == 404 && in_session) {
        fail(s, ERR_NOT_FOUND, s->resumes);
        link_http_forgotten(l);
    } else if ((status == 429 || status >= 500) &&
               (is_listener || s->resumes)) {
        take_up(s);
    } else {
        fail(s, ERR_UPSTREAM, true);
        if (status == 400 && in_session)
            link_probe(l);
    }
}

static void on_head(void *user, const struct http_response_head *head)
{
    struct link_stream *s = user;
    struct link *l = s->link;
    link_enter(l);
    bool is_hello = s->request != NULL && s->request->call == &l->hello;
    bool ok =
        is_readable(s, head) && (!is_hello || link_http_take_session(l, head));
    if (s->request != NULL) /* it has gone out, and does so once */
        buf_release(&s->request->text);
    if (ok) {
        s->body = http_call_body(s->call);
        s->call = NULL;
        s->stood = true;
        s->began_ms = loop_now_ms(l->loop);
        read_on(s);
    } else {
        int status = head->status;
        http_call_cancel(s->call);
        s->call = NULL;
        refuse(s, status);
    }
    link_leave(l);
}

static void on_failed(void *user, enum err why, bool sent)
{
    struct link_stream *s = user;
    struct link *l = s->link;
    link_enter(l);
    s->call = NULL;
    if (s->resumes)
        take_up(s);
    else
        fail(s, why, sent);
    link_leave(l);
}

/* --- the beginning --- */

static const struct http_call_events call_events = {on_head, on_failed};

static enum err get(struct link_stream *s)
{
    s->resumes = true;
    return link_http_get(s->link, buf_str(&s->last_id), &call_events, s,
                         &s->call);
}

static void on_again(struct timer *t)
{
    struct link_stream *s = CONTAINER_OF(t, struct link_stream, again);
    struct link *l = s->link;
    link_enter(l);
    if (s->body != NULL || s->ended || s->rest.len > 0)
        read_rest(s);
    else if (get(s) != ERR_OK)
        take_up(s);
    link_leave(l);
}

enum err link_stream_start(struct link *l, struct link_request *r,
                           struct link_stream **ret)
{
    struct link_stream *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return ERR_NO_MEMORY;
    s->link = l;
    s->request = r;
    s->retry_ms = -1;
    buf_init(&s->json, l->server->result_max);
    buf_init(&s->rest, BODY_PIECE_MAX);
    buf_init(&s->last_id, EVENT_ID_MAX);
    sse_reader_init(&s->events, line_max(l));
    enum err e = r == NULL ? get(s)
                           : link_http_post(l, buf_str(&r->text), &call_events,
                                            s, &s->call);
    if (e != ERR_OK) {
        link_stream_free(s);
        return e;
    }
    *ret = s;
    return ERR_OK;
}
