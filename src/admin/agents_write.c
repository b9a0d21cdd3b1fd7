/* agents_write.c - see agents.h: who becomes part of the registry, and new
 * keys. */
#include "admin/agents.h"

#include <stdlib.h>

#include "admin/agents_find.h"
#include "admin/answer.h"
#include "admin/api_key.h"
#include "admin/body.h"
#include "admin/changes.h"
#include "admin/when.h"
#include "base/num.h"
#include "codec/json.h"
#include "domain/principal_id.h"
#include "domain/risk.h"
#include "os/loop.h"

/* What is asked for, as it came. */
struct wish {
    struct str name, kind, tenant, owner, mode, expires, issuer, id, reason;
    struct str key_hash;
    struct body_texts purposes, risk;
    bool proposed;
};

/* A change that is on its way, with the key to show in the end. */
struct write {
    struct admin_pending pending; /* first */
    enum principal_kind kind;
    size_t id_len;
    char id[PRINCIPAL_ID_ROOM];
    bool has_key;
    int status; /* of success */
    struct api_key key;
};

static void free_write(struct write *w)
{
    hash_wipe(&w->key, sizeof(w->key));
    free(w);
}

static void answer_written(struct admin_call *c, const struct write *w)
{
    const struct registry_entry *now =
        registry_view_find(registry_now(c->host->registry), w->kind,
                           (struct str){w->id, w->id_len});
    struct buf body;

    buf_init(&body, ANSWER_MAX);
    BUF_LIT(&body, "{\"agent\":");
    registry_entry_write(&body, now, false);
    if (w->has_key) {
        BUF_LIT(&body, ",\"key\":");
        json_write_str(&body, (struct str){w->key.text, sizeof(w->key.text)});
    }
    BUF_LIT(&body, ",\"durable\":true}");
    answer_json(c, w->status, &body);
    if (buf_ok(&body))
        hash_wipe(body.ptr, body.len);
    buf_release(&body);
}

static void on_written(void *user, enum err e, bool durable)
{
    struct write *w = user;
    struct admin_call *c = w->pending.call;

    (void)durable;
    if (c != NULL && e != ERR_OK)
        answer_refuse(c, e, NULL);
    else if (c != NULL)
        answer_written(c, w);
    free_write(w);
}

static struct write *new_write(const struct principal *who, int status)
{
    struct write *w =
        who->id.len > PRINCIPAL_ID_ROOM ? NULL : calloc(1, sizeof(*w));
    if (w == NULL)
        return NULL;
    w->kind = who->kind;
    w->id_len = who->id.len;
    w->status = status;
    memcpy(w->id, who->id.ptr, w->id_len);
    return w;
}

/* Takes `w`. */
static void begin(struct admin_call *c, struct write *w,
                  const struct registry_entry *entry, const char *event,
                  struct str detail)
{
    const struct changes_ask ask = {
        .fact = agents_fact(c, entry, event, false, detail),
        .entry = entry,
        .done = on_written,
        .user = w,
    };
    answer_later(c, &w->pending);
    enum err e = changes_begin(c->host, &ask);
    if (e == ERR_OK)
        return;
    c->pending = NULL;
    free_write(w);
    answer_refuse(c, e, NULL);
}

/* ---- from a wish to an entry ---- */

struct fault {
    enum err err;
    const char *detail;
    struct str param;
};

static bool fail(struct fault *to, const char *detail, struct str param)
{
    *to = (struct fault){ERR_MALFORMED, detail, param};
    return false;
}

static bool read_mode(const struct wish *w, struct registry_entry *e,
                      struct fault *f)
{
    static const enum registry_mode modes[] = {REGISTRY_DELEGATED,
                                               REGISTRY_AUTONOMOUS,
                                               REGISTRY_BOTH};

    e->mode =
        e->who.kind == PRINCIPAL_AGENT ? REGISTRY_DELEGATED : REGISTRY_BOTH;
    if (w->mode.len == 0)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        if (str_eq(w->mode, registry_mode_name(modes[i]))) {
            e->mode = modes[i];
            return true;
        }
    }
    return fail(f, "expected delegated, autonomous or both", STR("mode"));
}

