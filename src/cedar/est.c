/* est.c - see est.h; places, and what most values need. */
#include "cedar/est.h"

#include <stdarg.h>
#include <stdio.h>

#include "cedar/errors.h"
#include "cedar/nearest.h"

/* Puts "/name" or "/3" before what ends at `end`; returns where it begins, or
 * `from` when there is no room left. */
static char *prepend(char *from, char *end, const struct est_place *place)
{
    char number[24];
    struct str name = place->name;
    if (name.ptr == NULL) {
        int n = snprintf(number, sizeof(number), "%zu", place->nth);
        name = (struct str){number, (size_t)n};
    }
    for (size_t i = name.len; i-- > 0;) {
        char c = name.ptr[i];
        bool is_escaped = c == '~' || c == '/';
        if (end - from < 3)
            return from;
        if (is_escaped)
            *--end = c == '~' ? '0' : '1';
        *--end = c;
        if (is_escaped)
            *end = '~';
        else if ((unsigned char)c < 0x20 || c == '\x7F')
            *end = '?';
    }
    if (end - from < 1)
        return from;
    *--end = '/';
    return end;
}

bool est_refuse(struct est *e, const char *format, ...)
{
    char why[120];
    char pointer[64];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    char *end = pointer + sizeof(pointer);
    char *at = end;
    for (const struct est_place *p = e->place; p != NULL && at > pointer;
         p = p->up)
        at = prepend(pointer, at, p);
    bool is_cut = at == pointer;
    if (is_cut) /* not in the middle of a character or a name */
        while (at < end && *at != '/')
            at++;
    errors_add(e->p.errors, e->text, est_offset(e->text, e->place),
               "%s%s%s%.*s", why, at < end ? " at " : "", is_cut ? "..." : "",
               (int)(end - at), at);
    if (e->p.err == ERR_OK)
        e->p.err = ERR_MALFORMED;
    return false;
}

bool est_inside(struct est *e, struct str name, size_t nth, est_fn *read,
                const struct json *json, void *to)
{
    struct est_place place = {.up = e->place, .name = name, .nth = nth};
    e->place = &place;
    bool ok = read(e, json, to);
    e->place = place.up;
    return ok;
}

/* The members that there are. */
struct fields {
    const struct est_field *known;
    size_t count;
};

static bool unknown_member(struct est *e, const struct json *json, void *to)
{
    const struct fields *fields = to;
    struct nearest n = nearest_to(e->place->name);
    (void)json;
    for (size_t i = 0; i < fields->count; i++)
        nearest_consider(&n, str_from(fields->known[i].name));
    if (n.found.len == 0)
        return est_refuse(e, "there is no such member");
    return est_refuse(e, "there is no such member; did you mean %.*s?",
                      STR_FMT(n.found));
}

bool est_fields(struct est *e, const struct json *json,
                const struct est_field *known, size_t count,
                struct est_object *ret)
{
    struct json_iter it = json_each(json);
    struct fields fields = {known, count};
    struct str name;
    const struct json *value;
    *ret = (struct est_object){.known = known};
    if (json_type(json) != JSON_OBJECT)
        return est_refuse(e, "expected an object");
    for (size_t nth = 0; json_next(&it, &name, &value); nth++) {
        size_t k = 0;
        while (k < count && !str_eq(name, str_from(known[k].name)))
            k++;
        if (k == count)
            return est_inside(e, name, nth, unknown_member, value, &fields);
        ret->values[k] = value;
        ret->nths[k] = nth;
    }
    for (size_t k = 0; k < count; k++)
        if (ret->values[k] == NULL && !known[k].is_optional)
            return est_refuse(e, "the member %s is missing", known[k].name);
    return true;
}

bool est_member(struct est *e, const struct est_object *object, size_t field,
                est_fn *read, void *to)
{
    return est_inside(e, str_from(object->known[field].name),
                      object->nths[field], read, object->values[field], to);
}

bool est_elements(struct est *e, const struct json *json, est_fn *read,
                  void *to)
{
    struct json_iter it = json_each(json);
    const struct json *value;
    if (json_type(json) != JSON_ARRAY)
        return est_refuse(e, "expected an array");
    for (size_t nth = 0; json_next(&it, NULL, &value); nth++)
        if (!est_inside(e, (struct str){0}, nth, read, value, to))
            return false;
    return true;
}

bool est_string(struct est *e, const struct json *json, void *to)
{
    struct str *ret = to;
    struct str text;
    if (!json_str(json, &text))
        return est_refuse(e, "expected a string");
    return arena_copy(&e->p.set->arena, text, ret) || parser_no_memory(&e->p);
}

/* Policy text has the same limit. */
static bool has_many_parts(struct str name)
{
    size_t colons = 0;
    for (size_t i = 0; i < name.len; i++)
        colons += name.ptr[i] == ':';
    return colons / 2 >= CEDAR_NAME_PARTS_MAX;
}

bool est_type(struct est *e, const struct json *json, void *to)
{
    struct str *ret = to;
    struct str text;
    if (!json_str(json, &text) || !cedar_uid_is_type(text))
        return est_refuse(e, "expected the name of a type");
    if (has_many_parts(text))
        return est_refuse(e, "a name has more than %d parts",
                          CEDAR_NAME_PARTS_MAX);
    return arena_copy(&e->p.set->arena, text, ret) || parser_no_memory(&e->p);
}

static bool inner_uid(struct est *e, const struct json *json, void *to)
{
    static const struct est_field known[] = {{"type", false}, {"id", false}};
    struct cedar_uid *ret = to;
    struct est_object o;
    struct str type;
    struct str id;
    if (!est_fields(e, json, known, ARRAY_LEN(known), &o) ||
        !est_member(e, &o, 0, est_type, &type) ||
        !est_member(e, &o, 1, est_string, &id))
        return false;
    *ret = cedar_uid_make(type, id);
    return true;
}

bool est_uid(struct est *e, const struct json *json, void *to)
{
    const struct json *inner = json_get(json, STR("__entity"));
    if (json_count(json) == 1 && inner != NULL)
        return est_inside(e, STR("__entity"), 0, inner_uid, inner, to);
    return inner_uid(e, json, to);
}
