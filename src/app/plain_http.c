/* plain_http.c - see plain_http.h. */
#include "app/plain_http.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/limits.h"
#include "codec/http1.h"

#define PIECE (16 * KIB)

enum err plain_http_timeout(int fd, unsigned seconds)
{
    const struct timeval wait = {.tv_sec = (time_t)seconds};

    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == -1 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) == -1)
        return ERR_IO;
    return ERR_OK;
}

static enum err send_all(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1)
            return errno == EAGAIN ? ERR_TIMEOUT : ERR_UPSTREAM;
        bytes = str_skip(bytes, (size_t)n);
    }
    return ERR_OK;
}

/* What came, at most PIECE bytes; empty at the end. */
static enum err receive(int fd, char *to, struct str *ret)
{
    for (;;) {
        ssize_t n = recv(fd, to, PIECE, 0);
        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1)
            return errno == EAGAIN ? ERR_TIMEOUT : ERR_UPSTREAM;
        *ret = (struct str){to, (size_t)n};
        return ERR_OK;
    }
}

struct answer {
    struct http1 parser;
    plain_http_piece *piece;
    void *user;
    struct plain_http_reply reply;
    bool end;
};

static enum err parse(struct answer *a, struct str in)
{
    enum http1_event event;

    do {
        if (http1_next(&a->parser, &in, &event) != ERR_OK)
            return ERR_UPSTREAM;
        if (event == HTTP1_HEAD) {
            a->reply.status = a->parser.response.status;
            a->reply.fields = a->parser.response.fields;
        }
        if (event == HTTP1_BODY && !a->piece(a->user, a->parser.piece))
            return ERR_LIMIT;
    } while (event != HTTP1_MORE && event != HTTP1_END);
    a->end = event == HTTP1_END;
    return ERR_OK;
}

static enum err read_answer(struct answer *a, int fd)
{
    char piece[PIECE];
    struct str in;

    while (!a->end) {
        enum err e = receive(fd, piece, &in);
        if (e != ERR_OK)
            return e;
        if (in.len == 0)
            break;
        e = parse(a, in);
        if (e != ERR_OK)
            return e;
    }
    if (!a->end && http1_finish(&a->parser) != ERR_OK)
        return ERR_UPSTREAM;
    return a->reply.status == 0 ? ERR_UPSTREAM : ERR_OK;
}

enum err plain_http_ask(struct arena *a, int fd, struct str request,
                        plain_http_piece *piece, void *user,
                        struct plain_http_reply *ret)
{
    struct answer answer = {.piece = piece, .user = user};

    http1_init(&answer.parser, HTTP1_RESPONSE);
    http1_start(&answer.parser, a);
    enum err e = send_all(fd, request);
    if (e == ERR_OK)
        e = read_answer(&answer, fd);
    if (e == ERR_OK)
        *ret = answer.reply;
    return e;
}
