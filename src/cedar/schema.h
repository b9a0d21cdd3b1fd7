/*
 * schema.h - how a schema is kept once its names are resolved.
 */
#ifndef CEDAR_SCHEMA_H
#define CEDAR_SCHEMA_H

#include "cedar/entities.h"
#include "cedar/type.h"

/* An entity type; the types of actions are among them. */
struct schema_entity {
    struct value_key name; /* "Namespace::Type" */
    bool is_action, is_enum;
    const struct str *ids; /* of an enum, in the order of str_compare() */
    uint32_t id_count;
    struct type type;                    /* of such an entity */
    const struct type *shape;            /* the record of its attributes */
    const struct type *tags;             /* NULL: there are none */
    const uint32_t *parents, *ancestors; /* entity types, ascending */
    uint32_t parent_count, ancestor_count;
};

struct schema_action {
    const uint32_t *principals, *resources; /* entity types, ascending */
    uint32_t principal_count, resource_count;
    const struct type *context; /* a record */
    uint32_t type;              /* its own, of the entity types */
};

struct cedar_schema {
    struct arena arena;
    struct schema_entity *entities; /* by value_key_order() of the name */
    uint32_t entity_count;
    uint32_t type_count;           /* numbers of types are below it */
    struct cedar_entities actions; /* with their groups */
    struct schema_action *applies; /* by the number in `actions` */
};

/* NULL: not declared. */
const struct schema_entity *schema_entity(const struct cedar_schema *s,
                                          struct str type);
const struct schema_action *schema_action(const struct cedar_schema *s,
                                          const struct cedar_uid *uid);

/* Reflexive: entities of type `a` may be `in` one of type `b`. */
bool schema_type_in(const struct cedar_schema *s, const struct schema_entity *a,
                    const struct schema_entity *b);
/* Reflexive, for actions. */
bool schema_action_in(const struct cedar_schema *s, const struct cedar_uid *a,
                      const struct cedar_uid *b);

/* True unless it is an enum's and not one of its ids. */
bool schema_entity_has_id(const struct schema_entity *e, struct str id);

/* True for "Action" and "N::Action". */
bool schema_is_action_type(struct str type);

static inline bool schema_applies_to(const uint32_t *types, uint32_t count,
                                     uint32_t type)
{
    for (uint32_t i = 0; i < count; i++)
        if (types[i] == type)
            return true;
    return false;
}

#endif
