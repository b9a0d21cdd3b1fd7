/*
 * keeper_protocol.h - what travels between the key process and its clients,
 * in the frames of codec/frame.h.
 *
 *     KEEPER_CALLER_KEY       ask: nothing
 *     KEEPER_SESSION_KEY_NEW  ask: the session's id, 16 bytes, not all zero
 *     KEEPER_SESSION_KEY_GET  ask: the same, of a session that has a key
 *
 * An answer has the type of its request: u8 keeper_status, then, with
 * KEEPER_OK alone, the key.  Answers come in the order of the requests.
 */
#ifndef KEEPER_KEEPER_PROTOCOL_H
#define KEEPER_KEEPER_PROTOCOL_H

#include "codec/frame.h"

enum { KEEPER_KEY_LEN = 32, KEEPER_SESSION_ID_LEN = 16 };

enum keeper_frame {
    KEEPER_CALLER_KEY = FRAME_OWN_MIN,
    KEEPER_SESSION_KEY_NEW,
    KEEPER_SESSION_KEY_GET,
};

enum keeper_status {
    KEEPER_FAILED = 0, /* could not be stored, or not be read */
    KEEPER_OK,
    KEEPER_EXISTS,  /* to SESSION_KEY_NEW: that session has one already */
    KEEPER_MISSING, /* to SESSION_KEY_GET: that session has none */
    KEEPER_STATUS_COUNT
};

enum {
    /* Requests of one client that wait for an answer; what comes above is
     * read later, and a client of ours does not send it. */
    KEEPER_IN_FLIGHT_MAX = 1024,
    KEEPER_ANSWER_MAX = 1 + KEEPER_KEY_LEN, /* payload bytes */
};

#endif
