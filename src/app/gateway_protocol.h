/*
 * gateway_protocol.h - what supervisor and gateway say to each other, in the
 * frames of codec/frame.h.
 */
#ifndef APP_GATEWAY_PROTOCOL_H
#define APP_GATEWAY_PROTOCOL_H

#include "codec/frame.h"

enum gateway_frame {
    /* supervisor -> gateway */
    GATEWAY_LEDGER = FRAME_OWN_MIN, /* fd, u16 slot: a new connection */
    GATEWAY_KEEPER,                 /* fd, u16 slot */
    GATEWAY_RUNNER,                 /* fd, u16 slot: of a worker */
    GATEWAY_RELOAD,                 /* read the config again */
    GATEWAY_DRAIN,                  /* finish what is open, then exit 0 */
    GATEWAY_PROCESSES, /* per process: u32 role, u32 pid, u32 restarts */

    /* gateway -> supervisor */
    GATEWAY_READY,  /* it serves */
    GATEWAY_CONFIG, /* 32 bytes: the digest of the config in place */
    GATEWAY_LOST,   /* u16 GATEWAY_LEDGER, _KEEPER or _RUNNER, u16 slot */
    GATEWAY_FAILED, /* text: it cannot start with this config; it exits */
};

#endif
