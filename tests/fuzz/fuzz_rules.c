/* layers: policy */
/* Property: a load succeeds, or says what is wrong at a place that the file
 * has; what was loaded denies what no policy of it can permit. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/limits.h"
#include "policy/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct model_settings models[] = {{.name = STR_INIT("small")}};
static const struct tenant_settings tenants[] = {{.name = STR_INIT("acme")}};
static const struct settings settings = {.models = models,
                                         .model_count = 1,
                                         .tenants = tenants,
                                         .tenant_count = 1};

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

/* Nobody is of two tenants; everybody else may get any answer. */
static void ask(const struct rules *r)
{
    struct rules_evaluator *v = NULL;
    struct rules_answer a;
    struct chain chain = {.links = {{.role = LINK_PRESENTER,
                                     .who = {PRINCIPAL_AGENT, STR("keys"),
                                             STR("acme/bot"), STR("acme")},
                                     .method = AUTH_API_KEY}},
                          .count = 1};
    struct rules_request q = {.chain = &chain,
                              .action = ACTION_MODEL_INVOKE,
                              .resource_type = STR("Model"),
                              .resource = STR("small"),
                              .tenant = STR("acme")};
    if (rules_evaluator_new(&v) != ERR_OK)
        return;
    rules_decide(r, v, &q, &a);
    assert(a.decision.effect == DECISION_DENY ||
           a.decision.policy_count > 0); /* some policy permits */
    q.tenant = STR("other");
    rules_decide(r, v, &q, &a);
    assert(a.decision.effect == DECISION_DENY && a.denied_link == -1);
    rules_evaluator_free(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 64 * KIB)
        return 0;
    const struct rules_file file = {STR("file"),
                                    {(const char *)data + 1, size - 1}};
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
        ask(r);
        rules_warnings(r, &from, &errors);
        assert(errors.count == 0 || data[0] != 'e');
    }
    rules_unref(r);
    return 0;
}
