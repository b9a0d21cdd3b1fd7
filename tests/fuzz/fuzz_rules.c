/* layers: policy */
/* Property: a load succeeds, or says what is wrong at a place that the file
 * has; what was loaded denies what no policy of it can permit, and asks no
 * two times for the same approval.  Whatever the arguments of a tool and
 * their schema, it is known whether policies see all of them. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/limits.h"
#include "codec/json.h"
#include "domain/risk.h"
#include "policy/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct model_settings models[] = {{.name = STR_INIT("small")}};
static const struct tenant_settings tenants[] = {{.name = STR_INIT("acme")}};
static const struct tool_server_settings tools[] = {
    {.name = STR_INIT("files")}};
static const struct approval_group_settings groups[] = {
    {.name = STR_INIT("finance")}, {.name = STR_INIT("legal")}};
static const struct settings settings = {
    .models = models,
    .model_count = 1,
    .tenants = tenants,
    .tenant_count = 1,
    .tools = tools,
    .tool_count = 1,
    .approvals = {.groups = groups, .group_count = 2},
};

static void check_errors(const struct rules_file *file,
                         const struct rules_errors *errors)
{
    unsigned lines = 1;
    for (size_t i = 0; i < file->text.len; i++)
        lines += file->text.ptr[i] == '\n';
    assert(errors->count > 0 && errors->count <= RULES_ERRORS_MAX);
    for (size_t i = 0; i < errors->count; i++) {
        const struct rules_error *e = &errors->at[i];
        assert(e->line <= lines && (e->line == 0 || e->column > 0));
        assert(e->text[0] != 0 && memchr(e->text, 0, sizeof(e->text)) != NULL);
    }
}

/* An agent that may read. */
struct asking {
    struct chain chain;
    struct rules_link link;
    struct rules_tool tool;
    struct rules_request request;
};

static void begin(struct asking *k)
{
    *k = (struct asking){
        .chain = {.links = {{.role = LINK_PRESENTER,
                             .who = {PRINCIPAL_AGENT, STR("keys"),
                                     STR("acme/bot"), STR("acme")},
                             .method = AUTH_API_KEY}},
                  .count = 1},
        .link = {.name = STR("bot"), .risk = RISK_READ},
        .tool = {.server = STR("files"),
                 .name = STR("read"),
                 .risk = RISK_READ,
                 .pinned = true},
    };
    k->request = (struct rules_request){.chain = &k->chain,
                                        .links = &k->link,
                                        .action = ACTION_MODEL_INVOKE,
                                        .resource_type = STR("Model"),
                                        .resource = STR("small"),
                                        .tenant = STR("acme"),
                                        .risk = RISK_READ};
}

static void call(struct asking *k)
{
    k->request.action = ACTION_TOOL_CALL;
    k->request.resource_type = STR("Tool");
    k->request.resource = STR("files/read");
    k->request.tool = &k->tool;
}

/* What was lifted is not asked for again, and what is left is still asked. */
static void lift(const struct rules *r, struct rules_evaluator *v,
                 struct asking *k, const struct decision *first)
{
    struct str ids[DECISION_APPROVALS_MAX];
    const struct rules_lifted lifted = {ids, first->approval_count, NULL};
    struct rules_answer a;
    for (unsigned i = 0; i < first->approval_count; i++)
        ids[i] = first->approvals[i].policy;
    k->request.lifted = &lifted;
    rules_decide(r, v, &k->request, &a);
    assert(a.decision.effect == DECISION_ALLOW);
    k->request.lifted = NULL;
}

/* Nobody is of two tenants, nor above the ceiling; everybody else may get any
 * answer. */
static void ask(const struct rules *r, struct asking *k)
{
    struct rules_evaluator *v = NULL;
    struct rules_answer a;
    if (rules_evaluator_new(&v) != ERR_OK)
        return;
    rules_decide(r, v, &k->request, &a);
    assert(a.decision.effect == DECISION_DENY ||
           a.decision.policy_count > 0); /* some policy permits */
    assert((a.decision.effect == DECISION_DEFER) ==
           (a.decision.approval_count > 0));
    if (a.decision.effect == DECISION_DEFER)
        lift(r, v, k, &a.decision);
    k->request.risk = RISK_READ | RISK_ADMIN;
    rules_decide(r, v, &k->request, &a);
    assert(a.decision.effect == DECISION_DENY &&
           a.denied_link == RULES_DENIED_BY_CEILING);
    k->request.tenant = STR("other");
    rules_decide(r, v, &k->request, &a);
    assert(a.decision.effect == DECISION_DENY &&
           a.denied_link == RULES_DENIED_BY_FENCE);
    rules_evaluator_free(v);
}

/* A schema, a line end, and arguments. */
static void ask_with(struct str text)
{
    static const struct rules_file policy = {
        STR_INIT("file"),
        STR_INIT("permit(principal, action, resource) when { context has "
                 "input_opaque && (context.input_opaque || context has input) "
                 "};")};
    const struct rules_sources from = {.policies = &policy, .policy_count = 1};
    struct str schema = str_first(text, str_find(text, '\n'));
    struct rules_errors errors;
    struct rules_evaluator *v = NULL;
    struct rules *r = NULL;
    struct rules_answer a;
    struct asking k;
    struct arena room;
    begin(&k);
    call(&k);
    arena_init(&room, 64 * MIB);
    if (json_read(&room, schema, &k.tool.schema, NULL) != ERR_OK)
        k.tool.schema = NULL;
    bool is_json = json_read(&room, str_skip(text, schema.len + 1),
                             &k.tool.arguments, NULL) == ERR_OK;
    if (is_json && rules_evaluator_new(&v) == ERR_OK &&
        rules_new(&settings, &from, &errors, &r) == ERR_OK) {
        k.tool.element = json_at(k.tool.arguments, 0);
        rules_decide(r, v, &k.request, &a);
        assert(a.decision.effect == DECISION_ALLOW);
        assert(a.decision.errors == 0);
    }
    rules_unref(r);
    rules_evaluator_free(v);
    arena_release(&room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 64 * KIB)
        return 0;
    const struct rules_file file = {STR("file"),
                                    {(const char *)data + 1, size - 1}};
    struct asking model;
    struct asking tool;
    if (data[0] == 'i') {
        ask_with(file.text);
        return 0;
    }
    struct rules_sources from = {.has_shadow = data[0] == 's'};
    struct rules_errors errors;
    struct rules *r = NULL;
    if (data[0] == 'e') {
        from.entities = &file;
        from.entity_count = 1;
    } else {
        from.policies = &file;
        from.policy_count = 1;
    }
    enum err e = rules_new(&settings, &from, &errors, &r);
    assert(e == ERR_OK || e == ERR_CONFIG || e == ERR_NO_MEMORY);
    if (e == ERR_CONFIG)
        check_errors(&file, &errors);
    if (e == ERR_OK) {
        begin(&model);
        ask(r, &model);
        begin(&tool);
        call(&tool);
        ask(r, &tool);
        rules_warnings(r, &from, &errors);
        assert(errors.count == 0 || data[0] != 'e');
    }
    rules_unref(r);
    return 0;
}
