"""Thousands of paced streams at a time: CPU an event, memory a stream, and the
time that is added to the first event."""
import json
import math
import shlex
import subprocess
import time

from . import machine, servers

PACE_MS = 200
LOAD_MAX = 0.9         # of a CPU: beyond, load and mock add to what is seen
FOREIGN_MAX = 0.05     # of the machine, by others
KINDS = {"plain": (False, False), "TLS front": (True, False), "TLS both": (True, True)}
TARGETS = ("direct", "haproxy", "nginx", "writ-before_action", "writ-everything")
ONLY = {"TLS front": TARGETS[:4], "TLS both": TARGETS[1:4]}


class Streaming:
    def __init__(self, bench, streams, seconds, say):
        self.bench, self.streams, self.seconds, self.say = bench, streams, seconds, say
        self.ramp_ms = max(1000, streams)    # a thousand new streams a second
        length_ms = self.ramp_ms + 2 * seconds * 1000 + 2000
        self.events = math.ceil(length_ms / PACE_MS)
        self.commands = {}
        self.bodies = [self.body("stream", self.events), self.body("probe", 1)]

    def body(self, name, events):
        path = self.bench.dir / f"{name}.json"
        path.write_text(json.dumps({
            "model": "bench", "stream": True, "max_tokens": events,
            "messages": [{"role": "user", "content": "Tell me a story. " * 20}],
        }, separators=(",", ":")))
        return path

    def start(self, name, front, back):
        mock = self.bench.mock(servers.PROXY_CPU if name == "direct" else servers.LOAD_CPU,
                               PACE_MS * 1000, front if name == "direct" else back)
        tls = {"front_tls": front, "back_tls": back}
        if name == "direct":
            return mock
        if name == "haproxy":
            return self.bench.haproxy(mock.port, **tls)
        if name == "nginx":
            return self.bench.nginx(mock.port, streams=True, **tls)
        return self.bench.writ_node(mock.port, "before_action",
                                    everything=name == "writ-everything", **tls)

    def measure(self, target, front):
        command = ["taskset", "-c", str(servers.LOAD_CPU), str(self.bench.programs / "streams"),
                   str(target.port), str(self.bodies[0]), target.key, str(self.bodies[1]),
                   str(self.streams), str(self.ramp_ms), str(self.seconds),
                   "TLS" if front else "PLAIN"]
        self.commands[f"{target.name}, {'TLS' if front else 'plain'}"] = shlex.join(command)
        idle_kb = machine.pss_kb(target.pids())
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        pids = target.pids()
        beside = [process.pid] + [pid for server in self.bench.running for pid in server.pids()
                                  if server.cpu == servers.LOAD_CPU]
        marks = {}
        for line in process.stdout:
            word, _, rest = line.partition(" ")
            if word in ("begin", "end"):
                marks[word] = (int(rest), machine.cpu_seconds(pids), machine.cpu_seconds(beside),
                               machine.busy_seconds(), time.monotonic())
            if word == "end":
                loaded_kb = machine.pss_kb(pids)
        if process.wait() != 0:
            raise RuntimeError(f"{shlex.join(command)} failed")
        row = json.loads(line)
        events, cpu, load_cpu, busy, wall = (
            b - a for a, b in zip(marks["begin"], marks["end"]))
        time.sleep(1)
        row.update(
            idle_kb=idle_kb, loaded_kb=loaded_kb, recovered_kb=machine.pss_kb(pids),
            kb_per_stream=loaded_kb and (loaded_kb - idle_kb) / self.streams,
            events_per_s=events / wall, util=cpu / wall, load_util=load_cpu / wall,
            foreign=max(0, busy - cpu - load_cpu) / (wall * machine.CPUS),
            cpu_us_per_event=cpu / max(events, 1) * 1e6,
            # each stream ends with [DONE], which its reader counts as an event
            lost=self.streams * (self.events + 1) + row["probes"] * 2 - row["events"])
        row["note"] = note(row)
        return row

    def run(self):
        rows, base = [], None     # TLS on both sides is compared to TLS in front
        for kind, (front, back) in KINDS.items():
            for name in ONLY.get(kind, TARGETS):
                self.say(f"{self.streams} streams, {kind}, {name}")
                row = {"kind": kind, "target": name}
                rows.append(row)
                try:
                    row.update(self.measure(self.start(name, front, back), front))
                except servers.Missing as why:
                    row["missing"] = str(why)
                    continue
                except RuntimeError as why:
                    self.say(str(why))
                    row["missing"] = "failed"
                    continue
                finally:
                    self.bench.stop_all()
                base = row if name == "direct" else base
                for key in ("first_p50_us", "first_p99_us"):
                    row[f"added_{key}"] = row[key] - base[key]
        return rows


def note(row):
    notes = [f"{row[key]} {key}" for key in ("failed", "not_200", "lost") if row[key]]
    if row["load_util"] > LOAD_MAX:
        notes.append("limit: load and mock")
    if row["foreign"] > FOREIGN_MAX:
        notes.append(f"foreign load {row['foreign']:.0%}")
    return "; ".join(notes)
