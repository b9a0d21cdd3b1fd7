/* Tests store/postgres_hosts: what a URL names, and whose turn it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "store/postgres_hosts.h"

static struct pq pq;

static int load(void **state)
{
    (void)state;
    const char *why = NULL;
    if (pq_load(&pq, &why) != ERR_OK)
        (void)fprintf(stderr, "SKIPPED: %s\n", why);
    return 0;
}

static struct postgres_hosts hosts_of(const char *url, enum err want)
{
    struct postgres_hosts h;
    const char *why = NULL;
    if (pq.conninfoParse == NULL)
        skip();
    assert_int_equal(postgres_hosts_init(&h, &pq, str_from(url), &why), want);
    return h;
}

static const char *or_none(const char *s)
{
    return s == NULL ? "-" : s;
}

static void test_hosts_and_ports_are_paired(void **state)
{
    (void)state;
    static const struct {
        const char *url, *want; /* name/address/port lookup; */
    } cases[] = {
        {"postgres://", "-/-/- 0;"},
        {"postgres:///db", "-/-/- 0;"},
        {"postgres://db.example.org/x", "db.example.org/-/- 1;"},
        {"postgres://u:p@db:5433/x", "db/-/5433 1;"},
        {"postgres://10.0.0.1,[::1]:7/x", "10.0.0.1/-/- 0;::1/-/7 0;"},
        {"postgres:///x?host=a,b&port=1,2", "a/-/1 1;b/-/2 1;"},
        {"postgres:///x?host=a,b&port=1", "a/-/1 1;b/-/1 1;"},
        {"postgres:///x?host=/run/a,@b", "/run/a/-/- 0;@b/-/- 0;"},
        {"postgres:///x?host=a,b&hostaddr=1.1.1.1,", "a/1.1.1.1/- 0;b/-/- 1;"},
        {"postgres:///x?hostaddr=1.1.1.1", "-/1.1.1.1/- 0;"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct postgres_hosts h = hosts_of(cases[i].url, ERR_OK);
        char got[256] = "";
        size_t at = 0;
        for (unsigned n = 0; n < h.count; n++)
            at += (size_t)snprintf(got + at, sizeof(got) - at, "%s/%s/%s %d;",
                                   or_none(h.hosts[n].name),
                                   or_none(h.hosts[n].address),
                                   or_none(h.hosts[n].port),
                                   postgres_hosts_needs_lookup(&h.hosts[n]));
        assert_string_equal(got, cases[i].want);
        postgres_hosts_release(&h, &pq);
    }
}

static void test_bad_urls_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "postgres://a,b,c,d,e,f,g,h,i/x", /* nine */
        "postgres:///x?host=a,b&port=1,2,3",
        "postgres:///x?host=a,b&hostaddr=1.1.1.1",
        "postgres://h/x?no_such_word=1",
        "postgres://h/x?sslmode",
        "postgres://%zz/x",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        (void)hosts_of(bad[i], ERR_CONFIG);
}

static const char *value_of(const struct postgres_hosts *h, const char *word)
{
    for (unsigned i = 0; i < h->keyword_count; i++) {
        if (strcmp(h->keywords[i], word) == 0)
            return h->values[i];
    }
    return "none";
}

static void test_the_url_wins_over_our_defaults(void **state)
{
    (void)state;
    struct postgres_hosts h = hosts_of("postgres://u:s%20p@h/x", ERR_OK);
    assert_string_equal(value_of(&h, "target_session_attrs"), "read-write");
    assert_string_equal(value_of(&h, "application_name"), "writ");
    assert_string_equal(value_of(&h, "user"), "u");
    assert_string_equal(value_of(&h, "password"), "s p");
    assert_string_equal(value_of(&h, "host"), "none");
    postgres_hosts_release(&h, &pq);
    h = hosts_of("postgres://h/x?target_session_attrs=any&"
                 "application_name=mine",
                 ERR_OK);
    assert_string_equal(value_of(&h, "target_session_attrs"), "any");
    assert_string_equal(value_of(&h, "application_name"), "mine");
    postgres_hosts_release(&h, &pq);
}

static void test_each_host_backs_off_by_itself(void **state)
{
    (void)state;
    struct postgres_hosts h = hosts_of("postgres:///x?host=a,b,c", ERR_OK);
    int64_t in_ms = -1;
    struct postgres_host *a = postgres_hosts_next(&h, 1000, &in_ms);
    assert_ptr_equal(a, &h.hosts[0]); /* in the order of the URL */
    assert_int_equal(in_ms, 0);
    postgres_hosts_failed(a, 1000);
    struct postgres_host *b = postgres_hosts_next(&h, 1000, &in_ms);
    assert_ptr_equal(b, &h.hosts[1]);
    assert_int_equal(in_ms, 0);
    postgres_hosts_failed(b, 1000);
    postgres_hosts_failed(b, 1000);
    struct postgres_host *c = postgres_hosts_next(&h, 1000, &in_ms);
    assert_ptr_equal(c, &h.hosts[2]);
    for (int i = 0; i < 20; i++)
        postgres_hosts_failed(c, 1000);
    assert_int_equal(c->next_ms, 1000 + POSTGRES_BACKOFF_MAX_MS);

    assert_ptr_equal(postgres_hosts_next(&h, 1000, &in_ms), a);
    assert_int_equal(in_ms, POSTGRES_BACKOFF_MIN_MS);
    postgres_hosts_failed(a, 1100);
    assert_ptr_equal(postgres_hosts_next(&h, 1100, &in_ms), b);
    assert_int_equal(in_ms, 2 * POSTGRES_BACKOFF_MIN_MS - 100);
    postgres_hosts_worked(b);
    assert_ptr_equal(postgres_hosts_next(&h, 1100, &in_ms), b);
    assert_int_equal(in_ms, 0);
    postgres_hosts_release(&h, &pq);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts_and_ports_are_paired),
        cmocka_unit_test(test_bad_urls_are_refused),
        cmocka_unit_test(test_the_url_wins_over_our_defaults),
        cmocka_unit_test(test_each_host_backs_off_by_itself),
    };
    return cmocka_run_group_tests(tests, load, NULL);
}
