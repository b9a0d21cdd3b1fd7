/* config_value.c - see config_value.h. */
#include "app/config_value.h"

#include <assert.h>

#include "app/config_net.h"
#include "app/config_report.h"
#include "app/config_units.h"
#include "base/limits.h"
#include "base/num.h"
#include "base/text.h"

enum { EXPANDED_MAX = 64 * 1024, QUOTE_MAX = 60, HASH_BYTES = 32 };

static const char full[] = "takes more memory than a configuration may";

void config_value_quote(struct buf *to, const struct config_value *v)
{
    bool userinfo =
        v->row->type == CONFIG_URL && str_find(v->text, '@') < v->text.len;
    if (v->row->secret || userinfo) {
        BUF_LIT(to, "the value");
        return;
    }
    buf_add_char(to, '"');
    struct str s = v->text;
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

static bool refuse(const struct config_value *v, struct buf *why,
                   const char *what)
{
    config_value_quote(why, v);
    buf_addf(why, " %s", what);
    return false;
}

static bool is_env_name(struct str s)
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
    struct str name = str_first(str_skip(*left, 2), end > 2 ? end - 2 : 0);
    if (end == left->len || !is_env_name(name)) {
        BUF_LIT(why, "\"${\" begins no ${NAME} of an environment variable; a "
                     "literal one is written \"$${\"");
        return false;
    }
    char z[NAME_MAX_LEN + 1] = {0};
    memcpy(z, name.ptr, name.len);
    const char *value = getenv(z);
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

bool config_value_expand(struct config_value *v, struct buf *why)
{
    v->text = v->raw;
    if (str_find(v->raw, '$') < v->raw.len) {
        struct buf to;
        buf_init(&to, EXPANDED_MAX);
        bool ok = expand(v->raw, &to, why);
        bool fits =
            !ok || (buf_ok(&to) && arena_copy(v->a, buf_str(&to), &v->text));
        buf_release(&to);
        if (!fits)
            buf_add(why, str_from(full));
        if (!ok || !fits)
            return false;
    }
    if (has_control(v->text) || !text_is_utf8(v->text))
        return refuse(v, why, "has control characters or is not UTF-8");
    return true;
}

static bool keep(const struct config_value *v, struct str s, struct str *ret,
                 struct buf *why)
{
    if (arena_copy(v->a, s, ret))
        return true;
    buf_add(why, str_from(full));
    return false;
}

bool config_value_is_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool first = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!first && (i == 0 || (c != '_' && c != '.' && c != '-')))
            return false;
    }
    return s.len > 0 && s.len <= NAME_MAX_LEN;
}

bool config_value_name(const struct config_value *v, struct str *ret,
                       struct buf *why)
{
    if (!config_value_is_name(v->text))
        return refuse(v, why,
                      "is not a name; expected lower-case letters, digits, "
                      "'_', '.' and '-', beginning with a letter or a digit");
    return keep(v, v->text, ret, why);
}

bool config_value_string(const struct config_value *v, struct str *ret,
                         struct buf *why)
{
    size_t max = v->row->type == CONFIG_STRING && v->row->max > 0
                     ? (size_t)v->row->max
                     : NAME_MAX_LEN;
    if (v->text.len == 0) {
        BUF_LIT(why, "is empty");
        return false;
    }
    if (v->text.len > max) {
        buf_addf(why, "is longer than %zu bytes", max);
        return false;
    }
    return keep(v, v->text, ret, why);
}

static bool read_path(const struct config_value *v, struct str *ret,
                      struct buf *why)
{
    struct str path = v->text;
    while (str_starts(path, STR("./")) && path.len > 2)
        path = str_skip(path, 2);
    if (path.len == 0) {
        BUF_LIT(why, "is empty; expected a path");
        return false;
    }
    if (path.ptr[0] == '/' || v->folder.len == 0)
        return keep(v, path, ret, why);
    struct buf joined;
    buf_init(&joined, EXPANDED_MAX);
    buf_addf(&joined, "%.*s%s%.*s", STR_FMT(v->folder),
             v->folder.ptr[v->folder.len - 1] == '/' ? "" : "/", STR_FMT(path));
    bool ok = buf_ok(&joined) && keep(v, buf_str(&joined), ret, why);
    buf_release(&joined);
    return ok;
}

static bool read_env(const struct config_value *v, struct str *ret,
                     struct buf *why)
{
    if (is_env_name(v->text))
        return keep(v, v->text, ret, why);
    return refuse(v, why,
                  "is not the name of an environment variable; a secret never "
                  "stands in the file: put it into a variable, or into a file "
                  "that `file` names");
}

/* A number of the row's range, or why not; `what` was expected. */
static bool in_range(const struct config_value *v, bool is_number, int64_t n,
                     const char *what, struct buf *why)
{
    if (is_number && n >= v->row->min && n <= v->row->max)
        return true;
    config_value_quote(why, v);
    if (is_number)
        BUF_LIT(why, " is out of range; expected ");
    else
        buf_addf(why, " is not %s; expected ", what);
    config_units_range(why, v->row);
    return false;
}

static bool read_duration(const struct config_value *v, int64_t *ret,
                          struct buf *why)
{
    int64_t ms = 0;
    bool ok = num_duration_ms(v->text, &ms);
    if (!in_range(v, ok, ms, "a duration with its unit (ms, s, m, h, d)", why))
        return false;
    *ret = ms;
    return true;
}

static bool read_bytes(const struct config_value *v, uint64_t *ret,
                       struct buf *why)
{
    uint64_t n = 0;
    bool ok = num_bytes(v->text, &n);
    if (!in_range(v, ok, n > INT64_MAX ? INT64_MAX : (int64_t)n,
                  "a size (KB, MB, GB)", why))
        return false;
    *ret = n;
    return true;
}

