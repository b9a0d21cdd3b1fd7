/* people_enrol.c - see people.h; how a person becomes an administrator. */
#include <stdlib.h>

#include "admin/accounts.h"
#include "admin/agents_find.h"
#include "admin/answer.h"
#include "admin/changes.h"
#include "admin/enrolment.h"
#include "admin/people.h"
#include "admin/people_common.h"
#include "admin/people_enrolment.h"
#include "admin/when.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "domain/principal_id.h"
#include "domain/risk.h"
#include "evidence/evidence.h"
#include "os/loop.h"

#define CONFIRM_US (INT64_C(10) * 60 * 1000000)
#define LIFE_US (INT64_C(365) * 24 * 3600 * 1000000)

enum { BASE32_LEN = (TOTP_SECRET_LEN * 8 + 4) / 5 };

/* A proven enrolment on its way to account, identity and token. */
struct enrol {
    struct admin_pending pending; /* first */
    struct admin_host *host;
    struct people_keys keys;
    size_t name_len, passphrase_len, id_len;
    char name[ACCOUNTS_NAME_MAX], passphrase[ACCOUNTS_PASSPHRASE_MAX];
    char id[PRINCIPAL_ID_ROOM];
    unsigned char secret[TOTP_SECRET_LEN];
    int64_t step;
};

struct wish {
    struct str code, name, passphrase, totp, tenant;
};

void people_enrolment_free(struct people_enrolment *p)
{
    if (p == NULL)
        return;
    hash_wipe(p, sizeof(*p));
    free(p);
}

/* ---- the secret of the codes ---- */

/* RFC 4648, 6; the length is a multiple of five bytes. */
static void base32(const unsigned char *from, char to[BASE32_LEN])
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint64_t bits = 0;
    size_t at = 0;

    static_assert(TOTP_SECRET_LEN % 5 == 0, "no padding");
    for (size_t i = 0; i < TOTP_SECRET_LEN; i++) {
        bits = bits << 8 | from[i];
        if (i % 5 != 4)
            continue;
        for (int shift = 35; shift >= 0; shift -= 5)
            to[at++] = alphabet[bits >> shift & 31];
    }
}

static void answer_secret(struct admin_call *c,
                          const struct people_enrolment *p)
{
    char secret[BASE32_LEN];
    struct buf body;

    base32(p->secret, secret);
    buf_init(&body, KIB);
    buf_addf(&body,
             "{\"totp\":{\"secret\":\"%.*s\",\"uri\":\"otpauth://totp/Writ:"
             "%.*s?secret=%.*s&issuer=Writ&algorithm=SHA1&digits=6&period="
             "30\"}}",
             (int)sizeof(secret), secret, (int)p->name_len, p->name,
             (int)sizeof(secret), secret);
    answer_json(c, 200, &body);
    hash_wipe(secret, sizeof(secret));
    if (buf_ok(&body))
        hash_wipe(body.ptr, body.len);
    buf_release(&body);
}

static void begin_enrolment(struct admin_call *c, struct str name)
{
    struct people_enrolment *p = c->host->enrolment;

    if (p == NULL)
        p = c->host->enrolment = calloc(1, sizeof(*p));
    if (p == NULL) {
        answer_refuse(c, ERR_NO_MEMORY, NULL);
        return;
    }
    p->name_len = name.len;
    memcpy(p->name, name.ptr, name.len);
    hash_random(p->secret, sizeof(p->secret));
    p->until_us = loop_wall_us(c->host->loop) + CONFIRM_US;
    answer_secret(c, p);
}

/* ---- the steps of a proven one ---- */

static void end(struct enrol *en, enum err e)
{
    struct admin_call *c = en->pending.call;

    people_tried(en->host, &en->keys, e);
    if (en->host->enrolment != NULL)
        en->host->enrolment->busy = false;
    if (c != NULL && e == ERR_OK)
        people_answer_token(c, (struct str){en->name, en->name_len}, 201);
    else if (c != NULL)
        answer_refuse(c, e,
                      e == ERR_CONFLICT ? "there is an account of that name"
                                        : NULL);
    hash_wipe(en, sizeof(*en));
    free(en);
}

static void on_added(void *user, enum err e)
{
    struct enrol *en = user;

    if (e == ERR_OK)
        e = enrolment_end(en->host->data);
    end(en, e);
}

