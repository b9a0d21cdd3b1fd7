/*
 * jwt.h - what a token says (RFC 7519, 9068), read but not believed.
 *
 * `typ`: an access token says so. "at+jwt" (or "application/at+jwt", in any
 * case) is taken; "JWT", "JOSE" and none at all are not, since ID tokens look
 * like that (RFC 9068 section 4; RFC 8725, 3.11). The exception is the token
 * of a workload: nobody logs in as one, and those who issue such tokens
 * (SPIFFE's JWT-SVID, Kubernetes, CI systems) say "JWT" or nothing. Where its
 * `sub` is a SPIFFE id, the algorithm of a plain one is not EdDSA (JWT-SVID
 * section 2). Every other `typ` (dpop+jwt, logout+jwt, secevent+jwt, ...) is
 * for another purpose.
 */
#ifndef IDENTITY_JWT_H
#define IDENTITY_JWT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/json.h"
#include "domain/settings.h"
#include "identity/jws.h"

enum jwt_typ {
    JWT_TYP_OTHER = 0, /* refused */
    JWT_TYP_ACCESS,
    JWT_TYP_PLAIN, /* "JWT", "JOSE", or absent */
};
enum jwt_typ jwt_typ(const struct jws *j);

struct jwt {
    const struct json *claims; /* the whole object */
    struct str iss, sub;       /* never empty */
    struct str client;         /* azp, else client_id, else empty */
    struct str acr;            /* or empty */
    int64_t exp_us, iat_us;    /* Unix time */
    int64_t auth_time_us;      /* the same; 0: none */
    int64_t nbf_us;            /* the same; 0: none */
};

/*
 * Reads the claims of `j`; *ret borrows from it and from `a`.
 *
 * ERR_MALFORMED: no JSON object, or a member twice; `iss`, `sub`, `exp` or
 * `iat` missing; a time that is no number of seconds from 0 to the year 9999
 * (integer or decimal, no exponent), or `exp` not after `iat`; a claim of
 * another type than it has to be, `acr` over NAME_MAX_LEN or with control
 * characters; `at_hash`, `c_hash` (an ID token) or `events` (a security event,
 * a logout); `cnf`, since possession of its key cannot be proven here.
 * ERR_LIMIT: `a` is full.
 */
MUST_CHECK enum err jwt_read(struct arena *a, const struct jws *j,
                             struct jwt *ret);

/* `aud`, a string or an array of nothing but strings, names one of `ours`. */
bool jwt_is_for(const struct jwt *t, const struct names *ours);

/*
 * Between `nbf` and `exp`, not from the future and not older than `max_age_us`
 * (0: any age); clocks may differ by `skew_us`.
 */
bool jwt_is_current(const struct jwt *t, int64_t now_us, int64_t skew_us,
                    int64_t max_age_us);

#endif
