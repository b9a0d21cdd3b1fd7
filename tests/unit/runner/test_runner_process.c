/* Tests runner/runner_process: a real process that starts real commands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/wire.h"
#include "runner/runner_process.h"

enum { PATIENCE_MS = 10000 };

static const char *const cat[] = {"/bin/cat", NULL};
static const char *const found_cat[] = {"cat", NULL};
static const char *const missing[] = {"/no/such/file", NULL};
static const char *const unfound[] = {"no-such-command-anywhere", NULL};
static const char *const folder[] = {"/", NULL};
static const char *const own_home[] = {"sh", "-c", "echo $HOME; exec cat",
                                       NULL};
static const char *const says[] = {"sh", "-c", "echo $SAY $HOME", NULL};
static const char *const said[] = {"SAY=hello", "HOME=here", NULL};
static const char *const fails[] = {"sh", "-c", "exit 7", NULL};
static const char *const deaf[] = {"sh", "-c",
                                   "trap '' TERM; echo up; sleep 100", NULL};
static const char *const family[] = {
    "sh", "-c",
    "sleep 100 >/dev/null & setsid sleep 100 >/dev/null &"
    " echo up; exec >&- 2>&-; wait",
    NULL};
static const char *const look[] = {
    "sh", "-c",
    "env | sort; pwd; umask; echo fds; ls /proc/self/fd;"
    " grep -E '^(NoNewPrivs|SigIgn|SigBlk):' /proc/self/status;"
    " echo group $(cut -d' ' -f5 /proc/$$/stat) self $$;"
    " ulimit -c; ulimit -n",
    NULL};

static const char *const not_there[] = {"/no/such/folder", NULL};
static const char *const ours[] = {"/usr", NULL};
/* As if the data directory stood there. */
static const char *const of_ours[] = {"/usr/share/doc", NULL};

static const struct runner_command commands[] = {
    {.name = "cat", .argv = cat},
    {.name = "found", .argv = found_cat},
    {.name = "missing", .argv = missing},
    {.name = "unfound", .argv = unfound},
    {.name = "folder", .argv = folder},
    {.name = "fails", .argv = fails},
    {.name = "deaf", .argv = deaf},
    {.name = "family", .argv = family},
    {.name = "look", .argv = look},
    {.name = "home", .argv = own_home},
    {.name = "says", .argv = says, .env = said},
    {.name = "faulty", .argv = cat, .fault = "its variable is missing"},
    {.name = "nowhere", .argv = cat, .cwd = "/no/such/folder"},
    {.name = "reads", .argv = cat, .read = not_there},
    {.name = "takes", .argv = cat, .write = ours},
};

struct fixture {
    pid_t pid; /* 0: no process */
    struct wire control, client;
    int pipes[RUNNER_PIPES]; /* of the last start; -1: closed */
};

static struct wire connect_client(struct fixture *x, enum frame_role role)
{
    int ends[2];
    struct wire w;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
                     0);
    const char payload[] = {0, 0, 0, (char)role};
    assert_int_equal(wire_send_fd(&x->control, FRAME_CONNECT,
                                  (struct str){payload, 4}, ends[1]),
                     ERR_OK);
    assert_int_equal(wire_flush(&x->control), ERR_OK);
    const struct frame_hello own = {FRAME_PROTOCOL_VERSION, role, 1};
    assert_int_equal(wire_init(&w, ends[0], own, FRAME_ROLE_RUNNER), ERR_OK);
    return w;
}

static const struct runner_command renamed = {.name = "other", .argv = cat};

static const char a_digest[RUNNER_DIGEST_LEN + 1] =
    "0123456789abcdef0123456789abcdef";

/* Another table, the first time it is asked for; then a broken one. */
static bool reload(void *user, const unsigned char digest[RUNNER_DIGEST_LEN],
                   struct runner_table *ret)
{
    static bool done;
    if (done || memcmp(digest, a_digest, RUNNER_DIGEST_LEN) != 0)
        return false;
    done = true;
    *ret = (struct runner_table){.commands = user, .command_count = 1};
    return true;
}

