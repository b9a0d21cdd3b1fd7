/*
 * fault.h - what was wrong with a message; all of it may be shown to the peer
 * that sent it.
 */
#ifndef MCP_FAULT_H
#define MCP_FAULT_H

#include "base/err.h"
#include "base/str.h"

/* Numbers of JSON-RPC 2.0, section 5.1, and of MCP. */
enum fault_code {
    FAULT_NONE = 0,
    FAULT_PARSE = -32700,    /* not JSON */
    FAULT_REQUEST = -32600,  /* no JSON-RPC message, or a batch */
    FAULT_METHOD = -32601,   /* unknown in this revision or direction */
    FAULT_PARAMS = -32602,   /* params that the allow-list does not admit */
    FAULT_INTERNAL = -32603, /* ours, or the destination's */
    FAULT_RESOURCE = -32002, /* no such resource; up to 2025-11-25 */
};

struct fault {
    enum err err; /* its HTTP status and reason are err.h's */
    int code;     /* enum fault_code, or another JSON-RPC number */
    /* RFC 6901, into the message ("/params/arguments/path"); "" is the whole.
     * In an arena or static, as is `text`, a sentence. */
    struct str pointer;
    struct str text;
};

#endif
