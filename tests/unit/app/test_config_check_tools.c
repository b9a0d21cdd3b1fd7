/* Tests app/config_check_tools and what reads servers of tools: every key
 * reaches its field, and every mistake has its place and words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "app/config.h"
#include "base/attr.h"
#include "domain/risk.h"

/* Two lines; what follows begins in the third. */
#define LEAST                                                                  \
    "listen: [{address: 127.0.0.1:8080}]\n"                                    \
    "tenants: {acme: {regions: [eu]}, other: }\n"

static enum err load(struct arena *a, const char *text, struct settings *ret,
                     struct config_errors *errors)
{
    struct config_source from = {STR("writ.yaml"), STR("/etc/writ"),
                                 str_from(text)};
    arena_init(a, CONFIG_ARENA_MAX);
    return config_load_text(a, &from, ret, errors);
}

static void print_errors(const struct config_errors *errors)
{
    for (size_t i = 0; i < errors->count; i++)
        print_message("%u:%u: %.*s: %.*s\n", errors->at[i].line,
                      errors->at[i].column, STR_FMT(errors->at[i].path),
                      STR_FMT(errors->at[i].text));
}

static void load_right(struct arena *a, const char *text, struct settings *ret)
{
    struct config_errors errors;
    enum err e = load(a, text, ret, &errors);
    if (e != ERR_OK)
        print_errors(&errors);
    assert_int_equal(e, ERR_OK);
}

static void assert_str(struct str got, const char *want)
{
    if (!str_eq(got, str_from(want)))
        fail_msg("\"%.*s\" is not \"%s\"", STR_FMT(got), want);
}

static const char whole[] = LEAST
    "tools:\n"
    "  files:\n"
    "    transport: stdio\n"
    "    command: [node, server.mjs, -v, -v, '']\n"
    "    env: {NODE_ENV: production, EMPTY: '', PORT: 80,\n"
    "          TOKEN: {env: FILES_TOKEN}}\n"
    "    cwd: work\n"
    "    files: {read: [/srv/docs, share], write: /srv/out}\n"
    "    network: out\n"
    "    yields: [private]\n"
    "    clearance: [private, internal]\n"
    "    tenants: acme\n"
    "    region: eu\n"
    "    risk: {read_*: [read], \"*\": [write, admin], get?: read}\n"
    "    each: {bulk_pay: $.items, Batch.run: $.a.b}\n"
    "    new: approve\n"
    "    sampling: true\n"
    "    elicitation: true\n"
    "    timeout: 5s\n"
    "    max: 2m\n"
    "    result: 64KB\n"
    "    idle: 3m\n"
    "  crm:\n"
    "    transport: http\n"
    "    url: https://CRM.example.org/mcp?v=1\n"
    "    credential: [{tenants: [acme], env: CRM_TOKEN}, {file: k}]\n"
    "    region: eu\n"
    "    ca: ca.pem\n"
    "    connect: 2s\n"
    "  near: {transport: http, url: 'http://[::1]:9000', region: eu,\n"
    "         insecure: true, new: pin}\n"
    "approvals: {ttl: 10m, hold: 5s, used: 1m, groups: {finance: [alice,\n"
    "  bob], one: carol, ops: {members: [carol], tenants: [acme]}}}\n"
    "mcp: {origins: ['HTTPS://App.example.org:443'],\n"
    "      hosts: [GW.example.org, '[2001:db8::7]']}\n";

