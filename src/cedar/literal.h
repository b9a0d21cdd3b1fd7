/*
 * literal.h - string literals and patterns: escapes to text.
 */
#ifndef CEDAR_LITERAL_H
#define CEDAR_LITERAL_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "cedar/program.h"

/*
 * What stands between the quotes, as text in the arena or, without escapes,
 * as it came.  ERR_MALFORMED: *ret_bad is the offset of what is no escape.
 * ERR_LIMIT: the arena is full.
 */
MUST_CHECK enum err literal_string(struct arena *a, struct str raw,
                                   struct str *ret, size_t *ret_bad);

/* The same for the pattern of `like`, where * is a wildcard and \* a star. */
MUST_CHECK enum err literal_pattern(struct arena *a, struct str raw,
                                    const struct program_pattern **ret,
                                    size_t *ret_bad);

/* True when `text` matches; in time of text times pieces at worst. */
bool literal_matches(const struct program_pattern *p, struct str text);

#endif
