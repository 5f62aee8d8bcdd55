"""Too much of everything: idle connections, slow callers, strangers' bodies, pages in a browser, a stop in the middle of work."""
import http.client
import json
import re
import resource
import signal
import socket
import threading
import time
import unittest

from harness import Signer, SignerTest, TOKENS, attestation


def head(path, *lines, method="POST"):
    return ("\r\n".join((f"{method} {path} HTTP/1.1", "Host: localhost", *lines)) + "\r\n\r\n").encode()


def read_reply(connection):
    text = b""
    while b"\r\n\r\n" not in text:
        more = connection.recv(4096)
        if not more:
            break
        text += more
    return text.decode("utf-8", "replace")


class Overload(SignerTest):
    def signer_with(self, extra="", policies=None):
        signer = Signer(extra=extra) if policies is None else Signer(extra=extra, policies=policies)
        self.addCleanup(signer.close)
        return signer.start()

    def add_server_keys(self, signer, lines):
        with open(signer.config, encoding="utf-8") as text:
            config = text.read()
        with open(signer.config, "w", encoding="utf-8") as out:
            out.write(config.replace("server:\n", "server:\n" + lines, 1))

    def configured(self, lines, extra=""):
        signer = Signer(extra=extra)
        self.addCleanup(signer.close)
        self.add_server_keys(signer, lines)
        return signer.start()

    def test_ten_thousand_idle_connections_or_as_many_as_may_be(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        count = min(10_000, hard - 500)
        signer = self.signer_with()
        signer.init_kms_only()
        key = signer.import_interop(0)[0]
        idle = []
        try:
            for i in range(count):
                idle.append(socket.create_connection(("127.0.0.1", signer.port)))
                if i % 1000 == 0:
                    self.assertEqual(signer.sign(key, attestation(100 + i, 101 + i)).status, 200, i)
            self.assertEqual(signer.request("GET", "/upcheck").text, "OK")
            self.assertEqual(signer.sign(key, attestation(count + 200, count + 201)).status, 200)
            evicted = int(float(re.search(r"(?m)^containment_http_connections_evicted_total (\S+)", signer.metrics())[1]))
            limit = int((re.search(r"connections_per_listener=(\d+)", signer.log()) or (0, 4096))[1])
            self.assertGreaterEqual(evicted, count - limit - 100)
            memory = float(re.search(r"(?m)^process_resident_memory_bytes (\S+)", signer.metrics())[1])
            self.assertLess(memory, 600e6)
            print(f"\n{count} idle connections: {evicted} evicted, {memory / 1e6:.0f} MB resident")
        finally:
            for connection in idle:
                connection.close()

    def test_slow_heads_and_slow_bodies_cost_their_own_connection_only(self):
        signer = self.configured("  header_timeout_seconds: 1\n  body_timeout_seconds: 1\n  max_connections: 8\n")
        signer.init_kms_only()
        key = signer.import_interop(0)[0]
        slow_heads = [socket.create_connection(("127.0.0.1", signer.port)) for _ in range(20)]
        for connection in slow_heads:
            try:
                connection.sendall(b"GET /upcheck HTT")
            except OSError:
                pass  # had to make room already
        slow_body = socket.create_connection(("127.0.0.1", signer.port))
        slow_body.sendall(head(f"/api/v1/eth2/sign/{key}", f"Authorization: Bearer {TOKENS['SIGNING_TOKEN']}", "Content-Length: 1000") + b"{")
        self.assertEqual(signer.sign(key, attestation(1, 2)).status, 200)
        slow_body.settimeout(20)
        self.assertIn("408", read_reply(slow_body).split("\r\n")[0])
        self.assertEqual(signer.sign(key, attestation(2, 3)).status, 200)
        for connection in slow_heads + [slow_body]:
            connection.close()

    def test_a_strangers_sign_request_is_refused_before_its_body(self):
        signer = self.signer_with()
        signer.init_kms_only()
        key = signer.import_interop(0)[0]
        for token, status in ((None, "401"), ("operations-token-0001", "403")):
            connection = socket.create_connection(("127.0.0.1", signer.port), timeout=10)
            lines = [f"Authorization: Bearer {token}"] if token else []
            connection.sendall(head(f"/api/v1/eth2/sign/{key}", "Accept: application/json", "Content-Length: 1000000", *lines))
            reply = read_reply(connection)
            self.assertIn(status, reply.split("\r\n")[0])
            self.assertIn("X-Request-Id: ", reply)
            if status == "401":
                self.assertRegex(reply, "WWW-Authenticate: Basic .*Bearer")
            connection.close()
        # Sealed: said before the body as well.
        signer.operator("seal", "--auth-token", TOKENS["CC_AUTH_TOKEN"])
        connection = socket.create_connection(("127.0.0.1", signer.port), timeout=10)
        connection.sendall(head(f"/api/v1/eth2/sign/{key}", f"Authorization: Bearer {TOKENS['SIGNING_TOKEN']}", "Content-Length: 1000000"))
        self.assertIn("503", read_reply(connection).split("\r\n")[0])
        connection.close()

    def test_requests_under_way_finish_when_the_signer_is_told_to_stop(self):
        signer = self.signer_with()
        signer.init_kms_only()
        key = signer.import_interop(0)[0]
        body = json.dumps(attestation(10, 11)).encode()
        busy = socket.create_connection(("127.0.0.1", signer.port), timeout=20)
        busy.sendall(head(f"/api/v1/eth2/sign/{key}", f"Authorization: Bearer {TOKENS['SIGNING_TOKEN']}", "Accept: application/json",
                          f"Content-Length: {len(body)}") + body[:20])
        idle = http.client.HTTPConnection("127.0.0.1", signer.port, timeout=20)
        idle.request("GET", "/upcheck")
        idle.getresponse().read()
        time.sleep(0.3)
        signer.process.send_signal(signal.SIGTERM)
        end = time.monotonic() + 10
        refused = False
        while not refused and time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", signer.port), timeout=2).close()
                time.sleep(0.02)
            except OSError:
                refused = True
        self.assertTrue(refused, "new connections are still taken")
        busy.sendall(body[20:])
        reply = read_reply(busy)
        self.assertIn("200 OK", reply)
        self.assertIn("Connection: close", reply)
        self.assertEqual(idle.sock.recv(1), b"")
        self.assertEqual(signer.process.wait(timeout=20), 0)
        busy.close()
        idle.close()

    def test_without_policies_a_web_page_cannot_make_the_signer_sign(self):
        signer = self.signer_with(policies="")
        path = "/api/v1/eth2/publicKeys"
        self.assertEqual(signer.request("GET", path).status, 200)
        self.assertEqual(signer.request("GET", path, headers={"Host": "signer:9000"}).status, 200)
        for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
                        {"Host": "evil.example:9000", "Origin": "http://evil.example:9000"}):
            reply = signer.request("GET", path, headers=headers)
            self.assertEqual((reply.status, reply.json()["code"]), (403, "forbidden"), headers)
            self.assertEqual(signer.request("GET", "/upcheck", headers=headers).status, 200)
        listed = self.signer_with(policies="", extra="http:\n  host_allowlist: [signer.example]\n  origin_allowlist: ['https://ui.example']\n")
        self.assertEqual(listed.request("GET", path, headers={"Host": "signer.example", "Origin": "https://ui.example"}).status, 200)
        self.assertEqual(listed.request("GET", path).status, 403)

    def test_canaries_access_lines_and_request_ids_in_json(self):
        canary = "0x" + "ab" * 48
        signer = Signer(extra=f"signing:\n  canary_keys: ['{canary}']\nlog:\n  format: json\n  access_level: info\n")
        self.addCleanup(signer.close)
        signer.start(wait=False)
        end = time.monotonic() + 20
        while time.monotonic() < end and '"listener":"metrics"' not in signer.log():
            time.sleep(0.05)
        ports = dict(re.findall(r'"listener":"(\w+)".*?"port":"(\d+)"', signer.log()))
        signer.port, signer.metrics_port = int(ports["api"]), int(ports["metrics"])
        self.assertIn('containment_canary_signing_total{result="refused"} 0', signer.metrics())
        self.assertEqual(signer.sign(canary, attestation(1, 2), token="nobody-knows-this-token").status, 401)
        self.assertIn('containment_canary_signing_total{result="refused"} 0', signer.metrics())
        self.assertEqual(signer.sign(canary, attestation(1, 2), headers={"X-Request-Id": "trace-7"}).status, 404)
        self.assertIn('containment_canary_signing_total{result="refused"} 1', signer.metrics())
        self.assertRegex(signer.metrics(), r'containment_http_requests_total\{.*route="/api/v1/eth2/sign/\{identifier\}".*status="404".*\} 1')
        self.assertIn("process_resident_memory_bytes", signer.metrics())
        lines = [json.loads(line) for line in signer.log().splitlines()]
        alarm = [line for line in lines if line["message"].startswith("a canary key")]
        self.assertEqual([(line["pubkey"], line["policy"], line["request_id"], line["level"]) for line in alarm],
                         [(canary, "signing-client", "trace-7", "ERROR")])
        access = [line for line in lines if line["message"] == "request" and line["request_id"] == "trace-7"]
        self.assertEqual([(line["method"], line["route"], line["status"], line["tls"]) for line in access],
                         [("POST", "/api/v1/eth2/sign/{identifier}", "404", "no")])
        self.assertNotIn(TOKENS["SIGNING_TOKEN"], signer.log())


if __name__ == "__main__":
    unittest.main()
