/* Tests keeper/keeper_process: a real process, spoken to over its sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "keeper/keeper_records.h"

/* In the child alone, once a test says so: see break_sync(). */
static bool sync_fails;
int fdatasync(int fd) /* NOLINT: the system's name of `fd` is reserved */
{
    if (!sync_fails)
        return (int)syscall(SYS_fdatasync, fd);
    errno = EIO;
    return -1;
}

static const struct str nothing = {NULL, 0};

static void caller_key(struct fixture *x, enum frame_role role,
                       unsigned char key[KEEPER_KEY_LEN])
{
    struct wire w;
    fixture_connect(x, role, &w);
    assert_int_equal(fixture_ask(&w, KEEPER_CALLER_KEY, nothing, key),
                     KEEPER_OK);
    wire_release(&w);
}

static void test_the_caller_key_is_the_same_after_a_restart(void **state)
{
    struct fixture *x = *state;
    unsigned char key[4][KEEPER_KEY_LEN] = {{0}};
    fixture_start(x, NULL);
    caller_key(x, FRAME_ROLE_WORKER, key[0]);
    caller_key(x, FRAME_ROLE_TOOL, key[1]);
    fixture_shut_down(x);
    fixture_start(x, NULL);
    caller_key(x, FRAME_ROLE_CONTROL, key[2]);
    assert_memory_equal(key[0], key[1], KEEPER_KEY_LEN);
    assert_memory_equal(key[0], key[2], KEEPER_KEY_LEN);
    assert_memory_not_equal(key[0], key[3], KEEPER_KEY_LEN);
}

static void test_session_keys_differ_and_outlive_a_kill(void **state)
{
    struct fixture *x = *state;
    enum { SESSIONS = 20 };
    unsigned char keys[SESSIONS][KEEPER_KEY_LEN];
    struct wire w;
    fixture_start(x, NULL);
    fixture_connect(x, FRAME_ROLE_WORKER, &w);
    for (unsigned n = 0; n < SESSIONS; n++) {
        struct fixture_id id = fixture_id(n);
        assert_int_equal(fixture_ask(&w, KEEPER_SESSION_KEY_NEW,
                                     fixture_id_str(&id), keys[n]),
                         KEEPER_OK);
        for (unsigned m = 0; m < n; m++)
            assert_memory_not_equal(keys[n], keys[m], KEEPER_KEY_LEN);
    }
    wire_release(&w);
    fixture_kill(x);

    fixture_start(x, NULL);
    fixture_connect(x, FRAME_ROLE_WORKER, &w);
    for (unsigned n = 0; n <= SESSIONS; n++) {
        struct fixture_id id = fixture_id(n);
        assert_int_equal(fixture_ask(&w, KEEPER_SESSION_KEY_NEW,
                                     fixture_id_str(&id), keys[0]),
                         n < SESSIONS ? KEEPER_EXISTS : KEEPER_OK);
    }
    wire_release(&w);
}

static void test_many_requests_are_answered_in_order(void **state)
{
    struct fixture *x = *state;
    enum { ROUNDS = 3000 }; /* more than a batch takes */
    struct wire w;
    fixture_start(x, NULL);
    fixture_connect(x, FRAME_ROLE_WORKER, &w);
    for (unsigned n = 0; n < ROUNDS; n++) {
        struct fixture_id id = fixture_id(n / 2); /* each one twice */
        frame_add(wire_out(&w), KEEPER_SESSION_KEY_NEW, 0, fixture_id_str(&id));
        frame_add(wire_out(&w), KEEPER_CALLER_KEY, 0, nothing);
    }
    for (unsigned n = 0; n < ROUNDS * 2; n++) {
        struct frame f;
        assert_int_equal(fixture_next(&w, &f), ERR_OK);
        assert_int_equal(f.type, n % 2 == 0 ? KEEPER_SESSION_KEY_NEW
                                            : KEEPER_CALLER_KEY);
        bool second = n % 4 == 2;
        assert_int_equal(f.payload.ptr[0], second ? KEEPER_EXISTS : KEEPER_OK);
    }
    wire_release(&w);
}

static void test_many_clients_are_served_at_once(void **state)
{
    struct fixture *x = *state;
    enum { CLIENTS = 40 };
    struct wire w[CLIENTS];
    fixture_start(x, NULL);
    for (unsigned i = 0; i < CLIENTS; i++)
        fixture_connect(x, FRAME_ROLE_WORKER, &w[i]);
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct fixture_id id = fixture_id(i);
        fixture_send(&w[i], KEEPER_SESSION_KEY_NEW, fixture_id_str(&id));
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct frame f;
        assert_int_equal(fixture_next(&w[i], &f), ERR_OK);
        assert_int_equal(f.payload.ptr[0], KEEPER_OK);
        wire_release(&w[i]);
    }
}

