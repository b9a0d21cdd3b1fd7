/* cedar_uid.c - see cedar_value.h. */
#include "cedar/cedar_value.h"
#include "cedar/name.h"
#include "cedar/value.h"

struct cedar_uid cedar_uid_make(struct str type, struct str id)
{
    uint64_t hash = value_hash(id) + (value_hash(type) << 7 | 1);
    return (struct cedar_uid){type, id, hash * 0x9E3779B97F4A7C15};
}

bool cedar_uid_equal(const struct cedar_uid *a, const struct cedar_uid *b)
{
    return a == b || (a->hash == b->hash && str_eq(a->id, b->id) &&
                      str_eq(a->type, b->type));
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
