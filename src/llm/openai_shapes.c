/*
 * openai_shapes.c - see openai_shapes.h.
 *
 * Refused on purpose, with a text of their own, is what would make the
 * provider act or remember by itself: those are actions of their own
 * (provider:tool, provider:state, egress:connect), and no policy speaks of
 * them yet.
 */
#include "llm/openai_shapes.h"

#include "base/limits.h"

/* clang-format off */
#define WHY_TOOL                                                               \
    "this makes the provider run a tool by itself (action provider:tool), "    \
    "which nothing permits"
#define WHY_STATE                                                              \
    "this makes the provider keep or reuse state (action provider:state), "    \
    "which nothing permits"
#define WHY_FETCH                                                              \
    "the provider would fetch this URL (action egress:connect), which "        \
    "nothing permits; send the content as a data: URL"

#define WORDS(...) (const char *const[]){__VA_ARGS__, NULL}
#define ROWS(...) (const struct shape_row[]){__VA_ARGS__, {0}}

/* Names that the model sees, and identifiers: short enough to be recorded. */
enum { NAME_BYTES = 256, ID_BYTES = 256, USER_BYTES = 512 };

static enum err model_check(struct str s, const char **ret_why)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x20 || c == 0x7f) {
            *ret_why = "the name of a model has no control characters";
            return ERR_MALFORMED;
        }
    }
    return ERR_OK;
}

/* "data:" as RFC 2397 writes it; whatever else has a scheme is fetched. */
static enum err url_check(struct str s, const char **ret_why)
{
    if (str_starts(s, STR("data:")))
        return ERR_OK;
    if (str_find(s, ':') < s.len || str_starts(s, STR("//"))) {
        *ret_why = WHY_FETCH;
        return ERR_DENIED;
    }
    *ret_why = "this must be a data: URL";
    return ERR_MALFORMED;
}

/* Base64, as it is or as a data: URL; a colon elsewhere near the front would
 * be a scheme, and a blank there could hide one. */
static enum err data_check(struct str s, const char **ret_why)
{
    static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/-_";
    struct str front = str_first(s, 256);
    if (str_find(front, ':') < front.len)
        return url_check(s, ret_why);
    if (s.len == 0 || strchr(base64, s.ptr[0]) != NULL)
        return ERR_OK;
    *ret_why = "this must be base64 or a data: URL";
    return ERR_MALFORMED;
}

static enum err retention_check(struct str s, const char **ret_why)
{
    if (!str_eq(s, STR("24h")))
        return ERR_OK;
    *ret_why = WHY_STATE;
    return ERR_DENIED;
}

static const struct shape boolean = {.kind = SHAPE_BOOL};
static const struct shape maybe_boolean = {
    .kind = SHAPE_BOOL, .flags = SHAPE_NULLABLE};
static const struct shape word = {.kind = SHAPE_STRING, .max = NAME_BYTES};
static const struct shape name = {
    .kind = SHAPE_STRING, .flags = SHAPE_TEXT, .min = 1, .max = NAME_BYTES};
static const struct shape id = {.kind = SHAPE_STRING, .max = ID_BYTES};
static const struct shape user = {
    .kind = SHAPE_STRING, .flags = SHAPE_NULLABLE, .max = USER_BYTES};
static const struct shape text = {.kind = SHAPE_STRING, .flags = SHAPE_TEXT};
static const struct shape maybe_text = {
    .kind = SHAPE_STRING, .flags = SHAPE_TEXT | SHAPE_NULLABLE};
static const struct shape data = {.kind = SHAPE_STRING, .check = data_check};
static const struct shape opaque = {.kind = SHAPE_OPAQUE, .flags = SHAPE_TEXT};
static const struct shape penalty = {
    .kind = SHAPE_NUMBER, .flags = SHAPE_NULLABLE, .min = -2, .max = 2};
static const struct shape count = {
    .kind = SHAPE_INT, .flags = SHAPE_NULLABLE, .min = 1, .max = INT32_MAX};
