/*
 * equal.h - whether two policies are the same tree.
 */
#ifndef CEDAR_EQUAL_H
#define CEDAR_EQUAL_H

#include "cedar/program.h"

/* Annotations, effect, scopes and conditions; not ids and places. */
bool equal_policies(const struct cedar_policies *a, size_t index_a,
                    const struct cedar_policies *b, size_t index_b);

/* All policies in this order, and their ids. */
bool equal_sets(const struct cedar_policies *a, const struct cedar_policies *b);

#endif
