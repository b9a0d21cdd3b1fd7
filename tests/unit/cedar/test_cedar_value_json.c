/*
 * Tests cedar/cedar_value_json and schema_value: which JSON is an entity or a
 * call, as another implementation reads it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/attr.h"
#include "cedar/cedar.h"

struct form {
    const char *json;
    bool ok;
};

/* Whether entities load in which "%s" is the form. */
static void expect(const struct cedar_schema *s, const char *around,
                   const struct form *forms, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct buf text;
        struct cedar_entities *e = NULL;
        const char *at = strchr(around, '%');
        assert_non_null(at);
        buf_init(&text, 4096);
        buf_addf(&text, "%.*s%s%s", (int)(at - around), around, forms[i].json,
                 at + 1);
        enum err err = s == NULL
                           ? cedar_entities_load(buf_str(&text), NULL, &e)
                           : cedar_schema_entities(s, buf_str(&text), NULL, &e);
        if ((err == ERR_OK) != forms[i].ok)
            fail_msg("%s: expected %s", text.ptr, forms[i].ok ? "yes" : "no");
        buf_release(&text);
        cedar_entities_free(e);
    }
}

static void test_what_is_beside_a_uid_does_not_count(void **state)
{
    (void)state;
    static const struct form forms[] = {
        {"{\"type\":\"A\",\"id\":\"b\"}", true},
        {"{\"type\":\"A\",\"id\":\"b\",\"x\":1}", true},
        {"{\"__entity\":{\"type\":\"A\",\"id\":\"b\"},\"x\":1}", true},
        {"{\"__entity\":{\"type\":\"A\"},\"type\":\"A\",\"id\":\"b\"}", true},
        {"{\"__entity\":{\"type\":\"if\",\"id\":\"\"},\"type\":\"A\",\"id\":"
         "\"b\"}",
         false},
        {"{\"__expr\":1,\"type\":\"A\",\"id\":\"b\"}", true},
        {"{\"__expr\":\"1\",\"type\":\"A\",\"id\":\"b\"}", false},
        {"{\"__entity\":{\"__entity\":{\"type\":\"A\",\"id\":\"b\"}}}", false},
        {"{\"type\":\"A\"}", false},
        {"\"A::\\\"b\\\"\"", false},
    };
    expect(NULL, "[{\"uid\":%,\"attrs\":{},\"parents\":[]}]", forms,
           ARRAY_LEN(forms));
    expect(NULL,
           "[{\"uid\":{\"type\":\"B\",\"id\":\"\"},\"attrs\":{},\"parents\":[%"
           "]}]",
           forms, ARRAY_LEN(forms));
}

static void test_an_escape_that_is_none_is_a_record(void **state)
{
    (void)state;
    static const struct form forms[] = {
        {"{\"__expr\":1}", true},
        {"{\"__expr\":\"1\"}", false},
        {"{\"__entity\":1}", true},
        {"{\"__entity\":{\"__expr\":\"1\",\"type\":\"A\",\"id\":\"b\"}}", true},
        {"{\"__entity\":{\"type\":\"if\",\"id\":\"b\"},\"x\":1}", true},
        {"{\"__entity\":{\"type\":\"if\",\"id\":\"b\"}}", false},
        {"{\"__extn\":{\"fn\":\"ip\",\"arg\":\"x\"},\"x\":1}", true},
        {"{\"__extn\":{\"fn\":\"ip\",\"arg\":\"x\"}}", false},
    };
    expect(NULL,
           "[{\"uid\":{\"type\":\"B\",\"id\":\"\"},\"attrs\":{\"a\":%},"
           "\"parents\":[]}]",
           forms, ARRAY_LEN(forms));
}

static void test_a_schema_looks_past_what_is_beside(void **state)
{
    (void)state;
    static const struct form calls[] = {
        {"\"1.0\"", true},
        {"{\"fn\":\"decimal\",\"arg\":\"1.0\",\"x\":1}", true},
        {"{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1.0\"},\"x\":1}", true},
        {"{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1\"},\"x\":1}", false},
        {"{\"__extn\":1,\"fn\":\"decimal\",\"arg\":\"1.0\"}", true},
        {"{\"fn\":\"ip\",\"arg\":\"::1\"}", false},
    };
    static const struct form uids[] = {
        {"{\"__entity\":{\"type\":\"B\",\"id\":\"b\"},\"x\":1}", true},
        {"{\"__entity\":{\"type\":\"B\"},\"type\":\"B\",\"id\":\"b\"}", true},
        {"{\"__entity\":{\"__entity\":{\"type\":\"B\",\"id\":\"b\"}}}", false},
    };
    struct cedar_schema *s = NULL;
    assert_int_equal(cedar_schema_load(STR("entity B {d?: decimal, b?: B};"),
                                       NULL, &s),
                     ERR_OK);
    expect(s,
           "[{\"uid\":{\"type\":\"B\",\"id\":\"\"},\"attrs\":{\"d\":%},"
           "\"parents\":[]}]",
           calls, ARRAY_LEN(calls));
    expect(s,
           "[{\"uid\":{\"type\":\"B\",\"id\":\"\"},\"attrs\":{\"b\":%},"
           "\"parents\":[]}]",
           uids, ARRAY_LEN(uids));
    cedar_schema_free(s);
}

static void test_parents_of_actions_are_actions(void **state)
{
    (void)state;
    static const struct form forms[] = {
        {"{\"type\":\"Action\",\"id\":\"b\"}", true},
        {"{\"type\":\"N::Action\",\"id\":\"b\"}", true},
        {"{\"type\":\"Group\",\"id\":\"b\"}", false},
    };
    expect(NULL,
           "[{\"uid\":{\"type\":\"Action\",\"id\":\"\"},\"attrs\":{},"
           "\"parents\":[%]}]",
           forms, ARRAY_LEN(forms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_beside_a_uid_does_not_count),
        cmocka_unit_test(test_an_escape_that_is_none_is_a_record),
        cmocka_unit_test(test_a_schema_looks_past_what_is_beside),
        cmocka_unit_test(test_parents_of_actions_are_actions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
