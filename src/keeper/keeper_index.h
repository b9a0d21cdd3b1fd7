/*
 * keeper_index.h - which sessions have a key, and the place of its record: a
 * table from 16-byte ids to numbers.
 *
 * Open addressing, 20 bytes a slot and at most three quarters full, so
 * KEEPER_SESSIONS_MAX ids take 160 MiB and a young node takes 20 KiB.  Seeded,
 * since a gateway that was taken over chooses the ids.  The all-zero id is no
 * id: it marks a free slot.
 */
#ifndef KEEPER_KEEPER_INDEX_H
#define KEEPER_KEEPER_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/siphash.h"
#include "keeper/keeper_protocol.h"

enum { KEEPER_SESSIONS_MAX = 4 * 1024 * 1024 };

struct keeper_index {
    unsigned char (*slots)[KEEPER_SESSION_ID_LEN]; /* heap */
    uint32_t *places;                              /* heap; one a slot */
    size_t room;                                   /* 0 or a power of two */
    size_t used;
    struct siphash_key seed;
};

/* Cannot fail and allocates nothing. */
void keeper_index_init(struct keeper_index *x, struct siphash_key seed);
void keeper_index_release(struct keeper_index *x);

/* Makes room for `n` ids at once.  ERR_LIMIT, ERR_NO_MEMORY. */
MUST_CHECK enum err keeper_index_reserve(struct keeper_index *x, size_t n);

bool keeper_index_has(const struct keeper_index *x,
                      const unsigned char id[KEEPER_SESSION_ID_LEN]);

/* False: not in.  Else *ret_place is what was given with it. */
MUST_CHECK bool keeper_index_find(const struct keeper_index *x,
                                  const unsigned char id[KEEPER_SESSION_ID_LEN],
                                  uint32_t *ret_place);

/*
 * ERR_LIMIT: KEEPER_SESSIONS_MAX are in.  ERR_NO_MEMORY.  `id` is not zero;
 * *ret_new is false when it was in, and then keeps its place.
 */
MUST_CHECK enum err
keeper_index_add(struct keeper_index *x,
                 const unsigned char id[KEEPER_SESSION_ID_LEN], uint32_t place,
                 bool *ret_new);

/* Does nothing when `id` is not in. */
void keeper_index_remove(struct keeper_index *x,
                         const unsigned char id[KEEPER_SESSION_ID_LEN]);

#endif
