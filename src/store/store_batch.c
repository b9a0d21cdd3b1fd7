/* store_batch.c - statements and their values, copied into one arena. */
#include <assert.h>
#include <stdlib.h>

#include "base/text.h"
#include "store/store_call.h"
#include "store/table_projection.h"

enum err store_batch_new(struct store_batch **ret)
{
    struct store_batch *b = calloc(1, sizeof(*b));
    if (b == NULL)
        return ERR_NO_MEMORY;
    arena_init(&b->memory, STORE_BATCH_MAX);
    *ret = b;
    return ERR_OK;
}

void store_batch_free(struct store_batch *b)
{
    if (b == NULL)
        return;
    arena_release(&b->memory);
    free(b);
}

/* PostgreSQL has no NUL in a text; refusing it everywhere keeps them alike. */
static bool is_text(struct str s)
{
    return str_find(s, '\0') == s.len && text_is_utf8(s);
}

static enum err copy_value(struct arena *a, const struct store_value *from,
                           struct store_value *to)
{
    *to = *from;
    if (from->type != STORE_TEXT && from->type != STORE_BLOB)
        return ERR_OK;
    if (from->type == STORE_TEXT && !is_text(from->bytes))
        return ERR_MALFORMED;
    to->bytes.ptr = arena_strdup(a, from->bytes);
    return to->bytes.ptr == NULL ? ERR_LIMIT : ERR_OK;
}

enum err store_batch_add(struct store_batch *b, const struct store_sql *sql,
                         const struct store_value *params, size_t n)
{
    assert(n == sql->params);
    if (b->count == STORE_STATEMENTS_MAX || n > STORE_PARAMS_MAX)
        return ERR_LIMIT;
    struct store_value *copies = ARENA_NEW(&b->memory, struct store_value, n);
    if (copies == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; i < n; i++) {
        enum err e = copy_value(&b->memory, &params[i], &copies[i]);
        if (e != ERR_OK)
            return e;
    }
    b->statements[b->count++] = (struct store_statement){sql, copies};
    return ERR_OK;
}

enum err store_batch_once(struct store_batch *b, struct str name, int64_t index)
{
    assert(b->count == 0);
    enum err e = table_projection_claim(b, name, index);
    b->claims = b->count;
    assert(e != ERR_OK || b->claims == STORE_CLAIM_STATEMENT + 1);
    return e;
}
