/* Tests mcp/params_read, params_write and form: what is let through, what is
 * not, and that what was decided is what is sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "mcp/params.h"

#define V1 REVISION_2024_11_05
#define V2 REVISION_2025_03_26
#define V3 REVISION_2025_06_18
#define V4 REVISION_2025_11_25

static enum err read_text(struct arena *a, enum method m, enum revision r,
                          const char *text, struct params *ret,
                          struct fault *ret_fault)
{
    const struct json *v = NULL;
    if (text != NULL)
        assert_int_equal(json_read(a, str_from(text), &v, NULL), ERR_OK);
    return params_read(a, m, r, v, ret, ret_fault);
}

#define MESSAGES "\"messages\":[{\"role\":\"user\",\"content\":"
#define TEXT "{\"type\":\"text\",\"text\":\"hi\"}"

struct good {
    enum method method;
    enum revision revision; /* the oldest that takes it */
    const char *params;
};

/* Without blanks, so that they are written as they stand here. */
static const struct good good[] = {
    {METHOD_INITIALIZE, V1,
     "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"roots\":"
     "{\"listChanged\":true},\"sampling\":{},\"elicitation\":{\"url\":{}},"
     "\"experimental\":{\"x\":{\"y\":1}},\"extensions\":{\"a/b\":{}}},"
     "\"clientInfo\":{\"name\":\"c\",\"version\":\"1\",\"title\":\"C\","
     "\"icons\":[{\"src\":\"data:,\",\"sizes\":[\"any\"]}]}}"},
    {METHOD_PING, V1, NULL},
    {METHOD_PING, V1, "{}"},
    {METHOD_PING, V1, "{\"_meta\":{\"a/b\":[1,{}],\"progressToken\":7}}"},
    {METHOD_TOOLS_LIST, V1, NULL},
    {METHOD_TOOLS_LIST, V1, "{\"cursor\":\"\"}"},
    {METHOD_TOOLS_CALL, V1,
     "{\"name\":\"read_file\",\"arguments\":{\"path\":\"/a\",\"n\":"
     "1234567890123456789012,\"x\":1.50}}"},
    {METHOD_TOOLS_CALL, V1,
     "{\"_meta\":{\"progressToken\":\"t\"},\"name\":\"a.b-C_9\","
     "\"arguments\":{}}"},
    {METHOD_RESOURCES_LIST, V1, "{\"cursor\":\"abc\"}"},
    {METHOD_RESOURCES_TEMPLATES, V1, "{}"},
    {METHOD_RESOURCES_READ, V1, "{\"uri\":\"file:///a%20b\"}"},
    {METHOD_RESOURCES_SUBSCRIBE, V1, "{\"uri\":\"test://x\"}"},
    {METHOD_RESOURCES_UNSUBSCRIBE, V1, "{\"uri\":\"test://x\"}"},
    {METHOD_PROMPTS_LIST, V1, "{}"},
    {METHOD_PROMPTS_GET, V1,
     "{\"name\":\"my prompt\",\"arguments\":{\"a\":\"b\"}}"},
    {METHOD_COMPLETE, V1,
     "{\"ref\":{\"type\":\"ref/prompt\",\"name\":\"p\"},\"argument\":"
     "{\"name\":\"a\",\"value\":\"\"}}"},
    {METHOD_COMPLETE, V3,
     "{\"ref\":{\"type\":\"ref/resource\",\"uri\":\"f://{x}\"},\"argument\":"
     "{\"name\":\"a\",\"value\":\"v\"},\"context\":{\"arguments\":"
     "{\"b\":\"c\"}}}"},
    {METHOD_SET_LEVEL, V1, "{\"level\":\"warning\"}"},
    {METHOD_ROOTS_LIST, V1, NULL},
    {METHOD_SAMPLE, V1,
     "{" MESSAGES TEXT "}],\"maxTokens\":10,\"modelPreferences\":{\"hints\":"
     "[{\"name\":\"m\"}],\"costPriority\":0.5},\"systemPrompt\":\"s\","
     "\"temperature\":0.1,\"stopSequences\":[\"x\"],\"metadata\":{\"k\":1},"
     "\"includeContext\":\"none\"}"},
    {METHOD_SAMPLE, V4,
     "{" MESSAGES "[" TEXT ",{\"type\":\"tool_use\",\"id\":\"1\",\"name\":"
     "\"t\",\"input\":{}},{\"type\":\"tool_result\",\"toolUseId\":\"1\","
     "\"content\":[" TEXT "]}]}],\"maxTokens\":1,\"tools\":[{\"name\":\"t\","
     "\"inputSchema\":{\"type\":\"object\"}}],\"toolChoice\":{\"mode\":"
     "\"auto\"}}"},
    {METHOD_ELICIT, V3,
     "{\"message\":\"m\",\"requestedSchema\":{\"type\":\"object\","
     "\"properties\":{\"a\":{\"type\":\"string\",\"format\":\"email\"},"
     "\"b\":{\"type\":\"string\",\"enum\":[\"x\"]}},\"required\":[\"a\"]}}"},
    {METHOD_ELICIT, V4,
     "{\"mode\":\"url\",\"message\":\"m\",\"url\":\"https://a.example/\","
     "\"elicitationId\":\"e\"}"},
    {METHOD_INITIALIZED, V1, NULL},
    {METHOD_CANCELLED, V1, "{\"requestId\":1,\"reason\":\"r\"}"},
    {METHOD_PROGRESS, V1,
     "{\"progressToken\":\"t\",\"progress\":1.5,\"total\":3}"},
    {METHOD_PROGRESS, V2,
     "{\"progressToken\":1,\"progress\":1,\"message\":\"m\"}"},
    {METHOD_LOG, V1,
     "{\"level\":\"info\",\"logger\":\"l\",\"data\":{\"any\":[1]}}"},
    {METHOD_RESOURCE_UPDATED, V1, "{\"uri\":\"test://x\"}"},
    {METHOD_TOOLS_CHANGED, V1, NULL},
    {METHOD_ELICITED, V1, "{\"elicitationId\":\"e\"}"},
};

