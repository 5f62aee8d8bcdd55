"""The operations guide, command by command: the replies are compared field by field with what it prints."""
import json
import os
import pty
import re
import select
import subprocess
import time
import unittest

from harness import BINARY, PASSPHRASE, SignerTest, attestation


class FirstBootKmsOnly(SignerTest):
    def test_first_boot_restart_and_seal_go_as_the_guide_says(self):
        signer = self.signer().start()
        self.assertRegex(signer.log(), r"WARN +Setup token generated \(save securely, one-time use\) setup_token=cc-setup-[\w-]{43}\b")

        out = signer.operator("status", "--auth-token", "env:CC_AUTH_TOKEN")[1]
        status = json.loads(out)
        self.assertEqual(status["seal"]["status"], "uninitialized")
        self.assertIsNone(status["keys"])

        out = signer.operator("init", "--setup-token", signer.setup_token(), "--kms-key-arns", "local://aaa,local://bbb,local://ccc",
                              "--kms-threshold", "2")[1]
        self.assertEqual(json.loads(out), {"status": "unsealed", "validators_loaded": 0})

        code, out, err = signer.operator("init", "--setup-token", "cc-setup-" + "A" * 43, "--kms-key-arns", "local://aaa", "--kms-threshold", "1", check=False)
        self.assertEqual((code, out), (4, ""))
        self.assertIn("already initialized", err)

        signer.restart()
        signer.wait_status("unsealed")
        self.assertNotIn("cc-setup-", signer.log())

        out = signer.operator("seal", "--auth-token", "env:CC_AUTH_TOKEN")[1]
        self.assertEqual(json.loads(out), {"status": "sealed"})
        pubkey = "0x" + "aa" * 48
        self.assertEqual(signer.sign(pubkey, attestation(1, 2)).status, 503)
        time.sleep(1.5)  # no background step reopens it
        self.assertEqual(signer.status(), "sealed")
        signer.restart()
        signer.wait_status("unsealed")

    def test_without_policies_chamber_commands_need_the_admin_token(self):
        signer = self.signer(policies="").start()
        code, out, _ = signer.operator("status", check=False)
        self.assertEqual((code, out), (3, ""))
        with open(os.path.join(signer.data, "admin-token"), encoding="utf-8") as text:
            token = text.read().strip()
        self.assertEqual(os.stat(os.path.join(signer.data, "admin-token")).st_mode & 0o777, 0o600)
        self.assertEqual(json.loads(signer.operator("status", "--auth-token", token)[1])["seal"]["status"], "uninitialized")


class FirstBootWithOperators(SignerTest):
    def test_registration_and_unseal_go_as_the_guide_says(self):
        signer = self.signer().start()
        first = signer.init_quorum()
        self.assertEqual(list(first), ["status", "operator_tokens"])
        self.assertEqual(first["status"], "awaiting_registration")
        self.assertEqual(sorted(first["operator_tokens"]), ["alice", "bob", "carol"])
        for token in first["operator_tokens"].values():
            self.assertRegex(token, r"^cc-reg-[\w-]{43}$")

        tokens = first["operator_tokens"]
        self.assertEqual(json.loads(signer.register("alice", tokens["alice"])[1]), {"registered": 1, "remaining": 2})
        code, out, err = signer.register("alice", tokens["alice"], check=False)
        self.assertEqual((code, out), (3, ""), err)
        self.assertEqual(json.loads(signer.register("bob", tokens["bob"])[1]), {"registered": 2, "remaining": 1})
        code, out, err = signer.register("carol", tokens["bob"], check=False)
        self.assertEqual((code, out), (3, ""), err)
        self.assertEqual(json.loads(signer.register("carol", tokens["carol"])[1]), {"registered": 3, "remaining": 0, "status": "sealed"})

        signer.wait_status("kms_unsealed")
        signer.restart()
        signer.wait_status("kms_unsealed")
        self.assertEqual(json.loads(signer.unseal("carol")[1]), {"shares_received": 1, "shares_required": 2})
        code, _, err = signer.unseal("bob", "this is not the passphrase of bob", check=False)
        self.assertEqual(code, 3)
        self.assertIn("wrong passphrase", err)
        code, _, err = signer.unseal("carol", check=False)
        self.assertEqual(code, 4, err)
        self.assertEqual(json.loads(signer.unseal("bob")[1]), {"status": "unsealed", "validators_loaded": 0})
        self.assertEqual(json.loads(signer.operator("credentials", "list", "--operator", "alice")[1]), {"operator": "alice", "credential_ids": ["password-1"]})

    def test_init_reset_starts_over_with_a_new_setup_token(self):
        signer = self.signer().start()
        first = signer.setup_token()
        signer.init_quorum()
        signer.operator("init-reset", "--setup-token", first)
        signer.wait_status("uninitialized")
        second = signer.setup_token()
        self.assertNotEqual(first, second)
        code, _, _ = signer.operator("init", "--setup-token", first, "--kms-key-arns", "local://x", "--kms-threshold", "1", check=False)
        self.assertEqual(code, 3)
        self.assertEqual(signer.init_kms_only()["status"], "unsealed")

    def test_partial_shares_are_dropped_by_unseal_reset(self):
        signer = self.signer().start()
        for name, token in signer.init_quorum(operators=("alice", "bob"))["operator_tokens"].items():
            signer.register(name, token)
        signer.wait_status("kms_unsealed")
        signer.unseal("alice")
        signer.operator("unseal-reset", "--auth-token", "env:CC_AUTH_TOKEN")
        self.assertEqual(json.loads(signer.unseal("alice")[1]), {"shares_received": 1, "shares_required": 2})


