/*
 * schema_value.h - values from JSON where the schema says what they are.
 */
#ifndef CEDAR_SCHEMA_VALUE_H
#define CEDAR_SCHEMA_VALUE_H

#include "cedar/schema.h"

/*
 * Reads a value that is to have the type: an entity may be {"type", "id"}
 * and a value of an extension type {"fn", "arg"} or the argument alone.  The
 * result has the type, enum ids included.  ERR_MALFORMED: *ret_what says
 * why.  ERR_LIMIT: the arena is full.
 */
MUST_CHECK enum err schema_value(struct arena *a, const struct json *json,
                                 const struct type *type,
                                 struct cedar_value *ret,
                                 const char **ret_what);

/* The record of attributes; the JSON is never an escape. */
MUST_CHECK enum err schema_value_record(struct arena *a,
                                        const struct json *json,
                                        const struct type *type,
                                        const struct cedar_record **ret,
                                        const char **ret_what);

/* Any names, all values of one type. */
MUST_CHECK enum err schema_value_tags(struct arena *a, const struct json *json,
                                      const struct type *type,
                                      const struct cedar_record **ret,
                                      const char **ret_what);

#endif
