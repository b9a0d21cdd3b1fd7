/* http2_head.c - heads of HTTP/2 from their fields, one by one. */
#include <assert.h>

#include "base/limits.h"
#include "base/num.h"
#include "codec/http1.h"
#include "codec/http2_session.h"

enum { FIELD_ROOM_MIN = 24, FIELD_OVERHEAD = 32 /* RFC 9113, 6.5.2 */ };

static bool bad(struct http2_stream *s, enum http_fault fault)
{
    if (!s->is_bad)
        s->fault = fault;
    s->is_bad = true;
    return fault != HTTP_FAULT_MEMORY;
}

static bool keep(struct http2_stream *s, struct str from, struct str *to)
{
    char *copy = arena_strdup(s->arena, from);
    if (copy == NULL)
        return bad(s, HTTP_FAULT_MEMORY);
    *to = (struct str){copy, from.len};
    return true;
}

static bool add_field(struct http2_stream *s, struct str name, struct str value)
{
    if (s->field_count == HTTP_FIELDS_MAX)
        return bad(s, HTTP_FAULT_HEAD_LONG);
    if (s->field_count == s->field_room) {
        uint32_t room = s->field_room == 0 ? FIELD_ROOM_MIN : s->field_room * 2;
        struct http_field *fields =
            ARENA_NEW(s->arena, struct http_field, room);
        if (fields == NULL)
            return bad(s, HTTP_FAULT_MEMORY);
        if (s->field_count > 0)
            memcpy(fields, s->fields, s->field_count * sizeof(*fields));
        s->fields = fields;
        s->field_room = room;
    }
    struct http_field *f = &s->fields[s->field_count++];
    return keep(s, name, &f->name) && keep(s, value, &f->value);
}

/* nghttp2 has checked that each is there once and before the others. */
static bool add_pseudo(struct http2_stream *s, struct str name,
                       struct str value)
{
    uint64_t status;
    if (str_eq(name, STR(":method")))
        return keep(s, value, &s->method);
    if (str_eq(name, STR(":path")))
        return keep(s, value, &s->path);
    if (str_eq(name, STR(":scheme")))
        return keep(s, value, &s->scheme);
    if (str_eq(name, STR(":authority"))) {
        s->has_authority = true;
        return keep(s, value, &s->authority);
    }
    if (str_eq(name, STR(":status")) && num_u64(value, 599, &status)) {
        s->status = (int)status;
        return true;
    }
    return bad(s, HTTP_FAULT_SYNTAX);
}

bool http2_head_add(struct http2_stream *s, struct str name, struct str value)
{
    size_t max =
        s->h->role == HTTP2_SERVER ? HTTP_HEAD_MAX : HTTP_RESPONSE_HEAD_MAX;
    s->head_bytes += name.len + value.len + FIELD_OVERHEAD;
    if (s->head_bytes > max)
        return bad(s, HTTP_FAULT_HEAD_LONG);
    if (s->head_done || s->is_bad)
        return true; /* a trailer, or not worth keeping */
    return name.len > 0 && name.ptr[0] == ':' ? add_pseudo(s, name, value)
                                              : add_field(s, name, value);
}

static enum http_fault request(struct http2_stream *s, bool ends)
{
    struct http_raw_head raw = {
        .method = s->method,
        .target = s->path,
        .authority = s->authority,
        .has_authority = s->has_authority,
        .fields = s->fields,
        .count = s->field_count,
        .version = HTTP_VERSION_2,
    };
    struct http_request_head head;
    struct http_hop hop;
    if (!str_eq(s->scheme, STR("https")) && !str_eq(s->scheme, STR("http")) &&
        !str_eq(s->method, STR("CONNECT")))
        return HTTP_FAULT_SYNTAX;
    enum http_fault fault = http_rules_request(s->arena, &raw, &head, &hop);
    if (fault != HTTP_FAULT_NONE)
        return fault;
    /* The end of the body is told by the frames. */
    if (!hop.has_length)
        head.body_bytes = ends ? 0 : -1;
    s->h->events.request(s->user, &head, &hop);
    return HTTP_FAULT_NONE;
}

static enum http_fault response(struct http2_stream *s, bool ends)
{
    struct http_raw_head raw = {
        .fields = s->fields,
        .count = s->field_count,
        .version = HTTP_VERSION_2,
    };
    struct http_response_head head;
    struct http_hop hop;
    if (s->status < 100 || s->status == 101)
        return HTTP_FAULT_SYNTAX;
    enum http_fault fault = http_rules_response(&raw, s->status, &head, &hop);
    if (fault == HTTP_FAULT_NONE && s->status < 200) {
        s->field_count = 0;
        s->head_bytes = 0;
        s->head_done = false;
        return ++s->informational > HTTP1_INFORMATIONAL_MAX ? HTTP_FAULT_SYNTAX
                                                            : HTTP_FAULT_NONE;
    }
    if (ends)
        head.body_bytes = 0;
    if (fault == HTTP_FAULT_NONE)
        s->h->events.response(s->user, &head);
    return fault;
}

void http2_head_end(struct http2_stream *s, bool ends)
{
    if (s->head_done) /* trailers, dropped */
        return;
    s->head_done = true;
    enum http_fault fault = s->fault;
    if (!s->is_bad)
        fault =
            s->h->role == HTTP2_SERVER ? request(s, ends) : response(s, ends);
    if (fault == HTTP_FAULT_NONE)
        return;
    s->is_bad = true;
    if (s->h->role == HTTP2_SERVER && http_fault_status(fault) != 400)
        s->h->events.refused(s->user, fault);
    else
        http2_reset(s->h, s->id, HTTP2_PROTOCOL_ERROR);
}
