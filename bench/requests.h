// Sign requests as HTTP text, for the load generator.
#pragma once

#include <cinttypes>
#include <cstdio>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/chain.h"

namespace cc::bench {

inline constexpr std::string_view kToken = "benchmark-token-000001";
inline constexpr const char* kForkInfo =
    R"("fork_info":{"fork":{"previous_version":"0x04000000","current_version":"0x05000000","epoch":"364032"},)"
    R"("genesis_validators_root":"0x4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95"})";

inline std::string number_root(std::uint64_t number) {
  char out[67];
  std::snprintf(out, sizeof out, "0x%064" PRIx64, number);
  return out;
}

// The head of a request, up to the length of its body.
inline std::string head_of(const std::string& path) {
  return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + std::string(kToken) +
         "\r\nAccept: application/json\r\nContent-Type: application/json\r\nContent-Length: ";
}

// The heads of the one-key endpoint for some keys, made once.
class Posts {
 public:
  explicit Posts(const std::vector<BlsPublicKey>& keys) {
    heads_.reserve(keys.size());
    for (const BlsPublicKey& key : keys) {
      heads_.push_back(head_of("/api/v1/eth2/sign/" + to_0x(key)));
    }
  }
  std::size_t size() const { return heads_.size(); }
  void write(std::size_t key, std::string_view body, std::string& out) const {
    out += heads_[key];
    out += std::to_string(body.size());
    out += "\r\n\r\n";
    out += body;
  }

 private:
  std::vector<std::string> heads_;
};

// `head` tells one message of an epoch from another: all validators of a slot with the same view share it.
inline std::string attestation(std::uint64_t epoch, std::uint64_t head) {
  const std::string target = std::to_string(400'000 + epoch);
  return std::string(R"({"type":"ATTESTATION",)") + kForkInfo + R"(,"attestation":{"slot":")" +
         std::to_string((400'000 + epoch) * 32) + R"(","index":"0","beacon_block_root":")" + number_root(head) +
         R"(","source":{"epoch":")" + std::to_string(399'999 + epoch) + R"(","root":")" + number_root(1) +
         R"("},"target":{"epoch":")" + target + R"(","root":")" + number_root(2) + "\"}}}";
}

inline std::string randao(std::uint64_t number) {
  return std::string(R"({"type":"RANDAO_REVEAL",)") + kForkInfo + R"(,"randao_reveal":{"epoch":")" +
         std::to_string(400'000 + number) + "\"}}";
}

}  // namespace cc::bench
