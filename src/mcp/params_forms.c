/*
 * params_forms.c - see params_forms.h.
 *
 * In the order of the schemas: what all share, content, tools, and then the
 * methods.  The numbers are there so that nothing is unbounded; texts that a
 * model reads are bounded by the message alone.
 */
#include "mcp/params_forms.h"

#include <assert.h>

#include "base/attr.h"
#include "mcp/params.h"
#include "mcp/tool.h"

/* clang-format off */
#define WORDS(...) (const char *const[]){__VA_ARGS__, NULL}
#define ROWS(...) (const struct form_row[]){__VA_ARGS__, {0}}
#define V2 REVISION_2025_03_26
#define V3 REVISION_2025_06_18
#define V4 REVISION_2025_11_25
#define ALL REVISION_NONE

enum {
    SHORT_MAX = 256,    /* titles, versions, media types */
    SCHEMA_MAX = 262144, /* text of one JSON Schema */
    OPEN_MAX = 65536,   /* text of what is not looked into */
    ARGUMENTS_MAX = 64, /* of prompts: they are strings by name */
};

static bool is_clean(struct str s, const char **ret_why)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x20 || c == 0x7f) {
            *ret_why = "a name has no control characters";
            return false;
        }
    }
    return true;
}

/* MCP 2025-11-25, "Tools", tool names. */
static bool is_tool_name(struct str s, const char **ret_why)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool digit = c >= '0' && c <= '9';
        if (!letter && !digit && c != '_' && c != '-' && c != '.') {
            *ret_why = "the name of a tool is made of letters, digits and "
                       "_ - .";
            return false;
        }
    }
    return true;
}

/* A scheme and visible ASCII (RFC 3986, RFC 6570); whether anybody may read
 * it is not decided here. */
static bool is_uri(struct str s, const char **ret_why)
{
    size_t colon = str_find(s, ':');
    bool ok = colon > 0 && colon < s.len &&
              ((s.ptr[0] | 0x20) >= 'a' && (s.ptr[0] | 0x20) <= 'z');
    for (size_t i = 0; ok && i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool digit = c >= '0' && c <= '9';
        ok = i < colon ? letter || digit || c == '+' || c == '-' || c == '.'
                       : c > 0x20 && c < 0x7f && str_find(STR("\"<>\\^`"), c) == 6;
    }
    if (!ok)
        *ret_why = "this must be an absolute URI";
    return ok;
}

static const struct form boolean = {.kind = FORM_BOOL};
static const struct form id = {.kind = FORM_ID};
static const struct form text = {.kind = FORM_STRING};
static const struct form brief = {.kind = FORM_STRING, .max = SHORT_MAX};
static const struct form name = {
    .kind = FORM_STRING, .min = 1, .max = PARAMS_NAME_MAX, .check = is_clean};
static const struct form tool_name = {
    .kind = FORM_STRING, .min = 1, .max = PARAMS_NAME_MAX,
    .check = is_tool_name};
static const struct form uri = {
    .kind = FORM_STRING, .min = 1, .max = PARAMS_URI_MAX, .check = is_uri};
static const struct form cursor = {
    .kind = FORM_STRING, .max = PARAMS_CURSOR_MAX};
static const struct form number = {.kind = FORM_NUMBER};
static const struct form share = {.kind = FORM_NUMBER, .max = 1};
static const struct form size = {.kind = FORM_INT, .max = INT64_MAX};
static const struct form open = {.kind = FORM_OPEN, .max = OPEN_MAX};
static const struct form anything = {.kind = FORM_ANY, .max = OPEN_MAX};
static const struct form unbounded = {.kind = FORM_ANY};
static const struct form unread = {.kind = FORM_OPEN};
static const struct form schema = {.kind = FORM_OPEN, .max = SCHEMA_MAX,
    .rows = ROWS({"type", &(const struct form){
        .kind = FORM_STRING, .words = WORDS("object")}, true, ALL})};
static const struct form task = {.kind = FORM_DENIED,
    .why = "the gateway does not take tasks: call without this member"};
static const struct form strings = {
    .kind = FORM_MAP, .max = ARGUMENTS_MAX, .of = &text};

static const struct form meta = {.kind = FORM_OPEN, .max = PARAMS_META_MAX,
    .rows = ROWS({"progressToken", &id, false, ALL})};
#define META {"_meta", &meta, false, ALL}

