/* Tests policy/rules: every link decides, default deny, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/attr.h"
#include "base/buf.h"
#include "policy/rules.h"
#include "policy/rules_explain.h"
#include "policy/rules_shapes.h"

/* The sanitizer's, where there is one; NULL elsewhere. */
typedef void malloc_hook(const volatile void *p, size_t size);
typedef void free_hook(const volatile void *p);
int install_hooks(malloc_hook *on_malloc, free_hook *on_free) __asm__(
    "__sanitizer_install_malloc_and_free_hooks") __attribute__((weak));

static const struct model_settings models[] = {
    {.name = STR_INIT("small")},
    {.name = STR_INIT("big")},
};
static const struct str eu[] = {STR_INIT("eu")};
static const struct str acme[] = {STR_INIT("acme")};
static const struct tenant_settings tenants[] = {
    {.name = STR_INIT("acme"), .regions = {eu, 1}},
    {.name = STR_INIT("other")},
};
static const struct provider_settings providers[] = {
    {.name = STR_INIT("near"), .region = STR_INIT("eu")},
    {.name = STR_INIT("far"), .region = STR_INIT("us")},
    {.name = STR_INIT("own"), .region = STR_INIT("eu"), .tenants = {acme, 1}},
};
static const struct settings settings = {
    .models = models,
    .model_count = ARRAY_LEN(models),
    .tenants = tenants,
    .tenant_count = ARRAY_LEN(tenants),
    .providers = providers,
    .provider_count = ARRAY_LEN(providers),
};

#define FILES_MAX 4
struct files {
    const char *policies[FILES_MAX]; /* a.cedar, b.cedar, ... */
    const char *shadow[FILES_MAX];
    const char *entities[FILES_MAX];
    bool has_shadow;
};

static const char *const names[FILES_MAX] = {"a.cedar", "b.cedar", "c.cedar",
                                             "d.cedar"};
static const char *const json_names[FILES_MAX] = {"a.json", "b.json", "c.json",
                                                  "d.json"};

static size_t list(const char *const *texts, const char *const *file_names,
                   struct rules_file *to)
{
    size_t n = 0;
    while (n < FILES_MAX && texts[n] != NULL) {
        to[n] =
            (struct rules_file){str_from(file_names[n]), str_from(texts[n])};
        n++;
    }
    return n;
}

static enum err try(const struct files *f, struct rules_errors *errors,
                    struct rules **ret)
{
    struct rules_file policies[FILES_MAX];
    struct rules_file shadow[FILES_MAX];
    struct rules_file entities[FILES_MAX];
    const struct rules_sources from = {
        .policies = policies,
        .policy_count = list(f->policies, names, policies),
        .shadow = shadow,
        .shadow_count = list(f->shadow, names, shadow),
        .has_shadow = f->has_shadow,
        .entities = entities,
        .entity_count = list(f->entities, json_names, entities),
    };
    return rules_new(&settings, &from, errors, ret);
}

static struct rules *make(const struct files *f)
{
    struct rules_errors errors;
    struct rules *r = NULL;
    enum err e = try(f, &errors, &r);
    for (size_t i = 0; e != ERR_OK && i < errors.count; i++)
        print_error("%.*s:%u:%u: %s\n", STR_FMT(errors.at[i].file),
                    errors.at[i].line, errors.at[i].column, errors.at[i].text);
    assert_int_equal(e, ERR_OK);
    return r;
}

static struct rules *make_one(const char *policy)
{
    return make(&(struct files){.policies = {policy}});
}

/* alice, a person of group staff, and her agent, which reviews. */
static const struct str staff[] = {STR_INIT("staff"), STR_INIT("eng")};
static const struct str purposes[] = {STR_INIT("review"), STR_INIT("test")};

#define NOW_US INT64_C(1763600000000000)

static struct chain alice_and_agent(void)
{
    return (struct chain){
        .links = {{.role = LINK_SUBJECT,
                   .who = {PRINCIPAL_USER, STR("okta"), STR("okta|alice"),
                           STR("acme")},
                   .method = AUTH_JWT,
                   .acr = STR("phr"),
                   .auth_time_us = NOW_US - 60 * INT64_C(1000000),
                   .groups = staff,
                   .group_count = ARRAY_LEN(staff)},
                  {.role = LINK_ACTOR,
                   .who = {PRINCIPAL_AGENT, STR("keys"), STR("acme/bot"),
                           STR("acme")},
                   .method = AUTH_API_KEY}},
        .count = 2,
    };
}

static const struct rules_link links[] = {
    {.name = STR_INIT("alice"), .mode = STR_INIT("both")},
    {.name = STR_INIT("bot"),
     .owner = STR_INIT("okta|alice"),
     .purposes = purposes,
     .purpose_count = ARRAY_LEN(purposes),
     .mode = STR_INIT("delegated"),
     .risk = 3},
    {.name = STR_INIT("alice"), .mode = STR_INIT("both")},
};

static const struct labels no_labels;

static struct rules_request request(const struct chain *chain)
{
    return (struct rules_request){
        .chain = chain,
        .links = links,
        .action = ACTION_MODEL_INVOKE,
        .resource_type = STR("Model"),
        .resource = STR("small"),
        .tenant = STR("acme"),
        .destination = {STR("near"), STR("api.example"), STR("eu")},
        .purpose = STR("review"),
        .labels = &no_labels,
        .supervised = true,
        .tokens = 100,
        .now_us = NOW_US,
        .ip = STR("192.0.2.7"),
    };
}

