/* limit_restore.c - puts a checkpoint back. */
#include "limit/limit_table.h"

static bool is_sound(const struct limit_row *row)
{
    return row->window_us > 0 && row->window_start_us >= 0 &&
           row->used_requests <= LIMIT_AMOUNT_MAX &&
           row->used_tokens <= LIMIT_AMOUNT_MAX &&
           row->limit.len <= NAME_MAX_LEN && row->whom.len <= LIMIT_KEY_MAX;
}

enum err limit_restore(struct limit_counters *c, const struct limit_row *row)
{
    struct limit_stripe *s;
    struct limit_counter *k;

    if (!is_sound(row))
        return ERR_CORRUPT;
    enum err e = limit_table_open(c, row->limit, row->whom, &s, &k);
    if (e != ERR_OK)
        return e;
    if (limit_window_turn_to(&k->window, row->window_start_us, row->window_us))
        k->window.used =
            (struct limit_amounts){row->used_requests, row->used_tokens};
    limit_table_unlock(s);
    return ERR_OK;
}

void limit_restore_generation(struct limit_counters *c, uint64_t generation)
{
    if (atomic_load(&c->generation) < generation)
        atomic_store(&c->generation, generation);
}
