/*
 * link_scan.h - what a message is about that is too long to be read, or cannot
 * be: the id that stands in it.
 *
 * Bytes go by once, and nothing of them is kept.  What is found is a server's
 * word: good for failing the call of that number, and for nothing else.
 */
#ifndef MCP_LINK_SCAN_H
#define MCP_LINK_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

enum { LINK_SCAN_TOKEN_MAX = 16 };

struct link_scan {
    unsigned depth;
    bool in_string, escaped;
    bool at_name;    /* of a member of the message: a string is its name */
    bool has_method; /* it is no response */
    bool has_id;     /* digits alone */
    uint64_t id;
    bool in_id;                      /* the value of "id" is going by */
    char token[LINK_SCAN_TOKEN_MAX]; /* a name, or the value of "id" */
    unsigned token_len;              /* LINK_SCAN_TOKEN_MAX + 1: too long */
};

void link_scan_init(struct link_scan *s);
void link_scan_feed(struct link_scan *s, struct str bytes);

/* The number of the request that this answers; false: none can be told. */
MUST_CHECK bool link_scan_answers(const struct link_scan *s,
                                  uint64_t *ret_number);

#endif
