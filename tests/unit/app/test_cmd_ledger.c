/* Tests `ledger show` and `ledger verify` on a log that was really written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/cmd.h"
#include "base/attr.h"
#include "codec/json.h"
#include "ledger/journal.h"

enum { PAIRS = 300 }; /* of an intent and its outcome */

static const struct cli_option options[] = {
    CMD_CONFIG_OPTION,         {"data", 0, "DIR", ""},
    {"last", 'n', "N", ""},    {"kind", 'k', "KIND", ""},
    {"follow", 'f', NULL, ""}, {"min", 0, "N", ""},
    {"tree", 0, NULL, ""},     {NULL, 0, NULL, NULL},
};

static const struct cli_command commands[] = {
    {"ledger show", "", 0, 1, "", "", options, cmd_ledger_show},
    {"ledger verify", "", 0, 1, "", "", options, cmd_ledger_verify},
};

static const struct cli_program program = {.name = "writ",
                                           .commands = commands,
                                           .count = ARRAY_LEN(commands)};

static char folder[64];

/* Runs a command on the test's log; the output is the caller's to free. */
static char *run(const char *line, int want)
{
    char text[256];
    char *argv[16] = {(char[]){"writ"}};
    int argc = 1;
    char *out = NULL;
    char *err = NULL;
    size_t len;
    FILE *out_file = open_memstream(&out, &len);
    FILE *err_file = open_memstream(&err, &len);

    assert_true(out_file != NULL && err_file != NULL);
    snprintf(text, sizeof(text), "%s --data %s", line, folder);
    for (char *at = text, *word; (word = strsep(&at, " ")) != NULL;)
        argv[argc++] = word;
    int code = cli_run(&program, argc, argv, out_file, err_file);
    (void)fclose(out_file);
    (void)fclose(err_file);
    if (code != want)
        fail_msg("%s: exit %d, expected %d\n%s%s", line, code, want, out, err);
    free(err);
    return out;
}

static size_t lines_of(const char *text)
{
    size_t n = 0;
    for (; *text != 0; text++)
        n += *text == '\n';
    return n;
}

static void write_pair(struct journal *j, unsigned i)
{
    char text[256];
    uint64_t index;
    struct journal_entry e = {.opens = true,
                              .owner = 1,
                              .closes = JOURNAL_NONE};
    snprintf(text, sizeof(text),
             "{\"action\":\"model:invoke\",\"kind\":\"%s\",\"v\":%u}",
             i % 100 == 7 ? "session" : "intent", i);
    e.text = str_from(text);
    assert_int_equal(journal_add(j, &e, &index), ERR_OK);
    e = (struct journal_entry){.closes = index};
    snprintf(text, sizeof(text),
             "{\"intent\":%u,\"kind\":\"outcome\",\"status\":\"ok\"}",
             (unsigned)index);
    e.text = str_from(text);
    assert_int_equal(journal_add(j, &e, &index), ERR_OK);
    assert_int_equal(journal_commit(j, 1000000 + i), ERR_OK);
}

