/* cmd_check.c - `writ check`: is the configuration right, and what does it
 * leave open? */
#include <unistd.h>

#include "app/cmd.h"
#include "app/cmd_load.h"
#include "app/policy_rules.h"
#include "base/text.h"
#include "codec/json.h"
#include "os/file.h"

enum { GAPS_MAX = 64, OUTPUT_MAX = 4 * 1024 * 1024 };

/* A file that the configuration names and that is not there. */
struct missing {
    const char *key;
    struct str path;
};

enum { MISSING_MAX = 64 };

struct missings {
    struct missing at[MISSING_MAX];
    size_t count;
};

static void look(struct missings *m, const char *key, struct str path)
{
    char z[FILE_PATH_MAX];
    if (path.len == 0 || m->count == MISSING_MAX)
        return;
    bool ok = path.len < sizeof(z);
    if (ok) {
        memcpy(z, path.ptr, path.len);
        z[path.len] = 0;
        ok = access(z, R_OK) == 0;
    }
    if (!ok)
        m->at[m->count++] = (struct missing){key, path};
}

static void look_for_files(struct missings *m, const struct settings *s)
{
    for (size_t i = 0; i < s->listen_count; i++) {
        look(m, "listen[].tls.cert", s->listen[i].tls.cert);
        look(m, "listen[].tls.key", s->listen[i].tls.key);
        look(m, "listen[].tls.client_ca", s->listen[i].tls.client_ca);
    }
    for (size_t i = 0; i < s->provider_count; i++) {
        const struct provider_settings *p = &s->providers[i];
        look(m, "providers.NAME.tls.ca", p->ca);
        for (size_t j = 0; j < p->credential_count; j++)
            look(m, "providers.NAME.credential[].file", p->credentials[j].file);
    }
    for (size_t i = 0; i < s->tool_count; i++) {
        const struct tool_server_settings *t = &s->tools[i];
        look(m, "tools.NAME.ca", t->http.ca);
        for (size_t j = 0; j < t->credential_count; j++)
            look(m, "tools.NAME.credential[].file", t->credentials[j].file);
    }
    for (size_t i = 0; i < s->issuer_count; i++)
        look(m, "trust.oidc[].ca", s->issuers[i].ca);
    look(m, "admin.tls.cert", s->admin.tls.cert);
    look(m, "admin.tls.key", s->admin.tls.key);
}

/* A policy that cannot be loaded; of these the lines are all there is. */
struct refusals {
    const struct cli *cli;
    size_t count;
};

static void on_refusal(void *user, struct str line)
{
    struct refusals *r = user;
    r->count++;
    cli_print_safe(r->cli->err, line);
    (void)fputc('\n', r->cli->err);
}

/* Loads the policies as a node would. */
static int check_rules(const struct cli *c, const struct settings *s,
                       size_t *ret_count)
{
    struct refusals r = {.cli = c};
    struct rules *rules = NULL;
    enum err e = policy_rules_load(s, on_refusal, &r, &rules);
    if (e == ERR_OK) {
        *ret_count = rules_count(rules);
        rules_unref(rules);
        return CLI_OK;
    }
    if (r.count == 0 || c->json)
        return cli_fail(c, "the policies cannot be loaded");
    return CLI_FAILED;
}

static void print_listeners(const struct cli *c, const struct settings *s)
{
    for (size_t i = 0; i < s->listen_count; i++) {
        const struct listen_settings *l = &s->listen[i];
        bool v6 = str_find(l->host, ':') < l->host.len;
        cli_print(c->out, "  listen    %s%.*s%s:%u, %s\n", v6 ? "[" : "",
                  STR_FMT(l->host), v6 ? "]" : "", l->port,
                  l->tls.cert.len == 0                     ? "plain"
                  : l->tls.client_auth == CLIENT_AUTH_NONE ? "TLS"
                  : l->tls.client_auth == CLIENT_AUTH_OPTIONAL
                      ? "TLS, client certificates optional"
                      : "TLS, client certificates required");
    }
}

