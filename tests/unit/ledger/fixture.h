/* fixture.h - a folder of its own for each test, and logs in it. */
#ifndef TESTS_LEDGER_FIXTURE_H
#define TESTS_LEDGER_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "ledger/journal.h"
#include "ledger/ledger_verify.h"

enum { FIXTURE_PATH = 256 };

struct fixture {
    char dir[64]; /* removed with all that is in it */
    char log[80]; /* dir/ledger, not made */
};

/* For cmocka_unit_test_setup_teardown(): *state is the fixture. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

#define FIXTURE_TEST(f)                                                        \
    cmocka_unit_test_setup_teardown(f, fixture_set_up, fixture_tear_down)

/* The log, opened; ends the test when it cannot be. */
struct journal *fixture_open(const struct fixture *x, size_t segment_bytes);
/* Opens it and expects that this fails. */
enum err fixture_refused(const struct fixture *x, struct segment_trouble *ret);

/* Adds an entry that says its index; returns that. */
uint64_t fixture_add(struct journal *j);
uint64_t fixture_add_intent(struct journal *j);
uint64_t fixture_add_close(struct journal *j, uint64_t closes);
void fixture_commit(struct journal *j);
/* `commits` commits of `each` entries. */
void fixture_fill(struct journal *j, unsigned commits, unsigned each);

/* Goes away without sealing, as a killed process does. */
void fixture_crash(struct journal *j);

enum err fixture_verify(const struct fixture *x,
                        struct ledger_verify_report *ret);

/* The path of a segment. */
void fixture_segment(const struct fixture *x, uint64_t first_index,
                     char to[FIXTURE_PATH]);
size_t fixture_segments(const struct fixture *x, uint64_t *firsts, size_t room);

/* A whole file, to be freed; and back. */
struct fixture_file {
    char *bytes;
    size_t len;
};
struct fixture_file fixture_read(const char *path);
void fixture_write(const char *path, const char *bytes, size_t len);

/* Where a segment's frames begin. */
enum { FIXTURE_HEADER = 4096 };

/* Unpacks ../shared/tests/<name>.tar.xz into the folder; false, after a line
 * on standard error, when there is no ../shared. */
bool fixture_unpack(const struct fixture *x, const char *name);

#endif
