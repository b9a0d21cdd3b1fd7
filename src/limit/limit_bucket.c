/* limit_bucket.c - see limit_bucket.h. */
#include "limit/limit_bucket.h"

#include <assert.h>

/* Requests times microseconds of long windows go beyond 64 bits. */
__extension__ typedef unsigned __int128 wide;

static int64_t divide_up(wide units, uint64_t by)
{
    wide n = (units + by - 1) / by;
    return n > (wide)INT64_MAX ? INT64_MAX : (int64_t)n;
}

static void fill(struct limit_bucket *b)
{
    b->level = b->requests;
    b->part = 0;
}

static void resize(struct limit_bucket *b, uint64_t requests,
                   uint64_t window_us, int64_t now_us)
{
    bool fresh = b->requests == 0;

    if (b->window_us != window_us)
        b->part = 0;
    b->requests = requests;
    b->window_us = window_us;
    if (fresh)
        b->at_us = now_us;
    if (fresh || b->level >= requests)
        fill(b);
}

static void add(struct limit_bucket *b, uint64_t elapsed_us)
{
    uint64_t units;
    uint64_t whole;

    if (elapsed_us >= b->window_us) {
        fill(b);
        return;
    }
    if (!__builtin_mul_overflow(elapsed_us, b->requests, &units) &&
        !__builtin_add_overflow(units, b->part, &units)) {
        whole = units / b->window_us;
        b->part = units % b->window_us;
    } else {
        wide all = (wide)elapsed_us * b->requests + b->part;
        whole = (uint64_t)(all / b->window_us);
        b->part = (uint64_t)(all % b->window_us);
    }
    b->level += whole;
    if (b->level >= b->requests)
        fill(b);
}

void limit_bucket_refill(struct limit_bucket *b, uint64_t requests,
                         uint64_t window_us, int64_t now_us)
{
    assert(requests > 0 && window_us > 0 && now_us >= 0);
    if (b->requests != requests || b->window_us != window_us)
        resize(b, requests, window_us, now_us);
    if (now_us >= b->at_us) {
        add(b, (uint64_t)(now_us - b->at_us));
        b->at_us = now_us;
        return;
    }
    uint64_t back = (uint64_t)(b->at_us - now_us);
    if (back > window_us && back > LIMIT_BUCKET_LEAP_US)
        b->at_us = now_us;
}

int64_t limit_bucket_wait_us(const struct limit_bucket *b)
{
    if (b->level > 0)
        return 0;
    return divide_up((wide)b->window_us - b->part, b->requests);
}

int64_t limit_bucket_full_us(const struct limit_bucket *b)
{
    if (b->level >= b->requests)
        return 0;
    wide units = (wide)(b->requests - b->level) * b->window_us - b->part;
    return divide_up(units, b->requests);
}

void limit_bucket_take(struct limit_bucket *b)
{
    assert(b->level > 0);
    b->level--;
}

void limit_bucket_give(struct limit_bucket *b)
{
    if (b->level < b->requests)
        b->level++;
    if (b->level >= b->requests)
        fill(b);
}

bool limit_bucket_is_full(const struct limit_bucket *b, int64_t now_us)
{
    return b->requests == 0 ||
           (now_us >= b->at_us && now_us - b->at_us >= limit_bucket_full_us(b));
}
