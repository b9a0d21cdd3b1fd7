/*
 * pki.h - certificates made for one test run, as PEM files in a directory of
 * their own: a CA, a server ("localhost", 127.0.0.1), a client, and a CA that
 * nobody trusts with a server of its own.
 */
#ifndef TESTS_NET_PKI_H
#define TESTS_NET_PKI_H

struct pki {
    char dir[64];
    char ca[96], server_cert[96], server_key[96];
    char client_cert[96], client_key[96];
    char other_ca[96], other_cert[96], other_key[96];
    char expired_cert[96]; /* with server_key */
};

void pki_make(struct pki *p);
void pki_remove(const struct pki *p);

#endif
