/* links.c - see links.h. */
#include "cedar/links.h"

#include <stdlib.h>

#define NONE UINT32_MAX

struct links {
    struct cedar_policies *set;
    uint32_t *slots; /* a hash table of policies; NONE: empty */
    size_t slot_count;
    size_t used;
};

static size_t slot_of(const struct links *l, struct str id)
{
    size_t at = (size_t)value_hash(id) & (l->slot_count - 1);
    while (l->slots[at] != NONE &&
           !str_eq(l->set->policies.at[l->slots[at]].id, id))
        at = (at + 1) & (l->slot_count - 1);
    return at;
}

/* Twice the slots, with all policies in them that were. */
static bool grow(struct links *l)
{
    size_t count = l->slot_count == 0 ? 64 : l->slot_count * 2;
    uint32_t *old = l->slots;
    uint32_t *slots = reallocarray(NULL, count, sizeof(*slots));
    if (slots == NULL)
        return false;
    memset(slots, 0xFF, count * sizeof(*slots));
    size_t old_count = l->slot_count;
    l->slots = slots;
    l->slot_count = count;
    for (size_t i = 0; i < old_count; i++)
        if (old[i] != NONE)
            l->slots[slot_of(l, l->set->policies.at[old[i]].id)] = old[i];
    free(old);
    return true;
}

/* ERR_MALFORMED: there is a policy of that id. */
static enum err enter(struct links *l, uint32_t policy)
{
    if (l->used * 2 >= l->slot_count && !grow(l))
        return ERR_NO_MEMORY;
    size_t at = slot_of(l, l->set->policies.at[policy].id);
    if (l->slots[at] != NONE)
        return ERR_MALFORMED;
    l->slots[at] = policy;
    l->used++;
    return ERR_OK;
}

enum err links_new(struct cedar_policies *set, struct links **ret,
                   struct str *ret_twice)
{
    struct links *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return ERR_NO_MEMORY;
    l->set = set;
    enum err e = grow(l) ? ERR_OK : ERR_NO_MEMORY;
    for (size_t i = 0; e == ERR_OK && i < set->policies.count; i++) {
        e = enter(l, (uint32_t)i);
        if (e == ERR_MALFORMED)
            *ret_twice = set->policies.at[i].id;
    }
    if (e != ERR_OK) {
        links_free(l);
        return e;
    }
    *ret = l;
    return ERR_OK;
}

void links_free(struct links *l)
{
    if (l == NULL)
        return;
    free(l->slots);
    free(l);
}

/* Puts an entity where the slot is. */
static enum err fill(struct arena *a, struct program_scope *scope,
                     const struct cedar_uid *with)
{
    if (!scope->is_slot)
        return ERR_OK;
    struct cedar_uid *uid = arena_alloc_raw(a, sizeof(*uid));
    struct str type;
    struct str id;
    if (uid == NULL || !arena_copy(a, with->type, &type) ||
        !arena_copy(a, with->id, &id))
        return ERR_LIMIT;
    *uid = cedar_uid_make(type, id);
    scope->is_slot = false;
    scope->uids = uid;
    scope->uid_count = 1;
    return ERR_OK;
}

static const char *mismatch(const struct program_policy *template,
                            const struct cedar_link *link)
{
    if (!template->is_template)
        return "this policy is no template";
    if (template->scopes[VAR_PRINCIPAL].is_slot != (link->principal != NULL))
        return link->principal == NULL
                   ? "the slot ?principal is not given an entity"
                   : "the template has no slot ?principal";
    if (template->scopes[VAR_RESOURCE].is_slot != (link->resource != NULL))
        return link->resource == NULL
                   ? "the slot ?resource is not given an entity"
                   : "the template has no slot ?resource";
    return NULL;
}

enum err links_add(struct links *l, const struct cedar_link *link,
                   const char **ret_why)
{
    struct cedar_policies *set = l->set;
    uint32_t template = l->slots[slot_of(l, link->template_id)];
    *ret_why = "there is no such template";
    if (template == NONE)
        return ERR_MALFORMED;
    struct program_policy policy = set->policies.at[template];
    *ret_why = mismatch(&policy, link);
    if (*ret_why != NULL)
        return ERR_MALFORMED;
    enum err e =
        fill(&set->arena, &policy.scopes[VAR_PRINCIPAL], link->principal);
    if (e == ERR_OK)
        e = fill(&set->arena, &policy.scopes[VAR_RESOURCE], link->resource);
    if (e == ERR_OK && !arena_copy(&set->arena, link->id, &policy.id))
        e = ERR_LIMIT;
    if (e != ERR_OK)
        return e;
    policy.is_template = false;
    policy.linked = template + 1;
    if (set->policies.count == NONE || !PROGRAM_ROOM(set->policies))
        return ERR_NO_MEMORY;
    set->policies.at[set->policies.count++] = policy;
    e = enter(l, (uint32_t)set->policies.count - 1);
    if (e != ERR_OK)
        set->policies.count--;
    *ret_why = "another policy has the id of the link";
    return e;
}
