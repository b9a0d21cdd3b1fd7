/* Tests codec/http1_line: where the first bad byte of a head is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "codec/http1_line.h"

/* Reads `raw` in runs of `step` bytes; the place of the first bad byte, or
 * where the scan stopped. */
static size_t place(bool request, struct str raw, size_t step,
                    enum http_fault *ret_fault, size_t *ret_tabs)
{
    struct http1_line l;
    size_t done = 0;
    http1_line_init(&l, request);
    *ret_fault = HTTP_FAULT_NONE;
    *ret_tabs = 0;
    while (done < raw.len) {
        struct str in = str_first(str_skip(raw, done), step);
        struct http1_line_scan s = http1_line_scan(&l, in);
        done += s.n;
        if (s.fault != HTTP_FAULT_NONE) {
            *ret_fault = s.fault;
            break;
        }
        if (s.tab) {
            done++;
            (*ret_tabs)++;
        } else if (s.n == 0) {
            break; /* the head has ended */
        }
    }
    return done;
}

static void test_the_first_bad_byte_does_not_depend_on_the_cut(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        bool request;
        enum http_fault fault;
        size_t at, tabs;
    } rows[] = {
        {"GET / HTTP/1.1\r\nA: b\r\n\r\nbody", true, HTTP_FAULT_NONE, 24, 0},
        {"GET / HTTP/1.1\r\nA:\tb\t\r\n\r\n", true, HTTP_FAULT_NONE, 25, 2},
        {"GET /0123456789abcdef HTTP/1.1\r\nA: 01234567\x01\x80 9abcdef\tgh\r\n"
         "\r\n",
         true, HTTP_FAULT_NONE, 60, 1},
        {"GET /0123456789abc\ndef HTTP/1.1\r\n", true, HTTP_FAULT_SYNTAX, 18,
         0},
        {"GET / HTTP/1.1\r\nA: 0123456789abcd\x02\n", true, HTTP_FAULT_SYNTAX,
         34, 0},
        {"\r\n\r\nGET / HTTP/1.1\r\n\r\n", true, HTTP_FAULT_NONE, 22, 0},
        {"\r\n\r\n\r\nGET", true, HTTP_FAULT_SYNTAX, 4, 0},
        {"GET  / HTTP/1.1\r\n", true, HTTP_FAULT_SYNTAX, 5, 0},
        {"GET /  HTTP/1.1\r\n", true, HTTP_FAULT_SYNTAX, 6, 0},
        {"GET / HTTP/1.1 \r\n", true, HTTP_FAULT_SYNTAX, 14, 0},
        {"GET / RTSP/1.0\r\n", true, HTTP_FAULT_SYNTAX, 6, 0},
        {"GET /\r\n", true, HTTP_FAULT_SYNTAX, 5, 0},
        {"GET\r\n", true, HTTP_FAULT_SYNTAX, 3, 0},
        {"GET / HTTP/1.1\nA: b\r\n", true, HTTP_FAULT_NONE, 21, 0},
        {"GET / HTTP/1.1\r\nA: b\nC", true, HTTP_FAULT_SYNTAX, 20, 0},
        {"GET / HTTP/1.1\r\nA: b\rC", true, HTTP_FAULT_SYNTAX, 21, 0},
        {"HTTP/1.1 200 OK\r\n\r\nbody", false, HTTP_FAULT_NONE, 19, 0},
        {"HTTP/1.1 200 OK\r\rX", false, HTTP_FAULT_SYNTAX, 16, 0},
        {"HTTP/1.1 200 OK\n\r\n", false, HTTP_FAULT_SYNTAX, 15, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str raw = str_from(rows[i].raw);
        for (size_t step = 1; step <= raw.len; step++) {
            enum http_fault fault;
            size_t tabs;
            size_t at = place(rows[i].request, raw, step, &fault, &tabs);
            if (fault != rows[i].fault || at != rows[i].at ||
                tabs != rows[i].tabs)
                fail_msg("%s in steps of %zu: %s at %zu, %zu tabs", rows[i].raw,
                         step, http_fault_code(fault), at, tabs);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_bad_byte_does_not_depend_on_the_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
