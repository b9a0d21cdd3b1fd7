/* Tests app/entry_view: entries as rows, whole, and as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "app/entry_view.h"
#include "base/attr.h"

static const char intent[] =
    "{\"action\":\"model:invoke\",\"chain\":[{\"id\":\"keys|alice\"},"
    "{\"id\":\"acme/agent\"}],\"decision\":{\"effect\":\"allow\"},"
    "\"destination\":{\"host\":\"h\",\"provider\":\"openai\"},"
    "\"kind\":\"intent\",\"resource\":{\"id\":\"small\",\"type\":\"Model\"},"
    "\"route\":{\"candidates\":[{\"model\":\"a\"},{\"model\":\"gpt-4o-mini\"}]"
    ",\"chosen\":1},\"time\":\"2026-11-20T07:30:00.123456Z\",\"v\":1}";

static const char outcome[] =
    "{\"duration_ms\":812,\"intent\":4,\"kind\":\"outcome\",\"response\":"
    "{\"status\":200,\"usage\":{\"input_tokens\":12,\"output_tokens\":34}},"
    "\"status\":\"ok\",\"time\":\"2026-11-20T07:30:01.000000Z\",\"v\":1}";

static const char decided[] =
    "{\"decision\":{\"effect\":\"allow\",\"policies\":[\"p\",\"agents\"],"
    "\"shadow\":{\"effect\":\"deny\"}},\"kind\":\"intent\"}";

static const char refused[] =
    "{\"decision\":{\"effect\":\"deny\",\"policies\":[\"no-us\"],"
    "\"shadow\":{\"effect\":\"deny\"}},\"error\":{\"code\":\"denied\"},"
    "\"kind\":\"refusal\"}";

static const char unknown[] =
    "{\"count\":9,\"error\":{\"code\":\"invalid_credential\"},\"kind\":"
    "\"refusal\",\"source\":\"192.0.2.1\",\"time\":\"2026-11-20T07:30:01."
    "000000Z\"}";

static const char word[] =
    "{\"action\":\"tool:call\",\"approval\":{\"groups\":[\"finance\"],\"id\":"
    "\"11112222333344445555666677778888\"},\"author\":{\"id\":\"local|ada\","
    "\"method\":\"login\"},\"event\":\"approve\",\"kind\":\"approval\","
    "\"resource\":{\"id\":\"bank/pay\"},\"time\":\"2026-11-20T07:30:01."
    "000000Z\"}";

static const char approved[] =
    "{\"approval\":{\"at\":\"2026-11-20T07:30:01.000000Z\",\"by\":["
    "\"local|ada\",\"local|bob\"],\"id\":\"1122\"},\"decision\":{"
    "\"effect\":\"allow\"},\"kind\":\"intent\"}";

static char *print(struct str text, bool color,
                   enum err (*view)(struct arena *, const struct ledger_entry *,
                                    bool, FILE *),
                   enum err want)
{
    char *out = NULL;
    size_t len;
    struct arena a;
    const struct ledger_entry e = {.index = 5, .text = text, .wall_us = 1};
    FILE *f = open_memstream(&out, &len);
    assert_non_null(f);
    arena_init(&a, 1 << 20);
    assert_int_equal(view(&a, &e, color, f), want);
    arena_release(&a);
    (void)fclose(f);
    return out;
}

static void test_a_row_shows_who_what_where_and_how(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        const char *want;
    } rows[] = {
        {STR_INIT(intent),
         "       5 11-20 07:30:00.123 intent     keys|alice>acme/age~ "
         "model:invoke small -> openai/gpt-4o-mini      allow    -"
         "                       -                -\n"},
        {STR_INIT(outcome),
         "       5 11-20 07:30:01.000 outcome    -                    "
         "-            of 4                             -        ok 200"
         "                  12+34          812\n"},
        {STR_INIT(unknown),
         "       5 11-20 07:30:01.000 refusal    192.0.2.1            "
         "-            x 9                              -        "
         "invalid_credential      -                -\n"},
        {STR_INIT(word),
         "       5 11-20 07:30:01.000 approval   local|ada            "
         "approve      bank/pay                         -        "
         "ticket 111122223333     -                -\n"},
        {STR_INIT(decided),
         "       5 -                  intent     -                    "
         "-            -                                allow    "
         "shadow:deny by p,agents -                -\n"},
        {STR_INIT(refused),
         "       5 -                  refusal    -                    "
         "-            -                                deny     "
         "denied by no-us         -                -\n"},
        {STR_INIT("{\"author\":{\"id\":\"local|ada\"},\"event\":\"suspend\","
                  "\"action\":\"revoke:write\",\"kind\":\"revocation\","
                  "\"subject\":{\"id\":\"acme/writer\"},\"detail\":\"d\"}"),
         "       5 -                  revocation local|ada            "
         "suspend      acme/writer                      -        -"
         "                       -                -\n"},
        {STR_INIT("{}"),
         "       5 -                  -          -                    "
         "-            -                                -        -"
         "                       -                -\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *got = print(rows[i].text, false, entry_view_row, ERR_OK);
        assert_string_equal(got, rows[i].want);
        free(got);
    }
}

static void test_what_an_entry_holds_cannot_steer_a_terminal(void **state)
{
    (void)state;
    struct str text =
        STR("{\"kind\":\"\\u001b[2J\",\"action\":\"a\\nb\\u0085\","
            "\"chain\":[{\"id\":\"\\u00e9\\u00e9\"}]}");
    char *got = print(text, false, entry_view_row, ERR_OK);
    assert_non_null(strstr(got, "?[2J"));
    assert_non_null(strstr(got, "a?b?"));
    assert_null(strchr(got, 0x1b));
    assert_non_null(strstr(got, "\xc3\xa9\xc3\xa9                  "));
    free(got);
}

static void test_colour_is_asked_for(void **state)
{
    (void)state;
    char *got =
        print((struct str)STR_INIT(intent), true, entry_view_row, ERR_OK);
    assert_non_null(strstr(got, "\033[32mallow\033[0m"));
    free(got);
}

static void test_what_is_no_entry_is_an_error(void **state)
{
    (void)state;
    static const struct str texts[] = {STR_INIT(""), STR_INIT("[]"),
                                       STR_INIT("x"), STR_INIT("{\"a\":1")};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(print(texts[i], false, entry_view_row, ERR_MALFORMED));
}

static enum err whole(struct arena *a, const struct ledger_entry *e, bool color,
                      FILE *out)
{
    (void)color;
    return entry_view_whole(a, e, out);
}

static void test_a_whole_entry_is_indented(void **state)
{
    (void)state;
    char *got = print(STR("{\"a\":{\"b\":[1,\"x\"],\"c\":{}},\"d\":[]}"), false,
                      whole, ERR_OK);
    assert_string_equal(got, "entry 5, committed 1970-01-01T00:00:00.000001Z\n"
                             "{\n"
                             "  \"a\": {\n"
                             "    \"b\": [\n"
                             "      1,\n"
                             "      \"x\"\n"
                             "    ],\n"
                             "    \"c\": {}\n"
                             "  },\n"
                             "  \"d\": []\n"
                             "}\n");
    free(got);
}

static void test_a_whole_entry_says_first_who_decided(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        const char *want;
    } rows[] = {
        {STR_INIT(decided), "decision: allow, by \"p\", \"agents\"\n"
                            "shadow: deny, no policy permits it\n{"},
        {STR_INIT(refused), "decision: deny, by \"no-us\"\n"
                            "shadow: deny, no policy permits it\n{"},
        {STR_INIT("{\"decision\":{\"effect\":\"deny\"},"
                  "\"error\":{\"code\":\"denied\"}}"),
         "decision: deny, no policy permits it\n{"},
        {STR_INIT("{\"decision\":{\"effect\":\"deny\",\"errors\":2},"
                  "\"error\":{\"code\":\"denied\"}}"),
         "decision: deny, 2 could not be evaluated\n{"},
        {STR_INIT(approved),
         "decision: allow\napproved: by local|ada, local|bob, ticket 1122\n{"},
        /* No policy was asked. */
        {STR_INIT("{\"decision\":{\"effect\":\"deny\"},"
                  "\"error\":{\"code\":\"revoked\"}}"),
         "decision: deny\n{"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *got = print(rows[i].text, false, whole, ERR_OK);
        assert_non_null(strstr(got, rows[i].want));
        free(got);
    }
}

static void test_the_kinds_are_known(void **state)
{
    (void)state;
    assert_true(entry_view_is_kind(STR("intent")));
    assert_true(entry_view_is_kind(STR("lifecycle")));
    assert_false(entry_view_is_kind(STR("")));
    assert_false(entry_view_is_kind(STR("intents")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_row_shows_who_what_where_and_how),
        cmocka_unit_test(test_what_an_entry_holds_cannot_steer_a_terminal),
        cmocka_unit_test(test_colour_is_asked_for),
        cmocka_unit_test(test_what_is_no_entry_is_an_error),
        cmocka_unit_test(test_a_whole_entry_is_indented),
        cmocka_unit_test(test_a_whole_entry_says_first_who_decided),
        cmocka_unit_test(test_the_kinds_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
