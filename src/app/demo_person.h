/*
 * demo_person.h - a person with an account of her own, for `writ demo`.
 */
#ifndef APP_DEMO_PERSON_H
#define APP_DEMO_PERSON_H

#include "app/demo.h"

/* Makes an account as a person would, by `writ login --enrol`, passphrase
 * and one-time code included; the login is kept below `d->dir`. */
bool demo_person_enrol(struct demo *d, const char *name);

/* Where commands keep logins, so that nobody's own is touched; before any
 * of them runs. */
bool demo_person_home(const struct demo *d);

#endif
