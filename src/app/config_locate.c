/* config_locate.c - see config_locate.h. */
#include "app/config_locate.h"

#include "base/num.h"
#include "codec/yaml.h"

/* The key of `node` that `path` begins with, the longest: names have dots,
 * too. */
static const struct yaml_node *step_key(const struct yaml_node *node,
                                        struct str path, size_t *ret_len)
{
    const struct yaml_node *best = NULL;
    *ret_len = 0;
    for (size_t i = 0, n = yaml_count(node); i < n; i++) {
        struct str key = yaml_text(yaml_key_at(node, i));
        bool ends = str_starts(path, key) &&
                    (path.len == key.len || path.ptr[key.len] == '.' ||
                     path.ptr[key.len] == '[');
        if (ends && key.len > *ret_len) {
            best = yaml_at(node, i);
            *ret_len = key.len;
        }
    }
    return best;
}

static const struct yaml_node *step_index(const struct yaml_node *node,
                                          struct str path, size_t *ret_len)
{
    size_t end = str_find(path, ']');
    uint64_t i;
    *ret_len = end + 1;
    if (end == path.len ||
        !num_u64(str_skip(str_first(path, end), 1), SIZE_MAX, &i))
        return NULL;
    return yaml_at(node, (size_t)i);
}

struct config_place config_locate(const struct yaml_node *root, struct str path)
{
    const struct yaml_node *at = root;
    struct str left = path;
    while (left.len > 0) {
        size_t len = 0;
        const struct yaml_node *next =
            left.ptr[0] == '['          ? step_index(at, left, &len)
            : yaml_type(at) == YAML_MAP ? step_key(at, left, &len)
                                        : NULL;
        if (next == NULL)
            break;
        at = next;
        left = str_skip(left, len);
        if (left.len > 0 && left.ptr[0] == '.')
            left = str_skip(left, 1);
    }
    return (struct config_place){yaml_line(at), yaml_column(at), path};
}
