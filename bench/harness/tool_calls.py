"""Calls of tools: over HTTP and over pipes, directly and through the gateway,
and the list of a thousand of them."""
import json
import shlex
import subprocess

from . import machine, servers
from .calls import AGAIN_MAX, check_evidence, median
from .meter import Meter, Runs

CONNECTIONS = (1, 32, 256)
DEPTH = (1, 32)            # calls at a time over pipes
SESSIONS_MAX = 32          # of one caller
LISTED = 1000              # tools of the server that has many
LISTS = 4                  # callers who list them
MESSAGE = 1024             # bytes of a call, and nearly so of its answer

HTTP = ("direct", "nginx", "nginx-auth-log", "mcp-proxy", "writ-tools read", "writ-tools write")
MANY = ("writ-tools read", "writ-tools read of 1,000")
PIPES = ("direct", "mcp-proxy", "mcp-proxy-npm", "writ-tools shared", "writ-tools one session")
LISTING = ("direct", "writ-tools")

# Who may do what: by typed arguments, and a tenth of the many tools is not
# for this caller.
POLICY = """@id("list")
permit (principal == Writ::Application::"keys|bench", action == Writ::Action::"tool:list", resource);
@id("call")
permit (principal == Writ::Application::"keys|bench", action in Writ::Action::"tool:call", resource)
when { context.input.count < 10 && context.input.text like "the *" };
@id("not-those")
forbid (principal, action in Writ::Action::"tool:call", resource)
when { resource.server == "many" && resource.name like "*7" };
@id("not-much")
forbid (principal, action in Writ::Action::"tool:call", resource)
when { context.input.count > 5 && resource.risk.contains("write") };
"""
RISK = '{"echo": [read], "get_*": [read], "put": [write], "set_*": [write]}'
# The places of a node's servers: path, and what is asked there.
PLACES = {
    "writ-tools read": ("/mcp/web", "echo"),
    "writ-tools write": ("/mcp/web", "put"),
    "writ-tools read of 1,000": ("/mcp/many", "echo"),
    "writ-tools shared": ("/mcp/shared", "echo"),
    "writ-tools one session": ("/mcp/own", "echo"),
    "writ-tools": ("/mcp/many", "list"),
}


def make_messages(directory):
    """What is asked; ten zeros stand for the id."""
    def call(name, text):
        return ('{"jsonrpc":"2.0","id":0000000000,"method":"tools/call","params":{"name":"%s",'
                '"arguments":{"text":"%s","count":3}}}' % (name, text))

    messages = {"list": '{"jsonrpc":"2.0","id":0000000000,"method":"tools/list"}'}
    for name in ("echo", "put", "web/echo", "pipe/echo"):
        room = MESSAGE - len(call(name, ""))
        messages[name] = call(name, ("the quick brown fox jumps over the lazy dog, " * 40)[:room])
    paths = {}
    for name, text in messages.items():
        paths[name] = directory / f"tool-{name.replace('/', '-')}.json"
        paths[name].write_text(text)
    return paths


