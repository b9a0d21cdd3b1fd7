/* config_schema.c - see config_schema.h. */
#include "app/config_schema.h"

#include <assert.h>

#include "app/config_forms.h"
#include "app/config_table.h"
#include "app/config_units.h"
#include "base/limits.h"
#include "codec/json.h"

/* As config_forms_key() and num_duration_ms() read them. */
static const char name_pattern[] = "^[a-z0-9][a-z0-9_.-]*$";
static const struct {
    const char *pattern;
    size_t max;
} key_patterns[] = {
    [CONFIG_KEY_NAME] = {name_pattern, NAME_MAX_LEN},
    [CONFIG_KEY_SERVER] = {"^[a-z0-9](_?(-_?)*[a-z0-9])*$",
                           CONFIG_FORMS_SERVER_MAX},
    [CONFIG_KEY_ENV] = {"^[A-Za-z_][A-Za-z0-9_]*$", NAME_MAX_LEN},
    [CONFIG_KEY_TOOL] = {"^[A-Za-z0-9_.-]+$", NAME_MAX_LEN},
    [CONFIG_KEY_GLOB] = {"^[A-Za-z0-9_.*?-]+$", NAME_MAX_LEN},
};
static const char env_pattern[] = "\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}";

static void newline(struct buf *to, unsigned depth)
{
    buf_add_char(to, '\n');
    for (unsigned i = 0; i < depth; i++)
        BUF_LIT(to, "  ");
}

static void string(struct buf *to, const char *key, const char *text)
{
    buf_addf(to, ", \"%s\": ", key);
    json_write_str(to, str_from(text));
}

static void bounds(struct buf *to, const struct config_row *row)
{
    if (row->type == CONFIG_MICROS) {
        BUF_LIT(to, ", \"minimum\": ");
        config_units_value(to, row->type, row->min);
        BUF_LIT(to, ", \"maximum\": ");
        config_units_value(to, row->type, row->max);
        return;
    }
    buf_addf(to, ", \"minimum\": %lld, \"maximum\": %lld", (long long)row->min,
             (long long)row->max);
}

static void words(struct buf *to, const struct config_row *row)
{
    BUF_LIT(to, "\"enum\": [");
    for (size_t i = 0; row->words[i] != NULL; i++)
        buf_addf(to, "%s\"%s\"", i == 0 ? "" : ", ", row->words[i]);
    buf_add_char(to, ']');
}

static void pattern(struct buf *to, const char *text, size_t max)
{
    BUF_LIT(to, "\"type\": \"string\"");
    string(to, "pattern", text);
    if (max > 0)
        buf_addf(to, ", \"maxLength\": %zu", max);
}

/* Any text, by its length; false: the row is of another type. */
static bool text(struct buf *to, const struct config_row *row)
{
    int64_t min = 1;
    int64_t max = 0;
    if (row->type == CONFIG_STRING) {
        min = row->min;
        max = row->max;
    } else if (row->type == CONFIG_STRINGS) {
        max = (int64_t)NAME_MAX_LEN;
    } else if (row->type == CONFIG_PATH || row->type == CONFIG_PATHS) {
        max = 4095;
    } else if (row->type == CONFIG_ARGUMENTS) {
        min = 0;
        max = 4096;
    } else {
        return false;
    }
    buf_addf(to,
             "\"type\": \"string\", \"minLength\": %lld, "
             "\"maxLength\": %lld",
             (long long)min, (long long)max);
    return true;
}

