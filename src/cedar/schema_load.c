/* schema_load.c - see schema_load.h. */
#include "cedar/schema_load.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/text.h"

/* What the arena may hold for each byte of the schema. */
enum { ARENA_PER_BYTE = 256 };

static bool check_text(struct schema_raw *s, struct str text)
{
    if (text.len > CEDAR_TEXT_MAX) {
        (void)schema_raw_fail(s, 0, "the text is too long");
        s->err = ERR_LIMIT;
        return false;
    }
    for (size_t at = 0; at < text.len;) {
        size_t n = text_utf8_len(str_skip(text, at));
        if (n == 0)
            return schema_raw_fail(s, at, "the text is not UTF-8");
        at += n;
    }
    return true;
}

static bool read_text(struct schema_raw *s, struct str text)
{
    s->text = text;
    if (!check_text(s, text))
        return false;
    if (!arena_copy(&s->schema->arena, text, &s->text))
        return schema_raw_no_memory(s);
    return schema_parse(s);
}

static bool read_json(struct schema_raw *s, struct str text)
{
    if (text.len <= CEDAR_TEXT_MAX)
        return schema_json(s, text);
    (void)schema_raw_fail(s, 0, "the text is too long");
    s->err = ERR_LIMIT;
    return false;
}

enum err schema_load(struct str text, bool is_json, struct cedar_errors *errors,
                     const struct schema_load_see *see,
                     struct cedar_schema **ret)
{
    if (errors != NULL)
        errors->count = 0;
    struct cedar_schema *schema = calloc(1, sizeof(*schema));
    if (schema == NULL)
        return ERR_NO_MEMORY;
    struct schema_raw s = {.schema = schema, .errors = errors};
    size_t len = text.len > CEDAR_TEXT_MAX ? 0 : text.len;
    arena_init(&schema->arena, len * ARENA_PER_BYTE + 16 * MIB);
    bool ok = is_json ? read_json(&s, text) : read_text(&s, text);
    ok = ok && schema_resolve(&s);
    ok = ok && s.err == ERR_OK && (see == NULL || see->fn(&s, see->cookie));
    free(s.spaces.at);
    free(s.entities.at);
    free(s.commons.at);
    free(s.actions.at);
    if (!ok || s.err != ERR_OK) {
        cedar_schema_free(schema);
        return s.err;
    }
    *ret = schema;
    return ERR_OK;
}
