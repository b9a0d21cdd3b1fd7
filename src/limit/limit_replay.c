/* limit_replay.c - see limit_replay.h. */
#include "limit/limit_replay.h"

#include <assert.h>
#include <stdlib.h>

#include "limit/limit_table.h"

/* An intent whose end is not known yet. */
struct replayed {
    uint64_t index; /* also its key */
    uint64_t generation;
    unsigned count;
    struct limit_hold holds[];
};

static struct str key_of(const uint64_t *index)
{
    return (struct str){(const char *)index, sizeof(*index)};
}

static bool is_sound(const struct limit_note *n)
{
    return n->window_us > 0 && n->window_start_us >= 0 &&
           n->requests <= LIMIT_AMOUNT_MAX && n->tokens <= LIMIT_AMOUNT_MAX &&
           n->limit.len <= NAME_MAX_LEN && n->whom.len <= LIMIT_KEY_MAX;
}

/* Reserves as it was done then, whatever the limit says now. */
static enum err reserve(struct limit_counters *c, const struct limit_note *note,
                        struct limit_reservation *to)
{
    struct limit_stripe *s;
    struct limit_counter *k;

    enum err e = limit_table_open(c, note->limit, note->whom, &s, &k);
    if (e != ERR_OK)
        return e;
    if (limit_window_turn_to(&k->window, note->window_start_us,
                             note->window_us)) {
        limit_window_reserve(&k->window, (struct limit_amounts){note->requests,
                                                                note->tokens});
        if (to->count == 0)
            to->generation = limit_table_begin(c, s);
        k->pins++;
        to->holds[to->count++] =
            (struct limit_hold){.counter = k,
                                .window_start_us = note->window_start_us,
                                .window_us = note->window_us,
                                .requests = note->requests,
                                .tokens = note->tokens,
                                .turn = k->window.turn,
                                .budget = true};
    }
    limit_table_unlock(s);
    return ERR_OK;
}

static enum err remember(struct limit_counters *c, uint64_t index,
                         const struct limit_reservation *r)
{
    size_t holds_size = r->count * sizeof(r->holds[0]);
    struct replayed *open = malloc(sizeof(*open) + holds_size);

    if (open == NULL)
        return ERR_NO_MEMORY;
    *open = (struct replayed){index, r->generation, r->count};
    memcpy(open->holds, r->holds, holds_size);
    enum err e = map_set(&c->replay, key_of(&open->index), open);
    if (e != ERR_OK)
        free(open);
    return e;
}

static void settle(struct limit_counters *c, struct replayed *open, bool sent,
                   uint64_t tokens)
{
    struct limit_reservation r = {.count = open->count,
                                  .generation = open->generation};

    memcpy(r.holds, open->holds, open->count * sizeof(open->holds[0]));
    limit_settle(c, &r, sent, tokens);
    free(open);
}

enum err limit_replay_intent(struct limit_counters *c, uint64_t index,
                             const struct limit_note *notes, size_t n)
{
    struct limit_reservation r = {0};
    enum err e = ERR_OK;

    if (n > LIMIT_HOLDS_MAX || map_get(&c->replay, key_of(&index)) != NULL)
        return ERR_CORRUPT;
    for (size_t i = 0; e == ERR_OK && i < n; i++) {
        if (!is_sound(&notes[i]))
            e = ERR_CORRUPT;
        else
            e = reserve(c, &notes[i], &r);
    }
    if (e == ERR_OK && r.count > 0)
        e = remember(c, index, &r);
    if (e != ERR_OK)
        limit_settle(c, &r, false, 0);
    return e;
}

void limit_replay_outcome(struct limit_counters *c, uint64_t intent, bool sent,
                          uint64_t tokens)
{
    struct replayed *open = map_take(&c->replay, key_of(&intent));

    if (open == NULL)
        return; /* without budgets, or part of the checkpoint */
    settle(c, open, sent, tokens);
}

void limit_replay_end(struct limit_counters *c)
{
    size_t at = 0;
    struct str index;
    void *value;

    while (map_next(&c->replay, &at, &index, &value))
        settle(c, value, true, LIMIT_TOKENS_RESERVED);
    map_release(&c->replay);
    map_init(&c->replay, c->seed, LIMIT_COUNTERS_MAX);
}

