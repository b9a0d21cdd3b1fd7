/* bench_limit.c - see bench_limit.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench_limit.h"

struct limit_rules *bench_limit_rules(const struct limit_settings *at, size_t n)
{
    const struct settings s = {.limits = at, .limit_count = n};
    struct limit_rules *r = NULL;
    assert_int_equal(limit_rules_new(&s, &r), ERR_OK);
    return r;
}

struct limit_counters *bench_limit_counters(void)
{
    struct limit_counters *c = NULL;
    assert_int_equal(limit_counters_new(&c), ERR_OK);
    return c;
}

struct limit_ask bench_limit_ask(const struct limit_link *agent,
                                 uint64_t tokens, int64_t now_us)
{
    return (struct limit_ask){.links = agent,
                              .link_count = 1,
                              .tenant = STR("acme"),
                              .model = STR("small"),
                              .session = STR("s1"),
                              .tokens = tokens,
                              .now_us = now_us};
}

struct search {
    struct str limit, whom;
    struct limit_row found;
    unsigned count;
};

static void on_row(void *user, const struct limit_row *row)
{
    struct search *s = user;
    if (!str_eq(row->limit, s->limit) || !str_eq(row->whom, s->whom))
        return;
    s->found = *row;
    s->count++;
}

struct limit_row bench_limit_find(struct limit_counters *c,
                                  const struct limit_rules *r,
                                  const char *limit, const char *whom,
                                  int64_t now_us)
{
    struct search s = {.limit = str_from(limit), .whom = str_from(whom)};
    limit_each(c, r, now_us, on_row, &s);
    assert_true(s.count <= 1);
    return s.found;
}
