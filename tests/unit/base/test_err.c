/* Tests base/err: every error has a name, a code, a text and a status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/err.h"

static void test_every_error_is_complete_and_its_code_is_its_own(void **state)
{
    (void)state;
    assert_int_equal(ERR_OK, 0);
    assert_int_equal(err_http_status(ERR_OK), 200);
    for (enum err e = ERR_OK; e < ERR_COUNT; e++) {
        assert_int_equal(strncmp(err_name(e), "ERR_", 4), 0);
        assert_true(strlen(err_code(e)) > 0 && strlen(err_text(e)) > 0);
        assert_true(e == ERR_OK ||
                    (err_http_status(e) >= 400 && err_http_status(e) < 600));
        for (enum err other = ERR_OK; other < e; other++)
            assert_string_not_equal(err_code(e), err_code(other));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_error_is_complete_and_its_code_is_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
