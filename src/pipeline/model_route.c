/*
 * model_route.c - where a model call could go: one of the model's routes by
 * weight, then the other routes, then the fallback.
 *
 * An alias that is not configured has no candidates; that is for `decide` to
 * deny, so that a caller cannot tell "unknown" from "not for you".
 */
#include "pipeline/model.h"
#include "pipeline/snapshot.h"
#include "pipeline/worker.h"

/* xorshift64*: fair enough to share load, and nothing depends on secrecy. */
static uint64_t throw_dice(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static size_t pick_by_weight(const struct model_settings *m, uint64_t *dice)
{
    uint64_t total = 0;
    for (size_t i = 0; i < m->route_count; i++)
        total += m->routes[i].weight;
    if (total == 0)
        return 0;
    uint64_t at = throw_dice(dice) % total;
    size_t i = 0;
    while (i + 1 < m->route_count && at >= m->routes[i].weight)
        at -= m->routes[i++].weight;
    return i;
}

static void add(struct action *a, const struct route_settings *r, size_t index,
                bool fallback)
{
    if (a->candidate_count == CANDIDATES_MAX)
        return;
    a->candidates[a->candidate_count++] =
        (struct candidate){.to = (uint16_t)r->provider,
                           .route = (uint16_t)index,
                           .fallback = fallback};
}

enum step model_route(struct action *a)
{
    const struct model_settings *m = snapshot_model(a->snapshot, a->resource);

    if (m == NULL)
        return STEP_NEXT;
    model_of(a)->model = (size_t)(m - a->snapshot->settings.models);
    size_t first = pick_by_weight(m, &a->worker->dice);
    for (size_t n = 0; n < m->route_count; n++) {
        size_t i = (first + n) % m->route_count;
        add(a, &m->routes[i], i, false);
    }
    for (size_t i = 0; i < m->fallback_count; i++)
        add(a, &m->fallback[i], i, true);
    return STEP_NEXT;
}
