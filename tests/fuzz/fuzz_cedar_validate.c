/* layers: cedar codec base */
/*
 * Property: whatever the policies are, each finding lies in its policy and
 * says something; and a policy in which strict validation finds no error
 * gives no error of type, attribute or arity when it runs on a request and on
 * entities that the schema allows.
 */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "cedar/cedar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char schema_text[] =
    "entity Group in [Group];"
    "entity User in [Group] { name: String, age?: Long, boss: User, ok: Bool,"
    "  home: { city: String, zip?: String }, ip: ipaddr } tags String;"
    "entity Doc { owner: User, at: datetime, ttl?: duration, d: decimal };"
    "action all; action view in all appliesTo { principal: User,"
    "  resource: Doc, context: { n: Long, m?: String, s: Set<Long> } };";

static const char entities_text[] =
    "[{\"uid\":{\"type\":\"User\",\"id\":\"a\"},\"parents\":[{\"type\":"
    "\"Group\",\"id\":\"g\"}],\"attrs\":{\"name\":\"a\",\"boss\":{\"type\":"
    "\"User\",\"id\":\"a\"},\"ok\":true,\"home\":{\"city\":\"c\"},\"ip\":"
    "\"10.0.0.1\"},\"tags\":{\"a\":\"b\"}},"
    "{\"uid\":{\"type\":\"Group\",\"id\":\"g\"},\"attrs\":{},\"parents\":[]},"
    "{\"uid\":{\"type\":\"Doc\",\"id\":\"d\"},\"parents\":[],\"attrs\":{"
    "\"owner\":{\"type\":\"User\",\"id\":\"a\"},\"at\":\"2024-01-01\",\"d\":"
    "\"1.5\"}}]";

static struct cedar_schema *schema;
static struct cedar_entities *entities;
static struct cedar_evaluator *evaluator;

static void start(void)
{
    assert(cedar_schema_load(STR(schema_text), NULL, &schema) == ERR_OK);
    assert(cedar_schema_entities(schema, STR(entities_text), NULL, &entities) ==
           ERR_OK);
    evaluator = cedar_evaluator_new();
    assert(evaluator != NULL);
}

static void check_finding(const struct cedar_policies *policies,
                          const struct cedar_finding *f)
{
    struct cedar_policy_view p = cedar_policies_at(policies, f->policy);
    uint32_t line;
    uint32_t column;
    assert(f->offset >= p.offset && f->offset < p.offset + p.text.len);
    assert(f->text[0] != '\0' && cedar_finding_name(f->kind) != NULL);
    cedar_policies_locate(policies, f->offset, &line, &column);
    assert(line == f->line && column == f->column);
}

static bool is_valid(const struct cedar_findings *all, uint32_t policy)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->at[i].policy == policy && !all->at[i].is_warning)
            return false;
    return true;
}

static void check_run(const struct cedar_policies *policies,
                      const struct cedar_findings *findings, struct arena *a)
{
    struct cedar_member members[] = {
        {STR("n"), cedar_value_long(3)},
        {STR("s"), {0}},
    };
    struct cedar_request request = {
        .principal = cedar_uid_make(STR("User"), STR("a")),
        .action = cedar_uid_make(STR("Action"), STR("view")),
        .resource = cedar_uid_make(STR("Doc"), STR("d")),
        .entities = entities,
    };
    struct cedar_answer answer;
    if (cedar_value_set(a, &members[0].value, 1, &members[1].value) != ERR_OK ||
        cedar_value_record(a, members, 2, &request.context) != ERR_OK)
        return;
    assert(cedar_schema_check(schema, &request, NULL) == ERR_OK);
    assert(cedar_authorize(evaluator, policies, &request, NULL, &answer) ==
           ERR_OK);
    for (size_t i = 0; i < answer.fault_count; i++) {
        const struct cedar_policy_fault *f = &answer.faults[i];
        assert(f->fault == CEDAR_FAULT_OVERFLOW ||
               f->fault == CEDAR_FAULT_ENTITY ||
               f->fault == CEDAR_FAULT_LIMIT || !is_valid(findings, f->policy));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct cedar_validation level = {.has_level = true, .level = 1};
    struct cedar_policies *policies;
    struct cedar_findings findings;
    struct cedar_findings leveled;
    struct arena a;
    if (schema == NULL)
        start();
    if (cedar_policies_load(text, NULL, &policies) != ERR_OK)
        return 0;
    arena_init(&a, 64 * MIB);
    if (cedar_validate(&a, schema, policies, NULL, &findings) == ERR_OK) {
        for (size_t i = 0; i < findings.count; i++)
            check_finding(policies, &findings.at[i]);
        check_run(policies, &findings, &a);
        if (cedar_validate(&a, schema, policies, &level, &leveled) == ERR_OK)
            assert(leveled.error_count >= findings.error_count ||
                   leveled.count >= CEDAR_FINDINGS_MAX);
    }
    arena_release(&a);
    cedar_policies_free(policies);
    return 0;
}
