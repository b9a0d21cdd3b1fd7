/* est_offset.c - where in a JSON text a value stands; see est.h. */
#include "cedar/est.h"

static size_t skip_blanks(struct str s, size_t at)
{
    while (at < s.len && (s.ptr[at] == ' ' || s.ptr[at] == '\t' ||
                          s.ptr[at] == '\n' || s.ptr[at] == '\r'))
        at++;
    return at;
}

static size_t skip_string(struct str s, size_t at)
{
    for (at++; at < s.len && s.ptr[at] != '"'; at++)
        at += s.ptr[at] == '\\';
    return at < s.len ? at + 1 : s.len;
}

/* To behind a value, whatever is in it. */
static size_t skip_value(struct str s, size_t at)
{
    size_t depth = 0;
    do {
        at = skip_blanks(s, at);
        if (at == s.len)
            break;
        char c = s.ptr[at];
        depth += c == '{' || c == '[';
        depth -= depth > 0 && (c == '}' || c == ']');
        if (c == '"') {
            at = skip_string(s, at);
        } else if (c == '{' || c == '[' || c == '}' || c == ']' || c == ',' ||
                   c == ':') {
            at++;
        } else {
            while (at < s.len && strchr(" \t\r\n,:]}", s.ptr[at]) == NULL)
                at++;
        }
    } while (depth > 0);
    return at;
}

/* From where a container begins to its member or element. */
static size_t step(struct str s, size_t at, const struct est_place *place)
{
    bool is_member = place->name.ptr != NULL;
    at++;
    for (size_t i = 0;; i++) {
        at = skip_blanks(s, at);
        if (is_member)
            at = skip_blanks(s, skip_string(s, at)) + 1;
        at = skip_blanks(s, at);
        if (i == place->nth || at >= s.len)
            return at;
        at = skip_blanks(s, skip_value(s, at)) + 1;
    }
}

size_t est_offset(struct str text, const struct est_place *place)
{
    const struct est_place *path[JSON_LARGE_DEPTH_MAX + 1];
    size_t count = 0;
    for (; place != NULL && count < ARRAY_LEN(path); place = place->up)
        path[count++] = place;
    size_t at = skip_blanks(text, 0);
    while (count > 0 && at < text.len)
        at = step(text, at, path[--count]);
    return at < text.len ? at : text.len;
}
