/* cmd_verify.c - `writ ledger verify`: is every entry as it was committed? */
#include "app/cmd.h"
#include "app/cmd_ledger_dir.h"
#include "base/num.h"
#include "base/text.h"
#include "codec/json.h"
#include "ledger/ledger_verify.h"

enum { OUTPUT_MAX = 64 * 1024 };

struct verify {
    const struct cli *cli;
    char dir[FILE_PATH_MAX];
    uint64_t min; /* entries that there must be */
    bool progress;
    struct ledger_verify_report report;
    enum err err;
};

static void on_progress(void *user, uint64_t entries)
{
    const struct verify *v = user;
    cli_print(v->cli->err, "\r%llu entries", (unsigned long long)entries);
    (void)fflush(v->cli->err);
}

static bool is_good(const struct verify *v)
{
    return v->err == ERR_OK && v->report.entries >= v->min;
}

/* "the root is not that of the entries before it (00...0.seg, byte 4096)" */
static void add_reason(struct buf *to, const struct verify *v)
{
    const struct segment_trouble *t = &v->report.trouble;
    if (v->err == ERR_OK)
        buf_addf(to,
                 "%llu entries, but at least %llu were expected: the end "
                 "is missing",
                 (unsigned long long)v->report.entries,
                 (unsigned long long)v->min);
    else if (t->what == NULL)
        buf_add(to, str_from(err_text(v->err)));
    else
        buf_addf(to, "entry %llu is bad: %s (%s, byte %llu)",
                 (unsigned long long)t->index, t->what, t->file,
                 (unsigned long long)t->offset);
}

static void print_text(const struct verify *v, struct str reason)
{
    const struct ledger_verify_report *r = &v->report;
    FILE *out = v->cli->out;
    char root[TEXT_HEX_LEN(HASH_LEN)];
    char time[TEXT_TIME_LEN];
    text_hex(r->root.bytes, HASH_LEN, root);
    text_time(r->last_wall_us, time);
    if (is_good(v))
        cli_print(out, "ok: %llu entries verified\n",
                  (unsigned long long)r->entries);
    else
        cli_print(out, "BAD: %.*s\nThe %llu entries before it are good.\n",
                  STR_FMT(reason), (unsigned long long)r->entries);
    cli_print(out, "  node      %.*s\n", STR_FMT(segment_node(&r->header)));
    cli_print(out, "  segments  %llu\n", (unsigned long long)r->segments);
    cli_print(out, "  root      %.*s\n", (int)sizeof(root), root);
    if (r->last_wall_us > 0)
        cli_print(out, "  last      %.*s%s\n", (int)sizeof(time), time,
                  r->sealed ? ", closed" : "");
    cli_print(out, "  open      %llu intents without an outcome\n",
              (unsigned long long)r->open_intents);
    if (r->torn_bytes > 0)
        cli_print(out,
                  "  torn      %llu bytes of a write that was cut short and "
                  "never acknowledged\n",
                  (unsigned long long)r->torn_bytes);
}

static int print_json(const struct verify *v, struct str reason)
{
    const struct ledger_verify_report *r = &v->report;
    char root[TEXT_HEX_LEN(HASH_LEN)];
    struct buf b;
    text_hex(r->root.bytes, HASH_LEN, root);
    buf_init(&b, OUTPUT_MAX);
    buf_addf(&b,
             "{\"ok\":%s,\"entries\":%llu,\"segments\":%llu,"
             "\"open_intents\":%llu,\"root\":\"%.*s\",\"closed\":%s,"
             "\"torn_bytes\":%llu,\"node\":",
             is_good(v) ? "true" : "false", (unsigned long long)r->entries,
             (unsigned long long)r->segments,
             (unsigned long long)r->open_intents, (int)sizeof(root), root,
             r->sealed ? "true" : "false", (unsigned long long)r->torn_bytes);
    json_write_str(&b, segment_node(&r->header));
    if (!is_good(v)) {
        BUF_LIT(&b, ",\"error\":");
        json_write_str(&b, reason);
    }
    if (v->err != ERR_OK && r->trouble.what != NULL) {
        buf_addf(&b, ",\"index\":%llu,\"offset\":%llu,\"file\":",
                 (unsigned long long)r->trouble.index,
                 (unsigned long long)r->trouble.offset);
        json_write_str(&b, str_from(r->trouble.file));
    }
    BUF_LIT(&b, "}\n");
    int code = buf_ok(&b) ? CLI_OK : cli_fail(v->cli, "out of memory");
    if (code == CLI_OK)
        (void)fwrite(b.ptr, 1, b.len, v->cli->out);
    buf_release(&b);
    return code;
}

static int print_report(const struct verify *v)
{
    struct buf reason;
    int code = CLI_OK;
    buf_init(&reason, OUTPUT_MAX);
    if (!is_good(v))
        add_reason(&reason, v);
    if (v->cli->json)
        code = print_json(v, buf_str(&reason));
    else
        print_text(v, buf_str(&reason));
    buf_release(&reason);
    return code == CLI_OK && is_good(v) ? CLI_OK : CLI_FAILED;
}

int cmd_ledger_verify(const struct cli *c)
{
    struct verify v = {.cli = c, .progress = cli_is_terminal(c->err)};
    const char *min = cli_value(c, "min", NULL);
    if (min != NULL && !num_u64(str_from(min), UINT64_MAX - 1, &v.min))
        return cli_usage(c, "--min: \"%s\" is no number of entries", min);
    int code = c->arg_count == 1 ? cmd_ledger_dir_in(c, c->args[0], v.dir)
                                 : cmd_ledger_dir(c, v.dir);
    if (code != CLI_OK)
        return code;
    struct ledger_verify_options o = {
        .dir = v.dir,
        .progress = v.progress ? on_progress : NULL,
        .user = &v,
    };
    v.err = ledger_verify(&o, &v.report);
    if (v.progress)
        (void)fputs("\r\033[K", c->err);
    if (v.err == ERR_NOT_FOUND)
        return cli_fail(c, "%s holds no ledger", v.dir);
    return print_report(&v);
}
