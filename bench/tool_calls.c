/*
 * tool_calls.c - callers of tools over MCP (Streamable HTTP):
 * SESSIONS sessions, over which CONNECTIONS kept connections ask one request
 * after the other.  MESSAGE_FILE is the request, with ten zeros for its id.
 *
 *     tool_calls PORT PATH KEY MESSAGE_FILE CONNECTIONS SESSIONS SECONDS
 *
 * When all sessions are open and every connection has had an answer it prints
 * "ready", and waits for a line; after its SECONDS it prints one line of JSON.
 * Every answer must be 200 and as long as that connection's first, which must
 * be a result; where answers tell no length, each must be a result.
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
    CONNECTIONS_MAX = 1024,
    HEAD_ROOM = 2048,
    ANSWER_ROOM = 64 * 1024, /* it grows */
    SAMPLES_MAX = 10000000,
    ID_LEN = 10, /* number of the connection, number of the request */
    ID_OWN = 4,
    ID_FIRST = 1000, /* no number begins with a zero */
    SESSION_MAX = 256,
    WAIT_MS = 5000,
};

static const char id_mark[] = "0000000000";

struct connection {
    struct wire wire;
    char *request;
    size_t request_len, id_at;
    uint64_t asked;
    int64_t sent_ns;
    char *answer;
    size_t len, room;
    size_t head_len, whole; /* of the answer; 0: not known yet */
    bool chunked;           /* `whole` is known at its end */
    size_t usual;           /* the length of every body; 0: it is chunked */
};

struct load {
    int epoll;
    uint16_t port;
    const char *path, *key;
    char *message;
    size_t message_len;
    size_t count, sessions;
    struct connection *at;
    char (*ids)[SESSION_MAX];
    int64_t end_ns;
    size_t busy;
    uint64_t done, bad;
    struct samples took;
};

/* ---- one connection ---- */

/* Puts a request together; `id` may be empty. */
static void compose(struct load *l, struct connection *c, const char *method,
                    const char *id, const char *body, size_t body_len)
{
    free(c->request);
    c->request = allocate(HEAD_ROOM + body_len + 1);
    int n = snprintf(c->request, HEAD_ROOM,
                     "%s %s HTTP/1.1\r\n"
                     "Host: 127.0.0.1\r\n"
                     "Content-Type: application/json\r\n"
                     "Accept: application/json, text/event-stream\r\n"
                     "Authorization: Bearer %s\r\n"
                     "%s%s%s"
                     "MCP-Protocol-Version: 2025-11-25\r\n"
                     "Content-Length: %zu\r\n\r\n",
                     method, l->path, l->key,
                     id[0] == '\0' ? "" : "Mcp-Session-Id: ", id,
                     id[0] == '\0' ? "" : "\r\n", body_len);
    if (n < 0 || n >= HEAD_ROOM)
        die("the key is too long");
    memcpy(c->request + n, body, body_len);
    c->request_len = (size_t)n + body_len;
}

static void ask(struct connection *c)
{
    c->len = c->whole = c->head_len = 0;
    c->chunked = false;
    c->sent_ns = now_ns();
    if (!wire_write(&c->wire, c->request, c->request_len))
        die("write");
}

static void number_request(struct load *l, struct connection *c)
{
    char *id = c->request + c->id_at;

    write_digits(id, ID_OWN, ID_FIRST + (uint64_t)(c - l->at));
    write_digits(id + ID_OWN, ID_LEN - ID_OWN, ++c->asked);
}

static void ask_next(struct load *l, struct connection *c)
{
    number_request(l, c);
    ask(c);
}

static void read_head(struct connection *c)
{
    const char *end = memmem(c->answer, c->len, "\r\n\r\n", 4);

    if (end == NULL)
        return;
    const char *length = strcasestr(c->answer, "\r\ncontent-length:");
    c->head_len = (size_t)(end + 4 - c->answer);
    c->chunked = length == NULL || length > end;
    if (!c->chunked)
        c->whole = c->head_len + strtoul(length + 17, NULL, 10);
}

/* Reads what is there; true: the answer is whole. */
static bool read_on(struct connection *c)
{
    if (c->room - c->len < ANSWER_ROOM / 2) {
        c->room = 2 * c->room;
        char *grown = realloc(c->answer, c->room);
        if (grown == NULL)
            die("memory");
        c->answer = grown;
    }
    ssize_t n = wire_read(&c->wire, c->answer + c->len, c->room - 1 - c->len);
    if (n < 0)
        die("a connection was closed");
    c->len += (size_t)n;
    c->answer[c->len] = '\0';
    if (c->head_len == 0)
        read_head(c);
    if (c->chunked && c->len >= c->head_len + 5 &&
        memcmp(c->answer + c->len - 5, "0\r\n\r\n", 5) == 0)
        c->whole = c->len;
    return c->whole != 0 && c->len >= c->whole;
}

static void connect_one(struct load *l, struct connection *c)
{
    wire_connect(&c->wire, connect_to(l->port), NULL);
    c->room = ANSWER_ROOM;
    c->answer = allocate(c->room);
    watch(l->epoll, c->wire.fd, EPOLLIN, c);
}

/* ---- before and after ---- */