static bool read_risk(const struct wish *w, struct registry_entry *e,
                      struct fault *f)
{
    e->risk = w->risk.count == 0 ? RISK_READ : 0;
    for (unsigned i = 0; i < w->risk.count; i++) {
        uint32_t bit = risk_from(w->risk.at[i]);
        if (bit == 0)
            return fail(f,
                        "expected read, write, trigger, purchase, deploy, "
                        "export, secret, regulated or admin",
                        STR("risk"));
        e->risk |= bit;
    }
    return true;
}

static bool read_terms(const struct wish *w, struct registry_entry *e,
                       int64_t now_us, struct fault *f)
{
    if (!when_read(w->expires, now_us, &e->expires_us))
        return fail(f,
                    "expected a duration (90d) or a date (2027-01-31) "
                    "within ten years",
                    STR("expires"));
    if (w->purposes.count > REGISTRY_PURPOSES_MAX)
        return fail(f, "too many", STR("purposes"));
    e->purpose_count = w->purposes.count;
    e->purposes = w->purposes.at;
    e->state = w->proposed ? REGISTRY_PROPOSED : REGISTRY_ACTIVE;
    return read_mode(w, e, f) && read_risk(w, e, f);
}

/* A bare name is that of a person with a key; a person owns itself. */
static bool read_owner(struct admin_call *c, const struct wish *w,
                       struct registry_entry *e, struct fault *f)
{
    if (e->who.kind == PRINCIPAL_USER && w->owner.len == 0) {
        e->owner = e->who.id;
        return true;
    }
    e->owner = w->owner;
    if (w->owner.len == 0 || str_find(w->owner, '|') < w->owner.len)
        return true; /* the registry says what is missing */
    const struct principal_parts parts = {PRINCIPAL_USER, PRINCIPAL_KEYS_ISSUER,
                                          e->who.tenant, w->owner};
    char id[PRINCIPAL_ID_MAX];
    size_t len;
    if (!principal_id_make(&parts, id, &len) ||
        !arena_copy(c->arena, (struct str){id, len}, &e->owner))
        return fail(f, "is no name", STR("owner"));
    return true;
}

static bool knows_tenant(const struct settings *s, struct str name)
{
    for (size_t i = 0; i < s->tenant_count; i++) {
        if (str_eq(s->tenants[i].name, name))
            return true;
    }
    return false;
}

static bool knows_issuer(const struct settings *s, struct str alias)
{
    for (size_t i = 0; i < s->issuer_count; i++) {
        if (str_eq(s->issuers[i].alias, alias))
            return true;
    }
    return str_eq(alias, PRINCIPAL_KEYS_ISSUER);
}

/* Who it is; the name in parts becomes an id. */
static bool read_who(struct admin_call *c, const struct wish *w,
                     struct registry_entry *e, struct fault *f)
{
    const struct settings *s = c->host->hooks.settings(c->host->hooks.user);
    struct principal *who = &e->who;
    char id[PRINCIPAL_ID_MAX];
    size_t len;

    who->kind =
        w->kind.len == 0 ? PRINCIPAL_AGENT : principal_kind_from(w->kind);
    who->issuer = w->issuer.len == 0 ? PRINCIPAL_KEYS_ISSUER : w->issuer;
    who->tenant = w->tenant.len == 0 && s->tenant_count == 1
                      ? s->tenants[0].name
                      : w->tenant;
    if (who->kind == PRINCIPAL_NONE)
        return fail(f, "expected agent, application, workload or human",
                    STR("kind"));
    if (!knows_tenant(s, who->tenant))
        return fail(f, "is none of the configured tenants", STR("tenant"));
    if (!knows_issuer(s, who->issuer))
        return fail(f, "is neither keys nor an alias of trust.oidc",
                    STR("issuer"));
    const struct principal_parts parts = {who->kind, who->issuer, who->tenant,
                                          w->name};
    if (!principal_id_make(&parts, id, &len) ||
        !arena_copy(c->arena, (struct str){id, len}, &who->id) ||
        !arena_copy(c->arena, who->tenant, &who->tenant))
        return fail(f, "cannot be part of an entity id", STR("name"));
    e->name = w->name;
    return true;
}