class Credentials(SignerTest):
    def change(self, signer, verb, *arguments, lines, check=True):
        return signer.operator("credentials", verb, "--operator", "alice", *arguments, "--passphrase-stdin",
                               stdin="".join(line + "\n" for line in lines), check=check)

    def listed(self, signer):
        return json.loads(signer.operator("credentials", "list", "--operator", "alice")[1])

    def test_add_list_and_remove_go_as_the_guide_says(self):
        signer = self.signer().start()
        for name, token in signer.init_quorum(operators=("alice",), threshold=1)["operator_tokens"].items():
            signer.register(name, token)
        signer.wait_status("kms_unsealed")
        first, second = PASSPHRASE.format("alice"), "another passphrase of alice"
        out = self.change(signer, "add", "--existing-credential-id", "password-1", "--new-credential-id", "password-2", lines=[first, second])[1]
        self.assertEqual(json.loads(out), {"operator": "alice", "credential_id": "password-2"})
        self.assertEqual(self.listed(signer), {"operator": "alice", "credential_ids": ["password-1", "password-2"]})
        out = self.change(signer, "remove", "--existing-credential-id", "password-2", "--remove-credential-id", "password-1", lines=[second])[1]
        self.assertEqual(json.loads(out), {"operator": "alice", "removed_credential_id": "password-1"})
        code, out, err = self.change(signer, "remove", "--existing-credential-id", "password-2", "--remove-credential-id", "password-2", lines=[second], check=False)
        self.assertEqual((code, out), (4, ""))
        self.assertIn("last_credential", err)
        refused = signer.request("DELETE", "/api/v1/chamber/unseal/credentials",
                                 {"operator": "alice", "existing_passphrase": second, "existing_credential_id": "password-2", "remove_credential_id": "password-2"})
        self.assertEqual((refused.status, refused.json()["code"]), (409, "last_credential"))
        self.assertEqual(self.listed(signer), {"operator": "alice", "credential_ids": ["password-2"]})
        signer.restart()
        signer.wait_status("kms_unsealed")
        self.assertEqual(signer.unseal("alice", first, check=False)[0], 3, "the removed credential opens nothing")
        self.assertEqual(json.loads(signer.unseal("alice", second)[1]), {"status": "unsealed", "validators_loaded": 0})

    def test_a_wrong_existing_passphrase_and_a_short_new_one_change_nothing(self):
        signer = self.signer().start()
        for name, token in signer.init_quorum(operators=("alice",), threshold=1)["operator_tokens"].items():
            signer.register(name, token)
        signer.wait_status("kms_unsealed")
        added = ("--existing-credential-id", "password-1", "--new-credential-id", "password-2")
        code, out, err = self.change(signer, "add", *added, lines=["not the passphrase of alice", "another passphrase of alice"], check=False)
        self.assertEqual((code, out), (3, ""))
        self.assertIn("wrong passphrase", err)
        code, out, err = self.change(signer, "add", *added, lines=[PASSPHRASE.format("alice"), "short"], check=False)
        self.assertEqual((code, out), (2, ""))
        self.assertIn("passphrase too short", err)
        code, out, err = self.change(signer, "add", *added, lines=[PASSPHRASE.format("alice")], check=False)
        self.assertEqual((code, out), (2, ""), "only one line came")
        self.assertEqual(self.listed(signer)["credential_ids"], ["password-1"])


class Prompts(SignerTest):
    """A person at a terminal: the passphrase is asked for and never shown."""

    def type_at(self, signer, arguments, answers):
        master, slave = pty.openpty()
        process = subprocess.Popen([BINARY, *arguments], stdin=slave, stdout=subprocess.PIPE, stderr=slave, env=signer.environment,
                                   start_new_session=True, preexec_fn=lambda: __import__("fcntl").ioctl(0, 0x540E, 0))
        os.close(slave)
        seen = ""
        for answer in answers:
            end = time.monotonic() + 20
            while not re.search(r"[:?] ?$", seen) and time.monotonic() < end:
                if select.select([master], [], [], 0.2)[0]:
                    seen += os.read(master, 4096).decode()
            time.sleep(0.1)
            os.write(master, (answer + "\n").encode())
            seen += "\n"
        out, _ = process.communicate(timeout=60)
        try:
            while select.select([master], [], [], 0.2)[0]:
                seen += os.read(master, 4096).decode()
        except OSError:
            pass
        os.close(master)
        return process.returncode, out.decode(), seen

    def test_register_and_unseal_ask_without_echo(self):
        signer = self.signer().start()
        tokens = signer.init_quorum(operators=("alice",), threshold=1)["operator_tokens"]
        secret = PASSPHRASE.format("alice")
        register = ["operator", "register", "--operator", "alice", "--registration-token", tokens["alice"], "--credential-id", "password-1", "--signer-url", signer.url]
        code, out, seen = self.type_at(signer, register, [secret, secret + " mistyped"])
        self.assertNotEqual(code, 0, "two different passphrases must not be taken")
        code, out, seen = self.type_at(signer, register, [secret, secret])
        self.assertEqual(code, 0, seen)
        self.assertEqual(json.loads(out), {"registered": 1, "remaining": 0, "status": "sealed"})
        self.assertNotIn(secret, seen)
        signer.wait_status("kms_unsealed")
        code, out, seen = self.type_at(signer, ["operator", "unseal", "--operator", "alice", "--signer-url", signer.url], [secret])
        self.assertEqual(code, 0, seen)
        self.assertEqual(json.loads(out), {"status": "unsealed", "validators_loaded": 0})
        self.assertNotIn(secret, seen)


if __name__ == "__main__":
    unittest.main()
