/* Tests app/entry_tree: who asked whom to do what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "app/entry_tree.h"
#include "base/attr.h"

#define CHAIN                                                                  \
    "\"chain\":[{\"id\":\"corp|ann\"},{\"id\":\"acme/bot\"}],\"session\":"     \
    "\"5e55\","
#define ALLOW "\"decision\":{\"effect\":\"allow\",\"policies\":[\"p\"]},"

static char *print(const char *const *entries, size_t count, bool color)
{
    struct entry_tree *t;
    char *out = NULL;
    size_t len;
    FILE *file = open_memstream(&out, &len);

    assert_non_null(file);
    assert_int_equal(entry_tree_new(&t), ERR_OK);
    for (size_t i = 0; i < count; i++) {
        const struct ledger_entry e = {.index = i,
                                       .text = str_from(entries[i])};
        assert_int_equal(entry_tree_add(t, &e), ERR_OK);
    }
    entry_tree_print(t, color, file);
    entry_tree_free(t);
    (void)fclose(file);
    return out;
}

static void is_tree(const char *const *entries, size_t count, const char *want)
{
    char *got = print(entries, count, false);
    assert_string_equal(got, want);
    free(got);
}

static void test_calls_stand_below_their_session_and_their_parent(void **state)
{
    static const char *const entries[] = {
        "{\"event\":\"start\",\"kind\":\"lifecycle\"}",
        "{" CHAIN "\"kind\":\"session\",\"time\":\"2026-11-20T07:30:00.0Z\"}",
        /* A child whose parent comes later: the parent was refused. */
        "{\"action\":\"tool:list\"," CHAIN ALLOW "\"id\":\"02\",\"kind\":"
        "\"intent\",\"parent\":\"01\",\"resource\":{\"id\":\"crm\"}}",
        "{\"duration_ms\":7,\"intent\":2,\"kind\":\"outcome\",\"response\":"
        "{\"status\":200},\"status\":\"ok\"}",
        "{\"action\":\"tool:call\"," CHAIN "\"decision\":{\"effect\":"
        "\"deny\"},\"error\":{\"code\":\"denied\"},\"id\":\"01\",\"kind\":"
        "\"refusal\",\"resource\":{\"id\":\"crm/get\"}}",
        "{\"action\":\"model:invoke\"," CHAIN ALLOW
        "\"destination\":{\"provider\":\"openai\"},\"id\":\"03\",\"kind\":"
        "\"intent\",\"resource\":{\"id\":\"small\"},\"route\":{\"candidates\":"
        "[{\"model\":\"gpt\"}],\"chosen\":0}}",
        "{\"chain\":[{\"id\":\"acme/other\"}],\"decision\":{\"effect\":"
        "\"deny\"},\"error\":{\"code\":\"revoked\"},\"id\":\"04\",\"kind\":"
        "\"refusal\"}",
        "{\"count\":3,\"error\":{\"code\":\"invalid_credential\"},\"kind\":"
        "\"refusal\",\"source\":\"192.0.2.1\"}",
    };
    (void)state;
    is_tree(entries, ARRAY_LEN(entries),
            "without a session\n"
            "|- 0    lifecycle start\n"
            "|- 6    acme/other: a call                                       "
            "deny  revoked\n"
            "`- 7    refusal invalid_credential x 3 from 192.0.2.1\n"
            "session 5e55  corp|ann > acme/bot  2026-11-20T07:30:00\n"
            "|- 4    tool:call crm/get                                        "
            "deny  denied, no policy permits it\n"
            "|  `- 2    tool:list crm                                         "
            "allow by p; ok 200, 7 ms\n"
            "`- 5    model:invoke small -> openai/gpt                         "
            "allow by p; no outcome yet\n");
}

