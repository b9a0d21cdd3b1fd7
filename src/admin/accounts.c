#include "admin/accounts.h"
enum err accounts_new(struct loop *l, struct store *s, struct str key,
                      struct accounts **ret)
{
    (void)l;
    (void)s;
    (void)key;
    *ret = NULL;
    return ERR_OK;
}
void accounts_free(struct accounts *a)
{
    (void)a;
}