static void start_runner(struct fixture *x, size_t command_count)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
                     0);
    x->pid = fork();
    assert_true(x->pid >= 0);
    if (x->pid == 0) {
        (void)close(ends[0]);
        (void)signal(SIGPIPE, SIG_IGN); /* as the real one does */
        const struct runner_process_options o = {
            .control_fd = ends[1],
            .table = {.commands = commands,
                      .command_count = command_count,
                      .kept = of_ours},
            .reload = reload,
            .user = (void *)(uintptr_t)&renamed};
        _exit(runner_process_run(&o));
    }
    (void)close(ends[1]);
    const struct frame_hello own = {FRAME_PROTOCOL_VERSION,
                                    FRAME_ROLE_SUPERVISOR, 0};
    assert_int_equal(wire_init(&x->control, ends[0], own, FRAME_ROLE_RUNNER),
                     ERR_OK);
    x->client = connect_client(x, FRAME_ROLE_WORKER);
}

static int set_up(void **state)
{
    struct fixture *x = calloc(1, sizeof(*x));
    assert_non_null(x);
    for (int i = 0; i < RUNNER_PIPES; i++)
        x->pipes[i] = -1;
    start_runner(x, ARRAY_LEN(commands));
    *state = x;
    return 0;
}

static void close_pipes(struct fixture *x)
{
    for (int i = 0; i < RUNNER_PIPES; i++) {
        if (x->pipes[i] >= 0)
            (void)close(x->pipes[i]);
        x->pipes[i] = -1;
    }
}

static int tear_down(void **state)
{
    struct fixture *x = *state;
    close_pipes(x);
    wire_release(&x->client);
    wire_release(&x->control); /* it ends, and leaves nothing */
    if (x->pid != 0)
        assert_int_equal(waitpid(x->pid, NULL, 0), x->pid);
    free(x);
    return 0;
}

static int end_of(struct fixture *x)
{
    int status = -1;
    assert_int_equal(waitpid(x->pid, &status, 0), x->pid);
    x->pid = 0;
    return status;
}

static enum err next(struct wire *w, struct frame *ret, int *ret_fd)
{
    enum err e = ERR_OK;
    while (e == ERR_OK && !wire_next(w, ret, ret_fd, &e)) {
        struct pollfd fd = {w->fd, POLLIN, 0};
        assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
        if (e == ERR_OK)
            e = wire_fill(w);
    }
    return e;
}

static void send_start(struct wire *w, uint64_t tag, const char *name)
{
    struct str s = str_from(name);
    frame_add_head(wire_out(w), RUNNER_START, 0, 8 + 4 + s.len);
    frame_put_u64(wire_out(w), tag);
    frame_put_str(wire_out(w), s);
    assert_int_equal(wire_flush(w), ERR_OK);
}

static void send_stop(struct wire *w, uint64_t tag)
{
    frame_add_head(wire_out(w), RUNNER_STOP, 0, 8);
    frame_put_u64(wire_out(w), tag);
    assert_int_equal(wire_flush(w), ERR_OK);
}

/* Expects the three pipes and the word that it runs. */
static void expect_started(struct fixture *x, uint64_t tag)
{
    for (unsigned i = 0; i <= RUNNER_PIPES; i++) {
        struct frame f;
        int fd = -1;
        assert_int_equal(next(&x->client, &f, &fd), ERR_OK);
        struct frame_reader r = frame_reader(f.payload);
        assert_true(frame_get_u64(&r) == tag);
        if (i == RUNNER_PIPES) {
            assert_int_equal(f.type, RUNNER_STARTED);
            (void)frame_get_u32(&r);
            assert_int_equal(fd, -1);
        } else {
            assert_int_equal(f.type, RUNNER_PIPE);
            assert_int_equal(frame_get_u8(&r), i);
            assert_true(fd >= 0);
            x->pipes[i] = fd;
        }
        assert_true(frame_reader_done(&r));
    }
}

static void start(struct fixture *x, uint64_t tag, const char *name)
{
    send_start(&x->client, tag, name);
    expect_started(x, tag);
}