static const struct form role = {
    .kind = FORM_STRING, .words = WORDS("user", "assistant")};

static const struct form icons = {.kind = FORM_ARRAY, .max = 16,
    .of = &(const struct form){.kind = FORM_OBJECT, .rows = ROWS(
        {"src", &(const struct form){.kind = FORM_STRING, .max = OPEN_MAX},
            true, ALL},
        {"mimeType", &brief, false, ALL},
        {"sizes", &(const struct form){
            .kind = FORM_ARRAY, .max = 16, .of = &brief}, false, ALL},
        {"theme", &(const struct form){
            .kind = FORM_STRING, .words = WORDS("light", "dark")}, false,
            ALL})}};

static const struct form who = {.kind = FORM_OBJECT, .rows = ROWS(
    {"name", &(const struct form){.kind = FORM_STRING, .max = SHORT_MAX,
        .check = is_clean}, true, ALL},
    {"version", &(const struct form){.kind = FORM_STRING, .max = SHORT_MAX,
        .check = is_clean}, true, ALL},
    {"title", &brief, false, ALL},
    {"description", &(const struct form){
        .kind = FORM_STRING, .max = OPEN_MAX}, false, ALL},
    {"icons", &icons, false, ALL},
    {"websiteUrl", &(const struct form){
        .kind = FORM_STRING, .max = PARAMS_URI_MAX}, false, ALL})};

/* --- content ------------------------------------------------------------ */

static const struct form notes = {.kind = FORM_OBJECT, .rows = ROWS(
    {"audience", &(const struct form){
        .kind = FORM_ARRAY, .max = 2, .of = &role}, false, ALL},
    {"priority", &share, false, ALL},
    {"lastModified", &brief, false, V3})};
#define NOTES {"annotations", &notes, false, ALL}

static const struct form part_text = {.kind = FORM_OBJECT, .rows = ROWS(
    {"type", &brief, true, ALL},
    {"text", &text, true, ALL}, NOTES, META)};

static const struct form part_media = {.kind = FORM_OBJECT, .rows = ROWS(
    {"type", &brief, true, ALL},
    {"data", &text, true, ALL},
    {"mimeType", &brief, true, ALL}, NOTES, META)};

static const struct form part_resource = {.kind = FORM_OBJECT, .rows = ROWS(
    {"type", &brief, true, ALL},
    {"resource", &(const struct form){.kind = FORM_OBJECT, .rows = ROWS(
        {"uri", &uri, true, ALL},
        {"mimeType", &brief, false, ALL},
        {"text", &text, false, ALL},
        {"blob", &text, false, ALL}, META)}, true, ALL}, NOTES, META)};

static const struct form part_link = {.kind = FORM_OBJECT, .rows = ROWS(
    {"type", &brief, true, ALL},
    {"uri", &uri, true, ALL},
    {"name", &name, true, ALL},
    {"title", &brief, false, ALL},
    {"description", &text, false, ALL},
    {"mimeType", &brief, false, ALL},
    {"size", &size, false, ALL},
    {"icons", &icons, false, V4}, NOTES, META)};

static const struct form results = {.kind = FORM_ARRAY, .max = 1024,
    .of = &(const struct form){.kind = FORM_TAGGED, .tag = "type",
        .rows = ROWS(
        {"text", &part_text, false, ALL},
        {"image", &part_media, false, ALL},
        {"audio", &part_media, false, ALL},
        {"resource", &part_resource, false, ALL},
        {"resource_link", &part_link, false, ALL})}};

static const struct form part_use = {.kind = FORM_OBJECT, .rows = ROWS(
    {"type", &brief, true, ALL},
    {"id", &brief, true, ALL},
    {"name", &tool_name, true, ALL},
    {"input", &unread, true, ALL}, META)};

static const struct form part_result = {.kind = FORM_OBJECT, .rows = ROWS(
    {"type", &brief, true, ALL},
    {"toolUseId", &brief, true, ALL},
    {"content", &results, true, ALL},
    {"structuredContent", &unread, false, ALL},
    {"isError", &boolean, false, ALL}, META)};

static const struct form sampled = {.kind = FORM_ARRAY, .min = 1, .max = 1024,
    .of = &(const struct form){.kind = FORM_OBJECT, .rows = ROWS(
        {"role", &role, true, ALL},
        {"content", &(const struct form){.kind = FORM_PARTS, .min = 1,
            .max = 1024, .of = &(const struct form){
            .kind = FORM_TAGGED, .tag = "type", .rows = ROWS(
            {"text", &part_text, false, ALL},
            {"image", &part_media, false, ALL},
            {"audio", &part_media, false, V2},
            {"tool_use", &part_use, false, V4},
            {"tool_result", &part_result, false, V4})}}, true, ALL},
        META)}};

