/* registry_entry.c - an entry as JSON, and what makes one an entry. */
#include "registry/registry_entry.h"

#include <assert.h>

#include "base/text.h"
#include "codec/jcs.h"
#include "domain/principal_id.h"
#include "domain/risk.h"
#include "registry/registry_names.h"

/* ---- writing ---- */

static void write_time(struct jcs *w, struct str name, int64_t us)
{
    char text[TEXT_TIME_LEN];
    text_time(us, text);
    jcs_pair_str(w, name, (struct str){text, sizeof(text)});
}

static void write_keys(struct jcs *w, const struct registry_entry *e,
                       bool whole)
{
    jcs_name(w, STR("keys"));
    jcs_array(w);
    for (unsigned i = 0; i < e->key_count; i++) {
        const struct registry_key *k = &e->keys[i];
        jcs_object(w);
        write_time(w, STR("expires"), k->expires_us);
        jcs_pair_str(w, STR("fingerprint"), k->fingerprint);
        if (whole) {
            jcs_name(w, STR("hmac"));
            jcs_hex(w, k->hmac.bytes, sizeof(k->hmac.bytes));
        }
        jcs_end(w);
    }
    jcs_end(w);
}

static void write_purposes(struct jcs *w, const struct registry_entry *e)
{
    jcs_array(w);
    for (unsigned i = 0; i < e->purpose_count; i++)
        jcs_str(w, e->purposes[i]);
    jcs_end(w);
}

static void write_risk(struct jcs *w, uint32_t risk)
{
    jcs_array(w);
    for (unsigned n = 0; n < RISK_WORDS; n++) {
        if ((risk >> n & 1) != 0)
            jcs_str(w, risk_word(n));
    }
    jcs_end(w);
}

void registry_entry_write(struct buf *to, const struct registry_entry *e,
                          bool whole)
{
    enum registry_mode mode =
        e->who.kind == PRINCIPAL_AGENT ? e->mode : REGISTRY_BOTH;
    struct str owner = e->who.kind == PRINCIPAL_USER ? e->who.id : e->owner;
    struct jcs w;
    jcs_begin(&w, to);
    jcs_object(&w);
    write_time(&w, STR("created"), e->created_us);
    write_time(&w, STR("expires"), e->expires_us);
    jcs_pair_str(&w, STR("id"), e->who.id);
    jcs_pair_str(&w, STR("issuer"), e->who.issuer);
    write_keys(&w, e, whole);
    jcs_pair_str(&w, STR("kind"), principal_kind_name(e->who.kind));
    jcs_pair_str(&w, STR("mode"), registry_mode_name(mode));
    jcs_pair_str(&w, STR("name"), e->name);
    jcs_pair_str(&w, STR("owner"), owner);
    jcs_name(&w, STR("purposes"));
    write_purposes(&w, e);
    jcs_pair_i64(&w, STR("revision"), (int64_t)e->revision);
    jcs_name(&w, STR("risk"));
    write_risk(&w, e->risk);
    jcs_pair_str(&w, STR("state"), registry_state_name(e->state));
    jcs_pair_str(&w, STR("tenant"), e->who.tenant);
    jcs_end(&w);
}

void registry_entry_write_purposes(struct buf *to,
                                   const struct registry_entry *e)
{
    struct jcs w;
    jcs_begin(&w, to);
    write_purposes(&w, e);
}

/* ---- reading ---- */

static bool read_time(const struct json *v, int64_t *ret)
{
    struct str s;
    return json_str(v, &s) && text_untime(s, ret);
}

static bool read_key(const struct json *v, struct registry_key *ret)
{
    struct str hmac;
    return json_count(v) == 3 && json_str(json_get(v, STR("hmac")), &hmac) &&
           text_unhex(hmac, ret->hmac.bytes, sizeof(ret->hmac.bytes)) &&
           json_str(json_get(v, STR("fingerprint")), &ret->fingerprint) &&
           read_time(json_get(v, STR("expires")), &ret->expires_us);
}

static bool read_keys(const struct json *v, struct registry_draft *to)
{
    size_t n = json_count(v);
    if (json_type(v) != JSON_ARRAY || n > REGISTRY_KEYS_MAX)
        return false;
    struct json_iter it = json_each(v);
    const struct json *key;
    for (size_t i = 0; json_next(&it, NULL, &key); i++) {
        if (!read_key(key, &to->keys[i]))
            return false;
    }
    to->entry.keys = to->keys;
    to->entry.key_count = (unsigned)n;
    return true;
}

bool registry_entry_read_purposes(const struct json *v,
                                  struct registry_draft *to)
{
    size_t n = json_count(v);
    if (json_type(v) != JSON_ARRAY || n > REGISTRY_PURPOSES_MAX)
        return false;
    struct json_iter it = json_each(v);
    const struct json *purpose;
    for (size_t i = 0; json_next(&it, NULL, &purpose); i++) {
        if (!json_str(purpose, &to->purposes[i]))
            return false;
    }
    to->entry.purposes = to->purposes;
    to->entry.purpose_count = (unsigned)n;
    return true;
}

