/* extension_text.c - see extension_text.h; for addresses, extension_ip.c. */
#include "cedar/extension_text.h"

#include "cedar/name.h"

/*
 * Adds digits in the direction of the sign, so that the smallest number of
 * 64 bits can be read.  Returns how many there were; sets *ok to false when
 * the number leaves 64 bits.
 */
static size_t digits(struct str s, size_t at, bool negative, int64_t *number,
                     bool *ok)
{
    size_t start = at;
    for (; at < s.len && name_is_digit(s.ptr[at]); at++) {
        int64_t digit = s.ptr[at] - '0';
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, negative ? -digit : digit, number))
            *ok = false;
    }
    return at - start;
}

bool extension_text_decimal(struct str s, int64_t *ret)
{
    bool ok = true;
    bool negative = s.len > 0 && s.ptr[0] == '-';
    size_t at = negative;
    int64_t number = 0;
    size_t whole = digits(s, at, negative, &number, &ok);
    at += whole;
    if (whole == 0 || at == s.len || s.ptr[at] != '.')
        return false;
    at++;
    size_t places = digits(s, at, negative, &number, &ok);
    if (places == 0 || places > 4 || at + places != s.len)
        return false;
    for (; places < 4; places++)
        if (__builtin_mul_overflow(number, 10, &number))
            ok = false;
    if (ok)
        *ret = number;
    return ok;
}

bool extension_text_duration(struct str s, int64_t *ret_ms)
{
    static const struct {
        struct str name;
        int64_t ms;
    } units[] = {
        {STR_INIT("d"), EXTENSION_DAY_MS},
        {STR_INIT("h"), 3600000},
        {STR_INIT("m"), 60000},
        {STR_INIT("s"), 1000},
        {STR_INIT("ms"), 1},
    };
    bool negative = s.len > 0 && s.ptr[0] == '-';
    size_t at = negative;
    size_t unit = 0;
    int64_t total = 0;
    bool ok = true;
    if (at == s.len)
        return false;
    while (at < s.len) {
        int64_t number = 0;
        size_t count = digits(s, at, negative, &number, &ok);
        size_t name = at + count;
        size_t end = name;
        while (end < s.len && !name_is_digit(s.ptr[end]))
            end++;
        struct str word = {s.ptr + name, end - name};
        while (unit < ARRAY_LEN(units) && !str_eq(word, units[unit].name))
            unit++;
        if (count == 0 || unit == ARRAY_LEN(units))
            return false;
        if (__builtin_mul_overflow(number, units[unit].ms, &number) ||
            __builtin_add_overflow(total, number, &total))
            ok = false;
        unit++;
        at = end;
    }
    if (ok)
        *ret_ms = total;
    return ok;
}

/* Exactly `count` digits at `at`, at most `max`. */
static bool field(struct str s, size_t at, size_t count, int max, int *ret)
{
    int number = 0;
    if (at > s.len || s.len - at < count)
        return false;
    for (size_t i = at; i < at + count; i++) {
        if (!name_is_digit(s.ptr[i]))
            return false;
        number = number * 10 + (s.ptr[i] - '0');
    }
    *ret = number;
    return number <= max;
}

static bool is_char(struct str s, size_t at, char c)
{
    return at < s.len && s.ptr[at] == c;
}

/* Days since 1970 of a date of the proleptic Gregorian calendar. */
static bool read_date(struct str s, int64_t *ret_days)
{
    static const int before[] = {0,   31,  59,  90,  120, 151, 181,
                                 212, 243, 273, 304, 334, 365};
    int year;
    int month;
    int day;
    if (!field(s, 0, 4, 9999, &year) || !is_char(s, 4, '-') ||
        !field(s, 5, 2, 12, &month) || !is_char(s, 7, '-') ||
        !field(s, 8, 2, 31, &day) || month < 1 || day < 1)
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int length = before[month] - before[month - 1] + (leap && month == 2);
    if (day > length)
        return false;
    int past = year - 1; /* -1 for the year 0, itself a leap year */
    int leaps = year == 0 ? -1 : past / 4 - past / 100 + past / 400;
    int64_t days = (int64_t)past * 365 + leaps + before[month - 1] + day - 1;
    if (leap && month > 2)
        days++;
    *ret_days = days - 719162; /* of 1970-01-01, counted from 0001-01-01 */
    return true;
}

/* "Z" or "+hhmm", nothing after it. */
static bool read_zone(struct str s, size_t at, int64_t *ret_ms)
{
    int hours;
    int minutes;
    if (is_char(s, at, 'Z') && at + 1 == s.len) {
        *ret_ms = 0;
        return true;
    }
    if ((!is_char(s, at, '+') && !is_char(s, at, '-')) || at + 5 != s.len ||
        !field(s, at + 1, 2, 23, &hours) || !field(s, at + 3, 2, 59, &minutes))
        return false;
    int64_t offset = ((int64_t)hours * 60 + minutes) * 60000;
    *ret_ms = s.ptr[at] == '-' ? -offset : offset;
    return true;
}

bool extension_text_datetime(struct str s, int64_t *ret_ms)
{
    int64_t days;
    int64_t zone;
    int hours;
    int minutes;
    int seconds;
    int millis = 0;
    if (!read_date(s, &days))
        return false;
    if (s.len == 10) {
        *ret_ms = days * EXTENSION_DAY_MS;
        return true;
    }
    if (!is_char(s, 10, 'T') || !field(s, 11, 2, 23, &hours) ||
        !is_char(s, 13, ':') || !field(s, 14, 2, 59, &minutes) ||
        !is_char(s, 16, ':') || !field(s, 17, 2, 59, &seconds))
        return false;
    size_t at = 19;
    if (is_char(s, at, '.')) {
        if (!field(s, at + 1, 3, 999, &millis))
            return false;
        at += 4;
    }
    if (!read_zone(s, at, &zone))
        return false;
    int64_t time = ((int64_t)hours * 60 + minutes) * 60 + seconds;
    *ret_ms = days * EXTENSION_DAY_MS + time * 1000 + millis - zone;
    return true;
}
