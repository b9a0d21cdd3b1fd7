/* budgets.c - see budgets.h. */
#include "admin/budgets.h"

#include "admin/answer.h"
#include "admin/page.h"
#include "base/text.h"
#include "codec/jcs.h"
#include "codec/uri.h"
#include "limit/limit.h"
#include "os/loop.h"

enum { KEY_ROOM = 1024 };

struct listing {
    struct page page;
    struct str name; /* only this limit; empty: all */
    bool any;
};

static void add_time(struct jcs *w, struct str name, int64_t us)
{
    char text[TEXT_TIME_LEN];
    text_time(us, text);
    jcs_pair_str(w, name, (struct str){text, sizeof(text)});
}

/* used, reserved and limit; without the last where nothing is limited. */
static void add_sum(struct jcs *w, struct str name, uint64_t limit,
                    uint64_t reserved, uint64_t used)
{
    jcs_name(w, name);
    jcs_object(w);
    if (limit > 0)
        jcs_pair_i64(w, STR("limit"), (int64_t)limit);
    jcs_pair_i64(w, STR("reserved"), (int64_t)reserved);
    jcs_pair_i64(w, STR("used"), (int64_t)used);
    jcs_end(w);
}

static void write_row(struct buf *to, const struct limit_row *row)
{
    struct jcs w;

    jcs_begin(&w, to);
    jcs_object(&w);
    jcs_pair_str(&w, STR("name"), row->limit);
    add_sum(&w, STR("requests"), row->limit_requests, row->reserved_requests,
            row->used_requests);
    add_time(&w, STR("since"), row->window_start_us);
    add_sum(&w, STR("tokens"), row->limit_tokens, row->reserved_tokens,
            row->used_tokens);
    add_time(&w, STR("until"), row->window_start_us + row->window_us);
    jcs_pair_str(&w, STR("whom"), row->whom);
    jcs_end(&w);
}

/* "<name>/<whom>", which a page can go on behind. */
static void on_row(void *user, const struct limit_row *row)
{
    struct listing *l = user;
    char room[KEY_ROOM];
    struct buf key;

    if (l->name.len > 0 && !str_eq(l->name, row->limit))
        return;
    l->any = true;
    buf_init_lent(&key, room, sizeof(room));
    buf_add(&key, row->limit);
    buf_add_char(&key, '/');
    buf_add(&key, row->whom);
    if (buf_ok(&key) && page_wants(&l->page, buf_str(&key)))
        write_row(page_add(&l->page, buf_str(&key)), row);
}

static void answer(struct admin_call *c, struct str name)
{
    struct admin_host *h = c->host;
    struct listing l = {.name = name};
    struct buf body;
    struct str param;

    enum err e = page_init(&l.page, c->arena, c->query, NULL, 0, &param);
    if (e != ERR_OK) {
        answer_problem(c, e, (struct str){NULL, 0}, param);
        return;
    }
    const struct limit_rules *rules = h->hooks.limit_rules(h->hooks.user);
    if (h->limits != NULL && rules != NULL)
        limit_each(h->limits, rules, loop_wall_us(h->loop), on_row, &l);
    buf_init(&body, ANSWER_MAX);
    page_write(&l.page, STR("budgets"), &body);
    if (name.len > 0 && !l.any)
        answer_refuse(c, ERR_NOT_FOUND,
                      "no budget of that name counts anybody now");
    else
        answer_json(c, 200, &body);
    buf_release(&body);
    page_release(&l.page);
}

void budgets_list(struct admin_call *c)
{
    answer(c, (struct str){NULL, 0});
}

void budgets_show(struct admin_call *c)
{
    struct str name;

    enum err e = uri_decode(c->arena, c->argument, false, &name);
    if (e != ERR_OK)
        answer_refuse(c, e, NULL);
    else
        answer(c, name);
}