static struct rules_answer ask(const struct rules *r,
                               const struct rules_request *q)
{
    struct rules_evaluator *v = NULL;
    struct rules_answer a;
    struct rules_answer again;
    assert_int_equal(rules_evaluator_new(&v), ERR_OK);
    rules_decide(r, v, q, &a);
    rules_decide(r, v, q, &again); /* the same question, the same answer */
    assert_int_equal(a.decision.effect, again.decision.effect);
    assert_int_equal(a.decision.policy_count, again.decision.policy_count);
    rules_evaluator_free(v);
    return a;
}

static void check_ids(const struct decision *d, const char *want)
{
    char joined[512] = "";
    size_t len = 0;
    for (unsigned i = 0; i < d->policy_count; i++)
        len += (size_t)snprintf(joined + len, sizeof(joined) - len, "%s%.*s",
                                i > 0 ? " " : "", STR_FMT(d->policies[i]));
    assert_string_equal(joined, want);
    assert_true(str_eq(d->pdp, STR("writ")));
}

/* One request under one policy text. */
static struct rules_answer decide(const char *policy)
{
    struct rules *r = make_one(policy);
    struct chain c = alice_and_agent();
    struct rules_request q = request(&c);
    struct rules_answer a = ask(r, &q);
    for (unsigned i = 0; i < a.decision.policy_count; i++)
        a.decision.policies[i] = STR(""); /* of what is gone */
    rules_unref(r);
    return a;
}

#define ALL "permit(principal, action, resource);"
#define HOLDS(condition)                                                       \
    "permit(principal, action, resource) when {" condition "};"

static void test_what_no_policy_permits_is_denied(void **state)
{
    (void)state;
    assert_int_equal(decide("").decision.effect, DECISION_DENY);
    assert_int_equal(decide("").by_forbid, false);
    assert_int_equal(decide(ALL).decision.effect, DECISION_ALLOW);
    struct rules *r = make(&(struct files){0});
    struct chain c = alice_and_agent();
    struct rules_request q = request(&c);
    assert_int_equal(rules_count(r), 0);
    struct rules_answer a = ask(r, &q);
    assert_int_equal(a.decision.effect, DECISION_DENY);
    assert_int_equal(a.denied_link, 0);
    assert_false(a.shadow.present);
    rules_unref(r);
}

static void test_rule_02_every_link_decides(void **state)
{
    (void)state;
    struct rules *r = make(&(struct files){
        .policies = {"@id(\"people\") permit(principal is Writ::User, action, "
                     "resource);\n"
                     "@id(\"agents\") permit(principal in "
                     "Writ::Tenant::\"acme\", action == "
                     "Writ::Action::\"model:invoke\", resource) when { "
                     "context.link.index == 1 && context.link.role == "
                     "\"actor\" && context.auth.method == \"api_key\" && "
                     "resource == Writ::Model::\"small\" };"}});
    struct chain c = alice_and_agent();
    struct rules_request q = request(&c);
    struct rules_answer a = ask(r, &q);
    assert_int_equal(a.decision.effect, DECISION_ALLOW);
    check_ids(&a.decision, "people agents");

    q.resource = STR("big"); /* alice may, her agent may not */
    a = ask(r, &q);
    assert_int_equal(a.decision.effect, DECISION_DENY);
    assert_int_equal(a.denied_link, 1);
    assert_false(a.by_forbid);
    check_ids(&a.decision, "");

    c.count = 1;
    assert_int_equal(ask(r, &q).decision.effect, DECISION_ALLOW);
    c.count = 0;
    assert_int_equal(ask(r, &q).decision.effect, DECISION_DENY);
    rules_unref(r);
}

static void test_a_forbid_beats_every_permit(void **state)
{
    (void)state;
    struct rules *r = make(&(struct files){
        .policies = {ALL, "@id(\"not-small\") forbid(principal is Writ::Agent, "
                          "action, resource == Writ::Model::\"small\");"}});
    struct chain c = alice_and_agent();
    struct rules_request q = request(&c);
    struct rules_answer a = ask(r, &q);
    assert_int_equal(a.decision.effect, DECISION_DENY);
    assert_true(a.by_forbid);
    assert_int_equal(a.denied_link, 1);
    check_ids(&a.decision, "not-small");
    q.resource = STR("big");
    a = ask(r, &q);
    assert_int_equal(a.decision.effect, DECISION_ALLOW);
    check_ids(&a.decision, "a.cedar#1");
    rules_unref(r);
}

static void test_a_forbid_that_errs_denies(void **state)
{
    (void)state;
    struct rules *r = make(&(struct files){
        .policies = {ALL "\n@id(\"errs\")\nforbid(principal, action, resource) "
                         "when { context.task == \"t\" };"}});
    struct chain c = alice_and_agent();
    struct rules_request q = request(&c);
    struct rules_answer a = ask(r, &q);
    assert_int_equal(a.decision.effect, DECISION_DENY);
    assert_true(a.by_forbid);
    assert_int_equal(a.decision.errors, 2);
    check_ids(&a.decision, "errs");
    q.task = STR("other");
    assert_int_equal(ask(r, &q).decision.effect, DECISION_ALLOW);
    rules_unref(r);
}

