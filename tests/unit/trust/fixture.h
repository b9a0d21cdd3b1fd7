/*
 * fixture.h - issuers that can fail in every way, and what trust tells of
 * them, all on one loop.
 *
 * Two issuers live on one server, "a" and "b", told apart by their paths.
 */
#ifndef TESTS_TRUST_FIXTURE_H
#define TESTS_TRUST_FIXTURE_H

#include <stdbool.h>

#include "http/client.h"
#include "http/server.h"
#include "os/loop.h"
#include "os/timer.h"
#include "trust/times.h"
#include "trust/trust.h"

enum { ISSUERS = 2, TEXT_MAX = 512, LOG_MAX = 256 };

/* How a document is answered. */
enum answer {
    ANSWER_OK = 0,
    ANSWER_404,
    ANSWER_500,
    ANSWER_REDIRECT, /* to where it would be right */
    ANSWER_RESET,    /* after the head */
    ANSWER_HANG,     /* no head */
    ANSWER_DRIP,     /* a byte now and then, without end */
    ANSWER_CUT,      /* the body ends before its end */
    ANSWER_HUGE,     /* valid, but for its size */
    ANSWER_TEXT,     /* `text` */
};

struct document {
    enum answer answer;
    const char *text;
    size_t asked; /* times */
};

struct idp {
    char issuer[TEXT_MAX], jwks_uri[TEXT_MAX]; /* what it says of itself */
    struct document openid, oauth, keys;
};

struct drip {
    struct body_source source;
    struct loop *loop;
    struct timer timer;
    bool huge;
    size_t given;
    body_sink *sink;
    void *reader;
};

struct world {
    struct loop *l;
    struct http_server *server;
    struct http_client *client;
    struct trust *trust;
    struct trust_times times;
    uint16_t port;
    int rude_fd; /* a server that resets every connection */
    uint16_t rude_port;
    struct loop_poll *rude;
    size_t rudeness;               /* times */
    struct tls_context *tls;       /* of the server; NULL: plain */
    char dir[64], ca[96], key[96]; /* of the certificate */

    struct idp idps[ISSUERS];
    struct issuer_settings issuers[ISSUERS];
    struct settings settings;
    struct drip drip;

    /* what was told: one letter each, c(hanged) w(anted) b(ad) g(ood) */
    char log[LOG_MAX];
    size_t logged;
    struct issuers *now; /* NULL before the first */
    size_t changes, wants, bad, good;
    size_t wanted; /* the last number */
    char why[TEXT_MAX];

    struct timer timer;
    bool timed_out;
};

/* Key sets with one key each, of that id. */
extern const char *const set_one; /* "one" */
extern const char *const set_two; /* "two" */

/* Two issuers; both answer, both are in the settings. */
void world_open(struct world *w);
void world_open_tls(struct world *w);
void world_close(struct world *w);

void world_use(struct world *w); /* the settings */
void world_set_times(struct world *w);
/* Turns until `done`, ten seconds at most. */
void world_wait(struct world *w, bool (*done)(struct world *w, size_t n),
                size_t n);
void world_turn(struct world *w, int64_t ms);
bool world_has_key(const struct world *w, size_t issuer, const char *kid);
size_t world_asked(const struct idp *i); /* all documents */

/* For world_wait(): at least so many, or issuer n has a key. */
bool has_changes(struct world *w, size_t n);
bool has_wants(struct world *w, size_t n);
bool has_bad(struct world *w, size_t n);
bool has_good(struct world *w, size_t n);
bool has_keys(struct world *w, size_t n);

#endif
