/* api.c - see api.h. */
#include "admin/api.h"

#include "admin/agents.h"
#include "admin/answer.h"
#include "admin/budgets.h"
#include "admin/people.h"
#include "admin/sessions.h"
#include "admin/tickets.h"
#include "admin/tools.h"
#include "base/attr.h"
#include "base/limits.h"
#include "evidence/evidence.h"

#define STATUS_MAX (64 * KIB)

static void status(struct admin_call *c)
{
    struct buf body;

    buf_init(&body, STATUS_MAX);
    c->host->hooks.status(c->host->hooks.user, &body);
    answer_json(c, 200, &body);
    buf_release(&body);
}

/* clang-format off */
#define S STR_INIT
static const struct api_endpoint endpoints[] = {
    /* method    path                    action                anonymous  handler */
    {S("GET"),  S("status"),             ACTION_ADMIN_READ,    false, status},
    {S("GET"),  S("agents"),             ACTION_ADMIN_READ,    false, agents_list},
    {S("POST"), S("agents"),             ACTION_AGENT_WRITE,   false, agents_add},
    {S("POST"), S("agents/adopt"),       ACTION_AGENT_WRITE,   false, agents_adopt},
    {S("GET"),  S("agents/*"),           ACTION_ADMIN_READ,    false, agents_show},
    {S("POST"), S("agents/*/suspend"),   ACTION_REVOKE_WRITE,  false, agents_suspend},
    {S("POST"), S("agents/*/resume"),    ACTION_AGENT_WRITE,   false, agents_resume},
    {S("POST"), S("agents/*/retire"),    ACTION_REVOKE_WRITE,  false, agents_retire},
    {S("POST"), S("agents/*/rotate"),    ACTION_AGENT_WRITE,   false, agents_rotate},
    {S("GET"),  S("sessions"),           ACTION_ADMIN_READ,    false, sessions_list},
    {S("POST"), S("sessions/*/end"),     ACTION_REVOKE_WRITE,  false, sessions_end},
    {S("GET"),  S("budgets"),            ACTION_ADMIN_READ,    false, budgets_list},
    {S("GET"),  S("budgets/*"),          ACTION_ADMIN_READ,    false, budgets_show},
    {S("GET"),  S("approvals"),          ACTION_ADMIN_READ,    false, tickets_list},
    {S("GET"),  S("approvals/*"),        ACTION_ADMIN_READ,    false, tickets_show},
    {S("POST"), S("approvals/*/approve"), ACTION_APPROVAL_DECIDE, false, tickets_approve},
    {S("POST"), S("approvals/*/deny"),   ACTION_APPROVAL_DECIDE, false, tickets_deny},
    {S("GET"),  S("tools"),              ACTION_ADMIN_READ,    false, tools_list},
    {S("GET"),  S("tools/*"),            ACTION_ADMIN_READ,    false, tools_show},
    {S("POST"), S("tools/*/approve"),    ACTION_TOOL_APPROVE,  false, tools_approve},
    {S("POST"), S("login"),              ACTION_ADMIN_READ,    true,  people_login},
    {S("POST"), S("logout"),             ACTION_ADMIN_READ,    false, people_logout},
    {S("POST"), S("enrol"),              ACTION_CONFIG_WRITE,  true,  people_enrol},
    {S("POST"), S("enrol/code"),         ACTION_CONFIG_WRITE,  false, people_invite},
};
#undef S
/* clang-format on */

const struct api_endpoint *api_table(size_t *ret_count)
{
    *ret_count = ARRAY_LEN(endpoints);
    return endpoints;
}

/* Is `path` what `pattern` says? */
static bool matches(struct str pattern, struct str path, struct str *ret)
{
    size_t star = str_find(pattern, '*');
    struct str before = str_first(pattern, star);
    struct str behind = str_skip(pattern, star + 1);

    *ret = (struct str){NULL, 0};
    if (star == pattern.len)
        return str_eq(pattern, path);
    if (path.len <= before.len + behind.len || !str_starts(path, before) ||
        !str_eq(str_skip(path, path.len - behind.len), behind))
        return false;
    *ret = str_first(str_skip(path, before.len),
                     path.len - before.len - behind.len);
    return true;
}

const struct api_endpoint *api_find(struct str method, struct str path,
                                    struct str *ret_argument, bool *ret_known)
{
    *ret_known = false;
    for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
        if (!matches(endpoints[i].path, path, ret_argument))
            continue;
        *ret_known = true;
        if (str_eq(endpoints[i].method, method))
            return &endpoints[i];
    }
    return NULL;
}

void api_handle(struct admin_call *c)
{
    bool known;
    const struct api_endpoint *e =
        api_find(c->method, c->path, &c->argument, &known);

    c->pending = NULL;
    c->action = e == NULL ? ACTION_ADMIN_READ : e->action;
    if (c->author.id.len == 0 && (e == NULL || !e->anonymous)) {
        evidence_unknown(c->host->evidence, ERR_UNAUTHENTICATED, c->source);
        answer_refuse(c, ERR_UNAUTHENTICATED, NULL);
    } else if (e == NULL)
        answer_refuse(c, known ? ERR_METHOD : ERR_NOT_FOUND, NULL);
    else
        e->handle(c);
}

void api_cancel(struct admin_call *c)
{
    if (c->pending != NULL)
        c->pending->call = NULL;
    c->pending = NULL;
}
