"""The keymanager API against the real binary: keys come with their history and go with it, bad input changes nothing, a kill in the
middle of a delete leaves a key that either signs and was not said to be gone, or never signs again."""
import http.client
import json
import os
import random
import socket
import threading
import time
import unittest

import keymanager_client
from harness import SignerTest, attestation, interop_secret, slashable
from keymanager_client import BOX, ENABLED, LISTER, OWN_POLICIES, PATH, TOKEN
from keystores import Lockbox


class KeymanagerTest(SignerTest):
    def keymanager(self, **options):
        return self.signer(policies=OWN_POLICIES, extra=options.pop("extra", "") + ENABLED, **options)

    def opened(self, **options):
        signer = self.keymanager(**options).start()
        signer.init_kms_only()
        return signer

    def post(self, *arguments, **options):
        return keymanager_client.post(*arguments, **options)

    def import_one(self, signer, index):
        before = set(self.listed(signer))
        self.assertEqual(self.statuses(self.post(signer, [index])), ["imported"])
        return (set(self.listed(signer)) - before).pop()

    def delete(self, *arguments, **options):
        return keymanager_client.delete(*arguments, **options)

    def listed(self, signer):
        reply = signer.request("GET", PATH, token=TOKEN)
        self.assertEqual(reply.status, 200, reply)
        return [item["validating_pubkey"] for item in reply.json()["data"]]

    def statuses(self, reply):
        self.assertEqual(reply.status, 200, reply)
        return [item["status"] for item in reply.json()["data"]]


