"""KMS outages, one row per kind of failure: each is planted in dev-kms, the real binary meets it at first boot, at a rotation, at starts and while it
signs, and what it then says and does is the page docs/reference/kms-outages.md.

`test_kms_outages.py --write` writes the page; the ordinary run compares, so that page and behaviour cannot part.
"""
import concurrent.futures
import difflib
import json
import os
import re
import sys
import time
import unittest

from aws_harness import ARNS, DevKms
from harness import PASSPHRASE, SOURCE, Signer, attestation

PAGE = os.path.join(SOURCE, "docs", "reference", "kms-outages.md")
# Long enough for a second attempt after one that got no answer (6 s), shorter than the default of 15.
CALL_TIMEOUT = "8"
# (fault of dev-kms, what it stands for, operation that meets it at first boot and rotation)
KINDS = (
    ("denied", "the role may not use the key", "Encrypt"),
    ("disabled", "the key is disabled", "Encrypt"),
    ("pending_deletion", "the key is scheduled for deletion", "Encrypt"),
    ("not_found", "no such key in that region and account", "Encrypt"),
    ("throttled", "the account's quota is used up", "Encrypt"),
    ("internal", "AWS answers with a fault of its own (HTTP 500)", "Encrypt"),
    ("timeout", "no answer comes", "Encrypt"),
    ("unreachable", "nobody listens: network, DNS or endpoint", "Encrypt"),
    ("expired_token", "the role's session ran out and is not renewed", "Encrypt"),
    ("wrong_region", "the endpoint serves another region", "Encrypt"),
    ("corrupted", "the plaintext comes back altered", "Decrypt"),
    ("wrong_key", "another key answers", "Encrypt"),
    ("garbled", "the answer is not KMS's, say a proxy's page", "Encrypt"),
)
# Where only the whole service can fail, the healthy members of the lock are local.
NEAR = ("local://near-1", "local://near-2")


def settle(text):
    """What differs from run to run is named instead."""
    for place, arn in enumerate(ARNS, 1):
        text = text.replace(arn, f"KEK-{place}").replace(arn[:-1] + "0", f"KEK-{place}-ALTERED")
    for place, name in enumerate(NEAR, 1):
        text = text.replace(name, f"KEK-{place}")
    text = re.sub(r"127\.0\.0\.1:\d+|127\.0\.0\.1 port \d+", "127.0.0.1:PORT", text)
    text = re.sub(r"http://localhost:\d+", "SIGNER", text)
    text = re.sub(r"user/[A-Za-z0-9]+", "user/KEY-ID", text)
    text = re.sub(r"after \d+ m(illi)?s(econds)?", "after N ms", text)
    return text.strip()


def log_lines(signer, words):
    """Lines of the log without their time; a line that repeats counts once."""
    found = []
    for line in signer.log().splitlines():
        if any(word in line for word in words):
            line = settle(re.sub(r"^\S+ +", "", line))
            if line not in found:
                found.append(line)
    return found


