#!/usr/bin/env python3
"""Run clang-tidy over src/.  Usage: tidy.py BUILD_FOLDER [FILE...]

Its analyzer, which follows every path and takes eight times as long as all
other checks together, runs with TESTS=all (`make test-all`).  A file that came out clean is not looked at again until it, a header that it
includes, its compiler flags or .clang-tidy change: a stamp named after the
hash of all of these stands in BUILD_FOLDER/tidy.
"""
import hashlib
import json
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TIDY = "clang-tidy-19"
ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(sys.argv[1])
STAMPS = BUILD / "tidy"
WHOLE = os.environ.get("TESTS") == "all"
COMMAND = [TIDY, "--quiet", "-p", str(BUILD)] + ([] if WHOLE else ["--checks=-clang-analyzer-*"])


def key(entry):
    """A hash of all that the verdict on one file depends on."""
    command = shlex.split(entry["command"])
    if "-o" in command:
        at = command.index("-o")
        del command[at:at + 2]
    text = subprocess.run(command + ["-E", "-w"], cwd=entry["directory"],
                          capture_output=True, check=False)
    rules = (ROOT / ".clang-tidy").read_bytes()
    parts = [entry["command"].encode(), *map(str.encode, COMMAND), rules, text.stdout]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def check(entry):
    stamp = STAMPS / key(entry)
    if stamp.exists():
        return True
    found = subprocess.run([*COMMAND, entry["file"]], capture_output=True, text=True,
                           check=False)
    if found.returncode == 0:
        stamp.touch()
        return True
    print(found.stdout or found.stderr, flush=True)
    return False


def main():
    entries = json.loads((BUILD / "compile_commands.json").read_text())
    chosen = {str(Path(f).resolve()) for f in sys.argv[2:]}
    source = str(ROOT / "src") + os.sep
    entries = [e for e in entries if e["file"].startswith(source)
               and (not chosen or e["file"] in chosen)]
    STAMPS.mkdir(exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        bad = list(pool.map(check, entries)).count(False)
    print(f"clang-tidy: {len(entries)} files, {bad} with findings")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