static void add_account(struct enrol *en)
{
    const struct accounts_entry in = {
        .name = {en->name, en->name_len},
        .passphrase = {en->passphrase, en->passphrase_len},
        .secret = en->secret,
        .step = en->step,
        .done = on_added,
        .user = en,
    };
    enum err e = accounts_add(en->host->accounts, &in);
    if (e != ERR_OK)
        end(en, e);
}

static void on_entered(void *user, enum err e, bool durable)
{
    struct enrol *en = user;

    (void)durable;
    if (e == ERR_OK)
        add_account(en);
    else
        end(en, e);
}

/* Its identity; one that is there already is of an earlier try. */
static enum err enter(struct enrol *en, struct str tenant, const char **ret_why)
{
    struct admin_host *h = en->host;
    int64_t now_us = loop_wall_us(h->loop);
    const struct registry_entry *was =
        registry_view_find(registry_now(h->registry), PRINCIPAL_USER,
                           (struct str){en->id, en->id_len});
    const struct registry_entry entry = {
        .who = {.kind = PRINCIPAL_USER,
                .issuer = STR("local"),
                .id = {en->id, en->id_len},
                .tenant = tenant},
        .name = {en->name, en->name_len},
        .owner = {en->id, en->id_len},
        .risk = RISK_ALL,
        .state = REGISTRY_ACTIVE,
        .created_us = now_us,
        .expires_us = now_us + LIFE_US,
        .revision = 1,
    };

    if (was != NULL && was->state == REGISTRY_ACTIVE) {
        add_account(en);
        return ERR_OK;
    }
    enum err e = registry_check_new(h->registry, &entry, now_us, ret_why);
    if (e != ERR_OK)
        return e;
    const struct changes_ask ask = {
        .fact = {.author = entry.who.id,
                 .author_method = STR("enrolment"),
                 .action = ACTION_CONFIG_WRITE,
                 .event = STR("enrol"),
                 .subject_type = STR("User"),
                 .subject = entry.who.id,
                 .tenant = tenant},
        .entry = &entry,
        .done = on_entered,
        .user = en,
    };
    return changes_begin(h, &ask);
}

/* The tenant whose person it is: as asked for, or the first. */
static bool find_tenant(struct admin_call *c, struct str *tenant)
{
    const struct settings *s = c->host->hooks.settings(c->host->hooks.user);

    if (tenant->len == 0 && s->tenant_count > 0)
        *tenant = s->tenants[0].name;
    for (size_t i = 0; i < s->tenant_count; i++) {
        if (str_eq(s->tenants[i].name, *tenant))
            return true;
    }
    answer_problem(c, ERR_MALFORMED, STR("is none of the configured tenants"),
                   STR("tenant"));
    return false;
}

static struct enrol *new_enrol(struct admin_call *c, const struct wish *w)
{
    const struct people_enrolment *p = c->host->enrolment;
    struct enrol *en = calloc(1, sizeof(*en));
    if (en == NULL)
        return NULL;
    en->host = c->host;
    en->name_len = w->name.len;
    memcpy(en->name, w->name.ptr, w->name.len);
    en->passphrase_len = w->passphrase.len;
    memcpy(en->passphrase, w->passphrase.ptr, w->passphrase.len);
    memcpy(en->secret, p->secret, sizeof(en->secret));
    struct buf id;
    buf_init_lent(&id, en->id, sizeof(en->id));
    BUF_LIT(&id, "local|");
    buf_add(&id, w->name);
    en->id_len = id.len;
    return en;
}

/* The codes arrive where they should: now it takes place. */
static void confirm(struct admin_call *c, const struct wish *w,
                    const struct people_keys *keys, int64_t step)
{
    const char *why = NULL;
    struct enrol *en = new_enrol(c, w);

    if (en == NULL) {
        answer_refuse(c, ERR_NO_MEMORY, NULL);
        return;
    }
    en->keys = *keys;
    en->step = step;
    answer_later(c, &en->pending);
    c->host->enrolment->busy = true;
    enum err e = enter(en, w->tenant, &why);
    if (e == ERR_OK)
        return;
    c->host->enrolment->busy = false;
    c->pending = NULL;
    hash_wipe(en, sizeof(*en));
    free(en);
    people_tried(c->host, keys, e);
    answer_refuse(c, e, why);
}

/* ---- the endpoint ---- */

/* -1: no enrolment of that name is under way, or it is not its code. */
static int64_t prove(struct admin_call *c, const struct wish *w)
{
    const struct people_enrolment *p = c->host->enrolment;
    int64_t now_us = loop_wall_us(c->host->loop);

    if (p == NULL || now_us >= p->until_us ||
        !str_eq(w->name, (struct str){p->name, p->name_len}))
        return -1;
    return totp_check((struct str){(const char *)p->secret, sizeof(p->secret)},
                      w->totp, now_us);
}