static void test_a_command_is_read_into_its_parts(void **state)
{
    (void)state;
    struct arena a;
    struct settings s;
    load_right(&a, whole, &s);
    assert_int_equal(s.tool_count, 3);
    const struct tool_server_settings *t = &s.tools[0];
    assert_str(t->name, "files");
    assert_int_equal(t->transport, TRANSPORT_STDIO);
    assert_int_equal(t->stdio.command.count, 5);
    assert_str(t->stdio.command.at[1], "server.mjs");
    assert_str(t->stdio.command.at[3], "-v");
    assert_str(t->stdio.command.at[4], "");
    assert_int_equal(t->stdio.env_count, 4);
    assert_str(t->stdio.env[0].name, "NODE_ENV");
    assert_str(t->stdio.env[0].value, "production");
    assert_str(t->stdio.env[1].value, "");
    assert_str(t->stdio.env[2].value, "80");
    assert_str(t->stdio.env[3].name, "TOKEN");
    assert_str(t->stdio.env[3].env, "FILES_TOKEN");
    assert_int_equal(t->stdio.env[3].value.len, 0);
    assert_str(t->stdio.cwd, "/etc/writ/work");
    assert_str(t->stdio.read.at[1], "/etc/writ/share");
    assert_int_equal(t->stdio.write.count, 1);
    assert_int_equal(t->stdio.network, NETWORK_OUT);
    assert_int_equal(t->yields.count, 1);
    assert_int_equal(t->clearance.count, 2);
    assert_str(t->tenants.at[0], "acme");
    assert_int_equal(t->risk_count, 3);
    assert_str(t->risk[0].glob, "read_*");
    assert_int_equal(t->risk[0].risk, RISK_READ);
    assert_int_equal(t->risk[1].risk, RISK_WRITE | RISK_ADMIN);
    assert_int_equal(t->risk[2].risk, RISK_READ);
    assert_int_equal(t->each_count, 2);
    assert_str(t->each[0].tool, "bulk_pay");
    assert_str(t->each[0].pointer, "/items");
    assert_str(t->each[1].pointer, "/a/b");
    assert_true(t->approve_new && t->sampling && t->elicitation);
    assert_false(t->shared);
    assert_int_equal(t->call_ms, 5000);
    assert_int_equal(t->call_max_ms, 120000);
    assert_int_equal(t->result_max, 65536);
    assert_int_equal(t->idle_ms, 180000);
    arena_release(&a);
}

static void test_a_url_is_read_into_its_parts(void **state)
{
    (void)state;
    struct arena a;
    struct settings s;
    load_right(&a, whole, &s);
    const struct tool_server_settings *t = &s.tools[1];
    assert_int_equal(t->transport, TRANSPORT_HTTP);
    assert_true(t->http.tls);
    assert_str(t->http.host, "crm.example.org");
    assert_int_equal(t->http.port, 443);
    assert_str(t->http.path, "/mcp?v=1");
    assert_false(t->http.local);
    assert_str(t->http.ca, "/etc/writ/ca.pem");
    assert_int_equal(t->http.connect_ms, 2000);
    assert_int_equal(t->credential_count, 2);
    assert_str(t->credentials[0].id, "tools/crm/0");
    assert_str(t->credentials[0].env, "CRM_TOKEN");
    assert_str(t->credentials[1].id, "tools/crm/1");
    assert_str(t->credentials[1].file, "/etc/writ/k");
    assert_str(t->region, "eu");
    assert_false(t->shared);

    t = &s.tools[2];
    assert_false(t->http.tls);
    assert_true(t->http.local && t->http.insecure);
    assert_str(t->http.host, "::1");
    assert_str(t->http.path, "/");
    /* What is not said has its default. */
    assert_int_equal(t->credential_count, 0);
    assert_int_equal(t->risk_count, 0);
    assert_false(t->approve_new || t->shared || t->sampling || t->elicitation);
    assert_int_equal(t->http.connect_ms, 5000);
    assert_int_equal(t->call_ms, 60000);
    assert_int_equal(t->call_max_ms, 600000);
    assert_int_equal(t->result_max, 8 << 20);
    assert_int_equal(t->idle_ms, 600000);
    arena_release(&a);
}

