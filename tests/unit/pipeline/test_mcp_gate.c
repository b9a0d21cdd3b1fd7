/* Tests pipeline/mcp_gate.c: who may talk to /mcp by which head. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "pipeline/mcp_gate.h"

static const struct str hosts[] = {STR_INIT("box.local"), STR_INIT("fd00::7")};
static const struct str origins[] = {STR_INIT("https://app.example.org")};
static const struct settings settings = {.hosts = {hosts, 2},
                                         .origins = {origins, 1}};

#define HERE "127.0.0.1:5000"
#define AWAY "192.0.2.1:5000"

static const struct {
    const char *peer, *authority, *origin;
    bool admits;
} heads[] = {
    {HERE, "127.0.0.1:8080", NULL, true},
    {HERE, "127.0.0.1", NULL, true},
    {HERE, "127.8.9.10", NULL, true},
    {HERE, "LOCALHOST:1", NULL, true},
    {HERE, "[::1]:8080", NULL, true},
    {HERE, "box.local:8080", NULL, true},
    {HERE, "[fd00::7]:8080", NULL, true},
    {"[::1]:9", "localhost", NULL, true},
    /* A page's own name that resolves to this machine. */
    {HERE, "evil.org", NULL, false},
    {HERE, "127.0.0.1.evil.org", NULL, false},
    {HERE, "localhost.evil.org", NULL, false},
    {HERE, "evil.localhost", NULL, false},
    {HERE, "box.local.evil.org", NULL, false},
    {HERE, "1270.0.0.1", NULL, false},
    {HERE, "127.1", NULL, false},
    {HERE, "2130706433", NULL, false},
    {HERE, "0.0.0.0", NULL, false},
    {HERE, "[::ffff:1.2.3.4]", NULL, false},
    {HERE, "", NULL, false},
    {HERE, "a@127.0.0.1", NULL, false},
    {"127.0.0.2:1", "evil.org", NULL, false},
    {"[::1]:5000", "evil.org", NULL, false},
    {"[::ffff:127.0.0.1]:5000", "evil.org", NULL, false},
    {"[::ffff:127.0.0.1]:5000", "localhost", NULL, true},
    {"[::ffff:192.0.2.1]:5000", "gate.example.org", NULL, true},
    /* Another machine may use any name, which we cannot know. */
    {AWAY, "gate.example.org", NULL, true},
    {AWAY, "", NULL, false},
    /* A page is of the place that it talks to, or is named. */
    {AWAY, "gate.example.org", "https://gate.example.org", false},
    {AWAY, "gate.example.org", "https://app.example.org", true},
    {AWAY, "gate.example.org", "https://app.example.org.evil.org", false},
    {AWAY, "gate.example.org", "https://app.example.org:444", false},
    {AWAY, "gate.example.org", "http://app.example.org", false},
    {AWAY, "gate.example.org", "null", false},
    {HERE, "localhost:8080", "http://localhost:8080", true},
    {HERE, "localhost:8080", "https://localhost:8080", true},
    {HERE, "localhost:8080", "http://localhost:8081", false},
    {HERE, "localhost:8080", "http://localhost", false},
    {HERE, "localhost:8080", "http://evil.org", false},
    {HERE, "localhost:8080", "ftp://localhost:8080", false},
    {HERE, "localhost:8080", "http://localhost:8080/", false},
    {HERE, "localhost:8080", "null", false},
    {HERE, "evil.org", "http://evil.org", false},
    {HERE, "box.local", "http://box.local", true},
};

static void pages_of_others_are_kept_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        const struct http_field origin = {STR("origin"),
                                          str_from(heads[i].origin == NULL
                                                       ? ""
                                                       : heads[i].origin)};
        const struct http_request_head head = {
            .authority = str_from(heads[i].authority),
            .fields = {&origin, heads[i].origin == NULL ? 0 : 1}};
        if (mcp_gate_admits(&settings, &head, str_from(heads[i].peer)) !=
            heads[i].admits)
            fail_msg("%s asks %s, of %s", heads[i].peer, heads[i].authority,
                     heads[i].origin == NULL ? "nobody" : heads[i].origin);
    }
}

static void two_origins_are_none(void **state)
{
    const struct http_field two[] = {{STR("origin"),
                                      STR("https://app.example.org")},
                                     {STR("origin"),
                                      STR("https://app.example.org")}};
    const struct http_request_head head = {.authority = STR("localhost"),
                                           .fields = {two, 2}};

    (void)state;
    assert_false(mcp_gate_admits(&settings, &head, STR(HERE)));
}

static const struct {
    const char *accept, *type;
    bool takes;
} accepts[] = {
    {"text/event-stream", "text/event-stream", true},
    {"application/json, text/event-stream", "text/event-stream", true},
    {"application/json,TEXT/Event-Stream ; q=0.5", "text/event-stream", true},
    {"*/*", "text/event-stream", true},
    {"application/json", "text/event-stream", false},
    {"text/event-streams", "text/event-stream", false},
    {"text", "text/event-stream", false},
    {"", "text/event-stream", false},
    {",,", "text/event-stream", false},
};

