/* pki.c - see pki.h. */
#include "pki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct identity {
    EVP_PKEY *key;
    X509 *cert;
};

static void add(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(e);
    assert_int_equal(X509_add_ext(x, e, -1), 1);
    X509_EXTENSION_free(e);
}

/* `names` NULL: a CA, by itself.  Valid from `from_s` for an hour. */
static struct identity make(const char *who, const char *names,
                            const struct identity *ca, EVP_PKEY *key,
                            long from_s)
{
    struct identity id = {key != NULL ? key : EVP_EC_gen("P-256"), X509_new()};
    assert_non_null(id.key);
    static long serial = 1;
    X509_set_version(id.cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(id.cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(id.cert), from_s);
    X509_gmtime_adj(X509_getm_notAfter(id.cert), from_s + 3600);
    X509_NAME *name = X509_get_subject_name(id.cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               (const unsigned char *)who, -1, -1, 0);
    X509 *issuer = ca == NULL ? id.cert : ca->cert;
    X509_set_issuer_name(id.cert, X509_get_subject_name(issuer));
    X509_set_pubkey(id.cert, id.key);
    add(id.cert, issuer, NID_subject_key_identifier, "hash");
    add(id.cert, issuer, NID_basic_constraints,
        names == NULL ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (names != NULL)
        add(id.cert, issuer, NID_subject_alt_name, names);
    assert_true(
        X509_sign(id.cert, ca == NULL ? id.key : ca->key, EVP_sha256()) > 0);
    return id;
}

static void save(const struct pki *p, const struct identity *id, char *cert,
                 char *key, const char *name)
{
    (void)snprintf(cert, 96, "%s/%s.pem", p->dir, name);
    FILE *f = fopen(cert, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, id->cert), 1);
    assert_int_equal(fclose(f), 0);
    if (key == NULL)
        return;
    (void)snprintf(key, 96, "%s/%s.key", p->dir, name);
    f = fopen(key, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_PrivateKey(f, id->key, NULL, NULL, 0, NULL,
                                          NULL),
                     1);
    assert_int_equal(fclose(f), 0);
}

static void drop(struct identity *id)
{
    EVP_PKEY_free(id->key);
    X509_free(id->cert);
}

void pki_make(struct pki *p)
{
    *p = (struct pki){.dir = "/tmp/writ_pki_XXXXXX"};
    assert_non_null(mkdtemp(p->dir));
    static const char names[] = "DNS:localhost,DNS:*.wild.test,IP:127.0.0.1";
    struct identity ca = make("test CA", NULL, NULL, NULL, -60);
    struct identity server = make("server", names, &ca, NULL, -60);
    struct identity client =
        make("client", "URI:spiffe://test/agent", &ca, NULL, -60);
    struct identity other_ca = make("other CA", NULL, NULL, NULL, -60);
    struct identity other = make("other", names, &other_ca, NULL, -60);
    EVP_PKEY_up_ref(server.key);
    struct identity expired = make("server", names, &ca, server.key, -7200);
    save(p, &ca, p->ca, NULL, "ca");
    save(p, &server, p->server_cert, p->server_key, "server");
    save(p, &client, p->client_cert, p->client_key, "client");
    save(p, &other_ca, p->other_ca, NULL, "other_ca");
    save(p, &other, p->other_cert, p->other_key, "other");
    save(p, &expired, p->expired_cert, NULL, "expired");
    drop(&ca);
    drop(&server);
    drop(&client);
    drop(&other_ca);
    drop(&other);
    drop(&expired);
}

void pki_remove(const struct pki *p)
{
    const char *const files[] = {p->ca,          p->server_cert,
                                 p->server_key,  p->client_cert,
                                 p->client_key,  p->other_ca,
                                 p->other_cert,  p->other_key,
                                 p->expired_cert};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        (void)unlink(files[i]);
    (void)rmdir(p->dir);
}
