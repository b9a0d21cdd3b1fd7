/*
 * json_schema_form.h - the compiled form of a schema, and what compiling and
 * validating carry along; for json_schema*.c only.
 *
 * A node is one schema.  Its keywords lie in groups, one file each; a group
 * that the schema does not use is NULL.
 */
#ifndef CODEC_JSON_SCHEMA_FORM_H
#define CODEC_JSON_SCHEMA_FORM_H

#include "codec/decimal.h"
#include "codec/json_schema.h"

/* In the order of their bytes.  X(id, name, group, dialects that know it) */
/* clang-format off */
#define JSON_SCHEMA_KEYWORDS(X)                                                \
    X(ANCHOR,                "$anchor",               CORE,    2020)           \
    X(DEFS,                  "$defs",                 CORE,    ANY)            \
    X(DYNAMIC_ANCHOR,        "$dynamicAnchor",        REFUSED, ANY)            \
    X(DYNAMIC_REF,           "$dynamicRef",           REFUSED, ANY)            \
    X(ID,                    "$id",                   CORE,    ANY)            \
    X(RECURSIVE_ANCHOR,      "$recursiveAnchor",      REFUSED, ANY)            \
    X(RECURSIVE_REF,         "$recursiveRef",         REFUSED, ANY)            \
    X(REF,                   "$ref",                  LOGIC,   ANY)            \
    X(SCHEMA,                "$schema",               CORE,    ANY)            \
    X(VOCABULARY,            "$vocabulary",           REFUSED, ANY)            \
    X(ADDITIONAL_ITEMS,      "additionalItems",       ARRAY,   ANY)            \
    X(ADDITIONAL_PROPERTIES, "additionalProperties",  OBJECT,  ANY)            \
    X(ALL_OF,                "allOf",                 LOGIC,   ANY)            \
    X(ANY_OF,                "anyOf",                 LOGIC,   ANY)            \
    X(CONST,                 "const",                 VALUE,   ANY)            \
    X(CONTAINS,              "contains",              ARRAY,   ANY)            \
    X(DEFINITIONS,           "definitions",           CORE,    ANY)            \
    X(DEPENDENCIES,          "dependencies",          OBJECT,  ANY)            \
    X(DEPENDENT_REQUIRED,    "dependentRequired",     OBJECT,  2020)           \
    X(DEPENDENT_SCHEMAS,     "dependentSchemas",      OBJECT,  2020)           \
    X(ELSE,                  "else",                  LOGIC,   ANY)            \
    X(ENUM,                  "enum",                  VALUE,   ANY)            \
    X(EXCLUSIVE_MAXIMUM,     "exclusiveMaximum",      NUMBER,  ANY)            \
    X(EXCLUSIVE_MINIMUM,     "exclusiveMinimum",      NUMBER,  ANY)            \
    X(IF,                    "if",                    LOGIC,   ANY)            \
    X(ITEMS,                 "items",                 ARRAY,   ANY)            \
    X(MAX_CONTAINS,          "maxContains",           ARRAY,   2020)           \
    X(MAX_ITEMS,             "maxItems",              ARRAY,   ANY)            \
    X(MAX_LENGTH,            "maxLength",             STRING,  ANY)            \
    X(MAX_PROPERTIES,        "maxProperties",         OBJECT,  ANY)            \
    X(MAXIMUM,               "maximum",               NUMBER,  ANY)            \
    X(MIN_CONTAINS,          "minContains",           ARRAY,   2020)           \
    X(MIN_ITEMS,             "minItems",              ARRAY,   ANY)            \
    X(MIN_LENGTH,            "minLength",             STRING,  ANY)            \
    X(MIN_PROPERTIES,        "minProperties",         OBJECT,  ANY)            \
    X(MINIMUM,               "minimum",               NUMBER,  ANY)            \
    X(MULTIPLE_OF,           "multipleOf",            NUMBER,  ANY)            \
    X(NOT,                   "not",                   LOGIC,   ANY)            \
    X(ONE_OF,                "oneOf",                 LOGIC,   ANY)            \
    X(PATTERN,               "pattern",               STRING,  ANY)            \
    X(PATTERN_PROPERTIES,    "patternProperties",     OBJECT,  ANY)            \
    X(PREFIX_ITEMS,          "prefixItems",           ARRAY,   2020)           \
    X(PROPERTIES,            "properties",            OBJECT,  ANY)            \
    X(PROPERTY_NAMES,        "propertyNames",         OBJECT,  ANY)            \
    X(REQUIRED,              "required",              OBJECT,  ANY)            \
    X(THEN,                  "then",                  LOGIC,   ANY)            \
    X(TYPE,                  "type",                  VALUE,   ANY)            \
    X(UNEVALUATED_ITEMS,     "unevaluatedItems",      ARRAY,   2020)           \
    X(UNEVALUATED_PROPERTIES,"unevaluatedProperties", OBJECT,  2020)           \
    X(UNIQUE_ITEMS,          "uniqueItems",           ARRAY,   ANY)
