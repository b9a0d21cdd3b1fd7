/* openai_write.c - a decided request to the body that goes out. */
#include "llm/openai.h"

/* Room for the name of a model with every byte escaped, and for options that
 * may hold fields which passed unread. */
enum { SCRATCH_MAX = 1024 * 1024 };

/* {"include_usage":true} over what the caller had there. */
static void write_options(struct buf *to, const struct llm_request *r)
{
    static const struct json_patch usage = {STR_INIT("include_usage"),
                                            STR_INIT("true")};
    const struct json *options = json_get(r->body, STR("stream_options"));
    if (json_type(options) == JSON_OBJECT)
        json_write(to, options, &usage, 1);
    else
        (void)BUF_LIT(to, "{\"include_usage\":true}");
}

void openai_write(struct buf *to, const struct llm_request *r, struct str model)
{
    struct buf scratch; /* both new values, one behind the other */
    buf_init(&scratch, SCRATCH_MAX);
    json_write_str(&scratch, model);
    size_t model_len = scratch.len;
    if (r->stream)
        write_options(&scratch, r);

    struct str raw = buf_str(&scratch);
    const struct json_patch patches[] = {
        {STR("model"), str_first(raw, model_len)},
        {STR("stream_options"), str_skip(raw, model_len)},
    };
    if (buf_ok(&scratch))
        json_write(to, r->body, patches, r->stream ? 2 : 1);
    else
        to->failed = true;
    buf_release(&scratch);
}
