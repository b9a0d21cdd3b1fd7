/* demo_mcp.c - see demo_mcp.h. */
#include "app/demo_mcp.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/demo_tell.h"
#include "app/plain_http.h"
#include "base/limits.h"
#include "codec/json.h"

#define ARENA_MAX (4 * MIB)

/* ---- a message out ---- */

static void add_request(struct buf *to, const struct demo *d, struct str body)
{
    buf_addf(to,
             "POST /mcp/" DEMO_SERVER " HTTP/1.1\r\nhost: 127.0.0.1:%u\r\n"
             "connection: close\r\nauthorization: Bearer %s\r\n"
             "accept: application/json, text/event-stream\r\n"
             "content-type: application/json\r\n",
             d->port, d->key);
    if (d->session[0] != '\0')
        buf_addf(to, "mcp-session-id: %s\r\n", d->session);
    buf_addf(to, "content-length: %zu\r\n\r\n", body.len);
    buf_add(to, body);
}

static bool send_all(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes = str_skip(bytes, (size_t)n);
    }
    return true;
}

static int post(const struct demo *d, struct str body)
{
    struct buf request;
    int fd = demo_ask_connect(d);

    buf_init(&request, 16 * KIB);
    add_request(&request, d, body);
    if (fd != -1 && (!buf_ok(&request) || !send_all(fd, buf_str(&request)))) {
        (void)close(fd);
        fd = -1;
    }
    buf_release(&request);
    return fd;
}

/* ---- what comes ---- */

static bool on_piece(void *user, struct str piece)
{
    struct demo_answer *a = user;
    return buf_add(&a->body, piece);
}

/* The last event of a stream is the answer. */
static bool on_event(void *user, const struct sse_event *e)
{
    struct demo_answer *a = user;
    buf_clear(&a->body);
    return buf_add(&a->body, e->data);
}

static bool unpack(struct demo_answer *a)
{
    struct sse_reader sse;
    struct str stream;

    if (!str_starts(http_fields_get(a->fields, STR("content-type")),
                    STR("text/event-stream")))
        return true;
    if (!arena_copy(&a->arena, buf_str(&a->body), &stream))
        return false;
    sse_reader_init(&sse, SSE_EVENT_MAX);
    bool ok = sse_feed(&sse, stream, on_event, a) == ERR_OK;
    sse_reader_release(&sse);
    return ok;
}

static void receive(int fd, struct demo_answer *ret)
{
    struct plain_http_reply reply = {0};

    *ret = (struct demo_answer){0};
    arena_init(&ret->arena, ARENA_MAX);
    buf_init(&ret->body, 1 * MIB);
    if (fd == -1)
        return;
    enum err e =
        plain_http_ask(&ret->arena, fd, STR(""), on_piece, ret, &reply);
    (void)close(fd);
    ret->fields = reply.fields;
    if (e == ERR_OK && unpack(ret))
        ret->status = reply.status;
}

/* Both kinds of refusal: a result that the model reads, and an error. */
static void read_answer(struct demo_tool_answer *a)
{
    const struct json *v;

    a->failed = true;
    a->text = a->reason = STR("");
    if (a->http.status == 0 ||
        json_read(&a->http.arena, buf_str(&a->http.body), &v, NULL) != ERR_OK)
        return;
    const struct json *result = json_get(v, STR("result"));
    const struct json *error = json_get(v, STR("error"));
    const struct json *reason =
        json_get(json_get(error, STR("data")), STR("reason"));
    if (result != NULL) {
        if (!json_bool(json_get(result, STR("isError")), &a->failed))
            a->failed = false;
        reason = json_get(json_get(result, STR("_meta")), STR("writ/reason"));
    }
    const struct json *first = json_at(json_get(result, STR("content")), 0);
    (void)!json_str(result != NULL ? json_get(first, STR("text"))
                                   : json_get(error, STR("message")),
                    &a->text);
    (void)!json_str(reason, &a->reason);
}

/* ---- a session ---- */

