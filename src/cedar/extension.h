/*
 * extension.h - the functions and methods of the extension types: ipaddr,
 * decimal, datetime, duration.
 */
#ifndef CEDAR_EXTENSION_H
#define CEDAR_EXTENSION_H

#include "cedar/cedar.h"
#include "cedar/value.h"

struct extension {
    struct str name;
    bool is_method;   /* x.f(...), else f(...) */
    uint8_t argc;     /* the receiver of a method included */
    uint8_t kinds[2]; /* of the arguments: enum cedar_kind */
    uint8_t result;   /* its kind */
    enum cedar_fault (*call)(const struct cedar_value *args,
                             struct value_pool *pool, struct cedar_value *ret);
};

/* NULL: no such function or method. */
const struct extension *extension_find(struct str name);

/* Methods and functions by number, for "did you mean"; NULL at the end. */
const struct extension *extension_at(size_t index);

/* Checks number and types of the arguments, then calls. */
MUST_CHECK enum cedar_fault extension_call(const struct extension *x,
                                           const struct cedar_value *args,
                                           size_t argc, struct value_pool *pool,
                                           struct cedar_value *ret);

#endif
