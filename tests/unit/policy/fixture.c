/* fixture.c - see fixture.h. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/buf.h"
#include "domain/risk.h"

static const struct str eu[] = {STR_INIT("eu")};
static const struct str acme[] = {STR_INIT("acme")};
static const struct tenant_settings tenants[] = {
    {.name = STR_INIT("acme"), .regions = {eu, 1}},
    {.name = STR_INIT("other")},
};
static const struct tool_server_settings tools[] = {
    {.name = STR_INIT("files"), .region = STR_INIT("eu")},
    {.name = STR_INIT("pay"), .region = STR_INIT("eu"), .tenants = {acme, 1}},
    {.name = STR_INIT("far"), .region = STR_INIT("us")},
};
static const struct approval_group_settings groups[] = {
    {.name = STR_INIT("finance")},
    {.name = STR_INIT("legal")},
};
static const struct model_settings models[] = {{.name = STR_INIT("small")}};
static const struct settings settings = {
    .models = models,
    .model_count = ARRAY_LEN(models),
    .tenants = tenants,
    .tenant_count = ARRAY_LEN(tenants),
    .tools = tools,
    .tool_count = ARRAY_LEN(tools),
    .approvals = {.groups = groups, .group_count = ARRAY_LEN(groups)},
};

const struct settings *fixture_settings(void)
{
    return &settings;
}

static enum err load(const char *policies, const char *shadow,
                     const char *entities, struct rules_errors *errors,
                     struct rules **ret)
{
    const struct rules_file files[] = {
        {STR("a.cedar"), str_from(policies)},
        {STR("s.cedar"), str_from(shadow == NULL ? "" : shadow)},
        {STR("e.json"), str_from(entities == NULL ? "" : entities)},
    };
    const struct rules_sources from = {
        .policies = &files[0],
        .policy_count = 1,
        .shadow = &files[1],
        .shadow_count = shadow != NULL,
        .has_shadow = shadow != NULL,
        .entities = &files[2],
        .entity_count = entities != NULL,
    };
    return rules_new(&settings, &from, errors, ret);
}

static const char *text_of(const struct rules_errors *errors)
{
    static char room[RULES_TEXT_MAX + 64];
    const struct rules_error *e = &errors->at[0];
    struct buf text;
    buf_init_lent(&text, room, sizeof(room));
    buf_addf(&text, "%.*s:%u:%u: %s", STR_FMT(e->file), e->line, e->column,
             e->text);
    assert_true(buf_add_char(&text, '\0'));
    return errors->count == 0 ? "no error" : room;
}

struct rules *fixture_rules(const char *policies, const char *shadow,
                            const char *entities)
{
    struct rules_errors errors = {.count = 0};
    struct rules *r = NULL;
    enum err e = load(policies, shadow, entities, &errors, &r);
    if (e != ERR_OK)
        print_error("%s\n", text_of(&errors));
    assert_int_equal(e, ERR_OK);
    return r;
}

const char *fixture_error(const char *policies)
{
    struct rules_errors errors = {.count = 0};
    struct rules *r = NULL;
    assert_int_equal(load(policies, NULL, NULL, &errors, &r), ERR_CONFIG);
    assert_null(r);
    return text_of(&errors);
}

void fixture_begin(struct fixture *f)
{
    static const struct names none = {NULL, 0};
    *f = (struct fixture){
        .chain = {.links = {{.role = LINK_SUBJECT,
                             .who = {PRINCIPAL_USER, STR("okta"),
                                     STR("okta|alice"), STR("acme")},
                             .method = AUTH_JWT},
                            {.role = LINK_ACTOR,
                             .who = {PRINCIPAL_AGENT, STR("keys"),
                                     STR("acme/bot"), STR("acme")},
                             .method = AUTH_API_KEY}},
                  .count = 2},
        .links = {{.name = STR("alice"), .mode = STR("both")},
                  {.name = STR("bot"),
                   .mode = STR("delegated"),
                   .risk = RISK_READ}},
        .tool = {.server = STR("files"),
                 .name = STR("read_file"),
                 .risk = RISK_READ,
                 .yields = &none,
                 .clearance = &none,
                 .pinned = true},
    };
    f->request = (struct rules_request){
        .chain = &f->chain,
        .links = f->links,
        .action = ACTION_TOOL_CALL,
        .resource_type = STR("Tool"),
        .resource = STR("files/read_file"),
        .tenant = STR("acme"),
        .destination = {STR("files"), STR(""), STR("eu")},
        .labels = &f->labels,
        .now_us = INT64_C(1763600000000000),
        .tool = &f->tool,
        .risk = RISK_READ,
    };
    assert_int_equal(rules_evaluator_new(&f->evaluator), ERR_OK);
}

void fixture_end(struct fixture *f)
{
    rules_evaluator_free(f->evaluator);
}

struct rules_answer fixture_ask(struct fixture *f, const struct rules *r)
{
    struct rules_answer a;
    rules_decide(r, f->evaluator, &f->request, &a);
    assert_int_equal(a.decision.approval_count > 0,
                     a.decision.effect == DECISION_DEFER);
    return a;
}

const char *fixture_policies(const struct decision *d)
{
    static char text[1024];
    size_t len = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < d->policy_count; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s",
                                i > 0 ? " " : "", STR_FMT(d->policies[i]));
    return text;
}

const char *fixture_approvals(const struct decision *d)
{
    static char text[1024];
    size_t len = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < d->approval_count; i++)
        len +=
            (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s=%.*s",
                             i > 0 ? " " : "", STR_FMT(d->approvals[i].policy),
                             STR_FMT(d->approvals[i].group));
    return text;
}
