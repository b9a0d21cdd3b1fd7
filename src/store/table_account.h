/*
 * table_account.h - the people who may use the admin plane by passphrase.
 *
 * Not a projection: what stands here is in no evidence.  A passphrase is kept
 * as its scrypt hash, the secret of the one-time codes sealed.
 */
#ifndef STORE_TABLE_ACCOUNT_H
#define STORE_TABLE_ACCOUNT_H

#include "store/store.h"

struct table_account {
    struct str name;
    int64_t created_us;    /* Unix time */
    struct str salt, hash; /* of the passphrase */
    struct str totp;       /* nonce, tag and sealed secret */
    int64_t totp_step;     /* the last one whose code was taken */
};

/* One row, or none. */
MUST_CHECK enum err table_account_get(struct store_batch *b, struct str name);
/* STORE_CONFLICT when there is one of that name. */
MUST_CHECK enum err table_account_add(struct store_batch *b,
                                      const struct table_account *a);
/*
 * The code of `step` is used up.  One row when it was not so before; none
 * when that step, or a later one, was taken already.
 */
MUST_CHECK enum err table_account_take_step(struct store_batch *b,
                                            struct str name, int64_t step);

/* False: not a row of table_account_get().  Borrows from the columns. */
MUST_CHECK bool table_account_read(const struct store_value *columns, size_t n,
                                   struct table_account *ret);

#endif
