/* Tests net/address: literals, and every way to write "this machine". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/address.h"

static void test_literals_are_read_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *shown; /* NULL: not a literal */
    } rows[] = {
        {"192.0.2.1", "192.0.2.1:443"},
        {"2001:db8::1", "[2001:db8::1]:443"},
        {"[2001:db8::1]", "[2001:db8::1]:443"},
        {"2001:DB8:0:0::1", "[2001:db8::1]:443"},
        {"::ffff:192.0.2.1", "[::ffff:192.0.2.1]:443"},
        {"", NULL},
        {"[]", NULL},
        {"[192.0.2.1]", NULL},
        {"localhost", NULL},
        {"127.1", NULL},
        {"0x7f.0.0.1", NULL},
        {"0177.0.0.1", NULL},
        {"2130706433", NULL},
        {"192.0.2.1 ", NULL},
        {"192.0.2.256", NULL},
        {"2001:db8::1%lo", NULL},
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:1111", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sockaddr_storage a;
        bool ok = address_parse(str_from(rows[i].text), 443, &a);
        assert_int_equal(ok, rows[i].shown != NULL);
        char to[ADDRESS_TEXT_MAX];
        if (ok)
            assert_true(str_eq(address_text(&a, to), str_from(rows[i].shown)));
    }
    struct sockaddr_storage a;
    assert_false(address_parse((struct str){"192.0.2.1\0", 10}, 1, &a));
}

static void test_local_addresses_are_known_in_every_disguise(void **state)
{
    (void)state;
    static const char *const local[] = {
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "0.1.2.3",
        "169.254.0.1",
        "169.254.169.254",
        "169.254.170.2",
        "224.0.0.1",
        "239.255.255.255",
        "255.255.255.255",
        "240.0.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "::",
        "::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "fd00:ec2::254",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:127.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::169.254.169.254",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
    };
    for (size_t i = 0; i < ARRAY_LEN(local); i++) {
        struct sockaddr_storage a;
        assert_true(address_parse(str_from(local[i]), 80, &a));
        assert_true(address_is_local(&a));
    }
    struct sockaddr_storage path = {.ss_family = AF_UNIX};
    assert_true(address_is_local(&path));
    char to[ADDRESS_TEXT_MAX];
    assert_true(str_eq(address_text(&path, to), STR("local")));
}

static void test_other_addresses_are_not_local(void **state)
{
    (void)state;
    static const char *const far[] = {"192.0.2.1",       "10.0.0.1",
                                      "172.16.0.1",      "192.168.1.1",
                                      "100.64.0.1",      "126.255.255.255",
                                      "128.0.0.1",       "169.253.255.255",
                                      "169.255.0.1",     "223.255.255.255",
                                      "1.1.1.1",         "2001:db8::1",
                                      "fd00::1",         "::ffff:192.0.2.1",
                                      "fe7f::1",         "64:ff9b::c000:201",
                                      "2002:c000:201::1"};
    for (size_t i = 0; i < ARRAY_LEN(far); i++) {
        struct sockaddr_storage a;
        assert_true(address_parse(str_from(far[i]), 80, &a));
        assert_false(address_is_local(&a));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_literals_are_read_and_nothing_else),
        cmocka_unit_test(test_local_addresses_are_known_in_every_disguise),
        cmocka_unit_test(test_other_addresses_are_not_local),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
