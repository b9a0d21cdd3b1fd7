/*
 * num.h - numbers as text, read strictly: the whole string, no sign unless
 * said, no blanks, no overflow.
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

/* Decimal digits only; false when empty, not a number or above `max`. */
MUST_CHECK bool num_u64(struct str s, uint64_t max, uint64_t *ret);

/* As above with an optional leading '-'. */
MUST_CHECK bool num_i64(struct str s, int64_t *ret);

/*
 * "250ms" "30s" "15m" "8h" "1d" to milliseconds; the unit is mandatory, but
 * "0" alone is zero.
 */
MUST_CHECK bool num_duration_ms(struct str s, int64_t *ret_ms);

/* "512" "64KB" "8MB" "1GB" (powers of 1024) to bytes. */
MUST_CHECK bool num_bytes(struct str s, uint64_t *ret_bytes);

/*
 * A decimal with at most six places to millionths: "0.15" is 150000.  For
 * money (micro-dollars) and ratios; no floating point on the way.
 */
MUST_CHECK bool num_micros(struct str s, int64_t *ret_micros);

#endif
