/*
 * schema_print.h - what was read of a schema, in the Cedar schema syntax.
 */
#ifndef CEDAR_SCHEMA_PRINT_H
#define CEDAR_SCHEMA_PRINT_H

#include "base/buf.h"
#include "cedar/schema_raw.h"

/* False: an error was reported, there are no words for it.  Whether all fits
 * is for buf_ok(). */
MUST_CHECK bool schema_print(struct schema_raw *s, struct buf *to);

#endif
