/* http_rules.c - see http_rules.h. */
#include "codec/http_rules.h"

#include <assert.h>

#include "base/limits.h"
#include "base/num.h"
#include "base/text.h"
#include "codec/uri.h"

static const struct {
    int status;
    const char *code, *text;
} faults[] = {
#define X(name, status, code, text) {status, code, text},
    HTTP_FAULT_LIST(X)
#undef X
};

int http_fault_status(enum http_fault f)
{
    assert((unsigned)f < HTTP_FAULT_COUNT);
    return faults[f].status;
}

const char *http_fault_code(enum http_fault f)
{
    assert((unsigned)f < HTTP_FAULT_COUNT);
    return faults[f].code;
}

const char *http_fault_text(enum http_fault f)
{
    assert((unsigned)f < HTTP_FAULT_COUNT);
    return faults[f].text;
}

/* What a field is to the codecs. */
enum kind {
    KIND_OTHER = 0,
    KIND_GUARDED, /* end to end: Connection must not name it */
    KIND_SINGLE,  /* guarded, and at most one */
    KIND_HOP,     /* dropped */
    KIND_CONNECTION,
    KIND_CODING,
    KIND_LENGTH,
    KIND_HOST,
    KIND_EXPECT,
};

struct known {
    struct str name;
    enum kind kind;
};

/* Ordered by length: first_row[] below counts on it. */
/* clang-format off */
static const struct known known[] = {
    { STR_INIT("te"),                 KIND_HOP },
    { STR_INIT("dpop"),               KIND_SINGLE },
    { STR_INIT("host"),               KIND_HOST },
    { STR_INIT("cookie"),             KIND_GUARDED },
    { STR_INIT("expect"),             KIND_EXPECT },
    { STR_INIT("api-key"),            KIND_SINGLE },
    { STR_INIT("trailer"),            KIND_HOP },
    { STR_INIT("upgrade"),            KIND_HOP },
    { STR_INIT("forwarded"),          KIND_GUARDED },
    { STR_INIT("x-api-key"),          KIND_SINGLE },
    { STR_INIT("x-real-ip"),          KIND_GUARDED },
    { STR_INIT("connection"),         KIND_CONNECTION },
    { STR_INIT("keep-alive"),         KIND_HOP },
    { STR_INIT("tracestate"),         KIND_GUARDED },
    { STR_INIT("traceparent"),        KIND_GUARDED },
    { STR_INIT("content-type"),       KIND_SINGLE },
    { STR_INIT("authorization"),      KIND_SINGLE },
    { STR_INIT("content-length"),     KIND_LENGTH },
    { STR_INIT("http2-settings"),     KIND_HOP },
    { STR_INIT("x-goog-api-key"),     KIND_SINGLE },
    { STR_INIT("content-encoding"),   KIND_SINGLE },
    { STR_INIT("proxy-connection"),   KIND_HOP },
    { STR_INIT("transfer-encoding"),  KIND_CODING },
    { STR_INIT("proxy-authenticate"), KIND_HOP },
    { STR_INIT("proxy-authorization"), KIND_HOP },
};
static const struct str guarded_prefixes[] = {
    STR_INIT("x-forwarded-"), STR_INIT("mcp-"), STR_INIT("writ-"),
    STR_INIT("x-spiffe-"),
};
/* clang-format on */

static_assert(ARRAY_LEN(known) <= 32, "one bit each in struct scan");

/* Of each length, the first row; they end where those of the next begin. */
static const unsigned char first_row[] = {
    0, 0, 0, 1, 1, 3, 3, 5, 8, 8, 11, 14, 15, 16, 17, 20, 20, 22, 23, 24, 25,
};

static bool is_guarded(struct str name, enum kind kind)
{
    for (size_t i = 0; i < ARRAY_LEN(guarded_prefixes); i++) {
        if (str_starts(name, guarded_prefixes[i]))
            return true;
    }
    return kind != KIND_OTHER && kind != KIND_HOP;
}