class Outage:
    """One kind of failure through all situations, with a signer and a KMS of its own."""

    def __init__(self, kind, operation):
        self.kind, self.operation = kind, operation
        self.kms = DevKms().start()
        self.signer = Signer(environment={**self.kms.environment, "CONTAINMENT_AWS__CALL_TIMEOUT_SECONDS": CALL_TIMEOUT})
        self.epoch = 10
        self.row = {}

    def close(self):
        self.signer.close()
        self.kms.close()

    # ---- planting
    def members(self, bad):
        """A lock of three whose last `bad` members will fail."""
        if self.kind == "unreachable":
            return [*NEAR[:3 - bad], *ARNS[3 - bad:]]
        return list(ARNS)

    def plant(self, bad, operation):
        if self.kind == "unreachable":
            self.kms.kill()
            return
        for arn in ARNS[3 - bad:]:
            self.kms.fault(self.kind, key=arn, operation=operation)

    def mend(self):
        if self.kind == "unreachable":
            self.kms.start()
        else:
            self.kms.clear_faults()

    def attempts(self, operation):
        return sum(1 for call in self.kms.calls() if (call["operation"], call["key_id"]) == (operation, ARNS[2]))

    # ---- asking
    def init(self, keks, check=False):
        return self.signer.operator("init", "--setup-token", self.signer.setup_token(), "--kms-key-arns", ",".join(keks), "--kms-threshold", "2", check=check)

    def rotate(self, keks, check=False):
        return self.signer.operator("rotate", "kms", "--auth-token", "env:CC_AUTH_TOKEN", "--kms-key-arns", ",".join(keks), "--kms-threshold", "2", check=check)

    def seal(self):
        return self.signer.request("GET", "/api/v1/chamber/status", token="CC_AUTH_TOKEN").json()["seal"]

    def sign(self):
        self.epoch += 1
        reply = self.signer.sign(self.pubkey, attestation(self.epoch - 1, self.epoch))
        return reply.status

    def wait_log(self, words, seconds=90):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if words in self.signer.log():
                return True
            time.sleep(0.1)
        return False

    # ---- the situations
    def run(self):
        self.signer.start()
        self.at_first_boot()
        self.at_rotation()
        self.at_start_with_a_margin()
        self.at_start_without()
        self.while_signing()
        return self.row

    def at_first_boot(self):
        self.plant(1, self.operation)
        before = 0 if self.kind == "unreachable" else self.attempts(self.operation)
        code, out, err = self.init(self.members(1))
        assert out == "", out
        self.row["init"] = {"exit": code, "said": settle(err), "state": self.seal()["status"]}
        self.mend()
        if self.kind != "unreachable":
            self.row["again"] = self.attempts(self.operation) - before > 1
        self.init(self.members(1), check=True)
        self.pubkey = self.signer.import_interop(0)[0]

    def at_rotation(self):
        epoch = self.seal()["epoch"]
        self.plant(1, self.operation)
        code, out, err = self.rotate(self.members(1))
        assert out == "", out
        after = self.seal()
        assert after["epoch"] == epoch, "a refused rotation must change nothing"
        assert "safe to disable" not in err, err
        self.row["rotate"] = {"exit": code, "said": settle(err), "state": after["status"], "sign": self.sign()}
        self.mend()

    def probed(self, bad):
        """Waits for the probe of a chamber that was just started with `bad` members failing."""
        assert self.wait_log("KEKs do not open their share"), self.signer.log()
        seal = self.seal()
        return {"state": seal["status"], "sign": self.sign(), "kms": settle(json.dumps(seal["kms"])), "log": log_lines(self.signer, ["KEKs do not open"])}

    def at_start_with_a_margin(self):
        self.signer.stop()
        self.plant(1, "Decrypt")
        self.signer.start()
        self.signer.wait_status("unsealed", 90)
        self.row["start_one"] = {"state": "unsealed", "sign": self.sign(), "log": log_lines(self.signer, ["cannot open further"])}
        self.row["probe_one"] = self.probed(1)
        self.mend()
        if self.kind == "unreachable":
            self.rotate(self.members(2), check=True)

    def at_start_without(self):
        self.signer.stop()
        self.plant(2, "Decrypt")
        self.signer.start()
        assert self.wait_log("cannot open further"), self.signer.log()
        seal = self.seal()
        status = self.signer.operator("status", "--auth-token", "env:CC_AUTH_TOKEN", check=False)[0]
        guide = self.signer.operator("guide", "--auth-token", "env:CC_AUTH_TOKEN", check=False)
        self.row["start_two"] = {
            "state": seal["status"], "sign": self.sign(), "trouble": settle(json.dumps(seal["trouble"])), "code": seal["trouble"]["code"],
            "status_exit": status, "guide_exit": guide[0], "log": log_lines(self.signer, ["cannot open further"]),
        }
        self.mend()
        self.signer.wait_status("unsealed", 120)
        self.row["start_two"]["afterwards"] = {"sign": self.sign(), "log": log_lines(self.signer, ["the chamber goes on"])}

    def while_signing(self):
        # The first probe comes ten seconds after the start; on a machine too slow for that, once more.
        for _ in range(3):
            self.signer.restart()
            self.signer.wait_status("unsealed", 90)
            self.plant(2, "Decrypt")
            if self.wait_log("KEKs do not open their share", 60):
                break
            self.mend()
        self.row["probe_two"] = self.probed(2)
        self.mend()


