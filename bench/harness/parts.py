"""The questions between a request and its dispatch, each by itself."""
import json
import shlex
import shutil
import subprocess

from . import issuer, revocation, servers


def measure(bench):
    """Microseconds each, and the command."""
    directory = bench.dir / "parts"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    of = issuer.Issuer(directory)
    try:
        (directory / "jwks.json").write_bytes(of.jwks)
        (directory / "token").write_text(of.token())
        (directory / "bench.cedar").write_text(servers.everything_policies())
        command = ["taskset", "-c", str(servers.PROXY_CPU), str(bench.programs / "parts_bench"),
                   str(directory), of.url, str(revocation.AGENTS)]
        out = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        of.stop()
    if out.returncode != 0:
        raise RuntimeError(f"{shlex.join(command)} failed:\n{out.stderr}")
    return json.loads(out.stdout), shlex.join(command)
