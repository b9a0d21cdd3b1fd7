/* extension.c - see extension.h. */
#include "cedar/extension.h"

#include "cedar/extension_text.h"

typedef const struct cedar_value *args_in;

static struct cedar_value number_of(uint8_t kind, int64_t number)
{
    return (struct cedar_value){.kind = kind, .as.number = number};
}

static enum cedar_fault make_ip(args_in a, struct value_pool *pool,
                                struct cedar_value *ret)
{
    struct cedar_ip ip;
    if (!extension_text_ip(value_text(a[0]), &ip))
        return CEDAR_FAULT_EXTENSION;
    struct cedar_ip *kept = value_pool_alloc(pool, sizeof(*kept));
    if (kept == NULL)
        return CEDAR_FAULT_LIMIT;
    *kept = ip;
    *ret = (struct cedar_value){.kind = CEDAR_IP, .as.ip = kept};
    return CEDAR_FAULT_NONE;
}

/* A number that is read from text. */
#define MAKE(function, reader, type)                                           \
    static enum cedar_fault function(args_in a, struct value_pool *pool,       \
                                     struct cedar_value *ret)                  \
    {                                                                          \
        (void)pool;                                                            \
        int64_t number;                                                        \
        if (!reader(value_text(a[0]), &number))                                \
            return CEDAR_FAULT_EXTENSION;                                      \
        *ret = number_of((type), number);                                      \
        return CEDAR_FAULT_NONE;                                               \
    }
MAKE(make_decimal, extension_text_decimal, CEDAR_DECIMAL)
MAKE(make_datetime, extension_text_datetime, CEDAR_DATETIME)
MAKE(make_duration, extension_text_duration, CEDAR_DURATION)

/* A test that cannot fail. */
#define TEST(function, expression)                                             \
    static enum cedar_fault function(args_in a, struct value_pool *pool,       \
                                     struct cedar_value *ret)                  \
    {                                                                          \
        (void)pool;                                                            \
        *ret = cedar_value_bool(expression);                                   \
        return CEDAR_FAULT_NONE;                                               \
    }
TEST(less, a[0].as.number < a[1].as.number)
TEST(less_or_equal, a[0].as.number <= a[1].as.number)
TEST(greater, a[0].as.number > a[1].as.number)
TEST(greater_or_equal, a[0].as.number >= a[1].as.number)

static bool is_loopback(const struct cedar_ip *ip)
{
    static const uint8_t one[16] = {[15] = 1};
    if (ip->is_v6)
        return ip->prefix == 128 && memcmp(ip->bytes, one, sizeof(one)) == 0;
    return ip->prefix >= 8 && ip->bytes[0] == 127;
}

static bool is_multicast(const struct cedar_ip *ip)
{
    if (ip->is_v6)
        return ip->prefix >= 8 && ip->bytes[0] == 0xFF;
    return ip->prefix >= 4 && ip->bytes[0] >> 4 == 0xE;
}

/* Every address of `ip` is one of `range`. */
static bool is_in_range(const struct cedar_ip *ip, const struct cedar_ip *range)
{
    if (ip->is_v6 != range->is_v6 || ip->prefix < range->prefix)
        return false;
    size_t whole = range->prefix / 8;
    unsigned rest = range->prefix % 8;
    if (memcmp(ip->bytes, range->bytes, whole) != 0)
        return false;
    return rest == 0 ||
           (ip->bytes[whole] ^ range->bytes[whole]) >> (8 - rest) == 0;
}

TEST(test_v4, !a[0].as.ip->is_v6)
TEST(test_v6, a[0].as.ip->is_v6)
TEST(test_loopback, is_loopback(a[0].as.ip))
TEST(test_multicast, is_multicast(a[0].as.ip))
TEST(test_range, is_in_range(a[0].as.ip, a[1].as.ip))

static enum cedar_fault offset(args_in a, struct value_pool *pool,
                               struct cedar_value *ret)
{
    (void)pool;
    int64_t sum;
    if (__builtin_add_overflow(a[0].as.number, a[1].as.number, &sum))
        return CEDAR_FAULT_OVERFLOW;
    *ret = number_of(CEDAR_DATETIME, sum);
    return CEDAR_FAULT_NONE;
}

static enum cedar_fault duration_since(args_in a, struct value_pool *pool,
                                       struct cedar_value *ret)
{
    (void)pool;
    int64_t difference;
    if (__builtin_sub_overflow(a[0].as.number, a[1].as.number, &difference))
        return CEDAR_FAULT_OVERFLOW;
    *ret = number_of(CEDAR_DURATION, difference);
    return CEDAR_FAULT_NONE;
}

/* What is past of the day, never negative. */
static int64_t time_of_day(int64_t ms)
{
    int64_t rest = ms % EXTENSION_DAY_MS;
    return rest < 0 ? rest + EXTENSION_DAY_MS : rest;
}

