/*
 * policies.h - making a set of policies, whatever it is read from.
 */
#ifndef CEDAR_POLICIES_H
#define CEDAR_POLICIES_H

#include "cedar/errors.h"
#include "cedar/program.h"

/* An empty set whose arena suits `len` bytes to be read; NULL: no memory. */
MUST_CHECK struct cedar_policies *policies_new(size_t len);

/* ERR_LIMIT: over CEDAR_TEXT_MAX; ERR_MALFORMED: not UTF-8. */
MUST_CHECK enum err policies_check_text(struct str text,
                                        struct cedar_errors *errors);

/* Policies to `set`, which has room in its arena for a copy of the text, and
 * nothing else; not finished yet. */
MUST_CHECK enum err policies_parse(struct cedar_policies *set, struct str text,
                                   struct cedar_errors *errors);

/* What comes last, when all policies are there: numbers of paths, the
 * index. */
MUST_CHECK enum err policies_finish(struct cedar_policies *set);

#endif
