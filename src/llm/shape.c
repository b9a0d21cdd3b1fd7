/* shape.c - see shape.h. */
#include "llm/shape.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/text.h"

enum {
    PATH_DEPTH = 24,    /* deeper than any table; asserted */
    PATH_NAME_MAX = 64, /* bytes shown of one name */
    TEXT_MAX = 2048     /* bytes of a path or a sentence */
};

/* Where in the document: a list on the stack, innermost first. */
struct step {
    const struct step *up;
    struct str name; /* of a member */
    size_t index;    /* the place in an array, when is_index */
    bool is_index;
};

struct place {
    struct shape_walk *w;
    const struct step *at; /* NULL: the document */
};

static enum err check(struct place p, const struct shape *s,
                      const struct json *v);

/* As much of `name` as is shown, whole characters only. */
static struct str shown(struct str name)
{
    size_t n = 0;
    while (n < name.len) {
        size_t len = text_utf8_len(str_skip(name, n));
        if (len == 0 || n + len > PATH_NAME_MAX)
            break;
        n += len;
    }
    return str_first(name, n);
}

/* "messages[3].content", or "messages[].content" when `plain`. */
static void write_path(struct buf *to, const struct step *at, bool plain)
{
    const struct step *steps[PATH_DEPTH];
    size_t n = 0;
    for (; at != NULL; at = at->up) {
        assert(n < PATH_DEPTH);
        steps[n++] = at;
    }
    while (n-- > 0) {
        if (steps[n]->is_index && plain) {
            (void)BUF_LIT(to, "[]");
        } else if (steps[n]->is_index) {
            (void)buf_addf(to, "[%zu]", steps[n]->index);
        } else {
            if (steps[n]->up != NULL)
                (void)buf_add_char(to, '.');
            (void)buf_add(to, plain ? steps[n]->name : shown(steps[n]->name));
        }
    }
}

/* Did the operator let this path through? */
static bool allowed(struct place p)
{
    if (p.w->allow.count == 0)
        return false;
    struct buf path;
    bool found = false;
    buf_init(&path, TEXT_MAX);
    write_path(&path, p.at, true);
    for (size_t i = 0; buf_ok(&path) && i < p.w->allow.count; i++)
        found = found || str_eq(p.w->allow.at[i], buf_str(&path));
    buf_release(&path);
    return found;
}

static struct str keep(struct arena *a, const struct buf *b, const char *other)
{
    struct str s;
    if (buf_ok(b) && arena_copy(a, buf_str(b), &s))
        return s;
    return str_from(other);
}

