/*
 * lockout.h - slows down whoever guesses: after some failures each further
 * try has to wait, twice as long as the one before.
 *
 * Counted per key, which is a name as it was given (whether there is such an
 * account or not) or an address.  In memory, bounded; what failed longest ago
 * is forgotten first.
 */
#ifndef ADMIN_LOCKOUT_H
#define ADMIN_LOCKOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/siphash.h"
#include "base/str.h"

struct lockout;

enum {
    LOCKOUT_KEYS_MAX = 4096,
    LOCKOUT_KEY_MAX = 160,
    LOCKOUT_FREE = 5, /* failures that cost nothing */
    LOCKOUT_FIRST_MS = 1000,
    LOCKOUT_MAX_MS = 15 * 60 * 1000,
    LOCKOUT_FORGET_MS = 3600 * 1000, /* after the last failure */
};
#define LOCKOUT_TRUST_MS (INT64_C(30) * 24 * 3600 * 1000)

MUST_CHECK enum err lockout_new(struct siphash_key seed, struct lockout **ret);
void lockout_free(struct lockout *l); /* NULL is allowed */

/*
 * A try begins.  0: it may, and counts as failed until lockout_clear() or
 * lockout_undo(), so that tries at the same time count as well; else how long
 * (ms) until it may.
 */
int64_t lockout_try(struct lockout *l, struct str key, int64_t now_ms);
/* It succeeded: nothing is held against the key any more. */
void lockout_clear(struct lockout *l, struct str key);
/* The same, and who succeeded is known for LOCKOUT_TRUST_MS. */
void lockout_trust(struct lockout *l, struct str key, int64_t now_ms);
bool lockout_is_trusted(const struct lockout *l, struct str key,
                        int64_t now_ms);
/* It was not decided (no store, no thread): it does not count. */
void lockout_undo(struct lockout *l, struct str key);

#endif
