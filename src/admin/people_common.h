/* people_common.h - what the handlers of people*.c have in common. */
#ifndef ADMIN_PEOPLE_COMMON_H
#define ADMIN_PEOPLE_COMMON_H

#include "admin/admin.h"
#include "admin/body.h"

/*
 * Against what failures are counted: the address, and the name.  For an
 * address from which that name has logged in before, the two together stand in
 * for the name: others who guess do not lock its owner out.
 */
struct people_keys {
    size_t name_len, source_len, both_len;
    char name[72], source[72], both[144];
    bool by_both;
};

void people_keys_make(struct people_keys *k, struct str name,
                      struct str source);
/* False: it was answered that they have to wait. */
bool people_may_try(struct admin_call *c, struct people_keys *k);
/* How the try ended: ERR_OK, ERR_UNAUTHENTICATED, or undecided. */
void people_tried(struct admin_host *h, const struct people_keys *k,
                  enum err e);

/* Reads the body; false: not open yet, or not what it should be; answered. */
bool people_read(struct admin_call *c, const struct body_field *fields,
                 size_t n);

/* `name` is logged in: answers with a new token. */
void people_answer_token(struct admin_call *c, struct str name, int status);

#endif
