/*
 * secret.h - memory for keys: on pages of its own, between two that cannot
 * be touched, never in a core dump, zero in a forked child, and not swapped
 * out where RLIMIT_MEMLOCK allows it (where it does not, the rest still
 * holds).
 *
 * One allocation costs three pages and a few system calls: it is for the
 * handful of keys that live as long as the process.
 */
#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H

#include <stddef.h>

#include "base/attr.h"

enum { SECRET_MAX = 4096 }; /* bytes; no machine has smaller pages */

/*
 * `n` zeroed bytes, 1 to SECRET_MAX, aligned for any type.  NULL: no memory.
 */
MUST_CHECK void *secret_alloc(size_t n);

/* Wipes and gives back; NULL is allowed. */
void secret_free(void *secret);

#endif
