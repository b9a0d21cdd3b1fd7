/*
 * provider.c - a small model provider that speaks OpenAI's wire format.
 *
 * It stands in for a real one in the quickstart: it answers chats, plain and
 * streamed, and embeddings, always with the same friendly words; its model
 * "quick-long" streams them twenty times over.  Usage:
 *
 *     quickstart-provider [PORT]        (default: a free one)
 *
 * The first line it prints is its port.  Loopback only.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/container.h"
#include "base/num.h"
#include "codec/json.h"
#include "http/server.h"
#include "os/loop.h"
#include "os/timer.h"

enum { BODY_MAX = 1 << 20, WORD_MS = 40, EVENT_MAX = 1024, LONG = 20 };

static const char *const words[] = {
    "A ",    "writ ",    "is ",       "proof: ", "who ",  "asks, ",
    "what ", "was ",     "decided, ", "and ",    "that ", "it ",
    "was ",  "written ", "down ",     "before ", "it ",   "happened.",
};

static const char head_of_chunk[] =
    "data: "
    "{\"id\":\"chatcmpl-quickstart\",\"object\":\"chat.completion.chunk\","
    "\"created\":1763600000,\"model\":\"quick-1\",";

/* One question that is being answered. */
struct call {
    struct loop *loop;
    struct http_request *http;
    bool wants_usage;
    size_t total; /* words */
    size_t next;
    struct body_source source;
    struct timer pace;
    body_sink *sink;
    void *reader;
};

/* ---- streamed ---- */

/* The event that is due: words, then the end, then usage, then [DONE]. */
static bool write_event(struct call *c, struct buf *to)
{
    size_t n = c->next++;

    if (n > c->total + 1) {
        BUF_LIT(to, "data: [DONE]\n\n");
        return true;
    }
    buf_add(to, str_from(head_of_chunk));
    if (n < c->total)
        buf_addf(to,
                 "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"},"
                 "\"finish_reason\":null}]%s}\n\n",
                 words[n % ARRAY_LEN(words)],
                 c->wants_usage ? ",\"usage\":null" : "");
    else if (n == c->total)
        buf_addf(to,
                 "\"choices\":[{\"index\":0,\"delta\":{},"
                 "\"finish_reason\":\"stop\"}]%s}\n\n",
                 c->wants_usage ? ",\"usage\":null" : "");
    else
        buf_addf(to,
                 "\"choices\":[],\"usage\":{\"prompt_tokens\":12,"
                 "\"completion_tokens\":%zu,\"total_tokens\":%zu}}\n\n",
                 c->total, c->total + 12);
    if (n == c->total && !c->wants_usage)
        c->next++; /* no usage event */
    return false;
}

static void on_pace(struct timer *t)
{
    struct call *c = CONTAINER_OF(t, struct call, pace);
    body_sink *sink = c->sink;
    struct buf event;

    buf_init(&event, EVENT_MAX);
    bool last = write_event(c, &event);
    c->sink = NULL;
    sink(c->reader, buf_str(&event), last, ERR_OK);
    buf_release(&event);
}

static void on_pull(struct body_source *src, body_sink *sink, void *reader)
{
    struct call *c = CONTAINER_OF(src, struct call, source);

    c->sink = sink;
    c->reader = reader;
    timer_set(c->loop, &c->pace, WORD_MS, on_pace);
}

static void on_cancel(struct body_source *src)
{
    timer_cancel(&CONTAINER_OF(src, struct call, source)->pace);
}

static void answer_stream(struct call *c)
{
    static const struct http_field type = {STR_INIT("content-type"),
                                           STR_INIT("text/event-stream")};
    const struct http_response_head head = {.status = 200,
                                            .fields = {&type, 1},
                                            .body_bytes = -1};

    c->source = (struct body_source){on_pull, on_cancel};
    http_request_reply_stream(c->http, &head, &c->source);
}

/* ---- plain ---- */

static void reply(struct http_request *r, int status, struct str body)
{
    static const struct http_field type = {STR_INIT("content-type"),
                                           STR_INIT("application/json")};
    const struct http_response_head head = {.status = status,
                                            .fields = {&type, 1}};
    http_request_reply(r, &head, body);
}

