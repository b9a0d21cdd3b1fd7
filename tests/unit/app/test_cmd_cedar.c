/* Tests `cedar run-tests` and `cedar authorize` on files of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/cmd_cedar.h"
#include "base/attr.h"

static const struct cli_command commands[] = {
    {"cedar run-tests", "FILE...", 1, CLI_ARGS_MAX, "", "",
     cmd_cedar_tests_options, cmd_cedar_tests},
    {"cedar authorize", "", 0, 0, "", "", cmd_cedar_authorize_options,
     cmd_cedar_authorize},
};

static const struct cli_program program = {.name = "writ",
                                           .commands = commands,
                                           .count = ARRAY_LEN(commands)};

static char folder[64];

static void put(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fputs(text, f) >= 0, 1);
    assert_int_equal(fclose(f), 0);
}

/* Runs a command line in which @ is the folder; all that it printed is the
 * caller's to free. */
static char *run(const char *line, int want)
{
    enum { WORDS = 64 };
    char *argv[WORDS + 1] = {(char[]){"writ"}};
    char text[4096];
    int argc = 1;
    char *out = NULL;
    size_t len;
    FILE *file = open_memstream(&out, &len);
    size_t at = 0;

    assert_non_null(file);
    for (; *line != 0; line++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%.*s",
                               *line == '@' ? 64 : 1,
                               *line == '@' ? folder : line);
    for (char *left = text, *word; (word = strsep(&left, " ")) != NULL;) {
        assert_true(argc < WORDS);
        argv[argc++] = word;
    }
    int code = cli_run(&program, argc, argv, file, file);
    (void)fclose(file);
    if (code != want)
        fail_msg("exit %d, expected %d\n%s", code, want, out);
    return out;
}

static void prints(const char *line, int want, const char *const *parts)
{
    char *out = run(line, want);
    for (; *parts != NULL; parts++)
        if (strstr(out, *parts) == NULL)
            fail_msg("%s\nis not in:\n%s", *parts, out);
    free(out);
}
#define PRINTS(line, want, ...)                                                \
    prints(line, want, (const char *const[]){__VA_ARGS__, NULL})

static const char schema[] =
    "entity User = {level: Long}; entity Doc;\n"
    "action read appliesTo {principal: User, resource: Doc,\n"
    "  context: {n: Long}};\n"
    "action unused;\n";
static const char policies[] =
    "permit(principal, action, resource) when { context.n > 1 };\n"
    "forbid(principal == User::\"b\", action, resource);\n"
    "permit(principal, action, resource)\n"
    "  when { context.n * 9223372036854775807 > 0 };\n";
static const char entities[] = "[{\"uid\": {\"type\": \"User\", \"id\": \"a\"},"
                               " \"attrs\": {\"level\": 1}, \"parents\": []}]";

#define WORLD                                                                  \
    "\"policies\": \"p.cedar\", \"entities\": \"e.json\", \"schema\": "        \
    "\"s.cedarschema\", \"shouldValidate\": true, "
#define ASKED(who, n)                                                          \
    "{\"description\": \"" who "\", \"principal\": {\"type\": \"User\", "      \
    "\"id\": \"" who "\"}, \"action\": {\"type\": \"Action\", \"id\": "        \
    "\"read\"}, \"resource\": {\"type\": \"Doc\", \"id\": \"d\"}, "            \
    "\"context\": {\"n\": " n "}, "

