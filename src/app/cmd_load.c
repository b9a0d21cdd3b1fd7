/* cmd_load.c - see cmd_load.h. */
#include "app/cmd_load.h"

#include "app/cmd.h"
#include "codec/json.h"
#include "os/file.h"

enum { OUTPUT_MAX = 1024 * 1024 };

static void print_text(const struct cli *c, struct str file,
                       const struct config_errors *errors)
{
    struct buf text;
    buf_init(&text, OUTPUT_MAX);
    for (size_t i = 0; i < errors->count; i++) {
        buf_clear(&text);
        config_add_error(&text, file, &errors->at[i]);
        cli_print_safe(c->err, buf_str(&text));
        (void)fputc('\n', c->err);
    }
    if (errors->more > 0)
        cli_print(c->err, "and %zu more\n", errors->more);
    buf_release(&text);
}

static void print_json(const struct cli *c, struct str file,
                       const struct config_errors *errors)
{
    struct buf json;
    buf_init(&json, OUTPUT_MAX);
    BUF_LIT(&json, "{\"ok\":false,\"file\":");
    json_write_str(&json, file);
    BUF_LIT(&json, ",\"errors\":[");
    for (size_t i = 0; i < errors->count; i++) {
        const struct config_error *e = &errors->at[i];
        buf_addf(&json,
                 "%s{\"line\":%u,\"column\":%u,\"path\":", i == 0 ? "" : ",",
                 e->line, e->column);
        json_write_str(&json, e->path);
        BUF_LIT(&json, ",\"text\":");
        json_write_str(&json, e->text);
        buf_add_char(&json, '}');
    }
    buf_addf(&json, "],\"more\":%zu}\n", errors->more);
    if (buf_ok(&json))
        (void)fwrite(json.ptr, 1, json.len, c->out);
    buf_release(&json);
}

int cmd_load_config(const struct cli *c, const char *file, struct arena *a,
                    struct settings *ret)
{
    struct config_errors errors = {0};
    if (config_load(a, str_from(file), ret, &errors) == ERR_OK)
        return CLI_OK;
    if (c->json)
        print_json(c, str_from(file), &errors);
    else
        print_text(c, str_from(file), &errors);
    return CLI_FAILED;
}

/* `s` and a NUL to `to`, FILE_PATH_MAX bytes. */
static int keep_path(const struct cli *c, struct str s, char *to)
{
    if (s.len >= FILE_PATH_MAX)
        return cli_fail(c, "the path of the data directory is too long");
    memcpy(to, s.ptr, s.len);
    to[s.len] = 0;
    return CLI_OK;
}

int cmd_load_data(const struct cli *c, char *to)
{
    const char *data = cli_value(c, "data", NULL);
    if (data != NULL)
        return keep_path(c, str_from(data), to);

    struct arena arena;
    struct settings settings;
    const char *file = cli_value(c, "config", CMD_CONFIG_DEFAULT);
    arena_init(&arena, CONFIG_ARENA_MAX);
    int code = cmd_load_config(c, file, &arena, &settings);
    if (code == CLI_OK)
        code = keep_path(c, settings.data, to);
    else if (!c->json)
        (void)fputs("writ: --data DIR names the data directory without a "
                    "configuration\n",
                    c->err);
    arena_release(&arena);
    return code;
}
