/* extension_ip.c - IP addresses and ranges; see extension_text.h. */
#include "cedar/extension_text.h"
#include "cedar/name.h"

/* "255.255.255.255/32" and the longest of IPv6 fit. */
enum { TEXT_MAX = 43 };

/* Digits without a leading zero, at most `max`. */
static bool number(struct str s, unsigned max, unsigned *ret)
{
    unsigned value = 0;
    if (s.len == 0 || s.len > 3 || (s.len > 1 && s.ptr[0] == '0'))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!name_is_digit(s.ptr[i]))
            return false;
        value = value * 10 + (unsigned)(s.ptr[i] - '0');
    }
    *ret = value;
    return value <= max;
}

static bool read_v4(struct str s, uint8_t *bytes)
{
    for (int i = 0; i < 4; i++) {
        size_t end = str_find(s, '.');
        unsigned value;
        if ((end == s.len) != (i == 3) ||
            !number(str_first(s, end), 255, &value))
            return false;
        bytes[i] = (uint8_t)value;
        s = str_skip(s, end + 1);
    }
    return true;
}

static int hex(char c)
{
    if (name_is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One to four hex digits at `at`; returns how many, 0 for none or more. */
static size_t group(struct str s, size_t at, uint8_t *to)
{
    unsigned value = 0;
    size_t count = 0;
    while (at + count < s.len && hex(s.ptr[at + count]) >= 0) {
        if (count == 4)
            return 0;
        value = value << 4 | (unsigned)hex(s.ptr[at + count]);
        count++;
    }
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
    return count;
}

static bool is_gap(struct str s, size_t at)
{
    return s.len - at >= 2 && s.ptr[at] == ':' && s.ptr[at + 1] == ':';
}

static bool read_v6(struct str s, uint8_t *bytes)
{
    uint8_t groups[16] = {0};
    size_t count = 0;      /* of groups */
    size_t gap = SIZE_MAX; /* the group that "::" stands before */
    size_t at = 0;
    while (at < s.len) {
        if (is_gap(s, at)) {
            if (gap != SIZE_MAX)
                return false;
            gap = count;
            at += 2;
            if (at == s.len)
                break;
        } else if (count > 0) {
            if (s.ptr[at++] != ':')
                return false;
        }
        size_t digits = count == 8 ? 0 : group(s, at, groups + count * 2);
        if (digits == 0)
            return false;
        at += digits;
        count++;
    }
    if (gap == SIZE_MAX ? count != 8 : count > 7)
        return false;
    if (gap == SIZE_MAX)
        gap = count;
    memset(bytes, 0, 16);
    memcpy(bytes, groups, gap * 2);
    memcpy(bytes + 16 - (count - gap) * 2, groups + gap * 2, (count - gap) * 2);
    return true;
}

static size_t count_of(struct str s, char c)
{
    size_t count = 0;
    for (size_t i = 0; i < s.len; i++)
        count += s.ptr[i] == c;
    return count;
}

bool extension_text_ip(struct str s, struct cedar_ip *ret)
{
    struct cedar_ip ip = {0};
    if (s.len > TEXT_MAX || (count_of(s, ':') >= 2 && count_of(s, '.') >= 2))
        return false;
    size_t slash = str_find(s, '/');
    struct str address = str_first(s, slash);
    struct str prefix = str_skip(s, slash + 1);
    if (!read_v4(address, ip.bytes)) {
        memset(ip.bytes, 0, sizeof(ip.bytes));
        if (!read_v6(address, ip.bytes))
            return false;
        ip.is_v6 = true;
    }
    unsigned bits = ip.is_v6 ? 128 : 32;
    if (slash < s.len &&
        ((!ip.is_v6 && prefix.len > 2) || !number(prefix, bits, &bits)))
        return false;
    ip.prefix = (uint8_t)bits;
    *ret = ip;
    return true;
}