static const struct shape model = {
    .kind = SHAPE_STRING, .min = 1, .max = NAME_MAX_LEN, .check = model_check};
static const struct shape provider_tool = {
    .kind = SHAPE_DENIED, .why = WHY_TOOL};
static const struct shape provider_state = {
    .kind = SHAPE_DENIED, .why = WHY_STATE};

/* --- content ------------------------------------------------------------ */

static const struct shape cache_mark = {
    .kind = SHAPE_OBJECT, .flags = SHAPE_NULLABLE, .rows = ROWS(
    {"mode", &(const struct shape){
        .kind = SHAPE_STRING, .words = WORDS("explicit")}, true})};

static const struct shape part_text = {.kind = SHAPE_OBJECT, .rows = ROWS(
    {"type", &word, true},
    {"text", &text, true},
    {"prompt_cache_breakpoint", &cache_mark, false})};

static const struct shape part_image = {.kind = SHAPE_OBJECT, .rows = ROWS(
    {"type", &word, true},
    {"image_url", &(const struct shape){.kind = SHAPE_OBJECT, .rows = ROWS(
        {"url", &(const struct shape){
            .kind = SHAPE_STRING, .check = url_check}, true},
        {"detail", &(const struct shape){
            .kind = SHAPE_STRING, .words = WORDS("auto", "low", "high")},
            false})}, true},
    {"prompt_cache_breakpoint", &cache_mark, false})};

static const struct shape part_audio = {.kind = SHAPE_OBJECT, .rows = ROWS(
    {"type", &word, true},
    {"input_audio", &(const struct shape){.kind = SHAPE_OBJECT, .rows = ROWS(
        {"data", &data, true},
        {"format", &(const struct shape){
            .kind = SHAPE_STRING, .words = WORDS("wav", "mp3")}, true})}, true},
    {"prompt_cache_breakpoint", &cache_mark, false})};

static const struct shape part_file = {.kind = SHAPE_OBJECT, .rows = ROWS(
    {"type", &word, true},
    {"file", &(const struct shape){.kind = SHAPE_OBJECT, .rows = ROWS(
        {"file_id", &provider_state, false},
        {"file_data", &data, true},
        {"filename", &(const struct shape){
            .kind = SHAPE_STRING, .flags = SHAPE_TEXT, .max = 1024}, false})},
        true},
    {"prompt_cache_breakpoint", &cache_mark, false})};

static const struct shape part_refusal = {.kind = SHAPE_OBJECT, .rows = ROWS(
    {"type", &word, true},
    {"refusal", &text, true})};

static const struct shape parts_of_text = {
    .kind = SHAPE_ARRAY, .min = 1, .of = &(const struct shape){
    .kind = SHAPE_TAGGED, .tag = "type", .rows = ROWS(
    {"text", &part_text, false})}};

static const struct shape parts_of_user = {
    .kind = SHAPE_ARRAY, .min = 1, .of = &(const struct shape){
    .kind = SHAPE_TAGGED, .tag = "type", .rows = ROWS(
    {"text", &part_text, false},
    {"image_url", &part_image, false},
    {"input_audio", &part_audio, false},
    {"file", &part_file, false})}};

static const struct shape parts_of_assistant = {
    .kind = SHAPE_ARRAY, .min = 1, .of = &(const struct shape){
    .kind = SHAPE_TAGGED, .tag = "type", .rows = ROWS(
    {"text", &part_text, false},
    {"refusal", &part_refusal, false})}};

static const struct shape content = {.kind = SHAPE_EITHER, .rows = ROWS(
    {"", &text, false}, {"", &parts_of_text, false})};
static const struct shape content_of_user = {
    .kind = SHAPE_EITHER, .rows = ROWS(
    {"", &text, false}, {"", &parts_of_user, false})};
static const struct shape content_of_assistant = {
    .kind = SHAPE_EITHER, .flags = SHAPE_NULLABLE, .rows = ROWS(
    {"", &text, false}, {"", &parts_of_assistant, false})};

