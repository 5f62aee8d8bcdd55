// Strong types of the consensus layer that more than one room speaks of.
#pragma once

#include <array>
#include <compare>
#include <cstdint>

namespace cc {

template <class Tag>
struct StrongU64 {
  std::uint64_t value = 0;
  auto operator<=>(const StrongU64&) const = default;
};
using Slot = StrongU64<struct SlotTag>;
using Epoch = StrongU64<struct EpochTag>;

using Root = std::array<std::uint8_t, 32>;          // hash tree root, signing root, genesis validators root
using BlsPublicKey = std::array<std::uint8_t, 48>;  // compressed G1 point
using BlsSignature = std::array<std::uint8_t, 96>;  // compressed G2 point

// Hash for unordered maps keyed by a compressed point (already uniform bytes behind its first byte).
struct BlsPublicKeyHash {
  std::size_t operator()(const BlsPublicKey& key) const noexcept {
    std::size_t out = 0;
    for (int i = 8; i < 16; ++i) {
      out = out << 8 | key[static_cast<std::size_t>(i)];
    }
    return out;
  }
};

}  // namespace cc
