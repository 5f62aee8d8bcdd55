// Makes more-vectors-PRESET.json: object roots from an independent SSZ library for shapes that the captured and synthetic
// vectors do not reach (long bitlists, full lists, the largest integers). Data is derived from SHA-256 of a counter.
//   npm install @lodestar/types@1.50.0
//   LODESTAR_PRESET=mainnet node make_more_vectors.mjs > more-vectors-mainnet.json
import {createHash} from "node:crypto";
import {ssz} from "@lodestar/types";

const preset = process.env.LODESTAR_PRESET;
let counter = 0;
function raw(size) {
  const out = Buffer.alloc(size);
  for (let i = 0; i < size; i += 32) {
    createHash("sha256").update(`vector ${counter++}`).digest().copy(out, i);
  }
  return out;
}
const hex = (size) => "0x" + raw(size).toString("hex");
const u64 = () => raw(8).readBigUInt64LE().toString();
// Types that Lodestar keeps as JavaScript numbers hold no more than 2^53.
const small = () => (raw(8).readBigUInt64LE() >> 12n).toString();
const many = (count, make) => Array.from({length: count}, make);

function bitlist(bits) {
  const bytes = raw(Math.floor(bits / 8) + 1);
  bytes[bytes.length - 1] &= (1 << bits % 8) - 1;
  bytes[bytes.length - 1] |= 1 << bits % 8;
  return "0x" + bytes.toString("hex");
}
const data = (slot) => ({slot, index: small(), beacon_block_root: hex(32), source: {epoch: small(), root: hex(32)},
  target: {epoch: small(), root: hex(32)}});
const committees = preset === "minimal" ? 4 : 64;
const committeeBits = () => (preset === "minimal" ? "0x0d" : hex(8));
const aggregate = (fork, bits, slot) => ({aggregator_index: small(), selection_proof: hex(96), aggregate: {
  aggregation_bits: bitlist(bits), data: data(slot), signature: hex(96),
  ...(["electra", "fulu", "gloas"].includes(fork) ? {committee_bits: committeeBits()} : {})}});

const vectors = [];
function add(name, type, payload, body, sszType, message) {
  const root = sszType.hashTreeRoot(sszType.fromJson(message));
  vectors.push({name, object_root: "0x" + Buffer.from(root).toString("hex"), body: {type, [payload]: body}});
}
for (const bits of [0, 1, 7, 8, 255, 256, 257, 511, 2048]) {
  const message = aggregate("deneb", bits, "100");
  add(`aggregate deneb ${bits} bits`, "AGGREGATE_AND_PROOF_V2", "aggregate_and_proof", {version: "DENEB", data: message},
    ssz.phase0.AggregateAndProof, message);
}
for (const fork of ["electra", "gloas"]) {
  for (const bits of [0, 1, 255, 256, 257, 1279, 1280, 1281, 5376, 5377, 2048 * committees]) {
    const message = aggregate(fork, bits, "100");
    add(`aggregate ${fork} ${bits} bits`, "AGGREGATE_AND_PROOF_V2", "aggregate_and_proof",
      {version: fork.toUpperCase(), data: message}, ssz[fork].AggregateAndProof, message);
  }
}
const contribution = {aggregator_index: small(), selection_proof: hex(96), contribution: {slot: "100", beacon_block_root: hex(32),
  subcommittee_index: "3", aggregation_bits: preset === "minimal" ? "0xa5" : hex(16), signature: hex(96)}};
add("contribution", "SYNC_COMMITTEE_CONTRIBUTION_AND_PROOF", "contribution_and_proof", contribution,
  ssz.altair.ContributionAndProof, contribution);

const header = (slot) => ({message: {slot, proposer_index: small(), parent_root: hex(32), state_root: hex(32), body_root: hex(32)},
  signature: hex(96)});
