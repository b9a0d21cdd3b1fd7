/* http1.c - see http1.h. */
#include "codec/http1.h"

#include <assert.h>
#include <llhttp.h>

#include "base/limits.h"
#include "base/text.h"

static_assert(sizeof(llhttp_t) <= HTTP1_LLHTTP_BYTES, "room for the parser");
static_assert(alignof(llhttp_t) <= 8, "aligned for the parser");
static_assert(HTTP_HEAD_MAX + HTTP_RESPONSE_HEAD_MAX < UINT32_MAX / 2,
              "counters of the head have 32 bits");

enum { TEXT_ROOM_MIN = 512, TEXT_ROOM_FIRST_MAX = 2048, FIELD_ROOM_MIN = 24 };

enum state {
    STATE_HEAD,          /* up to the empty line */
    STATE_INFORMATIONAL, /* the end of a 1xx, which has no body */
    STATE_BODY,
    STATE_END,
    STATE_FAILED,
};

static llhttp_t *parser(struct http1 *p)
{
    return (llhttp_t *)(void *)p->llhttp;
}

/* --- what llhttp calls --- */

static int fail(struct http1 *p, enum http_fault fault)
{
    if (p->fault == HTTP_FAULT_NONE)
        p->fault = fault;
    return HPE_USER;
}

static void rebase(struct str *s, const char *from, const char *to)
{
    if (s->ptr != NULL)
        s->ptr = to + (s->ptr - from);
}

static bool text_grow(struct http1 *p, size_t need)
{
    size_t room = p->text_room == 0 ? TEXT_ROOM_MIN : p->text_room;
    while (room < need)
        room *= 2;
    char *text = arena_alloc_raw(p->arena, room);
    if (text == NULL)
        return false;
    if (p->text_len > 0)
        memcpy(text, p->text, p->text_len);
    rebase(&p->target, p->text, text);
    for (size_t i = 0; i <= p->field_count && i < p->field_room; i++) {
        rebase(&p->fields[i].name, p->text, text);
        rebase(&p->fields[i].value, p->text, text);
    }
    p->text = text;
    p->text_room = room;
    return true;
}

/* Appends to `s`, which is the last thing in the text of the head. */
static int text_add(struct http1 *p, struct str *s, const char *at, size_t n)
{
    if (n > p->text_room - p->text_len && !text_grow(p, p->text_len + n))
        return fail(p, HTTP_FAULT_MEMORY);
    if (s->ptr == NULL)
        *s = (struct str){p->text + p->text_len, 0};
    memcpy(p->text + p->text_len, at, n);
    p->text_len += n;
    s->len += n;
    return 0;
}

static int on_url(llhttp_t *l, const char *at, size_t n)
{
    struct http1 *p = l->data;
    return text_add(p, &p->target, at, n);
}

/* Makes fields[field_count] a place to write to: empty, when it is new.  Most
 * heads need few of the places, so those are not touched before. */
static bool field_room(struct http1 *p)
{
    if (p->field_count < p->field_room)
        return true;
    uint32_t room = p->field_room == 0 ? FIELD_ROOM_MIN : p->field_room * 2;
    struct http_field *fields =
        arena_alloc_raw(p->arena, room * sizeof(*fields));
    if (fields == NULL)
        return false;
    if (p->field_count > 0)
        memcpy(fields, p->fields, p->field_count * sizeof(*fields));
    p->fields = fields;
    p->field_room = room;
    fields[p->field_count] = (struct http_field){{NULL, 0}, {NULL, 0}};
    return true;
}

static int on_field(llhttp_t *l, const char *at, size_t n)
{
    struct http1 *p = l->data;
    if (p->state != STATE_HEAD)
        return 0; /* a trailer */
    if (!field_room(p))
        return fail(p, HTTP_FAULT_MEMORY);
    size_t from = p->text_len;
    int rc = text_add(p, &p->fields[p->field_count].name, at, n);
    if (rc == 0)
        text_lower(p->text + from, p->text_len - from);
    return rc;
}

static int on_value(llhttp_t *l, const char *at, size_t n)
{
    struct http1 *p = l->data;
    if (p->state != STATE_HEAD)
        return 0;
    return text_add(p, &p->fields[p->field_count].value, at, n);
}

