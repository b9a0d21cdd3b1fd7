/*
 * frame.h - one message between two of our processes, as bytes.
 *
 * Eight bytes of head, big-endian: u32 payload length, u16 type, u16 flags;
 * then the payload.  Both sides treat the other as hostile: a length over
 * FRAME_MAX or a type out of the reader's table ends the connection.
 *
 * The first frame in each direction is FRAME_HELLO, whose payload is a
 * struct frame_hello in the same byte order.
 */
#ifndef CODEC_FRAME_H
#define CODEC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { FRAME_HEAD_LEN = 8, FRAME_HELLO = 1, FRAME_HELLO_LEN = 16 };
enum { FRAME_PROTOCOL_VERSION = 1 };

/*
 * What the supervisor says to keeper, ledger and runner on their control
 * connection.  FRAME_CONNECT brings a client's socket as its descriptor; the
 * payload is the u32 frame_role that the client's hello will have.
 * FRAME_SHUTDOWN (no payload): answer what waits, then exit 0; so does the
 * end of the control connection.  Each process numbers its own frames from
 * FRAME_OWN_MIN.
 */
enum { FRAME_CONNECT = 2, FRAME_SHUTDOWN = 3, FRAME_OWN_MIN = 16 };

struct frame {
    uint16_t type;
    uint16_t flags;
    struct str payload; /* borrowed from the bytes it was read from */
};

enum frame_role {
    FRAME_ROLE_NONE = 0,
    FRAME_ROLE_SUPERVISOR,
    FRAME_ROLE_KEEPER,
    FRAME_ROLE_LEDGER,
    FRAME_ROLE_RUNNER,
    FRAME_ROLE_WORKER, /* one per gateway thread */
    FRAME_ROLE_CONTROL,
    FRAME_ROLE_TOOL, /* a command of the command line */
};

struct frame_hello {
    uint32_t version;    /* FRAME_PROTOCOL_VERSION */
    uint32_t role;       /* of the sender */
    uint64_t generation; /* of the gateway; 0 where there is none */
};

/*
 * The first whole frame in `bytes`.  ERR_OK and *ret_used > 0: a frame.
 * ERR_OK and *ret_used == 0: more bytes are needed.  ERR_LIMIT: too long.
 */
MUST_CHECK enum err frame_next(struct str bytes, struct frame *ret,
                               size_t *ret_used);

/* Appends one frame; check buf_ok(). */
void frame_add(struct buf *to, uint16_t type, uint16_t flags,
               struct str payload);

/* Appends the head alone; `payload_len` bytes must follow. */
void frame_add_head(struct buf *to, uint16_t type, uint16_t flags,
                    size_t payload_len);

void frame_add_hello(struct buf *to, struct frame_hello h);
/* ERR_MALFORMED unless `f` is a hello of our version and of role `from`. */
MUST_CHECK enum err frame_read_hello(const struct frame *f,
                                     enum frame_role from,
                                     struct frame_hello *ret);

/*
 * Fixed-size integers of payloads, big-endian.  A reader that runs out of
 * bytes is marked bad and gives zeros, so callers check once at the end.
 */
struct frame_reader {
    struct str left;
    bool bad;
};
static inline struct frame_reader frame_reader(struct str payload)
{
    return (struct frame_reader){payload, false};
}
uint8_t frame_get_u8(struct frame_reader *r);
uint16_t frame_get_u16(struct frame_reader *r);
uint32_t frame_get_u32(struct frame_reader *r);
uint64_t frame_get_u64(struct frame_reader *r);
struct str frame_get_bytes(struct frame_reader *r, size_t n);
/* u32 length, then bytes. */
struct str frame_get_str(struct frame_reader *r);
/* True when nothing was missing and nothing is left. */
bool frame_reader_done(const struct frame_reader *r);

void frame_put_u8(struct buf *to, uint8_t v);
void frame_put_u16(struct buf *to, uint16_t v);
void frame_put_u32(struct buf *to, uint32_t v);
void frame_put_u64(struct buf *to, uint64_t v);
void frame_put_str(struct buf *to, struct str s);

#endif
