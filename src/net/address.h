/*
 * address.h - IP addresses: as text, and which of them a destination chosen
 * by somebody else must never be.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "base/str.h"

/* "[" IPv6 "]:65535" and a NUL. */
enum { ADDRESS_TEXT_MAX = INET6_ADDRSTRLEN + 9 };

/*
 * Reads a literal: "192.0.2.1", "2001:db8::1", "[2001:db8::1]".  False for
 * anything else: a name, or the shorthands of inet_aton(3).
 */
MUST_CHECK bool address_parse(struct str host, uint16_t port,
                              struct sockaddr_storage *ret);

/*
 * True for addresses of this machine, its link, or a cloud's metadata
 * service, also inside IPv6 (mapped, compatible, NAT64, 6to4); for multicast
 * and broadcast; and for a family that is no IP.  Private networks are not
 * local: destinations live there.
 */
bool address_is_local(const struct sockaddr_storage *a);

/* The size to hand to connect(2). */
socklen_t address_len(const struct sockaddr_storage *a);

/* "192.0.2.1:443", "[2001:db8::1]:443", or "local" for other families. */
struct str address_text(const struct sockaddr_storage *a,
                        char to[ADDRESS_TEXT_MAX]);

#endif
