#include "crypto/same_message.h"

#include <blst.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "crypto/odd_multiples.h"
#include "crypto/pass_inputs.h"
#include "crypto/same_message_kernel.h"
#include "crypto/same_message_pass.h"

namespace cc::crypto {
namespace {

using same_message::kMostInversions;
using same_message::kParts;
using same_message::kPassKeys;
using same_message::PassOrder;
using same_message::Windows;

// What one call keeps in locked memory, beside the pass's own.
struct Held {
  std::uint64_t digits[kParts][kPassKeys];
  std::uint64_t flips[kPassKeys];
  blst_fp2 blinds[kMostInversions];
  std::uint8_t random[kMostInversions * kBlindBytes];
  blst_scalar key, sum;
};

constexpr std::size_t kSelfTestKeys = 9;  // more than the lanes of any kernel
constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHeldBytes = (sizeof(Held) + kCacheLine - 1) / kCacheLine * kCacheLine;

void read_keys(Held& held, std::span<const SameMessageKey> keys) {
  for (std::size_t i = 0; i < kPassKeys; ++i) {
    const SameMessageKey& key = keys[i < keys.size() ? i : 0];
    read_key(held.digits[0] + i, kPassKeys, held.flips[i], *key.secret, *key.recoded);
  }
}

}  // namespace

SameMessageScratch::SameMessageScratch(SigningKernel kernel)
    : LockedScratch(kHeldBytes + same_message::kernel(kernel)->memory) {}

class SameMessageTable::Parts {
 public:
  Parts(const HashedMessage& message, WindowLayout layout, const same_message::Kernel& kernel)
      : kernel_(kernel),
        layout_(layout),
        windows_(same_message::windows_of(layout)),
        message_(same_message::point_of(message)),
        entries_(kernel.entry_bytes * windows_.entries / sizeof(Line) + 1) {
    const std::vector<blst_p2_affine> points = same_message::odd_multiples(message_, windows_);
    for (std::size_t j = 0; j < windows_.count; ++j) {
      const std::size_t first = windows_.first_entry[j];
      kernel.convert(points.data() + first, std::size_t{1} << (windows_.width[j] - 1),
                     entries_.data()->bytes + first * kernel.entry_bytes);
    }
  }

  WindowLayout layout() const { return layout_; }
  std::size_t bytes() const { return entries_.size() * sizeof(Line); }

  bool sign(std::span<const SameMessageKey> keys, std::span<blst_p2_affine> points, SameMessageScratch& scratch,
            Random& random, Declassified declassified) const {
    Held& held = *new (scratch.data()) Held;
    for (std::size_t begin = 0; begin < keys.size(); begin += kPassKeys) {
      const auto part = keys.subspan(begin, std::min(kPassKeys, keys.size() - begin));
      draw_blinds(std::span(held.blinds).first(windows_.count + 1), held.random, random);
      read_keys(held, part);
      PassOrder order;
      order.windows = &windows_;
      order.keys = part.size();
      order.digits = held.digits[0];
      order.flips = held.flips;
      order.blinds = held.blinds;
      order.memory = scratch.data() + kHeldBytes;
      order.out = points.data() + begin;
      order.declassified = declassified;
      kernel_.run(order, entries_.data()->bytes);
    }
    // From here on the points are signatures.
    if (declassified != nullptr) {
      declassified(points.data(), points.size_bytes());
    }
    return sum_holds(held, keys, points, declassified);
  }

 private:
  struct alignas(kCacheLine) Line {
    std::byte bytes[kCacheLine];
  };

  // sum of signatures = (sum of keys) * H(m), the right side by blst's own multiplication.
  bool sum_holds(Held& held, std::span<const SameMessageKey> keys, std::span<const blst_p2_affine> points,
                 Declassified declassified) const {
    std::memset(&held.sum, 0, sizeof(held.sum));
    for (const SameMessageKey& key : keys) {
      blst_scalar_from_bendian(&held.key, expose_secret_bytes(key.secret->bytes()).data());
      blst_sk_add_n_check(&held.sum, &held.sum, &held.key);
    }
    blst_p2 expected;
    blst_sign_pk_in_g1(&expected, &message_, &held.sum);
    if (declassified != nullptr) {
      declassified(&expected, sizeof(expected));
    }
    const std::array<const blst_p2_affine*, 2> list = {points.data(), nullptr};
    blst_p2 sum;
    blst_p2s_add(&sum, list.data(), points.size());
    return blst_p2_is_equal(&sum, &expected);
  }

  const same_message::Kernel& kernel_;
  const WindowLayout layout_;
  const Windows windows_;
  const blst_p2 message_;
  std::vector<Line> entries_;
};

bool kernel_works(SigningKernel kernel, Random& random) {
  if (!available(kernel)) {
    return false;
  }
  std::vector<BlsSecretKey> secrets;
  std::vector<RecodedKey> recoded;
  std::vector<SameMessageKey> keys;
  for (std::size_t i = 0; i < kSelfTestKeys; ++i) {
    Secret<32> scalar = random.secret<32>();
    expose_secret_bytes(scalar)[0] &= 0x3F;  // below the order
    secrets.push_back(BlsSecretKey::from_checked(std::move(scalar)));
    recoded.emplace_back(secrets.back());
  }
  keys.reserve(kSelfTestKeys);
  for (std::size_t i = 0; i < kSelfTestKeys; ++i) {
    keys.push_back({&secrets[i], &recoded[i]});
  }
  const HashedMessage message(random.array<32>());
  SameMessageScratch scratch(kernel);
  for (const WindowLayout layout : {WindowLayout::w4, WindowLayout::w5, WindowLayout::w6, WindowLayout::w8}) {
    std::vector<BlsSignature> signatures(kSelfTestKeys);
    if (!SameMessageTable(message, layout, kernel).sign(keys, signatures, scratch, random)) {
      return false;
    }
    for (std::size_t i = 0; i < kSelfTestKeys; ++i) {
      if (signatures[i] != message.sign(secrets[i])) {
        return false;
      }
    }
  }
  return true;
}

SameMessageTable::SameMessageTable(const HashedMessage& message, WindowLayout layout, SigningKernel kernel)
    : parts_(std::make_unique<Parts>(message, layout, *same_message::kernel(kernel))) {}
SameMessageTable::~SameMessageTable() = default;
SameMessageTable::SameMessageTable(SameMessageTable&&) noexcept = default;

WindowLayout SameMessageTable::layout() const { return parts_->layout(); }
std::size_t SameMessageTable::bytes() const { return parts_->bytes(); }

bool SameMessageTable::sign(std::span<const SameMessageKey> keys, std::span<BlsSignature> signatures,
                            SameMessageScratch& scratch, Random& random, Declassified declassified) const {
  if (keys.empty()) {
    return true;
  }
  std::vector<blst_p2_affine> points(keys.size());
  const bool held = parts_->sign(keys, points, scratch, random, declassified);
  for (std::size_t i = 0; held && i < keys.size(); ++i) {
    blst_p2_affine_compress(signatures[i].data(), &points[i]);
  }
  wipe({reinterpret_cast<std::uint8_t*>(points.data()), points.size() * sizeof(points[0])});
  scratch.scrub();
  return held;
}

}  // namespace cc::crypto
