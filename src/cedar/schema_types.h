/*
 * schema_types.h - what names and types of a schema mean.
 */
#ifndef CEDAR_SCHEMA_TYPES_H
#define CEDAR_SCHEMA_TYPES_H

#include "cedar/schema_raw.h"

/* A declared common type. */
struct schema_common {
    struct value_key name; /* "Namespace::Type" */
    const struct raw_common *raw;
    const struct type *type; /* NULL until it is known */
    bool is_open;            /* its meaning is being looked for */
};

struct schema_types {
    struct schema_raw *raw;
    struct cedar_schema *schema;   /* its entity types have their names */
    struct schema_common *commons; /* by name */
    uint32_t common_count;
    struct {
        const struct type **slots; /* equal types are one object */
        uint32_t count, room;
    } known;
    unsigned depth;
};

/* NULL: not declared. */
struct schema_common *schema_types_common(const struct schema_types *t,
                                          struct str name);

/* The entity type that `name` means in `space`, or NULL after an error. */
const struct schema_entity *schema_types_entity(struct schema_types *t,
                                                struct str space,
                                                const struct raw_name *name);

/* The entity types that are named, ascending; false: an error. */
MUST_CHECK bool schema_types_list(struct schema_types *t, struct str space,
                                  const struct raw_name *names,
                                  const uint32_t **ret, uint32_t *ret_count);

/* What `raw`, in `space`, means; NULL after an error. */
const struct type *schema_types_resolve(struct schema_types *t,
                                        struct str space,
                                        const struct raw_type *raw);

/* The same for what has to be a record, the attributes or the context of
 * `owner`; without `raw` an empty one. */
const struct type *schema_types_record(struct schema_types *t, struct str space,
                                       const struct raw_type *raw,
                                       struct str owner);

/* The same for a declared common type. */
const struct type *schema_types_resolve_common(struct schema_types *t,
                                               struct schema_common *c);

#endif