static void rule_12_what_is_read_is_what_is_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        const struct good *c = &good[i];
        for (unsigned r = V1; r <= V4; r++) {
            struct arena a;
            struct params p = {.method = METHOD_NONE};
            struct fault f = {.err = ERR_OK};
            struct buf out;
            arena_init(&a, MIB);
            buf_init(&out, MIB);
            enum err e =
                read_text(&a, c->method, (enum revision)r, c->params, &p, &f);
            if ((e == ERR_OK) != (r >= c->revision))
                print_error("%s in %u: %.*s %.*s\n", c->params, r,
                            STR_FMT(f.pointer), STR_FMT(f.text));
            assert_int_equal(e == ERR_OK, r >= c->revision);
            if (e == ERR_OK) {
                params_write(&out, &p, NULL);
                if (!str_eq(buf_str(&out), str_from(c->params)))
                    print_error("%s\n%.*s\n", c->params,
                                STR_FMT(buf_str(&out)));
                assert_true(str_eq(buf_str(&out), str_from(c->params)));
            }
            buf_release(&out);
            arena_release(&a);
        }
    }
}

struct bad {
    enum method method;
    const char *params;
    enum err err;
    const char *pointer;
};

static void check_bad(const struct bad *c)
{
    struct arena a;
    struct params p = {.method = METHOD_NONE};
    struct fault f = {.err = ERR_OK};
    arena_init(&a, MIB);
    enum err e = read_text(&a, c->method, V4, c->params, &p, &f);
    if (e != c->err || !str_eq(f.pointer, str_from(c->pointer)))
        print_error("%s\n -> %s %.*s: %.*s\n", c->params, err_name(e),
                    STR_FMT(f.pointer), STR_FMT(f.text));
    assert_int_equal(e, c->err);
    assert_int_equal(f.err, e);
    assert_int_equal(f.code, FAULT_PARAMS);
    assert_true(str_eq(f.pointer, str_from(c->pointer)));
    assert_true(f.text.len > 0);
    assert_int_equal(p.method, METHOD_NONE);
    arena_release(&a);
}

