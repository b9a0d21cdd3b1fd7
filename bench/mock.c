/*
 * mock.c - a model provider that costs next to nothing: HTTP/1.1 on 127.0.0.1,
 * one thread.  Answers every POST with 538 bytes of JSON or, given a pace,
 * with as many server-sent events as the request's max_tokens says: the first
 * at once, the others PACE_US apart.
 *
 *     mock PORT [PACE_US [CERT KEY]]
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <time.h>

#include "common.h"
#include "wire.h"

enum {
    EVENTS_MAX = 256,
    HEAD_MAX = 16 * 1024,
    BUFFER_LEN = 256 * 1024,
};

static const char answer[] =
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 538\r\n"
    "x-request-id: req_0123456789abcdef\r\n\r\n"
    "{\"id\":\"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT\","
    "\"object\":\"chat.completion\",\"created\":1741569952,"
    "\"model\":\"gpt-4o-2024-08-06\",\"choices\":[{\"index\":0,\"message\":"
    "{\"role\":\"assistant\",\"content\":\"Hello! How can I assist you today? "
    "Here is a short answer of about forty tokens so that the body has a "
    "realistic size.\",\"refusal\":null,\"annotations\":[]},\"logprobs\":null,"
    "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":419,"
    "\"completion_tokens\":40,\"total_tokens\":459,\"prompt_tokens_details\":"
    "{\"cached_tokens\":0,\"audio_tokens\":0}},\"service_tier\":\"default\"}";

static const char stream_head[] = "HTTP/1.1 200 OK\r\n"
                                  "Content-Type: text/event-stream\r\n"
                                  "Cache-Control: no-cache\r\n"
                                  "Transfer-Encoding: chunked\r\n\r\n";

#define CHUNK_BEGIN                                                            \
    "data: {\"id\":\"chatcmpl-123\",\"object\":\"chat.completion.chunk\","     \
    "\"created\":1694268190,\"model\":\"gpt-4o-mini\","                        \
    "\"system_fingerprint\":\"fp_44709d6fcb\","
static const char event[] =
    CHUNK_BEGIN "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello\"},"
                "\"logprobs\":null,\"finish_reason\":null}]}\n\n";
static const char event_usage[] =
    CHUNK_BEGIN "\"choices\":[],\"usage\":{\"prompt_tokens\":419,"
                "\"completion_tokens\":40,\"total_tokens\":459}}\n\n";
static const char event_done[] = "data: [DONE]\n\n";

struct connection {
    struct wire wire;
    bool open; /* the handshake is over */
    enum { HEAD, BODY, CHUNK_SIZE, CHUNK, LAST_CHUNK } state;
    size_t left;     /* bytes of the body, of the chunk or of its end */
    size_t head_len; /* gathered so far */
    char head[HEAD_MAX];

    int64_t events_left;
    bool wants_usage;
    int64_t due_ns;
    struct connection *next, *previous; /* in the queue, soonest first */
};

struct mock {
    int epoll, listener;
    int64_t pace_ns; /* 0: JSON */
    struct ssl_ctx_st *tls;
    struct connection queue; /* its ends; the pace is one, so it is sorted */
    char *buffer;
};

static void dequeue(struct connection *c)
{
    if (c->next == NULL)
        return;
    c->next->previous = c->previous;
    c->previous->next = c->next;
    c->next = c->previous = NULL;
}

static void enqueue(struct mock *m, struct connection *c)
{
    struct connection *end = &m->queue;

    c->due_ns = now_ns() + m->pace_ns;
    c->next = end;
    c->previous = end->previous;
    end->previous->next = c;
    end->previous = c;
}

static void drop(struct connection *c)
{
    dequeue(c);
    wire_close(&c->wire);
    free(c);
}

/* Appends one event as a chunk. */
static size_t add_event(char *to, size_t len, size_t room, const char *text)
{
    int n = snprintf(to + len, room - len, "%zx\r\n%s\r\n", strlen(text), text);
    return len + (size_t)n;
}

/* The next event and, behind the last, the end of the stream. */
static bool send_event(struct mock *m, struct connection *c, bool first)
{
    char out[2048];
    size_t len = 0;

    dequeue(c);
    if (first)
        len = (size_t)snprintf(out, sizeof(out), "%s", stream_head);
    len = add_event(out, len, sizeof(out), event);
    if (--c->events_left > 0) {
        enqueue(m, c);
    } else {
        if (c->wants_usage)
            len = add_event(out, len, sizeof(out), event_usage);
        len = add_event(out, len, sizeof(out), event_done);
        len += (size_t)snprintf(out + len, sizeof(out) - len, "0\r\n\r\n");
    }
    return wire_write(&c->wire, out, len);
}

/* The request is there as a whole. */
static bool reply(struct mock *m, struct connection *c)
{
    c->state = HEAD;
    c->head_len = 0;
    if (m->pace_ns == 0)
        return wire_write(&c->wire, answer, sizeof(answer) - 1);
    return send_event(m, c, true);
}

