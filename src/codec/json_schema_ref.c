/*
 * json_schema_ref.c - the dialect, $ref and $anchor; see json_schema.h.
 *
 * A reference stays in its document: "#...", or the root's own $id before
 * that.  Everything else would have to be fetched, and is refused.
 */
#include "codec/json_pointer.h"
#include "codec/json_schema_compiler.h"
#include "codec/uri.h"

/* Without "#..."; the empty fragment is none. */
static struct str without_fragment(struct str uri)
{
    return str_first(uri, str_find(uri, '#'));
}

enum err json_schema_ref_dialect(struct json_schema_compiler *c,
                                 const struct json *name,
                                 enum json_schema_dialect *ret)
{
    static const struct {
        struct str uri;
        enum json_schema_dialect dialect;
    } dialects[] = {
        {STR_INIT("https://json-schema.org/draft/2020-12/schema"),
         DIALECT_2020},
        {STR_INIT("http://json-schema.org/draft/2020-12/schema"), DIALECT_2020},
        {STR_INIT("http://json-schema.org/draft-07/schema"), DIALECT_7},
        {STR_INIT("https://json-schema.org/draft-07/schema"), DIALECT_7},
    };
    struct str uri;
    if (!json_str(name, &uri))
        return json_schema_compile_failed(c, ERR_MALFORMED, KW_SCHEMA, name,
                                          "must be a string");
    size_t hash = str_find(uri, '#');
    for (size_t i = 0; i < ARRAY_LEN(dialects) && hash + 1 >= uri.len; i++) {
        if (str_eq(str_first(uri, hash), dialects[i].uri)) {
            *ret = dialects[i].dialect;
            return ERR_OK;
        }
    }
    return json_schema_compile_failed(
        c, ERR_UNSUPPORTED, KW_SCHEMA, name,
        "the dialect is neither JSON Schema 2020-12 nor draft-07");
}

enum err json_schema_ref_begin(struct json_schema_compiler *c)
{
    const struct json *v = json_get(c->root, STR("$id"));
    if (v != NULL && !json_str(v, &c->id))
        return json_schema_compile_failed(c, ERR_MALFORMED, KW_ID, v,
                                          "must be a string");
    if (str_find(c->id, '#') + 1 < c->id.len)
        return json_schema_compile_failed(c, ERR_UNSUPPORTED, KW_ID, v,
                                          "a fragment is not supported");
    c->id = without_fragment(c->id);
    v = json_get(c->root, STR("$schema"));
    return v == NULL ? ERR_OK : json_schema_ref_dialect(c, v, &c->dialect);
}

static const struct json_schema_node *
find_anchor(const struct json_schema_compiler *c, struct str name)
{
    for (const struct json_schema_anchor *a = c->anchors; a != NULL;
         a = a->next) {
        if (str_eq(a->name, name))
            return a->node;
    }
    return NULL;
}

/* [A-Za-z_][-A-Za-z0-9._]* */
static bool is_anchor(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool starts =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        bool follows = c == '-' || c == '.' || (c >= '0' && c <= '9');
        if (!starts && !(follows && i > 0))
            return false;
    }
    return name.len > 0;
}

/* Few schemas have any, so a list will do; their number is bounded. */
enum { ANCHORS_MAX = 256 };

enum err json_schema_ref_add_anchor(struct json_schema_compiler *c,
                                    const struct json_schema_node *n,
                                    const struct json *name)
{
    struct str text;
    if (!json_str(name, &text) || !is_anchor(text))
        return json_schema_compile_failed(c, ERR_MALFORMED, KW_ANCHOR, name,
                                          "must be a plain name");
    if (find_anchor(c, text) != NULL)
        return json_schema_compile_failed(c, ERR_MALFORMED, KW_ANCHOR, name,
                                          "the name stands twice");
    size_t count = 0;
    for (const struct json_schema_anchor *a = c->anchors; a != NULL;
         a = a->next)
        count++;
    if (count == ANCHORS_MAX)
        return json_schema_compile_failed(c, ERR_LIMIT, KW_ANCHOR, name,
                                          "there are too many anchors");
    struct json_schema_anchor *a = COMPILE_NEW(c, struct json_schema_anchor, 1);
    if (a == NULL)
        return ERR_LIMIT;
    *a = (struct json_schema_anchor){text, n, c->anchors};
    c->anchors = a;
    return ERR_OK;
}

enum err json_schema_ref_compile(struct json_schema_compiler *c,
                                 struct json_schema_logic *from,
                                 const struct json *ref)
{
    struct str text, fragment;
    if (!json_str(ref, &text))
        return json_schema_compile_failed(c, ERR_MALFORMED, KW_REF, ref,
                                          "must be a string");
    struct str base = without_fragment(text);
    if (base.len > 0 && !str_eq(base, c->id))
        return json_schema_compile_failed(
            c, ERR_UNSUPPORTED, KW_REF, ref,
            "a reference out of the document is not supported");
    fragment = str_skip(text, base.len + 1);
    enum err e = uri_decode(c->arena, fragment, false, &fragment);
    if (e != ERR_OK)
        return json_schema_compile_failed(c, e, KW_REF, ref,
                                          "is not well encoded");
    if (fragment.len > 0 && fragment.ptr[0] != '/') {
        struct json_schema_pending *p =
            COMPILE_NEW(c, struct json_schema_pending, 1);
        if (p == NULL)
            return ERR_LIMIT;
        *p = (struct json_schema_pending){from, ref, fragment, c->pending};
        c->pending = p;
        return ERR_OK;
    }
    const struct json *target = json_pointer_find(c->root, fragment);
    if (target == NULL)
        return json_schema_compile_failed(c, ERR_MALFORMED, KW_REF, ref,
                                          "leads to nothing");
    return json_schema_compile_node(c, KW_REF, target, &from->ref);
}

enum err json_schema_ref_end(struct json_schema_compiler *c)
{
    for (struct json_schema_pending *p = c->pending; p != NULL; p = p->next) {
        p->from->ref = find_anchor(c, p->anchor);
        if (p->from->ref == NULL)
            return json_schema_compile_failed(c, ERR_MALFORMED, KW_REF, p->at,
                                              "leads to no anchor");
    }
    return ERR_OK;
}
