/* Tests app/tool_commands: what a config file lets the runner start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/tool_commands.h"

static const char text[] =
    "node: n\n"
    "data: data\n"
    "listen: [{address: \"127.0.0.1:18081\"}]\n"
    "admin: {address: \"127.0.0.1:18082\"}\n"
    "tenants: {acme: {}}\n"
    "policies: {dir: policies}\n"
    "providers:\n"
    "  p: {dialect: openai, url: \"http://127.0.0.1:9/v1\", credential: "
    "[{file: secret}]}\n"
    "tools:\n"
    "  far: {transport: http, url: \"http://127.0.0.1:10/mcp\"}\n"
    "  files:\n"
    "    transport: stdio\n"
    "    command: [cat, -u]\n"
    "    env: {PLAIN: v, TAKEN: {env: WRIT_TEST_SET}}\n"
    "    cwd: here\n"
    "    files: {read: [docs], write: [drafts]}\n"
    "    network: out\n"
    "  lacks:\n"
    "    transport: stdio\n"
    "    command: [cat]\n"
    "    env: {TAKEN: {env: WRIT_TEST_NOT_SET}}\n";

struct fixture {
    char folder[64], config[128], data[128], policies[128];
    struct role_options options;
    struct tool_commands *commands;
};

static void write_config(const struct fixture *x, const char *content)
{
    int fd = open(x->config, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)),
                     (ssize_t)strlen(content));
    (void)close(fd);
}

static int set_up(void **state)
{
    struct fixture *x = calloc(1, sizeof(*x));
    assert_non_null(x);
    (void)snprintf(x->folder, sizeof(x->folder), "/tmp/writ-tools-XXXXXX");
    assert_non_null(mkdtemp(x->folder));
    (void)snprintf(x->config, sizeof(x->config), "%s/writ.yaml", x->folder);
    (void)snprintf(x->data, sizeof(x->data), "%s/data", x->folder);
    (void)snprintf(x->policies, sizeof(x->policies), "%s/policies", x->folder);
    assert_int_equal(mkdir(x->policies, 0700), 0);
    x->options =
        (struct role_options){.config = x->config,
                              .data = x->data,
                              .listen = {"127.0.0.1:18081", "[::1]:18083"},
                              .listeners = 2,
                              .admin = "127.0.0.1:18084"};
    assert_int_equal(setenv("WRIT_TEST_SET", "from outside", 1), 0);
    assert_int_equal(unsetenv("WRIT_TEST_NOT_SET"), 0);
    *state = x;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *x = *state;
    tool_commands_free(x->commands);
    (void)unlink(x->config);
    assert_int_equal(rmdir(x->policies), 0);
    assert_int_equal(rmdir(x->folder), 0);
    free(x);
    return 0;
}

/* "<folder>/name" */
static void assert_in_folder(const struct fixture *x, const char *path,
                             const char *name)
{
    char want[256];
    assert_non_null(path);
    (void)snprintf(want, sizeof(want), "%s/%s", x->folder, name);
    assert_string_equal(path, want);
}

static bool is_in(const struct fixture *x, const char *const *list,
                  const char *name)
{
    char want[256];
    (void)snprintf(want, sizeof(want), "%s/%s", x->folder, name);
    for (; *list != NULL; list++) {
        if (strcmp(*list, want) == 0)
            return true;
    }
    return false;
}

static void test_servers_over_pipes_are_commands(void **state)
{
    struct fixture *x = *state;
    write_config(x, text);
    assert_int_equal(tool_commands_load(&x->options, NULL, &x->commands),
                     ERR_OK);
    const struct runner_table *t = tool_commands_table(x->commands);
    assert_int_equal(t->command_count, 2); /* not the one over HTTP */
    const struct runner_command *c = &t->commands[0];
    assert_string_equal(c->name, "files");
    assert_string_equal(c->argv[0], "cat");
    assert_string_equal(c->argv[1], "-u");
    assert_null(c->argv[2]);
    assert_string_equal(c->env[0], "PLAIN=v");
    assert_string_equal(c->env[1], "TAKEN=from outside");
    assert_null(c->env[2]);
    assert_in_folder(x, c->cwd, "here");
    assert_in_folder(x, c->read[0], "docs");
    assert_in_folder(x, c->write[0], "drafts");
    assert_null(c->read[1]);
    assert_true(c->network);
    assert_null(c->fault);
}

static void test_a_variable_that_is_not_set_keeps_it_from_starting(void **state)
{
    struct fixture *x = *state;
    write_config(x, text);
    assert_int_equal(tool_commands_load(&x->options, NULL, &x->commands),
                     ERR_OK);
    const struct runner_command *c =
        &tool_commands_table(x->commands)->commands[1];
    assert_string_equal(c->name, "lacks");
    assert_false(c->network);
    assert_null(c->cwd);
    assert_string_equal(
        c->fault, "the node's environment has no variable WRIT_TEST_NOT_SET");
}

static void test_rule_33_what_is_ours_is_kept(void **state)
{
    struct fixture *x = *state;
    static const char *const ours[] = {"data", "writ.yaml", "policies",
                                       "secret"};
    static const uint16_t ports[] = {18081, 18082, 18083, 18084};
    write_config(x, text);
    assert_int_equal(tool_commands_load(&x->options, NULL, &x->commands),
                     ERR_OK);
    const struct runner_table *t = tool_commands_table(x->commands);
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        assert_true(is_in(x, t->kept, ours[i]));
    for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
        bool found = false;
        for (size_t p = 0; p < t->port_count; p++)
            found = found || t->ports[p] == ports[i];
        assert_true(found);
    }
}

static void test_a_broken_file_gives_no_table(void **state)
{
    struct fixture *x = *state;
    write_config(x, "tools: {files: {transport: telepathy}}\n");
    assert_int_equal(tool_commands_load(&x->options, NULL, &x->commands),
                     ERR_CONFIG);
    assert_null(x->commands);
}

static void test_a_file_of_another_digest_gives_no_table(void **state)
{
    static const unsigned char other[32] = {1};
    struct fixture *x = *state;
    write_config(x, text);
    assert_int_equal(tool_commands_load(&x->options, other, &x->commands),
                     ERR_CONFLICT);
    assert_null(x->commands);
    assert_int_equal(tool_commands_load(&x->options, NULL, &x->commands),
                     ERR_OK);
    assert_false(tool_commands_are(x->commands, other));
}

static void test_without_a_file_nothing_can_be_started(void **state)
{
    struct fixture *x = *state;
    x->options.config = "";
    assert_int_equal(tool_commands_load(&x->options, NULL, &x->commands),
                     ERR_OK);
    assert_int_equal(tool_commands_table(x->commands)->command_count, 0);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(test_servers_over_pipes_are_commands),
        WITH_FILE(test_a_variable_that_is_not_set_keeps_it_from_starting),
        WITH_FILE(test_rule_33_what_is_ours_is_kept),
        WITH_FILE(test_a_broken_file_gives_no_table),
        WITH_FILE(test_a_file_of_another_digest_gives_no_table),
        WITH_FILE(test_without_a_file_nothing_can_be_started),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
