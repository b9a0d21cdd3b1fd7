/* pool.c - see pool.h. */
#include "base/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/asan.h"

static void *take_kept(struct pool *p)
{
    void *object = p->kept[--p->count];
    asan_unpoison(object, p->size);
    return object;
}

void *pool_take(struct pool *p, size_t size)
{
    assert(p->size == 0 || p->size == size);
    p->size = size;
    if (p->count == 0)
        return calloc(1, size);
    return memset(take_kept(p), 0, size);
}

void pool_give(struct pool *p, void *object)
{
    if (object == NULL || p->count == POOL_KEPT_MAX) {
        free(object);
        return;
    }
    p->kept[p->count++] = object;
    asan_poison(object, p->size);
}

void pool_release(struct pool *p)
{
    while (p->count > 0)
        free(take_kept(p));
}
