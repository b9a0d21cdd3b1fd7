/*
 * cedar_bench.c - what loading policies and deciding costs, on one thread.
 *
 *     cedar_bench FOLDER [SECONDS]
 *
 * FOLDER holds policies.cedar, entities.json and requests.json.  Everything
 * is loaded first; then all requests are decided again and again.  Prints one
 * line of JSON; `ns` is the median pass, by the decision.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "cedar/cedar.h"
#include "codec/json.h"
#include "common.h"

enum { LOADS = 3, PASSES_MAX = 100000 };

struct bench {
    const char *folder;
    struct arena arena;
    struct cedar_entities *entities;
    struct cedar_policies *policies;
    struct cedar_evaluator *evaluator;
    struct cedar_request *requests;
    size_t count;
    int64_t load_ns;
    size_t heap; /* that the policies take */
    size_t allowed, faults;
};

static void need(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "cedar_bench: %s\n", what);
    _exit(1);
}

static struct str file_of(const struct bench *b, const char *name)
{
    char path[512];
    size_t len;
    (void)snprintf(path, sizeof(path), "%s/%s", b->folder, name);
    char *text = read_file(path, &len);
    return (struct str){text, len};
}

static size_t in_use(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

/* The quickest of a few: loading is done once, so nothing is warm. */
static void load(struct bench *b)
{
    struct str text = file_of(b, "policies.cedar");
    for (int i = 0; i < LOADS; i++) {
        cedar_policies_free(b->policies);
        size_t before = in_use();
        int64_t start = now_ns();
        need(cedar_policies_load(text, NULL, &b->policies) == ERR_OK,
             "policies.cedar does not load");
        int64_t took = now_ns() - start;
        b->heap = in_use() - before;
        if (i == 0 || took < b->load_ns)
            b->load_ns = took;
    }
    free((char *)(uintptr_t)text.ptr);
    text = file_of(b, "entities.json");
    need(cedar_entities_load(text, NULL, &b->entities) == ERR_OK,
         "entities.json does not load");
    free((char *)(uintptr_t)text.ptr);
}

static struct cedar_uid uid_of(const struct json *request, struct str name)
{
    struct cedar_uid uid;
    const char *what;
    need(cedar_uid_json(json_get(request, name), &uid, &what) == ERR_OK,
         "a request has no such uid");
    return uid;
}

static void read_requests(struct bench *b)
{
    const struct json *all;
    const struct json *one;
    const char *what;
    struct str text = file_of(b, "requests.json");
    need(json_read_large(&b->arena, text, &all, NULL) == ERR_OK,
         "requests.json is no JSON");
    b->count = json_count(all);
    need(b->count > 0, "requests.json is empty");
    b->requests = allocate(b->count * sizeof(*b->requests));
    struct json_iter it = json_each(all);
    for (size_t i = 0; json_next(&it, NULL, &one); i++) {
        struct cedar_value context;
        need(cedar_value_json(&b->arena, json_get(one, STR("context")),
                              &context, &what) == ERR_OK &&
                 context.kind == CEDAR_RECORD,
             "a request has no context");
        b->requests[i] = (struct cedar_request){
            .principal = uid_of(one, STR("principal")),
            .action = uid_of(one, STR("action")),
            .resource = uid_of(one, STR("resource")),
            .context = context.as.record,
            .entities = b->entities,
        };
    }
    free((char *)(uintptr_t)text.ptr);
}

static int64_t pass(struct bench *b)
{
    struct cedar_answer answer;
    int64_t start = now_ns();
    b->allowed = b->faults = 0;
    for (size_t i = 0; i < b->count; i++) {
        need(cedar_authorize(b->evaluator, b->policies, &b->requests[i], NULL,
                             &answer) == ERR_OK,
             "no memory");
        b->allowed += answer.decision == CEDAR_ALLOW;
        b->faults += answer.fault_count;
    }
    return now_ns() - start;
}

int main(int argc, char **argv)
{
    static struct bench b;
    struct samples samples;
    if (argc < 2 || argc > 3)
        usage("cedar_bench FOLDER [SECONDS]");
    int64_t most = argc == 3 ? number(argv[2], 60) : 1;
    b.folder = argv[1];
    arena_init(&b.arena, 256 * MIB);
    load(&b);
    read_requests(&b);
    b.evaluator = cedar_evaluator_new();
    need(b.evaluator != NULL, "no memory");
    samples_init(&samples, PASSES_MAX);
    (void)pass(&b);
    for (int64_t start = now_ns();
         samples.count == 0 ||
         (now_ns() - start < most * NS_PER_S && samples.count < PASSES_MAX);)
        samples_add(&samples, pass(&b));
    samples_sort(&samples);

    double n = (double)cedar_policies_count(b.policies);
    printf("{\"policies\":%.0f,\"ns\":%.1f,\"load_us\":%.1f,"
           "\"bytes\":%.0f,\"allowed\":%zu,\"faults\":%zu}\n",
           n, samples_us(&samples, 50) * 1000 / (double)b.count,
           (double)b.load_ns / NS_PER_US, (double)b.heap, b.allowed, b.faults);
    return 0;
}
