/* times.c - see times.h. */
#include "trust/times.h"

enum { JITTER_PART = 8 };

int64_t times_retry_ms(const struct trust_times *times, unsigned failures)
{
    int64_t ms = times->retry_min_ms;
    for (unsigned i = 1; i < failures && ms < times->retry_max_ms; i++)
        ms *= 2;
    return ms < times->retry_max_ms ? ms : times->retry_max_ms;
}

int64_t times_jitter_ms(int64_t ms, uint64_t draw)
{
    int64_t most = ms / JITTER_PART;
    return most <= 0 ? ms : ms - (int64_t)(draw % ((uint64_t)most + 1));
}
