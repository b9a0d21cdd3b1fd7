/*
 * http1_line.h - the request line, read beside llhttp, which forgives it
 * doubled blanks, HTTP/0.9, RTSP and any number of empty lines before it
 * (RFC 9112, 2.2 and 3).
 */
#ifndef CODEC_HTTP1_LINE_H
#define CODEC_HTTP1_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "codec/http_rules.h"

enum { HTTP1_LINE_EMPTY_MAX = 2 }; /* empty lines before a request line */

/* All zero: nothing was read yet. */
struct http1_line {
    uint8_t part; /* enum part in http1_line.c */
    uint8_t at;   /* bytes of that part, where they are counted */
    uint16_t target_len;
};

/*
 * How many bytes of `in`, which goes on where the last call ended, are no
 * worse than llhttp may find them; *ret_fault is set when the one after is.
 * What follows the line is fine.
 */
size_t http1_line_scan(struct http1_line *l, struct str in,
                       enum http_fault *ret_fault);

#endif