static void test_a_permit_that_errs_is_skipped(void **state)
{
    (void)state;
    struct rules_answer a = decide(HOLDS("context.task == \"t\""));
    assert_int_equal(a.decision.effect, DECISION_DENY);
    assert_false(a.by_forbid);
    a = decide(HOLDS("context.task == \"t\"") ALL);
    assert_int_equal(a.decision.effect, DECISION_ALLOW);
    assert_int_equal(a.decision.errors, 2);
}

static void test_a_shadow_only_says_what_it_would_have(void **state)
{
    (void)state;
    struct rules *r = make(&(struct files){
        .policies = {"@id(\"now\")" ALL},
        .shadow = {"@id(\"then\") forbid(principal is Writ::Agent, action, "
                   "resource);" ALL},
        .has_shadow = true});
    struct chain c = alice_and_agent();
    struct rules_request q = request(&c);
    struct rules_answer a = ask(r, &q);
    assert_int_equal(a.decision.effect, DECISION_ALLOW);
    check_ids(&a.decision, "now");
    assert_true(a.shadow.present);
    assert_int_equal(a.shadow.decision.effect, DECISION_DENY);
    check_ids(&a.shadow.decision, "then");
    assert_int_equal(rules_count(r), 1);
    rules_unref(r);

    /* An empty folder is a shadow, too. */
    r = make(&(struct files){.policies = {ALL}, .has_shadow = true});
    a = ask(r, &q);
    assert_true(a.shadow.present);
    assert_int_equal(a.shadow.decision.effect, DECISION_DENY);
    rules_unref(r);
}

static void test_the_fence_stands_before_policy(void **state)
{
    (void)state;
    static const struct {
        const char *tenant, *provider, *region;
        const char *second; /* the agent's tenant */
        bool inside;
    } rows[] = {
        {"acme", "near", "eu", "acme", true},
        {"acme", "own", "eu", "acme", true},
        {"acme", "", "", "acme", true},       /* nothing leaves */
        {"acme", "far", "us", "acme", false}, /* acme is of the eu */
        {"acme", "near", "us", "acme", false},
        {"acme", "elsewhere", "eu", "acme", false},
        {"acme", "near", "eu", "other", false},
        {"other", "near", "eu", "acme", false},
        {"", "near", "eu", "acme", false},
    };
    struct rules *r = make(&(
        struct files){.policies = {ALL}, .shadow = {ALL}, .has_shadow = true});
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct chain c = alice_and_agent();
        struct rules_request q = request(&c);
        c.links[1].who.tenant = str_from(rows[i].second);
        q.tenant = str_from(rows[i].tenant);
        q.destination.provider = str_from(rows[i].provider);
        q.destination.region = str_from(rows[i].region);
        struct rules_answer a = ask(r, &q);
        assert_int_equal(a.decision.effect,
                         rows[i].inside ? DECISION_ALLOW : DECISION_DENY);
        if (!rows[i].inside) {
            assert_int_equal(a.denied_link, -1);
            check_ids(&a.decision, "tenants");
            check_ids(&a.shadow.decision, "tenants");
        }
    }
    rules_unref(r);
}

static void test_rule_01_history_never_permits(void **state)
{
    (void)state;
    static const struct {
        const char *policy;
        enum decision_effect with, without;
    } rows[] = {
        {HOLDS("context.chain.history.contains(\"x\")"), DECISION_DENY,
         DECISION_DENY},
        {"permit(principal, action, resource) unless { "
         "context.chain.history.contains(\"x\") };",
         DECISION_DENY, DECISION_ALLOW},
        {ALL "forbid(principal, action, resource) when { "
             "context.chain.history.contains(\"x\") };",
         DECISION_DENY, DECISION_ALLOW},
        {ALL "forbid(principal, action, resource) unless { "
             "context.chain.history.contains(\"x\") };",
         DECISION_DENY, DECISION_DENY},
        {ALL, DECISION_ALLOW, DECISION_ALLOW},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rules *r = make_one(rows[i].policy);
        struct chain c = alice_and_agent();
        struct rules_request q = request(&c);
        assert_int_equal(ask(r, &q).decision.effect, rows[i].without);
        c.history[c.history_count++] = STR("x");
        assert_int_equal(ask(r, &q).decision.effect, rows[i].with);
        rules_unref(r);
    }
}

static void test_rule_05_purpose_is_what_is_registered(void **state)
{
    (void)state;
    struct rules *r =
        make_one("permit(principal is Writ::User, action, resource);"
                 "permit(principal is Writ::Agent, action, resource) when { "
                 "context.purpose == \"review\" && "
                 "principal.purposes.contains(context.purpose) };");
    struct chain c = alice_and_agent();
    struct rules_request q = request(&c);
    assert_int_equal(ask(r, &q).decision.effect, DECISION_ALLOW);
    q.purpose = STR("other");
    assert_int_equal(ask(r, &q).decision.effect, DECISION_DENY);
    q.purpose = STR("");
    assert_int_equal(ask(r, &q).decision.effect, DECISION_DENY);
    rules_unref(r);
}

