/* pool.c - see pool.h. */
#include "base/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/asan.h"

struct pool_object {
    struct pool_object *next;
};

static void *take_kept(struct pool *p)
{
    struct pool_object *o = p->kept;
    asan_unpoison(o, p->size);
    p->kept = o->next;
    p->count--;
    return o;
}

void *pool_take(struct pool *p, size_t size)
{
    assert(size >= sizeof(struct pool_object));
    assert(p->size == 0 || p->size == size);
    p->size = size;
    if (p->kept == NULL)
        return calloc(1, size);
    return memset(take_kept(p), 0, size);
}

void pool_give(struct pool *p, void *object)
{
    if (object == NULL || p->count == POOL_KEPT_MAX) {
        free(object);
        return;
    }
    struct pool_object *o = object;
    o->next = p->kept;
    p->kept = o;
    p->count++;
    asan_poison(o, p->size);
}

void pool_release(struct pool *p)
{
    while (p->kept != NULL)
        free(take_kept(p));
}
