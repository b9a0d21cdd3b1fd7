/*
 * limit_table.h - the counters themselves, in stripes with a lock each.
 *
 * A counter is known by its key, the limit's name and whom it counts with a
 * NUL between.  It stays where it is while it is pinned; then limit_sweep()
 * may free it.  Used by limit*.c only.
 */
#ifndef LIMIT_LIMIT_TABLE_H
#define LIMIT_LIMIT_TABLE_H

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "base/list.h"
#include "base/map.h"
#include "limit/limit.h"
#include "limit/limit_bucket.h"
#include "limit/limit_window.h"

enum {
    LIMIT_TABLE_STRIPES = 256, /* a power of two */
    LIMIT_TABLE_LINE = 128,    /* bytes that processors fetch together */
};

struct limit_counter {
    struct list node;            /* of the stripe, oldest first */
    struct limit_counter *chain; /* in the bucket of the table */
    uint64_t hash;
    unsigned pins;   /* reservations, and who walks over the table */
    unsigned active; /* of concurrency */
    struct limit_bucket bucket;
    struct limit_window window;
    unsigned name_len, key_len;
    char key[];
};
struct str limit_table_name(const struct limit_counter *counter);
struct str limit_table_whom(const struct limit_counter *counter);

struct limit_stripe {
    alignas(LIMIT_TABLE_LINE) pthread_mutex_t lock;
    struct limit_counter **table;
    size_t room, count;
    struct list all;
    /* Reservations that have their first budget here, by when they began. */
    uint64_t generation;
    uint64_t open_young, open_old;
};

struct limit_counters {
    struct limit_stripe stripes[LIMIT_TABLE_STRIPES];
    struct siphash_key seed;
    _Atomic uint64_t generation;
    _Atomic size_t count;
    struct map replay; /* open intents by index */
};

struct limit_stripe *limit_table_stripe(struct limit_counters *c,
                                        uint64_t hash);
void limit_table_lock(struct limit_stripe *s);
void limit_table_unlock(struct limit_stripe *s);

/* With the lock held.  Found or made; ERR_LIMIT, ERR_NO_MEMORY. */
MUST_CHECK enum err limit_table_get(struct limit_counters *c,
                                    struct limit_stripe *s, uint64_t hash,
                                    struct str key, size_t name_len,
                                    struct limit_counter **ret);

/* The counter of these two, locked: *ret_stripe is to be unlocked.  ERR_LIMIT,
 * ERR_NO_MEMORY: nothing is locked. */
MUST_CHECK enum err limit_table_open(struct limit_counters *c, struct str limit,
                                     struct str whom,
                                     struct limit_stripe **ret_stripe,
                                     struct limit_counter **ret);

/* With the lock held: frees one that nobody has pinned. */
void limit_table_drop(struct limit_counters *c, struct limit_stripe *s,
                      struct limit_counter *k);

/* With the lock held: a reservation begins or ends there. */
uint64_t limit_table_begin(struct limit_counters *c, struct limit_stripe *s);
void limit_table_end(struct limit_counters *c, struct limit_stripe *s,
                     uint64_t generation);
/* And how many of older generations are open there. */
uint64_t limit_table_older(struct limit_counters *c, struct limit_stripe *s);

#endif
