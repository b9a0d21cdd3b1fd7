/* Tests the commands that need no running node: init, check, key hash, schema,
 * and what the others say when there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/cmd.h"
#include "base/attr.h"
#include "codec/json.h"

#define NONE {NULL, 0, NULL, NULL}

static const struct cli_option options[] = {
    CMD_CONFIG_OPTION,
    {"data", 0, "DIR", ""},
    {"dir", 0, "DIR", ""},
    {"generate", 'g', NULL, ""},
    {"markdown", 0, NULL, ""},
    {"last", 'n', "N", ""},
    {"kind", 'k', "KIND", ""},
    {"follow", 'f', NULL, ""},
    {"tree", 0, NULL, ""},
    {"min", 0, "N", ""},
    NONE,
};

static const struct cli_command commands[] = {
    {"init", "", 0, 0, "", "", options, cmd_init},
    {"check", "", 0, 0, "", "", options, cmd_check},
    {"key hash", "", 0, 0, "", "", options, cmd_key_hash},
    {"schema config", "", 0, 0, "", "", options, cmd_schema_config},
    {"status", "", 0, 0, "", "", options, cmd_status},
    {"ledger show", "", 0, 1, "", "", options, cmd_ledger_show},
    {"ledger verify", "", 0, 1, "", "", options, cmd_ledger_verify},
};

static const struct cli_program program = {.name = "writ",
                                           .commands = commands,
                                           .count = ARRAY_LEN(commands)};

struct ran {
    int code;
    char *out, *err;
};

static char folder[64];

/* Runs a command line; "@" in a word is the test's folder. */
static struct ran run(const char *line)
{
    char words[16][256];
    char *argv[17] = {(char[]){"writ"}};
    int argc = 1;
    struct ran r = {.code = -1};
    size_t len;
    FILE *out = open_memstream(&r.out, &len);
    FILE *err = open_memstream(&r.err, &len);
    char text[512];

