/*
 * Tests llm/openai_shapes against OpenAI's own OpenAPI document: a request
 * property that appears there is on our list, or refused on purpose.  A new
 * property fails this test until somebody has decided.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/limits.h"
#include "llm/openai.h"

#define ARCHIVE TEST_SOURCE_DIR "/../shared/tests/vectors/openai.tar.xz"

struct property {
    const char *name;
    const char *value; /* a good one */
    enum err err;      /* what it comes to */
};

static const struct property chat[] = {
    {"audio", "{\"voice\":\"alloy\",\"format\":\"wav\"}", ERR_OK},
    {"frequency_penalty", "-2", ERR_OK},
    {"function_call", "\"auto\"", ERR_OK},
    {"functions", "[{\"name\":\"f\",\"parameters\":{}}]", ERR_OK},
    {"logit_bias", "{\"1\":-100}", ERR_OK},
    {"logprobs", "true", ERR_OK},
    {"max_completion_tokens", "1", ERR_OK},
    {"max_tokens", "1", ERR_OK},
    {"messages", "[{\"role\":\"user\",\"content\":\"x\"}]", ERR_OK},
    {"metadata", "{\"a\":\"b\"}", ERR_OK},
    {"modalities", "[\"text\"]", ERR_OK},
    {"model", "\"m\"", ERR_OK},
    {"moderation",
     "{\"model\":\"m\",\"policy\":{\"input\":{\"mode\":\"score\"}}}", ERR_OK},
    {"n", "1", ERR_OK},
    {"parallel_tool_calls", "true", ERR_OK},
    {"prediction", "{\"type\":\"content\",\"content\":\"x\"}", ERR_OK},
    {"presence_penalty", "0.5", ERR_OK},
    {"prompt_cache_key", "\"k\"", ERR_OK},
    {"prompt_cache_options", "{\"ttl\":\"30m\",\"mode\":\"explicit\"}", ERR_OK},
    {"prompt_cache_retention", "\"24h\"", ERR_DENIED},
    {"reasoning_effort", "\"xhigh\"", ERR_OK},
    {"response_format", "{\"type\":\"json_object\"}", ERR_OK},
    {"safety_identifier", "\"s\"", ERR_OK},
    {"seed", "1", ERR_OK},
    {"service_tier", "\"fast\"", ERR_OK},
    {"stop", "\"x\"", ERR_OK},
    {"store", "true", ERR_DENIED},
    {"stream", "true", ERR_OK},
    {"stream_options", "{\"include_usage\":true}", ERR_OK},
    {"temperature", "1", ERR_OK},
    {"tool_choice", "\"none\"", ERR_OK},
    {"tools", "[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]",
     ERR_OK},
    {"top_logprobs", "20", ERR_OK},
    {"top_p", "0.1", ERR_OK},
    {"user", "\"u\"", ERR_OK},
    {"verbosity", "\"low\"", ERR_OK},
    {"web_search_options", "{}", ERR_DENIED},
};

static const struct property embeddings[] = {
    {"dimensions", "1", ERR_OK}, {"encoding_format", "\"float\"", ERR_OK},
    {"input", "\"x\"", ERR_OK},  {"model", "\"m\"", ERR_OK},
    {"user", "\"u\"", ERR_OK},
};

/* The document, or NULL where ../shared is not beside the repository. */
static char *read_document(void)
{
    if (access(ARCHIVE, R_OK) != 0) {
        (void)fprintf(stderr, "SKIPPED: needs " ARCHIVE "\n");
        return NULL;
    }
    FILE *file = tmpfile();
    if (file == NULL) {
        fail_msg("there is no temporary file");
        return NULL;
    }
    posix_spawn_file_actions_t actions;
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, fileno(file),
                                                      STDOUT_FILENO),
                     0);
    char tar[] = "tar";
    char how[] = "-xJOf";
    char archive[] = ARCHIVE;
    char member[] = "openai/openapi.yaml";
    char *const argv[] = {tar, how, archive, member, NULL};
    pid_t pid;
    int status = -1;
    assert_int_equal(posix_spawnp(&pid, tar, &actions, NULL, argv, environ), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    (void)posix_spawn_file_actions_destroy(&actions);

    long size = 0;
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size = ftell(file);
    if (size < 1000000) {
        (void)fclose(file);
        fail_msg("the document is too short");
        return NULL;
    }
    assert_int_equal(fseek(file, 0, SEEK_SET), 0);
    char *text = calloc(1, (size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, file), size);
    (void)fclose(file);
    return text;
}