static void a_caller_says_what_it_takes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(accepts); i++) {
        const struct http_field fields[] = {{STR("x"),
                                             STR("text/event-stream")},
                                            {STR("accept"),
                                             str_from(accepts[i].accept)}};
        const struct http_request_head head = {.fields = {fields, 2}};
        if (mcp_gate_accepts(&head, str_from(accepts[i].type)) !=
            accepts[i].takes)
            fail_msg("%s", accepts[i].accept);
    }
    const struct http_request_head none = {0};
    assert_false(mcp_gate_accepts(&none, STR("text/event-stream")));
}

enum { CALL, PROMPT, READ, OTHER, UNREAD };

static const struct {
    int what;
    const char *method, *name; /* of the head, NULL: not there */
    bool same;
} mirrors[] = {
    {CALL, NULL, NULL, true},
    {CALL, "tools/call", "get", true},
    {CALL, "", "", true},
    {CALL, "tools/list", NULL, false},
    {CALL, "TOOLS/CALL", NULL, false},
    {CALL, NULL, "put", false},
    {CALL, NULL, "ge", false},
    {CALL, NULL, "=?base64?Z2V0?=", true},
    {CALL, NULL, "=?base64?cHV0?=", false},
    {CALL, NULL, "=?base64?Z2V0?", false},
    {CALL, NULL, "=?base64?Z2V?=", false},
    {CALL, NULL, "=?base64?Z!V0?=", false},
    {CALL, NULL, "=?base64?", false},
    {CALL, NULL,
     "=?base64?"
     "?=",
     false},
    {PROMPT, NULL, "hello", true},
    {PROMPT, NULL, "get", false},
    {READ, NULL, "file:///a", true},
    {READ, NULL, "file:///b", false},
    {OTHER, "tools/call", NULL, true},
    {OTHER, NULL, "get", false}, /* it mirrors nothing there */
    {UNREAD, NULL, "get", false},
    {UNREAD, "tools/call", NULL, true},
};

static struct params params_of(int what)
{
    struct params p = {0};

    if (what == CALL) {
        p.method = METHOD_TOOLS_CALL;
        p.call.name = STR("get");
    } else if (what == PROMPT) {
        p.method = METHOD_PROMPTS_GET;
        p.prompt.name = STR("hello");
    } else if (what == READ) {
        p.method = METHOD_RESOURCES_READ;
        p.resource.uri = STR("file:///a");
    } else {
        p.method = METHOD_TOOLS_LIST;
    }
    return p;
}

static void rule_12_head_and_body_say_the_same(void **state)
{
    const struct message m = {.kind = MESSAGE_REQUEST,
                              .method = STR("tools/call")};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mirrors); i++) {
        struct http_field fields[2];
        struct http_request_head head = {.fields = {fields, 0}};
        const struct params p = params_of(mirrors[i].what);
        if (mirrors[i].method != NULL)
            fields[head.fields.count++] =
                (struct http_field){STR("mcp-method"),
                                    str_from(mirrors[i].method)};
        if (mirrors[i].name != NULL)
            fields[head.fields.count++] =
                (struct http_field){STR("mcp-name"), str_from(mirrors[i].name)};
        if (mcp_gate_mirrors(&head, &m,
                             mirrors[i].what == UNREAD ? NULL : &p) !=
            mirrors[i].same)
            fail_msg("number %zu", i);
    }
}

static void a_name_too_long_to_be_compared_is_no_mirror(void **state)
{
    static char field[20000];
    const struct http_field name = {STR("mcp-name"), {field, sizeof(field)}};
    const struct http_request_head head = {.fields = {&name, 1}};
    const struct message m = {.kind = MESSAGE_REQUEST,
                              .method = STR("tools/call")};
    const struct params p = params_of(CALL);

    (void)state;
    memset(field, 'A', sizeof(field));
    assert_false(mcp_gate_mirrors(&head, &m, &p));
    memcpy(field, "=?base64?", 9);
    memcpy(field + sizeof(field) - 2, "?=", 2);
    assert_false(mcp_gate_mirrors(&head, &m, &p));
}

static void a_field_that_is_there_twice_is_none(void **state)
{
    const struct http_field fields[] = {{STR("mcp-name"), STR("get")},
                                        {STR("mcp-name"), STR("get")},
                                        {STR("mcp-method"), STR("x")}};
    const struct http_request_head head = {.fields = {fields, 3}};
    const struct message m = {.kind = MESSAGE_REQUEST, .method = STR("x")};
    const struct params p = params_of(CALL);
    struct str value;

    (void)state;
    assert_false(mcp_gate_field(&head, STR("mcp-name"), &value));
    assert_true(mcp_gate_field(&head, STR("mcp-method"), &value));
    assert_true(str_eq(value, STR("x")));
    assert_true(mcp_gate_field(&head, STR("origin"), &value));
    assert_int_equal(value.len, 0);
    assert_false(mcp_gate_mirrors(&head, &m, &p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_of_others_are_kept_out),
        cmocka_unit_test(two_origins_are_none),
        cmocka_unit_test(a_caller_says_what_it_takes),
        cmocka_unit_test(rule_12_head_and_body_say_the_same),
        cmocka_unit_test(a_name_too_long_to_be_compared_is_no_mirror),
        cmocka_unit_test(a_field_that_is_there_twice_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
