/* text.c - see text.h. */
#include "base/text.h"

#include <assert.h>
#include <endian.h>

static const char hex_digits[] = "0123456789abcdef";

/* The two alphabets differ in the last two characters (RFC 4648). */
static const char alphabet_std[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char alphabet_url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Eight bytes, in which a capital's sixth bit is set. */
static uint64_t lower_eight(uint64_t x)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t low = x & ones * 0x7f;
    uint64_t from_a = low + ones * (0x80 - 'A'); /* sets the high bit */
    uint64_t after_z = low + ones * (0x7f - 'Z');
    uint64_t capital = (from_a & ~after_z & ~x) & ones << 7;
    return x | capital >> 2;
}

void text_lower(char *at, size_t n)
{
    size_t i = 0;
    for (; n - i >= 8; i += 8) {
        uint64_t x;
        memcpy(&x, at + i, sizeof(x));
        x = lower_eight(x);
        memcpy(at + i, &x, sizeof(x));
    }
    for (; i < n; i++) {
        if (at[i] >= 'A' && at[i] <= 'Z')
            at[i] |= 0x20;
    }
}

/* Four bytes, the first the highest, as eight digits in memory's order. */
static uint64_t hex_of_four(uint32_t bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t x = bytes;
    x = (x << 16 | x) & UINT64_C(0x0000ffff0000ffff);
    x = (x << 8 | x) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x << 4 | x) & UINT64_C(0x0f0f0f0f0f0f0f0f); /* one half each */
    uint64_t letters = ((x + 6 * ones) >> 4) & ones; /* 1 from ten on */
    return htobe64(x + '0' * ones + letters * ('a' - '0' - 10));
}

void text_hex(const void *bytes, size_t n, char *to)
{
    const unsigned char *b = bytes;
    size_t i = 0;
    for (; n - i >= 4; i += 4) {
        uint32_t four;
        memcpy(&four, b + i, sizeof(four));
        uint64_t digits = hex_of_four(be32toh(four));
        memcpy(to + 2 * i, &digits, sizeof(digits));
    }
    for (; i < n; i++) {
        to[2 * i] = hex_digits[b[i] >> 4];
        to[2 * i + 1] = hex_digits[b[i] & 15];
    }
}

/* 0 to 15, or -1. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool text_unhex(struct str s, void *to, size_t n)
{
    if (n > SIZE_MAX / 2 || s.len != 2 * n)
        return false;
    unsigned char *out = to;
    for (size_t i = 0; i < n; i++) {
        int high = hex_value(s.ptr[2 * i]);
        int low = hex_value(s.ptr[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

/* Without padding; returns how many characters it wrote. */
static size_t base64(const char *alphabet, const void *bytes, size_t n,
                     char *to)
{
    const unsigned char *b = bytes;
    char *out = to;
    for (; n >= 3; n -= 3, b += 3) {
        unsigned v = (unsigned)b[0] << 16 | (unsigned)b[1] << 8 | b[2];
        *out++ = alphabet[v >> 18];
        *out++ = alphabet[v >> 12 & 63];
        *out++ = alphabet[v >> 6 & 63];
        *out++ = alphabet[v & 63];
    }
    if (n > 0) {
        unsigned v = (unsigned)b[0] << 16 | (n > 1 ? (unsigned)b[1] << 8 : 0);
        *out++ = alphabet[v >> 18];
        *out++ = alphabet[v >> 12 & 63];
        if (n > 1)
            *out++ = alphabet[v >> 6 & 63];
    }
    return (size_t)(out - to);
}

void text_base64(const void *bytes, size_t n, char *to)
{
    size_t len = base64(alphabet_std, bytes, n, to);
    while (len % 4 != 0)
        to[len++] = '=';
}

void text_base64url(const void *bytes, size_t n, char *to)
{
    (void)base64(alphabet_url, bytes, n, to);
}

/* 0 to 63, or -1. */
static int base64_value(char c, char c62, char c63)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == c62)
        return 62;
    return c == c63 ? 63 : -1;
}

/* `s` is without padding. */
static bool unbase64(struct str s, const char *alphabet, unsigned char *to,
                     size_t *ret_n)
{
    if (s.len % 4 == 1)
        return false;
    unsigned bits = 0;
    unsigned held = 0; /* how many of `bits` wait for their byte */
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        int v = base64_value(s.ptr[i], alphabet[62], alphabet[63]);
        if (v < 0)
            return false;
        bits = (bits << 6 | (unsigned)v) & 0xffff;
        held += 6;
        if (held >= 8) {
            held -= 8;
            to[n++] = (unsigned char)(bits >> held);
        }
    }
    /* Two texts must not mean the same bytes. */
    if ((bits & ((1U << held) - 1)) != 0)
        return false;
    *ret_n = n;
    return true;
}

bool text_unbase64(struct str s, void *to, size_t *ret_n)
{
    if (s.len % 4 != 0)
        return false;
    for (int i = 0; i < 2 && s.len > 0 && s.ptr[s.len - 1] == '='; i++)
        s.len--;
    return unbase64(s, alphabet_std, to, ret_n);
}

bool text_unbase64url(struct str s, void *to, size_t *ret_n)
{
    return unbase64(s, alphabet_url, to, ret_n);
}

/* `v` in exactly `n` decimal digits. */
static void digits(char *to, unsigned n, unsigned v)
{
    while (n-- > 0) {
        to[n] = (char)('0' + v % 10);
        v /= 10;
    }
}

