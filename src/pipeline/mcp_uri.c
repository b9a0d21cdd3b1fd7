/* mcp_uri.c - see mcp_uri.h. */
#include "pipeline/mcp_uri.h"

#include <stddef.h>

/* A separator, whichever way it is written; how long it is, or 0. */
static size_t separator(struct str s)
{
    struct str coded = str_first(s, 3);

    if (s.len > 0 && s.ptr[0] == '/')
        return 1;
    return str_eq_nocase(coded, STR("%2f")) || str_eq_nocase(coded, STR("%5c"))
               ? 3
               : 0;
}

/* "." or "..", whichever way they are written. */
static bool is_dots(struct str s)
{
    size_t dots = 0;

    while (s.len > 0 && dots < 3) {
        bool coded = str_eq_nocase(str_first(s, 3), STR("%2e"));
        if (!coded && s.ptr[0] != '.')
            return false;
        s = str_skip(s, coded ? 3 : 1);
        dots++;
    }
    return dots == 1 || dots == 2;
}

/* Behind the scheme, before the query. */
static struct str path_of(struct str uri)
{
    struct str path = str_skip(uri, str_find(uri, ':') + 1);

    path = str_first(path, str_find(path, '?'));
    return str_first(path, str_find(path, '#'));
}

bool mcp_uri_is_plain(struct str uri)
{
    struct str path = path_of(uri);
    size_t from = 0, at = 0;

    while (at <= path.len) {
        size_t n = at == path.len ? 1 : separator(str_skip(path, at));
        if (n > 0 && is_dots(str_first(str_skip(path, from), at - from)))
            return false;
        at += n > 0 ? n : 1;
        from = n > 0 ? at : from;
    }
    return true;
}
