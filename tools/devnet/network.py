"""The devnet's constants, and the hashes of the consensus specification that tie a signature to its message.

Written from the specification (compute_fork_data_root, compute_domain, compute_signing_root, hash_tree_root of AttestationData and
Checkpoint), independent of the signer's code. Standard library only.
"""
import hashlib

SLOTS_PER_EPOCH = 8  # the minimal preset
SYNC_COMMITTEE_SIZE = 32
# (fork, version, first epoch). Bellatrix at 0 and two forks in one epoch do not work with the client's mocked execution engine.
FORKS = [("GENESIS", "00000001", 0), ("ALTAIR", "01000001", 0), ("BELLATRIX", "02000001", 1), ("CAPELLA", "03000001", 2)]
PROPOSER_DOMAIN = bytes.fromhex("00000000")
ATTESTER_DOMAIN = bytes.fromhex("01000000")


def config_yaml():
    """The network's config.yaml, as the signer reads it."""
    lines = ["PRESET_BASE: minimal", "CONFIG_NAME: devnet"]
    for fork, version, epoch in FORKS:
        lines.append(f"{fork}_FORK_VERSION: 0x{version}")
        if fork != "GENESIS":
            lines.append(f"{fork}_FORK_EPOCH: {epoch}")
    return "\n".join(lines) + "\n"


def client_flags(seconds_per_slot):
    """The same network as flags of the consensus client."""
    epochs = [f"--params.{fork}_FORK_EPOCH={epoch}" for fork, _, epoch in FORKS if fork != "GENESIS"]
    return [f"--params.SECONDS_PER_SLOT={seconds_per_slot}", "--terminal-total-difficulty-override", "0", *epochs]


def epoch_of(slot):
    return slot // SLOTS_PER_EPOCH


def _hash(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def _number(value):
    return int(value).to_bytes(8, "little").ljust(32, b"\0")


def _bytes(text):
    return bytes.fromhex(text[2:])


def signing_root(object_root, domain_type, epoch, genesis_validators_root):
    """0x text of the root that a signature of this kind at this epoch covers."""
    version = [version for _, version, first in FORKS if first <= epoch][-1]
    fork_data_root = _hash(bytes.fromhex(version).ljust(32, b"\0"), _bytes(genesis_validators_root))
    return "0x" + _hash(_bytes(object_root), domain_type, fork_data_root[:28]).hex()


def attestation_data_root(data):
    """0x text of hash_tree_root(AttestationData), from the beacon API's JSON."""
    def checkpoint(value):
        return _hash(_number(value["epoch"]), _bytes(value["root"]))

    leaves = [_number(data["slot"]), _number(data["index"]), _bytes(data["beacon_block_root"]), checkpoint(data["source"]),
              checkpoint(data["target"])] + [bytes(32)] * 3
    while len(leaves) > 1:
        leaves = [_hash(leaves[i], leaves[i + 1]) for i in range(0, len(leaves), 2)]
    return "0x" + leaves[0].hex()
