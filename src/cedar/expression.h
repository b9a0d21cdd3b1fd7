/*
 * expression.h - parsing what stands in conditions: expression.c has the
 * operators, operand.c what they are applied to.
 */
#ifndef CEDAR_EXPRESSION_H
#define CEDAR_EXPRESSION_H

#include "cedar/parser.h"

/* Adds the nodes of one expression, which becomes one more operand. */
bool expression_parse(struct parser *p);

#endif
