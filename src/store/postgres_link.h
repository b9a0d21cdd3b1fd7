/*
 * postgres_link.h - a connection to one of the servers of a URL, made and
 * made again.  For the inside of store/ only.
 *
 * While it is up, the connection is in pipeline mode and its session is set
 * up; then `readable` says that answers have come.  After `down`, or
 * postgres_link_drop(), the next host is tried by itself.
 */
#ifndef STORE_POSTGRES_LINK_H
#define STORE_POSTGRES_LINK_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "store/pq.h"

struct loop;
struct resolver;
struct postgres_link;

struct postgres_link_events {
    void (*up)(void *user);
    void (*readable)(void *user);
    /* Also each time a host could not be reached. */
    void (*down)(void *user, struct str why);
    void *user;
};

struct postgres_link_options {
    struct loop *loop;
    struct resolver *resolver; /* NULL: addresses only */
    const struct pq *pq;       /* outlives the link */
    struct str url;
};

/* Begins to connect.  ERR_CONFIG with *ret_why; ERR_NO_MEMORY. */
MUST_CHECK enum err postgres_link_new(const struct postgres_link_options *o,
                                      const struct postgres_link_events *events,
                                      struct postgres_link **ret,
                                      const char **ret_why);
/* No event follows.  NULL is allowed. */
void postgres_link_free(struct postgres_link *l);

/* While it is up. */
PGconn *postgres_link_conn(struct postgres_link *l);

/* Sends what was given to libpq.  False: the connection is broken, and is
 * to be dropped. */
MUST_CHECK bool postgres_link_flush(struct postgres_link *l);

/* Closes the connection and tries the next host; no `down` follows. */
void postgres_link_drop(struct postgres_link *l);

/* libpq's last word on the connection, in one line; borrowed for a moment. */
struct str postgres_link_why(struct postgres_link *l);

#endif
