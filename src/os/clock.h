/*
 * clock.h - the system's clocks, for where there is no loop.
 */
#ifndef OS_CLOCK_H
#define OS_CLOCK_H

#include <stdint.h>

int64_t clock_wall_us(void);      /* Unix time */
int64_t clock_monotonic_ms(void); /* since an arbitrary start */
int64_t clock_monotonic_ns(void);

#endif
