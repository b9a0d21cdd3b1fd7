/* wire.c - see wire.h. */
#include "wire.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"

struct ssl_ctx_st *wire_server(const char *cert, const char *key)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    if (ctx == NULL || SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        die(cert);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    return ctx;
}

struct ssl_ctx_st *wire_client(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    if (ctx == NULL)
        die("TLS");
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    return ctx;
}

static void attach(struct wire *w, int fd, struct ssl_ctx_st *tls)
{
    *w = (struct wire){.fd = fd};
    if (tls == NULL)
        return;
    w->tls = SSL_new(tls);
    if (w->tls == NULL || SSL_set_fd(w->tls, fd) != 1)
        die("TLS");
}

void wire_accept(struct wire *w, int fd, struct ssl_ctx_st *tls)
{
    attach(w, fd, tls);
    if (tls != NULL)
        SSL_set_accept_state(w->tls);
}

void wire_connect(struct wire *w, int fd, struct ssl_ctx_st *tls)
{
    attach(w, fd, tls);
    if (tls != NULL)
        SSL_set_connect_state(w->tls);
}

void wire_close(struct wire *w)
{
    SSL_free(w->tls);
    (void)close(w->fd);
    *w = (struct wire){.fd = -1};
}

static bool must_wait(const struct wire *w, int code)
{
    int why = SSL_get_error(w->tls, code);

    ERR_clear_error(); /* one connection's failure is not the next one's */
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

int wire_open(struct wire *w)
{
    if (w->tls == NULL)
        return 1;
    int code = SSL_do_handshake(w->tls);
    if (code == 1)
        return 1;
    return must_wait(w, code) ? 0 : -1;
}

ssize_t wire_read(struct wire *w, char *to, size_t room)
{
    if (w->tls != NULL) {
        int n = SSL_read(w->tls, to, (int)room);
        if (n > 0)
            return n;
        return must_wait(w, n) ? 0 : -1;
    }
    ssize_t n = recv(w->fd, to, room, 0);
    if (n > 0)
        return n;
    return n < 0 && errno == EAGAIN ? 0 : -1;
}

/* What went out: its length, 0 when there was no room, -1 at the end. */
static ssize_t write_some(struct wire *w, const char *text, size_t len)
{
    if (w->tls != NULL) {
        int n = SSL_write(w->tls, text, (int)len);
        if (n > 0)
            return n;
        return must_wait(w, n) ? 0 : -1;
    }
    ssize_t n = send(w->fd, text, len, MSG_NOSIGNAL);
    if (n > 0)
        return n;
    return n < 0 && errno == EAGAIN ? 0 : -1;
}

bool wire_write(struct wire *w, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write_some(w, text, len);
        if (n < 0)
            return false;
        if (n == 0) {
            struct pollfd room = {.fd = w->fd, .events = POLLOUT};
            (void)poll(&room, 1, 100);
        }
        text += n;
        len -= (size_t)n;
    }
    return true;
}
