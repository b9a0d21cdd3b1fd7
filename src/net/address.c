/* address.c - see address.h. */
#include "net/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

bool address_parse(struct str host, uint16_t port, struct sockaddr_storage *ret)
{
    bool bracketed =
        host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (bracketed)
        host = (struct str){host.ptr + 1, host.len - 2};
    char text[INET6_ADDRSTRLEN];
    if (host.len == 0 || host.len >= sizeof(text) ||
        memchr(host.ptr, '\0', host.len) != NULL)
        return false;
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';

    struct sockaddr_storage a = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&a;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a;
    if (!bracketed && inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
    } else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
    } else {
        return false;
    }
    *ret = a;
    return true;
}

struct v4_block {
    uint32_t net;
    int bits;
};

#define V4(a, b, c, d)                                                         \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))

static const struct v4_block v4_local[] = {
    {V4(0, 0, 0, 0), 8},          /* "this host" (RFC 1122) */
    {V4(127, 0, 0, 0), 8},        /* loopback */
    {V4(169, 254, 0, 0), 16},     /* link-local; metadata of most clouds */
    {V4(224, 0, 0, 0), 3},        /* multicast, reserved, broadcast */
    {V4(100, 100, 100, 200), 32}, /* metadata: Alibaba */
    {V4(168, 63, 129, 16), 32},   /* metadata: Azure */
    {V4(192, 0, 0, 192), 32},     /* metadata: Oracle */
};

static bool v4_is_local(const uint8_t *b)
{
    uint32_t a = V4(b[0], b[1], b[2], b[3]);
    for (size_t i = 0; i < ARRAY_LEN(v4_local); i++) {
        const struct v4_block *block = &v4_local[i];
        if ((a ^ block->net) >> (32 - block->bits) == 0)
            return true;
    }
    return false;
}

/* Where an IPv6 address with this prefix carries an IPv4 address. */
struct v6_carrier {
    uint8_t prefix[12];
    size_t prefix_len, at;
};

static const struct v6_carrier v6_carriers[] = {
    {{0}, 12, 12},                                           /* compatible */
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 12, 12},    /* mapped */
    {{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0}, 12, 12},    /* translated */
    {{0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0}, 12, 12}, /* NAT64 */
    {{0x20, 0x02}, 2, 2},                                    /* 6to4 */
};

static bool v6_is_local(const uint8_t *b)
{
    static const uint8_t aws_metadata[16] = {0xfd, 0x00, 0x0e, 0xc2, 0, 0,
                                             0,    0,    0,    0,    0, 0,
                                             0,    0,    0x02, 0x54};
    if (b[0] == 0xff) /* multicast */
        return true;
    if (b[0] == 0xfe && b[1] >= 0x80) /* link-local and old site-local */
        return true;
    if (memcmp(b, aws_metadata, sizeof(aws_metadata)) == 0)
        return true;
    /* "::" and "::1" are compatible addresses in 0.0.0.0/8. */
    for (size_t i = 0; i < ARRAY_LEN(v6_carriers); i++) {
        const struct v6_carrier *c = &v6_carriers[i];
        if (memcmp(b, c->prefix, c->prefix_len) == 0 && v4_is_local(b + c->at))
            return true;
    }
    return false;
}

bool address_is_local(const struct sockaddr_storage *a)
{
    uint8_t bytes[16];
    switch (a->ss_family) {
    case AF_INET:
        memcpy(bytes, &((const struct sockaddr_in *)a)->sin_addr, 4);
        return v4_is_local(bytes);
    case AF_INET6:
        memcpy(bytes, &((const struct sockaddr_in6 *)a)->sin6_addr, 16);
        return v6_is_local(bytes);
    default:
        return true;
    }
}

socklen_t address_len(const struct sockaddr_storage *a)
{
    return a->ss_family == AF_INET ? (socklen_t)sizeof(struct sockaddr_in)
                                   : (socklen_t)sizeof(struct sockaddr_in6);
}

struct str address_text(const struct sockaddr_storage *a,
                        char to[ADDRESS_TEXT_MAX])
{
    char ip[INET6_ADDRSTRLEN];
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)a;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)a;
    int n = 0;
    if (a->ss_family == AF_INET &&
        inet_ntop(AF_INET, &v4->sin_addr, ip, sizeof(ip)) != NULL)
        n = snprintf(to, ADDRESS_TEXT_MAX, "%s:%u", ip, ntohs(v4->sin_port));
    else if (a->ss_family == AF_INET6 &&
             inet_ntop(AF_INET6, &v6->sin6_addr, ip, sizeof(ip)) != NULL)
        n = snprintf(to, ADDRESS_TEXT_MAX, "[%s]:%u", ip, ntohs(v6->sin6_port));
    else
        return STR("local");
    assert(n > 0 && n < ADDRESS_TEXT_MAX);
    return (struct str){to, (size_t)n};
}
