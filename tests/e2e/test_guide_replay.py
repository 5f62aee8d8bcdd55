"""The operations guide replayed word for word: each command is taken from the guide's own text (guide_text.py) and run by a shell, at a terminal where it
prompts, against http://localhost:9000 and the guide's ARNs, which dev-kms answers. Every reply is held against the one the guide prints.

For the guide's port the test moves into a network of its own, where port 9000 is free. The YubiKey is made of software (virtual_yubikey.py) behind the
real smart-card service. Nothing of the guide may be left over. The stores are SQLite; the same ceremonies over DynamoDB are in test_dynamodb.
"""
import ctypes
import fcntl
import http.client
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

import virtual_yubikey
from aws_harness import DevKms
from harness import BINARY, Reply, attestation, interop_secret
from guide_text import Guide
from terminal import Terminal

ARN = "arn:aws:kms:{}:key/{}"
REGIONS = ("us-east-1:111111111111", "eu-west-1:222222222222", "ap-southeast-1:333333333333")
ARNS = [ARN.format(region, name) for region, name in zip(REGIONS, ("aaa...", "bbb...", "ccc..."))]
NEW_ARNS = [ARN.format(region, name) for region, name in zip(REGIONS, ("new-aaa...", "new-bbb..."))]
# Passphrases the guide itself names where it names some.
STDIN_PASSPHRASE = "my-secure-passphrase-here"
TOKENS = {"AUTH_TOKEN": "my-operator-token-here", "CC_AUTH_TOKEN": "my-operator-token-here", "SIGNING_TOKEN": "signing-token-0000001",
          "KEY_MANAGER_TOKEN": "key-manager-token-001"}
# How the guide's settings are nested; the guide's own lines are what is compared.
INDENT = {"auth_policies": 0, "key_sources": 0, "signing-client": 2, "ops-team": 2, "key-manager": 2, "dynamodb": 2, "token": 4, "allowed_scopes": 4,
          "unseal_timeout_minutes": 4}


def enter_own_network():
    """A network namespace with nothing but its loopback: port 9000 is free there, whoever else tests on this machine."""
    CLONE_NEWNET, CLONE_NEWUSER = 0x40000000, 0x10000000
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWNET) != 0:
        if libc.unshare(CLONE_NEWNET | CLONE_NEWUSER) != 0:
            return False
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as out:
                out.write(text)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: up, running
    return True


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def setUpModule():
    if not enter_own_network() and not (is_free(9000) and is_free(3000)):
        raise AssertionError("the guide's signer listens on port 9000 (and 3000 for metrics); something else has them, and no network of its own is allowed here")


def nested(block):
    """A block of the guide's settings as YAML: its lines as they are, indented."""
    out, depth = [], 0
    for line in block:
        if not line.startswith("- "):
            depth = INDENT[line.split(":")[0]]
        out.append(" " * (depth + (2 if line.startswith("- ") else 0)) + line)
    return "\n".join(out) + "\n"


