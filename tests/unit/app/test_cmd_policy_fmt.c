/* Tests `policy fmt` on files of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/cmd_policy_fmt.h"
#include "base/attr.h"

static const struct cli_command commands[] = {
    {"policy fmt", "FILE...", 1, CLI_ARGS_MAX, "", "", cmd_policy_fmt_options,
     cmd_policy_fmt},
};

static const struct cli_program program = {.name = "writ",
                                           .commands = commands,
                                           .count = ARRAY_LEN(commands)};

static char folder[64];
static char ugly[96], pretty[96], broken[96];

static const char formatted[] =
    "// why\npermit (principal, action, resource)\nwhen { true };\n";

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void holds(const char *path, const char *text)
{
    char found[512];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(found, 1, sizeof(found) - 1, f);
    found[n] = '\0';
    assert_int_equal(fclose(f), 0);
    assert_string_equal(found, text);
}

/* Runs with up to four words; what was printed is the caller's to free. */
static char *run(const char *const *words, int want)
{
    char *argv[8] = {(char[]){"writ"}, (char[]){"policy"}, (char[]){"fmt"}};
    char copies[4][96];
    int argc = 3;
    char *out = NULL;
    size_t len;
    FILE *file = open_memstream(&out, &len);
    assert_non_null(file);
    for (size_t i = 0; words[i] != NULL; i++) {
        snprintf(copies[i], sizeof(copies[i]), "%s", words[i]);
        argv[argc++] = copies[i];
    }
    int code = cli_run(&program, argc, argv, file, file);
    (void)fclose(file);
    if (code != want)
        fail_msg("exit %d, expected %d\n%s", code, want, out);
    return out;
}

static void prints(const char *const *words, int want, const char *part)
{
    char *out = run(words, want);
    if (strstr(out, part) == NULL)
        fail_msg("%s\nis not in:\n%s", part, out);
    free(out);
}

static int prepare(void **state)
{
    (void)state;
    put(ugly, "// why\npermit(principal,action,resource)when{true};");
    put(pretty, formatted);
    put(broken, "permit(principal, action);\nforbid(x);\n");
    return 0;
}

static int prepare_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "fmt-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(ugly, sizeof(ugly), "%s/ugly.cedar", folder);
    snprintf(pretty, sizeof(pretty), "%s/pretty.cedar", folder);
    snprintf(broken, sizeof(broken), "%s/broken.cedar", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(ugly);
    (void)unlink(pretty);
    (void)unlink(broken);
    return rmdir(folder);
}

static void test_a_file_is_rewritten_and_keeps_its_mode(void **state)
{
    (void)state;
    struct stat st;
    assert_int_equal(chmod(ugly, 0640), 0);
    prints((const char *[]){ugly, pretty, NULL}, CLI_OK, "1 of 2 files");
    holds(ugly, formatted);
    holds(pretty, formatted);
    assert_int_equal(stat(ugly, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    prints((const char *[]){ugly, NULL}, CLI_OK, "0 of 1 file");
}

static void test_check_writes_nothing_and_fails(void **state)
{
    (void)state;
    prints((const char *[]){"--check", ugly, pretty, NULL}, CLI_FAILED, ugly);
    holds(ugly, "// why\npermit(principal,action,resource)when{true};");
    prints((const char *[]){"--check", pretty, NULL}, CLI_OK, "0 of 1");
    prints((const char *[]){"--check", "--json", ugly, NULL}, CLI_FAILED,
           "{\"ok\":false,\"changed\":[\"");
}

static void test_a_file_with_errors_stays_and_the_others_do_not(void **state)
{
    (void)state;
    prints((const char *[]){broken, ugly, NULL}, CLI_FAILED,
           "broken.cedar:1:25: expected ',', found )");
    holds(broken, "permit(principal, action);\nforbid(x);\n");
    holds(ugly, formatted);
    prints((const char *[]){"fmt-nowhere/x.cedar", NULL}, CLI_FAILED,
           "fmt-nowhere/x.cedar: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_file_is_rewritten_and_keeps_its_mode,
                               prepare),
        cmocka_unit_test_setup(test_check_writes_nothing_and_fails, prepare),
        cmocka_unit_test_setup(
            test_a_file_with_errors_stays_and_the_others_do_not, prepare),
    };
    return cmocka_run_group_tests(tests, prepare_folder, remove_folder);
}
