/* stream.c - see stream.h. */
#include "net/stream.h"

#include <assert.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/container.h"
#include "net/address.h"
#include "net/dial.h"
#include "net/outbox.h"
#include "net/tls_session.h"
#include "os/loop.h"

struct stream {
    uv_tcp_t tcp; /* any stream socket; without descriptor while dialling */
    struct loop *loop;
    struct loop_hook release; /* closes the socket when the turn ends */
    const struct stream_events *events; /* NULL: nobody is told any more */
    void *user;
    struct tls_session *tls; /* NULL: plain */
    struct dial *dial;       /* until opened */
    struct outbox outbox;    /* plain, or sealed by `tls` */
    enum err why;            /* of closing */
    bool opened;             /* may be written to */
    bool paused;             /* no `data` wanted */
    bool stopped;            /* and libuv does not read either */
    bool ended;              /* the peer will send no more */
    bool finishing;          /* we will send no more */
    bool broken;             /* the socket takes no more */
    bool closing;
    bool kicked;   /* on_kick() is posted and holds the stream */
    bool released; /* libuv is done with it */
    char peer[ADDRESS_TEXT_MAX];
    size_t peer_len;
};

static struct stream *of(void *uv_handle)
{
    return CONTAINER_OF(uv_handle, struct stream, tcp);
}

/* ---- the end ---------------------------------------------------------- */

/* When neither libuv nor a post holds it any more. */
static void destroy(struct stream *s)
{
    if (!s->released || s->kicked)
        return;
    if (s->events != NULL)
        s->events->closed(s->user, s->why);
    outbox_release(&s->outbox);
    tls_session_free(s->tls);
    free(s);
}

static void on_released(uv_handle_t *h)
{
    struct stream *s = of(h);
    s->released = true;
    destroy(s);
}

/* libuv calls back later, and that is when `closed` is told. */
static void release(struct stream *s)
{
    uv_close((uv_handle_t *)&s->tcp, on_released);
}

static void on_turn_end(struct loop_hook *h)
{
    loop_hook_remove(h);
    release(CONTAINER_OF(h, struct stream, release));
}

/*
 * The kernel takes its time to close a socket: where a thousand end at once,
 * the last would wait for all the others to hear of it.  So a socket that has
 * nothing left to send is closed when the turn is over.
 */
static void end(struct stream *s, enum err why)
{
    if (s->closing)
        return;
    s->closing = true;
    s->why = why;
    dial_free(s->dial);
    s->dial = NULL;
    if (!s->opened || s->outbox.queue != NULL || !loop_is_running(s->loop)) {
        release(s);
        return;
    }
    (void)uv_read_stop((uv_stream_t *)&s->tcp);
    s->release.run = on_turn_end;
    loop_hook_add(s->loop, &s->release);
    loop_hook_again(s->loop);
}

/* ---- writing ---------------------------------------------------------- */

/*
 * The peer takes no more.  It may have said something before it left, such
 * as why it refuses the rest, so reading goes on where it can and finds the
 * end by itself.
 */
static void break_off(struct stream *s)
{
    s->broken = true;
    if (s->ended || s->paused || !s->opened)
        end(s, s->opened ? ERR_CLOSED : ERR_CONNECT);
}

static void shut(struct stream *s)
{
    int fd;
    if (uv_fileno((uv_handle_t *)&s->tcp, &fd) == 0)
        (void)shutdown(fd, SHUT_WR);
}

static void on_emptied(struct outbox *o, bool ok)
{
    struct stream *s = CONTAINER_OF(o, struct stream, outbox);
    if (s->closing)
        return;
    if (!ok) {
        break_off(s);
        return;
    }
    if (s->finishing)
        shut(s);
    if (s->opened && s->events->drained != NULL)
        s->events->drained(s->user);
}

static enum err send_plain(struct stream *s, const struct str *pieces, size_t n)
{
    if (s->broken)
        return ERR_CLOSED;
    enum err e = outbox_write(&s->outbox, pieces, n);
    if (e == ERR_CLOSED)
        break_off(s);
    if (e != ERR_IO)
        return e;
    end(s, ERR_NO_MEMORY); /* half a message went out: no way back */
    return ERR_CLOSED;
}

/* Sealed bytes of the TLS session: a record cannot be taken back. */
static void send_sealed(void *user, struct str bytes)
{
    struct stream *s = user;
    if (!s->closing && send_plain(s, &bytes, 1) == ERR_NO_MEMORY)
        end(s, ERR_NO_MEMORY);
}

