/*
 * wire.h - one connection, plain or TLS, for programs that serve thousands of
 * them from one thread.
 */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct ssl_ctx_st;
struct ssl_st;

struct wire {
    int fd;
    struct ssl_st *tls; /* NULL: plain */
};

/* What connections share; the certificate of a server, none for a client. */
struct ssl_ctx_st *wire_server(const char *cert, const char *key);
struct ssl_ctx_st *wire_client(void);

/* Takes the socket over; `tls` NULL: plain. */
void wire_accept(struct wire *w, int fd, struct ssl_ctx_st *tls);
void wire_connect(struct wire *w, int fd, struct ssl_ctx_st *tls);
void wire_close(struct wire *w);

/* Goes on with the handshake: 1 when it is done, 0 when it waits for the peer,
 * -1 when it failed. */
int wire_open(struct wire *w);

/* Reads what is there: its length, 0 when that is nothing, -1 at the end. */
ssize_t wire_read(struct wire *w, char *to, size_t room);

/* Writes all of it, waiting for room; false: the peer is gone. */
bool wire_write(struct wire *w, const char *text, size_t len);

#endif
