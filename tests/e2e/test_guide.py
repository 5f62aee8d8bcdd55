"""The operations guide, command by command: the replies are compared field by field with what it prints."""
import json
import os
import threading
import time
import unittest

from harness import BINARY, PASSPHRASE, SignerTest, attestation
from terminal import Terminal


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
        signer.enrolled(operators=("alice", "bob"), threshold=2)
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
        signer.enrolled()
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
        signer.enrolled()
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


class Load:
    """Signs without a pause, each message once, until it is stopped; every answer but 200 is kept."""

    def __init__(self, signer, pubkey):
        self.signer, self.pubkey = signer, pubkey
        self.signed, self.failed = 0, []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        epoch = 10
        while not self.stopping.is_set():
            epoch += 1
            reply = self.signer.sign(self.pubkey, attestation(epoch - 1, epoch))
            if reply.status == 200:
                self.signed += 1
            else:
                self.failed.append(reply)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()


class Rotation(SignerTest):
    """Every rotation of the guide, while requests are signed all the time."""

    def rotate(self, signer, *arguments, check=True):
        return signer.operator("rotate", *arguments, "--auth-token", "env:CC_AUTH_TOKEN", check=check)

    def open_quorum(self, operators=("alice",), threshold=1, extra=""):
        signer = self.signer(extra=extra).start()
        signer.enrolled(operators=operators, threshold=threshold)
        for name in operators[:threshold]:
            signer.unseal(name)
        return signer, signer.import_interop(0)[0]

    def assert_signed_all_the_time(self, load):
        self.assertEqual(load.failed, [])
        self.assertGreater(load.signed, 0)

    def test_rotate_kms_as_the_guide_prints_and_the_new_keys_alone_open(self):
        signer, pubkey = self.open_quorum()
        with Load(signer, pubkey) as load:
            _, out, err = self.rotate(signer, "kms", "--kms-key-arns", "local://new-aaa,local://new-bbb", "--kms-threshold", "2")
            self.assertEqual(out, '{"status": "ok", "shares": 2, "threshold": 2}\n')
            self.assertIn("safe to disable", err)
            self.assertRegex(err, r"(?m)^  local://one$")
            code, out, err = self.rotate(signer, "kms", "--kms-key-arns", "local://new-aaa,gcp-kms://nonsense", "--kms-threshold", "2", check=False)
            self.assertEqual((code, out), (2, ""), err)
            self.assertNotIn("safe to disable", err)
        self.assert_signed_all_the_time(load)
        os.remove(os.path.join(signer.data, "kek", "one"))
        signer.restart()
        signer.wait_status("kms_unsealed")
        self.assertEqual(json.loads(signer.unseal("alice")[1]), {"status": "unsealed", "validators_loaded": 1})

    def test_rotate_unseal_and_cancel_as_the_guide_prints(self):
        signer, pubkey = self.open_quorum()
        with Load(signer, pubkey) as load:
            out = self.rotate(signer, "unseal", "--unseal-threshold", "2", "--operators", "mallory,eve")[1]
            void = json.loads(out)["operator_tokens"]
            self.assertEqual(json.loads(self.rotate(signer, "unseal-cancel")[1]), {"status": "unsealed"})
            self.assertEqual(signer.register("mallory", void["mallory"], check=False)[0], 3, "a cancelled token is void")

            out = self.rotate(signer, "unseal", "--unseal-threshold", "2", "--operators", "dave,eve,frank")[1]
            first = json.loads(out)
            self.assertEqual(list(first), ["status", "operator_tokens"])
            self.assertEqual(first["status"], "awaiting_rotation")
            self.assertEqual(list(first["operator_tokens"]), ["dave", "eve", "frank"])
            tokens = first["operator_tokens"]
            out = signer.operator("register", "--operator", "dave", "--registration-token", tokens["dave"], "--passphrase-stdin",
                                  stdin=PASSPHRASE.format("dave") + "\n")[1]
            self.assertEqual(json.loads(out), {"registered": 1, "remaining": 2})
            # More credentials right after the initial registration, still in awaiting_rotation.
            out = signer.operator("credentials", "add", "--operator", "dave", "--existing-credential-id", "default", "--new-credential-id", "password-2",
                                  "--passphrase-stdin", stdin=PASSPHRASE.format("dave") + "\na second passphrase of dave\n")[1]
            self.assertEqual(json.loads(out), {"operator": "dave", "credential_id": "password-2"})
            self.assertEqual(json.loads(signer.register("eve", tokens["eve"])[1]), {"registered": 2, "remaining": 1})
            self.assertEqual(signer.status(), "awaiting_rotation")
            self.assertEqual(json.loads(signer.register("frank", tokens["frank"])[1]), {"registered": 3, "remaining": 0, "status": "unsealed"})
        self.assert_signed_all_the_time(load)
        signer.restart()
        signer.wait_status("kms_unsealed")
        self.assertEqual(signer.unseal("alice", check=False)[0], 3, "the replaced set opens nothing")
        self.assertEqual(json.loads(signer.unseal("dave", "a second passphrase of dave")[1]), {"shares_received": 1, "shares_required": 2})
        self.assertEqual(json.loads(signer.unseal("frank")[1]), {"status": "unsealed", "validators_loaded": 1})

    def test_rotate_mode_to_unseal_and_back_with_approvals(self):
        signer = self.signer().start()
        signer.init_kms_only()
        pubkey = signer.import_interop(0)[0]
        with Load(signer, pubkey) as load:
            out = self.rotate(signer, "mode", "--mode", "unseal", "--unseal-threshold", "2", "--operators", "alice,bob,carol")[1]
            first = json.loads(out)
            self.assertEqual((list(first), first["status"]), (["status", "operator_tokens"], "awaiting_rotation"))
            for name, token in first["operator_tokens"].items():
                reply = json.loads(signer.register(name, token)[1])
            self.assertEqual(reply, {"registered": 3, "remaining": 0, "status": "unsealed"})
            out = self.rotate(signer, "mode", "--mode", "kms_only")[1]
            staged = json.loads(out)
            self.assertEqual((staged["status"], staged["approvals_required"]), ("awaiting_rotation", 2))
            approve = lambda name, digest: signer.operator("approve", "--operator", name, "--rotation", digest, "--passphrase-stdin",
                                                           stdin=PASSPHRASE.format(name) + "\n", check=False)
            self.assertEqual(approve("alice", "00" * 32)[0], 4, "another rotation than the one that waits")
            self.assertEqual(json.loads(approve("alice", staged["rotation"])[1]), {"approvals_received": 1, "approvals_required": 2})
            self.assertEqual(approve("alice", staged["rotation"])[0], 4)
            self.assertEqual(json.loads(approve("carol", staged["rotation"])[1]),
                             {"approvals_received": 2, "approvals_required": 2, "status": "unsealed"})
        self.assert_signed_all_the_time(load)
        signer.restart()
        signer.wait_status("unsealed")

    def test_rotation_needs_its_scope_and_an_unsealed_signer(self):
        signer, _ = self.open_quorum()
        self.assertEqual(signer.operator("rotate", "unseal-cancel", check=False)[0], 3)
        self.assertEqual(signer.operator("rotate", "unseal-cancel", "--auth-token", "env:SIGNING_TOKEN", check=False)[0], 3)
        self.assertEqual(self.rotate(signer, "unseal-cancel", check=False)[0], 4)
        self.assertEqual(self.rotate(signer, "mode", "--mode", "sideways", check=False)[0], 2)
        self.assertEqual(self.rotate(signer, "mode", "--mode", "unseal", check=False)[0], 2)
        self.assertEqual(self.rotate(signer, "quorum", "--unseal-threshold", "3", "--operators", "a,b", check=False)[0], 2)

    def test_drill_and_dry_run(self):
        signer, _ = self.open_quorum(operators=("alice", "bob"), threshold=2)
        prove = lambda *arguments: json.loads(signer.operator(*arguments, "--passphrase-stdin", stdin=PASSPHRASE.format("alice") + "\n")[1])
        reply = prove("drill", "--operator", "alice")
        self.assertEqual((reply["operator"], reply["credential_id"]), ("alice", "password-1"))
        self.assertRegex(reply["drilled_at"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(prove("unseal", "--operator", "alice", "--dry-run"),
                         {"dry_run": True, "shares_received": 1, "shares_required": 2, "would_unseal": False})
        out = signer.operator("unseal", "--operator", "bob", "--dry-run", "--passphrase-stdin", stdin=PASSPHRASE.format("bob") + "\n")[1]
        self.assertEqual(json.loads(out), {"dry_run": True, "shares_received": 2, "shares_required": 2, "would_unseal": True})
        seal = signer.request("GET", "/api/v1/chamber/status", token="CC_AUTH_TOKEN").json()["seal"]
        self.assertEqual(seal["status"], "unsealed")
        self.assertEqual(seal["drills"], {"fresh": 2, "lapsed": [], "margin": 0})


class Prompts(SignerTest):
    """A person at a terminal: the passphrase is asked for and never shown."""

    def type_at(self, signer, arguments, answers):
        with Terminal([BINARY, *arguments], signer.environment, output_to_terminal=False) as terminal:
            for answer in answers:
                terminal.expect(r"[:?] ?$", pattern=True)
                terminal.type(answer)
            code = terminal.end()
            with terminal.process.stdout as out:
                return code, out.read().decode(), terminal.shown

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
