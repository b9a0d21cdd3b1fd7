/*
 * postgres_hosts.h - the servers that a postgres:// URL names, and when each
 * may be tried again.
 *
 * The back-off is each host's own: one that is down does not slow the way to
 * the next.
 */
#ifndef STORE_POSTGRES_HOSTS_H
#define STORE_POSTGRES_HOSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "store/pq.h"

enum {
    POSTGRES_HOSTS_MAX = 8,
    POSTGRES_KEYWORDS_MAX = 64, /* of a connection; libpq knows about 50 */
    POSTGRES_BACKOFF_MIN_MS = 100,
    POSTGRES_BACKOFF_MAX_MS = 10000,
};

struct postgres_host {
    const char *name;    /* NULL: libpq's own default */
    const char *address; /* given beside the name, or NULL */
    const char *port;    /* NULL: libpq's own default */
    int64_t next_ms;     /* not to be tried before; loop_now_ms() terms */
    int64_t backoff_ms;  /* 0: the last try was a success */
};

struct postgres_hosts {
    struct postgres_host hosts[POSTGRES_HOSTS_MAX];
    unsigned count;
    unsigned last; /* tried last */
    /* The rest of the URL, in libpq's words, ends with NULL. */
    const char *keywords[POSTGRES_KEYWORDS_MAX + 1];
    const char *values[POSTGRES_KEYWORDS_MAX + 1];
    unsigned keyword_count;
    void *memory; /* private */
    PQconninfoOption *parsed;
};

/* ERR_CONFIG with *ret_why; ERR_NO_MEMORY. */
MUST_CHECK enum err postgres_hosts_init(struct postgres_hosts *h,
                                        const struct pq *pq, struct str url,
                                        const char **ret_why);
void postgres_hosts_release(struct postgres_hosts *h, const struct pq *pq);

/* The host to try first, and in how many ms (0: now). */
struct postgres_host *postgres_hosts_next(struct postgres_hosts *h,
                                          int64_t now_ms, int64_t *ret_in_ms);

void postgres_hosts_failed(struct postgres_host *host, int64_t now_ms);
void postgres_hosts_worked(struct postgres_host *host);

/* A name that has to be looked up; not an address, a socket's folder or the
 * default. */
bool postgres_hosts_needs_lookup(const struct postgres_host *host);

#endif
