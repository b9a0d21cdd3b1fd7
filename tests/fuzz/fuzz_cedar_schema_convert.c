/* layers: cedar codec base */
/*
 * Property: a schema in text has a form in JSON, and that has one in text
 * again; a schema in JSON has one in text or is refused for a reason; all of
 * them mean the same, for what is written is read again and compared.
 */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "cedar/cedar.h"
#include "cedar/cedar_schema_convert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(struct str text)
{
    struct cedar_errors errors;
    struct buf json;
    struct buf again;
    buf_init(&json, 256 * MIB);
    buf_init(&again, 256 * MIB);
    enum err e = cedar_schema_convert_text(text, &errors, &json);
    assert(e == ERR_OK);
    e = cedar_schema_convert_json(buf_str(&json), &errors, &again);
    assert(e == ERR_OK);
    buf_release(&json);
    buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct cedar_errors errors;
    struct cedar_schema *schema;
    struct buf other;
    if (cedar_schema_load(text, NULL, &schema) == ERR_OK) {
        cedar_schema_free(schema);
        check_text(text);
    }
    buf_init(&other, 256 * MIB);
    if (cedar_schema_convert_json(text, &errors, &other) == ERR_OK)
        check_text(buf_str(&other));
    else
        assert(errors.count > 0 && errors.at[0].text[0] != '\0');
    buf_release(&other);
    return 0;
}