static bool read_risk(const struct json *v, uint32_t *ret)
{
    if (json_type(v) != JSON_ARRAY)
        return false;
    uint32_t risk = 0;
    struct json_iter it = json_each(v);
    const struct json *word;
    while (json_next(&it, NULL, &word)) {
        struct str s;
        uint32_t bit = json_str(word, &s) ? risk_from(s) : 0;
        if (bit == 0 || bit <= risk) /* in order, and once */
            return false;
        risk |= bit;
    }
    *ret = risk;
    return true;
}

static bool read_texts(const struct json *v, struct registry_entry *e)
{
    struct str kind;
    struct str mode;
    struct str state;
    if (!json_str(json_get(v, STR("id")), &e->who.id) ||
        !json_str(json_get(v, STR("issuer")), &e->who.issuer) ||
        !json_str(json_get(v, STR("tenant")), &e->who.tenant) ||
        !json_str(json_get(v, STR("name")), &e->name) ||
        !json_str(json_get(v, STR("owner")), &e->owner) ||
        !json_str(json_get(v, STR("kind")), &kind) ||
        !json_str(json_get(v, STR("mode")), &mode) ||
        !json_str(json_get(v, STR("state")), &state))
        return false;
    e->who.kind = principal_kind_from(kind);
    e->state = registry_state_from(state);
    return registry_mode_from(mode, &e->mode);
}

enum err registry_entry_read(const struct json *v, struct registry_draft *ret)
{
    enum { MEMBERS = 14 }; /* with all of them there, no other one is */
    int64_t revision;
    struct registry_entry *e = &ret->entry;
    *e = (struct registry_entry){0};
    if (json_type(v) != JSON_OBJECT || json_count(v) != MEMBERS ||
        !read_texts(v, e) || !read_keys(json_get(v, STR("keys")), ret) ||
        !registry_entry_read_purposes(json_get(v, STR("purposes")), ret) ||
        !read_risk(json_get(v, STR("risk")), &e->risk) ||
        !read_time(json_get(v, STR("created")), &e->created_us) ||
        !read_time(json_get(v, STR("expires")), &e->expires_us) ||
        !json_i64(json_get(v, STR("revision")), &revision) || revision < 0)
        return ERR_MALFORMED;
    e->revision = (uint64_t)revision;
    return registry_entry_fault(e) == NULL ? ERR_OK : ERR_MALFORMED;
}

/* ---- checking ---- */

static bool is_id(const struct registry_entry *e)
{
    const struct principal_parts parts = {e->who.kind, e->who.issuer,
                                          e->who.tenant, e->name};
    char id[PRINCIPAL_ID_MAX];
    size_t len;
    return principal_id_make(&parts, id, &len) &&
           str_eq((struct str){id, len}, e->who.id);
}

/* Fit for a line of a list and for a policy's string. */
static bool is_text(struct str s)
{
    return s.len <= REGISTRY_TEXT_MAX && text_is_plain(s);
}

static bool is_purpose(const struct registry_entry *e, unsigned at)
{
    if (e->purposes[at].len == 0 || !is_text(e->purposes[at]))
        return false;
    for (unsigned i = 0; i < at; i++) {
        if (str_eq(e->purposes[i], e->purposes[at]))
            return false;
    }
    return true;
}

static bool is_fingerprint(struct str s)
{
    unsigned char bytes[REGISTRY_FINGERPRINT_LEN / 2];
    return text_unhex(s, bytes, sizeof(bytes));
}

const char *registry_entry_fault(const struct registry_entry *e)
{
    static const int64_t last_us = INT64_C(253402300799999999); /* 9999 */
    if (e->who.kind == PRINCIPAL_NONE || !is_id(e))
        return "the id is not made of kind, issuer, tenant and name";
    if (!is_text(e->owner))
        return "the owner is too long, or no plain text";
    if (e->purpose_count > REGISTRY_PURPOSES_MAX)
        return "there are too many purposes";
    for (unsigned i = 0; i < e->purpose_count; i++) {
        if (!is_purpose(e, i))
            return "a purpose is empty, too long, no plain text, or twice "
                   "there";
    }
    if (e->key_count > REGISTRY_KEYS_MAX)
        return "there are too many keys";
    for (unsigned i = 0; i < e->key_count; i++) {
        if (!is_fingerprint(e->keys[i].fingerprint))
            return "a key's fingerprint is not 16 hex digits";
    }
    if ((e->risk & ~(uint32_t)RISK_ALL) != 0)
        return "the risk ceiling has unknown bits";
    if ((unsigned)e->mode > REGISTRY_BOTH)
        return "there is no such mode";
    if (e->state == REGISTRY_NONE || (unsigned)e->state > REGISTRY_RETIRED)
        return "there is no such state";
    if (e->created_us < 0 || e->created_us > last_us || e->expires_us < 0 ||
        e->expires_us > last_us)
        return "a time is not between 1970 and 9999";
    if (e->revision > INT64_MAX / 1024)
        return "the revision is out of range";
    return NULL;
}
