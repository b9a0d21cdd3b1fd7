/* http1_write.c - see http1_write.h. */
#include "codec/http1_write.h"

#include <time.h>

#include "codec/http_rules.h"

struct str http1_write_reason(int status)
{
    /* clang-format off */
    static const struct { int status; struct str phrase; } reasons[] = {
        { 200, STR_INIT("OK") },
        { 201, STR_INIT("Created") },
        { 202, STR_INIT("Accepted") },
        { 204, STR_INIT("No Content") },
        { 206, STR_INIT("Partial Content") },
        { 301, STR_INIT("Moved Permanently") },
        { 302, STR_INIT("Found") },
        { 303, STR_INIT("See Other") },
        { 304, STR_INIT("Not Modified") },
        { 307, STR_INIT("Temporary Redirect") },
        { 308, STR_INIT("Permanent Redirect") },
        { 400, STR_INIT("Bad Request") },
        { 401, STR_INIT("Unauthorized") },
        { 402, STR_INIT("Payment Required") },
        { 403, STR_INIT("Forbidden") },
        { 404, STR_INIT("Not Found") },
        { 405, STR_INIT("Method Not Allowed") },
        { 406, STR_INIT("Not Acceptable") },
        { 408, STR_INIT("Request Timeout") },
        { 409, STR_INIT("Conflict") },
        { 410, STR_INIT("Gone") },
        { 411, STR_INIT("Length Required") },
        { 412, STR_INIT("Precondition Failed") },
        { 413, STR_INIT("Content Too Large") },
        { 414, STR_INIT("URI Too Long") },
        { 415, STR_INIT("Unsupported Media Type") },
        { 417, STR_INIT("Expectation Failed") },
        { 421, STR_INIT("Misdirected Request") },
        { 422, STR_INIT("Unprocessable Content") },
        { 424, STR_INIT("Failed Dependency") },
        { 426, STR_INIT("Upgrade Required") },
        { 428, STR_INIT("Precondition Required") },
        { 429, STR_INIT("Too Many Requests") },
        { 431, STR_INIT("Request Header Fields Too Large") },
        { 451, STR_INIT("Unavailable For Legal Reasons") },
        { 500, STR_INIT("Internal Server Error") },
        { 501, STR_INIT("Not Implemented") },
        { 502, STR_INIT("Bad Gateway") },
        { 503, STR_INIT("Service Unavailable") },
        { 504, STR_INIT("Gateway Timeout") },
        { 505, STR_INIT("HTTP Version Not Supported") },
        { 508, STR_INIT("Loop Detected") },
    };
    /* clang-format on */
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (reasons[i].status == status)
            return reasons[i].phrase;
    }
    return STR("Unknown");
}

static enum err add_fields(struct buf *to, struct http_fields fields)
{
    for (size_t i = 0; i < fields.count; i++) {
        const struct http_field *f = &fields.at[i];
        if (!http_rules_may_send(f))
            return ERR_MALFORMED;
        /* One reservation a field: this is the hot path of every reply. */
        size_t n = f->name.len + 2 + f->value.len + 2;
        char *at = buf_space(to, n);
        if (at == NULL)
            return ERR_LIMIT;
        memcpy(at, f->name.ptr, f->name.len);
        at += f->name.len;
        *at++ = ':';
        *at++ = ' ';
        if (f->value.len > 0)
            memcpy(at, f->value.ptr, f->value.len);
        at += f->value.len;
        *at++ = '\r';
        *at = '\n';
        buf_added(to, n);
    }
    return ERR_OK;
}

static void add_framing(struct buf *to, int64_t body_bytes)
{
    if (body_bytes == HTTP1_WRITE_CHUNKED) {
        BUF_LIT(to, "transfer-encoding: chunked\r\n");
    } else if (body_bytes >= 0) {
        BUF_LIT(to, "content-length: ");
        buf_add_u64(to, (uint64_t)body_bytes);
        BUF_LIT(to, "\r\n");
    }
}

/* Bytes that may stand in a request line or an authority as they are. */
static bool is_visible(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~')
            return false;
    }
    return s.len > 0;
}

enum err http1_write_request(struct buf *to,
                             const struct http1_write_request *r)
{
    if (!http_rules_is_token(r->method) || !is_visible(r->target) ||
        !is_visible(r->authority))
        return ERR_MALFORMED;
    buf_add(to, r->method);
    BUF_LIT(to, " ");
    buf_add(to, r->target);
    BUF_LIT(to, " HTTP/1.1\r\nhost: ");
    buf_add(to, r->authority);
    BUF_LIT(to, "\r\n");
    enum err e = add_fields(to, r->fields);
    if (e != ERR_OK)
        return e;
    add_framing(to, r->body_bytes);
    BUF_LIT(to, "\r\n");
    return buf_ok(to) ? ERR_OK : ERR_LIMIT;
}

enum err http1_write_response(struct buf *to,
                              const struct http1_write_response *r)
{
    if (r->status < 100 || r->status > 599)
        return ERR_MALFORMED;
    BUF_LIT(to, "HTTP/1.1 ");
    buf_add_u64(to, (uint64_t)r->status);
    BUF_LIT(to, " ");
    buf_add(to, http1_write_reason(r->status));
    BUF_LIT(to, "\r\n");
    if (r->date.len > 0) {
        BUF_LIT(to, "date: ");
        buf_add(to, r->date);
        BUF_LIT(to, "\r\n");
    }
    enum err e = add_fields(to, r->fields);
    if (e != ERR_OK)
        return e;
    add_framing(to, r->body_bytes);
    if (r->close)
        BUF_LIT(to, "connection: close\r\n");
    BUF_LIT(to, "\r\n");
    return buf_ok(to) ? ERR_OK : ERR_LIMIT;
}

size_t http1_write_chunk(char to[HTTP1_WRITE_CHUNK_MAX], size_t n)
{
    static const char hex[] = "0123456789abcdef";
    char digits[2 * sizeof(n)];
    size_t at = sizeof(digits);
    do {
        digits[--at] = hex[n & 15];
        n >>= 4;
    } while (n > 0);
    size_t len = sizeof(digits) - at;
    memcpy(to, digits + at, len);
    to[len++] = '\r';
    to[len++] = '\n';
    return len;
}

void http1_write_date(int64_t unix_s, char to[HTTP1_DATE_LEN])
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed",
                                   "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t t = (time_t)unix_s;
    struct tm tm = {0};
    (void)gmtime_r(&t, &tm);
    unsigned parts[] = {(unsigned)tm.tm_mday, (unsigned)tm.tm_hour,
                        (unsigned)tm.tm_min, (unsigned)tm.tm_sec};
    static const unsigned char places[] = {5, 17, 20, 23};
    unsigned year = (unsigned)(tm.tm_year + 1900) % 10000;

    memcpy(to, "Day, 00 Mon 0000 00:00:00 GMT", HTTP1_DATE_LEN);
    memcpy(to, days[tm.tm_wday], 3);
    memcpy(to + 8, months[tm.tm_mon], 3);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        to[places[i]] = (char)('0' + parts[i] / 10 % 10);
        to[places[i] + 1] = (char)('0' + parts[i] % 10);
    }
    for (size_t i = 0; i < 4; i++, year /= 10)
        to[15 - i] = (char)('0' + year % 10);
}
