#ifndef ACC_X
#define ACC_X
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
struct accounts;
struct loop;
struct store;
MUST_CHECK enum err accounts_new(struct loop *l, struct store *s,
                                 struct str key, struct accounts **ret);
void accounts_free(struct accounts *a);
#endif
