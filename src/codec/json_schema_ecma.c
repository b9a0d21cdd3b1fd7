/*
 * json_schema_ecma.c - regular expressions of ECMA-262, written for PCRE2.
 *
 * The two look alike and differ in what "." leaves out, what \s is, what
 * follows a backslash, and much more.  So a pattern is read by the grammar of
 * ECMA-262 (with the u flag) and written anew: every character that is not a
 * letter or digit as \x{...}, groups without capturing, \s spelled out.  What
 * is in neither grammar, or means different things with and without the u
 * flag, is refused.  Taken as an exception is what is an error with u and has
 * one meaning without: "\-" and other escaped punctuation, a lone "{" or
 * "}", a "-" beside a class like in "[\w-.]".
 */
#include "codec/json_schema_compiler.h"

enum { GROUPS_MAX = 32, REPEATS_MAX = 65535, NO_CHAR = -1 };

/* What was read last, for what may be repeated. */
enum piece { PIECE_NONE, PIECE_ATOM };

struct ecma {
    struct str in;
    size_t at;
    struct buf *out;
    const char *why;
    enum piece last;
    bool looks;
    uint64_t states;
    uint64_t states_before; /* the last piece */
    struct {
        uint64_t states;
        bool is_look; /* ahead or behind: not repeated */
    } open[GROUPS_MAX];
    unsigned depth;
};

#define SPACES                                                                 \
    "\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}"         \
    "\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}"
#define NO_SPACES                                                              \
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}"              \
    "\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}"                \
    "\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}"                \
    "\\x{ff00}-\\x{10ffff}"

static bool refuse(struct ecma *e, const char *why)
{
    e->why = why;
    return false;
}

static int peek(const struct ecma *e)
{
    return e->at < e->in.len ? (unsigned char)e->in.ptr[e->at] : NO_CHAR;
}

static bool eat(struct ecma *e, const char *text)
{
    struct str wanted = str_from(text);
    if (wanted.len > e->in.len - e->at ||
        memcmp(e->in.ptr + e->at, wanted.ptr, wanted.len) != 0)
        return false;
    e->at += wanted.len;
    return true;
}

/* The next code point; the text is UTF-8 and not at its end. */
static uint32_t next(struct ecma *e)
{
    uint32_t c = (unsigned char)e->in.ptr[e->at++];
    if (c < 0x80)
        return c;
    c &= c >= 0xf0 ? 0x07 : c >= 0xe0 ? 0x0f : 0x1f;
    while ((peek(e) & 0xc0) == 0x80 && peek(e) != NO_CHAR) {
        c = c << 6 | (uint32_t)(peek(e) & 0x3f);
        e->at++;
    }
    return c;
}

static bool is_alnum(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z');
}

static void put(struct ecma *e, const char *text)
{
    buf_add(e->out, str_from(text));
}

static void put_char(struct ecma *e, uint32_t c)
{
    if (is_alnum(c))
        buf_add_char(e->out, (char)c);
    else
        buf_addf(e->out, "\\x{%x}", (unsigned)c);
}

/* `n` hex digits, or NO_CHAR. */
static int64_t hex(struct ecma *e, unsigned n)
{
    int64_t v = 0;
    for (unsigned i = 0; i < n; i++, e->at++) {
        int c = peek(e);
        if (c >= '0' && c <= '9')
            v = v * 16 + (c - '0');
        else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
            v = v * 16 + ((c | 0x20) - 'a' + 10);
        else
            return NO_CHAR;
    }
    return v;
}

/* Behind "\u": "{1F600}", "0041", or two halves of a pair. */
static int64_t unicode(struct ecma *e)
{
    if (eat(e, "{")) {
        int64_t v = 0;
        unsigned digits = 0;
        while (!eat(e, "}")) {
            int64_t digit = hex(e, 1);
            if (digit == NO_CHAR || v > 0x10ffff)
                return NO_CHAR;
            v = v * 16 + digit;
            digits++;
        }
        return digits == 0 || v > 0x10ffff ? NO_CHAR : v;
    }
    int64_t v = hex(e, 4);
    if (v >= 0xd800 && v <= 0xdbff && eat(e, "\\u")) {
        int64_t low = hex(e, 4);
        bool fits = low >= 0xdc00 && low <= 0xdfff;
        return fits ? 0x10000 + (v - 0xd800) * 1024 + (low - 0xdc00) : NO_CHAR;
    }
    return v;
}

