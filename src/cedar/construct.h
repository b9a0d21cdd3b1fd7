/*
 * construct.h - adding the nodes of whole constructs, whatever they are read
 * from; constants are put together here.
 */
#ifndef CEDAR_CONSTRUCT_H
#define CEDAR_CONSTRUCT_H

#include "cedar/parser.h"

/* Before the parts of a set, a record or a call. */
bool construct_open(struct parser *p, size_t offset, uint32_t *ret_open);

/* After them; `count` operands are there. */
bool construct_set(struct parser *p, uint32_t open, size_t count);
/* The names are the last `count` of p->keys, which go. */
bool construct_record(struct parser *p, uint32_t open, size_t count);
/* Of a function; a method has no OPEN. */
bool construct_call(struct parser *p, const struct extension *x, uint32_t open,
                    size_t count);

/* The name of an attribute, for construct_record() and construct_has(). */
bool construct_key(struct parser *p, struct str name);
/* Access to an attribute of the operand. */
bool construct_get(struct parser *p, struct str name, size_t offset);
/* The names are those of p->keys from `first` on, which go. */
bool construct_has(struct parser *p, size_t first, size_t offset);

/* A number, a string, a bool. */
bool construct_long(struct parser *p, int64_t number, size_t offset);
bool construct_string(struct parser *p, struct str text, size_t offset);
bool construct_bool(struct parser *p, bool truth, size_t offset);

/* The operators that are written as methods but are no extensions. */
struct construct_method {
    struct str name;
    enum program_op op;
    size_t argc; /* without the receiver */
};
/* By number; NULL at the end. */
const struct construct_method *construct_method(size_t index);

/* "there is no method", with the nearest name that there is; false. */
bool construct_unknown(struct parser *p, size_t offset, struct str name,
                       bool is_method);

#endif
