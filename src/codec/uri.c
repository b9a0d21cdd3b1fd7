/* uri.c - URLs and authorities; see uri.h.  uri_encoding.c has the paths. */
#include "codec/uri.h"

#include <arpa/inet.h>

#include "base/limits.h"
#include "base/num.h"

enum { HOST_LEN_MAX = 253, LABEL_LEN_MAX = 63 }; /* RFC 1035, as text */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex_digit(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* ---- authorities ---- */

static bool is_label(struct str label)
{
    if (label.len == 0 || label.len > LABEL_LEN_MAX || label.ptr[0] == '-' ||
        label.ptr[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++) {
        char c = label.ptr[i];
        if (!is_alpha(c) && !is_digit(c) && c != '-' && c != '_')
            return false;
    }
    return true;
}

/* Digits, or 0x and hex digits: old resolvers take it for an address. */
static bool is_number(struct str label)
{
    bool hex = str_starts(label, STR("0x")) || str_starts(label, STR("0X"));
    if (hex)
        label = str_skip(label, 2);
    for (size_t i = 0; i < label.len; i++) {
        if (hex ? !is_hex_digit(label.ptr[i]) : !is_digit(label.ptr[i]))
            return false;
    }
    return true;
}

static bool read_address(int family, struct str host, void *to)
{
    char text[INET6_ADDRSTRLEN];
    if (host.len >= sizeof(text) || str_find(host, '\0') < host.len)
        return false;
    if (host.len > 0)
        memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    return inet_pton(family, text, to) == 1;
}

/* A name or an IPv4 address. */
static bool read_host(struct str host, bool *ret_is_address)
{
    struct in_addr v4;
    struct str last = {NULL, 0};
    struct str left = host;
    if (host.len == 0 || host.len > HOST_LEN_MAX)
        return false;
    for (bool more = true; more;) {
        size_t dot = str_find(left, '.');
        last = str_first(left, dot);
        if (!is_label(last))
            return false;
        more = dot < left.len;
        left = str_skip(left, dot + 1);
    }
    *ret_is_address = is_number(last);
    return !*ret_is_address || read_address(AF_INET, host, &v4);
}

enum err uri_authority(struct str s, struct uri_authority *ret)
{
    struct in6_addr v6;
    struct uri_authority u = {.is_ipv6 = s.len > 0 && s.ptr[0] == '['};
    struct str tail;
    if (u.is_ipv6) {
        size_t end = str_find(s, ']');
        u.host = str_skip(str_first(s, end), 1);
        u.is_address = true;
        tail = str_skip(s, end + 1);
        if (end == s.len || !read_address(AF_INET6, u.host, &v6))
            return ERR_MALFORMED;
    } else {
        size_t end = str_find(s, ':');
        u.host = str_first(s, end);
        tail = str_skip(s, end);
        if (!read_host(u.host, &u.is_address))
            return ERR_MALFORMED;
    }
    if (tail.len > 0) {
        uint64_t port = 0;
        if (tail.len < 2 || tail.ptr[0] != ':' || tail.ptr[1] == '0' ||
            !num_u64(str_skip(tail, 1), UINT16_MAX, &port))
            return ERR_MALFORMED;
        u.port = (uint16_t)port;
    }
    *ret = u;
    return ERR_OK;
}

bool uri_host_valid(struct str host_field)
{
    struct uri_authority u;
    return uri_authority(host_field, &u) == ERR_OK;
}

static bool is_lower(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] >= 'A' && s.ptr[i] <= 'Z')
            return false;
    }
    return true;
}

static bool copy_lower(struct arena *a, struct str s, struct str *ret)
{
    char *copy = arena_strdup(a, s);
    if (copy == NULL)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] = (char)(copy[i] - 'A' + 'a');
    }
    *ret = (struct str){copy, s.len};
    return true;
}

enum err uri_normal_authority(struct arena *a, struct str s, struct str *ret)
{
    struct uri_authority u;
    enum err e = uri_authority(s, &u);
    if (e != ERR_OK)
        return e;
    if (!u.is_ipv6) {
        if (!is_lower(s))
            return copy_lower(a, s, ret) ? ERR_OK : ERR_LIMIT;
        *ret = s;
        return ERR_OK;
    }

