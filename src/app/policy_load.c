/* policy_load.c - see policy_load.h. */
#include "app/policy_load.h"

#include "app/cmd.h"
#include "app/cmd_load.h"
#include "codec/json.h"

#define ARENA_MAX (CONFIG_ARENA_MAX + POLICY_FILES_ARENA_MAX)
enum { OUTPUT_MAX = 1024 * 1024 };

static void print_json(const struct cli *c, const struct policy_load *l,
                       const struct rules_errors *errors)
{
    struct buf json;
    struct buf path;
    buf_init(&json, OUTPUT_MAX);
    buf_init(&path, OUTPUT_MAX);
    BUF_LIT(&json, "{\"ok\":false,\"errors\":[");
    for (size_t i = 0; i < errors->count; i++) {
        const struct rules_error *e = &errors->at[i];
        buf_clear(&path);
        policy_files_add_path_of(&path, &l->where, &l->sources, e->file);
        buf_addf(&json, "%s{\"file\":", i > 0 ? "," : "");
        json_write_str(&json, buf_str(&path));
        buf_addf(&json, ",\"line\":%u,\"column\":%u,\"text\":", e->line,
                 e->column);
        json_write_str(&json, str_from(e->text));
        buf_add_char(&json, '}');
    }
    buf_addf(&json, "],\"more\":%zu}\n", errors->more);
    if (buf_ok(&json))
        (void)fwrite(json.ptr, 1, json.len, c->out);
    buf_release(&json);
    buf_release(&path);
}

int policy_load_fail(const struct cli *c, const struct policy_load *l,
                     const struct rules_errors *errors)
{
    struct buf text;
    buf_init(&text, OUTPUT_MAX);
    for (size_t i = 0; i < errors->count; i++) {
        buf_clear(&text);
        policy_files_add_error(&text, &l->where, &l->sources, &errors->at[i]);
        cli_print_safe(c->err, buf_str(&text));
        (void)fputc('\n', c->err);
    }
    if (errors->more > 0)
        cli_print(c->err, "and %zu more\n", errors->more);
    if (c->json)
        print_json(c, l, errors);
    buf_release(&text);
    return CLI_FAILED;
}

/* What the options say goes before what the configuration says. */
static int find(const struct cli *c, struct policy_load *to)
{
    const char *dir = cli_value(c, "dir", NULL);
    const char *shadow = cli_value(c, "shadow", NULL);
    const char *entities = cli_value(c, "entities", NULL);
    if (dir == NULL || cli_has(c, "config")) {
        int code =
            cmd_load_config(c, cli_value(c, "config", CMD_CONFIG_DEFAULT),
                            &to->arena, &to->settings);
        if (code != CLI_OK)
            return code;
        to->has_settings = true;
        to->where = policy_files_of(&to->settings);
    }
    if (dir != NULL)
        to->where.dir = str_from(dir);
    if (shadow != NULL)
        to->where.shadow = str_from(shadow);
    if (entities != NULL) {
        to->entities[0].file = str_from(entities);
        to->where.entities = to->entities;
        to->where.entity_count = 1;
    }
    return CLI_OK;
}

int policy_load(const struct cli *c, struct policy_load *to)
{
    struct policy_files_error error = {{0}};
    struct rules_errors errors = {.count = 0};
    *to = (struct policy_load){.rules = NULL};
    arena_init(&to->arena, ARENA_MAX);
    int code = find(c, to);
    if (code != CLI_OK)
        return code;
    enum err e =
        policy_files_read(&to->arena, &to->where, &to->sources, &error);
    if (e == ERR_CONFIG)
        return cli_fail(c, "%s", error.text);
    if (e == ERR_OK)
        e = rules_new(to->has_settings ? &to->settings : NULL, &to->sources,
                      &errors, &to->rules);
    if (e == ERR_CONFIG)
        return policy_load_fail(c, to, &errors);
    return e == ERR_OK ? CLI_OK
                       : cli_fail(c, "the policies do not fit into memory");
}

void policy_load_release(struct policy_load *l)
{
    rules_unref(l->rules);
    arena_release(&l->arena);
}