static bool keep_session(struct demo *d, const struct demo_answer *a)
{
    struct str id = http_fields_get(a->fields, STR("mcp-session-id"));

    if (a->status != 200 || id.len == 0 || id.len >= sizeof(d->session))
        return false;
    memcpy(d->session, id.ptr, id.len);
    d->session[id.len] = '\0';
    return true;
}

bool demo_mcp_begin(struct demo *d)
{
    struct demo_answer answer;

    demo_tell_command(d, "%s",
                      d->session[0] == '\0'
                          ? DEMO_MCP_SESSION
                          : "SESSION=$(...)   # a new one, likewise");
    d->session[0] = '\0';
    receive(post(d, STR("{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":"
                        "\"initialize\",\"params\":{\"protocolVersion\":"
                        "\"2025-11-25\",\"capabilities\":{},\"clientInfo\":"
                        "{\"name\":\"demo\",\"version\":\"1\"}}}")),
            &answer);
    bool ok = keep_session(d, &answer);
    if (!ok)
        demo_tell_line(d, buf_str(&answer.body));
    demo_ask_release(&answer);
    if (!ok)
        return false;
    receive(post(d, STR("{\"jsonrpc\":\"2.0\",\"method\":"
                        "\"notifications/initialized\"}")),
            &answer);
    ok = answer.status == 202;
    demo_ask_release(&answer);
    return ok;
}

static bool add_names(const struct demo *d, struct buf *to)
{
    struct demo_answer answer;
    const struct json *v = NULL, *tool;

    receive(post(d, STR("{\"jsonrpc\":\"2.0\",\"id\":\"l\",\"method\":"
                        "\"tools/list\"}")),
            &answer);
    bool ok =
        answer.status == 200 &&
        json_read(&answer.arena, buf_str(&answer.body), &v, NULL) == ERR_OK;
    struct json_iter it =
        json_each(json_get(json_get(v, STR("result")), STR("tools")));
    for (bool first = true; ok && json_next(&it, NULL, &tool); first = false) {
        struct str name = STR("");
        (void)!json_str(json_get(tool, STR("name")), &name);
        buf_add(to, first ? STR("") : STR(", "));
        buf_add(to, name);
    }
    demo_ask_release(&answer);
    return ok && buf_ok(to);
}

bool demo_mcp_list(const struct demo *d, const char *want)
{
    struct buf names;

    buf_init(&names, 4 * KIB);
    bool ok = add_names(d, &names);
    cli_print(d->cli->out, "tools/list: ");
    cli_print_safe(d->cli->out, buf_str(&names));
    cli_print(d->cli->out, "\n");
    ok = ok && str_eq(buf_str(&names), str_from(want));
    buf_release(&names);
    return ok;
}

/* ---- a call ---- */

/* Under an id of its own: others may be under way in the session. */
int demo_mcp_send(struct demo *d, const struct demo_tool *tool)
{
    struct buf body;

    buf_init(&body, 4 * KIB);
    buf_addf(&body,
             "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"tools/call\","
             "\"params\":{\"name\":\"%s\",\"arguments\":%s}}",
             ++d->calls, tool->name, tool->arguments);
    int fd = buf_ok(&body) ? post(d, buf_str(&body)) : -1;
    buf_release(&body);
    return fd;
}

bool demo_mcp_is_held(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return fd != -1 && poll(&p, 1, 0) == 0;
}

void demo_mcp_receive(int fd, struct demo_tool_answer *ret)
{
    *ret = (struct demo_tool_answer){0};
    receive(fd, &ret->http);
    read_answer(ret);
}

void demo_mcp_call(struct demo *d, const struct demo_tool *tool,
                   struct demo_tool_answer *ret)
{
    demo_mcp_receive(demo_mcp_send(d, tool), ret);
}

void demo_mcp_release(struct demo_tool_answer *a)
{
    demo_ask_release(&a->http);
}

void demo_mcp_show(const struct demo *d, const struct demo_tool *tool,
                   bool behind)
{
    demo_tell_command(d, "call %s '%s'%s", tool->name, tool->arguments,
                      behind ? " &" : "");
}