static void test_policies_see_the_whole_vocabulary(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "principal.tenant == \"acme\"",
        "context.link.index == 1 || principal.issuer == \"okta\"",
        "context.link.index == 1 || principal.kind == \"human\"",
        "context.link.index == 0 || principal.kind == \"agent\"",
        "context.link.index == 0 || principal.name == \"bot\"",
        "context.link.index == 0 || principal.owner == \"okta|alice\"",
        "context.link.index == 1 || !(principal has owner)",
        "context.link.index == 0 || principal.purposes.contains(\"test\")",
        "context.link.index == 0 || principal.mode == \"delegated\"",
        "context.link.index == 0 || principal.risk.containsAll([\"read\", "
        "\"write\"]) && !principal.risk.contains(\"admin\")",
        "principal.state == \"active\"",
        "context.link.index == 1 || principal in "
        "Writ::Group::\"okta|staff\" && principal in Writ::Group::\"okta|eng\"",
        "!(principal in Writ::Group::\"keys|staff\")",
        "principal in Writ::Tenant::\"acme\"",
        "resource.name == \"small\"",
        "context.tenant == \"acme\"",
        "context.destination == {provider: \"near\", host: \"api.example\", "
        "region: \"eu\"}",
        "context.labels.isEmpty()",
        "!(context has session) && !(context has task)",
        "context.chain.depth == 2 && context.chain.supervised",
        "context.chain.root == Writ::User::\"okta|alice\"",
        "context.chain.root.kind == \"human\"",
        "context.chain.members.contains(Writ::Agent::\"acme/bot\")",
        "context.chain.history.isEmpty()",
        "context.link.role == (if context.link.index == 0 then \"subject\" "
        "else \"actor\")",
        "context.link.index == 1 || context.auth.acr == \"phr\" && "
        "context.auth.age == 60 && context.auth.method == \"jwt\"",
        "context.link.index == 0 || !(context.auth has acr) && "
        "!(context.auth has age) && !context.auth.bound",
        "context.estimate.tokens == 100",
        "context.time == datetime(\"2025-11-20T00:53:20Z\")",
        "context.ip.isInRange(ip(\"192.0.2.0/24\"))",
        "action == Writ::Action::\"model:invoke\"",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char policy[512];
        (void)snprintf(policy, sizeof(policy),
                       "permit(principal, action, resource) when { %s };",
                       rows[i]);
        struct rules_answer a = decide(policy);
        if (a.decision.effect != DECISION_ALLOW)
            print_error("not so (link %d): %s\n", a.denied_link, rows[i]);
        assert_int_equal(a.decision.effect, DECISION_ALLOW);
        assert_int_equal(a.decision.errors, 0);
    }
}

static void test_a_session_and_labels_are_facts_or_are_not_there(void **state)
{
    (void)state;
    const struct labels some = {.names = {STR("private")}, .count = 1};
    const struct labels every = {.all = true};
    const struct labels none = {.count = 0};
    const struct rules_session session = {.calls = 3,
                                          .tokens = UINT64_MAX,
                                          .age_ms = 61500,
                                          .labels = &some};
    struct chain c = alice_and_agent();
    struct rules_request q = request(&c);
    q.session = &session;
    q.labels = &some;
    q.ip = STR("::ffff:192.0.2.7");
    struct rules *r = make_one(
        HOLDS("context.session.calls == 3 && context.session.age == 61 && "
              "context.session.tokens == 9223372036854775807 && "
              "context.session.labels == context.labels && "
              "context.labels == [\"private\"] && context.ip.isIpv4()"));
    assert_int_equal(ask(r, &q).decision.effect, DECISION_ALLOW);
    rules_unref(r);

    /* Every label: a forbid that asks denies, a permit does not apply. */
    q.labels = &every;
    r = make_one(ALL "forbid(principal, action, resource) when { "
                     "context.labels.contains(\"any\") };");
    assert_int_equal(ask(r, &q).decision.effect, DECISION_DENY);
    rules_unref(r);
    r = make_one("permit(principal, action, resource) unless { "
                 "context.labels.contains(\"any\") };");
    assert_int_equal(ask(r, &q).decision.effect, DECISION_DENY);
    q.labels = NULL; /* not known: the same */
    assert_int_equal(ask(r, &q).decision.effect, DECISION_DENY);
    q.labels = &none;
    assert_int_equal(ask(r, &q).decision.effect, DECISION_ALLOW);
    q.ip = STR("not an address");
    assert_int_equal(ask(r, &q).decision.effect, DECISION_ALLOW);
    rules_unref(r);
}

static void test_one_identity_twice_keeps_each_credentials_groups(void **state)
{
    (void)state;
    struct rules *r = make_one(
        "permit(principal in Writ::Group::\"okta|staff\", action, resource);");
    struct chain c = alice_and_agent();
    struct rules_request q = request(&c);
    c.links[1] = c.links[0];
    c.links[1].role = LINK_PRESENTER;
    assert_int_equal(ask(r, &q).decision.effect, DECISION_ALLOW);
    c.links[1].group_count = 0;
    struct rules_answer a = ask(r, &q);
    assert_int_equal(a.decision.effect, DECISION_DENY);
    assert_int_equal(a.denied_link, 1);
    rules_unref(r);
}