/* clang-format on */

enum json_schema_keyword {
#define X(id, name, group, dialects) KW_##id,
    JSON_SCHEMA_KEYWORDS(X)
#undef X
        KW_COUNT,
    KW_NONE = KW_COUNT /* a schema that is false */
};

/* The groups, as bits; a file each. */
enum json_schema_group {
    GROUP_CORE = 1,
    GROUP_REFUSED = 2,
    GROUP_VALUE = 4,
    GROUP_NUMBER = 8,
    GROUP_STRING = 16,
    GROUP_ARRAY = 32,
    GROUP_OBJECT = 64,
    GROUP_LOGIC = 128,
};

enum json_schema_dialect {
    DIALECT_UNSAID = 0,
    DIALECT_2020,
    DIALECT_7,
};

/* --- what a schema becomes --- */

struct json_schema_hashed {
    uint64_t hash;
    const struct json *value;
};

struct json_schema_values {
    const struct json *constant;             /* NULL: no const */
    const struct json_schema_hashed *sorted; /* of enum, by hash */
    size_t count;
    const struct json *list; /* enum as it came; NULL: none */
};

/* A limit that is not there has no text. */
struct json_schema_numbers {
    bool has_minimum, has_maximum, has_above, has_below, has_unit;
    struct decimal minimum, maximum, above, below, unit;
};

struct json_schema_pattern {
    const void *code; /* of PCRE2 */
    uint64_t weight;  /* steps per byte of a subject */
    struct str text;  /* as the schema has it */
};

struct json_schema_strings {
    uint64_t min, max; /* code points */
    const struct json_schema_pattern *pattern;
};

struct json_schema_arrays {
    uint64_t min, max;
    uint64_t min_contains, max_contains; /* where `contains` is not NULL */
    bool unique;
    size_t prefix_count;
    const struct json_schema_node **prefix;
    const struct json_schema_node *items; /* behind the prefix; or NULL */
    enum json_schema_keyword items_keyword;
    const struct json_schema_node *contains;
    const struct json_schema_node *unevaluated;
};

struct json_schema_pattern_property {
    const struct json_schema_pattern *pattern;
    const struct json_schema_node *node;
};

/* With `name`, the others have to be there, or the schema to be met. */
struct json_schema_dependency {
    struct str name;
    enum json_schema_keyword keyword;
    const struct json *names;            /* an array of strings, or NULL */
    const struct json_schema_node *node; /* or NULL */
};

struct json_schema_objects {
    uint64_t min, max;
    const struct json_schema_property *properties; /* by name */
    size_t property_count, required_count;
    const struct json_schema_pattern_property *patterns;
    size_t pattern_count;
    const struct json_schema_dependency *dependencies;
    size_t dependency_count;
    const struct json_schema_node *additional; /* or NULL, as the next */
    const struct json_schema_node *names;
    const struct json_schema_node *unevaluated;
};

struct json_schema_list {
    const struct json_schema_node **nodes;
    size_t count;
};

struct json_schema_logic {
    const struct json_schema_node *ref; /* all of these or NULL */
    struct json_schema_list all, any, one;
    const struct json_schema_node *not_this, *condition, *then, *otherwise;
};

struct json_schema_node {
    const struct json *source;
    unsigned types; /* 0: any */
    bool is_never;
    const struct json_schema_values *values;
    const struct json_schema_numbers *numbers;
    const struct json_schema_strings *strings;
    const struct json_schema_arrays *arrays;
    const struct json_schema_objects *objects;
    const struct json_schema_logic *logic;
    struct json_schema_node *next; /* while compiling: those still to do */
};

struct json_schema {
    const struct json_schema_node *root;
};

const char *json_schema_keyword_name(enum json_schema_keyword k);

/* --- compiling --- */

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

/*
 * Writes ECMA-262 `pattern` (u flag) as PCRE2 wants it.  False: *ret_why is a
 * static text.  *ret_states: about how many states a match may be in.
 */
MUST_CHECK bool json_schema_ecma_translate(struct str pattern, struct buf *to,
                                           uint64_t *ret_states,
                                           const char **ret_why);

/* --- validating --- */

