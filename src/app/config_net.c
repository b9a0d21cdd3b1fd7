/* config_net.c - see config_net.h. */
#include "app/config_net.h"

#include <arpa/inet.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/num.h"
#include "codec/uri.h"

enum { FAMILY_NONE = 0, FAMILY_4, FAMILY_6 };

/* The address in `host`; `to` has room for 16 bytes. */
static int parse_address(struct str host, unsigned char to[16])
{
    char text[INET6_ADDRSTRLEN];
    if (host.len == 0 || host.len >= sizeof(text))
        return FAMILY_NONE;
    memcpy(text, host.ptr, host.len);
    text[host.len] = 0;
    if (inet_pton(AF_INET, text, to) == 1)
        return FAMILY_4;
    return inet_pton(AF_INET6, text, to) == 1 ? FAMILY_6 : FAMILY_NONE;
}

/* An IPv6 address that stands for an IPv4 one (RFC 4291, 2.5.5.2). */
static bool unmap(unsigned char bytes[16])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (memcmp(bytes, mapped, sizeof(mapped)) != 0)
        return false;
    memmove(bytes, bytes + sizeof(mapped), 4);
    return true;
}

static int address_of(struct str host, unsigned char to[16])
{
    int family = parse_address(host, to);
    return family == FAMILY_6 && unmap(to) ? FAMILY_4 : family;
}

bool config_net_is_loopback(struct str host)
{
    static const unsigned char one[16] = {[15] = 1};
    unsigned char bytes[16];
    if (str_eq_nocase(host, STR("localhost")))
        return true;
    int family = address_of(host, bytes);
    if (family == FAMILY_4)
        return bytes[0] == 127;
    return family == FAMILY_6 && memcmp(bytes, one, sizeof(one)) == 0;
}

bool config_net_is_local(struct str host)
{
    unsigned char bytes[16];
    if (config_net_is_loopback(host))
        return true;
    int family = address_of(host, bytes);
    if (family == FAMILY_4)
        return bytes[0] == 169 && bytes[1] == 254;
    return family == FAMILY_6 && bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

/* "[::1]:80" and "127.0.0.1:80" to host and port; false: neither. */
static bool split_address(struct str text, struct str *ret_host,
                          struct str *ret_port)
{
    bool brackets = text.len > 0 && text.ptr[0] == '[';
    size_t end = brackets ? str_find(text, ']') : str_find(text, ':');
    if (end == text.len)
        return false;
    *ret_host = str_first(text, end);
    struct str rest = str_skip(text, end);
    if (brackets) {
        *ret_host = str_skip(*ret_host, 1);
        rest = str_skip(rest, 1);
    }
    if (rest.len == 0 || rest.ptr[0] != ':')
        return false;
    *ret_port = str_skip(rest, 1);
    return true;
}

bool config_net_address(struct str text, struct listen_settings *ret,
                        const char **ret_why)
{
    struct str host;
    struct str port_text;
    if (!split_address(text, &host, &port_text)) {
        *ret_why = "expected host:port, as in 127.0.0.1:8080 or [::1]:8080";
        return false;
    }
    unsigned char bytes[16];
    int family = parse_address(host, bytes);
    bool bracketed = text.ptr[0] == '[';
    bool named = !bracketed && str_eq(host, STR("localhost"));
    if (!named && family != (bracketed ? FAMILY_6 : FAMILY_4)) {
        *ret_why = "the host must be an IP address or localhost; all "
                   "addresses are 0.0.0.0 or [::]";
        return false;
    }
    uint64_t port;
    if (!num_u64(port_text, UINT16_MAX, &port) || port == 0) {
        *ret_why = "the port must be 1 to 65535";
        return false;
    }
    ret->host = named ? STR("127.0.0.1") : host;
    ret->port = (uint16_t)port;
    return true;
}

static bool is_https(const struct uri *u)
{
    return str_eq(u->scheme, STR("https"));
}

/* An http or https URL; false: *ret_why, which is NULL when the arena is
 * full. */
static bool split_url(struct arena *a, struct str text, struct uri *ret,
                      const char **ret_why)
{
    struct str copy;
    *ret_why = NULL;
    if (!arena_copy(a, text, &copy))
        return false;
    enum err e = uri_split(a, copy, ret, ret_why);
    if (e != ERR_MALFORMED)
        *ret_why = NULL;
    if (e != ERR_OK)
        return false;
    if (is_https(ret) || str_eq(ret->scheme, STR("http")))
        return true;
    *ret_why = "expected https:// (or http:// to loopback)";
    return false;
}

bool config_net_url(struct arena *a, struct str text,
                    struct provider_settings *ret, const char **ret_why)
{
    struct uri uri;
    if (!split_url(a, text, &uri, ret_why))
        return false;
    if (uri.query.len > 0) {
        *ret_why = "a base URL has no query";
        return false;
    }
    while (uri.path.len > 0 && uri.path.ptr[uri.path.len - 1] == '/')
        uri.path.len--;
    ret->tls = is_https(&uri);
    ret->host = uri.host;
    ret->port = uri.port;
    ret->path = uri.path;
    ret->local = config_net_is_local(uri.host);
    return true;
}

bool config_net_endpoint(struct arena *a, struct str text,
                         struct tool_server_settings *ret, const char **ret_why)
{
    struct uri uri;
    struct str target = {0};
    if (!split_url(a, text, &uri, ret_why))
        return false;
    struct buf joined;
    buf_init(&joined, HTTP_TARGET_MAX);
    buf_addf(&joined, "%.*s%s%.*s", STR_FMT(uri.path),
             uri.query.len > 0 ? "?" : "", STR_FMT(uri.query));
    bool fits = buf_ok(&joined);
    bool ok = fits && arena_copy(a, buf_str(&joined), &target);
    buf_release(&joined);
    if (!fits)
        *ret_why = "it is longer than 8 KiB";
    if (!ok)
        return false;
    ret->http.tls = is_https(&uri);
    ret->http.host = uri.host;
    ret->http.port = uri.port;
    ret->http.path = target;
    ret->http.local = config_net_is_local(uri.host);
    return true;
}
