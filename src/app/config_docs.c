/* config_docs.c - see config_docs.h. */
#include "app/config_docs.h"

#include "app/config_table.h"
#include "app/config_units.h"

static const char intro[] =
    "# Configuration\n"
    "\n"
    "One YAML file, `writ.yaml`. This page is printed by `writ schema config "
    "--markdown`, and the JSON Schema for\n"
    "editors by `writ schema config`: both from the table that the program "
    "reads files with. `writ check` validates\n"
    "a file without starting, and names line, column and what was expected; "
    "an unknown key is an error. A complete\n"
    "file stands in `examples/quickstart/writ.yaml`; `writ init` writes a "
    "first one of your own.\n"
    "\n"
    "- `${NAME}` anywhere in a value is the environment variable NAME; an "
    "unset one is an error. A literal `${` is\n"
    "  written `$${`.\n"
    "- Secrets never stand in the file: a credential names an environment "
    "variable (`env`) or a file (`file`).\n"
    "- Relative paths start at the folder of the file.\n"
    "- Durations carry their unit: `250ms`, `30s`, `15m`, `8h`, `1d`. Sizes "
    "are powers of 1024: `64KB`, `8MB`, `1GB`.\n"
    "- Names are lower-case letters, digits, `_`, `.` and `-`, beginning with "
    "a letter or a digit.\n"
    "- `SIGHUP` makes a running node read the file again. A file with a "
    "mistake changes nothing. `node`, `data`,\n"
    "  `store`, `workers`, `listen`, `server` and `ledger.durable` take effect "
    "at the next start.\n";

static const char *type_name(enum config_type type)
{
    switch (type) {
    case CONFIG_GROUP:
        return "group";
    case CONFIG_LIST:
        return "list";
    case CONFIG_MAP:
        return "map by name";
    case CONFIG_NAME:
    case CONFIG_REF:
        return "name";
    case CONFIG_STRING:
        return "string";
    case CONFIG_PATH:
        return "path";
    case CONFIG_ENV:
        return "variable's name";
    case CONFIG_DURATION:
        return "duration";
    case CONFIG_BYTES:
        return "size";
    case CONFIG_INTEGER:
        return "number";
    case CONFIG_BOOLEAN:
        return "boolean";
    case CONFIG_COUNT:
        return "whole number";
    case CONFIG_MICROS:
        return "decimal";
    case CONFIG_ENUM:
        return "";
    case CONFIG_STORE:
        return "store";
    case CONFIG_ADDRESS:
        return "address";
    case CONFIG_URL:
    case CONFIG_ENDPOINT:
        return "URL";
    case CONFIG_POINTER:
        return "place";
    case CONFIG_PATHS:
        return "list of paths";
    case CONFIG_ARGUMENTS:
        return "list of strings";
    case CONFIG_ORIGINS:
        return "list of origins";
    case CONFIG_HOSTS:
        return "list of hosts";
    case CONFIG_FLAGS:
        return "list of words";
    case CONFIG_NAMES:
        return "list of names";
    case CONFIG_STRINGS:
        return "list of strings";
    }
    return "";
}

static void type(struct buf *to, const struct config_row *row)
{
    bool words = row->type == CONFIG_ENUM ||
                 (row->type == CONFIG_BOOLEAN && row->words != NULL);
    if (!words)
        buf_add(to, str_from(type_name(row->type)));
    if (row->words != NULL && !words)
        BUF_LIT(to, ": ");
    for (size_t i = 0; row->words != NULL && row->words[i] != NULL; i++)
        buf_addf(to, "%s`%s`", i == 0 ? "" : ", ", row->words[i]);
    if (!config_units_has_range(row))
        return;
    BUF_LIT(to, ", ");
    config_units_range(to, row);
}

/* What stands in the place of the star that follows `map`. */
static const char *key_name(struct str map)
{
    for (size_t i = 0; i < config_table_len; i++) {
        const struct config_row *row = &config_table[i];
        if (!str_eq(str_from(row->path), map))
            continue;
        if (row->keys == CONFIG_KEY_ENV)
            return "VARIABLE";
        if (row->keys == CONFIG_KEY_TOOL)
            return "TOOL";
        if (row->keys == CONFIG_KEY_GLOB)
            return "GLOB";
    }
    return "NAME";
}

/* "models.*.routes[].weight" as "models.NAME.routes[].weight". */
static void path(struct buf *to, const char *text)
{
    struct str whole = str_from(text);
    size_t at = 0;
    buf_add_char(to, '`');
    while (at < whole.len) {
        size_t plain = str_find(str_skip(whole, at), '*');
        buf_add(to, str_first(str_skip(whole, at), plain));
        at += plain;
        if (at < whole.len)
            buf_add(to, str_from(key_name(str_first(whole, at - 1))));
        at++;
    }
    buf_add_char(to, '`');
}

static void line(struct buf *to, const struct config_row *row)
{
    BUF_LIT(to, "| ");
    path(to, row->path);
    BUF_LIT(to, " | ");
    type(to, row);
    BUF_LIT(to, " | ");
    if (row->required)
        BUF_LIT(to, "required");
    else if (row->fallback != NULL)
        buf_addf(to, "`%s`", row->fallback);
    buf_addf(to, " | %s |\n", row->help);
}

static void head(struct buf *to)
{
    BUF_LIT(to, "\n| Key | Value | Default | Meaning |\n"
                "|---|---|---|---|\n");
}

static bool has_keys(const struct config_row *row)
{
    return row->type == CONFIG_GROUP || row->type == CONFIG_LIST ||
           row->type == CONFIG_MAP;
}

static void rows_below(struct buf *to, const struct config_row *parent)
{
    char room[CONFIG_PREFIX_MAX];
    struct str prefix = config_table_prefix(parent, room);
    size_t at = 0;
    const struct config_row *row =
        parent->type == CONFIG_MAP ? config_table_value(parent) : NULL;
    if (row != NULL)
        line(to, row);
    while ((row = config_table_next(prefix, &at)) != NULL) {
        line(to, row);
        if (has_keys(row))
            rows_below(to, row);
    }
}

void config_docs_markdown(struct buf *to)
{
    const struct config_row *row;
    buf_add(to, str_from(intro));
    BUF_LIT(to, "\n## The node\n");
    head(to);
    size_t at = 0;
    while ((row = config_table_next(STR(""), &at)) != NULL) {
        if (!has_keys(row))
            line(to, row);
    }
    at = 0;
    while ((row = config_table_next(STR(""), &at)) != NULL) {
        if (!has_keys(row))
            continue;
        buf_addf(to, "\n## `%s`%s\n\n%s\n", row->path,
                 row->required ? " (required)" : "", row->help);
        head(to);
        rows_below(to, row);
    }
}
