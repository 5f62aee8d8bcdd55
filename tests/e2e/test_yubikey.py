"""YubiKey credentials through the real smart-card service: every operator command with --yubikey, and every way it can fail.

The key is made of software (virtual_yubikey.py); pcscd, its vpcd driver, libpcsclite and the signer are real."""
import hashlib
import hmac
import json
import subprocess
import sys
import tempfile
import time
import unittest

import virtual_yubikey
from harness import BINARY, PASSPHRASE, SignerTest

SECRET = bytes(range(20))
OTHER = bytes(range(1, 21))


class YubikeyTest(SignerTest):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cc-pcsc-")
        self.addCleanup(folder.cleanup)
        try:
            self.desk = virtual_yubikey.Desk(folder.name)
        except virtual_yubikey.NoNamespaces as why:
            print(f"\n*** YUBIKEY TESTS DID NOT RUN: {why}. Run them as root, or allow user namespaces. ***\n", file=sys.stderr, flush=True)
            self.skipTest(str(why))
        self.addCleanup(self.desk.close)

    def begin(self, operators=("alice",), threshold=1, registered=()):
        signer = self.signer(environment=self.desk.environment).start()
        tokens = signer.init_quorum(operators=operators, threshold=threshold)["operator_tokens"]
        for name in registered:
            signer.register(name, tokens[name])
        if set(registered) == set(operators):
            signer.wait_status("kms_unsealed")
        return signer, tokens

    def enrol(self, signer, name="alice", identity="yubikey-1", *more):
        return signer.operator("credentials", "add", "--operator", name, "--existing-credential-id", "password-1", "--new-credential-id", identity,
                               "--yubikey", *more, "--passphrase-stdin", stdin=PASSPHRASE.format(name) + "\n")

    def eventually(self, run, words, seconds=60):
        """The service notices keys that come and go some hundred milliseconds later."""
        end = time.monotonic() + seconds
        while True:
            code, out, err = run()
            if words in err or time.monotonic() > end:
                self.assertIn(words, err)
                return code, out, err
            time.sleep(0.1)


class WithAKey(YubikeyTest):
    def test_the_operations_guide_with_a_yubikey(self):
        signer, _ = self.begin(operators=("alice", "bob"), threshold=2, registered=("alice", "bob"))
        self.desk.plug(SECRET)
        self.assertEqual(json.loads(self.enrol(signer)[1]), {"operator": "alice", "credential_id": "yubikey-1"})
        self.assertEqual(json.loads(signer.operator("credentials", "list", "--operator", "alice")[1]),
                         {"operator": "alice", "credential_ids": ["password-1", "yubikey-1"]})
        drill = json.loads(signer.operator("drill", "--operator", "alice", "--yubikey")[1])
        self.assertEqual(drill["credential_id"], "yubikey-1")
        signer.restart()
        signer.wait_status("kms_unsealed")
        out = signer.operator("unseal", "--operator", "alice", "--yubikey")[1]
        self.assertEqual(json.loads(out), {"shares_received": 1, "shares_required": 2})
        self.assertEqual(json.loads(signer.unseal("bob")[1]), {"status": "unsealed", "validators_loaded": 0})
        out = signer.operator("unseal", "--dry-run", "--operator", "alice", "--yubikey")[1]
        self.assertEqual(json.loads(out)["shares_received"], 1)
        out = signer.operator("rotate", "unseal", "--auth-token", "env:CC_AUTH_TOKEN", "--unseal-threshold", "1", "--operators", "alice")[1]
        token = json.loads(out)["operator_tokens"]["alice"]
        out = signer.operator("register", "--operator", "alice", "--registration-token", token, "--yubikey", "--credential-id", "new-set")[1]
        self.assertEqual(json.loads(out)["remaining"], 0)
        out = signer.operator("credentials", "remove", "--operator", "alice", "--existing-credential-id", "new-set", "--yubikey",
                              "--remove-credential-id", "new-set", check=False)
        self.assertIn("last_credential", out[2])

    def test_an_operator_may_have_no_passphrase_at_all_and_approve(self):
        signer, tokens = self.begin()
        self.desk.plug(SECRET)
        out = signer.operator("register", "--operator", "alice", "--registration-token", tokens["alice"], "--yubikey")[1]
        self.assertEqual(json.loads(out), {"registered": 1, "remaining": 0, "status": "sealed"})
        signer.wait_status("kms_unsealed")
        signer.operator("unseal", "--operator", "alice", "--yubikey")
        reply = json.loads(signer.operator("rotate", "mode", "--mode", "kms_only", "--auth-token", "env:CC_AUTH_TOKEN")[1])
        out = signer.operator("approve", "--operator", "alice", "--rotation", reply["rotation"], "--yubikey")[1]
        self.assertEqual(json.loads(out)["status"], "unsealed")

    def test_the_stored_challenge_is_answered_as_any_yubikey_would(self):
        signer, _ = self.begin(registered=("alice",))
        self.desk.plug(SECRET)
        self.enrol(signer)
        asked = signer.request("POST", "/api/v1/chamber/unseal/challenge", {"operator": "alice"}).json()["challenges"]
        self.assertEqual([(one["credential_id"], one["kind"]) for one in asked], [("yubikey-1", "yubikey")])
        challenge = bytes.fromhex(asked[0]["device"]["challenge"])
        self.assertEqual(len(challenge), 32)
        answer = hmac.new(SECRET, challenge, hashlib.sha1).hexdigest()
        reply = signer.request("POST", "/api/v1/chamber/unseal", {"operator": "alice", "kind": "yubikey", "secret": answer})
        self.assertEqual(reply.status, 200, reply)
        self.assertEqual(reply.json()["status"], "unsealed")
        made_up = [signer.request("POST", "/api/v1/chamber/unseal/challenge", {"operator": "nobody"}).text for _ in range(2)]
        self.assertEqual(made_up[0], made_up[1])
        self.assertEqual(len(json.loads(made_up[0])["challenges"]), 1)

    def test_of_several_keys_each_opens_its_own_credential(self):
        signer, _ = self.begin(registered=("alice",))
        self.desk.plug(SECRET, serial=111)
        self.enrol(signer, "alice", "first")
        self.desk.plug(OTHER, slot=1, serial=222)
        run = lambda *more: signer.operator("drill", "--operator", "alice", "--yubikey", *more, check=False)
        code, out, err = run()
        self.assertEqual((code, out), (2, ""))
        self.assertIn("several YubiKeys are plugged in: 111, 222", err)
        code, _, err = run("--yubikey-serial", "222")
        self.assertEqual(code, 3)
        self.assertIn("wrong key", err)
        self.enrol(signer, "alice", "second", "--yubikey-serial", "222")
        for serial, name in (("111", "first"), ("222", "second")):
            self.assertEqual(json.loads(run("--yubikey-serial", serial)[1])["credential_id"], name)
        code, _, err = run("--yubikey-serial", "222", "--credential-id", "first")
        self.assertEqual(code, 3)
        code, _, err = run("--yubikey-serial", "333")
        self.assertEqual(code, 4)
        self.assertIn("here: 111, 222", err)
        code, _, err = run("--credential-id", "password-1", "--yubikey-serial", "111")
        self.assertEqual(code, 4)
        self.assertIn("no YubiKey credential password-1", err)
        # The second key proves itself to add a third credential, and to remove the first.
        out = signer.operator("credentials", "add", "--operator", "alice", "--existing-credential-id", "second", "--existing-yubikey",
                              "--existing-yubikey-serial", "222", "--new-credential-id", "third", "--passphrase-stdin", stdin="a third passphrase\n")[1]
        self.assertEqual(json.loads(out)["credential_id"], "third")
        signer.operator("credentials", "remove", "--operator", "alice", "--existing-credential-id", "second", "--yubikey", "--yubikey-serial", "222",
                        "--remove-credential-id", "first")
        self.assertIn("wrong key", run("--yubikey-serial", "111")[2])

    def test_a_touch_is_asked_for_and_waited_for(self):
        signer, _ = self.begin(registered=("alice",))
        self.desk.plug(SECRET)
        self.enrol(signer)
        self.desk.pull()
        self.eventually(lambda: signer.operator("drill", "--operator", "alice", "--yubikey", check=False), "no YubiKey")
        self.desk.plug(SECRET, touch=True)
        command = subprocess.Popen([BINARY, "operator", "drill", "--operator", "alice", "--yubikey", "--signer-url", signer.url], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=signer.environment)
        self.addCleanup(command.stdout.close)
        self.addCleanup(command.stderr.close)
        self.assertIn("Touch your YubiKey", command.stderr.readline())
        self.assertIsNone(command.poll(), "it waits")
        self.desk.order("touch")
        self.assertEqual(json.loads(command.stdout.read())["credential_id"], "yubikey-1")
        self.assertEqual(command.wait(timeout=60), 0)