/* --- tools -------------------------------------------------------------- */

static const struct form hints = {.kind = FORM_OBJECT, .rows = ROWS(
    {"title", &brief, false, ALL},
    {"readOnlyHint", &boolean, false, ALL},
    {"destructiveHint", &boolean, false, ALL},
    {"idempotentHint", &boolean, false, ALL},
    {"openWorldHint", &boolean, false, ALL})};

/* A server may write more than the revision has; it is its own word either
 * way, and what is not pinned is not passed on. */
const struct form params_forms_tool = {.kind = FORM_OBJECT, .rows = ROWS(
    {"name", &(const struct form){.kind = FORM_STRING, .min = 1,
        .max = NAME_MAX_LEN, .check = is_tool_name}, true, ALL},
    {"title", &brief, false, ALL},
    {"description", &(const struct form){
        .kind = FORM_STRING, .max = OPEN_MAX}, false, ALL},
    {"inputSchema", &schema, true, ALL},
    {"outputSchema", &schema, false, ALL},
    {"annotations", &hints, false, ALL},
    {"icons", &icons, false, ALL},
    {"execution", &(const struct form){.kind = FORM_OBJECT, .rows = ROWS(
        {"taskSupport", &(const struct form){.kind = FORM_STRING,
            .words = WORDS("forbidden", "optional", "required")}, false,
            ALL})}, false, ALL}, META)};

const struct form params_forms_tools = {.kind = FORM_OBJECT, .rows = ROWS(
    {"tools", &(const struct form){.kind = FORM_ARRAY, .max = TOOL_PAGE_MAX,
        .of = &unbounded}, true, ALL},
    {"nextCursor", &cursor, false, ALL}, META)};

/* --- initialize --------------------------------------------------------- */

/* What is announced is read and not passed on, so only its types matter. */
static const struct form said = {.kind = FORM_OPEN, .max = OPEN_MAX};
static const struct form said_each = {
    .kind = FORM_MAP, .max = 64, .of = &said};

static const struct form client_can = {.kind = FORM_OBJECT, .rows = ROWS(
    {"experimental", &said_each, false, ALL},
    {"extensions", &said_each, false, ALL},
    {"roots", &said, false, ALL},
    {"sampling", &said, false, ALL},
    {"elicitation", &said, false, ALL},
    {"tasks", &said, false, ALL})};

static const struct form server_can = {.kind = FORM_OBJECT, .rows = ROWS(
    {"experimental", &said_each, false, ALL},
    {"extensions", &said_each, false, ALL},
    {"tools", &said, false, ALL},
    {"resources", &said, false, ALL},
    {"prompts", &said, false, ALL},
    {"completions", &said, false, ALL},
    {"logging", &said, false, ALL},
    {"tasks", &said, false, ALL})};

static const struct form dated = {
    .kind = FORM_STRING, .min = 1, .max = 64, .check = is_clean};

static const struct form initialize = {.kind = FORM_OBJECT, .rows = ROWS(
    {"protocolVersion", &dated, true, ALL},
    {"capabilities", &client_can, true, ALL},
    {"clientInfo", &who, true, ALL}, META)};

const struct form params_forms_initialized = {.kind = FORM_OBJECT,
    .rows = ROWS(
    {"protocolVersion", &dated, true, ALL},
    {"capabilities", &server_can, true, ALL},
    {"serverInfo", &who, true, ALL},
    {"instructions", &(const struct form){
        .kind = FORM_STRING, .max = OPEN_MAX}, false, ALL}, META)};

/* --- what a client sends ------------------------------------------------ */

static const struct form nothing = {.kind = FORM_OBJECT, .rows = ROWS(META)};

static const struct form page = {.kind = FORM_OBJECT, .rows = ROWS(
    {"cursor", &cursor, false, ALL}, META)};

static const struct form tools_call = {.kind = FORM_OBJECT, .rows = ROWS(
    {"name", &tool_name, true, ALL},
    {"arguments", &unread, false, ALL},
    {"task", &task, false, V4}, META)};

