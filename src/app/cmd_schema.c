/* cmd_schema.c - `writ schema config`: what a configuration may hold, for
 * editors and as a page. */
#include "app/cmd.h"
#include "app/config_docs.h"
#include "app/config_schema.h"

int cmd_schema_config(const struct cli *c)
{
    if (cli_has(c, "markdown") && c->json)
        return cli_usage(c, "schema config: --markdown is not --json");
    struct buf text;
    buf_init(&text, CONFIG_SCHEMA_MAX);
    if (cli_has(c, "markdown"))
        config_docs_markdown(&text);
    else
        config_schema_json(&text);
    int code = buf_ok(&text) ? CLI_OK : cli_fail(c, "out of memory");
    if (code == CLI_OK)
        (void)fwrite(text.ptr, 1, text.len, c->out);
    buf_release(&text);
    return code;
}
