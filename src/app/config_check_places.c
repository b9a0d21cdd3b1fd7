/* config_check_places.c - what providers and tool servers have in common:
 * regions and credentials. */
#include "app/config_checking.h"

enum { PATH_MAX_LEN = CONFIG_CHECKING_PATH_MAX };

static bool names_have(struct names names, struct str name)
{
    for (size_t i = 0; i < names.count; i++) {
        if (str_eq(names.at[i], name))
            return true;
    }
    return false;
}

/* May data of `t` go to `region`? */
static bool region_allowed(const struct tenant_settings *t, struct str region)
{
    return t->regions.count == 0 || names_have(t->regions, region);
}

void config_check_region(const struct config_checking *c,
                         const struct config_checked_place *p)
{
    size_t serves = 0;
    for (size_t i = 0; i < c->s->tenant_count; i++) {
        const struct tenant_settings *t = &c->s->tenants[i];
        if (p->tenants.count > 0 && !names_have(p->tenants, t->name))
            continue;
        serves++;
        if (region_allowed(t, p->region))
            return;
    }
    char path[PATH_MAX_LEN];
    struct config_place where = config_checking_place(c, path, "%s.%.*s.region",
                                                      p->map, STR_FMT(p->name));
    if (p->region.len == 0 && serves > 0)
        config_report_add(c->report, where,
                          "is missing: all tenants that may use this %s "
                          "have regions, so that none could",
                          p->what);
    else if (serves > 0)
        config_report_add(c->report, where,
                          "\"%.*s\" is a region of no tenant that may use "
                          "this %s, so that none could",
                          STR_FMT(p->region), p->what);
}

static void check_credential(const struct config_checking *c,
                             const struct config_checked_place *p, size_t i)
{
    char path[PATH_MAX_LEN];
    const struct credential_settings *k = &p->credentials[i];
    struct config_place where =
        config_checking_place(c, path, "%s.%.*s.credential[%zu]", p->map,
                              STR_FMT(p->name), i);
    if ((k->env.len > 0) == (k->file.len > 0))
        config_report_add(c->report, where,
                          "expected either env (the name of a variable) or "
                          "file (a path)");
    for (size_t j = 0; j < k->tenants.count && p->tenants.count > 0; j++) {
        char element[PATH_MAX_LEN];
        if (!names_have(p->tenants, k->tenants.at[j]))
            config_report_add(
                c->report,
                config_checking_place(c, element,
                                      "%s.%.*s.credential[%zu].tenants[%zu]",
                                      p->map, STR_FMT(p->name), i, j),
                "\"%.*s\" is not among the %s's tenants",
                STR_FMT(k->tenants.at[j]), p->what);
    }
    for (size_t j = 0; j < i; j++) {
        const struct credential_settings *b = &p->credentials[j];
        if (b->tenants.count == 0 && b->regions.count == 0) {
            config_report_add(c->report, where,
                              "is never used: credential[%zu] fits every call",
                              j);
            return;
        }
    }
}

void config_check_credentials(const struct config_checking *c,
                              const struct config_checked_place *p)
{
    for (size_t i = 0; i < p->credential_count; i++)
        check_credential(c, p, i);
}
