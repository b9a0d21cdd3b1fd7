/* Tests runner/runner_client, on a loop, against a real runner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/container.h"
#include "os/confine.h"
#include "os/loop.h"
#include "os/wire.h"
#include "runner/runner_client.h"
#include "runner/runner_process.h"

static const char *const cat[] = {"cat", NULL};
static const char *const fails[] = {"sh", "-c", "exit 7", NULL};
static const struct runner_command commands[] = {
    {.name = "cat", .argv = cat},
    {.name = "fails", .argv = fails},
};

struct fixture {
    struct loop *loop;
    struct runner_client *client;
    struct wire control;
    pid_t runner;
    unsigned open; /* jobs that have not ended; the loop runs until none is */
};

struct job {
    struct runner_job job;
    struct fixture *x;
    unsigned started, ended;
    int pipes[RUNNER_PIPES];
    struct runner_end end;
    char reason[RUNNER_REASON_MAX + 1];
    bool stop;  /* once it runs */
    bool leave; /* closes its pipes once it runs: cat ends */
    bool again; /* starts once more when it has ended */
};

/* As the supervisor does: one end to the runner, the other is returned. */
static int connect_client(struct fixture *x)
{
    static const char role[] = {0, 0, 0, FRAME_ROLE_WORKER};
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
                     0);
    assert_int_equal(wire_send_fd(&x->control, FRAME_CONNECT,
                                  (struct str){role, 4}, ends[1]),
                     ERR_OK);
    assert_int_equal(wire_flush(&x->control), ERR_OK);
    return ends[0];
}

static void start_runner(struct fixture *x)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
                     0);
    x->runner = fork();
    assert_true(x->runner >= 0);
    if (x->runner == 0) {
        (void)close(ends[0]);
        const struct runner_process_options o = {
            .control_fd = ends[1],
            .table = {.commands = commands,
                      .command_count = ARRAY_LEN(commands)}};
        _exit(runner_process_run(&o));
    }
    (void)close(ends[1]);
    const struct frame_hello own = {FRAME_PROTOCOL_VERSION,
                                    FRAME_ROLE_SUPERVISOR, 0};
    assert_int_equal(wire_init(&x->control, ends[0], own, FRAME_ROLE_RUNNER),
                     ERR_OK);
}

static void end_runner(struct fixture *x)
{
    wire_release(&x->control);
    assert_int_equal(waitpid(x->runner, NULL, 0), x->runner);
}

static int set_up(void **state)
{
    struct fixture *x = calloc(1, sizeof(*x));
    assert_non_null(x);
    start_runner(x);
    assert_int_equal(loop_new(&x->loop), ERR_OK);
    assert_int_equal(runner_client_new(x->loop, 1, &x->client), ERR_OK);
    assert_true(runner_client_lost(x->client));
    assert_int_equal(runner_client_connect(x->client, connect_client(x)),
                     ERR_OK);
    *state = x;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *x = *state;
    runner_client_free(x->client);
    loop_free(x->loop);
    end_runner(x);
    free(x);
    return 0;
}

static void close_pipes(struct job *j)
{
    for (int i = 0; i < RUNNER_PIPES; i++)
        (void)close(j->pipes[i]);
}

static void on_started(struct runner_job *job, const struct runner_start *s)
{
    struct job *j = CONTAINER_OF(job, struct job, job);
    assert_int_equal(j->started, j->ended);
    j->started++;
    assert_true((s->confined & CONFINE_LANDLOCK) != 0);
    assert_true((s->confined & ~(unsigned)CONFINE_ALL) == 0);
    memcpy(j->pipes, s->pipes, sizeof(j->pipes));
    for (int i = 0; i < RUNNER_PIPES; i++)
        assert_true((fcntl(j->pipes[i], F_GETFL) & O_NONBLOCK) != 0);
    if (j->stop)
        runner_job_stop(job);
    if (j->leave)
        close_pipes(j);
}

static void ask(struct job *j, const char *name)
{
    j->job.started = on_started;
    assert_int_equal(runner_client_start(j->x->client, str_from(name), &j->job),
                     ERR_OK);
    j->x->open++;
}

static void on_ended(struct runner_job *job, const struct runner_end *end)
{
    struct job *j = CONTAINER_OF(job, struct job, job);
    j->ended++;
    j->end = *end;
    memcpy(j->reason, end->reason.len > 0 ? end->reason.ptr : "",
           end->reason.len);
    runner_job_stop(job); /* too late, and no error */
    j->x->open--;
    if (j->again) {
        j->again = false;
        ask(j, "fails");
    }
    if (j->x->open == 0)
        loop_stop(j->x->loop);
}

