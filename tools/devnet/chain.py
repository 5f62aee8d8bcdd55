"""What happened on the chain, read from the beacon node's API: blocks, votes, sync committee, participation."""
import network


class Chain:
    """The canonical chain up to the head at the time of reading; judged from FIRST on, the slot since which all clients were there."""

    def __init__(self, beacon, keys, first):
        self.first = first
        self.genesis_root = beacon.get("/eth/v1/beacon/genesis")["genesis_validators_root"]
        self.pubkeys = [v["validator"]["pubkey"] for v in beacon.get("/eth/v1/beacon/states/head/validators")]
        self.finalised = beacon.finalised_epoch()
        self.head = beacon.head_slot()
        self.committee_size = keys // network.SLOTS_PER_EPOCH  # one committee in each slot
        self.roots, self.blocks, self.missed = {}, {}, []
        for slot in range(1, self.head + 1):
            header = beacon.get(f"/eth/v1/beacon/headers/{slot}")
            if header is None:
                if slot >= first:
                    self.missed.append(slot)
                continue
            self.roots[slot] = header["root"]
            self.blocks[slot] = beacon.get(f"/eth/v2/beacon/blocks/{slot}")["message"]
        self.votes = self._votes()

    def _votes(self):
        """{(slot, attestation data root): (data, bits)}: every vote included in a block, aggregates joined."""
        found = {}
        for block in self.blocks.values():
            for vote in block["body"]["attestations"]:
                data = vote["data"]
                key = int(data["slot"]), network.attestation_data_root(data)
                found[key] = data, found.get(key, (data, 0))[1] | bits(vote["aggregation_bits"])
        return found

    def attesters(self, slot):
        """How many validators' votes of this slot are on the chain."""
        return sum(set_bits.bit_count() for (at, _), (_, set_bits) in self.votes.items() if at == slot)

    def participation(self):
        """Percentages (blocks, votes, sync committee). Votes of the last two slots may still be on their way."""
        slots = range(self.first, self.head + 1)
        voted = [slot for slot in slots if slot <= self.head - 2]
        syncs = [b["body"]["sync_aggregate"]["sync_committee_bits"] for slot, b in self.blocks.items() if slot > self.first]
        return (percent(len(slots) - len(self.missed), len(slots)),
                percent(sum(self.attesters(slot) for slot in voted), self.committee_size * len(voted)),
                percent(sum(int(text, 16).bit_count() for text in syncs), network.SYNC_COMMITTEE_SIZE * len(syncs)))

    def graffiti(self):
        names = {}
        for block in self.blocks.values():
            name = bytes.fromhex(block["body"]["graffiti"][2:]).rstrip(b"\0").decode("utf-8", "replace")
            names[name] = names.get(name, 0) + 1
        return names


def bits(text):
    """The set bits of an SSZ bitlist in 0x text, without its length mark."""
    value = int.from_bytes(bytes.fromhex(text[2:]), "little")
    return value & ~(1 << (value.bit_length() - 1))


def percent(part, whole):
    return 100.0 * part / whole if whole else 0.0
