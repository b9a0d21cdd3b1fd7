/* Tests codec/json on JSONTestSuite, on bombs and on naughty strings, and
 * with it base/log on the latter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>
#include <unistd.h>

#include "archive.h"
#include "base/attr.h"
#include "base/limits.h"
#include "base/log.h"
#include "codec/json.h"

/* A sanitizer makes the walk over the values several times slower. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||           \
    defined(__clang__)
enum { REFUSED_WITHIN_MS = 500 };
#else
enum { REFUSED_WITHIN_MS = 50 };
#endif

/* RFC 8259 allows them; RFC 7493 or our one reading does not. */
static const char *const refused_on_purpose[] = {
    "y_object_duplicated_key.json",
    "y_object_duplicated_key_and_value.json",
    "y_string_null_escape.json",
    "y_object_escaped_null_in_key.json",
};

/*
 * RFC 8259 leaves the i_ files open.  Numbers of any size are taken, as their
 * text.  Refused are invalid UTF-8, lone surrogates, other encodings, a byte
 * order mark, and nesting of 500.
 */
static bool is_expected(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(refused_on_purpose); i++) {
        if (strcmp(name, refused_on_purpose[i]) == 0)
            return false;
    }
    return name[0] == 'y' || strncmp(name, "i_number_", 9) == 0;
}

/* Compact text of `text`, read and written; `to` keeps it. */
static enum err rewrite(struct str text, struct buf *to)
{
    struct arena a;
    const struct json *v;
    arena_init(&a, REQUEST_ARENA_MAX);
    enum err e = json_read(&a, text, &v, NULL);
    if (e == ERR_OK)
        json_write(to, v, NULL, 0);
    arena_release(&a);
    return e;
}

static void check_suite_file(void *user, const char *name, struct str bytes)
{
    size_t *counts = user;
    struct buf once, twice;
    buf_init(&once, MIB);
    buf_init(&twice, MIB);

    enum err e = rewrite(bytes, &once);
    if ((e == ERR_OK) != is_expected(name))
        fail_msg("%s: %s", name, err_name(e));
    if (e == ERR_OK) {
        assert_int_equal(rewrite(buf_str(&once), &twice), ERR_OK);
        assert_true(str_eq(buf_str(&once), buf_str(&twice)));
    }
    /* These are one number in an array, without blanks but a last line end. */
    if (strncmp(name, "i_number_", 9) == 0) {
        size_t end = str_find(bytes, '\n');
        assert_true(str_eq(buf_str(&once), str_first(bytes, end)));
    }
    counts[(unsigned char)name[0]]++;
    buf_release(&once);
    buf_release(&twice);
}

static void test_json_test_suite_gets_the_expected_verdicts(void **state)
{
    (void)state;
    struct archive a;
    if (!archive_open(&a, "vectors/json-parsing"))
        skip();
    size_t counts[256] = {0};
    archive_each(&a, "json-parsing/test_parsing", ".json", check_suite_file,
                 counts);
    assert_int_equal(counts['y'], 95);
    assert_int_equal(counts['n'], 188);
    assert_int_equal(counts['i'], 35);
    archive_close(&a);
}

/* Of this process alone: other ones may be busy. */
static int64_t cpu_us(void)
{
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* What is large but within the limits is no bomb. */
static bool is_within_limits(const char *name)
{
    return strcmp(name, "string_4m.json") == 0 ||
           strcmp(name, "esc_1m.json") == 0 ||
           strcmp(name, "ws_2m.json") == 0 ||
           strcmp(name, "exp_huge.json") == 0;
}

static void check_bomb(void *user, const char *name, struct str bytes)
{
    (void)user;
    enum { TRIES = 3 };
    int64_t best = INT64_MAX;
    for (int i = 0; i < TRIES; i++) {
        struct arena a;
        const struct json *v;
        arena_init(&a, REQUEST_ARENA_MAX);
        int64_t start = cpu_us();
        enum err e = json_read(&a, bytes, &v, NULL);
        int64_t took = cpu_us() - start;
        best = took < best ? took : best;
        if ((e == ERR_OK) != is_within_limits(name))
            fail_msg("%s: %s", name, err_name(e));
        arena_release(&a);
    }
    if (best >= (int64_t)REFUSED_WITHIN_MS * 1000)
        fail_msg("%s: took %ld us", name, (long)best);
}

static void test_bombs_are_refused_in_less_than_50_ms(void **state)
{
    (void)state;
    struct archive a;
    if (!archive_open(&a, "reliability/json-bombs"))
        skip();
    archive_gunzip(&a, "json-bombs");
    assert_int_equal(archive_each(&a, "json-bombs", ".json", check_bomb, NULL),
                     11);
    archive_close(&a);
}

/* What log_write() puts on standard error, in `line`. */
static struct str logged(struct str value, char *line, size_t room)
{
    int ends[2];
    int before = dup(STDERR_FILENO);
    if (before < 0 || pipe(ends) != 0)
        return (struct str){NULL, 0};
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    log_error("test", {"value", value});
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    ssize_t len = read(ends[0], line, room);
    close(before);
    close(ends[0]);
    close(ends[1]);
    return (struct str){line, len < 0 ? 0 : (size_t)len};
}

/* A log line is one line of JSON that says what it was given. */
static void check_log_line(struct arena *a, struct str value)
{
    char room[4096];
    const struct json *v;
    struct str said;
    struct str line = logged(value, room, sizeof(room));
    assert_int_equal(str_find(line, '\n'), line.len - 1);
    assert_int_equal(json_read(a, line, &v, NULL), ERR_OK);
    assert_true(json_str(json_get(v, STR("value")), &said));
    if (value.len <= 1024 / 6) /* else it may have been cut */
        assert_true(str_eq(said, value));
}

static void check_naughty_strings(void *user, const char *name,
                                  struct str bytes)
{
    (void)name;
    size_t *count = user;
    struct arena a;
    const struct json *list;
    arena_init(&a, REQUEST_ARENA_MAX);
    assert_int_equal(json_read(&a, bytes, &list, NULL), ERR_OK);

    struct json_iter it = json_each(list);
    const struct json *v;
    struct buf text;
    buf_init(&text, MIB);
    while (json_next(&it, NULL, &v)) {
        struct str before, after;
        const struct json *again;
        buf_clear(&text);
        assert_true(json_str(v, &before));
        json_write_str(&text, before);
        assert_int_equal(json_read(&a, buf_str(&text), &again, NULL), ERR_OK);
        assert_true(json_str(again, &after));
        assert_true(str_eq(before, after));
        check_log_line(&a, before);
        (*count)++;
    }
    buf_release(&text);
    arena_release(&a);
}

static void test_naughty_strings_survive_a_round_trip_and_the_log(void **state)
{
    (void)state;
    struct archive a;
    if (!archive_open(&a, "reliability/blns"))
        skip();
    size_t count = 0;
    assert_int_equal(archive_each(&a, "blns", ".json", check_naughty_strings,
                                  &count),
                     1);
    assert_true(count > 500);
    archive_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_test_suite_gets_the_expected_verdicts),
        cmocka_unit_test(test_bombs_are_refused_in_less_than_50_ms),
        cmocka_unit_test(test_naughty_strings_survive_a_round_trip_and_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
