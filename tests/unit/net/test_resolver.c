/* Tests net/resolver against a name server of our own on the same loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/address.h"
#include "net/resolver.h"
#include "os/clock.h"
#include "os/loop.h"
#include "party.h"

/* Answers A questions; everything it knows is in zone[]. */
struct name_server {
    struct loop_poll *poll;
    int fd;
    uint16_t port;
    int questions; /* of type A */
};

static const struct {
    const char *name;
    const char *address; /* NULL: no such name; "": no answer at all */
    uint32_t ttl;
} zone[] = {
    {"far.test", "192.0.2.7", 60},
    {"brief.test", "192.0.2.8", 0},
    {"none.test", NULL, 0},
    {"silent.test", "", 0},
    {"rebind.test", "169.254.169.254", 60},
    {"many.test", "192.0.2.9", 60},
};

static size_t put(uint8_t *to, const void *bytes, size_t n)
{
    memcpy(to, bytes, n);
    return n;
}

/* The question's name as "a.b"; returns the length of the question. */
static size_t read_question(const uint8_t *q, size_t len, char *name,
                            unsigned *ret_type)
{
    size_t at = 12, out = 0;
    while (at < len && q[at] != 0) {
        if (out > 0)
            name[out++] = '.';
        memcpy(name + out, q + at + 1, q[at]);
        out += q[at];
        at += q[at] + 1U;
    }
    name[out] = '\0';
    *ret_type = (unsigned)(q[at + 1] << 8 | q[at + 2]);
    return at + 5 - 12;
}

static size_t make_answer(const uint8_t *q, size_t len, uint8_t *to,
                          struct name_server *s)
{
    char name[256];
    unsigned type;
    size_t question = read_question(q, len, name, &type);
    if (type == 1)
        s->questions++;
    const char *address = NULL;
    uint32_t ttl = 0;
    for (size_t i = 0; i < ARRAY_LEN(zone); i++) {
        if (strcmp(zone[i].name, name) == 0) {
            address = zone[i].address;
            ttl = zone[i].ttl;
        }
    }
    if (address != NULL && address[0] == '\0')
        return 0;
    int count = address == NULL || type != 1     ? 0
                : strcmp(name, "many.test") == 0 ? 25
                                                 : 1;
    uint8_t head[12] = {q[0], q[1],
                        0x81, (uint8_t)(0x80 | (address == NULL ? 3 : 0)),
                        0,    1,
                        0,    (uint8_t)count};
    size_t n = put(to, head, sizeof(head));
    n += put(to + n, q + 12, question);
    for (int i = 0; i < count; i++) {
        uint8_t record[16] = {0xc0, 12,           0, 1, 0, 1, 0, 0,
                              0,    (uint8_t)ttl, 0, 4};
        inet_pton(AF_INET, address, record + 12);
        record[15] = (uint8_t)(record[15] + i);
        n += put(to + n, record, sizeof(record));
    }
    return n;
}

static void on_question(void *user, int events)
{
    (void)events;
    struct name_server *s = user;
    uint8_t q[1500], a[1500];
    struct sockaddr_in from;
    socklen_t len = sizeof(from);
    ssize_t n = recvfrom(s->fd, q, sizeof(q), MSG_DONTWAIT,
                         (struct sockaddr *)&from, &len);
    if (n < 17)
        return;
    size_t out = make_answer(q, (size_t)n, a, s);
    if (out > 0)
        assert_int_equal(sendto(s->fd, a, out, 0, (struct sockaddr *)&from,
                                len),
                         out);
}

struct asker {
    struct resolver_query *q;
    struct resolver_answer a;
    int answers;
    bool inside;
    struct asker *cancels;
};

static void on_answer(void *user, const struct resolver_answer *a)
{
    struct asker *x = user;
    assert_false(x->inside);
    x->a = *a;
    x->answers++;
    if (x->cancels != NULL)
        resolver_cancel(x->cancels->q);
}

static bool is_answered(void *user)
{
    return ((struct asker *)user)->answers > 0;
}

struct bed {
    struct net n;
    struct resolver *r;
    struct name_server s;
};

