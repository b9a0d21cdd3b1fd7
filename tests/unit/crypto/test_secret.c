/* Tests crypto/secret: zeroed, guarded, not dumped, not inherited. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/secret.h"

static void test_a_secret_is_zeroed_aligned_and_writable(void **state)
{
    (void)state;
    for (size_t n = 1; n <= SECRET_MAX; n = n < 40 ? n + 1 : n * 2 - 8) {
        unsigned char *s = secret_alloc(n);
        assert_non_null(s);
        assert_int_equal((uintptr_t)s % alignof(max_align_t), 0);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(s[i], 0);
            s[i] = 0xa5;
        }
        secret_free(s);
    }
    secret_free(NULL);
}

/* How a child ends that touches `at`. */
static int signal_of_touching(volatile const char *at)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const struct rlimit none = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGSEGV, SIG_DFL); /* not the sanitizer's report */
        _exit(*at == 'x' ? 1 : 0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void test_a_step_outside_its_pages_is_fatal(void **state)
{
    (void)state;
    char *s = secret_alloc(32);
    assert_non_null(s);
    assert_int_equal(signal_of_touching(s + 31), 0);
    assert_int_equal(signal_of_touching(s + 32), SIGSEGV);
    assert_int_equal(signal_of_touching(s + 32 - SECRET_MAX - 1), SIGSEGV);
    secret_free(s);
}

static void test_a_forked_child_finds_zeros(void **state)
{
    (void)state;
    char *s = secret_alloc(32);
    assert_non_null(s);
    volatile char *seen = s;
    seen[0] = 'k';
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(seen[0] == 0 ? 0 : 1);
    int status = 1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(seen[0], 'k');
    secret_free(s);
}

/* The flags that the kernel keeps for the mapping of `at`. */
static void flags_of(const void *at, char *flags, size_t room)
{
    FILE *maps = fopen("/proc/self/smaps", "re");
    char line[512];
    bool mine = false;
    flags[0] = '\0';
    if (maps == NULL) {
        fail_msg("no /proc/self/smaps");
        return;
    }
    while (fgets(line, sizeof(line), maps) != NULL) {
        char *end;
        uintptr_t from = strtoull(line, &end, 16);
        if (*end == '-')
            mine = from <= (uintptr_t)at &&
                   (uintptr_t)at < strtoull(end + 1, NULL, 16);
        if (mine && strncmp(line, "VmFlags:", 8) == 0)
            (void)snprintf(flags, room, "%s", line);
    }
    assert_int_equal(fclose(maps), 0);
}

/* RLIMIT_MEMLOCK may say no, and sanitizers make mlock(2) do nothing. */
static bool locking_works(void)
{
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(page != MAP_FAILED);
    char flags[512] = "";
    if (mlock(page, 4096) == 0)
        flags_of(page, flags, sizeof(flags));
    assert_int_equal(munmap(page, 4096), 0);
    return strstr(flags, " lo") != NULL;
}

static void test_a_secret_is_not_in_core_dumps_and_not_swapped(void **state)
{
    (void)state;
    char *s = secret_alloc(32);
    assert_non_null(s);
    char flags[512];
    flags_of(s, flags, sizeof(flags));
    assert_non_null(strstr(flags, " dd")); /* MADV_DONTDUMP */
    if (locking_works())
        assert_non_null(strstr(flags, " lo"));
    secret_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_secret_is_zeroed_aligned_and_writable),
        cmocka_unit_test(test_a_step_outside_its_pages_is_fatal),
        cmocka_unit_test(test_a_forked_child_finds_zeros),
        cmocka_unit_test(test_a_secret_is_not_in_core_dumps_and_not_swapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
