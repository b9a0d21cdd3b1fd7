/* Tests pipeline/mcp_uri.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "pipeline/mcp_uri.h"

static const struct {
    const char *uri;
    bool plain;
} cases[] = {
    {"file:///pub/a.txt", true},
    {"file:///a..b/...c/.d", true},
    {"file:///a?b=/../c", true},
    {"file:///a#/../c", true},
    {"file:///a%2e%2eb", true},
    {"urn:isbn:1", true},
    {"repo://x/{path}", true},
    {"x:", true},
    {"file:///pub/../x", false},
    {"file:///pub/./x", false},
    {"file:///pub/..", false},
    {"file:///pub/.", false},
    {"file:///pub/..?x", false},
    {"file:///pub/..#x", false},
    {"file:///pub/%2e%2e/x", false},
    {"file:///pub/.%2E/x", false},
    {"file:///pub%2f..%2Fx", false},
    {"file:///pub%5c..%5Cx", false},
    {"file://../x", false},
    {"x:..", false},
    {"x:../y", false},
};

static void rule_12_a_path_with_dots_is_not_plain(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (mcp_uri_is_plain(str_from(cases[i].uri)) != cases[i].plain)
            fail_msg("%s", cases[i].uri);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_12_a_path_with_dots_is_not_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
