/* cedar_schema.c - loading schemas; see cedar_schema.h. */
#include "cedar/cedar_schema.h"

#include <stdlib.h>

#include "cedar/schema_load.h"

enum err cedar_schema_load(struct str text, struct cedar_errors *ret_errors,
                           struct cedar_schema **ret)
{
    return schema_load(text, false, ret_errors, NULL, ret);
}

enum err cedar_schema_load_json(struct str json,
                                struct cedar_errors *ret_errors,
                                struct cedar_schema **ret)
{
    return schema_load(json, true, ret_errors, NULL, ret);
}

void cedar_schema_free(struct cedar_schema *s)
{
    if (s == NULL)
        return;
    arena_release(&s->arena);
    free(s);
}
