/* rules_warnings.c - see rules.h. */
#include "base/text.h"
#include "policy/rules_report.h"
#include "policy/rules_set.h"
#include "policy/rules_vocabulary.h"

enum { FAR = 3 };

struct warning {
    const struct rules *rules;
    struct rules_errors *to;
};

/* The entity of this type whose name is nearest, or nothing. */
static struct str nearest(const struct rules *r, struct str type, struct str id)
{
    struct str best = {NULL, 0};
    unsigned least = FAR;
    size_t at = 0;
    struct str key;
    void *value;
    while (map_next(&r->known, &at, &key, &value)) {
        const struct cedar_uid *uid = value;
        unsigned d = text_distance(uid->id, id);
        if (d < least && str_eq(rules_vocabulary_own(uid->type), type)) {
            least = d;
            best = uid->id;
        }
    }
    return best;
}

/* Ids with escapes are left alone: ours have none. */
static void look(void *user, const struct rules_vocabulary_entity *e)
{
    const struct warning *w = user;
    const struct rules *r = w->rules;
    char room[RULES_KEY_MAX];
    struct str key = rules_set_key(e->type, e->id, room);
    bool is_tenant = str_eq(e->type, STR("Tenant"));
    bool is_model = str_eq(e->type, STR("Model"));
    if (key.len == 0 || str_find(e->id, '\\') < e->id.len ||
        !(is_tenant || is_model || str_eq(e->type, STR("ModelGroup"))))
        return;
    if (is_tenant ? map_get(&r->fence.tenants, e->id) != NULL
                  : map_get(&r->known, key) != NULL)
        return;
    struct str meant =
        is_tenant ? (struct str){NULL, 0} : nearest(r, e->type, e->id);
    if (meant.len > 0)
        rules_report_at(w->to, e->file, e->offset,
                        "nothing is known of %.*s \"%.*s\"; did you mean "
                        "\"%.*s\"?",
                        STR_FMT(e->type), STR_FMT(str_first(e->id, 60)),
                        STR_FMT(str_first(meant, 60)));
    else
        rules_report_at(w->to, e->file, e->offset,
                        "nothing is known of %.*s \"%.*s\"", STR_FMT(e->type),
                        STR_FMT(str_first(e->id, 60)));
}

void rules_warnings(const struct rules *r, const struct rules_sources *from,
                    struct rules_errors *ret)
{
    struct warning w = {r, ret};
    ret->count = 0;
    ret->more = 0;
    for (size_t i = 0; i < from->policy_count; i++)
        rules_vocabulary_entities(&from->policies[i], look, &w);
    for (size_t i = 0; i < from->shadow_count; i++)
        rules_vocabulary_entities(&from->shadow[i], look, &w);
}
