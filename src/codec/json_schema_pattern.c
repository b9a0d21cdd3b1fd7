/*
 * json_schema_pattern.c - matching patterns, by PCRE2.
 *
 * The DFA matcher keeps all states at once and reads the subject one time,
 * so there is no backtracking for a pattern to abuse.  What it would do for
 * a pattern that may begin anywhere, start again behind every character, is
 * avoided by a ".*?" in front.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "codec/json_schema_check.h"
#include "codec/json_schema_compiler.h"

enum {
    WORKSPACE = 1000,  /* of PCRE2's ints: some 160 states at once */
    STATES_MAX = 160,  /* more do not fit */
    STATES_A_STEP = 4, /* states a byte that cost one step */
    LOOKS_A_BYTE = 2,  /* look-arounds in one match, each its own match, */
    LOOKS_FIRST = 16,  /* beside so many, */
    LOOKED_AT_MAX = 2000000, /* and so many bytes that they may look at */
    LOOKED_AT_A_STEP = 16,   /* of these in a step, if there is one state */
    LOOKS_NESTED_MAX = 8,    /* in each other */
    HEAP_KIB = 256,
    BLOCK_HEAD = 16, /* keeps what follows aligned */
};

/* What each thread that matches needs, made with the first pattern. */
struct json_schema_matcher {
    pcre2_match_context *context;
    pcre2_match_data *data;
};

/* PCRE2's memory comes from an arena; the newest block can be given back. */
static void *take(size_t size, void *arena)
{
    char *block = size > SIZE_MAX - BLOCK_HEAD
                      ? NULL
                      : arena_alloc_raw(arena, size + BLOCK_HEAD);
    if (block == NULL)
        return NULL;
    memcpy(block, &size, sizeof(size));
    return block + BLOCK_HEAD;
}

static void give(void *p, void *arena)
{
    if (p == NULL)
        return;
    size_t size;
    char *block = (char *)p - BLOCK_HEAD;
    memcpy(&size, block, sizeof(size));
    arena_shrink(arena, block, size + BLOCK_HEAD, 0);
}

static const uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY |
                                PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE;

static enum err compile(struct arena *a, struct str text, pcre2_code **ret)
{
    int why;
    size_t where;
    pcre2_general_context *memory = pcre2_general_context_create(take, give, a);
    pcre2_compile_context *context =
        memory == NULL ? NULL : pcre2_compile_context_create(memory);
    if (context == NULL)
        return ERR_LIMIT;
    *ret = pcre2_compile((PCRE2_SPTR)text.ptr, text.len, options, &why, &where,
                         context);
    if (*ret != NULL)
        return ERR_OK;
    return why == PCRE2_ERROR_HEAP_FAILED ? ERR_LIMIT : ERR_UNSUPPORTED;
}

/* `text` begins with `prefix`, whose bracket it closes at its end. */
static enum err compile_anchored(struct arena *a, struct str text,
                                 size_t prefix, pcre2_code **ret)
{
    uint32_t set = 0;
    struct str plain = str_skip(text, prefix);
    plain.len--;
    enum err e = compile(a, plain, ret);
    if (e != ERR_OK)
        return e;
    if (pcre2_pattern_info(*ret, PCRE2_INFO_ALLOPTIONS, &set) == 0 &&
        (set & PCRE2_ANCHORED) != 0)
        return ERR_OK;
    pcre2_code_free(*ret);
    return compile(a, text, ret);
}

static enum err compile_text(struct json_schema_compiler *c, struct str text,
                             struct json_schema_pattern *to,
                             const char **ret_why)
{
    static const char prefix[] = "(?s:.*?)(?:";
    struct buf as;
    pcre2_code *code = NULL;
    enum err e = ERR_UNSUPPORTED;
    buf_init(&as, JSON_SCHEMA_PATTERN_ROOM);
    BUF_LIT(&as, prefix);
    if (json_schema_ecma_translate(text, &as, &to->weight, &to->looks,
                                   ret_why)) {
        *ret_why = "a pattern that is not supported, or is too large";
        if (buf_add_char(&as, ')'))
            e = compile_anchored(c->arena, buf_str(&as), sizeof(prefix) - 1,
                                 &code);
        to->code = code;
    }
    buf_release(&as);
    return e;
}

