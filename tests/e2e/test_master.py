"""`operator rotate master`: the master key itself is replaced, record by record, while the signer signs."""
import json
import os
import shutil
import time
import unittest

from harness import PASSPHRASE, SignerTest
from test_guide import Load


class MasterRotation(SignerTest):
    def rotate(self, signer, check=True):
        return signer.operator("rotate", "master", "--auth-token", "env:CC_AUTH_TOKEN", check=check)

    def seal_part(self, signer):
        return signer.request("GET", "/api/v1/chamber/status", token="CC_AUTH_TOKEN").json()["seal"]

    def wait_moved(self, signer, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            part = self.seal_part(signer)
            if "rotation" not in part:
                return part
            self.assertEqual(part["rotation"]["kind"], "master")
            time.sleep(0.02)
        self.fail(f"the key records do not move: {part}\n{signer.log()}")

    def generate(self, signer, count):
        reply = signer.request("POST", "/api/v1/chamber/keys/generate", {"count": count}, "KEY_MANAGER_TOKEN")
        self.assertEqual(reply.status, 200, reply)
        return [item["pubkey"] for item in reply.json()["data"]]

    def quorum(self):
        signer = self.signer().start()
        signer.enrolled(operators=("alice", "bob"), threshold=2)
        self.unseal(signer)
        return signer

    def unseal(self, signer):
        signer.wait_status("kms_unsealed")
        signer.unseal("alice")
        return json.loads(signer.unseal("bob")[1])

    def approve(self, signer, name, digest):
        return json.loads(signer.operator("approve", "--operator", name, "--rotation", digest, "--passphrase-stdin",
                                          stdin=PASSPHRASE.format(name) + "\n")[1])

    def test_kms_only_signs_all_the_time_and_ends_at_epoch_three(self):
        signer = self.signer().start()
        signer.init_kms_only()
        pubkey = signer.import_interop(0)[0]
        for _ in range(2):
            self.generate(signer, 100)
        with Load(signer, pubkey) as load:
            _, out, err = self.rotate(signer)
            self.assertEqual(json.loads(out), {"status": "unsealed"})
            self.assertIn("back up the stores", err)
            part = self.wait_moved(signer)
            before = load.signed
            while load.signed < before + 3 and not load.failed:
                time.sleep(0.01)
        self.assertEqual(load.failed, [])
        self.assertEqual(part["epoch"], 3)
        self.assertIn("the master key was replaced", signer.log())
        signer.restart()
        signer.wait_status("unsealed")
        self.assertEqual(len(signer.request("GET", "/api/v1/eth2/publicKeys", token="SIGNING_TOKEN").json()), 201)

    def test_with_operators_a_quorum_approves_and_signing_never_stops(self):
        signer = self.quorum()
        pubkey = signer.import_interop(0)[0]
        self.generate(signer, 60)
        with Load(signer, pubkey) as load:
            waiting = json.loads(self.rotate(signer)[1])
            self.assertEqual((waiting["status"], waiting["approvals_required"]), ("awaiting_rotation", 2))
            self.assertEqual(self.seal_part(signer)["rotation"]["kind"], "master")
            self.assertEqual(self.rotate(signer, check=False)[0], 4, "one is waiting")
            self.assertEqual(self.approve(signer, "alice", waiting["rotation"]), {"approvals_received": 1, "approvals_required": 2})
            done = self.approve(signer, "bob", waiting["rotation"])
            self.assertEqual(done, {"approvals_received": 2, "approvals_required": 2, "status": "unsealed"})
            self.assertEqual(self.wait_moved(signer)["epoch"], 3)
        self.assertEqual(load.failed, [])
        self.assertGreater(load.signed, 0)
        signer.restart()
        self.assertEqual(self.unseal(signer), {"status": "unsealed", "validators_loaded": 61})

    def test_a_kill_in_the_middle_is_nothing_but_a_restart_and_an_unseal(self):
        signer = self.quorum()
        for _ in range(5):
            self.generate(signer, 100)
        waiting = json.loads(self.rotate(signer)[1])
        self.approve(signer, "alice", waiting["rotation"])
        self.approve(signer, "bob", waiting["rotation"])
        kills = 0
        while kills < 3:
            part = self.seal_part(signer)
            if "rotation" not in part:
                break
            signer.kill()
            kills += 1
            signer.start()
            self.assertEqual(self.unseal(signer), {"status": "unsealed", "validators_loaded": 500})
        self.assertGreater(kills, 0, "five hundred flushes take longer than two requests")
        self.assertEqual(self.wait_moved(signer)["epoch"], 3)
        signer.restart()
        self.assertEqual(self.unseal(signer), {"status": "unsealed", "validators_loaded": 500})

    def test_an_old_copy_of_the_seal_record_with_all_its_keks_opens_nothing(self):
        signer = self.signer().start()
        signer.init_kms_only()
        self.generate(signer, 3)
        signer.stop()
        kept = os.path.join(signer.folder, "kept")
        os.mkdir(kept)
        shutil.copy(os.path.join(signer.data, "state.sqlite"), kept)
        signer.start()
        signer.wait_status("unsealed")
        self.rotate(signer)
        self.wait_moved(signer)
        signer.stop()
        # The thief: the old seal record, every KEK, the key store of today, and no slashing store that remembers.
        shutil.copy(os.path.join(kept, "state.sqlite"), os.path.join(signer.data, "state.sqlite"))
        for name in os.listdir(signer.data):
            if name.startswith("slashing.sqlite") or name in ("state.sqlite-wal", "state.sqlite-shm"):
                os.remove(os.path.join(signer.data, name))
        signer.run("slashing", "adopt", "--config", signer.config, "--block-slot", "1000", "--source-epoch", "20", "--target-epoch", "21")
        signer.start()
        end = time.monotonic() + 30
        while time.monotonic() < end and "trouble" not in self.seal_part(signer):
            time.sleep(0.05)
        part = self.seal_part(signer)
        self.assertEqual(part["status"], "sealed", part)
        self.assertEqual(part["trouble"]["code"], "wrong_master_key", part)

    def test_it_needs_its_scope_an_empty_body_and_an_unsealed_signer(self):
        signer = self.signer().start()
        post = lambda body, token: signer.request("POST", "/api/v1/chamber/rotate/master", body, token)
        self.assertEqual(post({}, None).status, 401)
        self.assertEqual(post({}, "SIGNING_TOKEN").status, 403)
        self.assertEqual(post({}, "CC_AUTH_TOKEN").status, 409)
        self.assertEqual(self.rotate(signer, check=False)[0], 4)
        signer.init_kms_only()
        self.assertEqual(post({"keys": 1}, "CC_AUTH_TOKEN").status, 400)
        self.assertEqual(post([], "CC_AUTH_TOKEN").status, 400)
        self.assertEqual(post("{", "CC_AUTH_TOKEN").status, 400)
        self.assertEqual(self.seal_part(signer)["epoch"], 1, "nothing of that did anything")


if __name__ == "__main__":
    unittest.main()
