/* config_value.c - see config_value.h. */
#include "app/config_value.h"

#include <assert.h>

#include "app/config_forms.h"
#include "app/config_net.h"
#include "app/config_report.h"
#include "app/config_text.h"
#include "app/config_units.h"
#include "base/limits.h"
#include "base/num.h"
#include "base/text.h"

enum { EXPANDED_MAX = 64 * 1024, ARGUMENT_MAX = 4096 };

static bool refuse(const struct config_value *v, struct buf *why,
                   const char *what)
{
    config_text_quote(why, v);
    buf_addf(why, " %s", what);
    return false;
}

static bool keep(struct config_value *v, struct str s, struct str *ret)
{
    bool ok = arena_copy(v->a, s, ret);
    v->full |= !ok;
    return ok;
}

/* Which of the row's words it is; false: none, and what was expected. */
static bool find_word(const struct config_value *v, unsigned *ret,
                      struct buf *why)
{
    struct config_near near = config_near_start(v->text);
    for (unsigned i = 0; v->row->words[i] != NULL; i++) {
        struct str word = str_from(v->row->words[i]);
        if (str_eq(word, v->text)) {
            *ret = i;
            return true;
        }
        config_near_offer(&near, word);
    }
    config_text_quote(why, v);
    BUF_LIT(why, " is not known; expected ");
    for (unsigned i = 0; v->row->words[i] != NULL; i++)
        buf_addf(why, "%s%s", i == 0 ? "" : " or ", v->row->words[i]);
    config_near_add(why, &near);
    return false;
}

static bool read_key(struct config_value *v, enum config_key keys,
                     struct str *ret, struct buf *why)
{
    const char *reason;
    if (!config_forms_key(keys, v->text, &reason))
        return refuse(v, why, reason);
    return keep(v, v->text, ret);
}

static bool read_text(struct config_value *v, bool may_be_empty, size_t max,
                      struct str *ret, struct buf *why)
{
    if (v->text.len == 0 && !may_be_empty) {
        BUF_LIT(why, "is empty");
        return false;
    }
    if (v->text.len > max) {
        buf_addf(why, "is longer than %zu bytes", max);
        return false;
    }
    return keep(v, v->text, ret);
}

static bool read_string(struct config_value *v, struct str *ret,
                        struct buf *why)
{
    return read_text(v, v->row->min == 0, (size_t)v->row->max, ret, why);
}

/* What a form's reader answered. */
static bool read_form(struct config_value *v, enum err e, const char *reason,
                      struct buf *why)
{
    if (e == ERR_MALFORMED)
        return refuse(v, why, reason);
    v->full |= e != ERR_OK;
    return e == ERR_OK;
}

static bool read_pointer(struct config_value *v, struct str *ret,
                         struct buf *why)
{
    const char *reason = NULL;
    if (v->text.len > (size_t)v->row->max) {
        buf_addf(why, "is longer than %lld bytes", (long long)v->row->max);
        return false;
    }
    enum err e = config_forms_pointer(v->a, v->text, ret, &reason);
    return read_form(v, e, reason, why);
}

static bool read_path(struct config_value *v, struct str *ret, struct buf *why)
{
    struct str path = v->text;
    while (str_starts(path, STR("./")) && path.len > 2)
        path = str_skip(path, 2);
    if (path.len == 0) {
        BUF_LIT(why, "is empty; expected a path");
        return false;
    }
    if (path.ptr[0] == '/' || v->folder.len == 0)
        return keep(v, path, ret);
    struct buf joined;
    buf_init(&joined, EXPANDED_MAX);
    buf_addf(&joined, "%.*s%s%.*s", STR_FMT(v->folder),
             v->folder.ptr[v->folder.len - 1] == '/' ? "" : "/", STR_FMT(path));
    bool ok = buf_ok(&joined) && keep(v, buf_str(&joined), ret);
    buf_release(&joined);
    return ok;
}

