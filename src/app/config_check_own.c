/*
 * config_check_own.c - no provider may be ourselves: a call would come back
 * as one of ours, or reach the admin plane with our own address as its source
 * (rule "The admin plane is not reachable by what it governs").
 *
 * Addresses are compared as they are written; a name that leads here through
 * DNS is the dialler's to refuse.
 */
#include "app/config_checking.h"
#include "app/config_net.h"
#include "base/str.h"

static bool is_wildcard(struct str host)
{
    return str_eq(host, STR("0.0.0.0")) || str_eq(host, STR("::"));
}

/* Does whoever connects to `host` reach a listener at `own`? */
static bool is_same_host(struct str host, struct str own)
{
    if (str_eq(host, own))
        return true;
    if (str_eq(host, STR("localhost")))
        return is_wildcard(own) || str_eq(own, STR("127.0.0.1")) ||
               str_eq(own, STR("::1"));
    if (is_wildcard(own))
        return config_net_is_loopback(host) || is_wildcard(host);
    return is_wildcard(host) && config_net_is_loopback(own);
}

static bool is_listener(const struct provider_settings *p,
                        const struct listen_settings *l)
{
    return l->host.len > 0 && p->port == l->port &&
           is_same_host(p->host, l->host);
}

static void check_provider(const struct config_checking *c,
                           const struct provider_settings *p)
{
    char path[CONFIG_CHECKING_PATH_MAX];
    struct config_place where =
        config_checking_place(c, path, "providers.%.*s.url", STR_FMT(p->name));

    if (is_listener(p, &c->s->admin))
        config_report_add(c->report, where, "is this node's admin address");
    for (size_t i = 0; i < c->s->listen_count; i++) {
        if (is_listener(p, &c->s->listen[i]))
            config_report_add(c->report, where,
                              "is this node's own address, listen[%zu]", i);
    }
}

void config_check_own(const struct config_checking *c)
{
    for (size_t i = 0; i < c->s->provider_count; i++)
        check_provider(c, &c->s->providers[i]);
}
