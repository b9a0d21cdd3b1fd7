/* cmd_budget.c - `writ budget ...`: what was used of each budget. */
#include <inttypes.h>

#include "app/admin_client.h"
#include "app/admin_listing.h"
#include "app/cmd.h"
#include "app/cmd_admin.h"
#include "base/limits.h"

const struct cli_option cmd_budget_options[] = {
    ADMIN_CLIENT_OPTIONS,
    {NULL, 0, NULL, NULL},
};

/* "12 of 100, 3 reserved" */
static struct str sum_of(struct arena *a, const struct json *v,
                         const char *name)
{
    const struct json *sum = json_get(v, str_from(name));
    char text[96];
    struct str kept = {NULL, 0};
    int64_t used = 0, reserved = 0, limit = 0;

    (void)!json_i64(json_get(sum, STR("used")), &used);
    (void)!json_i64(json_get(sum, STR("reserved")), &reserved);
    if (!json_i64(json_get(sum, STR("limit")), &limit))
        return STR("");
    int len =
        snprintf(text, sizeof(text), "%" PRId64 " of %" PRId64, used, limit);
    if (reserved > 0)
        len += snprintf(text + len, sizeof(text) - (size_t)len,
                        ", %" PRId64 " reserved", reserved);
    return arena_copy(a, (struct str){text, (size_t)len}, &kept) ? kept
                                                                 : STR("");
}

static void budget_row(struct arena *a, const struct json *v, struct str *cells)
{
    cells[0] = admin_client_text(v, "name");
    cells[1] = admin_client_text(v, "whom");
    cells[2] = sum_of(a, v, "requests");
    cells[3] = sum_of(a, v, "tokens");
    cells[4] = str_first(admin_client_text(v, "until"), 19);
}

int cmd_budget_list(const struct cli *c)
{
    static const char *const filters[] = {NULL};
    static const char *const heads[] = {"BUDGET", "WHOM",  "REQUESTS",
                                        "TOKENS", "UNTIL", NULL};
    const struct admin_listing l = {
        .path = "/admin/v1/budgets",
        .item = c->arg_count > 0 ? c->args[0] : NULL,
        .name = "budgets",
        .filters = filters,
        .heads = heads,
        .row = budget_row,
    };

    return admin_listing(c, &l);
}

int cmd_budget_show(const struct cli *c)
{
    return cmd_budget_list(c); /* the name is its argument */
}
