/* demo_text.h - the files that `writ demo` writes. */
#ifndef APP_DEMO_TEXT_H
#define APP_DEMO_TEXT_H

#include "base/buf.h"

/* The line of the policies about tools that is shown. */
#define DEMO_TEXT_PATHS                                                        \
    "when { context.input.path like \"public/*\" && !(context.input.path "     \
    "like \"*..*\") };"

/* `tools` is the program of the server of tools. */
void demo_text_config(struct buf *to, unsigned port, unsigned provider_port,
                      struct str tools);

struct str demo_text_models(void); /* policies, in force from the start */
struct str demo_text_tools(void);  /* likewise */
struct str demo_text_large(void);  /* the one that is added later */
struct str demo_text_shadow(void); /* evaluated beside them */

#endif
