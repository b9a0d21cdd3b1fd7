/* people.c - see people.h; login and logout. */
#include "admin/people.h"

#include <stdlib.h>

#include "admin/accounts.h"
#include "admin/answer.h"
#include "admin/body.h"
#include "admin/lockout.h"
#include "admin/logins.h"
#include "admin/people_common.h"
#include "base/text.h"
#include "codec/json.h"
#include "evidence/evidence.h"
#include "os/loop.h"
#include "registry/registry.h"

struct login {
    struct admin_pending pending; /* first */
    struct admin_host *host;
    struct people_keys keys;
    size_t name_len;
    char name[ACCOUNTS_NAME_MAX];
};

/* "n:alice", cut where it is too long. */
static size_t make_key(char *to, size_t room, struct str what, struct str who)
{
    struct buf key;

    buf_init_lent(&key, to, room);
    buf_add(&key, what);
    buf_add(&key, str_first(who, room - 8));
    return key.len;
}

void people_keys_make(struct people_keys *k, struct str name, struct str source)
{
    struct str address = source;
    size_t colon = source.len;

    /* A port is new for each connection. */
    while (colon > 0 && source.ptr[colon - 1] != ':')
        colon--;
    if (colon > 0)
        address = str_first(source, colon - 1);
    k->name_len = make_key(k->name, sizeof(k->name), STR("n:"), name);
    k->source_len = make_key(k->source, sizeof(k->source), STR("s:"), address);
    k->both_len = 0;
    k->by_both = false;
    if (name.len == 0)
        return;
    struct buf both;
    buf_init_lent(&both, k->both, sizeof(k->both));
    buf_add(&both, (struct str){k->source, k->source_len});
    buf_add(&both, (struct str){k->name, k->name_len});
    k->both_len = both.len;
}

static struct str both_key(const struct people_keys *k)
{
    return (struct str){k->both, k->both_len};
}

/* Empty where no name was given: a code of enrolment cannot be guessed, and
 * nobody shall keep others from using theirs. */
static struct str name_key(const struct people_keys *k)
{
    if (k->both_len == 0)
        return (struct str){NULL, 0};
    return k->by_both ? both_key(k) : (struct str){k->name, k->name_len};
}

static struct str source_key(const struct people_keys *k)
{
    return (struct str){k->source, k->source_len};
}

bool people_may_try(struct admin_call *c, struct people_keys *k)
{
    struct lockout *l = c->host->lockout;
    int64_t now_ms = loop_now_ms(c->host->loop);
    char detail[64];

    k->by_both = k->both_len > 0 && lockout_is_trusted(l, both_key(k), now_ms);
    int64_t wait_ms = lockout_try(l, source_key(k), now_ms);
    if (wait_ms == 0 && name_key(k).len > 0) {
        wait_ms = lockout_try(l, name_key(k), now_ms);
        if (wait_ms > 0)
            lockout_undo(l, source_key(k));
    }
    if (wait_ms == 0)
        return true;
    (void)snprintf(detail, sizeof(detail), "wait %lld s after these failures",
                   (long long)((wait_ms + 999) / 1000));
    evidence_unknown(c->host->evidence, ERR_RATE, c->source);
    answer_problem(c, ERR_RATE, str_from(detail), (struct str){NULL, 0});
    return false;
}

void people_tried(struct admin_host *h, const struct people_keys *k, enum err e)
{
    if (e == ERR_OK) {
        if (k->both_len > 0)
            lockout_trust(h->lockout, both_key(k), loop_now_ms(h->loop));
        if (!k->by_both)
            lockout_clear(h->lockout, name_key(k));
        lockout_clear(h->lockout, source_key(k));
    } else if (e != ERR_UNAUTHENTICATED) {
        lockout_undo(h->lockout, name_key(k));
        lockout_undo(h->lockout, source_key(k));
    }
}

bool people_may_act(const struct admin_host *h, struct str id)
{
    const struct registry_entry *person, *live;

    if (h->registry == NULL)
        return false;
    const struct registry_view *v = registry_now(h->registry);
    person = registry_view_find(v, PRINCIPAL_USER, id);
    return person != NULL && str_eq(person->who.issuer, STR("local")) &&
           registry_view_check(v, &person->who, loop_wall_us(h->loop), &live) ==
               ERR_OK;
}

static bool account_may_act(const struct admin_host *h, struct str name)
{
    char room[ACCOUNTS_NAME_MAX + 8];
    struct buf id;

    buf_init_lent(&id, room, sizeof(room));
    BUF_LIT(&id, "local|");
    buf_add(&id, name);
    return buf_ok(&id) && people_may_act(h, buf_str(&id));
}

