/* vectors.c - unpacks one file of an archive and reads it. */
#include "vectors.h"

#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"

#define ARCHIVE TEST_SOURCE_DIR "/../shared/tests/vectors/wycheproof.tar.xz"

/* What `tar` prints for `member`; the caller releases `out`. */
static bool unpack(char *member, struct buf *out)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    posix_spawn_file_actions_t actions;
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, ends[1], 1), 0);
    assert_int_equal(posix_spawn_file_actions_addclose(&actions, ends[0]), 0);
    char *argv[] = {(char[]){"tar"}, (char[]){"xJOf"}, (char[]){ARCHIVE},
                    member, NULL};
    pid_t pid;
    int failed = posix_spawnp(&pid, "tar", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    ssize_t got = failed == 0 ? 1 : 0;
    while (got > 0) {
        char *to = buf_space(out, 64 * KIB);
        assert_non_null(to);
        got = read(ends[0], to, 64 * KIB);
        if (got > 0)
            buf_added(out, (size_t)got);
    }
    (void)close(ends[0]);
    int status = 1;
    if (failed == 0)
        assert_int_equal(waitpid(pid, &status, 0), pid);
    return status == 0 && out->len > 0;
}

yyjson_doc *vectors_wycheproof(const char *name)
{
    if (access(ARCHIVE, R_OK) != 0) {
        (void)fprintf(stderr, "SKIPPED: %s is not there\n", ARCHIVE);
        return NULL;
    }
    char member[128];
    int n = snprintf(member, sizeof(member), "wycheproof/%s.json", name);
    assert_in_range(n, 1, sizeof(member) - 1);
    struct buf text;
    buf_init(&text, 16 * MIB);
    assert_true(unpack(member, &text));
    yyjson_doc *doc = yyjson_read(text.ptr, text.len, 0);
    assert_non_null(doc);
    buf_release(&text);
    return doc;
}

struct str vectors_text(yyjson_val *object, const char *member)
{
    yyjson_val *v = yyjson_obj_get(object, member);
    assert_true(yyjson_is_str(v));
    return (struct str){yyjson_get_str(v), yyjson_get_len(v)};
}

struct str vectors_bytes(yyjson_val *object, const char *member,
                         unsigned char *to, size_t room)
{
    struct str hex = vectors_text(object, member);
    assert_true(hex.len / 2 <= room);
    assert_true(text_unhex(hex, to, hex.len / 2));
    return (struct str){(const char *)to, hex.len / 2};
}

size_t vectors_number(yyjson_val *object, const char *member)
{
    yyjson_val *v = yyjson_obj_get(object, member);
    assert_true(yyjson_is_uint(v));
    return (size_t)yyjson_get_uint(v);
}
