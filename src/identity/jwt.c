/* jwt.c - see jwt.h. */
#include "identity/jwt.h"

#include "base/limits.h"
#include "base/num.h"
#include "base/text.h"

enum { AUDIENCES_MAX = 64, FRACTION_DIGITS_MAX = 9 };
static const uint64_t year_9999_s = 253402300799;
static const int64_t second_us = 1000000;

enum jwt_typ jwt_typ(const struct jws *j)
{
    if (str_eq_nocase(j->typ, STR("at+jwt")) ||
        str_eq_nocase(j->typ, STR("application/at+jwt")))
        return JWT_TYP_ACCESS;
    if (j->typ.len == 0 || str_eq_nocase(j->typ, STR("JWT")) ||
        str_eq_nocase(j->typ, STR("JOSE")))
        return JWT_TYP_PLAIN;
    return JWT_TYP_OTHER;
}

/* NumericDate: seconds, maybe with a fraction, of which we keep six digits. */
static bool read_date(const struct json *v, int64_t *ret_us)
{
    struct str text;
    uint64_t s = 0, us = 0;
    if (!json_number(v, &text))
        return false;
    size_t point = str_find(text, '.');
    struct str fraction = str_skip(text, point + 1);
    if (!num_u64(str_first(text, point), year_9999_s, &s))
        return false;
    if (point < text.len) {
        uint64_t whole;
        if (fraction.len > FRACTION_DIGITS_MAX ||
            !num_u64(fraction, UINT64_MAX, &whole))
            return false;
        for (size_t i = 0; i < 6; i++)
            us = us * 10 +
                 (i < fraction.len ? (uint64_t)(fraction.ptr[i] - '0') : 0);
    }
    *ret_us = (int64_t)s * second_us + (int64_t)us;
    return true;
}

/* A claim that may be missing, but then is a date. */
static bool read_optional_date(const struct json *claims, struct str name,
                               int64_t *ret_us)
{
    const struct json *v = json_get(claims, name);
    return v == NULL || read_date(v, ret_us);
}

static bool read_name(const struct json *claims, struct str name,
                      struct str *ret)
{
    return json_str(json_get(claims, name), ret) && ret->len > 0;
}

static bool read_optional_name(const struct json *claims, struct str name,
                               struct str *ret)
{
    return json_get(claims, name) == NULL || read_name(claims, name, ret);
}

static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
            return false;
    }
    return s.len <= NAME_MAX_LEN;
}

static bool is_of_another_kind(const struct json *claims)
{
    static const struct str names[] = {STR_INIT("at_hash"), STR_INIT("c_hash"),
                                       STR_INIT("events"), STR_INIT("cnf")};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (json_get(claims, names[i]) != NULL)
            return true;
    }
    return false;
}

static bool read_names(struct jwt *t)
{
    struct str client_id = {NULL, 0};
    if (!read_name(t->claims, STR("iss"), &t->iss) ||
        !read_name(t->claims, STR("sub"), &t->sub) ||
        !read_optional_name(t->claims, STR("azp"), &t->client) ||
        !read_optional_name(t->claims, STR("client_id"), &client_id) ||
        !read_optional_name(t->claims, STR("acr"), &t->acr))
        return false;
    if (t->client.len == 0)
        t->client = client_id;
    return is_plain(t->acr);
}

static bool read_dates(struct jwt *t)
{
    return read_date(json_get(t->claims, STR("exp")), &t->exp_us) &&
           read_date(json_get(t->claims, STR("iat")), &t->iat_us) &&
           read_optional_date(t->claims, STR("nbf"), &t->nbf_us) &&
           read_optional_date(t->claims, STR("auth_time"), &t->auth_time_us) &&
           t->exp_us > t->iat_us;
}

enum err jwt_read(struct arena *a, const struct jws *j, struct jwt *ret)
{
    struct jwt t = {0};
    enum err e = json_read(a, j->payload, &t.claims, NULL);
    if (e != ERR_OK)
        return e;
    if (json_type(t.claims) != JSON_OBJECT || is_of_another_kind(t.claims) ||
        !read_names(&t) || !read_dates(&t))
        return ERR_MALFORMED;
    *ret = t;
    return ERR_OK;
}

static bool is_ours(const struct json *v, const struct names *ours)
{
    for (size_t i = 0; i < ours->count; i++) {
        if (json_is_string(v, ours->at[i]))
            return true;
    }
    return false;
}

bool jwt_is_for(const struct jwt *t, const struct names *ours)
{
    const struct json *aud = json_get(t->claims, STR("aud"));
    if (json_type(aud) == JSON_STRING)
        return is_ours(aud, ours);
    if (json_type(aud) != JSON_ARRAY || json_count(aud) > AUDIENCES_MAX)
        return false;

    struct json_iter it = json_each(aud);
    const struct json *v;
    bool found = false;
    while (json_next(&it, NULL, &v)) {
        if (json_type(v) != JSON_STRING)
            return false;
        found = found || is_ours(v, ours);
    }
    return found;
}

bool jwt_is_current(const struct jwt *t, int64_t now_us, int64_t skew_us,
                    int64_t max_age_us)
{
    int64_t latest = now_us + skew_us;
    int64_t earliest = now_us - skew_us;
    return t->exp_us > earliest && t->nbf_us <= latest && t->iat_us <= latest &&
           t->auth_time_us <= latest &&
           (max_age_us == 0 || t->iat_us >= earliest - max_age_us);
}
