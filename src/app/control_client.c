/* control_client.c - see control_client.h. */
#include "app/control_client.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "codec/http1.h"

#define BODY_MAX (4 * MIB)
#define PIECE (16 * KIB)

static enum err connect_error(int why)
{
    switch (why) {
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED: /* a socket that a dead node left behind */
        return ERR_NOT_FOUND;
    case EACCES:
    case EPERM:
        return ERR_DENIED;
    default:
        return ERR_IO;
    }
}

static enum err connect_to(const char *data, int *ret_fd)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const struct timeval wait = {.tv_sec = CONTROL_CLIENT_TIMEOUT_S};
    int len =
        snprintf(at.sun_path, sizeof(at.sun_path), "%s/control.sock", data);
    if (len < 0 || len >= (int)sizeof(at.sun_path))
        return ERR_LIMIT;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return ERR_IO;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == -1 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) == -1 ||
        connect(fd, (const struct sockaddr *)&at, sizeof(at)) == -1) {
        enum err e = connect_error(errno);
        (void)close(fd);
        return e;
    }
    *ret_fd = fd;
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

/* The events in `in`; *ret_end when the message is complete. */
static enum err parse(struct http1 *p, struct str in, struct buf *body,
                      int *ret_status, bool *ret_end)
{
    enum http1_event event;
    do {
        if (http1_next(p, &in, &event) != ERR_OK)
            return ERR_UPSTREAM;
        if (event == HTTP1_HEAD)
            *ret_status = p->response.status;
        if (event == HTTP1_BODY && !buf_add(body, p->piece))
            return ERR_LIMIT;
    } while (event != HTTP1_MORE && event != HTTP1_END);
    *ret_end = event == HTTP1_END;
    return ERR_OK;
}

static enum err read_reply(struct arena *a, int fd, struct buf *body,
                           int *ret_status)
{
    struct http1 parser;
    char piece[PIECE];
    struct str in;
    bool end = false;
    http1_init(&parser, HTTP1_RESPONSE);
    http1_start(&parser, a);
    while (!end) {
        enum err e = receive(fd, piece, &in);
        if (e != ERR_OK)
            return e;
        if (in.len == 0)
            break;
        e = parse(&parser, in, body, ret_status, &end);
        if (e != ERR_OK)
            return e;
    }
    if (!end && http1_finish(&parser) != ERR_OK)
        return ERR_UPSTREAM;
    return *ret_status == 0 ? ERR_UPSTREAM : ERR_OK;
}

enum err control_client_get(struct arena *a, const char *data,
                            const char *target,
                            struct control_client_reply *ret)
{
    struct control_client_reply reply = {0};
    struct buf request;
    struct buf body;
    int fd;
    enum err e = connect_to(data, &fd);
    if (e != ERR_OK)
        return e;
    buf_init(&request, KIB);
    buf_init(&body, BODY_MAX);
    buf_addf(&request,
             "GET %s HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
             target);
    e = buf_ok(&request) ? send_all(fd, buf_str(&request)) : ERR_LIMIT;
    if (e == ERR_OK)
        e = read_reply(a, fd, &body, &reply.status);
    if (e == ERR_OK && !arena_copy(a, buf_str(&body), &reply.body))
        e = ERR_LIMIT;
    if (e == ERR_OK)
        *ret = reply;
    buf_release(&request);
    buf_release(&body);
    (void)close(fd);
    return e;
}
