"""What everybody spent while a target was under load."""
import os
import time

from . import machine, servers

FOREIGN_MAX = 0.05     # of the machine, by others; beyond, a run is done again
TRIES = 3              # of one run


class Meter:
    """From begin() to end(): CPU of the target, of what stands beside it, of
    the kernel, and what the ledger wrote.  Servers of tools, also those that
    the target has started, are counted by themselves."""

    def __init__(self, bench, target, pids=None):
        self.target = target
        self.writ = isinstance(target, servers.Writ)
        found = target.pids() if pids is None else pids
        self.tools = [p for p in found[1:] if machine.name(p) == "tools"]
        self.pids = [p for p in found if p not in self.tools]
        self.beside = [pid for server in bench.running for pid in server.pids()
                       if server.cpu == servers.LOAD_CPU]
        self.servers = self.tools + [p for p in self.beside if machine.name(p) == "tools"]
        self.kernel = machine.kernel_threads()

    def spent(self):
        return (*map(machine.cpu_seconds, (self.pids, self.tools, self.servers, self.beside,
                                           self.kernel)),
                machine.busy_seconds(), time.monotonic())

    def begin(self):
        os.sync()     # what others left to write must not be in this figure
        self.before = self.target.ledger() if self.writ else None
        self.start = self.spent()

    def end(self):
        self.stop = self.spent()

    def row(self, generator_s):
        cpu, tools, own, beside, kernel, busy, wall = (
            b - a for a, b in zip(self.start, self.stop))
        load = beside + generator_s
        row = {"seconds": wall, "cpu_s": cpu, "kernel_threads_s": kernel, "servers_s": own,
               "load_util": load / wall, "util": (cpu + tools) / wall,
               "foreign": max(0, busy - cpu - tools - load - kernel) / (wall * machine.CPUS)}
        if self.writ:
            after = self.target.ledger()
            row["entries"] = after["entries"] - self.before["entries"]
            row["syncs"] = after["syncs"] - self.before["syncs"]
        if not all(map(machine.name, self.pids + self.tools)):
            row["note"] = "a process has ended"
        return row


class Runs:
    """Runs of which those under foreign load are done again, `again` of all."""

    def __init__(self, again):
        self.again = again

    def undisturbed(self, run):
        """The first run with hardly any foreign load, or the best of a few."""
        best = None
        for _ in range(TRIES):
            row = run()
            if best is None or row["foreign"] < best["foreign"]:
                best = row
            if best["foreign"] <= FOREIGN_MAX or self.again == 0:
                break
            self.again -= 1
        return best
