/*
 * schema_raw.h - a schema as it was read, before names mean anything; both
 * forms come to this.  Everything lives in the schema's arena.
 */
#ifndef CEDAR_SCHEMA_RAW_H
#define CEDAR_SCHEMA_RAW_H

#include "cedar/errors.h"
#include "cedar/program.h"
#include "cedar/schema.h"

enum raw_kind {
    RAW_NAME,        /* a common or an entity type */
    RAW_ENTITY_NAME, /* an entity type */
    RAW_COMMON_NAME, /* a common type */
    RAW_SIMPLE,      /* `simple` */
    RAW_SET,
    RAW_RECORD,
};

/* @key("value"); without meaning, kept for whoever writes the schema again. */
struct raw_annotation {
    struct raw_annotation *next;
    struct str key, value;
};

struct raw_type {
    uint8_t kind;   /* enum raw_kind */
    uint8_t simple; /* enum type_kind */
    size_t offset;
    struct str name;
    struct raw_type *element;
    struct raw_member *members;
    uint32_t count;
    const struct raw_annotation *annotations; /* of whom the type is of */
};

struct raw_member {
    struct raw_member *next; /* in the order of the text */
    struct str name;
    struct raw_type *type;
    bool is_required;
    bool is_hidden; /* by a later one of that name */
};

struct raw_space {
    struct str name; /* may be empty */
    const struct raw_annotation *annotations;
};

/* A name of an entity type, or with `id` of an action (type "" if left out). */
struct raw_name {
    struct raw_name *next;
    struct str name, id;
    size_t offset;
};

struct raw_entity {
    struct str space, name; /* the namespace may be empty */
    size_t offset;
    struct raw_name *parents;
    struct raw_type *shape; /* NULL: no attributes */
    struct raw_type *tags;  /* NULL: none */
    struct raw_name *ids;   /* of an enum: its `id`s */
    bool is_enum;
    const struct raw_annotation *annotations;
};

struct raw_common {
    struct str space, name;
    size_t offset;
    struct raw_type *type;
};

struct raw_action {
    struct str space, id;
    size_t offset;
    struct raw_name *groups;
    struct raw_name *principals, *resources;
    struct raw_type *context; /* NULL: empty */
    const struct raw_annotation *annotations;
};

struct schema_raw {
    struct cedar_schema *schema;
    struct str text; /* what offsets are of; empty for JSON */
    struct cedar_errors *errors;
    enum err err;                          /* the first error's */
    PROGRAM_LIST(struct raw_space) spaces; /* that were named */
    PROGRAM_LIST(struct raw_entity) entities;
    PROGRAM_LIST(struct raw_common) commons;
    PROGRAM_LIST(struct raw_action) actions;
};

/* As errors_add(); returns false. */
bool schema_raw_fail(struct schema_raw *s, size_t offset, const char *format,
                     ...) PRINTF_LIKE(3, 4);
/* The arena is full; returns false. */
bool schema_raw_no_memory(struct schema_raw *s);

/* "space::name", or `name` alone; false: no memory. */
MUST_CHECK bool schema_raw_join(struct arena *a, struct str space,
                                struct str name, struct str *ret);

/* True for words that no common type may be called. */
bool schema_raw_is_taken(struct str name);

/* Bool, Long, String and the extension types; else TYPE_UNKNOWN. */
enum type_kind schema_raw_simple(struct str name);

/* Cedar schema syntax or JSON to `s`; false after an error. */
MUST_CHECK bool schema_parse(struct schema_raw *s);
MUST_CHECK bool schema_json(struct schema_raw *s, struct str text);

/* Gives the names their meaning and fills in s->schema; false: an error. */
MUST_CHECK bool schema_resolve(struct schema_raw *s);

#endif
