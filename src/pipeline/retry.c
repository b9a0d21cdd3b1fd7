/* retry.c - see retry.h. */
#include "pipeline/retry.h"

#include "base/container.h"
#include "os/loop.h"
#include "pipeline/action.h"
#include "pipeline/attempt.h"
#include "pipeline/worker.h"

enum {
    BACKOFF_MS = 50, /* before the same destination is asked again; doubles */
    BACKOFF_MAX_MS = 2000,
};

static void on_backoff(struct timer *t)
{
    pipeline_resume(CONTAINER_OF(t, struct action, backoff), STEP_RETRY);
}

void retry_start(struct action *a, enum outcome_status status, enum err why)
{
    unsigned round = a->attempt.number / a->candidate_count;
    bool wrapped = a->attempt.number % a->candidate_count == 0;

    attempt_close(a, status, why);
    if (!wrapped) {
        pipeline_resume(a, STEP_RETRY);
        return;
    }
    int64_t pause_ms = (int64_t)BACKOFF_MS << (round < 6 ? round - 1 : 5);
    timer_set(a->worker->loop, &a->backoff,
              pause_ms < BACKOFF_MAX_MS ? pause_ms : BACKOFF_MAX_MS,
              on_backoff);
}

void retry_cancel(struct action *a)
{
    timer_cancel(&a->backoff);
}
