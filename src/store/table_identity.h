/*
 * table_identity.h - who is in the registry.
 *
 * Times are Unix time.  `purposes` is a JSON array of strings.  What the
 * words of kind, mode and state mean is the registry's business.
 */
#ifndef STORE_TABLE_IDENTITY_H
#define STORE_TABLE_IDENTITY_H

#include "store/store.h"

struct table_identity {
    struct str id, kind; /* together the primary key */
    struct str tenant, issuer, name, owner;
    struct str purposes;
    struct str mode;
    int64_t risk;
    struct str state;
    int64_t created_us, expires_us;
    int64_t revision;
};

/* Makes the row, or puts it in place of the one with its id and kind. */
MUST_CHECK enum err table_identity_put(struct store_batch *b,
                                       const struct table_identity *row);

/* Makes the row unless there is one with its id and kind. */
MUST_CHECK enum err table_identity_add(struct store_batch *b,
                                       const struct table_identity *row);

/*
 * Up to `max` rows behind (id, kind), which need not exist, in the order of
 * the database, which may not be that of bytes; both empty: from the start.
 */
MUST_CHECK enum err table_identity_page(struct store_batch *b, struct str id,
                                        struct str kind, int64_t max);

/* False: not a row of the above. */
MUST_CHECK bool table_identity_read(const struct store_value *columns, size_t n,
                                    struct table_identity *ret);

#endif