/* ---- entries ---- */

static bool get_u64(const struct json *object, struct str name, uint64_t *ret)
{
    int64_t v;

    if (!json_i64(json_get(object, name), &v) || v < 0)
        return false;
    *ret = (uint64_t)v;
    return true;
}

static bool read_note(const struct json *v, struct limit_note *ret)
{
    return get_u64(v, STR("generation"), &ret->generation) &&
           json_str(json_get(v, STR("limit")), &ret->limit) &&
           get_u64(v, STR("requests"), &ret->requests) &&
           get_u64(v, STR("tokens"), &ret->tokens) &&
           json_str(json_get(v, STR("whom")), &ret->whom) &&
           json_i64(json_get(v, STR("window_start_us")),
                    &ret->window_start_us) &&
           json_i64(json_get(v, STR("window_us")), &ret->window_us) &&
           is_sound(ret);
}

static bool counts(const struct limit_replay *r, const struct limit_note *n)
{
    return n->generation >= r->generation &&
           limit_window_end_us(n->window_start_us, n->window_us) > r->now_us;
}

static enum err replay_intent(const struct limit_replay *r,
                              const struct json *entry, uint64_t index)
{
    const struct json *limits = json_get(entry, STR("limits"));
    struct limit_note notes[LIMIT_HOLDS_MAX];
    const struct json *v;
    size_t n = 0;

    if (limits == NULL)
        return ERR_OK;
    if (json_count(limits) > LIMIT_HOLDS_MAX)
        return ERR_CORRUPT;
    for (struct json_iter it = json_each(limits); json_next(&it, NULL, &v);) {
        struct limit_note *note = &notes[n];
        if (!read_note(v, note))
            return ERR_CORRUPT;
        limit_restore_generation(r->counters, note->generation);
        n += counts(r, note) ? 1 : 0;
    }
    return limit_replay_intent(r->counters, index, notes, n);
}

static bool read_status(const struct json *v, enum outcome_status *ret)
{
    for (int s = OUTCOME_UNKNOWN; s <= OUTCOME_NOT_SENT; s++) {
        if (json_is_string(v, outcome_status_name((enum outcome_status)s))) {
            *ret = (enum outcome_status)s;
            return true;
        }
    }
    return false;
}

static enum err replay_outcome(const struct limit_replay *r,
                               const struct json *entry)
{
    const struct json *usage =
        json_get(json_get(entry, STR("response")), STR("usage"));
    struct usage u = USAGE_UNKNOWN;
    enum outcome_status status;
    uint64_t intent;

    if (!get_u64(entry, STR("intent"), &intent) ||
        !read_status(json_get(entry, STR("status")), &status))
        return ERR_CORRUPT;
    (void)!json_i64(json_get(usage, STR("input_tokens")), &u.input_tokens);
    (void)!json_i64(json_get(usage, STR("output_tokens")), &u.output_tokens);
    struct limit_use use = limit_replay_use(status, &u);
    limit_replay_outcome(r->counters, intent, use.sent, use.tokens);
    return ERR_OK;
}

enum err limit_replay_entry(const struct limit_replay *r,
                            const struct json *entry, uint64_t index)
{
    const struct json *kind = json_get(entry, STR("kind"));

    if (json_is_string(kind, STR("intent")))
        return replay_intent(r, entry, index);
    if (json_is_string(kind, STR("outcome")))
        return replay_outcome(r, entry);
    return ERR_OK;
}

static uint64_t known(int64_t tokens)
{
    if (tokens < 0)
        return 0;
    return (uint64_t)tokens < LIMIT_AMOUNT_MAX ? (uint64_t)tokens
                                               : LIMIT_AMOUNT_MAX;
}

struct limit_use limit_replay_use(enum outcome_status status,
                                  const struct usage *usage)
{
    struct limit_use use = {.sent = status != OUTCOME_NOT_SENT};
    bool told = usage != NULL &&
                (usage->input_tokens >= 0 || usage->output_tokens >= 0);

    if (!use.sent || (status == OUTCOME_ERROR && !told))
        return use;
    use.tokens = LIMIT_TOKENS_RESERVED;
    if (told && status != OUTCOME_UNKNOWN)
        use.tokens = known(usage->input_tokens) + known(usage->output_tokens);
    return use;
}
