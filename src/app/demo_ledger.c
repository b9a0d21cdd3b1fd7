/* demo_ledger.c - see demo_ledger.h, and the steps about the whole ledger. */
#include "app/demo_ledger.h"

#include <inttypes.h>
#include <unistd.h>

#include "app/demo_steps.h"
#include "app/demo_tell.h"
#include "base/limits.h"
#include "base/num.h"
#include "ledger/ledger_reader.h"
#include "os/clock.h"

enum { WAIT_MS = 10000, POLL_US = 5000, NUMBER_MAX = 24 };
#define SEGMENT_MAX (64 * MIB)

/* ---- finding entries ---- */

static bool has(struct str text, const char *what)
{
    return memmem(text.ptr, text.len, what, strlen(what)) != NULL;
}

/* The first entry that has both texts in it. */
static bool look(const struct demo *d, const char *one, const char *two,
                 uint64_t *ret_index)
{
    char dir[FILE_PATH_MAX + 8];
    struct ledger_reader *reader;
    struct ledger_entry entry;
    bool found = false;

    (void)snprintf(dir, sizeof(dir), "%s/ledger", d->data);
    if (ledger_reader_open(dir, &reader) != ERR_OK)
        return false;
    while (!found && ledger_reader_next(reader, &entry) == ERR_OK) {
        found = has(entry.text, one) && has(entry.text, two);
        if (found)
            *ret_index = entry.index;
    }
    ledger_reader_close(reader);
    return found;
}

/* Outcomes and refusals follow in a few milliseconds. */
bool demo_ledger_find(const struct demo *d, const char *one, const char *two,
                      uint64_t *ret_index)
{
    int64_t end_ms = clock_monotonic_ms() + WAIT_MS;

    while (!look(d, one, two, ret_index)) {
        if (clock_monotonic_ms() >= end_ms)
            return false;
        (void)usleep(POLL_US);
    }
    return true;
}

bool demo_ledger_receipt(const struct demo_answer *a, uint64_t *ret_index)
{
    static const char name[] = "index=";
    struct str receipt = http_fields_get(a->fields, STR("writ-receipt"));
    const char *at = receipt.len > 0 ? memmem(receipt.ptr, receipt.len, name,
                                              sizeof(name) - 1)
                                     : NULL;
    if (at == NULL)
        return false;
    struct str number =
        str_skip(receipt, (size_t)(at - receipt.ptr) + sizeof(name) - 1);
    return num_u64(str_first(number, str_find(number, ',')), UINT32_MAX,
                   ret_index);
}

bool demo_ledger_outcome(const struct demo *d, uint64_t intent,
                         const char *status, uint64_t *ret_index)
{
    char of[64], ended[64];

    /* Canonical JSON: the members are sorted, and nothing is between them. */
    (void)snprintf(of, sizeof(of),
                   "\"intent\":%" PRIu64 ",\"kind\":\"outcome\"", intent);
    (void)snprintf(ended, sizeof(ended), "\"status\":\"%s\"", status);
    return demo_ledger_find(d, of, ended, ret_index);
}

bool demo_ledger_decision(const struct demo *d, const struct demo_answer *a,
                          uint64_t *ret_index)
{
    struct str id = http_fields_get(a->fields, STR("writ-decision-id"));
    char text[64] = "\"id\":\"";
    size_t at = strlen(text);

    if (id.len == 0 || id.len >= sizeof(text) - at)
        return false;
    memcpy(text + at, id.ptr, id.len);
    return demo_ledger_find(d, text, "\"decision\":", ret_index);
}

/* ---- showing them ---- */

bool demo_ledger_last(struct demo *d, const char *n)
{
    const char *const argv[] = {"writ",  "ledger", "show", "--data",
                                d->data, "--last", n,      NULL};
    const struct demo_run r = {.argv = argv};

    demo_tell_command(d, "writ ledger show --last %s", n);
    return demo_tell_run(d, &r) == 0;
}

bool demo_ledger_show(struct demo *d, uint64_t index, const char *const *only,
                      struct buf *kept)
{
    char text[NUMBER_MAX];
    const char *const argv[] = {"writ",   "ledger", "show", text,
                                "--data", d->data,  NULL};
    const struct demo_run r = {.argv = argv, .only = only, .kept = kept};

