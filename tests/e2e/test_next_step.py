"""`operator guide` walks a person through a life of the chamber: what it says next is done, and it says the following step."""
import json
import os
import time
import unittest

from harness import SignerTest


class Guide(SignerTest):
    def guide(self, signer, *more):
        reply = json.loads(signer.operator("guide", "--auth-token", "env:CC_AUTH_TOKEN", *more)[1])
        return reply["state"], reply["next"], reply.get("run", "")

    def test_from_nothing_to_signing_and_back(self):
        signer = self.signer().start()
        state, _, run = self.guide(signer)
        self.assertEqual(state, "uninitialized")
        self.assertIn("operator init --setup-token", run)

        first = signer.init_quorum()
        state, text, run = self.guide(signer, "--operator", "alice")
        self.assertEqual(state, "awaiting_registration")
        self.assertIn("0 of 3", text)
        self.assertIn("operator register --operator alice", run)
        for name, token in first["operator_tokens"].items():
            signer.register(name, token)
        signer.wait_status("kms_unsealed")
        state, text, run = self.guide(signer, "--operator", "alice")
        self.assertEqual(state, "kms_unsealed")
        self.assertIn("0 of 2", text)
        self.assertIn("operator unseal --operator alice", run)
        signer.unseal("alice")
        self.assertIn("1 of 2", self.guide(signer, "--operator", "bob")[1])
        signer.unseal("bob")
        state, text, run = self.guide(signer)
        self.assertEqual(state, "unsealed")
        self.assertIn("keys import", run)

        signer.operator("seal", "--hold", "--auth-token", "env:CC_AUTH_TOKEN")
        state, text, run = self.guide(signer)
        self.assertEqual(state, "sealed")
        self.assertIn("restarts", text)
        self.assertIn("operator resume", run)

    def test_open_and_in_trouble_it_does_not_say_that_all_is_well(self):
        signer = self.signer().start()
        signer.init_kms_only(keks=("local://one", "local://two", "local://three"), threshold=2)
        signer.import_interop(0)
        self.assertIn("Nothing to do", self.guide(signer)[1])
        os.rename(os.path.join(signer.data, "kek", "one"), os.path.join(signer.data, "kek", "lost"))
        end = time.monotonic() + 120
        while "sick" not in signer.request("GET", "/api/v1/chamber/status", token="CC_AUTH_TOKEN").json()["seal"]["kms"]:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.2)
        _, text, run = self.guide(signer)
        self.assertIn("local://one (kms_missing)", text)
        self.assertIn("No other one may fail", text)
        self.assertIn("operator rotate kms", run)
        self.assertIn("--kms-threshold 2", run)

    def test_without_a_token_it_says_what_is_missing(self):
        signer = self.signer().start()
        code, out, err = signer.operator("guide", check=False)
        self.assertEqual((code, out), (3, ""))
        self.assertIn("--auth-token", err)


if __name__ == "__main__":
    unittest.main()
