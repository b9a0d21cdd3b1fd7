/*
 * parts_bench.c - what the questions cost that stand between a request and
 * its dispatch, each by itself, on one thread.
 *
 *     parts_bench DIRECTORY ISSUER AGENTS
 *
 * DIRECTORY holds what the harness makes for a node with everything on:
 * jwks.json, token and bench.cedar.  Prints one line of JSON: microseconds
 * each, the median of a few batches.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "common.h"
#include "identity/issuers.h"
#include "identity/proof.h"
#include "limit/limit.h"
#include "policy/rules.h"
#include "registry/registry.h"
#include "registry/registry_record.h"
#include "registry/registry_table.h"
#include "registry/registry_view.h"

enum {
    BATCHES = 5,
    BATCH_MS = 100,
    AGENTS_MAX = 4000000,
    IDS = 65536, /* of agents that are looked for, one after the other */
    OVERLAY = 2048,
};

static const struct str regions[] = {STR_INIT("eu")};
static const struct str audience[] = {STR_INIT("writ")};
static const struct str human[] = {STR_INIT("human")};
static const struct str acme[] = {STR_INIT("acme")};
static const struct tenant_settings tenants[] = {
    {.name = STR_INIT("acme"), .regions = {regions, 1}},
};
static const struct provider_settings providers[] = {
    {.name = STR_INIT("mock"), .region = STR_INIT("eu")},
};
static const struct model_settings models[] = {{.name = STR_INIT("bench")}};
static const struct limit_settings limits[] = {
    {.name = STR_INIT("tokens"),
     .per = LIMIT_PER_PRINCIPAL,
     .budget_tokens = 1000000000000,
     .budget_window_ms = 86400000},
    {.name = STR_INIT("calls"),
     .per = LIMIT_PER_TENANT,
     .budget_requests = 1000000000000,
     .budget_window_ms = 86400000},
};

struct parts {
    const char *dir;
    int64_t now_us;
    struct issuer_settings issuer;
    struct settings settings;

    struct proof_cache *cache;
    struct issuers *issuers;
    struct proof_input credential;
    struct proof *proof; /* of the token */

    struct registry_view *view;
    char (*ids)[32]; /* IDS of them, at random */
    struct hash *keys;
    size_t next;
    struct registry_table *change; /* one record */
    const struct registry_entry *found;

    struct rules *rules;
    struct rules_evaluator *evaluator;

    struct limit_counters *counters;
    struct limit_rules *limit_rules;
    struct limit_link links[CHAIN_LINKS_MAX];
};

static void need(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "parts_bench: %s\n", what);
    _exit(1);
}

static struct str file_of(const struct parts *p, const char *name)
{
    char path[512];
    size_t len;

    (void)snprintf(path, sizeof(path), "%s/%s", p->dir, name);
    char *text = read_file(path, &len);
    return (struct str){text, len};
}

/* ---- measuring ---- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double one_batch(struct parts *p, void (*one)(struct parts *p))
{
    int64_t start = now_ns();
    int64_t took = 0;
    uint64_t n = 0;

    while (took < BATCH_MS * NS_PER_MS) {
        for (unsigned i = 0; i < 64; i++)
            one(p);
        n += 64;
        took = now_ns() - start;
    }
    return (double)took / (double)n / 1e3;
}

static void measure(struct parts *p, const char *name,
                    void (*one)(struct parts *p), const char *end)
{
    double us[BATCHES];

    (void)one_batch(p, one);
    for (unsigned i = 0; i < BATCHES; i++)
        us[i] = one_batch(p, one);
    qsort(us, BATCHES, sizeof(us[0]), compare);
    printf("\"%s\":%.4f%s", name, us[BATCHES / 2], end);
}

/* ---- who is asking ---- */

static struct proof *prove(struct parts *p, struct proof_cache *cache)
{
    const struct proof_sources from = {
        .caller_key = STR("0123456789abcdef0123456789abcdef"),
        .issuers = p->issuers,
        .now_us = p->now_us,
    };
    struct proof_wish wish;
    struct proof *got = NULL;

    need(proof_make(&from, cache, &p->credential, &wish, &got) == PROOF_GIVEN,
         "the token is refused");
    return got;
}

