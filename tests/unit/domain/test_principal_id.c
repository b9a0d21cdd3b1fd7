/* Tests domain/principal_id: ids that cannot collide. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "domain/principal_id.h"

static void rule_03_names_never_collide(void **state)
{
    (void)state;
    static const struct {
        enum principal_kind kind;
        const char *issuer, *tenant, *name;
        const char *id; /* NULL: refused */
    } cases[] = {
        {PRINCIPAL_USER, "corp", "acme", "ann", "corp|ann"},
        {PRINCIPAL_USER, "corp", "acme", "a/b", "corp|a/b"},
        {PRINCIPAL_APPLICATION, "corp", "acme", "shop", "corp|shop"},
        {PRINCIPAL_AGENT, "corp", "acme", "writer", "acme/writer"},
        {PRINCIPAL_WORKLOAD, "keys", "acme", "job", "keys|job"},
        {PRINCIPAL_WORKLOAD, "keys", "acme", "spiffe://a/b", "spiffe://a/b"},
        {PRINCIPAL_USER, "keys", "acme", "spiffe://a", "keys|spiffe://a"},
        {PRINCIPAL_AGENT, "corp", "acme", "a/b", NULL},
        {PRINCIPAL_AGENT, "corp", "ac/me", "a", NULL},
        {PRINCIPAL_USER, "co|rp", "acme", "a", NULL},
        {PRINCIPAL_USER, "corp", "acme", "a|b", NULL},
        {PRINCIPAL_USER, "corp", "acme", "a\x1f", NULL},
        {PRINCIPAL_USER, "corp", "acme", "a\x7f", NULL},
        {PRINCIPAL_USER, "corp", "acme", "\xc3", NULL},
        {PRINCIPAL_USER, "corp", "acme", "a\xc2\x9b", NULL},
        {PRINCIPAL_USER, "corp", "acme", "a\xc2\xa0", "corp|a\xc2\xa0"},
        {PRINCIPAL_USER, "corp", "acme", "", NULL},
        {PRINCIPAL_USER, "corp", "", "a", NULL},
        {PRINCIPAL_USER, "", "acme", "a", NULL},
        {PRINCIPAL_NONE, "corp", "acme", "a", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct principal_parts p = {cases[i].kind,
                                          str_from(cases[i].issuer),
                                          str_from(cases[i].tenant),
                                          str_from(cases[i].name)};
        char id[PRINCIPAL_ID_MAX];
        size_t len = 777;
        assert_int_equal(principal_id_make(&p, id, &len), cases[i].id != NULL);
        if (cases[i].id != NULL)
            assert_true(str_eq((struct str){id, len}, str_from(cases[i].id)));
        else
            assert_int_equal(len, 777);
    }
}

static void test_the_longest_names_fit(void **state)
{
    (void)state;
    char name[NAME_MAX_LEN + 1];
    char id[PRINCIPAL_ID_MAX];
    size_t len;
    memset(name, 'n', sizeof(name));
    struct principal_parts p = {.kind = PRINCIPAL_AGENT,
                                .issuer = STR("keys"),
                                .tenant = {name, NAME_MAX_LEN},
                                .name = {name, NAME_MAX_LEN}};
    assert_true(principal_id_make(&p, id, &len));
    assert_int_equal(len, PRINCIPAL_ID_MAX);
    p.name.len++;
    assert_false(principal_id_make(&p, id, &len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_03_names_never_collide),
        cmocka_unit_test(test_the_longest_names_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
