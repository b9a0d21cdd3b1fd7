/*
 * config_check_own.c - no provider or tool server may be ourselves: a call
 * would come back as one of ours, or reach the admin plane with our own address
 * as its source (rule "The admin plane is not reachable by what it governs").
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

struct target {
    const char *map;
    struct str name, host;
    uint16_t port;
};

static bool is_listener(const struct target *t, const struct listen_settings *l)
{
    return l->host.len > 0 && t->port == l->port &&
           is_same_host(t->host, l->host);
}

static void check(const struct config_checking *c, const struct target *t)
{
    char path[CONFIG_CHECKING_PATH_MAX];
    struct config_place where =
        config_checking_place(c, path, "%s.%.*s.url", t->map, STR_FMT(t->name));

    if (is_listener(t, &c->s->admin))
        config_report_add(c->report, where, "is this node's admin address");
    for (size_t i = 0; i < c->s->listen_count; i++) {
        if (is_listener(t, &c->s->listen[i]))
            config_report_add(c->report, where,
                              "is this node's own address, listen[%zu]", i);
    }
}

void config_check_own(const struct config_checking *c)
{
    for (size_t i = 0; i < c->s->provider_count; i++) {
        const struct provider_settings *p = &c->s->providers[i];
        const struct target t = {"providers", p->name, p->host, p->port};
        check(c, &t);
    }
    for (size_t i = 0; i < c->s->tool_count; i++) {
        const struct tool_server_settings *s = &c->s->tools[i];
        const struct target t = {"tools", s->name, s->http.host, s->http.port};
        if (s->transport == TRANSPORT_HTTP)
            check(c, &t);
    }
}