/* --- messages ----------------------------------------------------------- */

static const struct shape function_call = {.kind = SHAPE_OBJECT, .rows = ROWS(
    {"name", &name, true},
    {"arguments", &text, true})};
static const struct shape maybe_function_call = {
    .kind = SHAPE_OBJECT, .flags = SHAPE_NULLABLE, .rows = ROWS(
    {"name", &name, true},
    {"arguments", &text, true})};

static const struct shape tool_calls = {
    .kind = SHAPE_ARRAY, .flags = SHAPE_NULLABLE, .of = &(const struct shape){
    .kind = SHAPE_TAGGED, .tag = "type", .rows = ROWS(
    {"function", &(const struct shape){.kind = SHAPE_OBJECT, .rows = ROWS(
        {"id", &id, true},
        {"type", &word, true},
        {"function", &function_call, true})}, false},
    {"custom", &(const struct shape){.kind = SHAPE_OBJECT, .rows = ROWS(
        {"id", &id, true},
        {"type", &word, true},
        {"custom", &(const struct shape){.kind = SHAPE_OBJECT, .rows = ROWS(
            {"name", &name, true},
            {"input", &text, true})}, true})}, false})}};

static const struct shape message_system = {.kind = SHAPE_OBJECT, .rows = ROWS(
    {"role", &word, true},
    {"content", &content, true},
    {"name", &name, false})};

static const struct shape message_user = {.kind = SHAPE_OBJECT, .rows = ROWS(
    {"role", &word, true},
    {"content", &content_of_user, true},
    {"name", &name, false})};

/* What SDKs send back of an answer: its citations, which nobody fetches. */
static const struct shape annotations = {
    .kind = SHAPE_ARRAY, .flags = SHAPE_NULLABLE, .of = &(const struct shape){
    .kind = SHAPE_TAGGED, .tag = "type", .rows = ROWS(
    {"url_citation", &(const struct shape){.kind = SHAPE_OBJECT, .rows = ROWS(
        {"type", &word, true},
        {"url_citation", &opaque, true})}, false})}};

/* `audio` names an earlier answer that the provider kept. */
static const struct shape message_assistant = {
    .kind = SHAPE_OBJECT, .rows = ROWS(
    {"role", &word, true},
    {"content", &content_of_assistant, false},
    {"refusal", &maybe_text, false},
    {"name", &name, false},
    {"audio", &provider_state, false},
    {"annotations", &annotations, false},
    {"tool_calls", &tool_calls, false},
    {"function_call", &maybe_function_call, false})};

static const struct shape message_tool = {.kind = SHAPE_OBJECT, .rows = ROWS(
    {"role", &word, true},
    {"content", &content, true},
    {"tool_call_id", &id, true})};

static const struct shape message_function = {
    .kind = SHAPE_OBJECT, .rows = ROWS(
    {"role", &word, true},
    {"content", &maybe_text, true},
    {"name", &name, true})};

static const struct shape messages = {
    .kind = SHAPE_ARRAY, .min = 1, .of = &(const struct shape){
    .kind = SHAPE_TAGGED, .tag = "role", .rows = ROWS(
    {"developer", &message_system, false},
    {"system", &message_system, false},
    {"user", &message_user, false},
    {"assistant", &message_assistant, false},
    {"tool", &message_tool, false},
    {"function", &message_function, false})}};

/* --- tools -------------------------------------------------------------- */

static const struct shape function = {.kind = SHAPE_OBJECT, .rows = ROWS(
    {"name", &name, true},
    {"description", &maybe_text, false},
    {"parameters", &opaque, false},
    {"strict", &maybe_boolean, false})};

static const struct shape tool_format = {
    .kind = SHAPE_TAGGED, .tag = "type", .rows = ROWS(
    {"text", &(const struct shape){.kind = SHAPE_OBJECT, .rows = ROWS(
        {"type", &word, true})}, false},
    {"grammar", &(const struct shape){.kind = SHAPE_OBJECT, .rows = ROWS(
        {"type", &word, true},
        {"grammar", &(const struct shape){.kind = SHAPE_OBJECT, .rows = ROWS(
            {"definition", &text, true},
            {"syntax", &(const struct shape){.kind = SHAPE_STRING,
                .words = WORDS("lark", "regex")}, true})}, true})}, false})};

