/* config_table.c - see config_table.h. */
#include "app/config_table.h"

#include <assert.h>

#include "app/role.h"
#include "base/attr.h"
#include "base/limits.h"
#include "domain/label.h"
#include "domain/risk.h"
#include "domain/settings.h"

/* Twice that is what an action has room for (CANDIDATES_MAX). */
#define ROUTES_MAX 8

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

#define AT(type, field) .at = offsetof(struct type, field)

/* A list or map: where its elements and their number go, and their size. */
#define MANY(type, field, count, element)                                      \
    AT(type, field), .count_at = offsetof(struct type, count),                 \
        .size = sizeof(struct element)

/* The reader fills the name of a map's entry through its address. */
static_assert(offsetof(struct tenant_settings, name) == 0, "name first");
static_assert(offsetof(struct provider_settings, name) == 0, "name first");
static_assert(offsetof(struct model_settings, name) == 0, "name first");
static_assert(offsetof(struct tool_server_settings, name) == 0, "name first");
static_assert(offsetof(struct tool_risk_settings, glob) == 0, "name first");
static_assert(offsetof(struct tool_each_settings, tool) == 0, "name first");
static_assert(offsetof(struct variable_settings, name) == 0, "name first");
static_assert(offsetof(struct approval_group_settings, name) == 0,
              "name first");
static_assert(offsetof(struct listen_settings, host) == 0,
              "an address is read into the struct that holds it");

static const char *const client_auths[] = {"none", "optional", "required",
                                           NULL};
static_assert(CLIENT_AUTH_NONE == 0 && CLIENT_AUTH_REQUIRED == 2, "in order");
static const char *const dialects[] = {"openai", NULL};
static_assert(DIALECT_OPENAI == 1, "the first dialect");
static const char *const kinds[] = {"human", "application", "workload", "agent",
                                    NULL};
static const char *const pers[] = {"principal", "owner",   "tenant",
                                   "model",     "session", NULL};
static_assert(LIMIT_PER_PRINCIPAL == 0 && LIMIT_PER_SESSION == 4, "in order");
static const char *const durables[] = {"before_action", "batched", NULL};
static_assert(DURABLE_BEFORE_ACTION == 0 && DURABLE_BATCHED == 1, "in order");
static const char *const transports[] = {"stdio", "http", NULL};
static_assert(TRANSPORT_STDIO == 1 && TRANSPORT_HTTP == 2, "in order");
static const char *const networks[] = {"none", "out", NULL};
static_assert(NETWORK_NONE == 0 && NETWORK_OUT == 1, "in order");
static const char *const unseen[] = {"pin", "approve", NULL};
/* By bit; a test holds them against risk_word(). */
static const char *const risks[] = {"read",   "write",  "trigger", "purchase",
                                    "deploy", "export", "secret",  "regulated",
                                    "admin",  NULL};
static_assert(ARRAY_LEN(risks) == RISK_WORDS + 1, "a word for each bit");
static const char *const payloads[] = {"hash", "none", NULL};
static_assert(PAYLOADS_HASH == 0 && PAYLOADS_NONE == 1, "in order");