static void open_identity(struct parts *p)
{
    struct str token = file_of(p, "token");
    const struct issuers_keys keys = {file_of(p, "jwks.json"), INT64_MAX};
    size_t room = sizeof("Bearer ") + token.len;
    char *text = allocate(room);
    size_t which;

    (void)snprintf(text, room, "Bearer %s", token.ptr);
    p->credential.authorization = (struct str){text, room - 1};
    need(issuers_new(&p->settings, &keys, &p->issuers, &which) == ERR_OK &&
             proof_cache_new((struct siphash_key){1, 2}, &p->cache) == ERR_OK,
         "identity");
    p->proof = prove(p, p->cache);
    need(p->proof->chain.count == 2, "the token does not give two links");
}

static void proof_again(struct parts *p)
{
    proof_unref(prove(p, p->cache));
}

/* With a cache that knows nothing: the signature is checked. */
static void proof_first(struct parts *p)
{
    struct proof_cache *empty = NULL;

    need(proof_cache_new((struct siphash_key){1, 2}, &empty) == ERR_OK,
         "memory");
    proof_unref(prove(p, empty));
    proof_cache_free(empty);
}

/* ---- may it act at all ---- */

static struct hash hash_of(const char *id, size_t len)
{
    const struct str piece = {id, len};

    return hash_sha256(&piece, 1);
}

static struct registry_record *agent(const struct parts *p, uint64_t n,
                                     uint64_t revision)
{
    static const struct str purposes[] = {STR_INIT("review")};
    char id[32];
    char fingerprint[17];
    struct registry_key key = {.expires_us = p->now_us * 2};
    int len = snprintf(id, sizeof(id), "acme/agent-%07lu", (unsigned long)n);

    (void)snprintf(fingerprint, sizeof(fingerprint), "%016lx",
                   (unsigned long)n);
    key.fingerprint = (struct str){fingerprint, 16};
    key.hmac = hash_of(id, (size_t)len);
    const struct registry_entry e = {
        .who = {PRINCIPAL_AGENT, STR("keys"), {id, (size_t)len}, STR("acme")},
        .name = {id + 5, (size_t)len - 5},
        .owner = STR("keys|owner"),
        .purposes = purposes,
        .purpose_count = 1,
        .mode = REGISTRY_AUTONOMOUS,
        .risk = 1,
        .state = REGISTRY_ACTIVE,
        .created_us = p->now_us,
        .expires_us = p->now_us * 2,
        .revision = revision,
        .keys = &key,
        .key_count = 1,
    };
    struct registry_record *r = registry_record_new(p->view->seed, &e);
    need(r != NULL, "memory");
    return r;
}

static struct registry_table *table(const struct parts *p, size_t n,
                                    size_t step, uint64_t revision)
{
    struct registry_record **all =
        (struct registry_record **)allocate(n * sizeof(*all));

    for (size_t i = 0; i < n; i++)
        all[i] = agent(p, i * step, revision);
    struct registry_table *t = registry_table_make(all, n);
    need(t != NULL, "memory");
    return t;
}

static void open_registry(struct parts *p, size_t agents)
{
    struct registry_view seeded = {.seed = {3, 4}};

    p->view = &seeded;
    struct registry_table *base = table(p, agents, 1, 1);
    struct registry_table *overlay = table(p, OVERLAY, agents / OVERLAY, 2);
    p->change = table(p, 1, 1, 3);
    p->view = registry_view_new(&seeded, base, overlay);
    need(p->view != NULL, "memory");
    p->ids = allocate(IDS * sizeof(*p->ids));
    p->keys = allocate(IDS * sizeof(*p->keys));
    uint64_t x = 88172645463325252u;
    for (size_t i = 0; i < IDS; i++) {
        x ^= x << 13; /* xorshift64 */
        x ^= x >> 7;
        x ^= x << 17;
        int len = snprintf(p->ids[i], sizeof(p->ids[i]), "acme/agent-%07lu",
                           (unsigned long)(x % agents));
        p->keys[i] = hash_of(p->ids[i], (size_t)len);
    }
}

static void registry_find(struct parts *p)
{
    const char *id = p->ids[p->next++ % IDS];

    p->found = registry_view_find(p->view, PRINCIPAL_AGENT, str_from(id));
    need(p->found != NULL, "an agent is not found");
}

static void registry_key(struct parts *p)
{
    const struct registry_key *key = NULL;

    p->found = registry_view_by_key(p->view, &p->keys[p->next++ % IDS], &key);
    need(p->found != NULL, "a key is not found");
}

/* What a change makes anew: an overlay and a view. */
static void registry_change(struct parts *p)
{
    struct registry_view *v =
        registry_view_new(p->view, registry_table_ref(p->view->base),
                          registry_table_merge(p->view->overlay, p->change));

    need(v != NULL, "memory");
    registry_view_unref(v);
}