/* The character behind a backslash that stands for one; NO_CHAR if none. */
static int64_t escaped_char(struct ecma *e)
{
    static const char from[] = "tnvfr0";
    static const char to[] = "\t\n\v\f\r";
    int c = peek(e);
    if (c == NO_CHAR || c >= 0x80)
        return NO_CHAR;
    e->at++;
    const char *found = c == '\0' ? NULL : strchr(from, c);
    if (found != NULL) {
        bool is_octal = c == '0' && peek(e) >= '0' && peek(e) <= '9';
        return is_octal ? NO_CHAR : to[found - from];
    }
    if (c == 'x')
        return hex(e, 2);
    if (c == 'u')
        return unicode(e);
    if (c == 'c') {
        int letter = peek(e);
        bool is_letter = letter > '9' && is_alnum((uint32_t)letter);
        e->at += is_letter;
        return is_letter ? letter & 0x1f : NO_CHAR;
    }
    /* Punctuation stands for itself. */
    return is_alnum((uint32_t)c) || c < 0x20 || c == 0x7f ? NO_CHAR : c;
}

/* Behind "\p" or "\P": "{Letter}", "{L}", "{gc=L}". */
static bool property(struct ecma *e, bool is_not)
{
    if (!eat(e, "{"))
        return refuse(e, "\\p without a property");
    struct str rest = {e->in.ptr + e->at, 0};
    while (peek(e) != '}' && peek(e) != NO_CHAR) {
        e->at++;
        rest.len++;
    }
    if (!eat(e, "}"))
        return refuse(e, "\\p without a property");
    const char *name = json_schema_unicode_name(rest);
    if (name == NULL)
        return refuse(e, "a Unicode property that is not supported");
    put(e, is_not ? "\\P{" : "\\p{");
    put(e, name);
    put(e, "}");
    return true;
}

/* Behind a backslash: a class of characters, written as in a class.  False
 * and no reason: it is none. */
static bool escaped_class(struct ecma *e)
{
    static const char *const classes[][2] = {
        {"d", "0-9"}, {"D", "\\D"},  {"w", "A-Za-z0-9_"},
        {"W", "\\W"}, {"s", SPACES}, {"S", NO_SPACES},
    };
    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        if (eat(e, classes[i][0])) {
            put(e, classes[i][1]);
            return true;
        }
    }
    if (eat(e, "p"))
        return property(e, false);
    return eat(e, "P") && property(e, true);
}

/* One end of a range, or a class, which is written at once (NO_CHAR). */
static bool class_atom(struct ecma *e, int64_t *ret)
{
    *ret = NO_CHAR;
    if (!eat(e, "\\")) {
        *ret = next(e);
        return true;
    }
    if (escaped_class(e))
        return true;
    if (e->why != NULL)
        return false;
    *ret = eat(e, "b") ? '\b' : escaped_char(e);
    if (*ret == NO_CHAR || (*ret >= 0xd800 && *ret <= 0xdfff))
        return refuse(e, "an escape that ECMA-262 does not know");
    return true;
}

static bool class_range(struct ecma *e)
{
    int64_t low, high;
    if (!class_atom(e, &low))
        return false;
    if (low == NO_CHAR)
        return true;
    struct str rest = str_skip(e->in, e->at);
    if (rest.len < 2 || rest.ptr[0] != '-' || rest.ptr[1] == ']') {
        put_char(e, (uint32_t)low);
        return true;
    }
    e->at++;
    size_t before = e->out->len;
    if (!class_atom(e, &high))
        return false;
    if (high == NO_CHAR || high < low || e->out->len != before)
        return refuse(e, "a range that does not rise");
    put_char(e, (uint32_t)low);
    put(e, "-");
    put_char(e, (uint32_t)high);
    return true;
}

/* Behind "[". */
static bool class(struct ecma *e)
{
    if (eat(e, "^]")) {
        put(e, "[\\x{0}-\\x{10ffff}]");
        return true;
    }
    if (eat(e, "]")) {
        put(e, "[^\\x{0}-\\x{10ffff}]");
        return true;
    }
    put(e, eat(e, "^") ? "[^" : "[");
    while (!eat(e, "]")) {
        if (peek(e) == NO_CHAR)
            return refuse(e, "a class that does not end");
        if (!class_range(e))
            return false;
    }
    put(e, "]");
    return true;
}

/* Behind "(". */
static bool open_group(struct ecma *e)
{
    static const char *const looks[] = {"?=", "?!", "?<=", "?<!"};
    if (e->depth == GROUPS_MAX)
        return refuse(e, "groups are nested too deeply");
    bool is_look = false;
    const char *as = "?:";
    for (size_t i = 0; i < ARRAY_LEN(looks) && !is_look; i++) {
        is_look = eat(e, looks[i]);
        if (is_look)
            as = looks[i];
    }
    if (!is_look && !eat(e, "?:") && eat(e, "?")) {
        if (!eat(e, "<"))
            return refuse(e, "a group that ECMA-262 does not know");
        size_t before = e->at;
        while (peek(e) == '_' || peek(e) == '$' ||
               (peek(e) != NO_CHAR && is_alnum((uint32_t)peek(e))))
            e->at++;
        if (e->at == before || !eat(e, ">"))
            return refuse(e, "a group that ECMA-262 does not know");
    }
    e->looks = e->looks || is_look;
    put(e, "(");
    put(e, as);
    e->open[e->depth].states = e->states;
    e->open[e->depth].is_look = is_look;
    e->depth++;
    e->last = PIECE_NONE;
    return true;
}