enum { DAYS_1970_FROM_0 = 719468, DAYS_PER_ERA = 146097 };

void text_time(int64_t unix_us, char *to)
{
    static const int64_t last_us = INT64_C(253402300799999999); /* 9999 */
    if (unix_us < 0)
        unix_us = 0;
    if (unix_us > last_us)
        unix_us = last_us;

    unsigned us = (unsigned)(unix_us % 1000000);
    unsigned second = (unsigned)(unix_us / 1000000 % 86400);
    unsigned day = (unsigned)(unix_us / 1000000 / 86400);

    /* Hinnant's days-to-civil: years begin in March, eras have 400 of them. */
    day += DAYS_1970_FROM_0;
    unsigned era = day / DAYS_PER_ERA;
    unsigned doe = day % DAYS_PER_ERA;
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned shifted = (5 * doy + 2) / 153;
    unsigned month = shifted < 10 ? shifted + 3 : shifted - 9;

    memcpy(to, "0000-00-00T00:00:00.000000Z", TEXT_TIME_LEN);
    digits(to, 4, era * 400 + yoe + (month <= 2));
    digits(to + 5, 2, month);
    digits(to + 8, 2, doy - (153 * shifted + 2) / 5 + 1);
    digits(to + 11, 2, second / 3600);
    digits(to + 14, 2, second / 60 % 60);
    digits(to + 17, 2, second % 60);
    digits(to + 20, 6, us);
}

/* `n` decimal digits; what is none makes a value that does not come back. */
static unsigned undigits(const char *from, unsigned n)
{
    unsigned v = 0;
    for (unsigned i = 0; i < n; i++)
        v = v * 10 + (unsigned)((unsigned char)from[i] - '0') % 10;
    return v;
}

bool text_untime(struct str s, int64_t *ret_unix_us)
{
    if (s.len != TEXT_TIME_LEN || undigits(s.ptr, 4) < 1970)
        return false;
    unsigned month = undigits(s.ptr + 5, 2);
    unsigned year = undigits(s.ptr, 4) - (month <= 2);
    unsigned shifted = month > 2 ? month - 3 : month + 9;
    unsigned doy = (153 * shifted + 2) / 5 + undigits(s.ptr + 8, 2) - 1;
    unsigned yoe = year % 400;
    int64_t day = (int64_t)(year / 400) * DAYS_PER_ERA + (int64_t)yoe * 365 +
                  yoe / 4 - yoe / 100 + doy - DAYS_1970_FROM_0;
    int64_t second = (int64_t)undigits(s.ptr + 11, 2) * 3600 +
                     (int64_t)undigits(s.ptr + 14, 2) * 60 +
                     undigits(s.ptr + 17, 2);
    int64_t us = (day * 86400 + second) * 1000000 + undigits(s.ptr + 20, 6);

    /* A day that does not exist, or a mark out of place, reads differently. */
    char again[TEXT_TIME_LEN];
    text_time(us, again);
    if (memcmp(again, s.ptr, TEXT_TIME_LEN) != 0)
        return false;
    *ret_unix_us = us;
    return true;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;
    return ab < c ? ab : c;
}

unsigned text_distance(struct str a, struct str b)
{
    enum { LEN_MAX = 64, FAR = 99 };
    if (a.len > LEN_MAX || b.len > LEN_MAX)
        return FAR;

    /* Row i of the table: the distance of a[0..i) to each b[0..j). */
    unsigned char rows[3][LEN_MAX + 1];
    unsigned char *before = rows[0];
    unsigned char *last = rows[1];
    unsigned char *row = rows[2];
    for (size_t j = 0; j <= b.len; j++)
        last[j] = (unsigned char)j;

    for (size_t i = 1; i <= a.len; i++) {
        row[0] = (unsigned char)i;
        for (size_t j = 1; j <= b.len; j++) {
            unsigned change = a.ptr[i - 1] != b.ptr[j - 1];
            unsigned d =
                min3(last[j] + 1U, row[j - 1] + 1U, last[j - 1] + change);
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] &&
                a.ptr[i - 2] == b.ptr[j - 1] && before[j - 2] + 1U < d)
                d = before[j - 2] + 1U;
            row[j] = (unsigned char)d;
        }
        unsigned char *reuse = before;
        before = last;
        last = row;
        row = reuse;
    }
    return last[b.len];
}

size_t text_utf8_len(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    if (s.len == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;

    /* RFC 3629, section 4: only the second byte's range varies. */
    size_t len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (p[0] < 0xc2 || p[0] > 0xf4 || s.len < len)
        return 0;
    unsigned char low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    return len;
}

/* How many of the first bytes of `s` are plain ASCII, eight at a time. */
static size_t ascii_len(struct str s)
{
    uint64_t eight;
    size_t i = 0;
    for (; s.len - i >= sizeof(eight); i += sizeof(eight)) {
        memcpy(&eight, s.ptr + i, sizeof(eight));
        if ((eight & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    return i;
}

bool text_is_utf8(struct str s)
{
    while (s.len > 0) {
        size_t len = ascii_len(s);
        if (len == 0)
            len = text_utf8_len(s);
        if (len == 0)
            return false;
        s = str_skip(s, len);
    }
    return true;
}

bool text_is_plain(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool c1 = c == 0xc2 && i + 1 < s.len &&
                  (unsigned char)s.ptr[i + 1] < 0xa0; /* in UTF-8 */
        if (c < 0x20 || c == 0x7f || c1)
            return false;
    }
    return text_is_utf8(s);
}