static void print_routes(const struct cli *c, const struct settings *s,
                         const struct model_settings *m)
{
    cli_print(c->out, "  model     %.*s:", STR_FMT(m->name));
    for (size_t i = 0; i < m->route_count + m->fallback_count; i++) {
        bool fallback = i >= m->route_count;
        const struct route_settings *r =
            fallback ? &m->fallback[i - m->route_count] : &m->routes[i];
        cli_print(c->out, "%s %.*s/%.*s",
                  i == 0                            ? ""
                  : fallback && i == m->route_count ? ", then"
                                                    : ",",
                  STR_FMT(s->providers[r->provider].name), STR_FMT(r->model));
        if (!fallback && m->route_count > 1)
            cli_print(c->out, " x%u", r->weight);
    }
    (void)fputc('\n', c->out);
}

static void print_names(const struct cli *c, const char *what,
                        struct names names, const char *none)
{
    cli_print(c->out, "%s", what);
    for (size_t i = 0; i < names.count; i++)
        cli_print(c->out, "%s%.*s", i == 0 ? "" : ", ", STR_FMT(names.at[i]));
    cli_print(c->out, "%s", names.count == 0 ? none : "");
}

/* Without the query of a URL and the arguments of a command: either may be
 * long, and nobody else's business. */
static void print_tools(const struct cli *c, const struct settings *s)
{
    for (size_t i = 0; i < s->tool_count; i++) {
        const struct tool_server_settings *t = &s->tools[i];
        struct str path = str_first(t->http.path, str_find(t->http.path, '?'));
        bool v6 = str_find(t->http.host, ':') < t->http.host.len;
        cli_print(c->out, "  tools     %.*s: ", STR_FMT(t->name));
        if (t->transport == TRANSPORT_HTTP)
            cli_print(c->out, "%s://%s%.*s%s:%u%.*s",
                      t->http.tls ? "https" : "http", v6 ? "[" : "",
                      STR_FMT(t->http.host), v6 ? "]" : "", t->http.port,
                      STR_FMT(path));
        else
            cli_print(c->out, "command %.*s", STR_FMT(t->stdio.command.at[0]));
        if (t->region.len > 0)
            cli_print(c->out, " in %.*s", STR_FMT(t->region));
        print_names(c, ", tenants ", t->tenants, "all");
        (void)fputc('\n', c->out);
    }
    for (size_t i = 0; i < s->approvals.group_count; i++) {
        const struct approval_group_settings *g = &s->approvals.groups[i];
        cli_print(c->out, "  approval  %.*s", STR_FMT(g->name));
        print_names(c, ": ", g->members, "nobody");
        print_names(c, ", tenants ", g->tenants, "all");
        (void)fputc('\n', c->out);
    }
}

static void print_rules(const struct cli *c, const struct settings *s,
                        size_t policies)
{
    for (size_t i = 0; i < s->issuer_count; i++) {
        const struct issuer_settings *o = &s->issuers[i];
        cli_print(c->out, "  issuer    %.*s: %.*s", STR_FMT(o->alias),
                  STR_FMT(o->issuer));
        print_names(c, ", kinds ", o->kinds, "none");
        print_names(c, ", tenants ", o->tenants, "none");
        (void)fputc('\n', c->out);
    }
    if (s->policies.dir.len > 0)
        cli_print(c->out, "  policies  %.*s: %zu\n", STR_FMT(s->policies.dir),
                  policies);
    for (size_t i = 0; i < s->limit_count; i++)
        cli_print(c->out, "  limit     %.*s\n", STR_FMT(s->limits[i].name));
}

static void print_summary(const struct cli *c, const struct settings *s,
                          size_t policies)
{
    cli_print(c->out, "%.*s: ok\n  node      %.*s\n  data      %.*s\n",
              STR_FMT(s->file), STR_FMT(s->node), STR_FMT(s->data));
    print_listeners(c, s);
    for (size_t i = 0; i < s->tenant_count; i++) {
        cli_print(c->out, "  tenant    %.*s", STR_FMT(s->tenants[i].name));
        print_names(c, ": regions ", s->tenants[i].regions, "any");
        (void)fputc('\n', c->out);
    }
    for (size_t i = 0; i < s->provider_count; i++) {
        const struct provider_settings *p = &s->providers[i];
        bool v6 = str_find(p->host, ':') < p->host.len;
        cli_print(c->out, "  provider  %.*s: %s://%s%.*s%s:%u%.*s",
                  STR_FMT(p->name), p->tls ? "https" : "http", v6 ? "[" : "",
                  STR_FMT(p->host), v6 ? "]" : "", p->port, STR_FMT(p->path));
        if (p->region.len > 0)
            cli_print(c->out, " in %.*s", STR_FMT(p->region));
        print_names(c, ", tenants ", p->tenants, "all");
        (void)fputc('\n', c->out);
    }
    for (size_t i = 0; i < s->model_count; i++)
        print_routes(c, s, &s->models[i]);
    print_tools(c, s);
    print_rules(c, s, policies);
}

