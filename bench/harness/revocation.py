"""An agent is suspended in the middle of its streams, beside a million others.

Two workers; load and mock on one CPU, the node wherever the kernel puts it.
"""
import json
import os
import shlex
import sqlite3
import statistics
import subprocess
import time

from . import machine, servers

AGENTS = 1_000_000
STREAMS = 1000
PACE_MS = 200
VICTIM = "victim"
KEY = servers.KEY + "-victim"
POLICY = f"""@id("victim")
permit (principal == Writ::Agent::"acme/{VICTIM}",
        action == Writ::Action::"model:invoke", resource == Writ::Model::"bench");
"""


def agents(n, now_us):
    for i in range(n):
        name = f"agent-{i:07d}"
        yield (f"acme/{name}", "agent", "acme", "keys", name, "keys|owner",
               '["review"]', "autonomous", 1, "active", now_us, now_us + 10**15, 1)


def keys(n, now_us):
    for i in range(n):
        yield (os.urandom(32), f"acme/agent-{i:07d}", "agent", f"{i:016x}", now_us + 10**15)


def fill_store(path, n):
    """Agents of one owner with a key each, as the node itself would have them."""
    now_us = time.time_ns() // 1000
    store = sqlite3.connect(path, isolation_level=None)
    store.execute("PRAGMA cache_size = -500000")
    store.execute("BEGIN")
    store.executemany(
        "INSERT INTO identity (id, kind, tenant, issuer, name, owner, purposes, mode, risk,"
        f" state, created_us, expires_us, revision) VALUES ({', '.join('?' * 13)})",
        agents(n, now_us))
    store.executemany("INSERT INTO identity_key (hmac, id, kind, fingerprint, expires_us)"
                      " VALUES (?, ?, ?, ?, ?)", keys(n, now_us))
    store.execute("COMMIT")
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()


class Revocation:
    def __init__(self, bench, times, starts, say):
        self.bench, self.times, self.starts, self.say = bench, times, starts, say
        self.commands = {}

    def body(self, name, events):
        path = self.bench.dir / f"revoke-{name}.json"
        path.write_text(json.dumps({
            "model": "bench", "stream": True, "max_tokens": events,
            "messages": [{"role": "user", "content": "Tell me a story. " * 20}],
        }, separators=(",", ":")))
        return path

    def start_again(self, node):
        """From exec to the first answer, in ms."""
        node.stop()
        begin = time.monotonic()
        node.serve()
        node.wait(120, 0.001)
        return (time.monotonic() - begin) * 1e3

    def suspensions(self, node, times):
        """Without a stream, in ms: all workers have answered, and the disk."""
        took = []
        for _ in range(times):
            begin = time.monotonic()
            node.admin("POST", f"agents/acme/{VICTIM}/suspend")
            took.append((time.monotonic() - begin) * 1e3)
            node.admin("POST", f"agents/acme/{VICTIM}/resume")
        return sorted(took)

    def run(self):
        bench, row = self.bench, {"agents": AGENTS}
        mock = bench.mock(servers.LOAD_CPU, PACE_MS * 1000)
        node = bench.writ_node(mock.port, "before_action", cpu=None, workers=2,
                               policy=POLICY)
        node.admin("POST", "agents", {
            "name": VICTIM, "kind": "agent", "mode": "autonomous", "owner": "owner",
            "tenant": "acme", "expires": "1d", "purposes": ["bench"],
            "key_hash": node.hashed(KEY)})
        time.sleep(1)
        row["idle_kb_before"] = machine.pss_kb(node.pids())
        node.stop()
        self.say(f"{AGENTS:,} agents into the registry")
        begin = time.monotonic()
        fill_store(node.dir / "data" / "store.db", AGENTS)
        self.say(f"took {time.monotonic() - begin:.0f} s; starts with them")
        starts = [self.start_again(node) for _ in range(self.starts)]
        time.sleep(2)
        row.update(start_ms=statistics.median(starts), start_max_ms=max(starts), starts=self.starts,
                   idle_kb=machine.pss_kb(node.pids()))
        took = self.suspensions(node, 100)
        row.update(alone_p50_ms=took[49], alone_p99_ms=took[98], alone_max_ms=took[99])
        command = ["taskset", "-c", str(servers.LOAD_CPU), str(bench.programs / "revoke"),
                   str(node.port), str(self.body("stream", 100000)), KEY,
                   str(self.body("probe", 1)), str(node.dir / "data" / "control.sock"),
                   f"acme/{VICTIM}", str(STREAMS), str(self.times)]
        self.commands["revocation"] = shlex.join(command)
        self.commands["writ, two workers"] = node.command_line()
        self.say(f"{STREAMS} streams are cut, {self.times} times")
        out = subprocess.run(command, capture_output=True, text=True, check=False)
        if out.returncode != 0:
            raise RuntimeError(f"{shlex.join(command)} failed:\n{out.stderr}\n{node.output()}")
        row.update(json.loads(out.stdout))
        bench.stop_all()
        row["wrong"] = sum(row[key] for key in (
            "failed", "untold", "late_content", "late_calls", "unrefused"))
        return row
