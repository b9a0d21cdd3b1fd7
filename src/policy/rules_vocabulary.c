/*
 * rules_vocabulary.c - see rules_vocabulary.h.
 *
 * Walks the tokens of a text that parses, so a name is what is followed by
 * "::" or stands behind `is`, and an annotation what stands behind "@".
 */
#include "policy/rules_vocabulary.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"
#include "cedar/lexer.h"
#include "policy/rules_report.h"

enum { NAME_MAX = 160, FAR = 3 };

static const struct str types[] = {
    STR_INIT("User"),       STR_INIT("Application"), STR_INIT("Workload"),
    STR_INIT("Agent"),      STR_INIT("Group"),       STR_INIT("Tenant"),
    STR_INIT("Model"),      STR_INIT("ModelGroup"),  STR_INIT("Tool"),
    STR_INIT("ToolServer"), STR_INIT("ToolGroup"),   STR_INIT("Action"),
    STR_INIT("Endpoint"),   STR_INIT("Dataset"),     STR_INIT("Resource"),
    STR_INIT("Prompt"),     STR_INIT("Host"),        STR_INIT("Credential"),
};

static struct str type_at(size_t i)
{
    return i < ARRAY_LEN(types) ? types[i] : (struct str){NULL, 0};
}

static struct str action_at(size_t i)
{
    return i < ACTION_COUNT - 1 ? action_kind_name((enum action_kind)(i + 1))
                                : (struct str){NULL, 0};
}

typedef struct str word_at(size_t i); /* empty behind the last */

static bool is_word(word_at *at, struct str word)
{
    for (size_t i = 0; at(i).len > 0; i++) {
        if (str_eq(at(i), word))
            return true;
    }
    return false;
}

/* The word that was meant, or an empty one. */
static struct str nearest(word_at *at, struct str word)
{
    struct str best = {NULL, 0};
    unsigned least = FAR;
    for (size_t i = 0; at(i).len > 0; i++) {
        unsigned d =
            str_eq_nocase(at(i), word) ? 0 : text_distance(at(i), word);
        if (d < least) {
            least = d;
            best = at(i);
        }
    }
    return best;
}

struct str rules_vocabulary_own(struct str type)
{
    struct str space = STR(RULES_NAMESPACE);
    return str_starts(type, space) ? str_skip(type, space.len)
                                   : (struct str){NULL, 0};
}

static bool refuse_type(struct str type, struct str meant, char *why)
{
    struct buf text;
    buf_init_lent(&text, why, RULES_TEXT_MAX - 1);
    buf_addf(&text, "there is no entity type %.*s",
             STR_FMT(str_first(type, 80)));
    if (meant.len > 0)
        buf_addf(&text, "; did you mean " RULES_NAMESPACE "%.*s?",
                 STR_FMT(meant));
    why[text.len] = 0;
    return false;
}

bool rules_vocabulary_type(struct str type, char *why)
{
    struct str own = rules_vocabulary_own(type);
    if (own.len > 0)
        return is_word(type_at, own) ||
               refuse_type(type, nearest(type_at, own), why);

    /* "User" and "Wirt::User" are slips, too; "Acme::User" is not. */
    struct str space = str_first(type, str_find(type, ':'));
    struct str rest = str_skip(type, space.len + 2);
    if (space.len == type.len && is_word(type_at, type))
        return refuse_type(type, type, why);
    if (rest.len > 0 && is_word(type_at, rest) &&
        (str_eq_nocase(space, STR("Writ")) ||
         text_distance(space, STR("Writ")) == 1))
        return refuse_type(type, rest, why);
    return true;
}

/* A walk over the tokens of a file. */
struct walk {
    const struct rules_file *file;
    struct rules_errors *errors; /* NULL: `each` is called instead */
    const struct settings *settings;
    rules_vocabulary_each *each;
    void *user;
    struct lexer lexer;
    struct lexer_token token;
    int before;        /* the sign before this token, or 0 */
    bool has_approval; /* of the policy whose effect comes next */
    size_t approval;   /* its offset */
};