class Contract(KeymanagerTest):
    def test_a_key_moves_from_one_signer_to_another_with_all_that_it_signed(self):
        old, new = self.opened(), self.opened()
        first, second = self.import_one(old, 0), self.import_one(old, 1)
        old.restart()
        old.wait_status("unsealed")
        self.assertEqual(sorted(self.listed(old)), sorted([first, second]))
        self.assertEqual(old.sign(first, attestation(10, 11)).status, 200)
        self.assertEqual(old.sign(first, attestation(11, 12)).status, 200)

        reply = self.delete(old, [first])
        self.assertEqual(self.statuses(reply), ["deleted"])
        self.assertEqual(self.listed(old), [second])
        self.assertEqual(old.sign(first, attestation(12, 13)).status, 404)
        history = reply.json()["slashing_protection"]
        entry = json.loads(history)["data"][0]
        self.assertEqual([v["target_epoch"] for v in entry["signed_attestations"]], ["11", "12"])
        old.restart()
        old.wait_status("unsealed")
        self.assertEqual(old.sign(first, attestation(12, 13)).status, 404)
        again = self.delete(old, [first])
        self.assertEqual(self.statuses(again), ["not_active"])
        self.assertEqual(again.json()["slashing_protection"], history)

        self.assertEqual(self.statuses(self.post(new, [0], history)), ["imported"])
        self.assertEqual(new.sign(first, attestation(11, 12, head=9)).status, 412)
        self.assertEqual(new.sign(first, attestation(11, 12)).status, 200)
        self.assertEqual(new.sign(first, attestation(9, 13)).status, 412)
        self.assertEqual(new.sign(first, attestation(12, 13)).status, 200)
        new.stop()
        origins = json.loads(new.run("slashing", "status", "--config", new.config)[1])["origins"]
        self.assertEqual([(o["kind"], o["validators"], o["attestations"]) for o in origins], [("keymanager", 1, 2)])

    def test_a_delete_under_load_hands_out_every_signature_that_was_released(self):
        signer = self.opened()
        keys = [self.import_one(signer, index) for index in range(3)]
        released, answered, lock = {key: set() for key in keys}, threading.Event(), threading.Lock()

        def vote(key):
            connection = http.client.HTTPConnection("127.0.0.1", signer.port, timeout=60)
            head = {"Authorization": "Bearer signing-token-0000001", "Content-Type": "application/json"}
            for target in range(2, 100000):
                connection.request("POST", f"/api/v1/eth2/sign/{key}", json.dumps(attestation(target - 1, target)), head)
                status = (reply := connection.getresponse()).status
                reply.read()
                if status == 200:
                    with lock:
                        released[key].add(target)
                elif answered.is_set():
                    break
                if key == keys[2] and answered.is_set():
                    break
            connection.close()

        threads = [threading.Thread(target=vote, args=(key,)) for key in keys]
        for thread in threads:
            thread.start()
        time.sleep(1)
        reply = self.delete(signer, keys[:2])
        with lock:
            answered.set()
        for thread in threads:
            thread.join()
        self.assertEqual(self.statuses(reply), ["deleted", "deleted"])
        history = {entry["pubkey"]: {int(v["target_epoch"]) for v in entry["signed_attestations"]} for entry in json.loads(reply.json()["slashing_protection"])["data"]}
        for key in keys[:2]:
            self.assertGreater(len(released[key]), 10)
            self.assertEqual(released[key] - history[key], set(), "released, and not handed out")
        self.assertNotIn(keys[2], history)
        self.assertGreater(len(released[keys[2]]), 10)

    def test_a_history_of_several_megabytes_comes_and_goes(self):
        old, new = self.opened(), self.opened()
        key = self.import_one(old, 0)
        votes = [(i, i + 1) for i in range(90_000)]
        history = json.dumps(keymanager_client.history(key, votes))
        self.assertGreater(len(history), 4 * 1024 * 1024)
        self.assertEqual(self.statuses(self.post(new, [0], history)), ["imported"])
        reply = self.delete(new, [key])
        self.assertEqual(self.statuses(reply), ["deleted"])
        back = json.loads(reply.json()["slashing_protection"])["data"][0]["signed_attestations"]
        self.assertEqual(len(back), len(votes))
        self.assertEqual(self.statuses(self.post(old, [0], reply.json()["slashing_protection"])), ["duplicate"])
        self.assertEqual(old.sign(key, attestation(50_000, 50_001)).status, 412)
        self.assertEqual(old.sign(key, attestation(90_000, 90_001)).status, 200)

    def test_it_is_off_unless_it_is_turned_on(self):
        signer = self.signer(policies=OWN_POLICIES).start()
        self.assertEqual(signer.request("GET", PATH, token=TOKEN).status, 404)

    def test_without_policies_it_takes_the_admin_token_and_is_never_open(self):
        signer = self.signer(policies="", extra=ENABLED).start()
        with open(os.path.join(signer.data, "admin-token"), encoding="utf-8") as file:
            admin = file.read().strip()
        for method in ("GET", "POST", "DELETE"):
            self.assertEqual(signer.request(method, PATH, None if method == "GET" else "{}").status, 401)
        self.assertEqual(self.statuses(self.post(signer, [5], token=admin)), ["imported"])
        pubkey = signer.request("GET", PATH, token=admin).json()["data"][0]["validating_pubkey"]
        self.assertEqual(signer.sign(pubkey, attestation(1, 2)).status, 200)
        self.assertEqual(self.statuses(self.delete(signer, [pubkey], token=admin)), ["deleted"])

    def test_without_a_chamber_keys_live_in_memory(self):
        signer = self.keymanager().start()
        self.assertEqual(self.statuses(self.post(signer, [3, 3])), ["imported", "duplicate"])
        pubkey = self.listed(signer)[0]
        self.assertEqual(signer.sign(pubkey, attestation(1, 2)).status, 200)
        self.assertIn("without any slashing history", signer.log())
        self.assertIn("containment_signing_without_history_total 1", signer.metrics())
        signer.restart()
        self.assertEqual(self.listed(signer), [])

    def test_a_long_import_outlasts_the_servers_reply_timeout(self):
        count = int(os.environ.get("CC_SCRYPT_KEYSTORES", "6"))
        signer = self.opened(environment={"CONTAINMENT_SERVER__REPLY_TIMEOUT_SECONDS": "1"})
        box = Lockbox("correct horse", "scrypt")
        began = time.monotonic()
        reply = self.post(signer, range(count), box=box, timeout=900)
        took = time.monotonic() - began
        self.assertEqual(self.statuses(reply), ["imported"] * count)
        self.assertGreater(took, 1, "too quick to prove anything")
        print(f"{count} scrypt keystores imported in {took:.1f} s")