enum err stream_write(struct stream *s, const struct str *pieces, size_t n)
{
    if (s->closing || s->finishing || s->broken)
        return ERR_CLOSED;
    assert(s->opened);
    if (s->tls == NULL)
        return send_plain(s, pieces, n);
    if (tls_session_write(s->tls, pieces, n) != ERR_OK)
        end(s, ERR_IO);
    return s->closing || s->broken ? ERR_CLOSED : ERR_OK;
}

size_t stream_queued(const struct stream *s)
{
    return outbox_queued(&s->outbox);
}

void stream_finish(struct stream *s)
{
    if (s->closing || s->finishing)
        return;
    if (s->tls != NULL)
        tls_session_finish(s->tls);
    s->finishing = true;
    if (s->outbox.queue == NULL && !s->closing)
        shut(s);
}

/* ---- reading ---------------------------------------------------------- */

static void on_room(uv_handle_t *h, size_t suggested, uv_buf_t *ret)
{
    (void)suggested;
    struct stream *s = of(h);
    size_t len;
    char *room = loop_scratch(s->loop, &len);
    if (s->paused &&
        s->opened) { /* libuv reports UV_ENOBUFS and nothing is read */
        *ret = uv_buf_init(NULL, 0);
    } else if (s->tls == NULL) {
        *ret = uv_buf_init(room, (unsigned)len);
    } else { /* plaintext goes before the ciphertext */
        *ret = uv_buf_init(room + TLS_RECORD_MAX,
                           (unsigned)(len - TLS_RECORD_MAX));
    }
}

static void tell_ended(struct stream *s)
{
    s->ended = true;
    (void)uv_read_stop((uv_stream_t *)&s->tcp);
    if (s->events->ended != NULL)
        s->events->ended(s->user);
    if (s->broken && !s->closing)
        end(s, ERR_CLOSED);
}

static void tell_opened(struct stream *s)
{
    bool dialled = s->dial != NULL;
    s->opened = true;
    dial_free(s->dial);
    s->dial = NULL;
    if ((dialled || s->tls != NULL) && s->events->opened != NULL)
        s->events->opened(s->user);
}

/* Lets the session work on what it has until it wants more, or we pause. */
static void run_tls(struct stream *s)
{
    size_t len;
    char *room = loop_scratch(s->loop, &len);
    static_assert(TLS_RECORD_MAX < 64 * 1024, "the scratch has both texts");
    bool more = true;
    while (more && !s->closing && (!s->paused || !s->opened)) {
        struct str plain;
        switch (tls_session_step(s->tls, room, TLS_RECORD_MAX, &plain)) {
        case TLS_STEP_MORE:
            more = false;
            break;
        case TLS_STEP_OPENED:
            tell_opened(s);
            break;
        case TLS_STEP_DATA:
            s->events->data(s->user, plain);
            break;
        case TLS_STEP_ENDED:
            tell_ended(s);
            break;
        case TLS_STEP_FAILED:
            end(s, s->opened ? ERR_MALFORMED : ERR_CONNECT);
            break;
        }
    }
    if (!s->closing && tls_session_keep(s->tls) != ERR_OK)
        end(s, ERR_NO_MEMORY);
}

static void take(struct stream *s, struct str bytes)
{
    if (s->tls == NULL) {
        s->events->data(s->user, bytes);
        return;
    }
    if (tls_session_feed(s->tls, bytes) != ERR_OK)
        end(s, ERR_NO_MEMORY);
    else
        run_tls(s);
}

/* FIN.  Under TLS only a close_notify ends a stream: anybody can send FIN. */
static void on_fin(struct stream *s)
{
    if (s->tls == NULL)
        tell_ended(s);
    else if (!s->ended)
        end(s, s->opened ? ERR_CLOSED : ERR_CONNECT);
}

static void on_read(uv_stream_t *uv, ssize_t n, const uv_buf_t *b)
{
    struct stream *s = of(uv);
    if (n > 0) {
        take(s, (struct str){b->base, (size_t)n});
    } else if (n == UV_ENOBUFS && s->paused) {
        (void)uv_read_stop(uv);
        s->stopped = true;
    } else if (n == UV_EOF) {
        on_fin(s);
    } else if (n < 0) {
        end(s, s->opened ? ERR_CLOSED : ERR_CONNECT);
    }
}

void stream_pause(struct stream *s)
{
    /* libuv goes on until something comes: mostly nothing does, and then
     * pausing has cost no system call. */
    s->paused = true;
}

static void on_kick(void *arg)
{
    struct stream *s = arg;
    s->kicked = false;
    if (s->released)
        destroy(s);
    else if (!s->closing && !s->paused)
        run_tls(s);
}

