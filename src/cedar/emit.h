/*
 * emit.h - adding nodes, and keeping track of what they leave on the stack.
 */
#ifndef CEDAR_EMIT_H
#define CEDAR_EMIT_H

#include "cedar/parser.h"

/*
 * Adds a node that takes `operands` off the stack and leaves one; with 0 it
 * is a jump or OPEN, which leaves the stack as it is.
 */
bool emit_node(struct parser *p, struct program_node node, size_t offset,
               size_t operands);

/* Adds a node that puts one operand on the stack, a constant or not. */
bool emit_operand(struct parser *p, struct program_node node, size_t offset,
                  struct cedar_value constant);

/*
 * As emit_node() for what began with the OPEN at node `open`.  If it is a
 * constant, OPEN yields it and the nodes between never run.
 */
bool emit_close(struct parser *p, struct program_node node, uint32_t open,
                size_t operands, struct cedar_value constant);

/* The number that the next node will have. */
uint32_t emit_here(const struct parser *p);

/* Makes the jump at node `jump` go to the next node; true. */
bool emit_land(struct parser *p, uint32_t jump);

/* True when the last `count` operands are constants. */
bool emit_all_constant(const struct parser *p, size_t count);

/* They, or NULL for none. */
const struct cedar_value *emit_constants(const struct parser *p, size_t count);

#endif