/* What a streamed request asks for; bodies here are small and come at once. */
static void read_options(struct connection *c, const char *body, size_t len)
{
    static const char name[] = "\"max_tokens\":";
    static const char usage_name[] = "\"include_usage\":true";
    const char *at = memmem(body, len, name, sizeof(name) - 1);

    if (at != NULL)
        c->events_left = strtol(at + sizeof(name) - 1, NULL, 10);
    if (memmem(body, len, usage_name, sizeof(usage_name) - 1) != NULL)
        c->wants_usage = true;
}

static void read_head(struct connection *c)
{
    const char *length = strcasestr(c->head, "\r\ncontent-length:");
    bool chunked = strcasestr(c->head, "\r\ntransfer-encoding:") != NULL;

    c->left = length == NULL ? 0 : strtoul(length + 17, NULL, 10);
    c->state = chunked ? CHUNK_SIZE : BODY;
    c->events_left = 1;
    c->wants_usage = false;
}

/* Takes the head from `text`: how much of it, 0 when it is too long. */
static size_t take_head(struct connection *c, const char *text, size_t len)
{
    size_t before = c->head_len;
    size_t room = HEAD_MAX - 1 - before;
    size_t taken = len < room ? len : room;

    memcpy(c->head + before, text, taken);
    c->head[before + taken] = '\0';
    char *end = memmem(c->head, before + taken, "\r\n\r\n", 4);
    if (end == NULL) {
        c->head_len += taken;
        return taken;
    }
    end[2] = '\0';
    read_head(c);
    return (size_t)(end + 4 - c->head) - before;
}

/* A chunk's first line must not be split; ours come in one piece. */
static size_t take_chunk_size(struct connection *c, const char *text,
                              size_t len)
{
    const char *end = memmem(text, len, "\r\n", 2);
    size_t size = strtoul(text, NULL, 16);

    if (end == NULL)
        return 0;
    c->state = size == 0 ? LAST_CHUNK : CHUNK;
    c->left = size == 0 ? 2 : size + 2;
    return (size_t)(end + 2 - text);
}

static size_t take_body(struct mock *m, struct connection *c, const char *text,
                        size_t len)
{
    size_t taken = len < c->left ? len : c->left;

    if (m->pace_ns > 0)
        read_options(c, text, taken);
    c->left -= taken;
    if (c->left == 0 && c->state == CHUNK)
        c->state = CHUNK_SIZE;
    return taken;
}

static bool feed(struct mock *m, struct connection *c, const char *text,
                 size_t len)
{
    while (len > 0) {
        size_t taken = c->state == HEAD         ? take_head(c, text, len)
                       : c->state == CHUNK_SIZE ? take_chunk_size(c, text, len)
                                                : take_body(m, c, text, len);
        if (taken == 0)
            return false;
        text += taken;
        len -= taken;
        if ((c->state == BODY || c->state == LAST_CHUNK) && c->left == 0 &&
            !reply(m, c))
            return false;
    }
    return true;
}

static void on_readable(struct mock *m, struct connection *c)
{
    if (!c->open) {
        int done = wire_open(&c->wire);
        c->open = done == 1;
        if (done < 0)
            drop(c);
        if (done != 1)
            return;
    }
    ssize_t n = wire_read(&c->wire, m->buffer, BUFFER_LEN);
    if (n < 0 || !feed(m, c, m->buffer, (size_t)n))
        drop(c);
}

static void on_connection(struct mock *m)
{
    int fd;

    while ((fd = accept_from(m->listener)) >= 0) {
        struct connection *c = allocate(sizeof(*c));
        wire_accept(&c->wire, fd, m->tls);
        watch(m->epoll, fd, EPOLLIN, c);
    }
}

static void send_due(struct mock *m)
{
    int64_t now = now_ns();
    struct connection *c;

    while ((c = m->queue.next) != &m->queue && c->due_ns <= now) {
        if (!send_event(m, c, false))
            drop(c);
        assert(m->queue.next != c); /* at its end again, or gone */
    }
}

static int wait_for_events(struct mock *m, struct epoll_event *events)
{
    struct timespec wait = {0, 0};

    if (m->queue.next == &m->queue)
        return epoll_wait(m->epoll, events, EVENTS_MAX, -1);
    int64_t ns = m->queue.next->due_ns - now_ns();
    if (ns > 0)
        wait = (struct timespec){ns / NS_PER_S, ns % NS_PER_S};
    return epoll_pwait2(m->epoll, events, EVENTS_MAX, &wait, NULL);
}

int main(int argc, char **argv)
{
    struct mock m = {0};

    if (argc < 2 || argc == 4 || argc > 5)
        usage("mock PORT [PACE_US [CERT KEY]]");
    m.listener = listen_on((uint16_t)number(argv[1], UINT16_MAX));
    m.epoll = epoll_create1(EPOLL_CLOEXEC);
    m.buffer = allocate(BUFFER_LEN);
    m.queue.next = m.queue.previous = &m.queue;
    if (argc > 2)
        m.pace_ns = number(argv[2], NS_PER_S) * NS_PER_US;
    if (argc > 4)
        m.tls = wire_server(argv[3], argv[4]);
    watch(m.epoll, m.listener, EPOLLIN, NULL);
    for (;;) {
        struct epoll_event events[EVENTS_MAX];
        int n = wait_for_events(&m, events);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == NULL)
                on_connection(&m);
            else
                on_readable(&m, events[i].data.ptr);
        }
        send_due(&m);
    }
}
