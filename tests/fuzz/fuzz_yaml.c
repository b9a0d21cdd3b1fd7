/* layers: codec base */
/* Property: a tree's keys are unique and found, its places are in the file. */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "codec/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void visit(const struct yaml_node *node, size_t lines, size_t depth)
{
    assert(depth <= YAML_DEPTH_MAX);
    assert(yaml_line(node) >= 1 && yaml_line(node) <= lines);
    assert(yaml_column(node) >= 1);
    bool is_scalar = yaml_type(node) == YAML_SCALAR;
    assert(yaml_count(node) == 0 || !is_scalar);
    assert(!yaml_is_quoted(node) || is_scalar);
    assert(str_find(yaml_text(node), '\0') == yaml_text(node).len);

    for (size_t i = 0; i < yaml_count(node); i++) {
        const struct yaml_node *value = yaml_at(node, i);
        const struct yaml_node *key = yaml_key_at(node, i);
        assert(value != NULL);
        assert((key != NULL) == (yaml_type(node) == YAML_MAP));
        if (key != NULL) {
            assert(yaml_type(key) == YAML_SCALAR);
            assert(yaml_get(node, yaml_text(key)) == value);
        }
        visit(value, lines, depth + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 64 * KIB)
        return 0;
    struct arena a;
    const struct yaml_node *root = NULL;
    struct yaml_error error = {0};
    arena_init(&a, 16 * MIB);

    /* libyaml also ends lines at NEL, LS and PS, so count bytes. */
    enum err e =
        yaml_read(&a, (struct str){(const char *)data, size}, &root, &error);
    if (e == ERR_OK) {
        visit(root, size + 1, 0);
    } else {
        assert(e == ERR_MALFORMED && root == NULL);
        assert(error.what != NULL && error.line >= 1 && error.column >= 1);
        assert(error.line <= size + 1);
    }
    arena_release(&a);
    return 0;
}
