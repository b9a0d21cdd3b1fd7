/* location.c - see location.h. */
#include "trust/location.h"

#include <netinet/in.h>

#include "base/buf.h"
#include "base/limits.h"
#include "codec/uri.h"
#include "net/address.h"

/* Of this machine, as far as the URL itself can tell. */
static bool is_loopback(struct str host)
{
    struct sockaddr_storage a;
    if (str_eq(host, STR("localhost")))
        return true;
    if (!address_parse(host, 0, &a))
        return false;
    if (a.ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)&a;
        return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    const struct in6_addr *v6 = &((const struct sockaddr_in6 *)&a)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(v6))
        return v6->s6_addr[12] == IN_LOOPBACKNET;
    return IN6_IS_ADDR_LOOPBACK(v6);
}

static bool is_local(struct str host)
{
    struct sockaddr_storage a;
    if (is_loopback(host))
        return true;
    return address_parse(host, 0, &a) && address_is_local(&a);
}

static enum err split(struct arena *a, struct str url, struct uri *ret,
                      const char **ret_why)
{
    struct str copy;
    if (!arena_copy(a, url, &copy))
        return ERR_NO_MEMORY;
    enum err e = uri_split(a, copy, ret, ret_why);
    return e == ERR_LIMIT ? ERR_NO_MEMORY : e;
}

static enum err place(const struct uri *uri, bool insecure,
                      struct location *ret, const char **ret_why)
{
    bool https = str_eq(uri->scheme, STR("https"));
    if (!https && !str_eq(uri->scheme, STR("http"))) {
        *ret_why = "expected https:// (or http:// to loopback)";
        return ERR_MALFORMED;
    }
    if (!https && !insecure && !is_loopback(uri->host)) {
        *ret_why = "plain http:// is for loopback only";
        return ERR_MALFORMED;
    }
    if (uri->port == 0) {
        *ret_why = "the port must be 1 to 65535";
        return ERR_MALFORMED;
    }
    ret->tls = https;
    ret->local = is_local(uri->host);
    ret->host = uri->host;
    ret->port = uri->port;
    return ERR_OK;
}

/* The pieces one after the other, in `a`. */
static enum err join(struct arena *a, const struct str pieces[3],
                     struct str *ret)
{
    size_t len = pieces[0].len + pieces[1].len + pieces[2].len;
    char *to = arena_alloc_raw(a, len + 1);
    if (to == NULL)
        return ERR_NO_MEMORY;
    *ret = (struct str){to, len};
    for (size_t i = 0; i < 3; i++) {
        if (pieces[i].len > 0)
            memcpy(to, pieces[i].ptr, pieces[i].len);
        to += pieces[i].len;
    }
    return ERR_OK;
}

enum err location_of(struct arena *a, struct str url, bool insecure,
                     struct location *ret, const char **ret_why)
{
    struct uri uri;
    struct location at = {0};
    enum err e = split(a, url, &uri, ret_why);
    if (e == ERR_OK)
        e = place(&uri, insecure, &at, ret_why);
    if (e != ERR_OK)
        return e;
    struct str mark = uri.query.len > 0 ? STR("?") : STR("");
    const struct str pieces[3] = {uri.path, mark, uri.query};
    e = join(a, pieces, &at.target);
    if (e != ERR_OK)
        return e;
    *ret = at;
    return ERR_OK;
}

enum err location_discovery(struct arena *a, struct str issuer, bool insecure,
                            struct location ret[LOCATION_DISCOVERY_COUNT],
                            const char **ret_why)
{
    struct uri uri;
    struct location at = {0};
    enum err e = split(a, issuer, &uri, ret_why);
    if (e == ERR_OK)
        e = place(&uri, insecure, &at, ret_why);
    if (e != ERR_OK)
        return e;
    if (uri.query.len > 0) {
        *ret_why = "an issuer has no query";
        return ERR_MALFORMED;
    }
    struct str path = uri.path;
    while (path.len > 0 && path.ptr[path.len - 1] == '/')
        path.len--;
    const struct str openid[3] = {path,
                                  STR("/.well-known/openid-configuration"),
                                  STR("")};
    const struct str oauth[3] = {STR("/.well-known/oauth-authorization-server"),
                                 path, STR("")};
    ret[0] = ret[1] = at;
    e = join(a, openid, &ret[0].target);
    return e == ERR_OK ? join(a, oauth, &ret[1].target) : e;
}
