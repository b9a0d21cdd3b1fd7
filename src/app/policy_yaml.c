/* policy_yaml.c - see policy_yaml.h. */
#include "app/policy_yaml.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/num.h"
#include "base/text.h"
#include "policy/rules_report.h"

void policy_yaml_error(struct policy_yaml *y, const struct yaml_node *at,
                       const char *format, ...)
{
    char text[RULES_TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    rules_report(y->errors, y->file, yaml_line(at), yaml_column(at), "%s",
                 text);
}

bool policy_yaml_text(struct policy_yaml *y, const struct yaml_node *node,
                      struct str *ret)
{
    if (node == NULL)
        return false;
    if (yaml_type(node) != YAML_SCALAR) {
        policy_yaml_error(y, node, "a text is wanted");
        return false;
    }
    if (!arena_copy(y->arena, yaml_text(node), ret)) {
        y->full = true;
        return false;
    }
    return true;
}

/* The text of a scalar without quotes; anything else is empty. */
static struct str plain(const struct yaml_node *node)
{
    return yaml_is_quoted(node) ? STR("") : yaml_text(node);
}

bool policy_yaml_bool(struct policy_yaml *y, const struct yaml_node *node,
                      bool *ret)
{
    if (node == NULL)
        return false;
    bool yes = str_eq(plain(node), STR("true"));
    if (!yes && !str_eq(plain(node), STR("false"))) {
        policy_yaml_error(y, node, "true or false is wanted");
        return false;
    }
    *ret = yes;
    return true;
}

bool policy_yaml_count(struct policy_yaml *y, const struct yaml_node *node,
                       uint64_t *ret)
{
    if (node == NULL)
        return false;
    if (num_u64(plain(node), INT64_MAX, ret))
        return true;
    policy_yaml_error(y, node, "a whole number from 0 is wanted");
    return false;
}

bool policy_yaml_duration(struct policy_yaml *y, const struct yaml_node *node,
                          int64_t *ret_ms)
{
    if (node == NULL)
        return false;
    if (num_duration_ms(yaml_text(node), ret_ms))
        return true;
    policy_yaml_error(y, node, "a duration like 30s or 10m is wanted");
    return false;
}

bool policy_yaml_words(struct policy_yaml *y, const struct yaml_node *node,
                       struct names *ret)
{
    if (node == NULL)
        return false;
    bool is_list = yaml_type(node) == YAML_LIST;
    size_t count = is_list ? yaml_count(node) : 1;
    struct str *at = ARENA_NEW(y->arena, struct str, count);
    if (at == NULL) {
        y->full = true;
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!policy_yaml_text(y, is_list ? yaml_at(node, i) : node, &at[i]))
            return false;
    }
    *ret = (struct names){at, count};
    return true;
}

static bool is_key(struct str word, const char *const *keys)
{
    while (*keys != NULL && !str_eq(word, str_from(*keys)))
        keys++;
    return *keys != NULL;
}

static const char *nearest(struct str word, const char *const *keys)
{
    const char *best = NULL;
    unsigned least = 3;
    for (; *keys != NULL; keys++) {
        unsigned d = text_distance(word, str_from(*keys));
        if (d < least) {
            least = d;
            best = *keys;
        }
    }
    return best;
}

bool policy_yaml_map(struct policy_yaml *y, const struct yaml_node *node,
                     const char *const *keys)
{
    if (yaml_type(node) != YAML_MAP) {
        policy_yaml_error(y, node,
                          "a map is wanted, beginning with %s:", keys[0]);
        return false;
    }
    for (size_t i = 0; i < yaml_count(node); i++) {
        const struct yaml_node *key = yaml_key_at(node, i);
        struct str word = str_first(yaml_text(key), 60);
        if (is_key(yaml_text(key), keys))
            continue;
        const char *meant = nearest(word, keys);
        policy_yaml_error(y, key, "there is no key \"%.*s\" here%s%s%s",
                          STR_FMT(word), meant == NULL ? "" : "; did you mean ",
                          meant == NULL ? "" : meant, meant == NULL ? "" : "?");
    }
    return true;
}
