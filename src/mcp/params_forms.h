/*
 * params_forms.h - the allow-lists of params.h and tool.h, as tables.
 */
#ifndef MCP_PARAMS_FORMS_H
#define MCP_PARAMS_FORMS_H

#include "mcp/form.h"
#include "mcp/method.h"

/* The form of the params of `m`; never NULL. */
const struct form *params_forms_of(enum method m);

/* A tool's definition, as servers list it. */
extern const struct form params_forms_tool;

/* The result of tools/list; its tools are checked one by one. */
extern const struct form params_forms_tools;

/* The result of `initialize`. */
extern const struct form params_forms_initialized;

#endif
