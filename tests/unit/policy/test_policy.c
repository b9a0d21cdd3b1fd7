/* Tests policy: exactly what the callers' lists name, within the fence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "codec/json.h"
#include "policy/policy.h"

enum { SMALL, BIG, EMBED };
static const struct model_settings models[] = {
    {.name = STR_INIT("small")},
    {.name = STR_INIT("big")},
    {.name = STR_INIT("embed")},
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
    {.name = STR_INIT("nowhere")},
};
static const size_t one[] = {SMALL};
static const size_t two[] = {SMALL, EMBED};
static const struct caller_settings callers[] = {
    {.name = STR_INIT("writer"),
     .tenant = 0,
     .kind = PRINCIPAL_AGENT,
     .models = two,
     .model_count = 2},
    {.name = STR_INIT("writer"),
     .tenant = 1,
     .kind = PRINCIPAL_AGENT,
     .models = one,
     .model_count = 1},
    {.name = STR_INIT("ann"),
     .tenant = 0,
     .kind = PRINCIPAL_USER,
     .models = one,
     .model_count = 1},
    {.name = STR_INIT("nobody"), .tenant = 0, .kind = PRINCIPAL_AGENT},
};
static const struct settings settings = {
    .models = models,
    .model_count = ARRAY_LEN(models),
    .tenants = tenants,
    .tenant_count = ARRAY_LEN(tenants),
    .providers = providers,
    .provider_count = ARRAY_LEN(providers),
    .callers = callers,
    .caller_count = ARRAY_LEN(callers),
};

static struct policy_set *make(const struct settings *s)
{
    struct policy_set *set = NULL;
    assert_int_equal(policy_set_new(s, &set), ERR_OK);
    return set;
}

#define WRITER {PRINCIPAL_AGENT, "acme/writer", "acme"}
#define OTHER {PRINCIPAL_AGENT, "other/writer", "other"}
#define ANN {PRINCIPAL_USER, "keys|ann", "acme"}
#define NOBODY {PRINCIPAL_AGENT, "acme/nobody", "acme"}
#define STRANGER {PRINCIPAL_AGENT, "acme/stranger", "acme"}

struct who {
    enum principal_kind kind;
    const char *id, *tenant;
};

struct question {
    struct who chain[3]; /* ends with no kind */
    enum action_kind action;
    const char *type, *resource, *tenant, *provider, *region;
    enum decision_effect effect;
    const char *policies; /* joined by a blank */
};

static struct decision ask(const struct policy_set *set,
                           const struct question *q)
{
    struct chain chain = {0};
    while (chain.count < 3 && q->chain[chain.count].kind != PRINCIPAL_NONE) {
        const struct who *w = &q->chain[chain.count];
        chain.links[chain.count++].who =
            (struct principal){.kind = w->kind,
                               .issuer = STR("keys"),
                               .id = str_from(w->id),
                               .tenant = str_from(w->tenant)};
    }
    const struct policy_request r = {
        .chain = &chain,
        .action = q->action,
        .resource_type = str_from(q->type),
        .resource = str_from(q->resource),
        .tenant = str_from(q->tenant),
        .destination = {.provider = str_from(q->provider),
                        .region = str_from(q->region)},
    };
    return policy_decide(set, &r);
}

static void check(const struct policy_set *set, const struct question *q,
                  size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char joined[256] = "";
        size_t len = 0;
        struct decision d = ask(set, &q[i]);
        for (unsigned p = 0; p < d.policy_count; p++)
            len +=
                (size_t)snprintf(joined + len, sizeof(joined) - len, "%s%.*s",
                                 p > 0 ? " " : "", STR_FMT(d.policies[p]));
        if (d.effect != q[i].effect || strcmp(joined, q[i].policies) != 0)
            print_error("case %zu: %d \"%s\"\n", i, (int)d.effect, joined);
        assert_int_equal(d.effect, q[i].effect);
        assert_string_equal(joined, q[i].policies);
        assert_int_equal(policy_is_fenced(&d),
                         strcmp(q[i].policies, "tenants") == 0);
        assert_true(str_eq(d.pdp, STR("writ")));
    }
}

