/*
 * location.h - where a document of an issuer is fetched from.
 */
#ifndef TRUST_LOCATION_H
#define TRUST_LOCATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

struct location {
    bool tls;
    bool local;      /* names a loopback or link-local address */
    struct str host; /* lower-case; IPv6 without brackets */
    uint16_t port;
    struct str target; /* path and query, as sent */
};

/*
 * Reads a URL: https, or http to loopback, or http to anywhere when
 * `insecure`.  *ret borrows from `a`.  ERR_MALFORMED: *ret_why is a static
 * text.  ERR_NO_MEMORY: `a` is full.
 */
MUST_CHECK enum err location_of(struct arena *a, struct str url, bool insecure,
                                struct location *ret, const char **ret_why);

/*
 * The places where an issuer describes itself, in the order in which they are
 * tried: OpenID Connect Discovery 1.0, section 4, then RFC 8414, section 3.
 * As above; an issuer has no query.
 */
enum { LOCATION_DISCOVERY_COUNT = 2 };
MUST_CHECK enum err
location_discovery(struct arena *a, struct str issuer, bool insecure,
                   struct location ret[LOCATION_DISCOVERY_COUNT],
                   const char **ret_why);

#endif
