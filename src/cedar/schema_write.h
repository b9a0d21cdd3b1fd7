/*
 * schema_write.h - what was read of a schema, as text.
 */
#ifndef CEDAR_SCHEMA_WRITE_H
#define CEDAR_SCHEMA_WRITE_H

#include "base/buf.h"
#include "cedar/schema_raw.h"

/* In JSON; whether all fits is for buf_ok(). */
void schema_write_json(const struct schema_raw *s, struct buf *to);

#endif
