/*
 * Tests mcp/params_forms against MCP's own JSON schemas: every member of the
 * params of a method that a revision has is on our list for it, and nothing
 * else is; what is required there is required here; and what we write
 * ourselves is what the schema calls valid.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "codec/json_schema.h"
#include "mcp/handshake.h"
#include "mcp/params_forms.h"
#include "mcp/refusal.h"
#include "mcp/tool.h"
#include "vectors.h"

static const struct {
    enum method method;
    const char *definition; /* of the request or notification */
} methods[] = {
    {METHOD_INITIALIZE, "InitializeRequest"},
    {METHOD_TOOLS_LIST, "ListToolsRequest"},
    {METHOD_TOOLS_CALL, "CallToolRequest"},
    {METHOD_RESOURCES_LIST, "ListResourcesRequest"},
    {METHOD_RESOURCES_TEMPLATES, "ListResourceTemplatesRequest"},
    {METHOD_RESOURCES_READ, "ReadResourceRequest"},
    {METHOD_RESOURCES_SUBSCRIBE, "SubscribeRequest"},
    {METHOD_RESOURCES_UNSUBSCRIBE, "UnsubscribeRequest"},
    {METHOD_PROMPTS_LIST, "ListPromptsRequest"},
    {METHOD_PROMPTS_GET, "GetPromptRequest"},
    {METHOD_COMPLETE, "CompleteRequest"},
    {METHOD_SET_LEVEL, "SetLevelRequest"},
    {METHOD_SAMPLE, "CreateMessageRequest"},
    {METHOD_CANCELLED, "CancelledNotification"},
    {METHOD_PROGRESS, "ProgressNotification"},
    {METHOD_LOG, "LoggingMessageNotification"},
    {METHOD_RESOURCE_UPDATED, "ResourceUpdatedNotification"},
};

static const struct json *definitions(const struct json *schema)
{
    const struct json *v = json_get(schema, STR("$defs"));
    return v != NULL ? v : json_get(schema, STR("definitions"));
}

/* Follows one $ref to a definition. */
static const struct json *resolve(const struct json *schema,
                                  const struct json *v)
{
    struct str ref;
    if (!json_str(json_get(v, STR("$ref")), &ref))
        return v;
    size_t slash = ref.len;
    while (slash > 0 && ref.ptr[slash - 1] != '/')
        slash--;
    return json_get(definitions(schema), str_skip(ref, slash));
}

static bool lists(const struct json *array, struct str name)
{
    struct json_iter it = json_each(array);
    const struct json *v;
    while (json_next(&it, NULL, &v)) {
        if (json_is_string(v, name))
            return true;
    }
    return false;
}

static const struct form_row *find(const struct form *f, enum revision r,
                                   struct str name)
{
    for (const struct form_row *row = f->rows; row->form != NULL; row++) {
        if (row->since <= r && str_eq(str_from(row->name), name))
            return row;
    }
    return NULL;
}

static void check_form(const char *what, const struct form *f, enum revision r,
                       const struct json *object)
{
    const struct json *properties = json_get(object, STR("properties"));
    const struct json *required = json_get(object, STR("required"));
    struct json_iter it = json_each(properties);
    struct str name;
    const struct json *v;
    assert_true(json_count(properties) > 0);
    while (json_next(&it, &name, &v)) {
        const struct form_row *row = find(f, r, name);
        if (row == NULL)
            fail_msg("%s has a member that is not on our list: %.*s", what,
                     STR_FMT(name));
        else if (lists(required, name) && !row->is_required)
            fail_msg("%s requires %.*s", what, STR_FMT(name));
    }
    for (const struct form_row *row = f->rows; row->form != NULL; row++) {
        bool known = json_get(properties, str_from(row->name)) != NULL ||
                     strcmp(row->name, "_meta") == 0;
        if (row->since <= r && !known)
            fail_msg("%s has no member %s", what, row->name);
    }
}

