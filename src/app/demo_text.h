/* demo_text.h - the files that `writ demo` writes. */
#ifndef APP_DEMO_TEXT_H
#define APP_DEMO_TEXT_H

#include "base/buf.h"

void demo_text_config(struct buf *to, unsigned port, unsigned provider_port);

struct str demo_text_policies(void); /* in force from the start */
struct str demo_text_large(void);    /* the one that is added later */
struct str demo_text_shadow(void);   /* evaluated beside them */

#endif
