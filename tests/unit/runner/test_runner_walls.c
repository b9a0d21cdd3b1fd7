/*
 * Tests runner/runner_walls, and with it os/confine*: a program that tries to
 * reach what is ours, started by a real runner on this system, as whoever runs
 * the test and, for root, as somebody else; with namespaces and without.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "os/clock.h"
#include "os/confine.h"
#include "os/confine_files.h"
#include "runner/runner_child.h"

enum {
    PATIENCE_MS = 30000,
    OUTPUT_MAX = 16384,
    TEXT = 256,
    NOBODY = 65534,
    SYS_LANDLOCK = 444
};

/* What is "ours" in a test. */
struct ours {
    char base[TEXT], kept[TEXT], given[TEXT], made[TEXT], probe[TEXT];
    char abstract[64];
    int listener, local, hidden, other;
    uint16_t port, other_port;
};

static void path_in(char to[TEXT], const char *folder, const char *name)
{
    assert_true(snprintf(to, TEXT, "%s/%s", folder, name) < TEXT);
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
}

static int listen_tcp(uint16_t *ret_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one,
                                sizeof(one)),
                     0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *ret_port = ntohs(at.sin_port);
    return fd;
}

static int listen_local(const char *name, bool abstract)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    size_t len = strlen(name);
    assert_true(len + 2 < sizeof(at.sun_path));
    memcpy(at.sun_path + (abstract ? 1 : 0), name, len);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
                                      len + 1)),
                     0);
    assert_int_equal(listen(fd, 64), 0);
    return fd;
}

/* The probe lies beside this program; its copy is where anyone may run it. */
static void copy_probe(const char *to)
{
    static char bytes[1 << 20];
    char own[TEXT] = "";
    assert_true(readlink("/proc/self/exe", own, sizeof(own) - 1) > 0);
    char *name = strrchr(own, '/');
    assert_non_null(name);
    *name = '\0';
    char from[TEXT];
    path_in(from, own, "confinement_probe");
    int in = open(from, O_RDONLY | O_CLOEXEC);
    assert_true(in >= 0);
    int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    assert_true(out >= 0);
    ssize_t n;
    while ((n = read(in, bytes, sizeof(bytes))) > 0)
        assert_int_equal(write(out, bytes, (size_t)n), n);
    (void)close(in);
    (void)close(out);
    assert_int_equal(chmod(to, 0755), 0);
}

static void give(const char *path, uid_t uid)
{
    if (uid != getuid())
        assert_int_equal(chown(path, uid, uid), 0);
}

/* The sockets are those of whoever runs the test. */
static void ours_make(struct ours *o, uid_t uid)
{
    char secret[TEXT], given[TEXT], bin[TEXT], socket_at[TEXT];
    *o = (struct ours){0};
    (void)snprintf(o->base, sizeof(o->base), "/tmp/writ-walls-XXXXXX");
    assert_non_null(mkdtemp(o->base));
    assert_int_equal(chmod(o->base, 0755), 0);
    path_in(o->kept, o->base, "data");
    path_in(o->given, o->base, "given");
    path_in(o->made, o->base, "made");
    path_in(bin, o->base, "own");
    assert_int_equal(mkdir(o->kept, 0700), 0);
    assert_int_equal(mkdir(o->given, 0700), 0);
    assert_int_equal(mkdir(o->made, 0700), 0);
    assert_int_equal(mkdir(bin, 0755), 0);
    path_in(secret, o->kept, "secret");
    write_file(secret, "evidence");
    path_in(given, o->given, "given");
    write_file(given, "given");
    path_in(o->probe, bin, "confinement_probe");
    copy_probe(o->probe);
    path_in(socket_at, o->kept, "socket");
    o->local = listen_local(socket_at, false);
    (void)snprintf(o->abstract, sizeof(o->abstract), "writ-walls-%d",
                   (int)getpid());
    o->hidden = listen_local(o->abstract, true);
    o->listener = listen_tcp(&o->port);
    o->other = listen_tcp(&o->other_port);
    const char *const theirs[] = {o->kept, o->given,  o->made,
                                  secret,  socket_at, given};
    for (size_t i = 0; i < ARRAY_LEN(theirs); i++)
        give(theirs[i], uid);
}

