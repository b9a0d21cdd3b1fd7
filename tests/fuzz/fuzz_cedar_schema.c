/* layers: cedar codec base */
/*
 * Property: text that is a schema in one form says the same when it is read
 * again, its types and actions are found by their names, and no type is below
 * what it may not be below; what is none in either form has an error that
 * lies in the text.
 */
#include <assert.h>
#include <stdint.h>

#include "cedar/cedar.h"
#include "cedar/schema_equal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef enum err load_fn(struct str text, struct cedar_errors *ret_errors,
                         struct cedar_schema **ret);

static void check_schema(const struct cedar_schema *s)
{
    for (uint32_t i = 0; i < s->entity_count; i++) {
        const struct schema_entity *e = &s->entities[i];
        assert(schema_entity(s, e->name.name) == e);
        assert(e->shape->kind == TYPE_RECORD && e->shape->number != 0);
        assert(schema_type_in(s, e, e));
        for (uint32_t k = 0; k < e->parent_count; k++)
            assert(schema_type_in(s, e, &s->entities[e->parents[k]]));
    }
    for (uint32_t i = 0; i < s->actions.uid_count; i++) {
        const struct schema_action *a = schema_action(s, &s->actions.uids[i]);
        assert(a == &s->applies[i] && a->context->kind == TYPE_RECORD);
        assert(s->entities[a->type].is_action);
    }
}

static void check_form(struct str text, load_fn *load)
{
    struct cedar_errors errors;
    struct cedar_schema *first;
    struct cedar_schema *second;
    enum err e = load(text, &errors, &first);
    if (e != ERR_OK) {
        assert(e == ERR_MALFORMED || e == ERR_LIMIT);
        assert(errors.count > 0 && errors.at[0].text[0] != '\0');
        for (size_t i = 0; i < errors.count; i++)
            assert(errors.at[i].offset <= text.len);
        return;
    }
    check_schema(first);
    if (load(text, NULL, &second) == ERR_OK) {
        assert(schema_equal(first, second));
        cedar_schema_free(second);
    }
    cedar_schema_free(first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    check_form(text, cedar_schema_load);
    check_form(text, cedar_schema_load_json);
    return 0;
}