/* clang-format off */
static const struct question by_lists[] = {
    {{WRITER}, ACTION_MODEL_INVOKE, "Model", "small", "acme", "near", "eu",
     DECISION_ALLOW, "callers/writer"},
    {{WRITER}, ACTION_MODEL_EMBED, "Model", "embed", "acme", "near", "eu",
     DECISION_ALLOW, "callers/writer"},
    {{WRITER}, ACTION_MODEL_INVOKE, "Model", "small", "acme", "", "",
     DECISION_ALLOW, "callers/writer"},
    {{WRITER}, ACTION_MODEL_INVOKE, "Model", "big", "acme", "near", "eu",
     DECISION_DENY, ""},
    {{WRITER}, ACTION_MODEL_INVOKE, "Model", "gone", "acme", "near", "eu",
     DECISION_DENY, ""},
    {{WRITER}, ACTION_MODEL_INVOKE, "Model", "", "acme", "near", "eu",
     DECISION_DENY, ""},
    {{WRITER}, ACTION_TOOL_CALL, "Model", "small", "acme", "near", "eu",
     DECISION_DENY, ""},
    {{WRITER}, ACTION_MODEL_INVOKE, "Tool", "small", "acme", "near", "eu",
     DECISION_DENY, ""},
    {{WRITER}, ACTION_NONE, "Model", "small", "acme", "near", "eu",
     DECISION_DENY, ""},
    {{ANN}, ACTION_MODEL_INVOKE, "Model", "embed", "acme", "near", "eu",
     DECISION_DENY, ""},
    {{NOBODY}, ACTION_MODEL_INVOKE, "Model", "small", "acme", "near", "eu",
     DECISION_DENY, ""},
    {{STRANGER}, ACTION_MODEL_INVOKE, "Model", "small", "acme", "near", "eu",
     DECISION_DENY, ""},
    /* the same id as another kind is another entity */
    {{{PRINCIPAL_USER, "acme/writer", "acme"}}, ACTION_MODEL_INVOKE, "Model",
     "small", "acme", "near", "eu",
     DECISION_DENY, ""},
};
/* clang-format on */

static void test_exactly_what_the_lists_name_is_permitted(void **state)
{
    (void)state;
    struct policy_set *set = make(&settings);
    check(set, by_lists, ARRAY_LEN(by_lists));
    policy_set_unref(set);
}

/* clang-format off */
static const struct question by_links[] = {
    {{ANN, WRITER}, ACTION_MODEL_INVOKE, "Model", "small", "acme", "near", "eu",
     DECISION_ALLOW, "callers/ann callers/writer"},
    {{ANN, WRITER}, ACTION_MODEL_EMBED, "Model", "embed", "acme", "near", "eu",
     DECISION_DENY, ""},
    /* she may not */
    {{WRITER, ANN}, ACTION_MODEL_EMBED, "Model", "embed", "acme", "near", "eu",
     DECISION_DENY, ""},
    {{ANN, STRANGER}, ACTION_MODEL_INVOKE, "Model", "small", "acme", "near",
     "eu",
     DECISION_DENY, ""},
};
/* clang-format on */

static void rule_02_every_link_decides(void **state)
{
    (void)state;
    struct policy_set *set = make(&settings);
    check(set, by_links, ARRAY_LEN(by_links));

    const struct policy_request nobody = {.chain = NULL};
    const struct chain empty = {0};
    const struct policy_request no_link = {.chain = &empty,
                                           .action = ACTION_MODEL_INVOKE,
                                           .resource_type = STR("Model"),
                                           .resource = STR("small"),
                                           .tenant = STR("acme")};
    assert_int_equal(policy_decide(set, &nobody).effect, DECISION_DENY);
    assert_int_equal(policy_decide(set, &no_link).effect, DECISION_DENY);
    policy_set_unref(set);
}

