/* entry_parts.c - see entry_parts.h. */
#include "evidence/entry_parts.h"

#include "base/text.h"

void entry_parts_begin(struct entry_writer *w, struct buf *to)
{
    w->start = to->len;
    jcs_begin(&w->jcs, to);
    jcs_object(&w->jcs);
}

enum err entry_parts_end(struct entry_writer *w)
{
    struct buf *to = w->jcs.to;
    jcs_end(&w->jcs);
    if (jcs_done(&w->jcs) && to->len - w->start <= ENTRY_MAX)
        return ERR_OK;
    to->len = w->start;
    to->failed = false;
    return ERR_LIMIT;
}

/* As many whole characters of `s` as fit `max` bytes. */
static struct str whole(struct str s, size_t max)
{
    size_t n = 0;
    while (n < s.len) {
        size_t len = text_utf8_len(str_skip(s, n));
        if (len == 0 || n + len > max)
            break;
        n += len;
    }
    return str_first(s, n);
}

/* Not plain ASCII, or too long.  Apart from the usual case, which should not
 * pay for the memory. */
static void write_odd_text(struct jcs *w, struct str s)
{
    char cut[ENTRY_TEXT_MAX];
    if (s.len <= ENTRY_TEXT_MAX && text_is_utf8(s)) {
        jcs_str(w, s);
        return;
    }
    struct str kept = whole(s, ENTRY_TEXT_MAX - (sizeof(ENTRY_CUT) - 1));
    memcpy(cut, kept.ptr, kept.len);
    memcpy(cut + kept.len, ENTRY_CUT, sizeof(ENTRY_CUT) - 1);
    jcs_str(w, (struct str){cut, kept.len + sizeof(ENTRY_CUT) - 1});
}

void entry_parts_item(struct jcs *w, struct str s)
{
    if (s.len > ENTRY_TEXT_MAX || !jcs_ascii(w, s))
        write_odd_text(w, s);
}

void entry_parts_text(struct jcs *w, struct str name, struct str text)
{
    if (text.len == 0)
        return;
    jcs_name(w, name);
    entry_parts_item(w, text);
}

void entry_parts_id(struct jcs *w, struct str name, const unsigned char *id,
                    size_t n)
{
    unsigned char all = 0;
    for (size_t i = 0; i < n; i++)
        all |= id[i];
    if (all == 0)
        return;
    jcs_name(w, name);
    jcs_hex(w, id, n);
}

void entry_parts_action(struct jcs *w, enum action_kind kind)
{
    if (kind != ACTION_NONE)
        jcs_pair_word(w, STR("action"), action_kind_name(kind));
}

void entry_parts_author(struct jcs *w, struct str id, struct str method)
{
    if (id.len == 0)
        return;
    jcs_name(w, STR("author"));
    jcs_object(w);
    entry_parts_text(w, STR("id"), id);
    entry_parts_text(w, STR("method"), method);
    jcs_end(w);
}

void entry_parts_chain(struct jcs *w, const struct chain *chain)
{
    if (chain == NULL || chain->count == 0)
        return;
    jcs_name(w, STR("chain"));
    jcs_array(w);
    for (unsigned i = 0; i < chain->count; i++) {
        const struct link *l = &chain->links[i];
        jcs_object(w);
        entry_parts_text(w, STR("credential"), l->credential);
        entry_parts_text(w, STR("id"), l->who.id);
        entry_parts_text(w, STR("issuer"), l->who.issuer);
        jcs_pair_word(w, STR("kind"), principal_kind_name(l->who.kind));
        jcs_pair_word(w, STR("method"), auth_method_name(l->method));
        jcs_pair_word(w, STR("role"), link_role_name(l->role));
        jcs_end(w);
    }
    jcs_end(w);
}

static void policies(struct jcs *w, const struct decision *d)
{
    if (d->policy_count == 0)
        return;
    jcs_name(w, STR("policies"));
    jcs_array(w);
    for (unsigned i = 0; i < d->policy_count; i++)
        entry_parts_item(w, d->policies[i]);
    jcs_end(w);
}

