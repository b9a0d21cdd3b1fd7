/* Tests evidence/evidence_refusals: counting who is not known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "evidence/evidence_refusals.h"

struct seen {
    size_t entries;
    uint64_t count; /* all */
    uint64_t others;
    struct evidence_unknown last;
    char source[64];
};

static void note(void *user, const struct evidence_unknown *f)
{
    struct seen *s = user;
    s->entries++;
    s->count += f->count;
    if (str_eq(f->source, STR("others")))
        s->others += f->count;
    s->last = *f;
    assert_true(f->source.len < sizeof(s->source));
    memcpy(s->source, f->source.ptr, f->source.len);
    s->last.source = (struct str){s->source, f->source.len};
}

static struct evidence_refusals table;

static void add(enum err e, const char *source, int64_t ms)
{
    evidence_refusals_add(&table, e, str_from(source),
                          (struct evidence_refusals_time){ms * 1000, ms});
}

static struct seen flush(int64_t until_ms)
{
    struct seen s = {0};
    evidence_refusals_flush(&table, until_ms, note, &s);
    s.last.source.ptr = NULL; /* the text is in `source`, of the copy */
    return s;
}

static void rule_25_one_entry_per_reason_source_and_window(void **state)
{
    (void)state;
    evidence_refusals_init(&table, (struct siphash_key){1, 2});
    add(ERR_UNAUTHENTICATED, "192.0.2.1", 100);
    add(ERR_UNAUTHENTICATED, "192.0.2.1", 200);
    add(ERR_UNAUTHENTICATED, "192.0.2.1", 300);
    struct seen s = flush(99);
    assert_int_equal(s.entries, 0); /* its window is still open */
    s = flush(100);
    assert_int_equal(s.entries, 1);
    assert_int_equal(s.last.count, 3);
    assert_int_equal(s.last.error, ERR_UNAUTHENTICATED);
    assert_int_equal(s.last.first_us, 100000);
    assert_int_equal(s.last.source.len, strlen("192.0.2.1"));
    assert_string_equal(s.source, "192.0.2.1");
    assert_int_equal(flush(INT64_MAX).entries, 0); /* forgotten */

    add(ERR_UNAUTHENTICATED, "192.0.2.1", 400);
    add(ERR_UNAUTHENTICATED, "192.0.2.2", 400);
    add(ERR_REVOKED, "192.0.2.1", 400);
    add(ERR_REVOKED, "", 400);
    assert_int_equal(flush(INT64_MAX).entries, 4);
}

static void test_a_flood_of_sources_is_bounded_and_still_counted(void **state)
{
    (void)state;
    enum { SOURCES = 20000 };
    evidence_refusals_init(&table, (struct siphash_key){3, 4});
    for (int i = 0; i < SOURCES; i++) {
        char source[32];
        (void)snprintf(source, sizeof(source), "10.%d.%d.%d", i >> 16,
                       (i >> 8) & 255, i & 255);
        add(i % 2 == 0 ? ERR_UNAUTHENTICATED : ERR_MALFORMED, source, i);
    }
    struct seen s = flush(INT64_MAX);
    assert_int_equal(s.count, SOURCES);
    assert_true(s.entries <= EVIDENCE_REFUSALS_MAX + 2);
    assert_true(s.others > SOURCES / 2);
    assert_int_equal(table.open, 0);
}

static void test_a_long_source_is_cut(void **state)
{
    (void)state;
    char source[200];
    memset(source, 'x', sizeof(source) - 1);
    source[sizeof(source) - 1] = '\0';
    evidence_refusals_init(&table, (struct siphash_key){5, 6});
    add(ERR_MALFORMED, source, 1);
    struct seen s = flush(1);
    assert_int_equal(s.last.source.len, EVIDENCE_REFUSALS_SOURCE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_25_one_entry_per_reason_source_and_window),
        cmocka_unit_test(test_a_flood_of_sources_is_bounded_and_still_counted),
        cmocka_unit_test(test_a_long_source_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
