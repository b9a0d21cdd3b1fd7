/*
 * limit_window.h - what a budget gave out in the window that it is in.
 *
 * Windows are fixed and aligned to Unix time.  Pure but for its own struct;
 * the lock is the caller's.  Amounts are at most LIMIT_AMOUNT_MAX each and
 * sums stay at UINT64_MAX, so nothing wraps.
 */
#ifndef LIMIT_LIMIT_WINDOW_H
#define LIMIT_LIMIT_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct limit_amounts {
    uint64_t requests, tokens;
};

/* All zero: never used. */
struct limit_window {
    int64_t start_us, window_us;
    struct limit_amounts used, reserved;
    struct limit_amounts young; /* the part of `used` of this generation: */
    uint64_t generation;
    uint32_t turn; /* rises with each window: a reservation is of one */
    struct {
        int64_t start_us;
        struct limit_amounts taken;
    } left; /* the window before, in case that the clock comes back to it */
};

/*
 * Goes to the window of `now_us`; the length is as the rules have it now.  A
 * clock that goes back leaves it where it is; by more than a window and
 * LIMIT_WINDOW_LEAP_US, what was taken goes back with it.  The window that
 * was left last is found as it was, whichever way the clock went.
 */
#define LIMIT_WINDOW_LEAP_US INT64_C(60000000)
void limit_window_turn(struct limit_window *w, int64_t window_us,
                       int64_t now_us);
/* The same to a window that is known from a note or checkpoint.  False: it is
 * over, and a later one is there. */
MUST_CHECK bool limit_window_turn_to(struct limit_window *w, int64_t start_us,
                                     int64_t window_us);

/* When the window that begins at `start_us` ends. */
int64_t limit_window_end_us(int64_t start_us, int64_t window_us);

/* Used and reserved. */
struct limit_amounts limit_window_taken(const struct limit_window *w);

void limit_window_reserve(struct limit_window *w, struct limit_amounts a);
/* `reserved` was taken by a reservation of `generation`, and used was that. */
void limit_window_book(struct limit_window *w, struct limit_amounts reserved,
                       struct limit_amounts used, uint64_t generation);

/* What reservations of older generations used. */
struct limit_amounts limit_window_before(const struct limit_window *w,
                                         uint64_t generation);

#endif
