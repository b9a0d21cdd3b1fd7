/* store_queue.c - see store_call.h. */
#include <assert.h>
#include <stdlib.h>

#include "base/container.h"
#include "store/store_call.h"

void store_queue_init(struct store_queue *q)
{
    *q = (struct store_queue){0};
    (void)pthread_mutex_init(&q->lock, NULL);
    list_init(&q->calls);
    list_init(&q->lost);
}

static void free_told(struct list *calls)
{
    LIST_EACH(node, next, calls)
    {
        struct store_call *c = CONTAINER_OF(node, struct store_call, node);
        assert(c->told);
        list_remove(node);
        store_call_free(c);
    }
}

void store_queue_release(struct store_queue *q)
{
    free_told(&q->calls); /* cancelled while they were with the backend */
    free_told(&q->lost);
    (void)pthread_mutex_destroy(&q->lock);
}

static void put(struct store_queue *q, struct store_call *c, bool front)
{
    c->queued = true;
    q->count++;
    q->bytes += c->batch->memory.used;
    if (front)
        list_push_front(&q->calls, &c->node);
    else
        list_push(&q->calls, &c->node);
}

static void take(struct store_queue *q, struct store_call *c)
{
    assert(c->queued && q->count > 0);
    c->queued = false;
    q->count--;
    q->bytes -= c->batch->memory.used;
    list_remove(&c->node);
}

static struct store_call *take_first(struct store_queue *q)
{
    struct list *first = list_first(&q->calls);
    if (first == NULL)
        return NULL;
    struct store_call *c = CONTAINER_OF(first, struct store_call, node);
    take(q, c);
    return c;
}

enum err store_queue_push(struct store_queue *q, struct store_call *c)
{
    (void)pthread_mutex_lock(&q->lock);
    bool room = q->count < STORE_CALLS_MAX &&
                q->bytes + c->batch->memory.used <= STORE_WAITING_MAX;
    if (room)
        put(q, c, false);
    (void)pthread_mutex_unlock(&q->lock);
    return room ? ERR_OK : ERR_OVERLOAD;
}

void store_queue_push_front(struct store_queue *q, struct store_call *c)
{
    (void)pthread_mutex_lock(&q->lock);
    put(q, c, true);
    (void)pthread_mutex_unlock(&q->lock);
}

struct store_call *store_queue_pop(struct store_queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    struct store_call *c = take_first(q);
    (void)pthread_mutex_unlock(&q->lock);
    return c;
}

struct store_call *store_queue_wait(struct store_queue *q,
                                    pthread_cond_t *filled, const bool *stop)
{
    (void)pthread_mutex_lock(&q->lock);
    while (!*stop && list_empty(&q->calls))
        (void)pthread_cond_wait(filled, &q->lock);
    struct store_call *c = *stop ? NULL : take_first(q);
    (void)pthread_mutex_unlock(&q->lock);
    return c;
}

bool store_queue_take(struct store_queue *q, struct store_call *c)
{
    (void)pthread_mutex_lock(&q->lock);
    bool waits = c->queued;
    if (waits)
        take(q, c);
    (void)pthread_mutex_unlock(&q->lock);
    return waits;
}
