/* principal_id.c - see principal_id.h. */
#include "domain/principal_id.h"

#include <assert.h>

#include "base/text.h"

static_assert(PRINCIPAL_ID_MAX == 2 * NAME_MAX_LEN + 1, "two names fit");

/* May `s` be a part of an id?  `also` is refused beside '|'. */
static bool is_part(struct str s, char also)
{
    return s.len > 0 && s.len <= NAME_MAX_LEN && text_is_plain(s) &&
           str_find(s, '|') == s.len && str_find(s, also) == s.len;
}

static size_t join(char *to, struct str a, char between, struct str b)
{
    memcpy(to, a.ptr, a.len);
    to[a.len] = between;
    memcpy(to + a.len + 1, b.ptr, b.len);
    return a.len + 1 + b.len;
}

bool principal_id_make(const struct principal_parts *p, char *to,
                       size_t *ret_len)
{
    bool is_agent = p->kind == PRINCIPAL_AGENT;

    if (p->kind == PRINCIPAL_NONE || !is_part(p->issuer, '|') ||
        !is_part(p->tenant, '/') || !is_part(p->name, is_agent ? '/' : '|'))
        return false;
    if (is_agent) {
        *ret_len = join(to, p->tenant, '/', p->name);
    } else if (p->kind == PRINCIPAL_WORKLOAD &&
               str_starts(p->name, STR("spiffe://"))) {
        memcpy(to, p->name.ptr, p->name.len);
        *ret_len = p->name.len;
    } else {
        *ret_len = join(to, p->issuer, '|', p->name);
    }
    return true;
}
