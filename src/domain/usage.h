/*
 * usage.h - what a call consumed.  -1 is unknown.
 */
#ifndef DOMAIN_USAGE_H
#define DOMAIN_USAGE_H

#include <stdbool.h>
#include <stdint.h>

struct usage {
    int64_t input_tokens;
    int64_t output_tokens;
    int64_t cached_tokens;    /* part of input_tokens */
    int64_t reasoning_tokens; /* part of output_tokens */
    bool estimated;           /* counted by us: the provider did not say */
};

#define USAGE_UNKNOWN ((struct usage){-1, -1, -1, -1, false})

#endif
