"""Bad input at the network's edge and in the ceremonies: a clear answer each time, and nothing is lost."""
import json
import os
import socket
import threading
import time
import unittest

from harness import PASSPHRASE, SignerTest, attestation, block

JSON_HEADERS = {"Content-Type": "application/json"}


class SignRequests(SignerTest):
    @classmethod
    def setUpClass(cls):
        from harness import Signer

        cls.shared = Signer(extra="\n").start()
        cls.shared.init_kms_only()
        cls.pubkey = cls.shared.import_interop(0)[0]

    @classmethod
    def tearDownClass(cls):
        cls.shared.close()

    def status_of(self, body, pubkey=None):
        return self.shared.request("POST", f"/api/v1/eth2/sign/{pubkey or self.pubkey}", body, "SIGNING_TOKEN", JSON_HEADERS).status

    def tearDown(self):
        # Whatever was sent, the signer still answers and still signs.
        self.assertEqual(self.shared.request("GET", "/upcheck").text, "OK")
        self.assertEqual(self.status_of(self.fresh()), 200)

    @classmethod
    def fresh(cls, **options):
        """An attestation later than every other: the validator's votes only move forward."""
        cls.epoch = getattr(cls, "epoch", 1000) + 1
        return attestation(cls.epoch, cls.epoch + 1, **options)

    def test_unknown_and_malformed_public_keys(self):
        self.assertEqual(self.status_of(attestation(1, 2), "0x" + "ab" * 48), 404)
        for bad in ("0x12", "nonsense", "0x" + "zz" * 48, "0x" + "ab" * 49):
            self.assertEqual(self.status_of(attestation(1, 2), bad), 400, bad)

    def test_the_key_may_be_written_without_prefix_and_in_upper_case(self):
        message = self.fresh()
        self.assertEqual(self.status_of(message, self.pubkey[2:]), 200)
        self.assertEqual(self.status_of(message, "0x" + self.pubkey[2:].upper()), 200)

    def test_malformed_messages_are_400_and_say_where(self):
        missing = attestation(1, 2)
        del missing["attestation"]["target"]
        number = attestation(1, 2)
        number["fork_info"]["fork"]["current_version"] = 5
        short = attestation(1, 2)
        short["attestation"]["beacon_block_root"] = "0x1234"
        unknown = {**attestation(1, 2), "type": "NO_SUCH_TYPE"}
        negative = attestation(1, 2)
        negative["attestation"]["slot"] = "-1"
        huge = attestation(1, 2)
        huge["attestation"]["slot"] = str(2**64)
        for name, body in {"missing": missing, "number": number, "short": short, "type": unknown, "negative": negative, "huge": huge,
                           "empty": "", "array": "[]", "null": "null", "cut": json.dumps(attestation(1, 2))[:-5],
                           "twice": json.dumps(attestation(1, 2)) * 2, "deep": "[" * 10000, "utf8": b'{"type":"\xff\xfe"}'}.items():
            with self.subTest(name):
                reply = self.shared.request("POST", f"/api/v1/eth2/sign/{self.pubkey}", body, "SIGNING_TOKEN", JSON_HEADERS)
                self.assertEqual(reply.status, 400, reply)
                self.assertGreater(len(reply.text), 10)

    def test_a_wrong_signing_root_is_refused_and_an_absent_one_is_computed(self):
        message = self.fresh()
        self.assertEqual(self.status_of({**message, "signingRoot": "0x" + "11" * 32}), 400)
        self.assertEqual(self.status_of({**message, "signing_root": "0x" + "11" * 32}), 400)
        self.assertEqual(self.status_of(message), 200)

    def test_foreign_networks_are_refused(self):
        foreign = self.fresh()
        foreign["fork_info"] = {**foreign["fork_info"], "genesis_validators_root": "0x" + "77" * 32}
        self.assertEqual(self.status_of(foreign), 403)

    def test_accept_decides_between_text_and_json(self):
        message = self.fresh()
        for accept, kind in (("application/json", "application/json"), ("*/*", "application/json"), ("text/plain", "text/plain")):
            reply = self.shared.sign(self.pubkey, message, headers={"Accept": accept})
            self.assertEqual(reply.status, 200)
            self.assertTrue(reply.headers["content-type"].startswith(kind), reply.headers)
        signature = reply.text
        self.assertRegex(signature, r"^0x[0-9a-f]{192}$")

    def test_tokens_decide(self):
        path = f"/api/v1/eth2/sign/{self.pubkey}"
        self.assertEqual(self.shared.request("POST", path, attestation(1, 2)).status, 401)
        self.assertEqual(self.shared.request("POST", path, attestation(1, 2), "wrong-token-wrong-token").status, 401)
        self.assertEqual(self.shared.request("POST", path, attestation(1, 2), "CC_AUTH_TOKEN").status, 403)
        self.assertEqual(self.shared.request("GET", "/api/v1/chamber/status").status, 401)
        self.assertEqual(self.shared.request("GET", "/api/v1/chamber/status", token="SIGNING_TOKEN").status, 403)

    def test_two_megabytes_are_413(self):
        reply = self.shared.request("POST", f"/api/v1/eth2/sign/{self.pubkey}", "x" * (2 * 1024 * 1024), "SIGNING_TOKEN", JSON_HEADERS)
        self.assertEqual(reply.status, 413)

    def test_a_stranger_is_refused_before_the_large_body_is_taken(self):
        for token, answer in ((b"", b" 401 "), (b"Authorization: Bearer wrong-token-wrong-token\r\n", b" 401 ")):
            head = b"POST /api/v1/chamber/keys HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n" + token + b"\r\n"
            out = self.raw(head)  # not one byte of the body is sent
            self.assertIn(answer, out.split(b"\r\n")[0])

    def raw(self, data, seconds=5):
        with socket.create_connection(("127.0.0.1", self.shared.port), timeout=seconds) as stream:
            stream.sendall(data)
            out = b""
            try:
                while chunk := stream.recv(4096):
                    out += chunk
            except (TimeoutError, ConnectionResetError):
                pass
            return out

    def test_garbage_on_the_wire_is_answered_or_dropped(self):
        for data in (b"\x00" * 64, b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
                     b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
                     b"GET /upcheck HTTP/1.1\r\nHost: a\r\n\r\n\x16\x03\x01garbage\r\n\r\n"):
            with self.subTest(data[:24]):
                out = self.raw(data)
                self.assertTrue(out == b"" or b"HTTP/1.1 " in out, out)
                if data.startswith(b"GET /upcheck"):
                    self.assertIn(b"200 OK", out)

    def test_pipelined_requests_are_answered_in_order(self):
        one = b"GET /upcheck HTTP/1.1\r\nHost: a\r\n\r\n"
        out = self.raw(one * 20 + b"GET /upcheck HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        self.assertEqual(out.count(b"HTTP/1.1 200"), 21)

    def test_the_same_duty_from_two_connections_at_once_is_signed_once(self):
        for _ in range(20):
            epoch = int(self.fresh()["attestation"]["source"]["epoch"])
            replies = []
            threads = [threading.Thread(target=lambda head=head: replies.append((head, self.status_of(attestation(epoch, epoch + 1, head=head)))))
                       for head in (1, 2, 3, 4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(sorted(status for _, status in replies), [200, 412, 412, 412])


class SlowClients(SignerTest):
    def test_a_slow_client_is_closed(self):
        signer = self.signer()
        with open(signer.config, encoding="utf-8") as text:
            settings = text.read().replace("server:\n", "server:\n  header_timeout_seconds: 1\n  body_timeout_seconds: 1\n")
        with open(signer.config, "w", encoding="utf-8") as out:
            out.write(settings)
        signer.start()
        for head in (b"GET /upcheck HT", b"POST /api/v1/chamber/unseal HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"):
            with socket.create_connection(("127.0.0.1", signer.port), timeout=10) as stream:
                stream.sendall(head)
                out = b""
                while chunk := stream.recv(4096):
                    out += chunk
                self.assertTrue(out == b"" or b" 408 " in out, out)
        self.assertEqual(signer.request("GET", "/upcheck").text, "OK")


class Ceremonies(SignerTest):
    def init(self, signer, **body):
        request = {"kms_key_arns": ["local://a", "local://b"], "kms_threshold": 2, **body}
        return signer.request("POST", "/api/v1/chamber/init", request, signer.setup_token())

    def test_bad_init_requests_are_named_and_leave_nothing(self):
        signer = self.signer().start()
        cases = {
            "threshold 0": ({"kms_threshold": 0}, 400, "threshold_invalid"),
            "threshold above n": ({"kms_threshold": 3}, 400, "threshold_invalid"),
            "repeated KEK": ({"kms_key_arns": ["local://a", "local://a"]}, 400, "kek_repeated"),
            "no KEK": ({"kms_key_arns": []}, 400, None),
            "n above 255": ({"kms_key_arns": [f"local://k{i}" for i in range(256)]}, 400, None),
            "malformed KEK": ({"kms_key_arns": ["arn:aws:kms:us-east-1:1:key", "local://b"]}, 400, "kek_name_invalid"),
            "operators without threshold": ({"operators": ["alice"]}, 400, None),
            "threshold above operators": ({"operators": ["alice"], "unseal_threshold": 2}, 400, "threshold_invalid"),
            "repeated operator": ({"operators": ["alice", "alice"], "unseal_threshold": 1}, 400, None),
            "unknown field": ({"colour": "blue"}, 400, None),
            "wrong type": ({"kms_threshold": "two"}, 400, None),
        }
        for name, (body, status, code) in cases.items():
            with self.subTest(name):
                reply = self.init(signer, **body)
                self.assertEqual(reply.status, status, reply)
                self.assertEqual(reply.headers["content-type"], "application/problem+json")
                if code:
                    self.assertEqual(reply.json()["code"], code, reply)
                self.assertEqual(signer.status(), "uninitialized")
        reply = signer.request("POST", "/api/v1/chamber/init", {"kms_key_arns": ["local://a"], "kms_threshold": 1}, "cc-setup-" + "A" * 43)
        self.assertEqual((reply.status, reply.json()["code"]), (403, "setup_token_invalid"))
        self.assertEqual(self.init(signer).status, 200)
        again = signer.request("POST", "/api/v1/chamber/init", {"kms_key_arns": ["local://a"], "kms_threshold": 1}, "cc-setup-" + "A" * 43)
        self.assertEqual((again.status, again.json()["code"]), (409, "already_initialized"))

    def test_an_unreachable_kek_stores_nothing(self):
        signer = self.signer(environment={"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "CONTAINMENT_AWS__CALL_TIMEOUT_SECONDS": "1"}).start()
        reply = self.init(signer, kms_key_arns=["local://a", "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"])
        self.assertEqual((reply.status, reply.json()["code"]), (503, "kms_unreachable"))
        self.assertEqual(signer.status(), "uninitialized")
        self.assertEqual(self.init(signer).status, 200)

    def test_a_missing_kek_at_restart_is_named_and_comes_back(self):
        signer = self.signer().start()
        self.assertEqual(self.init(signer).status, 200)
        signer.stop()
        kek = os.path.join(signer.data, "kek", "b")
        os.rename(kek, kek + ".away")
        signer.start()
        time.sleep(1)
        self.assertEqual(signer.status(), "sealed")
        self.assertIn("kms_missing", json.dumps(signer.request("GET", "/api/v1/chamber/status", token="CC_AUTH_TOKEN").json()) + signer.log())
        os.rename(kek + ".away", kek)
        signer.wait_status("unsealed", 90)

    def test_a_lost_local_kek_of_the_lock_is_never_made_anew_by_a_rotation(self):
        signer = self.signer().start()
        signer.init_kms_only(("local://one", "local://two", "local://three"))
        folder = os.path.join(signer.data, "kek")
        os.rename(os.path.join(folder, "one"), os.path.join(signer.folder, "one.away"))
        rotate = lambda names, check=True: signer.operator("rotate", "kms", "--auth-token", "env:CC_AUTH_TOKEN", "--kms-key-arns", names,
                                                           "--kms-threshold", "2", check=check)
        code, out, err = rotate("local://four,local://one,local://two,local://three", check=False)
        self.assertEqual((code, out), (5, ""), err)
        for part in ("kms_missing", "local://one: ", "restore the file", "local://one-2"):
            self.assertIn(part, err)
        self.assertEqual(sorted(os.listdir(folder)), ["three", "two"], "neither the lost one nor a new one was made")

        err = rotate("local://one-2,local://two,local://three")[2]
        self.assertIn("one that is lost already needs no disabling", err)
        self.assertEqual(err.strip().splitlines()[-1].strip(), "local://one")
        self.assertEqual(sorted(os.listdir(folder)), ["one-2", "three", "two"])
        err = rotate("local://one-2,local://two,local://three")[2]
        self.assertIn("every old one is a member of the new lock too", err)
        # A file that a run which crashed left behind, as made under a new name, is used.
        signer.stop()
        os.rename(os.path.join(signer.folder, "one.away"), os.path.join(folder, "five"))
        signer.start()
        signer.wait_status("unsealed")
        before = open(os.path.join(folder, "five"), "rb").read()
        rotate("local://five,local://two")
        self.assertEqual(open(os.path.join(folder, "five"), "rb").read(), before)
        signer.restart()
        signer.wait_status("unsealed")

    def test_short_passphrases_and_used_tokens_are_refused(self):
        signer = self.signer().start()
        tokens = signer.init_quorum(operators=("alice", "bob"))["operator_tokens"]
        code, _, err = signer.operator("register", "--operator", "alice", "--registration-token", tokens["alice"], "--passphrase-stdin", stdin="fifteen chars!!\n", check=False)
        self.assertEqual(code, 2)
        self.assertIn("passphrase too short", err)
        signer.register("alice", tokens["alice"])
        reply = signer.request("POST", "/api/v1/chamber/register", {"operator": "alice", "passphrase": PASSPHRASE.format("alice")}, tokens["alice"])
        self.assertEqual(reply.status, 403, reply)

    def test_unknown_operators_answer_like_wrong_passphrases(self):
        signer = self.signer().start()
        signer.enrolled()
        replies = [signer.request("POST", "/api/v1/chamber/unseal", {"operator": name, "passphrase": "quite the wrong passphrase"}) for name in ("alice", "mallory")]
        self.assertEqual([r.status for r in replies], [403, 403])
        self.assertEqual(replies[0].text, replies[1].text)
        signer.unseal("alice")
        self.assertEqual(signer.status(), "unsealed")


class Stores(SignerTest):
    def ready(self):
        signer = self.signer().start()
        signer.init_kms_only()
        pubkey = signer.import_interop(0)[0]
        self.assertEqual(signer.sign(pubkey, attestation(10, 11)).status, 200)
        return signer, pubkey

    def slashing_file(self, signer):
        return os.path.join(signer.data, "slashing.sqlite")

    def remove(self, path):
        for name in (path, path + "-wal", path + "-shm"):
            if os.path.exists(name):
                os.unlink(name)

    def test_a_missing_slashing_store_means_no_signature(self):
        signer, pubkey = self.ready()
        signer.stop()
        self.remove(self.slashing_file(signer))
        signer.start()
        self.assertIn("slashing_store_mismatch", signer.log())
        self.assertEqual(signer.sign(pubkey, attestation(10, 11, head=2)).status, 503)
        self.assertEqual(signer.sign(pubkey, attestation(100, 101)).status, 503)

    def test_an_older_or_foreign_slashing_store_means_no_signature(self):
        import shutil

        signer, pubkey = self.ready()
        signer.stop()
        store = self.slashing_file(signer)
        shutil.copy(store, store + ".old")
        signer.start()
        signer.wait_status("unsealed")
        self.assertEqual(signer.sign(pubkey, attestation(11, 12)).status, 200)
        signer.stop()
        self.remove(store)
        shutil.copy(store + ".old", store)
        signer.start()
        self.assertIn("slashing_store_mismatch", signer.log())
        self.assertEqual(signer.sign(pubkey, attestation(11, 12, head=2)).status, 503)

        other, _ = self.ready()
        other.stop()
        signer.stop()
        self.remove(store)
        shutil.copy(self.slashing_file(other), store)
        signer.start()
        self.assertIn("slashing_store_mismatch", signer.log())
        self.assertEqual(signer.sign(pubkey, attestation(11, 12, head=2)).status, 503)

    def test_truncated_files_are_named_and_never_replaced(self):
        for name in ("slashing.sqlite", "state.sqlite", "keys.sqlite"):
            with self.subTest(name):
                signer, pubkey = self.ready()
                signer.stop()
                path = os.path.join(signer.data, name)
                for extra in ("-wal", "-shm"):
                    if os.path.exists(path + extra):
                        os.unlink(path + extra)
                size = os.path.getsize(path)
                with open(path, "r+b") as file:
                    file.truncate(size // 2)
                signer.start(wait=False)
                try:
                    signer.wait_listening(10)
                except AssertionError:
                    self.assertIn(name, signer.log())  # refused to start, naming the file
                    continue
                self.assertEqual(signer.sign(pubkey, attestation(10, 11, head=2)).status, 503)
                self.assertEqual(signer.sign(pubkey, attestation(100, 101)).status, 503)

    def test_a_missing_seal_record_is_never_a_new_beginning(self):
        signer, _ = self.ready()
        signer.stop()
        self.remove(os.path.join(signer.data, "state.sqlite"))
        signer.start(wait=False)
        try:
            signer.wait_listening(10)
        except AssertionError:
            self.assertIn("record_missing", signer.log())
            return
        self.assertNotIn("cc-setup-", signer.log())
        self.assertIn("record_missing", signer.log())

    def test_a_second_server_on_the_same_data_is_refused(self):
        signer, pubkey = self.ready()
        code, _, err = signer.run("server", "--config", signer.config, check=False)
        self.assertNotEqual(code, 0)
        self.assertIn("another", err.lower())
        self.assertEqual(signer.sign(pubkey, attestation(11, 12)).status, 200)

    def test_a_restart_right_after_sigkill_works_at_once(self):
        signer, pubkey = self.ready()
        for target in range(20, 25):
            signer.kill()
            signer.start()
            signer.wait_status("unsealed")
            self.assertEqual(signer.sign(pubkey, attestation(target, target + 1)).status, 200)
            self.assertEqual(signer.sign(pubkey, attestation(target, target + 1, head=3)).status, 412)


if __name__ == "__main__":
    unittest.main()