static void test_entities_of_files_group_and_describe_models(void **state)
{
    (void)state;
    struct rules *r = make(&(struct files){
        .policies = {"permit(principal, action, resource in "
                     "Writ::ModelGroup::\"cheap\") when { resource.tier == 1 "
                     "&& resource.name == \"small\" };"},
        .entities = {
            "[{\"uid\":{\"type\":\"Writ::Model\",\"id\":\"small\"},"
            "\"attrs\":{\"tier\":1},\"parents\":[{\"type\":"
            "\"Writ::ModelGroup\",\"id\":\"tiny\"}]}]",
            " [ {\"uid\":{\"__entity\":{\"type\":\"Writ::ModelGroup\",\"id\":"
            "\"tiny\"}},\"attrs\":{},\"parents\":[{\"type\":"
            "\"Writ::ModelGroup\",\"id\":\"cheap\"}]} ] "}});
    struct chain c = alice_and_agent();
    struct rules_request q = request(&c);
    assert_int_equal(ask(r, &q).decision.effect, DECISION_ALLOW);
    q.resource = STR("big");
    assert_int_equal(ask(r, &q).decision.effect, DECISION_DENY);
    q.resource_type = STR("Tool"); /* known to nobody */
    assert_int_equal(ask(r, &q).decision.effect, DECISION_DENY);
    q.resource_type = STR("");
    assert_int_equal(ask(r, &q).decision.effect, DECISION_DENY);
    rules_unref(r);
    r = make_one(
        HOLDS("resource.name == \"crm/get\" && resource is Writ::Tool"));
    q.resource_type = STR("Tool");
    q.resource = STR("crm/get");
    assert_int_equal(ask(r, &q).decision.effect, DECISION_ALLOW);
    rules_unref(r);
}

static void test_only_groups_that_are_spoken_of_count(void **state)
{
    (void)state;
    /* By a literal, by one with an escape, by an attribute of an entity. */
    static const struct files rows[] = {
        {.policies = {HOLDS("context.link.index == 1 || principal in "
                            "Writ :: Group::\"okta|eng\"")}},
        {.policies = {HOLDS("context.link.index == 1 || principal in "
                            "Writ::Group::\"okta|\\u{65}ng\"")}},
        {.policies = {HOLDS("context.link.index == 1 || principal in "
                            "resource.staff")},
         .entities = {"[{\"uid\":{\"type\":\"Writ::Model\",\"id\":\"small\"},"
                      "\"parents\":[],\"attrs\":{\"staff\":[{\"__entity\":"
                      "{\"type\":\"Writ::Group\",\"id\":\"okta|eng\"}}]}}]"}},
        {.policies = {HOLDS("context.link.index == 1 || principal in "
                            "resource")},
         .entities = {"[{\"uid\":{\"type\":\"Writ::Model\",\"id\":\"other\"},"
                      "\"attrs\":{},\"parents\":[{\"type\":\"Writ::Group\","
                      "\"id\":\"okta|staff\"}]}]"}},
    };
    struct str many[300];
    char names_of[300][16];
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        (void)snprintf(names_of[i], sizeof(names_of[i]), "group%zu", i);
        many[i] = str_from(names_of[i]);
    }
    many[298] = many[297] = many[296]; /* nobody is in a group twice */
    many[299] = STR("eng");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rules *r = make(&rows[i]);
        struct chain c = alice_and_agent();
        struct rules_request q = request(&c);
        bool last = i == ARRAY_LEN(rows) - 1; /* a model is no group */
        assert_int_equal(ask(r, &q).decision.effect,
                         last ? DECISION_DENY : DECISION_ALLOW);
        c.links[0].groups = many;
        c.links[0].group_count = ARRAY_LEN(many);
        assert_int_equal(ask(r, &q).decision.effect,
                         last ? DECISION_DENY : DECISION_ALLOW);
        c.links[0].group_count = ARRAY_LEN(many) - 1;
        assert_int_equal(ask(r, &q).decision.effect, DECISION_DENY);
        rules_unref(r);
    }
}

static void test_memory_that_runs_out_denies(void **state)
{
    (void)state;
    static struct str many[60000]; /* more than a request may have */
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = STR("a group with a name");
    struct rules *r = make_one(
        ALL "forbid(principal in Writ::Group::\"\\u{65}\", action, resource);");
    struct chain c = alice_and_agent();
    struct rules_request q = request(&c);
    assert_int_equal(ask(r, &q).decision.effect, DECISION_ALLOW);
    c.links[0].groups = many;
    c.links[0].group_count = ARRAY_LEN(many);
    assert_int_equal(ask(r, &q).decision.effect, DECISION_DENY);
    rules_unref(r);
}

struct broken {
    struct files files;
    const char *want; /* file:line:column: text */
};

static void check_broken(const struct broken *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct rules_errors errors;
        struct rules *r = NULL;
        char got[RULES_TEXT_MAX + 64];
        struct buf text;
        assert_int_equal(try(&rows[i].files, &errors, &r), ERR_CONFIG);
        assert_null(r);
        assert_true(errors.count > 0);
        const struct rules_error *e = &errors.at[0];
        buf_init_lent(&text, got, sizeof(got));
        buf_addf(&text, "%.*s:%u:%u: %s", STR_FMT(e->file), e->line, e->column,
                 e->text);
        assert_true(buf_add_char(&text, '\0'));
        assert_string_equal(got, rows[i].want);
    }
}

