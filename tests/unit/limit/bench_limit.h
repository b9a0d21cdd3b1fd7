/*
 * bench_limit.h - rules, asks and notes as tests write them.
 */
#ifndef TESTS_LIMIT_BENCH_LIMIT_H
#define TESTS_LIMIT_BENCH_LIMIT_H

#include "limit/limit.h"

#define BENCH_SEC INT64_C(1000000)
#define BENCH_HOUR (3600 * BENCH_SEC)
#define BENCH_DAY (24 * BENCH_HOUR)
/* 2026-11-20 00:00:00 UTC */
#define BENCH_START (INT64_C(1795132800) * BENCH_SEC)

struct limit_rules *bench_limit_rules(const struct limit_settings *at,
                                      size_t n);
struct limit_counters *bench_limit_counters(void);

/* An agent of "acme" on model "small" in session "s1". */
struct limit_ask bench_limit_ask(const struct limit_link *agent,
                                 uint64_t tokens, int64_t now_us);

/* The one budget counter of that key; all zero: there is none. */
struct limit_row bench_limit_find(struct limit_counters *c,
                                  const struct limit_rules *r,
                                  const char *limit, const char *whom,
                                  int64_t now_us);

#endif