class BadInput(KeymanagerTest):
    @classmethod
    def setUpClass(cls):
        from harness import Signer

        cls.shared = Signer(policies=OWN_POLICIES, extra=ENABLED).start()
        cls.shared.init_kms_only()

    @classmethod
    def tearDownClass(cls):
        cls.shared.close()

    def tearDown(self):
        self.assertEqual(self.listed(self.shared), [], "bad input imported something")
        self.assertEqual(self.shared.request("GET", "/upcheck").text, "OK")

    def refused(self, reply, status):
        self.assertEqual(reply.status, status, reply)
        self.assertGreater(len(reply.json()["message"]), 10)

    def test_mismatched_lengths_and_malformed_bodies(self):
        keystore = BOX.keystore(interop_secret(0))
        for body in ({"keystores": [keystore], "passwords": []}, {"keystores": [keystore]}, {"keystores": keystore, "passwords": "x"},
                     {"keystores": [keystore], "passwords": [BOX.password], "slashing-protection": "{}"}, [], "{", "", b"\xff\xfe", "[" * 100000,
                     {"keystores": [keystore] * 101, "passwords": ["x"] * 101}):
            self.refused(self.shared.request("POST", PATH, body, TOKEN), 400)

    def test_a_wrong_password_is_an_error_of_that_key(self):
        body = {"keystores": [BOX.keystore(interop_secret(0))], "passwords": ["wrong"]}
        reply = self.shared.request("POST", PATH, body, TOKEN)
        self.assertEqual(self.statuses(reply), ["error"])
        self.assertIn("password", reply.json()["data"][0]["message"])

    def test_hostile_keystores_are_refused_unrun(self):
        keystore = json.loads(Lockbox("x", "pbkdf2").keystore(interop_secret(0)))
        texts = ["", "null", "{}", "[]", "{" * 1000]
        for change in ({"function": "argon2"}, {"function": "scrypt", "params": {"dklen": 32, "n": 2**40, "r": 8, "p": 1, "salt": "00" * 32}},
                       {"params": {"dklen": 32, "c": 2**62, "prf": "hmac-sha256", "salt": "00" * 32}}):
            changed = json.loads(json.dumps(keystore))
            changed["crypto"]["kdf"].update(change)
            texts.append(json.dumps(changed))
        began = time.monotonic()
        reply = self.shared.request("POST", PATH, {"keystores": texts, "passwords": ["x"] * len(texts)}, TOKEN)
        self.assertEqual(self.statuses(reply), ["error"] * len(texts))
        self.assertLess(time.monotonic() - began, 10)

    def test_a_broken_or_foreign_history_imports_nothing(self):
        whole = json.dumps(keymanager_client.history("0x" + "ab" * 48, [(1, 2)]))
        foreign = keymanager_client.history("0x" + "ab" * 48, [(1, 2)])
        foreign["metadata"]["genesis_validators_root"] = "0x" + "77" * 32
        huge = whole.replace('"2"', '"99999999999999999999"')
        for history in ("", "{", whole[:-3], whole + "x", huge, whole.replace('"5"', '"4"'), whole.replace('"2"', "2"), foreign):
            reply = self.post(self.shared, [0], history)
            self.refused(reply, 400)
            self.assertIn("slashing_protection", reply.json()["message"])

    def test_tokens_and_scopes(self):
        for method in ("GET", "POST", "DELETE"):
            body = None if method == "GET" else "{}"
            self.refused(self.shared.request(method, PATH, body), 401)
            self.refused(self.shared.request(method, PATH, body, "wrong-token-wrong-token"), 401)
            self.refused(self.shared.request(method, PATH, body, "SIGNING_TOKEN"), 403)
        self.assertEqual(self.shared.request("GET", PATH, token=LISTER).status, 200)
        self.refused(self.post(self.shared, [0], token=LISTER), 403)
        self.refused(self.delete(self.shared, ["0x" + "ab" * 48], token=LISTER), 403)

    def test_a_body_of_100_mb_is_refused_unread(self):
        for token, wanted in ((TOKEN, b" 413 "), (None, b" 401 ")):
            with socket.create_connection(("127.0.0.1", self.shared.port)) as wire:
                auth = f"Authorization: Bearer {token}\r\n" if token else ""
                length = 100 * 1024 * 1024 if token else 9 * 1024 * 1024
                wire.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{auth}Content-Length: {length}\r\n\r\n".encode())
                wire.settimeout(10)
                self.assertIn(wanted, wire.recv(4096)[:20], "answered before a byte of the body came")

    def test_chunks_beyond_the_limit_are_cut_off(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.shared.port, timeout=60)
        self.addCleanup(connection.close)
        piece = b"[" * (1024 * 1024)

        def pieces():
            for _ in range(100):
                yield piece

        try:
            connection.request("POST", PATH, body=pieces(), headers={"Authorization": f"Bearer {TOKEN}"}, encode_chunked=True)
            self.assertEqual(connection.getresponse().status, 413)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the signer hung up on us, which is as good

    def test_unknown_keys_are_not_found_and_leave_no_trace(self):
        for _ in range(2):
            reply = self.delete(self.shared, ["0x" + "ab" * 48])
            self.assertEqual(self.statuses(reply), ["not_found"])
            self.assertEqual(json.loads(reply.json()["slashing_protection"])["data"], [])
        self.refused(self.delete(self.shared, ["0x12"]), 400)

    def test_a_sealed_signer_shows_and_changes_nothing(self):
        signer = self.opened()
        self.post(signer, [0])
        pubkey = self.listed(signer)[0]
        signer.operator("seal", "--auth-token", "env:CC_AUTH_TOKEN")
        for reply in (signer.request("GET", PATH, token=TOKEN), self.post(signer, [1]), self.delete(signer, [pubkey])):
            self.refused(reply, 503)
        signer.operator("resume", "--auth-token", "env:CC_AUTH_TOKEN")
        signer.wait_status("unsealed")
        self.assertEqual(self.listed(signer), [pubkey])
        self.assertEqual(signer.sign(pubkey, attestation(1, 2)).status, 200)