static bool close_group(struct ecma *e)
{
    if (e->depth == 0)
        return refuse(e, "a bracket that was not opened");
    e->depth--;
    put(e, ")");
    e->states_before = e->open[e->depth].states;
    e->last = e->open[e->depth].is_look ? PIECE_NONE : PIECE_ATOM;
    return true;
}

static bool count(struct ecma *e, uint64_t *ret)
{
    size_t before = e->at;
    uint64_t v = 0;
    while (peek(e) >= '0' && peek(e) <= '9') {
        v = v > REPEATS_MAX ? v : v * 10 + (uint64_t)(peek(e) - '0');
        e->at++;
    }
    *ret = v;
    return e->at > before;
}

/* "{3}", "{3,}", "{3,5}".  Another "{" is one (*ret_is_char), unless it could
 * be read as "{0,5}". */
static bool braces(struct ecma *e, bool *ret_is_char)
{
    size_t before = e->at;
    uint64_t low;
    uint64_t high = 0;
    e->at++;
    bool has_low = count(e, &low);
    bool has_comma = eat(e, ",");
    bool has_high = has_comma && count(e, &high);
    *ret_is_char = !eat(e, "}") || (!has_low && !has_high);
    if (*ret_is_char) {
        e->at = before + 1;
        put_char(e, '{');
        e->states_before = e->states++;
        e->last = PIECE_ATOM;
        return true;
    }
    if (!has_low || e->last == PIECE_NONE)
        return refuse(e, "there is nothing to repeat");
    if (!has_high)
        high = low;
    if (high < low || high > REPEATS_MAX)
        return refuse(e, "a count that does not rise, or is too large");
    buf_add(e->out, (struct str){e->in.ptr + before, e->at - before});
    uint64_t repeated = e->states - e->states_before;
    e->states = e->states_before + repeated * (high > 0 ? high : 1);
    return true;
}

static bool quantifier(struct ecma *e)
{
    bool is_char = false;
    if (peek(e) == '{') {
        if (!braces(e, &is_char) || is_char)
            return is_char;
    } else {
        if (e->last == PIECE_NONE)
            return refuse(e, "there is nothing to repeat");
        buf_add_char(e->out, (char)next(e));
    }
    if (eat(e, "?"))
        put(e, "?");
    e->last = PIECE_NONE;
    return true;
}

/* Behind a backslash, outside of a class. */
static bool escape(struct ecma *e)
{
    if (peek(e) == 'b' || peek(e) == 'B') {
        put(e, next(e) == 'b' ? "\\b" : "\\B");
        e->last = PIECE_NONE;
        return true;
    }
    if ((peek(e) >= '1' && peek(e) <= '9') || peek(e) == 'k')
        return refuse(e, "references to groups are not supported");
    put(e, "[");
    size_t before = e->out->len;
    if (escaped_class(e)) {
        put(e, "]");
    } else if (e->why != NULL) {
        return false;
    } else {
        int64_t c = escaped_char(e);
        if (c == NO_CHAR || (c >= 0xd800 && c <= 0xdfff))
            return refuse(e, "an escape that ECMA-262 does not know");
        e->out->len = before - 1;
        put_char(e, (uint32_t)c);
    }
    e->states_before = e->states++;
    e->last = PIECE_ATOM;
    return true;
}

static bool atom(struct ecma *e)
{
    uint32_t c = next(e);
    e->states_before = e->states;
    if (c == '^' || c == '$' || c == '|') {
        buf_add_char(e->out, (char)c);
        e->last = PIECE_NONE;
        return true;
    }
    if (c == '(')
        return open_group(e);
    if (c == ')')
        return close_group(e);
    if (c == '\\')
        return escape(e);
    if (c == ']')
        return refuse(e, "a bracket that was not opened");
    e->states++;
    e->last = PIECE_ATOM;
    if (c == '[')
        return class(e);
    if (c == '.')
        put(e, "[^\\x{a}\\x{d}\\x{2028}\\x{2029}]");
    else
        put_char(e, c);
    return true;
}

bool json_schema_ecma_translate(struct str pattern, struct buf *to,
                                uint64_t *ret_states, bool *ret_looks,
                                const char **ret_why)
{
    struct ecma e = {.in = pattern, .out = to};
    bool fits = true;
    while (fits && e.at < e.in.len) {
        int c = peek(&e);
        fits = c == '*' || c == '+' || c == '?' || c == '{' ? quantifier(&e)
                                                            : atom(&e);
        if (e.states > UINT32_MAX)
            e.states = UINT32_MAX;
    }
    if (fits && e.depth > 0)
        fits = refuse(&e, "a group that does not end");
    if (fits && !buf_ok(to))
        fits = refuse(&e, "is too long");
    *ret_why = e.why;
    *ret_states = e.states;
    *ret_looks = e.looks;
    return fits;
}
