/* standing.c - see standing.h. */
#include "pipeline/standing.h"

#include "identity/proof.h"
#include "os/loop.h"
#include "pipeline/action.h"
#include "pipeline/worker.h"
#include "registry/registry.h"

static bool has_subject(const struct chain *c)
{
    for (unsigned i = 0; i < c->count; i++) {
        if (c->links[i].role == LINK_SUBJECT)
            return true;
    }
    return false;
}

/* Rule "The user cannot be dropped". */
static bool needs_subject(const struct registry_entry *e)
{
    return e->who.kind == PRINCIPAL_AGENT && e->mode == REGISTRY_DELEGATED;
}

static bool has_purpose(const struct registry_entry *e, struct str purpose)
{
    for (unsigned i = 0; i < e->purpose_count; i++) {
        if (str_eq(e->purposes[i], purpose))
            return true;
    }
    return false;
}

/* Every link that is no person has it registered. */
static bool is_common(const struct action *a, struct str purpose)
{
    for (unsigned i = 0; i < a->chain->count; i++) {
        const struct registry_entry *e = a->entries[i];
        if (e->who.kind != PRINCIPAL_USER && !has_purpose(e, purpose))
            return false;
    }
    return true;
}

/* Rule "Purpose is not the asker's word": the one that all who are no persons
 * have in common; none where there are several, for nobody said which. */
static struct str common_purpose(const struct action *a)
{
    struct str found = {0};

    for (unsigned i = 0; i < a->chain->count; i++) {
        const struct registry_entry *e = a->entries[i];
        if (e->who.kind == PRINCIPAL_USER)
            continue;
        for (unsigned n = 0; n < e->purpose_count; n++) {
            if (!is_common(a, e->purposes[n]))
                continue;
            if (found.len > 0)
                return (struct str){0};
            found = e->purposes[n];
        }
        return found; /* common to all, so the first one has it */
    }
    return found;
}

/* A key that was replaced proves nobody, also who was proven by it before.  It
 * is known by its fingerprint. */
static bool has_key(const struct registry_entry *e, const struct link *l,
                    int64_t now_us)
{
    if (l->method != AUTH_API_KEY)
        return true;
    for (unsigned i = 0; i < e->key_count; i++) {
        if (str_eq(e->keys[i].fingerprint, l->credential))
            return e->keys[i].expires_us > now_us;
    }
    return false;
}

enum err standing_look(struct action *a)
{
    struct worker *w = a->worker;
    const struct chain *chain = a->chain;
    int64_t now_us = loop_wall_us(w->loop);

    a->looked = false;
    for (unsigned i = 0; i < chain->count; i++) {
        const struct principal *who = &chain->links[i].who;
        enum err e =
            registry_view_check(w->registry, who, now_us, &a->entries[i]);
        if (e == ERR_UNREGISTERED &&
            registry_view_find(w->registry, who->kind, who->id) == NULL)
            w->discovered(w, who);
        if (e != ERR_OK)
            return e;
        if (!has_key(a->entries[i], &chain->links[i], now_us))
            return ERR_REVOKED;
        if (needs_subject(a->entries[i]) && !has_subject(chain))
            return ERR_SUBJECT;
    }
    a->looked = true;
    a->purpose = common_purpose(a);
    a->epoch = registry_view_epoch(w->registry);
    return ERR_OK;
}

enum err standing_holds(struct action *a)
{
    struct worker *w = a->worker;

    if (a->proof->expires_us <= loop_wall_us(w->loop) ||
        (a->session != NULL && session_is_ended(a->session)))
        return ERR_REVOKED;
    return a->epoch == registry_view_epoch(w->registry) ? ERR_OK
                                                        : standing_look(a);
}

bool standing_is_lost(enum err why)
{
    return why == ERR_REVOKED || why == ERR_INACTIVE ||
           why == ERR_UNREGISTERED || why == ERR_SUBJECT;
}
