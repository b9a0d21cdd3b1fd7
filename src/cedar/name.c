/* name.c - see name.h. */
#include "cedar/name.h"

#include "base/attr.h"

bool name_is_reserved(struct str word)
{
    static const struct str reserved[] = {
        STR_INIT("in"),      STR_INIT("is"),   STR_INIT("if"),
        STR_INIT("has"),     STR_INIT("like"), STR_INIT("then"),
        STR_INIT("else"),    STR_INIT("true"), STR_INIT("false"),
        STR_INIT("__cedar"),
    };
    if (word.len < 2 || word.len > 7)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (str_eq(word, reserved[i]))
            return true;
    return false;
}