static const struct shape tools = {
    .kind = SHAPE_ARRAY, .flags = SHAPE_NULLABLE, .of = &(const struct shape){
    .kind = SHAPE_TAGGED, .tag = "type", .rows = ROWS(
    {"function", &(const struct shape){.kind = SHAPE_OBJECT, .rows = ROWS(
        {"type", &word, true},
        {"function", &function, true})}, false},
    {"custom", &(const struct shape){.kind = SHAPE_OBJECT, .rows = ROWS(
        {"type", &word, true},
        {"custom", &(const struct shape){.kind = SHAPE_OBJECT, .rows = ROWS(
            {"name", &name, true},
            {"description", &text, false},
            {"format", &tool_format, false})}, true})}, false},
    {"web_search", &provider_tool, false},
    {"web_search_preview", &provider_tool, false},
    {"file_search", &provider_tool, false},
    {"code_interpreter", &provider_tool, false},
    {"computer", &provider_tool, false},
    {"computer_use_preview", &provider_tool, false},
    {"image_generation", &provider_tool, false},
    {"mcp", &provider_tool, false},
    {"shell", &provider_tool, false},
    {"local_shell", &provider_tool, false},
    {"apply_patch", &provider_tool, false})}};

static const struct shape named = {.kind = SHAPE_OBJECT, .rows = ROWS(
    {"name", &name, true})};

static const struct shape_row named_tools[] = {
    {"function", &(const struct shape){.kind = SHAPE_OBJECT, .rows = ROWS(
        {"type", &word, true},
        {"function", &named, true})}, false},
    {"custom", &(const struct shape){.kind = SHAPE_OBJECT, .rows = ROWS(
        {"type", &word, true},
        {"custom", &named, true})}, false},
    {0}};

static const struct shape allowed_tools = {.kind = SHAPE_OBJECT, .rows = ROWS(
    {"mode", &(const struct shape){.kind = SHAPE_STRING,
        .words = WORDS("auto", "required")}, true},
    {"tools", &(const struct shape){.kind = SHAPE_ARRAY,
        .of = &(const struct shape){.kind = SHAPE_TAGGED, .tag = "type",
            .rows = named_tools}}, true})};

static const struct shape tool_choice = {.kind = SHAPE_EITHER, .rows = ROWS(
    {"", &(const struct shape){.kind = SHAPE_STRING,
        .words = WORDS("none", "auto", "required")}, false},
    {"", &(const struct shape){
        .kind = SHAPE_TAGGED, .tag = "type", .rows = ROWS(
        {"function", &(const struct shape){.kind = SHAPE_OBJECT, .rows = ROWS(
            {"type", &word, true},
            {"function", &named, true})}, false},
        {"custom", &(const struct shape){.kind = SHAPE_OBJECT, .rows = ROWS(
            {"type", &word, true},
            {"custom", &named, true})}, false},
        {"allowed_tools", &(const struct shape){
            .kind = SHAPE_OBJECT, .rows = ROWS(
            {"type", &word, true},
            {"allowed_tools", &allowed_tools, true})}, false})}, false})};

static const struct shape functions = {
    .kind = SHAPE_ARRAY, .min = 1, .max = 128, .of = &function};
static const struct shape function_choice = {.kind = SHAPE_EITHER, .rows = ROWS(
    {"", &(const struct shape){.kind = SHAPE_STRING,
        .words = WORDS("none", "auto")}, false},
    {"", &named, false})};

/* --- the rest ----------------------------------------------------------- */

