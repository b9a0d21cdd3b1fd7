/*
 * resolver.h - names to addresses, over c-ares, on a loop.
 *
 * Answers are kept for their TTL (at most RESOLVER_TTL_MAX_MS, at least one
 * second); one query per name is in flight however many ask.
 */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include <netinet/in.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

enum { RESOLVER_TTL_MAX_MS = 300000, RESOLVER_ADDRESSES_MAX = 16 };

struct loop;
struct resolver;
struct resolver_query;

MUST_CHECK enum err resolver_new(struct loop *l, struct resolver **ret);
void resolver_free(struct resolver *r);

struct resolver_answer {
    enum err err; /* ERR_CONNECT: no such name or no answer */
    struct sockaddr_storage addresses[RESOLVER_ADDRESSES_MAX];
    unsigned count;
};

/*
 * `answer` is called once, in a later turn.  *ret_query is for
 * resolver_cancel() and is valid until then.
 */
MUST_CHECK enum err
resolver_ask(struct resolver *r, struct str host, uint16_t port,
             void (*answer)(void *user, const struct resolver_answer *a),
             void *user, struct resolver_query **ret_query);
void resolver_cancel(struct resolver_query *q);

#endif