const indexed = (count) => ({attesting_indices: many(count, small), data: data("90"), signature: hex(96)});
const body = (n, altair) => ({randao_reveal: hex(96), eth1_data: {deposit_root: hex(32), deposit_count: small(), block_hash: hex(32)},
  graffiti: hex(32),
  proposer_slashings: many(Math.min(n, 16), () => ({signed_header_1: header("1"), signed_header_2: header("1")})),
  attester_slashings: many(Math.min(n, 2), () => ({attestation_1: indexed(5 * n), attestation_2: indexed(4)})),
  attestations: many(Math.min(n, 128), (_, i) => ({aggregation_bits: bitlist(i * 3), data: data("91"), signature: hex(96)})),
  deposits: many(Math.min(n, 16), () => ({proof: many(33, () => hex(32)),
    data: {pubkey: hex(48), withdrawal_credentials: hex(32), amount: small(), signature: hex(96)}})),
  voluntary_exits: many(Math.min(n, 16), () => ({message: {epoch: small(), validator_index: small()}, signature: hex(96)})),
  ...(altair ? {sync_aggregate: {sync_committee_bits: hex(preset === "minimal" ? 4 : 64), sync_committee_signature: hex(96)}} : {})});
for (const n of [0, 3, 18]) {
  for (const fork of ["phase0", "altair"]) {
    const block = {slot: "100", proposer_index: small(), parent_root: hex(32), state_root: hex(32), body: body(n, fork === "altair")};
    add(`block ${fork} ${n} of each`, "BLOCK_V2", "beacon_block", {version: fork.toUpperCase(), block}, ssz[fork].BeaconBlock, block);
  }
}

for (const n of [0, 1, 4, 22]) {
  const bid = {parent_block_hash: hex(32), parent_block_root: hex(32), block_hash: hex(32), prev_randao: hex(32),
    fee_recipient: hex(20), gas_limit: u64(), builder_index: small(), slot: "100", value: small(), execution_payment: u64(),
    blob_kzg_commitments: many(n, () => hex(48)), execution_requests_root: hex(32)};
  add(`bid ${n} commitments`, "EXECUTION_PAYLOAD_BID", "execution_payload_bid", {version: "GLOAS", data: bid},
    ssz.gloas.ExecutionPayloadBid, bid);
  const few = Math.min(n, 2);
  const envelope = {payload: {parent_hash: hex(32), fee_recipient: hex(20), state_root: hex(32), receipts_root: hex(32),
      logs_bloom: hex(256), prev_randao: hex(32), block_number: small(), gas_limit: small(), gas_used: small(), timestamp: small(),
      extra_data: hex(n), base_fee_per_gas: BigInt(hex(32)).toString(), block_hash: hex(32),
      transactions: many(n * 5, (_, i) => hex(i * 3)),
      withdrawals: many(Math.min(n, 4), () => ({index: small(), validator_index: small(), address: hex(20), amount: u64()})),
      blob_gas_used: small(), excess_blob_gas: small(), block_access_list: hex(n * 100), slot_number: "100"},
    execution_requests: {
      deposits: many(n, () => ({pubkey: hex(48), withdrawal_credentials: hex(32), amount: small(), signature: hex(96), index: small()})),
      withdrawals: many(few, () => ({source_address: hex(20), validator_pubkey: hex(48), amount: small()})),
      consolidations: many(few, () => ({source_address: hex(20), source_pubkey: hex(48), target_pubkey: hex(48)})),
      builder_deposits: many(n, () => ({pubkey: hex(48), withdrawal_credentials: hex(32), amount: small(), signature: hex(96)})),
      builder_exits: many(few, () => ({source_address: hex(20), pubkey: hex(48)}))},
    builder_index: small(), beacon_block_root: hex(32), parent_beacon_block_root: hex(32)};
  add(`envelope ${n} of each`, "EXECUTION_PAYLOAD_ENVELOPE", "execution_payload_envelope", {version: "GLOAS", data: envelope},
    ssz.gloas.ExecutionPayloadEnvelope, envelope);
}
for (const size of [0, 1, 31, 32, 33, 4096]) {
  const auth = {data: hex(size), slot: "100"};
  add(`builder auth ${size} bytes`, "BUILDER_REQUEST_AUTH", "builder_request_auth", {version: "GLOAS", data: auth},
    ssz.gloas.BuilderRequestAuth, auth);
}
console.log(JSON.stringify({generated_with: "@lodestar/types 1.50.0 (independent SSZ implementation)", preset, vectors}));
