"""Runs the real binary as its users do: a server process on loopback, the command line beside it, plain HTTP requests.

Nothing here knows the program's insides. Standard library only.
"""
import copy
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

BINARY = os.environ["CC_BINARY"]
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VECTORS = os.path.join(SOURCE, "tests", "vectors", "lodestar")
TOKENS = {
    "SIGNING_TOKEN": "signing-token-0000001",
    "CC_AUTH_TOKEN": "operations-token-0001",
    "KEY_MANAGER_TOKEN": "key-manager-token-001",
}
POLICIES = """
auth_policies:
  signing-client:
    token: "env:SIGNING_TOKEN"
    allowed_scopes: [sign, public_keys]
  ops-team:
    token: "env:CC_AUTH_TOKEN"
    allowed_scopes: [chamber_seal, chamber_rotate, chamber_status]
  key-manager:
    token: "env:KEY_MANAGER_TOKEN"
    allowed_scopes: [chamber_keys_generate, chamber_keys_write, chamber_keys_list, chamber_keys_delete]
"""
R = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
# Scrypt-hard passphrases make slow tests; the program's Argon2id setting is fixed, so quorum tests use few operators.
PASSPHRASE = "correct horse battery {}"


def interop_secret(index):
    """The public interop test key with this index, as 0x text (facts: little-endian sha256 modulo the group order)."""
    import hashlib

    digest = hashlib.sha256(index.to_bytes(32, "little")).digest()
    return "0x%064x" % (int.from_bytes(digest, "little") % R)


class Reply:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.text = body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.text)

    def __repr__(self):
        return f"{self.status} {self.text[:300]}"


