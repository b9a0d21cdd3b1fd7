/* link_scan.c - see link_scan.h. */
#include "mcp/link_scan.h"

#include <limits.h>

#include "base/num.h"
#include "mcp/message.h"

void link_scan_init(struct link_scan *s)
{
    *s = (struct link_scan){.depth = 0};
}

static void take(struct link_scan *s, char c)
{
    if (s->token_len < LINK_SCAN_TOKEN_MAX)
        s->token[s->token_len++] = c;
    else
        s->token_len = LINK_SCAN_TOKEN_MAX + 1;
}

static bool token_is(const struct link_scan *s, struct str text)
{
    return s->token_len <= LINK_SCAN_TOKEN_MAX &&
           str_eq((struct str){s->token, s->token_len}, text);
}

static void end_value(struct link_scan *s)
{
    if (s->in_id)
        s->has_id = s->token_len <= LINK_SCAN_TOKEN_MAX &&
                    num_u64((struct str){s->token, s->token_len},
                            (uint64_t)MESSAGE_INTEGER_MAX, &s->id);
    s->in_id = false;
    s->token_len = 0;
}

static void end_name(struct link_scan *s)
{
    s->at_name = false;
    s->in_id = token_is(s, STR("id"));
    if (token_is(s, STR("method")))
        s->has_method = true;
    s->token_len = 0;
}

static void in_string(struct link_scan *s, char c)
{
    if (s->escaped) {
        s->escaped = false;
    } else if (c == '\\') {
        s->escaped = true;
    } else if (c == '"') {
        s->in_string = false;
        if (s->at_name)
            end_name(s);
        return;
    }
    if (s->at_name)
        take(s, c);
}

static void step(struct link_scan *s, char c)
{
    switch (c) {
    case '"':
        s->in_string = true;
        if (s->in_id) /* a string is no number of ours */
            take(s, c);
        break;
    case '{':
    case '[':
        s->depth += s->depth < UINT_MAX ? 1 : 0;
        s->at_name = s->depth == 1;
        if (s->in_id)
            take(s, c);
        break;
    case '}':
    case ']':
        if (s->depth == 1)
            end_value(s);
        s->depth -= s->depth > 0 ? 1 : 0;
        break;
    case ',':
        if (s->depth == 1) {
            end_value(s);
            s->at_name = true;
        }
        break;
    default:
        if (s->in_id && str_find(STR(" \t\r\n:"), c) == 5)
            take(s, c);
        break;
    }
}

void link_scan_feed(struct link_scan *s, struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (s->in_string)
            in_string(s, bytes.ptr[i]);
        else
            step(s, bytes.ptr[i]);
    }
}

bool link_scan_answers(const struct link_scan *s, uint64_t *ret_number)
{
    if (!s->has_id || s->has_method)
        return false;
    *ret_number = s->id;
    return true;
}
