/* layers: app */
/*
 * fuzz_config.c - any bytes as a configuration.
 *
 * What is refused says where and why; what is taken has only keys that the
 * table knows, complete references, and reads the same a second time.
 */
#include <assert.h>
#include <stdint.h>

#include "app/config.h"
#include "app/config_table.h"
#include "base/limits.h"
#include "codec/yaml.h"
#include "domain/risk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARENA_MAX (16 * MIB)

static void check_keys(const struct yaml_node *node, struct str prefix);

static void check_value(const struct yaml_node *node,
                        const struct config_row *row)
{
    char room[CONFIG_PREFIX_MAX];
    struct str prefix = config_table_prefix(row, room);
    bool many = row->type == CONFIG_LIST || row->type == CONFIG_MAP;
    if (row->type == CONFIG_GROUP)
        check_keys(node, prefix);
    for (size_t i = 0; many && i < yaml_count(node); i++) {
        /* An entry may be a value by itself. */
        if (yaml_type(yaml_at(node, i)) == YAML_MAP)
            check_keys(yaml_at(node, i), prefix);
    }
}

static void check_keys(const struct yaml_node *node, struct str prefix)
{
    for (size_t i = 0; i < yaml_count(node); i++) {
        const struct config_row *row =
            config_table_find(prefix, yaml_text(yaml_key_at(node, i)));
        assert(row != NULL);
        check_value(yaml_at(node, i), row);
    }
}

static void check_tools(const struct tool_server_settings *t)
{
    bool http = t->transport == TRANSPORT_HTTP;
    assert(t->name.len > 0 && t->name.len <= 48);
    assert(http || t->transport == TRANSPORT_STDIO);
    assert((t->http.host.len > 0) == http && (t->http.path.len > 0) == http);
    assert((t->stdio.command.count > 0) == !http);
    assert(http || (t->stdio.env_count <= 64 && t->credential_count == 0));
    assert(http || t->stdio.command.at[0].len > 0);
    for (size_t i = 0; i < t->stdio.env_count; i++) {
        const struct variable_settings *v = &t->stdio.env[i];
        assert(v->name.len > 0 && (v->env.len == 0 || v->value.len == 0));
    }
    assert(t->risk_count <= 64 && t->each_count <= 64);
    for (size_t i = 0; i < t->risk_count; i++)
        assert(t->risk[i].risk != 0 && t->risk[i].risk <= RISK_ALL);
    for (size_t i = 0; i < t->each_count; i++)
        assert(str_starts(t->each[i].pointer, STR("/")));
    for (size_t i = 0; i < t->credential_count; i++)
        assert(str_starts(t->credentials[i].id, STR("tools/")));
    assert(t->call_ms > 0 && t->call_ms <= t->call_max_ms);
    assert(t->result_max > 0 && t->idle_ms > 0);
}

static void check_approvals(const struct settings *s)
{
    assert(s->approvals.hold_ms <= s->approvals.ttl_ms);
    assert(s->approvals.used_ms > 0);
    for (size_t i = 0; i < s->approvals.group_count; i++)
        assert(s->approvals.groups[i].members.count > 0);
    for (size_t i = 0; i < s->hosts.count; i++)
        assert(s->hosts.at[i].len > 0);
}

static void check_settings(const struct settings *s)
{
    for (size_t i = 0; i < s->tool_count; i++)
        check_tools(&s->tools[i]);
    check_approvals(s);
    assert(s->listen_count > 0 && s->tenant_count > 0);
    assert(s->node.len > 0 && s->data.len > 0);
    for (size_t i = 0; i < s->issuer_count; i++) {
        const struct issuer_settings *o = &s->issuers[i];
        assert(o->alias.len > 0 && o->issuer.len > 0);
        assert(o->audience.count > 0 && o->kinds.count > 0);
        assert(o->tenants.count > 0 && o->refresh_ms > 0);
    }
    for (size_t i = 0; i < s->limit_count; i++) {
        const struct limit_settings *l = &s->limits[i];
        assert(l->name.len > 0);
        assert(l->rate_requests > 0 || l->concurrency > 0 ||
               l->budget_tokens > 0 || l->budget_requests > 0);
        assert(l->rate_requests == 0 || l->rate_window_ms > 0);
    }
    for (size_t i = 0; i < s->model_count; i++) {
        const struct model_settings *m = &s->models[i];
        assert(m->name.len > 0 && m->route_count > 0 && m->attempts > 0);
        for (size_t j = 0; j < m->route_count; j++) {
            assert(m->routes[j].provider < s->provider_count);
            assert(m->routes[j].weight > 0);
        }
    }
    for (size_t i = 0; i < s->provider_count; i++) {
        const struct provider_settings *p = &s->providers[i];
        assert(p->dialect != DIALECT_NONE && p->host.len > 0);
        assert(p->port != 0 && p->connect_ms > 0);
    }
}

static void check_errors(const struct config_errors *errors, size_t size)
{
    assert(errors->count > 0 && errors->count <= CONFIG_ERRORS_MAX);
    for (size_t i = 0; i < errors->count; i++) {
        const struct config_error *e = &errors->at[i];
        assert(e->text.len > 0 && e->line <= size + 1);
        for (size_t j = 0; j < e->text.len; j++)
            assert((unsigned char)e->text.ptr[j] >= 0x20);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct settings s;
    struct config_errors errors;
    struct config_source from = {STR("fuzz.yaml"),
                                 STR("/etc/writ"),
                                 {(const char *)data, size}};
    arena_init(&a, ARENA_MAX);
    enum err e = config_load_text(&a, &from, &s, &errors);
    if (e == ERR_OK) {
        const struct yaml_node *root;
        struct yaml_error error;
        struct config_gap gaps[8];
        assert(errors.count == 0);
        check_settings(&s);
        if (yaml_read(&a, from.text, &root, &error) == ERR_OK)
            check_keys(root, STR(""));
        (void)config_gaps(&a, &s, gaps, 8);
    } else {
        assert(e == ERR_CONFIG || e == ERR_LIMIT);
        check_errors(&errors, size);
    }
    arena_release(&a);
    return 0;
}
