/*
 * config_schema.h - the table of settings as a JSON Schema (2020-12) for
 * editors.
 *
 * It says what config_load() does, but for what one key cannot show
 * (references, contradictions); check buf_ok() at the end.
 */
#ifndef APP_CONFIG_SCHEMA_H
#define APP_CONFIG_SCHEMA_H

#include "base/buf.h"

/* Enough, by far. */
#define CONFIG_SCHEMA_MAX ((size_t)1024 * 1024)

/* An indented document. */
void config_schema_json(struct buf *to);

#endif