/* Expects the end; its exit code, or 1000 and the signal. */
static unsigned expect_exited(struct wire *w, uint64_t tag)
{
    struct frame f;
    assert_int_equal(next(w, &f, NULL), ERR_OK);
    assert_int_equal(f.type, RUNNER_EXITED);
    struct frame_reader r = frame_reader(f.payload);
    assert_true(frame_get_u64(&r) == tag);
    unsigned code = frame_get_u32(&r), signal_number = frame_get_u32(&r);
    assert_true(frame_reader_done(&r));
    return signal_number == 0 ? code : 1000 + signal_number;
}

static void expect_refused(struct wire *w, uint64_t tag, const char *word)
{
    struct frame f;
    assert_int_equal(next(w, &f, NULL), ERR_OK);
    assert_int_equal(f.type, RUNNER_REFUSED);
    struct frame_reader r = frame_reader(f.payload);
    assert_true(frame_get_u64(&r) == tag);
    struct str why = frame_get_str(&r);
    assert_true(frame_reader_done(&r));
    char text[RUNNER_REASON_MAX + 1] = "";
    assert_true(why.len <= RUNNER_REASON_MAX);
    memcpy(text, why.ptr, why.len);
    if (strstr(text, word) == NULL)
        fail_msg("not \"%s\" but: %s", word, text);
}

/* Reads until the writers are gone, or `stop_at` bytes. */
static size_t read_all(int fd, char *to, size_t room, size_t stop_at)
{
    size_t at = 0;
    while (at < stop_at && at < room - 1) {
        struct pollfd p = {fd, POLLIN, 0};
        assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
        ssize_t n = read(fd, to + at, room - 1 - at);
        assert_true(n >= 0);
        if (n == 0)
            break;
        at += (size_t)n;
    }
    to[at] = '\0';
    return at;
}

static void test_a_configured_command_talks_over_its_pipes(void **state)
{
    struct fixture *x = *state;
    static const char *const names[] = {"cat", "found"};
    for (uint64_t i = 0; i < 2; i++) {
        char answer[64];
        start(x, i, names[i]);
        assert_int_equal(write(x->pipes[RUNNER_STDIN], "hello\n", 6), 6);
        assert_int_equal(read_all(x->pipes[RUNNER_STDOUT], answer,
                                  sizeof(answer), 6),
                         6);
        assert_string_equal(answer, "hello\n");
        (void)close(x->pipes[RUNNER_STDIN]);
        x->pipes[RUNNER_STDIN] = -1;
        assert_int_equal(expect_exited(&x->client, i), 0);
        assert_int_equal(read_all(x->pipes[RUNNER_STDERR], answer,
                                  sizeof(answer), 1),
                         0);
        close_pipes(x);
    }
}

static void test_what_is_not_configured_is_refused(void **state)
{
    struct fixture *x = *state;
    static const char *const names[] = {"ls",     "/bin/cat", "cat ",    "CAT",
                                        "../cat", "cat\n",    "sh -c id"};
    for (uint64_t i = 0; i < ARRAY_LEN(names); i++) {
        send_start(&x->client, i, names[i]);
        expect_refused(&x->client, i, "no command is configured");
    }
}

static void test_an_empty_table_starts_nothing(void **state)
{
    struct fixture empty = {.pipes = {-1, -1, -1}};
    (void)state;
    start_runner(&empty, 0);
    send_start(&empty.client, 1, "cat");
    expect_refused(&empty.client, 1, "no command is configured");
    wire_release(&empty.client);
    wire_release(&empty.control);
    assert_int_equal(end_of(&empty), 0);
}

static void test_what_cannot_be_executed_is_refused(void **state)
{
    struct fixture *x = *state;
    static const struct {
        const char *name, *why;
    } cases[] = {
        {"missing", "cannot be executed: /no/such/file: No such file"},
        {"unfound", "cannot be executed: no-such-command-anywhere"},
        {"folder", "cannot be executed: /: Permission denied"},
        {"faulty", "its variable is missing"},
        {"nowhere", "no folder /no/such/folder: No such file"},
        {"reads", "may not use /no/such/folder: No such file"},
        {"takes", "Writ keeps files of its own in /usr"},
    };
    for (uint64_t i = 0; i < ARRAY_LEN(cases); i++) {
        send_start(&x->client, i, cases[i].name);
        expect_refused(&x->client, i, cases[i].why);
    }
    start(x, 9, "cat"); /* and others still are */
}

