/*
 * tools.c - a small server of tools: MCP, revision 2025-11-25, over stdio.
 *
 * It stands in for a real one in the quickstart: notes that can be read, and
 * payments that are only said to be made.  One message of JSON-RPC a line, in
 * on standard input, out on standard output; it ends when its input does.
 * Usage, in the folder that has the notes:
 *
 *     quickstart-tools
 *
 * It opens whatever it is asked to.  Who may ask for what is the gateway's
 * business, and what it can open at all is that of the walls around it.
 */
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/limits.h"
#include "codec/json.h"

enum { LINE_MAX_LEN = 64 * KIB, NOTE_MAX = 16 * KIB, PATH_MAX_LEN = 256 };
enum { METHOD_NOT_FOUND = -32601, INVALID_PARAMS = -32602 };
#define MEMORY_MAX ((size_t)4 * MIB)

/* One request that is being answered. */
struct call {
    const struct json *id, *params;
    struct buf out; /* what goes out, line by line */
};

/* ---- what goes out ---- */

static void begin(struct call *c, const char *member)
{
    BUF_LIT(&c->out, "{\"jsonrpc\":\"2.0\",\"id\":");
    json_write(&c->out, c->id, NULL, 0);
    buf_addf(&c->out, ",\"%s\":", member);
}

static void result(struct call *c, const char *json)
{
    begin(c, "result");
    buf_addf(&c->out, "%s}\n", json);
}

static void fault(struct call *c, int code, const char *message)
{
    begin(c, "error");
    buf_addf(&c->out, "{\"code\":%d,\"message\":\"%s\"}}\n", code, message);
}

/* What a tool says; a failure is for the model to read, not an error. */
static void says(struct call *c, struct str text, bool failed)
{
    begin(c, "result");
    BUF_LIT(&c->out, "{\"content\":[{\"type\":\"text\",\"text\":");
    json_write_str(&c->out, text);
    buf_addf(&c->out, "}],\"isError\":%s}}\n", failed ? "true" : "false");
}

/* ---- the tools ---- */

static const struct json *argument(const struct call *c, const char *name)
{
    return json_get(json_get(c->params, STR("arguments")), str_from(name));
}

static void read_note(struct call *c)
{
    char path[PATH_MAX_LEN], note[NOTE_MAX];
    struct str name;

    if (!json_str(argument(c, "path"), &name) || name.len >= sizeof(path)) {
        says(c, STR("path is missing, or too long"), true);
        return;
    }
    memcpy(path, name.ptr, name.len);
    path[name.len] = '\0';
    FILE *f = fopen(path, "re");
    size_t n = f != NULL ? fread(note, 1, sizeof(note), f) : 0;
    if (f != NULL)
        (void)fclose(f);
    says(c, n > 0 ? (struct str){note, n} : STR("there is no such note"),
         n == 0);
}

static void delete_note(struct call *c)
{
    says(c, STR("notes are not deleted in a quickstart"), true);
}

static void pay(struct call *c)
{
    struct str to, amount;
    struct buf text;

    if (!json_str(argument(c, "to"), &to) ||
        !json_number(argument(c, "amount"), &amount)) {
        says(c, STR("to or amount is missing"), true);
        return;
    }
    buf_init(&text, LINE_MAX_LEN);
    buf_addf(&text, "paid %.*s to %.*s", STR_FMT(amount), STR_FMT(to));
    says(c, buf_str(&text), false);
    buf_release(&text);
}

/* Whether the newer version is installed, here a file: its definition of
 * read_note is another one. */
static bool is_updated(void)
{
    FILE *f = fopen("updated", "re");

    if (f != NULL)
        (void)fclose(f);
    return f != NULL;
}

/* Tells whoever uses it that its tools are not what they were. */
static void update(struct call *c)
{
    FILE *f = fopen("updated", "we");

    if (f == NULL || fclose(f) != 0) {
        says(c, STR("it may not write here"), true);
        return;
    }
    says(c, STR("updated"), false);
    BUF_LIT(&c->out, "{\"jsonrpc\":\"2.0\","
                     "\"method\":\"notifications/tools/list_changed\"}\n");
}