static void answer_fault(struct admin_call *c, const struct fault *f)
{
    answer_problem(c, f->err, str_from(f->detail), f->param);
}

static bool is_open(struct admin_call *c)
{
    if (c->host->registry != NULL && c->host->caller_key.len > 0)
        return true;
    answer_refuse(c, ERR_STORE, "the registry is not loaded yet");
    return false;
}

static bool read_body(struct admin_call *c, const struct body_field *fields,
                      size_t n)
{
    struct body_problem problem;
    enum err e = body_read(c->arena, c->body, fields, n, &problem);
    if (e == ERR_OK)
        return true;
    answer_problem(c, e, str_from(problem.detail), problem.param);
    return false;
}

/* The registry's own rules, then a key where it is needed; then it begins. */
static void enter(struct admin_call *c, struct registry_entry *e,
                  const char *event, const struct wish *wish)
{
    struct registry_key keys[REGISTRY_KEYS_MAX];
    const char *why = NULL;
    int64_t now_us = loop_wall_us(c->host->loop);
    bool keyed = str_eq(e->who.issuer, PRINCIPAL_KEYS_ISSUER);

    enum err err = registry_check_new(c->host->registry, e, now_us, &why);
    if (err != ERR_OK) {
        answer_refuse(c, err, why);
        return;
    }
    struct write *w = new_write(&e->who, 201);
    if (w == NULL) {
        answer_refuse(c, ERR_NO_MEMORY, NULL);
        return;
    }
    w->has_key = keyed && wish->key_hash.len == 0;
    if (w->has_key)
        api_key_make(c->host->caller_key, &w->key);
    else if (keyed && !api_key_take(wish->key_hash, &w->key)) {
        free_write(w);
        answer_problem(c, ERR_MALFORMED,
                       STR("expected hmac-sha256: and 64 hex digits, as `writ "
                           "key hash` prints"),
                       STR("key_hash"));
        return;
    }
    if (keyed) {
        e->key_count = api_key_put(e, &w->key, now_us, 0, keys);
        e->keys = keys;
        err = registry_check_new(c->host->registry, e, now_us, &why);
    }
    if (err != ERR_OK) { /* a hash that is another one's */
        free_write(w);
        answer_refuse(c, err, why);
        return;
    }
    begin(c, w, e, event, wish->reason);
}

void agents_add(struct admin_call *c)
{
    struct wish w = {0};
    struct registry_entry e = {0};
    struct fault f;
    const struct body_field fields[] = {
        {STR("name"), BODY_TEXT, true, &w.name},
        {STR("kind"), BODY_TEXT, false, &w.kind},
        {STR("tenant"), BODY_TEXT, false, &w.tenant},
        {STR("owner"), BODY_TEXT, false, &w.owner},
        {STR("purposes"), BODY_TEXTS, false, &w.purposes},
        {STR("mode"), BODY_TEXT, false, &w.mode},
        {STR("risk"), BODY_TEXTS, false, &w.risk},
        {STR("expires"), BODY_TEXT, true, &w.expires},
        {STR("issuer"), BODY_TEXT, false, &w.issuer},
        {STR("key_hash"), BODY_TEXT, false, &w.key_hash},
        {STR("proposed"), BODY_FLAG, false, &w.proposed},
        {STR("reason"), BODY_TEXT, false, &w.reason},
    };

    if (!is_open(c) || !read_body(c, fields, ARRAY_LEN(fields)))
        return;
    e.created_us = loop_wall_us(c->host->loop);
    if (!read_who(c, &w, &e, &f) || !read_terms(&w, &e, e.created_us, &f) ||
        !read_owner(c, &w, &e, &f)) {
        answer_fault(c, &f);
        return;
    }
    enter(c, &e, "add", &w);
}

