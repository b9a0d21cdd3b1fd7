/* Tests os/confine*: each wall by itself, in a process that enters it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/confine.h"
#include "os/confine_calls.h"
#include "os/confine_files.h"
#include "os/confine_spaces.h"

enum { TEXT = 256 };

static void test_words_say_which_walls_stand(void **state)
{
    (void)state;
    char words[CONFINE_WORDS_MAX];
    confine_words(0, words);
    assert_string_equal(words, "none");
    confine_words(CONFINE_LANDLOCK | CONFINE_SECCOMP | CONFINE_NETNS, words);
    assert_string_equal(words, "landlock+seccomp+netns");
    confine_words(CONFINE_ALL, words);
    assert_string_equal(words,
                        "landlock+seccomp+pidns+mntns+netns+scoped+ports");
}

/* Runs `inside` in a process of its own; what it returns is its exit code. */
static int in_child(int (*inside)(const char *), const char *with)
{
    int status = -1;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(inside(with));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* The first that does not hold, by its place; 0: all do. */
#define HOLDS(condition)                                                       \
    do {                                                                       \
        if (!(condition))                                                      \
            return __LINE__ % 250 + 1;                                         \
    } while (0)

static bool refused(long rc, int error)
{
    return rc < 0 && errno == error;
}

static int offline(const char *with)
{
    static const struct confine_calls none = {.keep_modes = true,
                                              .keep_lengths = true};
    int pair[2];
    HOLDS(confine_calls_enter(&none) == ERR_OK);
    HOLDS(refused(socket(AF_INET, SOCK_STREAM, 0), EPERM));
    HOLDS(refused(socket(AF_UNIX, SOCK_STREAM, 0), EPERM));
    HOLDS(refused(socket(AF_NETLINK, SOCK_RAW, 0), EPERM));
    HOLDS(refused(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), EPERM));
    HOLDS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    HOLDS(send(pair[0], "x", 1, 0) == 1); /* no address: it may */
    HOLDS(refused(chmod(with, 0600), EPERM));
    HOLDS(refused(truncate(with, 0), EPERM));
    HOLDS(refused(syscall(SYS_io_uring_setup, 1, NULL), ENOSYS));
    int fd = open(with, O_RDWR | O_CLOEXEC);
    HOLDS(fd >= 0 && fchmod(fd, 0600) == 0 && ftruncate(fd, 0) == 0);
    return 0;
}

static int online(const char *with)
{
    static const struct confine_calls tcp = {.network = true};
    static const int refused_families[] = {AF_UNSPEC, AF_UNIX, AF_PACKET,
                                           AF_VSOCK,  AF_ALG,  AF_XDP,
                                           1000,      -1};
    HOLDS(confine_calls_enter(&tcp) == ERR_OK);
    HOLDS(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0);
    HOLDS(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_UDP) >= 0);
    HOLDS(socket(AF_NETLINK, SOCK_RAW, 0) >= 0);
    for (size_t i = 0; i < ARRAY_LEN(refused_families); i++)
        HOLDS(refused(socket(refused_families[i], SOCK_STREAM, 0), EPERM));
    HOLDS(refused(socket(AF_INET, SOCK_STREAM, 262), EPERM)); /* MPTCP */
    HOLDS(refused(socket(AF_INET, SOCK_SEQPACKET, 0), EPERM));
    /* The kernel looks at half of the register. */
    HOLDS(refused(syscall(SYS_socket, (1UL << 32) | AF_UNIX, SOCK_STREAM, 0),
                  EPERM));
    HOLDS(chmod(with, 0640) == 0);
    return 0;
}

static int without_signals(const char *with)
{
    (void)with;
    static const struct confine_calls none = {0};
    struct rlimit l;
    pid_t parent = getppid();
    HOLDS(confine_calls_enter(&none) == ERR_OK);
    HOLDS(confine_calls_enter_signals(0) == ERR_OK);
    HOLDS(refused(kill(parent, 0), EPERM));
    HOLDS(refused(kill(-1, 0), EPERM));
    HOLDS(refused(kill(-getpgrp(), 0), EPERM));
    HOLDS(kill(0, 0) == 0);
    HOLDS(refused(syscall(SYS_tgkill, parent, parent, SIGUSR1), EPERM));
    HOLDS(refused(syscall(SYS_tgkill, parent, parent, SIGKILL), EPERM));
    HOLDS(syscall(SYS_tgkill, getpid(), getpid(), SIGURG) == 0);
    HOLDS(refused(syscall(SYS_tkill, parent, 0), EPERM));
    HOLDS(refused(prlimit(parent, RLIMIT_NOFILE, NULL, &l), EPERM));
    HOLDS(getrlimit(RLIMIT_NOFILE, &l) == 0);
    HOLDS(refused(setpriority(PRIO_USER, 0, 1), EPERM));
    return 0;
}

static int without_parent(const char *with)
{
    (void)with;
    static const struct confine_calls none = {0};
    pid_t parent = getppid();
    HOLDS(confine_calls_enter(&none) == ERR_OK);
    HOLDS(confine_calls_enter_signals(parent) == ERR_OK);
    HOLDS(refused(kill(parent, 0), EPERM));
    HOLDS(refused(kill(-1, 0), EPERM));
    HOLDS(refused(syscall(SYS_tgkill, parent, parent, 0), EPERM));
    HOLDS(kill(getpid(), 0) == 0);
    return 0;
}

