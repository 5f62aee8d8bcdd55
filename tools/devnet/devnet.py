"""A running devnet: our signer, a beacon node without keys, and validator clients that sign through the signer only."""
import collections
import contextlib
import os
import time

import lodestar
import network
from chain import Chain
from evidence import Failed
from recorder import Recorder
from signer import Cluster, DevnetSigner

START_SECONDS = 16  # from the launch of the beacon node to genesis; the validator clients connect meanwhile


class Devnet:
    """One signer or several on one PostgreSQL, one beacon node, some validator clients; all gone when the context ends."""

    def __init__(self, options, folder, clients, recorded, signers=1):
        self.options, self.folder = options, folder
        self.graffiti = ["one", "two"][:clients]
        self.recorded, self.signer_count = recorded, signers
        self.stack = contextlib.ExitStack()
        self.exchanges = []

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *_):
        self.stack.close()

    def _start(self):
        options = self.options
        self.signers = self._open_signers()
        self.signer = self.signers[0]
        url = f"http://127.0.0.1:{self.signer.port}"
        if self.recorded:
            recorder = Recorder(*(signer.port for signer in self.signers))
            self.stack.callback(recorder.close)
            url, self.exchanges = recorder.url, recorder.exchanges
        genesis = int(time.time()) + START_SECONDS
        self.beacon = lodestar.BeaconNode(options.entry, os.path.join(self.folder, "beacon"), options.keys, genesis, options.slot_seconds)
        self.stack.callback(self.beacon.stop)
        self.beacon.wait_ready()
        self.clients = []
        for name in self.graffiti:
            client = lodestar.ValidatorClient(options.entry, os.path.join(self.folder, "validator-" + name), self.beacon, url, name,
                                              registrations=not self.recorded)
            self.stack.callback(client.stop)
            self.clients.append(client)
        for client in self.clients:
            client.wait_ready()
        # A slow machine may be past genesis by now; what happened before the clients were there is nobody's duty.
        self.first_slot = max(1, self.beacon.clock_slot() + 2)

    def _open_signers(self):
        database, secret = "", {}
        if self.signer_count > 1:
            cluster = Cluster()
            self.stack.callback(cluster.close)
            database, secret = cluster.settings("devnet"), {"DATABASE_PASSWORD": cluster.password}
        signers = []
        for number in range(self.signer_count):
            signer = DevnetSigner(os.path.join(self.folder, f"signer-{number + 1}"), database, secret)
            self.stack.callback(signer.close)
            signer.open(self.options.keys)
            signers.append(signer)
        return signers

    def requests(self):
        return sum((signer.requests() for signer in self.signers), collections.Counter())

    def wait_slot(self, slot):
        while self.beacon.clock_slot() < slot:
            self.check_alive()
            time.sleep(0.1)

    def wait_finalised(self, epoch, deadline_epoch):
        """Returns the clock slot at which the chain had finalised EPOCH."""
        while self.beacon.finalised_epoch() < epoch:
            self.check_alive()
            if network.epoch_of(self.beacon.clock_slot()) >= deadline_epoch:
                raise Failed(f"epoch {self.beacon.finalised_epoch()} is finalised at slot {self.beacon.clock_slot()}, wanted {epoch}")
            time.sleep(0.2)
        return self.beacon.clock_slot()

    def check_alive(self):
        for process in (self.beacon, *self.clients):
            if not process.running():
                raise Failed(f"a client process ended:\n{process.log_tail()}")

    def end_chain(self):
        """Stops the validators, reads the chain, stops the beacon node."""
        for client in self.clients:
            client.stop()
        chain = Chain(self.beacon, self.options.keys, self.first_slot)
        self.beacon.stop()
        return chain
