"""The slashing commands and the guard of a migration, as an operator uses them: history comes first, and what is unknown does not sign."""
import copy
import json
import os
import unittest

from harness import SignerTest, attestation, block, interop_secret
from keymanager_client import history

STRICT = "anti_slashing:\n  require_history: true\n"


class HistoryTest(SignerTest):
    def slashing(self, signer, *arguments, check=True):
        verb, *rest = arguments
        code, out, err = signer.run("slashing", verb, "--config", signer.config, *rest, check=check)
        return (code, json.loads(out) if out else None, err)

    def file(self, signer, content, name="history.json"):
        path = os.path.join(signer.folder, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(content if isinstance(content, str) else json.dumps(content))
        return path

    def ready(self, **options):
        signer = self.signer(**options).start()
        signer.init_kms_only()
        return signer

    def again(self, signer):
        signer.start()
        signer.wait_status("unsealed")


class Guard(HistoryTest):
    def test_an_imported_key_waits_for_its_history_and_a_generated_one_does_not(self):
        signer = self.ready(extra=STRICT)
        first, second, third = signer.import_interop(0, 1, 2)
        made = signer.request("POST", "/api/v1/chamber/keys/generate", {"count": 1}, "KEY_MANAGER_TOKEN").json()["data"][0]["pubkey"]
        self.assertEqual(signer.sign(made, attestation(1, 2)).status, 200)
        reply = signer.sign(first, attestation(10, 11))
        self.assertEqual((reply.status, reply.json()["code"]), (412, "no_history"))
        self.assertEqual(signer.sign(first, block(400)).status, 412)
        signer.stop()

        file = self.file(signer, history(first, [(9, 10)]))
        self.slashing(signer, "import", "--note", "the old signer", file)
        self.slashing(signer, "allow-empty-history", "--pubkey", second)
        status = self.slashing(signer, "status")[1]
        self.assertEqual([o["kind"] for o in status["origins"]], ["empty_history", "import"])
        self.assertEqual(status["origins"][1]["source"], "the old signer (history.json)")
        self.assertEqual(len(status["origins"][1]["sha256"]), 64)
        self.assertGreater(status["origins"][1]["unix_seconds"], 1_600_000_000)

        self.again(signer)
        self.assertEqual(signer.sign(first, attestation(9, 10)).status, 412)
        self.assertEqual(signer.sign(first, attestation(10, 11)).status, 200)
        self.assertEqual(signer.sign(second, attestation(10, 11)).status, 200)
        self.assertEqual(signer.sign(third, attestation(10, 11)).json()["code"], "no_history")
        self.assertEqual(signer.metrics().count("containment_signing_without_history_total 1"), 0)

    def test_keys_import_can_declare_an_empty_history(self):
        signer = self.ready(extra=STRICT)
        for index, flag, wanted in ((0, [], 412), (1, ["--allow-empty-history"], 200)):
            out = signer.run("keys", "import", "--private-key-stdin", "--auth-token", "env:KEY_MANAGER_TOKEN", "--signer-url", signer.url, *flag,
                             stdin=interop_secret(index) + "\n")[1]
            pubkey = json.loads(out)["data"][0]["pubkey"]
            self.assertEqual(signer.sign(pubkey, attestation(1, 2)).status, wanted)

    def test_history_may_come_before_the_first_start(self):
        signer = self.signer(extra=STRICT)
        helper = self.ready()
        pubkey = helper.import_interop(0)[0]
        os.mkdir(signer.data, 0o700)
        self.slashing(signer, "import", self.file(signer, history(pubkey, [(9, 10)], [320])))
        self.again_first(signer)
        self.assertEqual(signer.import_interop(0), [pubkey])
        self.assertEqual(signer.sign(pubkey, attestation(9, 10)).status, 412)
        self.assertEqual(signer.sign(pubkey, block(320)).status, 412)
        self.assertEqual(signer.sign(pubkey, attestation(10, 11)).status, 200)
        self.assertEqual(signer.sign(pubkey, block(321)).status, 200)

    def test_commands_make_nothing_where_there_is_no_signer(self):
        signer, pubkey = self.signer(extra=STRICT), "0x" + "ab" * 48
        floor = ("--block-slot", "1", "--source-epoch", "1", "--target-epoch", "1")
        file = self.file(signer, history(pubkey, [(9, 10)]))
        for verb, *rest in (("status",), ("export",), ("prune",), ("watermark", *floor), ("adopt", *floor), ("import", file),
                            ("allow-empty-history", "--pubkey", pubkey)):
            code, out, err = self.slashing(signer, verb, *rest, check=False)
            self.assertEqual((code, out), (2, None), err)
            self.assertIn("is no folder: name the data folder of the signer", err)
            self.assertFalse(os.path.exists(signer.data), verb)
        os.mkdir(signer.data, 0o700)
        for verb, *rest in (("status",), ("export",), ("prune",), ("watermark", *floor), ("adopt", *floor)):
            code, out, err = self.slashing(signer, verb, *rest, check=False)
            self.assertNotEqual(code, 0, verb)
            self.assertIsNone(out)
            self.assertIn("is --config or --data-dir the signer's own?", err)
            self.assertEqual(os.listdir(signer.data), [], verb)
        self.slashing(signer, "import", file)
        self.assertEqual(self.slashing(signer, "status")[1]["validators"], 1)

    def test_looking_at_a_store_whose_state_is_lost_makes_no_other(self):
        signer = self.ready()
        signer.stop()
        for name in ("state.sqlite", "keys.sqlite"):
            os.unlink(os.path.join(signer.data, name))
        before = sorted(os.listdir(signer.data))
        self.assertEqual(self.slashing(signer, "status")[1]["store"], "foreign")
        self.assertNotEqual(self.slashing(signer, "export", check=False)[0], 0)
        self.assertEqual(sorted(os.listdir(signer.data)), before)

    def again_first(self, signer):
        signer.start()
        signer.init_kms_only()

    def test_without_the_guard_the_first_signature_is_logged_and_counted(self):
        signer = self.ready()
        pubkey = signer.import_interop(0)[0]
        for epoch in range(3):
            self.assertEqual(signer.sign(pubkey, attestation(epoch, epoch + 1)).status, 200)
        self.assertEqual(signer.log().count("without any slashing history"), 1)
        self.assertIn(pubkey, signer.log())
        self.assertIn("containment_signing_without_history_total 1\n", signer.metrics())


class Pruning(HistoryTest):
    def test_pruning_keeps_the_newest_epochs_and_permits_nothing_new(self):
        signer = self.ready()
        pubkey = signer.import_interop(0)[0]
        for epoch in range(20):
            self.assertEqual(signer.sign(pubkey, attestation(epoch, epoch + 1)).status, 200)
        signer.stop()
        self.assertEqual(self.slashing(signer, "prune", "--keep-epochs", "5")[1],
                         {"status": "pruned", "validators": 1, "records": 15, "keep_epochs": 5})
        self.assertEqual(self.slashing(signer, "prune", "--keep-epochs", "5")[1]["records"], 0)
        self.assertEqual(self.slashing(signer, "prune")[1]["records"], 0, "the default keeps 250")
        exported = self.slashing(signer, "export")[1]["data"][0]["signed_attestations"]
        self.assertEqual([v["target_epoch"] for v in exported], ["16", "17", "18", "19", "20"])
        for bad in ("0", "-1", "x", "99999999999999999999"):
            self.assertEqual(self.slashing(signer, "prune", "--keep-epochs", bad, check=False)[0], 2, bad)
        self.again(signer)
        self.assertEqual(signer.sign(pubkey, attestation(19, 20)).status, 200, "kept: the identical one again")
        self.assertEqual(signer.sign(pubkey, attestation(3, 4)).status, 412)
        self.assertEqual(signer.sign(pubkey, attestation(13, 21)).status, 412)
        self.assertEqual(signer.sign(pubkey, attestation(20, 21)).status, 200)

    def test_automatic_pruning_is_taken_from_the_configuration(self):
        signer = self.ready(extra="anti_slashing:\n  pruning:\n    enabled: true\n    keep_epochs: 5\n    interval_minutes: 1\n")
        pubkey = signer.import_interop(0)[0]
        self.assertEqual(signer.sign(pubkey, attestation(1, 2)).status, 200)
        self.assertEqual(signer.stop(), 0, "stops at once, in the middle of the interval")


class Commands(HistoryTest):
    def signed(self):
        signer = self.ready()
        first, second = signer.import_interop(0, 1)
        for key in (first, second):
            self.assertEqual(signer.sign(key, attestation(10, 11)).status, 200)
            self.assertEqual(signer.sign(key, attestation(11, 12)).status, 200)
            self.assertEqual(signer.sign(key, block(384)).status, 200)
        signer.stop()
        return signer, first, second

    def test_exports_in_both_forms_of_some_or_all_keys(self):
        signer, first, second = self.signed()
        whole = self.slashing(signer, "export")[1]
        self.assertEqual([e["pubkey"] for e in whole["data"]], sorted([first, second]))
        self.assertEqual([len(e["signed_attestations"]) for e in whole["data"]], [2, 2])
        self.assertIn("signing_root", whole["data"][0]["signed_blocks"][0])
        minimal = self.slashing(signer, "export", "--minimal", "--pubkeys", first)[1]
        self.assertEqual(minimal["data"], [{"pubkey": first, "signed_blocks": [{"slot": "384"}],
                                            "signed_attestations": [{"source_epoch": "11", "target_epoch": "12"}]}])
        self.assertEqual(len(self.slashing(signer, "export", "--pubkeys", first + "," + second)[1]["data"]), 2)
        code, out, err = self.slashing(signer, "export", "--pubkey", "0x" + "ab" * 48)
        self.assertEqual((code, out["data"]), (0, []))
        self.assertIn("not known", err)
        self.assertEqual(self.slashing(signer, "export", "--pubkey", "0x12", check=False)[0], 2)

    def test_a_failed_export_leaves_the_older_file(self):
        signer, _, _ = self.signed()
        path = self.file(signer, "precious", "old.json")
        os.mkdir(path + ".part")
        code, _, err = self.slashing(signer, "export", "--out", path, check=False)
        self.assertNotEqual(code, 0)
        self.assertIn("cannot be written", err)
        with open(path, encoding="utf-8") as kept:
            self.assertEqual(kept.read(), "precious")
        os.rmdir(path + ".part")
        self.slashing_plain(signer, "export", "--out", path)
        with open(path, encoding="utf-8") as written:
            self.assertEqual(len(json.load(written)["data"]), 2)

    def slashing_plain(self, signer, verb, *rest):
        return signer.run("slashing", verb, "--config", signer.config, *rest)

    def test_bad_files_change_nothing_and_say_where(self):
        signer, first, _ = self.signed()
        good = history(first, [(20, 21), (20, 21)], [700, 700])
        text = json.dumps(good)
        bad = {"empty": "", "cut": text[: len(text) // 2], "twice": text + text, "list": "[]", "number": text.replace('"21"', "21"),
               "huge": text.replace('"21"', '"18446744073709551616"'), "negative": text.replace('"21"', '"-1"'),
               "sign": text.replace('"21"', '"+21"'), "hex": text.replace('"21"', '"0x15"'), "version": text.replace('"5"', '"6"'),
               "key": text.replace(first, first[:-2]), "binary": "\x00\x01"}
        before = self.slashing(signer, "export")[1]
        for name, content in bad.items():
            with self.subTest(name):
                code, out, err = self.slashing(signer, "import", self.file(signer, content), check=False)
                self.assertEqual((code, out), (2, None), err)
                self.assertIn("interchange_invalid", err)
        code, _, err = self.slashing(signer, "import", self.file(signer, history(first, [(20, 21)], root="0x" + "77" * 32)), check=False)
        self.assertEqual(code, 3)
        self.assertIn("network_mismatch", err)
        self.assertEqual(self.slashing(signer, "import", os.path.join(signer.folder, "nowhere"), check=False)[0], 2)
        self.assertEqual(self.slashing(signer, "export")[1], before)
        self.assertEqual(self.slashing(signer, "status")[1]["origins"], [])

    def test_duplicates_and_the_largest_numbers_are_taken(self):
        signer, first, second = self.signed()
        doubled = history(first, [(20, 21), (20, 21)], [700, 700])
        doubled["data"].append(copy.deepcopy(doubled["data"][0]))
        reply = self.slashing(signer, "import", self.file(signer, doubled))[1]
        self.assertEqual((reply["validators"], reply["blocks"], reply["attestations"]), (1, 4, 4))
        again = self.slashing(signer, "import", self.file(signer, doubled))[1]
        self.assertEqual(again, reply)
        top = 2**64 - 1
        self.slashing(signer, "import", self.file(signer, history(second, [(top, top)], [top])))
        self.again(signer)
        self.assertEqual(signer.sign(first, attestation(20, 21)).status, 412)
        self.assertEqual(signer.sign(first, attestation(20, 22)).status, 200)
        self.assertEqual(signer.sign(second, attestation(30, 31)).status, 412)
        self.assertEqual(signer.sign(second, block(900)).status, 412)

    def test_commands_refuse_while_the_signer_runs(self):
        signer, first, _ = self.signed()
        self.again(signer)
        for verb, *rest in (("prune",), ("allow-empty-history", "--pubkey", first), ("export",), ("import", "/dev/null")):
            self.assertNotEqual(self.slashing(signer, verb, *rest, check=False)[0], 0, verb)
        self.assertEqual(signer.sign(first, attestation(12, 13)).status, 200)


if __name__ == "__main__":
    unittest.main()
