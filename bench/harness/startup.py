"""What the program costs before anybody calls: start, memory, size."""
import statistics
import subprocess
import time

from . import machine


def measure(bench, times):
    mock = bench.mock(0)
    node = bench.writ_node(mock.port, "before_action", cpu=None)
    took = []
    for _ in range(times):
        node.stop()
        begin = time.monotonic()
        node.serve()
        while not node.healthy():
            if node.process.poll() is not None:
                raise RuntimeError(f"writ ended:\n{node.output()}")
            time.sleep(0.0005)
        took.append((time.monotonic() - begin) * 1e3)
    time.sleep(2)
    pids = node.pids()
    idle_kb = machine.pss_kb(pids)
    command = node.command_line()
    bench.stop_all()
    stripped = bench.dir / "writ.stripped"
    subprocess.run(["strip", "-o", stripped, bench.writ], check=True)
    return {"start_ms": statistics.median(took), "start_max_ms": max(took), "starts": times,
            "idle_pss_kb": idle_kb, "processes": len(pids),
            "stripped_bytes": stripped.stat().st_size, "command": command}
