// The requests of a slot as a real validator client sent them: kinds, and which of them share their message, in the
// shares of a captured run (Lodestar, 64 keys, minimal preset, 73 slots: docs/performance.md). In that preset every
// validator is in the sync committee, so there are many more sync duties than on the main network.
#pragma once

#include "bench/requests.h"

namespace cc::bench {

inline std::string signature_text(std::uint64_t number) {
  // A point that verifies nothing; what is signed about it is its bytes.
  return "0x" + std::string(128, 'a') + number_root(number).substr(2);
}
inline std::string request(std::string_view type, const std::string& payload) {
  return R"({"type":")" + std::string(type) + "\"," + kForkInfo + "," + payload + "}";
}

// `slot` grows from call to call; `place` is 0 to 9,999 of a slot's requests.
inline std::string captured_request(std::uint64_t slot, std::uint64_t place) {
  const std::string slot_text = std::to_string((400'000 + slot) * 32);
  const std::string head = number_root(slot);
  // Shares per ten thousand of 9,024 requests.
  if (place < 2553) {
    return request("SYNC_COMMITTEE_SELECTION_PROOF", R"("sync_aggregator_selection_data":{"slot":")" + slot_text +
                                                         R"(","subcommittee_index":")" + std::to_string(place % 4) +
                                                         "\"}");
  }
  if (place < 5106) {
    return request("SYNC_COMMITTEE_MESSAGE",
                   R"("sync_committee_message":{"beacon_block_root":")" + head + R"(","slot":")" + slot_text + "\"}");
  }
  if (place < 7659) {
    return request("SYNC_COMMITTEE_CONTRIBUTION_AND_PROOF",
                   R"("contribution_and_proof":{"aggregator_index":")" + std::to_string(place) +
                       R"(","contribution":{"slot":")" + slot_text + R"(","beacon_block_root":")" + head +
                       R"(","subcommittee_index":"0","aggregation_bits":"0xffffffffffffffffffffffffffffffff",)" +
                       R"("signature":")" + signature_text(slot) + R"("},"selection_proof":")" + signature_text(place) +
                       "\"}");
  }
  if (place < 8510) {
    return request("AGGREGATION_SLOT", R"("aggregation_slot":{"slot":")" + slot_text + "\"}");
  }
  if (place < 9139) {
    return attestation(slot, slot);
  }
  if (place < 9768) {
    return request("AGGREGATE_AND_PROOF",
                   R"("aggregate_and_proof":{"aggregator_index":")" + std::to_string(place) +
                       R"(","aggregate":{"aggregation_bits":"0x1f","data":{"slot":")" + slot_text +
                       R"(","index":"0","beacon_block_root":")" + head + R"(","source":{"epoch":")" +
                       std::to_string(399'999 + slot) + R"(","root":")" + number_root(1) + R"("},"target":{"epoch":")" +
                       std::to_string(400'000 + slot) + R"(","root":")" + number_root(2) + R"("}},"signature":")" +
                       signature_text(slot) + R"("},"selection_proof":")" + signature_text(place) + "\"}");
  }
  if (place < 9848) {
    return request("BLOCK_V2", R"("beacon_block":{"version":"DENEB","block_header":{"slot":")" + slot_text +
                                   R"(","proposer_index":")" + std::to_string(place) + R"(","parent_root":")" + head +
                                   R"(","state_root":")" + head + R"(","body_root":")" + number_root(place) + "\"}}");
  }
  if (place < 9928) {
    return randao(slot);
  }
  return request("VALIDATOR_REGISTRATION",
                 R"("validator_registration":{"fee_recipient":"0xabababababababababababababababababababab",)"
                 R"("gas_limit":"30000000","timestamp":")" +
                     std::to_string(1'700'000'000 + slot) + R"(","pubkey":"0x)" + std::string(96, 'b') + "\"}");
}

}  // namespace cc::bench
