/* layers: cedar codec base */
/*
 * Property: in what loads, ancestors are exactly parents and their
 * ancestors, nobody is its own, and every uid is found again; what does not
 * load has an error.
 */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "cedar/cedar.h"
#include "cedar/entities.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_entity(const struct cedar_entities *store,
                         const struct entities_entity *entity)
{
    size_t direct = 0;
    for (uint32_t i = 0; i < entity->parent_count; i++) {
        const struct entities_entity *parent =
            &store->entities[entity->parents[i]];
        assert(entities_has_ancestor(entity, &store->uids[entity->parents[i]]));
        for (uint32_t k = 0; k < parent->ancestor_count; k++)
            assert(entities_has_ancestor(entity,
                                         &store->uids[parent->ancestors[k]]));
    }
    for (uint32_t i = 0; i < entity->ancestor_count; i++)
        for (uint32_t k = 0; k < entity->parent_count; k++)
            direct += entity->ancestors[i] == entity->parents[k];
    assert(direct == entity->parent_count);
}

static void check_store(const struct cedar_entities *store)
{
    size_t count = 0;
    for (uint32_t i = 0; i < store->uid_count; i++) {
        const struct entities_entity *entity = &store->entities[i];
        assert(entities_uid(store, &store->uids[i]) == i);
        if (entity->attributes == NULL) {
            assert(entities_find(store, &store->uids[i]) == NULL);
            assert(entity->ancestor_count == 0);
            continue;
        }
        count++;
        assert(entities_find(store, &store->uids[i]) == entity);
        assert(!entities_has_ancestor(entity, &store->uids[i]));
        check_entity(store, entity);
    }
    assert(count == cedar_entities_count(store));
}

/* The reading for values of callers: no escapes, so no entities inside. */
static void check_raw(struct str text)
{
    struct arena a;
    const struct json *json;
    struct cedar_value v;
    const char *what = NULL;
    arena_init(&a, 16 * MIB);
    if (json_read(&a, text, &json, NULL) == ERR_OK) {
        enum err e = cedar_value_raw_json(&a, json, &v, &what);
        assert(e == ERR_OK ? cedar_value_equal(v, v)
                           : e == ERR_LIMIT || what != NULL);
        assert(e != ERR_OK || v.kind != CEDAR_ENTITY);
    }
    arena_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct cedar_errors errors;
    struct cedar_entities *store;
    enum err e = cedar_entities_load(text, &errors, &store);
    if (e == ERR_OK) {
        check_store(store);
        cedar_entities_free(store);
    } else {
        assert(e == ERR_MALFORMED || e == ERR_LIMIT);
        assert(errors.count == 1 && errors.at[0].text[0] != '\0');
        assert(errors.at[0].offset <= size);
    }
    check_raw(text);
    return 0;
}
