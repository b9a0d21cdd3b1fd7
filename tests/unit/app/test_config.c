/* Tests app/config: a file that is right, and every way to be wrong, with the
 * exact place and words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/config.h"
#include "app/config_table.h"
#include "app/config_value.h"
#include "base/attr.h"
#include "base/text.h"
#include "crypto/hash.h"

/* The least that a configuration has to say. */
#define LEAST                                                                  \
    "listen: [{address: 127.0.0.1:8080}]\n"                                    \
    "tenants: {acme: {regions: [eu, us]}}\n"

static enum err load(struct arena *a, const char *text, struct settings *ret,
                     struct config_errors *errors)
{
    struct config_source from = {STR("writ.yaml"), STR("/etc/writ"),
                                 str_from(text)};
    arena_init(a, CONFIG_ARENA_MAX);
    return config_load_text(a, &from, ret, errors);
}

static void assert_str(struct str got, const char *want)
{
    if (!str_eq(got, str_from(want)))
        fail_msg("\"%.*s\" is not \"%s\"", STR_FMT(got), want);
}

static void print_errors(const struct config_errors *errors)
{
    struct buf text;
    buf_init(&text, 65536);
    for (size_t i = 0; i < errors->count; i++) {
        buf_clear(&text);
        config_add_error(&text, STR("writ.yaml"), &errors->at[i]);
        print_message("%.*s\n", STR_FMT(buf_str(&text)));
    }
    buf_release(&text);
}

static void load_right(struct arena *a, const char *text, struct settings *ret)
{
    struct config_errors errors;
    enum err e = load(a, text, ret, &errors);
    if (e != ERR_OK)
        print_errors(&errors);
    assert_int_equal(e, ERR_OK);
    assert_int_equal(errors.count, 0);
}

static const char whole[] =
    "node: gw-7\n"
    "listen:\n"
    "  - {address: 127.0.0.1:8080}\n"
    "  - address: \"[::]:8443\"\n"
    "    tls: {cert: tls/cert.pem, key: /k.pem, client_auth: optional,\n"
    "          client_ca: ca.pem}\n"
    "  - {address: 0.0.0.0:80, insecure: true}\n"
    "data: ./state\n"
    "store: sqlite\n"
    "workers: 4\n"
    "trust: {oidc: [{alias: corp, issuer: \"https://idp.example.org\",\n"
    "                 audience: [writ, gw], kinds: [human, agent],\n"
    "                 tenants: acme, claims: {kind: kind}, max_age: 15m}]}\n"
    "tenants:\n"
    "  acme: {regions: [eu, us]}\n"
    "  other:\n"
    "providers:\n"
    "  openai:\n"
    "    dialect: openai\n"
    "    url: https://api.openai.com/v1/\n"
    "    region: us\n"
    "    tenants: [acme]\n"
    "    credential:\n"
    "      - {tenants: [acme], regions: [us], env: OPENAI_API_KEY}\n"
    "      - file: secrets/key\n"
    "    tls: {ca: ca.pem}\n"
    "    allow_fields: [top_k]\n"
    "    timeouts: {connect: 1s, head: 2m, idle: 1500ms}\n"
    "  local: {dialect: openai, url: \"http://[::1]:8000\", region: eu,\n"
    "          credential: [{env: K}]}\n"
    "models:\n"
    "  small:\n"
    "    routes: [{provider: openai, model: gpt-4o-mini, weight: 3},\n"
    "             {provider: local, model: meta-llama/Llama-3}]\n"
    "    fallback: [{provider: local, model: m}]\n"
    "    price: {input: 0.15, output: 0.6}\n"
    "    attempts: 5\n"
    "  large: {routes: [{provider: openai, model: gpt-4o}]}\n"
    "sessions: {idle: 10m, max: 1h}\n"
    "ledger: {durable: batched, payloads: none, region: eu}\n"
    "server: {head_timeout: 1s, body_idle: 2s, idle_timeout: 3s,\n"
    "         write_idle: 4s, drain: 0, body_max: 1MB,\n"
    "         connections_max: 7, streams_max: 8}\n";

