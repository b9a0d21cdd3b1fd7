/*
 * print.h - policies as text again, one condition a line.
 */
#ifndef CEDAR_PRINT_H
#define CEDAR_PRINT_H

#include "cedar/program.h"

/*
 * Appends one policy.  Parsing it gives the same tree.  A link is printed as
 * what it stands for.  ERR_NO_MEMORY, ERR_LIMIT.
 */
MUST_CHECK enum err print_policy(const struct cedar_policies *set, size_t index,
                                 struct buf *to);

/*
 * Gives a set that was not read from text its text, with the places of all
 * nodes in it; links get those of their templates.
 */
MUST_CHECK enum err print_set(struct cedar_policies *set);

#endif
