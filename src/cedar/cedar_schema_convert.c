/* cedar_schema_convert.c - see cedar_schema_convert.h. */
#include "cedar/cedar_schema_convert.h"

#include "cedar/schema_equal.h"
#include "cedar/schema_load.h"
#include "cedar/schema_print.h"
#include "cedar/schema_write.h"

static bool full(struct schema_raw *s)
{
    (void)schema_raw_fail(s, 0, "the other form is too long");
    s->err = ERR_LIMIT;
    return false;
}

static bool to_text(struct schema_raw *s, void *cookie)
{
    struct buf *to = cookie;
    return schema_print(s, to) && (buf_ok(to) || full(s));
}

static bool to_json(struct schema_raw *s, void *cookie)
{
    struct buf *to = cookie;
    schema_write_json(s, to);
    return buf_ok(to) || full(s);
}

/* What was written has to mean what was read. */
static enum err check(const struct cedar_schema *schema, struct str written,
                      bool is_json, struct cedar_errors *errors)
{
    struct cedar_schema *again;
    enum err e = schema_load(written, is_json, NULL, NULL, &again);
    if (e == ERR_NO_MEMORY)
        return e;
    bool same = e == ERR_OK && schema_equal(schema, again);
    if (e == ERR_OK)
        cedar_schema_free(again);
    if (same)
        return ERR_OK;
    errors_add(errors, (struct str){0}, 0,
               "the other form of schemas has no words for this; is there an "
               "entity type and a common type of one name?");
    return ERR_MALFORMED;
}

static enum err convert(struct str text, bool is_json,
                        struct cedar_errors *errors, struct buf *to)
{
    struct cedar_schema *schema;
    struct buf written;
    buf_init(&written, CEDAR_TEXT_MAX);
    const struct schema_load_see see = {is_json ? to_text : to_json, &written};
    enum err e = schema_load(text, is_json, errors, &see, &schema);
    if (e == ERR_OK) {
        e = check(schema, buf_str(&written), !is_json, errors);
        cedar_schema_free(schema);
    }
    if (e == ERR_OK && !buf_add(to, buf_str(&written)))
        e = ERR_LIMIT;
    buf_release(&written);
    return e;
}

enum err cedar_schema_convert_json(struct str json,
                                   struct cedar_errors *ret_errors,
                                   struct buf *to)
{
    return convert(json, true, ret_errors, to);
}

enum err cedar_schema_convert_text(struct str text,
                                   struct cedar_errors *ret_errors,
                                   struct buf *to)
{
    return convert(text, false, ret_errors, to);
}
