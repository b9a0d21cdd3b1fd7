/* message.c - see message.h. */
#include "mcp/message.h"

#include <assert.h>

#include "base/num.h"
#include "codec/json_pointer.h"

enum {
    POINTER_MAX = 512,
    AROUND = 128, /* what usually stands around params or a result */
};

struct reader {
    struct arena *a;
    const struct json *root;
    struct fault *ret_fault;
};

static enum err refuse(struct reader *r, enum err e, int code,
                       const struct json *at, const char *text)
{
    char room[POINTER_MAX];
    struct buf pointer;
    struct fault f = {.err = e, .code = code, .text = str_from(text)};
    buf_init_lent(&pointer, room, sizeof(room));
    if (at != NULL)
        json_pointer_write(&pointer, r->root, at);
    if (!arena_copy(r->a, buf_str(&pointer), &f.pointer))
        f.pointer = (struct str){NULL, 0};
    *r->ret_fault = f;
    return e;
}

static enum err refuse_message(struct reader *r, const struct json *at,
                               const char *text)
{
    return refuse(r, ERR_MALFORMED, FAULT_REQUEST, at, text);
}

static bool integer_read(struct str text, struct message_id *ret)
{
    int64_t i;
    if (text.len > MESSAGE_DIGITS_MAX || !num_i64(text, &i) ||
        i > MESSAGE_INTEGER_MAX || i < -MESSAGE_INTEGER_MAX)
        return false;
    if (i == 0 && text.len != 1)
        return false; /* -0, which not everybody tells from 0 */
    *ret = (struct message_id){MESSAGE_ID_INTEGER, text};
    return true;
}

bool message_id_read(const struct json *v, struct message_id *ret)
{
    struct str text;
    if (json_number(v, &text))
        return integer_read(text, ret);
    if (!json_str(v, &text) || text.len > MESSAGE_ID_MAX)
        return false;
    *ret = (struct message_id){MESSAGE_ID_STRING, text};
    return true;
}

bool message_id_eq(struct message_id a, struct message_id b)
{
    return a.type == b.type && str_eq(a.text, b.text);
}

void message_id_write(struct buf *to, struct message_id id)
{
    switch (id.type) {
    case MESSAGE_ID_INTEGER:
        (void)buf_add(to, id.text);
        break;
    case MESSAGE_ID_STRING:
        json_write_str(to, id.text);
        break;
    case MESSAGE_ID_NONE:
        (void)BUF_LIT(to, "null");
        break;
    }
}