class Kills(KeymanagerTest):
    def test_a_kill_in_the_middle_of_a_delete_never_leaves_a_deleted_key_signing(self):
        signer = self.opened()
        rounds = int(os.environ.get("CC_KILLS", "10"))
        self.assertEqual(self.statuses(self.post(signer, range(rounds))), ["imported"] * rounds)
        dice, released, outcomes = random.Random(7), [], []
        for pubkey in self.listed(signer):
            before = attestation(100, 101)
            self.assertEqual(signer.sign(pubkey, before).status, 200)
            released.append((pubkey, before))
            answer = []
            thread = threading.Thread(target=self.try_delete, args=(signer, pubkey, answer))
            thread.start()
            time.sleep(dice.random() * 0.012)
            signer.kill()
            thread.join()
            signer.start()
            signer.wait_status("unsealed")
            after = attestation(101, 102)
            status = signer.sign(pubkey, after).status
            if answer:
                self.assertEqual(answer, ["deleted"])
                self.assertIn(status, (404, 412), "it was said to be gone, and signs")
            else:
                self.assertIn(status, (200, 404, 412))
            if status == 200:
                released.append((pubkey, after))
            outcomes.append(("answered" if answer else "unanswered", status))
            reply = self.delete(signer, [pubkey])
            self.assertIn(self.statuses(reply)[0], ("deleted", "not_active"))
            votes = json.loads(reply.json()["slashing_protection"])["data"][0]["signed_attestations"]
            self.assertEqual([v["target_epoch"] for v in votes], ["101", "102"] if status == 200 else ["101"])
            self.assertNotEqual(signer.sign(pubkey, attestation(102, 103)).status, 200)
        self.assertIsNone(slashable(released))
        print("outcomes:", sorted(set(outcomes)))

    def try_delete(self, signer, pubkey, answer):
        try:
            answer.extend(self.statuses(self.delete(signer, [pubkey])))
        except (OSError, http.client.HTTPException, ValueError):
            pass

    def test_a_kill_in_the_middle_of_an_import_never_leaves_a_key_without_its_history(self):
        signer = self.opened()
        dice = random.Random(8)
        helper = self.keymanager().start()
        pubkeys = [self.import_one(helper, index) for index in range(6)]
        for index in range(6):
            history = keymanager_client.history(pubkeys[index], [(50, 60)])
            thread = threading.Thread(target=self.try_import, args=(signer, index, history))
            thread.start()
            time.sleep(dice.random() * 0.02)
            signer.kill()
            thread.join()
            signer.start()
            signer.wait_status("unsealed")
            self.assertIn(signer.sign(pubkeys[index], attestation(50, 60)).status, (404, 412))
            self.assertIn(self.statuses(self.post(signer, [index], history))[0], ("imported", "duplicate"))
            self.assertEqual(signer.sign(pubkeys[index], attestation(50, 60)).status, 412)
            self.assertEqual(signer.sign(pubkeys[index], attestation(50, 61)).status, 200)

    def try_import(self, signer, index, history):
        try:
            self.post(signer, [index], history)
        except (OSError, http.client.HTTPException, ValueError):
            pass


if __name__ == "__main__":
    unittest.main()
