/* Tests os/process: what a started process inherits, and how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "os/process.h"

/*
 * The child's part, in the role that argv[1] names: tells on descriptor 5
 * what it sees.
 */
static int child_lists_fds(void)
{
    char text[256];
    int at = 0;
    for (int fd = 0; fd < 1024; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            at += snprintf(text + at, sizeof(text) - (size_t)at, "%d ", fd);
    }
    sigset_t mask;
    (void)sigprocmask(SIG_SETMASK, NULL, &mask);
    at += snprintf(text + at, sizeof(text) - (size_t)at, "%s",
                   sigismember(&mask, SIGTERM) == 1 ? "blocked" : "open");
    return write(5, text, (size_t)at) == at ? 7 : 1;
}

static int child_hardens(void)
{
    struct rlimit core;
    if (process_harden() != ERR_OK || getrlimit(RLIMIT_CORE, &core) != 0)
        return 1;
    if (core.rlim_max != 0 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
        return 2;
    if (process_follow_parent(getppid(), SIGTERM) != ERR_OK)
        return 3;
    return process_follow_parent(1, SIGTERM) == ERR_CLOSED ? 0 : 4;
}

static int wait_for(pid_t pid)
{
    for (int i = 0; i < 2000; i++) {
        int status = -1;
        pid_t who = process_reap(&status);
        if (who == pid)
            return status;
        usleep(5000);
    }
    return -1;
}

static void test_only_the_named_descriptors_are_inherited(void **state)
{
    (void)state;
    int pipes[2];
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    int leak = dup2(pipes[1], 100); /* not even marked close-on-exec */
    assert_int_equal(leak, 100);
    sigset_t term, before;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, &before);

    /* Targets that are also sources: nothing may be overwritten. */
    assert_int_equal(dup2(pipes[1], 60), 60);
    assert_int_equal(dup2(2, 5), 5);
    const struct process_fd fds[] = {{5, 2}, {60, 5}, {2, 60}};
    const char *const argv[] = {"test", "fds", NULL};
    const char *const env[] = {"ASAN_OPTIONS=detect_leaks=0", NULL};
    struct process_options o = {.argv = argv,
                                .env = env,
                                .fds = fds,
                                .fd_count = 3};
    pid_t pid;
    assert_int_equal(process_spawn(&o, &pid), ERR_OK);
    sigprocmask(SIG_SETMASK, &before, NULL);
    assert_int_equal(wait_for(pid), 7);

    char text[256] = "";
    assert_true(read(pipes[0], text, sizeof(text) - 1) > 0);
    assert_string_equal(text, "2 5 60 open");
    close(100);
    close(60);
    close(5);
    close(pipes[0]);
    close(pipes[1]);
}

static void test_a_process_hardens_itself(void **state)
{
    (void)state;
    const struct process_fd fds[] = {{2, 2}};
    const char *const argv[] = {"test", "harden", NULL};
    const char *const env[] = {"ASAN_OPTIONS=detect_leaks=0", NULL};
    struct process_options o = {.argv = argv,
                                .env = env,
                                .fds = fds,
                                .fd_count = 1};
    pid_t pid;
    assert_int_equal(process_spawn(&o, &pid), ERR_OK);
    assert_int_equal(wait_for(pid), 0);
}

static void test_what_cannot_be_started_is_an_error(void **state)
{
    (void)state;
    const char *const argv[] = {"test", NULL};
    struct process_options o = {.path = "/does/not/exist", .argv = argv};
    pid_t pid;
    assert_int_equal(process_spawn(&o, &pid), ERR_IO);
    const struct process_fd bad[] = {{999, 3}};
    o = (struct process_options){.argv = argv, .fds = bad, .fd_count = 1};
    assert_int_equal(process_spawn(&o, &pid), ERR_IO);
    o.fd_count = PROCESS_FDS_MAX + 1;
    assert_int_equal(process_spawn(&o, &pid), ERR_LIMIT);
    int status;
    assert_int_equal(process_reap(&status), 0);
}

static void test_a_signals_end_is_told_with_its_number(void **state)
{
    (void)state;
    const char *const argv[] = {"sleep", "30", NULL};
    struct process_options o = {.path = "/bin/sleep", .argv = argv};
    pid_t pid;
    assert_int_equal(process_spawn(&o, &pid), ERR_OK);
    kill(pid, SIGKILL);
    assert_int_equal(wait_for(pid), 128 + SIGKILL);
}

static void test_signals_are_read_from_a_descriptor(void **state)
{
    (void)state;
    const int wanted[] = {SIGUSR1, SIGUSR2};
    int fd;
    assert_int_equal(process_signals_open(wanted, 2, &fd), ERR_OK);
    assert_int_equal(process_signals_next(fd), 0);
    raise(SIGUSR2);
    assert_int_equal(process_signals_next(fd), SIGUSR2);
    assert_int_equal(process_signals_next(fd), 0);
    close(fd);
    assert_true(process_raise_fd_limit() >= 256);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "fds") == 0)
        return child_lists_fds();
    if (argc == 2 && strcmp(argv[1], "harden") == 0)
        return child_hardens();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_the_named_descriptors_are_inherited),
        cmocka_unit_test(test_a_process_hardens_itself),
        cmocka_unit_test(test_what_cannot_be_started_is_an_error),
        cmocka_unit_test(test_a_signals_end_is_told_with_its_number),
        cmocka_unit_test(test_signals_are_read_from_a_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
