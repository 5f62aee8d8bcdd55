// rooms: crypto
// Share files come from strangers' hands: whatever from_rtss accepts must re-encode to itself, and combining it must
// end in a verdict.
#include <algorithm>
#include <cstdlib>

#include "crypto/shamir.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kShareBytes = 85;
  std::vector<cc::crypto::Share> shares;
  const std::span<const std::uint8_t> input(data, size);
  for (std::size_t at = 0; at < input.size(); at += kShareBytes) {
    const auto piece = input.subspan(at, std::min(kShareBytes, input.size() - at));
    auto read = cc::crypto::from_rtss(piece);
    if (!read) {
      continue;
    }
    const auto again = cc::crypto::to_rtss(read->share, read->id, read->m);
    if (!std::ranges::equal(expose_secret_bytes(again), piece)) {
      std::abort();
    }
    shares.push_back(std::move(read->share));
  }
  const auto combined = cc::crypto::combine(shares);
  if (!combined && combined.error().message.empty()) {
    std::abort();
  }
  return 0;
}
