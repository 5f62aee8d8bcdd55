"""The audit log of the real binary: what it tells, what it never holds, and that both verifiers (the program's own and
tools/audit_verify.py, written from the specification) find every planted fault.
"""
import glob
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import unittest

from harness import PASSPHRASE, SOURCE, TOKENS, SignerTest, attestation, interop_secret

sys.path.insert(0, os.path.join(SOURCE, "tools"))
import audit_verify  # noqa: E402

VECTORS = os.path.join(SOURCE, "tests", "vectors", "audit")


def log_path(signer):
    return os.path.join(signer.data, "audit.log")


def entries(signer):
    with open(log_path(signer), encoding="ascii") as lines:
        return [json.loads(line) for line in lines]


def told(signer, event, outcome=None):
    return [e for e in entries(signer) if e["event"] == event and outcome in (None, e["outcome"])]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Audit(SignerTest):
    def verify(self, signer, *arguments, path=None):
        """Both verifiers on a log: they must agree. Returns [(kind, number)]."""
        path = path or log_path(signer)
        code, out, err = signer.run("audit", "verify", "--file", path, *arguments, check=False)
        ours = json.loads(out)
        theirs = subprocess.run([sys.executable, "-B", os.path.join(SOURCE, "tools/audit_verify.py"), path, *arguments], capture_output=True, text=True)
        other = json.loads(theirs.stdout)
        faults = [(f["kind"], f["number"]) for f in ours["faults"]]
        self.assertEqual(sorted(faults), sorted((f["kind"], f["number"]) for f in other["faults"]), (ours, other))
        self.assertEqual((code, theirs.returncode), (6, 6) if faults else (0, 0), err)
        if not any(kind in ("unreadable", "missing") for kind, _ in faults):
            self.assertEqual(ours["head"], other["head"])
        self.report = ours
        return faults

    def unsealed_by_quorum(self, **options):
        signer = self.signer(**options)
        signer.start()
        init = signer.init_quorum()
        tokens = init["operator_tokens"]
        for name in ("alice", "bob", "carol"):
            signer.register(name, tokens[name])
        signer.wait_status("kms_unsealed")
        signer.unseal("alice")
        signer.unseal("bob")
        signer.wait_status("unsealed")
        return signer, tokens

    # ---- vectors
    def test_the_second_verifier_finds_the_faults_of_the_published_logs(self):
        with open(os.path.join(VECTORS, "known.txt"), encoding="ascii") as known:
            key, head = known.read().split()
        files = glob.glob(os.path.join(VECTORS, "*.log"))
        self.assertEqual(len(files), 9)
        for path in files:
            name = os.path.basename(path)[:-4]
            with open(path, "rb") as log:
                faults = audit_verify.verify_log(log.read(), [audit_verify.parse_head(head)], [key])[2]
            self.assertEqual("-".join(f"{kind}-{number}" for kind, number, _ in faults), "" if name == "good" else name)

    def test_the_second_verifier_knows_ed25519(self):
        # RFC 8032, section 7.1, test 2
        public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
        signature = bytes.fromhex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")
        self.assertTrue(audit_verify.ed25519_holds(public, b"\x72", signature))
        self.assertFalse(audit_verify.ed25519_holds(public, b"\x73", signature))
        for place in range(64):
            bad = bytearray(signature)
            bad[place] ^= 1
            self.assertFalse(audit_verify.ed25519_holds(public, b"\x72", bytes(bad)))

    # ---- what is told
    def test_every_ceremony_stands_in_the_log_with_its_author_and_no_secret_does(self):
        signer, tokens = self.unsealed_by_quorum()
        secret = "the passphrase went into the wrong field"
        signer.request("POST", "/api/v1/chamber/unseal", {"operator": secret, "passphrase": PASSPHRASE.format("alice")})
        signer.request("POST", "/api/v1/chamber/unseal", {"operator": secret.replace(" ", "-"), "passphrase": secret})
        signer.request("POST", "/api/v1/chamber/drill", {"operator": "carol", "passphrase": "not the right passphrase"})
        signer.request("POST", "/api/v1/chamber/seal", token="a-token-nobody-gave-out")
        signer.request("GET", "/api/v1/chamber/status", token="a-token-nobody-gave-out")
        signer.request("POST", "/api/v1/chamber/seal", token="SIGNING_TOKEN")
        signer.operator("drill", "--operator", "carol", "--passphrase-stdin", stdin=PASSPHRASE.format("carol") + "\n")
        signer.operator("credentials", "add", "--operator", "carol", "--existing-credential-id", "password-1", "--new-credential-id", "spare",
                        "--passphrase-stdin", stdin=PASSPHRASE.format("carol") + "\n" + "another long passphrase\n")
        signer.operator("credentials", "remove", "--operator", "carol", "--existing-credential-id", "password-1", "--remove-credential-id", "spare",
                        "--passphrase-stdin", stdin=PASSPHRASE.format("carol") + "\n")
        pubkeys = signer.import_interop(0, 1)
        signer.request("PATCH", "/api/v1/chamber/keys", {"pubkeys": [pubkeys[1]], "status": "inactive"}, "KEY_MANAGER_TOKEN")
        signer.request("DELETE", "/api/v1/chamber/keys", {"pubkeys": [pubkeys[1]]}, "KEY_MANAGER_TOKEN")
        self.assertEqual(signer.sign(pubkeys[0], attestation(10, 11)).status, 200)
        self.assertEqual(signer.sign(pubkeys[0], attestation(10, 11, head=17)).status, 412)
        self.assertEqual(signer.sign(pubkeys[0], attestation(11, 12), token="CC_AUTH_TOKEN").status, 403)
        signer.operator("rotate", "kms", "--auth-token", "env:CC_AUTH_TOKEN", "--kms-key-arns", "local://two", "--kms-threshold", "1")
        signer.operator("rotate", "unseal", "--auth-token", "env:CC_AUTH_TOKEN", "--unseal-threshold", "1", "--operators", "dora")
        signer.operator("rotate", "unseal-cancel", "--auth-token", "env:CC_AUTH_TOKEN")
        signer.operator("seal", "--auth-token", "env:CC_AUTH_TOKEN", "--reason", 'the "end" of the day')
        signer.stop()
        self.assertEqual(self.verify(signer), [])

        def by(event, outcome="done"):
            return [e["by"] for e in told(signer, event, outcome)]

        self.assertEqual(by("init"), ["setup-token"])
        self.assertEqual(by("register_operator"), ["operator:alice", "operator:bob", "operator:carol"])
        self.assertEqual(by("unseal"), ["operator:alice", "operator:bob"])
        self.assertEqual(by("unseal", "refused"), ["anyone", "anyone"])
        self.assertEqual(by("drill", "refused"), ["operator:carol"])
        self.assertEqual(by("drill"), ["operator:carol"])
        self.assertEqual(by("seal", "refused"), ["anyone", "policy:signing-client"])
        self.assertEqual([e["code"] for e in told(signer, "seal", "refused")], ["unauthorized", "forbidden"])
        self.assertEqual(by("access", "refused"), ["anyone"])
        self.assertEqual([e["subject"] for e in told(signer, "credential_add", "done") + told(signer, "credential_remove", "done")], ["spare", "spare"])
        self.assertEqual(told(signer, "key_import", "done")[0]["keys"], pubkeys)
        self.assertEqual([e["subject"] for e in told(signer, "key_status", "done")], ["inactive"])
        self.assertEqual(told(signer, "key_delete", "done")[0]["keys"], [pubkeys[1]])
        self.assertEqual([(e["code"], e["by"]) for e in told(signer, "sign")], [("slashable", "policy:signing-client"), ("forbidden", "policy:ops-team")])
        self.assertEqual(told(signer, "rotate_kms", "done")[0]["members"], ["local://two"])
        self.assertEqual([by("rotate_unseal"), by("rotate_cancel"), by("seal")], [["policy:ops-team"]] * 3)
        self.assertEqual(told(signer, "seal", "done")[0]["remark"], "the ?end? of the day")
        self.assertEqual([e["event"] for e in entries(signer)][:3], ["log_started", "started", "policies"], "before anything can be unsealed")
        self.assertEqual(entries(signer)[-1]["event"], "stopped")
        # What was asked stands before what was done, and the sealing is signed with its author.
        for event in ("init", "unseal", "rotate_kms", "seal", "key_import"):
            self.assertLess(told(signer, event, "asked")[0]["n"], told(signer, event, "done")[0]["n"])
        sealed = told(signer, "checkpoint")[-1]["n"]
        self.assertLess(told(signer, "seal", "asked")[-1]["n"], sealed)

        with open(log_path(signer), encoding="ascii") as log:
            text = log.read()
        for never in [secret, secret.replace(" ", "-"), *TOKENS.values(), *tokens.values(), "cc-setup-", "cc-reg-", interop_secret(0), interop_secret(0)[2:],
                      *(PASSPHRASE.format(name) for name in ("alice", "bob", "carol")), "another long", "not the right"]:
            self.assertNotIn(never, text)

    def test_planted_faults_are_found_by_both_verifiers(self):
        signer, _ = self.unsealed_by_quorum()
        signer.operator("seal", "--auth-token", "env:CC_AUTH_TOKEN")
        signer.stop()
        with open(log_path(signer), "rb") as log:
            good = log.read().splitlines(keepends=True)
        head = f"{len(good)}:{json.loads(good[-1])['head']}"
        key = told(signer, "checkpoint")[0]["key"]
        known = ("--expect-head", head, "--checkpoint-key", key)
        self.assertEqual(self.verify(signer, *known), [])
        copy = os.path.join(signer.folder, "copy.log")

        def faults(lines):
            with open(copy, "wb") as out:
                out.write(b"".join(lines))
            # Where checkpoints are gone with the rest, that is said as well.
            return [fault for fault in self.verify(signer, *known, path=copy) if fault[0] != "not_signed"]

        for i in range(1, len(good) - 1):
            edited = good[:i] + [re.sub(rb'"time":\d', b'"time":9', good[i])] + good[i + 1:]
            self.assertIn(("altered", i + 1), faults(edited))
            self.assertEqual(faults(good[:i] + good[i + 1:]), [("missing", i + 1)])
            self.assertIn(("reordered", i + 1), faults(good[:i] + [good[i + 1], good[i]] + good[i + 2:]))
            self.assertEqual(faults(good[:i]), [("cut", i + 1)])
        self.assertEqual(faults(good[:-1] + [good[-1][:-9]])[0], ("torn", len(good)))
        # Somebody without the master key writes the whole log anew, in good form.
        anew, at = [], bytes(32)
        for line in good:
            body = line.decode()[: line.rindex(b',"head":"')].replace("operator:alice", "operator:carol")
            at = audit_verify.next_head(at, hashlib.sha256(b"cc/audit/v1/entry\n" + body.encode()).digest())
            anew.append(f'{body},"head":"{at.hex()}"}}\n'.encode())
        found = faults(anew)
        self.assertIn(("rewritten", len(good)), found)
        self.assertIn(("forged", told(signer, "checkpoint")[0]["n"]), found)
        # The same without checkpoints, renumbered, by somebody who only knows the key.
        anew, at = [], bytes(32)
        for line in good:
            if b'"event":"checkpoint"' in line:
                continue
            body = re.sub(r'"n":\d+', f'"n":{len(anew) + 1}', line.decode()[: line.rindex(b',"head":"')])
            at = audit_verify.next_head(at, hashlib.sha256(b"cc/audit/v1/entry\n" + body.encode()).digest())
            anew.append(f'{body},"head":"{at.hex()}"}}\n'.encode())
        with open(copy, "wb") as out:
            out.write(b"".join(anew))
        self.assertEqual({kind for kind, _ in self.verify(signer, "--checkpoint-key", key, path=copy)}, {"not_signed"})

    def test_a_transcript_convinces_whoever_holds_the_checkpoint_key(self):
        signer, _ = self.unsealed_by_quorum()
        status = signer.request("GET", "/api/v1/chamber/status", token="CC_AUTH_TOKEN").json()
        key = status["seal"]["audit"]["checkpoint_key"]
        asked = json.loads(signer.run("audit", "ask-head", "--signer-url", signer.url, "--auth-token", "env:CC_AUTH_TOKEN")[1])
        self.assertEqual(asked["checkpoint_key"], key)
        last = told(signer, "opened")[0]["n"]
        code, out, _ = signer.run("audit", "transcript", "--data-dir", signer.data, "--from", "4", "--to", str(last))
        path = os.path.join(signer.folder, "transcript.json")
        with open(path, "w", encoding="ascii") as text:
            text.write(out)
        document = json.loads(out)
        self.assertEqual(len(document["entries"]), last - 3)

        def both(name, with_key):
            code, _, self.said = signer.run("audit", "verify-transcript", name, "--checkpoint-key", with_key, check=False)
            other = subprocess.run([sys.executable, "-B", os.path.join(SOURCE, "tools/audit_verify.py"), "--transcript", name, "--checkpoint-key", with_key],
                                   capture_output=True, check=False)
            self.assertEqual(code, other.returncode)
            return code

        self.assertEqual(both(path, key), 0)
        self.assertEqual(both(path, "00" * 32), 6)
        for field in ("log", "before", "entries", "hashes", "checkpoint"):
            changed = dict(document)
            value = document[field]
            if not value:
                changed[field] = ["00" * 32]
            elif isinstance(value, list):
                changed[field] = value[:-1]
            else:
                at = max(range(len(value)), key=lambda n: value[n].isdigit())  # the first digit, else the first letter
                changed[field] = value[:at] + ("0" if value[at] != "0" else "1") + value[at + 1:]
            bad = os.path.join(signer.folder, "bad.json")
            with open(bad, "w", encoding="ascii") as text:
                json.dump(changed, text)
            self.assertEqual(both(bad, key), 6, field)
            self.assertIn(": audit_log_broken:", self.said)
        for other in (signer.config, log_path(signer)):
            self.assertEqual(both(other, key), 2)
            self.assertIn(f"audit_log_invalid: This is no audit log: {other} is no transcript", self.said)
        self.assertEqual(signer.run("audit", "transcript", "--data-dir", signer.data, "--from", "9999", check=False)[0], 4)

    # ---- crashes, cuts, full disks
    def test_a_torn_last_line_is_repaired_and_told(self):
        signer = self.signer()
        signer.start()
        signer.init_kms_only()
        signer.kill()
        before = entries(signer)
        torn = b'{"n":%d,"time":17' % (len(before) + 1)
        for tail in (torn, b"\0" * 5000, torn + b"\n\0\0\0"):
            with open(log_path(signer), "ab") as log:
                log.write(tail)
            signer.start()
            signer.wait_status("unsealed")
            self.assertIn("cut to its last whole one", signer.log())
            signer.kill()
            repaired = told(signer, "tail_repaired")[-1]
            self.assertEqual((repaired["count"], repaired["digest"]), (len(tail), hashlib.sha256(tail).hexdigest()))
            self.assertEqual(self.verify(signer), [])
        self.assertEqual(entries(signer)[: len(before)], before)

    def test_a_log_cut_or_edited_behind_the_signers_back_stops_ceremonies_but_not_signing(self):
        signer = self.signer()
        signer.start()
        signer.init_kms_only()
        pubkey = signer.import_interop(0)[0]
        signer.stop()
        with open(log_path(signer), "rb") as log:
            good = log.read().splitlines(keepends=True)
        for name, lines in {
            "cut": good[:-2],
            "gone": [],
            "edited": good[:4] + [re.sub(rb'"time":\d', b'"time":9', good[4])] + good[5:],
            "removed": good[:4] + good[5:],
            "spoilt": good[:4] + [b"spoilt\n"] + good[5:],
        }.items():
            with self.subTest(name):
                with open(log_path(signer), "wb") as log:
                    log.write(b"".join(lines))
                signer.start()
                signer.wait_status("unsealed")
                status = signer.request("GET", "/api/v1/chamber/status", token="CC_AUTH_TOKEN").json()
                self.assertIn("does not hold", status["seal"]["audit"]["trouble"])
                refused = signer.request("POST", "/api/v1/chamber/keys/generate", {"count": 1}, "KEY_MANAGER_TOKEN")
                self.assertEqual((refused.status, refused.json()["code"]), (503, "store_unavailable"))
                self.assertIn("audit verify", refused.json()["detail"])
                epoch = int(time.time() * 1000)
                self.assertEqual(signer.sign(pubkey, attestation(epoch, epoch + 1)).status, 200)
                self.assertIn("containment_audit_failing 1", signer.metrics())
                self.assertEqual(signer.operator("seal", "--auth-token", "env:CC_AUTH_TOKEN")[0], 0)
                signer.stop()
                with open(log_path(signer), "rb") as log:
                    self.assertEqual(log.read(), b"".join(lines), "evidence stays as it is")

    def test_a_log_that_is_lost_is_given_up_by_name_and_a_quorum_unseals_again(self):
        signer, _ = self.unsealed_by_quorum()
        signer.stop()
        remembered = signer.run("audit", "head", "--config", signer.config)[1]
        os.rename(log_path(signer), log_path(signer) + ".lost")
        signer.start()
        signer.wait_status("kms_unsealed")
        code, _, err = signer.unseal("alice", check=False)
        self.assertNotEqual(code, 0)
        self.assertIn("begin-anew", err)
        anew = lambda *arguments: signer.run("audit", "begin-anew", "--config", signer.config, *arguments, check=False)
        self.assertEqual(anew()[0], 4, "the signer runs")
        signer.stop()
        code, _, err = anew()
        self.assertEqual(code, 2)
        head = re.search(r"\d+:[0-9a-f]{64}", err)[0]
        self.assertIn(head.split(":")[1], remembered)
        with open(log_path(signer), "wb") as log:
            log.write(b"something\n")
        self.assertEqual(anew("--remembered", head)[0], 2, "the file is still there")
        os.unlink(log_path(signer))
        self.assertEqual(anew("--remembered", "7:" + "00" * 32)[0], 2)
        self.assertEqual(anew("--remembered", head)[0], 0)
        first = entries(signer)[0]
        self.assertEqual((first["event"], f'{first["count"]}:{first["digest"]}'), ("log_started", head))
        signer.start()
        signer.wait_status("kms_unsealed")
        for name in ("alice", "bob"):
            signer.unseal(name)
        signer.wait_status("unsealed")
        signer.stop()
        self.assertEqual(self.verify(signer), [])

    def test_with_a_full_disk_ceremonies_are_refused_and_told_once_there_is_room(self):
        shim = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"cc-audit-shim-{os.getpid()}.so")
        subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", shim, os.path.join(SOURCE, "tests/e2e/crash_shim.c"), "-ldl"], check=True)
        self.addCleanup(os.unlink, shim)
        signer = self.signer()
        full = os.path.join(signer.folder, "full")
        signer.start(preload=shim, CC_STRIKE_ARMED=full, CC_STRIKE="full", CC_STRIKE_AT="1")
        signer.init_kms_only()
        before = told(signer, "key_generate")
        with open(full, "w", encoding="ascii"):
            refused = signer.request("POST", "/api/v1/chamber/keys/generate", {"count": 1}, "KEY_MANAGER_TOKEN")
            self.assertEqual(refused.status, 503)
            self.assertIn("nothing was done", refused.json()["detail"])
            self.assertIn("containment_audit_failing 1", signer.metrics())
        os.unlink(full)
        end = time.monotonic() + 60
        while "containment_audit_failing 0" not in signer.metrics():
            self.assertLess(time.monotonic(), end, "the log must be written again once there is room")
            time.sleep(0.1)
        generated = signer.request("POST", "/api/v1/chamber/keys/generate", {"count": 1}, "KEY_MANAGER_TOKEN")
        self.assertEqual(generated.status, 200, generated)
        self.assertEqual([e["outcome"] for e in told(signer, "key_generate")[len(before):]], ["asked", "refused", "asked", "done"])
        self.assertEqual(self.verify(signer), [])

    def test_a_ceremony_cut_off_by_a_crash_has_left_its_question(self):
        signer = self.signer()
        signer.start()
        signer.init_kms_only()
        for _ in range(20):
            known = len(told(signer, "key_generate", "asked"))
            client = subprocess.Popen(
                [sys.executable, "-c", "import sys, http.client\nc = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]))\n"
                 "c.request('POST', '/api/v1/chamber/keys/generate', '{\"count\":20}', {'Authorization': 'Bearer ' + sys.argv[2]})\nc.getresponse()",
                 str(signer.port), TOKENS["KEY_MANAGER_TOKEN"]], stderr=subprocess.DEVNULL)
            while len(told(signer, "key_generate", "asked")) == known:
                time.sleep(0.001)
            signer.kill()
            client.wait()
            done = len(told(signer, "key_generate", "done"))
            signer.start()
            signer.wait_status("unsealed")
            if done < known + 1:
                break
        else:
            self.fail("no crash fell between question and outcome")
        signer.stop()
        self.assertEqual(self.verify(signer), [])

    def test_a_file_of_another_kind_is_called_that_and_not_a_damaged_log(self):
        signer = self.signer()
        other = os.path.join(signer.folder, "other")
        for content in ("correct horse battery staple", "one line\nand another\n", '{"crypto": {}}', '{"crypto": {}}\n'):
            with open(other, "w", encoding="ascii") as text:
                text.write(content)
            for command in ("verify", "show", "head", "key", "transcript"):
                code, out, err = signer.run("audit", command, "--file", other, check=False)
                self.assertEqual((code, json.loads(out or "{}").get("status")), (2, None), (command, out))
                self.assertIn(f"audit_log_invalid: This is no audit log: {other}", err)
            theirs = subprocess.run([sys.executable, "-B", os.path.join(SOURCE, "tools/audit_verify.py"), other], capture_output=True, check=False)
            self.assertEqual(theirs.returncode, 2)
        # Where the log of a signer must be, it is a log that somebody wrote over.
        os.makedirs(signer.data)
        shutil.copy(other, log_path(signer))
        code, out, err = signer.run("audit", "verify", "--data-dir", signer.data, check=False)
        self.assertEqual((code, [f["kind"] for f in json.loads(out)["faults"]]), (6, ["unreadable"]))
        self.assertIn("audit_log_broken: The audit log does not hold: " + log_path(signer), err)

    # ---- who remembers
    def test_verify_holds_the_end_against_the_signers_state_and_this_users_tools(self):
        signer = self.signer()
        signer.start()
        signer.init_kms_only()
        signer.operator("status", "--auth-token", "env:CC_AUTH_TOKEN")

        def verify(*arguments, faults=(), **environment):
            known = dict(signer.environment)
            signer.environment.update(environment)
            code, out, err = signer.run("audit", "verify", *arguments, check=False)
            signer.environment = known
            reply = json.loads(out)
            self.assertEqual((code, [(f["kind"], f["number"]) for f in reply["faults"]]), (6 if faults else 0, list(faults)), err)
            if faults:
                self.assertIn("audit_log_broken: The audit log does not hold: ", err)
            lines = [line for line in err.splitlines() if not line.startswith("The checkpoints agree with each other")]
            return {known["by"] for known in reply["compared_with"]}, "\n".join(lines)

        def content(folder):
            found = {}
            for name in os.listdir(folder):
                if os.path.isfile(os.path.join(folder, name)) and not name.endswith("-shm"):
                    with open(os.path.join(folder, name), "rb") as file:
                        found[name] = file.read()
            return found

        both, state, user = {"signer_state", "this_user"}, {"signer_state"}, {"this_user"}
        nobody = {"XDG_STATE_HOME": os.path.join(signer.folder, "nobody")}
        self.assertEqual(verify("--data-dir", signer.data), (both, ""), "while the signer runs")
        self.assertEqual(verify("--config", signer.config, **nobody), (state, ""))
        self.assertEqual(verify("--file", log_path(signer), "--data-dir", signer.data, **nobody), (state, ""))
        copy = os.path.join(signer.folder, "copy")
        def known_to_state():
            reply = json.loads(signer.run("audit", "verify", "--config", signer.config)[1])
            return max(int(known["head"].split(":")[0]) for known in reply["compared_with"] if known["by"] == "signer_state")

        patience = time.monotonic() + 60
        while known_to_state() < 5:
            self.assertLess(time.monotonic(), patience, "the state must remember the head")
            time.sleep(0.2)
        for end in (signer.kill, signer.stop):  # a state with its write-ahead log beside it, and one without
            with self.subTest(end.__name__):
                end()
                shutil.rmtree(copy, ignore_errors=True)
                shutil.copytree(signer.data, copy, ignore=shutil.ignore_patterns("*-shm"))
                self.assertEqual(os.path.exists(os.path.join(copy, "state.sqlite-wal")), end == signer.kill)
                path = os.path.join(copy, "audit.log")
                self.assertEqual(verify("--data-dir", copy), (both, ""))
                with open(path, "rb") as log:
                    good = log.read().splitlines(keepends=True)
                with open(path, "wb") as log:
                    log.write(b"".join(good[:4]))
                before = content(copy)
                self.assertEqual(verify("--data-dir", copy, faults=[("cut", 5)], **nobody)[0], state)
                self.assertEqual(content(copy), before, "the evidence stays as it is")
                # The same number of entries, and the last ones written anew.
                at, anew = bytes.fromhex(json.loads(good[3])["head"]), good[:4]
                for line in good[4:]:
                    body = re.sub(r'"time":\d', '"time":9', line.decode()[: line.rindex(b',"head":"')])
                    at = audit_verify.next_head(at, hashlib.sha256(b"cc/audit/v1/entry\n" + body.encode()).digest())
                    anew.append(f'{body},"head":"{at.hex()}"}}\n'.encode())
                with open(path, "wb") as log:
                    log.write(b"".join(anew))
                code, out, _ = signer.run("audit", "verify", "--data-dir", copy, check=False)
                self.assertEqual(code, 6)
                self.assertIn("rewritten", [f["kind"] for f in json.loads(out)["faults"]])
                with open(path, "wb") as log:
                    log.write(b"".join(good[:4]))
                signer.start()
                signer.wait_status("unsealed")

        # This user's tools alone.
        for name in os.listdir(copy):
            if name.startswith("state.sqlite"):
                os.unlink(os.path.join(copy, name))
        who, err = verify("--data-dir", copy, faults=[("cut", 5)])
        self.assertEqual(who, user)
        self.assertIn("state.sqlite does not exist", err)
        # Nobody.
        who, err = verify("--data-dir", copy, **nobody)
        self.assertEqual(who, set())
        self.assertIn("compared with nothing", err)
        self.assertIn("--expect-head NUMBER:HEX", err)
        with open(os.path.join(copy, "state.sqlite"), "wb") as state_file:
            state_file.write(b"no database" * 1000)
        who, err = verify("--data-dir", copy, **nobody)
        self.assertEqual(who, set())
        self.assertIn("state.sqlite cannot be read", err)
        self.assertIn("compared with nothing", err)
        # A file by itself may be an older copy: what is known of its end is said, and compared once it is named.
        who, err = verify("--file", path)
        self.assertEqual(who, set())
        self.assertIn("compared with nothing", err)
        head = re.search(r"--expect-head (\d+:[0-9a-f]{64})", err)[1]
        who, err = verify("--file", path, "--expect-head", head, faults=[("cut", 5)])
        self.assertEqual(who, {"caller"})
        self.assertNotIn("compared with nothing", err)

    def test_an_operators_tool_shouts_when_the_log_was_cut_rewritten_or_replaced(self):
        port = str(free_port())
        signer = self.signer()
        signer.start(CONTAINMENT_SERVER__LISTEN_PORT=port)
        signer.init_kms_only()
        memory = os.path.join(signer.folder, ".local/state/containment-chamber/audit-heads")

        def ask():
            err = signer.operator("status", "--auth-token", "env:CC_AUTH_TOKEN")[2]
            with open(memory, encoding="ascii") as text:
                return err, text.read()

        err, first = ask()
        self.assertEqual(err, "")
        self.assertTrue(first.startswith(signer.url + " "), first)
        signer.import_interop(0)
        err, second = ask()
        self.assertEqual(err, "")
        self.assertNotEqual(first, second)
        signer.stop()
        with open(log_path(signer), "rb") as log:
            good = log.read().splitlines(keepends=True)
        # Cut, and the signer state made to forget: nobody but the tool can know.
        for name, lines in {"cut": good[:4], "replaced": []}.items():
            with self.subTest(name):
                with open(log_path(signer), "wb") as log:
                    log.write(b"".join(lines))
                self.forget_head(signer)
                signer.start(CONTAINMENT_SERVER__LISTEN_PORT=port)
                signer.wait_status("unsealed")
                self.assertNotIn("does not hold", signer.log())
                err, kept = ask()
                self.assertIn("WARNING: the audit log of " + signer.url, err)
                self.assertEqual(kept, second, "the old head stays until a person takes it away")
                signer.stop()
        os.unlink(memory)
        signer.start(CONTAINMENT_SERVER__LISTEN_PORT=port)
        self.assertEqual(ask()[0], "")
        # A memory that cannot be kept fails nothing.
        signer.environment["XDG_STATE_HOME"] = "/proc/nowhere"
        self.assertIn("cannot be remembered", signer.operator("status", "--auth-token", "env:CC_AUTH_TOKEN")[2])

    def forget_head(self, signer):
        import sqlite3
        with sqlite3.connect(os.path.join(signer.data, "state.sqlite")) as state:
            (table,) = [name for (name,) in state.execute("select name from sqlite_master where type = 'table' and sql like '%content%'")]
            self.assertEqual(state.execute(f"delete from {table} where name = 'audit-head'").rowcount, 1)
        state.close()

    def test_the_proof_is_for_whoever_remembers_a_head(self):
        signer = self.signer()
        signer.start()
        signer.init_kms_only()
        first = entries(signer)[1]
        proof = signer.request("GET", f"/api/v1/audit/proof?from=2:{first['head']}")
        at = bytes.fromhex(first["head"])
        for value in proof.json()["hashes"]:
            at = audit_verify.next_head(at, bytes.fromhex(value))
        self.assertEqual(at.hex(), entries(signer)[1 + len(proof.json()["hashes"])]["head"])
        for query, status in {
            "": 400, "?from=": 400, "?from=2": 400, "?from=2:00": 400, "?from=x:" + "0" * 64: 400,
            "?from=2:" + "0" * 64: 409, "?from=999:" + "0" * 64: 404, "?from=0:" + "0" * 64: 401,
        }.items():
            self.assertEqual(signer.request("GET", "/api/v1/audit/proof" + query).status, status, query)
        self.assertEqual(signer.request("GET", "/api/v1/audit/proof?from=0:" + "0" * 64, token="CC_AUTH_TOKEN").status, 200)
        self.assertEqual(signer.request("GET", "/api/v1/audit/head").status, 401)
        self.assertEqual(signer.request("GET", "/api/v1/audit/head", token="CC_AUTH_TOKEN").status, 200)

    def test_a_flood_of_strangers_is_summed_up(self):
        signer = self.signer()
        signer.start()
        signer.init_kms_only()
        for _ in range(400):
            self.assertEqual(signer.request("POST", "/api/v1/chamber/seal", token="a-token-nobody-gave-out").status, 401)
        signer.stop()
        self.assertLess(len(told(signer, "seal", "refused")), 390)
        self.assertEqual(len(told(signer, "seal", "refused")) + sum(e["count"] for e in told(signer, "left_out")), 400)
        self.assertEqual(self.verify(signer), [])

    def test_a_flood_in_the_name_of_an_operator_is_summed_up_too(self):
        signer, _ = self.unsealed_by_quorum()
        for _ in range(300):
            self.assertIn(signer.request("POST", "/api/v1/chamber/drill", {"operator": "alice"}).status, (400, 429))
        signer.stop()
        asked, refused = told(signer, "drill", "asked"), told(signer, "drill", "refused")
        self.assertLess(len(asked) + len(refused), 400)
        self.assertEqual(len(asked) + len(refused) + sum(e["count"] for e in told(signer, "left_out")), 600)
        self.assertEqual(entries(signer)[-1]["event"], "stopped", "nothing stands behind what is remembered")

    def test_changed_policies_are_told_and_their_tokens_are_not(self):
        signer = self.signer()
        signer.start()
        signer.restart()
        self.assertEqual(len(told(signer, "policies")), 1, "nothing changed")
        with open(signer.config, encoding="utf-8") as text:
            config = text.read()
        with open(signer.config, "w", encoding="utf-8") as text:
            text.write(config.replace("chamber_rotate, chamber_status]", "chamber_status]"))
        signer.restart()
        signer.stop()
        self.assertEqual(len({e["digest"] for e in told(signer, "policies")}), 2)

    def test_commands_on_the_stores_of_a_stopped_signer_are_told(self):
        signer = self.signer()
        signer.start()
        signer.init_kms_only()
        pubkey = signer.import_interop(0)[0]
        signer.stop()
        signer.run("slashing", "watermark", "--config", signer.config, "--block-slot", "77")
        signer.run("slashing", "allow-empty-history", "--config", signer.config, "--pubkey", pubkey)
        exported = os.path.join(signer.folder, "history.json")
        signer.run("slashing", "export", "--config", signer.config, "--out", exported)
        signer.run("slashing", "import", "--config", signer.config, exported)
        who = f"local:uid-{os.getuid()}"
        for event in ("slashing_watermark", "slashing_empty_history", "slashing_import"):
            self.assertEqual([(e["outcome"], e["by"]) for e in told(signer, event)], [("asked", who), ("done", who)], event)
        self.assertEqual(told(signer, "slashing_watermark")[1]["remark"], "block_slot 77")
        with open(exported, "rb") as text:
            self.assertEqual(told(signer, "slashing_import")[1]["digest"], hashlib.sha256(text.read()).hexdigest())
        signer.start()
        signer.wait_status("unsealed")
        self.assertEqual(self.verify(signer), [])

    def test_show_prints_entries(self):
        signer = self.signer()
        signer.start()
        signer.init_kms_only()
        shown = json.loads(signer.run("audit", "show", "--data-dir", signer.data)[1])["entries"]
        self.assertEqual(shown, entries(signer))
        lines = signer.run("audit", "show", "--data-dir", signer.data, "--output", "text", "--event", "init")[1].splitlines()
        self.assertEqual(len(lines), 2)
        self.assertIn("init done by setup-token", lines[1])
        self.assertEqual(len(json.loads(signer.run("audit", "show", "--data-dir", signer.data, "--from", "2", "--to", "3")[1])["entries"]), 2)
        self.assertEqual(signer.run("audit", "show", "--data-dir", signer.data, "--event", "nothing", check=False)[0], 2)
        self.assertEqual(signer.run("audit", "show", "--file", "/no/such/file", check=False)[0], 6)
        self.assertEqual(signer.run("audit", "verify", "--data-dir", signer.data, "--expect-head", "x", check=False)[0], 2)


if __name__ == "__main__":
    unittest.main(verbosity=1)