static void test_approvals_and_mcp_are_read(void **state)
{
    (void)state;
    struct arena a;
    struct settings s;
    load_right(&a, whole, &s);
    assert_int_equal(s.approvals.ttl_ms, 600000);
    assert_int_equal(s.approvals.hold_ms, 5000);
    assert_int_equal(s.approvals.used_ms, 60000);
    assert_int_equal(s.approvals.group_count, 3);
    assert_str(s.approvals.groups[0].name, "finance");
    assert_int_equal(s.approvals.groups[0].members.count, 2);
    assert_str(s.approvals.groups[0].members.at[1], "bob");
    assert_int_equal(s.approvals.groups[0].tenants.count, 0);
    assert_str(s.approvals.groups[1].members.at[0], "carol");
    assert_str(s.approvals.groups[2].members.at[0], "carol");
    assert_str(s.approvals.groups[2].tenants.at[0], "acme");
    assert_int_equal(s.origins.count, 1);
    assert_str(s.origins.at[0], "https://app.example.org");
    assert_int_equal(s.hosts.count, 2);
    assert_str(s.hosts.at[0], "gw.example.org");
    assert_str(s.hosts.at[1], "2001:db8::7");
    arena_release(&a);

    load_right(&a, LEAST, &s);
    assert_int_equal(s.tool_count, 0);
    assert_int_equal(s.approvals.ttl_ms, 900000);
    assert_int_equal(s.approvals.hold_ms, 60000);
    assert_int_equal(s.approvals.used_ms, 300000);
    assert_int_equal(s.approvals.group_count, 0);
    assert_int_equal(s.origins.count + s.hosts.count, 0);
    arena_release(&a);
}

/* One mistake in a file, and the line that it makes. */
struct mistake {
    const char *text;
    const char *message;
};

static void check_mistakes(const struct mistake *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct arena a;
        struct settings s;
        struct config_errors errors;
        struct buf line;
        buf_init(&line, 65536);
        enum err e = load(&a, rows[i].text, &s, &errors);
        if (errors.count > 0)
            config_add_error(&line, STR("writ.yaml"), &errors.at[0]);
        if (e != ERR_CONFIG || errors.count != 1 ||
            !str_eq(buf_str(&line), str_from(rows[i].message))) {
            print_errors(&errors);
            fail_msg("%s\nexpected: %s", rows[i].text, rows[i].message);
        }
        buf_release(&line);
        arena_release(&a);
    }
}

/* Both begin in the fourth line; a key that follows is in the fifth. */
#define STDIO(more)                                                            \
    LEAST "tools:\n  files: {transport: stdio, command: [srv],\n    " more "}" \
          "\n"
#define HTTP(more)                                                             \
    LEAST "tools:\n  crm: {transport: http, url: 'https://h/mcp',\n    " more  \
          "}\n"

static void test_a_shared_server_has_one_credential(void **state)
{
    (void)state;
    struct arena a;
    struct settings s;

    load_right(&a, HTTP("shared: true, credential: [{env: A}]"), &s);
    assert_true(s.tools[0].shared);
    assert_int_equal(s.tools[0].credential_count, 1);
    arena_release(&a);
}

static void test_a_key_of_the_other_transport_says_so(void **state)
{
    (void)state;
    static const struct mistake rows[] = {
        {STDIO("url: 'https://h/mcp'"),
         "writ.yaml:5:10: tools.files.url: is for transport: http only; this "
         "server's is stdio"},
        {STDIO("insecure: false"),
         "writ.yaml:5:15: tools.files.insecure: is for transport: http only; "
         "this server's is stdio"},
        {STDIO("credential: [{env: K}]"),
         "writ.yaml:5:17: tools.files.credential: is for transport: http only; "
         "a command gets its secrets by env: {NAME: {env: VARIABLE}}"},
        {HTTP("region: eu, command: [x]"),
         "writ.yaml:5:26: tools.crm.command: is for transport: stdio only; "
         "this server's is http"},
        {HTTP("region: eu, network: none"),
         "writ.yaml:5:26: tools.crm.network: is for transport: stdio only; "
         "this server's is http"},
        {LEAST "tools: {x: {transport: stdio}}\n",
         "writ.yaml:3:12: tools.x.command: is required with transport: stdio"},
        {LEAST "tools: {x: {transport: http, region: eu}}\n",
         "writ.yaml:3:12: tools.x.url: is required with transport: http"},
        {LEAST "tools: {x: {command: [a]}}\n",
         "writ.yaml:3:12: tools.x.transport: is required"},
    };
    check_mistakes(rows, ARRAY_LEN(rows));
}

