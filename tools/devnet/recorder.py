"""A forwarder on loopback between validator clients and the signer that notes every sign request and its answer.

What it notes is evidence from outside the signer: the signatures that really left, also those that never reached the chain. When the
signer is gone, the client's connection is closed without an answer, as if the client had called the signer itself.
"""
import http.client
import http.server
import itertools
import json
import socketserver
import threading
import time


class Exchange:
    """One sign request and its answer; status 0 when there was none."""

    def __init__(self, pubkey, body, status, answer, began, ended):
        self.pubkey, self.body, self.status, self.answer = pubkey, body, status, answer
        self.began, self.ended = began, ended  # monotonic

    @property
    def kind(self):
        return self.body["type"]

    @property
    def signing_root(self):
        return self.body["signingRoot"].lower()

    def conflict_domain(self):
        """Messages of one key that agree here must have one signing root; None when the kind is not protected."""
        if self.kind == "BLOCK_V2":
            block = self.body["beacon_block"]  # the whole block before Bellatrix, the header from then on
            return self.pubkey, "block", int((block.get("block_header") or block["block"])["slot"])
        if self.kind == "ATTESTATION":
            return self.pubkey, "attestation", int(self.body["attestation"]["target"]["epoch"])
        return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.forward()

    def do_POST(self):
        self.forward()

    def forward(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        began = time.monotonic()
        status, content_type, answer = self.ask(body)
        self.note(body, status, answer, began)
        if status == 0:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def ask(self, body):
        head = {name: self.headers[name] for name in ("Accept", "Content-Type") if name in self.headers}
        # A fresh connection each time: one kept from before a restart would fail a request that the client itself would not lose.
        upstream = http.client.HTTPConnection("127.0.0.1", next(self.server.signer_ports), timeout=40)
        try:
            upstream.request(self.command, self.path, body=body, headers=head)
            reply = upstream.getresponse()
            return reply.status, reply.getheader("Content-Type", ""), reply.read()
        except (OSError, http.client.HTTPException):
            return 0, "", b""
        finally:
            upstream.close()

    def note(self, body, status, answer, began):
        if self.command == "POST" and "/eth2/sign/" in self.path:
            pubkey = "0x" + self.path.rsplit("/", 1)[1].removeprefix("0x").lower()
            seen = Exchange(pubkey, json.loads(body), status, answer.decode(), began, time.monotonic())
            self.server.exchanges.append(seen)


class Recorder(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Of several signers each request goes to the next."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *signer_ports):
        super().__init__(("127.0.0.1", 0), Handler)
        self.signer_ports = itertools.cycle(signer_ports)
        self.exchanges = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a client that went away; its request is noted

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def close(self):
        self.shutdown()
        self.server_close()