class ToolCalls(Runs):
    def __init__(self, bench, reps, seconds, say, again=AGAIN_MAX):
        super().__init__(again)
        self.bench, self.reps, self.seconds, self.say = bench, reps, seconds, say
        self.messages = make_messages(bench.dir)
        self.targets, self.missing, self.commands = {}, {}, {}

    # -- who is asked --------------------------------------------------------

    def settings(self):
        """The `tools` of the node."""
        def row(name, what):
            return f"  {name}: {{region: eu, risk: {RISK}, {what}}}\n"

        pipe = f'transport: stdio, command: ["{self.bench.programs / "tools"}", "-", "2"]'
        return "tools:\n" + "".join((
            row("web", f"transport: http, url: 'http://127.0.0.1:{self.web.port}/mcp'"),
            row("many", f"transport: http, url: 'http://127.0.0.1:{self.many.port}/mcp'"),
            row("shared", f"{pipe}, shared: true"), row("own", pipe)))

    def start(self):
        bench = self.bench
        self.web = bench.tools(servers.LOAD_CPU, 2)
        self.many = bench.tools(servers.LOAD_CPU, LISTED)
        start = {
            "direct": lambda: bench.tools(servers.PROXY_CPU, LISTED),
            "nginx": lambda: bench.nginx(self.web.port),
            "nginx-auth-log": lambda: bench.nginx(
                self.web.port, auth=bench.nginx_that_says_yes().port),
            "mcp-proxy": lambda: bench.mcp_proxy(self.web.port),
            "mcp-proxy-npm": bench.mcp_proxy_npm,
            "writ-tools": lambda: bench.writ_node(
                self.web.port, "before_action", policy=POLICY, more=self.settings(),
                risk=("read", "write")),
        }
        for name, launch in start.items():
            try:
                self.targets[name] = launch()
                self.commands[f"tools, {name}"] = self.targets[name].command_line()
            except servers.Missing as why:
                self.missing[name] = str(why)

    # -- one run ---------------------------------------------------------------

    def http(self, kind, name, connections):
        target = self.targets[name.split(" ")[0]]
        path, what = PLACES.get(name, ("/mcp", "list" if kind == "list" else "echo"))
        if name == "mcp-proxy":     # one path for all, with names of its own
            path, what = "/", "pipe/echo" if kind == "pipes" else "web/echo"
        sessions = 1 if name.endswith("one session") else min(connections, SESSIONS_MAX)
        return target, [
            "taskset", "-c", str(servers.LOAD_CPU), str(self.bench.programs / "tool_calls"),
            str(target.port), path, target.key, str(self.messages[what]), str(connections),
            str(sessions), str(self.seconds)]

    def pipe(self, depth):
        return None, [
            "taskset", "-c", str(servers.LOAD_CPU), str(self.bench.programs / "tool_pipe"),
            str(self.messages["echo"]), str(depth), str(self.seconds), "taskset", "-c",
            str(servers.PROXY_CPU), str(self.bench.programs / "tools"), "-", "2"]

    def command(self, kind, name, connections):
        if kind == "pipes" and name == "direct":
            return self.pipe(connections)
        return self.http(kind, name, connections)

    def one(self, kind, name, connections):
        """Runs the generator; what it says and what everybody spent meanwhile."""
        target, command = self.command(kind, name, connections)
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   text=True)
        try:
            row = self.talk(process, target, command)
        finally:
            process.stdin.close()
            process.wait()
        row["cpu_us"] = row["cpu_s"] / max(row["calls"], 1) * 1e6
        row["server_us"] = row["servers_s"] / max(row["calls"], 1) * 1e6
        if isinstance(target, servers.Writ) and kind != "list":
            check_evidence(row, connections)
        return row

    def talk(self, process, target, command):
        def line():
            text = process.stdout.readline()
            if not text:
                raise RuntimeError(f"{shlex.join(command)} failed")
            return text

        line()
        of = machine.tree(process.pid)[1:] if target is None else None
        meter = Meter(self.bench, target, of)
        meter.begin()
        used = machine.cpu_seconds([process.pid])
        process.stdin.write("\n")
        process.stdin.flush()
        found = json.loads(line())
        meter.end()
        row = meter.row(machine.cpu_seconds([process.pid]) - used)
        process.stdin.write("\n")
        process.stdin.flush()
        row.update(found)
        return row

    # -- all runs ----------------------------------------------------------------

    def plan(self):
        for n in CONNECTIONS:
            yield "calls", n, HTTP
        yield "many", CONNECTIONS[1], MANY
        for n in DEPTH:
            yield "pipes", n, PIPES
        yield "list", LISTS, LISTING

    def run(self):
        self.start()
        runs = {}
        for rep in range(self.reps):
            for kind, n, names in self.plan():
                for name in names:
                    self.measure(runs, (kind, n, name), rep)
        self.bench.stop_all()
        return [row for kind, n, names in self.plan()
                for row in self.group(runs, kind, n, names)]

    def measure(self, runs, key, rep):
        kind, n, name = key
        if name.split(" ")[0] in self.missing and not (kind == "pipes" and name == "direct"):
            return
        self.say(f"tools: {kind}, {n} connections, {name}, {rep + 1}/{self.reps}")
        try:
            row = self.undisturbed(lambda: self.one(kind, name, n))
            runs.setdefault(key, []).append(row)
        except (RuntimeError, OSError) as why:
            target = self.targets.get(name.split(" ")[0])
            self.say(f"{name}: {why}\n{target.output() if target else ''}")
            self.missing[name.split(" ")[0]] = "failed"

    def group(self, runs, kind, n, names):
        rows = []
        for name in names:
            row = {"kind": kind, "connections": n, "target": name}
            found = runs.get((kind, n, name))
            if found is None:
                row["missing"] = self.missing[name.split(" ")[0]]
            else:
                row.update(median(found))
            rows.append(row)
        base = {r["target"]: r.get("cpu_us") for r in rows}
        for name, key in (("direct", "to_direct"), ("nginx", "to_nginx"),
                          ("nginx-auth-log", "to_auth")):
            for row in rows:
                if base.get(name) and "cpu_us" in row:
                    row[key] = row["cpu_us"] / base[name]
        return rows
