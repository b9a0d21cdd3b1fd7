/*
 * cedar_schema_convert.h - schemas from one form to the other; a part of
 * cedar.h.
 *
 * Names, annotations and the order of declarations are kept, comments are
 * not.  What was written is read again and compared, so it means the same.
 */
#ifndef CEDAR_CEDAR_SCHEMA_CONVERT_H
#define CEDAR_CEDAR_SCHEMA_CONVERT_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "cedar/cedar_errors.h"

/*
 * Appends the Cedar schema syntax of a schema in JSON, or the other way.
 * Errors as of cedar_schema_load().  ERR_MALFORMED also where the other form
 * has no words for it: a shape that is a common type, an entity type and a
 * common type of one name.  ERR_LIMIT when `to` is full.
 */
MUST_CHECK enum err cedar_schema_convert_json(struct str json,
                                              struct cedar_errors *ret_errors,
                                              struct buf *to);
MUST_CHECK enum err cedar_schema_convert_text(struct str text,
                                              struct cedar_errors *ret_errors,
                                              struct buf *to);

#endif
