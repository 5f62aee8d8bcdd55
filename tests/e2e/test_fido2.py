"""FIDO2 credentials through the operators' commands: enrolled, used and refused, with a PIN and without.

The security keys are software behind libfido2's transport hook, in a program that is the product's command line but for that
(tests/programs). The server is the shipped binary, and so is every command that needs no key."""
import json
import os
import subprocess
import tempfile
import unittest

from harness import PASSPHRASE, SignerTest

PROGRAM = os.environ["CC_SOFTWARE_KEYS_BINARY"]


class Fido2Test(SignerTest):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cc-fido2-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def plug(self, name, seed, *more):
        with open(os.path.join(self.folder, name + ".key"), "w", encoding="utf-8") as out:
            out.write("".join(line + "\n" for line in (f"seed={seed * 32}", *more)))

    def pull(self, name):
        os.unlink(os.path.join(self.folder, name + ".key"))

    def touches(self, name):
        with open(os.path.join(self.folder, name + ".key"), encoding="utf-8") as text:
            return dict(line.strip().split("=", 1) for line in text).get("touches", "0")

    def begin(self):
        signer = self.signer().start()
        tokens = signer.init_quorum(operators=("alice", "bob"), threshold=2)["operator_tokens"]
        return signer, tokens

    def keyed(self, signer, *arguments, lines=(), check=True):
        done = subprocess.run([PROGRAM, "operator", *arguments, "--signer-url", signer.url], input="".join(line + "\n" for line in lines), text=True,
                              capture_output=True, env={**signer.environment, "CC_SOFTWARE_KEYS": self.folder}, timeout=120, check=False)
        if check:
            self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_an_operator_lives_by_a_security_key_alone(self):
        signer, tokens = self.begin()
        self.plug("mine", "a1")
        done = self.keyed(signer, "register", "--operator", "alice", "--registration-token", tokens["alice"], "--fido2", "--credential-id", "key")
        self.assertEqual(json.loads(done.stdout), {"registered": 1, "remaining": 1})
        self.assertEqual(done.stderr.count("Touch your security key"), 2)
        self.assertEqual(self.touches("mine"), "2")
        signer.register("bob", tokens["bob"])
        signer.wait_status("kms_unsealed")
        self.assertEqual(json.loads(self.keyed(signer, "drill", "--operator", "alice", "--fido2").stdout)["credential_id"], "key")
        done = self.keyed(signer, "unseal", "--operator", "alice", "--fido2")
        self.assertEqual(json.loads(done.stdout), {"shares_received": 1, "shares_required": 2})
        self.assertEqual(json.loads(signer.unseal("bob")[1])["status"], "unsealed")
        asked = signer.request("POST", "/api/v1/chamber/unseal/challenge", {"operator": "alice"}).json()["challenges"][0]
        self.assertEqual((asked["kind"], asked["device"]["rp_id"], asked["device"]["verification"]), ("fido2", "containment-chamber", False))
        # Another key, and the same key after a reset, are told apart from a wrong answer.
        self.plug("mine", "b2")
        done = self.keyed(signer, "drill", "--operator", "alice", "--fido2", check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn("wrong key", done.stderr)
        self.assertEqual(self.touches("mine"), "0", "nobody was asked to touch the wrong key")
        self.plug("spare", "a1")
        self.keyed(signer, "drill", "--operator", "alice", "--fido2")
        done = self.keyed(signer, "drill", "--operator", "bob", "--fido2", check=False)
        self.assertEqual(done.returncode, 4)
        self.assertIn("bob has no security key credential", done.stderr)

    def test_pins_and_second_keys(self):
        signer, tokens = self.begin()
        for name in ("alice", "bob"):
            signer.register(name, tokens[name])
        signer.wait_status("kms_unsealed")
        self.plug("first", "a1", "pin=hedgehog")
        add = ("credentials", "add", "--operator", "alice", "--existing-credential-id", "password-1", "--passphrase-stdin", "--fido2")
        done = self.keyed(signer, *add, "--new-credential-id", "first", lines=[PASSPHRASE.format("alice"), "badger"], check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn("PIN of the security key is wrong; tries left before it is blocked: 7", done.stderr)
        self.keyed(signer, *add, "--new-credential-id", "first", lines=[PASSPHRASE.format("alice"), "hedgehog"])
        drill = ("drill", "--operator", "alice", "--fido2", "--passphrase-stdin")
        self.assertEqual(json.loads(self.keyed(signer, *drill, lines=["hedgehog"]).stdout)["credential_id"], "first")
        done = self.keyed(signer, *drill, lines=[], check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("the PIN of the security key on stdin is missing", done.stderr)
        # The first key proves itself to add a second one without a PIN; both are plugged in then.
        self.plug("second", "b2")
        second = os.path.join(self.folder, "second.key")
        self.keyed(signer, "credentials", "add", "--operator", "alice", "--existing-credential-id", "first", "--existing-fido2", "--new-credential-id",
                   "second", "--fido2", "--fido2-device", second, "--passphrase-stdin", lines=["hedgehog"])
        self.pull("first")
        self.assertEqual(json.loads(self.keyed(signer, "drill", "--operator", "alice", "--fido2").stdout)["credential_id"], "second")
        self.keyed(signer, "credentials", "remove", "--operator", "alice", "--existing-credential-id", "second", "--fido2", "--remove-credential-id",
                   "first")
        ids = json.loads(signer.operator("credentials", "list", "--operator", "alice")[1])["credential_ids"]
        self.assertEqual(ids, ["password-1", "second"])

    def test_a_refused_touch_stores_nothing(self):
        signer, tokens = self.begin()
        register = ("register", "--operator", "alice", "--registration-token", tokens["alice"], "--fido2")
        for behaviour, code, words in (("denied", 4, "refuse"), ("not-touched", 4, "not touched in time"), ("pulled-out", 4, "pulled out")):
            self.plug("mine", "a1", "behaviour=" + behaviour)
            done = self.keyed(signer, *register, check=False)
            self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
            self.assertIn(words, done.stderr)
        self.plug("mine", "a1", "extensions=")
        self.assertIn("hmac-secret", self.keyed(signer, *register, check=False).stderr)
        self.pull("mine")
        self.assertIn("no security key is plugged in", self.keyed(signer, *register, check=False).stderr)
        done = self.keyed(signer, *register, "--yubikey", check=False)
        self.assertEqual(done.returncode, 2)
        self.plug("mine", "a1")
        self.keyed(signer, *register)  # the token is unspent

    def test_the_shipped_program_knows_no_software_keys(self):
        signer, tokens = self.begin()
        self.plug("mine", "a1")
        signer.environment["CC_SOFTWARE_KEYS"] = self.folder
        code, out, err = signer.operator("register", "--operator", "alice", "--registration-token", tokens["alice"], "--fido2", "--fido2-device",
                                         os.path.join(self.folder, "mine.key"), check=False)
        self.assertEqual((code, out), (4, ""), err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