static void test_wrong_values_say_what_was_expected(void **state)
{
    (void)state;
    static const struct mistake rows[] = {
        {LEAST "tools: {my__files: {transport: stdio, command: a}}\n",
         "writ.yaml:3:9: tools.my__files: \"my__files\" is not a tool server's "
         "name; expected at most 48 lower-case letters, digits, '_' and '-', "
         "without \"__\", beginning and ending with a letter or a digit"},
        {STDIO("risk: {read_*: []}"),
         "writ.yaml:5:20: tools.files.risk.read_*: is empty; expected at least "
         "1"},
        {STDIO("risk: {read_*: }"),
         "writ.yaml:5:20: tools.files.risk.read_*: expected a list, found "
         "nothing"},
        {STDIO("risk: {x: {read: true}}"),
         "writ.yaml:5:15: tools.files.risk.x: expected a list, found a "
         "mapping"},
        {STDIO("risk: {x: [reed]}"),
         "writ.yaml:5:16: tools.files.risk.x[0]: \"reed\" is not known; "
         "expected read or write or trigger or purchase or deploy or export or "
         "secret or regulated or admin; did you mean \"read\"?"},
        {STDIO("risk: {x: [read, read]}"),
         "writ.yaml:5:22: tools.files.risk.x[1]: \"read\" is in the list "
         "twice"},
        {STDIO("risk: {'a b': [read]}"),
         "writ.yaml:5:12: tools.files.risk.a b: \"a b\" is not for tools' "
         "names; expected at most 128 letters, digits, '_', '-' and '.', with "
         "'*' for any of them and '?' for one"},
        {STDIO("each: {pay_*: $.a}"),
         "writ.yaml:5:12: tools.files.each.pay_*: \"pay_*\" is not a tool's "
         "name; expected at most 128 letters, digits, '_', '-' and '.'"},
        {STDIO("each: {pay: '$.a[0]'}"),
         "writ.yaml:5:17: tools.files.each.pay: \"$.a[0]\" is not the place of "
         "an array; expected names of members only: $.items or "
         "$.batch.items"},
        {STDIO("env: {A-B: x}"),
         "writ.yaml:5:11: tools.files.env.A-B: \"A-B\" is not the name of an "
         "environment variable; expected letters, digits and '_', beginning "
         "with no digit"},
        {STDIO("env: {A: {}}"),
         "writ.yaml:5:14: tools.files.env.A.env: is required"},
        {STDIO("env: {A: }"),
         "writ.yaml:5:14: tools.files.env.A: expected a single value, found "
         "nothing"},
        {STDIO("new: approved"),
         "writ.yaml:5:10: tools.files.new: \"approved\" is not known; expected "
         "pin or approve; did you mean \"approve\"?"},
        {STDIO("objects: {}"),
         "writ.yaml:5:5: tools.files.objects: is not known to this version; "
         "expected one of transport, command, env, cwd, files, network, url, "
         "credential, ca, insecure, connect, region, tenants, risk, each, "
         "yields, clearance, shared, sampling, elicitation, new, timeout, max, "
         "result, idle"},
        {STDIO("api_key: sk-12345678"),
         "writ.yaml:5:5: tools.files.api_key: a secret never stands in the "
         "file; expected credential: [{env: NAME_OF_A_VARIABLE}] or "
         "credential: [{file: PATH}]"},
        {STDIO("result: 1GB"),
         "writ.yaml:5:13: tools.files.result: \"1GB\" is out of range; "
         "expected 1KB to 32MB"},
        {HTTP("region: eu, credential: {exchange: {audience: crm}}"),
         "writ.yaml:5:29: tools.crm.credential: expected a list, found a "
         "mapping"},
        {LEAST "tools: {x: {transport: stdio, command: []}}\n",
         "writ.yaml:3:40: tools.x.command: is empty; expected at least 1"},
        {LEAST "tools: {x: {transport: http, region: eu, url: "
               "'ftp://h/?key=secret'}}\n",
         "writ.yaml:3:47: tools.x.url: the value is not a usable URL; expected "
         "https:// (or http:// to loopback)"},
        {LEAST "mcp: {origins: ['https://app.example.org/']}\n",
         "writ.yaml:3:17: mcp.origins[0]: \"https://app.example.org/\" is no "
         "origin; expected scheme://host or scheme://host:port, without a "
         "path: https://app.example.org"},
        {LEAST "mcp: {hosts: ['gw.example.org:8443']}\n",
         "writ.yaml:3:15: mcp.hosts[0]: \"gw.example.org:8443\" is no host; "
         "expected a name or an address without a port: gw.example.org, "
         "192.0.2.7 or [2001:db8::7]"},
        {LEAST "approvals: {groups: {finance: []}}\n",
         "writ.yaml:3:31: approvals.groups.finance: is empty; expected at "
         "least 1"},
        {LEAST "approvals: {groups: {finance: }}\n",
         "writ.yaml:3:31: approvals.groups.finance: expected a list, found "
         "nothing"},
        {LEAST "approvals: {groups: {finance: {tenants: [acme]}}}\n",
         "writ.yaml:3:31: approvals.groups.finance.members: is required"},
        {LEAST "approvals: {groups: {finance: {members: [a], tenants: "
               "[acne]}}}\n",
         "writ.yaml:3:56: approvals.groups.finance.tenants[0]: \"acne\" is not "
         "a tenant; did you mean \"acme\"?"},
    };
    check_mistakes(rows, ARRAY_LEN(rows));
}