static void answer_plain(struct call *c)
{
    struct buf body;

    buf_init(&body, 4096);
    BUF_LIT(&body, "{\"id\":\"chatcmpl-quickstart\",\"object\":"
                   "\"chat.completion\",\"created\":1763600000,\"model\":"
                   "\"quick-1\",\"choices\":[{\"index\":0,\"message\":{\"role\""
                   ":\"assistant\",\"content\":\"");
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        buf_add(&body, str_from(words[i]));
    buf_addf(&body,
             "\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":12,"
             "\"completion_tokens\":%zu,\"total_tokens\":%zu}}",
             ARRAY_LEN(words), ARRAY_LEN(words) + 12);
    reply(c->http, 200, buf_str(&body));
    buf_release(&body);
}

static void on_body(void *user, struct str body, enum err e)
{
    static const struct str embedding = STR_INIT(
        "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,"
        "\"embedding\":[0.25,-0.5,0.125]}],\"model\":\"quick-1\",\"usage\":{"
        "\"prompt_tokens\":3,\"total_tokens\":3}}");
    static const struct str bad =
        STR_INIT("{\"error\":{\"message\":\"not JSON\",\"type\":"
                 "\"invalid_request_error\",\"param\":null,\"code\":null}}");
    struct call *c = user;
    struct arena arena;
    const struct json *v = NULL;
    struct str model = {NULL, 0};
    bool stream = false;

    arena_init(&arena, (size_t)4 * BODY_MAX);
    if (e == ERR_OK)
        e = json_read(&arena, body, &v, NULL);
    if (e == ERR_OK) {
        const struct json *options = json_get(v, STR("stream_options"));
        stream = json_bool(json_get(v, STR("stream")), &stream) && stream;
        c->wants_usage = json_bool(json_get(options, STR("include_usage")),
                                   &c->wants_usage) &&
                         c->wants_usage;
        bool is_long = json_str(json_get(v, STR("model")), &model) &&
                       str_eq(model, STR("quick-long"));
        c->total = ARRAY_LEN(words) * (is_long ? LONG : 1);
    }
    arena_release(&arena);
    if (e != ERR_OK)
        reply(c->http, 400, bad);
    else if (str_eq(http_request_head(c->http)->path, STR("/v1/embeddings")))
        reply(c->http, 200, embedding);
    else if (stream)
        answer_stream(c);
    else
        answer_plain(c);
}

static void on_request(void *user, struct http_request *r)
{
    struct call *c = ARENA_NEW(http_request_arena(r), struct call, 1);

    if (c == NULL) {
        reply(r, 503, (struct str){0});
        return;
    }
    c->loop = user;
    c->http = r;
    http_request_read(r, BODY_MAX, on_body, c);
}

static void on_done(void *user, struct http_request *r, enum err why)
{
    (void)user;
    (void)r;
    (void)why;
}

/* ---- start ---- */

static int listen_on(uint16_t port, uint16_t *ret_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd == -1 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
        bind(fd, (struct sockaddr *)&at, sizeof(at)) == -1 ||
        listen(fd, 128) == -1 ||
        getsockname(fd, (struct sockaddr *)&at, &len) == -1) {
        if (fd != -1)
            (void)close(fd);
        return -1;
    }
    *ret_port = ntohs(at.sin_port);
    return fd;
}

int main(int argc, char **argv)
{
    static const struct http_server_options options = {
        .head_timeout_ms = 10000,
        .body_idle_ms = 10000,
        .idle_timeout_ms = 60000,
        .write_idle_ms = 30000,
        .connections_max = 1024,
        .h2_streams_max = 100,
    };
    static const struct http_server_events events = {on_request, on_done};
    struct loop *loop;
    struct http_server *server;
    uint64_t wanted = 0;
    uint16_t port = 0;

    if (argc > 1 && !num_u64(str_from(argv[1]), UINT16_MAX, &wanted)) {
        (void)fprintf(stderr, "usage: %s [PORT]\n", argv[0]);
        return 2;
    }
    int fd = listen_on((uint16_t)wanted, &port);
    if (fd == -1 || loop_new(&loop) != ERR_OK ||
        http_server_new(loop, &options, &events, loop, &server) != ERR_OK ||
        http_server_listen(server, fd, NULL) != ERR_OK) {
        (void)fprintf(stderr, "cannot listen on 127.0.0.1:%u\n",
                      (unsigned)wanted);
        return 1;
    }
    (void)printf("%u\n", (unsigned)port);
    (void)fflush(stdout);
    loop_run(loop);
    return 0;
}
