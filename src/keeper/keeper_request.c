/* keeper_request.c - the table of requests and their handlers. */
#include "keeper/keeper_request.h"

#include <string.h>

#include "crypto/hash.h"

static void caller_key(struct keeper_state *s, struct str payload,
                       struct keeper_answer *a)
{
    (void)payload;
    memcpy(a->key, s->keys->caller, sizeof(a->key));
    a->status = KEEPER_OK;
}

static enum err wrap(struct keeper_state *s, struct str session_id,
                     const unsigned char *key, struct keeper_record *ret)
{
    ret->created_us = s->now_us;
    memcpy(ret->session_id, session_id.ptr, session_id.len);
    struct str plain = {(const char *)key, KEEPER_KEY_LEN};
    return seal_close(s->payload, session_id, plain, ret->wrapped, &ret->stamp);
}

/* True when `session_id` is one and all records are there to look at. */
static bool usable(struct keeper_state *s, struct str session_id)
{
    static const char no_session[KEEPER_SESSION_ID_LEN];
    if (str_eq(session_id, (struct str){no_session, sizeof(no_session)}))
        return false;
    /* The first session need not wait until the loop has read all of them in
     * its idle moments. */
    if (!keeper_records_loaded(s->records) && s->load_error == ERR_OK)
        s->load_error = keeper_records_load(s->records, SIZE_MAX);
    return s->load_error == ERR_OK;
}

static void session_key_new(struct keeper_state *s, struct str payload,
                            struct keeper_answer *a)
{
    if (!usable(s, payload))
        return;
    if (keeper_records_has(s->records, (const unsigned char *)payload.ptr)) {
        a->status = KEEPER_EXISTS;
        return;
    }
    struct keeper_record record;
    hash_random(a->key, sizeof(a->key));
    if (wrap(s, payload, a->key, &record) != ERR_OK ||
        keeper_records_stage(s->records, &record) != ERR_OK) {
        hash_wipe(a->key, sizeof(a->key));
        return;
    }
    a->staged = true;
    a->status = KEEPER_OK;
}

static void session_key_get(struct keeper_state *s, struct str payload,
                            struct keeper_answer *a)
{
    struct keeper_record r;
    if (!usable(s, payload))
        return;
    enum err e =
        keeper_records_find(s->records, (const unsigned char *)payload.ptr, &r);
    if (e == ERR_NOT_FOUND)
        a->status = KEEPER_MISSING;
    if (e != ERR_OK)
        return;
    const struct str wrapped = {(const char *)r.wrapped, sizeof(r.wrapped)};
    if (seal_open(s->payload, payload, &r.stamp, wrapped, a->key) == ERR_OK)
        a->status = KEEPER_OK;
}

#define ROLE(r) (1U << (r))

static const struct {
    uint16_t type;
    size_t payload_len; /* exactly */
    unsigned may_ask;   /* ROLE() bits */
    void (*handle)(struct keeper_state *s, struct str payload,
                   struct keeper_answer *a);
} requests[] = {
    /* clang-format off */
    {KEEPER_CALLER_KEY,      0,
     ROLE(FRAME_ROLE_WORKER) | ROLE(FRAME_ROLE_CONTROL) | ROLE(FRAME_ROLE_TOOL), caller_key},
    {KEEPER_SESSION_KEY_NEW, KEEPER_SESSION_ID_LEN,
     ROLE(FRAME_ROLE_WORKER) | ROLE(FRAME_ROLE_CONTROL),                         session_key_new},
    {KEEPER_SESSION_KEY_GET, KEEPER_SESSION_ID_LEN,
     ROLE(FRAME_ROLE_WORKER) | ROLE(FRAME_ROLE_CONTROL),                         session_key_get},
    /* clang-format on */
};

enum err keeper_request_handle(struct keeper_state *s, enum frame_role from,
                               const struct frame *f, struct keeper_answer *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        if (requests[i].type != f->type)
            continue;
        if (requests[i].payload_len != f->payload.len || f->flags != 0 ||
            (requests[i].may_ask & ROLE(from)) == 0)
            return ERR_MALFORMED;
        *ret = (struct keeper_answer){.type = f->type};
        requests[i].handle(s, f->payload, ret);
        return ERR_OK;
    }
    return ERR_MALFORMED;
}

void keeper_request_write(struct buf *to, struct keeper_answer *a,
                          bool committed)
{
    unsigned char payload[KEEPER_ANSWER_MAX];
    size_t len = 1;
    if (a->staged && !committed)
        a->status = KEEPER_FAILED;
    payload[0] = (unsigned char)a->status;
    if (a->status == KEEPER_OK) {
        memcpy(payload + 1, a->key, sizeof(a->key));
        len += sizeof(a->key);
    }
    frame_add(to, a->type, 0, (struct str){(const char *)payload, len});
    hash_wipe(payload, sizeof(payload));
    hash_wipe(a->key, sizeof(a->key));
}
