/* evidence.c - see evidence.h. */
#include "evidence/evidence.h"

#include <assert.h>
#include <stdlib.h>

#include "evidence/evidence_refusals.h"
#include "os/loop.h"

/* Enough for some two hundred salts; one call to the system each. */
enum { POOL_BYTES = 4096 };

struct evidence {
    struct loop *loop;
    struct ledger_client *ledger;
    struct str node; /* in node_text */
    char node_text[NAME_MAX_LEN];
    struct evidence_state state;
    struct buf entry; /* the one being written */
    size_t pool_used; /* of `pool`, wiped as it is given out */
    unsigned char pool[POOL_BYTES];
    struct evidence_refusals refusals;
};

enum err evidence_new(struct loop *l, struct ledger_client *ledger,
                      struct str node, struct evidence **ret)
{
    struct evidence *ev = calloc(1, sizeof(*ev));
    if (ev == NULL)
        return ERR_NO_MEMORY;
    ev->loop = l;
    ev->ledger = ledger;
    ev->node = (struct str){ev->node_text, str_first(node, NAME_MAX_LEN).len};
    if (ev->node.len > 0)
        memcpy(ev->node_text, node.ptr, ev->node.len);
    ev->pool_used = POOL_BYTES;
    /* Room beyond ENTRY_MAX, so that what is too long is measured, too. */
    buf_init(&ev->entry, 2 * ENTRY_MAX);
    evidence_refusals_init(&ev->refusals, loop_seed(l));
    *ret = ev;
    return ERR_OK;
}

void evidence_free(struct evidence *ev)
{
    if (ev == NULL)
        return;
    hash_wipe(ev->pool, sizeof(ev->pool));
    buf_release(&ev->entry);
    free(ev);
}

void evidence_use(struct evidence *ev, const struct evidence_state *state)
{
    ev->state = *state;
}

void evidence_random(struct evidence *ev, void *to, size_t n)
{
    assert(n <= POOL_BYTES);
    if (n > POOL_BYTES - ev->pool_used) {
        hash_random(ev->pool, POOL_BYTES);
        ev->pool_used = 0;
    }
    memcpy(to, ev->pool + ev->pool_used, n);
    memset(ev->pool + ev->pool_used, 0, n);
    ev->pool_used += n;
}

/* Time and salt of the next entry; the buffer is empty for it. */
static struct evidence_head begin(struct evidence *ev)
{
    struct evidence_head h = {.time_us = loop_wall_us(ev->loop),
                              .node = ev->node};
    evidence_random(ev, h.salt, sizeof(h.salt));
    buf_clear(&ev->entry);
    return h;
}

/* Hands over what was written, when writing went well. */
static enum err hand_over(struct evidence *ev, enum err e,
                          struct ledger_append *how, struct ledger_wait *w)
{
    if (e != ERR_OK)
        return e;
    how->entry = buf_str(&ev->entry);
    return ledger_client_append(ev->ledger, how, w);
}

enum err evidence_intent(struct evidence *ev, const struct evidence_intent *f,
                         struct ledger_wait *w)
{
    struct ledger_append how = {.class = LEDGER_AWAITED,
                                .opens = true,
                                .closes = LEDGER_NO_INDEX};
    struct evidence_head h = begin(ev);
    return hand_over(ev, entry_intent(&ev->entry, &h, f), &how, w);
}

enum err evidence_outcome(struct evidence *ev, const struct evidence_outcome *f,
                          struct ledger_wait *w)
{
    struct ledger_append how = {.class =
                                    w != NULL ? LEDGER_AWAITED : LEDGER_LAZY,
                                .closes = f->intent};
    struct evidence_head h = begin(ev);
    return hand_over(ev, entry_outcome(&ev->entry, &h, f), &how, w);
}

void evidence_outcome_unknown(struct evidence *ev, uint64_t intent)
{
    const struct evidence_outcome f = {.intent = intent,
                                       .status = OUTCOME_UNKNOWN,
                                       .duration_ms = -1};
    (void)evidence_outcome(ev, &f, NULL);
}