static void test_a_client_that_does_not_read_is_not_asked(void **state)
{
    struct fixture *x = *state;
    struct wire deaf, other;
    fixture_start(x, NULL);
    fixture_connect(x, FRAME_ROLE_WORKER, &deaf);
    fixture_connect(x, FRAME_ROLE_WORKER, &other);
    unsigned sent = 0;
    while (!wire_pending(&deaf) && sent < 1000000) { /* until it blocks */
        fixture_send(&deaf, KEEPER_CALLER_KEY, nothing);
        sent++;
        unsigned char key[KEEPER_KEY_LEN];
        if (sent % 1000 == 0)
            assert_int_equal(fixture_ask(&other, KEEPER_CALLER_KEY, nothing,
                                         key),
                             KEEPER_OK);
    }
    assert_true(wire_pending(&deaf));
    for (; sent > 0; sent--) { /* it reads now, and everything comes */
        struct frame f;
        assert_int_equal(fixture_next(&deaf, &f), ERR_OK);
    }
    wire_release(&deaf);
    wire_release(&other);
}

static void test_hostile_frames_end_their_connection_alone(void **state)
{
    static const char zeros[64];
    static const struct {
        uint16_t type;
        size_t len;
        enum frame_role role;
    } cases[] = {
        {KEEPER_CALLER_KEY, 1, FRAME_ROLE_WORKER},
        {KEEPER_SESSION_KEY_NEW, 17, FRAME_ROLE_WORKER},
        {KEEPER_SESSION_KEY_NEW, 16, FRAME_ROLE_TOOL},
        {FRAME_SHUTDOWN, 0, FRAME_ROLE_WORKER},
        {FRAME_HELLO, 16, FRAME_ROLE_WORKER},
        {9999, 0, FRAME_ROLE_CONTROL},
    };
    struct fixture *x = *state;
    struct wire good;
    unsigned char key[KEEPER_KEY_LEN];
    fixture_start(x, NULL);
    fixture_connect(x, FRAME_ROLE_WORKER, &good);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wire bad;
        struct frame f;
        fixture_connect(x, cases[i].role, &bad);
        fixture_send(&bad, cases[i].type, (struct str){zeros, cases[i].len});
        assert_int_equal(fixture_next(&bad, &f), ERR_CLOSED);
        wire_release(&bad);
        assert_int_equal(fixture_ask(&good, KEEPER_CALLER_KEY, nothing, key),
                         KEEPER_OK);
    }
    wire_release(&good);
}

static void test_bytes_that_are_no_frames_end_their_connection(void **state)
{
    static const struct str junk[] = {
        STR_INIT("\xff\xff\xff\xff\xff\xff\xff\xff"), /* too long */
        STR_INIT("\0\0\0\20\0\1\0\0" /* a hello of another role */
                 "\0\0\0\1\0\0\0\7\0\0\0\0\0\0\0\0"),
        STR_INIT("\0\0\0\20\0\1\0\0" /* of another version */
                 "\0\0\0\2\0\0\0\5\0\0\0\0\0\0\0\0"),
        STR_INIT("\0\0\0\0\0\20\0\0"), /* no hello at all */
    };
    struct fixture *x = *state;
    fixture_start(x, NULL);
    for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
        int fd = fixture_connect_fd(x, FRAME_ROLE_WORKER);
        assert_int_equal(write(fd, junk[i].ptr, junk[i].len),
                         (ssize_t)junk[i].len);
        char byte[64];
        ssize_t n;
        do { /* its hello may come before the end */
            n = read(fd, byte, sizeof(byte));
        } while (n > 0);
        assert_true(n == 0 || errno == ECONNRESET);
        (void)close(fd);
    }
    unsigned char key[KEEPER_KEY_LEN];
    caller_key(x, FRAME_ROLE_WORKER, key);
}

static void test_only_clients_may_be_connected(void **state)
{
    static const enum frame_role no_clients[] = {FRAME_ROLE_NONE,
                                                 FRAME_ROLE_SUPERVISOR,
                                                 FRAME_ROLE_KEEPER,
                                                 FRAME_ROLE_LEDGER,
                                                 FRAME_ROLE_RUNNER};
    for (size_t i = 0; i < sizeof(no_clients) / sizeof(no_clients[0]); i++) {
        struct fixture *x = *state;
        fixture_start(x, NULL);
        int fd = fixture_connect_fd(x, no_clients[i]);
        assert_int_equal(fixture_end(x), 0); /* the supervisor is broken */
        (void)close(fd);
    }
}