static const struct form resource = {.kind = FORM_OBJECT, .rows = ROWS(
    {"uri", &uri, true, ALL}, META)};

static const struct form prompts_get = {.kind = FORM_OBJECT, .rows = ROWS(
    {"name", &name, true, ALL},
    {"arguments", &strings, false, ALL}, META)};

static const struct form completion = {.kind = FORM_OBJECT, .rows = ROWS(
    {"ref", &(const struct form){.kind = FORM_TAGGED, .tag = "type",
        .rows = ROWS(
        {"ref/prompt", &(const struct form){.kind = FORM_OBJECT, .rows = ROWS(
            {"type", &brief, true, ALL},
            {"name", &name, true, ALL},
            {"title", &brief, false, V3})}, false, ALL},
        {"ref/resource", &(const struct form){.kind = FORM_OBJECT,
            .rows = ROWS(
            {"type", &brief, true, ALL},
            {"uri", &uri, true, ALL})}, false, ALL})}, true, ALL},
    {"argument", &(const struct form){.kind = FORM_OBJECT, .rows = ROWS(
        {"name", &name, true, ALL},
        {"value", &(const struct form){
            .kind = FORM_STRING, .max = OPEN_MAX}, true, ALL})}, true, ALL},
    {"context", &(const struct form){.kind = FORM_OBJECT, .rows = ROWS(
        {"arguments", &strings, false, ALL})}, false, V3}, META)};

static const struct form level = {.kind = FORM_STRING, .words = WORDS(
    "debug", "info", "notice", "warning", "error", "critical", "alert",
    "emergency")};

static const struct form set_level = {.kind = FORM_OBJECT, .rows = ROWS(
    {"level", &level, true, ALL}, META)};

/* --- what both send ----------------------------------------------------- */

static const struct form cancelled = {.kind = FORM_OBJECT, .rows = ROWS(
    {"requestId", &id, true, ALL},
    {"reason", &(const struct form){
        .kind = FORM_STRING, .max = PARAMS_REASON_MAX}, false, ALL}, META)};

static const struct form progress = {.kind = FORM_OBJECT, .rows = ROWS(
    {"progressToken", &id, true, ALL},
    {"progress", &number, true, ALL},
    {"total", &number, false, ALL},
    {"message", &(const struct form){
        .kind = FORM_STRING, .max = PARAMS_REASON_MAX}, false, V2}, META)};

/* --- what a server sends ------------------------------------------------ */

static const struct form message = {.kind = FORM_OBJECT, .rows = ROWS(
    {"level", &level, true, ALL},
    {"logger", &brief, false, ALL},
    {"data", &unbounded, true, ALL}, META)};

static const struct form sample = {.kind = FORM_OBJECT, .rows = ROWS(
    {"messages", &sampled, true, ALL},
    {"maxTokens", &(const struct form){
        .kind = FORM_INT, .min = 1, .max = INT32_MAX}, true, ALL},
    {"modelPreferences", &(const struct form){.kind = FORM_OBJECT,
        .rows = ROWS(
        {"hints", &(const struct form){.kind = FORM_ARRAY, .max = 64,
            .of = &(const struct form){.kind = FORM_OBJECT, .rows = ROWS(
                {"name", &brief, false, ALL})}}, false, ALL},
        {"costPriority", &share, false, ALL},
        {"speedPriority", &share, false, ALL},
        {"intelligencePriority", &share, false, ALL})}, false, ALL},
    {"systemPrompt", &text, false, ALL},
    {"includeContext", &(const struct form){.kind = FORM_STRING,
        .words = WORDS("none", "thisServer", "allServers")}, false, ALL},
    {"temperature", &number, false, ALL},
    {"stopSequences", &(const struct form){
        .kind = FORM_ARRAY, .max = 64, .of = &brief}, false, ALL},
    {"metadata", &open, false, ALL},
    {"tools", &(const struct form){.kind = FORM_ARRAY, .max = 256,
        .of = &params_forms_tool}, false, V4},
    {"toolChoice", &(const struct form){.kind = FORM_OBJECT, .rows = ROWS(
        {"mode", &(const struct form){.kind = FORM_STRING,
            .words = WORDS("auto", "none", "required")}, false, ALL})},
        false, V4},
    {"task", &task, false, V4}, META)};

