"""Independent checks that nothing slashable was signed. Knows EIP-3076 and the consensus specification, nothing of the signer.

Alone:  python3 evidence.py INTERCHANGE.json   exits 1 and names the pair when a slashable one is recorded.
"""
import collections
import json
import sys

import network


class Failed(Exception):
    """A check that did not hold; the text says which and where."""


def slashable_in(interchange):
    """Counts (blocks, votes) of an interchange document. Raises Failed with the first slashable pair."""
    blocks = votes = 0
    for entry in interchange["data"]:
        pubkey = entry["pubkey"]
        roots = {}
        for block in entry["signed_blocks"]:
            blocks += 1
            root = roots.setdefault(block["slot"], block["signing_root"])
            if root != block["signing_root"]:
                raise Failed(f"two blocks of {pubkey} at slot {block['slot']}")
        roots, marks = {}, []
        for vote in entry["signed_attestations"]:
            votes += 1
            root = roots.setdefault(vote["target_epoch"], vote["signing_root"])
            if root != vote["signing_root"]:
                raise Failed(f"two votes of {pubkey} for target {vote['target_epoch']}")
            marks.append((int(vote["source_epoch"]), int(vote["target_epoch"])))
        for source, target in marks:
            for other_source, other_target in marks:
                if source < other_source and other_target < target:
                    raise Failed(f"vote {source}→{target} of {pubkey} surrounds {other_source}→{other_target}")
    return blocks, votes


def recorded(interchange):
    """{("block", slot) or ("attestation", target epoch), signing root: {pubkeys}}."""
    found = collections.defaultdict(set)
    for entry in interchange["data"]:
        for block in entry["signed_blocks"]:
            found["block", int(block["slot"]), block["signing_root"]].add(entry["pubkey"])
        for vote in entry["signed_attestations"]:
            found["attestation", int(vote["target_epoch"]), vote["signing_root"]].add(entry["pubkey"])
    return found


def chain_is_recorded(chain, interchange):
    """Every block and vote on the chain must stand in the interchange with its very signing root."""
    have = recorded(interchange)
    for slot, block in chain.blocks.items():
        root = network.signing_root(chain.roots[slot], network.PROPOSER_DOMAIN, network.epoch_of(slot), chain.genesis_root)
        if chain.pubkeys[int(block["proposer_index"])] not in have["block", slot, root]:
            raise Failed(f"the block at slot {slot} is on the chain, but not in the export")
    for (slot, data_root), (data, set_bits) in chain.votes.items():
        target = int(data["target"]["epoch"])
        root = network.signing_root(data_root, network.ATTESTER_DOMAIN, target, chain.genesis_root)
        if len(have["attestation", target, root]) < set_bits.bit_count():
            raise Failed(f"votes of slot {slot} are on the chain, but not in the export")


def released_is_recorded(exchanges, interchange):
    """Every signature that left the signer must stand in the interchange: nothing is released before it is durable."""
    have = recorded(interchange)
    for seen in exchanges:
        where = seen.conflict_domain()
        if where and seen.status == 200 and seen.pubkey not in have[(*where[1:], seen.signing_root)]:
            raise Failed(f"a signature left, but is not in the export: {where}")


def one_root_each(exchanges):
    """One root of each conflict domain is signed, the same again as often as asked; every other one is refused with 412.

    Returns ({kind: conflict domains}, requests refused, identical repeats answered). A request without an answer may have been
    recorded just before the signer was killed; then all others of its domain may be refused.
    """
    domains = collections.defaultdict(list)
    for seen in exchanges:
        where = seen.conflict_domain()
        if where and seen.status in (0, 200, 412):
            domains[where].append(seen)
    conflicts = collections.Counter()
    refused = repeats = 0
    for where, group in domains.items():
        signed = {seen.signing_root for seen in group if seen.status == 200}
        if len(signed) > 1:
            raise Failed(f"two different messages were signed: {where}")
        for seen in group:
            if seen.status == 412 and seen.signing_root in signed:
                raise Failed(f"an identical repeat was refused: {where}")
        if len({seen.signing_root for seen in group}) > 1:
            if not signed and all(seen.status == 412 for seen in group):
                raise Failed(f"all of several conflicting messages were refused: {where}")
            conflicts[where[1]] += 1
        refused += sum(seen.status == 412 for seen in group)
        repeats += max(0, sum(seen.status == 200 for seen in group) - 1)
    return conflicts, refused, repeats


if __name__ == "__main__":
    try:
        with open(sys.argv[1], encoding="utf-8") as text:
            print("not slashable: %d blocks, %d votes" % slashable_in(json.load(text)))
    except Failed as failed:
        sys.exit(f"slashable: {failed}")
