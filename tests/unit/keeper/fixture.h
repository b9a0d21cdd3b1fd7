/* fixture.h - a folder of its own, and a real key process, for each test. */
#ifndef TESTS_KEEPER_FIXTURE_H
#define TESTS_KEEPER_FIXTURE_H

#include <stddef.h>
#include <sys/types.h>

#include "keeper/keeper_protocol.h"
#include "os/wire.h"

struct fixture {
    char dir[64];      /* removed with all that is in it */
    char keys_dir[80]; /* dir/keys, not made */
    pid_t pid;         /* 0: no process */
    struct wire control;
};

/* For cmocka_unit_test_setup_teardown(): *state is the fixture. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

/* Starts the process as the supervisor would.  `before` runs in the child
 * first, unless it is NULL. */
void fixture_start(struct fixture *x, void (*before)(void));

/* Waits for the end of the process; its wait status. */
int fixture_end(struct fixture *x);

/* Says FRAME_SHUTDOWN and expects exit 0. */
void fixture_shut_down(struct fixture *x);

/* Kills it, as a crash does. */
void fixture_kill(struct fixture *x);

/* Our end of a new client's socket. */
int fixture_connect_fd(struct fixture *x, enum frame_role role);
void fixture_connect(struct fixture *x, enum frame_role role, struct wire *w);

void fixture_send(struct wire *w, uint16_t type, struct str payload);

/* Waits for the next frame, which is borrowed; ERR_CLOSED: there is none. */
enum err fixture_next(struct wire *w, struct frame *ret);

/* Asks and waits: the status, and the key where there is one. */
enum keeper_status fixture_ask(struct wire *w, uint16_t type,
                               struct str payload,
                               unsigned char key[KEEPER_KEY_LEN]);

/* An id made of `n`, never all zero. */
struct fixture_id {
    char bytes[KEEPER_SESSION_ID_LEN];
};
struct fixture_id fixture_id(unsigned n);
static inline struct str fixture_id_str(const struct fixture_id *id)
{
    return (struct str){id->bytes, sizeof(id->bytes)};
}

#endif
