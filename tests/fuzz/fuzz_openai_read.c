/* layers: llm codec base */
/*
 * Properties: what is sent reads as what was decided, and reading it again
 * changes nothing; a refusal says why, in text that can be written as JSON.
 * The first byte chooses the operation.
 */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/text.h"
#include "llm/openai.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct names no_names = {NULL, 0};

static void check_refusal(enum err e, const struct llm_problem *p)
{
    struct buf body;
    assert(p->err == e && p->text.len > 0);
    assert(text_is_utf8(p->text) && text_is_utf8(p->param));
    buf_init(&body, MIB);
    openai_error(&body, e, p->text, p->param);
    assert(buf_ok(&body));
    buf_release(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct llm_request r;
    struct llm_problem p = {.err = ERR_OK};
    struct buf sent;
    struct buf again;
    if (size == 0)
        return 0;
    enum llm_operation operation = data[0] % 2 == 0 ? LLM_CHAT : LLM_EMBEDDINGS;
    struct str body = {(const char *)data + 1, size - 1};

    arena_init(&a, 16 * MIB);
    buf_init(&sent, 16 * MIB);
    buf_init(&again, 16 * MIB);
    enum err e = openai_read(&a, operation, body, no_names, &r, &p);
    if (e != ERR_OK) {
        check_refusal(e, &p);
    } else {
        struct llm_request s;
        assert(r.model.len >= 1 && r.model.len <= NAME_MAX_LEN);
        openai_write(&sent, &r, STR("up\"x"));
        assert(buf_ok(&sent));
        e = openai_read(&a, operation, buf_str(&sent), no_names, &s, &p);
        assert(e == ERR_OK);
        assert(str_eq(s.model, STR("up\"x")) && s.stream == r.stream);
        assert(s.wants_usage == (r.stream || r.wants_usage));
        assert(s.input_estimate == r.input_estimate);
        openai_write(&again, &s, STR("up\"x"));
        assert(str_eq(buf_str(&again), buf_str(&sent)));
    }
    buf_release(&sent);
    buf_release(&again);
    arena_release(&a);
    return 0;
}