static int on_value_complete(llhttp_t *l)
{
    struct http1 *p = l->data;
    if (p->state != STATE_HEAD)
        return 0;
    if (p->field_count == HTTP_FIELDS_MAX)
        return fail(p, HTTP_FAULT_HEAD_LONG);
    struct http_field *f = &p->fields[p->field_count++];
    f->value = str_trim(f->value);
    if (p->field_count < p->field_room)
        p->fields[p->field_count] = (struct http_field){{NULL, 0}, {NULL, 0}};
    return 0;
}

static bool has_no_body(const struct http1 *p, int status)
{
    return p->no_body || status < 200 || status == 204 || status == 304;
}

static int on_headers_complete(llhttp_t *l)
{
    struct http1 *p = l->data;
    /* An Upgrade is an offer that we do not take, so the message goes on as
     * it stands (RFC 9110, 7.8). */
    l->upgrade = 0;
    /* Whatever the fields say (RFC 9112, 6.3). */
    if (p->kind == HTTP1_RESPONSE && has_no_body(p, l->status_code))
        l->flags |= F_SKIPBODY;
    return HPE_PAUSED;
}

static int on_chunk_header(llhttp_t *l)
{
    struct http1 *p = l->data;
    p->extensions = 0;
    return 0;
}

static int on_extension(llhttp_t *l, const char *at, size_t n)
{
    (void)at;
    struct http1 *p = l->data;
    p->extensions +=
        n < HTTP1_EXTENSIONS_MAX ? (uint32_t)n : HTTP1_EXTENSIONS_MAX + 1;
    if (p->extensions > HTTP1_EXTENSIONS_MAX)
        return fail(p, HTTP_FAULT_BODY);
    return 0;
}

static int on_body(llhttp_t *l, const char *at, size_t n)
{
    struct http1 *p = l->data;
    if (n == 0)
        return 0;
    p->piece = (struct str){at, n};
    return HPE_PAUSED;
}

