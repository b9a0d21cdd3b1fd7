/* emit.c - see emit.h. */
#include "cedar/emit.h"

#include <assert.h>

uint32_t emit_here(const struct parser *p)
{
    return (uint32_t)p->set->nodes.count;
}

bool emit_land(struct parser *p, uint32_t jump)
{
    p->set->nodes.at[jump].a = emit_here(p);
    return true;
}

bool emit_all_constant(const struct parser *p, size_t count)
{
    assert(count <= p->constants.count);
    for (size_t i = p->constants.count - count; i < p->constants.count; i++)
        if (p->constants.at[i].kind == CEDAR_NOTHING)
            return false;
    return true;
}

const struct cedar_value *emit_constants(const struct parser *p, size_t count)
{
    assert(count <= p->constants.count);
    return count == 0 ? NULL : p->constants.at + p->constants.count - count;
}

static bool add(struct parser *p, struct program_node node, size_t offset,
                uint32_t start)
{
    struct cedar_policies *set = p->set;
    if (!PROGRAM_ROOM(set->nodes) || !PROGRAM_ROOM(set->starts) ||
        !PROGRAM_ROOM(set->offsets) || set->nodes.count == UINT32_MAX)
        return parser_no_memory(p);
    set->nodes.at[set->nodes.count++] = node;
    set->starts.at[set->starts.count++] = start;
    set->offsets.at[set->offsets.count++] = (uint32_t)offset;
    return true;
}

static bool push(struct parser *p, uint32_t start, struct cedar_value constant)
{
    if (!PROGRAM_ROOM(p->constants) || !PROGRAM_ROOM(p->starts))
        return parser_no_memory(p);
    p->constants.at[p->constants.count++] = constant;
    p->starts.at[p->starts.count++] = start;
    if (p->constants.count > p->set->stack_max)
        p->set->stack_max = p->constants.count;
    return true;
}

static void pop(struct parser *p, size_t operands)
{
    assert(operands <= p->constants.count);
    p->constants.count -= operands;
    p->starts.count -= operands;
}

bool emit_node(struct parser *p, struct program_node node, size_t offset,
               size_t operands)
{
    if (operands == 0)
        return add(p, node, offset, emit_here(p));
    pop(p, operands);
    uint32_t start = p->starts.at[p->starts.count];
    return add(p, node, offset, start) &&
           push(p, start, (struct cedar_value){0});
}

bool emit_operand(struct parser *p, struct program_node node, size_t offset,
                  struct cedar_value constant)
{
    uint32_t start = emit_here(p);
    return add(p, node, offset, start) && push(p, start, constant);
}

bool emit_close(struct parser *p, struct program_node node, uint32_t open,
                size_t operands, struct cedar_value constant)
{
    pop(p, operands);
    if (!add(p, node, p->set->offsets.at[open], open))
        return false;
    if (constant.kind != CEDAR_NOTHING) {
        struct cedar_value *kept =
            arena_alloc_raw(&p->set->arena, sizeof(*kept));
        if (kept == NULL)
            return parser_no_memory(p);
        *kept = constant;
        p->set->nodes.at[open].as.kept = kept;
        (void)emit_land(p, open);
    }
    return push(p, open, constant);
}