class Replay(unittest.TestCase):
    """A folder with config.yaml, the program on the PATH, dev-kms with the guide's ARNs, and the guide."""

    guide = Guide()

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cc-guide-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        os.mkdir(os.path.join(self.folder, "bin"))
        os.symlink(BINARY, os.path.join(self.folder, "bin", "containment-chamber"))
        self.environment = {**os.environ, **TOKENS, "HOME": self.folder, "PATH": os.path.join(self.folder, "bin") + ":" + os.environ["PATH"],
                            "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nonexistent"}
        self.start_kms()
        with open(os.path.join(self.folder, "config.yaml"), "w", encoding="utf-8") as out:
            # The settings are the guide's: its policies, and its timeout for collected shares.
            out.write(nested(self.guide.config[2]) + nested(self.guide.config[1]))
            out.write(f"data_dir: {self.folder}/data\n")
        self.server = None
        self.addCleanup(self.stop)
        desk = os.path.join(self.folder, "desk")
        os.mkdir(desk)
        self.desk = virtual_yubikey.Desk(desk)
        self.addCleanup(self.desk.close)
        self.environment.update(self.desk.environment)

    def start_kms(self):
        self.kms = DevKms(ARNS + NEW_ARNS).start()
        self.addCleanup(self.kms.close)
        self.environment.update(self.kms.environment)

    # ---- the server, started by the guide's own command
    def start(self, command):
        self.start_command = command
        log = os.path.join(self.folder, "log")
        with open(log, "w", encoding="utf-8") as out:
            self.server = subprocess.Popen(["bash", "-c", command.text], cwd=self.folder, env=self.environment, stdout=out, stderr=out, start_new_session=True)
        end = time.monotonic() + 60
        while self.log().count("listening") < 2:
            if self.server.poll() is not None or time.monotonic() > end:
                raise AssertionError("the signer does not start:\n" + self.log())
            time.sleep(0.05)

    def stop(self):
        if self.server and self.server.poll() is None:
            os.killpg(self.server.pid, signal.SIGTERM)
            self.server.wait(timeout=60)

    def restart(self):
        self.stop()
        self.start(self.start_command)

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8") as text:
            return text.read()

    def setup_token(self):
        """Saved from the log, by the line the guide shows."""
        shown = self.guide.logs[0].split("cc-setup-")[0]
        pattern = r"\s+".join(re.escape(word) for word in shown.split()) + r"(cc-setup-[\w-]{43})\b"
        found = re.findall(pattern, self.log())
        self.assertTrue(found, f"no line like {self.guide.logs[0]!r} in:\n{self.log()}")
        return found[-1]

    def request(self, method, path, body=None, token=None):
        connection = http.client.HTTPConnection("localhost", 9000, timeout=120)
        try:
            head = {"Content-Type": "application/json", **({"Authorization": "Bearer " + TOKENS[token]} if token else {})}
            connection.request(method, path, body=body if body is None or isinstance(body, str) else json.dumps(body), headers=head)
            answer = connection.getresponse()
            return Reply(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    # ---- the commands of the guide
    def run_command(self, command, typed=(), check=0, **variables):
        """Runs a command of the guide as it stands there; what it prompts for is typed. Returns (stdout, what the terminal showed)."""
        environment = {**self.environment, **variables}
        if not typed:
            done = subprocess.run(["bash", "-c", command.text], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300,
                                  stdin=subprocess.DEVNULL, start_new_session=True)
            self.assertEqual(done.returncode, check, f"{command}\n{done.stderr}")
            return done.stdout, done.stderr
        with Terminal(["bash", "-c", command.text], environment, self.folder) as terminal:
            for answer in typed:
                terminal.expect(": ")
                terminal.type(answer)
            code = terminal.end()
            self.assertEqual(code, check, f"{command}\n{terminal.shown}")
            for answer in typed:
                self.assertNotIn(answer, terminal.shown)
            begin = terminal.shown.find("{")
            return terminal.shown[begin:] if begin != -1 else "", terminal.shown

    def same(self, printed, got, more=()):
        """As the guide prints it: the same fields in the same order; tokens and numbers of validators are what varies. `more`: fields of which ours may hold more."""
        def compare(guide, ours, path):
            if isinstance(guide, dict):
                self.assertIsInstance(ours, dict, path)
                keys = list(ours)[:len(guide)] if path in more else list(ours)
                self.assertEqual(keys, list(guide), f"at {path or 'the top'} of {printed}")
                for name in guide:
                    compare(guide[name], ours[name], f"{path}.{name}" if path else name)
            elif isinstance(guide, str) and guide.endswith("..."):
                prefix = re.match(r"cc-reg-", guide).group(0)
                self.assertRegex(ours, "^" + prefix + r"[\w-]{43}$")
            else:
                self.assertEqual(ours, guide, path)
        compare(json.loads(printed), json.loads(got), "")
        if "\n" not in printed and not more:
            self.assertEqual(got.strip().splitlines()[0], printed)

    def wait_for(self, state):
        """As the guide says to: look at the status, wait a moment, look again."""
        looked = next(one for one in self.guide.commands if "operator status" in one.text)
        end = time.monotonic() + 90
        seen = None
        while time.monotonic() < end:
            seen = json.loads(self.run_command(looked)[0])["seal"]["status"]
            if seen == state:
                return
            time.sleep(0.1)
        raise AssertionError(f"{seen}, not {state}:\n{self.log()}")

    def signs(self):
        self.epoch = getattr(self, "epoch", 10) + 1
        return self.request("POST", "/api/v1/eth2/sign/" + self.pubkey, attestation(self.epoch - 1, self.epoch), "SIGNING_TOKEN")

    def import_42(self):
        items = {"keys": [{"private_key": interop_secret(i)} for i in range(42)], "storage": {"persist": True}}
        reply = self.request("POST", "/api/v1/chamber/keys", items, "KEY_MANAGER_TOKEN")
        self.assertEqual(reply.status, 200, reply)
        self.pubkey = reply.json()["data"][0]["pubkey"]


class TheGuide(Replay):
    """One test, in the guide's order: what one part leaves behind is what the next begins with."""

    def test_every_command_and_every_reply(self):
        self.first_boot_kms_only()
        self.start_over_with_operators()
        self.first_boot_with_operators()
        self.unseal_after_a_restart()
        self.credentials()
        self.emergency_seal()
        self.rotate_kms()
        self.rotate_operators()
        self.rotate_mode()
        self.tokens_from_the_environment()
        self.troubleshooting()
        self.credentials_over_http()
        left = [one for one in self.guide.commands if not one.used]
        self.assertEqual(left, [], "of the guide, not replayed")

    # ---- first boot
    def first_boot_kms_only(self):
        self.assertEqual(self.guide.config[0], self.guide.config[2][:len(self.guide.config[0])])
        self.start(self.guide.command("--config config.yaml"))
        token = self.setup_token()
        status = self.guide.command("operator status")
        self.same(status.printed[0], self.run_command(status)[0], more=("seal",))
        # Made anew at every start, kept nowhere.
        self.restart()
        self.assertNotEqual(self.setup_token(), token)
        for found in (os.path.join(at, name) for at, _, names in os.walk(os.path.join(self.folder, "data")) for name in names):
            with open(found, "rb") as data:
                self.assertNotIn(token.encode(), data.read(), found)
        # A chamber that was just made has no validators yet: the one number that differs. Later replies are the guide's to the number.
        init = self.guide.command("operator init", "ccc...")
        self.same(init.printed[0].replace("42", "0"), self.run_command(init, SETUP_TOKEN=self.setup_token())[0])
        self.import_42()
        # Every later start opens by itself, and one region may be missing.
        self.kms.fault("timeout", ARNS[1], 1, "Decrypt")
        self.restart()
        self.wait_for("unsealed")
        self.assertEqual(self.signs().status, 200)
        self.assertNotIn("cc-setup-", self.log())
        # A second init is refused.
        code = self.run_command(init, check=4, SETUP_TOKEN="cc-setup-" + "A" * 43)[1]
        self.assertIn("already initialized", code)

    def start_over_with_operators(self):
        self.stop()
        shutil.rmtree(os.path.join(self.folder, "data"))

    def first_boot_with_operators(self):
        self.start(self.guide.command("--config config.yaml"))
        status = next(one for one in self.guide.commands if "operator status" in one.text)
        self.same(status.printed[0], self.run_command(status)[0], more=("seal",))
        setup = self.setup_token()
        init = self.guide.command("operator init", "--unseal-threshold 2")
        first = self.run_command(init, SETUP_TOKEN=setup)[0]
        self.same(init.printed[0], first)
        # A token leaked: everything is cancelled, with fresh tokens after.
        reset = self.guide.command("operator init-reset")
        self.run_command(reset, SETUP_TOKEN=setup)
        self.wait_for("uninitialized")
        self.assertNotEqual(self.setup_token(), setup)
        setup = self.setup_token()
        second = self.run_command(init, SETUP_TOKEN=setup)[0]
        self.same(init.printed[0], second)
        self.assertFalse(set(json.loads(first)["operator_tokens"].values()) & set(json.loads(second)["operator_tokens"].values()))
        tokens = json.loads(second)["operator_tokens"]

        register = self.guide.command("operator register", "--operator alice")
        void = json.loads(first)["operator_tokens"]["alice"]
        self.run_command(register, ["my-current-passphrase"] * 2, check=3, ALICE_TOKEN=void)
        said = self.run_command(register, ["tiny pass"], check=2, ALICE_TOKEN=tokens["alice"])[1]
        self.assertIn("passphrase too short", said)
        self.same(register.printed[0], self.run_command(register, ["my-current-passphrase"] * 2, ALICE_TOKEN=tokens["alice"])[0])
        self.wait_for("awaiting_registration")
        # Bob and Carol do as Alice did; the other flag that takes a token from the environment, and a passphrase from stdin.
        for name, printed in (("bob", None), ("carol", register.printed[1])):
            text = register.text.replace("alice", name).replace('"$ALICE_TOKEN"', '"env:THEIR_TOKEN"')
            text = re.sub(r"\n#.*", "", text) + " --passphrase-stdin"
            done = subprocess.run(["bash", "-c", text], env={**self.environment, "THEIR_TOKEN": tokens[name]}, input=f"correct horse battery {name}\n",
                                  capture_output=True, text=True, timeout=300)
            self.assertEqual(done.returncode, 0, done.stderr)
            if printed:
                self.same(printed, done.stdout)
        # There is nothing to reset any more, and the setup token is void.
        self.run_command(reset, check=4, SETUP_TOKEN=setup)

    # ---- unsealing
    def unseal_after_a_restart(self):
        self.wait_for("kms_unsealed")
        unseal = self.guide.command("operator unseal")
        as_bob = type(unseal)(unseal.line, unseal.text.replace("alice", "bob"))
        self.run_command(unseal, ["my-current-passphrase"])
        self.run_command(as_bob, ["correct horse battery bob"])
        self.import_42()
        self.restart()
        status = self.guide.command("operator status", "--auth-token \"$AUTH_TOKEN\" \\")
        self.wait_for("kms_unsealed")
        self.assertEqual(json.loads(self.run_command(status)[0])["seal"]["status"], "kms_unsealed")
        # Any order; a wrong passphrase is refused alone, the shares that came stay.
        refused = self.signs()
        self.assertEqual(refused.status, 503)
        self.assertIn("signer is sealed", refused.text)
        self.same(unseal.printed[0], self.run_command(as_bob, ["correct horse battery bob"])[0])
        self.assertIn("wrong passphrase", self.run_command(unseal, ["this is not my passphrase"], check=3)[1])
        self.same(unseal.printed[1], self.run_command(unseal, ["my-current-passphrase"])[0])
        self.assertEqual(self.signs().status, 200)

    # ---- credentials
    def credentials(self):
        add = self.guide.command("credentials add", "--new-credential-id password-2")
        self.run_command(add, ["my-current-passphrase", STDIN_PASSPHRASE, STDIN_PASSPHRASE])
        # The guide removes a credential named old-password.
        old = add.text.replace("password-2", "old-password")
        self.run_command(type(add)(add.line, old), ["my-current-passphrase", "the passphrase of old times", "the passphrase of old times"])
        remove = self.guide.command("credentials remove")
        self.run_command(remove, ["my-current-passphrase"])
        listing = self.guide.command("credentials list")
        # The guide adds the YubiKey in two places; in between it is removed again.
        self.desk.plug(bytes(range(20)))
        yubikey = self.guide.command("--operator alice", "--yubikey")
        self.run_command(yubikey, ["my-current-passphrase"])
        gone = remove.text.replace("old-password", "yubikey-1")
        self.run_command(type(remove)(remove.line, gone), ["my-current-passphrase"])
        self.run_command(self.guide.command("--operator alice", "--yubikey"), ["my-current-passphrase"])
        second = remove.text.replace("old-password", "password-2")
        self.run_command(type(remove)(remove.line, second), ["my-current-passphrase"])
        self.same(listing.printed[0], self.run_command(listing)[0])
        # The second credential opens as well as the first: the server tries all of them.
        self.run_command(add, ["my-current-passphrase", STDIN_PASSPHRASE, STDIN_PASSPHRASE])
        self.restart()
        self.wait_for("kms_unsealed")
        echo = self.guide.command("echo", "operator unseal")
        self.assertEqual(json.loads(self.run_command(echo)[0]), {"shares_received": 1, "shares_required": 2})
        unseal = next(one for one in self.guide.commands if "operator unseal \\" in one.text)
        self.run_command(type(unseal)(unseal.line, unseal.text.replace("alice", "carol")), ["correct horse battery carol"])
        self.wait_for("unsealed")

    # ---- seal
    def emergency_seal(self):
        seal = self.guide.command("operator seal")
        self.same(seal.printed[0], self.run_command(seal)[0])
        self.assertEqual(self.signs().status, 503)
        self.restart()
        self.wait_for("kms_unsealed")
        self.open_again()

    def open_again(self):
        unseal = next(one for one in self.guide.commands if "operator unseal \\" in one.text)
        for name, passphrase in (("alice", "my-current-passphrase"), ("bob", "correct horse battery bob")):
            self.run_command(type(unseal)(unseal.line, unseal.text.replace("alice", name)), [passphrase])
        self.wait_for("unsealed")

    # ---- rotations
    def rotate_kms(self):
        rotate = self.guide.command("operator rotate kms")
        # One new key that fails: refused, nothing changed, signing goes on.
        self.kms.fault("denied", NEW_ARNS[1], 1, "Encrypt")
        self.assertIn("kms_denied", self.run_command(rotate, check=5)[1])
        self.assertEqual(self.signs().status, 200)
        self.same(rotate.printed[0], self.run_command(rotate)[0])
        self.assertEqual(self.signs().status, 200)

    def rotate_operators(self):
        rotate = self.guide.command("operator rotate unseal \\")
        first = self.run_command(rotate)[0]
        self.same(rotate.printed[0], first)
        self.wait_for("awaiting_rotation")
        self.assertEqual(self.signs().status, 200)
        cancel = self.guide.command("rotate unseal-cancel")
        self.assertEqual(json.loads(self.run_command(cancel)[0])["status"], "unsealed")
        register = self.guide.command("operator register", "--operator dave", "# Prompts")
        passphrase = "correct horse battery dave"
        self.run_command(register, [passphrase] * 2, check=3, DAVE_TOKEN=json.loads(first)["operator_tokens"]["dave"])
        # Again, Dave without a name for his credential, then the whole round.
        tokens = json.loads(self.run_command(rotate)[0])["operator_tokens"]
        self.assertEqual(json.loads(self.run_command(register, [passphrase] * 2, DAVE_TOKEN=tokens["dave"])[0]), {"registered": 1, "remaining": 2})
        self.run_command(cancel)
        # With --credential-id, and one more credential right after, while the others still register.
        tokens = json.loads(self.run_command(rotate)[0])["operator_tokens"]
        named = self.guide.command("# Initial registration during rotation")
        self.assertEqual(json.loads(self.run_command(named, [passphrase] * 2, DAVE_TOKEN=tokens["dave"])[0]), {"registered": 1, "remaining": 2})
        add = next(one for one in self.guide.commands if "--new-credential-id password-2" in one.text)
        as_dave = type(add)(add.line, add.text.replace("alice", "dave"))
        self.run_command(as_dave, [passphrase, "a second one of dave", "a second one of dave"])
        self.run_command(self.guide.command("--operator dave", "--yubikey"), [passphrase])
        for name in ("eve", "frank"):
            self.assertEqual(self.signs().status, 200)
            text = named.text.replace("dave", name).replace("DAVE", name.upper())
            self.run_command(type(named)(named.line, text), ["correct horse battery " + name] * 2, **{name.upper() + "_TOKEN": tokens[name]})
        self.wait_for("unsealed")
        self.assertEqual(self.signs().status, 200)
        unseal = next(one for one in self.guide.commands if "operator unseal \\" in one.text)
        self.restart()
        self.wait_for("kms_unsealed")
        self.run_command(unseal, ["my-current-passphrase"], check=3)  # Alice is replaced
        for name in ("frank", "dave"):
            self.run_command(type(unseal)(unseal.line, unseal.text.replace("alice", name)), ["correct horse battery " + name])
        self.wait_for("unsealed")

    def rotate_mode(self):
        """From kms_only to unseal, without a restart."""
        self.stop()
        shutil.rmtree(os.path.join(self.folder, "data"))
        self.restart()
        init = next(one for one in self.guide.commands if "operator init \\" in one.text and "ccc..." in one.text)
        self.run_command(init, SETUP_TOKEN=self.setup_token())
        self.import_42()
        self.epoch = 1000
        mode = self.guide.command("operator rotate mode")
        reply = json.loads(self.run_command(mode)[0])
        self.assertEqual((reply["status"], list(reply["operator_tokens"])), ("awaiting_rotation", ["alice", "bob", "carol"]))
        register = next(one for one in self.guide.commands if "--operator alice" in one.text and "operator register" in one.text)
        for name in reply["operator_tokens"]:
            self.wait_for("awaiting_rotation")
            self.assertEqual(self.signs().status, 200)
            text = register.text.replace("alice", name)
            passphrase = "my-current-passphrase" if name == "alice" else "correct horse battery " + name
            self.run_command(type(register)(register.line, text), [passphrase] * 2, ALICE_TOKEN=reply["operator_tokens"][name])
        self.wait_for("unsealed")
        self.restart()
        self.wait_for("kms_unsealed")
        self.open_again()

    # ---- the rest
    def tokens_from_the_environment(self):
        exported = self.guide.command("export CC_AUTH_TOKEN")
        self.assertEqual(json.loads(self.run_command(exported, CC_AUTH_TOKEN="")[0])["seal"]["status"], "unsealed")

    def troubleshooting(self):
        status = self.guide.command("operator status --auth-token")
        self.assertEqual(json.loads(self.run_command(status)[0])["seal"]["status"], "unsealed")
        # Without the policy's token the commands are turned away.
        self.assertIn("unauthorized", self.run_command(status, check=3, AUTH_TOKEN="not-a-token-of-anybody")[1])
        wrong = next(one for one in self.guide.commands if "rotate kms" in one.text)
        wrong = type(wrong)(wrong.line, wrong.text.replace("arn:aws:kms:us-east-1:", "arn:aws:kms::"))
        self.assertIn("invalid KMS ARN", self.run_command(wrong, check=2)[1])
        debug = self.guide.command("RUST_LOG=containment_chamber=debug")
        self.stop()
        self.start(debug)
        self.wait_for("kms_unsealed")
        # More than at the usual level, and of what the guide looks for: which KEK answers how.
        for arn in ARNS[:2]:
            self.assertRegex(self.log(), r"(?m)^\S+ DEBUG .*kek=" + re.escape(arn) + " outcome=opened")
        self.open_again()

    def credentials_over_http(self):
        add, remove, listing = self.guide.http
        body, reply = add["bodies"]
        # The guide adds password-2 and removes old-password.
        made = self.request(*add["request"].split(" "), body=body)
        self.assertEqual(made.status, 200, made)
        self.same(reply, made.text)
        old = self.request(*add["request"].split(" "), body=body.replace("password-2", "old-password"))
        self.assertEqual(old.status, 200, old)
        body, reply = remove["bodies"]
        gone = self.request(*remove["request"].split(" "), body=body)
        self.assertEqual(gone.status, 200, gone)
        self.same(reply, gone.text)
        gone = self.request("DELETE", "/api/v1/chamber/unseal/credentials", body.replace("old-password", "password-2"))
        self.assertEqual(gone.status, 200, gone)
        last = self.request("DELETE", "/api/v1/chamber/unseal/credentials", body.replace("old-password", "password-1"))
        self.assertEqual((last.status, last.json()["code"]), (409, "last_credential"))
        extra = add["bodies"][0].replace("password-2", "yubikey-1")
        self.assertEqual(self.request("POST", "/api/v1/chamber/unseal/credentials", extra).status, 200)
        listed = self.request(*listing["request"].split(" "))
        self.assertEqual(listed.status, 200)
        self.same(listing["bodies"][0], listed.text)


class Detector(Replay):
    """The comparison finds what it is for."""

    def setUp(self):
        pass

    def test_a_planted_difference_is_found(self):
        printed = '{"status": "unsealed", "validators_loaded": 42}'
        self.same(printed, printed)
        for other in ('{"status": "unsealed", "validators_loaded": 41}', '{"validators_loaded": 42, "status": "unsealed"}', '{"status": "unsealed"}',
                      '{"status": "unsealed", "validators_loaded": 42, "more": 1}', '{"status":"unsealed","validators_loaded":42}'):
            with self.assertRaises(AssertionError, msg=other):
                self.same(printed, other)
        with self.assertRaises(AssertionError):
            self.same('{\n"alice": "cc-reg-A1b2..."\n}', '{"alice": "cc-reg-short"}')

    def test_a_command_that_nobody_runs_is_left_over(self):
        guide = Guide()
        count = len(guide.commands)
        while True:
            try:
                guide.command("containment-chamber")
            except AssertionError:
                break
        self.assertEqual(sum(one.used for one in guide.commands), count, "each is taken once")


if __name__ == "__main__":
    unittest.main(verbosity=1)
