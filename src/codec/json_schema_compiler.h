/*
 * json_schema_compiler.h - from a document to nodes; for json_schema*.c only.
 */
#ifndef CODEC_JSON_SCHEMA_COMPILER_H
#define CODEC_JSON_SCHEMA_COMPILER_H

#include "base/buf.h"
#include "codec/json_schema_form.h"

enum json_schema_dialect {
    DIALECT_UNSAID = 0,
    DIALECT_2020,
    DIALECT_7,
};

/* A $ref to an $anchor that may come later. */
struct json_schema_pending {
    struct json_schema_logic *from;
    const struct json *at;
    struct str anchor;
    struct json_schema_pending *next;
};

struct json_schema_anchor {
    struct str name;
    const struct json_schema_node *node;
    struct json_schema_anchor *next;
};

struct json_schema_compiler {
    struct arena *arena;
    size_t arena_start; /* what was in use before */
    const struct json *root;
    struct str id; /* of the root; may be empty */
    enum json_schema_dialect dialect;
    struct json_schema_limits left;
    /* From a schema's place to its node; half full at most. */
    struct json_schema_node **slots;
    size_t slot_count, node_count;
    struct json_schema_node *first, *last; /* still to do */
    struct json_schema_pending *pending;
    struct json_schema_anchor *anchors;
    struct json_schema_failure *failure; /* or NULL */
};

/* Notes why, and returns `e`; `at` is the place, `what` a static text. */
enum err json_schema_compile_failed(struct json_schema_compiler *c, enum err e,
                                    enum json_schema_keyword k,
                                    const struct json *at, const char *what);

/* Zeroed, within the limits; NULL after json_schema_compile_failed(). */
MUST_CHECK void *json_schema_compile_alloc(struct json_schema_compiler *c,
                                           size_t n, size_t size);
#define COMPILE_NEW(c, T, n)                                                   \
    ((T *)json_schema_compile_alloc((c), (n), sizeof(T)))

/* The node of the schema at `source`, which is the value of keyword `k` or
 * stands in it; done later, if it was not met before. */
MUST_CHECK enum err
json_schema_compile_node(struct json_schema_compiler *c,
                         enum json_schema_keyword k, const struct json *source,
                         const struct json_schema_node **ret);

/* The value of `k` in the schema of `n`, or NULL. */
const struct json *json_schema_compile_get(const struct json_schema_node *n,
                                           enum json_schema_keyword k);
/* The same as a schema, *ret NULL where there is none. */
MUST_CHECK enum err json_schema_compile_get_node(
    struct json_schema_compiler *c, const struct json_schema_node *n,
    enum json_schema_keyword k, const struct json_schema_node **ret);
/* As a count; *ret is left alone where there is none. */
MUST_CHECK enum err
json_schema_compile_get_count(struct json_schema_compiler *c,
                              const struct json_schema_node *n,
                              enum json_schema_keyword k, uint64_t *ret);
/* As an array of schemas; empty where there is none. */
MUST_CHECK enum err json_schema_compile_get_list(
    struct json_schema_compiler *c, const struct json_schema_node *n,
    enum json_schema_keyword k, struct json_schema_list *ret);

/* One a group: sets what `n` has of it. */
MUST_CHECK enum err json_schema_value_compile(struct json_schema_compiler *c,
                                              struct json_schema_node *n);
MUST_CHECK enum err json_schema_number_compile(struct json_schema_compiler *c,
                                               struct json_schema_node *n);
MUST_CHECK enum err json_schema_string_compile(struct json_schema_compiler *c,
                                               struct json_schema_node *n);
MUST_CHECK enum err json_schema_array_compile(struct json_schema_compiler *c,
                                              struct json_schema_node *n);
MUST_CHECK enum err json_schema_members_compile(struct json_schema_compiler *c,
                                                struct json_schema_node *n);
MUST_CHECK enum err json_schema_logic_compile(struct json_schema_compiler *c,
                                              struct json_schema_node *n);

/* References within the document. */
MUST_CHECK enum err json_schema_ref_dialect(struct json_schema_compiler *c,
                                            const struct json *name,
                                            enum json_schema_dialect *ret);
MUST_CHECK enum err json_schema_ref_begin(struct json_schema_compiler *c);
MUST_CHECK enum err json_schema_ref_add_anchor(struct json_schema_compiler *c,
                                               const struct json_schema_node *n,
                                               const struct json *name);
MUST_CHECK enum err json_schema_ref_compile(struct json_schema_compiler *c,
                                            struct json_schema_logic *from,
                                            const struct json *ref);
/* When all else is done: anchors. */
MUST_CHECK enum err json_schema_ref_end(struct json_schema_compiler *c);

MUST_CHECK enum err json_schema_pattern_compile(
    struct json_schema_compiler *c, enum json_schema_keyword k, struct str text,
    const struct json *at, const struct json_schema_pattern **ret);

/* What PCRE2 calls the property that ECMA-262 calls `name`, or NULL. */
const char *json_schema_unicode_name(struct str name);

/*
 * Writes ECMA-262 `pattern` (u flag) as PCRE2 wants it.  False: *ret_why is a
 * static text.  *ret_states: about how many states a match may be in;
 * *ret_looks: it looks ahead or behind.
 */
MUST_CHECK bool json_schema_ecma_translate(struct str pattern, struct buf *to,
                                           uint64_t *ret_states,
                                           bool *ret_looks,
                                           const char **ret_why);

#endif
