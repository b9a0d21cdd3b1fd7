/* link_fixture.c - see link_fixture.h. */
#include "link_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "net/resolver.h"
#include "os/channel.h"

static void copy(char *to, size_t room, struct str s)
{
    size_t n = s.len < room - 1 ? s.len : room - 1;
    if (n > 0)
        memcpy(to, s.ptr, n);
    to[n] = '\0';
}

void id_of(struct str message, char *to, size_t room)
{
    const char *at = memmem(message.ptr, message.len, "\"id\":", 5);
    assert_non_null(at);
    struct str id = str_skip(message, (size_t)(at + 5 - message.ptr));
    size_t end = str_find(id, ',');
    size_t brace = str_find(id, '}');
    copy(to, room, str_first(id, end < brace ? end : brace));
}

/* --- feeds --- */

static void give(struct feed *f)
{
    if (f->sink == NULL || (f->bytes.len == 0 && !f->ended && !f->cut))
        return;
    body_sink *sink = f->sink;
    char piece[BODY_PIECE_MAX];
    size_t n = f->bytes.len < sizeof(piece) ? f->bytes.len : sizeof(piece);
    if (n > 0)
        memcpy(piece, f->bytes.ptr, n);
    buf_drop(&f->bytes, n);
    f->given += n;
    f->sink = NULL;
    bool over = f->bytes.len == 0 && (f->ended || (f->cut && n == 0));
    if (over) {
        f->in_use = false;
        buf_release(&f->bytes);
    }
    sink(f->reader, (struct str){piece, n}, over && !f->cut,
         over && f->cut ? ERR_UPSTREAM : ERR_OK);
}

static void feed_pull(struct body_source *src, body_sink *sink, void *reader)
{
    struct feed *f = CONTAINER_OF(src, struct feed, source);
    f->sink = sink;
    f->reader = reader;
    give(f);
}

static void feed_cancel(struct body_source *src)
{
    struct feed *f = CONTAINER_OF(src, struct feed, source);
    f->cancelled = true;
    f->in_use = false;
    f->sink = NULL;
    buf_release(&f->bytes);
}

void feed_say(struct feed *f, const char *text)
{
    if (!f->in_use)
        return;
    assert_true(buf_add(&f->bytes, str_from(text)));
    give(f);
}

void feed_event(struct feed *f, const char *id, const char *json)
{
    static char text[TEXT_ROOM + 128];
    (void)snprintf(text, sizeof(text), "%s%s%sdata: %s\n\n",
                   id != NULL ? "id: " : "", id != NULL ? id : "",
                   id != NULL ? "\n" : "", json);
    feed_say(f, text);
}

void feed_end(struct feed *f)
{
    f->ended = true;
    if (f->in_use)
        give(f);
}

void feed_cut(struct feed *f)
{
    f->cut = true;
    if (f->in_use)
        give(f);
}

/* --- the server over HTTP --- */

static void on_body(void *user, struct str body, enum err e)
{
    struct question *q = user;
    assert_int_equal(e, ERR_OK);
    copy(q->body, sizeof(q->body), body);
    q->desk->handle(q);
}

static void on_request(void *user, struct http_request *r)
{
    struct desk *d = user;
    const struct http_request_head *head = http_request_head(r);
    struct http_fields f = head->fields;
    assert_true(d->question_count < QUESTIONS_MAX);
    struct question *q = &d->questions[d->question_count++];
    *q = (struct question){.desk = d, .r = r};
    http_request_set_user(r, q);
    copy(q->method, sizeof(q->method), head->method);
    copy(q->session, sizeof(q->session),
         http_fields_get(f, STR("mcp-session-id")));
    copy(q->revision, sizeof(q->revision),
         http_fields_get(f, STR("mcp-protocol-version")));
    copy(q->last_id, sizeof(q->last_id),
         http_fields_get(f, STR("last-event-id")));
    copy(q->accept, sizeof(q->accept), http_fields_get(f, STR("accept")));
    copy(q->authorization, sizeof(q->authorization),
         http_fields_get(f, STR("authorization")));
    http_request_read(r, HTTP_BODY_MAX, on_body, q);
}