struct message_id message_id_number(uint64_t n, char room[MESSAGE_DIGITS_MAX])
{
    size_t at = MESSAGE_DIGITS_MAX;
    assert(n <= (uint64_t)MESSAGE_INTEGER_MAX);
    do {
        room[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    return (struct message_id){MESSAGE_ID_INTEGER,
                               {room + at, MESSAGE_DIGITS_MAX - at}};
}

/* Letters, digits and what methods are made of; nothing a log could trip on,
 * and nothing that looks like another character. */
static bool is_method(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool digit = c >= '0' && c <= '9';
        if (!letter && !digit && str_find(STR("/_-.$"), c) == 5)
            return false;
    }
    return s.len > 0;
}

/* The members of a message that JSON-RPC knows, or NULL. */
struct members {
    const struct json *jsonrpc, *id, *method, *params, *result, *error;
};

static const struct json **member(struct members *m, struct str name)
{
    if (str_eq(name, STR("jsonrpc")))
        return &m->jsonrpc;
    if (str_eq(name, STR("id")))
        return &m->id;
    if (str_eq(name, STR("method")))
        return &m->method;
    if (str_eq(name, STR("params")))
        return &m->params;
    if (str_eq(name, STR("result")))
        return &m->result;
    if (str_eq(name, STR("error")))
        return &m->error;
    return NULL;
}

static enum err read_members(struct reader *r, struct members *m)
{
    struct json_iter it = json_each(r->root);
    struct str name;
    const struct json *v;
    const struct json *unknown = NULL;
    while (json_next(&it, &name, &v)) {
        const struct json **place = member(m, name);
        if (place != NULL)
            *place = v;
        else if (unknown == NULL)
            unknown = v;
    }
    if (unknown != NULL)
        return refuse(r, ERR_UNKNOWN_FIELD, FAULT_REQUEST, unknown,
                      "JSON-RPC 2.0 does not know this member");
    if (!json_is_string(m->jsonrpc, STR("2.0")))
        return refuse_message(r, m->jsonrpc, "jsonrpc must be \"2.0\"");
    return ERR_OK;
}

static enum err read_id(struct reader *r, const struct json *id,
                        struct message *to)
{
    struct str text;
    if (id == NULL || message_id_read(id, &to->id))
        return ERR_OK;
    if (json_str(id, &text))
        return refuse(r, ERR_LIMIT, FAULT_REQUEST, id,
                      "an id has at most 256 bytes");
    return refuse_message(r, id,
                          "an id must be a string, or an integer that a "
                          "double holds exactly");
}

static enum err read_call(struct reader *r, const struct members *m,
                          struct message *to)
{
    if (m->result != NULL || m->error != NULL)
        return refuse_message(r, m->result != NULL ? m->result : m->error,
                              "a message with a method is no response");
    if (!json_str(m->method, &to->method))
        return refuse_message(r, m->method, "method must be a string");
    if (to->method.len > MESSAGE_METHOD_MAX)
        return refuse(r, ERR_LIMIT, FAULT_REQUEST, m->method,
                      "a method has at most 128 bytes");
    if (!is_method(to->method))
        return refuse_message(r, m->method,
                              "a method is made of letters, digits and "
                              "/ _ - . $");
    if (m->params != NULL && json_type(m->params) != JSON_OBJECT)
        return refuse_message(r, m->params, "params must be an object");
    to->params = m->params;
    to->kind = m->id == NULL ? MESSAGE_NOTIFICATION : MESSAGE_REQUEST;
    return read_id(r, m->id, to);
}

static enum err read_error(struct reader *r, const struct members *m,
                           struct message *to)
{
    struct json_iter it = json_each(m->error);
    struct str name;
    const struct json *v;
    bool has_code = false;
    bool has_text = false;
    if (json_type(m->error) != JSON_OBJECT)
        return refuse_message(r, m->error, "error must be an object");
    while (json_next(&it, &name, &v)) {
        if (str_eq(name, STR("code")))
            has_code = json_i64(v, &to->error.code);
        else if (str_eq(name, STR("message")))
            has_text = json_str(v, &to->error.text);
        else if (str_eq(name, STR("data")))
            to->error.data = v;
        else
            return refuse(r, ERR_UNKNOWN_FIELD, FAULT_REQUEST, v,
                          "JSON-RPC 2.0 does not know this member");
    }
    if (!has_code || to->error.code > MESSAGE_INTEGER_MAX ||
        to->error.code < -MESSAGE_INTEGER_MAX || !has_text)
        return refuse_message(r, m->error,
                              "an error has an integer code and a message");
    if (to->error.text.len > MESSAGE_TEXT_MAX)
        return refuse(r, ERR_LIMIT, FAULT_REQUEST, m->error,
                      "the message of an error is too long");
    to->kind = MESSAGE_ERROR;
    /* null: the peer could not tell which request it was. */
    return json_type(m->id) == JSON_NULL ? ERR_OK : read_id(r, m->id, to);
}

static enum err read_response(struct reader *r, const struct members *m,
                              struct message *to)
{
    if (m->params != NULL)
        return refuse_message(r, m->params, "a response has no params");
    if ((m->result == NULL) == (m->error == NULL))
        return refuse_message(r, m->error,
                              "a message has a method, a result or an error");
    if (m->error != NULL)
        return read_error(r, m, to);
    if (json_type(m->result) != JSON_OBJECT)
        return refuse_message(r, m->result, "result must be an object");
    if (m->id == NULL)
        return refuse_message(r, NULL, "a result has an id");
    to->result = m->result;
    to->kind = MESSAGE_RESULT;
    return read_id(r, m->id, to);
}

/* Is the first value an array?  Blanks as in RFC 8259. */
static bool is_batch(struct str body)
{
    size_t i = 0;
    while (i < body.len && str_find(STR(" \t\r\n"), body.ptr[i]) < 4)
        i++;
    return i < body.len && body.ptr[i] == '[';
}

enum err message_read(struct arena *a, struct str body, struct message *ret,
                      struct message_id *ret_id, struct fault *ret_fault)
{
    struct reader r = {.a = a, .ret_fault = ret_fault};
    struct message m = {.kind = MESSAGE_NONE};
    struct members members = {.id = NULL};
    struct json_error why = {0, NULL};

