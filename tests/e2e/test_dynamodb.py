"""Many replicas on three DynamoDB tables: what one does, the others follow; of two that race, one signs; a lost store stops signing."""
import json
import os
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from aws_harness import ARNS
from harness import attestation, block, slashable
from replicas import Tables


class Replicas(Tables):
    def test_what_one_replica_does_the_others_follow(self):
        one, two, keys = self.pair(0, 1)
        self.assertEqual(two.sign(keys[0], block(1)).status, 200)
        self.assertEqual(one.sign(keys[0], block(1)).status, 200, "the identical message, from either")
        self.assertEqual(one.sign(keys[0], block(1, 9)).status, 412)
        changed = one.request("PATCH", "/api/v1/chamber/keys", {"pubkeys": [keys[0]], "status": "inactive"}, token="KEY_MANAGER_TOKEN")
        self.assertEqual(changed.status, 200, changed)
        self.eventually(lambda: two.request("GET", "/api/v1/eth2/publicKeys", token="SIGNING_TOKEN").json() == [keys[1]], "the key leaves the other replica")
        self.assertEqual(two.sign(keys[0], block(2)).status, 404)
        removed = two.request("DELETE", "/api/v1/chamber/keys", {"pubkeys": [keys[1]]}, token="KEY_MANAGER_TOKEN")
        self.assertEqual(removed.status, 200, removed)
        self.eventually(lambda: one.sign(keys[1], block(2)).status == 404, "the deleted key leaves too")

    def test_a_seal_for_all_seals_all_and_a_late_replica_joins(self):
        one, two, keys = self.pair(0)
        one.operator("seal", "--all", "--auth-token", "env:CC_AUTH_TOKEN")
        two.wait_status("sealed")
        self.assertEqual(two.sign(keys[0], block(5)).status, 503)
        two.restart()
        two.wait_status("unsealed")
        self.assertEqual(two.sign(keys[0], block(6)).status, 200)
        three = self.replica().start()
        three.wait_status("unsealed")
        self.assertEqual(three.sign(keys[0], block(6, 9)).status, 412)
        self.assertEqual(three.sign(keys[0], block(7)).status, 200)

    def test_a_rotation_through_one_replica_reaches_the_other(self):
        one, two, keys = self.pair(0)
        one.operator("rotate", "kms", "--auth-token", "env:CC_AUTH_TOKEN", "--kms-key-arns", ",".join(ARNS[:2]), "--kms-threshold", "1")
        self.assertEqual(two.sign(keys[0], block(1)).status, 200)
        two.restart()
        two.wait_status("unsealed")
        self.assertEqual(two.sign(keys[0], block(2)).status, 200)

    def generate(self, signer, count):
        reply = signer.request("POST", "/api/v1/chamber/keys/generate", {"count": count}, "KEY_MANAGER_TOKEN")
        return [item["pubkey"] for item in reply.json()["data"]] if reply.status == 200 else reply

    def seal_part(self, signer):
        return signer.request("GET", "/api/v1/chamber/status", token="CC_AUTH_TOKEN").json()["seal"]

    def held(self, signer):
        return set(signer.request("GET", "/api/v1/eth2/publicKeys", token="SIGNING_TOKEN").json())

    def rotate_master(self, signer):
        return json.loads(signer.operator("rotate", "master", "--auth-token", "env:CC_AUTH_TOKEN")[1])

    def test_a_new_master_key_reaches_all_while_all_sign_and_keys_come(self):
        self.needs_side_by_side()
        one, two, keys = self.pair(0)
        keys += self.generate(one, 40)
        self.assertEqual(self.rotate_master(one), {"status": "unsealed"})
        slot, refused = 1, 0
        while "rotation" in self.seal_part(one) or self.seal_part(two)["epoch"] < 3:
            for signer in (one, two):
                self.assertEqual(signer.sign(keys[0], block(slot)).status, 200)
                slot += 1
                made = self.generate(signer, 1)
                if isinstance(made, list):
                    keys += made
                else:
                    self.assertEqual((made.status, made.json()["code"]), (409, "record_conflict"))
                    refused += 1
            self.assertLess(slot, 5000, one.log() + two.log())
        for signer in (one, two):
            self.eventually(lambda signer=signer: isinstance(self.generate(signer, 1), list), "it follows and takes keys again")
            self.assertEqual(self.seal_part(signer)["epoch"], 3)
        three = self.replica().start()
        three.wait_status("unsealed")
        self.assertLessEqual(set(keys), self.held(three))
        self.eventually(lambda: self.held(one) == self.held(two) == self.held(three), "all hold the same keys")
        self.assertNotIn("tampered", one.log() + two.log() + three.log())

    def test_each_replica_has_an_audit_log_whose_head_the_shared_state_remembers(self):
        one, two, _ = self.pair(0)
        ids = set()
        for signer in (one, two):
            with open(os.path.join(signer.data, "signer-id"), encoding="ascii") as text:
                ids.add(text.read().strip())
        self.assertEqual(len(ids), 2)
        one.stop()
        path = os.path.join(one.data, "audit.log")
        with open(path, "rb") as log:
            good = log.read().splitlines(keepends=True)
        for name, lines in {"cut": good[:-2], "gone": [], "whole": good}.items():
            with self.subTest(name):
                with open(path, "wb") as log:
                    log.write(b"".join(lines))
                code, out, err = one.run("audit", "verify", "--config", one.config, check=False)
                self.assertEqual((code, name != "whole"), (6, True) if json.loads(out)["faults"] else (0, False), err)
                self.assertIn("signer_state", [known["by"] for known in json.loads(out)["compared_with"]])
                one.start()
                one.wait_status("unsealed")
                audit = self.seal_part(one)["audit"]
                self.assertEqual("does not hold" in audit.get("trouble", ""), name != "whole", audit)
                self.assertEqual(isinstance(self.generate(one, 1), list), name == "whole")
                one.stop()
        self.assertNotIn("trouble", self.seal_part(two)["audit"])
        with open(os.path.join(one.data, "signer-id"), "w", encoding="ascii") as text:
            text.write("not an id\n")
        code, _, err = one.run("--config", one.config, check=False)
        self.assertNotEqual(code, 0)
        self.assertIn("holds no signer id", err)
        # A person looked, and gives up the old log: both files go.
        for name in ("signer-id", "audit.log"):
            os.rename(os.path.join(one.data, name), os.path.join(one.folder, name))
        _, out, err = one.run("audit", "verify", "--config", one.config, "--file", os.path.join(one.folder, "audit.log"), check=False)
        self.assertNotIn("signer_state", [known["by"] for known in json.loads(out)["compared_with"]])
        self.assertIn("has no signer-id", err)
        one.start()
        one.wait_status("unsealed")
        self.assertNotIn("trouble", self.seal_part(one)["audit"])

    def test_a_replica_ends_the_change_of_the_master_key_that_another_died_in(self):
        self.needs_side_by_side()
        one, two, keys = self.pair(0)
        for _ in range(3):
            keys += self.generate(one, 100)
        self.rotate_master(one)
        one.kill()
        self.assertEqual(two.sign(keys[0], block(1)).status, 200)
        self.eventually(lambda: "rotation" not in self.seal_part(two) and self.seal_part(two)["epoch"] == 3, "the other one ends it", seconds=120)
        self.assertEqual(two.sign(keys[0], block(2)).status, 200)
        one.start()
        one.wait_status("unsealed")
        self.assertEqual(self.held(one), set(keys))

    def test_of_two_replicas_asked_for_conflicting_messages_one_signs(self):
        self.needs_side_by_side()
        one, two, keys = self.pair(0, 1)
        released, lock = [], threading.Lock()

        def ask(signer, key, body):
            for _ in range(20):
                reply = signer.sign(key, body)
                if reply.status != 503:  # overtaken: asked again, as a validator client does
                    break
            if reply.status == 200:
                with lock:
                    released.append((key, body))
            return reply.status

        with ThreadPoolExecutor(4) as pool:
            for n in range(1, 21):
                for key in keys:
                    pairs = [(one, block(n, 1)), (two, block(n, 2)), (one, attestation(n, n + 1, 1)), (two, attestation(n, n + 1, 2))]
                    said = list(pool.map(lambda pair, key=key: ask(pair[0], key, pair[1]), pairs))
                    self.assertEqual(sorted(said[:2]), [200, 412], f"blocks at {n}")
                    self.assertEqual(sorted(said[2:]), [200, 412], f"votes at {n}")
        self.assertIsNone(slashable(released))

    def test_a_replica_that_loses_the_tables_stops_and_goes_on_with_them(self):
        if not self.dynamodb.concurrent:
            self.skipTest("moto keeps its tables in memory only")
        one, two, keys = self.pair(0)
        self.assertEqual(one.sign(keys[0], block(1)).status, 200)
        self.dynamodb.kill()
        self.assertEqual(one.sign(keys[0], block(2)).status, 503)
        self.eventually(lambda: "signing stops: the seal record cannot be read" in one.log(), "max_stale")
        self.assertEqual(one.request("GET", "/upcheck").status, 200)
        self.dynamodb.start()
        self.eventually(lambda: one.sign(keys[0], block(3)).status == 200, "signing goes on")
        self.eventually(lambda: two.sign(keys[0], block(4)).status == 200, "the other one too")
        self.assertEqual(two.sign(keys[0], block(1, 9)).status, 412)

    def test_an_emptied_slashing_table_is_noticed(self):
        one, two, keys = self.pair(0)
        self.assertEqual(one.sign(keys[0], block(1)).status, 200)
        self.dynamodb.delete_table(self.table("slashing"))
        self.assertEqual(one.sign(keys[0], block(2)).status, 503)
        self.dynamodb.create_table(self.table("slashing"))
        reply = one.sign(keys[0], block(2))
        self.assertEqual(reply.status, 503)
        self.assertIn("has lost its identity", reply.text)
        two.stop()
        two.start()
        self.assertEqual(two.sign(keys[0], block(2)).status, 503)
        self.assertIn("slashing_store_mismatch", two.log())

    def test_wrong_tables_are_named_at_the_start(self):
        self.replica().start().stop()
        for changes, words in (({"state": "no-such-table"}, "no-such-table (eu-west-1) does not exist"),
                               ({"keys": self.table("slashing")}, "named twice"),
                               ({"state": self.table("keys"), "keys": self.table("state")}, "holds \"sealed-keys\", not signer-state")):
            signer = self.replica(**changes)
            code, _, err = signer.run("--config", signer.config, check=False)
            self.assertNotEqual(code, 0)
            self.assertIn(words, err)

    def test_a_kek_of_one_machine_is_refused_for_shared_state(self):
        signer = self.replica().start()
        code, _, err = signer.operator("init", "--setup-token", signer.setup_token(), "--kms-key-arns", "local://one", "--kms-threshold", "1", check=False)
        self.assertEqual(code, 3)
        self.assertIn("lies on this machine alone", err)

    def test_history_moves_by_the_commands(self):
        one, two, keys = self.pair(0)
        self.assertEqual(one.sign(keys[0], block(5)).status, 200)
        one.stop()
        two.stop()
        status = json.loads(one.run("slashing", "status", "--config", one.config, "--output", "json")[1])
        self.assertEqual((status["store"], status["validators"]), ("ours", 1))
        out = one.run("slashing", "export", "--config", one.config)[1]
        self.assertEqual([(entry["pubkey"], [b["slot"] for b in entry["signed_blocks"]]) for entry in json.loads(out)["data"]], [(keys[0], ["5"])])
        later = json.loads(out)
        later["data"][0]["signed_blocks"][0]["slot"] = "8"
        file = os.path.join(one.folder, "history.json")
        with open(file, "w", encoding="utf-8") as text:
            json.dump(later, text)
        one.run("slashing", "import", file, "--config", one.config)
        two.start()
        two.wait_status("unsealed")
        self.assertEqual(two.sign(keys[0], block(8, 9)).status, 412)
        self.assertEqual(two.sign(keys[0], block(9)).status, 200)


if __name__ == "__main__":
    unittest.main()
