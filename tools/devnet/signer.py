"""Our signer as the devnet uses it: the end-to-end tests' process with fixed ports, an open Web3Signer API and counters that survive it.

The client sends no credentials, so signing is open to loopback by unauthenticated_policy; ceremonies and keys keep their tokens.
"""
import collections
import json
import os
import re
import sys

import lodestar
import network

sys.path.insert(0, os.path.join(lodestar.HERE, "..", "..", "tests", "e2e"))
import harness  # noqa: E402  (the path above is its home)
from postgres_cluster import Cluster  # noqa: E402,F401

OPEN_SIGNING = "unauthenticated_policy:\n  allowed_scopes: [sign, public_keys]\n"
SAMPLE = re.compile(r"^(\w+)\{([^}]*)\} ([0-9.e+]+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')


class DevnetSigner(harness.Signer):
    """Initialised KMS-only over two local KEKs; the interop keys are imported through the chamber API."""

    def __init__(self, folder, extra="", environment=None):
        os.makedirs(folder)
        network_file = os.path.join(folder, "network.yaml")
        with open(network_file, "w", encoding="utf-8") as out:
            out.write(network.config_yaml())
        ports = {"CONTAINMENT_SERVER__LISTEN_PORT": str(lodestar.free_port()), "CONTAINMENT_METRICS__LISTEN_PORT": str(lodestar.free_port())}
        super().__init__(network=network_file, extra=OPEN_SIGNING + extra, environment={**ports, **(environment or {})})
        self.past = collections.Counter()  # counts of processes that are gone
        self.pubkeys = []

    def open(self, keys):
        """First boot: starts, initialises and imports the interop keys 0 to KEYS - 1."""
        self.start()
        self.init_kms_only()
        self.pubkeys = self.import_interop(*range(keys))

    def requests(self):
        """{(operation, status): count} over all processes so far, from /metrics. A killed process's last moments are missing."""
        return self.past + self._scrape()

    def _scrape(self):
        found = collections.Counter()
        for name, labels, value in SAMPLE.findall(self.metrics()):
            if name == "containment_signing_requests_total" and float(value) > 0:
                labels = dict(LABEL.findall(labels))
                found[labels["operation"], labels["status"]] = int(float(value))
        return found

    def kill_and_remember(self):
        self.past += self._scrape()
        self.kill()

    def stop_and_remember(self):
        self.past += self._scrape()
        if self.stop() != 0:
            raise AssertionError(f"the signer did not end cleanly:\n{self.log()}")

    def restart_and_remember(self):
        self.stop_and_remember()
        self.start()

    def seal(self):
        return self.operator("seal", "--auth-token", "env:CC_AUTH_TOKEN", "--reason", "devnet")

    def resume(self):
        return self.operator("resume", "--auth-token", "env:CC_AUTH_TOKEN")

    def export(self):
        """The complete interchange of the stopped signer."""
        return json.loads(self.run("slashing", "export", "--config", self.config)[1])
