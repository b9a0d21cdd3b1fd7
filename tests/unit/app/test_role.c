/* Tests app/role: the command lines by which a node starts its processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/role.h"
#include "base/container.h"

static const struct role_options options = {
    .role = FRAME_ROLE_WORKER,
    .config = "/etc/writ/writ.yaml",
    .data = "/var/lib/writ",
    .node = "gw-1",
    .listen = {"127.0.0.1:8080", "[::1]:8080"},
    .listeners = 2,
    .admin = "127.0.0.1:9090",
    .workers = 4,
    .generation = 7,
    .batched = true,
    .drain_ms = 30000,
};

static bool has(const struct role_args *a, const char *word)
{
    for (size_t i = 0; i < ROLE_ARGS_MAX && a->argv[i] != NULL; i++) {
        if (strcmp(a->argv[i], word) == 0)
            return true;
    }
    return false;
}

static int count(const struct role_args *a)
{
    int n = 0;
    while (a->argv[n] != NULL)
        n++;
    return n;
}

static void test_a_command_line_says_everything(void **state)
{
    (void)state;
    static struct role_args a;
    char parent[32];
    static const char *const words[] = {
        "--role=gateway",
        "--config=/etc/writ/writ.yaml",
        "--data=/var/lib/writ",
        "--node=gw-1",
        "--workers=4",
        "--generation=7",
        "--drain-ms=30000",
        "--listen=127.0.0.1:8080",
        "--listen=[::1]:8080",
        "--batched=1",
        "--admin=127.0.0.1:9090",
    };
    assert_true(role_args_make(&a, &options));
    assert_string_equal(a.argv[0], "writ");
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!has(&a, words[i]))
            fail_msg("%s is not there", words[i]);
    }
    (void)snprintf(parent, sizeof(parent), "--parent=%ld", (long)getpid());
    assert_true(has(&a, parent));
    assert_int_equal(count(&a), 1 + (int)ARRAY_LEN(words) + 1);
}

static void test_what_is_too_long_is_refused(void **state)
{
    (void)state;
    static struct role_args a;
    static char config[ROLE_ARG_TEXT_MAX + 1];
    struct role_options o = options;
    memset(config, 'a', sizeof(config) - 1);
    o.config = config;
    assert_false(role_args_make(&a, &o));
}

static void test_a_role_knows_its_command_line(void **state)
{
    (void)state;
    char name[] = "writ", gateway[] = "--role=gateway", serve[] = "serve";
    char config[] = "--config=--role=keeper";
    char *roles[] = {name, gateway, NULL};
    char *commands[] = {name, serve, NULL};
    char *other[] = {name, config, NULL};
    assert_true(role_is(2, roles));
    assert_false(role_is(2, commands));
    assert_false(role_is(2, other));
    assert_false(role_is(1, roles));
}

static void test_addresses_are_written_as_listen_has_them(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 256);
    role_add_address(&b, STR("127.0.0.1"), 8080);
    BUF_LIT(&b, " ");
    role_add_address(&b, STR("::1"), 65535);
    assert_true(str_eq(buf_str(&b), STR("127.0.0.1:8080 [::1]:65535")));
    buf_release(&b);
}

static void test_no_two_descriptors_are_the_same(void **state)
{
    (void)state;
    enum { WORKERS = 3, LISTENERS = 2 };
    bool used[64] = {[ROLE_FD_SUPERVISOR] = true, [ROLE_FD_CONTROL] = true};
    int fds[2 * (WORKERS + 1) + WORKERS + LISTENERS * WORKERS];
    size_t n = 0;
    for (unsigned w = 0; w <= WORKERS; w++) {
        fds[n++] = role_fd_ledger(w);
        fds[n++] = role_fd_keeper(w);
    }
    for (unsigned w = 0; w < WORKERS; w++)
        fds[n++] = role_fd_runner(WORKERS, w);
    for (unsigned l = 0; l < LISTENERS; l++) {
        for (unsigned w = 0; w < WORKERS; w++)
            fds[n++] = role_fd_listener(WORKERS, l, w);
    }
    assert_int_equal(n, ARRAY_LEN(fds));
    for (size_t i = 0; i < n; i++) {
        /* Without a hole: that is how they are handed on. */
        assert_in_range(fds[i], ROLE_FD_FIRST, ROLE_FD_FIRST + (int)n - 1);
        assert_false(used[fds[i]]);
        used[fds[i]] = true;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_command_line_says_everything),
        cmocka_unit_test(test_what_is_too_long_is_refused),
        cmocka_unit_test(test_a_role_knows_its_command_line),
        cmocka_unit_test(test_addresses_are_written_as_listen_has_them),
        cmocka_unit_test(test_no_two_descriptors_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
