"""The programs under test and what stands around them: started on one CPU,
stopped by pid.  All of them listen on 127.0.0.1 only."""
import getpass
import http.client
import json
import os
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

from . import issuer, machine

CONF = Path(__file__).resolve().parent.parent / "conf"
LOAD_CPU, PROXY_CPU = 0, 1     # generator and mock; what is measured
KEY = "writ-bench-0123456789abcdef0123456789abcdef"
PROVIDER_KEY = "sk-bench-0123456789abcdef"
POLICIES = 1000                # of the node that decides with everything on
FILES = 40000                  # descriptors, wanted; a proxy holds two a stream


class Missing(Exception):
    """A program is not there; its rows say so."""


def fill(name, to, **words):
    text = (CONF / name).read_text()
    for word, value in words.items():
        text = text.replace(f"@{word}@", str(value))
    to.write_text(text)
    return to


class Server:
    """One program and its children."""

    def __init__(self, name, directory, cpu):
        self.name = name
        self.dir = directory
        self.cpu = cpu
        self.port = machine.free_port()
        self.process = None
        self.command = []
        self.key = KEY         # what a caller shows
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)

    def launch(self, *argv, env=None):
        pin = [] if self.cpu is None else ["taskset", "-c", str(self.cpu)]
        self.command = [*pin, *map(str, argv)]
        self.process = subprocess.Popen(
            self.command, cwd=self.dir, env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL, stdout=open(self.dir / "output", "w"),
            stderr=subprocess.STDOUT)

    def wait(self, seconds=10):
        """Until somebody listens."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.01)
        raise RuntimeError(f"{self.name} did not start:\n{self.output()}")

    def output(self):
        return (self.dir / "output").read_text()[-4000:]

    def pids(self):
        return machine.tree(self.process.pid)

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def command_line(self):
        return shlex.join(self.command)


class Bench:
    """Where things are, and what has been started."""

    def __init__(self, root, build, files):
        self.dir = root / "build" / "bench"
        self.programs = build / "bench"
        self.writ = build / "writ"
        self.files = files
        self.running = []
        self.certificate = None
        self.dir.mkdir(parents=True, exist_ok=True)

    def add(self, server):
        self.running.append(server)
        return server

    def stop_all(self):
        for server in reversed(self.running):
            server.stop()
        self.running.clear()

    def make_certificate(self):
        """A certificate for 127.0.0.1 that signs itself: (cert, key, both)."""
        if self.certificate:
            return self.certificate
        cert, key, both = (self.dir / n for n in ("cert.pem", "key.pem", "both.pem"))
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
             "-keyout", key, "-out", cert], check=True, capture_output=True)
        both.write_text(cert.read_text() + key.read_text())
        self.certificate = cert, key, both
        return self.certificate

    def mock(self, cpu, pace_us=0, tls=False):
        server = self.add(Server("mock", self.dir / f"mock{len(self.running)}", cpu))
        argv = [self.programs / "mock", server.port]
        if pace_us:
            argv.append(pace_us)
        if tls:
            argv += self.make_certificate()[:2]
        server.launch(*argv)
        return server.wait()

    def tools(self, cpu, count):
        """A server of `count` tools, over HTTP."""
        server = self.add(Server("tools", self.dir / f"tools{len(self.running)}", cpu))
        server.launch(self.programs / "tools", server.port, count)
        return server.wait()

    def peer(self, program):
        """A program of another registry than the system's; where it was put."""
        path = self.dir.parent / "bench-peers" / program
        if not path.exists():
            raise Missing("not installed")
        return path

    def mcp_proxy(self, web):
        """The crate: a gateway of tools in Rust."""
        program = self.peer("bin/mcp-proxy")
        server = self.add(Server("mcp-proxy", self.dir / "mcp-proxy", PROXY_CPU))
        conf = fill("mcp_proxy.toml", server.dir / "proxy.toml", port=server.port, key=KEY,
                    web=web, tools=self.programs / "tools")
        server.launch(program, "--config", conf, env={"TOKIO_WORKER_THREADS": "1"})
        return server.wait(30)

    def mcp_proxy_npm(self):
        """The package of npm: pipes to HTTP."""
        program = self.peer("node_modules/.bin/mcp-proxy")
        server = self.add(Server("mcp-proxy-npm", self.dir / "mcp-proxy-npm", PROXY_CPU))
        server.launch("node", program, "--host", "127.0.0.1", "--port", server.port, "--server",
                      "stream", "--no-eventStore", "--", self.programs / "tools", "-", "2")
        return server.wait(30)

    def floor(self, upstream):
        server = self.add(Server("floor", self.dir / "floor", PROXY_CPU))
        server.launch(self.programs / "floor", server.port, upstream)
        return server.wait()

    def haproxy(self, upstream, front_tls=False, back_tls=False):
        need("haproxy")
        server = self.add(Server("haproxy", self.dir / "haproxy", PROXY_CPU))
        cert, _, both = self.make_certificate() if front_tls else (None, None, None)
        conf = fill("haproxy.cfg", server.dir / "haproxy.cfg", port=server.port,
                    upstream=upstream, connections=(self.files - 500) // 2,
                    bind_ssl=f"ssl crt {both}" if front_tls else "",
                    server_ssl=f"ssl verify required ca-file {cert}" if back_tls else "")
        server.launch("haproxy", "-db", "-f", conf)
        return server.wait()

    def nginx(self, upstream, auth=None, streams=False, front_tls=False, back_tls=False):
        need("nginx")
        name = "nginx-auth-log" if auth else "nginx"
        server = self.add(Server(name, self.dir / name, PROXY_CPU))
        cert, key, _ = self.make_certificate() if front_tls else (None, None, None)
        conf = fill(
            "nginx.conf", server.dir / "nginx.conf", user=getpass.getuser(), dir=server.dir,
            files=self.files, connections=self.files - 500, port=server.port, upstream=upstream,
            auth=auth or 9, auth_request="auth_request /auth;" if auth else "",
            access_log=f"{server.dir}/access.log audit" if auth else "off",
            buffering="proxy_buffering off;" if streams else "",
            listen_ssl="ssl" if front_tls else "",
            certificate=f"ssl_certificate {cert}; ssl_certificate_key {key};"
            if front_tls else "",
            scheme="https" if back_tls else "http",
            verify=f"proxy_ssl_verify on; proxy_ssl_trusted_certificate {cert}; "
            "proxy_ssl_name localhost;" if back_tls else "")
        server.launch("nginx", "-e", server.dir / "error.log", "-c", conf)
        return server.wait()

    def nginx_that_says_yes(self):
        """The answers to auth_request, on the load's CPU and not counted."""
        need("nginx")
        server = self.add(Server("nginx-yes", self.dir / "nginx-yes", LOAD_CPU))
        conf = fill("nginx_auth.conf", server.dir / "nginx.conf", user=getpass.getuser(),
                    dir=server.dir, port=server.port)
        server.launch("nginx", "-e", server.dir / "error.log", "-c", conf)
        return server.wait()

    def writ_node(self, upstream, durable, cpu=PROXY_CPU, front_tls=False, back_tls=False,
                  everything=False, workers=1, policy="", more="", risk=()):
        if not self.writ.exists():
            raise Missing("not built")
        name = "writ-everything" if everything else f"writ-{durable}"
        server = self.add(Writ(name, self.dir / name, cpu))
        server.policy, server.risk = policy, list(risk)
        cert, key, _ = self.make_certificate() if front_tls else (None, None, None)
        server.configure(
            self.writ, cert, everything, more, upstream=upstream, durable=durable,
            workers=workers,
            listen_tls=f"tls: {{cert: {cert}, key: {key}}}" if front_tls else "",
            scheme="https" if back_tls else "http",
            provider_tls=f"tls: {{ca: {cert}}}" if back_tls else "")
        server.serve()
        server.wait()
        server.register()
        return server


