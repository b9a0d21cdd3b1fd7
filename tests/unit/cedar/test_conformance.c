/*
 * Tests cedar/ as a whole: the official suites.  Of the corpora a sample,
 * the same each time; everything with TESTS=all in the environment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "suite.h"

enum { SAMPLE = 500 };

static bool ends_with(const char *path, const char *end)
{
    size_t n = strlen(path);
    return n >= strlen(end) && strcmp(path + n - strlen(end), end) == 0;
}

static bool is_test(const char *path, const char *folder)
{
    return strncmp(path, folder, strlen(folder)) == 0 &&
           ends_with(path, ".json") && !ends_with(path, ".entities.json");
}

static void run_folder(const char *archive, const char *folder, size_t sample)
{
    const char *tests = getenv("TESTS"); /* NOLINT(concurrency-mt-unsafe) */
    struct archive a;
    struct suite_figures figures = {0};
    size_t count = 0;
    uint64_t random = 0x9E3779B97F4A7C15; /* any seed, but always this one */
    if (!archive_open(&a, archive))
        skip();
    for (size_t i = 0; i < a.count; i++)
        count += is_test(a.files[i].path, folder);
    if (tests != NULL && strcmp(tests, "all") == 0)
        sample = count;
    for (size_t i = 0, left = count; i < a.count && left > 0; i++) {
        if (!is_test(a.files[i].path, folder))
            continue;
        random = random * 6364136223846793005 + 1442695040888963407;
        if ((random >> 33) % left-- < sample) {
            suite_run(&a, a.files[i].path, &figures);
            sample--;
        }
    }
    print_message("%s: %zu of %zu files, %zu validate as they should, "
                  "%zu of %zu requests passed\n",
                  archive, figures.files, count, figures.validated,
                  figures.passed, figures.requests);
    archive_close(&a);
    assert_int_equal(figures.passed, figures.requests);
    assert_int_equal(figures.validated, figures.files);
}

static void test_hand_written_suites(void **state)
{
    (void)state;
    run_folder("cedar/hand-written", "tests/", SIZE_MAX);
}

static void test_corpus_of_4_10(void **state)
{
    (void)state;
    run_folder("cedar/corpus-4.10-a", "corpus-tests/", SAMPLE);
}

static void test_corpus_of_4_8(void **state)
{
    (void)state;
    run_folder("cedar/corpus-4.8.x", "corpus-tests/", SAMPLE);
}

static void test_corpus_of_4_4(void **state)
{
    (void)state;
    run_folder("cedar/corpus-4.4.x", "corpus-tests/", SAMPLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hand_written_suites),
        cmocka_unit_test(test_corpus_of_4_10),
        cmocka_unit_test(test_corpus_of_4_8),
        cmocka_unit_test(test_corpus_of_4_4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
