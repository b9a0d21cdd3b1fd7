/*
 * fetch.h - GETs one document of a bounded size.
 *
 * Embedded in its owner; one at a time.  Redirects are not followed, and a
 * body is read only with status 200.
 */
#ifndef TRUST_FETCH_H
#define TRUST_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "trust/location.h"

struct body_source;
struct http_call;
struct http_client;
struct tls_context;

struct fetch {
    struct http_client *client;
    struct http_call *call;   /* NULL: none is under way, or its body is */
    struct body_source *body; /* while it is read */
    struct buf bytes;
    int status; /* once there is a head */
    void (*done)(struct fetch *f, enum err e);
};

/* `done` ends each fetch_start() that was ERR_OK, from a later turn on.
 * ERR_OK: `status`, and with 200 `bytes` until the next fetch_start().
 * ERR_LIMIT: larger than allowed; else as http/client.h has them. */
void fetch_init(struct fetch *f, struct http_client *client,
                void (*done)(struct fetch *f, enum err e));

struct fetch_options {
    struct tls_context *tls; /* for an https location */
    bool allow_local;
    size_t bytes_max;
    int64_t timeout_ms; /* each: to connect, to the head, between pieces */
};

MUST_CHECK enum err fetch_start(struct fetch *f, const struct location *at,
                                const struct fetch_options *o);

/* Gives up, if one is under way; no `done`. */
void fetch_cancel(struct fetch *f);
/* The same, and frees what it holds. */
void fetch_release(struct fetch *f);

#endif
