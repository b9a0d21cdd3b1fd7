/*
 * problem.h - an error as application/problem+json (RFC 9457).
 *
 *     {"type":"about:blank","title":"the request is malformed","status":400,
 *      "code":"malformed","detail":"...","param":"purposes"}
 *
 * `code` is the reason that a client's program may switch on.
 */
#ifndef CODEC_PROBLEM_H
#define CODEC_PROBLEM_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define PROBLEM_MEDIA_TYPE STR("application/problem+json")

/* `detail` (for people) and `param` (of the request, that was at fault) are
 * UTF-8, and left out when empty. */
void problem_write(struct buf *to, enum err e, struct str detail,
                   struct str param);

#endif
