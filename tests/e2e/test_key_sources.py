"""Keys from the operator's files: what loads, what is named, what a reload changes, and what a seal takes away."""
import hashlib
import json
import os
import time
import unittest

from harness import Signer, SignerTest, attestation, interop_secret

OPEN = """
unauthenticated_policy:
  allowed_scopes: [sign, public_keys, reload]
"""


def pbkdf2_keystore(secret, password, count=2):
    """An EIP-2335 keystore; AES-128-CTR of one block pair through the openssl program, so that it is not ours."""
    import subprocess

    salt, iv = b"\x01" * 32, b"\x02" * 16
    key = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, count, 32)
    done = subprocess.run(["openssl", "enc", "-aes-128-ctr", "-K", key[:16].hex(), "-iv", iv.hex()],
                          input=bytes.fromhex(secret[2:]), capture_output=True, check=True)
    cipher = done.stdout
    return json.dumps({
        "crypto": {
            "kdf": {"function": "pbkdf2", "params": {"dklen": 32, "c": count, "prf": "hmac-sha256", "salt": salt.hex()}, "message": ""},
            "checksum": {"function": "sha256", "params": {}, "message": hashlib.sha256(key[16:] + cipher).hexdigest()},
            "cipher": {"function": "aes-128-ctr", "params": {"iv": iv.hex()}, "message": cipher.hex()},
        },
        "path": "", "uuid": "00000000-0000-4000-8000-000000000000", "version": 4,
    })


