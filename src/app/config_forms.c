/* config_forms.c - see config_forms.h. */
#include "app/config_forms.h"

#include "app/config_text.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/limits.h"
#include "codec/uri.h"

enum { ORIGIN_MAX = 512, POINTER_MAX = 512 };

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9');
}

/* All of `s` are letters, digits and those of `more`? */
static bool has_only(struct str s, const char *more)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_alnum(s.ptr[i]) && strchr(more, s.ptr[i]) == NULL)
            return false;
    }
    return s.len > 0 && s.len <= NAME_MAX_LEN &&
           memchr(s.ptr, 0, s.len) == NULL;
}

/*
 * Callers name a tool of one among several servers "<server>__<tool>".  The
 * first "__" has to be where the server ends, also when a tool's name begins
 * with '_'.
 */
static bool is_server(struct str s)
{
    if (s.len > CONFIG_FORMS_SERVER_MAX || !has_only(s, "_-") ||
        !is_alnum(s.ptr[0]) || !is_alnum(s.ptr[s.len - 1]))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] >= 'A' && s.ptr[i] <= 'Z')
            return false;
        if (i > 0 && s.ptr[i] == '_' && s.ptr[i - 1] == '_')
            return false;
    }
    return true;
}

static bool is_key(enum config_key keys, struct str s)
{
    switch (keys) {
    case CONFIG_KEY_NAME:
        return config_text_is_name(s);
    case CONFIG_KEY_SERVER:
        return is_server(s);
    case CONFIG_KEY_ENV:
        return config_text_is_env(s);
    case CONFIG_KEY_TOOL:
        return has_only(s, "_-.");
    case CONFIG_KEY_GLOB:
        return has_only(s, "_-.*?");
    }
    return false;
}

bool config_forms_key(enum config_key keys, struct str s, const char **ret_why)
{
    static const char *const whys[] = {
        [CONFIG_KEY_NAME] =
            "is not a name; expected lower-case letters, digits, '_', '.' and "
            "'-', beginning with a letter or a digit",
        [CONFIG_KEY_SERVER] =
            "is not a tool server's name; expected at most 48 lower-case "
            "letters, digits, '_' and '-', without \"__\", beginning and "
            "ending with a letter or a digit",
        [CONFIG_KEY_ENV] =
            "is not the name of an environment variable; expected letters, "
            "digits and '_', beginning with no digit",
        [CONFIG_KEY_TOOL] = "is not a tool's name; expected at most 128 "
                            "letters, digits, '_', '-' and '.'",
        [CONFIG_KEY_GLOB] =
            "is not for tools' names; expected at most 128 letters, digits, "
            "'_', '-' and '.', with '*' for any of them and '?' for one",
    };
    *ret_why = whys[keys];
    return is_key(keys, s);
}

/* The name of a member, as "$.name" may hold it; with '-', which JSONPath has
 * between brackets only (RFC 9535, 2.5.1.1). */
static bool is_member(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool digit = c >= '0' && c <= '9';
        if (c < 0x80 && c != '_' && c != '-' && !is_alnum(s.ptr[i]))
            return false;
        if (i == 0 && (digit || c == '-'))
            return false;
    }
    return s.len > 0;
}

enum err config_forms_pointer(struct arena *a, struct str s, struct str *ret,
                              const char **ret_why)
{
    struct buf to;
    struct str left = str_skip(s, 1);
    bool ok = s.len > 1 && s.ptr[0] == '$';
    buf_init(&to, POINTER_MAX);
    while (ok && left.len > 0) {
        struct str rest = str_skip(left, 1);
        struct str name = str_first(rest, str_find(rest, '.'));
        ok = left.ptr[0] == '.' && is_member(name);
        /* None of these has to be escaped (RFC 6901, 3). */
        buf_add_char(&to, '/');
        buf_add(&to, name);
        left = str_skip(rest, name.len);
    }
    *ret_why = "is not the place of an array; expected names of members only: "
               "$.items or $.batch.items";
    enum err e = ERR_MALFORMED;
    if (ok)
        e = buf_ok(&to) && arena_copy(a, buf_str(&to), ret) ? ERR_OK
                                                            : ERR_LIMIT;
    buf_release(&to);
    return e;
}

static bool is_default_port(const struct uri *u)
{
    return (str_eq(u->scheme, STR("https")) && u->port == 443) ||
           (str_eq(u->scheme, STR("http")) && u->port == 80) || u->port == 0;
}

enum err config_forms_origin(struct arena *a, struct str s, struct str *ret,
                             const char **ret_why)
{
    struct uri u;
    struct str copy;
    *ret_why = "is no origin; expected scheme://host or scheme://host:port, "
               "without a path: https://app.example.org";
    if (!arena_copy(a, s, &copy))
        return ERR_LIMIT;
    enum err e = uri_split(a, copy, &u, NULL);
    if (e != ERR_OK)
        return e;
    bool bare = str_eq(u.path, STR("/")) && s.ptr[s.len - 1] != '/' &&
                str_find(s, '?') == s.len;
    if (!bare)
        return ERR_MALFORMED;
    struct buf to;
    buf_init(&to, ORIGIN_MAX);
    buf_addf(&to, "%.*s://%s%.*s%s", STR_FMT(u.scheme), u.is_ipv6 ? "[" : "",
             STR_FMT(u.host), u.is_ipv6 ? "]" : "");
    if (!is_default_port(&u))
        buf_addf(&to, ":%u", u.port);
    e = buf_ok(&to) && arena_copy(a, buf_str(&to), ret) ? ERR_OK : ERR_LIMIT;
    buf_release(&to);
    return e;
}

enum err config_forms_host(struct arena *a, struct str s, struct str *ret,
                           const char **ret_why)
{
    struct uri_authority u;
    struct str normal;
    *ret_why = "is no host; expected a name or an address without a port: "
               "gw.example.org, 192.0.2.7 or [2001:db8::7]";
    enum err e = uri_normal_authority(a, s, &normal);
    if (e == ERR_OK)
        e = uri_authority(normal, &u);
    if (e != ERR_OK)
        return e;
    if (u.port != 0)
        return ERR_MALFORMED;
    return arena_copy(a, u.host, ret) ? ERR_OK : ERR_LIMIT;
}
