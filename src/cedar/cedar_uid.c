/* cedar_uid.c - see cedar_value.h. */
#include "cedar/cedar_value.h"
#include "cedar/literal.h"
#include "cedar/name.h"
#include "cedar/value.h"
#include "cedar/value_json.h"

struct cedar_uid cedar_uid_make(struct str type, struct str id)
{
    uint64_t hash = value_hash(id) + (value_hash(type) << 7 | 1);
    return (struct cedar_uid){type, id, hash * 0x9E3779B97F4A7C15};
}

bool cedar_uid_is_type(struct str type)
{
    size_t at = 0;
    for (;;) {
        size_t start = at;
        while (at < type.len && name_is_part(type.ptr[at]))
            at++;
        struct str word = {type.ptr + start, at - start};
        if (word.len == 0 || name_is_digit(word.ptr[0]) ||
            name_is_reserved(word))
            return false;
        if (at == type.len)
            return true;
        if (type.len - at < 3 || type.ptr[at] != ':' || type.ptr[at + 1] != ':')
            return false;
        at += 2;
    }
}

/* Where a string literal that begins behind its first quote ends. */
static size_t find_quote(struct str text)
{
    size_t at = 0;
    while (at < text.len && text.ptr[at] != '"')
        at += text.ptr[at] == '\\' ? 2 : 1;
    return at;
}

enum err cedar_uid_read(struct arena *a, struct str text, struct cedar_uid *ret,
                        const char **ret_what)
{
    size_t quote = str_find(text, '"');
    struct str id = str_skip(text, quote + 1);
    *ret_what = "an entity is written Type::\"id\"";
    if (quote < 3 || text.ptr[quote - 1] != ':' || text.ptr[quote - 2] != ':' ||
        id.len == 0 || find_quote(id) != id.len - 1)
        return ERR_MALFORMED;
    struct str type = str_first(text, quote - 2);
    *ret_what = "an entity's type is not a name";
    if (!cedar_uid_is_type(type))
        return ERR_MALFORMED;
    size_t bad;
    *ret_what = "an entity's id has an unknown escape";
    enum err e = literal_string(a, str_first(id, id.len - 1), &id, &bad);
    if (e == ERR_OK)
        *ret = cedar_uid_make(type, id);
    return e;
}

enum err cedar_uid_json(const struct json *json, struct cedar_uid *ret,
                        const char **ret_what)
{
    return value_json_uid(json, ret, ret_what);
}
