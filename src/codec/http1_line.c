/* http1_line.c - see http1_line.h. */
#include "codec/http1_line.h"

#include <assert.h>

#include "base/limits.h"

static_assert(HTTP_TARGET_MAX < UINT16_MAX, "target_len has 16 bits");

enum part { PART_EMPTY, PART_METHOD, PART_TARGET, PART_VERSION, PART_DONE };

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
    if (c == '\n')
        l->part = PART_DONE;
    return c == ' ' ? HTTP_FAULT_SYNTAX : HTTP_FAULT_NONE;
}

static enum http_fault next_byte(struct http1_line *l, char c)
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
    case PART_DONE:
        break;
    }
    return HTTP_FAULT_NONE;
}

size_t http1_line_scan(struct http1_line *l, struct str in,
                       enum http_fault *ret_fault)
{
    for (size_t i = 0; i < in.len && l->part != PART_DONE; i++) {
        *ret_fault = next_byte(l, in.ptr[i]);
        if (*ret_fault != HTTP_FAULT_NONE)
            return i;
    }
    return in.len;
}
