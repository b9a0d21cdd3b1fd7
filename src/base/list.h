/*
 * list.h - intrusive, circular, doubly linked list.
 *
 * A head is a node that belongs to no object.  An object that is on no list
 * has a node that was list_init()ed or list_remove()d, so list_remove() is
 * always safe and may be called twice.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/container.h"

struct list {
    struct list *next;
    struct list *prev;
};

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

/* Puts `node`, which is on no list, before `head`: at the end. */
static inline void list_push(struct list *head, struct list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

/* Puts `node`, which is on no list, after `head`: at the front. */
static inline void list_push_front(struct list *head, struct list *node)
{
    list_push(head->next, node);
}

static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* Moves all nodes of `from` to the end of `to`. */
static inline void list_move(struct list *to, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    from->prev->next = to;
    to->prev->next = from->next;
    to->prev = from->prev;
    list_init(from);
}

/* The first node, or NULL when empty. */
static inline struct list *list_first(const struct list *head)
{
    return list_empty(head) ? NULL : head->next;
}

/* `it` may be removed inside the loop; `next` holds the one after it. */
/* NOLINTBEGIN(bugprone-macro-parentheses): names that the loop declares */
#define LIST_EACH(it, next_it, head)                                           \
    for (struct list *it = (head)->next, *next_it = it->next; it != (head);    \
         it = next_it, next_it = it->next)
/* NOLINTEND(bugprone-macro-parentheses) */

#endif
