/* wire.c - see wire.h. */
#include "os/wire.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A partial frame of the largest size and one more read always fit. */
#define IN_MAX (FRAME_HEAD_LEN + FRAME_MAX + WIRE_READ_MAX)
/* What a connection that was busy once may keep while it is idle. */
#define OUT_KEPT (256 * KIB)

union control {
    struct cmsghdr head; /* for its alignment */
    char bytes[CMSG_SPACE(WIRE_FDS_MAX * sizeof(int))];
};

enum err wire_init(struct wire *w, int fd, struct frame_hello own,
                   enum frame_role peer)
{
    *w = (struct wire){.fd = fd, .expected = peer};
    buf_init(&w->in, IN_MAX);
    buf_init(&w->out, WIRE_OUT_MAX);
    frame_add_hello(&w->out, own);
    if (buf_ok(&w->out))
        return ERR_OK;
    wire_release(w);
    return ERR_NO_MEMORY;
}

void wire_release(struct wire *w)
{
    if (w->fd >= 0)
        (void)close(w->fd);
    for (unsigned i = 0; i < w->fds_in_count; i++)
        (void)close(w->fds_in[i]);
    for (unsigned i = 0; i < w->fds_out_count; i++)
        (void)close(w->fds_out[i].fd);
    buf_release(&w->in);
    buf_release(&w->out);
    *w = (struct wire){.fd = -1};
}

/* Moves what is left to the front, once per read and not once per frame. */
static void compact_in(struct wire *w)
{
    buf_drop(&w->in, w->in_at);
    w->in_at = 0;
}

/* One that does not fit is closed. */
static enum err keep_fd(struct wire *w, int fd)
{
    if (w->fds_in_count == WIRE_FDS_MAX) {
        (void)close(fd);
        return ERR_MALFORMED;
    }
    w->fds_in[w->fds_in_count++] = fd;
    return ERR_OK;
}

static enum err keep_fds(struct wire *w, struct msghdr *msg)
{
    enum err e = (msg->msg_flags & MSG_CTRUNC) != 0 ? ERR_MALFORMED : ERR_OK;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
         c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        int fds[WIRE_FDS_MAX];
        assert(n <= ARRAY_LEN(fds)); /* the room that we gave */
        memcpy(fds, CMSG_DATA(c), n * sizeof(fds[0]));
        for (size_t i = 0; i < n; i++) {
            enum err kept = keep_fd(w, fds[i]);
            e = e == ERR_OK ? kept : e;
        }
    }
    return e;
}

static enum err error_of_errno(void)
{
    switch (errno) {
    case EPIPE:
    case ECONNRESET:
        return ERR_CLOSED;
    case ENOMEM:
    case ENOBUFS:
        return ERR_NO_MEMORY;
    default:
        return ERR_IO;
    }
}

enum err wire_fill(struct wire *w)
{
    assert(w->fd >= 0);
    compact_in(w);
    size_t room = IN_MAX - w->in.len;
    if (room > WIRE_READ_MAX)
        room = WIRE_READ_MAX;
    if (room == 0)
        return ERR_OK; /* the owner has frames to take first */
    char *to = buf_space(&w->in, room);
    if (to == NULL)
        return ERR_NO_MEMORY;

    union control control;
    struct iovec iov = {to, room};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};
    ssize_t n;
    do {
        n = recvmsg(w->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? ERR_OK : error_of_errno();
    if (n == 0)
        return ERR_CLOSED;
    buf_added(&w->in, (size_t)n);
    return keep_fds(w, &msg);
}

/* Pairs a frame with the descriptor it announces, in the order of both. */
static enum err take_fd(struct wire *w, struct frame *f, int *ret_fd)
{
    if (ret_fd != NULL)
        *ret_fd = -1;
    if ((f->flags & WIRE_FLAG_FD) == 0)
        return ERR_OK;
    if (ret_fd == NULL || w->fds_in_count == 0)
        return ERR_MALFORMED;
    f->flags = (uint16_t)(f->flags & ~(unsigned)WIRE_FLAG_FD);
    *ret_fd = w->fds_in[0];
    w->fds_in_count--;
    memmove(w->fds_in, w->fds_in + 1, w->fds_in_count * sizeof(w->fds_in[0]));
    return ERR_OK;
}

bool wire_next(struct wire *w, struct frame *ret, int *ret_fd,
               enum err *ret_err)
{
    for (;;) {
        struct frame f;
        size_t used;
        *ret_err = frame_next(str_skip(buf_str(&w->in), w->in_at), &f, &used);
        if (*ret_err != ERR_OK || used == 0)
            return false;
        w->in_at += used;

        if (!w->opened) {
            *ret_err = frame_read_hello(&f, w->expected, &w->peer);
            if (*ret_err != ERR_OK)
                return false;
            w->opened = true;
            continue;
        }
        *ret_err = take_fd(w, &f, ret_fd);
        if (*ret_err != ERR_OK)
            return false;
        *ret = f;
        return true;
    }
}

/* One sendmsg(2) from out_at up to the next descriptor's frame; the first
 * descriptor goes along when its frame is where we are. */
static ssize_t send_run(struct wire *w)
{
    bool with_fd = w->fds_out_count > 0 && w->fds_out[0].at == w->out_at;
    unsigned next = with_fd ? 1 : 0;
    size_t end = next < w->fds_out_count ? w->fds_out[next].at : w->out.len;

    union control control = {0};
    struct iovec iov = {w->out.ptr + w->out_at, end - w->out_at};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (with_fd) {
        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE(sizeof(int));
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        control.head.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.head), &w->fds_out[0].fd, sizeof(int));
    }
    ssize_t n;
    do {
        n = sendmsg(w->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n > 0 && with_fd) {
        (void)close(w->fds_out[0].fd);
        w->fds_out_count--;
        memmove(w->fds_out, w->fds_out + 1,
                w->fds_out_count * sizeof(w->fds_out[0]));
    }
    return n;
}

/* Drops what was sent once that is cheap: it is half of what is there. */
static void compact_out(struct wire *w)
{
    if (w->out_at < w->out.len && w->out_at < w->out.len / 2)
        return;
    buf_drop(&w->out, w->out_at);
    for (unsigned i = 0; i < w->fds_out_count; i++)
        w->fds_out[i].at -= w->out_at;
    w->out_at = 0;
    if (w->out.len == 0 && w->out.room > OUT_KEPT)
        buf_release(&w->out);
}

enum err wire_flush(struct wire *w)
{
    assert(w->fd >= 0);
    if (!buf_ok(&w->out))
        return ERR_LIMIT;
    while (wire_pending(w)) {
        ssize_t n = send_run(w);
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0)
            return error_of_errno();
        w->out_at += (size_t)n;
    }
    compact_out(w);
    return ERR_OK;
}

enum err wire_send_fd(struct wire *w, uint16_t type, struct str payload, int fd)
{
    if (w->fds_out_count == WIRE_FDS_MAX) {
        (void)close(fd);
        return ERR_LIMIT;
    }
    size_t at = w->out.len;
    frame_add(&w->out, type, WIRE_FLAG_FD, payload);
    if (!buf_ok(&w->out)) {
        (void)close(fd);
        return ERR_LIMIT;
    }
    w->fds_out[w->fds_out_count++] = (struct wire_fd){at, fd};
    return ERR_OK;
}
