/* form.c - see form.h. */
#include "mcp/form.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "mcp/message.h"

enum {
    PATH_DEPTH = 24,    /* deeper than any table; asserted */
    PATH_NAME_MAX = 64, /* bytes shown of one name */
    TEXT_MAX = 1024     /* bytes of a pointer or a sentence */
};

/* Where in the document: a list on the stack, innermost first. */
struct step {
    const struct step *up;
    struct str name; /* of a member */
    size_t index;    /* the place in an array, when is_index */
    bool is_index;
};

struct walk {
    struct arena *a;
    enum revision revision;
    struct str under;
    struct fault *ret_fault;
};

struct place {
    const struct walk *w;
    const struct step *at; /* NULL: the value itself */
};

static enum err check(struct place p, const struct form *f,
                      const struct json *v);

/* As much of a name as is shown, whole characters only, as RFC 6901 says. */
static void write_name(struct buf *to, struct str name)
{
    for (size_t n = 0; n < name.len;) {
        size_t len = text_utf8_len(str_skip(name, n));
        if (len == 0 || n + len > PATH_NAME_MAX)
            break;
        if (name.ptr[n] == '~')
            (void)BUF_LIT(to, "~0");
        else if (name.ptr[n] == '/')
            (void)BUF_LIT(to, "~1");
        else
            (void)buf_add(to, (struct str){name.ptr + n, len});
        n += len;
    }
}

static void write_pointer(struct buf *to, struct str under,
                          const struct step *at)
{
    const struct step *steps[PATH_DEPTH];
    size_t n = 0;
    for (; at != NULL; at = at->up) {
        assert(n < PATH_DEPTH);
        steps[n++] = at;
    }
    (void)buf_add(to, under);
    while (n-- > 0) {
        (void)buf_add_char(to, '/');
        if (steps[n]->is_index)
            (void)buf_add_u64(to, steps[n]->index);
        else
            write_name(to, steps[n]->name);
    }
}

enum err form_refuse(struct arena *a, enum err e, struct str pointer,
                     struct str text, struct fault *ret_fault)
{
    struct fault f = {.err = e, .code = FAULT_PARAMS};
    if (!arena_copy(a, pointer, &f.pointer))
        f.pointer = (struct str){NULL, 0};
    if (text.len == 0 || !arena_copy(a, text, &f.text))
        f.text = str_from(err_text(e));
    *ret_fault = f;
    return e;
}