static void test_every_key_reaches_its_field(void **state)
{
    (void)state;
    struct arena a;
    struct settings s;
    load_right(&a, whole, &s);

    assert_str(s.file, "writ.yaml");
    assert_str(s.node, "gw-7");
    assert_str(s.data, "/etc/writ/state");
    assert_str(s.store, "sqlite");
    assert_int_equal(s.workers, 4);

    assert_int_equal(s.listen_count, 3);
    assert_str(s.listen[0].host, "127.0.0.1");
    assert_int_equal(s.listen[0].port, 8080);
    assert_int_equal(s.listen[0].tls.cert.len, 0);
    assert_str(s.listen[1].host, "::");
    assert_str(s.listen[1].tls.cert, "/etc/writ/tls/cert.pem");
    assert_str(s.listen[1].tls.key, "/k.pem");
    assert_str(s.listen[1].tls.client_ca, "/etc/writ/ca.pem");
    assert_int_equal(s.listen[1].tls.client_auth, CLIENT_AUTH_OPTIONAL);
    assert_true(s.listen[2].insecure);

    assert_int_equal(s.tenant_count, 2);
    assert_str(s.tenants[0].name, "acme");
    assert_int_equal(s.tenants[0].regions.count, 2);
    assert_str(s.tenants[0].regions.at[1], "us");
    assert_str(s.tenants[1].name, "other");
    assert_int_equal(s.tenants[1].regions.count, 0);

    assert_int_equal(s.model_count, 2);
    assert_str(s.models[0].name, "small");
    assert_int_equal(s.models[0].route_count, 2);
    assert_int_equal(s.models[0].routes[0].provider, 0);
    assert_int_equal(s.models[0].routes[0].weight, 3);
    assert_int_equal(s.models[0].routes[1].provider, 1);
    assert_int_equal(s.models[0].routes[1].weight, 1);
    assert_str(s.models[0].routes[1].model, "meta-llama/Llama-3");
    assert_int_equal(s.models[0].fallback_count, 1);
    assert_int_equal(s.models[0].price_input, 150000);
    assert_int_equal(s.models[0].price_output, 600000);
    assert_int_equal(s.models[0].attempts, 5);

    assert_int_equal(s.issuer_count, 1);
    assert_str(s.issuers[0].claims.kind, "kind");
    assert_int_equal(s.issuers[0].max_age_ms, 900000);

    assert_int_equal(s.sessions.idle_ms, 600000);
    assert_int_equal(s.sessions.max_ms, 3600000);
    assert_int_equal(s.ledger.durable, DURABLE_BATCHED);
    assert_int_equal(s.ledger.payloads, PAYLOADS_NONE);
    assert_str(s.ledger.region, "eu");
    assert_int_equal(s.server.head_ms, 1000);
    assert_int_equal(s.server.body_idle_ms, 2000);
    assert_int_equal(s.server.idle_ms, 3000);
    assert_int_equal(s.server.write_idle_ms, 4000);
    assert_int_equal(s.server.drain_ms, 0);
    assert_int_equal(s.server.body_max, 1 << 20);
    assert_int_equal(s.server.connections_max, 7);
    assert_int_equal(s.server.streams_max, 8);
    arena_release(&a);
}

static void test_a_provider_is_read_into_its_parts(void **state)
{
    (void)state;
    struct arena a;
    struct settings s;
    load_right(&a, whole, &s);
    assert_int_equal(s.provider_count, 2);

    const struct provider_settings *p = &s.providers[0];
    assert_str(p->name, "openai");
    assert_int_equal(p->dialect, DIALECT_OPENAI);
    assert_true(p->tls);
    assert_str(p->host, "api.openai.com");
    assert_int_equal(p->port, 443);
    assert_str(p->path, "/v1");
    assert_false(p->local);
    assert_str(p->ca, "/etc/writ/ca.pem");
    assert_str(p->region, "us");
    assert_int_equal(p->tenants.count, 1);
    assert_int_equal(p->credential_count, 2);
    assert_str(p->credentials[0].env, "OPENAI_API_KEY");
    assert_str(p->credentials[0].id, "openai/0");
    assert_str(p->credentials[0].tenants.at[0], "acme");
    assert_str(p->credentials[0].regions.at[0], "us");
    assert_str(p->credentials[1].file, "/etc/writ/secrets/key");
    assert_str(p->credentials[1].id, "openai/1");
    assert_int_equal(p->allow_fields.count, 1);
    assert_str(p->allow_fields.at[0], "top_k");
    assert_int_equal(p->connect_ms, 1000);
    assert_int_equal(p->head_ms, 120000);
    assert_int_equal(p->idle_ms, 1500);

    p = &s.providers[1];
    assert_false(p->tls);
    assert_true(p->local);
    assert_str(p->host, "::1");
    assert_int_equal(p->port, 8000);
    assert_str(p->path, "");
    assert_int_equal(p->connect_ms, 5000);
    arena_release(&a);
}

