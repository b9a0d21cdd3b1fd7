/* method.c - see method.h. */
#include "mcp/method.h"

#include <assert.h>

/* clang-format off */
#define CLIENT METHOD_CLIENT
#define SERVER METHOD_SERVER
#define BOTH (METHOD_CLIENT | METHOD_SERVER)
#define OLDEST REVISION_2024_11_05

#define REQUEST(sender, name, since, policy, action, needs)                    \
    {STR_INIT(name), sender, false, since, policy, action, needs}
#define NOTICE(sender, name, since, policy, needs)                             \
    {STR_INIT("notifications/" name), sender, true, since, policy,             \
     ACTION_NONE, needs}

/* A list of resources or prompts says what can be read or got, so it is an
 * action of that kind; a subscription is a reading that goes on. */
static const struct method_row rows[METHOD_COUNT] = {
    [METHOD_NONE] = {STR_INIT(""), 0, false, REVISION_COUNT, METHOD_DECIDED,
        ACTION_NONE, 0},
    [METHOD_INITIALIZE] = REQUEST(CLIENT, "initialize", OLDEST,
        METHOD_LIFECYCLE, ACTION_NONE, 0),
    [METHOD_PING] = REQUEST(BOTH, "ping", OLDEST,
        METHOD_LIFECYCLE, ACTION_NONE, 0),
    [METHOD_TOOLS_LIST] = REQUEST(CLIENT, "tools/list", OLDEST,
        METHOD_FILTERED, ACTION_TOOL_LIST, METHOD_HAS_TOOLS),
    [METHOD_TOOLS_CALL] = REQUEST(CLIENT, "tools/call", OLDEST,
        METHOD_DECIDED, ACTION_TOOL_CALL, METHOD_HAS_TOOLS),
    [METHOD_RESOURCES_LIST] = REQUEST(CLIENT, "resources/list", OLDEST,
        METHOD_FILTERED, ACTION_RESOURCE_READ, METHOD_HAS_RESOURCES),
    [METHOD_RESOURCES_TEMPLATES] = REQUEST(CLIENT, "resources/templates/list",
        OLDEST, METHOD_FILTERED, ACTION_RESOURCE_READ, METHOD_HAS_RESOURCES),
    [METHOD_RESOURCES_READ] = REQUEST(CLIENT, "resources/read", OLDEST,
        METHOD_DECIDED, ACTION_RESOURCE_READ, METHOD_HAS_RESOURCES),
    [METHOD_RESOURCES_SUBSCRIBE] = REQUEST(CLIENT, "resources/subscribe",
        OLDEST, METHOD_DECIDED, ACTION_RESOURCE_READ, METHOD_HAS_SUBSCRIBE),
    [METHOD_RESOURCES_UNSUBSCRIBE] = REQUEST(CLIENT, "resources/unsubscribe",
        OLDEST, METHOD_FOLLOWS, ACTION_NONE, METHOD_HAS_SUBSCRIBE),
    [METHOD_PROMPTS_LIST] = REQUEST(CLIENT, "prompts/list", OLDEST,
        METHOD_FILTERED, ACTION_PROMPT_GET, METHOD_HAS_PROMPTS),
    [METHOD_PROMPTS_GET] = REQUEST(CLIENT, "prompts/get", OLDEST,
        METHOD_DECIDED, ACTION_PROMPT_GET, METHOD_HAS_PROMPTS),
    [METHOD_COMPLETE] = REQUEST(CLIENT, "completion/complete", OLDEST,
        METHOD_DECIDED, ACTION_COMPLETION_GET, METHOD_HAS_COMPLETIONS),
    [METHOD_SET_LEVEL] = REQUEST(CLIENT, "logging/setLevel", OLDEST,
        METHOD_FOLLOWS, ACTION_NONE, METHOD_HAS_LOGGING),
    [METHOD_ROOTS_LIST] = REQUEST(SERVER, "roots/list", OLDEST,
        METHOD_FOLLOWS, ACTION_NONE, METHOD_HAS_ROOTS),
    [METHOD_SAMPLE] = REQUEST(SERVER, "sampling/createMessage", OLDEST,
        METHOD_DECIDED, ACTION_SAMPLING_CREATE, METHOD_HAS_SAMPLING),
    [METHOD_ELICIT] = REQUEST(SERVER, "elicitation/create",
        REVISION_2025_06_18, METHOD_DECIDED, ACTION_ELICITATION_CREATE,
        METHOD_HAS_ELICITATION | METHOD_HAS_ELICITATION_URL),
    [METHOD_INITIALIZED] = NOTICE(CLIENT, "initialized", OLDEST,
        METHOD_LIFECYCLE, 0),
    [METHOD_CANCELLED] = NOTICE(BOTH, "cancelled", OLDEST,
        METHOD_FOLLOWS, 0),
    [METHOD_PROGRESS] = NOTICE(BOTH, "progress", OLDEST, METHOD_FOLLOWS, 0),
    [METHOD_ROOTS_CHANGED] = NOTICE(CLIENT, "roots/list_changed", OLDEST,
        METHOD_FOLLOWS, METHOD_HAS_ROOTS),
    [METHOD_LOG] = NOTICE(SERVER, "message", OLDEST,
        METHOD_FOLLOWS, METHOD_HAS_LOGGING),
    [METHOD_RESOURCE_UPDATED] = NOTICE(SERVER, "resources/updated", OLDEST,
        METHOD_FOLLOWS, METHOD_HAS_SUBSCRIBE),
    [METHOD_RESOURCES_CHANGED] = NOTICE(SERVER, "resources/list_changed",
        OLDEST, METHOD_FOLLOWS, METHOD_HAS_RESOURCES),
    [METHOD_TOOLS_CHANGED] = NOTICE(SERVER, "tools/list_changed", OLDEST,
        METHOD_FOLLOWS, METHOD_HAS_TOOLS),
    [METHOD_PROMPTS_CHANGED] = NOTICE(SERVER, "prompts/list_changed", OLDEST,
        METHOD_FOLLOWS, METHOD_HAS_PROMPTS),
    [METHOD_ELICITED] = NOTICE(SERVER, "elicitation/complete",
        REVISION_2025_11_25, METHOD_FOLLOWS, METHOD_HAS_ELICITATION_URL),
};
/* clang-format on */

