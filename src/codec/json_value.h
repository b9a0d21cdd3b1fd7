/*
 * json_value.h - what a struct json is; for json*.c only.
 *
 * A value is a yyjson_val of a document that was read with
 * YYJSON_READ_NUMBER_AS_RAW, so a number is its text.  Values of a document
 * lie in one array in document order, a container before its members.
 */
#ifndef CODEC_JSON_VALUE_H
#define CODEC_JSON_VALUE_H

#include <yyjson.h>

#include "codec/json.h"

/* yyjson reads through pointers to non-const; ours are const. */
static inline yyjson_val *json_value(const struct json *v)
{
    union {
        const struct json *ours;
        yyjson_val *theirs;
    } p = {v};
    return p.theirs;
}

static inline const struct json *json_of_value(const yyjson_val *v)
{
    union {
        const yyjson_val *theirs;
        const struct json *ours;
    } p = {v};
    return p.ours;
}

/* The text of a string or a number. */
static inline struct str json_value_text(const yyjson_val *v)
{
    return (struct str){v->uni.str, v->tag >> YYJSON_TAG_BIT};
}

/* True when nothing in this string was escaped, so nothing has to be. */
static inline bool json_value_is_plain(const yyjson_val *v)
{
    return (v->tag & YYJSON_SUBTYPE_MASK) == YYJSON_SUBTYPE_NOESC;
}

/* The value after `v` and all that is inside it. */
static inline const yyjson_val *json_value_next(const yyjson_val *v)
{
    uint8_t type = (uint8_t)(v->tag & YYJSON_TYPE_MASK);
    if (type != YYJSON_TYPE_ARR && type != YYJSON_TYPE_OBJ)
        return v + 1;
    return (const yyjson_val *)(const void *)((const char *)v + v->uni.ofs);
}

#endif