static bool read_integer(const struct config_value *v, uint32_t *ret,
                         struct buf *why)
{
    int64_t n = 0;
    bool ok = num_i64(v->text, &n);
    if (!in_range(v, ok, n, "a whole number", why))
        return false;
    assert(n >= 0 && n <= UINT32_MAX);
    *ret = (uint32_t)n;
    return true;
}

static bool read_micros(const struct config_value *v, int64_t *ret,
                        struct buf *why)
{
    int64_t n = 0;
    bool ok = num_micros(v->text, &n);
    if (!in_range(v, ok, n, "a decimal with at most six places", why))
        return false;
    *ret = n;
    return true;
}

static bool read_boolean(const struct config_value *v, bool *ret,
                         struct buf *why)
{
    bool yes = str_eq(v->text, STR("true"));
    if (!yes && !str_eq(v->text, STR("false")))
        return refuse(v, why, "is not a boolean; expected true or false");
    *ret = yes;
    return true;
}

static bool read_enum(const struct config_value *v, void *target,
                      struct buf *why)
{
    struct config_near near = config_near_start(v->text);
    for (unsigned i = 0; v->row->words[i] != NULL; i++) {
        struct str word = str_from(v->row->words[i]);
        if (str_eq(word, v->text)) {
            unsigned value = (unsigned)v->row->min + i;
            memcpy(target, &value, sizeof(value));
            return true;
        }
        config_near_offer(&near, word);
    }
    config_value_quote(why, v);
    BUF_LIT(why, " is not known; expected ");
    for (unsigned i = 0; v->row->words[i] != NULL; i++)
        buf_addf(why, "%s%s", i == 0 ? "" : " or ", v->row->words[i]);
    config_near_add(why, &near);
    return false;
}

/* "postgres://user:password@host/db" with the password in the file. */
static bool has_inline_password(struct str url)
{
    struct str rest = str_skip(url, str_find(url, ':') + 3);
    struct str authority = str_first(rest, str_find(rest, '@'));
    if (authority.len == rest.len)
        return false;
    struct str password = str_skip(authority, str_find(authority, ':') + 1);
    return password.len > 0 && !str_starts(password, STR("${"));
}

static bool read_store(const struct config_value *v, struct str *ret,
                       struct buf *why)
{
    bool url = str_starts(v->text, STR("postgres://")) ||
               str_starts(v->text, STR("postgresql://"));
    if (!url && !str_eq(v->text, STR("sqlite")))
        return refuse(v, why,
                      "is no store; expected sqlite or a postgres:// "
                      "URL");
    if (url && str_starts(v->raw, STR("postgres")) &&
        has_inline_password(v->raw)) {
        BUF_LIT(why, "holds a password; a secret never stands in the file: "
                     "write ${NAME} of an environment variable instead");
        return false;
    }
    return keep(v, v->text, ret, why);
}

static bool read_key(const struct config_value *v, unsigned char *ret,
                     struct buf *why)
{
    static const struct str prefix = STR_INIT("hmac-sha256:");
    if (str_starts(v->text, prefix) &&
        text_unhex(str_skip(v->text, prefix.len), ret, HASH_BYTES))
        return true;
    return refuse(v, why,
                  "is not a key's hash; expected hmac-sha256: and 64 hex "
                  "digits, as `writ key hash` prints; the key itself never "
                  "stands in the file");
}

static bool read_address(const struct config_value *v,
                         struct listen_settings *ret, struct buf *why)
{
    struct listen_settings read;
    const char *reason;
    if (!config_net_address(v->text, &read, &reason)) {
        (void)refuse(v, why, "is not an address; ");
        buf_add(why, str_from(reason));
        return false;
    }
    if (!keep(v, read.host, &read.host, why))
        return false;
    ret->host = read.host;
    ret->port = read.port;
    return true;
}

static bool read_url(const struct config_value *v,
                     struct provider_settings *ret, struct buf *why)
{
    const char *reason;
    if (config_net_url(v->a, v->text, ret, &reason))
        return true;
    (void)refuse(v, why, "is not a usable URL; ");
    buf_add(why, str_from(reason));
    return false;
}

bool config_value_read(const struct config_value *v, void *target,
                       struct buf *why)
{
    switch (v->row->type) {
    case CONFIG_NAME:
        return config_value_name(v, target, why);
    case CONFIG_STRING:
        return config_value_string(v, target, why);
    case CONFIG_PATH:
        return read_path(v, target, why);
    case CONFIG_ENV:
        return read_env(v, target, why);
    case CONFIG_DURATION:
        return read_duration(v, target, why);
    case CONFIG_BYTES:
        return read_bytes(v, target, why);
    case CONFIG_INTEGER:
        return read_integer(v, target, why);
    case CONFIG_BOOLEAN:
        return read_boolean(v, target, why);
    case CONFIG_MICROS:
        return read_micros(v, target, why);
    case CONFIG_ENUM:
        return read_enum(v, target, why);
    case CONFIG_STORE:
        return read_store(v, target, why);
    case CONFIG_KEY:
        return read_key(v, target, why);
    case CONFIG_ADDRESS:
        return read_address(v, target, why);
    case CONFIG_URL:
        return read_url(v, target, why);
    case CONFIG_GROUP:
    case CONFIG_LIST:
    case CONFIG_MAP:
    case CONFIG_REF:
    case CONFIG_NAMES:
    case CONFIG_STRINGS:
    case CONFIG_REFS:
        break;
    }
    assert(!"a type without a scalar");
    return false;
}
