/* layers: cedar codec base */
/*
 * Property: formatting keeps the trees and the comments, and doing it twice
 * changes nothing.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "cedar/cedar.h"
#include "cedar/cedar_format.h"
#include "cedar/equal.h"
#include "cedar/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_comments(struct str from, struct str to)
{
    struct layout a = {0};
    struct layout b = {0};
    bool ok = layout_scan(&a, from) && layout_scan(&b, to);
    assert(ok && a.comments.count == b.comments.count);
    for (size_t i = 0; i < a.comments.count; i++)
        assert(str_eq(a.comments.at[i].text, b.comments.at[i].text));
    layout_release(&a);
    layout_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct cedar_policies *a = NULL;
    struct cedar_policies *b = NULL;
    struct buf to;
    struct buf again;
    if (cedar_policies_load(text, NULL, &a) != ERR_OK)
        return 0;
    buf_init(&to, 64 * MIB);
    buf_init(&again, 64 * MIB);
    enum err e = cedar_format_policies(text, NULL, &to);
    assert(e == ERR_OK);
    e = cedar_policies_load(buf_str(&to), NULL, &b);
    assert(e == ERR_OK && equal_sets(a, b));
    e = cedar_format_policies(buf_str(&to), NULL, &again);
    assert(e == ERR_OK && str_eq(buf_str(&to), buf_str(&again)));
    check_comments(text, buf_str(&to));
    cedar_policies_free(a);
    cedar_policies_free(b);
    buf_release(&to);
    buf_release(&again);
    return 0;
}
