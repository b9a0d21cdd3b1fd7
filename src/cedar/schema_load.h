/*
 * schema_load.h - reading schemas, with a look at what was read.
 */
#ifndef CEDAR_SCHEMA_LOAD_H
#define CEDAR_SCHEMA_LOAD_H

#include "cedar/schema_raw.h"

/* Is shown the schema as it was read, once it is known to be right; false:
 * the load fails with what `fn` put into raw->err. */
struct schema_load_see {
    bool (*fn)(struct schema_raw *raw, void *cookie);
    void *cookie;
};

/* As cedar_schema_load() and cedar_schema_load_json(); `see` may be NULL. */
MUST_CHECK enum err schema_load(struct str text, bool is_json,
                                struct cedar_errors *errors,
                                const struct schema_load_see *see,
                                struct cedar_schema **ret);

#endif
