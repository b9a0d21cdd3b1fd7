"""The figures as text."""


def table(head, rows):
    widths = [max(len(r[i]) for r in [head, *rows]) for i in range(len(head))]
    def line(cells):
        figures = ("  " + c.rjust(w) for c, w in zip(cells[1:-1], widths[1:-1]))
        return (cells[0].ljust(widths[0]) + "".join(figures) + "  " + cells[-1]).rstrip()
    return "\n".join([line(head), line(["-" * w for w in widths]), *map(line, rows)])


def figure(row, key, form="{:.0f}", scale=1):
    return "-" if row.get(key) is None else form.format(row[key] * scale)


def name_of(row):
    return {"floor": "L4 floor", "haproxy": "HAProxy", "nginx-auth-log": "nginx + auth + log",
            "writ-before_action": "Writ before_action",
            "writ-everything": "Writ, two links, 1,000 policies, budgets",
            "writ-batched": "Writ batched",
            "mcp-proxy": "mcp-proxy (crate, log)", "mcp-proxy-npm": "mcp-proxy (npm)",
            "writ-tools": "Writ"}.get(row["target"], row["target"].replace("writ-tools", "Writ"))


def calls(rows):
    head = ["calls", "calls/s", "p50 us", "p99 us", "CPU us/call", "x auth", "x nginx",
            "kernel us", "util", "load util", "syncs/s", "entries/sync", ""]
    out, group = [], None
    for row in rows:
        if group != (row["body"], row["connections"]):
            group = row["body"], row["connections"]
            where = "5,000 a second" if group[1] == "rate" else f"{group[1]} connections"
            out.append([f"{group[0]}, {where}"] + [""] * (len(head) - 1))
        if "missing" in row:
            out.append([f"  {name_of(row)}", row["missing"]] + [""] * (len(head) - 2))
            continue
        refused = row["refused"]      # then this is the generator's figure
        out.append([
            f"  {name_of(row)}",
            "refused" if refused else figure(row, "rps", "{:,.0f}"),
            "refused" if refused else figure(row, "p50_us"),
            "refused" if refused else figure(row, "p99_us"),
            figure(row, "cpu_us", "{:.1f}"), figure(row, "to_auth", "{:.2f}"),
            figure(row, "to_nginx", "{:.2f}"), figure(row, "kernel_us", "{:.1f}"),
            figure(row, "util", "{:.2f}"),
            figure(row, "load_util", "{:.2f}"), figure(row, "syncs_per_s", "{:,.0f}"),
            figure(row, "entries_per_sync", "{:.1f}"), row["note"]])
    return table(head, out)


TOOL_GROUPS = {
    "calls": "1 KB, over HTTP, {} connections", "pipes": "1 KB, over pipes, {} at a time",
    "many": "1 KB, over HTTP, {} connections, a server of two tools and one of 1,000",
    "list": "tools/list of 1,000 tools, {} connections",
}


def tool_calls(rows):
    head = ["calls of tools", "calls/s", "p50 us", "p99 us", "added p50", "CPU us/call", "server us",
            "x direct", "x auth", "x nginx", "util", "load util", "syncs/s", "entries/sync", ""]
    out, group, direct = [], None, {}
    for row in rows:
        if group != (row["kind"], row["connections"]):
            group, direct = (row["kind"], row["connections"]), {}
            out.append([TOOL_GROUPS[group[0]].format(group[1])] + [""] * (len(head) - 1))
        if "missing" in row:
            out.append([f"  {name_of(row)}", row["missing"]] + [""] * (len(head) - 2))
            continue
        direct = row if row["target"] == "direct" else direct
        refused = row["refused"]
        added = {"us": row["p50_us"] - direct["p50_us"]} if direct and direct is not row else {}
        out.append([
            f"  {name_of(row)}",
            *("refused" if refused else figure(row, key, form)
              for key, form in (("rps", "{:,.0f}"), ("p50_us", "{:.0f}"), ("p99_us", "{:.0f}"))),
            "refused" if refused else figure(added, "us", "{:+.0f}"),
            *(figure(row, key, "{:.1f}") for key in ("cpu_us", "server_us")),
            *(figure(row, key, "{:.2f}")
              for key in ("to_direct", "to_auth", "to_nginx", "util", "load_util")),
            figure(row, "syncs_per_s", "{:,.0f}"),
            figure(row, "entries_per_sync", "{:.1f}"), row["note"]])
    return table(head, out)


