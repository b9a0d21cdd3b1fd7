/*
 * hashing.h - scrypt on threads of its own: it takes too long for a loop.
 */
#ifndef ADMIN_HASHING_H
#define ADMIN_HASHING_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

struct hashing;
struct loop;

enum {
    HASHING_AT_ONCE = 2, /* 32 MiB each */
    HASHING_LEN = 32,
    HASHING_SALT_LEN = 16,
    HASHING_PASSPHRASE_MAX = 1024,
};

MUST_CHECK enum err hashing_new(struct loop *l, struct hashing **ret);
/* Waits for what is under way; no `done` runs.  NULL is allowed. */
void hashing_free(struct hashing *h);

/*
 * Hashes a copy of `passphrase`, which is wiped.  `done` runs once, in a later
 * turn; `hash` is borrowed and wiped after it, NULL on an error.
 * ERR_OVERLOAD: HASHING_AT_ONCE are under way.  ERR_LIMIT: too long, or no
 * thread.
 */
struct hashing_ask {
    struct str passphrase;
    struct str salt; /* HASHING_SALT_LEN bytes */
    void (*done)(void *user, enum err e, const unsigned char *hash);
    void *user;
};
MUST_CHECK enum err hashing_begin(struct hashing *h,
                                  const struct hashing_ask *ask);

#endif