    (void)snprintf(text, sizeof(text), "%" PRIu64, index);
    demo_tell_command(d, "writ ledger show %s", text);
    return demo_tell_run(d, &r) == 0;
}

/* ---- the steps ---- */

/* What has to be in it: sessions, a call that another one caused, and what
 * people said. */
static bool is_tree(struct str text)
{
    static const char *const parts[] = {
        "\nsession ",           "|  `- ",           "approve ticket ",
        "no policy permits it", "; approved by ",   DEMO_APPROVER_ID,
        "tool_quarantined",     "budget_exhausted", "interrupted"};
    bool all = true;

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        all = all && has(text, parts[i]);
    return all;
}

bool demo_ledger_tree(struct demo *d)
{
    const char *const argv[] = {"writ",   "ledger", "show", "--tree",
                                "--data", d->data,  NULL};
    struct buf text;
    const struct demo_run shown = {.argv = argv};
    const struct demo_run kept = {.argv = argv, .silent = true, .kept = &text};

    demo_tell_heading(d, "Who asked whom to do what",
                      "All of this walk, as the ledger has it: sessions, "
                      "their calls, what those caused, who agreed.");
    demo_tell_command(d, "writ ledger show --tree");
    buf_init(&text, 1 * MIB);
    bool ok = demo_tell_run(d, &shown) == 0 && demo_tell_run(d, &kept) == 0 &&
              is_tree(buf_str(&text));
    buf_release(&text);
    return demo_tell_verdict(d, ok, "every call, and every word of a person");
}

bool demo_ledger_verified(struct demo *d)
{
    const char *const argv[] = {"writ",   "ledger", "verify",
                                "--data", d->data,  NULL};
    const struct demo_run r = {.argv = argv};

    demo_tell_heading(
        d, "Every entry is as it was committed",
        "Anybody can check: it takes no key and no running node.");
    demo_tell_command(d, "writ ledger verify");
    return demo_tell_verdict(d, demo_tell_run(d, &r) == 0, "verified");
}

static bool copy_flipped(const char *from, const char *to)
{
    static const char needle[] = "model:invoke";
    struct buf bytes;

    buf_init(&bytes, SEGMENT_MAX);
    bool ok = file_read(FILE_CWD, from, &bytes) == ERR_OK;
    char *at =
        ok ? memmem(bytes.ptr, bytes.len, needle, sizeof(needle) - 1) : NULL;
    if (at != NULL)
        *at = (char)(*at ^ 1);
    ok = at != NULL &&
         file_replace(FILE_CWD, to, buf_str(&bytes), 0600) == ERR_OK;
    buf_release(&bytes);
    return ok;
}

/* A copy of the ledger with one bit of the first segment changed. */
static bool make_tampered(const struct demo *d, char dir[FILE_PATH_MAX])
{
    static const char first[] = "/segments/00000000000000000000.seg";
    char from[FILE_PATH_MAX + 64], to[FILE_PATH_MAX + 64];

    if (snprintf(dir, FILE_PATH_MAX, "%s/tampered", d->dir) >=
        (int)FILE_PATH_MAX)
        return false;
    (void)snprintf(to, sizeof(to), "%s/segments", dir);
    if (file_make_dirs(FILE_CWD, to, 0700) != ERR_OK)
        return false;
    (void)snprintf(to, sizeof(to), "%s%s", dir, first);
    (void)snprintf(from, sizeof(from), "%s/ledger%s", d->data, first);
    return copy_flipped(from, to);
}

bool demo_ledger_tampered(struct demo *d)
{
    char dir[FILE_PATH_MAX];
    const char *const argv[] = {"writ", "ledger", "verify", dir, NULL};
    const struct demo_run r = {.argv = argv};

    demo_tell_heading(d, "The same, on a copy of which one bit was flipped",
                      "What was changed afterwards is found, and where.");
    if (!make_tampered(d, dir))
        return demo_tell_verdict(d, false, "the copy could not be made");
    demo_tell_command(d, "writ ledger verify tampered/");
    return demo_tell_verdict(d, demo_tell_run(d, &r) == 1, "found, and named");
}
