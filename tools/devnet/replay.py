"""Asks again, after the chain, for what was signed during it: the identical message, and the same slot or target with another root."""
import copy

from evidence import Failed

LATEST = 60  # messages of each kind


def altered(body):
    """The same duty with another block: what a second, forked beacon node would ask for."""
    other = copy.deepcopy(body)
    other.pop("signingRoot")
    if other["type"] == "BLOCK_V2":
        block = other["beacon_block"]
        (block.get("block_header") or block["block"])["state_root"] = "0x" + "5a" * 32
    else:
        other["attestation"]["beacon_block_root"] = "0x" + "5a" * 32
    return other


def replay(signer, exchanges):
    """Returns how many messages were asked for twice more. Raises Failed."""
    chosen = []
    for kind in ("BLOCK_V2", "ATTESTATION"):
        chosen += [seen for seen in exchanges if seen.kind == kind and seen.status == 200][-LATEST:]
    for seen in chosen:
        same = signer.sign(seen.pubkey, seen.body, token=None)
        if same.status != 200 or same.text != seen.answer:
            raise Failed(f"identical {seen.kind} asked for again: {same}")
        other = signer.sign(seen.pubkey, altered(seen.body), token=None)
        if other.status != 412:
            raise Failed(f"conflicting {seen.kind} asked for afterwards: {other}")
    return len(chosen)
