/*
 * confinement_probe.c - a tool server that wants out.
 *
 * Started by the runner like any other; its arguments name what is Writ's. It
 * says one line for each attempt, "<what> held" or "<what> REACHED".
 *
 *     confinement_probe PORT OTHER_PORT FOLDER ABSTRACT READ WRITE PID...
 *
 * FOLDER holds `secret` and `socket`; READ and WRITE may be used; nothing
 * listens on OTHER_PORT that is ours.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { TEXT = 512, PROTOCOL_MPTCP = 262, SYS_FCHMODAT_2 = 452 };

static void join(char to[TEXT], const char *folder, const char *name)
{
    int n = snprintf(to, TEXT, "%s/%s", folder, name);
    if (n < 0 || n >= TEXT)
        abort();
}

static void say(const char *what, bool reached)
{
    printf("%s %s\n", what, reached ? "REACHED" : "held");
}

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static bool connects(int protocol, int port)
{
    struct sockaddr_in to = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM, protocol);
    bool ok = fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

static bool connects_fast(int port)
{
    struct sockaddr_in to = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool ok = fd >= 0 && sendto(fd, "x", 1, MSG_FASTOPEN,
                                (struct sockaddr *)&to, sizeof(to)) >= 0;
    struct iovec part = {"x", 1};
    struct msghdr m = {.msg_name = &to,
                       .msg_namelen = sizeof(to),
                       .msg_iov = &part,
                       .msg_iovlen = 1};
    ok = ok || (fd >= 0 && sendmsg(fd, &m, MSG_FASTOPEN) >= 0);
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

static bool binds(int port)
{
    struct sockaddr_in at = loopback(port);
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool ok =
        fd >= 0 &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) == 0 &&
        bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

static bool connects_local(const char *name, bool abstract)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t len = strlen(name);
    memcpy(to.sun_path + (abstract ? 1 : 0), name, len);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    bool ok =
        fd >= 0 && connect(fd, (struct sockaddr *)&to,
                           (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
                                       len + 1)) == 0;
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

/* A pair that was connected otherwise could be turned to another peer. */
static bool turns_a_pair(const char *name)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int pair[2];
    memcpy(to.sun_path, name, strlen(name));
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0)
        return false;
    bool ok = connect(pair[0], (struct sockaddr *)&to, sizeof(to)) == 0;
    (void)close(pair[0]);
    (void)close(pair[1]);
    return ok || errno == EPROTOTYPE; /* found, and of another kind */
}

static void try_network(int port, int other)
{
    say("tcp", connects(0, port));
    say("mptcp", connects(PROTOCOL_MPTCP, port));
    say("fast-open", connects_fast(port));
    say("bind", binds(port));
    printf("other-port %s\n", connects(0, other) ? "open" : "closed");
    bool pair = socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){0, 0}) == 0;
    printf("pair %s\n", pair ? "open" : "closed");
}

static bool opens(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

static bool changes_by_handle(const char *path)
{
    char link[64];
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return false;
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    bool ok = chmod(link, 0666) == 0 ||
              syscall(SYS_FCHMODAT_2, fd, "", 0666, AT_EMPTY_PATH) == 0;
    (void)close(fd);
    return ok;
}

static void try_files(const char *folder)
{
    char secret[TEXT], other[TEXT];
    join(secret, folder, "secret");
    join(other, folder, "other");
    say("open-folder",
        opens(folder, O_RDONLY | O_DIRECTORY) && access(secret, F_OK) == 0);
    say("read", opens(secret, O_RDONLY));
    say("write", opens(secret, O_WRONLY));
    say("create", opens(other, O_WRONLY | O_CREAT));
    say("truncate", truncate(secret, 0) == 0);
    say("chmod", chmod(secret, 0666) == 0);
    say("chmod-handle", changes_by_handle(secret));
    say("chmod-folder", chmod(folder, 0777) == 0);
    say("chown", chown(secret, getuid(), getgid()) == 0);
    say("xattr", setxattr(secret, "user.x", "y", 1, 0) == 0);
    say("unlink", unlink(secret) == 0);
    say("rename", rename(secret, other) == 0);
    say("link", link(secret, "own-link") == 0);
    say("umount", umount2(folder, MNT_DETACH) == 0);
    say("mount", mount("/", folder, NULL, MS_BIND, NULL) == 0);
}

static void try_allowed(const char *read_at, const char *write_at)
{
    char path[TEXT];
    join(path, read_at, "given");
    printf("may-read %s\n", opens(path, O_RDONLY) ? "yes" : "no");
    say("write-given", opens(path, O_WRONLY) || chmod(path, 0777) == 0);
    join(path, write_at, "made");
    printf("may-write %s\n", opens(path, O_WRONLY | O_CREAT) ? "yes" : "no");
    bool own = opens("own", O_WRONLY | O_CREAT) && mkdir("deep", 0700) == 0 &&
               opens("deep/own", O_WRONLY | O_CREAT);
    printf("may-use-own %s\n", own ? "yes" : "no");
    printf("may-use-null %s\n", opens("/dev/null", O_RDWR) ? "yes" : "no");
}

static bool opens_proc(pid_t pid, const char *file)
{
    char path[64], byte;
    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && read(fd, &byte, 1) >= 0;
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

static void try_process(pid_t pid)
{
    char byte;
    struct iovec here = {&byte, 1}, there = {&here, 1};
    struct rlimit none = {64, 64};
    say("environ", opens_proc(pid, "environ"));
    say("mem", opens_proc(pid, "mem"));
    say("kill", kill(pid, 0) == 0);
    say("kill-group", kill(-pid, 0) == 0);
    say("tgkill", syscall(SYS_tgkill, pid, pid, SIGUSR1) == 0);
    say("ptrace", ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0);
    say("vm", process_vm_readv(pid, &here, 1, &there, 1, 0) > 0);
    say("prlimit", prlimit(pid, RLIMIT_NOFILE, &none, NULL) == 0);
    int pidfd = pidfd_open(pid, 0);
    say("pidfd-signal",
        pidfd >= 0 && pidfd_send_signal(pidfd, SIGUSR1, NULL, 0) == 0);
    say("pidfd-file", pidfd >= 0 && pidfd_getfd(pidfd, 0, 0) >= 0);
    if (pidfd >= 0)
        (void)close(pidfd);
}

static void try_kernel(void)
{
    char parameters[256] = {0};
    say("user-namespace", unshare(CLONE_NEWUSER) == 0);
    say("io-uring", syscall(SYS_io_uring_setup, 8, parameters) >= 0);
    say("tiocsti", ioctl(0, TIOCSTI, "x") == 0);
    printf("own-signal %s\n", kill(0, 0) == 0 ? "yes" : "no");
    pid_t child = fork();
    if (child == 0)
        _exit(7);
    int status = 0;
    bool ok = child > 0 && waitpid(child, &status, 0) == child &&
              WEXITSTATUS(status) == 7;
    printf("may-fork %s\n", ok ? "yes" : "no");
}

int main(int argc, char **argv)
{
    char path[TEXT];
    if (argc < 7)
        return 2;
    (void)signal(SIGPIPE, SIG_IGN);
    try_network(atoi(argv[1]), atoi(argv[2]));
    join(path, argv[3], "socket");
    say("socket", connects_local(path, false));
    say("abstract", connects_local(argv[4], true));
    say("turned-pair", turns_a_pair(path));
    try_allowed(argv[5], argv[6]);
    for (int i = 7; i < argc; i++)
        try_process((pid_t)atoi(argv[i]));
    try_kernel();
    try_files(argv[3]);
    return fflush(stdout) == 0 ? 0 : 1;
}
