"""The runs on a chain; keymanager.py has the one without. Each starts a fresh signer and a fresh chain, disturbs them or not, and then looks at the evidence. Failed says what broke."""
import time

import evidence
from devnet import Devnet
from evidence import Failed
from keymanager import keymanager
from replay import replay

DUTIES = ("BLOCK_V2", "ATTESTATION", "AGGREGATE_AND_PROOF", "AGGREGATION_SLOT", "RANDAO_REVEAL", "SYNC_COMMITTEE_MESSAGE",
          "SYNC_COMMITTEE_SELECTION_PROOF", "SYNC_COMMITTEE_CONTRIBUTION_AND_PROOF")
FINALISED = 3  # the checkpoint to reach: epochs 0 to 2 are final, every fork of the schedule among them
FINALISED_AFTER_TROUBLE = 5  # an epoch that begins after the last disturbance
FIRST_TROUBLE, SECOND_TROUBLE = 11, 27  # slots, both in the middle of an epoch
# (slot, part of the slot that has passed, seconds without a signer)
KILLS = [(FIRST_TROUBLE, 0.5, 4)] + [(SECOND_TROUBLE + i, part, 0) for i, part in enumerate((0.0, 0.02, 0.04, 0.08, 0.16))]


def say(text):
    print(f"   {text}", flush=True)


def finality(options, folder):
    """One client, no disturbance, the client speaks to the signer directly: everything is signed and nothing refused."""
    with Devnet(options, folder, clients=1, recorded=False) as net:
        wait_and_say(net, FINALISED)
        chain = net.end_chain()
        requests = net.signer.requests()
        report(chain, requests)
        export = finish(net, chain)
        require_duties(requests)
        require(requests["VALIDATOR_REGISTRATION", "200"] > 0, "no registration was signed")
        refused = {at: count for at, count in requests.items() if at[1] != "200"}
        require(not refused, f"refused or failed requests: {refused}")
        require_whole(chain)
        blocks, votes = evidence.slashable_in(export)
        require(requests["BLOCK_V2", "200"] == blocks and requests["ATTESTATION", "200"] == votes,
                f"the export holds {blocks} blocks and {votes} votes, the counters say otherwise")