static void test_its_environment_is_what_the_table_names(void **state)
{
    struct fixture *x = *state;
    char got[64];
    start(x, 1, "says");
    (void)read_all(x->pipes[RUNNER_STDOUT], got, sizeof(got), sizeof(got));
    assert_string_equal(got, "hello here\n");
    assert_int_equal(expect_exited(&x->client, 1), 0);
}

static void tell_reload(struct fixture *x)
{
    frame_add(wire_out(&x->control), RUNNER_RELOAD, 0,
              (struct str){a_digest, RUNNER_DIGEST_LEN});
    assert_int_equal(wire_flush(&x->control), ERR_OK);
}

/* Asks until the runner has taken what the supervisor says. */
static void start_when_known(struct fixture *x, uint64_t tag, const char *name)
{
    struct frame f;
    for (;;) {
        int fd = -1;
        send_start(&x->client, tag, name);
        assert_int_equal(next(&x->client, &f, &fd), ERR_OK);
        if (f.type == RUNNER_PIPE) {
            x->pipes[0] = fd;
            break;
        }
        assert_int_equal(f.type, RUNNER_REFUSED);
    }
    for (int i = 1; i <= RUNNER_PIPES; i++) {
        int fd = -1;
        assert_int_equal(next(&x->client, &f, &fd), ERR_OK);
        if (i < RUNNER_PIPES)
            x->pipes[i] = fd;
    }
    assert_int_equal(f.type, RUNNER_STARTED);
}

static void test_another_table_leaves_what_runs(void **state)
{
    struct fixture *x = *state;
    char answer[8];
    start(x, 1, "cat");
    int in = x->pipes[RUNNER_STDIN], out = x->pipes[RUNNER_STDOUT];
    (void)close(x->pipes[RUNNER_STDERR]);
    tell_reload(x);
    start_when_known(x, 2, "other");
    tell_reload(x); /* broken: this one stays */
    send_start(&x->client, 3, "cat");
    expect_refused(&x->client, 3, "no command is configured");
    assert_int_equal(write(in, "on", 2), 2);
    assert_int_equal(read_all(out, answer, sizeof(answer), 2), 2);
    (void)close(in);
    (void)close(out);
    assert_int_equal(expect_exited(&x->client, 1), 0);
    close_pipes(x);
    assert_int_equal(expect_exited(&x->client, 2), 0);
    start_when_known(x, 4, "other");
}

static void test_the_exit_code_is_reported(void **state)
{
    struct fixture *x = *state;
    start(x, 77, "fails");
    assert_int_equal(expect_exited(&x->client, 77), 7);
    start(x, 77, "fails"); /* the tag is free again */
    assert_int_equal(expect_exited(&x->client, 77), 7);
}

static void test_stop_ends_it_and_a_second_one_is_no_error(void **state)
{
    struct fixture *x = *state;
    send_stop(&x->client, 5); /* never started */
    start(x, 5, "cat");
    send_stop(&x->client, 5);
    send_stop(&x->client, 5);
    assert_int_equal(expect_exited(&x->client, 5), 1000 + SIGTERM);
    send_stop(&x->client, 5);
    start(x, 6, "cat");
}

static void test_what_ignores_the_stop_is_killed(void **state)
{
    struct fixture *x = *state;
    char word[8];
    start(x, 5, "deaf");
    assert_int_equal(read_all(x->pipes[RUNNER_STDOUT], word, sizeof(word), 3),
                     3);
    send_stop(&x->client, 5);
    assert_int_equal(expect_exited(&x->client, 5), 1000 + SIGKILL);
}

static void test_a_tag_is_used_once_at_a_time(void **state)
{
    struct fixture *x = *state;
    start(x, 5, "cat");
    send_start(&x->client, 5, "cat");
    expect_refused(&x->client, 5, "this tag");
    struct wire other = connect_client(x, FRAME_ROLE_CONTROL);
    send_stop(&other, 5); /* another one's tag is not its */
    send_start(&other, 5, "fails");
    for (int i = 0; i < RUNNER_PIPES + 1; i++) {
        struct frame f;
        int fd = -1;
        assert_int_equal(next(&other, &f, &fd), ERR_OK);
        if (fd >= 0)
            (void)close(fd);
    }
    assert_int_equal(expect_exited(&other, 5), 7);
    wire_release(&other);
    assert_int_equal(write(x->pipes[RUNNER_STDIN], "x", 1), 1);
    char answer[8];
    assert_int_equal(read_all(x->pipes[RUNNER_STDOUT], answer, sizeof(answer),
                              1),
                     1);
}