    *ret_id = (struct message_id){MESSAGE_ID_NONE, {NULL, 0}};
    if (is_batch(body))
        return refuse(&r, ERR_UNSUPPORTED, FAULT_REQUEST, NULL,
                      "batches are not taken: send one message at a time");
    enum err e = json_read(a, body, &r.root, &why);
    if (e != ERR_OK)
        return refuse(&r, e, e == ERR_LIMIT ? FAULT_REQUEST : FAULT_PARSE, NULL,
                      why.what != NULL ? why.what : "this cannot be read");
    if (json_type(r.root) != JSON_OBJECT)
        return refuse_message(&r, NULL, "a message is an object");
    e = read_members(&r, &members);
    if (e == ERR_OK)
        e = members.method != NULL ? read_call(&r, &members, &m)
                                   : read_response(&r, &members, &m);
    if (e == ERR_OK)
        *ret = m;
    else if (!message_id_read(members.id, ret_id))
        *ret_id = (struct message_id){MESSAGE_ID_NONE, {NULL, 0}};
    return e;
}

static void write_head(struct buf *to)
{
    (void)BUF_LIT(to, "{\"jsonrpc\":\"2.0\"");
}

static void write_id(struct buf *to, struct message_id id)
{
    (void)BUF_LIT(to, ",\"id\":");
    message_id_write(to, id);
}

static void write_method(struct buf *to, struct message_id id,
                         struct str method)
{
    write_head(to);
    if (id.type != MESSAGE_ID_NONE)
        write_id(to, id);
    (void)BUF_LIT(to, ",\"method\":");
    json_write_str(to, method);
}

static void write_error_head(struct buf *to, struct message_id id, int64_t code,
                             struct str text)
{
    write_head(to);
    write_id(to, id);
    (void)BUF_LIT(to, ",\"error\":{\"code\":");
    (void)buf_add_i64(to, code);
    (void)BUF_LIT(to, ",\"message\":");
    json_write_str(to, text);
}

void message_write(struct buf *to, const struct message *m,
                   struct message_id id)
{
    switch (m->kind) {
    case MESSAGE_REQUEST:
    case MESSAGE_NOTIFICATION:
        assert((m->kind == MESSAGE_REQUEST) == (id.type != MESSAGE_ID_NONE));
        write_method(to, id, m->method);
        if (m->params != NULL) {
            (void)BUF_LIT(to, ",\"params\":");
            json_write(to, m->params, NULL, 0);
        }
        break;
    case MESSAGE_RESULT:
        assert(id.type != MESSAGE_ID_NONE);
        write_head(to);
        write_id(to, id);
        (void)BUF_LIT(to, ",\"result\":");
        json_write(to, m->result, NULL, 0);
        break;
    case MESSAGE_ERROR:
        write_error_head(to, id, m->error.code, m->error.text);
        if (m->error.data != NULL) {
            (void)BUF_LIT(to, ",\"data\":");
            json_write(to, m->error.data, NULL, 0);
        }
        (void)buf_add_char(to, '}');
        break;
    case MESSAGE_NONE:
        assert(false);
    }
    (void)buf_add_char(to, '}');
}

void message_write_call(struct buf *to, struct message_id id, struct str method,
                        struct str params)
{
    buf_expect(to, AROUND + params.len);
    write_method(to, id, method);
    if (params.len > 0) {
        (void)BUF_LIT(to, ",\"params\":");
        (void)buf_add(to, params);
    }
    (void)buf_add_char(to, '}');
}

void message_write_result(struct buf *to, struct message_id id,
                          struct str result)
{
    assert(id.type != MESSAGE_ID_NONE && result.len > 0);
    buf_expect(to, AROUND + result.len);
    write_head(to);
    write_id(to, id);
    (void)BUF_LIT(to, ",\"result\":");
    (void)buf_add(to, result);
    (void)buf_add_char(to, '}');
}

void message_write_error(struct buf *to, struct message_id id, int64_t code,
                         struct str text, struct str data)
{
    write_error_head(to, id, code, text);
    if (data.len > 0) {
        (void)BUF_LIT(to, ",\"data\":");
        (void)buf_add(to, data);
    }
    (void)BUF_LIT(to, "}}");
}