    assert_true(out != NULL && err != NULL);
    snprintf(text, sizeof(text), "%s", line);
    for (char *at = text, *word; (word = strsep(&at, " ")) != NULL;) {
        bool here = *word == '@';
        snprintf(words[argc], sizeof(words[argc]), "%s%.180s",
                 here ? folder : "", here ? word + 1 : word);
        argv[argc] = words[argc];
        argc++;
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

/* Runs it and compares the code; prints what it said when that differs. */
static struct ran run_for(const char *line, int code)
{
    struct ran r = run(line);
    if (r.code != code)
        fail_msg("%s: exit %d, expected %d\n%s%s", line, r.code, code, r.out,
                 r.err);
    return r;
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/writ_test_cmd_XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

static int remove_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void write_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void test_init_makes_a_configuration_that_checks(void **state)
{
    (void)state;
    struct stat st;
    char path[128];
    struct ran r = run_for("init --dir @/new --json", CLI_OK);
    struct arena a;
    const struct json *v;
    struct str policies = {NULL, 0};
    arena_init(&a, 1 << 20);
    assert_int_equal(json_read(&a, str_from(r.out), &v, NULL), ERR_OK);
    assert_true(json_str(json_get(v, STR("policies")), &policies));
    assert_true(str_starts(policies, str_from(folder)));
    arena_release(&a);
    forget(&r);

    snprintf(path, sizeof(path), "%s/new/data", folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);

    r = run_for("check -c @/new/writ.yaml", CLI_OK);
    assert_non_null(strstr(r.out, ": ok\n"));
    assert_non_null(strstr(r.out, "  policies  "));
    forget(&r);
}

static void test_init_changes_nothing_that_is_there(void **state)
{
    (void)state;
    write_file("writ.yaml", "mine\n");
    struct ran r = run_for("init --dir @", CLI_FAILED);
    assert_non_null(strstr(r.err, "is there already; nothing was changed"));
    assert_string_equal(r.out, "");
    forget(&r);
}

static void test_check_prints_each_error_on_a_line(void **state)
{
    (void)state;
    write_file("bad.yaml", "listen: [{address: 127.0.0.1:1}]\n"
                           "tenants: {a: {}}\n"
                           "nodee: x\nworkers: x\n");
    struct ran r = run_for("check --config @/bad.yaml", CLI_FAILED);
    assert_string_equal(r.out, "");
    char want[512];
    snprintf(want, sizeof(want),
             "%s/bad.yaml:3:1: nodee: is not known to this version; did you "
             "mean \"node\"?\n"
             "%s/bad.yaml:4:10: workers: \"x\" is not a whole number; "
             "expected 0 to 32\n",
             folder, folder);
    assert_string_equal(r.err, want);
    forget(&r);

    r = run_for("check --config @/bad.yaml --json", CLI_FAILED);
    assert_non_null(strstr(r.out, "\"line\":4,\"column\":10,"
                                  "\"path\":\"workers\""));
    forget(&r);
    r = run_for("check --config @/none.yaml", CLI_FAILED);
    assert_non_null(strstr(r.err, "there is no such file"));
    forget(&r);
}

static void test_check_names_files_that_are_missing(void **state)
{
    (void)state;
    write_file("tls.yaml",
               "listen: [{address: 127.0.0.1:1, tls: {cert: c.pem, key: "
               "tls.yaml}}]\ntenants: {a: {}}\n");
    struct ran r = run_for("check -c @/tls.yaml", CLI_FAILED);
    assert_non_null(strstr(r.err, "listen[].tls.cert: "));
    assert_non_null(strstr(r.err, "/c.pem cannot be read\n"));
    assert_null(strstr(r.err, "tls.key"));
    forget(&r);
}

/* Gives `text` to the command on standard input. */
static struct ran run_with_input(const char *line, const char *text, int code)
{
    int fds[2];
    int before = dup(STDIN_FILENO);
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fds[1]);
    (void)dup2(fds[0], STDIN_FILENO);
    (void)close(fds[0]);
    struct ran r = run_for(line, code);
    (void)dup2(before, STDIN_FILENO);
    (void)close(before);
    return r;
}

static void test_a_key_has_one_hash_per_node(void **state)
{
    (void)state;
    static const char line[] = "key hash --data @/d1";
    struct ran one = run_with_input(line, "0123456789abcdef\n", CLI_OK);
    struct ran two = run_with_input(line, "0123456789abcdef", CLI_OK);
    struct ran other =
        run_with_input("key hash --data @/d2", "0123456789abcdef\n", CLI_OK);
    assert_int_equal(strlen(one.out), 12 + 64 + 1);
    assert_int_equal(strncmp(one.out, "hmac-sha256:", 12), 0);
    assert_string_equal(one.out, two.out);
    assert_string_not_equal(one.out, other.out);
    forget(&one);
    forget(&two);
    forget(&other);
}

static void test_a_generated_key_is_shown_with_its_hash(void **state)
{
    (void)state;
    struct ran r = run_for("key hash --data @/d3 -g", CLI_OK);
    char key[64] = "";
    char hash[128] = "";
    assert_int_equal(sscanf(r.out, "key:  %63s\nhash: %127s\n", key, hash), 2);
    struct ran again = run_with_input("key hash --data @/d3", key, CLI_OK);
    again.out[strlen(again.out) - 1] = 0;
    assert_string_equal(again.out, hash);
    forget(&r);
    forget(&again);
}

static void test_unusable_keys_are_refused_and_not_repeated(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "shorter than 16"},
        {"short-secret\n", "shorter than 16"},
        {"two words that are long\n", "blanks"},
        {"0123456789abcdef\nmore\n", "more than one line"},
        {"0123456789abcd\xc3\xa9\n", "non-ASCII"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ran r =
            run_with_input("key hash --data @/d4", rows[i].text, CLI_FAILED);
        assert_non_null(strstr(r.err, rows[i].why));
        assert_null(strstr(r.err, "secret"));
        assert_string_equal(r.out, "");
        forget(&r);
    }
    char *longer = malloc(2000);
    assert_non_null(longer);
    memset(longer, 'x', 1999);
    longer[1999] = 0;
    struct ran r = run_with_input("key hash --data @/d4", longer, CLI_FAILED);
    assert_non_null(strstr(r.err, "longer than"));
    forget(&r);
    free(longer);
}

static void test_the_schema_is_printed(void **state)
{
    (void)state;
    struct ran r = run_for("schema config", CLI_OK);
    assert_int_equal(strncmp(r.out, "{\n", 2), 0);
    forget(&r);
    r = run_for("schema config --markdown", CLI_OK);
    assert_int_equal(strncmp(r.out, "# Configuration\n", 16), 0);
    forget(&r);
    r = run_for("schema config --markdown --json", CLI_USAGE);
    forget(&r);
}

static void test_without_a_node_status_says_so(void **state)
{
    (void)state;
    struct ran r = run_for("status --data @", CLI_FAILED);
    assert_non_null(strstr(r.err, "no node runs on "));
    forget(&r);
    r = run_for("status --data @ --json", CLI_FAILED);
    assert_int_equal(strncmp(r.out, "{\"ok\":false,\"error\":\"no node", 28),
                     0);
    forget(&r);
}

static void test_without_a_ledger_the_commands_say_so(void **state)
{
    (void)state;
    static const char *const lines[] = {"ledger show --data @/none",
                                        "ledger verify --data @/none",
                                        "ledger verify @/none"};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct ran r = run_for(lines[i], CLI_FAILED);
        assert_non_null(strstr(r.err, "holds no ledger"));
        forget(&r);
    }
}

static void test_ledger_arguments_are_checked(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "ledger show x --data @",         "ledger show 1 -n 2 --data @",
        "ledger show -n many --data @",   "ledger show -k nothing --data @",
        "ledger verify --min x --data @", "ledger show -n 1000001 --data @",
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct ran r = run_for(lines[i], CLI_USAGE);
        forget(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init_makes_a_configuration_that_checks),
        cmocka_unit_test(test_init_changes_nothing_that_is_there),
        cmocka_unit_test(test_check_prints_each_error_on_a_line),
        cmocka_unit_test(test_check_names_files_that_are_missing),
        cmocka_unit_test(test_a_key_has_one_hash_per_node),
        cmocka_unit_test(test_a_generated_key_is_shown_with_its_hash),
        cmocka_unit_test(test_unusable_keys_are_refused_and_not_repeated),
        cmocka_unit_test(test_the_schema_is_printed),
        cmocka_unit_test(test_without_a_node_status_says_so),
        cmocka_unit_test(test_without_a_ledger_the_commands_say_so),
        cmocka_unit_test(test_ledger_arguments_are_checked),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