/* The mask that stands behind `name`, without glibc's own two (32 and 33),
 * which nobody can set and whoever started us may have left either way. */
static unsigned long long signals_in(const char *status, const char *name)
{
    const char *at = strstr(status, name);
    assert_non_null(at);
    return strtoull(at + strlen(name), NULL, 16) & ~0x180000000ULL;
}

static void test_it_gets_nothing_of_ours(void **state)
{
    struct fixture *x = *state;
    char got[2048];
    start(x, 1, "look");
    (void)read_all(x->pipes[RUNNER_STDOUT], got, sizeof(got), sizeof(got));
    assert_int_equal(expect_exited(&x->client, 1), 0);
    assert_non_null(strstr(got, "HOME=/tmp/writ-tool-"));
    assert_non_null(strstr(got, "TMPDIR=/tmp/writ-tool-"));
    assert_non_null(strstr(got, "LANG=C.UTF-8\n"));
    assert_non_null(strstr(got, "PATH=/usr/local/bin:/usr/bin:/bin\n"));
    assert_non_null(strstr(got, "\n0077\n"));
    assert_non_null(strstr(got, "fds\n0\n1\n2\n3\n")); /* 3 is ls's own */
    assert_null(strstr(got, "\n4\n"));
    assert_non_null(strstr(got, "NoNewPrivs:\t1"));
    if (signals_in(got, "SigIgn:\t") != 0 || signals_in(got, "SigBlk:\t") != 0)
        fail_msg("signals are blocked or ignored:\n%s", got);
    int group = 0, self = 1;
    const char *line = strstr(got, "group ");
    assert_non_null(line);
    group = (int)strtol(line + 6, NULL, 10);
    line = strstr(got, "self ");
    assert_non_null(line);
    self = (int)strtol(line + 5, NULL, 10);
    assert_int_equal(group, self);
}

/* Starts `family`, whose children hold the other end of its stderr. */
static void start_family(struct fixture *x, uint64_t tag)
{
    char word[16];
    start(x, tag, "family");
    assert_int_equal(read_all(x->pipes[RUNNER_STDOUT], word, sizeof(word),
                              sizeof(word)),
                     3);
}

/* Waits until none of them is left. */
static void expect_gone(struct fixture *x)
{
    char end[8];
    assert_int_equal(read_all(x->pipes[RUNNER_STDERR], end, sizeof(end),
                              sizeof(end)),
                     0);
}

static void test_a_stop_reaches_the_children_too(void **state)
{
    struct fixture *x = *state;
    start_family(x, 3);
    send_stop(&x->client, 3);
    assert_int_equal(expect_exited(&x->client, 3), 1000 + SIGTERM);
    expect_gone(x);
}

static void test_a_client_that_goes_takes_its_processes_along(void **state)
{
    struct fixture *x = *state;
    start_family(x, 3);
    wire_release(&x->client);
    expect_gone(x);
}

static void test_a_shutdown_ends_all(void **state)
{
    struct fixture *x = *state;
    start_family(x, 3);
    frame_add(wire_out(&x->control), FRAME_SHUTDOWN, 0, (struct str){NULL, 0});
    assert_int_equal(wire_flush(&x->control), ERR_OK);
    assert_int_equal(end_of(x), 0);
    expect_gone(x);
}

static void test_a_crash_ends_what_was_started(void **state)
{
    struct fixture *x = *state;
    char home[64], end[8];
    start(x, 3, "home");
    size_t n = read_all(x->pipes[RUNNER_STDOUT], home, sizeof(home),
                        strlen("/tmp/writ-tool-XXXXXX\n"));
    assert_int_equal(kill(x->pid, SIGKILL), 0);
    (void)end_of(x);
    /* cat's end of the pipe closes with it */
    assert_int_equal(read_all(x->pipes[RUNNER_STDOUT], end, sizeof(end),
                              sizeof(end)),
                     0);
    home[n - 1] = '\0';
    (void)rmdir(home); /* nobody else is left to do it */
}