/* ---- may they do this ---- */

static void open_policy(struct parts *p)
{
    const struct rules_file file = {STR("bench.cedar"),
                                    file_of(p, "bench.cedar")};
    const struct rules_sources from = {.policies = &file, .policy_count = 1};
    struct rules_errors errors;

    need(rules_new(&p->settings, &from, &errors, &p->rules) == ERR_OK &&
             rules_evaluator_new(&p->evaluator) == ERR_OK,
         "the policies are broken");
}

static void decide(struct parts *p)
{
    static const struct str purposes[] = {STR_INIT("bench")};
    static const struct rules_session session = {.calls = 7};
    static const struct labels labels = {.names = {STR_INIT("unscanned")},
                                         .count = 1};
    const struct rules_link link = {.name = STR("alice"),
                                    .purposes = purposes,
                                    .purpose_count = 1,
                                    .mode = STR("both"),
                                    .risk = 1};
    const struct rules_link links[] = {link, link};
    const struct rules_request q = {
        .chain = &p->proof->chain,
        .links = links,
        .action = ACTION_MODEL_INVOKE,
        .resource_type = STR("Model"),
        .resource = STR("bench"),
        .tenant = STR("acme"),
        .destination = {STR("mock"), STR("127.0.0.1"), STR("eu")},
        .labels = &labels,
        .session = &session,
        .supervised = true,
        .tokens = 700,
        .now_us = p->now_us,
        .ip = STR("127.0.0.1"),
    };
    struct rules_answer answer;

    rules_decide(p->rules, p->evaluator, &q, &answer);
    need(answer.decision.effect == DECISION_ALLOW, "the decision is to deny");
}

/* ---- is there room ---- */

static void open_limits(struct parts *p)
{
    const struct chain *c = &p->proof->chain;

    need(limit_counters_new(&p->counters) == ERR_OK &&
             limit_rules_new(&p->settings, &p->limit_rules) == ERR_OK,
         "limits");
    for (unsigned i = 0; i < c->count; i++)
        p->links[i] = (struct limit_link){.kind = principal_kind_name(
                                              c->links[i].who.kind),
                                          .id = c->links[i].who.id};
}

static void reserve_and_settle(struct parts *p)
{
    const struct limit_ask ask = {.links = p->links,
                                  .link_count = p->proof->chain.count,
                                  .tenant = STR("acme"),
                                  .model = STR("bench"),
                                  .tokens = 700,
                                  .now_us = p->now_us};
    struct limit_reservation hold = {0};
    struct limit_answer answer;

    need(limit_reserve(p->counters, p->limit_rules, &ask, &hold, &answer) ==
             ERR_OK,
         "there is no room");
    limit_settle(p->counters, &hold, true, 0);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        usage("parts_bench DIRECTORY ISSUER AGENTS");
    struct parts *p = allocate(sizeof(*p));
    p->dir = argv[1];
    p->now_us = (int64_t)time(NULL) * 1000000;
    p->issuer = (struct issuer_settings){.alias = STR("bench"),
                                         .issuer = str_from(argv[2]),
                                         .audience = {audience, 1},
                                         .kinds = {human, 1},
                                         .tenants = {acme, 1},
                                         .claims.groups = STR("groups"),
                                         .skew_ms = 30000};
    p->settings = (struct settings){.tenants = tenants,
                                    .tenant_count = ARRAY_LEN(tenants),
                                    .providers = providers,
                                    .provider_count = ARRAY_LEN(providers),
                                    .models = models,
                                    .model_count = ARRAY_LEN(models),
                                    .issuers = &p->issuer,
                                    .issuer_count = 1,
                                    .limits = limits,
                                    .limit_count = ARRAY_LEN(limits)};
    size_t agents = (size_t)number(argv[3], AGENTS_MAX);
    need(agents >= OVERLAY, "too few agents");
    open_identity(p);
    open_policy(p);
    open_limits(p);
    printf("{\"agents\":%zu,\"policies\":%zu,", agents, rules_count(p->rules));
    measure(p, "proof_hit", proof_again, ",");
    measure(p, "proof_first", proof_first, ",");
    measure(p, "decision", decide, ",");
    measure(p, "reserve_settle", reserve_and_settle, ",");
    open_registry(p, agents);
    measure(p, "registry_find", registry_find, ",");
    measure(p, "registry_key", registry_key, ",");
    measure(p, "registry_change", registry_change, "}\n");
    return 0;
}
