/*
 * json_schema.h - JSON Schema for the arguments of tools.
 *
 * Schemas come from tool servers, instances from callers; neither is trusted.
 * A schema is compiled once into an immutable form; validating walks it with
 * a budget of steps and never passes what it had no budget for.
 *
 * Dialects: 2020-12, which is also meant where "$schema" is missing, and
 * draft-07.  Every keyword that can refuse an instance is obeyed or refuses
 * the schema, by name:
 *
 *   obeyed      type enum const, multipleOf maximum exclusiveMaximum minimum
 *               exclusiveMinimum, maxLength minLength pattern, prefixItems
 *               items additionalItems contains minContains maxContains
 *               maxItems minItems uniqueItems unevaluatedItems, properties
 *               patternProperties additionalProperties propertyNames required
 *               maxProperties minProperties dependentRequired
 *               dependentSchemas dependencies unevaluatedProperties,
 *               allOf anyOf oneOf not if then else, $ref to a place or an
 *               $anchor of the same document
 *   refused     $dynamicRef $dynamicAnchor $recursiveRef $recursiveAnchor
 *               $vocabulary, $schema of another dialect, $ref out of the
 *               document, $id below the root, a pattern that is not what
 *               ECMA-262 and PCRE2 read alike, multipleOf of more than 18
 *               digits
 *   ignored     annotations (title, description, default, format, content...,
 *               ...) and words that JSON Schema does not know
 *
 * Where the dialects differ there is no guessing: in a schema that says
 * draft-07, what draft-07 does not know is refused by name, and so is what
 * stands beside $ref, which it would skip; one that says 2020-12 has no array
 * form of items.  Without "$schema" both forms are taken.
 *
 * Numbers are compared as decimals, without rounding; 1.0 is an integer.
 * Lengths count code points.
 *
 * Threads: a compiled schema may be used by any number of threads.
 */
#ifndef CODEC_JSON_SCHEMA_H
#define CODEC_JSON_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "codec/json.h"

struct json_schema;      /* a compiled document */
struct json_schema_node; /* one schema in it */

/* How large a compiled schema may become. */
struct json_schema_limits {
    size_t nodes;    /* schemas inside the document, booleans not counted */
    size_t patterns; /* of pattern and patternProperties */
    size_t values;   /* of all enums */
    size_t bytes;    /* of the arena, the document itself not counted */
};
#define JSON_SCHEMA_LIMITS                                                     \
    ((struct json_schema_limits){4096, 256, 16384, (size_t)4 * 1024 * 1024})

/* Characters of one pattern, and of one pattern as PCRE2 gets it. */
enum { JSON_SCHEMA_PATTERN_MAX = 1024, JSON_SCHEMA_PATTERN_ROOM = 16384 };

/* Nesting of schemas while validating.  A $ref that leads back to itself for
 * the same value compiles, and then every value is ERR_LIMIT. */
enum { JSON_SCHEMA_DEPTH_MAX = 512 };

/* What validating may cost when the caller does not say.  A step is about one
 * value, name or 16 bytes looked at: tens of nanoseconds at most, but for
 * patterns that were made to be slow. */
#define JSON_SCHEMA_STEPS ((uint64_t)4000000)

/* Why, and where; for a person or a model to read and mend. */
enum { JSON_SCHEMA_POINTER_MAX = 256, JSON_SCHEMA_TEXT_MAX = 320 };
struct json_schema_failure {
    const char *keyword; /* static: the keyword that said no, or "" */
    /* JSON Pointer (RFC 6901) into the schema when compiling, into the
     * instance when validating; of an outer value if it were too long. */
    char pointer[JSON_SCHEMA_POINTER_MAX];
    /* "expected a string, not a number"; names and values in it come from
     * schema or instance and are JSON strings, cut where it got too long. */
    char text[JSON_SCHEMA_TEXT_MAX];
};

/*
 * Compiles `schema` into `a`.  The document is borrowed: it must live as long
 * as the result.  `limits` may be NULL: JSON_SCHEMA_LIMITS.
 *
 * ERR_UNSUPPORTED: a keyword that is refused, as above.  ERR_MALFORMED: not a
 * schema.  ERR_LIMIT: too large, or `a` is full.  In all three *ret_failure
 * (NULL is allowed) is set.
 */
MUST_CHECK enum err
json_schema_compile(struct arena *a, const struct json *schema,
                    const struct json_schema_limits *limits,
                    const struct json_schema **ret,
                    struct json_schema_failure *ret_failure);

/*
 * Validates `instance`.  `scratch` holds at most some kilobytes, and 16 bytes
 * for every element of an array that must be unique; all may be released
 * afterwards.  `steps` 0 means JSON_SCHEMA_STEPS.
 *
 * ERR_MALFORMED: it does not fit the schema.  ERR_LIMIT: the budget, the
 * depth or the scratch did not suffice to say.  *ret_failure (NULL is
 * allowed) is set in both.
 */
MUST_CHECK enum err
json_schema_validate(const struct json_schema *s, const struct json *instance,
                     struct arena *scratch, uint64_t steps,
                     struct json_schema_failure *ret_failure);

/*
 * A walk over the compiled form, to derive types from it.
 *
 * Everything a view says is a condition on every value that fits the node:
 * types, ref, properties, items, alternatives hold together.  A type made
 * from them may be wider than the schema, never narrower; with `is_partial`
 * there are conditions that the view does not show.  Walks must bound their
 * depth: $ref may lead back.
 */
struct json_schema_view {
    const struct json *source; /* the schema as it came; NULL: a boolean */
    bool is_never;             /* the schema false */
    bool is_partial;
    /* Bits 1 << enum json_type; 0: any.  JSON_SCHEMA_INTEGER without
     * 1 << JSON_NUMBER: numbers that are integers. */
    unsigned types;
    const struct json_schema_node *ref; /* where $ref leads, or NULL */
    size_t properties;                  /* see json_schema_property() */
    /* What members must be that neither `properties` nor, where there are
     * `patterns`, one of these speaks of; NULL: anything. */
    const struct json_schema_node *additional;
    size_t patterns; /* of patternProperties */
    /* What the elements behind the first `prefix` must be; NULL: anything. */
    const struct json_schema_node *items;
    size_t prefix;
    size_t alternatives; /* see json_schema_alternative() */
};
#define JSON_SCHEMA_INTEGER (1U << 7) /* a bit of `types` */

const struct json_schema_node *json_schema_root(const struct json_schema *s);
struct json_schema_view json_schema_view(const struct json_schema_node *n);

/* A name that properties or required lists; `index` counts them in the order
 * of their bytes.  `node` is NULL where only required names it. */
struct json_schema_property {
    struct str name;
    const struct json_schema_node *node;
    bool is_required;
};
struct json_schema_property
json_schema_property(const struct json_schema_node *n, size_t index);

/* One of the schemas of anyOf, or of oneOf where there is no anyOf: a value
 * fits at least one of them. */
const struct json_schema_node *
json_schema_alternative(const struct json_schema_node *n, size_t index);

#endif
