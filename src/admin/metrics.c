/* metrics.c - see metrics.h. */
#include "admin/metrics.h"

#include <inttypes.h>

#include "admin/answer.h"
#include "approval/approval.h"
#include "base/limits.h"
#include "registry/registry.h"
#include "session/session.h"

#define TEXT_MAX (256 * KIB)

enum { CHUNK = 256 };

static void family(struct buf *to, const char *name, const char *type,
                   const char *help)
{
    buf_addf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void counter(struct buf *to, const char *name, const char *help,
                    uint64_t value)
{
    family(to, name, "counter", help);
    buf_addf(to, "%s %" PRIu64 "\n", name, value);
}

static void gauge(struct buf *to, const char *name, const char *help,
                  uint64_t value)
{
    family(to, name, "gauge", help);
    buf_addf(to, "%s %" PRIu64 "\n", name, value);
}

static void add_node(struct buf *to, const struct metrics_figures *f)
{
    family(to, "writ_build_info", "gauge", "The program that runs.");
    buf_addf(to, "writ_build_info{version=\"%s\"} 1\n", f->version);
    gauge(to, "writ_ready", "Whether calls can be served.", f->ready);
    counter(to, "writ_calls_total", "Calls that have ended.", f->calls);
    counter(to, "writ_calls_refused_total",
            "Of these, stopped before anything was sent.", f->refused);
    counter(to, "writ_calls_failed_total", "Of these, stopped after that.",
            f->failed);
    gauge(to, "writ_calls_open", "Calls under way.", f->open);
    counter(to, "writ_config_reloads_total", "Configurations put in place.",
            f->reloads);
    counter(to, "writ_config_reloads_failed_total",
            "Configurations that were refused.", f->reloads_failed);
    gauge(to, "writ_ledger_entries", "Entries of the evidence.",
          f->ledger_entries);
    counter(to, "writ_ledger_syncs_total",
            "Writes to disk since the ledger process started.",
            f->ledger_syncs);
    gauge(to, "writ_ledger_open_intents", "Intents without an outcome.",
          f->ledger_open_intents);
    family(to, "writ_process_restarts_total", "counter",
           "How often a process was started again.");
    for (size_t i = 0; i < f->process_count; i++)
        buf_addf(to,
                 "writ_process_restarts_total{process=\"%.*s\"} %" PRIu64 "\n",
                 STR_FMT(f->processes[i].name), f->processes[i].restarts);
}

static void add_registry(struct buf *to, const struct registry_view *v)
{
    uint64_t count[REGISTRY_RETIRED + 1] = {0};
    const struct registry_entry *at[CHUNK];
    struct str after = {NULL, 0};
    size_t n;

    while ((n = registry_view_list(v, after, at, CHUNK)) > 0) {
        for (size_t i = 0; i < n; i++)
            count[at[i]->state]++;
        after = at[n - 1]->who.id;
    }
    family(to, "writ_registry_identities", "gauge",
           "Identities in the registry, by state.");
    for (unsigned s = REGISTRY_DISCOVERED; s <= REGISTRY_RETIRED; s++)
        buf_addf(to, "writ_registry_identities{state=\"%.*s\"} %" PRIu64 "\n",
                 STR_FMT(registry_state_name((enum registry_state)s)),
                 count[s]);
}

static void add_approvals(struct buf *to, struct approvals *t)
{
    const struct approvals_counts n = approvals_counts_of(t);

    gauge(to, "writ_approvals_open", "Tickets that wait for people.", n.open);
    counter(to, "writ_approvals_asked_total", "Tickets that were made.",
            n.asked);
    family(to, "writ_approvals_ended_total", "counter",
           "What came of tickets; granted ones are used, or expire.");
    buf_addf(to,
             "writ_approvals_ended_total{state=\"granted\"} %" PRIu64 "\n"
             "writ_approvals_ended_total{state=\"denied\"} %" PRIu64 "\n"
             "writ_approvals_ended_total{state=\"expired\"} %" PRIu64 "\n"
             "writ_approvals_ended_total{state=\"used\"} %" PRIu64 "\n",
             n.granted, n.denied, n.expired, n.used);
}

void metrics_show(struct admin_call *c)
{
    struct admin_host *h = c->host;
    struct metrics_figures figures = {0};
    struct buf text;

    h->hooks.figures(h->hooks.user, &figures);
    buf_init(&text, TEXT_MAX);
    add_node(&text, &figures);
    gauge(&text, "writ_sessions_open", "Open sessions.",
          session_table_count(h->sessions));
    add_approvals(&text, h->approvals);
    if (h->registry != NULL)
        add_registry(&text, registry_now(h->registry));
    if (buf_ok(&text))
        c->reply(c, 200, METRICS_MEDIA_TYPE, buf_str(&text));
    else
        answer_refuse(c, ERR_INTERNAL, NULL);
    buf_release(&text);
}
