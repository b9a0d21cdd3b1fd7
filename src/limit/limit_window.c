/* limit_window.c - see limit_window.h. */
#include "limit/limit_window.h"

#include <assert.h>

static uint64_t sum(uint64_t a, uint64_t b)
{
    uint64_t c;
    return __builtin_add_overflow(a, b, &c) ? UINT64_MAX : c;
}

static struct limit_amounts add(struct limit_amounts a, struct limit_amounts b)
{
    return (struct limit_amounts){sum(a.requests, b.requests),
                                  sum(a.tokens, b.tokens)};
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

/*
 * What is under way cannot be told from what was used: its reservations are
 * of a window that is no more.
 */
static void go(struct limit_window *w, int64_t start_us,
               struct limit_amounts used)
{
    struct limit_amounts taken = limit_window_taken(w);

    if (w->left.start_us == start_us)
        used = w->left.taken;
    *w = (struct limit_window){.start_us = start_us,
                               .window_us = w->window_us,
                               .used = used,
                               .turn = w->turn + 1,
                               .left = {w->start_us, taken}};
}

/* Far enough back that it is no other thread's older clock. */
static bool leapt_back(const struct limit_window *w, int64_t start_us,
                       int64_t window_us)
{
    int64_t back = w->start_us - start_us;
    return back > window_us && back > LIMIT_WINDOW_LEAP_US;
}

bool limit_window_turn_to(struct limit_window *w, int64_t start_us,
                          int64_t window_us)
{
    if (w->window_us == 0 || start_us > w->start_us)
        go(w, start_us, (struct limit_amounts){0});
    else if (leapt_back(w, start_us, window_us))
        go(w, start_us, limit_window_taken(w));
    w->window_us = window_us;
    return start_us == w->start_us;
}

void limit_window_turn(struct limit_window *w, int64_t window_us,
                       int64_t now_us)
{
    assert(window_us > 0 && now_us >= 0);
    (void)!limit_window_turn_to(w, now_us - now_us % window_us, window_us);
}

int64_t limit_window_end_us(int64_t start_us, int64_t window_us)
{
    /* One that began under another length ends where the grid has its line. */
    int64_t line = start_us - start_us % window_us;
    return line > INT64_MAX - window_us ? INT64_MAX : line + window_us;
}

struct limit_amounts limit_window_taken(const struct limit_window *w)
{
    return add(w->used, w->reserved);
}

void limit_window_reserve(struct limit_window *w, struct limit_amounts a)
{
    w->reserved = add(w->reserved, a);
}

void limit_window_book(struct limit_window *w, struct limit_amounts reserved,
                       struct limit_amounts used, uint64_t generation)
{
    w->reserved.requests = less(w->reserved.requests, reserved.requests);
    w->reserved.tokens = less(w->reserved.tokens, reserved.tokens);
    w->used = add(w->used, used);
    if (generation < w->generation)
        return;
    if (generation > w->generation)
        w->young = (struct limit_amounts){0};
    w->generation = generation;
    w->young = add(w->young, used);
}

struct limit_amounts limit_window_before(const struct limit_window *w,
                                         uint64_t generation)
{
    if (w->generation != generation)
        return w->used;
    return (struct limit_amounts){less(w->used.requests, w->young.requests),
                                  less(w->used.tokens, w->young.tokens)};
}
