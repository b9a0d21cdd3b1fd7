/* problem.c - see problem.h. */
#include "codec/problem.h"

#include "codec/json.h"

static void text(struct buf *to, struct str name, struct str value)
{
    if (value.len == 0)
        return;
    buf_add_char(to, ',');
    json_write_str(to, name);
    buf_add_char(to, ':');
    json_write_str(to, value);
}

void problem_write(struct buf *to, enum err e, struct str detail,
                   struct str param)
{
    BUF_LIT(to, "{\"type\":\"about:blank\"");
    text(to, STR("title"), str_from(err_text(e)));
    buf_addf(to, ",\"status\":%d", err_http_status(e));
    text(to, STR("code"), str_from(err_code(e)));
    text(to, STR("detail"), detail);
    text(to, STR("param"), param);
    buf_add_char(to, '}');
}
