/* layers: app */
/* Property: whatever the text, a question that was read is one that can be
 * asked: its chain is complete, points into itself, and gets an answer. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "app/policy_case.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct tool_server_settings tools[] = {
    {.name = STR_INIT("files"), .region = STR_INIT("eu")}};
static const struct settings settings = {.tools = tools, .tool_count = 1};

struct asking {
    struct rules *rules;
    struct rules_evaluator *evaluator;
};

/* Made once; whoever ends the process frees it. */
static const struct asking *get_asking(void)
{
    static struct asking one;
    static const struct rules_file policy = {
        STR_INIT("a.cedar"),
        STR_INIT("permit(principal, action, resource) when { "
                 "context.labels.isEmpty() || context.session.calls < 3 || "
                 "principal.risk.contains(\"read\") };"
                 "@id(\"a\") @approval(\"g\") forbid(principal, action, "
                 "resource) when { context has input && context.input has a "
                 "};")};
    const struct rules_sources from = {.policies = &policy, .policy_count = 1};
    struct rules_errors errors;
    if (one.rules == NULL &&
        (rules_new(NULL, &from, &errors, &one.rules) != ERR_OK ||
         rules_evaluator_new(&one.evaluator) != ERR_OK))
        abort();
    return &one;
}

static void check(const struct policy_case *c)
{
    const struct asking *asking = get_asking();
    struct rules_answer a;
    assert(c->request.chain == &c->chain && c->request.links == c->links);
    assert(c->chain.count >= 1 && c->chain.count <= CHAIN_LINKS_MAX);
    assert(c->chain.history_count <= CHAIN_LINKS_MAX);
    assert(c->request.action != ACTION_NONE && c->request.resource.len > 0);
    for (unsigned i = 0; i < c->chain.count; i++) {
        const struct link *l = &c->chain.links[i];
        assert(l->who.kind != PRINCIPAL_NONE && l->role != LINK_NONE);
        assert(l->who.id.len > 0 && l->who.tenant.len > 0);
        assert(l->method != AUTH_NONE);
    }
    const struct rules_tool *t = c->request.tool;
    assert(t == NULL || (t == &c->tool && t->server.len > 0 && t->risk != 0));
    assert(c->request.action != ACTION_TOOL_CALL || c->request.risk != 0);
    rules_decide(asking->rules, asking->evaluator, &c->request, &a);
    assert(a.decision.effect == DECISION_ALLOW ||
           a.decision.effect == DECISION_DENY ||
           (a.decision.effect == DECISION_DEFER &&
            a.decision.approval_count == 1 && t->arguments != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 64 * KIB)
        return 0;
    const struct rules_file file = {STR("t.test.yaml"),
                                    {(const char *)data, size}};
    const struct policy_case_source source = {.file = file,
                                              .settings = &settings};
    struct rules_errors errors = {.count = 0};
    struct policy_cases cases = {NULL, 0};
    const struct policy_case *one = NULL;
    struct arena a;
    arena_init(&a, 64 * MIB);
    enum err e = policy_case_read(&a, &settings, &file, &errors, &cases);
    assert((e == ERR_CONFIG) == (errors.count > 0));
    for (size_t i = 0; e == ERR_OK && i < cases.count; i++) {
        check(&cases.at[i]);
        assert(cases.at[i].has_expect && cases.at[i].line > 0);
    }
    for (size_t i = 0; i < errors.count; i++)
        assert(errors.at[i].text[0] != '\0');
    errors.count = 0;
    errors.more = 0;
    if (policy_case_read_one(&a, &source, &errors, &one) == ERR_OK)
        check(one);
    arena_release(&a);
    return 0;
}
