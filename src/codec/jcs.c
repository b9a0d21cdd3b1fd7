/* jcs.c - see jcs.h. */
#include "codec/jcs.h"

#include <assert.h>

#include "base/text.h"

/* What a container, or the document (level 0), takes next. */
enum state {
    STATE_VALUE = 0, /* the document's one value */
    STATE_DONE,      /* it was written */
    STATE_FIRST_ITEM,
    STATE_ITEM,
    STATE_FIRST_NAME,
    STATE_NAME,
    STATE_MEMBER /* the value of the name before */
};

void jcs_begin(struct jcs *w, struct buf *to)
{
    w->to = to;
    w->depth = 0;
    w->state[0] = STATE_VALUE;
}

/* Before each value: a comma where one belongs, and what comes after it. */
static inline void before_value(struct jcs *w)
{
    unsigned char *state = &w->state[w->depth];
    if (*state == STATE_MEMBER) { /* nearly always */
        *state = STATE_NAME;
        return;
    }
    assert(*state != STATE_DONE && *state != STATE_FIRST_NAME &&
           *state != STATE_NAME);
    if (*state == STATE_ITEM)
        (void)buf_add_char(w->to, ',');
    else if (*state == STATE_FIRST_ITEM)
        *state = STATE_ITEM;
    else
        *state = STATE_DONE;
}

static void open_level(struct jcs *w, enum state state, char bracket)
{
    before_value(w);
    assert(w->depth < JCS_DEPTH_MAX);
    w->depth++;
    w->state[w->depth] = (unsigned char)state;
    (void)buf_add_char(w->to, bracket);
}

void jcs_object(struct jcs *w)
{
    open_level(w, STATE_FIRST_NAME, '{');
}

void jcs_array(struct jcs *w)
{
    open_level(w, STATE_FIRST_ITEM, '[');
}

void jcs_end(struct jcs *w)
{
    enum state state = w->state[w->depth];
    assert(w->depth > 0 && state != STATE_MEMBER);
    bool is_object = state == STATE_FIRST_NAME || state == STATE_NAME;
    (void)buf_add_char(w->to, is_object ? '}' : ']');
    w->depth--;
}

/* Does `b` come after `a`?  The first byte nearly always tells. */
static bool is_after(struct str a, struct str b)
{
    if (a.len > 0 && b.len > 0 && a.ptr[0] != b.ptr[0])
        return (unsigned char)a.ptr[0] < (unsigned char)b.ptr[0];
    return str_compare(a, b) < 0;
}

/* Two entries a call have some eighty names: one look at the room for each. */
void jcs_name(struct jcs *w, struct str name)
{
    enum state state = w->state[w->depth];
    assert(state == STATE_FIRST_NAME || state == STATE_NAME);
    assert(state == STATE_FIRST_NAME || is_after(w->last[w->depth], name));
    w->last[w->depth] = name;
    w->state[w->depth] = STATE_MEMBER;

    char *start = buf_space(w->to, name.len + 4);
    if (start == NULL)
        return;
    char *p = start;
    if (state == STATE_NAME)
        *p++ = ',';
    *p++ = '"';
    memcpy(p, name.ptr, name.len);
    p += name.len;
    *p++ = '"';
    *p++ = ':';
    buf_added(w->to, (size_t)(p - start));
}

void jcs_str(struct jcs *w, struct str s)
{
    before_value(w);
    json_write_str(w->to, s);
}

bool jcs_ascii(struct jcs *w, struct str s)
{
    size_t len = w->to->len;
    unsigned char state = w->state[w->depth];
    before_value(w);
    if (json_write_ascii(w->to, s))
        return true;
    w->to->len = len;
    w->state[w->depth] = state;
    return false;
}

void jcs_word(struct jcs *w, struct str word)
{
    before_value(w);
    char *p = buf_space(w->to, word.len + 2);
    if (p == NULL)
        return;
    p[0] = '"';
    memcpy(p + 1, word.ptr, word.len);
    p[word.len + 1] = '"';
    buf_added(w->to, word.len + 2);
}

void jcs_i64(struct jcs *w, int64_t v)
{
    /* Beyond this a double, which is all that RFC 8785 has, may not be v. */
    static const int64_t exact_max = INT64_C(1) << 53;
    bool exact = v >= -exact_max && v <= exact_max;
    before_value(w);
    if (!exact)
        (void)buf_add_char(w->to, '"');
    (void)buf_add_i64(w->to, v);
    if (!exact)
        (void)buf_add_char(w->to, '"');
}

void jcs_bool(struct jcs *w, bool v)
{
    jcs_raw(w, v ? STR("true") : STR("false"));
}

void jcs_null(struct jcs *w)
{
    jcs_raw(w, STR("null"));
}

void jcs_hex(struct jcs *w, const void *bytes, size_t n)
{
    before_value(w);
    char *p = buf_space(w->to, TEXT_HEX_LEN(n) + 2);
    if (p == NULL)
        return;
    p[0] = '"';
    text_hex(bytes, n, p + 1);
    p[TEXT_HEX_LEN(n) + 1] = '"';
    buf_added(w->to, TEXT_HEX_LEN(n) + 2);
}

void jcs_raw(struct jcs *w, struct str json)
{
    before_value(w);
    (void)buf_add(w->to, json);
}

bool jcs_done(const struct jcs *w)
{
    return w->depth == 0 && w->state[0] == STATE_DONE && buf_ok(w->to);
}

void jcs_pair_str(struct jcs *w, struct str name, struct str s)
{
    jcs_name(w, name);
    jcs_str(w, s);
}

void jcs_pair_word(struct jcs *w, struct str name, struct str word)
{
    jcs_name(w, name);
    jcs_word(w, word);
}

void jcs_pair_i64(struct jcs *w, struct str name, int64_t v)
{
    jcs_name(w, name);
    jcs_i64(w, v);
}