static void check_revision(const char *file, enum revision r)
{
    struct arena a;
    arena_init(&a, 16 * MIB);
    const struct json *schema = vectors_read(&a, "vectors/mcp", file);
    for (size_t i = 0; schema != NULL && i < ARRAY_LEN(methods); i++) {
        const struct json *request =
            json_get(definitions(schema), str_from(methods[i].definition));
        const struct json *properties = json_get(request, STR("properties"));
        const struct json *params =
            resolve(schema, json_get(properties, STR("params")));
        struct str name;
        assert_true(json_str(json_get(json_get(properties, STR("method")),
                                      STR("const")),
                             &name));
        assert_int_equal(method_from(name), methods[i].method);
        check_form(methods[i].definition, params_forms_of(methods[i].method), r,
                   params);
    }
    if (r == REVISION_2025_11_25 && schema != NULL) {
        const struct json *defs = definitions(schema);
        check_form("Tool", &params_forms_tool, r, json_get(defs, STR("Tool")));
        check_form("ListToolsResult", &params_forms_tools, r,
                   json_get(defs, STR("ListToolsResult")));
        check_form("InitializeResult", &params_forms_initialized, r,
                   json_get(defs, STR("InitializeResult")));
    }
    arena_release(&a);
}

static void rule_34_the_lists_are_those_of_2025_06_18(void **state)
{
    (void)state;
    check_revision("mcp/schema-2025-06-18.json", REVISION_2025_06_18);
}

static void rule_34_the_lists_are_those_of_2025_11_25(void **state)
{
    (void)state;
    check_revision("mcp/schema-2025-11-25.json", REVISION_2025_11_25);
}

/* Every method of the schema is on our list, but for tasks. */
static void test_every_method_of_2025_11_25_is_known(void **state)
{
    (void)state;
    struct arena a;
    unsigned n = 0;
    arena_init(&a, 16 * MIB);
    const struct json *schema =
        vectors_read(&a, "vectors/mcp", "mcp/schema-2025-11-25.json");
    struct json_iter it = json_each(definitions(schema));
    struct str definition;
    struct str name;
    const struct json *v;
    while (json_next(&it, &definition, &v)) {
        const struct json *method =
            json_get(json_get(v, STR("properties")), STR("method"));
        if (!json_str(json_get(method, STR("const")), &name))
            continue;
        bool is_task = str_starts(name, STR("tasks/")) ||
                       str_eq(name, STR("notifications/tasks/status"));
        n += is_task ? 0 : 1;
        if ((method_from(name) == METHOD_NONE) != is_task)
            fail_msg("nobody decided on %.*s", STR_FMT(name));
    }
    if (schema != NULL)
        assert_int_equal(n, METHOD_COUNT - 1);
    arena_release(&a);
}

static const struct json_schema *
compile(struct arena *a, const struct json *schema, const char *definition)
{
    struct json_schema_failure why;
    struct buf text;
    char ref[128];
    const struct json *v = NULL;
    const struct json_schema *compiled = NULL;
    (void)snprintf(ref, sizeof(ref), "\"#/$defs/%s\"", definition);
    struct json_patch patch = {STR_INIT("$ref"), str_from(ref)};
    buf_init(&text, 4 * MIB);
    json_write(&text, schema, &patch, 1);
    assert_int_equal(json_read(a, buf_str(&text), &v, NULL), ERR_OK);
    enum err e = json_schema_compile(a, v, NULL, &compiled, &why);
    if (e != ERR_OK)
        print_error("%s: %s %s\n", definition, why.pointer, why.text);
    assert_int_equal(e, ERR_OK);
    buf_release(&text);
    return compiled;
}

static void check_valid(struct arena *a, const struct json_schema *s,
                        struct str text)
{
    const struct json *v = NULL;
    struct json_schema_failure why;
    assert_int_equal(json_read(a, text, &v, NULL), ERR_OK);
    enum err e = json_schema_validate(s, v, a, 0, &why);
    if (e != ERR_OK)
        print_error("%.*s: %s %s\n", STR_FMT(text), why.pointer, why.text);
    assert_int_equal(e, ERR_OK);
}