static int write_log(void **state)
{
    (void)state;
    char dir[80];
    struct journal *j;
    struct segment_trouble trouble;
    snprintf(folder, sizeof(folder), "/tmp/writ_test_ledger_XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(dir, sizeof(dir), "%s/ledger", folder);
    const struct journal_options o = {.dir = dir,
                                      .node = STR("gw-1"),
                                      .early = true};
    if (journal_open(&o, &trouble, &j) != ERR_OK)
        return -1;
    for (unsigned i = 0; i < PAIRS; i++)
        write_pair(j, i);
    return journal_close(j) == ERR_OK ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

static int remove_log(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void test_the_last_entries_are_shown(void **state)
{
    (void)state;
    char *out = run("ledger show", CLI_OK);
    assert_int_equal(lines_of(out), 1 + 20);
    assert_non_null(strstr(out, "     580 "));
    assert_non_null(strstr(out, "     599 "));
    assert_null(strstr(out, "     579 "));
    free(out);
    out = run("ledger show -n 3", CLI_OK);
    assert_int_equal(lines_of(out), 1 + 3);
    free(out);
    out = run("ledger show -n 1000", CLI_OK);
    assert_int_equal(lines_of(out), 1 + 2 * PAIRS);
    free(out);
}

static void test_entries_of_a_kind_are_found_however_far_back(void **state)
{
    (void)state;
    char *out = run("ledger show --kind session", CLI_OK);
    assert_int_equal(lines_of(out), 1 + 3);
    assert_non_null(strstr(out, "      14 "));
    free(out);
    out = run("ledger show --kind session -n 1", CLI_OK);
    assert_int_equal(lines_of(out), 1 + 1);
    assert_non_null(strstr(out, "     414 "));
    free(out);
    out = run("ledger show --kind approval", CLI_OK);
    assert_int_equal(lines_of(out), 0);
    free(out);
}

static void test_one_entry_is_shown_whole(void **state)
{
    (void)state;
    char *out = run("ledger show 5", CLI_OK);
    assert_int_equal(strncmp(out, "entry 5, committed 1970-01-01T00:00:01.",
                             39),
                     0);
    assert_non_null(strstr(out, "\n  \"intent\": 4,\n"));
    free(out);
    free(run("ledger show 600", CLI_FAILED));
}

static void test_json_is_one_object_a_line(void **state)
{
    (void)state;
    char *out = run("ledger show -n 2 --json", CLI_OK);
    assert_int_equal(lines_of(out), 2);
    struct arena a;
    const struct json *v;
    int64_t index;
    arena_init(&a, 1 << 20);
    struct str line = str_first(str_from(out), str_find(str_from(out), '\n'));
    assert_int_equal(json_read(&a, line, &v, NULL), ERR_OK);
    assert_true(json_i64(json_get(v, STR("index")), &index));
    assert_int_equal(index, 598);
    assert_true(json_is_string(json_get(json_get(v, STR("entry")), STR("kind")),
                               STR("intent")));
    arena_release(&a);
    free(out);
}

static void test_a_tree_takes_the_last_entries_and_stands_alone(void **state)
{
    (void)state;
    char *out = run("ledger show --tree", CLI_OK);
    assert_int_equal(lines_of(out), 1 + PAIRS);
    free(out);
    out = run("ledger show --tree --last 4", CLI_OK);
    assert_int_equal(lines_of(out), 1 + 2);
    free(out);
    free(run("ledger show --tree --kind intent", CLI_USAGE));
    free(run("ledger show --tree --json", CLI_USAGE));
    free(run("ledger show --tree 5", CLI_USAGE));
    free(run("ledger show --tree --last 10001", CLI_USAGE));
}

static void test_a_good_log_verifies(void **state)
{
    (void)state;
    char *out = run("ledger verify", CLI_OK);
    assert_int_equal(strncmp(out, "ok: 600 entries verified\n", 25), 0);
    assert_non_null(strstr(out, "  node      gw-1\n"));
    free(out);
    free(run("ledger verify --min 600", CLI_OK));
    out = run("ledger verify --min 601", CLI_FAILED);
    assert_non_null(strstr(out, "600 entries, but at least 601"));
    free(out);
    out = run("ledger verify --json", CLI_OK);
    assert_int_equal(strncmp(out, "{\"ok\":true,\"entries\":600,", 25), 0);
    free(out);
}

/* Changes one byte of the first entry that holds `text`, or back. */
static void flip(const char *text)
{
    char path[128];
    char name[SEGMENT_NAME_LEN + 1];
    segment_name(0, name);
    snprintf(path, sizeof(path), "%s/ledger/%s/%s", folder, SEGMENT_FOLDER,
             name);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    off_t size = lseek(fd, 0, SEEK_END);
    char *bytes = malloc((size_t)size);
    assert_non_null(bytes);
    assert_int_equal(pread(fd, bytes, (size_t)size, 0), size);
    char *at = memmem(bytes, (size_t)size, text, strlen(text));
    assert_non_null(at);
    char changed = (char)(*at ^ 1);
    assert_int_equal(pwrite(fd, &changed, 1, at - bytes), 1);
    free(bytes);
    (void)close(fd);
}

static void test_a_changed_byte_is_found_and_named(void **state)
{
    (void)state;
    flip("\"intent\":200,");
    char *out = run("ledger verify", CLI_FAILED);
    assert_int_equal(strncmp(out, "BAD: entry 20", 13), 0);
    free(out);
    out = run("ledger verify --json", CLI_FAILED);
    assert_int_equal(strncmp(out, "{\"ok\":false,", 12), 0);
    assert_non_null(strstr(out, "\"index\":20"));
    free(out);
    out = run("ledger show -n 600", CLI_FAILED);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_last_entries_are_shown),
        cmocka_unit_test(test_entries_of_a_kind_are_found_however_far_back),
        cmocka_unit_test(test_one_entry_is_shown_whole),
        cmocka_unit_test(test_json_is_one_object_a_line),
        cmocka_unit_test(test_a_tree_takes_the_last_entries_and_stands_alone),
        cmocka_unit_test(test_a_good_log_verifies),
        cmocka_unit_test(test_a_changed_byte_is_found_and_named),
    };
    return cmocka_run_group_tests(tests, write_log, remove_log);
}