static void rule_34_unknown_members_are_refused(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {METHOD_PING, "{\"x\":1}", ERR_UNKNOWN_FIELD, "/params/x"},
        {METHOD_TOOLS_CALL, "{\"Name\":\"a\",\"name\":\"b\"}",
         ERR_UNKNOWN_FIELD, "/params/Name"},
        {METHOD_TOOLS_CALL, "{\"name\":\"b\",\"a/b~c\":1}", ERR_UNKNOWN_FIELD,
         "/params/a~1b~0c"},
        {METHOD_TOOLS_CALL, "{\"name\":\"b\",\"\":1}", ERR_UNKNOWN_FIELD,
         "/params/"},
        {METHOD_TOOLS_CALL, "{\"name\":\"b\",\"task\":{\"ttl\":1}}",
         ERR_UNSUPPORTED, "/params/task"},
        {METHOD_TOOLS_LIST, "{\"cursor\":\"\",\"limit\":3}", ERR_UNKNOWN_FIELD,
         "/params/limit"},
        {METHOD_INITIALIZE,
         "{\"protocolVersion\":\"1\",\"capabilities\":{\"teleport\":{}},"
         "\"clientInfo\":{\"name\":\"\",\"version\":\"\"}}",
         ERR_UNKNOWN_FIELD, "/params/capabilities/teleport"},
        {METHOD_COMPLETE,
         "{\"ref\":{\"type\":\"ref/tool\"},\"argument\":{\"name\":\"a\","
         "\"value\":\"\"}}",
         ERR_UNKNOWN_FIELD, "/params/ref/type"},
        {METHOD_SET_LEVEL, "{\"level\":\"loud\"}", ERR_UNKNOWN_FIELD,
         "/params/level"},
        {METHOD_SAMPLE, "{" MESSAGES "{\"type\":\"video\"}}],\"maxTokens\":1}",
         ERR_UNKNOWN_FIELD, "/params/messages/0/content/type"},
        {METHOD_SAMPLE,
         "{" MESSAGES "[" TEXT ",{\"type\":\"text\",\"text\":\"\",\"x\":1}]}],"
         "\"maxTokens\":1}",
         ERR_UNKNOWN_FIELD, "/params/messages/0/content/1/x"},
        {METHOD_ELICIT, "{\"mode\":\"voice\",\"message\":\"\"}",
         ERR_UNKNOWN_FIELD, "/params/mode"},
        {METHOD_ELICIT,
         "{\"message\":\"m\",\"requestedSchema\":{\"type\":\"object\","
         "\"properties\":{\"a\":{\"type\":\"object\"}}}}",
         ERR_UNKNOWN_FIELD, "/params/requestedSchema/properties/a/type"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_bad(&cases[i]);
}

static void test_wrong_values_are_refused(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {METHOD_NONE, "{}", ERR_UNKNOWN_FIELD, "/params"},
        {METHOD_TOOLS_CALL, NULL, ERR_MALFORMED, "/params/name"},
        {METHOD_TOOLS_CALL, "{}", ERR_MALFORMED, "/params/name"},
        {METHOD_TOOLS_CALL, "{\"name\":7}", ERR_MALFORMED, "/params/name"},
        {METHOD_TOOLS_CALL, "{\"name\":\"\"}", ERR_MALFORMED, "/params/name"},
        {METHOD_TOOLS_CALL, "{\"name\":\"read file\"}", ERR_MALFORMED,
         "/params/name"},
        {METHOD_TOOLS_CALL,
         "{\"name\":\"re\xd0\xb0"
         "d\"}",
         ERR_MALFORMED, "/params/name"},
        {METHOD_TOOLS_CALL, "{\"name\":\"a\\\" || true\"}", ERR_MALFORMED,
         "/params/name"},
        {METHOD_TOOLS_CALL, "{\"name\":\"a\",\"arguments\":[]}", ERR_MALFORMED,
         "/params/arguments"},
        {METHOD_TOOLS_CALL, "{\"name\":\"a\",\"arguments\":null}",
         ERR_MALFORMED, "/params/arguments"},
        {METHOD_TOOLS_CALL, "{\"name\":\"a\",\"_meta\":1}", ERR_MALFORMED,
         "/params/_meta"},
        {METHOD_TOOLS_CALL,
         "{\"name\":\"a\",\"_meta\":{\"progressToken\":1.5}}", ERR_MALFORMED,
         "/params/_meta/progressToken"},
        {METHOD_RESOURCES_READ, "{\"uri\":\"\"}", ERR_MALFORMED, "/params/uri"},
        {METHOD_RESOURCES_READ, "{\"uri\":\"/etc/passwd\"}", ERR_MALFORMED,
         "/params/uri"},
        {METHOD_RESOURCES_READ, "{\"uri\":\"file:///a b\"}", ERR_MALFORMED,
         "/params/uri"},
        {METHOD_RESOURCES_READ, "{\"uri\":\"file:///a\\\\b\"}", ERR_MALFORMED,
         "/params/uri"},
        {METHOD_RESOURCES_READ, "{\"uri\":\":x\"}", ERR_MALFORMED,
         "/params/uri"},
        {METHOD_RESOURCES_READ, "{\"uri\":\"1x:y\"}", ERR_MALFORMED,
         "/params/uri"},
        {METHOD_PROMPTS_GET, "{\"name\":\"a\",\"arguments\":{\"x\":1}}",
         ERR_MALFORMED, "/params/arguments/x"},
        {METHOD_PROMPTS_GET, "{\"name\":\"a\\nb\"}", ERR_MALFORMED,
         "/params/name"},
        {METHOD_CANCELLED, "{\"reason\":\"\"}", ERR_MALFORMED,
         "/params/requestId"},
        {METHOD_CANCELLED, "{\"requestId\":null}", ERR_MALFORMED,
         "/params/requestId"},
        {METHOD_PROGRESS, "{\"progressToken\":1,\"progress\":\"1\"}",
         ERR_MALFORMED, "/params/progress"},
        {METHOD_SAMPLE, "{\"messages\":[],\"maxTokens\":1}", ERR_MALFORMED,
         "/params/messages"},
        {METHOD_SAMPLE, "{" MESSAGES TEXT "}],\"maxTokens\":0}", ERR_MALFORMED,
         "/params/maxTokens"},
        {METHOD_COMPLETE,
         "{\"ref\":{},\"argument\":{\"name\":\"a\",\"value\":\"\"}}",
         ERR_MALFORMED, "/params/ref/type"},
        {METHOD_ELICIT, "{\"mode\":7,\"message\":\"\"}", ERR_MALFORMED,
         "/params/mode"},
        {METHOD_ELICIT,
         "{\"mode\":\"url\",\"message\":\"\",\"url\":\"x\","
         "\"elicitationId\":\"\"}",
         ERR_MALFORMED, "/params/url"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_bad(&cases[i]);
}

static void test_meta_names_and_cursors_are_bounded(void **state)
{
    (void)state;
    static const struct {
        enum method method;
        const char *before, *after, *pointer;
        size_t max;
    } cases[] = {
        {METHOD_PING, "{\"_meta\":{\"k\":\"", "\"}}", "/params/_meta",
         PARAMS_META_MAX - 3},
        {METHOD_TOOLS_LIST, "{\"cursor\":\"", "\"}", "/params/cursor",
         PARAMS_CURSOR_MAX},
        {METHOD_TOOLS_CALL, "{\"name\":\"", "\"}", "/params/name",
         PARAMS_NAME_MAX},
        {METHOD_RESOURCES_READ, "{\"uri\":\"x:", "\"}", "/params/uri",
         PARAMS_URI_MAX - 2},
        {METHOD_CANCELLED, "{\"requestId\":1,\"reason\":\"", "\"}",
         "/params/reason", PARAMS_REASON_MAX},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t over = 0; over < 2; over++) {
            struct arena a;
            struct params p;
            struct fault f = {.err = ERR_OK};
            struct buf text;
            arena_init(&a, MIB);
            buf_init(&text, MIB);
            (void)buf_add(&text, str_from(cases[i].before));
            for (size_t n = 0; n < cases[i].max + over; n++)
                (void)buf_add_char(&text, 'a');
            (void)buf_add(&text, str_from(cases[i].after));
            (void)buf_add(&text, (struct str){"", 1});
            enum err e = read_text(&a, cases[i].method, V4, text.ptr, &p, &f);
            assert_int_equal(e, over == 0 ? ERR_OK : ERR_LIMIT);
            if (over != 0)
                assert_true(str_eq(f.pointer, str_from(cases[i].pointer)));
            buf_release(&text);
            arena_release(&a);
        }
    }
}

static void test_what_goes_out_may_differ_where_it_is_said(void **state)
{
    (void)state;
    char room[MESSAGE_DIGITS_MAX];
    struct message_id nine = message_id_number(9, room);
    const struct {
        enum method method;
        const char *params;
        struct params_change change;
        const char *written;
    } cases[] = {
        {METHOD_TOOLS_CALL,
         "{\"name\":\"fs.read\"}",
         {.name = STR("read")},
         "{\"name\":\"read\",\"arguments\":{}}"},
        {METHOD_TOOLS_CALL,
         "{\"name\":\"a\",\"_meta\":{\"x\":1,\"progressToken\":\"t\"},"
         "\"arguments\":{\"name\":\"a\"}}",
         {.name = STR("b"), .token = nine},
         "{\"name\":\"b\",\"_meta\":{\"x\":1,\"progressToken\":9},"
         "\"arguments\":{\"name\":\"a\"}}"},
        {METHOD_TOOLS_CALL,
         "{\"name\":\"a\",\"arguments\":{}}",
         {.token = nine},
         "{\"name\":\"a\",\"arguments\":{},\"_meta\":{\"progressToken\":9}}"},
        {METHOD_TOOLS_CALL,
         "{\"name\":\"a\",\"arguments\":{},\"_meta\":{\"progressToken\":1}}",
         {.name = {NULL, 0}},
         "{\"name\":\"a\",\"arguments\":{},\"_meta\":{}}"},
        {METHOD_TOOLS_LIST, NULL, {.cursor = STR("c")}, "{\"cursor\":\"c\"}"},
        {METHOD_TOOLS_LIST,
         NULL,
         {.token = nine, .cursor = STR("")},
         "{\"cursor\":\"\",\"_meta\":{\"progressToken\":9}}"},
        {METHOD_TOOLS_LIST, NULL, {.drop_cursor = true}, ""},
        {METHOD_TOOLS_LIST,
         "{\"cursor\":\"sealed\"}",
         {.drop_cursor = true},
         "{}"},
        {METHOD_PROMPTS_LIST,
         "{\"cursor\":\"sealed\"}",
         {.cursor = STR("x")},
         "{\"cursor\":\"x\"}"},
        {METHOD_PROMPTS_GET,
         "{\"name\":\"s.p\"}",
         {.name = STR("p")},
         "{\"name\":\"p\"}"},
        {METHOD_RESOURCES_READ,
         "{\"uri\":\"a:b\"}",
         {.uri = STR("c:\"d")},
         "{\"uri\":\"c:\\\"d\"}"},
        {METHOD_COMPLETE,
         "{\"ref\":{\"type\":\"ref/prompt\",\"name\":\"s.p\"},\"argument\":"
         "{\"name\":\"a\",\"value\":\"\"}}",
         {.name = STR("p"), .uri = STR("no")},
         "{\"ref\":{\"type\":\"ref/prompt\",\"name\":\"p\"},\"argument\":"
         "{\"name\":\"a\",\"value\":\"\"}}"},
        {METHOD_CANCELLED,
         "{\"requestId\":\"x\",\"reason\":\"r\"}",
         {.request = nine},
         "{\"requestId\":9,\"reason\":\"r\"}"},
        {METHOD_PROGRESS,
         "{\"progressToken\":9,\"progress\":1}",
         {.token = {MESSAGE_ID_STRING, STR("t\"")}},
         "{\"progressToken\":\"t\\\"\",\"progress\":1}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a;
        struct params p;
        struct fault f = {.err = ERR_OK};
        struct buf out;
        arena_init(&a, MIB);
        buf_init(&out, MIB);
        assert_int_equal(read_text(&a, cases[i].method, V4, cases[i].params, &p,
                                   &f),
                         ERR_OK);
        params_write(&out, &p, &cases[i].change);
        if (!str_eq(buf_str(&out), str_from(cases[i].written)))
            print_error("%s\n%.*s\n", cases[i].written, STR_FMT(buf_str(&out)));
        assert_true(str_eq(buf_str(&out), str_from(cases[i].written)));
        buf_release(&out);
        arena_release(&a);
    }
}

static void test_a_large_meta_is_written_whole(void **state)
{
    (void)state;
    struct arena a;
    struct params p;
    struct fault f;
    struct buf text;
    struct buf out;
    arena_init(&a, MIB);
    buf_init(&text, MIB);
    buf_init(&out, MIB);
    (void)BUF_LIT(&text, "{\"_meta\":{\"progressToken\":1,\"k\":\"");
    for (size_t n = 0; n < 16000; n++)
        (void)buf_add_char(&text, 'a');
    (void)buf_add(&text, STR("\"}}\0"));
    assert_int_equal(read_text(&a, METHOD_PING, V4, text.ptr, &p, &f), ERR_OK);
    params_write(&out, &p,
                 &(struct params_change){
                     .token = {MESSAGE_ID_INTEGER, STR("2")}});
    assert_true(buf_ok(&out));
    assert_int_equal(out.len, text.len - 1);
    assert_true(
        str_starts(buf_str(&out), STR("{\"_meta\":{\"progressToken\":2,")));
    buf_release(&text);
    buf_release(&out);
    arena_release(&a);
}

static void test_values_are_taken_out(void **state)
{
    (void)state;
    struct arena a;
    struct params p;
    struct fault f;
    arena_init(&a, MIB);
    assert_int_equal(read_text(&a, METHOD_TOOLS_CALL, V4,
                               "{\"name\":\"t\",\"_meta\":{\"progressToken\":"
                               "\"x\"},\"arguments\":{\"a\":1}}",
                               &p, &f),
                     ERR_OK);
    assert_true(str_eq(p.call.name, STR("t")));
    assert_int_equal(json_count(p.call.arguments), 1);
    assert_true(message_id_eq(p.token, (struct message_id){MESSAGE_ID_STRING,
                                                           STR("x")}));
    assert_int_equal(read_text(&a, METHOD_TOOLS_LIST, V4, "{\"cursor\":\"\"}",
                               &p, &f),
                     ERR_OK);
    assert_true(p.page.has_cursor);
    assert_int_equal(read_text(&a, METHOD_TOOLS_LIST, V4, "{}", &p, &f),
                     ERR_OK);
    assert_false(p.page.has_cursor);
    assert_int_equal(read_text(&a, METHOD_SET_LEVEL, V4,
                               "{\"level\":\"emergency\"}", &p, &f),
                     ERR_OK);
    assert_int_equal(p.log.level, PARAMS_EMERGENCY);
    assert_int_equal(read_text(&a, METHOD_SET_LEVEL, V4,
                               "{\"level\":\"debug\"}", &p, &f),
                     ERR_OK);
    assert_int_equal(p.log.level, PARAMS_DEBUG);
    assert_int_equal(read_text(&a, METHOD_PROGRESS, V4,
                               "{\"progressToken\":3,\"progress\":0.50}", &p,
                               &f),
                     ERR_OK);
    assert_true(str_eq(p.progress.progress, STR("0.50")));
    assert_true(str_eq(p.token.text, STR("3")));
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_12_what_is_read_is_what_is_written),
        cmocka_unit_test(rule_34_unknown_members_are_refused),
        cmocka_unit_test(test_wrong_values_are_refused),
        cmocka_unit_test(test_meta_names_and_cursors_are_bounded),
        cmocka_unit_test(test_what_goes_out_may_differ_where_it_is_said),
        cmocka_unit_test(test_a_large_meta_is_written_whole),
        cmocka_unit_test(test_values_are_taken_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