# Who calls, and what lets them.
CALLER = """@id("bench")
permit (principal == Writ::Application::"keys|bench",
        action == Writ::Action::"model:invoke", resource == Writ::Model::"bench");
"""
TWO_LINKS = f"""@id("person")
permit (principal == Writ::User::"{issuer.ALIAS}|{issuer.PERSON}",
        action == Writ::Action::"model:invoke", resource)
when {{ context.tenant == "acme" && context.estimate.tokens < 1000000 }};
@id("application")
permit (principal == Writ::Application::"{issuer.ALIAS}|{issuer.APPLICATION}",
        action == Writ::Action::"model:invoke", resource)
when {{ principal.purposes.contains("bench") && context.destination.region == "eu" }};
"""


def other_policies(n):
    """Policies of other people's: what a real folder is full of."""
    return "".join(
        f'@id("p{i}")\npermit (principal == Writ::Agent::"acme/agent-{i}",\n'
        f'        action == Writ::Action::"model:invoke", resource == Writ::Model::"m{i}")\n'
        f'when {{ context.chain.depth < 3 && principal.purposes.contains("p{i}") }};\n'
        for i in range(n))


def everything_policies():
    return TWO_LINKS + other_policies(POLICIES - 2)


class Writ(Server):
    """The gateway, whose status tells what its ledger did."""

    def configure(self, program, cert, everything, more, **words):
        self.program = program
        self.trust = ssl.create_default_context(cafile=cert) if cert else None
        self.issuer = issuer.Issuer(self.dir) if everything else None
        (self.dir / "policies").mkdir()
        text = everything_policies() if everything else CALLER + self.policy
        (self.dir / "policies" / "bench.cedar").write_text(text)
        fill("writ.yaml", self.dir / "writ.yaml", port=self.port,
             more=more + (self.more() if everything else ""), **words)
        if everything:
            self.key = self.issuer.token()

    def more(self):
        return (
            f"trust: {{oidc: [{{alias: {issuer.ALIAS}, issuer: '{self.issuer.url}', "
            f"jwks: '{self.issuer.url}/jwks', audience: writ, kinds: human, tenants: acme, "
            "claims: {groups: groups}}]}\n"
            "limits:\n"
            "  - {name: tokens, per: principal, budget: {tokens: 1000000000000, window: 1d}}\n"
            "  - {name: calls, per: tenant, budget: {requests: 1000000000000, window: 1d}}\n")

    def hashed(self, key):
        done = subprocess.run(
            [self.program, "key", "hash", "--data", self.dir / "data"], input=key, text=True,
            capture_output=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"writ key hash: {done.stderr}")
        return done.stdout.strip()

    def register(self):
        """An owner, and who calls: by key, or by the issuer's token."""
        common = {"tenant": "acme", "expires": "1d", "purposes": ["bench"]}
        self.admin("POST", "agents", {"name": "owner", "kind": "human", **common,
                                      "key_hash": self.hashed(KEY + "-owner")})
        owned = {"owner": "owner", **common, **({"risk": self.risk} if self.risk else {})}
        if self.issuer is None:
            self.admin("POST", "agents", {"name": "bench", "kind": "application", **owned,
                                          "key_hash": self.hashed(KEY)})
            return
        self.admin("POST", "agents", {"name": issuer.PERSON, "kind": "human",
                                      "issuer": issuer.ALIAS, **common})
        self.admin("POST", "agents", {"name": issuer.APPLICATION, "kind": "application",
                                      "issuer": issuer.ALIAS, **owned})

    def stop(self):
        super().stop()
        if self.issuer is not None:
            self.issuer.stop()

    def serve(self):
        self.launch(self.program, "serve", "--config", self.dir / "writ.yaml",
                    env={"BENCH_PROVIDER_KEY": PROVIDER_KEY})

    def connect(self):
        if self.trust is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=5,
                                           context=self.trust)

    def healthy(self):
        try:
            connection = self.connect()
            connection.request("GET", "/healthz")
            status = connection.getresponse().status
            connection.close()
            return status == 200
        except (OSError, http.client.HTTPException):
            return False

    def wait(self, seconds=20, pause=0.01):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            if self.healthy():
                return self
            time.sleep(pause)
        raise RuntimeError(f"{self.name} does not serve:\n{self.output()}")

    def ledger(self):
        """Its counters, after what is on its way has been written."""
        time.sleep(0.5)
        return self.status()["ledger"]

    def status(self):
        return self.admin("GET", "status")

    def admin(self, method, what, body=None):
        connection = http.client.HTTPConnection("localhost", timeout=10)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(10)
        connection.sock.connect(str(self.dir / "data" / "control.sock"))
        connection.request(method, f"/admin/v1/{what}", json.dumps(body) if body else None,
                           {"content-type": "application/json"} if body else {})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        if response.status >= 300:
            raise RuntimeError(f"{method} {what}: {response.status} {text.decode()}")
        return json.loads(text)


def need(program):
    if shutil.which(program) is None:
        raise Missing("not installed")
