/*
 * map.h - hash table from byte strings to pointers.
 *
 * Keys are borrowed: they live at least as long as their entry (usually they
 * are a field of the value).  Seeded, so keys from outside cannot be chosen
 * to collide.  Open addressing; grows by doubling up to the maximum given to
 * map_init(), then refuses.
 *
 * Not thread-safe for writers; any number of readers while nobody writes.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/siphash.h"
#include "base/str.h"

struct map_slot {
    struct str key;
    void *value; /* NULL: free, or removed when key.ptr is set */
    uint64_t hash;
};

struct map {
    struct map_slot *slots; /* heap; a power of two of them */
    size_t room, used, dead;
    size_t max; /* entries */
    struct siphash_key seed;
};

/* Cannot fail and allocates nothing. */
void map_init(struct map *m, struct siphash_key seed, size_t max);

/* Frees the table, not the values. */
void map_release(struct map *m);

/* The value of `key`, borrowed, or NULL. */
void *map_get(const struct map *m, struct str key);

/*
 * Sets `key` to `value`, which must not be NULL; replaces an old one, whose
 * pointer then is lost.  ERR_LIMIT: full.  ERR_NO_MEMORY.
 */
MUST_CHECK enum err map_set(struct map *m, struct str key, void *value);

/* Removes and returns the value, or NULL. */
void *map_take(struct map *m, struct str key);

static inline size_t map_count(const struct map *m)
{
    return m->used;
}

/*
 * Steps over all entries: start with *at = 0; false at the end.  The map
 * must not change between steps.
 */
bool map_next(const struct map *m, size_t *at, struct str *ret_key,
              void **ret_value);

#endif
