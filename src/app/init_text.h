/* init_text.h - the first configuration of a new node. */
#ifndef APP_INIT_TEXT_H
#define APP_INIT_TEXT_H

#include "base/buf.h"

/* Appends a commented writ.yaml with one caller, whose key's hash is `hash`;
 * check buf_ok(). */
void init_text_config(struct buf *to, const char *hash);

#endif
