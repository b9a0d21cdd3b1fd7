/* layers: codec base */
/* Property: a normal form is its own normal form, and hides nothing. */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "codec/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No segment is empty, but for the last, or dots, before and after decoding. */
static void check_segments(struct str path)
{
    assert(path.len > 0 && path.ptr[0] == '/');
    struct str left = str_skip(path, 1);
    while (left.len > 0) {
        size_t end = str_find(left, '/');
        struct str segment = str_first(left, end);
        assert(segment.len > 0);
        assert(!str_eq(segment, STR(".")) && !str_eq(segment, STR("..")));
        left = str_skip(left, end + 1);
    }
}

static size_t count(struct str s, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += s.ptr[i] == c;
    return n;
}

static void check_path(struct arena *a, struct str raw)
{
    struct str path, query, again, again_query, decoded, twice;
    if (uri_normal_path(a, raw, &path, &query) != ERR_OK)
        return;
    enum err e = uri_normal_path(a, path, &again, &again_query);
    assert(e == ERR_OK && str_eq(path, again) && again_query.len == 0);
    check_segments(path);

    /* Decoded, it has the same segments, and nothing is left to decode. */
    e = uri_decode(a, path, false, &decoded);
    assert(e == ERR_OK);
    check_segments(decoded);
    assert(count(decoded, '/') == count(path, '/'));
    assert(count(decoded, '\\') == 0);
    e = uri_decode(a, decoded, false, &twice);
    assert(e == ERR_MALFORMED || str_eq(decoded, twice));
}

static void check_authority(struct arena *a, struct str s)
{
    struct str normal, again;
    struct uri_authority u, v;
    bool valid = uri_host_valid(s);
    assert((uri_authority(s, &u) == ERR_OK) == valid);
    if (!valid)
        return;
    enum err e = uri_normal_authority(a, s, &normal);
    assert(e == ERR_OK);
    e = uri_normal_authority(a, normal, &again);
    assert(e == ERR_OK && str_eq(normal, again));
    e = uri_authority(normal, &v);
    assert(e == ERR_OK && u.port == v.port && u.is_ipv6 == v.is_ipv6 &&
           u.is_address == v.is_address);
    assert(u.is_ipv6 || str_eq_nocase(u.host, v.host));
}

static void check_url(struct arena *a, struct str text)
{
    struct uri u, v;
    const char *why = NULL;
    if (uri_split(a, text, &u, &why) != ERR_OK) {
        assert(why != NULL);
        return;
    }
    struct buf b;
    buf_init(&b, MIB);
    (void)buf_addf(&b, "%.*s://%.*s%.*s?%.*s", STR_FMT(u.scheme),
                   STR_FMT(u.authority), STR_FMT(u.path), STR_FMT(u.query));
    enum err e = uri_split(a, buf_str(&b), &v, NULL);
    assert(e == ERR_OK);
    assert(str_eq(u.scheme, v.scheme) && str_eq(u.host, v.host) &&
           u.port == v.port && str_eq(u.authority, v.authority) &&
           str_eq(u.path, v.path) && str_eq(u.query, v.query));
    buf_release(&b);
}

static void check_encoding(struct arena *a, struct str s)
{
    struct str name, value, decoded, plain;
    struct str left = s;
    while (uri_next_pair(&left, &name, &value)) {
        assert(count(name, '=') == 0 && count(value, '&') == 0);
        if (uri_decode(a, value, true, &plain) != ERR_OK)
            continue;
        struct buf b;
        buf_init(&b, MIB);
        uri_add_encoded(&b, plain);
        enum err e = uri_decode(a, buf_str(&b), true, &decoded);
        assert(e == ERR_OK && str_eq(plain, decoded));
        buf_release(&b);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 16 * KIB)
        return 0;
    struct arena a;
    struct str s = {(const char *)data, size};
    arena_init(&a, 16 * MIB);
    check_path(&a, s);
    check_authority(&a, s);
    check_url(&a, s);
    check_encoding(&a, s);
    arena_release(&a);
    return 0;
}