const struct method_row *method_row(enum method m)
{
    assert((unsigned)m < METHOD_COUNT);
    return &rows[m];
}

enum method method_from(struct str name)
{
    for (unsigned m = METHOD_NONE + 1; m < METHOD_COUNT; m++) {
        if (str_eq(rows[m].name, name))
            return (enum method)m;
    }
    return METHOD_NONE;
}

static enum err refuse(struct fault *ret_fault, const char *text)
{
    *ret_fault = (struct fault){
        .err = ERR_UNSUPPORTED,
        .code = FAULT_METHOD,
        .pointer = STR("/method"),
        .text = str_from(text),
    };
    return ERR_UNSUPPORTED;
}

enum err method_find(const struct message *m, enum revision r, unsigned sender,
                     unsigned has, enum method *ret, struct fault *ret_fault)
{
    assert(m->kind == MESSAGE_REQUEST || m->kind == MESSAGE_NOTIFICATION);
    enum method found = method_from(m->method);
    const struct method_row *row = &rows[found];
    if (found == METHOD_NONE)
        return refuse(ret_fault, "the gateway does not know this method");
    if (row->is_notification != (m->kind == MESSAGE_NOTIFICATION))
        return refuse(ret_fault,
                      row->is_notification
                          ? "this method is a notification and has no id"
                          : "this method is a request and needs an id");
    if (r < row->since)
        return refuse(ret_fault,
                      "the protocol revision of this session does not have "
                      "this method");
    if ((row->senders & sender) == 0)
        return refuse(ret_fault, "this side does not send this method");
    if (row->needs != 0 && (row->needs & has) == 0)
        return refuse(ret_fault,
                      "the capability for this method was not announced");
    *ret = found;
    return ERR_OK;
}