static void test_peoples_words_stand_below_what_used_them(void **state)
{
    static const char *const entries[] = {
        "{\"approval\":{\"id\":\"aa\",\"needs\":[{\"group\":\"finance\","
        "\"policy\":\"p\"}]},\"event\":\"ask\",\"id\":\"01\",\"kind\":"
        "\"approval\"}",
        "{\"approval\":{\"id\":\"aa\"},\"author\":{\"id\":\"local|bob\"},"
        "\"detail\":\"fine\",\"event\":\"approve\",\"id\":\"01\",\"kind\":"
        "\"approval\"}",
        "{\"action\":\"tool:call\"," CHAIN "\"approval\":{\"by\":[\"local|bob"
        "\"],\"id\":\"aa\"}," ALLOW "\"id\":\"09\",\"kind\":\"intent\"}",
        ("{\"approval\":{\"id\":\"bb\"},\"event\":\"expire\",\"id\":\"77\","
         "\"kind\":\"approval\"}"),
    };
    (void)state;
    is_tree(entries, ARRAY_LEN(entries),
            "without a session\n"
            "`- 3    expire ticket bb\n"
            "session 5e55  corp|ann > acme/bot\n"
            "`- 2    tool:call                                                "
            "allow by p; approved by local|bob; no outcome yet\n"
            "   |- 0    ask ticket aa: needs finance\n"
            "   `- 1    approve ticket aa by local|bob: fine\n");
}

static void test_a_circle_of_parents_ends(void **state)
{
    static const char *const entries[] = {
        "{" CHAIN "\"id\":\"01\",\"kind\":\"intent\",\"parent\":\"02\"}",
        "{" CHAIN "\"id\":\"02\",\"kind\":\"intent\",\"parent\":\"01\"}",
        "{" CHAIN "\"id\":\"03\",\"kind\":\"intent\",\"parent\":\"03\"}",
    };
    (void)state;
    is_tree(entries, ARRAY_LEN(entries),
            "session 5e55  corp|ann > acme/bot\n"
            "|- 1    a call; no outcome yet\n"
            "|  `- 0    a call; no outcome yet\n"
            "`- 2    a call; no outcome yet\n");
}

static void test_what_is_too_deep_is_not_followed(void **state)
{
    char entries[40][160];
    const char *at[ARRAY_LEN(entries)];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
        (void)snprintf(entries[i], sizeof(entries[i]),
                       "{" CHAIN "\"id\":\"%02zu\",\"kind\":\"intent\","
                       "\"parent\":\"%02zu\"}",
                       i, i + 1);
        at[i] = entries[i];
    }
    char *got = print(at, ARRAY_LEN(at), false);
    assert_non_null(strstr(got, "`- ...\n"));
    assert_null(strstr(got, "`- 5 "));
    assert_non_null(strstr(got, "`- 39   a call"));
    free(got);
}

static void test_what_is_from_outside_does_not_steer_a_terminal(void **state)
{
    static const char *const entries[] = {
        "{" CHAIN "\"action\":\"a\\u001b[2J\"," ALLOW "\"id\":\"01\",\"kind\":"
        "\"intent\"}",
    };
    char *plain = print(entries, 1, false);
    char *color = print(entries, 1, true);

    (void)state;
    assert_null(strchr(plain, '\033'));
    assert_non_null(strstr(color, "\033[32mallow"));
    assert_null(strstr(color, "\033[2J"));
    free(plain);
    free(color);
}

static void test_what_is_no_entry_is_refused(void **state)
{
    static const char *const bad[] = {"[]", "{", "7"};
    struct entry_tree *t;

    (void)state;
    assert_int_equal(entry_tree_new(&t), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const struct ledger_entry e = {.text = str_from(bad[i])};
        assert_int_equal(entry_tree_add(t, &e), ERR_MALFORMED);
    }
    for (uint64_t i = 0; i <= ENTRY_TREE_MAX; i++) {
        const struct ledger_entry e = {.index = i,
                                       .text = STR("{\"kind\":\"admin\"}")};
        assert_int_equal(entry_tree_add(t, &e),
                         i < ENTRY_TREE_MAX ? ERR_OK : ERR_LIMIT);
    }
    entry_tree_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_stand_below_their_session_and_their_parent),
        cmocka_unit_test(test_peoples_words_stand_below_what_used_them),
        cmocka_unit_test(test_a_circle_of_parents_ends),
        cmocka_unit_test(test_what_is_too_deep_is_not_followed),
        cmocka_unit_test(test_what_is_from_outside_does_not_steer_a_terminal),
        cmocka_unit_test(test_what_is_no_entry_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
