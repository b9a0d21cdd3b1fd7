/*
 * extension_text.h - the texts of the extension types, read exactly.
 */
#ifndef CEDAR_EXTENSION_TEXT_H
#define CEDAR_EXTENSION_TEXT_H

#include "base/attr.h"
#include "cedar/value.h"

#define EXTENSION_DAY_MS ((int64_t)86400000)

/* "-12.3456", one to four places, in 1/10,000. */
MUST_CHECK bool extension_text_decimal(struct str s, int64_t *ret);

/* "2024-10-15" or "2024-10-15T11:38:02.101+0200", in ms since 1970. */
MUST_CHECK bool extension_text_datetime(struct str s, int64_t *ret_ms);

/* "-1d2h3m4s5ms", in ms. */
MUST_CHECK bool extension_text_duration(struct str s, int64_t *ret_ms);

/* "10.0.0.0/8", "::1". */
MUST_CHECK bool extension_text_ip(struct str s, struct cedar_ip *ret);

#endif
