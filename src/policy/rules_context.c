/*
 * rules_context.c - see rules_context.h and rules_facts.h.
 *
 * What is not known is left out: a forbid that asks for it errs, and so
 * denies; a permit that asks for it does not apply.
 */
#include "policy/rules_context.h"

#include "base/attr.h"
#include "policy/rules_input.h"

enum { US_PER_S = 1000000, US_PER_MS = 1000 };

static struct cedar_value word(struct str s)
{
    return s.len == 0 ? (struct cedar_value){.kind = CEDAR_NOTHING}
                      : cedar_value_string(s);
}

static struct cedar_value count_of(uint64_t n)
{
    return cedar_value_long(n > INT64_MAX ? INT64_MAX : (int64_t)n);
}

static enum err record(const struct rules_facts *f, enum rules_shape shape,
                       const struct cedar_value *values,
                       struct cedar_value *ret)
{
    const struct cedar_record *made;
    enum err e =
        cedar_shape_record(f->arena, f->rules->shapes.at[shape], values, &made);
    if (e == ERR_OK)
        *ret = cedar_value_of(made);
    return e;
}

enum err rules_context_words(struct arena *a, const struct str *words,
                             size_t count, struct cedar_value *ret)
{
    struct cedar_value *items = ARENA_NEW(a, struct cedar_value, count);
    if (items == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; i < count; i++)
        items[i] = cedar_value_string(words[i]);
    return cedar_value_set(a, items, count, ret);
}

/* What is not known counts as every label, which cannot be written down: then
 * there is no such member. */
static enum err labels(struct arena *a, const struct labels *l,
                       struct cedar_value *ret)
{
    if (l == NULL || l->all) {
        *ret = (struct cedar_value){.kind = CEDAR_NOTHING};
        return ERR_OK;
    }
    return rules_context_words(a, l->names, l->count, ret);
}

static enum err chain(const struct rules_facts *f, enum rules_history history,
                      struct cedar_value *ret)
{
    const struct chain *c = f->request->chain;
    struct cedar_value members[CHAIN_LINKS_MAX] UNINITIALIZED;
    struct cedar_value v[SHAPE_CHAIN_COUNT] = {0};
    for (unsigned i = 0; i < c->count; i++)
        members[i] = cedar_value_entity(&f->principals[i]);
    v[SHAPE_CHAIN_DEPTH] = cedar_value_long(c->count);
    v[SHAPE_CHAIN_ROOT] = members[0];
    v[SHAPE_CHAIN_SUPERVISED] = cedar_value_bool(f->request->supervised);
    enum err e =
        cedar_value_set(f->arena, members, c->count, &v[SHAPE_CHAIN_MEMBERS]);
    if (e == ERR_OK)
        e = rules_context_words(f->arena, c->history,
                                history == RULES_WITH_HISTORY ? c->history_count
                                                              : 0,
                                &v[SHAPE_CHAIN_HISTORY]);
    return e != ERR_OK ? e : record(f, RULES_SHAPE_CHAIN, v, ret);
}

static enum err destination(const struct rules_facts *f,
                            struct cedar_value *ret)
{
    const struct rules_destination *d = &f->request->destination;
    const struct cedar_value v[SHAPE_DESTINATION_COUNT] = {
        [SHAPE_DESTINATION_HOST] = cedar_value_string(d->host),
        [SHAPE_DESTINATION_PROVIDER] = cedar_value_string(d->provider),
        [SHAPE_DESTINATION_REGION] = cedar_value_string(d->region),
    };
    return record(f, RULES_SHAPE_DESTINATION, v, ret);
}

static enum err session(const struct rules_facts *f, struct cedar_value *ret)
{
    const struct rules_session *s = f->request->session;
    if (s == NULL)
        return ERR_OK;
    struct cedar_value v[SHAPE_SESSION_COUNT] = {
        [SHAPE_SESSION_AGE] = cedar_value_long(s->age_ms / 1000),
        [SHAPE_SESSION_CALLS] = count_of(s->calls),
        [SHAPE_SESSION_TOKENS] = count_of(s->tokens),
    };
    enum err e = labels(f->arena, s->labels, &v[SHAPE_SESSION_LABELS]);
    return e != ERR_OK ? e : record(f, RULES_SHAPE_SESSION, v, ret);
}

