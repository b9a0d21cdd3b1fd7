/* config_units.c - see config_units.h. */
#include "app/config_units.h"

#include "base/attr.h"

struct unit {
    const char *name;
    int64_t factor;
};

static void largest(struct buf *to, int64_t v, const struct unit *units,
                    size_t n)
{
    size_t i = 0;
    while (i + 1 < n && (v == 0 || v % units[i].factor != 0))
        i++;
    buf_addf(to, "%lld%s", (long long)(v / units[i].factor), units[i].name);
}

void config_units_duration(struct buf *to, int64_t ms)
{
    static const struct unit units[] = {
        {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
    if (ms == 0)
        BUF_LIT(to, "0");
    else
        largest(to, ms, units, ARRAY_LEN(units));
}

void config_units_bytes(struct buf *to, uint64_t bytes)
{
    static const struct unit units[] = {{"GB", INT64_C(1) << 30},
                                        {"MB", 1 << 20},
                                        {"KB", 1 << 10},
                                        {"", 1}};
    largest(to, (int64_t)bytes, units, ARRAY_LEN(units));
}

static void micros(struct buf *to, int64_t v)
{
    buf_addf(to, "%lld.%06lld", (long long)(v / 1000000),
             (long long)(v % 1000000));
    if (!buf_ok(to))
        return;
    while (to->ptr[to->len - 1] == '0')
        to->len--;
    if (to->ptr[to->len - 1] == '.')
        to->len--;
}

void config_units_value(struct buf *to, enum config_type type, int64_t v)
{
    if (type == CONFIG_DURATION)
        config_units_duration(to, v);
    else if (type == CONFIG_BYTES)
        config_units_bytes(to, (uint64_t)v);
    else if (type == CONFIG_MICROS)
        micros(to, v);
    else
        buf_add_i64(to, v);
}

bool config_units_has_range(const struct config_row *row)
{
    return row->type == CONFIG_DURATION || row->type == CONFIG_BYTES ||
           row->type == CONFIG_INTEGER || row->type == CONFIG_MICROS;
}

void config_units_range(struct buf *to, const struct config_row *row)
{
    config_units_value(to, row->type, row->min);
    BUF_LIT(to, " to ");
    config_units_value(to, row->type, row->max);
}