static bool read_env(struct config_value *v, struct str *ret, struct buf *why)
{
    if (config_text_is_env(v->text))
        return keep(v, v->text, ret);
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
    config_text_quote(why, v);
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

static bool read_count(const struct config_value *v, uint64_t *ret,
                       struct buf *why)
{
    int64_t n = 0;
    bool ok = num_i64(v->text, &n);
    if (!in_range(v, ok, n, "a whole number", why))
        return false;
    assert(n >= 0);
    *ret = (uint64_t)n;
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
    unsigned word = 0;
    if (v->row->words != NULL) {
        if (!find_word(v, &word, why))
            return false;
        *ret = word == 1;
        return true;
    }
    bool yes = str_eq(v->text, STR("true"));
    if (!yes && !str_eq(v->text, STR("false")))
        return refuse(v, why, "is not a boolean; expected true or false");
    *ret = yes;
    return true;
}

static bool read_enum(const struct config_value *v, void *target,
                      struct buf *why)
{
    unsigned word = 0;
    if (!find_word(v, &word, why))
        return false;
    word += (unsigned)v->row->min;
    memcpy(target, &word, sizeof(word));
    return true;
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

static bool read_store(struct config_value *v, struct str *ret, struct buf *why)
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
    return keep(v, v->text, ret);
}

static bool read_address(struct config_value *v, struct listen_settings *ret,
                         struct buf *why)
{
    struct listen_settings read;
    const char *reason;
    if (!config_net_address(v->text, &read, &reason)) {
        (void)refuse(v, why, "is not an address; ");
        buf_add(why, str_from(reason));
        return false;
    }
    if (!keep(v, read.host, &read.host))
        return false;
    ret->host = read.host;
    ret->port = read.port;
    return true;
}

static bool read_url(struct config_value *v, void *target, struct buf *why)
{
    const char *reason;
    bool ok = v->row->type == CONFIG_URL
                  ? config_net_url(v->a, v->text, target, &reason)
                  : config_net_endpoint(v->a, v->text, target, &reason);
    if (ok)
        return true;
    v->full |= reason == NULL;
    (void)refuse(v, why, "is not a usable URL; ");
    buf_add(why, str_from(reason));
    return false;
}

static bool read_word(struct config_value *v, struct str *ret, struct buf *why)
{
    unsigned word = 0;
    return find_word(v, &word, why) && keep(v, v->text, ret);
}

static bool read_origin(struct config_value *v, struct str *ret,
                        struct buf *why)
{
    const char *reason = NULL;
    enum err e = config_forms_origin(v->a, v->text, ret, &reason);
    return read_form(v, e, reason, why);
}

static bool read_host(struct config_value *v, struct str *ret, struct buf *why)
{
    const char *reason = NULL;
    enum err e = config_forms_host(v->a, v->text, ret, &reason);
    return read_form(v, e, reason, why);
}

bool config_value_key(struct config_value *v, struct str *ret, struct buf *why)
{
    return read_key(v, v->row->keys, ret, why);
}

bool config_value_element(struct config_value *v, struct str *ret,
                          struct buf *why)
{
    if (v->row->type == CONFIG_STRINGS)
        return read_text(v, false, NAME_MAX_LEN, ret, why);
    if (v->row->type == CONFIG_ARGUMENTS)
        return read_text(v, true, ARGUMENT_MAX, ret, why);
    if (v->row->type == CONFIG_PATHS)
        return read_path(v, ret, why);
    if (v->row->type == CONFIG_ORIGINS)
        return read_origin(v, ret, why);
    if (v->row->type == CONFIG_HOSTS)
        return read_host(v, ret, why);
    assert(v->row->type == CONFIG_NAMES || v->row->type == CONFIG_FLAGS);
    return v->row->words != NULL ? read_word(v, ret, why)
                                 : read_key(v, CONFIG_KEY_NAME, ret, why);
}

bool config_value_read(struct config_value *v, void *target, struct buf *why)
{
    switch (v->row->type) {
    case CONFIG_NAME:
        return read_key(v, CONFIG_KEY_NAME, target, why);
    case CONFIG_STRING:
        return read_string(v, target, why);
    case CONFIG_POINTER:
        return read_pointer(v, target, why);
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
    case CONFIG_COUNT:
        return read_count(v, target, why);
    case CONFIG_MICROS:
        return read_micros(v, target, why);
    case CONFIG_ENUM:
        return read_enum(v, target, why);
    case CONFIG_STORE:
        return read_store(v, target, why);
    case CONFIG_ADDRESS:
        return read_address(v, target, why);
    case CONFIG_URL:
    case CONFIG_ENDPOINT:
        return read_url(v, target, why);
    case CONFIG_GROUP:
    case CONFIG_LIST:
    case CONFIG_MAP:
    case CONFIG_REF:
    case CONFIG_NAMES:
    case CONFIG_STRINGS:
    case CONFIG_PATHS:
    case CONFIG_ARGUMENTS:
    case CONFIG_ORIGINS:
    case CONFIG_HOSTS:
    case CONFIG_FLAGS:
        break;
    }
    assert(false && "a type without a scalar");
    return false;
}
