/* demo_ask.c - see demo_ask.h. */
#include "app/demo_ask.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/demo_tell.h"
#include "app/plain_http.h"
#include "base/limits.h"
#include "codec/json.h"

enum { ASK_TIMEOUT_S = 15 };
#define ARENA_MAX (4 * MIB)

int demo_ask_connect(const struct demo *d)
{
    const struct sockaddr_in at = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)d->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd != -1 &&
        (plain_http_timeout(fd, ASK_TIMEOUT_S) != ERR_OK ||
         connect(fd, (const struct sockaddr *)&at, sizeof(at)) == -1)) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

static enum err ask(const struct demo *d, struct arena *a, struct str request,
                    plain_http_piece *piece, void *user,
                    struct plain_http_reply *ret)
{
    int fd = demo_ask_connect(d);

    if (fd == -1)
        return ERR_CONNECT;
    enum err e = plain_http_ask(a, fd, request, piece, user, ret);
    (void)close(fd);
    return e;
}

static bool ignore(void *user, struct str piece)
{
    (void)user;
    (void)piece;
    return true;
}

bool demo_ask_healthy(const struct demo *d)
{
    struct plain_http_reply reply = {0};
    struct arena a;

    arena_init(&a, ARENA_MAX);
    enum err e = ask(d, &a,
                     STR("GET /healthz HTTP/1.1\r\nhost: demo\r\n"
                         "connection: close\r\n\r\n"),
                     ignore, NULL, &reply);
    arena_release(&a);
    return e == ERR_OK && reply.status == 200;
}

/* ---- a chat ---- */

struct reading {
    const struct demo_question *question;
    struct demo_answer *answer;
    struct sse_reader sse;
};

/* A refusal is no stream; what is no event is kept as it came. */
static bool on_piece(void *user, struct str piece)
{
    struct reading *r = user;

    buf_add(&r->answer->body, piece);
    return r->question->sink == NULL ||
           sse_feed(&r->sse, piece, r->question->sink, r->question->user) ==
               ERR_OK;
}

static void add_body(struct buf *to, const struct demo_question *q)
{
    buf_addf(to, "{\"model\":\"%s\",", q->model);
    if (q->sink != NULL)
        BUF_LIT(to, "\"stream\":true,");
    if (q->tokens_max > 0)
        buf_addf(to, "\"max_tokens\":%u,", q->tokens_max);
    buf_addf(to, "\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}",
             q->text);
}

static void add_request(struct buf *to, const struct demo *d,
                        const struct demo_question *q)
{
    struct buf body;

    buf_init(&body, 4 * KIB);
    add_body(&body, q);
    buf_addf(to,
             "POST /v1/chat/completions HTTP/1.1\r\nhost: demo\r\n"
             "connection: close\r\nauthorization: Bearer %s\r\n"
             "content-type: application/json\r\n"
             "content-length: %zu\r\n\r\n",
             d->key, body.len);
    buf_add(to, buf_str(&body));
    buf_release(&body);
}

void demo_ask_chat(const struct demo *d, const struct demo_question *q,
                   struct demo_answer *ret)
{
    struct reading r = {.question = q, .answer = ret};
    struct plain_http_reply reply = {0};
    struct buf request;

    *ret = (struct demo_answer){0};
    arena_init(&ret->arena, ARENA_MAX);
    buf_init(&ret->body, 1 * MIB);
    buf_init(&request, 16 * KIB);
    sse_reader_init(&r.sse, SSE_EVENT_MAX);
    add_request(&request, d, q);
    if (buf_ok(&request) && ask(d, &ret->arena, buf_str(&request), on_piece, &r,
                                &reply) == ERR_OK) {
        ret->status = reply.status;
        ret->fields = reply.fields;
    }
    sse_reader_release(&r.sse);
    buf_release(&request);
}

void demo_ask_release(struct demo_answer *a)
{
    buf_release(&a->body);
    arena_release(&a->arena);
}

struct str demo_ask_words(struct arena *a, const struct sse_event *e)
{
    const struct json *v = NULL;
    struct str words = STR("");

    if (json_read(a, e->data, &v, NULL) != ERR_OK)
        return words;
    const struct json *choice = json_at(json_get(v, STR("choices")), 0);
    const struct json *delta = json_get(choice, STR("delta"));
    if (!json_str(json_get(delta, STR("content")), &words))
        words = STR("");
    return words;
}

bool demo_ask_is_revoked(struct str event)
{
    const struct json *v = NULL;
    struct arena a;
    struct str code;

    arena_init(&a, ARENA_MAX);
    bool is =
        json_read(&a, event, &v, NULL) == ERR_OK &&
        json_str(json_get(json_get(v, STR("error")), STR("code")), &code) &&
        str_eq(code, STR("revoked"));
    arena_release(&a);
    return is;
}

void demo_ask_show(const struct demo *d, const struct demo_question *q)
{
    struct buf body;

    buf_init(&body, 4 * KIB);
    add_body(&body, q);
    demo_tell_command(d,
                      "curl%s $URL/chat/completions -H \"authorization: "
                      "Bearer $KEY\" --json '%.*s'",
                      q->sink != NULL ? " -N" : "", STR_FMT(buf_str(&body)));
    buf_release(&body);
}
