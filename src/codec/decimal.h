/*
 * decimal.h - JSON numbers compared as what they say, not as doubles.
 *
 * A decimal borrows the digits of a number's text; nothing is allocated and
 * nothing is rounded, whatever the number of digits.  Every operation is
 * linear in the length of the texts.
 */
#ifndef CODEC_DECIMAL_H
#define CODEC_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* 0.d1d2d3... times ten to the power of `point`, d1 and the last digit not
 * zero.  Zero has no digits, no sign and point 0. */
struct decimal {
    const char *first; /* digits; a '.' may stand between them */
    const char *last;
    int64_t digits;
    int64_t point;
    bool is_negative;
};

/* `text` is a JSON number, as json_number() gives it.  Powers beyond 10^15
 * count as that. */
struct decimal decimal_read(struct str text);

/* <0, 0, >0. */
int decimal_compare(struct decimal a, struct decimal b);

/* 1, 1.0 and 10e-1 are integers. */
bool decimal_is_integer(struct decimal d);

/* Is `d` an integer times `unit`, which is above 0 and has at most
 * DECIMAL_UNIT_DIGITS digits? */
enum { DECIMAL_UNIT_DIGITS = 18 };
bool decimal_is_multiple(struct decimal d, struct decimal unit);

/* A non-negative integer as such; what is larger becomes UINT64_MAX. */
bool decimal_u64(struct decimal d, uint64_t *ret);

/* The same for equal numbers. */
uint64_t decimal_hash(struct decimal d);

#endif
