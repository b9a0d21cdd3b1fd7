/* config_check.c - see config_check.h. */
#include "app/config_check.h"

#include <stdarg.h>

#include "app/config_checking.h"
#include "app/config_locate.h"
#include "app/config_net.h"

enum { PATH_MAX_LEN = CONFIG_CHECKING_PATH_MAX };

struct config_place config_checking_place(const struct config_checking *c,
                                          char *to, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(to, PATH_MAX_LEN, fmt, args);
    va_end(args);
    return config_locate(c->root, str_from(to));
}

static void check_listener(const struct config_checking *c, size_t i)
{
    char path[PATH_MAX_LEN];
    const struct listen_settings *l = &c->s->listen[i];
    bool plain = l->tls.cert.len == 0;
    if (plain && !l->insecure && !config_net_is_loopback(l->host))
        config_report_add(
            c->report, config_checking_place(c, path, "listen[%zu].address", i),
            "plain HTTP beyond loopback: give it tls, or say insecure: true");
    if (!plain && l->tls.client_auth != CLIENT_AUTH_NONE &&
        l->tls.client_ca.len == 0)
        config_report_add(
            c->report,
            config_checking_place(c, path, "listen[%zu].tls.client_auth", i),
            "certificates of callers need client_ca, a file that says whose");
    if (!plain && l->tls.client_auth == CLIENT_AUTH_NONE &&
        l->tls.client_ca.len > 0)
        config_report_add(
            c->report,
            config_checking_place(c, path, "listen[%zu].tls.client_ca", i),
            "is of no use while client_auth is none; expected client_auth: "
            "optional or required");
    for (size_t j = 0; j < i; j++) {
        const struct listen_settings *other = &c->s->listen[j];
        if (other->port == l->port && str_eq(other->host, l->host))
            config_report_add(c->report,
                              config_checking_place(c, path,
                                                    "listen[%zu].address", i),
                              "is the address of listen[%zu], too", j);
    }
}

static void check_provider(const struct config_checking *c,
                           const struct provider_settings *p)
{
    char path[PATH_MAX_LEN];
    if (!p->tls && !p->insecure && !config_net_is_loopback(p->host))
        config_report_add(
            c->report,
            config_checking_place(c, path, "providers.%.*s.url",
                                  STR_FMT(p->name)),
            "plain HTTP beyond loopback: expected https://, or say insecure: "
            "true");
    if (!p->tls && p->ca.len > 0)
        config_report_add(c->report,
                          config_checking_place(c, path,
                                                "providers.%.*s.tls.ca",
                                                STR_FMT(p->name)),
                          "is of no use with an http:// URL");
    const struct config_checked_place place = {.map = "providers",
                                               .what = "provider",
                                               .name = p->name,
                                               .region = p->region,
                                               .tenants = p->tenants,
                                               .credentials = p->credentials,
                                               .credential_count =
                                                   p->credential_count};
    config_check_region(c, &place);
    config_check_credentials(c, &place);
}

static void check_repeats(const struct config_checking *c, const char *list,
                          const struct model_settings *m)
{
    char path[PATH_MAX_LEN];
    bool fallback = list[0] == 'f';
    const struct route_settings *at = fallback ? m->fallback : m->routes;
    size_t n = fallback ? m->fallback_count : m->route_count;
    for (size_t i = 1; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (at[i].provider != at[j].provider ||
                !str_eq(at[i].model, at[j].model))
                continue;
            config_report_add(c->report,
                              config_checking_place(c, path,
                                                    "models.%.*s.%s[%zu]",
                                                    STR_FMT(m->name), list, i),
                              "is the destination of %s[%zu], too", list, j);
            break;
        }
    }
}

void config_check(struct config_report *r, const struct settings *s,
                  const struct yaml_node *root)
{
    struct config_checking c = {r, s, root};
    char path[PATH_MAX_LEN];
    for (size_t i = 0; i < s->listen_count; i++)
        check_listener(&c, i);
    for (size_t i = 0; i < s->provider_count; i++)
        check_provider(&c, &s->providers[i]);
    for (size_t i = 0; i < s->model_count; i++) {
        check_repeats(&c, "routes", &s->models[i]);
        check_repeats(&c, "fallback", &s->models[i]);
    }
    config_check_tools(&c);
    config_check_trust(&c);
    config_check_own(&c);
    if (s->sessions.idle_ms > s->sessions.max_ms)
        config_report_add(r, config_checking_place(&c, path, "sessions.idle"),
                          "is longer than sessions.max");
    if (s->approvals.hold_ms > s->approvals.ttl_ms)
        config_report_add(r, config_checking_place(&c, path, "approvals.hold"),
                          "is longer than approvals.ttl");
}
