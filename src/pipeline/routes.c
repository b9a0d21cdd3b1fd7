/* routes.c - see routes.h. */
#include "pipeline/routes.h"

#include "base/attr.h"
#include "base/limits.h"
#include "pipeline/mcp.h"
#include "pipeline/model.h"
#include "pipeline/model_list.h"

#define ALL (PLANE_DATA | PLANE_CONTROL | PLANE_ADMIN)
#define ADMIN (PLANE_CONTROL | PLANE_ADMIN)

/* clang-format off */
#define S STR_INIT
static const struct endpoint endpoints[] = {
    /* method    path                       kind              planes         class              action               operation       body */
    {S("GET"),  S("/healthz"),              ENDPOINT_HEALTH,  ALL,           NULL,              ACTION_NONE,         LLM_NONE,       64 * KIB},
    {S("POST"), S("/healthz"),              ENDPOINT_HEALTH,  ALL,           NULL,              ACTION_NONE,         LLM_NONE,       64 * KIB},
    {S("POST"), S("/v1/chat/completions"),  ENDPOINT_ACTION,  PLANE_DATA,    &model_class,      ACTION_MODEL_INVOKE, LLM_CHAT,       HTTP_BODY_MAX},
    {S("POST"), S("/v1/embeddings"),        ENDPOINT_ACTION,  PLANE_DATA,    &model_class,      ACTION_MODEL_EMBED,  LLM_EMBEDDINGS, HTTP_BODY_MAX},
    {S("GET"),  S("/v1/models"),            ENDPOINT_ACTION,  PLANE_DATA,    &model_list_class, ACTION_MODEL_INVOKE, LLM_NONE,       0},
    {S("GET"),  S("/v1/models/"),           ENDPOINT_ACTION,  PLANE_DATA,    &model_list_class, ACTION_MODEL_INVOKE, LLM_NONE,       0},
    {S("POST"), S("/mcp"),                  ENDPOINT_ACTION,  PLANE_DATA,    &mcp_class,        ACTION_TOOL_LIST,    LLM_NONE,       MCP_BODY_MAX},
    {S("GET"),  S("/mcp"),                  ENDPOINT_ACTION,  PLANE_DATA,    &mcp_class,        ACTION_TOOL_LIST,    LLM_NONE,       0},
    {S("DELETE"), S("/mcp"),                ENDPOINT_ACTION,  PLANE_DATA,    &mcp_class,        ACTION_TOOL_LIST,    LLM_NONE,       0},
    {S("POST"), S("/mcp/"),                 ENDPOINT_ACTION,  PLANE_DATA,    &mcp_class,        ACTION_TOOL_LIST,    LLM_NONE,       MCP_BODY_MAX},
    {S("GET"),  S("/mcp/"),                 ENDPOINT_ACTION,  PLANE_DATA,    &mcp_class,        ACTION_TOOL_LIST,    LLM_NONE,       0},
    {S("DELETE"), S("/mcp/"),               ENDPOINT_ACTION,  PLANE_DATA,    &mcp_class,        ACTION_TOOL_LIST,    LLM_NONE,       0},
    {S("GET"),  S("/readyz"),               ENDPOINT_READY,   ADMIN,         NULL,              ACTION_NONE,         LLM_NONE,       64 * KIB},
    {S("POST"), S("/readyz"),               ENDPOINT_READY,   ADMIN,         NULL,              ACTION_NONE,         LLM_NONE,       64 * KIB},
    {S("GET"),  S("/metrics"),              ENDPOINT_METRICS, ADMIN,         NULL,              ACTION_ADMIN_READ,   LLM_NONE,       64 * KIB},
    {S("GET"),  S("/admin/v1/"),            ENDPOINT_ADMIN,   ADMIN,         NULL,              ACTION_ADMIN_READ,   LLM_NONE,       64 * KIB},
    {S("POST"), S("/admin/v1/"),            ENDPOINT_ADMIN,   ADMIN,         NULL,              ACTION_ADMIN_READ,   LLM_NONE,       64 * KIB},
};
#undef S
/* clang-format on */

static_assert(ARRAY_LEN(endpoints) <= 32, "a linear scan is right up to here");

/* What of `path` lies behind the endpoint's, if it is that endpoint. */
static bool path_matches(const struct endpoint *e, struct str path,
                         struct str *ret_argument)
{
    bool prefix = e->path.ptr[e->path.len - 1] == '/';
    if (!str_starts(path, e->path) || (!prefix && path.len != e->path.len) ||
        (prefix && path.len == e->path.len))
        return false;
    *ret_argument = str_skip(path, e->path.len);
    return true;
}

enum endpoint_match routes_find(enum plane plane, struct str method,
                                struct str path, const struct endpoint **ret,
                                struct str *ret_argument)
{
    enum endpoint_match found = ENDPOINT_MATCH_NONE;

    for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
        const struct endpoint *e = &endpoints[i];
        if ((e->planes & (unsigned)plane) == 0 ||
            !path_matches(e, path, ret_argument))
            continue;
        found = ENDPOINT_MATCH_PATH;
        if (str_eq(e->method, method)) {
            *ret = e;
            return ENDPOINT_MATCH;
        }
    }
    return found;
}

void routes_allowed(enum plane plane, struct str path, struct buf *to)
{
    struct str argument;

    for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
        const struct endpoint *e = &endpoints[i];
        if ((e->planes & (unsigned)plane) == 0 ||
            !path_matches(e, path, &argument))
            continue;
        if (buf_str(to).len > 0)
            BUF_LIT(to, ", ");
        buf_add(to, e->method);
    }
}