/* A flat form: each field is a primitive, or a choice among strings. */
static const struct form field = {.kind = FORM_OBJECT, .rows = ROWS(
    {"type", &(const struct form){.kind = FORM_STRING, .words = WORDS(
        "string", "number", "integer", "boolean", "array")}, true, ALL},
    {"title", &brief, false, ALL},
    {"description", &(const struct form){
        .kind = FORM_STRING, .max = OPEN_MAX}, false, ALL},
    {"format", &(const struct form){.kind = FORM_STRING, .words = WORDS(
        "email", "uri", "date", "date-time")}, false, ALL},
    {"minLength", &size, false, ALL},
    {"maxLength", &size, false, ALL},
    {"minimum", &number, false, ALL},
    {"maximum", &number, false, ALL},
    {"minItems", &size, false, V4},
    {"maxItems", &size, false, V4},
    {"enum", &(const struct form){
        .kind = FORM_ARRAY, .max = 1024, .of = &brief}, false, ALL},
    {"enumNames", &(const struct form){
        .kind = FORM_ARRAY, .max = 1024, .of = &brief}, false, ALL},
    {"oneOf", &anything, false, V4},
    {"items", &open, false, V4},
    {"default", &anything, false, ALL})};

static const struct form elicit_form = {.kind = FORM_OBJECT, .rows = ROWS(
    {"mode", &brief, false, V4},
    {"message", &text, true, ALL},
    {"requestedSchema", &(const struct form){.kind = FORM_OBJECT, .rows = ROWS(
        {"$schema", &brief, false, ALL},
        {"type", &(const struct form){
            .kind = FORM_STRING, .words = WORDS("object")}, true, ALL},
        {"properties", &(const struct form){
            .kind = FORM_MAP, .max = 256, .of = &field}, true, ALL},
        {"required", &(const struct form){
            .kind = FORM_ARRAY, .max = 256, .of = &brief}, false, ALL})},
        true, ALL},
    {"task", &task, false, V4}, META)};

static const struct form elicit_url = {.kind = FORM_OBJECT, .rows = ROWS(
    {"mode", &brief, true, ALL},
    {"message", &text, true, ALL},
    {"url", &uri, true, ALL},
    {"elicitationId", &brief, true, ALL},
    {"task", &task, false, V4}, META)};

static const struct form elicit = {.kind = FORM_TAGGED, .tag = "mode",
    .rows = ROWS(
    {"", &elicit_form, false, V3},
    {"form", &elicit_form, false, V4},
    {"url", &elicit_url, false, V4})};

static const struct form elicited = {.kind = FORM_OBJECT, .rows = ROWS(
    {"elicitationId", &brief, true, ALL}, META)};

static const struct form refused = {.kind = FORM_NOTHING};

static const struct form *const forms[METHOD_COUNT] = {
    [METHOD_NONE] = &refused,
    [METHOD_INITIALIZE] = &initialize,
    [METHOD_PING] = &nothing,
    [METHOD_TOOLS_LIST] = &page,
    [METHOD_TOOLS_CALL] = &tools_call,
    [METHOD_RESOURCES_LIST] = &page,
    [METHOD_RESOURCES_TEMPLATES] = &page,
    [METHOD_RESOURCES_READ] = &resource,
    [METHOD_RESOURCES_SUBSCRIBE] = &resource,
    [METHOD_RESOURCES_UNSUBSCRIBE] = &resource,
    [METHOD_PROMPTS_LIST] = &page,
    [METHOD_PROMPTS_GET] = &prompts_get,
    [METHOD_COMPLETE] = &completion,
    [METHOD_SET_LEVEL] = &set_level,
    [METHOD_ROOTS_LIST] = &nothing,
    [METHOD_SAMPLE] = &sample,
    [METHOD_ELICIT] = &elicit,
    [METHOD_INITIALIZED] = &nothing,
    [METHOD_CANCELLED] = &cancelled,
    [METHOD_PROGRESS] = &progress,
    [METHOD_ROOTS_CHANGED] = &nothing,
    [METHOD_LOG] = &message,
    [METHOD_RESOURCE_UPDATED] = &resource,
    [METHOD_RESOURCES_CHANGED] = &nothing,
    [METHOD_TOOLS_CHANGED] = &nothing,
    [METHOD_PROMPTS_CHANGED] = &nothing,
    [METHOD_ELICITED] = &elicited,
};
/* clang-format on */

const struct form *params_forms_of(enum method m)
{
    assert((unsigned)m < METHOD_COUNT && forms[m] != NULL);
    return forms[m];
}
