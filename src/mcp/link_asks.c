/* link_asks.c - what the server asked and nobody has answered yet. */
#include <stdlib.h>

#include "mcp/link_core.h"

struct ask {
    struct list node;
    struct link_request *request; /* as part of which it is answered */
    struct message_id id;         /* points into `text` */
    char text[];
};

static struct ask *find(const struct link *l, struct message_id id)
{
    LIST_EACH(it, next, &l->asks)
    {
        struct ask *a = CONTAINER_OF(it, struct ask, node);
        if (message_id_eq(a->id, id))
            return a;
    }
    return NULL;
}

static struct link_request *drop(struct link *l, struct ask *a)
{
    struct link_request *r = a->request;
    list_remove(&a->node);
    free(a);
    l->ask_count--;
    r->asks--;
    return r;
}

enum err link_asks_add(struct link_request *r, struct message_id id)
{
    struct link *l = r->link;
    if (find(l, id) != NULL)
        return ERR_CONFLICT;
    if (l->ask_count >= LINK_ASKS_MAX)
        return ERR_OVERLOAD;
    struct ask *a = calloc(1, sizeof(*a) + id.text.len);
    if (a == NULL)
        return ERR_NO_MEMORY;
    a->request = r;
    a->id.type = id.type;
    if (id.text.len > 0)
        memcpy(a->text, id.text.ptr, id.text.len);
    a->id.text = (struct str){a->text, id.text.len};
    list_push(&l->asks, &a->node);
    l->ask_count++;
    r->asks++;
    return ERR_OK;
}

struct link_request *link_asks_find(const struct link *l, struct message_id id)
{
    struct ask *a = find(l, id);
    return a == NULL ? NULL : a->request;
}

struct link_request *link_asks_take(struct link *l, struct message_id id)
{
    struct ask *a = find(l, id);
    return a == NULL ? NULL : drop(l, a);
}

void link_asks_refuse(struct link *l, struct message_id id, int64_t code,
                      struct str text)
{
    struct buf out;
    if (!link_works(l))
        return;
    link_text_init(&out);
    message_write_error(&out, id, code, text, STR(""));
    if (buf_ok(&out))
        l->transport->tell(l, &out);
    buf_release(&out);
}

void link_asks_end(struct link_request *r)
{
    struct link *l = r->link;
    if (r->asks == 0)
        return;
    LIST_EACH(it, next, &l->asks)
    {
        struct ask *a = CONTAINER_OF(it, struct ask, node);
        if (a->request != r)
            continue;
        link_asks_refuse(l, a->id, FAULT_REQUEST,
                         STR("the request that this belonged to is over"));
        (void)drop(l, a);
    }
}

void link_asks_release(struct link *l)
{
    LIST_EACH(it, next, &l->asks)
    {
        (void)drop(l, CONTAINER_OF(it, struct ask, node));
    }
}