class KeyFiles(SignerTest):
    def setUp(self):
        super().setUp()
        self.signer = self.own(Signer(extra=OPEN))
        self.keys = os.path.join(self.signer.folder, "keys")
        self.stores = os.path.join(self.signer.folder, "stores")
        self.passwords = os.path.join(self.signer.folder, "passwords")
        for folder in (self.keys, self.stores, self.passwords):
            os.mkdir(folder)
        with open(self.signer.config, "a", encoding="utf-8") as out:
            out.write(f"key_sources:\n  filesystem:\n    paths: [{self.keys}]\n    keystores_path: {self.stores}\n"
                      f"    keystores_passwords_path: {self.passwords}\n    cache: true\n")

    def own(self, signer):
        self.addCleanup(signer.close)
        return signer

    def write(self, folder, name, text):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
            out.write(text)

    def raw(self, index):
        self.write(self.keys, f"raw-{index}.yaml", f'type: "file-raw"\nkeyType: "BLS"\nprivateKey: "{interop_secret(index)}"\n')

    def keystore(self, index, password="a password of some length"):
        self.write(self.stores, f"store-{index}.json", pbkdf2_keystore(interop_secret(index), password))
        self.write(self.passwords, f"store-{index}.txt", password + "\n")

    def loaded(self, seconds=30):
        """The public keys once the files are read."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            answer = self.signer.request("GET", "/api/v1/eth2/publicKeys")
            if answer.status == 200:
                return answer.json()
            self.assertEqual(answer.status, 503, answer)
            time.sleep(0.05)
        raise AssertionError(self.signer.log())

    def reload(self):
        accepted = self.signer.request("POST", "/reload")
        self.assertEqual(accepted.status, 202, accepted)
        self.assertEqual(accepted.json()["status"], "accepted")
        for _ in range(600):
            status = self.signer.request("GET", "/reload").json()
            if status["status"] != "running":
                return status
            time.sleep(0.05)
        raise AssertionError(self.signer.log())

    def sign(self, pubkey, target=10):
        return self.signer.request("POST", f"/api/v1/eth2/sign/{pubkey}", attestation(target - 1, target)).status

    def test_both_kinds_sign_and_a_reload_adds_and_takes_away(self):
        self.raw(0)
        self.keystore(1)
        self.signer.start()
        before = self.loaded()
        self.assertEqual(len(before), 2)
        self.assertEqual([self.sign(key) for key in before], [200, 200])
        self.raw(2)
        os.unlink(os.path.join(self.keys, "raw-0.yaml"))
        status = self.reload()
        self.assertEqual(status["status"], "completed", status)
        self.assertRegex(status["lastOperationTime"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        after = self.loaded()
        gone = set(before) - set(after)
        self.assertEqual((len(after), len(gone)), (2, 1))
        self.assertEqual(self.sign(gone.pop(), 11), 404)
        self.assertEqual([self.sign(key, 12) for key in after], [200, 200])

    def test_bad_files_are_named_and_the_rest_signs(self):
        self.raw(0)
        self.keystore(1)
        self.keystore(2)
        self.write(self.passwords, "store-2.txt", "another password")
        self.write(self.keys, "vault.yaml", "type: hashicorp\nkeyType: BLS\n")
        self.write(self.keys, "torn.yaml", "type: {")
        self.write(self.stores, "scrap.json", '{"version": 4')
        self.write(self.passwords, "scrap.txt", "x")
        self.write(self.stores, "big.json", "")
        os.truncate(os.path.join(self.stores, "big.json"), 100 * 1024 * 1024)
        self.signer.start()
        self.assertEqual(len(self.loaded()), 2)
        log = self.signer.log()
        for name in ("store-2.json", "vault.yaml", "torn.yaml", "scrap.json", "big.json"):
            self.assertIn(name, log)
        self.assertNotIn(interop_secret(0)[2:20], log)
        status = self.signer.request("GET", "/reload").json()
        self.assertEqual(status["status"], "completed_with_errors")
        self.assertIn("5 key files", status["lastError"])
        health = self.signer.request("GET", "/healthcheck")
        self.assertEqual(health.status, 503, health)
        self.assertEqual([check["status"] for check in health.json()["checks"] if check["id"] == "key-files"], ["DOWN"])
        os.unlink(os.path.join(self.stores, "big.json"))

    def test_a_lost_folder_takes_no_key_away(self):
        self.raw(0)
        self.signer.start()
        keys = self.loaded()
        os.rename(self.keys, self.keys + ".away")
        status = self.reload()
        self.assertEqual(status["status"], "failed", status)
        self.assertIn("cannot be listed", status["lastError"])
        self.assertEqual(self.loaded(), keys)
        os.rename(self.keys + ".away", self.keys)
        self.assertEqual(self.reload()["status"], "completed")

    def test_the_second_start_opens_the_cache(self):
        for index in range(8):
            self.keystore(index)
        self.signer.start()
        keys = self.loaded()
        self.assertIn("keystore cache written", self.signer.log())
        cache = os.path.join(self.signer.data, "keystore-cache")
        self.assertEqual(os.stat(cache).st_mode & 0o777, 0o600)
        self.signer.restart()
        self.assertEqual(self.loaded(), keys)
        self.assertIn("from_cache=8", self.signer.log())
        with open(cache, "r+b") as damaged:  # a damaged cache costs time, nothing else
            damaged.seek(200)
            damaged.write(b"\xff" * 20)
        self.signer.restart()
        self.assertEqual(self.loaded(), keys)
        self.assertEqual(self.sign(keys[0]), 200)

    def test_a_seal_takes_the_keys_of_files_too_and_a_resume_brings_them_back(self):
        self.raw(0)
        self.signer.start()
        key = self.loaded()[0]
        self.assertEqual(self.sign(key, 10), 200)
        self.signer.init_kms_only()
        self.assertEqual(self.sign(key, 11), 200)
        self.signer.operator("seal", "--auth-token", "env:CC_AUTH_TOKEN")
        self.assertEqual(self.sign(key, 12), 503)
        refused = self.signer.request("POST", "/reload")
        self.assertEqual(refused.status, 503, refused)
        self.signer.operator("resume", "--auth-token", "env:CC_AUTH_TOKEN")
        self.signer.wait_status("unsealed")
        self.assertEqual(self.loaded(), [key])
        self.assertEqual(self.sign(key, 13), 200)
        # A restart finds the chamber again and loads the files after it.
        self.signer.restart()
        self.signer.wait_status("unsealed")
        self.assertEqual(self.loaded(), [key])
        self.assertEqual(self.sign(key, 14), 200)

    def test_a_key_in_both_places_stays_when_the_file_goes(self):
        self.raw(0)
        self.signer.start()
        key = self.loaded()[0]
        self.signer.init_kms_only()
        self.assertEqual(self.signer.import_interop(0)[0], key)
        os.unlink(os.path.join(self.keys, "raw-0.yaml"))
        self.assertEqual(self.reload()["status"], "completed")
        self.assertEqual(self.loaded(), [key])
        self.assertEqual(self.sign(key), 200)

    def test_reload_needs_its_scope(self):
        with open(self.signer.config, encoding="utf-8") as text:
            config = text.read().replace("sign, public_keys, reload]", "public_keys]")
        with open(self.signer.config, "w", encoding="utf-8") as out:
            out.write(config)
        self.signer.start()
        self.assertEqual(self.signer.request("POST", "/reload").status, 401)
        self.assertEqual(self.signer.request("POST", "/reload", token="SIGNING_TOKEN").status, 403)


if __name__ == "__main__":
    unittest.main()
