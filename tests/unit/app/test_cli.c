/* Tests app/cli: what a command line means, and what is said when it means
 * nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/cli.h"
#include "base/attr.h"

static int run_serve(const struct cli *c)
{
    fprintf(c->out, "serve config=%s strict=%s json=%d",
            cli_value(c, "config", "none"), cli_has(c, "strict") ? "yes" : "no",
            c->json);
    return CLI_OK;
}

static int run_show(const struct cli *c)
{
    fprintf(c->out, "show");
    for (size_t i = 0; i < c->arg_count; i++)
        fprintf(c->out, " [%s]", c->args[i]);
    return CLI_OK;
}

static int run_fail(const struct cli *c)
{
    return cli_fail(c, "no %s today\x1b", "luck");
}

static const struct cli_option serve_options[] = {
    {"config", 'c', "FILE", "the configuration"},
    {"strict", 0, NULL, "no gaps"},
    {NULL, 0, NULL, NULL},
};

static const struct cli_command commands[] = {
    {"serve", "", 0, 0, "run", "", serve_options, run_serve},
    {"ledger show", "INDEX [MORE]", 1, 2, "show", "Two lines\nof text.", NULL,
     run_show},
    {"ledger tail", "", 0, 0, "tail", "", NULL, run_show},
    {"fail", "", 0, 0, "fail", "", NULL, run_fail},
};

static const struct cli_program program = {
    .name = "writ",
    .version = "1.2.3",
    .help = "A gateway.",
    .commands = commands,
    .count = ARRAY_LEN(commands),
};

struct ran {
    int code;
    char *out, *err;
};

static struct ran run(const char *line)
{
    char text[256];
    char *argv[16] = {(char[]){"writ"}};
    int argc = 1;
    struct ran r = {.code = -1};
    size_t out_len;
    size_t err_len;
    FILE *out = open_memstream(&r.out, &out_len);
    FILE *err = open_memstream(&r.err, &err_len);

    assert_non_null(out);
    assert_non_null(err);
    snprintf(text, sizeof(text), "%s", line);
    for (char *at = text, *word; (word = strsep(&at, " ")) != NULL;) {
        if (*word != 0)
            argv[argc++] = word;
    }
    r.code = cli_run(&program, argc, argv, out, err);
    (void)fclose(out);
    (void)fclose(err);
    return r;
}

static void forget(struct ran *r)
{
    free(r->out);
    free(r->err);
}

struct row {
    const char *line;
    int code;
    const char *out, *err; /* what they begin with; "" is empty */
};

static void check(const char *what, const char *got, const char *want,
                  const char *line)
{
    size_t len = strlen(want);
    if (len == 0 ? *got != 0 : strncmp(got, want, len) != 0)
        fail_msg("\"%s\": %s is \"%s\", expected \"%s\"", line, what, got,
                 want);
}

static void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct ran r = run(rows[i].line);
        check("out", r.out, rows[i].out, rows[i].line);
        check("err", r.err, rows[i].err, rows[i].line);
        if (r.code != rows[i].code)
            fail_msg("\"%s\": exit %d, expected %d", rows[i].line, r.code,
                     rows[i].code);
        forget(&r);
    }
}

static void test_options_and_arguments_reach_the_command(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"serve", 0, "serve config=none strict=no json=0", ""},
        {"serve --config a.yaml", 0, "serve config=a.yaml strict=no", ""},
        {"serve --config=a=b --strict", 0, "serve config=a=b strict=yes", ""},
        {"serve -c x --json", 0, "serve config=x strict=no json=1", ""},
        {"--json serve", 0, "serve config=none strict=no json=1", ""},
        {"serve -c --strict", 0, "serve config=--strict strict=no", ""},
        {"ledger show 5", 0, "show [5]", ""},
        {"ledger show 5 -", 0, "show [5] [-]", ""},
        {"ledger show -- --json -x", 0, "show [--json] [-x]", ""},
        {"ledger tail", 0, "show", ""},
    };
    check_rows(rows, ARRAY_LEN(rows));
}