/* What was found out about a configuration. */
struct findings {
    struct missings missings;
    struct config_gap gaps[GAPS_MAX];
    size_t gap_count, policies;
};

static void print_text(const struct cli *c, const struct settings *s,
                       const struct findings *f)
{
    const struct missings *m = &f->missings;

    if (m->count == 0)
        print_summary(c, s, f->policies);
    for (size_t i = 0; i < m->count; i++)
        cli_print(c->err, "%.*s: %s: %.*s cannot be read\n", STR_FMT(s->file),
                  m->at[i].key, STR_FMT(m->at[i].path));
    if (f->gap_count > 0)
        cli_print(c->out, "Gaps:\n");
    for (size_t i = 0; i < f->gap_count; i++)
        cli_print(c->out, "  %.*s: %.*s\n", STR_FMT(f->gaps[i].path),
                  STR_FMT(f->gaps[i].text));
}

static void member(struct buf *to, const char *name, struct str value)
{
    buf_addf(to, "\"%s\":", name);
    json_write_str(to, value);
}

static int print_json(const struct cli *c, const struct settings *s,
                      const struct findings *f)
{
    const struct missings *m = &f->missings;
    char digest[TEXT_HEX_LEN(sizeof(s->digest))];
    struct buf b;
    text_hex(s->digest, sizeof(s->digest), digest);
    buf_init(&b, OUTPUT_MAX);
    buf_addf(&b, "{\"ok\":%s,", m->count == 0 ? "true" : "false");
    member(&b, "file", s->file);
    BUF_LIT(&b, ",");
    member(&b, "digest", (struct str){digest, sizeof(digest)});
    BUF_LIT(&b, ",");
    member(&b, "node", s->node);
    BUF_LIT(&b, ",");
    member(&b, "data", s->data);
    buf_addf(&b,
             ",\"listeners\":%zu,\"tenants\":%zu,\"providers\":%zu,"
             "\"models\":%zu,\"policies\":%zu,\"issuers\":%zu,"
             "\"limits\":%zu,\"tools\":%zu,\"approval_groups\":%zu,"
             "\"errors\":[",
             s->listen_count, s->tenant_count, s->provider_count,
             s->model_count, f->policies, s->issuer_count, s->limit_count,
             s->tool_count, s->approvals.group_count);
    for (size_t i = 0; i < m->count; i++) {
        buf_add(&b, i == 0 ? STR("{") : STR(",{"));
        member(&b, "path", str_from(m->at[i].key));
        BUF_LIT(&b, ",");
        member(&b, "file", m->at[i].path);
        BUF_LIT(&b, ",\"text\":\"cannot be read\"}");
    }
    BUF_LIT(&b, "],\"gaps\":[");
    for (size_t i = 0; i < f->gap_count; i++) {
        buf_add(&b, i == 0 ? STR("{") : STR(",{"));
        member(&b, "path", f->gaps[i].path);
        BUF_LIT(&b, ",");
        member(&b, "text", f->gaps[i].text);
        BUF_LIT(&b, "}");
    }
    BUF_LIT(&b, "]}\n");
    int code = buf_ok(&b) ? CLI_OK : cli_fail(c, "out of memory");
    if (code == CLI_OK)
        (void)fwrite(b.ptr, 1, b.len, c->out);
    buf_release(&b);
    return code;
}

int cmd_check(const struct cli *c)
{
    struct arena arena;
    struct settings settings;
    struct findings f = {.policies = 0};
    arena_init(&arena, 2 * CONFIG_ARENA_MAX);
    int code = cmd_load_config(c, cli_value(c, "config", CMD_CONFIG_DEFAULT),
                               &arena, &settings);
    if (code == CLI_OK)
        code = check_rules(c, &settings, &f.policies);
    if (code == CLI_OK) {
        look_for_files(&f.missings, &settings);
        f.gap_count = config_gaps(&arena, &settings, f.gaps, GAPS_MAX);
        if (c->json)
            code = print_json(c, &settings, &f);
        else
            print_text(c, &settings, &f);
        if (f.missings.count > 0)
            code = CLI_FAILED;
    }
    arena_release(&arena);
    return code;
}
