/*
 * registry_check.c - may this entry be new, or follow what is there?
 *
 * Rule "Agents are proposed before they are active": what is to act needs an
 * owner, a purpose and an end.  What is stopped needs none of them: stopping
 * must work when the owner has left.
 */
#include "registry/registry.h"
#include "registry/registry_entry.h"

static enum err say(const char **ret_why, enum err e, const char *why)
{
    *ret_why = why;
    return e;
}

static bool is_person(const struct registry_entry *e)
{
    return e->who.kind == PRINCIPAL_USER;
}

static enum err check_owner(const struct registry_view *v,
                            const struct registry_entry *e, int64_t now_us,
                            const char **ret_why)
{
    if (is_person(e)) {
        if (e->owner.len == 0 || str_eq(e->owner, e->who.id))
            return ERR_OK;
        return say(ret_why, ERR_MALFORMED, "a person owns itself");
    }
    if (e->owner.len == 0)
        return say(ret_why, ERR_MALFORMED, "it has no owner");
    const struct registry_entry *owner =
        registry_view_find(v, PRINCIPAL_USER, e->owner);
    const struct registry_entry *live;
    if (owner == NULL ||
        registry_view_check(v, &owner->who, now_us, &live) != ERR_OK)
        return say(ret_why, ERR_MALFORMED, "its owner is no active person");
    if (!str_eq(owner->who.tenant, e->who.tenant))
        return say(ret_why, ERR_MALFORMED, "its owner is of another tenant");
    return ERR_OK;
}

/* What may act one day has all that it answers for. */
static enum err check_whole(const struct registry_view *v,
                            const struct registry_entry *e, int64_t now_us,
                            const char **ret_why)
{
    if (!is_person(e) && e->purpose_count == 0)
        return say(ret_why, ERR_MALFORMED, "it has no purpose");
    if (e->expires_us == 0)
        return say(ret_why, ERR_MALFORMED, "it has no expiry");
    if (e->expires_us <= now_us)
        return say(ret_why, ERR_MALFORMED, "its expiry has passed");
    return check_owner(v, e, now_us, ret_why);
}

static enum err check_keys(const struct registry_view *v,
                           const struct registry_entry *e, const char **ret_why)
{
    for (unsigned i = 0; i < e->key_count; i++) {
        for (unsigned j = 0; j < i; j++) {
            if (memcmp(&e->keys[i].hmac, &e->keys[j].hmac, HASH_LEN) == 0)
                return say(ret_why, ERR_CONFLICT, "it has a key twice");
        }
        const struct registry_key *key;
        const struct registry_entry *other =
            registry_view_by_key(v, &e->keys[i].hmac, &key);
        if (other != NULL && (other->who.kind != e->who.kind ||
                              !str_eq(other->who.id, e->who.id)))
            return say(ret_why, ERR_CONFLICT, "its key is another one's");
    }
    return ERR_OK;
}

static enum err check_new_one(const struct registry_entry *there,
                              const struct registry_entry *e,
                              const char **ret_why)
{
    if (there != NULL && there->state == REGISTRY_RETIRED)
        return say(ret_why, ERR_CONFLICT,
                   "that name was retired; it is not used again");
    if (there != NULL && there->state != REGISTRY_DISCOVERED)
        return say(ret_why, ERR_CONFLICT, "there is one of that name");
    if (e->state != REGISTRY_PROPOSED && e->state != REGISTRY_ACTIVE)
        return say(ret_why, ERR_CONFLICT, "a new one is proposed or active");
    return ERR_OK;
}

static enum err check_change(const struct registry_entry *there,
                             const struct registry_entry *e,
                             const char **ret_why)
{
    if (there == NULL || there->state == REGISTRY_DISCOVERED)
        return say(ret_why, ERR_NOT_FOUND, "there is none of that name");
    if (there->state == REGISTRY_RETIRED)
        return say(ret_why, ERR_CONFLICT, "it was retired, which is for good");
    if (there->revision + 1 != e->revision)
        return say(ret_why, ERR_CONFLICT, "it was changed meanwhile");
    if (!str_eq(there->who.tenant, e->who.tenant) ||
        !str_eq(there->who.issuer, e->who.issuer))
        return say(ret_why, ERR_CONFLICT, "its tenant and issuer stay");
    return ERR_OK;
}

enum err registry_check_new(const struct registry *r,
                            const struct registry_entry *e, int64_t now_us,
                            const char **ret_why)
{
    const struct registry_view *v = registry_now(r);
    const char *fault = registry_entry_fault(e);
    if (fault != NULL)
        return say(ret_why, ERR_MALFORMED, fault);
    if (e->state == REGISTRY_DISCOVERED)
        return say(ret_why, ERR_MALFORMED, "nobody is made discovered");
    const struct registry_entry *there =
        registry_view_find(v, e->who.kind, e->who.id);
    enum err got = e->revision <= 1 ? check_new_one(there, e, ret_why)
                                    : check_change(there, e, ret_why);
    if (got == ERR_OK &&
        (e->state == REGISTRY_PROPOSED || e->state == REGISTRY_ACTIVE))
        got = check_whole(v, e, now_us, ret_why);
    return got == ERR_OK ? check_keys(v, e, ret_why) : got;
}
