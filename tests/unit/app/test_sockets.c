/* Tests app/sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/sockets.h"
#include "base/container.h"

static void assert_ours(int fd)
{
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
}

static unsigned port_of(int fd)
{
    struct sockaddr_in at = {0};
    socklen_t len = sizeof(at);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    return ntohs(at.sin_port);
}

static void test_what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",        ":80",           "127.0.0.1",      "127.0.0.1:",
        "1:65536", "127.0.0.1:-1",  "localhost:80",   "127.0.0.1:80x",
        "[::1:80", "127.0.0.256:1", "[127.0.0.1]:80", "::1:80",
        "[]:80",   "192.0.2.1:1", /* of no machine */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int fd = -1;
        if (sockets_listen(cases[i], &fd) != ERR_CONFIG)
            fail_msg("\"%s\" was taken", cases[i]);
        assert_int_equal(fd, -1);
    }
}

static void test_every_worker_has_a_queue_of_its_own(void **state)
{
    (void)state;
    int fds[2];
    char address[32];
    assert_int_equal(sockets_listen("127.0.0.1:0", &fds[0]), ERR_OK);
    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", port_of(fds[0]));
    assert_int_equal(sockets_listen(address, &fds[1]), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        int listens = 0;
        socklen_t len = sizeof(listens);
        assert_ours(fds[i]);
        assert_int_equal(getsockopt(fds[i], SOL_SOCKET, SO_ACCEPTCONN, &listens,
                                    &len),
                         0);
        assert_int_equal(listens, 1);
        (void)close(fds[i]);
    }
}

static void test_an_address_in_use_is_found_by_the_probe(void **state)
{
    (void)state;
    char address[32];
    int fd;
    assert_int_equal(sockets_listen("127.0.0.1:0", &fd), ERR_OK);
    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", port_of(fd));
    assert_int_equal(sockets_probe(address), ERR_OVERLOAD);
    (void)close(fd);
    assert_int_equal(sockets_probe(address), ERR_OK);
    assert_int_equal(sockets_probe("192.0.2.1:1"), ERR_CONFIG);
}

static void test_a_stale_local_socket_is_replaced(void **state)
{
    (void)state;
    char folder[] = "/tmp/writ_sockets_XXXXXX";
    char path[64];
    struct stat st;
    int first, second;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/control.sock", folder);
    assert_int_equal(sockets_listen_local(path, &first), ERR_OK);
    (void)close(first);
    assert_int_equal(sockets_listen_local(path, &second), ERR_OK);
    assert_ours(second);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    (void)close(second);
    (void)unlink(path);
    (void)rmdir(folder);
}

static void test_a_pair_is_connected(void **state)
{
    (void)state;
    int fds[2];
    char got = 0;
    assert_int_equal(sockets_pair(fds), ERR_OK);
    assert_ours(fds[0]);
    assert_ours(fds[1]);
    assert_int_equal(send(fds[0], "x", 1, MSG_NOSIGNAL), 1);
    assert_int_equal(recv(fds[1], &got, 1, 0), 1);
    assert_int_equal(got, 'x');
    (void)close(fds[0]);
    (void)close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_no_address_is_refused),
        cmocka_unit_test(test_every_worker_has_a_queue_of_its_own),
        cmocka_unit_test(test_an_address_in_use_is_found_by_the_probe),
        cmocka_unit_test(test_a_stale_local_socket_is_replaced),
        cmocka_unit_test(test_a_pair_is_connected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