/* What was discovered, becomes registered: who it is stands already. */
void agents_adopt(struct admin_call *c)
{
    struct wish w = {0};
    struct registry_entry e = {0};
    struct fault f;
    const struct body_field fields[] = {
        {STR("id"), BODY_TEXT, true, &w.id},
        {STR("kind"), BODY_TEXT, false, &w.kind},
        {STR("owner"), BODY_TEXT, false, &w.owner},
        {STR("purposes"), BODY_TEXTS, false, &w.purposes},
        {STR("mode"), BODY_TEXT, false, &w.mode},
        {STR("risk"), BODY_TEXTS, false, &w.risk},
        {STR("expires"), BODY_TEXT, true, &w.expires},
        {STR("proposed"), BODY_FLAG, false, &w.proposed},
        {STR("reason"), BODY_TEXT, false, &w.reason},
    };

    if (!is_open(c) || !read_body(c, fields, ARRAY_LEN(fields)))
        return;
    const struct registry_entry *was = agents_find_id(c, w.id, w.kind);
    if (was == NULL)
        return;
    if (was->state != REGISTRY_DISCOVERED) {
        answer_refuse(c, ERR_CONFLICT, "it is registered already");
        return;
    }
    e.who = was->who;
    e.name = was->name;
    e.created_us = loop_wall_us(c->host->loop);
    if (!read_terms(&w, &e, e.created_us, &f) || !read_owner(c, &w, &e, &f)) {
        answer_fault(c, &f);
        return;
    }
    enter(c, &e, "adopt", &w);
}

/* ---- a new key ---- */

#define GRACE_MS INT64_C(86400000) /* for who has to be told the new one */
#define GRACE_MAX_MS (30 * GRACE_MS)

static const char *why_no_key(const struct registry_entry *e)
{
    if (!str_eq(e->who.issuer, PRINCIPAL_KEYS_ISSUER))
        return "its credentials are those of its issuer";
    if (e->state == REGISTRY_RETIRED || e->state == REGISTRY_DISCOVERED)
        return "it is retired, or not registered";
    return NULL;
}

struct terms {
    int64_t grace_ms;
    struct str reason;
};

/* Takes `w`. */
static void rotate(struct admin_call *c, struct write *w,
                   const struct registry_entry *was, struct terms t)
{
    struct registry_key keys[REGISTRY_KEYS_MAX];
    struct registry_entry e = *was;

    w->has_key = true;
    api_key_make(c->host->caller_key, &w->key);
    e.key_count = api_key_put(was, &w->key, loop_wall_us(c->host->loop),
                              t.grace_ms, keys);
    e.keys = keys;
    if (e.key_count > 0) {
        begin(c, w, &e, "rotate", t.reason);
        return;
    }
    free_write(w);
    answer_refuse(c, ERR_CONFLICT,
                  "it has as many keys as it may: wait until one has ended, or "
                  "give no grace");
}

void agents_rotate(struct admin_call *c)
{
    struct str grace = {NULL, 0}, reason = {NULL, 0};
    int64_t grace_ms = GRACE_MS;
    const struct body_field fields[] = {
        {STR("grace"), BODY_TEXT, false, &grace},
        {STR("reason"), BODY_TEXT, false, &reason},
    };

    if (!is_open(c) || !read_body(c, fields, ARRAY_LEN(fields)))
        return;
    if (grace.len > 0 &&
        (!num_duration_ms(grace, &grace_ms) || grace_ms > GRACE_MAX_MS)) {
        answer_problem(c, ERR_MALFORMED,
                       STR("expected a duration of at most 30d, or 0"),
                       STR("grace"));
        return;
    }
    const struct registry_entry *was = agents_find(c);
    if (was == NULL)
        return;
    const char *why = why_no_key(was);
    struct write *w = why == NULL ? new_write(&was->who, 200) : NULL;
    if (why != NULL)
        answer_refuse(c, ERR_CONFLICT, why);
    else if (w == NULL)
        answer_refuse(c, ERR_NO_MEMORY, NULL);
    else
        rotate(c, w, was, (struct terms){grace_ms, reason});
}
