/*
 * paths.h - what several conditions look up, so that a decision does so once.
 *
 * A path is a variable with what is looked up from it: attributes, tags, and
 * whether there are such.  Paths that come more than once in a set have
 * numbers, from 1, in the nodes of their variables, with the number of nodes
 * that they consist of.  Their values are found, not made: they live as long
 * as the request.
 */
#ifndef CEDAR_PATHS_H
#define CEDAR_PATHS_H

#include "cedar/program.h"

/* Numbers the paths of a set that is complete.  False: out of memory. */
MUST_CHECK bool paths_number(struct cedar_policies *set);

#endif