static bool is_known(const struct property *known, size_t n, const char *line,
                     size_t len)
{
    for (size_t i = 0; i < n; i++) {
        if (strlen(known[i].name) == len &&
            memcmp(known[i].name, line, len) == 0)
            return true;
    }
    return false;
}

/*
 * Checks the members of the outermost `properties:` of component `schema`;
 * returns how many there are.  The document's layout is regular (two blanks a
 * level), which saves a YAML reader here.
 */
static unsigned check_schema(const char *text, const char *schema,
                             const struct property *known, size_t n)
{
    char start[128];
    (void)snprintf(start, sizeof(start), "\n    %s:\n", schema);
    const char *at = strstr(text, start);
    assert_non_null(at);
    at += strlen(start);
    size_t properties = SIZE_MAX; /* indentation of that word */
    unsigned count = 0;
    while (strspn(at, " ") > 4 || *at == '\n') {
        size_t indent = strspn(at, " ");
        const char *word = at + indent;
        size_t len = strcspn(word, ":\n");
        at = strchr(at, '\n') + 1;
        if (properties != SIZE_MAX && len > 0 && indent <= properties)
            break; /* what follows the members */
        if (indent < properties && len == 10 &&
            memcmp(word, "properties", len) == 0)
            properties = indent;
        if (properties == SIZE_MAX || indent != properties + 2)
            continue;
        if (!is_known(known, n, word, len))
            fail_msg("%s has a new member: %.*s", schema, (int)len, word);
        count++;
    }
    return count;
}

static void test_every_property_of_the_document_is_decided_on(void **state)
{
    (void)state;
    char *text = read_document();
    if (text == NULL)
        return;
    unsigned n = 0;
    /* The first one extends the two others. */
    n += check_schema(text, "CreateChatCompletionRequest", chat,
                      ARRAY_LEN(chat));
    assert_int_equal(n, 29);
    n += check_schema(text, "CreateModelResponseProperties", chat,
                      ARRAY_LEN(chat));
    n += check_schema(text, "ModelResponseProperties", chat, ARRAY_LEN(chat));
    assert_int_equal(n - 1, ARRAY_LEN(chat) + 1); /* two are there twice */
    n = check_schema(text, "CreateEmbeddingRequest", embeddings,
                     ARRAY_LEN(embeddings));
    assert_int_equal(n, ARRAY_LEN(embeddings));
    free(text);
}

static void check_property(enum llm_operation operation,
                           const struct property *p, const char *base)
{
    struct arena a;
    struct llm_request r;
    struct llm_problem problem = {.err = ERR_OK};
    struct buf body;
    arena_init(&a, MIB);
    buf_init(&body, 4096);
    assert_true(buf_addf(&body, "{\"%s\":%s", p->name, p->value));
    /* The base has what is required, but for the one under test. */
    const char *const required[] = {"model", "messages", "input"};
    for (size_t i = 0; i < ARRAY_LEN(required); i++) {
        const char *at = strstr(base, required[i]);
        if (at != NULL && strcmp(required[i], p->name) != 0)
            assert_true(buf_addf(&body, ",\"%s\":%s", required[i],
                                 strcmp(required[i], "messages") == 0
                                     ? "[{\"role\":\"user\",\"content\":\"x\"}]"
                                     : "\"m\""));
    }
    assert_true(buf_add_char(&body, '}'));
    enum err e = openai_read(&a, operation, buf_str(&body),
                             (struct names){NULL, 0}, &r, &problem);
    if (e != p->err)
        print_error("%.*s: %.*s\n", STR_FMT(buf_str(&body)),
                    STR_FMT(problem.text));
    assert_int_equal(e, p->err);
    buf_release(&body);
    arena_release(&a);
}

static void test_the_table_says_what_the_reader_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(chat); i++)
        check_property(LLM_CHAT, &chat[i], "model messages");
    for (size_t i = 0; i < ARRAY_LEN(embeddings); i++)
        check_property(LLM_EMBEDDINGS, &embeddings[i], "model input");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_property_of_the_document_is_decided_on),
        cmocka_unit_test(test_the_table_says_what_the_reader_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
