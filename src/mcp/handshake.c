/* handshake.c - see handshake.h. */
#include "mcp/handshake.h"

#include "base/attr.h"
#include "mcp/form.h"
#include "mcp/params_forms.h"

static bool is_true(const struct json *v)
{
    bool b;
    return json_bool(v, &b) && b;
}

/* An empty object means a form alone, as before there were modes. */
static unsigned elicitation(const struct json *v)
{
    unsigned has = 0;
    if (v == NULL)
        return 0;
    if (json_get(v, STR("url")) != NULL)
        has |= METHOD_HAS_ELICITATION_URL;
    if (json_get(v, STR("form")) != NULL || has == 0)
        has |= METHOD_HAS_ELICITATION;
    return has;
}

unsigned handshake_capabilities(const struct json *capabilities,
                                enum revision r)
{
    static const struct {
        struct str name;
        unsigned has;
    } plain[] = {
        {STR_INIT("tools"), METHOD_HAS_TOOLS},
        {STR_INIT("resources"), METHOD_HAS_RESOURCES},
        {STR_INIT("prompts"), METHOD_HAS_PROMPTS},
        {STR_INIT("completions"), METHOD_HAS_COMPLETIONS},
        {STR_INIT("logging"), METHOD_HAS_LOGGING},
        {STR_INIT("roots"), METHOD_HAS_ROOTS},
        {STR_INIT("sampling"), METHOD_HAS_SAMPLING},
    };
    unsigned has = elicitation(json_get(capabilities, STR("elicitation")));
    for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
        const struct json *v = json_get(capabilities, plain[i].name);
        has |= v != NULL ? plain[i].has : 0;
        if (is_true(json_get(v, STR("listChanged"))))
            has |= METHOD_HAS_CHANGES;
    }
    const struct json *resources = json_get(capabilities, STR("resources"));
    if (is_true(json_get(resources, STR("subscribe"))))
        has |= METHOD_HAS_SUBSCRIBE;
    /* Completions came before the capability for them. */
    unsigned completed = METHOD_HAS_PROMPTS | METHOD_HAS_RESOURCES;
    if (!revision_has(r, REVISION_COMPLETIONS) && (has & completed) != 0)
        has |= METHOD_HAS_COMPLETIONS;
    return has;
}

static struct str member(const struct json *v, struct str name)
{
    struct str s = {NULL, 0};
    (void)!json_str(json_get(v, name), &s);
    return s;
}

enum err handshake_read(struct arena *a, const struct json *result,
                        struct handshake *ret, struct fault *ret_fault)
{
    struct handshake h = {.revision = REVISION_NONE};
    const struct json *info = json_get(result, STR("serverInfo"));
    enum err e = form_check(a, REVISION_NEWEST, STR("/result"),
                            &params_forms_initialized, result, ret_fault);
    if (e != ERR_OK)
        return e;
    h.revision = revision_accept(member(result, STR("protocolVersion")));
    if (h.revision == REVISION_NONE)
        return form_refuse(a, ERR_UNSUPPORTED, STR("/result/protocolVersion"),
                           STR("the gateway does not speak this revision"),
                           ret_fault);
    h.has = handshake_capabilities(json_get(result, STR("capabilities")),
                                   h.revision);
    h.name = member(info, STR("name"));
    h.version = member(info, STR("version"));
    h.instructions = member(result, STR("instructions"));
    *ret = h;
    return ERR_OK;
}

static void write_pair(struct buf *to, struct str name, struct str value)
{
    json_write_str(to, name);
    (void)buf_add_char(to, ':');
    json_write_str(to, value);
}

/* {"name":{...}} for each that is announced; `listed` ones say listChanged. */
struct capability {
    struct str name;
    unsigned has;
    bool listed;
};

static void write_capabilities(struct buf *to, unsigned has,
                               const struct capability *list, size_t n)
{
    bool first = true;
    (void)BUF_LIT(to, "\"capabilities\":{");
    for (size_t i = 0; i < n; i++) {
        if ((has & list[i].has) == 0)
            continue;
        if (!first)
            (void)buf_add_char(to, ',');
        first = false;
        json_write_str(to, list[i].name);
        (void)BUF_LIT(to, ":{");
        bool subscribe = list[i].has == METHOD_HAS_RESOURCES &&
                         (has & METHOD_HAS_SUBSCRIBE) != 0;
        bool changes = list[i].listed && (has & METHOD_HAS_CHANGES) != 0;
        if (subscribe)
            (void)BUF_LIT(to, "\"subscribe\":true");
        if (subscribe && changes)
            (void)buf_add_char(to, ',');
        if (changes)
            (void)BUF_LIT(to, "\"listChanged\":true");
        if ((list[i].has & METHOD_HAS_ELICITATION_URL) != 0 &&
            (has & METHOD_HAS_ELICITATION_URL) != 0)
            (void)buf_add(to, (has & METHOD_HAS_ELICITATION) != 0
                                  ? STR("\"form\":{},\"url\":{}")
                                  : STR("\"url\":{}"));
        (void)buf_add_char(to, '}');
    }
    (void)buf_add_char(to, '}');
}

static void write_who(struct buf *to, struct str member_name,
                      const struct handshake_self *self)
{
    json_write_str(to, member_name);
    (void)BUF_LIT(to, ":{");
    write_pair(to, STR("name"), self->name);
    if (self->title.len > 0 && revision_has(self->revision, REVISION_TITLES)) {
        (void)buf_add_char(to, ',');
        write_pair(to, STR("title"), self->title);
    }
    (void)buf_add_char(to, ',');
    write_pair(to, STR("version"), self->version);
    (void)buf_add_char(to, '}');
}

void handshake_write_params(struct buf *to, const struct handshake_self *self)
{
    static const struct capability list[] = {
        {STR_INIT("elicitation"),
         METHOD_HAS_ELICITATION | METHOD_HAS_ELICITATION_URL, false},
        {STR_INIT("roots"), METHOD_HAS_ROOTS, true},
        {STR_INIT("sampling"), METHOD_HAS_SAMPLING, false},
    };
    (void)buf_add_char(to, '{');
    write_pair(to, STR("protocolVersion"), revision_name(self->revision));
    (void)buf_add_char(to, ',');
    write_capabilities(to, self->has, list, ARRAY_LEN(list));
    (void)buf_add_char(to, ',');
    write_who(to, STR("clientInfo"), self);
    (void)buf_add_char(to, '}');
}

void handshake_write_result(struct buf *to, const struct handshake_self *self)
{
    static const struct capability list[] = {
        {STR_INIT("completions"), METHOD_HAS_COMPLETIONS, false},
        {STR_INIT("logging"), METHOD_HAS_LOGGING, false},
        {STR_INIT("prompts"), METHOD_HAS_PROMPTS, true},
        {STR_INIT("resources"), METHOD_HAS_RESOURCES, true},
        {STR_INIT("tools"), METHOD_HAS_TOOLS, true},
    };
    (void)buf_add_char(to, '{');
    write_pair(to, STR("protocolVersion"), revision_name(self->revision));
    (void)buf_add_char(to, ',');
    write_capabilities(to, self->has, list, ARRAY_LEN(list));
    (void)buf_add_char(to, ',');
    write_who(to, STR("serverInfo"), self);
    if (self->instructions.len > 0) {
        (void)buf_add_char(to, ',');
        write_pair(to, STR("instructions"), self->instructions);
    }
    (void)buf_add_char(to, '}');
}
