/*
 * cedar_format.h - policies as they should look; a part of cedar.h.
 */
#ifndef CEDAR_CEDAR_FORMAT_H
#define CEDAR_CEDAR_FORMAT_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "cedar/cedar_errors.h"

/*
 * Appends the policies of `text`, one blank line between them, in lines of up
 * to 80 columns where that is possible.  Tokens stay as they are, but for a
 * comma before a closing sign; so do comments, at the token they stand by.
 * Formatting the result changes nothing, and it loads to the same trees.
 * Errors as of cedar_policies_load(), and ERR_LIMIT when `to` is full.
 */
MUST_CHECK enum err cedar_format_policies(struct str text,
                                          struct cedar_errors *ret_errors,
                                          struct buf *to);

#endif
