/*
 * nearest.h - "did you mean": of the names that there are, the one nearest to
 * what was written.
 */
#ifndef CEDAR_NEAREST_H
#define CEDAR_NEAREST_H

#include <stddef.h>

#include "base/str.h"

struct nearest {
    struct str name;  /* what was written */
    struct str found; /* empty: nothing near */
    unsigned below;   /* single edits that `found` is away, or would be */
};

struct nearest nearest_to(struct str name);
void nearest_consider(struct nearest *n, struct str other);

/* The nearest of `words`, or the empty one. */
struct str nearest_of(struct str name, const struct str *words, size_t count);

#endif
