/* openai_error.c - bodies in OpenAI's shape that the gateway writes itself. */
#include "llm/openai.h"

#include <string.h>

/* The `type` of an error: SDKs choose the class by status, people read it. */
static struct str type_of(enum err e)
{
    int status = err_http_status(e);
    if (e == ERR_BUDGET)
        return STR("insufficient_quota");
    if (status == 401)
        return STR("authentication_error");
    if (status == 403)
        return STR("permission_error");
    if (status == 429)
        return STR("rate_limit_error");
    return status < 500 ? STR("invalid_request_error") : STR("server_error");
}

void openai_error(struct buf *to, enum err e, struct str text, struct str param)
{
    (void)BUF_LIT(to, "{\"error\":{\"message\":");
    json_write_str(to, text.len > 0 ? text : str_from(err_text(e)));
    (void)BUF_LIT(to, ",\"type\":");
    json_write_str(to, type_of(e));
    (void)BUF_LIT(to, ",\"param\":");
    if (param.len > 0)
        json_write_str(to, param);
    else
        (void)BUF_LIT(to, "null");
    (void)BUF_LIT(to, ",\"code\":");
    json_write_str(to, str_from(err_code(e)));
    (void)BUF_LIT(to, "}}");
}

void openai_stream_error(struct buf *to, enum err e, struct str text)
{
    (void)BUF_LIT(to, "data: ");
    openai_error(to, e, text, (struct str){NULL, 0});
    (void)BUF_LIT(to, "\n\n");
}

void openai_model(struct buf *to, struct str name)
{
    (void)BUF_LIT(to, "{\"id\":");
    json_write_str(to, name);
    (void)BUF_LIT(to,
                  ",\"object\":\"model\",\"created\":0,\"owned_by\":\"writ\"}");
}

void openai_models(struct buf *to, const struct str *names, size_t n)
{
    (void)BUF_LIT(to, "{\"object\":\"list\",\"data\":[");
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            (void)buf_add_char(to, ',');
        openai_model(to, names[i]);
    }
    (void)BUF_LIT(to, "]}");
}

bool openai_retryable(int status, struct str body)
{
    /* With its quotes it is a value of its own, never part of a text. */
    static const char quota[] = "\"insufficient_quota\"";
    if (status == 429)
        return body.len == 0 ||
               memmem(body.ptr, body.len, quota, sizeof(quota) - 1) == NULL;
    return status == 408 || status == 409 || (status >= 500 && status <= 599);
}
