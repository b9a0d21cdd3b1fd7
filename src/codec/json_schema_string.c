/* json_schema_string.c - the keywords of strings; see json_schema.h. */
#include "codec/json_schema_check.h"
#include "codec/json_schema_compiler.h"

enum err json_schema_string_compile(struct json_schema_compiler *c,
                                    struct json_schema_node *n)
{
    struct json_schema_strings *to =
        COMPILE_NEW(c, struct json_schema_strings, 1);
    if (to == NULL)
        return ERR_LIMIT;
    to->max = UINT64_MAX;
    n->strings = to;
    enum err e = json_schema_compile_get_count(c, n, KW_MIN_LENGTH, &to->min);
    if (e == ERR_OK)
        e = json_schema_compile_get_count(c, n, KW_MAX_LENGTH, &to->max);
    const struct json *pattern = json_schema_compile_get(n, KW_PATTERN);
    struct str text;
    if (e != ERR_OK || pattern == NULL)
        return e;
    if (!json_str(pattern, &text))
        return json_schema_compile_failed(c, ERR_MALFORMED, KW_PATTERN, pattern,
                                          "must be a string");
    return json_schema_pattern_compile(c, KW_PATTERN, text, pattern,
                                       &to->pattern);
}

/* Code points of UTF-8: bytes that continue none. */
static uint64_t length(struct str s)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    return n;
}

bool json_schema_string_check(struct json_schema_check *k,
                              const struct json_schema_node *n,
                              const struct json *v)
{
    const struct json_schema_strings *limits = n->strings;
    struct str text;
    if (!json_str(v, &text))
        return true;
    if (limits->min > 0 || limits->max < text.len) {
        if (!json_schema_spend(k, 1 + text.len / 16))
            return false;
        uint64_t chars = length(text);
        if (chars < limits->min)
            return json_schema_no(k, KW_MIN_LENGTH, n, v);
        if (chars > limits->max)
            return json_schema_no(k, KW_MAX_LENGTH, n, v);
    }
    if (limits->pattern != NULL &&
        !json_schema_pattern_check(k, limits->pattern, text))
        return json_schema_no(k, KW_PATTERN, n, v);
    return true;
}
