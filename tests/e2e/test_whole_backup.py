"""`backup create | verify | restore` of a whole signer."""
import json
import os
import shutil
import sqlite3
import subprocess
import unittest

from harness import BINARY, SignerTest, attestation


class WholeBackup(SignerTest):
    def made(self):
        """A signer that signed, stopped, and its backup."""
        signer = self.signer().start()
        signer.init_kms_only()
        pubkey = signer.import_interop(0)[0]
        self.assertEqual(signer.sign(pubkey, attestation(1, 2)).status, 200)
        signer.stop()
        file = os.path.join(signer.folder, "signer.backup")
        return signer, pubkey, file, json.loads(signer.run("backup", "create", "--config", signer.config, file)[1])

    def test_a_backup_is_whole_opens_by_its_keks_and_comes_back_without_signing(self):
        signer, pubkey, file, created = self.made()
        self.assertEqual([part["name"] for part in created["parts"]], ["seal-record", "state.sqlite", "keys.sqlite", "slashing.sqlite", "audit.log"])
        self.assertEqual(os.stat(file).st_mode & 0o777, 0o600)
        self.assertEqual(sorted(name for name in os.listdir(signer.folder) if name.startswith("signer.backup")), ["signer.backup"])
        verified = json.loads(signer.run("backup", "verify", file)[1])
        self.assertEqual((verified["status"], verified["parts"]), ("whole", created["parts"]))
        verified = json.loads(signer.run("backup", "verify", "--with-keks", "--config", signer.config, file)[1])
        self.assertEqual(verified["keks"], "master_key_proven")

        other = self.signer()
        _, out, err = signer.run("backup", "restore", file, "--data-dir", other.data)
        self.assertEqual(json.loads(out)["status"], "restored")
        self.assertIn("slashing adopt", err)
        self.assertEqual(sorted(os.listdir(other.data)), ["audit.log", "keys.sqlite", "slashing.sqlite", "state.sqlite"])
        shutil.copytree(os.path.join(signer.data, "kek"), os.path.join(other.data, "kek"))
        other.start()
        refused = other.sign(pubkey, attestation(5, 6))
        self.assertEqual(refused.status, 503, refused)
        self.assertIn("slashing_store_mismatch", other.log())
        other.stop()
        other.run("slashing", "adopt", "--config", other.config, "--block-slot", "1000", "--source-epoch", "20", "--target-epoch", "21")
        other.start()
        other.wait_status("unsealed")
        self.assertEqual(other.sign(pubkey, attestation(1, 2)).status, 412, "below the floor")
        self.assertEqual(other.sign(pubkey, attestation(30, 31)).status, 200)

    def test_a_store_that_was_ahead_of_the_state_is_barred_as_well(self):
        signer, pubkey, file, _ = self.made()
        # What starts leave behind that fail after the store was opened and before the state was written.
        with sqlite3.connect(os.path.join(signer.data, "slashing.sqlite")) as store:
            store.execute("UPDATE identity SET run = run + 7")
        os.unlink(file)
        signer.run("backup", "create", "--config", signer.config, file)
        other = self.signer()
        signer.run("backup", "restore", file, "--data-dir", other.data + "/")
        shutil.copytree(os.path.join(signer.data, "kek"), os.path.join(other.data, "kek"))
        other.start()
        self.assertEqual(other.sign(pubkey, attestation(5, 6)).status, 503)
        self.assertIn("slashing_store_mismatch", other.log())

    def test_a_signer_that_never_signed_is_barred_as_well(self):
        signer = self.signer().start()
        signer.init_kms_only()
        pubkey = signer.import_interop(0)[0]
        signer.stop()
        file = os.path.join(signer.folder, "signer.backup")
        signer.run("backup", "create", "--config", signer.config, file)
        other = self.signer()
        signer.run("backup", "restore", file, "--data-dir", other.data)
        shutil.copytree(os.path.join(signer.data, "kek"), os.path.join(other.data, "kek"))
        other.start()
        self.assertEqual(other.sign(pubkey, attestation(5, 6)).status, 503)

    def test_two_restores_at_once_leave_one_whole_barred_folder_and_touch_nothing_beside_it(self):
        signer, _, file, _ = self.made()
        with sqlite3.connect(os.path.join(signer.data, "slashing.sqlite")) as store:
            run = store.execute("SELECT run FROM identity").fetchone()[0]
        for number in range(12):
            target = os.path.join(signer.folder, f"restored{number}")
            os.makedirs(target + ".partial")
            with open(os.path.join(target + ".partial", "precious"), "w", encoding="utf-8") as precious:
                precious.write("mine")
            both = [subprocess.Popen([BINARY, "backup", "restore", file, "--data-dir", target], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                    for _ in range(2)]
            for one in both:
                one.communicate()
            self.assertEqual(sorted(one.returncode for one in both), [0, 2])
            self.assertEqual(sorted(os.listdir(target)), ["audit.log", "keys.sqlite", "slashing.sqlite", "state.sqlite"])
            with sqlite3.connect(os.path.join(target, "state.sqlite")) as state:
                content = state.execute("SELECT content FROM documents WHERE name = 'slashing-checkpoint'").fetchone()[0]
            self.assertGreater(int.from_bytes(content[21:29], "big"), run)
            self.assertEqual(os.listdir(target + ".partial"), ["precious"])
            self.assertFalse([name for name in os.listdir(signer.folder) if ".partial-" in name])

    def test_no_folder_is_made_for_a_backup_nor_a_signer_to_back_up(self):
        signer, _, file, _ = self.made()
        missing = os.path.join(signer.folder, "not", "there")
        code, out, err = signer.run("backup", "create", "--config", signer.config, os.path.join(missing, "x.backup"), check=False)
        self.assertEqual((code, out), (2, ""), err)
        self.assertIn(missing + " is no folder: mount the disk", err)
        self.assertFalse(os.path.exists(os.path.dirname(missing)))
        for folder, said in ((missing, "is no folder: name the data folder"), (os.path.join(signer.folder, "empty"), "there is no chamber here")):
            if folder != missing:
                os.mkdir(folder)
            code, out, err = signer.run("backup", "create", "--data-dir", folder, file + "2", check=False)
            self.assertNotEqual(code, 0)
            self.assertIn(said, err)
            self.assertEqual(os.listdir(folder) if folder != missing else [], [])
            self.assertFalse([name for name in os.listdir(signer.folder) if name.startswith("signer.backup2")])
        self.assertFalse(os.path.exists(os.path.dirname(missing)))
        inside = subprocess.run([BINARY, "backup", "create", "--config", signer.config, "plain.backup"], cwd=signer.folder, capture_output=True,
                                env=signer.environment, check=False)
        self.assertEqual(inside.returncode, 0, inside.stderr)

    def test_a_running_signer_an_existing_file_and_a_folder_in_use_are_refused(self):
        signer, _, file, _ = self.made()
        create = lambda path: signer.run("backup", "create", "--config", signer.config, path, check=False)
        self.assertEqual(create(file)[0], 2)
        signer.start()
        code, out, err = create(file + "2")
        self.assertEqual((code, out), (4, ""), err)
        self.assertFalse(os.path.exists(file + "2"))
        before = sorted(os.listdir(signer.data))
        self.assertEqual(signer.run("backup", "restore", file, "--data-dir", signer.data, check=False)[0], 2)
        self.assertEqual(sorted(os.listdir(signer.data)), before)
        signer.stop()
        self.assertNotEqual(create(file + "/x")[0], 0, "a file is no folder")

    def test_every_cut_and_edit_is_named_and_nothing_of_it_is_restored(self):
        signer, _, file, created = self.made()
        with open(file, "rb") as opened:
            good = opened.read()
        parts = len(good) - sum(part["size"] for part in created["parts"])
        bounds, at = {}, parts
        for part in created["parts"]:
            bounds[part["name"]] = (at, at + part["size"])
            at += part["size"]
        bad = {"the head": (good[:parts - 40] + bytes([good[parts - 40] ^ 1]) + good[parts - 39:], "head"),
               "the magic": (b"x" + good[1:], "not a backup"), "empty": (b"", "not a backup"), "longer": (good + b"x", "behind the last part"),
               "only the head": (good[:parts], "seal-record"), "half a head": (good[: parts // 2], "head")}
        for name, (start, end) in bounds.items():
            middle = (start + end) // 2
            bad["an edit of " + name] = (good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1:], name)
            bad["a cut in " + name] = (good[:middle], name)
        for what, (content, named) in bad.items():
            with self.subTest(what):
                path = os.path.join(signer.folder, "bad.backup")
                with open(path, "wb") as out:
                    out.write(content)
                for command in (["verify", path], ["restore", path, "--data-dir", os.path.join(signer.folder, "new")]):
                    code, out, err = signer.run("backup", *command, check=False)
                    self.assertNotEqual(code, 0)
                    self.assertEqual(out, "")
                    self.assertIn(named, err)
                self.assertFalse(os.path.exists(os.path.join(signer.folder, "new")))
        self.assertNotEqual(signer.run("backup", "verify", signer.folder, check=False)[0], 0)
        self.assertNotEqual(signer.run("backup", "verify", file + ".none", check=False)[0], 0)


if __name__ == "__main__":
    unittest.main()