static void test_what_we_write_is_valid(void **state)
{
    (void)state;
    static const struct message_id one = {MESSAGE_ID_INTEGER, STR_INIT("1")};
    struct arena a;
    struct buf out;
    arena_init(&a, 64 * MIB);
    buf_init(&out, MIB);
    const struct json *schema =
        vectors_read(&a, "vectors/mcp", "mcp/schema-2025-11-25.json");
    if (schema != NULL) {
        struct refusal denied = {refusal_of(ERR_DENIED), STR("d"), STR("")};
        struct handshake_self self = {
            .revision = REVISION_2025_11_25,
            .has = ~0u,
            .name = STR("n"),
            .title = STR("t"),
            .version = STR("v"),
        };
        refusal_write_error(&out, one, &denied);
        check_valid(&a, compile(&a, schema, "JSONRPCErrorResponse"),
                    buf_str(&out));
        buf_clear(&out);
        refusal_write_result(&out, one, &denied);
        check_valid(&a, compile(&a, schema, "JSONRPCResultResponse"),
                    buf_str(&out));
        struct message m;
        struct message_id id;
        struct fault f;
        assert_int_equal(message_read(&a, buf_str(&out), &m, &id, &f), ERR_OK);
        buf_clear(&out);
        json_write(&out, m.result, NULL, 0);
        check_valid(&a, compile(&a, schema, "CallToolResult"), buf_str(&out));
        buf_clear(&out);
        handshake_write_params(&out, &self);
        check_valid(&a, compile(&a, schema, "InitializeRequestParams"),
                    buf_str(&out));
        buf_clear(&out);
        handshake_write_result(&out, &self);
        check_valid(&a, compile(&a, schema, "InitializeResult"), buf_str(&out));
    }
    buf_release(&out);
    arena_release(&a);
}

/* Examples of a later revision that mean the same in 2025-11-25. */
static void test_examples_are_read(void **state)
{
    (void)state;
    static const struct {
        enum method method;
        const char *file; /* params; of METHOD_NONE: a tool */
    } cases[] = {
        {METHOD_SAMPLE, "CreateMessageRequestParams/basic-request"},
        {METHOD_SAMPLE, "CreateMessageRequestParams/request-with-tools"},
        {METHOD_SAMPLE,
         "CreateMessageRequestParams/follow-up-with-tool-results"},
        {METHOD_ELICIT, "ElicitRequestFormParams/elicit-multiple-fields"},
        {METHOD_ELICIT, "ElicitRequestFormParams/elicit-single-field"},
        {METHOD_CANCELLED,
         "CancelledNotificationParams/user-requested-cancellation"},
        {METHOD_PROGRESS, "ProgressNotificationParams/progress-message"},
        {METHOD_LOG,
         "LoggingMessageNotificationParams/log-database-connection-failed"},
        {METHOD_RESOURCE_UPDATED,
         "ResourceUpdatedNotificationParams/file-resource-updated"},
        {METHOD_PROMPTS_GET, "GetPromptRequestParams/get-code-review-prompt"},
        {METHOD_TOOLS_CALL,
         "CallToolRequestParams/get-weather-tool-call-params"},
        {METHOD_COMPLETE,
         "CompleteRequestParams/prompt-argument-completion-with-context"},
        {METHOD_NONE, "Tool/with-default-2020-12-input-schema"},
        {METHOD_NONE, "Tool/with-explicit-draft-07-input-schema"},
        {METHOD_NONE, "Tool/with-no-parameters"},
        {METHOD_NONE, "Tool/with-output-schema-for-structured-content"},
        {METHOD_NONE, "Tool/tool-with-composition-input-schema"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a;
        char file[256];
        struct params p;
        struct tool t;
        struct fault f = {.err = ERR_OK};
        arena_init(&a, MIB);
        (void)snprintf(file, sizeof(file), "mcp/examples-2026-07-28/%s.json",
                       cases[i].file);
        const struct json *v = vectors_read(&a, "vectors/mcp", file);
        enum err e = ERR_OK;
        if (v != NULL && cases[i].method == METHOD_NONE)
            e = tool_read(&a, STR(""), v, &t, &f);
        else if (v != NULL)
            e = params_read(&a, cases[i].method, REVISION_NEWEST, v, &p, &f);
        if (e != ERR_OK)
            print_error("%s: %.*s %.*s\n", file, STR_FMT(f.pointer),
                        STR_FMT(f.text));
        assert_int_equal(e, ERR_OK);
        arena_release(&a);
        if (v == NULL)
            return;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_34_the_lists_are_those_of_2025_06_18),
        cmocka_unit_test(rule_34_the_lists_are_those_of_2025_11_25),
        cmocka_unit_test(test_every_method_of_2025_11_25_is_known),
        cmocka_unit_test(test_what_we_write_is_valid),
        cmocka_unit_test(test_examples_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
