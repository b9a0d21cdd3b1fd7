/*
 * party.h - both ends of a connection on one loop, for the tests of net/.
 *
 * A party records its events and what it read; party_wait() turns the loop
 * until a condition holds, and fails the test after ten seconds.
 */
#ifndef TESTS_NET_PARTY_H
#define TESTS_NET_PARTY_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/listener.h"
#include "net/stream.h"
#include "net/tls.h"

struct party {
    struct stream *s;
    struct buf got;
    int opened, ended, drained, closed;
    enum err why;
    bool inside; /* a call of ours into the stream: no event may come */
    /* What to do in events. */
    bool echo, pause_in_data, close_in_data, close_in_opened, close_in_ended,
        finish_in_ended;
};

struct net {
    struct loop *l;
    struct listener *listener;
    uint16_t port;
    struct tls_context *accept_tls;
    struct party *server; /* the next accepted connection becomes this one */
};

extern const struct stream_events party_events;

/* Listens on 127.0.0.1; `server` is for the next connection. */
void net_open(struct net *n, struct party *server);
void net_close(struct net *n);

void party_init(struct party *p);
void party_release(struct party *p);

/* Dials the listener. */
void party_dial(struct party *p, struct net *n, struct tls_context *tls,
                const char *host);
void party_write(struct party *p, struct str bytes);

/* Turns the loop until `done(arg)`. */
void net_wait(struct net *n, bool (*done)(void *arg), void *arg);
void net_turn(struct net *n, int64_t ms); /* for so long */

bool party_is_opened(void *p);
bool party_is_closed(void *p);
bool party_is_ended(void *p);
bool party_is_drained(void *p);

/* Waits until `p` has read `n` bytes in all. */
void net_wait_bytes(struct net *n, struct party *p, size_t bytes);

/* A listening socket on a free port of 127.0.0.1. */
int net_listen_socket(uint16_t *ret_port, int backlog);

#endif
