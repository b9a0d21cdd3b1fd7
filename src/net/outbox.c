/* outbox.c - see outbox.h. */
#include "net/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/container.h"

enum {
    PIECES_AT_ONCE = 8, /* in one writev(2); a head and a body are two */
    TOGETHER_MAX = 4096 /* bytes that are cheaper to copy than to list */
};

/* Two buffers: what libuv holds does not move while more is appended. */
struct outbox_queue {
    uv_write_t req;
    struct outbox *box;
    struct buf sending; /* empty: no request is under way */
    struct buf waiting;
};

void outbox_release(struct outbox *o)
{
    if (o->queue == NULL)
        return;
    buf_release(&o->queue->sending);
    buf_release(&o->queue->waiting);
    free(o->queue);
    o->queue = NULL;
}

static void on_written(uv_write_t *req, int status);

static bool send_waiting(struct outbox_queue *q)
{
    struct buf sent = q->sending;
    q->sending = q->waiting;
    q->waiting = sent;
    buf_clear(&q->waiting);
    uv_buf_t b = uv_buf_init(q->sending.ptr, (unsigned)q->sending.len);
    return uv_write(&q->req, q->box->to, &b, 1, on_written) == 0;
}

static void on_written(uv_write_t *req, int status)
{
    struct outbox_queue *q = CONTAINER_OF(req, struct outbox_queue, req);
    struct outbox *o = q->box;
    bool more = q->waiting.len > 0;
    bool ok = status == 0 && (!more || send_waiting(q));
    if (ok && more)
        return;
    outbox_release(o);
    o->emptied(o, ok);
}

/* One send(2) of what is small: what readies a list of pieces costs more. */
static bool try_together(struct outbox *o, const struct str *pieces, size_t n,
                         size_t *ret_taken)
{
    char room[TOGETHER_MAX] UNINITIALIZED;
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (pieces[i].len > 0)
            memcpy(room + len, pieces[i].ptr, pieces[i].len);
        len += pieces[i].len;
    }
    int fd = -1;
    if (uv_fileno((const uv_handle_t *)o->to, &fd) != 0)
        return false;
    ssize_t rc = send(fd, room, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    *ret_taken = rc > 0 ? (size_t)rc : 0;
    return rc >= 0 || errno == EAGAIN || errno == EINTR || errno == ENOBUFS;
}

/* How many of the bytes the socket takes now; false: it is broken. */
static bool try_write(struct outbox *o, const struct str *pieces, size_t n,
                      size_t *ret_taken)
{
    size_t taken = 0;
    while (n > 0) {
        uv_buf_t bufs[PIECES_AT_ONCE];
        unsigned count = 0;
        size_t asked = 0;
        for (; count < PIECES_AT_ONCE && count < n; count++) {
            union { /* libuv does not write to it */
                const char *from;
                char *to;
            } u = {.from = pieces[count].ptr};
            bufs[count] = uv_buf_init(u.to, (unsigned)pieces[count].len);
            asked += pieces[count].len;
        }
        int rc = asked == 0 ? 0 : uv_try_write(o->to, bufs, count);
        if (rc < 0 && rc != UV_EAGAIN)
            return false;
        taken += rc > 0 ? (size_t)rc : 0;
        if (rc < 0 || (size_t)rc < asked)
            break;
        pieces += count;
        n -= count;
    }
    *ret_taken = taken;
    return true;
}

static struct outbox_queue *new_queue(struct outbox *o)
{
    struct outbox_queue *q = calloc(1, sizeof(*q));
    if (q == NULL)
        return NULL;
    q->box = o;
    buf_init(&q->sending, OUTBOX_MAX);
    buf_init(&q->waiting, OUTBOX_MAX);
    return q;
}

/* Copies all but the first `skip` bytes; all of them or none. */
static enum err enqueue(struct outbox *o, const struct str *pieces, size_t n,
                        size_t skip, size_t total)
{
    struct outbox_queue *q = o->queue != NULL ? o->queue : new_queue(o);
    if (q == NULL)
        return ERR_NO_MEMORY;
    o->queue = q;
    char *to = buf_space(&q->waiting, total - skip);
    if (to == NULL) {
        q->waiting.failed = false;
        if (q->sending.len == 0)
            outbox_release(o);
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < n; i++) {
        size_t jump = skip < pieces[i].len ? skip : pieces[i].len;
        struct str part = str_skip(pieces[i], jump);
        skip -= jump;
        if (part.len > 0)
            memcpy(to, part.ptr, part.len);
        to += part.len;
    }
    buf_added(&q->waiting, (size_t)(to - q->waiting.ptr) - q->waiting.len);
    if (q->sending.len > 0 || send_waiting(q))
        return ERR_OK;
    outbox_release(o);
    return ERR_CLOSED;
}

enum err outbox_write(struct outbox *o, const struct str *pieces, size_t n)
{
    size_t total = 0, taken = 0;
    for (size_t i = 0; i < n; i++)
        total += pieces[i].len;
    if (total == 0)
        return ERR_OK;
    if (o->queue == NULL) {
        bool ok = total <= TOGETHER_MAX ? try_together(o, pieces, n, &taken)
                                        : try_write(o, pieces, n, &taken);
        if (!ok)
            return ERR_CLOSED;
    }
    if (taken == total)
        return ERR_OK;
    enum err e = enqueue(o, pieces, n, taken, total);
    return e == ERR_NO_MEMORY && taken > 0 ? ERR_IO : e;
}

size_t outbox_queued(const struct outbox *o)
{
    return o->queue == NULL
               ? 0
               : uv_stream_get_write_queue_size(o->to) + o->queue->waiting.len;
}
