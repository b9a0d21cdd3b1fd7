/* schema.c - looking things up; see schema.h. */
#include "cedar/schema.h"

const struct schema_entity *schema_entity(const struct cedar_schema *s,
                                          struct str type)
{
    struct value_key key = value_key_make(type);
    uint32_t low = 0;
    uint32_t high = s->entity_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = value_key_order(&s->entities[middle].name, &key);
        if (order == 0)
            return &s->entities[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct schema_action *schema_action(const struct cedar_schema *s,
                                          const struct cedar_uid *uid)
{
    uint32_t at = entities_uid(&s->actions, uid);
    return at == ENTITIES_NONE ? NULL : &s->applies[at];
}

bool schema_type_in(const struct cedar_schema *s, const struct schema_entity *a,
                    const struct schema_entity *b)
{
    uint32_t wanted = (uint32_t)(b - s->entities);
    uint32_t low = 0;
    uint32_t high = a->ancestor_count;
    if (a == b)
        return true;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (a->ancestors[middle] == wanted)
            return true;
        if (a->ancestors[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

bool schema_action_in(const struct cedar_schema *s, const struct cedar_uid *a,
                      const struct cedar_uid *b)
{
    uint32_t at = entities_uid(&s->actions, a);
    if (cedar_uid_equal(a, b))
        return true;
    return at != ENTITIES_NONE &&
           entities_has_ancestor(&s->actions.entities[at], b);
}

bool schema_entity_has_id(const struct schema_entity *e, struct str id)
{
    uint32_t low = 0;
    uint32_t high = e->id_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = str_compare(e->ids[middle], id);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return !e->is_enum;
}

bool schema_is_action_type(struct str type)
{
    struct str word = STR("Action");
    size_t before = type.len < word.len ? 0 : type.len - word.len;
    return str_eq(str_skip(type, before), word) &&
           (before == 0 || type.ptr[before - 1] == ':');
}