def rivals(options, folder):
    """Two clients with the same keys and different graffiti: one of each conflicting pair is refused, the chain is whole."""
    with Devnet(options, folder, clients=2, recorded=True) as net:
        wait_and_say(net, FINALISED)
        chain = net.end_chain()
        requests = net.signer.requests()
        report(chain, requests)
        say(f"blocks by client: {chain.graffiti()}")
        conflicts, repeats = check_exchanges(net)
        require(conflicts["block"] >= chain.head // 2, "hardly any conflicting blocks: the two clients did not compete")
        require(repeats > 0, "no identical repeat was asked for")
        require(recorder_agrees(net, requests), "the signer's counters and the recorder disagree")
        finish(net, chain)
        require_duties(requests)
        # The client verifies in WebAssembly and drops contributions that are late; with two clients' worth of them many are.
        require_whole(chain, sync_too=False)


def crash(options, folder):
    """kill -9, once with four seconds of silence, then in five slots running while blocks are proposed; two rival clients."""
    with Devnet(options, folder, clients=2, recorded=True) as net:
        for slot, part_of_slot, pause in KILLS:
            net.wait_slot(slot)
            time.sleep(part_of_slot * options.slot_seconds)
            net.signer.kill_and_remember()
            time.sleep(pause)
            began = time.monotonic()
            net.signer.start()
            net.signer.wait_status("unsealed")
            say(f"slot {slot}: killed, {pause} s later started again; open {time.monotonic() - began:.2f} s after the start")
        after_trouble(net)


def seal(options, folder):
    """Sealed by an operator and resumed, then sealed and restarted; two rival clients. No signature while sealed."""
    with Devnet(options, folder, clients=2, recorded=True) as net:
        for slot, how in ((FIRST_TROUBLE, net.signer.resume), (SECOND_TROUBLE, net.signer.restart_and_remember)):
            net.wait_slot(slot)
            net.signer.seal()
            sealed = time.monotonic()
            time.sleep(3 * options.slot_seconds)
            resumed = time.monotonic()
            how()
            net.signer.wait_status("unsealed")
            while_sealed = [seen.status for seen in net.exchanges if seen.began > sealed and seen.ended < resumed]
            require(while_sealed, "no request came while the signer was sealed")
            require(set(while_sealed) == {503}, f"answers while sealed: {sorted(set(while_sealed))}")
            say(f"slot {slot}: sealed, {len(while_sealed)} requests refused with 503, then open again by {how.__name__.split('_')[0]}")
        after_trouble(net)


def two_signers(options, folder):
    """Two signers with the same keys on one PostgreSQL, asked in turn by two rival clients; one of them killed and started again."""
    with Devnet(options, folder, clients=2, recorded=True, signers=2) as net:
        net.wait_slot(FIRST_TROUBLE)
        second = net.signers[1]
        second.kill_and_remember()
        time.sleep(2 * options.slot_seconds)
        second.start()
        second.wait_status("unsealed")
        say(f"slot {FIRST_TROUBLE}: one of the two killed, {2 * options.slot_seconds} s later started again")
        wait_and_say(net, FINALISED)
        chain = net.end_chain()
        report(chain, net.requests())
        by_signer = [sum(signer.requests().values()) for signer in net.signers]
        say(f"requests by signer: {by_signer}")
        require(min(by_signer) > max(by_signer) // 4, "the requests were not shared between the signers")
        conflicts, _ = check_exchanges(net)
        require(conflicts["block"] >= chain.head // 4, "hardly any conflicting blocks: the two clients did not compete")
        require_duties(net.requests())
        second.stop_and_remember()
        finish(net, chain)


SCENARIOS = {"keymanager": keymanager, "finality": finality, "rivals": rivals, "crash": crash, "seal": seal, "two-signers": two_signers}


# ---- shared steps


def wait_and_say(net, epoch):
    slot = net.wait_finalised(epoch, deadline_epoch=epoch + 5)
    say(f"checkpoint of epoch {epoch} finalised at slot {slot}, {slot * net.options.slot_seconds} s after genesis")


def after_trouble(net):
    wait_and_say(net, FINALISED_AFTER_TROUBLE)
    chain = net.end_chain()
    requests = net.signer.requests()
    report(chain, requests)
    check_exchanges(net)
    finish(net, chain)
    require_duties(requests)


def check_exchanges(net):
    conflicts, refused, repeats = evidence.one_root_each(net.exchanges)
    unanswered = sum(seen.status == 0 for seen in net.exchanges)
    say(f"conflicting: {conflicts['block']} slots of a proposer, {conflicts['attestation']} targets of an attester; "
        f"412 given {refused} times, identical repeats signed {repeats}, requests without an answer {unanswered}")
    again = replay(net.signer, net.exchanges)
    say(f"asked again afterwards: {again} identical messages 200 with the same signature, {again} altered ones 412")
    return conflicts, repeats


def recorder_agrees(net, requests):
    seen = {}
    for exchange in net.exchanges:
        at = exchange.kind, str(exchange.status)
        seen[at] = seen.get(at, 0) + 1
    return seen == dict(requests)


def finish(net, chain):
    """Stops the signer and judges its export."""
    net.signer.stop_and_remember()
    export = net.signer.export()
    blocks, votes = evidence.slashable_in(export)
    evidence.chain_is_recorded(chain, export)
    evidence.released_is_recorded(net.exchanges, export)
    require(export["metadata"]["genesis_validators_root"] == chain.genesis_root, "the export names another chain")
    require(sorted(chain.pubkeys) == sorted(net.signer.pubkeys), "the chain has validators that are not in the signer")
    say(f"export: {blocks} blocks, {votes} votes, no slashable pair; all of the chain and all that was released is in it")
    return export


def report(chain, requests):
    blocks, votes, sync = chain.participation()
    say(f"slots {chain.first}-{chain.head}: blocks {blocks:.1f} %, votes {votes:.1f} %, sync committee {sync:.1f} %; missed slots {chain.missed or 'none'}")
    statuses = sorted({status for _, status in requests})
    say(f"{'requests by type and status':40}" + "".join(f"{status:>8}" for status in statuses))
    for kind in sorted({kind for kind, _ in requests}):
        say(f"  {kind:38}" + "".join(f"{requests[kind, status]:>8}" for status in statuses))


def require(held, text):
    if not held:
        raise Failed(text)


def require_duties(requests):
    missing = [duty for duty in DUTIES if requests[duty, "200"] == 0]
    require(not missing, f"never signed: {missing}")


def require_whole(chain, sync_too=True):
    _, votes, sync = chain.participation()
    require(not chain.missed, f"slots without a block: {chain.missed}")
    require(votes >= 90, "fewer than 90 % of the votes are on the chain")
    require(sync >= 90 or not sync_too, "sync committee participation is below 90 %")
