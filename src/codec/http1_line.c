/* http1_line.c - see http1_line.h. */
#include "codec/http1_line.h"

#include <assert.h>
#include <endian.h>

#include "base/limits.h"

static_assert(HTTP_TARGET_MAX < UINT16_MAX, "target_len has 16 bits");

enum part {
    PART_EMPTY,
    PART_METHOD,
    PART_TARGET,
    PART_VERSION,
    PART_STATUS, /* a status line, whole */
    PART_FIELDS,
    PART_DONE,
};

void http1_line_init(struct http1_line *l, bool request)
{
    *l = (struct http1_line){.part = request ? PART_EMPTY : PART_STATUS};
}

static bool is_line_end(char c)
{
    return c == '\r' || c == '\n';
}

/* Whole empty lines, as many as allowed; then the method begins. */
static enum http_fault in_empty(struct http1_line *l, char c)
{
    bool half = l->at % 2 == 1;
    if (!half && !is_line_end(c)) {
        l->part = PART_METHOD;
        return HTTP_FAULT_NONE;
    }
    if (c != (half ? '\n' : '\r') || l->at == 2 * HTTP1_LINE_EMPTY_MAX)
        return HTTP_FAULT_SYNTAX;
    l->at++;
    return HTTP_FAULT_NONE;
}

/* Takes what surely belongs to the target; its end and its limit are for
 * in_target(). */
static size_t target_bytes(struct http1_line *l, struct str in)
{
    struct str s = str_first(in, HTTP_TARGET_MAX - l->target_len);
    size_t n = 0;
    while (n < s.len && s.ptr[n] != ' ' && !is_line_end(s.ptr[n]))
        n++;
    l->target_len = (uint16_t)(l->target_len + n);
    return n;
}

static enum http_fault in_target(struct http1_line *l, char c)
{
    if (is_line_end(c))
        return HTTP_FAULT_SYNTAX;
    if (c == ' ') {
        l->part = PART_VERSION;
        l->at = 0;
        return HTTP_FAULT_NONE;
    }
    return l->target_len++ < HTTP_TARGET_MAX ? HTTP_FAULT_NONE
                                             : HTTP_FAULT_TARGET_LONG;
}

/* llhttp knows RTSP and ICE, too; the digits it checks itself. */
static enum http_fault in_version(struct http1_line *l, char c)
{
    static const char name[] = "HTTP/";
    if (l->at < sizeof(name) - 1)
        return c == name[l->at++] ? HTTP_FAULT_NONE : HTTP_FAULT_SYNTAX;
    if (c == '\n') {
        l->part = PART_FIELDS;
        l->empty = true;
    }
    return c == ' ' ? HTTP_FAULT_SYNTAX : HTTP_FAULT_NONE;
}

/* One byte of the request line; what is wrong with it, if anything. */
static enum http_fault in_request_line(struct http1_line *l, char c)
{
    switch ((enum part)l->part) {
    case PART_EMPTY:
        return in_empty(l, c);
    case PART_METHOD:
        if (c == ' ')
            l->part = PART_TARGET;
        return is_line_end(c) ? HTTP_FAULT_SYNTAX : HTTP_FAULT_NONE;
    case PART_TARGET:
        return in_target(l, c);
    case PART_VERSION:
        return in_version(l, c);
    case PART_STATUS:
    case PART_FIELDS:
    case PART_DONE:
        break;
    }
    return HTTP_FAULT_NONE;
}

/* Bytes of `s` before the next CR, LF or, in a field, tab. */
static size_t plain_bytes(const struct http1_line *l, struct str s)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    bool tab = l->part == PART_FIELDS;
    size_t n = 0;
    while (s.len - n >= 8) {
        uint64_t x;
        memcpy(&x, s.ptr + n, sizeof(x));
        x = le64toh(x);
        /* The lowest bit is that of the first byte below 0x20. */
        uint64_t control = (x - ones * ' ') & ~x & ones << 7;
        if (control == 0) {
            n += 8;
            continue;
        }
        n += (size_t)__builtin_ctzll(control) / 8;
        if (is_line_end(s.ptr[n]) || (tab && s.ptr[n] == '\t'))
            return n;
        n++;
    }
    while (n < s.len && !is_line_end(s.ptr[n]) && !(tab && s.ptr[n] == '\t'))
        n++;
    return n;
}

/* Goes on in whole lines, CR and LF always together, to the empty one. */
static struct http1_line_scan in_lines(struct http1_line *l, struct str in)
{
    struct http1_line_scan scan = {.n = 0};
    while (scan.n < in.len && l->part != PART_DONE) {
        struct str left = str_skip(in, scan.n);
        size_t n = l->cr ? 0 : plain_bytes(l, left);
        if (n > 0)
            l->empty = false;
        scan.n += n;
        if (n == left.len)
            break;

        char c = left.ptr[n];
        if (l->cr != (c == '\n')) {
            scan.fault = HTTP_FAULT_SYNTAX;
            break;
        }
        if (c == '\t') {
            l->empty = false;
            scan.tab = true;
            break;
        }
        scan.n++;
        l->cr = c == '\r';
        if (l->cr)
            continue;
        l->part = l->part == PART_FIELDS && l->empty ? PART_DONE : PART_FIELDS;
        l->empty = true;
    }
    return scan;
}

struct http1_line_scan http1_line_scan(struct http1_line *l, struct str in)
{
    size_t i = 0;
    while (i < in.len && l->part < PART_STATUS) {
        if (l->part == PART_TARGET)
            i += target_bytes(l, str_skip(in, i));
        if (i == in.len)
            break;
        enum http_fault fault = in_request_line(l, in.ptr[i]);
        if (fault != HTTP_FAULT_NONE)
            return (struct http1_line_scan){.n = i, .fault = fault};
        i++;
    }
    struct http1_line_scan scan = in_lines(l, str_skip(in, i));
    scan.n += i;
    return scan;
}
