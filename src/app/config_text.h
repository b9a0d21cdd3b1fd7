/*
 * config_text.h - the text of a scalar: variables filled in, shown in
 * messages, recognised as a name.
 */
#ifndef APP_CONFIG_TEXT_H
#define APP_CONFIG_TEXT_H

#include <stdbool.h>

#include "app/config_value.h"

/*
 * v->raw to v->text: "${NAME}" is the environment variable, "$${" a literal
 * "${".  False: `why` says why, or v->full; control characters and what is
 * not UTF-8 are refused, too.
 */
MUST_CHECK bool config_text_expand(struct config_value *v, struct buf *why);

/* Appends v->raw in quotes: escaped, cut when long, hidden when secret. */
void config_text_quote(struct buf *to, const struct config_value *v);

/* [a-z0-9][a-z0-9_.-]*, at most NAME_MAX_LEN bytes. */
bool config_text_is_name(struct str s);

/* The name of an environment variable: [A-Za-z_][A-Za-z0-9_]*. */
bool config_text_is_env(struct str s);

#endif
