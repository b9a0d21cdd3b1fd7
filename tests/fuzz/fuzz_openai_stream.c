/* layers: llm codec base */
/*
 * Property: what the caller sees and what is counted do not depend on how the
 * bytes were cut.  The first byte: bit 0 asks for usage, the rest is the
 * distance between the cuts.
 */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "llm/openai.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    struct arena a;
    struct buf out;
    struct openai_stream *s;
};

static enum err feed(struct run *run, const struct llm_request *r,
                     struct str in, size_t step)
{
    arena_init(&run->a, MIB);
    buf_init(&run->out, 16 * MIB);
    enum err e = openai_stream_new(&run->a, r, &run->s);
    assert(e == ERR_OK);
    while (e == ERR_OK && in.len > 0) {
        e = openai_stream_feed(run->s, str_first(in, step), &run->out);
        in = str_skip(in, step);
    }
    return e;
}

static void release(struct run *run)
{
    openai_stream_free(run->s);
    buf_release(&run->out);
    arena_release(&run->a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run whole;
    struct run cut;
    if (size == 0)
        return 0;
    const struct llm_request r = {.operation = LLM_CHAT,
                                  .stream = true,
                                  .wants_usage = (data[0] & 1) != 0};
    struct str in = {(const char *)data + 1, size - 1};

    enum err e = feed(&whole, &r, in, in.len > 0 ? in.len : 1);
    assert(feed(&cut, &r, in, 1 + (data[0] >> 1)) == e);
    if (e == ERR_OK) {
        struct openai_answer a = openai_stream_answer(whole.s);
        struct openai_answer b = openai_stream_answer(cut.s);
        assert(str_eq(buf_str(&whole.out), buf_str(&cut.out)));
        assert(str_eq(a.model, b.model) && str_eq(a.finish, b.finish));
        assert(a.usage.input_tokens == b.usage.input_tokens);
        assert(a.usage.output_tokens == b.usage.output_tokens);
        assert(a.usage.cached_tokens == b.usage.cached_tokens);
        assert(a.usage.reasoning_tokens == b.usage.reasoning_tokens);
        assert(a.usage.estimated == b.usage.estimated);
        assert(a.failed == b.failed);
        assert(openai_stream_done(whole.s) == openai_stream_done(cut.s));
        assert(a.usage.input_tokens >= 0 && a.usage.output_tokens >= 0);
    }
    release(&whole);
    release(&cut);
    return 0;
}