static enum err refuse(struct place p, enum err e, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Sets the problem and returns `e`. */
static enum err refuse(struct place p, enum err e, const char *fmt, ...)
{
    struct buf path;
    char text[TEXT_MAX];
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    struct llm_problem problem = {.err = e, .text = str_from(err_text(e))};
    struct str s = {text, n < 0 ? 0 : (size_t)n};
    if (s.len > 0 && s.len < sizeof(text) && arena_copy(p.w->a, s, &s))
        problem.text = s;

    buf_init(&path, TEXT_MAX);
    write_path(&path, p.at, false);
    problem.param = keep(p.w->a, &path, "");
    buf_release(&path);
    *p.w->ret_problem = problem;
    return e;
}

/* Names the one line of config that would let it through. */
static enum err refuse_unknown(struct place p, const char *what)
{
    struct buf path;
    buf_init(&path, TEXT_MAX);
    write_path(&path, p.at, true);
    struct str name = keep(p.w->a, &path, "");
    buf_release(&path);
    return refuse(p, ERR_UNKNOWN_FIELD,
                  "the gateway does not know this %s; the config line "
                  "providers.<name>.allow_fields: [\"%.*s\"] would let it "
                  "through unread",
                  what, STR_FMT(shown(name)));
}

static enum json_type type_of(const struct shape *s)
{
    switch (s->kind) {
    case SHAPE_STRING:
        return JSON_STRING;
    case SHAPE_BOOL:
        return JSON_BOOL;
    case SHAPE_INT:
    case SHAPE_NUMBER:
        return JSON_NUMBER;
    case SHAPE_ARRAY:
        return JSON_ARRAY;
    case SHAPE_MAP:
    case SHAPE_OBJECT:
    case SHAPE_TAGGED:
    case SHAPE_OPAQUE:
        return JSON_OBJECT;
    case SHAPE_NOTHING:
    case SHAPE_EITHER:
    case SHAPE_DENIED:
        break;
    }
    return JSON_NONE;
}

static const char *type_name(const struct shape *s)
{
    static const char *const names[] = {
        [SHAPE_NOTHING] = "nothing",    [SHAPE_STRING] = "a string",
        [SHAPE_BOOL] = "true or false", [SHAPE_INT] = "a whole number",
        [SHAPE_NUMBER] = "a number",    [SHAPE_ARRAY] = "an array",
        [SHAPE_MAP] = "an object",      [SHAPE_OBJECT] = "an object",
        [SHAPE_TAGGED] = "an object",   [SHAPE_EITHER] = "of another type",
        [SHAPE_OPAQUE] = "an object",   [SHAPE_DENIED] = "null",
    };
    assert((unsigned)s->kind < ARRAY_LEN(names));
    return names[s->kind];
}

static enum err refuse_type(struct place p, const struct shape *s)
{
    return refuse(p, ERR_MALFORMED, "this must be %s%s", type_name(s),
                  (s->flags & SHAPE_NULLABLE) != 0 ? " or null" : "");
}

/* Is `n` of `what` within the bounds?  A max of 0 is none. */
static enum err check_count(struct place p, const struct shape *s, size_t n,
                            const char *what)
{
    if ((int64_t)n < s->min)
        return refuse(p, ERR_MALFORMED, "this must have at least %lld %s",
                      (long long)s->min, what);
    if (s->max != 0 && (int64_t)n > s->max)
        return refuse(p, ERR_MALFORMED, "this may have at most %lld %s",
                      (long long)s->max, what);
    return ERR_OK;
}

static bool has_word(const char *const *words, struct str s)
{
    for (; *words != NULL; words++) {
        if (str_eq(str_from(*words), s))
            return true;
    }
    return false;
}

static enum err check_string(struct place p, const struct shape *s,
                             const struct json *v)
{
    struct str text;
    if (!json_str(v, &text))
        return refuse_type(p, s);
    if ((s->flags & SHAPE_TEXT) != 0)
        p.w->text_bytes += (int64_t)text.len;
    if (s->words != NULL && !has_word(s->words, text) && !allowed(p))
        return refuse_unknown(p, "value");
    enum err e = check_count(p, s, text.len, "bytes");
    if (e != ERR_OK || s->check == NULL)
        return e;
    const char *why = NULL;
    e = s->check(text, &why);
    return e == ERR_OK ? ERR_OK : refuse(p, e, "%s", why);
}

static enum err check_bool(struct place p, const struct shape *s,
                           const struct json *v)
{
    bool b;
    if (!json_bool(v, &b))
        return refuse_type(p, s);
    return b && s->why != NULL ? refuse(p, ERR_DENIED, "%s", s->why) : ERR_OK;
}

static enum err check_number(struct place p, const struct shape *s,
                             const struct json *v)
{
    int64_t whole;
    double d;
    bool fits = false;
    if (s->kind == SHAPE_INT) {
        if (!json_i64(v, &whole))
            return refuse_type(p, s);
        fits = whole >= s->min && whole <= s->max;
    } else {
        if (!json_f64(v, &d))
            return refuse_type(p, s);
        fits = d >= (double)s->min && d <= (double)s->max;
    }
    if (fits)
        return ERR_OK;
    return refuse(p, ERR_MALFORMED, "this must be from %lld to %lld",
                  (long long)s->min, (long long)s->max);
}

static enum err check_array(struct place p, const struct shape *s,
                            const struct json *v)
{
    if (json_type(v) != JSON_ARRAY)
        return refuse_type(p, s);
    enum err e = check_count(p, s, json_count(v), "elements");
    struct step here = {.up = p.at, .is_index = true};
    struct json_iter it = json_each(v);
    const struct json *item;
    for (; e == ERR_OK && json_next(&it, NULL, &item); here.index++)
        e = check((struct place){p.w, &here}, s->of, item);
    return e;
}

static enum err check_map(struct place p, const struct shape *s,
                          const struct json *v)
{
    if (json_type(v) != JSON_OBJECT)
        return refuse_type(p, s);
    enum err e = check_count(p, s, json_count(v), "members");
    struct step here = {.up = p.at};
    struct json_iter it = json_each(v);
    const struct json *item;
    while (e == ERR_OK && json_next(&it, &here.name, &item))
        e = check((struct place){p.w, &here}, s->of, item);
    return e;
}

/* The row called `name`; its number in *ret_at. */
static const struct shape_row *find(const struct shape_row *rows,
                                    struct str name, unsigned *ret_at)
{
    for (unsigned i = 0; rows[i].shape != NULL && name.len > 0; i++) {
        /* Names hold no NUL, so this ends at the shorter one.  The first
         * byte nearly always tells. */
        if (rows[i].name[0] == name.ptr[0] &&
            strncmp(rows[i].name, name.ptr, name.len) == 0 &&
            rows[i].name[name.len] == '\0') {
            *ret_at = i;
            return &rows[i];
        }
    }
    return NULL;
}

static enum err check_object(struct place p, const struct shape *s,
                             const struct json *v)
{
    if (json_type(v) != JSON_OBJECT)
        return refuse_type(p, s);
    uint64_t seen = 0;
    struct step here = {.up = p.at};
    struct place inner = {p.w, &here};
    struct json_iter it = json_each(v);
    const struct json *item;
    while (json_next(&it, &here.name, &item)) {
        unsigned at = 0;
        const struct shape_row *row = find(s->rows, here.name, &at);
        if (row == NULL && !allowed(inner))
            return refuse_unknown(inner, "field");
        enum err e = row == NULL ? ERR_OK : check(inner, row->shape, item);
        if (e != ERR_OK)
            return e;
        seen |= row == NULL ? 0 : UINT64_C(1) << at;
    }
    for (unsigned i = 0; s->rows[i].shape != NULL; i++) {
        assert(i < 64);
        if (!s->rows[i].required || (seen & (UINT64_C(1) << i)) != 0)
            continue;
        here.name = str_from(s->rows[i].name);
        return refuse(inner, ERR_MALFORMED, "this field is missing");
    }
    return ERR_OK;
}

static enum err check_tagged(struct place p, const struct shape *s,
                             const struct json *v)
{
    if (json_type(v) != JSON_OBJECT)
        return refuse_type(p, s);
    struct step here = {.up = p.at, .name = str_from(s->tag)};
    struct place inner = {p.w, &here};
    const struct json *tag = json_get(v, here.name);
    struct str word;
    unsigned at;
    if (tag == NULL)
        return refuse(inner, ERR_MALFORMED, "this field is missing");
    if (!json_str(tag, &word))
        return refuse(inner, ERR_MALFORMED, "this must be a string");
    const struct shape_row *row = find(s->rows, word, &at);
    if (row == NULL)
        return refuse(inner, ERR_UNKNOWN_FIELD,
                      "the gateway does not know this %s", s->tag);
    if (row->shape->kind == SHAPE_DENIED)
        return refuse(inner, ERR_DENIED, "%s", row->shape->why);
    return check(p, row->shape, v);
}

static enum err check_either(struct place p, const struct shape *s,
                             const struct json *v)
{
    enum json_type type = json_type(v);
    const struct shape *last = s->rows[0].shape;
    assert(last != NULL);
    for (const struct shape_row *row = s->rows; row->shape != NULL; row++) {
        last = row->shape;
        if (type_of(last) == type || last->kind == SHAPE_DENIED)
            return check(p, last, v);
    }
    /* Tables have two or three. */
    return refuse(p, ERR_MALFORMED, "this must be %s or %s%s",
                  type_name(s->rows[0].shape), type_name(last),
                  (s->flags & SHAPE_NULLABLE) != 0 ? " or null" : "");
}

/* Bytes of all names and strings; for what is not read but sent. */
static int64_t text_in(const struct json *v)
{
    int64_t bytes = 0;
    struct str s;
    if (json_str(v, &s))
        return (int64_t)s.len;
    struct json_iter it = json_each(v);
    const struct json *item;
    while (json_next(&it, &s, &item))
        bytes += (int64_t)s.len + text_in(item);
    return bytes;
}

static enum err check_opaque(struct place p, const struct shape *s,
                             const struct json *v)
{
    if (json_type(v) != JSON_OBJECT)
        return refuse_type(p, s);
    if ((s->flags & SHAPE_TEXT) != 0)
        p.w->text_bytes += text_in(v);
    return ERR_OK;
}

static enum err check(struct place p, const struct shape *s,
                      const struct json *v)
{
    if ((s->flags & SHAPE_TOKEN) != 0)
        p.w->text_bytes += SHAPE_BYTES_PER_TOKEN;
    if (json_type(v) == JSON_NULL &&
        ((s->flags & SHAPE_NULLABLE) != 0 || s->kind == SHAPE_DENIED))
        return ERR_OK;
    switch (s->kind) {
    case SHAPE_STRING:
        return check_string(p, s, v);
    case SHAPE_BOOL:
        return check_bool(p, s, v);
    case SHAPE_INT:
    case SHAPE_NUMBER:
        return check_number(p, s, v);
    case SHAPE_ARRAY:
        return check_array(p, s, v);
    case SHAPE_MAP:
        return check_map(p, s, v);
    case SHAPE_OBJECT:
        return check_object(p, s, v);
    case SHAPE_TAGGED:
        return check_tagged(p, s, v);
    case SHAPE_EITHER:
        return check_either(p, s, v);
    case SHAPE_OPAQUE:
        return check_opaque(p, s, v);
    case SHAPE_DENIED:
        return refuse(p, ERR_DENIED, "%s", s->why);
    case SHAPE_NOTHING:
        break;
    }
    return refuse_unknown(p, "field");
}

enum err shape_check(struct shape_walk *w, const struct shape *s,
                     const struct json *v)
{
    w->text_bytes = 0;
    return check((struct place){w, NULL}, s, v);
}
