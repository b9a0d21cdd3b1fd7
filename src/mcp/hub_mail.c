/* hub_mail.c - the events of a call, as they travel to whoever asked. */
#include <assert.h>
#include <stdlib.h>

#include "base/container.h"
#include "mcp/hub_part.h"

enum {
    ERROR_ROOM = 64 * 1024, /* of an answer, besides what it carries */
    USUAL = 2048,           /* bytes of one */
};

struct hub_mail *hub_mail_new(void)
{
    struct hub_mail *m = calloc(1, sizeof(*m));
    if (m != NULL)
        list_init(&m->node);
    return m;
}

void hub_mail_free(struct hub_mail *m)
{
    if (m == NULL)
        return;
    list_remove(&m->node);
    hub_offer_unref(m->event.offer);
    free(m->text);
    free(m->id);
    free(m);
}

static void run(struct hub *h, struct hub_note *n)
{
    hub_near_event(h, CONTAINER_OF(n, struct hub_mail, note));
}

static void drop(struct hub_note *n)
{
    hub_mail_free(CONTAINER_OF(n, struct hub_mail, note));
}

void hub_mail_post(struct hub_net *net, unsigned to, struct hub_mail *m,
                   bool surely)
{
    list_remove(&m->node);
    m->note.run = run;
    m->note.drop = drop;
    if (!hub_net_post(net, to, &m->note, surely))
        hub_mail_free(m);
}

/* The text moves from `b`, which is empty then. */
static bool take_text(struct hub_mail *m, struct buf *b)
{
    if (!buf_ok(b)) {
        buf_release(b);
        return false;
    }
    assert(m->text == NULL);
    m->text = b->ptr;
    m->event.text = buf_str(b);
    return true;
}

static bool copy_id(struct hub_mail *m, struct message_id id)
{
    m->id = malloc(id.text.len + 1); /* never nothing */
    if (m->id == NULL)
        return false;
    if (id.text.len > 0)
        memcpy(m->id, id.text.ptr, id.text.len);
    m->event.id = id;
    m->event.id.text.ptr = m->id;
    return true;
}

struct hub_mail *hub_mail_message(enum hub_event_kind kind, enum method method,
                                  const struct message *msg)
{
    struct buf b;
    struct hub_mail *m = hub_mail_new();
    if (m == NULL)
        return NULL;
    m->event.kind = kind;
    m->event.method = method;
    buf_init(&b, HUB_EVENT_BYTES_MAX);
    if (msg->params != NULL)
        json_write(&b, msg->params, NULL, 0);
    bool ok = take_text(m, &b);
    if (ok && kind == HUB_ASKED)
        ok = copy_id(m, msg->id);
    if (!ok) {
        hub_mail_free(m);
        return NULL;
    }
    return m;
}

static void write_error(struct buf *to, const struct message *msg)
{
    (void)BUF_LIT(to, "{\"code\":");
    (void)buf_add_i64(to, msg->error.code);
    (void)BUF_LIT(to, ",\"message\":");
    json_write_str(to, msg->error.text);
    if (msg->error.data != NULL) {
        (void)BUF_LIT(to, ",\"data\":");
        json_write(to, msg->error.data, NULL, 0);
    }
    (void)buf_add_char(to, '}');
}

bool hub_mail_answer(struct hub_mail *m, const struct message *response,
                     size_t max)
{
    struct buf b;
    bool is_error = response->kind == MESSAGE_ERROR;

    buf_init(&b, max + ERROR_ROOM);
    buf_expect(&b, USUAL);
    if (is_error)
        write_error(&b, response);
    else
        json_write(&b, response->result, NULL, 0);
    if (!take_text(m, &b))
        return false;
    m->event.kind = HUB_ANSWERED;
    m->event.is_error = is_error;
    m->event.code = is_error ? response->error.code : 0;
    bool flag = false;
    m->event.is_tool_error =
        !is_error &&
        json_bool(json_get(response->result, STR("isError")), &flag) && flag;
    return true;
}

void hub_mail_failure(struct hub_mail *m, enum err why, bool sent,
                      struct str text)
{
    assert(why != ERR_OK);
    m->event.kind = HUB_FAILED;
    m->event.err = why;
    m->event.sent = sent;
    if (text.len == 0)
        return;
    m->text = malloc(text.len); /* or it goes without */
    if (m->text == NULL)
        return;
    memcpy(m->text, text.ptr, text.len);
    m->event.why = (struct str){m->text, text.len};
}