/* clang-format off */
const struct config_row config_table[] = {
    {"node", CONFIG_NAME, AT(settings, node), .fallback = "gw-1",
     .help = "This gateway's name in evidence; unique among the nodes that share tenants."},
    {"data", CONFIG_PATH, AT(settings, data), .fallback = "data",
     .help = "The directory of keys, evidence, the store and the control socket. One running node owns it."},
    {"store", CONFIG_STORE, .secret = true, AT(settings, store), .fallback = "sqlite",
     .help = "Where durable state other than evidence lives: `sqlite` (a file in `data`) or a `postgres://` URL."},
    {"workers", CONFIG_INTEGER, AT(settings, workers), .fallback = "0", .max = ROLE_WORKERS_MAX,
     .help = "Threads that serve calls; 0 is one per CPU."},

    {"listen", CONFIG_LIST, .required = true, MANY(settings, listen, listen_count, listen_settings), .min = 1, .max = ROLE_LISTENERS_MAX,
     .help = "Where callers connect."},
    {"listen[].address", CONFIG_ADDRESS, .required = true, .at = 0,
     .help = "`host:port` with an IP address or `localhost`; IPv6 in brackets: `[::1]:8080`."},
    {"listen[].tls", CONFIG_GROUP,
     .help = "HTTPS. Without it the listener speaks plain HTTP, which beyond loopback needs `insecure: true`."},
    {"listen[].tls.cert", CONFIG_PATH, .required = true, AT(listen_settings, tls.cert),
     .help = "PEM file: the server's certificate, then its chain."},
    {"listen[].tls.key", CONFIG_PATH, .required = true, AT(listen_settings, tls.key),
     .help = "PEM file: the certificate's private key."},
    {"listen[].tls.client_auth", CONFIG_ENUM, AT(listen_settings, tls.client_auth), .words = client_auths, .fallback = "none",
     .help = "Whether a caller may or must show a certificate of its own."},
    {"listen[].tls.client_ca", CONFIG_PATH, AT(listen_settings, tls.client_ca),
     .help = "PEM file: who signs callers' certificates. Needed unless `client_auth` is `none`."},
    {"listen[].insecure", CONFIG_BOOLEAN, AT(listen_settings, insecure), .fallback = "false",
     .help = "Allows plain HTTP beyond loopback: keys and prompts can be read on the way."},

    {"tenants", CONFIG_MAP, .required = true, MANY(settings, tenants, tenant_count, tenant_settings), .min = 1, .max = 1000,
     .help = "Who shares this gateway without sharing anything in it."},
    {"tenants.*.regions", CONFIG_NAMES, AT(tenant_settings, regions), .max = 64,
     .help = "Regions that the tenant's data may go to. None: any region."},

    {"providers", CONFIG_MAP, MANY(settings, providers, provider_count, provider_settings), .max = 1000,
     .help = "Where models live."},
    {"providers.*.dialect", CONFIG_ENUM, .required = true, AT(provider_settings, dialect), .words = dialects, .min = DIALECT_OPENAI,
     .help = "The wire format that the provider speaks."},
    {"providers.*.url", CONFIG_URL, .required = true, .at = 0,
     .help = "The base of its API, version included: `https://api.openai.com/v1`. Plain HTTP only to loopback."},
    {"providers.*.insecure", CONFIG_BOOLEAN, AT(provider_settings, insecure), .fallback = "false",
     .help = "Allows a plain HTTP URL beyond loopback: prompts and credentials can be read on the way."},
    {"providers.*.region", CONFIG_NAME, AT(provider_settings, region),
     .help = "Where it processes data. A tenant with `regions` uses only providers of these."},
    {"providers.*.tenants", CONFIG_NAMES, AT(provider_settings, tenants), .refers = "tenants", .max = 1000,
     .help = "Tenants that may use it. None: all."},
    {"providers.*.credential", CONFIG_LIST, .required = true, MANY(provider_settings, credentials, credential_count, credential_settings), .min = 1, .max = 1000,
     .help = "What the gateway shows to the provider: the first that fits the caller's tenant and the region; where none fits, "
             "the call is refused. A server that asks for none takes any word."},
    {"providers.*.credential[].tenants", CONFIG_NAMES, AT(credential_settings, tenants), .refers = "tenants", .max = 1000,
     .help = "Tenants that it is for. None: all."},
    {"providers.*.credential[].regions", CONFIG_NAMES, AT(credential_settings, regions), .max = 64,
     .help = "Regions that it is for. None: all."},
    {"providers.*.credential[].env", CONFIG_ENV, .secret = true, AT(credential_settings, env),
     .help = "Name of the environment variable that holds the secret. Either this or `file`."},
    {"providers.*.credential[].file", CONFIG_PATH, .secret = true, AT(credential_settings, file),
     .help = "File that holds the secret, one line. Either this or `env`."},
    {"providers.*.tls", CONFIG_GROUP,
     .help = "How its certificate is checked."},
    {"providers.*.tls.ca", CONFIG_PATH, AT(provider_settings, ca),
     .help = "PEM file: who may sign its certificate. Default: whom the system trusts."},
    {"providers.*.allow_fields", CONFIG_STRINGS, AT(provider_settings, allow_fields), .max = 256,
     .help = "Members of a request that the gateway does not know and shall let through unread."},
    {"providers.*.timeouts", CONFIG_GROUP,
     .help = "How long it may take."},
    {"providers.*.timeouts.connect", CONFIG_DURATION, AT(provider_settings, connect_ms), .fallback = "5s", .min = 10, .max = 2 * MINUTE,
     .help = "Name, connection and TLS together."},
    {"providers.*.timeouts.head", CONFIG_DURATION, AT(provider_settings, head_ms), .fallback = "5m", .min = 10, .max = HOUR,
     .help = "From the request's last byte to the head of the answer."},
    {"providers.*.timeouts.idle", CONFIG_DURATION, AT(provider_settings, idle_ms), .fallback = "2m", .min = 10, .max = HOUR,
     .help = "Between two pieces of the answer."},

    {"models", CONFIG_MAP, MANY(settings, models, model_count, model_settings), .max = 10000,
     .help = "The names that callers use, and where each leads."},
    {"models.*.routes", CONFIG_LIST, .required = true, MANY(model_settings, routes, route_count, route_settings), .min = 1, .max = ROUTES_MAX,
     .help = "Destinations among which calls are spread by weight."},
    {"models.*.routes[].provider", CONFIG_REF, .required = true, AT(route_settings, provider), .refers = "providers",
     .help = "One of `providers`."},
    {"models.*.routes[].model", CONFIG_STRING, .required = true, AT(route_settings, model), .min = 1, .max = 256,
     .help = "The provider's own name for the model."},
    {"models.*.routes[].weight", CONFIG_INTEGER, AT(route_settings, weight), .fallback = "1", .min = 1, .max = 1000000,
     .help = "Its share of the calls, against the sum of all weights."},
    {"models.*.fallback", CONFIG_LIST, MANY(model_settings, fallback, fallback_count, route_settings), .max = ROUTES_MAX,
     .help = "Destinations that are tried in this order when no route answers."},
    {"models.*.fallback[].provider", CONFIG_REF, .required = true, AT(route_settings, provider), .refers = "providers",
     .help = "One of `providers`."},
    {"models.*.fallback[].model", CONFIG_STRING, .required = true, AT(route_settings, model), .min = 1, .max = 256,
     .help = "The provider's own name for the model."},
    {"models.*.price", CONFIG_GROUP,
     .help = "What it costs, in US dollars per million tokens."},
    {"models.*.price.input", CONFIG_MICROS, AT(model_settings, price_input), .fallback = "0", .max = INT64_C(1000000000000),
     .help = "Tokens sent."},
    {"models.*.price.output", CONFIG_MICROS, AT(model_settings, price_output), .fallback = "0", .max = INT64_C(1000000000000),
     .help = "Tokens received."},
    {"models.*.attempts", CONFIG_INTEGER, AT(model_settings, attempts), .fallback = "3", .min = 1, .max = 16,
     .help = "How often a call may be sent, over all destinations, before its first byte has come back."},

    {"tools", CONFIG_MAP, MANY(settings, tools, tool_count, tool_server_settings), .keys = CONFIG_KEY_SERVER, .max = 64,
     .help = "Servers of tools, over MCP: each at `/mcp/NAME`, and all that a tenant may use at `/mcp`. Names have at most 48 lower-case letters, digits, `_` and `-`, "
             "no `__`, and begin and end with a letter or a digit."},
    {"tools.*.transport", CONFIG_ENUM, .required = true, AT(tool_server_settings, transport), .words = transports, .min = TRANSPORT_STDIO,
     .help = "`stdio`: a command that the gateway starts. `http`: Streamable HTTP."},
    {"tools.*.command", CONFIG_ARGUMENTS, AT(tool_server_settings, stdio.command), .min = 1, .max = 64,
     .help = "`stdio`: the program, an absolute path or a name that is found in PATH (its own, if `env` sets one; else `/usr/local/bin`, `/usr/bin`, `/bin`), and its arguments, which are passed on as they are."},
    {"tools.*.env", CONFIG_MAP, MANY(tool_server_settings, stdio.env, stdio.env_count, variable_settings), .keys = CONFIG_KEY_ENV, .max = 64,
     .help = "`stdio`: variables that it gets beside a few of the system's; nothing else of the node's environment."},
    {"tools.*.env.*", CONFIG_STRING, .secret = true, AT(variable_settings, value), .max = 4096,
     .help = "Its value, as it is. Not for secrets."},
    {"tools.*.env.*.env", CONFIG_ENV, .required = true, .secret = true, AT(variable_settings, env),
     .help = "Instead of a value: `{env: NAME}`, the variable of the node's environment that holds it."},
    {"tools.*.cwd", CONFIG_PATH, AT(tool_server_settings, stdio.cwd),
     .help = "`stdio`: the folder that it runs in. Default: an empty one of its own."},
    {"tools.*.files", CONFIG_GROUP,
     .help = "`stdio`: what it may touch beside the system's programs and libraries."},
    {"tools.*.files.read", CONFIG_PATHS, AT(tool_server_settings, stdio.read), .max = 64,
     .help = "Folders and files that it may read. None may hold `data` or the file of a secret."},
    {"tools.*.files.write", CONFIG_PATHS, AT(tool_server_settings, stdio.write), .max = 64,
     .help = "The same to read and write."},
    {"tools.*.network", CONFIG_ENUM, AT(tool_server_settings, stdio.network), .words = networks, .fallback = "none",
     .help = "`stdio`: whether it may connect to anything."},
    {"tools.*.url", CONFIG_ENDPOINT, .at = 0,
     .help = "`http`: its endpoint: `https://crm.example.org/mcp`. Plain HTTP only to loopback."},
    {"tools.*.credential", CONFIG_LIST, MANY(tool_server_settings, credentials, credential_count, credential_settings), .min = 1, .max = 1000,
     .help = "`http`: what the gateway shows to it: the first that fits the caller's tenant and the region; where none fits, "
             "the call is refused. Without any it is shown nothing."},
    {"tools.*.credential[].tenants", CONFIG_NAMES, AT(credential_settings, tenants), .refers = "tenants", .max = 1000,
     .help = "Tenants that it is for. None: all."},
    {"tools.*.credential[].regions", CONFIG_NAMES, AT(credential_settings, regions), .max = 64,
     .help = "Regions that it is for. None: all."},
    {"tools.*.credential[].env", CONFIG_ENV, .secret = true, AT(credential_settings, env),
     .help = "Name of the environment variable that holds the secret. Either this or `file`."},
    {"tools.*.credential[].file", CONFIG_PATH, .secret = true, AT(credential_settings, file),
     .help = "File that holds the secret, one line. Either this or `env`."},
    {"tools.*.ca", CONFIG_PATH, AT(tool_server_settings, http.ca),
     .help = "`http`, PEM file: who may sign its certificate. Default: whom the system trusts."},
    {"tools.*.insecure", CONFIG_BOOLEAN, AT(tool_server_settings, http.insecure), .fallback = "false",
     .help = "`http`: allows a plain HTTP URL beyond loopback: arguments, results and credentials can be read on the way."},
    {"tools.*.connect", CONFIG_DURATION, AT(tool_server_settings, http.connect_ms), .fallback = "5s", .min = 10, .max = 2 * MINUTE,
     .help = "`http`: name, connection and TLS together."},
    {"tools.*.region", CONFIG_NAME, AT(tool_server_settings, region),
     .help = "Where it processes data. A tenant with `regions` uses only servers of these; a command is where this node is."},
    {"tools.*.tenants", CONFIG_NAMES, AT(tool_server_settings, tenants), .refers = "tenants", .max = 1000,
     .help = "Tenants that may use it. None: all."},
    {"tools.*.risk", CONFIG_MAP, MANY(tool_server_settings, risk, risk_count, tool_risk_settings), .keys = CONFIG_KEY_GLOB, .max = 64,
     .help = "What its tools can do to the world, by name, with `*` for any letters and `?` for one; all that match add up. A tool that none matches has every risk: "
             "unknown is dangerous. To call one harmless, name `read`."},
    {"tools.*.risk.*", CONFIG_FLAGS, AT(tool_risk_settings, risk), .words = risks, .min = 1, .max = RISK_WORDS,
     .help = "`\"read_*\": [read]`. What the server says of its own tools may only add to it."},
    {"tools.*.each", CONFIG_MAP, MANY(tool_server_settings, each, each_count, tool_each_settings), .keys = CONFIG_KEY_TOOL, .max = 64,
     .help = "Tools whose call is many in one: decided once for each element of an array."},
    {"tools.*.each.*", CONFIG_POINTER, AT(tool_each_settings, pointer), .max = 256,
     .help = "Where the array is in the arguments: `$.items`, `$.batch.items`."},
    {"tools.*.yields", CONFIG_NAMES, AT(tool_server_settings, yields), .max = LABELS_MAX,
     .help = "Labels of what its tools return."},
    {"tools.*.clearance", CONFIG_NAMES, AT(tool_server_settings, clearance), .max = LABELS_MAX,
     .help = "Labels of data that may be sent to it."},
    {"tools.*.shared", CONFIG_BOOLEAN, AT(tool_server_settings, shared), .fallback = "false",
     .help = "One process or session of the server for all callers; else one for each of their sessions."},
    {"tools.*.sampling", CONFIG_BOOLEAN, AT(tool_server_settings, sampling), .fallback = "false",
     .help = "The server may ask the caller's model, each time if policy permits. Not with `shared`."},
    {"tools.*.elicitation", CONFIG_BOOLEAN, AT(tool_server_settings, elicitation), .fallback = "false",
     .help = "The server may ask the caller, each time if policy permits. Not with `shared`."},
    {"tools.*.new", CONFIG_BOOLEAN, AT(tool_server_settings, approve_new), .words = unseen, .fallback = "pin",
     .help = "What becomes of a tool that was not seen before. `pin`: it can be called from then on, as it was seen. `approve`: after `writ tool approve`. "
             "One that changes waits for it in either case."},
    {"tools.*.timeout", CONFIG_DURATION, AT(tool_server_settings, call_ms), .fallback = "60s", .min = 100, .max = HOUR,
     .help = "For a call to bring an answer or word of its progress."},
    {"tools.*.max", CONFIG_DURATION, AT(tool_server_settings, call_max_ms), .fallback = "10m", .min = 100, .max = DAY,
     .help = "For a call in all."},
    {"tools.*.result", CONFIG_BYTES, AT(tool_server_settings, result_max), .fallback = "8MB", .min = KIB, .max = HTTP_BODY_MAX,
     .help = "The largest answer."},
    {"tools.*.idle", CONFIG_DURATION, AT(tool_server_settings, idle_ms), .fallback = "10m", .min = SECOND, .max = DAY,
     .help = "A process or session of the server that nobody uses for so long is ended."},

    {"mcp", CONFIG_GROUP,
     .help = "Who may reach `/mcp`, beside having a credential."},
    {"mcp.origins", CONFIG_ORIGINS, AT(settings, origins), .max = 64,
     .help = "Origins of browsers' pages that may use it, exactly: `https://app.example.org`. Requests of other pages are refused."},
    {"mcp.hosts", CONFIG_HOSTS, AT(settings, hosts), .max = 64,
     .help = "Names by which callers on this machine reach this gateway, without a port, beside loopback's. Under any other they are refused: "
             "somebody else's name may lead here."},

    {"trust", CONFIG_GROUP,
     .help = "Who is believed when it says who somebody is. Keys that `writ agent add` makes need no entry."},
    {"trust.oidc", CONFIG_LIST, MANY(settings, issuers, issuer_count, issuer_settings), .max = 64,
     .help = "Issuers of JWTs: identity providers, Kubernetes, CI systems."},
    {"trust.oidc[].alias", CONFIG_NAME, .required = true, AT(issuer_settings, alias),
     .help = "Its name in identities: `User::\"corp|alice\"`. Never change it: who was `corp|alice` would be nobody."},
    {"trust.oidc[].issuer", CONFIG_STRING, .required = true, AT(issuer_settings, issuer), .min = 1, .max = 512,
     .help = "Its `iss`, a URL, byte by byte. Its keys are found by discovery below it."},
    {"trust.oidc[].jwks", CONFIG_STRING, AT(issuer_settings, jwks), .min = 1, .max = 512,
     .help = "URL of its keys, where it has no discovery document."},
    {"trust.oidc[].insecure", CONFIG_BOOLEAN, AT(issuer_settings, insecure), .fallback = "false",
     .help = "Allows plain HTTP beyond loopback: whoever is on the way can make up keys."},
    {"trust.oidc[].ca", CONFIG_PATH, AT(issuer_settings, ca),
     .help = "PEM file: who may sign its certificate. Default: whom the system trusts."},
    {"trust.oidc[].audience", CONFIG_STRINGS, .required = true, AT(issuer_settings, audience), .min = 1, .max = 16,
     .help = "What `aud` has to name, or one of them: tokens made for somebody else are refused."},
    {"trust.oidc[].kinds", CONFIG_NAMES, .required = true, AT(issuer_settings, kinds), .words = kinds, .min = 1, .max = 4,
     .help = "Kinds of identities that it may assert. One is implied; of several, `claims.kind` says which."},
    {"trust.oidc[].tenants", CONFIG_NAMES, .required = true, AT(issuer_settings, tenants), .refers = "tenants", .min = 1, .max = 1000,
     .help = "Tenants that it may speak for. One is implied; of several, `claims.tenant` says which."},
    {"trust.oidc[].claims", CONFIG_GROUP,
     .help = "Where its tokens say what."},
    {"trust.oidc[].claims.kind", CONFIG_STRING, AT(issuer_settings, claims.kind), .min = 1, .max = 128,
     .help = "Name of the claim that holds the kind."},
    {"trust.oidc[].claims.tenant", CONFIG_STRING, AT(issuer_settings, claims.tenant), .min = 1, .max = 128,
     .help = "Name of the claim that holds the tenant."},
    {"trust.oidc[].claims.groups", CONFIG_STRING, AT(issuer_settings, claims.groups), .min = 1, .max = 128,
     .help = "Name of the claim that lists groups: `Group::\"corp|admins\"` for policies."},
    {"trust.oidc[].max_age", CONFIG_DURATION, AT(issuer_settings, max_age_ms), .fallback = "0", .max = 30 * DAY,
     .help = "Tokens issued longer ago are refused; 0: they are good until they expire."},
    {"trust.oidc[].skew", CONFIG_DURATION, AT(issuer_settings, skew_ms), .fallback = "30s", .max = 5 * MINUTE,
     .help = "How much its clock may differ."},
    {"trust.oidc[].refresh", CONFIG_DURATION, AT(issuer_settings, refresh_ms), .fallback = "10m", .min = SECOND, .max = DAY,
     .help = "How often its keys are fetched; an unknown key asks sooner, at most every 30 seconds."},
    {"trust.oidc[].max_stale", CONFIG_DURATION, AT(issuer_settings, max_stale_ms), .fallback = "24h", .min = SECOND, .max = 30 * DAY,
     .help = "How long its last keys are good while new ones cannot be fetched."},

    {"policies", CONFIG_GROUP,
     .help = "Who may do what, in Cedar. Without any policy everything is denied."},
    {"policies.dir", CONFIG_PATH, AT(settings, policies.dir),
     .help = "Folder of `*.cedar` files."},
    {"policies.shadow", CONFIG_PATH, AT(settings, policies.shadow),
     .help = "Folder of policies that are evaluated beside the others; their answer is only recorded."},
    {"policies.entities", CONFIG_LIST, MANY(settings, policies.entities, policies.entity_count, entities_settings), .max = 64,
     .help = "What policies refer to beside identities: groups of models, for instance."},
    {"policies.entities[].file", CONFIG_PATH, .required = true, AT(entities_settings, file),
     .help = "Cedar entities, as JSON."},

    {"approvals", CONFIG_GROUP,
     .help = "Who says yes where a policy asks for it: `@approval(\"finance\")` on a forbid."},
    {"approvals.ttl", CONFIG_DURATION, AT(settings, approvals.ttl_ms), .fallback = "15m", .min = SECOND, .max = 7 * DAY,
     .help = "How long a question waits for people; then the answer is no."},
    {"approvals.hold", CONFIG_DURATION, AT(settings, approvals.hold_ms), .fallback = "60s", .max = HOUR,
     .help = "How long the call waits for them, too; then it is refused as `approval_pending` and may be made again. 0: not at all."},
    {"approvals.used", CONFIG_DURATION, AT(settings, approvals.used_ms), .fallback = "5m", .min = SECOND, .max = DAY,
     .help = "How long a yes is good while nobody makes the call."},
    {"approvals.groups", CONFIG_MAP, MANY(settings, approvals.groups, approvals.group_count, approval_group_settings), .max = 256,
     .help = "Who may say it: each a list of people, or a mapping with more."},
    {"approvals.groups.*", CONFIG_NAMES, AT(approval_group_settings, members), .min = 1, .max = 256,
     .help = "Names of local accounts (`writ login`): one of them has to say yes."},
    {"approvals.groups.*.members", CONFIG_NAMES, .required = true, AT(approval_group_settings, members), .min = 1, .max = 256,
     .help = "The same, where more is said of the group."},
    {"approvals.groups.*.tenants", CONFIG_NAMES, AT(approval_group_settings, tenants), .refers = "tenants", .max = 1000,
     .help = "Tenants whose calls they decide. None: all."},

    {"limits", CONFIG_LIST, MANY(settings, limits, limit_count, limit_settings), .max = 256,
     .help = "How much: reserved before a call leaves, settled when it has ended. A call has to find room in every limit that it matches."},
    {"limits[].name", CONFIG_STRING, .required = true, AT(limit_settings, name), .min = 1, .max = 64,
     .help = "Its name in answers and evidence; unique. What was used is counted under it."},
    {"limits[].match", CONFIG_GROUP,
     .help = "Which calls; nothing given: all."},
    {"limits[].match.kind", CONFIG_NAMES, AT(limit_settings, match.kinds), .words = kinds, .max = 4,
     .help = "Kinds of identities in the chain."},
    {"limits[].match.tenant", CONFIG_NAMES, AT(limit_settings, match.tenants), .refers = "tenants", .max = 1000,
     .help = "Tenants."},
    {"limits[].match.model", CONFIG_NAMES, AT(limit_settings, match.models), .refers = "models", .max = 1000,
     .help = "Models, by the names that callers use."},
    {"limits[].match.principal", CONFIG_STRINGS, AT(limit_settings, match.principals), .max = 1000,
     .help = "Identities in the chain: `acme/writer`, `corp|alice`."},
    {"limits[].per", CONFIG_ENUM, AT(limit_settings, per), .words = pers, .fallback = "principal",
     .help = "Who has a count of its own: each identity in the chain, each owner, each tenant, each model within a tenant, each session."},
    {"limits[].rate", CONFIG_GROUP,
     .help = "Requests in a time, refilled evenly."},
    {"limits[].rate.requests", CONFIG_INTEGER, .required = true, AT(limit_settings, rate_requests), .min = 1, .max = 1000000000,
     .help = "How many."},
    {"limits[].rate.window", CONFIG_DURATION, .required = true, AT(limit_settings, rate_window_ms), .min = 100, .max = DAY,
     .help = "In which time."},
    {"limits[].concurrency", CONFIG_INTEGER, AT(limit_settings, concurrency), .fallback = "0", .max = 1000000,
     .help = "Calls at a time; 0: not limited."},
    {"limits[].budget", CONFIG_GROUP,
     .help = "What may be used up in a window of time; windows begin at multiples of their length since 1970, UTC."},
    {"limits[].budget.tokens", CONFIG_COUNT, AT(limit_settings, budget_tokens), .fallback = "0", .max = INT64_C(1000000000000000),
     .help = "Tokens, of requests and answers together; 0: not limited."},
    {"limits[].budget.requests", CONFIG_COUNT, AT(limit_settings, budget_requests), .fallback = "0", .max = INT64_C(1000000000000),
     .help = "Requests; 0: not limited."},
    {"limits[].budget.window", CONFIG_DURATION, .required = true, AT(limit_settings, budget_window_ms), .min = SECOND, .max = 366 * DAY,
     .help = "The length of a window."},

    {"admin", CONFIG_GROUP,
     .help = "Where the node is looked after. Without it only the control socket in `data` is."},
    {"admin.address", CONFIG_ADDRESS, .required = true, AT(settings, admin),
     .help = "`host:port`, as in `listen`. Everybody has to log in, from loopback, too."},
    {"admin.tls", CONFIG_GROUP,
     .help = "HTTPS. Needed beyond loopback."},
    {"admin.tls.cert", CONFIG_PATH, .required = true, AT(settings, admin.tls.cert),
     .help = "PEM file: the server's certificate, then its chain."},
    {"admin.tls.key", CONFIG_PATH, .required = true, AT(settings, admin.tls.key),
     .help = "PEM file: the certificate's private key."},
    {"admin.insecure", CONFIG_BOOLEAN, AT(settings, admin.insecure), .fallback = "false",
     .help = "Allows plain HTTP beyond loopback: passwords and tokens can be read on the way."},

    {"sessions", CONFIG_GROUP,
     .help = "What belongs together: labels, budgets and payload keys last as long as a session."},
    {"sessions.idle", CONFIG_DURATION, AT(settings, sessions.idle_ms), .fallback = "30m", .min = SECOND, .max = 30 * DAY,
     .help = "A session ends when nothing has happened for so long."},
    {"sessions.max", CONFIG_DURATION, AT(settings, sessions.max_ms), .fallback = "8h", .min = SECOND, .max = 30 * DAY,
     .help = "A session ends after so long in any case."},

    {"sessions.supervised", CONFIG_DURATION, AT(settings, sessions.supervised_ms), .fallback = "15m", .min = SECOND, .max = DAY,
     .help = "For so long after a login a person counts as present."},
    {"sessions.recheck", CONFIG_DURATION, AT(settings, sessions.recheck_ms), .fallback = "60s", .min = SECOND, .max = HOUR,
     .help = "How often what is open is looked at again: is everybody in its chain still active?"},

    {"ledger", CONFIG_GROUP,
     .help = "The evidence."},
    {"ledger.durable", CONFIG_ENUM, AT(settings, ledger.durable), .words = durables, .fallback = "before_action",
     .help = "`before_action`: on disk before a call leaves. `batched`: soon after, which a power failure can lose."},
    {"ledger.payloads", CONFIG_ENUM, AT(settings, ledger.payloads), .words = payloads, .fallback = "hash",
     .help = "What evidence holds of prompts and answers: a keyed hash, or nothing."},
    {"ledger.region", CONFIG_NAME, AT(settings, ledger.region),
     .help = "Where the evidence is kept."},

    {"server", CONFIG_GROUP,
     .help = "Limits of what callers may take."},
    {"server.head_timeout", CONFIG_DURATION, AT(settings, server.head_ms), .fallback = "10s", .min = 100, .max = 10 * MINUTE,
     .help = "For the head of a request to arrive, and for a TLS handshake."},
    {"server.body_idle", CONFIG_DURATION, AT(settings, server.body_idle_ms), .fallback = "30s", .min = 100, .max = 10 * MINUTE,
     .help = "Between two pieces of a request's body."},
    {"server.idle_timeout", CONFIG_DURATION, AT(settings, server.idle_ms), .fallback = "75s", .min = 100, .max = HOUR,
     .help = "For a connection without a request."},
    {"server.write_idle", CONFIG_DURATION, AT(settings, server.write_idle_ms), .fallback = "60s", .min = 100, .max = HOUR,
     .help = "For a caller to take anything of an answer that waits for it."},
    {"server.drain", CONFIG_DURATION, AT(settings, server.drain_ms), .fallback = "30s", .max = HOUR,
     .help = "For calls in flight to end when the gateway stops."},
    {"server.body_max", CONFIG_BYTES, AT(settings, server.body_max), .fallback = "8MB", .min = KIB, .max = HTTP_BODY_MAX,
     .help = "The largest request body."},
    {"server.connections_max", CONFIG_INTEGER, AT(settings, server.connections_max), .fallback = "10000", .min = 1, .max = 1000000,
     .help = "Connections a worker holds; beyond, new ones wait in the kernel."},
    {"server.streams_max", CONFIG_INTEGER, AT(settings, server.streams_max), .fallback = "100", .min = 1, .max = 1000,
     .help = "Requests at a time on one HTTP/2 connection."},
};
/* clang-format on */

