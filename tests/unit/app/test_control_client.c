/* Tests app/control_client and `status` against a node that is pretended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/cmd.h"
#include "app/control_client.h"
#include "base/attr.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/writ_test_control_XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static void socket_path(char to[100])
{
    snprintf(to, 100, "%s/control.sock", folder);
}

static int remove_folder(void **state)
{
    (void)state;
    char path[100];
    socket_path(path);
    (void)unlink(path);
    return rmdir(folder);
}

/* The child: one connection, one request, `reply`, the end. */
static void serve(int listener, const char *reply)
{
    char request[1024];
    int fd = accept(listener, NULL, NULL);
    ssize_t n = recv(fd, request, sizeof(request) - 1, 0);
    request[n > 0 ? n : 0] = 0;
    bool asked = strncmp(request, "GET /admin/v1/status HTTP/1.1\r\n", 31) == 0;
    if (!asked)
        reply = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
    for (size_t i = 0, len = strlen(reply); i < len; i += 7) {
        size_t piece = len - i < 7 ? len - i : 7;
        (void)!send(fd, reply + i, piece, MSG_NOSIGNAL);
    }
    _exit(0);
}

/* A node that gives `reply` to the next question; its pid. */
static pid_t start(const char *reply)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char path[100];
    socket_path(path);
    snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
    (void)unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 1), 0);
    pid_t pid = fork();
    if (pid == 0)
        serve(fd, reply);
    (void)close(fd);
    return pid;
}

static enum err ask(const char *reply, struct arena *a,
                    struct control_client_reply *ret)
{
    pid_t pid = start(reply);
    enum err e = control_client_get(a, folder, "/admin/v1/status", ret);
    (void)waitpid(pid, NULL, 0);
    return e;
}

static void test_answers_are_read_however_they_are_framed(void **state)
{
    (void)state;
    static const struct {
        const char *reply;
        enum err e;
        int status;
        const char *body;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", ERR_OK, 200,
         "hello"},
        {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
         "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
         ERR_OK, 200, "hello"},
        {"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello", ERR_OK, 200,
         "hello"},
        {"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", ERR_OK, 503, ""},
        {"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello", ERR_UPSTREAM, 0,
         ""},
        {"", ERR_UPSTREAM, 0, ""},
        {"220 mail.example.org\r\n", ERR_UPSTREAM, 0, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct control_client_reply reply = {0};
        arena_init(&a, 1 << 20);
        enum err e = ask(rows[i].reply, &a, &reply);
        if (e != rows[i].e)
            fail_msg("%s: %s", rows[i].reply, err_name(e));
        assert_int_equal(reply.status, rows[i].status);
        assert_true(str_eq(reply.body, str_from(rows[i].body)));
        arena_release(&a);
    }
}

static void test_nobody_there_is_not_found(void **state)
{
    (void)state;
    struct arena a;
    struct control_client_reply reply;
    char path[100];
    arena_init(&a, 1 << 20);
    assert_int_equal(control_client_get(&a, "/nonexistent", "/", &reply),
                     ERR_NOT_FOUND);
    /* A socket that a dead node left behind. */
    pid_t pid = start("");
    assert_int_equal(control_client_get(&a, folder, "/admin/v1/status", &reply),
                     ERR_UPSTREAM);
    (void)waitpid(pid, NULL, 0);
    assert_int_equal(control_client_get(&a, folder, "/", &reply),
                     ERR_NOT_FOUND);
    socket_path(path);
    assert_int_equal(access(path, F_OK), 0);
    arena_release(&a);
}

