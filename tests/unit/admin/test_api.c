/* Tests admin/api: the table of endpoints, and who may ask for what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/api.h"
#include "base/attr.h"
#include "fixture.h"

static void test_paths_are_found_by_method_and_form(void **state)
{
    (void)state;
    static const struct {
        struct str method, path, argument;
        enum action_kind action; /* ACTION_NONE: not found */
        bool known;
    } cases[] = {
        {STR_INIT("GET"), STR_INIT("status"), STR_INIT(""), ACTION_ADMIN_READ,
         true},
        {STR_INIT("POST"), STR_INIT("status"), STR_INIT(""), ACTION_NONE, true},
        {STR_INIT("GET"), STR_INIT("agents"), STR_INIT(""), ACTION_ADMIN_READ,
         true},
        {STR_INIT("GET"), STR_INIT("agents/acme/writer"),
         STR_INIT("acme/writer"), ACTION_ADMIN_READ, true},
        {STR_INIT("POST"), STR_INIT("agents/acme/writer/suspend"),
         STR_INIT("acme/writer"), ACTION_REVOKE_WRITE, true},
        {STR_INIT("POST"), STR_INIT("agents/acme/suspend/suspend"),
         STR_INIT("acme/suspend"), ACTION_REVOKE_WRITE, true},
        {STR_INIT("POST"), STR_INIT("agents/-/resume"), STR_INIT("-"),
         ACTION_AGENT_WRITE, true},
        {STR_INIT("POST"), STR_INIT("agents/adopt"), STR_INIT(""),
         ACTION_AGENT_WRITE, true},
        {STR_INIT("POST"), STR_INIT("agents//suspend"), STR_INIT(""),
         ACTION_NONE, true},
        {STR_INIT("POST"), STR_INIT("agents/suspend"), STR_INIT(""),
         ACTION_NONE, true},
        {STR_INIT("POST"), STR_INIT("sessions/00/end"), STR_INIT("00"),
         ACTION_REVOKE_WRITE, true},
        {STR_INIT("GET"), STR_INIT("agents/"), STR_INIT(""), ACTION_NONE,
         false},
        {STR_INIT("GET"), STR_INIT(""), STR_INIT(""), ACTION_NONE, false},
        {STR_INIT("DELETE"), STR_INIT("agents"), STR_INIT(""), ACTION_NONE,
         true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str argument;
        bool known;
        print_message("  case: %.*s %.*s\n", STR_FMT(cases[i].method),
                      STR_FMT(cases[i].path));
        const struct api_endpoint *e =
            api_find(cases[i].method, cases[i].path, &argument, &known);
        assert_int_equal(known, cases[i].known);
        assert_int_equal(e == NULL ? ACTION_NONE : e->action, cases[i].action);
        if (e != NULL)
            assert_true(str_eq(argument, cases[i].argument));
    }
}

static void
test_every_endpoint_names_its_right_and_few_are_anonymous(void **state)
{
    (void)state;
    size_t n, anonymous = 0;
    const struct api_endpoint *table = api_table(&n);

    for (size_t i = 0; i < n; i++) {
        bool reads = str_eq(table[i].method, STR("GET"));
        assert_true(table[i].action != ACTION_NONE);
        assert_non_null(table[i].handle);
        assert_true(!reads || table[i].action == ACTION_ADMIN_READ);
        anonymous += table[i].anonymous;
        assert_true(!table[i].anonymous ||
                    str_eq(table[i].path, STR("login")) ||
                    str_eq(table[i].path, STR("enrol")));
    }
    assert_int_equal(anonymous, 2);
}

static void test_rule_33_nobody_unknown_gets_anything(void **state)
{
    struct fixture *f = *state;
    size_t n;
    const struct api_endpoint *table = api_table(&n);

    for (size_t i = 0; i < n; i++) {
        /* The table's texts are literals and end with a NUL. */
        const char *method = table[i].method.ptr;
        const char *path = table[i].path.ptr;
        fixture_ask_unknown(f, method, path, "{}");
        assert_int_equal(f->replies, 1);
        assert_int_equal(f->status, table[i].anonymous ? 400 : 401);
    }
    fixture_ask_unknown(f, "GET", "no/such/path", "");
    assert_int_equal(f->status, 401); /* nor learns what there is */
}

static void test_a_refusal_of_somebody_known_is_recorded(void **state)
{
    struct fixture *f = *state;

    fixture_ask(f, "POST", "agents", "{\"nmae\":\"x\"}");
    assert_int_equal(f->status, 400);
    assert_true(fixture_says(f, "\"code\":\"unknown_field\""));
    assert_true(fixture_says(f, "\"param\":\"nmae\""));
    assert_int_equal(fixture_entries(f, "\"kind\":\"refusal\""), 1);
    assert_int_equal(fixture_entries(f, "local|ada\",\"issuer\":\"local\""), 1);
    fixture_ask(f, "GET", "nothing", "");
    assert_int_equal(f->status, 404);
    fixture_ask(f, "POST", "budgets", "");
    assert_int_equal(f->status, 405);
    assert_int_equal(fixture_entries(f, "\"kind\":\"refusal\""), 3);
}

static void test_what_reads_answers(void **state)
{
    struct fixture *f = *state;

    fixture_ask(f, "GET", "status", "");
    assert_true(fixture_says(f, "{\"node\":\"gw-1\"}"));
    fixture_ask(f, "GET", "budgets", "");
    assert_true(fixture_says(f, "{\"budgets\":[]}"));
    fixture_ask(f, "GET", "sessions", "");
    assert_true(fixture_says(f, "{\"sessions\":[]}"));
    fixture_ask(f, "GET", "agents?kind=human", "");
    assert_true(fixture_says(f, "\"id\":\"keys|alice\""));
    fixture_ask(f, "GET", "agents?kind=agent", "");
    assert_true(fixture_says(f, "{\"agents\":[]}"));
    fixture_ask(f, "GET", "agents/keys%7Calice", "");
    assert_int_equal(f->status, 200);
    fixture_ask(f, "GET", "agents/-?id=keys%7Calice&kind=human", "");
    assert_int_equal(f->status, 200);
    assert_false(fixture_says(f, "hmac"));
    fixture_ask(f, "GET", "agents/-?id=keys%7Calice&kind=agent", "");
    assert_int_equal(f->status, 404);
    fixture_ask(f, "GET", "agents/keys%7Calice?sort=a", "");
    assert_int_equal(f->status, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_are_found_by_method_and_form),
        cmocka_unit_test(
            test_every_endpoint_names_its_right_and_few_are_anonymous),
        cmocka_unit_test_setup_teardown(
            test_rule_33_nobody_unknown_gets_anything, fixture_open,
            fixture_close),
        cmocka_unit_test_setup_teardown(
            test_a_refusal_of_somebody_known_is_recorded, fixture_open,
            fixture_close),
        cmocka_unit_test_setup_teardown(test_what_reads_answers, fixture_open,
                                        fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
