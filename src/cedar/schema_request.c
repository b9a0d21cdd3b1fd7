/* schema_request.c - requests and what the schema says; see cedar_schema.h. */
#include "cedar/errors.h"
#include "cedar/schema_value.h"

const struct cedar_entities *cedar_schema_actions(const struct cedar_schema *s)
{
    return &s->actions;
}

enum err cedar_schema_context(struct arena *a, const struct cedar_schema *s,
                              const struct cedar_uid *action,
                              const struct json *json,
                              const struct cedar_record **ret,
                              const char **ret_what)
{
    const struct schema_action *declared = schema_action(s, action);
    if (declared == NULL) {
        *ret_what = "the schema has no such action";
        return ERR_MALFORMED;
    }
    return schema_value_record(a, json, declared->context, ret, ret_what);
}

static enum err refuse(struct cedar_errors *errors, const struct cedar_uid *uid,
                       const char *what)
{
    errors_add(errors, (struct str){0}, 0, "%.*s::\"%.*s\": %s",
               STR_FMT(str_first(uid->type, 40)),
               STR_FMT(str_first(uid->id, 40)), what);
    return ERR_MALFORMED;
}

static enum err check_one(const struct cedar_schema *s,
                          const struct cedar_uid *uid, const uint32_t *types,
                          uint32_t count, struct cedar_errors *errors)
{
    const struct schema_entity *e = schema_entity(s, uid->type);
    if (e == NULL)
        return refuse(errors, uid, "its type is not in the schema");
    if (!schema_applies_to(types, count, (uint32_t)(e - s->entities)))
        return refuse(errors, uid, "the action is not for its type");
    if (!schema_entity_has_id(e, uid->id))
        return refuse(errors, uid, "its type is an enum that does not have it");
    return ERR_OK;
}

enum err cedar_schema_check(const struct cedar_schema *s,
                            const struct cedar_request *request,
                            struct cedar_errors *ret_errors)
{
    if (ret_errors != NULL)
        ret_errors->count = 0;
    const struct schema_action *a = schema_action(s, &request->action);
    if (a == NULL)
        return refuse(ret_errors, &request->action,
                      "the schema has no such action");
    enum err e = check_one(s, &request->principal, a->principals,
                           a->principal_count, ret_errors);
    enum err other = check_one(s, &request->resource, a->resources,
                               a->resource_count, ret_errors);
    if (e == ERR_OK)
        e = other;
    struct cedar_value context = cedar_value_of(
        request->context != NULL ? request->context : entities_no_record());
    if (type_has_value(a->context, context))
        return e;
    return refuse(ret_errors, &request->action,
                  "the context is not what the schema says");
}