enum err json_schema_pattern_compile(struct json_schema_compiler *c,
                                     enum json_schema_keyword k,
                                     struct str text, const struct json *at,
                                     const struct json_schema_pattern **ret)
{
    const char *why = NULL;
    if (text.len > JSON_SCHEMA_PATTERN_MAX || c->left.patterns == 0)
        return json_schema_compile_failed(
            c, ERR_LIMIT, k, at, "there are too many patterns, or one is long");
    c->left.patterns--;
    struct json_schema_pattern *p =
        COMPILE_NEW(c, struct json_schema_pattern, 1);
    if (p == NULL)
        return ERR_LIMIT;
    enum err e = compile_text(c, text, p, &why);
    if (e == ERR_OK && c->arena->used - c->arena_start > c->left.bytes)
        e = ERR_LIMIT; /* what PCRE2 took counts too */
    if (e != ERR_OK)
        return json_schema_compile_failed(c, e, k, at, why);
    uint64_t states = p->weight < STATES_MAX ? p->weight : STATES_MAX;
    p->weight = 1 + states / STATES_A_STEP;
    p->text = text;
    *ret = p;
    return ERR_OK;
}

static struct json_schema_matcher *matcher(struct json_schema_check *k)
{
    if (k->matcher != NULL)
        return k->matcher;
    struct json_schema_matcher *m =
        ARENA_NEW(k->scratch, struct json_schema_matcher, 1);
    pcre2_general_context *memory =
        m == NULL ? NULL : pcre2_general_context_create(take, give, k->scratch);
    if (memory == NULL)
        return NULL;
    m->context = pcre2_match_context_create(memory);
    m->data = pcre2_match_data_create(1, memory);
    if (m->context == NULL || m->data == NULL ||
        pcre2_set_depth_limit(m->context, LOOKS_NESTED_MAX) != 0 ||
        pcre2_set_heap_limit(m->context, HEAP_KIB) != 0)
        return NULL;
    k->matcher = m;
    return m;
}

/* How many times a match may look around. */
static uint64_t looks_for(const struct json_schema_pattern *p, size_t len)
{
    uint64_t looks = (uint64_t)len * LOOKS_A_BYTE;
    uint64_t most = len == 0 ? 0 : LOOKED_AT_MAX / len;
    return p->looks ? LOOKS_FIRST + (looks < most ? looks : most) : 1;
}

static int match(const struct json_schema_matcher *m,
                 const struct json_schema_pattern *p, struct str subject)
{
    int workspace[WORKSPACE] UNINITIALIZED;
    uint64_t looks = looks_for(p, subject.len);
    if (pcre2_set_match_limit(m->context, (uint32_t)looks) != 0)
        return PCRE2_ERROR_INTERNAL;
    return pcre2_dfa_match(p->code,
                           (PCRE2_SPTR)(subject.len > 0 ? subject.ptr : ""),
                           subject.len, 0,
                           PCRE2_ANCHORED | PCRE2_NO_UTF_CHECK |
                               PCRE2_DFA_SHORTEST,
                           m->data, m->context, workspace, WORKSPACE);
}

bool json_schema_pattern_check(struct json_schema_check *k,
                               const struct json_schema_pattern *p,
                               struct str subject)
{
    enum { MATCH_STEPS = 8 };
    uint64_t steps = MATCH_STEPS + subject.len;
    if (p->looks)
        steps += looks_for(p, subject.len) * subject.len / LOOKED_AT_A_STEP;
    if (!json_schema_spend(k, steps * p->weight))
        return false;
    const struct json_schema_matcher *m = matcher(k);
    int found = m == NULL ? PCRE2_ERROR_NOMEMORY : match(m, p, subject);
    if (found < 0 && found != PCRE2_ERROR_NOMATCH)
        k->err = ERR_LIMIT;
    return found >= 0;
}