/* The members of the schema of one scalar, without the reference to ${ENV}. */
static void scalar(struct buf *to, const struct config_row *row)
{
    if (text(to, row))
        return;
    switch (row->type) {
    case CONFIG_NAME:
    case CONFIG_REF:
    case CONFIG_NAMES:
    case CONFIG_FLAGS:
        if (row->words != NULL)
            words(to, row);
        else
            pattern(to, name_pattern, NAME_MAX_LEN);
        return;
    case CONFIG_ENV:
        pattern(to, "^[A-Za-z_][A-Za-z0-9_]*$", NAME_MAX_LEN);
        return;
    case CONFIG_DURATION:
        pattern(to, "^(0|[0-9]+(ms|s|m|h|d))$", 0);
        return;
    case CONFIG_BYTES:
        pattern(to, "^[0-9]+(KB|MB|GB)?$", 0);
        return;
    case CONFIG_INTEGER:
    case CONFIG_COUNT:
        BUF_LIT(to, "\"type\": \"integer\"");
        bounds(to, row);
        return;
    case CONFIG_MICROS:
        BUF_LIT(to, "\"type\": \"number\"");
        bounds(to, row);
        return;
    case CONFIG_BOOLEAN:
        if (row->words != NULL)
            words(to, row);
        else
            BUF_LIT(to, "\"type\": \"boolean\"");
        return;
    case CONFIG_ENUM:
        words(to, row);
        return;
    case CONFIG_STORE:
        pattern(to, "^(sqlite$|postgres(ql)?://)", 0);
        return;
    case CONFIG_ADDRESS:
        pattern(to, "^([0-9.]+|localhost|\\[[0-9a-fA-F:.]+\\]):[0-9]{1,5}$", 0);
        return;
    case CONFIG_URL:
    case CONFIG_ENDPOINT:
        pattern(to, "^https?://", 0);
        return;
    case CONFIG_POINTER:
        pattern(to, "^\\$(\\.[^.\\[\\]*]+)+$", (size_t)row->max);
        return;
    case CONFIG_ORIGINS:
        pattern(to, "^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]+$", 0);
        return;
    case CONFIG_HOSTS:
        pattern(to, "^([A-Za-z0-9_.-]+|\\[[0-9a-fA-F:.]+\\])$", 0);
        return;
    case CONFIG_STRING:
    case CONFIG_STRINGS:
    case CONFIG_PATH:
    case CONFIG_PATHS:
    case CONFIG_ARGUMENTS:
    case CONFIG_GROUP:
    case CONFIG_LIST:
    case CONFIG_MAP:
        break;
    }
    assert(false && "a type without a scalar");
}

/* A whole number may stand where a text of digits is read, and any scalar may
 * come from the environment. */
static void scalar_or_env(struct buf *to, const struct config_row *row)
{
    BUF_LIT(to, "\"anyOf\": [{");
    scalar(to, row);
    buf_add_char(to, '}');
    if (row->type == CONFIG_DURATION)
        BUF_LIT(to, ", {\"const\": 0}");
    if (row->type == CONFIG_BYTES) {
        BUF_LIT(to, ", {\"type\": \"integer\"");
        bounds(to, row);
        buf_add_char(to, '}');
    }
    BUF_LIT(to, ", {\"$ref\": \"#/$defs/env\"}]");
}

static void fallback(struct buf *to, const struct config_row *row)
{
    if (row->fallback == NULL)
        return;
    BUF_LIT(to, ", \"default\": ");
    bool boolean = row->type == CONFIG_BOOLEAN && row->words == NULL;
    if (row->type == CONFIG_INTEGER || boolean || row->type == CONFIG_COUNT ||
        row->type == CONFIG_MICROS)
        buf_add(to, str_from(row->fallback));
    else
        json_write_str(to, str_from(row->fallback));
}

static void keys(struct buf *to, const struct config_row *row, unsigned depth);
static void one_value(struct buf *to, const struct config_row *row,
                      unsigned depth);

static void described(struct buf *to, const struct config_row *row,
                      unsigned depth)
{
    BUF_LIT(to, "{");
    newline(to, depth + 1);
    BUF_LIT(to, "\"description\": ");
    json_write_str(to, str_from(row->help));
    buf_add_char(to, ',');
    newline(to, depth + 1);
}

/* The members of the schema of a map's entry: of a mapping, of a value by
 * itself, or either. */
static void entry(struct buf *to, const struct config_row *map, unsigned depth)
{
    char room[CONFIG_PREFIX_MAX];
    size_t at = 0;
    const struct config_row *value = config_table_value(map);
    bool has_keys =
        config_table_next(config_table_prefix(map, room), &at) != NULL;
    if (value == NULL) {
        keys(to, map, depth);
        return;
    }
    BUF_LIT(to, "\"description\": ");
    json_write_str(to, str_from(value->help));
    buf_add_char(to, ',');
    newline(to, depth);
    if (!has_keys) {
        one_value(to, value, depth);
        return;
    }
    BUF_LIT(to, "\"anyOf\": [{");
    one_value(to, value, depth + 1);
    BUF_LIT(to, "}, {");
    keys(to, map, depth + 1);
    BUF_LIT(to, "}]");
}

