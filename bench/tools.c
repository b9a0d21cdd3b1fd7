/*
 * tools.c - a server of tools that costs next to nothing: MCP 2025-11-25 over
 * Streamable HTTP on 127.0.0.1 with JSON answers, or over pipes; one thread.
 * Two of its COUNT tools give back their text, `echo` and `put`; the others
 * are there to be listed.
 *
 *     tools PORT COUNT
 *     tools - COUNT
 *
 * It takes what the bench's own generators and the gateway send: messages that
 * begin with their id, whole requests with a length.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common.h"
#include "wire.h"

enum {
    EVENTS_MAX = 256,
    REQUEST_MAX = 64 * 1024,
    LIST_ROOM = 2048, /* of one tool */
    TOOLS_MAX = 4096,
    PIPE_BUFFER_LEN = 256 * 1024,
    SLACK = 1024, /* of an answer, beside what it gives back */
};

struct connection {
    struct wire wire;
    size_t len;
    char request[REQUEST_MAX];
};

struct tools {
    int epoll, listener;
    char *list; /* the result of tools/list */
    size_t list_len;
    char *out; /* room for any answer, and for a read's worth of small ones */
    size_t out_len, out_room;
};

/* ---- what it offers ---- */

#define OPENING "{\"tools\":["

#define SCHEMA                                                                 \
    "\"inputSchema\":{\"type\":\"object\",\"properties\":{"                    \
    "\"text\":{\"type\":\"string\",\"description\":\"What to give back.\"},"   \
    "\"count\":{\"type\":\"integer\",\"minimum\":0},"                          \
    "\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}},"          \
    "\"required\":[\"text\"],\"additionalProperties\":false}"

static void add_tool(struct tools *t, const char *name)
{
    size_t room = LIST_ROOM;
    int n = snprintf(
        t->list + t->list_len, room,
        "{\"name\":\"%s\",\"title\":\"The tool %s\",\"description\":\"Looks up "
        "a record of customers by its number and gives back what is known of "
        "it, as text, with the date of its last change.\"," SCHEMA "},",
        name, name);
    if (n < 0 || (size_t)n >= room)
        die("a tool is too long");
    t->list_len += (size_t)n;
}

static void make_list(struct tools *t, int64_t count)
{
    char name[32];

    t->list = allocate((size_t)(count + 3) * LIST_ROOM);
    t->list_len = strlen(OPENING);
    memcpy(t->list, OPENING, t->list_len);
    add_tool(t, "echo");
    add_tool(t, "put");
    for (int64_t i = 2; i < count; i++) {
        (void)snprintf(name, sizeof(name), "%s_record_%04d",
                       i % 2 == 0 ? "get" : "set", (int)i);
        add_tool(t, name);
    }
    memcpy(t->list + t->list_len - 1, "]}", 2); /* for the last comma */
    t->list_len++;
    t->out_room =
        t->list_len + REQUEST_MAX + SLACK + (size_t)2 * PIPE_BUFFER_LEN;
    t->out = allocate(t->out_room);
}

/* ---- one message ---- */

struct piece {
    const char *ptr;
    size_t len;
};

static void add(struct tools *t, const char *text, size_t len)
{
    if (len > t->out_room - t->out_len)
        die("an answer is too long");
    memcpy(t->out + t->out_len, text, len);
    t->out_len += len;
}

static void add_text(struct tools *t, const char *text)
{
    add(t, text, strlen(text));
}

/* What stands behind `name`. */
static struct piece behind(struct piece m, const char *name)
{
    const char *at = memmem(m.ptr, m.len, name, strlen(name));

    if (at == NULL)
        return (struct piece){NULL, 0};
    at += strlen(name);
    return (struct piece){at, (size_t)(m.ptr + m.len - at)};
}

static bool starts(struct piece p, const char *with)
{
    return p.len >= strlen(with) && memcmp(p.ptr, with, strlen(with)) == 0;
}

/* The string that `p` begins with, without quotes, as it is written. */
static struct piece string_of(struct piece p)
{
    size_t n = 0;

    while (n < p.len && p.ptr[n] != '"')
        n += p.ptr[n] == '\\' ? 2 : 1;
    return (struct piece){p.ptr, n < p.len ? n : p.len};
}

static void add_result(struct tools *t, struct piece m)
{
    struct piece method = behind(m, "\"method\":\"");

    if (starts(method, "tools/call\"")) {
        struct piece text = string_of(behind(m, "\"text\":\""));
        add_text(t, "{\"content\":[{\"type\":\"text\",\"text\":\"");
        add(t, text.ptr, text.len);
        add_text(t, "\"}]}");
    } else if (starts(method, "tools/list\"")) {
        add(t, t->list, t->list_len);
    } else if (starts(method, "initialize\"")) {
        add_text(t, "{\"protocolVersion\":\"2025-11-25\","
                    "\"capabilities\":{\"tools\":{}},\"serverInfo\":"
                    "{\"name\":\"bench\",\"version\":\"1\"}}");
    } else {
        add_text(t, "{}");
    }
}