/* What said no; its words are found when they are needed. */
struct json_schema_fault {
    enum json_schema_keyword keyword;
    const struct json_schema_node *node;
    const struct json *at; /* in the instance */
    struct str name;       /* a property, where the keyword is about one */
    unsigned level;        /* how deep `at` lies in the instance */
};

struct json_schema_matcher; /* of json_schema_pattern.c */

struct json_schema_check {
    uint64_t steps; /* left */
    enum err err;   /* ERR_LIMIT: nothing that follows counts */
    unsigned depth; /* of schemas */
    unsigned level; /* of the instance */
    struct arena *scratch;
    struct json_schema_matcher *matcher; /* NULL until there was a pattern */
    struct json_schema_fault fault;
};

/* Which members or elements of a value were looked at by a schema that
 * passed: for unevaluatedProperties and unevaluatedItems. */
struct json_schema_marks {
    uint64_t *bits;
    size_t words;
};

static inline void json_schema_mark(struct json_schema_marks *m, size_t i)
{
    if (m != NULL)
        m->bits[i / 64] |= (uint64_t)1 << (i % 64);
}
static inline bool json_schema_is_marked(const struct json_schema_marks *m,
                                         size_t i)
{
    return (m->bits[i / 64] >> (i % 64) & 1) != 0;
}
/* Marks of none of the values in `v`; false after the scratch is used up.
 * What is taken last is given back first. */
MUST_CHECK bool json_schema_marks_take(struct json_schema_check *k,
                                       const struct json *v,
                                       struct json_schema_marks *ret);
void json_schema_marks_give(struct json_schema_check *k,
                            struct json_schema_marks *m);
void json_schema_marks_add(struct json_schema_marks *to,
                           const struct json_schema_marks *from);

/* False, and the end, when there is no budget for `n` more steps. */
MUST_CHECK static inline bool json_schema_spend(struct json_schema_check *k,
                                                uint64_t n)
{
    if (k->err == ERR_OK && n <= k->steps) {
        k->steps -= n;
        return true;
    }
    k->err = ERR_LIMIT;
    return false;
}

/* Notes what said no; always false. */
bool json_schema_no(struct json_schema_check *k, enum json_schema_keyword kw,
                    const struct json_schema_node *n, const struct json *at);

/*
 * Does `v` fit `n`?  `marks` (NULL: nobody asks) are of `v`; they may have
 * been added to even if it does not fit.  A false may also mean k->err:
 * whoever turns a false into something else has to look.
 */
MUST_CHECK bool json_schema_check(struct json_schema_check *k,
                                  const struct json_schema_node *n,
                                  const struct json *v,
                                  struct json_schema_marks *marks);
/* The same for a value in another one. */
MUST_CHECK bool json_schema_check_inner(struct json_schema_check *k,
                                        const struct json_schema_node *n,
                                        const struct json *v);

MUST_CHECK bool json_schema_value_check(struct json_schema_check *k,
                                        const struct json_schema_node *n,
                                        const struct json *v);
MUST_CHECK bool json_schema_number_check(struct json_schema_check *k,
                                         const struct json_schema_node *n,
                                         const struct json *v);
MUST_CHECK bool json_schema_string_check(struct json_schema_check *k,
                                         const struct json_schema_node *n,
                                         const struct json *v);
MUST_CHECK bool json_schema_array_check(struct json_schema_check *k,
                                        const struct json_schema_node *n,
                                        const struct json *v,
                                        struct json_schema_marks *marks);
MUST_CHECK bool json_schema_array_check_rest(struct json_schema_check *k,
                                             const struct json_schema_node *n,
                                             const struct json *v,
                                             struct json_schema_marks *marks);
MUST_CHECK bool json_schema_object_check(struct json_schema_check *k,
                                         const struct json_schema_node *n,
                                         const struct json *v,
                                         struct json_schema_marks *marks);
MUST_CHECK bool json_schema_object_check_rest(struct json_schema_check *k,
                                              const struct json_schema_node *n,
                                              const struct json *v,
                                              struct json_schema_marks *marks);
MUST_CHECK bool json_schema_logic_check(struct json_schema_check *k,
                                        const struct json_schema_node *n,
                                        const struct json *v,
                                        struct json_schema_marks *marks);
MUST_CHECK bool json_schema_pattern_check(struct json_schema_check *k,
                                          const struct json_schema_pattern *p,
                                          struct str subject);

/* Are all elements of the array different? */
MUST_CHECK bool json_schema_value_unique(struct json_schema_check *k,
                                         const struct json *array);

/* The words of a failure. */
void json_schema_text_write(const struct json_schema_check *k,
                            const struct json *instance,
                            struct json_schema_failure *ret);

#endif