static void on_done(void *user, struct http_request *r, enum err why)
{
    struct question *q = http_request_user(r);
    (void)user, (void)why;
    q->r = NULL;
    q->gone = true;
}

void answer_status(struct question *q, int status)
{
    struct http_response_head head = {.status = status};
    if (q->r != NULL)
        http_request_reply(q->r, &head, STR(""));
}

void answer_json(struct question *q, const char *json)
{
    const struct http_field fields[] = {
        {STR("content-type"), STR("application/json; charset=utf-8")},
        {STR("mcp-session-id"), str_from(q->desk->session)},
    };
    bool hello = question_has(q, "\"initialize\"");
    struct http_response_head head = {
        .status = 200,
        .fields = {fields, hello && q->desk->session != NULL ? 2 : 1},
    };
    if (q->r != NULL)
        http_request_reply(q->r, &head, str_from(json));
}

void answer_stream(struct question *q)
{
    static const struct http_field fields[] = {
        {STR_INIT("content-type"), STR_INIT("text/event-stream")}};
    struct http_response_head head = {.status = 200,
                                      .fields = {fields, 1},
                                      .body_bytes = -1};
    q->feed = (struct feed){.source = {feed_pull, feed_cancel}, .in_use = true};
    buf_init(&q->feed.bytes, 64 * MIB);
    assert_non_null(q->r);
    http_request_reply_stream(q->r, &head, &q->feed.source);
}

void answer_result(struct question *q, const char *result)
{
    static char text[TEXT_ROOM + 256];
    char id[64];
    id_of(str_from(q->body), id, sizeof(id));
    (void)snprintf(text, sizeof(text),
                   "{\"result\":%s,\"jsonrpc\":\"2.0\",\"id\":%s}", result, id);
    answer_json(q, text);
}

void desk_hello(char *to, size_t room, const char *capabilities)
{
    (void)snprintf(to, room,
                   "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":%s,"
                   "\"serverInfo\":{\"name\":\"fake\",\"version\":\"1\"}}",
                   capabilities != NULL ? capabilities
                                        : "{\"tools\":{\"listChanged\":true},"
                                          "\"logging\":{}}");
}

void answer_usual(struct question *q)
{
    char text[512];
    if (strcmp(q->method, "POST") != 0) {
        answer_status(q, q->method[0] == 'D' ? 200 : 405);
    } else if (question_has(q, "\"initialize\"")) {
        desk_hello(text, sizeof(text), q->desk->capabilities);
        answer_result(q, text);
    } else if (question_has(q, "\"tools/call\"")) {
        answer_result(q, "{\"content\":[]}");
    } else {
        answer_status(q, 202);
    }
}

bool question_has(const struct question *q, const char *text)
{
    return strstr(q->body, text) != NULL;
}

/* --- the desk --- */

static void on_timer(struct timer *t)
{
    struct desk *d = CONTAINER_OF(t, struct desk, timer);
    d->timed_out = true;
    loop_stop(d->l);
}

struct condition {
    struct loop_hook hook;
    struct desk *d;
    bool (*done)(void *arg);
    void *arg;
};

static void check_condition(struct loop_hook *h)
{
    struct condition *c = CONTAINER_OF(h, struct condition, hook);
    if (c->done(c->arg))
        loop_stop(c->d->l);
}

void desk_wait(struct desk *d, bool (*done)(void *arg), void *arg)
{
    struct condition c = {{.run = check_condition}, d, done, arg};
    if (done(arg))
        return;
    d->timed_out = false;
    loop_hook_add(d->l, &c.hook);
    timer_set(d->l, &d->timer, 10000, on_timer);
    while (!d->timed_out && !done(arg))
        loop_run(d->l);
    timer_cancel(&d->timer);
    loop_hook_remove(&c.hook);
    if (!done(arg))
        fail_msg("waited in vain");
}

void desk_turn(struct desk *d, int64_t ms)
{
    d->timed_out = false;
    timer_set(d->l, &d->timer, ms, on_timer);
    while (!d->timed_out)
        loop_run(d->l);
}

struct want {
    struct desk *d;
    const int *at;
    int n;
    const char *method, *text;
};

static bool is_int(void *arg)
{
    const struct want *w = arg;
    return *w->at >= w->n;
}

