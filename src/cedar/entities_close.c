/*
 * entities_close.c - the ancestors of every entity, parents first.
 *
 * Depth-first with a stack of its own.  The work is bounded in proportion to
 * the number of uids: a chain of n entities has n * n / 2 ancestors, and a
 * file that asks for that is refused rather than obeyed.
 */
#include <stdlib.h>

#include "base/attr.h"
#include "base/limits.h"
#include "cedar/entities.h"
#include "cedar/errors.h"
#include "cedar/sort.h"

/* Ancestors looked at, in all: enough for a chain of some 3,000 entities or
 * for 256 ancestors of everybody. */
#define WORK_MIN (4 * MIB)
enum { WORK_PER_UID = 256 };

/* A store for one request is this small; it needs no memory of the heap. */
enum { UIDS_FEW = 64, GATHERED_FIRST = 16 };

enum { UNSEEN = 0, OPENED, DONE };

struct closing {
    struct cedar_entities *entities;
    struct arena *arena;
    uint8_t *states; /* by uid */
    struct frame {
        uint32_t uid, parent; /* the parent to look at next */
    } *stack;
    size_t depth;
    struct {
        uint32_t *at; /* the newest of the arena's, which then is kept */
        size_t count, room;
    } gathered;
    size_t work, work_max;
};

static int order(const void *a, const void *b)
{
    const uint32_t *left = a;
    const uint32_t *right = b;
    return (*left > *right) - (*left < *right);
}

static bool gather(struct closing *c, uint32_t uid)
{
    if (++c->work > c->work_max)
        return false;
    if (c->gathered.count == c->gathered.room) {
        size_t bytes = c->gathered.room * sizeof(uid);
        void *grown = arena_resize(c->arena, c->gathered.at, bytes, 2 * bytes);
        if (grown == NULL)
            return false;
        c->gathered.at = grown;
        c->gathered.room *= 2;
    }
    c->gathered.at[c->gathered.count++] = uid;
    return true;
}

static bool gather_first(struct closing *c)
{
    c->gathered.at =
        arena_alloc_raw(c->arena, GATHERED_FIRST * sizeof(*c->gathered.at));
    c->gathered.count = 0;
    c->gathered.room = GATHERED_FIRST;
    return c->gathered.at != NULL;
}

/* A parent and its ancestors, which are known; ascending. */
static bool gather_parent(struct closing *c, uint32_t parent)
{
    const struct cedar_entities *e = c->entities;
    const struct entities_entity *found = &e->entities[parent];
    bool placed = false;
    if (found->attributes == NULL)
        found = entities_find(e->base, &e->uids[parent]);
    for (uint32_t i = 0; found != NULL && i < found->ancestor_count; i++) {
        uint32_t uid = found->ancestors[i];
        if (found->store != e) /* both stores have the same order */
            uid = entities_uid(e, &found->store->uids[uid]);
        if (!placed && parent < uid) {
            placed = true;
            if (!gather(c, parent))
                return false;
        }
        if (!gather(c, uid))
            return false;
    }
    return placed || gather(c, parent);
}

static bool finish(struct closing *c, struct entities_entity *entity)
{
    if (entity->parent_count == 0)
        return true;
    if (!gather_first(c))
        return false;
    for (uint32_t i = 0; i < entity->parent_count; i++)
        if (!gather_parent(c, entity->parents[i]))
            return false;
    uint32_t spare;
    uint32_t kept = 0;
    uint32_t *all = c->gathered.at;
    if (entity->parent_count > 1)
        sort_array(all, c->gathered.count, sizeof(spare), order, &spare);
    for (size_t i = 0; i < c->gathered.count; i++) {
        if (kept > 0 && all[kept - 1] == all[i])
            continue;
        all[kept++] = all[i];
        entity->bloom |= entities_bloom(&c->entities->uids[all[i]]);
    }
    arena_shrink(c->arena, all, c->gathered.room * sizeof(*all),
                 kept * sizeof(*all));
    entity->ancestors = all;
    entity->ancestor_count = kept;
    return true;
}

/* Opens an entity and pushes it; a stranger is done at once. */
static void open_one(struct closing *c, uint32_t uid)
{
    if (c->entities->entities[uid].attributes == NULL) {
        c->states[uid] = DONE;
        return;
    }
    c->states[uid] = OPENED;
    c->stack[c->depth++] = (struct frame){uid, 0};
}

static enum err close_from(struct closing *c, uint32_t root,
                           struct cedar_errors *errors)
{
    open_one(c, root);
    while (c->depth > 0) {
        struct frame *top = &c->stack[c->depth - 1];
        struct entities_entity *entity = &c->entities->entities[top->uid];
        if (top->parent == entity->parent_count) {
            if (!finish(c, entity))
                return ERR_LIMIT;
            c->states[top->uid] = DONE;
            c->depth--;
            continue;
        }
        uint32_t parent = entity->parents[top->parent++];
        if (c->states[parent] == UNSEEN) {
            open_one(c, parent);
        } else if (c->states[parent] == OPENED) {
            const struct cedar_uid *uid = &c->entities->uids[parent];
            errors_add(errors, (struct str){0}, 0,
                       "%.*s::\"%.*s\" is its own ancestor",
                       STR_FMT(str_first(uid->type, 60)),
                       STR_FMT(str_first(uid->id, 60)));
            return ERR_MALFORMED;
        }
    }
    return ERR_OK;
}

enum err entities_close(struct cedar_entities *e, struct arena *a,
                        struct cedar_errors *errors)
{
    size_t n = e->uid_count + (size_t)1;
    bool few = n <= UIDS_FEW;
    uint8_t states[UIDS_FEW] = {0};
    struct frame stack[UIDS_FEW] UNINITIALIZED;
    struct closing c = {
        .entities = e,
        .arena = a,
        .states = few ? states : calloc(n, sizeof(*c.states)),
        .stack = few ? stack : calloc(n, sizeof(*c.stack)),
        .work_max = WORK_MIN + WORK_PER_UID * (size_t)e->uid_count,
    };
    enum err err = ERR_NO_MEMORY;
    if (c.states == NULL || c.stack == NULL)
        goto out;
    err = ERR_OK;
    for (uint32_t i = 0; err == ERR_OK && i < e->uid_count; i++)
        if (c.states[i] == UNSEEN)
            err = close_from(&c, i, errors);
    if (err == ERR_LIMIT)
        errors_add(errors, (struct str){0}, 0,
                   "the entities have too many ancestors, taken together");
out:
    if (!few) {
        free(c.states);
        free(c.stack);
    }
    return err;
}
