/* approval_digest.c - see approval_digest.h. */
#include "approval/approval_digest.h"

#include <stdlib.h>

#include "base/text.h"
#include "codec/jcs.h"

enum { DESTINATIONS_MAX = 256, TEXT_MAX = 256 * 1024 };

static int compare(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

/* A set: in which order they would be tried is of no weight. */
static void add_destinations(struct jcs *w, const struct approval_action *a)
{
    struct str sorted[DESTINATIONS_MAX];

    for (unsigned i = 0; i < a->destination_count; i++)
        sorted[i] = a->destinations[i];
    qsort(sorted, a->destination_count, sizeof(sorted[0]), compare);
    jcs_name(w, STR("destinations"));
    jcs_array(w);
    for (unsigned i = 0; i < a->destination_count; i++) {
        if (i == 0 || !str_eq(sorted[i], sorted[i - 1]))
            jcs_str(w, sorted[i]);
    }
    jcs_end(w);
}

static void add_chain(struct jcs *w, const struct chain *chain)
{
    jcs_name(w, STR("chain"));
    jcs_array(w);
    for (unsigned i = 0; i < chain->count; i++) {
        const struct principal *who = &chain->links[i].who;
        jcs_object(w);
        jcs_pair_str(w, STR("id"), who->id);
        jcs_pair_str(w, STR("issuer"), who->issuer);
        jcs_pair_word(w, STR("kind"), principal_kind_name(who->kind));
        jcs_end(w);
    }
    jcs_end(w);
}

static void add_tool(struct jcs *w, const struct hash *tool)
{
    jcs_name(w, STR("tool"));
    if (tool == NULL)
        jcs_null(w);
    else
        jcs_hex(w, tool->bytes, sizeof(tool->bytes));
}

static bool are_texts(const struct approval_action *a)
{
    const struct str texts[] = {a->tenant,   a->action,  a->resource_type,
                                a->resource, a->purpose, a->task,
                                a->audience};
    bool ok = true;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        ok = ok && text_is_utf8(texts[i]);
    for (unsigned i = 0; i < a->destination_count; i++)
        ok = ok && text_is_utf8(a->destinations[i]);
    return ok;
}

/* All but the arguments, which may be long: they go where *ret_at says. */
static void write_all(struct buf *to, const struct approval_action *a,
                      size_t *ret_at)
{
    struct jcs w;

    jcs_begin(&w, to);
    jcs_object(&w);
    jcs_pair_str(&w, STR("action"), a->action);
    jcs_name(&w, STR("arguments"));
    jcs_raw(&w, a->arguments.len > 0 ? (struct str){NULL, 0} : STR("null"));
    *ret_at = to->len;
    jcs_pair_str(&w, STR("audience"), a->audience);
    add_chain(&w, a->chain);
    add_destinations(&w, a);
    jcs_pair_str(&w, STR("purpose"), a->purpose);
    jcs_name(&w, STR("resource"));
    jcs_object(&w);
    jcs_pair_str(&w, STR("id"), a->resource);
    jcs_pair_str(&w, STR("type"), a->resource_type);
    jcs_end(&w);
    jcs_name(&w, STR("session"));
    jcs_hex(&w, a->session_root, APPROVAL_SESSION_LEN);
    jcs_pair_str(&w, STR("task"), a->task);
    jcs_pair_str(&w, STR("tenant"), a->tenant);
    add_tool(&w, a->tool);
    jcs_end(&w);
}

enum err approval_digest(const struct approval_action *a, struct hash *ret)
{
    struct buf text;
    size_t at = 0;

    if (a->destination_count > DESTINATIONS_MAX)
        return ERR_LIMIT;
    if (!are_texts(a))
        return ERR_MALFORMED;
    buf_init(&text, TEXT_MAX);
    write_all(&text, a, &at);
    bool ok = buf_ok(&text);
    if (ok) {
        const struct str all = buf_str(&text);
        const struct str pieces[] = {str_first(all, at), a->arguments,
                                     str_skip(all, at)};
        *ret = hash_sha256(pieces, 3);
    }
    buf_release(&text);
    return ok ? ERR_OK : ERR_NO_MEMORY;
}