static void test_what_is_not_said_has_its_default(void **state)
{
    (void)state;
    struct arena a;
    struct settings s;
    load_right(&a, LEAST, &s);
    assert_str(s.node, "gw-1");
    assert_str(s.data, "/etc/writ/data");
    assert_str(s.store, "sqlite");
    assert_int_equal(s.workers, 0);
    assert_int_equal(s.sessions.idle_ms, 30 * 60 * 1000);
    assert_int_equal(s.sessions.max_ms, 8 * 60 * 60 * 1000);
    assert_int_equal(s.ledger.durable, DURABLE_BEFORE_ACTION);
    assert_int_equal(s.ledger.payloads, PAYLOADS_HASH);
    assert_int_equal(s.server.head_ms, 10000);
    assert_int_equal(s.server.body_max, 8 << 20);
    assert_int_equal(s.server.streams_max, 100);
    arena_release(&a);
}

static void test_every_default_is_a_value_that_its_key_takes(void **state)
{
    (void)state;
    struct arena a;
    struct buf why;
    union {
        max_align_t align;
        char bytes[256];
    } target;
    arena_init(&a, 65536);
    buf_init(&why, 1024);
    for (size_t i = 0; i < config_table_len; i++) {
        const struct config_row *row = &config_table[i];
        if (row->fallback == NULL)
            continue;
        struct config_value v = {.a = &a,
                                 .row = row,
                                 .raw = str_from(row->fallback),
                                 .text = str_from(row->fallback)};
        if (!config_value_read(&v, &target, &why))
            fail_msg("%s: %.*s", row->path, STR_FMT(buf_str(&why)));
    }
    buf_release(&why);
    arena_release(&a);
}

static void test_the_digest_is_of_the_bytes(void **state)
{
    (void)state;
    struct arena a;
    struct settings s;
    struct str text = STR(LEAST);
    struct hash want = hash_sha256(&text, 1);
    load_right(&a, LEAST, &s);
    assert_memory_equal(s.digest, want.bytes, sizeof(s.digest));
    arena_release(&a);
}

