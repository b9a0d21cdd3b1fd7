/* mcp_gate.c - see mcp_gate.h. */
#include "pipeline/mcp_gate.h"

#include "base/attr.h"
#include "base/text.h"
#include "codec/uri.h"

enum { MIRROR_MAX = 8192 };

/* "localhost", 127.0.0.0/8 or ::1, and not a name that only begins so. */
static bool is_loopback(const struct uri_authority *a)
{
    if (!a->is_address)
        return str_eq_nocase(a->host, STR("localhost"));
    return a->is_ipv6 ? str_eq(a->host, STR("::1"))
                      : str_starts(a->host, STR("127."));
}

/* The caller is on this machine; over IPv4 at a listener of IPv6, too. */
static bool is_local(struct str peer)
{
    struct uri_authority a;

    return uri_authority(peer, &a) == ERR_OK &&
           (is_loopback(&a) ||
            (a.is_ipv6 && str_starts(a.host, STR("::ffff:127."))));
}

static bool is_one_of(struct str what, struct names list)
{
    for (size_t i = 0; i < list.count; i++) {
        if (str_eq_nocase(what, list.at[i]))
            return true;
    }
    return false;
}

/* "https://app.example.org" names the authority that was asked for. */
static bool is_same(struct str origin, struct str authority)
{
    struct str schemes[] = {STR("http://"), STR("https://")};

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (!str_starts(origin, schemes[i]))
            continue;
        return str_eq_nocase(str_skip(origin, schemes[i].len), authority);
    }
    return false;
}

bool mcp_gate_admits(const struct settings *s,
                     const struct http_request_head *head, struct str peer)
{
    struct uri_authority asked;
    struct str origin;

    if (uri_authority(head->authority, &asked) != ERR_OK)
        return false;
    bool known = is_loopback(&asked) || is_one_of(asked.host, s->hosts);
    if (!known && is_local(peer))
        return false;
    if (!mcp_gate_field(head, STR("origin"), &origin))
        return false;
    return origin.len == 0 || is_one_of(origin, s->origins) ||
           (known && is_same(origin, head->authority));
}

bool mcp_gate_field(const struct http_request_head *head, struct str name,
                    struct str *ret)
{
    *ret = str_trim(http_fields_get(head->fields, name));
    return http_fields_count(head->fields, name) <= 1;
}

static bool names_type(struct str list, struct str type)
{
    while (list.len > 0) {
        size_t end = str_find(list, ',');
        struct str one = str_first(list, end);
        one = str_trim(str_first(one, str_find(one, ';')));
        if (str_eq_nocase(one, type) || str_eq(one, STR("*/*")))
            return true;
        list = str_skip(list, end + 1);
    }
    return false;
}

bool mcp_gate_accepts(const struct http_request_head *head, struct str type)
{
    for (size_t i = 0; i < head->fields.count; i++) {
        const struct http_field *f = &head->fields.at[i];
        if (str_eq(f->name, STR("accept")) && names_type(f->value, type))
            return true;
    }
    return false;
}

/* "=?base64?...?=" stands for what no field could hold (SEP-2243). */
static bool mirror_eq(struct str field, struct str body)
{
    static const struct str opens = STR_INIT("=?base64?"),
                            closes = STR_INIT("?=");
    char text[MIRROR_MAX] UNINITIALIZED;
    size_t n;

    struct str coded = str_skip(field, opens.len);
    if (!str_starts(field, opens) || coded.len < closes.len ||
        !str_eq(str_skip(coded, coded.len - closes.len), closes))
        return str_eq(field, body);
    coded = str_first(coded, coded.len - closes.len);
    return coded.len <= sizeof(text) && text_unbase64(coded, text, &n) &&
           str_eq((struct str){text, n}, body);
}

/* What Mcp-Name mirrors of a message; empty: it mirrors nothing. */
static struct str name_of(const struct params *p)
{
    if (p == NULL)
        return (struct str){0};
    if (p->method == METHOD_TOOLS_CALL)
        return p->call.name;
    if (p->method == METHOD_PROMPTS_GET)
        return p->prompt.name;
    return p->method == METHOD_RESOURCES_READ ? p->resource.uri
                                              : (struct str){0};
}

bool mcp_gate_mirrors(const struct http_request_head *head,
                      const struct message *m, const struct params *p)
{
    struct str method, name;

    if (!mcp_gate_field(head, STR("mcp-method"), &method) ||
        !mcp_gate_field(head, STR("mcp-name"), &name))
        return false;
    if (method.len > 0 && !str_eq(method, m->method))
        return false;
    return name.len == 0 || (p != NULL && mirror_eq(name, name_of(p)));
}
