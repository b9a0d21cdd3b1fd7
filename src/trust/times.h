/*
 * times.h - the times that issuers are fetched by; tests have shorter ones.
 */
#ifndef TRUST_TIMES_H
#define TRUST_TIMES_H

#include <stdint.h>

struct trust;

struct trust_times {
    int64_t want_ms;                    /* between two fetches for callers */
    int64_t fetch_ms;                   /* for one fetch, from end to end */
    int64_t retry_min_ms, retry_max_ms; /* after a failure, doubling */
    int64_t pause_min_ms;               /* between two rounds, at least */
    int64_t watch_ms;                   /* between two looks at the clock */
};

/* Instead of those that hold after trust_new(); from now on. */
void trust_set_times(struct trust *t, const struct trust_times *times);

/* What to wait after `failures` failures in a row, before jitter. */
int64_t times_retry_ms(const struct trust_times *times, unsigned failures);

/* `ms` less a part of up to an eighth of it, which `draw` decides. */
int64_t times_jitter_ms(int64_t ms, uint64_t draw);

#endif