static struct job job_of(struct fixture *x)
{
    return (struct job){.x = x, .job.ended = on_ended};
}

static void test_a_command_talks_and_ends(void **state)
{
    struct fixture *x = *state;
    struct job j = job_of(x);
    j.leave = true;
    ask(&j, "cat");
    loop_run(x->loop);
    assert_true(runner_client_ready(x->client));
    assert_int_equal(j.started, 1);
    assert_int_equal(j.ended, 1);
    assert_int_equal(j.end.how, RUNNER_END_EXITED);
    assert_int_equal(j.end.code + j.end.signal_number, 0);
}

static void test_what_is_not_configured_is_refused_with_a_reason(void **state)
{
    struct fixture *x = *state;
    struct job j = job_of(x);
    ask(&j, "dog");
    loop_run(x->loop);
    assert_int_equal(j.started, 0);
    assert_int_equal(j.end.how, RUNNER_END_REFUSED);
    assert_non_null(strstr(j.reason, "no command is configured"));
}

static void test_a_stop_is_an_end_by_a_signal(void **state)
{
    struct fixture *x = *state;
    struct job j = job_of(x);
    j.stop = true;
    ask(&j, "cat");
    loop_run(x->loop);
    assert_int_equal(j.end.how, RUNNER_END_EXITED);
    assert_int_equal(j.end.signal_number, SIGTERM);
    close_pipes(&j);
}

static void test_a_job_may_start_again_when_it_has_ended(void **state)
{
    struct fixture *x = *state;
    struct job j = job_of(x);
    j.again = j.leave = true;
    ask(&j, "fails");
    loop_run(x->loop);
    assert_int_equal(j.started, 2);
    assert_int_equal(j.ended, 2);
    assert_int_equal(j.end.code, 7);
}

static void test_a_cancelled_job_hears_nothing(void **state)
{
    struct fixture *x = *state;
    struct job gone = job_of(x), j = job_of(x), never = job_of(x);
    ask(&gone, "cat");
    runner_job_cancel(&gone.job);
    x->open--;
    runner_job_cancel(&never.job);
    runner_job_stop(&never.job);
    j.leave = true;
    ask(&j, "cat");
    loop_run(x->loop);
    assert_int_equal(j.ended, 1);
    assert_int_equal(gone.started + gone.ended, 0);
}

static void test_a_dead_runner_ends_every_job_once(void **state)
{
    struct fixture *x = *state;
    struct job running = job_of(x), asked = job_of(x), later = job_of(x);
    running.leave = true;
    ask(&running, "cat");
    ask(&asked, "cat");
    /* Before a turn of ours: nothing of it has been answered. */
    end_runner(x);
    loop_run(x->loop);
    assert_int_equal(running.ended, 1);
    assert_int_equal(asked.ended, 1);
    assert_true(runner_client_lost(x->client));
    if (asked.started > 0)
        close_pipes(&asked);
    later.job.started = on_started;
    assert_int_equal(runner_client_start(x->client, STR("cat"), &later.job),
                     ERR_CONNECT);
    start_runner(x);
    assert_int_equal(runner_client_connect(x->client, connect_client(x)),
                     ERR_OK);
    later.leave = true;
    ask(&later, "cat");
    loop_run(x->loop);
    assert_int_equal(later.end.how, RUNNER_END_EXITED);
}

static void test_jobs_are_bounded(void **state)
{
    struct fixture *x = *state;
    static struct job jobs[RUNNER_JOBS_MAX];
    struct job more = job_of(x);
    for (size_t i = 0; i < RUNNER_JOBS_MAX; i++) {
        jobs[i] = job_of(x);
        ask(&jobs[i], "dog");
    }
    assert_int_equal(runner_client_start(x->client, STR("dog"), &more.job),
                     ERR_OVERLOAD);
    assert_int_equal(runner_client_start(x->client, STR(""), &more.job),
                     ERR_LIMIT);
    loop_run(x->loop);
    for (size_t i = 0; i < RUNNER_JOBS_MAX; i++)
        assert_int_equal(jobs[i].ended, 1);
    ask(&more, "dog");
    loop_run(x->loop);
}

#define WITH_RUNNER(test)                                                      \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RUNNER(test_a_command_talks_and_ends),
        WITH_RUNNER(test_what_is_not_configured_is_refused_with_a_reason),
        WITH_RUNNER(test_a_stop_is_an_end_by_a_signal),
        WITH_RUNNER(test_a_job_may_start_again_when_it_has_ended),
        WITH_RUNNER(test_a_cancelled_job_hears_nothing),
        WITH_RUNNER(test_a_dead_runner_ends_every_job_once),
        WITH_RUNNER(test_jobs_are_bounded),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
