/* layers: cedar codec base */
/*
 * Property: text to JSON to a set is the same set, and so is JSON to a set to
 * JSON; the text made of a set from JSON loads to the same trees with the
 * same places.  What is refused has a place in the document.
 */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "cedar/cedar.h"
#include "cedar/cedar_policy_json.h"
#include "cedar/equal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUTPUT_MAX ((size_t)256 * MIB)

/* Policies of the same id are the same; the order may differ. */
static void check_same(const struct cedar_policies *a,
                       const struct cedar_policies *b)
{
    assert(a->policies.count == b->policies.count);
    for (size_t i = 0; i < a->policies.count; i++) {
        size_t k = 0;
        while (!str_eq(a->policies.at[i].id, b->policies.at[k].id)) {
            k++;
            assert(k < b->policies.count);
        }
        assert(equal_policies(a, i, b, k));
    }
}

/* What was written loads again, if it does not nest too deep. */
static void check_json(const struct cedar_policies *p)
{
    struct cedar_policies *again = NULL;
    struct cedar_errors errors;
    struct buf json;
    buf_init(&json, OUTPUT_MAX);
    enum err e = cedar_policy_json_write_set(p, &json);
    assert(e == ERR_OK);
    e = cedar_policy_json_load(buf_str(&json), &errors, &again);
    assert(e == ERR_OK || e == ERR_LIMIT);
    if (e == ERR_OK)
        check_same(p, again);
    cedar_policies_free(again);
    buf_release(&json);
}

static void check_text(const struct cedar_policies *p)
{
    struct cedar_policies *again = NULL;
    struct cedar_errors errors;
    enum err e = cedar_policies_load(p->text, &errors, &again);
    if (e != ERR_OK) { /* JSON may nest deeper than text */
        assert(errors.at[0].offset > CEDAR_DEPTH_MAX);
        return;
    }
    assert(again->nodes.count == p->nodes.count);
    for (size_t i = 0; i < p->nodes.count; i++)
        assert(again->offsets.at[i] == p->offsets.at[i]);
    for (size_t i = 0; i < again->policies.count; i++)
        assert(equal_policies(p, i, again, i));
    cedar_policies_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct cedar_policies *p = NULL;
    struct cedar_errors errors;
    if (cedar_policies_load(text, &errors, &p) == ERR_OK) {
        check_json(p);
        cedar_policies_free(p);
        p = NULL;
    }
    enum err e = cedar_policy_json_load(text, &errors, &p);
    if (e == ERR_OK) {
        check_json(p);
        check_text(p);
        cedar_policies_free(p);
    } else {
        assert(errors.count > 0 && errors.at[0].offset <= size);
    }
    return 0;
}
