/* jcs_canonical.c - a parsed document in canonical form; see jcs.h. */
#include <assert.h>
#include <stdlib.h>

#include <yyjson.h>

#include "base/num.h"
#include "codec/jcs.h"

enum { DIGITS_MAX = 17 }; /* enough for every double */

/* A positive double as 0.d1 d2 ... dk times ten to the power of `point`. */
struct decimal {
    char digits[DIGITS_MAX];
    int count, point;
};

/* Takes a decimal apart: digits, maybe a point, maybe an exponent. */
static struct decimal take_apart(struct str text)
{
    struct decimal n = {.count = 0};
    size_t end = str_find(text, 'e');
    size_t point = str_find(str_first(text, end), '.');
    int zeros = 0; /* they count only when another digit follows */
    for (size_t i = 0; i < end; i++) {
        if (i == point)
            continue;
        if (n.count + zeros == 0 && text.ptr[i] == '0') {
            n.point--; /* leading */
            continue;
        }
        if (text.ptr[i] == '0') {
            zeros++;
            continue;
        }
        assert(n.count + zeros < DIGITS_MAX);
        for (; zeros > 0; zeros--)
            n.digits[n.count++] = '0';
        n.digits[n.count++] = text.ptr[i];
    }
    n.point += (int)point;

    int64_t exponent = 0;
    struct str tail = str_skip(text, end + 1);
    if (tail.len > 0 && tail.ptr[0] == '+')
        tail = str_skip(tail, 1);
    bool ok = tail.len == 0 || num_i64(tail, &exponent);
    assert(ok && n.count > 0);
    n.point += (int)exponent;
    return n;
}

/* The shortest digits that read as `d`, and of those the nearest. */
static struct decimal shortest(double d)
{
    /* yyjson finds them (Schubfach); only its notation is not ECMAScript's.
     * Rounding by printf() at each length would miss some powers of two,
     * whose neighbours are not equally far. */
    char memory[512];
    yyjson_alc alc;
    yyjson_val real = {
        .tag = YYJSON_TYPE_NUM | YYJSON_SUBTYPE_REAL,
        .uni = {.f64 = d},
    };
    struct str text = {NULL, 0};
    bool ok = yyjson_alc_pool_init(&alc, memory, sizeof(memory));
    if (ok)
        text.ptr = yyjson_val_write_opts(&real, 0, &alc, &text.len, NULL);
    assert(text.ptr != NULL);
    return take_apart(text);
}

static void add_zeros(struct buf *to, int n)
{
    while (n-- > 0)
        (void)buf_add_char(to, '0');
}

/* ECMAScript's Number::toString (RFC 8785, section 3.2.2.3). */
static void add_number(struct buf *to, double d)
{
    if (d < 0)
        (void)buf_add_char(to, '-');
    if (!(d > 0 || d < 0)) {
        (void)buf_add_char(to, '0'); /* also for -0, which is not < 0 */
        return;
    }
    struct decimal n = shortest(d < 0 ? -d : d);
    struct str digits = {n.digits, (size_t)n.count};
    if (n.point > 21 || n.point <= -6) {
        (void)buf_add(to, str_first(digits, 1));
        if (n.count > 1)
            (void)buf_add_char(to, '.');
        (void)buf_add(to, str_skip(digits, 1));
        (void)buf_add(to, n.point > 21 ? STR("e+") : STR("e"));
        (void)buf_add_i64(to, n.point - 1);
    } else if (n.point <= 0) {
        (void)BUF_LIT(to, "0.");
        add_zeros(to, -n.point);
        (void)buf_add(to, digits);
    } else {
        (void)buf_add(to, str_first(digits, (size_t)n.point));
        add_zeros(to, n.point - n.count);
        if (n.count > n.point)
            (void)buf_add_char(to, '.');
        (void)buf_add(to, str_skip(digits, (size_t)n.point));
    }
}

struct member {
    struct str name;
    const struct json *value;
};

/*
 * The order of UTF-16 code units.  UTF-8 keeps the order of code points, and
 * the two differ only where surrogates (F0 and up here) meet U+E000 to U+FFFF
 * (EE and EF), which come after them.
 */
static int by_utf16(const void *a, const void *b)
{
    struct str x = ((const struct member *)a)->name;
    struct str y = ((const struct member *)b)->name;
    size_t n = x.len < y.len ? x.len : y.len;
    for (size_t i = 0; i < n; i++) {
        unsigned char cx = (unsigned char)x.ptr[i];
        unsigned char cy = (unsigned char)y.ptr[i];
        if (cx == cy)
            continue;
        if (cx >= 0xee && cy >= 0xee && (cx >= 0xf0) != (cy >= 0xf0))
            return cx >= 0xf0 ? -1 : 1;
        return cx < cy ? -1 : 1;
    }
    return x.len < y.len ? -1 : x.len > y.len;
}

/* NULL: `a` is full. */
static struct member *sorted(struct arena *a, const struct json *object)
{
    struct member *members = ARENA_NEW(a, struct member, json_count(object));
    if (members == NULL)
        return NULL;
    struct json_iter it = json_each(object);
    size_t n = 0;
    while (json_next(&it, &members[n].name, &members[n].value))
        n++;
    qsort(members, n, sizeof(*members), by_utf16);
    return members;
}

static enum err add_value(struct buf *to, struct arena *a,
                          const struct json *v);

static enum err add_array(struct buf *to, struct arena *a,
                          const struct json *array)
{
    enum err e = ERR_OK;
    struct json_iter it = json_each(array);
    const struct json *v;
    (void)buf_add_char(to, '[');
    for (size_t i = 0; e == ERR_OK && json_next(&it, NULL, &v); i++) {
        if (i > 0)
            (void)buf_add_char(to, ',');
        e = add_value(to, a, v);
    }
    (void)buf_add_char(to, ']');
    return e;
}

static enum err add_object(struct buf *to, struct arena *a,
                           const struct json *object)
{
    const struct member *members = sorted(a, object);
    if (members == NULL)
        return ERR_LIMIT;
    enum err e = ERR_OK;
    size_t n = json_count(object);
    (void)buf_add_char(to, '{');
    for (size_t i = 0; i < n && e == ERR_OK; i++) {
        if (i > 0)
            (void)buf_add_char(to, ',');
        json_write_str(to, members[i].name);
        (void)buf_add_char(to, ':');
        e = add_value(to, a, members[i].value);
    }
    (void)buf_add_char(to, '}');
    return e;
}

/* Recursion ends with the document: JSON_DEPTH_MAX. */
static enum err add_value(struct buf *to, struct arena *a, const struct json *v)
{
    double d;
    switch (json_type(v)) {
    case JSON_ARRAY:
        return add_array(to, a, v);
    case JSON_OBJECT:
        return add_object(to, a, v);
    case JSON_NUMBER:
        if (!json_f64(v, &d))
            return ERR_MALFORMED;
        add_number(to, d);
        return ERR_OK;
    case JSON_NONE:
    case JSON_NULL:
    case JSON_BOOL:
    case JSON_STRING:
        break;
    }
    json_write(to, v, NULL, 0);
    return ERR_OK;
}

enum err jcs_canonical(struct buf *to, struct arena *a, const struct json *v)
{
    enum err e = add_value(to, a, v);
    if (e == ERR_OK && !buf_ok(to))
        e = ERR_LIMIT;
    return e;
}
