/*
 * json_pointer.h - places in a document (RFC 6901).
 */
#ifndef CODEC_JSON_POINTER_H
#define CODEC_JSON_POINTER_H

#include "base/buf.h"
#include "codec/json.h"

/*
 * The value at `pointer` below `root`, or NULL: no such value, or no pointer.
 * `pointer` is in string form ("" or "/a/0"), not percent-encoded.
 */
const struct json *json_pointer_find(const struct json *root,
                                     struct str pointer);

/*
 * Appends the pointer of `target`, which is `root` or one of the values in
 * it.  Where `to` has no room for the whole, it gets the pointer of the
 * innermost container that fits; `to` does not fail.
 */
void json_pointer_write(struct buf *to, const struct json *root,
                        const struct json *target);

#endif