void stream_resume(struct stream *s)
{
    if (!s->paused || s->closing)
        return;
    s->paused = false;
    if (s->stopped && !s->ended) {
        s->stopped = false;
        if (uv_read_start((uv_stream_t *)&s->tcp, on_room, on_read) != 0)
            end(s, ERR_IO);
    }
    if (s->tls != NULL && tls_session_has_input(s->tls) && !s->kicked) {
        s->kicked = loop_post(s->loop, on_kick, s);
        if (!s->kicked)
            end(s, ERR_NO_MEMORY);
    }
}

/* ---- the beginning ---------------------------------------------------- */

static struct stream *new_stream(struct loop *l)
{
    struct stream *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    s->loop = l;
    (void)uv_tcp_init(loop_uv(l), &s->tcp); /* opens nothing yet */
    s->outbox =
        (struct outbox){.to = (uv_stream_t *)&s->tcp, .emptied = on_emptied};
    return s;
}

/* Frees it without an event: the caller was given an error instead. */
static void abandon(struct stream *s)
{
    s->events = NULL;
    end(s, ERR_OK);
}

/* On failure `fd` is closed. */
static enum err attach(struct stream *s, int fd)
{
    if (uv_tcp_open(&s->tcp, fd) != 0) {
        (void)close(fd);
        return ERR_IO;
    }
    return uv_read_start((uv_stream_t *)&s->tcp, on_room, on_read) == 0
               ? ERR_OK
               : ERR_IO;
}

static void set_peer(struct stream *s, const struct sockaddr_storage *peer)
{
    struct str text = address_text(peer, s->peer);
    s->peer_len = text.ptr == s->peer ? text.len : 0;
}

enum err stream_accept(struct loop *l, int fd, struct tls_context *tls,
                       const struct stream_events *events, void *user,
                       struct stream **ret)
{
    struct stream *s = new_stream(l);
    if (s == NULL) {
        (void)close(fd);
        return ERR_NO_MEMORY;
    }
    int on = 1; /* fails on a local socket, which needs it not */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    struct sockaddr_storage peer = {0};
    socklen_t len = sizeof(peer);
    if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0)
        set_peer(s, &peer);
    enum err e = attach(s, fd);
    if (e == ERR_OK && tls != NULL)
        e = tls_session_new(tls, STR(""), send_sealed, s, &s->tls);
    if (e != ERR_OK) {
        abandon(s);
        return e;
    }
    s->opened = tls == NULL;
    s->events = events;
    s->user = user;
    *ret = s;
    return ERR_OK;
}

static void on_connected(void *user, int fd,
                         const struct sockaddr_storage *peer)
{
    struct stream *s = user;
    set_peer(s, peer);
    enum err e = attach(s, fd);
    if (e != ERR_OK)
        end(s, e);
    else if (s->tls == NULL)
        tell_opened(s);
    else
        run_tls(s); /* the client speaks first */
}

static void on_failed(void *user, enum err why)
{
    end(user, why);
}

/* NOLINTNEXTLINE(readability-function-size): the header's seven arguments */
enum err stream_dial(struct loop *l, struct resolver *resolver,
                     const struct stream_target *target, int64_t timeout_ms,
                     const struct stream_events *events, void *user,
                     struct stream **ret)
{
    static const struct dial_events dial_events = {on_connected, on_failed};
    struct stream *s = new_stream(l);
    if (s == NULL)
        return ERR_NO_MEMORY;
    enum err e = ERR_OK;
    if (target->tls != NULL)
        e = tls_session_new(target->tls, target->host, send_sealed, s, &s->tls);
    if (e == ERR_OK)
        e = dial_new(l, resolver, target, timeout_ms, &dial_events, s,
                     &s->dial);
    if (e != ERR_OK && e != ERR_CONNECT) {
        abandon(s);
        return e;
    }
    s->events = events;
    s->user = user;
    *ret = s;
    if (e == ERR_CONNECT) /* told like any other failure to connect */
        end(s, e);
    return ERR_OK;
}

void stream_close(struct stream *s)
{
    end(s, ERR_OK);
}

/* ---- what it is ------------------------------------------------------- */

struct str stream_alpn(const struct stream *s)
{
    return s->tls == NULL ? STR("") : tls_session_alpn(s->tls);
}

struct str stream_peer(const struct stream *s)
{
    return s->peer_len == 0 ? STR("local") : (struct str){s->peer, s->peer_len};
}

bool stream_peer_uid(const struct stream *s, uint32_t *ret_uid)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    uv_os_fd_t fd;

    if (s->peer_len > 0 || uv_fileno((const uv_handle_t *)&s->tcp, &fd) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1 ||
        len != sizeof(peer) || peer.uid == (uid_t)-1)
        return false;
    *ret_uid = peer.uid;
    return true;
}

struct str stream_peer_certificate(const struct stream *s)
{
    return s->tls == NULL ? STR("") : tls_session_certificate(s->tls);
}