void desk_wait_int(struct desk *d, const int *at, int n)
{
    struct want w = {.at = at, .n = n};
    desk_wait(d, is_int, &w);
}

static bool is_true(void *arg)
{
    return *(const bool *)arg;
}

void desk_wait_true(struct desk *d, const bool *at)
{
    bool *it;
    memcpy(&it, &at, sizeof(it)); /* desk_wait() hands it back as it is */
    desk_wait(d, is_true, it);
}

static struct question *find(struct desk *d, const char *method,
                             const char *text, int n)
{
    for (size_t i = 0; i < d->question_count; i++) {
        struct question *q = &d->questions[i];
        if (strcmp(q->method, method) == 0 && question_has(q, text) && --n == 0)
            return q;
    }
    return NULL;
}

static bool has_question(void *arg)
{
    const struct want *w = arg;
    return find(w->d, w->method, w->text, w->n) != NULL;
}

struct question *desk_question(struct desk *d, const char *method,
                               const char *text, int n)
{
    struct want w = {.d = d, .n = n, .method = method, .text = text};
    desk_wait(d, has_question, &w);
    return find(d, method, text, n);
}

int desk_count(const struct desk *d, const char *method, const char *text)
{
    int n = 0;
    for (size_t i = 0; i < d->question_count; i++)
        n += strcmp(d->questions[i].method, method) == 0 &&
             question_has(&d->questions[i], text);
    return n;
}

void desk_open(struct desk *d)
{
    memset(d, 0, sizeof(*d));
    assert_int_equal(loop_new(&d->l), ERR_OK);
    d->server = (struct tool_server_settings){
        .name = STR("fake"),
        .call_ms = 8000,
        .call_max_ms = 20000,
        .result_max = MIB,
    };
    d->options = (struct link_options){.loop = d->l,
                                       .server = &d->server,
                                       .version = STR("0.1")};
    d->handle = answer_usual;
    d->on_line = child_usual;
    for (int i = 0; i < RUNNER_PIPES; i++)
        d->fds[i] = -1;
    buf_init(&d->heard, 64 * MIB);
    buf_init(&d->says, 64 * MIB);
}

