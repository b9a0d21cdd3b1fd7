/*
 * canon.h - one text for one JSON value, to be digested and compared.
 *
 * RFC 8785 but for two things.  A number that a double would round keeps its
 * digits as they came: two definitions that differ in such a number must not
 * have one digest.  And members are sorted by the bytes of their names, which
 * is another order only where characters beyond U+FFFF are in names.
 */
#ifndef MCP_CANON_H
#define MCP_CANON_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "codec/json.h"

/* ERR_LIMIT: `to` or `a` (scratch) is full. */
MUST_CHECK enum err canon_write(struct buf *to, struct arena *a,
                                const struct json *v);

#endif
