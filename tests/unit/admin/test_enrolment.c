/* Tests admin/enrolment: a code is good once, for a day, however typed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/enrolment.h"
#include "base/attr.h"

#define KEY STR("0123456789abcdef0123456789abcdef")

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/writ_test_enrol_XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)!enrolment_end(folder);
    return rmdir(folder);
}

static struct str make(char code[ENROLMENT_CODE_LEN])
{
    assert_int_equal(enrolment_make(folder, KEY, 1000, code), ERR_OK);
    return (struct str){code, ENROLMENT_CODE_LEN};
}

static void test_a_code_is_good_until_it_was_used(void **state)
{
    (void)state;
    char code[ENROLMENT_CODE_LEN];
    struct str c = make(code);

    assert_true(enrolment_check(folder, KEY, c, 1000));
    assert_true(enrolment_check(folder, KEY, c, 1000));
    assert_int_equal(enrolment_end(folder), ERR_OK);
    assert_false(enrolment_check(folder, KEY, c, 1000));
    assert_int_equal(enrolment_end(folder), ERR_OK);
}

static void test_a_code_ends_after_a_day(void **state)
{
    (void)state;
    char code[ENROLMENT_CODE_LEN];
    struct str c = make(code);

    assert_true(enrolment_check(folder, KEY, c, 999 + ENROLMENT_LIFE_US));
    assert_false(enrolment_check(folder, KEY, c, 1000 + ENROLMENT_LIFE_US));
}

static void test_only_the_newest_code_is_good(void **state)
{
    (void)state;
    char old[ENROLMENT_CODE_LEN], new[ENROLMENT_CODE_LEN];
    struct str o = make(old);
    struct str n = make(new);

    assert_false(enrolment_check(folder, KEY, o, 1000));
    assert_true(enrolment_check(folder, KEY, n, 1000));
}

static void test_case_dashes_and_blanks_do_not_matter(void **state)
{
    (void)state;
    char code[ENROLMENT_CODE_LEN], typed[64];
    struct str c = make(code);
    size_t n = 0;

    for (size_t i = 0; i < c.len; i++) {
        char x = c.ptr[i];
        if (x == '-')
            x = ' ';
        else if (x >= 'A' && x <= 'Z')
            x = (char)(x - 'A' + 'a');
        typed[n++] = x;
    }
    assert_true(enrolment_check(folder, KEY, (struct str){typed, n}, 1000));
}

static void test_another_code_or_key_is_refused(void **state)
{
    (void)state;
    static const struct str bad[] = {
        STR_INIT(""),
        STR_INIT("-----------------------"),
        STR_INIT("AAAAA-AAAAA-AAAAA-AAAAA"),
        STR_INIT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    };
    char code[ENROLMENT_CODE_LEN];
    struct str c = make(code);

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(enrolment_check(folder, KEY, bad[i], 1000));
    assert_false(enrolment_check(folder, STR("another key of the same node .."),
                                 c, 1000));
    assert_false(enrolment_check("/nowhere", KEY, c, 1000));
}

static void test_the_file_holds_no_code_and_is_private(void **state)
{
    (void)state;
    char code[ENROLMENT_CODE_LEN], path[128], text[1024] = {0};
    struct stat st;
    struct str c = make(code);

    (void)snprintf(path, sizeof(path), "%s/" ENROLMENT_FILE, folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        fail();
        return;
    }
    assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
    (void)fclose(f);
    assert_null(memmem(text, sizeof(text), c.ptr, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_code_is_good_until_it_was_used),
        cmocka_unit_test(test_a_code_ends_after_a_day),
        cmocka_unit_test(test_only_the_newest_code_is_good),
        cmocka_unit_test(test_case_dashes_and_blanks_do_not_matter),
        cmocka_unit_test(test_another_code_or_key_is_refused),
        cmocka_unit_test(test_the_file_holds_no_code_and_is_private),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