def with_operators():
    """What operators are told while too many KEKs fail."""
    kms = DevKms().start()
    signer = Signer(environment={**kms.environment, "CONTAINMENT_AWS__CALL_TIMEOUT_SECONDS": CALL_TIMEOUT})
    try:
        signer.start()
        signer.enrolled(keks=ARNS[:2])
        signer.stop()
        kms.fault("denied", key=ARNS[1], operation="Decrypt")
        signer.start()
        end = time.monotonic() + 90
        while "cannot open further" not in signer.log() and time.monotonic() < end:
            time.sleep(0.1)
        out = []
        for verb in ("unseal", "drill"):
            code, _, err = signer.operator(verb, "--operator", "alice", "--passphrase-stdin", stdin=PASSPHRASE.format("alice") + "\n", check=False)
            out.append((f"operator {verb}", code, settle(err)))
        kms.clear_faults()
        signer.wait_status("kms_unsealed", 120)
        code, reply, _ = signer.operator("unseal", "--operator", "alice", "--passphrase-stdin", stdin=PASSPHRASE.format("alice") + "\n")
        out.append(("operator unseal, once mended", code, settle(reply)))
        return out
    finally:
        signer.close()
        kms.close()


def observe():
    def one(kind):
        name, _, operation = kind
        outage = Outage(name, operation)
        try:
            return outage.run()
        except BaseException as error:
            raise AssertionError(f"{name}: {error}\n--- log of the signer\n{outage.signer.log()}") from error
        finally:
            outage.close()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        people = pool.submit(with_operators)
        rows = list(pool.map(one, KINDS))
        return rows, people.result()


INTRODUCTION = """# KMS outages

What each failure of a KEK does, and what it does not. This page is written by its test (`tests/e2e/test_kms_outages.py --write`), which plants every
failure in [dev-kms](aws.md#dev-kms) under the real binary; the ordinary run compares, so the page cannot say what the program does not do.

The lock has three KEKs and needs two. *One bad*: one of them fails, which the lock can bear. *Two bad*: one too many. `KEK-n` stands for the ARN (the
healthy members of the row `unreachable` are local KEKs).

* A failure never changes what is stored, never starts a ceremony, and never stops a chamber that is open: the KEKs are needed to open, not to sign.
* Below the threshold the chamber stays `sealed`, says why in status and log, and asks again by itself: after 1 s, then ever more slowly, at the latest
  every 30 s, with jitter. Nobody has to restart it; `operator status` and `operator guide` exit with 0 and show the reason.
* Within one call, faults that pass by themselves are tried again until `aws.call_timeout_seconds` are used up (column *again in the call*).
* A signer that is open asks every KEK ten seconds after its start and every five minutes then, warns when the answer changes, and keeps the
  margin in status (`seal.kms`) and in the metrics. A negative margin means: it signs, but would not open again.
"""



def probe(seen):
    return f"{seen['state']}, signs {seen['sign']}, margin {json.loads(seen['kms'])['margin']}"