static const char status[] =
    "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"
    "{\"calls\":{\"ended\":12,\"failed\":1,\"open\":3,\"refused\":4},"
    "\"config\":{\"digest\":\"ab\",\"file\":\"/w.yaml\",\"reloads\":2,"
    "\"reloads_failed\":1,\"since\":\"2026-11-20T07:00:00.000000Z\"},"
    "\"generation\":1,\"isolation\":\"processes\",\"keeper\":true,"
    "\"ledger\":{\"answers\":true,\"commits\":45,\"durable\":true,"
    "\"entries\":100,\"open_intents\":3,\"root\":\"cd\",\"syncs\":10},"
    "\"node\":\"gw-1\",\"policies\":{\"count\":3,\"shadow\":1},"
    "\"processes\":[{\"pid\":7,\"process\":\"keeper\",\"restarts\":2}],"
    "\"registry\":7,\"serving\":\"yes\",\"sessions\":5,"
    "\"started\":\"2026-11-20T06:00:00.000000Z\",\"store\":true,\"trust\":["
    "{\"alias\":\"corp\",\"fetched\":\"2026-11-20T06:30:00.000000Z\","
    "\"usable\":true,\"why\":\"\"},{\"alias\":\"old\",\"fetched\":\"-\","
    "\"usable\":false,\"why\":\"no answer\"}],\"version\":\"0.1.0\","
    "\"workers\":2}";

static char *run_status(const char *reply, bool json, int want)
{
    static const struct cli_option options[] = {CMD_CONFIG_OPTION,
                                                {"data", 0, "DIR", ""},
                                                {NULL, 0, NULL, NULL}};
    static const struct cli_command command = {"status", "",        0,
                                               0,        "",        "",
                                               options,  cmd_status};
    static const struct cli_program program = {.name = "writ",
                                               .commands = &command,
                                               .count = 1};
    char *argv[] = {(char[]){"writ"}, (char[]){"status"}, (char[]){"--data"},
                    folder,           (char[]){"--json"}, NULL};
    char *out = NULL;
    size_t len;
    FILE *out_file = open_memstream(&out, &len);
    FILE *err_file = fopen("/dev/null", "we");
    assert_true(out_file != NULL && err_file != NULL);
    if (!json)
        argv[4] = NULL;
    pid_t pid = start(reply);
    assert_int_equal(cli_run(&program, json ? 5 : 4, argv, out_file, err_file),
                     want);
    (void)waitpid(pid, NULL, 0);
    (void)fclose(out_file);
    (void)fclose(err_file);
    return out;
}

static void test_status_is_a_table(void **state)
{
    (void)state;
    char *out = run_status(status, false, CLI_OK);
    assert_string_equal(
        out,
        "node      gw-1, serving since 2026-11-20T06:00:00.000000Z, version "
        "0.1.0\n"
        "gateway   2 workers, generation 1, isolation level: processes\n"
        "keeper    answers\n"
        "calls     12 ended, 1 of them failed; 3 open; 4 refused\n"
        "ledger    100 entries, 10 syncs (4.5 entries each), 3 open intents, "
        "durable before action\n"
        "          root cd\n"
        "config    /w.yaml, in place since 2026-11-20T07:00:00.000000Z; 2 "
        "reloads, 1 of them failed\n"
        "          digest ab\n"
        "policies  3, and 1 in the shadow\n"
        "registry  7 identities, 5 open sessions; store answers\n"
        "issuer    corp, keys of 2026-11-20T06:30:00.000000Z\n"
        "issuer    old, NO USABLE KEYS; last from -; no answer\n"
        "\n"
        "PROCESS           PID  RESTARTS\n"
        "keeper              7         2\n");
    free(out);
}

static void test_status_json_is_the_nodes_own(void **state)
{
    (void)state;
    char *out = run_status(status, true, CLI_OK);
    const char *body = strstr(status, "\r\n\r\n") + 4;
    assert_int_equal(strncmp(out, body, strlen(body)), 0);
    assert_string_equal(out + strlen(body), "\n");
    free(out);
}

static void test_a_node_that_does_not_serve_is_a_failure(void **state)
{
    (void)state;
    static const char *const replies[] = {
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"serving\":\"no\"}",
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nnot json",
        "HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(replies); i++)
        free(run_status(replies[i], false, CLI_FAILED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_are_read_however_they_are_framed),
        cmocka_unit_test(test_nobody_there_is_not_found),
        cmocka_unit_test(test_status_is_a_table),
        cmocka_unit_test(test_status_json_is_the_nodes_own),
        cmocka_unit_test(test_a_node_that_does_not_serve_is_a_failure),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
