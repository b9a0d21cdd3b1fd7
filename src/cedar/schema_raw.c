/* schema_raw.c - see schema_raw.h. */
#include "cedar/schema_raw.h"

#include <stdarg.h>
#include <stdio.h>

bool schema_raw_fail(struct schema_raw *s, size_t offset, const char *format,
                     ...)
{
    char text[sizeof(((struct cedar_error *)0)->text)];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    errors_add(s->errors, s->text, offset, "%s", text);
    if (s->err == ERR_OK)
        s->err = ERR_MALFORMED;
    return false;
}

bool schema_raw_no_memory(struct schema_raw *s)
{
    errors_add(s->errors, (struct str){0}, 0,
               "the schema needs more memory than it may have");
    s->err = ERR_LIMIT;
    return false;
}

bool schema_raw_join(struct arena *a, struct str space, struct str name,
                     struct str *ret)
{
    if (space.len == 0) {
        *ret = name;
        return true;
    }
    size_t len = space.len + 2 + name.len;
    char *text = arena_alloc_raw(a, len);
    if (text == NULL)
        return false;
    memcpy(text, space.ptr, space.len);
    text[space.len] = ':';
    text[space.len + 1] = ':';
    memcpy(text + space.len + 2, name.ptr, name.len);
    *ret = (struct str){text, len};
    return true;
}

bool schema_raw_is_taken(struct str name)
{
    static const struct str taken[] = {
        STR_INIT("Bool"), STR_INIT("Boolean"), STR_INIT("Entity"),
        STR_INIT("Long"), STR_INIT("Record"),  STR_INIT("Extension"),
        STR_INIT("Set"),  STR_INIT("String"),
    };
    for (size_t i = 0; i < ARRAY_LEN(taken); i++)
        if (str_eq(name, taken[i]))
            return true;
    return false;
}

enum type_kind schema_raw_simple(struct str name)
{
    static const struct {
        struct str name;
        enum type_kind kind;
    } simple[] = {
        {STR_INIT("Bool"), TYPE_BOOL},
        {STR_INIT("Long"), TYPE_LONG},
        {STR_INIT("String"), TYPE_STRING},
        {STR_INIT("ipaddr"), TYPE_IP},
        {STR_INIT("decimal"), TYPE_DECIMAL},
        {STR_INIT("datetime"), TYPE_DATETIME},
        {STR_INIT("duration"), TYPE_DURATION},
    };
    for (size_t i = 0; i < ARRAY_LEN(simple); i++)
        if (str_eq(name, simple[i].name))
            return simple[i].kind;
    return TYPE_UNKNOWN;
}
