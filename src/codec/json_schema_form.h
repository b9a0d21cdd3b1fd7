/*
 * json_schema_form.h - what a schema becomes; for json_schema*.c only.
 *
 * A node is one schema.  Its keywords lie in groups, one file each; a group
 * that the schema does not use is NULL.
 */
#ifndef CODEC_JSON_SCHEMA_FORM_H
#define CODEC_JSON_SCHEMA_FORM_H

#include "codec/decimal.h"
#include "codec/json_schema.h"
#include "codec/json_schema_keyword.h"

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
    bool looks;       /* ahead or behind */
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

#endif