static int on_message_complete(llhttp_t *l)
{
    struct http1 *p = l->data;
    p->state = STATE_END;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_chunk_header = on_chunk_header,
    .on_chunk_extension_name = on_extension,
    .on_chunk_extension_value = on_extension,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* --- heads --- */

/* scheme://authority/path; HTTP_FAULT_TARGET for all that is neither this
 * nor origin-form (RFC 9112, 3.2). */
static enum http_fault split_target(struct http_raw_head *raw)
{
    if (raw->target.len > 0 && raw->target.ptr[0] == '/')
        return HTTP_FAULT_NONE;
    size_t skip = 0;
    if (str_eq_nocase(str_first(raw->target, 7), STR("http://")))
        skip = 7;
    else if (str_eq_nocase(str_first(raw->target, 8), STR("https://")))
        skip = 8;
    else
        return HTTP_FAULT_TARGET;
    struct str rest = str_skip(raw->target, skip);
    size_t slash = str_find(rest, '/');
    raw->authority = str_first(rest, slash);
    raw->has_authority = true;
    raw->target = slash == rest.len ? STR("/") : str_skip(rest, slash);
    return HTTP_FAULT_NONE;
}

static enum http_fault read_version(const llhttp_t *l, enum http_version *ret)
{
    if (l->http_major != 1 || l->http_minor > 1)
        return HTTP_FAULT_VERSION;
    *ret = l->http_minor == 1 ? HTTP_VERSION_1_1 : HTTP_VERSION_1_0;
    return HTTP_FAULT_NONE;
}

static enum http_fault request_head(struct http1 *p, struct http_raw_head *raw)
{
    raw->method = str_from(
        llhttp_method_name((llhttp_method_t)llhttp_get_method(parser(p))));
    raw->target = p->target;
    if (llhttp_get_method(parser(p)) == HTTP_CONNECT)
        return HTTP_FAULT_METHOD; /* its target has another form */
    enum http_fault fault = split_target(raw);
    if (fault == HTTP_FAULT_NONE)
        fault = http_rules_request(p->arena, raw, &p->request, &p->hop);
    return fault;
}

static enum http_fault response_head(struct http1 *p, struct http_raw_head *raw)
{
    int status = llhttp_get_status_code(parser(p));
    if (status < 100 || status > 599 || status == 101)
        return HTTP_FAULT_SYNTAX;
    enum http_fault fault =
        http_rules_response(raw, status, &p->response, &p->hop);
    if (fault != HTTP_FAULT_NONE)
        return fault;
    if (status < 200 && p->informational++ == HTTP1_INFORMATIONAL_MAX)
        return HTTP_FAULT_SYNTAX;
    if (has_no_body(p, status))
        p->response.body_bytes = 0;
    else
        p->until_close = !p->hop.has_coding && !p->hop.has_length;
    return HTTP_FAULT_NONE;
}

static enum http_fault read_head(struct http1 *p)
{
    struct http_raw_head raw = {.fields = p->fields, .count = p->field_count};
    enum http_fault fault = read_version(parser(p), &raw.version);
    if (fault == HTTP_FAULT_NONE)
        fault = p->kind == HTTP1_REQUEST ? request_head(p, &raw)
                                         : response_head(p, &raw);
    p->keep_alive =
        raw.version == HTTP_VERSION_1_1 && !p->hop.close && !p->until_close;
    return fault;
}

/* --- the parser --- */

void http1_init(struct http1 *p, enum http1_kind kind)
{
    memset(p, 0, sizeof(*p));
    p->kind = (uint8_t)kind;
    p->state = STATE_END;
}

/* Ready for the first byte of a head, the arena staying as it is. */
static void restart(struct http1 *p)
{
    llhttp_init(parser(p),
                p->kind == HTTP1_REQUEST ? HTTP_REQUEST : HTTP_RESPONSE,
                &settings);
    parser(p)->data = p;
    p->state = STATE_HEAD;
    p->text_len = 0;
    p->field_count = 0;
    if (p->field_room > 0)
        p->fields[0] = (struct http_field){{NULL, 0}, {NULL, 0}};
    p->target = p->piece = (struct str){NULL, 0};
    p->head_bytes = p->overhead = p->extensions = 0;
    http1_line_init(&p->line, p->kind == HTTP1_REQUEST);
    p->hop = (struct http_hop){0};
    p->keep_alive = p->until_close = false;
}

static void start(struct http1 *p, struct arena *a, bool no_body)
{
    assert(p->state == STATE_END);
    p->arena = a;
    p->text = NULL;
    p->text_room = 0;
    p->fields = NULL;
    p->field_room = 0;
    p->informational = 0;
    p->no_body = no_body;
    restart(p);
}

void http1_start(struct http1 *p, struct arena *a)
{
    start(p, a, false);
}

void http1_start_headless(struct http1 *p, struct arena *a)
{
    assert(p->kind == HTTP1_RESPONSE);
    start(p, a, true);
}

bool http1_has_begun(const struct http1 *p)
{
    return p->state != STATE_HEAD || p->head_bytes > 0;
}

static enum err failed(struct http1 *p, enum http_fault fault)
{
    if (p->fault == HTTP_FAULT_NONE)
        p->fault = fault;
    p->state = STATE_FAILED;
    if (p->fault == HTTP_FAULT_MEMORY)
        return ERR_NO_MEMORY;
    return p->fault == HTTP_FAULT_HEAD_LONG ? ERR_HEAD_LIMIT : ERR_MALFORMED;
}

static enum http_fault fault_of(const struct http1 *p, llhttp_errno_t e)
{
    if (p->state == STATE_BODY)
        return HTTP_FAULT_BODY;
    if (e == HPE_INVALID_VERSION)
        return HTTP_FAULT_VERSION;
    if (e == HPE_INVALID_URL)
        return HTTP_FAULT_TARGET;
    if (e == HPE_INVALID_CONTENT_LENGTH || e == HPE_UNEXPECTED_CONTENT_LENGTH ||
        e == HPE_INVALID_TRANSFER_ENCODING)
        return HTTP_FAULT_FRAMING;
    return HTTP_FAULT_SYNTAX;
}

/* Feeds at most `n` bytes; *ret_paused when a callback asked for it. */
static enum err feed(struct http1 *p, struct str *in, size_t n,
                     bool *ret_paused)
{
    llhttp_t *l = parser(p);
    const char *from = in->len == 0 ? "" : in->ptr;
    if (llhttp_get_errno(l) == HPE_PAUSED)
        llhttp_resume(l);
    llhttp_errno_t e = llhttp_execute(l, from, n);
    if (e != HPE_OK && e != HPE_PAUSED)
        return failed(p, fault_of(p, e));
    size_t used = e == HPE_OK ? n : (size_t)(llhttp_get_error_pos(l) - from);
    *in = str_skip(*in, used);
    *ret_paused = e == HPE_PAUSED;
    return ERR_OK;
}

/* Feeds what of `in` may be read of a head without harm. */
static enum err feed_head(struct http1 *p, struct str *in, bool *ret_done)
{
    size_t max =
        p->kind == HTTP1_REQUEST ? HTTP_HEAD_MAX : HTTP_RESPONSE_HEAD_MAX;
    if (in->len > 0 && p->head_bytes == max)
        return failed(p, HTTP_FAULT_HEAD_LONG);
    struct http1_line_scan scan =
        http1_line_scan(&p->line, str_first(*in, max - p->head_bytes));
    size_t before = in->len;
    enum err e = feed(p, in, scan.n, ret_done);
    if (e == ERR_OK && scan.tab) {
        struct str blank = STR(" ");
        *in = str_skip(*in, 1);
        e = feed(p, &blank, 1, ret_done);
    }
    p->head_bytes += (uint32_t)(before - in->len);
    if (e != ERR_OK)
        return e;
    if (scan.fault != HTTP_FAULT_NONE)
        return failed(p, scan.fault);
    /* The head has ended and llhttp waits for more of it ("PRI"). */
    if (!*ret_done && in->len > 0 && in->len == before)
        return failed(p, HTTP_FAULT_SYNTAX);
    return ERR_OK;
}

/* Reads on in the head; *ret_done when it is complete. */
static enum err next_in_head(struct http1 *p, struct str *in, bool *ret_done)
{
    enum err e;
    do {
        e = feed_head(p, in, ret_done);
    } while (e == ERR_OK && !*ret_done && in->len > 0);
    if (e != ERR_OK || !*ret_done)
        return e;
    enum http_fault fault = read_head(p);
    p->state = STATE_BODY;
    return fault == HTTP_FAULT_NONE ? ERR_OK : failed(p, fault);
}

static enum err next_in_body(struct http1 *p, struct str *in,
                             enum http1_event *ret)
{
    struct str was = *in;
    bool paused;
    p->piece = (struct str){NULL, 0};
    enum err e = feed(p, in, in->len, &paused);
    if (e != ERR_OK)
        return e;

    /* Chunk heads and trailers are small beside what they frame. */
    size_t over =
        p->piece.len > 0 ? (size_t)(p->piece.ptr - was.ptr) : was.len - in->len;
    if (p->overhead + over > HTTP1_OVERHEAD_MAX)
        return failed(p, HTTP_FAULT_BODY);
    p->overhead = p->piece.len > 0 ? 0 : p->overhead + (uint32_t)over;

    *ret = HTTP1_MORE;
    if (p->state == STATE_END)
        *ret = HTTP1_END;
    else if (paused)
        *ret = HTTP1_BODY;
    return ERR_OK;
}

enum err http1_next(struct http1 *p, struct str *in, enum http1_event *ret)
{
    assert(p->state != STATE_END);
    if (p->state == STATE_FAILED)
        return failed(p, p->fault);

    while (p->state == STATE_HEAD || p->state == STATE_INFORMATIONAL) {
        bool done;
        enum err e;
        if (p->state == STATE_HEAD) {
            e = next_in_head(p, in, &done);
            if (e != ERR_OK)
                return e;
            *ret = done ? HTTP1_HEAD : HTTP1_MORE;
            if (!done || p->kind == HTTP1_REQUEST || p->response.status >= 200)
                return ERR_OK;
            p->state = STATE_INFORMATIONAL;
        }
        e = feed(p, in, 0, &done);
        if (e != ERR_OK)
            return e;
        assert(p->state == STATE_END); /* a 1xx has no body */
        restart(p);
    }
    return next_in_body(p, in, ret);
}

enum err http1_finish(struct http1 *p)
{
    bool whole = p->state == STATE_END ||
                 (p->state == STATE_HEAD && p->head_bytes == 0) ||
                 (p->state == STATE_BODY && p->until_close);
    return whole ? ERR_OK : failed(p, HTTP_FAULT_BODY);
}