static void test_slips_are_refused_where_they_stand(void **state)
{
    (void)state;
    static const struct broken rows[] = {
        {{.policies = {ALL "\npermit(principal, action, );"}},
         "a.cedar:2:27: expected 'resource', found )"},
        {{.policies = {ALL, ALL "\n permit(principal, action, resource)"}},
         "b.cedar:2:37: expected ';', found the end"},
        {{.policies = {"permit(principal is Writ::Usr, action, resource);"}},
         "a.cedar:1:21: there is no entity type Writ::Usr; did you mean "
         "Writ::User?"},
        {{.policies = {"permit(principal == User::\"a\", action, resource);"}},
         "a.cedar:1:21: there is no entity type User; did you mean "
         "Writ::User?"},
        {{.policies = {"permit(principal, action, resource in\n"
                       "  writ::Model::\"a\");"}},
         "a.cedar:2:3: there is no entity type writ::Model; did you mean "
         "Writ::Model?"},
        {{.policies = {HOLDS("resource is Writ::Spaceship")}},
         "a.cedar:1:55: there is no entity type Writ::Spaceship"},
        {{.policies = {HOLDS("\n principal in Writ :: Modle::\"User::\"")}},
         "a.cedar:2:15: there is no entity type Writ::Modle; did you mean "
         "Writ::Model?"},
        {{.policies = {"permit(principal, action in "
                       "[Writ::Action::\"model:embed\", "
                       "Writ::Action::\"model:invok\"], resource);"}},
         "a.cedar:1:73: there is no action \"model:invok\"; did you mean "
         "\"model:invoke\"?"},
        {{.policies = {"permit(principal, action == Writ::Action::\"fly\", "
                       "resource);"}},
         "a.cedar:1:43: there is no action \"fly\""},
        {{.policies = {"@x_note(\"fine\") @ide(\"a\") " ALL}},
         "a.cedar:1:18: @ide is no annotation; there are id, owner, approval "
         "and those that begin with x_"},
        {{.policies = {ALL "\npermit(principal == ?principal, action, "
                           "resource);"}},
         "a.cedar:2:1: a template: policies with slots are not supported by "
         "this version"},
        {{.policies = {"@id(\"a\")" ALL, ALL "\n@id(\"a\")" ALL}},
         "b.cedar:2:1: there is a policy \"a\" already, at a.cedar:1"},
        {{.policies = {ALL, "@id(\"a.cedar#1\")" ALL}},
         "b.cedar:1:1: there is a policy \"a.cedar#1\" already, at a.cedar:1"},
        {{.policies = {"@id(\"tenants\")" ALL}},
         "a.cedar:1:1: @id(\"tenants\") is the name of the fence of tenants"},
        {{.policies = {"@id(\"\")" ALL}},
         "a.cedar:1:1: an @id has 1 to 128 characters"},
        {{.policies = {"@id(\"a\\nb\")" ALL}},
         "a.cedar:1:1: an @id cannot have control characters"},
        {{.policies = {ALL},
          .shadow = {"@ttl(\"60s\")" ALL},
          .has_shadow = true},
         "a.cedar:1:2: @ttl: obligations are not supported by this version"},
    };
    check_broken(rows, ARRAY_LEN(rows));
}

#define ENTITY(type, id)                                                       \
    "{\"uid\":{\"type\":\"" type "\",\"id\":\"" id                             \
    "\"},\"attrs\":{},\"parents\":[]}"
#define NOT_YOURS                                                              \
    " cannot be given in a file: it comes from the registry, the "             \
    "configuration or a token"

static void
test_rule_03_entity_files_cannot_redefine_what_is_proven(void **state)
{
    (void)state;
    static const struct broken rows[] = {
        {{.entities = {"[" ENTITY("Writ::User", "okta|a") "]"}},
         "a.json:1:2: Writ::User::\"okta|a\"" NOT_YOURS},
        {{.entities = {"[]", "[\n " ENTITY("Writ::Model", "m") ",\n  " ENTITY(
                                 "Writ::Agent", "acme/bot") "]"}},
         "b.json:3:3: Writ::Agent::\"acme/bot\"" NOT_YOURS},
        {{.entities = {"[" ENTITY("Writ::Application", "okta|a") "]"}},
         "a.json:1:2: Writ::Application::\"okta|a\"" NOT_YOURS},
        {{.entities = {"[" ENTITY("Writ::Workload", "spiffe://x") "]"}},
         "a.json:1:2: Writ::Workload::\"spiffe://x\"" NOT_YOURS},
        {{.entities = {"[" ENTITY("Writ::Tenant", "acme") "]"}},
         "a.json:1:2: Writ::Tenant::\"acme\"" NOT_YOURS},
        {{.entities = {"[" ENTITY("Writ::Group", "okta|staff") "]"}},
         "a.json:1:2: Writ::Group::\"okta|staff\"" NOT_YOURS},
        {{.entities = {"[" ENTITY("Writ::Action", "model:invoke") "]"}},
         "a.json:1:2: Writ::Action::\"model:invoke\"" NOT_YOURS},
        {{.entities = {"[{\"uid\":{\"type\":\"Writ::Model\",\"id\":\"m\"},"
                       "\"attrs\":{},\"parents\":[{\"type\":\"Writ::User\","
                       "\"id\":\"okta|a\"}]}]"}},
         "a.json:1:2: nothing can be a member of a Writ::User"},
        {{.entities = {"[" ENTITY("Writ::Modle", "m") "]"}},
         "a.json:1:2: there is no entity type Writ::Modle; did you mean "
         "Writ::Model?"},
        {{.entities = {"[\n" ENTITY("Writ::Model", "m") ",\n" ENTITY("Model",
                                                                     "m") "]"}},
         "a.json:3:1: there is no entity type Model; did you mean "
         "Writ::Model?"},
        {{.entities = {"[\n {\"uid\" 1}]"}},
         "a.json:2:9: unexpected character, expected a colon after object key"},
        {{.entities = {"[" ENTITY("Acme::A", "m") ", \n {\"uid\":{\"type\":"
                                                  "\"Acme::A\",\"id\":\"x\"},"
                                                  "\"attrs\":[]}]"}},
         "a.json:2:2: Acme::A::\"x\": attrs has to be an object"},
        {{.entities = {"[" ENTITY("Acme::A", "m") "]",
                       "[{\"uid\":{\"type\":\"Acme::A\",\"id\":\"m\"},"
                       "\"attrs\":{\"a\":1},\"parents\":[]}]"}},
         "b.json:0:0: Acme::A::\"m\" is there twice, with differences"},
    };
    check_broken(rows, ARRAY_LEN(rows));
    /* What is not proven is the operator's. */
    rules_unref(make(&(struct files){
        .entities = {"[" ENTITY("Writ::Group", "reviewers") "," ENTITY(
            "Acme::User", "a") "]"}}));
}