/* The row of `name`, or ARRAY_LEN(known).  Most names meet no comparison. */
static size_t known_find(struct str name)
{
    if (name.len + 1 >= ARRAY_LEN(first_row))
        return ARRAY_LEN(known);
    for (size_t i = first_row[name.len]; i < first_row[name.len + 1]; i++) {
        if (known[i].name.ptr[0] == name.ptr[0] &&
            memcmp(known[i].name.ptr, name.ptr, name.len) == 0)
            return i;
    }
    return ARRAY_LEN(known);
}

/* One bit a character, for all of a token and for those that are no capital
 * letters: "!#$%&'*+-.^_`|~", digits and letters. */
static const uint32_t token[8] = {0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff};
static const uint32_t lower_token[8] = {0, 0x03ff6cfa, 0xc0000000, 0x57ffffff};

static bool is_of(const uint32_t set[8], struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if ((set[c / 32] >> (c % 32) & 1) == 0)
            return false;
    }
    return s.len > 0;
}

bool http_rules_is_token(struct str s)
{
    return is_of(token, s);
}

/* How many of the first bytes of `s` are surely no control characters, eight
 * at a time: one below 0x20, and 0x7f, set a high bit. */
static size_t plain_len(struct str s)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    size_t i = 0;
    for (; s.len - i >= 8; i += 8) {
        uint64_t x;
        memcpy(&x, s.ptr + i, sizeof(x));
        uint64_t del = x ^ ones * 0x7f;
        uint64_t hit = ((x - ones * 0x20) & ~x) | ((del - ones) & ~del);
        if ((hit & ones << 7) != 0)
            break;
    }
    return i;
}

