/* settings_copy.c - see settings_copy.h. */
#include "trust/settings_copy.h"

static bool copy_names(struct arena *a, struct names *n)
{
    struct str *at = ARENA_NEW(a, struct str, n->count);
    bool ok = at != NULL;
    for (size_t i = 0; ok && i < n->count; i++)
        ok = arena_copy(a, n->at[i], &at[i]);
    n->at = at;
    return ok;
}

static bool copy_issuer(struct arena *a, struct issuer_settings *i)
{
    struct str *const texts[] = {
        &i->alias,       &i->issuer,        &i->jwks,          &i->ca,
        &i->claims.kind, &i->claims.tenant, &i->claims.groups,
    };
    bool ok = copy_names(a, &i->audience) && copy_names(a, &i->kinds) &&
              copy_names(a, &i->tenants);
    for (size_t n = 0; ok && n < ARRAY_LEN(texts); n++)
        ok = arena_copy(a, *texts[n], texts[n]);
    return ok;
}

enum err settings_copy(struct arena *a, const struct settings *s,
                       struct settings *ret)
{
    struct issuer_settings *issuers =
        ARENA_NEW(a, struct issuer_settings, s->issuer_count);
    bool ok = issuers != NULL;
    for (size_t i = 0; ok && i < s->issuer_count; i++) {
        issuers[i] = s->issuers[i];
        ok = copy_issuer(a, &issuers[i]);
    }
    if (!ok)
        return ERR_NO_MEMORY;
    *ret = (struct settings){
        .issuers = issuers,
        .issuer_count = s->issuer_count,
    };
    return ERR_OK;
}