/* What every decision says first. */
static void effect(struct jcs *w, const struct decision *d)
{
    jcs_pair_word(w, STR("effect"), decision_effect_name(d->effect));
    if (d->errors > 0)
        jcs_pair_i64(w, STR("errors"), (int64_t)d->errors);
}

void entry_parts_decision(struct jcs *w, const struct decision *d,
                          const struct shadow_decision *shadow)
{
    if (d == NULL)
        return;
    jcs_name(w, STR("decision"));
    jcs_object(w);
    effect(w, d);
    entry_parts_text(w, STR("pdp"), d->pdp);
    policies(w, d);
    if (shadow != NULL && shadow->present) {
        jcs_name(w, STR("shadow"));
        jcs_object(w);
        effect(w, &shadow->decision);
        policies(w, &shadow->decision);
        jcs_end(w);
    }
    jcs_end(w);
}

void entry_parts_labels(struct jcs *w, const struct labels *l)
{
    if (l == NULL || (l->count == 0 && !l->all))
        return;
    jcs_name(w, STR("labels"));
    jcs_array(w);
    if (l->all)
        jcs_str(w, STR("*")); /* counts as every label */
    for (unsigned i = 0; i < l->count; i++)
        entry_parts_item(w, l->names[i]);
    jcs_end(w);
}

void entry_parts_request(struct jcs *w, const struct evidence_body *b,
                         struct str dialect)
{
    if (b->bytes == 0 && !b->has_hmac && dialect.len == 0)
        return;
    jcs_name(w, STR("request"));
    jcs_object(w);
    jcs_pair_i64(w, STR("bytes"), (int64_t)b->bytes);
    entry_parts_text(w, STR("dialect"), dialect);
    if (b->has_hmac) {
        jcs_name(w, STR("hmac"));
        jcs_hex(w, b->hmac, sizeof(b->hmac));
    }
    jcs_end(w);
}

void entry_parts_resource(struct jcs *w, struct str type, struct str id)
{
    if (id.len == 0)
        return;
    jcs_name(w, STR("resource"));
    jcs_object(w);
    entry_parts_text(w, STR("id"), id);
    entry_parts_text(w, STR("type"), type);
    jcs_end(w);
}

void entry_parts_state(struct jcs *w, const struct evidence_state *s,
                       size_t bytes)
{
    if (s == NULL)
        return;
    jcs_name(w, STR("state"));
    jcs_object(w);
    entry_parts_id(w, STR("config"), s->config.bytes, bytes);
    entry_parts_id(w, STR("detectors"), s->detectors.bytes, bytes);
    entry_parts_id(w, STR("policy_set"), s->policy_set.bytes, bytes);
    entry_parts_id(w, STR("prices"), s->prices.bytes, bytes);
    entry_parts_id(w, STR("registry"), s->registry.bytes, bytes);
    entry_parts_id(w, STR("schema"), s->schema.bytes, bytes);
    jcs_end(w);
}

void entry_parts_error(struct jcs *w, enum err e, struct str param)
{
    if (e == ERR_OK)
        return;
    jcs_name(w, STR("error"));
    jcs_object(w);
    jcs_pair_word(w, STR("code"), str_from(err_code(e)));
    entry_parts_text(w, STR("param"), param);
    jcs_end(w);
}

void entry_parts_kind(struct jcs *w, struct str kind)
{
    jcs_pair_word(w, STR("kind"), kind);
}

void entry_parts_node(struct jcs *w, const struct evidence_head *h)
{
    entry_parts_text(w, STR("node"), h->node);
}

void entry_parts_salt(struct jcs *w, const struct evidence_head *h)
{
    jcs_name(w, STR("salt"));
    jcs_hex(w, h->salt, sizeof(h->salt));
}

void entry_parts_time(struct jcs *w, const struct evidence_head *h)
{
    char time[TEXT_TIME_LEN];
    text_time(h->time_us, time);
    jcs_pair_word(w, STR("time"), (struct str){time, sizeof(time)});
}

void entry_parts_v(struct jcs *w)
{
    jcs_pair_i64(w, STR("v"), ENTRY_VERSION);
}
