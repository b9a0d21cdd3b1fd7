/* limit_counters.c - the counters as a whole. */
#include <assert.h>
#include <stdlib.h>

#include "crypto/hash.h"
#include "limit/limit_table.h"

enum err limit_counters_new(struct limit_counters **ret)
{
    struct limit_counters *c =
        aligned_alloc(alignof(struct limit_counters), sizeof(*c));

    if (c == NULL)
        return ERR_NO_MEMORY;
    memset(c, 0, sizeof(*c));
    for (size_t i = 0; i < LIMIT_TABLE_STRIPES; i++) {
        int failed = pthread_mutex_init(&c->stripes[i].lock, NULL);
        assert(failed == 0); /* cannot fail for a plain one */
        list_init(&c->stripes[i].all);
    }
    c->seed = hash_random_seed();
    atomic_init(&c->generation, 0);
    map_init(&c->replay, c->seed, LIMIT_COUNTERS_MAX);
    *ret = c;
    return ERR_OK;
}

static void release_stripe(struct limit_stripe *s)
{
    LIST_EACH(it, next, &s->all)
    {
        free(CONTAINER_OF(it, struct limit_counter, node));
    }
    free((void *)s->table);
    int failed = pthread_mutex_destroy(&s->lock);
    assert(failed == 0);
}

void limit_counters_free(struct limit_counters *c)
{
    size_t at = 0;
    struct str index;
    void *open;

    if (c == NULL)
        return;
    while (map_next(&c->replay, &at, &index, &open))
        free(open);
    map_release(&c->replay);
    for (size_t i = 0; i < LIMIT_TABLE_STRIPES; i++)
        release_stripe(&c->stripes[i]);
    free(c);
}
