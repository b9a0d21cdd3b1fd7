/* body.c - see body.h. */
#include "admin/body.h"

#include <assert.h>

#include "base/limits.h"
#include "base/text.h"
#include "codec/json.h"

static bool read_text(const struct json *v, struct str *to)
{
    struct str s;
    if (!json_str(v, &s) || s.len > BODY_TEXT_MAX)
        return false;
    *to = s;
    return true;
}

static bool read_texts(const struct json *v, struct body_texts *to)
{
    struct json_iter it = json_each(v);
    const struct json *element;
    struct body_texts read = {.count = 0};

    if (json_type(v) == JSON_STRING) {
        read.count = 1;
        if (!read_text(v, &read.at[0]))
            return false;
    } else if (json_type(v) != JSON_ARRAY) {
        return false;
    }
    while (json_type(v) == JSON_ARRAY && json_next(&it, NULL, &element)) {
        if (read.count == BODY_TEXTS_MAX ||
            !read_text(element, &read.at[read.count]))
            return false;
        read.count++;
    }
    *to = read;
    return true;
}

static const char *read_field(const struct body_field *f, const struct json *v)
{
    switch (f->type) {
    case BODY_TEXT:
        return read_text(v, f->to) ? NULL
                                   : "expected a text of at most 1024 bytes";
    case BODY_TEXTS:
        return read_texts(v, f->to) ? NULL
                                    : "expected at most 16 texts of at most "
                                      "1024 bytes";
    case BODY_FLAG:
        return json_bool(v, f->to) ? NULL : "expected true or false";
    }
    return "unknown type";
}

static bool is_missing(const struct json *v)
{
    return json_type(v) == JSON_NONE ||
           (json_type(v) == JSON_STRING && json_is_string(v, STR("")));
}

static enum err fail(struct body_problem *to, enum err e, const char *detail,
                     struct str param)
{
    *to = (struct body_problem){detail, param};
    return e;
}

/* As much of a name as a problem needs, cut at a character. */
static struct str shown(struct str name)
{
    size_t n = 0;
    while (n < name.len) {
        size_t len = text_utf8_len(str_skip(name, n));
        if (len == 0 || n + len > NAME_MAX_LEN)
            break;
        n += len;
    }
    return str_first(name, n);
}

static enum err read_members(const struct json *v,
                             const struct body_field *fields, size_t n,
                             struct body_problem *problem)
{
    struct json_iter it = json_each(v);
    const struct json *value;
    struct str name;

    while (json_next(&it, &name, &value)) {
        size_t i = 0;
        while (i < n && !str_eq(fields[i].name, name))
            i++;
        if (i == n)
            return fail(problem, ERR_UNKNOWN_FIELD,
                        "this endpoint knows no such member", shown(name));
        const char *why = read_field(&fields[i], value);
        if (why != NULL)
            return fail(problem, ERR_MALFORMED, why, fields[i].name);
    }
    return ERR_OK;
}

enum err body_read(struct arena *a, struct str text,
                   const struct body_field *fields, size_t n,
                   struct body_problem *ret_problem)
{
    const struct json *v = NULL;
    struct json_error why = {0, NULL};
    const struct str none = {NULL, 0};

    assert(n <= BODY_FIELDS_MAX);
    enum err e = text.len == 0 ? ERR_OK : json_read(a, text, &v, &why);
    if (e != ERR_OK)
        return fail(ret_problem, e, why.what, none);
    if (text.len > 0 && json_type(v) != JSON_OBJECT)
        return fail(ret_problem, ERR_MALFORMED, "expected a JSON object", none);
    e = read_members(v, fields, n, ret_problem);
    if (e != ERR_OK)
        return e;
    for (size_t i = 0; i < n; i++) {
        if (fields[i].required && is_missing(json_get(v, fields[i].name)))
            return fail(ret_problem, ERR_MALFORMED, "this member is missing",
                        fields[i].name);
    }
    return ERR_OK;
}