def render(rows, people):
    out = [INTRODUCTION, "## At a glance\n",
           "| failure | stands for | code | again in the call | first boot, one bad | `rotate kms`, one bad | start, one bad | start, two bad | "
           "probe, one bad | probe, two bad |", "|---|---|---|---|---|---|---|---|---|---|"]
    for (kind, meaning, _), row in zip(KINDS, rows):
        start = row["start_two"]
        again = "–" if "again" not in row else "yes" if row["again"] else "no"
        out.append(
            f"| `{kind}` | {meaning} | `{start['code']}` | {again} | exit {row['init']['exit']}, {row['init']['state']} | "
            f"exit {row['rotate']['exit']}, {row['rotate']['state']}, signs {row['rotate']['sign']} | {row['start_one']['state']}, signs {row['start_one']['sign']} | "
            f"{start['state']}, signs {start['sign']}; mended: opens by itself | {probe(row['probe_one'])} | {probe(row['probe_two'])} |")
    out.append("\n\"signs\" is the HTTP status of a sign request. A rotation that is refused leaves the KEKs in force and the epoch as they were.\n")
    out.append("## While operators wait (`denied`, two KEKs, both needed)\n")
    out.append("| command | exit | says |")
    out.append("|---|---|---|")
    out += [f"| `{command}` | {code} | `{said}` |" for command, code, said in people]
    out.append("\n## What is said, word by word")
    for (kind, meaning, _), row in zip(KINDS, rows):
        out.append(f"\n### {kind}: {meaning}\n\n```")
        out.append(f"operator init, exit {row['init']['exit']}:\n  {row['init']['said']}")
        out.append(f"operator rotate kms, exit {row['rotate']['exit']}:\n  {row['rotate']['said']}")
        out.append("log at a start, two bad (seal.trouble in status has the same code and reason):")
        out += ["  " + line for line in row["start_two"]["log"] + row["start_two"]["afterwards"]["log"]]
        out.append("log of the probe, one bad, two bad:")
        out += ["  " + line for line in row["probe_one"]["log"] + row["probe_two"]["log"]]
        out.append(f"status after the probe, one bad, two bad (seal.kms):\n  {row['probe_one']['kms']}\n  {row['probe_two']['kms']}\n```")
    return "\n".join(out) + "\n"


class KmsOutages(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.rows, cls.people = observe()

    def test_the_page_is_what_the_program_does(self):
        with open(PAGE, encoding="utf-8") as text:
            written = text.read()
        difference = "\n".join(difflib.unified_diff(written.splitlines(), render(self.rows, self.people).splitlines(), "the page", "the program", lineterm="", n=1))
        self.assertEqual(difference, "", "\nrun tests/e2e/test_kms_outages.py --write, and read what changed")

    def test_a_changed_answer_would_be_found(self):
        changed = [dict(row) for row in self.rows]
        changed[0]["start_two"] = {**changed[0]["start_two"], "code": "kms_throttled"}
        self.assertNotEqual(render(changed, self.people), render(self.rows, self.people))
        people = [(*self.people[0][:2], "something else"), *self.people[1:]]
        self.assertNotEqual(render(self.rows, people), render(self.rows, self.people))

    def test_no_failure_opens_closes_or_changes_what_it_should_not(self):
        """Holds whatever the page says."""
        for (kind, _, _), row in zip(KINDS, self.rows):
            with self.subTest(kind):
                self.assertEqual((row["init"]["exit"], row["init"]["state"]), (5, "uninitialized"))
                self.assertEqual((row["rotate"]["exit"], row["rotate"]["state"], row["rotate"]["sign"]), (5, "unsealed", 200))
                self.assertEqual((row["start_one"]["state"], row["start_one"]["sign"], row["start_one"]["log"]), ("unsealed", 200, []))
                start = row["start_two"]
                self.assertEqual((start["state"], start["sign"], start["status_exit"], start["guide_exit"]), ("sealed", 503, 0, 0))
                self.assertEqual(start["afterwards"]["sign"], 200)
                trouble = json.loads(start["trouble"])
                self.assertIn(f'code={trouble["code"]} reason="{trouble["detail"]}"', start["log"][0].replace('\\"', '"'))
                self.assertTrue(start["log"] and start["afterwards"]["log"])
                for situation, margin in (("probe_one", 0), ("probe_two", -1)):
                    seen = row[situation]
                    self.assertEqual((seen["state"], seen["sign"]), ("unsealed", 200))
                    self.assertEqual(json.loads(seen["kms"])["margin"], margin)
                    self.assertEqual(set(json.loads(seen["kms"])["sick"].values()), {start["code"]})
                # The tools name the KEK and the same code as the status.
                for tool in ("init", "rotate"):
                    self.assertIn(start["code"], row[tool]["said"])
                    self.assertIn("KEK-3", row[tool]["said"])


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        with open(PAGE, "w", encoding="utf-8") as sink:
            sink.write(render(*observe()))
        print(f"wrote {os.path.relpath(PAGE, SOURCE)}")
    else:
        unittest.main(verbosity=1)
