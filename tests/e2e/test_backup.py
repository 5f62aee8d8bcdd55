"""Keys and their encrypted mnemonic: generated with a backup, opened with the age program, restored elsewhere."""
import json
import os
import subprocess
import unittest

from harness import SignerTest, attestation

TOKEN = ("--auth-token", "env:KEY_MANAGER_TOKEN")
# The mnemonic of the BIP-39 test vectors with all-zero entropy, and its first validator key (EIP-2334).
KNOWN = "abandon " * 23 + "art"


class Backups(SignerTest):
    def ready(self, extra=""):
        signer = self.signer(extra=extra).start()
        signer.init_kms_only()
        return signer

    def identity(self, signer, name):
        path = os.path.join(signer.folder, name)
        made = subprocess.run(["age-keygen", "-o", path], capture_output=True, text=True, check=True)
        return path, made.stderr.split()[-1]

    def keys(self, signer, *arguments, stdin=None, check=True):
        return signer.run("keys", *arguments, "--signer-url", signer.url, *TOKEN, stdin=stdin, check=check)

    def decrypt(self, identity, text, check=True):
        done = subprocess.run(["age", "--decrypt", "-i", identity], input=text, capture_output=True, text=True)
        if check:
            self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_each_recipient_opens_the_backup_and_the_keys_come_back_in_a_fresh_chamber(self):
        signer = self.ready()
        (one, first), (two, second), (stranger, _) = (self.identity(signer, name) for name in ("one", "two", "stranger"))
        _, out, err = self.keys(signer, "generate", "--count", "3", "--backup-recipient", first, "--backup-recipient", second)
        reply = json.loads(out)
        made = [item["pubkey"] for item in reply["data"]]
        self.assertEqual([item["status"] for item in reply["data"]], ["generated"] * 3)
        words = self.decrypt(one, reply["backup"])
        self.assertEqual(len(words.split()), 24)
        self.assertTrue(words.endswith("\n"))
        self.assertEqual(self.decrypt(two, reply["backup"]), words)
        self.assertEqual(self.decrypt(stranger, reply["backup"], check=False), "")
        self.assertIn("--count 3", err)
        # The stored copy is the same one, for every key of the call.
        for pubkey in made:
            stored = json.loads(self.keys(signer, "export-backup", pubkey)[1])
            self.assertEqual(stored, {"pubkey": pubkey, "backup": reply["backup"]})
        # The words themselves are nowhere: not in the log, nor in any store.
        for folder, _, names in os.walk(signer.data):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    self.assertNotIn(words.split()[0].encode() + b" " + words.split()[1].encode(), file.read(), name)
        self.assertNotIn(words.strip(), signer.log() + out + err)

        fresh = self.ready()
        _, out, err = self.keys(fresh, "restore", "--count", "3", "--mnemonic-stdin", stdin=words)
        self.assertEqual([(item["pubkey"], item["status"]) for item in json.loads(out)["data"]], [(key, "restored") for key in made])
        self.assertIn("3 restored, 0 were here already", err)
        self.assertIn("slashing history", err)
        _, out, err = self.keys(fresh, "restore", "--count", "4", "--mnemonic-stdin", stdin="  " + words.strip().replace(" ", "   ") + " \n")
        self.assertEqual([item["status"] for item in json.loads(out)["data"]], ["duplicate"] * 3 + ["restored"])
        self.assertIn("1 restored, 3 were here already", err)
        self.assertEqual(fresh.sign(made[0], attestation(1, 2)).status, 200)
        fresh.restart()
        fresh.wait_status("unsealed")
        self.assertEqual(len(fresh.request("GET", "/api/v1/eth2/publicKeys", token="SIGNING_TOKEN").json()), 4)

    def test_restored_keys_without_history_wait_for_it_where_history_is_required(self):
        signer = self.ready(extra="anti_slashing:\n  require_history: true\n")
        data = json.loads(self.keys(signer, "restore", "--count", "1", "--mnemonic-stdin", stdin=KNOWN + "\n")[1])["data"]
        refused = signer.sign(data[0]["pubkey"], attestation(1, 2))
        self.assertEqual(refused.status, 412, refused)
        data = json.loads(self.keys(signer, "restore", "--first", "1", "--count", "1", "--allow-empty-history", "--mnemonic-stdin", stdin=KNOWN + "\n")[1])["data"]
        self.assertEqual(signer.sign(data[0]["pubkey"], attestation(1, 2)).status, 200)

    def test_a_known_mnemonic_gives_its_known_keys(self):
        signer = self.ready()
        data = json.loads(self.keys(signer, "restore", "--count", "2", "--mnemonic-stdin", stdin=KNOWN + "\n")[1])["data"]
        alone = json.loads(self.keys(signer, "restore", "--first", "1", "--count", "1", "--mnemonic-stdin", stdin=KNOWN + "\n")[1])["data"]
        self.assertEqual((alone[0]["pubkey"], alone[0]["status"]), (data[1]["pubkey"], "duplicate"))

    def test_wrong_input_says_what_is_wrong_and_makes_no_key(self):
        signer = self.ready()
        identity, recipient = self.identity(signer, "one")
        with open(identity, encoding="utf-8") as file:
            secret = file.read().split("\n")[2]
        for bad in ("age1nonsense", recipient[:-1], recipient.upper(), secret, "ssh-ed25519 AAAA"):
            code, out, err = self.keys(signer, "generate", "--backup-recipient", bad, check=False)
            self.assertEqual((code, out), (2, ""), err)
        self.assertNotIn(secret[20:], err)
        post = lambda path, body: signer.request("POST", "/api/v1/chamber/keys/" + path, body, "KEY_MANAGER_TOKEN")
        for body in ({"count": 1, "backup_recipients": []}, {"count": 1, "backup_recipients": "age1"}, {"count": 1, "backup_recipients": [7]},
                     {"count": 1, "backup_recipients": [recipient, recipient]}, {"count": 1, "backup_recipients": [secret]}):
            reply = post("generate", body)
            self.assertEqual(reply.status, 400, reply)
            self.assertNotIn(secret, reply.text)
        for words in ("", "abandon", KNOWN.replace("art", "zoo"), KNOWN + " art", "zzz " * 24, "x" * 70000):
            reply = post("restore", {"mnemonic": words, "count": 1})
            self.assertEqual(reply.status, 400, reply)
            self.assertNotIn("zzz", reply.text)
        for body in ({"mnemonic": KNOWN}, {"mnemonic": KNOWN, "count": 0}, {"mnemonic": KNOWN, "count": 101}, {"mnemonic": KNOWN, "count": 1, "first": 2**31},
                     {"mnemonic": KNOWN, "count": 2, "first": 2**31 - 1}, {"mnemonic": 7, "count": 1}, {"mnemonic": KNOWN, "count": 1, "last": 3}):
            self.assertEqual(post("restore", body).status, 400, body)
        code, out, err = self.keys(signer, "restore", "--count", "1", "--mnemonic-stdin", stdin=KNOWN.replace("art", "zoo") + "\n", check=False)
        self.assertNotEqual(code, 0)
        self.assertEqual(out, "")
        self.assertNotIn("abandon", err)
        self.assertEqual(json.loads(self.keys(signer, "list")[1]), {"data": []})
        imported = signer.import_interop(0)[0]
        code, out, err = self.keys(signer, "export-backup", imported, check=False)
        self.assertNotEqual(code, 0)
        self.assertIn("no backup", err)
        signer.operator("seal", "--auth-token", "env:CC_AUTH_TOKEN")
        self.assertEqual(post("restore", {"mnemonic": KNOWN, "count": 1}).status, 503)


if __name__ == "__main__":
    unittest.main()