static void test_hostile_frames_end_their_connection_alone(void **state)
{
    struct fixture *x = *state;
    static const struct {
        uint16_t type;
        struct str payload;
    } cases[] = {
        {RUNNER_START, STR_INIT("")},
        {RUNNER_START, STR_INIT("\0\0\0\0\0\0\0\1\0\0\0\0")},
        {RUNNER_STOP, STR_INIT("\1")},
        {RUNNER_EXITED, STR_INIT("\0\0\0\0\0\0\0\1")},
        {FRAME_SHUTDOWN, STR_INIT("")},
        {9999, STR_INIT("")},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct wire bad = connect_client(x, FRAME_ROLE_WORKER);
        struct frame f;
        frame_add(wire_out(&bad), cases[i].type, 0, cases[i].payload);
        assert_int_equal(wire_flush(&bad), ERR_OK);
        assert_int_equal(next(&bad, &f, NULL), ERR_CLOSED);
        wire_release(&bad);
    }
    start(x, 1, "cat");
}

static void test_only_gateway_threads_may_connect(void **state)
{
    struct fixture *x = *state;
    struct wire tool = connect_client(x, FRAME_ROLE_TOOL);
    assert_int_equal(end_of(x), 0); /* the supervisor is broken */
    wire_release(&tool);
}

static void test_many_start_at_once(void **state)
{
    struct fixture *x = *state;
    enum { COMMANDS = 40 }; /* more pipes than fit one message */
    int kept[COMMANDS][RUNNER_PIPES];
    for (uint64_t i = 0; i < COMMANDS; i++) {
        struct buf *out = wire_out(&x->client);
        frame_add_head(out, RUNNER_START, 0, 8 + 4 + 3);
        frame_put_u64(out, i);
        frame_put_str(out, STR("cat"));
    }
    assert_int_equal(wire_flush(&x->client), ERR_OK);
    for (uint64_t i = 0; i < COMMANDS; i++) {
        expect_started(x, i);
        memcpy(kept[i], x->pipes, sizeof(kept[i]));
        for (int n = 0; n < RUNNER_PIPES; n++)
            x->pipes[n] = -1;
    }
    for (uint64_t i = 0; i < COMMANDS; i++) {
        memcpy(x->pipes, kept[i], sizeof(kept[i]));
        close_pipes(x);
    }
    for (uint64_t i = 0; i < COMMANDS; i++) {
        struct frame f;
        assert_int_equal(next(&x->client, &f, NULL), ERR_OK);
        assert_int_equal(f.type, RUNNER_EXITED);
    }
}

#define WITH_RUNNER(test)                                                      \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RUNNER(test_a_configured_command_talks_over_its_pipes),
        WITH_RUNNER(test_what_is_not_configured_is_refused),
        cmocka_unit_test(test_an_empty_table_starts_nothing),
        WITH_RUNNER(test_what_cannot_be_executed_is_refused),
        WITH_RUNNER(test_its_environment_is_what_the_table_names),
        WITH_RUNNER(test_another_table_leaves_what_runs),
        WITH_RUNNER(test_the_exit_code_is_reported),
        WITH_RUNNER(test_stop_ends_it_and_a_second_one_is_no_error),
        WITH_RUNNER(test_what_ignores_the_stop_is_killed),
        WITH_RUNNER(test_a_tag_is_used_once_at_a_time),
        WITH_RUNNER(test_it_gets_nothing_of_ours),
        WITH_RUNNER(test_a_stop_reaches_the_children_too),
        WITH_RUNNER(test_a_client_that_goes_takes_its_processes_along),
        WITH_RUNNER(test_a_shutdown_ends_all),
        WITH_RUNNER(test_a_crash_ends_what_was_started),
        WITH_RUNNER(test_hostile_frames_end_their_connection_alone),
        WITH_RUNNER(test_only_gateway_threads_may_connect),
        WITH_RUNNER(test_many_start_at_once),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
