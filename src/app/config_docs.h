/* config_docs.h - the table of settings as a page, docs/configuration.md. */
#ifndef APP_CONFIG_DOCS_H
#define APP_CONFIG_DOCS_H

#include "base/buf.h"

/* The page, byte for byte; check buf_ok() at the end. */
void config_docs_markdown(struct buf *to);

#endif
