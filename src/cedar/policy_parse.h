/*
 * policy_parse.h - one policy: annotations, effect, scope, conditions.
 */
#ifndef CEDAR_POLICY_PARSE_H
#define CEDAR_POLICY_PARSE_H

#include "cedar/parser.h"

/* From its first token to behind its semicolon. */
bool policy_parse(struct parser *p);

#endif
