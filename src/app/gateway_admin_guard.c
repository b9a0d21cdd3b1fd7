/* gateway_admin_guard.c - see gateway_admin_guard.h. */
#include "app/gateway_admin_guard.h"

#include <string.h>

#include "base/attr.h"
#include "codec/uri.h"

enum { HTTP_PORT = 80, HTTPS_PORT = 443 };

void gateway_admin_guard_init(struct gateway_admin_guard *g, struct str host,
                              uint16_t port, bool tls)
{
    *g = (struct gateway_admin_guard){.port = port, .tls = tls};
    g->host_len = str_first(host, sizeof(g->host)).len;
    if (g->host_len > 0)
        memcpy(g->host, host.ptr, g->host_len);
}

/* Listening everywhere, we answer to every address: rebinding needs a name. */
static bool is_wildcard(struct str host)
{
    return str_eq(host, STR("0.0.0.0")) || str_eq(host, STR("::"));
}

static bool is_our_host(const struct gateway_admin_guard *g,
                        const struct uri_authority *a)
{
    static const struct str local[] = {STR_INIT("localhost"),
                                       STR_INIT("127.0.0.1"), STR_INIT("::1")};
    const struct str own = {g->host, g->host_len};

    if (str_eq(a->host, own) || (a->is_address && is_wildcard(own)))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(local); i++) {
        if (str_eq(a->host, local[i]))
            return true;
    }
    return false;
}

static bool is_our_authority(const struct gateway_admin_guard *g,
                             struct str authority)
{
    struct uri_authority a;

    if (uri_authority(authority, &a) != ERR_OK || !is_our_host(g, &a))
        return false;
    uint16_t port = a.port;
    if (port == 0)
        port = g->tls ? HTTPS_PORT : HTTP_PORT;
    return port == g->port;
}

static bool is_our_origin(const struct gateway_admin_guard *g,
                          const struct http_request_head *head)
{
    struct str scheme = g->tls ? STR("https://") : STR("http://");
    struct str origin = http_fields_get(head->fields, STR("origin"));

    return str_starts(origin, scheme) &&
           str_eq(str_skip(origin, scheme.len), head->authority);
}

const char *gateway_admin_guard_fault(const struct gateway_admin_guard *g,
                                      const struct http_request_head *head)
{
    struct str site = http_fields_get(head->fields, STR("sec-fetch-site"));

    if (!is_our_authority(g, head->authority))
        return "Host is not the address of the admin listener";
    if (http_fields_count(head->fields, STR("origin")) > 0 &&
        !is_our_origin(g, head))
        return "Origin is another site";
    if (http_fields_count(head->fields, STR("sec-fetch-site")) > 0 &&
        !str_eq(site, STR("same-origin")) && !str_eq(site, STR("none")))
        return "the request comes from another site";
    return NULL;
}

bool gateway_admin_guard_bearer(const struct http_request_head *head,
                                struct str *ret)
{
    static const struct str scheme = STR_INIT("bearer ");
    struct str value = http_fields_get(head->fields, STR("authorization"));

    if (!str_eq_nocase(str_first(value, scheme.len), scheme))
        return false;
    *ret = str_trim(str_skip(value, scheme.len));
    return ret->len > 0;
}
