/* Tests base/log: one line, valid JSON, nothing forged, bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static char line[64 * 1024];

/* Runs log_write() with standard error in a pipe; the line is in `line`. */
static size_t written(enum log_level level, const char *event,
                      const struct log_pair *pairs, size_t n)
{
    int ends[2];
    if (pipe(ends) != 0)
        fail();
    int before = dup(STDERR_FILENO);
    if (before < 0)
        return 0;
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    log_write(level, event, pairs, n);
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    close(before);
    close(ends[1]);

    size_t len = 0;
    for (;;) {
        ssize_t got = read(ends[0], line + len, sizeof(line) - 1 - len);
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    close(ends[0]);
    line[len] = '\0';
    return len;
}

/* What follows the time, which changes. */
static const char *rest(void)
{
    static const char start[] = "{\"time\":\"";
    assert_memory_equal(line, start, sizeof(start) - 1);
    const char *after = strstr(line, "Z\",");
    assert_non_null(after);
    assert_int_equal(after - line, sizeof(start) - 1 + 26);
    return after + 3;
}

static int setup(void **state)
{
    (void)state;
    log_setup(LOG_LEVEL_INFO, "gateway");
    return 0;
}

static void test_a_line_is_json_with_its_pairs_in_order(void **state)
{
    (void)state;
    const struct log_pair pairs[] = {{"file", STR("writ.yaml")},
                                     {"models", STR("3")}};
    written(LOG_LEVEL_WARN, "reload", pairs, 2);
    assert_string_equal(
        rest(), "\"level\":\"warn\",\"role\":\"gateway\",\"event\":"
                "\"reload\",\"file\":\"writ.yaml\",\"models\":\"3\"}\n");
    written(LOG_LEVEL_ERROR, "stop", NULL, 0);
    assert_string_equal(
        rest(),
        "\"level\":\"error\",\"role\":\"gateway\",\"event\":\"stop\"}\n");
}

static void test_lines_above_the_level_are_dropped(void **state)
{
    (void)state;
    assert_int_equal(written(LOG_LEVEL_DEBUG, "x", NULL, 0), 0);
    log_setup(LOG_LEVEL_DEBUG, "gateway");
    assert_true(written(LOG_LEVEL_DEBUG, "x", NULL, 0) > 0);
    log_setup(LOG_LEVEL_ERROR, "gateway");
    assert_int_equal(written(LOG_LEVEL_WARN, "x", NULL, 0), 0);
}

static void
test_nothing_from_outside_ends_a_line_or_forges_a_field(void **state)
{
    (void)state;
    const struct log_pair pairs[] = {
        {"v", STR("a\"}\r\n{\"level\":\"x\\")},
        {"controls", STR("\0\x1b[2J\x7f\xc2\x9b\xe2\x80\xa8\xe2\x80\xa9")},
        {"bytes", STR("\xff\xc3(\xed\xa0\x80")},
        {"text", STR("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xe2\x80\xa7")},
    };
    size_t len = written(LOG_LEVEL_INFO, "e", pairs, 4);
    assert_ptr_equal(strchr(line, '\n'), line + len - 1);
    assert_string_equal(
        rest(),
        "\"level\":\"info\",\"role\":\"gateway\",\"event\":\"e\","
        "\"v\":\"a\\\"}\\u000d\\u000a{\\\"level\\\":\\\"x\\\\\","
        "\"controls\":\"\\u0000\\u001b[2J\\u007f\\u009b\\u2028\\u2029\","
        "\"bytes\":\"\\ufffd\\ufffd(\\ufffd\\ufffd\\ufffd\","
        "\"text\":\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xe2\x80\xa7\"}\n");
}

static void test_a_value_is_cut_at_one_kib_and_shows_it(void **state)
{
    (void)state;
    char value[2000];
    memset(value, 1, sizeof(value)); /* escaped six-fold */
    const struct log_pair pairs[] = {{"v", {value, sizeof(value)}}};
    written(LOG_LEVEL_INFO, "e", pairs, 1);
    const char *v = strstr(line, "\"v\":\"");
    assert_non_null(v);
    const char *end = strstr(v + 5, "...\"}\n");
    assert_non_null(end);
    assert_true(end - (v + 5) + 3 <= 1024);
    assert_true(end - (v + 5) + 3 > 1024 - 6);
}

static void test_a_line_that_is_full_says_so_and_stays_whole(void **state)
{
    (void)state;
    char value[1000];
    memset(value, 'x', sizeof(value));
    struct log_pair pairs[40];
    for (size_t i = 0; i < 40; i++)
        pairs[i] = (struct log_pair){"v", {value, sizeof(value)}};
    size_t len = written(LOG_LEVEL_INFO, "e", pairs, 40);
    assert_true(len <= 16384 && len > 15000);
    assert_string_equal(line + len - 14, "\",\"cut\":true}\n");
}

static void test_errno_survives(void **state)
{
    (void)state;
    int before = dup(STDERR_FILENO);
    if (before < 0)
        return;
    close(STDERR_FILENO);
    errno = ENOENT;
    log_info("nobody listens", {"a", STR("b")});
    assert_int_equal(errno, ENOENT);
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    close(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_line_is_json_with_its_pairs_in_order,
                               setup),
        cmocka_unit_test_setup(test_lines_above_the_level_are_dropped, setup),
        cmocka_unit_test_setup(
            test_nothing_from_outside_ends_a_line_or_forges_a_field, setup),
        cmocka_unit_test_setup(test_a_value_is_cut_at_one_kib_and_shows_it,
                               setup),
        cmocka_unit_test_setup(test_a_line_that_is_full_says_so_and_stays_whole,
                               setup),
        cmocka_unit_test_setup(test_errno_survives, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
