"""An issuer of tokens: its key set on loopback, and one token with two links,
a person and the application that acts for her."""
import base64
import http.server
import json
import subprocess
import threading
import time

ALIAS = "bench"
PERSON, APPLICATION = "alice", "notebook"


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """RS256: what most issuers sign with."""

    def __init__(self, directory):
        self.key = directory / "issuer.pem"
        self.jwks = json.dumps({"keys": [self.make_key()]}).encode()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def make_key(self):
        subprocess.run(["openssl", "genrsa", "-out", self.key, "2048"], check=True,
                       capture_output=True)
        out = subprocess.run(["openssl", "rsa", "-in", self.key, "-noout", "-modulus"],
                             check=True, capture_output=True, text=True).stdout
        modulus = bytes.fromhex(out.strip().partition("=")[2])
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "bench",
                "n": encode(modulus), "e": "AQAB"}

    def handler(self):
        jwks = self.jwks

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("content-type", "application/jwk-set+json")
                self.send_header("content-length", str(len(jwks)))
                self.end_headers()
                self.wfile.write(jwks)

            def log_message(self, *_):
                pass

        return Handler

    def token(self):
        now = int(time.time())
        head = {"alg": "RS256", "kid": "bench", "typ": "at+jwt"}
        claims = {"iss": self.url, "aud": "writ", "sub": PERSON, "azp": APPLICATION,
                  "client_id": APPLICATION, "iat": now, "exp": now + 12 * 3600, "jti": "bench-1",
                  "groups": ["engineering", "readers"], "acr": "1", "auth_time": now}
        text = ".".join(encode(json.dumps(part, separators=(",", ":")).encode())
                        for part in (head, claims))
        signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key],
                                input=text.encode(), check=True, capture_output=True).stdout
        return f"{text}.{encode(signed)}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