static const struct shape response_format = {
    .kind = SHAPE_TAGGED, .tag = "type", .rows = ROWS(
    {"text", &(const struct shape){.kind = SHAPE_OBJECT, .rows = ROWS(
        {"type", &word, true})}, false},
    {"json_object", &(const struct shape){.kind = SHAPE_OBJECT, .rows = ROWS(
        {"type", &word, true})}, false},
    {"json_schema", &(const struct shape){.kind = SHAPE_OBJECT, .rows = ROWS(
        {"type", &word, true},
        {"json_schema", &(const struct shape){
            .kind = SHAPE_OBJECT, .rows = ROWS(
            {"name", &name, true},
            {"description", &text, false},
            {"schema", &opaque, false},
            {"strict", &maybe_boolean, false})}, true})}, false})};

static const struct shape audio = {
    .kind = SHAPE_OBJECT, .flags = SHAPE_NULLABLE, .rows = ROWS(
    {"voice", &(const struct shape){.kind = SHAPE_EITHER, .rows = ROWS(
        {"", &word, false},
        {"", &provider_state, false})}, true},
    {"format", &(const struct shape){.kind = SHAPE_STRING, .words = WORDS(
        "wav", "aac", "mp3", "flac", "opus", "pcm16")}, true})};

static const struct shape prediction = {
    .kind = SHAPE_OBJECT, .flags = SHAPE_NULLABLE, .rows = ROWS(
    {"type", &(const struct shape){.kind = SHAPE_STRING,
        .words = WORDS("content")}, true},
    {"content", &content, true})};

static const struct shape stop = {
    .kind = SHAPE_EITHER, .flags = SHAPE_NULLABLE, .rows = ROWS(
    {"", &(const struct shape){.kind = SHAPE_STRING, .max = 4096}, false},
    {"", &(const struct shape){.kind = SHAPE_ARRAY, .min = 1, .max = 4,
        .of = &(const struct shape){.kind = SHAPE_STRING, .max = 4096}},
        false})};

static const struct shape moderation_mode = {
    .kind = SHAPE_OBJECT, .flags = SHAPE_NULLABLE, .rows = ROWS(
    {"mode", &(const struct shape){.kind = SHAPE_STRING,
        .words = WORDS("score", "block")}, true})};
static const struct shape moderation = {
    .kind = SHAPE_OBJECT, .flags = SHAPE_NULLABLE, .rows = ROWS(
    {"model", &word, true},
    {"policy", &(const struct shape){
        .kind = SHAPE_OBJECT, .flags = SHAPE_NULLABLE, .rows = ROWS(
        {"input", &moderation_mode, false},
        {"output", &moderation_mode, false})}, false})};

static const struct shape cache_options = {
    .kind = SHAPE_OBJECT, .flags = SHAPE_NULLABLE, .rows = ROWS(
    {"ttl", &(const struct shape){.kind = SHAPE_STRING,
        .words = WORDS("30m")}, false},
    {"mode", &(const struct shape){.kind = SHAPE_STRING,
        .words = WORDS("implicit", "explicit")}, false})};

static const struct shape stream_options = {
    .kind = SHAPE_OBJECT, .flags = SHAPE_NULLABLE, .rows = ROWS(
    {"include_usage", &boolean, false},
    {"include_obfuscation", &boolean, false})};