/* One exchange, alone. */
static void exchange(struct load *l, struct connection *c, const char *want)
{
    struct epoll_event event;

    ask(c);
    do {
        if (epoll_wait(l->epoll, &event, 1, WAIT_MS) <= 0)
            die("no answer");
    } while (!read_on(c));
    if (strncmp(c->answer, want, strlen(want)) != 0) {
        fprintf(stderr, "%.4000s\n", c->answer);
        _exit(1);
    }
}

static void open_session(struct load *l, size_t i)
{
    static const char hello[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{"
        "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},"
        "\"clientInfo\":{\"name\":\"bench\",\"version\":\"1\"}}}";
    static const char ready[] =
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}";
    static const char field[] = "\r\nmcp-session-id: ";
    struct connection *c = &l->at[i];

    compose(l, c, "POST", "", hello, sizeof(hello) - 1);
    exchange(l, c, "HTTP/1.1 200");
    const char *id = strcasestr(c->answer, field);
    if (id == NULL)
        die("no session");
    id += sizeof(field) - 1;
    size_t len = strcspn(id, "\r");
    if (len >= SESSION_MAX)
        die("the session's id is too long");
    memcpy(l->ids[i], id, len);
    compose(l, c, "POST", l->ids[i], ready, sizeof(ready) - 1);
    exchange(l, c, "HTTP/1.1 202");
}

static bool is_result(const struct connection *c)
{
    return strncmp(c->answer, "HTTP/1.1 200", 12) == 0 &&
           strstr(c->answer, "\"result\":") != NULL &&
           strstr(c->answer, "\"isError\":true") == NULL;
}

/* The request that this connection will repeat, once. */
static void warm_up(struct load *l, size_t i)
{
    struct connection *c = &l->at[i];

    compose(l, c, "POST", l->ids[i % l->sessions], l->message, l->message_len);
    const char *id = memmem(c->request, c->request_len, id_mark, ID_LEN);
    if (id == NULL)
        die("the message has no ten zeros");
    c->id_at = (size_t)(id - c->request);
    number_request(l, c);
    exchange(l, c, "HTTP/1.1 200");
    if (!is_result(c)) {
        fprintf(stderr, "%.4000s\n", c->answer);
        _exit(1);
    }
    c->usual = c->chunked ? 0 : c->whole - c->head_len;
}

static void close_session(struct load *l, size_t i)
{
    compose(l, &l->at[i], "DELETE", l->ids[i], "", 0);
    ask(&l->at[i]);
}

/* ---- the run ---- */

static void finish(struct load *l, struct connection *c)
{
    int64_t now = now_ns();

    l->done++;
    samples_add(&l->took, now - c->sent_ns);
    bool ok = c->usual == 0 ? is_result(c)
                            : strncmp(c->answer, "HTTP/1.1 200", 12) == 0 &&
                                  c->whole - c->head_len == c->usual;
    l->bad += ok ? 0 : 1;
    if (now < l->end_ns)
        ask_next(l, c);
    else
        l->busy--;
}

static void run(struct load *l, int64_t length_ns)
{
    struct epoll_event events[EVENTS_MAX];
    int64_t begin_ns = now_ns();

    l->end_ns = begin_ns + length_ns;
    l->busy = l->count;
    for (size_t i = 0; i < l->count; i++)
        ask_next(l, &l->at[i]);
    while (l->busy > 0) {
        int n = epoll_wait(l->epoll, events, EVENTS_MAX, WAIT_MS);
        if (n <= 0)
            die("no answer");
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            if (read_on(c))
                finish(l, c);
        }
    }
    double seconds = (double)(now_ns() - begin_ns) / (double)NS_PER_S;
    samples_sort(&l->took);
    printf("{\"calls\":%lu,\"rps\":%.1f,\"bad\":%lu,\"p50_us\":%.1f,"
           "\"p99_us\":%.1f,\"answer_bytes\":%zu}\n",
           (unsigned long)l->done, (double)l->done / seconds,
           (unsigned long)l->bad, samples_us(&l->took, 50),
           samples_us(&l->took, 99), l->at[0].usual);
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    struct load l = {0};

    if (argc != 8)
        usage("tool_calls PORT PATH KEY MESSAGE_FILE CONNECTIONS SESSIONS "
              "SECONDS");
    l.port = (uint16_t)number(argv[1], UINT16_MAX);
    l.path = argv[2];
    l.key = argv[3];
    l.message = read_file(argv[4], &l.message_len);
    l.count = (size_t)number(argv[5], CONNECTIONS_MAX);
    l.sessions = (size_t)number(argv[6], (int64_t)l.count);
    int64_t length_ns = number(argv[7], 3600) * NS_PER_S;
    l.epoll = epoll_create1(EPOLL_CLOEXEC);
    l.at = allocate(l.count * sizeof(*l.at));
    l.ids = allocate(l.sessions * sizeof(*l.ids));
    samples_init(&l.took, SAMPLES_MAX);
    for (size_t i = 0; i < l.count; i++)
        connect_one(&l, &l.at[i]);
    for (size_t i = 0; i < l.sessions; i++)
        open_session(&l, i);
    for (size_t i = 0; i < l.count; i++)
        warm_up(&l, i);
    wait_for_word();
    run(&l, length_ns);
    wait_for_word(); /* what this ends is no part of the run */
    for (size_t i = 0; i < l.sessions; i++)
        close_session(&l, i);
    return 0;
}