static void test_variables_are_filled_in(void **state)
{
    (void)state;
    struct arena a;
    struct settings s;
    setenv("TEST_CONFIG_NODE", "gw-9", 1);
    setenv("TEST_CONFIG_PORT", "9", 1);
    load_right(&a,
               "node: x-${TEST_CONFIG_NODE}\n"
               "listen: [{address: \"127.0.0.1:8${TEST_CONFIG_PORT}\"}]\n"
               "workers: ${TEST_CONFIG_PORT}\n"
               "data: a$b/$${c}$\n"
               "tenants: {acme: {}}\n",
               &s);
    assert_str(s.node, "x-gw-9");
    assert_int_equal(s.listen[0].port, 89);
    assert_int_equal(s.workers, 9);
    assert_str(s.data, "/etc/writ/a$b/${c}$");
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

static void test_a_wrong_scalar_says_what_was_expected(void **state)
{
    (void)state;
    unsetenv("TEST_CONFIG_UNSET");
    static const struct mistake rows[] = {
        {LEAST "node: GW\n",
         "writ.yaml:3:7: node: \"GW\" is not a name; expected lower-case "
         "letters, digits, '_', '.' and '-', beginning with a letter or a "
         "digit"},
        {LEAST "node: a|b\n",
         "writ.yaml:3:7: node: \"a|b\" is not a name; expected lower-case "
         "letters, digits, '_', '.' and '-', beginning with a letter or a "
         "digit"},
        {LEAST "node: \"a\\nb\"\n",
         "writ.yaml:3:7: node: \"a\\x0ab\" has control characters or is not "
         "UTF-8"},
        {LEAST "node: [a]\n",
         "writ.yaml:3:7: node: expected a single value, found a list"},
        {LEAST "node: {a: b}\n",
         "writ.yaml:3:7: node: expected a single value, found a mapping"},
        {LEAST "workers: -1\n",
         "writ.yaml:3:10: workers: \"-1\" is out of range; expected 0 to 32"},
        {LEAST "workers: many\n",
         "writ.yaml:3:10: workers: \"many\" is not a whole number; expected 0 "
         "to 32"},
        {LEAST "workers: 99999999999999999999\n",
         "writ.yaml:3:10: workers: \"99999999999999999999\" is not a whole "
         "number; expected 0 to 32"},
        {LEAST "server: {drain: 30}\n",
         "writ.yaml:3:17: server.drain: \"30\" is not a duration with its "
         "unit (ms, s, m, h, d); expected 0 to 1h"},
        {LEAST "server:\n  head_timeout: 1d\n",
         "writ.yaml:4:17: server.head_timeout: \"1d\" is out of range; "
         "expected 100ms to 10m"},
        {LEAST "server: {body_max: 8mb}\n",
         "writ.yaml:3:20: server.body_max: \"8mb\" is not a size (KB, MB, "
         "GB); expected 1KB to 32MB"},
        {LEAST "server: {body_max: 1GB}\n",
         "writ.yaml:3:20: server.body_max: \"1GB\" is out of range; expected "
         "1KB to 32MB"},
        {LEAST "ledger: {durable: batch}\n",
         "writ.yaml:3:19: ledger.durable: \"batch\" is not known; expected "
         "before_action or batched; did you mean \"batched\"?"},
        {LEAST "store: mysql://u:secret@h/d\n",
         "writ.yaml:3:8: store: the value is no store; expected sqlite or a "
         "postgres:// URL"},
        {LEAST "store: postgres://u:secret@h/d\n",
         "writ.yaml:3:8: store: holds a password; a secret never stands in "
         "the file: write ${NAME} of an environment variable instead"},
        {LEAST "node: x${TEST_CONFIG_UNSET}\n",
         "writ.yaml:3:7: node: the environment variable TEST_CONFIG_UNSET is "
         "not set"},
        {LEAST "node: x${1}\n",
         "writ.yaml:3:7: node: \"${\" begins no ${NAME} of an environment "
         "variable; a literal one is written \"$${\""},
        {LEAST "node: x${A\n",
         "writ.yaml:3:7: node: \"${\" begins no ${NAME} of an environment "
         "variable; a literal one is written \"$${\""},
        {LEAST "data: \"\"\n",
         "writ.yaml:3:7: data: is empty; expected a path"},
    };
    check_mistakes(rows, ARRAY_LEN(rows));
}

static void test_an_unknown_key_names_the_nearest(void **state)
{
    (void)state;
    static const struct mistake rows[] = {
        {LEAST "nodes: a\n",
         "writ.yaml:3:1: nodes: is not known to this version; did you mean "
         "\"node\"?"},
        {LEAST "server: {drian: 3s}\n",
         "writ.yaml:3:10: server.drian: is not known to this version; did you "
         "mean \"drain\"?"},
        {LEAST "drain: 3s\n",
         "writ.yaml:3:1: drain: is not known to this version; did you mean "
         "\"server.drain\"?"},
        {LEAST "telemetry: {prometheus: true}\n",
         "writ.yaml:3:1: telemetry: is not known to this version; expected one "
         "of node, data, store, workers, listen, tenants, providers, models, "
         "tools, mcp, trust, policies, approvals, limits, admin, sessions, "
         "ledger, server"},
        {LEAST "\"bad\\ekey\": 1\n",
         "writ.yaml:3:1: bad?key: is not known to this version; expected one "
         "of node, data, store, workers, listen, tenants, providers, models, "
         "tools, mcp, trust, policies, approvals, limits, admin, sessions, "
         "ledger, server"},
        {LEAST "sessions: {idle: 30m, memory: 15m}\n",
         "writ.yaml:3:23: sessions.memory: is not known to this version; "
         "expected one of idle, max, supervised, recheck"},
    };
    check_mistakes(rows, ARRAY_LEN(rows));
}

#define OIDC "alias: corp, issuer: 'https://idp.example.org', audience: writ, "
#define ISSUER "trust: {oidc: [{" OIDC "kinds: human, tenants: acme}]}\n"

static void test_trust_limits_and_admin_are_read(void **state)
{
    (void)state;
    struct arena a;
    struct settings s;
    load_right(&a,
               LEAST ISSUER
               "policies: {dir: rules, entities: [{file: e.json}]}\n"
               "limits: [{name: day, match: {kind: [agent]}, per: owner, "
               "budget: {tokens: 2000000, window: 1d}}]\n"
               "admin: {address: 127.0.0.1:9090}\n",
               &s);
    assert_int_equal(s.issuer_count, 1);
    assert_str(s.issuers[0].alias, "corp");
    assert_int_equal(s.issuers[0].audience.count, 1);
    assert_str(s.issuers[0].audience.at[0], "writ");
    assert_str(s.issuers[0].kinds.at[0], "human");
    assert_int_equal(s.issuers[0].skew_ms, 30000);
    assert_int_equal(s.issuers[0].max_age_ms, 0);
    assert_str(s.policies.dir, "/etc/writ/rules");
    assert_int_equal(s.policies.entity_count, 1);
    assert_int_equal(s.policies.shadow.len, 0);
    assert_int_equal(s.limit_count, 1);
    assert_int_equal(s.limits[0].per, LIMIT_PER_OWNER);
    assert_int_equal(s.limits[0].budget_tokens, 2000000);
    assert_int_equal(s.limits[0].budget_window_ms, 86400000);
    assert_int_equal(s.limits[0].rate_requests, 0);
    assert_int_equal(s.admin.port, 9090);
    assert_int_equal(s.sessions.recheck_ms, 60000);
    arena_release(&a);
}

static void test_trust_limits_and_admin_are_checked(void **state)
{
    (void)state;
    static const struct mistake rows[] = {
        {LEAST "trust: {oidc: [{" OIDC "kinds: humans, tenants: acme}]}\n",
         "writ.yaml:3:88: trust.oidc[0].kinds: \"humans\" is not known; "
         "expected human or application or workload or agent; did you mean "
         "\"human\"?"},
        {LEAST "trust: {oidc: [{" OIDC "kinds: human, tenants: acne}]}\n",
         "writ.yaml:3:104: trust.oidc[0].tenants: \"acne\" is not a tenant; "
         "did you mean \"acme\"?"},
        {LEAST "trust: {oidc: [{" OIDC
               "kinds: [human, agent], tenants: acme}]}\n",
         "writ.yaml:3:88: trust.oidc[0].kinds: several kinds need claims.kind, "
         "the claim that says which"},
        {LEAST "trust: {oidc: [{alias: keys, issuer: 'https://a.example', "
               "audience: writ, kinds: human, tenants: acme}]}\n",
         "writ.yaml:3:24: trust.oidc[0].alias: \"keys\" is Writ's own; "
         "expected another name"},
        {LEAST "trust: {oidc: [{alias: corp, issuer: 'http://a.example', "
               "audience: writ, kinds: human, tenants: acme}]}\n",
         "writ.yaml:3:38: trust.oidc[0].issuer: plain HTTP beyond loopback: "
         "expected https://, or say insecure: true"},
        {LEAST "limits: [{name: day}]\n",
         "writ.yaml:3:10: limits[0]: limits nothing; expected rate, "
         "concurrency or budget"},
        {LEAST "limits: [{name: day, budget: {window: 1d}}]\n",
         "writ.yaml:3:30: limits[0].budget: limits nothing; expected tokens or "
         "requests"},
        {LEAST "limits: [{name: day, rate: {requests: 5}}]\n",
         "writ.yaml:3:28: limits[0].rate.window: is required"},
        {LEAST "admin: {address: 127.0.0.1:8080}\n",
         "writ.yaml:3:18: admin.address: is the address of listen[0], too"},
        {LEAST "admin: {address: '0.0.0.0:9090'}\n",
         "writ.yaml:3:18: admin.address: plain HTTP beyond loopback: give it "
         "tls, or say insecure: true"},
    };
    check_mistakes(rows, ARRAY_LEN(rows));
}

static void test_the_shape_of_the_file_is_checked(void **state)
{
    (void)state;
    static const struct mistake rows[] = {
        {"tenants: {a: {}}\n", "writ.yaml:1:1: listen: is required"},
        {"listen: []\ntenants: {a: {}}\n",
         "writ.yaml:1:9: listen: is empty; expected at least 1"},
        {"listen: {}\ntenants: {a: {}}\n",
         "writ.yaml:1:9: listen: expected a list, found a mapping"},
        {"listen: [127.0.0.1:80]\ntenants: {a: {}}\n",
         "writ.yaml:1:10: listen[0]: expected a mapping with address, tls, "
         "insecure, found a single value"},
        {"listen: [{}]\ntenants: {a: {}}\n",
         "writ.yaml:1:10: listen[0].address: is required"},
        {LEAST "server: 3\n",
         "writ.yaml:3:9: server: expected a mapping with head_timeout, "
         "body_idle, idle_timeout, write_idle, drain, body_max, "
         "connections_max, streams_max, found a single value"},
        {LEAST "models: [a]\n",
         "writ.yaml:3:9: models: expected a mapping of names, found a list"},
        {"listen: [{address: 127.0.0.1:80}]\ntenants: {Acme: {}}\n",
         "writ.yaml:2:11: tenants.Acme: \"Acme\" is not a name; expected "
         "lower-case letters, digits, '_', '.' and '-', beginning with a "
         "letter or a digit"},
        {"listen:\n  - address: 127.0.0.1:80\n    tls: {key: a.pem}\n"
         "tenants: {a: {}}\n",
         "writ.yaml:3:10: listen[0].tls.cert: is required"},
        {LEAST "node:\n",
         "writ.yaml:3:6: node: expected a single value, found nothing"},
    };
    check_mistakes(rows, ARRAY_LEN(rows));
}

#define PROVIDER_WITH(more)                                                    \
    LEAST "providers:\n  openai:\n    dialect: openai\n    region: us\n" more
#define PROVIDER(more) PROVIDER_WITH(more "    credential: [{env: K}]\n")
#define URL "    url: https://api.openai.com/v1\n"

static void test_addresses_and_urls_are_checked(void **state)
{
    (void)state;
    static const struct mistake rows[] = {
        {"listen: [{address: \"8080\"}]\ntenants: {a: {}}\n",
         "writ.yaml:1:20: listen[0].address: \"8080\" is not an address; "
         "expected host:port, as in 127.0.0.1:8080 or [::1]:8080"},
        {"listen: [{address: \"::1:80\"}]\ntenants: {a: {}}\n",
         "writ.yaml:1:20: listen[0].address: \"::1:80\" is not an address; "
         "the host must be an IP address or localhost; all addresses are "
         "0.0.0.0 or [::]"},
        {"listen: [{address: \"127.0.0.1:0\"}]\ntenants: {a: {}}\n",
         "writ.yaml:1:20: listen[0].address: \"127.0.0.1:0\" is not an "
         "address; the port must be 1 to 65535"},
        {"listen: [{address: \"0.0.0.0:80\"}]\ntenants: {a: {}}\n",
         "writ.yaml:1:20: listen[0].address: plain HTTP beyond loopback: give "
         "it tls, or say insecure: true"},
        {"listen: [{address: \"[::]:80\"}]\ntenants: {a: {}}\n",
         "writ.yaml:1:20: listen[0].address: plain HTTP beyond loopback: give "
         "it tls, or say insecure: true"},
        {"listen: [{address: \"127.0.0.1:80\"}, {address: \"127.0.0.1:80\"}]\n"
         "tenants: {a: {}}\n",
         "writ.yaml:1:47: listen[1].address: is the address of listen[0], "
         "too"},
        {"listen:\n  - {address: \"0.0.0.0:80\",\n     tls: {cert: a, key: b, "
         "client_auth: required}}\ntenants: {a: {}}\n",
         "writ.yaml:3:42: listen[0].tls.client_auth: certificates of callers "
         "need client_ca, a file that says whose"},
        {PROVIDER("    url: http://api.openai.com/v1\n"),
         "writ.yaml:7:10: providers.openai.url: plain HTTP beyond loopback: "
         "expected https://, or say insecure: true"},
        {PROVIDER("    url: http://localhost:8080/v1\n"),
         "writ.yaml:7:10: providers.openai.url: is this node's own address, "
         "listen[0]"},
        {PROVIDER("    url: http://127.0.0.1:8080/v1\n"),
         "writ.yaml:7:10: providers.openai.url: is this node's own address, "
         "listen[0]"},
        {PROVIDER(
             "    url: http://127.0.0.1:9090/v1\n") "admin: {address: "
                                                    "\"127.0.0.1:9090\"}\n",
         "writ.yaml:7:10: providers.openai.url: is this node's admin address"},
        {PROVIDER("    url: http://169.254.169.254/v1\n"),
         "writ.yaml:7:10: providers.openai.url: plain HTTP beyond loopback: "
         "expected https://, or say insecure: true"},
        {PROVIDER("    url: ftp://api.openai.com/v1\n"),
         "writ.yaml:7:10: providers.openai.url: \"ftp://api.openai.com/v1\" "
         "is not a usable URL; expected https:// (or http:// to loopback)"},
        {PROVIDER("    url: https://api.openai.com/v1?a=b\n"),
         "writ.yaml:7:10: providers.openai.url: "
         "\"https://api.openai.com/v1?a=b\" is not a usable URL; a base URL "
         "has no query"},
    };
    check_mistakes(rows, ARRAY_LEN(rows));
}

static void test_secrets_in_the_file_are_refused_and_not_repeated(void **state)
{
    (void)state;
    static const struct mistake rows[] = {
        {PROVIDER_WITH(URL "    credential: [{env: sk-proj-1234567890}]\n"),
         "writ.yaml:8:24: providers.openai.credential[0].env: the value is "
         "not the name of an environment variable; a secret never stands in "
         "the file: put it into a variable, or into a file that `file` "
         "names"},
        {PROVIDER_WITH(URL
                       "    credential: [{env: A, key: sk-proj-12345678}]\n"),
         "writ.yaml:8:27: providers.openai.credential[0].key: a secret never "
         "stands in the file; expected credential: [{env: "
         "NAME_OF_A_VARIABLE}] or credential: [{file: PATH}]"},
        {PROVIDER(URL "    api_key: sk-proj-12345678\n"),
         "writ.yaml:8:5: providers.openai.api_key: a secret never stands in "
         "the file; expected credential: [{env: NAME_OF_A_VARIABLE}] or "
         "credential: [{file: PATH}]"},
    };
    check_mistakes(rows, ARRAY_LEN(rows));
    struct arena a;
    struct settings s;
    struct config_errors errors;
    assert_int_equal(load(&a, PROVIDER("    url: https://u:secret@h/v1\n"), &s,
                          &errors),
                     ERR_CONFIG);
    assert_int_equal(errors.count, 1);
    char *text = arena_strdup(&a, errors.at[0].text);
    assert_null(strstr(text, "secret@"));
    arena_release(&a);
}

#define MODEL(routes)                                                          \
    PROVIDER(URL) "models:\n  small:\n    routes: " routes "\n"

static void test_references_are_resolved(void **state)
{
    (void)state;
    static const struct mistake rows[] = {
        {MODEL("[{provider: opnai, model: m}]"),
         "writ.yaml:11:25: models.small.routes[0].provider: \"opnai\" is not "
         "a provider; did you mean \"openai\"?"},
        {MODEL("[{provider: zzz, model: m}]"),
         "writ.yaml:11:25: models.small.routes[0].provider: \"zzz\" is not a "
         "provider; expected one of openai"},
        {LEAST "models: {small: {routes: [{provider: x, model: m}]}}\n",
         "writ.yaml:3:38: models.small.routes[0].provider: \"x\" is not a "
         "provider; there are none in providers"},
        {MODEL("[{provider: openai, model: m}, {provider: openai, model: "
               "m}]"),
         "writ.yaml:11:44: models.small.routes[1]: is the destination of "
         "routes[0], too"},
        {MODEL("[{provider: openai, model: m, weight: 0}]"),
         "writ.yaml:11:51: models.small.routes[0].weight: \"0\" is out of "
         "range; expected 1 to 1000000"},
        {MODEL("[]"), "writ.yaml:11:13: models.small.routes: is empty; "
                      "expected at least 1"},
        {MODEL("[{provider: openai, model: m}]\n    price: {input: 0.1234567}"),
         "writ.yaml:12:20: models.small.price.input: \"0.1234567\" is not a "
         "decimal with at most six places; expected 0 to 1000000"},
        {PROVIDER(URL "    tenants: [acme, acme]\n"),
         "writ.yaml:8:21: providers.openai.tenants[1]: \"acme\" is in the "
         "list twice"},
    };
    check_mistakes(rows, ARRAY_LEN(rows));
}

static void test_contradictions_are_refused(void **state)
{
    (void)state;
    static const struct mistake rows[] = {
        {LEAST "sessions: {idle: 9h}\n",
         "writ.yaml:3:18: sessions.idle: is longer than sessions.max"},
        {LEAST "providers:\n  p: {dialect: openai, region: moon, url: "
               "https://h/v1, credential: [{env: K}]}\n",
         "writ.yaml:4:32: providers.p.region: \"moon\" is a region of no "
         "tenant that may use this provider, so that none could"},
        {LEAST "providers:\n  p: {dialect: openai, url: https://h/v1, "
               "credential: [{env: K}]}\n",
         "writ.yaml:4:6: providers.p.region: is missing: all tenants that may "
         "use this provider have regions, so that none could"},
        {PROVIDER_WITH(URL "    credential: [{}]\n"),
         "writ.yaml:8:18: providers.openai.credential[0]: expected either env "
         "(the name of a variable) or file (a path)"},
        {PROVIDER_WITH(URL "    credential: [{env: A, file: b}]\n"),
         "writ.yaml:8:18: providers.openai.credential[0]: expected either env "
         "(the name of a variable) or file (a path)"},
        {PROVIDER_WITH(URL "    credential: [{env: A}, {env: B, tenants: "
                           "[acme]}]\n"),
         "writ.yaml:8:28: providers.openai.credential[1]: is never used: "
         "credential[0] fits every call"},
    };
    check_mistakes(rows, ARRAY_LEN(rows));
}

static void test_broken_yaml_names_the_place(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "listen: [\n",        "a: b: c\n",    "\tnode: a\n",
        "node: a\nnode: b\n", "a: &x [*x]\n", "node: !!binary aGVsbG8=\n",
        "--- {}\n--- {}\n",   "\xff\xfe",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct arena a;
        struct settings s;
        struct config_errors errors;
        assert_int_equal(load(&a, texts[i], &s, &errors), ERR_CONFIG);
        assert_true(errors.count >= 1);
        if (errors.at[0].line == 0)
            fail_msg("no place for %s", texts[i]);
        arena_release(&a);
    }
}

