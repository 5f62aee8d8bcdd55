"""The consensus client: installed from npm at the versions of package-lock.json, run as one beacon node and some validator clients.

The beacon node holds no keys. Everything listens on 127.0.0.1. Each process has a folder of its own with its data and its log.
"""
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import network

HERE = os.path.dirname(os.path.abspath(__file__))
MANIFESTS = ("package.json", "package-lock.json")
# Only these are needed natively; the rest has JavaScript fall-backs. Other install scripts would fetch binaries from elsewhere.
NATIVE = ("snappy", "classic-level", "bcrypto")


class Unavailable(Exception):
    """The client cannot be installed here; the text says what to do."""


def install(folder):
    """Installs into FOLDER unless these very manifests are installed there already. Returns the client's entry file."""
    for program in ("node", "npm"):
        if not shutil.which(program):
            raise Unavailable(f"{program} is missing: install Node.js 20 with npm (Debian: apt-get install nodejs npm), then call again")
    wanted = hashlib.sha256()
    for name in MANIFESTS:
        with open(os.path.join(HERE, name), "rb") as manifest:
            wanted.update(manifest.read())
    stamp = os.path.join(folder, "installed")
    if not os.path.exists(stamp) or open(stamp, encoding="utf-8").read() != wanted.hexdigest():
        print("installing the consensus client from npm (once, about three minutes)", flush=True)
        os.makedirs(folder, exist_ok=True)
        for name in MANIFESTS:
            shutil.copy(os.path.join(HERE, name), folder)
        _npm(folder, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        _npm(folder, "rebuild", *NATIVE)
        with open(stamp, "w", encoding="utf-8") as out:
            out.write(wanted.hexdigest())
    return os.path.join(folder, "node_modules", "@chainsafe", "lodestar", "lib", "index.js")


def _npm(folder, *arguments):
    environment = dict(os.environ)
    prefix = os.path.dirname(os.path.dirname(os.path.realpath(shutil.which("node"))))
    if os.path.exists(os.path.join(prefix, "include", "node", "node.h")):
        environment.setdefault("npm_config_nodedir", prefix)  # the headers are here; nothing to download
    log_path = os.path.join(folder, "npm.log")
    with open(log_path, "a", encoding="utf-8") as log:
        done = subprocess.run(["npm", *arguments], cwd=folder, env=environment, stdout=log, stderr=log, check=False)
    if done.returncode != 0:
        raise Unavailable(f"npm {arguments[0]} failed (exit {done.returncode}); its output is in {log_path}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """One running client process; stop() ends it and waits."""

    def __init__(self, entry, folder, arguments):
        os.makedirs(folder)
        self.log_path = os.path.join(folder, "log")
        environment = {**os.environ, "LODESTAR_PRESET": "minimal", "HOME": folder, "NODE_NO_WARNINGS": "1"}
        with open(self.log_path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(["node", entry, *arguments], cwd=folder, stdout=log, stderr=log, env=environment)

    def running(self):
        return self.process.poll() is None

    def stop(self):
        if self.running():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=4)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()

    def log_tail(self, lines=15):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-lines:])


class BeaconNode(Process):
    def __init__(self, entry, folder, validators, genesis_time, seconds_per_slot):
        self.genesis_time, self.seconds_per_slot = genesis_time, seconds_per_slot
        self.port = free_port()
        super().__init__(entry, folder, [
            "dev", "--dataDir", "data", "--genesisValidators", str(validators), "--genesisTime", str(genesis_time),
            "--listenAddress", "127.0.0.1", "--port", str(free_port()), "--discv5", "false",
            "--rest.address", "127.0.0.1", "--rest.port", str(self.port), "--execution.engineMock",
            *network.client_flags(seconds_per_slot)])

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def get(self, path, missing=None):
        """The `data` of a beacon API reply; MISSING for 404."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as reply:
                return json.load(reply)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return missing
            raise

    def wait_ready(self, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.running():
            try:
                return self.get("/eth/v1/node/version")
            except OSError:
                time.sleep(0.2)
        raise AssertionError(f"the beacon node does not answer:\n{self.log_tail()}")

    def clock_slot(self):
        return int((time.time() - self.genesis_time) // self.seconds_per_slot)

    def head_slot(self):
        return int(self.get("/eth/v1/beacon/headers/head")["header"]["message"]["slot"])

    def finalised_epoch(self):
        return int(self.get("/eth/v1/beacon/states/head/finality_checkpoints")["finalized"]["epoch"])


class ValidatorClient(Process):
    """REGISTRATIONS: also registers with a builder, which the mocked engine does not have; the registrations are signed all the same."""

    def __init__(self, entry, folder, beacon, signer_url, graffiti, registrations):
        builder = ["--builder", "--suggestedFeeRecipient", "0x" + "aa" * 20] if registrations else []
        super().__init__(entry, folder, [
            "validator", "--network", "dev", "--dataDir", "data", "--beaconNodes", beacon.url, "--graffiti", graffiti,
            "--externalSigner.url", signer_url, "--externalSigner.fetch", *builder, *network.client_flags(beacon.seconds_per_slot)])

    def wait_ready(self, seconds=60):
        """Until the client knows its validators' indices."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.running():
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                if "Discovered new validators" in log.read():
                    return
            time.sleep(0.2)
        raise AssertionError(f"the validator client does not start:\n{self.log_tail()}")