def streams(rows):
    head = ["streams", "events/s", "CPU us/event", "KB/stream", "first p50 us", "first p99 us",
            "added p50", "added p99", "gap p99 ms", "idle MB", "loaded MB", "after MB",
            "load util", ""]
    out, kind = [], None
    for row in rows:
        if kind != row["kind"]:
            kind = row["kind"]
            out.append([kind] + [""] * (len(head) - 1))
        if "missing" in row:
            out.append([f"  {name_of(row)}", row["missing"]] + [""] * (len(head) - 2))
            continue
        direct = row["target"] == "direct"
        out.append([
            f"  {name_of(row)}", figure(row, "events_per_s", "{:,.0f}"),
            figure(row, "cpu_us_per_event", "{:.1f}"),
            "-" if direct else figure(row, "kb_per_stream", "{:.1f}"),
            figure(row, "first_p50_us"), figure(row, "first_p99_us"),
            "-" if direct else figure(row, "added_first_p50_us", "{:+.0f}"),
            "-" if direct else figure(row, "added_first_p99_us", "{:+.0f}"),
            figure(row, "gap_p99_us", "{:.1f}", 1e-3),
            *(figure(row, key, "{:.1f}", 1 / 1024)
              for key in ("idle_kb", "loaded_kb", "recovered_kb")),
            figure(row, "load_util", "{:.2f}"), row["note"]])
    return table(head, out)


def disk(before, after):
    return "\n".join(
        f"disk, {when}: {d['syncs']:,.0f} fdatasync/s of 1 KB, p50 {d['p50_us']:.0f} us, "
        f"p99 {d['p99_us']:.0f} us" for when, d in (("before", before), ("after", after)) if d)


def startup(s):
    return (f"start to first 200 on /healthz: {s['start_ms']:.1f} ms (median of {s['starts']}, "
            f"longest {s['start_max_ms']:.1f})\n"
            f"idle memory: {figure(s, 'idle_pss_kb', '{:.1f}', 1 / 1024)} MB PSS over "
            f"{s['processes']} processes\n"
            f"stripped binary: {s['stripped_bytes'] / 1e6:.2f} MB")


def revocation(r):
    def times(name, what):
        figures = (figure(r, f"{name}_{key}_us", "{:.2f}", 1e-3) for key in ("p50", "p99", "max"))
        return [what, *figures, ""]

    rows = [
        times("cut", "a stream's last byte"),
        times("cut_all", "the last byte of all streams of a round"),
        times("first_refused", "the first call that was refused"),
        times("refused", "the first call that was refused, of each connection"),
        times("let_in", "the last call that was let in, when it was sent"),
        times("reply", "the answer to the command: in force and in the evidence"),
    ]
    wrong = ", ".join(f"{r[key]} {what}" for key, what in (
        ("failed", "failures"), ("untold", "streams that ended without an error event"),
        ("late_content", "streams with content after the answer"),
        ("late_calls", "calls let in after the answer"),
        ("unrefused", "connections never refused")))
    mb = 1 / 1024
    return (
        f"an agent with {r['streams']:,} streams is suspended, {r['times']} times, beside "
        f"{r['agents']:,} others; two workers\n"
        + table(["ms after the request", "p50", "p99", "max", ""], rows)
        + f"\n{wrong}\n"
        f"start to first 200 on /healthz: {r['start_ms']:,.0f} ms (median of {r['starts']}, "
        f"longest {r['start_max_ms']:,.0f})\n"
        f"idle memory: {figure(r, 'idle_kb', '{:.1f}', mb)} MB PSS, "
        f"{figure(r, 'idle_kb_before', '{:.1f}', mb)} without them\n"
        f"a suspension without streams, until every worker and the disk have it: p50 "
        f"{r['alone_p50_ms']:.2f} ms, p99 {r['alone_p99_ms']:.2f}, max {r['alone_max_ms']:.2f}")


def questions(p):
    names = {
        "proof_hit": "who asks: a token with two links, proven before",
        "proof_first": "who asks: the same for the first time, RS256",
        "registry_find": f"may it act: found by id among {p['agents']:,}",
        "registry_key": f"may it act: found by the hash of a key among {p['agents']:,}",
        "decision": f"may both links do this: {p['policies']:,} policies",
        "reserve_settle": "is there room: three budget counters, reserved and settled",
        "registry_change": "a change of the registry: the new view of it, 2,048 changes old",
    }
    return "one thread, by itself\n" + table(
        ["question", "us", ""], [[what, f"{p[key]:.2f}", ""] for key, what in names.items()])