static void test_contradictions_are_refused(void **state)
{
    (void)state;
    static const struct mistake rows[] = {
        {LEAST "tools: {x: {transport: stdio, command: [./srv]}}\n",
         "writ.yaml:3:41: tools.x.command[0]: \"./srv\" is no program; "
         "expected "
         "an absolute path, or a name that is found in PATH"},
        {LEAST "tools: {x: {transport: stdio, command: ''}}\n",
         "writ.yaml:3:40: tools.x.command[0]: \"\" is no program; expected an "
         "absolute path, or a name that is found in PATH"},
        {LEAST "tools: {x: {transport: http, url: 'http://h/mcp'}}\n",
         "writ.yaml:3:35: tools.x.url: plain HTTP beyond loopback: expected "
         "https://, or say insecure: true"},
        {LEAST "tools: {x: {transport: http, url: 'http://[::1]/', ca: a}}\n",
         "writ.yaml:3:56: tools.x.ca: is of no use with an http:// URL"},
        {HTTP("region: eu, credential: [{}]"),
         "writ.yaml:5:30: tools.crm.credential[0]: expected either env (the "
         "name of a variable) or file (a path)"},
        {HTTP("tenants: acme"), "writ.yaml:4:8: tools.crm.region: is missing: "
                                "all tenants that may use "
                                "this server have regions, so that none could"},
        {STDIO("tenants: acme"),
         "writ.yaml:4:10: tools.files.region: is missing: all tenants that may "
         "use this server have regions, so that none could"},
        {STDIO("tenants: acme, region: us"),
         "writ.yaml:5:28: tools.files.region: \"us\" is a region of no tenant "
         "that may use this server, so that none could"},
        {HTTP("tenants: acme, region: eu, credential: [{env: K, tenants: "
              "other}]"),
         "writ.yaml:5:63: tools.crm.credential[0].tenants[0]: \"other\" is not "
         "among the server's tenants"},
        {HTTP("shared: true, sampling: true"),
         "writ.yaml:5:29: tools.crm.sampling: needs a session for each caller; "
         "expected shared: false"},
        {STDIO("shared: true, elicitation: true"),
         "writ.yaml:5:32: tools.files.elicitation: needs a session for each "
         "caller; expected shared: false"},
        {HTTP("shared: true, credential: [{env: A, tenants: acme}, {env: B}]"),
         "writ.yaml:5:31: tools.crm.credential: needs a session for each "
         "caller; expected shared: false"},
        {STDIO("timeout: 5m, max: 1m"),
         "writ.yaml:5:14: tools.files.timeout: is longer than "
         "tools.files.max"},
        {LEAST "approvals: {ttl: 30s}\n",
         "writ.yaml:3:12: approvals.hold: is longer than approvals.ttl"},
        {LEAST "approvals: {ttl: 1m, hold: 2m}\n",
         "writ.yaml:3:28: approvals.hold: is longer than approvals.ttl"},
    };
    check_mistakes(rows, ARRAY_LEN(rows));
}