static bool is_field_value(struct str v)
{
    if (v.len == 0)
        return true;
    if (v.ptr[0] == ' ' || v.ptr[0] == '\t' || v.ptr[v.len - 1] == ' ' ||
        v.ptr[v.len - 1] == '\t')
        return false;
    for (size_t i = plain_len(v); i < v.len; i++) {
        unsigned char c = (unsigned char)v.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

bool http_rules_may_send(const struct http_field *f)
{
    if (!is_of(lower_token, f->name) || !is_field_value(f->value))
        return false;
    size_t row = known_find(f->name);
    return row == ARRAY_LEN(known) || known[row].kind <= KIND_SINGLE;
}

/* One pass over the fields of a head. */
struct scan {
    uint32_t seen; /* rows of known[] */
    struct str host;
    bool has_host;
    bool drop_named; /* Connection named fields that are to be dropped */
    struct http_hop hop;
};

/* Takes the next option off a Connection list; false at the end. */
static bool next_option(struct str *list, struct str *ret)
{
    while (list->len > 0) {
        size_t at = str_find(*list, ',');
        struct str option = str_trim(str_first(*list, at));
        *list = str_skip(*list, at + 1);
        if (option.len > 0) {
            *ret = option;
            return true;
        }
    }
    return false;
}

/* RFC 9110, 7.6.1: the options of a connection are the sender's own, and
 * must not be a way to delete what others rely on. */
static enum http_fault read_connection(struct scan *s, struct str list)
{
    struct str option;
    while (next_option(&list, &option)) {
        char lower[64];
        if (option.len > sizeof(lower) || !http_rules_is_token(option))
            return HTTP_FAULT_CONNECTION;
        memcpy(lower, option.ptr, option.len);
        text_lower(lower, option.len);
        struct str name = {lower, option.len};
        size_t row = known_find(name);
        enum kind kind = row < ARRAY_LEN(known) ? known[row].kind : KIND_OTHER;
        if (is_guarded(name, kind))
            return HTTP_FAULT_CONNECTION;
        if (str_eq(name, STR("close")))
            s->hop.close = true;
        else if (kind == KIND_OTHER && !str_eq(name, STR("keep-alive")))
            s->drop_named = true;
    }
    return HTTP_FAULT_NONE;
}

static enum http_fault read_length(struct scan *s, struct str value)
{
    uint64_t n;
    if (s->hop.has_length || !num_u64(value, INT64_MAX, &n))
        return HTTP_FAULT_FRAMING;
    s->hop.has_length = true;
    s->hop.content_length = (int64_t)n;
    return HTTP_FAULT_NONE;
}

static enum http_fault read_coding(struct scan *s, struct str value)
{
    if (s->hop.has_coding)
        return HTTP_FAULT_FRAMING;
    s->hop.has_coding = true;
    s->hop.is_chunked = str_eq_nocase(value, STR("chunked"));
    return s->hop.is_chunked ? HTTP_FAULT_NONE : HTTP_FAULT_CODING;
}

/* Reads one field that has a row; *ret_keep: the field is end to end. */
static enum http_fault scan_known(struct scan *s, size_t row,
                                  const struct http_field *f, bool *ret_keep)
{
    bool again = (s->seen >> row & 1) != 0;
    s->seen |= (uint32_t)1 << row;
    *ret_keep = known[row].kind <= KIND_SINGLE;

    switch (known[row].kind) {
    case KIND_SINGLE:
        return again ? HTTP_FAULT_DUPLICATE : HTTP_FAULT_NONE;
    case KIND_CONNECTION:
        return read_connection(s, f->value);
    case KIND_CODING:
        return read_coding(s, f->value);
    case KIND_LENGTH:
        return read_length(s, f->value);
    case KIND_HOST:
        s->host = f->value;
        s->has_host = true;
        return again ? HTTP_FAULT_HOST : HTTP_FAULT_NONE;
    case KIND_EXPECT:
        s->hop.expect_continue = true;
        return again || !str_eq_nocase(f->value, STR("100-continue"))
                   ? HTTP_FAULT_EXPECT
                   : HTTP_FAULT_NONE;
    case KIND_OTHER:
    case KIND_GUARDED:
    case KIND_HOP:
        break;
    }
    return HTTP_FAULT_NONE;
}

static bool connection_names(const struct http_field *connection, size_t n,
                             struct str name)
{
    for (size_t i = 0; i < n; i++) {
        struct str list = connection[i].value, option;
        while (str_eq(connection[i].name, STR("connection")) &&
               next_option(&list, &option)) {
            if (str_eq_nocase(option, name))
                return true;
        }
    }
    return false;
}

/* Moves the fields that stay to the front, in order. */
static void drop_hop_fields(struct http_raw_head *raw, const struct scan *s)
{
    /* The Connection fields themselves must be readable to the end: they are
     * collected at the back, by swapping, when they name others. */
    size_t kept = 0;
    for (size_t i = 0; i < raw->count; i++) {
        struct http_field f = raw->fields[i];
        size_t row = known_find(f.name);
        bool keep = row == ARRAY_LEN(known) || known[row].kind <= KIND_SINGLE;
        if (keep && s->drop_named)
            keep = !connection_names(raw->fields + kept, raw->count - kept,
                                     f.name);
        if (!keep)
            continue;
        raw->fields[i] = raw->fields[kept];
        raw->fields[kept++] = f;
    }
    raw->count = kept;
}

static enum http_fault scan_fields(struct http_raw_head *raw, struct scan *s)
{
    size_t dropped = 0;
    for (size_t i = 0; i < raw->count; i++) {
        const struct http_field *f = &raw->fields[i];
        /* HTTP/1 values are trimmed and checked by llhttp; those of HTTP/2
         * may have blanks around them (RFC 9113, 8.2.1). */
        if (raw->version == HTTP_VERSION_2 && !is_field_value(f->value))
            return HTTP_FAULT_SYNTAX;
        size_t row = known_find(f->name);
        if (row == ARRAY_LEN(known))
            continue;
        bool keep;
        enum http_fault fault = scan_known(s, row, f, &keep);
        if (fault != HTTP_FAULT_NONE)
            return fault;
        dropped += !keep;
    }
    if (dropped > 0)
        drop_hop_fields(raw, s);
    return HTTP_FAULT_NONE;
}

/* RFC 9112, 6: of length and coding at most one, and no coding in 1.0. */
static enum http_fault check_framing(const struct scan *s,
                                     enum http_version version)
{
    if (s->hop.has_coding && (s->hop.has_length || version != HTTP_VERSION_1_1))
        return HTTP_FAULT_FRAMING;
    return HTTP_FAULT_NONE;
}

static int64_t body_bytes(const struct http_hop *hop, int64_t unknown)
{
    if (hop->is_chunked)
        return -1;
    return hop->has_length ? hop->content_length : unknown;
}

static enum http_fault from_uri(enum err e, enum http_fault malformed)
{
    if (e == ERR_OK)
        return HTTP_FAULT_NONE;
    return e == ERR_MALFORMED ? malformed : HTTP_FAULT_MEMORY;
}

/* Exactly one host, and the same wherever it is named. */
static enum http_fault read_host(struct arena *a,
                                 const struct http_raw_head *raw,
                                 const struct scan *s, struct str *ret)
{
    struct str host = {NULL, 0}, authority = {NULL, 0};
    enum http_fault fault = HTTP_FAULT_NONE;
    if (!s->has_host && !raw->has_authority)
        return raw->version == HTTP_VERSION_1_0 ? HTTP_FAULT_NONE
                                                : HTTP_FAULT_HOST;
    if (s->has_host)
        fault =
            from_uri(uri_normal_authority(a, s->host, &host), HTTP_FAULT_HOST);
    if (fault == HTTP_FAULT_NONE && raw->has_authority)
        fault = from_uri(uri_normal_authority(a, raw->authority, &authority),
                         HTTP_FAULT_HOST);
    if (fault != HTTP_FAULT_NONE)
        return fault;
    if (s->has_host && raw->has_authority && !str_eq(host, authority))
        return HTTP_FAULT_HOST;
    *ret = raw->has_authority ? authority : host;
    return HTTP_FAULT_NONE;
}

static enum http_fault check_method(struct str method)
{
    if (str_eq(method, STR("CONNECT")) || str_eq(method, STR("TRACE")))
        return HTTP_FAULT_METHOD;
    return http_rules_is_token(method) ? HTTP_FAULT_NONE : HTTP_FAULT_SYNTAX;
}

enum http_fault http_rules_request(struct arena *a, struct http_raw_head *raw,
                                   struct http_request_head *ret,
                                   struct http_hop *ret_hop)
{
    struct scan s = {0};
    struct http_request_head head = {.method = raw->method,
                                     .version = raw->version};
    enum http_fault fault = check_method(raw->method);
    if (fault == HTTP_FAULT_NONE && raw->target.len > HTTP_TARGET_MAX)
        fault = HTTP_FAULT_TARGET_LONG;
    if (fault == HTTP_FAULT_NONE)
        fault = scan_fields(raw, &s);
    if (fault == HTTP_FAULT_NONE)
        fault = check_framing(&s, raw->version);
    if (fault == HTTP_FAULT_NONE)
        fault = read_host(a, raw, &s, &head.authority);
    if (fault == HTTP_FAULT_NONE)
        fault =
            from_uri(uri_normal_path(a, raw->target, &head.path, &head.query),
                     HTTP_FAULT_TARGET);
    if (fault != HTTP_FAULT_NONE)
        return fault;

    /* 100 Continue is not for those who cannot know it (RFC 9110, 10.1.1). */
    if (raw->version == HTTP_VERSION_1_0)
        s.hop.expect_continue = false;
    head.fields = (struct http_fields){raw->fields, raw->count};
    head.body_bytes = body_bytes(&s.hop, 0);
    *ret = head;
    *ret_hop = s.hop;
    return HTTP_FAULT_NONE;
}

enum http_fault http_rules_response(struct http_raw_head *raw, int status,
                                    struct http_response_head *ret,
                                    struct http_hop *ret_hop)
{
    struct scan s = {0};
    enum http_fault fault = scan_fields(raw, &s);
    if (fault == HTTP_FAULT_NONE)
        fault = check_framing(&s, raw->version);
    if (fault != HTTP_FAULT_NONE)
        return fault;
    *ret = (struct http_response_head){
        .status = status,
        .fields = {raw->fields, raw->count},
        .body_bytes = body_bytes(&s.hop, -1),
    };
    *ret_hop = s.hop;
    return HTTP_FAULT_NONE;
}
