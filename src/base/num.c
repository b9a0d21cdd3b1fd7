/* num.c - see num.h. */
#include "base/num.h"

#include "base/attr.h"

bool num_u64(struct str s, uint64_t max, uint64_t *ret)
{
    if (s.len == 0)
        return false;
    uint64_t v = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(s.ptr[i] - '0');
        if (digit > max || v > (max - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *ret = v;
    return true;
}

bool num_i64(struct str s, int64_t *ret)
{
    uint64_t v;
    bool negative = s.len > 0 && s.ptr[0] == '-';
    uint64_t max = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    if (!num_u64(negative ? str_skip(s, 1) : s, max, &v))
        return false;
    if (!negative)
        *ret = (int64_t)v;
    else
        *ret = v == max ? INT64_MIN : -(int64_t)v;
    return true;
}

struct unit {
    struct str name;
    uint64_t factor;
};

/* A number directly followed by one of the units. */
static bool with_unit(struct str s, const struct unit *units, size_t count,
                      uint64_t *ret)
{
    size_t digits = 0;
    while (digits < s.len && s.ptr[digits] >= '0' && s.ptr[digits] <= '9')
        digits++;
    uint64_t v;
    if (!num_u64(str_first(s, digits), INT64_MAX, &v))
        return false;
    struct str name = str_skip(s, digits);
    for (size_t i = 0; i < count; i++) {
        if (!str_eq(units[i].name, name))
            continue;
        if (v > INT64_MAX / units[i].factor)
            return false;
        *ret = v * units[i].factor;
        return true;
    }
    return false;
}

bool num_duration_ms(struct str s, int64_t *ret_ms)
{
    static const struct unit units[] = {
        {STR_INIT("ms"), 1},       {STR_INIT("s"), 1000},
        {STR_INIT("m"), 60000},    {STR_INIT("h"), 3600000},
        {STR_INIT("d"), 86400000},
    };
    uint64_t ms = 0;
    if (!str_eq(s, STR("0")) && !with_unit(s, units, ARRAY_LEN(units), &ms))
        return false;
    *ret_ms = (int64_t)ms;
    return true;
}

bool num_bytes(struct str s, uint64_t *ret_bytes)
{
    static const struct unit units[] = {
        {STR_INIT(""), 1},
        {STR_INIT("KB"), UINT64_C(1) << 10},
        {STR_INIT("MB"), UINT64_C(1) << 20},
        {STR_INIT("GB"), UINT64_C(1) << 30},
    };
    return with_unit(s, units, ARRAY_LEN(units), ret_bytes);
}

bool num_micros(struct str s, int64_t *ret_micros)
{
    enum { PLACES = 6 };
    size_t dot = str_find(s, '.');
    uint64_t whole;
    if (!num_u64(str_first(s, dot), INT64_MAX / 1000000 - 1, &whole))
        return false;

    uint64_t fraction = 0;
    struct str places = str_skip(s, dot + 1);
    if (dot < s.len) {
        if (places.len > PLACES || !num_u64(places, 999999, &fraction))
            return false;
        for (size_t i = places.len; i < PLACES; i++)
            fraction *= 10;
    }
    *ret_micros = (int64_t)(whole * 1000000 + fraction);
    return true;
}
