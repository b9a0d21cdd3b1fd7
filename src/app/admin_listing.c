/* admin_listing.c - see admin_listing.h. */
#include "app/admin_listing.h"

#include "app/admin_client.h"
#include "base/limits.h"
#include "codec/uri.h"

enum { TARGET_MAX = 4096 };

struct run {
    const struct cli *cli;
    const struct admin_listing *listing;
    struct arena arena;
    struct buf target, json;
    struct cli_table table;
};

static void on_element(void *user, const struct json *v)
{
    struct run *r = user;
    struct str cells[CLI_TABLE_COLUMNS_MAX];

    if (r->cli->json) {
        buf_add(&r->json, r->json.len > 0 ? STR(",") : STR(""));
        json_write(&r->json, v, NULL, 0);
        return;
    }
    r->listing->row(&r->arena, v, cells);
    cli_table_add(&r->table, cells);
}

static bool make_target(struct run *r)
{
    const struct admin_listing *l = r->listing;
    char before = '?';

    buf_add(&r->target, str_from(l->path));
    if (l->item != NULL) {
        buf_add_char(&r->target, '/');
        uri_add_encoded(&r->target, str_from(l->item));
    }
    for (size_t i = 0; l->filters[i] != NULL; i++) {
        const char *value = cli_value(r->cli, l->filters[i], NULL);
        if (value == NULL)
            continue;
        buf_add_char(&r->target, before);
        before = '&';
        buf_add(&r->target, str_from(l->filters[i]));
        buf_add_char(&r->target, '=');
        uri_add_encoded(&r->target, str_from(value));
    }
    return buf_add_char(&r->target, 0);
}

static int run(struct run *r)
{
    const struct cli *c = r->cli;
    const struct admin_listing *l = r->listing;

    if (!make_target(r))
        return cli_usage(c, "a name is too long");
    cli_table_init(&r->table, &r->arena, l->heads);
    const struct admin_client_list list = {r->target.ptr, l->name, on_element,
                                           r};
    int code = admin_client_list(c, &r->arena, &list);
    if (code != CLI_OK)
        return code;
    if (!c->json)
        cli_table_print(&r->table, c->out);
    else if (buf_ok(&r->json))
        cli_print(c->out, "{\"%s\":[%.*s]}\n", l->name,
                  STR_FMT(buf_str(&r->json)));
    else
        return cli_fail(c, "the list is too long");
    return CLI_OK;
}

int admin_listing(const struct cli *c, const struct admin_listing *l)
{
    struct run r = {.cli = c, .listing = l};

    arena_init(&r.arena, 16 * ADMIN_CLIENT_ARENA_MAX);
    buf_init(&r.target, TARGET_MAX);
    buf_init(&r.json, 16 * ADMIN_CLIENT_ARENA_MAX);
    int code = run(&r);
    buf_release(&r.json);
    buf_release(&r.target);
    arena_release(&r.arena);
    return code;
}
