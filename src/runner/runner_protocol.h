/*
 * runner_protocol.h - what travels between the runner and its clients, in
 * the frames of codec/frame.h.
 *
 * A command is started by the name that the configuration gave it, never by
 * a command line.  The client chooses a tag, by which everything about that
 * process is known on its connection.
 *
 *     client  RUNNER_START    u64 tag, str name
 *             RUNNER_STOP     u64 tag: SIGTERM, later SIGKILL
 *     runner  RUNNER_PIPE     u64 tag, u8 runner_pipe, and the descriptor;
 *                             three of them, then
 *             RUNNER_STARTED  u64 tag, u32 how it is confined
 *             RUNNER_REFUSED  u64 tag, str reason: instead of these four
 *             RUNNER_EXITED   u64 tag, u32 exit code, u32 signal; the last
 *                             frame of a tag that was started
 *
 *     supervisor  RUNNER_RELOAD  32 bytes: SHA-256 of the configuration that
 *             the gateway works with; on the control connection
 *
 * Stopping a tag that does not run is no error: it may just have ended.
 * A client that goes away takes its processes along.
 */
#ifndef RUNNER_RUNNER_PROTOCOL_H
#define RUNNER_RUNNER_PROTOCOL_H

#include "base/attr.h"
#include "base/err.h"
#include "codec/frame.h"

enum runner_frame {
    RUNNER_START = FRAME_OWN_MIN,
    RUNNER_STOP,
    RUNNER_PIPE,
    RUNNER_STARTED,
    RUNNER_REFUSED,
    RUNNER_EXITED,
    RUNNER_RELOAD,
};

/* The client's end of the process's descriptor of that number. */
enum runner_pipe { RUNNER_STDIN = 0, RUNNER_STDOUT, RUNNER_STDERR };
enum { RUNNER_PIPES = 3, RUNNER_DIGEST_LEN = 32 };

/* Bytes of a reason, all of them printable ASCII. */
enum { RUNNER_REASON_MAX = 512 };

struct runner_request {
    uint16_t type; /* RUNNER_START or RUNNER_STOP */
    uint64_t tag;
    struct str name; /* RUNNER_START: 1 to NAME_MAX_LEN bytes, borrowed */
};

/*
 * Reads what a client of role `from` sent.  ERR_MALFORMED: nothing that it
 * may say; the connection is to be closed.
 */
MUST_CHECK enum err runner_protocol_read(const struct frame *f,
                                         enum frame_role from,
                                         struct runner_request *ret);

void runner_protocol_start(struct buf *to, uint64_t tag, struct str name);
void runner_protocol_stop(struct buf *to, uint64_t tag);

/* `confined`: the bits of os/confine.h. */
void runner_protocol_started(struct buf *to, uint64_t tag, unsigned confined);
/* What no reason may hold is replaced, and what is too long cut. */
void runner_protocol_refused(struct buf *to, uint64_t tag, struct str reason);
void runner_protocol_exited(struct buf *to, uint64_t tag, uint32_t code,
                            uint32_t signal_number);

/* The payload of RUNNER_PIPE, which goes with a descriptor. */
enum { RUNNER_PIPE_LEN = 9 };
struct runner_pipe_payload {
    char bytes[RUNNER_PIPE_LEN];
};
struct runner_pipe_payload runner_protocol_pipe(uint64_t tag,
                                                enum runner_pipe which);

#endif
