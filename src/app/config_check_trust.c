/* config_check_trust.c - contradictions in trust, limits and admin. */
#include "app/config_checking.h"

#include "app/config_net.h"
#include "domain/principal.h"

enum { PATH_MAX_LEN = CONFIG_CHECKING_PATH_MAX };

/* Aliases that name who is known without an issuer. */
static bool is_reserved(struct str alias)
{
    return str_eq(alias, PRINCIPAL_KEYS_ISSUER) || str_eq(alias, STR("local"));
}

static void check_url(const struct config_checking *c, size_t i,
                      const char *key, struct str url)
{
    char path[PATH_MAX_LEN];
    struct provider_settings parts = {0};
    const char *why = NULL;
    const struct issuer_settings *o = &c->s->issuers[i];

    if (url.len == 0)
        return;
    struct config_place where =
        config_checking_place(c, path, "trust.oidc[%zu].%s", i, key);
    if (!config_net_url(c->report->a, url, &parts, &why)) {
        c->report->full |= why == NULL;
        config_report_add(c->report, where, "is not a usable URL; %s",
                          why == NULL ? "" : why);
        return;
    }
    if (!parts.tls && !o->insecure && !config_net_is_loopback(parts.host))
        config_report_add(c->report, where,
                          "plain HTTP beyond loopback: expected https://, or "
                          "say insecure: true");
}

static void check_issuer(const struct config_checking *c, size_t i)
{
    char path[PATH_MAX_LEN];
    const struct issuer_settings *o = &c->s->issuers[i];

    struct config_place alias =
        config_checking_place(c, path, "trust.oidc[%zu].alias", i);
    if (is_reserved(o->alias))
        config_report_add(c->report, alias,
                          "\"%.*s\" is Writ's own; expected another name",
                          STR_FMT(o->alias));
    for (size_t j = 0; j < i; j++) {
        if (str_eq(c->s->issuers[j].alias, o->alias))
            config_report_add(c->report, alias,
                              "is the alias of trust.oidc[%zu], too", j);
        if (str_eq(c->s->issuers[j].issuer, o->issuer))
            config_report_add(c->report,
                              config_checking_place(c, path,
                                                    "trust.oidc[%zu].issuer",
                                                    i),
                              "is the issuer of trust.oidc[%zu], too", j);
    }
    /* With a key set of its own, the name need not be a place. */
    check_url(c, i, "issuer", o->jwks.len == 0 ? o->issuer : (struct str){0});
    check_url(c, i, "jwks", str_first(o->jwks, str_find(o->jwks, '?')));
    if (o->kinds.count > 1 && o->claims.kind.len == 0)
        config_report_add(
            c->report,
            config_checking_place(c, path, "trust.oidc[%zu].kinds", i),
            "several kinds need claims.kind, the claim that says which");
    if (o->tenants.count > 1 && o->claims.tenant.len == 0)
        config_report_add(
            c->report,
            config_checking_place(c, path, "trust.oidc[%zu].tenants", i),
            "several tenants need claims.tenant, the claim that says which");
}

static void check_limit(const struct config_checking *c, size_t i)
{
    char path[PATH_MAX_LEN];
    const struct limit_settings *l = &c->s->limits[i];

    for (size_t j = 0; j < i; j++) {
        if (str_eq(c->s->limits[j].name, l->name))
            config_report_add(c->report,
                              config_checking_place(c, path, "limits[%zu].name",
                                                    i),
                              "\"%.*s\" is the name of limits[%zu], too",
                              STR_FMT(l->name), j);
    }
    if (l->rate_requests == 0 && l->concurrency == 0 &&
        l->budget_window_ms == 0)
        config_report_add(c->report,
                          config_checking_place(c, path, "limits[%zu]", i),
                          "limits nothing; expected rate, concurrency or "
                          "budget");
    if (l->budget_window_ms > 0 && l->budget_tokens == 0 &&
        l->budget_requests == 0)
        config_report_add(c->report,
                          config_checking_place(c, path, "limits[%zu].budget",
                                                i),
                          "limits nothing; expected tokens or requests");
}

static void check_admin(const struct config_checking *c)
{
    char path[PATH_MAX_LEN];
    const struct listen_settings *admin = &c->s->admin;

    if (admin->host.len == 0)
        return;
    struct config_place where = config_checking_place(c, path, "admin.address");
    if (admin->tls.cert.len == 0 && !admin->insecure &&
        !config_net_is_loopback(admin->host))
        config_report_add(c->report, where,
                          "plain HTTP beyond loopback: give it tls, or say "
                          "insecure: true");
    for (size_t i = 0; i < c->s->listen_count; i++) {
        if (c->s->listen[i].port == admin->port &&
            str_eq(c->s->listen[i].host, admin->host))
            config_report_add(c->report, where,
                              "is the address of listen[%zu], too", i);
    }
}

void config_check_trust(const struct config_checking *c)
{
    for (size_t i = 0; i < c->s->issuer_count; i++)
        check_issuer(c, i);
    for (size_t i = 0; i < c->s->limit_count; i++)
        check_limit(c, i);
    check_admin(c);
}
