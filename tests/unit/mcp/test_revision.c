/* Tests mcp/revision: which one two peers speak, and what it has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "mcp/revision.h"

static void test_revisions_are_agreed_on(void **state)
{
    (void)state;
    static const struct {
        const char *asked;
        enum revision offered, accepted;
    } cases[] = {
        {"2024-11-05", REVISION_2024_11_05, REVISION_2024_11_05},
        {"2025-03-26", REVISION_2025_03_26, REVISION_2025_03_26},
        {"2025-06-18", REVISION_2025_06_18, REVISION_2025_06_18},
        {"2025-11-25", REVISION_2025_11_25, REVISION_2025_11_25},
        {"2026-07-28", REVISION_NEWEST, REVISION_NONE},
        {"2024-10-07", REVISION_NEWEST, REVISION_NONE},
        {"2025-11-25 ", REVISION_NEWEST, REVISION_NONE},
        {"1.0", REVISION_NEWEST, REVISION_NONE},
        {"", REVISION_NEWEST, REVISION_NONE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(revision_offer(str_from(cases[i].asked)),
                         cases[i].offered);
        assert_int_equal(revision_accept(str_from(cases[i].asked)),
                         cases[i].accepted);
    }
    for (unsigned r = 1; r < REVISION_COUNT; r++)
        assert_int_equal(revision_from(revision_name((enum revision)r)), r);
}

static void test_the_header_must_name_what_was_agreed_on(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        enum revision agreed, result;
    } cases[] = {
        {"", REVISION_NONE, REVISION_ASSUMED},
        {"", REVISION_2025_11_25, REVISION_2025_11_25},
        {"2025-11-25", REVISION_2025_11_25, REVISION_2025_11_25},
        {"2025-06-18", REVISION_2025_11_25, REVISION_NONE},
        {"2025-06-18", REVISION_NONE, REVISION_2025_06_18},
        {"2026-07-28", REVISION_NONE, REVISION_NONE},
        {"1999-01-01", REVISION_2025_03_26, REVISION_NONE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(revision_of_request(str_from(cases[i].header),
                                             cases[i].agreed),
                         cases[i].result);
}

static void test_revisions_differ_as_their_change_logs_say(void **state)
{
    (void)state;
    /* The first revision that has it, and the first that has it no more. */
    static const struct {
        unsigned trait;
        enum revision since, until;
    } cases[] = {
        {REVISION_BATCHES, REVISION_2024_11_05, REVISION_2025_06_18},
        {REVISION_STREAMABLE_HTTP, REVISION_2025_03_26, REVISION_COUNT},
        {REVISION_ANNOTATIONS, REVISION_2025_03_26, REVISION_COUNT},
        {REVISION_HEADER, REVISION_2025_06_18, REVISION_COUNT},
        {REVISION_STRUCTURED_CONTENT, REVISION_2025_06_18, REVISION_COUNT},
        {REVISION_ELICITATION, REVISION_2025_06_18, REVISION_COUNT},
        {REVISION_ELICITATION_URL, REVISION_2025_11_25, REVISION_COUNT},
        {REVISION_TASKS, REVISION_2025_11_25, REVISION_COUNT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (unsigned r = 0; r < REVISION_COUNT; r++)
            assert_int_equal(revision_has((enum revision)r, cases[i].trait),
                             r >= cases[i].since && r < cases[i].until);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_revisions_are_agreed_on),
        cmocka_unit_test(test_the_header_must_name_what_was_agreed_on),
        cmocka_unit_test(test_revisions_differ_as_their_change_logs_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