static void test_calls_that_reach_around_are_refused(void **state)
{
    (void)state;
    char file[] = "/tmp/writ-confine-XXXXXX";
    int fd = mkstemp(file);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(in_child(offline, file), 0);
    assert_int_equal(in_child(online, file), 0);
    assert_int_equal(in_child(without_signals, file), 0);
    assert_int_equal(in_child(without_parent, file), 0);
    assert_int_equal(unlink(file), 0);
}

static void join(char to[TEXT], const char *base, const char *name)
{
    int n = snprintf(to, TEXT, "%s/%s", base, name);
    if (n < 0 || n >= TEXT)
        abort();
}

static bool can_open(const char *base, const char *name, int flags)
{
    char path[TEXT];
    join(path, base, name);
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

/* base/own is allowed, base/own/deep/data and base/own/key are kept. */
static int around(const char *base)
{
    char own[TEXT], data[TEXT], key[TEXT];
    unsigned bits = 0;
    int set = -1;
    join(own, base, "own");
    join(data, base, "own/deep/data");
    join(key, base, "own/key");
    const char *const kept[] = {data, key, NULL};
    HOLDS(confine_files_overlaps(own, kept));
    HOLDS(confine_files_overlaps(key, kept));
    HOLDS(!confine_files_overlaps("/usr", kept));
    HOLDS(confine_files_new(&set, &bits) == ERR_OK);
    HOLDS((bits & CONFINE_LANDLOCK) != 0);
    HOLDS(confine_files_allow(set, own, CONFINE_WRITE, kept) == ERR_OK);
    HOLDS(confine_files_allow(set, data, CONFINE_OWN, kept) == ERR_OK);
    HOLDS(confine_files_allow(set, "/no/such", CONFINE_READ, kept) ==
          ERR_NOT_FOUND);
    HOLDS(confine_spaces_drop() == ERR_OK);
    HOLDS(confine_files_enter(set) == ERR_OK);
    HOLDS(can_open(own, "script", O_RDWR));
    HOLDS(can_open(own, "deep/other", O_RDWR));
    HOLDS(!can_open(own, "deep/data", O_RDONLY | O_DIRECTORY));
    HOLDS(!can_open(own, "deep/data/secret", O_RDONLY));
    HOLDS(!can_open(own, "deep/data/new", O_WRONLY | O_CREAT));
    HOLDS(!can_open(own, "key", O_RDONLY));
    HOLDS(!can_open(own, "link", O_RDONLY)); /* leads to the key */
    HOLDS(!can_open(own, "", O_RDONLY | O_DIRECTORY));
    HOLDS(!can_open(base, "beside", O_RDONLY));
    return 0;
}

static void make(const char *base, const char *name, bool folder)
{
    char path[TEXT];
    join(path, base, name);
    if (folder) {
        assert_int_equal(mkdir(path, 0700), 0);
        return;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
}

static void test_what_is_kept_is_left_out_of_what_is_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool folder;
    } tree[] = {
        {"own", true},
        {"own/deep", true},
        {"own/deep/data", true},
        {"own/deep/data/secret", false},
        {"own/deep/other", false},
        {"own/key", false},
        {"own/script", false},
        {"beside", false},
    };
    char base[] = "/tmp/writ-confine-XXXXXX", path[TEXT];
    if (confine_files_version() == 0) {
        print_message("SKIPPED: this kernel has no Landlock\n");
        skip();
    }
    assert_non_null(mkdtemp(base));
    for (size_t i = 0; i < ARRAY_LEN(tree); i++)
        make(base, tree[i].name, tree[i].folder);
    join(path, base, "own/link");
    assert_int_equal(symlink("key", path), 0);
    assert_int_equal(in_child(around, base), 0);
    assert_int_equal(unlink(path), 0);
    for (size_t i = ARRAY_LEN(tree); i-- > 0;) {
        join(path, base, tree[i].name);
        assert_int_equal(remove(path), 0);
    }
    assert_int_equal(rmdir(base), 0);
}

static int without_capabilities(const char *with)
{
    char line[TEXT] = "", *at;
    FILE *f = fopen("/proc/self/status", "re");
    (void)with;
    HOLDS(f != NULL && confine_spaces_drop() == ERR_OK);
    (void)fclose(f);
    f = fopen("/proc/self/status", "re");
    HOLDS(f != NULL);
    while (fgets(line, sizeof(line), f) != NULL) {
        at = strchr(line, ':');
        if (strncmp(line, "CapEff", 6) == 0 || strncmp(line, "CapPrm", 6) == 0)
            HOLDS(at != NULL && strtoull(at + 1, NULL, 16) == 0);
        if (strncmp(line, "NoNewPrivs", 10) == 0)
            HOLDS(at != NULL && strtoull(at + 1, NULL, 10) == 1);
    }
    (void)fclose(f);
    return 0;
}

static void test_no_capability_is_left(void **state)
{
    (void)state;
    assert_int_equal(in_child(without_capabilities, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_say_which_walls_stand),
        cmocka_unit_test(test_calls_that_reach_around_are_refused),
        cmocka_unit_test(test_what_is_kept_is_left_out_of_what_is_allowed),
        cmocka_unit_test(test_no_capability_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