const size_t config_table_len = ARRAY_LEN(config_table);

/* Bytes of the parent's prefix in a path; 0: at the top. */
static size_t parent_len(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot == NULL ? 0 : (size_t)(dot - path);
}

struct str config_table_key(const struct config_row *row)
{
    size_t parent = parent_len(row->path);
    return str_from(row->path + (parent == 0 ? 0 : parent + 1));
}

const struct config_row *config_table_next(struct str prefix, size_t *at)
{
    while (*at < config_table_len) {
        const struct config_row *row = &config_table[(*at)++];
        struct str parent = {row->path, parent_len(row->path)};
        if (str_eq(parent, prefix))
            return row;
    }
    return NULL;
}

const struct config_row *config_table_find(struct str prefix, struct str name)
{
    size_t at = 0;
    const struct config_row *row;
    while ((row = config_table_next(prefix, &at)) != NULL) {
        if (str_eq(config_table_key(row), name))
            return row;
    }
    return NULL;
}

const struct config_row *config_table_value(const struct config_row *map)
{
    return config_table_find(str_from(map->path), STR("*"));
}

bool config_table_is_list(const struct config_row *row)
{
    return row->type >= CONFIG_NAMES && row->type <= CONFIG_FLAGS;
}

struct str config_table_prefix(const struct config_row *row,
                               char to[CONFIG_PREFIX_MAX])
{
    const char *mark = row->type == CONFIG_LIST  ? "[]"
                       : row->type == CONFIG_MAP ? ".*"
                                                 : "";
    int len = snprintf(to, CONFIG_PREFIX_MAX, "%s%s", row->path, mark);
    assert(len > 0 && len < CONFIG_PREFIX_MAX);
    return (struct str){to, (size_t)len};
}

const struct config_row *config_table_refers(const struct config_row *row)
{
    assert(row->refers != NULL);
    const struct config_row *map =
        config_table_find(STR(""), str_from(row->refers));
    assert(map != NULL && map->type == CONFIG_MAP);
    return map;
}
