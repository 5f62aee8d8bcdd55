"""Requests captured from a real validator client on a real chain: signed over HTTP, the signature must be the known one."""
import glob
import json
import os
import re
import unittest

from harness import SOURCE, VECTORS, SignerTest, interop_secret

CONFIG = """PRESET_BASE: '{preset}'
CONFIG_NAME: 'captured-{preset}'
GENESIS_FORK_VERSION: 0x00000001
ALTAIR_FORK_VERSION: 0x01000001
ALTAIR_FORK_EPOCH: 0
BELLATRIX_FORK_VERSION: 0x02000001
BELLATRIX_FORK_EPOCH: 1
CAPELLA_FORK_VERSION: 0x03000001
CAPELLA_FORK_EPOCH: 2
SECONDS_PER_SLOT: 1
"""
PHASE0 = CONFIG.replace("ALTAIR_FORK_EPOCH: 0", "ALTAIR_FORK_EPOCH: 18446744073709551615").replace("_EPOCH: 1\n", "_EPOCH: 18446744073709551615\n").replace(
    "_EPOCH: 2\n", "_EPOCH: 18446744073709551615\n")


def captured():
    for path in sorted(glob.glob(os.path.join(VECTORS, "*__*.json"))):
        with open(path, encoding="utf-8") as text:
            yield os.path.basename(path), json.load(text)


class CapturedRequests(SignerTest):
    def test_every_captured_request_is_signed_as_known(self):
        # Different chains: each file gets a chamber of its own, so that no history of another chain stands in its way.
        files = list(captured())
        self.assertGreaterEqual(len(files), 30)
        for name, vector in files:
            with self.subTest(name):
                signer = self.signer()
                network = os.path.join(signer.folder, "network.yaml")
                config = PHASE0 if "__phase0__" in name else CONFIG
                with open(network, "w", encoding="utf-8") as out:
                    out.write(config.format(preset=vector["preset"]))
                with open(signer.config, encoding="utf-8") as text:
                    settings = text.read().replace("network: mainnet", f"network: {network}")
                with open(signer.config, "w", encoding="utf-8") as out:
                    out.write(settings)
                signer.start()
                self.assertEqual(signer.init_kms_only()["status"], "unsealed")
                self.assertEqual(len(signer.import_interop(vector["interop_key_index"])), 1)
                pubkey = vector["path"].rsplit("/", 1)[1]
                reply = signer.sign(pubkey, vector["body"], headers={"Accept": vector["headers"]["accept"]})
                self.assertEqual(reply.status, 200, f"{name}: {reply}")
                self.assertEqual(reply.json()["signature"], vector["expected_signature"], name)
                signer.close()

    def test_a_key_is_the_interop_key_its_name_says(self):
        # Guards the test itself: a wrong derivation here would make every comparison above fail for the wrong reason.
        self.assertEqual(interop_secret(0), "0x25295f0d1d592a90b333e26e85149708208e9f8e8bc18f6c77bd62f8ad7a6866")


class ReadmeExamples(SignerTest):
    def test_the_two_votes_of_the_readme_go_as_it_says(self):
        def text_of(name):
            with open(os.path.join(SOURCE, name), encoding="utf-8") as text:
                return text.read()

        readme = text_of("README.md")
        files = re.findall(r"--data @(docs/examples/\S+)", readme)
        self.assertEqual(len(files), 2)
        signer = self.signer().start()
        signer.init_kms_only()
        key = signer.import_interop(0)[0]
        bodies = [text_of(name) for name in files]
        first = signer.sign(key, bodies[0])
        self.assertEqual(first.status, 200, first)
        second = signer.sign(key, bodies[1], headers={"Accept": "application/json"})
        self.assertEqual(second.status, 412)
        said = json.loads(re.search(r'^\{"message":"double vote.*$', readme, re.MULTILINE)[0])
        pattern = re.escape(said["message"]).replace("…", "[0-9a-f]+")
        self.assertRegex(second.json()["message"], "^" + pattern + "$")
        self.assertEqual(second.json()["code"], said["code"])


if __name__ == "__main__":
    unittest.main()