#define SCHEMA(properties, required)                                           \
    "\"inputSchema\":{\"type\":\"object\",\"properties\":{" properties         \
    "},\"required\":[" required "],\"additionalProperties\":false}}"

static const struct tool {
    const char *name;
    void (*run)(struct call *c);
    const char *definition; /* as tools/list has it */
    const char *newer;      /* the same after an update, or NULL */
} tools[] = {
    {"read_note", read_note,
     "{\"name\":\"read_note\",\"description\":\"Reads a note.\"," SCHEMA(
         "\"path\":{\"type\":\"string\"}", "\"path\""),
     "{\"name\":\"read_note\",\"description\":\"Reads a note, in the "
     "language you like.\"," SCHEMA(
         "\"path\":{\"type\":\"string\"},\"language\":{\"type\":\"string\"}",
         "\"path\"")},
    {"delete_note", delete_note,
     "{\"name\":\"delete_note\",\"description\":\"Deletes a note.\"," SCHEMA(
         "\"path\":{\"type\":\"string\"}", "\"path\""),
     NULL},
    {"pay", pay,
     "{\"name\":\"pay\",\"description\":\"Pays somebody, in euros.\"," SCHEMA(
         "\"to\":{\"type\":\"string\"},\"amount\":{\"type\":\"number\"}",
         "\"to\",\"amount\""),
     NULL},
    {"update", update,
     "{\"name\":\"update\",\"description\":\"Updates this server.\"," SCHEMA(
         "", ""),
     NULL},
};

/* ---- the methods ---- */

static void list_tools(struct call *c)
{
    bool updated = is_updated();

    begin(c, "result");
    BUF_LIT(&c->out, "{\"tools\":[");
    for (size_t i = 0; i < ARRAY_LEN(tools); i++) {
        bool newer = updated && tools[i].newer != NULL;
        if (i > 0)
            buf_add_char(&c->out, ',');
        buf_add(&c->out,
                str_from(newer ? tools[i].newer : tools[i].definition));
    }
    BUF_LIT(&c->out, "]}}\n");
}

static void call_tool(struct call *c)
{
    const struct json *name = json_get(c->params, STR("name"));

    for (size_t i = 0; i < ARRAY_LEN(tools); i++) {
        if (json_is_string(name, str_from(tools[i].name))) {
            tools[i].run(c);
            return;
        }
    }
    fault(c, INVALID_PARAMS, "there is no such tool");
}

/* One message; what has no id is a notification, which nobody answers. */
static void answer(struct call *c, const struct json *message)
{
    const struct json *method = json_get(message, STR("method"));

    c->id = json_get(message, STR("id"));
    c->params = json_get(message, STR("params"));
    if (c->id == NULL)
        return;
    if (json_is_string(method, STR("initialize")))
        result(c, "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":"
                  "{\"tools\":{\"listChanged\":true}},\"serverInfo\":"
                  "{\"name\":\"quickstart-tools\",\"version\":\"1.0.0\"}}");
    else if (json_is_string(method, STR("ping")))
        result(c, "{}");
    else if (json_is_string(method, STR("tools/list")))
        list_tools(c);
    else if (json_is_string(method, STR("tools/call")))
        call_tool(c);
    else
        fault(c, METHOD_NOT_FOUND, "there is no such method");
}

static bool serve_line(struct str line)
{
    struct call c = {0};
    const struct json *message;
    struct arena arena;

    arena_init(&arena, MEMORY_MAX);
    buf_init(&c.out, MEMORY_MAX);
    if (json_read(&arena, line, &message, NULL) == ERR_OK)
        answer(&c, message);
    bool ok = buf_ok(&c.out);
    if (ok && c.out.len > 0)
        ok = fwrite(c.out.ptr, 1, c.out.len, stdout) == c.out.len &&
             fflush(stdout) == 0;
    buf_release(&c.out);
    arena_release(&arena);
    return ok;
}

int main(void)
{
    char line[LINE_MAX_LEN];

    while (fgets(line, sizeof(line), stdin) != NULL) {
        if (!serve_line(str_from(line)))
            return 1;
    }
    return 0;
}