/* Cedar knows no IPv4 inside IPv6 and no zones. */
static enum err address(struct arena *a, struct str ip, struct cedar_value *ret)
{
    struct str mapped = STR("::ffff:");
    if (str_starts(ip, mapped) && str_find(ip, '.') < ip.len)
        ip = str_skip(ip, mapped.len);
    ip = str_first(ip, str_find(ip, '%'));
    if (ip.len == 0)
        return ERR_OK;
    enum err e = cedar_value_extension(a, STR("ip"), ip, ret);
    return e == ERR_MALFORMED ? ERR_OK : e;
}

enum err rules_context_fill(struct rules_facts *f)
{
    const struct rules_request *q = f->request;
    struct cedar_value *to = f->context;
    const struct cedar_value estimate[SHAPE_ESTIMATE_COUNT] = {
        [SHAPE_ESTIMATE_TOKENS] = count_of(q->tokens),
    };
    to[SHAPE_CONTEXT_TENANT] = cedar_value_string(q->tenant);
    to[SHAPE_CONTEXT_PURPOSE] = word(q->purpose);
    to[SHAPE_CONTEXT_TASK] = word(q->task);
    to[SHAPE_CONTEXT_TIME] = cedar_value_datetime(q->now_us / US_PER_MS);
    enum err e =
        record(f, RULES_SHAPE_ESTIMATE, estimate, &to[SHAPE_CONTEXT_ESTIMATE]);
    if (e == ERR_OK)
        e = destination(f, &to[SHAPE_CONTEXT_DESTINATION]);
    if (e == ERR_OK)
        e = labels(f->arena, q->labels, &to[SHAPE_CONTEXT_LABELS]);
    if (e == ERR_OK)
        e = session(f, &to[SHAPE_CONTEXT_SESSION]);
    if (e == ERR_OK)
        e = chain(f, RULES_WITH_HISTORY, &to[SHAPE_CONTEXT_CHAIN]);
    if (e == ERR_OK)
        e = address(f->arena, q->ip, &to[SHAPE_CONTEXT_IP]);
    if (e == ERR_OK && q->tool != NULL)
        e = rules_input_fill(f);
    return e;
}

static enum err auth(const struct rules_facts *f, const struct link *l,
                     struct cedar_value *ret)
{
    int64_t now_us = f->request->now_us;
    struct cedar_value v[SHAPE_AUTH_COUNT] = {
        [SHAPE_AUTH_ACR] = word(l->acr),
        [SHAPE_AUTH_BOUND] = cedar_value_bool(l->bound),
        [SHAPE_AUTH_METHOD] = cedar_value_string(auth_method_name(l->method)),
    };
    /* A clock of the issuer that is ahead makes nobody older. */
    if (l->auth_time_us > 0)
        v[SHAPE_AUTH_AGE] = cedar_value_long(
            now_us > l->auth_time_us ? (now_us - l->auth_time_us) / US_PER_S
                                     : 0);
    return record(f, RULES_SHAPE_AUTH, v, ret);
}

enum err rules_context_of_link(const struct rules_facts *f, unsigned link,
                               enum rules_history history,
                               const struct cedar_record **ret)
{
    const struct link *l = &f->request->chain->links[link];
    const struct cedar_value of_link[SHAPE_LINK_COUNT] = {
        [SHAPE_LINK_INDEX] = cedar_value_long(link),
        [SHAPE_LINK_ROLE] = cedar_value_string(link_role_name(l->role)),
    };
    struct cedar_value v[SHAPE_CONTEXT_COUNT];
    memcpy(v, f->context, sizeof(v));
    enum err e = record(f, RULES_SHAPE_LINK, of_link, &v[SHAPE_CONTEXT_LINK]);
    if (e == ERR_OK)
        e = auth(f, l, &v[SHAPE_CONTEXT_AUTH]);
    if (e == ERR_OK && history == RULES_WITHOUT_HISTORY)
        e = chain(f, history, &v[SHAPE_CONTEXT_CHAIN]);
    return e != ERR_OK
               ? e
               : cedar_shape_record(f->arena,
                                    f->rules->shapes.at[RULES_SHAPE_CONTEXT], v,
                                    ret);
}
