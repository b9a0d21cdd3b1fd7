/*
 * http1_line.h - the lines of a head, read beside llhttp, which forgives
 * doubled blanks in the request line, HTTP/0.9, RTSP, any number of empty
 * lines before it, and some bare CRs; and which refuses tabs that RFC 9110,
 * 5.6.3 allows around a value.
 */
#ifndef CODEC_HTTP1_LINE_H
#define CODEC_HTTP1_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "codec/http_rules.h"

enum { HTTP1_LINE_EMPTY_MAX = 2 }; /* empty lines before a request line */

struct http1_line {
    uint8_t part; /* enum part in http1_line.c */
    uint8_t at;   /* bytes of that part, where they are counted */
    uint16_t target_len;
    bool cr;    /* the last byte was CR */
    bool empty; /* nothing of this field line came so far */
};

/* `request`: the head starts with a request line, else with a status line. */
void http1_line_init(struct http1_line *l, bool request);

struct http1_line_scan {
    size_t n;              /* so many bytes are llhttp's to judge */
    enum http_fault fault; /* what is wrong with the byte after them */
    bool tab;              /* it is a tab in a field, to be read as a blank */
};

/*
 * Reads `in`, which goes on where the last call ended; when a tab was found
 * it goes on after the tab.  What follows the head is not looked at.
 */
struct http1_line_scan http1_line_scan(struct http1_line *l, struct str in);

#endif
