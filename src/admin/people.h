/*
 * people.h - the endpoints by which people come in: login, logout, and how a
 * person becomes an administrator.
 *
 *     POST enrol {code, name, passphrase}        -> the secret of the codes
 *     POST enrol {code, name, passphrase, totp}  -> account, identity, token
 *     POST login {name, passphrase, totp}        -> token
 *
 * The first enrol changes nothing: the secret waits for a code that proves
 * that it arrived.
 */
#ifndef ADMIN_PEOPLE_H
#define ADMIN_PEOPLE_H

#include "admin/admin.h"

void people_login(struct admin_call *c);
void people_logout(struct admin_call *c);
void people_enrol(struct admin_call *c);
/* A new code for another person. */
void people_invite(struct admin_call *c);

/* May the person with an account, of this entity id ("local|ada"), act? */
bool people_may_act(const struct admin_host *h, struct str id);

#endif
