/*
 * logins.h - who is logged in: random bearer tokens, of which only the hash
 * is kept, in memory.  A restart logs everybody out.
 */
#ifndef ADMIN_LOGINS_H
#define ADMIN_LOGINS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/siphash.h"
#include "base/str.h"

struct logins;

enum {
    LOGINS_MAX = 1024, /* beyond, the one that was used longest ago ends */
    LOGINS_PER_NAME_MAX = 16, /* the same for one account */
    LOGINS_NAME_MAX = 64,
    LOGINS_TOKEN_LEN = 11 + 43, /* "writ_admin_" and base64url */
};
#define LOGINS_IDLE_US (INT64_C(30) * 60 * 1000000)
#define LOGINS_MAX_US (INT64_C(12) * 3600 * 1000000)

MUST_CHECK enum err logins_new(struct siphash_key seed, struct logins **ret);
void logins_free(struct logins *l); /* NULL is allowed */

/* A new one of the account `name`; its token to `to`, no NUL. */
MUST_CHECK enum err logins_begin(struct logins *l, struct str name,
                                 int64_t now_us, char to[LOGINS_TOKEN_LEN]);

/* The name that `token` was given to, which counts as a use; false: to
 * nobody, or it is over.  Borrowed until the next call. */
MUST_CHECK bool logins_find(struct logins *l, struct str token, int64_t now_us,
                            struct str *ret_name);

/* When the owner of `token`, which logins_find() has found, logged in. */
int64_t logins_began_us(const struct logins *l, struct str token);

/* The token is worth nothing any more. */
void logins_end(struct logins *l, struct str token);

size_t logins_count(const struct logins *l);

#endif