class WhatCanBeWrong(YubikeyTest):
    def test_every_trouble_is_named_and_nothing_is_stored(self):
        signer, _ = self.begin(registered=("alice",))

        def add():
            return signer.operator("credentials", "add", "--operator", "alice", "--existing-credential-id", "password-1", "--new-credential-id", "key",
                                   "--yubikey", "--passphrase-stdin", stdin=PASSPHRASE.format("alice") + "\n", check=False)

        code, out, err = add()
        self.assertEqual((code, out), (4, ""))
        self.assertIn("not_found", err)
        self.assertIn("no YubiKey is plugged in", err)
        code, _, err = signer.operator("unseal", "--operator", "alice", "--yubikey", check=False)
        self.assertEqual(code, 4)
        self.assertIn("alice has no YubiKey credential", err)
        self.desk.plug(SECRET, other=True)
        self.eventually(add, "no YubiKey is plugged in")
        self.desk.plug(SECRET, slot=1, slot2=False)
        code, _, err = self.eventually(add, "slot 2 of the YubiKey is empty")
        self.assertEqual(code, 4)
        self.assertIn("ykman otp chalresp", err)
        self.desk.pull(1)
        self.eventually(add, "no YubiKey is plugged in")
        self.desk.plug(SECRET, slot=1, vanishes=True)
        code, _, err = self.eventually(add, "pulled out")
        self.assertEqual(code, 4)
        self.assertEqual(json.loads(signer.operator("credentials", "list", "--operator", "alice")[1])["credential_ids"], ["password-1"])
        self.desk.order("stop-service")
        code, _, err = add()
        self.assertEqual(code, 4)
        self.assertIn("the smart-card service does not run", err)

    def test_flags_that_contradict_each_other_are_refused(self):
        signer, _ = self.begin(registered=("alice",))
        code, _, err = signer.operator("drill", "--operator", "alice", "--yubikey-serial", "7", check=False)
        self.assertEqual(code, 2, err)
        code, _, err = signer.operator("drill", "--operator", "alice", "--yubikey", "--yubikey-serial", "seven", check=False)
        self.assertEqual(code, 2, err)
        code, _, err = signer.operator("credentials", "add", "--operator", "alice", "--existing-credential-id", "password-1", "--new-credential-id",
                                       "key", "--yubikey", "--yubikey-serial", "seven", "--passphrase-stdin",
                                       stdin=PASSPHRASE.format("alice") + "\n", check=False)
        self.assertEqual(code, 2, err)
        self.assertIn("--yubikey-serial", err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