/* The node's data is in /etc/writ/data. */
static void rule_33_no_tool_server_is_given_what_is_the_nodes(void **state)
{
    (void)state;
    static const struct mistake rows[] = {
        {STDIO("files: {read: [/]}"),
         "writ.yaml:5:20: tools.files.files.read[0]: holds the node's data, "
         "/etc/writ/data, which no tool server may reach; expected only what "
         "it needs"},
        {STDIO("files: {write: [/srv, ./data/x]}"),
         "writ.yaml:5:27: tools.files.files.write[1]: holds the node's data, "
         "/etc/writ/data, which no tool server may reach; expected only what "
         "it needs"},
        {STDIO("files: {read: [/srv/../etc//writ/./data/]}"),
         "writ.yaml:5:20: tools.files.files.read[0]: holds the node's data, "
         "/etc/writ/data, which no tool server may reach; expected only what "
         "it needs"},
        {STDIO("cwd: data"),
         "writ.yaml:5:10: tools.files.cwd: holds the node's data, "
         "/etc/writ/data, which no tool server may reach; expected only what "
         "it needs"},
        {STDIO("files: {read: [keys]}") "admin: {address: '[::]:9', tls: "
                                        "{cert: c, key: keys/k}}\n",
         "writ.yaml:5:20: tools.files.files.read[0]: holds a private key, "
         "/etc/writ/keys/k, which no tool server may reach; expected only what "
         "it needs"},
        {STDIO("files: {read: [/run]}") "  crm: {transport: http, url: "
                                        "'https://h', region: eu, credential: "
                                        "[{file: /run/token}]}\n",
         "writ.yaml:5:20: tools.files.files.read[0]: holds a credential, "
         "/run/token, which no tool server may reach; expected only what it "
         "needs"},
        {LEAST "tools: {x: {transport: http, region: eu, url: "
               "'http://127.0.0.1:8080/mcp'}}\n",
         "writ.yaml:3:47: tools.x.url: is this node's own address, listen[0]"},
        {LEAST "admin: {address: 127.0.0.1:9090}\n"
               "tools: {x: {transport: http, region: eu, url: "
               "'http://localhost:9090/mcp'}}\n",
         "writ.yaml:4:47: tools.x.url: is this node's admin address"},
    };
    check_mistakes(rows, ARRAY_LEN(rows));
    struct arena a;
    struct settings s;
    load_right(&a,
               STDIO("cwd: /etc/writ/work, files: {read: [/etc/writ/data2, "
                     "/etc/writ/dat, ./x/..data]}"),
               &s);
    arena_release(&a);
}

static void test_there_is_an_end_to_everything(void **state)
{
    (void)state;
    static const struct {
        const char *before, *entry, *after;
    } rows[] = {
        {LEAST "tools: {", "{transport: stdio, command: a}", "}\n"},
        {LEAST "tools: {f: {transport: stdio, command: a, risk: {", "read",
         "}}}\n"},
        {LEAST "tools: {f: {transport: stdio, command: a, env: {", "y",
         "}}}\n"},
        {LEAST "tools: {f: {transport: stdio, command: a, each: {", "$.a",
         "}}}\n"},
    };
    for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
        int n = i % 2 == 0 ? 64 : 65;
        struct arena a;
        struct settings s;
        struct config_errors errors;
        struct buf text;
        buf_init(&text, 65536);
        buf_addf(&text, "%s", rows[i / 2].before);
        for (int j = 0; j < n; j++)
            buf_addf(&text, "%sx%d: %s", j == 0 ? "" : ", ", j,
                     rows[i / 2].entry);
        buf_addf(&text, "%s%c", rows[i / 2].after, 0);
        enum err e = load(&a, text.ptr, &s, &errors);
        assert_int_equal(e, n == 64 ? ERR_OK : ERR_CONFIG);
        buf_release(&text);
        arena_release(&a);
    }
}

