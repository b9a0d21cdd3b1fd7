/* config_check_tools.c - contradictions in a server of tools. */
#include "app/config_checking.h"

#include "app/config_net.h"
#include "base/attr.h"
#include "codec/yaml.h"

enum { PATH_MAX_LEN = CONFIG_CHECKING_PATH_MAX };

/* Keys that only one transport knows. */
static const struct {
    const char *key;
    unsigned transport;
    bool required;
} keys[] = {
    {"command", TRANSPORT_STDIO, true},    {"env", TRANSPORT_STDIO, false},
    {"cwd", TRANSPORT_STDIO, false},       {"files", TRANSPORT_STDIO, false},
    {"network", TRANSPORT_STDIO, false},   {"url", TRANSPORT_HTTP, true},
    {"credential", TRANSPORT_HTTP, false}, {"ca", TRANSPORT_HTTP, false},
    {"insecure", TRANSPORT_HTTP, false},   {"connect", TRANSPORT_HTTP, false},
};

static const char *const transports[] = {
    [TRANSPORT_STDIO] = "stdio", [TRANSPORT_HTTP] = "http"};

static void check_keys(const struct config_checking *c,
                       const struct tool_server_settings *t)
{
    char path[PATH_MAX_LEN];
    const struct yaml_node *node =
        yaml_get(yaml_get(c->root, STR("tools")), t->name);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        bool fits = keys[i].transport == t->transport;
        bool given = yaml_get(node, str_from(keys[i].key)) != NULL;
        if (fits ? given || !keys[i].required : !given)
            continue;
        struct config_place where =
            config_checking_place(c, path, "tools.%.*s.%s", STR_FMT(t->name),
                                  keys[i].key);
        if (fits)
            config_report_add(c->report, where,
                              "is required with transport: %s",
                              transports[t->transport]);
        else if (str_eq(str_from(keys[i].key), STR("credential")))
            config_report_add(c->report, where,
                              "is for transport: http only; a command gets "
                              "its secrets by env: {NAME: {env: VARIABLE}}");
        else
            config_report_add(c->report, where,
                              "is for transport: %s only; this server's is %s",
                              transports[keys[i].transport],
                              transports[t->transport]);
    }
}

static void check_command(const struct config_checking *c,
                          const struct tool_server_settings *t)
{
    char path[PATH_MAX_LEN];
    if (t->stdio.command.count == 0)
        return;
    struct str program = t->stdio.command.at[0];
    bool is_name = str_find(program, '/') == program.len;
    if (program.len > 0 && (is_name || program.ptr[0] == '/'))
        return;
    config_report_add(c->report,
                      config_checking_place(c, path, "tools.%.*s.command[0]",
                                            STR_FMT(t->name)),
                      "\"%.*s\" is no program; expected an absolute path, or a "
                      "name that is found in PATH",
                      STR_FMT(program));
}

static void check_http(const struct config_checking *c,
                       const struct tool_server_settings *t)
{
    char path[PATH_MAX_LEN];
    if (t->http.host.len == 0)
        return;
    if (!t->http.tls && !t->http.insecure &&
        !config_net_is_loopback(t->http.host))
        config_report_add(c->report,
                          config_checking_place(c, path, "tools.%.*s.url",
                                                STR_FMT(t->name)),
                          "plain HTTP beyond loopback: expected https://, or "
                          "say insecure: true");
    if (!t->http.tls && t->http.ca.len > 0)
        config_report_add(c->report,
                          config_checking_place(c, path, "tools.%.*s.ca",
                                                STR_FMT(t->name)),
                          "is of no use with an http:// URL");
}

/* Of a session that several callers share nobody can tell whom it asks; and it
 * has one credential, whoever calls. */
static void check_shared(const struct config_checking *c,
                         const struct tool_server_settings *t, const char *key,
                         bool asks)
{
    char path[PATH_MAX_LEN];
    if (t->shared && asks)
        config_report_add(c->report,
                          config_checking_place(c, path, "tools.%.*s.%s",
                                                STR_FMT(t->name), key),
                          "needs a session for each caller; expected shared: "
                          "false");
}

static void check_server(const struct config_checking *c,
                         const struct tool_server_settings *t)
{
    char path[PATH_MAX_LEN];
    const struct config_checked_place place = {.map = "tools",
                                               .what = "server",
                                               .name = t->name,
                                               .region = t->region,
                                               .tenants = t->tenants,
                                               .credentials = t->credentials,
                                               .credential_count =
                                                   t->credential_count};
    check_keys(c, t);
    if (t->transport == TRANSPORT_HTTP)
        check_http(c, t);
    else
        check_command(c, t);
    config_check_files(c, t);
    config_check_region(c, &place);
    config_check_credentials(c, &place);
    check_shared(c, t, "sampling", t->sampling);
    check_shared(c, t, "elicitation", t->elicitation);
    check_shared(c, t, "credential", t->credential_count > 1);
    if (t->call_ms > t->call_max_ms)
        config_report_add(c->report,
                          config_checking_place(c, path, "tools.%.*s.timeout",
                                                STR_FMT(t->name)),
                          "is longer than tools.%.*s.max", STR_FMT(t->name));
}

void config_check_tools(const struct config_checking *c)
{
    for (size_t i = 0; i < c->s->tool_count; i++)
        check_server(c, &c->s->tools[i]);
}