/* What a list or a map holds, one level down. */
static void many(struct buf *to, const struct config_row *row, unsigned depth)
{
    bool map = row->type == CONFIG_MAP;
    buf_addf(to, "\"type\": \"%s\", \"%s\": %lld, \"%s\": %lld,",
             map ? "object" : "array", map ? "minProperties" : "minItems",
             (long long)row->min, map ? "maxProperties" : "maxItems",
             (long long)row->max);
    newline(to, depth);
    if (map)
        buf_addf(to,
                 "\"propertyNames\": {\"pattern\": \"%s\", "
                 "\"maxLength\": %zu},",
                 key_patterns[row->keys].pattern, key_patterns[row->keys].max);
    if (map)
        newline(to, depth);
    buf_addf(to, "\"%s\": {", map ? "additionalProperties" : "items");
    newline(to, depth + 1);
    if (map)
        entry(to, row, depth + 1);
    else if (row->type == CONFIG_LIST)
        keys(to, row, depth + 1);
    else
        scalar_or_env(to, row);
    newline(to, depth);
    buf_add_char(to, '}');
}

/* Such a list, or its only element by itself. */
static void many_or_one(struct buf *to, const struct config_row *row,
                        unsigned depth)
{
    BUF_LIT(to, "\"anyOf\": [{");
    many(to, row, depth);
    BUF_LIT(to, "}, {");
    scalar_or_env(to, row);
    BUF_LIT(to, "}]");
}

/* A scalar, or a list of them. */
static void one_value(struct buf *to, const struct config_row *row,
                      unsigned depth)
{
    if (config_table_is_list(row))
        many_or_one(to, row, depth);
    else
        scalar_or_env(to, row);
}

static void property(struct buf *to, const struct config_row *row,
                     unsigned depth)
{
    json_write_str(to, config_table_key(row));
    BUF_LIT(to, ": ");
    described(to, row, depth);
    if (row->type == CONFIG_GROUP)
        keys(to, row, depth + 1);
    else if (row->type == CONFIG_LIST || row->type == CONFIG_MAP)
        many(to, row, depth + 1);
    else
        one_value(to, row, depth + 1);
    fallback(to, row);
    newline(to, depth);
    buf_add_char(to, '}');
}

static void required(struct buf *to, struct str prefix, unsigned depth)
{
    bool first = true;
    size_t at = 0;
    const struct config_row *row;
    while ((row = config_table_next(prefix, &at)) != NULL) {
        if (!row->required)
            continue;
        if (first) {
            buf_add_char(to, ',');
            newline(to, depth);
        }
        buf_add(to, first ? STR("\"required\": [") : STR(", "));
        json_write_str(to, config_table_key(row));
        first = false;
    }
    if (!first)
        buf_add_char(to, ']');
}

/* The members of the schema of a mapping: of `row`'s elements, entries or
 * itself, or of the file when `row` is NULL. */
static void keys(struct buf *to, const struct config_row *row, unsigned depth)
{
    char room[CONFIG_PREFIX_MAX];
    struct str prefix = row == NULL ? STR("") : config_table_prefix(row, room);
    /* An entry without a value is one with defaults only. */
    buf_add(to, row != NULL && row->type == CONFIG_MAP &&
                        config_table_value(row) == NULL
                    ? STR("\"type\": [\"object\", \"null\"], ")
                    : STR("\"type\": \"object\", "));
    BUF_LIT(to, "\"additionalProperties\": false,");
    newline(to, depth);
    BUF_LIT(to, "\"properties\": {");
    size_t at = 0;
    bool first = true;
    const struct config_row *child;
    while ((child = config_table_next(prefix, &at)) != NULL) {
        if (!first)
            buf_add_char(to, ',');
        first = false;
        newline(to, depth + 1);
        property(to, child, depth + 1);
    }
    newline(to, depth);
    buf_add_char(to, '}');
    required(to, prefix, depth);
}

void config_schema_json(struct buf *to)
{
    BUF_LIT(to, "{\n"
                "  \"$schema\": "
                "\"https://json-schema.org/draft/2020-12/schema\",\n"
                "  \"title\": \"The configuration of Writ\",\n"
                "  \"$defs\": {\n"
                "    \"env\": {\"description\": \"Holds ${NAME} of an "
                "environment variable.\", \"type\": \"string\"");
    string(to, "pattern", env_pattern);
    BUF_LIT(to, "}\n  },\n  ");
    keys(to, NULL, 1);
    BUF_LIT(to, "\n}\n");
}
