/* params_read.c - see params.h. */
#include "mcp/params.h"

#include "base/attr.h"
#include "mcp/params_forms.h"

/* What the forms have let through, taken out; what is optional stays empty. */
static struct str text_of(const struct json *v)
{
    struct str s = {NULL, 0};
    (void)!json_str(v, &s);
    return s;
}

static struct str member(const struct json *v, struct str name)
{
    return text_of(json_get(v, name));
}

static struct str digits(const struct json *v, struct str name)
{
    struct str s = {NULL, 0};
    (void)!json_number(json_get(v, name), &s);
    return s;
}

static struct message_id id_of(const struct json *v)
{
    struct message_id id = {MESSAGE_ID_NONE, {NULL, 0}};
    (void)!message_id_read(v, &id);
    return id;
}

static enum params_level level_of(const struct json *v)
{
    static const struct str words[] = {
        [PARAMS_DEBUG] = STR_INIT("debug"),
        [PARAMS_INFO] = STR_INIT("info"),
        [PARAMS_NOTICE] = STR_INIT("notice"),
        [PARAMS_WARNING] = STR_INIT("warning"),
        [PARAMS_ERROR] = STR_INIT("error"),
        [PARAMS_CRITICAL] = STR_INIT("critical"),
        [PARAMS_ALERT] = STR_INIT("alert"),
        [PARAMS_EMERGENCY] = STR_INIT("emergency"),
    };
    unsigned i = ARRAY_LEN(words) - 1;
    while (i > 0 && !json_is_string(v, words[i]))
        i--;
    return (enum params_level)i;
}

static void take_initialize(const struct json *v, struct params *p)
{
    const struct json *info = json_get(v, STR("clientInfo"));
    p->initialize.revision = member(v, STR("protocolVersion"));
    p->initialize.capabilities = json_get(v, STR("capabilities"));
    p->initialize.name = member(info, STR("name"));
    p->initialize.version = member(info, STR("version"));
}

static void take_page(const struct json *v, struct params *p)
{
    p->page.has_cursor = json_str(json_get(v, STR("cursor")), &p->page.cursor);
}

static void take_complete(const struct json *v, struct params *p)
{
    const struct json *ref = json_get(v, STR("ref"));
    const struct json *argument = json_get(v, STR("argument"));
    p->complete.is_prompt =
        json_is_string(json_get(ref, STR("type")), STR("ref/prompt"));
    p->complete.target =
        member(ref, p->complete.is_prompt ? STR("name") : STR("uri"));
    p->complete.name = member(argument, STR("name"));
    p->complete.value = member(argument, STR("value"));
    p->complete.others =
        json_get(json_get(v, STR("context")), STR("arguments"));
}

static void take_log(const struct json *v, struct params *p)
{
    p->log.level = level_of(json_get(v, STR("level")));
    p->log.logger = member(v, STR("logger"));
    p->log.data = json_get(v, STR("data"));
}

static void take_progress(const struct json *v, struct params *p)
{
    p->token = id_of(json_get(v, STR("progressToken")));
    p->progress.progress = digits(v, STR("progress"));
    p->progress.total = digits(v, STR("total"));
    p->progress.text = member(v, STR("message"));
}

static void take_sample(const struct json *v, struct params *p)
{
    p->sample.messages = json_get(v, STR("messages"));
    p->sample.tools = json_get(v, STR("tools"));
    p->sample.system = member(v, STR("systemPrompt"));
    p->sample.context = member(v, STR("includeContext"));
    (void)!json_i64(json_get(v, STR("maxTokens")), &p->sample.max_tokens);
}

static void take_elicit(const struct json *v, struct params *p)
{
    p->elicit.is_url = json_is_string(json_get(v, STR("mode")), STR("url"));
    p->elicit.text = member(v, STR("message"));
    p->elicit.url = member(v, STR("url"));
    p->elicit.id = member(v, STR("elicitationId"));
    p->elicit.schema = json_get(v, STR("requestedSchema"));
}

static void take(const struct json *v, struct params *p)
{
    switch (p->method) {
    case METHOD_INITIALIZE:
        take_initialize(v, p);
        break;
    case METHOD_TOOLS_LIST:
    case METHOD_RESOURCES_LIST:
    case METHOD_RESOURCES_TEMPLATES:
    case METHOD_PROMPTS_LIST:
        take_page(v, p);
        break;
    case METHOD_TOOLS_CALL:
        p->call.name = member(v, STR("name"));
        p->call.arguments = json_get(v, STR("arguments"));
        break;
    case METHOD_PROMPTS_GET:
        p->prompt.name = member(v, STR("name"));
        p->prompt.arguments = json_get(v, STR("arguments"));
        break;
    case METHOD_RESOURCES_READ:
    case METHOD_RESOURCES_SUBSCRIBE:
    case METHOD_RESOURCES_UNSUBSCRIBE:
    case METHOD_RESOURCE_UPDATED:
        p->resource.uri = member(v, STR("uri"));
        break;
    case METHOD_COMPLETE:
        take_complete(v, p);
        break;
    case METHOD_SET_LEVEL:
    case METHOD_LOG:
        take_log(v, p);
        break;
    case METHOD_CANCELLED:
        p->cancelled.request = id_of(json_get(v, STR("requestId")));
        p->cancelled.reason = member(v, STR("reason"));
        break;
    case METHOD_PROGRESS:
        take_progress(v, p);
        break;
    case METHOD_SAMPLE:
        take_sample(v, p);
        break;
    case METHOD_ELICIT:
        take_elicit(v, p);
        break;
    case METHOD_ELICITED:
        p->elicited.id = member(v, STR("elicitationId"));
        break;
    case METHOD_NONE:
    case METHOD_PING:
    case METHOD_ROOTS_LIST:
    case METHOD_INITIALIZED:
    case METHOD_ROOTS_CHANGED:
    case METHOD_RESOURCES_CHANGED:
    case METHOD_TOOLS_CHANGED:
    case METHOD_PROMPTS_CHANGED:
    case METHOD_COUNT:
        break;
    }
}

enum err params_read(struct arena *a, enum method m, enum revision r,
                     const struct json *v, struct params *ret,
                     struct fault *ret_fault)
{
    struct params p = {.method = m, .body = v};
    const struct json *checked = v;
    enum err e = ERR_OK;
    /* No params read like empty ones, so that what is required is missed. */
    if (v == NULL)
        e = json_read(a, STR("{}"), &checked, NULL);
    if (e != ERR_OK)
        return form_refuse(a, e, STR("/params"), STR(""), ret_fault);
    e = form_check(a, m == METHOD_INITIALIZE ? REVISION_NEWEST : r,
                   STR("/params"), params_forms_of(m), checked, ret_fault);
    if (e != ERR_OK)
        return e;
    p.meta = json_get(v, STR("_meta"));
    p.token = id_of(json_get(p.meta, STR("progressToken")));
    take(v, &p);
    *ret = p;
    return ERR_OK;
}