static enum cedar_fault to_date(args_in a, struct value_pool *pool,
                                struct cedar_value *ret)
{
    (void)pool;
    int64_t date;
    if (__builtin_sub_overflow(a[0].as.number, time_of_day(a[0].as.number),
                               &date))
        return CEDAR_FAULT_OVERFLOW;
    *ret = number_of(CEDAR_DATETIME, date);
    return CEDAR_FAULT_NONE;
}

static enum cedar_fault to_time(args_in a, struct value_pool *pool,
                                struct cedar_value *ret)
{
    (void)pool;
    *ret = number_of(CEDAR_DURATION, time_of_day(a[0].as.number));
    return CEDAR_FAULT_NONE;
}

/* A duration in whole units, towards zero. */
#define WHOLE(function, unit_ms)                                               \
    static enum cedar_fault function(args_in a, struct value_pool *pool,       \
                                     struct cedar_value *ret)                  \
    {                                                                          \
        (void)pool;                                                            \
        *ret = cedar_value_long(a[0].as.number / (unit_ms));                   \
        return CEDAR_FAULT_NONE;                                               \
    }
WHOLE(to_milliseconds, 1)
WHOLE(to_seconds, 1000)
WHOLE(to_minutes, 60000)
WHOLE(to_hours, 3600000)
WHOLE(to_days, EXTENSION_DAY_MS)

/* clang-format off */
static const struct extension functions[] = {
    {STR_INIT("ip"),       false, 1, {CEDAR_STRING}, CEDAR_IP, make_ip},
    {STR_INIT("decimal"),  false, 1, {CEDAR_STRING}, CEDAR_DECIMAL, make_decimal},
    {STR_INIT("datetime"), false, 1, {CEDAR_STRING}, CEDAR_DATETIME, make_datetime},
    {STR_INIT("duration"), false, 1, {CEDAR_STRING}, CEDAR_DURATION, make_duration},
    {STR_INIT("lessThan"),           true, 2, {CEDAR_DECIMAL, CEDAR_DECIMAL}, CEDAR_BOOL, less},
    {STR_INIT("lessThanOrEqual"),    true, 2, {CEDAR_DECIMAL, CEDAR_DECIMAL}, CEDAR_BOOL, less_or_equal},
    {STR_INIT("greaterThan"),        true, 2, {CEDAR_DECIMAL, CEDAR_DECIMAL}, CEDAR_BOOL, greater},
    {STR_INIT("greaterThanOrEqual"), true, 2, {CEDAR_DECIMAL, CEDAR_DECIMAL}, CEDAR_BOOL, greater_or_equal},
    {STR_INIT("isIpv4"),      true, 1, {CEDAR_IP}, CEDAR_BOOL, test_v4},
    {STR_INIT("isIpv6"),      true, 1, {CEDAR_IP}, CEDAR_BOOL, test_v6},
    {STR_INIT("isLoopback"),  true, 1, {CEDAR_IP}, CEDAR_BOOL, test_loopback},
    {STR_INIT("isMulticast"), true, 1, {CEDAR_IP}, CEDAR_BOOL, test_multicast},
    {STR_INIT("isInRange"),   true, 2, {CEDAR_IP, CEDAR_IP}, CEDAR_BOOL, test_range},
    {STR_INIT("offset"),        true, 2, {CEDAR_DATETIME, CEDAR_DURATION}, CEDAR_DATETIME, offset},
    {STR_INIT("durationSince"), true, 2, {CEDAR_DATETIME, CEDAR_DATETIME}, CEDAR_DURATION, duration_since},
    {STR_INIT("toDate"), true, 1, {CEDAR_DATETIME}, CEDAR_DATETIME, to_date},
    {STR_INIT("toTime"), true, 1, {CEDAR_DATETIME}, CEDAR_DURATION, to_time},
    {STR_INIT("toMilliseconds"), true, 1, {CEDAR_DURATION}, CEDAR_LONG, to_milliseconds},
    {STR_INIT("toSeconds"),      true, 1, {CEDAR_DURATION}, CEDAR_LONG, to_seconds},
    {STR_INIT("toMinutes"),      true, 1, {CEDAR_DURATION}, CEDAR_LONG, to_minutes},
    {STR_INIT("toHours"),        true, 1, {CEDAR_DURATION}, CEDAR_LONG, to_hours},
    {STR_INIT("toDays"),         true, 1, {CEDAR_DURATION}, CEDAR_LONG, to_days},
};
/* clang-format on */

const struct extension *extension_at(size_t index)
{
    return index < ARRAY_LEN(functions) ? &functions[index] : NULL;
}

const struct extension *extension_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(functions); i++)
        if (str_eq(functions[i].name, name))
            return &functions[i];
    return NULL;
}

enum cedar_fault extension_call(const struct extension *x,
                                const struct cedar_value *args, size_t argc,
                                struct value_pool *pool,
                                struct cedar_value *ret)
{
    if (argc != x->argc)
        return CEDAR_FAULT_ARITY;
    for (size_t i = 0; i < argc; i++)
        if (args[i].kind != x->kinds[i])
            return CEDAR_FAULT_TYPE;
    return x->call(args, pool, ret);
}
