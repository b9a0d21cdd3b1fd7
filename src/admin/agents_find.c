/* agents_find.c - see agents_find.h. */
#include "admin/agents_find.h"

#include "admin/answer.h"
#include "base/attr.h"
#include "codec/uri.h"

struct wanted {
    struct str id, kind;
};

static enum err read_query(struct admin_call *c, struct wanted *to,
                           struct str *ret_param)
{
    struct str query = c->query, name, value;

    while (uri_next_pair(&query, &name, &value)) {
        *ret_param = str_first(name, 64);
        enum err e = uri_decode(c->arena, value, false, &value);
        if (e != ERR_OK)
            return e;
        if (str_eq(name, STR("kind")))
            to->kind = value;
        else if (str_eq(name, STR("id")) && str_eq(c->argument, STR("-")))
            to->id = value;
        else
            return ERR_UNKNOWN_FIELD;
    }
    *ret_param = (struct str){NULL, 0};
    if (to->id.len > 0)
        return ERR_OK;
    return uri_decode(c->arena, c->argument, false, &to->id);
}

/* Looks at the kinds that come into question; two of one id are too many. */
static const struct registry_entry *look(struct admin_call *c,
                                         const struct wanted *w)
{
    static const enum principal_kind kinds[] = {PRINCIPAL_AGENT,
                                                PRINCIPAL_APPLICATION,
                                                PRINCIPAL_WORKLOAD,
                                                PRINCIPAL_USER};
    const struct registry_view *v = registry_now(c->host->registry);
    const struct registry_entry *found = NULL;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (w->kind.len > 0 && !str_eq(w->kind, principal_kind_name(kinds[i])))
            continue;
        const struct registry_entry *e = registry_view_find(v, kinds[i], w->id);
        if (e != NULL && found != NULL) {
            answer_problem(c, ERR_CONFLICT,
                           STR("identities of several kinds have this id: say "
                               "which"),
                           STR("kind"));
            return NULL;
        }
        found = e != NULL ? e : found;
    }
    if (found == NULL)
        answer_refuse(c, ERR_NOT_FOUND, "no such identity");
    return found;
}

const struct registry_entry *agents_find_id(struct admin_call *c, struct str id,
                                            struct str kind)
{
    const struct wanted w = {id, kind};
    return look(c, &w);
}

const struct registry_entry *agents_find(struct admin_call *c)
{
    struct wanted wanted = {0};
    struct str param;

    if (c->host->registry == NULL) {
        answer_refuse(c, ERR_STORE, "the registry is not loaded yet");
        return NULL;
    }
    enum err e = read_query(c, &wanted, &param);
    if (e != ERR_OK) {
        answer_problem(c, e, (struct str){NULL, 0}, param);
        return NULL;
    }
    return look(c, &wanted);
}

struct evidence_admin agents_fact(const struct admin_call *c,
                                  const struct registry_entry *e,
                                  const char *event, bool revokes,
                                  struct str detail)
{
    return (struct evidence_admin){
        .revokes = revokes,
        .author = c->author.id,
        .author_method = auth_method_name(c->author.method),
        .action = (enum action_kind)c->action,
        .event = str_from(event),
        .detail = detail,
        .subject_type = principal_kind_entity(e->who.kind),
        .subject = e->who.id,
        .tenant = e->who.tenant,
    };
}
