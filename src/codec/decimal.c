/* decimal.c - see decimal.h. */
#include "codec/decimal.h"

#include <assert.h>

#define POWER_MAX ((int64_t)1000000000000000)

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Of "e+12", or 0. */
static int64_t read_power(struct str s)
{
    if (s.len == 0)
        return 0;
    s = str_skip(s, 1);
    bool is_negative = s.len > 0 && s.ptr[0] == '-';
    if (s.len > 0 && !is_digit(s.ptr[0]))
        s = str_skip(s, 1);
    int64_t power = 0;
    for (size_t i = 0; i < s.len && power < POWER_MAX; i++)
        power = power * 10 + (s.ptr[i] - '0');
    power = power < POWER_MAX ? power : POWER_MAX;
    return is_negative ? -power : power;
}

struct decimal decimal_read(struct str text)
{
    struct decimal d = {0};
    size_t i = 0;
    if (text.len > 0 && text.ptr[0] == '-') {
        d.is_negative = true;
        i++;
    }
    int64_t seen = 0;
    bool is_fraction = false;
    for (; i < text.len && text.ptr[i] != 'e' && text.ptr[i] != 'E'; i++) {
        char c = text.ptr[i];
        if (c == '.') {
            is_fraction = true;
            continue;
        }
        if (seen == 0 && c == '0') {
            d.point -= is_fraction;
            continue;
        }
        if (seen++ == 0)
            d.first = text.ptr + i;
        d.point += !is_fraction;
        if (c != '0') {
            d.last = text.ptr + i;
            d.digits = seen;
        }
    }
    if (d.digits == 0)
        return (struct decimal){0};
    d.point += read_power(str_skip(text, i));
    return d;
}

/* The digit at *at, which moves on; zeros follow the last one. */
static unsigned next_digit(const char **at, const char *last)
{
    if (*at > last)
        return 0;
    if (**at == '.')
        (*at)++;
    return (unsigned)(*(*at)++ - '0');
}

static int compare_size(struct decimal a, struct decimal b)
{
    if (a.point != b.point)
        return a.point < b.point ? -1 : 1;
    int64_t n = a.digits > b.digits ? a.digits : b.digits;
    for (int64_t i = 0; i < n; i++) {
        unsigned x = next_digit(&a.first, a.last);
        unsigned y = next_digit(&b.first, b.last);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

int decimal_compare(struct decimal a, struct decimal b)
{
    int sign_a = a.digits == 0 ? 0 : a.is_negative ? -1 : 1;
    int sign_b = b.digits == 0 ? 0 : b.is_negative ? -1 : 1;
    if (sign_a != sign_b)
        return sign_a < sign_b ? -1 : 1;
    if (sign_a == 0)
        return 0;
    return sign_a * compare_size(a, b);
}

bool decimal_is_integer(struct decimal d)
{
    return d.point >= d.digits;
}

bool decimal_is_multiple(struct decimal d, struct decimal unit)
{
    assert(unit.digits > 0 && unit.digits <= DECIMAL_UNIT_DIGITS);
    if (d.digits == 0)
        return true;
    /* d is V * 10^a and the unit M * 10^b, and ten does not divide V: with
     * a < b there is no way, else M has to divide V * 10^(a-b). */
    int64_t power = (d.point - d.digits) - (unit.point - unit.digits);
    if (power < 0)
        return false;
    uint64_t modulus = 0;
    for (int64_t i = 0; i < unit.digits; i++)
        modulus = modulus * 10 + next_digit(&unit.first, unit.last);
    assert(modulus > 0);
    uint64_t rest = 0;
    for (int64_t i = 0; i < d.digits; i++)
        rest = (rest * 10 + next_digit(&d.first, d.last)) % modulus;
    /* M has fewer than 64 factors of 2 or 5; more tens change nothing. */
    for (int64_t i = 0; i < power && i < 64 && rest != 0; i++)
        rest = rest * 10 % modulus;
    return rest == 0;
}

bool decimal_u64(struct decimal d, uint64_t *ret)
{
    if (d.is_negative || !decimal_is_integer(d))
        return false;
    uint64_t v = 0;
    for (int64_t i = 0; i < d.point; i++) {
        unsigned digit = next_digit(&d.first, d.last);
        if (v > (UINT64_MAX - digit) / 10) {
            v = UINT64_MAX;
            break;
        }
        v = v * 10 + digit;
    }
    *ret = v;
    return true;
}

uint64_t decimal_hash(struct decimal d)
{
    uint64_t h = (uint64_t)d.point * 2 + d.is_negative;
    for (int64_t i = 0; i < d.digits; i++) {
        h = (h ^ (h >> 29)) * UINT64_C(0x9e3779b97f4a7c15);
        h += next_digit(&d.first, d.last);
    }
    return (h ^ (h >> 32)) * UINT64_C(0x9e3779b97f4a7c15);
}
