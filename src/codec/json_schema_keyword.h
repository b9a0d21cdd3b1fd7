/*
 * json_schema_keyword.h - the keywords that are known; for json_schema*.c only.
 */
#ifndef CODEC_JSON_SCHEMA_KEYWORD_H
#define CODEC_JSON_SCHEMA_KEYWORD_H

/* In the order of their bytes.  X(id, name, group, dialects that know it) */
/* clang-format off */
#define JSON_SCHEMA_KEYWORDS(X)                                                \
    X(ANCHOR,                "$anchor",               CORE,    2020)           \
    X(DEFS,                  "$defs",                 CORE,    ANY)            \
    X(DYNAMIC_ANCHOR,        "$dynamicAnchor",        REFUSED, ANY)            \
    X(DYNAMIC_REF,           "$dynamicRef",           REFUSED, ANY)            \
    X(ID,                    "$id",                   CORE,    ANY)            \
    X(RECURSIVE_ANCHOR,      "$recursiveAnchor",      REFUSED, ANY)            \
    X(RECURSIVE_REF,         "$recursiveRef",         REFUSED, ANY)            \
    X(REF,                   "$ref",                  LOGIC,   ANY)            \
    X(SCHEMA,                "$schema",               CORE,    ANY)            \
    X(VOCABULARY,            "$vocabulary",           REFUSED, ANY)            \
    X(ADDITIONAL_ITEMS,      "additionalItems",       ARRAY,   ANY)            \
    X(ADDITIONAL_PROPERTIES, "additionalProperties",  OBJECT,  ANY)            \
    X(ALL_OF,                "allOf",                 LOGIC,   ANY)            \
    X(ANY_OF,                "anyOf",                 LOGIC,   ANY)            \
    X(CONST,                 "const",                 VALUE,   ANY)            \
    X(CONTAINS,              "contains",              ARRAY,   ANY)            \
    X(DEFINITIONS,           "definitions",           CORE,    ANY)            \
    X(DEPENDENCIES,          "dependencies",          OBJECT,  ANY)            \
    X(DEPENDENT_REQUIRED,    "dependentRequired",     OBJECT,  2020)           \
    X(DEPENDENT_SCHEMAS,     "dependentSchemas",      OBJECT,  2020)           \
    X(ELSE,                  "else",                  LOGIC,   ANY)            \
    X(ENUM,                  "enum",                  VALUE,   ANY)            \
    X(EXCLUSIVE_MAXIMUM,     "exclusiveMaximum",      NUMBER,  ANY)            \
    X(EXCLUSIVE_MINIMUM,     "exclusiveMinimum",      NUMBER,  ANY)            \
    X(IF,                    "if",                    LOGIC,   ANY)            \
    X(ITEMS,                 "items",                 ARRAY,   ANY)            \
    X(MAX_CONTAINS,          "maxContains",           ARRAY,   2020)           \
    X(MAX_ITEMS,             "maxItems",              ARRAY,   ANY)            \
    X(MAX_LENGTH,            "maxLength",             STRING,  ANY)            \
    X(MAX_PROPERTIES,        "maxProperties",         OBJECT,  ANY)            \
    X(MAXIMUM,               "maximum",               NUMBER,  ANY)            \
    X(MIN_CONTAINS,          "minContains",           ARRAY,   2020)           \
    X(MIN_ITEMS,             "minItems",              ARRAY,   ANY)            \
    X(MIN_LENGTH,            "minLength",             STRING,  ANY)            \
    X(MIN_PROPERTIES,        "minProperties",         OBJECT,  ANY)            \
    X(MINIMUM,               "minimum",               NUMBER,  ANY)            \
    X(MULTIPLE_OF,           "multipleOf",            NUMBER,  ANY)            \
    X(NOT,                   "not",                   LOGIC,   ANY)            \
    X(ONE_OF,                "oneOf",                 LOGIC,   ANY)            \
    X(PATTERN,               "pattern",               STRING,  ANY)            \
    X(PATTERN_PROPERTIES,    "patternProperties",     OBJECT,  ANY)            \
    X(PREFIX_ITEMS,          "prefixItems",           ARRAY,   2020)           \
    X(PROPERTIES,            "properties",            OBJECT,  ANY)            \
    X(PROPERTY_NAMES,        "propertyNames",         OBJECT,  ANY)            \
    X(REQUIRED,              "required",              OBJECT,  ANY)            \
    X(THEN,                  "then",                  LOGIC,   ANY)            \
    X(TYPE,                  "type",                  VALUE,   ANY)            \
    X(UNEVALUATED_ITEMS,     "unevaluatedItems",      ARRAY,   2020)           \
    X(UNEVALUATED_PROPERTIES,"unevaluatedProperties", OBJECT,  2020)           \
    X(UNIQUE_ITEMS,          "uniqueItems",           ARRAY,   ANY)
/* clang-format on */

enum json_schema_keyword {
#define X(id, name, group, dialects) KW_##id,
    JSON_SCHEMA_KEYWORDS(X)
#undef X
        KW_COUNT,
    KW_NONE = KW_COUNT /* a schema that is false */
};

/* The groups, as bits; a file each. */
enum json_schema_group {
    GROUP_CORE = 1,
    GROUP_REFUSED = 2,
    GROUP_VALUE = 4,
    GROUP_NUMBER = 8,
    GROUP_STRING = 16,
    GROUP_ARRAY = 32,
    GROUP_OBJECT = 64,
    GROUP_LOGIC = 128,
};

const char *json_schema_keyword_name(enum json_schema_keyword k);

#endif
