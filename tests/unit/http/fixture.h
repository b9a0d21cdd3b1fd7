/*
 * fixture.h - a server of ours, raw peers on either side, and bodies that
 * can be watched, all on one loop.
 *
 * world_wait() turns the loop until a condition holds and fails the test
 * after ten seconds.
 */
#ifndef TESTS_HTTP_FIXTURE_H
#define TESTS_HTTP_FIXTURE_H

#include <stdbool.h>

#include "base/buf.h"
#include "http/client.h"
#include "http/server.h"
#include "net/stream.h"
#include "os/loop.h"
#include "os/timer.h"

struct listener;
struct world;

/* What came of one request at our server. */
struct seen {
    struct http_request *r; /* until `done` */
    struct world *w;
    int body_reads, dones;
    enum err body_err, why;
    size_t body_len;
};

enum { SEEN_MAX = 2048 };

struct world {
    struct loop *l;
    struct http_server_options options;
    struct http_server *server;
    uint16_t port; /* of the server */
    struct tls_context *accept_tls, *dial_tls;
    char dir[64]; /* of the certificate; empty: none was made */

    /* What the server does with a request; the default answers "ok". */
    void (*handle)(struct seen *s);
    struct seen seen[SEEN_MAX];
    size_t seen_count, done_count;
    bool drained;

    struct timer timer;
    bool timed_out;
};

/* Without a server; world_serve() makes it. */
void world_open(struct world *w);
void world_serve(struct world *w);
void world_close(struct world *w);

/* A certificate for 127.0.0.1, and both contexts; before world_serve(). */
void world_use_tls(struct world *w, bool http2);

void world_wait(struct world *w, bool (*done)(void *arg), void *arg);
void world_turn(struct world *w, int64_t ms);
/* Turns until `*at`, or what is queued in `s`, has stood still for a while;
 * returns it. */
size_t world_wait_still(struct world *w, const size_t *at,
                        const struct stream *s);
/* Waits until so many requests have come or are done. */
void world_wait_seen(struct world *w, size_t n);
void world_wait_done(struct world *w, size_t n);

/* Handlers, and what they use. */
void reply_ok(struct seen *s);
void reply_text(struct seen *s, int status, struct str body);
void read_then_ok(struct seen *s);   /* reads up to 1 MiB first */
void read_then_echo(struct seen *s); /* answers with the body */
void never_reply(struct seen *s);

/* --- raw peers --- */

struct peer {
    struct world *w;
    struct stream *s;
    struct buf got;
    bool opened, ended, closed;
    bool forgets; /* what it reads */
    enum err why;
    /* Called after each read; for scripted destinations. */
    void (*on_data)(struct peer *p);
    void *user;
    size_t answered; /* for the script */
};

/* Dials the server of `w`. */
void peer_dial(struct peer *p, struct world *w);
void peer_write(struct peer *p, struct str bytes);
void peer_close(struct peer *p); /* waits for the event */
void peer_release(struct peer *p);
/* Waits until `text` is in what was read; fails the test when it never is. */
void peer_wait_text(struct peer *p, const char *text);
void peer_wait_ended(struct peer *p); /* FIN or closed */
size_t peer_count(const struct peer *p, const char *text);
bool peer_has(const struct peer *p, const char *text);

/* --- a scripted destination --- */

enum { UPSTREAM_PEERS_MAX = 64 };

struct upstream {
    struct world *w;
    struct listener *listener;
    uint16_t port;
    struct peer peers[UPSTREAM_PEERS_MAX];
    size_t count; /* connections that were accepted */
    void (*on_data)(struct peer *p);
};

void upstream_open(struct upstream *u, struct world *w,
                   void (*on_data)(struct peer *p));
void upstream_close(struct upstream *u);

/* --- bodies --- */

struct pattern {
    struct body_source source;
    struct world *w;
    size_t left, piece; /* bytes: to come, of one piece */
    int64_t every_ms;   /* 0: answers at once */
    enum err fails;     /* instead of the end */
    size_t given;
    int pulls, cancels;
    bool ended;
    struct timer timer;
    body_sink *sink;
    void *reader;
    char bytes[65536];
};

/* Bytes "abc…z", `left` in all.  It lives as long as the test. */
void pattern_init(struct pattern *p, struct world *w, size_t left,
                  size_t piece);

/* Reads a body to its end, or by hand. */
struct sink {
    struct buf got;
    bool ended, busy;
    enum err e;
    size_t stop_at; /* pulls no more from so many bytes on; 0: never */
    struct body_source *src;
};

void sink_init(struct sink *s);
void sink_start(struct sink *s, struct body_source *src);
void sink_pull(struct sink *s);
void sink_release(struct sink *s);

#endif
