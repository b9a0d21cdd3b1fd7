/* rules_warnings.c - see rules.h. */
#include "base/attr.h"
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
        if (!str_eq(rules_vocabulary_own(uid->type), type))
            continue; /* first: names are dear to compare */
        unsigned d = text_distance(uid->id, id);
        if (d < least) {
            least = d;
            best = uid->id;
        }
    }
    return best;
}

static void warn(const struct warning *w,
                 const struct rules_vocabulary_entity *e, struct str type,
                 struct str id)
{
    struct str meant = str_eq(type, STR("Tenant"))
                           ? (struct str){NULL, 0}
                           : nearest(w->rules, type, id);
    if (meant.len > 0)
        rules_report_at(w->to, e->file, e->offset,
                        "nothing is known of %.*s \"%.*s\"; did you mean "
                        "\"%.*s\"?",
                        STR_FMT(type), STR_FMT(str_first(id, 60)),
                        STR_FMT(str_first(meant, 60)));
    else
        rules_report_at(w->to, e->file, e->offset,
                        "nothing is known of %.*s \"%.*s\"", STR_FMT(type),
                        STR_FMT(str_first(id, 60)));
}

static bool is_known(const struct rules *r, struct str type, struct str id)
{
    char room[RULES_KEY_MAX];
    struct str key = rules_set_key(type, id, room);
    return str_eq(type, STR("Tenant")) ? map_get(&r->fence.tenants, id) != NULL
                                       : map_get(&r->known, key) != NULL;
}

/* What a server has is known when the server is: the rest it says later. */
static void look_at_named(const struct warning *w,
                          const struct rules_vocabulary_entity *e,
                          struct str name)
{
    struct str type = STR("ToolServer");
    struct str server = rules_vocabulary_server(name);
    if (server.len == 0)
        rules_report_at(w->to, e->file, e->offset,
                        "the id of a %.*s is \"<server>/<name>\"",
                        STR_FMT(e->type));
    else if (map_get(&w->rules->fence.servers, server) == NULL)
        warn(w, e, type, server);
}

static bool is_one_of(struct str word, const struct str *of, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(of[i], word))
            return true;
    }
    return false;
}

/* Ids with escapes are left alone: ours have none. */
static void look(void *user, const struct rules_vocabulary_entity *e)
{
    static const struct str listed[] = {
        STR_INIT("Tenant"),     STR_INIT("Model"),     STR_INIT("ModelGroup"),
        STR_INIT("ToolServer"), STR_INIT("ToolGroup"),
    };
    static const struct str named[] = {STR_INIT("Tool"), STR_INIT("Resource"),
                                       STR_INIT("Prompt")};
    const struct warning *w = user;
    struct str call = STR(RULES_TOOL_ACTION);
    if (e->id.len > RULES_KEY_MAX - e->type.len - 2 ||
        str_find(e->id, '\\') < e->id.len)
        return;
    if (is_one_of(e->type, listed, ARRAY_LEN(listed)) &&
        !is_known(w->rules, e->type, e->id))
        warn(w, e, e->type, e->id);
    if (is_one_of(e->type, named, ARRAY_LEN(named)))
        look_at_named(w, e, e->id);
    if (str_eq(e->type, STR("Action")) && str_starts(e->id, call))
        look_at_named(w, e, str_skip(e->id, call.len));
}

/* What people lift they lift by its name. */
static void look_at_names(const struct rules_policies *p,
                          const struct rules_file *file,
                          struct rules_errors *to)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct rules_policy *one = &p->at[i];
        if (one->approval.len > 0 && !one->is_named &&
            str_eq(one->file, file->name))
            rules_report(to, file->name, one->line, 1,
                         "a forbid with @approval but without @id: its name "
                         "changes with its place in the file");
    }
}

void rules_warnings(const struct rules *r, const struct rules_sources *from,
                    struct rules_errors *ret)
{
    struct warning w = {r, ret};
    ret->count = 0;
    ret->more = 0;
    for (size_t i = 0; i < from->policy_count; i++) {
        look_at_names(&r->live, &from->policies[i], ret);
        rules_vocabulary_entities(&from->policies[i], look, &w);
    }
    for (size_t i = 0; i < from->shadow_count; i++) {
        look_at_names(&r->shadow, &from->shadow[i], ret);
        rules_vocabulary_entities(&from->shadow[i], look, &w);
    }
}
