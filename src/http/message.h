/*
 * message.h - heads of requests and replies, as this layer's users see them.
 * They are the codecs' own: see codec/http_message.h for the fields.
 */
#ifndef HTTP_MESSAGE_H
#define HTTP_MESSAGE_H

#include "codec/http_message.h" /* IWYU pragma: export */

#endif