static void test_it_ends_when_the_supervisor_does(void **state)
{
    struct fixture *x = *state;
    struct wire w;
    unsigned char key[KEEPER_KEY_LEN];
    fixture_start(x, NULL);
    fixture_connect(x, FRAME_ROLE_WORKER, &w);
    assert_int_equal(fixture_ask(&w, KEEPER_CALLER_KEY, nothing, key),
                     KEEPER_OK);
    wire_release(&x->control);
    assert_int_equal(fixture_end(x), 0);
    struct frame f;
    assert_int_equal(fixture_next(&w, &f), ERR_CLOSED);
    wire_release(&w);
}

static void test_an_open_key_file_is_refused(void **state)
{
    struct fixture *x = *state;
    fixture_start(x, NULL);
    fixture_shut_down(x);
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/node.key", x->keys_dir);
    assert_int_equal(chmod(path, 0644), 0);
    fixture_start(x, NULL);
    struct frame f;
    assert_int_equal(fixture_next(&x->control, &f), ERR_CLOSED);
    assert_int_equal(WEXITSTATUS(fixture_end(x)), 1);
}

/* Puts `bytes` of nonsense where the session keys are kept. */
static void write_records(struct fixture *x, size_t bytes)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", x->keys_dir,
                   KEEPER_RECORDS_FILE);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, (off_t)bytes) != 0)
        fail_msg("cannot write");
    (void)close(fd);
}

static void test_damaged_session_keys_end_it(void **state)
{
    struct fixture *x = *state;
    fixture_start(x, NULL);
    fixture_shut_down(x);
    write_records(x, (KEEPER_BATCH_MAX + 1) * (size_t)KEEPER_RECORD_LEN);
    fixture_start(x, NULL);
    assert_int_equal(WEXITSTATUS(fixture_end(x)), 1);
    /* What one crash can leave is cut, and work goes on. */
    write_records(x, KEEPER_BATCH_MAX * (size_t)KEEPER_RECORD_LEN);
    struct wire w;
    unsigned char key[KEEPER_KEY_LEN];
    struct fixture_id id = fixture_id(1);
    fixture_start(x, NULL);
    fixture_connect(x, FRAME_ROLE_WORKER, &w);
    assert_int_equal(fixture_ask(&w, KEEPER_SESSION_KEY_NEW,
                                 fixture_id_str(&id), key),
                     KEEPER_OK);
    wire_release(&w);
}

static void break_sync(void)
{
    sync_fails = true;
}

static void test_a_failed_sync_is_answered_and_ends_it(void **state)
{
    struct fixture *x = *state;
    struct wire w;
    unsigned char key[KEEPER_KEY_LEN];
    struct fixture_id id = fixture_id(1);
    fixture_start(x, break_sync);
    fixture_connect(x, FRAME_ROLE_WORKER, &w);
    assert_int_equal(fixture_ask(&w, KEEPER_CALLER_KEY, nothing, key),
                     KEEPER_OK);
    assert_int_equal(fixture_ask(&w, KEEPER_SESSION_KEY_NEW,
                                 fixture_id_str(&id), key),
                     KEEPER_FAILED);
    assert_int_equal(WEXITSTATUS(fixture_end(x)), 1);
    wire_release(&w);

    fixture_start(x, NULL); /* the session never got a key */
    fixture_connect(x, FRAME_ROLE_WORKER, &w);
    assert_int_equal(fixture_ask(&w, KEEPER_SESSION_KEY_NEW,
                                 fixture_id_str(&id), key),
                     KEEPER_OK);
    wire_release(&w);
}

#define WITH_FIXTURE(test)                                                     \
    cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_the_caller_key_is_the_same_after_a_restart),
        WITH_FIXTURE(test_session_keys_differ_and_outlive_a_kill),
        WITH_FIXTURE(test_many_requests_are_answered_in_order),
        WITH_FIXTURE(test_many_clients_are_served_at_once),
        WITH_FIXTURE(test_a_client_that_does_not_read_is_not_asked),
        WITH_FIXTURE(test_hostile_frames_end_their_connection_alone),
        WITH_FIXTURE(test_bytes_that_are_no_frames_end_their_connection),
        WITH_FIXTURE(test_only_clients_may_be_connected),
        WITH_FIXTURE(test_it_ends_when_the_supervisor_does),
        WITH_FIXTURE(test_an_open_key_file_is_refused),
        WITH_FIXTURE(test_damaged_session_keys_end_it),
        WITH_FIXTURE(test_a_failed_sync_is_answered_and_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
