/*
 * Tests mcp/message, method and params together against requests that try to
 * get around a decision: what has to be rejected never becomes a call, and
 * what becomes one says which tool it is about, in one reading.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "mcp/params.h"
#include "vectors.h"

/* The tool that a body calls; empty when it is refused. */
static struct str tool_of(struct arena *a, struct str body)
{
    struct message m;
    struct message_id id;
    struct params p;
    struct fault f = {.err = ERR_OK};
    enum method method = METHOD_NONE;
    enum err e = message_read(a, body, &m, &id, &f);
    if (e == ERR_OK)
        e = method_find(&m, REVISION_NEWEST, METHOD_CLIENT, ~0u, &method, &f);
    if (e == ERR_OK)
        e = params_read(a, method, REVISION_NEWEST, m.params, &p, &f);
    if (e != ERR_OK || method != METHOD_TOOLS_CALL) {
        assert_true(e == ERR_OK || f.text.len > 0);
        return STR("");
    }
    return p.call.name;
}

static struct str member(const struct json *v, const char *name)
{
    struct str s = {NULL, 0};
    (void)!json_str(json_get(v, str_from(name)), &s);
    return s;
}

static void test_nothing_gets_around_the_reading(void **state)
{
    (void)state;
    struct arena a;
    unsigned n = 0;
    const struct json *v;
    arena_init(&a, 64 * MIB);
    const struct json *all =
        vectors_read(&a, "reliability/authz", "authz/cases.json");
    const struct json *cases = json_get(all, STR("cases"));
    struct json_iter it = json_each(cases != NULL ? cases : all);
    while (json_next(&it, NULL, &v)) {
        struct str kind = member(v, "cls");
        struct str expect = member(v, "expect");
        struct str want = STR("");
        if (!str_eq(member(v, "target"), STR("/mcp")) ||
            !(str_eq(kind, STR("base")) || str_eq(kind, STR("dupkey")) ||
              str_eq(kind, STR("batch"))))
            continue; /* not about the body */
        struct str tool = tool_of(&a, member(v, "body"));
        if (str_eq(expect, STR("allow")))
            want = STR("read_file");
        else if (str_eq(expect, STR("deny")) && tool.len > 0)
            want = STR("delete_file");
        if (!str_eq(tool, want))
            print_error("%.*s: %.*s\n", STR_FMT(member(v, "id")),
                        STR_FMT(tool));
        assert_true(str_eq(tool, want));
        n++;
    }
    assert_true(all == NULL || n >= 20);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_gets_around_the_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