static bool is_wish(struct admin_call *c, const struct wish *w)
{
    if (!accounts_name_ok(w->name))
        answer_problem(c, ERR_MALFORMED,
                       STR("expected at most 64 of a-z, 0-9, '.', '-', '_', a "
                           "letter first"),
                       STR("name"));
    else if (w->passphrase.len < ACCOUNTS_PASSPHRASE_MIN)
        answer_problem(c, ERR_MALFORMED, STR("expected at least 12 bytes"),
                       STR("passphrase"));
    else
        return true;
    return false;
}

static void refuse_code(struct admin_call *c, const struct people_keys *keys,
                        const char *detail)
{
    people_tried(c->host, keys, ERR_UNAUTHENTICATED);
    evidence_unknown(c->host->evidence, ERR_UNAUTHENTICATED, c->source);
    answer_refuse(c, ERR_UNAUTHENTICATED, detail);
}

void people_enrol(struct admin_call *c)
{
    struct wish w = {0};
    const struct body_field fields[] = {
        {STR("code"), BODY_TEXT, true, &w.code},
        {STR("name"), BODY_TEXT, true, &w.name},
        {STR("passphrase"), BODY_TEXT, true, &w.passphrase},
        {STR("totp"), BODY_TEXT, false, &w.totp},
        {STR("tenant"), BODY_TEXT, false, &w.tenant},
    };
    struct people_keys keys;
    struct admin_host *h = c->host;

    if (!people_read(c, fields, ARRAY_LEN(fields)) || !is_wish(c, &w) ||
        !find_tenant(c, &w.tenant))
        return;
    people_keys_make(&keys, STR(""), c->source);
    if (!people_may_try(c, &keys))
        return;
    if (!enrolment_check(h->data, h->caller_key, w.code,
                         loop_wall_us(h->loop))) {
        refuse_code(c, &keys, "the enrolment code is wrong, used or over");
        return;
    }
    if (h->enrolment != NULL && h->enrolment->busy) {
        people_tried(h, &keys, ERR_CONFLICT);
        answer_refuse(c, ERR_CONFLICT, "this code is being used");
        return;
    }
    if (w.totp.len == 0) {
        people_tried(h, &keys, ERR_OK);
        begin_enrolment(c, w.name);
        return;
    }
    int64_t step = prove(c, &w);
    if (step < 0)
        refuse_code(c, &keys, "the one-time code is wrong, or too late");
    else
        confirm(c, &w, &keys, step);
}

/* ---- a code for the next one ---- */

struct invite {
    struct admin_pending pending; /* first */
    struct admin_host *host;
};

static void on_invited(void *user, enum err e, bool durable)
{
    struct invite *in = user;
    struct admin_call *c = in->pending.call;
    char code[ENROLMENT_CODE_LEN];
    struct buf body;

    (void)durable;
    if (c != NULL && e == ERR_OK)
        e = enrolment_make(in->host->data, in->host->caller_key,
                           loop_wall_us(in->host->loop), code);
    if (c != NULL && e == ERR_OK) {
        buf_init(&body, KIB);
        buf_addf(&body, "{\"code\":\"%.*s\"}", (int)sizeof(code), code);
        answer_json(c, 201, &body);
        hash_wipe(code, sizeof(code));
        buf_release(&body);
    } else if (c != NULL) {
        answer_refuse(c, e, NULL);
    }
    free(in);
}

void people_invite(struct admin_call *c)
{
    struct invite *in = NULL;
    struct changes_ask ask = {
        .fact = {.author = c->author.id,
                 .author_method = auth_method_name(c->author.method),
                 .action = ACTION_CONFIG_WRITE,
                 .event = STR("invite"),
                 .subject_type = STR("Endpoint"),
                 .subject = STR("enrol")},
        .done = on_invited,
    };

    if (!people_read(c, NULL, 0))
        return;
    in = calloc(1, sizeof(*in));
    enum err e = ERR_NO_MEMORY;
    if (in != NULL) {
        in->host = c->host;
        ask.user = in;
        answer_later(c, &in->pending);
        e = changes_begin(c->host, &ask);
    }
    if (e == ERR_OK)
        return;
    c->pending = NULL;
    free(in);
    answer_refuse(c, e, NULL);
}
