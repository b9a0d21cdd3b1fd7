/*
 * limit_bucket.h - a token bucket: `requests` per `window`, refilled evenly;
 * after a quiet window as many may come at once.
 *
 * Exact: what is left over of a division is kept.  Pure but for its own
 * struct; the lock is the caller's.
 */
#ifndef LIMIT_LIMIT_BUCKET_H
#define LIMIT_LIMIT_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: full, whatever its size. */
struct limit_bucket {
    uint64_t requests;  /* when full; 0: never used */
    uint64_t window_us; /* in which so many come back */
    uint64_t level;     /* requests that it has room for */
    uint64_t part;      /* of the next one; window_us is a whole one */
    int64_t at_us;      /* when that was so */
};

/*
 * What has come back by `now_us`.  Size and window are as the rules have them
 * now.  A clock that goes back gives nothing; by more than a window (and
 * LIMIT_BUCKET_LEAP_US), time is counted from there.
 */
enum { LIMIT_BUCKET_LEAP_US = 5 * 1000 * 1000 };
void limit_bucket_refill(struct limit_bucket *b, uint64_t requests,
                         uint64_t window_us, int64_t now_us);

/* Of a bucket as it was refilled last: until there is room for one, and until
 * it is full. */
int64_t limit_bucket_wait_us(const struct limit_bucket *b);
int64_t limit_bucket_full_us(const struct limit_bucket *b);

/* One request; there is room. */
void limit_bucket_take(struct limit_bucket *b);
/* It was not sent. */
void limit_bucket_give(struct limit_bucket *b);

/* Nothing would be lost with it. */
bool limit_bucket_is_full(const struct limit_bucket *b, int64_t now_us);

#endif