/* What nobody waits for, and nothing depends on: a loss shows in the status
 * of the ledger, and while it cannot write no action is let through. */
static void append_lazy(struct evidence *ev, enum err e)
{
    struct ledger_append how = {.class = LEDGER_LAZY,
                                .closes = LEDGER_NO_INDEX};
    (void)!hand_over(ev, e, &how, NULL);
}

void evidence_refusal(struct evidence *ev, const struct evidence_refusal *f)
{
    struct evidence_head h = begin(ev);
    append_lazy(ev, entry_refusal(&ev->entry, &h, f));
}

void evidence_session(struct evidence *ev, const struct evidence_session *f)
{
    struct evidence_head h = begin(ev);
    append_lazy(ev, entry_session(&ev->entry, &h, f));
}

void evidence_lifecycle(struct evidence *ev, struct str event,
                        struct str detail)
{
    const struct evidence_lifecycle f = {.event = event,
                                         .detail = detail,
                                         .state = &ev->state};
    struct ledger_append how = {.class = LEDGER_AWAITED,
                                .closes = LEDGER_NO_INDEX};
    struct evidence_head h = begin(ev);
    (void)!hand_over(ev, entry_lifecycle(&ev->entry, &h, &f), &how, NULL);
}

enum err evidence_admin(struct evidence *ev, const struct evidence_admin *f,
                        struct ledger_wait *w)
{
    struct ledger_append how = {.class = LEDGER_AWAITED,
                                .closes = LEDGER_NO_INDEX};
    struct evidence_head h = begin(ev);
    return hand_over(ev, entry_admin(&ev->entry, &h, f), &how, w);
}

enum err evidence_tools(struct evidence *ev, const struct evidence_tools *f,
                        struct ledger_wait *w)
{
    struct ledger_append how = {.class = LEDGER_AWAITED,
                                .closes = LEDGER_NO_INDEX};
    struct evidence_head h = begin(ev);
    return hand_over(ev, entry_tool(&ev->entry, &h, f), &how, w);
}

enum err evidence_approval(struct evidence *ev, const struct evidence_ticket *f,
                           struct ledger_wait *w)
{
    struct ledger_append how = {.class =
                                    w != NULL ? LEDGER_AWAITED : LEDGER_LAZY,
                                .closes = LEDGER_NO_INDEX};
    struct evidence_head h = begin(ev);
    return hand_over(ev, entry_approval(&ev->entry, &h, f), &how, w);
}

/* "192.0.2.1:5000" and "[2001:db8::1]:5000" without the port, which is new
 * for each connection. */
static struct str address_of(struct str peer)
{
    if (str_starts(peer, STR("[")))
        return str_first(str_skip(peer, 1), str_find(str_skip(peer, 1), ']'));
    size_t colon = str_find(peer, ':');
    struct str behind = str_skip(peer, colon + 1);
    bool is_ipv6 = str_find(behind, ':') < behind.len;
    return is_ipv6 ? peer : str_first(peer, colon);
}

void evidence_unknown(struct evidence *ev, enum err why, struct str source)
{
    evidence_refusals_add(&ev->refusals, why, address_of(source),
                          (struct evidence_refusals_time){
                              .us = loop_wall_us(ev->loop),
                              .ms = loop_now_ms(ev->loop),
                          });
}

static void on_count(void *user, const struct evidence_unknown *f)
{
    struct evidence *ev = user;
    struct evidence_head h = begin(ev);
    append_lazy(ev, entry_unknown(&ev->entry, &h, f));
}

void evidence_sweep(struct evidence *ev, int64_t now_ms)
{
    evidence_refusals_flush(&ev->refusals, now_ms - EVIDENCE_WINDOW_MS,
                            on_count, ev);
}

void evidence_flush(struct evidence *ev)
{
    evidence_refusals_flush(&ev->refusals, INT64_MAX, on_count, ev);
}
