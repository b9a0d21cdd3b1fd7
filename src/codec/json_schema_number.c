/* json_schema_number.c - the keywords of numbers; see json_schema.h. */
#include "codec/json_schema_check.h"
#include "codec/json_schema_compiler.h"

static enum err compile_limit(struct json_schema_compiler *c,
                              const struct json_schema_node *n,
                              enum json_schema_keyword k, bool *ret_has,
                              struct decimal *ret)
{
    const struct json *v = json_schema_compile_get(n, k);
    struct str text;
    if (v == NULL)
        return ERR_OK;
    if (!json_number(v, &text))
        return json_schema_compile_failed(c, ERR_MALFORMED, k, v,
                                          "must be a number");
    *ret = decimal_read(text);
    *ret_has = true;
    return ERR_OK;
}

static enum err compile_unit(struct json_schema_compiler *c,
                             const struct json_schema_node *n,
                             struct json_schema_numbers *numbers)
{
    struct decimal *unit = &numbers->unit;
    enum err e = compile_limit(c, n, KW_MULTIPLE_OF, &numbers->has_unit, unit);
    if (e != ERR_OK || !numbers->has_unit)
        return e;
    const struct json *v = json_schema_compile_get(n, KW_MULTIPLE_OF);
    if (unit->digits == 0 || unit->is_negative)
        return json_schema_compile_failed(c, ERR_MALFORMED, KW_MULTIPLE_OF, v,
                                          "must be above 0");
    if (unit->digits > DECIMAL_UNIT_DIGITS)
        return json_schema_compile_failed(c, ERR_UNSUPPORTED, KW_MULTIPLE_OF, v,
                                          "more than 18 digits");
    return ERR_OK;
}

enum err json_schema_number_compile(struct json_schema_compiler *c,
                                    struct json_schema_node *n)
{
    struct json_schema_numbers *to =
        COMPILE_NEW(c, struct json_schema_numbers, 1);
    if (to == NULL)
        return ERR_LIMIT;
    enum err e =
        compile_limit(c, n, KW_MINIMUM, &to->has_minimum, &to->minimum);
    if (e == ERR_OK)
        e = compile_limit(c, n, KW_MAXIMUM, &to->has_maximum, &to->maximum);
    if (e == ERR_OK)
        e = compile_limit(c, n, KW_EXCLUSIVE_MINIMUM, &to->has_above,
                          &to->above);
    if (e == ERR_OK)
        e = compile_limit(c, n, KW_EXCLUSIVE_MAXIMUM, &to->has_below,
                          &to->below);
    if (e == ERR_OK)
        e = compile_unit(c, n, to);
    n->numbers = to;
    return e;
}

bool json_schema_number_check(struct json_schema_check *k,
                              const struct json_schema_node *n,
                              const struct json *v)
{
    const struct json_schema_numbers *limits = n->numbers;
    struct str text;
    if (!json_number(v, &text))
        return true;
    if (!json_schema_spend(k, 1 + text.len / 16))
        return false;
    struct decimal d = decimal_read(text);
    if (limits->has_minimum && decimal_compare(d, limits->minimum) < 0)
        return json_schema_no(k, KW_MINIMUM, n, v);
    if (limits->has_maximum && decimal_compare(d, limits->maximum) > 0)
        return json_schema_no(k, KW_MAXIMUM, n, v);
    if (limits->has_above && decimal_compare(d, limits->above) <= 0)
        return json_schema_no(k, KW_EXCLUSIVE_MINIMUM, n, v);
    if (limits->has_below && decimal_compare(d, limits->below) >= 0)
        return json_schema_no(k, KW_EXCLUSIVE_MAXIMUM, n, v);
    if (limits->has_unit && !decimal_is_multiple(d, limits->unit))
        return json_schema_no(k, KW_MULTIPLE_OF, n, v);
    return true;
}
