/*
 * siphash.h - SipHash-2-4: a short keyed hash for hash tables and caches
 * whose keys come from outside (Aumasson and Bernstein, 2012).
 *
 * The key is drawn once per process, so that nobody outside can choose keys
 * that collide.  Not a MAC: 64 bits are no proof of anything.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stdint.h>

#include "base/str.h"

struct siphash_key {
    uint64_t k0, k1;
};

uint64_t siphash(struct siphash_key key, struct str s);

#endif