static void open_bed(struct bed *b)
{
    *b = (struct bed){0};
    assert_int_equal(loop_new(&b->n.l), ERR_OK);
    assert_int_equal(resolver_new(b->n.l, &b->r), ERR_OK);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    b->s.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(b->s.fd, (struct sockaddr *)&at, len), 0);
    getsockname(b->s.fd, (struct sockaddr *)&at, &len);
    b->s.port = ntohs(at.sin_port);
    assert_int_equal(loop_poll_new(b->n.l, b->s.fd, on_question, &b->s,
                                   &b->s.poll),
                     ERR_OK);
    assert_int_equal(loop_poll_set(b->s.poll, LOOP_READABLE), ERR_OK);
    char servers[64];
    (void)snprintf(servers, sizeof(servers), "127.0.0.1:%u", b->s.port);
    assert_int_equal(resolver_set_servers(b->r, servers), ERR_OK);
}

static void close_bed(struct bed *b)
{
    resolver_free(b->r);
    loop_poll_free(b->s.poll);
    close(b->s.fd);
    loop_run(b->n.l);
    loop_free(b->n.l);
}

static void ask(struct bed *b, struct asker *x, const char *host)
{
    *x = (struct asker){.inside = true};
    assert_int_equal(resolver_ask(b->r, str_from(host), 443, on_answer, x,
                                  &x->q),
                     ERR_OK);
    x->inside = false;
}

static void assert_address(const struct asker *x, const char *want)
{
    assert_int_equal(x->a.err, ERR_OK);
    char text[ADDRESS_TEXT_MAX];
    assert_true(str_eq(address_text(&x->a.addresses[0], text), str_from(want)));
}

static void test_a_name_is_asked_for_once_and_kept(void **state)
{
    (void)state;
    struct bed b;
    open_bed(&b);
    struct asker x, y, z;
    ask(&b, &x, "far.test");
    ask(&b, &y, "FAR.Test"); /* joins the question under way */
    net_wait(&b.n, is_answered, &x);
    net_wait(&b.n, is_answered, &y);
    assert_address(&x, "192.0.2.7:443");
    assert_address(&y, "192.0.2.7:443");
    assert_int_equal(b.s.questions, 1);
    ask(&b, &z, "far.test");
    net_wait(&b.n, is_answered, &z);
    assert_address(&z, "192.0.2.7:443");
    assert_int_equal(b.s.questions, 1);
    close_bed(&b);
}

static void test_an_answer_is_kept_for_a_second_at_least(void **state)
{
    (void)state;
    struct bed b;
    open_bed(&b);
    struct asker x;
    ask(&b, &x, "brief.test");
    net_wait(&b.n, is_answered, &x);
    ask(&b, &x, "brief.test");
    net_wait(&b.n, is_answered, &x);
    assert_int_equal(b.s.questions, 1);
    net_turn(&b.n, 1050);
    ask(&b, &x, "brief.test");
    net_wait(&b.n, is_answered, &x);
    assert_int_equal(b.s.questions, 2);
    close_bed(&b);
}

static void test_a_missing_name_is_a_failure_to_connect(void **state)
{
    (void)state;
    struct bed b;
    open_bed(&b);
    struct asker x;
    ask(&b, &x, "none.test");
    net_wait(&b.n, is_answered, &x);
    assert_int_equal(x.a.err, ERR_CONNECT);
    assert_int_equal(x.a.count, 0);
    static const char *const odd[] = {"", "a b", "a/b", "x\x01", "ä.test"};
    for (size_t i = 0; i < ARRAY_LEN(odd); i++)
        assert_int_equal(resolver_ask(b.r, str_from(odd[i]), 1, on_answer, &x,
                                      &x.q),
                         ERR_CONNECT);
    close_bed(&b);
}

static void test_literals_and_the_hosts_file_need_no_server(void **state)
{
    (void)state;
    struct bed b;
    open_bed(&b);
    struct asker x;
    ask(&b, &x, "192.0.2.55");
    net_wait(&b.n, is_answered, &x);
    assert_address(&x, "192.0.2.55:443");
    ask(&b, &x, "[2001:db8::5]");
    net_wait(&b.n, is_answered, &x);
    assert_address(&x, "[2001:db8::5]:443");
    ask(&b, &x, "localhost");
    net_wait(&b.n, is_answered, &x);
    assert_int_equal(x.a.err, ERR_OK);
    for (unsigned i = 0; i < x.a.count; i++)
        assert_true(address_is_local(&x.a.addresses[i]));
    assert_int_equal(b.s.questions, 0);
    close_bed(&b);
}