static void test_more_errors_than_fit_are_counted(void **state)
{
    (void)state;
    char text[4096] = "";
    size_t len = 0;
    for (unsigned i = 0; i < RULES_ERRORS_MAX + 5; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "@no %s", ALL);
    struct rules_errors errors;
    struct rules *r = NULL;
    const struct files f = {.policies = {text}};
    assert_int_equal(try(&f, &errors, &r), ERR_CONFIG);
    assert_int_equal(errors.count, RULES_ERRORS_MAX);
    assert_int_equal(errors.more, 5);
}

static void test_the_digest_covers_everything_loaded(void **state)
{
    (void)state;
    static const struct files rows[] = {
        {.policies = {ALL}},
        {.policies = {ALL " "}},
        {.policies = {ALL, ""}},
        {.shadow = {ALL}, .has_shadow = true},
        {.policies = {ALL}, .has_shadow = true},
        {.policies = {ALL}, .entities = {"[]"}},
        {.policies = {NULL}},
    };
    struct hash got[ARRAY_LEN(rows)];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rules *r = make(&rows[i]);
        struct rules *same = rules_ref(make(&rows[i]));
        got[i] = rules_digest(r);
        struct hash again = rules_digest(same);
        assert_memory_equal(got[i].bytes, again.bytes, HASH_LEN);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(got[i].bytes, got[j].bytes, HASH_LEN);
        rules_unref(r);
        rules_unref(same);
        rules_unref(same);
    }
    rules_unref(NULL);
    rules_evaluator_free(NULL);
}

static void test_reasons_are_given_link_by_link(void **state)
{
    (void)state;
    struct rules *r = make(&(struct files){
        .policies = {"// one\n@id(\"people\")\npermit(principal is "
                     "Writ::User, action, resource);",
                     "\n\nforbid(principal is Writ::Agent, action, resource)\n"
                     "  when { context.task == \"t\" };" ALL},
        .shadow = {ALL},
        .has_shadow = true});
    struct rules_evaluator *v = NULL;
    struct rules_explanation x;
    struct arena a;
    struct chain c = alice_and_agent();
    struct rules_request q = request(&c);
    arena_init(&a, 1 << 20);
    assert_int_equal(rules_evaluator_new(&v), ERR_OK);
    assert_int_equal(rules_explain(r, v, &q, &a, &x), ERR_OK);
    assert_int_equal(x.link_count, 2);
    assert_int_equal(x.live[0].effect, DECISION_ALLOW);
    assert_int_equal(x.live[1].effect, DECISION_DENY);
    assert_int_equal(x.live[0].reason_count, 2);
    const struct rules_reason *people = &x.live[0].reasons[0];
    assert_true(str_eq(people->policy, STR("people")));
    assert_true(str_eq(people->file, STR("a.cedar")));
    assert_int_equal(people->line, 2);
    assert_true(people->is_permit);
    assert_int_equal(x.live[1].fault_count, 1);
    const struct rules_reason *erred = &x.live[1].faults[0];
    assert_true(str_eq(erred->policy, STR("b.cedar#1")));
    assert_int_equal(erred->line, 3);
    assert_int_equal(erred->fault_line, 4);
    assert_int_equal(erred->fault_column, 18);
    assert_true(erred->fault.len > 0 && !erred->is_permit);
    assert_int_equal(x.shadow[1].effect, DECISION_ALLOW);
    assert_int_equal(x.answer.decision.effect, DECISION_DENY);
    q.tenant = STR("other");
    assert_int_equal(rules_explain(r, v, &q, &a, &x), ERR_OK);
    assert_true(x.by_fence);
    assert_int_equal(x.link_count, 0);
    arena_release(&a);
    rules_evaluator_free(v);
    rules_unref(r);
}

static void test_what_nobody_knows_is_warned_of(void **state)
{
    (void)state;
    struct rules_file policy = {
        STR("a.cedar"),
        STR("permit(principal in Writ::Tenant::\"acm\", action, resource == "
            "Writ::Model::\"smal\");\n"
            "permit(principal in Writ::Tenant::\"acme\", action, resource in "
            "Writ::ModelGroup::\"none\") when { resource == "
            "Writ::Model::\"big\" };")};
    const struct rules_sources from = {.policies = &policy, .policy_count = 1};
    static const char *const want[] = {
        "nothing is known of Tenant \"acm\"",
        "nothing is known of Model \"smal\"; did you mean \"small\"?",
        "nothing is known of ModelGroup \"none\"",
    };
    static const unsigned columns[] = {35, 75, 81};
    struct rules_errors found;
    struct rules *r = NULL;
    assert_int_equal(rules_new(&settings, &from, &found, &r), ERR_OK);
    rules_warnings(r, &from, &found);
    assert_int_equal(found.count, ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_string_equal(found.at[i].text, want[i]);
        assert_int_equal(found.at[i].line, i == 2 ? 2 : 1);
        assert_int_equal(found.at[i].column, columns[i]);
    }
    rules_unref(r);
}