static void test_many_errors_are_reported_in_order_and_bounded(void **state)
{
    (void)state;
    struct arena a;
    struct settings s;
    struct config_errors errors;
    struct buf text;
    buf_init(&text, 65536);
    BUF_LIT(&text, "server: {drain: x}\nsessions: {idle: x}\nnode: X\n" LEAST);
    for (int i = 0; i < 30; i++)
        buf_addf(&text, "zzzzzzz%d: 1\n", i);
    char *z = strndup(text.ptr, text.len);
    assert_int_equal(load(&a, z, &s, &errors), ERR_CONFIG);
    assert_int_equal(errors.count, CONFIG_ERRORS_MAX);
    assert_int_equal(errors.more, 33 - CONFIG_ERRORS_MAX);
    for (size_t i = 1; i < errors.count; i++)
        assert_true(errors.at[i - 1].line <= errors.at[i].line);
    free(z);
    buf_release(&text);
    arena_release(&a);
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
        assert_int_equal(errors.count, 1);
        failures++;
    }
    assert_true(failures > 10);
}

static void test_a_file_is_read_from_its_folder(void **state)
{
    (void)state;
    struct arena a;
    struct settings s;
    struct config_errors errors;
    arena_init(&a, CONFIG_ARENA_MAX);
    enum err e = config_load(&a, STR("/nonexistent/writ.yaml"), &s, &errors);
    assert_int_equal(e, ERR_CONFIG);
    assert_str(errors.at[0].text,
               "there is no such file; `writ init` writes a first one");
    assert_int_equal(errors.at[0].line, 0);

    struct str file = STR(TEST_SOURCE_DIR "/examples/quickstart/writ.yaml");
    e = config_load(&a, file, &s, &errors);
    if (e != ERR_OK)
        print_errors(&errors);
    assert_int_equal(e, ERR_OK);
    assert_str(s.data, TEST_SOURCE_DIR "/examples/quickstart/data");
    arena_release(&a);
}

