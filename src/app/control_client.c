/* control_client.c - see control_client.h. */
#include "app/control_client.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/plain_http.h"
#include "base/buf.h"
#include "base/limits.h"

#define BODY_MAX (8 * MIB)
#define REQUEST_MAX (256 * KIB)

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
    int len =
        snprintf(at.sun_path, sizeof(at.sun_path), "%s/control.sock", data);
    if (len < 0 || len >= (int)sizeof(at.sun_path))
        return ERR_LIMIT;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return ERR_IO;
    if (plain_http_timeout(fd, CONTROL_CLIENT_TIMEOUT_S) != ERR_OK ||
        connect(fd, (const struct sockaddr *)&at, sizeof(at)) == -1) {
        enum err e = connect_error(errno);
        (void)close(fd);
        return e;
    }
    *ret_fd = fd;
    return ERR_OK;
}

static bool keep(void *user, struct str piece)
{
    return buf_add(user, piece);
}

static void write_request(struct buf *to,
                          const struct control_client_request *r,
                          struct str token)
{
    buf_addf(to, "%s %s HTTP/1.1\r\nhost: localhost\r\n",
             r->post ? "POST" : "GET", r->target);
    if (token.len > 0)
        buf_addf(to, "authorization: Bearer %.*s\r\n", STR_FMT(token));
    if (r->post)
        buf_addf(to,
                 "content-type: application/json\r\ncontent-length: "
                 "%zu\r\n",
                 r->body.len);
    BUF_LIT(to, "connection: close\r\n\r\n");
    if (r->post)
        buf_add(to, r->body);
}

enum err control_client_ask(struct arena *a, const char *data,
                            const struct control_client_request *r,
                            struct control_client_reply *ret)
{
    return control_client_ask_as(a, data, r, (struct str){NULL, 0}, ret);
}

enum err control_client_ask_as(struct arena *a, const char *data,
                               const struct control_client_request *r,
                               struct str token,
                               struct control_client_reply *ret)
{
    struct plain_http_reply answer;
    struct control_client_reply reply = {0};
    struct buf request;
    struct buf body;
    int fd;
    enum err e = connect_to(data, &fd);
    if (e != ERR_OK)
        return e;
    buf_init(&request, REQUEST_MAX);
    buf_init(&body, BODY_MAX);
    write_request(&request, r, token);
    e = buf_ok(&request)
            ? plain_http_ask(a, fd, buf_str(&request), keep, &body, &answer)
            : ERR_LIMIT;
    if (e == ERR_OK)
        reply.status = answer.status;
    if (e == ERR_OK && !arena_copy(a, buf_str(&body), &reply.body))
        e = ERR_LIMIT;
    if (e == ERR_OK)
        *ret = reply;
    buf_release(&request);
    buf_release(&body);
    (void)close(fd);
    return e;
}

enum err control_client_get(struct arena *a, const char *data,
                            const char *target,
                            struct control_client_reply *ret)
{
    const struct control_client_request r = {.target = target};
    return control_client_ask(a, data, &r, ret);
}