    struct in6_addr v6;
    char text[1 + INET6_ADDRSTRLEN + sizeof("]:65535")] = "[";
    if (!read_address(AF_INET6, u.host, &v6) ||
        inet_ntop(AF_INET6, &v6, text + 1, INET6_ADDRSTRLEN) == NULL)
        return ERR_MALFORMED;
    size_t len = strlen(text);
    struct str tail = str_skip(s, 1 + u.host.len); /* "]" and the port */
    if (tail.len > 0)
        memcpy(text + len, tail.ptr, tail.len);
    struct str normal = {text, len + tail.len};
    if (str_eq(normal, s))
        *ret = s;
    else if (!arena_copy(a, normal, ret))
        return ERR_LIMIT;
    return ERR_OK;
}

/* ---- whole URLs ---- */

static bool is_scheme(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool later = is_digit(c) || c == '+' || c == '-' || c == '.';
        if (!is_alpha(c) && (i == 0 || !later))
            return false;
    }
    return s.len > 0;
}

static uint16_t default_port(struct str scheme)
{
    static const struct {
        struct str scheme;
        uint16_t port;
    } ports[] = {
        {STR_INIT("http"), 80},
        {STR_INIT("https"), 443},
        {STR_INIT("ws"), 80},
        {STR_INIT("wss"), 443},
    };
    for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
        if (str_eq(ports[i].scheme, scheme))
            return ports[i].port;
    }
    return 0;
}

static enum err refuse(const char **ret_why, enum err e, const char *why)
{
    if (ret_why != NULL)
        *ret_why = e == ERR_LIMIT ? "the URL is too long" : why;
    return e;
}

/* Where the authority ends: at a path, a query or a fragment. */
static size_t authority_len(struct str s)
{
    size_t len = str_find(s, '/');
    len = str_find(str_first(s, len), '?');
    return str_find(str_first(s, len), '#');
}

/* What follows the authority, as a request target. */
static bool target_of(struct arena *a, struct str tail, struct str *ret)
{
    *ret = tail.len == 0 ? STR("/") : tail;
    if (tail.len == 0 || tail.ptr[0] == '/')
        return true;
    char *target = arena_alloc_raw(a, tail.len + 1);
    if (target == NULL)
        return false;
    target[0] = '/';
    memcpy(target + 1, tail.ptr, tail.len);
    *ret = (struct str){target, tail.len + 1};
    return true;
}

enum err uri_split(struct arena *a, struct str text, struct uri *ret,
                   const char **ret_why)
{
    size_t colon = str_find(text, ':');
    struct str rest = str_skip(text, colon);
    if (!is_scheme(str_first(text, colon)) || !str_starts(rest, STR("://")))
        return refuse(ret_why, ERR_MALFORMED,
                      "expected a URL that begins with https:// or the like");
    rest = str_skip(rest, 3);
    struct str authority = str_first(rest, authority_len(rest));
    struct str tail = str_skip(rest, authority.len);
    if (str_find(authority, '@') < authority.len)
        return refuse(ret_why, ERR_MALFORMED,
                      "a URL must not hold a user or a password");
    if (str_find(tail, '#') < tail.len)
        return refuse(ret_why, ERR_MALFORMED,
                      "a fragment (#) has no meaning here");

    struct uri u;
    struct uri_authority parts;
    struct str target;
    if (!copy_lower(a, str_first(text, colon), &u.scheme) ||
        !target_of(a, tail, &target))
        return refuse(ret_why, ERR_LIMIT, NULL);
    enum err e = uri_normal_authority(a, authority, &u.authority);
    if (e == ERR_OK)
        e = uri_authority(u.authority, &parts);
    if (e != ERR_OK)
        return refuse(ret_why, e, "the host or the port is not valid");
    e = uri_normal_path(a, target, &u.path, &u.query);
    if (e != ERR_OK)
        return refuse(ret_why, e, "the path or the query is not valid");

    u.host = parts.host;
    u.port = parts.port != 0 ? parts.port : default_port(u.scheme);
    u.is_ipv6 = parts.is_ipv6;
    u.is_address = parts.is_address;
    *ret = u;
    return ERR_OK;
}