void people_answer_token(struct admin_call *c, struct str name, int status)
{
    char token[LOGINS_TOKEN_LEN], until[TEXT_TIME_LEN];
    int64_t now_us = loop_wall_us(c->host->loop);
    struct buf body;

    enum err e = logins_begin(c->host->logins, name, now_us, token);
    if (e != ERR_OK) {
        answer_refuse(c, e, NULL);
        return;
    }
    text_time(now_us + LOGINS_MAX_US, until);
    buf_init(&body, KIB);
    BUF_LIT(&body, "{\"name\":");
    json_write_str(&body, name);
    buf_addf(&body, ",\"token\":\"%.*s\",\"expires\":\"%.*s\"}",
             (int)sizeof(token), token, (int)sizeof(until), until);
    answer_json(c, status, &body);
    hash_wipe(token, sizeof(token));
    if (buf_ok(&body))
        hash_wipe(body.ptr, body.len);
    buf_release(&body);
}

/* Who came in, and from where.  Not awaited, and no login fails for want of it:
 * whoever comes to take something away must get in. */
static void record_login(const struct login *l)
{
    char room[ACCOUNTS_NAME_MAX + 8];
    const struct str source = {l->keys.source, l->keys.source_len};
    struct buf id;

    buf_init_lent(&id, room, sizeof(room));
    BUF_LIT(&id, "local|");
    buf_add(&id, (struct str){l->name, l->name_len});
    const struct evidence_admin f = {
        .author = buf_str(&id),
        .author_method = auth_method_name(AUTH_LOGIN),
        .action = ACTION_ADMIN_READ,
        .event = STR("login"),
        .detail = str_skip(source, 2),
        .subject_type = STR("User"),
        .subject = buf_str(&id),
    };
    (void)!evidence_admin(l->host->evidence, &f, NULL);
}

static void on_checked(void *user, enum err e)
{
    struct login *l = user;
    struct admin_call *c = l->pending.call;
    struct str name = {l->name, l->name_len};

    if (e == ERR_OK && !account_may_act(l->host, name))
        e = ERR_UNAUTHENTICATED; /* suspended, or expired */
    people_tried(l->host, &l->keys, e);
    if (c != NULL && e == ERR_OK)
        record_login(l);
    if (c != NULL && e == ERR_OK)
        people_answer_token(c, name, 200);
    else if (c != NULL)
        answer_refuse(c, e, NULL);
    if (e == ERR_UNAUTHENTICATED)
        evidence_unknown(
            l->host->evidence, e,
            str_skip((struct str){l->keys.source, l->keys.source_len}, 2));
    free(l);
}

bool people_read(struct admin_call *c, const struct body_field *fields,
                 size_t n)
{
    struct body_problem problem;

    if (c->host->accounts == NULL || c->host->registry == NULL) {
        answer_refuse(c, ERR_STORE, "the store is not open yet");
        return false;
    }
    enum err e = body_read(c->arena, c->body, fields, n, &problem);
    if (e == ERR_OK)
        return true;
    answer_problem(c, e, str_from(problem.detail), problem.param);
    return false;
}

void people_login(struct admin_call *c)
{
    struct accounts_login in = {.done = on_checked};
    const struct body_field fields[] = {
        {STR("name"), BODY_TEXT, true, &in.name},
        {STR("passphrase"), BODY_TEXT, true, &in.passphrase},
        {STR("totp"), BODY_TEXT, true, &in.code},
    };
    struct people_keys keys;

    if (!people_read(c, fields, ARRAY_LEN(fields)))
        return;
    people_keys_make(&keys, in.name, c->source);
    if (!people_may_try(c, &keys))
        return;
    struct login *l = calloc(1, sizeof(*l));
    enum err e = ERR_NO_MEMORY;
    if (l != NULL) {
        l->host = c->host;
        l->keys = keys;
        l->name_len = str_first(in.name, sizeof(l->name)).len;
        memcpy(l->name, in.name.ptr, l->name_len);
        in.user = l;
        answer_later(c, &l->pending);
        e = accounts_check(c->host->accounts, &in);
    }
    if (e == ERR_OK)
        return;
    c->pending = NULL;
    free(l);
    people_tried(c->host, &keys, e);
    answer_refuse(c, e, NULL);
}

void people_logout(struct admin_call *c)
{
    struct buf body;

    if (c->author.token.len > 0)
        logins_end(c->host->logins, c->author.token);
    buf_init(&body, KIB);
    BUF_LIT(&body, "{\"ok\":true}");
    answer_json(c, 200, &body);
    buf_release(&body);
}