def bars(result):
    """What the design holds itself to, as far as this run measured it."""
    found = []

    def bar(what, value, limit, form="{:.2f}"):
        if value is not None:
            verdict = "held" if value <= limit else "MISSED"
            found.append([what, form.format(value), form.format(limit), verdict])

    rows = {(r["body"], r["connections"], r["target"]): r for r in result.get("calls", ())}
    def call(body, target, key, connections=256):
        return rows.get((body, connections, target), {}).get(key)
    bar("before_action, 2 KB, 256 connections: x nginx + auth + log",
        call("2 KB", "writ-before_action", "to_auth"), 0.9)
    bar("before_action, 2 KB, 32 connections: x nginx + auth + log",
        call("2 KB", "writ-before_action", "to_auth", 32), 1.3)
    bar("before_action, 2 KB, 256 connections: x nginx",
        call("2 KB", "writ-before_action", "to_nginx"), 1.6)
    bar("before_action, 2 KB, 256 connections: CPU us a call (35,000 a core)",
        call("2 KB", "writ-before_action", "cpu_us"), 1e6 / 35000)
    bar("batched, 2 KB, 256 connections: x nginx",
        call("2 KB", "writ-batched", "to_nginx"), 1.5)
    bar("batched, 100 KB, 256 connections: x nginx",
        call("100 KB", "writ-batched", "to_nginx"), 4)
    for row in result.get("streams", ()):
        if row["target"] == "writ-before_action" and "missing" not in row:
            limit = {"plain": 16, "TLS front": 32, "TLS both": 56}[row["kind"]]
            kind = f"{row['kind']} streams: "
            bar(kind + "KB each", row["kb_per_stream"], limit, "{:.1f}")
            bar(kind + "CPU us an event", row["cpu_us_per_event"], 12, "{:.1f}")
            bar(kind + "added us to the first event, p99", row["added_first_p99_us"], 300, "{:.0f}")
    cut = result.get("revocation", {})
    if cut:
        bar("suspension: ms to the last byte of a stream, p99", cut["cut_p99_us"] / 1e3, 10)
        bar("suspension: ms until the last call that is let in, p99", cut["let_in_p99_us"] / 1e3, 5)
        bar("suspension without streams: ms until every worker has it, p99", cut["alone_p99_ms"], 5)
    if "parts" in result:
        bar("a token that was proven before, us", result["parts"]["proof_hit"], 0.3)
    start = result.get("startup", {})
    bar("start, ms", start.get("start_ms"), 50, "{:.1f}")
    idle = start.get("idle_pss_kb")
    bar("idle, MB", idle and idle / 1024, 24, "{:.1f}")
    size = start.get("stripped_bytes")
    bar("stripped binary, MB", size and size / 1e6, 5, "{:.2f}")
    return found and table(["bar", "measured", "at most", ""], found)


def text(result):
    m = result["machine"]
    parts = [
        f"{result['date']}, revision {result['revision']}, {m['cpu']}, {m['memory_gib']} GiB, "
        f"Linux {m['kernel']}, {m['system']}\ndisk: {m['disk']}\n"
        f"{m['nginx']}; {m['haproxy']}; {m['wrk']}; {m['openssl']}\n"
        f"{result['reps']} repetitions of {result['seconds']} s, medians; "
        f"load and mock on CPU 0, what is measured on CPU 1, one worker each",
        disk(result.get("disk_before"), result.get("disk_after"))]
    if "calls" in result:
        parts.append(calls(result["calls"]))
    if "tools" in result:
        parts.append(tool_calls(result["tools"]))
    if "streams" in result:
        parts.append(f"{result['stream_count']:,} streams, an event every 200 ms each\n"
                     + streams(result["streams"]))
    if "revocation" in result:
        parts.append(revocation(result["revocation"]))
    if "parts" in result:
        parts.append(questions(result["parts"]))
    if "ledger" in result:
        parts.append("the evidence process by itself\n" + result["ledger"].strip())
    if "startup" in result:
        parts.append(startup(result["startup"]))
    parts.append(bars(result))
    parts.append("\n".join(["commands:"] + [f"  {name}: {line}"
                                            for name, line in result["commands"].items()]))
    return "\n\n".join(filter(None, parts)) + "\n"
