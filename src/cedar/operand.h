/*
 * operand.h - parsing one operand: unary operators, a primary, accesses.
 */
#ifndef CEDAR_OPERAND_H
#define CEDAR_OPERAND_H

#include "cedar/parser.h"

/* Adds its nodes; it becomes one more operand. */
bool operand_parse(struct parser *p);

#endif
