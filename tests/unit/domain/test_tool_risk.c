/* Tests domain/tool_risk: rule 13, and what a server may add to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "domain/risk.h"
#include "domain/tool_risk.h"

static const struct tool_risk_settings rules[] = {
    {STR_INIT("read_*"), RISK_READ},
    {STR_INIT("*_secret"), RISK_SECRET},
    {STR_INIT("write_file"), RISK_WRITE},
    {STR_INIT("nothing"), 0}, /* no configuration can say so */
};
static const struct tool_server_settings files = {.risk = rules,
                                                  .risk_count =
                                                      ARRAY_LEN(rules)};
static const struct tool_server_settings bare = {.risk_count = 0};

static void rule_13_unknown_is_dangerous(void **state)
{
    (void)state;
    static const struct {
        const struct tool_server_settings *server;
        const char *tool;
        uint32_t risk;
    } rows[] = {
        {&files, "read_file", RISK_READ},
        {&files, "write_file", RISK_WRITE},
        /* Rules that overlap add. */
        {&files, "read_secret", RISK_READ | RISK_SECRET},
        {&files, "delete_file", RISK_ALL},
        {&files, "Read_file", RISK_ALL},
        {&files, "a_read_file", RISK_ALL},
        {&files, "write_file2", RISK_ALL},
        {&files, "nothing", RISK_ALL},
        {&files, "", RISK_ALL},
        {&bare, "read_file", RISK_ALL},
    };
    const struct tool_risk_hints none = {.read_only = TOOL_RISK_UNSAID};
    const struct tool_risk_hints harmless = {.read_only = TOOL_RISK_YES,
                                             .destructive = TOOL_RISK_NO,
                                             .open_world = TOOL_RISK_NO};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str tool = str_from(rows[i].tool);
        assert_int_equal(tool_risk(rows[i].server, tool, none), rows[i].risk);
        /* What a server says never takes away. */
        assert_int_equal(tool_risk(rows[i].server, tool, harmless),
                         rows[i].risk);
    }
}

static void rule_13_a_servers_own_words_may_only_raise(void **state)
{
    (void)state;
    static const struct {
        struct tool_risk_hints hints;
        uint32_t adds;
    } rows[] = {
        {{.destructive = TOOL_RISK_YES}, RISK_WRITE},
        {{.read_only = TOOL_RISK_NO}, RISK_WRITE},
        {{.read_only = TOOL_RISK_NO, .destructive = TOOL_RISK_NO}, RISK_WRITE},
        /* A contradiction is the worse of both. */
        {{.read_only = TOOL_RISK_YES, .destructive = TOOL_RISK_YES},
         RISK_WRITE},
        {{.read_only = TOOL_RISK_YES}, 0},
        {{.destructive = TOOL_RISK_NO}, 0},
        {{.open_world = TOOL_RISK_NO}, 0},
        {{.open_world = TOOL_RISK_YES}, RISK_EXPORT | RISK_TRIGGER},
        {{.read_only = TOOL_RISK_YES, .open_world = TOOL_RISK_YES},
         RISK_EXPORT},
        {{TOOL_RISK_NO, TOOL_RISK_YES, TOOL_RISK_YES},
         RISK_WRITE | RISK_EXPORT | RISK_TRIGGER},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t got = tool_risk(&files, STR("read_file"), rows[i].hints);
        assert_int_equal(got, RISK_READ | rows[i].adds);
    }
    /* Whatever it says, what the rules say stays. */
    for (unsigned n = 0; n < 27; n++) {
        const struct tool_risk_hints h = {(enum tool_risk_said)(n % 3),
                                          (enum tool_risk_said)(n / 3 % 3),
                                          (enum tool_risk_said)(n / 9)};
        uint32_t got = tool_risk(&files, STR("write_file"), h);
        assert_int_equal(got & RISK_WRITE, RISK_WRITE);
        assert_int_equal(tool_risk(&bare, STR("write_file"), h), RISK_ALL);
    }
}

static void test_globs_match_whole_names(void **state)
{
    (void)state;
    static const struct {
        const char *glob, *tool;
        bool matches;
    } rows[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "anything", true},
        {"**", "a", true},
        {"?", "", false},
        {"?", "a", true},
        {"?", "ab", false},
        {"a?c", "abc", true},
        {"a?c", "ac", false},
        {"*c", "abc", true},
        {"*c", "abcd", false},
        {"a*", "abc", true},
        {"a*", "ba", false},
        {"a*b*c", "abc", true},
        {"a*b*c", "axxbyyc", true},
        {"a*b*c", "acb", false},
        {"*ab", "aab", true},
        {"*a?c*", "xaxaxc", true},
        {"*abab*", "abaabab", true},
        {"A", "a", false},
        {"a.b", "axb", false},
        {"[a]", "a", false},
        {"a*", "a", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (tool_risk_matches(str_from(rows[i].glob), str_from(rows[i].tool)) !=
            rows[i].matches)
            fail_msg("\"%s\" and \"%s\"", rows[i].glob, rows[i].tool);
    }
}

/* What makes a naive matcher take forever ends at once. */
static void test_a_hostile_name_costs_little(void **state)
{
    (void)state;
    static const struct str globs[] = {
        STR_INIT("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"),
        STR_INIT("*aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"),
        STR_INIT("*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*b"),
    };
    char name[TOOL_RISK_GLOB_MAX];
    memset(name, 'a', sizeof(name));
    for (size_t i = 0; i < ARRAY_LEN(globs); i++) {
        for (int n = 0; n < 1000; n++)
            assert_false(
                tool_risk_matches(globs[i], (struct str){name, sizeof(name)}));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_13_unknown_is_dangerous),
        cmocka_unit_test(rule_13_a_servers_own_words_may_only_raise),
        cmocka_unit_test(test_globs_match_whole_names),
        cmocka_unit_test(test_a_hostile_name_costs_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
