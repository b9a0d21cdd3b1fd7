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

enum {
    RESOLVER_TTL_MAX_MS = 300000,
    RESOLVER_ADDRESSES_MAX = 16,
    RESOLVER_NAMES_MAX = 4096, /* kept; the longest unused one goes first */
};

struct loop;
struct resolver;
struct resolver_query;

MUST_CHECK enum err resolver_new(struct loop *l, struct resolver **ret);
/* Nobody is answered any more.  Not from inside an answer.  NULL is allowed. */
void resolver_free(struct resolver *r);

/*
 * Asks these servers instead of the system's: "192.0.2.1:53,[2001:db8::1]".
 * ERR_CONFIG: not such a list.
 */
MUST_CHECK enum err resolver_set_servers(struct resolver *r,
                                         const char *servers);

struct resolver_answer {
    enum err err; /* ERR_CONNECT: no such name or no answer */
    struct sockaddr_storage addresses[RESOLVER_ADDRESSES_MAX];
    unsigned count;
};

/*
 * `answer` is called once, never inside the call; its answer is borrowed.
 * *ret_query is for resolver_cancel() and is valid until then.  Literals and
 * the hosts file are answered too.  ERR_CONNECT: not a name at all.
 */
MUST_CHECK enum err
resolver_ask(struct resolver *r, struct str host, uint16_t port,
             void (*answer)(void *user, const struct resolver_answer *a),
             void *user, struct resolver_query **ret_query);
void resolver_cancel(struct resolver_query *q);

#endif
