"""Whole calls: closed loop by wrk, constant rate by the bench's own generator.

Load and mock on one CPU, what is measured on the other, one worker each.  The
row `direct` is the mock itself on the second CPU.
"""
import json
import os
import re
import shlex
import statistics
import subprocess
from pathlib import Path

from . import servers
from .meter import FOREIGN_MAX, Meter, Runs

HERE = Path(__file__).resolve().parent.parent
BODIES = {"2 KB": 2048, "100 KB": 102400}
CONNECTIONS = (1, 32, 256)
RATE, RATE_CONNECTIONS = 5000, 64
AGAIN_MAX = 24         # runs that are done again, of all
SATURATED = 0.95       # of a CPU: whoever sits there is the limit
TARGETS = ("direct", "floor", "haproxy", "nginx", "nginx-auth-log",
           "writ-before_action", "writ-everything", "writ-batched")


def make_bodies(directory):
    """Chat requests of exactly these sizes, as an SDK would send them."""
    sentence = ("Summarise the following ticket for the person on call, name what was "
                "tried, and say what is still open. ")
    paths = {}
    for name, size in BODIES.items():
        def body(text):
            return json.dumps({
                "model": "bench",
                "messages": [{"role": "system", "content": "You are a terse assistant."},
                             {"role": "user", "content": text}],
                "max_tokens": 256, "temperature": 0.2}, separators=(",", ":"))
        room = size - len(body(""))
        text = body((sentence * (room // len(sentence) + 1))[:room])
        paths[name] = directory / f"body-{size}.json"
        paths[name].write_text(text)
        assert paths[name].stat().st_size == size
    return paths


class Calls(Runs):
    def __init__(self, bench, reps, seconds, say, again=AGAIN_MAX):
        super().__init__(again)
        self.bench, self.reps, self.seconds, self.say = bench, reps, seconds, say
        self.bodies = make_bodies(bench.dir)
        self.targets, self.missing = {}, {}
        self.commands = {}

    def start(self):
        bench = self.bench
        self.mock = bench.mock(servers.LOAD_CPU)
        upstream = self.mock.port
        start = {
            "direct": lambda: bench.mock(servers.PROXY_CPU),
            "floor": lambda: bench.floor(upstream),
            "haproxy": lambda: bench.haproxy(upstream),
            "nginx": lambda: bench.nginx(upstream),
            "nginx-auth-log": lambda: bench.nginx(
                upstream, auth=bench.nginx_that_says_yes().port),
            "writ-before_action": lambda: bench.writ_node(upstream, "before_action"),
            "writ-everything": lambda: bench.writ_node(
                upstream, "before_action", everything=True),
            "writ-batched": lambda: bench.writ_node(upstream, "batched"),
        }
        for name in TARGETS:
            try:
                self.targets[name] = start[name]()
                self.commands[name] = self.targets[name].command_line()
            except servers.Missing as why:
                self.missing[name] = str(why)

    # -- one run -----------------------------------------------------------

    def wrk(self, target, body, connections, seconds):
        return ["taskset", "-c", str(servers.LOAD_CPU), "wrk", "-t1", f"-c{connections}",
                f"-d{seconds}s", "--latency", "-s", str(HERE / "post.lua"),
                f"http://127.0.0.1:{target.port}/v1/chat/completions", "--",
                str(self.bodies[body]), target.key]

    def load(self, target, seconds):
        return ["taskset", "-c", str(servers.LOAD_CPU), str(self.bench.programs / "load"),
                str(target.port), str(self.bodies["2 KB"]), target.key,
                str(RATE_CONNECTIONS), str(RATE), str(seconds)]

    def observe(self, target, command):
        """Runs the generator; its output and what everybody spent meanwhile."""
        meter = Meter(self.bench, target)
        meter.begin()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        output = process.stdout.read()
        _, code, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(code)
        meter.end()
        if process.returncode != 0:
            raise RuntimeError(f"{shlex.join(command)} failed:\n{output}")
        return output, meter.row(usage.ru_utime + usage.ru_stime)

    def closed(self, name, body, connections):
        target = self.targets[name]
        command = self.wrk(target, body, connections, self.seconds)
        output, row = self.observe(target, command)
        found = {key: re.search(pattern, output) for key, pattern in {
            "calls": r"(\d+) requests in", "rps": r"Requests/sec:\s+([\d.]+)",
            "p50_us": r"50%\s+([\d.]+)(us|ms|s)", "p99_us": r"99%\s+([\d.]+)(us|ms|s)",
            "not_2xx": r"Non-2xx or 3xx responses: (\d+)",
            "errors": r"Socket errors: (.*)"}.items()}
        unit = {"us": 1, "ms": 1e3, "s": 1e6}
        row.update(calls=int(found["calls"][1]), rps=float(found["rps"][1]))
        for key in ("p50_us", "p99_us"):
            row[key] = float(found[key][1]) * unit[found[key][2]]
        row["bad"] = int(found["not_2xx"][1]) if found["not_2xx"] else 0
        if found["errors"]:
            row["bad"] += sum(map(int, re.findall(r"\d+", found["errors"][1])))
        row["cpu_us"] = row["cpu_s"] / max(row["calls"], 1) * 1e6
        check_evidence(row, connections)
        return row

    def constant(self, name):
        target = self.targets[name]
        output, row = self.observe(target, self.load(target, self.seconds))
        found = json.loads(output)
        row.update(calls=found["done"], rps=found["rps"], p50_us=found["p50_us"],
                   p99_us=found["p99_us"], not_sent=found["not_sent"],
                   bad=found["not_200"] + found["failed"])
        row["cpu_us"] = row["cpu_s"] / max(row["calls"], 1) * 1e6
        if found["not_sent"] > RATE * 0.01:
            row["note"] = "could not keep the rate"
        check_evidence(row, RATE_CONNECTIONS)
        return row

    def one(self, name, body, connections):
        if connections == "rate":
            return self.constant(name)
        return self.closed(name, body, connections)

    # -- all runs ----------------------------------------------------------

    def check_answers(self):
        """Each target answers the very JSON that the mock sends."""
        wanted = None
        for name, target in self.targets.items():
            out = subprocess.run(
                ["curl", "-sS", "-w", "\n%{http_code}", "-H", f"Authorization: Bearer {target.key}",
                 "-H", "Content-Type: application/json", "--data-binary",
                 f"@{self.bodies['100 KB']}",
                 f"http://127.0.0.1:{target.port}/v1/chat/completions"],
                capture_output=True, text=True, check=True)
            text, _, status = out.stdout.rpartition("\n")
            if status != "200":
                raise RuntimeError(f"{name} answered {status}: {text[:500]}\n{target.output()}")
            answer = json.loads(text)["choices"][0]["message"]["content"]
            wanted = wanted or answer
            if answer != wanted:
                raise RuntimeError(f"{name} answered something else: {text[:500]}")

    def warm_up(self):
        for target in self.targets.values():
            for body in BODIES:
                subprocess.run(self.wrk(target, body, 32, 1), check=True, capture_output=True)

    def run(self):
        self.start()
        self.check_answers()
        self.warm_up()
        plan = [(b, c) for b in BODIES for c in CONNECTIONS] + [("2 KB", "rate")]
        runs = {}
        for rep in range(self.reps):
            for body, connections in plan:
                for name in list(self.targets):
                    self.say(f"{body}, {connections} connections, {name}, {rep + 1}/{self.reps}")
                    try:
                        row = self.undisturbed(lambda: self.one(name, body, connections))
                        runs.setdefault((body, connections, name), []).append(row)
                    except (RuntimeError, OSError) as why:
                        self.say(f"{name}: {why}\n{self.targets[name].output()}")
                        self.missing[name] = "failed"
                        del self.targets[name]
        self.bench.stop_all()
        rows = []
        for body, connections in plan:
            for name in TARGETS:
                row = {"body": body, "connections": connections, "target": name}
                if name in self.missing:
                    row["missing"] = self.missing[name]
                else:
                    row.update(median(runs[body, connections, name]))
                rows.append(row)
            add_ratios(rows[-len(TARGETS):])
        example = self.mock
        self.commands["load, closed"] = shlex.join(self.wrk(example, "2 KB", 32, self.seconds))
        self.commands["load, constant rate"] = shlex.join(self.load(example, self.seconds))
        return rows


def check_evidence(row, connections):
    """Two entries a call; calls that the end of the run cut off have some too."""
    if "entries" not in row:
        return
    least = 2 * row["calls"]
    most = 2 * (row["calls"] + connections) + 10
    if not least <= row["entries"] <= most:
        row["note"] = f"{row['entries']} entries for {row['calls']} calls"
        row["bad"] += 1


def median(runs):
    row = {}
    for key in runs[0]:
        values = [r[key] for r in runs if key in r]
        if isinstance(values[0], (int, float)):
            row[key] = max(values) if key in ("bad", "foreign") else statistics.median(values)
    row["runs"] = runs
    notes = {r["note"] for r in runs if "note" in r}
    if row["bad"]:
        notes.add(f"{row['bad']:.0f} bad answers")
    if row["foreign"] > FOREIGN_MAX:
        notes.add(f"foreign load {row['foreign']:.0%}")
    row["refused"] = row["load_util"] > SATURATED and row["util"] < SATURATED
    if row["refused"]:
        notes.add("limit: load and mock")
    row["kernel_us"] = row["kernel_threads_s"] / max(row["calls"], 1) * 1e6
    if "syncs" in row:
        row["syncs_per_s"] = row["syncs"] / row["seconds"]
        row["entries_per_sync"] = row["entries"] / row["syncs"] if row["syncs"] else None
    row["note"] = "; ".join(sorted(notes))
    return row


def add_ratios(rows):
    by_name = {r["target"]: r for r in rows}
    for name, key in (("nginx-auth-log", "to_auth"), ("nginx", "to_nginx")):
        base = by_name[name].get("cpu_us")
        for row in rows:
            if base and "cpu_us" in row:
                row[key] = row["cpu_us"] / base
