/*
 * when.h - a moment as people write it: a duration from now, or a date.
 */
#ifndef ADMIN_WHEN_H
#define ADMIN_WHEN_H

#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

/*
 * "90d", "12h"; "2027-01-31" (its first moment), "2027-01-31T12:00:00Z", or
 * what text_time() writes; Unix time.  False: none of these, not behind
 * `now_us`, or more than ten years behind it.
 */
MUST_CHECK bool when_read(struct str s, int64_t now_us, int64_t *ret_us);

#endif
