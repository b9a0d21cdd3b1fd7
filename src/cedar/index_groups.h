/*
 * index_groups.h - putting policies that ask the same question together.
 */
#ifndef CEDAR_INDEX_GROUPS_H
#define CEDAR_INDEX_GROUPS_H

#include "cedar/index.h"

#define INDEX_GROUPED ((uint32_t)0)

/*
 * Makes the groups of an index.  `beside` tells, by policy, among how many it
 * would be looked at without: UINT32_MAX for all, INDEX_GROUPED for those
 * that need not be looked at; becomes INDEX_GROUPED for members of groups.
 * False: out of memory.
 */
MUST_CHECK bool index_groups_build(struct index *x,
                                   const struct cedar_policies *set,
                                   uint32_t *beside);

#endif