struct str rules_vocabulary_server(struct str id)
{
    size_t slash = str_find(id, '/');
    return slash + 1 < id.len ? str_first(id, slash) : STR("");
}

static bool is_sign(const struct walk *w, int sign)
{
    return w->token.kind == TOKEN_SIGN && w->token.sign == sign;
}

static void advance(struct walk *w)
{
    w->before = w->token.kind == TOKEN_SIGN ? w->token.sign : 0;
    w->token = lexer_next(&w->lexer);
}

static struct lexer_token next_of(const struct walk *w)
{
    struct lexer ahead = w->lexer;
    return lexer_next(&ahead);
}

static bool is_group(const struct settings *s, struct str name)
{
    for (size_t i = 0; s != NULL && i < s->approvals.group_count; i++) {
        if (str_eq(s->approvals.groups[i].name, name))
            return true;
    }
    return s == NULL; /* nobody knows */
}

/* Behind "@approval": ("group"). */
static void check_approval(struct walk *w)
{
    struct lexer ahead = w->lexer;
    struct lexer_token open = lexer_next(&ahead);
    struct lexer_token value = lexer_next(&ahead);
    bool has_value = open.kind == TOKEN_SIGN &&
                     open.sign == LEXER_SIGN('(', 0) &&
                     value.kind == TOKEN_STRING;
    w->has_approval = true;
    w->approval = w->token.offset;
    if (!has_value || value.text.len == 0)
        rules_report_at(w->errors, w->file, w->token.offset,
                        "@approval has to name a group of approvals.groups");
    else if (value.text.len > NAME_MAX_LEN ||
             str_find(value.text, '\\') < value.text.len)
        rules_report_at(w->errors, w->file, value.offset,
                        "the name of a group is at most %zu characters "
                        "without escapes",
                        NAME_MAX_LEN);
    else if (!is_group(w->settings, value.text))
        rules_report_at(w->errors, w->file, value.offset,
                        "there is no group \"%.*s\" in approvals.groups",
                        STR_FMT(str_first(value.text, 80)));
}

/* At `permit` or `forbid`: an approval never replaces a permit. */
static void check_effect(struct walk *w)
{
    if (w->has_approval && str_eq(w->token.text, STR("permit")))
        rules_report_at(w->errors, w->file, w->approval,
                        "@approval is for a forbid, which people may lift");
    if (str_eq(w->token.text, STR("permit")) ||
        str_eq(w->token.text, STR("forbid")))
        w->has_approval = false;
}

/* Behind "@". */
static void check_annotation(struct walk *w)
{
    static const struct str obligations[] = {
        STR_INIT("step_up"), STR_INIT("redact"), STR_INIT("cap_tokens"),
        STR_INIT("ttl"),     STR_INIT("record"), STR_INIT("declassify"),
    };
    struct str key = w->token.text;
    if (str_eq(key, STR("approval"))) {
        check_approval(w);
        return;
    }
    if (str_eq(key, STR("id")) || str_eq(key, STR("owner")) ||
        str_starts(key, STR("x_")))
        return;
    for (size_t i = 0; i < ARRAY_LEN(obligations); i++) {
        if (str_eq(key, obligations[i])) {
            rules_report_at(w->errors, w->file, w->token.offset,
                            "@%.*s: obligations are not supported by this "
                            "version",
                            STR_FMT(key));
            return;
        }
    }
    rules_report_at(w->errors, w->file, w->token.offset,
                    "@%.*s is no annotation; there are id, owner, approval and "
                    "those that begin with x_",
                    STR_FMT(str_first(key, 60)));
}

static bool is_equality(int sign)
{
    return sign == LEXER_SIGN('=', '=') || sign == LEXER_SIGN('!', '=');
}

/* A call is a member of this group, and never the group itself: what is only
 * compared with it would be silent about every call. */
static void check_group(struct walk *w, int before)
{
    struct lexer_token after = next_of(w);
    if (!is_equality(before) &&
        !(after.kind == TOKEN_SIGN && is_equality(after.sign)))
        return;
    rules_report_at(w->errors, w->file, w->token.offset,
                    "no call is equal to \"tool:call\", the group of all of "
                    "them; write: action in " RULES_NAMESPACE
                    "Action::\"tool:call\"");
}