static int write_files(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/writ_test_cedar_XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    put("s.cedarschema", schema);
    put("p.cedar", policies);
    put("e.json", entities);
    put("good.json",
        "{" WORLD "\"requests\": [" ASKED(
            "a",
            "2") "\"decision\": \"allow\", \"reason\": [\"policy0\"],"
                 " \"errors\": [\"policy2\"]}," ASKED(
                     "b",
                     "1") "\"decision\": \"deny\", \"reason\": [\"policy1\"],"
                          " \"errors\": []}]}");
    put("bad.json",
        "{" WORLD "\"requests\": [" ASKED(
            "a", "2") "\"decision\": \"deny\", \"reason\": [\"policy7\"],"
                      " \"errors\": []}," ASKED(
                          "b", "true") "\"decision\": \"deny\", \"reason\": [],"
                                       " \"errors\": []}]}");
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

static int remove_files(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void test_requests_and_verdicts_are_counted(void **state)
{
    (void)state;
    PRINTS("cedar run-tests --root @ @/good.json", 0, "3 passed, 0 failed\n");
    PRINTS("cedar run-tests --json --root @ @/good.json", 0,
           "{\"ok\":true,\"passed\":3,\"failed\":0,\"files\":1,"
           "\"differences\":[]}");
}

static void test_files_may_be_named_as_from_the_root(void **state)
{
    (void)state;
    PRINTS("cedar run-tests --root @ good.json", 0, "3 passed, 0 failed\n");
}

static void test_every_difference_is_printed(void **state)
{
    (void)state;
    PRINTS("cedar run-tests --root @ @/bad.json @/good.json", 1,
           "bad.json: a: decision: expected deny, got allow; reason: expected "
           "[\"policy7\"], got [\"policy0\"]; errors: expected [], got "
           "[\"policy2\"]\n",
           "bad.json: b: a value is not of the type", "4 passed, 2 failed\n");
    PRINTS("cedar run-tests --json --root @ @/bad.json", 1,
           "\"failed\":2,\"files\":1,\"differences\":[{\"file\":",
           "\"request\":\"a\",\"error\":\"decision: expected deny");
}

static void test_what_cannot_be_loaded_fails(void **state)
{
    (void)state;
    put("broken.cedar", "permit(principal, action, resource) when { 1 + };");
    put("broken.json", "{\"policies\": \"broken.cedar\", \"entities\": "
                       "\"e.json\", \"schema\": \"s.cedarschema\", "
                       "\"shouldValidate\": true, \"requests\": [" ASKED(
                           "a", "2") "\"decision\": \"deny\", \"reason\": [], "
                                     "\"errors\": []}]}");
    PRINTS("cedar run-tests --root @ @/broken.json", 1,
           "broken.cedar:1:48: ", "broken.json: a: not run",
           "0 passed, 2 failed\n");
    put("none.json", "{\"policies\": \"p.cedar\", \"entities\": \"e.json\"}");
    PRINTS("cedar run-tests --root @ @/none.json @/nothing.json", 1,
           "none.json: schema: is no path",
           "nothing.json: the file cannot be read", "0 passed, 2 failed\n");
    put("cut.json", "{");
    PRINTS("cedar run-tests --root @ @/cut.json", 1, "no JSON at byte 1");
}

static void test_the_validator_is_of_4_12_unless_asked(void **state)
{
    (void)state;
    put("idle.cedar",
        "permit(principal, action == Action::\"unused\", resource);");
    put("idle.json",
        "{\"policies\": \"idle.cedar\", \"entities\": \"e.json\", \"schema\": "
        "\"s.cedarschema\", \"shouldValidate\": false, \"requests\": []}");
    PRINTS("cedar run-tests --root @ @/idle.json", 0, "1 passed, 0 failed\n");
    PRINTS("cedar run-tests --as 4.13 --root @ @/idle.json", 1,
           "shouldValidate: expected false, got true", "0 passed, 1 failed\n");
    PRINTS("cedar run-tests --as 3 --root @ @/idle.json", 2, "4.12 or 4.13");
    PRINTS("cedar run-tests --root @/not @/idle.json", 1, "cannot be opened");
}

static void test_more_files_than_a_table_would_have(void **state)
{
    (void)state;
    char line[1024] = "cedar run-tests --root @";
    size_t at = strlen(line);
    for (int i = 0; i < 50; i++)
        at += (size_t)snprintf(line + at, sizeof(line) - at, " @/good.json");
    PRINTS(line, 0, "150 passed, 0 failed\n");
}

#define AUTHORIZE                                                              \
    "cedar authorize --json --policies @/p.cedar --entities @/e.json "
#define ALICE                                                                  \
    "\"principal\": \"User::\\\"a\\\"\", \"action\": {\"type\": \"Action\", "  \
    "\"id\": \"read\"}, \"resource\": {\"__entity\": {\"type\": \"Doc\", "     \
    "\"id\": \"d\"}}, "

static void test_one_request_is_answered(void **state)
{
    (void)state;
    put("q.json", "{" ALICE "\"context\": {\"n\": 2}}");
    PRINTS(AUTHORIZE "--request @/q.json", 0,
           "{\"decision\":\"allow\",\"reason\":[\"policy0\"],\"errors\":["
           "\"policy2\"],\"faults\":[{\"policy\":\"policy2\",\"line\":4,");
    PRINTS(AUTHORIZE "--schema @/s.cedarschema --request @/q.json", 0,
           "{\"decision\":\"allow\",");
    put("q.json", "{" ALICE "\"context\": {\"n\": 1}}");
    PRINTS(AUTHORIZE "--request @/q.json", 0, "[\"policy2\"],\"errors\":[]");
    put("q.json", "{" ALICE "\"context\": {\"n\": -1}}");
    PRINTS(AUTHORIZE "--request @/q.json", 1,
           "{\"decision\":\"deny\",\"reason\":[],\"errors\":[],\"faults\":[]}");
}

static void test_policies_and_schema_may_be_json(void **state)
{
    (void)state;
    put("q.json", "{" ALICE "\"context\": {}}");
    put("p.json",
        "{\"staticPolicies\": {}, \"templates\": {\"t\": {\"effect\": "
        "\"permit\", \"principal\": {\"op\": \"==\", \"slot\": "
        "\"?principal\"}, \"action\": {\"op\": \"All\"}, \"resource\": "
        "{\"op\": \"All\"}, \"conditions\": []}}, \"templateLinks\": "
        "[{\"templateId\": \"t\", \"newId\": \"mine\", \"values\": "
        "{\"?principal\": {\"type\": \"User\", \"id\": \"a\"}}}]}");
    put("s.json",
        "{\"\": {\"entityTypes\": {\"User\": {}, \"Doc\": {}}, "
        "\"actions\": {\"read\": {\"appliesTo\": {\"principalTypes\": "
        "[\"User\"], \"resourceTypes\": [\"Doc\"]}}}}}");
    put("none.json", "[]");
    PRINTS("cedar authorize --json --policies @/p.json --entities @/none.json "
           "--schema @/s.json --request @/q.json",
           0, "{\"decision\":\"allow\",\"reason\":[\"mine\"],");
}

static void test_a_request_that_is_none_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *request, *why;
    } cases[] = {
        {"{" ALICE "\"context\": {\"n\": true}}", "not of the type"},
        {"{" ALICE "\"context\": []}", "q.json: "},
        {"{\"principal\": \"User\"}", "an entity is written Type::"},
        {"{\"principal\": \"if::\\\"a\\\"\"}", "type is not a name"},
        {"{\"principal\": \"A::\\\"a\\\" \"}", "an entity is written"},
        {"{\"principal\": \"A::\\\"\\\\q\\\"\"}", "unknown escape"},
        {"{\"principal\": {\"type\": \"User\"}}", "an entity is an object"},
        {"[", "q.json: "},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        put("q.json", cases[i].request);
        PRINTS(AUTHORIZE "--schema @/s.cedarschema --request @/q.json", 1,
               "{\"ok\":false,\"error\":", cases[i].why);
    }
    PRINTS("cedar authorize --request @/q.json", 2, "--policies is missing");
    PRINTS(AUTHORIZE "--request @/nothing.json", 1, "there is no such file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_and_verdicts_are_counted),
        cmocka_unit_test(test_files_may_be_named_as_from_the_root),
        cmocka_unit_test(test_every_difference_is_printed),
        cmocka_unit_test(test_what_cannot_be_loaded_fails),
        cmocka_unit_test(test_the_validator_is_of_4_12_unless_asked),
        cmocka_unit_test(test_more_files_than_a_table_would_have),
        cmocka_unit_test(test_one_request_is_answered),
        cmocka_unit_test(test_policies_and_schema_may_be_json),
        cmocka_unit_test(test_a_request_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, write_files, remove_files);
}