class Signer:
    """One data directory and the server process that serves it."""

    def __init__(self, network="mainnet", policies=POLICIES, extra="", environment=None):
        self.folder = tempfile.mkdtemp(prefix="cc-e2e-")
        self.data = os.path.join(self.folder, "data")
        self.config = os.path.join(self.folder, "config.yaml")
        # No test asks a real AWS: what is not set up otherwise ends at a port nobody listens on.
        nowhere = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
        self.environment = {**os.environ, **TOKENS, **nowhere, "HOME": self.folder, **(environment or {})}
        self.process = None
        self.port = self.metrics_port = None
        with open(self.config, "w", encoding="utf-8") as out:
            out.write(f"data_dir: {self.data}\nnetwork: {network}\nserver:\n  listen_port: 0\nmetrics:\n  listen_port: 0\n")
            out.write(policies + extra)

    @property
    def log_path(self):
        return os.path.join(self.folder, "log")

    def log(self):
        with open(self.log_path, encoding="utf-8") as text:
            return text.read()

    def start(self, preload=None, wait=True, **environment):
        env = {**self.environment, **environment}
        if preload:
            env["LD_PRELOAD"] = preload
        with open(self.log_path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([BINARY, "--config", self.config], stdout=log, stderr=log, env=env)
        return self.wait_listening() if wait else self

    def wait_listening(self, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = dict(re.findall(r"listening.* listener=(\w+).* port=(\d+)", self.log()))
            if "api" in found and "metrics" in found:
                self.port, self.metrics_port = int(found["api"]), int(found["metrics"])
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"the signer does not listen (exit {self.process.poll()}):\n{self.log()}")

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        return self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def restart(self):
        self.stop()
        return self.start()

    def close(self):
        if self.process:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self):
        return f"http://localhost:{self.port}"

    def setup_token(self):
        return re.findall(r"setup_token=(cc-setup-[\w-]+)", self.log())[-1]

    # ---- HTTP
    def request(self, method, path, body=None, token=None, headers=None, port=None, timeout=60):
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=timeout)
        try:
            head = {"Accept": "application/json", **(headers or {})}
            if token:
                head["Authorization"] = f"Bearer {TOKENS.get(token, token)}"
            if isinstance(body, (dict, list)):
                body = json.dumps(body)
                head.setdefault("Content-Type", "application/json")
            connection.request(method, path, body=body, headers=head)
            answer = connection.getresponse()
            return Reply(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def sign(self, pubkey, body, headers=None, token="SIGNING_TOKEN"):
        return self.request("POST", f"/api/v1/eth2/sign/{pubkey}", body, token, headers)

    def status(self):
        return self.request("GET", "/api/v1/chamber/status", token="CC_AUTH_TOKEN").json()["seal"]["status"]

    def wait_status(self, wanted, seconds=30):
        end = time.monotonic() + seconds
        seen = None
        while time.monotonic() < end:
            seen = self.status()
            if seen == wanted:
                return seen
            time.sleep(0.03)
        raise AssertionError(f"status is {seen}, not {wanted}:\n{self.log()}")

    def metrics(self):
        return self.request("GET", "/metrics", port=self.metrics_port).text

    # ---- command line
    def run(self, *arguments, stdin=None, check=True):
        """One command; returns (exit code, stdout, stderr)."""
        done = subprocess.run([BINARY, *arguments], input=stdin, capture_output=True, text=True, env=self.environment, timeout=120)
        if check and done.returncode != 0:
            raise AssertionError(f"{arguments}: exit {done.returncode}\n{done.stderr}\n--- log\n{self.log()}")
        return done.returncode, done.stdout, done.stderr

    def operator(self, *arguments, stdin=None, check=True):
        return self.run("operator", *arguments, "--signer-url", self.url, stdin=stdin, check=check)

    # ---- whole ceremonies
    def init_kms_only(self, keks=("local://one", "local://two"), threshold=2):
        out = self.operator("init", "--setup-token", self.setup_token(), "--kms-key-arns", ",".join(keks), "--kms-threshold", str(threshold))[1]
        return json.loads(out)

    def init_quorum(self, operators=("alice", "bob", "carol"), threshold=2, keks=("local://one",)):
        out = self.operator("init", "--setup-token", self.setup_token(), "--kms-key-arns", ",".join(keks), "--kms-threshold", str(len(keks)),
                            "--unseal-threshold", str(threshold), "--operators", ",".join(operators))[1]
        return json.loads(out)

    def enrolled(self, operators=("alice",), threshold=1, **options):
        """A chamber whose operators have all registered; its KEKs are asked until they answer."""
        for name, token in self.init_quorum(operators, threshold, **options)["operator_tokens"].items():
            self.register(name, token)
        self.wait_status("kms_unsealed")
        return self

    def register(self, operator, token, check=True):
        return self.operator("register", "--operator", operator, "--registration-token", token, "--credential-id", "password-1",
                             "--passphrase-stdin", stdin=PASSPHRASE.format(operator) + "\n", check=check)

    def unseal(self, operator, passphrase=None, check=True):
        return self.operator("unseal", "--operator", operator, "--passphrase-stdin", stdin=(passphrase or PASSPHRASE.format(operator)) + "\n", check=check)

    def import_interop(self, *indices):
        items = {"keys": [{"private_key": interop_secret(i)} for i in indices], "storage": {"persist": True}}
        reply = self.request("POST", "/api/v1/chamber/keys", items, "KEY_MANAGER_TOKEN", timeout=300)
        assert reply.status == 200, reply
        return [item["pubkey"] for item in reply.json()["data"]]


class SignerTest(unittest.TestCase):
    """Gives tests a signer that is closed afterwards."""

    def signer(self, **options):
        made = Signer(**options)
        self.addCleanup(made.close)
        return made


# ---- messages
FORK = {
    "fork": {"previous_version": "0x04000000", "current_version": "0x05000000", "epoch": "364032"},
    "genesis_validators_root": "0x4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95",
}


def root(value):
    return "0x%064x" % value


def attestation(source, target, head=16, fork_info=None):
    return {
        "type": "ATTESTATION",
        "fork_info": copy.deepcopy(fork_info or FORK),
        "attestation": {
            "slot": str(target * 32), "index": "0", "beacon_block_root": root(head),
            "source": {"epoch": str(source), "root": root(1)}, "target": {"epoch": str(target), "root": root(2)},
        },
    }


def block(slot, state=5):
    return {
        "type": "BLOCK_V2",
        "fork_info": copy.deepcopy(FORK),
        "beacon_block": {
            "version": "ELECTRA",
            "block_header": {"slot": str(slot), "proposer_index": "7", "parent_root": root(3), "state_root": root(state), "body_root": root(4)},
        },
    }


def slashable(history):
    """Finds a slashable pair among signed messages: [(pubkey, body)], by EIP-3076's definitions. Independent of the program's rules."""
    by_key = {}
    for pubkey, body in history:
        by_key.setdefault(pubkey, []).append(body)
    for bodies in by_key.values():
        for i, a in enumerate(bodies):
            for b in bodies[i + 1:]:
                if a["type"] == b["type"] == "BLOCK_V2":
                    x, y = a["beacon_block"]["block_header"], b["beacon_block"]["block_header"]
                    if x["slot"] == y["slot"] and x != y:
                        return a, b
                if a["type"] == b["type"] == "ATTESTATION":
                    x, y = a["attestation"], b["attestation"]
                    xs, xt, ys, yt = (int(v["epoch"]) for v in (x["source"], x["target"], y["source"], y["target"]))
                    if (xt == yt and x != y) or (xs < ys and yt < xt) or (ys < xs and xt < yt):
                        return a, b
    return None
