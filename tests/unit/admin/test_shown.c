/* Tests admin/shown: nothing that a person decides about is invisible. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/shown.h"
#include "base/attr.h"

static void rule_19_every_character_is_seen(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        const char *text_shown, *json_shown;
    } cases[] = {
        {STR_INIT("plain ~ text"), "plain ~ text", "plain ~ text"},
        {STR_INIT("a\\u{202e}b"), "a\\\\u{202e}b", "a\\u{202e}b"},
        /* Bidi override, zero-width space, BOM, no-break space. */
        {STR_INIT("a\u202eb\u200b\ufeff\u00a0"),
         "a\\u{202e}b\\u{200b}\\u{feff}\\u{a0}",
         "a\\u{202e}b\\u{200b}\\u{feff}\\u{a0}"},
        /* A Cyrillic "a"; an accent that stands alone; an emoji. */
        {STR_INIT("p\u0430y\u0301\U0001f600"), "p\\u{430}y\\u{301}\\u{1f600}",
         "p\\u{430}y\\u{301}\\u{1f600}"},
        {STR_INIT("\x1b[2J\r\n\x7f"), "\\u{1b}[2J\\u{d}\\u{a}\\u{7f}",
         "\\u{1b}[2J\\u{d}\\u{a}\\u{7f}"},
        /* No UTF-8 at all: an overlong slash, a lone byte, half a character. */
        {STR_INIT("\xc0\xaf \xff \xe2\x80"),
         "\\x{c0}\\x{af} \\x{ff} \\x{e2}\\x{80}",
         "\\x{c0}\\x{af} \\x{ff} \\x{e2}\\x{80}"},
        {STR_INIT("{\"a\":\"\\\\x\\n\"}"), "{\"a\":\"\\\\\\\\x\\\\n\"}",
         "{\"a\":\"\\\\x\\n\"}"},
        {STR_INIT(""), "", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b;
        buf_init(&b, 4096);
        shown_add(&b, cases[i].text);
        assert_true(buf_add_char(&b, 0));
        assert_string_equal(b.ptr, cases[i].text_shown);
        buf_clear(&b);
        shown_add_json(&b, cases[i].text);
        assert_true(buf_add_char(&b, 0));
        assert_string_equal(b.ptr, cases[i].json_shown);
        buf_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_19_every_character_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