/* The most used first: rows are searched in order. */
const struct shape openai_shapes_chat = {.kind = SHAPE_OBJECT, .rows = ROWS(
    {"model", &model, true},
    {"messages", &messages, true},
    {"stream", &maybe_boolean, false},
    {"stream_options", &stream_options, false},
    {"temperature", &(const struct shape){.kind = SHAPE_NUMBER,
        .flags = SHAPE_NULLABLE, .min = 0, .max = 2}, false},
    {"max_tokens", &count, false},
    {"max_completion_tokens", &count, false},
    {"top_p", &(const struct shape){.kind = SHAPE_NUMBER,
        .flags = SHAPE_NULLABLE, .min = 0, .max = 1}, false},
    {"tools", &tools, false},
    {"tool_choice", &tool_choice, false},
    {"parallel_tool_calls", &maybe_boolean, false},
    {"response_format", &response_format, false},
    {"reasoning_effort", &(const struct shape){.kind = SHAPE_STRING,
        .flags = SHAPE_NULLABLE, .words = WORDS("none", "minimal", "low",
        "medium", "high", "xhigh", "max")}, false},
    {"verbosity", &(const struct shape){.kind = SHAPE_STRING,
        .flags = SHAPE_NULLABLE, .words = WORDS("low", "medium", "high")},
        false},
    {"n", &(const struct shape){.kind = SHAPE_INT,
        .flags = SHAPE_NULLABLE, .min = 1, .max = 128}, false},
    {"stop", &stop, false},
    {"seed", &(const struct shape){.kind = SHAPE_INT,
        .flags = SHAPE_NULLABLE, .min = INT64_MIN, .max = INT64_MAX}, false},
    {"presence_penalty", &penalty, false},
    {"frequency_penalty", &penalty, false},
    {"logit_bias", &(const struct shape){.kind = SHAPE_MAP,
        .flags = SHAPE_NULLABLE, .max = 1024, .of = &(const struct shape){
            .kind = SHAPE_INT, .min = -100, .max = 100}}, false},
    {"logprobs", &maybe_boolean, false},
    {"top_logprobs", &(const struct shape){.kind = SHAPE_INT,
        .flags = SHAPE_NULLABLE, .min = 0, .max = 20}, false},
    {"modalities", &(const struct shape){.kind = SHAPE_ARRAY,
        .flags = SHAPE_NULLABLE, .max = 2, .of = &(const struct shape){
            .kind = SHAPE_STRING, .words = WORDS("text", "audio")}}, false},
    {"audio", &audio, false},
    {"prediction", &prediction, false},
    {"store", &(const struct shape){.kind = SHAPE_BOOL,
        .flags = SHAPE_NULLABLE, .why = WHY_STATE}, false},
    {"web_search_options", &provider_tool, false},
    {"metadata", &(const struct shape){.kind = SHAPE_MAP,
        .flags = SHAPE_NULLABLE, .max = 16, .of = &(const struct shape){
            .kind = SHAPE_STRING, .max = 2048}}, false},
    {"user", &user, false},
    {"safety_identifier", &user, false},
    {"prompt_cache_key", &user, false},
    {"prompt_cache_options", &cache_options, false},
    {"prompt_cache_retention", &(const struct shape){.kind = SHAPE_STRING,
        .flags = SHAPE_NULLABLE, .words = WORDS("in_memory", "24h"),
        .check = retention_check}, false},
    {"service_tier", &(const struct shape){.kind = SHAPE_STRING,
        .flags = SHAPE_NULLABLE, .words = WORDS("auto", "default", "flex",
        "scale", "priority", "fast")}, false},
    {"moderation", &moderation, false},
    {"functions", &functions, false},
    {"function_call", &function_choice, false})};

static const struct shape token = {
    .kind = SHAPE_INT, .flags = SHAPE_TOKEN, .min = 0, .max = INT32_MAX};

const struct shape openai_shapes_embeddings = {
    .kind = SHAPE_OBJECT, .rows = ROWS(
    {"model", &model, true},
    {"input", &(const struct shape){.kind = SHAPE_EITHER, .rows = ROWS(
        {"", &text, false},
        {"", &(const struct shape){.kind = SHAPE_ARRAY, .min = 1, .max = 2048,
            .of = &(const struct shape){.kind = SHAPE_EITHER, .rows = ROWS(
                {"", &text, false},
                {"", &token, false},
                {"", &(const struct shape){.kind = SHAPE_ARRAY, .min = 1,
                    .of = &token}, false})}}, false})}, true},
    {"encoding_format", &(const struct shape){.kind = SHAPE_STRING,
        .words = WORDS("float", "base64")}, false},
    {"dimensions", &(const struct shape){.kind = SHAPE_INT,
        .min = 1, .max = INT32_MAX}, false},
    {"user", &user, false})};
/* clang-format on */
