/* init_text.h - what `writ init` writes. */
#ifndef APP_INIT_TEXT_H
#define APP_INIT_TEXT_H

#include "base/str.h"

/* A first writ.yaml, and the first file of the policies that it names. */
struct str init_text_config(void);
struct str init_text_policies(void);

#endif
