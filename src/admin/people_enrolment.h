/* people_enrolment.h - an enrolment that waits for its first one-time code. */
#ifndef ADMIN_PEOPLE_ENROLMENT_H
#define ADMIN_PEOPLE_ENROLMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "admin/accounts.h"

struct people_enrolment {
    size_t name_len;
    char name[ACCOUNTS_NAME_MAX];
    unsigned char secret[TOTP_SECRET_LEN];
    int64_t until_us; /* Unix time */
    bool busy;        /* it is being confirmed */
};

/* Wipes; NULL is allowed. */
void people_enrolment_free(struct people_enrolment *p);

#endif
