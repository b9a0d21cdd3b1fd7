/* layers: admin codec base */
/*
 * Properties: of a body that is taken every member is one that was asked for,
 * of its type and within its limits, and what is required is there; of one
 * that is refused it is said why, in text that a problem can carry.
 */
#include <assert.h>
#include <stdint.h>

#include "admin/body.h"
#include "admin/when.h"
#include "base/attr.h"
#include "base/limits.h"
#include "base/text.h"
#include "codec/json.h"
#include "codec/problem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refusal(enum err e, const struct body_problem *p)
{
    struct buf problem;
    assert(e == ERR_MALFORMED || e == ERR_UNKNOWN_FIELD || e == ERR_LIMIT);
    assert(p->detail != NULL && text_is_utf8(p->param) &&
           p->param.len <= BODY_TEXT_MAX);
    buf_init(&problem, 64 * KIB);
    problem_write(&problem, e, str_from(p->detail), p->param);
    assert(buf_ok(&problem));
    buf_release(&problem);
}

static void check_text(struct str s)
{
    assert(s.len <= BODY_TEXT_MAX && text_is_utf8(s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct str name = {NULL, 0}, expires = {NULL, 0};
    struct body_texts purposes = {.count = 0};
    bool proposed = false;
    struct body_problem problem = {NULL, {NULL, 0}};
    const struct body_field fields[] = {
        {STR("name"), BODY_TEXT, true, &name},
        {STR("expires"), BODY_TEXT, false, &expires},
        {STR("purposes"), BODY_TEXTS, false, &purposes},
        {STR("proposed"), BODY_FLAG, false, &proposed},
    };
    struct str body = {(const char *)data, size};
    const int64_t now_us = INT64_C(1795154400000000);
    int64_t us = 0;

    arena_init(&a, 16 * MIB);
    enum err e = body_read(&a, body, fields, ARRAY_LEN(fields), &problem);
    if (e != ERR_OK) {
        check_refusal(e, &problem);
    } else {
        const struct json *v;
        assert(json_read(&a, body, &v, NULL) == ERR_OK);
        assert(json_count(v) <= ARRAY_LEN(fields) && name.len > 0);
        check_text(name);
        check_text(expires);
        assert(purposes.count <= BODY_TEXTS_MAX);
        for (unsigned i = 0; i < purposes.count; i++)
            check_text(purposes.at[i]);
    }
    if (when_read(body, now_us, &us))
        assert(us > now_us && size <= TEXT_TIME_LEN);
    arena_release(&a);
    return 0;
}
