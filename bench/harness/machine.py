"""What the kernel knows: CPU time, memory, and the machine itself."""
import os
import platform
import re
import socket
import subprocess
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
CPUS = os.cpu_count()


def _stat(pid):
    """The fields of /proc/PID/stat behind the name, or None when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text[text.rindex(")") + 2:].split()


def _processes():
    for name in os.listdir("/proc"):
        if name.isdigit() and (fields := _stat(name)):
            yield int(name), int(fields[1]), fields


def tree(root):
    """`root` and all that descends from it."""
    children = {}
    for pid, parent, _ in _processes():
        children.setdefault(parent, []).append(pid)
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def name(pid):
    """What the kernel calls a process; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def cpu_seconds(pids):
    """User and system time of these processes, their threads included."""
    total = 0
    for pid in pids:
        if fields := _stat(pid):
            total += int(fields[11]) + int(fields[12])
    return total / TICKS


def kernel_threads():
    """Pids of the kernel's own threads, which do what a sync asks for."""
    return [pid for pid, parent, _ in _processes() if parent == 2]


def busy_seconds():
    """What all CPUs spent on processes, or lost to the machine's host."""
    user, nice, system, _, _, _, _, steal = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9])
    return (user + nice + system + steal) / TICKS


def pss_kb(pids):
    """Proportional set size: shared pages count once over all processes.

    None: these processes do not show it to this user (run as root).
    """
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except PermissionError:
            return None
        total += int(re.search(r"^Pss:\s+(\d+) kB", text, re.M).group(1))
    return total


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def file_system(path):
    out = subprocess.run(["findmnt", "-n", "-o", "FSTYPE", "-T", str(path)],
                         capture_output=True, text=True, check=True)
    return out.stdout.strip()


def _first_line(*command):
    try:
        out = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return ((out.stdout or out.stderr).splitlines() or [""])[0].strip()


def describe(directory):
    cpu = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    system = re.search(r'PRETTY_NAME="(.*)"', Path("/etc/os-release").read_text())
    return {
        "cpu": f"{CPUS} x {cpu.group(1) if cpu else platform.machine()}",
        "memory_gib": round(int(memory.group(1)) / 2**20),
        "kernel": platform.release(),
        "system": system.group(1) if system else "unknown",
        "disk": f"{file_system(directory)} at {directory}",
        "nginx": _first_line("nginx", "-v"),
        "haproxy": _first_line("haproxy", "-v"),
        "wrk": _first_line("wrk", "-v"),
        "openssl": _first_line("openssl", "version"),
    }