static void refuse_action(struct walk *w, struct str id)
{
    struct str meant = nearest(action_at, id);
    if (meant.len == 0)
        rules_report_at(w->errors, w->file, w->token.offset,
                        "there is no action \"%.*s\"",
                        STR_FMT(str_first(id, 80)));
    else
        rules_report_at(w->errors, w->file, w->token.offset,
                        "there is no action \"%.*s\"; did you mean \"%.*s\"?",
                        STR_FMT(str_first(id, 80)), STR_FMT(meant));
}

/* `before` is the sign in front of the action's type, or 0. */
static void check_action(struct walk *w, int before)
{
    struct str begin = STR(RULES_TOOL_ACTION);
    struct str id = w->token.text;
    if (str_eq(id, action_kind_name(ACTION_TOOL_CALL))) {
        check_group(w, before);
    } else if (str_starts(id, begin)) {
        if (rules_vocabulary_server(str_skip(id, begin.len)).len == 0)
            rules_report_at(w->errors, w->file, w->token.offset,
                            "the call of a tool is "
                            "\"tool:call/<server>/<tool>\"");
    } else if (!is_word(action_at, id)) {
        refuse_action(w, id);
    }
}

/* Where a name began: the text's offset, and the sign in front of it. */
struct began {
    size_t offset;
    int before;
};

/* Says what is wrong with a type or an action's id, or calls `each`. */
static void check_type(struct walk *w, struct str type, struct began at)
{
    char why[RULES_TEXT_MAX];
    bool has_id = w->token.kind == TOKEN_STRING;
    if (w->errors == NULL) {
        const struct rules_vocabulary_entity e = {w->file,
                                                  rules_vocabulary_own(type),
                                                  w->token.text,
                                                  w->token.offset};
        if (has_id && e.type.len > 0)
            w->each(w->user, &e);
    } else if (!rules_vocabulary_type(type, why)) {
        rules_report_at(w->errors, w->file, at.offset, "%s", why);
    } else if (has_id && str_eq(type, STR(RULES_NAMESPACE "Action"))) {
        check_action(w, at.before);
    }
}

/* A name of any number of parts and, at times, an id. */
static void check_name(struct walk *w, bool is_type)
{
    char room[NAME_MAX];
    struct buf name;
    const struct began at = {w->token.offset, w->before};
    buf_init_lent(&name, room, sizeof(room));
    for (;;) {
        buf_add(&name, w->token.text);
        advance(w);
        if (!is_sign(w, LEXER_SIGN(':', ':')))
            break;
        is_type = true;
        advance(w);
        if (w->token.kind != TOKEN_NAME)
            break;
        BUF_LIT(&name, "::");
    }
    if (is_type && buf_ok(&name)) /* none of ours is longer */
        check_type(w, buf_str(&name), at);
}

static void walk(struct walk *w)
{
    w->lexer = (struct lexer){.text = w->file->text};
    for (advance(w);
         w->token.kind != TOKEN_END && w->token.kind != TOKEN_BAD;) {
        if (w->token.kind == TOKEN_NAME) {
            bool is = str_eq(w->token.text, STR("is"));
            check_effect(w);
            if (is)
                advance(w);
            if (w->token.kind == TOKEN_NAME)
                check_name(w, is);
            continue;
        }
        int sign = w->token.kind == TOKEN_SIGN ? w->token.sign : 0;
        advance(w);
        if (sign == LEXER_SIGN('@', 0) && w->errors != NULL)
            check_annotation(w);
        if (sign == LEXER_SIGN('@', 0) || sign == LEXER_SIGN('.', 0))
            advance(w); /* a name that is no type's */
    }
}

void rules_vocabulary_check(const struct rules_file *file,
                            const struct settings *s,
                            struct rules_errors *errors)
{
    struct walk w = {.file = file, .errors = errors, .settings = s};
    walk(&w);
}

void rules_vocabulary_entities(const struct rules_file *file,
                               rules_vocabulary_each *each, void *user)
{
    struct walk w = {.file = file, .each = each, .user = user};
    walk(&w);
}
