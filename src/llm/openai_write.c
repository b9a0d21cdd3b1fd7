/* openai_write.c - a decided request to the body that goes out. */
#include "llm/openai.h"

#include "base/attr.h"

/* Room for the name of a model with every byte escaped, and for options that
 * may hold fields which passed unread; mostly both are short. */
enum { SCRATCH_FIRST = 256, SCRATCH_MAX = 1024 * 1024 };

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

/* Both new values, one behind the other; the length of the first. */
static size_t write_values(struct buf *to, const struct llm_request *r,
                           struct str model)
{
    json_write_str(to, model);
    size_t model_len = to->len;
    if (r->stream)
        write_options(to, r);
    return model_len;
}

void openai_write(struct buf *to, const struct llm_request *r, struct str model)
{
    char first[SCRATCH_FIRST] UNINITIALIZED;
    struct buf scratch;
    buf_init_lent(&scratch, first, sizeof(first));
    size_t model_len = write_values(&scratch, r, model);
    if (!buf_ok(&scratch)) {
        buf_init(&scratch, SCRATCH_MAX);
        model_len = write_values(&scratch, r, model);
    }

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
