"""The checks must find what they look for: each kind of slashable pair is planted, and each must be named."""
import copy
import unittest

import evidence
import network
from recorder import Exchange

KEY = "0x" + "a1" * 48


def interchange(blocks=(), votes=()):
    return {"data": [{
        "pubkey": KEY,
        "signed_blocks": [{"slot": str(slot), "signing_root": root} for slot, root in blocks],
        "signed_attestations": [{"source_epoch": str(s), "target_epoch": str(t), "signing_root": root} for s, t, root in votes],
    }]}


def proposal(root, status, slot=7):
    body = {"type": "BLOCK_V2", "signingRoot": root, "beacon_block": {"block_header": {"slot": str(slot)}}}
    return Exchange(KEY, body, status, "", 0.0, 0.0)


class Interchange(unittest.TestCase):
    def test_a_lawful_history_is_counted(self):
        self.assertEqual(evidence.slashable_in(interchange([(1, "0xa"), (2, "0xb")], [(0, 1, "0xc"), (1, 2, "0xd")])), (2, 2))

    def test_planted_pairs_are_found(self):
        planted = [interchange([(5, "0xa"), (5, "0xb")]), interchange(votes=[(1, 3, "0xa"), (2, 3, "0xb")]),
                   interchange(votes=[(2, 3, "0xa"), (1, 4, "0xb")]), interchange(votes=[(1, 4, "0xa"), (2, 3, "0xb")])]
        for document in planted:
            with self.assertRaises(evidence.Failed):
                evidence.slashable_in(document)


class Exchanges(unittest.TestCase):
    def test_one_signed_one_refused_one_repeated(self):
        conflicts, refused, repeats = evidence.one_root_each([proposal("0xa", 200), proposal("0xb", 412), proposal("0xa", 200)])
        self.assertEqual((conflicts["block"], refused, repeats), (1, 1, 1))

    def test_planted_faults_are_found(self):
        for group in ([proposal("0xa", 200), proposal("0xb", 200)], [proposal("0xa", 200), proposal("0xa", 412)],
                      [proposal("0xa", 412), proposal("0xb", 412)]):
            with self.assertRaises(evidence.Failed):
                evidence.one_root_each(group)

    def test_a_signature_missing_from_the_export_is_found(self):
        evidence.released_is_recorded([proposal("0xa", 200)], interchange([(7, "0xa")]))
        for document in (interchange([(7, "0xb")]), interchange([(6, "0xa")])):
            with self.assertRaises(evidence.Failed):
                evidence.released_is_recorded([proposal("0xa", 200)], document)


class OnChain(unittest.TestCase):
    """A chain of one block and one vote."""

    def setUp(self):
        self.data = {"slot": "1", "index": "0", "beacon_block_root": "0x" + "01" * 32,
                     "source": {"epoch": "0", "root": "0x" + "02" * 32}, "target": {"epoch": "0", "root": "0x" + "03" * 32}}
        self.genesis_root, self.pubkeys, self.roots = "0x" + "04" * 32, [KEY], {1: "0x" + "05" * 32}
        self.blocks = {1: {"proposer_index": "0"}}
        self.votes = {(1, network.attestation_data_root(self.data)): (self.data, 1)}
        block = network.signing_root(self.roots[1], network.PROPOSER_DOMAIN, 0, self.genesis_root)
        vote = network.signing_root(network.attestation_data_root(self.data), network.ATTESTER_DOMAIN, 0, self.genesis_root)
        self.whole = interchange([(1, block)], [(0, 0, vote)])

    def test_a_complete_export_holds_the_chain(self):
        evidence.chain_is_recorded(self, self.whole)

    def test_a_missing_block_or_vote_is_found(self):
        for gone in ("signed_blocks", "signed_attestations"):
            document = copy.deepcopy(self.whole)
            document["data"][0][gone] = []
            with self.assertRaises(evidence.Failed):
                evidence.chain_is_recorded(self, document)


if __name__ == "__main__":
    unittest.main()