static enum err refuse(struct place p, enum err e, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

static enum err refuse(struct place p, enum err e, const char *fmt, ...)
{
    char room[TEXT_MAX];
    char text[TEXT_MAX];
    struct buf pointer;
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    bool fits = n > 0 && (size_t)n < sizeof(text);

    buf_init_lent(&pointer, room, sizeof(room));
    write_pointer(&pointer, p.w->under, p.at);
    return form_refuse(p.w->a, e,
                       buf_ok(&pointer) ? buf_str(&pointer) : p.w->under,
                       (struct str){text, fits ? (size_t)n : 0},
                       p.w->ret_fault);
}

static enum err refuse_type(struct place p, const char *what)
{
    return refuse(p, ERR_MALFORMED, "this must be %s", what);
}

/* Is `n` of `what` within the bounds?  A max of 0 is none. */
static enum err check_count(struct place p, const struct form *f, size_t n,
                            const char *what)
{
    if ((int64_t)n < f->min)
        return refuse(p, ERR_MALFORMED, "this must have at least %lld %s",
                      (long long)f->min, what);
    if (f->max != 0 && (int64_t)n > f->max)
        return refuse(p, ERR_LIMIT, "this may have at most %lld %s",
                      (long long)f->max, what);
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

static enum err check_string(struct place p, const struct form *f,
                             const struct json *v)
{
    struct str text;
    const char *why = NULL;
    if (!json_str(v, &text))
        return refuse_type(p, "a string");
    if (f->words != NULL && !has_word(f->words, text))
        return refuse(p, ERR_UNKNOWN_FIELD,
                      "the gateway does not know this value");
    enum err e = check_count(p, f, text.len, "bytes");
    if (e == ERR_OK && f->check != NULL && !f->check(text, &why))
        e = refuse(p, ERR_MALFORMED, "%s", why);
    return e;
}

static enum err check_number(struct place p, const struct form *f,
                             const struct json *v)
{
    int64_t whole = 0;
    double d = 0;
    bool is_int = f->kind == FORM_INT;
    if (is_int ? !json_i64(v, &whole) : !json_f64(v, &d))
        return refuse_type(p, is_int ? "a whole number" : "a number");
    if (f->min == 0 && f->max == 0)
        return ERR_OK;
    if (is_int ? whole >= f->min && whole <= f->max
               : d >= (double)f->min && d <= (double)f->max)
        return ERR_OK;
    return refuse(p, ERR_MALFORMED, "this must be from %lld to %lld",
                  (long long)f->min, (long long)f->max);
}

static enum err check_array(struct place p, const struct form *f,
                            const struct json *v)
{
    if (json_type(v) != JSON_ARRAY)
        return refuse_type(p, "an array");
    enum err e = check_count(p, f, json_count(v), "elements");
    struct step here = {.up = p.at, .is_index = true};
    struct json_iter it = json_each(v);
    const struct json *item;
    for (; e == ERR_OK && json_next(&it, NULL, &item); here.index++)
        e = check((struct place){p.w, &here}, f->of, item);
    return e;
}

static enum err check_map(struct place p, const struct form *f,
                          const struct json *v)
{
    if (json_type(v) != JSON_OBJECT)
        return refuse_type(p, "an object");
    enum err e = check_count(p, f, json_count(v), "members");
    struct step here = {.up = p.at};
    struct json_iter it = json_each(v);
    const struct json *item;
    while (e == ERR_OK && json_next(&it, &here.name, &item))
        e = check((struct place){p.w, &here}, f->of, item);
    return e;
}

/* The row called `name` in this revision; its number in *ret_at. */
static const struct form_row *find(struct place p, const struct form *f,
                                   struct str name, unsigned *ret_at)
{
    for (unsigned i = 0; f->rows != NULL && f->rows[i].form != NULL; i++) {
        if (f->rows[i].since <= p.w->revision && name.len > 0 &&
            str_eq(str_from(f->rows[i].name), name)) {
            *ret_at = i;
            return &f->rows[i];
        }
    }
    return NULL;
}

/* OBJECT and OPEN. */
static enum err check_members(struct place p, const struct form *f,
                              const struct json *v)
{
    if (json_type(v) != JSON_OBJECT)
        return refuse_type(p, "an object");
    uint64_t seen = 0;
    struct step here = {.up = p.at};
    struct place inner = {p.w, &here};
    struct json_iter it = json_each(v);
    const struct json *item;
    while (json_next(&it, &here.name, &item)) {
        unsigned at = 0;
        const struct form_row *row = find(p, f, here.name, &at);
        if (row == NULL && f->kind == FORM_OPEN)
            continue;
        if (row == NULL)
            return refuse(inner, ERR_UNKNOWN_FIELD,
                          "the gateway does not know this member");
        enum err e = check(inner, row->form, item);
        if (e != ERR_OK)
            return e;
        seen |= UINT64_C(1) << at;
    }
    for (unsigned i = 0; f->rows != NULL && f->rows[i].form != NULL; i++) {
        assert(i < 64);
        if (!f->rows[i].is_required || (seen & (UINT64_C(1) << i)) != 0)
            continue;
        here.name = str_from(f->rows[i].name);
        return refuse(inner, ERR_MALFORMED, "this member is missing");
    }
    return ERR_OK;
}

/* Bytes of all names, strings and numbers; a byte for what has none. */
static int64_t text_in(const struct json *v)
{
    int64_t bytes = 1;
    struct str s;
    if (json_str(v, &s) || json_number(v, &s))
        return bytes + (int64_t)s.len;
    struct json_iter it = json_each(v);
    const struct json *item;
    while (json_next(&it, &s, &item))
        bytes += (int64_t)s.len + text_in(item);
    return bytes;
}

static enum err check_text(struct place p, const struct form *f,
                           const struct json *v)
{
    if (f->max != 0 && text_in(v) > f->max)
        return refuse(p, ERR_LIMIT, "this may hold at most %lld bytes",
                      (long long)f->max);
    return ERR_OK;
}

/* The row for an object without the tag, or NULL. */
static const struct form_row *untagged(struct place p, const struct form *f)
{
    for (const struct form_row *row = f->rows; row->form != NULL; row++) {
        if (row->name[0] == '\0' && row->since <= p.w->revision)
            return row;
    }
    return NULL;
}

static enum err check_tagged(struct place p, const struct form *f,
                             const struct json *v)
{
    if (json_type(v) != JSON_OBJECT)
        return refuse_type(p, "an object");
    struct step here = {.up = p.at, .name = str_from(f->tag)};
    struct place inner = {p.w, &here};
    const struct json *tag = json_get(v, here.name);
    const struct form_row *row = NULL;
    struct str word;
    unsigned at;
    if (tag == NULL)
        row = untagged(p, f);
    else if (!json_str(tag, &word))
        return refuse_type(inner, "a string");
    else
        row = find(p, f, word, &at);
    if (row == NULL && tag == NULL)
        return refuse(inner, ERR_MALFORMED, "this member is missing");
    if (row == NULL)
        return refuse(inner, ERR_UNKNOWN_FIELD,
                      "the gateway does not know this %s", f->tag);
    return check(p, row->form, v);
}

static enum err check(struct place p, const struct form *f,
                      const struct json *v)
{
    bool b;
    struct message_id id;
    enum err e = ERR_OK;
    switch (f->kind) {
    case FORM_STRING:
        return check_string(p, f, v);
    case FORM_BOOL:
        return json_bool(v, &b) ? ERR_OK : refuse_type(p, "true or false");
    case FORM_INT:
    case FORM_NUMBER:
        return check_number(p, f, v);
    case FORM_ID:
        return message_id_read(v, &id)
                   ? ERR_OK
                   : refuse_type(p, "a string of at most 256 bytes, or an "
                                    "integer that a double holds exactly");
    case FORM_PARTS:
        return json_type(v) == JSON_ARRAY ? check_array(p, f, v)
                                          : check(p, f->of, v);
    case FORM_ARRAY:
        return check_array(p, f, v);
    case FORM_MAP:
        return check_map(p, f, v);
    case FORM_OBJECT:
        return check_members(p, f, v);
    case FORM_OPEN:
        e = check_members(p, f, v);
        return e == ERR_OK ? check_text(p, f, v) : e;
    case FORM_ANY:
        return check_text(p, f, v);
    case FORM_TAGGED:
        return check_tagged(p, f, v);
    case FORM_DENIED:
        return refuse(p, ERR_UNSUPPORTED, "%s", f->why);
    case FORM_NOTHING:
        break;
    }
    return refuse(p, ERR_UNKNOWN_FIELD,
                  "the gateway does not know this member");
}

enum err form_check(struct arena *a, enum revision r, struct str under,
                    const struct form *f, const struct json *v,
                    struct fault *ret_fault)
{
    struct walk w = {a, r, under, ret_fault};
    return check((struct place){&w, NULL}, f, v);
}
