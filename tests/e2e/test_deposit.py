"""`keys deposit-data` and `keys exit`: against vectors of an independent signer, and roots computed here."""
import hashlib
import json
import os
import unittest

from harness import VECTORS, SignerTest

TOKEN = ("--auth-token", "env:SIGNING_TOKEN")
ADDRESS = "0x" + "ab" * 20


def synthetic(kind):
    with open(os.path.join(VECTORS, "synthetic-vectors-minimal.json"), encoding="utf-8") as file:
        document = json.load(file)
    every = document["vectors"] if isinstance(document, dict) else document
    return [vector for vector in every if vector["body"]["type"] == kind]


def merkle(chunks):
    while len(chunks) & (len(chunks) - 1):
        chunks.append(bytes(32))
    while len(chunks) > 1:
        chunks = [hashlib.sha256(chunks[i] + chunks[i + 1]).digest() for i in range(0, len(chunks), 2)]
    return chunks[0]


def vector_root(data):
    return merkle([data[i : i + 32].ljust(32, b"\0") for i in range(0, len(data), 32)])


def deposit_roots(entry):
    fields = [vector_root(bytes.fromhex(entry["pubkey"])), bytes.fromhex(entry["withdrawal_credentials"]),
              entry["amount"].to_bytes(8, "little").ljust(32, b"\0")]
    message = merkle(list(fields))
    return message.hex(), merkle(fields + [vector_root(bytes.fromhex(entry["signature"]))]).hex()


class Deposits(SignerTest):
    def ready(self, network="minimal"):
        signer = self.signer(network=network).start()
        signer.init_kms_only()
        return signer, signer.import_interop(0, 1)

    def keys(self, signer, *arguments, check=True):
        return signer.run("keys", *arguments, "--signer-url", signer.url, check=check)

    def test_deposit_data_is_the_vectors_and_the_launchpads_shape(self):
        signer, _ = self.ready()
        (vector,) = synthetic("DEPOSIT")
        wanted = vector["body"]["deposit"]
        _, out, err = self.keys(signer, "deposit-data", *TOKEN, "--network", "minimal", "--withdrawal-credentials", wanted["withdrawal_credentials"],
                                "--amount-gwei", wanted["amount"], wanted["pubkey"])
        (entry,) = json.loads(out)
        self.assertEqual(list(entry), ["pubkey", "withdrawal_credentials", "amount", "signature", "deposit_message_root", "deposit_data_root",
                                       "fork_version", "network_name", "deposit_cli_version"])
        self.assertEqual("0x" + entry["deposit_message_root"], vector["object_root"])
        self.assertEqual((entry["deposit_message_root"], entry["deposit_data_root"]), deposit_roots(entry))
        self.assertEqual("0x" + entry["fork_version"], wanted["genesis_fork_version"])
        self.assertEqual("0x" + entry["signature"], vector["signature"])
        self.assertEqual(entry["network_name"], "minimal")
        self.assertIn("for good", err)

    def test_mainnet_deposits_of_several_keys_with_both_kinds_of_credentials(self):
        signer, pubkeys = self.ready("mainnet")
        for flags, prefix in (([], "01"), (["--compounding"], "02")):
            entries = json.loads(self.keys(signer, "deposit-data", *TOKEN, "--withdrawal-address", ADDRESS, *flags, *pubkeys)[1])
            self.assertEqual(["0x" + entry["pubkey"] for entry in entries], pubkeys)
            for entry in entries:
                self.assertEqual(entry["withdrawal_credentials"], prefix + "00" * 11 + "ab" * 20)
                self.assertEqual(entry["amount"], 32 * 10**9)
                self.assertEqual((entry["fork_version"], entry["network_name"]), ("00000000", "mainnet"))
                self.assertEqual((entry["deposit_message_root"], entry["deposit_data_root"]), deposit_roots(entry))

    def test_exits_are_the_vectors_from_capella_on(self):
        signer, _ = self.ready()
        tried = 0
        for vector in synthetic("VOLUNTARY_EXIT"):
            if vector["fork"] in ("phase0", "altair", "bellatrix"):
                continue  # such exits can no longer be made: EIP-7044
            body = vector["body"]
            wanted = body["voluntary_exit"]
            out = self.keys(signer, "exit", *TOKEN, "--network", "minimal", "--network-genesis-root", body["fork_info"]["genesis_validators_root"],
                            "--epoch", wanted["epoch"], "--validator-index", wanted["validator_index"], vector["pubkey"])[1]
            self.assertEqual(json.loads(out), {"message": wanted, "signature": vector["signature"]}, vector["name"])
            tried += 1
        self.assertGreaterEqual(tried, 5)

    def test_wrong_input_is_refused_before_anything_is_signed(self):
        signer, (pubkey, _) = self.ready("mainnet")
        bad = (
            ["deposit-data", *TOKEN, pubkey],
            ["deposit-data", *TOKEN, "--withdrawal-address", "0x12", pubkey],
            ["deposit-data", *TOKEN, "--withdrawal-address", ADDRESS, "--withdrawal-credentials", "00" * 32, pubkey],
            ["deposit-data", *TOKEN, "--withdrawal-address", ADDRESS, "--amount-gwei", "999999999", pubkey],
            ["deposit-data", *TOKEN, "--withdrawal-address", ADDRESS, "--amount-gwei", "-1", pubkey],
            ["deposit-data", *TOKEN, "--withdrawal-address", ADDRESS, "0xnothex"],
            ["exit", *TOKEN, "--epoch", "x", "--validator-index", "1", pubkey],
            ["exit", *TOKEN, "--epoch", "1", pubkey],
            ["exit", *TOKEN, "--epoch", "1", "--validator-index", "1", "--network", "minimal", pubkey],
        )
        for arguments in bad:
            code, out, err = self.keys(signer, *arguments, check=False)
            self.assertEqual((code, out), (2, ""), (arguments, err))
        code, out, err = self.keys(signer, "deposit-data", *TOKEN, "--withdrawal-address", ADDRESS, "0x" + "aa" * 48, check=False)
        self.assertNotEqual(code, 0)
        self.assertEqual(out, "", "one unknown key and nothing is printed")
        self.assertEqual(self.keys(signer, "exit", "--epoch", "1", "--validator-index", "1", pubkey, check=False)[0], 3)


if __name__ == "__main__":
    unittest.main()
