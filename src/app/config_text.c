/* config_text.c - see config_text.h. */
#include "app/config_text.h"

#include "base/limits.h"
#include "base/text.h"

enum { EXPANDED_MAX = 64 * 1024, QUOTE_MAX = 60 };

bool config_text_is_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool first = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!first && (i == 0 || (c != '_' && c != '.' && c != '-')))
            return false;
    }
    return s.len > 0 && s.len <= NAME_MAX_LEN;
}

bool config_text_is_env(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return s.len > 0 && s.len <= NAME_MAX_LEN;
}

/* Takes "${NAME}" off the front of `left`. */
static bool expand_one(struct str *left, struct buf *to, struct buf *why)
{
    size_t end = str_find(*left, '}');
    struct str name = {left->ptr + 2, end - 2}; /* `left` begins with "${" */
    if (end == left->len || !config_text_is_env(name)) {
        BUF_LIT(why, "\"${\" begins no ${NAME} of an environment variable; a "
                     "literal one is written \"$${\"");
        return false;
    }
    char z[NAME_MAX_LEN + 1] = {0};
    memcpy(z, name.ptr, name.len);
    const char *value = secure_getenv(z);
    if (value == NULL) {
        buf_addf(why, "the environment variable %s is not set", z);
        return false;
    }
    buf_add(to, str_from(value));
    *left = str_skip(*left, end + 1);
    return true;
}

static bool expand(struct str left, struct buf *to, struct buf *why)
{
    while (left.len > 0) {
        size_t plain = str_find(left, '$');
        buf_add(to, str_first(left, plain));
        left = str_skip(left, plain);
        if (str_starts(left, STR("$${"))) {
            BUF_LIT(to, "${");
            left = str_skip(left, 3);
        } else if (str_starts(left, STR("${"))) {
            if (!expand_one(&left, to, why))
                return false;
        } else if (left.len > 0) {
            buf_add_char(to, '$');
            left = str_skip(left, 1);
        }
    }
    return true;
}

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x20 || c == 0x7f)
            return true;
    }
    return false;
}

bool config_text_expand(struct config_value *v, struct buf *why)
{
    v->text = v->raw;
    if (str_find(v->raw, '$') < v->raw.len) {
        struct buf to;
        buf_init(&to, EXPANDED_MAX);
        bool ok = expand(v->raw, &to, why);
        bool fits =
            !ok || (buf_ok(&to) && arena_copy(v->a, buf_str(&to), &v->text));
        buf_release(&to);
        v->full |= !fits;
        if (!ok || !fits)
            return false;
    }
    if (has_control(v->text) || !text_is_utf8(v->text)) {
        config_text_quote(why, v);
        BUF_LIT(why, " has control characters or is not UTF-8");
        return false;
    }
    return true;
}

void config_text_quote(struct buf *to, const struct config_value *v)
{
    /* What a URL carries beside a place may be a secret. */
    bool userinfo =
        (v->row->type == CONFIG_URL || v->row->type == CONFIG_ENDPOINT) &&
        str_find(v->raw, '@') < v->raw.len;
    bool query =
        v->row->type == CONFIG_ENDPOINT && str_find(v->raw, '?') < v->raw.len;
    if (v->row->secret || userinfo || query) {
        BUF_LIT(to, "the value");
        return;
    }
    buf_add_char(to, '"');
    /* What a variable holds may be a secret that was put in a wrong place. */
    struct str s = v->raw;
    size_t done = 0;
    while (done < s.len && done < QUOTE_MAX) {
        size_t len = text_utf8_len(str_skip(s, done));
        unsigned char c = (unsigned char)s.ptr[done];
        if (len == 0 || c < 0x20 || c == 0x7f)
            buf_addf(to, "\\x%02x", c);
        else
            buf_add(to, (struct str){s.ptr + done, len});
        done += len == 0 ? 1 : len;
    }
    buf_add(to, done < s.len ? STR("...\"") : STR("\""));
}