static void test_gaps_are_named(void **state)
{
    (void)state;
    struct arena a;
    struct settings s;
    struct config_gap gaps[16];
    unsetenv("OPENAI_API_KEY");
    unsetenv("K");
    load_right(&a, whole, &s);
    size_t n = config_gaps(&a, &s, gaps, ARRAY_LEN(gaps));
    static const char *const want[] = {
        "ledger.durable",
        "ledger",
        "ledger.payloads",
        "listen[2].insecure",
        "providers.openai.credential[0].env",
        "providers.local.credential[0].env",
        "models.large.price",
        "trust",
        "policies.dir",
    };
    assert_int_equal(n, ARRAY_LEN(want));
    for (size_t i = 0; i < n; i++)
        assert_str(gaps[i].path, want[i]);
    assert_str(gaps[4].text, "OPENAI_API_KEY is not set in this environment");
    assert_int_equal(config_gaps(&a, &s, gaps, 2), 2);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key_reaches_its_field),
        cmocka_unit_test(test_a_provider_is_read_into_its_parts),
        cmocka_unit_test(test_what_is_not_said_has_its_default),
        cmocka_unit_test(test_every_default_is_a_value_that_its_key_takes),
        cmocka_unit_test(test_the_digest_is_of_the_bytes),
        cmocka_unit_test(test_variables_are_filled_in),
        cmocka_unit_test(test_a_wrong_scalar_says_what_was_expected),
        cmocka_unit_test(test_an_unknown_key_names_the_nearest),
        cmocka_unit_test(test_trust_limits_and_admin_are_read),
        cmocka_unit_test(test_trust_limits_and_admin_are_checked),
        cmocka_unit_test(test_the_shape_of_the_file_is_checked),
        cmocka_unit_test(test_addresses_and_urls_are_checked),
        cmocka_unit_test(test_secrets_in_the_file_are_refused_and_not_repeated),
        cmocka_unit_test(test_references_are_resolved),
        cmocka_unit_test(test_contradictions_are_refused),
        cmocka_unit_test(test_broken_yaml_names_the_place),
        cmocka_unit_test(test_many_errors_are_reported_in_order_and_bounded),
        cmocka_unit_test(test_every_allocation_failure_is_clean),
        cmocka_unit_test(test_a_file_is_read_from_its_folder),
        cmocka_unit_test(test_gaps_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
