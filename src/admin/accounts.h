/*
 * accounts.h - people who log in with a passphrase and a one-time code.
 *
 * A passphrase is kept as its scrypt hash.  The secret of the codes is sealed
 * under a key that follows from the keeper's.  A code is taken once.
 *
 * Nothing tells an unknown name from a wrong passphrase or a wrong code: all
 * of it is computed for each of them.
 *
 * On one loop.
 */
#ifndef ADMIN_ACCOUNTS_H
#define ADMIN_ACCOUNTS_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "crypto/totp.h"

struct accounts;
struct loop;
struct store;

enum {
    ACCOUNTS_NAME_MAX = 64,
    ACCOUNTS_PASSPHRASE_MIN = 12, /* bytes */
    ACCOUNTS_PASSPHRASE_MAX = 1024,
};

/* `caller_key` is the keeper's, not empty; the store is open. */
MUST_CHECK enum err accounts_new(struct loop *l, struct store *s,
                                 struct str caller_key, struct accounts **ret);
/* Waits for what is being hashed; what is under way ends with ERR_SHUTDOWN.
 * NULL is allowed. */
void accounts_free(struct accounts *a);

/* Lower-case letters, digits, '.', '-', '_', a letter first. */
bool accounts_name_ok(struct str name);

struct accounts_login {
    struct str name, passphrase, code; /* copied */
    /* ERR_OK; ERR_UNAUTHENTICATED; ERR_STORE, ERR_OVERLOAD, ERR_NO_MEMORY:
     * nobody knows.  Once, in a later turn. */
    void (*done)(void *user, enum err e);
    void *user;
};
/* ERR_STORE, ERR_OVERLOAD, ERR_NO_MEMORY: `done` does not run. */
MUST_CHECK enum err accounts_check(struct accounts *a,
                                   const struct accounts_login *in);

struct accounts_entry {
    struct str name, passphrase; /* copied */
    const unsigned char *secret; /* TOTP_SECRET_LEN bytes */
    int64_t step; /* of the code that proved the secret; it is used up */
    /* ERR_OK; ERR_CONFLICT: there is one of that name; ERR_STORE, ... */
    void (*done)(void *user, enum err e);
    void *user;
};
MUST_CHECK enum err accounts_add(struct accounts *a,
                                 const struct accounts_entry *in);

#endif
