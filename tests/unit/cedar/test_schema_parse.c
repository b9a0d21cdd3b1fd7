/* Tests cedar/schema_parse: which words may be names of what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "cedar/cedar.h"

static void test_cedar_names_what_has_no_namespace(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
    } cases[] = {
        {"entity A {__cedar: Long};", true},
        {"entity A {in: Long};", false},
        {"entity A {\"in\": Long, entity: Long};", true},
        {"action __cedar; action b in __cedar;", true},
        {"action b in __cedar;", false},
        {"action in;", false},
        {"entity __cedar;", false},
        {"type __cedar = Long;", false},
        {"namespace __cedar { entity A; }", false},
        {"@__cedar entity A;", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cedar_schema *s = NULL;
        enum err e = cedar_schema_load(str_from(cases[i].text), NULL, &s);
        if ((e == ERR_OK) != cases[i].ok)
            fail_msg("%s: expected %s", cases[i].text,
                     cases[i].ok ? "yes" : "no");
        cedar_schema_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cedar_names_what_has_no_namespace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