static void test_without_a_configuration_the_fence_is_one_tenant(void **state)
{
    (void)state;
    const struct rules_file policy = {STR("a.cedar"), STR(ALL)};
    const struct rules_sources from = {.policies = &policy, .policy_count = 1};
    struct rules_errors errors;
    struct rules *r = NULL;
    struct chain c = alice_and_agent();
    struct rules_request q = request(&c);
    assert_int_equal(rules_new(NULL, &from, &errors, &r), ERR_OK);
    q.destination = (struct rules_destination){STR("x"), STR("y"), STR("z")};
    assert_int_equal(ask(r, &q).decision.effect, DECISION_ALLOW);
    c.links[1].who.tenant = STR("other");
    assert_int_equal(ask(r, &q).decision.effect, DECISION_DENY);
    rules_unref(r);
}

static void test_the_page_has_every_word_of_the_vocabulary(void **state)
{
    (void)state;
    static char page[64 * 1024];
    FILE *f = fopen(TEST_SOURCE_DIR "/docs/policy.md", "r");
    assert_non_null(f);
    size_t len = fread(page, 1, sizeof(page) - 1, f);
    (void)fclose(f);
    assert_true(len > 0 && len < sizeof(page) - 1);
    for (unsigned i = 1; i < ACTION_COUNT; i++) {
        struct str name = action_kind_name((enum action_kind)i);
        char word[64];
        (void)snprintf(word, sizeof(word), "`%s`", name.ptr);
        assert_non_null(strstr(page, word));
    }
    for (unsigned s = 0; s < RULES_SHAPES_COUNT; s++) {
        struct str name;
        for (size_t n = 0;
             (name = rules_shapes_member((enum rules_shape)s, n)).len > 0; n++)
            assert_non_null(strstr(page, name.ptr));
    }
}

static unsigned long allocations;

static void count_malloc(const volatile void *p, size_t size)
{
    (void)p;
    (void)size;
    allocations++;
}

static void no_free(const volatile void *p)
{
    (void)p;
}

static void test_a_warm_decision_allocates_nothing(void **state)
{
    (void)state;
    struct rules_evaluator *v = NULL;
    struct rules_answer a;
    struct rules *r =
        make(&(struct files){.policies = {ALL HOLDS("context.task == \"t\"")},
                             .shadow = {ALL},
                             .has_shadow = true});
    struct chain c = alice_and_agent();
    struct rules_request q = request(&c);
    c.links[2] = c.links[0];
    c.links[2].group_count = 1;
    c.count = 3;
    c.history[c.history_count++] = STR("x");
    q.resource = STR("unknown");
    assert_int_equal(rules_evaluator_new(&v), ERR_OK);
    rules_decide(r, v, &q, &a);
    if (install_hooks != NULL && install_hooks(count_malloc, no_free) > 0) {
        allocations = 0;
        for (unsigned i = 0; i < 100; i++)
            rules_decide(r, v, &q, &a);
        unsigned long counted = allocations;
        assert_int_equal(counted, 0);
    }
    assert_int_equal(a.decision.effect, DECISION_ALLOW);
    rules_evaluator_free(v);
    rules_unref(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_no_policy_permits_is_denied),
        cmocka_unit_test(test_rule_02_every_link_decides),
        cmocka_unit_test(test_a_forbid_beats_every_permit),
        cmocka_unit_test(test_a_forbid_that_errs_denies),
        cmocka_unit_test(test_a_permit_that_errs_is_skipped),
        cmocka_unit_test(test_a_shadow_only_says_what_it_would_have),
        cmocka_unit_test(test_the_fence_stands_before_policy),
        cmocka_unit_test(test_rule_01_history_never_permits),
        cmocka_unit_test(test_rule_05_purpose_is_what_is_registered),
        cmocka_unit_test(test_policies_see_the_whole_vocabulary),
        cmocka_unit_test(test_a_session_and_labels_are_facts_or_are_not_there),
        cmocka_unit_test(test_one_identity_twice_keeps_each_credentials_groups),
        cmocka_unit_test(test_entities_of_files_group_and_describe_models),
        cmocka_unit_test(test_only_groups_that_are_spoken_of_count),
        cmocka_unit_test(test_memory_that_runs_out_denies),
        cmocka_unit_test(test_slips_are_refused_where_they_stand),
        cmocka_unit_test(
            test_rule_03_entity_files_cannot_redefine_what_is_proven),
        cmocka_unit_test(test_more_errors_than_fit_are_counted),
        cmocka_unit_test(test_the_digest_covers_everything_loaded),
        cmocka_unit_test(test_reasons_are_given_link_by_link),
        cmocka_unit_test(test_what_nobody_knows_is_warned_of),
        cmocka_unit_test(test_without_a_configuration_the_fence_is_one_tenant),
        cmocka_unit_test(test_the_page_has_every_word_of_the_vocabulary),
        cmocka_unit_test(test_a_warm_decision_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
