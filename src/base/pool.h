/*
 * pool.h - objects of one size that come and go with every call.
 *
 * What is given back is kept for the next one, up to a number: with hundreds
 * of calls under way the heap's own caches are too small, and it searches and
 * merges.  Zero-initialised, a pool is empty.
 *
 * Not thread-safe: a pool belongs to one loop.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

#include "base/attr.h"

enum { POOL_KEPT_MAX = 512 }; /* objects kept */

struct pool {
    size_t count; /* of `kept` */
    size_t size;  /* bytes of each; 0: not known yet */
    /* By address and not as a list, which would lead through memory that
     * nobody touched for hundreds of calls. */
    void *kept[POOL_KEPT_MAX];
};

/* `size` zeroed bytes, the same at every call, aligned for any type; NULL: no
 * memory. */
MUST_CHECK void *pool_take(struct pool *p, size_t size);

/* `object` is from pool_take(); NULL does nothing. */
void pool_give(struct pool *p, void *object);

/* Frees what is kept; what was taken may still be given back. */
void pool_release(struct pool *p);

#endif
