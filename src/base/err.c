/* err.c - see err.h. */
#include "base/err.h"

#include <assert.h>

static const struct {
    const char *name;
    const char *code;
    const char *text;
    int http_status;
} errs[ERR_COUNT] = {
#define X(name, http, code, text) [name] = {#name, code, text, http},
    ERR_LIST(X)
#undef X
};

const char *err_name(enum err e)
{
    assert((unsigned)e < ERR_COUNT);
    return errs[e].name;
}

const char *err_code(enum err e)
{
    assert((unsigned)e < ERR_COUNT);
    return errs[e].code;
}

const char *err_text(enum err e)
{
    assert((unsigned)e < ERR_COUNT);
    return errs[e].text;
}

int err_http_status(enum err e)
{
    assert((unsigned)e < ERR_COUNT);
    return errs[e].http_status;
}
