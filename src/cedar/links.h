/*
 * links.h - adding links to a set that is being made.
 */
#ifndef CEDAR_LINKS_H
#define CEDAR_LINKS_H

#include "cedar/cedar_links.h"
#include "cedar/program.h"

struct links; /* the ids of a set, to be looked up */

/* Of all policies there are.  ERR_MALFORMED: two have the id *ret_twice. */
MUST_CHECK enum err links_new(struct cedar_policies *set, struct links **ret,
                              struct str *ret_twice);
void links_free(struct links *l);

/*
 * Adds one behind all policies.  ERR_MALFORMED: *ret_why, a static text, says
 * why.  ERR_LIMIT: the arena is full.  ERR_NO_MEMORY.
 */
MUST_CHECK enum err links_add(struct links *l, const struct cedar_link *link,
                              const char **ret_why);

#endif
