"""The process dies, or the disk is full, at every durable step of init, register and sign. Afterwards: always a state with a name,
the ceremony can be finished, and never a slashable pair.

The steps are struck by tests/e2e/crash_shim.c inside the unchanged binary. CRASH_STRIDE (default 2) strikes every n-th step; 1 strikes
all of them (./dev soak).
"""
import http.client
import json
import os
import subprocess
import unittest

import keymanager_client
from harness import SOURCE, PASSPHRASE, SignerTest, attestation, slashable

STRIDE = int(os.environ.get("CRASH_STRIDE", "2"))
NAMED = {"uninitialized", "awaiting_registration", "sealed", "kms_unsealed", "unsealed"}


class Strikes(SignerTest):
    @classmethod
    def setUpClass(cls):
        cls.shim = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"cc-crash-shim-{os.getpid()}.so")
        subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", cls.shim, os.path.join(SOURCE, "tests/e2e/crash_shim.c"), "-ldl"], check=True)

    @classmethod
    def tearDownClass(cls):
        os.unlink(cls.shim)

    def prepared(self, setup, **options):
        signer = self.signer(**options)
        signer.armed = os.path.join(signer.folder, "armed")
        signer.count = os.path.join(signer.folder, "count")
        setup(signer)
        return signer

    def strike(self, signer, how, at, action):
        """Runs the action with the n-th durable step struck. Returns what the action returned, or None when the process died."""
        open(signer.armed, "w", encoding="utf-8").close()
        try:
            return action()
        except (OSError, http.client.HTTPException, AssertionError):
            return None
        finally:
            os.unlink(signer.armed)

    def start(self, signer, how, at):
        return signer.start(preload=self.shim, CC_STRIKE_ARMED=signer.armed, CC_STRIKE_COUNT=signer.count, CC_STRIKE=how, CC_STRIKE_AT=str(at))

    def steps(self, setup, action, **options):
        """How many durable steps the action takes when nothing is struck."""
        signer = self.prepared(lambda s: self.start(s, "none", 0) and setup(s), **options)
        self.strike(signer, "none", 0, lambda: action(signer))
        with open(signer.count, encoding="utf-8") as text:
            count = int(text.read())
        signer.close()
        return count

    def enumerate(self, name, setup, action, check, **options):
        total = self.steps(setup, action, **options)
        self.assertGreater(total, 0, f"{name} takes no durable step: the shim does not see them")
        struck = 0
        for how in ("kill", "after", "full"):
            for at in range(1 + struck % STRIDE, total + 1, STRIDE):
                with self.subTest(ceremony=name, strike=how, step=f"{at} of {total}"):
                    signer = self.prepared(lambda s: self.start(s, how, at) and setup(s), **options)
                    reply = self.strike(signer, how, at, lambda: action(signer))
                    if signer.process.poll() is None and how != "full":
                        signer.kill()
                    check(signer, reply, how)
                    signer.close()
                struck += 1
        print(f"{name}: {total} durable steps, {struck} strikes")

    def test_init_kms_only_struck_anywhere_can_be_finished(self):
        def check(signer, reply, how):
            if how == "full":
                self.assertIn(signer.status(), NAMED)
                signer.kill()
            signer.start()
            state = self.settled(signer)
            self.assertIn(state, {"uninitialized", "unsealed"})
            if reply is not None:
                self.assertEqual(state, "unsealed", "what was confirmed must still be there")
            if state == "uninitialized":
                self.assertEqual(signer.init_kms_only()["status"], "unsealed")
            self.assertEqual(len(signer.import_interop(0)), 1)

        self.enumerate("init kms_only", lambda s: None, lambda s: s.init_kms_only(), check)

    def test_a_keymanager_delete_struck_anywhere_never_leaves_a_deleted_key_signing(self):
        def setup(signer):
            signer.init_kms_only()
            signer.pubkey = signer.import_interop(0)[0]
            self.assertEqual(signer.sign(signer.pubkey, attestation(10, 11)).status, 200)

        def delete(signer):
            return keymanager_client.statuses(keymanager_client.delete(signer, [signer.pubkey]))

        def check(signer, reply, how):
            signer.kill()
            signer.start()
            signer.wait_status("unsealed")
            status = signer.sign(signer.pubkey, attestation(11, 12)).status
            self.assertIn(status, (404, 412) if reply == ["deleted"] else (200, 404, 412))
            again = keymanager_client.delete(signer, [signer.pubkey])
            self.assertIn(keymanager_client.statuses(again), (["deleted"], ["not_active"]))
            votes = json.loads(again.json()["slashing_protection"])["data"][0]["signed_attestations"]
            self.assertEqual([vote["target_epoch"] for vote in votes], ["11", "12"] if status == 200 else ["11"])
            self.assertIn(signer.sign(signer.pubkey, attestation(12, 13)).status, (404, 412))

        self.enumerate("keymanager delete", setup, delete, check, **keymanager_client.OPTIONS)

    def test_a_keymanager_import_struck_anywhere_never_leaves_a_key_without_its_history(self):
        pubkey = keymanager_client.INTEROP_KEY_0
        history = keymanager_client.history(pubkey, [(50, 60)])

        def post(signer):
            return keymanager_client.statuses(keymanager_client.post(signer, [0], history))

        def check(signer, reply, how):
            signer.kill()
            signer.start()
            signer.wait_status("unsealed")
            self.assertIn(signer.sign(pubkey, attestation(50, 60)).status, (412,) if reply == ["imported"] else (404, 412))
            self.assertIn(post(signer), (["imported"], ["duplicate"]))
            self.assertEqual(signer.sign(pubkey, attestation(50, 60)).status, 412)
            self.assertEqual(signer.sign(pubkey, attestation(50, 61)).status, 200)

        self.enumerate("keymanager import", lambda signer: signer.init_kms_only(), post, check, **keymanager_client.OPTIONS)

    def test_init_with_operators_struck_anywhere_can_be_finished_or_reset(self):
        def check(signer, reply, how):
            if how == "full":
                self.assertIn(signer.status(), NAMED)
                signer.kill()
            signer.start()
            state = self.settled(signer)
            self.assertIn(state, {"uninitialized", "awaiting_registration"})
            if state == "awaiting_registration":
                tokens = (reply or {}).get("operator_tokens")
                if tokens:
                    for name, token in tokens.items():
                        signer.register(name, token)
                    signer.wait_status("kms_unsealed")
                else:
                    # The tokens died with the process: this is what init-reset is for.
                    signer.operator("init-reset", "--setup-token", signer.setup_token())
                    signer.wait_status("uninitialized")
            else:
                signer.init_quorum(operators=("alice",), threshold=1)

        self.enumerate("init operators", lambda s: None, lambda s: s.init_quorum(operators=("alice", "bob"), threshold=2), check)

    def test_register_struck_anywhere_keeps_the_share(self):
        def setup(signer):
            signer.tokens = signer.init_quorum(operators=("alice",), threshold=1)["operator_tokens"]

        def check(signer, reply, how):
            if how == "full":
                self.assertEqual(signer.status(), "awaiting_registration" if reply is None else signer.status())
                signer.kill()
            signer.start()
            if self.settled(signer) == "awaiting_registration":
                self.assertIsNone(reply, "a confirmed registration must still be there")
                signer.register("alice", signer.tokens["alice"])
            signer.wait_status("kms_unsealed")
            signer.unseal("alice", PASSPHRASE.format("alice"))
            self.assertEqual(signer.status(), "unsealed")

        self.enumerate("register", setup, lambda s: s.register("alice", s.tokens["alice"]), check)

    def test_sign_struck_anywhere_never_gives_a_slashable_pair(self):
        def setup(signer):
            signer.init_kms_only()
            signer.pubkey = signer.import_interop(0)[0]
            signer.signed = []

        def sign(signer, message):
            reply = signer.sign(signer.pubkey, message)
            if reply.status == 200:
                signer.signed.append((signer.pubkey, message))
            return reply

        def action(signer):
            sign(signer, attestation(10, 11, head=1))
            sign(signer, attestation(11, 12, head=1))
            return True

        def check(signer, reply, how):
            if signer.process.poll() is None:
                signer.kill()
            signer.start()
            signer.wait_status("unsealed")
            # The other side of every pair, and a surround of both.
            for message in (attestation(10, 11, head=2), attestation(11, 12, head=2), attestation(9, 13, head=2)):
                sign(signer, message)
            self.assertIsNone(slashable(signer.signed))
            # What was signed before is still known: the identical message again is no conflict, and later ones go on.
            self.assertEqual(sign(signer, attestation(20, 21, head=1)).status, 200)

        self.enumerate("sign", setup, action, check)

    def test_a_body_of_many_keys_struck_anywhere_never_gives_a_slashable_pair(self):
        """The fast path: a dozen keys in one transaction, signed together from the message's table while it flushes."""
        def setup(signer):
            signer.init_kms_only()
            signer.pubkeys = signer.import_interop(*range(12))
            signer.signed = []

        def sign(signer, message):
            reply = signer.request("POST", "/api/v1/chamber/sign", {"pubkeys": signer.pubkeys, "request": message}, token="SIGNING_TOKEN")
            entries = reply.json()["data"] if reply.status == 200 else []
            signer.signed += [(entry["pubkey"], message) for entry in entries if entry["status"] == 200]
            return [entry["status"] for entry in entries]

        def action(signer):
            sign(signer, attestation(10, 11, head=1))
            sign(signer, attestation(11, 12, head=1))
            return True

        def check(signer, reply, how):
            if signer.process.poll() is None:
                signer.kill()
            signer.start()
            signer.wait_status("unsealed")
            before = list(signer.signed)
            for message in (attestation(10, 11, head=2), attestation(11, 12, head=2), attestation(9, 13, head=2)):
                sign(signer, message)
            self.assertIsNone(slashable(signer.signed))
            for pubkey, message in before:
                self.assertEqual(signer.sign(pubkey, message).status, 200, "what was answered is still known")
            self.assertEqual(sign(signer, attestation(20, 21, head=1)), [200] * 12)
            self.assertRegex(signer.metrics(), r'containment_signatures_total\{way="table"\} [1-9]')

        self.enumerate("sign many", setup, action, check)

    def settled(self, signer):
        """The state once the KMS step of the start is through."""
        import time

        end = time.monotonic() + 10
        while time.monotonic() < end:
            state = signer.status()
            if state not in ("sealed",):
                return state
            time.sleep(0.05)
        return state

    def test_the_detector_finds_a_planted_pair(self):
        pair = [("0xaa", attestation(10, 11, head=1)), ("0xaa", attestation(10, 11, head=2))]
        self.assertIsNotNone(slashable(pair))
        self.assertIsNotNone(slashable([("0xaa", attestation(9, 13)), ("0xaa", attestation(10, 12))]))
        self.assertIsNone(slashable([("0xaa", attestation(10, 11)), ("0xbb", attestation(10, 11, head=2))]))


if __name__ == "__main__":
    unittest.main()
