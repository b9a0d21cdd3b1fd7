/* policy_json.c - see policy_json.h. */
#include "app/policy_json.h"

#include "base/limits.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits(struct str s, size_t at)
{
    while (at < s.len && is_digit(s.ptr[at]))
        at++;
    return at;
}

/* RFC 8259, section 6. */
static bool is_number(struct str s)
{
    size_t at = s.len > 0 && s.ptr[0] == '-';
    size_t whole = digits(s, at);
    if (whole == at || (whole > at + 1 && s.ptr[at] == '0'))
        return false;
    at = whole;
    if (at < s.len && s.ptr[at] == '.') {
        size_t end = digits(s, at + 1);
        if (end == at + 1)
            return false;
        at = end;
    }
    if (at < s.len && (s.ptr[at] == 'e' || s.ptr[at] == 'E')) {
        at++;
        at += at < s.len && (s.ptr[at] == '+' || s.ptr[at] == '-');
        size_t end = digits(s, at);
        if (end == at)
            return false;
        at = end;
    }
    return at == s.len;
}

static void write_scalar(struct buf *to, const struct yaml_node *node)
{
    struct str s = yaml_text(node);
    bool plain =
        !yaml_is_quoted(node) &&
        (str_eq(s, STR("true")) || str_eq(s, STR("false")) || is_number(s));
    if (plain)
        buf_add(to, s);
    else
        json_write_str(to, s);
}

/* Recurses as deep as YAML nests, which is bounded. */
static void write_node(struct buf *to, const struct yaml_node *node)
{
    enum yaml_type type = yaml_type(node);
    if (type == YAML_NULL) {
        BUF_LIT(to, "null");
        return;
    }
    if (type == YAML_SCALAR) {
        write_scalar(to, node);
        return;
    }
    bool is_map = type == YAML_MAP;
    buf_add_char(to, is_map ? '{' : '[');
    for (size_t i = 0; i < yaml_count(node); i++) {
        if (i > 0)
            buf_add_char(to, ',');
        if (is_map) {
            json_write_str(to, yaml_text(yaml_key_at(node, i)));
            buf_add_char(to, ':');
        }
        write_node(to, yaml_at(node, i));
    }
    buf_add_char(to, is_map ? '}' : ']');
}

const struct json *policy_json_read(struct policy_yaml *y,
                                    const struct yaml_node *node)
{
    const struct json *json = NULL;
    struct json_error why = {.what = "it is too large"};
    struct buf text;
    if (node == NULL)
        return NULL;
    buf_init(&text, 8 * CONFIG_FILE_MAX); /* escapes make it longer */
    write_node(&text, node);
    enum err e = buf_ok(&text)
                     ? json_read(y->arena, buf_str(&text), &json, &why)
                     : ERR_NO_MEMORY;
    buf_release(&text);
    if (e == ERR_MALFORMED)
        policy_yaml_error(y, node, "this is no JSON: %s", why.what);
    else if (e != ERR_OK)
        y->full = true;
    return e == ERR_OK ? json : NULL;
}