void desk_serve(struct desk *d)
{
    static const struct http_server_events events = {on_request, on_done};
    const struct http_server_options so = {
        .head_timeout_ms = 9000,
        .body_idle_ms = 9000,
        .idle_timeout_ms = 9000,
        .write_idle_ms = 9000,
        .connections_max = 100,
        .h2_streams_max = 100,
    };
    const struct http_client_options co = {
        .connect_timeout_ms = 5000,
        .idle_timeout_ms = 5000,
        .pool_max = 8,
        .connections_max = 16,
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    assert_int_equal(http_server_new(d->l, &so, &events, d, &d->http), ERR_OK);
    assert_int_equal(http_server_listen(d->http, fd, NULL), ERR_OK);
    assert_int_equal(resolver_new(d->l, &d->resolver), ERR_OK);
    assert_int_equal(http_client_new(d->l, d->resolver, &co, &d->client),
                     ERR_OK);
    d->port = ntohs(at.sin_port);
    d->server.transport = TRANSPORT_HTTP;
    d->server.http.host = STR("127.0.0.1");
    d->server.http.port = d->port;
    d->server.http.path = STR("/mcp?x=1");
    d->server.http.local = true;
    d->server.http.connect_ms = 5000;
    d->options.http = d->client;
    d->options.partition = STR("acme");
    d->session = "s-1";
}

void desk_close(struct desk *d)
{
    link_close(d->link);
    runner_client_free(d->runner);
    channel_free(d->other);
    for (int i = 0; i < RUNNER_PIPES; i++)
        child_close(d, (enum runner_pipe)i);
    http_client_free(d->client);
    http_server_free(d->http);
    resolver_free(d->resolver);
    desk_turn(d, 1);
    timer_cancel(&d->timer);
    for (size_t i = 0; i < d->question_count; i++)
        buf_release(&d->questions[i].feed.bytes);
    buf_release(&d->heard);
    buf_release(&d->says);
    loop_free(d->l);
}

void desk_do(struct desk *d, struct caller *c, enum deed deed)
{
    struct link *l = d->link;
    switch (deed) {
    case DEED_NONE:
        break;
    case DEED_CANCEL:
        link_cancel(&c->call, STR("enough"));
        memset(&c->call, 0xa5, sizeof(c->call));
        break;
    case DEED_CLOSE:
        d->link = NULL;
        link_close(l);
        if (c != NULL)
            memset(&c->call, 0xa5, sizeof(c->call));
        break;
    case DEED_PAUSE:
        link_pause(&c->call, true);
        break;
    case DEED_SEND:
        desk_send(d, c->then, "");
        break;
    }
}

static void on_opened(void *user, const struct handshake *h)
{
    struct desk *d = user;
    assert_false(d->opened || d->closed);
    d->opened = true;
    d->has = h->has;
    d->revision = h->revision;
    copy(d->name, sizeof(d->name), h->name);
    desk_do(d, NULL, d->on_opened);
}

static void on_link_notice(void *user, enum method m, const struct message *msg)
{
    struct desk *d = user;
    assert_true(d->opened && !d->closed);
    assert_int_equal(msg->kind, MESSAGE_NOTIFICATION);
    d->notices++;
    d->notice_method = m;
    desk_do(d, NULL, d->on_notice);
}

static void on_closed(void *user, enum err why, struct str text)
{
    struct desk *d = user;
    assert_false(d->closed);
    assert_int_not_equal(why, ERR_OK);
    d->closed = true;
    d->why = why;
    copy(d->why_text, sizeof(d->why_text), text);
    desk_do(d, NULL, d->on_closed);
}

void desk_link(struct desk *d, bool await)
{
    static const struct link_events events = {on_opened, on_link_notice,
                                              on_closed};
    assert_int_equal(link_open(&d->options, &events, d, &d->link), ERR_OK);
    assert_false(d->opened);
    if (await)
        desk_wait_true(d, &d->opened);
}

static void on_notice(struct link_call *call, enum method m,
                      const struct message *msg)
{
    struct caller *c = CONTAINER_OF(call, struct caller, call);
    struct buf text;
    c->notices++;
    c->notice_method = m;
    buf_init(&text, MIB);
    json_write(&text, msg->params, NULL, 0);
    copy(c->notice, sizeof(c->notice), buf_str(&text));
    buf_release(&text);
    desk_do(c->desk, c, c->on_notice);
}

static void on_asked(struct link_call *call, enum method m,
                     const struct message *msg)
{
    struct caller *c = CONTAINER_OF(call, struct caller, call);
    c->asks++;
    c->ask_method = m;
    copy(c->ask_id, sizeof(c->ask_id), msg->id.text);
    desk_do(c->desk, c, c->on_asked);
}

static void over(struct caller *c, enum deed deed)
{
    struct desk *d = c->desk;
    assert_int_equal(c->answers + c->failures, 1);
    memset(&c->call, 0xa5, sizeof(c->call)); /* it is nobody's but ours */
    desk_do(d, deed == DEED_CLOSE ? NULL : c, deed);
}

static void on_answered(struct link_call *call, const struct message *m)
{
    struct caller *c = CONTAINER_OF(call, struct caller, call);
    struct buf text;
    c->answers++;
    c->is_error = m->kind == MESSAGE_ERROR;
    buf_init(&text, 64 * MIB);
    if (c->is_error)
        (void)buf_add(&text, m->error.text);
    else
        json_write(&text, m->result, NULL, 0);
    c->text_len = text.len;
    copy(c->text, sizeof(c->text), buf_str(&text));
    buf_release(&text);
    over(c, c->on_answered);
}

static void on_failed(struct link_call *call, enum err why, bool sent)
{
    struct caller *c = CONTAINER_OF(call, struct caller, call);
    c->failures++;
    c->why = why;
    c->sent = sent;
    over(c, c->on_failed);
}

void desk_send(struct desk *d, struct caller *c, const char *params)
{
    static const struct link_call_events events = {on_notice, on_asked,
                                                   on_answered, on_failed};
    c->desk = d;
    assert_int_equal(link_send(d->link, &c->call, ++d->next, METHOD_TOOLS_CALL,
                               str_from(params), &events),
                     ERR_OK);
}
