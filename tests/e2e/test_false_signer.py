"""The command line against signers that are none: garbage, floods, silence, redirects, and answers that are meant for the person's terminal."""
import http.server
import json
import os
import re
import subprocess
import threading
import time
import unittest

from harness import BINARY, SignerTest

# Sets the window's title, clears the screen, writes a line like ours; then the same by an eight-bit control character, and text turned around.
ESCAPES = "\x1b]0;title\x07\x1b[2J\r\n[2/2] http://localhost:1: unsealed, 42 validators\x9b31m\u202eknil\u2028"
UNSEEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]")
COMMAND = "$(touch pwned); curl evil"


class FalseSigner:
    """Answers everything with what `answer` gives: (status, headers, body), or does as it likes with the connection and returns None."""

    def __init__(self, answer):
        self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def reply(handler):
                handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
                self.asked.append(handler.path)
                made = answer(handler)
                if made is None:
                    return
                status, headers, body = made
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                handler.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
                    handler.send_header(name, value)
                handler.end_headers()
                handler.wfile.write(body)

            do_GET = do_POST = do_DELETE = reply

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class FalseSigners(SignerTest):
    def false_signer(self, answer):
        made = FalseSigner(answer if callable(answer) else lambda _: answer)
        self.addCleanup(made.close)
        return made

    def setUp(self):
        self.real = self.signer()

    def ask(self, *arguments, urls, timeout=60):
        where = [word for url in urls for word in ("--signer-url", url)]
        done = subprocess.run([BINARY, *arguments, *where], input=b"my secure passphrase here\n", capture_output=True, env=self.real.environment, timeout=timeout)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    UNSEAL = ("operator", "unseal", "--operator", "alice", "--passphrase-stdin")
    STATUS = ("operator", "status", "--auth-token", "any")

    def test_nothing_of_an_answer_reaches_the_terminal_as_a_command_or_as_a_line_of_ours(self):
        refusal = self.false_signer((403, {}, {"code": "wrong_passphrase", "detail": ESCAPES}))
        reply = self.false_signer((200, {}, {"status": ESCAPES, "seal": {"status": ESCAPES}, ESCAPES: ESCAPES}))
        for command in (self.UNSEAL, self.STATUS, ("operator", "guide", "--auth-token", "any"), ("operator", "rotate", "master", "--auth-token", "any"),
                        ("operator", "credentials", "list", "--operator", "alice")):
            for output in ("json", "text"):
                for urls in ([refusal.url], [reply.url], [refusal.url, reply.url]):
                    with self.subTest(command=command, output=output, urls=len(urls)):
                        _, out, err = self.ask(*command, "--output", output, urls=urls)
                        self.assertIn("knil", out + err)
                        self.assertIsNone(UNSEEN.search(out + err), repr(out + err))
                        for line in (out + err).splitlines():
                            self.assertFalse(line.startswith("[2/2] http://localhost:1"), line)
                        if output == "json" and out:
                            json.loads(out)
        # Escaped, not changed: who reads the JSON gets what was answered.
        self.assertEqual(json.loads(self.ask(*self.STATUS, urls=[reply.url])[1])["status"], ESCAPES)

    def test_what_a_signer_calls_a_rotation_is_not_copied_into_a_command(self):
        waiting = {"seal": {"status": "awaiting_rotation", "rotation": {"kind": "mode", "rotation": COMMAND, "approvals": {"required": 2, "received": 0}}}}
        guide = self.false_signer((200, {}, waiting))
        code, out, err = self.ask("operator", "guide", "--auth-token", "any", "--operator", "alice", urls=[guide.url])
        self.assertEqual(code, 0, err)
        self.assertNotIn(COMMAND, out + err)
        self.assertIn("Approve nothing", out)
        self.assertNotIn("run", json.loads(out))
        waiting["seal"]["rotation"]["rotation"] = "0d" * 32
        self.assertIn("--rotation " + "0d" * 32, self.ask("operator", "guide", "--auth-token", "any", "--operator", "alice", urls=[guide.url])[1])
        for named in (COMMAND, 7):
            rotate = self.false_signer((200, {}, {"status": "awaiting_rotation", "rotation": named, "safe_to_disable": [5, "local://one\nlocal://two"]}))
            code, out, err = self.ask("operator", "rotate", "kms", "--auth-token", "any", "--kms-key-arns", "local://a", "--kms-threshold", "1",
                                      urls=[rotate.url, rotate.url.replace("127.0.0.1", "localhost")])
            self.assertEqual(code, 0, err)
            self.assertNotIn(COMMAND, err)
            self.assertEqual(err.count("Approve nothing"), 2, err)
            self.assertNotIn("\nlocal://two", err)

    def test_garbage_floods_and_redirects_are_refused_and_nothing_is_sent_on(self):
        other = self.false_signer((200, {}, {"status": "unsealed"}))

        def flood(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", str(10**10))
            handler.end_headers()
            try:
                while True:
                    handler.wfile.write(b"[" * 65536)
            except OSError:
                pass

        answers = {"garbage": (200, {}, b"\xff\xfe\x00"), "redirect": (307, {"Location": other.url + "/stolen"}, {}), "nested": (200, {}, b"[" * 10**6),
                   "endless": flood, "page": (502, {"Content-Type": "text/html"}, b"<html>")}
        for name, answer in answers.items():
            with self.subTest(name):
                code, out, err = self.ask(*self.UNSEAL, urls=[self.false_signer(answer).url])
                self.assertIn(code, (5, 6), err)
                self.assertEqual(out, "")
        self.assertEqual(other.asked, [])

    def test_a_seal_waits_for_no_signer_that_hangs(self):
        hangs, free = threading.Event(), threading.Event()
        self.addCleanup(free.set)

        def hang(_):
            hangs.set()
            free.wait(60)

        self.real.start()
        self.real.init_kms_only()
        silent = self.false_signer(hang)
        asking = threading.Thread(target=lambda: self.ask("operator", "seal", "--auth-token", "env:CC_AUTH_TOKEN", urls=[silent.url, self.real.url], timeout=120))
        asking.start()
        self.assertTrue(hangs.wait(30))
        self.real.wait_status("sealed", seconds=10)
        self.assertFalse(free.is_set())
        free.set()
        asking.join()

    def test_a_log_without_end_is_not_read_for_ever(self):
        head = lambda number: {"X-Audit-Head": "00" * 16 + f":{number}:" + "11" * 32}
        pages = []

        def log(handler):
            if "proof" not in handler.path:
                return 200, head(1 if not pages else 10**18), {"seal": {"status": "sealed"}}
            pages.append(handler.path)
            time.sleep(0.05)
            return 200, {}, {"hashes": ["00" * 32] * 100}

        endless = self.false_signer(log)
        self.assertEqual(self.ask(*self.STATUS, urls=[endless.url])[0], 0)
        pages.append("from now on it is long")
        code, out, err = self.ask(*self.STATUS, urls=[endless.url], timeout=110)
        self.assertEqual((code, json.loads(out)), (0, {"seal": {"status": "sealed"}}))
        self.assertIn("has no end", err)


if __name__ == "__main__":
    unittest.main()
