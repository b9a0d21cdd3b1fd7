/*
 * identity_callers.h - the inside of the table of callers; used by identity/
 * only.
 */
#ifndef IDENTITY_IDENTITY_CALLERS_H
#define IDENTITY_IDENTITY_CALLERS_H

#include "identity/identity.h"

/*
 * The caller whose key this is, or NULL.  Takes as long for any key of that
 * length.
 */
const struct caller *identity_callers_find(const struct identity_callers *c,
                                           struct str key);

/* A number that no other table has: what a cache remembers is worth nothing
 * for another table, even at the same address. */
uint64_t identity_callers_number(const struct identity_callers *c);

#endif