/* Adds the answer to `m`; nothing when none is due. */
static void answer(struct tools *t, struct piece m)
{
    struct piece id = behind(m, "\"id\":");
    size_t n = 0;

    if (id.ptr == NULL)
        return;
    while (n < id.len && id.ptr[n] != ',' && id.ptr[n] != '}')
        n++;
    add_text(t, "{\"jsonrpc\":\"2.0\",\"id\":");
    add(t, id.ptr, n);
    add_text(t, ",\"result\":");
    add_result(t, m);
    add_text(t, "}");
}

/* ---- over HTTP ---- */

/* The whole of a request is there: its head has `head_len` bytes. */
static bool reply(struct tools *t, struct connection *c, struct piece body)
{
    char head[256];
    enum { HEAD_ROOM = sizeof(head) };
    bool is_post = memcmp(c->request, "POST", 4) == 0;
    bool begins = starts(behind(body, "\"method\":\""), "initialize\"");

    /* Its length is known when it is written: in front of it is room. */
    t->out_len = HEAD_ROOM;
    answer(t, body);
    size_t len = t->out_len - HEAD_ROOM;
    const char *status = !is_post   ? "405 Method Not Allowed"
                         : len == 0 ? "202 Accepted"
                                    : "200 OK";
    int n =
        snprintf(head, sizeof(head),
                 "HTTP/1.1 %s\r\n%s%sContent-Length: "
                 "%zu\r\n\r\n",
                 status, len == 0 ? "" : "Content-Type: application/json\r\n",
                 begins ? "Mcp-Session-Id: bench-session\r\n" : "", len);
    char *at = t->out + HEAD_ROOM - n;
    memcpy(at, head, (size_t)n);
    return wire_write(&c->wire, at, (size_t)n + len);
}

/* Answers what is whole; false: this connection is over. */
static bool take(struct tools *t, struct connection *c)
{
    c->request[c->len] = '\0';
    for (;;) {
        const char *end = memmem(c->request, c->len, "\r\n\r\n", 4);
        if (end == NULL)
            return c->len < REQUEST_MAX - 1;
        size_t head_len = (size_t)(end + 4 - c->request);
        const char *length = strcasestr(c->request, "\r\ncontent-length:");
        size_t body_len =
            length == NULL || length > end ? 0 : strtoul(length + 17, NULL, 10);
        if (c->len - head_len < body_len)
            return head_len + body_len < REQUEST_MAX;
        if (!reply(t, c, (struct piece){end + 4, body_len}))
            return false;
        c->len -= head_len + body_len;
        memmove(c->request, c->request + head_len + body_len, c->len + 1);
    }
}

static void on_readable(struct tools *t, struct connection *c)
{
    ssize_t n =
        wire_read(&c->wire, c->request + c->len, REQUEST_MAX - 1 - c->len);

    if (n > 0)
        c->len += (size_t)n;
    if (n >= 0 && take(t, c))
        return;
    wire_close(&c->wire);
    free(c);
}

static void serve(struct tools *t)
{
    struct epoll_event events[EVENTS_MAX];
    int fd;

    int n = epoll_wait(t->epoll, events, EVENTS_MAX, -1);
    for (int i = 0; i < n; i++) {
        if (events[i].data.ptr != NULL) {
            on_readable(t, events[i].data.ptr);
            continue;
        }
        while ((fd = accept_from(t->listener)) >= 0) {
            struct connection *c = allocate(sizeof(*c));
            wire_accept(&c->wire, fd, NULL);
            watch(t->epoll, fd, EPOLLIN, c);
        }
    }
}

/* ---- over pipes ---- */

static void flush(struct tools *t)
{
    for (size_t at = 0; at < t->out_len;) {
        ssize_t n = write(STDOUT_FILENO, t->out + at, t->out_len - at);
        if (n < 0)
            die("write");
        at += (size_t)n;
    }
    t->out_len = 0;
}

static void serve_pipes(struct tools *t)
{
    char *in = allocate(PIPE_BUFFER_LEN);
    size_t len = 0;
    ssize_t n;

    while ((n = read(STDIN_FILENO, in + len, PIPE_BUFFER_LEN - len)) > 0) {
        char *end, *at = in;
        len += (size_t)n;
        while ((end = memchr(at, '\n', len)) != NULL) {
            struct piece line = {at, (size_t)(end - at)};
            size_t before = t->out_len;
            if (t->out_room - before < t->list_len + line.len + SLACK)
                flush(t);
            before = t->out_len;
            answer(t, line);
            if (t->out_len > before)
                add_text(t, "\n");
            len -= line.len + 1;
            at = end + 1;
        }
        memmove(in, at, len);
        flush(t);
    }
}

int main(int argc, char **argv)
{
    struct tools t = {0};

    if (argc != 3)
        usage("tools PORT|- COUNT");
    make_list(&t, number(argv[2], TOOLS_MAX));
    if (strcmp(argv[1], "-") == 0) {
        serve_pipes(&t);
        return 0;
    }
    t.listener = listen_on((uint16_t)number(argv[1], UINT16_MAX));
    t.epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(t.epoll, t.listener, EPOLLIN, NULL);
    for (;;)
        serve(&t);
}