/* Lowering the cap reaches every allocation-failure branch. */
static void test_every_allocation_failure_is_clean(void **state)
{
    (void)state;
    struct config_source from = {STR("writ.yaml"), STR("/etc"), STR(whole)};
    size_t failures = 0;
    for (size_t cap = 0;; cap += 40) {
        struct arena a;
        struct settings s;
        struct config_errors errors;
        arena_init(&a, cap);
        enum err e = config_load_text(&a, &from, &s, &errors);
        arena_release(&a);
        if (e == ERR_OK)
            break;
        assert_int_equal(e, ERR_LIMIT);
        failures++;
    }
    assert_true(failures > 10);
}

static bool has_gap(const struct config_gap *gaps, size_t n, const char *path)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(gaps[i].path, str_from(path)))
            return true;
    }
    return false;
}

static void test_gaps_of_tool_servers_are_named(void **state)
{
    (void)state;
    struct arena a;
    struct settings s;
    struct config_gap gaps[32];
    unsetenv("FILES_TOKEN");
    unsetenv("CRM_TOKEN");
    load_right(&a,
               LEAST "tools:\n"
                     "  files: {transport: stdio, command: [no-such-program],\n"
                     "    env: {TOKEN: {env: FILES_TOKEN}}, cwd: nowhere,\n"
                     "    files: {read: [/usr, nowhere]}}\n"
                     "  here: {transport: stdio, command: [sh], risk: {'*': "
                     "read}}\n"
                     "  path: {transport: stdio, command: [/bin/sh], shared: "
                     "true}\n"
                     "  own: {transport: stdio, command: sh, env: {PATH: "
                     "/nowhere}}\n"
                     "  crm: {transport: http, url: 'http://h', insecure: "
                     "true, region: eu,\n"
                     "    credential: [{env: CRM_TOKEN}]}\n"
                     "data: /nonexistent\n",
               &s);
    size_t n = config_gaps(&a, &s, gaps, ARRAY_LEN(gaps));
    static const char *const want[] = {
        "tools.files.command[0]", "tools.files.env.TOKEN.env",
        "tools.files.cwd",        "tools.files.files.read[1]",
        "tools.files.risk",       "tools.path.shared",
        "tools.crm.insecure",     "tools.crm.credential[0].env",
        "tools.own.command[0]",
    };
    static const char *const none[] = {
        "tools.here.command[0]", "tools.path.command[0]",     "tools.here.risk",
        "tools.here.shared",     "tools.files.files.read[0]",
    };
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        if (!has_gap(gaps, n, want[i]))
            fail_msg("%s is missing", want[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        if (has_gap(gaps, n, none[i]))
            fail_msg("%s is none", none[i]);
    }
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_command_is_read_into_its_parts),
        cmocka_unit_test(test_a_url_is_read_into_its_parts),
        cmocka_unit_test(test_approvals_and_mcp_are_read),
        cmocka_unit_test(test_a_shared_server_has_one_credential),
        cmocka_unit_test(test_a_key_of_the_other_transport_says_so),
        cmocka_unit_test(test_wrong_values_say_what_was_expected),
        cmocka_unit_test(test_contradictions_are_refused),
        cmocka_unit_test(rule_33_no_tool_server_is_given_what_is_the_nodes),
        cmocka_unit_test(test_there_is_an_end_to_everything),
        cmocka_unit_test(test_every_allocation_failure_is_clean),
        cmocka_unit_test(test_gaps_of_tool_servers_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