static void ours_end(struct ours *o)
{
    static const char *const names[] = {"data/secret", "data/socket",
                                        "data/other",  "given/given",
                                        "made/made",   "own/confinement_probe"};
    static const char *const folders[] = {"data", "given", "made", "own"};
    char path[TEXT];
    (void)close(o->listener);
    (void)close(o->local);
    (void)close(o->hidden);
    (void)close(o->other);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        path_in(path, o->base, names[i]);
        (void)unlink(path);
    }
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        path_in(path, o->base, folders[i]);
        assert_int_equal(rmdir(path), 0);
    }
    assert_int_equal(rmdir(o->base), 0);
}

/* What was ours is as it was. */
static void assert_untouched(const struct ours *o)
{
    char path[TEXT], text[16] = "";
    struct stat st;
    path_in(path, o->kept, "secret");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, text, sizeof(text)), 8);
    (void)close(fd);
    assert_string_equal(text, "evidence");
    assert_int_equal(stat(o->kept, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
}

static void install(struct sock_filter *filter, unsigned short n)
{
    struct sock_fprog program = {n, filter};
    assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/* As older kernels, and some containers: there is no Landlock. */
static void refuse_landlock(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_LANDLOCK, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    install(filter, ARRAY_LEN(filter));
}

/* As containers do: no namespace is to be had. */
static void refuse_namespaces(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                 offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K,
                 CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUSER, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    install(filter, ARRAY_LEN(filter));
}

/* How a case is run. */
struct way {
    uid_t uid;
    bool network, namespaces, landlock;
};

/* In a process of its own: what the runner would do.  What the command said
 * goes to `out`, after the word of how it was confined. */
static int run_probe(const struct ours *o, const struct way *way, int out)
{
    char port[8], other[8], parent[16], self[16], why[RUNNER_REASON_MAX] = "";
    char words[CONFINE_WORDS_MAX], text[4096];
    if (way->uid != getuid() &&
        (setgroups(0, NULL) != 0 || setgid(way->uid) != 0 ||
         setuid(way->uid) != 0))
        return 2;
    (void)prctl(PR_SET_DUMPABLE, 0);
    if (!way->namespaces)
        refuse_namespaces();
    if (!way->landlock)
        refuse_landlock();
    (void)snprintf(port, sizeof(port), "%u", o->port);
    (void)snprintf(other, sizeof(other), "%u", o->other_port);
    (void)snprintf(parent, sizeof(parent), "%d", (int)getppid());
    (void)snprintf(self, sizeof(self), "%d", (int)getpid());
    const char *const argv[] = {o->probe, port,    other,  o->kept, o->abstract,
                                o->given, o->made, parent, self,    NULL};
    const char *const reads[] = {o->given, NULL};
    const char *const writes[] = {o->made, NULL};
    const char *const kept[] = {o->kept, NULL};
    const struct runner_command command = {.name = "probe",
                                           .argv = argv,
                                           .read = reads,
                                           .write = writes,
                                           .network = way->network};
    const struct runner_table table = {&command, 1, kept, &o->port, 1};
    struct runner_starts from = {&table, -1};
    struct runner_child c;
    int pipes[RUNNER_PIPES];
    if (way->network && way->landlock &&
        confine_files_ports_new(&o->port, 1, &from.ports) != ERR_OK)
        return 3;
    if (!runner_child_start(&from, &command, &c, pipes, why)) {
        (void)dprintf(out, "refused: %s\n", why);
        return way->landlock ? 4 : 0;
    }
    confine_words(c.confined, words);
    (void)dprintf(out, "confined %s\n", words);
    ssize_t n;
    while ((n = read(pipes[RUNNER_STDOUT], text, sizeof(text))) > 0)
        (void)!write(out, text, (size_t)n);
    while ((n = read(pipes[RUNNER_STDERR], text, sizeof(text))) > 0)
        (void)!write(out, text, (size_t)n);
    uint32_t code, signal_number;
    runner_child_reap(&c, &code, &signal_number);
    (void)dprintf(out, "ended %u %u %s\n", code, signal_number,
                  access(c.folder, F_OK) == 0 ? "folder left" : "clean");
    return 0;
}

static size_t read_all(int fd, char *to, size_t room)
{
    size_t at = 0;
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (at < room - 1) {
        struct pollfd p = {fd, POLLIN, 0};
        assert_int_equal(poll(&p, 1, (int)(until_ms - clock_monotonic_ms())),
                         1);
        ssize_t n = read(fd, to + at, room - 1 - at);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    to[at] = '\0';
    return at;
}

static void probe(const struct way *way, char said[OUTPUT_MAX])
{
    struct ours o;
    int pipe_ends[2], status = -1;
    ours_make(&o, way->uid);
    assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(run_probe(&o, way, pipe_ends[1]));
    (void)close(pipe_ends[1]);
    (void)read_all(pipe_ends[0], said, OUTPUT_MAX);
    (void)close(pipe_ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status != 0)
        fail_msg("it was not run (%d): %s", status, said);
    assert_untouched(&o);
    ours_end(&o);
}

static void assert_says(const char *said, const char *line)
{
    char whole[64];
    (void)snprintf(whole, sizeof(whole), "\n%s\n", line);
    if (strstr(said, whole) == NULL)
        fail_msg("not \"%s\" in:\n%s", line, said);
}

static void assert_held(const struct way *way)
{
    static const char *const always[] = {"tcp held",         "mptcp held",
                                         "fast-open held",   "bind held",
                                         "socket held",      "abstract held",
                                         "pair open",        "may-read yes",
                                         "may-write yes",    "may-use-own yes",
                                         "may-use-null yes", "own-signal yes",
                                         "may-fork yes",     "ended 0 0 clean"};
    char said[OUTPUT_MAX];
    probe(way, said);
    if (strstr(said, "REACHED") != NULL)
        fail_msg("it got out:\n%s", said);
    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        assert_says(said, always[i]);
    assert_says(said, way->network ? "other-port open" : "other-port closed");
    assert_non_null(strstr(said, "landlock+seccomp"));
    if (!way->namespaces)
        assert_null(strstr(said, "pidns"));
    print_message("uid %u, network %d, namespaces %d: %.*s\n", way->uid,
                  way->network, way->namespaces, (int)strcspn(said, "\n"),
                  said);
}

static void test_rule_33_children_reach_nothing_of_ours(void **state)
{
    (void)state;
    bool ports = confine_files_version() >= 4;
    if (confine_files_version() == 0) {
        print_message("SKIPPED: this kernel has no Landlock, and starts no "
                      "command\n");
        skip();
    }
    for (unsigned i = 0; i < 8; i++) {
        const struct way way = {.uid = (i & 1) != 0 ? NOBODY : getuid(),
                                .namespaces = (i & 2) == 0,
                                .network = (i & 4) != 0,
                                .landlock = true};
        if ((way.uid != getuid() && getuid() != 0) || (way.network && !ports))
            continue;
        assert_held(&way);
    }
}

static void test_rule_33_no_walls_no_command(void **state)
{
    (void)state;
    char said[OUTPUT_MAX];
    for (int network = 0; network < 2; network++) {
        const struct way way = {.uid = getuid(),
                                .namespaces = true,
                                .network = network != 0};
        probe(&way, said);
        assert_string_equal(said, "refused: this kernel offers no Landlock\n");
    }
}

/* In a process of its own, without namespaces: the init of a command that has
 * started others dies, and they are all ended. */
static int leave_strays(void)
{
    static const char *const argv[] = {
        "sh", "-c", "setsid sleep 100 >&- & sleep 100 >&- & echo up; wait",
        NULL};
    static const struct runner_command command = {.name = "x", .argv = argv};
    static const struct runner_table table = {&command, 1, NULL, NULL, 0};
    const struct runner_starts from = {&table, -1};
    char why[RUNNER_REASON_MAX], byte;
    uint32_t code, signal_number;
    struct runner_child c;
    int pipes[RUNNER_PIPES];
    refuse_namespaces();
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0 ||
        !runner_child_start(&from, &command, &c, pipes, why) ||
        read(pipes[RUNNER_STDOUT], &byte, 1) != 1)
        return 1;
    runner_child_kill(&c);
    runner_child_reap(&c, &code, &signal_number);
    runner_child_end_strays(NULL, 0);
    /* They all hold the other end of this one. */
    struct pollfd p = {pipes[RUNNER_STDERR], POLLIN, 0};
    if (poll(&p, 1, PATIENCE_MS) != 1 || read(p.fd, &byte, 1) != 0)
        return 2;
    return signal_number == SIGKILL ? 0 : 3;
}

static void test_what_a_dead_init_leaves_is_ended(void **state)
{
    (void)state;
    int status = -1;
    if (confine_files_version() == 0)
        skip();
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(leave_strays());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_33_children_reach_nothing_of_ours),
        cmocka_unit_test(test_rule_33_no_walls_no_command),
        cmocka_unit_test(test_what_a_dead_init_leaves_is_ended),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
