/* sockets.c - see sockets.h. */
#include "app/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/num.h"
#include "base/str.h"
#include "os/clock.h"

enum {
    BACKLOG = 4096,
    PROBE_WAIT_MS = 3000,
    PROBE_POLL_US = 20000,
};

/* "127.0.0.1:8080", "[::1]:8080". */
static bool read_address(const char *text, struct sockaddr_storage *ret,
                         socklen_t *ret_len)
{
    char host[INET6_ADDRSTRLEN];
    struct str s = str_from(text);
    size_t colon = s.len;
    while (colon > 0 && s.ptr[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return false;

    struct str name = str_first(s, colon - 1);
    bool v6 =
        name.len > 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']';
    if (v6)
        name = (struct str){name.ptr + 1, name.len - 2};
    uint64_t port;
    if (name.len >= sizeof(host) ||
        !num_u64(str_skip(s, colon), UINT16_MAX, &port))
        return false;
    memcpy(host, name.ptr, name.len);
    host[name.len] = '\0';

    *ret = (struct sockaddr_storage){0};
    struct sockaddr_in *v4_at = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *v6_at = (struct sockaddr_in6 *)ret;
    ret->ss_family = v6 ? AF_INET6 : AF_INET;
    if (v6)
        v6_at->sin6_port = htons((uint16_t)port);
    else
        v4_at->sin_port = htons((uint16_t)port);
    *ret_len = v6 ? sizeof(*v6_at) : sizeof(*v4_at);
    return inet_pton(ret->ss_family, host,
                     v6 ? (void *)&v6_at->sin6_addr
                        : (void *)&v4_at->sin_addr) == 1;
}

static int stream_socket(int family)
{
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* With SO_REUSEPORT, a second program of the same user would silently get
 * half of the connections: without it, the address must still be free. */
static enum err probe(const struct sockaddr_storage *at, socklen_t len)
{
    const int on = 1;
    int fd = stream_socket(at->ss_family);

    if (fd == -1)
        return ERR_LIMIT;
    enum err e = ERR_OK;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
        bind(fd, (const struct sockaddr *)at, len) == -1)
        e = errno == EADDRINUSE ? ERR_OVERLOAD : ERR_CONFIG;
    (void)close(fd);
    return e;
}

enum err sockets_probe(const char *address)
{
    struct sockaddr_storage at;
    socklen_t len;

    if (!read_address(address, &at, &len))
        return ERR_CONFIG;
    int64_t until_ms = clock_monotonic_ms() + PROBE_WAIT_MS;
    for (;;) {
        enum err e = probe(&at, len);
        if (e != ERR_OVERLOAD || clock_monotonic_ms() >= until_ms)
            return e;
        (void)usleep(PROBE_POLL_US);
    }
}

enum err sockets_listen(const char *address, int *ret_fd)
{
    struct sockaddr_storage at;
    socklen_t len;
    const int on = 1;

    if (!read_address(address, &at, &len))
        return ERR_CONFIG;
    int fd = stream_socket(at.ss_family);
    if (fd == -1)
        return ERR_LIMIT;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == -1 ||
        bind(fd, (struct sockaddr *)&at, len) == -1 ||
        listen(fd, BACKLOG) == -1) {
        enum err e = errno == EADDRINUSE ? ERR_OVERLOAD : ERR_CONFIG;
        (void)close(fd);
        return e;
    }
    *ret_fd = fd;
    return ERR_OK;
}

enum err sockets_listen_local(const char *path, int *ret_fd)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct str s = str_from(path);

    if (s.len >= sizeof(at.sun_path))
        return ERR_LIMIT;
    memcpy(at.sun_path, s.ptr, s.len);
    int fd = stream_socket(AF_UNIX);
    if (fd == -1)
        return ERR_LIMIT;
    /* The data directory's lock is ours, so whoever made it is gone. */
    (void)unlink(path);
    /* From the first moment, whatever the folder allows; we have one thread. */
    mode_t was = umask(0177);
    int bound = bind(fd, (struct sockaddr *)&at, sizeof(at));
    (void)umask(was);
    if (bound == -1 || listen(fd, BACKLOG) == -1) {
        (void)close(fd);
        return ERR_IO;
    }
    *ret_fd = fd;
    return ERR_OK;
}

enum err sockets_pair(int ret_fds[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                      ret_fds) == 0
               ? ERR_OK
               : ERR_LIMIT;
}