static void test_more_addresses_than_fit_are_cut(void **state)
{
    (void)state;
    struct bed b;
    open_bed(&b);
    struct asker x;
    ask(&b, &x, "many.test");
    net_wait(&b.n, is_answered, &x);
    assert_int_equal(x.a.err, ERR_OK);
    assert_int_equal(x.a.count, RESOLVER_ADDRESSES_MAX);
    close_bed(&b);
}

static void test_a_cancelled_question_is_not_answered(void **state)
{
    (void)state;
    struct bed b;
    open_bed(&b);
    struct asker x, y, z;
    ask(&b, &x, "far.test");
    ask(&b, &y, "far.test");
    resolver_cancel(x.q);
    ask(&b, &z, "silent.test"); /* still open when the resolver goes */
    net_wait(&b.n, is_answered, &y);
    assert_int_equal(x.answers, 0);

    /* Both are ready in one turn; the first cancels the second. */
    ask(&b, &x, "far.test");
    ask(&b, &y, "far.test");
    x.cancels = &y;
    net_wait(&b.n, is_answered, &x);
    net_turn(&b.n, 10);
    assert_int_equal(y.answers, 0);
    close_bed(&b);
    assert_int_equal(z.answers, 0);
}

static void test_a_dial_filters_what_a_name_leads_to(void **state)
{
    (void)state;
    struct bed b;
    open_bed(&b);
    static const struct {
        const char *host;
        int64_t timeout_ms;
        enum err why;
    } rows[] = {
        {"rebind.test", 5000, ERR_CONNECT}, {"localhost", 5000, ERR_CONNECT},
        {"none.test", 5000, ERR_CONNECT},   {"a b", 5000, ERR_CONNECT},
        {"silent.test", 80, ERR_TIMEOUT},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct party p;
        party_init(&p);
        struct stream_target t = {.host = str_from(rows[i].host), .port = 9};
        int64_t from = clock_monotonic_ms();
        assert_int_equal(stream_dial(b.n.l, b.r, &t, rows[i].timeout_ms,
                                     &party_events, &p, &p.s),
                         ERR_OK);
        net_wait(&b.n, party_is_closed, &p);
        assert_int_equal(p.why, rows[i].why);
        assert_true(clock_monotonic_ms() - from < 2000);
        party_release(&p);
    }
    close_bed(&b);
}

static void test_a_dial_finds_a_name_and_connects(void **state)
{
    (void)state;
    struct bed b;
    open_bed(&b);
    uint16_t port;
    int fd = net_listen_socket(&port, 4);
    struct party p;
    party_init(&p);
    struct stream_target t = {.host = STR("localhost"),
                              .port = port,
                              .allow_local = true};
    assert_int_equal(stream_dial(b.n.l, b.r, &t, 5000, &party_events, &p, &p.s),
                     ERR_OK);
    net_wait(&b.n, party_is_opened, &p); /* also where ::1 comes first */
    stream_close(p.s);
    net_wait(&b.n, party_is_closed, &p);
    party_release(&p);
    close(fd);
    close_bed(&b);
}

static void test_servers_have_to_be_addresses(void **state)
{
    (void)state;
    struct bed b;
    open_bed(&b);
    assert_int_equal(resolver_set_servers(b.r, "not an address"), ERR_CONFIG);
    close_bed(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_name_is_asked_for_once_and_kept),
        cmocka_unit_test(test_an_answer_is_kept_for_a_second_at_least),
        cmocka_unit_test(test_a_missing_name_is_a_failure_to_connect),
        cmocka_unit_test(test_literals_and_the_hosts_file_need_no_server),
        cmocka_unit_test(test_more_addresses_than_fit_are_cut),
        cmocka_unit_test(test_a_cancelled_question_is_not_answered),
        cmocka_unit_test(test_a_dial_filters_what_a_name_leads_to),
        cmocka_unit_test(test_a_dial_finds_a_name_and_connects),
        cmocka_unit_test(test_servers_have_to_be_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
