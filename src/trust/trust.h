/*
 * trust.h - fetches and refreshes the keys of issuers (OpenID Connect
 * Discovery 1.0, RFC 8414, RFC 7517), and hands them on as `struct issuers`.
 *
 * One, on the control thread's loop.  An issuer that fails (an error, no
 * answer, garbage, an empty or huge set) keeps the keys it had, for
 * max_stale; then it has none and its tokens are refused.  Fetches are timed
 * by `refresh`, repeated after failures with back-off, and asked for when a
 * token names an unknown key: at most once in TRUST_WANT_MS per issuer,
 * whatever callers send.
 *
 * Discovery must name the issuer that was asked, byte by byte; jwks_uri must
 * be https, or loopback where the issuer itself is there.  Redirects are not
 * followed.  Keys are fetched often enough that max_stale never ends them
 * between two fetches that succeed.
 */
#ifndef TRUST_TRUST_H
#define TRUST_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "domain/settings.h"
#include "identity/issuers.h"

struct http_client;
struct loop;
struct trust;

enum { TRUST_WANT_MS = 30000, TRUST_FETCH_MS = 5000 };

/* From the loop, never inside a call; trust_free() must not be called there. */
struct trust_events {
    /* The issuers as they are now; one reference for the callee.  Also once,
     * in a later turn, after each trust_use(). */
    void (*changed)(void *user, struct issuers *i);
    /* The fetch that trust_want() waits for has ended, either way; `changed`
     * came before when there was something new.  Once for all that wait. */
    void (*wanted)(void *user, size_t issuer);
    /* For the log, when an issuer begins to fail, loses its keys for their
     * age, or recovers.  Nothing of trust.h may be called there. */
    void (*health)(void *user, struct str alias, bool ok, struct str why);
    void *user;
};

MUST_CHECK enum err trust_new(struct loop *l, struct http_client *client,
                              const struct trust_events *events,
                              struct trust **ret);
/* No event follows.  Before the client is freed.  NULL is allowed. */
void trust_free(struct trust *t);

/*
 * The configuration from now on; copied.  Keys of an issuer whose alias,
 * `iss` and URL stay are kept.  ERR_NO_MEMORY, ERR_CONFIG (a CA file, a URL,
 * an alias that is there twice); then all is as it was.
 */
MUST_CHECK enum err trust_use(struct trust *t, const struct settings *s);

/*
 * A token of issuer number `issuer` names a key that is not known.  `wanted`
 * follows, with that number: in a later turn at once when a fetch began less
 * than TRUST_WANT_MS ago, else when the fetch ended, or with the trust_use()
 * that gives the issuer another number or none.
 */
void trust_want(struct trust *t, size_t issuer);

/* For `status`; texts until the loop's next event. */
struct trust_state {
    struct str alias;
    bool usable;        /* it has keys that may be used */
    int64_t fetched_us; /* Unix time of the last success; 0: none */
    struct str why;     /* of the last failure since; empty: none */
};
/* How many issuers there are; of those the first `max` are written. */
size_t trust_states(const struct trust *t, struct trust_state *to, size_t max);

#endif
