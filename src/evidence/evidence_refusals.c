/* evidence_refusals.c - see evidence_refusals.h. */
#include "evidence/evidence_refusals.h"

#include <assert.h>

#include "base/attr.h"

/* Places where one key may be: all are always looked at, so that taking one
 * out needs no repair. */
enum { PLACES = 8 };

static_assert((EVIDENCE_REFUSALS_MAX & (EVIDENCE_REFUSALS_MAX - 1)) == 0,
              "a power of two, so that a hash is masked");

void evidence_refusals_init(struct evidence_refusals *r,
                            struct siphash_key seed)
{
    *r = (struct evidence_refusals){.seed = seed};
}

static bool is_same(const struct evidence_refusals_slot *slot, enum err e,
                    struct str source)
{
    return slot->count > 0 && slot->error == e &&
           str_eq((struct str){slot->source, slot->source_len}, source);
}

/* The slot of this key, or a free one for it, or the one for the rest. */
static struct evidence_refusals_slot *find(struct evidence_refusals *r,
                                           enum err e, struct str source)
{
    struct evidence_refusals_slot *free_one = NULL;
    uint64_t hash = siphash(r->seed, source) + (uint64_t)e;
    for (size_t i = 0; i < PLACES; i++) {
        struct evidence_refusals_slot *slot =
            &r->slots[(hash + i) & (EVIDENCE_REFUSALS_MAX - 1)];
        if (is_same(slot, e, source))
            return slot;
        if (slot->count == 0 && free_one == NULL)
            free_one = slot;
    }
    return free_one != NULL ? free_one : &r->others[e];
}

void evidence_refusals_add(struct evidence_refusals *r, enum err e,
                           struct str source, struct evidence_refusals_time at)
{
    assert((unsigned)e < ERR_COUNT);
    source = str_first(source, EVIDENCE_REFUSALS_SOURCE_MAX);
    struct evidence_refusals_slot *slot = find(r, e, source);
    if (slot->count++ > 0)
        return;
    slot->error = e;
    slot->first_us = at.us;
    slot->first_ms = at.ms;
    if (slot == &r->others[e])
        source = STR("others");
    slot->source_len = (unsigned char)source.len;
    if (source.len > 0)
        memcpy(slot->source, source.ptr, source.len);
    r->open++;
}

static void flush(struct evidence_refusals *r,
                  struct evidence_refusals_slot *slot,
                  evidence_refusals_sink *sink, void *user)
{
    const struct evidence_unknown f = {
        .error = slot->error,
        .source = {slot->source, slot->source_len},
        .count = slot->count,
        .first_us = slot->first_us,
    };
    sink(user, &f);
    slot->count = 0;
    r->open--;
}

void evidence_refusals_flush(struct evidence_refusals *r, int64_t until_ms,
                             evidence_refusals_sink *sink, void *user)
{
    for (size_t i = 0; r->open > 0 && i < EVIDENCE_REFUSALS_MAX; i++) {
        if (r->slots[i].count > 0 && r->slots[i].first_ms <= until_ms)
            flush(r, &r->slots[i], sink, user);
    }
    for (size_t i = 0; r->open > 0 && i < ARRAY_LEN(r->others); i++) {
        if (r->others[i].count > 0 && r->others[i].first_ms <= until_ms)
            flush(r, &r->others[i], sink, user);
    }
}