static void test_mistakes_are_named_and_exit_with_2(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"", 2, "", "A gateway.\n\nUsage: writ COMMAND"},
        {"serv", 2, "", "writ: no command \"serv\"; did you mean \"serve\"?"},
        {"frobnicate", 2, "", "writ: no command \"frobnicate\"\n"},
        {"ledger", 2, "", "Usage: writ ledger COMMAND"},
        {"ledger shwo", 2, "",
         "writ: no command \"ledger shwo\"; did you mean \"ledger show\"?"},
        {"serve --confg x", 2, "",
         "writ: serve: no option --confg; did you mean --config?"},
        {"serve --confg=secret", 2, "",
         "writ: serve: no option --confg; did you mean --config?"},
        {"serve --jsn", 2, "",
         "writ: serve: no option --jsn; did you mean --json?"},
        {"serve --frobnicate", 2, "", "writ: serve: no option --frobnicate\n"},
        {"serve -x", 2, "", "writ: serve: no option -x\n"},
        {"serve -cx", 2, "", "writ: serve: no option -cx\n"},
        {"serve --config", 2, "",
         "writ: serve: --config needs a value: FILE\nTry: writ serve --help"},
        {"serve -c a --config b", 2, "",
         "writ: serve: --config is given twice"},
        {"serve --strict=1", 2, "", "writ: serve: --strict takes no value"},
        {"serve x", 2, "", "writ: serve: \"x\" is one argument too many"},
        {"ledger show", 2, "", "writ: ledger show: missing: INDEX [MORE]"},
        {"ledger show 1 2 3", 2, "",
         "writ: ledger show: \"3\" is one argument too many"},
        {"--frobnicate", 2, "", "writ: no option --frobnicate"},
    };
    check_rows(rows, ARRAY_LEN(rows));
}

static void test_help_and_version_go_to_the_output(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"--version", 0, "writ 1.2.3\n", ""},
        {"--json --version", 0, "{\"version\":\"1.2.3\"}\n", ""},
        {"--help", 0, "A gateway.\n\nUsage: writ COMMAND", ""},
        {"-h", 0, "A gateway.\n", ""},
        {"ledger --help", 0, "Usage: writ ledger COMMAND", ""},
        {"--help ledger", 0, "Usage: writ ledger COMMAND", ""},
        {"ledger show --help", 0,
         "show\n\nUsage: writ ledger show INDEX [MORE] [OPTION...]\n\n"
         "Two lines\nof text.\n\nOptions:\n      --json",
         ""},
        {"serve --help", 0,
         "run\n\nUsage: writ serve [OPTION...]\n\nOptions:\n"
         "  -c, --config FILE      the configuration\n"
         "      --strict           no gaps\n",
         ""},
    };
    check_rows(rows, ARRAY_LEN(rows));
}

static void test_every_command_is_in_the_help(void **state)
{
    (void)state;
    struct ran r = run("--help");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        assert_non_null(strstr(r.out, commands[i].name));
    forget(&r);
}

static void test_failures_are_said_safely_and_in_json(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"fail", 1, "", "writ: no luck today?\n"},
        {"fail --json", 1,
         "{\"ok\":false,\"error\":\"no luck today\\u001b\"}\n",
         "writ: no luck today?\n"},
    };
    check_rows(rows, ARRAY_LEN(rows));
}

static void test_output_that_is_lost_is_a_failure(void **state)
{
    (void)state;
    char *argv[] = {(char[]){"writ"}, (char[]){"serve"}, NULL};
    FILE *full = fopen("/dev/full", "we");
    FILE *err = fopen("/dev/null", "we");
    if (full == NULL || err == NULL)
        skip();
    assert_int_equal(cli_run(&program, 2, argv, full, err), CLI_FAILED);
    (void)fclose(full);
    (void)fclose(err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_and_arguments_reach_the_command),
        cmocka_unit_test(test_mistakes_are_named_and_exit_with_2),
        cmocka_unit_test(test_help_and_version_go_to_the_output),
        cmocka_unit_test(test_every_command_is_in_the_help),
        cmocka_unit_test(test_failures_are_said_safely_and_in_json),
        cmocka_unit_test(test_output_that_is_lost_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
