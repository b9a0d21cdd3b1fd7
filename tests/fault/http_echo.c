/* layers: http net os base */
/*
 * http_echo - a server for outside judges of our HTTP (desync.py, h2spec).
 *
 *     fault_http_echo PORT [--tls CERT KEY] [--to PORT]
 *
 * Reads every request whole and answers 200 with a short body; with --to it
 * forwards it first, to that port of this machine, and answers what came.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "base/num.h"
#include "http/client.h"
#include "http/server.h"
#include "net/tls.h"
#include "os/loop.h"

struct echo {
    struct http_server *server;
    struct http_client *client; /* NULL: answers itself */
    uint16_t to;
};

/* A request that is being forwarded. */
struct forward {
    struct echo *echo;
    struct http_request *request;
    struct http_call *call;
};

static void answer(struct http_request *r, int status, struct str text)
{
    const struct http_field type = {STR("content-type"), STR("text/plain")};
    const struct http_response_head head = {.status = status,
                                            .fields = {&type, 1}};
    http_request_reply(r, &head, text);
}

static void on_reply_head(void *user, const struct http_response_head *head)
{
    struct forward *f = user;
    http_request_reply_stream(f->request, head, http_call_body(f->call));
    f->call = NULL;
}

static void on_reply_failed(void *user, enum err why, bool sent)
{
    (void)sent;
    struct forward *f = user;
    f->call = NULL;
    answer(f->request, err_http_status(why), str_from(err_code(why)));
}

static void forward(struct forward *f, struct str body)
{
    static const struct http_call_events events = {on_reply_head,
                                                   on_reply_failed};
    const struct http_request_head *head = http_request_head(f->request);
    const struct http_origin origin = {.host = STR("127.0.0.1"),
                                       .port = f->echo->to,
                                       .allow_local = true};
    const struct http_call_request call = {
        .origin = &origin,
        .method = head->method,
        .target = head->path,
        .fields = head->fields,
        .body = body,
        .head_timeout_ms = 10000,
        .body_idle_ms = 10000,
    };
    enum err e = http_client_send(f->echo->client, &call, &events, f, &f->call);
    if (e != ERR_OK)
        answer(f->request, err_http_status(e), str_from(err_code(e)));
}

static void on_body(void *user, struct str body, enum err e)
{
    struct forward *f = user;
    if (e != ERR_OK)
        answer(f->request, err_http_status(e), str_from(err_code(e)));
    else if (f->echo->client != NULL)
        forward(f, body);
    else
        answer(f->request, 200, STR("ok: the request was read to its end\n"));
}

static void on_request(void *user, struct http_request *r)
{
    struct forward *f = calloc(1, sizeof(*f));
    if (f == NULL)
        abort();
    f->echo = user;
    f->request = r;
    http_request_set_user(r, f);
    http_request_read(r, HTTP_BODY_MAX, on_body, f);
}

static void on_done(void *user, struct http_request *r, enum err why)
{
    (void)user, (void)why;
    struct forward *f = http_request_user(r);
    if (f->call != NULL)
        http_call_cancel(f->call);
    free(f);
}

static int listening(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    const struct sockaddr_in at = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0 ||
        listen(fd, 128) != 0) {
        perror("http_echo: listen");
        exit(1);
    }
    return fd;
}

static void check(enum err e, const char *what)
{
    if (e == ERR_OK)
        return;
    (void)fprintf(stderr, "http_echo: %s: %s\n", what, err_text(e));
    exit(1);
}

static struct tls_context *tls_from(const char *cert, const char *key)
{
    struct tls_context *tls;
    const char *why = "";
    const struct tls_server_options o = {.cert_file = str_from(cert),
                                         .key_file = str_from(key),
                                         .http2 = true};
    enum err e = tls_context_server(&o, &tls, &why);
    check(e, why);
    return tls;
}

int main(int argc, char **argv)
{
    static const struct http_server_options server_options = {
        .head_timeout_ms = 10000,
        .body_idle_ms = 10000,
        .idle_timeout_ms = 60000,
        .write_idle_ms = 10000,
        .connections_max = 10000,
        .h2_streams_max = 100,
    };
    static const struct http_client_options client_options = {
        .connect_timeout_ms = 2000,
        .idle_timeout_ms = 30000,
        .pool_max = 256,
        .connections_max = 1024,
    };
    static const struct http_server_events events = {on_request, on_done};
    struct echo echo = {.to = 0};
    struct tls_context *tls = NULL;
    struct loop *loop;
    uint64_t port = 0, to = 0;

    bool ok = argc > 1 && num_u64(str_from(argv[1]), UINT16_MAX, &port);
    for (int i = 2; ok && i < argc; i++) {
        if (strcmp(argv[i], "--tls") == 0 && i + 2 < argc) {
            tls = tls_from(argv[i + 1], argv[i + 2]);
            i += 2;
        } else if (strcmp(argv[i], "--to") == 0 && i + 1 < argc) {
            ok = num_u64(str_from(argv[++i]), UINT16_MAX, &to);
        } else {
            ok = false;
        }
    }
    if (!ok) {
        (void)fprintf(stderr,
                      "usage: http_echo PORT [--tls CERT KEY] [--to PORT]\n");
        return 2;
    }
    check(loop_new(&loop), "loop");
    check(http_server_new(loop, &server_options, &events, &echo, &echo.server),
          "server");
    check(http_server_listen(echo.server, listening((uint16_t)port), tls),
          "listen");
    if (to != 0) {
        echo.to = (uint16_t)to;
        check(http_client_new(loop, NULL, &client_options, &echo.client),
              "client");
    }
    loop_run(loop);
    return 0;
}
