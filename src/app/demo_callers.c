/* demo_callers.c - `writ demo`: who is registered, and the key. */
#include "app/demo_steps.h"
#include "app/demo_tell.h"
#include "base/limits.h"
#include "crypto/hash.h"

/* The line "  writ_..." of what `writ agent add` printed. */
static bool keep_key(struct demo *d, struct str text)
{
    while (text.len > 0) {
        size_t end = str_find(text, '\n');
        struct str line = str_skip(str_first(text, end), 2);
        if (str_starts(line, STR("writ_")) && line.len < sizeof(d->key)) {
            memcpy(d->key, line.ptr, line.len);
            d->key[line.len] = '\0';
            return true;
        }
        text = str_skip(text, end + 1);
    }
    return false;
}

static bool add_person(struct demo *d)
{
    const char *const argv[] = {"writ",       "agent",     "add",
                                DEMO_PERSON,  "--kind",    "human",
                                "--tenant",   "acme",      "--purpose",
                                "operations", "--expires", "30d",
                                "--config",   d->config,   NULL};
    static const char *const only[] = {"id", "state", NULL};
    const struct demo_run r = {.argv = argv, .only = only};

    demo_tell_command(d, "writ agent add " DEMO_PERSON
                         " --kind human --tenant acme --purpose operations "
                         "--expires 30d");
    return demo_tell_run(d, &r) == 0;
}

static bool add_agent(struct demo *d)
{
    const char *const argv[] = {"writ",      "agent",
                                "add",       DEMO_AGENT,
                                "--tenant",  "acme",
                                "--owner",   DEMO_PERSON,
                                "--purpose", "research",
                                "--mode",    "autonomous",
                                "--risk",    "read,write,purchase",
                                "--expires", "30d",
                                "--config",  d->config,
                                NULL};
    static const char *const only[] = {"id",   "state",    "owner", "expires",
                                       "mode", "purposes", "risk",  "key",
                                       "Its",  "  writ_",  NULL};
    struct buf text;
    const struct demo_run r = {.argv = argv, .only = only, .kept = &text};

    demo_tell_command(d, "writ agent add " DEMO_AGENT
                         " --tenant acme --owner " DEMO_PERSON
                         " --purpose research --mode autonomous --risk "
                         "read,write,purchase --expires 30d");
    buf_init(&text, 64 * KIB);
    bool ok = demo_tell_run(d, &r) == 0 && keep_key(d, buf_str(&text));
    if (text.len > 0)
        hash_wipe(text.ptr, text.len);
    buf_release(&text);
    return ok;
}

/* The key is in nothing that anybody keeps. */
static bool is_in_no_file(const struct demo *d)
{
    static const char *const names[] = {
        "writ.log", "data/store.db", "data/store.db-wal",
        "data/ledger/segments/00000000000000000000.seg"};
    char path[FILE_PATH_MAX + 64];
    bool clean = true;

    for (size_t i = 0; i < ARRAY_LEN(names) && clean; i++) {
        struct buf bytes;
        buf_init(&bytes, 64 * MIB);
        (void)snprintf(path, sizeof(path), "%s/%s", d->dir, names[i]);
        enum err e = file_read(FILE_CWD, path, &bytes);
        clean = e == ERR_NOT_FOUND ||
                (e == ERR_OK &&
                 (bytes.len == 0 || memmem(bytes.ptr, bytes.len, d->key,
                                           strlen(d->key)) == NULL));
        buf_release(&bytes);
    }
    return clean;
}

bool demo_callers_step(struct demo *d)
{
    demo_tell_heading(d, "A node, and who may ask it",
                      "It serves on embedded defaults, with a small provider "
                      "beside it.  An agent has a person\nwho answers for it, "
                      "a purpose and an end.");
    demo_tell_command(d, "cd %s; export URL=http://127.0.0.1:%u/v1", d->dir,
                      d->port);
    demo_tell_command(d, "writ serve &");
    if (!add_person(d) || !add_agent(d))
        return demo_tell_verdict(d, false, "they are not registered");
    return demo_tell_verdict(d, is_in_no_file(d),
                             "the key was shown this once: it is in no log, "
                             "and the store has only a keyed hash");
}
