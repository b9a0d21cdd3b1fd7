/* Tests app/policy_files: what of a folder counts, and within which bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/policy_files.h"
#include "os/file.h"

static char folder[64];
static struct arena arena;

/* A path below the test's folder; the next call but three overwrites it. */
static const char *at(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *to = paths[next++ % 4];
    (void)snprintf(to, sizeof(paths[0]), "%s/%s", folder, name);
    return to;
}

static int begin(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/writ-policies-XXXXXX");
    arena_init(&arena, POLICY_FILES_ARENA_MAX);
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int drop(const char *path, const struct stat *st, int type,
                struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int end(void **state)
{
    (void)state;
    arena_release(&arena);
    return nftw(folder, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *name, const char *text)
{
    assert_int_equal(file_replace(FILE_CWD, at(name), str_from(text), 0600),
                     ERR_OK);
}

static void make(const char *name)
{
    assert_int_equal(mkdir(at(name), 0700), 0);
}

static enum err read_dir(const char *dir, struct rules_sources *ret,
                         struct policy_files_error *error)
{
    const struct policy_files_where w = {.dir = str_from(dir)};
    return policy_files_read(&arena, &w, ret, error);
}

static void refused(const char *dir, const char *why)
{
    struct policy_files_error error = {{0}};
    struct rules_sources from;
    assert_int_equal(read_dir(dir, &from, &error), ERR_CONFIG);
    if (strstr(error.text, why) == NULL)
        print_error("\"%s\" does not say \"%s\"\n", error.text, why);
    assert_non_null(strstr(error.text, why));
    assert_non_null(strstr(error.text, folder)); /* names the file */
}

static void test_policies_come_in_the_order_of_their_paths(void **state)
{
    (void)state;
    struct rules_sources from;
    struct policy_files_error error;
    static const char *const want[] = {"a.cedar", "a/z.cedar", "b.cedar",
                                       "b/c/d.cedar"};
    make("a");
    make("b");
    make("b/c");
    make(".hidden");
    put("b.cedar", "2");
    put("a/z.cedar", "1");
    put("b/c/d.cedar", "3");
    put("a.cedar", "0");
    put("notes.txt", "");
    put(".cedar", "");
    put(".x.cedar", "");
    put(".hidden/y.cedar", "");
    assert_int_equal(symlink("../a.cedar", at("a/link.txt")), 0);
    assert_int_equal(read_dir(folder, &from, &error), ERR_OK);
    assert_int_equal(from.policy_count, 4);
    for (size_t i = 0; i < 4; i++) {
        char text = (char)('0' + i);
        assert_true(str_eq(from.policies[i].name, str_from(want[i])));
        assert_true(str_eq(from.policies[i].text, (struct str){&text, 1}));
    }
    assert_false(from.has_shadow);
}

static void test_links_stay_within_the_folder(void **state)
{
    (void)state;
    struct rules_sources from;
    struct policy_files_error error;
    char outside[80];
    make("in");
    make("in/..data");
    put("in/..data/a.cedar", "a"); /* as a mounted ConfigMap looks */
    assert_int_equal(symlink("..data/a.cedar", at("in/a.cedar")), 0);
    assert_int_equal(read_dir(at("in"), &from, &error), ERR_OK);
    assert_int_equal(from.policy_count, 1);

    put("out.cedar", "out");
    (void)snprintf(outside, sizeof(outside), "%s/out.cedar", folder);
    assert_int_equal(symlink(outside, at("in/b.cedar")), 0);
    refused(at("in"), "b.cedar: the symbolic link leads out of the folder");
    assert_int_equal(unlink(at("in/b.cedar")), 0);

    assert_int_equal(symlink("nowhere", at("in/b.cedar")), 0);
    refused(at("in"), "b.cedar: the symbolic link leads out");
    assert_int_equal(unlink(at("in/b.cedar")), 0);

    make("in/deep");
    assert_int_equal(symlink("deep", at("in/b.cedar")), 0);
    refused(at("in"), "b.cedar: a symbolic link to what is not a file");
}

static void test_what_is_out_of_bounds_is_refused(void **state)
{
    (void)state;
    char *big = malloc(POLICY_FILES_FILE_MAX + 2);
    assert_non_null(big);
    memset(big, ' ', POLICY_FILES_FILE_MAX + 1);
    big[POLICY_FILES_FILE_MAX + 1] = 0;
    put("big.cedar", big);
    free(big);
    refused(folder, "big.cedar: the file is larger than 4 MiB");
    assert_int_equal(unlink(at("big.cedar")), 0);

    char path[256] = "";
    for (size_t i = 0; i <= POLICY_FILES_DEPTH_MAX; i++) {
        size_t len = strlen(path);
        (void)snprintf(path + len, sizeof(path) - len, "%sd", i > 0 ? "/" : "");
        make(path);
    }
    refused(folder, "folders nest too deeply");
    assert_int_equal(nftw(at("d"), drop, 32, FTW_DEPTH | FTW_PHYS), 0);

    put("a\nb.cedar", "");
    refused(folder, "the name has control characters");
    assert_int_equal(unlink(at("a\nb.cedar")), 0);
    assert_int_equal(mkfifo(at("p.cedar"), 0600), 0);
    refused(folder, "p.cedar: the file cannot be read");
    refused(at("none"), "there is no such folder");
}

static void test_entities_and_a_shadow_are_read_beside(void **state)
{
    (void)state;
    struct rules_sources from;
    struct policy_files_error error;
    make("next");
    put("next/a.cedar", "permit(principal, action);");
    put("e.json", "[]");
    char shadow[80];
    (void)snprintf(shadow, sizeof(shadow), "%s", at("next"));
    struct entities_settings entities[] = {{.file = str_from(at("e.json"))}};
    struct policy_files_where w = {.dir = str_from(shadow),
                                   .shadow = str_from(shadow),
                                   .entities = entities,
                                   .entity_count = 1};
    assert_int_equal(policy_files_read(&arena, &w, &from, &error), ERR_OK);
    assert_true(from.has_shadow);
    assert_int_equal(from.policy_count, 1);
    assert_int_equal(from.shadow_count, 1);
    assert_true(str_eq(from.entities[0].text, STR("[]")));

    /* Places are told with the folder, which of both it ever is. */
    struct buf text;
    const struct rules_error e = {.file = from.shadow[0].name,
                                  .line = 3,
                                  .column = 7,
                                  .text = "wrong"};
    buf_init(&text, KIB);
    policy_files_add_error(&text, &w, &from, &e);
    buf_add_char(&text, '\0');
    assert_non_null(strstr(text.ptr, "/next/a.cedar:3:7: wrong"));
    buf_release(&text);

    entities[0].file = str_from(at("none.json"));
    assert_int_equal(policy_files_read(&arena, &w, &from, &error), ERR_CONFIG);
    assert_non_null(strstr(error.text, "none.json: there is no such file"));
    w = (struct policy_files_where){.entity_count = 0};
    assert_int_equal(policy_files_read(&arena, &w, &from, &error), ERR_OK);
    assert_int_equal(from.policy_count, 0);
}

static void test_tests_are_files_or_found_below_a_folder(void **state)
{
    (void)state;
    const struct rules_file *files;
    size_t count;
    struct policy_files_error error;
    make("t");
    put("t/b.test.yaml", "b");
    put("t/a.test.yaml", "a");
    put("t/c.yaml", "c");
    assert_int_equal(policy_files_read_tests(&arena, str_from(at("t")), &files,
                                             &count, &error),
                     ERR_OK);
    assert_int_equal(count, 2);
    assert_true(str_eq(files[0].name, str_from(at("t/a.test.yaml"))));
    assert_int_equal(policy_files_read_tests(&arena, str_from(at("t/c.yaml")),
                                             &files, &count, &error),
                     ERR_OK);
    assert_int_equal(count, 1);
    assert_true(str_eq(files[0].text, STR("c")));
    assert_int_equal(policy_files_read_tests(&arena, str_from(at("t/no")),
                                             &files, &count, &error),
                     ERR_CONFIG);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_policies_come_in_the_order_of_their_paths),
        IN_FOLDER(test_links_stay_within_the_folder),
        IN_FOLDER(test_what_is_out_of_bounds_is_refused),
        IN_FOLDER(test_entities_and_a_shadow_are_read_beside),
        IN_FOLDER(test_tests_are_files_or_found_below_a_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