/* clang-format off */
static const struct question by_fence[] = {
    /* its region is not the tenant's */
    {{WRITER}, ACTION_MODEL_INVOKE, "Model", "small", "acme", "far", "us",
     DECISION_DENY, "tenants"},
    {{WRITER}, ACTION_MODEL_INVOKE, "Model", "small", "acme", "nowhere", "",
     DECISION_DENY, "tenants"},
    /* a tenant without regions may go anywhere that takes it */
    {{OTHER}, ACTION_MODEL_INVOKE, "Model", "small", "other", "far", "us",
     DECISION_ALLOW, "callers/writer"},
    {{OTHER}, ACTION_MODEL_INVOKE, "Model", "small", "other", "nowhere", "",
     DECISION_ALLOW, "callers/writer"},
    /* a provider of one tenant */
    {{WRITER}, ACTION_MODEL_INVOKE, "Model", "small", "acme", "own", "eu",
     DECISION_ALLOW, "callers/writer"},
    {{OTHER}, ACTION_MODEL_INVOKE, "Model", "small", "other", "own", "eu",
     DECISION_DENY, "tenants"},
    /* what is not configured is nowhere, and a region is not said */
    {{WRITER}, ACTION_MODEL_INVOKE, "Model", "small", "acme", "gone", "eu",
     DECISION_DENY, "tenants"},
    {{WRITER}, ACTION_MODEL_INVOKE, "Model", "small", "acme", "far", "eu",
     DECISION_DENY, "tenants"},
    /* one tenant all along the chain */
    {{ANN, OTHER}, ACTION_MODEL_INVOKE, "Model", "small", "acme", "near", "eu",
     DECISION_DENY, "tenants"},
    {{WRITER}, ACTION_MODEL_INVOKE, "Model", "small", "other", "near", "eu",
     DECISION_DENY, "tenants"},
    {{WRITER}, ACTION_MODEL_INVOKE, "Model", "small", "", "near", "eu",
     DECISION_DENY, "tenants"},
    /* nor does a link become another tenant's by saying so */
    {{{PRINCIPAL_AGENT, "acme/writer", "other"}}, ACTION_MODEL_INVOKE,
     "Model", "small", "other", "near", "eu",
     DECISION_DENY, ""},
};
/* clang-format on */

static void rule_32_tenants_are_a_wall_before_policy(void **state)
{
    (void)state;
    struct policy_set *set = make(&settings);
    check(set, by_fence, ARRAY_LEN(by_fence));
    policy_set_unref(set);
}

static void test_the_text_says_all_and_changes_with_the_set(void **state)
{
    (void)state;
    struct arena a;
    const struct json *v;
    struct policy_set *set = make(&settings);
    struct policy_set *same = make(&settings);
    struct settings changed = settings;
    changed.caller_count--;
    struct policy_set *other = make(&changed);
    arena_init(&a, MIB);
    assert_int_equal(json_read(&a, policy_set_text(set), &v, NULL), ERR_OK);
    assert_int_equal(json_count(json_get(v, STR("callers"))),
                     ARRAY_LEN(callers));
    assert_true(str_eq(policy_set_text(set), policy_set_text(same)));
    assert_false(str_eq(policy_set_text(set), policy_set_text(other)));
    arena_release(&a);

    assert_ptr_equal(policy_set_ref(set), set);
    policy_set_unref(set);
    assert_true(policy_set_text(set).len > 0); /* one reference is left */
    policy_set_unref(set);
    policy_set_unref(same);
    policy_set_unref(other);
    policy_set_unref(NULL);
}

static void test_an_empty_config_permits_nothing(void **state)
{
    (void)state;
    static const struct settings nothing;
    static const struct question q = {{WRITER}, ACTION_MODEL_INVOKE,
                                      "Model",  "small",
                                      "acme",   "",
                                      "",       DECISION_DENY,
                                      ""};
    struct policy_set *set = make(&nothing);
    check(set, &q, 1);
    policy_set_unref(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exactly_what_the_lists_name_is_permitted),
        cmocka_unit_test(rule_02_every_link_decides),
        cmocka_unit_test(rule_32_tenants_are_a_wall_before_policy),
        cmocka_unit_test(test_the_text_says_all_and_changes_with_the_set),
        cmocka_unit_test(test_an_empty_config_permits_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
