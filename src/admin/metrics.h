/*
 * metrics.h - the node's figures in the text format of Prometheus.
 */
#ifndef ADMIN_METRICS_H
#define ADMIN_METRICS_H

#include "admin/admin.h"

#define METRICS_MEDIA_TYPE STR("text/plain; version=0.0.4; charset=utf-8")

enum { METRICS_PROCESSES_MAX = 8 };

struct metrics_figures {
    const char *version;
    bool ready;
    uint64_t calls, refused, failed, open;
    uint64_t ledger_entries, ledger_syncs, ledger_open_intents;
    uint64_t reloads, reloads_failed;
    struct {
        struct str name;
        uint64_t restarts;
    } processes[METRICS_PROCESSES_MAX];
    size_t process_count;
};

/* Answers `c`; the author has been proven. */
void metrics_show(struct admin_call *c);

#endif
